"""Self-exciting events in the plane: an endemic rate over places and time, and events that set off others nearby.

    lambda(s, t, k) = endemic(place of s, step of t) + sum_{j: t_j < t} eta_j f(|s - s_j|) g(t - t_j)

over the earlier events j that are near enough, recent enough and of a kind that triggers k. f integrates to 1 over
the plane (as far as `furthest_km`) and g over time, so eta_j = exp(intercept + sum of effect x mark of j) is the
expected number of direct offspring of event j, where and while anyone could have seen them. Meyer, Elias and Höhle
(2012), Biometrics 68, 607-616, equations 2 and 3; the R package surveillance calls it twinstim.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.region import Region
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, ParameterError
from groundswell.models.base import Likelihood, Model
from groundswell.models.cities.scattered import same_frame
from groundswell.models.delays import Delay, ExponentialDelay, UniformDelay
from groundswell.models.events.cubature import Boundary
from groundswell.models.events.space_time_routes import ROUTES
from groundswell.models.events.ties import warn_of_ties
from groundswell.models.log_linear import LogLinear
from groundswell.models.triggering import Exponential, Gaussian, Reach
from groundswell.params import Component, Effects, Prior, param

if TYPE_CHECKING:
    from groundswell.models.events.branching import Branching
    from groundswell.models.events.space_time_branching import SpaceTimeComplete


@dataclass(frozen=True)
class Endemic(LogLinear):
    """offset exp(intercept + sum of coefficient x column): events per km^2 and day of each kind that need no parent.

    `LogLinear` with a prior that leaves the intercept open: a rate per km^2 has any size.
    """

    intercept: float = param(
        "log rate", prior=Prior(-8.0, 6.0), doc="log rate per km^2 and day where every column is 0"
    )


@dataclass(frozen=True)
class Offspring(Component):
    """What an event sets off: eta = exp(intercept + sum of effect x mark) events on average, near and soon.

    reach, delay : how they spread over the plane and over time. furthest_km, longest_days : none further or later;
    both kernels are cut off there and integrate to 1 within. across : events of every kind, not of its own alone.
    """

    intercept: float = param("log events", prior=Prior(-1.0, 0.7), doc="log of the offspring where every mark is 0")
    effects: Effects = param(
        "log/mark", prior=Prior(0.0, 0.7), default=Effects(), doc="change of the log offspring for a unit of the mark"
    )
    reach: Reach = field(default_factory=Gaussian)
    delay: Delay = field(default_factory=UniformDelay)
    furthest_km: float = 200.0
    longest_days: float = 30.0
    across: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.furthest_km <= 0 or self.longest_days <= 0:
            raise ParameterError(
                f"Offspring was given furthest_km {self.furthest_km:g} and longest_days {self.longest_days:g}; "
                "expected both above 0."
            )

    def columns(self, events: Events) -> np.ndarray:
        """(E, 1 + K) ones, then the marks in order; DataError for a mark that the events do not have."""
        if missing := [name for name in self.effects if name not in events.marks]:
            raise DataError(
                f'the offspring depend on "{missing[0]}", which is no mark of these events; they have: '
                f"{', '.join(events.marks) or 'none'}. Give Events.marks."
            )
        return np.stack([np.ones(len(events)), *(np.asarray(events.marks[n], float) for n in self.effects)], axis=1)


@dataclass(frozen=True)
class SpaceTime(Model):
    """Self-exciting events in the plane, each with a position, a time and maybe a kind.

    endemic : events per km^2 and day of each kind that need no parent, constant within a place and a step; a place is
    an area of the map here (a district, a cell), `area_km2` a covariate of the setting. None: every event has a parent.
    offspring : None for events that set off nothing. kinds : how many kinds of events there are.
    max_events : a simulation that passes it is refused.
    route : how the sum over earlier events is found: "pairs" (all kept), "cells" (near ones found anew), "waves"
    (Fourier states), or "auto", what costs least at the parameters at hand. error : what cells and waves may leave
    out of a pair, relative to a pair at the same place and moment.
    regions : influence regions, one a list of rings relative to its event, where another package has cut them;
    otherwise they are the discs within reach in Setting.region, exactly. Without a region offspring count wherever
    they fall: a plane without a border.

    Read with care: the endemic part is smooth, so events that cluster for reasons it does not know are taken
    for triggering. Offspring outside the region are not seen, and are allowed for (the integral of f over what is
    inside); parents outside of it, or before the window, are not.
    """

    title: ClassVar[str] = "Self-exciting events in the plane (space-time point process, twinstim)"
    paper: ClassVar[str] = (
        "Meyer, Elias and Höhle (2012), A space-time conditional intensity model for invasive meningococcal disease "
        "occurrence, Biometrics 68(2), 607-616, equations 2 and 3"
    )

    planar: ClassVar[bool] = True

    endemic: Endemic | None = field(default_factory=Endemic)
    offspring: Offspring | None = field(default_factory=Offspring)
    kinds: int = 1
    max_events: int = 100_000
    regions: tuple[tuple[np.ndarray, ...], ...] | None = None
    route: str = "auto"
    error: float = 1e-10

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.route not in ROUTES:
            raise ParameterError(f'SpaceTime.route is "{self.route}"; expected one of {", ".join(ROUTES)}.')
        if not 1e-12 <= self.error <= 1e-3:
            raise ParameterError(f"SpaceTime.error is {self.error:g}; expected 1e-12 to 1e-3.")
        if self.endemic is None and self.offspring is None:
            raise ParameterError("SpaceTime has neither an endemic part nor offspring, so nothing happens in it.")
        if self.endemic is not None and self.endemic.random is not None:
            raise ParameterError(
                "SpaceTime was given random intercepts in its endemic part, which it has no density for; leave "
                "them out (Endemic(random=None)), or count by place and use EndemicEpidemic."
            )
        if self.kinds < 1:
            raise ParameterError(f"SpaceTime was given {self.kinds} kinds of events; expected 1 or more.")

    @classmethod
    def example(cls) -> tuple[SpaceTime, Setting]:
        """Two unequal areas side by side over half a year; half of the events are triggered."""
        west, east = Region.rectangle(0, 0, 60, 150), Region.rectangle(60, 0, 300, 150)
        places = Places(("West", "East"), np.array([400_000.0, 90_000.0]))
        area = np.array([[west.area_km2], [east.area_km2]])
        setting = Setting(
            places,
            Window(date(2024, 1, 1), 180),
            covariates={"area_km2": area, "density": places.population[:, None] / area},
            region=Region.rectangle(0, 0, 300, 150).tiled((west, east)),
        )
        endemic = Endemic(-13.5, Effects(trend=0.001), offset="density")
        return cls(
            endemic, Offspring(-0.7, reach=Exponential(12.0), delay=ExponentialDelay(0.3), furthest_km=80.0)
        ), setting

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Draw the window's events by clusters: those without a parent, then generation after generation of offspring.

        Exact, and independent of the likelihood's code. `given` covers the first steps: its events are kept and
        trigger what follows. Offspring have their parent's kind (any, with `across`). UsageError when max_events is
        passed, and where offspring depend on marks, whose distribution is no part of the model.
        """
        from groundswell.models.events.space_time_draws import drawn

        return from_events(setting.places, setting.window, drawn(self, setting, rng, given))

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """The log density of the window's events in space and time, and its gradient in every parameter.

        Sum of log intensity at each event minus the integrated intensity over region, window and kinds. Events at the
        same moment do not trigger each other. The integral of f over the region is by `cubature`, to 1e-9 of its
        whole; the sum over earlier events by the road of `space_time_routes` that costs least, and what it returns has
        `bound(x)`: at most so much is it off. An event where the intensity is 0 gives -inf.

        DataError for events without positions, outside the region, or of an unknown kind; GroundswellWarnings for
        events that share a moment or a position, and for areas and positions in different units.
        """
        from groundswell.models.events import space_time_remarks
        from groundswell.models.events.space_time_density import SpaceTimeDensity

        events = self.checked(setting, history)
        space_time_remarks.warn(self, setting, events)
        warn_of_ties(events.time_days, np.zeros(len(events)))
        return SpaceTimeDensity(self, setting, events)

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """Sentences on growth, on triggering that is none or has no shape, and on a plane without a border."""
        from groundswell.models.events import space_time_remarks

        return space_time_remarks.remarks(self, setting, None if history is None else history.events)

    def branching(self, setting: Setting, history: History) -> Branching:
        """Each event's intensity by what it comes from, pair by pair; nothing comes from before the window.

        Cost and memory O(pairs within reach and time).
        """
        from groundswell.models.events.space_time_branching import branching

        return branching(self, setting, self.checked(setting, history))

    def compensator(self, setting: Setting, history: History, days: np.ndarray) -> np.ndarray:
        """(K,) expected events of all kinds in the region from day 0 to each of the days, given the events so far.

        At the window's end it is the integral in `log_density`. Cost O(events of the last longest_days) a day.
        """
        from groundswell.models.events.space_time_branching import compensator

        return compensator(self, setting, self.checked(setting, history), days)

    def rate_at(self, setting: Setting, history: History, points: Events) -> np.ndarray:
        """(K,) intensity just before the points, per km^2 and day, of the points' own kinds (kind 0 without any).

        A point's endemic rate is that of its `place` and step; its position counts for what is triggered.
        DataError for points without positions.
        """
        from groundswell.models.events.space_time_branching import rate_at

        return rate_at(self, setting, self.checked(setting, history), points)

    def complete_likelihood(self, setting: Setting, history: History) -> SpaceTimeComplete:
        """For expectation-maximisation, a `CompleteLikelihood`: pairs are kept, and each step costs O(pairs)."""
        from groundswell.models.events.space_time_branching import SpaceTimeComplete

        return SpaceTimeComplete(self, setting, self.checked(setting, history))

    def checked(self, setting: Setting, history: History, *, shorter: bool = False) -> Events:
        """The events, once they are seen to be what this model can read; `shorter`: of the window's first steps."""
        same_frame(setting, history)
        theirs, ours = history.window.periods, setting.window.periods
        if theirs > ours or (theirs < ours and not shorter):
            raise DataError(
                f"the history has {theirs} steps and the setting {ours}; expected "
                + ("no more. " if shorter else "the same. ") + "`during(periods)` cuts either."
            )  # fmt: skip
        events = history.events
        if events is None or events.x_km is None or events.y_km is None:
            raise DataError(
                "SpaceTime weighs single events by where they are, and this history has none with positions on a plane "
                "map. Give Events.x_km and y_km (`data.region.Projection` makes them from degrees)."
            )
        if events.kind is None and self.kinds > 1 and len(events):
            raise DataError(
                f"these events have no kind, and SpaceTime has {self.kinds}; expected Events.kind, a number from 0 to "
                f"{self.kinds - 1} for each. All would be taken for kind 0, and the others for kinds that never happen."
            )
        if events.kind is not None and len(events) and not 0 <= np.min(events.kind) <= np.max(events.kind) < self.kinds:
            raise DataError(f"Events.kind goes up to {np.max(events.kind)}; expected kinds in [0, {self.kinds}).")
        if self.regions is not None:
            if len(self.regions) != len(events):
                raise DataError(f"SpaceTime.regions has {len(self.regions)} regions for {len(events)} events.")
        elif setting.region is not None and not (inside := setting.region.contains(events.x_km, events.y_km)).all():
            first = int(np.flatnonzero(~inside)[0])
            raise DataError(
                f"{(~inside).sum()} of {len(events)} events are outside the region, the first at "
                f"({events.x_km[first]:.1f}, {events.y_km[first]:.1f}) km; leave them out and say so, or widen it."
            )
        if setting.region is not None and len(setting.region.tiles) == len(setting.places) and self.endemic is not None:
            at = np.asarray(events.x_km, dtype=float), np.asarray(events.y_km, dtype=float)
            if (astray := setting.region.astray(*at, events.place)).any():
                first = int(np.flatnonzero(astray)[0])
                raise DataError(
                    f"{astray.sum()} of {len(events)} events lie outside the place that they name, the first at "
                    f'({at[0][first]:.1f}, {at[1][first]:.1f}) km in "{setting.places.name[events.place[first]]}"; '
                    "their endemic rate would be another place's. Events.place is Region.tile_of(x_km, y_km)."
                )
        return events

    def boundary(self, setting: Setting, events: Events) -> Boundary:
        """What each event sees of the region's boundary, as far as its offspring reach; nothing without a region."""
        from groundswell.models.events import cubature

        assert self.offspring is not None
        furthest, breaks = self.offspring.furthest_km, self.offspring.reach.breaks
        if self.regions is not None:
            return cubature.given([list(rings) for rings in self.regions], furthest, breaks=breaks)
        if setting.region is None:
            return cubature.everywhere(len(events))
        points = np.stack([np.asarray(events.x_km, float), np.asarray(events.y_km, float)], axis=1)
        return cubature.seen_from(points, setting.region, furthest, breaks=breaks)
