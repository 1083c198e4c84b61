"""Long runs to a Parquet file: written as they go, in bounded memory, whole or not at all, and altering nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from groundswell import __version__
from groundswell.data.files import replacing_file
from groundswell.errors import UsageError
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import EMPTY, Crowd, numbers_of
from groundswell.models.agents.engines import advance

What = Literal["totals", "frames", "agents"]

ROWS_AT_ONCE = 1_000_000
"""Rows held in memory before they are written."""


def record(
    path: Path | str,
    crowd: Crowd,
    steps: int,
    *,
    what: What,
    agents: np.ndarray | None = None,
    threads: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> Crowd:
    """Take `steps` steps and write what is seen at the end of each; returns the crowd at the end, as `run` would.

    what : "totals": step, active, jailed, quiet, arrests. "frames": step, row, column, state of every cell that is not
        empty, as `Crowd.frame` shows it, from the start on. "agents": step, agent, state, row, column, jail (steps
        left) of those whose numbers `agents` lists, or of all, from the start on; row and column are null off the grid.
        On a network "node" stands in place of row and column.
    The file's metadata hold the model, the key and the version under "groundswell". Needs the memory of one step and of
    a million rows. A run that is stopped leaves what stood at `path` as it was.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if what not in get_args(What):
        raise UsageError(f'what is {what!r}; expected "totals", "frames" or "agents".')
    chosen, last, held = numbers_of(agents, crowd), crowd, []
    origin = {"model": _stated(crowd.model), "key": crowd.key, "step": crowd.step, "version": __version__}
    schema = pa.schema(_table(crowd, what), {"groundswell": json.dumps(origin, default=float)})
    with replacing_file(Path(path)) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for last, columns in _seen(crowd, steps, what, chosen, threads):
            held.append(pa.table(columns, schema))
            if sum(map(len, held)) >= ROWS_AT_ONCE:
                writer.write_table(pa.concat_tables(held))
                held.clear()
            if progress is not None and steps:
                progress((last.step - crowd.step) / steps, f"step {last.step}")
        if held:
            writer.write_table(pa.concat_tables(held))
    return last


def _stated(model: CivilViolence) -> dict[str, Any]:
    """Every field, a network by how many persons and ties it has."""
    stated = asdict(replace(model, ties=None))
    if model.ties is not None:
        stated["ties"] = {**model.ties.rules(), "network": {"nodes": model.cells, "ties": model.ties.graph.ties}}
    return stated


def _table(crowd: Crowd, what: What) -> list[tuple[str, str]]:
    """Columns and their types."""
    if what == "totals":
        return [(name, "int64") for name in ("step", "active", "jailed", "quiet", "arrests")]
    where = [(name, "int32") for name in (("row", "column") if crowd.model.ties is None else ("node",))]
    if what == "frames":
        return [("step", "int64"), *where, ("state", "uint8")]
    return [("step", "int64"), ("agent", "int64"), ("state", "uint8"), *where, ("jail", "int32")]


def _seen(
    crowd: Crowd, steps: int, what: What, chosen: np.ndarray, threads: int
) -> Iterator[tuple[Crowd, dict[str, Any]]]:
    """The crowd after each block of steps, and the rows to be written of it."""
    if what != "totals":
        yield crowd, _rows(crowd, what, chosen)
    for totals, now in advance(crowd, steps, watched=what != "totals", threads=threads):
        crowd = now()
        if what != "totals":
            yield crowd, _rows(crowd, what, chosen)
            continue
        active, jailed, arrests = totals.T
        quiet = len(crowd.hardship) - active - jailed
        step = crowd.step - np.arange(len(totals))[::-1]
        yield crowd, {"step": step, "active": active, "jailed": jailed, "quiet": quiet, "arrests": arrests}


def _rows(crowd: Crowd, what: What, chosen: np.ndarray) -> dict[str, Any]:
    if what == "frames":
        frame = crowd.frame().ravel()
        cell = np.flatnonzero(frame != EMPTY)
        return {"step": np.full(len(cell), crowd.step), **_where(crowd, cell), "state": frame[cell]}
    return {
        "step": np.full(len(chosen), crowd.step), "agent": chosen, "state": crowd.states()[chosen],
        **_where(crowd, crowd.cell[chosen]), "jail": crowd.jail[chosen],
    }  # fmt: skip


def _where(crowd: Crowd, cell: np.ndarray) -> dict[str, Any]:
    """Row and column, or the node; null off the grid."""
    import pyarrow as pa

    on_grid = crowd.model.ties is None
    parts = zip(("row", "column"), np.divmod(cell, crowd.model.columns), strict=True) if on_grid else [("node", cell)]
    return {name: pa.array(part.astype(np.int32), mask=cell < 0) for name, part in parts}
