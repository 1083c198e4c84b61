"""Reading a list that grows: columns, files by day, names that change, and every kind of bad input."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from groundswell.data.vintages import Vintages, nearly_same, read_vintages
from groundswell.errors import DataError, UsageError

ROWS = [
    ("2020-06-01", "North", "Ashford", "2020-05-30"),
    ("2020-06-01", "North", "Brightwater", ""),
    ("2020-06-01", "South", "Calder", "2020-05-29"),
    ("2020-06-02", "North", "Ashford", "2020-05-30"),
    ("2020-06-02", "North", "Brightwater", "2020-05-31"),
    ("2020-06-02", "South", "Dunmore", "2020-06-01"),
    ("2020-06-04", "North", "Ashford", "2020-05-31"),
    ("2020-06-04", "South", "Calder", "2020-05-29"),
]


def frame(rows: Any = ROWS, columns: str = "vintage state locality first_date") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


def entry(found: Vintages, place: str) -> int:
    return found.place.index(place)


def test_one_entry_for_each_place() -> None:
    found = read_vintages([frame()])
    assert [str(day) for day in found.dates] == ["2020-06-01", "2020-06-02", "2020-06-04"]
    assert found.place == ("Ashford", "Brightwater", "Calder", "Dunmore")
    assert found.listed.tolist() == [[True] * 3, [True, True, False], [True, False, True], [False, True, False]]
    assert found.first_seen.tolist() == [0, 0, 0, 1]
    # the latest vintage that states a day; Brightwater's comes a day after its first listing, but lies before it
    assert [str(day) for day in found.first_day()] == ["2020-05-31", "2020-05-31", "2020-05-29", "2020-06-01"]
    summary = {name: list(values) for name, values in found.summary().columns.items()}
    assert summary["entries"] == [3, 3, 2]
    assert summary["with a day"] == [2, 3, 2]
    assert summary["new"] == [3, 1, 0]
    assert summary["gone since"] == [0, 1, 2]


def test_an_early_vintage_never_sees_a_later_one() -> None:
    whole, early = read_vintages([frame()]), read_vintages([frame(ROWS[:6])])
    cut = whole.before(2)
    cut = cut.subset(np.flatnonzero(cut.listed.any(axis=1)))
    for name in ("dates", "place", "region", "first"):
        assert getattr(cut, name) == getattr(early, name)
    assert (cut.listed == early.listed).all()
    assert cut.first_day() == early.first_day()


def test_files_of_a_day_each_are_the_table_with_a_column(tmp_path: Path) -> None:
    table = frame()
    paths = []
    for day, part in table.groupby("vintage"):
        paths.append(tmp_path / f"list-{day}.csv")
        part.drop(columns="vintage").to_csv(paths[-1], index=False)
    expected = read_vintages([table])
    by_name = read_vintages(paths[::-1])  # the order in which they are given does not matter
    assert by_name.place == expected.place
    assert (by_name.listed == expected.listed).all()
    assert by_name.first == expected.first
    plain = [path.rename(tmp_path / f"{name}.csv") for path, name in zip(paths, "abc", strict=True)]
    told = read_vintages(plain, [date(2020, 6, day) for day in (1, 2, 4)])
    assert told.first == expected.first
    with pytest.raises(DataError, match=r"a\.csv: no column is known as the vintage"):
        read_vintages(plain)
    with pytest.raises(DataError, match="two files are of 2020-06-01"):
        read_vintages(plain, [date(2020, 6, 1)] * 3)
    with pytest.raises(UsageError, match="2 days are given for 3 files"):
        read_vintages(plain, [date(2020, 6, 1)] * 2)


def test_rows_of_one_place_and_vintage_are_one_entry_with_the_earliest_day() -> None:
    rows = [*ROWS, ("2020-06-01", "North", "ASHFORD", "2020-05-28"), ("2020-06-01", "South", "Ashford", "2020-05-27")]
    found = read_vintages([frame(rows)])
    assert len(found) == 5  # the other Ashford lies in another region
    assert str(found.first[0][0]) == "2020-05-28"
    assert any("1 rows repeat a place" in note for note in found.notes)


def test_rows_that_are_no_entry_are_listed_with_the_reason() -> None:
    rows = [
        *ROWS,
        ("2020-06-01", "North", "", "2020-05-28"),
        ("2020-06-01", "North", "Elsewhere", "2020-06-03"),
        ("soon", "North", "Farley", "2020-05-28"),
        ("2020-06-02", "North", "Garth", "some time in May"),
    ]
    found = read_vintages([frame(rows)])
    assert [(row["row"], row["reason"].split(":")[0]) for row in found.left_out.rows()] == [
        ("row 10", "names no place"),
        ("row 11", "the first day 2020-06-03 lies after the vintage 2020-06-01"),
        ("row 12", "no vintage"),
    ]
    assert found.first_day()[entry(found, "Garth")] is None
    assert "counts as not stated" in next(iter(found.assumed["judgement"]))


def test_a_day_after_the_first_listing_is_no_day() -> None:
    rows = [("2020-06-01", "N", "Ashford", ""), ("2020-06-04", "N", "Ashford", "2020-06-03")]
    assert read_vintages([frame(rows)]).first_day() == [None]
    rows[0] = ("2020-06-01", "N", "Ashford", "2020-05-30")
    assert read_vintages([frame(rows)]).first_day() == [date(2020, 5, 30)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Waterloo", "Watferloo"),
        ("Willingboro", "Willingboro Township"),
        ("This section needs sources. (June 2020)Aurora", "Aurora"),
        ("Saint-Étienne", "Saint Etienne"),
        ("Bloomfeild", "Bloomfield"),
        ("Distrikt 13", "District 13"),
        ("Saint Mary's", "Saint Marys"),
    ],
)
def test_names_that_differ_by_a_slip_are_the_same(one: str, other: str) -> None:
    assert nearly_same(one, other)
    assert nearly_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("North Bend", "South Bend"),
        ("East Peoria", "West Peoria"),
        ("Palm Beach", "West Palm Beach"),
        ("Lansing", "East Lansing"),
        ("Kansas", "Kansas City"),
        ("Derby", "Darby"),
        ("Miami", "Miami Gardens"),
        ("District 3", "District 8"),
        ("District 3", "District 13"),
        ("Sector 12 North", "Sector 21 North"),
        ("Quarter ۳ of Example", "Quarter ۸ of Example"),
        ("Great Ward II", "Great Ward III"),
        ("District A", "District B"),
    ],
)
def test_names_of_two_places_are_not_the_same(one: str, other: str) -> None:
    assert not nearly_same(one, other)


def test_a_name_that_changes_is_one_entry_and_told() -> None:
    rows = [
        ("2020-06-01", "Iowa", "Waterloo", "2020-05-29"),
        ("2020-06-01", "Iowa", "Ames", "2020-05-29"),
        ("2020-06-02", "Iowa", "Watferloo", "2020-05-29"),
        ("2020-06-02", "Iowa", "Ames", "2020-05-29"),
        ("2020-06-03", "Iowa", "Waterloo", "2020-05-29"),
    ]
    found = read_vintages([frame(rows)])
    assert len(found) == 2
    assert found.listed[0].all()
    assert list(found.assumed["place"]) == ["Watferloo"]
    # a name that is nearly the same while the first is still there is another place
    both = read_vintages([frame([*rows[:3], ("2020-06-02", "Iowa", "Waterloo", "")])])
    assert len(both) == 3


def test_two_new_names_that_could_be_the_old_one_are_left_apart() -> None:
    rows = [
        ("2020-06-01", "X", "Bloomfield", ""),
        ("2020-06-02", "X", "Bloomfeild", ""),
        ("2020-06-02", "X", "Blomfield", ""),
    ]
    assert len(read_vintages([frame(rows)])) == 3


def test_other_column_names_by_a_mapping() -> None:
    table = frame(columns="gesehen Land Ort Tag")
    mapping = {"vintage": "gesehen", "region": "Land", "place": "Ort", "first": "Tag"}
    assert read_vintages([table], mapping=mapping).first == read_vintages([frame()]).first
    with pytest.raises(DataError, match='no column "Orte"'):
        read_vintages([table], mapping=mapping | {"place": "Orte"})
    with pytest.raises(DataError, match='"plaze", which is no field'):
        read_vintages([table], mapping=mapping | {"plaze": "Ort"})
    with pytest.raises(DataError, match="no column is known as the day of the first event"):
        read_vintages([table], mapping={"vintage": "gesehen", "place": "Ort"})
    with pytest.raises(DataError, match="may name private persons"):
        read_vintages([frame(columns="vintage state organizer first_date")], mapping={"place": "organizer"})


def test_nothing_that_can_be_read_is_an_error_with_the_reasons() -> None:
    with pytest.raises(DataError, match=r"no row could be read as an entry.*names no place"):
        read_vintages([frame([("2020-06-01", "North", "", "2020-05-28")])])
    with pytest.raises(UsageError, match="no file is given"):
        read_vintages([])


def test_the_public_list_of_may_and_june_2020(reference: Path) -> None:
    found = read_vintages([reference / "floyd_protests_2020" / "localities_by_vintage.csv.gz"])
    assert list(found.summary()["entries"]) == [226, 337, 335, 621]
    assert sorted(found.assumed["place"]) == ["Aurora", "Watferloo"]
    assert not len(found.left_out)
