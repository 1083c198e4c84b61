"""Particle Markov chain Monte Carlo: the plain reference for `TemperedSMC`.

Metropolis and Hastings's chain with the particle filter's unbiased estimate in the place of the likelihood, kept with
the state until a proposal is accepted, has the exact posterior as its law, whatever the noise; the noise only makes it
stick (Andrieu, Doucet and Holenstein 2010, particle marginal Metropolis-Hastings; Andrieu and Roberts 2009). Leans and
speakers' effects are integrated out by the filter and drawn with each estimate, as in `TemperedSMC`.

It shares the filter with `TemperedSMC` and nothing else: no normal is fitted to the posterior, no draw is weighed. Use
it to check, not to work: on the Iranian claims a chain forgets where it was after a hundred steps or more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from groundswell.data.evidence import Evidence
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError
from groundswell.infer.base import Fit, Progress
from groundswell.infer.hamiltonian import split_rhat
from groundswell.infer.importance import log_mean, spiked
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.target import Coordinates, Target
from groundswell.infer.workers import Workers
from groundswell.models.base import Account
from groundswell.params import replacing
from groundswell.rng import keyed

ACCEPT = 0.15
"""Share of proposals that the pilot aims to have accepted: .23 for a likelihood without noise, .07 for a noisy one
(Sherlock, Thiery, Roberts and Rosenthal 2015); the sd of a filter here is about 1."""
LARGEST_RHAT = 1.05
FEWEST = 100.0
"""Effective draws of each parameter below which a run is flagged."""
BLOCK = 50
"""Steps after which the pilot learns, and progress is told."""
FILTERS = 20
"""Filters at the posterior mean whose average is reported."""


@dataclass(frozen=True)
class ParticleMCMC:
    """draws : steps of each chain that are kept. warm_up : steps before, in which the proposals are learnt, then left.

    chains : started apart, from the prior or, with a pilot, from its draws. filter : more histories make the chains
    stick less. pilot : a TemperedSMC fit of the same account and record, whose draws give the proposals' covariance;
    it saves the way from the prior, which is long in many dimensions. processes : how many chains move at once; the
    result is the same for any number, to the bit.
    """

    draws: int = 1_000
    warm_up: int = 500
    chains: int = 4
    filter: ParticleFilter = field(default_factory=ParticleFilter)
    pilot: Fit | None = field(default=None, repr=False)
    processes: int = 1

    def __post_init__(self) -> None:
        if self.draws < 20 or self.warm_up < 0 or self.chains < 2 or self.processes < 1:
            raise UsageError(
                f"{self} cannot run: two chains or more of 20 draws or more are needed, and 1 process or more."
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
        """The posterior as the chains' draws, one chain after the other; log_density is that of the claims at its mean.

        details : "columns" with R-hat and effective draws by parameter; "accepted", the share of proposals; "free"
        (C N, L) and "log_likelihood" (C N,), the draws on free coordinates and their filters' estimates.
        Cost: chains (draws + warm_up) filters.
        """
        if not isinstance(model, Account) or not isinstance(observed, Record | Evidence):
            raise UsageError("ParticleMCMC weighs a Record of claims under an Account(process, reporting).")
        where, root = Coordinates.of(model, fixed), int(rng.integers(0, 2**63))
        arguments = (model, setting, observed, self.filter, where)
        total = -(-self.warm_up // BLOCK) + -(-self.draws // BLOCK)
        paths: list[list[Path]] = []
        scale = 2.4 / math.sqrt(max(len(where.free), 1))
        states, shape = self._start(where, root)
        with Workers((Walk, arguments), self.processes) as workers:
            for block in range(total):
                kept = block >= total - -(-self.draws // BLOCK)
                moves = [(state, scale * shape, (root, 1, chain, block)) for chain, state in enumerate(states)]
                made = workers.map(moves)
                paths.append(made)
                states = [path.last for path in made]
                accepted = float(np.mean([path.accepted for path in made]))
                progress((block + 1) / (total + 1), f"block {block + 1} of {total}, {accepted:.0%} accepted")
                if not kept:
                    scale *= math.exp(min(1.0, 2 / math.sqrt(block + 1)) * (accepted - ACCEPT) / ACCEPT / 2)
                    if self.pilot is None:
                        shape = _learnt(paths[block // 2 :], shape)
            if any(state.log == -math.inf for state in states):
                raise DataError(
                    "a chain found no parameter values at which the claims are possible. Check units, windows and "
                    "places of the claims, or give a pilot: ParticleMCMC(pilot=fit(..., TemperedSMC(), ...))."
                )
            found = self._gather(where, paths[-(-self.warm_up // BLOCK) :])
        middle = where.unwhitened(found["y"].mean(axis=(0, 1)))
        target = Walk(*arguments).target
        logs = np.array([target(middle, (root, 2, i))[0] for i in range(FILTERS)])
        return self._fit(model, observed, where, found, log_mean(logs))

    def _start(self, where: Coordinates, root: int) -> tuple[list[State], np.ndarray]:
        """Where the chains begin, without an estimate yet, and a root of the proposals' covariance."""
        width, effects, rng = len(where.free), np.zeros(len(where.integrated)), keyed(root, 0)
        if self.pilot is None:
            y, shape = rng.standard_normal((self.chains, width)), np.eye(width)
        else:
            at = {leaf.name: k for k, leaf in enumerate(self.pilot.details["leaves"])}
            draws = where.whitened(self.pilot.details["free"][:, [at[leaf.name] for leaf in where.free]])
            y = draws[rng.choice(len(draws), self.chains, replace=False)]
            shape = spiked(draws, np.full(len(draws), 1 / len(draws)))[1]
        return [State(row, -math.inf, effects) for row in y], shape

    def _gather(self, where: Coordinates, paths: list[list[Path]]) -> dict[str, np.ndarray]:
        """Chains by steps: "y" (C, N, K), "effects" (C, N, U), "logs" (C, N); "accepted" (C,), the share by chain."""
        chains = list(zip(*paths, strict=True))
        every = {
            name: np.array([np.concatenate([getattr(path, name) for path in chain])[: self.draws] for chain in chains])
            for name in ("y", "effects", "logs")
        }
        return every | {"accepted": np.array([[path.accepted for path in chain] for chain in chains]).mean(axis=1)}

    def _fit(
        self,
        model: Account,
        observed: Record | Evidence,
        where: Coordinates,
        found: dict[str, np.ndarray],
        log_density: float,
    ) -> Fit:
        chains, length = found["logs"].shape
        z = where.together(*(found[name].reshape(chains * length, -1) for name in ("y", "effects")))
        paths = z.reshape(chains, length, -1)
        rhat, worth = split_rhat(paths), effective_of_chains(paths)
        values, middle = where.natural(z), z.mean(axis=0)
        names = tuple(leaf.name for leaf in where.learnt)
        notes = [*where.words()]
        if rhat.max(initial=1.0) > LARGEST_RHAT:
            k = int(rhat.argmax())
            notes.append(
                f"R-hat of {names[k]} is {rhat[k]:.2f}: the chains have not come together. Raise `draws` and "
                "`warm_up`, give the filter more histories, or give a pilot."
            )
        if worth.min(initial=math.inf) < FEWEST:
            k = int(worth.argmin())
            notes.append(f"{names[k]} has {worth[k]:.0f} effective draws, fewer than {FEWEST:g}: raise `draws`.")
        return Fit(
            model=replacing(
                model, {leaf.name: leaf.from_free(x) for leaf, x in zip(where.learnt, middle, strict=True)}
            ),
            method=replace(self, processes=1, pilot=None),
            names=names,
            estimate=values.mean(axis=0),
            standard_error=values.std(axis=0),
            log_density=log_density,
            status=f"{chains} chains of {length:,} draws, largest R-hat {rhat.max(initial=1.0):.3f}, fewest effective "
            f"draws {worth.min(initial=math.inf):.0f}, {found['accepted'].mean():.0%} of proposals accepted",
            converged=len(notes) == len(where.words()),
            notes=tuple(notes),
            covariance=np.atleast_2d(np.cov(values.T)),
            draws=values,
            details={
                "columns": {"R-hat": rhat, "ESS": worth}, "accepted": float(found["accepted"].mean()), "free": z,
                "log_likelihood": found["logs"].reshape(-1), "leaves": list(where.learnt),
                "integrated": where.effects,
            },
            provenance={"method": "ParticleMCMC", "record": observed.digest()},
        )  # fmt: skip


