"""`groundswell study run` and `groundswell study new`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from groundswell.cli.common import Json, Out, Seed, say, show
from groundswell.errors import NotConverged, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.command()
def run(
    study: Annotated[str, typer.Argument(help="iran-2017, or a folder with a study.toml.")],
    out: Out = None,
    seed: Seed = None,
    full: Annotated[bool, typer.Option("--full", help="Every anchor and mechanism, in replicates; resumable.")] = False,
    anchor: Annotated[str | None, typer.Option("--anchor", help="The stance whose figures do not lean.")] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many work at once.")] = None,
    effective: Annotated[
        int | None, typer.Option("--effective", min=10, help="Draws the run must be worth; fewer is faster, rougher.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Condition a model on a table of claims and write a report.

    Exit code 4 if the run stays below its own limits; the report is then written and flagged.
    """
    from dataclasses import replace

    from groundswell.cli.progress import bar
    from groundswell.report.claims_report import write_report
    from groundswell.studies.run import Effort, run_study

    effort = Effort()
    if effective is not None:
        effort = replace(effort, main=replace(effort.main, effective=float(effective)))
    folder = out or Path("out") / Path(study).name
    with bar() as progress:
        result = run_study(
            study, folder, seed=1 if seed is None else seed, processes=processes or os.cpu_count() or 1,
            full=full, anchor=anchor, effort=effort, progress=progress,
        )  # fmt: skip
        progress(0.99, "report")
        page = write_report(result, folder)
    quality = result["quality"]
    words = "\n".join(
        [
            f"{len(result['claims'])} claims weighed, {len(result['unweighed'])} listed and not weighed.",
            "Effective draws: " + ", ".join(f"{k} {v:.0f}" for k, v in quality["effective_draws"].items()) + ".",
            f"Log-likelihood varies by {quality['log_likelihood_sd']:.2f} between filters.",
            f"Report: {page}",
        ]
    )
    show({"report": str(page), "result": str(folder / "result.json"), "quality": quality}, words, as_json=as_json)
    if not quality["passed"]:
        raise NotConverged("below the limits, so the report is flagged: " + "; ".join(quality["reasons"]) + ".")


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
