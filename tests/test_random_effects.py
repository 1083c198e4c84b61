"""The density of random intercepts: against scipy, differences, and for every admissible correlation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from groundswell.models.cities.endemic_epidemic import Between, Endemic, EndemicEpidemic, Within
from groundswell.models.cities.weights import PowerLaw
from groundswell.models.random_effects import (
    Correlation,
    RandomIntercepts,
    covariance,
    covariance_slopes,
    normal_density,
    pairs,
)
from groundswell.params import from_vector, names, vector
from groundswell.rng import generator

CASES = [([0.7], []), ([0.7, 1.2], []), ([0.7, 1.2], [0.4]), ([0.7, 1.2, 0.3], [0.4, -0.6, 0.8])]


@pytest.mark.parametrize(("sd", "partial"), CASES)
def test_the_density_is_the_normal_one_and_its_slopes_are_differences(sd: list[float], partial: list[float]) -> None:
    size, rng = len(sd), generator(1)
    effects = rng.normal(size=(size, 6))
    at = np.r_[effects.ravel(), sd, partial]

    def density(x: np.ndarray):
        return normal_density(x[: 6 * size].reshape(size, 6), x[6 * size : 7 * size], x[7 * size :])

    value, *slopes = density(at)
    matrix = covariance(np.array(sd), np.array(partial))
    assert value == pytest.approx(multivariate_normal(cov=matrix).logpdf(effects.T).sum())
    gradient = np.concatenate([np.ravel(slope) for slope in slopes])
    for k in range(len(at)):
        step = np.eye(len(at))[k] * 1e-6
        assert gradient[k] == pytest.approx((density(at + step)[0] - density(at - step)[0]) / 2e-6, rel=1e-6, abs=1e-6)
    for k in range(size + len(partial)):
        step = np.eye(size + len(partial))[k] * 1e-6
        ends = [covariance(*np.split(np.r_[sd, partial] + sign * step, [size])) for sign in (1, -1)]
        slope = covariance_slopes(np.array(sd), np.array(partial))[k]
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


@given(partial=st.tuples(*[st.floats(-0.99, 0.99)] * 3))
@settings(deadline=None)
def test_every_combination_of_correlations_is_a_covariance(partial: tuple[float, float, float]) -> None:
    matrix = covariance(np.ones(3), np.array(partial))
    assert np.linalg.eigvalsh(matrix).min() > 0
    assert matrix[0, 1:] == pytest.approx(partial[:2])


def test_pairs_are_named_in_the_order_of_the_parts() -> None:
    assert pairs(["endemic", "within", "between"]) == ["endemic-within", "endemic-between", "within-between"]


def test_the_model_hands_its_effects_to_the_density() -> None:
    _, setting = EndemicEpidemic.example()
    random = RandomIntercepts(0.6)
    model = EndemicEpidemic(
        Endemic(random=random), Within(), Between(weights=PowerLaw(), random=random), correlation=Correlation()
    ).prepared(setting)
    rng = generator(3)
    at = vector(model)
    moved = [k for k, name in enumerate(names(model)) if "by_place" in name]
    at[moved] = rng.normal(size=len(moved))
    at[names(model).index("correlation.by_pair.endemic-between")] = 0.3
    model = from_vector(model, at)
    value, gradient = model.effects_density(setting)(at)
    both = np.array([list(part.random.by_place.values()) for part in (model.endemic, model.between)])
    cov = 0.36 * np.array([[1, 0.3], [0.3, 1]])
    assert value == pytest.approx(multivariate_normal(cov=cov).logpdf(both.T).sum())
    for k, name in enumerate(names(model)):
        step = np.eye(len(at))[k] * 1e-6
        density = model.effects_density(setting)
        assert gradient[k] == pytest.approx((density(at + step)[0] - density(at - step)[0]) / 2e-6, abs=1e-6), name
