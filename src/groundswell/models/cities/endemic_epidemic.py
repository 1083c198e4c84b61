"""Endemic-epidemic counts: events of their own accord, from the same place's past, from other places' past.

The expected count at place i and step t, given the step before, is

    mu_it = e_it nu_it + lambda_it Y_i,t-1 + phi_it sum_j w_ji Y_j,t-1

an endemic part, a part within the place and a part between places. Each of nu, lambda and phi is
log-linear: the exponential of an intercept plus coefficients times columns. Counts are Poisson or
negative binomial, with variance mu (1 + psi mu).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.models.base import Model
from groundswell.models.cities.growth import Growth
from groundswell.models.cities.lags import Lags
from groundswell.models.cities.scattered import Overdispersion, OverdispersionByPlace, counts_of, past_of
from groundswell.models.cities.weights import FirstOrder, Weights
from groundswell.models.log_linear import LogLinear
from groundswell.models.random_effects import Correlation, EffectsDensity
from groundswell.params import Effects, Prior, param

if TYPE_CHECKING:
    from groundswell.models.cities.endemic_epidemic_density import CountDensity

MOST_EVENTS = 1e7
"""A step that expects more events than this over all places ends a simulated history as exploded."""


@dataclass(frozen=True)
class Endemic(LogLinear):
    """Events that need no earlier event: nu, per place and step."""

    intercept: float = param(
        "log events/place/step", prior=Prior(-0.7, 1.0), doc="log endemic events where every column is 0"
    )


@dataclass(frozen=True)
class Within(LogLinear):
    """Expected events per event of the steps before in the same place: lambda, and how it spreads over lags."""

    intercept: float = param(
        "log events/event", prior=Prior(-1.2, 0.5), doc="log events that follow one event in the same place"
    )
    lags: Lags | None = None


@dataclass(frozen=True)
class Between(LogLinear):
    """Expected events per weighted event of the steps before elsewhere: phi, and who passes on to whom."""

    intercept: float = param(
        "log events/event", prior=Prior(-2.0, 0.5), doc="log events that follow one weighted event elsewhere"
    )
    weights: Weights = field(default_factory=FirstOrder)
    lags: Lags | None = None


@dataclass(frozen=True)
class EndemicEpidemic(Model):
    """Counts by place and step that arise endemically, within places and between places.

    `None` leaves a part out; without both epidemic parts the counts are independent. The series
    in use is "events". The first steps, as many as there are lags, are conditioned on: they have no
    density, and `simulate` draws them with what past there is (the first from the endemic part, or one event at
    each of Setting.active_on_day0). Weekly counts take a Window of step 7; "the step before" is then the week before.

    conditioned : steps without a density, at least the longest lag, which is the default. Models whose lags
    differ are compared on the same counts only if they are given the same number.
    correlation : of the random intercepts of different parts; None for independent ones.

    Held, Höhle, Hofmann (2005), Statistical Modelling 5; Paul and Held (2011), Statistics in
    Medicine 30; Meyer and Held (2014), Annals of Applied Statistics 8, for the power law.
    """

    title: ClassVar[str] = "endemic-epidemic counts by place: of their own accord, within and between places"
    paper: ClassVar[str] = "Held, Höhle, Hofmann 2005; Paul and Held 2011; Meyer and Held 2014"

    endemic: Endemic = field(default_factory=Endemic)
    within: Within | None = field(default_factory=Within)
    between: Between | None = None
    overdispersion: Overdispersion | OverdispersionByPlace | None = field(default_factory=Overdispersion)
    correlation: Correlation | None = None
    conditioned: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.conditioned is not None and self.conditioned < self._longest_lag:
            raise UsageError(
                f"EndemicEpidemic.conditioned is {self.conditioned}; expected at least {self._longest_lag}, the "
                "longest lag: counts without a whole past have no density."
            )
        if self.correlation is not None and len(self._random()) < 2:
            raise UsageError(
                "EndemicEpidemic.correlation joins the random intercepts of at least two parts; give two of them "
                "random=RandomIntercepts(), or leave it out."
            )

    @classmethod
    def example(cls) -> tuple[EndemicEpidemic, Setting]:
        """Five unequal cities on a lopsided map, 120 weeks, all three parts and a yearly season."""
        from datetime import date

        from groundswell.data.network import Network
        from groundswell.data.places import Places
        from groundswell.data.window import Window
        from groundswell.models.cities.weights import PowerLaw

        names_ = ("Hub", "Near", "Twin", "Port", "Far")
        adjacency = np.zeros((5, 5))
        for a, b in ((0, 1), (1, 2), (0, 2), (2, 3), (3, 4)):
            adjacency[a, b] = adjacency[b, a] = 1
        places = Places(names_, np.array([900_000.0, 60_000, 45_000, 200_000, 150_000]))
        setting = Setting(places, Window(date(2015, 1, 5), 120, 7), Network(adjacency))
        model = cls(
            Endemic(1.5, Effects({"sin1": 0.4, "cos1": -0.2}), offset="population_share", period=52),
            Within(-1.0),
            Between(-1.5, weights=PowerLaw(2.0)),
            Overdispersion(0.4),
        )
        return model, setting

    def prepared(self, *settings: Setting) -> EndemicEpidemic:
        """The same model with a random intercept and an overdispersion for every place, where it has such.

        What is known of a place is kept; `fit` calls this before it starts, with all its windows.
        """
        if not self._random() and not isinstance(self.overdispersion, OverdispersionByPlace):
            return self
        places = tuple(dict.fromkeys(name for setting in settings for name in setting.places.name))
        random = {name: replace(part, random=part.random.over(places)) for name, part in self._random()}
        if self.overdispersion is not None:
            random["overdispersion"] = self.overdispersion.over(places)
        if self.correlation is not None:
            random["correlation"] = self.correlation.over([name for name, _ in self._random()])
        return replace(self, **random)

    def likelihood(self, setting: Setting, history: History) -> CountDensity:
        """Log density of the counts after the conditioned steps, with its gradient and information; exact.

        Random intercepts are taken as they stand: their own density is `effects_density`. Only the counts of
        history["events"] are read, and which are weighed. DataError for counts that are not whole numbers, for a
        missing covariate, and for events where every part of the mean is 0. Cost a call: O(P T), and O(N P) more
        where the parameters of weights or lags changed since the last one, N the place-steps with events.
        """
        from groundswell.models.cities.endemic_epidemic_density import CountDensity

        return CountDensity(self, setting, history)

    @property
    def effect_names(self) -> tuple[tuple[str, ...], ...]:
        """The random intercepts' names, a row for each part that has them, a column for each place; else empty."""
        return tuple(
            tuple(f"{name}.random.by_place.{place}" for place in part.random.by_place) for name, part in self._random()
        )

    def effects_density(self, setting: Setting) -> EffectsDensity:
        """Log density of the random intercepts given their sds and correlation, and its gradient, (all,)."""
        from groundswell.models.random_effects import effects_density

        return effects_density(self)

    def pointwise(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) log density of each count given the steps before; NaN at the conditioned steps, which are given."""
        from groundswell.models.cities.counts import log_mass

        psi = 0.0 if self.overdispersion is None else self.overdispersion.of(setting.places.name)
        terms = log_mass(counts_of(setting, history), self.intensity(setting, history), psi)
        terms[:, : self.conditioned_steps] = np.nan
        return terms

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) expected events given the steps before; the first step has its endemic part only."""
        return sum(self.decomposition(setting, history).values(), start=np.zeros(setting.shape))

    def decomposition(self, setting: Setting, history: History) -> dict[str, np.ndarray]:
        """The mean by part: "endemic", and "within" and "between" where the model has them, (P, T) each."""
        counts = counts_of(setting, history)
        parts = {"endemic": self.endemic.rate(setting)}
        if self.within is not None:
            parts["within"] = self.within.rate(setting) * _lagged(counts, self.within.lags)
        if self.between is not None:
            sent = self.between.weights.matrix(setting).T @ counts
            parts["between"] = self.between.rate(setting) * _lagged(sent, self.between.lags)
        return parts

    def dominant_eigenvalue(self, setting: Setting) -> np.ndarray:
        """(T,) growth of the epidemic part alone from one step to the next; above 1 it is explosive.

        With several lags it is that of the whole past's state (the companion matrix). Cost O(P^3) for each step
        whose rates are new.
        """
        return self._growth(setting).by_step()

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """What a reader of a fit must know of these parameters: explosive growth."""
        if (largest := self._growth(setting).largest_above(1.0)) is None:
            return ()
        return (
            f"The dominant eigenvalue reaches {largest:.3g}: at such a step the epidemic part alone grows from one "
            "step to the next, so forecasts beyond a few steps explode.",
        )

    def _growth(self, setting: Setting) -> Growth:
        none = np.zeros(setting.shape)
        own, others = (_lag_weights(part, self._longest_lag) for part in (self.within, self.between))
        return Growth(
            none if self.within is None else self.within.rate(setting),
            none if self.between is None else self.between.rate(setting),
            np.zeros((len(none), len(none))) if self.between is None else self.between.weights.matrix(setting).T,
            own,
            others,
        )

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Counts over the window, continuing from `given`, the counts of its first steps.

        Without `given` the first step has one event at each of Setting.active_on_day0, or, if that
        is empty, is drawn from the endemic part. A draw that expects more than MOST_EVENTS in a step
        is ended there: its later counts are 0 and History.exploded is set.
        """
        counts = np.zeros(setting.shape)
        first = 0
        if given is not None:
            known = past_of(setting, given)
            first = known.shape[1]
            counts[:, :first] = known
        elif setting.active_on_day0:
            first = 1
            counts[[setting.places.index(name) for name in setting.active_on_day0], 0] = 1
        drawn = self._continued(setting, counts[:, :first], draws=1, rng=rng)[0]
        counts[:, first:] = np.nan_to_num(drawn, nan=0.0)
        return History(setting.places, setting.window, {"events": counts}, exploded=bool(np.isnan(drawn).any()))

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) counts of the K steps after `history`, all draws at once; NaN from where one explodes.

        The same distribution as `simulate` with `given`, but rates and weights are computed once.
        """
        return self._continued(setting, past_of(setting, history, series), draws=draws, rng=rng)

    def _continued(self, setting: Setting, known: np.ndarray, *, draws: int, rng: np.random.Generator) -> np.ndarray:
        """(S, P, K) steps after the (P, first) known counts."""
        places, steps = setting.shape
        first, longest = known.shape[1], self._longest_lag
        endemic = self.endemic.rate(setting)
        within = None if self.within is None else self.within.rate(setting)
        between = None if self.between is None else self.between.rate(setting)
        sent = None if self.between is None else self.between.weights.matrix(setting)
        own, others = (_lag_weights(part, longest) for part in (self.within, self.between))
        psi = np.zeros(places) if self.overdispersion is None else self.overdispersion.of(setting.places.name)
        out = np.full((draws, places, steps - first), np.nan)
        past = [
            np.tile(known[:, -back] if back <= first else np.zeros(places), (draws, 1))
            for back in range(1, longest + 1)
        ]
        for t in range(first, steps):
            mean = np.tile(endemic[:, t], (draws, 1))
            if within is not None:
                mean += within[:, t] * _weighted(past, own)
            if between is not None and sent is not None:
                mean += between[:, t] * (_weighted(past, others) @ sent)
            alive = mean.sum(axis=1) <= MOST_EVENTS
            if not alive.any():
                break
            now = np.full((draws, places), np.nan)
            now[alive] = _draw(mean[alive], psi, rng)
            past = [now, *past[:-1]]
            out[:, :, t - first] = now
        return out

    def parts(self) -> list[tuple[str, LogLinear]]:
        """The parts of the mean that this model has, by name, in order."""
        every = [("endemic", self.endemic), ("within", self.within), ("between", self.between)]
        return [(name, part) for name, part in every if part is not None]

    @property
    def conditioned_steps(self) -> int:
        """How many first steps have no density."""
        return self._longest_lag if self.conditioned is None else self.conditioned

    @property
    def _longest_lag(self) -> int:
        return max((part.lags.longest for part in (self.within, self.between) if part and part.lags), default=1)

    def _random(self) -> list[tuple[str, Any]]:
        """The parts with random intercepts."""
        return [(name, part) for name, part in self.parts() if part.random is not None]


