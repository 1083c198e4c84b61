"""What every reader gives back, and the pieces that readers share.

Nothing is dropped in silence: each row of the file becomes one or more events, or a line of
`left_out` with the reason; a cell that had to be set aside is told in the event's `remark`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from groundswell.data.readers.count_notes import notes_of, period_of
from groundswell.data.readers.numbers import decimal_commas, degrees_in, may_be_thousands, number_in
from groundswell.data.readers.raw import EMPTY, Raw
from groundswell.data.readers.strays import latest_day, warnings_of
from groundswell.data.sizes import read_size
from groundswell.data.table import Table
from groundswell.errors import DataError, GroundswellError

EVENT_COLUMNS = (
    "row", "id", "part_of", "start", "end", "time", "precision", "scope", "place", "place_text", "region", "country",
    "latitude", "longitude", "x_km", "y_km", "population", "size_low", "size_high", "size_text", "arrests",
    "arrests_text", "arrests_any", "deaths_low", "deaths_high", "remark",
)  # fmt: skip
"""The standard event table.

row : in the file, the header being row 1 (in a file without one, the first line of data is). part_of : the
same text for all events that one row's list of places gave, else "". start, end : first and last day. time : time
of day of the start as text, "15" (to the hour), "15:39", "15:39:31", or None. x_km, y_km : position on a plane map.
precision : "day", "days" (2 to 6), "week", "month" or "longer": how closely start and end are known. scope :
"place", "region" or "national" (nationwide, or no closer place given); the last two have place "". place_text :
as the file has it. size_low, size_high : persons, None where that end is not stated. arrests : persons, where
one number is stated; arrests_text as written; arrests_any : whether there were arrests, where only that is known.
"""

LATER_COLUMNS = ("time", "x_km", "y_km")
"""Those that standard tables of earlier versions lack."""

PRECISIONS = {"day": 1, "days": 6, "week": 7, "month": 31, "longer": 100_000}
"""Length in days within which a date of that precision is known."""

_PERSONS = re.compile(
    r"(^|_)(notes?|headlines?|article|description|comments?|victims?|suspects?|accused|detainees?|prisoners?|persons?|"
    r"authors?|journalists?|reporters?|witness(es)?|leaders?|organi[sz]ers?|actors?_?\d?_?names?|actors?_?\d?$|"
    r"first_?names?|last_?names?|surnames?|(?<!geo_)full_?names?|e_?mails?|phone|users?|contacts?|source_original|"
    r"story_people)(_|$|\d)"
)

_NATIONAL = re.compile(
    r"(?i)\b(?:nation[ -]?wided?|country[ -]?wide|national level|across the (?:whole )?country|all over the country|"
    r"(?:whole|entire) country|national in scope)\b"
)


class LeftOut(Exception):
    """A row that gives no event: why, and what could be done about it."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, eq=False)
class ReadEvents:
    """Events from a file, and what could not be read.

    events : the standard event table, see EVENT_COLUMNS. left_out : row, reason, remedy.
    rows : data rows of the file; every one of them is in one of `events`, `quiet` and `left_out`.
    notes : what the reader did and which columns it did not look at, in sentences, the warnings first.
    quiet : rows of a table of counts that count 0 events, in the columns of `events`. period : days that a count of
    such a table covers; None where a row is one event. warnings : sentences that no command may keep to itself.
    header : whether row 1 is the header.
    """

    source: str
    name: str
    rows: int
    events: Table
    left_out: Table
    notes: tuple[str, ...] = ()
    quiet: Table = field(default_factory=lambda: Table.from_rows([], EVENT_COLUMNS))
    period: int | None = None
    warnings: tuple[str, ...] = ()
    header: bool = True

    def __post_init__(self) -> None:
        read, left = {*self.events["row"], *self.quiet["row"]}, list(self.left_out["row"])
        if read & set(left) or len(read) + len(left) != self.rows:
            raise GroundswellError(
                f"{self.name}: {len(read)} rows read and {len(left)} left out of {self.rows}; "
                "this is a fault of the reader, please report it."
            )

    @property
    def rows_read(self) -> int:
        """Rows that gave at least one event, or counted none."""
        return len({*self.events["row"], *self.quiet["row"]})

    @property
    def covers(self) -> tuple[date, date] | None:
        """First and last day of a table of counts, whose rows of 0 show that nothing happened; else None."""
        if self.period is None:
            return None
        return (
            min([*self.events["start"], *self.quiet["start"]]),
            min(latest_day(), max([*self.events["end"], *self.quiet["end"]])),
        )


