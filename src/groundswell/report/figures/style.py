"""One look for every picture: colours, type, axes, scales, and how numbers and days are written.

Nothing here reads or leaves global state: figures are made without pyplot, and `styled` puts the
settings in force only while a picture is drawn.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ParamSpec, TypeVar

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from groundswell.errors import UsageError

WIDTH = 7.9
"""Inches of a full-width picture: shown 760 pixels wide, 9 points are 12 pixels."""

INK, QUIET, RULE = "#26262e", "#666672", "#d9d9de"
PRIOR, POSTERIOR = "#bdbdc4", "#6a6f8c"
STANCE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, told apart in the common forms of colour blindness; by order of the stances."""

STANCE_MARKERS = ("o", "s", "D", "p", "h", "P", "X")
"""A second sign beside colour, for print in grey."""

SMALL, NORMAL = 8.0, 9.0
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans", "font.size": NORMAL, "text.color": INK, "axes.labelcolor": INK,
    "axes.labelsize": NORMAL, "axes.edgecolor": QUIET, "axes.linewidth": 0.7, "xtick.color": QUIET,
    "ytick.color": QUIET, "xtick.labelcolor": INK, "ytick.labelcolor": INK, "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL, "xtick.major.width": 0.7, "ytick.major.width": 0.7, "legend.fontsize": SMALL,
    "legend.frameon": False, "hatch.linewidth": 0.6, "svg.fonttype": "none",
}  # fmt: skip

P, R = ParamSpec("P"), TypeVar("R")


def plain_number(value: float) -> str:
    """A number in digits that every language reads: thousands apart by a thin space, three figures below 100."""
    if abs(value) >= 100 or value == round(value):
        return f"{round(value):,}".replace(",", "\u2009").replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


@dataclass(frozen=True)
class Writing:
    """How a picture writes numbers and days; a report passes its language's own."""

    number: Callable[[float], str] = plain_number
    day: Callable[[date], str] = date.isoformat


PLAIN = Writing()


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw under this module's settings, whatever the user's own are; they are put back after."""

    @functools.wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.style.context(STYLE, after_reset=True):
            return draw(*args, **kwargs)

    return inside


def new_figure(width: float = WIDTH, height: float = 4.0) -> Figure:
    """An empty figure in inches that lays itself out, outside pyplot."""
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


@styled
def new_axes(width: float = WIDTH, height: float = 4.0) -> Axes:
    """Axes of a figure of their own."""
    return new_figure(width, height).add_subplot()


def frame(axes: Axes, *, left: bool = True) -> None:
    """Thin axes on two sides, or below only."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["left"].set_visible(left)
    axes.tick_params(left=left, labelleft=left, labelfontfamily="DejaVu Sans")
    axes.set_axisbelow(True)


def say(labels: Mapping[str, str], *keys: str) -> str:
    """The caller's words for the first key; UsageError names every one that is missing."""
    if missing := [key for key in keys if key not in labels]:
        raise UsageError(
            f"labels has no {', '.join(map(repr, missing))}; given: {', '.join(labels) or 'none'}. "
            "Pictures hold no words of their own: pass one from the catalogue."
        )
    return labels[keys[0]]


def named(labels: Mapping[str, str], kind: str, name: str) -> str:
    """The caller's words for a name of the data, as in "stance-state"; else the name itself."""
    return labels.get(f"{kind}-{name}", name.replace("_", " "))


def colours(stances: Sequence[str]) -> dict[str, str]:
    """A colour for each stance, by its place in the order given."""
    return {stance: STANCE_COLOURS[i % len(STANCE_COLOURS)] for i, stance in enumerate(stances)}


def markers(stances: Sequence[str]) -> dict[str, str]:
    """A marker for each stance, by its place in the order given."""
    return {stance: STANCE_MARKERS[i % len(STANCE_MARKERS)] for i, stance in enumerate(stances)}


