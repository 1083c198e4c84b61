"""What commands on a file of events share: options, the configuration of the file, the facts of a run."""

from __future__ import annotations

import platform
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import typer

from groundswell import __version__
from groundswell.cli.common import Configuration, say
from groundswell.data.table import Table

Events = Annotated[Path | None, typer.Argument(metavar="EVENTS", help="Table of events: CSV, TSV, Parquet.")]
Source = Annotated[str | None, typer.Option("--source", help="A reader by name; the columns decide without it.")]
Country = Annotated[str | None, typer.Option("--country", help="Only this country's events, by name or code.")]
By = Annotated[str | None, typer.Option("--by", help="Count by place, region or country.")]
Step = Annotated[int | None, typer.Option("--step", help="Days of a step: 1 daily, 7 weekly; the span decides.")]
Draws = Annotated[int | None, typer.Option("--draws", help="Simulated paths of each forecast.")]
Ahead = Annotated[int | None, typer.Option("--ahead", help="Steps ahead; 7 of a day, 4 of more.")]
Origins = Annotated[int | None, typer.Option("--origins", help="Dates from which forecasts are made.")]
RefitEvery = Annotated[int | None, typer.Option("--refit-every", help="Origins between two fits.")]
Until = Annotated[str | None, typer.Option("--until", help="Last day that the events file covers.")]
Processes = Annotated[int | None, typer.Option("--processes", min=1, help="How many work at once.")]


class EventsConfiguration(Configuration):
    """A file of events and how it is counted."""

    events: Path
    map: dict[str, str] = pydantic.Field(default_factory=dict)
    source: str | None = None
    by: Literal["place", "region", "country"] = "place"
    country: str | None = None
    step: Annotated[int, pydantic.Field(ge=1)] | None = None

    def read(self) -> Any:
        """The events and what could not be read of them."""
        from groundswell.data.readers import read_events

        read = read_events(self.events, self.map or None, self.source)
        for warning in read.warnings:
            say(f"warning: {warning}")
        return read


def short(skill: Table) -> Table:
    """The skill table with each figure and its interval in one cell."""

    def cell(row: dict[str, Any], name: str, low: str, high: str) -> str:
        if row[name] is None:
            return ""
        ends = "" if row[low] is None else f" [{row[low]:.2g}, {row[high]:.2g}]"
        return f"{row[name]:.2g}{ends}"

    rows = []
    for row in skill.rows():
        short = {"model": row["model"], "log gain": cell(row, "log gain", "log low", "log high")}
        for title in ("CRPS", "Brier"):
            short[f"{title} skill"] = cell(row, f"{title} skill", f"{title} low", f"{title} high")
        rows.append(short)
    return Table.from_rows(rows)


class Run:
    """When a run began and with what, for run.json; nothing of it belongs in a result."""

    def __init__(self, events: Path, processes: int = 1) -> None:
        self.events, self.processes = events, processes
        self.started, self.clock = datetime.now(UTC), time.perf_counter()

    def facts(self) -> dict[str, Any]:
        """Start, seconds so far, input, processes, versions."""
        return {
            "started": self.started.isoformat(),
            "seconds": round(time.perf_counter() - self.clock, 2),
            "events": str(self.events),
            "processes": self.processes,
            "version": __version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
        }
