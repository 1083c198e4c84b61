"""Pictures of a fit beside its own counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.table import Table
from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@style.styled
def autocorrelation(table: Table, *, words: Speaker | None = None) -> Axes:
    """Correlation of residuals by steps apart, with the band that holds 95 % of independent ones.

    table : lag, correlation, within.
    """
    words = words or Speaker()
    axes = style.panel(2.4)
    lag, value, within = (np.asarray(table[name], dtype=float) for name in ("lag", "correlation", "within"))
    label = words.say("figure-within-chance")
    axes.bar(lag, 2 * within, bottom=-within, width=1.0, color=style.WASH, linewidth=0, label=label)
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.vlines(lag, 0, value, color=style.POSTERIOR, linewidth=2)
    axes.plot(lag, value, "o", color=style.POSTERIOR, markersize=4)
    axes.set_xticks(lag, [f"{k:.0f}" for k in lag])
    reach = 1.15 * max(float(np.abs(value).max(initial=0)), float(within.max(initial=0)), 0.05)
    axes.set_ylim(-reach, reach)
    axes.set_xlabel(words.say("figure-lag"))
    axes.set_ylabel(words.say("figure-residual-correlation"))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
    return axes
