"""What every model of the library promises, by capability.

A model is added to the library with one line, and from then on every test here runs on its example.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import groundswell.models
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import MissingVerb
from groundswell.infer.base import fit
from groundswell.models.base import Model, can, require
from groundswell.models.cities.mobilisation import Backlash, Between, CalendarPulse, Deterrence
from groundswell.models.library import LIBRARY
from groundswell.models.triggering import Gravity, NeighbourhoodOrder, Reach
from groundswell.params import Effects, from_vector, leaves, names, vector
from groundswell.rng import generator
from groundswell.statement import stated


class Case(NamedTuple):
    """A model in a setting in which every verb is tried."""

    name: str
    model: Any
    setting: Setting


def without(*parts: str) -> Callable[[Any], Any]:
    """The same model with some components left out."""
    return lambda model: dataclasses.replace(model, **dict.fromkeys(parts))


def rich(model: Any) -> Any:
    """Endemic-epidemic counts with lags, correlated random intercepts and an overdispersion for every place."""
    table = {
        "endemic": {"random": {"sd": 0.4}},
        "within": {"random": {"sd": 0.3}, "lags": {"kind": "GeometricLags", "steps": 3}},
        "between": {"lags": {"kind": "FreeLags", "log_weight": {"2": -0.5}}},
        "overdispersion": "OverdispersionByPlace",
        "correlation": True,
    }
    return stated(type(model), table, base=model).prepared(type(model).example()[1])


def in_other_forms(reach: Reach, **lags: int) -> Callable[[Any], Any]:
    """Mobilisation over another reach, with repression that acts late and announced dates, without groups."""

    def change(model: Any) -> Any:
        return dataclasses.replace(
            model, groups=None, organised=None, between=Between(reach=reach),
            deterrence=Deterrence(lag_days=lags["deterrence"]), backlash=Backlash(lag_days=lags["backlash"]),
            pulse=CalendarPulse(0.01, Effects(sun=0.2), Effects({"holiday": 0.4, "2020-01-08": -0.5})),
        )  # fmt: skip

    return change


def in_full(model: Any) -> Any:
    """Self-exciting events with several memories, a trend, crowds, news and repression."""
    table = {
        "delay": "SumOfExponentials", "course": {"effects": {"trend": 0.01}}, "size": {"drawn_from": [20.0, 300.0]},
        "media": {"offspring": 0.1}, "arrests": "Arrests", "deterrence": "Deterrence", "backlash": "Backlash",
    }  # fmt: skip
    return stated(type(model), table, base=model)


def on_a_lattice(model: Any) -> Any:
    """A cascade that needs two neighbours, with chance below the threshold."""
    table = {
        "network": {"kind": "Lattice", "rows": 12, "columns": 9}, "threshold": "Count",
        "seeds": {"kind": "ContiguousSeeds", "share": 0.1}, "noise": 0.02,
    }  # fmt: skip
    return stated(type(model), table, base=model)


def by_motivation(model: Any) -> Any:
    """Siegel's cascade, with memory and without seeds."""
    table = {"network": {"kind": "Villages", "nodes": 300}, "threshold": {"kind": "Motivation", "memory": 0.3}}
    return stated(type(model), table | {"seeds": False}, base=model)


VARIANTS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "mobilisation": {
        "without groups": without("groups", "organised"),
        "by gravity, late, with dates": in_other_forms(Gravity(), deterrence=3, backlash=2),
        "by neighbourhood order": in_other_forms(NeighbourhoodOrder(), deterrence=1, backlash=4),
        "with groups in contact": lambda model: model.replacing({"groups.contact": 5.0}),
    },
    "recruitment": {
        "of cities alone": without("ties", "jail", "specific_deterrence"),
        "with groups in contact": lambda model: model.replacing({"groups.contact": 5.0}),
    },
    "self_exciting": {"with all its parts": in_full, "by step": lambda model: dataclasses.replace(model, by_step=True)},
    "cascade": {"on a lattice, with noise": on_a_lattice, "by motivation, in villages": by_motivation},
    "endemic_epidemic": {"with lags, random intercepts, psi by place": rich},
}
"""Further forms of an example: a part left out can change which verbs a model has."""


