"""How likely single events are under `SelfExciting`, with the gradient in every parameter.

With one exponential delay and a background that does not move the compiled loops of `_self_exciting_recursion` give
the answer fastest; everything else goes through `Excitation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events._self_exciting_recursion import OnCities, OwnPlace
from groundswell.models.events.excitation import Excitation, Factors
from groundswell.models.events.self_exciting_parts import log_population
from groundswell.models.events.surroundings import Surroundings, arrests_of
from groundswell.models.triggering import weights_gradient
from groundswell.params import from_vector, names, vector

if TYPE_CHECKING:
    from groundswell.models.cities.mechanisms import Arrests
    from groundswell.models.events.self_exciting import SelfExciting


class Offspring:
    """The matrix of expected offspring and its slopes; by place alone where nothing leads from place to place."""

    def __init__(self, model: SelfExciting, setting: Setting) -> None:
        self._setting = setting
        self._apart = np.zeros((1, 1)) if model.reach is None else model.reach.apart(setting)
        self._log_population = log_population(setting.places.population)
        self.by_place = model.reach is None and model.media is None

    def __call__(self, model: SelfExciting) -> np.ndarray:
        """(P, P), row the triggering place; (P,) with `by_place`."""
        count = len(self._log_population)
        if self.by_place:
            self._weights = np.ones(count)
            return model.branching_ratio * self._weights
        self._weights = model.weights(self._setting)
        offspring = model.branching_ratio * self._weights
        if model.media is not None:
            offspring = offspring + model.media.offspring * model.shares(self._setting.places)
        return offspring

    def slopes(self, model: SelfExciting, d_offspring: np.ndarray) -> dict[str, float]:
        """From the slope in every entry."""
        ratio, weights, logs = model.branching_ratio, self._weights, self._log_population
        found = {"branching_ratio": float((d_offspring * weights).sum())}
        if model.population is not None:
            found["population.scale"] = 0.0
        if model.reach is not None:
            moved = weights_gradient(weights, model.reach.log_gradient(self._apart))
            for name, one in zip(names(model.reach), moved, strict=True):
                found[f"reach.{name}"] = ratio * float((d_offspring * one).sum())
            turned = ratio * float((d_offspring * weights_gradient(weights, logs[None, :])).sum())
            if model.reach.own_exponent is not None:
                found[f"reach.{model.reach.own_exponent}"] += turned
            elif model.population is not None:
                found["population.scale"] += turned
        if model.media is not None:
            shares, received = model.shares(self._setting.places), d_offspring.sum(axis=0)
            found["media.offspring"] = float(received @ shares)
            if model.population is not None:
                turned = model.media.offspring * float(received @ (shares * (logs - shares @ logs)))
                found["population.scale"] += turned
        return found


SLOWEST = 1e-4
"""Decay times the record's length below which the plain loops, which subtract what is left from 1, lose digits."""


class PlainDensity:
    """One exponential delay, nothing that moves, no marks: O(E P) with a reach, O(E) without."""

    def __init__(self, model: SelfExciting, setting: Setting, history: History, events: Events, threads: int) -> None:
        self._model, self._setting, self._order = model, setting, names(model)
        self._data = (model, setting, history, events)
        times, place, first = joined(model.before, events, len(setting.places))
        self._slowest = SLOWEST / (float(setting.window.days) - float(times.min(initial=0.0)))
        self._offspring = Offspring(model, setting)
        count, days = len(setting.places), float(setting.window.days)
        if self._offspring.by_place:
            self._evaluate: OwnPlace | OnCities = OwnPlace(times, place, count, days)
        else:
            self._evaluate = OnCities(times, place, first, count, days, threads)
        self._log_population = log_population(setting.places.population)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (K,)."""
        model = from_vector(self._model, x)
        shares, offspring = model.shares(self._setting.places), self._offspring(model)
        assert isinstance(model.delay, ExponentialDelay)
        if model.delay.decay < self._slowest:
            return GeneralDensity(*self._data)(x)
        value, d_base, d_offspring, d_decay = self._evaluate(model.background * shares, offspring, model.delay.decay)
        found = {"background": float(d_base @ shares), "delay.decay": d_decay}
        found |= self._offspring.slopes(model, d_offspring)
        if model.population is not None:
            turned = shares * (self._log_population - shares @ self._log_population)
            found["population.scale"] += float(model.background * d_base @ turned)
        return value, np.array([found[name] for name in self._order])


class Now(NamedTuple):
    """What a parameter vector makes of the data: base, factor (P, T), the offspring matrix, and the marks' factors."""

    model: SelfExciting
    base: np.ndarray
    factor: np.ndarray
    offspring: np.ndarray
    marks: Factors


class Slopes(NamedTuple):
    """Of a sum: in base and log factor (P, T), in the offspring as given, in the delay (K,), the mark's exponent."""

    base: np.ndarray
    log_factor: np.ndarray
    offspring: np.ndarray
    delay: np.ndarray
    exponent: float


