"""Compiled loops of the mobilisation model's density of place-day counts, forwards and backwards in time.

Arrays run (T, P), places last. Only active senders push and are pulled at: N place-days with events, from
Q places. What fades by the day is run forwards once for the mean and backwards once for the gradient (the
adjoint of the recursion), so the gradient in every parameter costs about as much as the value.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit


class Active(NamedTuple):
    """The place-days with events, day by day.

    first (T + 1,): where each day's rows begin. place, count (N,). sender (N,): the place's row among
    the Q places that were ever active.
    """

    first: np.ndarray
    place: np.ndarray
    count: np.ndarray
    sender: np.ndarray


@njit(cache=True, nogil=True)
def push(active, keep, within, between, media, share, weights):
    """(T, P) X: X_t = keep X_t-1 + what the events of day t push; weights (Q, P) of the senders' rows."""
    days, places = len(active.first) - 1, len(share)
    out = np.zeros((days, places))
    for t in range(days):
        row = out[t]
        if t > 0:
            for p in range(places):
                row[p] = keep * out[t - 1, p]
        total = 0.0
        for n in range(active.first[t], active.first[t + 1]):
            count = active.count[n]
            total += count
            row[active.place[n]] += within * count
            if between > 0.0:
                _add(row, weights[active.sender[n]], between * count)
        if media > 0.0:
            _add(row, share, media * total)
    return out


@njit(cache=True, nogil=True)
def pull(active, keep, pushed, slope, senders):
    """What a change of each push is worth: the adjoint of `push`.

    slope (T - 1, P): derivative of the log density in the push that acts on day 1..T-1. B_t = sum over u > t
    of keep^(u - 1 - t) slope_u is the worth of a push made on day t. Returns sum Y B at the events' own
    places, the sums of Y B by sender (Q, P) and by receiver (P,), and the derivative in keep.
    """
    days, places = pushed.shape
    worth = np.zeros(places)
    at_home, faded = 0.0, 0.0
    by_sender = np.zeros((senders, places))
    by_receiver = np.zeros(places)
    for t in range(days - 2, -1, -1):
        for p in range(places):
            worth[p] = slope[t, p] + keep * worth[p]
        if t > 0:
            for p in range(places):
                faded += pushed[t - 1, p] * worth[p]
        total = 0.0
        for n in range(active.first[t], active.first[t + 1]):
            count = active.count[n]
            total += count
            at_home += count * worth[active.place[n]]
            _add(by_sender[active.sender[n]], worth, count)
        _add(by_receiver, worth, total)
    return at_home, by_sender, by_receiver, faded


@njit(cache=True)
def _add(to, row, times):
    for p in range(len(to)):
        to[p] += times * row[p]


@njit(cache=True, nogil=True)
def fading(given, memory):
    """(T, P) S and dS/dmemory: S_t = memory S_t-1 + given_t."""
    stock, slope = given.copy(), np.zeros_like(given)
    for t in range(1, len(given)):
        for p in range(given.shape[1]):
            stock[t, p] += memory * stock[t - 1, p]
            slope[t, p] = stock[t - 1, p] + memory * slope[t - 1, p]
    return stock, slope


@njit(cache=True, nogil=True)
def counted(counts, mean, psi, exceeding):
    """Negative binomial log density of counts (T, P) less log y!, its slope in each mean, and its slope in psi.

    exceeding (max y,): cells with a count above k. Gamma(y + 1/psi) / Gamma(1/psi) psi^y is the product of
    1 + psi k over k < y, so those factors are counted over all cells beforehand. psi 0 is Poisson.
    """
    value, psi_slope = 0.0, 0.0
    slope = np.empty_like(mean)
    for k in range(1, len(exceeding)):
        value += exceeding[k] * math.log1p(psi * k)
        psi_slope += exceeding[k] * k / (1.0 + psi * k)
    for t in range(counts.shape[0]):
        for p in range(counts.shape[1]):
            y, m = counts[t, p], mean[t, p]
            x = psi * m
            log_part = math.log1p(x)
            if y > 0.0:
                if m <= 0.0:
                    return -math.inf, slope, 0.0
                value += y * (math.log(m) - log_part)
                slope[t, p] = y / m - (1.0 + psi * y) / (1.0 + x)
            else:
                slope[t, p] = -1.0 / (1.0 + x)
            # (log(1 + x) - x / (1 + x)) / x^2, by its series where the difference would cancel
            if x < 1e-3:
                value -= m * (1.0 - x * (0.5 - x * (1.0 / 3.0 - x * (0.25 - 0.2 * x))))
                bent = 0.5 - x * (2.0 / 3.0 - x * (0.75 - x * (0.8 - x * (5.0 / 6.0))))
            else:
                value -= log_part / psi
                bent = (log_part - x / (1.0 + x)) / (x * x)
            psi_slope += m * m * bent - y * m / (1.0 + x)
    return value, slope, psi_slope
