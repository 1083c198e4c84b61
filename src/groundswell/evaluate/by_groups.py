"""How sure a mean over past forecasts is: Student's t over groups of origins whose forecasts share no date."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FEWEST_GROUPS = 4
"""Below this many groups their spread says too little; there is then no interval and no verdict."""


def overlapping(origins: Sequence[int], steps: int) -> int:
    """How many origins in a row share a target at most, themselves included."""
    return max((sum(origin <= later < origin + steps for later in origins) for origin in origins), default=1)


def groups(origins: int, overlap: int) -> np.ndarray:
    """(O,) the group of each origin, 0, 1, ...: runs of neighbours, as nearly of one size as can be.

    Each origin is a group of its own where no two share a target. Otherwise a group holds at least twice as many
    as share one, since neighbouring groups still share some. overlap : as `overlapping` counts.
    """
    count = max(1, origins // (1 if overlap == 1 else 2 * overlap))
    return np.arange(origins) * count // origins


def ratio(
    sums: np.ndarray,
    weights: np.ndarray,
    group: np.ndarray,
    level: float,
    *,
    least: float = 0.0,
    fewest: int = FEWEST_GROUPS,
) -> tuple[float, float | None, float | None]:
    """Sum of `sums` over sum of `weights`, with its interval: a ratio of sums over groups, by Student's t.

    sums, weights, group : (O,). least : a variance below which chance cannot bring the ratio, for sums that are all
    alike by luck. None, None for the interval with fewer than `fewest` groups. A bootstrap of so few groups gives
    intervals that are far too short.
    """
    from scipy.special import stdtrit

    whole = float(weights.sum())
    value = float(sums.sum()) / whole
    total, weight = (np.bincount(group, column) for column in (sums, weights))
    count = len(total)
    if count < fewest:
        return value, None, None
    variance = ((total - value * weight) ** 2).sum() * count / (count - 1) / whole**2
    reach = float(stdtrit(count - 1, (1 + level) / 2)) * float(np.sqrt(max(variance, least)))
    return value, value - reach, value + reach
