"""Pictures of checks of a fit of single events: transformed times, waits, residual points, what moves or triggers.

Each function takes what a check returns, or its table, and returns matplotlib axes. `events` has those of the fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.data.table import Table
from groundswell.evaluate.contagion import Contagion
from groundswell.evaluate.super_thinning import SuperThinned
from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EVENT, ADDED = style.POSTERIOR, style.SERIES[1]
"""Events that were kept, and points that were laid over."""

ROWS = 24
"""Places drawn one by one; of more, those with the most points."""


@style.styled
def transformed_times(table: Table, *, axes: Axes | None = None, words: Speaker | None = None) -> Axes:
    """Events recorded less events expected, against transformed time; a right model stays in the band.

    table : of `counts_in_band`. The difference is drawn, since the count itself hugs the diagonal whatever is wrong.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.0)
    names = ("tau", "count", "expected", "low", "high")
    tau, count, line, low, high = (np.asarray(table[name], dtype=float) for name in names)
    label = words.say("figure-right-model")
    axes.fill_between(tau, low - line, high - line, color=style.WASH, linewidth=0, label=label)
    axes.axhline(0, color=style.SOFT, linewidth=0.8)
    # just before and just after each event
    steps = np.column_stack([count - 1 - line, count - line]).ravel()
    axes.plot(np.repeat(tau, 2), steps, color=style.POSTERIOR, linewidth=1.2)
    axes.set_xlim(0, max(float(tau[-1]), 1e-9))
    axes.set_xlabel(words.say("figure-transformed"))
    axes.set_ylabel(words.say("figure-more-than-expected"))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
    axes.grid(axis="y")
    return axes


