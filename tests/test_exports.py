"""Exports: each rule of the two formats, stated in our own words with where it was read, and what is refused."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import re
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet
import pytest

from groundswell.data import gazetteer
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.baselines import Conflictology
from groundswell.evaluate.exports import exported, hubverse, views, write
from groundswell.evaluate.exports.views_countries import COUNTRY_ID, SEVERAL
from groundswell.evaluate.forecast import forecast
from groundswell.rng import generator


def made(places, *, start="2021-01-10", known=33, steps=70, draws=1000, step=1):
    """From 10 January 33 days are known, to 11 February; then February in part, March whole, April in part."""
    window = Window(date.fromisoformat(start), known + steps, step)
    past = Window(window.start, known, step)
    history = History(places, past, {"events": generator(1).poisson(0.8, (len(places), known)).astype(float)})
    return forecast(
        Conflictology(30 * step), Setting(places, window), history, origin=known, steps=steps, draws=draws,
        rng=generator(2),
    )  # fmt: skip


@pytest.fixture(scope="module")
def monthly(request):
    places = Places(
        ("Hub", "Near", "Twin", "Far"), np.array([9e5, 6e4, 4e4, 1e5]),
        np.array([35.2, 35.4, 35.6, 31.0]), np.array([51.2, 51.3, 51.2, 58.0]),
    )  # fmt: skip
    return made(places)


def rows(table):
    return table.to_pylist()


# VIEWS -------------------------------------------------------------------------------------------------------------


def test_months_are_counted_from_january_1980():
    """utils/utilities.py: month_id is 1 in January 1980; the challenge's window of 2018 is 457 to 468."""
    assert [views.month_id(date(*day)) for day in ((1980, 1, 31), (1980, 12, 1), (2018, 1, 1), (2018, 12, 31))] == [
        1, 12, 457, 468,
    ]  # fmt: skip


def test_grid_cells_are_those_of_ucdp(reference):
    """UCDP GED gives the PRIO-GRID cell beside each position."""
    with gzip.open(reference / "ucdp_ged_sample" / "ged_sample_1000.csv.gz", "rt", encoding="utf-8") as file:
        known = list(csv.DictReader(file))
    position = np.array([[float(row["latitude"]), float(row["longitude"])] for row in known])
    cells = [int(float(row["priogrid_gid"])) for row in known]
    assert views.priogrid_gid(position[:, 0], position[:, 1]).tolist() == cells
    assert len(cells) == 1000


def test_the_grid_has_259200_cells():
    corners = views.priogrid_gid(np.array([-90, -90, 90, 89.9]), np.array([-180, 179.9, 180, 179.9]))
    assert corners.tolist() == [1, 720, 259_200, 259_200]


def test_a_submission_sums_days_to_whole_months_and_places_to_cells(monthly):
    table, left = views.table(monthly, "priogrid_gid")
    assert table.column_names == ["month_id", "priogrid_gid", "draw", "outcome"]
    assert "leaves out 39 days" in left
    cells = views.priogrid_gid(monthly.places.latitude, monthly.places.longitude)
    assert cells[0] == cells[1] != cells[2]
    dates = [monthly.window.date(int(t)) for t in monthly.time]
    march = np.array([day.month == 3 for day in dates])
    assert set(table["month_id"].to_pylist()) == {views.month_id(date(2021, 3, 1))}
    for cell in sorted(set(cells)):
        inside = march & np.isin(monthly.unit, np.flatnonzero(cells == cell))
        assert inside.sum() == 31 * (cells == cell).sum()
        mine = [row for row in rows(table) if row["priogrid_gid"] == cell]
        assert [row["draw"] for row in mine] == list(range(1000))
        np.testing.assert_array_equal([row["outcome"] for row in mine], monthly.draws[inside].sum(axis=0))


