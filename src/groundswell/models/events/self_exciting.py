"""Self-exciting events in time and on cities (Hawkes process): each event may trigger others, later and elsewhere.

    lambda_p(t) = background share_p + branching_ratio sum_{i: t_i < t} w(p_i, p) g(t - t_i)

share_p sums to 1 over places, g (delay) integrates to 1 over time, and w (reach) sums to 1 over the
receiving places p, so the branching ratio is what it says: expected direct offspring of one event,
wherever it happened. It is not bounded by 1; whether protest grows is the question.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import ClassVar

import numpy as np

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, ParameterError, UsageError
from groundswell.models.base import Likelihood, Model
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events._self_exciting_recursion import OnCities, OwnPlace
from groundswell.models.triggering import Exponential, Reach, reach_weights, weights_gradient
from groundswell.params import Component, Prior, from_vector, names, param


@dataclass(frozen=True)
class ByPopulation(Component):
    """Places count by population^scale: in the background's shares and as receivers of triggered events."""

    scale: float = param("1", prior=Prior(0.7, 0.2), doc="power of population; 0 treats places alike, 1 persons alike")

    def shares(self, population: np.ndarray) -> np.ndarray:
        """(P,) summing to 1; taken relative to the largest place, so no power overflows."""
        weight = np.exp(self.scale * (logs := np.log(population)) - np.max(self.scale * logs))
        return weight / weight.sum()


