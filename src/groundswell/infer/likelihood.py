"""Maximum likelihood: the parameters under which the observed history is likeliest, and how sure they are.

Works for every model with the verb `likelihood`. The search runs on the free coordinates of
`params` (log for a parameter above 0), so it never leaves the range. It is a quasi-Newton search
between two true Hessians, at the start and at the end, each from central differences of the model's
own gradient; the last one gives the standard errors. What the data cannot tell is said in words: a
direction along which the log density is level, an estimate on the boundary of its range, one that
runs away without a maximum.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.errors import MissingVerb, UsageError
from groundswell.infer.base import Fit, Progress, provenance, silent
from groundswell.infer.curvature import downhill, examine
from groundswell.infer.density import FreeDensity
from groundswell.infer.ends import GAIN, kept_near, turned_back
from groundswell.infer.windows import Observed, Settings, Waves, likelihood_of, remarks_of, windows
from groundswell.models.base import require


@dataclass(frozen=True)
class MaximumLikelihood:
    """A search for the maximum, with standard errors from the observed information.

    tolerance : it has converged when the quadratic through the last point, with the true Hessian,
    promises a gain of less than this in log density. steps : the most steps.

    The Fit's log_density is at the estimate; details has "aic" (-2 log density + 2 free parameters),
    "free" (how many) and "evaluations", and where the model says how many counts have a density, "observations" and
    "bic". Standard errors are those of the natural parameters, so
    that of an overdispersion near 0 is better read from `infer.profile`.
    """

    tolerance: float = 1e-10
    steps: int = 300

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
        """See `infer.base.fit`. Draws nothing from rng. Cost: some 20 evaluations and 4 K for the Hessians."""
        require(model, "likelihood", "MaximumLikelihood")
        waves = windows(setting, observed, "MaximumLikelihood")
        if getattr(model, "effect_names", ()):
            raise MissingVerb(
                f"{type(model).__name__} has random effects here; their variance and they themselves have no maximum "
                "likelihood together (it would be 0). Use PenalisedLikelihood or Posterior."
            )
        density = FreeDensity(model, likelihood_of(model, waves), fixed)
        point, converged = self.climb(density, density.start, progress)
        while (inside := turned_back(density, point.at)) is not None:
            again, reached = self.climb(density, inside, progress)
            if again.value > point.value - GAIN:
                break
            point, converged = again, reached
        progress(1.0, "done")
        return result(self, model, density, point, converged, waves)

    def climb(self, density: FreeDensity, at: np.ndarray, progress: Progress) -> tuple[Point, bool]:
        """From free coordinates to the maximum; True if the tolerance was met under a true Hessian.

        Newton's step with the Hessian at the start, which then learns from each step (BFGS) instead
        of being computed again; when that promises no more gain, the true Hessian has the last word.
        """
        value, gradient = density(at)
        if not np.isfinite(value):
            raise UsageError(
                f"the log density is not finite at the starting values {density.words(at)}; it must be, to start from "
                "there. Choose other values for the model's parameters: they are the starting values."
            )
        if not len(at):
            return Point(at, value, np.zeros((0, 0))), True
        hessian = density.hessian(at, np.full(len(at), 1e-5))
        inverse, fresh = downhill(hessian), True
        for step in range(self.steps):
            move = kept_near(density, at, -inverse @ gradient, gradient)
            promise = -0.5 * float(gradient @ move)
            tried = None
            if promise >= self.tolerance:
                tried = line_search(density, at, density.shortened(move), value, gradient)
            elif fresh:
                return Point(at, value, hessian), True
            if tried is None:
                if fresh:
                    # no step gains what it should: done if rounding of the log density explains that
                    return Point(at, value, hessian), promise < 1e-11 * abs(value)
                # a small part of a standard error: far above rounding, far below the change of curvature
                curvature = np.diag(np.linalg.inv(inverse))
                hessian = density.hessian(at, 3e-3 / np.sqrt(np.maximum(curvature, 1.0)))
                inverse, fresh = downhill(hessian), True
                continue
            moved, value, new_gradient = tried
            inverse, fresh = learn(inverse, moved, new_gradient - gradient), False
            at, gradient = at + moved, new_gradient
            progress((step + 1) / self.steps, f"step {step + 1}, log density {-value:.6f}")
        return Point(at, value, density.hessian(at, np.full(len(at), 1e-5))), False


@dataclass(frozen=True)
class Point:
    """Where a search ended: free coordinates, minus the log density, and its second derivatives there."""

    at: np.ndarray
    value: float
    hessian: np.ndarray


def line_search(
    density: FreeDensity, at: np.ndarray, move: np.ndarray, value: float, gradient: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """The move, halved until it gains what its slope promises (Armijo), with value and gradient there."""
    for _ in range(40):
        there, slope = density(at + move)
        if there < value + 1e-4 * float(gradient @ move):
            return move, there, slope
        move = move / 2
    return None


def learn(inverse: np.ndarray, moved: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The BFGS update of the inverse Hessian from a step and the change of the gradient over it."""
    curved = float(moved @ change)
    if curved <= 1e-10 * math.sqrt(float(moved @ moved) * float(change @ change)):
        return inverse
    expected = inverse @ change
    along = ((1 + float(change @ expected) / curved) / 2 * moved - expected) / curved
    turned = np.multiply.outer(along, moved)
    return inverse + turned + turned.T


def result(method: Any, model: Any, density: FreeDensity, point: Point, converged: bool, waves: Waves) -> Fit:
    """The Fit of a search that ended at a point: standard errors from the curvature there, and what it leaves open."""
    inner, notes = examine(density, point.at, point.hessian)
    values = density.natural(point.at)
    order = [leaf.name for leaf in density.all_leaves]
    found = model.replacing(dict(zip(order, map(float, values), strict=True)))
    notes += remarks_of(found, waves)
    total = len(values)
    slopes = density.slopes(point.at)
    covariance = np.zeros((total, total))
    with np.errstate(over="ignore", invalid="ignore"):  # the slope at a rate that ran away; it is not determined
        covariance[np.ix_(density.free, density.free)] = inner * np.outer(slopes, slopes)
    errors = np.sqrt(np.diag(covariance))
    free, value = len(density.free), -point.value
    unknown = int(np.isnan(errors).sum())
    known = density.observations
    bic = {} if not known else {"bic": free * math.log(known) - 2 * value, "observations": known}
    status = (
        f"{'Converged' if converged else 'Not converged'} after {density.evaluations} evaluations: log density "
        f"{value:.6g}, {free} free parameters"
        + (f", {unknown} of them not determined (see notes)." if unknown else ".")
    )
    if not converged:
        notes = (
            "The search ended before it reached a maximum: estimates and standard errors are not to be relied on. "
            "Start from other values or hold a parameter with `fixed`.",
            *notes,
        )
    return Fit(
        model=found,
        method=method,
        names=tuple(order),
        estimate=values,
        standard_error=errors,
        log_density=value,
        status=status,
        converged=converged,
        notes=notes,
        covariance=covariance,
        details={"aic": 2 * free - 2 * value, **bic, "free": free, "evaluations": density.evaluations},
        provenance=provenance(method, found, [history for _, history in waves]),
    )
