"""Graph: who is tied to whom among persons, as the agent models want it; from other packages, matrices and tables.

(`data.network.Network` says which of a few places are neighbours; this is for millions of persons.)
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.errors import DataError, GroundswellWarning

MOST_NODES = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Graph:
    """An undirected graph over N persons, numbered from 0, in compressed rows; each tie once at either end.

    offsets : (N + 1,) int64. neighbours : (2 M,) uint32; those of i are neighbours[offsets[i]:offsets[i + 1]], rising.
    Persons have numbers and no names: those of a source are not kept.

    8 bytes a tie and 8 a person. DataError for ties to oneself, ties that stand at one end only, rows that do not rise
    (a tie twice) and numbers beyond N: the loops rely on it.
    """

    offsets: np.ndarray
    neighbours: np.ndarray

    def __post_init__(self) -> None:
        from groundswell.data import _graph_loops as loops

        offsets = np.ascontiguousarray(self.offsets, dtype=np.int64)
        neighbours = np.asarray(self.neighbours)
        if offsets.ndim != 1 or len(offsets) < 2 or neighbours.ndim != 1:
            raise DataError(
                f"Graph.offsets has shape {offsets.shape} and Graph.neighbours {neighbours.shape}; expected (N + 1,) "
                "with N at least 1, and (2 M,)."
            )
        if len(offsets) - 1 > MOST_NODES:
            raise DataError(f"Graph has {len(offsets) - 1:,} nodes; at most {MOST_NODES:,} can be numbered.")
        if offsets[0] != 0 or offsets[-1] != len(neighbours) or (np.diff(offsets) < 0).any():
            raise DataError(f"Graph.offsets must rise from 0 to the number of neighbours, {len(neighbours)}.")
        if neighbours.dtype != np.uint32:
            if len(neighbours) and (neighbours.min() < 0 or neighbours.max() > MOST_NODES):
                raise DataError("Graph.neighbours holds numbers that are no nodes; they run from 0 to N - 1.")
            neighbours = neighbours.astype(np.uint32)
        neighbours = np.ascontiguousarray(neighbours)
        what, node, other = loops.fault(offsets, neighbours)
        if what != loops.SOUND:
            raise DataError("Graph: " + _FAULTS[what].format(node=node, other=other, last=len(offsets) - 2))
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "neighbours", neighbours)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def ties(self) -> int:
        """M, each tie counted once."""
        return len(self.neighbours) // 2

    @property
    def degree(self) -> np.ndarray:
        """(N,) ties of each person."""
        return np.diff(self.offsets)

    @property
    def degree_shares(self) -> np.ndarray:
        """(K + 1,) share of persons with 0, 1, ..., K ties."""
        return np.bincount(self.degree) / len(self)

    def pairs(self) -> np.ndarray:
        """(M, 2) int64, the lower number first, in order."""
        low = np.repeat(np.arange(len(self)), self.degree)
        once = low < self.neighbours
        return np.stack([low[once], self.neighbours[once].astype(np.int64)], axis=1)

    def near(self, node: int) -> np.ndarray:
        """The neighbours of one person, rising."""
        return self.neighbours[self.offsets[node] : self.offsets[node + 1]]

    def around(self, node: int, count: int) -> np.ndarray:
        """(count,) persons nearest to `node` in ties, itself first, by number where equally near; fewer if no more are
        connected to it."""
        from groundswell.data._graph_loops import nearest_first

        return nearest_first(self.offsets, self.neighbours, node, count)

    def within(self, steps: int, most: int = 2**62) -> tuple[np.ndarray, np.ndarray]:
        """Who is at most so many ties away from whom: offsets (N + 1,) int64 and persons (V,) uint32, rising by row.

        Unlike in `neighbours`, everyone stands in their own row. Cost: the ties of everyone in a row but the
        last reached, looked at twice. Where V would be more than `most`, offsets end with the count so far and persons
        are none.
        """
        from groundswell.data._graph_loops import within

        return within(self.offsets, self.neighbours, steps, most)

    @classmethod
    def of(cls, source: Any, nodes: int | None = None) -> Graph:
        """From a graph of networkx or igraph, a scipy sparse matrix, pairs of numbers, or a table of ties.

        Pairs are an (M, 2) array or list; the table is a file or data frame whose first two columns, or those called
        source and target, or from and to, hold a tie a row, as whole numbers from 0 or as names. Names are numbered in
        their order in the graph, or in that of the alphabet in a table. A tie may stand once, or, if that is so of all,
        once in each direction.
        nodes : how many persons there are, where the highest number does not tell; those without a tie count.

        DataError for a directed graph, ties to oneself, ties given twice, weights, and numbers beyond `nodes`; a
        warning where someone has no tie, for nothing ever reaches them.
        """
        from groundswell.data.graph_sources import pairs_of

        pairs, count, names = pairs_of(source)
        if nodes is not None and names and nodes < count:
            raise DataError(f"nodes is {nodes}, and the source names {count} persons; expected as many or more.")
        made = cls.from_pairs(pairs, count if nodes is None else nodes, names)
        _warn_of_isolated(made, names)
        return made

    @classmethod
    def from_pairs(cls, pairs: np.ndarray, nodes: int, names: tuple[str, ...] = ()) -> Graph:
        """From whole numbers, (M, 2), each tie once or all in both directions; `of` without its warning.

        names : for messages only. Cost: a sort of the ties, about 1 s for 1e7.
        """
        from groundswell.data._graph_loops import both_ways

        low, high = _checked(pairs, nodes, names)
        ties = low * nodes + high  # below 2^63: nodes are below 2^31
        ties.sort()
        ties = _each_once(ties, nodes, names)
        low, upper = np.divmod(ties, nodes)
        starts = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.bincount(low, minlength=nodes), out=starts[1:])
        return cls(*both_ways(starts, upper.astype(np.uint32)))


_FAULTS = {
    1: "node {node} is tied to {other}; nodes run from 0 to {last}.",
    2: "node {node} is tied to itself. Nobody is their own neighbour in these models; drop such ties.",
    3: "the neighbours of node {node} do not rise at {other}: a tie stands twice or the row is not sorted.",
    4: "some tie stands at one of its ends only; the graph must be undirected, every tie in the rows of both.",
}


def read_graph(path: Path | str, nodes: int | None = None) -> Graph:
    """The graph of a table of ties in a file; see `Graph.of`."""
    return Graph.of(Path(path), nodes)


def _checked(pairs: np.ndarray, nodes: int, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the higher end of every tie; DataError for numbers that are none and for ties to oneself."""
    if not 1 <= nodes < 2**31:
        raise DataError(f"the graph has {nodes:,} persons; expected 1 to {2**31 - 1:,}. Give a tie, or `nodes`.")
    if not len(pairs):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if pairs.min() < 0 or pairs.max() >= nodes:
        row = int(np.flatnonzero((pairs < 0).any(axis=1) | (pairs >= nodes).any(axis=1))[0])
        raise DataError(
            f"tie {row} joins {pairs[row, 0]} and {pairs[row, 1]}; expected numbers from 0 to {nodes - 1}, for "
            f"{nodes} persons. Numbers from 1 on: subtract 1."
        )
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    loops = np.flatnonzero(low == high)
    if len(loops):
        raise DataError(
            f"{len(loops)} of {len(pairs)} ties join someone to themselves, the first {_said(low[loops[0]], names)}. "
            "Nobody is their own neighbour in these models, and a share of neighbours would count them; drop such ties."
        )
    return low, high


