"""Were protests called, or did they spread? Six explanations, and how often records like this one mislead.

Calls, a common shock, weekdays, news and contagion all make events cluster in time, so that a small p-value against
"every place for itself" tells none of them from another. Here each explanation (`evaluate.explanations`) is fitted to
the record, and many records of about its size are drawn from each fit, its doubt included. A classifier
(`infer.model_choice`) learns from them which explanation makes which records, by plain measures
(`coordination_measures`): how unequal days are, how much a day is like the one before or like those of its weekday,
whether near places follow each other more than places and days alone would make them. What it says of the records that
it was not taught by is its error rate, and is part of every answer.

Six explanations are not all there are. A cause that moves from region to region passes for spread, an outside event
that sets off all places on one day for a call. `typical` says whether any of the six makes records like this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import DataError, NotConverged, UsageError
from groundswell.evaluate.coordination_measures import Measures
from groundswell.evaluate.explanations import Cells, Explanation, explanation, possible
from groundswell.infer.base import Progress, silent
from groundswell.infer.curvature import downhill
from groundswell.infer.model_choice import held_out, information, reliability, taught, wilson
from groundswell.infer.workers import Workers
from groundswell.params import leaves, replacing
from groundswell.rng import keyed

CANNOT_TELL = "cannot tell"

SIZE = 2.0
"""A simulated record is kept if its events are within this factor of the record's: what is asked is what tells
explanations apart at this size, and not which of them makes so many events."""

TRIES = 20
"""Draws for each record that is wanted, at most."""

TOO_FEW = 50
"""Records of this size below which an explanation is not weighed: neither its error rates nor what its records are like
could be known (with 49, not even one further out than all of them would lie below `UNLIKE`)."""

LEAST = 60
"""Records of each explanation that may be asked for, at the least."""

FEWEST = 30
"""Events after the first day below which nothing is tried."""

RULED_OUT = 0.05
"""Probability below which an explanation is said to be ruled out; how often that is wrong is measured too."""


UNLIKE = 0.02
"""Share of an explanation's own records that lie as far out as the record, below which the record is none of its."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """One explanation fitted: its values at the mode, and a root of the covariance on free coordinates."""

    name: str
    model: Explanation
    free: np.ndarray
    root: np.ndarray
    log_density: float
    converged: bool

    def plausible(self, rng: np.random.Generator) -> Explanation:
        """The explanation at values as plausible as the fit leaves them."""
        at = self.free + self.root @ rng.standard_normal(len(self.free))
        return _placed(self.model, at)

    def rows(self) -> list[dict[str, Any]]:
        """explanation, parameter, unit, value, low, high (90 %), meaning."""
        sd = np.sqrt((self.root**2).sum(axis=1))
        return [
            {"explanation": self.name, "parameter": leaf.name, "value": leaf.from_free(at),
             "low": leaf.from_free(at - 1.645 * one), "high": leaf.from_free(at + 1.645 * one), "unit": leaf.unit,
             "meaning": leaf.doc}
            for leaf, at, one in zip(leaves(self.model), self.free, sd, strict=True)
        ]  # fmt: skip


class Fitting:
    """Fits by name, in one process."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells

    def __call__(self, name: str) -> Fitted:
        """`fitted`."""
        return fitted(explanation(name, self.cells), name, self.cells)


def fitted(model: Explanation, name: str, cells: Cells) -> Fitted:
    """The mode of density times priors, and its curvature there. Cost: a thousand densities or so."""
    from scipy.optimize import minimize

    known = leaves(model)
    center, sd = np.array([leaf.center for leaf in known]), np.array([leaf.sd for leaf in known])

    def loss(y: np.ndarray) -> float:
        # far out in the priors densities may be no numbers; a search is led back by a wall
        value = _placed(model, center + sd * y).log_density(cells) if np.abs(y).max() < 12 else -np.inf
        return 0.5 * float(y @ y) - value if np.isfinite(value) else 1e10

    found = minimize(loss, np.zeros(len(known)), method="L-BFGS-B", options={"ftol": 1e-8, "eps": 1e-5})
    curvature = _hessian(loss, found.x)
    covariance = downhill(curvature)
    # a prior's own sd is the most that is left of any direction
    size, along = np.linalg.eigh(covariance)
    root = sd[:, None] * (along * np.sqrt(np.clip(size, 0, 1)))
    at = center + sd * found.x
    return Fitted(
        name, _placed(model, at), at, root, -loss(found.x) + 0.5 * float(found.x @ found.x), bool(found.success)
    )


def _placed(model: Explanation, at: np.ndarray) -> Explanation:
    return replacing(model, {leaf.name: leaf.from_free(x) for leaf, x in zip(leaves(model), at, strict=True)})


def _hessian(loss: Any, at: np.ndarray, step: float = 0.02) -> np.ndarray:
    """Second derivatives by central differences of values; on coordinates in which priors have sd 1."""
    count, move = len(at), step * np.eye(len(at))
    middle = loss(at)
    alone = np.array([[loss(at + side * move[k]) for side in (1, -1)] for k in range(count)])
    out = np.diag((alone.sum(axis=1) - 2 * middle) / step**2)
    for i in range(count):
        for k in range(i):
            both = loss(at + move[i] + move[k]) + loss(at - move[i] - move[k])
            value = (both - alone[i].sum() - alone[k].sum() + 2 * middle) / (2 * step**2)
            out[i, k] = out[k, i] = value
    return out


class Draws:
    """Measures of one simulated record, in one process."""

    def __init__(self, cells: Cells, fits: Sequence[Fitted]) -> None:
        self.measures, self.fits = Measures(cells), fits

    def __call__(self, kind: int, key: tuple[int, ...]) -> tuple[np.ndarray | None, int]:
        """(measures, tries); None where no try had a size like the record's."""
        cells, fit = self.measures.cells, self.fits[kind]
        rng = keyed(*key)
        target = cells.events[1:].sum()
        for attempt in range(1, TRIES + 1):
            events = fit.plausible(rng).simulate(cells, rng=rng, most=SIZE * target + cells.events[0].sum())
            if events is not None and target / SIZE <= events[1:].sum() <= SIZE * target:
                return self.measures(events), attempt
        return None, TRIES


