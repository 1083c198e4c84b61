"""Tempered sequential Monte Carlo over the parameters, with a particle filter inside.

Particles start from the prior and move to the posterior through densities prior x likelihood^power, the
power rising from 0 to 1 so that the effective share of particles stays at a set level. After each rise a few
particles are drawn, each starts a chain of Metropolis steps, and every state of every chain is a particle of
the next density: no step is thrown away (Dau and Chopin 2022, waste-free sequential Monte Carlo). The likelihood
is the filter's unbiased estimate, kept with its particle, so the last density has the exact posterior as its
marginal (Andrieu and Roberts 2009; Duan and Fulop 2015); the product of the mean weights estimates the evidence.

A move draws from an autoregression about the population's own normal approximation, z' = m + rho (z - m) +
sqrt(1 - rho^2) e, which leaves that normal unchanged; the acceptance corrects for what is not normal. With
normal priors on free coordinates it takes long steps in fifty dimensions, where a random walk would crawl.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError
from groundswell.infer._particle_loops import systematic
from groundswell.infer.base import Fit, Progress
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.workers import Workers
from groundswell.models.base import Account
from groundswell.params import Leaf, leaves, replacing
from groundswell.rng import keyed

STEPS = (0.25, 0.5, 0.8, 1.0)
"""sqrt(1 - rho^2) of the moves on offer; each move picks one, more often those that moved far before."""
CEILING = 0.0
"""Claims are discrete, so the log of their probability cannot pass 0: a proposal that would need more is spared."""
INFLATION = 1.3
"""Factor on the population's covariance: proposals a little wider than the target."""


@dataclass(frozen=True)
class TemperedSMC:
    """particles : N draws from the posterior, in `chains` chains. filter : the particle filter of the last density.

    rise : states of each chain on the way, where a rough population is enough to go on from. rough : the filter
    there; at a low power its noise counts for little, so it may carry fewer histories.
    share : effective share of the population kept at each rise of the power.
    processes : how many work at once; the result is the same for any number, to the bit.
    """

    particles: int = 3600
    filter: ParticleFilter = field(default_factory=ParticleFilter)
    rough: ParticleFilter = field(default_factory=lambda: ParticleFilter(histories=16))
    chains: int = 120
    rise: int = 4
    share: float = 0.5
    processes: int = 1

    def __post_init__(self) -> None:
        if self.particles < 10 or not 0 < self.share < 1 or self.processes < 1:
            raise UsageError(f"{self} cannot run: 10 or more particles and a share inside (0, 1) are needed.")
        if not 2 <= self.chains <= self.particles // 2 or self.particles % self.chains or self.rise < 2:
            raise UsageError(
                f"TemperedSMC has {self.particles} particles in {self.chains} chains, {self.rise} states each on the "
                "way; expected a number of chains that divides the particles, 2 or more of 2 or more states each."
            )

    def fit(
        self,
        model: Account,
        setting: Setting,
        observed: Record,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress,
    ) -> Fit:
        """The posterior as draws of equal weight, chain beside chain (draw i is of chain i % chains).

        log_density is the log evidence.
        """
        if not isinstance(model, Account) or not isinstance(observed, Record):
            raise UsageError("TemperedSMC weighs a Record of claims under an Account(process, reporting).")
        return _Sampler(self, model, setting, observed, rng, fixed, progress).run()


class Target:
    """The filter as a function of free coordinates; built once in every process."""

    def __init__(self, account: Account, setting: Setting, record: Record, method: TemperedSMC, free: list[Leaf]):
        self.account, self.method, self.free = account, method, free
        self.plan = method.filter.plan(account, setting, record)

    def model(self, z: np.ndarray) -> Account:
        """The account at free coordinates z, (K,)."""
        return replacing(self.account, {leaf.name: leaf.from_free(x) for leaf, x in zip(self.free, z, strict=True)})

    def __call__(self, z: np.ndarray, key: tuple[int, ...], last: bool) -> float:
        """Log of the filter's estimate at z, with the randomness of `key`; `last` for the last density's filter."""
        method = self.method.filter if last else self.method.rough
        return method.run(self.plan, self.model(z), rng=keyed(*key)).log_likelihood


