"""The main answers of a study of claims as weighted draws, and how far another reading of the claims moves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.models.reporting.claims import label
from groundswell.studies.case import Built
from groundswell.studies.crowds import unanswered

PATHS = {"cities": "cities_so_far", "arrests": "arrests_so_far", "participants": "participants_so_far"}
"""Answers that are the end of a daily path, the last day of the study."""

LEVELS = (0.05, 0.5, 0.95)

HALF = 0.5
"""Added to a count before its log, and taken off again where it is told."""


@dataclass(frozen=True)
class Answers:
    """Values (M,) of every answer, all in logs, and their weights (M,), which sum to 1.

    "cities", "arrests", "participants": by the last day; without those that are `unanswered`. "joining": groups formed
    for each one broken up, over the window of the claim that asks; missing where none does. "STANCE: KIND": by how much
    a side's figures lean.
    """

    values: Mapping[str, np.ndarray]
    weights: np.ndarray

    def told(self, base: Answers | None = None) -> dict[str, dict[str, Any]]:
        """Each answer: quantiles in natural units, P(above 1), mean and sd of the log, Monte Carlo sd of that mean.

        base : the same draws under other weights; adds `shift` of the mean from there and its Monte Carlo sd `error`,
        both in posterior sds of the base. Most noise of the two is shared, and taken out.
        """
        rows: dict[str, dict[str, Any]] = {}
        for name, values in self.values.items():
            apart = self._apart(name)
            found = np.quantile(values, LEVELS, weights=self.weights, method="inverted_cdf")
            rows[name] = {
                "quantiles": [float(v) for v in np.exp(found) - (HALF if name in PATHS else 0.0)],
                "above": float(self.weights[values > 0].sum()),
                "mean": self.mean(name),
                "sd": self.sd(name),
                "mean_error": float(np.sqrt((apart**2).sum())),
            }
            if base is not None:
                noise = float(np.sqrt(((apart - base._apart(name)) ** 2).sum()))
                rows[name] |= _shift(self.mean(name) - base.mean(name), noise, base.sd(name))
        return rows

    def mean(self, name: str) -> float:
        """The mean of the log."""
        return float(self.weights @ self.values[name])

    def sd(self, name: str) -> float:
        """The standard deviation of the log."""
        return float(np.sqrt(self.weights @ (self.values[name] - self.mean(name)) ** 2))

    def _apart(self, name: str) -> np.ndarray:
        return self.weights * (self.values[name] - self.mean(name))


def shifted(told: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Answers told by another fit, with shift and error from those told by the first, as in `Answers.told`."""
    rows = {}
    for name, row in told.items():
        rows[name] = dict(row)
        if name in base:
            first = base[name]
            noise = float(np.hypot(row["mean_error"], first["mean_error"]))
            rows[name] |= _shift(row["mean"] - first["mean"], noise, first["sd"])
    return rows


def _shift(apart: float, noise: float, sd: float) -> dict[str, float]:
    return {"shift": apart / max(sd, 1e-12), "error": noise / max(sd, 1e-12)}


def answers_of(
    built: Built, posterior: Sequence[Mapping[str, Any]], effects: Mapping[str, np.ndarray], weights: np.ndarray
) -> Answers:
    """From draws (M,) with their histories, and the leans and speakers' effects beside them, (M,) each by name.

    posterior : histories reduced by `studies.replay`, with the quantities of all weighed claims.
    """
    told = [name for name in PATHS if name not in unanswered(built)]
    values = {name: np.log([draw[PATHS[name]][-1] + HALF for draw in posterior]) for name in told}
    if (at := asked_group(built)) is not None:
        values["joining"] = np.log([draw["hidden"][at] for draw in posterior])
    values |= {f"{stance}: {kind}": row for (stance, kind), row in leans(built, effects, len(weights)).items()}
    return Answers({name: row for name, row in values.items() if np.isfinite(row).all()}, weights)


def leans(built: Built, effects: Mapping[str, np.ndarray], count: int) -> dict[tuple[str, str], np.ndarray]:
    """(stance, kind) to (count,), by how much its figures lie above what happened, in logs.

    effects : by name, "bias.STANCE" and "bias_by_kind.STANCE:KIND"; what the case holds fixed need not be there.
    """
    reporting, found = built.account.reporting, {}
    for stance, kind, direction in lean_cells(built):
        cell = f"{stance}:{kind}"
        own = effects.get(f"bias.{stance}", np.full(count, reporting.bias[stance]))
        more = effects.get(f"bias_by_kind.{cell}", np.full(count, reporting.bias_by_kind[cell]))
        found[stance, kind] = direction * (own + more)
    return found


def asked_group(built: Built) -> int | None:
    """Which group of the weighed claims asks for groups formed per group broken up; None if no claim does."""
    groups = built.account.reporting.prepare(built.claims.weighed)
    return next((i for i, group in enumerate(groups) if group.quantity.name == "joins_per_arrest"), None)


def lean_cells(built: Built) -> list[tuple[str, str, int]]:
    """Every stance that leans with each class of quantity that it speaks of, and which way that class's figures lean.

    A class may hold quantities that one side gains by enlarging and others that it does not (teams arrested, joins
    per arrest): the direction is that of most of the side's own claims, the opposition's where they are as many.
    """
    directions: dict[tuple[str, str], int] = {}
    for group in built.account.reporting.prepare(built.claims.weighed):
        for claim in group.claims:
            cell = label(claim.stance), group.quantity.kind
            directions[cell] = directions.get(cell, 0) + group.quantity.direction
    cells = [name.rpartition(":")[::2] for name in built.account.reporting.bias_by_kind]
    return [(stance, kind, 1 if directions[stance, kind] >= 0 else -1) for stance, kind in cells]
