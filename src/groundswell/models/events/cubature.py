"""Integrals of isotropic functions over the part of a region around a point, through the region's boundary.

For f that depends on the distance r alone and F(r) = integral over (0, r] of u f(u) du, the integral of f over a
polygon is the integral of F(r) d(angle) along its boundary, seen from the point (Meyer and Held 2014, Annals of
Applied Statistics 8, supplement B, section 2.4). Where r exceeds the reach R, F stays F(R): cutting the region off at
R needs no geometry, and a stretch of boundary beyond R counts by its angle alone. A point further from the boundary
than R sees the full circle, 2 pi F(R).

An edge at distance p from the point, in the angle a from its nearest point, is at r = p / cos(a): along it F is
smooth, and Gauss-Legendre quadrature converges fast. Boundary and points are data, so nodes and weights are found
once and the integral is a weighted sum of F over them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from groundswell.data.region import NEAREST_KM, Region

COARSEST = 0.35
"""The most by which log(1 + r / SHORT_KM) may change over a stretch of boundary with one set of nodes."""

SHORT_KM = 2.0
"""Kernels are taken to change little over less."""

NODES = 6

CHUNK = 1000
"""Points whose nodes are found together: what is needed on the way is ten times what is kept."""


class Boundary(NamedTuple):
    """What each of E points sees of the boundary: nodes with distances and weights (angles), and angles beyond reach.

    The integral of f around point e is sum of weight x F(distance) over its nodes, from first[e] to first[e + 1],
    plus beyond[e] F(R).
    """

    distance: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    beyond: np.ndarray

    def integral(self, disc: np.ndarray, disc_at_reach: float | np.ndarray) -> np.ndarray:
        """(..., E) from F at the nodes (..., N) and at the reach."""
        sums = np.zeros((*disc.shape[:-1], len(self.beyond)))
        some = np.flatnonzero(np.diff(self.first))
        if len(some):
            sums[..., some] = np.add.reduceat(disc * self.weight, self.first[some], axis=-1)
        return sums + np.multiply.outer(np.asarray(disc_at_reach), self.beyond)


def seen_from(points: np.ndarray, region: Region, reach_km: float, nodes: int = NODES) -> Boundary:
    """The boundary as the points (E, 2) see it, up to the reach. Cost O(E V), once."""
    from groundswell.models.events._cubature_loops import clipped

    return _boundary(len(points), *clipped(np.ascontiguousarray(points), region.edges, reach_km), nodes)


def seen_whole(points: np.ndarray, region: Region, nodes: int = NODES) -> Boundary:
    """The boundary as the points (E, 2) see it, however far: for functions without an end.

    Cost O(E V), in time and in memory: 16 bytes a node, some 100 nodes for a short outline.
    """
    each = [seen_from(points[k : k + CHUNK], region, np.inf, nodes) for k in range(0, len(points), CHUNK)]
    if len(each) <= 1:
        return each[0] if each else seen_from(points, region, np.inf, nodes)
    starts = np.cumsum([0, *(len(one.distance) for one in each[:-1])])
    first = [one.first[:-1] + start for one, start in zip(each, starts, strict=True)]
    return Boundary(
        np.concatenate([one.distance for one in each]),
        np.concatenate([one.weight for one in each]),
        np.concatenate([*first, [starts[-1] + each[-1].first[-1]]]),
        np.concatenate([one.beyond for one in each]),
    )


def given(regions: list[list[np.ndarray]], nodes: int = NODES) -> Boundary:
    """From one polygon (rings relative to the point) for each point, as another package has cut them."""
    edges, owner = [], []
    for e, rings in enumerate(regions):
        for ring in rings:
            edges.append(np.hstack([ring, np.roll(ring, -1, axis=0)]))
            owner.append(np.full(len(ring), e))
    return _boundary(len(regions), np.concatenate(owner), np.concatenate(edges), np.zeros(len(regions)), nodes)


def _boundary(count: int, owner: np.ndarray, edges: np.ndarray, beyond: np.ndarray, nodes: int) -> Boundary:
    """Nodes on stretches of boundary (M, 4), relative to their points: owners rise."""
    start, end = edges[:, :2], edges[:, 2:]
    along = end - start
    length = np.hypot(*along.T)
    crossed = start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]
    seen = (length > 0) & (np.abs(crossed) > NEAREST_KM * np.maximum(length, NEAREST_KM))
    owner, start, along = owner[seen], start[seen], along[seen] / length[seen, None]
    height = crossed[seen] / length[seen]
    left = np.arctan2((start * along).sum(axis=1), np.abs(height))
    right = np.arctan2((start * along).sum(axis=1) + length[seen], np.abs(height))
    # r falls to the nearest point and rises from there: cut there, then into stretches over which it changes little
    owner, height, left, right = _cut_at_nearest(owner, height, left, right)
    backwards = np.abs(left) > np.abs(right)
    near, far = (np.abs(height) / np.cos(np.where(one, left, right)) for one in (~backwards, backwards))
    grown = np.log((SHORT_KM + far) / (SHORT_KM + near))
    pieces = np.maximum(1, np.ceil(grown / COARSEST)).astype(int)
    which = np.repeat(np.arange(len(owner)), pieces)
    number = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    ends = []
    for share in (number / pieces[which], (number + 1) / pieces[which]):
        distance = (SHORT_KM + near[which]) * np.exp(share * grown[which]) - SHORT_KM
        ends.append(np.arccos(np.clip(np.abs(height)[which] / distance, -1.0, 1.0)))
    width = (ends[1] - ends[0]) * np.sign(right - left)[which]
    at, weight = np.polynomial.legendre.leggauss(nodes)
    angle = ends[0][:, None] + np.abs(width)[:, None] * (1 + at) / 2
    distance = np.abs(height)[which, None] / np.cos(angle)
    weights = np.sign(height)[which, None] * width[:, None] / 2 * weight
    per_point = np.bincount(owner[which], minlength=count) * nodes
    first = np.concatenate([[0], np.cumsum(per_point)])
    return Boundary(distance.ravel(), weights.ravel(), first, beyond)


def _cut_at_nearest(
    owner: np.ndarray, height: np.ndarray, left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Stretches that pass their nearest point as two."""
    passes = (left < 0) & (right > 0)
    twice = np.repeat(np.arange(len(owner)), 1 + passes)
    second = np.concatenate([[False], twice[1:] == twice[:-1]]) if len(twice) else np.zeros(0, dtype=bool)
    first = np.concatenate([twice[1:] == twice[:-1], [False]]) if len(twice) else np.zeros(0, dtype=bool)
    return owner[twice], height[twice], np.where(second, 0.0, left[twice]), np.where(first, 0.0, right[twice])
