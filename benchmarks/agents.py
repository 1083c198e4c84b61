"""Speed of the agent level: civil violence, one step of the sequential loops that exist so far; cascades.py.

The goal is that of the engine for large grids, on two threads; the loops here run on one thread and
keep one global order, and the names say so. The peer is Mesa's example where Mesa is installed, else
the plain-Python twin of the tests. Both run on a small grid and are scaled up by the number of
agents, which flatters the twin: its work grows with the square.
"""

from __future__ import annotations

import math
import time
from importlib.util import find_spec
from typing import Any

from benchmarks import cascades, first_picture
from benchmarks.harness import Line, best_of
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.rng import generator
from tests.naive.civil_violence import Twin

GOAL = ".040 s, 32 bytes an agent"
SMALL, LARGE = 40, math.ceil(math.sqrt(1e6 / 0.74))
MESA = find_spec("mesa") is not None


def agents(side: int) -> int:
    """Agents of the NetLogo preset on a square grid."""
    return round(0.74 * side * side)


def ours(side: int, steps: int, runs: int) -> float:
    """Seconds a step, after ten steps; laying out the counts of the grid is part of it."""
    from groundswell.models.agents.crowd import run

    crowd = run(CivilViolence.netlogo(rows=side, columns=side).populate(rng=generator(1)), 10).crowd
    return best_of(lambda: run(crowd, steps, record="none"), runs) / steps


def peer(side: int) -> float:
    """Seconds a step of the peer on 40 x 40, scaled to the agents of `side` x `side`."""
    return (_mesa() if MESA else _twin()) * agents(side) / agents(SMALL)


def _twin() -> float:
    twin = Twin(CivilViolence.netlogo().populate(rng=generator(1)))
    return _seconds(twin.go, 1)


def _mesa() -> float:
    from mesa.examples.advanced.epstein_civil_violence.model import EpsteinCivilViolence  # type: ignore[import-not-found]

    numbers = {"citizen_density": 0.70, "cop_density": 0.04, "legitimacy": 0.82, "max_jail_term": 30}
    return _seconds(EpsteinCivilViolence(width=SMALL, height=SMALL, **numbers).step, 5)


def _seconds(step: Any, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - start) / count


def lines() -> list[Line]:
    what = "sequential loops, vision 7, one step, 1 thread"
    name = f"{'Mesa' if MESA else 'slow twin'} on 40 x 40"
    return [
        Line(f"agents/civil violence, 1e6 agents, {what}", GOAL, lambda: ours(LARGE, 1, 3), lambda: peer(LARGE),
             name + ", scaled by agents", goal_seconds=0.040),
        Line(f"agents/civil violence, 40 x 40 (1,184 agents), {what}", GOAL, lambda: ours(SMALL, 100, 5),
             lambda: peer(SMALL), name),
        *cascades.lines(),
        *first_picture.lines(),
    ]  # fmt: skip
