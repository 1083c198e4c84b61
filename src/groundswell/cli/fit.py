"""`groundswell fit`: a model's parameters from events."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
import typer

from groundswell.cli import windows
from groundswell.cli.common import (
    Config,
    Json,
    Map,
    Out,
    Seed,
    Set,
    Without,
    assignments,
    flat,
    pairs,
    resolve,
    save,
    say,
    show,
)
from groundswell.cli.events import Country
from groundswell.cli.progress import bar
from groundswell.cli.simulate import ModelConfiguration, Name, Start
from groundswell.cli.suited import suited
from groundswell.data.files import writable_folder, write_json, write_text
from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import NotConverged, UsageError
from groundswell.infer.base import Fit
from groundswell.infer.base import fit as fit_model
from groundswell.models.library import LIBRARY
from groundswell.rng import generator

Fix = Annotated[
    list[str] | None, typer.Option("--fix", metavar="NAME=VALUE", help="A parameter held at a value; may be repeated.")
]


class WindowConfiguration(pydantic.BaseModel):
    """One of several windows that share the parameters."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    start: date
    end: date
    country: str | None = None


class FitConfiguration(ModelConfiguration):
    """What `fit` reads and estimates; `set` gives starting values, `fix` holds parameters.

    windows : several of them, fitted together, instead of start, end and country. abroad : a table with `date` and
    `events`, or "events": those of other countries in the same file, of the days_before days before a step if that is
    above 0. covariates : a table by place, date or both.
    """

    events: Path
    map: dict[str, str] = pydantic.Field(default_factory=dict)
    country: str | None = None
    by: Literal["place", "region", "country"] = "place"
    places: Literal["events", "gazetteer"] = "events"
    step: Annotated[int, pydantic.Field(ge=1)] = 1
    start: date | None = None
    end: date | None = None
    windows: tuple[WindowConfiguration, ...] = ()
    neighbours_km: Annotated[float, pydantic.Field(gt=0)] | None = None
    covariates: Path | None = None
    abroad: Path | None = None
    days_before: Annotated[int, pydantic.Field(ge=0)] = 0
    fix: dict[str, float] = pydantic.Field(default_factory=dict)
    method: Literal["likelihood", "penalised", "posterior"] | None = None
    draws: Annotated[int, pydantic.Field(ge=10)] = 1000
    tune: Annotated[int, pydantic.Field(ge=10)] = 1000
    chains: Annotated[int, pydantic.Field(ge=2)] = 4
    accept: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.8
    check: bool = False

    @pydantic.field_validator("fix", mode="before")
    @classmethod
    def _dotted_fix(cls, given: Any) -> Any:
        return flat(given) if isinstance(given, Mapping) else given

    def estimator(self, model: Any, processes: int) -> Any:
        """The method of inference; without one, likelihood, penalised where the model has random effects."""
        if self.method == "posterior":
            from groundswell.infer.posterior import Posterior

            return Posterior(self.draws, self.tune, self.chains, self.accept, min(processes, self.chains))
        from groundswell.infer.likelihood import MaximumLikelihood
        from groundswell.infer.penalised import PenalisedLikelihood

        random = self.method == "penalised" or (self.method is None and bool(getattr(model, "effect_names", ())))
        return PenalisedLikelihood() if random else MaximumLikelihood()

    def read(self) -> tuple[list[Setting], list[History], Table, list[str]]:
        """The settings, the counted events, what no window used of the file, and remarks on the windows."""
        from groundswell.data.readers import read_events, to_history

        if (self.start is None) != (self.end is None):
            raise UsageError("--start and --end go together: the window's first and last day.")
        if self.windows and self.start is not None:
            raise UsageError("the configuration has windows and also a start and an end; give one of them.")
        cuts: list[windows.Cut] = [
            (Window.between(cut.start, cut.end, self.step), cut.country or self.country) for cut in self.windows
        ]
        if self.start is not None and self.end is not None:
            cuts = [(Window.between(self.start, self.end, self.step), self.country)]
        cuts = cuts or [(None, self.country)]
        windows.apart(cuts)
        read = read_events(self.events, self.map)
        for warning in read.warnings:
            say(f"warning: {warning}")
        seen = [*(start for start in read.events["start"] if start is not None), *(read.covers or ())]
        remarks = windows.beyond(cuts, read.name, seen)
        unread = [{**line, "id": "", "outcome": "left out"} for line in read.left_out.rows()]
        chosen = "gazetteer" if self.places == "gazetteer" else None
        settings, histories, dropped = [], [], []
        for window, country in cuts:
            setting, history, left = to_history(read, chosen, window, self.step, self.by, country)
            dropped.append(list(left.rows()))
            settings.append(self._given(read, setting, country, dropped[-1]))
            histories.append(history)
        countries = {(event["row"], event["id"]): event["country"] for event in read.events.rows()}
        lines = [*unread, *windows.unused(cuts, dropped, countries)]
        return settings, histories, Table.from_rows(lines, ("row", "id", "outcome", "reason", "remedy")), remarks

    def _given(self, read: Any, setting: Setting, country: str | None, left: list[dict[str, Any]]) -> Setting:
        """The setting with its network, covariates and events abroad."""
        changes: dict[str, Any] = {}
        if self.neighbours_km is not None:
            near = setting.places.distance_km <= self.neighbours_km
            changes["network"] = Network(near & ~np.eye(len(near), dtype=bool))
        rows: list[dict[str, Any]] = []
        if self.covariates is not None:
            from groundswell.data.covariates import read_covariates

            found = read_covariates(self.covariates, setting.places, setting.window)
            changes["covariates"] = found.values
            rows += [{**row, "id": str(self.covariates)} for row in found.left_out.rows()]
        if self.abroad == Path("events"):
            from groundswell.data.readers.abroad import events_abroad

            if country is None:
                raise UsageError("--abroad events counts other countries' events: say with --country which is not.")
            changes["abroad"] = events_abroad(read, setting.window, country, None, self.days_before)
        elif self.abroad is not None:
            from groundswell.data.covariates import read_abroad

            changes["abroad"], outside = read_abroad(self.abroad, setting.window)
            rows += [{**row, "id": str(self.abroad)} for row in outside.rows()]
        left += [{**row, "outcome": "not used", "remedy": ""} for row in rows]
        return dataclasses.replace(setting, **changes)


