"""`fit` from a TOML file: components stated as tables, covariates, events abroad, several windows."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundswell.cli import main as cli
from groundswell.cli.fit_given import FitConfiguration
from groundswell.data.summaries import Summaries
from groundswell.errors import UsageError
from groundswell.infer.abc_smc import ABC
from groundswell.infer.synthetic import SyntheticLikelihood
from groundswell.params import Prior
from groundswell.rng import generator

PLACES = ("Tehran", "Mashhad", "Isfahan", "Tabriz")

CONFIGURATION = """
model = "endemic-epidemic"
events = "{folder}/events.csv"
country = "Iran"
step = 7
covariates = "{folder}/hardship.csv"

[components]
between = false

[components.endemic]
effects = ["hardship", "second"]
period = 52
offset = false

[[windows]]
start = 2018-01-01
end = 2018-12-30

[[windows]]
start = 2019-01-07
end = 2020-01-05
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years of events in four cities of Iran and some in Iraq, with a table of hardship that drives the first."""
    path, rng = tmp_path_factory.mktemp("fit"), generator(1)
    rows, hardship = [], []
    for year in (2018, 2019):
        for k, place in enumerate(PLACES):
            hardship.append((place, f"{year}-01-01", k * 0.5, float(year == 2019)))
            for day in np.flatnonzero(rng.random(364) < 0.05 * np.exp(0.5 * k)):
                rows.append((str(np.datetime64(f"{year}-01-01") + int(day)), place, "Iran"))
        rows += [(str(np.datetime64(f"{year}-03-01") + n), "Baghdad", "Iraq") for n in range(20)]
    for name, header, table in (
        ("events.csv", ("date", "place", "country"), rows),
        ("hardship.csv", ("place", "date", "hardship", "second"), hardship),
    ):
        with (path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *table])
    return path


def fitted(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict, str]:
    code = cli.main(["fit", *arguments, "--json"])
    result = json.loads(capsys.readouterr().out)
    return code, result, str(result.get("error", ""))


def test_components_covariates_and_windows_of_a_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "run.toml"
    config.write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    code, result, _ = fitted(capsys, "--config", str(config), "--out", str(tmp_path / "out"))
    assert code == 0
    found = {row["parameter"]: row for row in result["parameters"]}
    assert not any(name.startswith("between") for name in found)
    assert abs(found["endemic.effects.hardship"]["estimate"] - 1.0) < 0.4
    assert abs(found["endemic.effects.second"]["estimate"]) < 0.4
    assert [window["steps"] for window in result["windows"]] == [52, 52]
    assert result["events"] == sum(window["events"] for window in result["windows"])
    assert "bic" in result
    again = fitted(capsys, "--config", str(tmp_path / "out" / "configuration.toml"))[1]
    assert again["parameters"] == result["parameters"]


def test_random_effects_choose_the_method(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "run.toml"
    config.write_text("[components]\nbetween = false\n[components.endemic]\neffects = []\nrandom = true\n")
    arguments = ["endemic-epidemic", str(folder / "events.csv"), "--country", "Iran", "--step", "7"]
    arguments += ["--config", str(config), "--out", str(tmp_path / "out")]
    code, result, _ = fitted(capsys, *arguments)
    assert code == 0
    assert "penalised log density" in result["status"]
    assert "marginal" in result
    assert "aic" not in result
    assert "endemic.random.by_place.Tehran" not in {row["parameter"] for row in result["parameters"]}
    assert "endemic.random.by_place.Tehran" in (tmp_path / "out" / "parameters.csv").read_text()


def test_methods_that_simulate(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two parameters from counts by week; too few simulations, so flagged, and written all the same."""
    config = tmp_path / "run.toml"
    config.write_text(
        'summaries = ["total events", "lag1 events"]\n[components]\nbetween = false\n'
        "[components.endemic]\neffects = []\n[priors]\nwithin.intercept = [-2, 0.5]\n"
    )
    arguments = ["endemic-epidemic", str(folder / "events.csv"), "--country", "Iran", "--step", "7", "--method", "abc"]
    arguments += ["--simulations", "1000", "--fix", "overdispersion.psi=0.1", "--start", "2018-01-01"]
    out = tmp_path / "out"
    arguments += ["--end", "2018-03-25", "--config", str(config), "--out", str(out), "--processes", "1"]
    code, result, _ = fitted(capsys, *arguments)
    assert code == 4
    assert any("fewer than 500" in note for note in result["notes"])
    found = {row["parameter"]: row for row in result["parameters"]}
    assert found["overdispersion.psi"]["standard error"] == 0
    assert 0.5 < found["endemic.intercept"]["inside 90 %"] <= 1
    assert {"draws.parquet", "posterior.svg", "result.json", "parameters.csv"} <= {path.name for path in out.iterdir()}
    assert not (out / "chains.svg").exists()


