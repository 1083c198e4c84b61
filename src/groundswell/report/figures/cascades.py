"""Pictures of thresholds: Granovetter's map, the course of cascades, windows, and how one crosses a lattice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from groundswell.errors import UsageError
from groundswell.models.agents.cascade_parts import Fraction
from groundswell.models.agents.cascade_theory import cascade_window
from groundswell.models.agents.spreading import Spread
from groundswell.models.agents.threshold_maps import fixed_points
from groundswell.models.agents.thresholds import Thresholds
from groundswell.report.figures import style
from groundswell.report.language import Speaker, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROUNDS = 200
"""Of the path in a cobweb; near a tangency it would creep on for ever."""


@style.styled
def cobweb(model: Thresholds, *, axes: Axes | None = None, words: Speaker | None = None) -> Axes:
    """Granovetter's map N F(r) against r, the path from nobody, and the fixed points, filled where they are stable.

    Under "sampled" it is the continuous map, around which the thresholds of actual persons scatter.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(4.2, 4.4)
    count = model.population
    grid = np.linspace(0, count, 1001 if count < 1000 else 4001)
    axes.plot([0, count], [0, count], color=style.SOFT, linewidth=0.8, linestyle=":")
    axes.plot(grid, [model.step_from(r) for r in grid], color=style.SERIES[0], label=words.say("figure-who-joins"))
    path = [0.0]
    for _ in range(MOST_ROUNDS):
        after = model.step_from(path[-1])
        if abs(after - path[-1]) < 1e-6 * count:
            break
        path.append(after)
    corners = np.repeat(path, 2)
    axes.plot(corners[:-1], np.concatenate([[0.0], corners[2:]]), color=style.SERIES[1], linewidth=0.9,
              label=words.say("figure-from-nobody"))  # fmt: skip
    for stable, face in ((True, style.INK), (False, "white")):
        at = [point.participants for point in fixed_points(model) if point.stable == stable]
        if at:
            key = "figure-stable" if stable else "figure-unstable"
            axes.plot(at, at, "o", color=style.INK, markerfacecolor=face, markersize=6, zorder=5, clip_on=False,
                      linestyle="none", label=words.say(key))  # fmt: skip
    axes.set_xlim(0, count)
    axes.set_ylim(0, count)
    axes.set_aspect("equal")
    axes.set_xlabel(words.say("figure-participants-now"))
    axes.set_ylabel(words.say("figure-participants-next"))
    axes.legend(loc="best")
    return axes


@style.styled
def adoption(
    spreads: Mapping[str, Spread],
    *,
    expected: Mapping[str, np.ndarray] | None = None,
    axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:
    """Share active after each step, a line a cascade; what is `expected` of it, by the same label, dashed.

    The share of seeds is where a line begins, and stands beside its label: the end hangs on it.
    """
    if not spreads:
        raise UsageError("adoption was given no cascade; expected one or more by name.")
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.2)
    last = max(len(one.active) for one in spreads.values()) - 1
    for i, (label, one) in enumerate(spreads.items()):
        colour = style.SERIES[i % len(style.SERIES)]
        share = np.concatenate([one.active, np.full(last + 1 - len(one.active), one.active[-1])]) / one.nodes
        axes.plot(
            share, color=colour, label=words.say("figure-with-seeds", label=label, seeds=_percent(one.seed_share))
        )
        if expected and label in expected:
            path = np.asarray(expected[label])[: last + 1]
            path = np.concatenate([path, np.full(last + 1 - len(path), path[-1])])
            axes.plot(path, color=colour, linestyle="--", linewidth=1.0)
    if expected:
        axes.plot([], [], color=style.SOFT, linestyle="--", linewidth=1.0, label=words.say("figure-mean-field"))
    axes.set_xlim(0, max(last, 1))
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(words.say("figure-step"))
    axes.set_ylabel(words.say("figure-share-of-persons"))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
    return axes


@style.styled
def cascade_windows(
    shares: Sequence[float] | np.ndarray,
    mean_degrees: Sequence[float] | np.ndarray,
    frequencies: np.ndarray,
    *,
    seeds: str,
    axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:
    """How often cascades went global, (Z, S), over threshold share and mean degree, with the edges of Watts' windows.

    seeds : what the runs began with, in words ("1 of 1,000"). The edges are those of a single seed among infinitely
    many persons: they lie at the shares 1/2, 1/3, ..., where one more neighbour ceases to be one too many.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.9, 5.6)
    values, across, up = np.asarray(frequencies), np.asarray(shares), np.asarray(mean_degrees)
    if values.shape != (len(up), len(across)) or min(values.shape) < 2:
        raise UsageError(
            f"cascade_windows was given frequencies of shape {values.shape} for {len(up)} mean degrees and "
            f"{len(across)} shares; expected one for each pair, and two or more of either."
        )
    mesh = axes.pcolormesh(across, up, values, cmap="Blues", vmin=0, vmax=1, shading="nearest", rasterized=True)
    axes.figure.colorbar(mesh, ax=axes, label=words.say("figure-share-global"), shrink=0.85)
    x, lower, upper = _edges(float(across[0]), float(across[-1]))
    axes.plot([*x, *x[::-1]], [*upper, *lower[::-1]], color=style.SERIES[1], label=words.say("figure-window"))
    axes.set_xlim(across[0], across[-1])
    axes.set_ylim(up[0], up[-1])
    axes.set_xlabel(words.say("figure-threshold-share"))
    axes.set_ylabel(words.say("figure-mean-degree"))
    axes.set_title(words.say("figure-seeds", seeds=seeds))
    axes.legend(loc="upper right")
    return axes


def _edges(low: float, high: float) -> tuple[list[float], list[float], list[float]]:
    """The staircase of windows between two shares: shares, and the lower and the upper mean degree at each.

    One neighbour of up to `most` is enough for shares from 1 / (most + 1) on, up to 1 / most.
    """
    x: list[float] = []
    lower: list[float] = []
    upper: list[float] = []
    for most in range(math.floor(1 / low), math.floor(1 / high + 1e-9) - 1, -1):
        left, right = max(low, 1 / (most + 1)), min(high, 1 / most)
        for edges in cascade_window(Fraction(1 / most))[:1] if left < right else ():
            x += [left, right]
            lower += [edges[0]] * 2
            upper += [edges[1]] * 2
    return x, lower, upper


@style.styled
def lattice_steps(
    spread: Spread, rows: int, columns: int, *, axes: Axes | None = None, words: Speaker | None = None
) -> Axes:
    """In which step each cell of a lattice joined, from dark to light; those who did not are left blank."""
    if rows * columns != spread.nodes:
        raise UsageError(f"a lattice of {rows} x {columns} has {rows * columns} cells; the cascade has {spread.nodes}.")
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(3.6, 4.4)
    steps = spread.joined.reshape(rows, columns).astype(float)
    steps[steps < 0] = np.nan
    picture = axes.imshow(steps, cmap="viridis", vmin=0, vmax=max(1, int(spread.joined.max())), interpolation="nearest")
    axes.figure.colorbar(picture, ax=axes, label=words.say("figure-step-joined"), shrink=0.85)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(words.say("figure-joined", share=_percent(spread.final_share)))
    return axes


def _percent(share: float) -> str:
    return number(100 * share, 3) + "\u00a0%"
