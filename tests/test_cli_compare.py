"""compare from the command line, on a small file of events and on bad input."""

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

import pyarrow.parquet
import pytest
from made_events import events_file

from groundswell.cli import main as cli
from groundswell.data.history import History
from groundswell.data.readers import EVENT_COLUMNS, ReadEvents, read_events
from groundswell.data.setting import Setting
from groundswell.evaluate import ranking
from groundswell.evaluate.compare import Candidate
from groundswell.infer.base import Fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.report.language import Speaker
from groundswell.rng import generator
from groundswell.studies import event_comparison, forecasting, monthly, since
from groundswell.studies.event_comparison import Plan

QUICK = ("--origins", "4", "--ahead", "3", "--draws", "40", "--processes", "1")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def compared(folder: Path) -> Path:
    """The output folder of one comparison."""
    out = folder / "compared"
    assert cli.main(["compare", str(events_file(folder / "events.csv", 60)), *QUICK, "--out", str(out), "--json"]) == 0
    return out


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: str) -> tuple[int, str, str]:
        code = cli.main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


def test_compare_writes_everything_that_it_promises(compared: Path) -> None:
    tables = ("scores", "skill", "mechanisms", "horizon", "parameters", "notes", "forecasts", "components", "places")
    for name in (*tables, "left_out", "unread_rows"):
        text = (compared / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert pyarrow.parquet.read_table(compared / f"{name}.parquet").num_rows == len(text) - 1
    result = json.loads((compared / "result.json").read_text())
    models = [row["model"] for row in result["scores"]]
    assert {"endemic + within + between", "self-exciting by distance", "conflictology 30 days"} <= set(models)
    assert result["best"] == models[0]
    assert result["scores"] == sorted(result["scores"], key=lambda row: row["log score"])
    with (compared / "scores.csv").open() as file:
        assert [row["model"] for row in csv.DictReader(file)] == models


def test_the_result_holds_no_clock_path_or_timing(compared: Path, folder: Path) -> None:
    text = (compared / "result.json").read_text()
    assert str(folder) not in text
    assert not re.search(r"second|started|T\d\d:\d\d|processes", text)
    assert {"seconds", "started", "events"} <= json.loads((compared / "run.json").read_text()).keys()


def test_the_written_configuration_repeats_the_run_bit_for_bit(compared: Path, folder: Path, run: Run) -> None:
    again = folder / "again"
    written = tomllib.loads((compared / "configuration.toml").read_text())
    assert (written["step"], written["ahead"], written["origins"]) == (1, 3, 4)
    code, _, _ = run("compare", "--config", compared / "configuration.toml", "--processes", "2", "--out", again)
    assert code == 0
    assert (again / "result.json").read_bytes() == (compared / "result.json").read_bytes()
    assert (again / "report.html").read_bytes() == (compared / "report.html").read_bytes()


def test_the_report_is_one_file_that_opens_from_disk(compared: Path) -> None:
    html = (compared / "report.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 5
    assert not re.search(r'(src|href)="(https?:)?//', html)
    assert "<script" not in html
    for word in ("Which mechanisms earn their keep", "has the lowest held-out log score", "What this cannot tell"):
        assert word in html


def test_until_is_an_option_and_the_report_says_where_the_record_ends(compared: Path, folder: Path, run: Run) -> None:
    html = (compared / "report.html").read_text(encoding="utf-8")
    assert html.count("The record is taken to end with the last whole step up to its last event, 2021-04-29") == 2
    out = folder / "until"
    code, text, _ = run("compare", folder / "events.csv", *QUICK, "--until", "2021-05-03", "--out", out, "--json")
    assert code == 0
    result = json.loads(text)
    assert result["data"]["end"] == "2021-05-03"
    assert result["words"][1] == "The file is said to cover all days up to 2021-05-03."
    assert result["words"][1] in (out / "report.html").read_text(encoding="utf-8")
    assert tomllib.loads((out / "configuration.toml").read_text())["until"] == "2021-05-03"


def dated(path: Path, *rows: tuple[str, str, str, str]) -> ReadEvents:
    """A standard table of events: first day, precision, country, place."""
    blank = dict.fromkeys(EVENT_COLUMNS, "")
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, EVENT_COLUMNS)
        table.writeheader()
        for start, within, country, place in rows:
            scope = "place" if place else "national"
            event = {"start": start, "end": start, "precision": within, "country": country, "place": place}
            table.writerow({**blank, **event, "scope": scope})
    return read_events(path)


def test_the_step_is_decided_by_the_events_that_are_counted(tmp_path: Path) -> None:
    short = [(f"2021-03-{day:02}", "day", "Iran", "Tehran") for day in range(1, 31)]
    file = tmp_path / "events.csv"

    def step(*more: tuple[str, str, str, str], rows: Any = short, **options: Any) -> int | None:
        return Plan(**options).resolved(dated(file, *rows, *more)).step

    assert step() == 1
    assert step(("2022-03-01", "day", "Iran", "Tehran")) == 7
    # of another country, after the last day, dated too coarsely, without a place: none of them is counted
    assert step(("2022-03-01", "day", "Iraq", "Baghdad"), country="Iran") == 1
    assert step(("2022-03-01", "day", "Iraq", "Baghdad"), country="IR") == 1
    assert step(("2022-03-01", "day", "Iran", "Tehran"), until=date(2021, 4, 30)) == 1
    assert step(("2020-01-01", "month", "Iran", "Tehran")) == 1
    assert step(("2022-03-01", "day", "Iran", "")) == 1
    assert step(("2022-03-01", "day", "Iran", ""), by="country") == 7
    # weeks hold what is dated to the week, and days do not
    assert step(rows=[(start, "week", *rest) for start, _, *rest in short]) == 7
    assert step(("2022-03-01", "week", "Iran", "Tehran")) == 7


def test_every_finding_has_its_sentence() -> None:
    """Keys are written where findings are made; each must stand in the catalogue."""
    speaker = Speaker()
    keys: set[str] = set()
    for module in (ranking, event_comparison, forecasting, monthly, since):
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        keys |= {key for key in re.findall(r'"((?:compare|score|forecast|since)-[a-z-]+)"', text) if key[-1] != "-"}
    keys |= {f"compare-{group}" for group in ("better", "level", "worse")}
    keys |= {f"forecast-skill-{side}" for side in ("better", "right", "worse", "unsure")}
    keys |= {f"forecast-coverage-{side}" for side in ("narrow", "right", "wide", "unsure")}
    keys |= {f"forecast-location-{side}" for side in ("low", "right", "high", "unsure")}
    verdicts = ("earns-its-keep", "cannot-tell", "does-harm")
    keys |= {
        f"{of}-{verdict}{form}"
        for of in ("mechanism", "places")
        for verdict in verdicts
        for form in ("", "-range", "-added")
    }
    assert len(keys) > 25
    assert [key for key in sorted(keys) if not speaker.knows(key)] == []


def test_weekly_counts_of_one_country(folder: Path, run: Run) -> None:
    path = folder / "country.csv"
    rng = generator(3)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["date", "city", "country"])
        for day in range(0, 900, 2):
            for _ in range(rng.poisson(0.5)):
                rows.writerow([date(2018, 1, 1) + timedelta(day), "Tehran", "Iran"])
    code, out, _ = run(
        "compare", path, "--by", "country", "--origins", "6", "--draws", "50", "--processes", "1",
        "--out", folder / "weekly", "--json",
    )  # fmt: skip
    assert code == 0
    result = json.loads(out)
    assert result["data"]["step_days"] == 7
    assert result["reference"] == "conflictology 90 days"
    assert result["not_scored"]["models of spread between places"] == "there is one place."
    assert "mobilisation" in result["not_scored"]
    assert not any("places" in column for row in result["scores"] for column in row)


