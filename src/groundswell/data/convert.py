"""Any readable file into the standard event table; named recipes for data in several files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundswell.data.dates import Unreadable, read_date
from groundswell.data.readers import EVENT_COLUMNS, ReadEvents, read_events, read_raw
from groundswell.data.readers.base import arrested, joined, position, sized
from groundswell.data.readers.raw import Raw
from groundswell.data.sizes import size_rule
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError, nearest


@dataclass(frozen=True)
class Recipe:
    """A named way from the files of one data set to the standard event table."""

    name: str
    doc: str
    files: tuple[str, ...]
    read: Callable[[Path, str], ReadEvents]


def convert(
    source: Path,
    recipe: str | None = None,
    mapping: Mapping[str, str] | None = None,
    rule: str = "wide",
    reader: str | None = None,
) -> ReadEvents:
    """The events of a file, or by a recipe those of a folder; write them with `.events.write(path)`.

    A mapping belongs to a plain file, and so does the name of a reader; a recipe knows its own columns.
    """
    if recipe is None:
        if Path(source).is_dir():
            raise UsageError(f"{source} is a folder; give a file, or a recipe: {', '.join(RECIPES)}.")
        return read_events(source, mapping, reader, rule)
    if recipe not in RECIPES:
        raise UsageError(
            f'no recipe is called "{recipe}".' + nearest(recipe, RECIPES) + f" Known: {', '.join(RECIPES)}."
        )
    if mapping or reader:
        raise UsageError(f"the recipe {recipe} knows its columns; leave the mapping and the source out.")
    size_rule(rule)
    return RECIPES[recipe].read(Path(source), rule)


FLOYD_TRIGGER = "2020-05-25"
"""The day of the death that the protests answer. Entries that name it tell of the cause, not of a
protest (the data set's own notes), so the recipe makes no event of it."""


def read_floyd(folder: Path, rule: str = "wide") -> ReadEvents:
    """The localities of May and June 2020: one event for each locality and day that a list names.

    The same list was saved on several days (vintages); an event belongs to the first vintage that
    names its locality and day, kept as `first_listed`, so the events known on a day can be told from
    those added later. A size or arrest figure is told of a whole entry: it becomes an interval only
    where the entry names one day; else the words stay and the interval is left open.
    """
    names = ("localities_by_vintage.csv.gz", "localities.csv.gz")
    entries, localities = (read_raw(_either(folder, name)) for name in names)
    _need(entries, "state", "locality", "vintage", "dates", "size_text", "arrest_text")
    _need(localities, "state", "locality", "lat", "lon", "population")
    where = {(cells["state"], cells["locality"]): cells for _, cells in localities.dictionaries()}
    events: list[dict[str, Any]] = []
    left = [{"row": row, "reason": why, "remedy": ""} for row, why in entries.broken]
    known: set[tuple[str, str, str]] = set()
    triggers = 0
    for row, cells in sorted(entries.dictionaries(), key=lambda line: (line[1]["vintage"], line[0])):
        key = (cells["state"], cells["locality"])
        named = list(dict.fromkeys(text.strip() for text in cells["dates"].split(";") if text.strip()))
        days = [day for day in named if day != FLOYD_TRIGGER]
        triggers += len(named) - len(days)
        new = [day for day in days if (*key, day) not in known]
        try:
            dated = {day: read_date(day) for day in new}
        except Unreadable as problem:
            left.append({"row": row, "reason": str(problem), "remedy": "write dates as 2020-05-30, joined by ;"})
            continue
        if not new:
            reason, remedy = "an earlier vintage names its days already", "nothing; they are read there"
            if not days:
                reason, remedy = "the entry names no day", "look the day up in its sources"
            left.append({"row": row, "reason": reason, "remedy": remedy})
            continue
        shared = _entry(cells, where.get(key, {}), rule, single=len(days) == 1)
        for day in new:
            known.add((*key, day))
            label = f"{cells['state']}/{cells['locality']}/{day}"
            events.append({"row": row, "id": label, "part_of": "", "start": dated[day], "end": dated[day], **shared})
    events.sort(key=lambda event: (event["start"], event["id"]))
    left.sort(key=lambda line: line["row"])
    notes = (
        *entries.notes,
        f"{len(known)} locality-days; a day belongs to the first vintage that names it",
        f"{triggers} mentions of {FLOYD_TRIGGER} tell of the cause, not of a protest, and give no event",
        "a day may belong to a curfew or to a later event: dates were taken from text by pattern",
        f"{sum(event['latitude'] is None for event in events)} events have no position (locality not matched)",
    )
    return ReadEvents(
        "floyd",
        str(folder),
        len(entries),
        Table.from_rows(events, (*EVENT_COLUMNS, "first_listed")),
        Table.from_rows(left, ("row", "reason", "remedy")),
        notes,
    )


RECIPES: Mapping[str, Recipe] = {
    "floyd": Recipe(
        "floyd",
        "US localities of May and June 2020: two files of a folder and ;-joined dates into one event table",
        ("localities.csv.gz", "localities_by_vintage.csv.gz"),
        read_floyd,
    )
}


def _entry(cells: Mapping[str, str], at: Mapping[str, str], rule: str, single: bool) -> dict[str, Any]:
    north, east, remark = position(at.get("lat", ""), at.get("lon", ""))
    size = sized(cells["size_text"], rule)
    arrests = arrested(cells["arrest_text"], rule)
    if not single:
        if cells["size_text"] or cells["arrest_text"]:
            size["remark"] = "figures are told of an entry with several days"
        size |= {"size_low": None, "size_high": None}
        arrests |= {"arrests": None}
    try:
        population = float(at.get("population", "")) or None
    except ValueError:
        population = None
    return {
        "precision": "day",
        "scope": "place",
        "place": cells["locality"],
        "place_text": cells["locality"],
        "region": cells["state"],
        "country": "United States",
        "latitude": north,
        "longitude": east,
        "population": population,
        **size,
        **arrests,
        "remark": joined(remark, size["remark"]),
        "first_listed": cells["vintage"],
    }


def _either(folder: Path, name: str) -> Path:
    """The file, packed or unpacked."""
    paths = [folder / name, folder / name.removesuffix(".gz")]
    for path in paths:
        if path.is_file():
            return path
    raise DataError(f"{folder} has no file {name}; the recipe floyd needs {', '.join(RECIPES['floyd'].files)}.")


def _need(raw: Raw, *columns: str) -> None:
    for column in columns:
        if column not in raw.columns:
            raise DataError(
                f'{raw.name} has no column "{column}".{nearest(column, raw.columns)} '
                f"The recipe floyd needs {', '.join(columns)}."
            )
