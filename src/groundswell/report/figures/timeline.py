"""Counts by day as nested bands of quantiles, of a posterior and of a prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from groundswell.report.figures import style

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
