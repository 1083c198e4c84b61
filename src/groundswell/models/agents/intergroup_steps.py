"""Two groups and officers are taken through their steps: what the loops want of the model, and blocks of steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from groundswell.errors import DataError
from groundswell.models.agents import _intergroup_violence_loops as loops
from groundswell.models.agents.alone import check_steps
from groundswell.models.agents.grid import around_cell
from groundswell.models.agents.intergroup_violence import CHOICES, SERIES, IntergroupViolence, Peoples
from groundswell.models.moments import Block

PERSON_STEPS_AT_ONCE = 500_000
"""Work between two looks at the keyboard."""


def advance(peoples: Peoples, steps: int, *, watched: bool = False, threads: int = 1) -> Iterator[Block]:
    """Take steps in blocks, of one step if `watched`; on one thread, however many there are."""
    check_steps(steps)
    model = peoples.model
    block = 1 if watched else max(1, PERSON_STEPS_AT_ONCE // model.cells)
    if len(peoples.persons) and peoples.persons[:, loops.CELL].max() >= model.cells:
        raise DataError(
            f"Peoples has someone in cell {peoples.persons[:, loops.CELL].max()}, and its model {model.cells} cells; a "
            "scenario may change rules and numbers, not the grid, and have other ties among as many nodes."
        )
    (around, beside), rules = _views(model), _rules(model)
    for first in range(0, steps, block):
        totals = np.zeros((min(block, steps - first), len(SERIES)), np.int64)
        persons, traits, number, newest = loops.advance(
            peoples.persons, peoples.traits, peoples.number, peoples.newest, around, beside, rules,
            np.uint64(peoples.key), peoples.step + 1, totals,
        )  # fmt: skip
        step = peoples.step + len(totals)
        peoples = replace(peoples, step=step, newest=newest, number=number, persons=persons, traits=traits)
        yield dict(zip(SERIES, totals.T.astype(float), strict=True)), partial(replace, peoples)


def _views(model: IntergroupViolence) -> tuple[np.ndarray, np.ndarray]:
    """What is in view of a cell, and what is beside it, as the loops want it."""
    if model.ties is not None:
        return model.ties.views(), model.ties.beside()
    return around_cell(model.vision_cells, model.neighbourhood), around_cell(1, "square")


def _rules(model: IntergroupViolence) -> Any:
    return loops.Rules(
        rows=model.rows if model.ties is None else model.cells,
        columns=model.columns if model.ties is None else 1,
        legitimacy=float(model.legitimacy),
        threshold=float(model.activation_threshold),
        arrest_constant=float(model.arrest_constant),
        max_jail_term=float(model.max_jail_term),
        birth_probability=float(model.birth_probability),
        max_age=float(model.max_age),
        ratio=CHOICES["ratio"].index(model.ratio),
        own_group=model.counted == "own_group",
        off_grid=model.jailed == "off_grid",
        inherits=model.children == "inherit",
    )
