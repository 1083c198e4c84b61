"""Compiled loops of the reporting model: log probability of the claims of one group.

A claim is a list of edges y (log x) with signed coefficients c, so that its probability is
sum c F(y): every rounding cell [a, b] of weight w adds -w at a and +w at b, infinite edges included,
hence sum c = 0. F is the distribution of log x = m + s eps - slack (sign -1); with sign +1 the line
is reflected, since F+(z) = 1 - F-(-z). The sum is taken over the tail that is small, so nothing
cancels: F where some edge lies below m, else G = 1 - F. A result too small for a double is
formed again from logarithms, so the log is finite at any distance.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

ROOT_HALF = math.sqrt(0.5)
LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
FAR = 14.0
"""Beyond this many sd the ten-term asymptotic series of the Mills ratio is exact to 1e-14."""
TINY = 1e-200
"""Below this the plain sum is formed again from logarithms."""


@njit(cache=True)
def mills(t):
    """Mills ratio Phi(-t) / phi(t) for t >= 0."""
    if t < FAR:
        return math.exp(0.5 * t * t + LOG_ROOT_2PI) * 0.5 * math.erfc(t * ROOT_HALF)
    if t > 1e100:
        return 0.0
    inverse = 1.0 / (t * t)
    term, total = 1.0, 1.0
    for n in range(1, 11):
        term *= -(2 * n - 1) * inverse
        total += term
    return total / t


@njit(cache=True)
def loss(t):
    """Psi(-t) / phi(t) = 1 - t mills(t) for t >= 0, Psi the integral of Phi from -infinity."""
    if t < FAR:
        return 1.0 - t * mills(t)
    if t > 1e100:
        return 0.0
    inverse = 1.0 / (t * t)
    term, total = inverse, inverse
    for n in range(2, 11):
        term *= -(2 * n - 1) * inverse
        total += term
    return total


@njit(cache=True)
def lower_loss(t):
    """Psi(-t) = phi(t) - t Phi(-t) for t >= 0."""
    if t > 38.0:
        return 0.0
    if t < FAR:
        return math.exp(-0.5 * t * t - LOG_ROOT_2PI) - t * 0.5 * math.erfc(t * ROOT_HALF)
    return math.exp(-0.5 * t * t - LOG_ROOT_2PI) * loss(t)


@njit(cache=True)
def slack_tail(z, upper, delta, vague, width):
    """F (or, if `upper`, G = 1 - F) of eps - slack at z.

    slack is exponential with mean 1/delta (in sd), or with probability `vague` uniform on (0, width).
    """
    if z == -math.inf:
        return 1.0 if upper else 0.0
    if z == math.inf:
        return 0.0 if upper else 1.0
    far = abs(z)
    phi = math.exp(-0.5 * far * far - LOG_ROOT_2PI)
    normal = 0.5 * math.erfc(far * ROOT_HALF)
    gap = phi - far * normal if far < FAR else phi * loss(far)
    t = z + delta
    shifted = math.exp(delta * (z + 0.5 * delta)) * 0.5 * math.erfc(t * ROOT_HALF) if t < FAR else phi * mills(t)
    end = z + width
    if z > 0.0:
        above = gap if width > 9.0 else gap - lower_loss(end)
        tail = (1.0 - vague) * (normal - shifted) + vague * above / width
        return tail if upper else 1.0 - tail
    reached = end if end > 9.0 else (end + lower_loss(end) if end > 0.0 else lower_loss(-end))
    below = reached - gap
    tail = (1.0 - vague) * (normal + shifted) + vague * below / width
    return 1.0 - tail if upper else tail


@njit(cache=True)
def log_add(a, b):
    """log(exp a + exp b)."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


@njit(cache=True)
def log_slack_tail(z, upper, delta, vague, width):
    """Logarithm of `slack_tail` on the small side: z > 0 for G, z <= 0 for F."""
    if (upper and z == math.inf) or (not upper and z == -math.inf):
        return -math.inf
    log_vague = math.log(vague / width) if vague > 0.0 else -math.inf
    log_rest = math.log1p(-vague) if vague < 1.0 else -math.inf
    if z > 0.0:
        if not upper:
            return 0.0
        phi = -0.5 * z * z - LOG_ROOT_2PI
        exponential = phi + math.log(max(mills(z) - mills(z + delta), 1e-300))
        ratio = loss(z + width) * math.exp(-width * (z + 0.5 * width))
        uniform = phi + math.log(max(loss(z) - ratio, 1e-300))
        return log_add(log_rest + exponential, log_vague + uniform)
    phi = -0.5 * z * z - LOG_ROOT_2PI
    t = z + delta
    if t > 0.0:
        shifted = phi + math.log(max(mills(t), 1e-300))
    else:
        shifted = delta * (z + 0.5 * delta) + math.log(0.5 * math.erfc(t * ROOT_HALF))
    exponential = log_add(phi + math.log(mills(-z)), shifted)
    end = z + width
    if end > 0.0:
        uniform = math.log(end + lower_loss(end) - lower_loss(-z))
    else:
        top = -0.5 * end * end - LOG_ROOT_2PI
        ratio = loss(-z) * math.exp(width * (z + 0.5 * width))
        uniform = top + math.log(max(loss(-end) - ratio, 1e-300))
    return log_add(log_rest + exponential, log_vague + uniform)


