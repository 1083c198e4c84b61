"""`groundswell forecast` and `score`: what comes after the last event, with a report; and how it turned out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import typer

from groundswell.cli.common import (
    Config,
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
from groundswell.cli.events import (
    Ahead,
    By,
    Country,
    Draws,
    Events,
    EventsConfiguration,
    Origins,
    RefitEvery,
    Run,
    Source,
    Step,
    Until,
    short,
)
from groundswell.cli.progress import bar
from groundswell.data.files import contents, files_of_run, replacing_contents, writable_folder, write_json
from groundswell.data.table import Table
from groundswell.errors import NotConverged, UsageError


class ForecastConfiguration(EventsConfiguration):
    """What `forecast` draws, and what its report looks back at.

    `set` and `without` belong to a model named as in `models list`; `origins`, `refit_every` and `previous`
    to the report. None is decided by the data and written as decided.
    """

    model: str | None = None
    set: Parameters = pydantic.Field(default_factory=dict)
    without: tuple[str, ...] = ()
    fit: bool = True
    ahead: Annotated[int, pydantic.Field(ge=1)] | None = None
    draws: Annotated[int, pydantic.Field(ge=10)] = 1000
    until: date | None = None
    report: bool = False
    origins: Annotated[int, pydantic.Field(ge=1)] | None = None
    refit_every: Annotated[int, pydantic.Field(ge=1)] | None = None
    previous: Path | None = None
    also: tuple[Literal["views", "hubverse"], ...] = ()
    team: str | None = None
    model_name: str | None = None


class ScoreConfiguration(EventsConfiguration):
    """What `score` reads."""

    forecasts: Path
    until: date | None = None


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
    until: Until = None,
    report: Annotated[
        bool | None, typer.Option("--report", help="Look back too, and write report.html; takes longer.")
    ] = None,
    origins: Origins = None,
    refit_every: RefitEvery = None,
    previous: Annotated[
        Path | None, typer.Option("--previous", help="Folder of an earlier run; the last one beside --out without it.")
    ] = None,
    also: Annotated[
        str | None, typer.Option("--also", metavar="FORMATS", help="Write these formats too: views, hubverse.")
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", help="Your team in the hubverse's file name, 15 characters at most.")
    ] = None,
    model_name: Annotated[
        str | None, typer.Option("--model-name", help="The model in the hubverse's file name, 15 characters at most.")
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
    --also views,hubverse the files of the VIEWS prediction challenge and of forecast hubs. With --report the
    forecaster is also sent back to past dates (--origins, --refit-every) and scored there beside simple baselines;
    its calibration is looked at; the last run is scored on what has happened since; and report.html says it all.
    """
    configuration = resolve(
        ForecastConfiguration, config, events=events, model=model, set=assignments(set_), without=without, fit=fit,
        country=country, by=by, step=step, ahead=ahead, draws=draws, until=until, report=report, origins=origins,
        refit_every=refit_every, previous=previous, map=pairs(map_), source=source, seed=seed,
        also=also and [name.strip() for name in also.split(",")], team=team, model_name=model_name,
    )  # fmt: skip
    if configuration.also and out is None:
        raise UsageError("--also writes files, and there is no folder for them; give --out.")
    for flag, given in (("--team", configuration.team), ("--model-name", configuration.model_name)):
        if given is not None and "hubverse" not in configuration.also:
            raise UsageError(f"{flag} names a file of the hubverse, which is not written; add --also hubverse.")
    if not configuration.report and (asked := _of_the_report(configuration)):
        raise UsageError(f"{asked} belongs to the report: add --report (report = true in a file), or leave it out.")
    from groundswell.evaluate.exports import exported
    from groundswell.report.words import in_words
    from groundswell.studies.event_comparison import Plan, counted, facts_of_data, said_of_data
    from groundswell.studies.forecasting import ahead as forecast_ahead

    folder = writable_folder(out) if out is not None else None
    facts = Run(configuration.events)
    read = configuration.read()
    plan = Plan(
        by=configuration.by, country=configuration.country, step=configuration.step, ahead=configuration.ahead,
        origins=configuration.origins, refit_every=configuration.refit_every, draws=configuration.draws,
        seed=configuration.seed, until=configuration.until,
    ).resolved(read)  # fmt: skip
    counts = setting, history, left_out = counted(read, plan)
    if configuration.report and folder is None:
        name = (config or configuration.events).name.split(".")[0]
        folder = writable_folder(Path("out") / f"forecast-{name}" / setting.window.end.isoformat())
    earlier = _earlier(configuration, plan, folder, setting.window.end) if configuration.report else None
    candidate, suits = _chosen(configuration, setting, history)
    made, fitted = forecast_ahead(candidate, setting, history, steps=plan.ahead or 1, draws=plan.draws, seed=plan.seed)
    others, remarks = exported(
        configuration.also, made, by=configuration.by, model=candidate.name, team=configuration.team,
        model_name=configuration.model_name,
    )  # fmt: skip
    totals = made.together("total").summary()
    tables = {"quantiles": made.summary(), "totals": totals, "left_out": left_out, "unread_rows": read.left_out}
    notes = [] if fitted is None else [*([] if fitted.converged else [fitted.status]), *fitted.notes]
    if made.exploded:
        notes.append(f"{made.exploded} of {plan.draws} paths passed the model's cap and stay at their last step.")
    notes += [*suits, *remarks]
    decided: dict[str, Any] = {"step": plan.step, "ahead": plan.ahead}
    result = {
        "model": candidate.name,
        "origin": setting.window.end.isoformat(),
        "seed": plan.seed,
        "counted": _counted(plan),
        "data": facts_of_data(read, counts),
        "totals": list(totals.rows()),
        "notes": notes,
    }
    said = [f"{candidate.name}, from {setting.window.end}, {len(setting.places)} places, {plan.draws} draws."]
    page = None
    if configuration.report:
        from groundswell.report.forecast_report import write_report
        from groundswell.studies.monthly import run as run_monthly

        with bar() as progress:
            case = run_monthly(candidate, counts, read, (made, fitted), plan, earlier=earlier, progress=progress)
            progress(0.95, "report")
            tables, result = case.tables(), result | case.result()
            decided |= {"origins": case.plan.origins, "refit_every": case.plan.refit_every}
            decided |= {"previous": None if earlier is None else earlier.folder}
            assert folder is not None
            _write(
                folder, configuration, decided, made, tables, result, facts, others, lambda new: write_report(case, new)
            )
        page = folder / "report.html"
        words = in_words(finding for found in case.findings.values() for finding in found)
        result, said = result | {"words": words, "report": str(page)}, [*said, *words]
    else:
        words = in_words(said_of_data(read, counts, plan.until))
        result, said = result | {"words": words}, [*said, *words]
    if folder is not None and page is None:
        _write(folder, configuration, decided, made, tables, result, facts, others)
    files = [] if folder is None else [str(folder / name) for name in files_of_run(folder)]
    said += ["", str(totals), *([""] if notes else []), *notes]
    said += [f"wrote {path}" for path in files] if page is None else ["", f"Report: {page}"]
    show(result | {"files": files}, "\n".join(said), as_json=as_json)
    if fitted is not None and not fitted.converged:
        raise NotConverged("the fit did not converge, so the forecast is flagged: " + fitted.status)


