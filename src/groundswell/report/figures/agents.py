"""Pictures of agents on a grid and of their counts: one step, all steps, waits between outbursts, where outbursts are.

Each has a table beside it (`*_table`) with the numbers that it draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.report.figures import style
from groundswell.report.figures.maps import colour_scale
from groundswell.report.language import Speaker, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CROWD = ("empty", "quiet", "active", "jailed", "officer")
"""What the numbers of a frame of civil violence mean; of another model see its `Watched.states`."""


@style.styled
def grid(
    frame: np.ndarray, *, states: Sequence[str] = CROWD, axes: Axes | None = None, words: Speaker | None = None
) -> Axes:
    """One step of a grid. frame : (rows, columns) whole numbers of `states`."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    _check_frame(frame, states)
    words = words or Speaker()
    rows, columns = frame.shape
    axes = axes if axes is not None else style.panel(4.4 * min(1.6, max(0.4, rows / columns)) + 0.5, 4.6)
    axes.imshow(frame, cmap=ListedColormap([style.STATES[s] for s in states]), vmin=-0.5, vmax=len(states) - 0.5,
                interpolation="nearest")  # fmt: skip
    axes.set_axis_off()
    keys = [Patch(facecolor=style.STATES[state], label=words.say(f"state-{state}")) for state in states[1:]]
    axes.legend(handles=keys, ncols=len(keys), loc="upper left", bbox_to_anchor=(0, 0), borderpad=0.2, handlelength=1)
    return axes


def grid_table(frame: np.ndarray, *, states: Sequence[str] = CROWD, words: Speaker | None = None) -> Table:
    """How many cells are in each state."""
    _check_frame(frame, states)
    words = words or Speaker()
    counts = np.bincount(np.ravel(frame), minlength=len(states)).tolist()
    return Table({"state": [words.say(f"state-{state}") for state in states], "cells": counts})


@style.styled
def activity(
    active: np.ndarray, *, above: float = 50, jailed: np.ndarray | None = None, axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:  # fmt: skip
    """Active agents by step, each outburst shaded from its start to its end, and the jailed if they are given.

    active, jailed : (T,) counts at the end of each step. above : an outburst is a stretch of steps above it, 50 on the
        published 40 x 40 cells; of another model `outburst_above`.
    """
    words = words or Speaker()
    axes = axes if axes is not None else style.panel(2.6)
    active = np.asarray(active, dtype=float)
    steps = np.arange(1, len(active) + 1)
    for first, last in _stretches(active, above):
        axes.axvspan(first + 0.5, last + 0.5, color=style.SERIES[1], alpha=0.14, linewidth=0)
    if jailed is not None:
        axes.plot(steps, jailed, color=style.SOFT, linestyle="--", linewidth=1, label=words.say("state-jailed"))
    axes.plot(steps, active, color=style.SERIES[1], label=words.say("state-active"))
    axes.axhline(above, color=style.INK, linewidth=0.7, linestyle=":", label=words.say("figure-above", above=above))
    axes.set_xlim(0, max(1, len(active)))
    axes.set_ylim(bottom=0)
    axes.set_xlabel(words.say("replay-axis"))
    axes.set_ylabel(words.say("figure-agents"))
    axes.legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1.0))
    return axes


def activity_table(active: np.ndarray, *, above: float = 50) -> Table:
    """Each outburst: first and last step (from 1), highest count, and steps since the one before started."""
    active = np.asarray(active, dtype=float)
    found = _stretches(active, above)
    starts = [first + 1 for first, _ in found]
    return Table(
        {
            "first step": starts,
            "last step": [last for _, last in found],
            "most active": [float(active[first:last].max()) for first, last in found],
            "since the start before": [None, *np.diff(starts).tolist()][: len(starts)],
        }
    )


