"""Speed of the event level: value and full gradient of self-exciting log densities, and whole fits.

Fits of events in the plane stand beside R's of the same models to the same data, values of events in time beside other
packages' (`hawkes_peers`). The other peers are the slow twins of the tests, which visit every pair of events. A twin
of a million events would run for days, so it runs on fewer and its time is scaled up by the square of the ratio; the
name says so. Data: simulated processes, those of one kind with the rates of the published closed forms.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks import hawkes_peers, r_surveillance
from benchmarks.harness import Line, best_of
from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.delays import Delay, ExponentialDelay
from groundswell.models.events.mutually_exciting import MutuallyExciting
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.self_exciting_parts import ByPopulation
from groundswell.models.events.space_time import Endemic, Offspring, SpaceTime
from groundswell.models.triggering import Gaussian, PowerLaw, Reach
from groundswell.params import Effects, vector
from groundswell.rng import generator
from groundswell.studies.published import plane
from groundswell.studies.published.base import reference_data
from tests.naive import self_exciting as naive

EVENTS = 1_000_000
TWIN_EVENTS, TWIN_CITY_EVENTS, PAIRED_EVENTS = 800, 800, 4000
GOAL = "6 x tick at a new decay, 15 x hawkesbook"

IN_TIME = SelfExciting(0.5, 0.6, ExponentialDelay(2.0), max_events=2 * EVENTS)
ON_CITIES = SelfExciting(
    20.0, 0.6, ExponentialDelay(2.0), reach=PowerLaw(60.0, 2.0), population=ByPopulation(0.7), max_events=2 * EVENTS
)
MANY_KINDS = MutuallyExciting(
    ("protest", "repression", "attack"),
    Effects(protest=0.5, repression=0.1, attack=0.2),
    Effects({f"{q} > {k}": 0.1 + 0.05 * i for i, (q, k) in enumerate(
        product(("protest", "repression", "attack"), repeat=2))}),
    ExponentialDelay(2.0),
    max_events=2 * EVENTS,
)  # fmt: skip


@cache
def country() -> Places:
    """140 cities with the spread of positions and populations of a large country."""
    rng = generator(3)
    return Places(
        tuple(f"city {i}" for i in range(140)),
        np.exp(rng.normal(11.5, 1.1, 140)),
        rng.uniform(27, 38, 140),
        rng.uniform(45, 61, 140),
    )


@cache
def simulated(model: SelfExciting, events: int) -> tuple[Setting, History]:
    """A window long enough for some `events` events, and a history drawn over it."""
    places = Places.single() if model.reach is None else country()
    days = round(events * (1 - model.branching_ratio) / model.background)
    setting = Setting(places, Window(date(2000, 1, 1), 1, days))
    return setting, model.simulate(setting, rng=generator(5))


def ours(model: SelfExciting, threads: int = 1) -> float:
    """Seconds of one evaluation at a new parameter value; laying out the data is not counted, as for all methods."""
    setting, history = simulated(model, EVENTS)
    evaluate, at = model.likelihood(setting, history, threads=threads), vector(model)
    return best_of(lambda: evaluate(at * (1 + 1e-3)), 7)


def twin(model: SelfExciting, events: int) -> float:
    """Seconds of the twin, scaled to as many events as ours has."""
    setting, history = simulated(model, events)
    made = history.events
    assert made is not None
    assert isinstance(model.delay, ExponentialDelay)
    decay = model.delay.decay
    background = model.background * model.shares(setting.places)
    offspring = model.branching_ratio * model.weights(setting)
    days = float(setting.window.days)
    seconds = best_of(lambda: naive.log_density(made.time_days, made.place, days, background, offspring, decay), 2)
    return seconds * (EVENTS / len(made)) ** 2


def time_case(events: int) -> hawkes_peers.Case:
    """The simulated process in time, for the peers."""
    setting, history = simulated(IN_TIME, events)
    made, at = history.events, vector(IN_TIME)
    assert made is not None
    days = float(setting.window.days)
    return hawkes_peers.Case(made.time_days, made.place, days, at[:1], at[1:2].reshape(1, 1), float(at[2]))


@cache
def kinds_case(events: int) -> hawkes_peers.Case:
    """Events of three kinds, for the peers that know several."""
    background, offspring, decay = MANY_KINDS.arrays
    setting = Setting(Places.single(), Window(date(2000, 1, 1), 1, round(events / MANY_KINDS.stationary_rates().sum())))
    made = MANY_KINDS.simulate(setting, rng=generator(5)).events
    assert made is not None
    assert made.kind is not None
    return hawkes_peers.Case(made.time_days, made.kind, float(setting.window.days), background, offspring, decay[0])


def our_answer(case: hawkes_peers.Case) -> hawkes_peers.Answer:
    """Our value and gradient of a case, and the seconds of one evaluation at a new parameter value."""
    kinds, times, days = len(case.background), case.times, int(case.days)
    history = from_events(
        Places.single(), Window(date(2000, 1, 1), 1, days), Events(times, np.zeros(len(times), int), kind=case.kind)
    )
    setting = Setting(history.places, history.window)
    model = IN_TIME if kinds == 1 else MANY_KINDS
    evaluate, at = model.likelihood(setting, history), vector(model)
    value, slope = evaluate(at)
    seconds = best_of(lambda: evaluate(at * (1 + 1e-3)), 25)
    return hawkes_peers.Answer(
        value, slope[:kinds], slope[kinds:-1].reshape(kinds, kinds), float(slope[-1]), seconds
    )  # fmt: skip


def beside(peer: str, what: str, make: Callable[[int], hawkes_peers.Case], goal: str, ratio: float | None) -> Line:
    """Ours beside a peer on the same events; without the peers' environment ours alone, and the goal is not decided."""
    has = hawkes_peers.present()
    return Line(
        f"events/{what}, 1e6 events, value + full gradient, beside {peer}",
        goal,
        lambda: our_answer(make(EVENTS)).seconds,
        (lambda: hawkes_peers.answer(peer, make(EVENTS), our_answer(make(EVENTS))).seconds) if has else None,
        hawkes_peers.name(peer),
        goal_ratio=ratio if has else None,
        lacks="" if has or not goal else f"{peer} as a peer of Hawkes, 1e6 events (make bench-peers)",
    )


