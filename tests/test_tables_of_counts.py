"""Tables in which a row says how many events a place had: the number is the number, and 0 is an observation."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas
import pytest
from typer.testing import CliRunner

from groundswell.cli.data import app as data_app
from groundswell.cli.main import app
from groundswell.data.check import check
from groundswell.data.readers import read_events, to_history
from groundswell.data.readers.abroad import events_abroad
from groundswell.data.readers.counts import each_of, last_day
from groundswell.data.window import Window
from groundswell.errors import DataError
from groundswell.studies.event_comparison import Plan, counted

SPOTS = {"Ashford": (35.0, 51.0), "Brightwater": (35.4, 51.6), "Calder": (31.0, 58.0)}


def table(days: int = 10, step: int = 1, start: date = date(2021, 3, 1), **more: object) -> pandas.DataFrame:
    """Ashford has 2 events in every row, Brightwater one in the first row, Calder none at all."""
    rows = [
        {"date": start + timedelta(step * i), "city": name, "lat": at[0], "lon": at[1], "country": "Iran"}
        | {"events": {"Ashford": 2, "Brightwater": int(i == 0)}.get(name, 0)}
        | more
        for i in range(days)
        for name, at in SPOTS.items()
    ]
    return pandas.DataFrame(rows)


def test_a_row_makes_as_many_events_as_it_counts() -> None:
    read = read_events(table())
    assert (read.rows, read.rows_read, len(read.left_out)) == (30, 30, 0)
    assert len(read.events) == 21
    assert len(set(read.events["id"])) == 21
    assert len(read.quiet) == 19
    assert read.covers == (date(2021, 3, 1), date(2021, 3, 10))
    (note,) = [note for note in read.notes if "a table of counts" in note]
    assert "11 rows hold 21 events, 19 rows hold none; a row counts a day" in note
    assert any("1 places have rows of 0 only: Calder" in note for note in read.notes)
    assert not any("repeat" in note for note in read.notes)


def test_the_history_holds_the_counts_the_quiet_place_and_the_whole_period() -> None:
    setting, history, left_out = to_history(read_events(table()))
    assert setting.places.name == ("Ashford", "Brightwater", "Calder")
    assert (setting.window.start, setting.window.end) == (date(2021, 3, 1), date(2021, 3, 10))
    assert history["events"].tolist() == [[2] * 10, [1] + [0] * 9, [0] * 10]
    assert "left out" not in list(left_out["outcome"])


def test_days_without_an_event_at_either_end_are_covered() -> None:
    frame = table(12)
    frame.loc[(frame["date"] < date(2021, 3, 4)) | (frame["date"] > date(2021, 3, 9)), "events"] = 0
    _, history, _ = to_history(read_events(frame))
    assert history["events"].sum(axis=0).tolist() == [0] * 3 + [2] * 6 + [0] * 3


def test_the_events_of_a_row_are_no_list_of_places_by_country() -> None:
    _, history, _ = to_history(read_events(table()), by="country")
    assert history["events"].sum() == 21
    abroad = events_abroad(read_events(table()), Window(date(2021, 3, 1), 10), "France")
    assert abroad.tolist() == [3] + [2] * 9


def test_weekly_counts_are_of_the_week_from_their_date_on() -> None:
    read = read_events(table(8, 7))
    assert read.period == 7
    assert read.covers == (date(2021, 3, 1), date(2021, 4, 25))
    assert set(read.events["precision"]) == {"week"}
    plan = Plan().resolved(read)
    assert (plan.step, plan.ahead) == (7, 4)
    setting, history, _ = counted(read, plan)
    assert (setting.window.start, setting.window.periods, setting.window.step) == (date(2021, 3, 1), 8, 7)
    assert history["events"].sum(axis=0).tolist() == [3] + [2] * 7
    with pytest.raises(DataError, match="counted over 7 days, but a step is 1; use steps of 7 days"):
        to_history(read)


def test_until_ends_with_a_whole_count() -> None:
    read = read_events(table(8, 7))
    setting, history, left_out = to_history(read, step=7, until=date(2021, 4, 14))  # the middle of the seventh week
    assert setting.window.end == date(2021, 4, 11)
    assert history["events"].sum() == 13
    assert list(left_out["outcome"]).count("left out") == 4


def test_a_week_that_is_not_over_is_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("base", "histories"):
        monkeypatch.setattr(f"groundswell.data.readers.{module}.latest_day", lambda: date(2021, 4, 21))
    setting, history, left_out = to_history(read_events(table(8, 7)), step=7)
    assert setting.window.end == date(2021, 4, 18)
    assert history["events"].sum() == 15
    assert "outside the window" in left_out["reason"][-1]


@pytest.mark.parametrize(
    ("days", "each"),
    [
        ([date(2021, 1, 4) + timedelta(7 * i) for i in (0, 1, 3, 4)], 7),
        ([date(2021, 1, 4) + timedelta(14 * i) for i in range(4)], 14),
        ([date(2021, 1 + i, 1) for i in range(5)], "month"),
        ([date(2021, 1, 1 + i) for i in (0, 2, 3, 7)], 1),
        ([date(2021, 1, 4) + timedelta(7 * i) for i in range(3)], 1),
        ([], 1),
    ],
)
def test_what_a_row_counts_is_seen_from_the_dates(days: list[date], each: str | int) -> None:
    assert each_of(days[::-1]) == each


def test_last_days_of_months() -> None:
    assert last_day(date(2021, 12, 1), "month") == date(2021, 12, 31)
    assert last_day(date(2021, 1, 31), "month") == date(2021, 2, 27)
    assert last_day(date(2021, 1, 4), 7) == date(2021, 1, 10)


def test_a_mapping_says_what_a_row_counts() -> None:
    read = read_events(table(8, 7), {"counts": "day"})
    assert (read.period, read.covers) == (1, (date(2021, 3, 1), date(2021, 4, 19)))
    with pytest.raises(DataError, match='counts = "year"; expected "day", "week" or "month"'):
        read_events(table(), {"counts": "year"})
    with pytest.raises(DataError, match="no column is known as the number of events"):
        read_events(table().drop(columns="events"), {"counts": "day"})


def test_a_column_for_the_end_says_what_a_row_counts() -> None:
    frame = table(2, 7)
    frame["end"] = frame["date"] + timedelta(6)
    assert read_events(frame).period == 7


def test_cells_that_are_no_count_are_left_out_with_the_reason() -> None:
    cells = ["1", "2.0", "1,500", "", "many", "2.5", "-1", "1000000", "0"]
    frame = pandas.DataFrame({"date": "2021-03-01", "city": list("ABCDEFGHI"), "n_events": cells})
    read = read_events(frame)
    assert len(read.events) == 1503
    assert list(read.left_out["row"]) == [5, 6, 7, 8, 9]
    assert "n_events is empty, so how many events there were is not known" in read.left_out["reason"]
    assert 'n_events "2.5" is no number of events (a whole number from 0 to 100,000)' in read.left_out["reason"]


def test_a_column_of_words_is_no_column_of_counts() -> None:
    frame = pandas.DataFrame({"date": ["2021-03-01"] * 2, "city": ["A", "B"], "events": ["march", "sit-in; march"]})
    read = read_events(frame)
    assert (len(read.events), read.period) == (2, None)
    assert any('"events" holds no numbers of events, so each row is one event' in note for note in read.notes)


def test_several_events_in_several_places_cannot_be_told_apart() -> None:
    frame = pandas.DataFrame({"date": ["2021-03-01"] * 2, "city": ["A; B", "A; B"], "events": [3, 1]})
    read = read_events(frame)
    assert list(read.left_out["reason"]) == ['3 events are counted together in "A; B"']
    assert [event["part_of"] for event in read.events.rows()] == ["DataFrame row 3"] * 2


def test_a_size_of_several_events_belongs_to_none() -> None:
    read = read_events(table(4, size="500", arrests=3))
    one, *_, two = sorted(read.events.rows(), key=lambda event: event["place"] == "Ashford")
    assert (one["size_low"], one["arrests"], one["remark"]) == (500, 3, "")
    assert (two["size_low"], two["arrests"], two["size_text"]) == (None, None, "500")
    assert "told of 2 events together" in two["remark"]
    assert any("7 rows of 0 events state a size or arrests" in note for note in read.notes)


def test_missing_and_repeated_cells_are_told() -> None:
    frame = pandas.concat([table(4).iloc[1:], table(4).iloc[[1]]])
    notes = "\n".join(read_events(frame).notes)
    assert "1 pairs of a place and a date have no row; they count as 0" in notes
    assert "1 rows repeat a place and a date; their counts add up" in notes


def test_a_quiet_place_that_cannot_be_found_is_told_and_no_event_left_out() -> None:
    frame = table(4)[["date", "city", "events", "country"]]
    frame["city"] = frame["city"].replace({"Ashford": "Qom", "Brightwater": "Tabriz"})
    setting, _, left_out = to_history(read_events(frame))
    assert len(setting.places) == 2
    (line,) = left_out.rows()
    assert (line["outcome"], line["row"]) == ("not used", 4)


def test_check_and_convert_say_what_the_zeros_are(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    table().to_csv(path, index=False)
    found = check(path)
    assert (found.facts["events"], found.facts["rows of 0 events"], found.rows_left_out) == (21, 19, 0)
    assert found.facts["last day"] == "2021-03-10"
    result = CliRunner().invoke(data_app, ["convert", str(path), "--out", str(tmp_path / "events.csv")])
    assert result.exit_code == 0
    assert "19 rows count 0 events and are not in the table" in result.stderr
    assert len(read_events(tmp_path / "events.csv").events) == 21


def test_what_simulate_writes_is_counted_as_it_was_drawn(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "endemic-epidemic", "--seed", "3", "--out", str(tmp_path)])
    assert result.exit_code == 0
    drawn = pandas.read_csv(tmp_path / "history.csv")
    read = read_events(tmp_path / "history.csv")
    assert len(read.events) == drawn["events"].sum()
    drawn["lat"] = 30.0 + drawn["place"].rank(method="dense")
    read = read_events(drawn.assign(lon=51.0))
    _, history, _ = counted(read, Plan().resolved(read))
    wide = drawn.pivot_table(index="place", columns="date", values="events")
    assert np.array_equal(history["events"], wide.loc[list(history.places.name)].to_numpy())
