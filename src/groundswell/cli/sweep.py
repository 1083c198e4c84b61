"""`groundswell sweep run`, `status` and `table`: a model at many parameter values."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import typer

from groundswell.cli.common import Config, Json, Out, Seed, Set, Without, assignments, resolve, save, say, show
from groundswell.cli.progress import bar
from groundswell.cli.simulate_given import Country, Days, SimulateConfiguration, Start
from groundswell.data.summaries import Summaries, usual
from groundswell.errors import GroundswellError, UsageError, nearest
from groundswell.params import flat, leaves
from groundswell.rng import generator
from groundswell.sweeps.designs import Axis, Design, FromPrior, Grid, Latin, Listed, Range, Sobol
from groundswell.sweeps.folder import Folder, Shard, Status
from groundswell.sweeps.sweep import Sweep

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

CONFIGURATION = "configuration.toml"
Where = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="The folder of a sweep, as --out of `sweep run` named it.")
]
ShardOf = Annotated[str | None, typer.Option("--shard", metavar="K/N", help="Every N-th run from the K-th on: 3/50.")]


class LogRange(pydantic.BaseModel):
    """A range whose logarithm is evenly spread."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"


def _flat_ranges(given: Any) -> Any:
    """Nested tables of parameters as dotted names; a table with a number as `low` is a range itself."""
    if not isinstance(given, dict):
        return given
    out: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, dict) and not isinstance(value.get("low"), int | float):
            out |= {f"{name}.{inner}": found for inner, found in _flat_ranges(value).items()}
        else:
            out[name] = value
    return out


class SweepConfiguration(SimulateConfiguration):
    """A sweep: the model and setting as of `simulate`, and where in its parameters it is run.

    design : "sobol" or "latin" over `ranges` (a pair of numbers, a table {low, high, scale = "log"}, or "prior"),
    `configurations` points; "grid" or "list" over `values`, a list of numbers for each parameter. Of a sobol design
    the points are base points, which make (parameters + 2) configurations each. seeds : runs of each configuration.
    """

    design: Literal["sobol", "latin", "grid", "list"] = "latin"
    configurations: int = 64
    seeds: Annotated[int, pydantic.Field(ge=1)] = 4
    summaries: tuple[str, ...] = ()
    ranges: Annotated[
        dict[str, tuple[float, float] | LogRange | Literal["prior"]], pydantic.BeforeValidator(_flat_ranges)
    ] = pydantic.Field(default_factory=dict)
    values: Annotated[dict[str, tuple[float, ...]], pydantic.BeforeValidator(flat)] = pydantic.Field(
        default_factory=dict
    )

    def sweep(self) -> Sweep:
        """The sweep that is asked for."""
        model, example = self.build()
        setting = self.setting(example)
        if self.summaries:
            summaries = Summaries(*self.summaries)
        else:
            summaries = usual(model, [model.simulate(setting, rng=generator(self.seed))])
        return Sweep(model, setting, self._design(model), summaries, self.seeds, self.seed)

    def _design(self, model: Any) -> Design:
        between = self.design in ("sobol", "latin")
        wanted, other = ("ranges", "values") if between else ("values", "ranges")
        if getattr(self, other) or not getattr(self, wanted):
            raise UsageError(
                f'design "{self.design}" takes [{wanted}], ' + ("a low and a high end" if between else "a list")
                + f" for each parameter that varies, and no [{other}]."
            )  # fmt: skip
        if not between:
            return Grid(self.values) if self.design == "grid" else Listed(self.values)
        known = {leaf.name: leaf for leaf in leaves(model)}
        axes: dict[str, Axis] = {}
        for name, given in self.ranges.items():
            if name not in known:
                raise UsageError(f'[ranges] names "{name}", which is no parameter here.' + nearest(name, known, 3))
            if given == "prior":
                axes[name] = FromPrior(known[name])
            elif isinstance(given, LogRange):
                axes[name] = Range(given.low, given.high, given.scale)
            else:
                axes[name] = Range(given[0], given[1])
        return (Sobol if self.design == "sobol" else Latin)(axes, self.configurations)


