"""Mobilisation under repression: the model that the project exists for.

Day by day and place by place: events Y, persons arrested A and warned W, organised groups G that are
formed and broken up. Expected events add up from components, each of which can be left out (None), and are
held down by deterrence and raised by backlash:

    mu_pt = [ background_p + (1 - keep) (within M_p + between sum_q w_qp M_q + media s_p sum_q M_q)
              + organised G_pt / groups0 (1 + organised_call K_pt) + call s_p K_pt + abroad s_p Z_t ]
            * pulse_t * (1 + H_p)^-deterrence * (1 + H)^backlash

with M the fading memory of events and H the fading stock of arrests per 100,000, both as of the day before (H of
`lag_days` before), K the fading memory of calls, and s_p the place's share of N^scale. Y is negative binomial
around mu_pt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from groundswell.data.history import History, Later
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.window import Window
from groundswell.errors import UsageError
from groundswell.models.base import Likelihood
from groundswell.models.cities import _group_loops, _mobilisation_loops
from groundswell.models.cities.mechanisms import (
    YEAR,
    Abroad,
    Arrests,
    Background,
    Backlash,
    Between,
    CalendarPulse,
    Call,
    Crowds,
    Deterrence,
    Groups,
    Media,
    Organised,
    RandomPulse,
    Within,
)
from groundswell.models.cities.mobilisation_state import COLUMNS, State, geometry_of
from groundswell.models.cities.system import System
from groundswell.models.day_by_day import Counters, Guide, MeanField, Total

if TYPE_CHECKING:
    from groundswell.models.cities.mobilisation_laws import PlaceLaw

__all__ = [
    "Abroad", "Arrests", "Background", "Backlash", "Between", "CalendarPulse", "Call", "Crowds", "Deterrence", "Groups",
    "Media", "Mobilisation", "Organised", "RandomPulse", "Within",
]  # fmt: skip


@dataclass(frozen=True)
class Mobilisation(System):
    """Mobilisation of groups and population over the places of a country, by day.

    `within`, `between` and `media` offspring are expected later events per event; their sum, the
    reproduction number at no repression, may exceed 1. `organised` divides by the expected initial
    groups, so that events identify it without knowing how many groups there are; only claims about
    groups speak of `groups.initial`. Event counts alone identify recruitment minus break-up only.

    A draw that explodes is flagged, counted and given weight 0 by the filter; it is never cut to size.

    Cost of a history: about (P + 2 P share of active places) T operations.
    """

    title: ClassVar[str] = "mobilisation under repression: groups, calls, diffusion, arrests, by city and day"
    paper: ClassVar[str] = "groundswell, docs/models/mobilisation.md (this project's own model)"
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    conditioned_steps: ClassVar[int] = 1

    @classmethod
    def example(cls) -> tuple[Mobilisation, Setting]:
        """Four lopsided places in a row over twelve days, all called to protest once."""
        places = Places(
            ("Hub", "Near", "Twin", "Far"),
            np.array([900_000.0, 60_000.0, 45_000.0, 150_000.0]),
            np.array([35.0, 35.4, 35.45, 31.0]),
            np.array([51.0, 51.6, 51.65, 58.0]),
        )
        window = Window.between("2020-01-01", "2020-01-12")
        calls = call_matrix(places, window, [("2020-01-04", None)])
        row = Network(np.eye(4, k=1) + np.eye(4, k=-1))
        holidays = {"holiday": np.isin(np.arange(12), (2, 9)).astype(float)}
        return cls(), Setting(places, window, row, holidays, calls, active_on_day0=("Hub",))

    def lacks(self, verb: str) -> str | None:
        """Why this instance cannot do `verb`; with groups or a random pulse the mean of the counts is hidden."""
        if verb in ("likelihood", "pointwise") and self.groups is not None:
            return (
                "How many groups there are is hidden, and event counts alone identify recruitment minus break-up only. "
                "Use TemperedSMC with claims on events and groups, or leave them out: groups=None, organised=None."
            )
        if verb in ("likelihood", "pointwise", "intensity") and isinstance(self.pulse, RandomPulse):
            return "Its random pulse is hidden. Use TemperedSMC with claims, or a CalendarPulse."
        if verb == "mean_field" and (why := self._beyond_the_mean_field()):
            return f"It has no mean field with {why}. Use TemperedSMC."
        return super().lacks(verb)

    def _beyond_the_mean_field(self) -> str:
        groups = self.groups
        if any(part is not None and part.lag_days > 1 for part in (self.deterrence, self.backlash)):
            return "arrests that act after more than a day"
        if groups is not None and max(groups.momentum_recruitment, groups.exposure, groups.contact) > 0:
            return "groups that events or other places' groups act on"
        return ""

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """Log density of place-day counts given the first day's events, and its gradient; exact, without groups.

        history["events"] is read, and history["arrests"] where there is one: deterrence and backlash act on
        arrests and need it. Given a place's events of a day its arrests are weighed too, day 0's included;
        without the series the parameters of `arrests` are not identified. Participants and warnings are not
        weighed, so `crowds` and `warnings_per_arrest` have slope 0. Cost a call: O(P T + N P + Q P), N the
        place-days with events in Q places. DataError for counts that are not whole, for steps other than
        days, and for arrests without an event.
        """
        from groundswell.models.cities.mobilisation_likelihood import likelihood

        return likelihood(self, setting, history)

    def pointwise(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) log density of a place's events of a day given the days before, plus that of its arrests given them.

        On day 0, whose events are given, the arrests alone where there were events, else NaN.
        """
        from groundswell.models.cities.mobilisation_likelihood import pointwise

        return pointwise(self, setting, history)

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) expected events given the days before; NaN on day 0, which is given.

        With `organised`, history["groups"] is read: the groups at each day's start.
        """
        from groundswell.models.cities.mobilisation_likelihood import intensity

        return intensity(self, setting, history)

    def mean_field(self, setting: Setting, totals: Sequence[Total]) -> MeanField:
        """What is expected of totals at any parameter vector, without a draw, and their slopes: for `Relaxation`.

        A closure, not exact: places meet the mean of all others, quiet and active ones apart. A `RandomPulse` is at
        its middle. Not for arrests that act late, nor for groups that events or contact act on (`lacks`).
        Cost a call: O(P^2 T) multiplications, a few ms for 425 places and 35 days, and as much again for the slopes.
        """
        from groundswell.models.cities.mobilisation_means import mean_field

        return mean_field(self, setting, totals)

    def place_law(self, series: str, distinct: bool, given: int, days: int, most: float) -> PlaceLaw:
        """How events, arrests or participants of one place in a window vary about what the mean field expects.

        given : events of the first day inside the window. days : those after it. most : the largest total of interest.
        """
        from groundswell.models.cities.mobilisation_laws import PlaceLaw

        return PlaceLaw(series, distinct, given, days, most)

    def start(
        self, setting: Setting, *, rng: np.random.Generator, histories: int = 1, beside: State | None = None
    ) -> State:
        """State before the first day: groups drawn, memories empty. `beside` : a state of this model and setting."""
        state = State(self, setting, geometry_of(setting), histories, beside)
        if self.groups is not None:
            _group_loops.start_groups(rng, self.groups.initial, state.share, state.groups, state.groups_total)
        state.pulse[:] = self.pulse_levels(setting, histories, rng=rng)
        return state

    def step(
        self,
        state: State,
        day: int,
        *,
        rng: np.random.Generator,
        forced: Sequence[tuple[int, int]] | Guide | None = None,
    ) -> tuple[State, np.ndarray]:
        """Make one day, in place; the same state comes back with the log weight (S,) of what was guided.

        forced : (place, day) pairs that must be active, or a `Guide` with whole tilted distributions.
        """
        if isinstance(forced, Guide):
            guided = state.guided(forced)
        elif forced:
            guided = state.guided(Guide.active(sorted({p for p, d in forced if d == day}), len(state.groups_total)))
        else:
            guided = state.unguided
        weight = np.empty(len(state.groups_total))
        geometry = state.geometry
        _mobilisation_loops.step_day(
            rng, day, state.rates, state.given[day], state.share, geometry.call_memory(self)[day],
            state.pulse[day], geometry.per_100k, *state.reach, state.drive, state.momentum_total, state.momentum,
            state.hurt, state.hurt_day, state.hurt_total, state.groups, state.groups_total, state.exploded,
            state.noted_count, state.noted_place, state.noted, guided, geometry.first, state.warns, weight,
        )  # fmt: skip
        if state.rates.late:
            state.arrested(day)
        if state.rates.contact > 0:
            state.groups_today(rng=rng)
        return state, weight

    def advance(self, state: State, begin: int, end: int, counters: Counters, *, rng: np.random.Generator) -> State:
        """The days from `begin` to before `end` in place, unguided, as by `step` and `count` day by day, but faster.

        With arrests that act late, or groups in contact, by `step` and `count`.
        """
        if state.rates.late or state.rates.contact > 0:
            for day in range(begin, end):
                self.step(state, day, rng=rng)
                self.count(state, day, counters)
            return state
        geometry = state.geometry
        _mobilisation_loops.step_days(
            rng, begin, end, state.rates, state.given, state.share, geometry.call_memory(self), state.pulse,
            geometry.per_100k, *state.reach, state.drive, state.momentum_total, state.momentum, state.hurt,
            state.hurt_day, state.hurt_total, state.groups, state.groups_total, state.exploded, state.noted_count,
            state.noted_place, state.noted, state.unguided, geometry.first, state.warns, *counters,
        )  # fmt: skip
        return state

    def count(self, state: State, day: int, counters: Counters) -> None:
        """Add the day just made to the totals of the counters, in place."""
        _mobilisation_loops.tally(day, state.noted_count, state.noted_place, state.noted, *counters)

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """One history by place and day, with the groups' later steps where the setting has them.

        With `given`, events, arrests, participants and warnings of its days are taken from it, and the rest is
        drawn; the groups are drawn from the first day on, since no record of a country holds them.
        """
        state = self.start(setting, rng=rng)
        count, periods = setting.shape
        series = {name: np.zeros((count, periods)) for name in COLUMNS}
        series["groups"] = np.zeros((count, periods))
        past = 0 if given is None else given.window.periods
        for day in range(periods):
            series["groups"][:, day] = state.groups[0]
            if given is not None and day < past:
                state.take(day, given, rng=rng)
            else:
                self.step(state, day, rng=rng)
            rows = slice(0, int(state.noted_count[0]))
            for column, name in enumerate(COLUMNS):
                series[name][state.noted_place[0, rows], day] = state.noted[0, rows, column]
        later = None
        if len(setting.later_edges) > 1 and self.groups is not None:
            steps = self.run_later(state.groups, setting.later_edges, rng=rng, weights=self.later_weights(state))[0]
            names = COLUMNS[COLUMNS.index("formed") :]
            later = Later(setting.later_edges, {name: steps[:, :, i] for i, name in enumerate(names)})
        return History(setting.places, setting.window, series, later=later, exploded=bool(state.exploded[0]))

    def later_weights(self, state: State) -> np.ndarray | None:
        """(P, P) by which one place's groups add to another's after the window; None if each runs on by itself."""
        return state.reach_weights() if state.rates.contact > 0 else None

    def run_later(
        self, groups: np.ndarray, edges: Sequence[int], *, rng: np.random.Generator, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Groups after the window: (S, U, K, 4) formed, broken up, members arrested and warned by step.

        groups : (S, U) at the window's end by unit; a unit may be a place or any lump of places.
        weights : what `later_weights` gives; with it a unit is a place, since contact tells places apart.
        """
        if self.groups is None:
            raise UsageError("run_later needs the `groups` component.")
        if self.groups.contact > 0 and weights is None:
            raise UsageError("run_later was given groups in contact and no weights between them; see later_weights.")
        given = (
            rng,
            np.ascontiguousarray(groups, dtype=float),
            np.diff(np.asarray(edges, dtype=np.int64)),
            self.groups.recruitment / YEAR,
            self.groups.breakup / YEAR,
            self.groups.members,
            self.groups.warned_per_member_arrested,
        )
        if weights is None:
            return _group_loops.later_groups(*given)
        return _group_loops.later_groups_in_contact(*given, self.groups.contact / YEAR, weights)

    def groups_at_start(self, state: State, where: np.ndarray) -> float:
        """Expected groups in the places `where` on the first day."""
        return 0.0 if self.groups is None else self.groups.initial * float(state.share[where].sum())

    def place_groups(self, state: State, where: np.ndarray, counts: np.ndarray, *, rng: np.random.Generator) -> None:
        """Put counts[h] groups into the places `where` of a state just started, each by its share, for those there."""
        _group_loops.place_groups(rng, counts, where, state.share, state.groups, state.groups_total)

    def of_one_group(self, setting: Setting, total: Total) -> tuple[float, float]:
        """Mean and variance of what one group at the start, with all that it recruits, adds to a total of groups.

        As if events and contact did not act on groups. UsageError without the component `groups`.
        """
        from groundswell.models.cities.mobilisation_mean_groups import of_one_group

        if self.groups is None:
            raise UsageError("of_one_group needs the `groups` component.")
        return of_one_group(self.groups, setting, total)

    def arrests_to_come(self, state: State, events: np.ndarray, most: int) -> np.ndarray:
        """(J, most + 1) P(A = a) of one place on the days that are left, if events[j], (J,), are expected of it there.

        A guess by which a filter weighs its histories on the way: over several days counts vary less about their mean
        than on one, by half of `overdispersion`. The largest number stands for all beyond.
        """
        laws = state.laws_of_arrests()[0]
        psi = 0.5 * self.overdispersion
        counts = np.arange(len(laws) - 1)
        chance = np.zeros((len(events), len(laws)))
        chance[:, 0] = np.exp(-events) if psi < 1e-9 else (1 + psi * events) ** (-1 / psi)
        ratio = events / (1 + psi * events)
        for y in counts:
            chance[:, y + 1] = chance[:, y] * ratio * (1 + y * psi) / (y + 1)
        chance[:, -1] = np.maximum(1 - chance[:, :-1].sum(axis=1), 0.0)
        found = np.zeros((len(events), most + 1))
        found[:, : laws.shape[1]] = chance @ laws[:, : most + 1]
        found[:, -1] += np.maximum(1 - found.sum(axis=1), 0.0)
        return found

    def crowd_sizes(self, events: np.ndarray, draws: int, *, rng: np.random.Generator) -> np.ndarray:
        """(len(events), draws) total participants of so many events.

        Each column is a draw; those of a row are spread evenly over the law of the first event's crowd (one in each of
        as many parts of equal probability), so that an average over them varies far less than over independent draws.
        """
        from scipy.special import ndtri

        most = int(events.max(initial=0))
        if most == 0:
            return np.zeros((len(events), draws))
        normal = rng.standard_normal((len(events), draws, most))
        normal[:, :, 0] = ndtri((np.arange(draws) + rng.random((len(events), draws))) / draws)
        counted = np.arange(most) < np.asarray(events)[:, None, None]
        return (self.crowds.median * np.exp(self.crowds.spread * normal) * counted).sum(axis=2)
