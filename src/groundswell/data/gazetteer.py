"""The bundled gazetteer: 34,006 places of GeoNames, country outlines of Natural Earth.

Every place that GeoNames lists with 15,000 people or more (and a few smaller capitals). Traps:
municipal districts stand beside their city as places of their own, and populations are of mixed
years. Sources and licences: docs/attribution.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from groundswell.data import _gazetteer_files as files
from groundswell.data._gazetteer_files import IRAN_PROVINCES, Country
from groundswell.data.places import Places
from groundswell.errors import DataError, nearest

__all__ = [
    "IRAN_PROVINCES", "Country", "Match", "candidates", "country_by_fips", "find", "find_country", "fold", "outline",
    "places", "regions",
]  # fmt: skip

ALSO_CALLED = {
    "bailiwick of guernsey": "GG", "bailiwick of jersey": "JE", "bosnia": "BA", "bosnia herzegovina": "BA",
    "burma": "MM", "cambodia kampuchea": "KH", "cape verde": "CV", "caribbean netherlands": "BQ",
    "congo brazzaville": "CG", "congo kinshasa": "CD", "cote divoire": "CI", "czech republic": "CZ",
    "democratic republic of congo": "CD", "dr congo": "CD", "dr congo zaire": "CD", "east timor": "TL",
    "england": "GB", "great britain": "GB", "holland": "NL", "islamic republic of iran": "IR",
    "kingdom of eswatini swaziland": "SZ", "macedonia": "MK", "macedonia fyr": "MK", "myanmar burma": "MM",
    "netherlands": "NL", "palestine": "PS", "republic of congo": "CG", "russia soviet union": "RU",
    "russian federation": "RU", "saint helena ascension and tristan da cunha": "SH", "serbia yugoslavia": "RS",
    "slovak republic": "SK", "swaziland": "SZ", "syrian arab republic": "SY", "turkiye": "TR", "uk": "GB",
    "united arab emirate": "AE", "united states of america": "US", "usa": "US", "vatican city": "VA",
    "virgin islands u s": "VI", "yemen north yemen": "YE", "zaire": "CD",
}  # fmt: skip
"""Further names, folded, as event files write them. States that no longer exist are left out on
purpose: their territory is not one country of today."""

FIPS_TOO = {"GZ": "PS", "RB": "RS"}
"""FIPS 10-4 codes that GeoNames does not list, to ISO 3166: the Gaza Strip (it lists the West Bank's WE
for both), and Serbia as GDELT's own list of codes writes it (recalled, not checked)."""


@dataclass(frozen=True)
class Match:
    """A place of the gazetteer that was found by name; `by` says whether by its primary name.

    label : the name under which `places(country)` lists it (a repeated name carries its region).
    region : province or state by name in Iran and the United States, else GeoNames' admin-1 code.
    """

    geonameid: int
    name: str
    label: str
    country: str
    region: str
    latitude: float
    longitude: float
    population: int
    by: Literal["primary", "alternate"]


def find_country(name: str) -> Country:
    """A country by name or by its code of two or three letters; DataError names the nearest."""
    known, key = files.countries(), fold(name)
    found = known.get(name.strip().upper()) or known.get(ALSO_CALLED.get(key, key))
    if found is None:
        raise DataError(
            f'country "{name}" is not known to the gazetteer.'
            + nearest(name, sorted({c.name for c in known.values()}))
            + ' Use its English name or its ISO code, as in "Iran" or "IR".'
        )
    return found


@lru_cache(maxsize=4096)
def country_name(name: str) -> str:
    """The gazetteer's name of a country, or the name as it stands (a state that is no more)."""
    try:
        return find_country(name).name
    except DataError:
        return name


def country_by_fips(code: str) -> Country | None:
    """The country of a FIPS 10-4 code, as GDELT places events by; None for seas and unknown codes.

    Not ISO 3166, though both have two letters: GM is Germany, IS Israel, AU Austria, CH China. The codes are
    GeoNames' own column for them.
    """
    key = code.strip().upper()
    return files.countries().get(FIPS_TOO[key]) if key in FIPS_TOO else files.countries_by_fips().get(key)


@lru_cache(maxsize=256)
def regions(country: str) -> dict[str, str]:
    """GeoNames' code -> name of the provinces or states of a country by its ISO code; Iran and the United States."""
    return {code: name for (nation, code), name in files.region_names().items() if nation == country}


