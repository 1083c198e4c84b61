"""`groundswell simulate` and `groundswell fit`: a model forwards, and a model from events."""

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
    flat,
    pairs,
    resolve,
    save,
    say,
    show,
)
from groundswell.cli.progress import bar
from groundswell.data.files import writable_folder, write_json, write_text
from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import NotConverged, UsageError, nearest
from groundswell.infer.base import Fit
from groundswell.infer.base import fit as fit_model
from groundswell.models.library import LIBRARY, load
from groundswell.rng import generator

Days = Annotated[int | None, typer.Option("--days", help="Length of the window in days.")]
Start = Annotated[str | None, typer.Option("--start", help="First day, as 2017-12-28.")]
Country = Annotated[str | None, typer.Option("--country", help="The gazetteer's places of this country.")]
Fix = Annotated[
    list[str] | None, typer.Option("--fix", metavar="NAME=VALUE", help="A parameter held at a value; may be repeated.")
]
Name = Annotated[
    str | None, typer.Argument(metavar="MODEL", help="A name from `groundswell models list`; may stand in --config.")
]


class ModelConfiguration(Configuration):
    """A model: its name, the parameters that differ from its example, the components left out."""

    model: str
    set: Parameters = pydantic.Field(default_factory=dict)
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The library's name of the model."""
        return self.model.replace("-", "_")

    def build(self) -> tuple[Any, Setting]:
        """The model, and its example's setting."""
        found = load(self.model).example()
        model: Any = found[0]
        for part in self.without:
            parts = [f.name for f in dataclasses.fields(model) if dataclasses.is_dataclass(getattr(model, f.name))]
            if part not in parts:
                raise UsageError(f'--without "{part}": {self.model} has no such component.' + nearest(part, parts, 3))
        model = dataclasses.replace(model, **dict.fromkeys(self.without))
        return model.replacing(self.set), found[1]


class SimulateConfiguration(ModelConfiguration):
    """What `simulate` draws: without a country, in the setting of the model's example."""

    days: Annotated[int, pydantic.Field(ge=1)] | None = None
    start: date | None = None
    country: str | None = None

    def setting(self, example: Setting) -> Setting:
        """The setting that was asked for."""
        if self.country is not None:
            from groundswell.data.gazetteer import places

            window = Window(self.start or example.window.start, self.days or example.window.periods)
            return Setting(places(self.country), window)
        if self.start is not None:
            example = dataclasses.replace(example, window=dataclasses.replace(example.window, start=self.start))
        return example if self.days is None else _of_length(example, self.days)


