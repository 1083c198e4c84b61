"""Violence between two groups (Epstein 2002, Model II): who dares to kill members of the other in front of officers.

    grievance          = hardship (1 - legitimacy)
    arrest_probability = 1 - exp(-arrest_constant C / A)
    active iff grievance - risk_aversion * arrest_probability > activation_threshold

Legitimacy is here what each group grants the other: its right to exist. An active person kills a random member of the
other group in view; persons have children on empty cells beside them and die of age. Officers keep the peace: they
arrest active persons of either group. All rules and numbers are as recalled, not checked against the text; where the
recollection leaves something open, it is a named option.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, ParameterError, UsageError, nearest
from groundswell.models.agents.alone import check_no_past, check_one_place, check_steps
from groundswell.models.agents.civil_violence import Ratio
from groundswell.models.agents.grid import Neighbourhood, around_cell, check_room, check_sides, nearest_whole
from groundswell.models.agents.saved import read_moment, write_moment
from groundswell.models.agents.ties import Ground, Ties, check_places
from groundswell.models.base import Model
from groundswell.models.watching import Watched, watch_grid
from groundswell.params import param
from groundswell.rng import hash_key
from groundswell.statement import plain, stated

Counted = Literal["everyone", "own_group"]
Jailed = Literal["off_grid", "keeps_cell"]
Children = Literal["inherit", "draw"]

CHOICES: dict[str, tuple[str, ...]] = {
    "ratio": get_args(Ratio),
    "neighbourhood": get_args(Neighbourhood),
    "counted": get_args(Counted),
    "jailed": get_args(Jailed),
    "children": get_args(Children),
}
"""Every rule that the recollection leaves open, with its named alternatives."""

FORMAT = 1
"""Of saved files; raised when the meaning of a file or of a draw changes."""

SERIES: tuple[str, ...] = (
    "first",
    "second",
    "active",
    "jailed",
    "killed_first",
    "killed_second",
    "born",
    "died",
    "arrests",
)
"""What is counted in each step, in the order of the loops' totals."""

EMPTY, FIRST_QUIET, FIRST_ACTIVE, SECOND_QUIET, SECOND_ACTIVE, JAILED, OFFICER = range(7)
"""What a frame shows in a cell."""

STATES = ("empty", "first-quiet", "first-active", "second-quiet", "second-active", "jailed", "officer")
"""Their names, in that order."""

PERSON_STEPS_AT_ONCE = 500_000
"""Work between two looks at the keyboard."""


