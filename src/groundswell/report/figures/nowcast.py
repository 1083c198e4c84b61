"""Pictures of a growing list: what it holds, what it is expected to lack by day and region, how long entries take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.figures.timeline import draw_bands, draw_prior
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LISTED, LATER = "#c3cad3", "#d55e00"
COLUMNS = 3
DATES = 8
"""Dates named along the bottom of all panels that stand beside each other."""

Panel = Mapping[str, Any]


def fans(panels: Sequence[Panel], *, words: Speaker) -> Figure:
    """A panel for each vintage: places with a first event so far, by day; one scale for all.

    Each panel has `title`, `dates`, `listed` (T,), `bands` (quantile level to T values of listed and unlisted
    together) and `later`, (T,) or None.
    """
    top = 1.05 * max(float(value) for panel in panels for value in [*panel["bands"]["0.95"], *(panel["later"] or [])])

    def draw(axes: Axes, panel: Panel) -> None:
        axes.fill_between(
            panel["dates"], 0, panel["listed"], color=LISTED, linewidth=0, label=words.say("figure-on-list")
        )
        draw_bands(axes, panel["dates"], panel["bands"], style.POSTERIOR, words.say("figure-nowcast"))
        if panel["later"] is not None:
            axes.plot(
                panel["dates"], panel["later"], "o", color=LATER, markersize=4, markeredgecolor="white",
                markeredgewidth=0.5, label=words.say("figure-later-list"), zorder=4, clip_on=False,
            )  # fmt: skip
        axes.set_ylim(0, max(top, 1))
        style.days_axis(axes, panel["dates"], words.language)
        axes.set_xticks(_few(panel["dates"], max(2, DATES // min(len(panels), COLUMNS - 1))))

    return _beside(panels, draw, "", words.say("figure-places-so-far"))


def delays(panels: Sequence[Panel], *, words: Speaker) -> Figure:
    """A panel for each vintage: the share listed by delay in days, before the list was looked at and given it.

    Each panel has `title`, `days` (K,), and `prior` and `nowcast`, quantile level to K values.
    """

    from matplotlib.ticker import MaxNLocator

    def draw(axes: Axes, panel: Panel) -> None:
        draw_prior(axes, panel["days"], panel["prior"], words.say("figure-delay-prior"))
        draw_bands(axes, panel["days"], panel["nowcast"], style.POSTERIOR, words.say("figure-delay-given"))
        axes.set_ylim(0, 1)
        axes.set_xlim(0, max(*panel["days"], 1))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    return _beside(panels, draw, words.say("figure-delay"), words.say("figure-share-listed"))


@style.styled
def regions(rows: Sequence[Panel], *, words: Speaker) -> Axes:
    """Unlisted first events by region: bars of 50 % and 90 %, the middle, and what came later where it is known.

    rows : each with `region`, `quantiles` (5, 25, 50, 75 and 95 %) and `later` or None; drawn from the top.
    """
    axes = style.panel(0.9 + 0.19 * len(rows))
    at = np.arange(len(rows))[::-1]
    low, inner_low, middle, inner_high, high = np.array([row["quantiles"] for row in rows], dtype=float).T
    for ends, width, alpha, share in (((low, high), 2.2, 0.35, "90 %"), ((inner_low, inner_high), 4, 1, "50 %")):
        label = words.say("figure-range", share=share)
        axes.hlines(at, *ends, color=style.POSTERIOR, linewidth=width, alpha=alpha, label=label)
    axes.plot(middle, at, "|", color="white", markersize=7, markeredgewidth=1.6, zorder=3)
    if all(row["later"] is not None for row in rows):
        axes.plot(
            [row["later"] for row in rows], at, "o", color=LATER, markersize=5, markeredgecolor="white",
            markeredgewidth=0.6, label=words.say("figure-added-later"), zorder=4, clip_on=False,
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
def _beside(panels: Sequence[Panel], draw: Callable[[Axes, Panel], None], below: str, left: str) -> Figure:
    """Panels in rows of COLUMNS with one legend above them all."""
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    made = style.panels(rows, columns, height=0.5 + 2.7 * rows)
    for axes, panel in zip(made.flat, panels, strict=False):
        draw(axes, panel)
        axes.set_title(panel["title"])
        axes.grid(axis="y")
        axes.set_xlabel(below)
    for axes in made.flat[len(panels) :]:
        axes.set_axis_off()
    for axes in made[:, 0]:
        axes.set_ylabel(left)
    for axes in made[:, 1:].flat:
        axes.tick_params(labelleft=False)
    figure = made[0, 0].figure
    figure.legend(*made[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return figure


def _few(dates: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the dates, evenly apart, the last one among them."""
    step = -(-len(dates) // most)
    return list(dates[::-1][::step][::-1])