def _each_once(ties: np.ndarray, nodes: int, names: tuple[str, ...]) -> np.ndarray:
    """Sorted ties, each once: as they are, or where all stand twice; DataError where some do."""
    if len(ties) % 2 == 0 and len(ties) and (ties[::2] == ties[1::2]).all():
        halved = ties[::2]
        if (halved[1:] != halved[:-1]).all():
            return halved
    twice = np.flatnonzero(ties[1:] == ties[:-1])
    if len(twice):
        low, high = divmod(int(ties[twice[0]]), nodes)
        raise DataError(
            f"{len(twice)} of {len(ties)} ties repeat another, the first {_said(low, names)} and {_said(high, names)}. "
            "Expected every tie once, or every tie once in each direction: a list in which some go both ways is that "
            "of a directed graph. Drop the repetitions, if ties are mutual."
        )
    return ties


def _said(node: int, names: tuple[str, ...]) -> str:
    return f'"{names[node]}"' if node < len(names) else str(node)


def _warn_of_isolated(graph: Graph, names: tuple[str, ...]) -> None:
    alone = np.flatnonzero(graph.degree == 0)
    if not len(alone):
        return
    shown = ", ".join(_said(int(node), names) for node in alone[:5]) + (", ..." if len(alone) > 5 else "")
    hint = " The numbers seem to start at 1; they are taken as starting at 0." if alone.tolist() == [0] else ""
    warnings.warn(
        f"isolated nodes: {len(alone)} of {len(graph)} persons have no tie ({shown}), so that nothing reaches "
        f"them along ties; they count in every share.{hint}",
        GroundswellWarning,
        stacklevel=3,
    )
