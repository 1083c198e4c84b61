"""Slow twins of calibration: one forecast at a time, by the definition, with probabilities from scipy."""

import math
from typing import Any

from scipy import stats


def law(mean, psi) -> Any:
    return stats.poisson(mean) if psi == 0 else stats.nbinom(1 / psi, 1 / (1 + psi * mean))


def last(mean, psi):
    return int(law(mean, psi).isf(1e-15)) + 5


def probabilities(mean, psi, upto):
    return law(mean, psi).pmf(range(upto + 1)).tolist()


def ranked(p, y):
    total, cumulated = 0.0, 0.0
    for k, each in enumerate(p):
        cumulated += each
        total += (cumulated - (y <= k)) ** 2
    return total


def scores(mean, psi, y):
    variance = mean + psi * mean**2
    p = probabilities(mean, psi, max(y, last(mean, psi)))
    return {
        "logs": -law(mean, psi).logpmf(y),
        "rps": ranked(p, y),
        "dss": math.log(variance) + (y - mean) ** 2 / variance,
        "ses": (y - mean) ** 2,
    }


def expected_score(name, mean, psi):
    variance = mean + psi * mean**2
    p = probabilities(mean, psi, last(mean, psi))
    losses = {
        "logs": lambda k: -math.log(p[k]),
        "rps": lambda k: ranked(p, k),
        "dss": lambda k: math.log(variance) + (k - mean) ** 2 / variance,
    }
    made = [(p[k], losses[name](k)) for k in range(len(p))]
    average = sum(weight * s for weight, s in made)
    return average, sum(weight * (s - average) ** 2 for weight, s in made)


def conditional_pit(u, low, high):
    """F(u | y) of Czado, Gneiting and Held (2009), equation 1."""
    if u <= low:
        return 0.0
    return 1.0 if u >= high else (u - low) / (high - low)


def pit_histogram(ends, bins):
    """ends : (P(Y < y), P(Y <= y)) of each observation; none is a point."""
    cumulated = [sum(conditional_pit(j / bins, low, high) for low, high in ends) / len(ends) for j in range(bins + 1)]
    return [cumulated[j + 1] - cumulated[j] for j in range(bins)]


def quantile(mean, psi, probability):
    cumulated = 0.0
    for k, each in enumerate(probabilities(mean, psi, last(mean, psi))):
        cumulated += each
        if cumulated >= probability - 1e-12:
            return k
    raise AssertionError


def deviance(mean, psi, y):
    """From the two log densities at the same overdispersion; y = 0 is certain under mean 0."""
    best = 0.0 if y == 0 else law(y, psi).logpmf(y)
    return math.copysign(math.sqrt(max(0.0, 2 * (best - law(mean, psi).logpmf(y)))), y - mean)