def cases() -> list[Any]:
    folder = Path(groundswell.models.__file__).parent
    found = []
    for name, entry in LIBRARY.items():
        if not (folder / entry.level / f"{entry.module}.py").exists():
            found.append(pytest.param(None, id=name, marks=pytest.mark.skip(f"{entry.module}.py is not written yet")))
            continue
        model, setting = entry.load().example()
        found.append(pytest.param(Case(name, model, setting), id=name))
        for label, change in VARIANTS.get(name, {}).items():
            found.append(pytest.param(Case(name, change(model), setting), id=f"{name}, {label}"))
    return found


every_model = pytest.mark.parametrize("case", cases())


def draw(case: Case, seed: int, **given: Any) -> History:
    return case.model.simulate(case.setting, rng=generator(seed), **given)


def assert_same(first: History, second: History) -> None:
    assert first.series.keys() == second.series.keys()
    for name in first.series:
        assert np.array_equal(first[name], second[name]), name
    assert (first.events is None) == (second.events is None)
    if first.events is not None and second.events is not None:
        assert np.array_equal(first.events.time_days, second.events.time_days)
        assert np.array_equal(first.events.place, second.events.place)


@every_model
def test_the_same_seed_gives_the_same_history(case: Case) -> None:
    assert_same(draw(case, 11), draw(case, 11))


@every_model
def test_a_history_is_finite_and_stands_in_its_places_and_window(case: Case) -> None:
    for seed in range(3):
        history = draw(case, seed)
        assert history.places is case.setting.places or history.places.name == case.setting.places.name
        assert history.window == case.setting.window
        assert history.series or history.events is not None
        for name, values in history.series.items():
            assert np.shape(values) == case.setting.shape, name
            assert np.isfinite(values).all(), name
            assert (values >= 0).all(), name


@every_model
def test_a_model_is_a_frozen_value_and_running_it_changes_nothing(case: Case) -> None:
    assert isinstance(case.model, Model)
    before = copy.deepcopy(case.model)
    draw(case, 1)
    assert case.model == before
    assert hash(case.model) == hash(before)
    with pytest.raises(dataclasses.FrozenInstanceError):
        case.model.anything = 1


@every_model
def test_every_parameter_has_a_unit_and_a_meaning(case: Case) -> None:
    assert case.model.title
    assert case.model.paper
    assert len(set(names(case.model))) == len(leaves(case.model)) > 0
    for leaf in leaves(case.model):
        assert leaf.unit, leaf.name
        assert leaf.doc, leaf.name
        assert leaf.low <= leaf.value <= leaf.high, leaf.name
        if leaf.prior is not None:
            assert leaf.low <= leaf.prior.median <= leaf.high, leaf.name
            assert leaf.prior.sd > 0, leaf.name


@every_model
def test_a_vector_comes_back(case: Case) -> None:
    values = vector(case.model)
    assert from_vector(case.model, values) == case.model
    for i, leaf in enumerate(leaves(case.model)):
        moved = values.copy()
        free = leaf.to_free(leaf.value)
        moved[i] = leaf.from_free(free - 0.1 if np.isfinite(free) else -3.0)
        assert np.array_equal(vector(from_vector(case.model, moved)), moved), leaf.name


def continued(case: Case, past: History) -> History | None:
    """A draw that goes on from the past; None if the model refuses, in words."""
    try:
        return draw(case, 6, given=past)
    except MissingVerb:
        return None


