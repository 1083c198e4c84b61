"""Speed of the agent level: civil violence in tiles and in one order, its memory, and when a small grid is first seen.

The peer is Mesa's example where `make bench-peers` has installed it, else the plain-Python twin of the tests. Both run
on 40 x 40 and are scaled up by the number of agents, which flatters the twin: its work grows with the square.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from benchmarks import cascades, first_picture
from benchmarks.harness import Line, best_of
from benchmarks.hawkes_peers import INTERPRETER
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.rng import generator
from tests.naive.civil_violence import Twin

GOAL = ".040 s, 32 bytes an agent"
SMALL, LARGE = 40, math.ceil(math.sqrt(1e6 / 0.74))
BURN_IN = 20

MESA = """
import json, time
from mesa.examples.advanced.epstein_civil_violence.model import EpsteinCivilViolence
model = EpsteinCivilViolence(width=40, height=40, citizen_density=.7, cop_density=.04, legitimacy=.82, max_jail_term=30)
times = []
for _ in range(5):
    start = time.perf_counter(); model.step(); times.append(time.perf_counter() - start)
print(json.dumps(min(times)))
"""

FIRST_FRAME = """
from groundswell import generator
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import run
assert run(CivilViolence.netlogo().populate(rng=generator(1)), 1, record="frames").frames is not None
"""


def agents(side: int) -> int:
    """Agents of the NetLogo preset on a square grid."""
    return round(0.74 * side * side)


def in_tiles(side: int, threads: int) -> float:
    """Seconds a step in tiles, between two looks at the crowd; says how many bytes an agent takes."""
    import numpy as np

    from groundswell.models.agents.engines import Tiles, workers

    model = CivilViolence.netlogo(rows=side, columns=side, activation="tiles")
    tracemalloc.start()
    crowd = model.populate(rng=generator(1))
    given = tracemalloc.get_traced_memory()[0]
    with workers(threads) as spread:
        engine = Tiles(crowd, spread)
        tracemalloc.reset_peak()
        engine.advance(np.zeros((BURN_IN, 3), np.int64))
        beside = tracemalloc.get_traced_memory()[1] - given
        tracemalloc.stop()
        print(
            f"{len(crowd.cell)} agents: {beside / len(crowd.cell):.1f} bytes an agent in tiles, beside "
            f"{given / len(crowd.cell):.1f} of the crowd",
            file=sys.stderr,
        )
        return best_of(lambda: engine.advance(np.zeros((1, 3), np.int64)), 20)


def in_one_order(side: int, steps: int, runs: int) -> float:
    """Seconds a step, after ten steps; laying out the counts of the grid is part of it."""
    from groundswell.models.agents.crowd import run

    crowd = run(CivilViolence.netlogo(rows=side, columns=side).populate(rng=generator(1)), 10).crowd
    return best_of(lambda: run(crowd, steps, record="none"), runs) / steps


def many(threads: int) -> float:
    """Seconds of 100 steps of 16 grids of 40 x 40."""
    from groundswell.models.agents.crowd import run_many

    crowds = [CivilViolence.netlogo().populate(rng=generator(seed)) for seed in range(16)]
    return best_of(lambda: run_many(crowds, 100, threads=threads, record="none"), 5)


def peer(side: int) -> float:
    """Seconds a step of the peer on 40 x 40, scaled to the agents of `side` x `side`."""
    return (_mesa() if INTERPRETER.exists() else _twin()) * agents(side) / agents(SMALL)


def _twin() -> float:
    twin = Twin(CivilViolence.netlogo().populate(rng=generator(1)))
    start = time.perf_counter()
    twin.go()
    return time.perf_counter() - start


def _mesa() -> float:
    done = subprocess.run([INTERPRETER, "-c", MESA], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout))


def first_frame(compiled: bool) -> float:
    """Seconds from the start of Python to the first frame of a 40 x 40 run, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source = str(Path(__file__).parents[1] / "src")
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder, "PYTHONPATH": source}
        command = [sys.executable, "-c", FIRST_FRAME]
        times = []
        for _ in range(4 if compiled else 1):
            start = time.perf_counter()
            subprocess.run(command, check=True, env=environment)
            times.append(time.perf_counter() - start)
    return min(times)


def lines() -> list[Line]:
    large, small = "agents/civil violence, 1e6 agents, vision 7, one step", "agents/civil violence, 40 x 40"
    name = f"{'Mesa' if INTERPRETER.exists() else 'slow twin'} on 40 x 40"
    scaled, tiles = name + ", scaled by agents", ", in tiles"
    return [
        Line(f"{large}{tiles}, 2 threads", GOAL, lambda: in_tiles(LARGE, 2), lambda: peer(LARGE), scaled,
             goal_seconds=0.040),
        Line(f"{large}{tiles}, 1 thread", GOAL, lambda: in_tiles(LARGE, 1), lambda: in_one_order(LARGE, 1, 1),
             "one order over the whole grid"),
        Line(f"{small} (1,184 agents), one step in one order, 1 thread", GOAL, lambda: in_one_order(SMALL, 100, 5),
             lambda: peer(SMALL), name),
        Line(f"{small}, 16 runs of 100 steps, 2 threads", "", lambda: many(2), lambda: many(1), "1 thread"),
        Line(f"{small}, start of Python to first frame, compiled before", "", lambda: first_frame(True),
             lambda: first_frame(False), "with the loops' compilation"),
        *cascades.lines(),
        *first_picture.lines(),
    ]  # fmt: skip
