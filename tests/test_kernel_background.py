"""Kernels around points: a density over the plane, its share of a region, and draws from it."""

from __future__ import annotations

import numpy as np
import pytest
from naive import etas as naive
from scipy.stats import kstest

from groundswell.data.region import Region
from groundswell.errors import DataError
from groundswell.models.events.kernel_background import KernelBackground
from groundswell.rng import generator

POINTS = np.array([[10.0, 10], [12, 14], [40, 35], [90, 60], [55, 5]])
WIDTH = np.array([3.0, 6.0, 20.0, 5.0, 9.0])
WEIGHT = np.array([0.9, 0.1, 1.0, 0.0, 0.4])
SPREAD = KernelBackground(POINTS, WIDTH, WEIGHT)
REGION = Region((np.array([[0.0, 0], [60, 0], [60, 20], [30, 20], [30, 50], [0, 50]]),))


def test_the_density_is_the_twins() -> None:
    at = 100 * generator(1).random((40, 2))
    expected = [naive.density(x, y, POINTS, WIDTH, WEIGHT) for x, y in at]
    assert SPREAD.density(*at.T) == pytest.approx(expected, rel=1e-12, abs=1e-18)


def test_a_region_has_the_share_that_cells_add_up_to() -> None:
    cells_x, cells_y = (np.arange(600) + 0.5) / 10, (np.arange(500) + 0.5) / 10
    x, y = (grid.ravel() for grid in np.meshgrid(cells_x, cells_y))
    inside = REGION.contains(x, y)
    assert SPREAD.integral(REGION) == pytest.approx(SPREAD.density(x[inside], y[inside]).sum() / 100, rel=1e-4)
    assert SPREAD.integral(Region.rectangle(-300, -300, 400, 400)) == pytest.approx(1, abs=1e-12)
    halves = (Region.rectangle(-300, -300, 20, 400), Region.rectangle(20, -300, 400, 400))
    assert sum(SPREAD.integral(half) for half in halves) == pytest.approx(1, abs=1e-5)


def test_draws_are_from_the_density() -> None:
    drawn = SPREAD.draw(20_000, generator(2))
    assert SPREAD.integral(REGION) == pytest.approx(REGION.contains(*drawn.T).mean(), abs=4 * 0.5 / np.sqrt(20_000))
    one = KernelBackground(POINTS[:1], WIDTH[:1], WEIGHT[:1]).draw(2_000, generator(3))
    assert kstest((one[:, 0] - 10) / 3, "norm").pvalue > 1e-3
    assert kstest((one[:, 1] - 10) / 3, "norm").pvalue > 1e-3


def test_bandwidths_reach_to_the_neighbours_and_are_never_below_the_least() -> None:
    x = np.array([0.0, 1, 3, 7, 20, 20])
    found = KernelBackground.around(x, np.zeros(6), neighbours=2, least_km=3.5)
    assert found.bandwidth_km.tolist() == [3.5, 3.5, 3.5, 6.0, 13.0, 13.0]
    assert found.weight.tolist() == [1.0] * 6
    assert KernelBackground.around(x, np.zeros(6), x, neighbours=2).weight.tolist() == x.tolist()


def test_without_its_own_point_an_event_is_judged_by_the_others() -> None:
    x = np.array([0.0, 1, 3, 7, 20, 20])
    whole = KernelBackground.around(x, np.zeros(6), neighbours=2, least_km=2.0)
    others = KernelBackground.around(x, np.zeros(6), neighbours=2, least_km=2.0, own_point=False)
    own = 1 / (6 * 2 * np.pi * whole.bandwidth_km**2)
    assert others.density(x, np.zeros(6)) == pytest.approx(whole.density(x, np.zeros(6)) - own, rel=1e-9)
    between = x + 0.25
    assert others.density(between, np.zeros(6)) == pytest.approx(whole.density(between, np.zeros(6)))


def test_what_is_no_density_is_refused() -> None:
    with pytest.raises(DataError, match=r"expected \(N, 2\), \(N,\) and \(N,\)"):
        KernelBackground(POINTS, WIDTH[:3], WEIGHT)
    with pytest.raises(DataError, match="bandwidths above 0"):
        KernelBackground(POINTS, 0 * WIDTH, WEIGHT)
    with pytest.raises(DataError, match="some above 0"):
        KernelBackground(POINTS, WIDTH, 0 * WEIGHT)
    with pytest.raises(DataError, match="more points than neighbours"):
        KernelBackground.around(np.zeros(5), np.zeros(5), neighbours=5)
