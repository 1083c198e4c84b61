"""Claims averaged over normal effects: the best normal, and what it says of their probability.

Claims depend on hidden w ~ N(0, 1), leans, speakers' effects and the randomness of totals, through offsets a = offset +
B w, each group of claims through a few of them. Among all normals q for w the one is sought that makes

    sum over groups of E_q log p(claims | a) - KL(q, N(0, 1)),

a lower bound of log p(claims), largest (Opper and Archambeau 2009). As each group knows only its own offsets, the
averages are over one or two dimensions: a three-point rule, exact for polynomials of degree five, along every one of
them. At the best q the bound's slope in anything else is the averaged slope of log p alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

REACH = np.sqrt(3.0)
"""Of the outer points of the rule, in sd; they have weight 1/6 each."""
SMALLEST_SD = 1e-4
LONGEST = 2.0
"""A step of the search moves no hidden number by more, in sd of its prior."""
MOST_STEPS = 60
CLOSE = 3e-5
KEPT = 0.3
"""Of the curvatures of the step before; from 0 to .5 a search on the Iranian claims took 11, 8 and 11 steps."""


class Term(Protocol):
    """Claims that depend on their offsets together, given all else. claims : (n,) which of the C offsets."""

    claims: np.ndarray

    def __call__(self, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(J,) log probability at J points (J, n), and slopes (J, n + E): in the offsets, then in E other things."""
        ...


class Singles(Protocol):
    """Claims that each depend on their own offset alone. claims : (n,) which of the C offsets."""

    claims: np.ndarray

    def __call__(self, offsets: np.ndarray) -> np.ndarray:
        """(2 + E, J, n) at J points each (J, n): log probability, its slope in the offset, and in E other things."""
        ...


@dataclass(frozen=True)
class Belief:
    """N(mean, spread) for the W hidden numbers."""

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def prior(cls, size: int) -> Belief:
        """What is known before any claim."""
        return cls(np.zeros(size), np.eye(size))


@dataclass(frozen=True)
class Averaged:
    """What claims say, averaged over the best belief.

    bound : of log p(claims). in_offset : (C,) slopes. bends : (C, C) minus the second derivatives. singly : (E, n)
    slopes of the single claims in what else they depend on. jointly : the same, (E,), for every term.
    """

    bound: float
    belief: Belief
    in_offset: np.ndarray
    bends: np.ndarray
    singly: np.ndarray
    jointly: Sequence[np.ndarray]


def averaged(
    singles: Singles, terms: Sequence[Term], offset: np.ndarray, design: np.ndarray, start: Belief
) -> Averaged:
    """The best normal, searched from `start` by Newton steps on averaged slopes and curvatures.

    offset : (C,). design : (C, W). Curvatures are averaged with those of the step before: a wider belief means
    smaller ones, which mean a wider belief, and so on in turn. Cost a step: three evaluations of every claim, more
    for claims with several offsets, and O(W^3).
    """
    belief, before = start, None
    for _ in range(MOST_STEPS):
        found = _expected(singles, terms, offset + design @ belief.mean, design @ belief.spread @ design.T)
        value, slopes, bends, singly, jointly = found
        if not (math.isfinite(value) and np.isfinite(bends).all()):
            return Averaged(-math.inf, start, slopes, bends, singly, jointly)
        before = bends if before is None else KEPT * before + (1 - KEPT) * bends
        spread = np.linalg.inv(np.eye(design.shape[1]) + design.T @ before @ design)
        step = spread @ (design.T @ slopes - belief.mean)
        change = max(np.abs(step).max(initial=0.0), np.abs(spread - belief.spread).max(initial=0.0))
        if change < CLOSE:
            break
        step *= min(1.0, LONGEST / max(np.abs(step).max(initial=0.0), 1e-300))
        belief = Belief(belief.mean + step, spread)
    _, log_size = np.linalg.slogdet(belief.spread)
    mean = belief.mean
    apart = 0.5 * (np.trace(belief.spread) + mean @ mean - len(mean) - log_size)
    return Averaged(value - apart, belief, slopes, bends, singly, jointly)


def _expected(
    singles: Singles, terms: Sequence[Term], middle: np.ndarray, spread: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Averages over offsets N(middle, spread): of log p, of its slopes, of minus its curvature, and of other slopes."""
    slopes, bends = np.zeros(len(middle)), np.zeros((len(middle), len(middle)))
    at = singles.claims
    sd = np.sqrt(spread[at, at] + SMALLEST_SD**2)
    found = singles(middle[at] + np.array([[0.0], [REACH], [-REACH]]) * sd)
    mean = np.array([2 / 3, 1 / 6, 1 / 6]) @ found
    total, slopes[at] = float(mean[0].sum()), mean[1]
    bends[at, at] = np.maximum((found[1, 2] - found[1, 1]) / (2 * REACH * sd), 0.0)
    jointly = []
    for term in terms:
        at = term.claims
        count = len(at)
        block = at[:, None], at
        if count == 1:
            root = np.sqrt(spread[block] + SMALLEST_SD**2)
            back = 1 / root
        else:
            root = np.linalg.cholesky(spread[block] + SMALLEST_SD**2 * np.eye(count))
            back = np.linalg.inv(root)
        values, each = term(middle[at] + np.concatenate([np.zeros((1, count)), REACH * root.T, -REACH * root.T]))
        weight = np.full(len(values), 1 / 6)
        weight[0] = 1 - count / 3
        total += float(weight @ values)
        averages = weight @ each
        slopes[at] = averages[:count]
        jointly.append(averages[count:])
        bent = (each[count + 1 :, :count] - each[1 : count + 1, :count]).T @ back / (2 * REACH)
        bends[block] = _positive((bent + bent.T) / 2)
    return total, slopes, bends, mean[2:], jointly


def _positive(matrix: np.ndarray) -> np.ndarray:
    """Without its negative directions: where log p bends upwards, the belief is not made wider than the prior."""
    if not np.isfinite(matrix).all():
        return matrix
    if len(matrix) == 1:
        return np.maximum(matrix, 0.0)
    values, axes = np.linalg.eigh(matrix)
    return (axes * np.maximum(values, 0.0)) @ axes.T
