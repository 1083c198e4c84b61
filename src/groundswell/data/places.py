"""Places: names, positions, populations; distances on the sphere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from groundswell.errors import DataError, nearest

EARTH_RADIUS_KM = 6371.0088
"""Mean radius R1 of the Earth (IUGG, WGS 84)."""


@dataclass(frozen=True, eq=False)
class Places:
    """P places in a fixed order, which is the order of every (P, ...) array.

    name : P names, unique. latitude, longitude : (P,) degrees, or both None for places
    without a position (a single well-mixed population). population : (P,) persons.
    region : P names of the province or state, "" where unknown; a claim about a region
    sums its places. country : P names. geonameid : (P,) or None.
    """

    name: tuple[str, ...]
    population: np.ndarray
    latitude: np.ndarray | None = None
    longitude: np.ndarray | None = None
    region: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    _index: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        count = len(self.name)
        if count == 0:
            raise DataError("Places is empty; a study needs at least one place.")
        for what in ("population", "latitude", "longitude"):
            given = getattr(self, what)
            if given is None:
                continue
            values = np.array(given, dtype=float)
            if values.shape != (count,):
                raise DataError(
                    f"Places.{what} has shape {values.shape}; expected ({count},), one value per place name."
                )
            if not np.isfinite(values).all():
                bad = self.name[int(np.flatnonzero(~np.isfinite(values))[0])]
                raise DataError(f'Places.{what} of "{bad}" is not a finite number; fill it in or leave the place out.')
            values.flags.writeable = False
            object.__setattr__(self, what, values)
        if (self.population <= 0).any():
            bad = self.name[int(np.flatnonzero(self.population <= 0)[0])]
            raise DataError(f'Places.population of "{bad}" is not above 0; rates are per person, so give a population.')
        if (self.latitude is None) != (self.longitude is None):
            raise DataError("Places has one of latitude and longitude without the other; give both or neither.")
        for what, most in (("latitude", 90), ("longitude", 180)):
            degrees = getattr(self, what)
            if degrees is not None and (np.abs(degrees) > most).any():
                bad = int(np.flatnonzero(np.abs(degrees) > most)[0])
                raise DataError(
                    f'Places.{what} of "{self.name[bad]}" is {degrees[bad]:g}, outside -{most} to {most} degrees; are '
                    "latitude and longitude swapped?"
                )
        for what in ("region", "country"):
            given = tuple(getattr(self, what)) or ("",) * count
            if len(given) != count:
                raise DataError(f"Places.{what} has {len(given)} values; expected {count}, one per place name.")
            object.__setattr__(self, what, given)
        object.__setattr__(self, "name", tuple(self.name))
        index = {name: i for i, name in enumerate(self.name)}
        if len(index) < count:
            repeated = next(n for n in self.name if self.name.count(n) > 1)
            raise DataError(f'Places has the name "{repeated}" more than once; add the region to tell them apart.')
        object.__setattr__(self, "_index", index)

    @classmethod
    def single(cls, population: float = 1.0, name: str = "population") -> Places:
        """One place without a position, for models of a single well-mixed population."""
        return cls((name,), np.array([population]))

    def __len__(self) -> int:
        return len(self.name)

    def index(self, name: str) -> int:
        """Position of a place by its exact name; DataError names the nearest."""
        if name not in self._index:
            raise DataError(f'place "{name}" is not in Places.' + nearest(name, self.name) + " Names match exactly.")
        return self._index[name]

    def covered_by(self, name: str) -> np.ndarray:
        """Indices of the places that a claim about `name` speaks of.

        A place's own name wins, then a region (all its places), then a country.
        """
        if name and name in self._covered:
            return self._covered[name]
        known = [*self.name, *dict.fromkeys(self.region), *dict.fromkeys(self.country)]
        raise DataError(
            f'place "{name}" is no place, region or country of this setting.' + nearest(name, [k for k in known if k])
        )

    @cached_property
    def _covered(self) -> dict[str, np.ndarray]:
        """The places under every country, region and name; the narrower wins where a word is several of them."""
        found: dict[str, np.ndarray] = {}
        for labels in (self.country, self.region, self.name):
            under: dict[str, list[int]] = {}
            for i, label in enumerate(labels):
                under.setdefault(label, []).append(i)
            found |= {label: np.array(indices) for label, indices in under.items()}
        for indices in found.values():
            indices.flags.writeable = False
        return found

    def subset(self, indices: Sequence[int] | np.ndarray) -> Places:
        """The places at `indices`, in that order."""
        pick = [int(i) for i in indices]
        return Places(
            tuple(self.name[i] for i in pick),
            self.population[pick],
            None if self.latitude is None else self.latitude[pick],
            None if self.longitude is None else self.longitude[pick],
            tuple(self.region[i] for i in pick),
            tuple(self.country[i] for i in pick),
        )

    @cached_property
    def distance_km(self) -> np.ndarray:
        """(P, P) great-circle distances in km (haversine on a sphere); memory 8 P^2 bytes."""
        if self.latitude is None or self.longitude is None:
            raise DataError("these places have no positions; distances need latitude and longitude.")
        return great_circle_km(
            self.latitude[:, None], self.longitude[:, None], self.latitude[None, :], self.longitude[None, :]
        )

    def columns(self) -> dict[str, Any]:
        """The places as the columns of a table."""
        out: dict[str, Any] = {"place": list(self.name), "population": self.population.tolist()}
        if self.latitude is not None and self.longitude is not None:
            out |= {"latitude": self.latitude.tolist(), "longitude": self.longitude.tolist()}
        return out | {"region": list(self.region), "country": list(self.country)}


def great_circle_km(
    latitude: np.ndarray, longitude: np.ndarray, other_latitude: np.ndarray, other_longitude: np.ndarray
) -> np.ndarray:
    """Great-circle distance in km of points in degrees, by the haversine formula; broadcasts."""
    a, b = np.radians(latitude), np.radians(other_latitude)
    half = (
        np.sin((b - a) / 2) ** 2
        + np.cos(a) * np.cos(b) * np.sin(np.radians(np.asarray(other_longitude) - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
