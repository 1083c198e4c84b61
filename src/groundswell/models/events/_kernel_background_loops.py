"""Sums of Gaussian kernels at points; see `kernel_background`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def kernels(at, points, narrow, peak, furthest):
    """(K,) sums over the points of peak exp(-narrow r^2), those with narrow r^2 above `furthest` left out."""
    out = np.zeros(len(at))
    for k in range(len(at)):
        for j in range(len(points)):
            u = narrow[j] * ((at[k, 0] - points[j, 0]) ** 2 + (at[k, 1] - points[j, 1]) ** 2)
            if u <= furthest:
                out[k] += peak[j] * math.exp(-u)
    return out
