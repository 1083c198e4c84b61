"""What the mobilisation model expects without a draw: a plain twin, exact special cases, simulated means, slopes."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from naive import mobilisation_means as naive
from scipy.stats import nbinom

from groundswell.data.places import Places
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.window import Window
from groundswell.errors import MissingVerb
from groundswell.infer.totals import simulated_totals
from groundswell.models.cities.mobilisation import (
    Abroad,
    Background,
    Backlash,
    Between,
    CalendarPulse,
    Deterrence,
    Groups,
    Mobilisation,
    Organised,
    Within,
)
from groundswell.models.cities.mobilisation_laws import PlaceLaw
from groundswell.models.day_by_day import Total
from groundswell.models.triggering import Gravity, NeighbourhoodOrder, PowerLaw
from groundswell.params import Effects, leaves, names, replacing, vector
from groundswell.rng import generator

EVERY = np.arange(4)
ASKED = (
    Total("events", False, EVERY, 0, 11),
    Total("events", False, EVERY[1:2], 3, 3),
    Total("events", True, EVERY, 0, 5),
    Total("events", True, EVERY, 4, 4),
    Total("events", True, EVERY[1:], 3, 7),
    Total("arrests", False, EVERY, 1, 5),
    Total("arrests", True, EVERY, 0, 6),
    Total("arrests", True, EVERY, 3, 3),
    Total("participants", False, EVERY[1:3], 2, 9),
    Total("warned", False, EVERY, 0, 5),
)
LATER = (
    Total("formed", False, EVERY[:2], 3, 30),
    Total("broken_up", False, EVERY, 0, 39),
    Total("members_arrested", False, EVERY, 5, 39),
    Total("members_warned", False, EVERY[1:2], 20, 39),
)


def rich(reach: PowerLaw | Gravity | NeighbourhoodOrder) -> tuple[Mobilisation, Setting]:
    """Every mechanism at work, few enough events for chances to be far from 0 and 1."""
    model, setting = Mobilisation.example()
    model = replace(
        model,
        background=Background(0.004, Effects(holiday=0.3)), between=Between(0.3, reach), organised=Organised(0.2, 0.5),
        groups=Groups(recruitment=3.0, breakup=4.0), abroad=Abroad(0.02), backlash=Backlash(0.3),
        pulse=CalendarPulse(trend=0.03, weekday=Effects(mon=0.2, fri=-0.1)),
        call=replace(model.call, rate=0.5) if model.call else None,
    )  # fmt: skip
    return model, replace(setting, later_edges=(12, 15, 22, 40), abroad=np.linspace(0, 3, 12))


@pytest.mark.parametrize("reach", [NeighbourhoodOrder(), PowerLaw(), Gravity()])
def test_it_is_the_plain_recursion(reach: PowerLaw | Gravity | NeighbourhoodOrder) -> None:
    model, setting = rich(reach)
    found, _ = model.mean_field(setting, ASKED)(vector(model))
    made = naive.course(model, setting)
    # the table of a reach over km is linear between its nodes; steps along a network are exact
    close = 1e-10 if isinstance(reach, NeighbourhoodOrder) else 1e-5
    expected = [naive.total(model, setting, made, total) for total in ASKED]
    # of many events the chance that none led to an arrest is cut off
    assert found == pytest.approx(expected, rel=close)


@pytest.mark.parametrize("reach", [NeighbourhoodOrder(), PowerLaw(), Gravity()])
def test_every_slope_is_that_of_differences(reach: PowerLaw | Gravity | NeighbourhoodOrder) -> None:
    model, setting = rich(reach)
    asked = (*ASKED, *LATER)
    at, mean_field = vector(model), model.mean_field(setting, asked)
    found, pull = mean_field(at)
    slopes = np.array([pull(one) for one in np.eye(len(asked))])
    moved = 0
    for k, leaf in enumerate(leaves(model)):
        if leaf.name.startswith("groups.") and leaf.value == 0:
            continue  # effects on groups have no mean field
        width = 1e-5 * max(abs(leaf.value), 0.01)
        step = width * (np.arange(len(at)) == k)
        expected = (mean_field(at + step)[0] - mean_field(at - step)[0]) / (2 * width)
        assert slopes[:, k] == pytest.approx(expected, rel=2e-5, abs=2e-6 * np.abs(found).max() ** 0.5), leaf.name
        moved += bool(np.abs(expected).max() > 1e-6)
    assert moved >= 30


def test_background_alone_is_exact() -> None:
    """Independent negative binomials: chances and expected numbers in closed form."""
    quiet = dict.fromkeys(
        ("within", "between", "media", "organised", "groups", "call", "deterrence", "backlash"),
    )
    _, setting = Mobilisation.example()
    model = Mobilisation(Background(0.05), **quiet, overdispersion=0.7)
    mean = 0.05 * (setting.places.population / 1e5) ** model.scale
    none = nbinom.pmf(0, 1 / 0.7, 1 / (1 + 0.7 * mean))
    asked = (
        Total("events", False, EVERY, 2, 6),
        Total("events", True, EVERY, 2, 6),
        Total("events", True, EVERY, 0, 6),
    )
    found, _ = model.mean_field(setting, asked)(vector(model))
    hub = np.array([1.0, 0, 0, 0])
    expected = [5 * mean.sum(), (1 - none**5).sum(), (hub + (1 - hub) * (1 - none**6)).sum()]
    assert found == pytest.approx(expected, rel=1e-12)


def test_without_arrests_at_work_expected_events_are_exact() -> None:
    """The mean of a linear process is a linear recursion, however places are told apart."""
    _, setting = Mobilisation.example()
    model = Mobilisation(within=Within(0.8), groups=None, organised=None, deterrence=None, backlash=None)
    found, _ = model.mean_field(setting, ASKED[:1])(vector(model))
    totals, exploded = simulated_totals(model, setting, ASKED[:1], 20_000, rng=generator(1))
    assert not exploded.any()
    assert abs(found[0] - totals.mean()) < 4 * totals.std() / math.sqrt(len(totals))


def test_groups_are_a_branching_process() -> None:
    _, setting = Mobilisation.example()
    setting = replace(setting, later_edges=(12, 13, 14))
    groups = Groups(initial=50.0, recruitment=30.0, breakup=36.5)
    model = Mobilisation(groups=groups)
    asked = (Total("formed", False, EVERY, 0, 13), Total("broken_up", False, EVERY, 13, 13))
    found, _ = model.mean_field(setting, asked)(vector(model))
    growth, lost = 30 / 365 + math.exp(-0.1), 1 - math.exp(-0.1)
    assert found[0] == pytest.approx(50 * 30 / 365 * sum(growth**t for t in range(14)), rel=1e-12)
    assert found[1] == pytest.approx(50 * lost * growth**13, rel=1e-12)


def country(count: int = 80) -> Setting:
    rng = generator(4)
    population = 1e5 * rng.lognormal(0.0, 1.2, count)
    places = Places(
        tuple(f"place {i}" for i in range(count)), population, 30 + 8 * rng.random(count), 50 + 10 * rng.random(count),
        (), ("Land",) * count,
    )  # fmt: skip
    window = Window(date(2020, 1, 1), 30)
    return Setting(places, window, calls=call_matrix(places, window, [(date(2020, 1, 4), None)]),
                   active_on_day0=("place 3", "place 7"))  # fmt: skip


@pytest.mark.parametrize(("deterrence", "backlash", "share"), [(0.2, 0.0, 0.05), (0.4, -0.3, 0.08)])
def test_totals_of_a_country_are_near_simulated_ones(deterrence: float, backlash: float, share: float) -> None:
    """At the priors' medians, and where arrests hold events down by more; the closure's own error, as the docs say."""
    setting = country()
    model = replace(Mobilisation(), deterrence=Deterrence(deterrence), backlash=Backlash(backlash))
    every = np.arange(len(setting.places))
    sums = [("events", 0, 29), ("arrests", 0, 12), ("participants", 0, 7), ("broken_up", 0, 29)]
    counts = [("events", 1, 1), ("events", 0, 6), ("events", 0, 29), ("arrests", 3, 3), ("arrests", 0, 29)]
    asked = [Total(name, False, every, *days) for name, *days in sums]
    asked += [Total(name, True, every, *days) for name, *days in counts]
    found, _ = model.mean_field(setting, asked)(vector(model))
    totals, exploded = simulated_totals(model, setting, asked, 3_000, rng=generator(2))
    assert not exploded.any()
    error = 3 * totals.std(axis=0) / math.sqrt(len(totals))
    assert (np.abs(found - totals.mean(axis=0)) < share * totals.mean(axis=0) + error).all(), found / totals.mean(
        axis=0
    )


def test_what_it_cannot_do_is_said() -> None:
    model, setting = Mobilisation.example()
    with pytest.raises(MissingVerb, match="arrests that act after more than a day"):
        replace(model, deterrence=Deterrence(0.2, lag_days=3)).mean_field(setting, ASKED)
    with pytest.raises(MissingVerb, match="groups that events or other places' groups act on"):
        replace(model, groups=Groups(exposure=0.1)).mean_field(setting, ASKED)


LAWS = [
    ("arrests", False, 0, 1, 2.0, 0.3),
    ("arrests", False, 1, 8, 0.6, 0.6),
    ("arrests", True, 0, 5, 2.0, 0.3),
    ("participants", False, 0, 1, 2.0, 0.3),
    ("participants", False, 1, 4, 0.5, 0.7),
    ("events", False, 1, 5, 2.0, 0.3),
    ("events", True, 0, 5, 2.0, 0.3),
]


@pytest.mark.parametrize(("series", "distinct", "given", "days", "mean", "none"), LAWS)
def test_a_place_law_sums_to_one_and_has_its_slopes(
    series: str, distinct: bool, given: int, days: int, mean: float, none: float
) -> None:
    model, law = Mobilisation(), PlaceLaw(series, distinct, given, days, 30_000)
    found = law.at(model, mean, none)
    chance = np.exp(found.logs)
    assert chance.sum() == pytest.approx(1, abs=2e-3)
    if not distinct:
        size = {"events": 1, "arrests": 8.0, "participants": 150 * math.exp(0.5)}[series]
        # cells of 15 % each
        assert chance @ law.value == pytest.approx(size * (given + mean), rel=0.02)
    h = 1e-5
    for slopes, up, down in (
        (found.in_mean, law.at(model, mean + h, none), law.at(model, mean - h, none)),
        (found.in_none, law.at(model, mean, none + h), law.at(model, mean, none - h)),
        *(
            (slope, *(law.at(replacing(model, {name: value + step}), mean, none) for step in (h, -h)))
            for name, slope in found.named.items()
            for value in [dict(zip(names(model), vector(model), strict=True))[name]]
        ),
    ):
        expected = (np.exp(up.logs) - np.exp(down.logs)) / (2 * h)
        assert slopes * chance == pytest.approx(expected, abs=1e-7)


def test_arrests_of_one_day_are_those_of_the_model() -> None:
    """With an overdispersion of 1 the number of events is geometric, and nothing is approximate but the cells."""
    model, mean = Mobilisation(), 1.7
    law = PlaceLaw("arrests", False, 0, 1, 3_000)
    found = np.exp(law.at(model, mean, 1 / (1 + mean)).logs)
    events = np.arange(1, 400)
    share = nbinom.pmf(events, 1.0, 1 / (1 + mean))
    persons = np.arange(4_000)
    exact = share @ nbinom.pmf(persons, 0.5, 1 / (1 + 2 * 8.0 * events[:, None]))
    exact[0] += 1 / (1 + mean)
    assert found[:12] == pytest.approx(exact[:12], rel=1e-3)
    low, high = law.cells.low.astype(int), law.cells.high.astype(int)
    summed = np.array([exact[a : b + 1].sum() for a, b in zip(low, high, strict=True) if b < 2_000])
    assert found[: len(summed)] == pytest.approx(summed, rel=0.02, abs=1e-6)
