"""`simulate --scenario`, `--save-after`, `--resume`, `--record`: none of it alters a run, and errors write nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from groundswell.cli import main as cli
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import load, run
from groundswell.models.agents.scenarios import SCENARIOS
from groundswell.rng import generator

Run = Callable[..., tuple[int, str, str]]

LIVELY = "--set rows=14 --set columns=16 --set vision_cells=1.7 --set legitimacy=0.6 --set officer_density=0.1"
GROUPS = "--set rows=12 --set columns=13 --set legitimacy=0.7 --set max_age=20"
both = pytest.mark.parametrize(("model", "values"), [("civil-violence", LIVELY), ("intergroup-violence", GROUPS)])


@pytest.fixture
def go(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)

    def run_it(line: str) -> tuple[int, str, str]:
        code = cli.main(["simulate", *shlex.split(line)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_it


def rows(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()


@both
def test_two_halves_are_the_whole(model: str, values: str, go: Run) -> None:
    assert go(f"{model} {values} --days 20 --seed 3 --out whole")[0] == 0
    code, out, _ = go(f"{model} {values} --days 8 --seed 3 --save-after 0 --save-after 8 --out first")
    assert code == 0
    assert "wrote first/step-0.npz\nwrote first/step-8.npz" in out
    code, out, _ = go(f"{model} --resume first/step-8.npz --days 12 --out second")
    assert code == 0
    assert f"{model}, step 8 of first/step-8.npz and on" in out
    assert rows("first/history.csv") + rows("second/history.csv")[1:] == rows("whole/history.csv")
    assert go(f"{model} --resume first/step-0.npz --days 20 --seed 99 --out again")[0] == 0
    assert rows("again/history.csv") == rows("whole/history.csv")


@both
@pytest.mark.parametrize("what", ["totals", "frames", "agents"])
def test_saving_recording_and_showing_change_nothing(model: str, values: str, what: str, go: Run) -> None:
    assert go(f"{model} {values} --days 9 --seed 3 --out plain")[0] == 0
    line = f"{model} {values} --days 9 --seed 3 --record {what} --save-after 4 --show --animation none"
    code, out, _ = go(line)
    assert code == 0
    folder = Path("out") / f"{model.replace('-', '_')}-seed-3"
    assert f"wrote {folder}/record.parquet" in out
    assert rows(f"{folder}/history.csv") == rows("plain/history.csv")
    recorded = pq.read_table(folder / "record.parquet")
    assert recorded["step"][-1].as_py() == 9
    if what == "totals":
        series = [name for name in recorded.column_names if name != "step"]
        assert rows("plain/history.csv")[0] == ",".join(["place", "date", *series])
        assert [float(value) for value in rows("plain/history.csv")[5].split(",")[2:]] == [
            recorded[name][4].as_py() for name in series
        ]
    assert go(line)[1] == out


def test_agents_are_recorded_by_number(go: Run) -> None:
    assert go(f"civil-violence {LIVELY} --days 5 --record agents --agents 3-5,170 --out some")[0] == 0
    found = pq.read_table("some/record.parquet")
    assert found["agent"].to_pylist() == [3, 4, 5, 170] * 6
    assert found["step"].to_pylist() == sorted([0, 1, 2, 3, 4, 5] * 4)


def test_a_named_scenario_is_set_beside_the_run_without_it(go: Run) -> None:
    code, out, _ = go("civil-violence --scenario legitimacy-dropping --days 90 --seed 5 --out out --json")
    assert code == 0
    found = json.loads(out)
    scenario = SCENARIOS["legitimacy_dropping"]
    calm = run(scenario.without.populate(rng=generator(5)), 76)
    expected = [run(crowd, 14).series for crowd in (scenario.change(calm.crowd), calm.crowd)]
    for path, series in zip(("out/history.csv", "out/without/history.csv"), expected, strict=True):
        shown = np.array([line.split(",")[2:] for line in rows(path)[1:]], dtype=float)
        np.testing.assert_array_equal(shown[76:].T, list(series.values()))
        np.testing.assert_array_equal(shown[:76].T, list(calm.series.values()))
    told = found["scenario"]
    assert (told["after"], told["differs_from"]) == (76, 77)
    active = next(row for row in told["totals"] if row["series"] == "active")
    assert active["difference"] == pytest.approx(expected[0]["active"].sum() / 90)
    assert told["starts_without"]["steps"] == []
    assert {"out/scenario.csv", "out/scenario.svg", "out/without/history.csv"} <= set(found["files"])
    assert Path("out/scenario.svg").read_text(encoding="utf-8").startswith("<svg")
    words = go("civil-violence --scenario legitimacy_dropping --days 90 --seed 5")[1]
    assert "beside the run without it, with the same luck: the first step that differs is 77." in words
    assert "Without it 0 outbursts started." in words
    assert "wrote" not in words


@both
def test_a_branch_from_a_file_is_the_whole_run_changed_on_the_way(model: str, values: str, go: Run) -> None:
    change = "--scenario legitimacy=0.5,max_jail_term=2"
    assert go(f"{model} {values} --days 20 --seed 3 {change} --after 8 --save-after 20 --out whole")[0] == 0
    assert go(f"{model} {values} --days 8 --seed 3 --save-after 8 --out first")[0] == 0
    assert go(f"{model} --resume first/step-8.npz --days 12 {change} --save-after 20 --out branch")[0] == 0
    for part in ("", "without/"):
        assert rows(f"whole/{part}history.csv")[9:] == rows(f"branch/{part}history.csv")[1:]
    assert (
        go(f"{model} --resume first/step-8.npz --days 12 --set legitimacy=0.5 --set max_jail_term=2 --out set")[0] == 0
    )
    assert rows("set/history.csv") == rows("branch/history.csv")
    assert rows("whole/history.csv") != rows("whole/without/history.csv")
    assert Path("whole/step-20.npz").read_bytes() == Path("branch/step-20.npz").read_bytes()


def test_peacekeepers_arrive(go: Run) -> None:
    code, out, _ = go("intergroup-violence --scenario peacekeepers --days 20 --show --animation none --json")
    assert code == 0
    found = json.loads(out)
    assert (found["scenario"]["after"], found["scenario"]["differs_from"]) == (10, 11)
    arrests = next(row for row in found["scenario"]["totals"] if row["series"] == "arrests")
    assert arrests["mean with"] > 0 == arrests["mean without"]
    assert {"replay.html", "without/replay.html"} <= {
        Path(file).relative_to("out/intergroup_violence-seed-1").as_posix() for file in found["files"]
    }
    page = Path("out/intergroup_violence-seed-1/replay.html").read_text(encoding="utf-8")
    assert "groundswell simulate intergroup-violence --days 20 --scenario peacekeepers --seed 1 --show" in page


def test_the_configuration_of_a_scenario_repeats_it(go: Run) -> None:
    code, first, _ = go(f"civil-violence {LIVELY} --days 9 --scenario ratio=raw --after 3 --save-after 5 --out out")
    assert code == 0
    before = Path("out/step-5.npz").read_bytes()
    assert load("out/step-5.npz").model == CivilViolence(
        rows=14, columns=16, vision_cells=1.7, legitimacy=0.6, officer_density=0.1, ratio="raw"
    )  # fmt: skip
    assert go("--config out/configuration.toml --out out")[:2] == (0, first)
    assert Path("out/step-5.npz").read_bytes() == before


def test_a_run_on_a_network_is_stopped_and_branched_too(go: Run) -> None:
    line = "civil-violence --preset small-world --set ties.network.nodes=200 --set ties.network.neighbours=10"
    change = "--scenario legitimacy=0.6 --record agents"
    assert go(f"{line} --days 12 --seed 3 {change} --after 5 --out whole")[0] == 0
    assert go(f"{line} --days 5 --seed 3 --save-after 5 --show --animation none --out first")[0] == 0
    assert go(f"civil-violence --resume first/step-5.npz --days 7 {change} --out branch")[0] == 0
    for part in ("", "without/"):
        assert rows(f"whole/{part}history.csv")[6:] == rows(f"branch/{part}history.csv")[1:]
    whole, branch = (pq.read_table(f"{name}/record.parquet").to_pylist() for name in ("whole", "branch"))
    assert "node" in whole[0]
    assert [row for row in whole if row["step"] > 5] == [row for row in branch if row["step"] > 5]


def test_threads_change_nothing(go: Run) -> None:
    line = f"civil-violence {LIVELY} --set activation=tiles --days 9 --scenario officers-withdrawn --after 3"
    assert go(f"{line} --threads 2")[1] == go(line)[1]


SAVED = f"civil-violence {LIVELY} --days 8 --save-after 8 --out kept"


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("civil-violence --resume cut.npz", 3, "no saved crowd, or a damaged one"),
        ("civil-violence --resume broken.npz", 3, "damaged"),
        ("civil-violence --resume text.npz", 3, "it is no .npz file"),
        ("civil-violence --resume newer.npz", 3, "has format 99; this version reads format 1"),
        ("civil-violence --resume none.npz", 3, "does not exist"),
        ("intergroup-violence --resume kept/step-8.npz", 3, "saved by another model (Crowd); expected Peoples"),
        ("mobilisation --resume kept/step-8.npz", 2, "mobilisation is none"),
        ("mobilisation --scenario keep=0.3", 2, "mobilisation is none"),
        ("civil-violence --resume kept/step-8.npz --preset mesa", 2, "--preset mesa begins a run"),
        ("civil-violence --resume kept/step-8.npz --set rows=15", 2, "says how a run begins"),
        ("civil-violence --scenario officer_density=0.02", 2, "says how a run begins"),
        ("civil-violence --resume kept/step-8.npz --save-after 7", 2, "goes from step 8 to 128"),
        ("civil-violence --resume kept/step-8.npz --scenario ratio=raw --after 7", 2, "goes from step 8 to 128"),
        ("civil-violence --save-after 121", 2, "goes from step 0 to 120"),
        ("civil-violence --scenario legitimacy-dropping --days 76", 2, "sets in after step 76"),
        ("civil-violence --scenario legitimacy-droping", 2, 'Nearest name: "legitimacy_dropping"'),
        ("civil-violence --scenario legitimcy=0.7", 2, '"legitimacy"'),
        ("civil-violence --scenario ratio=floor", 2, "changes nothing of this run"),
        ("civil-violence --after 3", 2, "give --scenario as well"),
        ("civil-violence --agents 3", 2, "give --record agents as well"),
        ("civil-violence --record agents --agents 5-3", 2, "write it as 0-99,150"),
        ("civil-violence --record agents --agents 5000", 2, "from 0 to 1183"),
        ("civil-violence --record everything", 2, "'totals'"),
        ("civil-violence --record totals --country IR", 2, "expected one"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(line: str, code: int, words: str, go: Run) -> None:
    assert go(SAVED)[0] == 0
    whole = Path("kept/step-8.npz").read_bytes()
    Path("cut.npz").write_bytes(whole[: len(whole) // 2])
    broken = bytearray(whole)
    broken[len(whole) // 3] ^= 0xFF
    Path("broken.npz").write_bytes(broken)
    Path("text.npz").write_text("step,active\n1,2\n", encoding="utf-8")
    np.savez("newer.npz", format=99)
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    found, out, err = go(f"{line} --out kept")
    assert (found, out) == (code, "")
    assert words in err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
