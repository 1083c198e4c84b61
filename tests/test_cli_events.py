"""`fit` of single events by the command line, from a table to a report: messages, files, refusals."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_events import events_file

from groundswell.cli import main as cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: Any) -> tuple[int, str, str]:
        code = cli.main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return go


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `simulate space-time --out` writes."""
    folder = tmp_path_factory.mktemp("simulated")
    assert cli.main(["simulate", "space-time", "--seed", "4", "--out", str(folder), "--json"]) == 0
    return folder


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def quakes(count: int = 60) -> list[dict[str, Any]]:
    """Made-up events around Shiraz."""
    return [
        {
            "date": f"2024-0{1 + k // 28}-{1 + k % 28:02d}",
            "time": f"{(7 * k) % 24:02d}:{(11 * k) % 60:02d}:05",
            "lat": 28.6 + (0.37 * k) % 1.8,
            "long": 51.6 + (0.53 * k) % 1.8,
            "mag": 4 + (0.31 * k) % 1.5,
            "what": "march" if k % 3 else "strike",
        }
        for k in range(count)
    ]


def estimates(out: str) -> dict[str, float]:
    return {row["parameter"]: row["estimate"] for row in json.loads(out)["parameters"]}


def test_simulated_points_are_fitted_by_their_areas(run: Run, simulated: Path) -> None:
    region = simulated / "region.geojson"
    code, out, err = run(
        "fit", "space-time", simulated / "events.csv", "--region", region, "--areas", "place", "--json"
    )
    assert code == 0
    assert "0 left out" in err
    assert "The region consists of 2 areas, as its outlines name them." in err
    assert "random moment" not in err
    found = estimates(out)
    assert abs(found["offspring.intercept"] + 0.7) < 0.4  # the truths of the example
    assert abs(found["endemic.intercept"] + 13.5) < 0.4
    assert abs(found["offspring.reach.scale_km"] - 12) < 5
    code, out, err = run("fit", "space-time", simulated / "events.csv", "--json")
    assert "a guess: the convex hull of the events" in err
    assert "No density of people is known where positions are km" in err
    assert estimates(out)["offspring.intercept"] > found["offspring.intercept"]  # two densities pass for triggering


def test_a_report_of_the_plane(run: Run, tmp_path: Path) -> None:
    events = write(tmp_path / "events.csv", quakes())
    arguments = ["fit", "space-time", events, "--country", "Iran", "--mark", "mag", "--cell-km", "300"]
    code, out, err = run(*arguments, "--report", "--out", tmp_path / "out")
    assert code in (0, 4)
    assert "Region: " in err
    assert "the outlines of Iran and 5 km around" in err
    assert "The mark mag enters less its mean of" in err
    assert "The region is cut into" in err
    assert "An event directly sets off" in out
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "What this cannot tell" in text
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"report.html", "events.csv", "by_place.csv", "parameters.csv", "left_out.csv", "test_times.csv"} <= names
    again = run("fit", "--config", tmp_path / "out" / "configuration.toml", "--out", tmp_path / "again")
    assert again[0] == code
    assert (tmp_path / "again" / "report.html").read_text(encoding="utf-8") == text


