"""ABC: parameters whose simulations look like what was observed, found in rounds, and checked on made-up data.

Rounds of simulations go from the prior towards the parameters whose summaries are near those observed: a population
Monte Carlo (Beaumont, Cornuet, Marin and Robert 2009) whose proposals are normals around the parameters accepted so
far, with twice their covariance. All simulations are kept and weighed as one sample (`infer.importance`), so the
tolerance needs no schedule: it is where the nearest are worth as many draws as are wanted, and falls as simulations
come in. Summaries are scaled by how much they vary where the last round looked (Prangle 2017). What remains of the
distance is taken out by regression (`infer.adjustment`).

Since every simulation is kept, the whole procedure can be tried on each of them as if it were observed (Prangle, Blum,
Popovic and Sisson 2014), at no further simulation. A fit does so, and says what came out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np

from groundswell.data.summaries import Summaries
from groundswell.errors import DataError, UsageError
from groundswell.infer._particle_loops import systematic
from groundswell.infer.adjustment import Adjustment, Line, adjusted
from groundswell.infer.base import Fit, Progress
from groundswell.infer.coverage import coverage, rank
from groundswell.infer.importance import Cloud, Normal, Proposal, log_mixture, shares
from groundswell.infer.simulated import Problem, Simulator, failures_in_words
from groundswell.infer.windows import Observed, Settings
from groundswell.infer.workers import Workers
from groundswell.params import Prior
from groundswell.rng import keyed

WIDER = 2.0
"""Covariance of a proposal's normals, in those of the accepted (Beaumont et al. 2009)."""
CENTRES = 300
"""Normals of a proposal."""
NEAREST = 0.25
"""No more than this share of the simulations is accepted, however many draws are wanted."""
LEAST = 100
"""Simulations of a pilot, at least."""
MAD = 1.4826
"""Standard deviation of a normal in median absolute deviations."""


