"""Compiled loop of `self_exciting_counts`: who may have set off whom, of events whose steps alone are known."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def pairs_by_step(place, step, own, across, share, same, arriving, inside):
    """later, earlier (N,), what the earlier adds to the later's chance (N,), and (E,) the chance of having arrived.

    place, step (E,) : steps never falling. own (P,), across (P, P) or (0, P) : offspring at the own place and, by
    sender, elsewhere. share (L,) : of them by steps later, from 1 to L, none beyond; same : within the step, elsewhere
    counted in the next. arriving, inside (E,) : what arrives at the event's place and step, and how probably an event
    there did not. Cost O(pairs up to L steps apart).
    """
    later, earlier, added = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024)
    arrived = np.ones(len(place))
    used = first = oldest = 0
    for i in range(len(place)):
        p = place[i]
        if step[first] != step[i]:
            first = i
        here = 0
        for j in range(first, i):
            here += place[j] == p
        if here > 0:
            arrived[i] = 1.0 - inside[i]
        while step[i] - step[oldest] > len(share):
            oldest += 1
        for j in range(oldest, i):
            lag, value = step[i] - step[j], 0.0
            if lag == 0:
                if place[j] == p:
                    value = arriving[i] * inside[i] / here
            elif place[j] == p:
                value = arrived[i] * own[p] * share[lag - 1]
            elif len(across) > 0:
                value = arrived[i] * across[place[j], p] * (share[lag - 1] + (same if lag == 1 else 0.0))
            if value != 0.0:
                if used == len(later):
                    later, earlier = np.append(later, later), np.append(earlier, earlier)
                    added = np.append(added, added)
                later[used], earlier[used], added[used] = i, j, value
                used += 1
    return later[:used], earlier[:used], added[:used], arrived
