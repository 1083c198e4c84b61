"""Compiled loops that draw networks of persons: ties as pairs, or as rows of higher-numbered neighbours."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def independent_ties(rng, count, chance, expected):
    """(starts, upper) of G(n, p): every pair is tied with one chance, 0 < chance < 1; see `both_ways`.

    The number of pairs skipped before the next tie is geometric (Batagelj and Brandes 2005), so the cost is that of
    the ties and not of the pairs. expected : of ties, for the first size of the buffer.
    """
    starts = np.zeros(count + 1, np.int64)
    upper = np.empty(int(expected + 6 * math.sqrt(expected)) + 16, np.uint32)
    stay, pairs = math.log1p(-chance), 0.5 * count * (count - 1)
    ties, row, column = 0, 0, 0
    while row < count - 1:
        column += 1 + int(min(math.log1p(-rng.random()) / stay, pairs))
        while column >= count and row < count - 1:
            column += row + 2 - count
            row += 1
            starts[row] = ties
        if row < count - 1:
            if ties == len(upper):
                longer = np.empty(2 * ties, np.uint32)
                longer[:ties] = upper
                upper = longer
            upper[ties] = column
            ties += 1
    starts[count] = ties
    return starts, upper[:ties]


@njit(cache=True)
def small_world(rng, count, side, chance):
    """(count side, 2) ties of a ring with `side` neighbours at each side, each far end moved with one chance.

    As Watts and Strogatz (1998): first the ties to the next, all around, then those to the next but one, and so on; a
    new end is uniform over all whom the near end is not tied to. Each tie belongs to its near end, so that whether two
    are tied is seen from the 2 side ties that they own.
    """
    ends = np.empty((count, side), np.int64)
    for i in range(count):
        for d in range(side):
            ends[i, d] = (i + d + 1) % count
    tied = np.full(count, 2 * side)
    for d in range(side):
        for i in range(count):
            if rng.random() >= chance or tied[i] == count - 1:
                continue
            while True:
                new = rng.integers(0, count)
                taken = new == i
                for e in range(side):
                    taken = taken or ends[i, e] == new or ends[new, e] == i
                if not taken:
                    break
            tied[ends[i, d]] -= 1
            tied[new] += 1
            ends[i, d] = new
    pairs = np.empty((count * side, 2), np.int64)
    for i in range(count):
        for d in range(side):
            pairs[i * side + d, 0], pairs[i * side + d, 1] = i, ends[i, d]
    return pairs


@njit(cache=True)
def preferential(rng, count, each):
    """Pairs of Barabasi and Albert (1999): each newcomer is tied to `each` others, chosen in proportion to their ties.

    The first each + 1 are all tied to one another. Every tie puts both its ends into a list, so that a uniform choice
    from the list is one in proportion to ties; one chosen twice is chosen again.
    """
    first = each + 1
    pairs = np.empty((first * each // 2 + (count - first) * each, 2), np.int64)
    ties = 0
    for i in range(first):
        for j in range(i):
            pairs[ties, 0], pairs[ties, 1] = i, j
            ties += 1
    for i in range(first, count):
        known = ties
        for k in range(each):
            while True:
                at = rng.integers(0, 2 * known)
                new = pairs[at // 2, at % 2]
                taken = False
                for e in range(known, known + k):
                    taken = taken or pairs[e, 1] == new
                if not taken:
                    break
            pairs[ties, 0], pairs[ties, 1] = i, new
            ties += 1
    return pairs