def test_a_submission_keeps_the_rules_of_the_challenge(monthly, tmp_path):
    """README.md, evaluation/test_compliance.py and processing/clean_submissions.py of the challenge."""
    table, _ = views.table(monthly, "priogrid_gid")
    place = views.path(table)
    # one Parquet file in a folder for the target and the window, read as a Hive partition
    assert place == "pgm/window=Y2021/predictions_2021.parquet"
    write(table, tmp_path / place)
    read = pyarrow.parquet.read_table(tmp_path / place, partitioning=None)
    # these columns, whichever of the two units, and no other
    assert set(read.column_names) == {"month_id", "priogrid_gid", "draw", "outcome"}
    # ids are whole numbers
    assert {str(read[name].type) for name in ("month_id", "priogrid_gid", "draw")} == {"int64"}
    outcome = read["outcome"].to_numpy()
    assert read["outcome"].null_count == 0  # none is missing
    assert outcome.min() >= 0  # none is negative
    assert outcome.max() <= 10e9  # none is above ten billion
    # 1,000 draws of each unit and month, each once
    keys = list(zip(*(read[name].to_pylist() for name in ("month_id", "priogrid_gid")), strict=True))
    assert {keys.count(key) for key in set(keys)} == {1000}
    assert len(set(zip(keys, read["draw"].to_pylist(), strict=True))) == read.num_rows
    hive = pyarrow.parquet.ParquetDataset(tmp_path / "pgm").read()
    assert set(hive["window"].to_pylist()) == {"Y2021"}


def replaced(table, name, values, kind=None):
    return table.set_column(table.column_names.index(name), name, pyarrow.array(values, kind))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_columns(["draw"]), "expected month_id, draw, outcome"),
        (lambda t: t.append_column("note", t["draw"]), "no other"),
        (lambda t: t.append_column("country_id", t["draw"]), "one of country_id and priogrid_gid"),
        (lambda t: t.append_column("draw", t["draw"]), "each once"),
        (lambda t: t.slice(0, 0), "no row"),
        (lambda t: replaced(t, "month_id", [x + 0.0 for x in t["month_id"].to_pylist()]), "month_id as double"),
        (lambda t: replaced(t, "month_id", [None, *t["month_id"].to_pylist()[1:]]), "or missing"),
        (lambda t: replaced(t, "month_id", [0, *t["month_id"].to_pylist()[1:]]), "expected 1 to"),
        (lambda t: replaced(t, "priogrid_gid", [259_201] * t.num_rows), "to 259200"),
        (lambda t: replaced(t, "draw", [x - 1 for x in t["draw"].to_pylist()]), "expected 0 to"),
        (lambda t: replaced(t, "outcome", [-1.0, *t["outcome"].to_pylist()[1:]]), "outcome -1 in row 1"),
        (lambda t: replaced(t, "outcome", [None, *t["outcome"].to_pylist()[1:]]), "none missing"),
        (lambda t: replaced(t, "outcome", [*t["outcome"].to_pylist()[:-1], float("nan")]), "none missing"),
        (lambda t: replaced(t, "outcome", [2e10, *t["outcome"].to_pylist()[1:]]), "0 to 1e"),
        (lambda t: replaced(t, "outcome", ["a"] * t.num_rows), "expected numbers"),
        (lambda t: t.slice(1), "missing or twice"),
        (lambda t: pyarrow.concat_tables([t.slice(1), t.slice(1, 1)]), "missing or twice"),
        (lambda t: t.filter(pyarrow.compute.less(t["draw"], 999)), "999 draws; expected 1000"),
    ],
)
def test_what_breaks_a_rule_of_views_is_refused(monthly, change, words):
    table, _ = views.table(monthly, "priogrid_gid")
    with pytest.raises(DataError, match=words):
        views.check(change(table))


def test_what_views_cannot_hold_is_refused(lopsided):
    with pytest.raises(DataError, match="steps of 7 days, which straddle months"):
        views.table(made(lopsided, step=7, draws=20), "priogrid_gid")
    with pytest.raises(DataError, match=r"no calendar month .* Forecast to 2021-03-31 or later"):
        views.table(made(lopsided, steps=30), "priogrid_gid")
    with pytest.raises(DataError, match=r"Forecast to 2021-02-28 or later"):
        views.table(made(lopsided, known=22, steps=27), "priogrid_gid")
    assert views.table(made(lopsided, known=22, steps=28), "priogrid_gid")[1] == ""
    with pytest.raises(DataError, match="400 draws; VIEWS takes 1000"):
        views.table(made(lopsided, draws=400), "priogrid_gid")
    with pytest.raises(DataError, match="no positions"):
        views.table(made(Places(("A", "B"), np.ones(2))), "priogrid_gid")
    with pytest.raises(DataError, match='ids has no priogrid_gid for 3 places, "Near" first'):
        views.table(made(lopsided), "priogrid_gid", {"Hub": 1})
    with pytest.raises(UsageError, match="none of VIEWS"):
        views.table(made(lopsided), "place")  # type: ignore[arg-type]
    two = made(lopsided)
    with pytest.raises(DataError, match="one origin"):
        views.table(dataclasses.replace(two, origin=two.origin - two.unit), "priogrid_gid")


