"""Pairs of events near enough in space and time for the earlier to have triggered the later."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def pairs(time, x, y, kind, furthest, longest):
    """later (N,), earlier (N,), km (N,), days (N,); events sorted by time, those at the same moment no pair."""
    later, earlier = np.empty(1024, np.int64), np.empty(1024, np.int64)
    km, days = np.empty(1024), np.empty(1024)
    used, first = 0, 0
    for i in range(len(time)):
        while time[i] - time[first] > longest:
            first += 1
        for j in range(first, i):
            if time[j] < time[i] and kind[j] == kind[i]:
                square = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2
                if square <= furthest * furthest:
                    if used == len(later):
                        later, earlier = np.append(later, later), np.append(earlier, earlier)
                        km, days = np.append(km, km), np.append(days, days)
                    later[used], earlier[used] = i, j
                    km[used], days[used] = math.sqrt(square), time[i] - time[j]
                    used += 1
    return later[:used], earlier[:used], km[:used], days[:used]
