"""A country with its places as circles, once or at several dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.figures.placing import Label, place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES = 8
"""Classes of circles by the root of the population."""

SMALL = 0.35
"""Of the circles' area, on maps side by side."""


@style.styled
def country_map(
    rings: Sequence[np.ndarray],
    longitude: Sequence[float],
    latitude: Sequence[float],
    values: Sequence[float] | np.ndarray,
    *,
    names: Sequence[str] = (),
    population: Sequence[float] | None = None,
    label: str = "",
    title: str = "",
    named: int = 8,
    highest: float | None = None,
    percent: bool = False,
    axes: Axes | None = None,
    key: bool = True,
    scale: float = 1.0,
) -> Axes:
    """Places as circles on the outline: colour by value, area by population, the highest values named.

    rings : (n, 2) arrays of longitude, latitude, as `gazetteer.outline` gives them. values : (P,). named :
    how many places get their name: of the highest values, larger places first where values tie; a name
    that would hide another is left out. highest : upper end of the colours, for maps that share them. scale : of
    the circles' area. key : whether a bar tells the colours.
    The projection keeps the shape at the country's middle latitude.
    """
    shape = style.WIDTH * 0.72
    axes = axes if axes is not None else style.panel(shape)
    x, y, v = (np.asarray(column, dtype=float) for column in (longitude, latitude, values))
    for ring in rings:
        axes.fill(ring[:, 0], ring[:, 1], facecolor=style.WASH, edgecolor=style.SOFT, linewidth=0.6)
    size = np.asarray(population, dtype=float) if population is not None else np.ones(len(x))
    top = highest if highest is not None else max(float(v.max(initial=0)), 1e-9)
    drawn = _circles(axes, x, y, v, size, top, scale)
    points = np.concatenate([*rings, np.column_stack([x, y])]) if len(rings) else np.column_stack([x, y])
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    pad = 0.03 * max(east - west, north - south, 0.5)
    axes.set_xlim(west - pad, east + pad)
    axes.set_ylim(south - pad, north + pad)
    axes.set_aspect(1 / np.cos(np.radians((south + north) / 2)))
    axes.set_axis_off()
    axes.set_title(title)
    if key:
        bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.45, aspect=18, pad=0.02, label=label)
        bar.outline.set_visible(False)  # type: ignore[operator]
        bar.ax.tick_params(labelsize=8, length=0)
        if percent:
            bar.ax.yaxis.set_major_formatter(_percent)
        else:
            style.plain_counts(bar.ax.yaxis)
    if names:
        _name(axes, x, y, v, size, names, named, scale)
    return axes


@style.styled
def country_maps(
    rings: Sequence[np.ndarray],
    longitude: Sequence[float],
    latitude: Sequence[float],
    values: np.ndarray,
    titles: Sequence[str],
    *,
    names: Sequence[str] = (),
    population: Sequence[float] | None = None,
    label: str = "",
    named: int = 4,
    columns: int = 3,
    percent: bool = False,
) -> Axes:
    """The same map at several dates. values : (P, K), titles : K, colours shared. Returns the last axes."""
    count = len(titles)
    columns = min(columns, count)
    rows = -(-count // columns)
    each = style.WIDTH / columns
    grid = style.panels(rows, columns, height=rows * each * 0.92 + 0.5)
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    highest = max(float(np.max(values)), 1e-9)
    for k, axes in enumerate(grid.flat[:count]):
        country_map(
            rings, longitude, latitude, values[:, k], population=population, title=titles[k], highest=highest,
            axes=axes, key=False, scale=SMALL,
        )  # fmt: skip
    last = grid.flat[count - 1]
    bar = last.figure.colorbar(
        last.collections[-1], ax=list(grid.flat), location="bottom", shrink=0.4, aspect=30, pad=0.02, label=label
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=0)
    if percent:
        bar.ax.xaxis.set_major_formatter(_percent)
    else:
        style.plain_counts(bar.ax.xaxis)
    if names:
        size = np.asarray(population, dtype=float) if population is not None else np.ones(len(values))
        x, y = np.asarray(longitude, dtype=float), np.asarray(latitude, dtype=float)
        for k, axes in enumerate(grid.flat[:count]):
            _name(axes, x, y, values[:, k], size, names, named, SMALL)
    return last


def _circles(
    axes: Axes, x: np.ndarray, y: np.ndarray, v: np.ndarray, size: np.ndarray, top: float, scale: float
) -> Any:
    """Large places first, in SIZES classes of area: one outline a class keeps the picture's text short."""
    from matplotlib.colors import Normalize

    step = np.ceil(SIZES * (size / size.max()) ** 0.5).astype(int)
    drawn = None
    for k in range(SIZES, 0, -1):
        here = np.flatnonzero(step == k)
        here = here[np.argsort(v[here], kind="stable")]
        drawn = axes.scatter(
            x[here], y[here], s=scale * _area(size)[here], c=v[here],
            cmap=colour_scale(), norm=Normalize(0, top), edgecolor="white", linewidth=0.4 * scale, zorder=3,
        )  # fmt: skip
    return drawn


def colour_scale() -> Any:
    """Pale to dark blue-green: even in lightness, so it survives grey print and colour blindness."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("tide", ["#dfe5ea", "#a9c6d3", "#5f9fb8", "#21577a", "#0b2a45"])


def _percent(value: float, _: object = None) -> str:
    return f"{100 * value:.0f} %"


def _area(size: np.ndarray) -> np.ndarray:
    """Area of each circle in square points, by class."""
    step = np.ceil(SIZES * (size / size.max()) ** 0.5)
    return 6 + 130 * (step / SIZES) ** 1.6 - 130 / SIZES**1.6


def _name(
    axes: Axes, x: np.ndarray, y: np.ndarray, v: np.ndarray, size: np.ndarray, names: Sequence[str], most: int,
    scale: float,
) -> None:  # fmt: skip
    """Names of the highest values; of equal ones (to a hundredth) the larger places."""
    radius = np.sqrt(scale * _area(size) / np.pi)
    order = [int(i) for i in np.lexsort((-size, -np.round(v, 2)))[: 3 * most] if v[i] > 0]
    labels = [Label(str(names[i]), float(x[i]), float(y[i]), float(radius[i])) for i in order]
    place_labels(axes, labels, most=most, avoid=[(float(x[i]), float(y[i]), float(radius[i])) for i in order])