@app.command()
def run(
    model: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="A name from `models list`; may stand in --config.")
    ] = None,
    set_: Set = None,
    without: Without = None,
    days: Days = None,
    start: Start = None,
    country: Country = None,
    range_: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="NAME=LOW:HIGH", help="A parameter that varies; may be repeated."),
    ] = None,
    design: Annotated[str | None, typer.Option("--design", help="sobol, latin, grid or list.")] = None,
    configurations: Annotated[
        int | None, typer.Option("--configurations", help="Points of a latin design, base points of a sobol one.")
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="Runs of each configuration.")] = None,
    summary: Annotated[
        list[str] | None,
        typer.Option("--summary", metavar="WORDS", help='Kept of each run, as "peak events"; may be repeated.'),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes at work.")] = 1,
    shard: ShardOf = None,
    again: Annotated[bool, typer.Option("--again", help="Run those that failed once more.")] = False,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ADDRESS", help="Use a Dask scheduler's workers, who see the same folder."),
    ] = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Run a model at the parameter values of a design; what is done is never run twice.

    --range says which parameters vary, or [ranges] or [values] of --config with more to choose from. Each run is a
    file of its own in --out, so Ctrl-C, a crash or a full queue lose nothing: the same command goes on, and
    without --config it goes on with the folder's own. --shard 3/50 is one of 50 jobs that share a folder. Seed s is the
    same luck in every configuration. Exit 1 if a run failed; the others are kept.
    """
    if out is None:
        raise UsageError("a sweep needs a folder for its runs: --out FOLDER.")
    if config is None and (out / CONFIGURATION).exists():
        config = out / CONFIGURATION
    configuration = resolve(
        SweepConfiguration, config, model=model, set=assignments(set_), without=without, days=days, start=start,
        country=country, design=design, configurations=configurations, seeds=seeds, summaries=summary, seed=seed,
        ranges=_ranges(range_),
    )  # fmt: skip
    part = Shard.parse(shard) if shard is not None else None
    sweep = configuration.sweep()
    folder = Folder.made(out, sweep)
    save(configuration, out, CONFIGURATION)
    from groundswell.sweeps.run import run_sweep

    say(
        f"{len(sweep.configurations):,} configurations, {sweep.seeds} seeds: {sweep.runs:,} runs"
        + (f", of which shard {shard} has {len(folder.runs(part)):,}" if part else "")
    )
    with bar() as progress:
        status = run_sweep(sweep, folder, workers=workers, shard=part, again=again, cluster=cluster, progress=progress)
    _show(status, out, as_json)
    if status.failed:
        raise typer.Exit(GroundswellError.exit_code)


@app.command()
def status(folder: Where, shard: ShardOf = None, as_json: Json = False) -> None:
    """How many runs are done, failed and missing, with the first failure."""
    _show(Folder.opened(folder).status(Shard.parse(shard) if shard is not None else None), folder, as_json)


@app.command()
def table(folder: Where, as_json: Json = False) -> None:
    """Gather the runs into tables, and say which parameter each summary depends on.

    Writes into FOLDER, as CSV and Parquet, runs (a row for each), configurations (means and standard deviations over
    seeds) and sensitivity: Sobol indices of a sobol design, partial rank correlations of any other, with 90 % intervals
    and a picture.
    """
    from groundswell.data.files import write_text
    from groundswell.report.figures.sensitivity import sensitivity as picture
    from groundswell.report.svg import svg
    from groundswell.sweeps.sensitivity import sensitivity
    from groundswell.sweeps.tables import configurations_table, runs_table

    opened = Folder.opened(folder)
    stands = opened.status()
    runs = runs_table(opened)
    if not stands.done:
        raise GroundswellError(f"{folder}: no run has a result yet. {stands.words()}")
    found = sensitivity(opened, runs)
    tables = {"runs": runs, "configurations": configurations_table(opened, runs), "sensitivity": found}
    for name, made in tables.items():
        for ending in ("csv", "parquet"):
            made.write(folder / f"{name}.{ending}")
    write_text(folder / "sensitivity.svg", svg(picture(found).flat[0], "sensitivity"))
    result = {"status": asdict(stands), "sensitivity": list(found.rows()), "files": [f"{name}.csv" for name in tables]}
    show(result, f"{stands.words()}\n\n{found}\n\nwrote {', '.join(tables)} into {folder}", as_json=as_json)


def _ranges(given: list[str] | None) -> dict[str, tuple[float, float]] | None:
    """{"keep": (.1, .9)} from ["keep=.1:.9"]; None stays None."""
    found: dict[str, tuple[float, float]] = {}
    for text in given or ():
        name, equals, ends = text.partition("=")
        low, colon, high = ends.partition(":")
        try:
            found[name.strip()] = float(low), float(high)
        except ValueError:
            equals = ""
        if not (equals and colon):
            raise UsageError(f'--range "{text}" is no range; write it as legitimacy=0.7:0.9.')
    return found or None


def _show(status: Status, folder: Path, as_json: bool) -> None:
    show(asdict(status) | {"folder": str(folder)}, status.words(), as_json=as_json)
