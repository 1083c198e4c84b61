"""Published numbers of the event level: closed forms, the simulator against them, and tick's own test."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from groundswell.data.history import Events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events.clusters import cluster_size, stationary_rate
from groundswell.models.events.mutually_exciting import MutuallyExciting
from groundswell.models.events.mutually_exciting_density import MutualDensity
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.params import Effects, vector
from groundswell.rng import generator
from groundswell.studies.published.base import Published

CLOSED = "Hawkes process, background .5, branching ratio .6, decay 2: closed form"
SIMULATED = "the same closed form, against the simulator"
TICK = "tick's own tests: HawkesExpKern loss, adjacency [[2, 3], [4, 1]], decay 2, two nodes until 4.25"
MODEL = SelfExciting(0.5, 0.6, ExponentialDelay(2.0))
RUNS = 10_000

COUNTS = {1: (0.733746, 1.2425), 5: (5.329671, 4.865), 10: (11.562814, 7.913), 100: (124.0625, 27.73)}
"""Days: (mean number of events, its standard deviation as measured on 40,000 other runs)."""

CLUSTERS = {1: 0.548812, 2: 0.180717, 3: 0.089261, 4: 0.052254, 5: 0.033606}
"""Size of a cluster: probability (Borel distribution with .6)."""


@cache
def _counts() -> np.ndarray:
    """(RUNS, 4) events until each number of days, from an empty past."""
    setting = Setting(Places.single(), Window(date(2000, 1, 1), 100))
    edges = np.array(list(COUNTS))
    rng = generator(1)
    out = np.empty((RUNS, len(edges)))
    for run in range(RUNS):
        events = MODEL.simulate(setting, rng=rng).events
        assert events is not None
        out[run] = np.searchsorted(events.time_days, edges)
    return out


@cache
def _cluster_sizes() -> np.ndarray:
    """(RUNS,) an event just before the window, with all its descendants over 120 mean delays."""
    alone = SelfExciting(0.0, 0.6, ExponentialDelay(2.0), before=Events(np.array([-1e-9]), np.zeros(1, dtype=np.int64)))
    setting = Setting(Places.single(), Window(date(2000, 1, 1), 60))
    rng = generator(2)
    return np.array([1 + alone.simulate(setting, rng=rng)["events"].sum() for _ in range(RUNS)])


def _tick_log_density() -> float:
    nodes = (np.array([0.31, 0.93, 1.29, 2.32, 4.25]), np.array([0.12, 1.19, 2.12, 2.41, 3.35, 4.21]))
    times, kind = np.concatenate(nodes), np.repeat([0, 1], [5, 6])
    order = np.argsort(times)
    # tick's adjacency is the effect on its row of its column: the transpose of offspring
    model = MutuallyExciting(
        ("first", "second"),
        Effects(first=1.0, second=3.0),
        Effects({"first > first": 2.0, "second > first": 3.0, "first > second": 4.0, "second > second": 1.0}),
        ExponentialDelay(2.0),
    )
    return MutualDensity(model, times[order], kind[order], 0, 4.25)(vector(model))[0]


def rows() -> list[Published]:
    """Every published number of the event models."""
    found = []

    def add(
        name: str, source: str, expected: float, tolerance: float, compute: Callable[[], float], printed: bool = False
    ) -> None:
        def value(folder: Path | None) -> float:
            return float(compute())

        found.append(
            Published(f"events/{name}", source, expected, tolerance, value, tag="published" if printed else "computed")
        )

    add("stationary rate", CLOSED, 1.25, 1e-6, lambda: stationary_rate(0.5, 0.6))
    for at, (days, (mean, spread)) in enumerate(COUNTS.items()):
        add(f"mean events in {days} days", CLOSED, mean, 1e-6, lambda d=days: MODEL.expected_events(d))
        error = 3 * spread / math.sqrt(RUNS)
        add(f"mean events in {days} days, simulated", SIMULATED, mean, error, lambda k=at: _counts()[:, k].mean())
    for size, share in CLUSTERS.items():
        add(f"clusters of {size}", CLOSED, share, 1e-6, lambda k=size: float(cluster_size(0.6, k)))
        error = 3 * math.sqrt(share * (1 - share) / RUNS)
        add(f"clusters of {size}, simulated", SIMULATED, share, error, lambda k=size: (_cluster_sizes() == k).mean())
    sizes = np.arange(1, 2000)
    add("mean cluster size", CLOSED, 2.5, 1e-6, lambda: (sizes * cluster_size(0.6, sizes)).sum())
    error = 3 * math.sqrt(0.6 / 0.4**3 / RUNS)
    add("mean cluster size, simulated", SIMULATED, 2.5, error, lambda: _cluster_sizes().mean())
    add("two kinds: loss", TICK, 2.9434509731246283, 1e-10, lambda: (-_tick_log_density() - 2 * 4.25) / 11, True)
    add("two kinds: -log density per event", TICK, 3.7161782458519013, 1e-10, lambda: -_tick_log_density() / 11)
    return found
