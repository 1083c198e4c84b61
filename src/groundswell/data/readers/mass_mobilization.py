"""Mass Mobilization protest data (Clark and Regan), raw and in the cleaned form with ISO dates.

Raw: dates in three columns each, `protest` 0 for a country-year without one, state responses as
words in stateresponse1..7. Cleaned: start_date and end_date, responses as 0/1 flags. Rows whose
coding year is not the start's year are common and harmless: the dates are what counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.data.dates import Unreadable, read_date
from groundswell.data.readers.base import LeftOut, Reader, RowReader, at_places, joined, missing, refuse_columns, sized
from groundswell.data.readers.raw import Raw

_ALWAYS = ("country", "location", "participants", "protesterviolence")
_RESPONSES = tuple(f"stateresponse{i}" for i in range(1, 8))
_DAYS = {
    ("start", "cleaned"): ("start_date",),
    ("end", "cleaned"): ("end_date",),
    ("start", "raw"): ("startyear", "startmonth", "startday"),
    ("end", "raw"): ("endyear", "endmonth", "endday"),
}


def recognises(columns: Sequence[str]) -> bool:
    """Whether the columns are those of either form."""
    have = set(columns)
    return set(_ALWAYS) <= have and any(set(_DAYS["start", form]) <= have for form in ("cleaned", "raw"))


def prepare(raw: Raw, mapping: Mapping[str, str], rule: str) -> tuple[RowReader, Sequence[str], Sequence[str]]:
    """The row reader; the format's columns are fixed, so a mapping is refused."""
    refuse_columns(raw, mapping, "Mass Mobilization data")
    form = "cleaned" if "start_date" in raw.columns else "raw"
    used = [
        "id",
        "country",
        "location",
        "participants",
        "participants_category",
        *_DAYS["start", form],
        *_DAYS["end", form],
    ]
    used += ["arrests"] if form == "cleaned" else ["protest", *_RESPONSES]

    def read_row(cells: dict[str, str]) -> list[dict[str, Any]]:
        if cells.get("protest") == "0":
            raise LeftOut("a year without a protest (protest = 0)", "nothing; the row tells of no event")
        start, end, remark = _days(cells, form)
        text = cells["participants"]
        size = sized(text, rule)
        category = cells.get("participants_category", "")
        if size["size_low"] is None and size["size_high"] is None and category:
            size = sized(category, rule) | {"remark": f"size from participants_category {category}"}
        if missing(cells["location"]) and missing(cells["country"]):
            raise LeftOut("no location and no country", "fill one in")
        event = {
            "id": cells.get("id", ""),
            "start": start,
            "end": end,
            "precision": "day",
            "country": cells["country"],
            **size,
            "size_text": text or category,
            "arrests_any": _arrests_any(cells, form),
            "remark": joined(remark, size["remark"]),
        }
        if missing(cells["location"]):
            return [event | {"scope": "national", "remark": joined(event["remark"], "no location given")}]
        return at_places(event, cells["location"])

    notes = [
        f"form: {form}",
        'a location "a; b" gives one event for each place; "national" gives an event without a place',
    ]
    return read_row, [column for column in used if column in raw.columns], notes


READER = Reader(
    "mass_mobilization",
    "Mass Mobilization protest data",
    recognises,
    prepare,
    needed=(*_ALWAYS, *(f"start_date or {name}" for name in _DAYS["start", "raw"])),
    telling=("protesterviolence", "participants_category", "protesterdemand1", "stateresponse1"),
)


def _days(cells: Mapping[str, str], form: str) -> tuple[Any, Any, str]:
    def day(which: str) -> Any:
        parts = [cells.get(column, "") for column in _DAYS[which, form]]
        if form == "raw" and not any(map(missing, parts)):
            # numbers may come as 1990.0 from a statistics program
            parts = ["-".join(f"{part.split('.')[0]:0>2}" for part in parts)]
        return read_date("" if any(map(missing, parts)) else parts[0])

    try:
        start = day("start")
    except Unreadable as problem:
        raise LeftOut(f"start: {problem}", "fill in the start date") from problem
    try:
        end = day("end")
    except Unreadable as problem:
        return start, start, f"end: {problem}; taken as the start"
    if end < start:
        raise LeftOut(f"the event ends {end} before it starts {start}", "correct the dates")
    return start, end, ""


def _arrests_any(cells: Mapping[str, str], form: str) -> bool | None:
    if form == "cleaned":
        return {"1": True, "0": False}.get(cells.get("arrests", ""))
    responses = [cells.get(column, "") for column in _RESPONSES]
    return any("arrest" in response.lower() for response in responses) if any(responses) else None
