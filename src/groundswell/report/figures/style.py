"""The common look of pictures by day, by place and by model: sizes, inks, and colours that survive grey print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

P = ParamSpec("P")
T = TypeVar("T")

INK = "#1d2530"
SOFT = "#5b6675"
LINE = "#d9dee5"
WASH = "#eef1f4"
PRIOR = "#c3cad3"
PRIOR_BANDS = ("#eef0f3", "#e0e4e9", "#d3d9e0")
"""From the widest band inwards; solid, so that a prior fan never darkens what lies on it."""
POSTERIOR = "#21577a"

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5d6470")
"""Okabe and Ito (2008), Color universal design; without the yellow and black, plus a grey."""
STATES = {
    "empty": "#f3f5f7", "quiet": "#8fc3e0", "active": "#d55e00", "jailed": "#5d6470", "officer": "#10151b",
    "out": "#8fc3e0", "joined": "#d55e00", "first-quiet": "#8fc3e0", "first-active": "#00588c",
    "second-quiet": "#f3c98b", "second-active": "#d55e00",
}  # fmt: skip
"""What a cell of a grid holds; of different lightness, so that grey print tells them apart as well."""
MARKERS = ("o", "s", "D", "p", "h", "P", "X")
"""No triangles: arrows beside a marker tell a bound."""

WIDTH = 7.2
"""Inches; a page is set for pictures of this width, with text of 8 to 9 points."""

SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """The function, run in the common style whatever the user's own settings are."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> T:
        import matplotlib

        with matplotlib.rc_context(SETTINGS):
            return draw(*args, **kwargs)

    return inside


@styled
def panels(rows: int = 1, columns: int = 1, *, height: float = 3.4, width: float = WIDTH) -> np.ndarray:
    """(rows, columns) empty axes of a new figure; no window, no global state."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained").subplots(rows, columns, squeeze=False)
    for axes in made.flat:  # ticks are made when the picture is drawn, outside the common style
        axes.tick_params(which="both", labelsize=8, color=SOFT, labelcolor=INK, width=0.7, length=3)
    return made


def panel(height: float = 3.4, width: float = WIDTH) -> Axes:
    """One empty axes of a new figure."""
    return panels(height=height, width=width)[0, 0]


def colours(labels: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Label to (colour, marker), the same for the same set of labels whatever their order.

    By the alphabet: no colour is tied to a side. The marker tells labels apart where colour cannot.
    """
    ordered = sorted(set(labels))
    return {label: (SERIES[i % len(SERIES)], MARKERS[i % len(MARKERS)]) for i, label in enumerate(ordered)}


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> np.ndarray:
    """Positions nearest to `wanted` (least squares) at least `gap` apart inside [low, high], same order.

    If they do not fit, they are set evenly over the range. Pool adjacent violators: after subtracting
    i gap from the i-th, the best positions are the isotonic regression of what was wanted.
    """
    order = np.argsort(wanted, kind="stable")
    count = len(order)
    if count == 0:
        return np.zeros(0)
    if gap * (count - 1) >= high - low:
        placed = np.linspace(low, high, count)
    else:
        target = np.array(wanted, dtype=float)[order] - gap * np.arange(count)
        blocks: list[tuple[float, int]] = []
        for value in target:
            blocks.append((float(value), 1))
            while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
                (a, n), (b, m) = blocks[-2:]
                blocks[-2:] = [((a * n + b * m) / (n + m), n + m)]
        level = np.repeat([value for value, _ in blocks], [n for _, n in blocks])
        placed = np.clip(level, low, high - gap * (count - 1)) + gap * np.arange(count)
    out = np.empty(count)
    out[order] = placed
    return out


