"""Claims from a table that people write: one row for each figure, with its speaker.

Every problem is told with row, column and remedy, all of them at once; a table with a problem gives
no record, because a claim that is missing in silence is a verdict on its speaker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from groundswell.data.claims_cells import Problem, Reading, read_cells
from groundswell.data.claims_remarks import remarks
from groundswell.data.dates import read_date
from groundswell.data.places import Places
from groundswell.data.provenance import TAKEN_OVER, chain, contradiction
from groundswell.data.quantities import INPUTS, QUANTITIES, UNSPOKEN, nearest_quantity
from groundswell.data.readers.raw import EMPTY, Raw, read_raw
from groundswell.data.record import COLUMNS, QUALIFIERS, Claim, Record
from groundswell.data.table import Table
from groundswell.errors import DataError, nearest

REQUIRED = ("id", "quantity", "place", "start", "end", "value", "stance", "speaker")
"""Columns that a claims table must have; the rest of `record.COLUMNS` may be absent or empty."""

FIGURE = ("qualifier", "value", "value_high")
"""Left empty by a row that cites another, they are that one's; else they say how the figure changed on its way."""

SHOWN = 8
"""Problems quoted in one error message."""


@dataclass(frozen=True, eq=False)
class CheckedClaims:
    """What a claims table holds: the claims that stand, and every problem with its row.

    problems : row, id, column, reason, remedy. notes : what a careful reader should know although
    the claims stand (units that differ, figures that count once). told : by id, what was read otherwise than it stands.
    """

    name: str
    rows: int
    claims: tuple[Claim, ...]
    problems: Table
    notes: tuple[str, ...]
    told: Mapping[str, tuple[str, ...]]

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """The problems for which a study does not take the table; an empty row is none."""
        return [row for row in self.problems.rows() if row["reason"] != EMPTY]


def read_claims(path: Any, places: Places | None = None, first: date | None = None) -> Record:
    """The record in a CSV, TSV, Parquet or Excel file (or a data frame, or `Raw`) with the columns of `COLUMNS`.

    places : if given, each claim's place must be one of its places, regions or countries. first : the study's first
    day, for which an empty start stands; without it the earliest day of the table. An empty end is the day on which the
    claim was stated. An empty origin makes a claim its own origin; an empty unit is the quantity's own. A row that
    `cites` another takes over what it leaves empty, the figure included. DataError lists the problems: unknown
    quantity, figure without speaker, contradictory window, value that is no number, a claim cited that is not there.
    """
    checked = check_claims(path if isinstance(path, Raw) else read_raw(path), places, first)
    if checked.refusals:
        lines = [_sentence(checked.name, row) for row in checked.refusals]
        more = f"\n... and {len(lines) - SHOWN} more problems." if len(lines) > SHOWN else ""
        raise DataError("\n".join(lines[:SHOWN]) + more)
    if not checked.claims:
        raise DataError(f"{checked.name} has a header but no claim; write one row for each figure.")
    return Record(checked.claims)


def check_claims(raw: Raw, places: Places | None = None, first: date | None = None) -> CheckedClaims:
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
    told: dict[str, tuple[str, ...]] = {}
    rows = [(row, {"qualifier": "", **cells}) for row, cells in raw.dictionaries()]
    broken_chains = _take_over([cells for _, cells in rows])
    reading = Reading.of([cells for _, cells in rows], first)
    for row, cells in rows:
        if not any(cells.values()):
            problems.append({"row": row, "id": "", "column": "", "reason": EMPTY, "remedy": "delete it"})
            continue
        meant = read_cells(cells, reading)
        found = broken_chains.get(cells["id"]) or [*_problems(cells, places), *meant.problems]
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
            told[claim.id] = tuple(meant.told)
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
        *remarks(claims),
    ]
    table = Table.from_rows(problems, ("row", "id", "column", "reason", "remedy"))
    return CheckedClaims(raw.name, len(raw), tuple(claims), table, tuple(notes), told)


def _problems(cells: Mapping[str, str], places: Places | None) -> list[Problem]:
    """What is wrong with one row beside its dates and figures: column, reason, remedy."""
    found: list[Problem] = []
    if not cells["id"]:
        found.append(("id", "the claim has no id", "give it one, such as s01"))
    known = [*QUANTITIES, *INPUTS, *UNSPOKEN]
    if cells["quantity"] not in known:
        found.append(
            (
                "quantity",
                f'quantity "{cells["quantity"]}" is not known.{nearest_quantity(cells["quantity"])}',
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
    if cells["qualifier"] not in QUALIFIERS:
        found.append(
            (
                "qualifier",
                f'qualifier "{cells["qualifier"]}" is not known.{nearest(cells["qualifier"], QUALIFIERS)}',
                f"use one of {', '.join(QUALIFIERS)}",
            )
        )
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


def _claim(cells: Mapping[str, str]) -> Claim:
    quantity = cells["quantity"]
    unit = QUANTITIES[quantity].unit if quantity in QUANTITIES else ""
    return Claim(
        id=cells["id"],
        quantity=quantity,
        place=cells["place"],
        start=read_date(cells["start"]),
        end=read_date(cells["end"]),
        qualifier=cells["qualifier"],
        value=float(cells["value"]),
        unit=cells.get("unit") or unit,
        stance=cells["stance"],
        speaker=cells["speaker"],
        origin=cells.get("origin") or cells["id"],
        outlet=cells.get("outlet", ""),
        stated_on=read_date(cells["stated_on"]) if cells.get("stated_on") else None,
        document=cells.get("document", ""),
        value_high=float(cells["value_high"]) if cells.get("value_high") else None,
        cites=cells.get("cites", ""),
    )


def _sentence(name: str, problem: Mapping[str, Any]) -> str:
    where = f"{name} row {problem['row']}" + (f", column {problem['column']}" if problem["column"] else "")
    reason = problem["reason"].rstrip(".")
    remedy = problem["remedy"]
    return f"{where}: {reason}." + (f" {remedy[:1].upper()}{remedy[1:].rstrip('.')}." if remedy else "")