@dataclass(frozen=True)
class ABC:
    """Draws from the posterior given summaries, by simulation alone.

    summaries : what is compared; None for those that the model states, else the usual ones (`data.summaries`).
    priors : by dotted name, for parameters whose declaration has none or another. simulations : in all, `round` at a
    time. effective : draws that the accepted must be worth. draws : handed out, of equal weight. adjustment : "linear",
    "heteroscedastic" or "none". pilot : simulations, beside the others, from which each parameter is regressed on the
    summaries; its estimate takes their place (Fearnhead and Prangle 2012). 0 compares the summaries as they are.
    checks : made-up data sets on which the intervals are tried. processes : how many work at once; the result is the
    same for any number.
    """

    summaries: Summaries | None = None
    priors: Mapping[str, Prior] = field(default_factory=dict)
    simulations: int = 10_000
    round: int = 1_000
    effective: float = 500.0
    draws: int = 1_000
    adjustment: Adjustment = "linear"
    pilot: int = 0
    checks: int = 200
    processes: int = 1

    def __post_init__(self) -> None:
        if min(self.round, self.effective, self.draws) < 20 or self.simulations < self.round or self.processes < 1:
            raise UsageError(
                f"{self} cannot run: 20 or more simulations a round, effective draws and draws are needed, a round or "
                "more of simulations, and 1 process or more."
            )
        if self.pilot and self.pilot < LEAST:
            raise UsageError(
                f"{self} cannot run: a pilot of {self.pilot} simulations is too small to regress parameters on "
                f"summaries; expected {LEAST} or more, some ten for each summary, or 0 for none."
            )
        if self.checks < 0 or self.adjustment not in get_args(Adjustment):
            raise UsageError(
                f"{self} cannot run: 0 or more checks, and adjustment {' or '.join(get_args(Adjustment))}."
            )

    def fit(
        self, model: Any, setting: Settings, observed: Observed, *, rng: np.random.Generator,
        fixed: Mapping[str, float], progress: Progress,
    ) -> Fit:  # fmt: skip
        """The posterior as draws; log_density is the log probability of summaries as near as those accepted.

        That is relative to the summaries, their scales and the tolerance: it compares nothing but parameters.

        details : "tolerance", in scaled units; "scale" (S,) of the summaries; "effective"; "accepted"; "tried" (M, F),
        every parameter value simulated, on coordinates in which the prior is standard normal, with its "values" (M, S)
        and "weight" (M,); "ranks" (C, F) of the known parameters of the made-up data; "stages", a row a round. After a
        pilot also "candidates", the names of the summaries, and "line", the regression on them.
        """
        problem = Problem.stated("ABC", model, setting, observed, self.summaries, self.priors, fixed)
        root = int(rng.integers(0, 2**63))
        share = self.pilot / (self.pilot + self.simulations)
        regression: dict[str, Any] = {}
        missed: tuple[str, ...] = ()
        if self.pilot:
            regression["candidates"] = problem.names
            problem, missed = self._regressed(problem, root, _scaled(progress, 0.0, share))
            regression["line"] = problem.line
        with Workers((Simulator, (problem,)), self.processes) as workers:
            table, stages, reasons = self._simulated(problem, workers, root, _scaled(progress, share, 1.0))
        near = table.near(problem.observed, self._wanted(len(table.y)))
        y = adjusted(table.y[near.rows], table.values[near.rows], problem.observed, near.weights, self.adjustment)
        ranks = self._ranks(table, near, keyed(root, 3))
        tried = coverage(ranks, [leaf.name for leaf in problem.learnt])
        notes, reached = self._doubts(problem, table, near)
        picked = systematic(near.weights, keyed(root, 2).random(), self.draws)
        return problem.fit(
            self, y, near.weights, picked,
            log_density=near.log_mass,
            status=f"{len(table.y):,} simulations, {len(near.rows):,} accepted within {near.tolerance:.3g}, worth "
            f"{near.effective:.0f} draws" + f", after a pilot of {self.pilot:,}" * bool(self.pilot),
            converged=reached and not missed and (tried.good or not self.checks),
            notes=(*missed, *notes, *(tried.notes if self.checks else ()), *failures_in_words(reasons)),
            columns={"inside 90 %": tried.inside} if self.checks else {},
            details={
                **regression, "tolerance": near.tolerance, "scale": table.scale, "effective": near.effective,
                "accepted": len(near.rows), "tried": table.y, "values": table.values,
                "weight": shares(table.log_weight), "ranks": ranks, "stages": stages,
            },
        )  # fmt: skip

    def _wanted(self, simulations: int) -> float:
        return min(self.effective, NEAREST * simulations)

    def _regressed(self, problem: Problem, root: int, progress: Progress) -> tuple[Problem, tuple[str, ...]]:
        """The problem with a regression of each parameter on the summaries in their place; what is out of reach.

        The pilot's own simulations are not used again: on those the regression looks better than it is.
        """
        pilot = replace(self, simulations=self.pilot, round=min(self.round, self.pilot))
        with Workers((Simulator, (problem,)), self.processes) as workers:
            table, _, _ = pilot._simulated(problem, workers, int(keyed(root, 5).integers(0, 2**63)), progress)
        whole = np.isfinite(table.values).all(axis=1)
        line = Line.through(table.y[whole], table.values[whole], np.full(whole.sum(), 1 / whole.sum()))
        return problem.along(line), _beyond(problem, table.values[whole], "of the pilot")

    def _simulated(
        self, problem: Problem, workers: Workers, root: int, progress: Progress
    ) -> tuple[_Table, list[dict[str, float]], list[str]]:
        """Every simulation, weighed; a row of figures a round; and why simulations failed, "" where they did not."""
        width = len(problem.learnt)
        proposal: Proposal = Normal(np.zeros(width), np.eye(width))
        prior, proposals, sizes = proposal, [], []
        y, values = np.empty((0, width)), np.empty((0, len(problem.names)))
        mixture, reasons, stages = np.empty(0), [], []
        while True:
            size = min(self.round, self.simulations - len(y))
            tried = proposal.draw(size, keyed(root, 0, len(sizes)))
            found = np.empty((size, len(problem.names)))
            tasks = [(row, (root, 1, len(sizes), i)) for i, row in enumerate(tried)]
            for i, (numbers, why) in enumerate(workers.each(tasks)):
                found[i] = numbers
                reasons.append(why)
                progress((len(y) + i) / self.simulations, f"{len(y) + i:,} simulations")
            proposals.append(proposal)
            sizes.append(size)
            mixture = np.logaddexp(mixture, proposal.log_density(y) + math.log(size))
            mixture = np.concatenate([mixture, log_mixture(proposals, sizes, tried)])
            y, values = np.concatenate([y, tried]), np.concatenate([values, found])
            log_weight = prior.log_density(y) - mixture + math.log(len(y))
            table = _Table(y, values, log_weight, scales(found, values))
            if not np.isfinite(values).all(axis=1).any():
                raise DataError(
                    f"none of {len(y)} simulations from the prior has all the summaries, {', '.join(problem.names)}: "
                    f"{next((why for why in reasons if why), 'a number is missing in each')}."
                )
            near = table.near(problem.observed, self._wanted(len(y)))
            stages.append({"simulations": len(y), "tolerance": near.tolerance, "effective": near.effective})
            if len(y) >= self.simulations or (near.tolerance == 0 and near.effective >= self.effective):
                return table, stages, reasons
            proposal = table.proposal(near, keyed(root, 4, len(sizes)))

    def _ranks(self, table: _Table, near: _Near, rng: np.random.Generator) -> np.ndarray:
        """(C, F) of the parameters of accepted simulations among the posteriors that this very table gives of them."""
        if not self.checks:
            return np.empty((0, table.y.shape[1]))
        known = np.unique(systematic(near.weights, rng.random(), self.checks))
        ranks = []
        for row in near.rows[known]:
            others = table.without(row)
            found = others.near(table.values[row], self._wanted(len(others.y)))
            y, values = others.y[found.rows], others.values[found.rows]
            ranks.append(
                rank(
                    table.y[row], adjusted(y, values, table.values[row], found.weights, self.adjustment), found.weights
                )
            )
        return np.array(ranks)

    def _doubts(self, problem: Problem, table: _Table, near: _Near) -> tuple[tuple[str, ...], bool]:
        """What is wrong with the accepted, in sentences, and whether nothing is."""
        notes = []
        if near.effective < self.effective:
            notes.append(
                f"the accepted are worth {near.effective:.0f} draws, fewer than {self.effective:g}: raise "
                "`simulations`."
            )
        notes += _beyond(problem, table.values[near.rows], "accepted")
        return tuple(notes), not notes