def days_axis(axes: Axes, dates: Sequence[date], language: str = "en") -> None:
    """Dates along the bottom, a few, in the language's own words; the year only where years pass."""
    from babel.dates import format_date
    from matplotlib.dates import AutoDateLocator, num2date
    from matplotlib.ticker import FuncFormatter

    length = (max(dates) - min(dates)).days if len(dates) else 0
    pattern = "d MMM" if length < 300 else "MMM y" if length < 1500 else "y"
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: format_date(num2date(x), pattern, locale=language)))
    if len(dates):
        first, last = (datetime.combine(day, time()) for day in (min(dates), max(dates)))
        margin = timedelta(days=0.012 * length if length else 0.5)
        axes.set_xlim(first - (timedelta() if length else margin), last + margin)  # type: ignore[arg-type]


def plain_counts(axis: Any, language: str = "en") -> None:
    """Ticks written out with thousands grouped (20,000), millions in words, never in powers of ten."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: count_words(value, language)))


def count_words(value: float, language: str = "en") -> str:
    """20,000 or 1.5 million: a tick has little room."""
    from babel.numbers import format_compact_decimal

    if abs(value) >= 1e6:
        return format_compact_decimal(value, format_type="long", locale=language, fraction_digits=1).replace("-", "−")
    return f"{value:,.10g}".replace("-", "−")


FAMILIES = ((2, 5), (3,), (2,), (5,), (1.5, 7))
"""Ticks between those of the decades, the most welcome first: all of a family or none, so that an axis is even."""
LETTER, APART = 4.7, 5.0
"""Points that a letter of a tick takes, and that lie free between two ticks."""


def log_counts(axes: Axes, low: float, high: float, *, room: float, language: str = "en") -> None:
    """Make the x axis one of logs with round ticks from low to high, as many as find room, the roundest first.

    room : inches between low and high. Set the limits of the axis afterwards.
    """
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    axes.set_xscale("log")
    plain_counts(axes.xaxis, language)
    inches = room * 72 / max(float(np.log(high / low)), 1e-9)
    found: list[float] = []

    def add(ticks: Iterable[float]) -> bool:
        """All of these, if they find room."""
        inside = [tick for tick in ticks if tick > 0 and low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        every = np.array(sorted({*found, *inside}))
        wide = np.array([len(count_words(tick, language)) * LETTER for tick in every.tolist()])
        fit = bool((np.diff(np.log(every)) * inches >= (wide[1:] + wide[:-1]) / 2 + APART).all())
        if fit:
            found[:] = every.tolist()
        return fit

    powers = np.arange(-4, 13)
    any(add((10.0 ** powers[powers % every == 0]).tolist()) for every in (1, 2, 3, 4))
    for family in FAMILIES:
        add(np.outer(family, 10.0**powers).ravel().tolist())
    for count in (2, 3, 4, 5):
        if len(found) < 2:
            for tick in np.asarray(MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high)).tolist():
                add([tick])
    axes.xaxis.set_major_locator(FixedLocator(found))
    axes.xaxis.set_minor_locator(NullLocator())


def beside(axes: Axes, points: Sequence[tuple[float, float]], *, size: float = 6.0) -> np.ndarray:
    """(N,) points by which each marker stands aside, so that markers of `size` do not hide each other.

    points : in data coordinates; call it when the limits and scales stand.
    """
    at = axes.transData.transform(np.asarray(points, dtype=float).reshape(-1, 2)) * 72 / axes.figure.dpi  # type: ignore[union-attr]
    aside = np.zeros(len(at))
    left = list(range(len(at)))
    while left:
        heap = [left.pop(0)]
        for other in list(left):
            if any(np.abs(at[other] - at[one]).max() < size for one in heap):
                heap.append(other)
                left.remove(other)
        aside[heap] = size * (np.arange(len(heap)) - (len(heap) - 1) / 2)
    return aside


def factors_axis(axis: Any) -> None:
    """A logarithmic axis of factors: ×2 is twice, ÷2 half."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    axis.axes.set_xscale("log", base=2)
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"×{v:g}" if v >= 1 else f"÷{1 / v:g}"))
    axis.set_minor_locator(NullLocator())
