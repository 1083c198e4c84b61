"""Scores of forecasts given as draws; every one is a loss: lower is better.

Draws are (N, S): N cells (a place at a target time), S draws each. Observations are (N,).
Everything is computed in float64, whatever the type of the counts: an integer draw minus an
unsigned observation must not wrap around.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from groundswell.errors import UsageError

LOG_WEIGHT = 1.0
"""Weight a of the wide distribution in `log_score`: it counts as much as one draw."""

INTERVAL_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The alphas of the central 1 - alpha intervals of the forecast hubs (Bracher et al. 2021, section 2)."""


def crps(draws: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of the empirical distribution of the draws, (N,).

    mean |X - y| - sum over i, j of |X_i - X_j| / (2 S^2): the score of the S draws as they stand,
    not the unbiased estimate for the distribution behind them (which divides by 2 S (S - 1)).
    For one draw it is the absolute error. In the unit of the counts.
    Cost O(N S log S). Paper: Gneiting and Raftery 2007, equation 21.
    """
    x, y = checked(draws, observed)
    return _crps(np.sort(x, axis=1), y)


def threshold_weighted_crps(draws: np.ndarray, observed: np.ndarray, threshold: float) -> np.ndarray:
    """CRPS of what lies above a threshold t, (N,): that of max(X, t) and max(y, t).

    The integral of the CRPS over the values from t on: for counts the sum of the Brier scores of
    "more than k" over k = t, t + 1, ... A forecast loses nothing below t as long as it says that it is
    below. Chaining keeps it proper; the CRPS of the cells whose outcome turned out large would not be,
    since it rewards whoever forecasts large counts everywhere. For the same reason t must not
    depend on what was observed at the targets. In the unit of the counts; at t = -inf it is the CRPS.
    Papers: Gneiting and Ranjan 2011; chaining: Allen, Ginsbourger and Ziegel 2023.
    """
    if not threshold < np.inf:
        raise UsageError(f"the threshold of the CRPS is {threshold}; expected a number, from which on counts matter.")
    x, y = checked(draws, observed)
    x = np.sort(x, axis=1)
    return _crps(np.maximum(x, threshold, out=x), np.maximum(y, threshold))


def wide_probability(count: np.ndarray) -> np.ndarray:
    """p0(y) = 1 / ((y + 1) (y + 2)) on y = 0, 1, 2, ...: sums to 1, no mean, needs no data."""
    y = np.asarray(count, dtype=float)
    return 1 / ((y + 1) * (y + 2))


def log_score(draws: np.ndarray, observed: np.ndarray, weight: float = LOG_WEIGHT) -> np.ndarray:
    """Minus the log of the probability that the draws give to the observed count, (N,), in nats.

    -log((#{X = y} + a p0(y)) / (S + a)) with a = `weight` and p0 = `wide_probability`: without the
    wide distribution a count that no draw shows would score infinity, and the ranking would be
    decided by the number of draws. Forecasts are compared at the same S. For counts only.
    """
    x, y = checked(draws, observed)
    if (y < 0).any() or (y != np.floor(y)).any():
        raise UsageError("log_score is for counts; an observation is negative or not a whole number.")
    hits = (x == y[:, None]).sum(axis=1)
    return -np.log((hits + weight * wide_probability(y)) / (x.shape[1] + weight))


def brier(probability: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """(p - 1[happened])^2, (N,): half of Brier's original two-class sum, as is now usual."""
    return (np.asarray(probability, dtype=float) - np.asarray(happened, dtype=float)) ** 2


def brier_active(draws: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Brier score of "at least one event": p is the share of draws above 0, (N,)."""
    return brier_at_least(draws, observed, 1)


def brier_at_least(draws: np.ndarray, observed: np.ndarray, threshold: float) -> np.ndarray:
    """Brier score of "threshold or more", (N,).

    The threshold must not depend on what was observed at the target, or the score is not proper.
    """
    x, y = checked(draws, observed)
    return brier((x >= threshold).mean(axis=1), y >= threshold)


def quantiles(draws: np.ndarray, probabilities: Sequence[float]) -> np.ndarray:
    """(N, K) quantiles of the empirical distribution: its smallest draw with at least that share at or below.

    No interpolation, so quantiles of counts are counts.
    """
    x = np.sort(np.asarray(draws, dtype=float), axis=1)
    return x[:, ranks(probabilities, x.shape[1]) - 1]


def ranks(probabilities: Sequence[float], size: int) -> np.ndarray:
    """(K,) which of `size` sorted draws, counted from 1, are the quantiles."""
    # The small allowance keeps .07 * 100 = 7.000000000000001 at the seventh draw.
    return np.clip(np.ceil(np.asarray(probabilities, dtype=float) * size - 1e-9).astype(int), 1, size)


def weighted_interval(draws: np.ndarray, observed: np.ndarray, levels: Sequence[float] = INTERVAL_LEVELS) -> np.ndarray:
    """Weighted interval score from the median and the central 1 - alpha intervals of the draws, (N,).

    (|y - median| / 2 + sum_k alpha_k / 2 IS_k) / (K + 1/2), where IS_k = width + 2 / alpha_k times
    the distance by which y misses the interval. It tends to the CRPS as the levels fill (0, 1).
    Paper: Bracher, Ray, Gneiting and Reich 2021, equation 1.
    """
    x, y = checked(draws, observed)
    alpha = np.asarray(levels, dtype=float)
    edges = quantiles(x, [0.5, *(alpha / 2), *(1 - alpha / 2)])
    median, low, high = edges[:, 0], edges[:, 1 : 1 + len(alpha)], edges[:, 1 + len(alpha) :]
    y = y[:, None]
    missed = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    intervals = (alpha / 2 * (high - low) + missed).sum(axis=1)
    return (np.abs(y[:, 0] - median) / 2 + intervals) / (len(alpha) + 0.5)


def interval_covers(draws: np.ndarray, observed: np.ndarray, level: float) -> np.ndarray:
    """Whether the central interval that holds at least `level` of the draws holds the observation, (N,) bool.

    With counts it holds more than `level` of the distribution, most of all where zeros abound.
    """
    x, y = checked(draws, observed)
    edges = quantiles(x, [(1 - level) / 2, (1 + level) / 2])
    return (edges[:, 0] <= y) & (y <= edges[:, 1])


@dataclass(frozen=True)
class Score:
    """A score as `compare` uses it: cell losses, and how two forecasters' sums are set against each other.

    relative : "ratio" gives skill 1 - sum / sum of the reference; "difference" gives the mean
    difference, for scores whose zero means nothing (the log score).
    """

    name: str
    title: str
    losses: Callable[[np.ndarray, np.ndarray], np.ndarray]
    relative: str = "ratio"


CRPS = Score("crps", "CRPS", crps)
LOG = Score("log", "log score", log_score, "difference")
BRIER = Score("brier", "Brier, active", brier_active)
INTERVAL = Score("interval", "weighted interval", weighted_interval)
CELL_SCORES = (CRPS, LOG, BRIER, INTERVAL)


def _crps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """CRPS of draws in rising order, (N, S), written over: two more such arrays cost more than the sorting."""
    size = x.shape[1]
    # In sorted order x_(i) is the larger of i - 1 pairs and the smaller of S - i.
    rank = 2.0 * np.arange(1, size + 1) - size - 1
    spread = x @ rank / size**2
    x -= y[:, None]
    return np.abs(x, out=x).mean(axis=1) - spread


def checked(draws: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draws (N, S) and observations (N,) as finite float64; UsageError otherwise."""
    x, y = np.asarray(draws, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] == 0 or y.shape != x.shape[:1]:
        raise UsageError(f"draws have shape {x.shape} and observations {y.shape}; expected (N, S) and (N,), S above 0.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UsageError(
            "a draw or an observation is missing or infinite; a score needs numbers, so fill or leave out."
        )
    return x, y