@dataclass(frozen=True, eq=False)
class _Near:
    """The rows of a table nearest to a target, with weights (N,) that sum to 1 and fall to 0 at the tolerance."""

    rows: np.ndarray
    weights: np.ndarray
    tolerance: float
    effective: float
    log_mass: float


@dataclass(frozen=True, eq=False)
class _Table:
    """M simulations: parameters y (M, F), summaries (M, S), log of prior over mixture (M,), and the scales (S,)."""

    y: np.ndarray
    values: np.ndarray
    log_weight: np.ndarray
    scale: np.ndarray

    def near(self, target: np.ndarray, wanted: float) -> _Near:
        """The nearest that are worth `wanted` draws under Epanechnikov's kernel; all there are if that is fewer."""
        apart = np.sqrt((((self.values - target) / self.scale) ** 2).sum(axis=1))
        apart[np.isnan(apart)] = np.inf
        order = np.argsort(apart, kind="stable")
        order = order[np.isfinite(apart[order])]
        distance, log_weight = apart[order], self.log_weight[order]
        weight = np.exp(log_weight - log_weight.max())

        def kernel(tolerance: float) -> np.ndarray:
            inside = distance[: np.searchsorted(distance, tolerance, side="right")]
            return np.where(inside == 0, 1.0, 1 - (inside / max(tolerance, 1e-300)) ** 2) * weight[: len(inside)]

        def worth(tolerance: float) -> float:
            found = kernel(tolerance)
            return float(found.sum() ** 2 / (found**2).sum()) if found.any() else 0.0

        low, high = 0, len(distance) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if worth(distance[middle]) >= wanted else (middle + 1, high)
        tolerance = float(distance[low])
        found = kernel(tolerance)
        kept = np.flatnonzero(found)
        total = float(found.sum())
        log_mass = math.log(total) + float(log_weight.max()) - math.log(len(self.y))
        return _Near(order[kept], found[kept] / total, tolerance, worth(tolerance), log_mass)

    def without(self, row: int) -> _Table:
        """The other simulations."""
        kept = np.arange(len(self.y)) != row
        return replace(self, y=self.y[kept], values=self.values[kept], log_weight=self.log_weight[kept])

    def proposal(self, near: _Near, rng: np.random.Generator) -> Cloud:
        """Normals around some of the accepted, drawn by their weights."""
        y = self.y[near.rows]
        centred = y - near.weights @ y
        covariance = WIDER * (centred * near.weights[:, None]).T @ centred + 1e-10 * np.eye(y.shape[1])
        return Cloud(y[systematic(near.weights, rng.random(), CENTRES)], np.linalg.cholesky(covariance))


def _beyond(problem: Problem, values: np.ndarray, which: str) -> tuple[str, ...]:
    """A sentence for each observed summary that lies beyond those of all these simulations (N, S)."""
    ends = zip(problem.names, problem.observed, values.min(axis=0), values.max(axis=0), strict=True)
    return tuple(
        f"the model hardly reaches what was observed: {name} is {seen:.4g}, in all {len(values):,} simulations {which} "
        f"{low:.4g} to {high:.4g}. Leave the summary out, widen the priors, or change the model."
        for name, seen, low, high in ends
        if not low <= seen <= high
    )


def _scaled(progress: Progress, low: float, high: float) -> Progress:
    """Progress of a part of the work, from one share of the whole to another."""
    return lambda done, words: progress(low + (high - low) * done, words)


def scales(newest: np.ndarray, every: np.ndarray) -> np.ndarray:
    """(S,) by how much each summary varies among the newest simulations (N, S), by the median absolute deviation.

    Where more than half of those agree, their standard deviation; where all do, that of every simulation so far; and
    infinity for what never varies, which no distance can tell anything of.
    """
    out = np.full(newest.shape[1], np.inf)
    for k in range(len(out)):
        for column in (newest[:, k], every[:, k]):
            known = column[np.isfinite(column)]
            if not known.size:
                continue
            spread = MAD * float(np.median(np.abs(known - np.median(known)))) or float(known.std())
            if spread > 0:
                out[k] = spread
                break
    return out
