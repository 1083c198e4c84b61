"""Slow twin of the reporting model: rounding by search, densities by dense sums on the log scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtr

from groundswell.data.record import Record
from groundswell.models.reporting.claims import Reporting
from groundswell.params import leaves

NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)


def stated(x, grain, grains):
    """What is said by someone who knows x and rounds to `grain` where that makes sense."""
    effective = 1
    for smaller in grains:
        if smaller <= grain and x - 0.5 >= 2 * smaller:
            effective = smaller
    return effective * max(math.floor((x - 0.5) / effective + 0.5), 0)


def cells(value, grain, grains):
    """Intervals of x that are stated as `value`: cut at every possible edge, try the middle of each piece."""
    edges = {0.0}
    for g in grains:
        edges |= {value - g / 2 + 0.5, value + g / 2 + 0.5, 2 * g + 0.5}
    edges = sorted(edge for edge in edges if edge >= 0)
    for low, high in itertools.pairwise(edges):
        if stated((low + high) / 2, grain, grains) == value:
            yield low, high


def panels(low, high, width):
    """Nodes and log weights of composite Gauss-Legendre on [low, high], panels of at most `width`."""
    count = max(math.ceil((high - low) / width), 1)
    edges = np.linspace(low, high, count + 1)
    half = np.diff(edges)[:, None] / 2
    nodes = (edges[:-1, None] + half) + half * NODES
    return nodes.ravel(), np.log(half * WEIGHTS).ravel()


def log_normal(y, m, s):
    return -0.5 * ((y - m) / s) ** 2 - math.log(s * math.sqrt(2 * math.pi))


def over_slack(log_term, needed, s, sign, eta, vague, reach):
    """log of the mean of exp(log_term(shift)) over the slack; log_term takes shifts (U,), gives (..., U).

    needed : the slack beyond which log_term is negligible.
    """
    if sign == 0:
        return log_term(np.zeros(1))[..., 0]
    out = []
    for share, top, log_h in (
        (1 - vague, 40 * eta + 20 * s, lambda u: -u / eta - math.log(eta)),
        (vague, reach, lambda u: np.full(len(u), -math.log(reach))),
    ):
        u, w = panels(0.0, min(top, needed), min(s, eta) / 3)
        out.append(math.log(share) + logsumexp(log_term(sign * u) + log_h(u) + w, axis=-1))
    return np.logaddexp(*out)


def log_probability(intervals, m, s, sign, eta, vague, reach):
    """Log of the summed mass of weighted intervals (low, high, weight) of log x."""
    terms = []
    for low, high, weight in intervals:
        if low == -math.inf:
            mass = over_slack(lambda shift, b=high: log_ndtr((b - m - shift) / s), math.inf, s, sign, eta, vague, reach)
        else:
            y, w = panels(low, high, s / 4)
            needed = max(sign * (low - m), sign * (high - m), 0.0) + 15 * s
            density = over_slack(
                lambda shift, y=y: log_normal(y[:, None], m + shift, s), needed, s, sign, eta, vague, reach
            )
            mass = logsumexp(density + w)
        terms.append(math.log(weight) + mass)
    return logsumexp(terms)


def claim(q, value, qualifier, offset, s, eta, vague, reach, grains, shares, high=None):
    """Log probability of one claim about a count q."""
    m = math.log(q + 0.5) + offset
    sign = {"at_least": -1, "more_than": -1, "at_most": 1, "less_than": 1}.get(qualifier, 0)
    if qualifier == "between":
        intervals = [(math.log(value) if value else -np.inf, math.log(high + 1), 1.0)]
    else:
        intervals = [
            (math.log(a) if a > 0 else -np.inf, math.log(b), share)
            for grain, share in zip(grains, shares, strict=True)
            if share > 0
            for a, b in cells(value, grain, grains)
        ]
    return log_probability(intervals, m, s, sign, eta, vague, reach)


def distribution(y, m, s, sign, eta, vague, reach):
    """The distribution function of log x as the design prints it; good where nothing underflows."""
    z = (y - m) / s
    if sign == 0:
        return ndtr(z)
    rate = 1 / eta
    slack = np.exp(-sign * rate * (y - m) + (rate * s) ** 2 / 2 + log_ndtr(sign * z - rate * s))
    u, w = panels(0.0, reach, s)
    uniform = (ndtr((np.expand_dims(y - m, -1) - sign * u) / s) * np.exp(w)).sum(axis=-1) / reach
    return (1 - vague) * (ndtr(z) - sign * slack) + vague * uniform


def several(q, figures, offset, s, eta, vague, reach, grains, shares_of, shared=0.95, step=0.02):
    """Log probability of figures (value, qualifier) from one origin: a plain sum over its error."""
    eps = np.arange(-14, 14, step)
    m = math.log(q + 0.5) + offset + math.sqrt(shared) * s * eps
    own = math.sqrt(1 - shared) * s
    product = np.exp(log_normal(eps, 0, 1)) * step
    for value, qualifier in figures:
        sign = {"at_least": -1, "more_than": -1, "at_most": 1, "less_than": 1}.get(qualifier, 0)
        one = 0.0
        for grain, share in zip(grains, shares_of(qualifier), strict=True):
            for a, b in cells(value, grain, grains):
                ends = [distribution(np.log(x), m, own, sign, eta, vague, reach) for x in (a, b)]
                one = one + share * (ends[1] - ends[0])
        product = product * one
    return math.log(product.sum())


def integrated_likelihood(
    reporting: Reporting, record: Record, values: Sequence[float], names: Sequence[str], nodes: int = 81
) -> tuple[float, np.ndarray]:
    """Log of the claims' probability averaged over the priors of the named effects on a grid, and the effects' means.

    values : the groups' quantities. Each node binds the claims anew, and each group is weighed by itself.
    """
    priors = {leaf.name: leaf.prior for leaf in leaves(reporting)}
    at, weight = np.polynomial.hermite_e.hermegauss(nodes)
    groups = reporting.prepare(record)
    total, moment = 0.0, np.zeros(len(names))
    for node in itertools.product(range(nodes), repeat=len(names)):
        effects = [priors[name].median + priors[name].sd * at[k] for name, k in zip(names, node, strict=True)]  # type: ignore[union-attr]
        bound = groups.bind(reporting.replacing(dict(zip(names, effects, strict=True))))
        logs = sum(float(one.log_likelihood(np.array([q]))[0]) for one, q in zip(bound, values, strict=True))
        mass = float(np.prod(weight[list(node)])) * math.exp(logs)
        total += mass
        moment += mass * np.array(effects)
    return math.log(total / weight.sum() ** len(names)), moment / total


def listed(shares: Sequence[float]) -> list[float]:
    """Probability of 0, 1, ... places on a list that holds each with its share: a sum over every subset."""
    found = [0.0] * (len(shares) + 1)
    for subset in itertools.product((0, 1), repeat=len(shares)):
        found[sum(subset)] += math.prod(p if here else 1 - p for p, here in zip(shares, subset, strict=True))
    return found
