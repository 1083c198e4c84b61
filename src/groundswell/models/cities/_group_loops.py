"""Organised groups before the first day and after the daily window, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def start_groups(rng, mean, share, groups, groups_total):
    """Poisson numbers of groups by place, for every history."""
    histories, places = groups.shape
    for h in range(histories):
        total = 0.0
        for p in range(places):
            groups[h, p] = rng.poisson(mean * share[p])
            total += groups[h, p]
        groups_total[h] = total


@njit(cache=True, nogil=True)
def later_groups(rng, groups, step_days, recruitment, breakup, members, warned_per_member):
    """Groups after the window, in steps of given days: the day's rule with its rates times the step.

    groups : (S, U) at the window's end, by unit; units may lump places, since all rates are equal there and
    sums of such branching processes are one. Returns formed, broken_up, members_arrested, members_warned,
    each in the columns of (S, U, K, 4).
    """
    histories, units = groups.shape
    steps = len(step_days)
    out = np.zeros((histories, units, steps, 4))
    for h in range(histories):
        for u in range(units):
            alive = groups[h, u]
            for k in range(steps):
                if alive > 0.0:
                    broken = 0.0
                    for _ in range(rng.poisson(breakup * step_days[k] * alive)):
                        if rng.random() * alive >= broken:
                            broken += 1.0
                    formed = rng.poisson(recruitment * step_days[k] * alive)
                    alive += formed - broken
                    out[h, u, k, 0] = formed
                    out[h, u, k, 1] = broken
                arrested = members * out[h, u, k, 1]
                out[h, u, k, 2] = arrested
                out[h, u, k, 3] = rng.poisson(warned_per_member * arrested) if arrested > 0.0 else 0
    return out