@dataclass(frozen=True, eq=False)
class Coordination:
    """The answer, with its error rates.

    probability : of each explanation given the record's measures, all equally likely before. verdict : one of them, or
    "cannot tell". leading : the likeliest. left : those not ruled out. confusion : a row an explanation, the shares of
    its records with each verdict. wrong : of the verdicts for `leading` at `level`, how many were of records that
    another explanation made, with its 95 % interval; None where no record got that verdict. missed : how often records
    of an explanation had it ruled out. typical : name -> share of its own records that lie as far out as this one.
    bits : what a record tells, of log2 of their number at most, with its error. kept : share of the draws of every
    explanation fitted that had about this record's size; those that hardly ever had are in `unweighed`, not in `names`.
    """

    names: tuple[str, ...]
    probability: Mapping[str, float]
    level: float
    bound: float
    wrong: tuple[float, float, float] | None
    confusion: Table
    missed: Mapping[str, float]
    reliability: tuple[Mapping[str, float], ...]
    typical: Mapping[str, float]
    bits: tuple[float, float]
    records: Mapping[str, int]
    kept: Mapping[str, float]
    fits: tuple[Fitted, ...]
    measures: Table

    @property
    def leading(self) -> str:
        """The likeliest explanation."""
        return max(self.probability, key=lambda name: self.probability[name])

    @property
    def unweighed(self) -> tuple[str, ...]:
        """Fitted, but nothing is said of them: hardly any of their records have about as many events as this one."""
        return tuple(name for name in self.kept if name not in self.names)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why there is no verdict: "unsure", "often wrong", "unweighed", "unlike"; none where there is one."""
        found = ["unsure"] if self.probability[self.leading] < self.level else []
        if not found and (self.wrong is None or self.wrong[2] > self.bound):
            found.append("often wrong")
        found += ["unweighed"] if self.unweighed else []
        return (*found, *(["unlike"] if self.typical[self.leading] < UNLIKE else []))

    @property
    def verdict(self) -> str:
        """`leading`, or "cannot tell": where it has less than probability `level`, where such verdicts may be wrong
        more often than `bound`, where an explanation could not be weighed against it, or where it makes no records like
        this one, so that all rests on extrapolation.
        """
        return CANNOT_TELL if self.reasons else self.leading

    @property
    def left(self) -> tuple[str, ...]:
        """The explanations that are not ruled out, the likeliest first, those that could not be weighed last.

        Where the likeliest makes no records like this one, probabilities are extrapolated, and an explanation that does
        make such records is not ruled out by them.
        """
        order = sorted(self.names, key=lambda name: -self.probability[name])
        like = [name for name in order if "unlike" in self.reasons and self.typical[name] >= UNLIKE]
        left = (name for name in order if self.probability[name] >= RULED_OUT or name in like)
        return (*left, *self.unweighed)


def coordination(
    cells: Cells, *, records: int = 200, level: float = 0.8, bound: float = 0.1, seed: int = 1, processes: int = 1,
    progress: Progress = silent,
) -> Coordination:  # fmt: skip
    """Which explanation made these counts, and how often such an answer is wrong.

    records : wanted from each fitted explanation, 60 or more. level : probability that a verdict needs. bound : the
    most that the upper end of the 95 % interval of its error rate may be. Without positions there is no "spread", in
    fewer than three weeks no "weekday". The same seed gives the same answer on any number of processes. DataError for
    fewer than 30 events after the first day, or in one place; NotConverged where fewer than two explanations make
    such records.
    Cost: fits of some seconds, then 5 to 50 ms a record for hundreds of places.
    """
    if records < LEAST:
        raise UsageError(f"{records} simulated records of each explanation; error rates need {LEAST} or more.")
    after = int(cells.events[1:].sum())
    if after < FEWEST or cells.events.shape[1] < 2:
        raise DataError(
            f"{after} events after the first day in {cells.events.shape[1]} places; telling calls from spread needs "
            f"{FEWEST} events or more in several places."
        )
    names = possible(cells)
    fits = []
    with Workers((Fitting, (cells,)), processes) as workers:
        progress(0.0, "fitting the explanations")
        for k, fit in enumerate(workers.each([(name,) for name in names]), start=1):
            progress(0.4 * k / len(names), f"fitted {fit.name}")
            fits.append(fit)
    found: list[list[np.ndarray]] = []
    kept: dict[str, float] = {}
    with Workers((Draws, (cells, fits)), processes) as workers:
        for kind, name in enumerate(names):
            mine, tries = [], 0
            for i, (one, tried) in enumerate(workers.each([(kind, (seed, kind, i)) for i in range(records)])):
                progress(0.4 + 0.5 * (kind + i / records) / len(names), f"records of {name}")
                tries += tried
                mine += [] if one is None else [one]
            kept[name] = len(mine) / tries
            found.append(mine)
    weighed = {name: mine for name, mine in zip(names, found, strict=True) if len(mine) >= TOO_FEW}
    if len(weighed) < 2:
        raise NotConverged(
            f"{', '.join(name for name in names if name not in weighed)}: fitted to this record, these hardly ever "
            f"make as many events as it has, within a factor of {SIZE:g}, so that nothing can be told apart. Give a "
            "shorter stretch of days."
        )
    progress(0.92, "telling apart")
    measured = Measures(cells)
    return _told(weighed, fits, measured.names, measured(cells.events), kept, level, bound, seed)


def _told(
    found: Mapping[str, Sequence[np.ndarray]],
    fits: Sequence[Fitted],
    called: Sequence[str],
    observed: np.ndarray,
    kept: Mapping[str, float],
    level: float,
    bound: float,
    seed: int,
) -> Coordination:
    names = tuple(found)
    x = np.array([one for mine in found.values() for one in mine])
    truth = np.repeat(np.arange(len(names)), [len(mine) for mine in found.values()])
    logs, penalty = held_out(x, truth, rng=keyed(seed, 100))
    chances = np.exp(logs)
    probability = np.exp(taught(x, truth, penalty).log_probability(observed[None]))[0]
    leading = int(probability.argmax())
    best, sure = chances.argmax(axis=1), chances.max(axis=1) >= level
    weight = 1.0 / np.bincount(truth)[truth]
    mine = sure & (best == leading)
    wrong = None
    if mine.any():
        share = float(weight[mine & (truth != leading)].sum() / weight[mine].sum())
        # as many such verdicts as there would be, were there no more records of any explanation than of the rarest
        count = float(weight[mine].sum()) * np.bincount(truth).min()
        wrong = (share, *wilson(share, count))
    rows = []
    for kind, name in enumerate(names):
        these = truth == kind
        said = {other: float((sure & (best == k))[these].mean()) for k, other in enumerate(names)}
        rows.append({"truth": name, **said, CANNOT_TELL: float((~sure)[these].mean()), "records": int(these.sum())})
    return Coordination(
        names, {name: float(p) for name, p in zip(names, probability, strict=True)}, level, bound, wrong,
        Table.from_rows(rows),
        {name: float((chances[truth == k, k] < RULED_OUT).mean()) for k, name in enumerate(names)},
        tuple(reliability(logs, truth)),
        {name: _as_far(x[truth == k], observed) for k, name in enumerate(names)},
        information(logs, truth), {name: len(mine) for name, mine in found.items()}, kept, tuple(fits),
        Table.from_rows(
            [
                {"measure": one, "record": float(value)}
                | {name: float(np.median(x[truth == k, i])) for k, name in enumerate(names)}
                for i, (one, value) in enumerate(zip(called, observed, strict=True))
            ]
        ),
    )  # fmt: skip


def _as_far(x: np.ndarray, observed: np.ndarray) -> float:
    """Share of an explanation's own records, this one counted among them, as far from the middle of all as this one.

    The record is in the middle and the spread too: one that the explanation made is then as likely to have any rank.
    """
    every = np.vstack([x, observed])
    apart = every - np.median(every, axis=0)
    spread = np.cov(every.T) + 1e-9 * np.eye(x.shape[1]) * max(1.0, float(every.var()))
    far = np.einsum("ij,jk,ik->i", apart, np.linalg.inv(spread), apart)
    return float((far >= far[-1]).mean())
