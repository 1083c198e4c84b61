"""Contagion or correlation: do events set off events, or does something move that makes them all likelier?

Both make events cluster. Four candidates are set against each other: a steady background, one that moves at random (a
log-Gaussian Cox process: Møller, Syversveen and Waagepetersen 1998, Scandinavian Journal of Statistics 25, 451-482), a
steady one with triggering, and a moving one with triggering. Each has a prior on everything and so an evidence
(`infer.laplace`); the four, equally likely before, have weights after. Often the record cannot tell.

What moves faster than the background may is taken for contagion, and what triggers over weeks for a background: the
time scales given are part of the question. `how_often` simulates from each candidate and counts the verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import GroundswellError, UsageError
from groundswell.infer.base import Progress, silent
from groundswell.infer.laplace import Evidence, evidence
from groundswell.models.events.self_exciting_parts import Course
from groundswell.params import Effects, names

STEADY, MOVING, TRIGGERED, BOTH = "steady", "moving background", "contagion", "both"
CANDIDATES = (STEADY, MOVING, TRIGGERED, BOTH)
COLUMN = "moving "
"""How the columns of a moving background are called: "moving 1", or "moving 1 in Hub"."""

EXPLAINED = 0.99
"""Of the variance of a moving background: how much its columns make up."""


@dataclass(frozen=True)
class Movement:
    """How the log of a background moves: a stationary Gaussian process over steps.

    scale_days : its correlation over so many days is exp(-1/2) (squared-exponential covariance). own : a course of its
    own for every place, all of one size; else one for all, by which the whole country rises and falls.
    """

    scale_days: float
    own: bool = False

    def columns(self, setting: Setting) -> dict[str, np.ndarray]:
        """Columns (P, T) whose sum, with independent standard normal coefficients, is a draw of sd 1.

        The leading eigenvectors of the covariance matrix over steps, as many as make up 99 % of its variance.
        """
        steps = np.arange(setting.window.periods) * float(setting.window.step)
        covariance = np.exp(-0.5 * ((steps[:, None] - steps) / self.scale_days) ** 2)
        size, shape = np.linalg.eigh(covariance)
        size, shape = size[::-1], shape[:, ::-1]
        count = int(np.searchsorted(np.cumsum(size), EXPLAINED * size.sum())) + 1
        waves = shape[:, :count] * np.sqrt(size[:count])
        waves /= np.sqrt((waves**2).sum(axis=1).mean())
        if not self.own:
            return {f"{COLUMN}{k + 1}": waves[None, :, k] for k in range(count)}
        places = setting.places.name
        return {
            f"{COLUMN}{k + 1} in {name}": np.where(np.arange(len(places))[:, None] == p, waves[:, k], 0.0)
            for p, name in enumerate(places)
            for k in range(count)
        }


@dataclass(frozen=True, eq=False)
class Contagion:
    """What the four candidates are worth.

    table : candidate, log evidence, weight, and the branching ratio at its mode where the model has one.
    moving : scale_days, own, sd, log evidence with and without triggering, one row a movement and size that was tried.
    triggering, movement : probability that events set off events, and that the background moves, given the record.
    """

    table: Table
    moving: Table
    triggering: float
    movement: float
    level: float
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """ "contagion", "no contagion" or "cannot tell", at `level`."""
        if self.triggering >= self.level:
            return "contagion"
        return "no contagion" if self.triggering <= 1 - self.level else "cannot tell"

    def __str__(self) -> str:
        words = (
            f"{self.verdict}: triggering has probability {self.triggering:.3g} and a moving background "
            f"{self.movement:.3g}, the four candidates being equally likely before."
        )
        return "\n".join([str(self.table), words, *self.notes])


def contagion_or_correlation(
    model: Any,
    setting: Setting,
    history: History,
    *,
    without: Mapping[str, float],
    movements: Sequence[Movement] = (Movement(7.0), Movement(21.0)),
    sds: Sequence[float] = (0.25, 0.5, 1.0, 2.0),
    level: float = 0.95,
    fixed: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> Contagion:
    """Weigh contagion against a background that moves.

    model : with the field `course` (SelfExciting) or `endemic` (SpaceTime), and a prior on every parameter; what it
    has besides (weekdays, calls) is in all four candidates. without : names and values that take triggering out, such
    as {"branching_ratio": 0, "delay.decay": 1, "reach.scale_km": 50}: what then means nothing is held somewhere.
    fixed : names and values that all four hold.
    movements, sds : how, and by how much in its log, the background moves; all pairs are equally likely before. sds are
    typical departures: 1 is a factor of e.

    The weights depend on the priors, that of the branching ratio above all: its log-normal of median .4 and sd .5 calls
    values below .1 no contagion. Read `moving` for how they depend on the time scale, and `how_often` for what such
    weights are worth on records like this one. Cost: a search and two Hessians by differences for each pair, twice;
    `own` multiplies the coefficients by the places.
    """
    moving = {movement: _moving(model, setting, movement) for movement in movements}
    kept = {False: {**(fixed or {}), **without}, True: fixed or {}}
    steady, triggered = (evidence(model, setting, history, fixed=kept[triggers]) for triggers in (False, True))
    rows: list[dict[str, Any]] = []
    pairs = list(product(movements, sds))
    found: dict[bool, list[Evidence]] = {False: [], True: []}
    for k, (movement, sd) in enumerate(pairs):
        progress(k / len(pairs), f"a background that moves over {movement.scale_days:g} days")
        wider, columned = moving[movement]
        spread = dict.fromkeys(_random(wider), sd)
        for triggers, modes in found.items():
            start = modes[-1].at if sd != sds[0] else None  # else the columns are others
            modes.append(evidence(wider, columned, history, fixed=kept[triggers], spread=spread, start=start))
        rows.append(
            {
                "scale_days": movement.scale_days,
                "own": movement.own,
                "sd": sd,
                "log evidence": found[False][-1].log_evidence,
                "with triggering": found[True][-1].log_evidence,
            }
        )
    progress(1.0, "done")
    logs = np.array([steady.log_evidence, _mean_of(found[False]), triggered.log_evidence, _mean_of(found[True])])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    modes = [None, None, triggered, max(found[True], key=lambda mode: mode.log_evidence)]
    table = Table(
        {
            "candidate": list(CANDIDATES),
            "log evidence": logs.tolist(),
            "weight": weights.tolist(),
            "branching ratio": [None if mode is None else mode.values.get("branching_ratio") for mode in modes],
        }
    )
    unsure = sum(not mode.converged for mode in (steady, triggered, *found[False], *found[True]))
    notes = [
        "A background that moves faster than the time scales tried is taken for contagion; neither candidate knows of "
        "causes that move from place to place."
    ]
    if unsure:
        notes.append(f"{unsure} of {2 + 2 * len(pairs)} searches for a mode did not converge; their evidence is rough.")
    return Contagion(table, Table.from_rows(rows), float(weights[2:].sum()), float(weights[1::2].sum()), level,
                     tuple(notes))  # fmt: skip


def how_often(
    model: Any,
    setting: Setting,
    *,
    without: Mapping[str, float],
    steady: Mapping[str, float],
    moving: tuple[Movement, float],
    replicates: int,
    rng: np.random.Generator,
    progress: Progress = silent,
    **options: Any,
) -> Table:
    """How often each verdict falls on records drawn from each candidate: the error rates of `contagion_or_correlation`.

    model : at the parameters to simulate triggering with. steady : what those without triggering have instead, such as
    {"background": 2}, so that their records are about as long. moving : how the background moves in truth, and its sd;
    best a scale that is not among those tried. options : passed on. A row a truth: contagion, no contagion, cannot
    tell (shares of its records), mean weight of triggering, mean events; records that explode are left out, and
    counted in the last column.
    """
    movement, sd = moving
    wider, columned = _moving(model, setting, movement)
    bare = {**without, **steady}
    rows = []
    for number, truth in enumerate(CANDIDATES):
        verdicts, weights, events, lost = [], [], [], 0
        for k, child in enumerate(rng.spawn(replicates)):
            progress((number * replicates + k) / (4 * replicates), f"{truth}, record {k + 1}")
            source, where = (wider, columned) if truth in (MOVING, BOTH) else (model, setting)
            drawn = {name: sd * child.normal() for name in _random(source)}
            values = drawn if truth in (TRIGGERED, BOTH) else {**drawn, **bare}
            try:
                history = source.replacing(values).simulate(where, rng=child)
                found = contagion_or_correlation(model, setting, history, without=without, **options)
            except GroundswellError:
                lost += 1
                continue
            verdicts.append(found.verdict)
            weights.append(found.triggering)
            events.append(len(history.events or ()))
        count = max(len(verdicts), 1)
        rows.append(
            {
                "truth": truth,
                **{one: verdicts.count(one) / count for one in ("contagion", "no contagion", "cannot tell")},
                "mean weight": float(np.mean(weights)) if weights else None,
                "mean events": float(np.mean(events)) if events else None,
                "lost": lost,
            }
        )
    return Table.from_rows(rows)


def _mean_of(modes: Sequence[Evidence]) -> float:
    logs = np.array([mode.log_evidence for mode in modes])
    return float(np.logaddexp.reduce(logs) - np.log(len(logs)))


def _random(model: Any) -> list[str]:
    """The names of a movement's coefficients."""
    return [name for name in names(model) if f".effects.{COLUMN}" in name]


def _moving(model: Any, setting: Setting, movement: Movement) -> tuple[Any, Setting]:
    """The model with the columns of a movement in its background, and the setting that has them."""
    columns = movement.columns(setting)
    wider = replace(setting, covariates={**setting.covariates, **columns})
    if hasattr(model, "course"):
        course = model.course or Course()
        effects = Effects({**course.effects, **Effects.zero(*columns)})
        return replace(model, course=replace(course, effects=effects)), wider
    if getattr(model, "endemic", None) is not None:
        effects = Effects({**model.endemic.effects, **Effects.zero(*columns)})
        return replace(model, endemic=replace(model.endemic, effects=effects)), wider
    raise UsageError(
        f"{type(model).__name__} has no background with columns that could move; expected a model with `course` or "
        "`endemic`, such as SelfExciting or SpaceTime."
    )
