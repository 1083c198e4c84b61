"""Pictures of a forecast and of its credentials: what is expected, by place, what moved, PIT and coverage.

Each function takes plain numbers or tables and returns matplotlib axes, in the common style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.data.table import Table
from groundswell.report.figures import style
from groundswell.report.figures.timeline import Bands, draw_bands
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a fan."""

LAST = style.SERIES[1]
"""What the last run expected."""

COLUMNS = 3
"""Small fans side by side."""


@style.styled
def outlook(
    dates: Sequence[date],
    recorded: Sequence[float],
    ahead: tuple[Sequence[date], Bands],
    *,
    days: int,
    last: tuple[Sequence[date], Bands] | None = None,
    expected: Sequence[float] | None = None,
    title: str = "",
    axes: Axes | None = None,
    words: Speaker | None = None,
    key: bool = True,
) -> Axes:
    """Recorded events by step as bars, then the fan ahead; an earlier run's fan as lines over the bars.

    ahead, last : first days of the target steps, and the quantiles of LEVELS by text ("0.05"). A step is drawn
    from its first day to that of the next, `days` later. expected : drawn in place of the median, which says
    little where most counts are 0.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.2)
    axes.bar(
        _numbers(dates), recorded, width=0.9 * days, align="edge", color=style.PRIOR, linewidth=0,
        label=words.say("figure-recorded"), zorder=0.8,
    )  # fmt: skip
    if last is not None:
        when, levels = _stepped(*last, days)
        for level in ("0.05", "0.95"):
            axes.plot(when, levels[level], color=LAST, linewidth=0.9, zorder=3)
        label = words.say("figure-last-run")
        axes.plot(when, levels["0.5"], color=LAST, linewidth=1.4, linestyle="--", label=label, zorder=3)
    middle = ahead[1]["0.5"] if expected is None else expected
    shown = {level: middle if level == "0.5" else values for level, values in ahead[1].items()}
    draw_bands(axes, *_stepped(ahead[0], shown, days), style.POSTERIOR, words.say("figure-forecast"))
    axes.axvline(_numbers(ahead[0][:1])[0], color=style.INK, linewidth=0.8, linestyle=":")
    axes.xaxis_date()
    style.days_axis(axes, [*dates, *ahead[0]], words.language)
    edges = _numbers([dates[0] if len(dates) else ahead[0][0], ahead[0][-1]])
    axes.set_xlim(edges[0] - 0.3 * days, edges[1] + 1.3 * days)
    top = max(float(np.max(recorded, initial=0)), float(np.max(ahead[1]["0.95"])), 1.0)
    axes.set_ylim(0, 1.08 * (top if last is None else max(top, float(np.max(last[1]["0.95"])))))
    _whole(axes.yaxis)
    axes.grid(axis="y")
    axes.set_title(title)
    if key:
        axes.set_ylabel(words.say("figure-events"))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3)
    return axes


@style.styled
def outlooks(
    dates: Sequence[date],
    places: Mapping[str, tuple[Sequence[float], Bands, Sequence[float]]],
    targets: Sequence[date],
    *,
    days: int,
    words: Speaker | None = None,
) -> Axes:
    """The same for several places, each on its own scale. places : name to recorded, quantiles and expected counts."""
    columns = min(COLUMNS, len(places))
    rows = -(-len(places) // columns)
    grid = style.panels(rows, columns, height=0.4 + 1.55 * rows)
    for axes in grid.flat[len(places) :]:
        axes.set_axis_off()
    for axes, (name, (recorded, bands, expected)) in zip(grid.flat, places.items(), strict=False):
        outlook(
            dates, recorded, (targets, bands), days=days, expected=expected, title=name, axes=axes, words=words,
            key=False,
        )  # fmt: skip
        from matplotlib.dates import AutoDateLocator

        axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=4))
        axes.tick_params(labelsize=7)
    return grid.flat[0]


@style.styled
def past(dates: Sequence[date], bands: Bands, recorded: Sequence[float], *, words: Speaker | None = None) -> Axes:
    """What was expected from each past date over all steps ahead, and what came; outside nine tenths it is marked.

    dates : first day after each origin. bands : quantiles of LEVELS by text, a value for each date.
    """
    words = words or Speaker()
    axes = style.panel(2.9)
    at, seen = _numbers(dates), np.asarray(recorded, dtype=float)
    levels = {level: np.asarray(values, dtype=float) for level, values in bands.items()}
    axes.vlines(at, levels["0.05"], levels["0.95"], color=style.POSTERIOR, alpha=0.35, linewidth=2.2)
    axes.vlines(at, levels["0.25"], levels["0.75"], color=style.POSTERIOR, alpha=0.6, linewidth=4)
    axes.plot(at, levels["0.5"], "_", color=style.POSTERIOR, markersize=6, label=words.say("figure-forecast"))
    inside = (levels["0.05"] <= seen) & (seen <= levels["0.95"])
    axes.plot(at[inside], seen[inside], "o", color=style.INK, markersize=3.5, label=words.say("figure-recorded"))
    label = words.say("figure-recorded-outside")
    axes.plot(at[~inside], seen[~inside], "D", color=LAST, markersize=4, label=label)
    axes.xaxis_date()
    style.days_axis(axes, dates, words.language)
    room = max(0.03 * float(at[-1] - at[0]), 3.0)
    axes.set_xlim(at[0] - room, at[-1] + room)
    axes.set_ylim(0, 1.08 * max(float(levels["0.95"].max()), float(seen.max()), 1.0))
    _whole(axes.yaxis)
    axes.set_ylabel(words.say("figure-events"))
    axes.grid(axis="y")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3)
    return axes


@style.styled
def moved(rows: Sequence[Mapping[str, Any]], *, words: Speaker | None = None) -> Axes:
    """Expected events before (hollow) and now (filled), a line for each place in the order given, from the top.

    rows : mappings with place, "expected before", "expected now" and moved, false within the noise of the draws.
    """
    words = words or Speaker()
    axes = style.panel(0.9 + 0.24 * len(rows))
    for at, row in enumerate(rows):
        colour = style.POSTERIOR if row["moved"] else style.PRIOR
        before, now = row["expected before"], row["expected now"]
        axes.hlines(at, min(before, now), max(before, now), color=colour, linewidth=1.8)
        axes.plot([before], [at], "o", color=colour, markerfacecolor="white", markersize=5.5, zorder=3)
        axes.plot([now], [at], "o", color=colour, markersize=5.5, zorder=3)
    axes.plot([], [], "o", color=style.POSTERIOR, markerfacecolor="white", label=words.say("figure-before"))
    axes.plot([], [], "o", color=style.POSTERIOR, label=words.say("figure-now"))
    axes.plot([], [], "-", color=style.PRIOR, linewidth=1.8, label=words.say("figure-within-noise"))
    axes.set_yticks(range(len(rows)), [str(row["place"]) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1.04 * max([*(max(row["expected before"], row["expected now"]) for row in rows), 1e-9]))
    style.plain_counts(axes.xaxis)
    axes.set_xlabel(words.say("figure-expected-events"))
    axes.grid(axis="x")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3)
    return axes


@style.styled
def pit(tables: Mapping[str, Table], *, words: Speaker | None = None) -> Axes:
    """PIT histograms side by side: share by bin with its interval, and the equal shares of a calibrated forecast.

    tables : title to a table with from, to, share, low, high (None where there are too few origins).
    """
    words = words or Speaker()
    grid = style.panels(1, len(tables), height=2.7)
    top = 0.0
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=True):
        left = np.asarray(table["from"], dtype=float)
        width = np.asarray(table["to"], dtype=float) - left
        share = np.asarray(table["share"], dtype=float)
        axes.bar(left, share, width=0.94 * width, align="edge", color=style.POSTERIOR, alpha=0.55, linewidth=0)
        top = max(top, float(share.max()))
        for x, low, high in zip(left + width / 2, table["low"], table["high"], strict=True):
            if low is not None:
                axes.vlines(x, low, high, color=style.INK, linewidth=1.1)
                top = max(top, high)
        axes.axhline(1 / len(share), color=style.INK, linewidth=0.9, linestyle="--", label=words.say("figure-equal"))
        axes.set_xlim(0, 1)
        axes.set_xlabel(words.say("figure-pit"))
        axes.set_title(title)
        _shares(axes.yaxis)
        axes.grid(axis="y")
    for axes in grid.flat:
        axes.set_ylim(0, 1.08 * max(top, 0.2))
    grid.flat[0].set_ylabel(words.say("figure-share-of-counts"))
    _legend_below(grid.flat[0])
    return grid.flat[0]


@style.styled
def coverage(tables: Mapping[str, Table], *, words: Speaker | None = None) -> Axes:
    """Share of counts inside the central intervals, beside the share that the forecasts promised.

    tables : title to a table with level, covered, promised, low, high; low and high are the interval of
    covered - promised. The intervals of counts hold more than their level (thin line), so the promise is what counts.
    """
    words = words or Speaker()
    grid = style.panels(1, len(tables), height=3.1)
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=True):
        axes.plot([0, 1], [0, 1], color=style.LINE, linewidth=1, zorder=1, label=words.say("figure-level-itself"))
        axes.plot(
            table["level"], table["promised"], "_", color=style.INK, markersize=15, markeredgewidth=1.4, zorder=4,
            label=words.say("figure-promised"),
        )  # fmt: skip
        axes.plot(
            table["level"], table["covered"], "o", color=style.POSTERIOR, markersize=5, zorder=3,
            label=words.say("figure-covered"),
        )  # fmt: skip
        for row in table.rows():
            if row["low"] is not None:
                ends = row["promised"] + row["low"], row["promised"] + row["high"]
                axes.vlines(row["level"], *ends, color=style.POSTERIOR, linewidth=1.4)
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.04)
        axes.set_xlabel(words.say("figure-level"))
        axes.set_title(title)
        _shares(axes.xaxis)
        _shares(axes.yaxis)
        axes.grid(axis="y")
    grid.flat[0].set_ylabel(words.say("figure-share-inside"))
    _legend_below(grid.flat[0])
    return grid.flat[0]


def _stepped(targets: Sequence[date], bands: Bands, days: int) -> tuple[list[float], dict[str, list[float]]]:
    """A fan in which each step has its width: one value from its first day to that of the next."""
    start = _numbers(targets)
    when = np.stack([start, start + days], axis=1).ravel()
    return when.tolist(), {level: np.repeat(values, 2).tolist() for level, values in bands.items()}


def _legend_below(axes: Axes) -> None:
    """One legend for all panels, where it hides no bar and no dot."""
    figure: Any = axes.figure
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)


def _numbers(dates: Sequence[date]) -> np.ndarray:
    from matplotlib.dates import date2num

    return np.asarray(date2num(list(dates)), dtype=float)


def _whole(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    style.plain_counts(axis)


def _shares(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