def test_countries_have_the_ids_of_views():
    """plotting/shapefiles/countries.csv of the challenge, a few rows."""
    places = Places(("Iran", "France", "United States"), np.ones(3))
    table, _ = views.table(made(places), "country_id")
    assert set(table["country_id"].to_pylist()) == {128, 105, 234}
    assert views.path(table).startswith("cm/window=Y2021/")
    with pytest.raises(DataError, match=r"several ids in VIEWS \(124 and 240\)"):
        views.table(made(Places(("Yemen",), np.ones(1))), "country_id")
    yemen, _ = views.table(made(Places(("Yemen",), np.ones(1))), "country_id", {"Yemen": 124})
    assert set(yemen["country_id"].to_pylist()) == {124}
    with pytest.raises(DataError, match="no id of VIEWS"):
        views.table(made(Places(("Greenland",), np.ones(1))), "country_id")


def test_the_country_ids_are_distinct_and_of_countries():
    ids = [*COUNTRY_ID.values(), *(known for several in SEVERAL.values() for known in several)]
    assert len(set(ids)) == len(ids) == 189 + 12
    for code in (*COUNTRY_ID, *SEVERAL):
        assert gazetteer.find_country(code).code3 == code


# hubverse ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weekly():
    places = Places(("Hub", "Near", "Far"), np.array([9e5, 6e4, 1e5]))
    return made(places, start="2021-01-04", known=12, steps=3, draws=40, step=7)


def test_a_hubverse_table_has_a_row_for_each_prediction(weekly):
    table = hubverse.table(weekly)
    assert table.column_names == [
        "origin_date", "target", "horizon", "location", "target_end_date", "output_type", "output_type_id", "value",
    ]  # fmt: skip
    assert table.num_rows == 9 * (40 + 23 + 1 + 6)
    assert set(table["target"].to_pylist()) == {"weekly events"}
    for cell in range(9):
        place, ahead = weekly.places.name[weekly.unit[cell]], int(weekly.step[cell])
        mine = [r for r in rows(table) if r["location"] == place and r["horizon"] == ahead]
        draws = weekly.draws[cell]
        by = {
            kind: {r["output_type_id"]: r["value"] for r in mine if r["output_type"] == kind}
            for kind in hubverse.OUTPUTS
        }
        np.testing.assert_array_equal([by["sample"][str(s + 1)] for s in range(40)], draws)
        assert by["mean"] == {None: draws.mean()}
        assert by["quantile"]["0.5"] == np.sort(draws)[19]
        assert list(by["quantile"]) == [
            "0.01", "0.025", "0.05", "0.1", "0.15", "0.2", "0.25", "0.3", "0.35", "0.4", "0.45", "0.5", "0.55", "0.6",
            "0.65", "0.7", "0.75", "0.8", "0.85", "0.9", "0.95", "0.975", "0.99",
        ]  # fmt: skip
        assert list(by["pmf"]) == ["0", "1", "2", "3-4", "5-9", "10+"]
        assert by["pmf"]["3-4"] == pytest.approx(((draws == 3) | (draws == 4)).mean())