class _Sampler:
    def __init__(
        self, method: TemperedSMC, account: Account, setting: Setting, record: Record, rng: np.random.Generator,
        fixed: Mapping[str, float], progress: Progress,
    ):  # fmt: skip
        self.method, self.account, self.record, self.progress = method, account, record, progress
        self.setting = setting
        every = leaves(account)
        self.free = [leaf for leaf in every if leaf.prior is not None and leaf.name not in fixed]
        self.held = [leaf.name for leaf in every if leaf.prior is None and leaf.name not in fixed]
        self.center = np.array([leaf.to_free(leaf.prior.median) for leaf in self.free])  # type: ignore[union-attr]
        self.sd = np.array([leaf.prior.sd for leaf in self.free])  # type: ignore[union-attr]
        self.root = int(rng.integers(0, 2**63))
        self.evaluations = 0
        self.round = 0
        self.last = False

    def run(self) -> Fit:
        method = self.method
        count = method.chains * method.rise
        target = (Target, (self.account, self.setting, self.record, method, self.free))
        with Workers(target, method.processes) as self.workers:
            rng = keyed(self.root, 0)
            z = self.center + self.sd * rng.standard_normal((count, len(self.free)))
            logs, seeds = self._weigh(z, np.ones(count, dtype=bool))
            power, log_evidence, stages = 0.0, 0.0, []
            if not np.isfinite(logs).any():
                raise DataError(self._hopeless())
            self.odds = np.ones(len(STEPS)) / len(STEPS)
            while power < 1:
                rise = self._rise(logs, power)
                gain = np.where(np.isfinite(logs), rise * np.where(np.isfinite(logs), logs, 0.0), -np.inf)
                top = gain.max()
                weights = np.exp(gain - top)
                log_evidence += top + math.log(weights.mean())
                weights /= weights.sum()
                power = min(1.0, power + rise)
                shape = _Normal(z, weights, self.sd)
                start = systematic(weights, rng.random(), method.chains)
                z, logs, seeds = z[start], logs[start], seeds[start]
                if power >= 1:
                    # the last chains start from fresh estimates, under the filter that they go on with
                    self.last = True
                    logs, seeds = self._weigh(z, np.ones(len(z), dtype=bool))
                    if not np.isfinite(logs).any():
                        raise DataError(self._hopeless())
                    # a start whose fresh estimate is 0 is no draw from the posterior: another takes its place
                    possible = np.flatnonzero(np.isfinite(logs))
                    taken = np.where(np.isfinite(logs), np.arange(len(z)), rng.choice(possible, len(z)))
                    z, logs, seeds = z[taken], logs[taken], seeds[taken]
                states, accepted = [(z, logs, seeds)], []
                length = method.rise if power < 1 else method.particles // method.chains
                for step in range(1, length):
                    z, logs, seeds, rate = self._move(z, logs, seeds, power, shape, rng)
                    states.append((z, logs, seeds))
                    accepted.append(rate)
                    self.progress(self._done(power, step / length), f"power {power:.3f}, {100 * rate:.0f} % accepted")
                z, logs, seeds = (np.concatenate(parts) for parts in zip(*states, strict=True))
                stages.append({"power": power, "accepted": accepted, "starts": len(set(start.tolist()))})
        return self._fit(z, logs, seeds, log_evidence, stages)

    def _weigh(self, z: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Filter estimates for the rows `which` of z; the rest are -inf. seeds (N, 2) name their randomness."""
        self.round += 1
        rows = np.flatnonzero(which)
        seeds = np.column_stack([np.full(len(z), self.round), np.arange(len(z))])
        tasks = [(z[i], (self.root, 1, self.round, int(i)), self.last) for i in rows]
        out = np.full(len(z), -np.inf)
        out[rows] = self.workers.map(tasks)
        self.evaluations += len(rows)
        return out, seeds

    def _rise(self, logs: np.ndarray, power: float) -> float:
        finite = logs[np.isfinite(logs)]

        def share(rise: float) -> float:
            weights = np.exp(rise * (finite - finite.max()))
            return weights.sum() ** 2 / (weights**2).sum() / len(logs)

        if share(1 - power) >= self.method.share:
            return 1 - power
        low, high = 0.0, 1 - power
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if share(middle) >= self.method.share else (low, middle)
        return max(low, 1e-6)

    def _move(
        self,
        z: np.ndarray,
        logs: np.ndarray,
        seeds: np.ndarray,
        power: float,
        shape: _Normal,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        count, width = z.shape
        pick = rng.choice(len(STEPS), size=count, p=self.odds)
        step = np.array(STEPS)[pick][:, None]
        fresh = rng.standard_normal((count, width)) @ shape.root.T
        proposal = shape.middle + np.sqrt(1 - step**2) * (z - shape.middle) + step * fresh

        def log_prior(x: np.ndarray) -> np.ndarray:
            return -0.5 * (((x - self.center) / self.sd) ** 2).sum(axis=1)

        fixed_part = log_prior(proposal) - log_prior(z) - shape.log_density(proposal) + shape.log_density(z)
        uniform = np.log(rng.random(count))
        worth = uniform < fixed_part + power * (CEILING - logs)
        new_logs, new_seeds = self._weigh(proposal, worth)
        accept = worth & (uniform < fixed_part + power * (new_logs - logs))
        far = np.where(accept, step[:, 0] ** 2, 0.0)
        moved = np.array([far[pick == k].mean() if (pick == k).any() else 0.0 for k in range(len(STEPS))])
        self.odds = 0.5 * self.odds + 0.5 * (moved + 0.01) / (moved + 0.01).sum()
        self.odds /= self.odds.sum()
        z = np.where(accept[:, None], proposal, z)
        seeds = np.where(accept[:, None], new_seeds, seeds)
        return z, np.where(accept, new_logs, logs), seeds, float(accept.mean())

    def _done(self, power: float, share: float) -> float:
        """Share of the work done, from the work usual for the rises (eight of them) and the last density."""
        rises = 8 * self.method.rise * self.method.chains
        total = rises + self.method.particles
        return (rises + share * self.method.particles if power >= 1 else rises * power**0.4) / total

    def _hopeless(self) -> str:
        return (
            f"none of {self.method.chains * self.method.rise} draws from the prior can produce these "
            f"{len(self.record)} claims with a probability above 0. Check units, windows and places of the claims, or "
            "widen the priors."
        )

    def _fit(
        self,
        z: np.ndarray,
        logs: np.ndarray,
        seeds: np.ndarray,
        evidence: float,
        stages: list[dict],
    ) -> Fit:
        draws = np.array([[leaf.from_free(x) for leaf, x in zip(self.free, row, strict=True)] for row in z])
        names = tuple(leaf.name for leaf in self.free)
        middle = {leaf.name: leaf.from_free(x) for leaf, x in zip(self.free, z.mean(axis=0), strict=True)}
        notes = []
        if self.held:
            notes.append("held at their values for want of a prior: " + ", ".join(self.held))
        return Fit(
            model=replacing(self.account, middle),
            method=replace(self.method, processes=1),
            names=names,
            estimate=draws.mean(axis=0),
            standard_error=draws.std(axis=0, ddof=1),
            log_density=evidence,
            status=f"{len(stages)} rises of the power, {self.evaluations:,} filters",
            converged=True,
            notes=tuple(notes),
            covariance=np.cov(draws.T),
            draws=draws,
            details={"log_likelihood": logs, "free": z, "seeds": seeds, "root": self.root, "stages": stages,
                     "evaluations": self.evaluations, "leaves": self.free},
            provenance={"method": "TemperedSMC", "record": self.record.digest()},
        )  # fmt: skip


def replay_key(root: int, seeds: np.ndarray) -> tuple[int, ...]:
    """The key under which a particle's own filter ran, so that its history can be drawn again."""
    return (root, 1, int(seeds[0]), int(seeds[1]))


class _Normal:
    """The normal approximation of a weighted population: what the autoregressive moves leave unchanged."""

    def __init__(self, z: np.ndarray, weights: np.ndarray, prior_sd: np.ndarray) -> None:
        self.middle = weights @ z
        centred = z - self.middle
        spread = INFLATION * (centred * weights[:, None]).T @ centred
        # shrink towards the diagonal as far as so few effective particles cannot tell correlations
        effective = 1 / float((weights**2).sum())
        keep = effective / (effective + z.shape[1])
        spread = keep * spread + (1 - keep) * np.diag(np.diag(spread)) + 1e-9 * np.diag(prior_sd**2)
        self.root = np.linalg.cholesky(spread)
        self.inverse = np.linalg.inv(self.root)

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Up to a constant, (N,)."""
        return -0.5 * (((x - self.middle) @ self.inverse.T) ** 2).sum(axis=1)
