"""Networks of persons as components of a model: what is stated is how ties come about, what is drawn is a `Graph`.

Each has `nodes`, the number of persons, and `draw(rng=...)`. Villages and Hierarchy are the types of Siegel (2009) as
recalled; his small world is `SmallWorld`, his opinion leaders are `PowerLawDegrees`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from groundswell.data.graph import Graph
from groundswell.errors import ParameterError
from groundswell.models.agents import _network_loops as loops
from groundswell.models.agents.configuration import DegreeShares, GivenDegrees, PowerLawDegrees, at_least
from groundswell.params import Component, param


@dataclass(frozen=True)
class RandomGraph(Component):
    """G(n, p): every two persons are tied with one chance. Few or none are tied: degrees are nearly Poisson.

    "The Poisson random graph" of the papers is this. With `fixed_ties` it is G(n, m): the number of ties is not left to
    chance. Some persons have no tie at all, a share of exp(-mean_degree).
    """

    nodes: int = 1000
    mean_degree: float = param("ties/person", low=0, default=6.0, doc="mean number of ties of a person")
    fixed_ties: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, "nodes", 1)
        if self.mean_degree > self.nodes - 1:
            raise ParameterError(
                f"RandomGraph.mean_degree is {self.mean_degree:g}; expected at most {self.nodes - 1}, the others there "
                "are."
            )

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """A graph; cost per tie about 20 ns to draw, and 20 to 80 to lay out, rising with the number of persons."""
        from groundswell.data._graph_loops import both_ways

        pairs = self.nodes * (self.nodes - 1) // 2
        chance = self.mean_degree / max(1, self.nodes - 1)
        if self.fixed_ties or not 0 < chance < 1:
            ties = min(pairs, round(self.mean_degree * self.nodes / 2))
            chosen = np.sort(rng.choice(pairs, ties, replace=False, shuffle=False)) if ties else np.zeros(0, np.int64)
            return Graph.from_pairs(_pair(chosen), self.nodes)
        return Graph(*both_ways(*loops.independent_ties(rng, self.nodes, chance, chance * pairs)))

    def degree_shares(self) -> np.ndarray:
        """(K + 1,) Poisson shares of degrees, to where they no longer matter: the limit of many persons."""
        return poisson_shares(self.mean_degree)


@dataclass(frozen=True)
class SmallWorld(Component):
    """A ring with `neighbours` at each side whose far ends are moved at random with a chance (Watts and Strogatz 1998).

    Moved, not added to (that is Newman and Watts): the number of ties stays, and a person may lose some, though never
    the `neighbours` that are their own to move. Chance 0 is the ring, 1 is nearly G(n, m).
    """

    nodes: int = 1000
    neighbours: int = 2
    rewiring: float = param("1", low=0, high=1, default=0.1, doc="chance that a tie's far end is moved")

    def __post_init__(self) -> None:
        super().__post_init__()
        _ring(self)

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """A graph."""
        return Graph.from_pairs(loops.small_world(rng, self.nodes, self.neighbours, self.rewiring), self.nodes)


@dataclass(frozen=True)
class Ring(Component):
    """Persons on a circle, tied to `neighbours` at each side."""

    nodes: int = 1000
    neighbours: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        _ring(self)

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """The graph; nothing in it is random."""
        near = np.arange(1, self.neighbours + 1)
        return _regular((np.arange(self.nodes)[:, None] + np.concatenate([-near, near])) % self.nodes)


@dataclass(frozen=True)
class Lattice(Component):
    """Persons on a grid that wraps around, tied to the 8 (moore) or 4 (von_neumann) next to them, in rows by number."""

    rows: int = 32
    columns: int = 32
    neighbourhood: Literal["moore", "von_neumann"] = "moore"

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, "rows", 3)  # on 2 rows the one above is the one below
        at_least(self, "columns", 3)
        if self.neighbourhood not in _AROUND:
            raise ParameterError(f'Lattice.neighbourhood is "{self.neighbourhood}"; expected {" or ".join(_AROUND)}.')

    @property
    def nodes(self) -> int:
        """Persons: one a cell."""
        return self.rows * self.columns

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """The graph; nothing in it is random."""
        down, right = np.array(_AROUND[self.neighbourhood]).T
        row, column = np.divmod(np.arange(self.nodes)[:, None], self.columns)
        return _regular((row + down) % self.rows * self.columns + (column + right) % self.columns)


_NEXT = [(-1, 0), (0, -1), (0, 1), (1, 0)]
_AROUND = {"moore": [*_NEXT, (-1, -1), (-1, 1), (1, -1), (1, 1)], "von_neumann": _NEXT}


@dataclass(frozen=True)
class ScaleFree(Component):
    """Growth by preferential attachment (Barabasi and Albert 1999): degrees fall as degree^-3, the oldest have most.

    The first ties_each + 1 persons are all tied to one another. For another exponent use PowerLawDegrees.
    """

    nodes: int = 1000
    ties_each: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, "ties_each", 1)
        at_least(self, "nodes", self.ties_each + 1)

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """A graph."""
        return Graph.from_pairs(loops.preferential(rng, self.nodes, self.ties_each), self.nodes)


@dataclass(frozen=True)
class Villages(Component):
    """Villages in which all know one another, and a few ties at random between them (Siegel 2009, as recalled).

    The ties between villages are stated by their mean number for a person; the paper's own statement of them was not
    at hand. The last village may be smaller.
    """

    nodes: int = 1000
    village: int = 25
    far_ties: float = param("ties/person", low=0, default=1.0, doc="mean number of ties to other villages")

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, "nodes", 1)
        at_least(self, "village", 1)
        _room(self, "far_ties", self.nodes - self.village)

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """A graph."""
        low, high = np.triu_indices(self.village, 1)
        first = np.arange(0, self.nodes, self.village)[:, None]
        inside = np.stack([(first + low).ravel(), (first + high).ravel()], axis=1)
        inside = inside[inside[:, 1] < self.nodes]
        others = max(1, self.nodes - self.village)
        far = RandomGraph(self.nodes, self.far_ties * (self.nodes - 1) / others).draw(rng=rng).pairs()
        far = far[far[:, 0] // self.village != far[:, 1] // self.village]
        return Graph.from_pairs(np.concatenate([inside, far]), self.nodes)


@dataclass(frozen=True)
class Hierarchy(Component):
    """A tree in which each has `expansion` below, and ties at random within each level (Siegel 2009, as recalled).

    The ties within a level are stated by their mean number for a person; the paper's own statement of them was not at
    hand. Person 0 is the top, levels are numbered one after another, and the last may be short.
    """

    nodes: int = 1000
    expansion: int = 10
    level_ties: float = param("ties/person", low=0, default=1.0, doc="mean number of ties to others of one's level")

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, "nodes", 1)
        at_least(self, "expansion", 1)
        _room(self, "level_ties", self.nodes - 1)

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """A graph."""
        below = np.arange(1, self.nodes)
        pairs = [np.stack([(below - 1) // self.expansion, below], axis=1)]
        first, size = 1, self.expansion
        while first < self.nodes:
            size = min(size, self.nodes - first)
            level = RandomGraph(size, min(self.level_ties, size - 1)).draw(rng=rng)
            pairs.append(level.pairs() + first)
            first, size = first + size, size * self.expansion
        return Graph.from_pairs(np.concatenate(pairs), self.nodes)


@dataclass(frozen=True)
class GivenGraph(Component):
    """A graph of the user's own: `GivenGraph(Graph.of(...))`."""

    graph: Graph

    def __post_init__(self) -> None:
        if not isinstance(self.graph, Graph):
            raise ParameterError(f"GivenGraph was given a {type(self.graph).__name__}; expected Graph.of(it).")

    @property
    def nodes(self) -> int:
        """Persons."""
        return len(self.graph)

    def draw(self, *, rng: np.random.Generator) -> Graph:
        """The graph itself."""
        return self.graph

    def degree_shares(self) -> np.ndarray:
        """(K + 1,) shares of degrees."""
        return self.graph.degree_shares


