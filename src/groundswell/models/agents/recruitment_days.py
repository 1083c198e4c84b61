"""The days of a society: what its setting and model fix, what changes, and a day made in place."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.agents import _recruitment_loops as loops
from groundswell.models.agents._keyed_loops import step_key
from groundswell.models.agents._reenactment_loops import reenact
from groundswell.models.cities.mobilisation_state import geometry_of
from groundswell.models.cities.scattered import past_of
from groundswell.models.triggering import reach_weights
from groundswell.rng import keyed

if TYPE_CHECKING:
    from groundswell.models.agents.recruitment import Recruitment
    from groundswell.models.agents.society import Society

STOCKS = ("groups", "members", "jailed")
"""Series of the state at the start of a day."""
SERIES = (*loops.NOTED, *STOCKS)
"""Everything that a history of persons holds by place and day."""
BEYOND = 1e6
"""Expected events, more than the cap, from which on their number need not be drawn: it exceeds the cap."""


def sizes(setting: Setting) -> np.ndarray:
    """(P + 1,) where each city's persons begin; whole persons, 1 or more."""
    persons = np.maximum(np.rint(setting.places.population), 1).astype(np.int64)
    return np.concatenate([[0], np.cumsum(persons)])


def ties_key(key: int) -> np.uint64:
    """The key of what is drawn before the first day, the ties among it."""
    return np.uint64(step_key(np.uint64(key), 0))


def rules_of(model: Recruitment, setting: Setting) -> loops.Rules:
    """The scalars of the compiled day."""
    rates, ties, stays = model.rates(setting), model.ties, model.specific_deterrence
    return loops.Rules(
        ties=ties.number if ties else 0,
        random=ties.random if ties else 0.0,
        turnout=ties.turnout if ties else 0.0,
        warned_stay=stays.warned if stays else 0.0,
        arrested_stay=stays.arrested if stays else 0.0,
        longest=model.jail.longest if model.jail else 0.0,
        crowd=rates.participants,
        spread=rates.participants_spread,
        arrests_per_event=rates.arrests_per_event,
        arrests_overdispersion=rates.arrests_overdispersion,
        warnings_per_arrest=rates.warnings_per_arrest,
        recruitment=rates.recruitment,
        momentum_recruitment=rates.momentum_recruitment,
        contact=rates.contact,
        breakup=rates.breakup,
        exposure=rates.exposure,
        members=rates.members,
        warned_per_member=rates.warned_per_member,
    )


class Past(NamedTuple):
    """Given days, (t, P) each: events and arrests; participants and warned, below 0 where they are not known."""

    events: np.ndarray
    arrests: np.ndarray
    participants: np.ndarray
    warned: np.ndarray

    @classmethod
    def of(cls, model: Recruitment, setting: Setting, given: History) -> Past:
        """DataError for a past of other places or dates, for counts that are not whole, and for arrests it lacks."""
        events = past_of(setting, given)
        if "arrests" not in given.series and (model.deterrence is not None or model.backlash is not None):
            raise DataError(
                "the given past has no arrests, on which deterrence and backlash act. Give a series of arrests, or "
                "leave both components out: Recruitment(deterrence=None, backlash=None, ...)."
            )
        arrests = given.counts("arrests") if "arrests" in given.series else np.zeros_like(events)
        unknown = np.full(events.shape, -1.0)
        participants, warned = (given.series.get(name, unknown) for name in ("participants", "warned"))
        whole = [np.ascontiguousarray(values.T, dtype=np.int64) for values in (events, arrests, np.asarray(warned))]
        return cls(whole[0], whole[1], np.ascontiguousarray(participants.T, dtype=float), whole[2])


