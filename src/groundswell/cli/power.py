"""`groundswell power`: what to go and count."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import pydantic
import typer

from groundswell.cli.common import Config, Configuration, Json, Out, Seed, resolve, save, show


class PowerConfiguration(Configuration):
    """What `power` does."""

    study: str
    design: tuple[str, ...] = ()
    designs: Path | None = None
    component: tuple[str, ...] = ()
    records: Annotated[int, pydantic.Field(ge=50)] = 600
    given: Path | None = None
    anchor: str | None = None


def power(
    study: Annotated[str | None, typer.Argument(help="iran-2017, or a folder with a study.toml.")] = None,
    design: Annotated[
        list[str] | None,
        typer.Option("--design", help="An addition to try (daily, second-source, ...); repeated. Default all."),
    ] = None,
    designs: Annotated[Path | None, typer.Option("--designs", help="TOML file with additions of your own.")] = None,
    component: Annotated[
        list[str] | None,
        typer.Option("--component", help="A mechanism to be told (between, call, ...); repeated. Default all."),
    ] = None,
    records: Annotated[int | None, typer.Option("--records", help="Simulated records of each account; 600.")] = None,
    given: Annotated[
        Path | None, typer.Option("--given", help="Output folder of a study run; its posterior in place of the priors.")
    ] = None,
    anchor: Annotated[str | None, typer.Option("--anchor", help="The stance whose figures do not lean.")] = None,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many work at once.")] = None,
    seed: Seed = None,
    out: Out = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say what to go and count: how often records like yours tell which mechanisms were at work, and what adds to that.

    Records are simulated with each mechanism and without, as they are and with each addition. Writes tables (CSV and
    Parquet), result.json, configuration.toml and report.html.
    """
    configuration = resolve(
        PowerConfiguration, config, study=study, design=design, designs=designs, component=component, records=records,
        given=given, anchor=anchor, seed=seed,
    )  # fmt: skip
    from groundswell.cli.progress import bar
    from groundswell.data.files import writable_folder, write_json
    from groundswell.data.table import Table
    from groundswell.report.power_report import best, narrowed, now, write_report
    from groundswell.report.words import in_words
    from groundswell.studies import power as study_power
    from groundswell.studies.case import Case
    from groundswell.studies.designs import chosen
    from groundswell.studies.run import folder_of, read_result

    home = folder_of(configuration.study)
    case = Case.read(home / "study.toml")
    case = case if configuration.anchor is None else case.anchored(configuration.anchor)
    built = case.build(home)
    tried = chosen(built, configuration.design, configuration.designs)
    source = None if configuration.given is None else study_power.Source.of(read_result(configuration.given))
    folder = writable_folder(out or Path("out") / f"power-{Path(configuration.study).name}")
    with bar() as progress:
        result = study_power.power(
            built, tried, components=configuration.component, records=configuration.records, seed=configuration.seed,
            processes=processes or os.cpu_count() or 1, source=source, progress=progress,
        )  # fmt: skip
        progress(0.99, "report")
        for name, table in study_power.tables(result).items():
            table.write(folder / f"{name}.csv")
            table.write(folder / f"{name}.parquet")
        write_json(folder / "result.json", result)
        page = write_report(result, folder)
    save(configuration, folder)
    said = in_words((*now(result), best(result), *narrowed(result)))
    short = ("left_out", "design", "right", "wrong", "cannot_tell", "bits", "bits_error")
    shown = Table.from_rows([{name: row[name] for name in short} for row in result["pairs"]])
    show(
        result | {"words": said, "report": str(page)}, "\n".join([*said, "", str(shown), "", f"Report: {page}"]),
        as_json=as_json,
    )  # fmt: skip
