"""`groundswell report`: a study's report again, from its result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from groundswell.cli.common import Json, show


def report(
    folder: Annotated[Path, typer.Argument(help="Output folder of a study, with its result.json.")],
    language: Annotated[str, typer.Option("--language", help="Language of the report.")] = "en",
    as_json: Json = False,
) -> None:
    """Write a study's report again from its result.json, without computing anything anew."""
    from groundswell.report.claims_report import write_report
    from groundswell.studies.run import read_result

    page = write_report(read_result(folder), folder, language)
    show({"report": str(page)}, f"Report: {page}", as_json=as_json)
