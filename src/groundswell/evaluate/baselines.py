"""Simple forecasters that every model has to beat; each is a frozen value with the verb `paths`.

paths(setting, history, *, draws, rng, series) -> (S, P, K): joint draws of the K steps by which the
setting is longer than the history, from the history alone. A new baseline is one more class.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.evaluate.forecast import drawn, steps_ahead
from groundswell.evaluate.regression import NegativeBinomialRegression


@dataclass(frozen=True)
class Zero:
    """Nothing happens."""

    name = "zero"

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) of zeros."""
        return np.zeros((draws, len(setting.places), steps_ahead(setting, history)))


@dataclass(frozen=True)
class LastValue:
    """Each place goes on at the count of its last known step, with noise around it.

    A place whose last count is 0 is forecast to stay at 0 for certain. The negative binomial takes
    one overdispersion psi for all places from the past one-step errors, by moments:
    psi = max(0, sum((y_t - y_t-1)^2 - y_t-1) / sum(y_t-1^2)), the variance being m + psi m^2.
    Steps ahead are drawn independently.
    """

    distribution: Literal["poisson", "negative_binomial"] = "poisson"

    @property
    def name(self) -> str:
        """As tables print it."""
        return f"last value ({'Poisson' if self.distribution == 'poisson' else 'negative binomial'})"

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) draws around the last column of the series."""
        counts = history[series]
        mean = np.broadcast_to(
            np.asarray(counts[:, -1], dtype=float)[:, None], (draws, len(counts), steps_ahead(setting, history))
        )
        psi = 0.0 if self.distribution == "poisson" else _overdispersion(counts)
        if psi > 0:
            mean = mean * rng.gamma(1 / psi, psi, mean.shape)
        return rng.poisson(mean).astype(float)


@dataclass(frozen=True)
class Conflictology:
    """The recent past, resampled: every draw of a step takes a whole date of the last `days` days.

    All places of a draw come from the same date, so their joint distribution is the past's own;
    the steps of a path are drawn independently. The window ends at the origin and is cut to the
    history's beginning; with steps longer than a day it holds days // step steps, at least one.
    """

    days: int = 30

    def __post_init__(self) -> None:
        if self.days < 1:
            raise UsageError(f"Conflictology.days is {self.days}; expected 1 or more.")

    @property
    def name(self) -> str:
        """As tables print it."""
        return f"conflictology {self.days} days"

    def steps(self, history: History) -> int:
        """Steps in the window."""
        return min(history.window.periods, max(1, self.days // history.window.step))

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) whole columns of the series."""
        counts = history[series]
        known = counts.shape[1]
        picked = rng.integers(known - self.steps(history), known, (draws, steps_ahead(setting, history)))
        return counts[:, picked].transpose(1, 0, 2).astype(float)


@dataclass(frozen=True)
class Climatology:
    """The whole past at the same point of the calendar, resampled by whole dates.

    Daily steps: past dates of the target's weekday. Longer steps: past steps that begin in the
    target's month, of any year. Where the past holds no such step, any step of the past.
    """

    name = "climatology"

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) whole columns of the series."""
        counts, step = history[series], history.window.step
        starts = [history.window.start + timedelta(days=step * t) for t in range(setting.window.periods)]
        key = np.array([day.weekday() if step == 1 else day.month for day in starts])
        known = counts.shape[1]
        out = np.empty((draws, len(counts), steps_ahead(setting, history)))
        for k in range(out.shape[2]):
            alike = np.flatnonzero(key[:known] == key[known + k])
            picked = rng.choice(alike if alike.size else np.arange(known), draws)
            out[:, :, k] = counts[:, picked].T
        return out


@dataclass(frozen=True)
class PositiveMixture:
    """Conflictology in which each place also may see a positive count of any place, with probability `weight`.

    So a place whose recent past is all zeros is not certain to stay at zero. The positive count is
    drawn, for each draw, place and step by itself, from all counts above 0 of all places in
    conflictology's window, or in the whole past where the window holds none; a past without any
    stays at zero. A small weight: it is the probability that an event comes where none was expected.
    """

    days: int = 90
    weight: float = 0.02

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise UsageError(f"PositiveMixture.weight is {self.weight:g}; expected a probability, from 0 to 1.")

    @property
    def name(self) -> str:
        """As tables print it."""
        return f"conflictology {self.days} days + {100 * self.weight:g} % positives"

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K): conflictology's columns, with counts of other places here and there."""
        own = Conflictology(self.days)
        out = own.paths(setting, history, draws=draws, rng=rng, series=series)
        counts = history[series]
        recent = counts[:, -own.steps(history) :]
        positives = recent[recent > 0] if (recent > 0).any() else counts[counts > 0]
        if positives.size:
            replaced = rng.random(out.shape) < self.weight
            out[replaced] = rng.choice(positives, int(replaced.sum()))
        return out


@dataclass(frozen=True)
class Pool:
    """The equal-weight mean of several forecasters (linear pool): each gives an equal share of the draws.

    A draw is one member's path over all places and steps, so joint distributions are pooled too.
    Draws of the members alternate; where their number does not divide the draws, it is left to
    chance who gives one draw more. members : models as they stand, baselines, anything with `paths`.
    """

    name: str
    members: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise UsageError(f'the pool "{self.name}" has no members; expected one forecaster or more.')

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """(S, P, K) paths, every M-th of one member."""
        out = np.empty((draws, len(setting.places), steps_ahead(setting, history)))
        members = len(self.members)
        for first, member in enumerate(rng.permutation(members).tolist()[:draws]):
            share = len(range(first, draws, members))
            out[first::members] = drawn(self.members[member], setting, history, draws=share, rng=rng, series=series)
        return out


SINGLE = (
    Zero(),
    LastValue(),
    LastValue("negative_binomial"),
    Conflictology(14),
    Conflictology(30),
    Conflictology(90),
    PositiveMixture(90),
    Climatology(),
    NegativeBinomialRegression(),
)
POOLED = (Zero(), LastValue("negative_binomial"), PositiveMixture(90), Climatology(), NegativeBinomialRegression())
"""One of each kind, so that no kind weighs more by coming in several sizes."""

BASELINES = (*SINGLE, Pool("mean of five baselines", POOLED))


def _overdispersion(counts: np.ndarray) -> float:
    before, after = np.asarray(counts[:, :-1], dtype=float), np.asarray(counts[:, 1:], dtype=float)
    square = float((before**2).sum())
    return max(0.0, float(((after - before) ** 2 - before).sum()) / square) if square else 0.0
