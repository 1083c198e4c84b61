"""Running totals of what claims speak of, over many histories at once, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def tally(day, noted_count, noted_place, noted, column, first, last, member, distinct, totals, seen):
    """Add today's notes to the totals (S, C) of the counters whose days hold `day`.

    A counter sums column[c] over member places (C, P), or, where distinct[c] >= 0, counts the member
    places in which it was above 0 at least once, remembered in seen (S, D, P).
    """
    for c in range(len(column)):
        if day < first[c] or day > last[c]:
            continue
        for h in range(len(noted_count)):
            for i in range(noted_count[h]):
                value = noted[h, i, column[c]]
                place = noted_place[h, i]
                if value <= 0.0 or not member[c, place]:
                    continue
                if distinct[c] < 0:
                    totals[h, c] += value
                elif not seen[h, distinct[c], place]:
                    seen[h, distinct[c], place] = True
                    totals[h, c] += 1.0


@njit(cache=True, nogil=True)
def noted_at(place, noted_count, noted_place):
    """(S,) row of today's notes that speaks of `place`, -1 for none."""
    rows = np.full(len(noted_count), -1)
    for h in range(len(noted_count)):
        for i in range(noted_count[h]):
            if noted_place[h, i] == place:
                rows[h] = i
    return rows


@njit(cache=True, nogil=True)
def systematic(weights, start, count):
    """Systematic resampling: (count,) ancestors from weights that sum to 1 and one uniform in [0, 1)."""
    ancestors = np.empty(count, np.int64)
    passed = weights[0]
    i = 0
    for k in range(count):
        at = (k + start) / count
        while at > passed and i < len(weights) - 1:
            i += 1
            passed += weights[i]
        ancestors[k] = i
    return ancestors
