"""The mobilisation model and the conditioning on claims, timed beside the plain numpy twin."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import Line, best_of
from groundswell.data import gazetteer
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.infer.plan import Plan
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import Mobilisation
from groundswell.models.reporting.claims import Reporting
from groundswell.rng import generator
from groundswell.studies.case import Case
from groundswell.studies.conditioning import Size, condition
from groundswell.studies.run import folder_of

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from naive import mobilisation as naive

RUNS, TWIN_RUNS = 10_000, 40
"""Runs of the goal, and those of the twin, scaled up."""


def country_month() -> tuple[Mobilisation, Setting]:
    """The 140 largest cities of Iran, 30 days, all mechanisms at their prior medians."""
    places = gazetteer.places("IR").subset(np.arange(140))
    setting = Setting(places, Window.between("2017-12-28", "2018-01-26"), active_on_day0=("Mashhad",))
    return Mobilisation(), setting


def many_runs(runs: int = RUNS, at_once: int = 50) -> float:
    """Seconds of `runs` histories, carried `at_once` at a time, which fits the caches, one thread."""
    model, setting = country_month()
    nothing = Plan(Account(model, Reporting()), setting, Record(())).counters(at_once)

    def work() -> None:
        rng, state = generator(1), None
        for _ in range(runs // at_once):
            state = model.start(setting, rng=rng, histories=at_once, beside=state)
            model.advance(state, 0, setting.window.periods, nothing, rng=rng)

    return best_of(work, 2)


def twin_runs() -> float:
    """Seconds of as many runs of the plain twin, from a few."""
    model, setting = country_month()
    start = time.perf_counter()
    naive.histories(model, setting, TWIN_RUNS, generator(1))
    return (time.perf_counter() - start) * RUNS / TWIN_RUNS


def study(processes: int) -> float:
    """Seconds for 1,000 effective draws of the Iranian study, from those of one default run.

    The kernels are compiled before. Effective draws are the run's own count for the least of its targets.
    """
    folder = folder_of("iran-2017")
    built = Case.read(folder / "study.toml").build(folder)
    tiny = Size(draws=20, effective=10, most=40, round=20, histories=2, prior_draws=4, joining_draws=20)
    condition(built, tiny, seed=1, processes=1)
    result, timings = condition(built, Size(), seed=1, processes=processes)
    return timings["seconds_total"] * 1000 / min(result["quality"]["effective_draws"].values())


def lines() -> list[Line]:
    """Lines of the benchmark table."""
    cores = os.cpu_count() or 1
    return [
        Line(
            "claims/10,000 runs of the mobilisation model, 140 places x 30 days, one thread",
            "1.0 s",
            many_runs,
            twin_runs,
            f"plain numpy twin, {TWIN_RUNS} runs scaled to {RUNS:,}",
            goal_seconds=1.0,
        ),
        Line(
            "claims/iran-2017, one anchor, 2 cores",
            "1,000 in 60 s",
            lambda: study(min(2, cores)),
            lambda: study(1),
            "the same on one process",
            goal_seconds=60.0,
        ),
    ]
