"""Count Love: protests in the United States from local news, as CSV or as JSON with articles and events.

Location is "City, ST", at times with a building before it. Attendees is the lowest count of all articles, with
words already turned into numbers ("dozens" 20, "hundreds" 100), so a round number may stand for a word. Tags
are "category; position; detail", several of each. In the JSON an event lists the articles that tell of it and
whether each told of it as still to come; an event is one row, however many articles it has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.data.dates import Unreadable, read_date
from groundswell.data.readers.base import (
    LeftOut,
    Reader,
    RowReader,
    at_places,
    columns_of,
    joined,
    keeper,
    missing,
    refuse_columns,
    sized,
)
from groundswell.data.readers.raw import Raw
from groundswell.data.readers.us_states import region_and_country

_NEEDED = ("date", "location", "attendees", "tags")


def recognises(columns: Sequence[str]) -> bool:
    """Whether the columns are those of the CSV, or the names of the JSON's events."""
    have = {column.lower() for column in columns}
    return set(_NEEDED) <= have or {f"event_{name}" for name in _NEEDED} <= have


def prepare(raw: Raw, mapping: Mapping[str, str], rule: str) -> tuple[RowReader, Sequence[str], Sequence[str]]:
    """The row reader; the columns are fixed, so a mapping may hold `keep` alone, with tags."""
    refuse_columns(raw, mapping, "Count Love data", "keep")
    start = "event_" if columns_of(raw, ("event_date",)) else ""
    spelled = columns_of(raw, (*(start + name for name in _NEEDED), "event_id", "articles"))
    column = {name.removeprefix("event_"): spelling for name, spelling in spelled.items()}
    keep, kept = keeper(mapping, "all", "tags")
    seen: set[str] = set()

    def read_row(cells: dict[str, str]) -> list[dict[str, Any]]:
        given = {name: cells[column[name]] if name in column else "" for name in (*_NEEDED, "id", "articles")}
        if given["id"] and given["id"] in seen:
            raise LeftOut(f"event {given['id']} stands in the file already", "nothing; its first entry is read")
        keep(*(tag.strip() for tag in given["tags"].split(";") if tag.strip()))
        try:
            day = read_date(given["date"], day_first=False)
        except Unreadable as problem:
            raise LeftOut(str(problem), "correct the date") from problem
        size = sized("" if missing(given["attendees"]) else given["attendees"], rule)
        if size["size_text"] == "0":
            size["remark"] = "0 attendees: an activity such as a banner drop"
        event = {"id": given["id"], "start": day, "end": day, "precision": "day", **size}
        event["remark"] = joined(size["remark"], _announced(given["articles"]))
        found = _placed(event, given["location"])
        seen.add(given["id"])
        return found

    notes = (
        kept,
        'attendees are the lowest count of all articles, words turned into numbers as by the rule "count_love": '
        "100 may stand for hundreds",
    )
    return read_row, list(column.values()), notes


READER = Reader(
    "count_love",
    "Count Love data",
    recognises,
    prepare,
    options=("keep",),
    persons=("event (legacy; see tags)",),
    needed=tuple(f"{name} or event_{name}" for name in _NEEDED),
    telling=("event (legacy; see tags)", "event_attendees", "event_primary_url"),
)


def _placed(event: dict[str, Any], location: str) -> list[dict[str, Any]]:
    """The event in its city and state; "Building, City, ST" is the city's."""
    parts = [part.strip() for part in location.split(",") if part.strip()]
    if missing(location) or not parts:
        raise LeftOut("no location", "fill it in as City, ST")
    known = region_and_country(parts[-1])
    if known is None:
        remark = joined(event["remark"], "the location does not end in a state of the United States")
        return at_places(event | {"remark": remark}, location)
    event |= {"region": known[0], "country": known[1]}
    if len(parts) == 1:
        scope = "region" if known[0] else "national"
        return [event | {"scope": scope, "place_text": location}]
    return [part | {"place_text": location} for part in at_places(event, parts[-2])]


def _announced(articles: str) -> str:
    """A remark where every article told of the event as still to come: it may not have taken place."""
    try:
        listed = json.loads(articles)
        ahead = [article["future"] for article in listed]
    except (ValueError, RecursionError, TypeError, KeyError):
        return ""
    return "only announced: no article tells of it as past" if ahead and all(ahead) else ""