def score(
    forecasts: Annotated[Path | None, typer.Argument(metavar="FORECASTS", help="draws.parquet of forecast.")] = None,
    events: Events = None,
    country: Country = None,
    by: By = None,
    until: Until = None,
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
    words = [*said, "", str(found.ranking.scores), "", str(short(found.ranking.skill))]
    show(result, "\n".join(words), as_json=as_json)


def _write(
    folder: Path,
    configuration: ForecastConfiguration,
    decided: Mapping[str, Any],
    made: Any,
    tables: Mapping[str, Table],
    result: Mapping[str, Any],
    facts: Run,
    others: Mapping[str, Any],
    page: Callable[[Path], object] | None = None,
) -> None:
    """Every file of a run; all take their place together, over those of an earlier run in the same folder."""
    from groundswell.evaluate.exports import write

    with replacing_contents(folder, files_of_run(folder)) as new:
        made.table().write(new / "draws.parquet")
        for name, table in tables.items():
            for ending in ("csv", "parquet"):
                table.write(new / f"{name}.{ending}")
        for name, other in others.items():
            write(other, new / name)
        if page is not None:
            page(new)
        save(configuration.model_copy(update=dict(decided)), new)
        write_json(new / "result.json", result)
        write_json(new / "run.json", facts.facts() | {"files": contents(new)})


def _of_the_report(configuration: ForecastConfiguration) -> str:
    """The first setting that was given for a report, or nothing."""
    given = [name for name in ("origins", "refit_every", "previous") if getattr(configuration, name) is not None]
    return given[0] if given else ""


def _counted(plan: Any) -> dict[str, Any]:
    """What a count is of; two runs are compared only where it is the same."""
    return {"by": plan.by, "country": plan.country, "step_days": plan.step}


def _earlier(configuration: ForecastConfiguration, plan: Any, folder: Path | None, origin: date) -> Any:
    """The run to compare with: the one that was named, or the last one in or beside the output folder."""
    from groundswell.studies.since import comparable, latest_before, read_earlier

    if configuration.previous is not None:
        return comparable(read_earlier(configuration.previous), origin, _counted(plan))
    assert folder is not None
    return latest_before(folder, origin, _counted(plan))


def _chosen(configuration: ForecastConfiguration, setting: Any, history: Any) -> tuple[Any, tuple[str, ...]]:
    """A model of the library, as configured and suited to the data, or a candidate of `compare`; and remarks."""
    from groundswell.evaluate.compare import Candidate
    from groundswell.infer.likelihood import MaximumLikelihood
    from groundswell.models.library import LIBRARY
    from groundswell.studies.forecasting import chosen

    name = configuration.model
    if name is not None and name.replace("-", "_") in LIBRARY:
        from groundswell.cli.model_given import ModelConfiguration
        from groundswell.cli.suited import suited

        built, _ = ModelConfiguration(model=name, set={**configuration.set}, without=configuration.without).build()
        built, remarks = suited(built, [setting], [history], named=configuration.set, fitted=configuration.fit)
        return Candidate(name, built, MaximumLikelihood() if configuration.fit else None), remarks
    found = chosen(name, setting, history)
    return found if configuration.fit else Candidate(found.name, found.source), ()
