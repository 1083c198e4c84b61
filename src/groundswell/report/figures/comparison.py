"""Pictures of a comparison: where and when, what the model makes of it, forecasts as they came, skill.

Each function returns matplotlib axes. Words come from the speaker's catalogue; colours are those of
Okabe and Ito (2008), which survive colour blindness, and every series differs in form as well.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from groundswell.report.figures.placing import Label, place_labels
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, SOFT, LINE, WASH, PALE = "#1d2530", "#5b6675", "#d9dee5", "#eef1f4", "#b9c1cb"
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
BAND_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a fan: two bands and the median."""

WIDTH = 7.6
SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
}

P = ParamSpec("P")
R = TypeVar("R")
Fan = tuple[Sequence[date], Mapping[float, Sequence[float]]]
"""Target dates, and the quantiles of BAND_LEVELS on each of them."""


def _styled(draw: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib

        with matplotlib.rc_context(SETTINGS):
            return draw(*args, **kwargs)

    return inside


@_styled
def places_map(
    rings: Sequence[np.ndarray],
    longitude: np.ndarray,
    latitude: np.ndarray,
    values: np.ndarray,
    names: Sequence[str],
    *,
    named: int = 6,
) -> Axes:
    """Places as dots whose area grows with their value, on country outlines; the largest are named.

    A name that would hide another is left out, and the next largest place gets its turn.
    rings : (M, 2) longitude and latitude. The scale keeps shapes at the middle latitude; a place alone is shown in the
    outlines around it.
    """
    axes = _panel(4.6)
    for ring in rings:
        axes.fill(ring[:, 0], ring[:, 1], facecolor=WASH, edgecolor=PALE, linewidth=0.5)
    area = 5 + 160 * values / max(float(values.max(initial=0.0)), 1.0)
    order = np.argsort(-values, kind="stable")
    axes.scatter(
        longitude[order], latitude[order], s=area[order], color=SERIES[0], alpha=0.55,
        edgecolor="white", linewidth=0.4, zorder=3,
    )  # fmt: skip
    around = [ring for ring in rings if len(longitude) == 1 and _boxed(ring, longitude[0], latitude[0])]
    shown = np.vstack([np.column_stack([longitude, latitude]), *around])
    (west, south), (east, north) = shown.min(axis=0), shown.max(axis=0)
    pad = 0.06 * max(east - west, north - south, 1.0)
    axes.set_xlim(west - pad, east + pad)
    axes.set_ylim(south - pad, north + pad)
    axes.set_aspect(1 / max(np.cos(np.radians((south + north) / 2)), 0.1))
    axes.set_axis_off()
    radius = np.sqrt(area) / 2
    labels = [
        Label(f"{names[i]} {values[i]:,.0f}", float(longitude[i]), float(latitude[i]), float(radius[i]))
        for i in order[: 3 * named] if values[i] > 0
    ]  # fmt: skip
    place_labels(axes, labels, most=named, avoid=np.column_stack([longitude, latitude, radius]).tolist())
    return axes


def _boxed(ring: np.ndarray, east: float, north: float) -> bool:
    """Whether a position lies in the box of an outline."""
    return bool((ring.min(axis=0) <= (east, north)).all() and (ring.max(axis=0) >= (east, north)).all())


@_styled
def record(dates: Sequence[date], observed: np.ndarray, first_forecast: date, *, words: Speaker) -> Axes:
    """Recorded events by step; what lies before the first forecast is grey."""
    axes = _panel(2.4)
    width = 0.95 * (dates[1] - dates[0]).days if len(dates) > 1 else 0.95
    before = np.array([day < first_forecast for day in dates])
    for chosen, colour in ((before, PALE), (~before, SERIES[0])):
        when = [day for day, mine in zip(dates, chosen, strict=True) if mine]
        axes.bar(_numbers(when), observed[chosen], width=width, color=colour, align="edge", linewidth=0)
    return _by_date(axes, dates, words)


@_styled
def parts(
    dates: Sequence[date], shares: Mapping[str, Sequence[float]], observed: Sequence[float], *, words: Speaker
) -> Axes:
    """Expected events by part, stacked in the order given, with what was recorded as a line."""
    axes = _panel(2.8)
    axes.stackplot(
        _numbers(dates), *[np.asarray(values, dtype=float) for values in shares.values()],
        labels=[words.say(f"part-{name}") if words.knows(f"part-{name}") else name for name in shares],
        colors=[SERIES[i % len(SERIES)] for i in range(len(shares))], alpha=0.75, linewidth=0,
    )  # fmt: skip
    axes.plot(_numbers(dates), observed, color=INK, linewidth=0.9, label=words.say("figure-observed"))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(shares) + 1)
    return _by_date(axes, dates, words)


