"""Parameters drawn from what a fit knows of them: for bands and intervals of whatever follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.infer.base import Fit
from groundswell.params import from_vector, leaves


@dataclass(frozen=True)
class Drawn:
    """values : (S, K) parameter vectors in natural units. notes : which parameters are held though unknown."""

    values: np.ndarray
    notes: tuple[str, ...]


def parameter_draws(found: Fit, count: int, *, rng: np.random.Generator) -> Drawn:
    """S parameter vectors: posterior draws at random, or normal on the free coordinates with the fit's covariance.

    On free coordinates no draw leaves its range; near a boundary the normal is a poor picture all the same. What the
    data do not determine has no covariance and stays at its estimate, which `notes` says.
    UsageError for a fit without either.
    """
    if found.draws is not None:
        return Drawn(found.draws[rng.integers(0, len(found.draws), count)], ())
    if found.covariance is None:
        raise UsageError("this fit has neither draws nor a covariance, so nothing is known of how sure its values are.")
    known = [k for k, error in enumerate(found.standard_error) if np.isfinite(error) and error > 0]
    unknown = [found.names[k] for k in np.flatnonzero(np.isnan(found.standard_error))]
    every = leaves(found.model)
    free = np.array([every[k].to_free(float(found.estimate[k])) for k in known])
    slopes = np.array([every[k].slope(at) for k, at in zip(known, free, strict=True)])
    covariance = found.covariance[np.ix_(known, known)] / np.outer(slopes, slopes)
    values = np.tile(found.estimate.astype(float), (count, 1))
    if known:
        moved = rng.multivariate_normal(free, covariance, size=count, method="eigh")
        for n, k in enumerate(known):
            values[:, k] = [every[k].from_free(float(at)) for at in moved[:, n]]
    notes = (f"{', '.join(unknown)}: not determined by the data, and held at the estimate in all draws.",)
    return Drawn(values, notes if unknown else ())


def kernel_band(
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
    values; the interval is of the curve at parameters drawn from the fit (`parameter_draws`), at each point by itself:
    the whole curve lies inside less often.
    """
    at = np.asarray(at, dtype=float)
    drawn = parameter_draws(found, draws, rng=rng)
    curves = np.stack([curve(from_vector(found.model, row), at) for row in drawn.values])
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    estimate = curve(found.model, at)
    return Table(
        {"at": at.tolist(), "estimate": np.asarray(estimate).tolist(), "low": low.tolist(), "high": high.tolist()}
    )
