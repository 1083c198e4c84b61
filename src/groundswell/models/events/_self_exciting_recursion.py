"""One evaluation of the self-exciting likelihood: data laid out once, compiled loops per parameter value.

Two layouts with one call: given backgrounds (P,), offspring and decay they return the value and its
derivatives in the same three. `OwnPlace` takes offspring (P,), a number a place, and costs O(E);
`OnCities` takes the whole (P, P) matrix, row the triggering place, and costs O(E P).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Evaluated = tuple[float, np.ndarray, np.ndarray, float]
"""Value, d background (P,), d offspring (as given), d decay."""


class OwnPlace:
    """Events laid out by place once, so that every evaluation is one pass over them."""

    def __init__(self, times: np.ndarray, place: np.ndarray, places: int, days: float) -> None:
        order = np.lexsort((times, place))
        self.times, self.days = times[order], days
        grouped = place[order]
        self.starts = np.searchsorted(grouped, np.arange(places + 1))
        self.first = self.starts[:-1] + np.array(
            [np.searchsorted(self.times[a:b], 0.0) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]
        )
        self.arrivals = _arrivals(self.times, grouped)

    def __call__(self, background: np.ndarray, offspring: np.ndarray, decay: float) -> Evaluated:
        from groundswell.models.events._self_exciting_loops import own_place

        d_background, d_offspring = np.zeros(len(background)), np.zeros(len(background))
        value, d_decay = own_place(
            self.times, self.arrivals, self.starts, self.first, self.days,
            background, offspring, decay, d_background, d_offspring,
        )  # fmt: skip
        return value, d_background, d_offspring, d_decay


class OnCities:
    """Events cut into chunks once; a chunk needs only the excitations at its start."""

    def __init__(
        self, times: np.ndarray, place: np.ndarray, first: int, places: int, days: float, threads: int
    ) -> None:
        self.times, self.place, self.first, self.days, self.threads = times, place, first, days, threads
        self.places, self.padded = places, -(-places // 8) * 8
        inside = len(times) - first
        count = max(1, min(8, inside // 10_000))  # of the data alone: threads must not change the sums
        cuts = first + np.arange(count + 1) * inside // count
        cuts[1:-1] = np.searchsorted(times, times[cuts[1:-1]])  # a tie is never cut in two
        self.cuts = cuts
        self.counts = np.bincount(place[first:], minlength=self.padded).astype(float)

    def __call__(self, background: np.ndarray, offspring: np.ndarray, decay: float) -> Evaluated:
        from groundswell.models.events._self_exciting_loops import carry, cities

        size, cuts = self.padded, self.cuts
        last = len(cuts) - 2
        origins = [0.0, *self.times[cuts[1:-1]].tolist(), self.days]
        received = np.zeros((self.places, size))
        received[:, : self.places] = offspring.T

        def left_over(part: int) -> np.ndarray:
            state = np.zeros((2, size))
            low, high = (0, self.first) if part < 0 else (cuts[part], cuts[part + 1])
            carry(self.times, self.place, low, high, origins[part + 1], decay, state[0], state[1])
            return state

        def chunk(part: int) -> tuple[float, float, np.ndarray, np.ndarray]:
            d_background, d_received = np.zeros(self.places), np.zeros((self.places, size))
            value, d_decay = cities(
                self.times, self.place, cuts[part], cuts[part + 1], origins[part], states[part][0], states[part][1],
                background, received, decay, d_background, d_received,
            )  # fmt: skip
            return value, d_decay, d_background, d_received

        left = _spread(left_over, range(-1, last + 1), self.threads)
        states = [left[0]]
        for part in range(last + 1):
            lag = origins[part + 1] - origins[part]
            fade = math.exp(-decay * lag)
            excitation, moment = states[-1]
            states.append(np.stack([fade * excitation, fade * (moment + lag * excitation)]) + left[part + 1])
        parts = _spread(chunk, range(last + 1), self.threads)

        triggered = (self.counts + states[0][0] - states[-1][0])[: self.places]
        later = (states[-1][1] - states[0][1])[: self.places]
        sent = offspring.sum(axis=1)
        value = sum(part[0] for part in parts) - self.days * float(background.sum()) - float(sent @ triggered)
        d_background = sum((part[2] for part in parts), np.full(self.places, -self.days))
        d_received = sum((part[3] for part in parts), np.zeros((self.places, size)))
        d_offspring = d_received[:, : self.places].T - triggered[:, None]
        d_decay = sum(part[1] for part in parts) - float(sent @ later)
        return value, d_background, d_offspring, d_decay


def _spread(work: Callable[[int], Any], parts: Sequence[int], threads: int) -> list[Any]:
    """The results of work(part) in order, on `threads` threads; the loops release Python's lock."""
    if threads == 1 or len(parts) == 1:
        return [work(part) for part in parts]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, parts))


def _arrivals(times: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(E,) events at the previous distinct time of the same group; 0 within a tie and at a group's start."""
    arrivals = np.zeros(len(times))
    if not len(times):
        return arrivals
    new = np.ones(len(times), dtype=bool)
    new[1:] = (np.diff(times) > 0) | (np.diff(group) != 0)
    starts = np.flatnonzero(new)
    tied = np.diff(np.append(starts, len(times)))
    follows = group[starts[1:]] == group[starts[1:] - 1]
    arrivals[starts[1:]] = np.where(follows, tied[:-1], 0)
    return arrivals
