"""Residuals of counts about exact one-step forecasts, one for each cell, in the forecast's shape.

Standard normal, roughly, if the forecasts are right: patterns over places, time or the mean show what a model
misses. Of rare counts only the randomised quantile residuals are near normal; the others lie on a few lines.
"""

from __future__ import annotations

import numpy as np

from groundswell.evaluate.count_forecast import NegativeBinomial


def pearson(forecast: NegativeBinomial, observed: np.ndarray) -> np.ndarray:
    """(y - mean) / standard deviation; mean 0 and variance 1, but skewed where events are few."""
    return (forecast.counts(observed) - forecast.mean) / np.sqrt(forecast.variance)


def deviance(forecast: NegativeBinomial, observed: np.ndarray) -> np.ndarray:
    """sign(y - mean) sqrt(2 (log density at mean y - log density at the mean)), overdispersion held.

    Their squares sum to the deviance. d / 2 = y log(y / mean) - (y + 1/psi) log((1 + psi y) / (1 + psi mean)),
    for Poisson y log(y / mean) - (y - mean); y log y is 0 at y = 0.
    """
    y, mean = forecast.counts(observed).astype(float), forecast.mean
    psi = np.asarray(forecast.overdispersion)
    some = psi > 0
    safe = np.where(some, psi, 1.0)
    gain = y * np.log(np.where(y > 0, y, 1.0) / np.where(y > 0, mean, 1.0))
    # (1 + psi y) / (1 + psi mean) = 1 + x: near 1 for a small psi, where the log of the ratio would lose digits
    tilt = np.log1p(safe * (y - mean) / (1 + safe * mean))
    cost = np.where(some, y * tilt + tilt / safe, y - mean)
    return np.sign(y - mean) * np.sqrt(2 * np.maximum(gain - cost, 0))


def randomised_quantile(forecast: NegativeBinomial, observed: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """The normal quantile of a point drawn evenly between P(Y < y) and P(Y <= y).

    Exactly standard normal and independent if the one-step forecasts are right, however rare the events; the
    price is the randomness: look at several draws before reading anything into one.
    Paper: Dunn and Smyth 1996.
    """
    from scipy.special import ndtri

    low, high = forecast.pit(observed)
    inside = np.clip(low + (high - low) * rng.random(low.shape), 1e-300, 1 - 1e-16)
    return ndtri(inside)
