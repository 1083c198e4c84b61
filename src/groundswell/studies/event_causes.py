"""Which events needed no parent: shares by time and place and sizes of clusters, with the doubt of fit and forest.

Given the parameters it is chance which earlier event set off which; a forest is one such draw
(`evaluate.declustering`). Over plausible parameters and forests the spread of a number is all that the model leaves
open about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.evaluate.declustering import BACKGROUND, drawn_forest
from groundswell.studies.event_kernels import Interval

PERIODS = 40
"""Stretches of the window at most, and LENGTHS the days of one that are tried."""

LENGTHS = (1, 7, 14, 28, 91, 182, 365, 730, 1826)

SIZES = (1, 2, 3, 4, 5, 10, 20, 50, 100, 1000, 10_000)
"""Where classes of clusters begin."""


@dataclass(frozen=True, eq=False)
class Causes:
    """What the estimate says of each event, and S forests, each of another plausible model.

    triggered : (E,) probability that an earlier event set it off, at the estimate. set_off : (S, E) whether one did.
    sizes : S times the events of each cluster. level : of every interval.
    """

    setting: Setting
    history: History
    triggered: np.ndarray
    set_off: np.ndarray
    sizes: Sequence[np.ndarray]
    level: float = 0.9

    @classmethod
    def of(
        cls, model: Any, draws: Sequence[Any], setting: Setting, history: History, *, rng: np.random.Generator
    ) -> Causes:
        """By the model's verb `branching`, for the estimate and for each draw."""
        triggered = 1 - model.branching(setting, history).background_probability
        set_off, sizes = [], []
        for draw in draws:
            forest = drawn_forest(draw.branching(setting, history), rng)
            set_off.append(forest.parent != BACKGROUND)
            sizes.append(forest.sizes)
        return cls(setting, history, triggered, np.array(set_off), sizes)

    @property
    def events(self) -> Events:
        """The single events."""
        assert self.history.events is not None
        return self.history.events

    @cached_property
    def share(self) -> Interval:
        """Share of all events that earlier ones set off."""
        return Interval(float(self.triggered.mean()), *self._ends(self.set_off.mean(axis=1)))

    def over_time(self) -> Table:
        """from, days, events, triggered (expected number), share, low, high; a row for each stretch of the window."""
        window = self.setting.window
        length = next((n for n in LENGTHS if window.days / n <= PERIODS), -(-window.days // PERIODS))
        stretches = -(-window.days // length)
        stretch = np.minimum((self.events.time_days // length).astype(int), stretches - 1)
        rows = []
        for k, row in enumerate(self._shares(stretch, stretches)):
            first = window.start + timedelta(days=k * length)
            rows.append({"from": first.isoformat(), "days": min(length, window.days - k * length), **row})
        return Table.from_rows(rows)

    def by_place(self) -> Table:
        """place, events, triggered, share, low, high; places with events, the most first."""
        names = self.setting.places.name
        rows = self._shares(self.events.place, len(names))
        found = [{"place": name, **row} for name, row in zip(names, rows, strict=True) if row["events"]]
        return Table.from_rows(sorted(found, key=lambda row: -row["events"]))

    def clusters(self) -> Table:
        """size, clusters, low, high: how many clusters have so many events, on average over the forests."""
        largest = max(int(sizes.max()) for sizes in self.sizes)
        rows: list[dict[str, Any]] = []
        for low, end in zip(SIZES, [*SIZES[1:], largest + 1], strict=True):
            if low > largest:
                break
            counts = np.array([int(((sizes >= low) & (sizes < end)).sum()) for sizes in self.sizes])
            ends = self._ends(counts)
            size = str(low) if end <= low + 1 else f"{low}–{end - 1}"
            rows.append({"size": size, "clusters": float(counts.mean()), "low": ends[0], "high": ends[1]})
        return Table.from_rows(rows)

    @cached_property
    def largest(self) -> Interval:
        """Events of the largest cluster."""
        each = np.array([sizes.max() for sizes in self.sizes], dtype=float)
        return Interval(float(np.median(each)), *self._ends(each))

    @cached_property
    def alone(self) -> Interval:
        """Share of the clusters that are single events."""
        each = np.array([(sizes == 1).mean() for sizes in self.sizes])
        return Interval(float(each.mean()), *self._ends(each))

    def _shares(self, group: np.ndarray, groups: int) -> list[dict[str, Any]]:
        counts = np.bincount(group, minlength=groups)
        expected = np.bincount(group, self.triggered, minlength=groups)
        drawn = np.array([np.bincount(group, each, minlength=groups) for each in self.set_off])
        rows = []
        for k in range(groups):
            row: dict[str, Any] = {"events": int(counts[k]), "triggered": float(expected[k])}
            row |= dict.fromkeys(("share", "low", "high"))
            if counts[k]:
                low, high = self._ends(drawn[:, k] / counts[k])
                row |= {"share": float(expected[k] / counts[k]), "low": low, "high": high}
            rows.append(row)
        return rows

    def _ends(self, each: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(each, [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(low), float(high)
