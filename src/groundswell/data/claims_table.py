"""Claims from a table that people write: one row for each figure, with its speaker.

Every problem is told with row, column and remedy, all of them at once; a table with a problem gives
no record, because a claim that is missing in silence is a verdict on its speaker.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from groundswell.data.dates import Unreadable, read_date
from groundswell.data.places import Places
from groundswell.data.provenance import TAKEN_OVER, chain, contradiction, counts_with, figure, observation
from groundswell.data.quantities import INPUTS, QUANTITIES, UNSPOKEN
from groundswell.data.readers.raw import EMPTY, Raw, read_raw
from groundswell.data.record import COLUMNS, QUALIFIERS, Claim, Record
from groundswell.data.table import Table
from groundswell.errors import DataError, nearest

REQUIRED = ("id", "quantity", "place", "start", "end", "qualifier", "value", "stance", "speaker")
"""Columns that a claims table must have; the rest of `record.COLUMNS` may be absent or empty."""

TELLING = frozenset({"qualifier", "value", "stance", "speaker", "stated_on"})
"""Columns that only a claims table has, beside "quantity"."""

FIGURE = ("qualifier", "value", "value_high")
"""Left empty by a row that cites another, they are that one's; else they say how the figure changed on its way."""

SHOWN = 8
"""Problems quoted in one error message."""


@dataclass(frozen=True, eq=False)
class CheckedClaims:
    """What a claims table holds: the claims that stand, and every problem with its row.

    problems : row, id, column, reason, remedy. notes : what a careful reader should know although
    the claims stand (units that differ, figures that count once).
    """

    name: str
    rows: int
    claims: tuple[Claim, ...]
    problems: Table
    notes: tuple[str, ...]

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """The problems for which a study does not take the table; an empty row is none."""
        return [row for row in self.problems.rows() if row["reason"] != EMPTY]


def read_claims(path: Any, places: Places | None = None) -> Record:
    """The record in a CSV, TSV or Parquet file (or a data frame) with the columns of `record.COLUMNS`.

    places : if given, each claim's place must be one of its places, regions or countries. An empty
    origin makes a claim its own origin; an empty unit is the quantity's own. A row that `cites` another takes over what
    it leaves empty, the figure included. DataError lists the problems: unknown quantity, figure without speaker,
    contradictory window, value that is no number, a claim cited that is not there.
    """
    checked = check_claims(read_raw(path), places)
    if checked.refusals:
        lines = [_sentence(checked.name, row) for row in checked.refusals]
        more = f"\n... and {len(lines) - SHOWN} more problems." if len(lines) > SHOWN else ""
        raise DataError("\n".join(lines[:SHOWN]) + more)
    if not checked.claims:
        raise DataError(f"{checked.name} has a header but no claim; write one row for each figure.")
    return Record(checked.claims)


def is_claims_table(columns: Sequence[str]) -> bool:
    """Whether the columns look like those of a claims table, be it one that lacks some."""
    return "quantity" in columns and len(TELLING & set(columns)) >= 2


