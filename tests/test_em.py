"""Expectation-maximisation: never falls, from wherever it starts, and ends where maximum likelihood does."""

from __future__ import annotations

import dataclasses
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import MissingVerb, NotConverged, UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.em import ExpectationMaximisation
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events.branching import CompleteLikelihood
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.library import load
from groundswell.params import vector
from groundswell.rng import generator

SETTING = Setting(Places(("Town",), np.array([5e4])), Window(date(2024, 1, 1), 40))
MODEL = SelfExciting(1.0, 0.5, ExponentialDelay(0.8))


def drawn(seed: int, model: Any = MODEL) -> History:
    return model.simulate(SETTING, rng=generator(seed))


def climbed(history: History, model: Any = MODEL, *, fixed: dict[str, float] | None = None, **options: Any) -> Fit:
    return fit(model, SETTING, history, ExpectationMaximisation(**options), rng=generator(0), fixed=fixed)


def likeliest(history: History, model: Any = MODEL, fixed: dict[str, float] | None = None) -> Fit:
    return fit(model, SETTING, history, MaximumLikelihood(), rng=generator(0), fixed=fixed)


@pytest.mark.parametrize("accelerated", [True, False])
def test_it_ends_where_maximum_likelihood_does(accelerated: bool) -> None:
    history = drawn(1)
    found, best = climbed(history, accelerated=accelerated), likeliest(history)
    assert found.converged
    assert best.converged
    assert found.log_density == pytest.approx(best.log_density, abs=2e-6)
    assert found.estimate == pytest.approx(best.estimate, rel=5e-3)
    assert found.standard_error == pytest.approx(best.standard_error, rel=1e-2)
    assert found.details["aic"] == pytest.approx(best.details["aic"], abs=4e-6)
    assert found.names == best.names
    assert "cycles of expectation-maximisation" in found.status


@pytest.mark.parametrize("accelerated", [True, False])
def test_the_log_density_never_falls_from_wherever_it_starts(accelerated: bool) -> None:
    history, rng = drawn(2), generator(7)
    best = likeliest(history)
    for _ in range(6):
        start = MODEL.replacing(dict(zip(best.names, np.exp(rng.normal(0, 1.5, 3)) * vector(MODEL), strict=True)))
        found = climbed(history, start, steps=5, accelerated=accelerated)
        trace = np.array(found.details["trace"])
        assert (np.diff(trace) >= 0).all()
        assert trace[0] == pytest.approx(start.log_density(SETTING, history))
        assert trace[-1] == pytest.approx(found.log_density)
        assert trace[-1] <= best.log_density + 1e-7
        assert trace[-1] > trace[0]


@pytest.mark.parametrize("name", ["self_exciting", "space_time", "mutually_exciting", "etas"])
def test_every_model_with_shares_is_climbed(name: str) -> None:
    model, setting = load(name).example()
    history = model.simulate(setting, rng=generator(1))
    found = fit(model, setting, history, ExpectationMaximisation(steps=60), rng=generator(0))
    best = fit(model, setting, history, MaximumLikelihood(), rng=generator(0))
    assert (np.diff(found.details["trace"]) >= 0).all()
    assert found.log_density == pytest.approx(best.log_density, abs=2e-6 if found.converged else 0.1)
    assert found.converged or name == "mutually_exciting"  # one of its offspring is at 0, to which EM creeps


def test_extrapolation_saves_cycles() -> None:
    history = drawn(6)
    fast, slow = climbed(history), climbed(history, accelerated=False)
    assert fast.details["cycles"] < 0.7 * slow.details["cycles"]
    assert fast.log_density == pytest.approx(slow.log_density, abs=4e-6)


def test_what_is_fixed_stays() -> None:
    history, fixed = drawn(1), {"delay.decay": 1.3}
    found, best = climbed(history, fixed=fixed), likeliest(history, fixed=fixed)
    assert found.estimate[2] == 1.3
    assert found.standard_error[2] == 0
    assert found.details["free"] == 2
    assert found.estimate == pytest.approx(best.estimate, rel=5e-3)
    everything = dict(zip(found.names, map(float, vector(MODEL)), strict=True))
    nothing_left = climbed(history, fixed=everything)
    assert nothing_left.converged
    assert nothing_left.log_density == pytest.approx(MODEL.log_density(SETTING, history))


def test_several_windows_share_the_parameters() -> None:
    histories = [drawn(4), drawn(5)]
    both = [SETTING, SETTING]
    found = fit(MODEL, both, histories, ExpectationMaximisation(), rng=generator(0))
    best = fit(MODEL, both, histories, MaximumLikelihood(), rng=generator(0))
    assert found.log_density == pytest.approx(best.log_density, abs=2e-6)


def test_stopping_by_steps_is_said() -> None:
    found = climbed(drawn(1), steps=1)
    assert not found.converged
    assert "stopped by steps = 1" in found.notes[0]
    assert not any("The search ended" in note for note in found.notes)
    assert found.details["cycles"] == 1


def test_the_same_data_give_the_same_fit() -> None:
    assert climbed(drawn(1), steps=3).estimate.tolist() == climbed(drawn(1), steps=3).estimate.tolist()


class Mismatched(SelfExciting):
    """A complete likelihood that climbs elsewhere."""

    def complete_likelihood(self, setting: Setting, history: History) -> CompleteLikelihood:
        def expected(x: np.ndarray, shares: object) -> tuple[float, np.ndarray]:
            return float(-((x - 9) ** 2).sum()), -2 * (x - 9)

        return SimpleNamespace(attribute=lambda x: None, expected=expected)  # type: ignore[return-value]


def test_a_fall_is_an_error_of_the_model() -> None:
    model = Mismatched(**{field.name: getattr(MODEL, field.name) for field in dataclasses.fields(MODEL)})
    with pytest.raises(NotConverged, match="do not belong together"):
        climbed(drawn(1), model)


def test_what_cannot_be_climbed_is_refused() -> None:
    counting, setting = load("endemic_epidemic").example()
    history = counting.simulate(setting, rng=generator(1))
    with pytest.raises(MissingVerb, match=r"complete_likelihood.*Use MaximumLikelihood"):
        fit(counting, setting, history, ExpectationMaximisation(), rng=generator(0))
    with pytest.raises(UsageError, match="1 or more"):
        ExpectationMaximisation(steps=0)
    with pytest.raises(UsageError, match="not finite at the starting values"):
        climbed(drawn(1), MODEL.replacing({"background": 0.0}), fixed={"background": 0.0})
