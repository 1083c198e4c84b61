"""`make bench`: every speed goal, what was measured for it, and what is not written yet.

A line is matched to its goal by the goal's words, which the level's file copies from the design.
Machines differ and are noisy: read the ratio to the peer or slow twin, timed in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import traceback
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.harness import Line
from groundswell.data.files import write_json
from groundswell.data.table import Table

LEVELS = ("cities", "events", "agents", "recruitment", "claims")

GOALS: tuple[tuple[str, str], ...] = (
    ("Hawkes, 1e6 events, value + full gradient", "6 x tick at a new decay, 15 x hawkesbook"),
    ("city-level Hawkes, 140 places, 1e6 events, value + gradient", ".10 s on 2 threads"),
    (
        "space-time Hawkes, 1e5 events, local kernel (cell lists) / wide kernel (Fourier states), error stated",
        ".06 s / .15 s; 1e6 in 2 s",
    ),
    ("endemic-epidemic, measles basic / flu B2 random effects", ".003 s / .6 s"),
    ("twinstim Gaussian / power law fit", ".03 s / .08 s"),
    ("civil violence, 1e6 agents, vision 7, one step, 2 threads", ".040 s, 32 bytes an agent"),
    ("threshold cascade, 1e7 nodes and 1e8 edges", "1.0 s, 1.2 GB"),
    ("10,000 runs of the mobilisation model, 140 places x 30 days, one thread", "1.0 s"),
    ("iran-2017, one anchor, 2 cores", "1,000 in 60 s"),
    ("a filter of 100 histories on 400 places x 60 days", ".2 s"),
    ("1e8 persons in 1,000 cities, one day", ".15 s with groups, 2 bytes a person"),
    ("1e6 persons with groups, one day", "2 ms a day"),
)
"""Work and goal, in the words of the design's table; the last is its finer step."""


def collect() -> list[Line]:
    """The lines of every level's file that exists."""
    found: list[Line] = []
    for level in LEVELS:
        if find_spec(f"benchmarks.{level}") is not None:
            found += import_module(f"benchmarks.{level}").lines()
    return found


def measure(line: Line) -> dict[str, Any]:
    """One row: our seconds, the peer's, their ratio, and whether the goal is met (None: not decided by these)."""
    row: dict[str, Any] = {"name": line.name, "seconds": None, "peer": line.peer_name or None, "peer_seconds": None}
    row |= {"ratio": None, "goal": line.goal, "met": None}
    row["seconds"] = line.ours()
    if line.peer is not None:
        row["peer_seconds"] = line.peer()
        row["ratio"] = row["peer_seconds"] / row["seconds"]
    tests = []
    if line.goal_seconds is not None:
        tests.append(row["seconds"] <= line.goal_seconds)
    if line.goal_ratio is not None:
        tests.append(row["ratio"] is not None and row["ratio"] >= line.goal_ratio)
    row["met"] = all(tests) if tests else None
    return row


def main(arguments: list[str]) -> int:
    """Measure, print and write out/bench.json; 1 if a line failed to run, whatever its speed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="lines whose name holds this text")
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"))
    options = parser.parse_args(arguments)
    lines = [line for line in collect() if options.only in line.name]
    rows, failed = [], []
    for line in lines:
        print(f"measuring {line.name}", file=sys.stderr, flush=True)
        try:
            rows.append(measure(line))
        except Exception:
            traceback.print_exc()
            failed.append(line.name)
    every = collect()
    covered = {line.goal for line in every}
    absent = [{"work": work, "goal": goal} for work, goal in GOALS if goal not in covered]
    absent += [{"work": line.lacks, "goal": line.goal} for line in every if line.lacks]
    machine = {"platform": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}
    write_json(options.out, {"rows": rows, "absent": absent, "failed": failed, "machine": machine})
    print(report(rows, absent, failed))
    print(f"\nwrote {options.out}")
    return 1 if failed else 0


def report(rows: list[dict[str, Any]], absent: list[dict[str, str]], failed: list[str]) -> str:
    """The table as text."""
    shown = [row | {"met": {True: "yes", False: "no", None: "see goal"}[row["met"]]} for row in rows]
    parts = [str(Table.from_rows(shown))] if rows else []
    parts += [f"failed: {name}" for name in failed]
    parts += [f"absent: {line['work']} (goal: {line['goal']})" for line in absent]
    return "\n".join(parts)
