"""Draws docs/images/floyd-2020.svg from a run of the study: `.venv/bin/python -m tools.floyd_figure out/floyd`."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from groundswell.data.files import write_text
from groundswell.report.figures.claims import claims_on_fan
from groundswell.report.figures.timeline import days
from groundswell.report.svg import svg
from groundswell.studies.floyd2020 import Floyd
from groundswell.studies.published.base import reference_data
from groundswell.studies.run import read_result

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "floyd-2020.svg"


def draw(run: Path) -> str:
    """Places with a protest so far: given the list of 3 June, its three counts, and what the later list knows."""
    result = read_result(run)
    data = reference_data()
    assert data is not None
    floyd = Floyd.read(data / "floyd_protests_2020")
    cities = result["paths"]["cities_so_far"]
    claims = [row for row in result["claims"] if row["quantity"] == "cities_with_protest"]
    axes = claims_on_fan(
        result["dates"], cities["posterior"], claims, prior=cities["prior"], title="Places with a protest so far"
    )
    later = [floyd.known_by(date.fromisoformat(when)) for when in result["dates"]]
    axes.plot(days(result["dates"]), later, "x", color="black", markersize=5, zorder=5)
    axes.annotate("list of 22 June", (days(result["dates"])[-1], later[-1]), xytext=(-4, -12), ha="right",
                  textcoords="offset points", fontsize=8)  # fmt: skip
    return svg(axes, "floyd-2020")


if __name__ == "__main__":
    write_text(PICTURE, draw(Path(sys.argv[1])))
