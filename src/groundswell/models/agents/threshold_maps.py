"""All the fixed points of Granovetter's map, not only the one that is reached from nobody; and what each attracts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from groundswell.models.agents.thresholds import NEARLY_WHOLE, Given, Normal, Thresholds


@dataclass(frozen=True)
class FixedPoint:
    """A number of participants that reproduces itself.

    attracts_below, attracts_above : whether crowds a little smaller, or a little larger, come back to it; at 0 and N
    there is nothing on one side, which then counts as attracted.
    """

    participants: float
    attracts_below: bool
    attracts_above: bool

    @property
    def stable(self) -> bool:
        """Whether it comes back from either side."""
        return self.attracts_below and self.attracts_above


def fixed_points(model: Thresholds) -> tuple[FixedPoint, ...]:
    """Every r from 0 to N with r = N F(r) under the model's rule, rising; under "sampled" those of the continuous map.

    Exact: normal thresholds make a map with at most two bends, between which it crosses the diagonal at most once;
    stepwise ones, whole numbers and given thresholds, are looked through step by step. A tangent point counts, and
    attracts from one side.
    """
    if model.rule not in ("continuous", "sampled"):
        return _whole(model)
    if isinstance(model.distribution, Normal):
        return _smooth(model, model.distribution)
    return _stepwise(model)


def _whole(model: Thresholds) -> tuple[FixedPoint, ...]:
    count = model.population
    after = [model.step_from(float(r)) for r in range(count + 1)]
    return tuple(
        FixedPoint(float(r), r == 0 or after[r - 1] > r - 1, r == count or after[r + 1] < r + 1)
        for r in range(count + 1)
        if after[r] == r
    )


def _smooth(model: Thresholds, normal: Normal) -> tuple[FixedPoint, ...]:
    from scipy.optimize import brentq

    count = model.population

    def rise(r: float) -> float:
        return count * normal.share(r) - r

    steepest = count / (normal.sd * math.sqrt(2 * math.pi))
    bends = []
    if steepest > 1:
        reach = normal.sd * math.sqrt(2 * math.log(steepest))
        bends = [r for r in (normal.mean - reach, normal.mean + reach) if 0 < r < count]
    edges = [0.0, *bends, float(count)]
    roots = [r for r in edges if abs(rise(r)) < 1e-12 * count]
    for low, high in pairwise(edges):
        if low in roots or high in roots or (rise(low) > 0) == (rise(high) > 0):
            continue
        roots.append(float(brentq(rise, low, high, xtol=1e-13 * count)))  # type: ignore[arg-type]
    ordered = sorted(roots)
    between = [0.0, *[(a + b) / 2 for a, b in pairwise(ordered)], float(count)]
    return tuple(FixedPoint(r, rise(between[i]) >= 0, rise(between[i + 1]) <= 0) for i, r in enumerate(ordered))


def _stepwise(model: Thresholds) -> tuple[FixedPoint, ...]:
    """N F is flat between thresholds: a value that it takes is fixed iff it takes the same value there."""
    count, share = model.population, model.distribution.share
    found = sorted({count * share(r) for r in _jumps(model)} | {count * share(0.0)})
    points = []
    for r in found:
        if abs(count * share(r) - r) > NEARLY_WHOLE:
            continue
        below = count * share(r - 2 * NEARLY_WHOLE)
        points.append(FixedPoint(r, r == 0 or abs(below - r) <= NEARLY_WHOLE, True))
    return tuple(points)


def _jumps(model: Thresholds) -> np.ndarray:
    distribution = model.distribution
    if isinstance(distribution, Given):
        return np.array(distribution.thresholds)
    return np.arange(distribution.low, distribution.high + 1)  # type: ignore[union-attr]
