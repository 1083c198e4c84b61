"""Slow twins of the scores: one cell at a time, by the definition."""

import math
from itertools import pairwise


def crps(draws, y):
    size = len(draws)
    near = sum(abs(x - y) for x in draws) / size
    spread = sum(abs(a - b) for a in draws for b in draws) / (2 * size**2)
    return near - spread


def crps_by_integral(draws, y):
    """Integral of (F(z) - 1[z >= y])^2 dz over the steps of the empirical distribution F."""
    points = sorted([*draws, y])
    total = 0.0
    for left, right in pairwise(points):
        share = sum(x <= left for x in draws) / len(draws)
        total += (right - left) * (share - (left >= y)) ** 2
    return total


def log_score(draws, y, weight):
    hits = sum(x == y for x in draws)
    return -math.log((hits + weight / ((y + 1) * (y + 2))) / (len(draws) + weight))


def brier_at_least(draws, y, threshold):
    share = sum(x >= threshold for x in draws) / len(draws)
    return (share - (1 if y >= threshold else 0)) ** 2


def quantile(draws, probability):
    for x in sorted(draws):
        if sum(z <= x for z in draws) >= probability * len(draws) - 1e-9:
            return x
    return max(draws)


def weighted_interval(draws, y, levels):
    total = abs(y - quantile(draws, 0.5)) / 2
    for alpha in levels:
        low, high = quantile(draws, alpha / 2), quantile(draws, 1 - alpha / 2)
        interval = high - low
        if y < low:
            interval += 2 / alpha * (low - y)
        if y > high:
            interval += 2 / alpha * (y - high)
        total += alpha / 2 * interval
    return total / (len(levels) + 0.5)


def threshold_weighted_crps(draws, y, threshold):
    """Integral of (F(z) - 1[z >= y])^2 dz over z above the threshold: what chaining is worth."""
    points = sorted([*draws, y, threshold])
    total = 0.0
    for left, right in pairwise(points):
        if left >= threshold:
            share = sum(x <= left for x in draws) / len(draws)
            total += (right - left) * (share - (left >= y)) ** 2
    return total


def energy(draws, y):
    """draws[d][s] of D places, y[d]; every pair of draws by itself."""
    paths = list(zip(*draws, strict=True))
    near = sum(math.dist(path, y) for path in paths) / len(paths)
    spread = sum(math.dist(a, b) for a in paths for b in paths) / (2 * len(paths) ** 2)
    return near - spread


def variogram(draws, y, weights, order):
    """draws[d][s] of D places, y[d], weights[i][j]; every ordered pair of places by itself."""
    total = 0.0
    for i, first in enumerate(draws):
        for j, second in enumerate(draws):
            expected = sum(abs(a - b) ** order for a, b in zip(first, second, strict=True)) / len(first)
            total += weights[i][j] * (abs(y[i] - y[j]) ** order - expected) ** 2
    return total
