"""Dates that can hardly be meant: days still to come, and single events far from all the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

FEWEST = 20
"""Events from which on one can be told to lie far from the others."""

YEAR = timedelta(days=365)
NAMED = 5


def latest_day() -> date:
    """Today, where on Earth the day is furthest on."""
    return (datetime.now(UTC) + timedelta(hours=14)).date()


def far_rows(events: Sequence[Mapping[str, Any]]) -> list[int]:
    """Rows of single events far from the others, in order of time.

    Far is more than a year from the days between which the central 98 % lie, and farther than these span.
    """
    days = {event["row"]: event["start"] for event in events}
    if len(days) < FEWEST:
        return []
    order = sorted(days, key=days.__getitem__)
    cut = max(1, len(days) // 100)
    first, last = days[order[cut]], days[order[-1 - cut]]
    far = max(YEAR, last - first)
    return [row for row in order if first - days[row] > far or days[row] - last > far]


def warnings_of(events: Sequence[Mapping[str, Any]], to_come: Sequence[tuple[int, date]]) -> list[str]:
    """What every command must say of the dates of a file; `to_come` are rows left out for their date."""
    said = []
    if to_come:
        said.append(f"dated in the future, so left out: {_named(to_come)}; correct the date, or wait for the day")
    rows = {event["row"]: event["start"] for event in events}
    if far := far_rows(events):
        rest = [day for row, day in rows.items() if row not in far]
        said.append(
            f"dated far from all the others: {_named([(row, rows[row]) for row in far])}; the rest is of {min(rest)} "
            f"to {max(rest)}. Correct the date, or give the period to be counted: the time in between "
            "counts as a record of no events"
        )
    return said


def _named(rows: Sequence[tuple[int, date]]) -> str:
    shown = ", ".join(f"row {row} ({day})" for row, day in list(dict.fromkeys(rows))[:NAMED])
    return shown + (f" and {more} more" if (more := len(dict.fromkeys(rows)) - NAMED) > 0 else "")
