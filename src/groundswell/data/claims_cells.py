"""What the cells of a claims table are taken to mean: hedges in words, figures as people write them, open windows.

Everything that is read otherwise than as it stands is told, so that a person can proofread it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from groundswell.data.dates import Undecided, Unreadable, day_comes_first, read_date
from groundswell.data.figures import TIMES, Figure, NoFigure, qualifier_of, read_figure
from groundswell.data.quantities import QUANTITIES
from groundswell.data.record import QUALIFIERS

Problem = tuple[str, str, str]
"""Column, reason, remedy."""

DAYS = ("start", "end", "stated_on")

SAME_UNIT = {
    "persons": {"person", "people", "protesters", "demonstrators", "participants", "arrests", "members"},
    "cities": {"city", "towns", "places", "localities"},
    "teams": {"team", "groups", "group", "cells"},
    "events": {"event", "protests", "demonstrations"},
    "ratio": {"times", "per arrest"},
}
"""Other words for a quantity's own unit, taken as it."""


@dataclass(frozen=True)
class Reading:
    """How dates are read in one table: the first day of the study, and whether 3/1/2018 has the day first.

    first : what an empty start stands for; None where the table names no day at all. of_study : whether `first` is the
    day of a study, or only the earliest that the table names.
    """

    first: date | None
    of_study: bool
    day_first: bool | None

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, str]], first: date | None) -> Reading:
        """From all rows of a table, and the study's first day where there is one."""
        texts = [cells.get(column, "") for cells in rows for column in DAYS]
        day_first = day_comes_first(texts)
        starts = []
        for cells in rows:
            try:
                starts.append(read_date(cells.get("start", ""), day_first))
            except Unreadable:
                continue
        return cls(first or min(starts, default=None), first is not None, day_first)


@dataclass
class Meant:
    """What was done to read a row, in words, and what is wrong with it."""

    told: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_cells(cells: MutableMapping[str, str], reading: Reading) -> Meant:
    """Put the plain form in the place of a row's cells, in place: ISO dates, one of the qualifiers, digits.

    What cannot be read is a problem and stays as it is. A figure without a hedge is meant exactly. An empty start is
    the study's first day, an empty end the day on which the claim was stated: "so far". A figure is never multiplied:
    a unit of thousands is a problem.
    """
    found = Meant()
    _days(cells, reading, found)
    _figure(cells, found)
    _unit(cells, found)
    return found


def _days(cells: MutableMapping[str, str], reading: Reading, found: Meant) -> None:
    for column in DAYS:
        if text := cells.get(column, ""):
            try:
                day = read_date(text, reading.day_first)
            except Undecided as problem:
                found.problems.append((column, problem.reason, problem.remedy))
                continue
            except Unreadable as problem:
                found.problems.append((column, str(problem), "write dates as 2017-12-28 or 28 December 2017"))
                continue
            if text != day.isoformat():
                found.told.append(f'{column} "{text}" is read as {day}')
            cells[column] = day.isoformat()
    wrong = {column for column, _, _ in found.problems}
    if not cells["start"]:
        if reading.first is None:
            found.problems.append(("start", "the date is missing", "write the first day that the figure speaks of"))
        else:
            cells["start"] = reading.first.isoformat()
            whose = "of the study" if reading.of_study else "that the table names; a study's own first day is meant"
            found.told.append(f"no start: from {reading.first}, the first day {whose}")
    if not cells["end"] and "stated_on" not in wrong:
        if stated := cells.get("stated_on", ""):
            cells["end"] = stated
            found.told.append(f"no end: up to {stated}, the day on which it was stated")
        else:
            remedy = "write the last day that the figure speaks of, or for a figure so far the day it was stated_on"
            found.problems.append(("end", "the date is missing, and so is stated_on", remedy))
    if not wrong & {"start", "end"} and cells["end"] and cells["end"] < cells["start"]:
        reason = f"the window ends {cells['end']} before it starts {cells['start']}"
        found.problems.append(("end", reason, "swap the two dates"))


def _figure(cells: MutableMapping[str, str], found: Meant) -> None:
    hedge = cells["qualifier"]
    if hedge and hedge not in QUALIFIERS and (meant := qualifier_of(hedge)):
        if meant.replace("_", " ") != hedge.lower():
            found.told.append(f'qualifier "{hedge}" is read as {meant}')
        cells["qualifier"] = meant
    ratio = cells["quantity"] in QUANTITIES and QUANTITIES[cells["quantity"]].functional == "ratio"
    for column in ("value", "value_high"):
        if not (text := cells.get(column, "")):
            continue
        try:
            figure = read_figure(text, ratio)
        except NoFigure as problem:
            found.problems.append((column, f"{column} {problem}", problem.remedy))
            continue
        if not all(0 <= end < math.inf for end in (figure.value, figure.high or 0.0)):
            remedy = "a count has no sign: write it as said; what fell by so much is another claim"
            if figure.value > 0:
                remedy = "write the figure as said, in digits"
            found.problems.append((column, f"{column} {figure.value} is no finite number of 0 or more", remedy))
            continue
        if not _agrees(figure, cells, column):
            hedged = f'says "{figure.qualifier}", the qualifier "{cells["qualifier"]}"'
            found.problems.append((column, f'{column} "{text}" {hedged}', "write the hedge in the qualifier alone"))
            continue
        if figure.qualifier and not cells["qualifier"]:
            cells["qualifier"] = figure.qualifier
        if not re.fullmatch(r"\d+(\.\d+)?", text):
            high = f" and {figure.high:,.15g}" if figure.high is not None else ""
            hedge = f"{figure.qualifier} " if figure.qualifier else ""
            if text != f"{figure.value:,.15g}":
                found.told.append(f'{column} "{text}" is read as {hedge}{figure.value:,.15g}{high}')
            cells[column] = f"{figure.value!r}".removesuffix(".0")
        if figure.high is not None:
            cells["value_high"] = f"{figure.high!r}".removesuffix(".0")
    if cells["value"] and not cells["qualifier"]:
        cells["qualifier"] = "exactly"
        found.told.append("no hedge: exactly")


def _agrees(figure: Figure, cells: Mapping[str, str], column: str) -> bool:
    """Whether the hedge of a cell is no other than the one that the row has already."""
    if figure.high is not None and (column == "value_high" or cells.get("value_high")):
        return False
    return not figure.qualifier or cells["qualifier"] in ("", figure.qualifier)


def _unit(cells: MutableMapping[str, str], found: Meant) -> None:
    if not (unit := cells.get("unit", "")) or cells["quantity"] not in QUANTITIES:
        return
    own = QUANTITIES[cells["quantity"]].unit
    words = re.findall(r"[a-z]+|%", unit.lower())
    counted = [word for word in words if word.removesuffix("s") in TIMES]
    if counted:
        times = TIMES[counted[0].removesuffix("s")]
        try:
            plain = f"{read_figure(cells['value']).value * times:.15g}"
        except NoFigure:
            plain = "all digits"
        remedy = f"figures are taken in single {own} and never multiplied: write {plain}, and {own} as the unit"
        found.problems.append(("unit", f'unit "{unit}" counts by the {counted[0]}', remedy))
    elif {"%", "percent", "cent", "share"} & set(words) and own != "ratio":
        remedy = f"give the number of {own}; what it is a share of is another claim"
        found.problems.append(("unit", f'unit "{unit}" is a share, and {cells["quantity"]} a number', remedy))
    elif unit.lower() in SAME_UNIT.get(own, ()) or unit.lower() == own:
        cells["unit"] = own
