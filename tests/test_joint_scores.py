"""Joint scores: slow twins, an independent package, what makes them proper, and what each can and cannot see."""

from __future__ import annotations

import dataclasses
import importlib
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import scores as naive

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import UsageError
from groundswell.evaluate.baselines import Conflictology
from groundswell.evaluate.forecast import forecast
from groundswell.evaluate.joint_scores import JOINT_SCORES, energy_score, variogram_score
from groundswell.evaluate.scores import crps
from groundswell.rng import generator


@st.composite
def targets(draw):
    """(N, D, S) draws with many zeros, (N, D) observations, (D, D) weights."""
    n, d, s = draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    rng = generator(draw(st.integers(0, 2**32)))
    mean = draw(st.sampled_from([0.0, 0.3, 4.0]))
    draws, seen = rng.poisson(mean, (n, d, s)).astype(float), rng.poisson(mean, (n, d)).astype(float)
    if draw(st.booleans()):  # not counts, and of both signs
        draws, seen = draws * rng.normal(size=draws.shape), seen * rng.normal(size=seen.shape)
    return draws, seen, rng.random((d, d))


@given(targets(), st.sampled_from([0.5, 1.0, 1.7]))
@settings(max_examples=150)
def test_both_scores_equal_their_slow_twins(made, order):
    draws, seen, weights = made
    for n in range(len(draws)):
        twin = naive.energy(draws[n], seen[n])
        assert energy_score(draws, seen)[n] == pytest.approx(twin, abs=1e-6)
        twin = naive.variogram(draws[n], seen[n], weights, order)
        assert variogram_score(draws, seen, weights, order)[n] == pytest.approx(twin, rel=1e-9, abs=1e-9)
        twin = naive.variogram(draws[n], seen[n], np.ones_like(weights), 0.5)
        assert variogram_score(draws, seen)[n] == pytest.approx(twin, rel=1e-9, abs=1e-9)


@given(targets())
def test_the_energy_score_of_counts_is_exact(made):
    draws, seen, _ = made
    draws, seen = np.round(draws), np.round(seen)
    for n in range(len(draws)):
        assert energy_score(draws, seen)[n] == pytest.approx(naive.energy(draws[n], seen[n]), abs=1e-12)


@given(targets())
def test_the_energy_score_of_one_place_is_the_crps(made):
    draws, seen, _ = made
    np.testing.assert_allclose(energy_score(draws[:, :1], seen[:, :1]), crps(draws[:, 0], seen[:, 0]), atol=1e-6)
    assert not variogram_score(draws[:, :1], seen[:, :1]).any()


@given(targets(), st.integers(0, 2**32))
def test_the_order_of_places_and_of_draws_changes_nothing(made, seed):
    draws, seen, weights = made
    rng = generator(seed)
    place, path = rng.permutation(draws.shape[1]), rng.permutation(draws.shape[2])
    again, seen_again = draws[:, place][:, :, path], seen[:, place]
    np.testing.assert_allclose(energy_score(again, seen_again), energy_score(draws, seen), atol=1e-6)
    np.testing.assert_allclose(
        variogram_score(again, seen_again, weights[np.ix_(place, place)]), variogram_score(draws, seen, weights),
        rtol=1e-9, atol=1e-9,
    )  # fmt: skip


@given(targets())
def test_a_forecast_that_is_certain_and_right_loses_nothing(made):
    _, seen, weights = made
    certain = np.repeat(seen[:, :, None], 4, axis=2)
    np.testing.assert_allclose(energy_score(certain, seen), 0, atol=1e-12)
    np.testing.assert_allclose(variogram_score(certain, seen, weights), 0, atol=1e-12)


def test_agree_with_an_independent_package():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = importlib.import_module("scoringrules")
    rng = generator(2)
    for draws, seen in (
        (rng.normal(size=(20, 6, 31)), rng.normal(size=(20, 6))),
        (rng.poisson(0.4, (20, 6, 31)).astype(float), rng.poisson(0.4, (20, 6)).astype(float)),
    ):
        theirs = draws.transpose(0, 2, 1)
        weights = rng.random((6, 6))
        np.testing.assert_allclose(energy_score(draws, seen), oracle.es_ensemble(seen, theirs), atol=1e-9)
        np.testing.assert_allclose(variogram_score(draws, seen), oracle.vs_ensemble(seen, theirs, p=0.5), atol=1e-9)
        np.testing.assert_allclose(
            variogram_score(draws, seen, weights, 1.0), oracle.vs_ensemble(seen, theirs, w=weights, p=1.0), atol=1e-9
        )


def shared(rng, size, *, level=1.0, share=0.6):
    """(4, size) Poisson counts of mean `level`, of which a `share` is one count common to all places."""
    return rng.poisson(level * share, size) + rng.poisson(level * (1 - share), (4, size))


