"""A country with its places as circles, once or at several dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES = 8
"""Classes of circles by the root of the population."""

GAP = 1.25
"""Least distance of two labels, in lines of text."""


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
    if names:
        _name(axes, x, y, v, size, names, named)
    if key:
        bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.45, aspect=18, pad=0.02, label=label)
        bar.outline.set_visible(False)  # type: ignore[operator]
        bar.ax.tick_params(labelsize=8, length=0)
        if percent:
            bar.ax.yaxis.set_major_formatter(_percent)
        else:
            style.plain_counts(bar.ax.yaxis)
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
            rings, longitude, latitude, values[:, k], names=names, population=population, title=titles[k],
            named=named, highest=highest, axes=axes, key=False, scale=0.35,
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
            x[here], y[here], s=scale * (6 + 130 * (k / SIZES) ** 1.6 - 130 / SIZES**1.6), c=v[here],
            cmap=colour_scale(), norm=Normalize(0, top), edgecolor="white", linewidth=0.4 * scale, zorder=3,
        )  # fmt: skip
    return drawn


def colour_scale() -> Any:
    """Pale to dark blue-green: even in lightness, so it survives grey print and colour blindness."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("tide", ["#dfe5ea", "#a9c6d3", "#5f9fb8", "#21577a", "#0b2a45"])


def _percent(value: float, _: object = None) -> str:
    return f"{100 * value:.0f} %"


def _name(
    axes: Axes, x: np.ndarray, y: np.ndarray, v: np.ndarray, size: np.ndarray, names: Sequence[str], most: int
) -> None:
    """Names of the highest values, to the right or left of the circle, where they hide no other name."""
    figure = axes.figure
    figure.draw_without_rendering()  # type: ignore[union-attr]
    renderer = figure._get_renderer()  # type: ignore[union-attr]
    frame = axes.get_window_extent(renderer)
    taken: list[Any] = []
    for i in np.lexsort((-size, -np.round(v, 2)))[: 3 * most]:
        if len(taken) >= most or v[i] <= 0:
            break
        for offset, side in (((6, 0), "left"), ((-6, 0), "right"), ((0, 8), "center"), ((0, -8), "center")):
            text = axes.annotate(
                str(names[i]), (x[i], y[i]), xytext=offset, textcoords="offset points", ha=side, va="center",
                fontsize=7, color=style.INK, zorder=5,
            )  # fmt: skip
            text.set_path_effects(_halo())
            box = text.get_window_extent(renderer).expanded(1.02, GAP)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def _halo() -> list[Any]:
    from matplotlib.patheffects import Normal, Stroke

    return [Stroke(linewidth=1.8, foreground="white"), Normal()]
