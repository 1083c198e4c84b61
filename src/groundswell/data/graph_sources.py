"""Ties out of what other packages and tables hold: told by what an object can do, so that none need be installed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.errors import DataError, GroundswellWarning

Pairs = tuple[np.ndarray, int, tuple[str, ...]]
"""(M, 2) int64 ends, how many persons there are, and their names where they have any."""

ENDS = (("source", "target"), ("from", "to"))


def pairs_of(source: Any) -> Pairs:
    """The ties of any source that `Graph.of` takes."""
    if callable(getattr(source, "get_edgelist", None)):
        return _of_igraph(source)
    if hasattr(source, "adj") and callable(getattr(source, "is_directed", None)):
        return _of_networkx(source)
    if callable(getattr(source, "tocoo", None)):
        return _of_sparse(source)
    if isinstance(source, str | Path) or hasattr(source, "columns") or hasattr(source, "column_names"):
        return _of_table(source)
    return _of_numbers(source)


def _of_networkx(graph: Any) -> Pairs:
    if graph.is_directed():
        raise DataError(_directed("networkx graph", "graph.to_undirected()"))
    names = list(graph.nodes)
    number = {name: i for i, name in enumerate(names)}
    if len(number) != len(names):
        raise DataError("the networkx graph names a node twice.")
    ends = np.array([(number[a], number[b]) for a, b in graph.edges()], dtype=np.int64).reshape(-1, 2)
    if callable(getattr(graph, "is_multigraph", None)) and graph.is_multigraph():
        _refuse_repeated(ends, "networkx.Graph(graph)")
    plain = names == list(range(len(names)))
    return ends, len(names), () if plain else tuple(map(str, names))


def _of_igraph(graph: Any) -> Pairs:
    if graph.is_directed():
        raise DataError(_directed("igraph graph", "graph.as_undirected()"))
    ends = np.array(graph.get_edgelist(), dtype=np.int64).reshape(-1, 2)
    _refuse_repeated(ends, "graph.simplify()")
    named = "name" in graph.vs.attributes() if hasattr(graph, "vs") else False
    return ends, int(graph.vcount()), tuple(map(str, graph.vs["name"])) if named else ()


def _of_sparse(matrix: Any) -> Pairs:
    if matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"the sparse matrix has shape {matrix.shape}; expected (N, N), persons by persons.")
    entries = matrix.tocoo()
    held = np.asarray(entries.data)
    if not np.isin(held, (0, 1)).all():
        raise DataError(
            "the sparse matrix holds values other than 0 and 1. Ties have no weights in these models; give "
            "(matrix != 0) if every entry is a tie."
        )
    ends = np.stack([entries.row, entries.col], axis=1).astype(np.int64)[held != 0]
    if (matrix != matrix.T).nnz:
        raise DataError(_directed("sparse matrix", "matrix.maximum(matrix.T)"))
    return ends, int(matrix.shape[0]), ()


def _of_numbers(source: Any) -> Pairs:
    listed = list(source) if isinstance(source, Iterable) and not hasattr(source, "shape") else source
    try:
        ends = np.asarray(listed)
    except ValueError as error:
        raise DataError("the ties have different lengths; expected pairs, (M, 2).") from error
    if ends.shape == (0,):
        ends = np.zeros((0, 2), np.int64)
    if ends.ndim != 2 or ends.shape[1] != 2:
        square = ends.ndim == 2 and ends.shape[0] == ends.shape[1]
        raise DataError(
            f"the ties have shape {ends.shape}; expected pairs, (M, 2)."
            + (" For a matrix of ties give scipy.sparse.csr_array(matrix)." if square else "")
        )
    if ends.dtype.kind not in "iuf" or not np.equal(np.mod(ends, 1), 0).all():
        raise DataError(
            "the ties are no whole numbers; expected persons numbered from 0. For names, give a table: a file or a "
            "data frame with the columns source and target."
        )
    ends = ends.astype(np.int64)
    return ends, int(ends.max()) + 1 if len(ends) else 0, ()


def _of_table(source: Any) -> Pairs:
    from groundswell.data.readers.raw import read_raw

    raw = read_raw(source)
    if raw.broken:
        row, reason = raw.broken[0]
        raise DataError(f"{raw.name} row {row}: {reason}. Rows that cannot be read: {len(raw.broken)}; mend the file.")
    if len(raw.columns) < 2:
        raise DataError(
            f"{raw.name} has the column {''.join(raw.columns)} alone; a table of ties needs two, source and target, "
            "a tie a row."
        )
    lower = {name.lower(): name for name in raw.columns}
    pair = next((ends for ends in ENDS if set(ends) <= set(lower)), None)
    chosen = list(raw.columns[:2]) if pair is None else [lower[end] for end in pair]
    unused = [name for name in raw.columns if name not in chosen]
    if unused:
        warnings.warn(
            f"{raw.name}: ties are read from {chosen[0]} and {chosen[1]}; not used: {', '.join(unused)}. "
            "Ties have no weights or dates in these models.",
            GroundswellWarning,
            stacklevel=4,
        )
    first, second = (raw.column(name) for name in chosen)
    if raw.header and all(name.isdigit() for name in chosen):  # no header: its row is a tie
        first, second = [chosen[0], *first], [chosen[1], *second]
    for row, ends in enumerate(zip(first, second, strict=True)):
        if "" in ends:
            raise DataError(f"{raw.name}, tie {row + 1}: an end is empty. Every tie joins two persons.")
    if all(text.isdigit() for text in first) and all(text.isdigit() for text in second):
        return _of_numbers(np.array([first, second], dtype=np.int64).T)
    names, number = np.unique(np.array([first, second]), return_inverse=True)
    return number.reshape(2, -1).T.astype(np.int64), len(names), tuple(names.tolist())


def _refuse_repeated(ends: np.ndarray, remedy: str) -> None:
    """A graph object holds every tie once: one that stands twice is a second tie, not the other direction."""
    ordered = np.sort(ends, axis=1)
    repeated = len(ordered) - len(np.unique(ordered, axis=0))
    if repeated:
        raise DataError(f"{repeated} of {len(ends)} ties repeat another; expected every tie once. Give {remedy}.")


def _directed(what: str, remedy: str) -> str:
    return (
        f"the {what} is directed. Neighbours see each other in these models; if every tie is meant to be mutual, "
        f"give {remedy}."
    )
