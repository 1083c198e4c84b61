"""`groundswell study run` and `groundswell study new`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pydantic
import typer

from groundswell.cli.common import Config, Configuration, Json, Out, Seed, resolve, save, say, show
from groundswell.errors import NotConverged, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


class RunConfiguration(Configuration):
    """What `groundswell study run` can be told."""

    study: str
    full: bool = False
    anchor: str | None = None
    effective: Annotated[int | None, pydantic.Field(ge=10)] = None
    approximate: bool = False


APPROXIMATE_DRAWS = 240
"""Draws of an approximate run, each with its history; a run by weights has more, since many of those repeat."""


@app.command()
def run(
    study: Annotated[str | None, typer.Argument(help="iran-2017, or a folder with a study.toml.")] = None,
    out: Out = None,
    seed: Seed = None,
    full: Annotated[
        bool | None, typer.Option("--full", help="Every anchor and mechanism, in replicates; resumable.")
    ] = None,
    anchor: Annotated[str | None, typer.Option("--anchor", help="The stance whose figures do not lean.")] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many work at once.")] = None,
    effective: Annotated[
        int | None, typer.Option("--effective", min=10, help="Draws the run must be worth; fewer is faster, rougher.")
    ] = None,
    approximate: Annotated[
        bool | None, typer.Option("--approximate", help="A normal approximation, in seconds; the report says so.")
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Condition a model on a table of claims and write a report.

    Exit code 4 if the run stays below its own limits; the report is then written and flagged.
    """
    configuration = resolve(
        RunConfiguration, config, study=study, full=full, anchor=anchor, effective=effective, approximate=approximate,
        seed=seed,
    )  # fmt: skip
    from groundswell.cli.progress import bar
    from groundswell.report.claims_report import write_report
    from groundswell.studies.run import Effort, run_study

    effort = Effort()
    if configuration.effective is not None:
        effort = replace(effort, main=replace(effort.main, effective=float(configuration.effective)))
    if configuration.approximate:
        effort = replace(effort, main=replace(effort.main, approximate=True, draws=APPROXIMATE_DRAWS))
    folder = out or Path("out") / Path(configuration.study).name

    def also(result: Mapping[str, Any], new: Path) -> None:
        save(configuration, new)
        write_report(result, new)

    with bar() as progress:
        result = run_study(
            configuration.study, folder, seed=configuration.seed, processes=processes or os.cpu_count() or 1,
            full=configuration.full, anchor=configuration.anchor, effort=effort, progress=progress, also=also,
        )  # fmt: skip
    quality, page = result["quality"], folder / "report.html"
    for doubt in result["doubts"]:
        say(f"warning: {doubt}")
    words = "\n".join(
        [
            f"{len(result['claims'])} claims weighed, {len(result['unweighed'])} listed and not weighed.",
            "Effective draws: " + ", ".join(f"{k} {v:.0f}" for k, v in quality["effective_draws"].items()) + ".",
            f"Log-likelihood varies by {quality['log_likelihood_sd']:.2f} between filters.",
            f"Report: {page}",
        ]
    )
    show(
        {
            "report": str(page),
            "result": str(folder / "result.json"),
            "quality": quality,
            "doubts": result["doubts"],
            "reasons": result["reasons"],
        },
        words,
        as_json=as_json,
    )
    if result["reasons"]:
        raise NotConverged("below the limits, so the report is flagged: " + "; ".join(result["reasons"]) + ".")


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="A new folder for your own case.")],
    as_json: Json = False,
) -> None:
    """Make a folder with a claims table, places and a study.toml that runs as it stands."""
    from groundswell.studies.run import new_study

    if folder.is_file():
        raise UsageError(f"{folder} is a file; name a new folder.")
    written = new_study(folder)
    show(
        {"written": [str(path) for path in written]},
        "\n".join([*(f"wrote {path}" for path in written), f"Next: groundswell study run {folder}"]),
        as_json=as_json,
    )
    if not as_json:
        say("All figures in it are made up; put your own in their place.")
