"""Leave-one-out and K-fold: against refits by quadrature and by closed forms, where a pencil can follow."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import logsumexp

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import MissingVerb, UsageError
from groundswell.evaluate.crossvalidation import (
    CrossValidation,
    difference,
    held_out_places,
    k_fold,
    place_folds,
    psis_loo,
    time_folds,
)
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.penalised import PenalisedLikelihood
from groundswell.infer.posterior import Posterior
from groundswell.models.cities.endemic_epidemic import Endemic, EndemicEpidemic, Within
from groundswell.models.library import load
from groundswell.params import from_vector
from groundswell.rng import generator
from groundswell.statement import stated

PLACES = Places(("A", "B", "C"), np.array([1e5, 2e5, 5e4]))
SETTING = Setting(PLACES, Window(date(2020, 1, 1), 5))
COUNTS = np.array([[9.0, 1, 3, 0, 2], [9, 0, 4, 1, 1], [9, 2, 0, 0, 6]])
HISTORY = History(PLACES, SETTING.window, {"events": COUNTS})
POISSON = EndemicEpidemic(Endemic(), within=None, overdispersion=None)
"""One parameter, the log rate a, normal(-.7, 1); the first step is given."""

GRID = np.linspace(-5, 4, 4001)
LOGS = stats.poisson.logpmf(COUNTS[:, 1:, None], np.exp(GRID))
"""(P, T - 1, grid) of each count that has a density."""


def exact(left_out: np.ndarray, scored: np.ndarray) -> float:
    """Log predictive density of the scored cells jointly, given all that is not left out; masks (P, T - 1)."""
    posterior = stats.norm.logpdf(GRID, -0.7, 1) + LOGS[~left_out].sum(axis=0)
    return float(logsumexp(posterior + LOGS[scored].sum(axis=0)) - logsumexp(posterior))


def monte_carlo_error(left_out: np.ndarray, logs: np.ndarray, ess: float) -> float:
    """Standard error of the log of a mean of exp(logs) over so many draws from the posterior without some cells."""
    posterior = stats.norm.logpdf(GRID, -0.7, 1) + LOGS[~left_out].sum(axis=0)
    share, value = np.exp(posterior - logsumexp(posterior)), np.exp(logs)
    return float(np.sqrt((share @ value**2 / (share @ value) ** 2 - 1) / ess))


def only(*at: Any) -> np.ndarray:
    mask = np.zeros((3, 4), dtype=bool)
    mask[at] = True
    return mask


NONE = np.zeros((3, 4), dtype=bool)


@pytest.fixture(scope="module")
def posterior() -> Fit:
    found = fit(POISSON, SETTING, HISTORY, Posterior(draws=1000, tune=200), rng=generator(1))
    assert found.converged
    return found


def test_leave_one_place_step_out_is_what_refitting_gives(posterior: Fit) -> None:
    made = psis_loo(posterior, SETTING, HISTORY)
    assert made.units[:2] == ("A, 2020-01-02", "A, 2020-01-03")
    expected = [exact(only(p, t), only(p, t)) for p in range(3) for t in range(4)]
    assert posterior.draws is not None
    ess = float(posterior.details["columns"]["bulk ESS"][0])
    for found, right, logs in zip(made.log_density, expected, LOGS.reshape(12, -1), strict=True):
        assert found == pytest.approx(right, abs=4 * monte_carlo_error(NONE, -logs, ess))  # weights are 1 / density
    assert made.elpd == pytest.approx(sum(expected), abs=0.05)
    assert made.standard_error == pytest.approx(np.sqrt(12) * np.std(expected, ddof=1), rel=0.02)
    assert made.notes == ()
    assert made.pareto_k is not None
    assert made.pareto_k.max() < 0.7
    assert made.status == f"elpd {made.elpd:.2f} (standard error {made.standard_error:.2f}) over 12 place-steps."
    assert [row["unit"] for row in made.table().rows()] == list(made.units)
    # not the density of data that were seen, which is higher by about one effective parameter
    seen = sum(exact(NONE, only(p, t)) for p in range(3) for t in range(4))
    assert seen - sum(expected) > 0.5
    thinned = psis_loo(posterior, SETTING, HISTORY, thin=4)
    assert thinned.elpd == pytest.approx(made.elpd, abs=0.1)


def test_leave_one_place_out_weighs_its_steps_jointly(posterior: Fit) -> None:
    made = psis_loo(posterior, SETTING, HISTORY, over="place")
    assert made.units == ("A", "B", "C")
    assert made.log_density == pytest.approx([exact(only(p), only(p)) for p in range(3)], abs=0.05)


def test_a_unit_that_rules_the_posterior_is_doubted() -> None:
    counts = COUNTS.copy()
    counts[2, 4] = 90
    history = History(PLACES, SETTING.window, {"events": counts})
    found = fit(POISSON, SETTING, history, Posterior(draws=500, tune=200), rng=generator(1))
    made = psis_loo(found, SETTING, history)
    assert made.pareto_k is not None
    assert made.pareto_k[-1] > 0.7
    (note,) = made.notes
    assert "Pareto k is above 0.7 for 1 of 12 units, the largest: C, 2020-01-05 (" in note
    assert "`k_fold`" in note


@pytest.mark.parametrize("folds", ["time", "place"])
def test_k_fold_of_a_posterior_is_the_predictive_density_of_each_fold(folds: str) -> None:
    made = time_folds(SETTING, 2) if folds == "time" else place_folds(SETTING, rng=generator(0))
    masks = [cells[:, 1:] for cells in made.values()]
    run = {
        over: k_fold(POISSON, SETTING, HISTORY, Posterior(300, 200), made, rng=generator(3), over=over)  # type: ignore[arg-type]
        for over in ("place-step", "fold")
    }
    assert run["fold"].units == tuple(made)
    ess = 300  # of 1,200 draws, at the least
    by_cell = run["place-step"].log_density.reshape(3, 4)
    for mask, joint in zip(masks, run["fold"].log_density, strict=True):
        error = monte_carlo_error(mask, LOGS[mask].sum(axis=0), ess)
        assert joint == pytest.approx(exact(mask, mask), abs=4 * error)
        for p, t in zip(*np.nonzero(mask), strict=True):
            error = monte_carlo_error(mask, LOGS[p, t], ess)
            assert by_cell[p, t] == pytest.approx(exact(mask, only(p, t)), abs=4 * error)
    assert run["place-step"].pareto_k is None
    # one place-step more is not known than each by itself: the two are not the same number
    assert abs(run["place-step"].elpd - run["fold"].elpd) > 0.05


def test_k_fold_of_an_estimate_is_arithmetic() -> None:
    """The rate without a fold is the mean of the counts that are left."""
    made = k_fold(
        POISSON, SETTING, HISTORY, MaximumLikelihood(), place_folds(SETTING, rng=generator(0)), rng=generator(3)
    )
    rest = [COUNTS[np.arange(3) != p, 1:].mean() for p in range(3)]
    expected = np.concatenate([stats.poisson.logpmf(COUNTS[p, 1:], rest[p]) for p in range(3)])
    # a gain of 1e-10 left in the search is a log rate 3e-6 off
    assert made.log_density == pytest.approx(expected, abs=2e-5)
    assert made.elpd == made.log_density.sum()
    assert made.what == "place-steps"
    two = {"B and C": np.array([[False], [True], [True]]) & np.ones(SETTING.shape, dtype=bool)}
    some = k_fold(POISSON, SETTING, HISTORY, MaximumLikelihood(), two, rng=generator(3), over="fold")
    assert some.log_density == pytest.approx([stats.poisson.logpmf(COUNTS[1:, 1:], COUNTS[0, 1:].mean()).sum()])
    assert np.isnan(some.standard_error)


def test_what_is_left_out_is_still_the_past_of_others() -> None:
    """The fit without a fold maximises the terms that are left, each given the whole past."""
    model, setting = EndemicEpidemic.example()
    setting = setting.during(60)
    history = model.simulate(setting, rng=generator(4))
    model = dataclasses.replace(model, overdispersion=None)
    fixed = {"between.weights.decay": 2.0, "endemic.effects.sin1": 0.4, "endemic.effects.cos1": -0.2}
    folds = {"Twin": place_folds(setting, rng=generator(0))["Twin"], "later": np.arange(60) >= np.full((5, 1), 40)}
    folds["later"] &= ~folds["Twin"]
    made = k_fold(model, setting, history, MaximumLikelihood(), folds, rng=generator(3), fixed=fixed)
    found = dict(zip(made.units, made.log_density, strict=True))
    free = ["endemic.intercept", "within.intercept", "between.intercept"]
    for cells in folds.values():

        def lost(x: np.ndarray, cells: np.ndarray = cells) -> float:
            at = model.replacing(fixed | dict(zip(free, x, strict=True)))
            return -float(np.nansum(np.where(cells, 0, at.pointwise(setting, history))))

        best = minimize(lost, [1.5, -1.0, -1.5], tol=1e-10).x
        terms = model.replacing(fixed | dict(zip(free, best, strict=True))).pointwise(setting, history)
        dates = setting.window.dates()
        for p, t in zip(*np.nonzero(cells), strict=True):
            if t > 0:
                assert found[f"{setting.places.name[p]}, {dates[t]}"] == pytest.approx(terms[p, t], abs=1e-4)


def test_folds_part_the_place_steps() -> None:
    setting = Setting(PLACES, Window(date(2020, 1, 6), 11, 7))
    blocks = time_folds(setting, 3)
    assert list(blocks) == [
        "2020-01-06 to 2020-01-27", "2020-02-03 to 2020-02-24", "2020-03-02 to 2020-03-16",
    ]  # fmt: skip
    pair = place_folds(setting, 2, rng=generator(1))
    assert sorted(", ".join(pair).split(", ")) == ["A", "B", "C"]
    for folds in (blocks, pair, place_folds(setting, rng=generator(1))):
        assert (np.sum(list(folds.values()), axis=0) == 1).all()
    for count in (1, 11):
        with pytest.raises(UsageError, match="blocks of 11 steps"):
            time_folds(setting, count)
    for count in (1, 4):
        with pytest.raises(UsageError, match="groups of 3 places"):
            place_folds(setting, count, rng=generator(1))


def test_the_same_in_one_process_and_in_two_and_in_another_order() -> None:
    folds = place_folds(SETTING, rng=generator(0))
    once = k_fold(POISSON, SETTING, HISTORY, Posterior(50, 50), folds, rng=generator(3))
    again = k_fold(POISSON, SETTING, HISTORY, Posterior(50, 50), folds, rng=generator(3), processes=2)
    assert np.array_equal(once.log_density, again.log_density)
    assert once.notes == again.notes
    assert once.notes[0].startswith("without A: Not converged: 4 chains of 50 draws")


def test_a_difference_is_paired() -> None:
    rng = generator(8)
    hard = rng.normal(-3, 2, 50)
    first = CrossValidation("place-steps", tuple(map(str, range(50))), hard + rng.normal(0.1, 0.1, 50))
    second = dataclasses.replace(first, log_density=hard)
    value, error = difference(first, second)
    assert value == pytest.approx(first.elpd - second.elpd)
    assert error == pytest.approx(np.sqrt(50) * 0.1, rel=0.3)
    assert error < 0.2 * first.standard_error
    with pytest.raises(UsageError, match="different units: 50 place-steps and 3 places"):
        difference(first, CrossValidation("places", ("A", "B", "C"), np.zeros(3)))


def test_a_better_model_foretells_better() -> None:
    """Counts that follow on one another, with and without the part that says so."""
    truth = EndemicEpidemic(Endemic(1.0), Within(-0.4), overdispersion=None)
    setting = Setting(PLACES, Window(date(2020, 1, 1), 80))
    history = truth.simulate(setting, rng=generator(2))
    folds = time_folds(setting, 4)
    with_it, without = (
        k_fold(model, setting, history, MaximumLikelihood(), folds, rng=generator(1))
        for model in (truth, dataclasses.replace(truth, within=None))
    )
    value, error = difference(with_it, without)
    assert value > 3 * error > 0


def test_held_out_places_keep_their_place_steps() -> None:
    """As `k_fold` over the same groups has it, also where places have intercepts of their own."""
    model, setting = EndemicEpidemic.example()
    history = model.simulate(setting, rng=generator(1))
    for source, method in (
        (model, MaximumLikelihood()),
        (stated(EndemicEpidemic, {"endemic": {"random": True}, "between": False}, base=model), PenalisedLikelihood()),
    ):
        found = fit(source, setting, history, method, rng=generator(0))
        got = held_out_places(found, setting, history, folds=5, rng=generator(4), fixed={})
        folds = place_folds(setting, 5, rng=generator(4))
        told = k_fold(source, setting, history, method, folds, rng=generator(0))
        assert np.isnan(got[:, 0]).all()  # the first step is given
        expected = told.log_density.reshape(len(setting.places), -1)
        assert got[:, 1:] == pytest.approx(expected, abs=1e-3)


def test_what_cannot_be_cross_validated_says_why(posterior: Fit) -> None:
    def folded(folds: dict[str, Any], model: Any = POISSON, **more: Any) -> CrossValidation:
        return k_fold(model, SETTING, HISTORY, MaximumLikelihood(), folds, rng=generator(0), **more)

    estimate = fit(POISSON, SETTING, HISTORY, MaximumLikelihood(), rng=generator(1))
    with pytest.raises(UsageError, match="this fit has none"):
        psis_loo(estimate, SETTING, HISTORY)
    with pytest.raises(UsageError, match='over is "day"'):
        psis_loo(posterior, SETTING, HISTORY, over="day")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="with all of them weighed"):
        psis_loo(posterior, SETTING, HISTORY.leaving_out(only_step(2)))
    with pytest.raises(MissingVerb, match=r"k_fold needs SelfExciting\.pointwise"):
        folded({}, load("self_exciting").example()[0])
    with pytest.raises(UsageError, match="no folds were given"):
        folded({})
    with pytest.raises(UsageError, match='over is "day"'):
        folded({"a": only_step(2)}, over="day")
    for cells, words in (
        (np.ones((2, 5), dtype=bool), r"shape \(2, 5\); expected"),
        (np.ones(SETTING.shape), "float64"),
        (only_step(0), "nothing to score"),
        (np.ones(SETTING.shape, dtype=bool), "nothing would be left to fit to"),
    ):
        with pytest.raises(UsageError, match=words):
            folded({"a": cells})
    with pytest.raises(UsageError, match="of an earlier fold"):
        folded({"a": only_step(2), "b": only_step(2)})


def only_step(step: int) -> np.ndarray:
    cells = np.zeros(SETTING.shape, dtype=bool)
    cells[:, step] = True
    return cells


def test_place_steps_that_were_never_weighed_are_not_scored() -> None:
    part = HISTORY.leaving_out(only_step(3))
    made = k_fold(POISSON, SETTING, part, MaximumLikelihood(), time_folds(SETTING, 2), rng=generator(0))
    assert len(made.units) == 9
    assert not any("2020-01-04" in unit for unit in made.units)
    rest = COUNTS[:, [1, 2]].mean()
    assert made.log_density[made.units.index("A, 2020-01-05")] == pytest.approx(stats.poisson.logpmf(2, rest))


def test_the_draws_stand_for_the_model(posterior: Fit) -> None:
    assert posterior.draws is not None
    terms = from_vector(POISSON, posterior.draws[7]).pointwise(SETTING, HISTORY)
    assert terms[:, 1:] == pytest.approx(stats.poisson.logpmf(COUNTS[:, 1:], np.exp(posterior.draws[7, 0])))
