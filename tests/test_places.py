"""Places: distances against known values, matching by exact name, checks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.places import EARTH_RADIUS_KM, Places, great_circle_km
from groundswell.errors import DataError

LATITUDE = st.floats(-90, 90)
LONGITUDE = st.floats(-180, 180)


def test_a_quarter_of_a_meridian_and_of_the_equator() -> None:
    quarter = math.pi / 2 * EARTH_RADIUS_KM
    assert great_circle_km(np.array(0.0), np.array(0.0), np.array(90.0), np.array(0.0)) == pytest.approx(quarter)
    assert great_circle_km(np.array(0.0), np.array(0.0), np.array(0.0), np.array(90.0)) == pytest.approx(quarter)


def test_nashville_to_los_angeles() -> None:
    """The worked haversine example of Rosetta Code: 2887.26 km on a sphere of 6372.8 km, scaled to ours."""
    got = great_circle_km(np.array(36.12), np.array(-86.67), np.array(33.94), np.array(-118.40))
    assert got == pytest.approx(2887.2599506071106 / 6372.8 * EARTH_RADIUS_KM, rel=1e-12)


@given(LATITUDE, LONGITUDE, LATITUDE, LONGITUDE)
def test_distance_agrees_with_the_chord(a: float, b: float, c: float, d: float) -> None:
    def point(latitude: float, longitude: float) -> np.ndarray:
        phi, psi = math.radians(latitude), math.radians(longitude)
        return np.array([math.cos(phi) * math.cos(psi), math.cos(phi) * math.sin(psi), math.sin(phi)])

    chord = float(np.linalg.norm(point(a, b) - point(c, d)))
    expected = 2 * EARTH_RADIUS_KM * math.asin(min(chord / 2, 1.0))
    got = float(great_circle_km(np.array(a), np.array(b), np.array(c), np.array(d)))
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-3)
    assert got == pytest.approx(float(great_circle_km(np.array(c), np.array(d), np.array(a), np.array(b))), abs=1e-9)


def test_distances_of_places_are_symmetric_with_a_zero_diagonal(lopsided: Places) -> None:
    distance = lopsided.distance_km
    assert np.array_equal(distance, distance.T)
    assert not distance.diagonal().any()
    assert distance[1, 2] < distance[0, 1] < distance[0, 3]


def test_a_claim_may_name_a_place_a_region_or_the_country(lopsided: Places) -> None:
    assert lopsided.covered_by("Far").tolist() == [3]
    assert lopsided.covered_by("Centre").tolist() == [0, 1, 2]
    assert lopsided.covered_by("Testland").tolist() == [0, 1, 2, 3]


def test_a_place_wins_over_a_region_of_the_same_name() -> None:
    places = Places(("Qom", "Salafchegan"), np.array([9e5, 1e4]), region=("Qom", "Qom"))
    assert places.covered_by("Qom").tolist() == [0]


def test_an_unknown_place_names_the_nearest(lopsided: Places) -> None:
    with pytest.raises(DataError, match='Nearest name: "Near"'):
        lopsided.index("Near ")
    with pytest.raises(DataError, match='Nearest name: "Centre"'):
        lopsided.covered_by("Center")


def test_an_empty_region_covers_nothing() -> None:
    with pytest.raises(DataError):
        Places(("A", "B"), np.ones(2)).covered_by("")


def test_subset_keeps_what_belongs_together(lopsided: Places) -> None:
    part = lopsided.subset([3, 0])
    assert part.name == ("Far", "Hub")
    assert part.region == ("South", "Centre")
    assert part.distance_km[0, 1] == lopsided.distance_km[3, 0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ()}, "at least one place"),
        ({"population": np.ones(3)}, r"shape \(3,\); expected \(2,\)"),
        ({"population": np.array([1.0, 0.0])}, '"B" is not above 0'),
        ({"population": np.array([1.0, math.nan])}, '"B" is not a finite number'),
        ({"name": ("A", "A")}, "more than once"),
        ({"latitude": np.zeros(2)}, "give both or neither"),
        ({"latitude": np.array([0.0, 95.0]), "longitude": np.zeros(2)}, "swapped"),
        ({"region": ("x",)}, "expected 2"),
    ],
)
def test_what_cannot_be_places_says_why(changes: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Places(**({"name": ("A", "B"), "population": np.ones(2)} | changes))


def test_places_without_positions_have_no_distances() -> None:
    with pytest.raises(DataError, match="latitude and longitude"):
        _ = Places.single().distance_km


def test_arrays_cannot_be_changed_under_a_model(lopsided: Places) -> None:
    with pytest.raises(ValueError, match="read-only"):
        lopsided.population[0] = 1.0
