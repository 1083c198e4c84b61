"""What claims ask for, window by window: what happened in the model, and beside it what every side says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.figures.claims import ARROW
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, FREE = 0.4, 3.4
"""Inches that a window takes, and inches left for the figures beside names and numbers."""


@style.styled
def by_window(
    rows: Sequence[Mapping[str, Any]], *, title: str = "", words: Speaker | None = None,
    stances: Sequence[str] | None = None,
) -> Axes:  # fmt: skip
    """A row a window: a bar for what happened given all claims (50 and 90 %), the claims on it just above.

    rows : mappings with label, happened (5, 25, 50, 75, 95 %), told (a few words at the right) and claims: mappings
    with stance, qualifier, value, value_high. The marker and colour is the stance, an arrow points to where a bound
    says the truth lies, a range is a thin bar. Figures that coincide stand side by side. stances : all of the study.
    """
    words = words or Speaker()
    axes = style.panel(0.95 + ROW * len(rows))
    everyone = {claim["stance"] for row in rows for claim in row["claims"]}
    look = style.colours(stances or everyone)
    values = [value for row in rows for value in row["happened"] if value > 0]
    values += [v for row in rows for c in row["claims"] for v in (c["value"], c["value_high"]) if v]
    low, high = min(values, default=1.0), max(values, default=1.0)
    pad = max(float(np.log(high / low)), 0.05) * 0.06
    low, high = low * np.exp(-pad), high * np.exp(pad)
    style.log_counts(axes, low, high, room=FREE, language=words.language)
    axes.set_xlim(low, high)
    axes.set_ylim(len(rows) - 0.45, -0.6)
    for y, row in enumerate(rows):
        least, quarter, middle, three, most = (max(float(v), low) for v in row["happened"])
        axes.hlines(y + 0.17, least, most, color=style.POSTERIOR, linewidth=3, alpha=0.35)
        axes.hlines(y + 0.17, quarter, three, color=style.POSTERIOR, linewidth=6, alpha=0.6)
        axes.vlines(middle, y + 0.06, y + 0.28, color="white", linewidth=1.4)
        axes.annotate(row["told"], (1.015, y + 0.17), xycoords=("axes fraction", "data"), va="center", fontsize=7.5)
        if y:
            axes.axhline(y - 0.5, color=style.LINE, linewidth=0.6)
    said = [(max(float(claim["value"]), low), y - 0.17, claim) for y, row in enumerate(rows) for claim in row["claims"]]
    for (x, y, claim), aside in zip(said, style.beside(axes, [one[:2] for one in said]), strict=True):
        _said(axes, x, y, float(aside), claim, *look[claim["stance"]])
    axes.set_yticks(range(len(rows)), [row["label"] for row in rows])
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    axes.grid(axis="x")
    axes.set_title(title)
    _key(axes, sorted(everyone), look, words)
    return axes


def _said(axes: Axes, x: float, y: float, aside: float, claim: Mapping[str, Any], colour: str, marker: str) -> None:
    from matplotlib.transforms import ScaledTranslation

    figure: Any = axes.figure
    moved = axes.transData + ScaledTranslation(aside / 72, 0, figure.dpi_scale_trans)
    if claim["value_high"] is not None:
        axes.hlines(y, x, float(claim["value_high"]), color=colour, linewidth=2)
    axes.plot([x], [y], marker, color=colour, markersize=6, markeredgecolor="white", markeredgewidth=0.7,
              transform=moved, clip_on=False, zorder=4)  # fmt: skip
    if side := ARROW.get(claim["qualifier"], 0):
        axes.annotate(
            "", (x, y), xycoords=moved, xytext=(16 * side, 0), textcoords="offset points",
            arrowprops={"arrowstyle": "<|-", "color": colour, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 3},
            annotation_clip=False,
        )  # fmt: skip


def _key(axes: Axes, stances: Sequence[str], look: Mapping[str, tuple[str, str]], words: Speaker) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=style.POSTERIOR, alpha=0.6, linewidth=5, label=words.say("figure-happened"))]
    for stance in stances:
        colour, marker = look[stance]
        name = stance.replace("_", " ")
        handles.append(Line2D([], [], color=colour, marker=marker, linewidth=0, markersize=6, label=name))
    figure: Any = axes.figure
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 5))
