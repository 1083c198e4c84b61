"""UCDP Georeferenced Event Dataset: events of organised violence, dated and placed with precision codes.

These are not protests: sizes are unknown and deaths come as an interval. date_prec 1 is a day,
2 two to six days, 3 a week, 4 a month, 5 longer; where_prec 1 and 2 are a place (exact, or within
about 25 km), 3 and 4 a district or province, 5 a line or vague area, 6 a country, 7 water or air.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.data.dates import Unreadable, read_date
from groundswell.data.readers.base import LeftOut, Reader, RowReader, joined, position, refuse_columns
from groundswell.data.readers.raw import Raw

_NEEDED = ("id", "date_start", "date_end", "country", "latitude", "longitude", "best", "low", "high", "where_prec")
_ALSO = ("where_coordinates", "adm_1", "date_prec")
_PRECISION = {"1": "day", "2": "days", "3": "week", "4": "month", "5": "longer"}
_SCOPE = {"1": "place", "2": "place", "3": "region", "4": "region", "5": "region", "6": "national", "7": "national"}


def recognises(columns: Sequence[str]) -> bool:
    """Whether the columns are those of the event dataset (any of its versions)."""
    return set(_NEEDED) <= set(columns)


def prepare(raw: Raw, mapping: Mapping[str, str], rule: str) -> tuple[RowReader, Sequence[str], Sequence[str]]:
    """The row reader; the format's columns are fixed, so a mapping is refused."""
    refuse_columns(raw, mapping, "UCDP GED")
    return (
        _read_row,
        [c for c in (*_NEEDED, *_ALSO) if c in raw.columns],
        ("events of organised violence, not protests",),
    )


READER = Reader(
    "ucdp",
    "UCDP Georeferenced Event Dataset",
    recognises,
    prepare,
    needed=_NEEDED,
    telling=("where_prec", "date_prec", "type_of_violence"),
)


def _read_row(cells: dict[str, str]) -> list[dict[str, Any]]:
    try:
        start, end = read_date(cells["date_start"]), read_date(cells["date_end"])
    except Unreadable as problem:
        raise LeftOut(str(problem), "correct date_start and date_end") from problem
    if end < start:
        raise LeftOut(f"the event ends {end} before it starts {start}", "correct the dates")
    north, east, remark = position(cells["latitude"], cells["longitude"])
    scope = _SCOPE.get(cells["where_prec"], "region")
    low, high, deaths_remark = _deaths(cells)
    name = cells.get("where_coordinates", "")
    return [
        {
            "id": cells["id"],
            "start": start,
            "end": end,
            "precision": _PRECISION.get(cells.get("date_prec", ""), "day" if start == end else "longer"),
            "scope": scope,
            # "Acapulco town" is Acapulco
            "place": re.sub(r" (town|city|village)$", "", name) if scope == "place" else "",
            "place_text": name,
            "region": cells.get("adm_1", ""),
            "country": cells["country"],
            # the centre of a province or country is no place of an event
            "latitude": north if scope == "place" else None,
            "longitude": east if scope == "place" else None,
            "deaths_low": low,
            "deaths_high": high,
            "remark": joined(remark, deaths_remark),
        }
    ]


def _deaths(cells: Mapping[str, str]) -> tuple[float | None, float | None, str]:
    """The interval that holds low, best and high; they are off by one in some rows."""
    try:
        low, best, high = (float(cells[name]) for name in ("low", "best", "high"))
    except ValueError:
        return None, None, "low, best or high is no number; deaths left blank"
    if min(low, best, high) < 0:
        return None, None, "a negative number of deaths stands for a missing one; left blank"
    remark = "" if low <= best <= high else f"deaths are out of order (low {low:g}, best {best:g}, high {high:g})"
    return min(low, best, high), max(low, best, high), remark
