"""`groundswell study run` and `groundswell study new`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pydantic
import typer

from groundswell.cli.common import Config, Configuration, Json, Out, Seed, resolve, save, say, show
from groundswell.errors import GroundswellError, NotConverged, UsageError

if TYPE_CHECKING:
    from groundswell.studies.new import Wish

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


class RunConfiguration(Configuration):
    """What `groundswell study run` can be told."""

    study: str
    full: bool = False
    anchors: bool = False
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
    anchors: Annotated[
        bool | None, typer.Option("--anchors", help="Every anchor, and nothing else of --full; resumable.")
    ] = None,
    anchor: Annotated[str | None, typer.Option("--anchor", help="The stance whose figures do not lean.")] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many work at once.")] = None,
    effective: Annotated[
        int | None, typer.Option("--effective", min=10, help="Draws the run must be worth; fewer is faster, rougher.")
    ] = None,
    approximate: Annotated[
        bool | None,
        typer.Option("--approximate", help="A normal approximation, in about half the time; the report says so."),
    ] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Condition a model on a table of claims and write a report.

    Exit code 4 if the run stays below its own limits; the report is then written and flagged.
    """
    configuration = resolve(
        RunConfiguration, config, study=study, full=full, anchors=anchors, anchor=anchor, effective=effective,
        approximate=approximate, seed=seed,
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
            full=configuration.full, anchors=configuration.anchors, anchor=configuration.anchor, effort=effort,
            progress=progress, also=also,
        )  # fmt: skip
    quality, page = result["quality"], folder / "report.html"
    claims = f"{len(result['claims'])} {'claim' if len(result['claims']) == 1 else 'claims'}"
    for doubt in result["doubts"]:
        say(f"warning: {doubt}")
    words = "\n".join(
        [
            f"{claims} weighed, {len(result['unweighed'])} listed and not weighed.",
            "Effective draws: " + ", ".join(f"{k} {v:.0f}" for k, v in quality["effective_draws"].items()) + ".",
            *(f"{note[:1].upper()}{note[1:]}." for note in (result["counts"] or {"words": ()})["words"]),
            f"Log-likelihood varies by {quality['log_likelihood_sd']:.2f} between filters.",
            *(f"{why[:1].upper()}{why[1:]}." for why in result["unanswered"].values()),
            f"Report: {page}",
        ]
    )
    show(
        {
            "report": str(page),
            "result": str(folder / "result.json"),
            "quality": quality,
            "doubts": result["doubts"],
            "unanswered": result["unanswered"],
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
    claims: Annotated[
        Path | None, typer.Option("--from", help="A table of claims to make the study around: CSV, Excel or Parquet.")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Of the report.")] = "",
    country: Annotated[str, typer.Option("--country", help="Name or ISO code; its places are the gazetteer's.")] = "",
    places: Annotated[
        Path | None, typer.Option("--places", help="A table of places of your own, copied into the folder.")
    ] = None,
    start: Annotated[str, typer.Option("--start", help="First day, as 2024-03-01.")] = "",
    end: Annotated[str, typer.Option("--end", help="Last day; two weeks in all without it.")] = "",
    stance: Annotated[
        list[str] | None, typer.Option("--stance", help="A side that speaks, in your own label; may be repeated.")
    ] = None,
    anchor: Annotated[str, typer.Option("--anchor", help="The stance whose figures are taken not to lean.")] = "",
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            help="floyd-2020 (a list that grows, sizes in words) or floyd-2020-counts (the list by place and day).",
        ),
    ] = "",
    data: Annotated[Path | None, typer.Option("--data", help="Folder of the recipe's data set.")] = None,
    ask: Annotated[
        bool | None, typer.Option("--ask/--no-ask", help="Ask for all this; on a terminal it is asked without options.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a folder with a claims table, a study.toml and a README, which runs as it stands.

    Without options it is a made-up country. With --from it is a study around your own table: window and places come
    from the claims, and it says which claims will be weighed, which not and why, and which anchors there are.
    """
    from groundswell.data.window import as_date
    from groundswell.studies.new import Wish, new_study

    if folder.is_file():
        raise UsageError(f"{folder} is a file; name a new folder.")
    wish = Wish(
        title, country, places, as_date(start) if start else None, as_date(end) if end else None, tuple(stance or ()),
        anchor, claims, recipe, data,
    )  # fmt: skip
    if ask or (ask is None and wish == Wish() and not as_json and sys.stdin.isatty() and sys.stdout.isatty()):
        wish = _asked(wish)
    made = new_study(folder, wish)
    steps = [
        f"  groundswell data check {folder / 'claims.csv'}    # proofread",
        f"  groundswell study run {folder}    # writes {Path('out') / folder.name / 'report.html'}",
    ]
    show(
        {"written": [str(path) for path in made.written], "words": list(made.words)},
        "\n".join([*(f"wrote {path}" for path in made.written), "", *made.words, "", "Next:", *steps]),
        as_json=as_json,
    )


def _asked(wish: Wish) -> Wish:
    """The wish after a short interview; an empty answer to the country leaves everything made up."""
    from groundswell.data.gazetteer import find_country
    from groundswell.data.window import as_date
    from groundswell.studies.new import STANCES

    def ask(words: str, default: str, check: Callable[[str], Any]) -> Any:
        while True:
            try:
                return check(typer.prompt(words, default=default, show_default=bool(default), err=True).strip())
            except GroundswellError as error:
                say(str(error))

    def country_of(text: str) -> str:
        return find_country(text).name if text else ""

    def day_of(text: str) -> date:
        try:
            return as_date(text)
        except GroundswellError as error:
            raise UsageError(f'"{text}" is no day; write it as 2024-03-01.') from error

    def last_of(text: str) -> date:
        if (last := day_of(text)) < first:
            raise UsageError(f"the last day {last} is before the first, {first}; give that day or a later one.")
        return last

    def sides_of(text: str) -> tuple[str, ...]:
        if not (sides := tuple(side.strip() for side in text.split(",") if side.strip())):
            raise UsageError("a study needs a side that speaks; give one or more, with commas between.")
        return sides

    def anchor_of(text: str) -> str:
        if text and text not in stances:
            raise UsageError(f'"{text}" is none of the sides; give one of {", ".join(stances)}.')
        return text

    country = wish.country or ask("Country, by name or code (nothing: one that is made up)", "", country_of)
    if not country and wish.claims is None:
        return wish
    whose = "Whose figures are taken not to lean, of {}"
    if wish.claims is not None:
        from groundswell.data.claims_table import read_claims

        stances = wish.stances or read_claims(wish.claims, first=wish.start).stances()
        words = f"{whose.format(', '.join(stances))} (nothing: chosen for you, and told)"
        anchor = wish.anchor or ask(words, "", anchor_of)
        title = wish.title or ask("Title of the report (nothing: one is made)", "", str)
        return replace(wish, country=country, anchor=anchor, title=title)
    first = wish.start or ask("First day, as 2024-03-01", "", day_of)
    last = wish.end or ask("Last day", str(first + timedelta(days=13)), last_of)
    stances = wish.stances or ask("Sides that speak, with commas between", ", ".join(STANCES), sides_of)
    anchor = wish.anchor or ask(whose.format(", ".join(stances)), stances[0], anchor_of)
    title = wish.title or ask("Title of the report", f"{country}, {first} to {last}", str)
    return replace(wish, title=title, country=country, start=first, end=last, stances=stances, anchor=anchor)
