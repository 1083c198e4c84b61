"""ACLED exports: dated and placed with precision codes, revised over time, of many kinds of event.

Read by default are protests and riots; battles and the rest are left out unless `keep` names them. One
event may stand in a file several times, since exports are joined and events are corrected: the newest
timestamp of an event_id_cnty counts. time_precision 1 is a day, 2 a week or weekend, 3 a month;
geo_precision 1 is a town, 2 a part of a region for which a town stands, 3 a larger region, placed at a
provincial capital. Older files write their columns in UPPER CASE.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.data.dates import Unreadable, day_comes_first, read_date
from groundswell.data.readers.base import (
    LeftOut,
    Reader,
    RowReader,
    columns_of,
    count_in,
    joined,
    keeper,
    missing,
    position,
    refuse_columns,
    sized,
)
from groundswell.data.readers.raw import Raw

_NEEDED = ("event_date", "event_type", "country", "location")
_IDS = ("event_id_cnty", "event_id_no_cnty", "data_id")
_ALSO = ("latitude", "longitude", "time_precision", "geo_precision", "admin1", "fatalities", "tags", "timestamp")
_PRECISION = {"1": "day", "2": "week", "3": "month"}
_PROTESTS = "Protests; Riots; Riots/Protests"
"""The last is the one type that files of before 2019 have (recalled)."""


def recognises(columns: Sequence[str]) -> bool:
    """Whether the columns are those of an export, old or new."""
    have = {column.lower() for column in columns}
    return set(_NEEDED) <= have and not have.isdisjoint(_IDS)


def prepare(raw: Raw, mapping: Mapping[str, str], rule: str) -> tuple[RowReader, Sequence[str], Sequence[str]]:
    """The row reader; the columns are fixed, so a mapping may hold `keep` alone."""
    refuse_columns(raw, mapping, "ACLED data", "keep")
    # data_id changes with every export and event_id_no_cnty repeats, so neither tells events apart
    column = columns_of(raw, (*_NEEDED, "event_id_cnty", *_ALSO))
    keep, kept = keeper(mapping, _PROTESTS, "event_type")
    day_first = day_comes_first(raw.column(column["event_date"])) is not False
    placed = {"latitude", "longitude"} <= column.keys()
    newest = _newest(raw, column)
    taken: set[str] = set()

    def read_row(cells: dict[str, str]) -> list[dict[str, Any]]:
        given = {name: cells[column[name]] if name in column else "" for name in (*_NEEDED, *_ALSO, "event_id_cnty")}
        identity = given["event_id_cnty"]
        if identity:
            edited, row = newest[identity]
            if _edited(given["timestamp"]) < edited:
                raise LeftOut(f"an older version of {identity}, replaced by row {row}", "nothing")
            if identity in taken:
                raise LeftOut(f"{identity} stands in row {row} already", "nothing")
            taken.add(identity)
        keep(*filter(None, [given["event_type"]]))
        try:
            day = read_date(given["event_date"], day_first)
        except Unreadable as problem:
            raise LeftOut(str(problem), "correct event_date") from problem
        north, east, remark = position(given["latitude"], given["longitude"]) if placed else (None, None, "")
        size = sized(_crowd(given["tags"]), rule)
        low, high, deaths_remark = _deaths(given["fatalities"])
        return [
            {
                "id": identity,
                "start": day,
                "end": day,
                "precision": _PRECISION.get(given["time_precision"], "day"),
                **_where(given, north, east),
                **size,
                "deaths_low": low,
                "deaths_high": high,
                "remark": joined(remark, "" if size["size_text"] == "no report" else size["remark"], deaths_remark),
            }
        ]

    notes = (
        kept,
        *(() if placed else ("without latitude and longitude, so places are found by their names",)),
        "ACLED's terms of use forbid giving its rows to others: pass on counts and results, not this file or its copy",
        'a location "City - District" counts for its city; place_text has it in full',
    )
    return read_row, list(column.values()), notes


READER = Reader(
    "acled",
    "ACLED (Armed Conflict Location & Event Data)",
    recognises,
    prepare,
    options=("keep",),
    needed=(*_NEEDED, " or ".join(_IDS)),
    telling=("event_id_cnty", "event_id_no_cnty", "sub_event_type"),
)


def _newest(raw: Raw, column: Mapping[str, str]) -> dict[str, tuple[float, int]]:
    """id -> (last edit, row) of the version of each event that counts; the first of two edited at once."""
    found: dict[str, tuple[float, int]] = {}
    if "event_id_cnty" in column:
        for row, cells in raw.dictionaries():
            identity = cells[column["event_id_cnty"]]
            edited = _edited(cells[column["timestamp"]] if "timestamp" in column else "")
            if identity not in found or edited > found[identity][0]:
                found[identity] = edited, row
    return found


def _edited(timestamp: str) -> float:
    """Unix seconds of the last edit; 0, older than any, where the cell is no number."""
    try:
        seconds = float(timestamp)
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < float("inf") else 0.0


def _where(given: Mapping[str, str], north: float | None, east: float | None) -> dict[str, Any]:
    """Scope, place and position; the provincial capital that stands for a region is no place of an event."""
    location, region, country = (
        "" if missing(given[name]) else given[name] for name in ("location", "admin1", "country")
    )
    near = given["geo_precision"] != "3" and bool(location or north is not None)
    if not (near or region or country):
        raise LeftOut("no location, admin1, country or position", "fill one in")
    return {
        "scope": "place" if near else "region" if region else "national",
        "place": re.split(r"\s-\s", location)[0].strip() if near else "",
        "place_text": location,
        "region": region,
        "country": country,
        "latitude": north if near else None,
        "longitude": east if near else None,
    }


def _crowd(tags: str) -> str:
    """What the tags say of the crowd's size, "about 200" of "crowd size=about 200; ..."."""
    found = re.search(r"(?i)\bcrowd size\s*=\s*([^;]*)", tags)
    return found[1].strip() if found else ""


def _deaths(text: str) -> tuple[float | None, float | None, str]:
    """The one number that the file has; 0 also stands for "not known", so no upper end goes with it."""
    count, remark = count_in(text, "fatalities")
    return count, count or None, remark
