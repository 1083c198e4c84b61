"""Baselines: each does exactly what its name says, from the past alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import UsageError
from groundswell.evaluate.baselines import (
    BASELINES,
    Climatology,
    Conflictology,
    LastValue,
    Pool,
    PositiveMixture,
    Zero,
)
from groundswell.evaluate.scores import log_score
from groundswell.models.cities.endemic_epidemic import EndemicEpidemic
from groundswell.rng import generator


def made(places, counts, *, steps, start="2020-05-25", step=1):
    counts = np.asarray(counts, dtype=float)
    past = Window(date.fromisoformat(start), counts.shape[1], step)
    ahead = Window(past.start, past.periods + steps, step)
    return Setting(places, ahead), History(places, past, {"events": counts})


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
@pytest.mark.parametrize("periods", [1, 2, 40])
@pytest.mark.parametrize("step", [1, 7])
def test_shape_counts_and_seed(baseline, periods, step, lopsided):
    setting, history = made(lopsided, generator(1).poisson(0.7, (4, periods)), steps=5, step=step)
    first, again = (baseline.paths(setting, history, draws=30, rng=generator(9)) for _ in range(2))
    assert first.shape == (30, 4, 5)
    assert first.dtype == float
    assert (first >= 0).all()
    assert (first == np.floor(first)).all()
    np.testing.assert_array_equal(first, again)
    with pytest.raises(UsageError, match="longer than the history"):
        baseline.paths(setting.during(periods), history, draws=3, rng=generator(0))


def test_names_are_distinct():
    assert len({b.name for b in BASELINES}) == len(BASELINES)


def test_zero(lopsided):
    setting, history = made(lopsided, np.full((4, 9), 5), steps=2)
    assert not Zero().paths(setting, history, draws=3, rng=generator(0)).any()


def test_last_value_has_the_stated_mean_and_variance(lopsided):
    counts = generator(2).negative_binomial(1.5, 0.25, (4, 200)).astype(float)
    counts[:, -1] = (0, 1, 6, 20)
    setting, history = made(lopsided, counts, steps=1)
    mean = counts[:, -1]
    before, after = counts[:, :-1], counts[:, 1:]
    psi = ((after - before) ** 2 - before).sum() / (before**2).sum()
    assert psi > 0.1
    for baseline, variance in ((LastValue(), mean), (LastValue("negative_binomial"), mean + psi * mean**2)):
        draws = baseline.paths(setting, history, draws=40_000, rng=generator(3))[:, :, 0]
        assert not draws[:, 0].any()
        np.testing.assert_allclose(draws.mean(axis=0), mean, atol=4 * np.sqrt(variance.max() / 40_000))
        np.testing.assert_allclose(draws.var(axis=0), variance, rtol=0.08)


def test_a_past_that_never_moves_leaves_no_overdispersion(lopsided):
    setting, history = made(lopsided, np.full((4, 20), 3.0), steps=1)
    poisson, negative = (
        b.paths(setting, history, draws=50, rng=generator(3)) for b in (LastValue(), LastValue("negative_binomial"))
    )
    np.testing.assert_array_equal(poisson, negative)


def test_conflictology_resamples_whole_dates_of_its_window_only(lopsided):
    counts = np.arange(60.0) + 1000 * np.arange(4)[:, None]
    setting, history = made(lopsided, counts, steps=3)
    draws = Conflictology(14).paths(setting, history, draws=4000, rng=generator(5))
    dates = draws[:, 0, :]
    assert set(np.unique(dates)) == set(range(46, 60))
    for place in range(4):
        np.testing.assert_array_equal(draws[:, place, :] - 1000 * place, dates)
    share = (dates == 50).mean()
    assert abs(share - 1 / 14) < 4 * np.sqrt(1 / 14 / 12_000)


@pytest.mark.parametrize(("days", "step", "oldest"), [(30, 7, 56), (14, 7, 58), (90, 7, 48), (5, 7, 59), (900, 1, 0)])
def test_the_window_of_conflictology_in_steps(days, step, oldest, lopsided):
    counts = np.tile(np.arange(60.0), (4, 1))
    setting, history = made(lopsided, counts, steps=1, step=step)
    draws = Conflictology(days).paths(setting, history, draws=3000, rng=generator(5))
    assert draws.min() == oldest
    assert draws.max() == 59


def test_conflictology_needs_a_window():
    with pytest.raises(UsageError, match="expected 1 or more"):
        Conflictology(0)


def test_climatology_keeps_the_weekday(lopsided):
    # 2020-05-25 is a Monday; each past date holds its own number.
    counts = np.tile(np.arange(21.0), (4, 1))
    setting, history = made(lopsided, counts, steps=9)
    draws = Climatology().paths(setting, history, draws=500, rng=generator(5))
    for k in range(9):
        assert set(np.unique(draws[:, 0, k] % 7)) == {(21 + k) % 7}
    assert set(np.unique(draws[:, 0, 0])) == {0, 7, 14}


def test_climatology_of_weeks_keeps_the_month_and_falls_back_on_the_whole_past(lopsided):
    counts = np.tile(np.arange(70.0), (4, 1))
    setting, history = made(lopsided, counts, steps=4, start="2018-01-01", step=7)
    starts = setting.window.dates()
    draws = Climatology().paths(setting, history, draws=800, rng=generator(5))
    for k in range(4):
        month = starts[70 + k].month
        assert {starts[int(t)].month for t in np.unique(draws[:, 0, k])} == {month}
    setting, history = made(lopsided, counts[:, :3], steps=8, start="2018-01-01", step=7)
    last = Climatology().paths(setting, history, draws=800, rng=generator(5))[:, 0, -1]
    assert set(np.unique(last)) == {0, 1, 2}


def test_the_mixture_leaves_no_quiet_place_certain_and_mixes_in_positive_counts_only(lopsided):
    counts = np.zeros((4, 60))
    counts[1, 50:] = (2, 0, 7, 0, 0, 2, 0, 0, 0, 0)
    counts[2, 3] = 40  # before the window
    setting, history = made(lopsided, counts, steps=4)
    mixture = PositiveMixture(14, 0.1)
    draws = mixture.paths(setting, history, draws=20_000, rng=generator(5))
    quiet = draws[:, 0]
    assert set(np.unique(quiet)) == {0, 2, 7}
    assert abs((quiet > 0).mean() - 0.1) < 4 * np.sqrt(0.09 / quiet.size)
    assert abs((quiet == 7).mean() / (quiet > 0).mean() - 1 / 3) < 0.02
    # places and steps are replaced by themselves, and what is not replaced is conflictology's whole date
    assert abs(np.corrcoef(draws[:, 0, 0] > 0, draws[:, 3, 0] > 0)[0, 1]) < 0.03
    assert abs((draws[:, 1] > 0).mean() - (0.9 * 3 / 14 + 0.1)) < 0.01
    sure = PositiveMixture(14, 0.0).paths(setting, history, draws=50, rng=generator(6))
    np.testing.assert_array_equal(sure, Conflictology(14).paths(setting, history, draws=50, rng=generator(6)))
    seen = np.array([1.0])
    plain = Conflictology(14).paths(setting, history, draws=500, rng=generator(6))[:, 0, 0][None]
    assert log_score(quiet[:500, 0][None] * 0 + np.resize([0, 0, 1], 500), seen) < log_score(plain, seen)


def test_positives_come_from_the_whole_past_where_the_window_has_none_and_from_nowhere_if_there_are_none(lopsided):
    counts = np.zeros((4, 60))
    counts[2, 3] = 40
    setting, history = made(lopsided, counts, steps=2)
    draws = PositiveMixture(14, 0.5).paths(setting, history, draws=100, rng=generator(5))
    assert set(np.unique(draws)) == {0, 40}
    setting, history = made(lopsided, np.zeros((4, 60)), steps=2)
    assert not PositiveMixture(14, 0.5).paths(setting, history, draws=100, rng=generator(5)).any()


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_is_a_probability(weight):
    with pytest.raises(UsageError, match="from 0 to 1"):
        PositiveMixture(30, weight)


def test_a_pool_gives_every_member_its_share_of_whole_paths(lopsided):
    counts = generator(1).poisson(0.5, (4, 40)).astype(float) + 1
    setting, history = made(lopsided, counts, steps=3)
    pool = Pool("three", (Zero(), Conflictology(14), Zero()))
    draws = pool.paths(setting, history, draws=50, rng=generator(2))
    busy = (draws > 0).all(axis=(1, 2))
    assert busy.sum() in (16, 17)
    assert set(np.diff(np.flatnonzero(busy))) == {3}
    for size in (1, 2):  # fewer draws than members: who gives them is left to chance
        one = [pool.paths(setting, history, draws=size, rng=generator(seed)).any() for seed in range(200)]
        assert abs(np.mean(one) - size / 3) < 0.12


def test_a_pool_takes_models_that_simulate_and_keeps_what_exploded():
    class Ending:
        def paths(self, setting, history, *, draws, rng, series):
            return np.full((draws, len(setting.places), 1), np.nan)

    model, setting = EndemicEpidemic.example()
    history = model.simulate(setting, rng=generator(1)).during(119)
    draws = Pool("two", (model, Ending())).paths(setting, history, draws=6, rng=generator(2))
    assert np.isnan(draws).all(axis=(1, 2)).sum() == np.isfinite(draws).all(axis=(1, 2)).sum() == 3
    with pytest.raises(UsageError, match="no members"):
        Pool("none", ())
