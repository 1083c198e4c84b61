"""Sums of Gaussian kernels at points; see `kernel_background`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def kernels(at, points, narrow, peak, furthest, own_point):
    """(K,) sums over the points of peak exp(-narrow r^2), those with narrow r^2 above `furthest` left out.

    Without own_point one point at distance 0 is left out too; others in the same place do count.
    """
    out = np.zeros(len(at))
    for k in range(len(at)):
        skip = not own_point
        for j in range(len(points)):
            u = narrow[j] * ((at[k, 0] - points[j, 0]) ** 2 + (at[k, 1] - points[j, 1]) ** 2)
            if u == 0.0 and skip:
                skip = False
            elif u <= furthest:
                out[k] += peak[j] * math.exp(-u)
    return out
