"""Compiled loops of the regimes: the exact flow, piece by piece, with its slope in every parameter.

Between two thresholds r' = A - B r, with A = growth or 0 and B the sum of the rates that act, so that

    r(t) = r e^-Bt + A E1,   integral of r = r E1 + A E2,   E1 = (1 - e^-Bt) / B,   E2 = (t - E1) / B

A threshold h is met after log((r - A/B) / (h - A/B)) / B. There r is continuous and its slope S in a
parameter jumps to h' + (f after / f before) (S - h'), f being r' on either side: the moment of meeting moves.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

SLOPES = 6
"""In growth, decay, visibility threshold, policing threshold, the trajectory's own start, the jump of a call."""

SMALL = 0.05
"""Below this B t, E1 and E2 are summed as series: the differences would cancel."""


@njit(cache=True, nogil=True)
def flow(start, called, jump, growth, decay, visible, policed, days):
    """Integral of r over each step (T, G), its slopes (SLOPES, T, G), r at the steps' ends (T, G), and the gaps (4,).

    start (G,). called (T, G): 1 where r first jumps by jump (1 - r). The gaps are the highest r that was not
    above the visibility threshold, the lowest that was above it, the highest below the policing threshold
    and the lowest not below it: between them a threshold could lie anywhere without a change.
    """
    steps, tracks = called.shape
    total, ends = np.empty((steps, tracks)), np.empty((steps, tracks))
    slopes = np.empty((SLOPES, steps, tracks))
    gaps = np.array([-np.inf, np.inf, -np.inf, np.inf])
    s, q = np.empty(SLOPES), np.empty(SLOPES)
    for g in range(tracks):
        r = start[g]
        s[:] = 0.0
        s[4] = 1.0
        for t in range(steps):
            if called[t, g] > 0.0:
                for k in range(SLOPES):
                    s[k] *= 1.0 - jump
                s[5] += 1.0 - r
                r += jump * (1.0 - r)
            left, area = days, 0.0
            q[:] = 0.0
            while left > 0.0:
                grows, falls = r > visible, r < policed
                lasts, met = _piece(r, growth, decay, visible, policed, left)
                r, gained = _move(r, s, q, growth, decay, grows, falls, lasts, gaps)
                area += gained
                left = left - lasts if met > 0 else 0.0
                if met > 0:
                    r = visible if met == 1 else policed
                    before = (growth * (1.0 - r) if grows else 0.0) - (decay * r if falls else 0.0)
                    after = (growth * (1.0 - r) if r > visible else 0.0) - (decay * r if r < policed else 0.0)
                    for k in range(SLOPES):
                        moves = 1.0 if k == 1 + met else 0.0
                        s[k] = moves + after / before * (s[k] - moves)
            total[t, g], ends[t, g] = area, r
            slopes[:, t, g] = q
    return total, slopes, ends, gaps


@njit(cache=True, nogil=True)
def _piece(r, growth, decay, visible, policed, left):
    """How long the same rates act from r on, at most `left`, and what ends it: 0 nothing, 1 visible, 2 policed.

    No threshold holds r back on both sides: what falls to `visible` falls on, and what rises to `policed` rises on.
    """
    grows, falls = r > visible, r < policed
    rise = growth if grows else 0.0
    rate = rise + (decay if falls else 0.0)
    if rate == 0.0:
        return left, 0
    rest = rise / rate
    if falls and grows:
        at = 1 if rest < visible else 2 if rest > policed else 0
        if at > 0:
            lasts = math.log((r - rest) / ((visible if at == 1 else policed) - rest)) / rate
            if lasts < left:
                return lasts, at
    return left, 0


@njit(cache=True, nogil=True)
def _move(r, s, q, growth, decay, grows, falls, time, gaps):
    """r after `time` under unchanging rates and its integral; slopes s and their integrals q change in place."""
    rise = growth if grows else 0.0
    rate = rise + (decay if falls else 0.0)
    gone, once, twice, once_slope, twice_slope = _exponentials(rate, time)
    after = r * gone + rise * once
    by_rate = rise * once_slope - r * time * gone
    area_by_rate = r * once_slope + rise * twice_slope
    for k in range(SLOPES):
        q[k] += s[k] * once
        s[k] *= gone
    if grows:
        s[0] += once + by_rate
        q[0] += twice + area_by_rate
    if falls:
        s[1] += by_rate
        q[1] += area_by_rate
    low, high = min(r, after), max(r, after)
    if grows:
        gaps[1] = min(gaps[1], low)
    else:
        gaps[0] = max(gaps[0], high)
    if falls:
        gaps[2] = max(gaps[2], high)
    else:
        gaps[3] = min(gaps[3], low)
    return after, r * once + rise * twice


@njit(cache=True, nogil=True)
def _exponentials(rate, time):
    """e^-Bt, E1, E2 and the slopes of E1 and E2 in B; all finite and exact down to B = 0."""
    x = rate * time
    gone = math.exp(-x)
    if x < SMALL:
        once, twice, once_slope, twice_slope, power = 0.0, 0.0, 0.0, 0.0, 1.0
        for k in range(12):  # power = (-x)^k / k!
            once += power / (k + 1)
            twice += power / ((k + 1) * (k + 2))
            once_slope -= power / (k + 2)
            twice_slope -= power / ((k + 2) * (k + 3))
            power *= -x / (k + 1)
        return gone, time * once, time**2 * twice, time**2 * once_slope, time**3 * twice_slope
    once = -math.expm1(-x) / rate
    twice = (time - once) / rate
    once_slope = (time * gone - once) / rate
    return gone, once, twice, once_slope, -(once_slope + twice) / rate
