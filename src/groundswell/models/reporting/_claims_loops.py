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
from numpy.polynomial import Chebyshev, Polynomial
from scipy.special import erfcx

LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)
FAR = 14.0
"""Beyond this many sd the ten-term asymptotic series of `loss` is exact to 1e-14."""
TINY = 1e-200
"""Below this the plain sum is formed again from logarithms."""
PIECES, DEGREE = 128, 6


def _mills_pieces() -> np.ndarray:
    """(PIECES, DEGREE + 1) coefficients of the Mills ratio on equal pieces of u = 4 / (4 + t), t >= 0.

    As a function of u it is smooth up to u = 0, where t is infinite; the pieces reach 1e-15 of scipy's
    erfcx. An `exp` and an `erfc` a call are what they save: half the time of a likelihood.
    """
    table = np.zeros((PIECES, DEGREE + 1))
    for k in range(PIECES):

        def ratio(x: np.ndarray, k: int = k) -> np.ndarray:
            u = (k + 0.5 + 0.5 * x) / PIECES
            return math.sqrt(math.pi / 2) * erfcx((4 / u - 4) * math.sqrt(0.5))

        coefficients = Chebyshev.interpolate(ratio, DEGREE).convert(kind=Polynomial).coef
        table[k, : len(coefficients)] = coefficients
    return table


MILLS = _mills_pieces()


@njit(cache=True)
def mills(t):
    """Mills ratio Phi(-t) / phi(t) for t >= 0."""
    u = 4.0 / (4.0 + t) * PIECES
    k = min(int(u), PIECES - 1)
    x = 2.0 * (u - k) - 1.0
    total = MILLS[k, DEGREE]
    for n in range(DEGREE - 1, -1, -1):
        total = total * x + MILLS[k, n]
    return total


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
    return math.exp(-0.5 * t * t - LOG_ROOT_2PI) * loss(t)


@njit(cache=True)
def normal_tail(t):
    """Phi(-t)."""
    if abs(t) == math.inf:
        return 0.0 if t > 0.0 else 1.0
    small = math.exp(-0.5 * t * t - LOG_ROOT_2PI) * mills(abs(t))
    return small if t > 0.0 else 1.0 - small


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
    ratio = mills(far)
    normal = phi * ratio
    gap = phi * (1.0 - far * ratio if far < FAR else loss(far))
    t = z + delta
    shifted = phi * mills(t) if t >= 0.0 else math.exp(delta * (z + 0.5 * delta)) - phi * mills(-t)
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
        shifted = delta * (z + 0.5 * delta) + math.log1p(-math.exp(-0.5 * t * t - LOG_ROOT_2PI) * mills(-t))
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
            total += weights[e] * normal_tail(z if upper else -z)
    if (sign > 0) != upper:
        total = -total
    if total > TINY:
        return math.log(min(total, 1.0))
    return far_claim(m, s, sign, delta, vague, width, upper, edges, weights)


@njit(cache=True)
def joint(level, eps, offset, own, shared, sign, slack, vague, reach, edges, weights, first):
    """Log probability of the claims of one origin, given the origin's error eps."""
    total = 0.0
    for c in range(len(offset)):
        a, b = first[c], first[c + 1]
        m = level + offset[c] + shared[c] * eps
        total += claim(m, own[c], sign[c], own[c] / slack, vague, reach / own[c], edges[a:b], weights[a:b])
    return total


@njit(cache=True)
def several(level, guess, step, known, lowest, offset, own, shared, sign, slack, vague, reach, edges, weights, first):
    """Log probability of claims that share the error of their origin: the integral over it.

    Trapezoidal rule, summed outward from `guess` until the terms are below 1e-13 of the largest. The
    nodes are such that level + shared eps is a whole multiple j of shared step: where all claims have
    one shared sd, their joint probability depends on j alone, and `known`, from j = lowest, keeps it.
    """
    top, total = -math.inf, 0.0
    middle = round((level / shared[0] + guess) / step)
    for side in (1, -1):
        j = middle if side > 0 else middle - 1
        before = -math.inf
        for _ in range(100_000):
            eps = j * step - level / shared[0]
            place = j - lowest
            kept = 0 <= place < len(known)
            if kept and not math.isnan(known[place]):
                term = known[place]
            else:
                term = joint(level, eps, offset, own, shared, sign, slack, vague, reach, edges, weights, first)
                if kept:
                    known[place] = term
            term += -0.5 * eps * eps - LOG_ROOT_2PI
            if term > top:
                total = total * math.exp(top - term) + 1.0
                top = term
            else:
                total += math.exp(term - top)
            if term < top - 30.0 and term <= before:
                break
            before = term
            j += side
    return top + math.log(total * step)


@njit(cache=True)
def middle_of(edges):
    """A finite number in or at the innermost cell."""
    half = len(edges) // 2
    low, high = edges[half - 1], edges[half]
    if low == -math.inf:
        return high
    return low if high == math.inf else 0.5 * (low + high)


