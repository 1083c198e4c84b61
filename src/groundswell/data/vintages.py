"""A list that grows, as it stood on several days: rows with a vintage in; one entry for each place out.

A name that leaves the list is no entry undone: it may have been renamed, or moved to a page of its own. Where
it comes back under nearly the same name that is told and the two are one; otherwise it stays listed. Reading
goes forward in time, so what an early vintage is read as never depends on a later one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from groundswell.data.dates import Unreadable, day_comes_first, read_date
from groundswell.data.gazetteer import fold
from groundswell.data.readers.base import missing, names_persons
from groundswell.data.readers.numbers import number_or_nan
from groundswell.data.readers.raw import Raw, read_raw
from groundswell.data.readers.table import FIELDS
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError, nearest

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "vintage": ("vintage", "as_of", "asof", "snapshot", "seen_on", "retrieved", "retrieved_on"),
    "first": (*FIELDS["start"], "first_event"),
    **{name: FIELDS[name] for name in ("place", "region", "country", "latitude", "longitude", "population")},
}
"""Field -> the column names under which it is looked for, in that order, case and signs aside."""

ALIKE = 0.88
"""Two names are nearly the same from this share of common letters on (difflib's ratio), if they begin alike."""

FEWEST_LETTERS = 6
KINDS = ("borough", "town", "township", "village")
"""Words at the end of a name that say what kind of place it is: "Willingboro Township" is Willingboro."""


@dataclass(frozen=True, eq=False)
class Vintages:
    """L entries of a list that was seen on V days.

    dates : V days, rising. place, region, country : L names, as the list last had them. listed : (L, V) whether a
    vintage has the entry. first : L rows of the first day that each vintage states, None where it states none
    or does not have the entry. latitude, longitude, population : (L,), NaN where the list has none.
    left_out : rows without an entry, with row, reason, remedy. assumed : entries that were read by a judgement.
    """

    name: str
    dates: tuple[date, ...]
    place: tuple[str, ...]
    region: tuple[str, ...]
    country: tuple[str, ...]
    listed: np.ndarray
    first: tuple[tuple[date | None, ...], ...]
    latitude: np.ndarray
    longitude: np.ndarray
    population: np.ndarray
    left_out: Table
    assumed: Table
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.place)

    def before(self, count: int) -> Vintages:
        """The first `count` vintages, with a row for every entry that there will be."""
        first = tuple(days[:count] for days in self.first)
        return replace(self, dates=self.dates[:count], listed=self.listed[:, :count], first=first)

    def subset(self, rows: Iterable[int]) -> Vintages:
        """The entries at `rows`, in that order."""
        rows = np.array(list(rows), dtype=np.int64)
        names = {name: tuple(getattr(self, name)[i] for i in rows) for name in ("place", "region", "country", "first")}
        arrays = {name: getattr(self, name)[rows] for name in ("listed", "latitude", "longitude", "population")}
        return replace(self, **names, **arrays)

    @property
    def first_seen(self) -> np.ndarray:
        """(L,) index of the first vintage that has the entry."""
        return self.listed.argmax(axis=1)

    def first_day(self) -> list[date | None]:
        """L first days, as the latest vintage states them; None where none does.

        A day after the vintage that first lists the entry is passed over: it was listed for something else.
        """
        out: list[date | None] = []
        for days, seen in zip(self.first, self.first_seen.tolist(), strict=True):
            stated = [day for day in days if day is not None and day <= self.dates[seen]]
            out.append(stated[-1] if stated else None)
        return out

    def summary(self) -> Table:
        """By vintage: entries, how many state a day, how many are new, and how many of the one before are gone."""
        rows = []
        for j, when in enumerate(self.dates):
            before = self.listed[:, j - 1] if j else np.zeros(len(self), dtype=bool)
            stated = sum(days[j] is not None for days in self.first)
            new = self.listed[:, j] & ~self.listed[:, :j].any(axis=1)
            rows.append(
                {
                    "vintage": when.isoformat(),
                    "entries": int(self.listed[:, j].sum()),
                    "with a day": stated,
                    "new": int(new.sum()),
                    "gone since": int((before & ~self.listed[:, j]).sum()),
                }
            )
        return Table.from_rows(rows)