def places(country: str | Sequence[str] = "IR", minimum_population: int = 15000) -> Places:
    """All gazetteer places of one country or several, largest first.

    A name that occurs once stays as it is; one that a country repeats is told apart by its region,
    "Nūrābād (Fars)", and where that repeats too, by its geonameid; with several countries a label
    that two of them use carries the country's code. `region` holds province names for Iran and state
    names for the United States, GeoNames' admin-1 codes elsewhere; `country` holds English names, so
    that a claim about "Iran" covers them all.
    """
    wanted = [country] if isinstance(country, str) else list(country)
    chosen = {found.code: found for found in map(find_country, wanted)}
    table = files.cities()
    rows = np.concatenate([np.arange(*table.span(code)) for code in chosen])
    names = [label for code in chosen for label in files.labels(code)]
    # a population of 0 means that GeoNames has none; such a place cannot carry a rate per person
    kept = np.flatnonzero(table.population[rows] >= max(minimum_population, 1))
    if kept.size == 0:
        raise DataError(
            f"the gazetteer has no place of {minimum_population:,} people or more in "
            f"{', '.join(c.name for c in chosen.values())}. It holds places from 15,000 people; "
            "give your own table of places for smaller ones."
        )
    kept = kept[np.argsort(-table.population[rows[kept]], kind="stable")]
    rows, names = rows[kept], [names[i] for i in kept]
    counts = Counter(names)
    return Places(
        tuple(n if counts[n] == 1 else f"{n} ({table.country[i]})" for n, i in zip(names, rows, strict=True)),
        table.population[rows],
        table.latitude[rows],
        table.longitude[rows],
        tuple(table.region(i) for i in rows),
        tuple(chosen[table.country[i]].name for i in rows),
    )


def candidates(name: str, country: str | None = None, region: str | None = None) -> list[Match]:
    """The places that `name` may mean by the rules of `find`: none, one, or several that tie."""
    table = files.cities()
    code = None if country is None else find_country(country).code
    for primary, exact in ((True, True), (True, False), (False, True), (False, False)):
        key = name.strip() if exact else fold(name)
        rows = files.index(code, primary, exact).get(key, []) if key else []
        if region is not None:
            rows = [i for i in rows if fold(region) in (fold(table.region(i)), fold(table.admin1[i]))]
        if rows:
            return [_match(i, primary) for i in rows]
    return []


def find(name: str, country: str | None = None, region: str | None = None) -> Match:
    """The one gazetteer place that is meant by `name`.

    In this order, and the first that finds anything decides: the primary name letter by letter; the
    primary name without case, accents and punctuation; an alternate name letter by letter (Persian
    and Arabic script included); an alternate name without them. So "Tehran" is Tehran, although it
    is also an alternate name of Tiran. More than one find at the deciding level is a DataError that
    lists the candidates: nothing is chosen by size. Without `country` all 34,006 places are searched,
    which takes a second or two the first time.
    """
    found = candidates(name, country, region)
    if len(found) == 1:
        return found[0]
    if found:
        raise _tie(name, found)
    where = "".join(f" in {part}" for part in (region, country) if part)
    table = files.cities()
    code = None if country is None else find_country(country).code
    first, last = table.span(code)
    near = [n for n in table.name[first:last] if code or n[:1] == name[:1]]  # all 34,006 take seconds
    raise DataError(
        f'place "{name}" is not in the gazetteer{where}.{nearest(name, near)} '
        "It holds places of 15,000 people or more; give coordinates or your own table of places for others."
    )


def outline(country: str) -> list[np.ndarray]:
    """Rings of (M, 2) longitude and latitude in degrees, closed; Natural Earth 1:50m.

    Enclaves are rings too: fill by the even-odd rule. Overseas parts are included. Places that
    Natural Earth draws apart ("N. Cyprus", "Somaliland") are found under those names; that states
    no opinion.
    """
    known = files.outlines()
    rings = known.get(country) or known.get(find_country(country).code)
    if rings is None:
        raise DataError(f'Natural Earth 1:50m has no outline of "{country}".')
    return [np.cumsum(np.reshape(ring, (-1, 2)), axis=0) / 100 for ring in rings]


@lru_cache(maxsize=65536)
def fold(name: str) -> str:
    """A name as it is compared: no case, accents, punctuation; Arabic letters in their Persian form."""
    return files.folded([name])[0]


def _match(i: int, primary: bool) -> Match:
    table = files.cities()
    code = table.country[i]
    return Match(
        int(table.geonameid[i]),
        table.name[i],
        files.labels(code)[i - table.span(code)[0]],
        find_country(code).name,
        table.region(i),
        float(table.latitude[i]),
        float(table.longitude[i]),
        int(table.population[i]),
        "primary" if primary else "alternate",
    )


def _tie(name: str, found: list[Match]) -> DataError:
    shown = sorted(found, key=lambda m: -m.population)[:8]
    lines = "; ".join(f"{m.name} ({m.region}, {m.country}; {m.population:,} people; id {m.geonameid})" for m in shown)
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    kind = "name" if found[0].by == "primary" else "alternate name"
    return DataError(
        f'place "{name}" is the {kind} of {len(found)} places: {lines}{more}. '
        "Nothing is chosen by size; add the country or the region, or give coordinates."
    )
