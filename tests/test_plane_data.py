"""From tables to points of the plane: regions, cells, marks, kinds; bad input is refused or told."""

import json
import warnings
from datetime import date

import numpy as np
import pandas
import pytest
import shapely

from groundswell.data import gazetteer
from groundswell.data.areas import (
    LEAST_DENSITY,
    cells,
    countries_region,
    country_outline,
    districts,
    region_around,
)
from groundswell.data.places import Places, great_circle_km
from groundswell.data.readers import read_events, to_history
from groundswell.data.readers.plane import Plane, jittered_positions, to_plane
from groundswell.data.readers.single_events import Mark
from groundswell.data.region import Projection, Region
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, UsageError
from groundswell.models.events.etas import Etas
from groundswell.models.events.space_time import SpaceTime
from groundswell.rng import generator
from groundswell.studies.event_model import suited_to_plane

FARS = {"type": "Polygon", "coordinates": [[[51, 28], [54, 28], [54, 31], [51, 31], [51, 28]]]}
BOW = {"type": "Polygon", "coordinates": [[[51, 28], [54, 31], [54, 28], [51, 31], [51, 28]]]}
CENTRE = Projection(29.5, 52.5)


def frame(count=40, seed=1, **columns):
    """Events around Shiraz, days apart."""
    rng = generator(seed)
    start = np.datetime64("2024-01-01")
    table = {
        "date": [str(start + int(day)) for day in np.sort(rng.integers(0, 90, count))],
        "time": [f"{h:02d}:{m:02d}:07" for h, m in rng.integers(1, 24, (count, 2))],
        "lat": rng.uniform(28.5, 30.5, count),
        "lon": rng.uniform(51.5, 53.5, count),
    }
    return pandas.DataFrame(table | columns)


def points(plane: Plane):
    """(N, 2) km, and the events."""
    events = plane.history.events
    assert events is not None
    return np.array([events.x_km, events.y_km], dtype=float).T, events


def plane_of(table, also=(), mapping=None, **how):
    return to_plane(read_events(table, mapping, also=also), **how)


def towns_of(country):
    """Latitude and longitude of the gazetteer's places."""
    places = gazetteer.places(country)
    assert places.latitude is not None
    assert places.longitude is not None
    return places.latitude, places.longitude


def geojson(tmp_path, shape):
    path = tmp_path / "region.geojson"
    path.write_text(json.dumps(shape), encoding="utf-8")
    return path


# --- regions -----------------------------------------------------------------------------------


def test_the_projection_goes_back():
    rng = generator(1)
    latitude, longitude = rng.uniform(-85, 85, 500), rng.uniform(-180, 180, 500)
    for centre in (Projection(32.5, 53.0), Projection(-40.0, 175.0), Projection(0.0, 0.0)):
        again = centre.degrees(*centre(latitude, longitude).T)
        assert np.allclose(again[0], latitude, atol=1e-9)
        assert np.allclose((again[1] - longitude + 180) % 360 - 180, 0, atol=1e-8)
        assert np.allclose(centre.degrees(np.zeros(1), np.zeros(1)), [[centre.latitude], [centre.longitude]])


def test_events_on_either_side_of_the_date_line_are_near():
    latitude, longitude = np.array([-17.0, -17.0, -16.0]), np.array([179.5, -179.5, 178.5])
    centre = Projection.around(latitude, longitude)
    assert centre.longitude == pytest.approx(179.5)
    at = centre(latitude, longitude)
    apart = Places(("a", "b", "c"), np.ones(3), latitude, longitude).distance_km
    assert np.hypot(*(at[0] - at[1])) == pytest.approx(apart[0, 1], rel=1e-3)
    assert np.hypot(*(at[1] - at[2])) == pytest.approx(apart[1, 2], rel=1e-3)
    assert Projection.around(latitude, np.array([10.0, 20.0, 14.0])).longitude == 15


