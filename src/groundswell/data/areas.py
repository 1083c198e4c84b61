"""Where events of the plane could have been seen, and its cells: from a file, outlines of countries, or a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data import _gazetteer_files as files
from groundswell.data import gazetteer
from groundswell.data.places import Places
from groundswell.data.region import Projection, Region, geojson
from groundswell.errors import DataError, UsageError, nearest

WIDER_KM = 5.0
"""Outlines of 1:50 million run some km beside the coast: 3 in 100 towns lie outside of their country, most by less."""

AROUND = 0.05
"""Of the root of its area, by which a hull of events is widened: the next event need not lie inside the hull."""

LEAST_DENSITY = 1.0
"""Persons per km^2 that every cell has at least: nowhere is the chance of an event nil."""

MOST_CELLS = 5000


def countries_region(names: Sequence[str], projection: Projection, at: np.ndarray) -> Region:
    """The outlines of countries, WIDER_KM wider: those parts that hold any of the points `at`, (N, 2) km.

    Parts overseas without an event are left out, since they would stretch the map. DataError where no point is inside.
    """
    import shapely

    outline: Any = shapely.union_all([country_outline(name, projection) for name in names])
    whole = shapely.buffer(outline, WIDER_KM)
    points = shapely.multipoints(at)
    parts = [part for part in shapely.get_parts(whole) if shapely.intersects(part, points)]
    if not parts:
        raise DataError(
            f"none of {len(at)} events lies inside the outline of {', '.join(names)}. Are latitude and longitude "
            "swapped, or is it another country? Or give the outlines yourself, as a GeoJSON file."
        )
    return Region.from_geometry(shapely.union_all(parts), surely_km=True)


def country_outline(name: str, projection: Projection) -> Any:
    """A country's outline in km as a shapely geometry; rings inside rings are holes."""
    import shapely

    rings = [projection(ring[:, 1], ring[:, 0]) for ring in gazetteer.outline(name)]
    polygons = [shapely.make_valid(shapely.Polygon(ring)) for ring in rings if len(ring) > 3]
    found = shapely.Polygon()
    for polygon in sorted(polygons, key=shapely.area, reverse=True):
        found = shapely.symmetric_difference(found, polygon)
    return found


def region_around(at: np.ndarray) -> tuple[Region, float]:
    """The convex hull of points (N, 2), widened, and by how many km: a guess at where events could have been seen."""
    import shapely

    hull: Any = shapely.convex_hull(shapely.multipoints(at))
    if shapely.area(hull) < 1e-9:
        raise DataError(
            f"{len(at)} events at {len(np.unique(at, axis=0))} positions span no area, so where events could have been "
            "seen cannot be guessed from them. Give the region as a GeoJSON file (--region), or the country."
        )
    wider = AROUND * float(np.sqrt(shapely.area(hull)))
    return Region.from_geometry(shapely.buffer(hull, wider), surely_km=True), wider


@dataclass(frozen=True, eq=False)
class Cells:
    """A region as P places. density : (P,) persons per km^2 of the gazetteer, or None where there are no degrees.

    even : persons per km^2 beside those of the listed places, taken to be the same everywhere.
    """

    region: Region
    places: Places
    area_km2: np.ndarray
    density: np.ndarray | None
    even: float = 0.0


def cells(region: Region, cell_km: float | None, projection: Projection | None) -> Cells:
    """The region whole (or in its tiles), or cut by a grid of squares; cells are named by what they hold.

    A cell's persons are those of the gazetteer's places in it. People of no listed place (in villages, in towns below
    15,000) are spread evenly: each country's population less that of its listed places, over its area; LEAST_DENSITY
    at least. UsageError for more than MOST_CELLS cells.
    """
    if cell_km is not None:
        tiles = _squares(region, cell_km)
        return _peopled(region.tiled(tiles), tiles, projection)
    return _peopled(region, region.tiles or (region,), projection)


def districts(shape: Any, by: str, projection: Projection | None, *, surely_km: bool = False) -> Cells:
    """A GeoJSON of several features, each a place, named by its property `by`; people as in `cells`.

    Where every feature has a property "population" above 0, that is taken. DataError for names that repeat or lack,
    and for districts that overlap.
    """
    parts = [part for part in geojson(shape).get("features", []) if part.get("geometry")]
    names = [str((part.get("properties") or {}).get(by) or "") for part in parts]
    if not parts or not all(names):
        known = sorted({name for part in parts for name in part.get("properties") or {}})
        raise DataError(
            f'{names.count("")} of {len(parts)} features have no property "{by}" to be named by; they have: '
            f"{', '.join(known) or 'none'}." + nearest(by, known)
        )
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f'the name "{repeated[0]}" stands for several features; join them, or name them apart.')
    tiles = [Region.from_geometry(part, projection=projection, surely_km=surely_km) for part in parts]
    whole = Region.from_geometry(shape, projection=projection, surely_km=surely_km).tiled(tiles)
    people = [(part.get("properties") or {}).get("population") for part in parts]
    told = all(isinstance(count, int | float) and count > 0 for count in people)
    return _peopled(whole, tiles, projection, names, np.array(people, dtype=float) if told else None)


