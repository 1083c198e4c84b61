"""How likely one place's events, arrests or participants of a window are, given how many events are expected there.

The number of events after the first day is taken as geometric where it is not 0, with the mean and the chance of 0 that
the mean field has: exactly so for an overdispersion of 1 on one day. Arrests and participants given events are those of
the model, in cells: single counts, then wider ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from groundswell.models.cities.mobilisation import Mobilisation

SINGLE = 12
"""Counts that have a cell of their own."""
EVENT_RATIO, PERSON_RATIO, SIZE_STEP = 1.2, 1.15, 0.15
"""Ratio of the edges of wider cells of events and of persons; step in log of the cells of a crowd."""
MOST_EVENTS = 1_000


@dataclass(frozen=True, eq=False)
class Cells:
    """Ranges of whole numbers, low to high both included, and the number that stands for each."""

    low: np.ndarray
    high: np.ndarray
    middle: np.ndarray

    @classmethod
    def up_to(cls, most: float, ratio: float) -> Cells:
        """From 0 to `most` at least."""
        edges = list(range(SINGLE + 2))
        while edges[-1] <= most:
            edges.append(max(edges[-1] + 1, round(edges[-1] * ratio)))
        low, high = np.array(edges[:-1], dtype=float), np.array(edges[1:], dtype=float) - 1
        return cls(low, high, np.sqrt((low + 0.5) * (high + 0.5)) - 0.5)


@dataclass(frozen=True, eq=False)
class Law:
    """Log probabilities (N,) of the cells of a quantity, and their slopes.

    in_mean, in_none : in the expected events and in the chance of none. named : in parameters of the model.
    """

    logs: np.ndarray
    in_mean: np.ndarray
    in_none: np.ndarray
    named: dict[str, np.ndarray]


class PlaceLaw:
    """Of one series in one place over a window.

    given : events on the first day, inside the window, that the model is told of. days : in the window after that.
    value : (N,) what stands for each cell. most : the largest quantity of interest.
    """

    def __init__(self, series: str, distinct: bool, given: int, days: int, most: float) -> None:
        self.series, self.distinct = series, distinct
        self.events = Cells.up_to(MOST_EVENTS, EVENT_RATIO)
        self.count = given + self.events.middle
        self.days = max(days, 1)
        if distinct:
            self.value = np.array([0.0, 1.0])
        elif series == "events":
            self.value = self.count
        elif series == "arrests":
            self.cells = Cells.up_to(most, PERSON_RATIO)
            self.value = self.cells.middle
        else:
            logs = np.arange(math.log(0.5), math.log(most + 1.0), SIZE_STEP)
            self.value = np.exp(logs) - 0.5

    def at(self, model: Mobilisation, mean: float, none: float) -> Law:
        """Under these parameters and so many expected events after the first day, none with this chance."""
        share, in_mean, in_none = self._events(mean, none)
        table, named = self._given_events(model)
        total = share @ table
        scale = 1 / np.maximum(total, 1e-300)
        with np.errstate(divide="ignore"):
            logs = np.log(total)
        return Law(
            logs, (in_mean @ table) * scale, (in_none @ table) * scale,
            {name: (share @ slope) * scale for name, slope in named.items()},
        )  # fmt: skip

    def _events(self, mean: float, none: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(Y,) probability of each cell of events after the first day, and its slopes in the mean and in none."""
        some = max(1 - none, 1e-300)
        mean = max(mean, some * (1 + 1e-9), 1e-12)
        more = 1 - some / mean
        low, high = self.events.low[1:], self.events.high[1:]
        mass = more ** (low - 1) - more**high
        slope = (low - 1) * more ** np.maximum(low - 2, 0) - high * more ** (high - 1)
        share = np.concatenate([[none], some * mass])
        in_mean = np.concatenate([[0.0], some * slope * some / mean**2])
        in_none = np.concatenate([[1.0], -mass + some * slope / mean])
        return share, in_mean, in_none

    def _given_events(self, model: Mobilisation) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """(Y, N) probability of each cell of the quantity given the events, and its slopes in parameters."""
        if self.series == "events":
            some = self.count > 0
            return np.stack([~some, some], axis=1).astype(float) if self.distinct else np.eye(len(self.count)), {}
        if self.series == "participants":
            return self._crowds(model)
        table, in_mean, in_psi = self._arrests(model)
        if self.distinct:
            table, in_mean, in_psi = (np.stack([part[:, 0], -part[:, 0]], axis=1) for part in (table, in_mean, in_psi))
            table[:, 1] += 1
        return table, {"arrests.per_event": in_mean, "arrests.overdispersion": in_psi}

    def _arrests(self, model: Mobilisation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Negative binomial; the arrests of one day vary together, those of several days less (`no_arrest`)."""
        from scipy.special import digamma, gammaln

        value = np.zeros(1) if self.distinct else self.value
        wide = np.ones(1) if self.distinct else self.cells.high - self.cells.low + 1
        events = self.count[:, None]
        met = 1 / self.days + (1 - 1 / self.days) / np.maximum(events, 1)
        psi = np.maximum(model.arrests.overdispersion * met, 1e-9)
        mean = model.arrests.per_event * events
        size, grown = 1 / psi, np.log1p(psi * mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = gammaln(value + size) - gammaln(size) - gammaln(value + 1) - (value + size) * grown
            logs += np.where(value > 0, value * np.log(psi * mean), 0.0)
            table = np.where(events > 0, wide * np.exp(logs), value == 0)
            in_mean = np.where(events > 0, table * (value - mean) / (mean * (1 + psi * mean)), 0.0) * events
        in_psi = size**2 * (digamma(size) - digamma(value + size) + grown)
        in_psi = in_psi + value * size - (value + size) * mean / (1 + psi * mean)
        return table, in_mean, np.where(events > 0, table * in_psi * met, 0.0)

    def _crowds(self, model: Mobilisation) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """A sum of log-normal crowds as log-normal with its mean and variance (Fenton 1960)."""
        events, spread = np.maximum(self.count, 1)[:, None], max(model.crowds.spread, 1e-6)
        excess = math.expm1(spread**2) / events
        variance = np.log1p(excess)
        middle = math.log(max(model.crowds.median, 1e-300)) + np.log(events) + (spread**2 - variance) / 2
        in_spread = 2 * spread * math.exp(spread**2) / events / (1 + excess)  # of the variance
        z = (np.log(self.value + 0.5) - middle) / np.sqrt(variance)
        density = SIZE_STEP * np.exp(-0.5 * z**2) / np.sqrt(2 * math.pi * variance)
        in_middle = density * z / np.sqrt(variance)
        in_variance = density * (z**2 - 1) / (2 * variance)
        in_all = in_middle * (spread - in_spread / 2) + in_variance * in_spread
        some = self.count[:, None] > 0
        table = np.where(some, density, np.arange(len(self.value)) == 0)
        return table, {
            "crowds.median": np.where(some, in_middle / model.crowds.median, 0.0),
            "crowds.spread": np.where(some, in_all, 0.0),
        }