@pytest.mark.parametrize("score", JOINT_SCORES, ids=lambda s: s.name)
@pytest.mark.parametrize("wrong", [{"share": 0.0}, {"level": 2.0}], ids=["independent", "level"])
def test_proper_the_true_distribution_wins_on_average(score, wrong):
    rng = generator(4)
    targets, draws = 3000, 60
    seen = shared(rng, targets).T
    truth = score.losses(shared(rng, targets * draws).reshape(4, targets, draws).transpose(1, 0, 2), seen)
    other = score.losses(shared(rng, targets * draws, **wrong).reshape(4, targets, draws).transpose(1, 0, 2), seen)
    gap = other - truth
    assert gap.mean() > 3 * gap.std() / math.sqrt(len(gap))


def test_only_the_joint_scores_see_dependence():
    """Shuffling each place's draws on their own keeps every place's distribution and loses what is common."""
    rng = generator(5)
    seen = shared(rng, 800).T
    draws = shared(rng, 800 * 80).reshape(4, 800, 80).transpose(1, 0, 2)
    shuffled = rng.permuted(draws, axis=2)
    cells = (crps(x.reshape(-1, 80), seen.ravel()).mean() for x in (draws, shuffled))
    assert next(cells) == pytest.approx(next(cells), abs=1e-12)
    assert variogram_score(shuffled, seen).mean() > 1.1 * variogram_score(draws, seen).mean()
    assert energy_score(shuffled, seen).mean() > energy_score(draws, seen).mean()


def test_weights_choose_the_pairs():
    rng = generator(6)
    draws, seen = rng.poisson(1.0, (5, 3, 20)), rng.poisson(1.0, (5, 3))
    first_two = np.zeros((3, 3))
    first_two[0, 1] = first_two[1, 0] = 1
    np.testing.assert_allclose(
        variogram_score(draws, seen, first_two), variogram_score(draws[:, :2], seen[:, :2]), atol=1e-12
    )


def test_a_forecast_gives_its_places_by_target(lopsided):
    window = Window.between("2020-01-01", "2020-01-30")
    history = History(lopsided, window, {"events": generator(1).poisson(0.6, (4, 30)).astype(float)})
    made = forecast(
        Conflictology(14), Setting(lopsided, window), history, origin=20, steps=3, draws=7, rng=generator(2)
    )
    draws, seen = made.by_target(made.draws), made.by_target(made.observed(history))
    assert draws.shape == (3, 4, 7)
    for k in range(3):
        for place in range(4):
            (cell,) = np.flatnonzero((made.step == k + 1) & (made.unit == place))
            np.testing.assert_array_equal(draws[k, place], made.draws[cell])
            assert seen[k, place] == history["events"][place, 20 + k]
    # cells in any order, and several origins
    shuffle = generator(3).permutation(len(made))
    fields = {name: getattr(made, name)[shuffle] for name in ("draws", "unit", "time", "origin", "step")}
    mixed = dataclasses.replace(made, **fields)
    np.testing.assert_array_equal(mixed.by_target(mixed.draws), draws)
    late = {name: np.concatenate([getattr(made, name)] * 2) for name in ("draws", "unit", "time", "origin", "step")}
    late["origin"] = late["origin"] - np.repeat([0, 1], len(made))
    two = dataclasses.replace(made, **late)
    np.testing.assert_array_equal(two.by_target(two.draws), np.concatenate([draws, draws]))
    for kept in (slice(1, None), slice(4, None), [0, 0, 1, 2]):
        part = dataclasses.replace(made, **{name: getattr(made, name)[kept] for name in fields})
        if kept == slice(4, None):  # whole targets may be missing
            assert part.by_target(part.draws).shape == (2, 4, 7)
        else:
            with pytest.raises(UsageError, match="once for every origin and target"):
                part.by_target(part.draws)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: energy_score(np.zeros((2, 3)), np.zeros(2)), "expected \\(N, D, S\\)"),
        (lambda: energy_score(np.zeros((2, 3, 4)), np.zeros((2, 4))), "expected \\(N, D, S\\)"),
        (lambda: energy_score(np.zeros((2, 0, 4)), np.zeros((2, 0))), "expected \\(N, D, S\\)"),
        (lambda: energy_score(np.full((1, 2, 3), np.nan), np.zeros((1, 2))), "missing or infinite"),
        (lambda: variogram_score(np.zeros((1, 2, 3)), np.zeros((1, 2)), np.ones(2)), "weights have shape"),
        (lambda: variogram_score(np.zeros((1, 2, 3)), np.zeros((1, 2)), -np.ones((2, 2))), "0 or more"),
        (lambda: variogram_score(np.zeros((1, 2, 3)), np.zeros((1, 2)), order=0), "above 0"),
    ],
)
def test_what_is_no_joint_forecast_is_refused(call, words):
    with pytest.raises(UsageError, match=words):
        call()
