"""Synthetic likelihood: summaries taken for normal, their mean and covariance simulated at every parameter value.

Wood (2010), Nature 466; Bayesian: Price, Drovandi, Lee and Nott (2018). Log-likelihood at a parameter value: the normal
log density of the observed summaries under the mean and covariance of `simulations` histories drawn there. Correlations
are shrunk towards 0 as far as their own noise asks (Schäfer and Strimmer 2005), which lets fewer histories do.

Values are drawn and weighed in rounds as by TemperedSMC (`infer.importance`): from the prior to the posterior, none
lost. The estimates' noise spreads the weights, and so lowers the number of draws that they are worth: too few histories
a value show there, and in the standard deviation of the log-likelihood at the posterior mean, which is reported.

Every value that was tried keeps its mean and covariance, so data made up at one of them can be weighed at all others
without a further history. A fit does so with one history apart from each value, and says whether its intervals hold
what they promise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from groundswell.data.summaries import Summaries
from groundswell.errors import DataError, UsageError
from groundswell.infer._particle_loops import systematic
from groundswell.infer.base import Fit, Progress
from groundswell.infer.coverage import coverage, rank
from groundswell.infer.importance import Normal, effective, log_mean, log_mixture, power_for, shares, spiked
from groundswell.infer.simulated import Problem, failures_in_words
from groundswell.infer.windows import Observed, Settings
from groundswell.infer.workers import Workers
from groundswell.params import Prior
from groundswell.rng import keyed

NEAR = 0.8
"""Power of the weights from which on the population counts as arrived."""
POOL = 0.25
"""Of the values tried, what the weights must be worth before the next round goes on."""
REPLICATES = 20
"""Of the log-likelihood at the posterior mean."""
NOISE = 1.5
"""Standard deviation of the log-likelihood above which more histories for each value are advised."""
UNLIKELY = 0.001
"""p-value of the observed summaries at the posterior mean below which the model is said not to reach them."""
LITTLE = 1e-4
"""Correlations are shrunk by so much at least, so that two summaries that say the same do no harm."""
LEAST = 10.0
"""Effective draws of a made-up data set's posterior, below which it is left out of the checks."""


class Simulated(NamedTuple):
    """The summaries at a parameter value: mean (S,), inverse (S, S) of the root of their covariance, one history apart.

    height : log density at the mean without the constant, plus the logarithm of the share that did not fail or explode;
    minus infinity where there is no likelihood. why : the first failure.
    """

    mean: np.ndarray
    inverse: np.ndarray
    height: float
    apart: np.ndarray
    why: str


def log_likelihoods(found: Sequence[Simulated], values: np.ndarray) -> np.ndarray:
    """(M,) synthetic log-likelihoods of summaries (S,) at each of M parameter values, without the constant."""
    means, inverses, heights = (np.array([one[k] for one in found]) for k in range(3))
    z = np.einsum("nij,nj->ni", inverses, values - means)
    return heights - 0.5 * (z**2).sum(axis=1)


