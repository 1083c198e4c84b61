"""Compiled loop of counts scattered around means: their log density and its slopes. Arrays run (T, P), places last."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def counted(counts, mean, psi, exceeding):
    """Negative binomial log density of counts (T, P) less log y!, its slope in each mean, and its slope in psi.

    exceeding (max y,): cells with a count above k. Gamma(y + 1/psi) / Gamma(1/psi) psi^y is the product of
    1 + psi k over k < y, so those factors are counted over all cells beforehand. psi 0 is Poisson.
    """
    value, psi_slope = 0.0, 0.0
    slope = np.empty_like(mean)
    for k in range(1, len(exceeding)):
        value += exceeding[k] * math.log1p(psi * k)
        psi_slope += exceeding[k] * k / (1.0 + psi * k)
    for t in range(counts.shape[0]):
        for p in range(counts.shape[1]):
            y, m = counts[t, p], mean[t, p]
            x = psi * m
            log_part = math.log1p(x)
            if y > 0.0:
                if m <= 0.0:
                    return -math.inf, slope, 0.0
                value += y * (math.log(m) - log_part)
                slope[t, p] = y / m - (1.0 + psi * y) / (1.0 + x)
            else:
                slope[t, p] = -1.0 / (1.0 + x)
            # (log(1 + x) - x / (1 + x)) / x^2, by its series where the difference would cancel
            if x < 1e-3:
                value -= m * (1.0 - x * (0.5 - x * (1.0 / 3.0 - x * (0.25 - 0.2 * x))))
                bent = 0.5 - x * (2.0 / 3.0 - x * (0.75 - x * (0.8 - x * (5.0 / 6.0))))
            else:
                value -= log_part / psi
                bent = (log_part - x / (1.0 + x)) / (x * x)
            psi_slope += m * m * bent - y * m / (1.0 + x)
    return value, slope, psi_slope
