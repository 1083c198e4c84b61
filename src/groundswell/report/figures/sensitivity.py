"""Which parameter a summary of a sweep depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = {"first": "figure-index-first", "total": "figure-index-total", "rank correlation": "figure-rank-correlation"}


@style.styled
def sensitivity(table: Table, *, words: Speaker | None = None) -> np.ndarray:
    """A panel for each summary, a row in it for each parameter, with intervals; (rows, 2) axes.

    table : what `sweeps.sensitivity.sensitivity` returns, which is the picture's twin. A summary without any
    estimate has an empty panel.
    """
    words = words or Speaker()
    measures = [name for name in MEASURES if name in table.columns]
    summaries, parameters = (list(dict.fromkeys(table[name])) for name in ("summary", "parameter"))
    if not summaries:
        raise UsageError("this table of sensitivities has no row to draw; see whether the sweep has any run.")
    rows = list(table.rows())
    lines = -(-len(summaries) // 2)
    axes = style.panels(lines, 2, height=0.4 + lines * (0.7 + 0.24 * len(parameters)))
    for panel, summary in zip(axes.flat, summaries, strict=False):
        for at, measure in enumerate(measures):
            offset = 0.16 * (2 * at - len(measures) + 1)
            label = words.say(MEASURES[measure]) if len(measures) > 1 else None
            _draw(panel, [row for row in rows if row["summary"] == summary], measure, at, offset, label)
        panel.set_title(summary)
        panel.axvline(0, color=style.SOFT, linewidth=0.8)
        panel.set_yticks(range(len(parameters)), parameters)
        panel.tick_params(axis="y", length=0)
        panel.set_ylim(len(parameters) - 0.5, -0.5)
        if len(measures) > 1:
            panel.set_xlim(min(-0.1, *panel.get_xlim()), max(1.1, *panel.get_xlim()))
        else:
            panel.set_xlim(-1.05, 1.05)
            panel.set_xticks((-1, -0.5, 0, 0.5, 1))
        panel.grid(axis="x")
    for panel in axes.flat[len(summaries) :]:
        panel.set_axis_off()
    for panel in axes[-1]:
        panel.set_xlabel(words.say("figure-index" if len(measures) > 1 else MEASURES[measures[0]]), fontsize=7.5)
    if len(measures) > 1:
        axes.flat[0].legend(*axes.flat[0].get_legend_handles_labels(), loc="best", fontsize=7)
    return axes


def _draw(panel: Axes, rows: list[dict], measure: str, at: int, offset: float, label: str | None) -> None:
    """One measure of one summary: a point with its interval for each parameter that has it."""
    known = [(k, row) for k, row in enumerate(rows) if row[measure] is not None]
    where = np.array([k for k, _ in known]) + offset
    low, middle, high = (np.array([row[f"{measure}{end}"] for _, row in known]) for end in (" low", "", " high"))
    panel.hlines(where, low, high, color=style.SERIES[at], linewidth=1.4)
    panel.plot(middle, where, style.MARKERS[at], color=style.SERIES[at], markersize=4.5, label=label)
