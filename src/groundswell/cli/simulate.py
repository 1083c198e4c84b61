"""`groundswell simulate`: a model forwards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
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
from groundswell.cli.model_given import Name, Preset, SetAny
from groundswell.cli.on_the_way import Drawn, Plan, planned
from groundswell.cli.progress import patience
from groundswell.cli.simulate_given import Country, Days, RunConfiguration, Start
from groundswell.data.files import writable_folder, write_json, write_text
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.models.base import can
from groundswell.rng import generator


def simulate(
    model: Name = None,
    preset: Preset = None,
    set_: SetAny = None,
    without: Without = None,
    days: Days = None,
    start: Start = None,
    country: Country = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="A change on the way, set beside the run without it: a name (`models show MODEL`), or NAME=VALUE,...",
        ),
    ] = None,
    after: Annotated[
        int | None, typer.Option("--after", help="With --scenario: the step after which it sets in.")
    ] = None,
    save_after: Annotated[
        list[int] | None,
        typer.Option("--save-after", metavar="STEP", help="Save everyone after this step; may be repeated."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FILE", help="Go on from a file of --save-after.")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option("--record", help="Into record.parquet, as the run goes: totals, frames (cells), agents, none."),
    ] = None,
    agents: Annotated[
        str | None, typer.Option("--agents", metavar="NUMBERS", help="With --record agents: who, as 0-99,150; or all.")
    ] = None,
    threads: Annotated[
        int, typer.Option("--threads", min=1, help="At work on a grid in tiles; changes no result.")
    ] = 1,
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
    The same seed gives the same history. A run of agents on a grid can be saved after any step and resumed, recorded
    cell by cell or agent by agent, and set beside itself under a scenario: with the same luck, so that what differs
    is the scenario's doing. What is saved, recorded and written as history.csv is then of the run under the scenario;
    the folder `without` holds the other. With --resume, --set changes the run from there.
    """
    configuration = resolve(
        RunConfiguration,
        config,
        model=model,
        preset=preset,
        set=assigned(set_),
        without=without,
        days=days,
        start=start,
        country=country,
        scenario=scenario,
        after=after,
        save_after=save_after,
        resume=resume,
        record=record,
        agents=agents,
        seed=seed,
    )
    built, setting, moment = configuration.begun()
    rng = generator(configuration.seed)
    plan = planned(configuration, built, setting, moment, rng) if configuration.on_the_way else None
    if show_:
        replay.check(built, setting, animation)
    elif animation is not None or open_:
        raise UsageError("--animation and --open go with --show, which writes the page.")
    if show_ or configuration.writes:
        out = out or Path("out") / f"{configuration.name}-seed-{configuration.seed}"
    folder = writable_folder(out) if out is not None else None
    looked_at = show_ and can(built, "watch")
    other: Drawn | None = None  # the run without the scenario
    with patience():
        if plan is None:
            drawn = Drawn(
                built, built.watch(setting, rng=rng) if looked_at else built.simulate(setting, rng=rng)
            )  # fmt: skip
        else:
            drawn = plan.draw(folder, looked_at=looked_at, threads=threads)
            other = plan.without(looked_at=looked_at, threads=threads) if plan.change is not None else None
    history = drawn.history
    files, shortened = list(drawn.files), []
    if show_ and folder is not None:
        for one, where in ((drawn, folder), *([] if other is None else [(other, folder / "without")])):
            pages, notes = replay.write(one.model, one.run, configuration, where, animation or "gif")
            files, shortened = files + pages, shortened + notes
    files += _write(history, setting, configuration, folder) if folder is not None else []
    first = 0 if plan is None else plan.first
    totals, starts = _totals(history, first), _starts(built, history, first)
    count, periods = setting.shape
    ended = " The draw exploded and ends there." if history.exploded else ""
    origin = f"seed {configuration.seed}"
    if configuration.resume is not None:
        origin = f"step {first} of {configuration.resume} and on"
    words = (
        f"{configuration.model}, {origin}; places: {count}; "
        f"steps of {setting.window.step} d from {setting.window.start}: {periods}.{ended}\n\n{totals}"
        + ("" if starts is None else "\n\n" + _in_words(starts))
    )
    result = {
        "model": configuration.model,
        "seed": configuration.seed,
        "places": count,
        "start": setting.window.start.isoformat(),
        "steps": periods,
        "first_step": first + 1,
        "exploded": history.exploded,
        "totals": list(totals.rows()),
        "starts": starts,
    }
    if plan is not None and other is not None:
        compared, said, pictures = _beside(plan, configuration, drawn, other, folder)
        result["scenario"], words, files = compared, f"{words}\n\n{said}", files + pictures
    result |= {"files": [str(file) for file in files], "shortened": shortened}
    show(result, "\n".join([words, *shortened, *(f"wrote {file}" for file in files)]), as_json=as_json)
    if open_ and folder is not None:
        import webbrowser

        webbrowser.open((folder / "replay.html").resolve().as_uri())


def _beside(
    plan: Plan, configuration: RunConfiguration, drawn: Drawn, without: Drawn, folder: Path | None
) -> tuple[dict[str, Any], str, list[Path]]:
    """The scenario beside the run without it: for the result, in words and a table, as files in the folder."""
    from groundswell.report.figures.scenarios import beside, beside_table, parted
    from groundswell.report.svg import svg

    assert plan.after is not None
    table, apart = beside_table(drawn.history, without.history), parted(drawn.history, without.history)
    differs = None if apart is None else plan.first + apart + 1
    compared = {
        "name": configuration.scenario, "after": plan.after, "differs_from": differs, "totals": list(table.rows()),
        "starts_without": _starts(without.model, without.history, plan.first),
    }  # fmt: skip
    said = (
        f"Scenario {configuration.scenario}, after step {plan.after}, beside the run without it, with the same luck: "
        + ("no step differs." if differs is None else f"the first step that differs is {differs}.")
        + f"\n\n{table}"
    )
    if compared["starts_without"] is not None:
        said += "\n\nWithout it " + _in_words(compared["starts_without"])
    if folder is None:
        return compared, said, []
    files = [folder / name for name in ("scenario.csv", "scenario.svg", "without/history.csv")]
    table.write(files[0])
    drawing = beside(drawn.history, without.history, after=plan.after, first=plan.first)
    write_text(files[1], svg(drawing.flat[0], "scenario"))
    without.history.table().write(files[2])
    return compared, said, files


def _totals(history: History, first: int) -> Table:
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
                "step": first + peak + 1 if by_step[peak] > 0 else None,
                "on": dates[peak].isoformat() if by_step[peak] > 0 else None,
            }
        )
    return Table.from_rows(rows)


def _starts(model: Any, history: History, first: int) -> dict[str, Any] | None:
    """What the model counts the starts of, at which steps (from 1), and the mean of the waiting times between them."""
    if not can(model, "starts"):
        return None
    what, steps = model.starts(history)
    waits = np.diff(steps)
    return {
        "what": what,
        "steps": (first + np.asarray(steps) + 1).tolist(),
        "mean_waiting_time": float(waits.mean()) if len(waits) else None,
    }


def _in_words(starts: dict[str, Any]) -> str:
    count, wait = len(starts["steps"]), starts["mean_waiting_time"]
    said = f"{count} {starts['what']}{'' if count == 1 else 's'} started"
    return said + ("." if wait is None else f"; mean waiting time between starts {wait:.1f} steps.")


def _write(history: History, setting: Setting, configuration: RunConfiguration, folder: Path) -> list[Path]:
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
