"""Where an event was: the position that the file gives, else the gazetteer's; nothing by guess alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from groundswell.data import gazetteer
from groundswell.data.gazetteer import Match
from groundswell.data.places import Places, great_circle_km
from groundswell.errors import DataError

NEAR_KM = 25.0
"""A position belongs to a place if no farther than this; UCDP's own "near" is about as wide."""

UNKNOWN_POPULATION = 7500.0
"""Persons, for a place with a position but no known population: half the gazetteer's cut of 15,000,
above which it would be listed. A judgement; every use is reported."""

Event = Mapping[str, Any]
Tell = Callable[[Event, str, str], None]


class Unplaced(Exception):
    """Why an event has no place, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@lru_cache(maxsize=65536)
def gazetteer_matches(text: str, country: str | None, region: str) -> tuple[list[Match], str]:
    """The places that a text names, and a remark where that took a judgement; raises Unplaced.

    A list with "and", "&" or three parts names several. Of two parts with a comma only the first is
    taken, since "Montreal, Quebec" is one place and "Kermanshah, Sanandaj" two: the first is right
    either way.
    """
    if not text:
        raise Unplaced("the event names no place", "fill in the place")
    if whole := _only(text, country, region):
        return [whole], ""
    parts = [part.strip() for part in re.split(r",|;|&|\band\b", text) if part.strip()]
    if len(parts) == 2 and "," in text and not re.search(r";|&|\band\b", text):
        if first := _only(parts[0], country, region or parts[1]) or _only(parts[0], country, region):
            return [first], f'"{text}" read as {first.label}'
    elif len(parts) > 1:
        found = [_only(part, country, region) for part in parts]
        if matches := list(dict.fromkeys(match for match in found if match)):
            lost = [part for part, match in zip(parts, found, strict=True) if not match]
            missing = f"; not found: {', '.join(lost)}" if lost else ""
            return matches, f'"{text}" read as {", ".join(match.label for match in matches)}{missing}'
    try:
        gazetteer.find(text, country, region or None)
    except DataError as problem:
        raise Unplaced(str(problem), "correct the name, or give a position or your own places") from problem
    raise AssertionError("find and candidates disagree")


def near_places(places: Places, event: Event) -> tuple[list[int], str] | None:
    """The place within NEAR_KM of the event's position, if it has one; the nearest counts."""
    if event["latitude"] is None or places.latitude is None or places.longitude is None:
        return None
    here = (np.array(event["latitude"]), np.array(event["longitude"]))
    distance = great_circle_km(*here, places.latitude, places.longitude)
    nearest = int(np.argmin(distance))
    if distance[nearest] > NEAR_KM:
        return None
    return [nearest], f'"{event["place"]}" taken as {places.name[nearest]}, {distance[nearest]:.0f} km away'


def own_places(
    events: Sequence[Event], country: str | None, leave_out: Tell, assume: Tell
) -> tuple[Places, list[tuple[Event, int]]]:
    """The places that occur in the events themselves, and each event's index into them.

    Events are grouped by name, region and country; a group lies at the median of its positions, else
    where the gazetteer has its name.
    """
    groups: dict[tuple[str, str, str], list[Event]] = {}
    found: dict[tuple[str, str, str], tuple[float, float, float]] = {}  # latitude, longitude, population

    def put(event: Event, key: tuple[str, str, str], at: tuple[float, float, float]) -> None:
        groups.setdefault(key, []).append(event)
        found[key] = at

    by_key: dict[tuple[str, str, str], list[Event]] = {}
    for event in events:
        name = event["place"]
        if not name and event["latitude"] is not None:
            name = f"{event['latitude']:.2f}, {event['longitude']:.2f}"
        by_key.setdefault((name, event["region"], event["country"] or country or ""), []).append(event)
    for (name, region, nation), group in by_key.items():
        positions = [(e["latitude"], e["longitude"]) for e in group if e["latitude"] is not None]
        if positions:
            north, east = np.median(np.array(positions, dtype=float), axis=0)
            persons, remark = _population(group, name, region, nation, north, east)
            for event in group:
                put(event, (name, region, nation), (north, east, persons))
            if remark:
                assume(group[0], remark, "give a population column or your own places")
            continue
        try:
            matches, remark = gazetteer_matches(name, nation or None, region)
        except Unplaced as problem:
            for event in group:
                leave_out(event, problem.reason, problem.remedy)
            continue
        for event in group:
            for match in matches:
                put(
                    event,
                    (match.label, match.region, match.country),
                    (match.latitude, match.longitude, match.population),
                )
            if remark:
                assume(event, remark, "check the place")
    if not groups:
        raise DataError("no event has a place that could be found; give positions in the file, or your own places.")
    keys = sorted(groups)
    at = np.array([found[key] for key in keys])
    places = Places(_unique(keys), at[:, 2], at[:, 0], at[:, 1], tuple(k[1] for k in keys), tuple(k[2] for k in keys))
    return places, [(event, i) for i, key in enumerate(keys) for event in groups[key]]


def _only(text: str, country: str | None, region: str) -> Match | None:
    """The one place that a text means, if there is just one."""
    try:
        found = gazetteer.candidates(text, country, region or None)
    except DataError:  # the country is not known
        return None
    return found[0] if len(found) == 1 else None


def _population(
    group: Sequence[Event], name: str, region: str, country: str, north: float, east: float
) -> tuple[float, str]:
    """Persons, and a remark where they are assumed."""
    given = [event["population"] for event in group if event["population"]]
    if given:
        return float(np.median(given)), ""
    for where in (region, ""):
        match = _only(name, country or None, where)
        if match and match.population > 0:
            away = great_circle_km(*map(np.array, (north, east, match.latitude, match.longitude)))
            if away <= NEAR_KM:
                return float(match.population), ""
    return UNKNOWN_POPULATION, f'"{name}" has no known population; taken as {UNKNOWN_POPULATION:,.0f}'


def _unique(keys: Sequence[tuple[str, str, str]]) -> tuple[str, ...]:
    """Names that differ: the name, with its region where it repeats, with its country where that repeats."""
    names = Counter(name for name, _, _ in keys)
    regions = Counter((name, region) for name, region, _ in keys)
    out: list[str] = []
    for name, region, country in keys:
        label = name
        if names[name] > 1:
            parts = [region] if regions[name, region] == 1 else [region, country]
            label = f"{name} ({', '.join(filter(None, parts)) or 'elsewhere'})"
        copy = label
        while copy in out:  # a name that looks like another's label
            copy += "*"
        out.append(copy)
    return tuple(out)
