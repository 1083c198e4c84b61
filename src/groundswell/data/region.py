"""Region: the part of the plane in which events could have been seen, in km."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.places import EARTH_RADIUS_KM
from groundswell.errors import DataError

NEAREST_KM = 1e-9
"""A boundary that passes a point more closely is taken as passing through it."""

BORDER_KM = 1e-6
"""A point no further outside lies on the border, which belongs to the tiles on either side."""


@dataclass(frozen=True, eq=False)
class Region:
    """Outlines with holes, in km on a plane map.

    rings : each (V, 2), x east and y north; closed (the last corner is joined to the first), outlines anticlockwise
    and holes clockwise. `from_geometry` puts them so, and refuses outlines that cross themselves: what is inside of
    one is then not defined, and integrals over it come out wrong without a sign of it.
    tiles : the regions of the setting's places in their order, where places are areas that fill this one.
    """

    rings: tuple[np.ndarray, ...]
    tiles: tuple[Region, ...] = ()

    @classmethod
    def rectangle(cls, west: float, south: float, east: float, north: float) -> Region:
        """Between two meridians and two parallels of the plane map, km."""
        if not (west < east and south < north):
            raise DataError(f"a rectangle from ({west:g}, {south:g}) to ({east:g}, {north:g}) km has no area.")
        return cls((np.array([[west, south], [east, south], [east, north], [west, north]], dtype=float),))

    def tiled(self, tiles: Sequence[Region]) -> Region:
        """The same region with a tile for every place; DataError unless their areas add up to its own."""
        total = sum(tile.area_km2 for tile in tiles)
        if abs(total - self.area_km2) > 0.01 * self.area_km2:
            raise DataError(
                f"the tiles cover {total:.6g} km^2 and the region {self.area_km2:.6g}; they must fill it, "
                "since an event belongs to the tile that it is in."
            )
        return Region(self.rings, tuple(tiles))

    @classmethod
    def from_geometry(cls, shape: Any, *, projection: Projection | None = None, surely_km: bool = False) -> Region:
        """From GeoJSON (a mapping or a file of it) or a shapely geometry; every polygon in it, joined.

        projection : for longitudes and latitudes in degrees, how they become km; without it coordinates are km.
        surely_km : also where they could be degrees by their size.
        DataError for what is no GeoJSON, outlines that cross themselves, no polygon, km taken as degrees and degrees
        taken as km.
        """
        import shapely
        import shapely.geometry

        geometry = shapely.force_2d(_geometry(shape))  # files may state heights
        if projection is not None:
            west, south, east, north = shapely.bounds(geometry)
            if max(abs(west), abs(east)) > 360 or max(abs(south), abs(north)) > 90:
                raise DataError(
                    f"the region spans {west:g} to {east:g} by {south:g} to {north:g}, which are no degrees of "
                    "longitude and latitude, in this order; events have degrees here. Write the outlines in degrees "
                    "(GeoJSON always is: EPSG:4326), or give the events' positions in km too, as x_km and y_km."
                )
            geometry = shapely.transform(geometry, lambda at: projection(at[:, 1], at[:, 0]))
        polygons = [part for part in _parts(geometry) if part.geom_type == "Polygon"]
        if not polygons:
            raise DataError("the region holds no polygon; give its outlines, as GeoJSON or a shapely geometry.")
        for polygon in polygons:
            if not shapely.is_valid(polygon):
                raise DataError(
                    f"an outline of the region is no simple polygon ({shapely.is_valid_reason(polygon)}), so that its "
                    "inside is not defined. Mend it first: shapely.make_valid does."
                )
        joined = shapely.union_all(polygons)
        bounds = np.array(shapely.bounds(joined))
        if projection is None and not surely_km and (np.abs(bounds) <= 180).all() and np.ptp(bounds[[0, 2]]) < 90:
            raise DataError(
                f"the region spans {bounds[0]:g} to {bounds[2]:g} by {bounds[1]:g} to {bounds[3]:g}, which look like "
                "degrees; distances are in km here. Give projection=Projection.around(latitude, longitude), or "
                "coordinates in km (surely_km=True says that these are)."
            )
        rings = []
        for polygon in _parts(joined):
            polygon = shapely.geometry.polygon.orient(polygon)
            rings += [np.array(ring.coords)[:-1] for ring in (polygon.exterior, *polygon.interiors)]
        return cls(tuple(rings))

    @cached_property
    def area_km2(self) -> float:
        """Its area."""
        return float(sum(0.5 * _cross(ring, np.roll(ring, -1, axis=0)).sum() for ring in self.rings))

    @cached_property
    def geometry(self) -> Any:
        """The same as a shapely geometry; a ring that runs clockwise is a hole of the outline before it."""
        import shapely

        outlines: list[list[np.ndarray]] = []
        for ring in self.rings:
            if not outlines or _cross(ring, np.roll(ring, -1, axis=0)).sum() > 0:
                outlines.append([ring])
            else:
                outlines[-1].append(ring)
        return shapely.union_all([shapely.Polygon(outline, holes) for outline, *holes in outlines])

    def geojson(self, properties: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """As GeoJSON, a feature with its properties for each tile; in km, where the standard has degrees."""
        import shapely.geometry

        features = [
            {"type": "Feature", "properties": dict(own), "geometry": shapely.geometry.mapping(tile.geometry)}
            for own, tile in zip(properties, self.tiles or (self,), strict=True)
        ]
        return {"type": "FeatureCollection", "units": "km", "features": features}

    @cached_property
    def edges(self) -> np.ndarray:
        """(V, 4) every edge of the boundary: from x, y to x, y."""
        return np.concatenate([np.hstack([ring, np.roll(ring, -1, axis=0)]) for ring in self.rings])

    def tile_of(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(N,) number of the tile of each point, 0 for a region without tiles, -1 outside of all."""
        if not self.tiles:
            return np.where(self.contains(x, y), 0, -1)
        found = np.full(np.shape(x), -1)
        for number, tile in enumerate(self.tiles):
            found[tile.contains(x, y)] = number
        return found

    def astray(self, x: np.ndarray, y: np.ndarray, tile: np.ndarray) -> np.ndarray:
        """(N,) whether each point lies outside the tile that it is said to be in; on its border it does not."""
        import shapely

        found = np.zeros(np.shape(x), dtype=bool)
        for number in np.unique(tile) if self.tiles else ():
            rows, own = np.flatnonzero(tile == number), self.tiles[number]
            rows = rows[~own.contains(x[rows], y[rows])]
            found[rows] = shapely.distance(own.geometry, shapely.points(x[rows], y[rows])) > BORDER_KM
        return found

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, 2) points, uniform over the region."""
        corners = np.concatenate(self.rings)
        low, high = corners.min(axis=0), corners.max(axis=0)
        found = np.empty((0, 2))
        while len(found) < count:
            tried = low + (high - low) * rng.random((2 * (count - len(found)) + 8, 2))
            found = np.concatenate([found, tried[self.contains(*tried.T)]])
        return found[:count]

    def contains(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(N,) whether each point is inside; a point on the boundary is neither surely in nor out."""
        inside = np.zeros(np.shape(x), dtype=bool)
        for x0, y0, x1, y1 in self.edges:
            crosses = (y0 > y) != (y1 > y)
            if y0 != y1:
                inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
        return inside