def legend_above(axes: Axes, handles: Sequence[Any], **options: Any) -> None:
    """A legend over the axes, flush left, in as many columns as fit their width."""
    if not handles:
        return
    for columns in range(len(handles), 0, -1):
        legend = axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0, ncols=columns,
            columnspacing=1.6, handletextpad=0.6, handlelength=1.6, **options,
        )  # fmt: skip
        axes.figure.draw_without_rendering()  # type: ignore[union-attr]
        if legend.get_window_extent().width <= axes.get_window_extent().width:
            return


def day_axis(axes: Axes, days: Iterable[float], write: Writing) -> None:
    """Ticks on whole days, weeks, months or years of an x axis in proleptic ordinals (date.toordinal())."""
    low, high = axes.get_xlim()
    first, last = math.ceil(min(days, default=low)), math.floor(high)
    ticks = _days(first, last, most=7 if axes.get_position().width > 0.4 else 3)
    axes.set_xticks(ticks, [write.day(date.fromordinal(tick)) for tick in ticks])


def _days(first: int, last: int, most: int) -> list[int]:
    span = last - first
    for step in (1, 2, 7, 14):
        if span / step < most:
            return list(range(first, last + 1, step))
    start = date.fromordinal(first)
    months = start.year * 12 + start.month - 1 + (start.day > 1)
    for step in (1, 2, 3, 6, 12, 24, 60, 120):
        begin = -(-months // step) * step
        found = [date(m // 12, m % 12 + 1, 1).toordinal() for m in range(begin, begin + (most + 1) * step, step)]
        found = [day for day in found if day <= last]
        if len(found) <= most:
            return found
    return [first]


def ordinals(dates: Sequence[date | str]) -> np.ndarray:
    """(T,) days as proleptic ordinals, from dates or ISO text."""
    return np.array([_as_date(day).toordinal() for day in dates], dtype=float)


def _as_date(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day


def window_text(start: date | str, end: date | str, write: Writing) -> str:
    """One day, or the first and the last."""
    first, last = _as_date(start), _as_date(end)
    return write.day(first) if last - first < timedelta(days=1) else f"{write.day(first)} – {write.day(last)}"


def half_log(values: Any) -> np.ndarray:
    """log(v + 1/2), the scale on which claims are weighed: 0 has a place on it."""
    return np.log(np.maximum(np.asarray(values, dtype=float), -0.49) + 0.5)


def count_scale(axes: Axes, which: str, low: float, high: float, write: Writing) -> None:
    """The scale log(v + 1/2) from low to high on axis "x" or "y", with round ticks."""
    functions = (half_log, lambda position: np.exp(position) - 0.5)
    set_scale, set_limits, set_ticks = (
        getattr(axes, f"set_{which}{what}") for what in ("scale", "lim", "ticks")
    )  # fmt: skip
    set_scale("function", functions=functions)
    set_limits(low, high)
    ticks = count_ticks(low, high)
    set_ticks(ticks, [write.number(tick) for tick in ticks], minor=False)


def count_ticks(low: float, high: float) -> list[float]:
    """Round values from low to high for a scale of log(v + 1/2), 0 among them where it is in reach."""
    decades = (math.log(high + 0.5) - math.log(max(low, -0.4) + 0.5)) / math.log(10)
    steps = (1, 2, 5) if decades < 2 else (1, 3) if decades < 4.2 else (1,)
    ticks = [step * 10.0**power for power in range(0, 13) for step in steps]
    return [tick for tick in [0.0, *ticks] if low <= tick <= high]


def factor_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Powers of 2 (of 10 where the range is wide) with their signs ÷4, ÷2, 1, ×2, ×4."""
    reach = max(abs(math.log2(low)), abs(math.log2(high)))
    base = (2, 3) if reach <= 4 else (3, 10) if reach <= 7 else (10, 100)
    steps = sorted({*(base[0] ** k for k in range(1, 5)), *base[1:]} if base == (2, 3) else {3, 10, 30, 100, 1000})
    steps = [step for step in steps if base != (2, 3) or step != 3]
    signs = [(1 / s, f"÷{s}") for s in reversed(steps)] + [(1.0, "1")] + [(float(s), f"×{s}") for s in steps]
    return [(value, sign) for value, sign in signs if low <= value <= high]
