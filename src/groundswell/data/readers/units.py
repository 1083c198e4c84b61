"""Degrees or km? Positions in columns of the other: refused where that is sure, warned of where it is likely."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from groundswell.data import gazetteer
from groundswell.data.readers.base import ReadEvents
from groundswell.data.region import Region
from groundswell.errors import DataError, GroundswellWarning

OUTSIDE = "outside the Earth's degrees"
"""What the remark on a position that cannot be one of degrees says."""

AS_DEGREES = '--map longitude=EAST --map latitude=NORTH ({"longitude": "EAST", "latitude": "NORTH"})'

AS_KM = 'name the columns: --map x_km=EAST --map y_km=NORTH ({"x_km": "EAST", "y_km": "NORTH"}); make metres km first'


def off_earth(read: ReadEvents, events: Sequence[Mapping[str, Any]]) -> int:
    """How many positions are none in degrees, as those of a plane map are not, if they are more than half; else 0."""
    told = [*(event["remark"] or "" for event in events), *read.left_out["reason"]]
    outside = sum(OUTSIDE in text for text in told)
    return outside if outside > sum(event["latitude"] is not None for event in events) else 0


def refuse_km_as_degrees(read: ReadEvents, events: Sequence[Mapping[str, Any]]) -> None:
    """DataError where more than half of the positions are no degrees."""
    if outside := off_earth(read, events):
        raise DataError(
            f"{read.name}: {outside} positions lie outside the Earth's degrees. Are they km on a map? Then {AS_KM}."
        )


def warn_of_km_as_degrees(read: ReadEvents, events: Sequence[Mapping[str, Any]]) -> None:
    """GroundswellWarning instead, where places can be found by name."""
    if outside := off_earth(read, events):
        warnings.warn(
            f"{read.name}: {outside} positions lie outside the Earth's degrees and are left aside; such events are "
            "placed by name alone. Correct them. Are they km on a map? Models of places cannot use those: give "
            f"degrees, or take a model of the plane and {AS_KM}.",
            GroundswellWarning,
            stacklevel=3,
        )


def refuse_degrees_as_km(read: ReadEvents, at: np.ndarray, countries: Sequence[str]) -> None:
    """DataError where most positions in km, read as degrees, lie inside the events' countries."""
    rings: list[np.ndarray] = []
    for name in countries:
        with suppress(DataError):  # too small for an outline
            rings += [ring[:-1] for ring in gazetteer.outline(name)]
    if rings and Region(tuple(rings)).contains(*at.T).mean() > 0.5:
        raise DataError(
            f"{read.name}: its positions are given as km, and as degrees of longitude and latitude they lie in "
            f"{', '.join(countries)}. As km a country would be as small as a town: name the columns, {AS_DEGREES}."
        )


def warn_of_degrees_as_km(read: ReadEvents, at: np.ndarray) -> None:
    """GroundswellWarning where positions in km could be degrees and nothing else says what they are."""
    if len(at) > 1 and (np.abs(at) <= [180, 90]).all():
        wide, high = np.ptp(at, axis=0)
        warnings.warn(
            f"{read.name}: all events lie within {wide:.3g} by {high:.3g} km, and their x_km and y_km could be degrees "
            f"of longitude and latitude. If so, name the columns, {AS_DEGREES}. If they are km, a region (--region) "
            "settles it.",
            GroundswellWarning,
            stacklevel=3,
        )
