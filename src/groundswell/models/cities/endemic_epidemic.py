"""Endemic-epidemic counts: events of their own accord, from the same place's past, from other places' past.

The expected count at place i and step t, given the step before, is

    mu_it = e_it nu_it + lambda_it Y_i,t-1 + phi_it sum_j w_ji Y_j,t-1

an endemic part, a part within the place and a part between places. Each of nu, lambda and phi is
log-linear: the exponential of an intercept plus coefficients times columns. Counts are Poisson or
negative binomial, with variance mu (1 + psi mu).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import lgamma
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.base import Likelihood, Model
from groundswell.models.cities.log_linear import LogLinear
from groundswell.models.cities.scattered import Overdispersion
from groundswell.models.cities.weights import FirstOrder, Weights
from groundswell.params import Effects, Prior, names, param

if TYPE_CHECKING:
    from groundswell.models.cities._endemic_epidemic_loops import Design

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
    """Expected events per event of the step before in the same place: lambda."""

    intercept: float = param(
        "log events/event", prior=Prior(-1.2, 0.5), doc="log events that follow one event in the same place"
    )


@dataclass(frozen=True)
class Between(LogLinear):
    """Expected events per weighted event of the step before elsewhere: phi, and who passes on to whom."""

    intercept: float = param(
        "log events/event", prior=Prior(-2.0, 0.5), doc="log events that follow one weighted event elsewhere"
    )
    weights: Weights = field(default_factory=FirstOrder)


@dataclass(frozen=True)
class EndemicEpidemic(Model):
    """Counts by place and step that arise endemically, within places and between places.

    `None` leaves a part out; without both epidemic parts the counts are independent. The series
    in use is "events". The first step is conditioned on: it has no density, and `simulate` draws
    it from the endemic part (or sets one event at each of Setting.active_on_day0). Weekly counts
    take a Window of step 7; "the step before" is then the week before.

    Held, Höhle, Hofmann (2005), Statistical Modelling 5; Paul and Held (2011), Statistics in
    Medicine 30; Meyer and Held (2014), Annals of Applied Statistics 8, for the power law.
    """

    title: ClassVar[str] = "endemic-epidemic counts by place: of their own accord, within and between places"
    paper: ClassVar[str] = "Held, Höhle, Hofmann 2005; Paul and Held 2011; Meyer and Held 2014"

    endemic: Endemic = field(default_factory=Endemic)
    within: Within | None = field(default_factory=Within)
    between: Between | None = None
    overdispersion: Overdispersion | None = field(default_factory=Overdispersion)

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

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """Log density of the second to last step given the first, and its gradient; exact.

        Only the counts of history["events"] are read. DataError for counts that are not whole
        numbers, for a missing covariate, and for events where every part of the mean is 0.
        Cost a call: O(P T), and O(N P) more where the weights' parameters changed since the last
        one, N the place-steps with events. The covariates, offsets and lagged sums are prepared once, here.
        """
        from groundswell.models.cities._endemic_epidemic_loops import value_and_gradient, weigh

        design = self._design(setting, _counts(setting, history))
        known = b"", (np.zeros((0, 0)), np.zeros((0, 0, 0)))

        def value(x: np.ndarray) -> tuple[float, np.ndarray]:
            # most steps of a search leave the weights alone, and weighing is the dear part
            nonlocal known
            latest, theta = known, x[design.weight_at]
            if latest[0] != theta.tobytes():
                latest = known = theta.tobytes(), weigh(theta, design)
            return value_and_gradient(x, design, *latest[1])

        return value

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) expected events given the step before; the first step has its endemic part only."""
        return sum(self.decomposition(setting, history).values(), start=np.zeros(setting.shape))

    def decomposition(self, setting: Setting, history: History) -> dict[str, np.ndarray]:
        """The mean by part: "endemic", and "within" and "between" where the model has them, (P, T) each."""
        before = np.zeros(setting.shape)
        before[:, 1:] = _counts(setting, history)[:, :-1]
        parts = {"endemic": self.endemic.rate(setting)}
        if self.within is not None:
            parts["within"] = self.within.rate(setting) * before
        if self.between is not None:
            parts["between"] = self.between.rate(setting) * (self.between.weights.matrix(setting).T @ before)
        return parts

    def dominant_eigenvalue(self, setting: Setting) -> np.ndarray:
        """(T,) growth of the epidemic part alone from one step to the next; above 1 it is explosive."""
        places, steps = setting.shape
        within = np.zeros(setting.shape) if self.within is None else self.within.rate(setting)
        between = np.zeros(setting.shape) if self.between is None else self.between.rate(setting)
        passed_on = np.zeros((places, places)) if self.between is None else self.between.weights.matrix(setting).T
        found: dict[bytes, float] = {}
        out = np.empty(steps)
        for t in range(steps):
            key = within[:, t].tobytes() + between[:, t].tobytes()
            if key not in found:
                growth = np.diag(within[:, t]) + between[:, t, None] * passed_on
                found[key] = float(np.abs(np.linalg.eigvals(growth)).max())
            out[t] = found[key]
        return out

    def remarks(self, setting: Setting, history: History | None = None) -> tuple[str, ...]:
        """What a reader of a fit must know of these parameters: explosive growth."""
        offspring = np.zeros(setting.shape) if self.within is None else self.within.rate(setting).copy()
        if self.between is not None:
            offspring += self.between.weights.matrix(setting) @ self.between.rate(setting)
        # no eigenvalue exceeds what one event brings forth in all, and this is much cheaper to know
        if offspring.max() <= 1 or (largest := float(self.dominant_eigenvalue(setting).max())) <= 1:
            return ()
        return (
            f"The dominant eigenvalue reaches {largest:.3g}: at such a step the epidemic part alone grows from one "
            "step to the next, so forecasts beyond a few steps explode.",
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
            first = self._known(setting, given)
            counts[:, :first] = given.counts("events")
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
        self._known(setting, history)
        return self._continued(setting, history.counts(series), draws=draws, rng=rng)

    def _known(self, setting: Setting, given: History) -> int:
        places, steps = setting.shape
        if len(given.places) != places or given.window.periods > steps:
            raise DataError(
                f"`given` has {len(given.places)} places and {given.window.periods} steps; the setting has {places} "
                f"and {steps}."
            )
        return given.window.periods

    def _continued(self, setting: Setting, known: np.ndarray, *, draws: int, rng: np.random.Generator) -> np.ndarray:
        """(S, P, K) steps after the (P, first) known counts."""
        places, steps = setting.shape
        first = known.shape[1]
        endemic = self.endemic.rate(setting)
        within = None if self.within is None else self.within.rate(setting)
        between = None if self.between is None else self.between.rate(setting)
        sent = None if self.between is None else self.between.weights.matrix(setting)
        out = np.full((draws, places, steps - first), np.nan)
        last = np.tile(known[:, -1] if first else np.zeros(places), (draws, 1))
        for t in range(first, steps):
            mean = np.tile(endemic[:, t], (draws, 1))
            if within is not None:
                mean += within[:, t] * last
            if between is not None and sent is not None:
                mean += between[:, t] * (last @ sent)
            alive = mean.sum(axis=1) <= MOST_EVENTS
            if not alive.any():
                break
            last = np.full_like(last, np.nan)
            last[alive] = self._draw(mean[alive], rng)
            out[:, :, t - first] = last
        return out

    def _draw(self, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        psi = 0.0 if self.overdispersion is None else self.overdispersion.psi
        return rng.poisson(rng.gamma(1 / psi, psi * mean) if psi > 0 else mean)

    def _parts(self) -> list[tuple[str, LogLinear]]:
        every = [("endemic", self.endemic), ("within", self.within), ("between", self.between)]
        return [(name, part) for name, part in every if part is not None]

    def _design(self, setting: Setting, counts: np.ndarray) -> Design:
        from groundswell.models.cities._endemic_epidemic_loops import Design

        if setting.window.periods < 2:
            raise DataError("the window has one step; the first is conditioned on, so at least two are needed.")
        at = {name: i for i, name in enumerate(names(self))}
        before, now = counts[:, :-1], counts[:, 1:]
        factors, columns = [], []
        base, weight_x, weight_at, normalised = np.zeros((1, 1)), np.zeros((0, 1, 1)), [], False
        reachable = np.zeros(now.shape, dtype=bool)
        for c, (name, part) in enumerate(self._parts()):
            factor = part.factor(setting)[:, 1:]
            if name == "within":
                factor = factor * before
            elif isinstance(part, Between):
                received = part.weights.matrix(setting).T @ before
                weight_at = [at[f"between.weights.{own}"] for own in names(part.weights)]
                if weight_at:
                    (base, weight_x), normalised = part.weights.terms(setting), part.weights.normalised
                    reachable |= (factor > 0) & (received > 0)
                else:
                    factor = factor * received
            if not (name == "between" and weight_at):
                reachable |= factor > 0
            factors.append(factor)
            columns += [
                (c, at[f"{name}.effects.{label}"], column[:, 1:])
                for label, column in zip(part.effects, part.columns(setting), strict=True)
            ]
        if (bad := (now > 0) & ~reachable).any():
            i, t = (int(index[0]) for index in np.nonzero(bad))
            raise DataError(
                f'"{setting.places.name[i]}" has {now[i, t]:g} events at step {t + 1}, where every part of the mean is '
                "0 (offset 0 and no earlier events that reach it). Give a positive offset or drop the place."
            )
        over_time = [entry for entry in columns if np.ptp(entry[2], axis=0).max() == 0]
        over_places = [e for e in columns if np.ptp(e[2], axis=1).max() == 0 and not any(e is o for o in over_time)]
        over_cells = [e for e in columns if not any(e is o for o in over_time + over_places)]
        step, sender = np.nonzero(before.T)
        return Design(
            counts=np.ascontiguousarray(now.T),
            factors=np.ascontiguousarray(np.stack([factor.T for factor in factors])),
            intercept_at=np.array([at[f"{name}.intercept"] for name, _ in self._parts()]),
            time_x=_stacked([x[0] for _, _, x in over_time], now.shape[1:]),
            time_of=_pairs(over_time),
            place_x=_stacked([x[:, 0] for _, _, x in over_places], now.shape[:1]),
            place_of=_pairs(over_places),
            cell_x=_stacked([x.T for _, _, x in over_cells], now.T.shape),
            cell_of=_pairs(over_cells),
            dispersion_at=at.get("overdispersion.psi", -1),
            exceeding=_exceeding(now),
            log_factorials=sum(lgamma(y + 1) for y in now[now > 1]),
            sender_step=step,
            sender_place=sender,
            sender_count=before.T[step, sender],
            weight_base=np.ascontiguousarray(base),
            weight_x=np.ascontiguousarray(weight_x),
            weight_at=np.array(weight_at, dtype=np.int64),
            normalised=bool(normalised),
        )


def _exceeding(counts: np.ndarray) -> np.ndarray:
    """(max y,): how many counts are above k = 0, 1, ..."""
    frequency = np.bincount(counts.astype(np.int64).ravel())
    return (counts.size - np.cumsum(frequency))[:-1].astype(float)


def _stacked(rows: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    return np.ascontiguousarray(np.stack(rows)) if rows else np.zeros((0, *shape))


def _pairs(columns: list[tuple[int, int, np.ndarray]]) -> np.ndarray:
    return np.array([(c, k) for c, k, _ in columns], dtype=np.int64).reshape(-1, 2)


def _counts(setting: Setting, history: History) -> np.ndarray:
    counts = history.counts("events")
    if counts.shape != setting.shape:
        raise DataError(f"the history has (P, T) = {counts.shape}; the setting has {setting.shape}. Cut one to fit.")
    return counts
