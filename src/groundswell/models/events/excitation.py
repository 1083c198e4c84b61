"""What earlier events add to the intensity, for any delay, marks and reach: data laid out once, evaluated often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from groundswell.models.delays import SumDelay

Factors = tuple[np.ndarray, np.ndarray]
"""(E,) by how much each event excites more than the average one, and the slope of that in the mark's exponent."""


class Excited(NamedTuple):
    """Sum of log intensities at the events in the window, and its slopes.

    inverse (E,): 1 / intensity, 0 before the window, and so the slope in the intensity without excitation. d_offspring:
    as the offspring were given. d_delay (K,). d_exponent: in the exponent of the mark.
    """

    log_sum: float
    inverse: np.ndarray
    d_offspring: np.ndarray
    d_delay: np.ndarray
    d_exponent: float


class Shape(NamedTuple):
    """A delay as the loops read it: height (M,), decay (M,) or the edges of bands (M + 1,), slopes (K, M)."""

    height: np.ndarray
    decay: np.ndarray | None
    edges: np.ndarray | None
    height_slope: np.ndarray
    decay_slope: np.ndarray | None


def shape_of(delay: Any, longest_days: float) -> Shape:
    """Of a sum of exponentials, or of a stepwise delay, which is divided by its integral."""
    if isinstance(delay, SumDelay):
        weight, decay, weight_slope, decay_slope = delay.exponentials(longest_days)
        return Shape(weight * decay, decay, None, weight_slope * decay + weight * decay_slope, decay_slope)
    edges = np.concatenate([[0.0], delay.knots])
    level = np.exp(np.concatenate([[0.0], delay.log_level.values_array]))
    share = level * np.diff(edges)
    height = level / share.sum()
    slope = np.diag(height)[1:] - np.outer(share[1:] / share.sum(), height)
    return Shape(height, None, edges, slope, None)


