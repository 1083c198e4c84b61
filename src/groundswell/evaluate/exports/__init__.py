"""Forecasts in the formats of others: files by name, tables, and what of the forecast they could not hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from groundswell.data.files import replacing_file
from groundswell.errors import DataError
from groundswell.evaluate.exports import hubverse, views
from groundswell.evaluate.forecast import Forecast

Format = Literal["views", "hubverse"]


def exported(
    formats: Sequence[Format],
    made: Forecast,
    *,
    by: Literal["place", "region", "country"],
    model: str,
    team: str | None = None,
    model_name: str | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """pyarrow tables by their paths below the output folder, each format in a folder of its own, and remarks.

    All are made and checked before any is returned, so that nothing is half-written. by : what a place
    of the forecast is; places go to the grid cells of VIEWS, countries to its countries. model : the
    forecaster's name. team, model_name : what the hubverse's file name calls team and model; by default
    groundswell, and the forecaster's name cut to length.
    """
    files: dict[str, Any] = {}
    notes: list[str] = []
    if "views" in formats:
        if by == "region":
            raise DataError("VIEWS has countries and grid cells, and no regions; count by place or by country.")
        table, left = views.table(made, "country_id" if by == "country" else "priogrid_gid")
        files[f"views/{views.path(table)}"] = table
        notes += [left] if left else []
    if "hubverse" in formats:
        table = hubverse.table(made)
        short = hubverse.abbreviation(model) if model_name is None else model_name
        files[f"hubverse/{hubverse.path(table['origin_date'][0].as_py(), short, team or hubverse.TEAM)}"] = table
        if model_name is None and short != "_".join(re.findall("[A-Za-z0-9]+", model)):
            notes.append(
                f'The hubverse file calls the model "{short}", since hubs take {hubverse.LONGEST} characters at most; '
                "--model-name gives it another name, --team names your team."
            )
    return files, notes


def write(table: Any, path: Path) -> None:
    """Write a pyarrow table as .csv or .parquet, by the ending, through a temporary name; folders are made."""
    import pyarrow.csv
    import pyarrow.parquet

    with replacing_file(path) as temporary:
        if path.suffix == ".csv":
            pyarrow.csv.write_csv(table, temporary, pyarrow.csv.WriteOptions(quoting_style="needed"))
        else:
            pyarrow.parquet.write_table(table, temporary)
