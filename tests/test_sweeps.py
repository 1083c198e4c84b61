"""Sweeps: designs, pure tasks whatever the workers and whatever ended the work before, indices in closed form."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from toy_models import SETTING, Fragile, Plane

from groundswell.cli import main as cli
from groundswell.cli.sweep import _flat_ranges
from groundswell.data.summaries import Summaries
from groundswell.errors import DataError, GroundswellError, UsageError
from groundswell.models.library import LIBRARY, load
from groundswell.params import Prior, leaves
from groundswell.report.figures.sensitivity import sensitivity as picture
from groundswell.rng import generator, keyed
from groundswell.sweeps.designs import FromPrior, Grid, Latin, Listed, Range, Sobol
from groundswell.sweeps.folder import Folder, Run, Shard
from groundswell.sweeps.run import run_sweep
from groundswell.sweeps.sensitivity import partial_rank_correlations, sensitivity, sobol_indices
from groundswell.sweeps.sweep import RUN_KEY, Sweep
from groundswell.sweeps.tables import configurations_table, runs_table

UNIT = Range(0, 1)
ABC = {"a": UNIT, "b": UNIT, "c": UNIT}


def thresholds(**changes: Any) -> Sweep:
    model: Any
    model, setting = load("thresholds").example()
    axes = {"distribution.mean": Range(20, 30), "distribution.sd": Range(8, 20, "log")}
    stated: dict[str, Any] = {"model": model, "setting": setting, "design": Latin(axes, 5), "seeds": 3}
    stated["summaries"] = Summaries("last active", "mean active")
    return Sweep(**(stated | changes))


def plane(design: Any, seeds: int = 1, luck: float = 0.0) -> Sweep:
    return Sweep(Plane(luck=luck), SETTING, design, Summaries("mean value"), seeds)


def ran(sweep: Sweep, path: Path, **options: Any) -> Folder:
    folder = Folder.made(path, sweep)
    run_sweep(sweep, folder, **options)
    return folder


def files(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


# designs


def test_a_sobol_design_changes_one_coordinate_at_a_time() -> None:
    rows = Sobol(ABC, 8).configurations(generator(1)).reshape(8, 5, 3)
    first, second, mixed = rows[:, 0], rows[:, 1], rows[:, 2:]
    assert (first != second).all()
    for k in range(3):
        expected = first.copy()
        expected[:, k] = second[:, k]
        assert np.array_equal(mixed[:, k], expected)
    assert np.unique(np.floor(8 * first[:, 0])).size == 8


def test_a_latin_design_has_one_point_in_each_stratum() -> None:
    rows = Latin({"a": Range(2, 4), "b": Range(1, 100, "log")}, 20).configurations(generator(1))
    assert sorted(np.floor(10 * (rows[:, 0] - 2))) == list(range(20))
    assert sorted(np.floor(10 * np.log10(rows[:, 1]))) == list(range(20))


def test_stated_values_are_combined_or_listed() -> None:
    values = {"a": (0.1, 0.2), "b": (0.5, 0.6, 0.7)}
    grid = Grid(values).configurations(generator(1)).tolist()
    assert grid == [[0.1, 0.5], [0.1, 0.6], [0.1, 0.7], [0.2, 0.5], [0.2, 0.6], [0.2, 0.7]]
    assert Listed({"a": (0.1, 0.2), "b": (0.5, 0.6)}).configurations(generator(1)).tolist() == [[0.1, 0.5], [0.2, 0.6]]


def test_a_prior_may_be_the_range() -> None:
    leaf = replace(leaves(Plane())[0], prior=Prior(0.3, 0.8))
    values = Latin({"a": FromPrior(leaf)}, 400).configurations(generator(1))[:, 0]
    z = np.log(values / (1 - values))
    assert z.mean() == pytest.approx(math.log(0.3 / 0.7), abs=0.01)
    assert z.std() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Range(1, 1), "the lower first"),
        (lambda: Range(0, 1, "log"), "above 0"),
        (lambda: Sobol(ABC, 12), "power of 2"),
        (lambda: Latin(ABC, 1), "2 points or more"),
        (lambda: Latin({}, 5), "2 points or more"),
        (lambda: Grid({"a": ()}), "has none"),
        (lambda: Listed({"a": (1.0,), "b": (1.0, 2.0)}), "as many for each"),
        (lambda: FromPrior(leaves(Plane())[3]), "luck has no prior"),
        (lambda: plane(Grid({"aa": (1.0,)})), 'no parameter here. Nearest name: "a"'),
        (lambda: plane(Latin(ABC, 5), seeds=0), "1 or more"),
        (lambda: plane(Grid({"a": tuple(np.linspace(0, 1, 1001))}), seeds=1000), "1,001,000 runs"),
        (lambda: Shard(4, 3), "from 1 to 3"),
        (lambda: Shard.parse("3"), "as in 3/50"),
        (lambda: Shard.parse("²/3"), "as in 3/50"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make()


# tasks


def test_workers_shards_and_order_change_no_byte(tmp_path: Path) -> None:
    sweep = thresholds()
    ran(sweep, tmp_path / "one")
    ran(sweep, tmp_path / "two", workers=2)
    for number in (3, 1, 2):
        ran(sweep, tmp_path / "shards", shard=Shard(number, 3))
    one = files(tmp_path / "one")
    assert len(one) == 16  # 15 runs and the manifest
    assert one == files(tmp_path / "two") == files(tmp_path / "shards")


def test_a_run_is_what_the_model_draws_from_the_seed(tmp_path: Path) -> None:
    sweep = thresholds()
    runs = runs_table(ran(sweep, tmp_path))
    for row in runs.rows():
        model = sweep.model.replacing({name: row[name] for name in sweep.design.names})
        history = model.simulate(sweep.setting, rng=keyed(sweep.seed, RUN_KEY, row["seed"]))
        assert row["last active"] == history["active"][0, -1]
        assert row["mean active"] == pytest.approx(history["active"].mean(), rel=1e-11)


def test_a_seed_is_the_same_luck_in_every_configuration(tmp_path: Path) -> None:
    runs = runs_table(ran(plane(Grid({"a": (0.0, 0.5)}), seeds=4, luck=1.0), tmp_path))
    value = np.array(runs["mean value"]).reshape(2, 4)
    assert value[1] - value[0] == pytest.approx(np.full(4, 1.5))
    assert np.unique(value[0]).size == 4


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 30))
def test_shards_share_out_all_runs(configurations: int, seeds: int, of: int) -> None:
    folder = Folder(Path("nowhere"), ("a",), ("mean value",), "list", configurations, seeds, 1, "")
    parts = [run for number in range(1, of + 1) for run in folder.runs(Shard(number, of))]
    assert sorted(parts, key=lambda run: (run.configuration, run.seed)) == folder.runs()
    assert len(folder.runs()) == configurations * seeds
    assert len({folder.file(run) for run in parts}) == len(parts)


def test_what_is_done_is_not_run_again_and_more_seeds_may_follow(tmp_path: Path) -> None:
    folder = ran(thresholds(), tmp_path)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "runs").rglob("*.json")}
    folder = ran(thresholds(seeds=5), tmp_path)
    assert folder.status().done == 25
    assert all(file.stat().st_mtime_ns == then for file, then in before.items())
    assert ran(thresholds(seeds=2), tmp_path).status().runs == 25


def test_another_sweep_is_refused(tmp_path: Path) -> None:
    ran(thresholds(), tmp_path)
    kept = files(tmp_path)
    model: Any
    model, setting = load("thresholds").example()
    for change, what in (
        ({"seed": 2}, "parameters, seed"),
        ({"model": replace(model, population=99)}, "model"),
        ({"setting": setting.during(5)}, "setting"),
        ({"summaries": Summaries("last active")}, "summaries"),
        ({"design": Listed({"distribution.mean": (20.0,)})}, "parameters"),
    ):
        with pytest.raises(UsageError, match=f"another sweep: {what} differ"):
            Folder.made(tmp_path, thresholds(**change))
    assert files(tmp_path) == kept


@pytest.mark.parametrize("name", LIBRARY)
def test_a_sweep_stays_the_same_when_it_has_run(name: str) -> None:
    """Settings keep distances and neighbourhoods that a run has computed; they are the same settings."""
    model, setting = load(name).example()
    first = leaves(model)[0]

    def identity() -> dict[str, str]:
        return Sweep(model, setting, Grid({first.name: (first.value,)}), Summaries("total events")).identity

    before = identity()
    model.simulate(setting, rng=generator(1))
    assert identity() == before


def test_damaged_files_are_found_and_written_again(tmp_path: Path) -> None:
    folder = ran(thresholds(), tmp_path)
    whole = files(tmp_path)
    paths = [folder.file(run) for run in folder.runs()]
    paths[0].write_text("")
    paths[1].write_bytes(paths[1].read_bytes()[:-30])
    paths[2].write_text(paths[2].read_text().replace('"seed": 2', '"seed": 1'))
    paths[3].write_bytes(paths[4].read_bytes())
    paths[5].write_text("[]")
    paths[6].unlink()
    status = folder.status()
    assert (status.done, status.missing, status.damaged) == (9, 6, 5)
    assert "6 missing, 5 of them damaged" in status.words()
    with pytest.raises(DataError, match="damaged"):
        folder.read(Run(0, 0))
    ran(thresholds(), tmp_path)
    assert files(tmp_path) == whole


def test_a_damaged_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no sweep"):
        Folder.opened(tmp_path)
    ran(thresholds(), tmp_path)
    manifest = tmp_path / "sweep.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 7'))
    with pytest.raises(DataError, match="format 7"):
        Folder.opened(tmp_path)
    manifest.write_text("{")
    with pytest.raises(DataError, match="Delete it"):
        Folder.opened(tmp_path)
    manifest.unlink()
    assert ran(thresholds(), tmp_path).status().done == 15


def test_a_failure_is_recorded_and_run_again_when_asked(tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    model = Fragile(mended=str(mended))
    sweep = Sweep(model, SETTING, Grid({"x": (0.2, 0.6, 0.8, 2.0)}), Summaries("mean value"), 2)
    status = ran(sweep, tmp_path / "out").status()
    assert (status.done, status.failed) == (2, 6)
    assert status.first_error == "configuration 1, seed 0: GroundswellError: x is 0.6."
    mended.touch()
    assert ran(sweep, tmp_path / "out").status().failed == 6
    folder = ran(sweep, tmp_path / "out", again=True)
    assert folder.status().failed == 2
    assert "ParameterError: Fragile.x is 2" in str(folder.status().first_error)
    runs = runs_table(folder)
    assert [value is None for value in runs["mean value"]] == [False] * 6 + [True] * 2
    assert runs["error"][:6] == [None] * 6


def test_progress_counts_what_was_done_before(tmp_path: Path) -> None:
    said: list[tuple[float, str]] = []
    ran(thresholds(), tmp_path, shard=Shard(1, 3))
    ran(thresholds(), tmp_path, progress=lambda share, words: said.append((share, words)))
    assert said[-1] == (1.0, "15 of 15 runs, 5 of them done before")


def test_ctrl_c_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "groundswell.cli.main", "sweep", "run", "thresholds", "--out", str(tmp_path)]
    config = tmp_path / "sweep.toml"
    config.write_text("configurations = 400\nseeds = 20\n[ranges]\ndistribution.sd = [8, 20]\n")
    running = subprocess.Popen([*command, "--config", str(config)], stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while len(list(tmp_path.rglob("0*.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    status = Folder.opened(tmp_path).status()
    assert 3 <= status.done < 8_000
    assert status.failed == status.damaged == 0
    assert list(tmp_path.rglob(".*")) == []


def test_a_killed_process_is_an_error_that_keeps_the_rest(tmp_path: Path) -> None:
    model = Fragile(kills=str(tmp_path / "killed"))
    sweep = Sweep(model, SETTING, Grid({"x": (0.1, 0.2, 0.9)}), Summaries("mean value"), 4)
    with pytest.raises(GroundswellError, match="the same command goes on"):
        ran(sweep, tmp_path / "out", workers=2)
    assert ran(sweep, tmp_path / "out", workers=2).status().done == 12
    assert files(tmp_path / "out") == files(ran(sweep, tmp_path / "here").path)


@pytest.mark.filterwarnings("ignore")  # those of the cluster's own packages
def test_a_cluster_survives_a_killed_worker(tmp_path: Path) -> None:
    """Nothing lost, nothing doubled."""
    distributed = pytest.importorskip("distributed")
    model = Fragile(kills=str(tmp_path / "killed"))
    sweep = Sweep(model, SETTING, Grid({"x": tuple(np.linspace(0, 1, 20))}), Summaries("mean value"), 3)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        folder = ran(sweep, tmp_path / "cluster", cluster=cluster.scheduler_address)
    assert (tmp_path / "killed").exists()
    assert folder.status().done == len(runs_table(folder)) == 60
    ran(sweep, tmp_path / "here")
    assert files(tmp_path / "cluster") == files(tmp_path / "here")


# indices


def ishigami(x: np.ndarray) -> np.ndarray:
    """Last axis: x1, x2, x3 in -pi..pi. First order .3139, .4424, 0; total .5576, .4424, .2437 (closed form)."""
    return np.sin(x[..., 0]) + 7 * np.sin(x[..., 1]) ** 2 + 0.1 * x[..., 2] ** 4 * np.sin(x[..., 0])


def test_indices_are_those_of_scipy_and_of_the_closed_form() -> None:
    axes = {name: Range(-math.pi, math.pi) for name in ("x", "y", "z")}
    f = ishigami(Sobol(axes, 2**14).configurations(generator(1)).reshape(-1, 5, 3))
    first, total = sobol_indices(f)
    assert first[0] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.01)
    assert total[0] == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.01)
    few = f[:64]
    given = {"f_A": few[None, :, 0], "f_B": few[None, :, 1], "f_AB": few[:, 2:].T[:, None, :]}
    theirs = stats.sobol_indices(func=given, n=64)  # type: ignore[arg-type]
    first, total = sobol_indices(few)
    assert total[0] == pytest.approx(theirs.total_order, rel=1e-12)
    assert first[0] == pytest.approx(theirs.first_order, abs=0.02)  # they centre by all columns, here by A and B


def test_weights_count_base_points() -> None:
    f = generator(1).standard_normal((10, 4))
    f -= f[:, :2].mean()
    counts = np.array([2, 0, 1, 1, 3, 0, 0, 1, 1, 1])
    first, total = sobol_indices(f, counts[None])
    f -= np.repeat(f, counts, axis=0)[:, :2].mean()  # the total, and the variance, know no middle
    assert total == pytest.approx(sobol_indices(np.repeat(f, counts, axis=0))[1])
    assert first.shape == (1, 2)


def test_partial_rank_correlation_is_that_of_residuals() -> None:
    rng = generator(3)
    x = rng.standard_normal((40, 3))
    y = np.exp(x[:, 0]) + x[:, 1] ** 3 + 0.3 * rng.standard_normal(40)
    ranks = np.column_stack([stats.rankdata(column) for column in (*x.T, y)])
    for k, found in enumerate(partial_rank_correlations(x, y)):
        others = np.column_stack([np.ones(40), np.delete(ranks[:, :3], k, axis=1)])
        left = [
            column - others @ np.linalg.lstsq(others, column, rcond=None)[0] for column in (ranks[:, k], ranks[:, 3])
        ]
        assert found == pytest.approx(np.vdot(*left) / math.sqrt(np.vdot(left[0], left[0]) * np.vdot(left[1], left[1])))
    assert np.isnan(partial_rank_correlations(x, np.ones(40))).all()
    assert np.isnan(partial_rank_correlations(x[:, [0, 0]], y)).all()


def test_a_sweep_of_a_plane_has_its_indices(tmp_path: Path) -> None:
    folder = ran(plane(Sobol(ABC, 64)), tmp_path / "sobol")
    found = sensitivity(folder, runs_table(folder))
    assert found["first"] == pytest.approx([0.9, 0.1, 0.0], abs=0.03)
    assert found["total"] == pytest.approx([0.9, 0.1, 0.0], abs=0.03)
    assert all(
        low <= at <= high for low, at, high in zip(found["total low"], found["total"], found["total high"], strict=True)
    )
    assert sensitivity(folder, runs_table(folder)) == found
    folder = ran(plane(Latin(ABC, 40), seeds=3, luck=0.5), tmp_path / "latin")
    found = sensitivity(folder, runs_table(folder))
    assert found["rank correlation"][0] > 0.9
    assert abs(found["rank correlation"][2]) < 0.4
    # Fisher's z: 40 configurations, 3 parameters
    at, low, high = (found[f"rank correlation{end}"][2] for end in ("", " low", " high"))
    assert np.arctanh([low, high]) == pytest.approx(
        np.arctanh(at) + 1.645 * math.sqrt(1.06 / 35) * np.array([-1, 1]), rel=1e-3
    )
    # luck is the same in every configuration: it moves all means alike
    assert found["luck"][0] == pytest.approx(0.25 / (0.25 + 10 / 12), abs=0.25)


def test_base_points_with_a_hole_are_left_out_whole(tmp_path: Path) -> None:
    folder = ran(plane(Sobol(ABC, 16)), tmp_path)
    folder.file(Run(7, 0)).unlink()
    found = sensitivity(folder, runs_table(folder))
    assert found["used"] == [15, 15, 15]
    for configuration in range(0, 60, 5):
        folder.file(Run(configuration, 0)).unlink(missing_ok=True)
    found = sensitivity(folder, runs_table(folder))
    assert found["used"] == [4, 4, 4]
    assert found["first"] == [None] * 3
    picture(found)


def test_means_are_over_the_seeds_that_have_the_number(tmp_path: Path) -> None:
    folder = ran(plane(Grid({"a": (0.0, 1.0)}), seeds=3, luck=1.0), tmp_path)
    runs = runs_table(folder)
    means = configurations_table(folder, runs)
    value = np.array(runs["mean value"]).reshape(2, 3)
    assert means["mean of mean value"] == pytest.approx(value.mean(axis=1))
    assert means["sd of mean value"] == pytest.approx(value.std(axis=1, ddof=1))
    assert means["seeds with mean value"] == [3, 3]


# commands

TOML = """
model = "thresholds"
design = "sobol"
configurations = 8
seeds = 2
summaries = ["last active", "peak_step active"]
[ranges]
distribution.mean = [20, 30]
distribution.sd = {low = 8, high = 20, scale = "log"}
"""

UNIFORM = "distribution = {low = {low = 0, high = 5}, high = [90, 99]}"


def test_the_commands_from_a_file_to_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = tmp_path / "sweep.toml", tmp_path / "out"
    config.write_text(TOML)
    assert cli.main(["sweep", "run", "--config", str(config), "--out", str(out), "--shard", "1/2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 32
    assert cli.main(["sweep", "status", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == 32
    assert cli.main(["sweep", "run", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == 64
    assert cli.main(["sweep", "table", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["status"]["done"] == 64
    assert {row["parameter"] for row in result["sensitivity"]} == {"distribution.mean", "distribution.sd"}
    wanted = {f"{name}.{end}" for name in ("runs", "configurations", "sensitivity") for end in ("csv", "parquet")}
    assert wanted | {"sensitivity.svg", "sweep.json", "configuration.toml"} <= set(os.listdir(out))
    assert cli.main(["sweep", "run", "--out", str(out), "--seed", "5"]) == 2
    assert "another sweep" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('model = "thresholds"\n[values]\nx = [1]\n', "takes [ranges]"),
        ('model = "thresholds"\ndesign = "grid"\n', "takes [values]"),
        ('model = "thresholds"\n[ranges]\n"distribution.men" = [1, 2]\n', 'Nearest names: "distribution.mean"'),
        ('model = "civil-violence"\n[ranges]\nlegitimacy = "prior"\n', "legitimacy has no prior"),
        ('model = "thresholds"\n[ranges]\ndistribution.sd = [1]\n', "ranges.distribution.sd"),
        ('model = "thresholds"\nsummaries = ["pek active"]\n[ranges]\ndistribution.sd = [1, 2]\n', '"peak"'),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str) -> None:
    config = tmp_path / "sweep.toml"
    config.write_text(text)
    assert cli.main(["sweep", "run", "--config", str(config), "--out", str(tmp_path / "out")]) == 2
    assert says in capsys.readouterr().err


def test_ranges_may_be_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    flags = ["--range", "distribution.mean=20:30", "--configurations", "9", "--seeds", "1", "--summary", "last active"]
    assert cli.main(["sweep", "run", "thresholds", *flags, "--out", str(out)]) == 0
    mean = np.array(runs_table(Folder.opened(out))["distribution.mean"])
    assert sorted(np.floor((mean - 20) / 10 * 9)) == list(range(9))
    assert cli.main(["sweep", "run", "thresholds", "--range", "keep", "--out", str(out)]) == 2
    assert "write it as" in capsys.readouterr().err


def test_parameters_may_be_called_low_and_high() -> None:
    assert _flat_ranges(tomllib.loads(UNIFORM)) == {
        "distribution.low": {"low": 0, "high": 5}, "distribution.high": [90, 99]
    }  # fmt: skip


def test_a_failed_run_is_exit_1_and_an_empty_folder_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "sweep.toml"
    config.write_text(
        'model = "civil-violence"\ndesign = "list"\ndays = 5\nseeds = 1\n[values]\nvision_cells = [7, 70]\n'
    )
    out = str(tmp_path / "out")
    assert cli.main(["sweep", "table", out]) == 3
    assert cli.main(["sweep", "run", "--config", str(config), "--out", out]) == 1
    assert "First failure: configuration 1, seed 0: ParameterError" in capsys.readouterr().out
    assert cli.main(["sweep", "run", "--config", str(config)]) == 2
