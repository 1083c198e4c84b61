import csv
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data import _gazetteer_files as files
from groundswell.data import gazetteer
from groundswell.errors import DataError

# The seat of each province (encyclopedic knowledge, independent of the codes), as GeoNames spells it or knows it.
CAPITALS = {
    "West Azerbaijan": "Urmia", "Chaharmahal and Bakhtiari": "Shahrekord", "Sistan and Baluchestan": "Zahedan",
    "Kohgiluyeh and Boyer-Ahmad": "Yasuj", "Fars": "Shiraz", "Gilan": "Rasht", "Hamadan": "Hamadan", "Ilam": "Ilam",
    "Hormozgan": "Bandar Abbas", "Kermanshah": "Kermanshah", "Khuzestan": "Ahvaz", "Kurdistan": "Sanandaj",
    "Bushehr": "Bushehr", "Lorestan": "Khorramabad", "Semnan": "Semnan", "Tehran": "Tehran", "Isfahan": "Isfahan",
    "Kerman": "Kerman", "Ardabil": "Ardabil", "East Azerbaijan": "Tabriz", "Markazi": "Arak", "Mazandaran": "Sari",
    "Zanjan": "Zanjan", "Golestan": "Gorgan", "Qazvin": "Qazvin", "Qom": "Qom", "Yazd": "Yazd",
    "South Khorasan": "Birjand", "Razavi Khorasan": "Mashhad", "North Khorasan": "Bojnurd", "Alborz": "Karaj",
}  # fmt: skip


def test_the_bundle_is_small_and_whole():
    sizes = [path.stat().st_size for path in files.BUNDLED.iterdir()]
    assert max(sizes) < 1_000_000
    assert sum(sizes) < 3_200_000
    assert len(files.cities().name) == len(files.alternates()) == 34_006


def test_iran_has_its_cities_in_31_provinces():
    iran = gazetteer.places("IR")
    assert len(iran) == 425
    assert set(iran.region) == set(gazetteer.IRAN_PROVINCES.values())
    assert len(set(iran.region)) == 31
    assert set(iran.country) == {"Iran"}
    assert iran.name[0] == "Tehran"
    assert len(iran.covered_by("East Azerbaijan")) > 5
    assert len(iran.covered_by("Iran")) == 425


@pytest.mark.parametrize(("province", "capital"), CAPITALS.items())
def test_each_province_holds_its_capital(province, capital):
    assert gazetteer.find(capital, "Iran").region == province


def test_provinces_agree_with_the_reference_table(reference):
    with gzip.open(reference / "places/cities_ir_fr_us.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["country"] == "IR"]
    assert {row["admin1"]: row["admin1_name"] for row in rows} == gazetteer.IRAN_PROVINCES


@pytest.mark.parametrize(
    ("written", "name", "by"),
    [
        ("Mashhad", "Mashhad", "primary"),
        ("Tehran", "Tehran", "primary"),
        ("Neyshabur", "Neyshābūr", "primary"),
        ("Nishapur", "Neyshābūr", "alternate"),
        ("Sabzevar", "Sabzevar", "primary"),
        ("Kashmar", "Kāshmar", "primary"),
        ("KERMANSHAH ", "Kermanshah", "primary"),
        ("تهران", "Tehran", "alternate"),
        ("نیشابور", "Neyshābūr", "alternate"),
        ("نيشابور", "Neyshābūr", "alternate"),  # with the Arabic letter yeh
        ("Meshed", "Mashhad", "alternate"),
    ],
)
def test_cities_are_found_in_both_scripts(written, name, by):
    found = gazetteer.find(written, country="IR")
    assert (found.name, found.by) == (name, by)


def test_a_primary_name_wins_over_an_alternate():
    tiran = gazetteer.find("Tiran", "IR")
    row = int(np.flatnonzero(files.cities().geonameid == tiran.geonameid)[0])
    assert "Tehran" in files.alternates()[row].split("|")
    assert gazetteer.find("Tehran", "IR").population > 7_000_000


def test_a_tie_lists_the_candidates_and_a_region_breaks_it():
    with pytest.raises(DataError, match=r"Paris \(11, France.*Paris \(Texas, United States"):
        gazetteer.find("Paris")
    assert gazetteer.find("Paris", "US").region == "Texas"
    with pytest.raises(DataError, match="2 places"):
        gazetteer.find("Nūrābād", "Iran")
    assert gazetteer.find("Nurabad", "Iran", "Fars").label == "Nūrābād (Fars)"


def test_an_unknown_name_is_told_its_nearest():
    with pytest.raises(DataError, match='Nearest name: "Mashhad"'):
        gazetteer.find("Mashhadd", "IR")
    with pytest.raises(DataError, match="15,000 people"):
        gazetteer.find("", "IR")
    with pytest.raises(DataError, match='Nearest name: "Iran"'):
        gazetteer.find_country("Irann")


def test_labels_are_the_names_of_places():
    iran = gazetteer.places("IR")
    for name in ("Tehran", "Neyshabur", "Shahr-e Kord"):
        assert gazetteer.find(name, "IR").label in iran.name
    assert not [n for n in iran.name if iran.name.count(n) > 1]


def test_several_countries_keep_names_apart():
    both = gazetteer.places(["FR", "US"])
    assert {"Paris (FR)", "Paris (US)"} <= set(both.name)
    assert len(both) == len(set(both.name))
    with pytest.raises(DataError, match="no place of 99,000,000 people"):
        gazetteer.places("FR", minimum_population=99_000_000)


@pytest.mark.parametrize("country", ["Iran", "France", "US", "Kosovo", "N. Cyprus"])
def test_outlines_are_closed_rings_of_degrees(country):
    rings = gazetteer.outline(country)
    assert rings
    for ring in rings:
        assert ring.shape[1] == 2
        assert (ring[0] == ring[-1]).all()
        assert np.abs(ring[:, 0]).max() <= 180
        assert np.abs(ring[:, 1]).max() <= 90


def test_nearly_all_iranian_cities_lie_inside_the_outline():
    from matplotlib.path import Path

    iran = gazetteer.places("IR")
    points = np.column_stack([iran.longitude, iran.latitude])
    inside = np.any([Path(ring).contains_points(points) for ring in gazetteer.outline("IR")], axis=0)
    assert inside.mean() > 0.97  # the coast is drawn at 1:50m


@given(st.text(max_size=12))
def test_any_text_is_found_or_refused(name):
    try:
        found = gazetteer.find(name, "IR")
    except DataError:
        return
    assert found.country == "Iran"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Democratic Republic of Congo", "CD"),
        ("Republic of Congo", "CG"),
        ("East Timor", "TL"),
        ("Virgin Islands, U.S.", "VI"),
        ("eSwatini", "SZ"),
        ("Ivory Coast", "CI"),
    ],
)
def test_countries_as_event_files_write_them(name, code):
    assert gazetteer.find_country(name).code == code


def test_regions_by_code():
    assert gazetteer.regions("IR") == gazetteer.IRAN_PROVINCES
    assert len(gazetteer.regions("US")) == 51
    assert gazetteer.regions("FR") == {}