@dataclass(frozen=True)
class Projection:
    """Degrees to km on a plane map: Lambert's azimuthal equal-area projection of the sphere.

    Areas are true everywhere; distances are 1 % too long or short 1,300 km from the centre, 4 % at 2,500 km.
    Snyder (1987), Map Projections: A Working Manual, equations 24-2, 22-4 and 22-5.
    """

    latitude: float
    longitude: float

    @classmethod
    def around(cls, latitude: np.ndarray, longitude: np.ndarray) -> Projection:
        """Centred in the middle of the points, also where these lie on either side of the date line."""
        east = np.unique(np.asarray(longitude, dtype=float))
        gaps = np.diff(east)
        if len(gaps) and gaps.max() > 360 - np.ptp(east):
            east = np.where(east <= east[np.argmax(gaps)], east + 360, east)
        middle = float(np.mean([east.min(), east.max()]))
        return cls(float(np.mean([np.min(latitude), np.max(latitude)])), middle - 360 if middle > 180 else middle)

    def __call__(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """(N, 2) km east and north of the centre."""
        south, east = np.radians(latitude), np.radians(np.asarray(longitude) - self.longitude)
        middle = np.radians(self.latitude)
        apart = 1 + np.sin(middle) * np.sin(south) + np.cos(middle) * np.cos(south) * np.cos(east)
        stretched = EARTH_RADIUS_KM * np.sqrt(2 / apart)
        return np.stack(
            [
                stretched * np.cos(south) * np.sin(east),
                stretched * (np.cos(middle) * np.sin(south) - np.sin(middle) * np.cos(south) * np.cos(east)),
            ],
            axis=-1,
        )

    def degrees(self, x_km: np.ndarray, y_km: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(latitude, longitude) of points of the map: the projection backwards (equations 20-14, 20-15 and 24-16)."""
        x, y = np.asarray(x_km, dtype=float), np.asarray(y_km, dtype=float)
        away = np.hypot(x, y)
        angle = 2 * np.arcsin(np.minimum(away / (2 * EARTH_RADIUS_KM), 1))
        middle, safe = np.radians(self.latitude), np.where(away > 0, away, 1)
        sine = np.cos(angle) * np.sin(middle) + y * np.sin(angle) * np.cos(middle) / safe
        east = np.arctan2(
            x * np.sin(angle), safe * np.cos(middle) * np.cos(angle) - y * np.sin(middle) * np.sin(angle)
        )  # fmt: skip
        longitude = (self.longitude + np.degrees(np.where(away > 0, east, 0)) + 180) % 360 - 180
        return np.degrees(np.arcsin(np.clip(sine, -1, 1))), longitude


def geojson(shape: Any) -> Mapping[str, Any]:
    """A GeoJSON object from a file of it, or as it is; DataError for what is none."""
    name = "the region"
    if isinstance(shape, str | Path):
        name = str(shape)
        try:
            shape = json.loads(Path(shape).read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"{name} cannot be read: {error.strerror}. Give the path of a GeoJSON file.") from error
        except ValueError as error:
            raise DataError(f"{name} is no JSON ({error}); expected a GeoJSON file of polygons.") from error
    if not isinstance(shape, Mapping):
        raise DataError(f"{name} is no GeoJSON: expected an object with a type, geometry or features.")
    return shape


def _geometry(shape: Any) -> Any:
    """A shapely geometry from what was given."""
    import shapely
    import shapely.geometry

    if isinstance(shape, shapely.Geometry):
        return shape
    name = str(shape) if isinstance(shape, str | Path) else "the region"
    shape = geojson(shape)
    parts = shape.get("features", [shape])
    try:
        found = [part.get("geometry", part) for part in parts]
        return shapely.geometry.GeometryCollection([shapely.geometry.shape(one) for one in found if one])
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise DataError(f"{name} is no GeoJSON that can be read ({type(error).__name__}: {error}).") from error


def _parts(geometry: Any) -> list[Any]:
    """The single geometries inside."""
    if hasattr(geometry, "geoms"):
        return [part for one in geometry.geoms for part in _parts(one)]
    return [geometry]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
