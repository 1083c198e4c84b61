"""forecast and score from the command line: quick ones, two months in a row with a report, and bad input."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from made_events import CITIES, events_file

from groundswell.cli import main as cli
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.evaluate.compare import Candidate
from groundswell.infer.base import Fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.report import forecast_report
from groundswell.studies import forecasting

Run = Callable[..., tuple[int, str, str]]
SETTINGS = """\
events = "events.csv"
ahead = 12
draws = 60
origins = 5
refit_every = 3
report = true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forecasts")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: Any) -> tuple[int, str, str]:
        code = cli.main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


def test_forecast_then_score(folder: Path, run: Run) -> None:
    whole = events_file(folder / "whole.csv", 60)
    lines = whole.read_text().splitlines(keepends=True)
    past = folder / "past.csv"
    past.write_text("".join(line for line in lines if line < "2021-04-22" or line.startswith("date")))
    out = folder / "forecast"
    code, text, _ = run("forecast", past, "--ahead", "5", "--draws", "200", "--out", out, "--json")
    assert code == 0
    result = json.loads(text)
    assert result["origin"] == "2021-04-21"
    assert [row["date"] for row in result["totals"]] == [f"2021-04-{day}" for day in range(22, 27)]
    draws = pyarrow.parquet.read_table(out / "draws.parquet")
    assert draws.column_names == ["origin", "date", "days", "step", "place", "draw", "value"]
    assert draws.num_rows == 4 * 5 * 200
    code, text, _ = run("score", out / "draws.parquet", whole, "--json")
    assert code == 0
    scores = {row["model"]: row for row in json.loads(text)["scores"]}
    assert {"forecast", "zero", "climatology"} <= scores.keys()
    # the same by hand
    table = draws.to_pydict()
    seen = {(day, city): 0 for day in range(22, 27) for city, *_ in CITIES}
    for line in lines[1:]:
        when, city = line.split(",")[:2]
        if "2021-04-22" <= when <= "2021-04-26":
            seen[int(when[-2:]), city] += 1
    cells: dict[tuple[int, str], list[float]] = {}
    for day, city, value in zip(table["date"], table["place"], table["value"], strict=True):
        cells.setdefault((int(day[-2:]), city), []).append(value)
    by_hand = sum((sum(x > 0 for x in cells[cell]) / 200 - (seen[cell] > 0)) ** 2 for cell in cells) / len(cells)
    assert scores["forecast"]["Brier active"] == pytest.approx(by_hand, abs=1e-12)


def test_a_quick_forecast_says_what_was_left_out(folder: Path, run: Run) -> None:
    path = events_file(folder / "dirty.csv", 40)
    with path.open("a") as file:
        file.write("2021-13-45,Ashford,35.0,51.0,900000\n2021-03-05,Nowhere At All,,,\n")
    out = folder / "dirty"
    code, text, _ = run("forecast", path, "--ahead", "2", "--draws", "20", "--out", out)
    assert code == 0
    assert "; 2 left out, 0 placed by a judgement." in text
    assert "The record is taken to end with" in text
    with (out / "unread_rows.csv").open() as file:
        assert ["2021-13-45" in row["reason"] for row in csv.DictReader(file)] == [True]
    with (out / "left_out.csv").open() as file:
        assert ["Nowhere At All" in row["reason"] for row in csv.DictReader(file)] == [True]
    assert {"left_out.parquet", "unread_rows.parquet"} <= {each.name for each in out.iterdir()}
    data = result(out)["data"]
    assert (data["left_out"], data["assumed"]) == (2, 0)
    assert data["rows"] == data["events"] + 2
    # without a folder it is said as well
    assert "; 2 left out" in " ".join(json.loads(run("forecast", path, "--draws", "20", "--json")[1])["words"])


def test_only_steps_that_have_ended_are_scored(folder: Path, run: Run) -> None:
    past = events_file(folder / "short.csv", 40)
    out = folder / "half"
    assert run("forecast", past, "--ahead", "6", "--draws", "50", "--out", out)[0] == 0
    code, _, error = run("score", out / "draws.parquet", past)
    assert code == 3
    assert "no step of the forecasts has ended by" in error
    last = max(line.split(",")[0] for line in past.read_text().splitlines()[1:])
    until = date.fromisoformat(last) + timedelta(2)
    code, text, _ = run("score", out / "draws.parquet", past, "--until", until)
    assert code == 0
    assert "2 steps ahead" in text
    assert "steps 3 to 6" in text


