"""How likely events in the plane are under `SpaceTime`, with the gradient in every parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events
from groundswell.data.setting import Setting
from groundswell.models.delays import Delay
from groundswell.models.events.space_time_endemic import EndemicPart
from groundswell.models.events.space_time_pairs import Raised
from groundswell.models.events.space_time_routes import Sums
from groundswell.models.triggering import Reach
from groundswell.params import from_vector, leaves

if TYPE_CHECKING:
    from groundswell.models.events.space_time import Offspring, SpaceTime

STEP = 1e-4
"""By which a kernel's parameter is moved, relative to it, for the second derivatives."""


class SpaceTimeDensity:
    """The log density as a function of the parameter vector; what the data fix is computed once.

    Parameters: the endemic part's, then the offspring's.
    """

    def __init__(self, model: SpaceTime, setting: Setting, events: Events) -> None:
        self._kinds, self._count = model.kinds, len(events)
        self.endemic = None if model.endemic is None else EndemicPart(model.endemic, setting, events)
        self.triggering = None if model.offspring is None else Triggering(model, model.offspring, setting, events)
        self.split = 0 if model.endemic is None else 1 + len(model.endemic.effects)
        self.observations = len(events) or None  # of none there is no BIC
        if self.triggering is None or self.triggering.sums.exact:
            self.information = self._information  # a search asks for it where it is there

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (all,)."""
        rest, cells = self.rest(x)
        expected, slopes = self._kinds * float(cells.sum()), []
        rate, share = rest, 1 / np.maximum(rest, 1e-300)
        if self.triggering is not None:
            rate, share, offspring, slope = self.triggering(x[self.split :], rest)
            expected += float(offspring.sum())
            slopes.append(slope)
        if self.endemic is not None:
            slopes.insert(0, (share * rest) @ self.endemic.at - self._kinds * cells @ self.endemic.cells)
        with np.errstate(divide="ignore"):
            value = float(np.log(rate).sum()) - expected
        return value, np.concatenate(slopes)

    def bound(self, x: np.ndarray) -> float:
        """At most so much is the value at x off by the road of `space_time_routes` that was taken.

        Slopes in the logarithms of parameters are off by at most 2 log(1 / error) times that, some 50 times.
        """
        if self.triggering is None:
            return 0.0
        spread, rest = self.triggering.spread(x[self.split :]), self.rest(x)[0]
        rate = self.triggering.sums(spread.reach, spread.delay, spread.source, rest).rate
        return self.triggering.sums.bound(spread.reach, spread.delay, spread.source, rate)

    def _information(self, x: np.ndarray) -> np.ndarray:
        """Minus the second derivatives (all, all): exact where the rate is log-linear, differences for the kernels."""
        rest, cells = self.rest(x)
        share, columns, curved = 1 / np.maximum(rest, 1e-300), [], []
        if self.triggering is not None:
            raised, by_mark, curved_there = self.triggering.log_linear(x[self.split :], rest)
            share, columns, curved = raised.share, [by_mark], [curved_there]
        if self.endemic is not None:
            at, its = self.endemic.at, self.endemic.cells
            columns.insert(0, at * rest[:, None])
            curved.insert(0, at.T @ (at * (share * rest)[:, None]) - self._kinds * its.T @ (its * cells[:, None]))
        shared = np.hstack(columns) * share[:, None]
        size = shared.shape[1]
        out = np.zeros((len(x), len(x)))
        out[:size, :size] = shared.T @ shared
        first = 0
        for block in curved:
            rows = slice(first, first + len(block))
            out[rows, rows] -= block
            first += len(block)
        for k in range(size, len(x)):
            step = np.zeros(len(x))
            step[k] = STEP * (x[k] if self.triggering is not None and self.triggering.above_0[k - len(x)] else 1.0)
            out[k] = (self(x - step)[1] - self(x + step)[1]) / (2 * step[k])
        out[:size, size:] = out[size:, :size].T
        return (out + out.T) / 2

    def rest(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rate at the events without what is triggered (E,); expected events of a kind by cell (C,)."""
        if self.endemic is None:
            return np.zeros(self._count), np.zeros(0)
        return self.endemic.rates(x[: self.split])


