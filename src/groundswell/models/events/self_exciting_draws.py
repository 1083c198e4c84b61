"""Single events drawn from `SelfExciting`: one after the other where that is exact and quick, else step by step.

Step by step: within a step the background and what repression does are constant, and known at its start. Each step gets
its events without a parent, the offspring that earlier events release in it, and, generation after generation, the
offspring of its own events. Exact for any delay. Both ways draw from the same law; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events, History, from_events
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.models.delays import ExponentialDelay, StepDelay, SumDelay
from groundswell.models.events.excitation import distribution
from groundswell.models.events.self_exciting_density import joined
from groundswell.models.events.surroundings import Repression, Surroundings, arrests_of

if TYPE_CHECKING:
    from groundswell.models.events.self_exciting import SelfExciting


class Drawn(NamedTuple):
    """Events after the past, rising in time: times, places, sizes (NaN where there are none); arrests (P, T) or None.

    complete : False where max_events was passed; the events are then those up to there.
    """

    days: np.ndarray
    place: np.ndarray
    size: np.ndarray
    arrests: np.ndarray | None
    complete: bool


Sampler = Callable[[np.random.Generator], Drawn]


def sampler(model: SelfExciting, setting: Setting, past: Events, start: float, given: History | None) -> Sampler:
    """A function that draws what follows `past`, the events of the window up to `start`; laid out once for many."""
    if model.plain:
        return _one_by_one(model, setting, past, start)
    return _ByStep(model, setting, past, start, given)


def history_of(setting: Setting, past: Events, drawn: Drawn) -> History:
    """The window's history: what was given and what was drawn; attributes that drawn events lack are left out."""
    size = None
    if not np.isnan(drawn.size).all():
        known = np.full(len(past), np.nan) if past.size is None else np.asarray(past.size, dtype=float)
        size = np.concatenate([known, drawn.size])
    events = Events(np.concatenate([past.time_days, drawn.days]), np.concatenate([past.place, drawn.place]), size=size)
    history = from_events(setting.places, setting.window, events)
    return history if drawn.arrests is None else replace(history, series={**history.series, "arrests": drawn.arrests})


def _one_by_one(model: SelfExciting, setting: Setting, past: Events, start: float) -> Sampler:
    from groundswell.models.events._self_exciting_loops import draw

    assert isinstance(model.delay, ExponentialDelay)
    places, decay = setting.places, model.delay.decay
    times, place, _ = joined(model.before, past, len(places))
    excitation = np.zeros(len(places))
    np.add.at(excitation, place, np.exp(-decay * (start - times)))
    offspring, shares = model.offspring(setting), np.cumsum(model.shares(places))
    sent = offspring.sum(axis=1)
    cumulative = np.cumsum(offspring / np.where(sent > 0, sent, 1)[:, None], axis=1)
    room = max(model.max_events - len(past), 0)
    new_times, new_place = np.empty(room), np.empty(room, dtype=np.int64)
    end = float(setting.window.days)

    def sample(rng: np.random.Generator) -> Drawn:
        count = draw(
            rng, start, end, model.background, shares, sent, cumulative, decay, excitation.copy(), new_times, new_place
        )
        known = room if count < 0 else count
        return Drawn(new_times[:known], new_place[:known], np.full(known, np.nan), None, count >= 0)

    return sample


class _Parents(NamedTuple):
    """Events that excite: times, places, sizes, and by how much more than the average one."""

    days: np.ndarray
    place: np.ndarray
    size: np.ndarray
    mark: np.ndarray


class _Receiving(NamedTuple):
    """Of a step with its repression: expected offspring by sender (P,), and their places as sums that rise (P, P)."""

    whole: np.ndarray
    rising: np.ndarray


