"""`groundswell fit`: a model's parameters from events."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from groundswell.cli.common import (
    Config,
    Json,
    Map,
    Out,
    Seed,
    Without,
    assigned,
    assignments,
    pairs,
    resolve,
    save,
    say,
    show,
)
from groundswell.cli.events import Country
from groundswell.cli.fit_given import FitConfiguration, Given, stated_priors
from groundswell.cli.fit_series import draws_no_events, read_totals
from groundswell.cli.model_given import Name, Preset, SetAny
from groundswell.cli.progress import bar
from groundswell.cli.simulate_given import Start
from groundswell.cli.suited import suited
from groundswell.data.files import writable_folder, write_json, write_text
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import GroundswellWarning, NotConverged, UsageError
from groundswell.infer.base import Fit
from groundswell.infer.base import fit as fit_model
from groundswell.models.library import level
from groundswell.rng import generator

Fix = Annotated[
    list[str] | None, typer.Option("--fix", metavar="NAME=VALUE", help="A parameter held at a value; may be repeated.")
]


def fit(
    model: Name = None,
    events: Annotated[
        Path | None,
        typer.Argument(
            metavar="EVENTS",
            help="Table of events: CSV, TSV, Parquet. For agents that draw none: the totals of a run, history.csv.",
        ),
    ] = None,
    preset: Preset = None,
    set_: SetAny = None,
    fix: Fix = None,
    fix_rest: Annotated[
        bool | None,
        typer.Option("--fix-rest", help="Hold all that have no prior and no --fix where the model has them."),
    ] = None,
    prior: Annotated[
        list[str] | None,
        typer.Option(
            "--prior",
            metavar="NAME=MEDIAN,SD",
            help="Abc, synthetic: a prior, its sd on the log or logit of the parameter; may be repeated.",
        ),
    ] = None,
    without: Without = None,
    map_: Map = None,
    country: Country = None,
    by: Annotated[str | None, typer.Option("--by", help="Count by place, region or country.")] = None,
    places: Annotated[
        str | None, typer.Option("--places", help="Those in the events, or gazetteer: quiet ones too.")
    ] = None,
    step: Annotated[int | None, typer.Option("--step", help="Days of a step; 7 for weekly counts.")] = None,
    start: Start = None,
    end: Annotated[str | None, typer.Option("--end", help="Last day.")] = None,
    region: Annotated[
        str | None,
        typer.Option("--region", help="In the plane: GeoJSON file of where events could be seen, or `hull`."),
    ] = None,
    cell_km: Annotated[
        float | None, typer.Option("--cell-km", help="In the plane: side of the cells of a grid; one area without it.")
    ] = None,
    areas: Annotated[
        str | None,
        typer.Option("--areas", metavar="PROPERTY", help="In the plane: features of --region are places, so named."),
    ] = None,
    mark: Annotated[
        list[str] | None,
        typer.Option("--mark", metavar="COLUMN[=log]", help="In the plane: a number of each event; log, log1p."),
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="In the plane: column of kinds of events.")] = None,
    jitter_km: Annotated[
        float | None, typer.Option("--jitter-km", help="In the plane: move each event within so many km, at random.")
    ] = None,
    neighbours_km: Annotated[
        float | None, typer.Option("--neighbours-km", help="Places nearer than this are neighbours.")
    ] = None,
    covariates: Annotated[
        Path | None, typer.Option("--covariates", help="Table with place, date or both, and numbers.")
    ] = None,
    abroad: Annotated[
        Path | None,
        typer.Option("--abroad", help="Table with date and events; or `events`: other countries' in the file."),
    ] = None,
    days_before: Annotated[
        int | None, typer.Option("--days-before", help="Count --abroad events of so many days before a step.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help="likelihood, penalised (with random effects), posterior (NUTS), declustering (etas), abc or synthetic "
            "(by simulation alone).",
        ),
    ] = None,
    draws: Annotated[int | None, typer.Option("--draws", help="Posterior: draws kept of each chain.")] = None,
    tune: Annotated[int | None, typer.Option("--tune", help="Posterior: draws thrown away before them.")] = None,
    chains: Annotated[int | None, typer.Option("--chains", help="Posterior: chains, 2 or more.")] = None,
    accept: Annotated[
        float | None, typer.Option("--accept", help="Posterior: acceptance aimed at; nearer 1 cures divergences.")
    ] = None,
    summary: Annotated[
        list[str] | None,
        typer.Option("--summary", metavar="WORDS", help='Abc, synthetic: compared, as "peak events"; may be repeated.'),
    ] = None,
    simulations: Annotated[
        int | None, typer.Option("--simulations", help="Abc: in all; synthetic: for each parameter value.")
    ] = None,
    pilot: Annotated[
        int | None, typer.Option("--pilot", help="Abc: more of them, to regress parameters on summaries beforehand.")
    ] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many work at once.")] = None,
    check: Annotated[
        bool | None, typer.Option("--check", help="Set the fit beside its own counts: PIT, tests, residuals, PSIS-LOO.")
    ] = None,
    report: Annotated[
        bool | None, typer.Option("--report", help="Of single events: write report.html into --out.")
    ] = None,
    replicates: Annotated[
        int | None, typer.Option("--replicates", help="Histories drawn and fitted again, for the report's tests: 99.")
    ] = None,
    contagion: Annotated[
        bool | None,
        typer.Option("--contagion", help="In the report: weigh contagion against a background that moves. Slow."),
    ] = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Estimate a model's parameters from a table of events, by maximum likelihood or as a posterior.

    What was left out of the events is counted on the screen and listed in --out. The model starts at its
    example's values; --set changes them, and [components] of a --config file states other weights, lags,
    covariates and random effects. Several [[windows]] of that file are fitted together. --method posterior
    needs the extra `bayes`, writes its draws and two pictures too, and gives the same draws for any number of
    --processes. --method abc and synthetic ask a model for nothing but histories, compare summaries of them, and try
    their intervals on made-up data; [priors] of a --config file states a median and an sd by parameter. --check says,
    in words, tables and two pictures, whether the counts look as the fit expects.
    A model of the plane (space-time) takes events by latitude and longitude, or x_km and y_km, inside a region:
    --region, else the outline of the events' countries, else a guess around them. Of events known to the day alone
    self-exciting weighs counts by day; other models of single events put each at a random moment of its day.
    --report writes what a fit of single events says of them as one page.
    Exit 4 if the search or the chains did not converge: the result is written and flagged.
    """
    configuration = resolve(
        FitConfiguration, config, model=model, events=events, preset=preset, set=assigned(set_),
        fix=assignments(fix), fix_rest=fix_rest, priors=stated_priors(prior), without=without,
        map=pairs(map_), country=country, by=by, places=places, step=step, start=start, end=end, region=region,
        areas=areas, cell_km=cell_km, marks=mark, kind=kind, jitter_km=jitter_km, report=report,
        replicates=replicates, contagion=contagion, neighbours_km=neighbours_km, covariates=covariates, abroad=abroad,
        days_before=days_before, method=method, draws=draws, tune=tune, chains=chains, accept=accept,
        summaries=summary, simulations=simulations, pilot=pilot, check=check, seed=seed,
    )  # fmt: skip
    built, example = configuration.build()
    of_totals = draws_no_events(configuration, built, example)
    if configuration.check:
        from groundswell.studies.checks import unable

        if why := unable(built):
            raise UsageError(f"--check: {why}")
    _reportable(configuration, out)
    folder = writable_folder(out) if out is not None else None
    rng = generator(configuration.seed)
    given = read_totals(configuration, built, example) if of_totals else configuration.read(rng)
    settings, histories, left_out = given.settings, given.histories, given.left_out
    lost = sum(outcome == "left out" for outcome in left_out["outcome"])
    if not of_totals:
        used = sum(history["events"].sum() for history in histories)
        unused = list(left_out["outcome"]).count("not used")
        aside = f"; {unused} rows not used" * bool(unused)
        say(f"{configuration.events}: {used:g} events used, {lost} left out{aside}")
    named = {*configuration.set, *configuration.fix}
    suits: tuple[str, ...] = ()
    if level(configuration.model) == "events":
        built, histories, suits = _suited_to_events(built, given, configuration, named, rng)
    elif not of_totals:
        built, suits = suited(built, settings, histories, configuration.components, named)
    remarks = (*given.remarks, *suits)
    for remark in remarks:
        say(remark)
    chosen = configuration.estimator(built, processes or os.cpu_count() or 1)
    fixed = configuration.held(built)
    if silent := [f"{name} {value:g}" for name, value in fixed.items() if name not in configuration.fix]:
        say(f"Held where the model has them, without a prior: {', '.join(silent)}.")
    with _said_once(given):
        with bar() as progress:
            if configuration.declusters:
                from groundswell.infer.declustered_fit import fit_with_declustering

                found = fit_with_declustering(built, settings[0], histories[0], rng=rng, fixed=fixed, progress=progress)
            else:
                found = fit_model(built, settings, histories, chosen, rng=rng, fixed=fixed, progress=progress)
        result = _result(found, settings, histories, lost)
        result["notes"] += remarks
        checked = ""
        if configuration.check:
            checked = _check(found, settings, histories, result, folder)
        if configuration.report and folder is not None:
            checked += _report(found, given, histories, configuration, remarks, folder)
    if folder is not None:
        found.summary(effects=True).write(folder / "parameters.csv")
        left_out.write(folder / "left_out.csv")
        if found.draws is not None:
            _write_draws(found, folder)
        write_json(folder / "result.json", result)
        save(configuration, folder)
    notes = "".join(f"\n- {note}" for note in found.notes)
    speed = found.details.get("ess_per_second")
    pace = "" if speed is None else f" {speed:.0f} effective draws a second of processor time."
    words = f"{found.summary()}\n\nlog density {found.log_density:.6f}; {found.status}{pace}{notes}{checked}"
    show(result, words + (f"\nwrote {folder}" if folder else ""), as_json=as_json)
    if not found.converged:
        raise typer.Exit(NotConverged.exit_code)


