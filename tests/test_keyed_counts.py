"""Counts drawn from the hash have their distributions: against scipy's, and against the plain twin bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from groundswell.models.agents import _keyed_counts_loops as counts
from groundswell.models.agents import _keyed_loops as keyed
from tests.naive import recruitment as naive

# The hash means to wrap around at 2^64; with numba switched off, numpy says so at every turn.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

KEY = np.uint64(keyed.step_key(np.uint64(77), 5))
DRAWS = 20_000


def assert_discrete(sample: np.ndarray, law: stats.rv_frozen) -> None:
    """Chi-squared over cells of 20 or more expected."""
    edges = np.unique(law.ppf(np.linspace(0.002, 0.998, 40)))
    observed = np.histogram(sample, np.concatenate([[-0.5], edges + 0.5, [np.inf]]))[0]
    expected = DRAWS * np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    kept = expected > 20
    assert kept.sum() > 1
    assert stats.chi2.sf(((observed - expected)[kept] ** 2 / expected[kept]).sum(), kept.sum()) > 1e-4


@pytest.mark.parametrize("mean", [0.05, 3.0, 12.0, 12.01, 80.0, 1e4, 1e8])
def test_poisson_counts(mean: float) -> None:
    sample = np.array([counts.poisson(KEY, i, 3, mean) for i in range(DRAWS)])
    assert_discrete(sample, stats.poisson(mean))
    assert [naive.poisson(int(KEY), i, 3, mean) for i in range(300)] == sample[:300].tolist()


@pytest.mark.parametrize("shape", [0.02, 0.5, 1.0, 7.3, 1e6])
def test_gamma_numbers(shape: float) -> None:
    sample = np.array([counts.gamma(KEY, i, 4, shape) for i in range(DRAWS)])
    assert stats.kstest(sample, stats.gamma(shape).cdf).pvalue > 1e-4
    assert [naive.gamma(int(KEY), i, 4, shape) for i in range(300)] == pytest.approx(sample[:300].tolist(), rel=1e-12)


def test_normal_numbers() -> None:
    sample = np.array([counts.normal(KEY, i, 5, 0) for i in range(DRAWS)])
    assert stats.kstest(sample, stats.norm().cdf).pvalue > 1e-4


def test_luck_makes_a_poisson_count_negative_binomial() -> None:
    psi, mean = 0.7, 5.0
    sample = np.array([counts.poisson(KEY, i, 1, mean * counts.shared_luck(KEY, i, 0, psi)) for i in range(DRAWS)])
    assert_discrete(sample, stats.nbinom(1 / psi, 1 / (1 + psi * mean)))
    assert counts.shared_luck(KEY, 1, 0, 0.0) == 1.0


def test_a_small_mean_that_rises_never_lowers_the_count() -> None:
    """Two scenarios that share their luck differ in the direction of their means."""
    for i in range(200):
        path = [counts.poisson(KEY, i, 3, mean) for mean in np.linspace(0.0, counts.LARGE, 50)]
        assert path == sorted(path)


def test_no_mean_no_count() -> None:
    assert counts.poisson(KEY, 1, 3, 0.0) == 0
    assert counts.poisson(KEY, 1, 3, -1.0) == 0
