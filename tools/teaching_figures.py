"""Draws the pictures of docs/teaching.md, docs/images/teaching-*.svg: `.venv/bin/python -m tools.teaching_figures`.

Runs and seeds are those of the page's commands.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from groundswell import generator
from groundswell.data.files import write_text
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import outbursts, run
from groundswell.models.agents.outburst_phases import outburst_phases
from groundswell.models.agents.thresholds import Normal, Thresholds, Uniform
from groundswell.report.figures.agents import activity, grid, phases, waiting_times
from groundswell.report.figures.cascades import cobweb
from groundswell.report.figures.style import INK, SERIES, SOFT, panels, styled
from groundswell.report.svg import svg

IMAGES = Path(__file__).parent.parent / "docs" / "images"


def active(steps: int = 300, **changes: Any) -> np.ndarray:
    """Active agents by step of the page's crowd, seed 1, with some fields changed."""
    return run(CivilViolence.netlogo(**changes).populate(rng=generator(1)), steps).series["active"]


@styled
def outburst() -> Any:
    """The grid before and at the height of the second outburst, and the counts of 300 steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 5.6), layout="constrained")
    left, right, below = figure.subplot_mosaic([["quiet", "loud"], ["counts", "counts"]], height_ratios=[2, 1]).values()
    crowd = CivilViolence.netlogo().populate(rng=generator(1))
    for axes, step in ((left, 44), (right, 49)):
        grid(run(crowd, step).crowd.frame(), axes=axes)
        axes.set_title(f"step {step}")
    right.get_legend().remove()
    done = run(crowd, 300)
    activity(done.series["active"], jailed=done.series["jailed"], axes=below)
    return below


@styled
def officers() -> Any:
    """Share active over legitimacy and officers."""
    over = {"legitimacy": [0.6, 0.7, 0.76, 0.82, 0.86, 0.9], "officer_density": [0.0, 0.01, 0.02, 0.03, 0.04, 0.05]}
    table = outburst_phases(CivilViolence.netlogo(), over, rng=generator(1), steps=300, burn_in=100, crowds=2)
    return phases(table)


@styled
def rounding() -> Any:
    """One crowd under three readings of C/A."""
    axes = panels(3, 1, height=3.6)[:, 0]
    for row, ratio, colour in zip(axes, ("floor", "round", "raw"), SERIES, strict=False):
        row.plot(np.arange(1, 301), active(ratio=ratio), color=colour)
        row.set_title(f"ratio = {ratio}")
        row.set_ylim(0, 400)
        row.set_xlim(0, 300)
    axes[1].set_ylabel("active")
    axes[-1].set_xlabel("step")
    return axes[-1]


@styled
def jail() -> Any:
    """Waits between outbursts under two longest terms."""
    left, right = panels(1, 2, height=2.8)[0]
    for axes, term in ((left, 30.0), (right, 100.0)):
        waiting_times(np.diff(outbursts(active(6000, max_jail_term=term)[200:])), axes=axes)
        axes.set_title(f"terms below {term:g} steps")
    for axes in (left, right):
        axes.get_legend().remove()
        axes.set_xlim(0, 125)
    return left


@styled
def one_person() -> Any:
    """The first ten of two crowds, and how each goes on."""
    left, right = panels(1, 2, height=3.2)[0]
    cobweb(Thresholds(Uniform(0, 99), rule="floor"), axes=left)
    cobweb(Thresholds.of([0, 2, *range(2, 100)]), axes=right)
    left.set_title("thresholds 0, 1, 2, 3, ...")
    right.set_title("thresholds 0, 2, 2, 3, ...")
    for axes in (left, right):
        axes.set_xlim(0, 10)
        axes.set_ylim(0, 10)
        for line in axes.lines:  # the point at 100, beyond the frame, would be drawn outside of it
            line.set_clip_on(True)
    right.get_legend().remove()
    return left


@styled
def spread() -> Any:
    """Where normal thresholds end, by their standard deviation, and chance near the jump."""
    left, right = panels(1, 2, height=3.0)[0]
    sds = np.concatenate([np.linspace(5, 12.2, 30), np.linspace(12.25, 20, 30)])
    left.plot(sds, [Thresholds(Normal(25, sd), rule="continuous").fixed_point() for sd in sds], ".", color=INK)
    left.set_xlabel("standard deviation of thresholds")
    left.set_ylabel("participants in the end")
    left.set_title("everyone an average")
    for sd, colour in ((12.0, SERIES[0]), (13.0, SERIES[1]), (16.0, SERIES[2])):
        right.plot(np.cumsum(Thresholds(Normal(25, sd)).final_distribution()), color=colour, label=f"sd {sd:g}")
    right.axvline(50, color=SOFT, linewidth=0.7, linestyle=":")
    right.set_xlabel("participants in the end")
    right.set_ylabel("probability of as many or fewer")
    right.set_title("a hundred persons drawn by chance")
    right.legend(loc="center", bbox_to_anchor=(0.6, 0.35))
    return left


PICTURES: tuple[Callable[[], Any], ...] = (outburst, officers, rounding, jail, one_person, spread)

if __name__ == "__main__":
    for picture in PICTURES:
        name = f"teaching-{picture.__name__.replace('_', '-')}"
        write_text(IMAGES / f"{name}.svg", svg(picture(), name) + "\n")
        print(IMAGES / f"{name}.svg")
