"""Compiled loops of graphs in compressed rows: row i of `neighbours` runs from offsets[i] to offsets[i + 1]."""

from __future__ import annotations

import numpy as np
from numba import njit

SOUND, BEYOND, LOOP, UNSORTED, ONE_WAY = range(5)


@njit(cache=True)
def both_ways(starts, upper):
    """(offsets, neighbours) from every tie once: row i of `upper`, by starts (N + 1,), rises and lies above i."""
    count = len(starts) - 1
    offsets = np.zeros(count + 1, np.int64)
    for i in range(count):
        offsets[i + 1] += starts[i + 1] - starts[i]
        for e in range(starts[i], starts[i + 1]):
            offsets[upper[e] + 1] += 1
    for i in range(count):
        offsets[i + 1] += offsets[i]
    filled = offsets[:-1].copy()
    neighbours = np.empty(2 * len(upper), np.uint32)
    for i in range(count):  # what lies below i has come by the time that i is reached, in order
        own = filled[i]
        for e in range(starts[i], starts[i + 1]):
            j = upper[e]
            neighbours[own] = j
            own += 1
            neighbours[filled[j]] = i
            filled[j] += 1
    return offsets, neighbours


@njit(cache=True)
def fault(offsets, neighbours):
    """(what is wrong, at which node, with which other), SOUND where nothing is.

    That every tie stands in both its rows is told by a sum of one number a tie: ties to higher nodes and ties to
    lower ones have the same sum, unless a row lacks one.
    """
    count = len(offsets) - 1
    balance = np.uint64(0)
    for i in range(count):
        for e in range(offsets[i], offsets[i + 1]):
            j = np.int64(neighbours[e])
            if j >= count:
                return BEYOND, i, j
            if j == i:
                return LOOP, i, j
            if e > offsets[i] and neighbours[e] <= neighbours[e - 1]:
                return UNSORTED, i, j
            low, high = np.uint64(min(i, j)), np.uint64(max(i, j))
            x = (low << np.uint64(32) | high) * np.uint64(0x9E3779B97F4A7C15)
            x = (x ^ (x >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
            balance = balance + x if i < j else balance - x
    return (SOUND if balance == 0 else ONE_WAY), 0, 0


@njit(cache=True)
def nearest_first(offsets, neighbours, start, wanted):
    """(K,) nodes around `start`, itself first, its neighbours by number, then theirs; K is `wanted` or all reached."""
    seen = np.zeros(len(offsets) - 1, np.bool_)
    found = np.empty(wanted, np.uint32)
    found[0], seen[start] = start, True
    done, count = 0, 1
    while done < count and count < wanted:
        node = found[done]
        done += 1
        for e in range(offsets[node], offsets[node + 1]):
            other = neighbours[e]
            if not seen[other] and count < wanted:
                seen[other] = True
                found[count] = other
                count += 1
    return found[:count]


@njit(cache=True)
def within(offsets, neighbours, steps, most):
    """(starts (N + 1,), nodes) whom each node reaches in so many ties, itself included, rising; see `Graph.within`.

    Counted first and then written down. Counting ends where there are more than `most`, with nothing written.
    """
    count = len(offsets) - 1
    seen, queue = np.full(count, -1, np.int64), np.empty(count, np.uint32)
    starts = np.zeros(count + 1, np.int64)
    for node in range(count):
        starts[node + 1] = starts[node] + _reach(offsets, neighbours, steps, node, seen, queue)
        if starts[node + 1] > most:
            starts[-1] = starts[node + 1]
            return starts, queue[:0]
    nodes = np.empty(starts[-1], np.uint32)
    seen[:] = -1
    for node in range(count):
        found = _reach(offsets, neighbours, steps, node, seen, queue)
        nodes[starts[node] : starts[node + 1]] = np.sort(queue[:found])
    return starts, nodes


@njit(cache=True)
def _reach(offsets, neighbours, steps, start, seen, queue):
    """How many nodes are at most `steps` ties away, the first in `queue`; `seen` marks them by who looked last."""
    queue[0], seen[start] = start, start
    done, count = 0, 1
    for _ in range(steps):
        last = count
        while done < last:
            node = queue[done]
            done += 1
            for e in range(offsets[node], offsets[node + 1]):
                other = neighbours[e]
                if seen[other] != start:
                    seen[other] = start
                    queue[count] = other
                    count += 1
        if count == last:
            break
    return count
