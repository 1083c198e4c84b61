"""Pairs of near and recent events, streamed cell by cell: rates and slopes in one pass; see `space_time_cells`.

Formulas of kernels stand here as code and numbers; their slow twins are `triggering` and `delays`. Loops run over
slices from 0 on, since an index that might be negative keeps them out of vector registers, and `exp` is a polynomial,
as in the loops of self-exciting events and for the same reasons: numba leaves a call to it scalar.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

SUMS = {"reassoc", "contract", "nsz"}

GAUSSIAN, EXPONENTIAL, POWER_LAW, STEPS = range(4)
UNIFORM_DELAY, EXPONENTIAL_DELAY, STEP_DELAY = range(3)

LOG2E = 1.4426950408889634
LN2_HIGH = 6.93145751953125e-1
LN2_LOW = 1.42860682030941723212e-6


@intrinsic
def _two_to_in_bits(typingctx, exponent):  # pragma: no cover - emits machine code
    """2**exponent for a whole float64 exponent in [-1022, 1023], by writing the exponent bits."""

    def emit(context, builder, signature, arguments):
        whole = builder.sext(builder.fptosi(arguments[0], ir.IntType(32)), ir.IntType(64))
        bits = builder.shl(builder.add(whole, ir.Constant(ir.IntType(64), 1023)), ir.Constant(ir.IntType(64), 52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.float64), emit


@intrinsic
def _exponent_in_bits(typingctx, number):  # pragma: no cover - emits machine code
    """The exponent e of a float64 of 2**e times something in [1, 2), read off its bits."""

    def emit(context, builder, signature, arguments):
        bits = builder.lshr(builder.bitcast(arguments[0], ir.IntType(64)), ir.Constant(ir.IntType(64), 52))
        whole = builder.sub(builder.trunc(bits, ir.IntType(32)), ir.Constant(ir.IntType(32), 1023))
        return builder.sitofp(whole, ir.DoubleType())

    return types.float64(types.float64), emit


def _two_to_in_python(exponent):
    return 2.0**exponent


def _exponent_in_python(number):
    return math.frexp(number)[1] - 1.0


_without_numba = bool(getattr(config, "DISABLE_JIT", 0))
_two_to: Any = _two_to_in_python if _without_numba else _two_to_in_bits
_exponent: Any = _exponent_in_python if _without_numba else _exponent_in_bits


@njit(cache=True, fastmath={"contract"})
def _exp(x):
    """exp(x), within 2 units in the last place on [-708, 708]; arguments below are taken as -708."""
    x = max(x, -708.0)
    k = np.rint(x * LOG2E)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-9
    p = p * r + 2.505210838544172e-8
    p = p * r + 2.755731922398589e-7
    p = p * r + 2.7557319223985893e-6
    p = p * r + 2.48015873015873e-5
    p = p * r + 1.984126984126984e-4
    p = p * r + 1.388888888888889e-3
    p = p * r + 8.333333333333333e-3
    p = p * r + 4.1666666666666664e-2
    p = p * r + 1.6666666666666666e-1
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * _two_to(k)


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _log(x):
    """log(x) for x of 1 or more, within 2 units in the last place of max(log(x), 1)."""
    k = _exponent(x * 1.4142135623730951)
    f = x * _two_to(-k) - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = 0.1479819860511658591
    p = p * z + 0.1531383769920937332
    p = p * z + 0.1818357216161805012
    p = p * z + 0.2222219843214978396
    p = p * z + 0.2857142874366239149
    p = p * z + 0.3999999999940941908
    p = p * z + 0.6666666666666735130
    half = 0.5 * f * f
    return k * LN2_HIGH - ((half - (s * (half + p * z) + k * LN2_LOW)) - f)


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
            out[n] = -numbers[1] * _log(1.0 + math.sqrt(square[n]) / numbers[0])
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
            out[1, n] = -_log(1.0 + r / scale)
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
        value[n] = source[n] * _exp(logs[n] + late[n])
    for n in range(count):
        total += value[n]
    return total


@njit(cache=True, fastmath=SUMS, error_model="numpy")
def _smoothed(smooth, limit, square, late, source, count, value, power, sums):
    """Take source g times the polynomials in square / limit out: the first from value, the sums of all returned."""
    for n in range(count):
        late[n] = source[n] * _exp(late[n])
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
