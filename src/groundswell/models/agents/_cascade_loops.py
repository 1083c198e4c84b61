"""Compiled loops of threshold cascades on a graph in compressed rows, all persons deciding at once in each step.

`needed` counts, for each person, how many active neighbours are still missing; at 0 they are active, or about to be.
`queue` holds the active in the order of their steps: those of step t stand from ends[t - 1] to ends[t].
"""

from __future__ import annotations

import numpy as np
from numba import njit

from groundswell.models.agents._keyed_loops import step_key, unit

THRESHOLD, SEED, ADOPT, CENTRE = range(4)
"""What a person's draws are for."""

PULL = 8
"""Looking along a tie of the quiet, in order and up to enough, costs an eighth of telling along one of the active."""

SORT = 64
"""From one in so many persons on, the newly active are put in order, so that their rows are read as they lie."""

WORD = np.uint32(5)
BITS = np.uint32(31)
ONE = np.uint32(1)


@njit(cache=True)
def most_ties(offsets):
    """The highest degree."""
    most = 0
    for i in range(len(offsets) - 1):
        most = max(most, offsets[i + 1] - offsets[i])
    return most


@njit(cache=True)
def count_down(offsets, given, needed):
    """Fill needed, (N,), from given: what is beyond a person's ties is one more than them; False if one is negative."""
    for i in range(len(needed)):
        if given[i] < 0:
            return False
        needed[i] = min(np.int64(given[i]), offsets[i + 1] - offsets[i] + 1)
    return True


@njit(cache=True)
def spread(offsets, neighbours, needed, queue, active, early, ends):
    """Go on for len(ends) steps, or until nothing changes; returns how many steps were taken.

    queue (N,) begins with the `active` persons of step 0 and ends with the `early` ones, in its last places, who join
    at step 1 whatever happens. Both have needed 0. ends[t] gets the number active after step t + 1.
    """
    count = len(needed)
    marks = np.zeros(count // 32 + 1, np.uint32)
    quiet_ties = len(neighbours)
    first = 0
    for step in range(len(ends)):
        last = new = active
        ties = 0
        for f in range(first, last):
            ties += offsets[queue[f] + 1] - offsets[queue[f]]
        quiet_ties -= ties
        if step == 0:
            for f in range(early):
                queue[new] = queue[count - early + f]
                new += 1
        if quiet_ties > PULL * ties:
            new = _push(offsets, neighbours, needed, queue, first, last, new)
            if (new - last) * SORT > count:
                _mark(marks, queue, last, new)
                _in_order(marks, queue, last)
        elif quiet_ties > 0:
            _mark(marks, queue, first, last)
            new = _pull(offsets, neighbours, needed, marks, queue, new)
        first, active = last, new
        ends[step] = active
        if new == last:
            return step + 1
    return len(ends)


@njit(cache=True)
def _push(offsets, neighbours, needed, queue, first, last, new):
    """Every newly active person tells all their neighbours."""
    for f in range(first, last):
        for e in range(offsets[queue[f]], offsets[queue[f] + 1]):
            other = neighbours[e]
            missing = needed[other]
            if missing > 0:
                needed[other] = missing - 1
                if missing == 1:
                    queue[new] = other
                    new += 1
    return new


@njit(cache=True)
def _pull(offsets, neighbours, needed, marks, queue, new):
    """Every quiet person counts who of their neighbours is newly active, and stops at enough."""
    for node in range(len(needed)):
        missing = needed[node]
        if missing > 0:
            for e in range(offsets[node], offsets[node + 1]):
                other = neighbours[e]
                if (marks[other >> WORD] >> (other & BITS)) & ONE:
                    missing -= 1
                    if missing == 0:
                        queue[new] = node
                        new += 1
                        break
            needed[node] = missing
    return new


@njit(cache=True)
def _mark(marks, queue, first, last):
    """A bit for each person of a part of the queue, and for no one else."""
    marks[:] = 0
    for f in range(first, last):
        marks[queue[f] >> WORD] |= ONE << (queue[f] & BITS)


@njit(cache=True)
def _in_order(marks, queue, first):
    """The marked persons by number, into the queue from `first` on."""
    for word in range(len(marks)):
        bits = marks[word]
        node = word * 32
        while bits:
            if bits & ONE:
                queue[first] = node
                first += 1
            bits >>= ONE
            node += 1


@njit(cache=True)
def spread_with_chance(offsets, neighbours, needed, motivation, memory, noise, key, queue, active, early, ends):
    """As `spread`, where those with an active neighbour may join by chance, or feel their neighbours with a delay.

    noise : chance in each step that a quiet person with an active neighbour joins, whatever their threshold.
    motivation : (N,), or empty; with it a person joins when motivation plus what they feel of others is above 0:
    felt = memory felt + (1 - memory) (share of active neighbours - 1), from -1.
    Every draw is that of (key, step, person). Takes all of len(ends) steps, unless no one quiet is left with an
    active neighbour.
    """
    count = len(needed)
    known = np.zeros(count, np.uint32)  # active neighbours
    is_active = np.zeros(count, np.bool_)
    exposed = np.empty(count, np.uint32)
    felt = np.full(len(motivation), -1.0)
    is_active[queue[:active]] = True
    first, waiting = 0, 0
    for step in range(len(ends)):
        last = new = active
        if step == 0:
            for f in range(early):
                queue[new] = queue[count - early + f]
                is_active[queue[new]] = True
                new += 1
        for f in range(first, last):
            for e in range(offsets[queue[f]], offsets[queue[f] + 1]):
                other = neighbours[e]
                known[other] += 1
                if known[other] == 1 and not is_active[other]:
                    exposed[waiting] = other
                    waiting += 1
        now, kept = step_key(key, step + 1), 0
        for w in range(waiting):
            node = exposed[w]
            if is_active[node]:
                continue
            if len(motivation):
                share = known[node] / (offsets[node + 1] - offsets[node])
                felt[node] = memory * felt[node] + (1.0 - memory) * (share - 1.0)
                joins = motivation[node] + felt[node] > 0.0
            else:
                joins = known[node] >= needed[node]
            if joins or (noise > 0.0 and unit(now, node, ADOPT, 0) < noise):
                is_active[node] = True
                queue[new] = node
                new += 1
            else:
                exposed[kept] = node
                kept += 1
        first, active, waiting = last, new, kept
        ends[step] = active
        if waiting == 0 and new == last:
            return step + 1
    return len(ends)
