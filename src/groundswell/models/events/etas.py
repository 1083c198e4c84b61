"""Self-exciting events with a mark that says how much they excite, and how far: the space-time ETAS model.

    lambda(s, t) = background u(s) + sum_{j: t_j < t} kappa(m_j) g(t - t_j) f(s - s_j; m_j)

    kappa(m) = offspring exp(alpha (m - threshold))          expected direct offspring of an event
    g(v)     = (p - 1) / c (1 + v / c)^-p                    Omori-Utsu: when they come
    f(r; m)  = (q - 1) / (pi sigma) (1 + r^2 / sigma)^-q     how far, sigma(m) = D exp(gamma (m - threshold))

u, g and f integrate to 1. The mark is a magnitude for earthquakes; for protests it may be the logarithm of a crowd's
size. Ogata (1998), Annals of the Institute of Statistical Mathematics 50, 379-402; in this form Zhuang, Ogata and
Vere-Jones (2002), Journal of the American Statistical Association 97, 369-380, section 2.
"""

from __future__ import annotations

import math
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
from groundswell.models.events.branching import Branching
from groundswell.models.events.kernel_background import KernelBackground
from groundswell.models.events.self_exciting import warn_of_ties
from groundswell.params import Component, Prior, param

if TYPE_CHECKING:
    from groundswell.models.events.etas_density import EtasDensity

LEAST_SHARE = 1e-8
"""A parent that makes up less of an event's intensity is left out of `branching`."""

SLOW = 0.5
"""Where less of the offspring of an early event than this comes within the window, a fit says so."""


@dataclass(frozen=True)
class Triggering(Component):
    """What an event sets off. Symbols are the field's own; `offspring` is A, for an event at the threshold.

    Offspring are counted for ever and over the whole plane: with p near 1 most of them come after any window, and
    with q near 1 beyond any region.
    """

    offspring: float = param(
        "1", low=0, prior=Prior(0.3, 0.7), doc="expected direct offspring of an event whose mark is the threshold (A)"
    )
    alpha: float = param("1/mark", prior=Prior(1.0, 0.7), doc="growth of the log offspring with the mark")
    c: float = param("days", low=0, prior=Prior(0.05, 1.5), doc="delay up to which triggering is nearly constant")
    p: float = param("1", low=1, prior=Prior(1.2, 0.8), doc="power with which triggering falls with the delay")
    D: float = param(
        "km^2", low=0, prior=Prior(30.0, 1.5), doc="square of the distance up to which triggering is nearly constant"
    )
    gamma: float = param("1/mark", prior=Prior(0.5, 0.5), doc="growth of log D with the mark")
    q: float = param("1", low=1, prior=Prior(1.8, 0.8), doc="power with which triggering falls with squared distance")

    def expected(self, excess: np.ndarray) -> np.ndarray:
        """kappa: direct offspring of events with marks this far above the threshold."""
        return self.offspring * np.exp(self.alpha * excess)

    def within(self, days: float) -> float:
        """The share of an event's offspring that come within so many days."""
        return -math.expm1((1 - self.p) * math.log1p(days / self.c)) if self.c > 0 else 1.0


@dataclass(frozen=True)
class ExponentialMarks(Component):
    """Marks above the threshold, exponential and independent: density exp(-(m - threshold) / mean) / mean.

    For magnitudes the Gutenberg-Richter law with b = 1 / (mean log 10); for the log of crowds, Pareto sizes with the
    index 1 / mean. Marks rounded to a grid are too large by half a step on average: lower the threshold by that.
    """

    mean: float = param("mark", low=0, prior=Prior(0.5, 0.7), doc="mean of the marks above the threshold")


