"""From a command to the first picture of its run: a teacher's 40 x 40 grid of 120 steps, each in a process of its own.

Cold is with an empty cache of compiled loops, as on the first day; warm is every time after that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Line, best_of


def seconds(cache: str | None) -> float:
    """Wall clock from starting Python to a written page, without the animation beside it."""
    environment = {**os.environ, **({} if cache is None else {"NUMBA_CACHE_DIR": cache})}
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "groundswell.cli.main", "simulate", "civil-violence", "--show",
                   "--animation", "none", "--out", out]  # fmt: skip
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        assert (Path(out) / "replay.html").stat().st_size > 10_000
        return time.perf_counter() - start


def cold() -> float:
    """With nothing compiled."""
    with tempfile.TemporaryDirectory() as cache:
        return seconds(cache)


def lines() -> list[Line]:
    """Both, with no goal in the design's table."""
    what = "agents/civil violence, 40 x 40, 120 steps, from the command to its page"
    return [
        Line(f"{what}, warm", "", lambda: best_of(lambda: seconds(None), 3)),
        Line(f"{what}, nothing compiled", "", cold),
    ]
