"""A classifier taught by simulated records: against Bayes factors and bits known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from groundswell.errors import UsageError
from groundswell.infer.model_choice import held_out, information, losses, reliability, taught, wilson
from groundswell.rng import generator


def two_normals(count: int, seed: int, sd: float = 1.6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Records of N(0, 1) and N(.8, sd) in the first of three summaries, with their exact log Bayes factor."""
    rng = generator(seed)
    x = rng.standard_normal((2 * count, 3))
    x[count:, 0] = 0.8 + sd * x[count:, 0]
    exact = norm.logpdf(x[:, 0]) - norm.logpdf(x[:, 0], 0.8, sd)
    return x, np.repeat([0, 1], count), exact


def test_the_log_odds_are_the_log_bayes_factor() -> None:
    x, truth, exact = two_normals(1500, 1)
    logs, _ = held_out(x, truth, rng=generator(2))
    odds = logs[:, 0] - logs[:, 1]
    usual = np.abs(x[:, 0]) < 2.5  # far out both are sure
    assert np.sqrt(np.mean((odds - exact)[usual] ** 2)) < 0.2
    assert np.corrcoef(odds[usual], exact[usual])[0, 1] > 0.97


def test_the_bits_are_a_bound_that_is_nearly_met() -> None:
    x, truth, _ = two_normals(2000, 3)
    grid = np.linspace(-12, 14, 20_001)
    densities = np.array([norm.pdf(grid), norm.pdf(grid, 0.8, 1.6)])
    middle = densities.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(densities > 0, densities * np.log2(densities / middle), 0.0)
    exact = terms.mean(axis=0).sum() * (grid[1] - grid[0])
    bits, error = information(held_out(x, truth, rng=generator(4))[0], truth)
    assert bits == pytest.approx(exact, abs=3 * error + 0.01)


def test_what_cannot_be_told_apart_has_no_bits_and_no_sure_statement() -> None:
    x, truth = generator(5).standard_normal((800, 6)), np.repeat([0, 1], 400)
    logs, _ = held_out(x, truth, rng=generator(6))
    bits, error = information(logs, truth)
    assert bits < 2 * error + 0.005
    assert (np.exp(logs).max(axis=1) > 0.75).mean() < 0.01  # 3 to 1


def test_a_rare_model_weighs_as_much_as_a_frequent_one() -> None:
    """300 records of one and 900 of the other: the same odds as from equally many."""
    x, truth, exact = two_normals(900, 7)
    kept = np.r_[:900, 900:1200]
    found = taught(x[kept], truth[kept], 0.02)
    odds = np.subtract(*found.log_probability(x[1200:]).T)
    assert np.mean(odds - exact[1200:]) == pytest.approx(0, abs=0.15)
    assert losses(found.log_probability(x[kept]), truth[kept])[:900].mean() * 4 / 3 == pytest.approx(
        -found.log_probability(x[:900])[:, 0].mean() * 8 / 9, rel=1e-9
    )


def test_claims_come_true_as_often_as_they_say() -> None:
    rng = generator(8)
    truth = np.repeat(np.arange(3), 700)
    x = rng.standard_normal((2100, 2)) + np.array([[0, 0], [1.2, 0], [0, 1.2]])[truth]
    rows = reliability(held_out(x, truth, rng=generator(9))[0], truth)
    assert sum(row["count"] for row in rows) == 6300
    inside = [row["low"] - 0.02 <= row["claimed"] <= row["high"] + 0.02 for row in rows]
    assert sum(inside) >= len(inside) - 1
    # a classifier that is too sure is seen to be
    sure = np.log(np.where(np.eye(3)[truth] == 1, 0.5, 0.25))
    assert reliability(sure, truth)[-1]["came"] == pytest.approx(1)


def test_one_wild_record_does_not_rule_the_rest() -> None:
    x, truth, _ = two_normals(300, 10)
    logs = taught(x, truth, 0.05).log_probability(x[1:])
    x[0, 0] = 1e4
    assert np.abs(taught(x, truth, 0.05).log_probability(x[1:]) - logs).mean() < 1.0


def test_a_summary_that_never_varies_changes_nothing() -> None:
    x, truth, _ = two_normals(200, 11)
    wider = np.hstack([x, np.full((400, 1), 7.0)])
    assert np.allclose(
        taught(x, truth, 0.1).log_probability(x), taught(wider, truth, 0.1).log_probability(wider), atol=0.02
    )


def test_too_few_records_are_refused() -> None:
    with pytest.raises(UsageError, match="needs 10 of each"):
        held_out(np.zeros((12, 1)), np.repeat([0, 1], 6), rng=generator(1))


@given(st.integers(0, 50), st.integers(1, 50))
def test_an_interval_of_a_share_holds_it_and_is_one(hits: int, more: int) -> None:
    count = hits + more
    low, high = wilson(hits / count, count)
    assert 0 <= low <= hits / count + 1e-12
    assert hits / count - 1e-12 <= high <= 1
