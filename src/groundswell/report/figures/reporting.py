"""The reporting model by itself: what it expects to be said, before any claim is weighed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from groundswell.data.table import Table
from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 1 / 1024
"""Factors below it are drawn at it: a figure of 0 has no place on an axis of factors."""


@style.styled
def expected_factors(
    table: Table, *, axes: Axes | None = None, words: Speaker | None = None, stances: Sequence[str] | None = None
) -> Axes:
    """By what factor a figure may differ from what happened, by stance, class and qualifier, before any claim.

    table : as `models.reporting.predictive.prior_predictive` makes it. Thick bar: half of the figures; thin: 90 per
    cent. What stands to the left of 1 understates.
    stances : all stances of the study, so that colours agree between pictures.
    """
    words = words or Speaker()
    rows = list(table.rows())
    axes = axes if axes is not None else style.panel(0.9 + 0.235 * len(rows))
    look = style.colours(stances or [row["stance"] for row in rows])
    for at, row in enumerate(rows):
        colour, marker = look[row["stance"]]
        low, quarter, middle, three, high = (
            max(row[name], LEAST) for name in ("low", "quarter", "middle", "three quarters", "high")
        )
        axes.hlines(at, low, high, color=colour, linewidth=1.3)
        axes.hlines(at, quarter, three, color=colour, linewidth=4, alpha=0.6)
        axes.plot([middle], [at], marker, color=colour, markersize=6, markeredgecolor="white", markeredgewidth=0.7)
        axes.annotate(
            f"×{row['middle']:.2f}", (1.01, at), xycoords=("axes fraction", "data"), va="center", fontsize=7.5
        )
    axes.axvline(1, color=style.SOFT, linewidth=0.9)
    style.factors_axis(axes.xaxis)
    axes.set_yticks(
        range(len(rows)),
        [f"{row['stance']}, {row['class']}: {row['qualifier']}".replace("_", " ") for row in rows],
    )
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.3, -0.7)
    axes.set_xlabel(words.say("figure-factor"))
    axes.grid(axis="x")
    return axes
