"""The main answers of a study of claims as weighted draws, and how far another reading of the claims moves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.quantities import QUANTITIES
from groundswell.models.reporting.claims import label
from groundswell.studies.case import Built

KINDS = tuple(dict.fromkeys(quantity.kind for quantity in QUANTITIES.values()))
"""Classes of quantities, in the order in which a report asks for them."""

MOST = 5
"""Windows of one class that become answers."""

LEVELS = (0.05, 0.5, 0.95)

HALF = 0.5
"""Added to a count before its log, and taken off again where it is told."""


@dataclass(frozen=True)
class Answers:
    """Values (M,) of every answer, all in logs, and their weights (M,), which sum to 1.

    Counts of the windows that claims ask for (`asked_windows`), and no others. "joining": groups formed for each one
    broken up, over the window of the claim that asks. "STANCE: KIND": by how much a side's figures lean.
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
                "quantiles": [float(v) for v in np.exp(found) - (HALF if is_count(name) else 0.0)],
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
    hidden = np.array([draw["hidden"] for draw in posterior], dtype=float)
    values = {
        name: np.log(hidden[:, at] + (HALF if is_count(name) else 0.0)) for name, at in asked_windows(built).items()
    }
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


def lean_of(name: str) -> tuple[str, str] | None:
    """Stance and class of quantity of an answer that is a lean; None for one about what happened."""
    stance, colon, kind = name.rpartition(": ")
    return (stance, kind) if colon and kind in KINDS else None


def is_count(name: str) -> bool:
    """Whether an answer is a number of persons, places, events or groups."""
    return name != "joining" and lean_of(name) is None


def asked_windows(built: Built) -> dict[str, int]:
    """Name to the group of weighed claims whose quantity is an answer, class by class.

    Of each class the quantity that most claims speak of, in those of their places and days that lie in no other's; at
    most MOST, the first those of which most was said. Where there is one, it is called by its class, else by quantity,
    place and days. Of organised groups only "joining", where it is asked for.
    """
    groups = built.account.reporting.prepare(built.claims.weighed)
    found, joins = {}, asked_group(built)
    for kind in KINDS:
        if kind == "groups" and joins is not None:
            found["joining"] = joins
            continue
        mine = [(i, group) for i, group in enumerate(groups) if group.quantity.kind == kind]
        said = Counter(group.quantity.name for _, group in mine for _ in (*group.claims, *group.repeats))
        if not said:
            continue
        name = min(said, key=lambda name: (-said[name], name))
        windows: dict[tuple, list[int]] = {}
        for i, group in mine:
            if group.quantity.name == name:
                windows.setdefault((group.place, group.start, group.end), []).append(i)
        places = {key: frozenset(built.setting.places.covered_by(key[0]).tolist()) for key in windows}
        widest = [key for key in windows if not any(_inside(key, other, places) for other in windows)]
        heard = {key: sum(len(groups[i].claims) + len(groups[i].repeats) for i in windows[key]) for key in widest}
        chosen = sorted(widest, key=lambda key: (-heard[key], -max(groups[i].claims[0].value for i in windows[key])))
        for key in sorted(chosen[:MOST], key=lambda key: (key[1], key[2], key[0])):
            days = str(key[1]) if key[1] == key[2] else f"{key[1]} to {key[2]}"
            found[kind if len(widest) == 1 else f"{name}, {key[0]}, {days}"] = windows[key][0]
    return found


def _inside(one: tuple, other: tuple, places: Mapping[tuple, frozenset[int]]) -> bool:
    """Whether a place and its days lie in those of another; of two names for the same the first stays."""
    if one == other or not (places[one] <= places[other] and other[1] <= one[1] and one[2] <= other[2]):
        return False
    return places[one] != places[other] or one[1:] != other[1:] or other < one


def asked_rows(built: Built) -> dict[str, dict[str, str]]:
    """Quantity, place and days of each answer about what happened, by its name."""
    groups = built.account.reporting.prepare(built.claims.weighed)
    return {
        name: {
            "quantity": groups[at].quantity.name, "place": groups[at].place, "start": groups[at].start.isoformat(),
            "end": groups[at].end.isoformat(),
        }
        for name, at in asked_windows(built).items()
    }  # fmt: skip


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