@style.styled
def waits(table: Table, *, axes: Axes | None = None, words: Speaker | None = None) -> Axes:
    """Waiting times in transformed time as a PP plot: above the diagonal short waits are too few, below too many.

    table : of `waits_in_band`.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.6, 3.8)
    share, seen, low, high = (np.asarray(table[name], dtype=float) for name in ("share", "observed", "low", "high"))
    label = words.say("figure-right-model")
    axes.fill_between(share, low, high, color=style.WASH, linewidth=0, label=label)
    axes.plot([0, 1], [0, 1], color=style.SOFT, linewidth=0.8)
    axes.plot(share, seen, color=style.POSTERIOR, linewidth=1.6)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    axes.set_xlabel(words.say("figure-waits-expected"))
    axes.set_ylabel(words.say("figure-waits-seen"))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
    return axes


@style.styled
def residual_points(thinned: SuperThinned, *, words: Speaker | None = None) -> Axes:
    """Super-thinned points: in time by place, or over the plane and along time. Even if the model is right."""
    words = words or Speaker()
    if thinned.plane:
        return _over_plane(thinned, words)
    counts = np.bincount(thinned.points.place, minlength=len(thinned.setting.places))
    expected = thinned.expected.reshape(len(counts), -1).sum(axis=1)
    shown = np.argsort(-expected, kind="stable")[:ROWS]
    axes = style.panel(0.9 + 0.22 * max(len(shown), 4))
    names = [thinned.setting.places.name[place] for place in shown]
    for row, place in enumerate(shown):
        mine = thinned.points.place == place
        _ticks(axes, thinned.points.time_days[mine], thinned.added[mine], float(row))
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    for row, place in enumerate(shown):
        axes.annotate(
            words.say("figure-points-of", points=int(counts[place]), expected=float(expected[place])),
            (1.0, row), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=7, color=style.SOFT,
        )  # fmt: skip
    _along_time(axes, thinned, words)
    return axes


def _over_plane(thinned: SuperThinned, words: Speaker) -> Axes:
    region = thinned.setting.region
    assert region is not None
    corners = np.concatenate(region.rings)
    wide = corners.max(axis=0) - corners.min(axis=0)
    tall = float(np.clip(style.WIDTH * 0.9 * wide[1] / wide[0], 2.0, 5.5))
    above, below = style.panels(2, 1, height=tall + 1.2)[:, 0]
    above.figure.get_layout_engine().set(h_pad=0.02)  # type: ignore[union-attr]
    grid = above.get_subplotspec().get_gridspec()  # type: ignore[union-attr]
    grid.set_height_ratios([tall, 0.9])
    for ring in (ring for tile in (region.tiles or (region,)) for ring in tile.rings):
        closed = np.vstack([ring, ring[:1]])
        above.plot(closed[:, 0], closed[:, 1], color=style.LINE, linewidth=0.8)
    x, y = (np.asarray(each, dtype=float) for each in (thinned.points.x_km, thinned.points.y_km))
    for added, colour, marker in ((True, ADDED, "x"), (False, EVENT, "o")):
        mine = thinned.added == added
        above.scatter(x[mine], y[mine], s=9, c=colour, marker=marker, linewidth=0.8)
    above.set_aspect("equal")
    above.set_axis_off()
    _ticks(below, thinned.points.time_days, thinned.added, 0.0)
    below.set_ylim(-0.5, 0.5)
    below.set_yticks([])
    _along_time(below, thinned, words)
    return above


def _ticks(axes: Axes, days: np.ndarray, added: np.ndarray, row: float) -> None:
    for which, colour in ((False, EVENT), (True, ADDED)):
        axes.vlines(days[added == which], row - 0.36, row + 0.36, color=colour, linewidth=0.9)


def _along_time(axes: Axes, thinned: SuperThinned, words: Speaker) -> None:
    from matplotlib.lines import Line2D

    axes.set_xlim(0, thinned.setting.window.days)
    axes.set_xlabel(words.say("figure-days-since", date=thinned.setting.window.start.isoformat()))
    keys = [Line2D([], [], color=colour, linewidth=2) for colour in (EVENT, ADDED)]
    labels = [words.say("figure-kept-events"), words.say("figure-added-points")]
    axes.legend(keys, labels, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)


@style.styled
def ripley(table: Table, *, axes: Axes | None = None, words: Speaker | None = None) -> Axes:
    """Neighbours of residual points beyond those of evenly spread ones, by distance, with the band over all distances.

    table : `Homogeneity.ripley`.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(2.8)
    km, excess, low, high = (np.asarray(table[name], dtype=float) for name in ("radius_km", "excess", "low", "high"))
    label = words.say("figure-right-model")
    axes.fill_between(km, low, high, color=style.WASH, linewidth=0, label=label)
    axes.axhline(0, color=style.SOFT, linewidth=0.8)
    axes.plot(km, excess, color=style.POSTERIOR)
    axes.set_xlim(0, float(km[-1]))
    axes.set_xlabel(words.say("figure-apart-km"))
    axes.set_ylabel(words.say("figure-excess-neighbours"))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
    axes.grid(axis="y")
    return axes


@style.styled
def curve(table: Table, *, across: str, up: str, axes: Axes | None = None) -> Axes:
    """A curve read off a fit with its pointwise band. table : of `curve_band`; across, up : what the axes say."""
    axes = axes if axes is not None else style.panel(2.7, 0.6 * style.WIDTH)
    at, middle, low, high = (np.asarray(table[name], dtype=float) for name in ("at", "estimate", "low", "high"))
    axes.fill_between(at, low, high, color=style.POSTERIOR, alpha=0.22, linewidth=0)
    axes.plot(at, middle, color=style.POSTERIOR)
    axes.set_xlim(float(at[0]), float(at[-1]))
    axes.set_ylim(bottom=0)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid()
    return axes


@style.styled
def weights(found: Contagion, *, axes: Axes | None = None, words: Speaker | None = None) -> Axes:
    """How probable each candidate is, given the record: contagion against a background that moves."""
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(1.9)
    names = [words.say(f"figure-candidate-{name.replace(' ', '-')}") for name in found.table["candidate"]]
    shares = np.asarray(found.table["weight"], dtype=float)
    triggers = np.array([False, False, True, True])
    rows = np.arange(len(names))
    axes.barh(rows, shares, height=0.62, color=np.where(triggers, style.POSTERIOR, style.PRIOR), linewidth=0)
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(_percent)
    axes.set_xlabel(words.say("figure-candidate-weight"))
    axes.grid(axis="x")
    return axes


def _percent(value: float, _: Any = None) -> str:
    return f"{100 * value:.0f} %"
