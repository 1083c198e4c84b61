"""What a sweep found: a row for each run, and a row for each configuration over its seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.sweeps.folder import Folder


def runs_table(folder: Folder) -> Table:
    """Every run that was made: configuration, seed, parameters, summaries, exploded, and the error of one that failed.

    Sorted by configuration and seed. A missing number is None; a run that is not done has no row.
    """
    rows = []
    for run, body, _ in folder.results():
        if body is None:
            continue
        found = body.get("summaries", {})
        rows.append(
            {
                "configuration": run.configuration,
                "seed": run.seed,
                **{name: body["parameters"][name] for name in folder.parameters},
                **{name: found.get(name) for name in folder.summaries},
                "exploded": body.get("exploded"),
                "error": body.get("error"),
            }
        )
    known = ("configuration", "seed", *folder.parameters, *folder.summaries, "exploded", "error")
    return Table.from_rows(rows, known)


def configurations_table(folder: Folder, runs: Table) -> Table:
    """Mean and standard deviation of each summary over a configuration's seeds, and how many seeds have it.

    None where no seed has the number, and for the standard deviation of a single one.
    """
    at = np.array(runs["configuration"], dtype=int)
    rows: list[dict[str, Any]] = []
    values = {name: numbers(runs, name) for name in folder.summaries}
    for configuration in np.unique(at):
        mine = np.flatnonzero(at == configuration)
        row: dict[str, Any] = {"configuration": int(configuration)}
        row |= {name: runs[name][mine[0]] for name in folder.parameters}
        for name in folder.summaries:
            known = values[name][mine]
            known = known[np.isfinite(known)]
            row[f"mean of {name}"] = float(known.mean()) if known.size else None
            row[f"sd of {name}"] = float(known.std(ddof=1)) if known.size > 1 else None
            row[f"seeds with {name}"] = int(known.size)
        rows.append(row)
    return Table.from_rows(rows)


def numbers(table: Table, name: str) -> np.ndarray:
    """A column as floats, NaN where it is missing."""
    return np.array([np.nan if value is None else value for value in table[name]], dtype=float)