def simulate(
    model: Name = None,
    set_: Set = None,
    without: Without = None,
    days: Days = None,
    start: Start = None,
    country: Country = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Draw one history from a model: totals on the screen, tables with --out.

    Without --country the model runs in the setting of its own example (`models show MODEL`).
    The same seed gives the same history.
    """
    configuration = resolve(
        SimulateConfiguration,
        config,
        model=model,
        set=assignments(set_),
        without=without,
        days=days,
        start=start,
        country=country,
        seed=seed,
    )
    built, example = configuration.build()
    setting = configuration.setting(example)
    folder = writable_folder(out) if out is not None else None
    history = built.simulate(setting, rng=generator(configuration.seed))
    files = _write(history, configuration, folder) if folder is not None else []
    totals = _totals(history)
    count, periods = setting.shape
    ended = " The draw exploded and ends there." if history.exploded else ""
    words = (
        f"{configuration.model}, seed {configuration.seed}; places: {count}; "
        f"steps of {setting.window.step} d from {setting.window.start}: {periods}.{ended}\n\n{totals}"
    )
    result = {
        "model": configuration.model,
        "seed": configuration.seed,
        "places": count,
        "start": setting.window.start.isoformat(),
        "steps": periods,
        "exploded": history.exploded,
        "totals": list(totals.rows()),
        "files": [str(file) for file in files],
    }
    show(result, "\n".join([words, *(f"wrote {file}" for file in files)]), as_json=as_json)


def _of_length(setting: Setting, days: int) -> Setting:
    if days % setting.window.step:
        raise UsageError(f"--days {days} is no multiple of the example's step of {setting.window.step} days.")
    periods = days // setting.window.step
    if periods <= setting.window.periods:
        return setting.during(periods)
    if setting.covariates or setting.calls is not None or setting.abroad is not None:
        raise UsageError(
            f"the example's covariates, calls and events abroad are given for {setting.window.days} days; "
            f"--days {days} goes beyond them. Give --country as well, for a setting of your own."
        )
    return dataclasses.replace(setting, window=dataclasses.replace(setting.window, periods=periods), later_edges=())


def _totals(history: History) -> Table:
    dates = history.window.dates()
    rows = []
    for name, values in history.series.items():
        by_step = np.asarray(values).sum(axis=0)
        peak = int(by_step.argmax())
        rows.append(
            {
                "series": name,
                "total": float(by_step.sum()),
                "places reached": int((np.asarray(values) > 0).any(axis=1).sum()),
                "last": float(by_step[-1]),
                "peak": float(by_step[peak]),
                "on": dates[peak].isoformat() if by_step[peak] > 0 else None,
            }
        )
    return Table.from_rows(rows)


def _write(history: History, configuration: Configuration, folder: Path) -> list[Path]:
    tables = {"history.csv": history.table(), "places.csv": Table(history.places.columns())}
    if history.events is not None:
        tables["events.csv"] = history.events_table()
    for name, table in tables.items():
        table.write(folder / name)
    return [*(folder / name for name in tables), save(configuration, folder)]


class FitConfiguration(ModelConfiguration):
    """What `fit` reads and estimates; `set` gives starting values, `fix` holds parameters."""

    events: Path
    map: dict[str, str] = pydantic.Field(default_factory=dict)
    country: str | None = None
    by: Literal["place", "region", "country"] = "place"
    places: Literal["events", "gazetteer"] = "events"
    step: Annotated[int, pydantic.Field(ge=1)] = 1
    start: date | None = None
    end: date | None = None
    neighbours_km: Annotated[float, pydantic.Field(gt=0)] | None = None
    fix: dict[str, float] = pydantic.Field(default_factory=dict)
    method: Literal["likelihood", "posterior"] = "likelihood"
    draws: Annotated[int, pydantic.Field(ge=10)] = 1000
    tune: Annotated[int, pydantic.Field(ge=10)] = 1000
    chains: Annotated[int, pydantic.Field(ge=2)] = 4
    accept: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.8

    @pydantic.field_validator("fix", mode="before")
    @classmethod
    def _dotted_fix(cls, given: Any) -> Any:
        return flat(given) if isinstance(given, Mapping) else given

    def estimator(self, processes: int) -> Any:
        """The method of inference."""
        if self.method == "posterior":
            from groundswell.infer.posterior import Posterior

            return Posterior(self.draws, self.tune, self.chains, self.accept, min(processes, self.chains))
        from groundswell.infer.likelihood import MaximumLikelihood

        return MaximumLikelihood()

    def read(self) -> tuple[Setting, History, Table]:
        """The setting, the counted events, and what was left out of them on the way."""
        from groundswell.data.readers import read_events, to_history

        if (self.start is None) != (self.end is None):
            raise UsageError("--start and --end go together: the window's first and last day.")
        window = None if self.start is None or self.end is None else Window.between(self.start, self.end, self.step)
        read = read_events(self.events, self.map)
        chosen = "gazetteer" if self.places == "gazetteer" else None
        setting, history, dropped = to_history(read, chosen, window, self.step, self.by, self.country)
        unread = [{**line, "id": "", "outcome": "left out"} for line in read.left_out.rows()]
        if self.neighbours_km is not None:
            near = setting.places.distance_km <= self.neighbours_km
            setting = dataclasses.replace(setting, network=Network(near & ~np.eye(len(near), dtype=bool)))
        return setting, history, Table.from_rows([*unread, *dropped.rows()], tuple(dropped.columns))


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
    method: Annotated[
        str | None, typer.Option("--method", help="likelihood (the default), or posterior: draws by NUTS.")
    ] = None,
    draws: Annotated[int | None, typer.Option("--draws", help="Posterior: draws kept of each chain.")] = None,
    tune: Annotated[int | None, typer.Option("--tune", help="Posterior: draws thrown away before them.")] = None,
    chains: Annotated[int | None, typer.Option("--chains", help="Posterior: chains, 2 or more.")] = None,
    accept: Annotated[
        float | None, typer.Option("--accept", help="Posterior: acceptance aimed at; nearer 1 cures divergences.")
    ] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many chains work at once.")] = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Estimate a model's parameters from a table of events, by maximum likelihood or as a posterior.

    What was left out of the events is counted on the screen and listed in --out. The model starts at
    its example's values; --set changes them. --method posterior needs the extra `bayes`, writes its draws
    and two pictures too, and gives the same draws for any number of --processes. Exit 4 if the search or
    the chains did not converge: the result is written and flagged.
    """
    configuration = resolve(
        FitConfiguration, config, model=model, events=events, set=assignments(set_), fix=assignments(fix),
        without=without, map=pairs(map_), country=country, by=by, places=places, step=step, start=start, end=end,
        neighbours_km=neighbours_km, method=method, draws=draws, tune=tune, chains=chains, accept=accept, seed=seed,
    )  # fmt: skip
    built, _ = configuration.build()
    folder = writable_folder(out) if out is not None else None
    setting, history, left_out = configuration.read()
    lost = sum(outcome == "left out" for outcome in left_out["outcome"])
    say(f"{configuration.events}: {history['events'].sum():g} events used, {lost} left out")
    rng = generator(configuration.seed)
    if LIBRARY[configuration.name].level == "events" and history.events is not None and history.events.day_precision:
        from groundswell.models.events.self_exciting import jittered

        history = jittered(history, rng=rng)
        say("times are known to the day only: each event was moved to a random moment of its day; try several seeds")
    chosen = configuration.estimator(processes or os.cpu_count() or 1)
    with bar() as progress:
        found = fit_model(built, setting, history, chosen, rng=rng, fixed=configuration.fix, progress=progress)
    result = _result(found, setting, history, lost)
    if folder is not None:
        found.summary().write(folder / "parameters.csv")
        left_out.write(folder / "left_out.csv")
        if found.draws is not None:
            _write_draws(found, folder)
        write_json(folder / "result.json", result)
        save(configuration, folder)
    notes = "".join(f"\n- {note}" for note in found.notes)
    speed = found.details.get("ess_per_second")
    pace = "" if speed is None else f" {speed:.0f} effective draws a second of processor time."
    words = f"{found.summary()}\n\nlog density {found.log_density:.6f}; {found.status}{pace}{notes}"
    show(result, words + (f"\nwrote {folder}" if folder else ""), as_json=as_json)
    if not found.converged:
        raise typer.Exit(NotConverged.exit_code)


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


def _result(found: Fit, setting: Setting, history: History, lost: int) -> dict[str, Any]:
    return {
        "parameters": list(found.summary().rows()),
        "log_density": found.log_density,
        **({"divergences": found.details["divergences"]} if "divergences" in found.details else {}),
        "converged": found.converged,
        "status": found.status,
        "notes": list(found.notes),
        "places": setting.shape[0],
        "steps": setting.shape[1],
        "start": setting.window.start.isoformat(),
        "events": float(history["events"].sum()),
        "left_out": lost,
        "provenance": dict(found.provenance),
    }
