"""Importance weights whose largest ones are smoothed, and a number that says whether to rely on them.

Draws from one distribution stand for another when each weighs by the ratio of the two densities. If the ratio has a
heavy tail, the largest few weights decide, and another seed would decide otherwise. Pareto smoothing puts the expected
order statistics of a generalised Pareto distribution, fitted to the tail, in their place; its shape k tells how heavy
the tail is. Paper: Vehtari, Simpson, Gelman, Yao and Gabry (2024), Pareto smoothed importance sampling, Journal of
Machine Learning Research 25.
"""

from __future__ import annotations

import numpy as np

RELIABLE = 0.7
"""Shape k above which means by the weights are not relied on, however many draws there are (`largest_k`)."""

SHORTEST = 5
"""Weights that a tail needs; with fewer nothing is smoothed and k is infinite."""


def largest_k(draws: int) -> float:
    """Shape k up to which means by so many weights are relied on: less where draws are few.

    min(1 - 1 / log10(draws), .7) of Vehtari and others (2024): the mean of weights of shape k needs about
    10^(1 / (1 - k)) draws.
    """
    return min(1 - 1 / float(np.log10(max(draws, 2))), RELIABLE)


def smoothed(log_ratio: np.ndarray) -> tuple[np.ndarray, float]:
    """The log ratios (N,) with their tail smoothed, and its shape k; k is 0 where all ratios are equal.

    log_ratio : (N,), finite. The tail is the largest min(N / 5, 3 sqrt(N)) of them; none becomes larger than the
    largest was.
    """
    top = float(np.max(log_ratio))
    logs = np.asarray(log_ratio, dtype=float) - top
    if np.ptp(logs) < 1e-12:
        return logs + top, 0.0
    size = int(np.ceil(min(0.2 * len(logs), 3 * np.sqrt(len(logs)))))
    order = np.argsort(logs, kind="stable")
    tail = order[-size:]
    cut = logs[order[-size - 1]] if size < len(logs) else -np.inf
    beyond = np.exp(logs[tail]) - np.exp(cut)
    k = np.inf
    if size >= SHORTEST and beyond[0] > 0:
        k, scale = generalised_pareto(beyond)
        share = (np.arange(size) + 0.5) / size
        expected = scale * (np.expm1(-k * np.log1p(-share)) / k if abs(k) > 1e-10 else -np.log1p(-share))
        logs[tail] = np.minimum(np.log(expected + np.exp(cut)), 0.0)
    return logs + top, float(k)


def generalised_pareto(values: np.ndarray) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution of values above 0, given in rising order, (N,).

    Paper: Zhang and Stephens (2009), Technometrics 51, 316-325; the shape is drawn a little towards 1/2, as by ten
    more values (Vehtari and others 2024, appendix).
    """
    count = len(values)
    tries = 30 + int(np.sqrt(count))
    quartile = values[int(count / 4 + 0.5) - 1]
    theta = 1 / values[-1] + (1 - np.sqrt(tries / (np.arange(tries) + 0.5))) / (3 * quartile)
    shape = np.log1p(-theta[:, None] * values).mean(axis=1)
    profile = count * (np.log(-theta / shape) - shape - 1)
    weights = np.exp(profile - np.logaddexp.reduce(profile))
    middle = float(weights @ theta)
    k = float(np.log1p(-middle * values).mean())
    return (k * count + 5) / (count + 10), -k / middle
