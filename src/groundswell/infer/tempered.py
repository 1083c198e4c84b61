"""Tempered sequential Monte Carlo over the parameters, with a particle filter inside.

Rounds, from the prior to the posterior. Each draws parameter values from a normal and estimates their likelihood
with the filter. All draws so far are then weighed as one sample from the mixture of all normals used (Cornuet, Marin,
Mira and Robert 2012, adaptive multiple importance sampling), so none is lost. The weights are raised to a power, at
most 1: the highest at which they are worth enough draws for a mean and a covariance, which make the next normal. So the
population goes from the prior to the posterior as fast as it can be followed.

The filter's estimates are unbiased, and an unbiased weight is as good as an exact one but for its noise (Tran,
Scharth, Pitt and Kohn 2013, importance sampling squared): weighted means converge to those of the posterior, the mean
weight to the evidence. Draws are independent given the normals, so their effective number is that of their weights;
there is no chain that could be stuck.

What the claims say enters through a few directions; along the others the posterior is the prior. On coordinates in
which the prior is standard normal its covariance is 1 but for a few directions, and an estimate of such a covariance
has known errors: `spiked` takes them out (Donoho, Gavish and Johnstone 2018). Without it, thousands of draws would be
needed to tell correlations from noise. Where a start says about where the posterior lies, fewer directions differ from
it than from the prior, and those are looked for (`learnt`).

Leans and speakers' effects, which are normal and enter the claims linearly, are no coordinates: the filter
integrates them out and draws them afterwards (`models.reporting.integration`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from groundswell.data.evidence import Evidence
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError
from groundswell.infer._particle_loops import systematic
from groundswell.infer.base import Fit, Progress
from groundswell.infer.importance import Normal, effective, learnt, log_mean, log_mixture, power_for, shares
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.target import Coordinates, Start, Target
from groundswell.infer.workers import Workers
from groundswell.models.base import Account
from groundswell.params import replacing
from groundswell.rng import keyed

NEAR = 0.8
"""Power from which on the population counts as arrived: rounds of full size, normals of full width."""
EARLY = 0.3
"""Size of the rounds before, as a share of the later ones: the way is found in many small steps."""
NARROWER = 0.9
"""Scale of the normals before. The next round is weighed at a higher power, whose target is narrower; kept up to the
end it would miss what lies far out (docs/decisions/080)."""

LOOKS = 24
"""Histories of the prior that are looked at where no filter can meet the claims."""

STARTED = 2
"""Whole rounds drawn from a given start, before the draws themselves say where to go on."""


@dataclass(frozen=True)
class TemperedSMC:
    """effective : draws that the weights must be worth, at least, before the run ends. most : filters at most.

    particles : N draws of equal weight that are handed out; a value of large weight stands there several times.
    round : parameter values a round, fewer on the way and in the last. pool : effective draws that make a normal.
    start : where another account's posterior lies; the first whole rounds are drawn from there, after a small one from
    the prior, which saves the way: half of the filters. The answer is the same within its error, also from a bad start.
    filter : the particle filter. processes : how many work at once; the result is the same for any number, to the bit.
    """

    particles: int = 800
    effective: float = 400.0
    most: int = 12_000
    round: int = 200
    pool: float = 200.0
    filter: ParticleFilter = field(default_factory=ParticleFilter)
    processes: int = 1
    start: Start | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if min(self.particles, self.round, self.most, self.effective, self.pool) < 10 or self.processes < 1:
            raise UsageError(
                f"{self} cannot run: 10 or more particles, draws a round, filters, effective and pooled draws are "
                "needed, and 1 process or more."
            )

    def fit(
        self,
        model: Account,
        setting: Setting,
        observed: Record | Evidence,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress,
    ) -> Fit:
        """The posterior as draws of equal weight; log_density is the log evidence.

        details : "effective" draws that the weights are worth; "tried" (M, K) every value tried, in natural units, and
        its "weight" (M,); "index" (N,) which of them each draw is, so that repeats are known; "seeds" (N, 2), their
        filters' randomness for `replay_key`; "stages", a row a round.
        """
        if not isinstance(model, Account) or not isinstance(observed, Record | Evidence):
            raise UsageError("TemperedSMC weighs a Record of claims under an Account(process, reporting).")
        return _Sampler(self, model, setting, observed, rng, fixed, progress).run()


class _Sampler:
    def __init__(
        self, method: TemperedSMC, account: Account, setting: Setting, record: Record | Evidence,
        rng: np.random.Generator, fixed: Mapping[str, float], progress: Progress,
    ):  # fmt: skip
        self.method, self.account, self.record, self.progress = method, account, record, progress
        self.setting = setting
        self.at = Coordinates.of(account, fixed)
        self.root = int(rng.integers(0, 2**63))

    def run(self) -> Fit:
        method, where = self.method, self.at
        width = len(where.free)
        target = (Target, (self.account, self.setting, self.record, method.filter, where.free, where.effects))
        normal = Normal(np.zeros(width), np.eye(width))
        normals: list[Normal] = []
        y, logs = np.empty((0, width)), np.empty(0)
        effects = np.empty((0, len(where.integrated)))
        mixture = np.empty(0)
        sizes: list[int] = []
        stages: list[dict[str, Any]] = []
        arrived, worth, near = False, 1.0, method.start.normal(where) if method.start is not None else None
        with Workers(target, method.processes) as workers:
            while True:
                at, size = len(normals), self._size(arrived, worth, len(y))
                tried = normal.draw(size, keyed(self.root, 0, at))
                tasks = [(z, (self.root, 1, at, i)) for i, z in enumerate(where.unwhitened(tried))]
                found = workers.map(tasks)
                normals.append(normal)
                sizes.append(size)
                mixture = np.logaddexp(mixture, normal.log_density(y) + math.log(size))
                mixture = np.concatenate([mixture, log_mixture(normals, sizes, tried)])
                y = np.concatenate([y, tried])
                logs = np.concatenate([logs, [log for log, _ in found]])
                nothing = np.zeros(len(where.integrated))
                effects = np.concatenate([effects, [nothing if drawn is None else drawn for _, drawn in found]])
                if not np.isfinite(logs).any():
                    if len(y) >= method.round:
                        raise DataError(self._hopeless(len(y)))
                    continue
                log_weight = logs + normals[0].log_density(y) - (mixture - math.log(len(y)))
                worth = effective(log_weight)
                power = power_for(log_weight, min(method.pool, 0.25 * len(y)))
                stages.append({"power": power, "effective": worth, "filters": len(y)})
                share = max(len(y) / method.most, 0.3 * power + 0.7 * min(1.0, worth / method.effective))
                self.progress(min(share, 0.99), f"{len(y)} filters, power {power:.2f}, worth {worth:.0f} draws")
                if (arrived and worth >= method.effective) or len(y) + method.round > method.most:
                    return self._fit(y, logs, effects, log_weight, sizes, stages)
                arrived = arrived or power >= NEAR or near is not None
                if near is not None and len(normals) <= STARTED:
                    normal = near
                    continue
                normal = learnt(y, shares(power * log_weight), near or normals[0])
                if not arrived:
                    normal = replace(normal, root=NARROWER * normal.root)

    def _size(self, arrived: bool, worth: float, tried: int) -> int:
        """Filters of the next round: no more than are still needed if each is worth as much as those before."""
        method, early = self.method, max(10, round(EARLY * self.method.round))
        if not arrived:
            return early
        return min(method.round, max(early, math.ceil((method.effective - worth) * tried / worth)))

    def _hopeless(self, tried: int) -> str:
        """What to say when no filter met the claims: which claim a few histories of the prior are furthest from."""
        record = self.record.record if isinstance(self.record, Evidence) else self.record
        groups, rng = self.account.reporting.prepare(record), keyed(self.root, 4)
        values, logs = [], []
        for _ in range(LOOKS):
            drawn = {
                leaf.name: leaf.from_free(leaf.center + leaf.sd * rng.standard_normal()) for leaf in self.at.learnt
            }
            account = replacing(self.account, drawn)
            history = account.process.simulate(self.setting, rng=rng)
            if not history.exploded:
                values.append([group.value(self.setting, history) for group in groups])
                bound = groups.bind(account.reporting)
                logs.append([one.log_likelihood(np.array([v]))[0] for one, v in zip(bound, values[-1], strict=True)])
        told = f"none of {tried} draws from the prior meets these {len(record)} claims with a weight above 0. "
        if not values or not len(groups):
            return told + (
                f"Of {LOOKS} histories of the prior {LOOKS - len(values)} exploded. Check the populations of "
                "the places, and the priors of what makes events follow events."
            )
        best = np.max(logs, axis=0)
        at = int(best.argmin())
        claim, seen = groups[at].claims[0], np.array(values)[:, at]
        return told + (
            f"Furthest from them is claim {claim.id}, {claim.words()} ({groups[at].words()}): in {len(values)} "
            f"histories of the prior the quantity lies between {seen.min():,.4g} and {seen.max():,.4g}, and its "
            f"best log weight is {best[at]:.0f}. Check value, unit, window and place, or widen the priors."
        )

    def _fit(
        self, y: np.ndarray, logs: np.ndarray, effects: np.ndarray, log_weight: np.ndarray, sizes: list[int],
        stages: list[dict],
    ) -> Fit:  # fmt: skip
        method, where = self.method, self.at
        weights = shares(log_weight)
        z = where.together(y, effects)
        index = systematic(weights, keyed(self.root, 2).random(), method.particles)
        values = where.natural(z)
        mean = weights @ values
        centred = values - mean
        covariance = (centred * weights[:, None]).T @ centred
        middle = dict(zip([leaf.name for leaf in where.learnt], weights @ z, strict=True))
        worth, tried = stages[-1]["effective"], len(y)
        notes = [*where.words()]
        enough = worth >= method.effective
        if not enough:
            notes.append(
                f"the weights are worth {worth:.0f} draws after {tried:,} filters, fewer than {method.effective:g}: "
                "raise `most`, give the filter more histories, or see whether single claims are hardly possible."
            )
        return Fit(
            model=replacing(self.account, {leaf.name: leaf.from_free(middle[leaf.name]) for leaf in where.learnt}),
            method=replace(method, processes=1, start=None),
            names=tuple(leaf.name for leaf in where.learnt),
            estimate=mean,
            standard_error=np.sqrt(np.diag(covariance)),
            log_density=log_mean(log_weight),
            status=f"{len(stages)} rounds, {tried:,} filters, worth {worth:.0f} draws",
            converged=enough,
            notes=tuple(notes),
            covariance=covariance,
            draws=values[index],
            details={
                "effective": worth, "tried": values, "weight": weights, "index": index, "free": z[index],
                "log_likelihood": logs[index], "stages": stages, "root": self.root,
                "seeds": np.array([(at, i) for at, size in enumerate(sizes) for i in range(size)])[index],
                "evaluations": tried, "leaves": list(where.learnt),
                "integrated": where.effects,
            },
            provenance={"method": "TemperedSMC", "record": self.record.digest()},
        )  # fmt: skip


def replay_key(root: int, seeds: np.ndarray) -> tuple[int, ...]:
    """The key under which a draw's own filter ran, so that its history and effects can be drawn again."""
    return (root, 1, int(seeds[0]), int(seeds[1]))
