"""Compiled loops of the joint scores; they walk through the counts above 0 alone, which are few by day and place."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def lists(table):
    """The entries of an (R, C) table that are not 0, row by row: (starts (R + 1,), columns, values)."""
    starts = np.zeros(table.shape[0] + 1, np.int64)
    for r in range(table.shape[0]):
        found = 0
        for c in range(table.shape[1]):
            found += table[r, c] != 0
        starts[r + 1] = starts[r] + found
    columns = np.empty(starts[-1], np.int32)
    values = np.empty(starts[-1])
    n = 0
    for r in range(table.shape[0]):
        for c in range(table.shape[1]):
            if table[r, c] != 0:
                columns[n], values[n] = c, table[r, c]
                n += 1
    return starts, columns, values


@njit(cache=True)
def turned(width, starts, columns, values):
    """The same entries column by column: (starts (C + 1,), rows, values), rows rising."""
    ends = np.zeros(width + 1, np.int64)
    for c in columns:
        ends[c + 1] += 1
    ends = np.cumsum(ends)
    at = ends.copy()
    rows = np.empty(len(columns), np.int32)
    again = np.empty(len(columns))
    for r in range(len(starts) - 1):
        for n in range(starts[r], starts[r + 1]):
            m = at[columns[n]]
            rows[m], again[m] = r, values[n]
            at[columns[n]] += 1
    return ends, rows, again


@njit(cache=True)
def energy(draws, observed):
    """Energy score of (D, S) draws and (D,) observations.

    A squared distance is the sum of the squared norms less twice the product, and a place counts in the
    product only where both sides are above 0. For whole numbers nothing is lost to rounding.
    """
    size = draws.shape[1]
    starts, draw, value = lists(draws)
    draw_starts, active, count = turned(size, starts, draw, value)
    seen = (observed**2).sum()
    norm = np.zeros(size)
    product = np.empty(size)
    end = starts[:-1].copy()  # of the draws before this one in each place's list
    near, spread = 0.0, 0.0
    for s in range(size):
        product[:s] = 0.0
        with_seen = 0.0
        for n in range(draw_starts[s], draw_starts[s + 1]):
            place = active[n]
            norm[s] += count[n] ** 2
            with_seen += count[n] * observed[place]
            for m in range(starts[place], end[place]):
                product[draw[m]] += count[n] * value[m]
            end[place] += 1
        near += math.sqrt(max(norm[s] + seen - 2 * with_seen, 0.0))
        for other in range(s):
            spread += math.sqrt(max(norm[s] + norm[other] - 2 * product[other], 0.0))
    return near / size - spread / size**2


@njit(cache=True)
def power(distance, order):
    """distance^order; the square root, which is the usual order, is some ten times faster than a power."""
    return math.sqrt(distance) if order == 0.5 else distance**order


@njit(cache=True)
def variogram(draws, observed, weights, order):
    """Variogram score of (D, S) draws and (D,) observations; weights (D, D), or (0, 0) for 1 each.

    Where at most one of two places is above 0 in a draw, |a - b|^p is a^p + b^p: the mean of that over all
    draws is corrected in the draws where both are.
    """
    places, size = draws.shape
    starts, draw, value = lists(draws)
    draw_starts, active, count = turned(size, starts, draw, value)
    raised = np.array([power(abs(x), order) for x in count])
    mean = np.zeros(places)
    for n in range(len(active)):
        mean[active[n]] += raised[n] / size
    total = 0.0
    both = np.empty(places)
    end = draw_starts[:-1].copy()  # of the places before this one in each draw's list
    for i in range(places):
        both[:i] = 0.0
        for n in range(starts[i], starts[i + 1]):
            own, s = power(abs(value[n]), order), draw[n]
            for m in range(draw_starts[s], end[s]):
                apart = abs(value[n] - count[m])
                both[active[m]] += (power(apart, order) if apart else 0.0) - own - raised[m]
            end[s] += 1
        for j in range(i):
            expected = mean[i] + mean[j] + both[j] / size
            apart = abs(observed[i] - observed[j])
            weight = weights[i, j] + weights[j, i] if weights.size else 2.0
            total += weight * ((power(apart, order) if apart else 0.0) - expected) ** 2
    return total
