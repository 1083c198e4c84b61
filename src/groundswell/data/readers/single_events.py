"""Read events as `Events`: their times as closely as the file knows them, sizes, positions, marks and kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.clock import MINUTE, read_clock
from groundswell.data.history import Events
from groundswell.data.readers.base import carried
from groundswell.data.readers.numbers import number_or_nan
from groundswell.data.window import Window
from groundswell.errors import UsageError

Event = Mapping[str, Any]

FORMS = ("log", "log1p")
"""What may be done to a mark: its logarithm, or that of 1 + mark, for marks that may be 0."""


@dataclass(frozen=True)
class Mark:
    """A number that events bring along, from a column of their file. form : "" as it is, or one of FORMS."""

    name: str
    form: str = ""

    @classmethod
    def stated(cls, text: str) -> Mark:
        """From "mag" or "deaths=log1p"."""
        name, equals, form = (part.strip() for part in text.partition("="))
        if not name or (equals and form not in FORMS):
            raise UsageError(f'the mark "{text}" is none; write it as NAME, NAME=log or NAME=log1p.')
        return cls(name, form)

    @property
    def label(self) -> str:
        """Its name among the marks of the events."""
        return f"{self.form}({self.name})" if self.form else self.name

    def of(self, event: Event) -> tuple[float, str]:
        """(value, "") or (NaN, why an event has none)."""
        value = self._number(event)
        text = event.get(carried(self.name)) or ""
        if np.isnan(value):
            return value, f'{self.name} "{text}" is no number' if text else f"no {self.name} is stated"
        if self.form and (value < 0 or (value == 0 and self.form == "log")):
            return np.nan, f"{self.name} is {value:g}, which has no {self.form}"
        return (float(np.log(value) if self.form == "log" else np.log1p(value)) if self.form else value), ""

    def _number(self, event: Event) -> float:
        """The file's own number, else what the reader made of a size or of deaths: the middle of the interval."""
        given = number_or_nan(event.get(carried(self.name)) or "")
        if np.isnan(given) and isinstance(read := event.get(self.name), int | float):
            given = float(read)
        if np.isnan(given) and (middle := middle_of(event, self.name)) is not None:
            given = middle
        return given if np.isfinite(given) else np.nan


def in_time(pairs: Sequence[tuple[Event, int]], window: Window) -> list[tuple[Event, int]]:
    """(read event, place) pairs by time; those that share it by place, then by row of the file."""
    times = _times([event for event, _ in pairs], window)[0]
    keys = [(time, place, event["row"]) for time, (event, place) in zip(times, pairs, strict=True)]
    return [pairs[i] for i in sorted(range(len(pairs)), key=keys.__getitem__)]


def single_events(pairs: Sequence[tuple[Event, int]], window: Window, counts: bool = False) -> Events:
    """The events of pairs that are in time. counts : of a table of counts, each somewhere in the days of its count."""
    times, within = _times([event for event, _ in pairs], window, counts)
    by_day = bool((within == 1).all())
    return Events(
        times,
        np.array([place for _, place in pairs], dtype=np.int64),
        _known([middle_of(event, "size") for event, _ in pairs]),
        _all([event["arrests"] for event, _ in pairs]),
        day_precision=by_day,
        within_days=None if by_day or not within.any() else within,
    )


def middle_of(event: Event, what: str) -> float | None:
    """The geometric middle of an interval, such as size_low to size_high, that has both ends."""
    low, high = event.get(f"{what}_low"), event.get(f"{what}_high")
    if low is None or high is None:
        return None
    return 0.0 if high == 0 else float(np.sqrt(max(low, 1.0) * max(high, 1.0)))


def _times(events: Sequence[Event], window: Window, counts: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(N,) days since the window's start, and (N,) days within which each is known; seconds count as exact."""
    times, within = np.empty(len(events)), np.ones(len(events))
    for i, event in enumerate(events):
        times[i] = window.day(event["start"])
        if counts or event["precision"] != "day":
            within[i] = (event["end"] - event["start"]).days + 1
        elif event.get("time"):
            clock = read_clock(event["time"])
            times[i] += clock.share
            within[i] = clock.within if clock.within >= MINUTE else 0.0
    return times, within


def _known(values: Sequence[float | None]) -> np.ndarray | None:
    """The values, NaN for those that are not known; None where none is."""
    return None if all(value is None for value in values) else np.array(values, dtype=float)


def _all(values: Sequence[float | None]) -> np.ndarray | None:
    """The values where every event has one."""
    return np.array(values, dtype=float) if values and None not in values else None
