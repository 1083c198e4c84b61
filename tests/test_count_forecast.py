"""Exact forecasts of counts and forecasts as draws: slow twins, known sums, and what is no forecast."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import calibration as naive
from scipy import special, stats

from groundswell.errors import UsageError
from groundswell.evaluate import count_forecast
from groundswell.evaluate.count_forecast import SCORES, Drawn, NegativeBinomial
from groundswell.rng import generator

means = st.floats(0.02, 25.0)
overdispersions = st.one_of(st.just(0.0), st.floats(0.01, 3.0))
forecasts = st.lists(st.tuples(means, overdispersions, st.integers(0, 40)), min_size=1, max_size=5)


def forecast_of(made: list[tuple[float, float, int]]) -> tuple[NegativeBinomial, np.ndarray]:
    mean, psi, y = (np.array(column) for column in zip(*made, strict=True))
    return NegativeBinomial(mean, psi), y


@given(forecasts)
@settings(max_examples=40)
def test_every_figure_equals_its_slow_twin(made: list[tuple[float, float, int]]) -> None:
    forecast, y = forecast_of(made)
    found, (low, high) = forecast.scores(y), forecast.pit(y)
    edges = forecast.quantiles([0.05, 0.5, 0.975])
    for i, (mean, psi, count) in enumerate(made):
        twin = naive.scores(mean, psi, count)
        for name in SCORES:
            assert found[name][i] == pytest.approx(twin[name], rel=1e-9, abs=1e-11)
        law = naive.law(mean, psi)
        assert low[i] == pytest.approx(law.cdf(count - 1), abs=1e-12)
        assert high[i] == pytest.approx(law.cdf(count), abs=1e-12)
        assert edges[i].tolist() == [naive.quantile(mean, psi, p) for p in (0.05, 0.5, 0.975)]
        (left,), (right,) = (ends[i] for ends in forecast.intervals([0.8]))
        assert [left, right] == [naive.quantile(mean, psi, p) for p in (0.1, 0.9)]
        inside = forecast.promised(y, [0.8])[i, 0]
        assert inside == pytest.approx(law.cdf(right) - law.cdf(left - 1), abs=1e-12)


@given(st.lists(st.tuples(st.floats(0.02, 8), st.one_of(st.just(0.0), st.floats(0.01, 1.5))), min_size=1, max_size=2))
@settings(max_examples=15)
def test_expected_scores_are_the_sums_over_all_counts(made: list[tuple[float, float]]) -> None:
    mean, psi = (np.array(column) for column in zip(*made, strict=True))
    for name in ("logs", "rps", "dss"):
        average, variance = NegativeBinomial(mean, psi).expected_scores(name)
        for i, (m, s) in enumerate(made):
            assert (average[i], variance[i]) == pytest.approx(naive.expected_score(name, m, s), rel=1e-7)


@pytest.mark.parametrize("rate", [0.3, 4.0, 60.0])
def test_the_ranked_score_that_a_poisson_expects_of_itself(rate: float) -> None:
    """Wei and Held 2014: E RPS = rate exp(-2 rate) (I0(2 rate) + I1(2 rate))."""
    closed = rate * (special.ive(0, 2 * rate) + special.ive(1, 2 * rate))
    assert NegativeBinomial(np.array([rate])).expected_scores("rps")[0][0] == pytest.approx(closed, rel=1e-12)


def test_the_negative_binomial_becomes_poisson_without_losing_digits() -> None:
    mean, y = np.array([0.1, 3.0, 100.0, 1e4]), np.array([0, 2, 110, 10_100])
    exact = -stats.poisson.logpmf(y, mean)
    for psi in (0.0, 1e-15, 1e-12, 1e-9):
        # d/d psi of the log density at psi = 0 is ((y - mean)^2 - y) / 2, so this far it may differ
        allowed = psi * np.abs((y - mean) ** 2 - y) + 1e-9
        assert (np.abs(NegativeBinomial(mean, psi).scores(y, ["logs"])["logs"] - exact) <= allowed).all()


def test_shapes_are_kept_and_one_overdispersion_a_place_may_be_given() -> None:
    rng = generator(1)
    mean, psi = rng.uniform(0.1, 9, (4, 3)), np.array([[0.0], [0.2], [1.0], [2.0]])
    forecast, y = NegativeBinomial(mean, psi), rng.poisson(mean)
    found, edges = forecast.scores(y), forecast.quantiles([0.1, 0.9])
    assert edges.shape == (4, 3, 2)
    for place in range(4):
        alone = NegativeBinomial(mean[place], float(psi[place, 0]))
        for name, values in alone.scores(y[place]).items():
            np.testing.assert_allclose(found[name][place], values, rtol=1e-12)
        np.testing.assert_array_equal(alone.quantiles([0.1, 0.9]), edges[place])
        np.testing.assert_allclose(alone.expected_scores("rps"), np.array(forecast.expected_scores("rps"))[:, place])


def test_the_size_of_the_tables_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = generator(2)
    mean = np.exp(rng.normal(1, 2, 60))
    forecast, y = NegativeBinomial(mean, 0.7), rng.poisson(mean)
    whole = forecast.scores(y)
    monkeypatch.setattr(count_forecast, "TABLE", 50)
    for name, values in forecast.scores(y).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-12)


def test_draws_have_the_mean_the_variance_and_the_law() -> None:
    forecast = NegativeBinomial(np.array([0.4, 3.0, 12.0]), np.array([0.0, 0.8, 0.1]))
    draws = forecast.draws(40_000, rng=generator(3))
    assert draws.shape == (3, 40_000)
    for x, mean, variance in zip(draws, forecast.mean, forecast.variance, strict=True):
        assert abs(x.mean() - mean) < 4 * math.sqrt(variance / 40_000)
        assert x.var() == pytest.approx(variance, rel=0.06)
    for k in range(4):
        y = np.full(3, k)
        share, exact = (draws <= k).mean(axis=1), forecast.pit(y)[1]
        assert (np.abs(share - exact) < 4 * np.sqrt(exact * (1 - exact) / 40_000) + 1e-4).all()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.integers(0, 6))
def test_the_observed_count_is_one_more_draw(draws: list[int], y: int) -> None:
    (low,), (high,) = Drawn(np.array([draws])).pit(np.array([y]))
    every = [*draws, y]
    assert low == sum(x < y for x in every) / len(every)
    assert high == sum(x <= y for x in every) / len(every)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), st.integers(0, 6), st.floats(0.01, 0.99))
def test_the_promise_of_draws_takes_each_count_in_turn_for_the_observed_one(x: list[int], y: int, level: float) -> None:
    every, inside = [*x, y], 0
    for i, one in enumerate(every):
        others = Drawn(np.array([every[:i] + every[i + 1 :]]))
        (low,), (high,) = (ends[0] for ends in others.intervals([level]))
        inside += bool(low <= one <= high)
    assert Drawn(np.array([x])).promised(np.array([y]), [level])[0, 0] == pytest.approx(inside / len(every))


def test_many_draws_tell_what_the_law_tells() -> None:
    exact, y = NegativeBinomial(np.array([0.4, 3.0]), 0.5), np.array([1, 2])
    drawn = Drawn(exact.draws(60_000, rng=generator(4)))
    for a, b in zip(exact.pit(y), drawn.pit(y), strict=True):
        np.testing.assert_allclose(a, b, atol=0.01)
    np.testing.assert_array_equal(exact.intervals([0.6, 0.86]), drawn.intervals([0.6, 0.86]))
    np.testing.assert_allclose(exact.promised(y, [0.6, 0.86]), drawn.promised(y, [0.6, 0.86]), atol=0.01)


@pytest.mark.parametrize(
    ("mean", "psi", "words"),
    [
        ([1.0, 0.0], 0.0, "not above 0"),
        ([1.0, np.nan], 0.0, "not above 0"),
        ([1.0, 2.0], -0.1, "below 0"),
        ([1.0, 2.0], [0.1, 0.2, 0.3], "shape \\(3,\\)"),
    ],
)
def test_what_is_no_forecast_is_refused(mean: list[float], psi: float | list[float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        NegativeBinomial(np.array(mean), np.array(psi))


@pytest.mark.parametrize("y", [[1.0], [1.0, 0.5], [1.0, -1.0], [1.0, np.nan]])
def test_what_is_no_count_is_refused(y: list[float]) -> None:
    with pytest.raises(UsageError, match="one count"):
        NegativeBinomial(np.array([1.0, 2.0])).scores(np.array(y))


def test_a_score_that_is_not_known_is_refused() -> None:
    forecast = NegativeBinomial(np.array([1.0]))
    with pytest.raises(UsageError, match="known: logs, rps, dss, ses"):
        forecast.scores(np.array([1]), ["crps"])
    with pytest.raises(UsageError, match="known: dss, logs, rps"):
        forecast.expected_scores("ses")
