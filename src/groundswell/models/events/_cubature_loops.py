"""The boundary of a region as points see it, reduced to weights on a few radii; see `cubature`."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def seen(points, edges, start, stop, cuts, short, touching, longest, at, rule, degree):
    """Weights of powers, of radii by panel: (M, degree), panel (M,), first (E + 1,); beyond (E,).

    Point e sees edges[start[e]:stop[e]]. cuts (C,) : where panels end, from 0 to the reach. longest (Q,) : the most
    that half a piece of an edge may be, over its distance, for the rule of that number; at, rule (Q, nodes), padded.
    """
    count, last = len(points), len(cuts) - 1
    first, beyond = np.zeros(count + 1, np.int64), np.zeros(count)
    weight, panel = np.empty((64, degree)), np.empty(64, np.int64)
    row, filled = np.zeros((last, degree)), np.zeros(last, np.bool_)
    ends, reach = np.log(cuts + short), cuts[-1]
    used, c = 0, 0
    for e in range(count):
        inside, turns, touched = 0.0, 0, False
        for v in range(start[e], stop[e]):
            ax, ay = edges[v, 0] - points[e, 0], edges[v, 1] - points[e, 1]
            bx, by = edges[v, 2] - points[e, 0], edges[v, 3] - points[e, 1]
            crossed = ax * by - ay * bx
            if (ay <= 0.0) != (by <= 0.0) and (crossed > 0.0) == (ay <= 0.0):
                turns += 1 if ay <= 0.0 else -1
            dx, dy = bx - ax, by - ay
            square = dx * dx + dy * dy
            if square == 0.0 or crossed * crossed >= reach * reach * square:
                continue
            length = math.sqrt(square)
            height = abs(crossed) / length
            left, right = (ax * dx + ay * dy) / length, (bx * dx + by * dy) / length
            if max(ax * ax + ay * ay, bx * bx + by * by) > reach * reach:
                half = math.sqrt(reach * reach - height * height)
                left, right = max(left, -half), min(right, half)
            if right <= left:
                continue
            if height <= touching:
                touched = touched or (left <= touching and right >= -touching)
                continue
            sign = 1.0 if crossed > 0.0 else -1.0
            # r falls to the nearest point and rises from there: both halves are followed outwards
            for low, high in ((max(left, 0.0), right), (max(-right, 0.0), -left)):
                if high > low:
                    angle, c = _outwards(height, low, high, c, cuts, ends, short, longest, at, rule, row, filled, sign)
                    inside += angle
        if touched:
            beyond[e] = _beyond(points[e], edges[start[e] : stop[e]], reach)
        else:
            beyond[e] = 2.0 * math.pi * turns - inside
        for part in range(last):
            if filled[part]:
                if used == len(panel):
                    wider, longer = np.empty((2 * used, degree)), np.empty(2 * used, np.int64)
                    wider[:used], longer[:used] = weight, panel
                    weight, panel = wider, longer
                weight[used], panel[used] = row[part], part
                used += 1
                row[part], filled[part] = 0.0, False
        first[e + 1] = used
    return weight[:used], panel[:used], first, beyond


@njit(cache=True, error_model="numpy")
def _outwards(height, start, stop, c, cuts, ends, short, longest, at, rule, row, filled, sign):
    """Add the angle of an edge between two distances from its nearest point, spread over powers of radii.

    A piece ends where a panel does, and is half as long as it is far at most. c : a panel near the first, to look for
    it from there. Returns the angle and the last panel.
    """
    total, t = 0.0, start
    r = math.sqrt(height * height + t * t)
    while c > 0 and cuts[c] > r:
        c -= 1
    while t < stop:
        while c < len(cuts) - 2 and cuts[c + 1] <= r:
            c += 1
        end = min(stop, t + 0.5 * r)
        if c < len(cuts) - 2 and height * height + end * end > cuts[c + 1] ** 2:
            end = max(math.sqrt(max(cuts[c + 1] ** 2 - height * height, 0.0)), t + 1e-12 * r)
        half, middle = (end - t) / 2, (end + t) / 2
        q = 0
        while half > longest[q] * r:
            q += 1
        scale = 2.0 / (ends[c + 1] - ends[c])
        filled[c] = True
        for n in range(at.shape[1]):
            if rule[q, n] == 0.0:
                break
            here = middle + half * at[q, n]
            square = height * height + here * here
            angle = sign * half * rule[q, n] * height / square
            x = scale * (math.log(math.sqrt(square) + short) - ends[c]) - 1.0
            total += angle
            for k in range(row.shape[1]):
                row[c, k] += angle
                angle *= x
        t = end
        r = math.sqrt(height * height + t * t)
    return total, c


@njit(cache=True)
def _beyond(point, edges, reach):
    """The angle of what is further than the reach, edge by edge: for a point on the boundary, which has no turns."""
    angle = 0.0
    for v in range(len(edges)):
        ax, ay, bx, by = edges[v, 0] - point[0], edges[v, 1] - point[1], edges[v, 2] - point[0], edges[v, 3] - point[1]
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        if square == 0.0:
            continue
        apart = (ax * dy - ay * dx) ** 2 / square
        if apart >= reach * reach:
            angle += _angle(ax, ay, bx, by)
            continue
        middle, half = -(ax * dx + ay * dy) / square, math.sqrt((reach * reach - apart) / square)
        low, high = min(max(middle - half, 0.0), 1.0), min(max(middle + half, 0.0), 1.0)
        if high <= low:
            angle += _angle(ax, ay, bx, by)
            continue
        if low > 0.0:
            angle += _angle(ax, ay, ax + low * dx, ay + low * dy)
        if high < 1.0:
            angle += _angle(ax + high * dx, ay + high * dy, bx, by)
    return angle


@njit(cache=True)
def _angle(ax, ay, bx, by):
    """From the one to the other, anticlockwise, seen from 0."""
    return math.atan2(ax * by - ay * bx, ax * bx + ay * by)


@njit(cache=True)
def summed(weight, panel, first, disc, out):
    """Fill out (K, E) with the sums of weights times disc (K, panels, degree) over each point's rows."""
    for k in range(out.shape[0]):
        for e in range(out.shape[1]):
            total = 0.0
            for m in range(first[e], first[e + 1]):
                for n in range(weight.shape[1]):
                    total += weight[m, n] * disc[k, panel[m], n]
            out[k, e] = total