@contextmanager
def _said_once(given: Given) -> Iterator[None]:
    """Where the reader has said that positions look rounded, the model's warning of the same is left out."""
    with warnings.catch_warnings():
        if any(plane.rounded for plane in given.planes):
            warnings.filterwarnings("ignore", r"\d+ of \d+ events have the position of another", GroundswellWarning)
        yield


def _reportable(configuration: FitConfiguration, out: Path | None) -> None:
    """UsageError where a report is asked for that cannot be made."""
    if configuration.report and out is None:
        raise UsageError("--report needs a folder to write into: --out FOLDER.")
    if configuration.report and level(configuration.model) != "events":
        raise UsageError(
            f"--report is on single events, and {configuration.model} weighs counts; its fit beside the counts is "
            "--check, and `compare` and `forecast` write reports."
        )
    if configuration.report and len(configuration.windows) > 1:
        raise UsageError("--report is on one window; fit the windows one by one for a report on each.")
    if configuration.replicates and not configuration.report:
        raise UsageError("--replicates are for the tests in the report; give --report too.")
    if configuration.contagion and not configuration.report:
        raise UsageError("--contagion adds to the report; give --report too.")


def _suited_to_events(
    built: Any, given: Given, configuration: FitConfiguration, named: set[str], rng: np.random.Generator
) -> tuple[Any, list[History], tuple[str, ...]]:
    """The model and the histories as they are fitted, for single events, and what was done in sentences."""
    from groundswell.report.words import in_words
    from groundswell.studies.event_model import suited_to_plane, suited_to_times

    stated = configuration.components
    if given.planes:
        built, said = suited_to_plane(built, given.planes, stated, named)
        words = tuple(in_words(said))
    else:
        built, words = suited(built, given.settings, given.histories, stated, named)
    built, histories, times = suited_to_times(built, given.settings, given.histories, stated, rng=rng)
    return built, histories, (*words, *in_words(times))