@dataclass(frozen=True)
class SyntheticLikelihood:
    """Draws from the posterior given summaries whose distribution is nearly normal.

    summaries, priors, draws, checks, processes : as of ABC. simulations : histories for each parameter value.
    effective : draws that the weights must be worth before the run ends. most : values at most, `round` at a time.
    """

    summaries: Summaries | None = None
    priors: Mapping[str, Prior] = field(default_factory=dict)
    simulations: int = 50
    effective: float = 200.0
    most: int = 2_000
    round: int = 100
    draws: int = 1_000
    checks: int = 200
    processes: int = 1

    def __post_init__(self) -> None:
        if min(self.simulations, self.effective, self.round, self.draws) < 10 or self.most < self.round:
            raise UsageError(
                f"{self} cannot run: 10 or more histories a value, effective draws, values a round and draws are "
                "needed, and `most` no less than a round."
            )
        if self.checks < 0 or self.processes < 1:
            raise UsageError(f"{self} cannot run: 0 or more checks and 1 process or more are needed.")

    def fit(
        self, model: Any, setting: Settings, observed: Observed, *, rng: np.random.Generator,
        fixed: Mapping[str, float], progress: Progress,
    ) -> Fit:  # fmt: skip
        """The posterior as draws; log_density is the log evidence of the summaries, as noisy as the likelihoods.

        details : "effective"; "tried" (M, F) values, on coordinates in which the prior is standard normal, with their
        "log_likelihood" and "weight" (M,); "noise", standard deviation of the log-likelihood at the posterior mean;
        "ranks" (C, F) of the known parameters of made-up data; "stages", a row a round.
        """
        problem = Problem.stated("SyntheticLikelihood", model, setting, observed, self.summaries, self.priors, fixed)
        size = len(problem.names)
        if self.simulations < size + 3:
            raise UsageError(
                f"SyntheticLikelihood has {self.simulations} histories a value for {size} summaries; expected at least "
                f"{size + 3}, and better ten times as many as summaries. Raise `simulations` or take fewer summaries."
            )
        root = int(rng.integers(0, 2**63))
        with Workers((Repeated, (problem, self.simulations)), self.processes) as workers:
            y, found, log_weight, stages = self._tried(problem, workers, root, progress)
            weights = shares(log_weight)
            middle = weights @ y
            again = workers.map([(middle, (root, 5, i)) for i in range(REPLICATES)])
        logs = log_likelihoods(again, problem.observed)
        noise = float(logs.std(ddof=1)) if np.isfinite(logs).all() else math.inf
        ranks = self._ranks(y, found, log_weight, keyed(root, 3))
        tried = coverage(ranks, [leaf.name for leaf in problem.learnt])
        worth = stages[-1]["effective"]
        notes, good = self._doubts(problem, worth, noise, again)
        return problem.fit(
            self, y, weights, systematic(weights, keyed(root, 2).random(), self.draws),
            log_density=log_mean(log_weight) - 0.5 * size * math.log(2 * math.pi),
            status=f"{len(y):,} values of {self.simulations} histories, worth {worth:.0f} draws; log-likelihoods vary "
            f"by {noise:.2f}",
            converged=good and (tried.good or not self.checks),
            notes=(*notes, *(tried.notes if self.checks else ()), *failures_in_words([one.why for one in found])),
            columns={"inside 90 %": tried.inside} if self.checks else {},
            details={
                "effective": worth, "tried": y, "weight": weights, "noise": noise, "ranks": ranks, "stages": stages,
                "log_likelihood": log_likelihoods(found, problem.observed),
            },
        )  # fmt: skip

    def _tried(
        self, problem: Problem, workers: Workers, root: int, progress: Progress
    ) -> tuple[np.ndarray, list[Simulated], np.ndarray, list[dict[str, float]]]:
        """Values tried (M, F), what was simulated there, log weights (M,), and a row of figures a round."""
        width = len(problem.learnt)
        normals, sizes = [Normal(np.zeros(width), np.eye(width))], []
        y, logs, mixture = np.empty((0, width)), np.empty(0), np.empty(0)
        found: list[Simulated] = []
        stages: list[dict[str, float]] = []
        arrived = False
        while True:
            tried = normals[-1].draw(self.round, keyed(root, 0, len(sizes)))
            tasks = [(row, (root, 1, len(sizes), i)) for i, row in enumerate(tried)]
            for one in workers.each(tasks):
                found.append(one)
                progress(min(0.99, len(found) / self.most), f"{len(found):,} values")
            sizes.append(self.round)
            mixture = np.logaddexp(mixture, normals[-1].log_density(y) + math.log(self.round))
            mixture = np.concatenate([mixture, log_mixture(normals, sizes, tried)])
            y = np.concatenate([y, tried])
            logs = np.concatenate([logs, log_likelihoods(found[len(logs) :], problem.observed)])
            room = len(y) + self.round <= self.most
            if not np.isfinite(logs).any():
                if room and len(y) < 5 * self.round:
                    normals.append(normals[0])
                    continue
                why = next((one.why.rstrip(".") for one in found if one.why), "a summary never varies there")
                raise DataError(
                    f"none of {len(y)} values from the prior has a synthetic likelihood for "
                    f"{', '.join(problem.names)}: {why}. Leave out summaries that do not vary, or see whether the "
                    "priors suit the model."
                )
            log_weight = logs + normals[0].log_density(y) - (mixture - math.log(len(y)))
            worth = effective(log_weight)
            power = power_for(log_weight, POOL * min(len(y), 4 * self.round))
            stages.append({"values": len(y), "power": power, "effective": worth})
            if (arrived and worth >= self.effective) or not room:
                return y, found, log_weight, stages
            arrived = arrived or power >= NEAR
            normals.append(Normal(*spiked(y, shares(power * log_weight))))

    def _ranks(
        self, y: np.ndarray, found: list[Simulated], log_weight: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """(C, F) of parameters drawn from the posterior among those of the posterior given data made up there as well.

        If the posterior is right, a draw from it that made further data is one from the posterior given both
        (Säilynoja, Schmitt, Bürkner and Vehtari 2025, posterior calibration).
        """
        ranks = []
        for known in np.unique(systematic(shares(log_weight), rng.random(), self.checks)) if self.checks else ():
            if not np.isfinite(found[known].apart).all():
                continue
            both = log_weight + log_likelihoods(found, found[known].apart)
            both[known] = -math.inf
            if effective(both) >= LEAST:
                ranks.append(rank(y[known], y, shares(both)))
        return np.array(ranks).reshape(-1, y.shape[1])

    def _doubts(
        self, problem: Problem, worth: float, noise: float, again: list[Simulated]
    ) -> tuple[tuple[str, ...], bool]:
        """What is wrong, in sentences, and whether nothing is."""
        from scipy.stats import chi2

        notes = []
        if worth < self.effective:
            notes.append(f"the weights are worth {worth:.0f} draws, fewer than {self.effective:g}: raise `most`.")
        if noise > NOISE:
            notes.append(
                f"the log-likelihood at the posterior mean varies by {noise:.2f} from one set of {self.simulations} "
                f"histories to another, more than {NOISE:g}: raise `simulations`."
            )
        seen = problem.observed
        known = [one for one in again if math.isfinite(one.height)]
        z = np.sum([one.inverse @ (seen - one.mean) for one in known], axis=0) / max(len(known), 1)
        chance = float(chi2.sf(np.sum(z**2), len(seen)))
        if chance < UNLIKELY:
            mean = np.mean([one.mean for one in known], axis=0)
            sd = np.sqrt(np.mean([np.diag(np.linalg.inv(one.inverse.T @ one.inverse)) for one in known], axis=0))
            k = int(np.argmax(np.abs(seen - mean) / sd))
            notes.append(
                f"the model hardly reaches what was observed (p {chance:.2g} at the posterior mean): "
                f"{problem.names[k]} is {seen[k]:.4g}, {(seen - mean)[k] / sd[k]:+.1f} sd from its mean there."
            )
        return tuple(notes), not notes


class Repeated:
    """Several histories at a parameter value, for a worker process, by the key of their randomness."""

    def __init__(self, problem: Problem, simulations: int) -> None:
        self.problem, self.simulations = problem, simulations

    def __call__(self, y: np.ndarray, key: tuple[int, ...]) -> Simulated:
        """Mean and covariance of `simulations` histories, and one more apart."""
        values, reasons = self.problem.simulate(y, keyed(*key), self.simulations + 1)
        why = next((words for words in reasons if words), "")
        kept = values[:-1][np.isfinite(values[:-1]).all(axis=1)]
        if len(kept) < values.shape[1] + 3 or (kept.std(axis=0) == 0).any():
            nothing = np.zeros(values.shape[1])
            return Simulated(nothing, np.zeros((len(nothing), len(nothing))), -math.inf, values[-1], why)
        root = np.linalg.cholesky(shrunk(kept))
        height = math.log(len(kept) / self.simulations) - float(np.log(np.diag(root)).sum())
        return Simulated(kept.mean(axis=0), np.linalg.inv(root), height, values[-1], why)


def shrunk(values: np.ndarray) -> np.ndarray:
    """(S, S) covariance of values (N, S), its correlations shrunk towards 0 by the share that their noise makes up.

    Schäfer and Strimmer (2005), Statistical Applications in Genetics and Molecular Biology 4: share = sum of the
    variances of the correlations over the sum of their squares, at most 1, and at least LITTLE. Variances stay.
    """
    n, size = values.shape
    sd = values.std(axis=0, ddof=1)
    z = (values - values.mean(axis=0)) / sd
    correlation = z.T @ z / (n - 1)
    if size == 1:
        return sd[:, None] ** 2
    products = z[:, :, None] * z[:, None, :]
    noise = n / (n - 1) ** 3 * ((products - products.mean(axis=0)) ** 2).sum(axis=0)
    off = ~np.eye(size, dtype=bool)
    signal = float((correlation[off] ** 2).sum())
    share = min(1.0, max(LITTLE, float(noise[off].sum()) / signal)) if signal > 0 else 1.0
    correlation[off] *= 1 - share
    return correlation * np.outer(sd, sd)
