"""Whether intervals hold what they promise, tried on data whose parameters are known.

Ranks of true parameters among posterior draws are uniform if the posteriors are right (Talts et al. 2018; near what was
observed: Prangle et al. 2014). What is tested is what a reader relies on: that central 90 % intervals hold 90 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEVEL = 0.9
DEVIATIONS = 3.0
"""Standard errors beyond which a share inside the intervals is no accident."""
LEAST = 30
"""Made-up data sets below which nothing can be said."""


class Coverage(NamedTuple):
    """Shares inside the 90 % intervals (F,), what to say of them, and whether the intervals may be trusted."""

    inside: np.ndarray
    notes: tuple[str, ...]
    good: bool


def coverage(ranks: np.ndarray, names: Sequence[str]) -> Coverage:
    """From ranks (C, F), in 0 to 1, of C known parameters among the draws of their posteriors.

    Intervals that hold too little are a failure; those that hold too much are wider than need be, and said so.
    """
    count = len(ranks)
    if count < LEAST:
        why = f"its calibration could not be tried: {count} made-up data sets, of {LEAST} that are needed."
        return Coverage(np.full(len(names), np.nan), (why,), False)
    inside = (np.abs(ranks - 0.5) <= LEVEL / 2).mean(axis=0)
    noise = DEVIATIONS * np.sqrt(LEVEL * (1 - LEVEL) / count)
    short = [(name, share) for name, share in zip(names, inside, strict=True) if share < LEVEL - noise]
    long = [(name, share) for name, share in zip(names, inside, strict=True) if share > LEVEL + noise]
    notes = []
    for found, words in ((short, "are too narrow"), (long, "are wider than need be")):
        if found:
            said = ", ".join(f"{name} {100 * share:.0f} %" for name, share in found)
            notes.append(f"on {count} made-up data sets like this one 90 % intervals {words}: they hold {said}.")
    return Coverage(inside, tuple(notes), not short)


def rank(true: np.ndarray, draws: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(F,) weight of the draws (N, F) below the true values, ties counted half; weights (N,) sum to 1."""
    return weights @ (draws < true) + 0.5 * (weights @ (draws == true))
