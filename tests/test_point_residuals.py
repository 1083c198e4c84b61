"""Time-rescaling residuals: calibrated for known parameters, naive for fitted ones, simulated ones in between."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, MissingVerb, UsageError
from groundswell.evaluate.point_residuals import (
    ResidualTests,
    counts_in_band,
    rescaled,
    residual_tests,
    waits_in_band,
)
from groundswell.evaluate.replicas import Replicas, at_least_as_extreme, held
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.ties import jittered
from groundswell.models.library import load
from groundswell.rng import generator

ONE = Places(("Town",), np.array([5e4]))
SETTING = Setting(ONE, Window(date(2024, 1, 1), 40))
MODEL = SelfExciting(1.0, 0.5, ExponentialDelay(0.8))
STEADY = MODEL.replacing({"background": 2.0, "branching_ratio": 0.0})
"""No event sets off another: what a clustered record refutes."""
NAMES = ["waiting times", "times", "serial", "dispersion", "number"]


def drawn(seed: int, model: SelfExciting = MODEL) -> History:
    return model.simulate(SETTING, rng=generator(seed))


def fitted(history: History, model: SelfExciting = MODEL, **fixed: float) -> Fit:
    return fit(model, SETTING, history, MaximumLikelihood(), rng=generator(0), fixed=fixed)


def p(tests: ResidualTests, column: str = "p known") -> dict[str, float]:
    return dict(zip(tests.table["test"], tests.table[column], strict=True))


def test_a_constant_rate_stretches_time_and_nothing_else() -> None:
    found = rescaled(STEADY, SETTING, drawn(1, STEADY))
    assert found.tau == pytest.approx(2 * found.days)
    assert found.total == pytest.approx(80)
    assert found.waits.sum() == pytest.approx(found.tau[-1])
    assert found.uniforms == pytest.approx(1 - np.exp(-found.waits))


def test_transformed_times_are_integrals_of_the_intensity() -> None:
    history = drawn(2)
    assert history.events is not None
    found = rescaled(MODEL, SETTING, history)
    days = history.events.time_days
    fine = np.linspace(0, days[30], 400_001)
    rate = np.full(len(fine), MODEL.background)
    for t in days[:30]:
        rate += MODEL.branching_ratio * MODEL.delay.value(fine - t) * (fine > t)
    assert found.tau[30] == pytest.approx(np.trapezoid(rate, fine), rel=1e-4)


def test_p_values_are_uniform_for_known_parameters() -> None:
    values = []
    for seed in range(120):
        found = residual_tests(MODEL, SETTING, drawn(seed), rng=generator(0))
        values.append(found.table["p known"])
    low = (np.array(values) < 0.1).mean(axis=0)  # 12 of 120 expected, sd 3.3
    middle = (np.array(values) < 0.5).mean(axis=0)  # 60 expected, sd 5.5
    assert ((low > 0.02) & (low < 0.18)).all(), dict(zip(NAMES, low, strict=True))
    assert ((middle[:4] > 0.37) & (middle[:4] < 0.63)).all(), dict(zip(NAMES, middle, strict=True))


def test_p_values_are_too_large_for_fitted_parameters_and_the_result_says_so() -> None:
    values = []
    for seed in range(40):
        found = fitted(drawn(seed))
        tests = residual_tests(found, SETTING, drawn(seed), rng=generator(0))
        assert "naive" in tests.notes[0]
        values.append([p(tests)["waiting times"], p(tests)["number"]])
    waits, number = np.array(values).T
    assert (waits < 0.5).mean() < 0.35  # half, were they uniform
    assert number.min() > 0.9  # the background of a fit makes expected what was observed


def test_simulated_p_values_undo_that() -> None:
    known, simulated = [], []
    for seed in range(14):
        history = drawn(seed)
        tests = residual_tests(fitted(history), SETTING, history, rng=generator(seed), replicates=9)
        known.append(p(tests)["waiting times"])
        simulated.append(p(tests, "p simulated")["waiting times"])
    assert np.mean(known) > np.mean(simulated) + 0.1
    assert 0.32 < np.mean(simulated) < 0.78  # .55 expected, sd .08


def test_a_model_without_triggering_is_refuted_by_clustered_events() -> None:
    steady = dataclasses.replace(STEADY, delay=ExponentialDelay(1.0))
    history = drawn(5, MODEL.replacing({"branching_ratio": 0.7}))
    found = fitted(history, steady, branching_ratio=0.0, **{"delay.decay": 1.0})
    tests = residual_tests(found, SETTING, history, rng=generator(1), replicates=39)
    assert p(tests, "p simulated")["waiting times"] == pytest.approx(1 / 40)
    assert p(tests, "p simulated")["dispersion"] == pytest.approx(1 / 40)
    assert dict(zip(tests.table["test"], tests.table["statistic"], strict=True))["dispersion"] > 1.5


def test_each_test_sees_what_it_is_for() -> None:
    rng = generator(3)
    total, n = 200.0, 200
    drifting = np.sort(rng.random(n) ** 0.6) * total
    regular = (np.arange(n) + rng.random(n)) * total / n
    following = np.cumsum(-np.log(rng.random(n // 2).repeat(2)))
    cases = {"times": drifting, "dispersion": regular, "serial": following / following[-1] * total}
    for name, tau in cases.items():
        assert _of(tau, total)[name] < 1e-3, name
    assert _of(cases["serial"], total)["times"] > 0.01
    assert _of(drifting, total)["serial"] > 0.01
    assert _of(np.sort(rng.random(300)) * total, total)["number"] < 1e-6


def _of(tau: np.ndarray, total: float) -> dict[str, float]:
    """p-values of given transformed times, by a model whose compensator is the identity."""
    days = int(total)
    setting = Setting(ONE, Window(date(2024, 1, 1), days))
    model = MODEL.replacing({"background": 1.0, "branching_ratio": 0.0})
    history = from_events(ONE, setting.window, Events(tau, np.zeros(len(tau), int)))
    return p(residual_tests(model, setting, history, rng=generator(0)))


def test_replicas_bring_their_own_band() -> None:
    history = drawn(8)
    plain = residual_tests(fitted(history), SETTING, history, rng=generator(1))
    own = residual_tests(fitted(history), SETTING, history, rng=generator(1), replicates=39)
    assert plain.critical["waits"] == pytest.approx(1.36 / len(plain.rescaled) ** 0.5, rel=0.03)
    assert own.critical["waits"] < plain.critical["waits"]  # a fit keeps closer to its own data
    assert "naive" in str(plain)
    assert "naive" in str(own)


def test_bands_hold_a_right_model_and_not_a_wrong_one() -> None:
    for model, inside in ((MODEL, True), (STEADY.replacing({"background": 1.0}), False)):
        tests = residual_tests(model, SETTING, drawn(11), rng=generator(0))
        waits, counts = waits_in_band(tests), counts_in_band(tests)
        low, seen, high = (np.array(waits[name]) for name in ("low", "observed", "high"))
        assert bool(((low <= seen) & (seen <= high)).all()) is inside
        assert counts["count"][-1] == len(tests.rescaled)
        assert counts["expected"][-1] < len(tests.rescaled) == pytest.approx(counts["expected"][-1], rel=0.05)
        assert np.exp(-np.array(waits["wait"])) == pytest.approx(1 - seen)


def test_band_of_the_counts_holds_nearly_all_right_models() -> None:
    left = 0
    for seed in range(60):
        band = counts_in_band(residual_tests(MODEL, SETTING, drawn(seed), rng=generator(0)))
        count = np.array(band["count"])
        left += bool(((count < np.array(band["low"])) | (count - 1 > np.array(band["high"]))).any())
    assert left <= 8  # 3 expected


def by_the_day(history: History) -> History:
    events = history.events
    assert events is not None
    known = Events(np.floor(events.time_days), events.place, day_precision=True)
    return dataclasses.replace(history, events=known)


def test_ties_are_said_and_take_waits_to_0() -> None:
    history = by_the_day(drawn(4))
    tests = residual_tests(STEADY, SETTING, history, rng=generator(0))
    assert any("share their time" in note for note in tests.notes)
    assert (tests.rescaled.waits == 0).sum() >= tests.rescaled.tied > 10
    assert p(tests)["waiting times"] < 1e-6


def test_events_spread_over_their_days_before_the_fit_are_taken_as_they_come() -> None:
    history = jittered(by_the_day(drawn(4, STEADY)), rng=generator(1))
    tests = residual_tests(STEADY, SETTING, history, rng=generator(0))
    assert tests.rescaled.tied == 0
    assert min(p(tests).values()) > 0.01


def test_what_cannot_be_tested_is_refused() -> None:
    counts = History(ONE, SETTING.window, {"events": np.zeros((1, 40))})
    with pytest.raises(DataError, match="single events"):
        rescaled(MODEL, SETTING, counts)
    few = from_events(ONE, SETTING.window, Events(np.arange(5.0), np.zeros(5, int)))
    with pytest.raises(DataError, match="5 events are too few"):
        residual_tests(MODEL, SETTING, few, rng=generator(0))
    with pytest.raises(UsageError, match="Give the Fit, or a method"):
        residual_tests(MODEL, SETTING, drawn(1), rng=generator(0), replicates=3)
    with pytest.raises(MissingVerb, match="jittered"):
        rescaled(dataclasses.replace(MODEL, by_step=True), SETTING, drawn(1))
    counting, setting = load("endemic_epidemic").example()
    with pytest.raises(MissingVerb, match="Time rescaling needs a model of single events"):
        rescaled(counting, setting, counting.simulate(setting, rng=generator(1)))


def test_a_held_out_record_is_told_from_the_fit_s_own() -> None:
    found = fitted(drawn(1))
    own = residual_tests(found, SETTING, drawn(1), rng=generator(0)).notes[0]
    other = residual_tests(found, SETTING, drawn(2), rng=generator(0)).notes[0]
    assert "naive here" in own
    assert "learnt from other events" in other


def test_replicas_are_counted_when_lost_and_do_not_move_the_others() -> None:
    history = drawn(1)
    capped = dataclasses.replace(MODEL, max_events=len(history.events or ()) + 3)
    found = fitted(history, capped)
    replicas = Replicas(found, SETTING, 12, generator(2))
    made = list(replicas)
    assert sum(replicas.lost.values()) + len(made) == 12
    assert 0 < len(made) < 12
    assert "could not be drawn or fitted" in replicas.remarks()[0]
    uncapped = dataclasses.replace(found, model=dataclasses.replace(found.model, max_events=100_000))  # type: ignore[type-var]
    everything = [len(h.events or ()) for _, h in Replicas(uncapped, SETTING, 12, generator(2))]
    kept = [len(h.events or ()) for _, h in made]
    assert len(everything) == 12
    assert kept == [count for count in everything if count <= capped.max_events]


def test_without_a_replica_there_is_no_simulated_p_value() -> None:
    history = drawn(1)
    found = fitted(history, dataclasses.replace(MODEL, max_events=len(history.events or ())))
    full = found.model.replacing({"background": 50.0})  # passes the cap
    tests = residual_tests(dataclasses.replace(found, model=full), SETTING, history, rng=generator(0), replicates=4)
    assert tests.table["p simulated"] == [None] * 5
    assert any("4 of 4 replicas could not be drawn" in note for note in tests.notes)


def test_what_a_fit_held_is_held_in_its_replicas() -> None:
    found = fitted(drawn(1), branching_ratio=0.4)
    assert held(found) == {"branching_ratio": 0.4}
    for model, _ in Replicas(found, SETTING, 2, generator(1)):
        assert isinstance(model, SelfExciting)
        assert model.branching_ratio == 0.4
        assert model.background != found.estimate[0]
    for model, _ in Replicas(found, SETTING, 2, generator(1), refit=False):
        assert model == found.model


def test_the_observed_counts_among_the_replicas() -> None:
    assert at_least_as_extreme(3.0, np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx(3 / 5)
    assert at_least_as_extreme(9.0, np.zeros(99)) == pytest.approx(0.01)
    assert np.isnan(at_least_as_extreme(float("nan"), np.zeros(3)))
