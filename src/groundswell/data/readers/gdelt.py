"""GDELT event files, 2.0 and 1.0: what news articles tell, coded by a program, one row for each article's event.

Read by default is EventRootCode 14, protest. Counts follow the volume of the media as much as events do: the
same protest comes back from every article, and rows that plainly do so are left out (the first stands).
Countries of places are FIPS 10-4 (IS is Israel, GM Germany), those of actors are not used. ActionGeo_Type 1 is
the centre of a country, 2 and 5 of a state or province: no places of an event, although they have a position.
Some articles look back, so Day can lie years before the article: such a day is not taken for exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from groundswell.data import gazetteer
from groundswell.data.dates import Unreadable, read_date
from groundswell.data.readers.base import (
    LeftOut,
    Reader,
    RowReader,
    columns_of,
    joined,
    keeper,
    position,
    refuse_columns,
)
from groundswell.data.readers.raw import Raw

_PLACE = tuple(
    f"actiongeo_{part}" for part in ("type", "fullname", "countrycode", "adm1code", "lat", "long", "featureid")
)
_NEEDED = ("globaleventid", "eventcode", "eventrootcode", *_PLACE[:-1])
_ALSO = ("day", "sqldate", "actor1code", "actor2code", _PLACE[-1], "dateadded", "sourceurl")
_SCOPE = {"1": "national", "2": "region", "3": "place", "4": "place", "5": "region"}
_YEAR = 365
"""Days before its article from which on a day is held to be looked back on."""


def recognises(columns: Sequence[str]) -> bool:
    """Whether the columns are those of the event table, be it named by position or by an export's header."""
    have = {column.lower() for column in columns}
    return set(_NEEDED) <= have and not have.isdisjoint(("day", "sqldate"))


def prepare(raw: Raw, mapping: Mapping[str, str], rule: str) -> tuple[RowReader, Sequence[str], Sequence[str]]:
    """The row reader; the columns are fixed, so a mapping may hold `keep` alone, with root codes."""
    refuse_columns(raw, mapping, "GDELT event data", "keep")
    column = columns_of(raw, (*_NEEDED, *_ALSO))
    keep, kept = keeper(mapping, "14", "EventRootCode")
    named_articles = "sourceurl" in column
    told: dict[tuple[str, ...], str] = {}  # what makes two rows one event -> the id of the first

    def read_row(cells: dict[str, str]) -> list[dict[str, Any]]:
        given = {name: cells[column[name]] if name in column else "" for name in (*_NEEDED, *_ALSO)}
        root = given["eventrootcode"]
        keep(*filter(None, [root.zfill(2) if root.isdigit() else root]))  # spreadsheets turn 04 into 4
        day, precision, remark = _day(given, named_articles)
        where, place_remark = _where(given)
        _once(given, told)
        return [
            {
                "id": given["globaleventid"],
                "start": day,
                "end": day,
                "precision": precision,
                **where,
                "remark": joined(remark, place_remark),
            }
        ]

    notes = (
        kept,
        "rows come from articles, so counts follow the volume of the media: compare shares or use models that allow "
        "for it",
    )
    return read_row, list(column.values()), notes


READER = Reader(
    "gdelt",
    "GDELT event data",
    recognises,
    prepare,
    options=("keep",),
    needed=(*_NEEDED, "day or sqldate"),
    telling=("globaleventid", "eventrootcode", "goldsteinscale", "actiongeo_type"),
)


def _once(given: Mapping[str, str], told: dict[tuple[str, ...], str]) -> None:
    """LeftOut for a row that tells an event again; else the row is remembered as the first.

    By its number; by day, place and article (one article's protest is coded once for each pair of actors);
    by day, place, kind of event and actors, which is GDELT's own idea of one event.
    """
    identity, address = given["globaleventid"], given["sourceurl"]
    where = (given["day"] or given["sqldate"], *(given[name] for name in _PLACE))
    keys = {
        "the same GlobalEventID": ("id", identity) if identity else None,
        "the same day, place and article": ("article", *where, address) if "://" in address else None,
        "the same day, place, code and actors": (
            "event", *where, given["eventcode"], given["actor1code"], given["actor2code"],
        ),
    }  # fmt: skip
    for what, key in keys.items():
        if key in told:
            raise LeftOut(f"tells event {told[key]} again: {what}", "nothing; the first row of it is read")
    told.update({key: identity for key in keys.values() if key})


def _day(given: Mapping[str, str], named_articles: bool) -> tuple[date, str, str]:
    """The day, how closely it is known, and a remark where the article came long after.

    Files of before April 2013 name no article, and their DATEADDED may be the day on which they were made
    (recalled), so it says nothing of the day.
    """
    try:
        day = read_date(given["day"] or given["sqldate"])
    except Unreadable as problem:
        raise LeftOut(str(problem), "correct Day, as in 20180101") from problem
    try:
        added = read_date(given["dateadded"][:8])
    except Unreadable:
        return day, "day", ""
    late = (added - day).days
    if late < _YEAR or not named_articles:
        return day, "day", ""
    return day, "longer", f"Day lies {late:,} days before DATEADDED: looked back on, and not taken for exact"


def _where(given: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """Scope, place and position of the action, and a remark."""
    scope = _SCOPE.get(given["actiongeo_type"])
    if scope is None:
        raise LeftOut(f'ActionGeo_Type "{given["actiongeo_type"]}" is no place', "nothing; the article names none")
    code, text = given["actiongeo_countrycode"], given["actiongeo_fullname"]
    country = gazetteer.country_by_fips(code)
    parts = [part.strip() for part in text.split(",")]  # "Place, Province, Country", "Province, Country", "Country"
    named = parts[-2] if len(parts) > (2 if scope == "place" else 1) and scope != "national" else ""
    region = gazetteer.regions(country.code).get(given["actiongeo_adm1code"][2:], "") if country else ""
    region = "" if scope == "national" else region or ("" if "(general)" in named else named)
    north, east, remark = position(given["actiongeo_lat"], given["actiongeo_long"])
    if not (country or region or (scope == "place" and (parts[0] or north is not None))):
        raise LeftOut(f'"{text}" ({code or "no country"}) is in no country that is known', "correct the country code")
    return {
        "scope": scope,
        "place": parts[0] if scope == "place" else "",
        "place_text": text,
        "region": region,
        "country": country.name if country else "",
        "latitude": north if scope == "place" else None,
        "longitude": east if scope == "place" else None,
    }, joined(remark, "" if country else f'"{code}" is no FIPS code of a country')
