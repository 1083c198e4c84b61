"""What earlier events add to the rate at each event, through cells: pairs are found anew each time and never kept.

The map is cut into squares as wide as the kernel reaches. What may matter to an event is then in its own square and the
eight beside it, among the events since its longest delay. Each square has one list of those nine squares' events, by
time, so that loops over it are long: every event is held nine times, some 250 bytes. The cost is O(events x
neighbours).

A pair is left out where f g has fallen below `error` times its highest value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events
from groundswell.models.delays import Delay, ExponentialDelay, StepDelay, UniformDelay
from groundswell.models.events.space_time_pairs import Raised, columns_of
from groundswell.models.triggering import SHORTEST_KM, Exponential, Gaussian, PowerLaw, Reach, Steps
from groundswell.params import vector

if TYPE_CHECKING:
    from groundswell.models.events.space_time import Offspring

REACHES: dict[type, int] = {Gaussian: 0, Exponential: 1, PowerLaw: 2, Steps: 3}
DELAYS: dict[type, int] = {UniformDelay: 0, ExponentialDelay: 1, StepDelay: 2}
"""Kernels with a formula in `_space_time_cell_loops`, by its code there; others are weighed by `Pairs`."""

WIDER, SHORTER = 1.05, 0.85
"""By how much cells are made wider than the kernel reaches; below which part of their side they are laid out anew."""


def numbers(kernel: Reach | Delay) -> np.ndarray:
    """A kernel's parameters as its formula reads them; of steps all knots, then all log levels."""
    if isinstance(kernel, Steps | StepDelay):
        return np.concatenate([kernel.knots, [0.0], kernel.log_level.values_array])
    found = vector(kernel)
    if isinstance(kernel, Reach):
        found[0] = max(found[0], SHORTEST_KM)
    return found


class Extent(NamedTuple):
    """How far a pair may be apart to matter: km, days, and the logarithm of f g below which it does not.

    near_ends, late_ends : whether f and g have fallen so low there; else they are cut off.
    """

    km: float
    days: float
    least: float
    near_ends: bool
    late_ends: bool


def extent(part: Offspring, reach: Reach, delay: Delay, error: float) -> Extent:
    """Where f and g have fallen below `error` times their highest value, read off a grid, or are cut off."""
    grid = np.geomspace(1e-6, 1.0, 1000)
    with np.errstate(divide="ignore"):
        near, late = reach.log_value(part.furthest_km * grid), np.log(delay.value(part.longest_days * grid))
    floor = np.log(max(error, 1e-300))
    last_near, last_late = (int(np.flatnonzero(logs >= logs.max() + floor)[-1]) + 1 for logs in (near, late))
    ends = np.append(grid, 1.0)
    return Extent(
        float(part.furthest_km * ends[last_near]), float(part.longest_days * ends[last_late]),
        float(near.max() + late.max() + floor), last_near < len(grid), last_late < len(grid),
    )  # fmt: skip


class _Layout(NamedTuple):
    """Rows of events by cell (`order`); their times and positions so, from start[c] to start[c + 1] those of cell c.

    near : times, positions and rows by cell of the events in and beside each cell, from near_start[c] on.
    """

    side: float
    order: np.ndarray
    cells: tuple[np.ndarray, np.ndarray, np.ndarray]
    start: np.ndarray
    near: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    near_start: np.ndarray


class Cells:
    """Events in cells of the map, for kernels with a compiled formula."""

    def __init__(self, part: Offspring, events: Events, error: float) -> None:
        self._part, self._error = part, error
        self._columns = columns_of(part, events)
        self._layout: _Layout | None = None

    def __call__(self, reach: Reach, delay: Delay, source: np.ndarray, rest: np.ndarray) -> Raised:
        """See `Raised`."""
        limits = extent(self._part, reach, delay, self._error)
        return self._weigh(reach, delay, source, rest, limits, self._part.furthest_km, np.empty((0, 0)))

    def correct(
        self, reach: Reach, delay: Delay, source: np.ndarray, rest: np.ndarray, near_km: float, smooth: np.ndarray
    ) -> Raised:
        """The same up to near_km for f less a polynomial in (r / near_km)^2: smooth (1 + K, D), f's and its slopes'."""
        limits = extent(self._part, reach, delay, self._error)._replace(km=near_km, least=-700.0)
        return self._weigh(reach, delay, source, rest, limits, near_km, smooth)

    def _weigh(
        self, reach: Reach, delay: Delay, source: np.ndarray, rest: np.ndarray, limits: Extent, furthest_km: float,
        smooth: np.ndarray,
    ) -> Raised:  # fmt: skip
        from groundswell.models.events._space_time_cell_loops import weigh_cells

        layout = self._laid_out(limits.km)
        order, rate, by_parent = layout.order, np.empty(len(source)), np.zeros(len(source))
        in_reach, in_delay = np.zeros(len(vector(reach))), np.zeros(len(vector(delay)))
        weigh_cells(
            *layout.cells, layout.start, *layout.near, layout.near_start,
            source[order], rest[order], furthest_km**2, limits.days, limits.least, REACHES[type(reach)], numbers(reach),
            DELAYS[type(delay)], numbers(delay), smooth, rate, by_parent, in_reach, in_delay,
        )  # fmt: skip
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        rate = rate[back]
        return Raised(rate, 1 / np.maximum(rate, 1e-300), by_parent[back], in_reach, in_delay)

    def _laid_out(self, km: float) -> _Layout:
        """Cells at least so wide, those of before where they will do."""
        if self._layout is None or not SHORTER * self._layout.side <= km <= self._layout.side:
            self._layout = _lay_out(*self._columns, km)
        return self._layout


def _lay_out(time: np.ndarray, x: np.ndarray, y: np.ndarray, kind: np.ndarray, km: float) -> _Layout:
    from groundswell.models.events._space_time_cell_loops import gathered

    widest = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9) if len(x) else 1.0
    side = max(km * WIDER, widest * 1e-6)
    east, north = (((at - at.min(initial=np.inf)) // side).astype(np.int64) + 1 for at in (x, y))
    wide, high = int(east.max(initial=0)) + 2, int(north.max(initial=0)) + 2  # a rim of empty cells
    key = (kind * high + north) * wide + east
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    first = np.flatnonzero(np.append(True, sorted_key[1:] != sorted_key[:-1])[: len(order)])
    start, cells = np.append(first, len(order)), sorted_key[first]
    members = np.diff(start)
    row, cell = np.empty(len(order), dtype=np.int32), np.empty(len(order), dtype=np.int64)
    row[order], cell[order] = np.arange(len(order)), np.repeat(np.arange(len(cells)), members)
    beside = cells[:, None] + np.add.outer(np.arange(-1, 2) * wide, np.arange(-1, 2)).ravel()
    at = np.minimum(np.searchsorted(cells, beside), max(len(cells) - 1, 0))
    there = cells[at] == beside
    near_start = np.concatenate([[0], np.cumsum((members[at] * there).sum(axis=1))])
    rows = gathered(cell, np.where(there, at, -1), row, near_start)
    t, a, b = time[order], x[order], y[order]
    return _Layout(side, order, (t, a, b), start, (t[rows], a[rows], b[rows], rows), near_start)