@style.styled
def waiting_times(waits: np.ndarray, *, bins: int = 20, axes: Axes | None = None, words: Speaker | None = None) -> Axes:
    """Waits between outbursts as a histogram, with the exponential of the same mean: what chance alone would give.

    waits : (K,) steps, as `numpy.diff(outbursts(active))`. A memoryless process has exponential waits; a crowd that
    must first leave jail has a hump, and few short waits.
    """
    words = words or Speaker()
    table = waiting_table(waits, bins=bins)
    axes = axes if axes is not None else style.panel(2.8, 4.8)
    edges = np.array([*table["from"], table["to"][-1]], dtype=float)
    mean = float(np.mean(waits))
    axes.bar(edges[:-1], table["waits"], np.diff(edges), align="edge", color=style.SERIES[5], edgecolor="white",
             linewidth=0.6, label=words.say("figure-waits", count=len(waits), mean=number(mean, 3)))  # fmt: skip
    fine = np.linspace(0, edges[-1], 200)
    density = len(waits) * (edges[1] - edges[0]) * np.exp(-fine / mean) / mean
    axes.plot(fine, density, color=style.INK, linestyle="--", linewidth=1.2, label=words.say("figure-exponential"))
    axes.set_xlim(0, edges[-1])
    axes.set_xlabel(words.say("figure-waiting-time"))
    axes.set_ylabel(words.say("figure-outbursts"))
    axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1, 1.0))
    return axes


def waiting_table(waits: np.ndarray, *, bins: int = 20) -> Table:
    """Waits in bins of equal width from 0, and how many an exponential of the same mean would have there."""
    waits = np.asarray(waits, dtype=float)
    if len(waits) < 2 or waits.min() <= 0:
        raise UsageError(
            f"{len(waits)} waiting times were given; expected two or more, all above 0. A longer run has more of them."
        )
    width = max(1.0, float(np.ceil(waits.max() / bins)))
    edges = np.arange(0, waits.max() + width, width)
    counts = np.histogram(waits, edges)[0]
    gone = np.exp(-edges / waits.mean())
    return Table(
        {
            "from": edges[:-1].tolist(),
            "to": edges[1:].tolist(),
            "waits": counts.tolist(),
            "exponential": (len(waits) * (gone[:-1] - gone[1:])).tolist(),
        }
    )


@style.styled
def phases(
    table: Table, *, value: str = "active_share", axes: Axes | None = None, words: Speaker | None = None
) -> Axes:
    """One number over two parameters as shaded cells, each with its number written in.

    table : as `models.agents.outburst_phases.outburst_phases` gives it, the two parameters first; its own twin.
    value : "active_share", "outbursts" (in 100 steps) or "waiting_time"; a cell without one stays empty.
    """
    words = words or Speaker()
    across, up = list(table.columns)[:2]
    if value not in table.columns or value in (across, up):
        raise UsageError(f'phases was asked for "{value}"; the table has {", ".join(list(table.columns)[2:])}.')
    x, y = (np.unique(np.asarray(table[name], dtype=float)) for name in (across, up))
    cells = np.full((len(y), len(x)), np.nan)
    for a, b, number_ in zip(table[across], table[up], table[value], strict=True):
        cells[np.searchsorted(y, b), np.searchsorted(x, a)] = np.nan if number_ is None else number_
    axes = axes if axes is not None else style.panel(0.42 * len(y) + 1.1, 0.62 * len(x) + 1.6)
    most = float(np.nanmax(cells)) if np.isfinite(cells).any() else 1.0
    axes.imshow(cells, origin="lower", aspect="auto", cmap=colour_scale(), vmin=0, vmax=most or 1.0)
    for (row, column), shown in np.ndenumerate(cells):
        text = "–" if np.isnan(shown) else "<0.001" if 0 < shown < 0.001 else number(float(shown), 2)
        dark = np.isfinite(shown) and shown > 0.55 * most
        axes.annotate(text, (column, row), ha="center", va="center", fontsize=7, color="white" if dark else style.INK)
    axes.set_xticks(range(len(x)), [f"{v:g}" for v in x])
    axes.set_yticks(range(len(y)), [f"{v:g}" for v in y])
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.set_title(words.say(f"figure-outburst-{value.replace('_', '-')}"))
    return axes


def _stretches(active: np.ndarray, above: float) -> list[tuple[int, int]]:
    """Steps [first, last) above a level, without a stretch that is under way at the first step (see `outbursts`)."""
    high = np.concatenate([[False], active > above, [False]])
    first = np.flatnonzero(high[1:] & ~high[:-1])
    last = np.flatnonzero(~high[1:] & high[:-1])
    return [(int(a), int(b)) for a, b in zip(first, last, strict=True) if a > 0]


def _check_frame(frame: np.ndarray, states: Sequence[str]) -> None:
    if np.ndim(frame) != 2 or (np.size(frame) and np.max(frame) >= len(states)):
        raise UsageError(
            f"grid was given {np.shape(frame)} with numbers up to {np.max(frame, initial=0)}; expected one picture, "
            f"(rows, columns), of numbers below {len(states)}: {', '.join(states)}."
        )
