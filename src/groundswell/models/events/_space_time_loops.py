"""Pairs of events near enough in space and time for the earlier to have triggered the later."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def pairs(at_time, at_x, at_y, at_kind, time, x, y, kind, furthest, longest):
    """later (N,), earlier (N,), km (N,), days (N,): events strictly before a point, within reach and of its kind.

    Points (at_...) and events sorted by time.
    """
    later, earlier = np.empty(1024, np.int64), np.empty(1024, np.int64)
    km, days = np.empty(1024), np.empty(1024)
    used, first = 0, 0
    for i in range(len(at_time)):
        while first < len(time) and at_time[i] - time[first] > longest:
            first += 1
        j = first
        while j < len(time) and time[j] < at_time[i]:
            if kind[j] == at_kind[i]:
                square = (at_x[i] - x[j]) ** 2 + (at_y[i] - y[j]) ** 2
                if square <= furthest * furthest:
                    if used == len(later):
                        later, earlier = np.append(later, later), np.append(earlier, earlier)
                        km, days = np.append(km, km), np.append(days, days)
                    later[used], earlier[used] = i, j
                    km[used], days[used] = math.sqrt(square), at_time[i] - time[j]
                    used += 1
            j += 1
    return later[:used], earlier[:used], km[:used], days[:used]