@dataclass(frozen=True)
class SelfExciting(Model):
    """Self-exciting single events on P places, in continuous time.

    reach : how triggering falls with distance; an event's offspring are shared among all places in
    proportion to f(distance), times population^scale if `population` is given. None keeps all
    offspring in the event's own place: independent processes, or with one place the plain process
    in time. own_place : whether an event's own place (distance 0) is among the receivers; without
    it only diffusion between places is left, and a place alone triggers nothing.
    population : shares of background and receivers by population^scale; None treats places alike.
    before : events before the window (times below 0), which excite but are not themselves weighed.
    max_events : a simulation that passes it is refused; with a branching ratio above 1 it will.

    Read with care: a background that truly moves (weekends, a season) is taken for triggering by a
    constant one and inflates the branching ratio; triggering from events that no one recorded is
    taken for background.
    """

    title: ClassVar[str] = "Self-exciting events in time and on cities (Hawkes process)"
    paper: ClassVar[str] = (
        "Hawkes (1971), Spectra of some self-exciting and mutually exciting point processes, Biometrika 58(1), 83-90; "
        "recursion for the likelihood: Ozaki (1979), Maximum likelihood estimation of Hawkes' self-exciting point "
        "processes, Annals of the Institute of Statistical Mathematics 31, 145-155"
    )

    background: float = param(
        "events/day", low=0, prior=Prior(1.0, 1.0), doc="events a day, all places together, that need no parent"
    )
    branching_ratio: float = param(
        "1", low=0, prior=Prior(0.4, 0.5), doc="expected direct offspring of one event; above 1 it grows"
    )
    delay: ExponentialDelay = field(default_factory=ExponentialDelay)
    reach: Reach | None = None
    population: ByPopulation | None = None
    own_place: bool = True
    before: Events | None = None
    max_events: int = 100_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reach is None and not self.own_place:
            raise ParameterError(
                "SelfExciting has no reach and own_place=False, so nothing can be triggered anywhere. "
                "Give a reach, or keep own_place=True."
            )
        if self.reach is not None and (self.reach.whole_steps or self.reach.own_exponent):
            raise ParameterError(
                f"SelfExciting was given {type(self.reach).__name__} as its reach; it weighs by km and has an "
                "exponent of its own, `population`. Use PowerLaw or Exponential."
            )
        if self.before is not None and len(self.before) and self.before.time_days[-1] >= 0:
            raise DataError(
                f"SelfExciting.before holds an event at day {self.before.time_days[-1]:g}; expected times below 0, "
                "before the window. Events inside the window belong to the History."
            )

    @classmethod
    def example(cls) -> tuple[SelfExciting, Setting]:
        """Four unequal places over 60 days."""
        places = Places(
            ("Hub", "Near", "Twin", "Far"),
            np.array([900_000.0, 60_000.0, 45_000.0, 150_000.0]),
            np.array([35.0, 35.4, 35.45, 31.0]),
            np.array([51.0, 51.6, 51.65, 58.0]),
        )
        model = cls(1.0, 0.5, ExponentialDelay(0.8), reach=Exponential(60.0), population=ByPopulation(0.7))
        return model, Setting(places, Window(date(2024, 1, 1), 60))

    def shares(self, places: Places) -> np.ndarray:
        """(P,) each place's part of the background; sums to 1."""
        if self.population is None:
            return np.full(len(places), 1 / len(places))
        return self.population.shares(places.population)

    def weights(self, places: Places) -> np.ndarray:
        """W (P, P), row the triggering place, column the receiving one; rows sum to 1."""
        if self.reach is None:
            return np.eye(len(places))
        return reach_weights(self.reach, places.distance_km, self.shares(places), own_place=self.own_place)

    def likelihood(self, setting: Setting, history: History, *, threads: int = 1) -> Likelihood:
        """The exact log density of the window's events, and its gradient in every parameter.

        Sum of log intensity at each event minus the integrated intensity over the window and all
        places; triggering that falls after the window's end is left out of the integral. Tied events
        do not trigger each other, in whatever order they stand; ties are met with a warning, since in
        continuous time they have probability 0 and dates alone make triggering within a day invisible
        (see `jittered`). An event where the intensity is 0 gives -inf.

        Cost O(E P) with a reach, O(E) without. threads : worker threads for more than some 10,000
        events with a reach; the result is the same bits for any number.
        """
        events = _checked(setting, history)
        places, days = setting.places, float(setting.window.days)
        times, place, first = _joined(self.before, events, len(places))
        warn_of_ties(times, place if self.reach is None else np.zeros_like(place))
        order = names(self)
        if self.reach is None:
            evaluate = OwnPlace(times, place, len(places), days)
        else:
            evaluate = OnCities(times, place, first, len(places), days, threads)
        log_population = np.log(places.population)

        def value_and_gradient(values: np.ndarray) -> tuple[float, np.ndarray]:
            model = from_vector(self, values)
            ratio, shares = model.branching_ratio, model.shares(places)
            weights = np.ones(len(places)) if model.reach is None else model.weights(places)
            value, d_mu, d_offspring, d_decay = evaluate(model.background * shares, ratio * weights, model.delay.decay)
            slope = {
                "background": float(d_mu @ shares),
                "branching_ratio": float((d_offspring * weights).sum()),
                "delay.decay": d_decay,
            }
            if model.reach is not None:
                moved = weights_gradient(weights, model.reach.log_gradient(places.distance_km))
                for name, one in zip(names(model.reach), moved, strict=True):
                    slope[f"reach.{name}"] = ratio * float((d_offspring * one).sum())
            if model.population is not None:
                d_shares = shares * (log_population - shares @ log_population)
                slope["population.scale"] = float(model.background * d_mu @ d_shares)
                if model.reach is not None:
                    moved = weights_gradient(weights, log_population[None, :])
                    slope["population.scale"] += ratio * float((d_offspring * moved).sum())
            return value, np.array([slope[name] for name in order])

        return value_and_gradient

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) integrated intensity by place and step, given at each moment the events so far.

        Its sum is the integral in `log_density`; events minus it average 0 in every cell. Events
        inside a step do raise the rest of that step: this is the compensator of residuals, not a
        forecast from the step's start (for that, simulate with the past as `given`).
        """
        events = _checked(setting, history)
        places, window, decay = setting.places, setting.window, self.delay.decay
        times, place, first = _joined(self.before, events, len(places))
        still = np.zeros((len(places), window.periods + 1))  # offspring share still to come, at each edge
        np.add.at(still[:, 0], place[:first], np.exp(decay * times[:first]))
        counts = from_events(places, window, events)["events"]
        step = np.minimum((events.time_days // window.step).astype(int), window.periods - 1)
        left = np.exp(-decay * ((step + 1) * window.step - events.time_days))
        np.add.at(still, (events.place, step + 1), left)
        for edge in range(1, window.periods + 1):
            still[:, edge] += math.exp(-decay * window.step) * still[:, edge - 1]
        released = counts + still[:, :-1] - still[:, 1:]
        baseline = self.background * window.step * self.shares(places)
        return baseline[:, None] + self.branching_ratio * self.weights(places).T @ released

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Draw the window's events one after the other, exactly; after `given` if there is one.

        The next event comes from the background or from what is still to be triggered, whichever is
        sooner; both waits are inverted, none is thinned. `given` covers the first steps of the window:
        its events are kept and excite what follows. Cost O(E P). UsageError when max_events is passed.
        """
        window = setting.window
        past = Events(np.empty(0), np.empty(0, dtype=np.int64)) if given is None else _checked(setting, given, True)
        start = 0.0 if given is None else float(given.window.days)
        sample, new_times, new_place = self._sampler(setting, past, start)
        count = sample(rng)
        if count < 0:
            raise UsageError(self._too_many(new_times[-1] if len(new_times) else start, window))
        drawn = Events(
            np.concatenate([past.time_days, new_times[:count]]), np.concatenate([past.place, new_place[:count]])
        )
        return from_events(setting.places, window, drawn)

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) counts of the steps after `history`; NaN from the step in which one passes max_events.

        The same law as `simulate` with `given`; the weights are computed once for all draws. Reads
        the history's single events, whatever else it holds, and knows no series but "events".
        """
        if series != "events":
            raise UsageError(f'SelfExciting draws the series "events" alone; it was asked for "{series}".')
        past, first, window = _checked(setting, history, True), history.window.periods, setting.window
        sample, times, place = self._sampler(setting, past, float(history.window.days))
        out = np.zeros((draws, len(setting.places), window.periods - first))
        for counts in out:
            made = sample(rng)
            known = len(times) if made < 0 else made
            step = np.minimum((times[:known] // window.step).astype(int) - first, counts.shape[1] - 1)
            np.add.at(counts, (place[:known], step), 1)
            if made < 0:
                counts[:, (step[-1] if known else 0) :] = np.nan
        return out

    def _sampler(
        self, setting: Setting, past: Events, start: float
    ) -> tuple[Callable[[np.random.Generator], int], np.ndarray, np.ndarray]:
        """A function that draws the events after `start` into two buffers, and the buffers: times and places.

        It returns their number, or -1 if max_events is passed and the buffers are full.
        """
        from groundswell.models.events._self_exciting_loops import draw

        places, decay = setting.places, self.delay.decay
        times, place, _ = _joined(self.before, past, len(places))
        excitation = np.zeros(len(places))
        np.add.at(excitation, place, np.exp(-decay * (start - times)))
        weights, shares = self.weights(places), np.cumsum(self.shares(places))
        offspring, cumulative = self.branching_ratio * weights.sum(axis=1), np.cumsum(weights, axis=1)
        room = max(self.max_events - len(past), 0)
        new_times, new_place = np.empty(room), np.empty(room, dtype=np.int64)
        end = float(setting.window.days)

        def sample(rng: np.random.Generator) -> int:
            return draw(
                rng, start, end, self.background, shares, offspring, cumulative, decay, excitation.copy(),
                new_times, new_place,
            )  # fmt: skip

        return sample, new_times, new_place

    def _too_many(self, day: float, window: Window) -> str:
        reached = f"SelfExciting reached max_events = {self.max_events} on day {int(day) + 1} of {window.days}. "
        if self.branching_ratio > 1:
            return (
                f"{reached}With branching_ratio = {self.branching_ratio:g} each event raises more than one offspring, "
                "so events grow without bound. Shorten the window or raise max_events."
            )
        return (
            f"{reached}With background = {self.background:g} events a day and branching_ratio = "
            f"{self.branching_ratio:g} that many are expected. Raise max_events or shorten the window."
        )

    def expected_events(self, days: float) -> float:
        """Mean number of events in `days` from an empty past, all places together; closed form.

        The mean rate m solves m' = decay ((branching_ratio - 1) m + background), m(0) = background, so
        m(t) = s + (background - s) exp(-decay (1 - n) t) with s = background / (1 - n); n = 1 grows
        linearly. Holds while every place has a receiver (always with own_place=True).
        """
        mu, n, decay = self.background, self.branching_ratio, self.delay.decay
        rate = decay * (1 - n)
        if abs(rate * days) < 1e-4:  # two terms of the series: below, the closed form cancels
            return mu * days * (1 + n * decay * days / 2 * (1 - rate * days / 3))
        return mu * (days / (1 - n) + n / (1 - n) * math.expm1(-rate * days) / rate)


def stationary_rate(background: float, branching_ratio: float) -> float:
    """Events a day in the long run, background / (1 - n); infinite for n of 1 or more."""
    return background / (1 - branching_ratio) if branching_ratio < 1 else math.inf


def cluster_size(branching_ratio: float, size: np.ndarray | int) -> np.ndarray:
    """Probability that an event with all its descendants makes `size` events (Borel distribution).

    exp(-n k) (n k)^(k - 1) / k!, mean 1 / (1 - n). For n above 1 the probabilities sum to less than 1:
    the rest is the chance that the cluster never ends.
    """
    from scipy.special import gammaln, xlogy

    k = np.asarray(size, dtype=float)
    return np.exp(-branching_ratio * k + xlogy(k - 1, branching_ratio * k) - gammaln(k + 1))


def jittered(history: History, *, rng: np.random.Generator, precision_days: float = 1.0) -> History:
    """The same history with each event moved to a uniform moment of its own day.

    For records that know the day only. The order within a day is then chance, so triggering much
    faster than a day cannot be learnt, and results depend a little on the seed: repeat with several.
    precision_days : width of the cells that times were rounded down to, from the window's start.
    """
    events = _single_events(history)
    cell = np.floor(events.time_days / precision_days) * precision_days
    width = np.minimum(cell + precision_days, history.window.days) - cell
    times = cell + rng.random(len(events)) * width
    order = np.argsort(times, kind="stable")
    moved = Events(
        times[order],
        events.place[order],
        None if events.size is None else np.asarray(events.size)[order],
        None if events.arrests is None else np.asarray(events.arrests)[order],
    )
    return replace(history, events=moved)


def _joined(before: Events | None, events: Events, places: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Times and places with the earlier events first, and how many those are."""
    if before is None:
        return events.time_days, events.place, 0
    if len(before) and not 0 <= before.place.min() <= before.place.max() < places:
        raise DataError(f"SelfExciting.before names a place outside [0, {places}).")
    times = np.concatenate([before.time_days, events.time_days])
    return times, np.concatenate([before.place, events.place]), len(before)


