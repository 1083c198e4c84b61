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
    columns = np.empty(starts[-1], np.int64)
    values = np.empty(starts[-1])
    n = 0
    for r in range(table.shape[0]):
        for c in range(table.shape[1]):
            if table[r, c] != 0:
                columns[n], values[n] = c, table[r, c]
                n += 1
    return starts, columns, values


@njit(cache=True)
def energy(draws, observed):
    """Energy score of (D, S) draws and (D,) observations.

    The squared distance of two draws is the sum of their squared norms less twice their product, and a place
    counts in the product only where both draws are above 0. For whole numbers nothing is lost to rounding.
    """
    places, size = draws.shape
    near = 0.0
    norm = np.zeros(size)
    for s in range(size):
        square = 0.0
        for d in range(places):
            norm[s] += draws[d, s] ** 2
            square += (draws[d, s] - observed[d]) ** 2
        near += math.sqrt(square)
    starts, active, count = lists(draws.T.copy())
    place_starts, draw, value = lists(draws)
    spread = 0.0
    product = np.empty(size)
    for s in range(size):
        product[:s] = 0.0
        for n in range(starts[s], starts[s + 1]):
            place = active[n]
            for m in range(place_starts[place], place_starts[place + 1]):
                if draw[m] >= s:
                    break
                product[draw[m]] += count[n] * value[m]
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
    draw_starts, active, count = lists(draws.T.copy())
    raised = np.array([power(abs(x), order) for x in value])
    raised_count = np.array([power(abs(x), order) for x in count])
    mean = np.zeros(places)
    for i in range(places):
        for n in range(starts[i], starts[i + 1]):
            mean[i] += raised[n] / size
    total = 0.0
    both = np.empty(places)
    for i in range(places):
        both[:i] = 0.0
        for n in range(starts[i], starts[i + 1]):
            s = draw[n]
            for m in range(draw_starts[s], draw_starts[s + 1]):
                if active[m] >= i:
                    break
                both[active[m]] += power(abs(value[n] - count[m]), order) - raised[n] - raised_count[m]
        for j in range(i):
            expected = mean[i] + mean[j] + both[j] / size
            weight = weights[i, j] + weights[j, i] if weights.size else 2.0
            total += weight * (power(abs(observed[i] - observed[j]), order) - expected) ** 2
    return total
