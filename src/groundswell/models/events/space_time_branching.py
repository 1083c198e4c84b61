"""What `SpaceTime` says of single events and moments at its own parameters: parents, expected events, rates, and EM."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.events.branching import Branching
from groundswell.models.events.space_time_density import SpaceTimeDensity, Spread
from groundswell.models.events.space_time_pairs import Pairs
from groundswell.params import vector

if TYPE_CHECKING:
    from groundswell.models.events.space_time import SpaceTime

TOGETHER = 1_000_000
"""Pairs of a moment and an event that are worked on at a time."""


def branching(model: SpaceTime, setting: Setting, events: Events) -> Branching:
    """See `SpaceTime.branching`."""
    density, x = SpaceTimeDensity(model, setting, events), vector(model)
    background, nothing = density.rest(x)[0], np.zeros(0, dtype=np.int64)
    if density.triggering is None:
        return Branching(background, np.zeros(len(events)), nothing, nothing, np.zeros(0))
    pairs, spread = density.triggering.sums.pairs, density.triggering.spread(x[density.split :])
    added = pairs.each(spread.reach, spread.delay, spread.source)
    return Branching(background, np.zeros(len(events)), pairs.later, pairs.earlier, added)


def compensator(model: SpaceTime, setting: Setting, events: Events, days: np.ndarray) -> np.ndarray:
    """See `SpaceTime.compensator`."""
    days, out = np.asarray(days, dtype=float), np.zeros(len(days))
    if model.endemic is not None:
        by_step = (model.endemic.rate(setting) * setting.covariates["area_km2"]).sum(axis=0) * setting.window.step
        edges = np.arange(setting.window.periods + 1) * setting.window.step
        out += model.kinds * np.interp(days, edges, np.append(0.0, np.cumsum(by_step)))
    part = SpaceTimeDensity(model, setting, events).triggering
    if part is None or model.offspring is None:
        return out
    spread = part.spread(vector(model.offspring))
    expected = part.everywhen(spread)
    time, longest = events.time_days, model.offspring.longest_days
    done, begun = np.searchsorted(time, days - longest), np.searchsorted(time, days)
    out += np.append(0.0, np.cumsum(expected))[done]  # whose offspring are all over; of the others a share
    recent = begun - done
    for which in np.split(np.arange(len(days)), np.flatnonzero(np.diff(np.cumsum(recent) // TOGETHER)) + 1):
        many = recent[which]
        moment = np.repeat(which, many)
        event = np.arange(len(moment)) + np.repeat(begun[which] - np.cumsum(many), many)
        share = spread.delay.integral(days[moment] - time[event]) / spread.late_all
        out += np.bincount(moment, expected[event] * share, len(days))
    return out


def rate_at(model: SpaceTime, setting: Setting, events: Events, points: Events) -> np.ndarray:
    """See `SpaceTime.rate_at`."""
    if points.x_km is None or points.y_km is None:
        raise DataError("rate_at was given points without positions; expected Events.x_km and y_km, as events have.")
    out = np.zeros(len(points))
    if model.endemic is not None:
        window = setting.window
        step = np.clip((points.time_days // window.step).astype(int), 0, window.periods - 1)
        out += model.endemic.rate(setting)[points.place, step]
    part = model.offspring
    if part is None:
        return out
    eta = np.exp(part.columns(events) @ np.array([part.intercept, *part.effects.values()]))
    spread = Spread.of(part, eta, part.reach, part.delay)
    for first in range(0, len(points), 1000):
        rows = np.arange(first, min(first + 1000, len(points)))
        pairs = Pairs(part, events, points.take(rows))
        out[rows] += np.bincount(pairs.later, pairs.each(spread.reach, spread.delay, spread.source), len(rows))
    return out


class Shares(NamedTuple):
    """Probabilities: that an event needed no parent (E,), and of each pair that the earlier set off the later (N,)."""

    background: np.ndarray
    parent: np.ndarray


class SpaceTimeComplete:
    """A `CompleteLikelihood`. Cost of either verb O(pairs)."""

    def __init__(self, model: SpaceTime, setting: Setting, events: Events) -> None:
        self._density = SpaceTimeDensity(model, setting, events)
        self._kinds, self._count = model.kinds, len(events)

    def attribute(self, x: np.ndarray) -> Shares:
        """Each part of an event's intensity over the whole of it."""
        rest, added = self._density.rest(x)[0], np.zeros(0)
        part = self._density.triggering
        if part is None:
            return Shares(np.ones(self._count), added)
        spread = part.spread(x[self._density.split :])
        added = part.sums.pairs.each(spread.reach, spread.delay, spread.source)
        rate = np.maximum(rest + np.bincount(part.sums.pairs.later, added, self._count), 1e-300)
        return Shares(rest / rate, added / rate[part.sums.pairs.later])

    def expected(self, x: np.ndarray, shares: Shares) -> tuple[float, np.ndarray]:
        """The complete log density at x, averaged over the shares, and its gradient."""
        from scipy.special import xlogy

        density, slopes = self._density, []
        rest, cells = density.rest(x)
        value = float(xlogy(shares.background, rest).sum()) - self._kinds * float(cells.sum())
        if density.endemic is not None:
            slopes.append(shares.background @ density.endemic.at - self._kinds * cells @ density.endemic.cells)
        if (part := density.triggering) is not None:
            spread, pairs, parent = part.spread(x[density.split :]), part.sums.pairs, shares.parent
            value += float(xlogy(parent, pairs.each(spread.reach, spread.delay, spread.source)).sum())
            soon = np.maximum(spread.delay.value(pairs.days), 1e-300)
            offspring, slope = part.balance(
                spread, np.bincount(pairs.earlier, parent, self._count), spread.reach.log_gradient(pairs.km) @ parent,
                spread.delay.gradient(pairs.days) @ (parent / soon),
            )  # fmt: skip
            value -= float(offspring.sum())
            slopes.append(slope)
        return value, np.concatenate(slopes)
