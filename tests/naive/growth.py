"""Dominant eigenvalues the obvious way: the companion matrix of every step and all its eigenvalues."""

from __future__ import annotations

import numpy as np


def by_step(
    within: np.ndarray, between: np.ndarray, passed_on: np.ndarray, own: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """See `Growth`; passed_on has the receiver by row."""
    places, steps = within.shape
    lags = len(own)
    out = np.zeros(steps)
    for t in range(steps):
        companion = np.zeros((places * lags, places * lags))
        for lag in range(lags):
            for i in range(places):
                if lag:
                    companion[lag * places + i, (lag - 1) * places + i] = 1
                companion[i, lag * places + i] += own[lag] * within[i, t]
                for j in range(places):
                    companion[i, lag * places + j] += others[lag] * between[i, t] * passed_on[i, j]
        out[t] = np.abs(np.linalg.eigvals(companion)).max()
    return out
