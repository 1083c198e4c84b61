"""Contagion against a background that moves: evidence against quadrature, what a record can tell and what it cannot."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import UsageError
from groundswell.evaluate.contagion import CANDIDATES, Movement, contagion_or_correlation, how_often
from groundswell.infer.laplace import evidence
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events.mutually_exciting import MutuallyExciting
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.self_exciting_parts import Course
from groundswell.models.events.space_time import SpaceTime
from groundswell.params import Effects
from groundswell.rng import generator

TOWN = Setting(Places(("Town",), np.array([5e4])), Window(date(2024, 1, 1), 60))
MODEL = SelfExciting(1.0, 0.6, ExponentialDelay(1.5))
WITHOUT = {"branching_ratio": 0.0, "delay.decay": 1.0}
QUICK = {"movements": (Movement(14.0),), "sds": (0.5, 1.0)}


def drawn(seed: int, model: SelfExciting = MODEL, setting: Setting = TOWN) -> History:
    return model.simulate(setting, rng=generator(seed))


def moved(seed: int, sd: float = 1.0, level: float = 2.0) -> History:
    """Events without triggering, of a rate that rises and falls over two weeks."""
    rng = generator(seed)
    columns = Movement(12.0).columns(TOWN)
    setting = dataclasses.replace(TOWN, covariates=columns)
    effects = Effects({name: sd * rng.normal() for name in columns})
    model = SelfExciting(level, 0.0, ExponentialDelay(1.0), course=Course(effects))
    return model.simulate(setting, rng=rng)


def test_the_evidence_of_one_parameter_is_that_of_quadrature() -> None:
    history = drawn(1, MODEL.replacing(WITHOUT))
    found = evidence(MODEL, TOWN, history, fixed=WITHOUT)
    count = len(history.events or ())

    def integrand(free: float) -> float:
        rate = np.exp(free)  # prior: log-normal of median 1 and sd 1
        return float(np.exp(count * free - rate * 60 - shift) * norm.pdf(free))

    shift = count * np.log(count / 60) - count
    exact = np.log(quad(integrand, np.log(count / 60) - 3, np.log(count / 60) + 3)[0]) + shift
    assert found.log_evidence == pytest.approx(exact, abs=0.005)
    assert found.converged
    assert found.values["branching_ratio"] == 0


def test_the_evidence_of_two_parameters_is_that_of_a_grid() -> None:
    history = drawn(2)
    fixed = {"delay.decay": 1.5}
    found = evidence(MODEL, TOWN, history, fixed=fixed)
    likelihood = MODEL.likelihood(TOWN, history)
    mode = np.log([found.values["background"], found.values["branching_ratio"]])
    a, b = np.linspace(mode[0] - 1.5, mode[0] + 1.5, 61), np.linspace(mode[1] - 2, mode[1] + 1.5, 61)
    logs = np.array(
        [
            [
                likelihood(np.array([np.exp(x), np.exp(y), 1.5]))[0] + norm.logpdf(x) + norm.logpdf(y, np.log(0.4), 0.5)
                for y in b
            ]
            for x in a
        ]
    )
    exact = np.log(np.exp(logs - logs.max()).sum() * (a[1] - a[0]) * (b[1] - b[0])) + logs.max()
    assert found.log_evidence == pytest.approx(exact, abs=0.05)


def test_the_spread_of_a_coefficient_replaces_its_prior() -> None:
    """A flat column acts like the level itself; a tight prior on it leaves it at 0 and takes nothing away."""
    setting = dataclasses.replace(TOWN, covariates={"one": np.ones((1, 60))})
    model = dataclasses.replace(MODEL.replacing(WITHOUT), course=Course(Effects(one=0.0)))
    history = drawn(1, MODEL.replacing(WITHOUT))
    plain = evidence(MODEL, TOWN, history, fixed=WITHOUT)
    tight = evidence(model, setting, history, fixed=WITHOUT, spread={"course.effects.one": 1e-3})
    assert tight.log_evidence == pytest.approx(plain.log_evidence, abs=1e-3)
    wide = evidence(model, setting, history, fixed=WITHOUT, spread={"course.effects.one": 2.0})
    # the sum of the two is log-normal with a variance of 1 + 4
    count = len(history.events or ())
    apart = np.log(count / 60)
    expected = norm.logpdf(apart, 0, 5**0.5) - norm.logpdf(apart, 0, 1)
    assert wide.log_evidence - plain.log_evidence == pytest.approx(expected, abs=0.03)


def test_a_moving_background_has_sd_one_and_the_scale_asked_for() -> None:
    waves = np.stack([column[0] for column in Movement(8.0).columns(TOWN).values()])
    draws = generator(1).normal(size=(4000, len(waves))) @ waves
    assert draws.std(axis=0).mean() == pytest.approx(1, abs=0.03)
    assert np.corrcoef(draws[:, 26], draws[:, 34])[0, 1] == pytest.approx(np.exp(-0.5), abs=0.05)
    assert len(waves) < 20
    places = SelfExciting.example()[1]
    own = Movement(8.0, own=True).columns(places)
    assert len(own) == 4 * len(waves)
    assert (own["moving 2 in Twin"][[0, 1, 3]] == 0).all()
    assert own["moving 2 in Twin"][2] == pytest.approx(waves[1])


def test_fast_offspring_are_told_from_a_slow_background() -> None:
    found = contagion_or_correlation(
        MODEL, TOWN, drawn(3, MODEL.replacing({"branching_ratio": 0.7, "delay.decay": 4.0})), without=WITHOUT, **QUICK
    )
    assert found.verdict == "contagion"
    assert found.triggering == pytest.approx(found.table["weight"][2] + found.table["weight"][3])
    assert sum(found.table["weight"]) == pytest.approx(1)
    assert found.table["branching ratio"][2] == pytest.approx(0.7, abs=0.25)
    assert list(found.table["candidate"]) == list(CANDIDATES)
    assert "contagion: triggering has probability" in str(found)


def test_a_moving_background_is_not_taken_for_contagion_when_it_may_move() -> None:
    """A fit without it finds offspring that are none."""
    history = moved(5)
    found = contagion_or_correlation(MODEL, TOWN, history, without=WITHOUT, **QUICK)
    assert found.movement > 0.9
    assert found.verdict != "contagion"
    assert found.table["branching ratio"][2] > 0.5
    assert found.table["branching ratio"][3] < found.table["branching ratio"][2]
    assert len(found.moving) == 2


def test_few_events_cannot_tell() -> None:
    history = drawn(4, MODEL.replacing({"background": 0.25, "branching_ratio": 0.3, "delay.decay": 0.5}))
    assert len(history.events or ()) < 30
    found = contagion_or_correlation(MODEL, TOWN, history, without=WITHOUT, **QUICK)
    assert found.verdict == "cannot tell"
    assert max(found.table["weight"]) < 0.9


def test_verdicts_on_records_of_each_candidate() -> None:
    """The error rates of docs/point-process-checks.md in small."""
    fast = MODEL.replacing({"branching_ratio": 0.7, "delay.decay": 4.0, "background": 0.7})
    table = how_often(
        fast, TOWN, without=WITHOUT, steady={"background": 2.0}, moving=(Movement(14.0), 1.0), replicates=4,
        rng=generator(1), **QUICK,
    )  # fmt: skip
    rows = {row["truth"]: row for row in table.rows()}
    for row in rows.values():
        assert row["contagion"] + row["no contagion"] + row["cannot tell"] == pytest.approx(1)
        assert row["lost"] == 0
    assert rows["contagion"]["contagion"] >= 0.5
    assert rows["steady"]["contagion"] == 0
    assert rows["moving background"]["contagion"] <= 0.25
    assert rows["contagion"]["mean weight"] > rows["steady"]["mean weight"] + 0.2


def test_events_of_the_plane_have_an_endemic_part_that_moves() -> None:
    model, setting = SpaceTime.example()
    setting = setting.during(60)
    model = dataclasses.replace(model, endemic=dataclasses.replace(model.endemic, effects=Effects()))  # type: ignore[type-var]
    wide = model.replacing({"endemic.intercept": -13.0})
    history = wide.simulate(setting, rng=generator(1))
    held = {"offspring.reach.scale_km": 12.0, "offspring.delay.decay": 0.3}
    found = contagion_or_correlation(
        model, setting, history, without={"offspring.intercept": -30.0, **held}, movements=(Movement(30.0),), sds=(0.5,)
    )
    assert found.verdict == "contagion"
    assert found.table["branching ratio"] == [None] * 4


def test_a_model_without_a_background_that_could_move_is_refused() -> None:
    model, setting = MutuallyExciting.example()
    with pytest.raises(UsageError, match="no background with columns"):
        contagion_or_correlation(model, setting, History(setting.places, setting.window), without={})
