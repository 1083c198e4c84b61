"""Windows, chances and mean-field shares: closed forms, and cascades drawn on large networks."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from groundswell.errors import GroundswellError, ParameterError
from groundswell.models.agents.cascade import Cascade
from groundswell.models.agents.cascade_parts import (
    Count,
    Fraction,
    Motivation,
    NormalFraction,
    RandomSeeds,
    UniformFraction,
)
from groundswell.models.agents.cascade_theory import (
    cascade_condition,
    cascade_window,
    mean_field,
    trigger_probability,
    vulnerable,
)
from groundswell.models.agents.configuration import PowerLawDegrees
from groundswell.models.agents.networks import RandomGraph, Ring, poisson_shares
from groundswell.models.agents.threshold_maps import fixed_points
from groundswell.models.agents.thresholds import Given, Normal, Rule, Thresholds, Uniform, critical_normal
from groundswell.rng import generator


def test_a_poisson_graph_has_the_closed_form() -> None:
    """With one share for all, z P(Poisson(z) <= K - 2), K = floor(1 / share)."""
    for share, most in ((0.18, 5), (0.2, 5), (0.1, 10), (0.34, 2), (0.07, 14)):
        for mean in (0.5, 2.0, 7.0, 20.0):
            tail = sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(most - 1))
            assert cascade_condition(Fraction(share), poisson_shares(mean)) == pytest.approx(mean * tail, rel=1e-12)


def test_who_is_vulnerable() -> None:
    degrees = np.arange(8)
    assert vulnerable(Fraction(0.2), degrees).tolist() == [0, 1, 1, 1, 1, 1, 0, 0]
    assert vulnerable(Count(1), degrees)[1:].tolist() == [1] * 7
    assert vulnerable(Count(2), degrees).tolist() == [0] * 8
    assert vulnerable(UniformFraction(0.0, 1.0), degrees)[1:] == pytest.approx(1 / degrees[1:])


def test_windows_end_where_the_condition_is_one() -> None:
    for threshold in (Fraction(0.18), NormalFraction(0.18, 0.05), UniformFraction(0.1, 0.4)):
        for low, high in cascade_window(threshold):
            for edge in (low, high):
                assert cascade_condition(threshold, poisson_shares(edge)) == pytest.approx(1, abs=1e-9)
            assert cascade_condition(threshold, poisson_shares((low + high) / 2)) > 1
    assert cascade_window(Count(2)) == ()
    assert cascade_window(Count(1), 30.0) == ((pytest.approx(1.0), 30.0),)
    assert cascade_window(Count(1), 0.5) == ()


def test_a_simple_contagion_reaches_the_giant_component() -> None:
    """S = 1 - exp(-z S), for the chance and, given a few seeds, for the share."""
    for mean, giant in ((1.5, 0.5828116), (2.0, 0.7968121), (3.0, 0.9404798)):
        shares = poisson_shares(mean)
        assert trigger_probability(Count(1), shares) == pytest.approx(giant, abs=1e-6)
        assert mean_field(Count(1), shares, 1e-9)[-1] == pytest.approx(giant, abs=1e-6)
    assert trigger_probability(Count(1), poisson_shares(0.9)) == pytest.approx(0, abs=1e-6)
    assert trigger_probability(Fraction(0.3), poisson_shares(4.0)) == pytest.approx(0, abs=1e-6)
    assert trigger_probability(Fraction(0.3), np.array([1.0])) == 0


def test_the_first_step_of_the_mean_field_by_hand() -> None:
    """Everyone has 2 neighbours and needs both: r0 + (1 - r0) r0^2."""
    path = mean_field(Count(2), np.array([0, 0, 1.0]), 0.3, 1)
    assert path == pytest.approx([0.3, 0.3 + 0.7 * 0.09])
    assert mean_field(Fraction(0.0), np.array([0.5, 0.5]), 0.0, 2).tolist() == [0, 1, 1]
    assert mean_field(Fraction(0.1), np.array([1.0]), 0.25)[-1] == 0.25, "nobody is tied to anybody"


@pytest.mark.parametrize(
    ("network", "threshold", "seeds"),
    [
        (RandomGraph(20_000, 6.0), Fraction(0.18), 0.01),
        (RandomGraph(20_000, 10.0), Fraction(0.25), 0.1),
        (RandomGraph(20_000, 6.0), Count(2), 0.05),
        (RandomGraph(20_000, 5.0), NormalFraction(0.4, 0.2), 0.0),
        (RandomGraph(20_000, 8.0), Motivation(0.7, 0.25), 0.0),
        (RandomGraph(20_000, 3.0), UniformFraction(0.1, 0.6), 0.02),
        (PowerLawDegrees(20_000, 2.8, 2, 60), Fraction(0.3), 0.05),
    ],
)
def test_the_mean_field_is_the_mean_of_large_cascades_in_every_step(network, threshold, seeds) -> None:
    """Each cascade beside the mean field of its own degrees: 16 differences, whose mean is 0 in every step.

    Within 5 standard errors (some ten steps are looked at), and 10 persons for what is left of there being so few.
    """
    model = Cascade(network, threshold, RandomSeeds(seeds) if seeds else None)
    apart = []
    for seed in range(16):
        graph = model.network_of(np.uint64(seed))
        expected = mean_field(threshold, graph.degree_shares, seeds, 30)
        apart.append(model.on(graph, np.uint64(seed), 30).active / 20_000 - expected)
    error = np.std(apart, axis=0, ddof=1) / 4
    assert (np.abs(np.mean(apart, axis=0)) < 5 * error + 5e-4).all()


def test_a_single_seed_sets_off_as_many_cascades_as_expected() -> None:
    for mean, share in ((1.5, 0.18), (4.0, 0.18), (5.0, 0.18)):
        model = Cascade(RandomGraph(5000, mean), Fraction(share))
        graph, runs = model.network_of(np.uint64(3)), 600
        one = replace(model, seeds=RandomSeeds(1 / 5000))
        went = sum(one.on(graph, np.uint64(key)).final_share > 0.1 for key in range(runs))
        expected = trigger_probability(Fraction(share), poisson_shares(mean))
        assert went / runs == pytest.approx(expected, abs=0.08), mean


def test_where_neighbours_know_each_other_the_mean_field_misleads() -> None:
    """The page says so, and this is how far: a ring carries a contagion of 2 that it does not expect to go."""
    ring = Ring(2000, 2)
    done = Cascade(ring, Count(2), RandomSeeds(0.02)).run(rng=generator(1))
    shares = ring.draw(rng=generator(1)).degree_shares
    assert done.final_share > mean_field(Count(2), shares, 0.02)[-1] + 0.2


def test_what_does_not_rest_is_said() -> None:
    with pytest.raises(ParameterError, match=r"seed share of 1\.5"):
        mean_field(Count(1), poisson_shares(2.0), 1.5)
    with pytest.raises(GroundswellError, match="did not come to rest"):
        mean_field(Count(1), np.array([0, 0, 1.0]), 1e-7)  # a ring without an end: it grows by two a step


# Granovetter's map


def slow_points(model: Thresholds) -> list[float]:
    """Where a fine grid sees the map cross the diagonal."""
    grid = np.linspace(0, model.population, 200_001)
    rise = model.population * ndtr((grid - model.distribution.mean) / model.distribution.sd) - grid
    return [float(grid[i]) for i in np.flatnonzero((rise[1:] > 0) != (rise[:-1] > 0))]


@given(st.floats(-20, 120), st.floats(0.5, 80))
def test_all_fixed_points_of_a_normal_map_are_found(mean: float, sd: float) -> None:
    model = Thresholds(Normal(mean, sd), rule="continuous")
    points = fixed_points(model)
    assert len(points) in (1, 2, 3)
    for point in points:
        assert model.step_from(point.participants) == pytest.approx(point.participants, abs=1e-9)
    crossings = slow_points(model)
    assert len(crossings) <= len(points)
    for r in crossings:
        assert min(abs(r - point.participants) for point in points) < 2e-3


def test_stable_points_are_come_back_to() -> None:
    for sd in (5.0, 12.0, 13.0, 30.0):
        model = Thresholds(Normal(25.0, sd), rule="continuous")
        points = fixed_points(model)
        assert [point.stable for point in points] == ([True, False, True] if sd < 12.2 else [True])
        for point in points:
            for push, attracts in ((-1e-3, point.attracts_below), (1e-3, point.attracts_above)):
                start = min(100.0, max(0.0, point.participants + push))
                back = abs(model.fixed_point(start) - point.participants) < 1e-3 * 0.9
                assert back == attracts
        assert model.fixed_point() == pytest.approx(points[0].participants, abs=1e-9)


def test_the_tangent_point_attracts_from_one_side() -> None:
    sd, touch = critical_normal(25.0)
    low, high = fixed_points(Thresholds(Normal(25.0, sd), rule="continuous"))
    assert low.participants == pytest.approx(touch, abs=1e-6)
    assert (low.attracts_below, low.attracts_above) == (True, False)
    assert high.stable


@given(st.lists(st.integers(0, 12), min_size=1, max_size=12), st.sampled_from(["floor", "round", "ceil", "continuous"]))
def test_whole_thresholds_have_the_fixed_points_of_counting(thresholds: list[int], rule: Rule) -> None:
    count = len(thresholds)
    expected = [r for r in range(count + 1) if sum(t <= r for t in thresholds) == r]
    points = fixed_points(Thresholds.of(thresholds, rule))
    assert [point.participants for point in points] == pytest.approx(expected)


def test_granovetters_two_crowds() -> None:
    assert [p.participants for p in fixed_points(Thresholds(Uniform(0, 99), rule="floor"))] == [100]
    both = fixed_points(Thresholds(Given((0, 2, *range(2, 100))), rule="continuous"))
    assert [(p.participants, p.stable) for p in both] == [(1, True), (100, True)]
