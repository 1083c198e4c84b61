"""Exact special cases of recruitment: groups of persons alone are the branching process of the city level.

Many cities at once are many runs. With groups of one person and ten thousand persons a city, those who were won before
are too few to matter: the closed forms are those of `studies.published.mobilisation`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from groundswell.studies.published.base import Published
from groundswell.studies.published.mobilisation import GROWING, SHRINKING

SIMULATED = "organised groups alone, by the day: branching process, closed form; against persons in cities"
RUNS, PERSONS = 4000, 10_000
"""Cities, and persons in each."""


@cache
def groups_of_persons(rates: tuple[float, float], groups: int, days: int) -> np.ndarray:
    """(RUNS,) groups in each city after so many days, from a given number of groups of one person."""
    from groundswell.data.places import Places
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window
    from groundswell.models.agents.recruitment import Recruitment
    from groundswell.models.agents.society import MEMBER, RECRUITED, Society, run
    from groundswell.models.cities.mechanisms import Background, Groups

    model = Recruitment(
        background=Background(0.0), within=None, between=None, media=None, organised=None, call=None, deterrence=None,
        backlash=None, ties=None, groups=Groups(0.0, 365 * rates[0], 365 * rates[1], members=1.0),
    )  # fmt: skip
    places = Places(tuple(f"city {i}" for i in range(RUNS)), np.full(RUNS, float(PERSONS)))
    persons = np.zeros((RUNS, PERSONS), np.uint8)
    persons[:, :groups] = MEMBER | RECRUITED
    seats = np.tile(np.arange(groups, dtype=np.int32), RUNS)[:, None]
    nobody, city = np.zeros(0, np.int64), np.repeat(np.arange(RUNS, dtype=np.int32), groups)
    start = Society(
        model, Setting(places, Window(date(2000, 1, 1), days)), 1, 0, persons.ravel(), seats, city, nobody, nobody,
        np.zeros(RUNS), np.zeros((1, RUNS)), np.zeros(1),
    )  # fmt: skip
    return np.bincount(run(start, record="none").society.city, minlength=RUNS)


def rows() -> list[Published]:
    """The branching moments, from persons."""
    found = []

    def add(name: str, expected: float, error: float, compute: Callable[[], float]) -> None:
        def value(folder: Path | None) -> float:
            return float(compute())

        full = f"agents/groups of persons alone, {name}"
        found.append(Published(full, SIMULATED, expected, 3 * error, value, tag="computed"))

    # the sd of one run, 2.786, as in the rows of the city level
    add("mean of 3 after 30 days", 1.897, 2.786 / math.sqrt(RUNS),
        lambda: groups_of_persons(SHRINKING, 3, 30).mean())  # fmt: skip
    for rates, words, days, died in ((SHRINKING, "shrinking", 30, 0.4775264), (GROWING, "growing", 12, 0.1261482)):
        add(f"{words}: 3 die out within {days} days", died, math.sqrt(died * (1 - died) / RUNS),
            lambda r=rates, d=days: (groups_of_persons(r, 3, d) == 0).mean())  # fmt: skip
    return found