def test_a_region_is_a_shape_again():
    ring = shapely.Point(0, 0).buffer(50)
    holed = shapely.union(shapely.difference(ring, shapely.Point(5, 5).buffer(10)), shapely.box(200, 0, 210, 5))
    region = Region.from_geometry(holed)
    assert region.geometry.area == pytest.approx(holed.area)
    assert shapely.area(shapely.symmetric_difference(region.geometry, holed)) < 1e-9


def test_an_outline_may_have_a_country_inside():
    centre = Projection.around(*towns_of("South Africa"))
    inside = shapely.Point(*centre(np.array(-29.6), np.array(28.2)))  # in Lesotho
    assert not shapely.contains(country_outline("South Africa", centre), inside)
    assert shapely.contains(country_outline("Lesotho", centre), inside)


def test_the_parts_of_a_country_without_an_event_are_left_out():
    places = gazetteer.places("France")
    centre = Projection(46.5, 2.5)
    paris = centre(np.array([48.86]), np.array([2.35]))
    region = countries_region(["France"], centre, paris)
    assert region.contains(*paris.T).all()
    assert 520_000 < region.area_km2 < 580_000  # of 635,000 with Guiana and the islands
    ashore = region.contains(*centre(*towns_of("France")).T)
    assert ashore[[name in ("Marseille", "Le Havre", "Dunkerque", "Nice") for name in places.name]].all()
    with pytest.raises(DataError, match="none of 1 events lies inside the outline of France"):
        countries_region(["France"], centre, centre(np.array([35.7]), np.array([51.4])))


def test_a_hull_is_wider_than_its_events():
    at = np.array([[0.0, 0], [100, 0], [100, 100], [0, 100]])
    region, wider = region_around(at)
    assert wider == pytest.approx(5)
    assert region.contains(*at.T).all()
    assert region.area_km2 == pytest.approx(100 * 100 + 4 * 100 * 5 + np.pi * 25, rel=1e-3)
    for few in (at[:1], at[:2], np.repeat(at[:1], 9, axis=0)):
        with pytest.raises(DataError, match="span no area"):
            region_around(few)


# --- cells -------------------------------------------------------------------------------------


def test_cells_fill_the_region_and_hold_its_people():
    region = Region.from_geometry(FARS, projection=CENTRE)
    grid = cells(region, 60, CENTRE)
    assert grid.density is not None
    assert grid.area_km2.sum() == pytest.approx(region.area_km2)
    iran = gazetteer.places("IR")
    xy = CENTRE(*towns_of("IR"))
    inside = region.contains(*xy.T)
    persons = iran.population[inside].sum() + grid.even * region.area_km2
    assert grid.places.population.sum() == pytest.approx(persons)
    unlisted = gazetteer.find_country("IR").population - iran.population.sum()
    assert grid.even == pytest.approx(unlisted / country_outline("IR", CENTRE).area, rel=1e-6)
    shiraz = int(grid.region.tile_of(*CENTRE(np.array([29.61]), np.array([52.54])).T)[0])
    assert grid.places.name[shiraz] == "Shiraz"
    assert grid.density.argmax() == shiraz
    assert grid.density.min() == pytest.approx(grid.even)
    assert grid.places.latitude is not None
    assert abs(grid.places.latitude[shiraz] - 29.6) < 0.6
    whole = cells(region, None, CENTRE)
    assert whole.density == pytest.approx([persons / region.area_km2])
    with pytest.raises(UsageError, match="Take larger cells"):
        cells(region, 1, CENTRE)


def test_a_sea_has_few_people_yet_some():
    sea = Region.rectangle(-50, -50, 50, 50)
    assert cells(sea, 50, Projection(0.0, -30.0)).density == pytest.approx([LEAST_DENSITY] * 4)
    assert cells(sea, 50, None).density is None


