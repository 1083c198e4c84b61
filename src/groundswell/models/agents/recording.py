"""Long runs to a Parquet file: written as they go, in bounded memory, whole or not at all, and altering nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np

from groundswell import __version__
from groundswell.data.files import replacing_file
from groundswell.errors import UsageError
from groundswell.models.moments import go_on

What = Literal["totals", "frames", "agents"]

SMALLER = dict.fromkeys(("row", "column", "node", "jail", "age"), "int32") | {"state": "uint8", "group": "uint8"}
"""Columns that take less than whole numbers of 64 bits."""

ROWS_AT_ONCE = 1_000_000
"""Rows held in memory before they are written."""


def record(
    path: Path | str,
    moment: Any,
    steps: int,
    *,
    what: What,
    agents: np.ndarray | None = None,
    threads: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> Any:
    """Take `steps` steps and write what is seen at the end of each; returns the moment at the end, as `run` would.

    moment : a Crowd of civil violence, or the Peoples of violence between groups.
    what : "totals": step and the model's series, of civil violence active, jailed, quiet, arrests. "frames": step, row,
        column, state of every cell that is not empty, as `frame` shows it, from the start on. "agents": step, agent,
        state, row, column, jail (steps left), and of violence between groups group and age, of those whose numbers
        `agents` lists, or of all, from the start on; row and column are null off the grid. On a network "node" stands
        in place of row and column.
    The file's metadata hold the model, the key and the version under "groundswell". Needs the memory of one step, of a
    million rows and of the totals. A run that is stopped leaves what stood at `path` as it was.
    """
    with Recorder(path, moment, what, agents) as recorder:
        return go_on(
            moment.model.moments(), moment, steps, watcher=recorder, threads=threads, progress=progress
        )[0]  # fmt: skip


class Recorder:
    """The file that a run is written to, as `record` describes it; for the `watcher` of `moments.go_on`.

    Used as a context: the file takes its name when the context is left without an error.
    """

    def __init__(self, path: Path | str, moment: Any, what: What, agents: np.ndarray | None = None) -> None:
        if what not in get_args(What):
            raise UsageError(f'what is {what!r}; expected "totals", "frames" or "agents".')
        self.watched = what != "totals"
        self._path, self._what, self._first = Path(path), what, moment
        self._agents = moment.numbers(agents) if what == "agents" else None
        self._step, self._held, self._files = moment.step, [], ExitStack()

    def __enter__(self) -> Self:
        import pyarrow as pa
        import pyarrow.parquet as pq

        first = self._first
        rows = self._rows(first) if self.watched else {}
        names = list(rows) or ["step", *first.model.moments().series]
        origin = {"model": _stated(first.model), "key": first.key, "step": first.step, "version": __version__}
        kinds = [(name, SMALLER.get(name, "int64")) for name in names]
        self._schema = pa.schema(kinds, {"groundswell": json.dumps(origin, default=float)})
        with ExitStack() as opened:
            temporary = opened.enter_context(replacing_file(self._path))
            self._writer = opened.enter_context(pq.ParquetWriter(temporary, self._schema))
            self._files = opened.pop_all()
        if self.watched:
            self._hold(rows)
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._write()
        self._files.__exit__(*error)

    def see(self, series: Mapping[str, np.ndarray], now: Callable[[], Any]) -> None:
        """Hold what happened in the last steps, and write it if it is much."""
        count = len(next(iter(series.values())))
        steps = self._step + 1 + np.arange(count)
        self._step += count
        if self.watched:
            self._hold(self._rows(now()))
        else:
            self._hold({"step": steps} | {name: values.astype(np.int64) for name, values in series.items()})

    def _rows(self, moment: Any) -> dict[str, Any]:
        if self._what == "agents":
            rows = moment.rows(self._agents)
            return {"step": np.full(len(rows["agent"]), moment.step), **rows}
        frame = moment.frame().ravel()
        cell = np.flatnonzero(frame)  # 0 is an empty cell
        return {"step": np.full(len(cell), moment.step), **moment.model.where(cell), "state": frame[cell]}

    def _hold(self, columns: dict[str, Any]) -> None:
        import pyarrow as pa

        self._held.append(pa.table(columns, self._schema))
        if sum(map(len, self._held)) >= ROWS_AT_ONCE:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa

        if self._held:
            self._writer.write_table(pa.concat_tables(self._held))
            self._held.clear()


def _stated(model: Any) -> dict[str, Any]:
    """Every field, a network by how many persons and ties it has."""
    given = {field.name: getattr(model, field.name) for field in fields(model)}
    ties = given.pop("ties")
    courses = {name: asdict(value) for name, value in given.items() if is_dataclass(value)}  # type: ignore[arg-type]
    network = {} if ties is None else {"network": {"nodes": model.cells, "ties": ties.graph.ties}}
    return {**given, **courses, "ties": None if ties is None else ties.rules() | network}
