"""Labels that do not cover each other: each next to its point, or a thin line away from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text

from groundswell.report.figures.style import INK, QUIET, SMALL

PAD = 1.5
"""Points kept free around a label."""

CLOSE = 8.0
"""Points from its point to a label beyond which a line joins the two."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Label:
    """Text that belongs to a point (x, y) in data coordinates."""

    text: str
    x: float
    y: float


def place_labels(
    axes: Axes,
    labels: Sequence[Label],
    *,
    avoid: Sequence[tuple[float, float]] = (),
    bars: Sequence[tuple[float, float, float]] = (),
    size: float = SMALL,
    must: bool = True,
) -> list[Annotation]:
    """Write the labels into the axes without overlaps, most crowded to the right first.

    The limits and the layout of the axes must be final. avoid : points (markers) not to be covered.
    bars : horizontal lines (x0, x1, y) better not covered. must : a label without room nearby goes to the
    nearest free spot of the axes and is joined to its point by a line; otherwise it is left out. With
    more labels than the axes can hold the last ones take the spot of least overlap. Same input, same
    places. Cost O(labels^2 x spots).
    """
    figure: Any = axes.figure
    figure.draw_without_rendering()
    point = figure.dpi / 72
    inside = axes.get_window_extent()
    points = [tuple(axes.transData.transform((label.x, label.y))) for label in labels]
    taken: list[Box] = []
    lines: list[tuple[float, float, float, float]] = []
    dots = [_around(*axes.transData.transform(dot), 4 * point) for dot in avoid]
    rules = [_bar(axes, *bar, 2 * point) for bar in bars]
    made: list[Annotation] = []
    for i, label in enumerate(labels):
        width, height = _size(axes, label.text, size, point)
        near = _near(points[i], width, height, point)
        spots = [spot for spot in near if _within(_box(spot, width, height), inside)]
        free = [spot for spot in spots if not _hits(_box(spot, width, height), taken)]
        if not free and must:
            grid = _grid(inside, width, height)
            free = [spot for spot in grid if not _hits(_box(spot, width, height), taken)] or grid
        if not free:
            continue

        def cost(spot: tuple[float, float], i: int = i, width: float = width, height: float = height) -> float:
            box = _box(spot, width, height)
            away = math.dist(spot, points[i]) - min(width, height) / 2
            leader = (*spot, *points[i])
            return (
                away / point
                + 1000 * _hits(box, taken)
                + 60 * _hits(box, dots)
                + 25 * sum(_crosses(line, box) for line in lines)
                + 25 * sum(_crosses(leader, other) for other in taken)
                + 12 * _hits(box, rules)
            )

        spot = min(free, key=cost)
        box = _box(spot, width, height)
        gap = _gap(points[i], box) / point
        if not must and (gap > CLOSE or _hits(box, dots) > 1):
            continue
        made.append(_write(axes, label, spot, size, leader=gap > CLOSE))
        taken.append(box)
        if gap > CLOSE:
            lines.append((*spot, *points[i]))
    return made


def text_size(axes: Axes, text: str, size: float, **options: Any) -> tuple[float, float]:
    """Width and height in points of a text at a font size."""
    measured = Text(0, 0, text, fontsize=size, fontfamily="DejaVu Sans", figure=axes.figure, **options)
    extent = measured.get_window_extent(axes.figure.canvas.get_renderer())  # type: ignore[union-attr]
    return extent.width * 72 / axes.figure.dpi, extent.height * 72 / axes.figure.dpi  # type: ignore[union-attr]


def _write(axes: Axes, label: Label, spot: tuple[float, float], size: float, leader: bool) -> Annotation:
    made = axes.annotate(
        label.text, (label.x, label.y), xytext=tuple(axes.transAxes.inverted().transform(spot)),
        textcoords="axes fraction", ha="center", va="center", fontsize=size, color=INK, zorder=6,
        bbox={"boxstyle": "square,pad=0.08", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
        arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3} if leader else None,
    )  # fmt: skip
    made.set_in_layout(False)
    return made


def _size(axes: Axes, text: str, size: float, point: float) -> tuple[float, float]:
    width, height = text_size(axes, text, size)
    return (width + 2 * PAD) * point, (height + 2 * PAD) * point


def _near(at: tuple[float, float], width: float, height: float, point: float) -> list[tuple[float, float]]:
    """Centres of a box of this size around a point: rings outward, to the right and above first."""
    spots = []
    for gap in (5, 9, 14, 20, 28, 38, 50, 65, 85, 110):
        for angle in (0, 180, 45, 135, -45, -135, 90, -90, 20, 160, -20, -160):
            way = math.radians(angle)
            across, up = math.cos(way), math.sin(way)
            reach = gap * point
            spots.append((at[0] + across * (reach + width / 2), at[1] + up * (reach + height / 2)))
    return spots


def _grid(inside: Any, width: float, height: float) -> list[tuple[float, float]]:
    across = np.arange(inside.x0 + width / 2, max(inside.x1 - width / 2, inside.x0 + width / 2) + 1, width / 4)
    up = np.arange(inside.y0 + height / 2, max(inside.y1 - height / 2, inside.y0 + height / 2) + 1, height / 2)
    return [(float(x), float(y)) for x in across for y in up]


def _box(centre: tuple[float, float], width: float, height: float) -> Box:
    return centre[0] - width / 2, centre[1] - height / 2, centre[0] + width / 2, centre[1] + height / 2


def _around(x: float, y: float, reach: float) -> Box:
    return x - reach, y - reach, x + reach, y + reach


def _bar(axes: Axes, x0: float, x1: float, y: float, reach: float) -> Box:
    (left, middle), (right, _) = axes.transData.transform([(x0, y), (x1, y)])
    return left, middle - reach, right, middle + reach


def _within(box: Box, inside: Any) -> bool:
    return box[0] >= inside.x0 and box[1] >= inside.y0 and box[2] <= inside.x1 and box[3] <= inside.y1


def _hits(box: Box, others: Sequence[Box]) -> int:
    return sum(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3] for o in others)


def _gap(at: tuple[float, float], box: Box) -> float:
    return math.hypot(max(box[0] - at[0], 0, at[0] - box[2]), max(box[1] - at[1], 0, at[1] - box[3]))


def _crosses(line: tuple[float, float, float, float], box: Box) -> bool:
    """Whether a straight line passes through a box, tried at twelve points of it."""
    steps = np.linspace(0.05, 0.95, 12)
    x, y = line[0] + steps * (line[2] - line[0]), line[1] + steps * (line[3] - line[1])
    return bool(((x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])).any())
