"""Fourier states of events in the plane, carried through time: O(events x frequencies); see `space_time_waves`.

A state holds, for each pair of frequencies, the sums over the events so far of source x exp(rate (time - base)) x the
four products of cos and sin of the position's angles. It is read at a later event's position and brought to its moment
by one factor. The base moves on before exponentials grow large.

Cosines of the angles north stand before the sines in one row, so that inner loops are long: numba leaves short ones out
of vector registers.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

SPAN = 30.0
"""Largest rate x (time - base): the states are then brought to a new base."""

SUMS = {"reassoc", "contract", "nsz"}


@njit(cache=True)
def _angles(step, at, cosines, sines):
    """Fill in cos and sin of 0, 1, 2 ... times step x at."""
    turn_c, turn_s = math.cos(step * at), math.sin(step * at)
    c, s = 1.0, 0.0
    for n in range(len(cosines)):
        cosines[n], sines[n] = c, s
        c, s = c * turn_c - s * turn_s, s * turn_c + c * turn_s


@njit(cache=True, fastmath=SUMS)
def _add(state, east, north, amount):
    """Add so much of an event to a state (2, A, 2 B)."""
    for a in range(state.shape[1]):
        c, s = amount * east[0, a], amount * east[1, a]
        for b in range(state.shape[2]):
            state[0, a, b] += c * north[b]
            state[1, a, b] += s * north[b]


@njit(cache=True, fastmath=SUMS)
def _read(state, east, north, weight):
    """Sums of a state at a position under three weights (3, A, 2 B)."""
    first = second = third = 0.0
    for a in range(state.shape[1]):
        c, s = east[0, a], east[1, a]
        for b in range(state.shape[2]):
            there = (c * state[0, a, b] + s * state[1, a, b]) * north[b]
            first += there * weight[0, a, b]
            second += there * weight[1, a, b]
            third += there * weight[2, a, b]
    return first, second, third


@njit(cache=True, fastmath=SUMS)
def _read_first(state, east, north, weight):
    """The first of these sums."""
    total = 0.0
    for a in range(state.shape[1]):
        c, s = east[0, a], east[1, a]
        for b in range(state.shape[2]):
            total += (c * state[0, a, b] + s * state[1, a, b]) * north[b] * weight[0, a, b]
    return total


@njit(cache=True)
def waves(time, x, y, kind, source, rate, longest, step_x, step_y, weight, kinds, out):
    """Fill out (3, E) with the sums over earlier events j of one's kind of source_j exp(-rate days) f(position apart).

    weight (3, A, B) : coefficients of cos(a step_x dx) cos(b step_y dy) in f and up to two slopes of it; out (1, E)
    takes the first sum alone. longest : events longer ago are taken out again; infinite where their exponential has
    done so.
    """
    functions, wide, high = weight.shape
    twice = np.empty((functions, wide, 2 * high))
    twice[:, :, :high] = weight
    twice[:, :, high:] = weight
    state = np.zeros((kinds, 2, wide, 2 * high))
    east, north, held = np.empty((2, wide)), np.empty(2 * high), -1
    base, added, gone = time[0] if len(time) else 0.0, 0, 0
    for i in range(len(time)):
        now = time[i]
        while added < i and time[added] < now:
            if added != held:
                _angles(step_x, x[added], east[0], east[1])
                _angles(step_y, y[added], north[:high], north[high:])
                held = added
            _add(state[kind[added]], east, north, source[added] * math.exp(rate * (time[added] - base)))
            added += 1
        while gone < added and now - time[gone] > longest:
            _angles(step_x, x[gone], east[0], east[1])
            _angles(step_y, y[gone], north[:high], north[high:])
            held = gone
            _add(state[kind[gone]], east, north, -source[gone] * math.exp(rate * (time[gone] - base)))
            gone += 1
        if rate * (now - base) > SPAN:
            state *= math.exp(-rate * (now - base))
            base = now
        _angles(step_x, x[i], east[0], east[1])
        _angles(step_y, y[i], north[:high], north[high:])
        held = i  # it comes next, unless others share its moment
        fall, own = math.exp(-rate * (now - base)), state[kind[i]]
        if out.shape[0] == 3:
            first, second, third = _read(own, east, north, twice)
            out[0, i], out[1, i], out[2, i] = fall * first, fall * second, fall * third
        else:
            out[0, i] = fall * _read_first(own, east, north, twice)
