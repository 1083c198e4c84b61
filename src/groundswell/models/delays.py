"""Triggering kernels in time: how late, in days, an event sets off another; `triggering` has those in space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from groundswell.errors import ParameterError
from groundswell.params import Component, Effects, Prior, param


class Exponentials(NamedTuple):
    """g(u) = sum of weight x decay x exp(-decay u) over M terms, and the slopes of both in the K parameters, (K, M)."""

    weight: np.ndarray
    decay: np.ndarray
    weight_slope: np.ndarray
    decay_slope: np.ndarray


class SumDelay(Component, ABC):
    """Delays that are sums of exponentials, exactly or closely enough: what a recursion over the events can carry on.

    A new kind states its `exponentials`; the rest follows.
    """

    @abstractmethod
    def exponentials(self, longest_days: float) -> Exponentials:
        """The terms, good for delays up to longest_days."""

    def value(self, delay_days: np.ndarray) -> np.ndarray:
        """g(u), 1/day; 0 for negative delays."""
        delay, terms = self._at(delay_days)
        inside = np.asarray(delay_days) >= 0
        return np.where(inside, np.tensordot(terms.weight * terms.decay, _fall(terms, delay), 1), 0.0)

    def gradient(self, delay_days: np.ndarray) -> np.ndarray:
        """d g(u) / d parameter, (K, ...)."""
        delay, terms = self._at(delay_days)
        fall = _fall(terms, delay)
        height = terms.weight_slope * terms.decay + terms.weight * terms.decay_slope
        slopes = np.tensordot(height, fall, 1)
        slopes -= np.tensordot(terms.weight * terms.decay * terms.decay_slope, delay * fall, 1)
        return np.where(np.asarray(delay_days) >= 0, slopes, 0.0)

    def integral(self, delay_days: np.ndarray) -> np.ndarray:
        """Share of the offspring that come within `delay_days`."""
        delay, terms = self._at(delay_days)
        return np.tensordot(terms.weight, _gone(terms, delay), 1)

    def integral_gradient(self, delay_days: np.ndarray) -> np.ndarray:
        """d integral / d parameter, (K, ...)."""
        delay, terms = self._at(delay_days)
        fall = _fall(terms, delay)
        return np.tensordot(terms.weight_slope, _gone(terms, delay), 1) + np.tensordot(
            terms.weight * terms.decay_slope, delay * fall, 1
        )

    def _at(self, delay_days: np.ndarray) -> tuple[np.ndarray, Exponentials]:
        delay = np.maximum(np.asarray(delay_days, dtype=float), 0)
        return delay, self.exponentials(float(delay.max(initial=0.0)))


def _fall(terms: Exponentials, delay: np.ndarray) -> np.ndarray:
    """(M, ...) exp(-decay u)."""
    return np.exp(-np.multiply.outer(terms.decay, delay))


def _gone(terms: Exponentials, delay: np.ndarray) -> np.ndarray:
    """(M, ...) 1 - exp(-decay u), also where that is far below rounding of 1."""
    return -np.expm1(-np.multiply.outer(terms.decay, delay))


@dataclass(frozen=True)
class ExponentialDelay(SumDelay):
    """g(u) = decay exp(-decay u) for u >= 0 days: integrates to 1, mean delay 1 / decay."""

    decay: float = param(
        "1/day", low=0, prior=Prior(0.7, 0.6), doc="how fast an event stops triggering; 1 / decay is the mean delay"
    )

    def exponentials(self, longest_days: float) -> Exponentials:
        """One term."""
        one = np.ones((1, 1))
        return Exponentials(one[0], np.array([float(self.decay)]), 0 * one, one)

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


@dataclass(frozen=True)
class StepDelay(Component):
    """g(u) by bands of days: 1 up to the first knot, then a level for each band, 0 beyond the last knot.

    log_level : keyed by the day at which a band ends; the first band's level is the unit and has no entry. Models
    divide by the integral. No shape is assumed, so it shows what shape the data have.
    """

    first_days: float = 1.0
    log_level: Effects = param(
        "1", prior=Prior(0.0, 1.5), default=Effects({"7": -1.0}), doc="log of a band's level over that of the first"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first_days <= 0 or (np.diff(self.knots) <= 0).any():
            raise ParameterError(f"StepDelay has the knots {self.knots.tolist()} days; they must rise from above 0.")

    @property
    def knots(self) -> np.ndarray:
        """(B,) where the bands end, days."""
        return np.array([self.first_days, *(float(knot) for knot in self.log_level)])

    def value(self, delay_days: np.ndarray) -> np.ndarray:
        """The band's level; 0 beyond the last and for delays of 0 or less."""
        levels = np.array([1.0, *np.exp(self.log_level.values_array), 0.0])
        return np.where(np.asarray(delay_days) > 0, levels[np.searchsorted(self.knots, delay_days)], 0.0)

    def gradient(self, delay_days: np.ndarray) -> np.ndarray:
        """In the log levels: the level itself in its own band."""
        band = np.searchsorted(self.knots, delay_days)
        own = band == np.arange(1, len(self.knots)).reshape(-1, *([1] * np.ndim(delay_days)))
        return np.where(own, self.value(delay_days), 0.0)

    def integral(self, delay_days: np.ndarray) -> np.ndarray:
        """Level times the days within each band, summed."""
        return np.tensordot(np.array([1.0, *np.exp(self.log_level.values_array)]), self._within(delay_days), 1)

    def integral_gradient(self, delay_days: np.ndarray) -> np.ndarray:
        """In the log levels."""
        within = self._within(delay_days)[1:]
        return np.exp(self.log_level.values_array).reshape(-1, *([1] * np.ndim(delay_days))) * within

    def _within(self, delay_days: np.ndarray) -> np.ndarray:
        """(B, ...) days within each band."""
        edges = np.concatenate([[0.0], self.knots]).reshape(-1, *([1] * np.ndim(delay_days)))
        return np.diff(np.clip(delay_days, 0, edges), axis=0)


Delay: TypeAlias = SumDelay | UniformDelay | StepDelay
"""What a model of the plane may hold: value, gradient, integral and integral_gradient, cut off by the model."""
