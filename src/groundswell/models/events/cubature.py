"""Integrals of isotropic functions over the part of a region around a point, through the region's boundary.

For f that depends on the distance r alone and F(r) = integral over (0, r] of u f(u) du, the integral of f over a
polygon is the integral of F(r) d(angle) along its boundary, seen from the point (Meyer and Held 2014, Annals of
Applied Statistics 8, supplement B, section 2.4). Where r exceeds the reach R, F stays F(R): cutting the region off at
R needs no geometry, and what is beyond counts by its angle alone. A point further from the boundary than R sees the
full circle, 2 pi F(R).

Boundary and points are data, F changes with every parameter value. So F is read at a few radii only, the same for all
points: on panels of log(1 m + r) it is the polynomial through its values at DEGREE Chebyshev points, and the integral
along the boundary becomes a weighted sum of those values. Error: below 1e-9 of F(R) for kernels with scales from
10 m on, below 1e-8 of F(R) / parameter for slopes; see docs/models/space_time.md.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from groundswell.data.region import NEAREST_KM, Region

SHORT_KM = 1e-3
"""Kernels are taken to change little over less."""

WIDEST = 0.5
"""The most by which log(SHORT_KM + r) changes over a panel: F on it is one polynomial."""

DEGREE = 12
"""Values of F that determine the polynomial of a panel."""

LONGEST = (1e-4, 0.015, 0.08, 0.18, 0.25, np.inf)
"""Half of a piece of an edge over its distance, up to which 1, 2, ... nodes leave an error below 1e-9 of its angle."""


class Nodes(NamedTuple):
    """What each of E points sees of the boundary, as weights of values of F at distances of its own.

    distance, weight : (N,), point e's from first[e] to first[e + 1]; beyond : (E,) weight of F at the reach.
    """

    distance: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    beyond: np.ndarray

    def integral(self, disc: np.ndarray, disc_at_reach: float | np.ndarray) -> np.ndarray:
        """(..., E) from F at the distances (..., N), each point's own F, and at the reach."""
        sums = np.zeros((*disc.shape[:-1], len(self.beyond)))
        some = np.flatnonzero(np.diff(self.first))
        if len(some):
            sums[..., some] = np.add.reduceat(disc * self.weight, self.first[some], axis=-1)
        return sums + np.multiply.outer(np.asarray(disc_at_reach), self.beyond)


class Boundary(NamedTuple):
    """What each of E points sees of the boundary, as weights of values of F.

    The integral of f around point e is the sum of weight (M, D) x F(radius[panel]) over its rows, from first[e] to
    first[e + 1], plus beyond[e] F(R). radius (C, D) : km, the same for all points. A point that sees no boundary
    within reach has no rows.
    """

    radius: np.ndarray
    weight: np.ndarray
    panel: np.ndarray
    first: np.ndarray
    beyond: np.ndarray

    @property
    def nodes(self) -> Nodes:
        """The same for functions that differ from point to point."""
        return Nodes(self.radius[self.panel].ravel(), self.weight.ravel(), self.first * DEGREE, self.beyond)

    def integral(self, disc: np.ndarray, disc_at_reach: float | np.ndarray) -> np.ndarray:
        """(..., E) from F at `radius` (..., C, D) and at the reach. Cost O(rows), some 4 a point near an edge."""
        from groundswell.models.events._cubature_loops import summed

        shape = disc.shape[:-2]
        each = np.ascontiguousarray(disc.reshape(int(np.prod(shape)), *disc.shape[-2:]))
        sums = np.empty((len(each), len(self.beyond)))
        summed(self.weight, self.panel, self.first, each, sums)
        return sums.reshape(*shape, len(self.beyond)) + np.multiply.outer(np.asarray(disc_at_reach), self.beyond)


def seen_from(
    points: np.ndarray, region: Region, reach_km: float, *, breaks: np.ndarray | None = None, nodes: int | None = None
) -> Boundary:
    """The boundary as the points (E, 2) see it, up to the reach, or all of it (`np.inf`). Cost O(E V), once.

    breaks : radii at which f jumps; panels end there. nodes : to a piece of an edge, instead of what its length asks.
    """
    if np.isinf(reach_km):
        corners = np.concatenate(region.rings)
        reach_km = float(
            np.hypot(*np.maximum(corners.max(axis=0) - points, points - corners.min(axis=0)).T).max(initial=SHORT_KM)
        )
    stop = np.full(len(points), len(region.edges))
    return _boundary(np.ascontiguousarray(points), region.edges, np.zeros_like(stop), stop, reach_km, breaks, nodes)


