"""Crowd Counting Consortium: gatherings in the United States, one row for each place and day.

size_low is mostly the officials' figure and size_high the organisers', so the two make an interval; the words
in size_text are read only where both are missing. Columns that hold several values join them by ";". Events
that took place online are left out: they have no place. A position is what a geocoder answered for the place
as typed; where it answered with a place in another state or with no locality, the position is set aside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.data.dates import Unreadable, read_date
from groundswell.data.readers.base import (
    LeftOut,
    Reader,
    RowReader,
    arrested,
    at_places,
    columns_of,
    count_in,
    joined,
    keeper,
    missing,
    places_in,
    position,
    refuse_columns,
    sized,
)
from groundswell.data.readers.raw import Raw
from groundswell.data.readers.us_states import region_and_country

_NEEDED = ("date", "locality", "state", "size_text")
_ALSO = (
    "online", "type", "size_low", "size_high", "arrests", "arrests_any", "lat", "lon", "resolved_locality",
    "resolved_county", "resolved_state", "fips_code",
)  # fmt: skip
_TELLING = ("macroevent", "valence", "size_cat", "size_mean", "resolved_locality")
_TRUTH: dict[str, bool] = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def recognises(columns: Sequence[str]) -> bool:
    """Whether the columns are those of the compiled file, whole or one of its parts."""
    have = {column.lower() for column in columns}
    return set(_NEEDED) <= have and not have.isdisjoint(_TELLING)


def prepare(raw: Raw, mapping: Mapping[str, str], rule: str) -> tuple[RowReader, Sequence[str], Sequence[str]]:
    """The row reader; the columns are fixed, so a mapping may hold `keep` alone, with values of `type`."""
    refuse_columns(raw, mapping, "Crowd Counting Consortium data", "keep")
    column = columns_of(raw, (*_NEEDED, *_ALSO))
    keep, kept = keeper(mapping, "all", "type")

    def read_row(cells: dict[str, str]) -> list[dict[str, Any]]:
        given = {name: cells[column[name]] if name in column else "" for name in (*_NEEDED, *_ALSO)}
        if _TRUTH.get(given["online"].lower()):
            raise LeftOut("it took place online", "nothing; it has no place")
        keep(*(kind.strip() for kind in given["type"].split(";") if kind.strip()))
        try:
            day = read_date(given["date"], day_first=False)
        except Unreadable as problem:
            raise LeftOut(str(problem), "correct the date") from problem
        size = _size(given, rule)
        arrests = arrested(given["arrests"], rule)
        if arrests.get("arrests_any") is None:
            arrests["arrests_any"] = _TRUTH.get(given["arrests_any"].lower())
        event = {"start": day, "end": day, "precision": "day", **size, **arrests}
        return _placed(event, given, "resolved_locality" in column)

    notes = (
        kept,
        "sizes are the interval from size_low to size_high; size_text is read where both are missing, and the "
        'project\'s own reading of words is the rule "ccc"',
    )
    return read_row, list(column.values()), notes


READER = Reader(
    "ccc",
    "Crowd Counting Consortium data",
    recognises,
    prepare,
    options=("keep",),
    persons=("title", "organizations", "participants", "claims"),
    extra=("county", "fips"),
    needed=(*_NEEDED, " or ".join(_TELLING)),
    telling=(*_TELLING, "issues_major", "participant_measures", "police_measures"),
    enough=2,
)


def _size(given: Mapping[str, str], rule: str) -> dict[str, Any]:
    """The interval of the two figures, else that of the words, which are kept in any case."""
    low, low_remark = count_in(given["size_low"], "size_low")
    high, high_remark = count_in(given["size_high"], "size_high")
    remark = joined(low_remark, high_remark, '0 stands for "not known"' if 0 in (low, high) else "")
    if not low and not high:
        size = sized("" if missing(given["size_text"]) else given["size_text"], rule)
        return size | {"remark": joined(remark, size["remark"])}
    if low and high and low > high:
        low, high = high, low
        remark = joined(remark, "size_low is above size_high; taken as the interval between them")
    return {"size_low": low or None, "size_high": high or None, "size_text": given["size_text"], "remark": remark}


def _placed(event: dict[str, Any], given: Mapping[str, str], resolves: bool) -> list[dict[str, Any]]:
    """The event at its place, or at each place of a list, with what the geocoder answered if that fits.

    resolves : whether the file has the geocoder's names. Where it named no locality, its position is the middle of a
    county or state, shared by many places.
    """
    names = ("locality", "state", "resolved_locality", "resolved_county", "resolved_state")
    locality, state, near, county, their_state = ("" if missing(given[name]) else given[name] for name in names)
    typed, answered = region_and_country(state), region_and_country(their_state)
    # in a territory the geocoder's state is a municipality, which is no contradiction
    strayed = bool(typed and their_state and typed != answered and (answered or typed[0]))
    fits = [scope for _, scope in places_in(locality)] == ["place"] and not strayed
    region, country = typed or (answered if fits else None) or (state, "United States")
    north, east, remark = position(given["lat"], given["lon"])
    if strayed:
        remark = f"the geocoder answered with a place in {their_state}; its position is left blank"
    elif fits and resolves and not near and north is not None:
        north, east, remark = None, None, "the geocoder found no locality; its position is left blank"
    unknown = f'"{state}" is no state that is known' if state and not typed else ""
    event |= {"region": region, "country": country, "remark": joined(event["remark"], remark, unknown)}
    if fits:
        event |= {"latitude": north, "longitude": east, "county": county, "fips": _fips(given["fips_code"])}
    if fits and near:  # as the geocoder spells it
        return [event | {"scope": "place", "place": near, "place_text": locality}]
    if locality:
        return [part | ({} if part["scope"] == "place" else {"region": ""}) for part in at_places(event, locality)]
    if not region:
        raise LeftOut("no locality and no state", "fill one in")
    return [event | {"scope": "region"}]


def _fips(text: str) -> str:
    """The county's five digits, with the leading zero that a spreadsheet took off."""
    digits = text.split(".")[0]
    return digits.zfill(5) if digits.isdigit() and len(digits) in (4, 5) else ""
