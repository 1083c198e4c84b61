"""Importance sampling in rounds: all draws so far are weighed as one sample from the mixture of what they came from.

So none is lost, and where the first round is from the prior no weight exceeds the number of draws over that round's.
Paper: Cornuet, Marin, Mira and Robert (2012), adaptive multiple importance sampling. Coordinates are those in which the
prior is standard normal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

BLOCK = 2000
"""Rows at once of a table of squared distances."""


class Proposal(Protocol):
    """What a round draws from."""

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, K) independent draws."""
        ...

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """At y (N, K), without the constant that all normals share, (N,)."""
        ...


@dataclass(frozen=True)
class Normal:
    """A normal with this mean (K,) and this root of its covariance (K, K), lower triangular."""

    middle: np.ndarray
    root: np.ndarray

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, K) independent draws."""
        return self.middle + rng.standard_normal((count, len(self.middle))) @ self.root.T

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """At y (N, K), without the constant that all normals share, (N,)."""
        apart = np.linalg.solve(self.root, (y - self.middle).T)
        return -0.5 * (apart**2).sum(axis=0) - np.log(np.diag(self.root)).sum()


@dataclass(frozen=True)
class Cloud:
    """Normals of one width around points (n, K), each point as likely as the others."""

    points: np.ndarray
    root: np.ndarray

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, K) independent draws."""
        at = self.points[rng.integers(0, len(self.points), count)]
        return at + rng.standard_normal(at.shape) @ self.root.T

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """At y (N, K), without the constant that all normals share, (N,). Cost O(N n K), in memory for BLOCK of N."""
        white, centres = (np.linalg.solve(self.root, at.T).T for at in (y, self.points))
        own = (centres**2).sum(axis=1)
        parts = []
        for block in np.split(white, range(BLOCK, len(white), BLOCK)):
            near = block @ centres.T - 0.5 * own
            top = near.max(axis=1, keepdims=True)
            parts.append(np.log(np.exp(near - top).sum(axis=1)) + top[:, 0] - 0.5 * (block**2).sum(axis=1))
        return np.concatenate(parts) - math.log(len(centres)) - np.log(np.diag(self.root)).sum()


def log_mixture(proposals: Sequence[Proposal], sizes: Sequence[int], y: np.ndarray) -> np.ndarray:
    """Log of the sum of the proposals' densities at y, each times the number of its draws, (N,)."""
    each = [proposal.log_density(y) + math.log(size) for proposal, size in zip(proposals, sizes, strict=True)]
    return np.logaddexp.reduce(each, axis=0)


def effective(log_weight: np.ndarray) -> float:
    """Independent draws that weights are worth: (sum w)^2 / sum w^2."""
    weights = shares(log_weight)
    return float(1 / (weights**2).sum())


def power_for(log_weight: np.ndarray, wanted: float) -> float:
    """The highest power, at most 1, at which the weights are worth `wanted` draws."""
    low, high = 0.0, 1.0
    if effective(log_weight) >= wanted:
        return 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle * log_weight) >= wanted else (low, middle)
    return max(low, 1e-6)


def spiked(y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K,) and a root (K, K) of the covariance of a weighted sample that is N(0, 1) but for a few directions.

    y : (N, K). With n effective draws and g = K / n, noise alone
    spreads the sample's eigenvalues over (1 -+ sqrt g)^2; those are taken for 1. An eigenvalue outside belongs to a
    direction of variance v with value = v (1 + g / (v - 1)), and its sample direction has squared cosine
    c^2 = (1 - g / (v - 1)^2) / (1 + g / (v - 1)) with the true one, so the best variance along it is v c^2 + 1 - c^2
    (Donoho, Gavish and Johnstone 2018, Frobenius loss). The mean along all other directions is drawn towards 0 as far
    as noise may have made it (James and Stein 1961). With n <= K the covariance is 1.
    """
    count = float(1 / (weights**2).sum())
    mean = weights @ y
    centred = y - mean
    g = y.shape[1] / max(count - 1, 1e-9)
    if g >= 1:
        return _towards_0(mean, count), np.eye(y.shape[1])
    values, axes = np.linalg.eigh((centred * weights[:, None]).T @ centred * count / (count - 1))
    variance = np.ones(len(values))
    for k, value in enumerate(values):
        if (1 - math.sqrt(g)) ** 2 <= value <= (1 + math.sqrt(g)) ** 2:
            continue
        b = 1 + value - g
        v = (b + math.copysign(math.sqrt(max(b * b - 4 * value, 0.0)), value - 1)) / 2
        cosine = (1 - g / (v - 1) ** 2) / (1 + g / (v - 1))
        variance[k] = v * cosine + 1 - cosine
    along = axes.T @ mean
    usual = variance == 1
    along[usual] = _towards_0(along[usual], count)
    return axes @ along, np.linalg.cholesky((axes * variance) @ axes.T)


def learnt(y: np.ndarray, weights: np.ndarray, about: Normal) -> Normal:
    """The normal of a weighted sample, (N, K), that is `about` but for a few directions: by `spiked`."""
    apart = np.ascontiguousarray(np.linalg.solve(about.root, (y - about.middle).T).T)
    middle, root = spiked(apart, weights)
    return Normal(about.middle + about.root @ middle, about.root @ root)


def _towards_0(mean: np.ndarray, count: float) -> np.ndarray:
    """James and Stein's estimate of a mean known with variance 1 / count in each of its directions."""
    length = float(mean @ mean)
    return mean if len(mean) < 3 else mean * max(0.0, 1 - (len(mean) - 2) / (count * length)) if length > 0 else mean


def shares(log_weight: np.ndarray) -> np.ndarray:
    """Weights that sum to 1."""
    weights = np.exp(log_weight - log_weight.max())
    return weights / weights.sum()


def log_mean(log_weight: np.ndarray) -> float:
    """Log of the mean weight."""
    top = float(log_weight.max())
    return top + math.log(float(np.exp(log_weight - top).mean()))
