"""A fast approximate posterior of an account's parameters given claims: a normal, found by climbing a relaxation.

`Relaxed` makes the probability of the claims smooth in the parameters, with its gradient. Its mode under the prior is
climbed to; histories simulated there set the level and the spread of the totals that claims speak of, and the mode is
climbed to again, until it stays. There the curvature is taken by differences of the gradient (Laplace's method, Tierney
and Kadane 1986). Leans and speakers' effects follow given the parameters.

Exact filters at draws from the normal tell how good it is, and weigh the draws: importance sampling with the normal as
proposal, whose weights' tail says whether it can be relied on (Vehtari, Simpson, Gelman, Yao and Gabry 2024).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError
from groundswell.infer._particle_loops import systematic
from groundswell.infer.averaged import Belief
from groundswell.infer.base import Fit, Progress
from groundswell.infer.importance import Normal, effective, log_mean, log_mixture, power_for, shares, spiked
from groundswell.infer.pareto import RELIABLE, smoothed
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.relaxed import Anchor, Relaxed
from groundswell.infer.target import Start, Target
from groundswell.infer.workers import Workers, kept_alive
from groundswell.models.base import Account
from groundswell.models.reporting.integration import integrable
from groundswell.params import leaves, replacing
from groundswell.rng import keyed

STAYS = 0.1
"""Prior sd by which no parameter may move any more, from mode to mode, for the climbs to end."""
LEVEL = 0.02
"""Largest slope of the log posterior, per prior sd, at which a mode is reached."""
APART = 0.5
"""Prior sd of the steps by which curvature is taken: so wide that it is that of the bulk, and not of the very top."""
LEAST = 0.25
"""Least curvature: of a normal twice as wide as the prior."""
TOLD = 0.15
"""Difference of a direction's log variance from the prior's beyond which the claims tell of it."""
ROUND = 200
"""Exact filters before the normal is made anew from what they say."""
DIFFERENT = 0.25
"""Prior sd between a parameter's mean in the normal and in the weighed draws beyond which it is named."""


@dataclass(frozen=True)
class Relaxation:
    """particles : N draws that are handed out. histories : simulated at every mode. rounds : climbs at most.

    filters : exact filters at draws from the normal, which check and correct it; 0 leaves the normal as it is.
    filter : the particle filter. processes : how many work at once; the result is the same for any number.

    In seconds what TemperedSMC does in a minute or more: for screening, refits without a claim, and studies of power.
    docs/inference.md says how far off it was, and when not to trust it.
    """

    particles: int = 800
    histories: int = 400
    rounds: int = 6
    filters: int = 0
    filter: ParticleFilter = field(default_factory=ParticleFilter)
    processes: int = 1

    def __post_init__(self) -> None:
        if min(self.particles, self.histories) < 10 or min(self.rounds, self.processes) < 1 or 0 < self.filters < 25:
            raise UsageError(
                f"{self} cannot run: 10 or more particles and histories, 1 round and 1 process or more are needed, and "
                "25 filters or more to check it, or none."
            )
        if self.filters < 0:
            raise UsageError(f"Relaxation was given filters={self.filters}; expected 0, for no check, or 25 or more.")

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
        """The posterior as draws from a normal; log_density is the log evidence, by Laplace's method.

        With `filters`, draws are weighed by them and log_density is the importance-sampling estimate. details :
        "normal" log evidence of the normal alone; "start" that normal, for a TemperedSMC to begin at; "effective" and
        "pareto_k" of the weights, NaN without filters.
        MissingVerb where the process has no mean field.
        """
        if not isinstance(model, Account) or not isinstance(observed, Record):
            raise UsageError("Relaxation weighs a Record of claims under an Account(process, reporting).")
        return _Fitter(self, model, setting, observed, rng, fixed, progress).run()


@dataclass(frozen=True)
class _Drawn:
    """Parameters y (S, K), effects (S, U), log weights (S,) and the names of the filters' randomness (S, 2)."""

    y: np.ndarray
    effects: np.ndarray
    log_weight: np.ndarray
    seeds: np.ndarray


@dataclass(frozen=True)
class _Told:
    """Log evidence, and that of the normal alone; what the weights are worth, and the shape of their tail."""

    evidence: float
    by_normal: float
    worth: float
    shape: float


