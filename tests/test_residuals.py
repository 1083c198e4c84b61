"""Residuals of counts: slow twins, limits, and the normal law of the randomised ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import calibration as naive
from scipy import stats

from groundswell.evaluate.count_forecast import NegativeBinomial
from groundswell.evaluate.residuals import deviance, pearson, randomised_quantile
from groundswell.rng import generator


@given(st.floats(0.02, 40), st.one_of(st.just(0.0), st.floats(0.01, 3)), st.integers(0, 60))
@settings(max_examples=80)
def test_residuals_equal_their_slow_twins(mean: float, psi: float, y: int) -> None:
    forecast, seen = NegativeBinomial(np.array([mean]), psi), np.array([y])
    assert pearson(forecast, seen)[0] == pytest.approx((y - mean) / np.sqrt(mean + psi * mean**2), rel=1e-12)
    assert deviance(forecast, seen)[0] == pytest.approx(naive.deviance(mean, psi, y), rel=1e-6, abs=1e-5)


def test_the_deviance_of_a_small_overdispersion_is_that_of_poisson() -> None:
    mean, y = np.array([0.5, 3.0, 200.0]), np.array([0, 7, 150])
    poisson = deviance(NegativeBinomial(mean), y)
    np.testing.assert_allclose(deviance(NegativeBinomial(mean, 1e-13), y), poisson, rtol=1e-8)
    assert deviance(NegativeBinomial(np.array([3.0]), 0.4), np.array([3]))[0] == 0


def test_randomised_quantile_residuals_are_standard_normal_however_rare_the_events() -> None:
    rng = generator(1)
    mean, psi = rng.uniform(0.02, 3, (50, 80)), rng.uniform(0, 1, (50, 1))
    forecast = NegativeBinomial(mean, psi)
    y = forecast.draws(1, rng=rng)[..., 0]
    found = randomised_quantile(forecast, y, rng=rng)
    assert found.shape == (50, 80)
    assert stats.kstest(found.ravel(), "norm").pvalue > 0.001
    assert abs(np.corrcoef(found.ravel(), mean.ravel())[0, 1]) < 4 / np.sqrt(found.size)
    wrong = randomised_quantile(NegativeBinomial(2 * mean, psi), y, rng=rng)
    assert stats.kstest(wrong.ravel(), "norm").pvalue < 1e-9


def test_a_randomised_residual_lies_between_the_quantiles_of_its_count() -> None:
    forecast, y = NegativeBinomial(np.array([2.0]), 0.3), np.array([1])
    law = naive.law(2.0, 0.3)
    low, high = stats.norm.ppf(law.cdf(0)), stats.norm.ppf(law.cdf(1))
    many = np.array([randomised_quantile(forecast, y, rng=generator(seed))[0] for seed in range(50)])
    assert ((low <= many) & (many <= high)).all()
    assert np.ptp(many) > 0.5 * (high - low)


def test_a_count_beyond_all_digits_stays_finite() -> None:
    forecast, y = NegativeBinomial(np.array([0.001, 500.0])), np.array([90, 0])
    found = randomised_quantile(forecast, y, rng=generator(1))
    assert np.isfinite(found).all()
    assert found[0] > 8
    assert found[1] < -20