def _draw(mean: np.ndarray, psi: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts around a mean (S, P), place by place with its own psi."""
    if psi.all():
        return rng.poisson(rng.gamma(1 / psi, psi * mean))
    if psi.any():
        shape = 1 / np.where(psi > 0, psi, 1.0)
        mean = np.where(psi > 0, rng.gamma(shape, mean / shape), mean)
    return rng.poisson(mean)


def _lag_weights(part: Within | Between | None, longest: int) -> np.ndarray:
    """(longest,) weights of the steps before, zeros behind a part's last lag."""
    own = np.ones(1) if part is None or part.lags is None else part.lags.weights()
    return np.pad(own, (0, longest - len(own)))


def _lagged(series: np.ndarray, lags: Lags | None) -> np.ndarray:
    """(P, T) weighted sum of the steps before; what lies before the window counts as 0."""
    out = np.zeros_like(series)
    for back, weight in enumerate(np.ones(1) if lags is None else lags.weights(), start=1):
        out[:, back:] += weight * series[:, :-back]
    return out


def _weighted(past: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """(S, P) sum over lags; the last step as it stands where there is one lag."""
    total = weights[0] * past[0]
    for weight, then in zip(weights[1:], past[1:], strict=True):
        if weight > 0:
            total = total + weight * then
    return total
