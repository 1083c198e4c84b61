"""Maximum likelihood: the parameters under which the observed history is likeliest, and how sure they are.

Works for every model with the verb `likelihood`. The search runs on the free coordinates of
`params` (log for a parameter above 0), so it never leaves the range; L-BFGS does the long way and
Newton steps end it, with a Hessian from central differences of the model's own gradient. What the
data cannot tell is said in words: a direction along which the log density is level, an estimate on
the boundary of its range, one that runs away without a maximum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import groundswell
from groundswell.data.history import History
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import MissingVerb, NotConverged, ParameterError, UsageError, nearest
from groundswell.infer.base import Fit, Progress, silent
from groundswell.infer.curvature import Curvature, examine
from groundswell.models.base import can, require
from groundswell.params import from_vector, leaves, vector


@dataclass(frozen=True)
class MaximumLikelihood:
    """A search for the maximum, with standard errors from the observed information.

    tolerance : it has converged when the quadratic through the last point promises a gain of less
    than this in log density. first_steps, newton_steps : the most steps of L-BFGS and of Newton.

    The Fit's log_density is at the estimate; details has "aic" (-2 log density + 2 free parameters),
    "free" (how many) and "evaluations". Standard errors are those of the natural parameters, so
    that of an overdispersion near 0 is better read from `profile`.
    """

    tolerance: float = 1e-8
    first_steps: int = 100
    newton_steps: int = 50

    def fit(
        self,
        model: Any,
        setting: Setting,
        observed: History | Record,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress = silent,
    ) -> Fit:
        """See `infer.base.fit`. Draws nothing from rng. Cost: some 20 to 100 evaluations and 2 K a Newton step."""
        require(model, "likelihood", "MaximumLikelihood")
        if not isinstance(observed, History):
            raise MissingVerb(
                "MaximumLikelihood weighs a History, what happened; it was given a Record, what was said. "
                "Use TemperedSMC with Account(process, reporting)."
            )
        density = FreeDensity(model, setting, observed, fixed)
        point, converged = self._climb(density, progress)
        curvature, notes = examine(density, point.at, point.hessian)
        found = from_vector(model, density.natural(point.at))
        if can(found, "remarks"):
            notes += found.remarks(setting)
        progress(1.0, "done")
        return _result(self, found, density, point, converged, curvature, notes, observed)

    def _climb(self, density: FreeDensity, progress: Progress) -> tuple[_Point, bool]:
        """From the starting values to the maximum; True if the tolerance was met."""
        from scipy.optimize import fmin_l_bfgs_b

        at = density.start
        value, gradient = density(at)
        if not np.isfinite(value):
            raise UsageError(
                f"the log density is {-value} at the starting values {density.words(at)}; it must be finite to start "
                "from. Choose other values for the model's parameters: they are the starting values."
            )
        if not len(at):
            return _Point(at, value, gradient, np.zeros((0, 0))), True
        progress(0.0, "searching")
        # a loose end: Newton's steps are worth more than many last steps of L-BFGS
        found, reached, _ = fmin_l_bfgs_b(density, at, m=20, factr=1e9, pgtol=1e-3, maxiter=self.first_steps)
        if reached <= value:
            at = found
        value, gradient = density(at)
        reach = np.full(len(at), 1e-5)
        hessian = density.hessian(at, reach)
        for step in range(self.newton_steps):
            move, promise = _newton(hessian, gradient)
            if promise < max(self.tolerance, 1e-13 * abs(value)):
                return _Point(at, value, gradient, hessian), True
            progress((step + 1) / self.newton_steps, f"Newton step {step + 1}, log density {-value:.6f}")
            for halving in range(40):
                tried, tried_gradient = density(at + move / 2**halving)
                if tried < value + 1e-4 * float(gradient @ move) / 2**halving:
                    break
            else:
                return _Point(at, value, gradient, hessian), False
            at = at + move / 2**halving
            value, gradient = tried, tried_gradient
            # step widths of a thousandth of a standard error: far above rounding, far below curvature
            reach = 1e-3 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1.0))
            hessian = density.hessian(at, reach)
        return _Point(at, value, gradient, hessian), False


@dataclass(frozen=True)
class _Point:
    at: np.ndarray
    value: float
    gradient: np.ndarray
    hessian: np.ndarray


class FreeDensity:
    """Minus the log density and its gradient on the free coordinates of the parameters not held."""

    def __init__(self, model: Any, setting: Setting, history: History, fixed: Mapping[str, float]) -> None:
        self._likelihood = model.likelihood(setting, history)
        self._leaves = leaves(model)
        self._values = vector(model)
        self.free = np.array([k for k, leaf in enumerate(self._leaves) if leaf.name not in fixed], dtype=int)
        self.leaves = [self._leaves[k] for k in self.free]
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
        value, gradient = self._likelihood(self.natural(at))
        slope = -gradient[self.free] * self.slopes(at)
        if not np.isfinite(value) or not np.isfinite(slope).all():
            return np.inf, np.zeros(len(at))
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


def _newton(hessian: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, float]:
    """Newton's step downhill, and the gain that the quadratic promises.

    Where the surface curves the wrong way or hardly at all, curvature is replaced by its size, so
    that the step always leads down; no coordinate moves by more than 3.
    """
    if not np.isfinite(hessian).all():
        hessian = np.eye(len(gradient))
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-8))
    curvature, axes = np.linalg.eigh(hessian * np.outer(scale, scale))
    slope = axes.T @ (gradient * scale)
    along = -slope / np.maximum(np.abs(curvature), 1e-8)
    move = scale * (axes @ along)
    promise = -0.5 * float(gradient @ move)
    return move * min(1.0, 3.0 / max(float(np.abs(move).max()), 1e-300)), promise


def _result(
    method: MaximumLikelihood,
    found: Any,
    density: FreeDensity,
    point: _Point,
    converged: bool,
    curvature: Curvature,
    notes: tuple[str, ...],
    history: History,
) -> Fit:
    total = len(leaves(found))
    slopes = density.slopes(point.at)
    covariance = np.zeros((total, total))
    covariance[np.ix_(density.free, density.free)] = curvature.covariance * np.outer(slopes, slopes)
    errors = np.sqrt(np.diag(covariance))
    free, value = len(density.free), -point.value
    unknown = int(np.isnan(errors).sum())
    status = (
        f"{'Converged' if converged else 'Not converged'} after {density.evaluations} evaluations: log density "
        f"{value:.6g}, {free} free parameters" + (f", {unknown} of them not determined (see notes)." if unknown else ".")
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
            "digest": _digest(history),
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


def profile(
    found: Fit, setting: Setting, history: History, name: str, *, level: float = 0.9
) -> tuple[float | None, float | None]:
    """Interval for one parameter by profile likelihood: all others are refitted at each value tried.

    The values at which twice the loss in log density meets the chi-squared quantile. None for a side
    on which it never does within 20 units of the free coordinate: the interval is open there. Unlike
    the Wald interval of `Fit.summary` it may be lopsided and stays in range. Cost: some 20 fits.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2

    if name not in found.names:
        raise ParameterError(f'profile names "{name}", which is no parameter here.' + nearest(name, found.names, 3))
    at = found.names.index(name)
    if found.standard_error[at] == 0:
        raise UsageError(f"{name} was held fixed in this fit; there is nothing to profile.")
    leaf = leaves(found.model)[at]
    held = {n: float(v) for n, v, se in zip(found.names, found.estimate, found.standard_error, strict=True) if se == 0}
    allowed = float(chi2.ppf(level, 1)) / 2
    centre = max(leaf.to_free(leaf.value), -20.0)
    start = found.model

    def excess(free: float) -> float:
        nonlocal start
        fixed = {**held, name: leaf.from_free(free)}
        method = MaximumLikelihood() if not isinstance(found.method, MaximumLikelihood) else found.method
        again = method.fit(start.replacing(fixed), setting, history, rng=np.random.default_rng(0), fixed=fixed)
        if not again.converged:
            raise NotConverged(f"the profile of {name} did not converge at {leaf.from_free(free):.4g}.")
        start = again.model
        return found.log_density - again.log_density - allowed

    slope = leaf.slope(centre)
    width = float(found.standard_error[at]) / slope if np.isfinite(found.standard_error[at]) and slope > 0 else 1.0
    ends: list[float | None] = []
    for sign in (-1, 1):
        start, inner, outer = found.model, 0.0, min(1.6 * width, 20.0)
        while outer <= 20.0 * max(width, 1.0) and excess(centre + sign * outer) < 0:
            inner, outer = outer, 2 * outer
        if outer > 20.0 * max(width, 1.0):
            ends.append(None)
        else:
            root = brentq(lambda step: excess(centre + sign * step), inner, outer, xtol=1e-6 * outer)  # noqa: B023
            ends.append(leaf.from_free(centre + sign * float(root)))
    return ends[0], ends[1]