@dataclass(frozen=True, eq=False)
class Excitation:
    """E events, rising in time: (E,) times and places, `first` of them before the window of so many days.

    apart : whether places do not excite each other; offspring are then given by place (P,), not as a matrix (P, P)
    with the sender in rows.
    """

    times: np.ndarray
    place: np.ndarray
    first: int
    places: int
    days: float
    apart: bool
    groups: list[np.ndarray] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = [np.flatnonzero(self.place == p) for p in range(self.places)] if self.apart else []
        object.__setattr__(self, "groups", found)

    @property
    def longest(self) -> float:
        """Days from the earliest event to the window's end."""
        return self.days - float(self.times.min(initial=0.0))

    def __call__(self, base: np.ndarray, offspring: np.ndarray, delay: Any, factors: Factors) -> Excited:
        """Weigh the window's events; base (E,): their intensity without excitation. Cost O(E M P), O(E M) apart."""
        shape = shape_of(delay, self.longest)
        inverse = np.zeros(len(self.times))
        d_height, d_decay = np.zeros_like(shape.height), np.zeros_like(shape.height)
        log_sum = in_exponent = 0.0
        if not self.apart:
            received, d_received = np.ascontiguousarray(offspring.T), np.zeros((self.places, self.places))
            log_sum, in_exponent = self._loop(
                shape, slice(None), self.place, self.first, factors, base, received, inverse, d_received, d_height,
                d_decay,
            )  # fmt: skip
            d_offspring = d_received.T
        else:
            d_offspring = np.zeros(self.places)
            for p, rows in enumerate(self.groups):
                part, d_part = np.zeros(len(rows)), np.zeros((1, 1))
                first = int(np.searchsorted(rows, self.first))
                more, in_mark = self._loop(
                    shape, rows, np.zeros(len(rows), np.int64), first, factors, base, np.array([[float(offspring[p])]]),
                    part, d_part, d_height, d_decay,
                )  # fmt: skip
                inverse[rows], d_offspring[p] = part, d_part[0, 0]
                log_sum, in_exponent = log_sum + more, in_exponent + in_mark
        d_delay = shape.height_slope @ d_height
        if shape.decay_slope is not None:
            d_delay += shape.decay_slope @ d_decay
        return Excited(log_sum, inverse, d_offspring, d_delay, in_exponent)

    def _loop(
        self, shape: Shape, rows: Any, place: np.ndarray, first: int, factors: Factors, base: np.ndarray, *out: Any
    ) -> tuple[float, float]:
        from groundswell.models.events import _excitation_loops as loops

        received, inverse, d_received, d_height, d_decay = out
        data = (self.times[rows], place, first, factors[0][rows], factors[1][rows], base[rows], received, shape.height)
        if shape.edges is not None:
            return loops.steps(*data, shape.edges, inverse, d_received, d_height)
        return loops.exponentials(*data, shape.decay, inverse, d_received, d_height, d_decay)

    def in_window(self, delay: Any) -> tuple[np.ndarray, np.ndarray]:
        """(E,) share of each event's offspring that falls into the window, and its slopes (K, E)."""
        whole, slope = _unit(delay)
        late, early = self.days - self.times, np.maximum(-self.times, 0.0)
        share = (delay.integral(late) - delay.integral(early)) / whole
        turned = (delay.integral_gradient(late) - delay.integral_gradient(early)) / whole
        return share, turned - np.multiply.outer(slope / whole, share)

    def by_step(self, delay: Any, factors: Factors, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(P, T) what the events of each place release between successive edges (T + 1,), days from 0.

        Times the offspring it is the expected number of direct offspring in a step, given the events so far. With the
        slopes in the delay (K, P, T) and in the mark's exponent (P, T). Cost O(M (E + P T)); stepwise delays O(E T).
        """
        if isinstance(delay, SumDelay):
            return self._released(delay, factors, edges)
        whole, slope = _unit(delay)
        total, marked = np.zeros((2, self.places, len(edges)))
        turned = np.zeros((len(slope), self.places, len(edges)))
        for e, edge in enumerate(edges):
            rows = slice(0, int(np.searchsorted(self.times, edge)))
            age, place = edge - self.times[rows], self.place[rows]
            for out, each in ((total, factors[0]), (marked, factors[1])):
                out[:, e] = np.bincount(place, each[rows] * delay.integral(age), self.places) / whole
            for k, one in enumerate(delay.integral_gradient(age)):
                turned[k, :, e] = np.bincount(place, factors[0][rows] * one, self.places) / whole
        turned -= (slope / whole)[:, None, None] * total
        return np.diff(total), np.diff(turned), np.diff(marked)

    def _released(
        self, delay: SumDelay, factors: Factors, edges: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        from groundswell.models.events._excitation_loops import fading_at

        weight, decay, weight_slope, decay_slope = delay.exponentials(self.longest)
        rise, lever, marked = fading_at(self.times, self.place, *factors, edges, decay, self.places)
        come, come_marked = np.zeros((2, self.places, len(edges)))
        at = np.searchsorted(edges, self.times, side="right")  # an event at an edge is not before it
        inside = at < len(edges)
        for out, each in ((come, factors[0]), (come_marked, factors[1])):
            np.add.at(out, (self.place[inside], at[inside]), each[inside])
        gone = come.cumsum(axis=1) - rise
        gone_marked = come_marked.cumsum(axis=1) - marked
        total, in_mark = np.tensordot(weight, gone, 1), np.tensordot(weight, gone_marked, 1)
        turned = np.tensordot(weight_slope, gone, 1) + np.tensordot(weight * decay_slope, lever, 1)
        return np.diff(total), np.diff(turned), np.diff(in_mark)


def _unit(delay: Any) -> tuple[float, np.ndarray]:
    """The integral of g over all delays, and its slopes (K,): 1 and 0 for a sum of exponentials."""
    if isinstance(delay, SumDelay):
        count = delay.exponentials(1.0).weight_slope.shape[0]
        return 1.0, np.zeros(count)
    end = np.array([delay.knots[-1]])
    return float(delay.integral(end)[0]), delay.integral_gradient(end)[:, 0]


def density(delay: Any, delay_days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g(u), 1/day, divided by its integral, and its slopes (K, ...)."""
    whole, slope = _unit(delay)
    value = delay.value(delay_days) / whole
    return value, delay.gradient(delay_days) / whole - np.multiply.outer(slope / whole, value)


def cumulative(delay: Any, delay_days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of the offspring that come within these delays, and its slopes (K, ...)."""
    whole, slope = _unit(delay)
    share = delay.integral(delay_days) / whole
    return share, delay.integral_gradient(delay_days) / whole - np.multiply.outer(slope / whole, share)


def distribution(delay: Any, delay_days: np.ndarray) -> np.ndarray:
    """Share of the offspring that come within these delays."""
    return delay.integral(delay_days) / _unit(delay)[0]


def released(delay: Any, times: np.ndarray, amount: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(K,) how much of the events' amounts has come by each of the rising `edges`; times (E,) rise too.

    Cost O(M (E + K)) for M terms of the delay; for bands of days O(M (E + K log E)).
    """
    if not len(edges):
        return np.zeros(0)
    come = np.concatenate([[0.0], np.cumsum(amount)])
    if isinstance(delay, SumDelay):
        from groundswell.models.events._excitation_loops import still_to_come

        terms = delay.exponentials(float(edges[-1] - min(times.min(initial=0.0), edges[0])))
        left = still_to_come(times, amount, edges, terms.weight, terms.decay)
        return terms.weight.sum() * come[np.searchsorted(times, edges)] - left
    moment, by = np.concatenate([[0.0], np.cumsum(amount * times)]), np.searchsorted(times, edges)
    total, ends = np.zeros(len(edges)), np.concatenate([[0.0], delay.knots])
    upto = []  # sum of amount x days within the first `end` days, by end
    for end in ends:
        old = np.searchsorted(times, edges - end)
        upto.append(end * come[old] + edges * (come[by] - come[old]) - (moment[by] - moment[old]))
    for height, low, high in zip(shape_of(delay, 0.0).height, upto, upto[1:], strict=False):
        total += height * (high - low)
    return total