def test_what_is_said_of_simulating_reaches_the_method() -> None:
    said: dict[str, Any] = {"model": "thresholds", "events": "x.csv", "method": "synthetic", "draws": 400}
    said |= {"summaries": ("last active",), "simulations": 70, "priors": {"distribution": {"sd": (9, 0.2)}}}
    given = FitConfiguration(**said)
    expected = SyntheticLikelihood(
        Summaries("last active"), {"distribution.sd": Prior(9, 0.2)}, simulations=70, draws=400, processes=2
    )
    assert given.estimator(None, 2) == expected
    given = FitConfiguration(model="thresholds", events=Path("x.csv"), method="abc")
    assert given.estimator(None, 1) == ABC()
    given = FitConfiguration(model="thresholds", events=Path("x.csv"), method="abc", pilot=300)
    assert given.estimator(None, 1) == ABC(pilot=300)
    with pytest.raises(UsageError, match="--pilot is of --method abc"):
        FitConfiguration(**said, pilot=300).estimator(None, 1)


def test_events_abroad_from_the_same_file(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "run.toml"
    off = "".join(f"{name} = false\n" for name in (
        "between", "media", "organised", "groups", "call", "deterrence", "backlash"))  # fmt: skip
    config.write_text(f"[components]\n{off}abroad = true\n")
    held = ("arrests.per_event=8", "arrests.overdispersion=2", "arrests.memory=.8", "crowds.median=150",
            "crowds.spread=1", "warnings_per_arrest=1")  # fmt: skip
    arguments = ["mobilisation", str(folder / "events.csv"), "--config", str(config), "--abroad", "events"]
    arguments += [flag for name in held for flag in ("--fix", name)]
    code, result, _ = fitted(capsys, *arguments, "--country", "Iran")
    assert code == 0
    assert any(row["parameter"] == "abroad.rate" for row in result["parameters"])
    code, _, err = fitted(capsys, *arguments)
    assert code == 2
    assert "say with --country which is not" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[components.endemic]\neffect = ["trend"]\n', "endemic.effect: Endemic has no such field"),
        ('[components.between]\nweights = "Power"\n', '"Power" is no kind of it'),
        (
            "start = 2018-01-01\nend = 2018-02-01\n[[windows]]\nstart = 2018-01-01\nend = 2018-03-01\n",
            "give one of them",
        ),
        ("[[windows]]\nstart = 2018-01-01\n", "windows.0.end"),
    ],
)
def test_a_wrong_table_is_named(
    text: str, words: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "run.toml"
    config.write_text(text)
    code, _, err = fitted(capsys, "endemic-epidemic", str(folder / "events.csv"), "--config", str(config))
    assert code == 2
    assert words in err


def test_rows_of_other_tables_that_are_not_used_are_counted_on_the_screen(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "abroad.csv"
    table.write_text("date,events\n2018-03-01,3\n2017-01-01,2\n2030-01-01,2\n")
    arguments = ["endemic-epidemic", str(folder / "events.csv"), "--country", "Iran", "--abroad", str(table)]
    cli.main(["fit", *arguments, "--step", "7", "--without", "between"])
    assert "left out; 2 rows not used" in capsys.readouterr().err


WINDOWS = 'model = "endemic-epidemic"\nevents = "{events}"\n{more}\n[components]\nbetween = false\n'


@pytest.fixture
def windowed(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict, str]]:
    """A fit of weekly counts over windows (start, end, country)."""

    def go(*windows: tuple[str, str, str | None], more: str = "step = 7") -> tuple[int, dict, str]:
        text = WINDOWS.format(events=folder / "events.csv", more=more)
        for start, end, country in windows:
            text += f"[[windows]]\nstart = {start}\nend = {end}\n" + (f'country = "{country}"\n' if country else "")
        config = tmp_path / "run.toml"
        config.write_text(text, encoding="utf-8")
        return fitted(capsys, "--config", str(config), "--out", str(tmp_path / "out"))

    return go


Windowed = Callable[..., tuple[int, dict, str]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("2018-01-01", "2018-12-30", "Iran"), ("2018-01-01", "2018-12-30", "Iran")),
        (("2018-01-01", "2018-12-30", "Iran"), ("2018-12-24", "2019-12-30", "IR")),
        (("2018-01-01", "2018-12-30", None), ("2018-06-01", "2018-12-30", "Iran")),
    ],
)
def test_windows_that_would_count_an_event_twice_are_refused(
    first: tuple[str, str, str | None], second: tuple[str, str, str | None], windowed: Windowed
) -> None:
    code, _, err = windowed(first, second)
    assert code == 2
    assert "would count twice" in err
    assert f"window 1 ({first[0]} to" in err


