"""Calibration: exact uniformity, slow twins, the level and the power of the tests, intervals over origins."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import calibration as naive
from scipy import stats

from groundswell.errors import UsageError
from groundswell.evaluate.calibration import (
    BINS,
    LEVELS,
    Calibration,
    assessed,
    calibration_test,
    coverage,
    pit_histogram,
)
from groundswell.evaluate.count_forecast import Drawn, NegativeBinomial
from groundswell.rng import generator


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=8), st.integers(1, 12))
@settings(max_examples=80)
def test_the_histogram_equals_its_slow_twin(made: list[tuple[int, int]], bins: int) -> None:
    ends = [(low / 20, (low + width) / 20) for low, width in made]
    low, high = (np.array(column) for column in zip(*ends, strict=True))
    got = pit_histogram(low, high, bins)
    assert got.tolist() == pytest.approx(naive.pit_histogram(ends, bins), abs=1e-12)
    assert got.sum() == pytest.approx(1)


def test_a_point_falls_into_one_bin() -> None:
    """A count of probability 0 under an exact forecast."""
    ends = np.array([0.0, 0.25, 0.3, 1.0])
    assert pit_histogram(ends, ends, 4).tolist() == [0.5, 0.25, 0, 0.25]


@given(st.floats(0.05, 30), st.one_of(st.just(0.0), st.floats(0.05, 2)))
@settings(max_examples=30)
def test_under_the_forecast_itself_every_bin_is_equal(mean: float, psi: float) -> None:
    """By the sum over all counts, without a draw."""
    counts = np.arange(naive.last(mean, psi) + 1)
    forecast = NegativeBinomial(np.full(len(counts), mean), psi)
    p = np.exp(-forecast.scores(counts, ["logs"])["logs"])
    low, high = forecast.pit(counts)
    for bins in (1, 7, 10):
        each = np.stack([pit_histogram(low[[k]], high[[k]], bins) for k in counts])
        np.testing.assert_allclose(p @ each, 1 / bins, atol=1e-9)


def test_under_exchangeable_draws_every_bin_is_equal_and_every_promise_kept() -> None:
    """Over every outcome of three draws and an observation, weighted by its probability."""
    p = (0.6, 0.3, 0.1)
    outcomes = list(itertools.product(range(3), repeat=4))
    weight = np.array([math.prod(p[x] for x in outcome) for outcome in outcomes])
    x = np.array(outcomes, dtype=float)
    drawn, y = Drawn(x[:, :3]), x[:, 3]
    low, high = drawn.pit(y)
    each = np.stack([pit_histogram(low[[i]], high[[i]], 5) for i in range(len(x))])
    np.testing.assert_allclose(weight @ each, 0.2, atol=1e-12)
    for level in (0.1, 0.5, 0.8):  # and what is promised is kept
        (low, high), promised = (ends[:, 0] for ends in drawn.intervals([level])), drawn.promised(y, [level])[:, 0]
        assert weight @ ((low <= y) & (y <= high)) == pytest.approx(weight @ promised)


def test_coverage_equals_its_slow_twin_and_is_compared_with_what_was_promised() -> None:
    rng = generator(1)
    mean = rng.uniform(0.1, 6, 40)
    forecast, y = NegativeBinomial(mean, 0.5), rng.poisson(mean)
    table = coverage(forecast, y, (0.5, 0.8))
    for row in table.rows():
        covered, promised, width = [], [], []
        for m, count in zip(mean, y, strict=True):
            low, high = (naive.quantile(m, 0.5, (1 + sign * row["level"]) / 2) for sign in (-1, 1))
            covered.append(low <= count <= high)
            promised.append(naive.law(m, 0.5).cdf(high) - naive.law(m, 0.5).cdf(low - 1))
            width.append(high - low)
        assert row["covered"] == pytest.approx(np.mean(covered))
        assert row["promised"] == pytest.approx(np.mean(promised))
        assert row["width"] == pytest.approx(np.mean(width))
        assert row["promised"] >= row["level"]


def test_rare_counts_are_covered_far_more_often_than_the_level_says() -> None:
    forecast = NegativeBinomial(np.full(20_000, 0.05))
    y = generator(2).poisson(0.05, 20_000)
    (row,) = coverage(forecast, y, (0.5,)).rows()
    assert row["covered"] > 0.94
    assert row["covered"] == pytest.approx(row["promised"], abs=4 * math.sqrt(0.05 * 0.95 / 20_000))


def rejected(tested: NegativeBinomial, counts: np.ndarray, score: str, form: str) -> float:
    """Share of p-values below .05."""
    return float(np.mean([calibration_test(tested, y, score, form).p_value < 0.05 for y in counts]))  # type: ignore[arg-type]


CASES = [("rps", "standardised"), ("logs", "mean"), ("dss", "standardised"), ("rps", "regression")]


@pytest.mark.parametrize(("score", "form"), CASES)
def test_a_calibrated_forecast_is_rejected_at_the_stated_rate_and_a_wrong_one_more_often(score: str, form: str) -> None:
    rng = generator(3)
    mean = rng.uniform(1, 5, 120)
    truth = NegativeBinomial(mean, 0.3)
    counts = truth.draws(250, rng=rng).T
    assert abs(rejected(truth, counts, score, form) - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 250)
    assert rejected(NegativeBinomial(mean, 0.0), counts[:50], score, form) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("form", ["standardised", "mean", "regression"])
@pytest.mark.parametrize("score", ["rps", "logs", "dss"])
def test_p_values_are_uniform_under_calibration(score: str, form: str) -> None:
    """Over 1,500 sets of 400 forecasts; the scores of "dss" have the longest tail and get the wider margin."""
    rng = generator(4)
    mean = np.repeat(rng.uniform(2, 8, 20), 20)
    truth = NegativeBinomial(mean, 0.2)
    p = [calibration_test(truth, y, score, form).p_value for y in truth.draws(1500, rng=rng).T]  # type: ignore[arg-type]
    assert stats.kstest(p, "uniform").statistic < (0.06 if score == "dss" else 0.045)


def test_the_sign_tells_too_sure_from_too_unsure() -> None:
    rng = generator(5)
    mean = rng.uniform(2, 8, 2000)
    y = NegativeBinomial(mean, 0.5).draws(1, rng=rng)[:, 0]
    assert calibration_test(NegativeBinomial(mean, 0.1), y).statistic > 3
    assert calibration_test(NegativeBinomial(mean, 1.5), y).statistic < -3


def test_the_regression_is_weighted_least_squares() -> None:
    rng = generator(6)
    mean = rng.uniform(0.5, 9, 60)
    forecast, y = NegativeBinomial(mean, 0.4), rng.poisson(mean)
    average, variance = forecast.expected_scores("logs")
    root = 1 / np.sqrt(variance)
    design = np.stack([root, root * average], axis=1)
    estimate, *_ = np.linalg.lstsq(design, root * forecast.scores(y)["logs"], rcond=None)
    away = estimate - [0, 1]
    wald = float(away @ (design.T @ design) @ away)
    found = calibration_test(forecast, y, "logs", "regression")
    assert found.statistic == pytest.approx(wald, rel=1e-9)
    assert found.p_value == pytest.approx(stats.chi2.sf(wald, 2), rel=1e-9)
    same = calibration_test(NegativeBinomial(np.full(60, 3.0), 0.4), y, "logs", "regression")
    alone = calibration_test(NegativeBinomial(np.full(60, 3.0), 0.4), y, "logs", "mean")
    assert same.degrees == 1
    assert same.statistic == pytest.approx(alone.statistic**2, rel=1e-9)
    assert same.p_value == pytest.approx(alone.p_value, rel=1e-6)


def test_the_sum_that_the_r_package_cuts_short() -> None:
    """Six forecasts of the package's own test (see studies/published/forecasts.py).

    Its log-score statistic for varying sizes, 2.770905, comes from sums ended at the count with 1e-5 beyond
    it, while their closed-form parts are not; with all terms it is 2.866144.
    """
    mean = np.array([0.1, 1, 3, 6, math.pi, 100])
    size = np.array([0.1, 0.1, 10, 10, 100, 100])
    y = np.array([0, 0, 2, 14, 5, 63])
    forecast = NegativeBinomial(mean, 1 / size)
    assert calibration_test(forecast, y, "logs").statistic == pytest.approx(2.8661437, abs=1e-6)
    total = 0.0
    for m, s, count in zip(mean, size, y, strict=True):
        law = naive.law(m, 1 / s)
        kept = range(int(law.ppf(1 - 1e-5)) + 6)
        # -log p(k) = g(k) + constant: the two sums over g end early, the constant counts in full
        constant = (m + s) * math.log(m + s) - s * math.log(s) - m * math.log(m)
        slope = math.log(1 + s / m)
        g = [-law.logpmf(k) - s * math.log(1 + m / s) - k * slope for k in kept]
        average = sum(law.pmf(k) * x for k, x in zip(kept, g, strict=True)) + constant
        square = sum(law.pmf(k) * (x + k * slope) ** 2 for k, x in zip(kept, g, strict=True))
        variance = square - (average - s * math.log(1 + m / s)) ** 2
        total += (-law.logpmf(count) - average) / math.sqrt(variance)
    assert total / math.sqrt(6) == pytest.approx(2.77090543018323, abs=1e-9)


def gathered(
    origins: int, overlap: int = 1, psi: float = 0.4, factor: float = 1.0, seed: int = 7, cells: int = 30,
    draws: int = 300,
) -> Calibration:  # fmt: skip
    """Forecasts with overdispersion 0.4 of counts that have psi, and `factor` times the mean."""
    rng = generator(seed)
    made = []
    for _ in range(origins):
        mean = rng.uniform(0.5, 6, cells)
        y = NegativeBinomial(factor * mean, psi).draws(1, rng=rng)[:, 0]
        made.append((Drawn(NegativeBinomial(mean, 0.4).draws(draws, rng=rng)), y))
    return Calibration.of(made, overlap)


def test_gathering_adds_up_what_each_origin_showed() -> None:
    rng = generator(8)
    draws, y = rng.poisson(2.0, (50, 40)).astype(float), rng.poisson(2.0, 50).astype(float)
    parts = [slice(0, 20), slice(20, 50)]
    found = Calibration.of([(Drawn(draws[part]), y[part]) for part in parts])
    whole = Drawn(draws)
    low, high = whole.pit(y)
    assert found.cells.tolist() == [20, 30]
    np.testing.assert_allclose(found.histogram()["share"], pit_histogram(low, high, BINS))
    table = coverage(whole, y)
    for name in ("covered", "promised"):
        np.testing.assert_allclose(found.coverage()[name], table[name])
    assert found.location() == (pytest.approx(float((low + high).mean() / 2)), None, None)
    assert len(assessed(whole, y)[3]) == len(LEVELS)


def test_intervals_show_forecasts_that_are_too_narrow_or_too_low() -> None:
    at = LEVELS.index(0.8)
    row = list(gathered(40, psi=2.0).coverage().rows())[at]
    assert row["high"] < 0
    assert row["excess"] == pytest.approx(row["covered"] - row["promised"])
    _, low, _ = gathered(40, factor=1.3).location()
    assert low is not None
    assert low > 0.5
    shares = gathered(40).histogram()
    assert sum(low <= 0.1 <= high for low, high in zip(shares["low"], shares["high"], strict=True)) >= BINS - 3
    assert sum(shares["share"]) == pytest.approx(1)


@pytest.mark.parametrize("origins", [8, 14])
def test_a_calibrated_forecast_is_called_wrong_no_more_often_than_stated(origins: int) -> None:
    """One time in ten; over 250 sets, within three standard errors."""
    wrong = np.zeros(2)
    for seed in range(250):
        found = gathered(origins, seed=seed, cells=10, draws=60)
        row = list(found.coverage().rows())[LEVELS.index(0.8)]
        _, low, high = found.location()
        assert low is not None
        assert high is not None
        wrong += [not low <= 0.5 <= high, not row["low"] <= 0 <= row["high"]]
    assert (wrong / 250 < 0.1 + 3 * math.sqrt(0.09 / 250)).all()


def test_the_interval_is_students_over_groups_of_origins() -> None:
    found = gathered(11, overlap=1)
    share = found.middle / found.cells  # equal cells: the ratio of sums is the mean of the ratios
    error = share.std(ddof=1) / math.sqrt(11)
    expected = share.mean() + stats.t.ppf([0.05, 0.95], 10) * error
    assert found.location()[1:] == pytest.approx(expected)
    together = dataclasses.replace(found, overlap=2)  # two groups, of 6 and 5 origins
    assert together.location()[1:] == (None, None)
    wide = dataclasses.replace(gathered(32), overlap=2)
    groups = np.add.reduceat(wide.middle, range(0, 32, 4)) / np.add.reduceat(wide.cells, range(0, 32, 4))
    reach = stats.t.ppf(0.95, 7) * groups.std(ddof=1) / math.sqrt(8)
    assert wide.location()[2] == pytest.approx(groups.mean() + reach)


def test_few_origins_get_no_interval() -> None:
    found = gathered(7)
    assert set(found.coverage()["low"]) == {None}
    assert set(found.histogram()["high"]) == {None}


@pytest.mark.parametrize(
    ("low", "high", "bins"),
    [([0.5], [0.4], 10), ([-0.1], [0.4], 10), ([0.5], [1.1], 10), ([], [], 10), ([0.1], [0.2], 0), ([np.nan], [1], 5)],
)
def test_what_is_no_pit_is_refused(low: list[float], high: list[float], bins: int) -> None:
    with pytest.raises(UsageError, match="a PIT needs"):
        pit_histogram(np.array(low), np.array(high), bins)


def test_unknown_forms_and_scores_are_refused() -> None:
    forecast = NegativeBinomial(np.array([1.0]))
    with pytest.raises(UsageError, match="known: standardised"):
        calibration_test(forecast, np.array([1]), form="exact")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="known: dss, logs, rps"):
        calibration_test(forecast, np.array([1]), "ses")  # type: ignore[arg-type]
