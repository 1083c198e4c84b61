"""Compiled loop of `interaction`."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def close_in_time(
    first: np.ndarray, second: np.ndarray, band: np.ndarray, bands: int, days: np.ndarray, within: np.ndarray
) -> np.ndarray:
    """(bands, T) pairs by band of distance and by the first of the rising limits `within` (T,) that holds their lag."""
    counts = np.zeros((bands, len(within)), dtype=np.int64)
    for k in range(len(first)):
        lag = abs(days[first[k]] - days[second[k]])
        for n in range(len(within)):
            if lag <= within[n]:
                counts[band[k], n] += 1
                break
    return counts