@_styled
def rolling_fans(dates: Sequence[date], observed: np.ndarray, fans: Sequence[Fan], *, words: Speaker) -> Axes:
    """One fan from each origin, over what was recorded."""
    axes = _panel(3.0)
    for targets, bands in fans:
        # a fan of one date has no width: it is drawn half a step to either side
        at = _numbers(targets)
        levels = {level: np.asarray(bands[level], dtype=float) for level in BAND_LEVELS}
        if len(at) == 1:
            at = np.array([at[0] - 0.4, at[0] + 0.4])
            levels = {level: np.repeat(values, 2) for level, values in levels.items()}
        axes.fill_between(at, levels[0.05], levels[0.95], color=SERIES[0], alpha=0.2, linewidth=0)
        axes.fill_between(at, levels[0.25], levels[0.75], color=SERIES[0], alpha=0.3, linewidth=0)
        axes.plot(at, levels[0.5], color=SERIES[0], linewidth=0.9)
    size = 3.5 if len(dates) < 200 else 1.5
    axes.plot(_numbers(dates), observed, "o", color=INK, markersize=size, label=words.say("figure-observed"), zorder=4)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
    return _by_date(axes, dates, words)


@_styled
def skill(
    values: Mapping[str, tuple[float | None, float | None, float | None]],
    reference: str,
    fitted: Sequence[str],
    *,
    words: Speaker,
) -> Axes:
    """Skill and interval by model, the given order from the top; fitted models filled, baselines hollow.

    Below -1 a model is drawn at the edge with its value beside it: how bad it is matters less than that it is.
    """
    axes = _panel(0.7 + 0.22 * len(values))
    for row, (name, (value, low, high)) in enumerate(reversed(list(values.items()))):
        if value is None:
            continue
        colour = SERIES[0] if name in fitted else SOFT
        if low is not None and high is not None:
            axes.hlines(row, max(low, -1.0), max(high, -1.0), color=colour, linewidth=1.6)
        face = colour if name in fitted else "white"
        axes.plot([max(value, -1.0)], [row], "o", color=colour, markerfacecolor=face, markersize=5, zorder=3)
        if value < -1:
            axes.annotate(f"{value:.1f}", (-1.0, row), xytext=(6, 3), textcoords="offset points", fontsize=7)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(values)), list(reversed(list(values))))
    axes.set_ylim(-0.6, len(values) - 0.4)  # a model without a skill keeps its row
    axes.set_xlim(left=max(axes.get_xlim()[0], -1.06))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_xlabel(words.say("figure-skill", reference=reference))
    return axes


def _panel(height: float) -> Axes:
    """Axes of a figure outside pyplot, so that nothing global is touched."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained").subplots()


def _numbers(dates: Sequence[date]) -> np.ndarray:
    from matplotlib.dates import date2num

    return np.asarray(date2num(list(dates)), dtype=float)


def _by_date(axes: Axes, dates: Sequence[date], words: Speaker) -> Axes:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    axes.xaxis_date()
    locator = AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    if len(dates) > 1:
        axes.set_xlim(_numbers(dates[:1])[0], _numbers(dates[-1:])[0] + (dates[-1] - dates[-2]).days)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(words.say("figure-events"))
    axes.grid(axis="y")
    return axes
