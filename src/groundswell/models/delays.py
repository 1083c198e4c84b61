"""Triggering kernels in time: how late, in days, an event sets off another; `triggering` has those in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundswell.params import Component, Prior, param


@dataclass(frozen=True)
class ExponentialDelay(Component):
    """g(u) = decay exp(-decay u) for u >= 0 days: integrates to 1, mean delay 1 / decay."""

    decay: float = param(
        "1/day", low=0, prior=Prior(0.7, 0.6), doc="how fast an event stops triggering; 1 / decay is the mean delay"
    )

    def value(self, delay_days: np.ndarray) -> np.ndarray:
        """g(u), 1/day; 0 for negative delays."""
        delay = np.asarray(delay_days)
        return np.where(delay < 0, 0.0, self.decay * np.exp(-self.decay * np.maximum(delay, 0)))

    def gradient(self, delay_days: np.ndarray) -> np.ndarray:
        """d g(u) / d decay, (1, ...)."""
        delay = np.maximum(np.asarray(delay_days), 0)
        inside = np.asarray(delay_days) >= 0
        return np.where(inside, (1 - self.decay * delay) * np.exp(-self.decay * delay), 0.0)[None]

    def integral(self, delay_days: np.ndarray) -> np.ndarray:
        """Share of the offspring that come within `delay_days`: 1 - exp(-decay u)."""
        return -np.expm1(-self.decay * np.maximum(np.asarray(delay_days), 0))

    def integral_gradient(self, delay_days: np.ndarray) -> np.ndarray:
        """d integral / d decay, (1, ...)."""
        delay = np.maximum(np.asarray(delay_days), 0)
        return (delay * np.exp(-self.decay * delay))[None]


@dataclass(frozen=True)
class UniformDelay(Component):
    """g(u) the same at any delay, up to where a model cuts triggering off: no parameter, nothing learnt of time."""

    def value(self, delay_days: np.ndarray) -> np.ndarray:
        """1 everywhere; the model divides by its integral."""
        return np.ones(np.shape(delay_days))

    def gradient(self, delay_days: np.ndarray) -> np.ndarray:
        """(0, ...)."""
        return np.zeros((0, *np.shape(delay_days)))

    def integral(self, delay_days: np.ndarray) -> np.ndarray:
        """u."""
        return np.maximum(np.asarray(delay_days, dtype=float), 0)

    def integral_gradient(self, delay_days: np.ndarray) -> np.ndarray:
        """(0, ...)."""
        return np.zeros((0, *np.shape(delay_days)))
