"""Any plain table of events, by a mapping of its columns; the columns' usual names are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from groundswell.data.clock import Clock, clock_of
from groundswell.data.dates import Unreadable, day_comes_first, read_date
from groundswell.data.readers.base import (
    LeftOut,
    Reader,
    RowReader,
    arrested,
    at_places,
    count_in,
    joined,
    missing,
    names_persons,
    position,
    sized,
)
from groundswell.data.readers.counts import EACH, counted, each_of, holds_counts, how_many, last_day
from groundswell.data.readers.numbers import number_in
from groundswell.data.readers.raw import Raw
from groundswell.data.record import perhaps_claims
from groundswell.errors import DataError, nearest

FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "event_id", "event_id_cnty", "eventid", "data_id"),
    "start": (
        "start", "start_date", "date_start", "event_date", "date", "day", "eventdate", "first_date", "datetime",
        "date_time", "event_datetime", "timestamp",
    ),
    "end": ("end", "end_date", "date_end", "enddate", "last_date"),
    "time": ("time", "event_time", "time_of_day", "start_time", "hour"),
    "place": ("place", "city", "locality", "town", "municipality", "asciiname", "place_name", "placename", "location"),
    "region": ("admin1", "adm_1", "province", "state", "stateterritory", "region"),
    "country": ("country", "country_name"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "long", "lng"),
    "x_km": ("x_km",),
    "y_km": ("y_km",),
    "population": ("population",),
    "size": ("size_text", "size", "participants", "attendees", "numparticipants", "crowd_size"),
    "size_low": ("size_low",),
    "size_high": ("size_high",),
    "arrests": ("arrests", "arrests_text", "arrested"),
    "events": ("events", "n_events", "event_count", "count"),
}  # fmt: skip
"""Field -> the column names under which it is looked for, in that order, case and signs aside.

With `events` a row says how many events there were, 0 included; without it a row is one event.
"""

ASIDE = "none"
"""What a mapping of `time` says to leave times of day aside."""

CHOICES: Mapping[str, tuple[str, ...]] = {"first": ("day", "month"), "counts": EACH}
"""What a mapping may hold that is no column: the order of a date's numbers, and what a row of counts covers."""


def prepare(raw: Raw, mapping: Mapping[str, str], rule: str) -> tuple[RowReader, Sequence[str], Sequence[str]]:
    """The row reader for this table's columns; DataError where no date or no place can be found."""
    column = _columns(raw, mapping)
    dates = [text for field in ("start", "end") if field in column for text in raw.column(column[field])]
    day_first = {"day": True, "month": False}.get(mapping.get("first", ""), day_comes_first(dates))
    clock, notes = _clock(raw, column, mapping)
    if "events" in column and "events" not in mapping and not holds_counts(raw.column(column["events"])):
        notes.append(f'"{column.pop("events")}" holds no numbers of events, so each row is one event')
    if "events" not in column and "counts" in mapping:
        raise DataError(
            f"{raw.name}: the mapping says what a row counts, but no column is known as the number of events. Say "
            "which one it is, as in events=n."
        )
    notes.insert(0, "read as " + ", ".join(f"{field} = {name}" for field, name in column.items()))
    if day_first is not None and "first" not in mapping and day_comes_first(dates) is not None:
        notes.append(
            f"dates with two numbers are {'day/month' if day_first else 'month/day'}, as the column itself shows"
        )

    each = _each(raw, column, mapping, day_first) if "events" in column else None

    def read_row(cells: dict[str, str]) -> list[dict[str, Any]]:
        given = {field: cells[name] for field, name in column.items()}
        start, end = _days(given, day_first)
        time, time_remark = _time(given["time" if "time" in column else "start"], clock)
        number = how_many(given["events"], column["events"]) if each is not None else None
        if each is not None and missing(given.get("end", "")):
            end = last_day(start, each)
        north, east, remark = position(given.get("latitude", ""), given.get("longitude", ""))
        place, region, country = ("" if missing(given.get(f, "")) else given[f] for f in ("place", "region", "country"))
        x, y, map_remark = _on_map(given.get("x_km", ""), given.get("y_km", ""))
        if not (place or region or country or north is not None or x is not None):
            raise LeftOut(joined("no place, region, country or position", remark, map_remark), "fill one in")
        size = sized(given.get("size", ""), rule)
        low, low_remark = count_in(given.get("size_low", ""), "size_low")
        high, high_remark = count_in(given.get("size_high", ""), "size_high")
        if low is not None or high is not None:  # figures in columns of their own go before the text's reading
            size |= {"size_low": low, "size_high": high, "remark": ""}
        arrests = arrested(given.get("arrests", ""), rule)
        unread = arrests and arrests["arrests_any"] is None
        arrests_remark = f'arrests "{arrests["arrests_text"]}" state no number of persons' if unread else ""
        persons, person_remark = count_in(given.get("population", ""), "population")
        event = {
            "id": given.get("id", ""),
            "start": start,
            "end": end,
            "time": time,
            "precision": "day",
            "region": region,
            "country": country,
            "latitude": north,
            "longitude": east,
            "x_km": x,
            "y_km": y,
            "population": persons if persons else None,
            **size,
            **arrests,
            "remark": joined(
                time_remark, remark, map_remark, size["remark"], arrests_remark, low_remark, high_remark, person_remark
            ),
        }
        if number is not None:
            event = counted(event, number)
        if place:
            parts = at_places(event, place)
            if len(parts) > 1 and number not in (None, 0, 1):
                raise LeftOut(f'{number} events are counted together in "{place}"', "give each place a row of its own")
            return parts
        exact = north is not None or x is not None
        return [event | {"scope": "place" if exact else "region" if region else "national"}]

    return read_row, list(column.values()), notes


