"""Pairs of near and recent events, streamed cell by cell: rates and slopes in one pass; see `space_time_cells`.

Formulas of kernels stand here as code and numbers; their slow twins are `triggering` and `delays`. Loops run over
slices from 0 on, since an index that might be negative keeps them out of vector registers, as a call to exp would.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from groundswell.models._elementary_loops import LN2, exp, log2

SUMS = {"reassoc", "contract", "nsz"}

GAUSSIAN, EXPONENTIAL, POWER_LAW, STEPS = range(4)
UNIFORM_DELAY, EXPONENTIAL_DELAY, STEP_DELAY = range(3)


@njit(cache=True, error_model="numpy")
def _band(knots, bands, at):
    """Number of the band that holds `at`, `bands` beyond the last."""
    b = 0
    while b < bands and at > knots[b]:
        b += 1
    return b


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def log_reach(code, numbers, square, count, out):
    """log f at the first `count` squared distances."""
    if code == GAUSSIAN:
        a = 0.5 / (numbers[0] * numbers[0])
        for n in range(count):
            out[n] = -a * square[n]
    elif code == EXPONENTIAL:
        a = 1.0 / numbers[0]
        for n in range(count):
            out[n] = -a * math.sqrt(square[n])
    elif code == POWER_LAW:
        for n in range(count):
            out[n] = -numbers[1] * LN2 * log2(1.0 + math.sqrt(square[n]) / numbers[0])
    else:
        bands = len(numbers) // 2
        for n in range(count):
            b = _band(numbers, bands, math.sqrt(square[n]))
            out[n] = numbers[bands + b] if b < bands else -np.inf


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def reach_slopes(code, numbers, square, count, out):
    """d log f / d parameter (K, count)."""
    if code == GAUSSIAN:
        a = 1.0 / (numbers[0] * numbers[0] * numbers[0])
        for n in range(count):
            out[0, n] = a * square[n]
    elif code == EXPONENTIAL:
        a = 1.0 / (numbers[0] * numbers[0])
        for n in range(count):
            out[0, n] = a * math.sqrt(square[n])
    elif code == POWER_LAW:
        scale, decay = numbers[0], numbers[1]
        for n in range(count):
            r = math.sqrt(square[n])
            out[0, n] = decay * r / (scale * (scale + r))
            out[1, n] = -LN2 * log2(1.0 + r / scale)
    else:
        _step_slopes(numbers, square, count, True, out)


@njit(cache=True, error_model="numpy")
def _step_slopes(numbers, at, count, squared, out):
    """1 in the row of the band's own level; the first band has none."""
    bands = len(numbers) // 2
    for n in range(count):
        b = _band(numbers, bands, math.sqrt(at[n]) if squared else at[n])
        for k in range(bands - 1):
            out[k, n] = 1.0 if k == b - 1 else 0.0


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def log_delay(code, numbers, days, count, out):
    """log g at the first `count` delays."""
    if code == EXPONENTIAL_DELAY:
        height, rate = math.log(numbers[0]), numbers[0]
        for n in range(count):
            out[n] = height - rate * days[n]
    elif code == STEP_DELAY:
        bands = len(numbers) // 2
        for n in range(count):
            b = _band(numbers, bands, days[n])
            out[n] = numbers[bands + b] if b < bands else -np.inf
    else:
        for n in range(count):
            out[n] = 0.0


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def delay_slopes(code, numbers, days, count, out):
    """d log g / d parameter (K, count)."""
    if code == EXPONENTIAL_DELAY:
        mean = 1.0 / numbers[0]
        for n in range(count):
            out[0, n] = mean - days[n]
    elif code == STEP_DELAY:
        _step_slopes(numbers, days, count, False, out)


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def _weighed(logs, late, source, count, value):
    """Fill value with source f g; the sum."""
    total = 0.0
    for n in range(count):
        value[n] = source[n] * exp(logs[n] + late[n])
    for n in range(count):
        total += value[n]
    return total


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def _smoothed(smooth, limit, square, late, source, count, value, power, sums):
    """Take source g times the polynomials in square / limit out: the first from value, the sums of all returned."""
    for n in range(count):
        late[n] = source[n] * exp(late[n])
        square[n] /= limit
    for f in range(smooth.shape[0]):
        for n in range(count):
            power[n] = 0.0
        for d in range(smooth.shape[1] - 1, -1, -1):
            for n in range(count):
                power[n] = power[n] * square[n] + smooth[f, d]
        total = 0.0
        for n in range(count):
            power[n] *= late[n]
        for n in range(count):
            total += power[n]
        sums[f] = total
        if f == 0:
            for n in range(count):
                value[n] -= power[n]


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def _products(value, slope, count, amount, out):
    """Add amount times the sums of value times each row of slope."""
    for k in range(out.shape[0]):
        total = 0.0
        for n in range(count):
            total += value[n] * slope[k, n]
        out[k] += amount * total


