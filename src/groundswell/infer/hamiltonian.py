"""Draws from a posterior that is not far from normal, by Hamiltonian Monte Carlo, with nothing but numpy.

For models with the verb `likelihood` and a prior on every free parameter. The search for the mode and
its curvature come first; in coordinates in which that curvature is the unit matrix a trajectory of a few
steps forgets where it began, so that nearly every draw counts. Where one step length does not fit the
whole posterior (a funnel) that fails, and the result says so; a second mode far from the first is not seen,
for all chains begin around the one that the search has found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import groundswell
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.infer.base import Fit, Progress, silent
from groundswell.infer.density import FreeDensity
from groundswell.models.base import density_of, require
from groundswell.params import from_vector, leaves

ACCEPT = 0.8
"""Share of trajectories that the warm-up aims to keep."""

STEPS = (4, 8)
"""Fewest and most steps of a trajectory, chosen at random so that none resonates."""

LARGEST_RHAT = 1.03
"""Split R-hat of any parameter above which the chains have not come together."""

FEWEST_ACCEPTED = 0.5

Target = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Hamiltonian:
    """`draws` in all from `chains` chains, each after `warm_up` steps that are thrown away.

    The Fit's estimate is the posterior mean and its log_density that of the data there; details has
    "chains", "rhat" (the largest split R-hat), "accepted" (share of trajectories) and "evaluations".
    Papers: Duane, Kennedy, Pendleton and Roweth (1987); split R-hat: Gelman and others (2013), Bayesian
    Data Analysis, section 11.4.
    """

    draws: int = 800
    chains: int = 4
    warm_up: int = 60

    def __post_init__(self) -> None:
        if self.chains < 2 or self.draws < 10 * self.chains or self.warm_up < 10:
            raise UsageError(
                f"{self} cannot run: expected 2 or more chains (to be compared with each other), 10 or more draws of "
                "each and 10 or more steps of warm-up."
            )

    def fit(
        self,
        model: Any,
        setting: Setting,
        observed: Any,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress = silent,
    ) -> Fit:
        """See `infer.base.fit`. Cost: some 8 evaluations of the gradient a draw, and 2 K for the curvature."""
        require(model, "likelihood", "Hamiltonian")
        density = FreeDensity(model, density_of(model, setting, observed), fixed)
        target = _posterior(density)
        middle, scale = _mode(target, density)

        def scaled(z: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = target(middle + scale @ z)
            return value, scale.T @ slope

        length = -(-self.draws // self.chains)
        paths, accepted = np.empty((self.chains, length, len(middle))), 0.0
        for number, source in enumerate(rng.spawn(self.chains)):
            chain = _Chain(scaled, len(middle), source)
            for _ in range(self.warm_up):
                chain.move(learn=True)
            for n in range(length):
                accepted += chain.move() / (self.chains * length)
                paths[number, n] = middle + scale @ chain.at
                if n % 50 == 0:
                    progress((number + n / length) / self.chains, f"chain {number + 1} of {self.chains}, draw {n}")
        progress(1.0, "done")
        draws = np.array([density.natural(at) for at in paths.reshape(self.chains * length, len(middle))])
        return self._result(model, setting, observed, density, draws, split_rhat(paths), accepted)

    def _result(
        self,
        model: Any,
        setting: Setting,
        observed: Any,
        density: FreeDensity,
        draws: np.ndarray,
        rhat: np.ndarray,
        accepted: float,
    ) -> Fit:
        fitted = from_vector(model, draws.mean(axis=0))
        worst = float(rhat.max(initial=1.0))
        converged = worst <= LARGEST_RHAT and accepted >= FEWEST_ACCEPTED
        notes = ()
        if not converged:
            named = density.leaves[int(rhat.argmax())].name if len(rhat) else "none"
            notes = (
                f"The chains have not come together (split R-hat {worst:.2f} for {named}, {100 * accepted:.0f} % of "
                "trajectories kept): the posterior is far from normal. Raise draws and warm_up, narrow a prior or hold "
                "a parameter.",
            )
        return Fit(
            model=fitted,
            method=self,
            names=tuple(leaf.name for leaf in leaves(model)),
            estimate=draws.mean(axis=0),
            standard_error=draws.std(axis=0),
            log_density=float(fitted.log_density(setting, observed)),
            status=f"{'Converged' if converged else 'Not converged'}: {self.chains} chains, {len(draws):,} draws, "
            f"largest split R-hat {worst:.3f}, {100 * accepted:.0f} % of trajectories kept.",
            converged=converged,
            notes=notes,
            covariance=np.atleast_2d(np.cov(draws.T)),
            draws=draws,
            details={
                "chains": self.chains,
                "rhat": worst,
                "accepted": accepted,
                "evaluations": density.evaluations,
            },
            provenance={
                "method": repr(self),
                "model": type(model).__name__,
                "version": groundswell.__version__,
                "digest": observed.digest() if hasattr(observed, "digest") else "",
            },
        )


class _Chain:
    """A chain in coordinates of unit curvature. at, value, slope : where it is, and minus the log density there."""

    def __init__(self, target: Target, count: int, rng: np.random.Generator) -> None:
        self.target, self.rng = target, rng
        self.at = rng.standard_normal(count)
        self.value, self.slope = target(self.at)
        while not math.isfinite(self.value):
            self.at = self.at / 2
            self.value, self.slope = target(self.at)
        self.step = 1.2 * max(count, 1) ** -0.25

    def move(self, learn: bool = False) -> float:
        """One trajectory; the chance with which it was kept. While learning, the step moves towards ACCEPT."""
        rng, step = self.rng, self.step * self.rng.uniform(0.7, 1.3)
        speed = rng.standard_normal(len(self.at))
        at, value, slope = self.at, self.value, self.slope
        before = value + 0.5 * speed @ speed
        for _ in range(int(rng.integers(*STEPS, endpoint=True))):
            speed = speed - 0.5 * step * slope
            at = at + step * speed
            value, slope = self.target(at)
            if not math.isfinite(value):
                break
            speed = speed - 0.5 * step * slope
        chance = math.exp(min(0.0, before - value - 0.5 * float(speed @ speed))) if math.isfinite(value) else 0.0
        if rng.random() < chance:
            self.at, self.value, self.slope = at, value, slope
        if learn:
            self.step *= math.exp(0.1 * (chance - ACCEPT))
        return chance


def _posterior(density: FreeDensity) -> Target:
    """Minus the log posterior on free coordinates, on which priors are normal as they stand."""
    center, sd = (np.array([getattr(leaf, what) for leaf in density.leaves]) for what in ("center", "sd"))

    def target(at: np.ndarray) -> tuple[float, np.ndarray]:
        lost, slope = density(at)
        apart = (at - center) / sd
        return lost + 0.5 * float(apart @ apart), slope + apart / sd

    return target


def _mode(target: Target, density: FreeDensity) -> tuple[np.ndarray, np.ndarray]:
    """The mode, and a square root of the inverse curvature there."""
    from scipy.optimize import minimize

    value, _ = target(density.start)
    if not math.isfinite(value):
        raise UsageError(
            f"the log density is not finite at the starting values {density.words(density.start)}. Choose other values "
            "for the model's parameters: they are the starting values."
        )
    count = len(density.start)
    if not count:
        return density.start, np.eye(0)
    at = minimize(target, density.start, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "maxcor": 30}).x
    reach = 1e-4
    rows = [(target(at + step)[1] - target(at - step)[1]) / (2 * reach) for step in reach * np.eye(count)]
    curvature, axes = np.linalg.eigh((np.array(rows) + np.transpose(rows)) / 2)
    return at, axes / np.sqrt(np.maximum(curvature, 1e-6 * curvature.max()))


def split_rhat(paths: np.ndarray) -> np.ndarray:
    """(K,) split R-hat of chains (C, N, K): spread of all halves of chains together over that within them."""
    half = paths.shape[1] // 2
    halves = np.concatenate([paths[:, :half], paths[:, -half:]])
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = halves.mean(axis=1).var(axis=0, ddof=1)
    return np.sqrt((half - 1) / half + between / np.maximum(within, 1e-300))
