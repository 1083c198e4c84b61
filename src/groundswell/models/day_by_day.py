"""What a day-by-day model and those who run it hand each other: guides, counters, tables of weights.

Beyond `start` and `step` (models/base.py) such a model has, where a particle filter is to guide and count:

columns : names of what is noted of a place on a day, in the order of the columns of state.noted.
advance(state, begin, end, counters, *, rng) : many days at once, unguided.
count(state, day, counters) : add the day just made to the counters.
arrests_to_come, crowd_sizes, run_later : the laws that a filter integrates over.
groups_at_start, of_one_group, place_groups : how many groups there are at the start, what becomes of one, and their
being drawn anew.
later_weights(state) : what `run_later` needs where a place's groups add to another's; None where places may be lumped.
mean_field(setting, totals); place_law(...) : what is expected of totals, without a draw and with the gradient, and how
one place's quantity varies about it; for `infer.relaxation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, eq=False)
class Guide:
    """Place-days whose counts are drawn from distributions tilted towards what claims say of them.

    log_g : (G, Y + 1) log weight of 0..Y events at each place, its last value for more.
    table, first, wide : weights of 0..A arrests noted so far in a claim's window, today's included: row j, which
    begins at table[first[k] + j wide[k]] and is wide[k] = A + 1 long, if coming[j] more events are expected in it.
    first (G,) is -1 where arrests are not weighed. coming : (J,) rising from 0, whose row is the claims' own weight.
    days_left : (G,) days of the window after today, of which a place with one row has none; the model tells how many
    events it expects on them. scale : (G, S) a history's own factor on persons before they are looked up.
    offset : (G, S) arrests noted in the window before today.
    stands : (G, S) the weight that stood for those of the day before, 1 where the window begins; a step divides by it
    and leaves there what stands now.
    given : (G,) whether it is given that there is an event: the weight is divided by the probability of that; None,
    nowhere. log_g has to rule out 0 events there.
    known : (P,) events that somebody saw today, each with probability `detection`, -1 where nobody looked; their
    probability is weighed, and counts drawn given them. On the first day they are all there were, and given.
    """

    place: np.ndarray
    log_g: np.ndarray
    table: np.ndarray
    first: np.ndarray
    wide: np.ndarray
    coming: np.ndarray
    days_left: np.ndarray
    scale: np.ndarray
    offset: np.ndarray
    stands: np.ndarray
    given: np.ndarray | None = None
    known: np.ndarray | None = None
    detection: float = 1.0

    @classmethod
    def active(cls, places: Sequence[int], histories: int) -> Guide:
        """Only that the places must have an event."""
        count = len(places)
        log_g = np.zeros((count, 2))
        log_g[:, 0] = -np.inf
        nowhere, nothing = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int64)
        ones, offset = np.ones((count, histories)), np.zeros((count, histories))
        at = np.array(places, dtype=np.int64)
        return cls(at, log_g, np.zeros(0), nowhere, nothing, np.zeros(1), nothing, ones, offset, ones.copy())


class Counters(NamedTuple):
    """C running totals over S histories: of one of the model's `columns`, over member places, from first to last day.

    column, first, last : (C,). member : (C, P). distinct : (C,) -1 to add up, else the row of `seen` by which the
    member places with more than 0 are counted once each. totals : (S, C). seen : (S, D, P).
    """

    column: np.ndarray
    first: np.ndarray
    last: np.ndarray
    member: np.ndarray
    distinct: np.ndarray
    totals: np.ndarray
    seen: np.ndarray

    def fresh(self, histories: int) -> Counters:
        """For so many histories, all totals at 0."""
        return self._replace(
            totals=np.zeros((histories, *self.totals.shape[1:])),
            seen=np.zeros((histories, *self.seen.shape[1:]), dtype=np.bool_),
        )

    def resampled(self, ancestors: np.ndarray) -> Counters:
        """Those of the histories `ancestors`, (S,) indices with repeats."""
        return self._replace(totals=self.totals[ancestors], seen=self.seen[ancestors])


class Total(NamedTuple):
    """A total over places and days, as a mean field is asked for it.

    series : one of the model's `columns`. distinct : count the places where it is above 0 at least once, instead of
    adding up. where : (n,) places. first, last : days, both included.
    """

    series: str
    distinct: bool
    where: np.ndarray
    first: int
    last: int


Pull = Callable[[np.ndarray], np.ndarray]
"""Slopes (K,) of some number in K totals to its slopes in all parameters of a model, in the order of their names."""

MeanField = Callable[[np.ndarray], tuple[np.ndarray, Pull]]
"""A parameter vector to the K expected totals and their `Pull`."""
