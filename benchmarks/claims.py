"""The mobilisation model and the conditioning on claims, timed beside the plain numpy twin."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.harness import Line, best_of
from groundswell.data import gazetteer
from groundswell.data.record import Claim, Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.infer.base import fit
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.plan import Plan
from groundswell.infer.target import Target
from groundswell.infer.tempered import TemperedSMC
from groundswell.infer.workers import kept_alive
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import Mobilisation
from groundswell.models.reporting.claims import Reporting
from groundswell.rng import generator
from groundswell.studies.case import Case
from groundswell.studies.conditioning import Size, nearby
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


def many_runs(runs: int = RUNS, at_once: int = 100) -> float:
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
    """Seconds of the sampler for draws worth 1,000 of the Iranian study, by its weights; compiled before.

    With the relaxation at whose posterior it begins. The report's histories, one more filter for every draw that it
    shows, are not in it.
    """
    folder = folder_of("iran-2017")
    built = Case.read(folder / "study.toml").build(folder)
    account, setting, record = built.account, built.setting, built.claims.weighed
    ParticleFilter(2).log_likelihood(account, setting, record, rng=generator(1))
    nearby(built, 2)
    start = time.perf_counter()
    method = replace(Size(), effective=1_000.0).method(processes)
    assert isinstance(method, TemperedSMC)
    with kept_alive(processes, Target.__module__):
        method = replace(method, start=nearby(built, 1, processes))
        found = fit(account, setting, record, method, rng=generator(1), fixed=built.held)
    return (time.perf_counter() - start) * 1_000.0 / found.details["effective"]


def one_filter(guided: bool) -> float:
    """Seconds of a filter of 100 histories on 400 places and 60 days, with ten claims of which five name a place."""
    places = gazetteer.places("IR").subset(np.arange(400))
    setting = Setting(places, Window.between("2017-12-28", "2018-02-25"), active_on_day0=("Mashhad",))
    first = setting.window.start

    def said(number: int, what: str, place: str, begin: int, end: int, value: float) -> Claim:
        start, stop = (first + timedelta(days=day) for day in (begin, end))
        name = f"{what} {number}"
        return Claim(name, what, place, start, stop, "about", value, "", "third_party", name, name)

    record = Record(
        tuple(said(day, "arrests", places.name[day], day, day, 30) for day in range(2, 7))
        + tuple(said(day, "cities_with_protest", "Iran", 0, day, 10 + day) for day in (2, 5, 20, 40, 59))
    )
    account = Account(Mobilisation(), Reporting.for_record(record))
    method = ParticleFilter(100, guided=guided)
    plan = method.plan(account, setting, record)
    return best_of(lambda: method.run(plan, account, rng=generator(1)), 5)


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
            "claims/a filter of 100 histories, 400 places x 60 days, ten claims",
            ".2 s",
            lambda: one_filter(True),
            lambda: one_filter(False),
            "the same without guiding, which is far noisier",
            goal_seconds=0.2,
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