@njit(cache=True)
def group_of_several(q, half, offset, own, shared, sign, slack, vague, reach, edges, weights, first, out):
    """`group` for two claims or more.

    Each claim is smooth in eps on the scale tau = own / shared, so the trapezoidal rule with step h errs
    by about exp(-2 pi^2 / (h^2 (1 + sum tau^-2))); the step makes that exp(-30).
    """
    if shared.max() == 0.0:
        for i in range(len(q)):
            level = math.log(q[i] + half)
            out[i] = joint(level, 0.0, offset, own, shared, sign, slack, vague, reach, edges, weights, first)
        return
    rate = (shared / own) ** 2
    precision = 1.0 + rate.sum()
    step = 2.0 * math.pi / math.sqrt(60.0 * precision)
    aim, away = 0.0, 0.0
    for c in range(len(offset)):
        aim += rate[c] * (middle_of(edges[first[c] : first[c + 1]]) - offset[c]) / shared[c]
        away += rate[c] / shared[c]
    alike = (shared == shared[0]).all()
    low, high = math.log(q.min() + half), math.log(q.max() + half)
    lowest = math.floor((min(low, aim / away) / shared[0] - 12.0) / step)
    count = math.ceil((max(high, aim / away) / shared[0] + 12.0) / step) - lowest if alike else 0
    known = np.full(count, np.nan)
    for i in range(len(q)):
        level = math.log(q[i] + half)
        guess = (aim - away * level) / precision
        out[i] = several(
            level, guess, step, known, lowest, offset, own, shared, sign, slack, vague, reach, edges, weights, first
        )


@njit(cache=True)
def group(q, half, offset, own, shared, sign, slack, vague, reach, edges, weights, first, out):
    """Fill out, (S,), with the log probability of a group's claims at the quantities q, (S,).

    half : what is added to q before the log (1/2 for counts, 0 for ratios). offset, own, shared,
    sign : one number a claim; a single claim has all its spread in `own`. edges, weights : flat;
    first[c] : first[c + 1] are those of claim c.
    """
    if len(offset) > 1:
        group_of_several(q, half, offset, own, shared, sign, slack, vague, reach, edges, weights, first, out)
        return
    for i in range(len(q)):
        m = math.log(q[i] + half) + offset[0]
        out[i] = claim(m, own[0], sign[0], own[0] / slack, vague, reach / own[0], edges, weights)


SMALL_STEP = 0.05
"""Of the sd of a claim: the step of the differences that give its slope and curvature in `absorb`."""


@njit(cache=True, nogil=True)
def absorb(level, design, own, sign, slack, vague, reach, edges, weights, first, mean, spread, gain):
    """Take claims in: what is known of normal effects u in every row, N(mean, spread), is updated in place.

    log x of claim c is level[h, c] + design[c] . u + own[c] eps_c, with slack as elsewhere. level : (S, C).
    design : (C, U). mean : (S, U). spread : (S, U, U). gain, (S,), receives the log probability of the claims given
    what was known before.

    Assumed density filtering (Minka 2001): a claim widens by the variance v of its own offset, and slope and
    curvature of its log probability in that offset give the normal with the mean and variance after it. The curvature
    is kept where no variance rises or falls to 0.
    """
    count = design.shape[1]
    along = np.empty(count)
    for h in range(len(gain)):
        gain[h] = 0.0
        for c in range(len(own)):
            a, b = first[c], first[c + 1]
            v, m = 0.0, level[h, c]
            for i in range(count):
                along[i] = 0.0
                for j in range(count):
                    along[i] += spread[h, i, j] * design[c, j]
                v += design[c, i] * along[i]
                m += design[c, i] * mean[h, i]
            s = math.sqrt(own[c] * own[c] + v)
            at = claim(m, s, sign[c], s / slack, vague, reach / s, edges[a:b], weights[a:b])
            gain[h] += at
            if v <= 0.0:
                continue
            step = SMALL_STEP * s
            up = claim(m + step, s, sign[c], s / slack, vague, reach / s, edges[a:b], weights[a:b])
            down = claim(m - step, s, sign[c], s / slack, vague, reach / s, edges[a:b], weights[a:b])
            slope = (up - down) / (2.0 * step)
            curvature = min(0.0, max((up - 2.0 * at + down) / (step * step), -0.999 / v))
            for i in range(count):
                mean[h, i] += slope * along[i]
                for j in range(count):
                    spread[h, i, j] += curvature * along[i] * along[j]


@njit(cache=True, nogil=True)
def settle(
    rng, level, prior, design, own, sign, slack, vague, reach, edges, weights, first, draws, mean, spread, logs, effects
):  # fmt: skip
    """The claims' joint probability with effects u ~ N(0, diag(prior)) summed out, for every row of `level`, (S, C).

    N(mean, spread), as `absorb` left it, proposes; `draws` draws from it are weighed exactly. logs, (S,), receives
    the log of the unbiased estimate; effects, (S, U), one of the draws, taken by its weight.
    """
    count = len(prior)
    noise, u = np.empty(count), np.empty(count)
    for h in range(len(logs)):
        root = np.linalg.cholesky(spread[h])
        total, top = 0.0, -math.inf
        for _ in range(draws):
            log_ratio = 0.0
            for k in range(count):
                noise[k] = rng.standard_normal()
                u[k] = mean[h, k]
                for j in range(k + 1):
                    u[k] += root[k, j] * noise[j]
                log_ratio += 0.5 * (noise[k] ** 2 - u[k] ** 2 / prior[k] - math.log(prior[k])) + math.log(root[k, k])
            for c in range(len(own)):
                a, b = first[c], first[c + 1]
                log_ratio += claim(
                    level[h, c] + design[c] @ u, own[c], sign[c], own[c] / slack, vague, reach / own[c], edges[a:b],
                    weights[a:b],
                )  # fmt: skip
            if log_ratio > top:
                total = total * math.exp(top - log_ratio) + 1.0
                share, top = 1.0 / total, log_ratio
            else:
                weight = math.exp(log_ratio - top)
                total += weight
                share = weight / total
            if rng.random() < share:
                effects[h] = u
        logs[h] = top + math.log(total / draws)
