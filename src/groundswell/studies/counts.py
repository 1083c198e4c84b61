"""A source's own counts of events beside the claims of a study: from a table to what is weighed.

Rows are read and placed as everywhere (`data.readers`); what is added is where and when the source looked, for a day
without a row says that nothing happened only if somebody would have seen it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.evidence import Evidence
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.readers import ReadEvents, read_events, to_history
from groundswell.data.readers.histories import in_country
from groundswell.data.record import Record
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError

LOOKED = ("all", "listed", "rows")
"""Where a source looked: in every place of the study, in the places that its table names, or on the place-days that it
has a row of."""

SHOWN = 3
"""Rows that are not used which a note names; the others stand in the table."""


@dataclass(frozen=True, eq=False)
class Counts:
    """What a source listed, and where and when it looked.

    history : its events by place and day; `weighed` where it looked. Of the first day, which models are given, only
    places with events are weighed: there as many started. detection : the share of what happened that it lists.
    unused : rows that are not used, or by a judgement, with the reason. notes : all of it in sentences.
    """

    name: str
    history: History
    detection: float
    unused: Table
    notes: tuple[str, ...]

    def beside(self, record: Record) -> Evidence:
        """Claims and these counts, to be weighed together."""
        return Evidence(record, self.history, self.detection)

    @property
    def looked(self) -> np.ndarray:
        """(P, T) where and when the source looked, without the first day, which is given."""
        looked = np.array(self.history.weighed)
        looked[:, 0] = False
        return looked

    def summed(self, seen: np.ndarray) -> dict[str, float]:
        """The `features` of what is seen (P, T), of the days on which the source looked."""
        return features(seen[:, self.looked.any(axis=0)])

    @property
    def first(self) -> tuple[str, ...]:
        """Places with an event on the first day."""
        return tuple(self.history.places.name[p] for p in np.flatnonzero(self.history["events"][:, 0]))


def read_counts(
    path: Path, places: Places, window: Window, *, looked: str | Sequence[str], start: date | None = None,
    end: date | None = None, detection: float = 1.0, columns: Mapping[str, str] | None = None, country: str = "",
) -> Counts:  # fmt: skip
    """Counts from a table of events (one a row) or of counts (`date`, `place`, `events`), as `read_events` reads it.

    looked : of LOOKED, or names of places, regions or countries. start, end : days on which the source looked; the
    whole window without them. columns : field -> column, where names are unusual. country : of events that name none;
    those of others are not used. DataError for a file that cannot be read, counts of longer than a day, and a source
    that looked nowhere; UsageError for days outside the window.
    """
    first, last = _days(path.name, window, start, end)
    read = read_events(path, columns)
    if read.period not in (None, 1):
        raise DataError(
            f"{path.name} counts events over {read.period} days, as its dates show, and a study is made day by day. "
            "Write each count as a claim on `events`, with its first and last day and its source as the speaker; or "
            'give a table by day. If it is one, say so under [counts]: map = { counts = "day" }.'
        )
    _, history, placed = to_history(read, places, window, country=country or None)
    cells = _cells(read, looked, places, window, country, history)
    cells[:, :first], cells[:, last + 1 :] = False, False
    events = history["events"]
    elsewhere = np.where(cells, 0, events)
    given = np.where(cells, events, 0)
    cells[:, 0] &= given[:, 0] > 0
    if not cells[:, 1:].any():
        raise DataError(
            f"{path.name}: the source looked at no place on a day after the study's first, {window.start}, which is "
            "given. Check `places`, `start` and `end` under [counts] in study.toml."
        )
    kept = History(places, window, {"events": given}, weighed=cells)
    unused = _unused(read, placed, country)
    made = Counts(path.name, kept, detection, unused, ())
    return replace(made, notes=(*read.warnings, _held(made), *_left(made, elsewhere)))


def _days(name: str, window: Window, start: date | None, end: date | None) -> tuple[int, int]:
    """First and last day on which the source looked."""
    first, last = window.day(start or window.start), window.day(end or window.end)
    if not 0 <= first <= last < window.days:
        raise UsageError(
            f"study.toml: counts: {name} is said to look from {start or window.start} to {end or window.end}; expected "
            f"days of the study, {window.start} to {window.end}, the first before the last."
        )
    return first, last


def _cells(
    read: ReadEvents, looked: str | Sequence[str], places: Places, window: Window, country: str, history: History
) -> np.ndarray:
    """(P, T) where the source looked."""
    cells = np.zeros(history["events"].shape, dtype=bool)
    if looked == "all":
        cells[:] = True
    elif isinstance(looked, str):
        if looked == "rows" and read.period is None:
            raise UsageError(
                f'study.toml: counts: places = "rows" is for a table of counts by day that has rows of 0; {read.name} '
                'has one row an event. Say "listed", "all" or the names of the places where its source looked.'
            )
        every = Table.from_rows([*read.events.rows(), *read.quiet.rows()], tuple(read.events.columns))
        rows = replace(read, events=every, quiet=Table.from_rows([], tuple(read.quiet.columns)))
        # a place that the table names on another day only is one that its source looked at
        inside = window if looked == "rows" else None
        named = np.asarray(to_history(rows, places, inside, country=country or None)[1]["events"]) > 0
        cells[:] = named if looked == "rows" else np.any(named, axis=1)[:, None]
    else:
        for name in looked:
            cells[places.covered_by(name)] = True
    return cells


def _unused(read: ReadEvents, placed: Table, country: str) -> Table:
    """Every row that is not used, or by a judgement, with the reason."""
    abroad = [
        {"row": event["row"], "id": event["id"], "reason": f"it is of {event['country']}", "remedy": ""}
        for event in read.events.rows()
        if not in_country(event, country or None)
    ]
    lines = [{"id": "", **line} for line in read.left_out.rows()] + abroad
    lines = [{**line, "outcome": "left out"} for line in lines]
    columns = ("row", "id", "outcome", "reason", "remedy")
    return Table.from_rows(sorted([*lines, *placed.rows()], key=lambda line: (line["row"], line["id"])), columns)


def _held(made: Counts) -> str:
    """What the counts hold, in a sentence."""
    history, looked = made.history, np.array(made.history.weighed)
    days = [history.window.date(int(day)) for day in np.flatnonzero(looked.any(axis=0))[[0, -1]]]
    events = history["events"]
    found = (
        f"counts ({made.name}): {_events(events.sum())} in {(events > 0).any(axis=1).sum():,} of the "
        f"{looked.any(axis=1).sum():,} places where the source looked ({len(history.places):,} in the study), "
        f"{days[0]} to {days[1]}; taken to be {100 * made.detection:.4g} % of the events there"
    )
    if made.first:
        found += f". The first day is given, and starts in {', '.join(made.first)} with the events listed"
    return found


def _left(made: Counts, elsewhere: np.ndarray) -> list[str]:
    """What of the table is not weighed, in sentences."""
    found = []
    if elsewhere.any():
        found.append(
            f"counts ({made.name}): not weighed are {_events(elsewhere.sum())} where, or when, the source is not said "
            "to have looked ([counts] in study.toml)"
        )
    fates = {"left out": "not used", "assumed": "used by a judgement", "not used": "without an event, and not used"}
    for outcome, words in fates.items():
        lines = [line for line in made.unused.rows() if line["outcome"] == outcome]
        if lines:
            shown = list(dict.fromkeys((line["row"], line["reason"]) for line in lines))
            told = "; ".join(f"row {row}: {why}" for row, why in shown[:SHOWN])
            found.append(
                f"counts ({made.name}): {words}, {len(lines):,}: {told}" + ("; ..." if len(shown) > SHOWN else "")
            )
    return found


def _events(number: float) -> str:
    return f"{number:,.0f} event{'' if number == 1 else 's'}"


def listed(history: History, counts: Counts, rng: np.random.Generator) -> np.ndarray:
    """(P, T) what the same source would have listed of another history, each event by chance; 0 where it did not look.

    The first day's are not counted: they are given.
    """
    return np.where(counts.looked, rng.binomial(history["events"].astype(np.int64), counts.detection), 0)


def features(seen: np.ndarray) -> dict[str, float]:
    """What counts (P, T) come to, by name: by these a source's list is compared with what is expected of it.

    "later half" : of the days, the middle one of an odd number left out.
    """
    by_place, by_day = seen.sum(axis=1), seen.sum(axis=0)
    return {
        "events": float(seen.sum()),
        "places": float((by_place > 0).sum()),
        "busiest day": float(by_day.max()),
        "busiest place": float(by_place.max()),
        "later half": float(by_day[(len(by_day) + 1) // 2 :].sum()),
    }


def told(counts: Counts) -> dict[str, Any]:
    """What the counts hold, for a result."""
    history, looked = counts.history, np.array(counts.history.weighed)
    return {
        "file": counts.name,
        "detection": counts.detection,
        "events": float(history["events"].sum()),
        "active_places": int((history["events"] > 0).any(axis=1).sum()),
        "places": int(looked.any(axis=1).sum()),
        "of_places": len(history.places),
        "place_days": int(counts.looked.sum()),
        "first_day": list(counts.first),
        "unused": list(counts.unused.rows()),
        "words": list(counts.notes),
    }
