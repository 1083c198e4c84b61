"""Claims made ready to be weighed: rounding cells, computed once, and groups that share an origin.

A speaker who knows x rounds it to a grain g: v = g' round((x - 1/2) / g'), where the effective grain
g' is the largest grain <= g with g' = 1 or x - 1/2 >= 2 g' (nobody rounds 7 to hundreds). The values x
that give v under grain g form an interval; its union over effective grains is one interval too, since
their cells meet at the same v.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from groundswell.data.history import History
from groundswell.data.provenance import counts_with, in_order_said, observation
from groundswell.data.quantities import Quantity, quantity
from groundswell.data.record import Claim
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.reporting.sorting import check_value

SIGN = {
    "exactly": 0, "about": 0, "between": 0,
    "at_least": -1, "more_than": -1, "at_most": 1, "less_than": 1,
}  # fmt: skip
"""The side on which a qualifier's slack lies: what is said lies below, or above, what is known."""

RATIO_CELL = math.log(1.1)
"""Width in log of the cell of a ratio that is stated as a figure: ratios are read to 10 %."""


@dataclass(frozen=True)
class Grains:
    """To what people round: the grains, rising from 1, and the probability of each."""

    grains: tuple[int, ...] = (1, 5, 10, 50, 100, 1000)
    exactly: tuple[float, ...] = (0.6, 0.1, 0.15, 0.05, 0.1, 0.0)
    otherwise: tuple[float, ...] = (0.15, 0.15, 0.25, 0.15, 0.2, 0.1)

    def __post_init__(self) -> None:
        if self.grains[:1] != (1,) or any(b <= a for a, b in zip(self.grains, self.grains[1:], strict=False)):
            raise DataError(f"Grains.grains is {self.grains}; expected whole numbers that rise from 1.")
        for name in ("exactly", "otherwise"):
            shares = getattr(self, name)
            if len(shares) != len(self.grains) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
                raise DataError(
                    f"Grains.{name} is {shares}; expected {len(self.grains)} probabilities that sum to 1, one a grain."
                )

    def of(self, qualifier: str) -> tuple[float, ...]:
        """P(grain | qualifier)."""
        return self.exactly if qualifier == "exactly" else self.otherwise

    def cells(self, value: int, qualifier: str) -> list[tuple[float, float, float]]:
        """(low, high, weight) in x of the intervals that are stated as `value`, equal ones merged."""
        merged: dict[tuple[float, float], float] = defaultdict(float)
        for k, share in enumerate(self.of(qualifier)):
            parts = list(self._parts(value, k)) if share > 0 else []
            if parts:
                merged[min(low for low, _ in parts), max(high for _, high in parts)] += share
        return [(low + 0.5, high + 0.5, share) for (low, high), share in merged.items()]

    def _parts(self, value: int, chosen: int) -> Iterable[tuple[float, float]]:
        for j in range(chosen + 1):
            grain = self.grains[j]
            if value % grain == 0:
                low = max(value - grain / 2, 2 * grain) if j else value - grain / 2
                high = min(value + grain / 2, 2 * self.grains[j + 1]) if j < chosen else value + grain / 2
                if high > low:
                    yield low, high

    def rounded(self, x: float, chosen: int) -> int:
        """What is stated by a speaker who knows x > 0 and means to round to grain number `chosen`."""
        known = x - 0.5
        effective = max((g for g in self.grains[: chosen + 1] if g == 1 or known >= 2 * g), default=1)
        return effective * max(math.floor(known / effective + 0.5), 0)


