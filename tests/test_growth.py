"""Growth from step to step: against all eigenvalues, on maps that are periodic, one-way or in pieces."""

from __future__ import annotations

import numpy as np
import pytest
from naive import growth as naive

from groundswell.models.cities.growth import Growth

ONE = np.ones(1)
RING = np.roll(np.eye(6), 1, axis=0)
"""Each place reaches the next alone: six eigenvalues of one size."""

PIECES = np.zeros((5, 5))
PIECES[0, 1] = PIECES[1, 0] = PIECES[2, 3] = PIECES[3, 2] = 1.0
PIECES[2, 0] = 5.0
"""Two pairs, the first of which also sends to the second and hears nothing back; one place alone."""


def constant(within: list[float], between: float, passed_on: np.ndarray, own=ONE, others=ONE) -> Growth:
    rates = np.array(within)[:, None]
    return Growth(rates, np.full_like(rates, between), passed_on, own, others)


@pytest.mark.parametrize(
    ("growth", "expected"),
    [
        (constant([0.0] * 6, 0.7, RING), 0.7),
        (constant([0.2] * 6, 0.7, RING), 0.9),
        (constant([0.1, 0.1, 0.5, 0.5, 0.3], 0.2, PIECES), 0.7),
        (constant([0.5, 0.5, 0.1, 0.1, 0.3], 0.2, PIECES), 0.7),
        (constant([0.5, 0.5, 0.1, 0.1, 0.9], 0.2, PIECES), 0.9),
        (constant([0.0] * 5, 0.0, PIECES), 0.0),
        (constant([0.0] * 5, 3.0, np.triu(np.ones((5, 5)), 1)), 0.0),
        (constant([np.inf] * 6, 0.7, RING), np.inf),
    ],
    ids=["ring", "ring and own past", "second pair", "first pair", "alone", "nothing", "one way", "infinite"],
)
def test_eigenvalues_by_hand(growth: Growth, expected: float) -> None:
    assert growth.by_step() == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize("lags", [1, 2, 4])
@pytest.mark.parametrize("filled", [0.2, 0.5, 1.0])
def test_eigenvalues_are_those_of_the_companion_matrix(lags: int, filled: float) -> None:
    rng = np.random.default_rng(lags)
    for _ in range(30):
        places = int(rng.integers(1, 8))
        shape = places, 4
        passed_on = rng.random((places, places)) * (rng.random((places, places)) < filled)
        within = rng.random(shape) * (rng.random((places, 1)) < 0.8)
        between = rng.gamma(1.0, 0.5, shape) * (rng.random(shape) < 0.9)
        own, others = rng.dirichlet(np.ones(lags), 2)
        growth = Growth(within, between, passed_on, own, others)
        expected = naive.by_step(within, between, passed_on, own, others)
        # all eigenvalues of a matrix that is nearly nilpotent are known to a root of the rounding only
        found = growth.by_step()
        assert found[expected > 0.05] == pytest.approx(expected[expected > 0.05], rel=1e-9)
        assert (found[expected <= 0.05] < 0.051).all()
        largest = growth.largest_above(1.0)
        assert largest == (pytest.approx(expected.max(), rel=1e-9) if expected.max() > 1 else None)


def test_weak_ties_and_rates_of_very_different_size_keep_the_accuracy() -> None:
    rng = np.random.default_rng(3)
    passed_on = np.exp(rng.normal(-8, 4, (30, 30)))
    within = np.exp(rng.normal(-1, 2, (30, 5)))
    growth = Growth(within, np.exp(rng.normal(-1, 2, (30, 5))), passed_on, ONE, ONE)
    expected = naive.by_step(within, growth.between, passed_on, ONE, ONE)
    assert growth.by_step() == pytest.approx(expected, rel=1e-9)


def test_the_largest_of_many_steps_is_found_by_looking_at_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    season = np.exp(0.5 * np.sin(np.arange(365) / 58))
    passed_on = rng.random((40, 40))
    within = rng.random((40, 1)) * season
    growth = Growth(within, rng.gamma(2.0, 0.02, (40, 1)) * season**1.1, passed_on, ONE, ONE)
    looked = []
    at = Growth._at
    monkeypatch.setattr(Growth, "_at", lambda self, t, start: looked.append(t) or at(self, t, start))
    largest = growth.largest_above(1.0)
    assert len(looked) <= 5
    assert largest == pytest.approx(growth.by_step().max(), rel=1e-12)


def test_the_limit_is_decided_on_either_side_of_one() -> None:
    for within, expected in ((0.3 + 1e-9, 1 + 1e-9), (0.3 - 1e-9, None)):
        found = constant([within] * 6, 0.7, RING).largest_above(1.0)
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-13))
