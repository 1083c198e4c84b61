"""`SelfExciting` read by step: how likely counts are when times are known to the day, or the week, only.

The count of a place in a step has two sources. What arrives from outside the step, Poisson with mean

    m_ps = factor_ps (base_ps h + sum over places q and l >= 1 of  offspring_qp N_q,s-l K_l),
    K_l  = share of offspring that come l steps later, both moments being uniform in their steps of h days,

and what the arrivals set off within the step. The total of a Poisson number of clusters is generalised Poisson (Consul
and Jain 1973, Technometrics 15, 791-799),

    P(N = k) = m (m + k theta)^(k-1) exp(-m - k theta) / k!,     mean m / (1 - theta),

if clusters are Borel's; theta is set so that the mean is exact: 1 / (1 - theta) = sum over generations j of n^j P_j, n
the offspring at the own place, P_j the probability that a j-th descendant of a uniform moment is in the same step.
Two things are approximate, and cost little (docs/models/self_exciting.md has the figures): what arrives is taken as
uniform in the step, and offspring at other places within the step are counted in the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.models.cities.scattered import counts_of
from groundswell.models.delays import SumDelay
from groundswell.models.events.branching import Branching
from groundswell.models.events.excitation import cumulative, density
from groundswell.models.events.self_exciting_density import Offspring
from groundswell.models.events.surroundings import Surroundings
from groundswell.params import from_vector, names, vector

if TYPE_CHECKING:
    from groundswell.models.events.self_exciting import SelfExciting

CELLS = 64
"""Parts of a step on which the chances of later generations are integrated."""
GENERATIONS = 60
"""Of descendants within a step that are counted: what comes after them is lost where delays are far below a step and
offspring near 1 (1 % of a cluster at .93, a tenth at .963), and keeps theta below 1 where they are above."""

ROUNDING = 1e-15
"""Of the largest share of offspring by lag: what is less is lost in the sums of the others."""


class StepDensity:
    """The log density of the counts by place and step, and its gradient. O(P T (P + log T))."""

    def __init__(self, model: SelfExciting, setting: Setting, history: History) -> None:
        if model.size is not None or model.arrests is not None:
            raise UsageError(
                "SelfExciting read by step (by_step=True) has no crowd sizes and no arrests; leave size, arrests, "
                "deterrence and backlash out, or spread the events over their days with jittered(history, rng=rng)."
            )
        self._model, self._setting, self._order = model, setting, names(model)
        self._offspring, self._surroundings = Offspring(model, setting), Surroundings(model, setting, history)
        self._senders = slice(0 if self._offspring.by_place else None)  # to other places: all or none
        window = setting.window
        self.counts = counts_of(setting, history)
        earlier = np.zeros((len(setting.places), 0))
        if model.before is not None and len(model.before):
            step = np.floor(model.before.time_days / window.step).astype(int)
            earlier = np.zeros((len(setting.places), -int(step.min())))
            np.add.at(earlier, (model.before.place, step - int(step.min())), 1)
        self._all, self._first = np.hstack([earlier, self.counts]), earlier.shape[1]
        self._weighed = np.ones(setting.shape, dtype=bool) if history.weighed is None else history.weighed
        self.observations = int(self._weighed.sum())

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (K,)."""
        model, days = from_vector(self._model, x), float(self._setting.window.step)
        now = self._means(model)
        terms, in_mean, in_theta = _log_mass(self.counts, now.arriving, now.theta[:, None])
        in_mean, in_theta = in_mean * self._weighed, (in_theta * self._weighed).sum(axis=1)
        value = float(terms[self._weighed].sum())
        in_own = (in_mean * now.kept).sum(axis=1) + in_theta * now.theta_in_own
        in_across = now.moved[self._senders] @ in_mean.T
        found = self._offspring.slopes(model, self._joined(in_own, in_across))
        for name, slope in self._surroundings.base_slopes(model, in_mean * days).items():
            found[name] = found.get(name, 0.0) + slope
        sent, sent_across = now.own[:, None] * in_mean, now.across @ in_mean
        for k, name in enumerate(names(model.delay)):
            kept, moved = self._released(now.lags.slope[k], now.lags.same_slope[k])
            found[f"delay.{name}"] = float(
                (sent * kept).sum() + (sent_across * moved[self._senders]).sum() + in_theta @ now.theta_in_delay[k]
            )
        return value, np.array([found[name] for name in self._order])

    def pointwise(self) -> np.ndarray:
        """(P, T) log densities at the model's own parameters."""
        now = self._means(from_vector(self._model, vector(self._model)))
        return _log_mass(self.counts, now.arriving, now.theta[:, None])[0]

    def pit(self) -> tuple[np.ndarray, np.ndarray]:
        """P(N < n) and P(N <= n) of each count n, (P, T) each, at the model's own parameters; O(P T + events)."""
        now = self._means(from_vector(self._model, vector(self._model)))
        mean, theta = now.arriving.ravel(), np.broadcast_to(now.theta[:, None], self.counts.shape).ravel()
        count = self.counts.ravel().astype(np.int64)
        last = np.cumsum(count + 1) - 1  # of the numbers 0, 1, ..., n of every count, one after the other
        cell = np.repeat(np.arange(len(count)), count + 1)
        number = np.arange(len(cell)) - np.repeat(last - count, count + 1)
        mass = np.exp(_log_mass(number, mean[cell], theta[cell])[0])
        own, mass[last] = mass[last], 0.0
        low = np.minimum(np.add.reduceat(mass, last - count), 1.0)
        return low.reshape(self.counts.shape), np.minimum(low + own, 1.0).reshape(self.counts.shape)

    def intensity(self) -> np.ndarray:
        """(P, T) expected events given those of the steps before, at the model's own parameters."""
        now = self._means(from_vector(self._model, vector(self._model)))
        return now.arriving / (1 - now.theta[:, None])

    def branching(self, events: Events) -> Branching:
        """What each event's chance is made of, at the model's own parameters; events of a cell in the order they stand.

        Of k events of a place and step one arrived from outside the step, and each other with probability m / (m + k
        theta), as the generalised Poisson distribution has it; those that did not arrive were set off by one of the
        cell's events before them. What arrives is the background's, or of an event of an earlier step; steps so long
        ago that next to nothing still comes of them (ROUNDING) are left out. O(pairs of events that are left).
        """
        from groundswell.models.events._self_exciting_count_loops import pairs_by_step

        model = from_vector(self._model, vector(self._model))
        now, days = self._means(model), float(self._setting.window.step)
        place, step = events.place, np.minimum(events.time_days // days, self.counts.shape[1] - 1).astype(int)
        arriving = now.arriving[place, step]
        within = self.counts[place, step] * now.theta[place]
        longest = 1 + np.flatnonzero(now.lags.share > ROUNDING * now.lags.share.max()).max(initial=0)
        later, earlier, added, arrived = pairs_by_step(
            place, step, now.own, now.across, now.lags.share[:longest], now.lags.same, arriving,
            within / (arriving + within),
        )  # fmt: skip
        background = arrived * self._surroundings.base(model)[place, step] * days
        known = background + np.bincount(later, added, len(events))
        return Branching(background, np.maximum(arriving - known, 0.0), later, earlier, added)

    def _means(self, model: SelfExciting) -> _Means:
        days = float(self._setting.window.step)
        lags = lags_of(model.delay, self._all.shape[1], days)
        own, across = self._parted(self._offspring(model))
        kept, moved = self._released(lags.share, lags.same)
        arriving = self._surroundings.base(model) * days + own[:, None] * kept + across.T @ moved[self._senders]
        power = own[:, None] ** np.arange(GENERATIONS + 1)
        cluster = power @ lags.same_step
        in_own = (power[:, :-1] * np.arange(1, GENERATIONS + 1)) @ lags.same_step[1:]
        theta = 1 - 1 / cluster
        return _Means(
            arriving, own, across, theta, kept, moved, lags,
            in_own / cluster**2, (lags.same_step_slope @ power.T) / cluster**2,
        )  # fmt: skip

    def _parted(self, offspring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Offspring at the own place (P,) and elsewhere, by sender: (P, P), or (0, P) where nothing leaves a place."""
        if self._offspring.by_place:
            return offspring, np.zeros((0, len(offspring)))
        own = np.diag(offspring).copy()
        return own, offspring - np.diag(own)

    def _joined(self, own: np.ndarray, across: np.ndarray) -> np.ndarray:
        """Slopes in both as slopes in the offspring as `Offspring` gives them."""
        if self._offspring.by_place:
            return own
        across[np.diag_indices(len(own))] = own
        return across

    def _released(self, share: np.ndarray, same: float) -> tuple[np.ndarray, np.ndarray]:
        """(P, T) what earlier steps release in each, to the own place and to others."""
        from scipy.signal import fftconvolve

        periods, first = self.counts.shape[1], self._first
        kept = fftconvolve(self._all, np.concatenate([[0.0], share])[None], axes=1)[:, first : first + periods]
        before = np.pad(self._all, ((0, 0), (1, 0)))[:, first : first + periods]
        return np.maximum(kept, 0.0) if share.min(initial=0) >= 0 else kept, kept + same * before


class Lags(NamedTuple):
    """K by lag from 1 on (L,), K of the same step, P of the same step by generation from 0 on, and slopes (K, ...)."""

    share: np.ndarray
    same: float
    same_step: np.ndarray
    slope: np.ndarray
    same_slope: np.ndarray
    same_step_slope: np.ndarray


class _Means(NamedTuple):
    arriving: np.ndarray
    own: np.ndarray
    across: np.ndarray
    theta: np.ndarray
    kept: np.ndarray
    moved: np.ndarray
    lags: Lags
    theta_in_own: np.ndarray
    theta_in_delay: np.ndarray


def lags_of(delay: object, longest: int, days: float) -> Lags:
    """Shares of the offspring by steps of so many days, up to `longest` steps later."""
    lag = np.arange(1, longest + 1)
    if isinstance(delay, SumDelay):
        weight, decay, weight_slope, decay_slope = delay.exponentials(longest * days)
        gone = -np.expm1(-decay * days)
        shape = gone**2 / (decay * days) * np.exp(-decay * days * (lag[:, None] - 1))  # (L, M)
        bend = 2 * days * (1 - gone) / np.maximum(gone, 1e-300) - 1 / decay - days * (lag[:, None] - 1)
        share = shape @ weight
        slope = weight_slope @ shape.T + (decay_slope * weight) @ (shape * bend).T
    else:
        edges = np.arange(0, longest + 2) * days
        value, turned = _second_integral(delay, edges)
        share, slope = np.diff(value, 2) / days, np.diff(turned, 2, axis=1) / days
    grid = np.arange(CELLS + 1) * days / CELLS
    come, come_slope = cumulative(delay, grid)
    step, step_slope = _toeplitz(np.diff(come)), np.array([_toeplitz(np.diff(each)) for each in come_slope])
    average = np.full(CELLS + 1, 1.0 / CELLS)
    average[[0, -1]] /= 2
    reached, turned = np.ones(CELLS + 1), np.zeros((len(come_slope), CELLS + 1))
    same, same_slope = [1.0], [np.zeros(len(come_slope))]
    for _ in range(GENERATIONS):
        turned = step_slope @ reached + turned @ step.T
        reached = step @ reached
        same.append(float(average @ reached))
        same_slope.append(turned @ average)
    return Lags(share, same[1], np.array(same), slope, same_slope[1], np.array(same_slope).T)


def _toeplitz(chance: np.ndarray) -> np.ndarray:
    """(C + 1, C + 1): the integral of g(v) F(u - v) over v at the nodes u, F between nodes the mean of its ends."""
    size = len(chance)
    out = np.zeros((size + 1, size + 1))
    for i in range(1, size + 1):
        out[i, 1 : i + 1] += chance[:i][::-1] / 2
        out[i, :i] += chance[:i][::-1] / 2
    return out


def _second_integral(delay: object, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Integral of the distribution of delays from 0 to each edge, and its slopes; exact for a stepwise delay."""
    fine = np.unique(np.concatenate([edges, np.concatenate([[0.0], delay.knots])]))  # type: ignore[attr-defined]
    come, slope = cumulative(delay, fine)
    width, middle = np.diff(fine), (fine[1:] + fine[:-1]) / 2
    height, height_slope = density(delay, middle)
    area = width * come[:-1] + height * width**2 / 2
    turned = width * slope[:, :-1] + height_slope * width**2 / 2
    at = np.searchsorted(fine, edges)
    return np.concatenate([[0.0], np.cumsum(area)])[at], np.pad(np.cumsum(turned, axis=1), ((0, 0), (1, 0)))[:, at]


def _log_mass(count: np.ndarray, mean: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log P(N = k) of the generalised Poisson distribution and its slopes in mean and theta."""
    from scipy.special import gammaln

    mean = np.maximum(mean, 1e-300)
    lifted = mean + count * theta
    value = np.log(mean) + (count - 1) * np.log(lifted) - lifted - gammaln(count + 1)
    return value, 1 / mean + (count - 1) / lifted - 1, count * (count - 1) / lifted - count
