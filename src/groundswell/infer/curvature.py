"""What the curvature at a maximum says: how sure each parameter is, and what the data cannot tell.

A small curvature alone is no proof, since it depends on a parameter's unit, and so does a direction of several
parameters in which there is hardly any: a calendar year and an intercept nearly cancel, and yet are both known. So
what is suspect is moved: five standard errors away the quadratic through the maximum has lost 12.5 in log density.
Where the log density has hardly fallen by then, the quadratic is wrong and no standard error holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from groundswell.params import Leaf

SUSPECT = 5.0
"""A standard error above this, in free units, makes a parameter suspect; also how many of them to go out."""

FURTHEST = 30.0
"""The most free units to go out for a parameter with a bound: a factor of 1e13."""

EXTREME = 15.0
"""A parameter with a bound is suspect beyond this free coordinate too, 3e6 above 0: there all is nearly level."""

LEVEL = 1.35
"""A loss in log density below this counts as none: a 90 % profile interval would not close."""

DEPENDENT = 1e-6
"""An eigenvalue of the information in correlation form below this is suspect."""

HARDLY = 1e-10
"""The least eigenvalue, in correlation form, that a step reckons with."""

LEAST = 1e-13
"""Rounding leaves eigenvalues of this size where there are none."""


class Density(Protocol):
    """Minus a log density on free coordinates, as `density.FreeDensity`."""

    leaves: Sequence[Leaf]

    def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        ...


def downhill(hessian: np.ndarray) -> np.ndarray:
    """The Hessian's inverse, curvature of the wrong sign turned and hardly any made a little: its step leads down."""
    if not np.isfinite(hessian).all():
        return np.eye(len(hessian))
    scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(hessian)), 1e-8))
    curvature, axes = np.linalg.eigh(hessian * np.outer(scale, scale))
    return (axes / np.maximum(np.abs(curvature), HARDLY)) @ axes.T * np.outer(scale, scale)


def examine(density: Density, at: np.ndarray, hessian: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Covariance (K, K) on free coordinates and a sentence for every direction that is not determined.

    Rows and columns of parameters that are not determined are NaN; the others take them as held.
    """
    count = len(at)
    covariance = np.full((count, count), np.nan)
    notes = []
    determined = []
    for k, leaf in enumerate(density.leaves):
        note = _alone(density, at, k, leaf, hessian[k, k])
        if note is None:
            determined.append(k)
        else:
            notes.append(note)
    kept = np.array(determined, dtype=int)
    if len(kept):
        information = hessian[np.ix_(kept, kept)]
        scale = 1 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))  # negative where a search was cut short
        strength, axes = np.linalg.eigh(information * np.outer(scale, scale))
        level = np.zeros(len(kept), dtype=bool)
        for n in np.flatnonzero(strength < DEPENDENT):
            along = np.zeros(count)
            along[kept] = axes[:, n] * scale
            strength[n] = _along(density, at, along, strength[n])
            level[n] = strength[n] == 0
        inverse = (axes[:, ~level] / strength[~level]) @ axes[:, ~level].T * np.outer(scale, scale)
        blurred = np.zeros(len(kept), dtype=bool)
        for axis in axes[:, level].T:
            involved = np.abs(axis) > 0.1 * np.abs(axis).max()
            blurred |= involved
            leading = np.flatnonzero(involved)[np.argsort(-np.abs(axis[involved]))][:5]
            notes.append(_together([density.leaves[int(kept[n])] for n in leading], (axis * scale)[leading]))
        inverse[blurred] = np.nan
        inverse[:, blurred] = np.nan
        covariance[np.ix_(kept, kept)] = inverse
    return covariance, tuple(notes)


def _level(density: Density, at: np.ndarray, axis: np.ndarray, out: float) -> bool:
    """Whether the log density has hardly fallen by `out` on the axis, or as far as it is a number there."""
    there = density(at + out * axis)[0]
    while not np.isfinite(there) and out > SUSPECT:
        out /= 2
        there = density(at + out * axis)[0]
    return bool(there - density(at)[0] < LEVEL)


def _along(density: Density, at: np.ndarray, axis: np.ndarray, strength: float) -> float:
    """The curvature of the log density along an axis, measured by going out on it; 0 where it is level.

    A small eigenvalue among large ones is known to a few digits only, and far out a density may have ended its fall: it
    is measured where the loss bends, about four times as large at twice the way.
    """
    here, out = density(at)[0], SUSPECT / np.sqrt(max(strength, LEAST))

    def lost(far: float) -> list[float]:
        return [density(at + sign * far * axis)[0] - here for sign in (-1, 1)]

    while True:
        loss = lost(out)
        if min(loss) < LEVEL:
            return 0.0
        if max(loss) < SUSPECT**2 and sum(loss) / 32 < sum(lost(out / 2)) < sum(loss) / 2:
            return sum(loss) / out**2
        out /= 2


def _alone(density: Density, at: np.ndarray, k: int, leaf: Leaf, curvature: float) -> str | None:
    """Why parameter k by itself is not determined, or None if it is."""
    error = 1 / np.sqrt(curvature) if curvature > 0 else 1e6
    extreme = leaf.bounded and abs(at[k]) > EXTREME
    if error < SUSPECT and not extreme:
        return None
    out = SUSPECT * max(error, 1.0)
    if leaf.bounded:
        out = min(out, FURTHEST)
    down, up = (_level(density, at, sign * np.eye(len(at))[k], out) for sign in (-1, 1))
    value = leaf.from_free(float(at[k]))
    if down and at[k] > EXTREME and not np.isfinite(leaf.high):  # so far out the lower limit is not in sight
        down, up = up, True
    if down and up:
        return (
            f"{leaf.name} is not determined: the log density is level along it. What it acts on is absent from the "
            "data or from the fit; hold it with `fixed` or leave its component out."
        )
    if down and np.isfinite(leaf.low):
        return (
            f"{leaf.name} = {value:.3g} cannot be told from its lower limit {leaf.low:g}: the data show none of it. No "
            "standard error applies; `infer.profile` gives an upper limit, and leaving its component out fits as well."
        )
    if up and np.isfinite(leaf.high):
        return (
            f"{leaf.name} = {value:.3g} cannot be told from its upper limit {leaf.high:g}: the data ask for as much as "
            "is allowed. No standard error applies; `infer.profile` gives a lower limit."
        )
    if down or up:
        return (
            f"{leaf.name} = {value:.3g} has no finite estimate: the log density hardly falls as it goes to "
            f"{'minus ' if down else ''}infinity. The data hold no sign of what it scales, or of anything else; no "
            "standard error applies. Leave its component out or hold it with `fixed`."
        )
    return None


def _together(involved: list[Leaf], weights: np.ndarray) -> str:
    """The sentence for a direction in several parameters."""
    weights = weights / weights[np.argmax(np.abs(weights))]
    direction = " ".join(
        f"{'+' if w > 0 else '-'} {abs(w):.3g} {leaf.name}" for w, leaf in zip(weights, involved, strict=True)
    )
    if len(involved) == 1:
        return f"{involved[0].name} is not determined: the log density is level along it; hold it with `fixed`."
    names = ", ".join(leaf.name for leaf in involved[:-1]) + f" and {involved[-1].name}"
    return (
        f"The data cannot tell {names} apart: the log density is level along {direction.lstrip('+ ')}. Their columns "
        "are collinear or nearly so; leave one out or hold it with `fixed`."
    )
