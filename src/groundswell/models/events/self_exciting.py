"""Self-exciting events in time and on cities (Hawkes process): each event may trigger others, later and elsewhere.

    lambda_p(t) = factor_ps (base_ps + sum_{i: t_i < t} offspring_{p_i p} mark_i g(t - t_i)),    t in step s
    base_ps     = background share_p exp(course) + calls + events abroad
    offspring   = branching_ratio w(q, p) + media share_p

share_p sums to 1 over places, g (delay) integrates to 1 over time, w (reach) sums to 1 over the receiving places p and
marks average 1, so the branching ratio is what it says: expected direct offspring of one event, wherever it happened.
It is not bounded by 1; whether protest grows is the question. factor_ps is 1 without repression.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, ParameterError, UsageError
from groundswell.models.base import Likelihood, Model
from groundswell.models.cities.mechanisms import Abroad, Arrests, Backlash, Call, Deterrence, Media
from groundswell.models.delay_sums import PowerLawDelay, SumOfExponentials
from groundswell.models.delays import ExponentialDelay, StepDelay
from groundswell.models.events.branching import Branching
from groundswell.models.events.self_exciting_parts import ByPopulation, BySize, Course
from groundswell.models.events.ties import single_events, warn_of_ties
from groundswell.models.triggering import Exponential, Reach, reach_weights
from groundswell.params import Prior, param

SHARED = 0.1
"""Of the places, at the position of another, from which on positions look like those of regions."""

NO_TRIGGERING = 1e-3
"""Offspring per event within the record below which nothing is said to be triggered."""


@dataclass(frozen=True)
class SelfExciting(Model):
    """Self-exciting single events on P places, in continuous time.

    delay : how late: ExponentialDelay, SumOfExponentials, PowerLawDelay, StepDelay.
    reach : how triggering falls with distance; an event's offspring are shared among all places in
    proportion to f(distance), times population^scale if `population` is given. None keeps all
    offspring in the event's own place: independent processes, or with one place the plain process
    in time. own_place : whether an event's own place (distance 0; order 1 of `NeighbourhoodOrder`) is among the
    receivers; without it only diffusion between places is left, and a place alone triggers nothing.
    population : shares of background and receivers by population^scale; None treats places alike.
    course : how the background moves over steps and differs between places. size : large crowds excite more.
    media : further offspring, shared over all places alike. call, abroad : events on calls and after events abroad,
    from Setting.calls and Setting.abroad, in proportion to the shares. arrests, deterrence, backlash : arrests of
    earlier days hold all events of a place down, and raise or lower the country's; `History` has the series arrests.
    before : events before the window (times below 0), which excite but are not themselves weighed.
    by_step : weigh counts by place and step, for times that are known to the day only (`self_exciting_counts`).
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
    delay: ExponentialDelay | SumOfExponentials | PowerLawDelay | StepDelay = field(default_factory=ExponentialDelay)
    reach: Reach | None = None
    population: ByPopulation | None = None
    course: Course | None = None
    size: BySize | None = None
    media: Media | None = None
    call: Call | None = None
    abroad: Abroad | None = None
    arrests: Arrests | None = None
    deterrence: Deterrence | None = None
    backlash: Backlash | None = None
    own_place: bool = True
    by_step: bool = False
    before: Events | None = None
    max_events: int = 100_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reach is None and not self.own_place:
            raise ParameterError(
                "SelfExciting has no reach and own_place=False, so nothing can be triggered anywhere. "
                "Give a reach, or keep own_place=True."
            )
        if (self.deterrence is not None or self.backlash is not None) and self.arrests is None:
            raise ParameterError(
                "SelfExciting has deterrence or backlash and no arrests, on which they act. Give arrests=Arrests(...)."
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

    @property
    def represses(self) -> bool:
        """Whether arrests change the intensity."""
        return self.deterrence is not None or self.backlash is not None

    @property
    def plain(self) -> bool:
        """One exponential delay and nothing that moves or marks: the form with the fastest loops."""
        moving = (self.course, self.size, self.call, self.abroad, self.arrests)
        return isinstance(self.delay, ExponentialDelay) and all(part is None for part in moving)

    def lacks(self, verb: str) -> str | None:
        """A density by place and step needs `by_step`; the process's own clock needs moments."""
        if verb in ("pointwise", "pit") and not self.by_step:
            return "Its density is no sum over places and steps; use by_step=True, or compare held-out forecasts."
        if verb in ("compensator", "complete_likelihood", "rate_at") and self.by_step:
            return "With by_step=True events have no order within a step; spread them with jittered(history, rng=rng)."
        return super().lacks(verb)

    def shares(self, places: Places) -> np.ndarray:
        """(P,) each place's part of the background; sums to 1."""
        if self.population is None:
            return np.full(len(places), 1 / len(places))
        return self.population.shares(places.population)

    def weights(self, setting: Setting) -> np.ndarray:
        """W (P, P), row the triggering place, column the receiving one; rows sum to 1."""
        if self.reach is None:
            return np.eye(len(setting.places))
        population = setting.places.population
        scale = self.reach.exponent(0.0 if self.population is None else self.population.scale)
        receivers = ByPopulation(scale).shares(population)
        return reach_weights(self.reach, self.reach.apart(setting), receivers, own_place=self.own_place)

    def offspring(self, setting: Setting) -> np.ndarray:
        """(P, P) expected direct offspring of an average event, row its place, column theirs; without repression."""
        offspring = self.branching_ratio * self.weights(setting)
        return offspring if self.media is None else offspring + self.media.offspring * self.shares(setting.places)

    def likelihood(self, setting: Setting, history: History, *, threads: int = 1) -> Likelihood:
        """The exact log density of the window's events, and its gradient in every parameter.

        Sum of log intensity at each event minus the integrated intensity over the window and all
        places; triggering that falls after the window's end is left out of the integral. Tied events
        do not trigger each other, in whatever order they stand; ties are met with a warning, since in
        continuous time they have probability 0 and dates alone make triggering within a day invisible
        (`by_step` and `jittered` are the ways out). An event where the intensity is 0 gives -inf. With `arrests` also
        the density of the arrests given the events; with `by_step` that of the counts given those of earlier steps.

        Cost O(E P M) with a reach or media, O(E M) without; M terms of the delay: 1 for an exponential, some 60 for a
        power law. threads : worker threads for more than some 10,000 events in the plainest form with a reach; the
        result is the same bits for any number.
        """
        from groundswell.models.events.self_exciting_density import density, joined

        if self.by_step:
            from groundswell.models.events.self_exciting_counts import StepDensity

            return StepDensity(self, setting, history)
        events = _checked(setting, history)
        times, place, _ = joined(self.before, events, len(setting.places))
        warn_of_ties(times, place if self.reach is None and self.media is None else np.zeros_like(place))
        return density(self, setting, history, events, threads)

    def pointwise(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) log density of each count given those of earlier steps; with `by_step` alone."""
        from groundswell.models.base import require
        from groundswell.models.events.self_exciting_counts import StepDensity

        require(self, "pointwise", "pointwise")
        return StepDensity(self, setting, history).pointwise()

    def pit(self, setting: Setting, history: History) -> tuple[np.ndarray, np.ndarray]:
        """P(N < n) and P(N <= n) of each count n given those of earlier steps, (P, T) each; with `by_step` alone."""
        from groundswell.models.base import require
        from groundswell.models.events.self_exciting_counts import StepDensity

        require(self, "pit", "pit")
        return StepDensity(self, setting, history).pit()

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) integrated intensity by place and step, given at each moment the events so far.

        Its sum is the integral in `log_density`; events minus it average 0 in every cell. Events
        inside a step do raise the rest of that step: this is the compensator of residuals, not a
        forecast from the step's start (for that, simulate with the past as `given`). With `by_step` it is that
        forecast: expected events given the counts of earlier steps.
        """
        if self.by_step:
            from groundswell.models.events.self_exciting_counts import StepDensity

            return StepDensity(self, setting, history).intensity()
        from groundswell.models.events.self_exciting_density import by_step

        return by_step(self, setting, history, _checked(setting, history))

    def branching(self, setting: Setting, history: History) -> Branching:
        """What each event's intensity is made of; pairs below 1e-9 of it are left out. O(E^2).

        With `by_step` what the expected count of its place and step is made of; see `StepDensity.branching`.
        """
        from groundswell.models.events.self_exciting_branching import branching

        if self.by_step:
            from groundswell.models.events.self_exciting_counts import StepDensity

            return StepDensity(self, setting, history).branching(_checked(setting, history))
        return branching(self, setting, history, _checked(setting, history))

    def compensator(self, setting: Setting, history: History, days: np.ndarray) -> np.ndarray:
        """(K,) expected events at all places up to each time, given at every moment the events so far.

        Cost O(M (E + K + T)) for M terms of the delay and T steps; with repression O(M (E + P (K + T))).
        """
        from groundswell.models.events.self_exciting_branching import compensator

        return compensator(self, setting, history, _checked(setting, history), days)

    def rate_at(self, setting: Setting, history: History, points: Events) -> np.ndarray:
        """(K,) events a day at the places of the points, just before each. O(E K)."""
        from groundswell.models.events.self_exciting_branching import rate_at

        return rate_at(self, setting, history, _checked(setting, history), points)

    def complete_likelihood(self, setting: Setting, history: History) -> Any:
        """For expectation-maximisation: see `branching.CompleteLikelihood`. Keeps its pairs, O(E^2)."""
        from groundswell.models.events.self_exciting_branching import CompleteLikelihood

        return CompleteLikelihood(self, setting, history, _checked(setting, history))

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Draw the window's events, exactly; after `given` if there is one.

        In the plainest form one after the other: the next event comes from the background or from what is still to be
        triggered, whichever is sooner; both waits are inverted, none is thinned. Else by clusters, step by step.
        `given` covers the first steps of the window: its events are kept and excite what follows. Cost O(E P).
        UsageError when max_events is passed.
        """
        from groundswell.models.events.self_exciting_draws import history_of, sampler

        window = setting.window
        past = Events(np.empty(0), np.empty(0, dtype=np.int64)) if given is None else _checked(setting, given, True)
        start = 0.0 if given is None else float(given.window.days)
        drawn = sampler(self, setting, past, start, given)(rng)
        if not drawn.complete:
            raise UsageError(self._too_many(drawn.days[-1] if len(drawn.days) else start, window))
        return history_of(setting, past, drawn)

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) counts of the steps after `history`; NaN from the step in which one passes max_events.

        The same law as `simulate` with `given`; what the past fixes is computed once for all draws. Reads
        the history's single events, whatever else it holds, and knows no series but "events".
        """
        from groundswell.models.events.self_exciting_draws import sampler

        if series != "events":
            raise UsageError(f'SelfExciting draws the series "events" alone; it was asked for "{series}".')
        past, first, window = _checked(setting, history, True), history.window.periods, setting.window
        sample = sampler(self, setting, past, float(history.window.days), history)
        out = np.zeros((draws, len(setting.places), window.periods - first))
        for counts in out:
            made = sample(rng)
            step = np.minimum((made.days // window.step).astype(int) - first, counts.shape[1] - 1)
            np.add.at(counts, (made.place, step), 1)
            if not made.complete:
                counts[:, (step[-1] if len(step) else 0) :] = np.nan
        return out

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """Sentences on growth, on a triggering that is none, on crowds of no known size, on places at one position."""
        from groundswell.models.events.excitation import distribution

        found = []
        total = self.branching_ratio + (0.0 if self.media is None else self.media.offspring)
        events, days = None if history is None else history.events, float(setting.window.days)
        left = np.array([days / 2]) if events is None or not len(events) else days - events.time_days
        within = float(np.mean(distribution(self.delay, left)))
        if total * within < NO_TRIGGERING:
            found.append(
                "As far as this fit can tell, no event was set off by another: delay and reach have nothing to be "
                "learnt from, and a constant rate (branching_ratio held at 0) says the same."
            )
        elif self.by_step and float(distribution(self.delay, np.array([setting.window.step / 10]))[0]) > 0.95:
            found.append(
                "What events set off comes within a small part of a step, as far as counts by step can tell: shorter "
                "delays look alike, and what is set off elsewhere is counted in the next step."
            )
        elif within < 0.5:
            found.append(
                f"Only {100 * within:.2g} % of what the events set off would come within the record: triggering with "
                "delays as long as the record cannot be told from a background that rises or falls. Give the "
                "background a course (a trend, dates), or hold the delay."
            )
        elif total > 1:
            found.append(f"Each event sets off {total:.3g} others on average: above 1 events grow without bound.")
        places = setting.places
        if self.reach is not None and places.latitude is not None and places.longitude is not None:
            shared = len(places) - len(np.unique(places.latitude + 1j * places.longitude))
            if shared > SHARED * len(places):
                found.append(
                    f"{shared} of {len(places)} places have the position of another, to the digit, and no distance "
                    "between them: what one sets off in the other is taken for near. Give them positions of their own, "
                    "or count by region."
                )
        if self.size is not None and events is not None and events.size is not None:
            missing = int(np.isnan(np.asarray(events.size, dtype=float)).sum())
            if missing:
                found.append(
                    f"{missing} of {len(events)} events have no known size and excite as the average one does."
                )
        return tuple(found)

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
        linearly. Holds for the plainest form while every place has a receiver (always with own_place=True);
        UsageError for the others.
        """
        if not self.plain or self.media is not None or not isinstance(self.delay, ExponentialDelay):
            raise UsageError("expected_events has a closed form for one exponential delay and a constant background.")
        mu, n, decay = self.background, self.branching_ratio, self.delay.decay
        rate = decay * (1 - n)
        if abs(rate * days) < 1e-4:  # two terms of the series: below, the closed form cancels
            return mu * days * (1 + n * decay * days / 2 * (1 - rate * days / 3))
        return mu * (days / (1 - n) + n / (1 - n) * math.expm1(-rate * days) / rate)


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
    return single_events(history, "SelfExciting")
