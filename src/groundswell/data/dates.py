"""Dates as event files write them, four formats in one file included; nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"), ("feb", "february"), ("mar", "march"), ("apr", "april"), ("may",), ("jun", "june"),
            ("jul", "july"), ("aug", "august"), ("sep", "sept", "september"), ("oct", "october"),
            ("nov", "november"), ("dec", "december"),
        ),
        1,
    )
    for name in names
}  # fmt: skip

_YEARS = range(1700, 2101)
_ISO = re.compile(r"(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMBERS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[ t].*)?")
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s.-]+([a-z]+)\.?,?[\s-]+(\d{4})")
_MONTH_DAY = re.compile(r"([a-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")


class Unreadable(ValueError):
    """Why a text is no date."""


class Undecided(Unreadable):
    """A date that may be two. reason, remedy : what to say where no option decides, as in a table of claims."""

    def __init__(self, text: str, remedy: str) -> None:
        self.reason, self.remedy = f'"{text}" may be day/month or month/day', remedy
        super().__init__(f"{self.reason}; say which with day_first")


def read_date(text: str, day_first: bool | None = None) -> date:
    """One calendar day; Unreadable says why it is none.

    Read: 2020-05-30 (also with a time, or inside other words as in "(Believed to be) 2020-05-30"),
    20200530, 30 May 2020, May 30, 2020, and 30/05/2020. Where both numbers of the last form could be
    the month, `day_first` decides, and without it the date is refused rather than guessed.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if plain in ("", "na", "nan", "nat", "none", "null", "-1", ".", "-"):
        raise Unreadable("the date is missing")
    if found := _ISO.search(plain):
        return _day(text, found[1], found[3], found[4])
    if found := _COMPACT.fullmatch(plain):
        return _day(text, *found.groups())
    if found := _NUMBERS.fullmatch(plain):
        first, second, year = found.groups()
        if int(first) != int(second) and 0 < int(first) <= 12 and 0 < int(second) <= 12 and day_first is None:
            plain = f"{year}-{int(second):02d}-{int(first):02d}"
            raise Undecided(
                text, f"write {plain} or {int(first)} {date(2000, int(second), 1):%B} {year} if the day comes first"
            )
        swap = int(first) > 12 or (day_first is True and int(second) <= 12)
        return _day(text, year, *((second, first) if swap else (first, second)))
    if (found := _DAY_MONTH.fullmatch(plain)) and found[2] in MONTHS:
        return _day(text, found[3], str(MONTHS[found[2]]), found[1])
    if (found := _MONTH_DAY.fullmatch(plain)) and found[1] in MONTHS:
        return _day(text, found[3], str(MONTHS[found[1]]), found[2])
    raise Unreadable(f'"{text}" is no date that is read here; write it as 2020-05-30')


def day_comes_first(texts: Iterable[str]) -> bool | None:
    """Whether a column writes 30/05/2020 (True) or 05/30/2020 (False); None if it never shows.

    A column that shows both orders gives None, so that its undecided dates are refused.
    """
    seen: set[bool] = set()
    for text in texts:
        if found := _NUMBERS.fullmatch(text.strip()):
            first, second = int(found[1]), int(found[2])
            if first > 12 >= second:
                seen.add(True)
            elif second > 12 >= first:
                seen.add(False)
    return seen.pop() if len(seen) == 1 else None


def _day(text: str, year: str, month: str, day: str) -> date:
    try:
        found = date(int(year), int(month), int(day))
    except ValueError as error:
        raise Unreadable(f'"{text}" is no day of the calendar') from error
    if found.year not in _YEARS:
        raise Unreadable(
            f'"{text}" lies outside the years {_YEARS[0]} to {_YEARS[-1]}; give it in the Gregorian calendar'
        )
    return found
