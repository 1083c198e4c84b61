"""What a result rests on: claims left out in turn, priors and judgements moved, and the choice of an anchor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FULL = 1.5
"""Shift, in posterior sds, at which a cell has its full colour."""
ROOM = 1.7
"""Inches of a panel beside its names."""
LETTERS = 30
"""Of a name beside a bar, before it goes on in a second line."""
DOWN, UP = "#d55e00", "#0072b2"
"""Of different lightness once mixed with white, and the number stands in the cell: grey print tells them apart."""


@style.styled
def left_out(
    rows: Sequence[Mapping[str, Any]],
    answers: Mapping[str, str],
    *,
    axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:
    """A row for each thing left out, a column for each answer: by how many posterior sds the answer moves without it.

    rows : mappings with label, heading (a row with another heading than the one before starts a block), reliable and
    answers: name to shift and error. answers : name to its words, in order. A shift within two errors is a dot; a
    row whose weights cannot be relied on is hatched.
    """
    words = words or Speaker()
    headings = [k for k, row in enumerate(rows) if k == 0 or row["heading"] != rows[k - 1]["heading"]]
    at = np.arange(len(rows)) + np.searchsorted(headings, np.arange(len(rows)), side="right")
    axes = axes if axes is not None else style.panel(1.5 + 0.185 * (at[-1] + 1 if len(rows) else 1))
    for y, row in zip(at, rows, strict=True):
        for x, name in enumerate(answers):
            found = row["answers"].get(name, {})
            if "shift" in found:
                _cell(axes, x, y, found["shift"], found["error"], row["reliable"])
            else:
                axes.text(x, y, "–", ha="center", va="center", fontsize=6.5, color=style.SOFT)
    for k in headings:
        axes.text(-0.6, at[k] - 1, rows[k]["heading"], ha="right", va="center", fontweight="bold", fontsize=7.5)
    axes.set_yticks(at, [row["label"] for row in rows], fontsize=7)
    axes.set_xticks(range(len(answers)), list(answers.values()), rotation=35, ha="left", fontsize=7.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, len(answers) - 0.5)
    axes.set_ylim(at[-1] + 0.6 if len(rows) else 0.5, -0.6)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xlabel(words.say("figure-left-out-key"), fontsize=7.5, color=style.SOFT)
    return axes


def _lines(name: str) -> str:
    """An answer's name with its place and days in a line of their own."""
    return name.replace(" (", "\n(") if " (" in name else fill(name, LETTERS)


def _cell(axes: Axes, x: float, y: float, shift: float, error: float, reliable: bool) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    sure = abs(shift) > 2 * error
    share = min(abs(shift) / FULL, 1.0) if sure else 0.0
    full = np.array(to_rgb(UP if shift > 0 else DOWN))
    colour = 1 - 0.85 * share * (1 - full)
    hatch, edge = (None, "none") if reliable else ("////", style.PRIOR)
    axes.add_patch(
        Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, facecolor=tuple(colour), edgecolor=edge, hatch=hatch, linewidth=0)
    )
    dark = share > 0.75
    text = f"{shift:+.1f}".replace("-", "−") if sure and abs(shift) >= 0.05 else "·"
    axes.text(x, y, text, ha="center", va="center", fontsize=6.5, color="white" if dark else style.INK)


