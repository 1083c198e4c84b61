"""`groundswell data check` and `groundswell data convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from groundswell.cli.common import Json, Map, pairs, say, show
from groundswell.errors import DataError, UsageError

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        help="standard, mass_mobilization, ucdp, acled, gdelt, ccc, count_love, table, claims; the columns decide "
        "without it.",
    ),
]
Rule = Annotated[str, typer.Option("--rule", help="How sizes in words are read: wide, ccc or count_love.")]


@app.callback()
def data() -> None:
    """Say what a file holds, or convert it into the standard event table."""


@app.command("check")
def check(
    file: Annotated[
        Path, typer.Argument(help="Events or claims: CSV, TSV, JSON, Parquet or Excel, plain, gzip or zip.")
    ],
    map_: Map = None,
    source: Source = None,
    rule: Rule = "wide",
    out: Annotated[Path | None, typer.Option("--out", help="Folder for what was read and left out, as CSV.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a file is, what was read of it, and what was left out, row by row with the reason.

    Claims are told one by one in plain words, for proofreading, with what looks wrong: copies, names spelt two ways,
    units. If the study.toml of a study lies beside, with what the study makes of each.

    Ends with exit code 3 where nothing could be read, or where a table of claims has a problem (a
    study takes it only whole).
    """
    from groundswell.data.check import check as check_file
    from groundswell.data.files import writable_folder, write_json, write_text
    from groundswell.studies.beside import study_beside

    if out is not None:
        writable_folder(out)
    study = study_beside(file)
    found = check_file(file, pairs(map_), source, rule, study)
    if out is not None:
        found.table.write(out / f"{found.kind}.csv")
        found.left_out.write(out / "left_out.csv")
        if found.kind == "events":
            found.sizes.write(out / "sizes.csv")
        else:
            write_text(out / "read_as.txt", "\n".join(found.read_as) + "\n")
        write_json(out / "check.json", found.as_dict())
        say(f"written to {out}")
    show(found.as_dict(), found.words(), as_json=as_json)
    if not found.read or not found.usable:
        raise typer.Exit(DataError.exit_code)


@app.command("convert")
def convert(
    source: Annotated[Path, typer.Argument(help="A file of events, or the folder that a recipe reads.")],
    out: Annotated[Path, typer.Option("--out", help="The event table to write: .csv or .parquet.")],
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="floyd: US localities of May and June 2020, two files of a folder.")
    ] = None,
    map_: Map = None,
    reader: Source = None,
    rule: Rule = "wide",
    as_json: Json = False,
) -> None:
    """Write any readable file as the standard event table; rows left out go beside it, with reasons.

    For events.csv the rows that were left out are in events.left_out.csv.
    """
    from groundswell.data.check import check_events
    from groundswell.data.convert import RECIPES
    from groundswell.data.convert import convert as convert_file
    from groundswell.data.files import writable_folder

    if out.suffix not in (".csv", ".parquet"):
        raise UsageError(f"--out {out}: a table is written as .csv or .parquet.")
    writable_folder(out.parent)
    read = convert_file(source, recipe, pairs(map_), rule, reader)
    if not len(read.events):
        raise DataError(f"{read.name}: no event could be read, so nothing was written; see groundswell data check.")
    beside = out.with_name(f"{out.stem}.left_out.csv")
    read.events.write(out)
    read.left_out.write(beside)
    found = check_events(read, RECIPES[recipe].doc if recipe else read.source, rule)
    for warning in read.warnings:
        say(f"warning: {warning}")
    if quiet := len(set(read.quiet["row"])):
        say(
            f"{quiet} rows count 0 events and are not in the table, which has a row for each event: it no longer shows "
            "which days and places had none"
        )
    say(f"written: {out}, {beside}")
    result = {key: value for key, value in found.as_dict().items() if key not in ("left_out_rows", "sizes")}
    words = f"{found.rows:,} rows: {found.read:,} read as {len(read.events):,} events, {found.rows_left_out:,} left out"
    show(result | {"written": str(out), "left_out_written": str(beside)}, words, as_json=as_json)
