"""Fits whose background is estimated with the parameters, and intervals of what follows from a fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.region import Region
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.declustered_fit import fit_with_declustering
from groundswell.infer.derived import derived
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.events.etas import Etas, ExponentialMarks, Triggering
from groundswell.models.events.kernel_background import KernelBackground
from groundswell.params import vector
from groundswell.rng import generator

SETTING = Setting(Places.single(), Window(date(2000, 1, 1), 1500), region=Region.rectangle(0, 0, 600, 500))


def truth(seed: int = 5) -> Etas:
    """A background in a dozen wide clusters; some 45 % of the events are triggered."""
    rng = generator(seed)
    spread = KernelBackground(
        np.array([600.0, 500.0]) * rng.random((12, 2)), 40 + 40 * rng.random(12), rng.exponential(size=12)
    )
    triggering = Triggering(0.3, alpha=1.2, c=0.03, p=1.3, D=20.0, gamma=0.6, q=2.0)
    return Etas(0.3, triggering, ExponentialMarks(0.4), spread=spread)


def drawn(seed: int) -> tuple[History, Events]:
    history = truth().simulate(SETTING, rng=generator(seed))
    assert history.events is not None
    return history, history.events


def recovered(seed: int, **options: object) -> Fit:
    start = replace(truth(), spread=None)
    return fit_with_declustering(start, SETTING, drawn(seed)[0], rng=generator(0), **options)  # type: ignore[arg-type]


def test_the_background_settles_and_the_parameters_are_near_the_truth() -> None:
    history, events = drawn(1)
    found = recovered(1)
    assert found.converged
    assert isinstance(found.model, Etas)
    rounds = found.details["rounds"]
    moves = rounds["largest move / standard error"]
    assert moves[0] is None
    assert moves[-1] < 0.02 < moves[-2]
    assert "standard errors take it as known" in found.notes[0]
    assert f"{len(rounds)} rounds of declustering" in found.status
    # what was left: a known background would be within 3.5 standard errors, this one has a bias of its own
    known = fit(truth(), SETTING, history, MaximumLikelihood(), rng=generator(0))
    assert (np.abs(known.estimate - vector(truth())) < 3.5 * known.standard_error).all()
    assert (np.abs(found.estimate - known.estimate) < 3.5 * known.standard_error).all()
    # it is nearer to where events without a parent were made than an even one is, or one of all events alike
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(5, 600, 10.0), np.arange(5, 500, 10.0)))
    assert found.model.spread is not None
    made = truth().spread.density(x, y)  # type: ignore[union-attr]

    def off(density: np.ndarray) -> float:
        return float(np.abs(density / density.sum() - made / made.sum()).sum()) / 2

    alike = replace(found.model.spread, weight=np.ones(len(events)))
    assert off(found.model.spread.density(x, y)) < off(alike.density(x, y)) - 0.02
    assert off(found.model.spread.density(x, y)) < off(np.ones(len(x))) - 0.1
    probability = found.model.branching(SETTING, history).background_probability
    assert rounds["background events"][-1] == pytest.approx(probability.sum(), rel=0.01)
    assert found.model.background * 1500 == pytest.approx(probability.sum(), rel=0.01)
    assert len(events) == len(probability)


def test_rounds_that_did_not_settle_are_said_to_have_not() -> None:
    found = recovered(1, rounds=2)
    assert not found.converged
    assert "had not settled after 2 rounds" in found.notes[0]


def test_going_on_from_a_background_takes_fewer_rounds() -> None:
    history, _ = drawn(2)
    first = recovered(2)
    again = fit_with_declustering(first.model, SETTING, history, rng=generator(0))  # type: ignore[arg-type]
    assert len(again.details["rounds"]) < len(first.details["rounds"])
    assert again.estimate == pytest.approx(first.estimate, rel=0.02)


def test_events_outside_carry_kernels_too() -> None:
    events = drawn(3)[1]
    assert events.x_km is not None
    west = events.x_km < 300
    setting = replace(SETTING, region=Region.rectangle(0, 0, 300, 500))
    inside = from_events(setting.places, setting.window, events.take(west))
    start = replace(truth(), spread=None, outside=events.take(~west))
    found = fit_with_declustering(start, setting, inside, rng=generator(0))
    assert isinstance(found.model, Etas)
    assert found.model.spread is not None
    assert len(found.model.spread.points) == len(events)
    assert found.details["rounds"]["background events"][-1] < west.sum()


def test_no_event_is_refused() -> None:
    nothing = drawn(1)[1].take(np.zeros(0, dtype=int))
    with pytest.raises(DataError, match="no event in the window"):
        fit_with_declustering(
            replace(truth(), spread=None), SETTING, from_events(SETTING.places, SETTING.window, nothing),
            rng=generator(0),
        )  # fmt: skip


@pytest.mark.slow
def test_leaving_an_event_out_of_its_own_background_halves_the_bias() -> None:
    """Over 12 simulations: offspring and p, with a known background, and with one of each kind."""
    found = {True: [], False: []}
    for seed in range(12):
        for own_point, rows in found.items():
            rows.append(recovered(100 + seed, own_point=own_point, rounds=8).estimate)
    off = {own: np.mean(rows, axis=0) - vector(truth()) for own, rows in found.items()}
    offspring, p = 1, 4
    assert off[True][offspring] < off[False][offspring] < 0.02
    assert off[True][p] > off[False][p] > -0.02


def test_an_interval_of_a_parameter_is_the_summarys_own() -> None:
    history, events = drawn(1)
    found = fit(truth(), SETTING, history, MaximumLikelihood(), rng=generator(0), fixed={"triggering.q": 2.0})
    row = next(found.summary(0.8).rows())
    mine = derived(found, lambda model: model.background, level=0.8)
    assert (mine.value, mine.standard_error) == pytest.approx((found.estimate[0], found.standard_error[0]), rel=1e-6)
    assert (mine.low, mine.high) == pytest.approx((row["low 80 %"], row["high 80 %"]), rel=1e-6)
    linear = derived(found, lambda model: model.triggering.alpha, level=0.8, positive=False)
    alpha = list(found.summary(0.8).rows())[2]
    assert (linear.low, linear.high) == pytest.approx((alpha["low 80 %"], alpha["high 80 %"]), rel=1e-6)
    assert derived(found, lambda model: model.triggering.q).standard_error == 0
    ratio = derived(found, lambda model: model.branching_ratio(events))
    assert ratio.low < truth().branching_ratio(events) < ratio.high
    # two parameters: log n = log A + log mean exp(alpha excess)
    excess = truth().excess(events)
    part = found.model.triggering  # type: ignore[attr-defined]
    tilted = np.exp(part.alpha * excess)
    slope = np.array([1 / part.offspring, float(excess @ tilted / tilted.sum())])
    assert found.covariance is not None
    variance = slope @ found.covariance[1:3, 1:3] @ slope
    assert ratio.standard_error == pytest.approx(ratio.value * np.sqrt(variance), rel=1e-6)


def test_draws_give_quantiles_and_nothing_gives_an_error() -> None:
    model = truth()
    draws = np.tile(vector(model), (101, 1))
    draws[:, 0] = np.linspace(0.2, 0.4, 101)
    blank = Fit(model, None, ("background",), vector(model), np.ones(9), 0.0, "", True)
    found = derived(replace(blank, draws=draws), lambda one: 10 * one.background, level=0.9)
    assert (found.value, found.low, found.high) == pytest.approx((3.0, 2.1, 3.9))
    with pytest.raises(UsageError, match="neither a covariance nor draws"):
        derived(blank, lambda one: one.background)
    with pytest.raises(UsageError, match="positive=False"):
        derived(replace(blank, covariance=np.eye(9)), lambda one: -1.0)


def test_too_few_events_for_kernels_say_what_to_do() -> None:
    model, setting = Etas.example()
    history = model.simulate(setting, rng=generator(1)).during(10)
    setting = setting.during(10)
    assert history.events is not None
    assert len(history.events) <= 15
    with pytest.raises(DataError, match=r"\d+ events are too few to learn.*16 or more.*--method likelihood"):
        fit_with_declustering(model, setting, history, rng=generator(1), neighbours=15)