class Spread(NamedTuple):
    """The offspring's parts at a parameter value: eta (E,), kernels, and their integrals as far as they reach."""

    eta: np.ndarray
    reach: Reach
    delay: Delay
    disc_all: float
    late_all: float

    @classmethod
    def of(cls, part: Offspring, eta: np.ndarray, reach: Reach, delay: Delay) -> Spread:
        """As far as the part's offspring go."""
        furthest, longest = np.array([part.furthest_km]), np.array([part.longest_days])
        return cls(eta, reach, delay, float(reach.disc(furthest)[0]), float(delay.integral(longest)[0]))

    @property
    def source(self) -> np.ndarray:
        """(E,) what an event adds to the rate where f and g are 1."""
        return self.eta / (2 * np.pi * self.disc_all * self.late_all)


class Triggering:
    """Offspring: what earlier events add at each, and what of each event's offspring lies in region and window."""

    def __init__(self, model: SpaceTime, part: Offspring, setting: Setting, events: Events) -> None:
        self._part, self._marks = part, part.columns(events)
        self._seen = model.boundary(setting, events)
        self._left = np.minimum(setting.window.days - events.time_days, part.longest_days)
        self._furthest, self._longest = np.array([part.furthest_km]), np.array([part.longest_days])
        self._times = model.kinds if part.across else 1
        self.sums = Sums(part, events, model.route, model.error)
        of_reach = leaves(part.reach)
        self._cuts = (self._marks.shape[1], self._marks.shape[1] + len(of_reach))
        self.above_0 = [leaf.low == 0 for leaf in (*of_reach, *leaves(part.delay))]

    def spread(self, x: np.ndarray) -> Spread:
        """From the offspring's parameters."""
        marks, near, late = np.split(x, self._cuts)
        reach, delay = from_vector(self._part.reach, near), from_vector(self._part.delay, late)
        return Spread.of(self._part, np.exp(self._marks @ marks), reach, delay)

    def everywhen(self, spread: Spread) -> np.ndarray:
        """(E,) an event's expected offspring in the region, of all kinds and at any time."""
        return self._times * spread.eta * self.inside(spread)

    def inside(self, spread: Spread) -> np.ndarray:
        """(E,) the part of an event's reach that lies in the region."""
        seen = self._seen.integral(spread.reach.disc(self._seen.radius), spread.disc_all)
        return seen / (2 * np.pi * spread.disc_all)

    def __call__(self, x: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rates (E,) with `rest` (E,) added, their inverses, each event's offspring seen, slopes of the log density."""
        spread = self.spread(x)
        raised = self.sums(spread.reach, spread.delay, spread.source, rest)
        return raised.rate, raised.share, *self.balance(spread, raised.by_parent, raised.reach, raised.delay)

    def balance(
        self, spread: Spread, by_parent: np.ndarray, in_reach: np.ndarray, in_delay: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Each event's offspring seen (E,), and the slopes: of what earlier events add, less those of the offspring.

        by_parent, in_reach, in_delay : the former's, in log eta (E,) and the kernels' parameters, kernels not divided
        by their integrals.
        """
        eta, reach, delay, disc_all, late_all = spread
        at, weight = self._seen.radius, float(by_parent.sum())
        disc_slope, late_slope = reach.disc_gradient(self._furthest)[:, 0], delay.integral_gradient(self._longest)[:, 0]
        discs = np.concatenate([reach.disc(at)[None], reach.disc_gradient(at)])
        seen, *inside = self._seen.integral(discs, np.append(disc_all, disc_slope)) / (2 * np.pi * disc_all)
        each = self._times * eta * delay.integral(self._left) / late_all
        offspring = each * seen
        total = float(offspring.sum())
        in_reach = in_reach - np.array(inside).reshape(len(disc_slope), len(each)) @ each
        in_delay = in_delay - delay.integral_gradient(self._left) @ (self._times * eta * seen) / late_all
        slopes = (
            (by_parent - offspring) @ self._marks,
            in_reach + disc_slope / disc_all * (total - weight),
            in_delay + late_slope / late_all * (total - weight),
        )
        return offspring, np.concatenate(slopes)

    def log_linear(self, x: np.ndarray, rest: np.ndarray) -> tuple[Raised, np.ndarray, np.ndarray]:
        """What is raised, its slopes in intercept and effects (E, M), and the second ones of the density (M, M)."""
        spread = self.spread(x)
        raised = self.sums(spread.reach, spread.delay, spread.source, rest)
        by_mark = self.sums.pairs.weighted(spread.reach, spread.delay, spread.source, self._marks)
        offspring = self.everywhen(spread) * spread.delay.integral(self._left) / spread.late_all
        return raised, by_mark, self._marks.T @ (self._marks * (raised.by_parent - offspring)[:, None])
