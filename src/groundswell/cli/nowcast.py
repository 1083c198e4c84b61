"""`groundswell nowcast`: how much a list that grows does not have yet."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pydantic
import typer

from groundswell.cli.common import (
    Config,
    Configuration,
    Json,
    Map,
    Out,
    Parameters,
    Seed,
    assignments,
    pairs,
    resolve,
    save,
    show,
)
from groundswell.errors import NotConverged


class NowcastConfiguration(Configuration):
    """What `nowcast` does with the vintages of a list."""

    files: tuple[Path, ...]
    as_of: tuple[date, ...] = ()
    map: dict[str, str] = pydantic.Field(default_factory=dict)
    at: tuple[date, ...] = ()
    places: str = "open"
    country: str | None = None
    minimum_population: Annotated[int, pydantic.Field(ge=1)] = 15000
    start: date | None = None
    regions: Literal["common", "all"] = "common"
    hold: Parameters = pydantic.Field(default_factory=dict)
    draws: Annotated[int, pydantic.Field(ge=100)] = 1000


def nowcast(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="One table with a vintage column, or one a vintage.")
    ] = None,
    as_of: Annotated[
        list[str] | None,
        typer.Option("--as-of", metavar="DATE", help="The day of each file, in their order; repeated."),
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="DATE", help="Vintage to nowcast; repeated. Default the last.")
    ] = None,
    places: Annotated[
        str | None, typer.Option("--places", help="open (by region), gazetteer, or a table of places.")
    ] = None,
    country: Annotated[str | None, typer.Option("--country", help="Whose places of the gazetteer.")] = None,
    minimum_population: Annotated[
        int | None, typer.Option("--minimum-population", help="Smallest place of the gazetteer to take; 15,000.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", metavar="DATE", help="First day; default the earliest stated.")
    ] = None,
    regions: Annotated[
        str | None, typer.Option("--regions", help="common: those that every vintage covers; or all.")
    ] = None,
    hold: Annotated[
        list[str] | None, typer.Option("--hold", metavar="NAME=VALUE", help="A parameter held at a value; repeated.")
    ] = None,
    draws: Annotated[int | None, typer.Option("--draws", help="Joint draws of what is not listed.")] = None,
    map_: Map = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Nowcast what a list that grows does not have yet, from the list as it stood on several days.

    A vintage named by --at is nowcast from what was known then, and scored on the last vintage if that is
    later. Writes tables (CSV and Parquet), result.json, configuration.toml and report.html. Exit code 4 if a
    fit did not converge.
    """
    configuration = resolve(
        NowcastConfiguration, config, files=files or None, as_of=as_of or None, map=pairs(map_), at=at or None,
        places=places, country=country, minimum_population=minimum_population, start=start, regions=regions,
        hold=assignments(hold), draws=draws, seed=seed,
    )  # fmt: skip
    from groundswell.cli.progress import bar
    from groundswell.data.files import writable_folder
    from groundswell.data.vintages import read_vintages
    from groundswell.report.nowcast_report import write_report
    from groundswell.report.words import in_words
    from groundswell.studies import growing_tables
    from groundswell.studies.growing_list import Plan, run

    folder = writable_folder(out or Path("out") / f"nowcast-{configuration.files[0].name.split('.')[0]}")
    vintages = read_vintages(configuration.files, configuration.as_of, configuration.map)
    given = configuration.model_dump(exclude={"files", "as_of", "map"})
    with bar() as progress:
        case = run(vintages, Plan(**given), progress=progress)
        progress(0.99, "report")
        files_written = growing_tables.write(case, folder)
        page = write_report(case, folder)
    save(configuration.model_copy(update={"at": case.plan.at}), folder)
    said = in_words((*growing_tables.findings(case), *growing_tables.limits(case)))
    tables = growing_tables.tables(case)
    shown = tables["scores" if "scores" in tables else "by_day"]
    result = growing_tables.result(case) | {
        "words": said,
        "report": str(page),
        "files": [str(folder / name) for name in files_written],
    }
    show(result, "\n".join([*said, "", str(shown), "", f"Report: {page}"]), as_json=as_json)
    if rough := [str(one.when) for one in case.made if not one.nowcast.fit.converged]:
        raise NotConverged(f"the fit of {', '.join(rough)} did not converge; the result is written and flagged.")
