"""A crowd with participation thresholds as a staircase: how many join next, given how many take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.models.agents.thresholds import Thresholds
from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@style.styled
def staircase(model: Thresholds, *, rounds: int = 1000, axes: Axes | None = None, words: Speaker | None = None) -> Axes:
    """Participants of the next round against those of this one, and the path from nobody.

    The path rests where the curve meets the diagonal. A deterministic rule is drawn as it is, whole numbers and all;
    "sampled" by its continuous map, which is only the mean of what chance does.
    """
    words = words or Speaker()
    path = staircase_table(model, rounds=rounds)["participants"]
    axes = axes if axes is not None else style.panel(3.6, 3.6)
    count = model.population
    now = np.linspace(0, count, 20 * count + 1 if count <= 200 else 4001)
    axes.plot([0, count], [0, count], color=style.PRIOR, linewidth=1, label=words.say("figure-diagonal"))
    axes.plot(now, [model.step_from(float(r)) for r in now], color=style.SERIES[0], label=words.say("figure-next"))
    stairs = np.repeat(path, 2)
    axes.plot(stairs[:-1], [0.0, *stairs[2:]], color=style.SERIES[1], linewidth=1.1, label=words.say("figure-path"))
    axes.plot(path[-1], path[-1], "o", color=style.SERIES[1], markersize=5, zorder=5)
    axes.set_xlim(0, count)
    axes.set_ylim(0, count)
    axes.set_aspect("equal")
    axes.set_xlabel(words.say("figure-participants-now"))
    axes.set_ylabel(words.say("figure-participants-next"))
    axes.legend(loc="lower right")
    return axes


def staircase_table(model: Thresholds, *, rounds: int = 1000) -> Table:
    """The path from nobody, round by round, until it rests or `rounds` are over."""
    if rounds < 1:
        raise UsageError(f"rounds is {rounds}; expected 1 or more.")
    path = [0.0]
    for _ in range(rounds):
        path.append(model.step_from(path[-1]))
        if path[-1] == path[-2]:
            break
    return Table({"round": list(range(len(path))), "participants": path})
