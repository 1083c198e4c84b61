"""What earlier events add to the rate at each event, pair by pair; pairs are found once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events
from groundswell.models.delays import Delay
from groundswell.models.triggering import Reach

if TYPE_CHECKING:
    from groundswell.models.events.space_time import Offspring


class Raised(NamedTuple):
    """A rate at E events, raised by the sum over earlier events j of source_j f(km) g(days), and slopes of log rates.

    rate : (E,) the sum and the rest of the rate. share : (E,) 1 / rate. by_parent : (E,) the sum over later events
    of share times what this one adds there. reach, delay : sums of share times the derivative of the rate in each
    kernel parameter, sources held.
    """

    rate: np.ndarray
    share: np.ndarray
    by_parent: np.ndarray
    reach: np.ndarray
    delay: np.ndarray


class Pairs:
    """All pairs of an earlier event within reach and time of a point, any kernel. Cost and memory O(pairs).

    later, earlier : (N,) rows of points and events, `later` never falling. km, days : (N,) how far apart.
    """

    def __init__(self, part: Offspring, events: Events, points: Events | None = None) -> None:
        from groundswell.models.events._space_time_loops import pairs

        self.later, self.earlier, self.km, self.days = pairs(
            *columns_of(part, events if points is None else points), *columns_of(part, events),
            part.furthest_km, part.longest_days,
        )  # fmt: skip

    def each(self, reach: Reach, delay: Delay, source: np.ndarray) -> np.ndarray:
        """(N,) what the earlier event of each pair adds at the later."""
        return source[self.earlier] * reach.value(self.km) * delay.value(self.days)

    def weighted(self, reach: Reach, delay: Delay, source: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(E, M) sums over earlier events of what each adds times its columns (E, M)."""
        added = self.each(reach, delay, source)
        sums = [np.bincount(self.later, added * column[self.earlier], len(source)) for column in columns.T]
        return np.stack(sums, axis=1)

    def __call__(self, reach: Reach, delay: Delay, source: np.ndarray, rest: np.ndarray) -> Raised:
        """See `Raised`; rest : (E,) the rate without what is triggered."""
        near, soon = reach.value(self.km), delay.value(self.days)
        raised = source[self.earlier] * near * soon
        rate = rest + np.bincount(self.later, raised, len(rest))
        share = 1 / np.maximum(rate, 1e-300)
        weight = share[self.later] * raised
        return Raised(
            rate, share, np.bincount(self.earlier, weight, len(rest)),
            reach.log_gradient(self.km) @ weight,
            delay.gradient(self.days) @ (weight / np.maximum(soon, 1e-300)),
        )  # fmt: skip


def columns_of(part: Offspring, events: Events) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times, positions and kinds, one kind where every event triggers all."""
    kind = np.zeros(len(events), dtype=np.int64) if events.kind is None or part.across else events.kind
    return (
        events.time_days, np.asarray(events.x_km, dtype=float), np.asarray(events.y_km, dtype=float),
        np.asarray(kind, dtype=np.int64),
    )  # fmt: skip
