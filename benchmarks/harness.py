"""One line of the benchmark table: our time beside a peer's or a slow twin's, in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """name: "cities/...", "events/...", "agents/..." or "claims/...".

    goal : the goal of the design, word for word. goal_seconds, goal_ratio : its numbers, whichever it states.
    ours, peer : called once each after a warm-up inside them; return seconds. peer_name says what peer is.
    lacks : the part of the goal that no line measures yet; it is listed as absent.
    """

    name: str
    goal: str
    ours: Callable[[], float]
    peer: Callable[[], float] | None = None
    peer_name: str = ""
    goal_seconds: float | None = None
    goal_ratio: float | None = None
    lacks: str = ""


def best_of(work: Callable[[], object], runs: int = 5) -> float:
    """Seconds of the fastest of `runs` calls, after one call that is not counted (compilation)."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