def edges_of(claim: Claim, grains: Grains) -> tuple[np.ndarray, np.ndarray]:
    """Edges in log x, rising, and the weight of the distribution function at each; weights sum to 0.

    P(claim) = sum of weight times F(edge). A ratio is stated without grain: a bound is one edge, a
    figure ("exactly", "about") a cell of 10 % width around it, whose width does not depend on q.
    """
    sign = SIGN[claim.qualifier]
    if claim.qualifier == "between":
        assert claim.value_high is not None
        ends = (claim.value, claim.value_high + (0 if quantity(claim.quantity).functional == "ratio" else 1))
        cells = [(_log(ends[0]), _log(ends[1]), 1.0)]
        if ends[0] == ends[1]:
            cells = [(_log(ends[0]) - RATIO_CELL / 2, _log(ends[0]) + RATIO_CELL / 2, 1.0)]
    elif quantity(claim.quantity).functional == "ratio":
        middle = _log(claim.value)
        cells = {
            -1: [(middle, math.inf, 1.0)],
            0: [(middle - RATIO_CELL / 2, middle + RATIO_CELL / 2, 1.0)],
            1: [(-math.inf, middle, 1.0)],
        }[sign]
    else:
        cells = [(_log(low), _log(high), w) for low, high, w in grains.cells(int(claim.value), claim.qualifier)]
        if not cells:
            raise DataError(
                f"claim {claim.id}: no grain of {grains.grains} can state {claim.value:g} with "
                f'"{claim.qualifier}"; give the grain 1 a probability above 0.'
            )
    weights: dict[float, float] = defaultdict(float)
    for low, high, share in cells:
        weights[low] -= share
        weights[high] += share
    order = sorted(weights)
    return np.array(order), np.array([weights[edge] for edge in order])


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


@dataclass(frozen=True, eq=False)
class ClaimGroup:
    """Claims with one origin on one quantity, place and window: they share one error.

    claims : the distinct figures (same qualifier and value count once, as said first). repeats : ids
    that only repeat one of them, or cite it with another figure. edges, weights, first : the claims'
    cells, flat, claim by claim.
    """

    quantity: Quantity
    place: str
    start: date
    end: date
    origin: str
    claims: tuple[Claim, ...]
    repeats: tuple[str, ...]
    edges: np.ndarray
    weights: np.ndarray
    first: np.ndarray

    @cached_property
    def sign(self) -> np.ndarray:
        """(C,) side of the slack of each claim; ratios and ranges have none."""
        ratio = self.quantity.functional == "ratio"
        return np.array([0 if ratio else SIGN[claim.qualifier] for claim in self.claims], dtype=np.int64)

    @property
    def half(self) -> float:
        """What is added to q before the log: 1/2 for counts, nothing for ratios, which hold it already."""
        return 0.0 if self.quantity.functional == "ratio" else 0.5

    def value(self, setting: Setting, history: History) -> float:
        """The group's quantity in a history."""
        window = setting.window
        places = setting.places.covered_by(self.place)
        return self.quantity.value(history, places, window.day(self.start), window.day(self.end))

    @property
    def source(self) -> str:
        """The speaker who said it first: whose list it is, if it is one."""
        return in_order_said(self.claims)[0].speaker

    @property
    def lists(self) -> bool:
        """Whether the claims count places, so that a source can list some and miss others."""
        return self.quantity.functional == "distinct"

    def places(self, setting: Setting, history: History) -> tuple[np.ndarray, np.ndarray]:
        """(P,) bool each: the places that a claim on places counts, and those with arrests in its window."""
        inside = np.zeros(len(setting.places), bool)
        inside[setting.places.covered_by(self.place)] = True
        first, last = (setting.window.day(day) // setting.window.step for day in (self.start, self.end))

        def any_of(series: str) -> np.ndarray:
            return inside & (history[series][:, first : last + 1] > 0).any(axis=1)

        return any_of(self.quantity.series), any_of("arrests")

    def words(self) -> str:
        """What the claims are about: "arrests in Tehran on 2017-12-30"."""
        when = f"on {self.start}" if self.start == self.end else f"from {self.start} to {self.end}"
        return f"{self.quantity.name.replace('_', ' ')} in {self.place} {when}"


def grouped(claims: Iterable[Claim], grains: Grains) -> tuple[ClaimGroup, ...]:
    """The groups, ordered by the first id in each."""
    heaps: dict[tuple, list[Claim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda claim: claim.id):
        check_value(claim)
        heaps[observation(claim)].append(claim)
    return tuple(_group(heap, grains) for heap in heaps.values())


def _group(heap: Sequence[Claim], grains: Grains) -> ClaimGroup:
    stands = counts_with(heap)
    claims = tuple(claim for claim in heap if stands[claim.id] == claim.id)
    cells = [edges_of(claim, grains) for claim in claims]
    what = heap[0]
    return ClaimGroup(
        quantity(what.quantity), what.place, what.start, what.end, what.origin, claims,
        tuple(claim.id for claim in heap if stands[claim.id] != claim.id),
        np.concatenate([edges for edges, _ in cells]),
        np.concatenate([weights for _, weights in cells]),
        np.cumsum([0, *(len(edges) for edges, _ in cells)]),
    )  # fmt: skip
