"""`groundswell compare`: models set against each other on a file of events."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated

import pydantic
import typer

from groundswell.cli.common import Config, Json, Map, Out, Seed, pairs, resolve, save, show
from groundswell.cli.events import (
    Ahead,
    By,
    Country,
    Draws,
    Events,
    EventsConfiguration,
    Origins,
    Processes,
    RefitEvery,
    Run,
    Source,
    Step,
    Until,
    short,
)
from groundswell.cli.progress import bar
from groundswell.data.files import writable_folder, write_json
from groundswell.errors import NotConverged


class CompareConfiguration(EventsConfiguration):
    """What `compare` does; None is decided by the data and written as decided."""

    ahead: Annotated[int, pydantic.Field(ge=1)] | None = None
    origins: Annotated[int, pydantic.Field(ge=1)] | None = None
    refit_every: Annotated[int, pydantic.Field(ge=1)] | None = None
    draws: Annotated[int, pydantic.Field(ge=10)] = 500
    reference: str | None = None
    until: date | None = None


def compare(
    events: Events = None,
    country: Country = None,
    by: By = None,
    step: Step = None,
    ahead: Ahead = None,
    origins: Origins = None,
    refit_every: RefitEvery = None,
    draws: Draws = None,
    reference: Annotated[str | None, typer.Option("--reference", help="What skill is measured against.")] = None,
    until: Until = None,
    map_: Map = None,
    source: Source = None,
    processes: Processes = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Rank models and baselines on held-out dates of a file of events, and write a report.

    Which mechanisms earn their keep, with intervals, and a plain sentence where the data cannot tell.
    Writes tables (CSV and Parquet), result.json, run.json, configuration.toml and report.html.
    Exit code 4 if no model's fit converged.
    """
    configuration = resolve(
        CompareConfiguration, config, events=events, country=country, by=by, step=step, ahead=ahead, origins=origins,
        refit_every=refit_every, draws=draws, reference=reference, until=until, map=pairs(map_), source=source,
        seed=seed,
    )  # fmt: skip
    from groundswell.report.comparison_report import write_report
    from groundswell.report.words import in_words
    from groundswell.studies.event_comparison import Plan, run, write

    folder = writable_folder(out or Path("out") / f"compare-{configuration.events.name.split('.')[0]}")
    plan = Plan(
        by=configuration.by, country=configuration.country, step=configuration.step, ahead=configuration.ahead,
        origins=configuration.origins, refit_every=configuration.refit_every, draws=configuration.draws,
        seed=configuration.seed, reference=configuration.reference, processes=processes or os.cpu_count() or 1,
        until=configuration.until,
    )  # fmt: skip
    facts = Run(configuration.events, plan.processes)
    with bar() as progress:
        case = run(configuration.read(), plan, progress=progress)
        progress(0.99, "report")
        files = write(case, folder)
        page = write_report(case, folder)
    decided = {name: getattr(case.plan, name) for name in ("step", "ahead", "origins", "refit_every", "reference")}
    save(configuration.model_copy(update=decided), folder)
    write_json(folder / "run.json", facts.facts())
    said = in_words(case.findings)
    result = case.result() | {"words": said, "report": str(page), "files": [str(folder / name) for name in files]}
    words = [*said, "", str(case.ranking.scores), "", str(short(case.ranking.skill)), "", f"Report: {page}"]
    show(result, "\n".join(words), as_json=as_json)
    fits = case.comparison.fits.values()
    if not any(fitted.converged for fitted in fits):
        raise NotConverged("no model's fit converged; the result is written, with the reason for each in notes.csv.")
