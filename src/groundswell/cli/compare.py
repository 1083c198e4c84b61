"""`groundswell compare`, `forecast` and `score`: models and forecasts on a file of events."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import typer

from groundswell import __version__
from groundswell.cli.common import (
    Config,
    Configuration,
    Json,
    Map,
    Out,
    Parameters,
    Seed,
    Set,
    Without,
    assignments,
    pairs,
    resolve,
    save,
    say,
    show,
)
from groundswell.cli.progress import bar
from groundswell.data.files import writable_folder, write_json
from groundswell.data.table import Table
from groundswell.errors import NotConverged, UsageError

Events = Annotated[Path | None, typer.Argument(metavar="EVENTS", help="Table of events: CSV, TSV, Parquet.")]
Source = Annotated[str | None, typer.Option("--source", help="A reader by name; the columns decide without it.")]
Country = Annotated[str | None, typer.Option("--country", help="Only this country's events, by name or code.")]
By = Annotated[str | None, typer.Option("--by", help="Count by place, region or country.")]
Step = Annotated[int | None, typer.Option("--step", help="Days of a step: 1 daily, 7 weekly; the span decides.")]
Draws = Annotated[int | None, typer.Option("--draws", help="Simulated paths of each forecast.")]
Ahead = Annotated[int | None, typer.Option("--ahead", help="Steps ahead; 7 of a day, 4 of more.")]


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

        return read_events(self.events, self.map or None, self.source)


class CompareConfiguration(EventsConfiguration):
    """What `compare` does; None is decided by the data and written as decided."""

    ahead: Annotated[int, pydantic.Field(ge=1)] | None = None
    origins: Annotated[int, pydantic.Field(ge=1)] | None = None
    refit_every: Annotated[int, pydantic.Field(ge=1)] | None = None
    draws: Annotated[int, pydantic.Field(ge=10)] = 500
    reference: str | None = None


class ForecastConfiguration(EventsConfiguration):
    """What `forecast` draws; `set` and `without` belong to a model named as in `models list`."""

    model: str | None = None
    set: Parameters = pydantic.Field(default_factory=dict)
    without: tuple[str, ...] = ()
    fit: bool = True
    ahead: Annotated[int, pydantic.Field(ge=1)] | None = None
    draws: Annotated[int, pydantic.Field(ge=10)] = 1000
    also: tuple[Literal["views", "hubverse"], ...] = ()


class ScoreConfiguration(EventsConfiguration):
    """What `score` reads."""

    forecasts: Path
    until: date | None = None


def compare(
    events: Events = None,
    country: Country = None,
    by: By = None,
    step: Step = None,
    ahead: Ahead = None,
    origins: Annotated[int | None, typer.Option("--origins", help="Dates from which forecasts are made.")] = None,
    refit_every: Annotated[int | None, typer.Option("--refit-every", help="Origins between two fits.")] = None,
    draws: Draws = None,
    reference: Annotated[str | None, typer.Option("--reference", help="What skill is measured against.")] = None,
    map_: Map = None,
    source: Source = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many work at once.")] = None,
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
        refit_every=refit_every, draws=draws, reference=reference, map=pairs(map_), source=source, seed=seed,
    )  # fmt: skip
    from groundswell.report.comparison_report import write_report
    from groundswell.report.words import in_words
    from groundswell.studies.event_comparison import Plan, run, write

    folder = writable_folder(out or Path("out") / f"compare-{configuration.events.name.split('.')[0]}")
    started, clock = datetime.now(UTC), time.perf_counter()
    plan = Plan(
        by=configuration.by, country=configuration.country, step=configuration.step, ahead=configuration.ahead,
        origins=configuration.origins, refit_every=configuration.refit_every, draws=configuration.draws,
        seed=configuration.seed, reference=configuration.reference, processes=processes or os.cpu_count() or 1,
    )  # fmt: skip
    with bar() as progress:
        case = run(configuration.read(), plan, progress=progress)
        progress(0.99, "report")
        files = write(case, folder)
        page = write_report(case, folder)
    decided = {name: getattr(case.plan, name) for name in ("step", "ahead", "origins", "refit_every", "reference")}
    save(configuration.model_copy(update=decided), folder)
    write_json(folder / "run.json", _run(started, clock, configuration.events, plan.processes))
    said = in_words(case.findings)
    result = case.result() | {"words": said, "report": str(page), "files": [str(folder / name) for name in files]}
    words = [*said, "", str(case.ranking.scores), "", str(_short(case.ranking.skill)), "", f"Report: {page}"]
    show(result, "\n".join(words), as_json=as_json)
    fits = case.comparison.fits.values()
    if not any(fitted.converged for fitted in fits):
        raise NotConverged("no model's fit converged; the result is written, with the reason for each in notes.csv.")


def forecast(
    events: Events = None,
    model: Annotated[
        str | None, typer.Option("--model", help="A name from compare's table, or from `groundswell models list`.")
    ] = None,
    set_: Set = None,
    without: Without = None,
    fit: Annotated[bool | None, typer.Option("--fit/--no-fit", help="Fit first, or use the model as it is.")] = None,
    country: Country = None,
    by: By = None,
    step: Step = None,
    ahead: Ahead = None,
    draws: Draws = None,
    also: Annotated[
        str | None, typer.Option("--also", metavar="FORMATS", help="Write these formats too: views, hubverse.")
    ] = None,
    map_: Map = None,
    source: Source = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Forecast the steps after the last event: every draw, and quantiles by place and for all places.

    With --out: draws.parquet (what `score` reads), quantiles and totals as CSV and Parquet; with
    --also views,hubverse the files of the VIEWS prediction challenge and of forecast hubs.
    """
    configuration = resolve(
        ForecastConfiguration, config, events=events, model=model, set=assignments(set_), without=without, fit=fit,
        country=country, by=by, step=step, ahead=ahead, draws=draws, map=pairs(map_), source=source, seed=seed,
        also=also and [name.strip() for name in also.split(",")],
    )  # fmt: skip
    if configuration.also and out is None:
        raise UsageError("--also writes files, and there is no folder for them; give --out.")
    from groundswell.evaluate.exports import exported, write
    from groundswell.studies.event_comparison import Plan, counted
    from groundswell.studies.forecasting import ahead as forecast_ahead

    folder = writable_folder(out) if out is not None else None
    started, clock = datetime.now(UTC), time.perf_counter()
    read = configuration.read()
    plan = Plan(
        by=configuration.by, country=configuration.country, step=configuration.step, ahead=configuration.ahead,
        draws=configuration.draws, seed=configuration.seed,
    ).resolved(read)  # fmt: skip
    setting, history, _ = counted(read, plan)
    candidate = _chosen(configuration, setting, history)
    made, fitted = forecast_ahead(candidate, setting, history, steps=plan.ahead or 1, draws=plan.draws, seed=plan.seed)
    others, remarks = exported(configuration.also, made, by=configuration.by, model=candidate.name)
    totals, quantiles = made.together("total").summary(), made.summary()
    notes = [] if fitted is None else [*([] if fitted.converged else [fitted.status]), *fitted.notes]
    if made.exploded:
        notes.append(f"{made.exploded} of {plan.draws} paths passed the model's cap and stay at their last step.")
    notes += remarks
    written: list[Path] = []
    if folder is not None:
        for name, table in others.items():
            write(table, folder / name)
            written.append(folder / name)
        made.table().write(folder / "draws.parquet")
        written.append(folder / "draws.parquet")
        for name, table in (("quantiles", quantiles), ("totals", totals)):
            for ending in ("csv", "parquet"):
                table.write(folder / f"{name}.{ending}")
                written.append(folder / f"{name}.{ending}")
        save(configuration.model_copy(update={"step": plan.step, "ahead": plan.ahead}), folder)
        write_json(folder / "run.json", _run(started, clock, configuration.events, 1))
    result = {
        "model": candidate.name,
        "origin": setting.window.end.isoformat(),
        "seed": plan.seed,
        "totals": list(totals.rows()),
        "notes": notes,
    }
    if folder is not None:
        write_json(folder / "result.json", result)
    head = f"{candidate.name}, from {setting.window.end}, {len(setting.places)} places, {plan.draws} draws."
    words = [head, "", str(totals), *([""] if notes else []), *notes, *(f"wrote {path}" for path in written)]
    show(result | {"files": [str(path) for path in written]}, "\n".join(words), as_json=as_json)
    if fitted is not None and not fitted.converged:
        raise NotConverged("the fit did not converge, so the forecast is flagged: " + fitted.status)


