"""`SelfExciting` taken apart: who may have set off whom, intensities at any moment, and what EM climbs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.models.events.branching import Branching
from groundswell.models.events.excitation import density, released
from groundswell.models.events.self_exciting_density import GeneralDensity, Slopes, joined
from groundswell.models.events.surroundings import Surroundings
from groundswell.params import from_vector

if TYPE_CHECKING:
    from groundswell.models.events.self_exciting import SelfExciting

ROWS = 256
"""Later events that are set beside all earlier ones at a time."""
LEAST = 1e-9
"""Pairs that add less than this share of the intensity at the later event are left out, and their sum is below
1e-9 times the number of events."""

NO_SHARE = 1e-20
"""A share of an intensity below this is none in expectation-maximisation: it moves no sum, and it is slow."""


class _Parts:
    """A model's arrays at its own parameters, in a setting with a history; E events, those before the window first."""

    def __init__(self, model: SelfExciting, setting: Setting, history: History, events: Events) -> None:
        self.model, self.setting = model, setting
        self.times, self.place, self.first = joined(model.before, events, len(setting.places))
        around = Surroundings(model, setting, history)
        self.base, self.factor, self.offspring = around.base(model), around.factor(model), model.offspring(setting)
        self.size = np.ones(len(self.times))
        if model.size is not None:
            self.size = model.size.factors(*model.size.logs(model.before, events))[0]

    def step(self, days: np.ndarray) -> np.ndarray:
        """The step of each time."""
        window = self.setting.window
        return np.clip((days // window.step).astype(int), 0, window.periods - 1)

    def without_parent(self, days: np.ndarray, place: np.ndarray) -> np.ndarray:
        """(K,) the intensity that no event adds."""
        at = (place, self.step(days))
        return self.factor[at] * self.base[at]

    def added(self, days: np.ndarray, place: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """What each event (columns) adds to the intensity at rows of points, in rows of at most ROWS points."""
        for low in range(0, len(days), ROWS):
            rows = slice(low, low + ROWS)
            known = int(np.searchsorted(self.times, days[rows].max()))
            lag = days[rows, None] - self.times[:known]
            earlier = lag > 0
            out = np.zeros(lag.shape)
            pair = self.offspring[self.place[:known], place[rows, None]] * self.size[:known]
            out[earlier] = pair[earlier] * density(self.model.delay, lag[earlier])[0]
            yield rows, out * self.factor[place[rows], self.step(days[rows])][:, None]


def branching(model: SelfExciting, setting: Setting, history: History, events: Events) -> Branching:
    """See `SelfExciting.branching`."""
    parts = _Parts(model, setting, history, events)
    background = parts.without_parent(events.time_days, events.place)
    from_before = np.zeros(len(events))
    later, earlier, triggered = [], [], []
    for rows, added in parts.added(events.time_days, events.place):
        from_before[rows] = added[:, : parts.first].sum(axis=1)
        inside = added[:, parts.first :]
        rate = background[rows] + added.sum(axis=1)
        one, other = np.nonzero(inside > LEAST * rate[:, None])
        later.append(one + rows.start)
        earlier.append(other)
        triggered.append(inside[one, other])
    if not later:
        later, earlier, triggered = [np.empty(0, int)], [np.empty(0, int)], [np.empty(0)]
    return Branching(background, from_before, *(np.concatenate(each) for each in (later, earlier, triggered)))


def rate_at(model: SelfExciting, setting: Setting, history: History, events: Events, points: Events) -> np.ndarray:
    """See `SelfExciting.rate_at`."""
    parts = _Parts(model, setting, history, events)
    rate = parts.without_parent(points.time_days, points.place)
    for rows, added in parts.added(points.time_days, points.place):
        rate[rows] += added.sum(axis=1)
    return rate


def compensator(
    model: SelfExciting, setting: Setting, history: History, events: Events, days: np.ndarray
) -> np.ndarray:
    """See `SelfExciting.compensator`."""
    parts, window = _Parts(model, setting, history, events), setting.window
    days = np.asarray(days, dtype=float)
    edges = np.unique(np.concatenate([np.arange(window.periods) * float(window.step), days]))
    step = parts.step(edges[:-1])
    added = (parts.factor * parts.base).sum(axis=0)[step] * np.diff(edges)
    sent = parts.offspring @ parts.factor  # (P, T) of an event at each place, were all to come in one step
    if model.represses:
        for place, by_step in enumerate(sent):
            rows = parts.place == place
            added += by_step[step] * np.diff(released(model.delay, parts.times[rows], parts.size[rows], edges))
    else:  # a step is like any other, and the events of all places are one sum
        added += np.diff(released(model.delay, parts.times, sent[parts.place, 0] * parts.size, edges))
    upto = np.concatenate([[0.0], np.cumsum(added)])
    return upto[np.searchsorted(edges, days)] - upto[np.searchsorted(edges, 0.0)]


class CompleteLikelihood:
    """`models.events.branching.CompleteLikelihood` of this model; it keeps the pairs, O(E^2) for long delays."""

    def __init__(self, model: SelfExciting, setting: Setting, history: History, events: Events) -> None:
        self._model, self._setting, self._history, self._events = model, setting, history, events
        self._density = GeneralDensity(model, setting, history, events)

    def attribute(self, x: np.ndarray) -> Shares:
        """The shares at x."""
        parts = _Parts(from_vector(self._model, x), self._setting, self._history, self._events)
        background = parts.without_parent(self._events.time_days, self._events.place)
        later, earlier, share, alone = [], [], [], np.zeros(len(background))
        for rows, added in parts.added(self._events.time_days, self._events.place):
            rate = background[rows] + added.sum(axis=1)
            alone[rows] = background[rows] / rate
            one, other = np.nonzero(added > NO_SHARE * rate[:, None])
            later.append(one + rows.start + parts.first)
            earlier.append(other)
            share.append(added[one, other] / rate[one])
        return Shares(alone, *(np.concatenate(each) if each else np.empty(0, int) for each in (later, earlier, share)))

    def expected(self, x: np.ndarray, shares: Shares) -> tuple[float, np.ndarray]:
        """See the protocol."""
        density_, alone = self._density, shares.alone
        now, events = density_.at(x), density_.excitation
        sender, receiver = events.place[shares.earlier], events.place[shares.later]
        pair = now.offspring[sender] if now.offspring.ndim == 1 else now.offspring[sender, receiver]
        height, slope = density(now.model.delay, events.times[shares.later] - events.times[shares.earlier])
        mark, turned = (each[shares.earlier] for each in now.marks)
        cell = tuple(each[events.first :] for each in density_.cell)
        with np.errstate(divide="ignore"):
            base_log, pair_log = np.log(now.base[cell]), np.log(np.maximum(pair * mark * height, 1e-300))
        value = float(alone[alone > 0] @ base_log[alone > 0] + shares.pair @ pair_log)
        in_base, in_offspring = np.zeros_like(now.base), np.zeros_like(now.offspring)
        np.add.at(in_base, cell, alone / np.maximum(now.base[cell], 1e-300))
        at = sender if now.offspring.ndim == 1 else (sender, receiver)
        np.add.at(in_offspring, at, shares.pair / np.maximum(pair, 1e-300))
        in_delay = (slope / np.maximum(height, 1e-300)) @ shares.pair
        in_exponent = float(shares.pair @ (turned / mark))
        return density_.less_expected(
            now, value, Slopes(in_base, np.zeros_like(in_base), in_offspring, in_delay, in_exponent)
        )


class Shares(NamedTuple):
    """Of the intensity at E events in the window: (E,) without a parent, and (N,) by pair of all events."""

    alone: np.ndarray
    later: np.ndarray
    earlier: np.ndarray
    pair: np.ndarray