@njit(cache=True)
def far_claim(m, s, sign, delta, vague, width, upper, edges, weights):
    """The log probability where the plain sum underflows: the same sum, scaled by its largest term."""
    logs = np.empty(len(edges))
    top = -math.inf
    for e in range(len(edges)):
        z = (edges[e] - m) / s
        if sign > 0:
            z = -z
        if sign != 0:
            logs[e] = log_slack_tail(z, upper, delta, vague, width)
        elif (upper and z == math.inf) or (not upper and z == -math.inf):
            logs[e] = -math.inf
        else:
            logs[e] = -0.5 * z * z - LOG_ROOT_2PI + math.log(mills(abs(z)))
        top = max(top, logs[e])
    total = 0.0
    for e in range(len(edges)):
        total += weights[e] * math.exp(logs[e] - top)
    flip = (sign > 0) != upper
    return top + math.log(max(-total if flip else total, 1e-16))


@njit(cache=True)
def claim(m, s, sign, delta, vague, width, edges, weights):
    """Log probability of one claim at the centre m of log x; never -infinity.

    s : sd of the normal part. sign : -1 slack below, +1 slack above, 0 none. delta = s / mean slack.
    """
    nearest = -(edges[-1] - m) / s if sign > 0 else (edges[0] - m) / s
    upper = nearest > 0.0
    total = 0.0
    for e in range(len(edges)):
        z = (edges[e] - m) / s
        if sign > 0:
            z = -z
        if sign != 0:
            total += weights[e] * slack_tail(z, upper, delta, vague, width)
        else:
            total += weights[e] * 0.5 * math.erfc((z if upper else -z) * ROOT_HALF)
    if (sign > 0) != upper:
        total = -total
    if total > TINY:
        return math.log(min(total, 1.0))
    return far_claim(m, s, sign, delta, vague, width, upper, edges, weights)


@njit(cache=True)
def several(level, offset, own, shared, sign, slack, vague, reach, edges, weights, first):
    """Log probability of claims that share the error of their origin: integral over eps_origin.

    Trapezoidal rule, summed outward from a first guess until the terms are below 1e-13 of the largest.
    Each factor is smooth on the scale tau = own / shared of eps, so the rule with step h errs by about
    exp(-2 pi^2 / (h^2 (count / tau^2 + 1))); the step makes that exp(-30).
    """
    count = len(offset)
    precision, pull = 1.0, 0.0
    for c in range(count):
        rate = (shared[c] / own[c]) ** 2
        middle = _middle(edges[first[c] : first[c + 1]])
        precision += rate
        pull += rate * (middle - offset[c] - level) / shared[c]
    step = 2.0 * math.pi / math.sqrt(60.0 * precision)
    start = pull / precision
    top, total = -math.inf, 0.0
    for side in (1.0, -1.0):
        k = 0 if side > 0 else 1
        before = -math.inf
        while k < 100_000:
            eps = start + side * k * step
            term = -0.5 * eps * eps - LOG_ROOT_2PI
            for c in range(count):
                a, b = first[c], first[c + 1]
                term += claim(
                    level + offset[c] + shared[c] * eps, own[c], sign[c], own[c] / slack, vague, reach / own[c],
                    edges[a:b], weights[a:b],
                )  # fmt: skip
            if term > top:
                total = total * math.exp(top - term) + 1.0
                top = term
            else:
                total += math.exp(term - top)
            if term < top - 30.0 and term <= before:
                break
            before = term
            k += 1
    return top + math.log(total * step)


@njit(cache=True)
def _middle(edges):
    """A finite number near the middle of the innermost cell, to start from."""
    half = len(edges) // 2
    low, high = edges[half - 1], edges[half]
    if low == -math.inf:
        return high
    return low if high == math.inf else 0.5 * (low + high)


@njit(cache=True)
def group(q, half, offset, own, shared, sign, slack, vague, reach, edges, weights, first, out):
    """Fill out, (S,), with the log probability of a group's claims at the quantities q, (S,).

    half : what is added to q before the log (1/2 for counts, 0 for ratios). offset, own, shared,
    sign : one number a claim; a single claim has all its spread in `own`. edges, weights : flat;
    first[c] : first[c + 1] are those of claim c.
    """
    for i in range(len(q)):
        level = math.log(q[i] + half)
        if len(offset) == 1:
            out[i] = claim(level + offset[0], own[0], sign[0], own[0] / slack, vague, reach / own[0], edges, weights)
        else:
            out[i] = several(level, offset, own, shared, sign, slack, vague, reach, edges, weights, first)
