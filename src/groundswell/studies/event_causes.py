"""Which events needed no parent: shares by time and place and sizes of clusters, with the doubt of fit and forest.

Given the parameters it is chance which earlier event set off which; a forest is one such draw. Over plausible
parameters and forests the spread of a number is all that the model leaves open about it. Zhuang, Ogata and Vere-Jones
(2002), Journal of the American Statistical Association 97, 369-380, section 3.
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
from groundswell.models.events.branching import Branching
from groundswell.studies.event_kernels import Interval

PERIODS = 40
"""Stretches of the window at most, and LENGTHS the days of one that are tried."""

LENGTHS = (1, 7, 14, 28, 91, 182, 365, 730, 1826)

FEWEST = 5
"""Events of a stretch or place below which its share is not drawn."""


def parents_in(branching: Branching, rng: np.random.Generator) -> np.ndarray:
    """(E,) row of each event's parent in one forest; -1 for none, -2 for one before the window."""
    before = branching.background + branching.from_before
    at = rng.random(len(before)) * branching.rate
    found = np.where(at < branching.background, -1, -2)
    set_off = np.flatnonzero(at >= before)
    if len(set_off):
        sums = np.cumsum(branching.triggered)
        first = np.searchsorted(branching.later, set_off)
        last = np.searchsorted(branching.later, set_off, side="right") - 1
        base = np.where(first > 0, sums[first - 1], 0.0)
        pair = np.searchsorted(sums, base + at[set_off] - before[set_off], side="right")
        found[set_off] = branching.earlier[np.clip(pair, first, last)]
    return found


def cluster_sizes(parents: np.ndarray) -> np.ndarray:
    """(C,) events of each cluster: one without a parent in the window, and all that go back to it."""
    root = np.arange(len(parents))
    for row, parent in enumerate(parents):  # a parent stands before its offspring
        if parent >= 0:
            root[row] = root[parent]
    sizes = np.bincount(root, minlength=len(parents))
    return sizes[sizes > 0]


@dataclass(frozen=True, eq=False)
class Causes:
    """What the estimate says of each event, and S forests, each of another plausible model.

    branching : at the estimate. parents : (S, E). level : of every interval.
    """

    setting: Setting
    history: History
    branching: Branching
    parents: np.ndarray
    level: float = 0.9

    @classmethod
    def of(
        cls, model: Any, draws: Sequence[Any], setting: Setting, history: History, *, rng: np.random.Generator
    ) -> Causes:
        """By the model's verb `branching`, once for the estimate and once for each draw."""
        parents = [parents_in(draw.branching(setting, history), rng) for draw in draws]
        return cls(setting, history, model.branching(setting, history), np.array(parents))

    @property
    def events(self) -> Events:
        """The single events."""
        assert self.history.events is not None
        return self.history.events

    @cached_property
    def triggered(self) -> np.ndarray:
        """(E,) probability that the event was set off by an earlier one, at the estimate."""
        return 1 - self.branching.background_probability

    @cached_property
    def share(self) -> Interval:
        """Share of all events that earlier ones set off."""
        return Interval(float(self.triggered.mean()), *self._ends((self.parents != -1).mean(axis=1)))

    def over_time(self) -> Table:
        """from, days, events, triggered (expected number), share, low, high; a row for each stretch of the window."""
        window = self.setting.window
        length = next((n for n in LENGTHS if window.days / n <= PERIODS), -(-window.days // PERIODS))
        stretch = (self.events.time_days // length).astype(int)
        stretch = np.minimum(stretch, -(-window.days // length) - 1)
        rows = self._shares(stretch, -(-window.days // length))
        for k, row in enumerate(rows):
            first = window.start + timedelta(days=k * length)
            rows[k] = {"from": first.isoformat(), "days": min(length, window.days - k * length), **row}
        return Table.from_rows(rows)

    def by_place(self) -> Table:
        """place, events, triggered, share, low, high; places with events, the most first."""
        names = self.setting.places.name
        rows = self._shares(self.events.place, len(names))
        found = [{"place": name, **row} for name, row in zip(names, rows, strict=True) if row["events"]]
        return Table.from_rows(sorted(found, key=lambda row: -row["events"]))

    def clusters(self) -> Table:
        """size, clusters, low, high: how many clusters have so many events, on average over the forests."""
        drawn = [cluster_sizes(each) for each in self.parents]
        edges = [1, 2, 3, 4, 5, 10, 20, 50, 100, 1000, 10_000]
        largest = max(int(sizes.max()) for sizes in drawn)
        rows = []
        for low, high in zip(edges, [*edges[1:], 10**9], strict=True):
            if low > largest:
                break
            counts = np.array([int(((sizes >= low) & (sizes < high)).sum()) for sizes in drawn])
            ends = self._ends(counts)
            size = str(low) if high == low + 1 else f"{low}+" if high > 10**8 else f"{low}–{high - 1}"
            rows.append({"size": size, "clusters": float(counts.mean()), "low": ends[0], "high": ends[1]})
        return Table.from_rows(rows)

    @cached_property
    def largest(self) -> Interval:
        """Events of the largest cluster."""
        each = np.array([cluster_sizes(parents).max() for parents in self.parents], dtype=float)
        return Interval(float(np.median(each)), *self._ends(each))

    @cached_property
    def alone(self) -> Interval:
        """Share of the clusters that are single events."""
        each = np.array([(cluster_sizes(parents) == 1).mean() for parents in self.parents])
        return Interval(float(each.mean()), *self._ends(each))

    def _shares(self, group: np.ndarray, groups: int) -> list[dict[str, Any]]:
        counts = np.bincount(group, minlength=groups)
        expected = np.bincount(group, self.triggered, minlength=groups)
        drawn = np.array([np.bincount(group, each != -1, minlength=groups) for each in self.parents])
        rows = []
        for k in range(groups):
            row: dict[str, Any] = {"events": int(counts[k]), "triggered": float(expected[k])}
            if counts[k]:
                low, high = self._ends(drawn[:, k] / counts[k])
                row |= {"share": float(expected[k] / counts[k]), "low": low, "high": high}
            else:
                row |= {"share": None, "low": None, "high": None}
            rows.append(row)
        return rows

    def _ends(self, each: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(each, [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(low), float(high)
