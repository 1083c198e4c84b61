"""Whom a nowcast is about: regions without an end of places, or a given universe of places, and who is who in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from groundswell.data import gazetteer
from groundswell.data.gazetteer import fold
from groundswell.data.places import Places
from groundswell.data.readers.base import missing
from groundswell.data.readers.numbers import number_or_nan
from groundswell.data.readers.placing import UNKNOWN_POPULATION, Unplaced, gazetteer_matches
from groundswell.data.readers.raw import read_raw
from groundswell.data.readers.table import FIELDS
from groundswell.data.vintages import Vintages
from groundswell.errors import DataError, UsageError, nearest

OPEN, GAZETTEER = "open", "gazetteer"


@dataclass(frozen=True, eq=False)
class Universe:
    """P units, and the unit of each of L entries.

    places : in the open form one place for each region, its population a placeholder. unit : (L,) index, -1
    for an entry that is none of them. reason : why, by entry; assumed : what was taken for granted on the way.
    """

    places: Places
    closed: bool
    unit: np.ndarray
    reason: Mapping[int, str]
    assumed: tuple[str, ...] = ()


def universe(
    vintages: Vintages, kind: str = OPEN, *, country: str | None = None, minimum_population: int = 15000
) -> Universe:
    """kind : "open", "gazetteer", or the path of a table of places (place, population; region, positions if known).

    In the open form entries are counted by region, and any number of places may have their first event: no
    list of places is needed, and no place has a chance of its own. The gazetteer's places are those of the
    country in the regions that the list names, from `minimum_population` on; smaller ones are outside.
    """
    if kind == OPEN:
        return _open(vintages)
    if kind == GAZETTEER:
        return _of_gazetteer(vintages, country, minimum_population)
    return _own(vintages, Path(kind))


def _open(vintages: Vintages) -> Universe:
    names: dict[str, str] = {}
    for region in vintages.region:
        names.setdefault(fold(region), region)
    index = {key: i for i, key in enumerate(names)}
    regions = tuple(names.values())
    places = Places(tuple(name or "everywhere" for name in regions), np.ones(len(regions)), region=regions)
    return Universe(places, False, np.array([index[fold(region)] for region in vintages.region], dtype=np.int64), {})


def _of_gazetteer(vintages: Vintages, country: str | None, minimum_population: int) -> Universe:
    countries = sorted({name for name in vintages.country if name})
    if country is None and len(countries) != 1:
        raise UsageError(
            f"the list names {len(countries)} countries; say whose places of the gazetteer are meant (--country)."
        )
    country = country or countries[0]
    places = gazetteer.places(country, minimum_population)
    places = _inside(
        vintages,
        places,
        f"the gazetteer's in {country} (it has names of regions for Iran and the United States only). Give a table of "
        "places of your own, or use the open form.",
    )
    index = {name: i for i, name in enumerate(places.name)}
    unit, reason, assumed = np.full(len(vintages), -1), {}, []
    for i, (name, region) in enumerate(zip(vintages.place, vintages.region, strict=True)):
        try:
            found, remark = gazetteer_matches(name, country, region)
        except Unplaced:
            found, remark = [], ""
        if len(found) == 1 and found[0].label in index:
            unit[i] = index[found[0].label]
            if remark:
                assumed.append(remark)
        else:
            reason[i] = "names several places" if len(found) > 1 else "is not in the universe: smaller, or not found"
    return Universe(places, True, unit, reason, tuple(assumed))


def _own(vintages: Vintages, path: Path) -> Universe:
    places, assumed = read_places(path)
    if any(places.region):
        places = _inside(vintages, places, f"the regions of {path.name}; write them alike in both.")
    by_region = {
        (fold(region), fold(_bare(name, region))): i
        for i, (name, region) in enumerate(zip(places.name, places.region, strict=True))
    }
    counts = Counter(name for _, name in by_region)
    by_name = {name: i for (_, name), i in by_region.items() if counts[name] == 1}
    unit, reason = np.full(len(vintages), -1), {}
    for i, (name, region) in enumerate(zip(vintages.place, vintages.region, strict=True)):
        alone = by_name.get(fold(name), -1) if not region or not any(places.region) else -1
        unit[i] = by_region.get((fold(region), fold(name)), alone)
        if unit[i] < 0:
            reason[i] = f"is not in {path.name}"
    if (unit < 0).all():
        raise DataError(
            f'no place of the list is in {path.name}: "{vintages.place[0]}" is not.'
            + nearest(vintages.place[0], places.name)
        )
    return Universe(places, True, unit, reason, assumed)


def _inside(vintages: Vintages, places: Places, of_whom: str) -> Places:
    """The places in the regions that the list names; all where it names none."""
    named = {fold(region): region for region in vintages.region if region}
    kept = [i for i, region in enumerate(places.region) if fold(region) in named]
    if named and not kept:
        raise DataError(
            f'no region of the list, as "{next(iter(named.values()))}", is one of {of_whom} One of theirs: '
            f'"{places.region[0]}".'
        )
    return places.subset(kept) if named else places


def read_places(path: Path) -> tuple[Places, tuple[str, ...]]:
    """Places from a table, and what was assumed: a population that is not given; rows that are no places.

    Positions are used where every place has one. A name that repeats carries its region.
    """
    raw = read_raw(path)
    plain = {name.strip().lower(): name for name in raw.columns}
    column = {
        field: next((plain[name] for name in FIELDS[field] if name in plain), "")
        for field in ("place", "region", "latitude", "longitude", "population")
    }
    if not column["place"] or not column["population"]:
        raise DataError(
            f"{raw.name} has no column for the {'population' if column['place'] else 'place'}; a universe of places "
            f"needs both. Its columns: {', '.join(raw.columns[:40])}."
        )
    rows = [cells for _, cells in raw.dictionaries() if not missing(cells[column["place"]])]
    if not rows:
        raise DataError(f"{raw.name} holds no place.")
    nameless = [number for number, cells in raw.dictionaries() if missing(cells[column["place"]])]
    left_out = [*raw.broken, *((number, "names no place") for number in nameless)]
    name = [cells[column["place"]] for cells in rows]
    region = [cells[column["region"]] if column["region"] else "" for cells in rows]
    north, east, persons = (
        np.array([number_or_nan(cells.get(column[field], ""), field) for cells in rows])
        for field in ("latitude", "longitude", "population")
    )
    unknown = ~(persons > 0)
    persons = np.where(unknown, UNKNOWN_POPULATION, persons)
    assumed = (
        (f"{int(unknown.sum())} places without a population are taken to have {UNKNOWN_POPULATION:,.0f} persons",)
        if unknown.any()
        else ()
    )
    if left_out:
        shown = "; ".join(f"row {number} {why}" for number, why in sorted(left_out)[:10])
        more = f"; and {len(left_out) - 10} more" if len(left_out) > 10 else ""
        assumed += (f"{len(left_out)} rows of {raw.name} are no places of the universe: {shown}{more}",)
    count = Counter(name)
    label = [f"{n} ({r})" if count[n] > 1 else n for n, r in zip(name, region, strict=True)]
    if twice := [n for n, c in Counter(label).items() if c > 1]:
        raise DataError(f'{raw.name} has "{twice[0]}" more than once; a universe has each place once.')
    placed = np.isfinite(north).all() and np.isfinite(east).all()
    if not placed and column["latitude"]:
        lost = int((~(np.isfinite(north) & np.isfinite(east))).sum())
        assumed += (f"{lost} places have no position, so who lives nearby is not used",)
    return Places(tuple(label), persons, north if placed else None, east if placed else None, tuple(region)), assumed


def _bare(name: str, region: str) -> str:
    return name.removesuffix(f" ({region})")