def fitting(folder: Path, name: str) -> float:
    """Seconds of a whole fit from default starting values: layout of the data, search and standard errors."""
    case = plane.meningococcal(folder)
    model = plane.model(case, plane.reaches()[name])
    return best_of(lambda: fit(model, case.setting, case.history, MaximumLikelihood(), rng=generator(0)), 9)


def twinstim(folder: Path) -> list[Line]:
    """The fits of R's vignette on events in the plane."""
    return [
        Line(
            f"events/twinstim {words} fit",
            ".03 s / .08 s",
            lambda name=name: fitting(folder, name),
            lambda words=words, runs=runs: r_surveillance.seconds(f"twinstim {words}", runs),
            r_surveillance.name(),
            goal_seconds=seconds,
        )
        for name, words, seconds, runs in (("gaussian", "Gaussian", 0.03, 2), ("powerlaw", "power law", 0.08, 1))
    ]


def in_the_plane(reach: Reach, delay: Delay, events: int, route: str = "auto") -> tuple[SpaceTime, Setting, History]:
    """Events on 1,000 by 1,000 km, 10,000 a year, half of them set off by an event of the other half."""
    rng, days = generator(7), round(0.0365 * events)
    parents = events - events // 2
    place, time = rng.random((parents, 2)) * 1000, rng.random(parents) * days
    parent = rng.integers(0, parents, events // 2)
    place = np.concatenate([place, place[parent] + rng.normal(0, 10, (len(parent), 2))])
    time = np.concatenate([time, time[parent] + rng.exponential(5.0, len(parent))])
    kept = np.argsort(time)[: np.searchsorted(np.sort(time), days)]
    setting = Setting(Places.single(), Window(date(2000, 1, 1), days), covariates={"area_km2": np.array([[1e6]])})
    found = Events(time[kept], np.zeros(len(kept), int), x_km=place[kept, 0], y_km=place[kept, 1])
    offspring = Offspring(-0.7, reach=reach, delay=delay, furthest_km=2000.0, longest_days=2000.0)
    model = SpaceTime(Endemic(-11.2), offspring, route=route)
    return model, setting, History(setting.places, setting.window, {}, found)


def plane_seconds(reach: Reach, delay: Delay, events: int, route: str = "auto", runs: int = 5) -> float:
    """Seconds of one evaluation at a new parameter value, on one thread."""
    model, setting, history = in_the_plane(reach, delay, events, route)
    evaluate, at = model.likelihood(setting, history), vector(model)
    return best_of(lambda: evaluate(at * (1 + 1e-3)), runs)


def plane_lines() -> list[Line]:
    """Many events in the plane without a border: a local kernel and a wide one."""
    found = []
    kinds = (
        ("local kernel (cell lists)", Gaussian(10.0), ExponentialDelay(0.2), 0.06),
        ("wide kernel (Fourier states)", Gaussian(200.0), ExponentialDelay(0.1), 0.15),
    )
    for events, limit in ((100_000, None), (1_000_000, 2.0)):
        for words, reach, delay, seconds in kinds:
            found.append(
                Line(
                    f"events/space-time Hawkes, {events:.0e} events, {words}, f g left out below 1e-10",
                    ".06 s / .15 s; 1e6 in 2 s",
                    lambda r=reach, d=delay, n=events: plane_seconds(r, d, n),
                    lambda r=reach, d=delay, n=events: (
                        plane_seconds(r, d, PAIRED_EVENTS, "pairs", 2) * (n / PAIRED_EVENTS) ** 2
                    ),
                    f"every pair kept, {PAIRED_EVENTS} events, scaled by the square",
                    goal_seconds=limit or seconds,
                )
            )
    return found


def lines() -> list[Line]:
    """The lines of the event level; those on reference data only where they are present."""
    folder = reference_data()
    twin_name = "slow twin in Python, {} events, scaled by the square"
    return [
        beside("tick", "Hawkes", time_case, GOAL, 6.0),
        beside("hawkesbook", "Hawkes", time_case, GOAL, 15.0),
        beside("HawkesPyLib", "Hawkes", time_case, "", None),
        beside("tick", "three kinds", kinds_case, "", None),
        *([] if folder is None else twinstim(folder)),
        *plane_lines(),
        Line(
            "events/Hawkes, 1e6 events, value + full gradient",
            "",
            lambda: ours(IN_TIME),
            lambda: twin(IN_TIME, TWIN_EVENTS),
            twin_name.format(TWIN_EVENTS),
        ),
        Line(
            "events/city-level Hawkes, 140 places, 1e6 events, value + gradient, 2 threads",
            ".10 s on 2 threads",
            lambda: ours(ON_CITIES, 2),
            lambda: twin(ON_CITIES, TWIN_CITY_EVENTS),
            twin_name.format(TWIN_CITY_EVENTS),
            goal_seconds=0.10,
        ),
        Line(
            "events/city-level Hawkes, 140 places, 1e6 events, value + gradient, 1 thread",
            ".10 s on 2 threads",
            lambda: ours(ON_CITIES, 1),
            lambda: twin(ON_CITIES, TWIN_CITY_EVENTS),
            twin_name.format(TWIN_CITY_EVENTS),
        ),
    ]
