"""`groundswell coordination`: were protests called, or did they spread? From a file of events."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated

import pydantic
import typer

from groundswell.cli.common import Config, Json, Map, Out, Seed, pairs, resolve, save, show
from groundswell.cli.events import By, Country, Events, EventsConfiguration, Processes, Run, Source, Until
from groundswell.cli.progress import bar
from groundswell.data.files import writable_folder, write_json
from groundswell.errors import NotConverged


class CoordinationConfiguration(EventsConfiguration):
    """What `coordination` does."""

    until: date | None = None
    call: tuple[date, ...] = ()
    once: bool = False
    records: Annotated[int, pydantic.Field(ge=60)] = 200
    level: Annotated[float, pydantic.Field(gt=0.5, lt=1)] = 0.8
    bound: Annotated[float, pydantic.Field(gt=0, lt=0.5)] = 0.1


def coordination(
    events: Events = None,
    country: Country = None,
    by: By = None,
    until: Until = None,
    call: Annotated[
        list[str] | None, typer.Option("--call", metavar="DATE", help="A call to all places that is known; repeated.")
    ] = None,
    once: Annotated[
        bool | None, typer.Option("--once", help="Count each place's first day only, as in a list of first dates.")
    ] = None,
    records: Annotated[
        int | None, typer.Option("--records", help="Simulated records of each explanation; 200.")
    ] = None,
    level: Annotated[float | None, typer.Option("--level", help="Probability that a verdict needs; 0.8.")] = None,
    bound: Annotated[float | None, typer.Option("--bound", help="Most that its error rate may be; 0.1.")] = None,
    map_: Map = None,
    source: Source = None,
    processes: Processes = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say whether events were called or spread: probabilities of six explanations, with their error rates.

    Every place for itself, the rhythm of the week, calls, a common shock, spread from place to place, news
    everywhere; fitted to daily counts, simulated at this record's size, told apart. Writes tables (CSV and Parquet),
    result.json, run.json, configuration.toml and report.html. Exit code 4 if a fit did not converge.
    """
    configuration = resolve(
        CoordinationConfiguration, config, events=events, country=country, by=by, until=until, call=call, once=once,
        records=records, level=level, bound=bound, map=pairs(map_), source=source, seed=seed,
    )  # fmt: skip
    from groundswell.report.coordination_report import write_report
    from groundswell.report.words import in_words
    from groundswell.studies.coordination import Plan, run, write

    folder = writable_folder(out or Path("out") / f"coordination-{configuration.events.name.split('.')[0]}")
    plan = Plan(
        by=configuration.by, country=configuration.country, until=configuration.until, calls=configuration.call,
        once=configuration.once, records=configuration.records, level=configuration.level, bound=configuration.bound,
        seed=configuration.seed, processes=processes or os.cpu_count() or 1,
    )  # fmt: skip
    facts = Run(configuration.events, plan.processes)
    with bar() as progress:
        case = run(configuration.read(), plan, progress=progress)
        progress(0.99, "report")
        files = write(case, folder)
        page = write_report(case, folder)
    save(configuration, folder)
    write_json(folder / "run.json", facts.facts())
    said = in_words((*case.data, *case.answer))
    result = case.result() | {"words": said, "report": str(page), "files": [str(folder / name) for name in files]}
    tables = case.tables()
    words = [*said, "", str(tables["probabilities"]), "", str(tables["confusion"]), "", f"Report: {page}"]
    show(result, "\n".join(words), as_json=as_json)
    if rough := [fit.name for fit in case.found.fits if not fit.converged]:
        raise NotConverged(f"the fit of {', '.join(rough)} did not converge; the result is written and flagged.")
