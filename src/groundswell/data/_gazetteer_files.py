"""The files behind the gazetteer: read once, on first use, and indexed by name."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

BUNDLED = Path(__file__).parent / "bundled"

IRAN_PROVINCES = {
    "01": "West Azerbaijan", "03": "Chaharmahal and Bakhtiari", "04": "Sistan and Baluchestan",
    "05": "Kohgiluyeh and Boyer-Ahmad", "07": "Fars", "08": "Gilan", "09": "Hamadan", "10": "Ilam",
    "11": "Hormozgan", "13": "Kermanshah", "15": "Khuzestan", "16": "Kurdistan", "22": "Bushehr",
    "23": "Lorestan", "25": "Semnan", "26": "Tehran", "28": "Isfahan", "29": "Kerman", "32": "Ardabil",
    "33": "East Azerbaijan", "34": "Markazi", "35": "Mazandaran", "36": "Zanjan", "37": "Golestan",
    "38": "Qazvin", "39": "Qom", "40": "Yazd", "41": "South Khorasan", "42": "Razavi Khorasan",
    "43": "North Khorasan", "44": "Alborz",
}  # fmt: skip
"""Iran's 31 provinces by GeoNames admin-1 code (GeoNames, admin1CodesASCII; spelled in English
without "Province"); a test finds each province's capital under its code."""


@dataclass(frozen=True)
class Country:
    """A country as GeoNames lists it: ISO 3166 codes of two and three letters, FIPS 10-4 code, name, population."""

    code: str
    code3: str
    fips: str
    name: str
    population: int


@dataclass(frozen=True, eq=False)
class Cities:
    """The table of cities, sorted by country and population; spans: code -> rows [first, last)."""

    geonameid: np.ndarray
    name: list[str]
    country: list[str]
    admin1: list[str]
    latitude: np.ndarray
    longitude: np.ndarray
    population: np.ndarray
    spans: dict[str, tuple[int, int]]

    def span(self, code: str | None) -> tuple[int, int]:
        """Rows [first, last) of a country, or of all."""
        return (0, len(self.name)) if code is None else self.spans.get(code, (0, 0))

    def region(self, i: int) -> str:
        """Name of the first-order division where it is known, else its GeoNames code."""
        return region_names().get((self.country[i], self.admin1[i]), self.admin1[i])


@lru_cache(maxsize=1)
def cities() -> Cities:
    """All cities."""
    import pyarrow.parquet

    columns = pyarrow.parquet.read_table(BUNDLED / "cities.parquet").to_pydict()
    spans: dict[str, tuple[int, int]] = {}
    for i, code in enumerate(columns["country"]):
        spans[code] = (spans.get(code, (i, i))[0], i + 1)
    return Cities(
        np.array(columns["geonameid"]),
        columns["name"],
        columns["country"],
        columns["admin1"],
        np.array(columns["latitude"]) / 1e5,
        np.array(columns["longitude"]) / 1e5,
        np.array(columns["population"], dtype=float),
        spans,
    )


@lru_cache(maxsize=1)
def alternates() -> list[str]:
    """The alternate names of each city, joined by "|"."""
    import pyarrow.parquet

    files = sorted(BUNDLED.glob("alternates-*.parquet"))
    return [text for file in files for text in pyarrow.parquet.read_table(file)["alternates"].to_pylist()]


@lru_cache(maxsize=256)
def labels(code: str) -> tuple[str, ...]:
    """Names that are unique within a country: the region is added to repeats, then the geonameid."""
    table = cities()
    rows = range(*table.span(code))
    counts = Counter(table.name[i] for i in rows)
    longer = [table.name[i] if counts[table.name[i]] == 1 else f"{table.name[i]} ({table.region(i)})" for i in rows]
    counts = Counter(longer)
    return tuple(
        label if counts[label] == 1 else f"{label[:-1]}, {table.geonameid[i]})"
        for label, i in zip(longer, rows, strict=True)
    )


@lru_cache(maxsize=256)
def index(code: str | None, primary: bool, exact: bool) -> dict[str, list[int]]:
    """Primary or alternate names, folded unless exact, of a country (None: of all) -> rows."""
    table = cities()
    rows = range(*table.span(code))
    if primary:
        pairs = [(table.name[i], i) for i in rows]
    else:
        pairs = [(name, i) for i in rows for name in alternates()[i].split("|") if name]
    keys = [name for name, _ in pairs] if exact else folded([name for name, _ in pairs])
    found: dict[str, list[int]] = {}
    for key, (_, i) in zip(keys, pairs, strict=True):
        bearers = found.setdefault(key, [])
        if not bearers or bearers[-1] != i:  # one place may bear several names that fold alike
            bearers.append(i)
    return found


def folded(names: Sequence[str]) -> list[str]:
    """Names as they are compared: no case, accents, punctuation; Arabic letters in Persian form."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text: Any = pc.utf8_normalize(pa.array(names, pa.string()), form="NFKD")  # pyright: ignore
    for pattern, new in (
        (r"[\p{M}\p{Lm}'’‘`\x{200c}]", ""),
        ("ي", "ی"),
        ("ك", "ک"),
        (r"[^\p{L}\p{N}]+", " "),
    ):
        text = pc.replace_substring_regex(text, pattern, new)  # pyright: ignore
    return pc.utf8_trim_whitespace(pc.utf8_lower(text)).to_pylist()  # pyright: ignore


@lru_cache(maxsize=1)
def countries() -> dict[str, Country]:
    """Countries by code of two letters, of three, and by folded name."""
    with (BUNDLED / "countries.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            Country(r["code"], r["code3"], r["fips"], r["name"], int(r["population"])) for r in csv.DictReader(file)
        ]
    known: dict[str, Country] = {}
    for row, name in zip(rows, folded([r.name for r in rows]), strict=True):
        known |= {row.code: row, row.code3: row, name: row}
    return known


@lru_cache(maxsize=1)
def countries_by_fips() -> dict[str, Country]:
    """Countries by FIPS 10-4 code, those that have one."""
    return {country.fips: country for country in countries().values() if country.fips}


@lru_cache(maxsize=1)
def region_names() -> dict[tuple[str, str], str]:
    """(country code, admin-1 code) -> name, where names are bundled."""
    with (BUNDLED / "us_states.csv").open(encoding="utf-8", newline="") as file:
        states = {("US", r["admin1"]): r["name"] for r in csv.DictReader(file)}
    return states | {("IR", code): name for code, name in IRAN_PROVINCES.items()}


@lru_cache(maxsize=1)
def outlines() -> dict[str, list[list[int]]]:
    """Code -> rings as [x0, y0, dx, dy, ...] in hundredths of a degree."""
    return json.loads(gzip.decompress((BUNDLED / "outlines.json.gz").read_bytes()))
