"""Six explanations of protest on the same days in many places, each with a density and a way to draw from it.

Expected events of place p on day t, given the days before:

    mu_pt = w_t e^{z_t} [ bar (level + size K_t) s_p
                          + (1 - keep) (within M_p + between sum_q w_qp M_q + media s_p sum_q M_q) ]

w_t is the weekday's factor, M the fading memory of events (share `keep` left a day after), s_p the place's share of
N^scale, w_qp its share of N_p^scale exp(-d_qp / reach), bar the record's mean daily events. Counts are negative
binomial.

    separate   no more than that: every place for itself, with its own momentum; between, media, size and z are 0
    weekday    w varies as much as a week can (days of rest, of prayer, of the market); in the others it varies a little
    called     on some days, hidden or given, all places rise at once by their share: K_t = call_t + memory K_{t-1}
    shock      the level of all places moves by itself: z is a stationary Gaussian walk (AR 1) by day
    spread     between: events raise later events in other places, near ones most
    media      media: events raise later events everywhere, near or far

The mean is that of `models.cities.mobilisation` with the other mechanisms left out. Hidden calls and the hidden walk
are integrated out day by day: over the calls of the last days, and over a grid (a forward recursion, exact but for the
grid). A one-day outside event that sets off all places at once is a call in all but name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.params import Component, Effects, Prior, param

REMEMBERED = 3
"""Days of calls that the density of hidden calls keeps in mind: today and the two before."""

NODES = 31
"""Of the grid for the walk, over 4 sd each way."""

FEWEST_WEEKS = 3
"""A shorter record says nothing of weekdays."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, eq=False)
class Cells:
    """What all explanations share: counts (T, P), places, days.

    km : (P, P) between places, None without positions. once : only the first day of a place counts; afterwards it is
    out of the game, as in a list of first dates. given : (T,) 1 on the days of known calls, None if calls are hidden.
    """

    events: np.ndarray
    log_population: np.ndarray
    km: np.ndarray | None
    weekday: np.ndarray
    once: bool = False
    given: np.ndarray | None = None

    @classmethod
    def of(cls, setting: Setting, history: History, *, once: bool = False, given: np.ndarray | None = None) -> Cells:
        """From daily counts; DataError for other steps. `once` keeps the events of each place's first day."""
        if setting.window.step != 1:
            raise DataError(
                f"steps of {setting.window.step} days hide who was first; coordination and contagion are told apart "
                "by days. Count by day."
            )
        counts = history.counts("events").T
        if once:
            before = np.cumsum(counts, axis=0) - counts
            counts = np.where(before > 0, 0.0, counts)
        places = setting.places
        weekday = (setting.window.start.weekday() + np.arange(setting.window.periods)) % 7
        km = None if places.latitude is None else places.distance_km
        return cls(np.ascontiguousarray(counts), np.log(places.population / places.population.mean()), km, weekday,
                   once, given)  # fmt: skip

    @cached_property
    def bar(self) -> float:
        """Mean daily events of the record."""
        return float(self.events[1:].sum() / max(len(self.events) - 1, 1))

    @cached_property
    def weekdays(self) -> Effects:
        """A coefficient for each weekday, where the record has some weeks.

        For all seven, so that no weekday is another's measure: their common level is the prior's, and changes nothing.
        """
        return Effects(dict.fromkeys(WEEKDAYS if len(self.events) >= 7 * FEWEST_WEEKS else (), 0.0))


@dataclass(frozen=True)
class Week(Component):
    """Places rise on the same days because of the weekday."""

    effects: Effects = param("1", default=Effects(), prior=Prior(0.0, 0.8), doc="log effect against the week's mean")


@dataclass(frozen=True)
class Calls(Component):
    """Days on which all places rise at once."""

    probability: float = param("1/day", low=0, high=1, prior=Prior(0.1, 0.7), doc="that a day is one, where hidden")
    size: float = param("1", low=0, prior=Prior(3.0, 0.7), doc="events on such a day, in mean days of the record")
    memory: float = param("1/day", low=0, high=1, prior=Prior(0.3, 0.7), doc="share of its effect left the day after")


