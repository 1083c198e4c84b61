"""The standard event table, as `groundswell data convert` writes it, read back unchanged.

Nothing is interpreted again: an interval that was left open on purpose stays open, whatever the
words beside it say. Row numbers are those of the table being read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.data.clock import read_clock
from groundswell.data.dates import Unreadable, read_date
from groundswell.data.readers.base import EVENT_COLUMNS, LATER_COLUMNS, PRECISIONS, LeftOut, Reader, RowReader
from groundswell.data.readers.raw import Raw
from groundswell.errors import DataError

NEEDED = tuple(name for name in EVENT_COLUMNS if name not in LATER_COLUMNS)

_NUMBERS = (
    "latitude", "longitude", "x_km", "y_km", "population", "size_low", "size_high", "arrests", "deaths_low",
    "deaths_high",
)  # fmt: skip
_TEXTS = ("id", "part_of", "place", "place_text", "region", "country", "size_text", "arrests_text", "remark")


def recognises(columns: Sequence[str]) -> bool:
    """Whether every standard column is there, those that came later aside."""
    return set(NEEDED) <= set(columns)


def prepare(raw: Raw, mapping: Mapping[str, str], rule: str) -> tuple[RowReader, Sequence[str], Sequence[str]]:
    """The row reader; the columns are fixed, so a mapping is refused."""
    if mapping:
        raise DataError(f"{raw.name} is a standard event table, whose columns are known; leave the mapping out.")
    return _read_row, EVENT_COLUMNS, ()


READER = Reader(
    "standard",
    "a standard event table of groundswell",
    recognises,
    prepare,
    needed=NEEDED,
    telling=("precision", "scope", "place_text"),
    enough=3,
)


def _read_row(cells: dict[str, str]) -> list[dict[str, Any]]:
    event: dict[str, Any] = {name: cells[name] for name in _TEXTS}
    cells = dict.fromkeys(LATER_COLUMNS, "") | cells
    try:
        event |= {"start": read_date(cells["start"]), "end": read_date(cells["end"])}
    except Unreadable as problem:
        raise LeftOut(str(problem), "write dates as 2020-05-30") from problem
    try:
        event["time"] = str(read_clock(cells["time"])) if cells["time"] else None
    except Unreadable as problem:
        raise LeftOut(str(problem), "correct it, or leave the cell empty") from problem
    if event["end"] < event["start"]:
        raise LeftOut(f"the event ends {event['end']} before it starts {event['start']}", "correct the dates")
    for name in _NUMBERS:
        try:
            event[name] = float(cells[name]) if cells[name] else None
        except ValueError as problem:
            raise LeftOut(f'{name} "{cells[name]}" is no number', "correct it, or leave the cell empty") from problem
        if event[name] is not None and not abs(event[name]) < float("inf"):
            raise LeftOut(f'{name} "{cells[name]}" is not finite', "leave the cell empty")
    for name, known in (("precision", tuple(PRECISIONS)), ("scope", ("place", "region", "national"))):
        if cells[name] not in known:
            raise LeftOut(f'{name} "{cells[name]}" is not known', f"use one of {', '.join(known)}")
        event[name] = cells[name]
    if abs(event["latitude"] or 0) > 90 or abs(event["longitude"] or 0) > 180:
        raise LeftOut(
            f"position {cells['latitude']}, {cells['longitude']} lies outside the Earth's degrees", "correct it"
        )
    event["arrests_any"] = {"true": True, "false": False}.get(cells["arrests_any"].lower())
    return [event]
