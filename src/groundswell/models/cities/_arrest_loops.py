"""Arrests that act after a lag, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def arrested(
    day, rates, per_100k, hurt, hurt_day, hurt_total, hurt_waiting, total_waiting, noted_count, noted_place, noted
):  # fmt: skip
    """Arrests noted today join the stocks or, at a lag above one day, take the stead of those of lag - 1 days ago."""
    today = np.empty(len(per_100k))
    for h in range(len(hurt)):
        today[:] = 0.0
        total = 0.0
        for i in range(noted_count[h]):
            today[noted_place[h, i]] = noted[h, i, 1] / per_100k[noted_place[h, i]]
            total += noted[h, i, 1] / rates.population
        if total_waiting.shape[1] > 0:
            slot = day % total_waiting.shape[1]
            total, total_waiting[h, slot] = total_waiting[h, slot], total
        hurt_total[h] += total
        for p in range(len(today)):
            joining = today[p]
            if hurt_waiting.shape[1] > 0:
                slot = day % hurt_waiting.shape[1]
                joining, hurt_waiting[h, slot, p] = hurt_waiting[h, slot, p], joining
            if joining > 0.0:
                hurt[h, p] = hurt[h, p] * rates.crackdown_memory ** (day - hurt_day[h, p]) + joining
                hurt_day[h, p] = day
