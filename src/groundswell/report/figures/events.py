"""Pictures of a fit of single events: what is set off by what, when and where, how late and how far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.data.region import Region
from groundswell.data.table import Table
from groundswell.report.figures import point_process, style
from groundswell.report.figures.maps import colour_scale
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = 90
"""Cells of a smoothed map along the longer side."""

SMOOTHED = 0.03
"""Bandwidth of a smoothed map, over the root of the region's area."""

FEWEST = 2.0
"""Events, weighted by the kernel, below which a smoothed share is not shown."""

DOTS = 3000
"""Events drawn as dots, at most; of more, an even choice by time."""


@style.styled
def over_time(table: Table, *, words: Speaker | None = None) -> Axes:
    """Events by stretch of time, those set off by earlier ones dark; below, their share with its interval.

    table : from, days, events, triggered, share, low, high.
    """
    words = words or Speaker()
    above, below = style.panels(2, 1, height=4.4)[:, 0]
    first = [date.fromisoformat(text) for text in table["from"]]
    days = np.asarray(table["days"], dtype=float)
    at = _numbers(first)
    events, triggered = (np.asarray(table[name], dtype=float) for name in ("events", "triggered"))
    kinds = {"width": 0.92 * days, "align": "edge", "linewidth": 0}
    above.bar(at, triggered, color=style.POSTERIOR, label=words.say("figure-triggered"), **kinds)
    above.bar(
        at, events - triggered, bottom=triggered, color=style.PRIOR, label=words.say("figure-own-accord"), **kinds
    )
    above.set_ylabel(words.say("figure-events"))
    above.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    known = np.array([share is not None for share in table["share"]])
    share, low, high = (
        np.array([np.nan if value is None else value for value in table[name]]) for name in ("share", "low", "high")
    )
    middle = (at + days / 2)[known]
    below.vlines(middle, low[known], high[known], color=style.POSTERIOR, linewidth=2.2, alpha=0.35)
    below.plot(middle, share[known], "o", color=style.POSTERIOR, markersize=3.5)
    below.set_ylim(-0.03, 1.03)
    below.yaxis.set_major_formatter(_percent)
    below.set_ylabel(words.say("figure-share-triggered"))
    last = first[-1] + timedelta(days=int(days[-1]))
    for axes in (above, below):
        axes.grid(axis="y")
        axes.xaxis_date()
        style.days_axis(axes, [first[0], last], words.language)
    return below


@style.styled
def curves(delays: Table, reaches: Table, *, words: Speaker | None = None) -> Axes:
    """Share of an event's offspring that come within so many days, and km, with bands; one panel where one is empty.

    delays : days, share, low, high; reaches : km, share, low, high.
    """
    words = words or Speaker()
    shown = [(table, unit) for table, unit in ((delays, "days"), (reaches, "km")) if len(table)]
    panels = style.panels(1, len(shown), height=2.7, width=style.WIDTH if len(shown) > 1 else 0.6 * style.WIDTH)[0]
    for axes, (table, unit) in zip(panels, shown, strict=True):
        x, share, low, high = (np.asarray(table[name], dtype=float) for name in (unit, "share", "low", "high"))
        axes.fill_between(x, low, high, color=style.POSTERIOR, alpha=0.22, linewidth=0)
        axes.plot(x, share, color=style.POSTERIOR)
        axes.set_xlim(0, max(float(x[-1]), 1e-9))
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(_percent)
        axes.set_xlabel(words.say(f"figure-within-{unit}"))
        axes.grid()
    panels[0].set_ylabel(words.say("figure-share-offspring"))
    return panels[0]


