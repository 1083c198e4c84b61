"""Scores: slow twins, closed forms, an independent package, and what makes them proper."""

from __future__ import annotations

import importlib
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import scores as naive
from scipy import special, stats

from groundswell.errors import UsageError
from groundswell.evaluate import scores
from groundswell.rng import generator

cells = st.integers(1, 12).flatmap(
    lambda size: st.lists(
        st.tuples(st.lists(st.integers(0, 9), min_size=size, max_size=size), st.integers(0, 12)),
        min_size=1,
        max_size=5,
    )
)


@given(cells)
@settings(max_examples=150, deadline=None)
def test_every_score_equals_its_slow_twin(made):
    draws = np.array([x for x, _ in made])
    seen = np.array([y for _, y in made])
    levels = (0.05, 0.2, 0.5)
    for i, (x, y) in enumerate(made):
        assert scores.crps(draws, seen)[i] == pytest.approx(naive.crps(x, y), abs=1e-12)
        assert scores.crps(draws, seen)[i] == pytest.approx(naive.crps_by_integral(x, y), abs=1e-12)
        for threshold in (-1.5, 2, 3.5, 20):
            got = scores.threshold_weighted_crps(draws, seen, threshold)[i]
            assert got == pytest.approx(naive.threshold_weighted_crps(x, y, threshold), abs=1e-12)
        assert scores.log_score(draws, seen, 0.7)[i] == pytest.approx(naive.log_score(x, y, 0.7), abs=1e-12)
        assert scores.brier_active(draws, seen)[i] == pytest.approx(naive.brier_at_least(x, y, 1), abs=1e-12)
        assert scores.brier_at_least(draws, seen, 4)[i] == pytest.approx(naive.brier_at_least(x, y, 4), abs=1e-12)
        twin = naive.weighted_interval(x, y, levels)
        assert scores.weighted_interval(draws, seen, levels)[i] == pytest.approx(twin, abs=1e-12)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40), st.floats(0.001, 0.999))
def test_quantiles_are_draws_and_the_smallest_that_reach_the_share(x, share):
    got = scores.quantiles(np.array([x]), [share])[0, 0]
    assert got == naive.quantile(x, share)
    assert got in x


def test_a_hundredth_of_a_hundred_draws_is_not_lost_to_rounding():
    assert scores.quantiles(np.arange(1, 101)[None], [0.07, 0.29, 0.57]).tolist() == [[7, 29, 57]]


@pytest.mark.parametrize(("rate", "y"), [(0.3, 0), (0.3, 2), (4.0, 1), (4.0, 11), (60.0, 50)])
def test_crps_of_many_poisson_quantiles_is_the_closed_form(rate, y):
    """Wei and Held 2014: (y - r)(2 F(y) - 1) + 2 r f(y) - r exp(-2 r) (I0(2 r) + I1(2 r))."""
    size = 40_000
    draws = stats.poisson.ppf((np.arange(size) + 0.5) / size, rate)[None]
    bessel = special.ive(0, 2 * rate) + special.ive(1, 2 * rate)
    closed = (y - rate) * (2 * stats.poisson.cdf(y, rate) - 1) + 2 * rate * stats.poisson.pmf(y, rate) - rate * bessel
    assert scores.crps(draws, np.array([y]))[0] == pytest.approx(closed, abs=2e-3 * max(1, math.sqrt(rate)) / 2)


def test_crps_of_the_standard_normal_at_its_centre():
    """Gneiting and Raftery 2007, equation 21 for the normal: (sqrt 2 - 1) / sqrt pi at y = mean."""
    size = 100_000
    draws = special.ndtri((np.arange(size) + 0.5) / size)[None]
    got = scores.crps(draws, np.zeros(1))[0]
    assert got == pytest.approx((math.sqrt(2) - 1) / math.sqrt(math.pi), abs=1e-4)
    # With many levels the weighted interval score tends to the CRPS.
    many = np.arange(1, 200) / 200
    assert scores.weighted_interval(draws, np.array([0.7]), many)[0] == pytest.approx(
        scores.crps(draws, np.array([0.7]))[0], abs=5e-3
    )


def test_log_score_of_many_draws_is_the_log_density():
    draws = generator(1).poisson(2.0, (1, 200_000))
    for y in range(5):
        assert scores.log_score(draws, np.array([y]))[0] == pytest.approx(-stats.poisson.logpmf(y, 2.0), abs=0.02)


def test_the_wide_distribution_sums_to_one_and_so_does_the_smoothed_forecast():
    counts = np.arange(200_000)
    assert scores.wide_probability(counts).sum() == pytest.approx(1, abs=1e-5)
    draws = np.repeat(np.array([[0, 0, 3, 5]]), len(counts), axis=0)
    assert np.exp(-scores.log_score(draws, counts)).sum() == pytest.approx(1, abs=1e-5)


