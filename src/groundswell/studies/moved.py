"""What the claims moved: every parameter and every side's lean, before them and after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from groundswell.infer.base import Fit
from groundswell.params import Leaf, leaves
from groundswell.studies.answers import lean_cells, leans
from groundswell.studies.case import Built


def parameter_rows(found: Fit, built: Built) -> list[dict[str, Any]]:
    """Prior and posterior of every free parameter, in natural units.

    declared : the prior from which the study moved this one, None where it did not, three times None where there was
    none. prior_sd, declared_sd : on the free coordinate.
    """
    assert found.draws is not None
    rows = []
    declared = {leaf.name: leaf for leaf in leaves(built.account.as_declared())}
    for leaf, column in zip(found.details["leaves"], found.draws.T, strict=True):
        before = declared[leaf.name] if leaf.prior != declared[leaf.name].prior else None
        free = np.array([leaf.to_free(v) for v in column])
        rows.append(
            {
                "parameter": leaf.name,
                "unit": leaf.unit,
                "doc": leaf.doc,
                "prior": _interval(leaf),
                "prior_sd": leaf.sd,
                "declared": None if before is None else _interval(before),
                "declared_sd": None if before is None or before.prior is None else before.sd,
                "posterior": [float(v) for v in np.quantile(column, (0.05, 0.5, 0.95))],
                "sd_ratio": float(free.std(ddof=1) / leaf.sd),
                "shift": float((free.mean() - leaf.center) / leaf.sd),
            }
        )
    return rows


def _interval(leaf: Leaf) -> list[float | None]:
    """The 5 %, 50 % and 95 % points of a parameter's prior."""
    if leaf.prior is None:
        return [None, None, None]
    return [
        leaf.from_free(leaf.center - 1.645 * leaf.sd),
        leaf.prior.median,
        leaf.from_free(leaf.center + 1.645 * leaf.sd),
    ]


def own_priors(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The priors that the study states itself, from what they were moved and to what."""
    names = ("parameter", "unit", "declared", "declared_sd", "prior", "prior_sd")
    return [{name: row[name] for name in names} for row in result["parameters"] if row["declared"] is not None]


def lean_rows(found: Fit, built: Built) -> list[dict[str, Any]]:
    """By how much each stance's figures lean, by class of quantity: factors on what happened."""
    assert found.draws is not None
    effects = {name.removeprefix("reporting."): row for name, row in zip(found.names, found.draws.T, strict=True)}
    learnt = {leaf.name.removeprefix("reporting."): leaf for leaf in found.details["leaves"]}
    directions = {(stance, kind): direction for stance, kind, direction in lean_cells(built)}
    rows = []
    for (stance, kind), draws in leans(built, effects, len(found.draws)).items():
        parts = [learnt.get(name) for name in (f"bias.{stance}", f"bias_by_kind.{stance}:{kind}")]
        held = built.account.reporting
        values = (held.bias[stance], held.bias_by_kind[f"{stance}:{kind}"])
        middle = sum(value if leaf is None else leaf.center for leaf, value in zip(parts, values, strict=True))
        middle *= directions[stance, kind]
        sd = math.hypot(*(0.0 if leaf is None else leaf.sd for leaf in parts))
        rows.append(
            {
                "stance": stance,
                "kind": kind,
                "factor": [float(v) for v in np.exp(np.quantile(draws, (0.05, 0.25, 0.5, 0.75, 0.95)))],
                "prior": [float(np.exp(middle + z * sd)) for z in (-1.645, 0.0, 1.645)],
                "above": float((draws > 0).mean()),
            }
        )
    return rows