def _report(
    found: Fit, given: Given, histories: list[History], configuration: FitConfiguration, remarks: tuple[str, ...],
    folder: Path,
) -> str:  # fmt: skip
    """The report as a page with its tables beside it; for the screen, its answers."""
    from groundswell.report.event_report import write_report
    from groundswell.report.words import in_words
    from groundswell.studies.event_fit import event_fit

    assert given.read is not None
    plane = given.planes[0] if given.planes else None
    with bar() as progress:
        case = event_fit(
            given.read, configuration.name, found, given.settings[0], histories[0], given.left_out,
            seed=configuration.seed, remarks=remarks, plane=plane, replicates=configuration.replicates,
            contagion=configuration.contagion, progress=progress,
        )  # fmt: skip
    for name, table in case.tables().items():
        table.write(folder / f"{name}.csv")
    page = write_report(case, folder)
    told = [sentence for found in case.findings.values() for sentence in in_words(found)]
    return "\n\n" + "\n".join([*told, f"Report: {page}"])


def _check(
    found: Fit, settings: list[Setting], histories: list[History], result: dict[str, Any], folder: Path | None
) -> str:
    """The fit beside its own counts: in words and tables for the screen, in the result, as files in the folder."""
    from groundswell.report.figures import checks as figures
    from groundswell.report.figures.forecasts import pit
    from groundswell.report.svg import svg
    from groundswell.report.words import in_words
    from groundswell.studies.checks import check

    made = check(found, settings, histories)
    words = [*in_words(made.findings), *(note for each in made.loo for note in each.notes)]
    result["check"] = made.result() | {"words": words}
    tables = made.tables()
    if folder is not None:
        for name, table in tables.items():
            for ending in ("csv", "parquet"):
                table.write(folder / f"{name}.{ending}")
        write_text(folder / "check_pit.svg", svg(pit({"": tables["check_pit"]}), "pit"))
        if len(made.autocorrelation):
            drawn = svg(figures.autocorrelation(made.autocorrelation), "autocorrelation")
            write_text(folder / "check_autocorrelation.svg", drawn)
    shown = (str(tables[name]) for name in ("check_pit", "check_tests", "check_autocorrelation"))
    return "\n\n" + "\n".join(words) + "\n\n" + "\n\n".join(shown)


