"""A log density on free coordinates: what searches and samplers move on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from groundswell.models.base import Likelihood
from groundswell.params import Component, Leaf, leaves, vector


class FreeDensity:
    """Minus the log density and its gradient on the free coordinates of the parameters not held."""

    def __init__(self, model: Component, likelihood: Likelihood, fixed: Mapping[str, float]) -> None:
        self._likelihood = likelihood
        self._leaves = leaves(model)
        self._values = vector(model)
        self.free = np.array([k for k, leaf in enumerate(self._leaves) if leaf.name not in fixed], dtype=int)
        self.leaves: Sequence[Leaf] = [self._leaves[k] for k in self.free]
        self._bent = [n for n, leaf in enumerate(self.leaves) if np.isfinite(leaf.low) or np.isfinite(leaf.high)]
        # a start on the boundary has no finite coordinate: begin a little inside
        self.start = np.clip([leaf.to_free(leaf.value) for leaf in self.leaves], -1e3, None)
        for n in self._bent:
            self.start[n] = np.clip(self.start[n], -5.0, None if np.isfinite(self.start[n]) else 5.0)
        self.evaluations = 0

    def natural(self, at: np.ndarray) -> np.ndarray:
        """(all K,) parameters in natural units at the free coordinates."""
        values = self._values.copy()
        values[self.free] = at
        for n in self._bent:
            values[self.free[n]] = self.leaves[n].from_free(float(at[n]))
        return values

    def slopes(self, at: np.ndarray) -> np.ndarray:
        """(K free,) d natural / d free."""
        out = np.ones(len(at))
        for n in self._bent:
            out[n] = self.leaves[n].slope(float(at[n]))
        return out

    def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus log density and its gradient; infinite, with no slope, where the density is not finite."""
        self.evaluations += 1
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # far points are tried, and refused here
            value, gradient = self._likelihood(self.natural(at))
            slope = -gradient[self.free]
            for n in self._bent:
                slope[n] *= self.leaves[n].slope(float(at[n]))
            if not math.isfinite(value + slope.sum()):
                return math.inf, np.zeros(len(at))
        return -value, slope

    def hessian(self, at: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Central differences of the gradient over +- reach, made symmetric."""
        rows = []
        for k, width in enumerate(reach):
            step = np.zeros(len(at))
            step[k] = width
            rows.append((self(at + step)[1] - self(at - step)[1]) / (2 * width))
        square = np.array(rows)
        return (square + square.T) / 2

    def words(self, at: np.ndarray) -> str:
        """The free parameters by name and natural value."""
        natural = self.natural(at)[self.free]
        return ", ".join(f"{leaf.name} = {value:.4g}" for leaf, value in zip(self.leaves, natural, strict=True))
