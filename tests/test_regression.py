"""The regression baseline: gradient, slow twins, recovery, and what its parts do."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from naive import regression as naive
from scipy.optimize import approx_fprime

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.evaluate import regression
from groundswell.evaluate.regression import NegativeBinomialRegression, fit, loss, recent_means
from groundswell.rng import generator


def example(rows=400, seed=1):
    rng = generator(seed)
    columns = np.hstack([np.ones((rows, 1)), rng.normal(size=(rows, 3))])
    mu = np.exp(columns @ [-0.5, 0.6, -0.4, 0.0])
    return columns, rng.poisson(mu * rng.gamma(2.0, 0.5, rows)).astype(float)


def made(places, counts, *, steps, start="2020-05-25", step=1):
    past = Window(date.fromisoformat(start), counts.shape[1], step)
    ahead = Window(past.start, past.periods + steps, step)
    return Setting(places, ahead), History(places, past, {"events": counts})


@pytest.mark.parametrize("log_psi", [-9.2, -1.0, 2.0])
def test_the_gradient_agrees_with_differences(log_psi):
    columns, counts = example()
    x = np.array([-0.8, 0.3, 0.1, 0.2, log_psi])
    seen = np.flatnonzero(counts)
    numeric = approx_fprime(x, lambda x: loss(x, columns, counts, seen)[0], 1e-6)
    np.testing.assert_allclose(loss(x, columns, counts, seen)[1], numeric, rtol=2e-4, atol=2e-3)


def test_the_loss_is_minus_the_log_likelihood_and_the_prior_up_to_a_constant():
    columns, counts = example(60)
    seen = np.flatnonzero(counts)

    def slow(x):
        return naive.log_likelihood(x[:-1], np.exp(x[-1]), columns, counts) - (x[1:-1] ** 2).sum() / 2

    one, other = np.array([-0.8, 0.3, 0.1, 0.2, -0.5]), np.array([0.1, -0.9, 0.4, 0.0, 0.7])
    change = loss(other, columns, counts, seen)[0] - loss(one, columns, counts, seen)[0]
    assert change == pytest.approx(slow(one) - slow(other), rel=1e-9)


def test_the_fit_finds_the_coefficients_that_made_the_counts():
    beta, psi = fit(*example(20_000))
    np.testing.assert_allclose(beta, [-0.5, 0.6, -0.4, 0.0], atol=0.04)
    assert psi == pytest.approx(0.5, abs=0.06)


def test_counts_that_are_poisson_are_given_almost_no_overdispersion():
    rng = generator(2)
    columns = np.ones((5000, 1))
    beta, psi = fit(columns, rng.poisson(0.7, 5000).astype(float))
    assert np.exp(beta[0]) == pytest.approx(0.7, abs=0.04)
    assert psi < 0.08


def test_recent_means_are_those_of_the_slow_twin():
    counts = generator(3).poisson(1.0, (3, 9)).astype(float)
    for width in (1, 4, 20):
        slow = [[naive.recent_mean(row[:t].tolist(), width) for t in range(1, 10)] for row in counts]
        np.testing.assert_allclose(recent_means(counts, width)[:, 1:], slow, atol=1e-12)


@pytest.mark.parametrize(("known", "width"), [(40, 14), (6, 14), (30, 4)])
def test_paths_are_those_of_the_slow_twin(known, width, lopsided, monkeypatch):
    """More steps than the window is wide, and fewer known steps than that: each path's own draws move its mean."""
    beta, psi = np.array([-0.3, 0.8, 0.25]), 0.4
    monkeypatch.setattr(
        regression, "fit", lambda columns, counts: (np.append(beta, np.zeros(columns.shape[1] - 3)), psi)
    )
    counts = generator(4).poisson(0.8, (4, known)).astype(float)
    setting, history = made(lopsided, counts, steps=17)
    got = NegativeBinomialRegression(width).paths(setting, history, draws=5, rng=generator(5))
    log = np.log(lopsided.population)
    offset = beta[0] + beta[2] * (log - log.mean()) / log.std()
    slow = naive.paths(counts, 17, width, lambda i, k: offset[i], beta[1], psi, 5, generator(5))
    np.testing.assert_array_equal(got, slow)


