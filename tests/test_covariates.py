"""Covariates from tables: by place, by date, by both; what is carried on, what is missing, what is left out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.data.covariates import read_abroad, read_covariates
from groundswell.data.places import Places
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellError

PLACES = Places(("Hub", "Near", "Far"), np.array([9e5, 6e4, 1e5]))
WEEKS = Window(date(2020, 1, 6), 4, 7)


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_value_by_place_holds_for_all_steps(tmp_path: Path) -> None:
    table = written(tmp_path, "place,hardship,share\nFar,3,0.1\nHub,1,0.5\nNear,2,0.2\nElsewhere,9,9\n")
    found = read_covariates(table, PLACES, WEEKS)
    assert found.values["hardship"].tolist() == [[1] * 4, [2] * 4, [3] * 4]
    assert found.values["share"][:, 0].tolist() == [0.5, 0.2, 0.1]
    (row,) = found.left_out.rows()
    assert row["row"] == 5
    assert "no place of the setting" in row["reason"]


def test_a_value_by_date_is_the_mean_of_its_step_and_carries_on(tmp_path: Path) -> None:
    table = written(tmp_path, "date,price\n2019-12-01,5\n2020-01-14,7\n2020-01-15,9\n2020-02-10,1\n")
    found = read_covariates(table, PLACES, WEEKS)
    assert found.values["price"].tolist() == [[5, 8, 8, 8]] * 3
    assert list(found.left_out["row"]) == [5]


def test_values_by_place_and_date(tmp_path: Path) -> None:
    rows = ["place,date,rain"]
    rows += [f"{name},{day},{k}" for k, name in enumerate(PLACES.name) for day in ("2020-01-06", "2020-01-27")]
    rows[2] = "Hub,2020-01-27,4"
    assert read_covariates(written(tmp_path, "\n".join(rows)), PLACES, WEEKS).values["rain"].tolist() == [
        [0, 0, 0, 4],
        [1] * 4,
        [2] * 4,
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("place,hardship\nHub,1\nNear,2\n", 'no row for "Far"; a covariate needs a value everywhere'),
        ("place,hardship\nHub,1\nNear,\nFar,2\n", 'row 3: hardship is ""; expected a number'),
        ("place,hardship\nHub,1\nNear,inf\nFar,2\n", 'row 3: hardship is "inf"'),
        ("place,hardship\nHub,1\nHub,2\nNear,1\nFar,1\n", 'two rows for "Hub"'),
        ("date,price\n2020-01-20,3\n", "no row for the country at or before 2020-01-06"),
        ("date,price\nsoon,3\n", 'row 2: date "soon" is no date that is read here'),
        ("date,price\n,3\n", "row 2: the date is missing."),
        (
            "place,hardship\nHub,1\nNear,2,5\nFar,2\n",
            "1 rows do not fit the header: row 3 has 3 cells",
        ),
        ("place;hardship\nHub;1,500\nNear;2,000\nFar;2\n", 'row 2: hardship is "1,500"; expected a number'),
        ("town,price\nHub,3\n", "needs `place` or `date` or both, and"),
        ("place\nHub\n", "at least one column of numbers"),
    ],
)
def test_what_is_missing_is_named(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as told:
        read_covariates(written(tmp_path, text), PLACES, WEEKS)
    assert words in str(told.value)


def test_events_abroad_add_up_by_step(tmp_path: Path) -> None:
    counts, left_out = read_abroad(
        written(tmp_path, "date,events\n2020-01-06,2\n2020-01-12,3\n2020-01-27,1\n2019-01-01,9\n2021-01-01,9\n"), WEEKS
    )
    assert counts.tolist() == [5, 0, 0, 1]
    assert len(left_out) == 2
    one_a_row, _ = read_abroad(written(tmp_path, "date,country\n2020-01-06,X\n2020-01-07,Y\n"), WEEKS)
    assert one_a_row.tolist() == [2, 0, 0, 0]
    with pytest.raises(DataError, match="fewer than 0 events"):
        read_abroad(written(tmp_path, "date,events\n2020-01-06,-2\n"), WEEKS)
    with pytest.raises(DataError, match="events abroad need `date`"):
        read_abroad(written(tmp_path, "day,events\n1,2\n"), WEEKS)


def test_a_row_that_does_not_fit_is_no_missing_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 3 has 3 cells where the header has 2"):
        read_abroad(written(tmp_path, "date,events\n2020-01-06,2\n2020-01-07,3,4\n"), WEEKS)


def test_decimal_commas_are_read_by_the_column(tmp_path: Path) -> None:
    found = read_covariates(written(tmp_path, "place;price\nHub;1,5\nNear;2,250\nFar;3\n"), PLACES, WEEKS)
    assert found.values["price"][:, 0].tolist() == [1.5, 2.25, 3]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Hub", "Near", "Far", "Elsewhere", ""]),
            st.sampled_from(["2020-01-07", "2020-01-20", "2019-12-30", "x", ""]),
            st.sampled_from(["1", "2.5", "", "nan", "many"]),
        ),
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_any_table_is_read_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    text = "place,date,value\n" + "".join(",".join(row) + "\n" for row in rows)
    try:
        found = read_covariates(written(tmp_path_factory.mktemp("any"), text), PLACES, WEEKS)
    except GroundswellError:
        return
    assert np.isfinite(found.values["value"]).all()
