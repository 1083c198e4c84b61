"""Paired block bootstrap: intervals for score differences when neighbouring dates are alike."""

from __future__ import annotations

import numpy as np

from groundswell.errors import UsageError


def block_length(dates: int, steps: int) -> int:
    """Dates in a block: at least the forecast horizon (forecasts from one origin share its luck) and
    the cube root of the number of dates, at most half of them.

    Paper for the cube root: Künsch 1989, whose optimal length grows as n^(1/3).
    """
    return max(1, min(max(steps, round(dates ** (1 / 3))), dates // 2))


def block_weights(dates: int, block: int, resamples: int, *, rng: np.random.Generator) -> np.ndarray:
    """(B, D) how often each date is in each resample; every row sums to D.

    Circular blocks: runs of `block` dates in their order, the end joined to the beginning, so that
    every date is equally likely. Multiplying per-date sums of all models by the same weights pairs them.
    """
    if not 1 <= block <= dates or resamples < 1:
        raise UsageError(f"a bootstrap of {dates} dates in blocks of {block}: expected 1 <= block <= dates.")
    pieces = -(-dates // block)
    starts = rng.integers(0, dates, (resamples, pieces))
    picked = (starts[:, :, None] + np.arange(block)).reshape(resamples, -1)[:, :dates] % dates
    weights = np.zeros((resamples, dates))
    np.add.at(weights, (np.arange(resamples)[:, None], picked), 1.0)
    return weights


def interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Percentile interval of the bootstrap values that are numbers; (NaN, NaN) if none is."""
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
