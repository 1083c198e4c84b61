"""Pictures of a growing list: what it holds, what it is expected to lack by day and region, how long entries take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.figures.timeline import Bands, draw_bands, draw_prior
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LISTED, LATER = "#b9c1cb", "#d55e00"
COLUMNS = 3


def fans(panels: Sequence[Mapping[str, Any]], *, words: Speaker) -> Figure:
    """A panel for each vintage: places with a first event so far, by day.

    Each panel has `title`, `dates`, `listed` (T,), `bands` (quantile level to T values of listed and unlisted
    together) and `later` (T,) or None. One scale for all.
    """
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    made = style.panels(rows, columns, height=0.5 + 2.7 * rows)
    top = 1.05 * max(max(max(panel["bands"]["0.95"]), max(panel["later"] or [0])) for panel in panels)
    for axes, panel in zip(made.flat, panels, strict=False):
        _fan(axes, panel, words)
        axes.set_ylim(0, top)
        axes.set_title(panel["title"])
    for axes in made.flat[len(panels) :]:
        axes.set_axis_off()
    made[0, 0].set_ylabel(words.say("figure-places-so-far"))
    for axes in made[:, 1:].flat:
        axes.tick_params(labelleft=False)
    figure = made[0, 0].figure
    handles, labels = made[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False, fontsize=8)
    return figure


@style.styled
def _fan(axes: Axes, panel: Mapping[str, Any], words: Speaker) -> None:
    dates: Sequence[date] = panel["dates"]
    axes.fill_between(dates, 0, panel["listed"], color=LISTED, linewidth=0, label=words.say("figure-listed-so-far"))  # type: ignore[arg-type]
    draw_bands(axes, dates, panel["bands"], style.POSTERIOR, words.say("figure-nowcast"))
    if panel["later"] is not None:
        axes.plot(  # type: ignore[arg-type]
            dates, panel["later"], "o", color=LATER, markersize=4, markeredgecolor="white", markeredgewidth=0.5,
            label=words.say("figure-later-list"), zorder=4,
        )  # fmt: skip
    style.days_axis(axes, dates, words.language)
    axes.grid(axis="y")


@style.styled
def regions(rows: Sequence[Mapping[str, Any]], *, words: Speaker) -> Axes:
    """Unlisted first events by region: bars of 50 % and 90 %, the middle, and what came later where it is known.

    rows : each with `region`, `quantiles` (5, 25, 50, 75 and 95 %) and `later` or None; drawn from the top.
    """
    axes = style.panel(0.9 + 0.19 * len(rows))
    at = np.arange(len(rows))[::-1]
    low, inner_low, middle, inner_high, high = np.array([row["quantiles"] for row in rows], dtype=float).T
    axes.hlines(at, low, high, color=style.POSTERIOR, linewidth=2.2, alpha=0.35, label=words.say("figure-range", share="90 %"))
    axes.hlines(at, inner_low, inner_high, color=style.POSTERIOR, linewidth=4, label=words.say("figure-range", share="50 %"))
    axes.plot(
        middle, at, "|", color="white", markersize=7, markeredgewidth=1.6, zorder=3
    )
    later = [(row["later"], y) for row, y in zip(rows, at.tolist(), strict=True) if row["later"] is not None]
    if later:
        x, y = np.array(later).T
        axes.plot(
            x, y, "o", color=LATER, markersize=5, markeredgecolor="white", markeredgewidth=0.6,
            label=words.say("figure-added-later"), zorder=4,
        )  # fmt: skip
    axes.set_yticks(at, [row["region"] for row in rows])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_xlabel(words.say("figure-unlisted"))
    axes.legend(loc="lower right")
    return axes


@style.styled
def delays(days: Sequence[int], prior: Bands, panels: Mapping[str, Bands], *, words: Speaker) -> Axes:
    """Share listed by delay: the prior in grey, then what each vintage tells; 5 to 95 % and the middle."""
    axes = style.panel(3.0)
    draw_prior(axes, days, prior, words.say("figure-delay-prior"))
    for (name, bands), (colour, marker) in zip(panels.items(), _looks(len(panels)), strict=True):
        when = list(range(len(bands["0.5"])))
        axes.fill_between(when, bands["0.05"], bands["0.95"], color=colour, alpha=0.15, linewidth=0)
        axes.plot(when, bands["0.5"], color=colour, marker=marker, markersize=3.5, label=name)
    axes.set_ylim(0, 1)
    axes.set_xlim(0, max(days, default=1))
    axes.set_xlabel(words.say("figure-delay"))
    axes.set_ylabel(words.say("figure-share-listed"))
    axes.grid(axis="y")
    axes.legend(loc="lower right")
    return axes


def _looks(count: int) -> list[tuple[str, str]]:
    return [(style.SERIES[i % len(style.SERIES)], style.MARKERS[i % len(style.MARKERS)]) for i in range(count)]
