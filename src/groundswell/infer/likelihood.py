"""Maximum likelihood: the parameters under which the observed history is likeliest, and how sure they are.

Works for every model with the verb `likelihood`. The search runs on the free coordinates of
`params` (log for a parameter above 0), so it never leaves the range. It is a quasi-Newton search
between two true Hessians, at the start and at the end, each from central differences of the model's
own gradient; the last one gives the standard errors. What the data cannot tell is said in words: a
direction along which the log density is level, an estimate on the boundary of its range, one that
runs away without a maximum.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import groundswell
from groundswell.data.history import History
from groundswell.data.listings import Listings
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import MissingVerb, UsageError
from groundswell.infer.base import Fit, Progress, silent
from groundswell.infer.curvature import examine
from groundswell.models.base import can, require
from groundswell.params import Leaf, from_vector, leaves, vector

LONGEST = 3.0
"""No free coordinate moves by more in one step: a factor of 20 for a parameter above 0."""


@dataclass(frozen=True)
class MaximumLikelihood:
    """A search for the maximum, with standard errors from the observed information.

    tolerance : it has converged when the quadratic through the last point, with the true Hessian,
    promises a gain of less than this in log density. steps : the most steps.

    The Fit's log_density is at the estimate; details has "aic" (-2 log density + 2 free parameters),
    "free" (how many) and "evaluations". Standard errors are those of the natural parameters, so
    that of an overdispersion near 0 is better read from `infer.profile`.
    """

    tolerance: float = 1e-10
    steps: int = 300

    def fit(
        self,
        model: Any,
        setting: Setting,
        observed: History | Record | Listings,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress = silent,
    ) -> Fit:
        """See `infer.base.fit`. Draws nothing from rng. Cost: some 20 evaluations and 4 K for the Hessians."""
        require(model, "likelihood", "MaximumLikelihood")
        if isinstance(observed, Record):
            raise MissingVerb(
                "MaximumLikelihood weighs a History, what happened; it was given a Record, what was said. "
                "Use TemperedSMC with Account(process, reporting)."
            )
        density = FreeDensity(model, setting, observed, fixed)
        point, converged = self._climb(density, progress)
        covariance, notes = examine(density, point.at, point.hessian)
        found = from_vector(model, density.natural(point.at))
        if can(found, "remarks"):
            notes += found.remarks(setting)
        progress(1.0, "done")
        return _result(self, found, density, point, converged, covariance, notes, observed)

    def _climb(self, density: FreeDensity, progress: Progress) -> tuple[_Point, bool]:
        """From the starting values to the maximum; True if the tolerance was met under a true Hessian.

        Newton's step with the Hessian at the start, which then learns from each step (BFGS) instead
        of being computed again; when that promises no more gain, the true Hessian has the last word.
        """
        at = density.start
        value, gradient = density(at)
        if not np.isfinite(value):
            raise UsageError(
                f"the log density is not finite at the starting values {density.words(at)}; it must be, to start from "
                "there. Choose other values for the model's parameters: they are the starting values."
            )
        if not len(at):
            return _Point(at, value, np.zeros((0, 0))), True
        hessian = density.hessian(at, np.full(len(at), 1e-5))
        working, fresh = _downhill(hessian), True
        for step in range(self.steps):
            move = -np.linalg.solve(working, gradient)
            promise = -0.5 * float(gradient @ move)
            tried = None
            if promise >= self.tolerance:
                move *= min(1.0, LONGEST / float(np.abs(move).max()))
                tried = _line_search(density, at, move, value, gradient)
            elif fresh:
                return _Point(at, value, hessian), True
            if tried is None:
                if fresh:
                    # no step gains what it should: done if rounding of the log density explains that
                    return _Point(at, value, hessian), promise < 1e-11 * abs(value)
                # a small part of a standard error: far above rounding, far below the change of curvature
                hessian = density.hessian(at, 3e-3 / np.sqrt(np.maximum(np.diag(working), 1.0)))
                working, fresh = _downhill(hessian), True
                continue
            moved, value, new_gradient = tried
            working, fresh = _learn(working, moved, new_gradient - gradient), False
            at, gradient = at + moved, new_gradient
            progress((step + 1) / self.steps, f"step {step + 1}, log density {-value:.6f}")
        return _Point(at, value, density.hessian(at, np.full(len(at), 1e-5))), False


@dataclass(frozen=True)
class _Point:
    at: np.ndarray
    value: float
    hessian: np.ndarray


class FreeDensity:
    """Minus the log density and its gradient on the free coordinates of the parameters not held."""

    def __init__(self, model: Any, setting: Setting, history: Any, fixed: Mapping[str, float]) -> None:
        self._likelihood = model.likelihood(setting, history)
        self._leaves = leaves(model)
        self._values = vector(model)
        self.free = np.array([k for k, leaf in enumerate(self._leaves) if leaf.name not in fixed], dtype=int)
        self.leaves: Sequence[Leaf] = [self._leaves[k] for k in self.free]
        self._bent = [n for n, leaf in enumerate(self.leaves) if np.isfinite(leaf.low) or np.isfinite(leaf.high)]
        # a start on the boundary has no finite coordinate: begin a little inside
        self.start = np.clip([leaf.to_free(leaf.value) for leaf in self.leaves], -1e3, None)
        for n in self._bent:
            self.start[n] = np.clip(self.start[n], -5.0, None if np.isfinite(self.start[n]) else 5.0)
        self.evaluations = 0

    def natural(self, at: np.ndarray) -> np.ndarray:
        """(all K,) parameters in natural units at the free coordinates."""
        values = self._values.copy()
        values[self.free] = at
        for n in self._bent:
            values[self.free[n]] = self.leaves[n].from_free(float(at[n]))
        return values

    def slopes(self, at: np.ndarray) -> np.ndarray:
        """(K free,) d natural / d free."""
        out = np.ones(len(at))
        for n in self._bent:
            out[n] = self.leaves[n].slope(float(at[n]))
        return out

    def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus log density and its gradient; infinite, with no slope, where the density is not finite."""
        self.evaluations += 1
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # far points are tried, and refused here
            value, gradient = self._likelihood(self.natural(at))
            slope = -gradient[self.free]
            for n in self._bent:
                slope[n] *= self.leaves[n].slope(float(at[n]))
            if not math.isfinite(value + slope.sum()):
                return math.inf, np.zeros(len(at))
        return -value, slope

    def hessian(self, at: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Central differences of the gradient over +- reach, made symmetric."""
        rows = []
        for k, width in enumerate(reach):
            step = np.zeros(len(at))
            step[k] = width
            rows.append((self(at + step)[1] - self(at - step)[1]) / (2 * width))
        square = np.array(rows)
        return (square + square.T) / 2

    def words(self, at: np.ndarray) -> str:
        """The free parameters by name and natural value."""
        natural = self.natural(at)[self.free]
        return ", ".join(f"{leaf.name} = {value:.4g}" for leaf, value in zip(self.leaves, natural, strict=True))


def _downhill(hessian: np.ndarray) -> np.ndarray:
    """The Hessian with curvature of the wrong sign turned and hardly any made a little, so that its step leads down."""
    if not np.isfinite(hessian).all():
        return np.eye(len(hessian))
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-8))
    curvature, axes = np.linalg.eigh(hessian / np.outer(scale, scale))
    return (axes * np.maximum(np.abs(curvature), 1e-8)) @ axes.T * np.outer(scale, scale)


def _line_search(
    density: FreeDensity, at: np.ndarray, move: np.ndarray, value: float, gradient: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """The move, halved until it gains what its slope promises (Armijo), with value and gradient there."""
    for _ in range(40):
        there, slope = density(at + move)
        if there < value + 1e-4 * float(gradient @ move):
            return move, there, slope
        move = move / 2
    return None


def _learn(working: np.ndarray, moved: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The BFGS update of the Hessian from a step and the change of the gradient over it."""
    curved, expected = float(moved @ change), working @ moved
    if curved <= 1e-10 * math.sqrt(float(moved @ moved) * float(change @ change)):
        return working
    return working + np.outer(change, change) / curved - np.outer(expected, expected) / float(moved @ expected)


def _result(
    method: MaximumLikelihood,
    found: Any,
    density: FreeDensity,
    point: _Point,
    converged: bool,
    inner: np.ndarray,
    notes: tuple[str, ...],
    history: History | Listings,
) -> Fit:
    total = len(leaves(found))
    slopes = density.slopes(point.at)
    covariance = np.zeros((total, total))
    covariance[np.ix_(density.free, density.free)] = inner * np.outer(slopes, slopes)
    errors = np.sqrt(np.diag(covariance))
    free, value = len(density.free), -point.value
    unknown = int(np.isnan(errors).sum())
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
        names=tuple(leaf.name for leaf in leaves(found)),
        estimate=vector(found),
        standard_error=errors,
        log_density=value,
        status=status,
        converged=converged,
        notes=notes,
        covariance=covariance,
        details={"aic": 2 * free - 2 * value, "free": free, "evaluations": density.evaluations},
        provenance={
            "method": repr(method),
            "model": type(found).__name__,
            "version": groundswell.__version__,
            "digest": history.digest() if isinstance(history, Listings) else _digest(history),
        },
    )


def _digest(history: History) -> str:
    """SHA-256 of the series and the single events."""
    digest = hashlib.sha256()
    for name in sorted(history.series):
        digest.update(name.encode() + np.ascontiguousarray(history.series[name], dtype=float).tobytes())
    if history.events is not None:
        digest.update(history.events.time_days.tobytes() + history.events.place.tobytes())
    return digest.hexdigest()
