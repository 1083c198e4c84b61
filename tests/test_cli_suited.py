"""`fit` and `forecast` suit a model of the library to the events: season, neighbours, parts that no events inform."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_events import events_file

from groundswell.cli import main as cli
from groundswell.cli.suited import suited
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.models.cities.endemic_epidemic import EndemicEpidemic
from groundswell.models.cities.weights import DistancePowerLaw, Everywhere, PowerLaw

Fitted = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return events_file(tmp_path_factory.mktemp("suited") / "events.csv", 60)


@pytest.fixture
def fitted(capsys: pytest.CaptureFixture[str]) -> Fitted:
    def go(*arguments: Any, command: str = "fit") -> tuple[int, dict[str, Any]]:
        code = cli.main([command, *(str(a) for a in arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return go


def window(days: int, step: int = 1, places: int = 3, start: date = date(2020, 1, 1)) -> tuple[Setting, History]:
    north = np.linspace(30.0, 33.0, places)
    where = Places(tuple(f"P{i}" for i in range(places)), np.full(places, 1e5), north, north)
    setting = Setting(where, Window(start, days // step, step))
    return setting, History(where, setting.window, {"events": np.ones(setting.shape)})


def season(*windows: tuple[Setting, History], **more: Any) -> tuple[list[str], float | None, tuple[str, ...]]:
    settings, histories = zip(*windows, strict=True)
    model, said = suited(EndemicEpidemic.example()[0], settings, histories, **more)
    return list(model.endemic.effects), model.endemic.period, said


@pytest.mark.parametrize("step", [1, 7, 28])
def test_a_year_is_a_year_whatever_the_step(step: int) -> None:
    effects, period, said = season(window(4 * 364, step))
    assert effects == ["sin1", "cos1"]
    assert period == pytest.approx(365.25 / step)
    assert "365.25 days" in said[0]


def test_a_record_shorter_than_three_years_has_no_season() -> None:
    effects, _, said = season(window(1000))
    assert effects == []
    assert "left out: the windows cover 1000 days" in said[0]
    # windows of different countries over the same days do not make a longer record
    assert season(window(600), window(600))[0] == []
    later = date(2020, 1, 1).replace(year=2022)
    assert season(window(600), window(600, start=later))[0] == ["sin1", "cos1"]


def test_windows_that_begin_in_different_seasons_have_none() -> None:
    effects, _, said = season(window(600), window(600, start=date(2022, 5, 1)))
    assert effects == []
    assert "different times of the year" in said[0]
    assert season(window(600, start=date(2019, 12, 31)), window(600, start=date(2022, 1, 1)))[0] == ["sin1", "cos1"]


def test_what_is_stated_is_kept() -> None:
    effects, period, said = season(window(100), stated={"endemic": {"effects": ["sin1"], "period": 7}})
    assert effects == ["sin1", "cos1"]
    assert period == 52, "the model as it was built, whatever was stated"
    assert not any("Beware" in line for line in said)
    effects, period, said = season(window(100), stated={"endemic": {"effects": ["sin1", "cos1"]}})
    assert (effects, period) == (["sin1", "cos1"], 365.25)
    assert "Beware: the windows cover 100 days" in said[0]
    assert season(window(100), named={"endemic.effects.sin1"})[0] == ["sin1", "cos1"]


def between(places: int, **more: Any) -> tuple[Any, str]:
    setting, history = window(100, places=places)
    model, said = suited(EndemicEpidemic.example()[0], [setting], [history], **more)
    return None if model.between is None else model.between.weights, said[-1]


def test_weights_without_known_neighbours() -> None:
    weights, said = between(3)
    assert weights == DistancePowerLaw(2.0)
    assert "--neighbours-km" in said
    assert between(2)[0] == Everywhere()
    weights, said = between(1)
    assert weights is None
    assert "one place" in said
    assert between(3, fitted=False)[0] == DistancePowerLaw(2.0)


def test_a_daily_fit_needs_no_flag_and_says_what_it_did(events: Path, tmp_path: Path, fitted: Fitted) -> None:
    code, result = fitted("endemic-epidemic", events, "--out", tmp_path)
    assert code == 0
    names = [row["parameter"] for row in result["parameters"]]
    assert not any("sin" in name for name in names)
    assert "between.weights.decay" in names
    notes = " ".join(result["notes"])
    assert "left out: the windows cover 60 days" in notes
    assert "DistancePowerLaw weights instead of PowerLaw" in notes
    assert json.loads((tmp_path / "result.json").read_text())["notes"] == result["notes"]
    again = fitted("--config", tmp_path / "configuration.toml")[1]
    assert again["parameters"] == result["parameters"]


def test_neighbours_keep_the_weights_by_order(events: Path, fitted: Fitted) -> None:
    notes = " ".join(fitted("endemic-epidemic", events, "--neighbours-km", "200")[1]["notes"])
    assert "No neighbours are known" not in notes


def test_stated_weights_that_need_neighbours_are_refused_with_the_flags(
    events: Path, tmp_path: Path, fitted: Fitted
) -> None:
    config = tmp_path / "run.toml"
    config.write_text('[components.between]\nweights = "FirstOrder"\n')
    code, result = fitted("endemic-epidemic", events, "--config", config)
    assert code == 2
    for remedy in ("--neighbours-km 200", "--without between"):
        assert remedy in result["error"]


def test_mobilisation_names_the_parts_to_leave_out_as_flags(events: Path, fitted: Fitted) -> None:
    code, result = fitted("mobilisation", events)
    assert code == 2
    flags = "--without organised --without groups --without deterrence --without backlash"
    assert f"Leave them out: {flags}." in result["error"]
    assert "None" not in result["error"]
    held = ("between.reach.scale_km=50", "arrests.per_event=8", "arrests.overdispersion=2", "arrests.memory=.8",
            "crowds.median=150", "crowds.spread=1", "warnings_per_arrest=1")  # fmt: skip
    fixed = [flag for name in held for flag in ("--fix", name)]
    assert fitted("mobilisation", events, *flags.split(), "--without", "call", *fixed)[0] in (0, 4)


def test_forecast_by_name_is_suited_too(events: Path, fitted: Fitted) -> None:
    code, result = fitted(events, "--model", "endemic-epidemic", "--ahead", 2, "--draws", 20, command="forecast")
    assert code == 0
    assert "DistancePowerLaw weights instead of PowerLaw" in " ".join(result["notes"])
    assert PowerLaw.__name__ in " ".join(result["notes"])