class GeneralDensity:
    """Any delay, marks, a background that moves, repression: O(E P M) for M terms of the delay."""

    def __init__(self, model: SelfExciting, setting: Setting, history: History, events: Events) -> None:
        self._model, self._setting, self._order = model, setting, names(model)
        self._offspring, self._surroundings = Offspring(model, setting), Surroundings(model, setting, history)
        times, place, first = joined(model.before, events, len(setting.places))
        window = setting.window
        self.excitation = Excitation(
            times, place, first, len(setting.places), float(window.days), self._offspring.by_place
        )
        self._logs = None if model.size is None else model.size.logs(model.before, events)
        step = np.clip((times // window.step).astype(int), 0, window.periods - 1)
        self.cell = (place, step)
        self._edges = np.arange(window.periods + 1) * float(window.step)
        self.counts = np.zeros(setting.shape)
        np.add.at(self.counts, (place[first:], step[first:]), 1)
        self._arrests = None if model.arrests is None else _Arrests(setting, history, self.counts)

    def at(self, x: np.ndarray) -> Now:
        """The model at a parameter vector."""
        model = from_vector(self._model, x)
        ones = np.ones(len(self.excitation.times))
        marks = (ones, 0 * ones) if model.size is None or self._logs is None else model.size.factors(*self._logs)
        around = self._surroundings
        return Now(model, around.base(model), around.factor(model), self._offspring(model), marks)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (K,)."""
        now = self.at(x)
        made = self.excitation(now.base[self.cell], now.offspring, now.model.delay, now.marks)
        in_base = np.zeros_like(now.base)
        np.add.at(in_base, self.cell, made.inverse)
        return self.less_expected(
            now, made.log_sum, Slopes(in_base, np.zeros_like(in_base), made.d_offspring, made.d_delay, made.d_exponent)
        )

    def less_expected(self, now: Now, log_sum: float, of: Slopes) -> tuple[float, np.ndarray]:
        """A sum of logarithms without the factor, with its slopes, made a log density: value and gradient (K,)."""
        model, place, delay = now.model, self.excitation.place, now.model.delay
        by_place, days = self._offspring.by_place, self._setting.window.step
        in_base = of.base - now.factor * days
        in_log_factor = of.log_factor
        value = log_sum - float((now.factor * now.base).sum()) * days
        if model.represses:
            released, turned, marked = self.excitation.by_step(delay, now.marks, self._edges)
            spread = now.offspring[:, None] * now.factor if by_place else now.offspring @ now.factor
            arriving = now.offspring[:, None] * released if by_place else now.offspring.T @ released
            in_log_factor = in_log_factor + self.counts - now.factor * (now.base * days + arriving)
            value += float((self.counts * np.log(now.factor)).sum() - (spread * released).sum())
            in_delay, in_exponent = (turned * spread).sum(axis=(1, 2)), float((marked * spread).sum())
            in_offspring = (released * now.factor).sum(axis=1) if by_place else released @ now.factor.T
        else:
            share, turned = self.excitation.in_window(delay)
            sent = now.offspring if by_place else now.offspring.sum(axis=1)
            weight = sent[place] * now.marks[0]
            value -= float(weight @ share)
            in_delay, in_exponent = turned @ weight, float((sent[place] * now.marks[1]) @ share)
            in_offspring = np.bincount(place, now.marks[0] * share, len(sent))
            if not by_place:
                in_offspring = np.repeat(in_offspring[:, None], len(sent), axis=1)
        found = self._offspring.slopes(model, of.offspring - in_offspring)
        for name, slope in self._surroundings.base_slopes(model, in_base).items():
            found[name] = found.get(name, 0.0) + slope
        found |= self._surroundings.factor_slopes(model, in_log_factor)
        found |= {f"delay.{n}": float(v) for n, v in zip(names(delay), of.delay - in_delay, strict=True)}
        found["size.power"] = of.exponent - in_exponent
        if self._arrests is not None and model.arrests is not None:
            more, slopes = self._arrests(model.arrests)
            value += more
            found |= {f"arrests.{name}": slope for name, slope in slopes.items()}
        return value, np.array([found.get(name, 0.0) for name in self._order])


class _Arrests:
    """Persons arrested at the events of each place and step: negative binomial around per_event x events."""

    def __init__(self, setting: Setting, history: History, events: np.ndarray) -> None:
        from groundswell.models.cities.scattered import Counted

        arrests = arrests_of(history)
        if ((arrests > 0) & (events == 0)).any():
            place, step = (int(i[0]) for i in np.nonzero((arrests > 0) & (events == 0)))
            raise DataError(
                f'"{setting.places.name[place]}" has {arrests[place, step]:g} arrests and no event on '
                f"{setting.window.dates()[step]}; in this model people are arrested at events. Move such arrests to "
                "the step of their event, or leave them out and say so."
            )
        self._events = events[events > 0][None]
        self._counted = Counted.of(arrests[events > 0][None])

    def __call__(self, arrests: Arrests) -> tuple[float, dict[str, float]]:
        value, slope, in_overdispersion = self._counted.weigh(arrests.per_event * self._events, arrests.overdispersion)
        return value, {"per_event": float((slope * self._events).sum()), "overdispersion": in_overdispersion}


def density(model: SelfExciting, setting: Setting, history: History, events: Events, threads: int) -> Any:
    """The density object that suits the model."""
    if model.plain:
        return PlainDensity(model, setting, history, events, threads)
    return GeneralDensity(model, setting, history, events)


def joined(before: Events | None, events: Events, places: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Times and places with the earlier events first, and how many those are."""
    if before is None:
        return events.time_days, events.place, 0
    if len(before) and not 0 <= before.place.min() <= before.place.max() < places:
        raise DataError(f"SelfExciting.before names a place outside [0, {places}).")
    times = np.concatenate([before.time_days, events.time_days])
    return times, np.concatenate([before.place, events.place]), len(before)


def by_step(model: SelfExciting, setting: Setting, history: History, events: Events) -> np.ndarray:
    """(P, T) integrated intensity by place and step; see `SelfExciting.intensity`."""
    general = GeneralDensity(model, setting, history, events)
    now = general.at(vector(model))
    edges = np.arange(setting.window.periods + 1) * float(setting.window.step)
    released = general.excitation.by_step(model.delay, now.marks, edges)[0]
    arriving = now.offspring[:, None] * released if now.offspring.ndim == 1 else now.offspring.T @ released
    return now.factor * (now.base * setting.window.step + arriving)
