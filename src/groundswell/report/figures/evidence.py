"""What can be told apart: evidence by component, densities before and after a claim, skill of forecasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@style.styled
def components(
    rows: Sequence[Mapping[str, Any]],
    *,
    undecided: float,
    names: Mapping[str, str] | None = None,
    axes: Axes | None = None,
    words: Speaker | None = None,
) -> Axes:
    """Log Bayes factor of the whole model against the one without each part, with its Monte Carlo error.

    rows : mappings with left_out, log_bayes_factor, monte_carlo_error (one standard error) and verdict
    ("needed", "not wanted", "cannot tell"). undecided : half width of the band in which the
    evidence tells nothing. Bars are two standard errors.
    """
    words = words or Speaker()
    names = names or {}
    axes = axes if axes is not None else style.panel(1.1 + 0.3 * len(rows))
    axes.axvspan(-undecided, undecided, color=style.WASH, linewidth=0, zorder=0)
    axes.axvline(0, color=style.SOFT, linewidth=0.8)
    reach = undecided
    for at, row in enumerate(rows):
        value, error = row["log_bayes_factor"], 2 * row["monte_carlo_error"]
        told = row["verdict"] != "cannot tell"
        colour = style.POSTERIOR if told else style.SOFT
        axes.hlines(at, value - error, value + error, color=colour, linewidth=1.6)
        axes.plot([value], [at], "o", color=colour if told else "white", markeredgecolor=colour, markersize=6)
        verdict = words.say(f"figure-{row['verdict'].replace(' ', '-')}")
        axes.annotate(
            verdict, (1.02, at), xycoords=("axes fraction", "data"), va="center", color=colour,
            fontweight="bold" if told else "normal",
        )  # fmt: skip
        reach = max(reach, abs(value) + error)
    axes.set_xlim(-1.12 * reach, 1.12 * reach)
    axes.set_yticks(range(len(rows)), [names.get(str(row["left_out"]), str(row["left_out"])) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.annotate(
        words.say("figure-cannot-tell"), (0, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
        textcoords="offset points", ha="center", va="bottom", color=style.SOFT, fontsize=7.5,
    )  # fmt: skip
    axes.set_xlabel(words.say("figure-evidence"))
    axes.grid(axis="x")
    return axes


@style.styled
def densities(
    edges: Sequence[float],
    masses: Mapping[str, Sequence[float]],
    *,
    notes: Mapping[str, str] | None = None,
    axes: Axes | None = None,
    words: Speaker | None = None,
    log_ratio: bool = True,
) -> Axes:
    """Densities of log(joins / arrests), one ridge each, the first (the prior) repeated in grey behind all.

    edges : (B + 1,) of the bins, in natural log. masses : label to (B,) probability in each bin. notes :
    label to a few words beside its ridge (say, the probability of the right-hand side).
    """
    words = words or Speaker()
    notes = notes or {}
    axes = axes if axes is not None else style.panel(0.9 + 0.62 * len(masses))
    edges_ = np.asarray(edges, dtype=float)
    centres = 0.5 * (edges_[1:] + edges_[:-1])
    middle = np.union1d(centres, [0.0])
    smooth = {
        label: np.interp(middle, centres, _smooth(np.asarray(mass, dtype=float))) for label, mass in masses.items()
    }
    first = next(iter(smooth.values()))
    top = max(float(values.max()) for values in smooth.values())
    for row, (label, values) in enumerate(smooth.items()):
        base = -float(row)
        if row:
            axes.fill_between(middle, base, base + 0.85 * first / top, color=style.PRIOR_BANDS[1], linewidth=0)
        right = middle >= 0
        height = base + 0.85 * values / top
        colour = style.SOFT if row == 0 else style.POSTERIOR
        axes.fill_between(middle, base, height, color=colour, alpha=0.18, linewidth=0)
        axes.fill_between(middle, base, height, where=right.tolist(), color=colour, alpha=0.4, linewidth=0)
        axes.plot(middle, height, color=colour, linewidth=1.2)
        axes.axhline(base, color=style.LINE, linewidth=0.6)
        axes.annotate(
            label, (-0.02, base + 0.12), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8
        )
        if label in notes:
            axes.annotate(
                notes[label], (1.02, base + 0.12), xycoords=("axes fraction", "data"), va="bottom", color=colour,
                fontweight="bold",
            )  # fmt: skip
    axes.axvline(0, color=style.INK, linewidth=0.9)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlim(edges_[0], edges_[-1])
    axes.set_ylim(-len(smooth) + 0.9, 1.25)
    if log_ratio:
        for text, x, side in (("figure-more-arrested", -0.1, "right"), ("figure-more-joined", 0.1, "left")):
            axes.annotate(words.say(text), (x, 1.2), ha=side, va="top", color=style.SOFT, fontsize=8)
        ticks = [k for k in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if edges_[0] <= np.log(k) <= edges_[-1]]
        axes.set_xticks(np.log(ticks), [f"{k:g}" for k in ticks])
        axes.set_xlabel(words.say("figure-log-ratio"))
    return axes


def _smooth(mass: np.ndarray) -> np.ndarray:
    """A histogram smoothed over three bins, mass kept; draws are few and the bins are fine."""
    padded = np.pad(mass, 2)
    weights = np.array([1, 4, 6, 4, 1]) / 16
    return np.convolve(padded, weights, mode="valid")
