import csv
import gzip
import json
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from groundswell.cli.data import app
from groundswell.data.convert import RECIPES, convert
from groundswell.data.readers import read_events, to_history
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError

ENTRIES = """state,locality,vintage,first_date,dates,size_text,arrest_text
Ohio,Akron,2020-06-01,2020-05-30,2020-05-30,about 200 people,two arrests
Ohio,Akron,2020-06-22,2020-05-30,2020-05-25;2020-05-30;2020-06-03,"hundreds;1,000 people",
Ohio,Lima,2020-06-01,,,dozens,
Ohio,Lima,2020-06-22,2020-06-02,2020-06-02,dozens,
Ohio,Lima,2020-06-23,2020-06-02,2020-06-02,dozens,
Ohio,Xenia,2020-06-22,,2020-13-02,,
"""
LOCALITIES = """state,state_code,locality,geonameid,lat,lon,population
Ohio,OH,Akron,1,41.08,-81.52,197542
Ohio,OH,Lima,,,,
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "localities_by_vintage.csv").write_text(ENTRIES)
    (tmp_path / "localities.csv.gz").write_bytes(gzip.compress(LOCALITIES.encode()))
    return tmp_path


def test_each_locality_and_day_is_one_event_of_its_first_vintage(folder):
    read = convert(folder, "floyd")
    events = {event["id"]: event for event in read.events.rows()}
    assert list(events) == ["Ohio/Akron/2020-05-30", "Ohio/Lima/2020-06-02", "Ohio/Akron/2020-06-03"]
    assert [event["first_listed"] for event in events.values()] == ["2020-06-01", "2020-06-22", "2020-06-22"]
    akron, lima, later = events.values()
    assert (akron["size_low"], akron["size_high"], akron["arrests"]) == (150, 250, 2)
    assert (akron["latitude"], akron["population"]) == (41.08, 197_542)
    assert (lima["size_low"], lima["latitude"], lima["population"]) == (12, None, None)
    assert (later["size_low"], later["size_text"]) == (None, "hundreds;1,000 people")
    assert "entry with several days" in later["remark"]
    assert [(line["row"], line["reason"]) for line in read.left_out.rows()] == [
        (4, "the entry names no day"),
        (6, "an earlier vintage names its days already"),
        (7, '"2020-13-02" is no day of the calendar'),
    ]
    assert read.rows == 6
    assert any("1 mentions of 2020-05-25" in note for note in read.notes)


def test_the_real_lists(reference):
    read = convert(reference / "floyd_protests_2020", "floyd")
    assert (read.rows, read.rows_read + len(read.left_out)) == (1519, 1519)
    path = reference / "floyd_protests_2020/localities_by_vintage.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        named = {(r["state"], r["locality"], d) for r in csv.DictReader(file) for d in r["dates"].split(";") if d}
    assert len(read.events) == len({key for key in named if key[2] != "2020-05-25"})
    window = Window.between("2020-05-26", "2020-06-21")
    setting, history, report = to_history(read, window=window)
    left = sum(line["outcome"] == "left out" for line in report.rows())
    assert history["events"].sum() + left == len(read.events)
    assert 600 < len(setting.places) < 776
    states, by_state, _ = to_history(read, window=window, by="region")
    assert {"Ohio", "Texas"} <= set(states.places.name)
    assert by_state["events"].sum() > 900


def test_wrong_recipes_and_folders(tmp_path, folder):
    with pytest.raises(UsageError, match=r'no recipe is called "floid"\. Nearest name: "floyd"'):
        convert(folder, "floid")
    with pytest.raises(UsageError, match="is a folder; give a file, or a recipe: floyd"):
        convert(folder)
    with pytest.raises(UsageError, match="leave the mapping and the source out"):
        convert(folder, "floyd", {"place": "city"})
    with pytest.raises(DataError, match=r"has no file localities_by_vintage\.csv\.gz; the recipe floyd needs"):
        convert(tmp_path / "none", "floyd")
    (folder / "localities_by_vintage.csv").write_text("state,town\nOhio,Lima\n")
    with pytest.raises(DataError, match='has no column "locality"'):
        convert(folder, "floyd")
    assert set(RECIPES) == {"floyd"}


def test_the_command_writes_events_and_what_was_left_out(folder, tmp_path):
    out = tmp_path / "new" / "events.csv"
    result = CliRunner().invoke(app, ["convert", str(folder), "--recipe", "floyd", "--out", str(out), "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["rows"], told["read"], told["left_out"]) == (6, 3, 3)
    assert len((tmp_path / "new/events.left_out.csv").read_text().splitlines()) == 4
    again = read_events(out)
    assert again.source == "standard"
    assert next(again.events.rows())["start"] == date(2020, 5, 30)


def test_the_command_refuses_and_writes_nothing(folder, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("date,city\nnever,Qom\n")
    for arguments, message in [
        (["convert", str(bad), "--out", str(tmp_path / "o.csv")], "no event could be read, so nothing was written"),
        (["convert", str(bad), "--out", str(tmp_path / "o.txt")], "written as .csv or .parquet"),
        (["convert", str(bad), "--out", str(bad / "o.csv")], "cannot be written"),
    ]:
        result = CliRunner().invoke(app, arguments)
        assert message in str(result.exception)
    assert not list(tmp_path.glob("o.*"))


CELL = st.sampled_from(
    [
        "",
        "Ohio",
        "Akron",
        "Lima",
        "2020-05-30",
        "2020-06-01",
        "2020-13-02",
        "2020-05-30;2020-06-03",
        ";",
        "about 200",
        "x",
    ]
) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(st.lists(CELL, min_size=7, max_size=7), min_size=1, max_size=5),
       localities=st.lists(st.lists(CELL, min_size=7, max_size=7), max_size=3))  # fmt: skip
def test_any_floyd_tables_are_read_or_left_out_row_by_row(tmp_path, entries, localities):
    for name, head, rows in (
        ("localities_by_vintage.csv", ENTRIES, entries),
        ("localities.csv", LOCALITIES, localities),
    ):
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head.splitlines()[0].split(","), *rows])
    read = convert(tmp_path, "floyd")
    assert read.rows == len(entries)
    assert read.rows_read + len(set(read.left_out["row"])) == len(entries)
