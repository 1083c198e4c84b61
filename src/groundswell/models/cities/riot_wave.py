"""A riot wave: activity that spreads among those still susceptible, within and between places, and dies down.

    lambda_k' = -decay lambda_k + sigma_k contagion Lambda_k        activity, events a day
    sigma_k'  = -sigma_k contagion Lambda_k                         what is left to become active, events a day
    Lambda_k  = sum_j W_kj lambda_j                                 what place k perceives

with sigma_k(0) in proportion to the population. One place alone is the SIR epidemic of Kermack and McKendrick.
The wave is deterministic; the counts of each step scatter around its integral over the step.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError, GroundswellWarning, ParameterError
from groundswell.models.base import Likelihood, Model
from groundswell.models.cities.counts import log_mass
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
from groundswell.models.log_linear import LogLinear
from groundswell.models.triggering import Exponential, Reach
from groundswell.params import Component, Effects, Prior, from_vector, names, param

STEP = 1 / 16
"""A Runge-Kutta step is at most this long, relative to the time in which the wave can change by the factor e."""

FINEST = 128
"""The most Runge-Kutta steps in a day."""

EARLY = 0.1
"""Less than this share used up, where the events are, counts as no depletion to be seen."""


@dataclass(frozen=True)
class Susceptible(Component):
    """sigma(0): per_100k N / 100,000 exp(sum of coefficient x column), what could become active.

    effects : coefficients keyed by column: a covariate that does not change over time, "population_share", or
    "log(NAME)" of either, as in `LogLinear`. With "log(population_share)" at -1 places count alike.
    """

    per_100k: float = param(
        "events/day/100,000 persons", low=0, prior=Prior(5.0, 1.0),
        doc="activity if all who are susceptible took part at once, where every column is 0",
    )  # fmt: skip
    effects: Effects = param(
        "log/column", prior=Prior(0.0, 0.5), default=Effects(), doc="change of log susceptibility for a unit of it"
    )

    def columns(self, setting: Setting) -> np.ndarray:
        """(K, P) one row a coefficient; DataError for a column that changes over time."""
        out = np.zeros((len(self.effects), len(setting.places)))
        for k, column in enumerate(LogLinear(0.0, self.effects).columns(setting)):
            if np.ptp(column, axis=1).any():
                raise DataError(
                    f'susceptible.effects names "{list(self.effects)[k]}", which changes over time; susceptibility is '
                    "that of the start, so give a column that is the same at every step."
                )
            out[k] = column[:, 0]
        return out

    def activity(self, setting: Setting) -> np.ndarray:
        """(P,) sigma(0), events a day."""
        logs = self.effects.values_array @ self.columns(setting)
        return self.per_100k * setting.places.population / 1e5 * np.exp(logs)


@dataclass(frozen=True)
class RiotWave(Model):
    """A deterministic wave over P places; the counts of each step are Poisson or negative binomial around it.

    The first step is given and has no density. What happened in it lights the wave at its end: lambda(0) is
    `start` times its events a day, in the places of Setting.active_on_day0, or, where none is named, in every
    place with an event. A window should begin on the day that set the wave off.
    reach : W_kj = f(distance), 1 within a place and not normalised, so that a place among many others
    perceives more; None leaves the places to themselves. background : events outside the wave, which
    light nothing. `overdispersion` : None for Poisson counts.

    What earlier counts say enters through the parameters alone: once lit, the wave does not look at them.
    """

    title: ClassVar[str] = "riot wave: contagion among those still susceptible, within and between places"
    paper: ClassVar[str] = (
        "Bonnasse-Gahot et al. (2018), Epidemiological modelling of the 2005 French riots: a spreading wave and the "
        "role of contagion, Scientific Reports 8:107; after Burbeck, Raine, Stark (1978), The dynamics of riot growth: "
        "an epidemiological approach, Journal of Mathematical Sociology 6, 1-22"
    )
    conditioned_steps: ClassVar[int] = 1
    """The first step is given: it lights the wave."""

    susceptible: Susceptible = field(default_factory=Susceptible)
    contagion: float = param(
        "1/event", low=0, prior=Prior(0.003, 1.0), doc="beta: pull of one perceived event on a susceptible one"
    )
    decay: float = param("1/day", low=0, prior=Prior(0.3, 0.4), doc="omega: how fast activity dies down by itself")
    start: float = param("1", low=0, prior=Prior(1.0, 0.5), doc="activity at the start, over that of the first step")
    reach: Reach | None = field(default_factory=lambda: Exponential(60.0))
    background: Background | None = field(default_factory=Background)
    overdispersion: Overdispersion | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reach is not None and self.reach.own_exponent is not None:
            raise ParameterError(
                f"RiotWave.reach is {type(self.reach).__name__}, which weighs receivers by their population; here that "
                "is the part of `susceptible`. Use PowerLaw, Exponential, NearAndEverywhere or NeighbourhoodOrder."
            )

    @classmethod
    def example(cls) -> tuple[RiotWave, Setting]:
        """Five lopsided places over 40 days; the wave is lit beside the hub and reaches the port late."""
        from datetime import date

        from groundswell.data.places import Places
        from groundswell.data.window import Window

        places = Places(
            ("Hub", "Near", "Twin", "Port", "Far"),
            np.array([900_000.0, 160_000.0, 145_000.0, 400_000.0, 350_000.0]),
            np.array([35.0, 35.4, 35.45, 33.6, 31.0]),
            np.array([51.0, 51.6, 51.65, 52.5, 58.0]),
        )
        setting = Setting(places, Window(date(2005, 10, 27), 40), active_on_day0=("Near",))
        return cls(Susceptible(6.0), contagion=0.015, start=2.0, background=Background(0.02)), setting

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """Log density of the second to last step given the first, and its gradient in every parameter.

        history["events"] is read: whole numbers. The value is exact but for the Runge-Kutta steps (1e-8 of
        a mean, typically); the gradient is that of these very steps, by their adjoint. Cost: some 64 (P^2 + 20 P)
        operations for each time in which the wave may change by the factor e, and at most three times that
        with the gradient.
        DataError for events that the model cannot bring about at any parameters, for a window of one step, and for
        places without positions where `reach` needs them.
        """
        counts = counts_of(setting, history)
        if setting.window.periods < 2:
            raise DataError("RiotWave takes the first step as given; its density needs a window of at least two steps.")
        lit = self._lit(setting, counts[:, 0])
        kept = weighed_in(history, 1)
        self._reachable(setting, counts[:, 1:] * kept.T, lit)
        observed = Counted.of(counts[:, 1:].T * kept)
        columns, order = self.susceptible.columns(setting), names(self)
        outside = setting.places.population / 1e5 * setting.window.step

        def value_and_gradient(values: np.ndarray) -> tuple[float, np.ndarray]:
            model = from_vector(self, values)
            wave = model._wave(setting, lit)
            mean = wave.means
            if model.background is not None:
                mean = mean + model.background.rate * outside
            value, slope, psi_slope = observed.weigh(mean * kept, psi_of(model.overdispersion))
            if not math.isfinite(value):
                return -math.inf, np.zeros(len(order))
            slope *= kept
            found = model._gradient(setting, wave, lit, columns, slope)
            found["background.rate"] = float((slope @ outside).sum())
            found["overdispersion.psi"] = psi_slope
            return value, np.array([found[name] for name in order])

        return value_and_gradient

    def pointwise(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) log density of each count; NaN at the first step, which is given."""
        return log_mass(counts_of(setting, history), self.intensity(setting, history), psi_of(self.overdispersion))

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) expected events by step; NaN at the first, which is given and alone is read."""
        return self._expected(setting, counts_of(setting, history)[:, 0])

    def remaining(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) share of the susceptible that is left at each step's end: sigma / sigma(0)."""
        wave = self._wave(setting, self._lit(setting, counts_of(setting, history)[:, 0]))
        pulled = wave.total if len(wave.weights) == 0 else wave.total @ wave.weights
        return np.exp(-self.contagion * pulled).T

    def reproduction_number(self, setting: Setting) -> float:
        """R0: by what factor activity grows from one generation to the next while nothing is used up.

        The largest eigenvalue of contagion sigma_k(0) W_kj / decay; the wave takes off above 1. Infinite without decay.
        """
        root = np.sqrt(self.susceptible.activity(setting))
        weights = self._weights(setting)
        growth = root.max() ** 2 if len(weights) == 0 else np.linalg.eigvalsh(root[:, None] * weights * root)[-1]
        return self.contagion * float(growth) / self.decay if self.decay > 0 else math.inf

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """That depletion is not to be seen in this history yet, so that contagion and susceptibility are one number."""
        if history is None or self.contagion == 0:
            return ()
        events, left = counts_of(setting, history)[:, 1:], self.remaining(setting, history)[:, -1]
        if not events.any():
            return ()
        used = float(events.sum(axis=1) @ (1 - left) / events.sum())
        if used >= EARLY:
            return ()
        return (
            f"At these parameters only {100 * used:.2g} % of the susceptible is used up by the end, where the events "
            "are. A wave that meets no limit tells the product of contagion and susceptible.per_100k, not either "
            "alone, and nothing of how large it will become. Hold one with `fixed`, or wait for its decline.",
        )

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Counts over the window, continuing from `given`, the counts of its first steps.

        Without `given` the first step has one event at each of Setting.active_on_day0, or, if none is named, is
        drawn from the background; DataError if there is none of that either.
        """
        first = self._first(setting, rng) if given is None else past_of(setting, given)
        known = first.shape[1]
        counts = np.concatenate([first, np.zeros((len(first), setting.window.periods - known))], axis=1)
        counts[:, known:] = drawn(self._expected(setting, first[:, 0])[:, known:], psi_of(self.overdispersion), rng)
        return History(setting.places, setting.window, {"events": counts})

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) counts of the K steps after `history`; the law of `simulate` with `given`, the wave run once."""
        past = past_of(setting, history)
        mean = self._expected(setting, past[:, 0])[:, past.shape[1] :]
        return drawn(np.broadcast_to(mean, (draws, *mean.shape)), psi_of(self.overdispersion), rng)

    def _first(self, setting: Setting, rng: np.random.Generator) -> np.ndarray:
        first = np.zeros((len(setting.places), 1))
        if setting.active_on_day0:
            first[[setting.places.index(name) for name in setting.active_on_day0], 0] = 1
        elif self.background is not None:
            rate = self.background.rate * setting.places.population / 1e5 * setting.window.step
            first[:, 0] = drawn(rate, psi_of(self.overdispersion), rng)
        else:
            raise DataError(
                "nothing lights this wave: no place is named in Setting.active_on_day0, there is no background and no "
                "past. Name the places with an event on the first day, or give one of the others."
            )
        return first

    def _lit(self, setting: Setting, first: np.ndarray) -> np.ndarray:
        """(P,) events a day of the first step, where the wave starts."""
        lit = np.array(first, dtype=float) / setting.window.step
        if setting.active_on_day0:
            named = [setting.places.index(name) for name in setting.active_on_day0]
            if (lit[named] == 0).any():
                quiet = next(name for name in setting.active_on_day0 if lit[setting.places.index(name)] == 0)
                raise DataError(
                    f'Setting.active_on_day0 names "{quiet}", which has no event in the first step of the history, '
                    f"from {setting.window.start}. Begin the window when the wave began, or leave the place out."
                )
            lit[np.setdiff1d(np.arange(len(lit)), named)] = 0.0
        return lit

    def _reachable(self, setting: Setting, counts: np.ndarray, lit: np.ndarray) -> None:
        if self.background is not None:
            return
        if self.reach is None or len(lit) == 1:
            reached, advice = lit > 0, "Give a reach between places"
        elif not lit.any():
            reached, advice = lit > 0, "Begin the window with the first events"
        else:
            # infinitely far at any parameters: no path leads there
            reached = np.isfinite(self.reach.apart(setting)[:, lit > 0]).any(axis=1)
            advice = "Join the place in Setting.network to one where the wave is lit, use a reach by distance"
        cold = (counts.sum(axis=1) > 0) & ~reached
        if cold.any():
            name = setting.places.name[int(np.argmax(cold))]
            raise DataError(
                f'"{name}" has events after the first step that this model cannot bring about: nothing lights the wave '
                f"there, and there is no background. {advice}, or add background=Background()."
            )

    def _weights(self, setting: Setting) -> np.ndarray:
        """(P, P) W, or (0, 0) where every place is on its own."""
        if self.reach is None or len(setting.places) == 1:
            return np.zeros((0, 0))
        return self.reach.value(self.reach.apart(setting))

    def _wave(self, setting: Setting, lit: np.ndarray, finer: int = 1) -> Wave:
        """The wave after the first step; `finer` times as many Runge-Kutta steps as are needed."""
        from groundswell.models.cities._riot_wave_loops import forwards

        window = setting.window
        active, susceptible, weights = self.start * lit, self.susceptible.activity(setting), self._weights(setting)
        pulled = 2 * susceptible + active
        fastest = self.decay + self.contagion * float((weights @ pulled if len(weights) else pulled).max())
        # a power of 2, so that a search hardly ever sees the number change
        wanted = min(fastest * window.step / STEP, FINEST * window.step)
        parts = finer * 2 ** max(math.ceil(math.log2(wanted)) if wanted > 0 else 0, 0)
        total, pull, gone = forwards(
            active, susceptible, self.contagion, self.decay, weights, float(window.step), window.periods - 1, parts
        )
        return Wave(active, susceptible, weights, total, pull, gone, parts, fastest)

    def _expected(self, setting: Setting, first: np.ndarray) -> np.ndarray:
        """(P, T) mean counts; NaN at the first step. Warns where the wave is too fast for its steps."""
        lit = self._lit(setting, first)
        wave = self._wave(setting, lit)
        out = np.full(setting.shape, np.nan)
        out[:, 1:] = wave.means.T
        if wave.fastest > STEP * FINEST:
            off = np.abs(self._wave(setting, lit, finer=2).means - wave.means).max() / max(wave.means.max(), 1e-300)
            if off > 1e-3:
                warnings.warn(
                    f"this wave can change by the factor e within {24 / wave.fastest:.2g} hours, faster than it is "
                    f"followed: expected events are off by up to {100 * off:.2g} % of the largest. Such rates mean "
                    "little in counts by day; lower susceptible.per_100k or contagion.",
                    GroundswellWarning,
                    stacklevel=3,
                )
        if self.background is not None:
            out += self.background.rate * (setting.places.population / 1e5 * setting.window.step)[:, None]
        return out

    def _gradient(
        self, setting: Setting, wave: Wave, lit: np.ndarray, columns: np.ndarray, slope: np.ndarray
    ) -> dict[str, float]:
        """Derivatives by name of what makes the wave, from the slope (T - 1, P) in each mean."""
        from groundswell.models.cities._riot_wave_loops import backwards

        own = names(self.reach) if self.reach is not None and len(wave.weights) else ()
        in_active, in_susceptible, in_contagion, in_decay, in_weights = backwards(
            slope, wave.total, wave.pull, wave.gone, wave.active, wave.susceptible, self.contagion, self.decay,
            wave.weights, float(setting.window.step), wave.parts, bool(own),
        )  # fmt: skip
        in_log = in_susceptible * wave.susceptible
        people = setting.places.population / 1e5 * np.exp(self.susceptible.effects.values_array @ columns)
        found = {
            "susceptible.per_100k": float(in_susceptible @ people),
            "contagion": in_contagion,
            "decay": in_decay,
            "start": float(in_active @ lit),
        }
        for label, column in zip(self.susceptible.effects, columns, strict=True):
            found[f"susceptible.effects.{label}"] = float(in_log @ column)
        if self.reach is not None:
            found |= {f"reach.{name}": 0.0 for name in names(self.reach)}  # one place: nothing to reach
        if own and self.reach is not None:
            moved = self.reach.gradient(self.reach.apart(setting))
            found |= {f"reach.{name}": float((in_weights * one).sum()) for name, one in zip(own, moved, strict=True)}
        return found


class Wave(NamedTuple):
    """A wave that was run, with what its adjoint needs.

    active, susceptible : (P,) lambda(0), sigma(0). total (T, P): I, the activity so far, at the steps' edges.
    pull, gone : W I and the share used up, at every stage. parts : Runge-Kutta steps in a step of the window.
    fastest : no rate is above this, 1/day.
    """

    active: np.ndarray
    susceptible: np.ndarray
    weights: np.ndarray
    total: np.ndarray
    pull: np.ndarray
    gone: np.ndarray
    parts: int
    fastest: float

    @property
    def means(self) -> np.ndarray:
        """(T - 1, P) integral of lambda over each step after the first."""
        return np.diff(self.total, axis=0)