def features(*given):
    """GeoJSON of boxes: (properties, west, south, east, north)."""
    shapes = [(properties, shapely.geometry.mapping(shapely.box(*box))) for properties, *box in given]
    parts = [{"type": "Feature", "properties": p, "geometry": shape} for p, shape in shapes]
    return {"type": "FeatureCollection", "features": parts}


def test_districts_are_places_with_their_people():
    two = features(({"name": "West", "population": 1000}, 51, 28, 52, 31), ({"name": "East"}, 52, 28, 54, 31))
    found = districts(two, "name", CENTRE)
    assert found.places.name == ("West", "East")
    assert found.density is not None
    assert found.even > 0  # not every district says how many, so the gazetteer does
    two["features"][1]["properties"]["population"] = 5000
    found = districts(two, "name", CENTRE)
    assert found.places.population.tolist() == [1000, 5000]
    assert found.even == 0
    assert found.area_km2.sum() == pytest.approx(found.region.area_km2)


def test_districts_that_cannot_be_told_apart_or_overlap_are_refused():
    box = (51, 28, 52, 31)
    with pytest.raises(DataError, match='no property "title" to be named by; they have: name'):
        districts(features(({"name": "a"}, *box)), "title", CENTRE)
    with pytest.raises(DataError, match='"a" stands for several features'):
        districts(features(({"name": "a"}, *box), ({"name": "a"}, 52, 28, 54, 31)), "name", CENTRE)
    with pytest.raises(DataError, match="they must fill it"):
        districts(features(({"name": "a"}, *box), ({"name": "b"}, 51.5, 28, 54, 31)), "name", CENTRE)
    with pytest.raises(DataError, match="0 of 0 features"):
        districts(FARS, "name", CENTRE)


def test_events_fall_into_their_districts(tmp_path):
    two = features(({"name": "West"}, 51, 28, 52.5, 31), ({"name": "East"}, 52.5, 28, 54, 31))
    table = frame()
    plane = plane_of(table, region=geojson(tmp_path, two), areas="name")
    assert plane.setting.places.name == ("West", "East")
    order = np.lexsort([table["time"], table["date"]])
    assert (points(plane)[1].place == (table["lon"].to_numpy()[order] > 52.5)).all()
    with pytest.raises(UsageError, match="areas are features of a GeoJSON file"):
        plane_of(table, country="Iran", areas="name")


def test_a_region_in_tiles_keeps_them():
    model, setting = SpaceTime.example()
    drawn = model.simulate(setting, rng=generator(4))
    assert drawn.events is not None
    plane = plane_of(drawn.events_table().to_arrow(), region=setting.region)
    assert plane.setting.region is setting.region
    assert (points(plane)[1].place == drawn.events.place).all()


# --- events ------------------------------------------------------------------------------------


def test_a_table_becomes_points_of_the_plane():
    table = frame()
    plane = plane_of(table, country="Iran", cell_km=100)
    at, events = points(plane)
    assert plane.region_by == "countries"
    assert plane.countries == ("Iran",)
    assert not len(plane.left_out)
    apart = np.hypot(*(at[0] - at[1:]).T)
    order = np.lexsort([table["time"], table["date"]])
    table = table.iloc[order]
    truly = great_circle_km(table["lat"].iloc[0], table["lon"].iloc[0], table["lat"].iloc[1:], table["lon"].iloc[1:])
    assert np.allclose(apart, truly, rtol=1e-3)
    assert plane.setting.region is not None
    assert (plane.setting.region.tile_of(*at.T) == events.place).all()
    assert not events.day_precision
    assert plane.setting.window == Window.between(min(table["date"]), max(table["date"]))
    assert plane.history["events"].sum() == len(table)
    assert np.isfinite(SpaceTime.example()[0].log_density(plane.setting, plane.history))


