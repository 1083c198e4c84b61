"""Readers of event files: a file, or a data frame, in; the standard event table out.

A new format is one file with a `READER`, and one line in the table below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from groundswell.data.readers.base import EVENT_COLUMNS, PRECISIONS, Reader, ReadEvents, names_persons
from groundswell.data.readers.histories import to_history
from groundswell.data.readers.raw import Raw, read_raw
from groundswell.data.readers.table import CHOICES
from groundswell.data.record import is_claims_table
from groundswell.data.sizes import size_rule
from groundswell.errors import DataError, UsageError, nearest

__all__ = [
    "EVENT_COLUMNS",
    "PRECISIONS",
    "Raw",
    "ReadEvents",
    "Reader",
    "read_events",
    "read_raw",
    "reader_for",
    "to_history",
]

SOURCES = ("standard", "mass_mobilization", "ucdp", "acled", "gdelt", "ccc", "count_love", "table")
"""In the order in which they are asked whether the columns are theirs; `table` takes anything."""


def read_events(
    path: Any,
    mapping: Mapping[str, str] | None = None,
    source: str | None = None,
    rule: str = "wide",
    also: Sequence[str] = (),
) -> ReadEvents:
    """Events from a file (CSV, TSV, JSON, Parquet; plain, gzip or zip) or a pandas, polars or arrow table.

    mapping : field -> column for a plain table, {"start": "Datum", "place": "Ort"}; fields are start,
    end, time, place, region, country, latitude, longitude, x_km, y_km, population, size, size_low, size_high, arrests
    and id; {"first": "day"} says that 03/04/2020 is 3 April. Usual names are known without it. For a known
    format {"keep": "Battles; Riots"} chooses the kinds of event that are read, {"keep": "all"} takes them all.
    source : one of SOURCES; without it the columns decide.
    rule : how sizes in words are read, see `groundswell.data.sizes.RULES`.
    also : further columns of the file, or of EVENT_COLUMNS, that events have along (`base.carried` names the file's).
    Rows that give no event are in `left_out`, with the reason; the file as a whole is refused with a
    DataError when it is missing, empty, no table, or has no column for a date or a place.
    """
    size_rule(rule)
    raw = path if isinstance(path, Raw) else read_raw(path)
    mapped = dict(mapping or {})
    reader = reader_for(raw, source, mapped)
    return reader.read(raw, mapped, rule, _carried(raw, reader, also))


def reader_for(raw: Raw, source: str | None = None, mapping: Mapping[str, str] | None = None) -> Reader:
    """The named reader, or the first that recognises the columns; a mapping of columns means a plain table.

    DataError for a table of claims, unless a reader is named or columns are mapped: its rows are figures and no events.
    """
    if source is not None and source not in SOURCES:
        raise UsageError(
            f'no reader is called "{source}".' + nearest(source, SOURCES) + f" Known: {', '.join(SOURCES)}."
        )
    if source is None and not set(mapping or ()) - set(CHOICES) and is_claims_table(raw.columns):
        raise DataError(
            f"{raw.name} is a table of claims (quantity, value, stance, speaker): a row is what somebody said, and no "
            f"event. Make a study around it: groundswell study new FOLDER --from {raw.name}. If each row is an event "
            "all the same, say which columns are its date and place (--map start=start --map place=place), or "
            "--source table where the command takes it."
        )
    readers: list[Reader] = [import_module(f"groundswell.data.readers.{name}").READER for name in SOURCES]
    found = next(r for r in readers if r.name == source or (source is None and r.recognises(raw.columns)))
    if not found.recognises(raw.columns):
        raise DataError(
            f"{raw.name} has not the columns of {found.title}{_lacking(found, raw)}. Its columns: "
            f"{', '.join(raw.columns[:40])}. Leave the source out, so that the columns decide."
        )
    plain = readers[-1]
    if source is None and set(mapping or ()) - set(found.options):
        return plain
    if source is None and found is plain and (meant := next((r for r in readers if r.is_meant(raw.columns)), None)):
        raise DataError(
            f"{raw.name} has columns of {meant.title}, but not all that are needed{_lacking(meant, raw)}. As a plain "
            "table every row would count as an event, whatever kind of event it is. Add what is missing, or ask for "
            'the plain table: --source table (source="table"), or a mapping of columns.'
        )
    return found


def _carried(raw: Raw, reader: Reader, also: Sequence[str]) -> list[str]:
    """Those of the columns that are the file's own; DataError for one that is nowhere, or may name persons."""
    for name in also:
        if name not in raw.columns and name not in EVENT_COLUMNS:
            raise DataError(
                f'{raw.name} has no column "{name}".{nearest(name, raw.columns)} '
                f"Its columns: {', '.join(raw.columns[:40])}."
            )
        if names_persons(name) or name.lower() in reader.persons:
            raise DataError(
                f'{raw.name}: column "{name}" may name private persons and is not read. Copy what is needed into a '
                "column of its own, without names."
            )
    return [name for name in dict.fromkeys(also) if name in raw.columns]


def _lacking(reader: Reader, raw: Raw) -> str:
    lacks = reader.lacks(raw.columns)
    return f": it lacks {', '.join(lacks)}" if lacks else ": they are spelled otherwise (in another case)"
