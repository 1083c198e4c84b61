"""Names beside circles that hide neither each other nor the circles they belong to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

ANGLES = (0, 180, 35, 145, -35, -145, 90, -90)
"""Degrees in which a name may stand from its circle, the best first: right, left, then aslant."""

GAP = 2.5
"""Points between a circle and its name."""

NEAR = 2.0
"""Points from a name within which another circle could be taken for the one that it names."""

PAD = 1.0
"""Points kept free around a name."""


@dataclass(frozen=True)
class Label:
    """A name for the circle of `radius` points at (x, y) in data coordinates."""

    text: str
    x: float
    y: float
    radius: float = 3.0


def place_labels(
    axes: Axes,
    labels: Sequence[Label],
    *,
    most: int,
    avoid: Sequence[tuple[float, float, float]] = (),
    size: float = 7.0,
) -> list[Annotation]:
    """Write up to `most` of the labels, the first ones first; what finds no room is left out.

    Call it last: what changes the size of the axes afterwards (a colour bar, a legend, limits) can push
    names together again. Two names never overlap, none leaves the axes and none hides the circle of
    another name; of the free spots the one that hides or comes near least of `avoid` is taken, (x, y, radius) in data
    coordinates and points. Same input, same places. Cost O(labels x (labels + avoid)).
    """
    from matplotlib.patheffects import Normal, Stroke

    figure: Any = axes.figure
    figure.draw_without_rendering()  # lays the figure out, so that pixels are final
    pixel, window = figure.dpi / 72, axes.get_window_extent()
    inside = np.array([window.x0, window.y0, window.x1, window.y1])
    others = _circles(axes, [(x, y, radius + NEAR) for x, y, radius in avoid], pixel)
    where = np.array([(x, y) for x, y, _ in avoid]).reshape(-1, 2)
    halo = [Stroke(linewidth=1.8, foreground="white"), Normal()]
    named = np.empty((0, 4))
    boxes = np.empty((0, 4))
    made: list[Annotation] = []
    for label in labels:
        if len(made) == most:
            break
        written = axes.annotate(
            label.text, (label.x, label.y), xytext=(0, 0), textcoords="offset points", ha="center", va="center",
            fontsize=size, color=style.INK, zorder=5, path_effects=halo,
        )  # fmt: skip
        written.set_in_layout(False)
        extent = written.get_window_extent()
        half = np.array([extent.width, extent.height]) / 2 / pixel + PAD
        own = _circles(axes, [(label.x, label.y, label.radius)], pixel)
        at = axes.transData.transform((label.x, label.y))
        best: tuple[int, tuple[float, float], np.ndarray] | None = None
        for angle in ANGLES:
            shift = _shift(angle, label.radius + GAP, half)
            centre = at + np.array(shift) * pixel
            box = np.concatenate([centre - half * pixel, centre + half * pixel])
            leaves = (box[:2] < inside[:2]).any() or (box[2:] > inside[2:]).any()
            if leaves or _hits(box, boxes) or _hits(box, named) or (len(boxes) and _hits(own[0], boxes)):
                continue
            hidden = _hits(box, others[(where != (label.x, label.y)).any(axis=1)])
            if best is None or hidden < best[0]:
                best = (hidden, shift, box)
        if best is None:
            written.remove()
            continue
        written.set_position(best[1])
        made.append(written)
        boxes, named = np.vstack([boxes, best[2]]), np.vstack([named, own])
    return made


def _shift(angle: float, reach: float, half: np.ndarray) -> tuple[float, float]:
    """Points from a circle's centre to that of a box of half size `half` which touches it at `angle`."""
    across, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return across * reach + _sign(across) * half[0], up * reach + _sign(up) * half[1]


def _sign(value: float) -> float:
    return 0.0 if abs(value) < 1e-9 else math.copysign(1.0, value)


def _circles(axes: Axes, circles: Sequence[tuple[float, float, float]], pixel: float) -> np.ndarray:
    """(N, 4) the boxes around circles, in pixels."""
    if not len(circles):
        return np.empty((0, 4))
    table = np.asarray(circles, dtype=float)
    centres, reach = axes.transData.transform(table[:, :2]), table[:, 2:] * pixel
    return np.hstack([centres - reach, centres + reach])


def _hits(box: np.ndarray, others: np.ndarray) -> int:
    """How many of the boxes overlap this one."""
    apart = (box[2:] <= others[:, :2]).any(axis=1) | (box[:2] >= others[:, 2:]).any(axis=1)
    return int((~apart).sum())
