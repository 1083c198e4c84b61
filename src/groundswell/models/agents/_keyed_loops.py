"""Compiled counter-based randomness of the agent models: draw(step key, agent, purpose, k).

Three nested SplitMix64 outputs (Steele, Lea and Flood 2014), keyed by step, agent and use. Nothing is drawn from a
stream, so neither recording nor stopping nor the order of the work changes what any agent draws.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


@njit(cache=True, inline="always")
def _mix(x):
    x = (x ^ (x >> np.uint64(30))) * _MIX1
    x = (x ^ (x >> np.uint64(27))) * _MIX2
    return x ^ (x >> np.uint64(31))


@njit(cache=True)
def step_key(key, step):
    """The key of one step under the key of a run."""
    return _mix(key + _GOLDEN * np.uint64(step + 1))


@njit(cache=True, inline="always")
def own_key(key, agent):
    """What all draws of an agent under a step's key have in common; who draws often keeps it."""
    return _mix(key + _GOLDEN * np.uint64(agent + 1))


@njit(cache=True, inline="always")
def own_draw(own, purpose, k):
    """64 random bits for the k-th use of a purpose, from an agent's own key."""
    return _mix(own + _GOLDEN * ((np.uint64(purpose) << np.uint64(32)) | np.uint64(k)))


@njit(cache=True, inline="always")
def own_unit(own, purpose, k):
    """The same draw as a uniform number in [0, 1), on a grid of 2^-53."""
    return np.float64(own_draw(own, purpose, k) >> np.uint64(11)) * 2.0**-53


@njit(cache=True)
def draw(key, agent, purpose, k):
    """64 random bits for the k-th use of a purpose by an agent, under a step's key."""
    return own_draw(own_key(key, agent), purpose, k)


@njit(cache=True)
def unit(key, agent, purpose, k):
    """The same draw as a uniform number in [0, 1), on a grid of 2^-53."""
    return own_unit(own_key(key, agent), purpose, k)


@njit(cache=True)
def units(key, count, purpose):
    """(count,) uniform numbers, one for each agent or cell."""
    out = np.empty(count)
    for i in range(count):
        out[i] = unit(key, i, purpose, 0)
    return out


@njit(cache=True)
def keyed_order(key, count, purpose):
    """(count,) agents or cells in keyed random order."""
    priority = np.empty(count, np.uint64)
    for i in range(count):
        priority[i] = draw(key, i, purpose, 0)
    return in_order(priority)


@njit(cache=True)
def in_order(priority):
    """(count,) the order that sorts draws: by their upper bits into as many buckets as draws, then by insertion."""
    bits = 1
    while 1 << bits < len(priority):
        bits += 1
    shift, start = np.uint64(64 - bits), np.zeros((1 << bits) + 1, np.int64)
    for draw_ in priority:
        start[np.int64(draw_ >> shift) + 1] += 1
    for bucket in range(1, len(start)):
        start[bucket] += start[bucket - 1]
    order = np.empty(len(priority), np.int64)
    for i in range(len(priority)):
        bucket = np.int64(priority[i] >> shift)
        order[start[bucket]] = i
        start[bucket] += 1
    for n in range(1, len(order)):
        this, m = order[n], n
        while m > 0 and priority[order[m - 1]] > priority[this]:
            order[m] = order[m - 1]
            m -= 1
        order[m] = this
    return order
