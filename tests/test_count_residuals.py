"""Residuals of counts by step: closed forms, calibrated p-values for known parameters, and what each test is for."""

from __future__ import annotations

import dataclasses
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtri

from groundswell.data.history import History, from_events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, MissingVerb
from groundswell.evaluate.calibration import pit_histogram
from groundswell.evaluate.count_residuals import TESTS, CountTests, count_tests, normal_scores
from groundswell.evaluate.point_residuals import residual_tests
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.self_exciting_parts import ByPopulation
from groundswell.models.events.ties import jittered
from groundswell.rng import generator

FOUR = Places(("a", "b", "c", "d"), np.array([8e5, 2e5, 1e5, 1e5]))
SETTING = Setting(FOUR, Window(date(2024, 1, 1), 90))
MODEL = SelfExciting(3.0, 0.5, ExponentialDelay(0.2), by_step=True)
STEADY = MODEL.replacing({"branching_ratio": 0.0, "background": 6.0})


def drawn(seed: int, model: SelfExciting = MODEL, setting: Setting = SETTING) -> History:
    return model.simulate(setting, rng=generator(seed))


def fitted(history: History, model: SelfExciting, fixed: dict[str, float]) -> Fit:
    return fit(model, SETTING, history, MaximumLikelihood(), rng=generator(0), fixed=fixed)


def of_counts(counts: np.ndarray) -> History:
    return History(FOUR, SETTING.window, {"events": counts.astype(float)})


def p(tests: CountTests, column: str = "p known") -> dict[str, float]:
    return dict(zip(tests.table["test"], tests.table[column], strict=True))


def statistic(tests: CountTests) -> dict[str, float]:
    return dict(zip(tests.table["test"], tests.table["statistic"], strict=True))


@given(st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60)
def test_scores_are_means_over_the_draw(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    score, spread = (float(each) for each in normal_scores(np.array(low), np.array(high)))
    if high - low < 1e-6:  # a point, or nearly one
        middle = float(ndtri(np.clip((low + high) / 2, 1e-300, 1 - 1e-16)))
        assert score == pytest.approx(middle, abs=max(1e-5, 2e-2 * abs(middle)))
        return
    ends = np.clip(ndtri([low, high]), -38, 38)
    points = sorted({*ends, *(at for at in (-6.0, -1.0, 0.0, 1.0, 6.0) if ends[0] < at < ends[1])})
    for power, found in ((1, score), (2, spread + 1)):
        parts = [
            quad(lambda z, k=power: z**k * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi), *piece)[0]
            for piece in pairwise(points)
        ]
        assert found == pytest.approx(sum(parts) / (high - low), rel=1e-6, abs=1e-9 / (high - low))


def test_ends_have_scores_and_what_is_not_known_has_none() -> None:
    score, spread = normal_scores(np.array([0.0, 1.0, 0.0, np.nan]), np.array([1.0, 1.0, 0.0, np.nan]))
    assert (score[0], spread[0]) == (0, 0)
    assert 8 < score[1] < 9
    assert score[2] < -30
    assert np.isnan([score[3], spread[3]]).all()


@pytest.mark.parametrize("model", [MODEL, STEADY], ids=["triggering", "steady"])
def test_p_values_are_uniform_for_known_parameters(model: SelfExciting) -> None:
    found = [
        count_tests(model, SETTING, drawn(seed, model), rng=generator(seed)).table["p known"] for seed in range(120)
    ]
    low = (np.array(found) < 0.1).mean(axis=0)  # 12 of 120 expected, sd 3.3
    middle = (np.array(found) < 0.5).mean(axis=0)  # 60 expected, sd 5.5
    assert ((low > 0.02) & (low < 0.18)).all(), dict(zip(TESTS, low, strict=True))
    assert ((middle > 0.37) & (middle < 0.63)).all(), dict(zip(TESTS, middle, strict=True))


def test_each_test_sees_what_it_is_for() -> None:
    rng = generator(2)
    mean = np.full(SETTING.shape, 1.5)
    twice = 2 * rng.poisson(mean / 2)
    drifting = rng.poisson(mean * np.repeat([0.5, 1.5, 0.5, 1.5, 0.5, 1.5], 15))
    shared = rng.poisson(mean * rng.choice([0.5, 1.5], 90))
    unequal = rng.poisson(mean * np.array([[1.3], [1.2], [0.8], [0.7]]))
    seen = {}
    for name, counts in (("dispersion", twice), ("serial", drifting), ("together", shared), ("places", unequal)):
        tests = count_tests(STEADY, SETTING, of_counts(counts), rng=generator(1))
        seen[name] = p(tests)
        assert seen[name][name] < 1e-3, name
        if name != "places":
            assert statistic(tests)[name] > (0.1 if name == "serial" else 1.2)
    assert seen["places"]["together"] > 0.01
    assert seen["together"]["places"] > 0.01
    assert seen["dispersion"]["serial"] > 0.01
    more = p(count_tests(STEADY, SETTING, of_counts(rng.poisson(1.3 * mean)), rng=generator(1)))
    assert more["number"] < 1e-6
    assert more["counts"] < 1e-3
    assert more["together"] > 0.01


