"""`groundswell simulate`: a model forwards."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pydantic
import typer

from groundswell.cli import replay
from groundswell.cli.common import (
    Config,
    Json,
    Out,
    Seed,
    Without,
    assigned,
    resolve,
    save,
    show,
)
from groundswell.cli.model_given import ModelConfiguration, Name, SetAny
from groundswell.cli.progress import patience
from groundswell.data.files import writable_folder, write_json
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import UsageError
from groundswell.models.base import can
from groundswell.rng import generator

Days = Annotated[int | None, typer.Option("--days", help="Length of the window in days.")]
Start = Annotated[str | None, typer.Option("--start", help="First day, as 2017-12-28.")]
Preset = Annotated[
    str | None, typer.Option("--preset", help="A named instance to start from; `models show MODEL` lists them.")
]
Country = Annotated[str | None, typer.Option("--country", help="The gazetteer's places of this country.")]


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
    preset: Preset = None,
    set_: SetAny = None,
    without: Without = None,
    days: Days = None,
    start: Start = None,
    country: Country = None,
    seed: Seed = None,
    show_: Annotated[
        bool, typer.Option("--show", help="Write replay.html, which plays the run again, and an animation.")
    ] = False,
    animation: Annotated[
        str | None, typer.Option("--animation", help="With --show, of a grid: gif, frames (PNG), webm (ffmpeg), none.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="With --show: open the page in the browser.")] = False,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Draw one history from a model: totals on the screen, tables with --out, a page to play again with --show.

    Without --country the model runs in the setting of its own example (`models show MODEL`).
    The same seed gives the same history.
    """
    configuration = resolve(
        SimulateConfiguration,
        config,
        model=model,
        preset=preset,
        set=assigned(set_),
        without=without,
        days=days,
        start=start,
        country=country,
        seed=seed,
    )
    built, example = configuration.build()
    setting = configuration.setting(example)
    if show_:
        replay.check(built, setting, animation)
        out = out or Path("out") / f"{configuration.name}-seed-{configuration.seed}"
    elif animation is not None or open_:
        raise UsageError("--animation and --open go with --show, which writes the page.")
    folder = writable_folder(out) if out is not None else None
    rng = generator(configuration.seed)
    looked_at = show_ and can(built, "watch")
    with patience():
        drawn = built.watch(setting, rng=rng) if looked_at else built.simulate(setting, rng=rng)
    history = drawn.history if looked_at else drawn
    files, shortened = [], []
    if show_ and folder is not None:
        files, shortened = replay.write(built, drawn, configuration, folder, animation or "gif")
    files += _write(history, setting, configuration, folder) if folder is not None else []
    totals, starts = _totals(history), _starts(built, history)
    count, periods = setting.shape
    ended = " The draw exploded and ends there." if history.exploded else ""
    words = (
        f"{configuration.model}, seed {configuration.seed}; places: {count}; "
        f"steps of {setting.window.step} d from {setting.window.start}: {periods}.{ended}\n\n{totals}"
        + ("" if starts is None else "\n\n" + _in_words(starts))
    )
    result = {
        "model": configuration.model,
        "seed": configuration.seed,
        "places": count,
        "start": setting.window.start.isoformat(),
        "steps": periods,
        "exploded": history.exploded,
        "totals": list(totals.rows()),
        "starts": starts,
        "files": [str(file) for file in files],
        "shortened": shortened,
    }
    show(result, "\n".join([words, *shortened, *(f"wrote {file}" for file in files)]), as_json=as_json)
    if open_ and folder is not None:
        import webbrowser

        webbrowser.open((folder / "replay.html").resolve().as_uri())


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
                "mean": float(by_step.mean()),
                "places reached": int((np.asarray(values) > 0).any(axis=1).sum()),
                "last": float(by_step[-1]),
                "peak": float(by_step[peak]),
                "step": peak + 1 if by_step[peak] > 0 else None,
                "on": dates[peak].isoformat() if by_step[peak] > 0 else None,
            }
        )
    return Table.from_rows(rows)


def _starts(model: Any, history: History) -> dict[str, Any] | None:
    """What the model counts the starts of, at which steps (from 1), and the mean of the waiting times between them."""
    if not can(model, "starts"):
        return None
    what, steps = model.starts(history)
    waits = np.diff(steps)
    return {
        "what": what,
        "steps": (np.asarray(steps) + 1).tolist(),
        "mean_waiting_time": float(waits.mean()) if len(waits) else None,
    }


def _in_words(starts: dict[str, Any]) -> str:
    count, wait = len(starts["steps"]), starts["mean_waiting_time"]
    said = f"{count} {starts['what']}{'' if count == 1 else 's'} started"
    return said + ("." if wait is None else f"; mean waiting time between starts {wait:.1f} steps.")


def _write(history: History, setting: Setting, configuration: SimulateConfiguration, folder: Path) -> list[Path]:
    tables = {"history.csv": history.table(), "places.csv": Table(history.places.columns())}
    if history.events is not None:
        tables["events.csv"] = history.events_table()
    for name, table in tables.items():
        table.write(folder / name)
    files = [folder / name for name in tables]
    if setting.region is not None:
        files.append(folder / "region.geojson")
        people = zip(setting.places.name, setting.places.population.tolist(), strict=True)
        write_json(files[-1], setting.region.geojson([{"place": name, "population": count} for name, count in people]))
    return [*files, save(configuration, folder)]
