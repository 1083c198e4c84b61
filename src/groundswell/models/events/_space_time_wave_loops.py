"""Fourier states of events in the plane, carried through time: O(events x frequencies); see `space_time_waves`.

A state holds, for each pair of frequencies, the sums over the events so far of source x exp(rate (time - base)) x the
four products of cos and sin of the position's angles; `lever` holds the same sums times (time - base). Both are read
at a later event's position and brought to its moment by one factor. The base moves on before exponentials grow large.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

SPAN = 30.0
"""Largest rate x (time - base): the states are then brought to a new base."""

SUMS = {"reassoc", "contract", "nsz"}


@njit(cache=True)
def _angles(step, at, out):
    """Fill out (2, n) with cos and sin of 0, 1, 2 ... times step x at."""
    turn_c, turn_s = math.cos(step * at), math.sin(step * at)
    c, s = 1.0, 0.0
    for n in range(out.shape[1]):
        out[0, n], out[1, n] = c, s
        c, s = c * turn_c - s * turn_s, s * turn_c + c * turn_s


@njit(cache=True, fastmath=SUMS)
def _add(state, east, north, amount):
    """Add so much of an event to a state (4, A, B)."""
    for a in range(state.shape[1]):
        c, s = amount * east[0, a], amount * east[1, a]
        for b in range(state.shape[2]):
            state[0, a, b] += c * north[0, b]
            state[1, a, b] += c * north[1, b]
            state[2, a, b] += s * north[0, b]
            state[3, a, b] += s * north[1, b]


@njit(cache=True, fastmath=SUMS)
def _read(state, east, north, weight):
    """Sums of a state at a position under three weights (3, A, B)."""
    first = second = third = 0.0
    for a in range(state.shape[1]):
        c, s = east[0, a], east[1, a]
        for b in range(state.shape[2]):
            there = c * (state[0, a, b] * north[0, b] + state[1, a, b] * north[1, b])
            there += s * (state[2, a, b] * north[0, b] + state[3, a, b] * north[1, b])
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
            there = c * (state[0, a, b] * north[0, b] + state[1, a, b] * north[1, b])
            there += s * (state[2, a, b] * north[0, b] + state[3, a, b] * north[1, b])
            total += there * weight[0, a, b]
    return total


@njit(cache=True)
def waves(time, x, y, kind, source, rate, longest, step_x, step_y, weight, kinds, levered, out, lever_out):
    """Fill out (3, E) with the sums over earlier events j of one's kind of source_j exp(-rate days) f(position apart).

    weight (3, A, B) : coefficients of cos(a step_x dx) cos(b step_y dy) in f and up to two slopes of it. longest :
    events longer ago are taken out again; infinite where their exponential has done so. levered : also fill
    lever_out (E,) with the first of the sums, each term times days. Without it out (1, E) takes the first sum alone.
    """
    _, wide, high = weight.shape
    state, lever = np.zeros((kinds, 4, wide, high)), np.zeros((kinds if levered else 0, 4, wide, high))
    east, north, held = np.empty((2, wide)), np.empty((2, high)), -1
    base, added, gone = time[0] if len(time) else 0.0, 0, 0
    for i in range(len(time)):
        now = time[i]
        while added < i and time[added] < now:
            if added != held:
                _angles(step_x, x[added], east)
                _angles(step_y, y[added], north)
                held = added
            _come(added, 1.0, time, kind, source, rate, base, state, lever, east, north)
            added += 1
        while gone < added and now - time[gone] > longest:
            _angles(step_x, x[gone], east)
            _angles(step_y, y[gone], north)
            held = gone
            _come(gone, -1.0, time, kind, source, rate, base, state, lever, east, north)
            gone += 1
        if rate * (now - base) > SPAN:
            shift = now - base
            fall = math.exp(-rate * shift)
            if levered:
                lever -= shift * state
                lever *= fall
            state *= fall
            base = now
        _angles(step_x, x[i], east)
        _angles(step_y, y[i], north)
        held = i  # it comes next, unless others share its moment
        fall, own = math.exp(-rate * (now - base)), kind[i]
        if levered:
            first, second, third = _read(state[own], east, north, weight)
            out[0, i], out[1, i], out[2, i] = fall * first, fall * second, fall * third
            lever_out[i] = (now - base) * out[0, i] - fall * _read_first(lever[own], east, north, weight)
        else:
            out[0, i] = fall * _read_first(state[own], east, north, weight)


@njit(cache=True)
def _come(j, sign, time, kind, source, rate, base, state, lever, east, north):
    """Event j comes (1) or goes again (-1)."""
    amount = sign * source[j] * math.exp(rate * (time[j] - base))
    _add(state[kind[j]], east, north, amount)
    if len(lever):
        _add(lever[kind[j]], east, north, amount * (time[j] - base))