def minus(relaxed: Relaxed, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the log posterior density but for the prior's constant, and its gradient."""
    with np.errstate(all="ignore"):  # far points are tried, and refused here
        value, slope = relaxed(y)
    if not np.isfinite(value + slope.sum()):
        return 1e10, np.zeros(len(y))
    return 0.5 * float(y @ y) - value, y - slope


class _Slopes:
    """Slopes of `minus` about a mode, and the effects' means there; built once in every process.

    Each is searched from the mode's own belief, so that none depends on those before it.
    """

    def __init__(self, given: tuple[Any, ...], anchor: Anchor, belief: Belief) -> None:
        self.relaxed, self.belief = Relaxed(*given), belief
        self.relaxed.anchor = anchor

    def __call__(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.relaxed.belief = self.belief
        return minus(self.relaxed, y)[1], self.relaxed.belief.mean


class _Fitter:
    def __init__(
        self, method: Relaxation, account: Account, setting: Setting, record: Record, rng: np.random.Generator,
        fixed: Mapping[str, float], progress: Progress,
    ):  # fmt: skip
        self.method, self.account, self.setting, self.record = method, account, setting, record
        self.progress = progress
        every = leaves(account)
        self.learnt = [leaf for leaf in every if leaf.prior is not None and leaf.name not in fixed]
        self.held = [leaf.name for leaf in every if leaf.prior is None and leaf.name not in fixed]
        effects = [f"reporting.{name}" for name in integrable(account.reporting)]
        self.free = [leaf for leaf in self.learnt if leaf.name not in effects]
        self.effects = [leaf for leaf in self.learnt if leaf.name in effects]
        self.names = tuple(leaf.name.removeprefix("reporting.") for leaf in self.effects)
        self.root = int(rng.integers(0, 2**63))
        self.given = (account, setting, record, self.free, self.names)
        self.relaxed = Relaxed(*self.given)

    def run(self) -> Fit:
        with kept_alive(self.method.processes, Target.__module__):
            return self._run()

    def _run(self) -> Fit:
        top, rounds, stayed = self._climb()
        normal, effects, log_evidence = self._normal(top)
        if self.method.filters:
            drawn = self._weigh(normal)
            told = _Told(
                log_mean(drawn.log_weight), log_evidence, effective(drawn.log_weight), tail_shape(drawn.log_weight)
            )
        else:
            drawn = self._draw(normal, top, effects)
            told = _Told(log_evidence, log_evidence, float(len(drawn.y)), math.nan)
        return self._fit(drawn, told, normal, rounds, stayed)

    def _climb(self) -> tuple[np.ndarray, int, bool]:
        """The mode, after how many rounds, and whether it stayed in the last."""
        from scipy.optimize import minimize

        method, y = self.method, np.zeros(len(self.free))
        for at in range(1, method.rounds + 1):
            # the same random numbers at every mode, so that nothing but the mode moves
            self.relaxed.anchored(y, method.histories, rng=keyed(self.root, 0))
            if not len(y):
                minus(self.relaxed, y)
                return y, at, True
            downhill = partial(minus, self.relaxed)
            found = minimize(downhill, y, jac=True, method="BFGS", options={"gtol": LEVEL, "maxiter": 200})
            moved, y = float(np.abs(found.x - y).max(initial=0.0)), found.x
            self.progress(0.4 * at / method.rounds, f"mode {at}: log density {-found.fun:.2f}, moved by {moved:.2f}")
            if moved < STAYS:
                return y, at, True
        return y, method.rounds, False

    def _normal(self, top: np.ndarray) -> tuple[Normal, tuple[np.ndarray, np.ndarray], float]:
        """The normal; the effects' mean at the mode and its slopes (K, U) in the parameters; the log evidence.

        The mean lies beside the mode where the density falls unevenly: slopes averaged over the normal are 0 there, to
        the first order, along the directions of which the claims tell.
        """
        value, slope = minus(self.relaxed, top)
        belief = self.relaxed.belief
        with Workers((_Slopes, (self.given, self.relaxed.anchor, belief)), self.method.processes) as workers:
            up, down, above, below = self._around(top, APART * np.eye(len(top)), workers)
            square = (up - down) / (2 * APART)
            turns = (above - below) / (2 * APART)
            self.progress(0.7, "curvature")
            bends, axes = np.linalg.eigh((square + square.T) / 2)
            self.flat = int((bends < LEAST).sum())
            bends = np.maximum(bends, LEAST)
            told = np.abs(np.log(bends)) > TOLD
            uneven = slope
            if told.any():
                up, down, _, _ = self._around(top, (axes / np.sqrt(bends)).T[told], workers)
                uneven = slope + 0.5 * (up - 2 * slope + down).sum(axis=0)
        shift = axes @ ((axes.T @ uneven) / bends)
        shift *= min(1.0, 1 / max(float(np.abs(shift).max(initial=0.0)), 1e-300))
        effects, made = len(self.effects), self.relaxed.effects
        following = (made.center + made.sd * belief.mean[:effects], turns[:, :effects] * made.sd)
        root = np.linalg.cholesky((axes / bends) @ axes.T)
        return Normal(top - shift, root), following, -value - 0.5 * float(np.log(bends).sum())

    def _around(self, top: np.ndarray, steps: np.ndarray, workers: Workers) -> tuple[np.ndarray, ...]:
        """Slopes (N, K) one step up and one step down from the mode, and the effects' means there."""
        found = workers.map([(top + step,) for step in [*steps, *-steps]])
        self.relaxed.evaluations += len(found)
        wide = len(top), len(self.relaxed.belief.mean)
        slopes, means = (np.array([one[at] for one in found]).reshape(len(found), wide[at]) for at in (0, 1))
        here = len(steps)
        return slopes[:here], slopes[here:], means[:here], means[here:]

    def _draw(self, normal: Normal, top: np.ndarray, effects: tuple[np.ndarray, np.ndarray]) -> _Drawn:
        """Draws from the normal, with effects as the averaged claims have them given the parameters."""
        count, size, sd = len(self.effects), self.method.particles, self.relaxed.effects.sd
        rng = keyed(self.root, 2)
        y = normal.draw(size, rng)
        root = sd[:, None] * np.linalg.cholesky(self.relaxed.belief.spread[:count, :count])
        given = effects[0] + (y - top) @ effects[1] + rng.standard_normal((size, count)) @ root.T
        return _Drawn(y, given, np.zeros(size), np.stack([np.zeros(size, np.int64), np.arange(size)], axis=1))

    def _weigh(self, normal: Normal) -> _Drawn:
        """Draws weighed by exact filters: first from the normal, then from what the weights make of it.

        All are weighed as one sample from the mixture of all normals, as TemperedSMC does from the prior on.
        """
        method, width = self.method, len(self.free)
        target = (Target, (self.account, self.setting, self.record, method.filter, self.free, self.names))
        prior = Normal(np.zeros(width), np.eye(width))
        normals: list[Normal] = []
        sizes: list[int] = []
        y, logs, effects = np.empty((0, width)), np.empty(0), np.empty((0, len(self.effects)))
        log_weight = np.empty(0)
        with Workers(target, method.processes) as workers:
            while len(y) < method.filters:
                at, size = len(normals), min(ROUND, method.filters - len(y))
                tried = normal.draw(size, keyed(self.root, 2, at))
                tasks = [
                    (self.relaxed.center + self.relaxed.sd * row, (self.root, 1, at, i)) for i, row in enumerate(tried)
                ]
                found = workers.map(tasks)
                normals.append(normal)
                sizes.append(size)
                y, logs = np.concatenate([y, tried]), np.concatenate([logs, [log for log, _ in found]])
                nothing = np.zeros(len(self.effects))
                effects = np.concatenate([effects, [nothing if drawn is None else drawn for _, drawn in found]])
                if not np.isfinite(logs).any():
                    raise DataError(
                        f"none of {len(y)} draws from the normal can produce these {len(self.record)} claims in an "
                        "exact filter: the relaxation is far off. Use TemperedSMC."
                    )
                log_weight = logs + prior.log_density(y) - log_mixture(normals, sizes, y) + math.log(len(y))
                power = power_for(log_weight, min(ROUND, 0.25 * len(y)))
                normal = Normal(*spiked(y, shares(power * log_weight)))
                self.progress(0.7 + 0.3 * len(y) / method.filters, f"{len(y)} filters")
        seeds = np.array([(at, i) for at, size in enumerate(sizes) for i in range(size)])
        return _Drawn(y, effects, log_weight, seeds)

    def _fit(self, drawn: _Drawn, told: _Told, normal: Normal, rounds: int, stayed: bool) -> Fit:
        method, relaxed, weight = self.method, self.relaxed, shares(drawn.log_weight)
        places = {leaf.name: k for k, leaf in enumerate([*self.free, *self.effects])}
        order = [places[leaf.name] for leaf in self.learnt]
        z = np.hstack([relaxed.center + relaxed.sd * drawn.y, drawn.effects])[:, order]
        index = systematic(weight, keyed(self.root, 3).random(), method.particles)
        values = np.array([[leaf.from_free(x) for leaf, x in zip(self.learnt, row, strict=True)] for row in z])
        mean = weight @ values
        centred = values - mean
        covariance = (centred * weight[:, None]).T @ centred
        at = dict(zip([leaf.name for leaf in self.learnt], weight @ z, strict=True))
        checked = method.filters > 0
        reliable = not checked or told.shape <= RELIABLE
        status = f"{rounds} modes, {relaxed.evaluations} evaluations of the relaxation"
        if checked:
            status += f", {method.filters} exact filters worth {told.worth:.0f} draws"
        return Fit(
            model=replacing(self.account, {leaf.name: leaf.from_free(at[leaf.name]) for leaf in self.learnt}),
            method=replace(method, processes=1),
            names=tuple(leaf.name for leaf in self.learnt),
            estimate=mean,
            standard_error=np.sqrt(np.diag(covariance)),
            log_density=told.evidence,
            status=status,
            converged=stayed and reliable,
            notes=self._notes(stayed, told, weight @ drawn.y - normal.middle),
            covariance=covariance,
            draws=values[index],
            details={
                "normal": told.by_normal, "start": Start.near([leaf.name for leaf in self.free], normal),
                "effective": told.worth, "pareto_k": told.shape, "tried": values, "weight": weight, "index": index,
                "free": z[index], "root": self.root, "seeds": drawn.seeds[index], "stages": [],
                "evaluations": relaxed.evaluations + method.filters, "leaves": self.learnt, "integrated": self.names,
            },
            provenance={"method": "Relaxation", "record": self.record.digest()},
        )  # fmt: skip

    def _notes(self, stayed: bool, told: _Told, apart: np.ndarray) -> tuple[str, ...]:
        notes = []
        if self.held:
            notes.append("held at their values for want of a prior: " + ", ".join(self.held))
        if not stayed:
            notes.append(f"the mode still moved after {self.method.rounds} rounds: raise `rounds`, or use TemperedSMC.")
        if self.flat:
            notes.append(
                f"in {self.flat} directions the relaxed posterior is more than twice as wide as the prior; it was "
                "taken as twice as wide. Use TemperedSMC."
            )
        if not self.method.filters:
            return (
                *notes,
                "approximate: a normal about the mode of a relaxation, not checked by exact filters (`filters`)",
            )
        notes.append(
            f"approximate, and weighed by {self.method.filters} exact filters, worth {told.worth:.0f} draws; log "
            f"evidence {told.evidence:.2f}, by the normal alone {told.by_normal:.2f}; tail of weights {told.shape:.2f}"
        )
        noise = 3 / math.sqrt(max(told.worth, 1.0))
        far = [leaf.name for leaf, by in zip(self.free, apart, strict=True) if abs(by) > max(DIFFERENT, noise)]
        if far:
            notes.append(f"the normal alone is off by more than {DIFFERENT:g} prior sd in " + ", ".join(far))
        if told.shape > RELIABLE:
            notes.append(
                f"the weights' tail has shape {told.shape:.2f}, above {RELIABLE:g}: the weighed draws cannot be relied "
                "on. Give more filters, or use TemperedSMC."
            )
        return tuple(notes)


def tail_shape(log_weight: np.ndarray) -> float:
    """Shape k of the tail of weights (`infer.pareto`); NaN where they are all equal, or too few for a tail."""
    k = smoothed(log_weight)[1]
    return k if math.isfinite(k) and np.ptp(log_weight) > 0 else math.nan
