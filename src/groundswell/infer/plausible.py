"""Models as plausible as a fit leaves them: draws of its parameters, for what follows from many of them at once.

For curves, forests and whatever bends within a standard error. `infer.derived` has one number's interval without draws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.infer.base import Fit
from groundswell.params import from_vector, leaves


def plausible_models(found: Fit, count: int, *, rng: np.random.Generator) -> tuple[list[Any], tuple[str, ...]]:
    """So many models, and the names of parameters whose doubt is not in them.

    From a posterior, draws of it; else normal draws about the estimate on the free coordinates, with the fit's own
    covariance: what its Wald intervals say, all parameters together. A parameter that the data do not determine has no
    covariance; it stays at its estimate and is named. UsageError for a fit with neither covariance nor draws.
    """
    if found.draws is not None:
        rows = rng.choice(len(found.draws), size=count, replace=len(found.draws) < count)
        return [from_vector(found.model, found.draws[row]) for row in rows], ()
    if found.covariance is None:
        raise UsageError("this fit has neither a covariance nor draws, so nothing is known of how sure it is.")
    known = leaves(found.model)
    error = found.standard_error
    slopes = np.ones(len(known))
    free = np.array([leaf.to_free(value) for leaf, value in zip(known, found.estimate, strict=True)])
    for k, leaf in enumerate(known):
        slopes[k] = leaf.slope(free[k]) if leaf.bounded and np.isfinite(free[k]) else 1.0
    drawn = np.flatnonzero(np.isfinite(error) & (error > 0) & np.isfinite(free) & (slopes > 0))
    left = tuple(known[k].name for k in range(len(known)) if error[k] != 0 and k not in drawn)
    covariance = found.covariance[np.ix_(drawn, drawn)] / np.outer(slopes[drawn], slopes[drawn])
    size, along = np.linalg.eigh(covariance)
    root = along * np.sqrt(np.maximum(size, 0))
    values = np.tile(found.estimate, (count, 1))
    for row in values:
        moved = free[drawn] + root @ rng.normal(size=len(drawn))
        for k, at in zip(drawn, moved, strict=True):
            row[k] = known[k].from_free(float(at))
    return [from_vector(found.model, row) for row in values], left


def curve_band(
    found: Fit,
    curve: Callable[[Any, np.ndarray], np.ndarray],
    at: np.ndarray,
    *,
    rng: np.random.Generator,
    draws: int = 500,
    level: float = 0.9,
) -> Table:
    """A curve of the model with its pointwise interval: at, estimate, low, high.

    curve : what to read off a model, such as `lambda model, days: model.delay.value(days)`, or with the branching
    ratio before it the offspring a day, which the data know better than either. The estimate is at the fit's own
    values; the interval is that of the curve over plausible models, at each point by itself: a whole curve lies inside
    less often. What the data do not determine is held, and adds nothing to the width.
    """
    at = np.asarray(at, dtype=float)
    curves = np.stack([curve(model, at) for model in plausible_models(found, draws, rng=rng)[0]])
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    estimate = np.asarray(curve(found.model, at), dtype=float)
    return Table({"at": at.tolist(), "estimate": estimate.tolist(), "low": low.tolist(), "high": high.tolist()})
