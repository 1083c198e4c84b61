"""Draws the pictures of docs/study-iran-2017.md and of the README, docs/images/iran-2017*.svg, from a run of the study.

`.venv/bin/python -m tools.study_figures` runs the study, a minute or two on a machine of one's own;
`.venv/bin/python -m tools.study_figures out/iran-2017` takes a run that is there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from groundswell.data.files import write_text
from groundswell.report.claims_report import page
from groundswell.report.language import Speaker
from groundswell.studies.run import read_result, run_study

IMAGES = Path(__file__).parent.parent / "docs" / "images"
PICTURES = {
    ("cities", 0): "iran-2017", ("each", 0): "iran-2017-each", ("influence", 0): "iran-2017-influence",
    ("judgements", 0): "iran-2017-judgements", ("joining", 0): "iran-2017-joining",
}  # fmt: skip
"""Section of the report and number of its picture, and the file it becomes."""

SEED = 1
"""That of `make study`, and of the figures on the page."""


def main(folder: str = "") -> None:
    """Write every picture."""
    if folder:
        result = read_result(Path(folder))
    else:
        with TemporaryDirectory() as there:
            result = run_study("iran-2017", Path(there) / "out", seed=SEED, processes=os.cpu_count() or 1)
    sections = {section.key: section for section in page(result, Speaker()).sections}
    for (section, number), name in PICTURES.items():
        write_text(IMAGES / f"{name}.svg", sections[section].pictures[number].svg)


if __name__ == "__main__":
    main(*sys.argv[1:])
