"""Slow twin of the negative binomial regression: one place-step at a time, by the formula."""

import math

import numpy as np
from scipy import stats


def recent_mean(past, width):
    """Mean of the last `width` of a list of counts, of all where there are fewer, with half an event added."""
    window = past[-width:]
    return (sum(window) + 0.5) / len(window)


def log_likelihood(beta, psi, columns, counts):
    """Negative binomial with mean exp(columns beta) and variance mean + psi mean^2, by scipy's distribution."""
    total = 0.0
    for row, y in zip(columns, counts, strict=True):
        mu = math.exp(sum(a * b for a, b in zip(row, beta, strict=True)))
        total += stats.nbinom.logpmf(y, 1 / psi, 1 / (1 + psi * mu))
    return total


def paths(counts, steps, width, offset, slope, psi, draws, rng):
    """(S, P, K) draws whose recent means are taken anew at each step; offset(place, step ahead) is all else."""
    places = len(counts)
    largest = max(recent_mean(row[:t], width) for row in counts.tolist() for t in range(1, len(row) + 1))
    made = [[list(row) for row in counts.tolist()] for _ in range(draws)]
    for k in range(steps):
        mu = np.empty((draws, places))
        for s in range(draws):
            for i in range(places):
                mean = min(recent_mean(made[s][i], width), largest)
                mu[s, i] = math.exp(slope * math.log(mean) + offset(i, k))
        drawn = rng.poisson(mu * rng.gamma(1 / psi, psi, mu.shape))
        for s in range(draws):
            for i in range(places):
                made[s][i].append(float(drawn[s, i]))
    return np.array([[row[-steps:] for row in path] for path in made])
