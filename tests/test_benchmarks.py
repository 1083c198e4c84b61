"""The benchmark table: ratios, met or not, and lines that are not written listed as absent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.harness import Line, best_of


@pytest.mark.parametrize(
    ("seconds", "peer", "limits", "ratio", "met"),
    [
        (0.5, 2.0, {"goal_seconds": 1.0}, 4.0, True),
        (1.5, 2.0, {"goal_seconds": 1.0}, 2.0 / 1.5, False),
        (0.5, 2.0, {"goal_ratio": 4.0}, 4.0, True),
        (0.5, 2.0, {"goal_ratio": 4.1}, 4.0, False),
        (0.5, 2.0, {"goal_seconds": 1.0, "goal_ratio": 4.1}, 4.0, False),
        (0.5, None, {"goal_seconds": 1.0}, None, True),
        (0.5, None, {"goal_ratio": 2.0}, None, False),
        (0.5, 2.0, {}, 4.0, None),
    ],
)
def test_a_row_says_whether_its_goal_is_met(
    seconds: float, peer: float | None, limits: dict, ratio: float | None, met: bool | None
) -> None:
    line = Line("cities/x", "the goal", lambda: seconds, (lambda: peer) if peer else None, "a twin", **limits)
    row = run.measure(line)
    assert (row["seconds"], row["peer_seconds"], row["ratio"], row["met"]) == (seconds, peer, ratio, met)


def test_what_is_not_written_is_listed_and_what_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> float:
        raise RuntimeError("no clock")

    written = Line("cities/x", run.GOALS[0][1], lambda: 0.5)
    monkeypatch.setattr(run, "collect", lambda: [written, Line("cities/y", run.GOALS[1][1], broken)])
    assert run.main(["--out", str(tmp_path / "bench.json")]) == 1
    out = capsys.readouterr().out
    assert out.count("absent: ") == len(run.GOALS) - 2
    assert "failed: cities/y" in out
    found = json.loads((tmp_path / "bench.json").read_text())
    assert [row["name"] for row in found["rows"]] == ["cities/x"]
    assert found["failed"] == ["cities/y"]


def test_every_goal_that_a_line_states_is_known() -> None:
    """A goal in other words than the table's would leave the table's line "absent"."""
    lines = run.collect()
    stated_elsewhere = {"", ".2 s"}  # further lines; ".2 s": 400 places x 365 days with a power law
    assert {line.goal for line in lines} <= {goal for _, goal in run.GOALS} | stated_elsewhere
    assert all(line.name.partition("/")[0] in run.LEVELS for line in lines)


def test_best_of_does_not_count_the_first_call() -> None:
    calls: list[int] = []
    assert best_of(lambda: calls.append(1), runs=3) >= 0
    assert len(calls) == 4