class State(NamedTuple):
    """Where a chain is: y (K,), the filter's estimate there, and the effects drawn with it (U,)."""

    y: np.ndarray
    log: float
    effects: np.ndarray


class Path(NamedTuple):
    """Steps of one chain: y (n, K), effects (n, U), logs (n,), the share accepted and the last state."""

    y: np.ndarray
    effects: np.ndarray
    logs: np.ndarray
    accepted: float
    last: State


class Walk:
    """A chain's next steps, as many as a block has; built once in every process."""

    def __init__(
        self, account: Account, setting: Setting, record: Record | Evidence, filter: ParticleFilter, where: Coordinates
    ) -> None:
        self.where = where
        self.target = Target(account, setting, record, filter, where.free, where.effects)

    def __call__(self, state: State, shape: np.ndarray, key: tuple[int, ...]) -> Path:
        """From `state`, with proposals of root covariance `shape` (K, K) and the randomness of `key`."""
        if state.log == -math.inf:
            state = self._estimated(state.y, (*key, 0))
        rng, visited, accepted = keyed(*key), [], 0
        for step in range(1, BLOCK + 1):
            there = self._estimated(state.y + shape @ rng.standard_normal(len(state.y)), (*key, step))
            gain = there.log - state.log + 0.5 * float(state.y @ state.y - there.y @ there.y)
            if there.log > -math.inf and math.log1p(-rng.random()) < gain:
                state, accepted = there, accepted + 1
            visited.append(state)
        y, logs, effects = (np.array(column) for column in zip(*visited, strict=True))
        return Path(y, effects, logs, accepted / BLOCK, state)

    def _estimated(self, y: np.ndarray, key: tuple[int, ...]) -> State:
        log, effects = self.target(self.where.unwhitened(y), key)
        return State(y, log, np.zeros(len(self.where.integrated)) if effects is None else effects)