class Hurried(MaximumLikelihood):
    """A search that says that it ended too soon."""

    def fit(self, *given: Any, **more: Any) -> Fit:
        return dataclasses.replace(super().fit(*given, **more), converged=False, status="Not converged after 1 step.")


def test_fits_that_do_not_converge_are_flagged_and_written(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = event_comparison.standard_candidates

    def hurried(setting: Setting, history: History) -> tuple[list[Candidate], dict[str, str]]:
        found, left_out = real(setting, history)
        kept = [c for c in found if c.method is None or c.name == "endemic + within"]
        return [c if c.method is None else dataclasses.replace(c, method=Hurried()) for c in kept], left_out

    monkeypatch.setattr(event_comparison, "standard_candidates", hurried)
    out = folder / "hurried"
    code, _, error = run("compare", events_file(folder / "hurry.csv", 40), *QUICK, "--out", out)
    assert code == 4
    assert "no model's fit converged" in error
    assert "Not converged" in (out / "notes.csv").read_text()
    assert 'class="flag"' in (out / "report.html").read_text()


def test_bad_input(folder: Path, run: Run) -> None:
    few = folder / "few.csv"
    few.write_text("date,city,latitude,longitude\n2020-01-01,A,1,1\n2020-02-01,B,2,2\n")
    good = events_file(folder / "good.csv", 30)
    cases = [
        (("compare", folder / "absent.csv"), 3, "absent.csv"),
        (("compare",), 2, "events is missing"),
        (("compare", few), 3, "2 events could be counted"),
        (("compare", good, "--origins", "0"), 2, "origins"),
        (("compare", good, "--by", "street"), 2, "by is 'street'"),
        (("compare", good, "--ahead", "40"), 2, "there is none"),
        (("compare", good, *QUICK, "--reference", "oracle"), 2, "not among the candidates"),
    ]
    for arguments, expected, words in cases:
        code, out, error = run(*arguments, "--out", folder / "bad")
        assert code == expected, (arguments, error)
        assert words in error, error
        assert "Traceback" not in out + error
    assert not list((folder / "bad").iterdir())