def score(
    forecasts: Annotated[Path | None, typer.Argument(metavar="FORECASTS", help="draws.parquet of forecast.")] = None,
    events: Events = None,
    country: Country = None,
    by: By = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day that the events file covers.")] = None,
    map_: Map = None,
    source: Source = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Score forecasts on what a file of events says has happened, beside the simple baselines.

    Lower is better; skill is measured against conflictology. Give the --by and --country of the forecast.
    """
    configuration = resolve(
        ScoreConfiguration, config, forecasts=forecasts, events=events, country=country, by=by, until=until,
        map=pairs(map_), source=source, seed=seed,
    )  # fmt: skip
    from groundswell.report.words import in_words
    from groundswell.studies.forecasting import read_draws
    from groundswell.studies.forecasting import score as score_table

    folder = writable_folder(out) if out is not None else None
    table = read_draws(configuration.forecasts)
    found = score_table(
        table, configuration.read(), by=configuration.by, country=configuration.country, until=configuration.until,
        seed=configuration.seed,
    )  # fmt: skip
    tables = {"scores": found.ranking.scores, "skill": found.ranking.skill}
    said = in_words(found.findings)
    result = {"words": said} | {name: list(table.rows()) for name, table in tables.items()}
    if folder is not None:
        for name, one in tables.items():
            one.write(folder / f"{name}.csv")
            one.write(folder / f"{name}.parquet")
        write_json(folder / "result.json", result)
        save(configuration, folder)
        say(f"written to {folder}")
    words = [*said, "", str(found.ranking.scores), "", str(_short(found.ranking.skill))]
    show(result, "\n".join(words), as_json=as_json)


def _chosen(configuration: ForecastConfiguration, setting: Any, history: Any) -> Any:
    """A model of the library, as configured, or a candidate of `compare`."""
    from groundswell.evaluate.compare import Candidate
    from groundswell.infer.likelihood import MaximumLikelihood
    from groundswell.models.library import LIBRARY
    from groundswell.studies.forecasting import chosen

    name = configuration.model
    if name is not None and name.replace("-", "_") in LIBRARY:
        from groundswell.cli.simulate import ModelConfiguration

        built, _ = ModelConfiguration(model=name, set=configuration.set, without=configuration.without).build()
        return Candidate(name, built, MaximumLikelihood() if configuration.fit else None)
    found = chosen(name, setting, history)
    return found if configuration.fit else Candidate(found.name, found.source)


def _short(skill: Table) -> Table:
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


def _run(started: datetime, clock: float, events: Path, processes: int) -> dict[str, Any]:
    return {
        "started": started.isoformat(),
        "seconds": round(time.perf_counter() - clock, 2),
        "events": str(events),
        "processes": processes,
        "version": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