class Days:
    """A society on its way: its arrays copied once, then changed in place day by day."""

    def __init__(self, society: Society, threads: int, past: Past | None = None) -> None:
        model, setting = society.model, society.setting
        geometry, periods = geometry_of(setting), setting.window.periods
        self.model, self.setting, self.key, self.past = model, setting, np.uint64(society.key), past
        self.rates, self.rules = model.rates(setting), rules_of(model, setting)
        self.first, self.share = sizes(setting), model.shares(setting)
        self.given, self.calls = model.given_events(setting), geometry.call_memory(model)
        self.pulse = model.pulse_levels(setting, 1, rng=keyed(society.key, 0))[:, 0]
        self.per_100k = geometry.per_100k
        self.weights = _weights(model, setting)
        self.on_first_day = geometry.first
        self.persons, self.city = society.persons.copy(), society.city
        self.seats = _widened(society.seats, model.seats)
        self.jailed, self.until = society.jailed.copy(), society.until.copy()
        self.momentum, self.hurt, self.alarm = society.momentum.copy(), society.hurt.copy(), society.alarm.copy()
        self.exploded, self.periods = society.exploded, periods
        self.members = self._by_city(self.city, (self.seats >= 0).sum(axis=1))
        self.jailed_by_city = self._by_city(np.searchsorted(self.first, self.jailed, side="right") - 1)
        self.threads = ThreadPoolExecutor(threads) if threads > 1 else None
        self.parts = threads

    def close(self) -> None:
        """Let the threads go."""
        if self.threads is not None:
            self.threads.shutdown()

    def make(self, day: int) -> np.ndarray:
        """Make a day in place: (12, P) of `SERIES`; zeros once the draw has exploded."""
        made = np.zeros((len(SERIES), len(self.share)))
        if self.exploded:
            return made
        self._release(day)
        group_first = np.searchsorted(self.city, np.arange(len(self.share) + 1))
        groups = np.diff(group_first)
        made[len(loops.NOTED) :] = groups, self.members, self.jailed_by_city
        key, ties, noted = np.uint64(step_key(self.key, day + 1)), ties_key(int(self.key)), made[: len(loops.NOTED)]
        if self.past is not None and day < len(self.past.events):
            bounds = self._bounds(self.past.events[day])
            given = (values[day] for values in self.past)
            jailed = self._each(reenact, bounds, key, ties, day, self.persons, self.first, *given, self.rules, noted)
        else:
            asked = self._asked(key, day, groups)
            if self.exploded:
                return made
            bounds = self._bounds(asked.sum(axis=1))
            jailed = self._each(
                loops.protest, bounds, key, ties, day, self.persons, self.first, self.seats, group_first, asked,
                self.rules, noted,
            )  # fmt: skip
        self._jail(jailed)
        self._remember(noted[0], noted[1])
        arriving, broken = np.zeros(len(self.share), np.int64), np.zeros(len(self.seats), np.bool_)
        if self.rules.contact > 0:
            loops.contacts(
                key, self.persons, self.first, self.seats, group_first, self.weights, self.rules, arriving
            )  # fmt: skip
        found = self._each(
            loops.organise, bounds, key, ties, day, self.persons, self.first, self.seats, group_first, self.momentum,
            arriving, self.rules, noted, broken,
        )  # fmt: skip
        self._jail([part[2:] for part in found])
        self._regroup([part[:2] for part in found], broken)
        return made

    def _release(self, day: int) -> None:
        """Free those whose last day is over."""
        kept = loops.release(self.persons, self.first, self.jailed, self.until, day, self.jailed_by_city)
        self.jailed, self.until = self.jailed[:kept], self.until[:kept]

    def _asked(self, key: np.uint64, day: int, groups: np.ndarray) -> np.ndarray:
        """(P, 2) events that persons and groups would start today."""
        asked = np.zeros((len(groups), 2), np.int64)
        if day == 0:
            asked[self.on_first_day, 0] = 1
            return asked
        alone, by_group = self.expected(day)
        most = BEYOND + 10 * self.rates.cap
        total = loops.numbers(key, alone, by_group, groups, self.rates.overdispersion, most, asked)
        self.exploded = bool(total > self.rates.cap)
        return asked

    def expected(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """(P,) events expected of a city's persons, and of one group in it, if everyone could come; after day 0."""
        rates, model, groups = self.rates, self.model, self.share
        mean = self.given[day] + rates.within * self.momentum + self.share * (rates.media * self.momentum.sum())
        if rates.between > 0:
            elsewhere = np.empty(len(groups))
            loops.received(self.weights, self.momentum, elsewhere)
            mean = mean + rates.between * elsewhere
        by_group = rates.organised * (1 + rates.organised_call * self.calls[day])
        factor = np.full(len(groups), self.pulse[day])
        if model.deterrence is not None:
            factor *= np.exp(-rates.deterrence * np.log1p(self.hurt[-model.deterrence.lag_days]))
        if model.backlash is not None:
            factor *= math.exp(rates.backlash * math.log1p(self.alarm[-model.backlash.lag_days]))
        return mean * factor, by_group * factor

    def missing(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """(P,) expected share of a city's persons, and of its groups' seats, who cannot come on the day to be made.

        Cost: a look at every person.
        """
        self._release(day)
        rules, share = self.rules, np.empty(len(self.share))
        loops.absent(self.persons, self.first, rules.warned_stay, rules.arrested_stay, share)
        taken = self.seats >= 0
        flags = self.persons[np.where(taken, self.first[self.city][:, None] + self.seats, 0)]
        away = np.select(
            [~taken | (flags & loops.JAILED > 0), flags & loops.ARRESTED > 0, flags & loops.WARNED > 0],
            [1.0, rules.arrested_stay, rules.warned_stay], 0.0,
        )  # fmt: skip
        seats = (self.seats != loops.NO_SEAT).sum(axis=1)
        each = np.where(self.seats != loops.NO_SEAT, away, 0.0).sum(axis=1) / seats
        groups = np.bincount(self.city, minlength=len(share))
        return share, np.bincount(self.city, each, minlength=len(share)) / np.maximum(groups, 1)

    def _each(self, work: Any, bounds: np.ndarray, *given: Any) -> list[Any]:
        """The loop over all cities, in parts; the parts in the order of the cities."""
        parts = list(pairwise(bounds))
        if self.threads is None:
            return [work(begin, end, *given) for begin, end in parts]
        return list(self.threads.map(lambda part: work(*part, *given), parts))

    def _bounds(self, events: np.ndarray) -> np.ndarray:
        """Where the parts begin and end, with about as many events in each."""
        if self.parts == 1:
            return np.array([0, len(events)])
        work = np.cumsum(events + 0.01)
        inner = np.searchsorted(work, work[-1] * np.arange(1, self.parts) / self.parts)
        return np.concatenate([[0], inner, [len(events)]])

    def _jail(self, found: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Add persons jailed today, and their last days."""
        persons = np.concatenate([part[0] for part in found])
        if len(persons):
            self.jailed = np.concatenate([self.jailed, persons])
            self.until = np.concatenate([self.until, *(part[1] for part in found)])
            self.jailed_by_city += self._by_city(np.searchsorted(self.first, persons, side="right") - 1)

    def _remember(self, events: np.ndarray, arrests: np.ndarray) -> None:
        """Today's events into the momentum, today's arrests into the stocks, of which the last days are kept."""
        memory = self.rates.crackdown_memory
        self.momentum = self.rates.keep * self.momentum + events
        self.hurt = np.vstack([self.hurt[1:], memory * self.hurt[-1:] + arrests / self.per_100k])
        self.alarm = np.append(self.alarm[1:], memory * self.alarm[-1] + arrests.sum() / self.rates.population)

    def _regroup(self, found: list[tuple[np.ndarray, np.ndarray]], broken: np.ndarray) -> None:
        """Take out groups broken up and put in new ones, by city and within it by age."""
        new, city = np.concatenate([part[0] for part in found]), np.concatenate([part[1] for part in found])
        if broken.any():
            self.members -= self._by_city(self.city[broken], (self.seats[broken] >= 0).sum(axis=1))
            self.seats, self.city = self.seats[~broken], self.city[~broken]
        if len(new):
            self.members += self._by_city(city, (new >= 0).sum(axis=1))
            cities = np.concatenate([self.city, city])
            order = np.argsort(cities, kind="stable")
            self.seats, self.city = np.concatenate([self.seats, new])[order], cities[order]

    def _by_city(self, city: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        """(P,) how many in each city, or the sum of whole weights."""
        return np.bincount(city, weight, minlength=len(self.share)).astype(np.int64)


def _weights(model: Recruitment, setting: Setting) -> np.ndarray:
    """(P, P) w_qp with sender q in rows; empty where nothing spreads."""
    if model.between is None:
        return np.zeros((0, 0))
    reach = model.between.reach
    return reach_weights(reach, reach.apart(setting), model.shares(setting, reach.exponent(model.scale)))


def _widened(seats: np.ndarray, width: int) -> np.ndarray:
    """The same groups with room for more seats, where a scenario has larger groups."""
    more = max(0, width - seats.shape[1])
    return np.pad(seats, ((0, 0), (0, more)), constant_values=loops.NO_SEAT) if more else seats
