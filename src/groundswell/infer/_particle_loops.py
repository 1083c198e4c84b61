"""What a filter looks up and draws over many histories at once, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models._elementary_loops import weighed


@njit(cache=True, nogil=True)
def noted_of(place, column, noted_count, noted_place, noted):
    """(S,) the column of today's notes at `place`, 0 where nothing is noted."""
    out = np.zeros(len(noted_count))
    for h in range(len(noted_count)):
        for i in range(noted_count[h]):
            if noted_place[h, i] == place:
                out[h] = noted[h, i, column]
    return out


@njit(cache=True, nogil=True)
def put_note(place, column, values, noted_count, noted_place, noted):
    """Put values, (S,), into the column of today's notes at `place`, where there are some."""
    for h in range(len(noted_count)):
        for i in range(noted_count[h]):
            if noted_place[h, i] == place:
                noted[h, i, column] = values[h]


@njit(cache=True, nogil=True)
def weights_of_persons(log_weight, low, step, most):
    """exp(log_weight) at 0..most persons, from nodes low + i step of log(persons + 1/2), by cubic interpolation."""
    out = np.empty(most + 1)
    last = len(log_weight) - 3
    for persons in range(most + 1):
        at = (math.log(persons + 0.5) - low) / step
        i = min(max(int(at), 1), last)
        x = at - i
        a, b, c, d = log_weight[i - 1], log_weight[i], log_weight[i + 1], log_weight[i + 2]
        out[persons] = math.exp(
            b + 0.5 * x * (c - a + x * (2.0 * a - 5.0 * b + 4.0 * c - d + x * (3.0 * (b - c) + d - a)))
        )
    return out


@njit(cache=True, nogil=True)
def with_more(table, chance, least):
    """(J, A + 1) the table's mean weight if a more are to come with chance[j, a], and never below `least`.

    Made at every entry up to 10, then at ever fewer, and linear between. The table's last entry stands for all beyond.
    """
    last = len(table) - 1
    padded = np.full(last + chance.shape[1], table[last])
    padded[: last + 1] = table
    out = np.empty((len(chance), last + 1))
    for j in range(len(chance)):
        reach = chance.shape[1]
        while chance[j, reach - 1] <= 1e-9:
            reach -= 1
        at, before = 0, 0
        while True:
            out[j, at] = max(weighed(chance[j, :reach], padded[at : at + reach]), least)
            for between in range(before + 1, at):
                part = (between - before) / (at - before)
                out[j, between] = out[j, before] + part * (out[j, at] - out[j, before])
            if at == last:
                break
            before, at = at, min(at + 1 + at // 10, last)
    return out


@njit(cache=True, nogil=True)
def summed(log_weight):
    """The largest log weight, and the sums of the weights over it and of their squares; NaN if one is NaN."""
    top, total, squares = -math.inf, 0.0, 0.0
    for log in log_weight:
        if math.isnan(log):
            return math.nan, 0.0, 0.0
        top = max(top, log)
    for log in log_weight:
        weight = math.exp(log - top) if log > -math.inf else 0.0
        total += weight
        squares += weight * weight
    return top, total, squares


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