def check_claims(raw: Raw, places: Places | None = None) -> CheckedClaims:
    """All claims of a table and all its problems; DataError only where a column is missing."""
    if lacking := [name for name in REQUIRED if name not in raw.columns]:
        optional = ", ".join(column for column in COLUMNS if column not in REQUIRED)
        raise DataError(
            f'{raw.name} has no column "{lacking[0]}".{nearest(lacking[0], raw.columns)} A claims table has the '
            f"columns {', '.join(COLUMNS)}; of these {optional} may be left out."
        )
    claims: list[Claim] = []
    problems = [
        {"row": row, "id": "", "column": "", "reason": why, "remedy": "quote text that holds the delimiter"}
        for row, why in raw.broken
    ]
    seen: dict[str, int] = {}
    rows = list(raw.dictionaries())
    broken_chains = _take_over([cells for _, cells in rows])
    for row, cells in rows:
        if not any(cells.values()):
            problems.append({"row": row, "id": "", "column": "", "reason": EMPTY, "remedy": "delete it"})
            continue
        found = broken_chains.get(cells["id"]) or _problems(cells, places)
        if cells["id"] in seen:
            found.append(("id", f'id "{cells["id"]}" stands in row {seen[cells["id"]]} already', "ids must differ"))
        seen.setdefault(cells["id"], row)
        claim = None
        if not found:
            try:
                claim = _claim(cells)
            except DataError as error:
                found.append(("", str(error).removeprefix(f"claim {cells['id']}: "), ""))
        problems += [
            {"row": row, "id": cells["id"], "column": column, "reason": reason, "remedy": remedy}
            for column, reason, remedy in found
        ]
        if claim is not None:
            claims.append(claim)
    known = {claim.id: claim for claim in claims}
    for claim in known.values():
        reason = contradiction(claim, known[claim.cites]) if claim.cites in known else ""
        if reason:
            why, remedy = reason.split("; ", 1)
            problems.append({"row": seen[claim.id], "id": claim.id, "column": "cites", "reason": why, "remedy": remedy})
            claims.remove(claim)
    problems.sort(key=lambda line: line["row"])
    unread = [name for name in raw.columns if name not in COLUMNS]
    notes = [
        *raw.notes,
        *([f"columns not read: {', '.join(unread)}"] if unread else []),
        *_notes(claims),
    ]
    table = Table.from_rows(problems, ("row", "id", "column", "reason", "remedy"))
    return CheckedClaims(raw.name, len(raw), tuple(claims), table, tuple(notes))


Problem = tuple[str, str, str]


def _problems(cells: Mapping[str, str], places: Places | None) -> list[Problem]:
    """Everything that is wrong with one row: column, reason, remedy."""
    found: list[Problem] = []
    if not cells["id"]:
        found.append(("id", "the claim has no id", "give it one, such as s01"))
    known = [*QUANTITIES, *INPUTS, *UNSPOKEN]
    if cells["quantity"] not in known:
        found.append(
            (
                "quantity",
                f'quantity "{cells["quantity"]}" is not known.{nearest(cells["quantity"], known)}',
                f"use one of {', '.join(known)}",
            )
        )
    if not cells["place"]:
        found.append(("place", "the claim has no place", "name a place, region or country"))
    elif places is not None:
        try:
            places.covered_by(cells["place"])
        except DataError as error:
            found.append(("place", str(error), "names match exactly; correct the row"))
    days: dict[str, date] = {}
    for column in ("start", "end", "stated_on"):
        if column == "stated_on" and not cells.get(column):
            continue
        try:
            days[column] = read_date(cells[column])
        except Unreadable as problem:
            found.append((column, str(problem), "write dates as 2017-12-28"))
    if "start" in days and "end" in days and days["end"] < days["start"]:
        found.append(("end", f"the window ends {days['end']} before it starts {days['start']}", "swap the two dates"))
    if cells["qualifier"] not in QUALIFIERS:
        found.append(
            (
                "qualifier",
                f'qualifier "{cells["qualifier"]}" is not known.{nearest(cells["qualifier"], QUALIFIERS)}',
                f"use one of {', '.join(QUALIFIERS)}",
            )
        )
    for column in ("value", "value_high"):
        if (text := cells.get(column, "")) and not _is_number(text):
            found.append((column, f'{column} "{text}" is no number', "write digits, and the words in the qualifier"))
    if not cells["value"]:
        found.append(("value", "the claim has no value", "write the number as stated"))
    if not cells["speaker"]:
        figure = f"{cells['quantity']} {cells['value']}".strip()
        found.append(
            (
                "speaker",
                f"{figure} has no speaker",
                'every figure needs a speaker and an outlet; write "unknown" if the source does not say',
            )
        )
    if not cells["stance"]:
        found.append(("stance", "the claim has no stance", "give the speaker's side in a label of your own"))
    return found