def test_model_output_keeps_the_rules_of_the_hubverse(weekly, tmp_path):
    """User guide of docs.hubverse.io and checks of hubValidations, by name."""
    place = hubverse.path(date(2021, 3, 28), hubverse.abbreviation("endemic + within"))
    # Model output, directory structure; parse_file_name: <round>-<team>-<model>, letters, digits, underscores
    assert place == "model-output/groundswell-endemic_within/2021-03-28-groundswell-endemic_within.parquet"
    stem = place.split("/")[-1].removesuffix(".parquet")
    assert re.fullmatch(r"((\d{4}-\d{2}-\d{2})|[A-Za-z0-9_]+)-([A-Za-z0-9_]+)-([A-Za-z0-9_]+)", stem)
    write(hubverse.table(weekly), tmp_path / place)
    read = pyarrow.parquet.read_table(tmp_path / place)
    # check_tbl_unique_round_id: one origin in a file, and it is that of the file name
    assert {str(day) for day in read["origin_date"].to_pylist()} == {stem[:10]}
    # check_tbl_col_types: dates are dates, horizon a whole number, ids of mixed output types are text
    kinds = dict(zip(read.column_names, map(str, read.schema.types), strict=True))
    assert kinds == {
        "origin_date": "date32[day]", "target": "string", "horizon": "int32", "location": "string",
        "target_end_date": "date32[day]", "output_type": "string", "output_type_id": "string", "value": "double",
    }  # fmt: skip
    found = rows(read)
    # Defining modeling tasks: target date = origin date + horizon x days of a step, opt_check_tbl_horizon_timediff
    for row in found:
        assert row["target_end_date"] - row["origin_date"] == timedelta(days=7 * row["horizon"])
    assert {row["target_end_date"] for row in found} == {
        weekly.window.date(7 * int(t)) + timedelta(days=6) for t in weekly.time
    }
    # check_tbl_rows_unique: nothing twice but for the value
    assert len({tuple(value for name, value in row.items() if name != "value") for row in found}) == len(found)
    tasks = {(row["horizon"], row["location"]) for row in found}
    for task in tasks:
        mine = [row for row in found if (row["horizon"], row["location"]) == task]
        # check_tbl_value_col_sum1
        assert sum(row["value"] for row in mine if row["output_type"] == "pmf") == pytest.approx(1, abs=1e-12)
        # check_tbl_value_col_ascending
        levels = sorted((float(r["output_type_id"]), r["value"]) for r in mine if r["output_type"] == "quantile")
        assert all(a[1] <= b[1] for a, b in pairwise(levels))
        # output type table: a mean has no id
        assert [row["output_type_id"] for row in mine if row["output_type"] == "mean"] == [None]
        # check_tbl_spl_n and Sample output type: the same positive indices for every task, so each is one joint path
        indices = [int(row["output_type_id"]) for row in mine if row["output_type"] == "sample"]
        assert indices == list(range(1, 41))
    assert all(row["value"] >= 0 for row in found)


def test_a_csv_has_blanks_for_the_ids_of_means_and_reads_back(weekly, tmp_path):
    path = tmp_path / hubverse.path(date(2021, 3, 28), "m", "team", "csv")
    table = hubverse.table(
        weekly, outputs=("mean", "quantile"), levels=(0.5,), origin_column="reference_date", target="wk inc"
    )
    write(table, path)
    with path.open(newline="") as file:
        read = list(csv.DictReader(file))
    assert read[0]["reference_date"] == "2021-03-28"
    assert [row["output_type_id"] for row in read[:2]] == ["", "0.5"]
    assert [float(row["value"]) for row in read] == table["value"].to_pylist()
    assert {row["target"] for row in read} == {"wk inc"}


def test_a_hub_may_want_fewer_samples_and_other_categories(weekly):
    table = hubverse.table(weekly, outputs=("sample", "pmf"), samples=10, categories=(0, 1))
    assert {row["output_type_id"] for row in rows(table)} == {*map(str, range(1, 11)), "0", "1+"}
    daily = hubverse.table(made(Places.single(1e5, "one"), steps=2, draws=5), outputs=["mean"])
    assert set(daily["target"].to_pylist()) == {"daily events"}
    odd = hubverse.table(made(Places.single(1e5, "one"), steps=2, draws=5, step=10), outputs=["mean"])
    assert set(odd["target"].to_pylist()) == {"10-day events"}


def test_a_long_name_is_cut_word_by_word():
    """Hubs take model_abbr of less than 16 characters."""
    for name, short in (
        ("endemic + within", "endemic_within"), ("endemic + within + between", "ende_with_betw"),
        ("endemic + within + between by distance", "en_wi_be_by_di"), ("conflictology 30 days", "conflic_30_days"),
        ("a b c d e f g h i j", "abcdefghij"), ("+", ""),
    ):  # fmt: skip
        assert hubverse.abbreviation(name) == short


def test_every_candidate_of_compare_has_a_name_of_its_own_in_a_hub():
    from groundswell.evaluate.baselines import BASELINES
    from groundswell.studies.candidates import standard_candidates

    rng = np.random.default_rng(1)
    places = Places(tuple("ABCDEFGHI"), np.arange(1.0, 10.0), np.arange(9.0), np.arange(9.0))
    window = Window(date(2020, 1, 1), 200)
    counts = {"events": rng.poisson(1.0, (9, 200)).astype(float)}
    found, _ = standard_candidates(Setting(places, window), History(places, window, counts))
    names = [candidate.name for candidate in found]
    short = [hubverse.abbreviation(name) for name in names]
    assert len(BASELINES) < len(set(short)) == len(names)
    assert all(hubverse.path(date(2021, 3, 28), name) for name in short)