READER = Reader("table", "a plain table of events", lambda columns: True, prepare)


def _columns(raw: Raw, mapping: Mapping[str, str]) -> dict[str, str]:
    """Field -> column, the user's mapping first."""
    if wrong := [field for field in mapping if field not in FIELDS and field not in CHOICES]:
        raise DataError(
            f'the mapping names "{wrong[0]}", which is no field.{nearest(wrong[0], FIELDS)} '
            f"Fields: {', '.join(FIELDS)}.{perhaps_claims(raw.columns)}"
        )
    if mapping.get("first", "day") not in CHOICES["first"]:
        raise DataError(
            f'the mapping has first = "{mapping["first"]}"; expected "day" (30/05/2020) or "month" (05/30/2020).'
        )
    if mapping.get("counts", "day") not in CHOICES["counts"]:
        raise DataError(
            f'the mapping has counts = "{mapping["counts"]}"; expected "day", "week" or "month": what a row counts.'
        )
    plain = {re.sub(r"\W+", "_", name.lower()).strip("_"): name for name in reversed(raw.columns)}
    column: dict[str, str] = {}
    for field, usual in FIELDS.items():
        if field == "time" and mapping.get(field) == ASIDE:
            continue
        if field in mapping:
            column[field] = _mapped(raw, field, mapping[field])
        elif known := [plain[name] for name in usual if name in plain and plain[name] not in mapping.values()]:
            column[field] = known[0]
    if "start" not in column and "time" in column and any(map(_is_date, raw.column(column["time"])[:20])):
        column = {"start": column.pop("time"), **column}  # a column "time" of dates with their times
    for field, example in (("start", "event_date"), ("place", "city")):
        enough = column.keys() & ({"start"} if field == "start" else {"place", "region", "country", "latitude", "x_km"})
        if not enough:
            raise DataError(
                f"{raw.name}: no column is known as the event's {'date' if field == 'start' else 'place'}. "
                f"Its columns: {', '.join(raw.columns[:40])}. Say which one it is, as in {field}={example}."
                f"{perhaps_claims(raw.columns)}"
            )
    for pair in (("latitude", "longitude"), ("x_km", "y_km")):
        if len(column.keys() & pair) == 1:
            column.pop(pair[0], None)
            column.pop(pair[1], None)
    return column


def _mapped(raw: Raw, field: str, name: str) -> str:
    if name not in raw.columns:
        raise DataError(
            f'{raw.name} has no column "{name}" (for {field}).{nearest(name, raw.columns)} '
            f"Its columns: {', '.join(raw.columns[:40])}."
        )
    if names_persons(name):
        raise DataError(
            f'{raw.name}: column "{name}" may name private persons and is not read as {field}. '
            "Copy what is needed into a column of its own, without names."
        )
    return name


def _each(raw: Raw, column: Mapping[str, str], mapping: Mapping[str, str], day_first: bool | None) -> str | int:
    """What a row of counts covers: as the mapping says, else as the dates show."""
    if "counts" in mapping:
        return {"day": 1, "week": 7, "month": "month"}[mapping["counts"]]
    days = []
    for text in dict.fromkeys(raw.column(column["start"])):
        try:
            days.append(read_date(text, day_first))
        except Unreadable:
            continue
    return each_of(days)


def _is_date(text: str) -> bool:
    try:
        return bool(read_date(text, True))
    except Unreadable:
        return False


def _clock(
    raw: Raw, column: dict[str, str], mapping: Mapping[str, str]
) -> tuple[Callable[[str], Clock] | None, list[str]]:
    """How times of day are read, from their own column or behind the dates, and notes; a column without is let go."""
    if mapping.get("time") == ASIDE:
        return None, ["times of day are left aside, as the mapping says"]
    alone = "time" in column
    name = column["time" if alone else "start"]
    clock, notes = clock_of([text for text in raw.column(name) if not missing(text)], name, alone)
    if clock is None:
        column.pop("time", None)
    return clock, notes


def _time(text: str, clock: Callable[[str], Clock] | None) -> tuple[str | None, str]:
    """The time of day as the standard table writes it, and a remark where there is none among others that have one."""
    if clock is None:
        return None, ""
    if missing(text):
        return None, "no time of day; known to the day only"
    try:
        return str(clock(text)), ""
    except Unreadable as problem:
        return None, f"{problem}; known to the day only"


def _on_map(across: str, up: str) -> tuple[float | None, float | None, str]:
    """(x, y, remark), km on a plane map; both None where the cells are no pair of numbers."""
    if missing(across) and missing(up):
        return None, None, ""
    try:
        x, y = number_in(across), number_in(up)
    except ValueError:
        x = y = float("nan")
    if not (abs(x) < float("inf") and abs(y) < float("inf")):
        return None, None, f'position "{across}", "{up}" km is no pair of numbers; left blank'
    return x, y, ""


def _days(given: Mapping[str, str], day_first: bool | None) -> tuple[Any, Any]:
    remedy = "write dates as 2020-05-30, or say first=day or first=month"
    try:
        start = read_date(given["start"], day_first)
        end = start if missing(given.get("end", "")) else read_date(given["end"], day_first)
    except Unreadable as problem:
        raise LeftOut(str(problem), remedy) from problem
    if end < start:
        raise LeftOut(f"the event ends {end} before it starts {start}", "correct the dates")
    return start, end
