"""Compiled loops: the log probability of single claims with its slopes, for searches that climb.

With F(z) that of eps - slack in `_claims_loops`, z = (edge - m) / s, delta = s / slack and width = reach / s, the three
derivatives of F are sums of the same terms; each is taken on the small side, as the probability itself is.
"""

from __future__ import annotations

import math

from numba import njit

from groundswell.models.reporting._claims_loops import (
    LOG_ROOT_2PI,
    TINY,
    claim,
    loss,
    lower_loss,
    mills,
    normal_tail,
)

FAR_STEP = 1e-4
"""Relative step of the differences that stand in where a probability is too small for a double."""


@njit(cache=True)
def tail_slopes(z, delta, vague, width):
    """Derivatives of F in z, delta and width."""
    phi = math.exp(-0.5 * z * z - LOG_ROOT_2PI)
    t = z + delta
    if t >= 0.0:
        shifted = phi * mills(t)
        in_delta = -phi * loss(t)
    else:
        shifted = math.exp(delta * (z + 0.5 * delta)) - phi * mills(-t)
        in_delta = t * shifted - phi
    end = z + width
    gap = lower_loss(abs(z))
    if z > 0.0:
        inside = normal_tail(z) - normal_tail(end)
        in_width = (gap - lower_loss(end)) / width - normal_tail(end)
    else:
        inside = normal_tail(-end) - normal_tail(-z)
        reached = end + lower_loss(end) if end > 0.0 else lower_loss(-end)
        in_width = normal_tail(-end) - (reached - gap) / width
    return (1.0 - vague) * delta * shifted + vague * inside / width, (1.0 - vague) * in_delta, vague * in_width / width


@njit(cache=True)
def claim_slopes(m, s, sign, slack, vague, reach, edges, weights):
    """Log probability of one claim at the centre m of log x, and its derivatives in m, s and slack."""
    delta, width = s / slack, reach / s
    value = claim(m, s, sign, delta, vague, width, edges, weights)
    if value < math.log(TINY):
        step = FAR_STEP * s
        up = claim(m + step, s, sign, delta, vague, width, edges, weights)
        down = claim(m - step, s, sign, delta, vague, width, edges, weights)
        in_m = (up - down) / (2.0 * step)
        more, less = s + step, s - step
        up = claim(m, more, sign, more / slack, vague, reach / more, edges, weights)
        down = claim(m, less, sign, less / slack, vague, reach / less, edges, weights)
        in_s = (up - down) / (2.0 * step)
        more, less = slack * (1.0 + FAR_STEP), slack * (1.0 - FAR_STEP)
        up = claim(m, s, sign, s / more, vague, width, edges, weights)
        down = claim(m, s, sign, s / less, vague, width, edges, weights)
        return value, in_m, in_s, (up - down) / (more - less)
    in_m, in_s, in_slack = 0.0, 0.0, 0.0
    for e in range(len(edges)):
        if abs(edges[e]) == math.inf:
            continue
        z = (edges[e] - m) / s
        if sign == 0:
            density = math.exp(-0.5 * z * z - LOG_ROOT_2PI)
            in_m -= weights[e] * density / s
            in_s -= weights[e] * density * z / s
            continue
        flip = -1.0 if sign > 0 else 1.0
        density, in_delta, in_width = tail_slopes(flip * z, delta, vague, width)
        in_m -= weights[e] * density / s
        in_s += flip * weights[e] * (-density * flip * z / s + in_delta / slack - in_width * width / s)
        in_slack -= flip * weights[e] * in_delta * s / (slack * slack)
    scale = math.exp(-value)
    return value, in_m * scale, in_s * scale, in_slack * scale


@njit(cache=True, nogil=True)
def weigh(which, level, own, sign, slack, vague, reach, edges, weights, first, out):
    """Fill out (4, N, n) with log probability and slopes in level, own and slack of the claims `which` at N levels.

    which : (n,) of C claims. level : (N, n) centres of log x. own, sign : (C,). edges, weights, first : as in
    `_claims_loops.group`.
    """
    for i in range(len(which)):
        c = which[i]
        a, b = first[c], first[c + 1]
        for n in range(len(level)):
            found = claim_slopes(level[n, i], own[c], sign[c], slack, vague, reach, edges[a:b], weights[a:b])
            for k in range(4):
                out[k, n, i] = found[k]