def _peopled(
    whole: Region,
    tiles: Sequence[Region],
    projection: Projection | None,
    names: Sequence[str] | None = None,
    people: np.ndarray | None = None,
) -> Cells:
    """The tiles with their people: those given, else the gazetteer's."""
    area = np.array([tile.area_km2 for tile in tiles])
    middles = np.array([_middle(tile) for tile in tiles])
    density, even, largest = None, 0.0, [""] * len(tiles)
    if people is not None:
        density = people / area
    elif projection is not None:
        density, even, largest = _by_gazetteer(whole, area, projection)
    latitude, longitude = (None, None) if projection is None else projection.degrees(*middles.T)
    population = np.ones(len(tiles)) if density is None else density * area
    named = tuple(names) if names is not None else _named(largest, middles)
    return Cells(whole, Places(named, population, latitude, longitude), area, density, even)


def _by_gazetteer(whole: Region, area: np.ndarray, projection: Projection) -> tuple[np.ndarray, float, list[str]]:
    """Persons per km^2 by tile; of them those that are the same everywhere; each tile's largest town, "" for none."""
    towns = files.cities()
    xy = projection(towns.latitude, towns.longitude)
    corners = np.concatenate(whole.rings)
    near = np.flatnonzero(((xy >= corners.min(axis=0)) & (xy <= corners.max(axis=0))).all(axis=1))
    tile = np.full(len(xy), -1)
    tile[near] = whole.tile_of(*xy[near].T)
    inside = np.flatnonzero(tile >= 0)
    persons = np.bincount(tile[inside], towns.population[inside], len(area))
    largest = [""] * len(area)
    for i in sorted(inside, key=lambda i: towns.population[i]):
        largest[tile[i]] = towns.name[i]
    even = _even_density(sorted({towns.country[i] for i in inside}), whole, projection)
    return persons / area + even, even, largest


def _even_density(codes: Sequence[str], region: Region, projection: Projection) -> float:
    """Persons per km^2 of no listed place: each country's, by its part of the region; LEAST_DENSITY at least."""
    import shapely

    towns, people, area = files.cities(), 0.0, 0.0
    for code in codes:
        first, last = towns.span(code)
        try:
            outline = country_outline(code, projection)
        except DataError:
            continue  # too small for an outline
        unlisted = max(0.0, gazetteer.find_country(code).population - float(towns.population[first:last].sum()))
        shared = float(shapely.area(shapely.intersection(outline, region.geometry)))
        people += unlisted / float(shapely.area(outline)) * shared
        area += shared
    return max(LEAST_DENSITY, people / area) if area else LEAST_DENSITY


def _squares(region: Region, side: float) -> list[Region]:
    """The region's parts in the squares of a grid, south to north in columns from the west."""
    import shapely

    whole = region.geometry
    west, south, east, north = shapely.bounds(whole)
    across, up = int(np.ceil((east - west) / side)), int(np.ceil((north - south) / side))
    if across * up > MOST_CELLS:
        raise UsageError(
            f"a grid of {side:g} km has {across * up:,} cells over {east - west:,.0f} by {north - south:,.0f} km; "
            f"expected at most {MOST_CELLS:,}. Take larger cells."
        )
    found = []
    for i in range(across):
        for j in range(up):
            square = shapely.box(west + i * side, south + j * side, west + (i + 1) * side, south + (j + 1) * side)
            part = shapely.intersection(whole, square)
            if shapely.area(part) > 1e-9 * side**2:
                found.append(Region.from_geometry(part, surely_km=True))
    return found


def _middle(tile: Region) -> tuple[float, float]:
    """The centroid."""
    import shapely

    point = shapely.centroid(tile.geometry)
    return float(point.x), float(point.y)


def _named(towns: Sequence[str], middles: np.ndarray) -> tuple[str, ...]:
    """A name for each cell: its largest town, else where its middle is; one cell alone is the region."""
    if len(towns) == 1:
        return ("the region",)
    often = Counter(towns)
    names = []
    for town, (x, y) in zip(towns, middles, strict=True):
        where = f"{abs(x):.0f} km {'east' if x >= 0 else 'west'}, {abs(y):.0f} km {'north' if y >= 0 else 'south'}"
        names.append(town if town and often[town] == 1 else f"{town} ({where})" if town else where)
    return tuple(names)