@dataclass(frozen=True)
class IntergroupViolence(Ground, Model):
    """Two groups and officers on a torus, one agent to a cell, activated one by one in a random order each step.

    In its turn a person who is free moves to a random empty cell in view, decides whether to be active, if so kills a
    random free member of the other group in view, and then with birth_probability has a child of its own group on a
    random empty cell of the eight beside it. An officer moves and arrests a random active person in view, who stays
    jailed for 0 to max_jail_term steps, each whole number equally likely. A person lives 1 to max_age steps, likewise;
    all are of age 0 at the start. Children take turns from the next step on.

    ratio : C/A as it is ("raw"), rounded down ("floor") or to the nearest, halves to even ("round").
    neighbourhood : cells within Euclidean distance vision ("disc"), city-block distance ("diamond"), or within it in
        each direction ("square").
    counted : A is oneself and the other active persons in view, of "everyone" or of one's "own_group".
    jailed : persons in jail leave the grid and return to a random empty cell, once there is one ("off_grid"), or stand
        where they are ("keeps_cell"); they are not killed there.
    children : "inherit" hardship and risk aversion, or "draw" their own.
    ties : a network in place of the grid, whose nodes are places for one each; children are born one tie away.
        Densities are then per node, and rows, columns, neighbourhood and vision_cells are not used.

    Steps are the window's steps and need not be days. Everything random comes from one key drawn from `rng`, by a hash
    of (key, step, person, purpose, k).
    """

    title: ClassVar[str] = "violence between two groups, and officers who keep the peace, on a grid"
    paper: ClassVar[str] = "Epstein (2002), PNAS 99 suppl. 3, 7243-7250, Model II, as recalled"

    citizen_density: float = param("persons/cell", low=0, high=1, default=0.70, doc="persons per cell at the start")
    first_share: float = param("1", low=0, high=1, default=0.5, doc="share of the persons in the first group")
    officer_density: float = param("officers/cell", low=0, high=1, default=0.0, doc="officers per cell")
    vision_cells: float = param("cells", low=0, default=1.7, doc="how far persons and officers see and move")
    legitimacy: float = param(
        "1", low=0, high=1, default=0.9, doc="the right to exist that each group grants the other"
    )
    max_jail_term: float = param("steps", low=0, default=15.0, doc="the longest jail term")
    arrest_constant: float = param(
        "1", low=0, default=2.3, doc="k; 2.3 makes one officer and one active person an arrest probability of 0.9"
    )
    activation_threshold: float = param(
        "1", low=-1, high=1, default=0.1, doc="margin by which grievance must exceed net risk"
    )
    birth_probability: float = param("1/step", low=0, high=1, default=0.05, doc="of a free person, where there is room")
    max_age: float = param("steps", low=1, default=200.0, doc="the longest life")
    rows: int = 40
    columns: int = 40
    ratio: Ratio = "raw"
    neighbourhood: Neighbourhood = "disc"
    counted: Counted = "everyone"
    jailed: Jailed = "off_grid"
    children: Children = "inherit"
    ties: Ties | None = None

    def __post_init__(self) -> None:
        check_sides(self)
        super().__post_init__()
        if self.ties is None:
            check_room(self)
        elif (self.ties.nodes, self.ties.patrol) == ("places", "along_ties"):
            check_places(self)
        else:
            raise ParameterError(
                f"IntergroupViolence.ties has nodes = {self.ties.nodes!r} and patrol = {self.ties.patrol!r}; expected "
                "'places' and 'along_ties'. Persons who are born and die are no nodes, and officers move as they do."
            )
        for name, allowed in CHOICES.items():
            if (given := getattr(self, name)) not in allowed:
                raise ParameterError(
                    f"IntergroupViolence.{name} is {given!r}; expected one of {', '.join(map(repr, allowed))}."
                    + nearest(str(given), allowed)
                )

    @classmethod
    def example(cls) -> tuple[IntergroupViolence, Setting]:
        """Groups that grant each other little, and officers among them, sixty steps."""
        from datetime import date

        return cls(legitimacy=0.8, officer_density=0.04), Setting(Places.single(1184), Window(date(2000, 1, 1), 60))

    def populate(self, *, rng: np.random.Generator) -> Peoples:
        """Everyone before the first step: free, quiet, of age 0, in random cells."""
        return populate(self, rng=rng)

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """One run from a new population; the series of `SERIES`, (1, T), counted at the end of each step or in it.

        A history holds totals, which do not fix who stands where, so `given` is refused: to continue a run, keep its
        `Peoples` and `run` that.
        """
        check_one_place(self, setting, "grid")
        check_no_past(
            self, given, "who stands where",
            "Keep the Peoples that run() returns and run them on.",
        )  # fmt: skip
        done = run(self.populate(rng=rng), setting.window.periods)
        return History(setting.places, setting.window, {name: row[None, :] for name, row in done.series.items()})

    def watch(self, setting: Setting, *, rng: np.random.Generator) -> Watched:
        """The history that `simulate` draws, with pictures of the grid; see `Peoples.frame`."""
        check_one_place(self, setting, "grid")

        def go_on(peoples: Peoples, steps: int) -> tuple[Peoples, Mapping[str, np.ndarray]]:
            done = run(peoples, steps)
            return done.peoples, done.series

        return watch_grid(self.populate(rng=rng), go_on, setting, STATES, self.picture, self.note)