def _single_events(history: History) -> Events:
    if history.events is None:
        raise DataError(
            "this history has counts but no single events, and SelfExciting weighs events one by one. "
            "Give History.events, or use EndemicEpidemic for counts."
        )
    return history.events


def _checked(setting: Setting, history: History, shorter: bool = False) -> Events:
    """The events, once places and window are seen to be the setting's own."""
    given, expected = history.window, setting.window
    fits = given.days == expected.days or (shorter and given.days <= expected.days)
    if len(history.places) != len(setting.places) or given.start != expected.start or not fits:
        raise DataError(
            f"the history has {len(history.places)} places and {given.days} days from {given.start}; the setting "
            f"has {len(setting.places)} places and {expected.days} days from {expected.start}. They must be the same"
            + (", the history's days at most the setting's." if shorter else "; setting.during(periods) cuts one.")
        )
    return _single_events(history)


def warn_of_ties(times: np.ndarray, group: np.ndarray) -> None:
    """A GroundswellWarning where events of one group share their time, as dates alone make them."""
    distinct = len(np.unique(np.stack([group.astype(float), times]), axis=1).T) if len(times) else 0
    if distinct < len(times):
        warnings.warn(
            f"{len(times) - distinct} of {len(times)} events share their time with another. Tied events do not "
            "trigger each other here; if times are known to the day only, spread them first with "
            "jittered(history, rng=rng) and say so.",
            GroundswellWarning,
            stacklevel=3,
        )
