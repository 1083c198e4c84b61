"""Which stretches of a boundary lie within reach of each point; see `cubature`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def clipped(points, edges, reach):
    """Stretches within reach, relative to their points, with owners (M,) and (M, 4); angles beyond (E,)."""
    count, corners = len(points), len(edges)
    owner = np.empty(count * 8, np.int64)
    inside = np.empty((count * 8, 4))
    beyond = np.zeros(count)
    used = 0
    for e in range(count):
        for v in range(corners):
            ax, ay = edges[v, 0] - points[e, 0], edges[v, 1] - points[e, 1]
            bx, by = edges[v, 2] - points[e, 0], edges[v, 3] - points[e, 1]
            dx, dy = bx - ax, by - ay
            square = dx * dx + dy * dy
            low, high = 0.0, 0.0
            if square > 0.0:
                # |a + t d|^2 = reach^2
                middle = -(ax * dx + ay * dy) / square
                apart = (ax * dy - ay * dx) ** 2 / square
                if apart < reach * reach:
                    half = math.sqrt((reach * reach - apart) / square)
                    low, high = min(max(middle - half, 0.0), 1.0), min(max(middle + half, 0.0), 1.0)
            if high > low:
                if used == len(owner):
                    wider, longer = np.empty((2 * used, 4)), np.empty(2 * used, np.int64)
                    wider[:used], longer[:used] = inside, owner
                    inside, owner = wider, longer
                owner[used] = e
                inside[used, 0], inside[used, 1] = ax + low * dx, ay + low * dy
                inside[used, 2], inside[used, 3] = ax + high * dx, ay + high * dy
                used += 1
                beyond[e] += _angle(ax, ay, ax + low * dx, ay + low * dy)
                beyond[e] += _angle(ax + high * dx, ay + high * dy, bx, by)
            else:
                beyond[e] += _angle(ax, ay, bx, by)
    return owner[:used], inside[:used], beyond


@njit(cache=True)
def _angle(ax, ay, bx, by):
    """From the one to the other, anticlockwise, seen from 0."""
    return math.atan2(ax * by - ay * bx, ax * bx + ay * by)
