"""The log probability of counts, against scipy's distributions and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from groundswell.models.cities.counts import log_mass

RNG = np.random.default_rng(1)
COUNTS = RNG.poisson(RNG.gamma(0.5, 8.0, (4, 30))).astype(float)
MEANS = RNG.gamma(1.0, 4.0, (4, 30))


@pytest.mark.parametrize("psi", [1e-3, 0.4, 2.0, 30.0])
def test_negative_binomial_as_scipy_has_it(psi: float) -> None:
    expected = stats.nbinom.logpmf(COUNTS, 1 / psi, 1 / (1 + psi * MEANS))
    assert log_mass(COUNTS, MEANS, psi) == pytest.approx(expected, rel=1e-9)


def test_no_overdispersion_is_poisson_and_hardly_any_is_nearly() -> None:
    poisson = stats.poisson.logpmf(COUNTS, MEANS)
    assert log_mass(COUNTS, MEANS, 0.0) == pytest.approx(poisson, rel=1e-12)
    # scipy's own negative binomial has lost all digits by here
    assert log_mass(COUNTS, MEANS, 1e-12) == pytest.approx(poisson, rel=1e-9)


def test_one_psi_a_row() -> None:
    psi = np.array([0.0, 0.1, 1.0, 5.0])
    rows = [log_mass(COUNTS[i : i + 1], MEANS[i : i + 1], psi[i])[0] for i in range(4)]
    assert np.array_equal(log_mass(COUNTS, MEANS, psi), np.array(rows))


def test_probabilities_sum_to_one() -> None:
    support = np.arange(4000.0)[None]
    assert np.exp(log_mass(support, np.full(support.shape, 7.0), 1.5)).sum() == pytest.approx(1, abs=1e-9)


def test_nothing_expected() -> None:
    found = log_mass(np.array([[0.0, 1.0, 2.0]]), np.array([[0.0, 0.0, np.nan]]), 0.5)
    assert found[0, 0] == 0
    assert found[0, 1] == -np.inf
    assert np.isnan(found[0, 2])
    assert log_mass(np.zeros((0, 3)), np.zeros((0, 3)), 0.5).shape == (0, 3)