def read_vintages(
    sources: Sequence[Any], as_of: Sequence[date] = (), mapping: Mapping[str, str] | None = None
) -> Vintages:
    """A growing list from one table with a column for the vintage, or from several tables, one for each.

    sources : CSV, TSV or Parquet files or data frames. as_of : the day of each source, in their order; without it
    a column says so ("vintage", "as_of", ...), or the file's name, where it holds an ISO date.
    Rows are entries or events; several rows of a place in a vintage are one entry with the earliest day. Rows left
    out (no place, a first day after the vintage: announced, not held) and judgements are listed. DataError
    where no vintage or no place can be found, or two sources are of one day.
    """
    raws = [source if isinstance(source, Raw) else read_raw(source) for source in sources]
    if not raws:
        raise UsageError("no file is given; give a table with a column for the vintage, or one table for each vintage.")
    if as_of and len(as_of) != len(raws):
        raise UsageError(f"{len(as_of)} days are given for {len(raws)} files; give one for each, in their order.")
    gather = _Gather(len(raws) > 1)
    days = [gather.read(raw, as_of[i] if as_of else None, mapping or {}) for i, raw in enumerate(raws)]
    if len(raws) > 1 and (twice := [day for day in days if day is not None and days.count(day) > 1]):
        raise DataError(f"two files are of {twice[0]}; a vintage is one file. Name the days with as_of.")
    if not gather.rows:
        raise DataError(f"{raws[0].name}: no row could be read as an entry; see the reasons: {gather.reasons()}.")
    return gather.matched(", ".join(raw.name for raw in raws))


@dataclass
class _Row:
    row: str
    vintage: date
    place: str
    region: str
    country: str
    first: date | None
    numbers: tuple[float, float, float]


