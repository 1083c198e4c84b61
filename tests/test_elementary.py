"""Polynomials for compiled loops against the C library's functions, over the whole range and at its ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

from groundswell.models._elementary_loops import exp, exp2, log2

EPSILON = float(np.finfo(float).eps)


def test_the_polynomial_exp_is_exp() -> None:
    ends = [-708.0, np.nextafter(-708.0, 0), 708.0, 709.0]
    halves = (np.arange(-1021, 1023) + 0.5) * math.log(2)  # where one power of two takes over from another
    x = np.concatenate([np.linspace(-708, 709, 50_001), np.linspace(-1, 1, 5001), [0.0, -0.0, -1e-300], ends])
    x = np.concatenate([x, halves, np.nextafter(halves, np.inf)])
    x = x[(x >= -708) & (x <= 709)]
    found = np.array([exp(v) for v in x])
    assert np.max(np.abs(found / np.array([math.exp(v) for v in x]) - 1)) < 2 * EPSILON
    assert exp(0.0) == 1.0
    assert [exp(v) for v in (-709.0, -1e5, -math.inf)] == [exp(-708.0)] * 3
    assert exp(-708.0) < 1e-307


def test_logarithms_and_powers_are_exact_to_rounding() -> None:
    at = np.concatenate([1 + np.logspace(-16, 0, 400), np.logspace(0, 300, 400), [1.0, math.sqrt(2)]])
    at = np.concatenate([at, np.nextafter(2.0 ** np.arange(1, 1024), 0), 2.0 ** np.arange(1024), [np.finfo(float).max]])
    at = np.concatenate([at, 1 / at, 1 - 2.0 ** -np.arange(1, 54)])
    at = at[at > 2.0**-1022]
    found = np.array([log2(x) for x in at])
    assert (np.abs(found - np.log2(at)) <= 1e-15 * (1 + np.abs(np.log2(at)))).all()
    powers = np.append(np.linspace(-1022, 1023, 3001), np.arange(-1022, 1023) + 0.5)
    assert [exp2(x) for x in powers] == pytest.approx(np.exp2(powers), rel=5e-16)
    assert exp2(-math.inf) == exp2(-1e4) == 2.0**-1022
    assert exp2(math.inf) == exp2(1e4) == 2.0**1023


def test_a_logarithm_to_base_e_keeps_its_digits_near_1() -> None:
    """As cells take it, of 1 + r / scale: relative to the logarithm, however small."""
    x = 1 + np.logspace(-15, 0, 301)
    found = np.array([math.log(2) * log2(v) for v in x])
    assert found == pytest.approx(np.array([math.log(v) for v in x]), rel=3e-15)