def test_a_report_of_cities_known_by_the_day(run: Run, tmp_path: Path) -> None:
    events = events_file(tmp_path / "events.csv", 60)
    code, out, err = run("fit", "self-exciting", events, "--report", "--out", tmp_path / "out")
    assert code in (0, 4)
    assert "counts by day and place are weighed (by_step)" in err
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Some or all times are known to the day only" in text
    assert "Tests of the counts" in text
    assert {"test_counts.csv", "counts_pit.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert "events in" in out


def test_kinds_are_counted(run: Run, tmp_path: Path) -> None:
    events = write(tmp_path / "events.csv", quakes())
    code, _, err = run("fit", "space-time", events, "--kind", "what", "--fix", "offspring.delay.decay=1", "--json")
    assert code in (0, 4)
    assert "2 kinds, each triggering its own kind only: march and strike." in err


def test_etas_needs_a_mark_and_learns_its_background(run: Run, tmp_path: Path) -> None:
    events = write(tmp_path / "events.csv", quakes())
    code, _, err = run("fit", "etas", events, "--region", "hull")
    assert code == 2
    assert "--mark COLUMN" in err
    fixed = [x for name in ("alpha", "gamma", "p", "q", "c", "D") for x in ("--fix", f"triggering.{name}=1.5")]
    code, out, err = run("fit", "etas", events, "--region", "hull", "--mark", "mag", *fixed, "--json")
    assert code in (0, 4)
    assert "Events count from mag 4 on, the least in the file." in err
    assert "rounds of declustering" in json.loads(out)["status"]
    code, _, err = run("fit", "space-time", events, "--region", "hull", "--method", "declustering")
    assert code == 2
    assert "estimates the background of etas" in err


WARNED = pytest.mark.filterwarnings("default::groundswell.errors.GroundswellWarning")


@WARNED
def test_towns_are_no_points_of_the_plane(run: Run, tmp_path: Path) -> None:
    rows = [{**row, "lat": round(row["lat"]), "long": round(row["long"])} for row in quakes()]
    events = write(tmp_path / "events.csv", rows)
    held = ["--fix", "offspring.reach.scale_km=20", "--fix", "offspring.delay.decay=1"]
    code, _, err = run("fit", "space-time", events, "--country", "Iran", *held)
    assert code in (0, 4)
    assert "warning: 60 of 60 events stand at the position of another" in err
    assert err.count("of another") == 1  # the reader's warning, and not the model's too
    assert "--jitter-km" in err
    _, _, err = run("fit", "space-time", events, "--country", "Iran", "--jitter-km", "15", *held)
    assert "Each event was moved to a random point within 15 km of its position" in err
    assert "stand at the position" not in err


@pytest.mark.parametrize(
    ("change", "arguments", "code", "message"),
    [
        ({"lat": 2900.0, "long": 5200.0}, [], 3, "60 positions lie outside the Earth's degrees. Are they km on a map?"),
        ({"swap": 1}, ["--country", "Iran"], 3, "none of 60 events lies inside the outline of Iran"),
        ({"lat": "", "long": "", "city": "Shiraz"}, [], 3, "no event has a position, which a model of the plane needs"),
        ({"lat": 29.0, "long": 52.0}, [], 3, "60 events at 1 positions span no area"),
        ({}, ["--region", "absent.geojson"], 3, "absent.geojson cannot be read"),
        ({}, ["--mark", "magnitude"], 3, 'no column "magnitude". Nearest name: "mag"'),
        ({}, ["--mark", "mag=squared"], 2, "write it as NAME, NAME=log or NAME=log1p"),
        ({}, ["--areas", "name"], 2, "areas are features of a GeoJSON file"),
        ({}, ["--by", "region"], 2, "space-time is a model of points of the plane, not of places, so --by cannot"),
        ({}, ["--start", "2020-01-01", "--end", "2020-02-01"], 3, "no event lies in the window"),
        ({}, ["--report"], 2, "--report needs a folder"),
        ({}, ["--replicates", "9"], 2, "give --report too"),
        ({}, ["--contagion"], 2, "--contagion adds to the report; give --report too"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_remedy(
    run: Run, tmp_path: Path, change: dict[str, Any], arguments: list[str], code: int, message: str
) -> None:
    rows = [{**row, **{k: v for k, v in change.items() if k != "swap"}} for row in quakes()]
    if "swap" in change:
        rows = [{**row, "lat": row["long"], "long": row["lat"]} for row in rows]
    found, _, err = run("fit", "space-time", write(tmp_path / "events.csv", rows), *arguments)
    assert found == code
    assert message in err
    assert "Traceback" not in err


def test_a_border_that_crosses_itself_is_refused(run: Run, tmp_path: Path) -> None:
    bow = {"type": "Polygon", "coordinates": [[[51, 28], [54, 31], [54, 28], [51, 31], [51, 28]]]}
    (tmp_path / "region.geojson").write_text(json.dumps(bow), encoding="utf-8")
    events = write(tmp_path / "events.csv", quakes())
    code, _, err = run("fit", "space-time", events, "--region", tmp_path / "region.geojson")
    assert code == 3
    assert "no simple polygon (Self-intersection" in err


def test_models_of_places_refuse_what_is_for_the_plane(run: Run, tmp_path: Path) -> None:
    events = write(tmp_path / "events.csv", quakes())
    code, _, err = run("fit", "self-exciting", events, "--cell-km", "10", "--jitter-km", "5")
    assert code == 2
    assert "a model of places, not of points in the plane, so --cell-km and --jitter-km cannot be meant" in err
    code, _, err = run("fit", "endemic-epidemic", events, "--report", "--out", tmp_path / "out")
    assert code == 2
    assert "--report is on single events" in err


@WARNED
def test_one_event_and_tied_events(run: Run, tmp_path: Path) -> None:
    held = [
        "--fix",
        "offspring.reach.scale_km=20",
        "--fix",
        "offspring.delay.decay=1",
        "--fix",
        "offspring.intercept=-1",
    ]
    one = write(tmp_path / "one.csv", quakes(1))
    code, out, _ = run("fit", "space-time", one, "--country", "Iran", *held, "--report", "--out", tmp_path / "out")
    assert code in (0, 4)
    assert "1 event at positions on a map" in out
    tied = write(tmp_path / "tied.csv", [{**row, "date": "2024-01-05", "time": "10:00:01"} for row in quakes(20)])
    code, _, err = run("fit", "space-time", tied, "--country", "Iran", *held)
    assert code in (0, 4)
    assert "share their time with another" in err


def test_no_event_is_an_error(run: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("date,lat,long\n", encoding="utf-8")
    for model in ("space-time", "self-exciting"):
        code, _, err = run("fit", model, empty)
        assert code == 3
        assert "empty.csv has no event" in err
