"""Draws the pictures of docs/power.md and docs/coordination.md from the folders that their commands wrote.

`.venv/bin/python -m tools.telling_figures out/power-iran-2017 out/coordination-floyd`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from groundswell.data.files import write_text
from groundswell.evaluate.coordination import CANNOT_TELL
from groundswell.report.figures import telling
from groundswell.report.svg import svg
from groundswell.studies.coordination import NAMES

IMAGES = Path(__file__).parent.parent / "docs" / "images"


def main(power: Path, coordination: Path) -> None:
    """Three pictures: designs by mechanism, verdicts by truth, calibration."""
    found = json.loads((power / "result.json").read_text(encoding="utf-8"))
    order = [row["design"] for row in found["designs"]]
    told = json.loads((coordination / "result.json").read_text(encoding="utf-8"))
    columns = [*(row["explanation"] for row in told["probabilities"]), CANNOT_TELL]
    pictures = {
        "power-iran-2017": telling.designs(found["pairs"], order),
        "coordination-errors": telling.verdicts(told["confusion"], columns, NAMES),
        "coordination-calibration": telling.reliability(told["reliability"]),
    }
    for name, axes in pictures.items():
        write_text(IMAGES / f"{name}.svg", svg(axes, name) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
