"""Whether two candidates of a comparison can be told apart, by the spread over groups of origins."""

from __future__ import annotations

import numpy as np

from groundswell.evaluate.by_groups import FEWEST_GROUPS, groups, overlapping, ratio
from groundswell.evaluate.compare import Comparison

SAME_FIT = 5e-4
"""Two fits whose log densities lie no further apart are one: the AIC changes by twice the added parameters."""

TOO_FEW = "cannot tell (too few dates)"
"""The verdict where the origins make fewer groups than FEWEST_GROUPS."""

CANNOT_TELL = "cannot tell"
HELPS, HARMS = "earns its keep", "does harm"


class Doubt:
    """What the spread over groups of origins says of differences between candidates."""

    def __init__(self, comparison: Comparison, level: float) -> None:
        self.comparison, self.level = comparison, level
        origins = len(comparison.origins)
        self.group = groups(origins, overlapping(comparison.origins, comparison.steps))
        self.count = len(set(self.group.tolist()))
        self.known = self.count >= FEWEST_GROUPS

    def skill(self, kind: str, name: str, reference: str) -> tuple[float | None, float | None, float | None]:
        """1 - ratio of sums, with its interval; None where the reference lost nothing."""
        mine, theirs = self._lost(kind, name, reference)
        if theirs.sum() == 0:
            return None, None, None
        value, low, high = ratio(mine, theirs, self.group, self.level)
        return 1 - value, None if high is None else 1 - high, None if low is None else 1 - low

    def gain(self, kind: str, name: str, reference: str) -> tuple[float, float | None, float | None]:
        """Mean loss of the reference minus the candidate's, per cell, with its interval."""
        mine, theirs = self._lost(kind, name, reference)
        return ratio(theirs - mine, self.comparison.cells[kind], self.group, self.level)

    def verdict(self, name: str, other: str) -> str:
        """Whether the interval of the gain in log score leaves out 0, and on which side."""
        _, low, high = self.gain("log", name, other)
        return side(low, high, coincide(name, other, self.comparison))

    def apart(self, name: str, other: str) -> bool:
        """Whether two candidates can be told apart by the log score."""
        return self.verdict(name, other) in (HELPS, HARMS)

    def once(self, sums: np.ndarray) -> float:
        """(O, K) sums by origin and step ahead, added up so that a date which several origins forecast counts once."""
        steps = self.comparison.steps
        date = (np.asarray(self.comparison.origins)[:, None] + np.arange(steps)).ravel()
        times = np.bincount(date)[date]
        return float((sums.ravel() / times).sum())

    def _lost(self, kind: str, *names: str) -> list[np.ndarray]:
        return [self.comparison.losses[kind][self.comparison.index(name)] for name in names]


def coincide(name: str, other: str, comparison: Comparison) -> bool:
    """Whether the fits of two candidates to the whole window are one: what one of them adds is not in use."""
    by_name = {candidate.name: candidate.observes for candidate in comparison.candidates}
    mine, theirs = (comparison.fits.get(each) for each in (name, other))
    if mine is None or theirs is None or by_name[name] != by_name[other]:
        return False
    return abs(mine.log_density - theirs.log_density) <= SAME_FIT


def side(low: float | None, high: float | None, same: bool) -> str:
    """What an interval of a gain says; None for want of groups. same : the two say the same, whatever the interval."""
    if low is None or high is None:
        return TOO_FEW
    if same or low <= 0 <= high:
        return CANNOT_TELL
    return HELPS if low > 0 else HARMS
