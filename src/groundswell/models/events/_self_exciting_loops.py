"""Compiled loops of the self-exciting process: likelihood with gradient, and simulation.

Symbols: n offspring, b decay, A = sum exp(-b lag) over the strictly earlier events of a place
(the excitation), B = sum lag exp(-b lag) (its moment, minus dA/db). The slow twins of all loops
are in tests/naive/self_exciting.py.

`exp` is a polynomial, and the sums are compiled with reassociation, which is what lets them run in
vector registers; their order is fixed at compile time, so results stay the same bits.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models._elementary_loops import exp

BLOCK = 512
"""Events worked on at a time: five arrays of this length stay in the first-level cache."""

FOLD = 16
"""Intensities multiplied together before their logarithm is taken."""

SPAN = 30.0
"""Largest b (t - base) before the excitations are rebased; keeps exp(b (t - base)) below 1e13 and
the cancellation in lag sums below 30 rounding errors."""

FORGOTTEN = 1e-200
"""An excitation below this (460 mean delays after the last event) is set to 0: products with it would
be denormal numbers, which cost the processor a hundred cycles each."""

SUMS = {"reassoc", "contract", "nsz"}


@njit(cache=True, nogil=True, fastmath=SUMS, error_model="numpy")
def _block_sums(excitation, moment, intensity, count, background, offspring, decay):
    """Intensities of a block, and the sums of 1/lambda, A/lambda and (A - b B)/lambda over it."""
    s_background = s_offspring = s_decay = 0.0
    jump = offspring * decay
    for j in range(count):
        rate = background + jump * excitation[j]
        intensity[j] = rate
        inverse = 1.0 / rate
        s_background += inverse
        s_offspring += excitation[j] * inverse
        s_decay += (excitation[j] - decay * moment[j]) * inverse
    return s_background, s_offspring, s_decay


@njit(cache=True, nogil=True)
def _log_sum(intensity, count, product):
    """Sum of logs of the first `count` intensities, with one log for FOLD of them.

    Where an intensity is so large or small that a product could leave the range of float64, or
    pass through its imprecise lower end, each gets its own.
    """
    extreme = 0
    for j in range(count):
        extreme += not 1e-17 < intensity[j] < 1e17
    total = 0.0
    width = 0 if extreme else count // FOLD
    for j in range(width):
        product[j] = intensity[j]
    for part in range(1, FOLD):
        for j in range(width):
            product[j] *= intensity[part * width + j]
    for j in range(width):
        total += math.log(product[j])
    for j in range(FOLD * width, count):
        total += math.log(intensity[j])
    return total


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def own_place(times, arrivals, starts, first, end, background, offspring, decay, d_background, d_offspring):
    """Log density of independent processes, one a place, and its gradient; O(E).

    times : (E,) grouped by place, rising within each. starts : (P + 1,) group boundaries.
    first : (P,) index of each group's first event at or after time 0; earlier ones only excite.
    arrivals : (E,) how many events at the previous distinct time start to excite at this one;
    0 within a tie, so tied events do not trigger each other.
    background, offspring : (P,). Returns value and its derivative in decay; fills (P,) d_*.
    """
    gaps, factor, moment = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    excitation, intensity, product = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    value = d_decay = 0.0
    for p in range(len(starts) - 1):
        a = b = 0.0
        a0 = b0 = 0.0
        previous = times[starts[p]] if starts[p] < starts[p + 1] else 0.0
        low = starts[p]
        while low < starts[p + 1]:
            observed = low >= first[p]
            high = min(low + BLOCK, starts[p + 1] if observed else first[p])
            count = high - low
            gaps[0] = times[low] - previous
            for j in range(1, count):
                gaps[j] = times[low + j] - times[low + j - 1]
            for j in range(count):
                factor[j] = exp(-decay * gaps[j])
            for j in range(count):
                a = factor[j] * a + factor[j] * arrivals[low + j]
                b = factor[j] * b + gaps[j] * a
                excitation[j] = a
                moment[j] = b
            previous = times[high - 1]
            if observed:
                s_b, s_o, s_d = _block_sums(excitation, moment, intensity, count, background[p], offspring[p], decay)
                value += _log_sum(intensity, count, product)
                d_background[p] += s_b
                d_offspring[p] += decay * s_o
                d_decay += offspring[p] * s_d
            low = high
            if low == first[p]:
                a0, b0 = _forward(a, b, times, starts[p], low, 0.0, decay)
        if starts[p] < starts[p + 1]:
            a, b = _forward(a, b, times, starts[p], starts[p + 1], end, decay)
        triggered = starts[p + 1] - first[p] + a0 - a
        value -= background[p] * end + offspring[p] * triggered
        d_background[p] -= end
        d_offspring[p] -= triggered
        d_decay -= offspring[p] * (b - b0)
    return value, d_decay


@njit(cache=True, nogil=True)
def _forward(a, b, times, start, stop, when, decay):
    """Excitation and moment at `when`, after the last tie of [start, stop) has been added."""
    if stop == start:
        return 0.0, 0.0
    last = times[stop - 1]
    j = stop
    while j > start and times[j - 1] == last:
        a += 1.0
        j -= 1
    lag = when - last
    factor = math.exp(-decay * lag)
    return factor * a, factor * (b + lag * a)


@njit(cache=True, nogil=True)
def carry(times, place, low, high, when, decay, excitation, moment):
    """Add what the events [low, high) leave at time `when` to excitation and moment, (P,) each."""
    x = np.empty(BLOCK)
    while low < high:
        count = min(BLOCK, high - low)
        for j in range(count):
            x[j] = exp(-decay * (when - times[low + j]))
        for j in range(count):
            excitation[place[low + j]] += x[j]
            moment[place[low + j]] += (when - times[low + j]) * x[j]
        low += count


@njit(cache=True, nogil=True, fastmath=SUMS)
def _two_dots(received, p, rise, lever):
    """received[p] . rise and received[p] . lever."""
    s = d = 0.0
    for q in range(rise.shape[0]):
        s += received[p, q] * rise[q]
        d += received[p, q] * lever[q]
    return s, d


@njit(cache=True, nogil=True)
def _add_row(matrix, p, amount, row):
    for q in range(row.shape[0]):
        matrix[p, q] += amount * row[q]


@njit(cache=True, nogil=True, error_model="numpy")
def cities(times, place, low, high, origin, excitation, moment, background, received, decay, d_background, d_received):
    """Sum of log intensities of the events [low, high) and its gradient; O(events x P).

    excitation, moment : (Q,) the state at time `origin` <= times[low], of strictly earlier events.
    received : (P, Q), row p what one event at q is expected to trigger in p (the offspring matrix,
    transposed so that a row is contiguous; columns beyond P are zero padding).
    Returns the sum and its derivative in decay; fills d_background (P,), d_received (P, Q).

    Excitations are kept relative to a base time: rise = exp(b (base - t)) undone, so that an event
    adds to one number and no step decays all P of them; lever is the same sum weighted by t - base.
    """
    rise, lever = excitation.copy(), -moment
    x = np.empty(high - low)
    base = origin
    value = d_decay = 0.0
    product = 1.0
    i = low
    while i < high:
        shift = times[i] - base
        factor = math.exp(-decay * shift)
        for q in range(rise.shape[0]):
            lever[q] = factor * (lever[q] - shift * rise[q])
            rise[q] *= factor
            if rise[q] < FORGOTTEN:
                rise[q] = lever[q] = 0.0
        base = times[i]
        stop = i
        while stop < high and decay * (times[stop] - base) <= SPAN:
            stop += 1
        for j in range(i, stop):
            x[j - low] = exp(decay * (times[j] - base))
        added = i
        for j in range(i, stop):
            while times[added] < times[j]:  # tied events stay out: they do not trigger each other
                rise[place[added]] += x[added - low]
                lever[place[added]] += (times[added] - base) * x[added - low]
                added += 1
            p = place[j]
            s, d = _two_dots(received, p, rise, lever)
            fall = 1.0 / x[j - low]
            s *= fall
            lag = (times[j] - base) * s - fall * d
            rate = background[p] + decay * s
            if 1e-100 < rate < 1e100:
                product *= rate
                if not 1e-150 < product < 1e150:
                    value += math.log(product)
                    product = 1.0
            else:
                value += math.log(rate)
            inverse = 1.0 / rate
            d_background[p] += inverse
            d_decay += (s - decay * lag) * inverse
            _add_row(d_received, p, decay * fall * inverse, rise)
        while added < stop:
            rise[place[added]] += x[added - low]
            lever[place[added]] += (times[added] - base) * x[added - low]
            added += 1
        i = stop
    return value + math.log(product), d_decay


@njit(cache=True, nogil=True)
def _choose(cumulative, u):
    """First index whose cumulative share exceeds u; the last one if rounding leaves none."""
    low, high = 0, cumulative.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > u:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True, nogil=True, error_model="numpy")
def draw(rng, start, end, background, shares, offspring, weights, decay, excitation, times, place):
    """Draw the events of (start, end) one after the other, exactly; O(events x P).

    Two hazards compete for the next event. The background's is constant. The triggered one only
    falls until something happens: its integral over the wait s is e (1 - exp(-b s)), with e the
    offspring still to come, so an exponential variate is inverted without any thinning.

    shares : (P,) cumulative. offspring : (P,) by sender. weights : (P, P) cumulative rows.
    excitation : (P,) at `start`; changed in place. times, place : buffers.
    Returns the number of events, or -1 if the buffers are full.
    """
    now, count = start, 0
    while True:
        coming = 0.0
        for q in range(excitation.shape[0]):
            coming += offspring[q] * excitation[q]
        variate = rng.exponential()
        wait = variate / background if background > 0 else math.inf
        variate = rng.exponential()
        triggered = False
        if variate < coming and decay > 0:
            other = -math.log1p(-variate / coming) / decay
            triggered = other < wait
            wait = min(wait, other)
        now += wait
        if now >= end:
            return count
        if count == times.shape[0]:
            return -1
        factor = math.exp(-decay * wait)
        for q in range(excitation.shape[0]):
            excitation[q] *= factor
        if triggered:
            target = rng.random() * coming * factor
            sender = 0
            reached = offspring[0] * excitation[0]
            while reached <= target and sender < excitation.shape[0] - 1:
                sender += 1
                reached += offspring[sender] * excitation[sender]
            p = _choose(weights[sender], rng.random())
        else:
            p = _choose(shares, rng.random())
        excitation[p] += 1.0
        times[count] = now
        place[count] = p
        count += 1
