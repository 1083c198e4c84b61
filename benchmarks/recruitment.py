"""Speed of recruitment: a day of many persons in cities, with groups, ties, arrests and jail, on two threads.

A day costs what happens in it, so each line says how much that is: about 100 events a day for a million persons, 3,500
for a hundred million, each with some 220 participants. The copy of the persons that a run makes is counted, over ten
days. The peer is the plain-Python twin of the tests, on a tenth or a hundredth of the persons with events to match.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import numpy as np

from benchmarks.harness import Line, best_of
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.models.agents.recruitment import Recruitment
from groundswell.models.agents.society import Society, run
from groundswell.rng import generator
from tests.naive.recruitment import Twin

MILLION, MANY = "2 ms a day", ".15 s with groups, 2 bytes a person"
DAYS = 10


def society(persons: float, cities: int, events: float, groups: float) -> Society:
    """Before its first day: lopsided cities, no calls, and so many expected events a day while few are in jail."""
    rng = generator(1)
    size = np.sort(rng.pareto(1.2, cities) + 0.2)
    places = Places(
        tuple(f"city {i}" for i in range(cities)), np.maximum(size / size.sum() * persons, 100.0),
        rng.uniform(25, 39, cities), rng.uniform(44, 63, cities),
    )  # fmt: skip
    setting = Setting(places, Window(date(2020, 1, 1), 3 * DAYS))
    model = replace(Recruitment(call=None, deterrence=None, backlash=None), scale=1.0).replacing(
        {"within.offspring": 0.2, "between.offspring": 0.2, "media.offspring": 0.1, "groups.initial": groups,
         "background.rate": 0.45 * events / (persons / 1e5), "organised.rate": 0.05 * events}
    )  # fmt: skip
    return model.populate(setting, rng=generator(3))


def ours(start: Society, runs: int) -> float:
    """Seconds a day, over the days after the first ten."""
    under_way = run(start, DAYS, record="none", threads=2).society
    return best_of(lambda: run(under_way, DAYS, threads=2), runs) / DAYS


def peer(start: Society, scale: float) -> float:
    """Seconds of the twin's second day, times the scale."""
    twin = Twin(start)
    twin.go()
    begin = time.perf_counter()
    twin.go()
    return (time.perf_counter() - begin) * scale


def lines() -> list[Line]:
    return [
        Line("agents/recruitment, 1e6 persons in 140 cities, 100 events, one day, 2 threads", MILLION,
             lambda: ours(society(1e6, 140, 100, 1000), 5), lambda: peer(society(1e5, 14, 10, 100), 10.0),
             "slow twin on a tenth", goal_seconds=0.002),
        Line("agents/recruitment, 1e8 persons in 1,000 cities, 3,500 events, one day, 2 threads", MANY,
             lambda: ours(society(1e8, 1000, 4000, 1e5), 2), lambda: peer(society(1e6, 10, 40, 1000), 100.0),
             "slow twin on a hundredth", goal_seconds=0.15),
    ]  # fmt: skip
