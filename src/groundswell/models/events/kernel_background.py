"""A smooth background: where events that needed no parent happen, by kernels around those that happened.

u(s) = sum over points j of weight_j N(s; s_j, d_j^2) / sum of the weights, N the normal density in the plane and d_j
the distance from s_j to its n-th nearest point, at least `least_km`. With the probabilities of needing no parent as
weights this is the estimate of stochastic declustering: Zhuang, Ogata and Vere-Jones (2002), Journal of the American
Statistical Association 97, 369-380, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundswell.data.region import Region
from groundswell.errors import DataError
from groundswell.models.events import cubature
from groundswell.params import Component

FURTHEST = 9.0
"""Bandwidths beyond which a kernel counts as 0: it is below 3e-18 of its peak."""


@dataclass(frozen=True, eq=False)
class KernelBackground(Component):
    """A density over the plane, per km^2, that integrates to 1; a value, not a parameter.

    points : (N, 2) km. bandwidth_km, weight : (N,), above 0, and 0 or more. own_point : whether a kernel counts at
    the very point that it stands on.

    Read with care: with own_point the density is highest just where events were, so the events that it was made of
    look expected; without, the density at each of them is what the others say (leaving one out), and as before
    everywhere else.
    """

    points: np.ndarray
    bandwidth_km: np.ndarray
    weight: np.ndarray
    own_point: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        points = np.ascontiguousarray(self.points, dtype=float)
        width, weight = np.array(self.bandwidth_km, dtype=float), np.array(self.weight, dtype=float)
        if points.ndim != 2 or points.shape[1] != 2 or width.shape != weight.shape or width.shape != points.shape[:1]:
            raise DataError(
                f"KernelBackground: points {points.shape}, bandwidth_km {width.shape} and weight {weight.shape}; "
                "expected (N, 2), (N,) and (N,)."
            )
        if not (np.isfinite(points).all() and np.isfinite(width).all() and (width > 0).all()):
            raise DataError("KernelBackground: expected finite points and bandwidths above 0 km.")
        if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
            raise DataError("KernelBackground: expected weights of 0 or more, and some above 0.")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "bandwidth_km", width)
        object.__setattr__(self, "weight", weight)

    @classmethod
    def around(
        cls,
        x_km: np.ndarray,
        y_km: np.ndarray,
        weight: np.ndarray | None = None,
        *,
        neighbours: int = 5,
        least_km: float = 5.0,
        own_point: bool = True,
    ) -> KernelBackground:
        """Kernels around points (N,), as wide as it is to the `neighbours`-th nearest other, at least `least_km`.

        weight : (N,), 1 each by default. DataError for no more points than `neighbours`.
        """
        from scipy.spatial import KDTree

        points = np.stack([np.asarray(x_km, float), np.asarray(y_km, float)], axis=1)
        if len(points) <= neighbours or neighbours < 1 or least_km <= 0:
            raise DataError(
                f"KernelBackground.around was given {len(points)} points, neighbours {neighbours} and least_km "
                f"{least_km:g}; expected more points than neighbours, 1 neighbour or more and a distance above 0."
            )
        apart = np.asarray(KDTree(points).query(points, k=neighbours + 1)[0])[:, -1]  # the nearest is the point itself
        return cls(points, np.maximum(apart, least_km), np.ones(len(points)) if weight is None else weight, own_point)

    def density(self, x_km: np.ndarray, y_km: np.ndarray) -> np.ndarray:
        """(K,) per km^2 at positions (K,). Cost O(K N)."""
        from groundswell.models.events._kernel_background_loops import kernels

        at = np.stack([np.asarray(x_km, float), np.asarray(y_km, float)], axis=1)
        peak = self.weight / (2 * np.pi * self.bandwidth_km**2 * self.weight.sum())
        return kernels(at, self.points, 0.5 / self.bandwidth_km**2, peak, 0.5 * FURTHEST**2, self.own_point)

    def integral(self, region: Region) -> float:
        """The share of the density that lies in a region, by `cubature` along its boundary. Cost O(N V)."""
        at = cubature.seen_from(self.points, region, np.inf).nodes
        width = np.repeat(self.bandwidth_km, np.diff(at.first))
        inside = at.integral(-np.expm1(-0.5 * (at.distance / width) ** 2), 1.0) / (2 * np.pi)
        return float(inside @ self.weight / self.weight.sum())

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count, 2) independent points from the density, over the whole plane."""
        which = np.searchsorted(np.cumsum(self.weight), rng.random(count) * self.weight.sum(), side="right")
        which = np.minimum(which, len(self.weight) - 1)
        return self.points[which] + self.bandwidth_km[which, None] * rng.normal(size=(count, 2))
