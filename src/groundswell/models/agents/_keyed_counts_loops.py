"""Compiled counts drawn from the counter-based hash: normal, gamma, Poisson and negative binomial.

Each takes (key, agent, purpose), as `unit` does, and uses as many k as it needs, from 0; so a purpose is one draw. A
Poisson count of a small mean is the inverse of its distribution at one uniform number: it rises with the mean,
and two scenarios that differ in a mean share their luck.
"""

from __future__ import annotations

import math

from numba import njit

from groundswell.models.agents._keyed_loops import unit

LARGE = 12.0
"""Means above which a Poisson count is drawn by rejection."""


@njit(cache=True)
def normal(key, agent, purpose, k):
    """A standard normal number from the k-th and the next uniform one (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log1p(-unit(key, agent, purpose, k)))
    return radius * math.cos(2.0 * math.pi * unit(key, agent, purpose, k + 1))


@njit(cache=True)
def gamma(key, agent, purpose, shape):
    """A gamma number with mean `shape`, shape above 0 (Marsaglia and Tsang 2000)."""
    raised = shape if shape >= 1.0 else shape + 1.0
    d = raised - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    k = 1
    while True:
        x = normal(key, agent, purpose, k)
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if math.log1p(-unit(key, agent, purpose, k + 2)) < 0.5 * x * x + d - d * v + d * math.log(v):
                break
        k += 3
    if shape >= 1.0:
        return d * v
    return d * v * (1.0 - unit(key, agent, purpose, 0)) ** (1.0 / shape)


@njit(cache=True)
def poisson(key, agent, purpose, mean):
    """A Poisson count: by inversion, or if large by transformed rejection (Hörmann 1993, PTRS)."""
    if mean <= 0.0:
        return 0
    if mean <= LARGE:
        target = unit(key, agent, purpose, 0)
        term = math.exp(-mean)
        count = 0
        while target > term and term > 0.0:
            target -= term
            count += 1
            term *= mean / count
        return count
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    likely = 0.9277 - 3.6224 / (b - 2.0)
    k = 0
    while True:
        u = unit(key, agent, purpose, k) - 0.5
        v = unit(key, agent, purpose, k + 1)
        k += 2
        us = 0.5 - abs(u)
        if us <= 0.0:
            continue
        count = math.floor((2.0 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= likely:
            return int(count)
        if count < 0.0 or (us < 0.013 and v > us) or v <= 0.0:
            continue
        accepted = math.log(v * inverse_alpha / (a / (us * us) + b))
        if accepted <= count * math.log(mean) - mean - math.lgamma(count + 1.0):
            return int(count)


@njit(cache=True)
def shared_luck(key, agent, purpose, psi):
    """A factor of mean 1 and variance psi, gamma; 1 where psi is 0."""
    return 1.0 if psi < 1e-9 else psi * gamma(key, agent, purpose, 1.0 / psi)