@dataclass(frozen=True)
class Shock(Component):
    """The level of all places moves."""

    sd: float = param("1", low=0, prior=Prior(0.7, 0.5), doc="typical departure of the log level")
    memory: float = param("1/day", low=0, high=0.97, prior=Prior(0.7, 0.7), doc="correlation from a day to the next")


@dataclass(frozen=True)
class Spread(Component):
    """Events raise later events in other places, near ones most."""

    offspring: float = param("1", low=0, prior=Prior(0.4, 0.5), doc="expected later events per event, other places")
    reach_km: float = param("km", low=0, prior=Prior(60.0, 0.8), doc="distance over which the share falls by e")


@dataclass(frozen=True)
class Media(Component):
    """Events raise later events everywhere."""

    offspring: float = param("1", low=0, prior=Prior(0.4, 0.5), doc="expected later events per event, all places")


@dataclass(frozen=True)
class Explanation(Component):
    """One of the six, or a mixture of them: parts that are None are left out."""

    level: float = param("1", low=0, prior=Prior(0.5, 1.0), doc="events of their own accord, in the record's mean")
    within: float = param("1", low=0, prior=Prior(0.2, 0.6), doc="expected later events per event, same place")
    keep: float = param("1/day", low=0, high=1, prior=Prior(0.5, 0.8), doc="share of the memory left the day after")
    scale: float = param("1", prior=Prior(0.7, 0.4), doc="exponent of population in every share")
    overdispersion: float = param("1", low=0, prior=Prior(0.5, 0.7), doc="psi: variance mu + psi mu^2")
    weekday: Effects = param("1", default=Effects(), prior=Prior(0.0, 0.3), doc="log effect against the week's mean")
    week: Week | None = None
    calls: Calls | None = None
    shock: Shock | None = None
    spread: Spread | None = None
    media: Media | None = None

    def factor(self, cells: Cells) -> np.ndarray:
        """(T,) of the weekday; its log is 0 over a whole week."""
        log = np.zeros(7)
        for effects in (self.weekday, *(() if self.week is None else (self.week.effects,))):
            for name, value in effects.items():
                log[WEEKDAYS.index(name)] += value
        return np.exp(log - log.mean())[cells.weekday]

    def shares(self, cells: Cells) -> np.ndarray:
        """(P,) s_p."""
        raised = np.exp(self.scale * cells.log_population)
        return raised / raised.sum()

    def weights(self, cells: Cells) -> np.ndarray | None:
        """(P, P) w_qp with sender q in rows, rows summing to 1; None without spread."""
        return None if self.spread is None else _weights(cells, self.scale, self.spread.reach_km)

    def pushed(self, memory: np.ndarray, around: np.ndarray | float, shares: np.ndarray) -> np.ndarray:
        """(..., P) what the memory of events (..., P) adds to the means; around : that memory in the places near."""
        out = self.within * memory
        if self.spread is not None:
            out = out + self.spread.offspring * around
        if self.media is not None:
            out = out + self.media.offspring * shares * memory.sum(axis=-1, keepdims=True)
        return (1 - self.keep) * out

    def mean(self, cells: Cells, events: np.ndarray | None = None) -> np.ndarray:
        """(T - 1, P) expected events from the second day on, given the days before; without calls and walk."""
        y = cells.events if events is None else events
        shares, weights = self.shares(cells), self.weights(cells)
        around = 0.0 if weights is None else faded(scattered(y, weights), self.keep)[:-1]
        means = self.level * cells.bar * shares + self.pushed(faded(y, self.keep)[:-1], around, shares)
        means *= self.factor(cells)[1:, None]
        if cells.once:
            means[np.cumsum(y, axis=0)[:-1] > 0] = 0.0
        return means

    def log_density(self, cells: Cells, events: np.ndarray | None = None) -> float:
        """Log density of the counts given the first day's, hidden calls and walk integrated out."""
        y = cells.events if events is None else events
        mean = self.mean(cells, y)
        weigh = Weigher(y[1:], self.overdispersion)
        if self.shock is not None:
            return _walk(self.shock, lambda z: weigh(mean * math.exp(z)))
        if self.calls is not None:
            added = self.calls.size * cells.bar * self.shares(cells) * self.factor(cells)[1:, None]
            added = np.where(mean > 0, added, 0.0)
            if cells.given is not None:
                return float(weigh(mean + added * self.called(cells.given)[1:, None]).sum())
            return _hidden_calls(self.calls, lambda k: weigh(mean + k * added))
        return float(weigh(mean).sum())

    def called(self, days: np.ndarray) -> np.ndarray:
        """(T,) K: today's call plus what is left of earlier ones, as long as they are kept in mind."""
        assert self.calls is not None
        kernel = self.calls.memory ** np.arange(REMEMBERED)
        return np.convolve(days, kernel)[: len(days)]

    def simulate(self, cells: Cells, *, rng: np.random.Generator, most: float = math.inf) -> np.ndarray | None:
        """(T, P) counts that go on from the record's first day; None where a total beyond `most` is reached."""
        days, count = cells.events.shape
        shares, weights, factor = self.shares(cells), self.weights(cells), self.factor(cells)
        if self.shock is not None:
            factor = factor * np.exp(_walked(self.shock, days, rng))
        base = np.full(days, self.level)
        if self.calls is not None:
            given = cells.given
            called = (rng.random(days) < self.calls.probability).astype(float) if given is None else given
            base = base + self.calls.size * self.called(called)
        out = np.zeros((days, count))
        out[0] = cells.events[0]
        memory, total = out[0].copy(), out[0].sum()
        around = np.zeros(count) if weights is None else scattered(out[:1], weights)[0]
        for day in range(1, days):
            mean = factor[day] * (base[day] * cells.bar * shares + self.pushed(memory, around, shares))
            if cells.once:
                mean[out[:day].any(axis=0)] = 0.0
            if not mean.sum() < most:
                return None
            out[day] = rng.poisson(mean * _gamma(self.overdispersion, count, rng))
            memory = self.keep * memory + out[day]
            if weights is not None:
                around = self.keep * around + scattered(out[day : day + 1], weights)[0]
            total += out[day].sum()
            if total > most:
                return None
        return out