def test_a_place_that_was_busy_lately_is_forecast_to_be_busy():
    rng = generator(6)
    places = Places(tuple("ABCD"), np.full(4, 1e5))
    rate = np.repeat(np.array([0.02, 0.1, 1.0, 4.0])[:, None], 200, axis=1)
    counts = rng.poisson(rate).astype(float)
    setting, history = made(places, counts, steps=2)
    draws = NegativeBinomialRegression().paths(setting, history, draws=4000, rng=generator(7))
    mean = draws.mean(axis=(0, 2))
    assert (np.diff(mean) > 0).all()
    assert np.abs(np.log(mean / recent_means(counts, 14)[:, -1])).max() < 0.4
    assert draws[:, 3].var() > draws[:, 3].mean()


def test_population_and_weekday_are_learnt(lopsided):
    rng = generator(8)
    share = lopsided.population / lopsided.population.mean()
    weekend = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 4.0, 4.0])
    rate = 0.3 * share[:, None] * weekend[np.arange(140) % 7]  # from a Monday on
    setting, history = made(lopsided, rng.poisson(rate).astype(float), steps=7)
    draws = NegativeBinomialRegression().paths(setting, history, draws=3000, rng=generator(9)).mean(axis=(0, 1))
    assert draws[5:].mean() > 2 * draws[:5].mean()
    # a past of three weeks cannot tell a day of the week from a wave
    setting, history = made(lopsided, rng.poisson(rate[:, :21]).astype(float), steps=7)
    draws = NegativeBinomialRegression().paths(setting, history, draws=3000, rng=generator(9)).mean(axis=(0, 1))
    assert draws[5:].mean() < 1.3 * draws[:5].mean()


def test_a_season_of_the_year_is_learnt_from_three_years():
    rng = generator(10)
    places = Places(("A", "B"), np.array([1e5, 2e5]))
    weeks = np.arange(208)
    rate = np.exp(1.2 * np.sin(2 * np.pi * weeks / 52.18))
    counts = rng.poisson(np.stack([rate, rate])).astype(float)
    setting, history = made(places, counts[:, :190], steps=18, start="2018-01-01", step=7)
    draws = NegativeBinomialRegression().paths(setting, history, draws=500, rng=generator(11)).mean(axis=(0, 1))
    assert np.corrcoef(draws, rate[190:])[0, 1] > 0.8
    short, past = made(places, counts[:, :100], steps=18, start="2018-01-01", step=7)
    assert regression._calendar(short, past.window.periods).shape == (118, 0)


def test_no_path_explodes_in_a_wave_that_doubles(lopsided):
    counts = np.tile(2.0 ** np.arange(9), (4, 1))
    setting, history = made(lopsided, counts, steps=60)
    draws = NegativeBinomialRegression().paths(setting, history, draws=100, rng=generator(12))
    assert draws.max() < 1e5


FIRST_ONLY = np.array([[0.0, 0], [1, 0], [0, 0], [3, 0]])


@pytest.mark.parametrize(
    "counts", [np.zeros((4, 30)), FIRST_ONLY[:, :1], FIRST_ONLY], ids=["none", "one step", "first"]
)
def test_a_past_from_which_nothing_can_be_learnt(counts, lopsided):
    setting, history = made(lopsided, counts, steps=3)
    draws = NegativeBinomialRegression().paths(setting, history, draws=3000, rng=generator(13))
    assert draws.mean() == pytest.approx(counts.mean(), abs=0.03)


def test_of_a_long_past_the_latest_steps_are_fitted(lopsided, monkeypatch):
    monkeypatch.setattr(regression, "MOST_ROWS", 40)
    rows = []
    monkeypatch.setattr(
        regression, "fit", lambda columns, counts: rows.append(counts) or (np.zeros(9)[: columns.shape[1]], 1.0)
    )
    counts = np.arange(400.0).reshape(4, 100)
    setting, history = made(lopsided, counts, steps=1)
    NegativeBinomialRegression().paths(setting, history, draws=1, rng=generator(1))
    np.testing.assert_array_equal(rows[0], counts[:, 90:].ravel())