def _take_over(rows: Sequence[dict[str, str]]) -> dict[str, list[Problem]]:
    """Fill what rows that cite another leave empty, in place; what is wrong with their chains, by id."""
    known = {cells["id"]: cells for cells in rows if cells["id"]}
    cites = {name: cells.get("cites", "") for name, cells in known.items()}
    wrong: dict[str, list[Problem]] = {}
    for name in cites:
        try:
            above = chain(name, cites)[:-1]
        except DataError as error:
            reason, remedy = str(error).split(". ", 1)
            wrong[name] = [("cites", reason.removeprefix(f"claim {name}: "), remedy)]
            continue
        cells = known[name]
        for cited in (known[other] for other in reversed(above)):
            figure = () if any(cells.get(column) for column in FIGURE) else FIGURE
            for column in (*TAKEN_OVER, "unit", *figure):
                if column in cited and not cells.get(column):
                    cells[column] = cited[column]
        if above and not cells.get("origin"):
            cells["origin"] = known[above[0]].get("origin") or above[0]
    return wrong


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?(e[+-]?\d+)?", text, re.IGNORECASE))


def _claim(cells: Mapping[str, str]) -> Claim:
    def number(text: str) -> float:
        return float(text.replace(",", ""))

    quantity = cells["quantity"]
    unit = QUANTITIES[quantity].unit if quantity in QUANTITIES else ""
    return Claim(
        id=cells["id"],
        quantity=quantity,
        place=cells["place"],
        start=read_date(cells["start"]),
        end=read_date(cells["end"]),
        qualifier=cells["qualifier"],
        value=number(cells["value"]),
        unit=cells.get("unit") or unit,
        stance=cells["stance"],
        speaker=cells["speaker"],
        origin=cells.get("origin") or cells["id"],
        outlet=cells.get("outlet", ""),
        stated_on=read_date(cells["stated_on"]) if cells.get("stated_on") else None,
        document=cells.get("document", ""),
        value_high=number(cells["value_high"]) if cells.get("value_high") else None,
        cites=cells.get("cites", ""),
    )


def _notes(claims: Sequence[Claim]) -> list[str]:
    notes = []
    for claim in claims:
        if claim.quantity in QUANTITIES and claim.unit != QUANTITIES[claim.quantity].unit:
            notes.append(
                f'claim {claim.id}: unit "{claim.unit}", while {claim.quantity} counts '
                f"{QUANTITIES[claim.quantity].unit}; the number is taken as it stands"
            )
        if claim.quantity in INPUTS:
            notes.append(f"claim {claim.id}: {INPUTS[claim.quantity]}")
        if claim.quantity in UNSPOKEN:
            notes.append(f"claim {claim.id}: {UNSPOKEN[claim.quantity]}")
        if claim.stated_on is not None and claim.stated_on < claim.start:
            notes.append(f"claim {claim.id}: stated on {claim.stated_on}, before its window begins {claim.start}")
    stands = counts_with(claims)
    known = {claim.id: claim for claim in claims}
    for claim in claims:
        if claim.cites in known:
            first = known[stands[claim.id]]
            notes.append(
                f"claim {claim.id}: {claim.words()} tells claim {first.id}, {first.words()}, again and does not count"
            )
    once = Counter((observation(claim), figure(claim)) for claim in claims if claim.cites not in known)
    for ((origin, quantity, *_), _), count in once.items():
        if count > 1:
            notes.append(f'{count} claims repeat one figure of origin "{origin}" on {quantity}; they count once')
    if outletless := [claim.id for claim in claims if not claim.outlet]:
        notes.append(f"no outlet is given for {', '.join(outletless)}")
    return notes


def _sentence(name: str, problem: Mapping[str, Any]) -> str:
    where = f"{name} row {problem['row']}" + (f", column {problem['column']}" if problem["column"] else "")
    reason = problem["reason"].rstrip(".")
    remedy = problem["remedy"]
    return f"{where}: {reason}." + (f" {remedy[:1].upper()}{remedy[1:].rstrip('.')}." if remedy else "")
