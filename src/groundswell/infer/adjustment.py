"""Regression adjustment: from parameters accepted near what was observed to parameters as if exactly there.

Beaumont, Zhang and Balding (2002): near the target the parameters are regressed on the summaries, and each is moved
along that line to the target. Blum and François (2010) also let the spread about the line change with the summaries.
A ridge penalty, chosen by generalised cross-validation (Golub, Heath and Wahba 1979), keeps many or collinear
summaries in check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Adjustment = Literal["none", "linear", "heteroscedastic"]

PENALTIES = np.concatenate([[0.0], np.logspace(-6, 2, 17)])
"""Tried, as shares of the mean squared singular value."""
SMALLEST = 1e-8
"""Of squared residuals, in units of the prior's variance, before their logarithm is taken."""


def adjusted(
    y: np.ndarray, values: np.ndarray, target: np.ndarray, weights: np.ndarray, kind: Adjustment
) -> np.ndarray:  # fmt: skip
    """(N, F) the parameters y (N, F) with summaries values (N, S) moved to the target (S,); weights (N,) sum to 1."""
    if kind == "none":
        return y
    line = Line.through(y, values, weights)
    residual = y - line.at(values)
    if kind == "heteroscedastic":
        log_square = np.log(np.maximum(residual**2, SMALLEST))
        spread = Line.through(log_square, values, weights)
        residual *= np.exp((spread.at(target) - spread.at(values)) / 2)
    return line.at(target) + residual


@dataclass(frozen=True, eq=False)
class Line:
    """Parameters (F,) as a linear function of summaries (S,): mean + (values - middle) / spread @ slopes.

    mean (F,), middle and spread (S,), infinite for what does not vary, slopes (S, F) for a spread each.
    """

    mean: np.ndarray
    middle: np.ndarray
    spread: np.ndarray
    slopes: np.ndarray

    @classmethod
    def through(cls, y: np.ndarray, values: np.ndarray, weights: np.ndarray) -> Line:
        """By weighted least squares with the ridge: y (N, F), values (N, S), weights (N,) that sum to 1."""
        middle = weights @ values
        spread = np.sqrt(weights @ (values - middle) ** 2)
        spread[spread <= 1e-12 * np.abs(middle)] = np.inf  # what does not vary tells nothing
        return cls(weights @ y, middle, spread, ridge((values - middle) / spread, y, weights))

    def at(self, values: np.ndarray) -> np.ndarray:
        """(..., F) at values (..., S); NaN where one is missing."""
        return self.mean + (values - self.middle) / self.spread @ self.slopes


def ridge(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(S, F) slopes of y (N, F) in x (N, S), which has weighted mean 0; the intercept is not penalised."""
    root = np.sqrt(weights)[:, None]
    u, d, v = np.linalg.svd(root * x, full_matrices=False)
    kept = d > 1e-10 * max(float(d.max(initial=0.0)), 1e-300)
    u, d, v = u[:, kept], d[kept], v[kept]
    if not len(d):
        return np.zeros((x.shape[1], y.shape[1]))
    along = u.T @ (root * (y - weights @ y))
    total = (root**2 * (y - weights @ y) ** 2).sum(axis=0)
    count = 1 / float((weights**2).sum())
    best, slopes = np.inf, np.zeros((len(d), y.shape[1]))
    for penalty in PENALTIES * float((d**2).mean()):
        shrink = d**2 / (d**2 + penalty)
        left = np.maximum(total - ((2 * shrink - shrink**2)[:, None] * along**2).sum(axis=0), 1e-300)
        freedom = 1 - (shrink.sum() + 1) / count
        if freedom <= 0:
            continue
        # one penalty for all parameters: the product of their criteria
        criterion = float(np.log(left).mean() - 2 * np.log(freedom))
        if criterion < best:
            best, slopes = criterion, (shrink / d)[:, None] * along
    return v.T @ slopes