@dataclass(frozen=True)
class GraphFile(Component):
    """The graph of a table of ties in a file, for the command line and configuration files; see `Graph.of`."""

    path: str

    @property
    def nodes(self) -> int:
        """Persons."""
        return len(self.draw())

    def draw(self, *, rng: np.random.Generator | None = None) -> Graph:
        """The graph, read each time."""
        return Graph.of(self.path)


Network = (
    RandomGraph | GivenDegrees | PowerLawDegrees | DegreeShares | SmallWorld | Ring | Lattice | ScaleFree | Villages
    | Hierarchy | GivenGraph | GraphFile
)  # fmt: skip


def poisson_shares(mean: float) -> np.ndarray:
    """(K + 1,) Poisson probabilities of 0 to K, with K so far out that less than 1e-15 is left."""
    from scipy.special import gammaln, xlogy

    degrees = np.arange(int(mean + 9 * math.sqrt(mean) + 25))
    return np.exp(xlogy(degrees, mean) - mean - gammaln(degrees + 1))


def _pair(number: np.ndarray) -> np.ndarray:
    """(M, 2) the pair with each number when pairs are counted (0, 1), (0, 2), (1, 2), (0, 3), ..."""
    high = ((1 + np.sqrt(1 + 8 * number.astype(float))) // 2).astype(np.int64)
    high -= high * (high - 1) // 2 > number  # the root may be off by one in the last place
    high += high * (high + 1) // 2 <= number
    return np.stack([number - high * (high - 1) // 2, high], axis=1)


def _regular(neighbours: np.ndarray) -> Graph:
    """From (N, K) neighbours, each row distinct."""
    ordered = np.sort(neighbours, axis=1).astype(np.uint32)
    return Graph(np.arange(len(ordered) + 1) * ordered.shape[1], ordered.ravel())


def _ring(network: SmallWorld | Ring) -> None:
    at_least(network, "neighbours", 1)
    at_least(network, "nodes", 2 * network.neighbours + 1)  # fewer, and the two sides are the same persons


def _room(network: Villages | Hierarchy, name: str, most: int) -> None:
    if getattr(network, name) > max(0, most):
        raise ParameterError(
            f"{type(network).__name__}.{name} is {getattr(network, name):g}; expected at most {max(0, most)}, the "
            "others there are."
        )
