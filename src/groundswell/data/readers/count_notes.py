"""What is to be said of a table of counts once it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any


def period_of(events: Sequence[Mapping[str, Any]]) -> int | None:
    """Days that a row's count covers, most often; None where there are none."""
    lengths = Counter((event["end"] - event["start"]).days + 1 for event in events)
    return lengths.most_common(1)[0][0] if lengths else None


def notes_of(events: Sequence[Mapping[str, Any]], quiet: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a table of counts is, in sentences: its rows and period, what it lacks, and who had no event."""
    rows = {(event["row"], _cell(event)) for event in (*events, *quiet)}
    cells = Counter(cell for _, cell in rows)
    where, when = {place for place, _ in cells}, {day for _, day in cells}
    period = period_of([*events, *quiet])
    assert period is not None
    each = "a day" if period == 1 else "a week" if period == 7 else f"{period} days"
    last = max(event["end"] for event in (*events, *quiet))
    said = [
        f"a table of counts: {len({event['row'] for event in events})} rows hold {len(events)} events, "
        f"{len({event['row'] for event in quiet})} rows hold none; a row counts {each} from its date on, and together "
        f'they cover {min(when)} to {last}; --map "counts=day" (or week, month) says otherwise'
    ]
    if period > 7:
        said.append(f"only steps of {period} days or more take counts of {period} days, and steps are of one length")
    if lacking := len(where) * len(when) - len(cells):
        said.append(f"{lacking} pairs of a place and a date have no row; they count as 0")
    if again := sum(count - 1 for count in cells.values()):
        said.append(f"{again} rows repeat a place and a date; their counts add up")
    if silent := sorted({place for place, _ in map(_cell, quiet)} - {place for place, _ in map(_cell, events)}):
        names = ", ".join(" ".join(filter(None, place)) or "without a name" for place in silent[:10])
        said.append(f"{len(silent)} places have rows of 0 only: {names}{' ...' if len(silent) > 10 else ''}")
    if lost := sum(bool(event["size_text"] or event["arrests_text"]) for event in quiet):
        said.append(f"{lost} rows of 0 events state a size or arrests, which belong to no event")
    return said


def _cell(event: Mapping[str, Any]) -> tuple[tuple[str, str, str], date]:
    return (event["place"], event["region"], event["country"]), event["start"]