def fit(
    model: Name = None,
    events: Annotated[Path | None, typer.Argument(metavar="EVENTS", help="Table of events: CSV, TSV, Parquet.")] = None,
    set_: Set = None,
    fix: Fix = None,
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
        typer.Option("--method", help="likelihood, penalised (with random effects), posterior: draws by NUTS."),
    ] = None,
    draws: Annotated[int | None, typer.Option("--draws", help="Posterior: draws kept of each chain.")] = None,
    tune: Annotated[int | None, typer.Option("--tune", help="Posterior: draws thrown away before them.")] = None,
    chains: Annotated[int | None, typer.Option("--chains", help="Posterior: chains, 2 or more.")] = None,
    accept: Annotated[
        float | None, typer.Option("--accept", help="Posterior: acceptance aimed at; nearer 1 cures divergences.")
    ] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many chains work at once.")] = None,
    check: Annotated[
        bool | None, typer.Option("--check", help="Set the fit beside its own counts: PIT, tests, residuals, PSIS-LOO.")
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
    --processes. --check says, in words, tables and two pictures, whether the counts look as the fit expects.
    Exit 4 if the search or the chains did not converge: the result is written and flagged.
    """
    configuration = resolve(
        FitConfiguration, config, model=model, events=events, set=assignments(set_), fix=assignments(fix),
        without=without, map=pairs(map_), country=country, by=by, places=places, step=step, start=start, end=end,
        neighbours_km=neighbours_km, covariates=covariates, abroad=abroad, days_before=days_before, method=method,
        draws=draws, tune=tune, chains=chains, accept=accept, check=check, seed=seed,
    )  # fmt: skip
    built, _ = configuration.build()
    if configuration.check:
        from groundswell.studies.checks import unable

        if why := unable(built):
            raise UsageError(f"--check: {why}")
    folder = writable_folder(out) if out is not None else None
    settings, histories, left_out, beyond = configuration.read()
    lost = sum(outcome == "left out" for outcome in left_out["outcome"])
    used = sum(history["events"].sum() for history in histories)
    unused = list(left_out["outcome"]).count("not used")
    say(f"{configuration.events}: {used:g} events used, {lost} left out" + f"; {unused} rows not used" * bool(unused))
    named = {*configuration.set, *configuration.fix}
    built, suits = suited(built, settings, histories, configuration.components, named)
    remarks = (*beyond, *suits)
    rng = generator(configuration.seed)
    by_day = [history.events is not None and history.events.day_precision for history in histories]
    if LIBRARY[configuration.name].level == "events" and any(by_day):
        from groundswell.models.events.ties import jittered

        histories = [
            jittered(history, rng=rng) if days else history for history, days in zip(histories, by_day, strict=True)
        ]
        remarks += (
            "times are known to the day only: each event was moved to a random moment of its day; try several seeds",
        )
    for remark in remarks:
        say(remark)
    chosen = configuration.estimator(built, processes or os.cpu_count() or 1)
    with bar() as progress:
        found = fit_model(built, settings, histories, chosen, rng=rng, fixed=configuration.fix, progress=progress)
    result = _result(found, settings, histories, lost)
    result["notes"] += remarks
    checked = ""
    if configuration.check:
        checked = _check(found, settings, histories, result, folder)
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
    """The draws with the number of their chain, whether the chains agree, and what the data added to the priors."""
    from groundswell.report.figures import posterior
    from groundswell.report.svg import svg

    assert found.draws is not None
    chain = np.repeat(np.arange(found.details["chains"]), len(found.draws) // found.details["chains"])
    columns = {"chain": chain.tolist(), **dict(zip(found.names, found.draws.T.tolist(), strict=True))}
    Table(columns).write(folder / "draws.parquet")
    if found.details["learnt"]:
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
        "events": float(sum(history["events"].sum() for history in histories)),
        "left_out": lost,
        "provenance": dict(found.provenance),
    }


def _window(setting: Setting, history: History) -> dict[str, Any]:
    return {
        "start": setting.window.start.isoformat(),
        "steps": setting.shape[1],
        "places": setting.shape[0],
        "events": float(history["events"].sum()),
    }