class _ByStep:
    def __init__(
        self, model: SelfExciting, setting: Setting, past: Events, start: float, given: History | None
    ) -> None:
        self._model, self._setting, self._start, self._known = model, setting, start, len(past)
        times, place, _ = joined(model.before, past, len(setting.places))
        size = np.full(len(times), np.nan)
        if model.size is not None:
            for events, rows in (
                (model.before, slice(0, len(times) - len(past))),
                (past, slice(-len(past) or None, None)),
            ):
                if events is not None and events.size is not None:
                    size[rows] = events.size
        self._offspring = model.offspring(setting)
        self._base = Surroundings(model, setting, None).base(model)
        self._arrests = np.zeros(setting.shape)
        if model.represses and given is not None:
            self._arrests[:, : given.window.periods] = arrests_of(given)
        self._sizes = self._to_draw_from(past)
        self._marks = self._factors(self._sizes)
        self._past = _Parents(times, place, size, self._factors(size))
        longest = float(setting.window.days) - float(times.min(initial=0.0))
        self._delays = _Fading(model.delay, longest) if isinstance(model.delay, SumDelay) else _Bands(model.delay)

    def _to_draw_from(self, past: Events) -> np.ndarray:
        if self._model.size is None:
            return np.empty(0)
        if self._model.size.drawn_from is not None:
            return np.array(self._model.size.drawn_from)
        known = np.empty(0) if past.size is None else np.asarray(past.size, dtype=float)
        known = known[~np.isnan(known)]
        if not len(known):
            raise UsageError(
                "simulated events need sizes, and none are known: give BySize.drawn_from, participants that new events "
                "take at random, or a past whose events have sizes."
            )
        return known

    def __call__(self, rng: np.random.Generator) -> Drawn:
        model, window = self._model, self._setting.window
        made: list[_Parents] = []
        arrests = self._arrests.copy()
        total, parents = self._known, self._past
        repression, first = Repression(model, self._setting), int(self._start // window.step)
        for step in range(window.periods):
            factor = repression.next(arrests, step)
            if step < first:
                continue
            new = self._step(rng, step, factor, parents, model.max_events - total)
            made.append(new)
            parents = _joined([parents, new])
            total += len(new.days)
            if total > model.max_events:
                return self._drawn(made, arrests, False)
            if model.arrests is not None:
                counts = np.bincount(new.place, minlength=len(factor))
                mean, psi = model.arrests.per_event * counts, model.arrests.overdispersion
                rate = rng.gamma(1 / psi, psi, len(mean)) if psi > 0 else np.ones(len(mean))
                arrests[:, step] = rng.poisson(mean * rate)
        return self._drawn(made, arrests, True)

    def _step(self, rng: np.random.Generator, step: int, factor: np.ndarray, before: _Parents, room: int) -> _Parents:
        """The events of one step."""
        window = self._setting.window
        low, high = step * float(window.step), (step + 1) * float(window.step)
        counts = rng.poisson(factor * self._base[:, step] * window.step)
        place = np.repeat(np.arange(len(counts)), counts)
        first = self._sized(low + (high - low) * rng.random(len(place)), place, rng)
        receiving = _Receiving(self._offspring @ factor, np.cumsum(self._offspring * factor, axis=1))
        generation = _joined([first, self._children(rng, before, low, high, receiving)])
        found, total = [generation], len(generation.days)
        while len(generation.days) and total <= room:
            generation = self._children(rng, generation, low, high, receiving)
            found.append(generation)
            total += len(generation.days)
        every = _joined(found)
        order = np.argsort(every.days, kind="stable")
        return _Parents(*(column[order] for column in every))

    def _children(
        self, rng: np.random.Generator, parents: _Parents, low: float, high: float, receiving: _Receiving
    ) -> _Parents:
        """Direct offspring in (low, high) of parents at any earlier time."""
        early, late = np.maximum(low - parents.days, 0.0), high - parents.days
        share = self._delays.share(early, late)
        counts = rng.poisson(np.maximum(receiving.whole[parents.place] * parents.mark * share, 0.0))
        parent = np.repeat(np.arange(len(counts)), counts)
        if not len(parent):
            return _joined([])
        days = parents.days[parent] + self._delays.draw(early[parent], late[parent], rng)
        chances = receiving.rising[parents.place[parent]]
        place = (chances <= (rng.random(len(parent)) * chances[:, -1])[:, None]).sum(axis=1)
        return self._sized(np.clip(days, low, high), place, rng)

    def _factors(self, sizes: np.ndarray) -> np.ndarray:
        """By how much more than the average one events of these sizes excite."""
        if self._model.size is None or not len(sizes):
            return np.ones(len(sizes))
        return self._model.size.factors(np.log(sizes), np.log(self._sizes))[0]

    def _sized(self, days: np.ndarray, place: np.ndarray, rng: np.random.Generator) -> _Parents:
        if not len(self._sizes):
            return _Parents(days, place, np.full(len(days), np.nan), np.ones(len(days)))
        which = rng.integers(0, len(self._sizes), len(days))
        return _Parents(days, place, self._sizes[which], self._marks[which])

    def _drawn(self, made: list[_Parents], arrests: np.ndarray, complete: bool) -> Drawn:
        room = max(self._model.max_events - self._known, 0)
        every = _Parents(*(column[: room if not complete else None] for column in _joined(made)))
        return Drawn(*every[:3], arrests if self._model.arrests is not None else None, complete)


class _Fading:
    """Delays of a sum of exponentials."""

    def __init__(self, delay: SumDelay, longest_days: float) -> None:
        self._weight, self._decay = delay.exponentials(longest_days)[:2]

    def share(self, early: np.ndarray, late: np.ndarray) -> np.ndarray:
        """(N,) of the offspring that come between two delays."""
        return self._by_term(early, late).sum(axis=1)

    def draw(self, early: np.ndarray, late: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(N,) a delay between the two: of which term, then an exponential cut off at both ends, inverted."""
        rising = np.cumsum(self._by_term(early, late), axis=1)
        term = (rising <= (rng.random(len(early)) * rising[:, -1])[:, None]).sum(axis=1)
        decay = self._decay[np.minimum(term, len(self._decay) - 1)]
        within = -np.expm1(-decay * (late - early))
        return early - np.log1p(-rng.random(len(early)) * within) / decay

    def _by_term(self, early: np.ndarray, late: np.ndarray) -> np.ndarray:
        """(N, M)"""
        left = np.exp(-np.multiply.outer(early, self._decay))
        return self._weight * left * -np.expm1(-np.multiply.outer(late - early, self._decay))


class _Bands:
    """Delays of a stepwise delay: its distribution is straight between the knots."""

    def __init__(self, delay: StepDelay) -> None:
        self._knots = np.concatenate([[0.0], delay.knots])
        self._come = distribution(delay, self._knots)

    def share(self, early: np.ndarray, late: np.ndarray) -> np.ndarray:
        """(N,) of the offspring that come between two delays."""
        low, high = (np.interp(each, self._knots, self._come) for each in (early, late))
        return high - low

    def draw(self, early: np.ndarray, late: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(N,) a delay between the two."""
        low, high = (np.interp(each, self._knots, self._come) for each in (early, late))
        return np.interp(low + (high - low) * rng.random(len(early)), self._come, self._knots)


def _joined(parts: list[_Parents]) -> _Parents:
    if not parts:
        return _Parents(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    return _Parents(*(np.concatenate(column) for column in zip(*parts, strict=True)))
