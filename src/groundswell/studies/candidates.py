"""The models that `compare` sets against each other, chosen so that neighbours differ by one mechanism."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.evaluate.baselines import BASELINES
from groundswell.evaluate.compare import Candidate
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.params import Effects

WITHIN, BETWEEN, DISTANCE = "within places", "between places", "distance"
EXCITATION = "self-excitation"
PLACES_DIFFER = "places differ"
MEMORY = "memory of several steps"
LAGS = 8
"""Steps back that such a memory reaches."""
FEWEST_STEPS = 15 * LAGS
"""A shorter window would lose too much of itself to the steps that are conditioned on."""
FEWEST_PLACES = 8
"""With fewer places a variance over places is hardly known."""
EVERYWHERE_KM = 1e6
"""A reach that no map can tell from infinity."""


def reference_name(step: int) -> str:
    """The baseline that skill is measured against: 30 days of daily counts, 90 days of longer steps.

    Thirty days hold four weeks, too few dates to resample.
    """
    return f"conflictology {30 if step == 1 else 90} days"


def standard_candidates(setting: Setting, history: History) -> tuple[list[Candidate], dict[str, str]]:
    """Baselines and models that the data allow, and the models that they do not, with the reason.

    Endemic-epidemic counts: endemic alone; with what happened in the same place a step before; with
    what happened elsewhere, blind to distance or by distance; with places that differ, and with a
    memory of several steps. All of them condition on the same first steps, those of the longest memory, so that
    they weigh the same counts. Self-exciting events: a constant rate; triggering in the same place; anywhere; by
    distance. Population enters every model where it varies.
    """
    left_out: dict[str, str] = {}
    candidates = [Candidate(baseline.name, baseline) for baseline in BASELINES]
    candidates += _endemic_epidemic(setting)
    if len(setting.places) == 1:
        left_out["models of spread between places"] = "there is one place."
    elif setting.places.latitude is None:
        left_out["models of spread by distance"] = "the places have no positions."
    if history.events is None:
        left_out["self-exciting models"] = "the data are counts, without single events."
    else:
        candidates += _self_exciting(setting, history)
    if setting.window.step != 1:
        left_out["mobilisation"] = "it is a model of days, and the steps are longer."
    else:
        candidates += _mobilisation(setting, history)
    return candidates, left_out


def _endemic_epidemic(setting: Setting) -> list[Candidate]:
    from groundswell.infer.penalised import PenalisedLikelihood
    from groundswell.models.cities.endemic_epidemic import Between, Endemic, EndemicEpidemic, Overdispersion, Within
    from groundswell.models.cities.lags import GeometricLags
    from groundswell.models.cities.weights import DistancePowerLaw, Everywhere
    from groundswell.models.random_effects import RandomIntercepts

    log_mean = -2.0
    effects: dict[str, float] = {}
    if _population_varies(setting):
        effects["log(population_share)"] = 0.5
        log_mean += 0.5 * float(np.log(len(setting.places)))
    season = {"sin1": 0.0, "cos1": 0.0} if _has_years(setting) else {}
    endemic = Endemic(log_mean, Effects({**effects, **season}), period=365.25 / setting.window.step)
    many = len(setting.places) >= FEWEST_PLACES
    long = many and setting.window.periods >= FEWEST_STEPS
    conditioned, observes = (LAGS, f"counts after step {LAGS}") if long else (None, "counts")

    def model(within: bool, weights: Any) -> EndemicEpidemic:
        between = None if weights is None else Between(-1.0, Effects(effects), weights=weights)
        own = Within(-1.0) if within else None
        return EndemicEpidemic(endemic, own, between, Overdispersion(0.5), conditioned=conditioned)

    def candidate(name: str, within: bool, weights: Any, *mechanisms: str) -> Candidate:
        with_within = (WITHIN,) if within else ()
        return Candidate(
            name, model(within, weights), MaximumLikelihood(), "endemic-epidemic",
            frozenset((*with_within, *mechanisms)), observes,
        )  # fmt: skip

    def by_place(name: str, within: Within | None, *mechanisms: str) -> Candidate:
        varied = replace(model(False, None), endemic=replace(endemic, random=RandomIntercepts(1.0)), within=within)
        return Candidate(
            name, varied, PenalisedLikelihood(), "endemic-epidemic", frozenset((PLACES_DIFFER, *mechanisms)), observes
        )

    found = [candidate("endemic", False, None), candidate("endemic + within", True, None)]
    if many:
        found += [by_place("endemic by place", None), by_place("endemic by place + within", Within(-1.0), WITHIN)]
        if long:
            lagged = Within(-1.0, lags=GeometricLags(0.5, steps=LAGS))
            found.append(by_place("endemic by place + within, lags", lagged, WITHIN, MEMORY))
    if len(setting.places) > 1:
        found.append(candidate("endemic + between", False, Everywhere(), BETWEEN))
        found.append(candidate("endemic + within + between", True, Everywhere(), BETWEEN))
    if len(setting.places) > 2 and setting.places.latitude is not None:
        far = DistancePowerLaw(1.5)
        found.append(candidate("endemic + between by distance", False, far, BETWEEN, DISTANCE))
        found.append(candidate("endemic + within + between by distance", True, far, BETWEEN, DISTANCE))
    return found


def _self_exciting(setting: Setting, history: History) -> list[Candidate]:
    from groundswell.models.delays import ExponentialDelay
    from groundswell.models.events.self_exciting import SelfExciting
    from groundswell.models.events.self_exciting_parts import ByPopulation
    from groundswell.models.triggering import Exponential

    rate = max(float(history["events"].sum()), 1.0) / setting.window.days
    population = ByPopulation(0.5) if _population_varies(setting) else None
    delay = ExponentialDelay()
    own = SelfExciting(0.5 * rate, 0.5, delay, population=population)
    still = {"branching_ratio": 0.0, "delay.decay": delay.decay}

    def candidate(name: str, model: SelfExciting, *mechanisms: str, fixed: Any = None) -> Candidate:
        return Candidate(
            name, model, MaximumLikelihood(), "self-exciting", frozenset(mechanisms), "event times", fixed or {}
        )

    found = [
        candidate("constant rate", own, fixed=still),
        candidate("self-exciting in place", own, EXCITATION),
    ]
    if len(setting.places) > 2 and setting.places.latitude is not None:
        everywhere, far = (
            SelfExciting(0.5 * rate, 0.5, reach=Exponential(km), population=population) for km in (EVERYWHERE_KM, 100.0)
        )
        held = {"reach.scale_km": EVERYWHERE_KM}
        found.append(candidate("self-exciting everywhere", everywhere, EXCITATION, BETWEEN, fixed=held))
        found.append(candidate("self-exciting by distance", far, EXCITATION, BETWEEN, DISTANCE))
    return found


def _mobilisation(setting: Setting, history: History) -> list[Candidate]:
    """Without groups, calls and repression, of which a file of events tells little.

    Parameters of what is not weighed (participants, warnings, and arrests where the file has none) are
    held; so is the reach's scale, which trades off with its decay.
    """
    from groundswell.models.cities.mobilisation import Background, Between, Media, Mobilisation, Within
    from groundswell.models.triggering import PowerLaw
    from groundswell.params import names, vector

    arrests = "arrests" in history.series
    people = setting.places.population / 100_000
    rate = max(float(history["events"].sum()), 1.0) / setting.window.days / float((people**0.7).sum())

    def candidate(name: str, within: Within | None, media: Media | None, between: Between | None, *mechanisms: str):
        model = Mobilisation(
            Background(0.5 * rate), within, between, media,
            organised=None, groups=None, call=None, deterrence=None, backlash=None,
        )  # fmt: skip
        held = ("crowds.", "warnings_per_arrest", "between.reach.scale_km", *(() if arrests else ("arrests.",)))
        fixed = {n: float(v) for n, v in zip(names(model), vector(model), strict=True) if n.startswith(held)}
        observes = "counts and arrests" if arrests else "counts"
        return Candidate(name, model, MaximumLikelihood(), "mobilisation", frozenset(mechanisms), observes, fixed)

    found = [candidate("mobilisation: within", Within(), None, None, WITHIN)]
    if len(setting.places) > 2 and setting.places.latitude is not None:
        reach = Between(reach=PowerLaw())
        found.append(candidate("mobilisation: within + media", Within(), Media(), None, WITHIN, BETWEEN))
        found.append(
            candidate("mobilisation: within + media + between", Within(), Media(), reach, WITHIN, BETWEEN, DISTANCE)
        )
    return found


def _population_varies(setting: Setting) -> bool:
    population = setting.places.population
    return len(population) > 1 and float(np.ptp(population)) > 0


def _has_years(setting: Setting) -> bool:
    """Whether the window is long enough to tell a season of the year from a wave."""
    return setting.window.days >= 3 * 365
