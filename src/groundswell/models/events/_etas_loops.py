"""Compiled loops of `etas`: every pair of an event and an earlier one, visited and not stored.

Symbols: a = 1 + (t - t_j) / c, b = 1 + r^2 / sigma_j, w = scale_j a^-p b^-q, what event j with offspring 1 adds at the
later moment. The slow twins are in tests/naive/etas.py.

A pair needs two logarithms and a power: polynomials to base 2, so that pairs are worked on four at a time, 3 times as
fast (measured). The sums are compiled with reassociation; their order is fixed at compile time.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models._elementary_loops import LN2, exp2, log2

SUMS = {"reassoc", "contract", "nsz"}

TURN = 2 * math.pi


@njit(cache=True, nogil=True, fastmath=SUMS, error_model="numpy")
def _raised(time, x, y, excess, log_scale, per_area, count, t, at_x, at_y, per_day, p, q):
    """Sums over the first `count` events of w times 1, excess, log2 a, 1 / a, log2 b, 1 / b and excess / b.

    log_scale : (N,) log2 of scale_j. per_area, per_day : 1 / sigma_j (N,) and 1 / c.
    """
    s = s_excess = s_log_a = s_a = s_log_b = s_b = s_excess_b = 0.0
    for j in range(count):
        a = 1.0 + (t - time[j]) * per_day
        b = 1.0 + ((at_x - x[j]) ** 2 + (at_y - y[j]) ** 2) * per_area[j]
        log_a, log_b = log2(a), log2(b)
        w = exp2(log_scale[j] - p * log_a - q * log_b)
        w_b = w / b
        s += w
        s_excess += w * excess[j]
        s_log_a += w * log_a
        s_a += w / a
        s_log_b += w * log_b
        s_b += w_b
        s_excess_b += w_b * excess[j]
    return s, s_excess, s_log_a, s_a, s_log_b, s_b, s_excess_b


@njit(cache=True, nogil=True)
def weigh(
    time, x, y, excess, log_scale, per_area, days, at_x, at_y, earlier, unprompted, offspring, per_day, p, q, rates
):  # fmt: skip
    """Rates at K moments (K,), filled in, and the sums of the seven parts of `_raised` over rate, (7,).

    unprompted : (K,) the background there. earlier : (K,) how many of the events, sorted by time, were before.
    Cost O(sum of earlier).
    """
    total = np.zeros(7)
    for k in range(len(days)):
        parts = _raised(
            time, x, y, excess, log_scale, per_area, earlier[k], days[k], at_x[k], at_y[k], per_day, p, q
        )  # fmt: skip
        rates[k] = unprompted[k] + offspring * parts[0]
        inverse = 1.0 / max(rates[k], 1e-300)
        for n in range(7):
            total[n] += parts[n] * inverse
    return total


@njit(cache=True, nogil=True, fastmath=SUMS, error_model="numpy")
def _attributed(
    time, x, y, excess, then_scale, then_per_area, per_area, count, t, at_x, at_y, then_per_day, then_p, then_q, per_day
):  # fmt: skip
    """The sums of `_raised`, with w at other parameters, `then`, than those of what it is multiplied with."""
    s = s_excess = s_log_a = s_a = s_log_b = s_b = s_excess_b = 0.0
    for j in range(count):
        days, square = t - time[j], (at_x - x[j]) ** 2 + (at_y - y[j]) ** 2
        then_a, then_b = 1.0 + days * then_per_day, 1.0 + square * then_per_area[j]
        w = exp2(then_scale[j] - then_p * log2(then_a) - then_q * log2(then_b))
        a, b = 1.0 + days * per_day, 1.0 + square * per_area[j]
        w_b = w / b
        s += w
        s_excess += w * excess[j]
        s_log_a += w * log2(a)
        s_a += w / a
        s_log_b += w * log2(b)
        s_b += w_b
        s_excess_b += w_b * excess[j]
    return s, s_excess, s_log_a, s_a, s_log_b, s_b, s_excess_b


@njit(cache=True, nogil=True)
def weigh_attributed(
    time, x, y, excess, then_scale, then_per_area, per_area, days, at_x, at_y, earlier, share, then_per_day, then_p,
    then_q, per_day,
):  # fmt: skip
    """The seven sums of `_attributed` at K moments, each times share (K,), added up, (7,)."""
    total = np.zeros(7)
    for k in range(len(days)):
        parts = _attributed(
            time, x, y, excess, then_scale, then_per_area, per_area, earlier[k], days[k], at_x[k], at_y[k],
            then_per_day, then_p, then_q, per_day,
        )  # fmt: skip
        for n in range(7):
            total[n] += parts[n] * share[k]
    return total


@njit(cache=True, nogil=True, fastmath=SUMS, error_model="numpy")
def _products(time, x, y, excess, log_scale, per_area, count, t, at_x, at_y, per_day, p, q, out):
    """Sums over the first `count` events of w times each product of two of the seven terms of `_raised`.

    Fills the upper half of out (7, 7). Written out: a matrix in the loop would keep it scalar.
    """
    s00 = s01 = s02 = s03 = s04 = s05 = s06 = 0.0
    s11 = s12 = s13 = s14 = s16 = s22 = s23 = 0.0
    s24 = s25 = s26 = s33 = s34 = s35 = s36 = 0.0
    s44 = s45 = s46 = s55 = s56 = s66 = 0.0
    for j in range(count):
        a = 1.0 + (t - time[j]) * per_day
        b = 1.0 + ((at_x - x[j]) ** 2 + (at_y - y[j]) ** 2) * per_area[j]
        log_a, log_b, inverse_a, inverse_b = log2(a), log2(b), 1.0 / a, 1.0 / b
        excess_b = excess[j] * inverse_b
        w = exp2(log_scale[j] - p * log_a - q * log_b)
        w_excess, w_log_a, w_a, w_log_b = w * excess[j], w * log_a, w * inverse_a, w * log_b
        w_b, w_excess_b = w * inverse_b, w * excess_b
        s00 += w
        s01 += w_excess
        s02 += w_log_a
        s03 += w_a
        s04 += w_log_b
        s05 += w_b
        s06 += w_excess_b
        s11 += w_excess * excess[j]
        s12 += w_log_a * excess[j]
        s13 += w_a * excess[j]
        s14 += w_log_b * excess[j]
        s16 += w_excess_b * excess[j]
        s22 += w_log_a * log_a
        s23 += w_a * log_a
        s24 += w_log_b * log_a
        s25 += w_b * log_a
        s26 += w_excess_b * log_a
        s33 += w_a * inverse_a
        s34 += w_log_b * inverse_a
        s35 += w_b * inverse_a
        s36 += w_excess_b * inverse_a
        s44 += w_log_b * log_b
        s45 += w_b * log_b
        s46 += w_excess_b * log_b
        s55 += w_b * inverse_b
        s56 += w_excess_b * inverse_b
        s66 += w_excess_b * excess_b
    out[0, 0], out[0, 1], out[0, 2], out[0, 3], out[0, 4], out[0, 5], out[0, 6] = s00, s01, s02, s03, s04, s05, s06
    out[1, 1], out[1, 2], out[1, 3], out[1, 4], out[1, 5], out[1, 6] = s11, s12, s13, s14, s06, s16
    out[2, 2], out[2, 3], out[2, 4], out[2, 5], out[2, 6] = s22, s23, s24, s25, s26
    out[3, 3], out[3, 4], out[3, 5], out[3, 6] = s33, s34, s35, s36
    out[4, 4], out[4, 5], out[4, 6] = s44, s45, s46
    out[5, 5], out[5, 6] = s55, s56
    out[6, 6] = s66


@njit(cache=True, nogil=True)
def weigh_products(
    time, x, y, excess, log_scale, per_area, days, at_x, at_y, earlier, unprompted, spread, offspring, per_day, p, q
):  # fmt: skip
    """What second derivatives need: sums over K moments of the products over rate (7, 7), and (8, 8) of the parts.

    The latter are (spread, the seven parts of `_raised`), their products over rate squared; spread (K,) is
    unprompted / background. Cost that of two calls of `weigh` (measured).
    """
    total, squares = np.zeros((7, 7)), np.zeros((8, 8))
    each, parts = np.zeros((7, 7)), np.zeros(8)
    for k in range(len(days)):
        _products(
            time, x, y, excess, log_scale, per_area, earlier[k], days[k], at_x[k], at_y[k], per_day, p, q, each
        )  # fmt: skip
        inverse = 1.0 / max(unprompted[k] + offspring * each[0, 0], 1e-300)
        parts[0] = spread[k]
        parts[1:] = each[0]
        for n in range(8):
            for m in range(n, 8):
                squares[n, m] += parts[n] * parts[m] * inverse * inverse
        for n in range(7):
            for m in range(n, 7):
                total[n, m] += each[n, m] * inverse
    for n in range(8):
        for m in range(n):
            squares[n, m] = squares[m, n]
            if n < 7:
                total[n, m] = total[m, n]
    return total, squares


@njit(cache=True, nogil=True, fastmath=SUMS, error_model="numpy")
def _beyond(square, weight, start, end, per_area, q):
    """Sums over boundary nodes of weight b^(1 - q) times 1, 1 / b and log2 b; squares of distances."""
    s = s_b = s_log = 0.0
    for n in range(start, end):
        b = 1.0 + square[n] * per_area
        log_b = log2(b)
        part = weight[n] * exp2((1.0 - q) * log_b)
        s += part
        s_b += part / b
        s_log += part * log_b
    return s, s_b, s_log


@njit(cache=True, nogil=True)
def seen(square, weight, first, whole, per_area, q, share, by_log_area, by_q):
    """Fill in the share (E,) of each event's reach that lies in the region, and its slopes in log sigma and q.

    F(r) = (1 - b^(1 - q)) / 2 pi along the boundary (`cubature`); whole : (E,) sums of the weights, 2 pi inside.
    """
    for e in range(len(share)):
        s, s_b, s_log = _beyond(square, weight, first[e], first[e + 1], per_area[e], q)
        share[e] = (whole[e] - s) / TURN
        by_log_area[e] = -(q - 1.0) * (s - s_b) / TURN
        by_q[e] = LN2 * s_log / TURN


@njit(cache=True, nogil=True)
def parts(time, x, y, log_scale, per_area, inside, row, earlier, unprompted, offspring, per_day, p, q, least):
    """Who may have set off whom: later (N,), earlier (N,), what it adds (N,), and (K,) what came from elsewhere.

    row : (K,) which of the events are weighed. inside : (N events,) their number among those, -1 for the others.
    Pairs that add less than `least` of the later event's rate are left out.
    """
    later, parent, added = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024)
    elsewhere, each = np.zeros(len(row)), np.empty(len(time))
    used = 0
    for k in range(len(row)):
        i, rate = row[k], unprompted[k]
        for j in range(earlier[k]):
            b = 1.0 + ((x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2) * per_area[j]
            a = 1.0 + (time[i] - time[j]) * per_day
            each[j] = offspring * exp2(log_scale[j] - p * log2(a) - q * log2(b))
            rate += each[j]
        for j in range(earlier[k]):
            if inside[j] < 0:
                elsewhere[k] += each[j]
            elif each[j] > 0.0 and each[j] >= least * rate:
                if used == len(later):
                    later, parent, added = np.append(later, later), np.append(parent, parent), np.append(added, added)
                later[used], parent[used], added[used] = k, inside[j], each[j]
                used += 1
    return later[:used], parent[:used], added[:used], elsewhere


@njit(cache=True, nogil=True)
def released(time, expected, days, per_day, p):
    """(K,) expected offspring of all events from day 0 to each of the `days`; expected : (E,) in the region, ever."""
    out = np.zeros(len(days))
    for j in range(len(time)):
        start = max(0.0, time[j])
        still = (1.0 + (start - time[j]) * per_day) ** (1.0 - p)
        for k in range(len(days)):
            if days[k] > start:
                out[k] += expected[j] * (still - (1.0 + (days[k] - time[j]) * per_day) ** (1.0 - p))
    return out