@dataclass(frozen=True, eq=False)
class Peoples:
    """Two groups and the officers after `step` steps under `key`; N rows, in no order that means anything.

    number (N,) : an agent's own, never given twice; `newest` comes next. persons (N, 6) int32 : cell (row * columns +
    column, or node; -1 off the grid), group (0, 1; 2 for officers), active, jail (steps left), age and life (steps).
    traits (N, 2) : hardship and risk aversion, in [0, 1). A scenario is `dataclasses.replace(peoples, model=other)`.
    """

    model: IntergroupViolence
    key: int
    step: int
    newest: int
    number: np.ndarray
    persons: np.ndarray
    traits: np.ndarray

    def frame(self) -> np.ndarray:
        """(rows, columns) uint8 picture: EMPTY, FIRST_QUIET, ... in each cell."""
        from groundswell.models.agents import _intergroup_violence_loops as loops

        rows, columns = self.model.picture
        picture = np.zeros(rows * columns, np.uint8)
        there = self.persons[self.persons[:, loops.CELL] >= 0]
        group, active = there[:, loops.GROUP], there[:, loops.IS_ACTIVE]
        seen = np.where(group == loops.OFFICER, OFFICER, FIRST_QUIET + 2 * group + active)
        picture[there[:, loops.CELL]] = np.where(there[:, loops.JAIL] > 0, JAILED, seen)
        return picture.reshape(rows, columns)

    def save(self, path: Path | str) -> None:
        """Write everyone as an .npz file, whole or not at all."""
        write_moment(
            path,
            FORMAT,
            model=json.dumps(plain(replace(self.model, ties=None))),
            key=np.uint64(self.key),
            step=self.step,
            newest=self.newest,
            **{name: getattr(self, name) for name in _ARRAYS},
            **({} if self.model.ties is None else self.model.ties.held()),
        )

    def with_officers(self, density: float) -> Peoples:
        """The same, with officers added on random empty cells until so many per cell are there: peacekeepers arrive.

        UsageError where there are fewer empty cells, or more officers already.
        """
        from groundswell.models.agents import _intergroup_violence_loops as loops
        from groundswell.models.agents._keyed_loops import keyed_order, step_key

        cells = self.model.cells
        wanted = nearest_whole(density * cells) - int((self.persons[:, loops.GROUP] == loops.OFFICER).sum())
        empty = np.setdiff1d(np.arange(cells), self.persons[:, loops.CELL])
        if not 0 <= wanted <= len(empty):
            raise UsageError(
                f"with_officers({density:g}) asks for {wanted} more officers, and {len(empty)} cells are empty; "
                "expected 0 or more, and no more than there is room for."
            )
        order = keyed_order(np.uint64(step_key(np.uint64(self.key), self.step)), len(empty), loops.PLACE)
        added = np.zeros((wanted, self.persons.shape[1]), np.int32)
        added[:, loops.CELL], added[:, loops.GROUP] = empty[order[:wanted]], loops.OFFICER
        return replace(
            self,
            newest=self.newest + wanted,
            number=np.append(self.number, np.arange(self.newest, self.newest + wanted)),
            persons=np.vstack([self.persons, added]),
            traits=np.vstack([self.traits, np.zeros((wanted, 2))]),
        )


_ARRAYS = ("number", "persons", "traits")


def load(path: Path | str) -> Peoples:
    """Who `Peoples.save` wrote, to `run` on; DataError for any other file, a damaged one or another version."""
    saved = read_moment(path, Peoples, FORMAT)
    try:
        arrays = {name: saved[name] for name in _ARRAYS}
        model = replace(stated(IntergroupViolence, json.loads(str(saved["model"]))), ties=Ties.of(saved))
        return Peoples(model, int(saved["key"]), int(saved["step"]), int(saved["newest"]), **arrays)
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise DataError(f"{path} is no saved peoples: {error} is missing or wrong.") from error


@dataclass(frozen=True, eq=False)
class Run:
    """What happened between two moments.

    peoples : at the end. series : name in `SERIES` -> (T,). frames : (T + 1, rows, columns) uint8, the first before the
    first step, or None; see `Peoples.frame`.
    """

    peoples: Peoples
    series: Mapping[str, np.ndarray]
    frames: np.ndarray | None = None

    @property
    def extinct_at(self) -> int | None:
        """The step, counted from 0, that ended with one group gone; None if both are there."""
        gone = np.flatnonzero((self.series["first"] == 0) | (self.series["second"] == 0))
        return int(gone[0]) if len(gone) else None