def _write_draws(found: Fit, folder: Path) -> None:
    """The draws, by chain if there are chains and whether those agree, and what the data added to the priors."""
    from groundswell.report.figures import posterior
    from groundswell.report.svg import svg

    assert found.draws is not None
    columns: dict[str, list[float]] = dict(zip(found.names, found.draws.T.tolist(), strict=True))
    chains = found.details.get("chains")
    if chains is not None:
        columns = {"chain": np.repeat(np.arange(chains), len(found.draws) // chains).tolist(), **columns}
    Table(columns).write(folder / "draws.parquet")
    if found.details["learnt"]:
        if chains is not None:
            write_text(folder / "chains.svg", svg(posterior.ranks(found).flat[0], "chains"))
        write_text(folder / "posterior.svg", svg(posterior.prior_and_posterior(found).flat[0], "posterior"))


def _result(found: Fit, settings: list[Setting], histories: list[History], lost: int) -> dict[str, Any]:
    return {
        "parameters": list(found.summary().rows()),
        "log_density": found.log_density,
        **{name: found.details[name] for name in ("aic", "bic", "marginal", "divergences") if name in found.details},
        "converged": found.converged,
        "status": found.status,
        "notes": list(found.notes),
        "places": settings[0].shape[0],
        "steps": settings[0].shape[1],
        "start": settings[0].window.start.isoformat(),
        **(
            {"windows": [_window(*case) for case in zip(settings, histories, strict=True)]} if len(settings) > 1 else {}
        ),
        **_totals(histories),
        "left_out": lost,
        "provenance": dict(found.provenance),
    }


def _totals(histories: list[History]) -> dict[str, Any]:
    """How many events there were; of a run without events, the total of each series."""
    if all("events" in history.series for history in histories):
        return {"events": float(sum(history["events"].sum() for history in histories))}
    return {"totals": {name: float(np.sum(values)) for name, values in histories[0].series.items()}}


def _window(setting: Setting, history: History) -> dict[str, Any]:
    return {
        "start": setting.window.start.isoformat(),
        "steps": setting.shape[1],
        "places": setting.shape[0],
        "events": float(history["events"].sum()),
    }
