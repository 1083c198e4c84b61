"""Which road to the sum over earlier events is shortest: pairs kept, pairs found anew in cells, or Fourier states.

- `pairs`: every pair within reach and time, found once. Exact; any kernel; cost and memory O(pairs).
- `cells`: local kernels, however many events. See `space_time_cells`.
- `waves`: kernels as wide as the map with many events in reach at any time. See `space_time_waves`.

Costs are predicted from pairs of a sample of events, at the parameter values at hand, in nanoseconds of one core of
2020. What cells and waves leave out is below `error` in each pair, relative to a pair at the same place and moment.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.history import Events
from groundswell.errors import UsageError
from groundswell.models.delays import Delay
from groundswell.models.events.space_time_cells import DELAYS, REACHES, Cells, extent
from groundswell.models.events.space_time_pairs import Pairs, Raised, columns_of
from groundswell.models.events.space_time_waves import Waves
from groundswell.models.triggering import Reach

if TYPE_CHECKING:
    from groundswell.models.events.space_time import Offspring

ROUTES = ("auto", "pairs", "cells", "waves")

FEW = 200_000
"""So few pairs are kept without a thought for costs: they also give second derivatives."""

MOST = 30_000_000
"""More pairs are not kept: they would fill a gigabyte."""

SAMPLED = 256
"""Events of the sample whose pairs are counted, and how many earlier events of each."""


class Sums:
    """What earlier events add at each, by the shortest road, or by the one that was asked for."""

    def __init__(self, part: Offspring, events: Events, route: str, error: float) -> None:
        self._part, self._events, self.error, self._chosen = part, events, error, route
        self._columns = columns_of(part, events)
        self._cells, self._waves = Cells(part, events, error), Waves(part, events, error)
        self._remembered: dict[tuple[int, ...], tuple[str, float]] = {}
        if route == "pairs" or (route == "auto" and self._every <= FEW):
            self._chosen, _ = "pairs", self.pairs

    @property
    def exact(self) -> bool:
        """Whether pairs are kept, so that nothing is left out and `pairs` costs nothing more."""
        return self._chosen == "pairs"

    @cached_property
    def pairs(self) -> Pairs:
        """Every pair within reach and time; UsageError for too many to be kept."""
        within_time = self._within_time
        every = within_time if within_time <= MOST else self.count(self._part.furthest_km, self._part.longest_days)
        if every > MOST:
            raise UsageError(
                f"some {every:.2g} pairs of events are within furthest_km and longest_days; {MOST:.0e} can be kept. "
                'Lower either. For a log density leave the route at "auto", which keeps none of so many.'
            )
        return Pairs(self._part, self._events)

    def __call__(self, reach: Reach, delay: Delay, source: np.ndarray, rest: np.ndarray) -> Raised:
        """See `Raised`."""
        route = self.route(reach, delay)
        weigh = {"pairs": lambda: self.pairs, "cells": lambda: self._cells, "waves": lambda: self._waves}[route]()
        return weigh(reach, delay, source, rest)

    def bound(self, reach: Reach, delay: Delay, source: np.ndarray, rate: np.ndarray) -> float:
        """At most so much is the sum of log rates off, for what the road leaves out; 0 where it keeps every pair.

        A pair's f g is off by less than `error` times the highest, and by less than the highest f times its own g: so
        an event's rate by that, summed over all earlier events of its kind. Cost O(E log E).
        """
        if self.route(reach, delay) == "pairs":
            return 0.0
        limits, (time, _, _, kind) = extent(self._part, reach, delay, self.error), self._columns
        blocks = limits.days * np.arange(50.0)
        highest = float(reach.value(self._part.furthest_km * np.append(0.0, np.geomspace(1e-6, 1.0, 300))).max())
        later = highest * delay.value(blocks[1:]) * limits.late_ends  # what is cut off there is no pair at all
        each = [math.exp(limits.least), *later.tolist()]
        off = np.zeros(len(time))
        for own in np.unique(kind):
            rows = np.flatnonzero(kind == own)
            before = np.append(0.0, np.cumsum(source[rows]))
            seen = [before[np.searchsorted(time[rows], time[rows] - block)] for block in (*blocks, np.inf)]
            off[rows] = sum(height * (seen[m] - seen[m + 1]) for m, height in enumerate(each))
        return float((off / np.maximum(rate - off, 1e-300)).sum())

    def route(self, reach: Reach, delay: Delay) -> str:
        """The road at these kernels; kernels that reach about as far have the same one."""
        if self._chosen == "pairs":
            return "pairs"
        reaches = extent(self._part, reach, delay, self.error)
        key = tuple(round(4 * math.log(size)) for size in (reaches.km, reaches.days))
        route, self._waves.near_km = self._remembered.get(key, ("waves", -1.0))
        if route == "waves" and self._waves.series(reach, delay, self._waves.near_km) is None:
            route = self._shortest(reach, delay)
            self._remembered[key] = route, self._waves.near_km
        return route

    def _shortest(self, reach: Reach, delay: Delay) -> str:
        formula = type(reach) in REACHES and type(delay) in DELAYS
        if self._chosen == "cells" and not formula:
            raise UsageError(
                f'route "cells" has no compiled formula for {type(reach).__name__} with {type(delay).__name__}; '
                'leave the route at "auto", or take "pairs".'
            )
        costs = {"cells": self._cost_of_cells(reach, delay)} if formula else {}
        if self._chosen == "auto":
            costs["pairs"] = 30 * self._every if self._every <= MOST else math.inf
        if self._chosen != "cells":
            near_km, cost = self._nearest(reach, delay, min(costs.values()) if self._chosen == "auto" else math.inf)
            if near_km is not None:
                self._waves.near_km, costs["waves"] = near_km, cost
            elif self._chosen == "waves":
                raise UsageError(
                    f'route "waves" cannot carry {type(reach).__name__} with {type(delay).__name__} here: it needs an '
                    "exponential or uniform delay, and a reach that is smooth and not cut off by furthest_km within "
                    'the map. Raise furthest_km, or leave the route at "auto".'
                )
        if self._chosen != "auto":
            return self._chosen
        found = min(costs, key=lambda name: costs[name])
        if math.isinf(costs[found]):
            raise UsageError(
                f"{type(reach).__name__} with {type(delay).__name__} is weighed pair by pair, and there are too many "
                "pairs to be kept. Lower furthest_km or longest_days, or take a reach and a delay of this package."
            )
        return found

    def _cost_of_cells(self, reach: Reach, delay: Delay) -> float:
        reaches = extent(self._part, reach, delay, self.error)
        return 300 * len(self._events) + 8 * self.count(reaches.km, reaches.days)

    def _nearest(self, reach: Reach, delay: Delay, least: float) -> tuple[float | None, float]:
        """How far f is smoothed so that waves cost least, and that cost; None where they cannot or cost more."""
        across = math.hypot(*self._waves.width)
        days = extent(self._part, reach, delay, self.error).days
        smoothed = across * 2.0 ** -np.arange(1, 8) if across and type(reach) in REACHES else np.empty(0)
        # frequencies needed fall as 1 / near_km; a trial of each would cost more than it gains
        angle = 1.75 * math.log(1 / self.error) - 2
        tried = [(0.0, 0.0)]
        for near_km in smoothed:
            waves = math.prod([angle / near_km * (2 * w + 2.3 * near_km) / (2 * np.pi) + 1 for w in self._waves.width])
            cost = self._cost_of_waves(waves) + 300 * len(self._events) + 20 * self.count(near_km, days)
            tried.append((float(near_km), cost))
        tried.sort(key=lambda one: one[1])
        for near_km, cost in tried:
            if cost > least:
                continue
            found = self._waves.series(reach, delay, near_km)
            if found is not None:
                waves = math.prod(found.weight.shape[1:])
                return near_km, cost if near_km else self._cost_of_waves(waves)
        return None, math.inf

    def _cost_of_waves(self, waves: float) -> float:
        return len(self._events) * (600 + 2.2 * waves)

    @cached_property
    def _every(self) -> float:
        """About how many pairs there are; for a few thousand events they are found rather than guessed."""
        if self._within_time <= FEW:
            return len(self.pairs.later)
        return self.count(self._part.furthest_km, self._part.longest_days)

    @cached_property
    def _within_time(self) -> int:
        """How many pairs are within longest_days, however far apart: no fewer than there are pairs."""
        time = self._columns[0]
        return int((np.arange(len(time)) - np.searchsorted(time, time - self._part.longest_days)).sum())

    def count(self, km: float, days: float) -> float:
        """About how many pairs are no further apart."""
        apart, delay, stands = self._sample
        return float(stands[(apart <= km) & (delay <= days)].sum())

    @cached_property
    def _sample(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distances and delays of a sample of pairs of one kind, and how many pairs each stands for."""
        time, x, y, kind = self._columns
        later = (np.arange(SAMPLED) + 0.5) / SAMPLED * len(time)
        later = np.unique(later.astype(int))[:, None] if len(time) else np.empty((0, 1), int)
        first = np.searchsorted(time, time[later] - self._part.longest_days)
        earlier = first + ((np.arange(SAMPLED) + 0.5) / SAMPLED * (later - first)).astype(int)
        pair = (kind[earlier] == kind[later]) & (time[earlier] < time[later])
        stands = np.broadcast_to((later - first) / SAMPLED * len(time) / max(len(later), 1), pair.shape)[pair]
        days = (time[later] - time[earlier])[pair]
        return np.hypot(x[earlier] - x[later], y[earlier] - y[later])[pair], days, stands
