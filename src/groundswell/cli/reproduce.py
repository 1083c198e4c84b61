"""`groundswell reproduce`: recompute the published numbers and say which agree."""

from __future__ import annotations

import fnmatch
import pkgutil
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from groundswell.cli.common import Json, say, show
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.studies import published
from groundswell.studies.published.base import Published, reference_data

NOT_RUN = "not run: data absent"


def reproduce(
    only: Annotated[str, typer.Option("--only", metavar="PATTERN", help='Rows by name, as "cities/*".')] = "*",
    require_all: Annotated[bool, typer.Option("--require-all", help="Fail if a row could not run.")] = False,
    skip_slow: Annotated[bool, typer.Option("--skip-slow", help="Leave out rows that take minutes.")] = False,
    as_json: Json = False,
) -> None:
    """Recompute every published number: expected, got, tolerance.

    Exit 1 if a row that ran misses its tolerance, or, with --require-all, if one could not run.
    """
    chosen = [row for row in all_rows() if _matches(row.name, only) and not (skip_slow and row.slow)]
    if not chosen:
        raise UsageError(f'no published number is called "{only}"; without --only all are listed.')
    folder = reference_data()
    done = [_computed(row, folder) for row in chosen]
    missed = [row["name"] for row in done if row["result"] == "MISSED"]
    absent = [row["name"] for row in done if row["result"] == NOT_RUN]
    counts = {"agree": len(done) - len(missed) - len(absent), "missed": len(missed), "not_run": len(absent)}
    columns = ("name", "expected", "got", "tolerance", "tag", "seconds", "result")
    words = f"{_table(done, columns)}\n\n{counts['agree']} agree, {len(missed)} missed, {len(absent)} {NOT_RUN}"
    show({"rows": done, **counts}, words, as_json=as_json)
    if missed or (require_all and absent):
        raise typer.Exit(1)


def all_rows() -> list[Published]:
    """The rows of every module of `studies/published`, in the order of the modules' names."""
    found: list[Published] = []
    for module in pkgutil.iter_modules(published.__path__):
        if module.name != "base":
            found += import_module(f"{published.__name__}.{module.name}").rows()
    return found


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatch(name, pattern) or pattern in name


def _computed(row: Published, folder: Path | None) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": row.name,
        "source": row.source,
        "expected": row.expected,
        "tolerance": row.tolerance,
        "at_least": row.at_least,
        "tag": row.tag,
        "got": None,
        "seconds": None,
    }
    if row.needs_data and folder is None:
        return out | {"result": NOT_RUN}
    start = time.perf_counter()
    got = float(row.compute(folder if row.needs_data else None))
    say(f"{row.name}: {got:.10g}")
    seconds = round(time.perf_counter() - start, 3)
    return out | {"got": got, "seconds": seconds, "result": "agrees" if row.passes(got) else "MISSED"}


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> Table:
    def shown(row: dict[str, Any]) -> dict[str, Any]:
        expected = ("at least " if row["at_least"] else "") + f"{row['expected']:.10g}"
        got = None if row["got"] is None else f"{row['got']:.10g}"
        return row | {"expected": expected, "got": got, "tolerance": f"{row['tolerance']:.2g}"}

    return Table.from_rows([shown(row) for row in rows], columns)
