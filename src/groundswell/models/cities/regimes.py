"""Regimes: a share of the population that grows once it is seen and shrinks until it outgrows the policing.

    r' = growth 1[r > visibility_threshold] (1 - r) - decay 1[r < policing_threshold] r

the same law in every place, each with its own share r_p(t) of participants. Between the thresholds the flow is
exponential, so it is followed exactly, without steps. What ends where is in `regime_phases`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting, call_matrix
from groundswell.errors import DataError, nearest
from groundswell.models.base import Likelihood, Model
from groundswell.models.cities.counts import log_mass
from groundswell.models.cities.regime_phases import Basin, basins
from groundswell.models.cities.scattered import (
    Background,
    Counted,
    Overdispersion,
    counts_of,
    drawn,
    past_of,
    psi_of,
    weighed_in,
)
from groundswell.params import Component, Effects, Prior, from_vector, names, param


@dataclass(frozen=True)
class Call(Component):
    """A shock from outside: where Setting.calls is 1, r jumps to r + jump (1 - r) as the step begins."""

    jump: float = param("1", low=0, high=1, prior=Prior(0.1, 1.0), doc="share of those outside whom a call adds")


@dataclass(frozen=True)
class Regimes(Model):
    """Participation between visibility and policing; place-step counts scatter around a multiple of it.

    initial : r_p(0) at the start of the window, in every place that `initial_at` does not name. The mean of
    a count is scale N_p / 100,000 times the integral of r_p over the step, plus the background. Setting.calls
    act if there is a `call`; Setting.active_on_day0 is not read, since where a place starts is a parameter.
    `overdispersion` : None for Poisson counts. Places alike in start and calls share one trajectory.

    Read with care: the mean is smooth in the parameters wherever a threshold is met at a slope, and it jumps
    where a start, or a share after a call, lies on a threshold from which the flow leads away to both
    sides. Without calls the flow meets at most one of the two thresholds, so the counts know the other only as
    an interval, which `remarks` states. A search by slopes crosses none of these steps: fit from several starts.
    """

    title: ClassVar[str] = "regimes of participation: growth once visible, decay until it outgrows the policing"
    paper: ClassVar[str] = (
        "Lang, De Sterck (2014), The Arab Spring: a simple compartmental model for the dynamics of a revolution, "
        "Mathematical Social Sciences 69, 12-21"
    )
    conditioned_steps: ClassVar[int] = 0
    """Every step has a density."""

    growth: float = param("1/day", low=0, prior=Prior(0.3, 0.7), doc="c1: how fast those outside join, once it is seen")
    decay: float = param("1/day", low=0, prior=Prior(0.3, 0.7), doc="c2: how fast those inside leave, while policed")
    visibility_threshold: float = param(
        "1", low=0, high=1, prior=Prior(0.05, 1.0), doc="alpha: share above which participation is seen"
    )
    policing_threshold: float = param(
        "1", low=0, high=1, prior=Prior(0.3, 1.0), doc="beta: share from which policing no longer works"
    )
    initial: float = param("1", low=0, high=1, prior=Prior(0.1, 1.0), doc="share taking part at the start")
    initial_at: Effects = param(
        "1", low=0, high=1, prior=Prior(0.1, 1.0), default=Effects(), doc="share at the start of a named place"
    )
    scale: float = param(
        "events/day/100,000 persons", low=0, prior=Prior(5.0, 1.0), doc="events if everyone takes part"
    )
    call: Call | None = None
    background: Background | None = None
    overdispersion: Overdispersion | None = None

    @classmethod
    def example(cls) -> tuple[Regimes, Setting]:
        """Four lopsided places over 40 days: participation fades, and a call carries two of them over the threshold."""
        from datetime import date

        from groundswell.data.places import Places
        from groundswell.data.window import Window

        places = Places(("Hub", "Near", "Twin", "Far"), np.array([900_000.0, 160_000.0, 145_000.0, 350_000.0]))
        window = Window(date(2011, 1, 1), 40)
        calls = call_matrix(places, window, [("2011-01-13", ("Hub", "Far"))])
        model = cls(
            0.1, 0.3, visibility_threshold=0.3, policing_threshold=0.6, initial=0.5, scale=6.0, call=Call(0.6),
            background=Background(0.05),
        )  # fmt: skip
        return model, Setting(places, window, calls=calls)

    @property
    def rest(self) -> float:
        """c* = growth / (growth + decay), where growth and decay balance; NaN if both are 0."""
        return self.growth / (self.growth + self.decay) if self.growth + self.decay > 0 else math.nan

    def basins(self) -> tuple[Basin, ...]:
        """What ends where: the phase diagram at these parameters."""
        return basins(self.growth, self.decay, self.visibility_threshold, self.policing_threshold)

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """Log density of all counts, the first step's too, and its gradient in every parameter; exact.

        history["events"] is read: whole numbers. The slope in a threshold is that of the moments at which
        it is met, and 0 while no trajectory meets it. Cost: O(P T), and some 50 T operations for each of
        the trajectories that differ. DataError for `initial_at` with a name that is no place.
        """
        kept = weighed_in(history)
        observed = Counted.of(counts_of(setting, history).T * kept)
        tracks, order = self._tracks(setting), names(self)
        people = setting.places.population / 1e5
        outside = people * setting.window.step

        def value_and_gradient(values: np.ndarray) -> tuple[float, np.ndarray]:
            model = from_vector(self, values)
            flow = model._flow(setting, tracks)
            mean = model._means(flow, tracks, people, outside)
            value, slope, psi_slope = observed.weigh(mean * kept, psi_of(model.overdispersion))
            if not math.isfinite(value):
                return -math.inf, np.zeros(len(order))
            slope *= kept
            by_person = np.zeros_like(flow.total)
            np.add.at(by_person.T, tracks.of_place, (slope * people).T)
            found = model._gradient(flow, tracks, model.scale * by_person)
            found["scale"] = float((by_person * flow.total).sum())
            found["background.rate"] = float((slope @ outside).sum())
            found["overdispersion.psi"] = psi_slope
            return value, np.array([found[name] for name in order])

        return value_and_gradient

    def pointwise(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) log density of each count."""
        return log_mass(counts_of(setting, history), self.intensity(setting), psi_of(self.overdispersion))

    def intensity(self, setting: Setting, history: History | None = None) -> np.ndarray:
        """(P, T) expected events; no count moves them, so the history is not read."""
        tracks, people = self._tracks(setting), setting.places.population / 1e5
        return self._means(self._flow(setting, tracks), tracks, people, people * setting.window.step).T

    def shares(self, setting: Setting) -> np.ndarray:
        """(P, T) r_p at each step's end."""
        tracks = self._tracks(setting)
        return self._flow(setting, tracks).ends[:, tracks.of_place].T

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """Which threshold no trajectory meets, and between which shares it may therefore lie."""
        gaps = self._flow(setting, self._tracks(setting)).gaps
        notes = []
        for name, low, high in (("visibility_threshold", *gaps[:2]), ("policing_threshold", *gaps[2:])):
            if high - low > 1e-9:
                notes.append(
                    f"No share of participants grows or falls past {name} in this window: at these parameters it may "
                    f"lie anywhere between {max(low, 0.0):.3g} and {min(high, 1.0):.3g}, and beyond them the density "
                    "jumps. Hold it with `fixed`, and fit from several values of it."
                )
        return tuple(notes)

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Counts over the window; those of `given`, its first steps, are kept. The rest does not depend on them."""
        counts = self.intensity(setting)
        known = np.zeros((len(counts), 0)) if given is None else past_of(setting, given)
        first = known.shape[1]
        counts[:, :first] = known
        counts[:, first:] = drawn(counts[:, first:], psi_of(self.overdispersion), rng)
        return History(setting.places, setting.window, {"events": counts})

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) counts of the K steps after `history`; the law of `simulate`, the flow run once."""
        mean = self.intensity(setting)[:, past_of(setting, history).shape[1] :]
        return drawn(np.broadcast_to(mean, (draws, *mean.shape)), psi_of(self.overdispersion), rng)

    def _tracks(self, setting: Setting) -> Tracks:
        """The different trajectories: places alike in start and calls are one."""
        known = setting.places.name
        for name in self.initial_at:
            if name not in known:
                raise DataError(
                    f'Regimes.initial_at names "{name}", which is no place of this setting.' + nearest(name, known)
                )
        labels = {name: k for k, name in enumerate(self.initial_at)}
        start = np.array([labels.get(name, -1) for name in known], dtype=float)
        calls = np.zeros(setting.shape) if self.call is None or setting.calls is None else setting.calls
        kinds, of_place = np.unique(np.column_stack([start, calls]), axis=0, return_inverse=True)
        return Tracks(kinds[:, 0].astype(int), np.ascontiguousarray(kinds[:, 1:].T), of_place.reshape(-1))

    def _flow(self, setting: Setting, tracks: Tracks) -> Flow:
        from groundswell.models.cities._regimes_loops import flow

        starts = np.append(self.initial_at.values_array, self.initial)  # label -1 is the last
        jump = 0.0 if self.call is None else self.call.jump
        return Flow(
            *flow(
                starts[tracks.label], tracks.called, jump, self.growth, self.decay, self.visibility_threshold,
                self.policing_threshold, float(setting.window.step),
            )
        )  # fmt: skip

    def _means(self, flow: Flow, tracks: Tracks, people: np.ndarray, outside: np.ndarray) -> np.ndarray:
        """(T, P)."""
        mean = self.scale * people * flow.total[:, tracks.of_place]
        return mean if self.background is None else mean + self.background.rate * outside

    def _gradient(self, flow: Flow, tracks: Tracks, in_total: np.ndarray) -> dict[str, float]:
        """Derivatives by name of what the flow depends on, from the slope (T, G) in each integral of r."""
        by_track = (flow.slopes * in_total).sum(axis=1)  # (SLOPES, G)
        growth, decay, visible, policed, _own, jump = by_track.sum(axis=1)
        found = {"growth": growth, "decay": decay, "visibility_threshold": visible, "policing_threshold": policed}
        found |= {"call.jump": jump, "initial": float(by_track[4, tracks.label == -1].sum())}
        for k, name in enumerate(self.initial_at):
            found[f"initial_at.{name}"] = float(by_track[4, tracks.label == k].sum())
        return {name: float(value) for name, value in found.items()}


class Tracks(NamedTuple):
    """G different trajectories. label (G,): which of `initial_at` each starts from, -1 for `initial`. called (T, G).

    of_place (P,): the trajectory of each place.
    """

    label: np.ndarray
    called: np.ndarray
    of_place: np.ndarray


class Flow(NamedTuple):
    """What `_regimes_loops.flow` returns; see there."""

    total: np.ndarray
    slopes: np.ndarray
    ends: np.ndarray
    gaps: np.ndarray
