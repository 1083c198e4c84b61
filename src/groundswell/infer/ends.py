"""Ends of ranges in a search on free coordinates, where every end is infinitely far away and level.

A parameter above 0 whose estimate is 0 goes out and out; one that a long early step has thrown there does not return,
for lack of a slope, and would be told as an effect of which the data show none.
"""

from __future__ import annotations

import math

import numpy as np

from groundswell.infer.density import LONGEST, FreeDensity
from groundswell.params import NEAR

END = 10.0
"""A free coordinate beyond this is at the end of its range: 5e-5 above 0."""

UPWARD = 1e-7
"""A slope from there, on the free coordinate, that is no rounding: .002 in units of a parameter above 0."""

GAIN = 1e-6
"""A second search from inside counts if it ends higher by this."""

NOTHING = 1e-12
"""A coordinate that promises no more of the log density by its own move goes along a level."""

FURTHEST = 30.0
"""Nothing with a bound goes further out than this, 1e-13 above 0 or 1e13: beyond, a density is mostly rounding."""


def turned_back(density: FreeDensity, at: np.ndarray) -> np.ndarray | None:
    """The point with those parameters back inside that sit at an end though the way in leads up; None without any."""
    side = _side(density, at, END)
    if not side.any():
        return None
    _, slope = density(np.where(side, side * END, at))
    wrong = side * slope > UPWARD
    return np.where(wrong, side * NEAR, at) if wrong.any() else None


def kept_near(density: FreeDensity, at: np.ndarray, move: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The move with short steps for what is out at an end or has nothing to gain, and none beyond FURTHEST.

    A step is shortened as a whole where one coordinate goes too far; for these the others would hardly move.
    """
    level = (_side(density, at, END) != 0) | (np.abs(gradient * move) < NOTHING)
    short = np.where(level, np.clip(move, -LONGEST, LONGEST), move)
    far = np.array([leaf.bounded for leaf in density.leaves], dtype=bool) & (np.abs(at) > FURTHEST)
    return np.where(far & (at * move > 0), 0.0, short)


def _side(density: FreeDensity, at: np.ndarray, beyond: float) -> np.ndarray:
    """(K,) -1 or 1 for a coordinate so far out towards a finite end of its range, else 0."""
    low = np.array([math.isfinite(leaf.low) for leaf in density.leaves], dtype=bool)
    high = np.array([math.isfinite(leaf.high) for leaf in density.leaves], dtype=bool)
    return (high & (at > beyond)).astype(int) - (low & (at < -beyond))
