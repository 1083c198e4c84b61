"""`simulate` and `models show`: presets, rules by name, and what a run says of itself."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.cli import main as cli
from groundswell.cli import progress
from groundswell.cli.common import assigned
from groundswell.cli.model_given import ModelConfiguration
from groundswell.errors import ParameterError, UsageError
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import outbursts, run
from groundswell.models.agents.networks import GraphFile, RandomGraph, SmallWorld
from groundswell.models.agents.thresholds import Thresholds
from groundswell.models.library import LIBRARY
from groundswell.params import Component
from groundswell.rng import generator

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def go(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_it


def built(model: str, **given: Any) -> Any:
    return ModelConfiguration(model=model, **given).build()[0]


def test_presets_are_what_the_library_calls_them() -> None:
    assert built("civil-violence", preset="netlogo") == CivilViolence.netlogo()
    assert built("civil-violence", preset="mesa") == CivilViolence.mesa()
    assert built("civil-violence", preset="paper") == CivilViolence.paper_run(2)
    assert built("civil-violence", preset="paper-deception") == CivilViolence.paper_run(1)
    assert built("thresholds", preset="granovetter").fixed_point() == 100
    assert built("thresholds", preset="granovetter-one-changed").fixed_point() == 1


@pytest.mark.parametrize("name", LIBRARY)
def test_every_preset_is_a_model_of_its_kind(name: str) -> None:
    kind = LIBRARY[name].load()
    for key, preset in kind.presets().items():
        assert isinstance(preset, kind)
        assert key.replace("_", "").isalnum()
        assert built(name, preset=key) == preset


def test_a_preset_comes_first_and_what_is_set_wins() -> None:
    found = built("civil-violence", preset="mesa", set={"legitimacy": 0.6, "ratio": "raw", "rows": 50.0})
    assert found == CivilViolence.mesa(legitimacy=0.6, ratio="raw", rows=50)
    mobilisation = built("mobilisation", set={"between.reach": "Exponential", "keep": 0.4, "pulse": False})
    assert type(mobilisation.between.reach).__name__ == "Exponential"
    assert (mobilisation.keep, mobilisation.pulse) == (0.4, None)


def test_whole_numbers_of_a_component_are_set_by_name_and_so_is_its_kind() -> None:
    assert built("cascade", set={"network.nodes": 500.0, "network.mean_degree": 5.0}).network == RandomGraph(500, 5.0)
    kind = {"network.kind": "SmallWorld", "network.nodes": 60.0, "network.neighbours": 3.0, "network.rewiring": 0.3}
    assert built("cascade", set=kind).network == SmallWorld(60, 3, 0.3)
    for name, words in (("network.node", 'no parameter "node"'), ("netwrk.nodes", 'no parameter "netwrk.nodes"')):
        with pytest.raises(ParameterError, match=words):
            built("cascade", set={name: 5.0})
    with pytest.raises(UsageError, match=r"network.nodes is 50.5; expected a whole number"):
        built("cascade", set={"network.nodes": 50.5})


def test_what_is_assigned_is_a_number_a_truth_or_a_text() -> None:
    assert assigned(["a=1e-3", "b = raw", "c=true", "d=false", "e.f=-2"]) == {
        "a": 0.001, "b": "raw", "c": True, "d": False, "e.f": -2.0
    }  # fmt: skip
    assert assigned(None) is None
    for wrong in ("a", "a=", "=1", " = "):
        with pytest.raises(UsageError, match="no assignment"):
            assigned([wrong])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["civil-violence", "--preset", "meza"], 'Nearest name: "mesa"'),
        (["mobilisation", "--preset", "mesa"], "It has none"),
        (["civil-violence", "--set", "ratio=rwa"], '"raw"'),
        (["civil-violence", "--set", "ration=raw"], '"ratio"'),
        (["civil-violence", "--set", "legitimacy=high"], "no assignment of a number"),
        (["civil-violence", "--set", "rows=40.5"], "whole number"),
        (["civil-violence", "--set", "rows=many"], "whole number"),
        (["civil-violence", "--set", "legitimcy=.5"], '"legitimacy"'),
    ],
)
def test_a_wrong_rule_or_preset_is_refused_in_words(arguments: list[str], words: str, go: Run) -> None:
    code, out, err = go("simulate", *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_the_configuration_of_a_run_repeats_its_rules(go: Run, tmp_path: Path) -> None:
    arguments = ["civil-violence", "--preset", "mesa", "--set", "ratio=raw", "--set", "rows=20", "--days", "9"]
    code, first, _ = go("simulate", *arguments, "--out", str(tmp_path))
    assert code == 0
    path = tmp_path / "configuration.toml"
    assert tomllib.loads(path.read_text(encoding="utf-8"))["set"] == {"ratio": "raw", "rows": 20.0}
    code, again, _ = go("simulate", "--config", str(path), "--out", str(tmp_path))
    assert (code, again) == (0, first)


def test_a_run_says_when_outbursts_start(go: Run) -> None:
    code, out, _ = go("simulate", "civil-violence", "--days", "120", "--seed", "3", "--json")
    assert code == 0
    found = json.loads(out)
    active = run(CivilViolence.netlogo().populate(rng=generator(3)), 120).series["active"]
    starts = (outbursts(active) + 1).tolist()
    assert found["starts"]["what"] == "outburst"
    assert found["starts"]["steps"] == starts
    assert found["starts"]["mean_waiting_time"] == pytest.approx((starts[-1] - starts[0]) / (len(starts) - 1))
    (totals,) = (row for row in found["totals"] if row["series"] == "active")
    assert totals["mean"] == pytest.approx(active.mean())
    assert totals["step"] == active.argmax() + 1
    assert (
        f"{len(starts)} outbursts started; mean waiting time"
        in go("simulate", "civil-violence", "--days", "120", "--seed", "3")[1]
    )
    assert go("simulate", "thresholds", "--json")[1].count('"starts": null') == 1


def test_a_run_on_a_network_is_shown_by_number_and_counted_by_its_own_level(go: Run, tmp_path: Path) -> None:
    ties = tmp_path / "ties.csv"
    ties.write_text("source,target\n" + "".join(f"{i},{(i + k) % 70}\n" for i in range(70) for k in (1, 2, 3)))
    arguments = [
        "--preset",
        "small-world",
        "--set",
        "ties.network.kind=GraphFile",
        "--set",
        f"ties.network.path={ties}",
    ]
    arguments += ["--set", "officer_density=.3", "--days", "60", "--seed", "3"]
    code, out, _ = go("simulate", "civil-violence", *arguments, "--show", "--out", str(tmp_path / "out"), "--json")
    assert code == 0
    found = json.loads(out)
    model = CivilViolence.among(GraphFile(str(ties)), officer_density=0.3)
    assert model.outburst_above == 70 / 32
    active = run(model.populate(rng=generator(3)), 60).series["active"]
    assert found["totals"][0]["total"] == active.sum()
    assert found["starts"]["steps"] == (outbursts(active, 70 / 32) + 1).tolist()
    assert len(found["starts"]["steps"]) > 0
    page = (tmp_path / "out" / "replay.html").read_text(encoding="utf-8")
    assert "One cell a node of the network" in page
    assert "The grid wraps around" not in page
    assert (tmp_path / "out" / "animation.gif").stat().st_size > 1000


def test_models_show_names_fields_alternatives_and_presets(go: Run) -> None:
    code, out, _ = go("models", "show", "civil-violence", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["fields"]["ratio"] == "floor (raw, round)"
    assert found["fields"]["rows"] == "40"
    assert found["presets"]["netlogo"] == {}
    mesa: Component = CivilViolence.mesa()
    assert set(found["presets"]["mesa"]) == {
        name for name in CivilViolence.__dataclass_fields__ if hasattr(CivilViolence.netlogo(), name)
        and getattr(mesa, name) != getattr(CivilViolence.netlogo(), name)
    }  # fmt: skip
    words = go("models", "show", "thresholds")[1]
    assert "--preset granovetter: distribution Uniform(low=0.0, high=99.0), rule floor" in words
    assert "rule sampled (continuous, floor, round, ceil)" in words
    assert max(map(len, words.splitlines())) < 400, "a hundred thresholds are not printed"
    assert len(Thresholds.presets()) == 2


def test_a_run_that_takes_long_says_so_and_a_short_one_does_not(go: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("simulate", "thresholds", "--seed", "1", "--json")
    code, _, told = go(*asked)
    assert (code, told) == (0, "")

    def slow(self: Thresholds, setting: Any, **more: Any) -> Any:
        time.sleep(0.2)
        return drawn(self, setting, **more)

    drawn = Thresholds.simulate
    monkeypatch.setattr(Thresholds, "simulate", slow)
    monkeypatch.setattr(progress, "PATIENT_SECONDS", 0.01)
    code, out, told = go(*asked)
    assert code == 0
    assert told.count("compiles its loops, once") == 1
    assert json.loads(out)["model"] == "thresholds"