def test_regions_from_a_file_and_from_the_events(tmp_path):
    table = frame()
    path = geojson(tmp_path, {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": FARS}]})
    plane = plane_of(table, region=path)
    assert plane.region_by == "file"
    assert plane.setting.region is not None
    assert plane.setting.region.area_km2 == pytest.approx(shapely.area(shapely.box(51, 28, 54, 31)) * 10_760, rel=0.01)
    guess = plane_of(table)
    assert guess.region_by == "hull"
    assert guess.wider_km > 0
    assert plane_of(table, country="Iran", region="hull").region_by == "hull"


def test_marks_enter_less_their_mean_and_kinds_by_the_alphabet():
    table = frame(4, mag=["4.5", "5.5", "?", "6.5"], what=["b", "a", "a", "b"])
    plane = plane_of(table, also=("mag", "what"), marks=[Mark("mag")], kind="what", region="hull")
    events = plane.history.events
    assert events is not None
    assert events.marks["mag"].tolist() == [-1, 0, 1]
    assert events.kind is not None
    assert events.kind.tolist() == [1, 0, 1]
    assert plane.kinds == ("a", "b")
    assert plane.centred == {"mag": 5.5}
    assert list(plane.left_out["reason"]) == ['mag "?" is no number']
    with pytest.raises(UsageError, match="named twice"):
        plane_of(table, also=("mag",), marks=[Mark("mag"), Mark("mag")])


def test_columns_that_are_not_there_or_may_name_persons_are_refused():
    with pytest.raises(DataError, match=r'no column "magn".*"mag"'):
        read_events(frame(2, mag=1.0), also=("magn",))
    with pytest.raises(DataError, match='"victim" may name private persons'):
        read_events(frame(2, victim="x"), also=("victim",))


def test_what_has_no_place_on_the_map_is_left_out(tmp_path):
    table = frame()
    table["city"] = "somewhere"
    table.loc[3, "lat"] = np.nan
    table.loc[4, ["lat", "lon"]] = 48.9, 2.3
    table.loc[5, "date"] = "2023-06-01"
    window = Window.between("2024-01-01", "2024-03-30")
    plane = plane_of(table, region=geojson(tmp_path, FARS), window=window)
    reasons = dict(zip(plane.left_out["row"], plane.left_out["reason"], strict=True))
    assert reasons[5] == "it has no position"
    assert reasons[6] == "its position lies outside the region"
    assert reasons[7] == "2023-06-01 lies outside the window 2024-01-01 to 2024-03-30"
    assert len(plane.history.events or ()) == 37


def test_events_outside_are_kept_for_those_that_they_excite(tmp_path):
    table = frame(mag=np.arange(40.0))
    table.loc[[4, 9], ["lat", "lon"]] = 48.9, 2.3
    table.loc[9, "date"] = "2023-06-01"
    window = Window.between("2024-01-01", "2024-03-30")
    how = {"also": ("mag",), "region": geojson(tmp_path, FARS), "window": window, "marks": [Mark("mag")]}
    plane = plane_of(table, centre=False, **how)
    assert plane.outside is not None
    assert plane.outside.marks["mag"].tolist() == [4]  # the other is before the window
    assert plane.setting.region is not None
    assert not plane.setting.region.contains(np.array(plane.outside.x_km), np.array(plane.outside.y_km)).any()
    model, said = suited_to_plane(Etas.example()[0], [plane])
    assert model.outside is not None
    assert model.threshold == min(set(range(40)) - {4, 9})
    assert [f.key for f in said][-2:] == ["plane-threshold", "plane-outside"]
    assert np.isfinite(model.log_density(plane.setting, plane.history))
    found, _ = suited_to_plane(Etas.example()[0], [plane], {"threshold": 5.0})
    assert found.outside is None  # below the threshold
    assert plane_of(frame(), country="Iran").outside is None


def test_steps_grow_so_that_cells_times_steps_stay_few():
    table = frame()
    table.loc[0, "date"] = "1990-01-01"
    plane = plane_of(table, country="Iran", cell_km=100)
    assert plane.setting.window.step == 7
    left = [line for line in plane.left_out.rows() if "whole step" in line["reason"]]
    assert len(left) + len(plane.history.events or ()) == len(table)
    assert plane_of(table, country="Iran", cell_km=100, step=364).setting.window.step == 364
    with pytest.raises(UsageError, match="Take shorter steps"):
        plane_of(frame(), country="Iran", step=364)


# --- bad input ---------------------------------------------------------------------------------


def test_degrees_that_are_swapped():
    table = frame().rename(columns={"lat": "lon", "lon": "lat"})
    with pytest.raises(DataError, match=r"most lie inside if latitude and longitude are swapped"):
        plane_of(table, country="Iran", region=FARS)
    with pytest.raises(DataError, match=r"none of 40 events lies inside the outline of Iran. Are latitude and"):
        plane_of(table, country="Iran")


def test_km_in_columns_of_degrees():
    table = frame()
    table[["lat", "lon"]] *= 100
    with pytest.raises(DataError, match=r"40 positions lie outside the Earth's degrees.*--map x_km=EAST"):
        plane_of(table)
    plane = plane_of(table, mapping={"x_km": "lon", "y_km": "lat"})
    assert plane.projection is None
    assert "density" not in plane.setting.covariates


def test_degrees_in_columns_of_km(tmp_path):
    table = frame().rename(columns={"lat": "y_km", "lon": "x_km"})
    metres = shapely.geometry.mapping(shapely.box(500_000, 3_000_000, 800_000, 3_500_000))
    with pytest.raises(DataError, match=r"none of 40 events lies inside the region. Do both have the same units"):
        plane_of(table, region=geojson(tmp_path, metres))
    with pytest.raises(DataError, match="which are no degrees of longitude"):
        plane_of(frame(), region=geojson(tmp_path, metres))


def test_a_small_region_in_km_is_no_region_in_degrees(tmp_path):
    table = pandas.DataFrame({"date": "2024-01-01", "x_km": [1.0, 30, 50], "y_km": [1.0, 2, 40]})
    small = shapely.geometry.mapping(shapely.box(0, 0, 60, 50))
    plane = plane_of(table, region=geojson(tmp_path, small))
    assert plane.setting.region is not None
    assert plane.setting.region.area_km2 == pytest.approx(3000)
    with pytest.raises(DataError, match="look like degrees"):
        plane_of(table.assign(x_km=table["x_km"] + 500), region=geojson(tmp_path, small))


def test_outlines_that_cross_themselves_and_files_that_are_none(tmp_path):
    with pytest.raises(DataError, match="no simple polygon"):
        plane_of(frame(), region=geojson(tmp_path, BOW))
    for text, message in (
        ("{", "is no JSON"),
        ("[1]", "is no GeoJSON"),
        ('{"type": "Point", "coordinates": [1]}', "no GeoJSON"),
    ):
        (tmp_path / "region.geojson").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=message):
            plane_of(frame(), region=tmp_path / "region.geojson")
    with pytest.raises(DataError, match="cannot be read"):
        plane_of(frame(), region=tmp_path / "absent.geojson")
    with pytest.raises(DataError, match="holds no polygon"):
        plane_of(frame(), region={"type": "Point", "coordinates": [52, 29]})


def test_one_event_none_and_none_with_a_position():
    with pytest.raises(DataError, match="1 events at 1 positions span no area"):
        plane_of(frame(1))
    assert len(plane_of(frame(1), country="Iran").history.events or ()) == 1
    with pytest.raises(DataError, match="has no event"):
        plane_of(frame().assign(country="Iran"), country="Iraq")
    with pytest.raises(DataError, match="no event has a position, which a model of the plane needs"):
        plane_of(frame().drop(columns=["lat", "lon"]).assign(city="Shiraz"))
    with pytest.raises(DataError, match="no event lies in the window"):
        plane_of(frame(), country="Iran", window=Window(date(2020, 1, 1), 9))


def test_positions_rounded_to_towns_are_warned_of_and_may_be_moved():
    table = frame()
    table[["lat", "lon"]] = table[["lat", "lon"]].round(0)
    with pytest.warns(GroundswellWarning, match="40 of 40 events stand at the position of another"):
        plane = plane_of(table, country="Iran")
    assert plane.at_others == 40
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        moved = plane_of(table, country="Iran", jitter_km=8, rng=generator(1))
    assert (moved.at_others, moved.jitter_km) == (0, 8)
    away = np.hypot(*(points(moved)[0] - points(plane)[0]).T)
    assert 4 < away.mean() < 6.5  # two thirds of the radius
    assert away.max() <= 8
    with pytest.raises(UsageError, match="no rng was given"):
        plane_of(table, country="Iran", jitter_km=8)


def test_moved_events_stay_in_the_region(tmp_path):
    table = frame()
    table["lat"] = 28.01
    plane = plane_of(table, region=geojson(tmp_path, FARS), cell_km=50)
    at, moved = points(jittered_positions(plane, 30, rng=generator(1)))
    assert plane.setting.region is not None
    assert (plane.setting.region.tile_of(*at.T) == moved.place).all()
    assert plane.setting.region.contains(*at.T).all()


def test_events_in_any_order_are_the_same():
    table = frame(mag=np.arange(40.0))
    shuffled = table.sample(frac=1, random_state=1)
    one, two = (plane_of(t, country="Iran", also=("mag",), marks=[Mark("mag")]) for t in (table, shuffled))
    assert one.history.digest() == two.history.digest()


def test_events_by_the_week_are_no_points_in_time(reference):
    read = read_events(reference / "ucdp_ged_sample/ged_sample_1000.csv.gz", also=("deaths_high",))
    with pytest.warns(GroundswellWarning, match="as if positions were rounded to towns"):
        plane = to_plane(read, country="Afghanistan", marks=[Mark("deaths", "log1p")])
    assert any("dated to the precision" in reason for reason in plane.left_out["reason"])
    assert len(plane.history.events or ()) > 40
    events = sum(country == "Afghanistan" for country in read.events["country"])
    assert len(plane.history.events or ()) + len(plane.left_out) == events


def test_degrees_in_columns_of_km_without_a_region():
    table = frame().rename(columns={"lat": "y_km", "lon": "x_km"})
    with pytest.raises(DataError, match=r"as degrees of longitude and latitude they lie in Iran.*--map longitude=EAST"):
        plane_of(table, country="Iran")
    with pytest.warns(GroundswellWarning, match=r"could be degrees of longitude and latitude.*--map longitude=EAST"):
        plane_of(table)
    named = plane_of(table, mapping={"longitude": "x_km", "latitude": "y_km"}, country="Iran")
    assert named.projection is not None
    plane_of(table.assign(country="Testland", x_km=table["x_km"] + 500))  # a country of no outline vouches for nothing


def test_an_outline_with_heights(tmp_path):
    table = pandas.DataFrame({"date": "2024-01-01", "x_km": [1.0, 30, 50], "y_km": [1.0, 2, 40]})
    high = shapely.geometry.mapping(shapely.Polygon([(0, 0, 7), (200, 0, 7), (200, 50, 7), (0, 50, 7)]))
    plane = plane_of(table, region=geojson(tmp_path, high))
    assert plane.setting.region is not None
    assert plane.setting.region.area_km2 == pytest.approx(10_000)
    assert len(plane.history.events or ()) == 3


def test_km_in_columns_of_degrees_where_places_have_names():
    """They are found by name; that their positions were left aside is said."""
    table = pandas.DataFrame({"date": "2024-01-01", "place": ["Shiraz", "Tehran"], "country": "Iran"})
    table = table.assign(latitude=5800, longitude=900)
    with pytest.warns(GroundswellWarning, match="2 positions lie outside the Earth's degrees and are left aside"):
        setting, history, _ = to_history(read_events(table))
    assert setting.places.name == ("Shiraz", "Tehran")
    assert len(history.events or ()) == 2
