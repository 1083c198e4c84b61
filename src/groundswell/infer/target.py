"""What a sampler of claims searches over, and the particle filter as a function of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from groundswell.data.evidence import Evidence
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.infer.base import Fit
from groundswell.infer.importance import Normal, spiked
from groundswell.infer.particle import ParticleFilter
from groundswell.models.base import Account
from groundswell.models.reporting.integration import integrable
from groundswell.params import Leaf, leaves, replacing
from groundswell.rng import keyed

BELIEVED = 0.85
"""Of what a start knows beyond the prior: a normal that is too narrow misses what lies far out (docs/decisions/080)."""


@dataclass(frozen=True)
class Coordinates:
    """The parameters of an account, sorted by how they are learnt.

    learnt : those with a prior that are not fixed, in the account's order: `free` and `integrated` together.
    free : searched over, in coordinates y in which the prior is standard normal. integrated : leans and speakers'
    effects, which the filter sums out and draws. held : those without a prior, which stay at their values.
    """

    learnt: tuple[Leaf, ...]
    free: tuple[Leaf, ...]
    integrated: tuple[Leaf, ...]
    held: tuple[str, ...]

    @classmethod
    def of(cls, account: Account, fixed: Mapping[str, float]) -> Coordinates:
        """Sort the parameters of an account."""
        every = [leaf for leaf in leaves(account) if leaf.name not in fixed]
        learnt = tuple(leaf for leaf in every if leaf.prior is not None)
        effects = {f"reporting.{name}" for name in integrable(account.reporting)}
        return cls(
            learnt,
            tuple(leaf for leaf in learnt if leaf.name not in effects),
            tuple(leaf for leaf in learnt if leaf.name in effects),
            tuple(leaf.name for leaf in every if leaf.prior is None),
        )

    @property
    def effects(self) -> tuple[str, ...]:
        """The integrated parameters by their names in the reporting model."""
        return tuple(leaf.name.removeprefix("reporting.") for leaf in self.integrated)

    def unwhitened(self, y: np.ndarray) -> np.ndarray:
        """Free coordinates of y, (..., K)."""
        return np.array([leaf.center for leaf in self.free]) + np.array([leaf.sd for leaf in self.free]) * y

    def whitened(self, z: np.ndarray) -> np.ndarray:
        """y of free coordinates, (..., K)."""
        return (z - np.array([leaf.center for leaf in self.free])) / np.array([leaf.sd for leaf in self.free])

    def together(self, y: np.ndarray, effects: np.ndarray) -> np.ndarray:
        """(N, L) free coordinates of everything learnt, from y (N, K) and effects (N, U)."""
        places = {leaf.name: k for k, leaf in enumerate([*self.free, *self.integrated])}
        return np.hstack([self.unwhitened(y), effects])[:, [places[leaf.name] for leaf in self.learnt]]

    def natural(self, z: np.ndarray) -> np.ndarray:
        """(N, L) values in natural units of free coordinates z."""
        return np.array([[leaf.from_free(x) for leaf, x in zip(self.learnt, row, strict=True)] for row in z])

    def words(self) -> tuple[str, ...]:
        """A sentence on what is held for want of a prior, if anything is."""
        return ("held at their values for want of a prior: " + ", ".join(self.held),) if self.held else ()


@dataclass(frozen=True)
class Start:
    """Where the posterior of one account lies, for a run of another one that is near: the same with a part left out.

    names : K searched parameters. middle (K,), covariance (K, K) : in coordinates in which their prior is standard
    normal, as plain tuples, so that `asdict` can be written to a file. A parameter that it does not know begins as in
    the prior.
    """

    names: tuple[str, ...]
    middle: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, found: Fit) -> Start:
        """From a TemperedSMC fit: all values that it tried, by their weights."""
        known = {leaf.name: (k, leaf) for k, leaf in enumerate(found.details["leaves"])}
        effects = {f"reporting.{name}" for name in found.details["integrated"]}
        free = [(k, leaf) for name, (k, leaf) in known.items() if name not in effects]
        tried = found.details["tried"]
        y = np.array([[(leaf.to_free(x) - leaf.center) / leaf.sd for x in tried[:, k]] for k, leaf in free])
        normal = Normal(*spiked(y.reshape(len(free), -1).T, found.details["weight"]))
        return cls.near([leaf.name for _, leaf in free], normal)

    @classmethod
    def near(cls, names: Sequence[str], normal: Normal) -> Start:
        """From a normal in such coordinates."""
        covariance = tuple(map(tuple, (normal.root @ normal.root.T).tolist()))
        return cls(tuple(names), tuple(normal.middle.tolist()), covariance)

    def normal(self, where: Coordinates) -> Normal:
        """The normal in the coordinates of another account, of whose precision beyond the prior's BELIEVED is kept."""
        middle, covariance = np.zeros(len(where.free)), np.eye(len(where.free))
        both = [(k, self.names.index(leaf.name)) for k, leaf in enumerate(where.free) if leaf.name in self.names]
        here, there = ([pair[side] for pair in both] for side in (0, 1))
        middle[here] = np.array(self.middle)[there]
        covariance[np.ix_(here, here)] = np.array(self.covariance)[np.ix_(there, there)]
        prior = np.eye(len(where.free))
        precision = prior + BELIEVED * (np.linalg.inv(covariance) - prior)
        return Normal(middle, np.linalg.cholesky(np.linalg.inv(precision)))


class Target:
    """The filter as a function of free coordinates; built once in every process."""

    def __init__(
        self, account: Account, setting: Setting, record: Record | Evidence, filter: ParticleFilter,
        free: tuple[Leaf, ...], integrated: tuple[str, ...],
    ):  # fmt: skip
        self.filter, self.free = filter, free
        self.plan = filter.plan(account, setting, record, integrated)
        made = self.plan.integration
        self.account = account if made is None else replace(account, reporting=made.middle(account.reporting))

    def model(self, z: np.ndarray) -> Account:
        """The account at free coordinates z, (K,)."""
        return replacing(self.account, {leaf.name: leaf.from_free(x) for leaf, x in zip(self.free, z, strict=True)})

    def __call__(self, z: np.ndarray, key: tuple[int, ...]) -> tuple[float, np.ndarray | None]:
        """Log of the filter's estimate at z with the randomness of `key`, and the effects drawn."""
        run = self.filter.run(self.plan, self.model(z), rng=keyed(*key))
        return run.log_likelihood, run.effects