@lru_cache(maxsize=4)
def _weights(cells: Cells, scale: float, reach_km: float) -> np.ndarray:
    """Kept for the last few values: a search changes one parameter at a time, and mostly another."""
    if cells.km is None:
        raise DataError("places without positions cannot tell near from far; give latitude and longitude.")
    apart = cells.km / reach_km + np.diag(np.full(len(cells.km), np.inf))
    # from the nearest on, so that a sender far from all has receivers still
    raised = np.exp(scale * cells.log_population - (apart - apart.min(axis=1, keepdims=True)))
    return raised / raised.sum(axis=1, keepdims=True)


def faded(values: np.ndarray, keep: float) -> np.ndarray:
    """(T, P) memory of what came by day: each day's, and of the day before what is kept."""
    out = np.empty_like(values)
    out[0] = values[0]
    for day in range(1, len(values)):
        out[day] = keep * out[day - 1] + values[day]
    return out


def scattered(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(T, P) counts @ weights, by the few counts that are not 0: most places are quiet on most days."""
    out = np.zeros_like(counts)
    for day, row in enumerate(counts):
        active = np.flatnonzero(row)
        out[day] = (row[active, None] * weights[active]).sum(axis=0)
    return out


class Weigher:
    """(T,) log probability of each day's counts, given means; what does not depend on the means is done once."""

    def __init__(self, counts: np.ndarray, psi: float) -> None:
        from scipy.special import gammaln

        self.psi = max(psi, 1e-9)
        self.weight = counts + 1 / self.psi
        self.day, self.place = np.nonzero(counts)
        self.seen = counts[self.day, self.place]
        once = gammaln(self.seen + 1 / self.psi) - gammaln(1 / self.psi) - gammaln(self.seen + 1)
        self.days = len(counts)
        self.constant = np.bincount(self.day, once + self.seen * math.log(self.psi), minlength=self.days)

    def __call__(self, mean: np.ndarray) -> np.ndarray:
        """Minus infinity on a day with an event where none was expected."""
        with np.errstate(divide="ignore"):
            logs = self.seen * np.log(mean[self.day, self.place])
        met = np.bincount(self.day, logs, minlength=self.days)
        return self.constant + met - (self.weight * np.log1p(self.psi * mean)).sum(axis=1)


def _walk(shock: Shock, weigh: Callable[[float], np.ndarray]) -> float:
    """Log density over an AR(1) walk of the log level, stationary, summed over a grid."""
    z = np.linspace(-4, 4, NODES)
    logs = np.stack([weigh(shock.sd * one) for one in z], axis=1)
    inner = math.sqrt(1 - shock.memory**2)
    step = np.exp(-0.5 * ((z[None, :] - shock.memory * z[:, None]) / inner) ** 2)
    first = np.exp(-0.5 * z**2)
    return _forward(first / first.sum(), step / step.sum(axis=1, keepdims=True), logs)


def _hidden_calls(calls: Calls, weigh: Callable[[float], np.ndarray]) -> float:
    """Log density over days that may each be called: the states are the calls of the days kept in mind."""
    states = np.arange(2**REMEMBERED)
    bits = (states[:, None] >> np.arange(REMEMBERED)) & 1  # the first bit is today's
    logs = np.stack([weigh(float(row @ calls.memory ** np.arange(REMEMBERED))) for row in bits], axis=1)
    today = np.where(bits[:, 0] == 1, calls.probability, 1 - calls.probability)
    follows = (states[None, :] >> 1) == (states[:, None] & (2 ** (REMEMBERED - 1) - 1))
    step = np.where(follows, today[None, :], 0.0)
    first = np.prod(np.where(bits == 1, calls.probability, 1 - calls.probability), axis=1)
    return _forward(first, step, logs)


def _forward(first: np.ndarray, step: np.ndarray, logs: np.ndarray) -> float:
    """Log of the sum over hidden paths; first (K,) and step (K, K) are probabilities, logs (T, K)."""
    total, state = 0.0, first
    for row in logs:
        top = row.max()
        if not math.isfinite(top):
            return -math.inf
        state = state * np.exp(row - top)
        whole = state.sum()
        total += float(top + math.log(whole)) if whole > 0 else -math.inf
        state = (state / whole) @ step if whole > 0 else first
    return total


def _walked(shock: Shock, days: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(days)
    walk = np.empty(days)
    walk[0] = noise[0]
    for day in range(1, days):
        walk[day] = shock.memory * walk[day - 1] + math.sqrt(1 - shock.memory**2) * noise[day]
    return shock.sd * walk


def _gamma(psi: float, count: int, rng: np.random.Generator) -> np.ndarray | float:
    return rng.gamma(1 / psi, psi, count) if psi > 1e-9 else 1.0


PARTS: dict[str, dict[str, Component]] = {
    "separate": {}, "weekday": {"week": Week()}, "called": {"calls": Calls()}, "shock": {"shock": Shock()},
    "spread": {"spread": Spread()}, "media": {"media": Media()},
}  # fmt: skip
"""The explanations by name, each with the part that makes it."""


def explanation(name: str, cells: Cells) -> Explanation:
    """The explanation of this name, at its priors' medians, with the weekdays that the record can speak of."""
    if name == "weekday":
        return Explanation(week=Week(cells.weekdays))
    return Explanation(weekday=cells.weekdays, **PARTS[name])  # type: ignore[arg-type]


def possible(cells: Cells) -> tuple[str, ...]:
    """Names of the explanations that a record can speak of: no spread without positions, no week without weeks."""
    cannot = ([] if len(cells.weekdays) else ["weekday"]) + (["spread"] if cells.km is None else [])
    return tuple(name for name in PARTS if name not in cannot)
