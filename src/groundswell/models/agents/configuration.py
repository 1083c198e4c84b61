"""Networks with stated degrees: the configuration model (Molloy and Reed 1995; Newman, Strogatz and Watts 2001).

Every person has as many ends of ties as their degree, and ends are joined at random. What would be a tie to oneself or
a second tie between the same two is left out ("erased"), so that degrees are those stated, or a little less: few are
lost where the mean squared degree is small beside the number of persons, and a warning says so above 2 %.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from groundswell.data.graph import Graph
from groundswell.errors import GroundswellWarning, ParameterError
from groundswell.params import Component, param


@dataclass(frozen=True)
class GivenDegrees(Component):
    """The degree of every person, in order."""

    degrees: tuple[int, ...]

    def __post_init__(self) -> None:
        degrees = np.asarray(self.degrees)
        if degrees.ndim != 1 or not len(degrees) or degrees.dtype.kind not in "iu" or degrees.min() < 0:
            raise ParameterError(
                "GivenDegrees.degrees must be whole numbers of 0 or more, one a person, and not empty."
            )
        if degrees.sum() % 2:
            raise ParameterError(
                f"GivenDegrees.degrees sum to {degrees.sum()}; expected an even sum, for every tie has two ends. "
                "Change one degree by one."
            )
        if degrees.max() >= len(degrees):
            raise ParameterError(
                f"GivenDegrees.degrees has a person of {degrees.max()} ties among {len(degrees)}; expected at most "
                f"{len(degrees) - 1}, the others there are."
            )
        object.__setattr__(self, "degrees", tuple(degrees.tolist()))

    @property
    def nodes(self) -> int:
        """Persons."""
        return len(self.degrees)

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """A graph."""
        return joined(np.array(self.degrees), rng)

    def degree_shares(self) -> np.ndarray:
        """(K + 1,) shares of degrees."""
        return np.bincount(self.degrees) / self.nodes


@dataclass(frozen=True)
class DegreeShares(Component):
    """Degrees drawn from a distribution: shares[k] is the share of persons with k ties."""

    nodes: int
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, "nodes", 1)
        shares = np.asarray(self.shares, dtype=float)
        if shares.ndim != 1 or not len(shares) or (shares < 0).any() or abs(shares.sum() - 1) > 1e-9:
            raise ParameterError("DegreeShares.shares must be 0 or more and sum to 1, one for each degree from 0 on.")
        if len(shares) > self.nodes:
            raise ParameterError(
                f"DegreeShares has degrees up to {len(shares) - 1} among {self.nodes} persons; too many."
            )
        object.__setattr__(self, "shares", tuple(shares.tolist()))

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """A graph."""
        return joined(_sampled(np.array(self.shares), self.nodes, rng), rng)

    def degree_shares(self) -> np.ndarray:
        """(K + 1,) the shares themselves."""
        return np.array(self.shares)


@dataclass(frozen=True)
class PowerLawDegrees(Component):
    """Degrees from `lowest` to `highest` with shares proportional to degree^-exponent: few persons have many ties.

    Siegel's (2009) opinion leaders, as recalled.
    """

    nodes: int = 1000
    exponent: float = param("1", low=0, default=2.5, doc="how fast the share of persons falls with their ties")
    lowest: int = 2
    highest: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, "lowest", 1)
        at_least(self, "highest", self.lowest)
        at_least(self, "nodes", self.highest + 1)

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """A graph."""
        return joined(_sampled(self.degree_shares(), self.nodes, rng), rng)

    def degree_shares(self) -> np.ndarray:
        """(highest + 1,) shares of degrees."""
        degrees = np.arange(self.lowest, self.highest + 1)
        weights = degrees.astype(float) ** -self.exponent
        return np.concatenate([np.zeros(self.lowest), weights / weights.sum()])


def joined(degrees: np.ndarray, rng: np.random.Generator) -> Graph:
    """The erased configuration model of degrees, (N,), with an even sum."""
    ends = np.repeat(np.arange(len(degrees)), degrees)
    rng.shuffle(ends)
    pairs = np.sort(ends.reshape(-1, 2), axis=1)
    kept = np.unique(pairs[pairs[:, 0] != pairs[:, 1]] @ [len(degrees), 1])
    lost = len(pairs) - len(kept)
    if lost > 0.02 * len(pairs):
        warnings.warn(
            f"{lost} of {len(pairs)} ties of the configuration model would join someone to themselves or repeat "
            "another, and are left out: the degrees are lower than stated. Lower the highest, or take more persons.",
            GroundswellWarning,
            stacklevel=3,
        )
    return Graph.from_pairs(np.stack(np.divmod(kept, len(degrees)), axis=1), len(degrees))


def _sampled(shares: np.ndarray, nodes: int, rng: np.random.Generator) -> np.ndarray:
    """(N,) degrees drawn; where their sum is odd, one person's is drawn again until it is even."""
    degrees = rng.choice(len(shares), size=nodes, p=shares / shares.sum())
    parity = np.flatnonzero(shares) % 2
    if degrees.sum() % 2 and parity.min() == parity.max():
        raise ParameterError(
            f"{nodes} persons whose degrees are all odd have an odd number of ends; take one more or less."
        )
    while degrees.sum() % 2:
        degrees[rng.integers(nodes)] = rng.choice(len(shares), p=shares / shares.sum())
    return degrees


def at_least(component: Component, name: str, least: int) -> None:
    """ParameterError unless a field of a component is a whole number from `least` on."""
    given = getattr(component, name)
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
        raise ParameterError(
            f"{type(component).__name__}.{name} is {given!r}; expected a whole number, {least} or more."
        )