def test_forecast_by_a_model_of_the_library_as_it_stands(folder: Path, run: Run) -> None:
    path = events_file(folder / "library.csv", 40)
    code, out, _ = run(
        "forecast", path, "--model", "self-exciting", "--no-fit", "--set", "background=0.0",
        "--set", "branching_ratio=0.0", "--ahead", "2", "--draws", "20", "--json",
    )  # fmt: skip
    assert code == 0
    assert [row["mean"] for row in json.loads(out)["totals"]] == [0, 0]


def up_to(path: Path, last: str, target: Path, *more: str) -> Path:
    """The rows of a file up to a day, and further rows."""
    head, *lines = path.read_text().splitlines(keepends=True)
    target.write_text(head + "".join(line for line in lines if line[:10] <= last) + "".join(more))
    return target


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report without its pictures, which take most of the time."""
    monkeypatch.setattr(forecast_report, "write_report", lambda case, new: (new / "report.html").write_text(case.name))


@pytest.fixture(scope="module")
def months(folder: Path) -> dict[str, Path]:
    """Two runs of one configuration, ten days apart: by the second, a late record and a new place have come."""
    home = folder / "months"
    home.mkdir()
    whole = events_file(folder / "sixty.csv", 60)
    settings = home / "monthly.toml"
    settings.write_text(SETTINGS.replace("events.csv", str(home / "events.csv")))
    made = {"settings": settings, "events": home / "events.csv", "home": home}
    late = "2021-03-20,Ashford,35.0,51.0,900000\n"
    new = "2021-04-25,Newtown,36.0,52.0,30000\n"
    for name, last, more in (("first", "2021-04-19", ()), ("second", "2021-04-29", (late, new))):
        up_to(whole, last, home / "events.csv", *more)
        made[name] = home / name
        arguments = ["forecast", "--config", str(settings), "--until", last, "--out", str(home / name), "--json"]
        assert cli.main(arguments) == 0
    return made


def result(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "result.json").read_text())


def said(folder: Path) -> str:
    return " ".join((folder / "report.html").read_text(encoding="utf-8").split())


def draws_by_place(folder: Path, dates: set[str]) -> dict[str, np.ndarray]:
    """place -> sum over the dates, by draw; as a first-year student would take them from the file."""
    table = pyarrow.parquet.read_table(folder / "draws.parquet").to_pydict()
    found: dict[str, np.ndarray] = {}
    for day, place, draw, value in zip(table["date"], table["place"], table["draw"], table["value"], strict=True):
        if day in dates:
            found.setdefault(place, np.zeros(60))[draw] += value
    return found


def test_a_first_run_says_so_and_stands_alone(months: dict[str, Path]) -> None:
    first = months["first"]
    assert result(first)["since"] is None
    assert "No earlier run of the same counts was found" in said(first)
    assert not (first / "moved.csv").exists()


def test_every_file_is_there_and_listed(months: dict[str, Path]) -> None:
    second = months["second"]
    listed = json.loads((second / "run.json").read_text())["files"]
    assert {path.name for path in second.iterdir()} == {*listed, "run.json"}
    tables = ("quantiles", "totals", "places", "recorded", "scores", "skill", "past_forecasts", "past_outlooks", "pit")
    for name in (*tables, "coverage", "parameters", "notes", "moved", "last_run", "last_run_scores", "left_out"):
        text = (second / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert pyarrow.parquet.read_table(second / f"{name}.parquet").num_rows == len(text) - 1
    assert not re.search(r"second|started|T\d\d:\d\d|processes|/", json.dumps(result(second)["since"]))


def test_the_second_run_reports_what_changed(months: dict[str, Path]) -> None:
    changed, words = result(months["second"])["since"], said(months["second"])
    assert changed["origin"] == "2021-04-19"
    assert "The last run forecast from 2021-04-19 with endemic + within + between." in words
    assert "Both runs forecast 2021-04-30 to 2021-05-01" in words
    assert "1 place is new in the file since then, with 1 event" in words
    assert "was revised: 1 events more and 0 fewer, over 1 step." in words
    assert "Of its 10 steps that have ended" in words
    shared = {"2021-04-30", "2021-05-01"}
    before, now = (draws_by_place(months[name], shared) for name in ("first", "second"))
    assert {row["place"] for row in changed["moved"]} == set(before)
    sizes = [abs(row["change"]) for row in changed["moved"]]
    assert sizes == sorted(sizes, reverse=True)
    for row in changed["moved"]:
        x, y = before[row["place"]], now[row["place"]]
        assert row["expected before"] == pytest.approx(x.mean())
        assert row["expected now"] == pytest.approx(y.mean())
        assert row["active now"] == pytest.approx((y > 0).mean())
        noise = 2 * np.sqrt(x.var() / 60 + y.var() / 60)
        assert row["noise"] == pytest.approx(noise)
        assert row["moved"] == (abs(y.mean() - x.mean()) > noise)


def test_the_last_run_is_scored_as_the_score_command_scores_it(months: dict[str, Path], run: Run) -> None:
    draws = months["first"] / "draws.parquet"
    words = "1 event of the scored steps was recorded in 1 place that the forecast did not name: Newtown."
    assert words in run("score", draws, months["events"], "--until", "2021-04-29")[1].replace("\n", " ")
    assert words in said(months["second"])
    code, text, _ = run("score", draws, months["events"], "--until", "2021-04-29", "--json")
    assert code == 0
    expected = {row["model"]: row for row in json.loads(text)["scores"]}
    for row in result(months["second"])["since"]["scores"]:
        for name, value in row.items():
            assert value == (pytest.approx(expected[row["model"]][name]) if isinstance(value, float) else value)


def test_the_last_forecasts_stand_beside_what_was_recorded(months: dict[str, Path]) -> None:
    with (months["second"] / "last_run.csv").open() as file:
        rows = list(csv.DictReader(file))
    with months["events"].open() as file:
        events = list(csv.DictReader(file))  # one of them in a place that the last run did not know
    for row in rows:
        assert float(row["recorded"]) == sum(event["date"] == row["date"] for event in events)
        total = sum(draws_by_place(months["first"], {row["date"]}).values())
        assert float(row["mean"]) == pytest.approx(np.mean(total))


def test_the_report_is_one_file_with_a_table_beside_every_picture(months: dict[str, Path]) -> None:
    html = (months["second"] / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(https?:)?//', html)
    assert "<script" not in html
    for section in re.findall(r"<section.*?</section>", html, re.DOTALL):
        assert "<svg" not in section or "<table" in section
    assert html.count("<svg") == 8  # total, places, map, moved, past, skill, PIT, coverage
    for words in ("What is expected next?", "What changed since the last run?", "Do they promise more than they keep?"):
        assert words in html


def test_the_written_configuration_repeats_the_run_bit_for_bit(months: dict[str, Path], run: Run) -> None:
    written = tomllib.loads((months["second"] / "configuration.toml").read_text())
    assert (written["step"], written["origins"], written["refit_every"]) == (1, 5, 3)
    assert Path(written["previous"]) == months["first"]
    again = months["home"].parent / "elsewhere" / "again"
    assert run("forecast", "--config", months["second"] / "configuration.toml", "--out", again)[0] == 0
    for name in ("result.json", "report.html", "draws.parquet"):
        assert (again / name).read_bytes() == (months["second"] / name).read_bytes(), name


@pytest.mark.usefixtures("no_pictures")
def test_a_report_does_not_change_the_forecast_and_takes_its_place(months: dict[str, Path], run: Run) -> None:
    """The same folder, first without a report and then with one, and without again."""
    out = months["home"].parent / "alone" / "run"
    plain = ("forecast", months["events"], "--ahead", "12", "--draws", "60", "--until", "2021-04-29", "--out", out)
    assert run(*plain)[0] == 0
    quick = (out / "draws.parquet").read_bytes()
    assert {path.name for path in out.iterdir()} >= {"totals.csv", "quantiles.parquet", "result.json", "run.json"}
    assert not (out / "report.html").exists()
    assert run(*plain, "--report", "--origins", "3")[0] == 0
    assert (out / "draws.parquet").read_bytes() == quick
    assert (out / "report.html").exists()
    assert run(*plain)[0] == 0
    assert not (out / "report.html").exists()
    assert not (out / "scores.csv").exists()


@pytest.mark.usefixtures("no_pictures")
def test_two_months_in_one_folder(months: dict[str, Path], run: Run) -> None:
    """The run that is about to be replaced is the one to compare with."""
    out = months["home"].parent / "one" / "folder"
    whole = months["home"].parent / "sixty.csv"
    for last, expected in (("2021-04-19", None), ("2021-04-29", "2021-04-19"), ("2021-04-29", None)):
        assert run("forecast", whole, "--config", months["settings"], "--until", last, "--out", out)[0] == 0
        since = result(out)["since"]
        assert (since and since["origin"]) == expected
    assert not (out / "moved.csv").exists()


@pytest.mark.usefixtures("no_pictures")
def test_without_a_folder_each_month_gets_its_own(
    months: dict[str, Path], run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for last in ("2021-04-19", "2021-04-29"):
        code, text, _ = run("forecast", "--config", months["settings"], "--until", last, "--json")
        assert code == 0
        assert json.loads(text)["report"] == str(Path("out") / "forecast-monthly" / last / "report.html")
    assert result(tmp_path / "out" / "forecast-monthly" / "2021-04-29")["since"]["origin"] == "2021-04-19"


def test_ctrl_c_leaves_the_last_run_as_it_was(
    months: dict[str, Path], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    second = months["second"]
    before = {path.name: path.read_bytes() for path in second.iterdir()}
    monkeypatch.setattr(forecast_report, "write_report", interrupted)
    code, _, error = run("forecast", "--config", months["settings"], "--seed", "9", "--out", second)
    assert code == cli.INTERRUPTED
    assert "every file that was written is whole" in error
    assert {path.name: path.read_bytes() for path in second.iterdir()} == before


class Hurried(MaximumLikelihood):
    """A search that says that it ended too soon."""

    def fit(self, *given: Any, **more: Any) -> Fit:
        return dataclasses.replace(super().fit(*given, **more), converged=False, status="Not converged after 1 step.")


def test_a_fit_that_does_not_converge_flags_the_report(
    months: dict[str, Path], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = forecasting.chosen

    def hurried(name: str | None, setting: Setting, history: History) -> Candidate:
        return dataclasses.replace(real(name, setting, history), method=Hurried())

    monkeypatch.setattr(forecasting, "chosen", hurried)
    out = months["home"].parent / "hurried" / "run"
    code, _, error = run("forecast", "--config", months["settings"], "--out", out)
    assert code == 4
    assert "the forecast is flagged" in error
    assert 'class="flag"' in (out / "report.html").read_text()


def test_bad_input(folder: Path, months: dict[str, Path], run: Run) -> None:
    good = events_file(folder / "good.csv", 30)
    quantiles = folder / "quantiles.csv"
    quantiles.write_text("origin,date,days,step,place,mean,q50\n")
    gap = folder / "gap.csv"
    gap.write_text(
        "origin,date,days,step,place,draw,value\n2021-03-20,2021-03-21,1,1,Ashford,0,1\n"
        "2021-03-20,2021-03-21,1,1,Ashford,1,0\n2021-03-20,2021-03-22,1,2,Ashford,0,1\n"
    )
    other = folder / "other"
    other.mkdir()
    (other / "result.json").write_text('{"case": {}}')
    broken = folder / "broken"
    broken.mkdir()
    (broken / "result.json").write_bytes((months["first"] / "result.json").read_bytes())
    wrong = folder / "wrong.toml"
    wrong.write_text('events = "e.csv"\nrapport = true\n')
    report = ("forecast", months["events"], "--report")
    cases = [
        (("forecast", good, "--model", "endemik"), 2, 'no model is called "endemik"'),
        (("forecast", good, "--model", "mobilisation"), 2, "--without organised --without groups"),
        (("score", quantiles, good), 3, "give the draws"),
        (("score", gap, good), 3, "a row is missing or twice there"),
        (("score", folder / "absent.parquet", good), 3, "cannot be read"),
        (("forecast", good, "--origins", "4"), 2, "origins belongs to the report: add --report"),
        (("forecast", good, "--previous", other), 2, "previous belongs to the report"),
        (("forecast", good, "--refit-every", "2"), 2, "refit_every belongs to the report"),
        (("forecast", good, "--report", "--origins", "0"), 2, "origins is 0"),
        (("forecast", "--config", wrong), 2, '"rapport" is no setting here. Nearest name: "report"'),
        (("forecast", good, "--until", "31/12/2021"), 2, "until is"),
        (("forecast", good, "--until", "2021-02-01"), 3, "has no event up to 2021-02-01"),
        (("forecast", good, "--until", "2021-03-05", "--step", "7"), 3, "no step has ended by 2021-03-05"),
        (("forecast", good, "--report", "--ahead", "40"), 2, "there is none"),
        ((*report, "--previous", folder / "absent"), 3, "holds no forecast"),
        ((*report, "--previous", other), 3, "is not the result of a forecast"),
        ((*report, "--previous", broken), 3, "draws.parquet cannot be read"),
        ((*report, "--previous", months["first"], "--until", "2021-04-19"), 3, "it is not earlier"),
        ((*report, "--previous", months["first"], "--step", "2"), 3, "has step days 1, this one 2"),
    ]
    for arguments, expected, words in cases:
        out = ("--out", folder / "bad" / "run") if arguments[0] == "forecast" else ()
        code, text, error = run(*arguments, *out)
        assert code == expected, (arguments, error)
        assert words in error, error
        assert "Traceback" not in text + error
    assert list((folder / "bad" / "run").iterdir()) == []


def test_forecast_writes_other_formats_on_request(folder: Path, run: Run) -> None:
    past = events_file(folder / "months.csv", 40)  # to about 9 April: May is the first whole month ahead
    out = folder / "others"
    code, text, _ = run(
        "forecast", past, "--model", "conflictology 30 days", "--ahead", "55", "--also", "views, hubverse",
        "--out", out, "--json",
    )  # fmt: skip
    assert code == 0
    result = json.loads(text)
    assert any("The VIEWS file leaves out" in note for note in result["notes"])
    written = [Path(name).relative_to(out).as_posix() for name in result["files"]]
    views = "views/pgm/window=Y2021/predictions_2021.parquet"
    team = "groundswell-conflic_30_days"
    assert any('calls the model "conflic_30_days"' in note for note in result["notes"])
    hubverse = f"hubverse/model-output/{team}/{result['origin']}-{team}.parquet"
    assert {views, hubverse} <= set(written)
    months = pyarrow.parquet.read_table(out / views, partitioning=None)
    assert set(months["month_id"].to_pylist()) == {12 * 41 + 5}
    hub = pyarrow.parquet.read_table(out / hubverse)
    assert set(hub["location"].to_pylist()) == {name for name, *_ in CITIES}
    assert tomllib.loads((out / "configuration.toml").read_text())["also"] == ["views", "hubverse"]
    named = ("--also", "hubverse", "--team", "my_team", "--model-name", "cf30", "--out", folder / "named")
    assert run("forecast", past, "--model", "zero", "--ahead", "5", "--draws", "20", *named)[0] == 0
    assert list((folder / "named").glob("hubverse/model-output/my_team-cf30/*-my_team-cf30.parquet"))
    cases = [
        (("--also", "hubverse", "--team", "my team", "--out", folder / "no"), 2, 'team "my team" (7 characters)'),
        (("--also", "hubverse", "--model-name", "m" * 16, "--out", folder / "no"), 2, "use 1 to 15 letters"),
        (("--team", "us", "--out", folder / "no"), 2, "add --also hubverse"),
        (("--also", "hubverse"), 2, "give --out"),
        (("--also", "csv", "--out", folder / "no"), 2, "also.0 is 'csv'"),
        (("--also", "views", "--ahead", "5", "--out", folder / "no"), 3, "no calendar month"),
    ]
    for arguments, expected, words in cases:
        code, _, error = run("forecast", past, "--model", "zero", *arguments)
        assert (code, words in error) == (expected, True), error
    assert not list((folder / "no").iterdir())
