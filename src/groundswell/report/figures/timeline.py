"""Counts by day: fans of draws, what was observed, forecasts from an origin, and shares by cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Bands = Mapping[str, Sequence[float]]
"""Quantile level ("0.05") to its values by date; levels come in pairs around the median."""


def days(dates: Sequence[date | str]) -> list[Any]:
    """Dates from dates or ISO texts."""
    return [date.fromisoformat(day) if isinstance(day, str) else day for day in dates]


def draw_bands(axes: Axes, when: Sequence[Any], bands: Bands, colour: str, label: str = "") -> None:
    """Nested quantile bands, darker towards the median, and the median as a line."""
    for i, (low, high) in enumerate(_pairs(bands)):
        axes.fill_between(when, bands[low], bands[high], color=colour, alpha=0.25 + 0.2 * i, linewidth=0)
    axes.plot(when, bands[_middle(bands)], color=colour, label=label)


def draw_prior(axes: Axes, when: Sequence[Any], bands: Bands, label: str = "") -> None:
    """The same for a prior: light greys behind everything, the median dashed."""
    for i, (low, high) in enumerate(_pairs(bands)):
        axes.fill_between(when, bands[low], bands[high], color=style.PRIOR_BANDS[min(i, 2)], linewidth=0, zorder=0.4)
    axes.plot(when, bands[_middle(bands)], color="#9aa4b1", linewidth=1, linestyle="--", label=label, zorder=0.6)


def _pairs(bands: Bands) -> list[tuple[str, str]]:
    levels = sorted(bands, key=float)
    return [(low, high) for low, high in zip(levels, reversed(levels), strict=True) if float(low) < 0.5]


def _middle(bands: Bands) -> str:
    return min(bands, key=lambda level: abs(float(level) - 0.5))


@style.styled
def fan(
    dates: Sequence[date | str],
    bands: Bands,
    *,
    prior: Bands | None = None,
    observed: Sequence[float] | None = None,
    title: str = "",
    log: bool = False,
    axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:
    """A series by day: the fan given the claims, the prior's in grey behind it, observed counts as bars.

    The prior's upper band may leave the picture: the scale is that of the posterior and the observed.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.0)
    when = days(dates)
    if observed is not None:
        axes.bar(when, observed, width=0.8, color=style.PRIOR, label=words.say("figure-observed"))
    if prior is not None:
        draw_prior(axes, when, prior, words.say("figure-prior"))
    draw_bands(axes, when, bands, style.POSTERIOR, words.say("figure-posterior"))
    top = max(float(np.max(bands[max(bands, key=float)])), max(observed) if observed is not None else 0.0, 1.0)
    if log:
        axes.set_ylim(max(min(bands[min(bands, key=float)]), 1.0) / 1.5, top * 2.5)
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, top * 1.15)
    style.days_axis(axes, when, words.language)
    style.plain_counts(axes.yaxis)
    axes.grid(axis="y")
    axes.set_title(title)
    axes.legend(loc="upper left")
    return axes


@style.styled
def forecast(
    dates: Sequence[date | str],
    observed: Sequence[float],
    forecast_dates: Sequence[date | str],
    bands: Mapping[str, Bands],
    *,
    title: str = "",
    axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:
    """Observed counts and one fan a model after the origin, side by side where there are several models.

    bands : model name to its quantile bands over `forecast_dates`. With more than one model the fans are
    drawn as intervals beside each other on each date, since overlapping fans hide one another.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.2)
    when, ahead = days(dates), days(forecast_dates)
    axes.plot(
        when, observed, color=style.INK, linewidth=1, marker=".", markersize=3, label=words.say("figure-observed")
    )
    if ahead and when:
        origin = when[-1] + (ahead[0] - when[-1]) / 2
        axes.axvline(origin, color=style.SOFT, linewidth=0.8, linestyle=(0, (3, 3)))  # type: ignore[arg-type]
    gap = 1.0
    if len(bands) == 1:
        ((name, only),) = bands.items()
        draw_bands(axes, ahead, only, style.SERIES[0], name)
    else:
        from matplotlib.dates import date2num

        numbers = date2num(ahead)
        gap = float(np.min(np.diff(numbers))) if len(ahead) > 1 else 1.0
        for i, (name, levels) in enumerate(bands.items()):
            x = numbers + gap * 0.7 * ((i + 0.5) / len(bands) - 0.5)
            order = sorted(levels, key=float)
            colour, marker = style.SERIES[i % len(style.SERIES)], style.MARKERS[i % len(style.MARKERS)]
            axes.vlines(x, levels[order[0]], levels[order[-1]], color=colour, linewidth=1)
            if len(order) >= 5:
                axes.vlines(x, levels[order[1]], levels[order[-2]], color=colour, linewidth=3, alpha=0.6)
            middle = order[len(order) // 2]
            axes.plot(x, levels[middle], marker, color=colour, markersize=3.5, label=name)
    style.days_axis(axes, [*when, *ahead], words.language)
    if len(bands) > 1 and ahead:
        axes.set_xlim(right=axes.get_xlim()[1] + 0.6 * gap)
    axes.set_ylim(bottom=0)
    style.plain_counts(axes.yaxis)
    axes.grid(axis="y")
    axes.set_title(title)
    axes.legend(loc="upper left", ncols=2)
    return axes


@style.styled
def parts(
    dates: Sequence[date | str],
    shares: Mapping[str, Sequence[float]],
    *,
    observed: Sequence[float] | None = None,
    title: str = "",
    axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:
    """Expected events by cause, stacked, in the order given, with the observed counts as a line."""
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.0)
    when = days(dates)
    axes.stackplot(
        when,
        *[np.asarray(values, dtype=float) for values in shares.values()],
        labels=list(shares),
        colors=[style.SERIES[i % len(style.SERIES)] for i in range(len(shares))],
        alpha=0.75,
        linewidth=0,
    )
    if observed is not None:
        axes.plot(when, observed, color=style.INK, linewidth=1, label=words.say("figure-observed"))
    style.days_axis(axes, when, words.language)
    axes.set_ylim(bottom=0)
    style.plain_counts(axes.yaxis)
    axes.set_title(title)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return axes