@every_model
def test_a_forecast_keeps_the_past(case: Case) -> None:
    periods = case.setting.window.periods
    if periods < 2:
        pytest.skip("one step has no past")
    past = draw(case, 5).during(periods // 2)
    future = continued(case, past)
    if future is None:
        assert LIBRARY[case.name].level == "agents", "totals do not fix who stands where; other models can go on"
        return
    kept = [name for name in ("events", "arrests", "active") if name in past.series and name in future.series]
    assert kept
    for name in kept:
        assert np.array_equal(future[name][:, : periods // 2], past[name]), name
    if past.events is not None:
        assert future.events is not None
        early = future.events.time_days < past.window.days
        assert np.array_equal(future.events.time_days[early], past.events.time_days)
        assert np.array_equal(future.events.place[early], past.events.place)
    again = continued(case, past)
    assert again is not None
    assert_same(again, future)


@every_model
def test_a_missing_verb_says_what_to_use(case: Case) -> None:
    for verb in ("likelihood", "step", "report", "intensity", "pointwise"):
        if can(case.model, verb):
            require(case.model, verb, "Anything")
            continue
        with pytest.raises(MissingVerb) as error:
            require(case.model, verb, "Anything")
        said = str(error.value)
        assert f"Anything needs {type(case.model).__name__}.{verb}()" in said
        assert not said.endswith("does not have."), "the message must end with what to use instead"


@every_model
def test_maximum_likelihood_of_a_model_without_a_density_is_refused(case: Case) -> None:
    likelihood = pytest.importorskip("groundswell.infer.likelihood", exc_type=ModuleNotFoundError)
    if can(case.model, "likelihood"):
        pytest.skip("has a density")
    with pytest.raises(MissingVerb, match="MaximumLikelihood needs"):
        fit(case.model, case.setting, draw(case, 1), likelihood.MaximumLikelihood(), rng=generator(1))


def with_density(case: Case) -> Case:
    if not can(case.model, "likelihood"):
        pytest.skip(f"{type(case.model).__name__} has no density: {case.model.lacks('likelihood')}")
    return case


@every_model
def test_value_and_gradient_agree(case: Case) -> None:
    """Central differences inside the range; at a bound, three points on the inner side."""
    case = with_density(case)
    for seed in (3, 4):
        value_and_gradient = case.model.likelihood(case.setting, draw(case, seed))
        at = vector(case.model)
        value, gradient = value_and_gradient(at)
        assert np.isfinite(value)
        assert gradient.shape == at.shape
        assert value == case.model.log_density(case.setting, draw(case, seed))

        def moved(i: int, by: float, f: Any = value_and_gradient, at: np.ndarray = at) -> float:
            return f(at + by * (np.arange(len(at)) == i))[0]

        numeric = np.empty_like(gradient)
        for i, leaf in enumerate(leaves(case.model)):
            h = 1e-5 * max(abs(leaf.value), 1e-2)
            if leaf.low < leaf.value - h and leaf.value + h < leaf.high:
                numeric[i] = (moved(i, h) - moved(i, -h)) / (2 * h)
            else:
                h = h if leaf.value + 2 * h <= leaf.high else -h
                numeric[i] = (-3 * value + 4 * moved(i, h) - moved(i, 2 * h)) / (2 * h)
        assert gradient == pytest.approx(numeric, rel=1e-4, abs=1e-5 * (1 + abs(value)))


def with_pointwise(case: Case) -> Case:
    if not can(case.model, "pointwise"):
        pytest.skip(f"no pointwise: {case.model.lacks('pointwise')}")
    return case


@every_model
def test_pointwise_terms_sum_to_the_log_density(case: Case) -> None:
    case = with_pointwise(case)
    for seed in (3, 4):
        history = draw(case, seed)
        terms = case.model.pointwise(case.setting, history)
        assert terms.shape == case.setting.shape
        assert np.nansum(terms) == pytest.approx(case.model.log_density(case.setting, history), rel=1e-10)


@every_model
def test_what_is_not_weighed_has_no_term_and_no_slope(case: Case) -> None:
    """The density is the sum of the terms that are weighed; the past that they rest on is the whole one."""
    case = with_density(case)
    history = draw(case, 5)
    cells = generator(6).random(case.setting.shape) < 0.4
    part = history.leaving_out(cells)
    if not can(case.model, "pointwise"):
        with pytest.raises(MissingVerb, match="not weighed needs"):
            case.model.log_density(case.setting, part)
        return
    at = vector(case.model)
    value_and_gradient = case.model.likelihood(case.setting, part)
    value, gradient = value_and_gradient(at)

    def summed(x: np.ndarray) -> float:
        terms = from_vector(case.model, x).pointwise(case.setting, history)
        return float(np.nansum(np.where(cells, 0, terms)))

    assert value == pytest.approx(summed(at), rel=1e-10)
    for i, leaf in enumerate(leaves(case.model)):
        h = 1e-5 * max(abs(leaf.value), 1e-2)
        if not leaf.low < leaf.value - h or not leaf.value + h < leaf.high:
            continue
        step = h * (np.arange(len(at)) == i)
        numeric = (summed(at + step) - summed(at - step)) / (2 * h)
        assert gradient[i] == pytest.approx(numeric, rel=1e-4, abs=1e-5 * (1 + abs(value))), leaf.name
    nothing = history.leaving_out(np.ones(case.setting.shape, dtype=bool))
    value, gradient = case.model.likelihood(case.setting, nothing)(at)
    assert value == 0
    assert not gradient.any()


class Many:
    """A case, and histories of it for the tests that average over many; drawn once, and only if one asks."""

    def __init__(self, case: Case) -> None:
        self.case = case

    @cached_property
    def histories(self) -> list[History]:
        """400 of them."""
        return [draw(self.case, seed) for seed in range(400)]


@pytest.fixture(scope="module")
def many(request: pytest.FixtureRequest) -> Many:
    return Many(request.param)


of_many = pytest.mark.parametrize("many", cases(), indirect=True, scope="module")
"""Tests of one case follow each other, so that no more than its histories are kept."""


@of_many
def test_simulate_and_density_agree(many: Many) -> None:
    """At the true parameters the score averages zero, each coordinate within 4 standard errors."""
    case = with_density(many.case)
    at = vector(case.model)
    histories = [h for h in many.histories if not h.exploded]
    assert len(histories) == 400, "the example must not explode: dropping draws would bias the score"
    scores = np.array([case.model.likelihood(case.setting, history)(at)[1] for history in histories])
    error = scores.std(axis=0, ddof=1) / np.sqrt(len(scores))
    assert np.isfinite(scores).all()
    off = [
        f"{name}: mean {mean:.3g}, standard error {sd:.2g}"
        for name, mean, sd in zip(names(case.model), scores.mean(axis=0), error, strict=True)
        if abs(mean) > 4 * sd + 1e-9
    ]
    assert off == []


@of_many
def test_events_less_their_intensity_average_zero_in_every_place(many: Many) -> None:
    case = many.case
    if not can(case.model, "intensity"):
        pytest.skip("no intensity")
    residuals = []
    for history in many.histories:
        expected = case.model.intensity(case.setting, history)
        assert expected.shape == case.setting.shape
        known = np.isfinite(expected)  # the first step may be given, with nothing expected of it
        assert known[:, 1:].all()
        residuals.append(np.where(known, history["events"] - np.where(known, expected, 0), 0).sum(axis=1))
    mean = np.mean(residuals, axis=0)
    error = np.std(residuals, axis=0, ddof=1) / np.sqrt(len(residuals))
    assert (np.abs(mean) <= 4 * error + 1e-9).all(), (mean, error)


def with_steps(case: Case) -> Case:
    if not (can(case.model, "start") and can(case.model, "step")):
        pytest.skip("no start and step")
    return case


def stepped(case: Case, seed: int, histories: int) -> np.ndarray:
    """(T, S, P) events, day by day."""
    rng = generator(seed)
    state = case.model.start(case.setting, rng=rng, histories=histories)
    days = []
    for day in range(case.setting.window.periods):
        state, weight = case.model.step(state, day, rng=rng)
        assert np.shape(weight) == (histories,)
        assert not np.any(weight), "nothing was forced"
        days.append(np.array(state.today["events"]))
    return np.array(days)


@every_model
def test_day_by_day_the_same_seed_gives_the_same_days(case: Case) -> None:
    case = with_steps(case)
    first = stepped(case, 7, 5)
    assert first.shape == (case.setting.window.periods, 5, len(case.setting.places))
    assert np.array_equal(first, stepped(case, 7, 5))


@every_model
def test_what_is_forced_is_active_and_weighed(case: Case) -> None:
    """E[weight under forcing] = P(active): the mean weight is the frequency without forcing."""
    case = with_steps(case)
    place, day, histories = len(case.setting.places) - 1, 1, 4000
    free = stepped(case, 8, histories)[day, :, place] > 0
    rng = generator(9)
    state = case.model.start(case.setting, rng=rng, histories=histories)
    for now in range(day + 1):
        state, weight = case.model.step(state, now, rng=rng, forced=[(place, day)])
    assert (np.array(state.today["events"])[:, place] > 0).all()
    assert (weight <= 0).all()
    error = np.hypot(np.std(free), np.std(np.exp(weight))) / np.sqrt(histories)
    assert np.exp(weight).mean() == pytest.approx(free.mean(), abs=4 * error)
