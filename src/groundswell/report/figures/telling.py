"""How well explanations or accounts can be told apart: probabilities, verdicts by truth, calibration, designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.report.figures import style
from groundswell.report.language import Speaker, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@style.styled
def chances(probability: Mapping[str, float], *, level: float, words: Speaker | None = None) -> Axes:
    """The probability of each explanation, and the level that a verdict needs."""
    words = words or Speaker()
    axes = style.panel(1.0 + 0.32 * len(probability))
    names, values = list(probability), np.array(list(probability.values()))
    at = np.arange(len(names))
    axes.barh(at, values, height=0.6, color=[style.POSTERIOR if v == values.max() else style.PRIOR for v in values])
    for row, value in zip(at, values, strict=True):
        axes.annotate(percent(float(value)), (value, row), xytext=(4, 0), textcoords="offset points", va="center")
    axes.axvline(level, color=style.SOFT, linewidth=0.9, linestyle="--")
    axes.annotate(
        words.say("figure-verdict-needs"), (level, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
        textcoords="offset points", ha="center", color=style.SOFT, fontsize=7.5,
    )  # fmt: skip
    axes.set_yticks(at, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1.12)
    axes.set_xticks(np.linspace(0, 1, 6), [percent(x) for x in np.linspace(0, 1, 6)])
    axes.set_xlabel(words.say("figure-probability-of-explanation"))
    return axes


@style.styled
def verdicts(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], names: Mapping[str, str], *, words: Speaker | None = None
) -> Axes:
    """Shares of the records of each truth (rows, by "truth") with each verdict (columns); the diagonal is right."""
    words = words or Speaker()
    axes = style.panel(1.6 + 0.36 * len(rows))
    shares = np.array([[row[name] for name in columns] for row in rows])
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        right = rows[row]["truth"] == columns[column]
        axes.text(
            column, row, percent(float(share)), ha="center", va="center", fontweight="bold" if right else "normal",
            color="white" if share > 0.6 else style.INK,
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [names.get(row["truth"], row["truth"]) for row in rows])
    axes.set_xticks(range(len(columns)), [fill(names.get(name, name), 13) for name in columns])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_ylabel(words.say("figure-truth"))
    axes.set_xlabel(words.say("figure-verdict"))
    axes.xaxis.set_label_position("top")
    return axes


@style.styled
def reliability(rows: Sequence[Mapping[str, float]], *, words: Speaker | None = None) -> Axes:
    """Claimed probability against frequency, with 95 % intervals; on the line, what is claimed is what comes.

    rows : claimed, came, low, high, count. The area of a dot grows with its number of statements.
    """
    words = words or Speaker()
    axes = style.panel(3.4, 4.2)
    claimed, came, low, high, count = (
        np.array([row[name] for row in rows]) for name in ("claimed", "came", "low", "high", "count")
    )
    axes.plot([0, 1], [0, 1], color=style.SOFT, linewidth=0.8)
    axes.vlines(claimed, low, high, color=style.POSTERIOR, linewidth=1.4)
    axes.scatter(claimed, came, s=12 + 70 * count / count.max(), color=style.POSTERIOR, zorder=3)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(words.say("figure-claimed"))
    axes.set_ylabel(words.say("figure-came"))
    return axes


@style.styled
def designs(rows: Sequence[Mapping[str, Any]], order: Sequence[str], *, words: Speaker | None = None) -> Axes:
    """Bits that a record tells of each pair of accounts, one dot a design; bars are two Monte Carlo errors.

    rows : left_out, design, bits, bits_error. order : the designs, the record as it is first.
    """
    words = words or Speaker()
    pairs = list(dict.fromkeys(row["left_out"] for row in rows))
    axes = style.panel(1.2 + (0.14 + 0.11 * len(order)) * len(pairs))
    height = 0.8 / len(order)
    reach = 0.05
    for k, design in enumerate(order):
        mine = {row["left_out"]: row for row in rows if row["design"] == design}
        colour = style.INK if k == 0 else style.SERIES[(k - 1) % len(style.SERIES)]
        marker = "|" if k == 0 else style.MARKERS[(k - 1) % len(style.MARKERS)]
        at = np.arange(len(pairs)) + height * (k - (len(order) - 1) / 2)
        bits, error = (np.array([mine[pair][key] for pair in pairs]) for key in ("bits", "bits_error"))
        axes.hlines(at, bits - 2 * error, bits + 2 * error, color=colour, linewidth=1.1)
        axes.plot(bits, at, marker, color=colour, markersize=8 if k == 0 else 4.5, linewidth=0, label=design)
        reach = max(reach, float((bits + 2 * error).max()))
    for k in range(1, len(pairs)):
        axes.axhline(k - 0.5, color=style.LINE, linewidth=0.6)
    axes.axvline(0, color=style.SOFT, linewidth=0.8)
    axes.set_yticks(range(len(pairs)), [words.say(f"mechanism-name-{pair}") for pair in pairs])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.set_xlim(-0.03, min(1.02, 1.08 * reach))
    axes.set_xlabel(words.say("figure-bits"))
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return axes