def test_agrees_with_an_independent_package():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = importlib.import_module("scoringrules")
    draws = generator(2).negative_binomial(0.8, 0.2, (60, 31)).astype(float)
    seen = generator(3).negative_binomial(0.8, 0.2, 60).astype(float)
    np.testing.assert_allclose(scores.crps(draws, seen), oracle.crps_ensemble(seen, draws, estimator="nrg"), atol=1e-12)
    for threshold in (0.0, 3.0, 12.5):
        theirs = oracle.twcrps_ensemble(seen, draws, threshold, estimator="nrg")
        np.testing.assert_allclose(scores.threshold_weighted_crps(draws, seen, threshold), theirs, atol=1e-12)
    share = (draws > 0).mean(axis=1)
    np.testing.assert_allclose(scores.brier_active(draws, seen), oracle.brier_score(seen > 0, share), atol=1e-12)
    alpha = np.array(scores.INTERVAL_LEVELS)
    edges = scores.quantiles(draws, [0.5, *(alpha / 2), *(1 - alpha / 2)])
    theirs = oracle.weighted_interval_score(
        seen, edges[:, 0], edges[:, 1 : 1 + len(alpha)], edges[:, 1 + len(alpha) :], alpha
    )
    np.testing.assert_allclose(scores.weighted_interval(draws, seen), theirs, atol=1e-12)


ABOVE_2 = scores.Score("above", "CRPS above 2", lambda draws, seen: scores.threshold_weighted_crps(draws, seen, 2))


@pytest.mark.parametrize("score", [*scores.CELL_SCORES, ABOVE_2], ids=lambda s: s.name)
def test_proper_the_true_distribution_wins_on_average(score):
    rng = generator(4)
    seen = rng.poisson(2.0, 4000)
    truth = score.losses(rng.poisson(2.0, (4000, 300)), seen)
    for other in (1.0, 3.5):
        wrong = score.losses(rng.poisson(other, (4000, 300)), seen)
        gap = wrong - truth
        assert gap.mean() > 3 * gap.std() / math.sqrt(len(gap))


def test_choosing_cells_by_their_outcome_rewards_a_forecast_that_is_too_high():
    """What chaining is for: the true forecast loses where only large outcomes are scored, and wins when chained."""
    rng = generator(14)
    seen = rng.poisson(2.0, 4000)
    truth, high = (rng.poisson(rate, (4000, 300)) for rate in (2.0, 4.5))
    large = seen >= 4
    assert scores.crps(high, seen)[large].mean() < scores.crps(truth, seen)[large].mean()
    assert ABOVE_2.losses(truth, seen).mean() < ABOVE_2.losses(high, seen).mean()


@given(cells, st.integers(-2, 12))
def test_the_crps_above_a_threshold_is_the_sum_of_the_brier_scores_of_more_than_k(made, threshold):
    draws, seen = np.array([x for x, _ in made]), np.array([y for _, y in made])
    summed = sum(scores.brier_at_least(draws, seen, k + 1) for k in range(threshold, 13))
    np.testing.assert_allclose(scores.threshold_weighted_crps(draws, seen, threshold), summed, atol=1e-12)
    np.testing.assert_array_equal(scores.threshold_weighted_crps(draws, seen, -np.inf), scores.crps(draws, seen))


@pytest.mark.parametrize("threshold", [np.inf, np.nan])
def test_a_threshold_is_a_number(threshold):
    with pytest.raises(UsageError, match="expected a number"):
        scores.threshold_weighted_crps(np.zeros((1, 2)), np.zeros(1), threshold)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.float32])
def test_the_type_of_the_counts_changes_nothing(kind):
    draws = np.array([[0, 3, 9, 120], [1, 1, 0, 0]])
    seen = np.array([100, 2])
    for score in (*scores.CELL_SCORES, ABOVE_2):
        np.testing.assert_array_equal(
            score.losses(draws.astype(kind), seen.astype(kind)), score.losses(draws.astype(float), seen.astype(float))
        )


def test_the_order_of_the_draws_changes_nothing():
    rng = generator(5)
    draws, seen = rng.poisson(3, (20, 50)), rng.poisson(3, 20)
    for score in (*scores.CELL_SCORES, ABOVE_2):
        np.testing.assert_allclose(
            score.losses(draws, seen), score.losses(rng.permuted(draws, axis=1), seen), atol=1e-12
        )


def test_intervals_of_counts_hold_at_least_their_level():
    rng = generator(6)
    draws, seen = rng.poisson(3, (4000, 400)), rng.poisson(3, 4000)
    assert scores.interval_covers(draws, seen, 0.8).mean() >= 0.8 - 3 * 0.4 / math.sqrt(4000)
    assert scores.interval_covers(np.array([[1, 2, 3]]), np.array([9]), 0.9).tolist() == [False]


@pytest.mark.parametrize(
    ("draws", "seen", "words"),
    [
        (np.zeros((2, 3)), np.zeros(3), "expected \\(N, S\\)"),
        (np.zeros((2, 0)), np.zeros(2), "expected \\(N, S\\)"),
        (np.full((1, 2), np.nan), np.zeros(1), "missing or infinite"),
    ],
)
def test_what_is_no_forecast_is_refused(draws, seen, words):
    with pytest.raises(UsageError, match=words):
        scores.crps(draws, seen)


def test_scoring_leaves_the_draws_as_they_are():
    draws, seen = generator(7).poisson(3, (5, 9)).astype(float), np.arange(5.0)
    before = draws.copy()
    for score in (*scores.CELL_SCORES, ABOVE_2):
        score.losses(draws, seen)
        np.testing.assert_array_equal(draws, before)


def test_the_log_score_refuses_what_is_no_count():
    with pytest.raises(UsageError, match="counts"):
        scores.log_score(np.zeros((1, 2)), np.array([0.5]))
