"""Closed forms of a self-exciting process in time: its rate in the long run, and the size of its clusters."""

from __future__ import annotations

import math

import numpy as np


def stationary_rate(background: float, branching_ratio: float) -> float:
    """Events a day in the long run, background / (1 - n); infinite for n of 1 or more."""
    return background / (1 - branching_ratio) if branching_ratio < 1 else math.inf


def cluster_size(branching_ratio: float, size: np.ndarray | int) -> np.ndarray:
    """Probability that an event with all its descendants makes `size` events (Borel distribution).

    exp(-n k) (n k)^(k - 1) / k!, mean 1 / (1 - n). For n above 1 the probabilities sum to less than 1:
    the rest is the chance that the cluster never ends.
    """
    from scipy.special import gammaln, xlogy

    k = np.asarray(size, dtype=float)
    return np.exp(-branching_ratio * k + xlogy(k - 1, branching_ratio * k) - gammaln(k + 1))