RowReader = Callable[[dict[str, str]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Reader:
    """A kind of file: how it is recognised by its columns, and how a row becomes events.

    prepare(raw, mapping, rule) -> (row reader, names of the columns that it reads, notes)
    options : what a mapping may hold although the columns are known, such as "keep". persons : columns, in lower
    case, that may name private persons although their names do not say so. extra : columns that its events have
    beside EVENT_COLUMNS. needed : columns without which a file is not read, "a or b" for either. telling : columns,
    in lower case, of which any `enough` show that a file is meant to be of this kind.
    """

    name: str
    title: str
    recognises: Callable[[Sequence[str]], bool]
    prepare: Callable[[Raw, Mapping[str, str], str], tuple[RowReader, Sequence[str], Sequence[str]]]
    options: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    enough: int = 1

    def lacks(self, columns: Sequence[str]) -> list[str]:
        """The needed columns that are not there, as spelled or in another case."""
        have = {*columns, *(column.lower() for column in columns)}
        return [name for name in self.needed if have.isdisjoint(name.split(" or "))]

    def is_meant(self, columns: Sequence[str]) -> bool:
        """Whether telling columns are there."""
        have = {column.lower() for column in columns}
        return bool(self.telling) and sum(name in have for name in self.telling) >= self.enough

    def read(self, raw: Raw, mapping: Mapping[str, str], rule: str, also: Sequence[str] = ()) -> ReadEvents:
        """All rows of a raw table, each either events, a count of none, or left out.

        An event with a `count` stands for so many events on its own; one without it is one event, at each of the
        places that its row lists. A day still to come is left out: what is announced has not happened. also : columns
        of the file that events carry along as they are, under `carried(column)`.
        """
        read_row, used, notes = self.prepare(raw, mapping, rule)
        latest = latest_day()
        events: list[dict[str, Any]] = []
        quiet: list[dict[str, Any]] = []
        to_come: list[tuple[int, date]] = []
        a_table_of_counts = False
        left = [
            {"row": row, "reason": reason, "remedy": "quote text that holds the delimiter"}
            for row, reason in raw.broken
        ]
        for row, cells in raw.dictionaries():
            try:
                if not any(cells.values()):
                    raise LeftOut(EMPTY, "delete it")
                found = read_row(cells)
                if later := [event["start"] for event in found if event["start"] > latest]:
                    to_come.append((row, later[0]))
                    raise LeftOut(f"its day, {later[0]}, is still to come", "correct the date, or wait for the day")
            except LeftOut as problem:
                left.append({"row": row, "reason": problem.reason, "remedy": problem.remedy})
                continue
            counts = [event.pop("count", None) for event in found]
            a_table_of_counts |= counts[0] is not None
            several = [event for event, count in zip(found, counts, strict=True) for _ in range(count or 1)]
            together = len(found) > 1 and counts[0] in (None, 1)
            for number, event in enumerate(several, 1):
                blank = dict.fromkeys(EVENT_COLUMNS) | {"place": "", "place_text": "", "region": "", "country": ""}
                identity = event.get("id") or f"row {row}"
                event = blank | {"part_of": ""} | event | {"row": row, "id": identity}
                event |= {carried(name): cells[name] for name in also}
                event |= {"id": f"{identity}/{number}"} if len(several) > 1 else {}
                event |= {"part_of": f"{raw.name} row {row}"} if together else {}
                (quiet if counts[0] == 0 else events).append(event | {"remark": event["remark"] or ""})
        left.sort(key=lambda line: line["row"])
        used = [*used, *also]
        commas = decimal_commas([name for name in used if name in raw.columns], raw)
        told = notes_of(events, quiet) if a_table_of_counts else _repeats(events)
        warned = tuple(warnings_of([*events, *quiet], to_come))
        names = (*EVENT_COLUMNS, *self.extra, *map(carried, also))
        return ReadEvents(
            self.name,
            raw.name,
            len(raw),
            Table.from_rows(events, names),
            Table.from_rows(left, ("row", "reason", "remedy")),
            (*warned, *raw.notes, *notes, *commas, *_unread(raw.columns, used, self.persons), *told),
            Table.from_rows(quiet, names),
            period_of([*events, *quiet]) if a_table_of_counts else None,
            warned,
            raw.header,
        )


def carried(column: str) -> str:
    """The name under which events carry a column of their file along as it is."""
    return f"as given: {column}"


def refuse_columns(raw: Raw, mapping: Mapping[str, str], title: str, *options: str) -> None:
    """DataError where a mapping names columns of a format whose columns are known; `options` are no columns."""
    if wrong := [name for name in mapping if name not in options]:
        raise DataError(
            f"{raw.name} is {title}, whose columns are known; leave the mapping of {wrong[0]} out, or read it with "
            'source="table".'
        )


def columns_of(raw: Raw, names: Sequence[str]) -> dict[str, str]:
    """Those of the names that the file has, case aside -> the column as the file spells it."""
    spelled = {column.lower(): column for column in reversed(raw.columns)}
    return {name: spelled[name] for name in names if name in spelled}


def keeper(mapping: Mapping[str, str], default: str, column: str) -> tuple[Callable[..., None], str]:
    """(check, note): check(kind, ...) raises LeftOut for an event of none of the kinds that are kept.

    What is kept is mapping["keep"], kinds joined by ";" or ",", or "all"; without it the default. Case is set aside.
    """
    text = mapping.get("keep", default)
    wanted = {kind.strip().lower() for kind in re.split(r"[;,]", text) if kind.strip()}

    def check(*kinds: str) -> None:
        if "all" in wanted or wanted & {kind.lower() for kind in kinds}:
            return
        found = "; ".join(kinds)
        raise LeftOut(
            f'{column} "{found}" is not among those kept ({text})' if found else f"{column} is empty",
            "nothing; keep=... chooses what is read",
        )

    return check, f'kept by {column}: {text}; --map "keep=..." names others, keep=all takes all'


def names_persons(column: str) -> bool:
    """Whether a column's name suggests that it holds names of private persons, or text that may."""
    return bool(_PERSONS.search(re.sub(r"\W+", "_", column.lower())))


def _without_brackets(text: str) -> str:
    """The text without brackets and blanks around it; a bracket that closes one inside, "Athens (Georgia)", stays."""
    bare = text.strip("() ")
    return bare + ")" * (bare.count("(") - bare.count(")")) if text.rstrip().endswith(")") else bare


def places_in(text: str) -> list[tuple[str, str]]:
    """(place, scope) for each place of a list "a; b"; ("", "national") for "national" and its like.

    Commas and "and" are left alone: "Montreal, Quebec" is one place, and only a gazetteer can tell.
    """
    found: list[tuple[str, str]] = []
    for part in map(_without_brackets, text.split(";")):
        rest = _NATIONAL.sub(" ", re.sub(r"(?i),\s*national$", " nationwide", part))
        national = rest != part or part.lower() == "national"
        rest = "" if rest.strip().lower() == "national" else re.sub(r"\s+", " ", rest).strip(" ,:;")
        if rest:
            found.append((rest, "place"))
        if national:
            found.append(("", "national"))
    return list(dict.fromkeys(found))


def at_places(event: Mapping[str, Any], text: str) -> list[dict[str, Any]]:
    """The event once for each place that the text lists.

    The size is told of the whole: with several places each part has at least one participant and at
    most the whole's upper end; without an upper end a part's size is not known. Arrests and position
    of the whole belong to no part, and a nationwide event has no position.
    """
    nowhere = {"latitude": None, "longitude": None}
    parts = [{**event, "place": place, "scope": scope, "place_text": text} for place, scope in places_in(text)]
    if not parts:
        raise LeftOut(f'the place "{text}" is no name', "name the place")
    if len(parts) == 1:
        return parts if parts[0]["scope"] == "place" else [parts[0] | nowhere]
    high = event.get("size_high")
    share: dict[str, Any] = {"size_low": None if high is None else 1.0, "size_high": high, "arrests": None, **nowhere}
    share["remark"] = joined(event.get("remark"), "one of several places of its row")
    return [part | share for part in parts]


def position(latitude: str, longitude: str) -> tuple[float | None, float | None, str]:
    """(latitude, longitude, remark); both None where the cells give no point of the Earth."""
    if missing(latitude) and missing(longitude):
        return None, None, ""
    try:
        north, east = degrees_in(latitude), degrees_in(longitude)
    except ValueError:
        return None, None, f'position "{latitude}", "{longitude}" is no pair of numbers; left blank'
    if not (abs(north) <= 90 and abs(east) <= 180):
        return None, None, f"position {latitude}, {longitude} lies outside the Earth's degrees; left blank"
    if north == east == 0:
        return None, None, "position 0, 0 stands for a missing one; left blank"
    return north, east, ""


def count_in(text: str, what: str) -> tuple[float | None, str]:
    """A count of persons from a cell of a column of numbers, and a remark where the cell is none."""
    if missing(text):
        return None, ""
    if may_be_thousands(text):
        return None, f'{what} "{text}" may be {text.replace(".", "")} or a fraction; left blank'
    try:
        number = number_in(text)
    except ValueError:
        return None, f'{what} "{text}" is no number; left blank'
    if not 0 <= number < float("inf"):
        return None, f'{what} "{text}" is no count; left blank'
    return number, ""


def sized(text: str, rule: str) -> dict[str, Any]:
    """size_low, size_high and size_text of a text; the reason where there is no size, as a remark."""
    size = read_size(text, rule)
    remark = "" if size.known or not text else f"size: {size.reason}"
    return {"size_low": size.low, "size_high": size.high, "size_text": text, "remark": remark}


def arrested(text: str, rule: str) -> dict[str, Any]:
    """arrests where the text states one number of persons, arrests_text and arrests_any."""
    if missing(text):
        return {}
    if (whether := {"true": True, "yes": True, "false": False, "no": False}.get(text.lower())) is not None:
        return {"arrests": None, "arrests_text": text, "arrests_any": whether}
    size = read_size(text, rule, arrests=True)
    exact = size.low if size.low == size.high else None
    some = None if size.low is None else size.low > 0
    return {"arrests": exact, "arrests_text": text, "arrests_any": some}


def missing(text: str) -> bool:
    """Whether a cell stands for nothing."""
    return text.strip().lower() in ("", "na", "n/a", "nan", "none", "null", ".", "-")


def joined(*remarks: str | None) -> str:
    """Remarks as one text."""
    return "; ".join(remark for remark in remarks if remark)


def _unread(columns: Sequence[str], used: Sequence[str], known: Sequence[str]) -> list[str]:
    rest = [column for column in columns if column not in used]
    persons = [column for column in rest if names_persons(column) or column.lower() in known]
    plain = [column for column in rest if column not in persons]
    notes = []
    if persons:
        notes.append(f"dropped, since they may name private persons: {', '.join(persons)}")
    if plain:
        notes.append(f"columns not read: {', '.join(plain)}")
    return notes


def _repeats(events: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = [
        (e["country"], e["region"], e["place"], e["latitude"], e["longitude"], e.get("x_km"), e.get("y_km"), e["start"])
        for e in events
        if e["scope"] == "place"
    ]
    repeated = len(keys) - len(set(keys))
    return [f"{repeated} events repeat the place and the first day of another; they are kept"] if repeated else []