@dataclass(frozen=True)
class Etas(Model):
    """Self-exciting events in the plane whose mark sets how many others they excite, and how far (ETAS).

    background : events a day in the region that need no parent. spread : where they happen (`KernelBackground`);
    None, evenly over Setting.region. triggering : None for a background alone.
    mark : which of Events.marks; threshold : the least mark of interest; events below it are refused.
    marks : the law of marks, whose density then counts too and which `simulate` needs; None takes marks as given.
    before : events before the window (times below 0). outside : events outside the region, at any time. Both excite
    and are not weighed themselves.
    max_events : a simulation that passes it is refused.

    With Setting.region, offspring outside of it are allowed for exactly, by an integral along its boundary; without,
    the plane is the region, and offspring beyond the furthest events seen are taken as missing: `offspring` is then
    too low.

    Read with care: what the list missed matters twice. Small events that go unseen after a large one make c too
    long, and parents below the threshold are taken for background.
    """

    title: ClassVar[str] = "Self-exciting events with marks in the plane (space-time ETAS)"
    paper: ClassVar[str] = (
        "Ogata (1998), Space-time point-process models for earthquake occurrences, Annals of the Institute of "
        "Statistical Mathematics 50, 379-402; Zhuang, Ogata and Vere-Jones (2002), Stochastic declustering of "
        "space-time earthquake occurrences, Journal of the American Statistical Association 97, 369-380, section 2"
    )

    planar: ClassVar[bool] = True

    background: float = param(
        "events/day", low=0, prior=Prior(0.5, 1.0), doc="events a day in the region that need no parent"
    )
    triggering: Triggering | None = field(default_factory=Triggering)
    marks: ExponentialMarks | None = None
    spread: KernelBackground | None = None
    mark: str = "magnitude"
    threshold: float = 0.0
    before: Events | None = None
    outside: Events | None = None
    max_events: int = 100_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.before is not None and len(self.before) and self.before.time_days[-1] >= 0:
            raise DataError(
                f"Etas.before holds an event at day {self.before.time_days[-1]:g}; expected times below 0, before the "
                "window. Events inside the window belong to the History."
            )
        if not math.isfinite(self.threshold):
            raise ParameterError(f"Etas.threshold is {self.threshold}; expected a finite mark.")

    @classmethod
    def example(cls) -> tuple[Etas, Setting]:
        """Two unequal areas side by side over half a year; some 50 of 120 events are triggered."""
        west, east = Region.rectangle(0, 0, 60, 150), Region.rectangle(60, 0, 300, 150)
        setting = Setting(
            Places(("West", "East"), np.array([400_000.0, 90_000.0])),
            Window(date(2024, 1, 1), 180),
            region=Region.rectangle(0, 0, 300, 150).tiled((west, east)),
        )
        triggering = Triggering(0.25, alpha=1.0, c=0.2, p=1.8, D=20.0, gamma=0.4, q=2.0)
        return cls(0.4, triggering, ExponentialMarks(0.4), threshold=4.0), setting

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """The exact log density of the window's events in time and space, and its gradient in every parameter.

        Sum of log intensity at each event minus the integrated intensity over region and window, given the marks,
        plus the log density of the marks if there is a law of them. Tied events do not trigger each other. An event
        where the intensity is 0 gives -inf. What it returns also has `.observations`.

        DataError for events without positions or the mark, below the threshold, or outside the region.
        Cost O(E^2): every pair is visited, none is stored. The part in the region is exact up to quadrature.
        """
        events = self.checked(setting, history)
        warn_of_ties(events.time_days, np.zeros(len(events)))
        return self._density(setting, events)

    def _density(self, setting: Setting, events: Events) -> EtasDensity:
        from groundswell.models.events.etas_density import EtasDensity

        return EtasDensity(self, setting, events)

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Draw the window's events by clusters: those without a parent, then generation after generation of offspring.

        Exact, and independent of the likelihood's code. `given` covers the first steps: its events are kept and
        trigger what follows, as do `before` and `outside`. An event outside the region is not drawn, and so triggers
        nothing. UsageError without a law of the marks, and when max_events is passed.
        """
        from groundswell.models.events.etas_draws import drawn

        return from_events(setting.places, setting.window, drawn(self, setting, rng, given))

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) integrated intensity by place and step, given at each moment the events so far.

        A place is a tile of Setting.region (`Region.tiled`); a single place is all of it.
        """
        from groundswell.models.events.etas_density import by_place

        return by_place(self, setting, self.checked(setting, history))

    def compensator(self, setting: Setting, history: History, days: np.ndarray) -> np.ndarray:
        """(K,) integrated intensity over the region from day 0 to each of the days. Cost O(K E)."""
        return self._density(setting, self.checked(setting, history)).compensator(np.asarray(days, dtype=float))

    def rate_at(self, setting: Setting, history: History, points: Events) -> np.ndarray:
        """(K,) intensity just before the points, per km^2 and day; they may be anywhere, in time and space."""
        return self._density(setting, self.checked(setting, history)).rate_at(points)

    def background_at(self, setting: Setting, points: Events) -> np.ndarray:
        """(K,) the part of the intensity at the points that needs no parent, per km^2 and day."""
        from groundswell.models.events.etas_density import unprompted

        return self.background * unprompted(self, setting, points)

    def branching(self, setting: Setting, history: History) -> Branching:
        """Who may have set off whom; the parts are per km^2 and day, and `outside` events count with those before.

        Parents that make up less than 1e-8 of an event's intensity are left out: of an event with E earlier ones at
        most E 1e-8 is missing, which its shares then exceed. Cost O(E^2).
        """
        return self._density(setting, self.checked(setting, history)).branching(LEAST_SHARE)

    def complete_likelihood(self, setting: Setting, history: History) -> EtasDensity:
        """For expectation-maximisation, a `CompleteLikelihood`. Cost of its verbs O(E^2), memory O(E)."""
        return self._density(setting, self.checked(setting, history))

    def branching_ratio(self, events: Events | None = None) -> float:
        """Expected direct offspring of an event: offspring times the mean of exp(alpha (m - threshold)).

        The mean is over the marks of these events, or without any by the law of the marks, infinite for
        alpha mean >= 1. Above 1 events grow without bound. Its interval: `infer.derived`.
        """
        if self.triggering is None:
            return 0.0
        if events is not None:
            return float(np.mean(self.triggering.expected(self.excess(events))))
        if self.marks is None:
            raise DataError("Etas has no law of the marks, so the mean over events is meant: give the events.")
        steep = self.triggering.alpha * self.marks.mean
        return self.triggering.offspring / (1 - steep) if steep < 1 else math.inf

    def excess(self, events: Events) -> np.ndarray:
        """(E,) marks less the threshold; DataError where they are absent, missing or below it."""
        if self.mark not in events.marks:
            raise DataError(
                f'Etas reads the mark "{self.mark}", and these events have: {", ".join(events.marks) or "none"}. Give '
                "Events.marks, or name another with Etas(mark=...)."
            )
        above = np.asarray(events.marks[self.mark], dtype=float) - self.threshold
        if wrong := int((~(above >= 0) | ~np.isfinite(above)).sum()):
            raise DataError(
                f'the mark "{self.mark}" of {wrong} of {len(above)} events is missing or below the threshold '
                f"{self.threshold:g}; leave such events out (Events.take) and say so, or lower the threshold."
            )
        return np.maximum(above, 0.0)

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """What a reader of a fit must see: growth without bound, and offspring that no window can hold."""
        if self.triggering is None:
            return ()
        part, days, found = self.triggering, float(setting.window.days), []
        known = history is not None and history.events is not None and len(history.events) > 0
        ratio = self.branching_ratio(history.events) if known and history is not None else None
        if ratio is not None and ratio >= 1:
            found.append(
                f"With the marks of these events an event has {ratio:.3g} direct offspring on average (offspring times "
                "the mean of exp(alpha (mark - threshold))): events grow without bound."
            )
        if self.marks is not None and part.alpha * self.marks.mean >= 1:
            found.append(
                f"alpha = {part.alpha:.3g} and a mean mark of {self.marks.mean:.3g} above the threshold: by this law "
                "rare large events have offspring without limit, so simulations explode; marks need an upper end."
            )
        if (share := part.within(days)) < SLOW:
            found.append(
                f"p = {part.p:.4g}: {100 * share:.0f} % of an event's offspring come within the {days:g} days of the "
                f"window, so `offspring` speaks of times that were not seen; within them it is {share:.2g} of that."
            )
        return tuple(found)

    def checked(self, setting: Setting, history: History, *, shorter: bool = False) -> Events:
        """The events, once they are seen to be what this model can read; `shorter`: of the window's first steps."""
        same_frame(setting, history)
        theirs, ours = history.window.periods, setting.window.periods
        if theirs > ours or (theirs < ours and not shorter):
            raise DataError(
                f"the history has {theirs} steps and the setting {ours}; expected "
                + ("no more. " if shorter else "the same. ") + "`during(periods)` cuts either."
            )  # fmt: skip
        if history.events is None:
            raise DataError("Etas weighs single events, and this history has counts alone. Give History.events.")
        if setting.region is None and self.spread is None:
            raise DataError(
                "Etas spreads its background over Setting.region, and there is none. Give Region.rectangle(...) or "
                "Region.from_geometry(outlines), or a density over the plane: spread=KernelBackground.around(x, y)."
            )
        for events, what in ((history.events, "the history"), (self.before, "before"), (self.outside, "outside")):
            if events is not None:
                self.excess(events)
                if len(events) and (events.x_km is None or events.y_km is None):
                    raise DataError(
                        f"the events of {what} have no positions on a plane map, and Etas weighs them by where they "
                        "are. Give Events.x_km and y_km (`data.region.Projection` makes them from degrees)."
                    )
        self._located(setting, history.events, inside=True)
        if self.outside is not None:
            self._located(setting, self.outside, inside=False)
        return history.events

    def _located(self, setting: Setting, events: Events, *, inside: bool) -> None:
        """DataError unless the events are all inside, or outside, the region; without one all are inside."""
        if not len(events):
            return
        at = np.ones(len(events), dtype=bool)
        if setting.region is not None:
            at = setting.region.contains(np.asarray(events.x_km), np.asarray(events.y_km))
        if (wrong := at != inside).any():
            raise DataError(
                f"{wrong.sum()} of {len(events)} events are outside the region; give them to Etas(outside=...), which "
                "lets them excite and does not weigh them, leave them out and say so, or widen the region."
                if inside
                else f"{wrong.sum()} of {len(events)} events of Etas.outside are inside the region, where events are "
                "weighed; they belong to the History, or to `before` with times below 0."
            )
