"""Compiled loops of mutually exciting events: sums for the likelihood, excitations, pairs, and simulation.

Symbols: K kinds, q the sending one and k the receiving one; b_q the decay of a sender; A_q = sum exp(-b_q lag) over the
strictly earlier events of kind q (the excitation), B_q = sum lag exp(-b_q lag) (its moment, minus dA_q / db_q).
The slow twins are in tests/naive/mutually_exciting.py.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

NEGLIGIBLE = 1e-17
"""Parents that together make less than this share of an intensity are not listed: below its rounding error."""


@njit(cache=True, nogil=True)
def _fade(excitation, moment, decay, lag):
    """Carry A and B over a time without events; neighbours that share a decay share the exponential."""
    factor = 1.0
    for q in range(decay.shape[0]):
        if q == 0 or decay[q] != decay[q - 1]:
            factor = math.exp(-decay[q] * lag)
        moment[q] = factor * (moment[q] + lag * excitation[q])
        excitation[q] *= factor


@njit(cache=True, nogil=True, error_model="numpy")
def sums(times, kind, first, end, background, offspring, decay, s_background, s_offspring, s_decay, edges):
    """Sum of log intensities of the events from `first` on, and the sums that its gradient is made of; O(E K).

    Earlier events only excite. background, decay : (K,). offspring : (K, K), row the sender. Adds over the events,
    each weighed by 1 / intensity: to s_background (K,) ones, by receiver; to s_offspring (K, K) b_q A_q; to s_decay
    (K,) offspring (A_q - b_q B_q). edges : (4, K), filled with A and B at time 0, then A and B at `end`.
    """
    kinds = background.shape[0]
    excitation, moment = np.zeros(kinds), np.zeros(kinds)
    value, added = 0.0, 0
    now = min(times[0], 0.0) if first > 0 else 0.0
    for i in range(len(times) + 1):
        if i == first:
            for j in range(added, i):
                excitation[kind[j]] += 1.0
            added = i
            _fade(excitation, moment, decay, -now)
            edges[0], edges[1], now = excitation, moment, 0.0
        if i == len(times):
            break
        if times[i] > now:  # tied events stay out until time moves on: they do not trigger each other
            for j in range(added, i):
                excitation[kind[j]] += 1.0
            added = i
            _fade(excitation, moment, decay, times[i] - now)
            now = times[i]
        if i < first:
            continue
        k = kind[i]
        rate = background[k]
        for q in range(kinds):
            rate += offspring[q, k] * decay[q] * excitation[q]
        if rate <= 0:
            value = -math.inf
            continue
        value += math.log(rate)
        inverse = 1.0 / rate
        s_background[k] += inverse
        for q in range(kinds):
            s_offspring[q, k] += inverse * decay[q] * excitation[q]
            s_decay[q] += inverse * offspring[q, k] * (excitation[q] - decay[q] * moment[q])
    for j in range(added, len(times)):
        excitation[kind[j]] += 1.0
    _fade(excitation, moment, decay, end - now)
    edges[2], edges[3] = excitation, moment
    return value


@njit(cache=True, nogil=True)
def excitations(times, kind, decay, at):
    """(D, K) A just before each of the rising times `at`: of the events strictly earlier; O((E + D) K)."""
    kinds = decay.shape[0]
    out = np.empty((len(at), kinds))
    state, unused = np.zeros(kinds), np.zeros(kinds)
    now, j = 0.0, 0
    for d in range(len(at)):
        while j < len(times) and times[j] < at[d]:
            if j > 0:
                _fade(state, unused, decay, times[j] - now)
            state[kind[j]] += 1.0
            now = times[j]
            j += 1
        if j > 0:
            _fade(state, unused, decay, at[d] - now)
            now = at[d]
        out[d] = state
    return out


@njit(cache=True, nogil=True)
def pairs(times, kind, offspring, decay, rate):
    """Who may have set off whom: (later, earlier, triggered), what the earlier event adds to the later's intensity.

    rate : (E,) the intensities, by which it is known when the rest of the past is NEGLIGIBLE. O(pairs K).
    """
    room = max(16, 4 * len(times))
    later, earlier, triggered = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    found = 0
    for i in range(len(times)):
        k = kind[i]
        for j in range(i - 1, -1, -1):
            lag = times[i] - times[j]
            most = 0.0
            for q in range(decay.shape[0]):
                most = max(most, offspring[q, k] * decay[q] * math.exp(-decay[q] * lag))
            if most * (j + 1) <= NEGLIGIBLE * rate[i]:
                break
            amount = offspring[kind[j], k] * decay[kind[j]] * math.exp(-decay[kind[j]] * lag)
            if lag == 0 or amount == 0:
                continue
            if found == room:
                room *= 2
                later, earlier = _longer(later, room), _longer(earlier, room)
                triggered = _longer(triggered, room)
            later[found], earlier[found], triggered[found] = i, j, amount
            found += 1
    return later[:found].copy(), earlier[:found].copy(), triggered[:found].copy()


@njit(cache=True, nogil=True)
def _longer(values, room):
    """The values at the start of an array with so much room."""
    out = np.empty(room, values.dtype)
    out[: len(values)] = values
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def draw(rng, start, end, background, offspring, decay, excitation, times, kind):
    """Draw the events of (start, end) one after the other, exactly; O(events K).

    Hazards compete for the next event: the background's, which is constant, and one of every kind of sender, which
    falls until something happens. The integral of a sender's over the wait s is e (1 - exp(-b s)), e its offspring
    still to come, so that exponential variates are inverted and none is thinned.

    background : (K,) cumulative. offspring : (K, K) cumulative rows. excitation : (K,) at `start`; changed in place.
    times, kind : buffers. Returns the number of events, or -1 if the buffers are full.
    """
    kinds = decay.shape[0]
    now, count, unused = start, 0, np.zeros(kinds)
    while True:
        variate = rng.exponential()
        wait, sender = (variate / background[-1] if background[-1] > 0 else math.inf), -1
        for q in range(kinds):
            coming = offspring[q, -1] * excitation[q]
            variate = rng.exponential()
            if variate < coming and decay[q] > 0:
                other = -math.log1p(-variate / coming) / decay[q]
                if other < wait:
                    wait, sender = other, q
        now += wait
        if now >= end:
            return count
        if count == times.shape[0]:
            return -1
        _fade(excitation, unused, decay, wait)
        row = background if sender < 0 else offspring[sender]
        k = min(np.searchsorted(row, rng.random() * row[-1], side="right"), kinds - 1)
        excitation[k] += 1.0
        times[count], kind[count] = now, k
        count += 1
