"""Draws of event counts, negative binomial around a mean, plain or given something about them; compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def some_events(rng, mu, psi, likely):
    """A negative binomial count given that it is above 0, as is `likely`: by inversion, or gamma-Poisson if large."""
    if mu > 30.0:
        while True:
            count = rng.poisson(mu if psi < 1e-9 else psi * mu * rng.standard_gamma(1.0 / psi))
            if count > 0:
                return count
    shape, share = (0.0, 0.0) if psi < 1e-9 else (1.0 / psi, psi * mu / (1.0 + psi * mu))
    term = (1.0 - likely) * (mu if psi < 1e-9 else shape * share)
    target = rng.random() * likely
    count = 1
    while target > term and term > 0.0 and count < 100_000:
        target -= term
        term *= mu / (count + 1) if psi < 1e-9 else (count + shape) / (count + 1) * share
        count += 1
    return count


@njit(cache=True)
def active_probability(mu, psi):
    """P(Y > 0), accurate at tiny means."""
    return -math.expm1(-mu) if psi < 1e-9 else -math.expm1(-math.log1p(psi * mu) / psi)


@njit(cache=True)
def none_probability(mean, psi):
    """P(Y = 0)."""
    return math.exp(-mean) if psi < 1e-9 else math.exp(-math.log1p(psi * mean) / psi)


@njit(cache=True)
def draw_count(rng, mean, psi):
    """A negative binomial count with variance mean + psi mean^2: by inversion or, if large, gamma-Poisson."""
    return draw_count_from(rng, mean, psi, none_probability(mean, psi) if 0.0 < mean <= 30.0 else 0.0)


@njit(cache=True)
def draw_count_from(rng, mean, psi, none):
    """`draw_count` where P(Y = 0) is known already."""
    if mean <= 0.0:
        return 0
    if mean > 30.0 or psi < 1e-9:
        return rng.poisson(mean if psi < 1e-9 else psi * mean * rng.standard_gamma(1.0 / psi))
    shape, share = 1.0 / psi, psi * mean / (1.0 + psi * mean)
    term = none
    target = rng.random()
    count = 0
    while target > term and term > 0.0 and count < 100_000:
        target -= term
        count += 1
        term *= (count - 1 + shape) / count * share
    return count


@njit(cache=True)
def tilted_events(rng, mu, psi, log_g, weights):
    """A count drawn from P(y) g(y) and the log of its normaliser; g stays at its last value beyond the table.

    weights : room for one number more than the table has.
    """
    most = len(log_g) - 1
    top = -np.inf
    for y in range(most + 1):
        top = max(top, log_g[y])
    if top == -np.inf:
        return 0, -np.inf
    term = math.exp(-mu) if psi < 1e-9 else math.exp(-math.log1p(psi * mu) / psi)
    share = 0.0 if psi < 1e-9 else psi * mu / (1.0 + psi * mu)
    total, mass = 0.0, 0.0
    for y in range(most + 1):
        weights[y] = term * math.exp(log_g[y] - top)
        total += weights[y]
        mass += term
        term *= mu / (y + 1) if psi < 1e-9 else (y + 1.0 / psi) / (y + 1) * share
    # what lies beyond the table: the rest of 1 or, where that would be mostly rounding, the sum of its terms
    beyond, count = 1.0 - mass, most + 1
    if beyond < 1e-6:
        beyond, later = 0.0, term
        while later > 1e-14 * beyond and count < 10_000:
            beyond += later
            later *= mu / (count + 1) if psi < 1e-9 else (count + 1.0 / psi) / (count + 1) * share
            count += 1
    last = math.exp(log_g[most] - top)
    weights[most + 1] = beyond * last
    total += weights[most + 1]
    if total <= 0.0:
        return 0, -np.inf
    target = rng.random() * total
    for y in range(most + 1):
        target -= weights[y]
        if target < 0.0:
            return y, math.log(total) + top
    count = most + 1
    if term > 0.0:
        while target > term * last and term > 0.0 and count < 100_000:
            target -= term * last
            term *= mu / (count + 1) if psi < 1e-9 else (count + 1.0 / psi) / (count + 1) * share
            count += 1
    else:  # so large a mean that the table's terms are 0 to the machine: nearly every draw lies beyond it
        count = 0
        while count <= most:
            count = draw_count(rng, mu, psi)
    return count, math.log(total) + top


@njit(cache=True)
def given_seen(seen, mu, psi, detection):
    """Log probability that so many events were seen, each with probability `detection`; and mean and psi of the rest.

    Of a gamma mean of shape 1 / psi what was seen leaves one of shape 1 / psi + seen for the rest.
    """
    if mu <= 0.0:
        return 0.0 if seen == 0 else -np.inf, 0.0, psi
    mean = detection * mu
    if psi < 1e-9:
        return seen * math.log(mean) - mean - math.lgamma(seen + 1.0), (1.0 - detection) * mu, psi
    shape = 1.0 / psi
    log_seen = math.lgamma(seen + shape) - math.lgamma(shape) - math.lgamma(seen + 1.0)
    log_seen += seen * math.log(psi * mean / (1.0 + psi * mean)) - shape * math.log1p(psi * mean)
    return log_seen, (shape + seen) * (1.0 - detection) / (shape / mu + detection), 1.0 / (shape + seen)