@style.styled
def plane_maps(
    region: Region, x_km: np.ndarray, y_km: np.ndarray, triggered: np.ndarray, *, words: Speaker | None = None
) -> Axes:
    """Events in their region coloured by the probability that an earlier one set them off, and that share smoothed.

    x_km, y_km, triggered : (E,). Where few events are near, the smoothed share is left blank.
    """
    words = words or Speaker()
    corners = np.concatenate(region.rings)
    low, high = corners.min(axis=0), corners.max(axis=0)
    wide = high - low
    beside = wide[0] < 1.6 * wide[1]
    shape = (1, 2) if beside else (2, 1)
    each = style.WIDTH / 2 if beside else style.WIDTH
    height = each * float(np.clip(wide[1] / wide[0], 0.35, 1.8)) * (1 if beside else 2) + 0.7
    panels = style.panels(*shape, height=height).ravel()
    chosen = np.arange(len(x_km))[:: -(-len(x_km) // DOTS)]
    chosen = chosen[np.argsort(triggered[chosen], kind="stable")]
    size = float(np.clip(1200 / max(len(chosen), 1), 3, 22))
    dots = panels[0].scatter(
        x_km[chosen], y_km[chosen], c=triggered[chosen], s=size, cmap=colour_scale(), vmin=0, vmax=1,
        edgecolor=style.SOFT, linewidth=0.2, rasterized=False,
    )  # fmt: skip
    box, share = smoothed_share(region, x_km, y_km, triggered)
    panels[1].imshow(
        np.ma.masked_invalid(share), extent=box, origin="lower", cmap=colour_scale(), vmin=0, vmax=1,
        interpolation="nearest",
    )  # fmt: skip
    titles = ("figure-each-event", "figure-smoothed")
    for axes, title in zip(panels, titles, strict=True):
        for ring in region.rings:
            closed = np.vstack([ring, ring[:1]])
            axes.plot(closed[:, 0], closed[:, 1], color=style.SOFT, linewidth=0.6)
        axes.set_xlim(low[0] - 0.02 * wide[0], high[0] + 0.02 * wide[0])
        axes.set_ylim(low[1] - 0.1 * wide[1], high[1] + 0.02 * wide[1])
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(words.say(title))
    _scale_bar(panels[0], low, wide)
    bar = panels[0].figure.colorbar(
        dots, ax=list(panels), location="bottom", shrink=0.4, aspect=30, pad=0.02,
        label=words.say("figure-share-triggered"),
    )  # fmt: skip
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(labelsize=8, length=0)
    bar.ax.xaxis.set_major_formatter(_percent)
    return panels[0]


def smoothed_share(
    region: Region, x_km: np.ndarray, y_km: np.ndarray, triggered: np.ndarray
) -> tuple[tuple[float, float, float, float], np.ndarray]:
    """(west, east, south, north) and (up, across) shares, NaN outside the region and where too few events are near."""
    corners = np.concatenate(region.rings)
    low, high = corners.min(axis=0), corners.max(axis=0)
    side = float((high - low).max()) / GRID
    across, up = (a + side * (np.arange(np.ceil((b - a) / side)) + 0.5) for a, b in zip(low, high, strict=True))
    grid_x, grid_y = np.meshgrid(across, up)
    width = SMOOTHED * float(np.sqrt(region.area_km2))
    weight, total = np.zeros(grid_x.shape), np.zeros(grid_x.shape)
    inside = region.contains(grid_x.ravel(), grid_y.ravel()).reshape(grid_x.shape)
    for x, y, p in zip(x_km, y_km, triggered, strict=True):
        near_x = np.flatnonzero(np.abs(across - x) < 4 * width)
        near_y = np.flatnonzero(np.abs(up - y) < 4 * width)
        if not len(near_x) or not len(near_y):
            continue
        near = np.ix_(near_y, near_x)
        kernel = np.exp(-0.5 * ((grid_x[near] - x) ** 2 + (grid_y[near] - y) ** 2) / width**2)
        weight[near] += kernel
        total[near] += p * kernel
    enough = inside & (weight >= FEWEST)
    share = np.full(grid_x.shape, np.nan)
    share[enough] = total[enough] / weight[enough]
    return (low[0], low[0] + side * len(across), low[1], low[1] + side * len(up)), share


@style.styled
def clusters(table: Table, *, words: Speaker | None = None) -> Axes:
    """How many clusters have so many events, on a log scale, with intervals. table : size, clusters, low, high."""
    words = words or Speaker()
    axes = style.panel(0.7 + 0.22 * len(table))
    y = np.arange(len(table))[::-1]
    mean, low, high = (np.asarray(table[name], dtype=float) for name in ("clusters", "low", "high"))
    floor = 0.5
    axes.barh(y, np.maximum(mean, floor) - floor, left=floor, height=0.7, color=style.PRIOR, linewidth=0)
    axes.hlines(y, np.maximum(low, floor), np.maximum(high, floor), color=style.POSTERIOR, linewidth=2.2)
    axes.set_xscale("log")
    axes.set_xlim(floor, 1.6 * max(float(high.max()), 2.0))
    axes.set_yticks(y, list(table["size"]))
    axes.set_ylabel(words.say("figure-cluster-size"))
    axes.set_xlabel(words.say("figure-clusters"))
    style.plain_counts(axes.xaxis)
    axes.grid(axis="x")
    return axes


@style.styled
def residuals(counts: Table, waits: Table, *, words: Speaker | None = None) -> Axes:
    """Transformed times and waits side by side. counts, waits : of `counts_in_band` and `waits_in_band`."""
    left, right = style.panels(1, 2, height=3.1)[0]
    point_process.transformed_times(counts, axes=left, words=words)
    point_process.waits(waits, axes=right, words=words)
    right.get_legend().remove()
    return left


def _scale_bar(axes: Axes, low: np.ndarray, wide: np.ndarray) -> None:
    """A bar of a round length at the lower left."""
    length = 10.0 ** np.floor(np.log10(wide[0] / 3))
    length *= max(k for k in (1, 2, 5) if k * length <= wide[0] / 3 or k == 1)
    y = low[1] - 0.03 * wide[1]
    axes.plot([low[0], low[0] + length], [y, y], color=style.INK, linewidth=1.4, solid_capstyle="butt")
    axes.annotate(
        f"{length:,.10g} km", (low[0] + length / 2, y), xytext=(0, -3), textcoords="offset points", ha="center",
        va="top", fontsize=7, color=style.INK,
    )  # fmt: skip


def _percent(value: float, _: Any = None) -> str:
    return f"{100 * value:.0f} %"


def _numbers(days: Sequence[date]) -> np.ndarray:
    from matplotlib.dates import date2num

    return np.array([date2num(day) for day in days], dtype=float)
