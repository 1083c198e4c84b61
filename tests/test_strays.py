"""Dates that can hardly be meant: left out if still to come, named by every command if far from all the others."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas
import pytest
from typer.testing import CliRunner

from groundswell.cli.data import app
from groundswell.cli.events import EventsConfiguration
from groundswell.data.check import check
from groundswell.data.readers import read_events, to_history
from groundswell.data.readers.strays import far_rows

DAYS = [date(2022, 9, 1) + timedelta(i) for i in range(60)]


def table(*more: date | str) -> pandas.DataFrame:
    return pandas.DataFrame({"date": [*DAYS, *more], "city": "Qom", "country": "Iran", "lat": 34.64, "lon": 50.88})


def test_a_day_still_to_come_is_left_out_and_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundswell.data.readers.base.latest_day", lambda: date(2022, 10, 30))
    read = read_events(table("2022-10-31", "2032-09-04"))
    assert list(read.left_out["row"]) == [62, 63]
    assert read.left_out["reason"][1] == "its day, 2032-09-04, is still to come"
    (warning,) = read.warnings
    assert "dated in the future, so left out: row 62 (2022-10-31), row 63 (2032-09-04)" in warning
    assert warning in read.notes
    _, history, _ = to_history(read)
    assert history.window.periods == 60


def test_a_single_event_far_from_the_others_is_kept_and_warned_of() -> None:
    read = read_events(table("1922-09-04"))
    assert read.rows_read == 61
    (warning,) = read.warnings
    assert "dated far from all the others: row 62 (1922-09-04); the rest is of 2022-09-01 to 2022-10-30" in warning
    _, history, left_out = to_history(read)
    assert history["events"].sum() == 61
    (line,) = [line for line in left_out.rows() if "far" in line["reason"]]
    assert (line["row"], line["outcome"]) == (62, "assumed")


@pytest.mark.parametrize(
    ("days", "far"),
    [
        ([*DAYS, date(2021, 9, 3)], []),
        ([*DAYS, date(2021, 8, 20)], [61]),
        ([*DAYS, date(2012, 9, 1), date(2032, 9, 1)], [61, 62]),
        ([*DAYS, date(2012, 9, 1), date(2012, 9, 2)], []),  # two of sixty together are no slip
        ([date(2000 + i, 1, 1) for i in range(25)], []),
        ([*DAYS[:10], date(1922, 9, 1)], []),
    ],
)
def test_far_is_more_than_a_year_and_than_the_rest_spans(days: list[date], far: list[int]) -> None:
    events = [{"row": row, "start": day} for row, day in enumerate(days, 1)]
    assert sorted(far_rows(events)) == far


def test_every_command_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "events.csv"
    table("1922-09-04").to_csv(path, index=False)
    found = check(path)
    assert found.words().count("row 62 (1922-09-04)") == 1
    assert "Warning: dated far from all the others" in found.words()
    assert found.as_dict()["warnings"] == list(found.warnings)
    EventsConfiguration(events=path).read()
    assert "warning: dated far from all the others: row 62 (1922-09-04)" in capsys.readouterr().err
    result = CliRunner().invoke(app, ["convert", str(path), "--out", str(tmp_path / "out.csv")])
    assert "warning: dated far from all the others" in result.stderr
