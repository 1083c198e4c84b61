"""Exponentials, logarithms and a sum of products for compiled loops.

They are polynomials, since a call to exp or log keeps a loop scalar: numba as pip installs it has no vector library, so
the C library's functions are called one number at a time; inlined polynomials run in vector registers, 3 to 6 times as
fast (measured). They are compiled without reassociation, which would fold the two halves of log 2 into one and lose the
digits that they carry. `tests/conftest.py` renews what imports this file: numba's disk cache does not notice that it
changed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

LN2 = 0.6931471805599453
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
    """Whole k of a number 2**k f above 0, f in [1, 2): its exponent bits, made a float64 by those of 2**52."""

    def emit(context, builder, signature, arguments):
        word = ir.IntType(64)
        bits = builder.lshr(builder.bitcast(arguments[0], word), ir.Constant(word, 52))
        large = builder.bitcast(builder.or_(bits, ir.Constant(word, 0x4330000000000000)), ir.DoubleType())
        return builder.fsub(large, ir.Constant(ir.DoubleType(), 2.0**52 + 1023))

    return types.float64(types.float64), emit


@intrinsic
def _fraction_in_bits(typingctx, number):  # pragma: no cover - emits machine code
    """f in [1, 2) of a number 2**k f above 0."""

    def emit(context, builder, signature, arguments):
        word = ir.IntType(64)
        bits = builder.and_(builder.bitcast(arguments[0], word), ir.Constant(word, 0x000FFFFFFFFFFFFF))
        return builder.bitcast(builder.or_(bits, ir.Constant(word, 0x3FF0000000000000)), ir.DoubleType())

    return types.float64(types.float64), emit


def _two_to_in_python(exponent):
    return 2.0**exponent


def _exponent_in_python(number):
    return math.frexp(number)[1] - 1.0


def _fraction_in_python(number):
    return 2 * math.frexp(number)[0]


_plain = getattr(config, "DISABLE_JIT", 0)  # numba may be switched off
_two_to: Any = _two_to_in_python if _plain else _two_to_in_bits
_exponent: Any = _exponent_in_python if _plain else _exponent_in_bits
_fraction: Any = _fraction_in_python if _plain else _fraction_in_bits


@njit(cache=True, nogil=True, fastmath={"contract"})
def _exp_near_0(r):
    """exp(r) to rounding for |r| up to half of log 2: its series to the 13th power."""
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
    return p * r + 1.0


@njit(cache=True, nogil=True, fastmath={"contract"})
def exp(x):
    """exp(x), within 2 units in the last place on [-708, 709]; -708 is taken for arguments below, none may be above."""
    x = max(x, -708.0)
    k = np.rint(x * LOG2E)
    return _exp_near_0((x - k * LN2_HIGH) - k * LN2_LOW) * _two_to(k)


@njit(cache=True, nogil=True, fastmath={"contract"})
def exp2(x):
    """2**x, within 2 units in the last place on [-1022, 1023]; arguments outside are taken as the nearer end.

    A power is exp2 of a multiple of `log2`: by `exp` the digits of a large exponent would be lost in a factor.
    """
    x = min(max(x, -1022.0), 1023.0)
    k = np.rint(x)
    return _exp_near_0((x - k) * LN2) * _two_to(k)


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def log2(x):
    """Logarithm to base 2 of a finite x above 2**-1022, within 1e-15 (1 + its size): k + 2 atanh(s) / log 2."""
    k, f = _exponent(x), _fraction(x)
    high = f > 1.4142135623730951
    f = 0.5 * f if high else f
    k = k + 1.0 if high else k
    s = (f - 1.0) / (f + 1.0)
    z = s * s
    p = 1 / 19
    p = p * z + 1 / 17
    p = p * z + 1 / 15
    p = p * z + 1 / 13
    p = p * z + 1 / 11
    p = p * z + 1 / 9
    p = p * z + 1 / 7
    p = p * z + 1 / 5
    p = p * z + 1 / 3
    return k + (s + s * z * p) * (2 / LN2)


@njit(cache=True, fastmath={"reassoc", "contract"})
def weighed(mass, weight):
    """The sum of mass times weight; the order of adding is free, so that it is done several at a time."""
    total = 0.0
    for k in range(len(mass)):
        total += mass[k] * weight[k]
    return total
