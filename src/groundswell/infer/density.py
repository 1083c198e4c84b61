"""A log density on free coordinates: what searches and samplers move on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from groundswell.models.base import Likelihood
from groundswell.params import Component, Leaf, leaves

LONGEST = 3.0
"""No step of a search moves a free coordinate by more: a factor of 20 for a parameter above 0."""


def shortening(move: np.ndarray, likelihood: Likelihood) -> float:
    """What to multiply a step (all K,) on free coordinates by.

    A likelihood with the method `stride` tells how much a step changes the logarithm of any rate, which is what
    counts: the coefficient of a column of small numbers has far to go.
    """
    longest = float(np.abs(move).max(initial=0.0))
    if longest > LONGEST and hasattr(likelihood, "stride"):
        longest = likelihood.stride(move)
    return min(1.0, LONGEST / longest) if longest > 0 else 1.0


class FreeDensity:
    """Minus the log density and its gradient on the free coordinates of the parameters not held."""

    def __init__(self, model: Component, likelihood: Likelihood, fixed: Mapping[str, float]) -> None:
        self._likelihood = likelihood
        self.all_leaves = leaves(model)
        self._values = np.array([leaf.value for leaf in self.all_leaves])
        self.free = np.array([k for k, leaf in enumerate(self.all_leaves) if leaf.name not in fixed], dtype=int)
        self.leaves: Sequence[Leaf] = [self.all_leaves[k] for k in self.free]
        self._bent = [(n, leaf) for n, leaf in enumerate(self.leaves) if leaf.bounded]
        self.start = np.array([leaf.start for leaf in self.leaves], dtype=float)
        self.observations: int | None = getattr(likelihood, "observations", None)
        self.evaluations = 0

    def natural(self, at: np.ndarray) -> np.ndarray:
        """(all K,) parameters in natural units at the free coordinates."""
        values = self._values.copy()
        values[self.free] = at
        for n, leaf in self._bent:
            values[self.free[n]] = leaf.from_free(float(at[n]))
        return values

    def slopes(self, at: np.ndarray) -> np.ndarray:
        """(K free,) d natural / d free."""
        out = np.ones(len(at))
        for n, leaf in self._bent:
            out[n] = leaf.slope(float(at[n]))
        return out

    def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus log density and its gradient; infinite, with no slope, where the density is not finite."""
        self.evaluations += 1
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # far points are tried, and refused here
            value, gradient = self._likelihood(self.natural(at))
            slope = -gradient[self.free]
            for n, leaf in self._bent:
                slope[n] *= leaf.slope(float(at[n]))
            if not math.isfinite(value + slope.sum()):
                return math.inf, np.zeros(len(at))
        return -value, slope

    def hessian(self, at: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Second derivatives: the model's own where it has them, else differences of the gradient over +- reach."""
        information = getattr(self._likelihood, "information", None)
        if information is not None:
            return self._from_natural(at, information(self.natural(at)))
        rows = []
        for k, width in enumerate(reach):
            step = np.zeros(len(at))
            step[k] = width
            rows.append((self(at + step)[1] - self(at - step)[1]) / (2 * width))
        square = np.array(rows)
        return (square + square.T) / 2

    def _from_natural(self, at: np.ndarray, information: np.ndarray) -> np.ndarray:
        """The information (all, all) in natural units on the free coordinates of the parameters not held."""
        slopes = self.slopes(at)
        out = information[np.ix_(self.free, self.free)] * np.outer(slopes, slopes)
        if self._bent:
            gradient = self._likelihood(self.natural(at))[1]
            for n, leaf in self._bent:
                out[n, n] -= gradient[self.free[n]] * leaf.bend(float(at[n]))
        return out

    def shortened(self, move: np.ndarray) -> np.ndarray:
        """A step of a search, made shorter where it goes further than a step should (`shortening`)."""
        whole = np.zeros(len(self.all_leaves))
        whole[self.free] = move
        return move * shortening(whole, self._likelihood)

    def words(self, at: np.ndarray) -> str:
        """The free parameters by name and natural value."""
        natural = self.natural(at)[self.free]
        return ", ".join(f"{leaf.name} = {value:.4g}" for leaf, value in zip(self.leaves, natural, strict=True))
