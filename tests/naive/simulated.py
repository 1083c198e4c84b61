"""Slow twins of inference by simulation: loops over simulations, by the definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def distance(values: Any, target: Any, scale: Any) -> float:
    return math.sqrt(sum(((v - t) / s) ** 2 for v, t, s in zip(values, target, scale, strict=True)))


def kernel_weights(distances: list[float], weights: list[float], tolerance: float) -> list[float]:
    out = []
    for apart, weight in zip(distances, weights, strict=True):
        if apart == 0:
            out.append(weight)
        else:
            out.append(weight * (1 - (apart / tolerance) ** 2) if apart <= tolerance else 0.0)
    return out


def worth(weights: list[float]) -> float:
    return sum(weights) ** 2 / sum(w * w for w in weights) if any(weights) else 0.0


def normal_mixture(y: Any, points: Any, covariance: Any) -> float:
    """Mean of normal densities around the points, times (2 pi)^(K/2)."""
    inverse, scale = np.linalg.inv(covariance), math.sqrt(np.linalg.det(covariance))
    return sum(math.exp(-0.5 * (y - p) @ inverse @ (y - p)) / scale for p in points) / len(points)


def local_linear(y: Any, values: Any, target: Any, weights: Any) -> np.ndarray:
    """Beaumont et al. (2002), equations of weighted least squares solved outright."""
    design = np.column_stack([np.ones(len(values)), values - target])
    w = np.diag(weights)
    beta = np.linalg.solve(design.T @ w @ design, design.T @ w @ y)
    return np.array([row - (value - target) @ beta[1:] for row, value in zip(y, values, strict=True)])


def shrunk(values: Any) -> np.ndarray:
    """Schäfer and Strimmer (2005): correlations times one minus their variances' sum over that of their squares."""
    n, size = values.shape
    sd = [np.std(values[:, i], ddof=1) for i in range(size)]
    z = [[(values[k, i] - values[:, i].mean()) / sd[i] for i in range(size)] for k in range(n)]
    r, variance = np.eye(size), np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            products = [z[k][i] * z[k][j] for k in range(n)]
            mean = sum(products) / n
            if i != j:
                r[i, j] = n / (n - 1) * mean
                variance[i, j] = n / (n - 1) ** 3 * sum((p - mean) ** 2 for p in products)
    squares = sum(r[i, j] ** 2 for i in range(size) for j in range(size) if i != j)
    share = min(1.0, variance.sum() / squares)
    return np.array(
        [[sd[i] * sd[j] * (1.0 if i == j else (1 - share) * r[i, j]) for j in range(size)] for i in range(size)]
    )