@njit(cache=True)
def gathered(cell, beside, row, start):
    """The rows of the events in and beside each cell, by time, from start[c] to start[c + 1].

    cell, row (E,) : each event's, by time. beside (C, 9) : the cells at and beside a cell, -1 for none.
    """
    rows, end = np.empty(start[-1], np.int32), start[:-1].copy()
    for e in range(len(cell)):
        for c in beside[cell[e]]:
            if c >= 0:
                rows[end[c]] = row[e]
                end[c] += 1
    return rows


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def weigh_cells(
    time, x, y, start, near_time, near_x, near_y, near_row, near_start,
    source, rest, limit, longest, least, reach, near_numbers, delay, late_numbers, smooth,
    rate, by_parent, in_reach, in_delay,
):  # fmt: skip
    """Rates at all events and what `Raised` needs, with pairs found anew.

    Events lie cell by cell, from start[c] to start[c + 1], by time in each; what may be near the events of cell c lies,
    again by time, from near_start[c] to near_start[c + 1], near_row being its rows among the events. A pair counts if
    its squared distance is at most `limit`, its delay at most `longest` and log (f g) at least `least`. smooth
    (1 + K, D) : polynomials in the squared distance over `limit` that are taken from f and its slopes first, or none.
    Fills rate (E,), by_parent (E,), in_reach and in_delay.
    """
    size = 0
    for c in range(len(start) - 1):
        size = max(size, near_start[c + 1] - near_start[c])
    square, days, logs, late = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    sent, value, power, taken = np.empty(size), np.empty(size), np.empty(size), np.empty(len(smooth))
    whole = np.empty(len(in_reach))
    which, order = np.empty(size, np.int32), np.empty(size, np.int32)
    slope_near, slope_late = np.empty((len(in_reach), size)), np.empty((len(in_delay), size))
    for c in range(len(start) - 1):
        low = high = near_start[c]
        for i in range(start[c], start[c + 1]):
            now, east, north = time[i], x[i], y[i]
            while high < near_start[c + 1] and near_time[high] < now:
                high += 1
            while low < high and now - near_time[low] > longest:
                low += 1
            count = high - low
            xs, ys, ts, rows = near_x[low:high], near_y[low:high], near_time[low:high], near_row[low:high]
            for n in range(count):
                dx, dy = xs[n] - east, ys[n] - north
                square[n] = dx * dx + dy * dy
                days[n] = now - ts[n]
            log_reach(reach, near_numbers, square, count, logs)
            log_delay(delay, late_numbers, days, count, late)
            kept = np.uint64(0)
            for n in range(count):
                value[n] = logs[n] + late[n] if square[n] <= limit else -np.inf
            for n in range(count):
                order[kept] = n
                kept += np.uint64(value[n] >= least)
            count = np.int64(kept)
            for n in range(count):
                m = order[n]
                logs[n], late[n], square[n], days[n], which[n] = logs[m], late[m], square[m], days[m], rows[m]
                sent[n] = source[which[n]]
            total = _weighed(logs, late, sent, count, value)
            reach_slopes(reach, near_numbers, square, count, slope_near)
            delay_slopes(delay, late_numbers, days, count, slope_late)
            if len(smooth):
                # slopes weigh the whole of f; what is smooth in it is taken out of their sums, and here of the rate
                whole[:] = 0.0
                _products(value, slope_near, count, 1.0, whole)
                _smoothed(smooth, limit, square, late, sent, count, value, power, taken)
                rate[i] = rest[i] + total - taken[0]
                share = 1.0 / max(rate[i], 1e-300)
                for k in range(len(in_reach)):
                    in_reach[k] += share * (whole[k] - taken[1 + k])
            else:
                rate[i] = rest[i] + total
                share = 1.0 / max(rate[i], 1e-300)
                _products(value, slope_near, count, share, in_reach)
            _products(value, slope_late, count, share, in_delay)
            for n in range(count):
                by_parent[which[n]] += share * value[n]
