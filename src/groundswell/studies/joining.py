"""Whether joining outpaces arrests: what claims about groups say of it, and what would settle it.

Groups alone are a branching process, so this question needs no filter: draws from the prior of the group
part, weighed by the claims in question. Event counts identify recruitment minus break-up at best, and the
number broken up says nothing of the number formed; the share of draws with more joining than arrests shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np

from groundswell.data.record import Claim, Record
from groundswell.data.setting import Setting
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import YEAR, Mobilisation
from groundswell.models.reporting.claims import ClaimGroups, Reporting
from groundswell.models.reporting.grouping import ClaimGroup
from groundswell.params import Effects, leaves

NOT_IDENTIFIED = 0.05
"""A claim that moves P(joins > arrests) by no more than this leaves the question where it was."""


@dataclass(frozen=True)
class Joining:
    """P(joins > arrests) and the quantiles of log(joins/arrests), with the effective number of draws.

    error : Monte Carlo standard deviation of the probability.
    """

    label: str
    probability: float
    error: float
    quantiles: tuple[float, ...]
    effective: float
    histogram: tuple[float, ...]


HABITS = 200
"""Draws of the reporting parameters over which a claim's probability is averaged, the same for every history."""
NODES = 250
"""Points in the log of a quantity at which a claim is weighed; linear between them."""

BINS = np.linspace(-4.0, 4.0, 65)
"""Edges of the histogram of log(joins/arrests)."""


def joining(
    account: Account,
    setting: Setting,
    window: tuple[date, date],
    claims: Sequence[Claim],
    label: str,
    *,
    draws: int,
    rng: np.random.Generator,
) -> Joining:
    """Given only `claims` about nationwide groups: joins per arrest over `window`.

    The claims must be about the whole country and about groups; their reporting parameters are averaged over
    their priors. Importance sampling from the prior with so many histories; `effective` tells how well it went.
    """
    process = account.process
    assert isinstance(process, Mobilisation)
    assert process.groups is not None
    known = {leaf.name: leaf for leaf in leaves(account)}
    initial, recruitment, breakup = (
        np.exp(known[f"process.groups.{name}"].center + known[f"process.groups.{name}"].sd * rng.standard_normal(draws))
        for name in ("initial", "recruitment", "breakup")
    )
    first, last = setting.window.day(window[0]), setting.window.day(window[1]) + 1
    marks = {0, first, last, *range(0, last, 7)}
    for claim in claims:
        marks |= {setting.window.day(claim.start), setting.window.day(claim.end) + 1}
    edges = sorted(mark for mark in marks if 0 <= mark <= max(marks))
    alive = rng.poisson(initial).astype(float)
    formed, broken = [], []
    for a, b in pairwise(edges):
        more = rng.poisson((b - a) * (recruitment + process.groups.contact) / YEAR * alive)
        fewer = rng.binomial(alive.astype(np.int64), -np.expm1(-(b - a) * breakup / YEAR))
        alive = alive + more - fewer
        formed.append(more)
        broken.append(fewer)
    steps = {"formed": np.array(formed, dtype=float), "broken_up": np.array(broken, dtype=float)}
    starts = np.array(edges[:-1])

    def total(series: str, start: int, end: int) -> np.ndarray:
        return steps[series][(starts >= start) & (starts < end)].sum(axis=0)

    logs = np.zeros(draws)
    if claims:
        reporting = _for_claims(Record(tuple(claims)), account.reporting)
        groups = reporting.prepare(claims)
        logs = _averaged(reporting, groups, [_hidden(group, setting, total) for group in groups], rng)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    ratio = np.log((total("formed", first, last) + 0.5) / (total("broken_up", first, last) + 0.5))
    order = np.argsort(ratio)
    passed = weights[order].cumsum()
    found = tuple(float(ratio[order][np.searchsorted(passed, level)]) for level in (0.05, 0.25, 0.5, 0.75, 0.95))
    histogram, _ = np.histogram(np.clip(ratio, -3.99, 3.99), BINS, weights=weights)
    probability = float(weights[ratio > 0].sum())
    return Joining(
        label,
        probability,
        float(np.sqrt((weights**2 * ((ratio > 0) - probability) ** 2).sum())),
        found,
        float(1 / (weights**2).sum()),
        tuple(float(v) for v in histogram),
    )


def _averaged(
    reporting: Reporting, groups: ClaimGroups, hidden: Sequence[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """(draws,) log probability of all claims given each history's quantities, averaged over the habits of speakers."""
    free = [leaf for leaf in leaves(reporting) if leaf.prior is not None]
    levels = [np.log(q + group.half) for group, q in zip(groups, hidden, strict=True)]
    nodes = [np.linspace(level.min(), level.max() + 1e-9, NODES) for level in levels]
    logs = np.full(len(levels[0]), -np.inf)
    for noise in rng.standard_normal((HABITS, len(free))):
        values = {leaf.name: leaf.from_free(leaf.center + leaf.sd * z) for leaf, z in zip(free, noise, strict=True)}
        bound = groups.bind(reporting.replacing(values))
        joint = sum(
            np.interp(level, at, one.log_likelihood(np.maximum(np.exp(at) - one.group.half, 0.0)))
            for one, level, at in zip(bound, levels, nodes, strict=True)
        )
        logs = np.logaddexp(logs, joint)
    return logs - np.log(HABITS)


def _for_claims(record: Record, whole: Reporting) -> Reporting:
    """The reporting model of these claims of a whole record; where none is the anchor's, every stance leans."""
    stances, anchor = record.stances(), whole.anchor
    if anchor in stances:
        return replace(Reporting.for_record(record, anchor), priors=whole.priors)
    return replace(
        Reporting.for_record(record, stances[0]),
        anchor=anchor,
        priors=whole.priors,
        bias=Effects(dict.fromkeys(stances, 0.0)),
        bias_by_kind=Effects({f"{stance}:groups": 0.0 for stance in stances}),
    )


def _hidden(group: ClaimGroup, setting: Setting, total: Callable[[str, int, int], np.ndarray]) -> np.ndarray:
    """(draws,) the group's quantity in every draw."""
    start, end = setting.window.day(group.start), setting.window.day(group.end) + 1
    above = total(group.quantity.series, start, end)
    if group.quantity.functional == "ratio":
        return (above + 0.5) / (total(group.quantity.below, start, end) + 0.5)
    return above
