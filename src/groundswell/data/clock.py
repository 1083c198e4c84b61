"""Times of day as event files write them, and how closely each is known; nothing is guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from groundswell.data.dates import Unreadable

HOUR, MINUTE, SECOND = 1 / 24, 1 / 1440, 1 / 86400
"""Days."""

PILE = 0.1
"""Of the times of a column, at exactly 00:00, from which on these may stand for a time that is not known."""

_COLONS = re.compile(
    r"(?<![\d:.,-])(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,](\d+))?)?(?![\d:])\s*(?:([ap])\.?m\b\.?)?"
    r"\s*(z\b|utc\b|gmt\b|[+-]\d{2}:?(?:\d{2})?(?!\d))?",
    re.IGNORECASE,
)
_HOURS = re.compile(r"(\d{1,2})\s*(?:h|([ap])\.?m\.?)?", re.IGNORECASE)
_DIGITS = re.compile(r"\d{3,4}")


@dataclass(frozen=True)
class Clock:
    """A time of day. share : days since midnight, in [0, 1). within : days, the unit of its last digit."""

    share: float
    within: float

    def __str__(self) -> str:
        """As `read_clock` reads it back: 14 (an hour), 14:35, 14:35:20 or 14:35:20.250000."""
        micro = round(self.share * 86400 * 1_000_000)
        seconds, fraction = divmod(min(micro, 86400 * 1_000_000 - 1), 1_000_000)
        hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
        if self.within >= HOUR:
            return f"{hour:02d}"
        text = f"{hour:02d}:{minute:02d}"
        if self.within >= MINUTE:
            return text
        digits = max(0, round(-math.log10(self.within / SECOND)))
        return f"{text}:{second:02d}" + (f".{fraction:06d}"[: digits + 1] if digits else "")


def read_clock(text: str, digits: bool = False) -> Clock:
    """One time of day; Unreadable says why it is none.

    Read: 15:39:31.00, 15:39:31, 15:39, 15h39, 3:39 pm, 3 pm, 15, also behind a date as in 2020-05-30T15:39:31Z. A
    difference from UTC is not applied: what the clock showed stands. digits : 930 is 9:30 and 15 then 0:15.
    """
    plain = text.strip()
    if digits and plain.isdigit() and len(plain) <= 4:
        return _clock(text, plain.zfill(4)[:2], plain.zfill(4)[2:], None, None, None)
    if found := _COLONS.search(plain):
        return _clock(text, *found.groups()[:5])
    if found := _HOURS.fullmatch(plain):
        return _clock(text, found[1], None, None, None, found[2])
    raise Unreadable(f'"{text}" is no time of day that is read here; write it as 15:39:31')


def clock_of(texts: Sequence[str], name: str, alone: bool = True) -> tuple[Callable[[str], Clock] | None, list[str]]:
    """How a column writes times of day, and notes on it; None where it holds none.

    texts : its cells without the empty ones. alone : False for a column of dates, which need not hold a time. Times
    that are all on the full hour are known to the hour, and such without a second to the minute.
    """
    digits = bool(texts) and all(t.isdigit() for t in texts) and any(map(_DIGITS.fullmatch, texts))
    read: list[Clock] = []
    offsets = 0
    for text in texts:
        try:
            read.append(read_clock(text, digits) if alone else _behind_date(text))
        except Unreadable:
            continue
        offsets += bool((found := _COLONS.search(text)) and found[6])
    if not read or (len(read) < len(texts) / 2 and alone):
        if not (alone and texts):
            return None, []
        return None, [f'column "{name}" holds no times of day (its first is "{texts[0]}"), so dates stand alone']
    sharp = sum(clock.share == 0 for clock in read)
    if sharp == len(read):
        return None, [] if not alone else [
            f"every time of day in {name} is 00:00, which stands for none: dates stand alone"
        ]
    notes = []
    if sharp > max(PILE * len(read), 2):
        notes.append(
            f"{sharp} of {len(read)} times of day in {name} are 00:00; if that stands for a time that is not known, "
            "empty these cells, or set times aside with time=none"
        )
    if offsets:
        notes.append(
            f"{offsets} times of day in {name} name a time zone, which is not applied: each stands as its clock showed"
        )
    coarsest = 0.0
    for unit in (HOUR, MINUTE):
        if not coarsest and all(_whole(clock.share / unit) for clock in read):
            coarsest = unit

    def clock(text: str) -> Clock:
        found = read_clock(text, digits) if alone else _behind_date(text)
        return Clock(found.share, max(found.within, coarsest))

    return clock, notes


def _behind_date(text: str) -> Clock:
    """The time in a cell that holds a date: only a form with a colon, for a lone number there is part of the date."""
    if found := _COLONS.search(text):
        return _clock(text, *found.groups()[:5])
    raise Unreadable(f'"{text}" holds no time of day')


def _clock(text: str, hour: str, minute: str | None, second: str | None, part: str | None, half: str | None) -> Clock:
    h, m, s = int(hour), int(minute or 0), int(second or 0)
    if half is not None:
        h = h % 12 + 12 * (half.lower() == "p") if 1 <= h <= 12 else 24
    if h > 23 or m > 59 or s > 59:
        raise Unreadable(f'"{text}" is no time of the 24 hours of a day')
    within = HOUR if minute is None else MINUTE if second is None else SECOND / 10 ** len(part or "")
    return Clock((h * 3600 + m * 60 + s + float(f"0.{part or 0}")) / 86400, within)


def _whole(value: float) -> bool:
    return abs(value - round(value)) < 1e-9