def test_the_same_days_of_two_countries_are_two_windows(windowed: Windowed) -> None:
    code, result, _ = windowed(("2018-01-01", "2018-12-30", "Iran"), ("2018-01-01", "2018-12-30", "Iraq"))
    assert code == 0
    assert result["windows"][1]["events"] == 20


def test_an_event_is_left_out_only_if_no_window_used_it(folder: Path, tmp_path: Path, windowed: Windowed) -> None:
    with (folder / "events.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    both = (("2018-01-01", "2018-06-03", "Iran"), ("2019-07-01", "2019-12-29", "Iran"))
    code, result, _ = windowed(*both)
    assert code == 0
    inside = [any(a <= row["date"] <= b for a, b, _ in both) for row in rows]
    iran = [row["country"] == "Iran" for row in rows]
    assert result["events"] == sum(a and b for a, b in zip(inside, iran, strict=True))
    assert result["events"] + result["left_out"] == sum(iran)
    with (tmp_path / "out" / "left_out.csv").open(encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == result["left_out"]
    assert all(line["reason"].count("lies outside the window") == 2 for line in listed)
    # an event of a country that one window asks for is that window's alone to use
    result = windowed(("2018-01-01", "2018-06-03", "Iran"), ("2018-01-01", "2018-12-30", "Iraq"))[1]
    used = sum(row["country"] == "Iran" and row["date"] <= "2018-06-03" for row in rows) + 20
    assert result["events"] == used
    assert result["left_out"] == len(rows) - used


def test_a_window_beyond_the_file_is_told(
    folder: Path, windowed: Windowed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = windowed(("2016-01-01", "2018-12-30", "Iran"), ("2019-01-07", "2020-06-05", "Iran"))[1]
    early, late = (note for note in result["notes"] if note.startswith("The window"))
    assert "days before the first event of events.csv" in early
    assert "these days count as days without events" in early
    assert "days after the last event of events.csv" in late
    assert json.loads((tmp_path / "out" / "result.json").read_text())["notes"] == result["notes"]
    for end, expected in (("2019-12-29", 0), ("2020-12-29", 1)):
        arguments = ["endemic-epidemic", str(folder / "events.csv"), "--without", "between", "--step", "7"]
        assert cli.main(["fit", *arguments, "--start", "2018-01-08", "--end", end]) == 0
        assert capsys.readouterr().err.count("these days count as days without events") == expected
