"""Expectation-maximisation for self-exciting models: guess who set off whom, fit as if it were known, guess again.

If it were known which event set off which, the log density would be a sum of easy parts. Given parameters each
possibility has a probability (`Branching`); averaged over these, the complete log density is what an M step climbs.
The log density itself then rises at least as much (Dempster, Laird and Rubin 1977, Journal of the Royal Statistical
Society B 39, 1-38, theorem 1), from wherever the search starts. For point processes: Veen and Schoenberg (2008),
Journal of the American Statistical Association 103, 614-624.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from groundswell.errors import NotConverged, UsageError
from groundswell.infer.base import Fit, Progress, silent
from groundswell.infer.curvature import downhill
from groundswell.infer.density import FreeDensity
from groundswell.infer.likelihood import Point, learn, line_search, result
from groundswell.infer.windows import Observed, Settings, Waves, likelihood_of, windows
from groundswell.models.base import require

ROUNDING = 1e-11
"""Of the log density: a smaller fall is no fall."""

ENOUGH = 1e-2
"""Of the tolerance: an M step ends when its quadratic promises less."""

APART = 5
"""Cycles between two looks at the true curvature, which costs as much as a few of them."""


@dataclass(frozen=True)
class ExpectationMaximisation:
    """A search that never falls, for models with the verb `complete_likelihood`; ends where MaximumLikelihood does.

    tolerance : it has converged when the quadratic through the last point, with the true Hessian of the log density,
    promises a gain of less than this. steps : the most cycles, of two EM steps each. inner : quasi-Newton steps of an
    M step; few do, since any rise counts (generalised EM). accelerated : a cycle extrapolates over its two steps
    (SQUAREM: Varadhan and Roland 2008, Scandinavian Journal of Statistics 35, 335-353, scheme S3) and keeps what it
    finds only where the log density is higher there.

    It is for starts far from the maximum, where Newton's quadratic means little; near it MaximumLikelihood takes fewer
    evaluations. Neither finds the highest of several maxima for sure. Where little is triggered, or events could come
    from either source, EM creeps: the Fit says when it stopped by `steps`.

    The Fit is MaximumLikelihood's, with details "trace" (log density at the start and after each cycle, never falling),
    "cycles" and "expected evaluations" besides.
    """

    tolerance: float = 1e-6
    steps: int = 500
    inner: int = 4
    accelerated: bool = True

    def __post_init__(self) -> None:
        if self.steps < 1 or self.inner < 1:
            raise UsageError(
                f"ExpectationMaximisation has {self.steps} steps and {self.inner} inner; expected 1 or more."
            )

    def fit(
        self,
        model: Any,
        setting: Settings,
        observed: Observed,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress = silent,
    ) -> Fit:
        """See `infer.base.fit`. Draws nothing from rng. A cycle costs some 2 inner + 3 evaluations."""
        require(model, "complete_likelihood", "ExpectationMaximisation")
        require(model, "likelihood", "ExpectationMaximisation")
        waves = windows(setting, observed, "ExpectationMaximisation")
        density = FreeDensity(model, likelihood_of(model, waves), fixed)
        climb = _Climb(self, model, density, waves, fixed)
        point, converged = climb.run(progress)
        made = result(self, model, density, point, converged, waves)
        notes = made.notes
        if not converged:
            stopped = (
                f"Expectation-maximisation stopped by steps = {self.steps}, before the log density was level: the last "
                f"cycle still gained {climb.trace[-1] - climb.trace[-2]:.3g}. The estimates are the best found, not a "
                "maximum. Give more steps, or start MaximumLikelihood from them (`fit(found.model, ...)`)."
            )
            notes = (stopped, *notes[1:])
        details = {
            **made.details,
            "trace": tuple(climb.trace),
            "cycles": len(climb.trace) - 1,
            "expected evaluations": climb.complete.evaluations,
        }
        status = f"{made.status[:-1]}; {len(climb.trace) - 1} cycles of expectation-maximisation."
        return replace(made, status=status, notes=notes, details=details)


class _Climb:
    """One search, with what it carries from step to step."""

    def __init__(
        self,
        method: ExpectationMaximisation,
        model: Any,
        density: FreeDensity,
        waves: Waves,
        fixed: Mapping[str, float],
    ) -> None:
        self.method, self.density = method, density
        self._each = [model.complete_likelihood(setting, history) for setting, history in waves]
        self._shares: list[Any] = []
        self.complete = FreeDensity(model, self._expected, fixed)
        self._inverse: np.ndarray | None = None
        self.trace: list[float] = []

    def _expected(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The expected complete log density of all windows under the shares of the last E step."""
        found = [one.expected(x, shares) for one, shares in zip(self._each, self._shares, strict=True)]
        return float(sum(value for value, _ in found)), np.sum([slope for _, slope in found], axis=0)

    def run(self, progress: Progress) -> tuple[Point, bool]:
        at, density, tolerance = self.density.start, self.density, self.method.tolerance
        value, gradient = density(at)
        self.trace.append(-value)
        if not np.isfinite(value):
            raise UsageError(
                f"the log density is not finite at the starting values {density.words(at)}; it must be, to start from "
                "there. Choose other values for the model's parameters: they are the starting values."
            )
        if not len(at):
            return Point(at, value, np.zeros((0, 0))), True
        looked = -APART
        for cycle in range(self.method.steps):
            at, value, gradient = self._cycle(at, value)
            self.trace.append(-value)
            progress((cycle + 1) / self.method.steps, f"cycle {cycle + 1}, log density {-value:.6f}")
            if self.trace[-1] - self.trace[-2] < tolerance and cycle - looked >= APART:
                looked, hessian = cycle, density.hessian(at, np.full(len(at), 1e-4))
                promise = 0.5 * float(gradient @ downhill(hessian) @ gradient)
                if promise < max(tolerance, ROUNDING * abs(value)):
                    return Point(at, value, hessian), True
        return Point(at, value, density.hessian(at, np.full(len(at), 1e-4))), False

    def _cycle(self, at: np.ndarray, value: float) -> tuple[np.ndarray, float, np.ndarray]:
        """Two EM steps and, where it is higher, the point that they lead to."""
        once, value_once, _ = self._step(at, value)
        twice, value_twice, gradient = self._step(once, value_once)
        moved, turned = once - at, twice - 2 * once + at
        if self.method.accelerated and (length := float(np.linalg.norm(turned))) > 0:
            reach = max(float(np.linalg.norm(moved)) / length, 1.0)
            further = at + self.density.shortened(2 * reach * moved + reach**2 * turned)
            there, slope = self.density(further)
            if there < value_twice:
                return further, there, slope
        return twice, value_twice, gradient

    def _step(self, at: np.ndarray, value: float) -> tuple[np.ndarray, float, np.ndarray]:
        """E and M: where they lead, and minus the log density with its gradient there."""
        x = self.density.natural(at)
        self._shares = [one.attribute(x) for one in self._each]
        here, slope = self.complete(at)
        if self._inverse is None:
            self._inverse = downhill(self.complete.hessian(at, np.full(len(at), 1e-4)))
        start = at
        for _ in range(self.method.inner):
            move = -self._inverse @ slope
            if -0.5 * float(slope @ move) < ENOUGH * self.method.tolerance:
                break
            tried = line_search(self.complete, at, self.density.shortened(move), here, slope)
            if tried is None:
                self._inverse = None  # learnt wrong: from anew in the next step
                break
            moved, here, new_slope = tried
            self._inverse = learn(self._inverse, moved, new_slope - slope)
            at, slope = at + moved, new_slope
        there, gradient = self.density(at)
        if there <= value:
            return at, there, gradient
        if there - value > ROUNDING * abs(value):
            raise NotConverged(
                f"an M step raised the expected complete log density and the log density fell by {there - value:.3g}, "
                "which cannot be: the model's complete_likelihood and likelihood do not belong together."
            )
        there, gradient = self.density(start)
        return start, there, gradient
