"""A fit of the city level told of persons: the same events given the claims, and to how many persons they happened.

Every draw of the fit has its parameters and a history given the claims. Its events, arrests, participants and
warnings happen again to persons (`Recruitment`, `given`), whose parts (ties, jail, staying away) the city level does
not have. A draw then weighs by how much more or less likely its events are where persons are missing:

    product over place-days after the first of NB(Y | mu - what the missing would have done) / NB(Y | mu)

with mu the city level's expectation. That is importance sampling of the account of persons by that of cities: as long
as few are missing, the weights are nearly equal, and both say the same of what both can speak of. Left out of the
weight: persons who are at another event of the day, and that groups grow a little slower; claims on groups are weighed
on the city level's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.infer.base import Fit
from groundswell.infer.tempered import effective, replay_key
from groundswell.infer.workers import Workers
from groundswell.models.agents.recruitment import Jail, Recruitment, SpecificDeterrence, Ties
from groundswell.models.agents.recruitment_days import Days, Past
from groundswell.models.agents.society import ARRESTED, TOOK_PART
from groundswell.models.cities.mobilisation import Mobilisation
from groundswell.rng import keyed
from groundswell.studies.case import Built
from groundswell.studies.replay import Replay

LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Parts:
    """What persons have beyond the city level; the ties are many enough for groups of any size that is drawn."""

    ties: Ties | None = field(default_factory=lambda: Ties(number=30))
    jail: Jail | None = field(default_factory=Jail)
    specific_deterrence: SpecificDeterrence | None = field(default_factory=SpecificDeterrence)

    def join(self, process: Mobilisation) -> Recruitment:
        """The model of persons with the parameters of a model of cities, groups of at least one person."""
        shared = {part.name: getattr(process, part.name) for part in fields(Mobilisation)}
        if process.groups is not None and process.groups.members < 1:
            shared["groups"] = replace(process.groups, members=1.0)
        return Recruitment(**shared, ties=self.ties, jail=self.jail, specific_deterrence=self.specific_deterrence)


@dataclass(frozen=True, eq=False)
class Retold:
    """One history told of persons. log_weight : of its events where persons are missing, over that of the city level.

    took_part, arrested, jailed : persons, each counted once; arrested with groups too; jailed on the last day.
    largest_share : of a city's persons who took part, in the city where it is largest.
    """

    log_weight: float
    took_part: int
    arrested: int
    jailed: int
    largest_share: float


def retold(model: Recruitment, setting: Setting, history: History, *, rng: np.random.Generator) -> Retold:
    """A history of the city level, with its series groups, told of persons. Cost: a look at every person a day."""
    setting = replace(setting, later_edges=())
    days = Days(model.populate(setting, rng=rng), 1, Past.of(model, setting, history))
    log_weight, groups = 0.0, history.series.get("groups", np.zeros(setting.shape))
    for day in range(history.window.periods):
        if day > 0:
            alone, by_group = days.expected(day)
            persons, seats = days.missing(day)
            together = by_group * groups[:, day]
            expected = alone + together
            fewer = expected - alone * persons - together * seats
            log_weight += _log_ratio(history["events"][:, day], fewer, expected, model.overdispersion)
        days.make(day)
    part = np.flatnonzero(days.persons & TOOK_PART)
    inside = np.bincount(np.searchsorted(days.first, part, side="right") - 1, minlength=len(setting.places))
    shares = inside / np.diff(days.first)
    return Retold(
        log_weight, len(part), int((days.persons & ARRESTED > 0).sum()), len(days.jailed), float(shares.max())
    )


class Retelling:
    """Draws of a fit retold; built once in every process. drawn : what `Replay` is made of."""

    def __init__(self, drawn: tuple[Any, ...], parts: Parts) -> None:
        self.replay, self.parts = Replay(*drawn), parts

    def __call__(self, z: np.ndarray, key: tuple[int, ...], own: tuple[int, ...]) -> tuple[Retold, dict[str, float]]:
        """A draw's history, by the filter run of its `key`, told of persons; and the city level's counts."""
        account, history = self.replay.drawn(z, key)
        assert isinstance(account.process, Mobilisation)
        told = retold(self.parts.join(account.process), self.replay.setting, history, rng=keyed(*own))
        return told, {name: float(history[name].sum()) for name in ("participants", "arrests")}


def told_of_persons(
    built: Built, found: Fit, draws: int, *, seed: int, processes: int = 1, parts: Parts | None = None
) -> dict[str, Any]:
    """Two accounts of one case: rows of quantities under cities and under persons, and of parameters that moved.

    found : a TemperedSMC fit of the case; so many of its draws are retold. "effective" : how many the weights are
    worth. Quantiles are those at 5, 50 and 95 %.
    """
    parts, details = parts or Parts(), found.details
    picked = np.linspace(0, len(details["free"]) - 1, min(draws, len(details["free"]))).astype(int)
    drawn = (
        built.account, built.setting, built.observed(), found.method.filter, details["leaves"], details["integrated"],
    )  # fmt: skip
    tasks = [(details["free"][i], replay_key(details["root"], details["seeds"][i]), (seed, 9, int(i))) for i in picked]
    with Workers((Retelling, (drawn, parts)), processes) as workers:
        told, series = zip(*workers.map(tasks), strict=True)
    log_weight = np.array([one.log_weight for one in told])
    weights = np.exp(log_weight - log_weight.max())
    weights /= weights.sum()
    free = details["free"][picked]
    moved = (weights @ free - free.mean(axis=0)) / np.maximum(details["free"].std(axis=0), 1e-12)
    far = int(np.abs(moved).argmax())
    return {
        "draws": len(told),
        "effective": effective(log_weight),
        "rows": _rows(told, series, weights),
        "moved_most": {"parameter": details["leaves"][far].name, "sds": float(moved[far])},
    }


def _rows(told: Sequence[Retold], series: Sequence[Mapping[str, float]], weights: np.ndarray) -> list[dict[str, Any]]:
    """Quantiles of what happened: of the city level's counts, and of the persons behind them."""
    even = np.full(len(told), 1 / len(told))
    columns = {
        "participations": ([one["participants"] for one in series], True),
        "persons who took part": ([one.took_part for one in told], False),
        "arrests": ([one["arrests"] for one in series], True),
        "persons arrested": ([one.arrested for one in told], False),
        "persons in jail on the last day": ([one.jailed for one in told], False),
        "largest share of a city that took part": ([one.largest_share for one in told], False),
    }
    return [
        {
            "quantity": name,
            "cities": _quantiles(np.array(values), even) if both else None,
            "persons": _quantiles(np.array(values), weights),
        }
        for name, (values, both) in columns.items()
    ]


def _quantiles(values: np.ndarray, weights: np.ndarray) -> list[float]:
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    return [float(values[order][min(int((below < level).sum()), len(values) - 1)]) for level in LEVELS]


def _log_ratio(events: np.ndarray, fewer: np.ndarray, expected: np.ndarray, psi: float) -> float:
    """Sum over places of log NB(Y | fewer) - log NB(Y | expected); Poisson at psi 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(events > 0, events * (np.log(fewer) - np.log(expected)), 0.0)
    if psi < 1e-9:
        return float((logs - fewer + expected).sum())
    return float((logs - (events + 1 / psi) * (np.log1p(psi * fewer) - np.log1p(psi * expected))).sum())
