"""City models: fits timed beside the naive twin that walks through every cell."""

from __future__ import annotations

import dataclasses
import sys
import time
from datetime import date
from pathlib import Path

from benchmarks import r_surveillance
from benchmarks.harness import Line, best_of
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.infer.base import Method, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.penalised import PenalisedLikelihood
from groundswell.models.cities.endemic_epidemic import Between, Endemic, EndemicEpidemic, Within
from groundswell.models.cities.regimes import Regimes
from groundswell.models.cities.riot_wave import RiotWave
from groundswell.models.cities.weights import DistancePowerLaw
from groundswell.params import Effects, from_vector, vector
from groundswell.rng import generator
from groundswell.studies.published.base import reference_data
from groundswell.studies.published.cities import (
    influenza,
    influenza_model,
    influenza_random_models,
    measles,
    measles_models,
)

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from naive import endemic_epidemic as naive


def fitting(model: EndemicEpidemic, setting: Setting, history: History, method: Method | None = None) -> float:
    """Seconds of a fit from default starting values, standard errors included."""
    return best_of(lambda: fit(model, setting, history, method or MaximumLikelihood(), rng=generator(0)))


def naive_fitting(model: EndemicEpidemic, setting: Setting, history: History) -> float:
    """Seconds that the same search would take on the naive twin with differences for the gradient.

    One evaluation is timed; a fit makes as many as ours, each of 2 K + 1 values.
    """
    found = fit(model, setting, history, MaximumLikelihood(), rng=generator(0))
    start = time.perf_counter()
    naive.log_density(from_vector(model, found.estimate), setting, history)
    return (time.perf_counter() - start) * found.details["evaluations"] * (2 * len(vector(model)) + 1)


def wide_map() -> tuple[EndemicEpidemic, Setting, History]:
    """400 places and 365 days of simulated counts, diffusion by a power law of the distance."""
    rng = generator(1)
    places = Places(
        tuple(f"place {i}" for i in range(400)),
        rng.lognormal(11, 1, 400),
        rng.uniform(26, 39, 400),
        rng.uniform(45, 62, 400),
    )
    setting = Setting(places, Window(date(2019, 1, 1), 365))
    week = Effects({"sin1": 0.2, "cos1": 0.1})
    truth = EndemicEpidemic(
        Endemic(2.5, week, "population_share", 7), Within(-1.2), Between(-1.5, weights=DistancePowerLaw(2.0))
    )
    return (
        dataclasses.replace(truth, within=Within(), between=Between(weights=DistancePowerLaw())),
        setting,
        truth.simulate(setting, rng=rng),
    )


def riot_wave(places: int, days: int) -> Line:
    """Value with gradient of a wave over a map, beside the value alone."""
    rng = generator(1)
    cities = Places(
        tuple(f"place {i}" for i in range(places)),
        rng.lognormal(11, 0.7, places),
        rng.uniform(26, 39, places),
        rng.uniform(45, 62, places),
    )
    setting = Setting(cities, Window(date(2005, 10, 27), days), active_on_day0=("place 0",))
    model = RiotWave(contagion=0.02)
    history = model.simulate(setting, rng=rng)
    density, at = model.likelihood(setting, history), vector(model)
    return Line(
        f"cities/riot wave, {places} places x {days} days, value and gradient",
        "",
        lambda: best_of(lambda: density(at)),
        lambda: best_of(lambda: model.intensity(setting, history)),
        "the means alone",
    )


def regimes() -> Line:
    """Value and gradient of the example."""
    model, setting = Regimes.example()
    density, at = model.likelihood(setting, model.simulate(setting, rng=generator(1))), vector(model)
    return Line("cities/regimes, example, value and gradient", "", lambda: best_of(lambda: density(at)))


def lines() -> list[Line]:
    """The lines of this level; those on reference data only where they are present."""
    found = []
    folder = reference_data()
    if folder is not None:
        basic = measles_models()["basic"]
        found += [
            Line(
                "cities/endemic-epidemic, measles basic",
                ".003 s / .6 s",
                lambda: fitting(basic, *measles(folder)),
                lambda: r_surveillance.seconds("measles basic", 5),
                r_surveillance.name(),
                goal_seconds=0.003,
            ),
            Line(
                "cities/endemic-epidemic, influenza B2, random effects",
                ".003 s / .6 s",
                lambda: fitting(influenza_random_models()["B2"], *influenza(folder), PenalisedLikelihood()),
                lambda: r_surveillance.seconds("influenza B2", 1),
                r_surveillance.name(),
                goal_seconds=0.6,
            ),
            Line(
                "cities/endemic-epidemic, measles basic, evaluations",
                "",
                lambda: fitting(basic, *measles(folder)),
                lambda: naive_fitting(basic, *measles(folder)),
                "naive twin with finite differences (one evaluation timed, as many as ours)",
            ),
            Line(
                "cities/endemic-epidemic, influenza fixed effects",
                "",
                lambda: fitting(influenza_model(), *influenza(folder)),
            ),
        ]
    case = wide_map()
    found.append(
        Line(
            "cities/endemic-epidemic, 400 places x 365 days, power law",
            ".2 s",
            lambda: fitting(*case),
            goal_seconds=0.2,
        )
    )
    return [*found, riot_wave(20, 40), riot_wave(100, 30), regimes()]
