"""Graphs from every kind of source, the same graph; and each fault of a source by name."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.graph import Graph, read_graph
from groundswell.errors import DataError, GroundswellWarning

PAIRS = [(0, 1), (2, 1), (0, 2), (2, 3)]
ROWS = [[1, 2], [0, 2], [0, 1, 3], [2]]


class FakeNetworkx:
    """As much of a networkx graph as is asked for."""

    def __init__(self, edges: list[tuple[Any, Any]], nodes: list[Any], directed: bool = False, multi: bool = False):
        self.adj, self.nodes, self._edges, self._directed, self._multi = {}, nodes, edges, directed, multi

    def edges(self) -> list[tuple[Any, Any]]:
        return self._edges

    def is_directed(self) -> bool:
        return self._directed

    def is_multigraph(self) -> bool:
        return self._multi


class FakeIgraph:
    def __init__(self, edges: list[tuple[int, int]], count: int, directed: bool = False):
        self._edges, self._count, self._directed = edges, count, directed

    def get_edgelist(self) -> list[tuple[int, int]]:
        return self._edges

    def vcount(self) -> int:
        return self._count

    def is_directed(self) -> bool:
        return self._directed


def rows(graph: Graph) -> list[list[int]]:
    return [graph.near(i).tolist() for i in range(len(graph))]


@given(
    ties=st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda tie: tie[0] < tie[1])),
    steps=st.integers(0, 13),
)
def test_who_is_within_so_many_ties_is_who_a_power_of_the_matrix_reaches(ties: set[tuple[int, int]], steps: int):
    graph = Graph.from_pairs(np.array(sorted(ties)).reshape(-1, 2), 12)
    reached = np.linalg.matrix_power(np.eye(12) + matrix_of(sorted(ties), 12).toarray(), steps) > 0
    offsets, persons = graph.within(steps)
    assert [persons[offsets[i] : offsets[i + 1]].tolist() for i in range(12)] == [
        np.flatnonzero(row).tolist() for row in reached
    ]
    assert graph.within(steps, most=int(reached.sum()))[1].tolist() == persons.tolist()
    counted, none = graph.within(steps, most=int(reached.sum()) - 1)
    assert counted[-1] > reached.sum() - 1
    assert not len(none)


def matrix_of(pairs: list[tuple[int, int]], count: int) -> Any:
    dense = np.zeros((count, count), int)
    for i, j in pairs:
        dense[i, j] = dense[j, i] = 1
    return sp.csr_array(dense)


@pytest.mark.parametrize(
    "source",
    [
        PAIRS,
        np.array(PAIRS),
        np.array(PAIRS, dtype=float),
        [*PAIRS, *[(j, i) for i, j in PAIRS]],
        matrix_of(PAIRS, 4),
        matrix_of(PAIRS, 4).tocsc(),
        FakeNetworkx(PAIRS, [0, 1, 2, 3]),
        FakeNetworkx([("d", "a"), ("b", "a"), ("d", "b"), ("b", "c")], ["d", "a", "b", "c"]),
        FakeIgraph(PAIRS, 4),
    ],
    ids=["list", "array", "whole floats", "both ways", "csr", "csc", "networkx", "networkx, names", "igraph"],
)
def test_every_source_gives_the_same_graph(source: Any) -> None:
    graph = Graph.of(source)
    assert rows(graph) == ROWS
    assert (len(graph), graph.ties) == (4, 4)
    assert graph.degree.tolist() == [2, 2, 3, 1]
    assert graph.degree_shares.tolist() == [0, 0.25, 0.5, 0.25]
    assert graph.neighbours.dtype == np.uint32
    assert graph.pairs().tolist() == [[0, 1], [0, 2], [1, 2], [2, 3]]


def test_the_packages_themselves_if_they_are_here() -> None:
    networkx = pytest.importorskip("networkx")
    assert rows(Graph.of(networkx.Graph(PAIRS))) == [[1, 2], [0, 2], [0, 1, 3], [2]]
    with pytest.raises(DataError, match="to_undirected"):
        Graph.of(networkx.DiGraph(PAIRS))


@pytest.mark.parametrize(
    "text",
    [
        "source,target\n0,1\n2,1\n0,2\n2,3\n",
        "0,1\n2,1\n0,2\n2,3\n",
        "who;with\na;b\nc;b\na;c\nc;d\n",
        "to\tfrom\n1\t0\n1\t2\n2\t0\n3\t2\n",
        "source,target\n0,1\n1,0\n2,1\n1,2\n0,2\n2,0\n2,3\n3,2\n",
    ],
    ids=["header", "no header", "names", "from and to", "both ways"],
)
def test_a_table_of_ties(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ties.csv"
    path.write_text(text)
    assert rows(read_graph(path)) == ROWS
    assert rows(Graph.of(str(path))) == ROWS


def test_a_data_frame_of_ties_and_columns_that_are_not_used() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"weight": [1, 2], "source": ["x", "y"], "target": ["y", "z"]})
    with pytest.warns(GroundswellWarning, match="not used: weight"):
        assert rows(Graph.of(frame)) == [[1], [0, 2], [1]]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([(0, 1), (1, 1)], "1 of 2 ties join someone to themselves, the first 1"),
        ([(0, 1), (1, 2), (1, 0)], "repeat another, the first 0 and 1.*directed"),
        ([(0, 1), (0, 1), (0, 1), (0, 1)], "repeat another"),
        ([(0, 1), (-1, 2)], "tie 1 joins -1 and 2; expected numbers from 0"),
        ([(0, 1, 2)], r"shape \(1, 3\); expected pairs"),
        ([(0, 1), (2,)], "different lengths"),
        (np.eye(3), "For a matrix of ties"),
        ([(0.5, 1)], "no whole numbers"),
        ([("a", "b")], "no whole numbers.*give a table"),
        ([], "has 0 persons"),
        (sp.csr_array(np.array([[0, 1], [0, 0]])), "sparse matrix is directed"),
        (sp.csr_array(np.array([[0, 2], [2, 0]])), "other than 0 and 1"),
        (sp.csr_array(np.ones((2, 3))), r"expected \(N, N\)"),
        (sp.csr_array(np.eye(2)), "to themselves"),
        (FakeNetworkx(PAIRS, [0, 1, 2, 3], directed=True), "networkx graph is directed.*to_undirected"),
        (FakeNetworkx([(0, 1), (0, 1)], [0, 1], multi=True), r"networkx.Graph\(graph\)"),
        (FakeIgraph(PAIRS, 4, directed=True), "igraph graph is directed.*as_undirected"),
        (FakeIgraph([(0, 1), (1, 0)], 2), "simplify"),
    ],
)
def test_what_is_no_undirected_graph_is_refused(source: Any, said: str) -> None:
    with pytest.raises(DataError, match=f"(?s){said}"):
        Graph.of(source)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source,target\na,a\n", 'the first "a"'),
        ("source,target\na,b\nb,a\nb,c\n", '"a" and "b"'),
        ("source,target\na,\n", "tie 1: an end is empty"),
        ("source\na\n", "the column source alone"),
    ],
)
def test_faults_of_a_table_are_told_by_its_own_names(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "ties.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_graph(path)


def test_who_has_no_tie_is_named() -> None:
    with pytest.warns(GroundswellWarning, match=r"isolated nodes: 2 of 6 persons have no tie \(4, 5\)"):
        graph = Graph.of(PAIRS, nodes=6)
    assert len(graph) == 6
    with pytest.warns(GroundswellWarning, match="seem to start at 1"):
        Graph.of([(1, 2), (2, 3)])
    with pytest.raises(DataError, match="expected numbers from 0 to 2, for 3 persons"):
        Graph.of(PAIRS, nodes=3)
    with pytest.warns(GroundswellWarning, match="isolated"):
        assert Graph.of([], nodes=2).ties == 0


@pytest.mark.parametrize(
    ("offsets", "neighbours", "said"),
    [
        ([0, 1, 2], [1, 2], "node 1 is tied to 2; nodes run from 0 to 1"),
        ([0, 1, 2], [0, 0], "node 0 is tied to itself"),
        ([0, 2, 4], [1, 1, 0, 0], "do not rise"),
        ([0, 1, 1], [1], "one of its ends only"),
        ([0, 1, 2, 3], [1, 2, 0], "one of its ends only"),
        ([0, 1, 3], [1, 0], "must rise from 0"),
        ([0, 2, 1], [1, 0], "must rise from 0"),
        ([0], [], "expected"),
        ([0, 1, 2], [-1, 0], "no nodes"),
    ],
)
def test_arrays_that_would_mislead_the_loops_are_refused(offsets: list, neighbours: list, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Graph(np.array(offsets), np.array(neighbours))


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1])))
def test_rows_hold_the_ties_and_nothing_else(pairs: set[tuple[int, int]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GroundswellWarning)
        graph = Graph.of(sorted(pairs, key=hash), nodes=10)
    for i in range(10):
        assert graph.near(i).tolist() == sorted({a + b - i for a, b in pairs if i in (a, b)})


def test_around_goes_outwards_by_number() -> None:
    path = Graph.of([(i, i + 1) for i in range(9)])
    assert path.around(4, 5).tolist() == [4, 3, 5, 2, 6]
    assert path.around(0, 100).tolist() == list(range(10)), "no more than are connected"
