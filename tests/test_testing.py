"""The contract's checks can fail: each broken model is caught, by the promise that it breaks."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from groundswell.models.library import load
from groundswell.models.starter import Starter
from groundswell.params import from_vector, param
from groundswell.testing import CONTRACT, BrokenPromise, check_contract, promises

SETTING = Starter.example()[1]


@dataclass(frozen=True)
class Unseeded(Starter):
    def simulate(self, setting: Any, *, rng: Any, given: Any = None) -> Any:
        return super().simulate(setting, rng=np.random.default_rng(), given=given)


@dataclass(frozen=True)
class Negative(Starter):
    def simulate(self, setting: Any, *, rng: Any, given: Any = None) -> Any:
        drawn = super().simulate(setting, rng=rng, given=given)
        return replace(drawn, series={"events": drawn["events"] - 1})


@dataclass
class Thawed(Starter.__base__):  # type: ignore[misc, name-defined]
    title: ClassVar[str] = "a model that is not frozen"
    paper: ClassVar[str] = "none"
    background: float = param("1", low=0, default=1.0, doc="events")

    def __hash__(self) -> int:
        return 0

    simulate = Starter.simulate
    offspring: ClassVar[float] = 0.5


@dataclass(frozen=True)
class Untitled(Starter):
    title: ClassVar[str] = ""


@dataclass(frozen=True)
class Unitless(Starter):
    more: float = param("", low=0, default=1.0, doc="no unit")


@dataclass(frozen=True)
class Forgetful(Starter):
    def simulate(self, setting: Any, *, rng: Any, given: Any = None) -> Any:
        return super().simulate(setting, rng=rng)


@dataclass(frozen=True)
class Mute(Starter):
    def lacks(self, verb: str) -> str | None:
        return "" if verb == "likelihood" else super().lacks(verb)


@dataclass(frozen=True)
class WrongSlope(Starter):
    def likelihood(self, setting: Any, history: Any) -> Any:
        evaluate = super().likelihood(setting, history)
        return lambda at: (evaluate(at)[0], evaluate(at)[1] * [1.0, 0.5])


@dataclass(frozen=True)
class WrongTerms(Starter):
    def pointwise(self, setting: Any, history: Any) -> Any:
        return super().pointwise(setting, history) * np.arange(setting.window.periods)

    def likelihood(self, setting: Any, history: Any) -> Any:
        return Starter(self.background, self.offspring).likelihood(setting, history)


@dataclass(frozen=True)
class Hindsight(Starter):
    """Its terms sum to the density, and move from step to step with what came later."""

    def pointwise(self, setting: Any, history: Any) -> Any:
        terms = super().pointwise(setting, history)
        tilt = np.where(np.isnan(terms[0]), 0.0, history["events"].sum() * (-1.0) ** np.arange(terms.shape[1]))
        return terms + tilt - tilt.sum() / (tilt != 0).sum() * (tilt != 0)


@dataclass(frozen=True)
class WeighsAll(Starter):
    def likelihood(self, setting: Any, history: Any) -> Any:
        return super().likelihood(setting, replace(history, weighed=None))


@dataclass(frozen=True)
class DrawsMore(Starter):
    def simulate(self, setting: Any, *, rng: Any, given: Any = None) -> Any:
        return Starter(1.2 * self.background, self.offspring).simulate(setting, rng=rng, given=given)


BROKEN = {
    Unseeded: {"the same seed gives the same history", "a forecast keeps the past"},
    Negative: {"a history is finite and stands in its places and window"},
    Untitled: {"every parameter has a unit and a meaning"},
    Unitless: {"every parameter has a unit and a meaning"},
    Forgetful: {"a forecast keeps the past"},
    Mute: {"a missing verb says what to use"},
    WrongSlope: {"value and gradient agree"},
    WrongTerms: {"pointwise terms sum to the log density"},
    Hindsight: {"pointwise terms rest on earlier steps alone"},
    WeighsAll: {"what is not weighed has no term and no slope"},
    DrawsMore: {"simulate and density agree", "events less their intensity average zero in every place"},
}


def broken(model: Any) -> set[str]:
    found = set()
    for promise in promises(model):
        try:
            promise(model, SETTING)
        except (BrokenPromise, Exception):
            found.add(str(promise))
    return found


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_promise_is_found(kind: Any) -> None:
    assert BROKEN[kind] <= broken(kind())


def test_a_model_that_is_not_frozen_is_found() -> None:
    assert "a model is a frozen value and running it changes nothing" in broken(Thawed())


def test_a_wrong_weight_of_what_is_forced_is_found() -> None:
    kind: Any = load("mobilisation")
    model, setting = kind.example()

    class Heavy(kind):
        def step(self, state: Any, day: int, *, rng: Any, forced: Any = None) -> Any:
            state, weight = super().step(state, day, rng=rng, forced=forced)
            return state, weight * 2

    heavy = Heavy(**{field.name: getattr(model, field.name) for field in fields(model)})
    (promise,) = (p for p in CONTRACT if str(p) == "what is forced is active and weighed")
    assert promise.applies(heavy)
    promise(model, setting)
    with pytest.raises(BrokenPromise, match="mean weight"):
        promise(heavy, setting)


def test_a_model_that_keeps_its_word_is_told_what_was_checked() -> None:
    assert check_contract(Starter) == [str(promise) for promise in promises(Starter())]
    assert len(promises(Starter())) == len(CONTRACT) - 2, "no days, no forcing"
    assert from_vector(Starter(), [1.0, 0.2]) == Starter(1.0, 0.2)


def test_every_broken_promise_is_named_at_once() -> None:
    with pytest.raises(BrokenPromise, match=r"Untitled breaks 1 of 14 promises:\n- every parameter .*title is empty"):
        check_contract(Untitled)
    with pytest.raises(TypeError, match="without a setting"):
        check_contract(Starter())
