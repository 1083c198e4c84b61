"""ABC and synthetic likelihood: against posteriors in closed form and by quadrature, their parts against slow twins,
and what they say when they cannot be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import simulated as naive
from scipy import stats
from toy_models import SETTING, Bells, Counts, Noisy, during, made

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.summaries import Summaries
from groundswell.errors import DataError, MissingVerb, ParameterError, UsageError
from groundswell.infer.abc_smc import ABC, _Table, scales
from groundswell.infer.adjustment import Line, adjusted
from groundswell.infer.base import Fit, fit
from groundswell.infer.coverage import coverage, rank
from groundswell.infer.importance import Cloud
from groundswell.infer.synthetic import SyntheticLikelihood, shrunk
from groundswell.models.base import Model
from groundswell.models.cities.endemic_epidemic import Endemic, EndemicEpidemic, Overdispersion, Within
from groundswell.models.library import load
from groundswell.params import Effects, Prior, leaves, param
from groundswell.report.figures.posterior import prior_and_posterior
from groundswell.rng import generator

MEAN = Summaries("mean value")
QUICK = ABC(MEAN, simulations=3_000, effective=250)
PAIR = (QUICK, SyntheticLikelihood(MEAN, simulations=30, effective=150, round=50, most=600))
both = pytest.mark.parametrize("method", PAIR, ids=["abc", "synthetic"])


def learn(model: Any, history: Any, method: Any, seed: int = 1, setting: Any = SETTING, **more: Any) -> Fit:
    return fit(model, setting, history, method, rng=generator(seed), **more)


def bells(mean: float, periods: int = 10, seed: int = 1) -> tuple[Setting, History]:
    """Values whose mean is exactly `mean`."""
    setting = during(SETTING, periods)
    drawn = generator(seed).standard_normal(periods)
    return setting, made(setting, mean + drawn - drawn.mean())


# posteriors


@both
def test_the_posterior_of_a_mean_is_the_normal_one(method: Any) -> None:
    """Prior N(0, 1), ten values: N(10 x / 11, 1 / 11)."""
    errors, spreads = [], []
    for seed, mean in enumerate((-1.2, 0.3, 1.9)):
        _, history = bells(mean, seed=seed)
        found = learn(Bells(), history, replace(method, checks=0), seed)
        errors.append((found.estimate[0] - 10 * mean / 11) * math.sqrt(11))
        spreads.append(found.standard_error[0] * math.sqrt(11))
        assert found.converged, found.notes
    worth = method.effective
    assert abs(np.mean(errors)) < 4 * math.sqrt(1.5 / worth / len(errors))
    assert max(map(abs, errors)) < 4.5 * math.sqrt(1.5 / worth)
    assert np.mean(spreads) == pytest.approx(1, abs=4 * math.sqrt(0.75 / worth / len(errors)))


@both
def test_windows_add_what_they_know(method: Any) -> None:
    first, second = bells(0.4, 6), bells(1.0, 14, seed=2)
    found = learn(Bells(), [first[1], second[1]], method, setting=[first[0], second[0]])
    assert found.estimate[0] == pytest.approx((6 * 0.4 + 14 * 1.0) / 21, abs=4 / math.sqrt(21 * 200))
    assert found.standard_error[0] == pytest.approx(1 / math.sqrt(21), rel=0.15)
    assert found.details["summaries"] == ("mean value (1)", "mean value (2)")


def test_the_evidence_of_the_synthetic_likelihood_is_that_of_the_mean() -> None:
    _, history = bells(0.7)
    found = learn(Bells(), history, replace(PAIR[1], effective=250, checks=0))
    assert found.log_density == pytest.approx(stats.norm.logpdf(0.7, 0, math.sqrt(1.1)), abs=0.05)


@both
def test_counts_under_a_log_normal_prior(method: Any) -> None:
    """Quadrature over the logarithm of the rate; the idle parameter keeps its prior and is said to."""
    total = 31
    history = made(SETTING, np.array([3, 2, 4, 5, 1, 3, 6, 2, 3, 2.0]), "events")
    z = np.linspace(-4, 4, 2001)
    rate = np.exp(math.log(5) + 0.7 * z)
    mass = np.exp(-0.5 * z**2 + total * np.log(rate) - 10 * rate)
    mass /= mass.sum()
    mean = mass @ rate
    sd = math.sqrt(mass @ (rate - mean) ** 2)
    found = learn(Counts(), history, replace(method, summaries=Summaries("total events")))
    assert found.names == ("rate", "idle")
    assert found.estimate[0] == pytest.approx(mean, abs=4.5 * sd / math.sqrt(method.effective))
    assert found.standard_error[0] == pytest.approx(sd, rel=0.2)
    assert any("say little of idle" in note for note in found.notes)
    assert found.converged, found.notes
    assert found.draws is not None
    assert found.draws.shape == (1000, 2)


def test_draws_that_explode_are_out_and_counted() -> None:
    """A day of 8 seen, and no day above 8 among the nine others: both are what the rate is weighed by."""
    history = made(SETTING, np.array([8, 8, 6, 8, 7, 8, 8, 6, 7, 8.0]), "events")
    z = np.linspace(-4, 4, 2001)
    rate = np.exp(math.log(5) + 0.7 * z)
    seen = np.exp(-0.5 * z**2) * stats.poisson.pmf(8, rate)
    whole = seen * stats.poisson.cdf(8, rate) ** 9
    means = [float(mass @ rate / mass.sum()) for mass in (seen, whole)]
    spread = math.sqrt(whole @ (rate - means[1]) ** 2 / whole.sum())
    method = ABC(Summaries("at events 0"), simulations=4_000, effective=300)
    found = learn(Counts(most=8), history, method, fixed={"idle": 0.5})
    assert found.estimate[0] == pytest.approx(means[1], abs=4.5 * spread / math.sqrt(300))
    assert means[0] > means[1] + spread  # it matters
    assert any("exploded" in note for note in found.notes)


def test_abc_agrees_with_the_likelihood_of_thresholds() -> None:
    """The first three rounds, all of them summaries, so that nothing is lost: the posterior by quadrature."""
    model: Any
    model, setting = load("thresholds").example()
    setting = setting.during(3)
    history = model.simulate(setting, rng=generator(8))
    density = model.likelihood(setting, history)
    nodes = np.linspace(-4, 4, 61)
    mean, sd = 25 + 10 * nodes, 12 * np.exp(0.5 * nodes)
    with np.errstate(all="ignore"):  # far out the density is 0
        logs = np.array([[density(np.array([m, s]))[0] for s in sd] for m in mean])
    logs -= 0.5 * (nodes[:, None] ** 2 + nodes**2)
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    rounds = Summaries("at active 0", "at active 1", "at active 2")
    found = learn(model, history, ABC(rounds, simulations=6_000, effective=500), setting=setting)
    for k, (column, values) in enumerate(((mass.sum(axis=1), mean), (mass.sum(axis=0), sd))):
        exact = column @ values
        spread = math.sqrt(column @ (values - exact) ** 2)
        assert found.estimate[k] == pytest.approx(exact, abs=0.2 * spread)
        assert found.standard_error[k] == pytest.approx(spread, rel=0.15)
    assert found.converged, found.notes


def test_what_a_density_is_given_a_simulation_is_given_too() -> None:
    """Counts that feed on themselves from a first step of 60: the growth is learnt, not the start."""
    setting = Setting(Places.single(1000), SETTING.window)
    model = EndemicEpidemic(
        Endemic(intercept=-3.0, effects=Effects()), Within(intercept=math.log(0.5)), None, Overdispersion(0.01)
    )  # fmt: skip
    values = [60.0, 31, 14, 8, 3, 2, 1, 0, 1, 0]
    history = History(setting.places, setting.window, {"events": np.array([values])})
    held = {leaf.name: leaf.value for leaf in leaves(model) if leaf.name != "within.intercept"}
    stated = ABC(
        Summaries("at events 1", "total events"), {"within.intercept": Prior(0.0, 1.0)}, simulations=1_200,
        round=400, effective=150, checks=0,
    )  # fmt: skip
    found = learn(model, history, stated, setting=setting, fixed=held)
    assert math.exp(found.estimate[list(found.names).index("within.intercept")]) == pytest.approx(0.5, abs=0.06)


# honesty


SMALL = (ABC(simulations=800, round=400, effective=80), SyntheticLikelihood(simulations=15, effective=40, round=40))


@pytest.mark.parametrize("method", SMALL, ids=["abc", "synthetic"])
def test_ranks_of_the_truth_are_uniform(method: Any) -> None:
    """Simulation-based calibration, small: parameters from the prior, histories from them, ranks among the draws."""
    assert calibrated(replace(method, summaries=Summaries("total events"), checks=0), 25) > 0.005


def test_ranks_after_a_pilot_are_uniform() -> None:
    method = replace(SMALL[0], summaries=Summaries("total events", "peak events", "lag1 events"), pilot=200, checks=0)
    assert calibrated(method, 25) > 0.005


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", [ABC(simulations=3_000, effective=200), SyntheticLikelihood(simulations=30, effective=100, round=50)]
)
def test_ranks_of_the_truth_are_uniform_at_length(method: Any) -> None:
    assert calibrated(replace(method, summaries=Summaries("total events"), checks=0), 120) > 0.005


def calibrated(method: Any, runs: int) -> float:
    """Smallest p-value of uniform ranks over the parameters, of `Counts`."""
    ranks = []
    for seed in range(runs):
        rng = generator(1000 + seed)
        truth = [leaf.from_free(leaf.center + leaf.sd * rng.standard_normal()) for leaf in leaves(Counts())]
        history = Counts(truth[0], truth[1]).simulate(SETTING, rng=rng)
        found = learn(Counts(), history, method, seed)
        assert found.draws is not None
        ranks.append((found.draws < truth).mean(axis=0))
    return min(float(stats.kstest(column, "uniform").pvalue) for column in np.array(ranks).T)


@both
def test_a_fit_tries_itself_on_made_up_data(method: Any) -> None:
    _, history = bells(0.7)
    found = learn(Bells(), history, method)
    ranks = found.details["ranks"]
    assert ranks.shape[0] > 150
    assert stats.kstest(ranks[:, 0], "uniform").pvalue > 0.001
    assert found.details["columns"]["inside 90 %"][0] == pytest.approx(0.9, abs=0.07)
    assert "inside 90 %" in found.summary().columns
    unchecked = learn(Bells(), history, replace(method, checks=0))
    assert np.array_equal(found.estimate, unchecked.estimate)
    assert "inside 90 %" not in unchecked.summary().columns


@dataclass(frozen=True)
class Skewed(Model):
    """One value of a very skewed law: nothing a normal could stand for."""

    scale: float = param("1", low=0, prior=Prior(1.0, 1.0), doc="scale")

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        return made(setting, np.full(setting.shape, self.scale * rng.standard_normal() ** 6))


def test_a_synthetic_likelihood_that_is_none_is_found_out() -> None:
    """Values far from normal: intervals that miss, or a likelihood too noisy, and the fit says so."""
    history = made(SETTING, np.full(10, 2.0))
    found = learn(Skewed(), history, SyntheticLikelihood(MEAN, effective=60, most=800))
    assert not found.converged
    assert any("too narrow" in note or "varies by" in note or "wider" in note for note in found.notes), found.notes
    assert learn(Skewed(), history, QUICK).converged


@both
def test_a_model_that_cannot_reach_what_was_observed_is_not_converged(method: Any) -> None:
    _, history = bells(9.0)
    honest = made(SETTING, history["value"] * np.array([[-5.0, 5.0] * 5]))
    found = learn(Bells(), honest, replace(method, summaries=Summaries("mean value", "sd value"), checks=0))
    assert not found.converged
    assert any("hardly reaches" in note and "sd value" in note for note in found.notes), found.notes


def test_without_adjustment_intervals_are_too_wide_and_the_fit_says_so() -> None:
    """Fourteen summaries for one parameter keep the nearest far: local regression mends what is left."""
    names = [f"at value {step}" for step in range(10)] + ["sd value", "peak value", "lag1 value", "mean value"]
    _, history = bells(0.7)
    spread, told = {}, {}
    for adjustment in ("none", "linear"):
        method = replace(QUICK, summaries=Summaries(*names), adjustment=adjustment)
        found = learn(Bells(), history, method)
        spread[adjustment] = found.standard_error[0] * math.sqrt(11)
        told[adjustment] = any("wider than need be" in note for note in found.notes)
    assert spread["none"] > 1.2
    assert spread["linear"] == pytest.approx(1, abs=0.15)
    assert told == {"none": True, "linear": False}


USELESS = Summaries("mean value", *(f"at noise {k}" for k in range(10)), *(f"at value {k}" for k in range(3)))


@pytest.mark.parametrize("adjustment", ["none", "linear"])
def test_a_pilot_finds_what_tells_of_the_mean(adjustment: Any) -> None:
    """One summary of fourteen says all: with the same simulations in all, nearer to the normal posterior."""
    errors, spreads = {}, {}
    for pilot in (0, 600):
        method = ABC(
            USELESS, simulations=1_800 - pilot, round=400, effective=150, adjustment=adjustment, pilot=pilot, checks=0
        )
        found = []
        for seed in range(5):
            history = Noisy(generator(seed).standard_normal()).simulate(SETTING, rng=generator(100 + seed))
            learnt = learn(Noisy(), history, method, seed)
            exact = 10 * float(history["value"].mean()) / 11
            found.append(((learnt.estimate[0] - exact) * math.sqrt(11), learnt.standard_error[0] * math.sqrt(11)))
        errors[pilot], spreads[pilot] = np.sqrt(np.mean(np.square(found), axis=0))[0], np.mean(found, axis=0)[1]
    assert errors[600] < 0.6 * errors[0], (errors, spreads)
    assert spreads[600] == pytest.approx(1, abs=0.1), (errors, spreads)
    assert adjustment == "linear" or spreads[0] > 1.5, "as they are, the useless ones keep the nearest far"


def test_a_fit_after_a_pilot_says_what_it_compared() -> None:
    _, history = bells(0.7)
    history = replace(history, series={**history.series, "noise": generator(3).standard_normal((1, 10))})
    method = ABC(USELESS, simulations=1_500, round=500, effective=150, pilot=500)
    said: list[float] = []
    found = learn(Noisy(), history, method, progress=lambda share, words: said.append(share))
    assert found.converged, found.notes
    assert found.details["summaries"] == ("estimate of mean",)
    assert found.details["candidates"] == USELESS.names
    line = found.details["line"]
    assert found.details["observed"] == pytest.approx(line.at(USELESS.of(history)))
    assert abs(line.slopes[0, 0]) > 5 * np.abs(line.slopes[1:11]).max(), "the mean counts, and noise does not"
    assert "after a pilot of 500" in found.status
    assert said == sorted(said)
    two = learn(Noisy(), history, replace(method, processes=2))
    assert found.draws is not None
    assert two.draws is not None
    assert np.array_equal(found.draws, two.draws)


def test_a_pilot_too_small_or_out_of_reach_is_said() -> None:
    with pytest.raises(UsageError, match="too small to regress"):
        ABC(MEAN, pilot=50)
    _, history = bells(9.0)
    honest = made(SETTING, history["value"] * np.array([[-5.0, 5.0] * 5]))
    method = replace(QUICK, summaries=Summaries("mean value", "sd value"), checks=0, pilot=500)
    found = learn(Bells(), honest, method)
    assert not found.converged
    assert any("sd value is" in note and "of the pilot" in note for note in found.notes), found.notes


def test_too_few_simulations_are_said() -> None:
    _, history = bells(0.7)
    found = learn(Bells(), history, ABC(MEAN, simulations=400, round=200, effective=300))
    assert not found.converged
    assert any("fewer than 300" in note for note in found.notes)
    found = learn(Bells(), history, SyntheticLikelihood(MEAN, effective=500, most=100, checks=0))
    assert any("fewer than 500" in note for note in found.notes)


def test_intervals_that_hold_too_little_are_a_failure() -> None:
    rng = generator(1)
    fair = rng.random((200, 2))
    assert coverage(fair, "ab").good
    assert coverage(fair, "ab").notes == ()
    narrow = np.column_stack([fair[:, 0], (rng.random(200) < 0.5).astype(float)])
    found = coverage(narrow, ["fair", "narrow"])
    assert not found.good
    assert "too narrow: they hold narrow 0 %" in found.notes[0]
    wide = coverage(np.full((200, 1), 0.5), ["wide"])
    assert wide.good
    assert "wider than need be" in wide.notes[0]
    assert not coverage(fair[:10], "ab").good


def test_a_rank_counts_ties_half() -> None:
    draws = np.array([[0.0], [1.0], [2.0], [2.0]])
    assert rank(np.array([2.0]), draws, np.array([0.1, 0.2, 0.3, 0.4])) == pytest.approx([0.3 + 0.35])


# the same for any number of processes, and draws that can be drawn


@both
def test_processes_change_no_bit_and_progress_is_told(method: Any) -> None:
    _, history = bells(0.7)
    small = replace(method, checks=40)
    small = replace(small, simulations=1_000, round=500) if isinstance(small, ABC) else replace(small, most=100)
    said: list[float] = []
    one = learn(Bells(), history, small, progress=lambda share, words: said.append(share))
    two = learn(Bells(), history, replace(small, processes=2))
    assert one.draws is not None
    assert two.draws is not None
    assert np.array_equal(one.draws, two.draws)
    assert one.summary() == two.summary()
    assert one.provenance == two.provenance
    assert said == sorted(said)
    assert len(said) >= 100
    assert not np.array_equal(one.estimate, learn(Bells(), history, small, seed=2).estimate)


def test_a_fit_can_be_drawn_beside_its_priors() -> None:
    _, history = bells(0.7)
    method = replace(QUICK, priors={"mean": Prior(0.5, 2.0)}, checks=0)
    found = learn(Bells(), history, method)
    axes = prior_and_posterior(found)
    assert axes[0, 0].get_title(loc="left").strip() == "mean"
    low, high = axes[0, 0].get_xlim()
    assert (low, high) == pytest.approx((-5.5, 6.5))  # the prior stated with the method


# parts


def table(seed: int, count: int = 60, far: float = 0.0) -> _Table:
    rng = generator(seed)
    y, values = rng.standard_normal((count, 2)), rng.standard_normal((count, 3)).round(1)
    values[0, 1] = np.nan
    return _Table(y, values + far, rng.standard_normal(count), np.array([1.0, 2.0, 0.5]))


@given(st.integers(0, 1000), st.floats(1, 40))
def test_the_nearest_are_those_of_the_twin(seed: int, wanted: float) -> None:
    made_up = table(seed)
    target = made_up.values[5].copy()
    found = made_up.near(target, wanted)
    distances = [naive.distance(row, target, made_up.scale) for row in made_up.values]
    distances = [math.inf if math.isnan(apart) else apart for apart in distances]
    weights = np.exp(made_up.log_weight).tolist()
    for apart in sorted(set(distances)):
        expected = naive.kernel_weights(distances, weights, apart)
        if naive.worth(expected) >= wanted or apart == max(d for d in distances if d < math.inf):
            break
    full = np.zeros(len(distances))
    full[found.rows] = found.weights
    if naive.worth(expected) >= wanted:
        # effective draws need not rise at every step, so the search may end at a later crossing
        assert found.effective >= min(wanted, naive.worth(expected)) - 1e-9
        expected = naive.kernel_weights(distances, weights, found.tolerance)
    assert full == pytest.approx(np.array(expected) / sum(expected))
    assert found.effective == pytest.approx(naive.worth(expected))
    assert found.log_mass == pytest.approx(math.log(sum(expected) / len(distances)))


def test_exact_hits_need_no_tolerance() -> None:
    made_up = table(3)
    values = np.vstack([made_up.values] + [made_up.values[5]] * 30)
    double = replace(made_up, y=np.zeros((90, 2)), values=values, log_weight=np.zeros(90))
    found = double.near(made_up.values[5], 25)
    assert found.tolerance == 0
    assert found.effective == pytest.approx(31)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_a_cloud_is_the_mixture_of_its_normals(seed: int) -> None:
    rng = generator(seed)
    root = np.tril(rng.standard_normal((2, 2)), -1) + np.diag(rng.uniform(0.5, 2, 2))
    cloud = Cloud(rng.standard_normal((5, 2)), root)
    y = 2 * rng.standard_normal((4, 2))
    expected = [math.log(naive.normal_mixture(row, cloud.points, root @ root.T)) for row in y]
    assert cloud.log_density(y) == pytest.approx(expected)


def test_weights_are_bounded_by_the_share_of_the_prior() -> None:
    _, history = bells(2.5)
    found = learn(Bells(), history, replace(QUICK, checks=0))
    # the prior's round of 1,000 is part of the mixture, so prior / mixture is at most M / 1,000; they sum to M or so
    assert found.details["weight"].max() <= 1.1 / 1000
    assert found.details["weight"].sum() == pytest.approx(1)
    # prior means of any function come out of all simulations
    y, weight = found.details["tried"][:, 0], found.details["weight"]
    assert weight @ y == pytest.approx(0, abs=0.12)
    assert weight @ y**2 == pytest.approx(1, abs=0.2)


def test_the_adjustment_is_weighted_least_squares() -> None:
    rng = generator(2)
    values = rng.standard_normal((400, 3))
    slope = np.array([[1.0, 0.0], [2.0, -1.0], [0.0, 0.5]])
    y = values @ slope + 0.05 * rng.standard_normal((400, 2))
    weights = rng.random(400)
    weights /= weights.sum()
    target = np.array([0.3, -0.2, 0.1])
    found = adjusted(y, values, target, weights, "linear")
    assert found == pytest.approx(naive.local_linear(y, values, target, weights), abs=0.01)
    assert adjusted(y, values, target, weights, "none") is y
    exact = adjusted(values @ slope, values, target, weights, "linear")
    assert exact == pytest.approx(np.tile(target @ slope, (400, 1)), abs=1e-4)


def test_a_line_through_points_on_a_line_is_that_line() -> None:
    rng = generator(5)
    values = np.hstack([rng.standard_normal((200, 3)) * [1, 50, 0.01], np.full((200, 1), 7.0)])
    y = 2 + values[:, :3] @ np.array([[1.0], [0.02], [-30.0]])
    line = Line.through(y, values, np.full(200, 1 / 200))
    assert line.at(values) == pytest.approx(y, abs=1e-4)
    assert line.at(np.array([1.0, 100.0, 0.1, 9.0])) == pytest.approx([2 + 1 + 2 - 3], abs=1e-3)
    assert np.isnan(line.at(np.array([1.0, np.nan, 0.0, 7.0]))).all()


def test_the_ridge_stands_what_is_collinear_constant_or_too_much() -> None:
    rng = generator(2)
    x = rng.standard_normal((60, 1))
    values = np.hstack([x, 3 * x, np.ones((60, 1)), rng.standard_normal((60, 80))])
    y = x + 0.1 * rng.standard_normal((60, 1))
    target = np.concatenate([[0.5, 1.5, 1.0], np.zeros(80)])
    found = adjusted(y, values, target, np.full(60, 1 / 60), "linear")
    assert np.isfinite(found).all()
    assert found.mean() == pytest.approx(0.5, abs=0.3)
    assert adjusted(y, values[:, 2:3], target[2:3], np.full(60, 1 / 60), "linear") == pytest.approx(y)


def test_the_spread_may_change_with_the_summaries() -> None:
    rng = generator(4)
    x = rng.uniform(-1, 1, (4000, 1))
    y = x + np.exp(x) * rng.standard_normal((4000, 1))
    weights = np.full(4000, 1 / 4000)
    for target in (-0.8, 0.0, 0.8):
        found = adjusted(y, x, np.array([target]), weights, "heteroscedastic")
        assert found.std() == pytest.approx(math.exp(target), rel=0.12)
        assert found.mean() == pytest.approx(target, abs=0.12)


def test_scales_are_median_deviations_or_what_is_left() -> None:
    rng = generator(1)
    bell = rng.standard_normal(4001)
    rare = (rng.random(4001) < 0.1).astype(float)
    newest = np.column_stack([bell, rare, np.zeros(4001), np.zeros(4001)])
    every = np.vstack([newest, [[9.0, 9.0, 5.0, 0.0]]])
    found = scales(newest, every)
    assert found[0] == pytest.approx(1, abs=0.05)
    assert found[1] == pytest.approx(rare.std())
    assert found[2] == pytest.approx(every[:, 2].std())
    assert math.isinf(found[3])


def test_shrinkage_is_that_of_the_twin() -> None:
    rng = generator(1)
    values = rng.standard_normal((30, 4)) @ rng.standard_normal((4, 4)) + 5
    assert shrunk(values) == pytest.approx(naive.shrunk(values))
    assert shrunk(values[:, :1]) == pytest.approx(np.var(values[:, :1], ddof=1))
    same = values[:, [0, 0]]
    assert np.isfinite(np.linalg.cholesky(shrunk(same))).all()
    apart = rng.standard_normal((20, 3))
    off = shrunk(apart)[~np.eye(3, dtype=bool)]
    assert (np.abs(off) <= np.abs(np.cov(apart.T)[~np.eye(3, dtype=bool)])).all()


# errors

Bad = tuple[Callable[[], Any], type[Exception], str]
BELL = made(SETTING, np.arange(10.0))


@both
def test_what_cannot_be_meant_is_refused(method: Any) -> None:
    civil, setting = load("civil_violence").example()
    seen = civil.simulate(setting.during(5), rng=generator(1))
    name = type(method).__name__
    civil_method = replace(method, summaries=None)
    with pytest.raises(ParameterError, match=rf"citizen_density, .* no prior, so {name} cannot draw them.*fixed="):
        learn(civil, seen, civil_method, setting=setting.during(5))
    with pytest.raises(ParameterError, match=r'priors names "men".*"mean"'):
        learn(Bells(), BELL, replace(method, priors={"men": Prior(0, 1)}))
    with pytest.raises(ParameterError, match="on the boundary"):
        learn(Counts(), made(SETTING, np.ones(10), "events"), replace(civil_method, priors={"rate": Prior(0, 1)}))
    with pytest.raises(ParameterError, match="nothing to learn"):
        learn(Bells(), BELL, method, fixed={"mean": 0.0})
    with pytest.raises(DataError, match='no series "value"'):
        learn(Bells(), made(SETTING, np.ones(10), "events"), method)
    with pytest.raises(DataError, match="has no value in what was observed"):
        learn(Bells(), BELL, replace(method, summaries=Summaries("waiting value 100")))
    with pytest.raises(MissingVerb, match=f"{name} weighs a History"):
        learn(Bells(), Record(()), method)
    with pytest.raises(MissingVerb, match="left out"):
        learn(Bells(), replace(BELL, weighed=np.ones((1, 10), dtype=bool)), method)


def test_a_model_that_always_fails_says_why() -> None:
    small = ABC(Summaries("total events"), simulations=200, round=100, effective=20)
    history = made(SETTING, np.ones(10), "events")
    with pytest.raises(DataError, match=r"none of 100 simulations.*the draw exploded"):
        learn(Counts(most=-1), history, small)
    with pytest.raises(DataError, match="synthetic likelihood for total events: the draw exploded"):
        learn(Counts(most=-1), history, SyntheticLikelihood(small.summaries, round=10, most=50, effective=10))
    with pytest.raises(DataError, match="never varies"):
        learn(Counts(), history, SyntheticLikelihood(Summaries("places events"), {"rate": Prior(50, 0.1)}, most=200))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ABC(simulations=100),
        lambda: ABC(round=10),
        lambda: ABC(adjustment="quadratic"),  # type: ignore[arg-type]
        lambda: ABC(checks=-1),
        lambda: SyntheticLikelihood(simulations=3),
        lambda: SyntheticLikelihood(most=10),
        lambda: SyntheticLikelihood(processes=0),
    ],
)
def test_settings_that_cannot_run_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(UsageError, match="cannot run"):
        make()


def test_more_summaries_than_histories_are_refused() -> None:
    many = Summaries(*(f"at value {step}" for step in range(10)), "peak value")
    with pytest.raises(UsageError, match="expected at least 14"):
        learn(Bells(), BELL, SyntheticLikelihood(many, simulations=10))


# recovery


def crowd(legitimacy: float, steps: int, **changes: Any) -> tuple[Any, Setting, History, Mapping[str, float]]:
    kind: Any = load("civil_violence")
    model = kind.netlogo(legitimacy=legitimacy, rows=20, columns=20, **changes)
    setting = kind.example()[1].during(steps)
    history = model.simulate(setting, rng=generator(11))
    return model, setting, history, {leaf.name: leaf.value for leaf in leaves(model)}


def test_the_legitimacy_of_a_crowd_is_found() -> None:
    model, setting, history, held = crowd(0.75, 30, vision_cells=3.0)
    held = {name: value for name, value in held.items() if name != "legitimacy"}
    method = ABC(priors={"legitimacy": Prior(0.7, 0.8)}, simulations=900, round=300, effective=100, checks=100)
    found = learn(model.replacing({"legitimacy": 0.5}), history, method, setting=setting, fixed=held)
    at = found.names.index("legitimacy")
    assert found.converged, found.notes
    assert abs(found.estimate[at] - 0.75) < 3 * found.standard_error[at] < 0.1
    assert found.standard_error[found.names.index("vision_cells")] == 0


@pytest.mark.slow
def test_the_legitimacy_and_the_vision_of_a_crowd_are_found() -> None:
    model, setting, history, held = crowd(0.75, 60, vision_cells=4.0)
    held = {name: value for name, value in held.items() if name not in ("legitimacy", "vision_cells")}
    priors = {"legitimacy": Prior(0.7, 0.8), "vision_cells": Prior(4.0, 0.4)}
    found = learn(
        model, history, ABC(priors=priors, simulations=2_400, round=600, effective=250), setting=setting, fixed=held
    )
    for name, truth in (("legitimacy", 0.75), ("vision_cells", 4.0)):
        at = found.names.index(name)
        assert abs(found.estimate[at] - truth) < 3 * found.standard_error[at]
    assert found.converged, found.notes
