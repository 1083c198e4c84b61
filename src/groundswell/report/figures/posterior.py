"""Pictures of draws from a posterior: whether the chains agree, and what the data added to the priors.

Each function takes a `Fit` with draws by chains and returns the axes of its panels, one a parameter.
Parameters are drawn on their free coordinates, where every prior is a normal, with ticks in natural units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from groundswell.errors import ParameterError, UsageError, nearest
from groundswell.infer.base import Fit
from groundswell.params import Leaf, leaves
from groundswell.report.figures import style
from groundswell.report.language import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 24
"""Panels of one figure; of more parameters those with the largest R-hat are shown, and the figure says so."""


@style.styled
def ranks(found: Fit, names: Sequence[str] | None = None, *, words: Speaker | None = None) -> np.ndarray:
    """How the draws of each chain rank among those of all chains: level within noise where chains agree.

    One line a chain, in bins of equal width; the band holds 95 % of the bins of independent draws, so chains whose
    draws depend on each other leave it more often. Paper: Vehtari et al. (2021), Bayesian Analysis 16.
    """
    from scipy.stats import binom, rankdata

    words, chains = words or Speaker(), _chains(found)

    def draw(axes: Axes, leaf: Leaf, free: np.ndarray) -> None:
        order = (rankdata(free, method="ordinal") - 1).reshape(chains, -1)
        length = order.shape[1]
        bins = max(5, min(20, length // 50))
        low, high = binom.ppf([0.025, 0.975], length, 1 / bins) / (length / bins)
        axes.axhspan(low, high, color=style.WASH, linewidth=0)
        edges = np.linspace(0, order.size, bins + 1)
        for chain, colour in zip(order, style.SERIES * (1 + chains // len(style.SERIES)), strict=False):
            counts = np.histogram(chain, edges)[0] / (length / bins)
            axes.stairs(counts, edges / order.size, color=colour, linewidth=1.0, baseline=None)
        axes.set_ylim(0, None)
        axes.set_xlim(0, 1)

    axes = _panels(found, names, draw, words)
    _label(axes, words.say("figure-rank"), words.say("figure-rank-share"))
    return axes


@style.styled
def traces(found: Fit, names: Sequence[str] | None = None, *, words: Speaker | None = None) -> np.ndarray:
    """The draws of each chain in their order: chains that agree lie over one another, without drift."""
    words, chains = words or Speaker(), _chains(found)

    def draw(axes: Axes, leaf: Leaf, free: np.ndarray) -> None:
        for chain, colour in zip(
            free.reshape(chains, -1), style.SERIES * (1 + chains // len(style.SERIES)), strict=False
        ):
            axes.plot(chain, color=colour, linewidth=0.4)
        _natural(axes.yaxis, leaf)

    axes = _panels(found, names, draw, words)
    _label(axes, words.say("figure-draw"), "")
    return axes


@style.styled
def prior_and_posterior(found: Fit, names: Sequence[str] | None = None, *, words: Speaker | None = None) -> np.ndarray:
    """Each parameter before the data (its prior) and after: where they coincide, the data said nothing of it.

    Densities of the free coordinate; a random effect, which has no prior of its own, is shown after only.
    """
    words = words or Speaker()

    def draw(axes: Axes, leaf: Leaf, free: np.ndarray) -> None:
        low, high = float(free.min()), float(free.max())
        if leaf.prior is not None:
            low, high = min(low, leaf.center - 3 * leaf.sd), max(high, leaf.center + 3 * leaf.sd)
            grid = np.linspace(low, high, 200)
            density = np.exp(-0.5 * ((grid - leaf.center) / leaf.sd) ** 2) / (leaf.sd * np.sqrt(2 * np.pi))
            axes.fill_between(grid, density, color=style.PRIOR, linewidth=0, label=words.say("figure-before-data"))
        axes.hist(
            free, bins=30, density=True, histtype="step", color=style.POSTERIOR, label=words.say("figure-given-data")
        )
        axes.set_xlim(low, high)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _natural(axes.xaxis, leaf)

    axes = _panels(found, names, draw, words)
    axes.flat[0].legend(loc="best", fontsize=7)
    return axes


def _panels(
    found: Fit, names: Sequence[str] | None, draw: Callable[[Axes, Leaf, np.ndarray], None], words: Speaker
) -> np.ndarray:
    """(rows, 3) axes with one parameter in each, its name and R-hat above."""
    if "free" not in found.details or not found.details.get("learnt"):
        raise UsageError("this fit has no draws to show. Fit by a method that draws, with a parameter to learn.")
    learnt = list(found.details["learnt"])
    shown = _chosen(found, learnt) if names is None else list(names)
    for name in shown:
        if name not in learnt:
            raise ParameterError(f'"{name}" was not learnt in this fit.' + nearest(name, learnt, 3))
    known = {leaf.name: leaf for leaf in found.details.get("leaves", leaves(found.model))}
    rows = -(-len(shown) // 3)
    axes = style.panels(rows, 3, height=0.5 + 1.45 * rows)
    for panel, name in zip(axes.flat, shown, strict=False):
        draw(panel, known[name], found.details["free"][:, learnt.index(name)])
        panel.set_title(f"{name}  {_rhat(found, name, words)}", fontsize=7.5, fontweight="normal")
    for panel in axes.flat[len(shown) :]:
        panel.set_axis_off()
    if names is None and len(shown) < len(learnt):
        text = words.say("figure-some-parameters", shown=len(shown), all=len(learnt))
        axes[0, 0].figure.suptitle(text, fontsize=8.5, x=0.01, ha="left")
    return axes


def _chosen(found: Fit, learnt: list[str]) -> list[str]:
    """All that were learnt or, of many, the ones with the largest R-hat, in the model's order."""
    if "R-hat" not in found.details["columns"]:
        return learnt[:MOST]
    rhat = dict(zip(found.names, found.details["columns"]["R-hat"], strict=True))
    worst = sorted(learnt, key=lambda name: -np.nan_to_num(rhat[name], nan=np.inf))[:MOST]
    return [name for name in learnt if name in worst]


def _rhat(found: Fit, name: str, words: Speaker) -> str:
    column = found.details["columns"].get("R-hat")
    value = np.nan if column is None else column[found.names.index(name)]
    return words.say("figure-rhat", value=f"{value:.3f}") if np.isfinite(value) else ""


def _chains(found: Fit) -> int:
    if "chains" not in found.details or not found.details["learnt"]:
        raise UsageError("this fit has no draws by chains to show. Fit by Posterior, with a parameter to learn.")
    return int(found.details["chains"])


def _natural(axis: object, leaf: Leaf) -> None:
    """A few ticks at free coordinates, written as what they mean."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(4))  # type: ignore[attr-defined]
    axis.set_major_formatter(FuncFormatter(lambda z, _: f"{leaf.from_free(z):.2g}".replace("-", "−")))  # type: ignore[attr-defined]


def _label(axes: np.ndarray, below: str, beside: str) -> None:
    for column in axes.T:
        if seen := [panel for panel in column if panel.axison]:
            seen[-1].set_xlabel(below, fontsize=7.5)
    for panel in axes[:, 0]:
        panel.set_ylabel(beside, fontsize=7.5)