def at(table, name, value, row=0):
    values = table[name].to_pylist()
    values[row] = value
    return replaced(table, name, values, table[name].type)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop_columns(["location"]), "hubverse columns are"),
        (lambda t: t.append_column("model_id", t["target"]), "hubverse columns are"),
        (lambda t: replaced(t, "horizon", [1.0] * t.num_rows), "horizon \\(double\\)"),
        (lambda t: t.slice(0, 0), "no row"),
        (lambda t: at(t, "location", None), "location is missing in 1 rows"),
        (lambda t: at(t, "value", None), "value is missing"),
        (lambda t: at(t, "origin_date", date(2021, 3, 27)), "expected one round"),
        (lambda t: at(t, "target_end_date", date(2021, 4, 5)), "is not origin_date \\+ horizon x 7 days"),
        (lambda t: at(t, "output_type", "point"), "expected some of sample"),
        (lambda t: at(t, "value", float("inf")), "row 1: value is inf"),
        (lambda t: at(t, "value", -0.5), "row 1: value is -0.5"),
        (lambda t: pyarrow.concat_tables([t, t.slice(3, 1)]), "twice"),
        (lambda t: at(t, "output_type_id", "0"), 'sample: output_type_id is "0"; expected a positive'),
        (lambda t: at(t, "output_type_id", None), 'sample: output_type_id is "None"'),
        (lambda t: at(t, "output_type_id", "0.50", 51), "without trailing zeros"),
        (lambda t: at(t, "output_type_id", "1.5", 51), "from 0 to 1"),
        (lambda t: at(t, "output_type_id", "1", 63), "as there is one mean"),
        (lambda t: at(t, "output_type_id", "", 64), "name of a category"),
        (lambda t: at(t, "value", 1.0, 64), "sum to"),
        (lambda t: at(t, "value", 99.0, 45), "values fall as the level rises"),
        (lambda t: t.slice(1), "every sample index once for every task"),
    ],
)
def test_what_breaks_a_rule_of_the_hubverse_is_refused(weekly, change, words):
    table = hubverse.table(weekly)
    assert table["output_type"].to_pylist()[40:70] == ["quantile"] * 23 + ["mean"] + ["pmf"] * 6
    with pytest.raises(DataError, match=words):
        hubverse.check(change(table), 7)


def test_what_the_hubverse_cannot_hold_is_refused(weekly):
    for call, words in (
        ({"outputs": ("median",)}, "output types are median"),
        ({"outputs": ()}, "output types are none"),
        ({"categories": (1, 2)}, "rise from 0"),
        ({"categories": ()}, "rise from 0"),
        ({"samples": 41}, "41 samples of 40 draws"),
        ({"samples": 0}, "0 samples"),
    ):
        with pytest.raises((UsageError, DataError), match=words):
            hubverse.table(weekly, **call)
    two = made(weekly.places, steps=2, draws=5)
    with pytest.raises(DataError, match="one origin"):
        hubverse.table(dataclasses.replace(two, origin=two.origin - two.unit))
    for given in (
        ("a-b",),
        (hubverse.abbreviation("+ +"),),
        ("m", "my team"),
        ("m", "t", "json"),
        ("m" * 16,),
        ("m", "t" * 16),
    ):
        with pytest.raises(UsageError, match=r"cannot stand in|ends in parquet"):
            hubverse.path(date(2021, 1, 1), *given)


def test_both_at_once_and_none_if_one_cannot_be(monthly, lopsided):
    files, notes = exported(("views", "hubverse"), monthly, by="place", model="endemic + within")
    assert list(files) == [
        "views/pgm/window=Y2021/predictions_2021.parquet",
        "hubverse/model-output/groundswell-endemic_within/2021-02-11-groundswell-endemic_within.parquet",
    ]
    assert len(notes) == 1
    assert exported((), monthly, by="place", model="m") == ({}, [])
    with pytest.raises(DataError, match="no regions"):
        exported(("views",), monthly, by="region", model="m")
    with pytest.raises(DataError, match="gazetteer"):
        exported(("hubverse", "views"), made(lopsided), by="country", model="m")
