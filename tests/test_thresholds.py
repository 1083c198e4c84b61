"""Participation thresholds: each rule by hand, chance by brute force, the exact end against both."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellError, MissingVerb, ParameterError, UsageError
from groundswell.models.agents.thresholds import Given, Normal, Thresholds, Uniform, critical_normal
from groundswell.models.base import can
from groundswell.rng import generator


def rounds(periods: int) -> Setting:
    return Setting(Places.single(100), Window(date(2000, 1, 1), periods))


def path(model: Thresholds, periods: int, seed: int = 1) -> list[float]:
    return model.simulate(rounds(periods), rng=generator(seed))["active"][0].tolist()


def by_hand(thresholds: list[float], periods: int) -> list[int]:
    """Each person looks at the last round: the twin of every rule on whole thresholds."""
    now, out = 0, []
    for _ in range(periods):
        now = sum(threshold <= now for threshold in thresholds)
        out.append(now)
    return out


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=12),
    st.sampled_from(["floor", "round", "ceil", "continuous"]),
)
@settings(deadline=None)
def test_given_thresholds_go_as_by_hand(thresholds, rule):
    assert path(Thresholds.of(thresholds, rule), 15) == pytest.approx(by_hand(thresholds, 15), abs=1e-9)


def test_a_share_that_is_nearly_whole_is_whole():
    model = Thresholds.of([0.0] * 29 + [90.0] * 71)
    assert 100 * model.distribution.share(0) < 29  # the trap
    assert model.step_from(0) == 29


def test_one_by_one_the_whole_crowd_joins():
    assert path(Thresholds(Uniform(0, 99), 100, "floor"), 5) == [1, 2, 3, 4, 5]
    assert Thresholds(Uniform(0, 99), 100, "floor").fixed_point() == 100


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("continuous", 100 * 0.5 * math.erfc(25 / 12 / math.sqrt(2))), ("floor", 1), ("round", 2), ("ceil", 2)],
)
def test_the_first_round_under_each_rule(rule, expected):
    assert path(Thresholds(Normal(25, 12), rule=rule), 1)[0] == pytest.approx(expected, abs=1e-12)


@given(st.floats(5, 45), st.floats(3, 60))
@settings(deadline=None, max_examples=50)
def test_the_fixed_point_is_fixed_and_the_least(mean, sd):
    model = Thresholds(Normal(mean, sd), rule="continuous")
    try:
        rest = model.fixed_point(most_rounds=100_000)
    except GroundswellError:
        assert sd == pytest.approx(critical_normal(mean)[0], rel=1e-4)
        return
    assert model.step_from(rest) == pytest.approx(rest, abs=1e-9)
    below = np.linspace(0, max(rest - 1e-3, 0), 200)
    assert all(model.step_from(r) > r for r in below if r < rest - 1e-3)


@pytest.mark.parametrize("mean", [5.0, 25.0, 45.0])
def test_the_continuous_end_jumps_at_the_critical_sd(mean):
    sd, rest = critical_normal(mean)
    model = Thresholds(Normal(mean, sd), rule="continuous")
    assert model.step_from(rest) == pytest.approx(rest, abs=1e-9)
    slope = (model.step_from(rest + 1e-5) - model.step_from(rest - 1e-5)) / 2e-5
    assert slope == pytest.approx(1, abs=1e-6)
    assert Thresholds(Normal(mean, sd * 0.999), rule="continuous").fixed_point() < rest
    assert Thresholds(Normal(mean, sd * 1.001), rule="continuous").fixed_point() > 50


def sampled_end(model: Thresholds, rng: np.random.Generator) -> int:
    """Draw every threshold, look every round: where it ends."""
    assert isinstance(model.distribution, Normal)
    drawn = rng.normal(model.distribution.mean, model.distribution.sd, model.population)
    now = 0
    while (after := int((drawn <= now).sum())) != now:
        now = after
    return now


@pytest.mark.parametrize("sd", [8.0, 13.0])
def test_rounds_by_binomials_are_rounds_of_drawn_thresholds(sd):
    model, rng = Thresholds(Normal(6, sd), population=20), generator(3)
    slow = np.array([sampled_end(model, rng) for _ in range(4000)])
    fast = np.array([path(model, 25, seed)[-1] for seed in range(4000)])
    exact = model.final_distribution()
    assert exact.sum() == pytest.approx(1, abs=1e-12)
    for ends in (slow, fast):
        found = np.bincount(ends.astype(int), minlength=21) / 4000
        assert abs(found - exact).max() < 4 * 0.5 / math.sqrt(4000)
        assert ends.mean() == pytest.approx(exact @ np.arange(21), abs=4 * ends.std() / math.sqrt(4000))


def test_the_second_round_has_the_distribution_of_drawn_thresholds():
    model, rng = Thresholds(Normal(6, 8), population=20), generator(5)
    drawn = rng.normal(6, 8, (20_000, 20))
    first = (drawn <= 0).sum(axis=1)
    second = (drawn <= first[:, None]).sum(axis=1)
    paths = np.array([path(model, 2, seed) for seed in range(5000)])
    for round_, slow in enumerate((first, second)):
        assert paths[:, round_].mean() == pytest.approx(slow.mean(), abs=4 * slow.std() / math.sqrt(4000))
    assert np.cov(paths.T)[0, 1] == pytest.approx(np.cov(first, second)[0, 1], rel=0.1)


def test_the_exact_end_of_two_persons():
    # Ends: 0 if both exceed 0; 1 if one is at most 0 and the other above 1; else 2.
    model = Thresholds(Normal(0.7, 1.3), population=2)
    zero, one = model.distribution.share(0), model.distribution.share(1)
    expected = [(1 - zero) ** 2, 2 * zero * (1 - one), zero**2 + 2 * zero * (one - zero)]
    assert model.final_distribution() == pytest.approx(expected, abs=1e-14)


def test_the_density_of_all_paths_sums_to_one():
    model, setting = Thresholds(Normal(2, 1.5), population=4), rounds(3)
    paths = [(a, b, c) for a in range(5) for b in range(a, 5) for c in range(b, 5)]
    densities = [
        model.log_density(setting, History(setting.places, setting.window, {"active": np.array([p], dtype=float)}))
        for p in paths
    ]
    assert np.exp(densities).sum() == pytest.approx(1, abs=1e-12)


def test_only_sampled_normal_thresholds_have_a_density():
    assert can(Thresholds(), "likelihood")
    for model in (Thresholds(rule="floor"), Thresholds(Uniform())):
        assert not can(model, "likelihood")
        with pytest.raises(MissingVerb, match="Only rule"):
            model.log_density(rounds(2), History(Places.single(), rounds(2).window, {"active": np.ones((1, 2))}))


def test_a_path_goes_on_from_its_past():
    past = Thresholds(Normal(25, 13)).simulate(rounds(4), rng=generator(2))
    for model in (Thresholds(Normal(25, 13)), Thresholds(Normal(25, 13), rule="ceil")):
        future = model.simulate(rounds(9), rng=generator(3), given=past)
        np.testing.assert_array_equal(future["active"][:, :4], past["active"])
    assert path(Thresholds(rule="round"), 9)[5:] == pytest.approx(
        Thresholds(rule="round")
        .simulate(rounds(9), rng=generator(1), given=Thresholds(rule="round").simulate(rounds(5), rng=generator(1)))[
            "active"
        ][0, 5:]
        .tolist()
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Normal(25, 0), "use Given"),
        (lambda: Normal(25, -1), "expected a finite value"),
        (lambda: Uniform(5, 3), "low first"),
        (lambda: Uniform(0, 9.5), "whole numbers"),
        (lambda: Given(()), "not be empty|not empty"),
        (lambda: Given((1.0, math.nan)), "finite number a person"),
        (lambda: Thresholds(population=0), "1 or more"),
        (lambda: Thresholds(rule="down"), "expected one of continuous, floor"),
        (lambda: Thresholds(Given((0.0, 1.0)), 3), "one for each person"),
        (lambda: critical_normal(60), "without a jump"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(make, words):
    with pytest.raises(ParameterError, match=words):
        make()


def test_histories_that_cannot_be_meant_are_refused():
    setting = rounds(3)
    falls = History(setting.places, setting.window, {"active": np.array([[3.0, 2.0, 5.0]])})
    broken = History(setting.places, setting.window, {"active": np.array([[1.0, 2.5, 3.0]])})
    with pytest.raises(DataError, match="falls"):
        Thresholds().simulate(rounds(5), rng=generator(1), given=falls)
    with pytest.raises(DataError, match="falls"):
        Thresholds().likelihood(setting, falls)
    with pytest.raises(DataError, match="fractions"):
        Thresholds().likelihood(setting, broken)
    two = Setting(Places(("A", "B"), np.array([1.0, 2.0])), setting.window)
    with pytest.raises(UsageError, match="2 places"):
        Thresholds().simulate(two, rng=generator(1))
