"""compare, forecast and score from the command line, on a small file of events and on bad input."""

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

from groundswell.cli import main as cli
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.evaluate import ranking
from groundswell.evaluate.compare import Candidate
from groundswell.infer.base import Fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.report.language import Speaker
from groundswell.rng import generator
from groundswell.studies import event_comparison, forecasting

CITIES = (
    ("Ashford", 35.0, 51.0, 900_000),
    ("Brightwater", 35.4, 51.6, 60_000),
    ("Calder", 35.5, 51.7, 45_000),
    ("Dunmore", 31.0, 58.0, 150_000),
)
QUICK = ("--origins", "4", "--ahead", "3", "--draws", "40", "--processes", "1")
Run = Callable[..., tuple[int, str, str]]


def events_file(path: Path, days: int, *, seed: int = 11) -> Path:
    """Counts that follow the day before, written as one row an event."""
    rng = generator(seed)
    last = [2, 1, 1, 0]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["date", "city", "latitude", "longitude", "population"])
        for day in range(days):
            means = [min(0.2 + 0.6 * mine + 0.05 * sum(last), 5) for mine in last]
            last = [int(rng.poisson(mean)) for mean in means]
            for (name, north, east, people), count in zip(CITIES, last, strict=True):
                for _ in range(count):
                    rows.writerow([date(2021, 3, 1) + timedelta(day), name, north, east, people])
    return path


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


def test_every_finding_has_its_sentence() -> None:
    """Keys are written where findings are made; each must stand in the catalogue."""
    speaker = Speaker()
    keys: set[str] = set()
    for module in (ranking, event_comparison, forecasting):
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        keys |= set(re.findall(r'"((?:compare|score)-[a-z-]+)"', text))
    keys |= {f"compare-{group}" for group in ("better", "level", "worse")}
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
    assert written[:2] == [
        "views/pgm/window=Y2021/predictions_2021.parquet",
        f"hubverse/model-output/groundswell-conflictology_30_days/{result['origin']}-groundswell-conflictology_30_days.parquet",
    ]
    months = pyarrow.parquet.read_table(out / written[0], partitioning=None)
    assert set(months["month_id"].to_pylist()) == {12 * 41 + 5}
    hub = pyarrow.parquet.read_table(out / written[1])
    assert set(hub["location"].to_pylist()) == {name for name, *_ in CITIES}
    assert tomllib.loads((out / "configuration.toml").read_text())["also"] == ["views", "hubverse"]
    cases = [
        (("--also", "hubverse"), 2, "give --out"),
        (("--also", "csv", "--out", folder / "no"), 2, "also.0 is 'csv'"),
        (("--also", "views", "--ahead", "5", "--out", folder / "no"), 3, "no calendar month"),
    ]
    for arguments, expected, words in cases:
        code, _, error = run("forecast", past, "--model", "zero", *arguments)
        assert (code, words in error) == (expected, True), error
    assert not list((folder / "no").iterdir())


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
    quantiles = folder / "quantiles.csv"
    quantiles.write_text("origin,date,days,step,place,mean,q50\n")
    gap = folder / "gap.csv"
    gap.write_text(
        "origin,date,days,step,place,draw,value\n2021-03-20,2021-03-21,1,1,Ashford,0,1\n"
        "2021-03-20,2021-03-21,1,1,Ashford,1,0\n2021-03-20,2021-03-22,1,2,Ashford,0,1\n"
    )
    cases = [
        (("compare", folder / "absent.csv"), 3, "absent.csv"),
        (("compare",), 2, "events is missing"),
        (("compare", few), 3, "2 events could be counted"),
        (("compare", good, "--origins", "0"), 2, "origins"),
        (("compare", good, "--by", "street"), 2, "by is 'street'"),
        (("compare", good, "--ahead", "40"), 2, "there is none"),
        (("compare", good, *QUICK, "--reference", "oracle"), 2, "not among the candidates"),
        (("forecast", good, "--model", "endemik"), 2, 'no model is called "endemik"'),
        (("forecast", good, "--model", "mobilisation"), 2, "recruitment minus break-up"),
        (("score", quantiles, good), 3, "give the draws"),
        (("score", gap, good), 3, "a row is missing or twice there"),
        (("score", folder / "absent.parquet", good), 3, "cannot be read"),
    ]
    for arguments, expected, words in cases:
        code, out, error = run(*arguments, *(("--out", folder / "bad") if arguments[0] == "compare" else ()))
        assert code == expected, (arguments, error)
        assert words in error, error
        assert "Traceback" not in out + error
    assert not list((folder / "bad").iterdir())