def test_one_place_has_no_others_and_few_events_no_test() -> None:
    one = Setting(Places.single(), Window(date(2024, 1, 1), 60))
    tests = count_tests(MODEL, one, drawn(1, MODEL, one), rng=generator(1))
    assert [name for name in TESTS if np.isnan(p(tests)[name])] == ["together", "places"]
    few = np.zeros(SETTING.shape)
    few[0, :3] = 1
    with pytest.raises(DataError, match="3 events are too few"):
        count_tests(MODEL, SETTING, of_counts(few), rng=generator(1))
    with pytest.raises(MissingVerb, match=r"count_tests needs SelfExciting.pit\(\)"):
        count_tests(dataclasses.replace(MODEL, by_step=False), SETTING, drawn(1), rng=generator(1))


def test_rare_places_are_joined() -> None:
    """Ten events or more a group: two rare places and a third are one, the last one joins the group before it."""
    counts = np.zeros(SETTING.shape)
    for place, events in enumerate((5, 4, 3, 40)):
        counts[place, np.arange(events) * 2] = 1
    tests = count_tests(STEADY, SETTING, of_counts(counts), rng=generator(1))
    low, high = STEADY.pit(SETTING, of_counts(counts))
    score = normal_scores(low, high)[0]
    groups = [score[:3], score[3:]]
    expected = sum(float(g.sum() ** 2 / (g**2).sum()) for g in groups)
    assert statistic(tests)["places"] == pytest.approx(expected)


def test_the_histogram_is_that_of_the_counts_that_are_weighed() -> None:
    history = dataclasses.replace(drawn(3), weighed=generator(1).random(SETTING.shape) < 0.6)
    tests = count_tests(MODEL, SETTING, history, rng=generator(1))
    low, high = (each[history.weighed] for each in MODEL.pit(SETTING, history))
    assert tests.histogram["share"] == pytest.approx(pit_histogram(low, high).tolist())
    assert all(row["low"] < row["share"] < row["high"] for row in tests.histogram.rows())
    assert tests.autocorrelation["lag"] == list(range(1, 11))
    assert tests.autocorrelation["correlation"][0] == pytest.approx(statistic(tests)["serial"])
    assert np.max(np.abs(tests.autocorrelation["correlation"])) < 0.3
    same = count_tests(MODEL, SETTING, history, rng=generator(1))
    assert same.table == tests.table
    whole = count_tests(MODEL, SETTING, drawn(3), rng=generator(1))
    assert whole.table != tests.table


def test_replicas_allow_for_the_fit() -> None:
    known, simulated = [], []
    for seed in range(6):
        history = drawn(seed)
        found = fitted(history, MODEL, {"delay.decay": 0.2})
        tests = count_tests(found, SETTING, history, rng=generator(seed), replicates=9)
        assert "naive" in tests.notes[0]
        known.append([p(tests)[name] for name in ("number", "serial")])
        simulated.append([p(tests, "p simulated")[name] for name in ("number", "serial")])
    assert np.mean(known, axis=0)[0] > 0.9  # the background of a fit makes expected what was observed
    assert (np.abs(np.mean(simulated, axis=0) - 0.55) < 0.36).all()  # sd .12


def test_a_model_without_triggering_is_refused() -> None:
    history = drawn(4, MODEL.replacing({"branching_ratio": 0.8, "delay.decay": 1.0}))
    found = fitted(history, STEADY, {"branching_ratio": 0.0, "delay.decay": 1.0})
    tests = count_tests(found, SETTING, history, rng=generator(1), replicates=19)
    assert p(tests, "p simulated")["serial"] == pytest.approx(1 / 20)
    assert p(tests, "p simulated")["dispersion"] == pytest.approx(1 / 20)


def test_what_moving_events_does_is_not_laid_to_the_model() -> None:
    """Dates of quick triggering, by a right model: put at random moments the times refuse it, the counts do not."""
    setting = Setting(Places.single(), Window(date(2024, 1, 1), 500))
    truth = SelfExciting(1.0, 0.6, ExponentialDelay(12.0))
    times, counts = [], []
    for seed in range(4):
        history = drawn(seed, truth, setting)
        events: Any = history.events
        dated = from_events(
            setting.places, setting.window, dataclasses.replace(events, time_days=np.floor(events.time_days))
        )
        moved = jittered(dated, rng=generator(seed))
        times.append(min(residual_tests(truth, setting, moved, rng=generator(1)).table["p known"]))
        by_step = dataclasses.replace(truth, by_step=True)
        counts.append(np.nanmin(count_tests(by_step, setting, dated, rng=generator(1)).table["p known"]))
    assert max(times) < 1e-3
    assert min(counts) > 0.005


def test_the_population_is_seen_by_place() -> None:
    """Counts that go with the population, and a model that treats places alike."""
    by_size = dataclasses.replace(MODEL, population=ByPopulation(0.8))
    found = p(count_tests(MODEL, SETTING, drawn(5, by_size), rng=generator(1)))
    assert found["places"] < 1e-6
    assert p(count_tests(by_size, SETTING, drawn(5, by_size), rng=generator(1)))["places"] > 0.01
