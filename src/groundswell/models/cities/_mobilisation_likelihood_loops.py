"""Compiled loops of the mobilisation model's density of place-day counts, forwards and backwards in time.

Arrays run (T, P), places last. Only active senders push and are pulled at: N place-days with events, from
Q places. What fades by the day is run forwards once for the mean and backwards once for the gradient (the
adjoint of the recursion), so the gradient in every parameter costs about as much as the value.
"""

from __future__ import annotations

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