def populate(model: IntergroupViolence, *, rng: np.random.Generator) -> Peoples:
    """Everyone before the first step; draws nothing but a 64-bit key from `rng`."""
    from groundswell.models.agents import _intergroup_violence_loops as loops
    from groundswell.models.agents._keyed_loops import keyed_order, step_key, units

    key = hash_key(rng)
    if model.ties is not None:
        model = replace(model, ties=model.ties.drawn(key))
    start, cells = np.uint64(step_key(key, 0)), model.cells
    officers = nearest_whole(model.officer_density * cells)
    citizens = min(nearest_whole(model.citizen_density * cells), cells - officers)
    first, count = nearest_whole(model.first_share * citizens), citizens + officers
    persons = np.zeros((count, 6), np.int32)
    persons[:, loops.CELL] = keyed_order(start, cells, loops.PLACE)[:count]
    persons[first:, loops.GROUP], persons[citizens:, loops.GROUP] = loops.SECOND, loops.OFFICER
    persons[:, loops.LIFE] = 1 + (units(start, count, loops.LIFE_SPAN) * model.max_age).astype(np.int32)
    traits = np.column_stack([units(start, count, purpose) for purpose in (loops.HARDSHIP, loops.RISK_AVERSION)])
    return Peoples(model, int(key), 0, count, np.arange(count), persons, traits)


def run(
    peoples: Peoples,
    steps: int,
    *,
    record: Literal["totals", "frames"] = "totals",
    progress: Callable[[float, str], None] | None = None,
) -> Run:
    """Take `steps` steps; the same peoples go the same way whatever is recorded, and however a run is divided.

    record : the "totals" of each step, or "frames" as well (steps + 1 bytes a cell). Cost some .3 microseconds a person
    and step with vision 1.7; it grows with the cells in view. Ctrl-C stops between blocks of steps.
    """
    from groundswell.models.agents import _intergroup_violence_loops as loops

    check_steps(steps)
    if record not in ("totals", "frames"):
        raise UsageError(f'record is {record!r}; expected "totals" or "frames".')
    model = peoples.model
    block = 1 if record == "frames" else max(1, PERSON_STEPS_AT_ONCE // model.cells)
    around, beside = _views(model)
    if len(peoples.persons) and peoples.persons[:, loops.CELL].max() >= model.cells:
        raise DataError(
            f"Peoples has someone in cell {peoples.persons[:, loops.CELL].max()}, and its model {model.cells} cells; a "
            "scenario may change rules and numbers, not the grid, and have other ties among as many nodes."
        )
    rules, totals = _rules(model), np.zeros((steps, len(SERIES)), np.int64)
    frames = [peoples.frame()] if record == "frames" else []
    for first in range(0, steps, block):
        part = totals[first : first + block]
        persons, traits, number, newest = loops.advance(
            peoples.persons, peoples.traits, peoples.number, peoples.newest, around, beside, rules,
            np.uint64(peoples.key), peoples.step + 1, part,
        )  # fmt: skip
        peoples = replace(
            peoples, step=peoples.step + len(part), newest=newest, number=number, persons=persons, traits=traits
        )
        if record == "frames":
            frames.append(peoples.frame())
        if progress is not None:
            progress(min(1.0, (first + block) / steps), f"step {peoples.step}")
    series = dict(zip(SERIES, totals.T.astype(float), strict=True))
    return Run(peoples, series, np.stack(frames) if frames else None)


def _views(model: IntergroupViolence) -> tuple[np.ndarray, np.ndarray]:
    """What is in view of a cell, and what is beside it, as the loops want it."""
    if model.ties is not None:
        return model.ties.views(), model.ties.beside()
    return around_cell(model.vision_cells, model.neighbourhood), around_cell(1, "square")


def _rules(model: IntergroupViolence) -> Any:
    from groundswell.models.agents import _intergroup_violence_loops as loops

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
