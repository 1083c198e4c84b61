"""Real files of single events by the commands a new user would give: what is read, said, found, and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from groundswell.cli import main as cli

Run = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: Any) -> tuple[int, dict[str, Any], str]:
        code = cli.main([*map(str, arguments), "--json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return go


@pytest.fixture(scope="module")
def floyd(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The localities of 2020 as a standard table."""
    path = tmp_path_factory.mktemp("floyd") / "floyd.csv"
    arguments = ["data", "convert", reference / "floyd_protests_2020", "--recipe", "floyd", "--out", path, "--json"]
    assert cli.main([*map(str, arguments)]) == 0
    return path


def estimates(result: dict[str, Any]) -> dict[str, float]:
    return {row["parameter"]: row["estimate"] for row in result["parameters"]}


def test_the_localities_of_2020_by_day(run: Run, floyd: Path) -> None:
    """Six days of dates alone, while the wave rises: more than one later event for each."""
    window = ("--country", "US", "--start", "2020-05-26", "--end", "2020-05-31")
    held = ("--fix", "reach.scale_km=500", "--fix", "delay.decay=2", "--fix", "population.scale=0.15")
    code, result, err = run("fit", "self-exciting", floyd, *window, *held)
    assert code == 0
    assert "counts by day and place are weighed (by_step)" in err
    assert (result["events"], result["left_out"]) == (441, 499)
    assert estimates(result)["branching_ratio"] == pytest.approx(1.379, abs=0.01)


@pytest.mark.slow
def test_the_report_on_the_localities_of_2020(run: Run, floyd: Path, tmp_path: Path) -> None:
    code, result, _ = run("fit", "self-exciting", floyd, "--country", "US", "--report", "--out", tmp_path)
    assert code == 0
    assert result["events"] == 855
    assert estimates(result)["branching_ratio"] == pytest.approx(0.930, abs=0.005)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "855 events in 651 places, 2020-05-26 to 2020-06-19; 85 left out" in text
    assert "By AIC the moving background is the better description of these events." in text
    assert "Dates without times of day cannot show that" in text


def test_organised_violence_in_syria(run: Run, reference: Path) -> None:
    path = reference / "ucdp_ged_sample" / "ged_sample_1000.csv.gz"
    held = ("--fix", "reach.scale_km=280", "--fix", "delay.decay=0.0134")
    code, result, err = run("fit", "self-exciting", path, "--country", "Syria", "--step", "28", *held)
    assert code == 0
    assert "counts by place and steps of 28 days are weighed" in err
    assert estimates(result)["branching_ratio"] == pytest.approx(0.83, abs=0.05)
    by_day = run(
        "fit", "self-exciting", path, "--country", "Syria", "--start", "2014-01-01", "--end", "2014-12-31", *held
    )
    assert by_day[1]["left_out"] > result["left_out"]  # events dated to a week or a month have no day


@pytest.mark.filterwarnings("default:3 of 4288 events have the position of another")
def test_earthquakes_of_iran(run: Run, reference: Path, tmp_path: Path) -> None:
    """Times to a hundredth of a second, positions, a magnitude; the outline of the country leaves out a quarter."""
    path = reference / "etas_quakes" / "iran_quakes.csv.gz"
    code, result, err = run("fit", "space-time", path, "--country", "Iran", "--mark", "mag", "--out", tmp_path)
    assert code == 0
    assert (result["events"], result["left_out"]) == (4288, 1682)
    assert "random moment" not in err
    assert "warning: 3 of 4288 events have the position of another" in err
    assert "The mark mag enters less its mean of 4.47." in err
    found = estimates(result)
    assert found["offspring.effects.mag"] == pytest.approx(1.078, abs=0.01)
    assert found["offspring.reach.scale_km"] == pytest.approx(8.93, abs=0.05)
    assert found["offspring.delay.decay"] == pytest.approx(0.268, abs=0.005)
    reasons = (tmp_path / "left_out.csv").read_text(encoding="utf-8").count("its position lies outside the region")
    assert reasons == 1682


def test_earthquakes_by_etas(run: Run, reference: Path) -> None:
    path = reference / "etas_quakes" / "iran_quakes.csv.gz"
    window = ("--country", "Iran", "--start", "2000-01-01", "--end", "2003-12-31")
    code, result, err = run("fit", "etas", path, *window, "--mark", "mag", "--fix", "triggering.gamma=0")
    assert code == 0
    assert "rounds of declustering" in result["status"]
    assert "Events count from mag 4 on" in err
    assert 0.5 < estimates(result)["triggering.alpha"] < 2.5
