"""The phase diagram of the regimes: which thresholds make which end, and where one model stands among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from groundswell.errors import UsageError
from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILLS = {"lasts": "#56b4e9", "visible": "#e69f00", "policed": "#009e73", "still": "#eef1f4"}
"""From `style.SERIES`; told apart by the words that lie on them, not by colour alone."""


def areas(rest: float) -> dict[str, list[tuple[float, float]]]:
    """The corners of each area in the square of (alpha, beta), by its key; a corner area may be empty of extent.

    rest : c* = growth / (growth + decay). See `models.cities.regime_phases` for what ends where in each.
    """
    return {
        "visible": [(0, 0), (0, rest), (rest, rest)],
        "lasts": [(0, rest), (0, 1), (rest, 1), (rest, rest)],
        "policed": [(rest, rest), (rest, 1), (1, 1)],
        "still": [(0, 0), (1, 1), (1, 0)],
    }


@style.styled
def phase_diagram(
    rest: float,
    *,
    at: tuple[float, float] | None = None,
    axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:
    """The square of visibility threshold (across) and policing threshold (up), cut by what ends where.

    rest : c* = growth / (growth + decay), the share at which both balance, between 0 and 1; `Regimes.rest`.
    at : (alpha, beta) of one model, marked by a point. The lines are exact: nothing is computed on a grid.
    """
    if not 0 <= rest <= 1:
        raise UsageError(f"phase_diagram was given c* = {rest}; expected growth / (growth + decay), from 0 to 1.")
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(4.6, 5.4)
    small = []
    for key, corners in areas(rest).items():
        points = np.array(corners)
        (drawn,) = axes.fill(*points.T, facecolor=FILLS[key], alpha=0.35, edgecolor=style.SOFT, linewidth=0.8)
        width, height = np.ptp(points, axis=0)
        text = words.say(f"figure-phase-{key}")
        room = min(width, height) >= 0.38 if len(points) == 3 else width >= 0.34 and height >= 0.16
        if room:
            axes.annotate(text, points.mean(axis=0), ha="center", va="center", fontsize=7)
        elif min(width, height) > 0:
            drawn.set_label(text)
            small.append(drawn)
    if small:  # what has no room for its words is named in the widest area's empty corner
        axes.legend(handles=small, loc="lower right", fontsize=7, handlelength=1.2)
    if at is not None:
        axes.plot(*at, "o", color=style.POSTERIOR, markeredgecolor="white", markersize=8, zorder=5)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    axes.set_xlabel(words.say("figure-visibility-threshold"))
    axes.set_ylabel(words.say("figure-policing-threshold"))
    axes.set_title(words.say("figure-phases", rest=f"{rest:.3g}"))
    return axes