def _learnt(paths: list[list[Path]], before: np.ndarray) -> np.ndarray:
    """A root of the covariance of the warm-up so far, of all chains; as before while there are too few places."""
    y = np.concatenate([path.y for block in paths for path in block])
    places = len(np.unique(y[:, 0])) if y.shape[1] else 0
    return spiked(y, np.full(len(y), 1 / len(y)))[1] if places > 10 * y.shape[1] else before


def effective_of_chains(paths: np.ndarray) -> np.ndarray:
    """(K,) effective draws of chains (C, N, K): C N over 1 + 2 sum of autocorrelations.

    Summed in pairs of lags while a pair is above 0 (Geyer 1992), around the mean of all chains, so that chains that are
    apart count as correlated.
    """
    chains, length, _ = paths.shape
    centred = paths - paths.mean(axis=(0, 1))
    spectrum = np.fft.rfft(centred, 2 * length, axis=1)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, 2 * length, axis=1)[:, :length].mean(axis=0) / length
    correlation = covariance / np.maximum(covariance[0], 1e-300)
    pairs = correlation[: length // 2 * 2].reshape(length // 2, 2, -1).sum(axis=1)
    kept = np.cumprod(pairs > 0, axis=0)
    return chains * length / np.maximum(2 * (pairs * kept).sum(axis=0) - 1, 1 / (chains * length))
