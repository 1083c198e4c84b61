"""One checker for every piece of every triggering kernel, against numerics."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError
from groundswell.models.delays import ExponentialDelay
from groundswell.models.triggering import (
    Exponential,
    Gravity,
    NearAndEverywhere,
    NeighbourhoodOrder,
    PowerLaw,
    Reach,
    reach_weights,
    weights_gradient,
)
from groundswell.params import from_vector, leaves, names, vector

DISTANCES = np.array([0.0, 1e-3, 1.0, 17.0, 140.0, 2500.0])
REACHES = [
    PowerLaw(), PowerLaw(3.0, 0.6), PowerLaw(400.0, 5.0), Exponential(), Exponential(2.0), Exponential(900.0),
    NearAndEverywhere(0.3, 60.0), NearAndEverywhere(0.6, 9.0),
]  # fmt: skip
DELAYS = [ExponentialDelay(), ExponentialDelay(0.05), ExponentialDelay(24.0)]


def differences(function, values: np.ndarray) -> np.ndarray:
    """Central differences, (k, ...)."""
    out = []
    for i, at in enumerate(values):
        step = 1e-6 * max(abs(at), 1e-3) * (np.arange(len(values)) == i)
        out.append((function(values + step) - function(values - step)) / (2 * step[i]))
    return np.array(out)


@pytest.mark.parametrize("kernel", REACHES, ids=repr)
def test_every_piece_of_a_reach(kernel: Reach) -> None:
    assert kernel.value(DISTANCES)[0] == 1
    assert (np.diff(kernel.value(DISTANCES)) < 0).sum() >= 4, "reach falls with distance"
    assert np.exp(kernel.log_value(DISTANCES)) == pytest.approx(kernel.value(DISTANCES))
    at = vector(kernel)
    assert kernel.gradient(DISTANCES).shape == (len(at), len(DISTANCES))
    numeric = differences(lambda v: from_vector(kernel, v).value(DISTANCES), at)
    assert kernel.gradient(DISTANCES) == pytest.approx(numeric, rel=1e-6, abs=1e-9)
    numeric = differences(lambda v: from_vector(kernel, v).log_value(DISTANCES), at)
    assert kernel.log_gradient(DISTANCES) == pytest.approx(numeric, rel=1e-6, abs=1e-9)
    square = DISTANCES.reshape(2, 3)
    assert np.array_equal(kernel.gradient(square), kernel.gradient(DISTANCES).reshape(-1, 2, 3))
    for leaf in leaves(kernel):
        assert leaf.prior is not None
        assert leaf.low == 0


@pytest.mark.parametrize(
    ("kernel", "at", "values"),
    [
        (Gravity(1.4, 2.0), [0.0, 0.3, 1.0, 2.0, 10.0], [1, 1, 1, 1 / 4, 1 / 100]),
        (Gravity(0.2, 0.0), [0.0, 1.0, 900.0], [1, 1, 1]),
        (NeighbourhoodOrder(1.5), [0.0, 1.0, 4.0, 9.0, np.inf], [1, 1, 1 / 8, 1 / 27, 0]),
        (NeighbourhoodOrder(0.0), [1.0, 3.0, np.inf], [1, 1, 0]),
    ],
    ids=repr,
)
def test_every_piece_of_gravity_and_order(kernel: Reach, at: list[float], values: list[float]) -> None:
    """f is a pure power above 1; gravity's own exponent of population is none of f's business."""
    steps = np.array(at)
    assert kernel.value(steps) == pytest.approx(np.array(values))
    assert kernel.gradient(steps).shape == (len(leaves(kernel)), len(at))
    slope, logs = kernel.gradient(steps), kernel.log_gradient(steps)
    decay = names(kernel).index("decay")
    joined, h = np.isfinite(steps), 1e-5
    here, once, twice = (kernel.replacing({"decay": vector(kernel)[decay] + k * h}) for k in range(3))
    numeric = (-3 * here.value(steps) + 4 * once.value(steps) - twice.value(steps)) / (2 * h)
    assert slope[decay] == pytest.approx(numeric, rel=1e-6, abs=1e-9)
    near = steps[joined]
    numeric = (-3 * here.log_value(near) + 4 * once.log_value(near) - twice.log_value(near)) / (2 * h)
    assert logs[decay][joined] == pytest.approx(numeric, rel=1e-6, abs=1e-9)
    assert not logs[decay][~joined].any()
    if isinstance(kernel, Gravity):
        assert not logs[0].any()
        assert kernel.exponent(0.7) == kernel.population
    else:
        assert kernel.exponent(0.7) == 0.7
    assert all(leaf.prior is not None for leaf in leaves(kernel))


def test_what_lies_between_places_is_read_from_the_setting(lopsided: Places) -> None:
    window = Window(date(2020, 1, 1), 3)
    chain = Network(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]))
    setting = Setting(lopsided, window, chain)
    assert np.array_equal(Gravity().apart(setting), lopsided.distance_km)
    assert NeighbourhoodOrder().apart(setting)[0].tolist() == [0, 1, 2, np.inf]
    assert Exponential().apart(Setting(Places.single(9.0), window)).tolist() == [[0]]
    with pytest.raises(DataError, match=r"NeighbourhoodOrder needs Setting\.network"):
        NeighbourhoodOrder().apart(Setting(lopsided, window))
    with pytest.raises(DataError, match="weighs 4 places by their distance, and these have no positions"):
        PowerLaw().apart(Setting(Places(lopsided.name, lopsided.population), window))


def test_weights_over_a_network_with_a_lonely_place(lopsided: Places) -> None:
    order = np.array([[0, 1, 2, np.inf], [1, 0, 1, np.inf], [2, 1, 0, np.inf], [np.inf, np.inf, np.inf, 0]])
    population = lopsided.population
    for decay in (0.0, 1.0, 40.0):
        kernel = NeighbourhoodOrder(decay)
        weights = reach_weights(kernel, order, population)
        raw = np.array([0, population[1], population[2] * 2.0**-decay, 0])
        assert weights[0] == pytest.approx(raw / raw.sum())
        assert not weights[3].any()
        assert np.isfinite(weights_gradient(weights, kernel.log_gradient(order))).all()


@pytest.mark.parametrize("kernel", [PowerLaw(0.0, 2.0), Exponential(0.0), NearAndEverywhere(0.0, 0.0)], ids=repr)
def test_a_scale_of_0_is_local_and_finite(kernel: Reach) -> None:
    assert kernel.value(DISTANCES) == pytest.approx([1, 0, 0, 0, 0, 0], abs=1e-5)
    assert np.isfinite(kernel.log_gradient(DISTANCES)).all()


@pytest.mark.parametrize("kernel", DELAYS, ids=repr)
def test_every_piece_of_a_delay(kernel: ExponentialDelay) -> None:
    fine = np.linspace(0, 40 / kernel.decay, 400_001)
    assert np.trapezoid(kernel.value(fine), fine) == pytest.approx(1, abs=1e-6)
    assert np.trapezoid(fine * kernel.value(fine), fine) == pytest.approx(1 / kernel.decay, rel=1e-6)
    some = fine[:100_001]
    assert kernel.integral(some[-1:])[0] == pytest.approx(np.trapezoid(kernel.value(some), some), rel=1e-6)
    delays = np.array([-1.0, 0.0, 0.3, 2.0, 9.0])
    assert kernel.value(delays)[0] == kernel.integral(delays)[0] == 0
    numeric = differences(lambda v: from_vector(kernel, v).value(delays), vector(kernel))
    assert kernel.gradient(delays) == pytest.approx(numeric, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("own_place", [False, True])
@pytest.mark.parametrize("kernel", REACHES, ids=repr)
def test_weights_are_shares_of_the_receivers(kernel: Reach, own_place: bool, lopsided: Places) -> None:
    distance, weight = lopsided.distance_km, lopsided.population**0.7
    weights = reach_weights(kernel, distance, weight, own_place=own_place)
    for q in range(4):
        raw = [weight[p] * kernel.value(distance[q, p : p + 1])[0] * (own_place or p != q) for p in range(4)]
        assert weights[q] == pytest.approx(np.array(raw) / sum(raw), rel=1e-9)
    assert weights.sum(axis=1) == pytest.approx(np.ones(4))
    assert (np.diag(weights) > 0).all() == own_place

    def moved(values: np.ndarray) -> np.ndarray:
        return reach_weights(from_vector(kernel, values), distance, weight, own_place=own_place)

    slopes = weights_gradient(weights, kernel.log_gradient(distance))
    assert slopes == pytest.approx(differences(moved, vector(kernel)), rel=1e-5, abs=1e-9)

    def scaled(scale: np.ndarray) -> np.ndarray:
        return reach_weights(kernel, distance, lopsided.population ** scale[0], own_place=own_place)

    slope = weights_gradient(weights, np.log(lopsided.population)[None, :])
    assert slope == pytest.approx(differences(scaled, np.array([0.7]))[0], rel=1e-5, abs=1e-9)


def test_row_sends_and_column_receives(lopsided: Places) -> None:
    """Far sends to the Hub and gets nothing back: the transposed matrix would say the reverse."""
    weights = reach_weights(Exponential(60.0), lopsided.distance_km, lopsided.population)
    assert weights[3, 0] > 0.8
    assert weights[0, 3] < 0.01


def test_a_sender_without_a_receiver_has_a_zero_row() -> None:
    assert reach_weights(PowerLaw(), np.zeros((1, 1)), np.ones(1)).tolist() == [[0]]
    weights = reach_weights(PowerLaw(), np.array([[0.0, 9.0], [9.0, 0.0]]), np.array([1.0, 0.0]))
    assert weights.tolist() == [[0, 0], [1, 0]]
    assert np.isfinite(weights_gradient(weights, PowerLaw().log_gradient(np.array([[0.0, 9], [9, 0]])))).all()


@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
def test_any_scale_gives_rows_that_sum_to_one(scale: float, seed: int) -> None:
    x, y = np.random.default_rng(seed).uniform(0, 3000, (2, 6))
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    for kernel in (Exponential(scale), PowerLaw(scale, 3.0)):
        weights = reach_weights(kernel, distance, np.ones(6))
        assert weights.sum(axis=1) == pytest.approx(np.ones(6))
        assert np.isfinite(weights_gradient(weights, kernel.log_gradient(distance))).all()


def test_reach_far_below_the_nearest_distance_goes_to_the_nearest() -> None:
    distance = np.array([[0, 500.0, 900], [500, 0, 700], [900, 700, 0]])
    weights = reach_weights(Exponential(0.5), distance, np.ones(3))
    assert weights == pytest.approx(np.array([[0, 1, 0], [1, 0, 0], [0, 1, 0]], dtype=float))


def test_wrong_shapes_and_weights_are_refused() -> None:
    with pytest.raises(DataError, match=r"expected \(P, P\) and \(P,\)"):
        reach_weights(PowerLaw(), np.zeros((2, 3)), np.ones(2))
    with pytest.raises(DataError, match="0 or more"):
        reach_weights(PowerLaw(), np.zeros((2, 2)), np.array([1.0, -1.0]))