class _Gather:
    """Rows of all sources, and what is said of them."""

    def __init__(self, several: bool) -> None:
        self.several = several
        self.rows: list[_Row] = []
        self.left: list[dict[str, Any]] = []
        self.assumed: list[dict[str, Any]] = []
        self.notes: list[str] = []

    def reasons(self) -> str:
        return "; ".join(dict.fromkeys(line["reason"] for line in self.left)) or "the table is empty"

    def read(self, raw: Raw, as_of: date | None, mapping: Mapping[str, str]) -> date | None:
        """Take in the rows of one source; its day, where it is of one."""
        column = _columns(raw, mapping)
        when = as_of
        if when is None and "vintage" not in column:
            found = re.search(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", raw.name)
            if found is None:
                raise DataError(
                    f"{raw.name}: no column is known as the vintage, the day on which the list stood so. Its columns: "
                    f"{', '.join(raw.columns[:40])}. Say which one it is, as in vintage=COLUMN, or give the day of "
                    "each file (--as-of), or put it into the file's name."
                )
            try:
                when = date.fromisoformat(found[0])
            except ValueError as error:
                raise DataError(f"{raw.name}: {found[0]} in its name is no day; give the day with --as-of.") from error
        if as_of is not None:
            column.pop("vintage", None)
        first = day_comes_first(raw.column(column["first"])) if "first" in column else None
        for number, why in raw.broken:
            self._leave(raw, number, why, "quote text that holds the delimiter")
        for number, cells in raw.dictionaries():
            self._row(raw, number, {field: cells[name] for field, name in column.items()}, when, first)
        self.notes += [f"{raw.name}: {note}" if self.several else note for note in raw.notes]
        return when

    def _leave(self, raw: Raw, number: int, reason: str, remedy: str) -> None:
        self.left.append({"row": self._at(raw, number), "reason": reason, "remedy": remedy})

    def _at(self, raw: Raw, number: int) -> str:
        return f"{raw.name} row {number}" if self.several else f"row {number}"

    def _row(self, raw: Raw, number: int, given: Mapping[str, str], when: date | None, day_first: bool | None) -> None:
        if missing(given.get("place", "")):
            return self._leave(raw, number, "names no place", "fill in the place")
        if when is None:
            try:
                when = read_date(given["vintage"])
            except Unreadable as problem:
                return self._leave(raw, number, f"no vintage: {problem}", "write the vintage as 2020-06-01")
        first = None
        if not missing(text := given.get("first", "")):
            try:
                first = read_date(text, day_first)
            except Unreadable as problem:
                self._assume(self._at(raw, number), given["place"], f"{problem}; its day counts as not stated")
        if first is not None and first > when:
            return self._leave(
                raw, number, f"the first day {first} lies after the vintage {when}: announced, not held", "nothing"
            )
        region, country = ("" if missing(given.get(name, "")) else given[name] for name in ("region", "country"))
        named = ("latitude", "longitude", "population")
        north, east, persons = (number_or_nan(given.get(name, ""), name) for name in named)
        if not (abs(north) <= 90 and abs(east) <= 180):
            north = east = np.nan
        persons = persons if persons > 0 else np.nan
        place = re.sub(r"\s+", " ", given["place"]).strip()
        self.rows.append(_Row(self._at(raw, number), when, place, region, country, first, (north, east, persons)))

    def _assume(self, row: str, place: str, what: str) -> None:
        self.assumed.append({"row": row, "place": place, "judgement": what})

    def matched(self, name: str) -> Vintages:
        """One entry for each place, vintage after vintage."""
        dates = sorted({row.vintage for row in self.rows})
        index: dict[tuple[str, str], int] = {}
        label: list[_Row] = []
        first: list[list[date | None]] = []
        listed: list[list[bool]] = []
        numbers: list[np.ndarray] = []
        repeats = 0
        for j, when in enumerate(dates):
            of_day: dict[tuple[str, str], list[_Row]] = {}
            for row in self.rows:
                if row.vintage == when:
                    of_day.setdefault((fold(row.region), fold(row.place)), []).append(row)
            new = [key for key in of_day if key not in index]
            gone = [i for i in range(len(label)) if listed[i][j - 1]] if j else []
            here = {index[key] for key in of_day if key in index}
            for key, i in _renamed(
                [(key, of_day[key][0]) for key in new], [(i, label[i]) for i in gone if i not in here]
            ):
                index[key] = i
                row = of_day[key][0]
                self._assume(row.row, row.place, f'taken as "{label[i].place}", which left the list when this came')
            for key, rows in of_day.items():
                if key not in index:
                    index[key] = len(label)
                    label.append(rows[0])
                    first.append([None] * len(dates))
                    listed.append([False] * len(dates))
                    numbers.append(np.full(3, np.nan))
                i = index[key]
                days = [row.first for row in rows if row.first is not None]
                label[i], listed[i][j], first[i][j] = rows[0], True, min(days, default=None)
                for row in rows:
                    numbers[i] = np.where(np.isfinite(numbers[i]), numbers[i], row.numbers)
                repeats += len(rows) - 1
        if repeats:
            self.notes.append(f"{repeats} rows repeat a place of their vintage; the earliest day counts")
        table = np.array(numbers).reshape(-1, 3)
        return Vintages(
            name, tuple(dates), tuple(row.place for row in label), tuple(row.region for row in label),
            tuple(row.country for row in label), np.array(listed), tuple(map(tuple, first)), table[:, 0], table[:, 1],
            table[:, 2], Table.from_rows(self.left, ("row", "reason", "remedy")),
            Table.from_rows(self.assumed, ("row", "place", "judgement")), tuple(self.notes),
        )  # fmt: skip


def _columns(raw: Raw, mapping: Mapping[str, str]) -> dict[str, str]:
    """Field -> column, the user's mapping first."""
    plain = {re.sub(r"\W+", "_", name.lower()).strip("_"): name for name in reversed(raw.columns)}
    if wrong := [field for field in mapping if field not in COLUMNS]:
        raise DataError(
            f'the mapping names "{wrong[0]}", which is no field.{nearest(wrong[0], COLUMNS)} '
            f"Fields: {', '.join(COLUMNS)}."
        )
    column: dict[str, str] = {}
    for field, usual in COLUMNS.items():
        if field in mapping:
            name = mapping[field]
            if name not in raw.columns:
                raise DataError(f'{raw.name} has no column "{name}" (for {field}).{nearest(name, raw.columns)}')
            if names_persons(name):
                raise DataError(f'{raw.name}: column "{name}" may name private persons and is not read as {field}.')
            column[field] = name
        elif known := [plain[name] for name in usual if name in plain and plain[name] not in mapping.values()]:
            column[field] = known[0]
    for field, example in (("place", "city"), ("first", "first_date")):
        if field not in column:
            raise DataError(
                f"{raw.name}: no column is known as the {'place' if field == 'place' else 'day of the first event'}. "
                f"Its columns: {', '.join(raw.columns[:40])}. Say which one it is, as in {field}={example}."
            )
    return column


def _renamed(
    new: Sequence[tuple[tuple[str, str], _Row]], gone: Sequence[tuple[int, _Row]]
) -> list[tuple[tuple[str, str], int]]:
    """Pairs of a new name and an entry that left the list, where each is the other's only likeness."""
    pairs = [
        (key, i)
        for key, row in new
        for i, old in gone
        if fold(row.region) == fold(old.region) and nearly_same(row.place, old.place)
    ]
    keys, entries = [key for key, _ in pairs], [i for _, i in pairs]
    return [(key, i) for key, i in pairs if keys.count(key) == 1 and entries.count(i) == 1]


def nearly_same(one: str, other: str) -> bool:
    """Whether two names differ by a slip, by the kind of place, or by stray text in front of one.

    Names with other numbers are of other places, however much they look alike: District 3, District 8, Ward II.
    """
    for longer, shorter in ((one, other), (other, one)):
        head = longer.removesuffix(shorter)
        if head != longer and re.search(r"[).:\]]$", head):  # "(June 2020)Aurora"
            return True
    a, b = fold(one), fold(other)
    for longer, shorter in ((a, b), (b, a)):
        if longer in [f"{shorter} {kind}" for kind in KINDS]:
            return True
    if _numbers(a) != _numbers(b) or min(len(a), len(b)) < FEWEST_LETTERS or a[0] != b[0]:
        return False
    return SequenceMatcher(None, a, b).ratio() >= ALIKE


def _numbers(name: str) -> list[str]:
    """The numbers in a folded name, and its last word if that is a letter or a Roman numeral."""
    found = re.findall(r"\d+|\b(?:[a-z]|[ivxl]+)$", name)
    return [str(int(text)) if text.isdecimal() else text for text in found]
