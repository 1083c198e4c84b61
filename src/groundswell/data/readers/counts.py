"""Tables of counts: a row says how many events a place had on a day, in a week or in a month, 0 included."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from groundswell.data.readers.base import PRECISIONS, LeftOut, joined, missing
from groundswell.data.readers.numbers import number_in

MOST = 100_000
"""Events in one row; more are taken for a slip, or for a count of something else."""

FEWEST_DATES = 4
"""Dates from which on a column of dates can show that its counts are of weeks or months."""

EACH = ("day", "week", "month")
"""What a mapping of `counts` may say that a row counts."""


def how_many(text: str, column: str) -> int:
    """The number of events in a cell; LeftOut where it is none."""
    remedy = f"write a whole number, 0 for none, or map another column than {column}"
    if missing(text):
        raise LeftOut(f"{column} is empty, so how many events there were is not known", remedy)
    try:
        number = number_in(text)
    except ValueError:
        number = float("nan")
    if not (number >= 0 and number == number // 1 and number <= MOST):
        raise LeftOut(f'{column} "{text}" is no number of events (a whole number from 0 to {MOST:,})', remedy)
    return int(number)


def holds_counts(texts: Sequence[str]) -> bool:
    """Whether half of a column's filled cells or more are whole numbers of 0 or more."""
    filled = [text for text in texts if not missing(text)]
    return 2 * sum(bool(re.fullmatch(r"\d[\d,]*(\.0*)?", text)) for text in filled) >= len(filled) > 0


def each_of(days: Sequence[date]) -> str | int:
    """What a row counts, as the dates show: "month", or a number of days, 1 where they show nothing else.

    Dates that are all equally far apart begin stretches of that length; others of one weekday begin weeks, others of
    one day of the month begin months.
    """
    distinct = sorted(set(days))
    if len(distinct) < FEWEST_DATES:
        return 1
    gaps = {(later - earlier).days for earlier, later in pairwise(distinct)}
    if len(gaps) == 1:
        return gaps.pop()
    if all(gap % 7 == 0 for gap in gaps):
        return 7
    return "month" if min(gaps) >= 28 and len({day.day for day in distinct}) == 1 else 1


def last_day(start: date, each: str | int) -> date:
    """The last day of what is counted from `start` on."""
    if each == "month":
        year, month = start.year + start.month // 12, start.month % 12 + 1
        return date(year, month, min(start.day, monthrange(year, month)[1])) - timedelta(days=1)
    return start + timedelta(days=int(each) - 1)


def counted(event: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The event of a row that counts `number` of them, for the reader to repeat; a size of all belongs to none."""
    days = (event["end"] - event["start"]).days + 1
    precision = next(name for name, length in PRECISIONS.items() if days <= length)
    found = {**event, "precision": precision, "count": number}
    told = ("size_text", "size_low", "size_high", "arrests_text")
    if number == 1 or all(event.get(name) in (None, "") for name in told):
        return found
    blank = dict.fromkeys(("size_low", "size_high", "arrests", "arrests_any"))
    remark = f"sizes and arrests are told of {number} events together; left blank"
    return found | blank | {"remark": joined(event["remark"], remark)}
