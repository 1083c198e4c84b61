"""`fit` from a TOML file: components stated as tables, covariates, events abroad, several windows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from groundswell.cli import main as cli
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
