"""Exact special cases of the mobilisation model: organised groups alone are a branching process.

By the day's rule a group leaves Poisson(recruitment) new groups and survives with probability
exp(-breakup), so the mean after t days is G0 (recruitment + exp(-breakup))^t and the line dies out with
probability q^G0, q the smallest root of s = exp(recruitment (s - 1)) (1 - exp(-breakup) + exp(-breakup) s).
The continuous-time birth-death process of the same rates has another mean, G0 exp((recruitment - breakup) t).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from groundswell.studies.published.base import Published

SOURCE = "organised groups alone, by the day: branching process, closed form"
SIMULATED = "the same closed form, against the simulator"
RUNS = 40_000
SHRINKING = (0.08, 0.10)
"""Recruitment and break-up a day; times 365 a year."""
GROWING = (0.5, 0.35)


def mean_groups(recruitment: float, breakup: float, groups: float, days: int) -> float:
    """Expected groups after so many days."""
    return groups * (recruitment + math.exp(-breakup)) ** days


def extinction(recruitment: float, breakup: float, groups: int, days: int | None = None) -> float:
    """Probability that no group is left after so many days, or ever: the generating function applied day by day."""
    s, before = 0.0, -1.0
    day = 0
    while s != before if days is None else day < days:
        before, day = s, day + 1
        s = math.exp(recruitment * (s - 1)) * (1 - math.exp(-breakup) * (1 - s))
    return s**groups


@cache
def simulated_groups(rates: tuple[float, float], groups: int, days: int) -> np.ndarray:
    """(RUNS,) groups of the compiled model after so many days, from a given number."""
    from groundswell.data.places import Places
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window
    from groundswell.models.cities.mobilisation import Background, Groups, Mobilisation
    from groundswell.rng import generator

    recruitment, breakup = rates
    model = Mobilisation(
        background=Background(0.0), within=None, between=None, media=None, organised=None, call=None,
        deterrence=None, backlash=None, groups=Groups(groups, 365 * recruitment, 365 * breakup),
    )  # fmt: skip
    setting = Setting(Places.single(), Window(date(2000, 1, 1), days))
    rng = generator(1)
    state = model.start(setting, rng=rng, histories=RUNS)
    state.groups[:], state.groups_total[:] = groups, groups
    for day in range(days):
        state, _ = model.step(state, day, rng=rng)
    return state.groups[:, 0].copy()


def rows() -> list[Published]:
    """Every published number of the mobilisation model."""
    found = []

    def add(name: str, source: str, expected: float, tolerance: float, compute: Callable[[], float]) -> None:
        def value(folder: Path | None) -> float:
            return float(compute())

        found.append(Published(f"cities/groups alone, {name}", source, expected, tolerance, value, tag="computed"))

    add("mean of 3 after 30 days", SOURCE, 1.897, 5e-4, lambda: mean_groups(*SHRINKING, 3, 30))
    # the sd of one run, 2.786, is that of the closed form too
    error = 3 * 2.786 / math.sqrt(RUNS)
    add("mean of 3 after 30 days, simulated", SIMULATED, 1.896957, error,
        lambda: simulated_groups(SHRINKING, 3, 30).mean())  # fmt: skip
    for rates, words, ever, soon in (
        (SHRINKING, "shrinking", 1.0, 0.4775264),
        (GROWING, "growing", 0.1430452, 0.1426070),
    ):
        add(f"{words}: 3 die out", SOURCE, ever, 1e-6, lambda r=rates: extinction(*r, 3))
        add(f"{words}: 3 die out within 30 days", SOURCE, soon, 1e-6, lambda r=rates: extinction(*r, 3, 30))
        error = 3 * math.sqrt(soon * (1 - soon) / RUNS)
        add(f"{words}: 3 die out within 30 days, simulated", SIMULATED, soon, error,
            lambda r=rates: (simulated_groups(r, 3, 30) == 0).mean())  # fmt: skip
    return found