def everywhere(count: int) -> Boundary:
    """No boundary at all: the integral around each point is that over the plane."""
    none = np.zeros(0, dtype=np.int64)
    return Boundary(
        np.empty((0, DEGREE)), np.empty((0, DEGREE)), none, np.zeros(count + 1, np.int64), np.full(count, 2 * np.pi)
    )


def given(
    regions: list[list[np.ndarray]], reach_km: float, *, breaks: np.ndarray | None = None, nodes: int | None = None
) -> Boundary:
    """From one polygon (rings relative to the point) for each point, as another package has cut them."""
    rings = [ring for one in regions for ring in one]
    if not rings:
        none = np.zeros(0, dtype=int)
        return _boundary(np.zeros((0, 2)), np.empty((0, 4)), none, none, reach_km, breaks, nodes)
    lengths = np.array([len(ring) for ring in rings])
    corners, ends = np.concatenate(rings), np.cumsum(lengths)
    following = np.arange(1, len(corners) + 1)
    following[ends - 1] = ends - lengths
    last = np.concatenate([[0], ends])[np.cumsum([0] + [len(one) for one in regions])]
    edges = np.hstack([corners, corners[following]])
    return _boundary(np.zeros((len(regions), 2)), edges, last[:-1], last[1:], reach_km, breaks, nodes)


def _boundary(
    points: np.ndarray,
    edges: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    reach_km: float,
    breaks: np.ndarray | None,
    nodes: int | None,
) -> Boundary:
    from groundswell.models.events._cubature_loops import seen

    cuts = _cuts(reach_km, np.empty(0) if breaks is None else breaks)
    longest, at, rule = _rules(nodes)
    weight, panel, first, beyond = seen(
        points, edges, start, stop, cuts, SHORT_KM, NEAREST_KM, longest, at, rule, DEGREE
    )
    where, to_values = _points_of_a_panel()
    ends = np.log(cuts + SHORT_KM)
    middle, half = (ends[1:] + ends[:-1]) / 2, np.diff(ends) / 2
    radius = np.exp(middle[:, None] + half[:, None] * where) - SHORT_KM
    return Boundary(np.maximum(radius, 0.0), weight @ to_values, panel, first, beyond)


def _cuts(reach_km: float, breaks: np.ndarray) -> np.ndarray:
    """(C + 1,) where panels end, km: evenly in log(SHORT_KM + r), and at the breaks."""
    whole = np.log1p(reach_km / SHORT_KM)
    even = SHORT_KM * np.expm1(np.linspace(0, whole, int(np.ceil(whole / WIDEST)) + 1))
    even[-1] = reach_km
    return np.unique(np.concatenate([even, breaks[(breaks > 0) & (breaks < reach_km)]]))


@cache
def _points_of_a_panel() -> tuple[np.ndarray, np.ndarray]:
    """Chebyshev points on (-1, 1), and what turns weights of powers into weights of values there.

    Its entries reach 562, so that 3 of 16 digits are lost; Chebyshev polynomials lose none and took 15 % longer.
    """
    where = np.cos((np.arange(DEGREE) + 0.5) * np.pi / DEGREE)
    return where, np.linalg.inv(np.vander(where, increasing=True))


@cache
def _rules(nodes: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gauss-Legendre rules for ever longer pieces: the longest (Q,), nodes and weights (Q, N), 0 after theirs."""
    if nodes is not None:
        at, rule = np.polynomial.legendre.leggauss(nodes)
        return np.array([np.inf]), at[None], rule[None]
    most = len(LONGEST)
    at, rule = np.zeros((most, most)), np.zeros((most, most))
    for q in range(most):
        at[q, : q + 1], rule[q, : q + 1] = np.polynomial.legendre.leggauss(q + 1)
    return np.array(LONGEST), at, rule
