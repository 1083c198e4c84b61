"""A run under a scenario beside the run without it: the same luck, so that what differs is the scenario's doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@style.styled
def beside(
    scenario: History, without: History, *, after: int, first: int = 0, words: Speaker | None = None
) -> np.ndarray[Any, np.dtype[Any]]:
    """(rows, 2) axes, one a series: both runs by step, all places together, and the step after which they may differ.

    after : steps taken when the scenario set in. first : steps taken before these histories begin.
    """
    words = words or Speaker()
    names = _names(scenario, without)
    rows = -(-len(names) // 2)
    grid = style.panels(rows, 2, height=1.5 * rows + 0.7)
    for panel, name in zip(grid.flat, names, strict=False):
        _panel(panel, (scenario, without), name, after, first, words)
    for panel in grid.flat[len(names) :]:
        panel.set_axis_off()
    for panel in grid[-1]:
        panel.set_xlabel(words.say("replay-axis"))
    handles, labels = grid[0, 0].get_legend_handles_labels()
    grid[0, 0].figure.legend(handles, labels, ncols=3, loc="outside lower center")
    return grid


def _panel(
    axes: Axes, runs: tuple[History, History], name: str, after: int, first: int, words: Speaker
) -> None:  # fmt: skip
    looks = (("with", style.SERIES[1], "-"), ("without", style.SERIES[0], "--"))
    for run, (which, colour, line) in zip(runs, looks, strict=True):
        values = np.asarray(run[name]).sum(axis=0)
        steps = first + 1 + np.arange(len(values))
        axes.plot(steps, values, color=colour, linestyle=line, label=words.say(f"figure-scenario-{which}"))
    axes.axvline(after + 0.5, color=style.INK, linewidth=0.7, linestyle=":", label=words.say("figure-scenario-sets-in"))
    axes.set_title(words.say(f"series-{name}") if words.knows(f"series-{name}") else name)
    axes.set_ylim(bottom=0)
    style.plain_counts(axes.yaxis)


def beside_table(scenario: History, without: History) -> Table:
    """For each series, all places together: mean, peak and last step of both runs, and how far the means differ."""
    rows = []
    for name in _names(scenario, without):
        mine, other = (np.asarray(run[name]).sum(axis=0) for run in (scenario, without))
        rows.append(
            {
                "series": name,
                "mean with": float(mine.mean()),
                "mean without": float(other.mean()),
                "difference": float(mine.mean() - other.mean()),
                "peak with": float(mine.max()),
                "peak without": float(other.max()),
                "last with": float(mine[-1]),
                "last without": float(other[-1]),
            }
        )
    return Table.from_rows(rows)


def parted(scenario: History, without: History) -> int | None:
    """The first step, from 0, in which the runs differ in any series; None if they do not."""
    apart = [np.asarray(scenario[name]) != np.asarray(without[name]) for name in _names(scenario, without)]
    steps = np.flatnonzero(np.any([one.any(axis=0) for one in apart], axis=0))
    return int(steps[0]) if len(steps) else None


def _names(scenario: History, without: History) -> list[str]:
    """The series of both; UsageError where one has others, or other steps."""
    if list(scenario.series) != list(without.series) or scenario.window != without.window:
        raise UsageError(
            f"the scenario has series {', '.join(scenario.series)} from {scenario.window.start} and the run without it "
            f"{', '.join(without.series)} from {without.window.start}; expected two runs of one model over one window."
        )
    return list(scenario.series)