@style.styled
def moved_priors(panels: Sequence[Mapping[str, Any]], *, words: Speaker | None = None, columns: int = 2) -> np.ndarray:
    """Sorted bars for each answer: where its middle goes when a prior or judgement is moved one way and the other.

    panels : mappings with title, middle, low, high (its 90 per cent interval, the band behind) and rows: label, values
    (two), ways (two words) and reliable (two). The longest bar stands on top. (rows, columns) axes.
    """
    words = words or Speaker()
    most = max(len(panel["rows"]) for panel in panels)
    lines = -(-len(panels) // columns)
    made = style.panels(lines, columns, height=lines * (0.95 + 0.25 * most))
    for axes, panel in zip(made.flat, panels, strict=False):
        axes.axvspan(panel["low"], panel["high"], color=style.WASH, linewidth=0, zorder=0)
        axes.axvline(panel["middle"], color=style.SOFT, linewidth=0.9)
        for y, row in enumerate(panel["rows"]):
            _bars(axes, y, panel["middle"], row)
        _ticks(axes, panel["low"], panel["high"], ROOM, words)
        names = [fill(row["label"], LETTERS) for row in panel["rows"]]
        axes.set_yticks(range(len(names)), names, fontsize=6.5, linespacing=0.9)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(most - 0.4, -0.6)
        axes.set_title(_lines(panel["title"]))
    for axes in made.flat[len(panels) :]:
        axes.set_axis_off()
    from matplotlib.patches import Patch

    looks = {"figure-moved-down": DOWN, "figure-moved-up": UP, "figure-interval": style.WASH}
    handles = [Patch(color=colour, label=words.say(key)) for key, colour in looks.items()]
    made.flat[0].figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return made


def _bars(axes: Axes, y: float, middle: float, row: Mapping[str, Any]) -> None:
    """Both bars of a row, the longer behind, each with its way at its end.

    Where both go to one side, the shorter one's words stand across the middle.
    """
    values = row["values"]
    longer = int(abs(np.log(values[1] / middle)) > abs(np.log(values[0] / middle)))
    right = [value >= middle for value in values]
    for side in (longer, 1 - longer):
        colour, sure = (DOWN, UP)[side], row["reliable"][side]
        axes.barh(
            y, values[side] - middle, left=middle, height=0.62, color=colour if sure else "white", edgecolor=colour,
            hatch=None if sure else "////", linewidth=0.6,
        )  # fmt: skip
        across = side != longer and right[0] == right[1]
        to_right = right[side] != across
        axes.annotate(
            row["ways"][side], (middle if across else values[side], y), xytext=(3 if to_right else -3, 0),
            textcoords="offset points", va="center", ha="left" if to_right else "right", fontsize=6, color=style.SOFT,
            annotation_clip=False,
        )  # fmt: skip


def _ticks(axes: Axes, low: float, high: float, room: float, words: Speaker) -> None:
    """Round figures inside the interval, and room beyond it for the words at a bar's end."""
    reach = max(float(np.log(high / low)), 0.1)
    style.log_counts(axes, low, high, room=room / 1.24, language=words.language)
    axes.set_xlim(low * np.exp(-0.12 * reach), high * np.exp(0.12 * reach))


@style.styled
def by_anchor(
    panels: Sequence[Mapping[str, Any]], anchors: Sequence[str], *, words: Speaker | None = None
) -> np.ndarray:
    """Each answer under each anchor: middle and 90 per cent interval, a panel for each answer.

    panels : mappings with title, quantiles (anchor to 5, 50, 95 %) and verdict, a few words. (rows, 3) axes.
    """
    words = words or Speaker()
    columns = min(len(panels), 3)
    lines = -(-len(panels) // columns)
    made = style.panels(lines, columns, height=lines * (1.15 + 0.28 * len(anchors)))
    for axes in made.flat[len(panels) :]:
        axes.set_axis_off()
    for k, (axes, panel) in enumerate(zip(made.flat, panels, strict=False)):
        for y, anchor in enumerate(anchors):
            low, middle, high = panel["quantiles"][anchor]
            axes.hlines(y, low, high, color=style.POSTERIOR, linewidth=2.2, alpha=0.6)
            axes.plot([middle], [y], "o", color=style.POSTERIOR, markersize=5)
        ends = [v for one in panel["quantiles"].values() for v in one]
        _ticks(axes, min(ends), max(ends), ROOM, words)
        axes.set_yticks(range(len(anchors)), [name.replace("_", " ") for name in anchors] if k % columns == 0 else [])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(anchors) - 0.4, -0.6)
        axes.set_title(_lines(panel["title"]))
        axes.set_xlabel(panel["verdict"], fontsize=7.5, color=style.SOFT)
        axes.grid(axis="x")
    return made
