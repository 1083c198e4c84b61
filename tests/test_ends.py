"""What is out at an end of its range comes back if the way in leads up, and only then.

For a search to be thrown there, several parameters must settle one after the other: see
tests/test_mutually_exciting.py.
"""

from __future__ import annotations

import numpy as np

from groundswell.infer.density import FreeDensity
from groundswell.infer.ends import FURTHEST, kept_near, turned_back
from groundswell.params import names
from tests.test_likelihood import maximum, surface


def bumps(v: np.ndarray) -> float:
    """Normal in all three: y has its mode at .3 and z at .9, inside their ranges; nothing curves at their ends."""
    return -((v[0] - 1) ** 2) / 2 - 50 * (v[1] - 0.3) ** 2 - 200 * (v[2] - 0.9) ** 2


def bumps_slopes(v: np.ndarray) -> list[float]:
    return [1 - v[0], -100 * (v[1] - 0.3), -400 * (v[2] - 0.9)]


def slopes_down(v: np.ndarray) -> float:
    """Higher the smaller y and the larger z."""
    return -((v[0] - 1) ** 2) / 2 - 20 * v[1] - 20 * (1 - v[2])


def slopes_down_slopes(v: np.ndarray) -> list[float]:
    return [1 - v[0], -20.0, 20.0]


def test_what_belongs_at_an_end_stays_there() -> None:
    found = maximum(surface(slopes_down, slopes_down_slopes))
    assert found.converged
    assert found.estimate[1] < 1e-6
    assert found.estimate[2] > 1 - 1e-6
    assert len(found.notes) == 2


def test_only_ends_that_lead_up_are_left_and_no_step_goes_beyond_them() -> None:
    model = surface(bumps, bumps_slopes)
    density = FreeDensity(model, type(model).value, {})
    assert names(model) == ("x", "y", "z")
    assert turned_back(density, np.array([40.0, -3.0, 2.0])) is None  # x has no end
    back = turned_back(density, np.array([40.0, -20.0, 20.0]))
    assert back is not None
    assert back.tolist() == [40, -5, 5]
    at, move = np.array([99.0, -FURTHEST - 1, 20.0]), np.array([9.0, -9.0, 9.0])
    steep = np.ones(3)
    assert kept_near(density, at, move, steep).tolist() == [9, 0, 3]
    assert kept_near(density, at, -move, steep).tolist() == [-9, 3, -3]
    far = np.array([99.0, FURTHEST + 1, 20.0])  # y has no upper end, and no further to go
    assert kept_near(density, far, -move, steep).tolist() == [-9, 0, -3]
    assert kept_near(density, far, move, steep).tolist() == [9, -9, 3]


def test_what_has_nothing_to_gain_does_not_shorten_the_step_of_the_others() -> None:
    model = surface(bumps, bumps_slopes)
    density = FreeDensity(model, type(model).value, {})
    at, move = np.array([1.0, -1.0, 0.5]), np.array([1e6, 2.0, -1.0])
    assert kept_near(density, at, move, np.array([1e-20, 1.0, 1.0])).tolist() == [3, 2, -1]
    assert kept_near(density, at, move, np.array([1e-3, 1.0, 1.0])).tolist() == [1e6, 2, -1]
