"""History: what happened in a model or was observed of the world, with no speaker."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from groundswell.data.clock import SECOND, Clock
from groundswell.data.places import Places
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import DataError

COLUMNS = ("size", "arrests", "within_days", "x_km", "y_km", "kind")
"""Of events, beside time, place and marks; each may be None."""


@dataclass(frozen=True, eq=False)
class Events:
    """E single events, sorted by time.

    time_days : (E,) float days since the window's start. place : (E,) in [0, P).
    size : (E,) participants, NaN where not known, or None. arrests : (E,) persons, or None.
    day_precision : True where times are known to the day only, so ties are real. within_days : (E,) days, from
    time_days on, within which each time is known (0 exactly, 1/24 to the hour), where they differ or are finer.
    x_km, y_km : (E,) positions on a plane map, or None. kind : (E,) whole numbers from 0, or None.
    marks : name -> (E,) numbers that an event brings along.
    """

    time_days: np.ndarray
    place: np.ndarray
    size: np.ndarray | None = None
    arrests: np.ndarray | None = None
    day_precision: bool = False
    within_days: np.ndarray | None = None
    x_km: np.ndarray | None = None
    y_km: np.ndarray | None = None
    kind: np.ndarray | None = None
    marks: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        times = np.array(self.time_days, dtype=float)
        place = np.array(self.place, dtype=np.int64)
        if times.ndim != 1 or place.shape != times.shape:
            raise DataError(f"Events.time_days {times.shape} and Events.place {place.shape}; expected (E,) both.")
        if not np.isfinite(times).all():
            raise DataError("Events.time_days holds a missing or infinite time; leave such events out and say so.")
        if (np.diff(times) < 0).any():
            raise DataError("Events.time_days must not fall; sort the events by time first.")
        object.__setattr__(self, "time_days", times)
        object.__setattr__(self, "place", place)
        columns = {what: getattr(self, what) for what in COLUMNS}
        for what, given in (columns | {f'marks["{name}"]': mark for name, mark in self.marks.items()}).items():
            if given is not None and np.shape(given) != times.shape:
                raise DataError(f"Events.{what} has shape {np.shape(given)}; expected {times.shape}.")
        for what in ("x_km", "y_km"):
            if columns[what] is not None and not np.isfinite(columns[what]).all():
                raise DataError(f"Events.{what} holds a missing position; leave such events out and say so.")

    def __len__(self) -> int:
        return len(self.time_days)

    def take(self, rows: np.ndarray) -> Events:
        """The events at `rows` (indices, or bool of all), in that order."""

        def pick(given: np.ndarray | None) -> np.ndarray | None:
            return None if given is None else np.asarray(given)[rows]

        return replace(
            self, time_days=self.time_days[rows], place=self.place[rows],
            **{what: pick(getattr(self, what)) for what in COLUMNS},
            marks={name: np.asarray(mark)[rows] for name, mark in self.marks.items()},
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Later:
    """Series of the organised groups after the window, in the setting's later steps.

    edges : (K + 1,) days since the window's start. series : name -> (P, K).
    """

    edges: tuple[int, ...]
    series: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class History:
    """Named place-by-step series over a window and, where known, the single events.

    series : name -> (P, T). Names in use: events, arrests, participants, warned, groups, formed,
    broken_up, members_arrested, members_warned, active, jailed, calls.
    exploded : the draw passed the model's cap on a day and was ended there; kept and counted,
    never truncated in silence.
    weighed : (P, T) bool, the place-steps whose terms count in a log density; None, all of them. What
    happened in the others is known all the same as the past of later steps and of other places.
    """

    places: Places
    window: Window
    series: Mapping[str, np.ndarray] = field(default_factory=dict)
    events: Events | None = None
    later: Later | None = None
    exploded: bool = False
    weighed: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = (len(self.places), self.window.periods)
        for name, values in self.series.items():
            if np.shape(values) != shape:
                raise DataError(f'History series "{name}" has shape {np.shape(values)}; expected (P, T) = {shape}.')
        if self.weighed is not None and (np.shape(self.weighed) != shape or np.asarray(self.weighed).dtype != bool):
            raise DataError(f"History.weighed: expected True or False for each place and step, (P, T) = {shape}.")
        if self.events is not None and len(self.events):
            if self.events.place.min() < 0 or self.events.place.max() >= shape[0]:
                raise DataError(f"History.events names a place outside [0, {shape[0]}).")
            times = self.events.time_days
            if times[0] < 0 or times[-1] > self.window.days:
                raise DataError(
                    f"History.events spans {times[0]:g} to {times[-1]:g} days; expected times inside the "
                    f"window of {self.window.days} days. Use `before` of the model for earlier events."
                )

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.series:
            raise DataError(f'this history has no series "{name}"; it has: {", ".join(sorted(self.series)) or "none"}.')
        return self.series[name]

    def counts(self, name: str) -> np.ndarray:
        """(P, T) a series of counts; DataError, naming place and date, unless they are whole numbers of 0 or more."""
        values = np.asarray(self[name], dtype=float)
        wrong = ~(np.isfinite(values) & (values >= 0) & (values == np.floor(values)))
        if wrong.any():
            place, step = (int(index[0]) for index in np.nonzero(wrong))
            raise DataError(
                f'{name} in "{self.places.name[place]}" on {self.window.dates()[step]} is {values[place, step]:g}; '
                "expected a whole number of 0 or more, since counts are weighed as counts. Do not smooth or scale "
                "them, and fill in or leave out missing steps."
            )
        return values

    def table(self) -> Table:
        """One row a place and step: place, date (the first day of the step), then a column a series."""
        dates = [day.isoformat() for day in self.window.dates()]
        places = self.places.name
        columns = {name: np.asarray(values).ravel().tolist() for name, values in self.series.items()}
        return Table({"place": [name for name in places for _ in dates], "date": dates * len(places), **columns})

    def events_table(self) -> Table:
        """One row an event: date, time of day if known, time in days since the window's start, the place with its
        position and population, and size, arrests, position on the map, kind and marks if known; `data.readers`
        reads it back.
        """
        events = self.events
        if events is None:
            raise DataError("this history holds counts by place and step, no single events; use table().")
        columns = {
            "date": [self.window.date(time).isoformat() for time in events.time_days],
            **({} if events.day_precision else {"time": _clocks(events)}),
            "time_days": events.time_days.tolist(),
            **{name: [values[i] for i in events.place] for name, values in self.places.columns().items()},
        }
        known = {what: getattr(events, what) for what in ("size", "arrests", "x_km", "y_km", "kind")}
        known |= events.marks
        return Table(columns | {name: _told(v) for name, v in known.items() if v is not None})

    def during(self, periods: int) -> History:
        """The first `periods` steps, events included; what was known at a forecast's origin."""
        window = Window(self.window.start, periods, self.window.step)
        events = self.events
        if events is not None:
            events = events.take(events.time_days < window.days)
        weighed = None if self.weighed is None else self.weighed[:, :periods]
        series = {name: values[:, :periods] for name, values in self.series.items()}
        return History(self.places, window, series, events, exploded=self._ended_before(periods), weighed=weighed)

    def _ended_before(self, periods: int) -> bool:
        """Whether an exploded draw was ended within so many steps: behind its last step with anything in it."""
        if not self.exploded:
            return False
        made = np.flatnonzero(np.any([np.asarray(values).any(axis=0) for values in self.series.values()], axis=0))
        return periods > (made[-1] + 1 if made.size else 0)

    def leaving_out(self, cells: np.ndarray) -> History:
        """The same history with the place-steps of `cells`, bool that broadcasts to (P, T), not weighed either."""
        weighed = np.ones((len(self.places), self.window.periods), dtype=bool)
        return replace(self, weighed=(weighed if self.weighed is None else self.weighed) & ~np.asarray(cells))

    def digest(self) -> str:
        """SHA-256 of the series, the single events and what is not weighed."""
        digest = hashlib.sha256()
        for name in sorted(self.series):
            digest.update(name.encode() + np.ascontiguousarray(self.series[name], dtype=float).tobytes())
        if self.events is not None:
            digest.update(self.events.time_days.tobytes() + self.events.place.tobytes())
            for column in (self.events.x_km, self.events.y_km, self.events.kind, *self.events.marks.values()):
                if column is not None:
                    digest.update(np.ascontiguousarray(column, dtype=float).tobytes())
        if self.weighed is not None:
            digest.update(np.packbits(self.weighed).tobytes())
        return digest.hexdigest()


def _told(values: np.ndarray) -> list[float | None]:
    """What is known, None for NaN."""
    return [None if value != value else value for value in np.asarray(values).tolist()]


def _clocks(events: Events) -> list[str | None]:
    """Times of day, each as closely as it is known; None where only the day is."""
    within = np.zeros(len(events)) if events.within_days is None else events.within_days
    share = events.time_days % 1
    return [None if w >= 1 else str(Clock(s, max(w, 1e-6 * SECOND))) for s, w in zip(share, within, strict=True)]


def from_events(places: Places, window: Window, events: Events) -> History:
    """A history whose `events` series counts the single events by place and step."""
    seen = History(places, window, events=events)  # that they are of these places and this window
    counts = np.zeros((len(places), window.periods))
    step = np.minimum((events.time_days // window.step).astype(int), window.periods - 1)
    np.add.at(counts, (events.place, step), 1)
    return replace(seen, series={"events": counts})
