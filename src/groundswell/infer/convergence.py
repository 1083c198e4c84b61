"""Whether chains of draws may be trusted: R-hat, effective sample sizes and divergences, against stated limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.errors import UsageError

LARGEST_RHAT = 1.01
"""Of the rank-normalised split R-hat, the larger of the one for the bulk and the one for the tails."""

SMALLEST_ESS = 400.0
"""Effective draws of every parameter, in the bulk and in the tails (5 % and 95 % quantiles)."""


@dataclass(frozen=True, eq=False)
class Convergence:
    """What the chains say of themselves.

    columns : diagnostic -> (K,), NaN for a held parameter. least : the smallest bulk ESS; infinite if all are held.
    """

    columns: Mapping[str, np.ndarray]
    least: float
    status: str
    converged: bool
    notes: tuple[str, ...]


def convergence(draws: np.ndarray, names: Sequence[str], learnt: np.ndarray, divergences: int) -> Convergence:
    """Judge draws (C, N, K), two chains or more; `learnt` are the places of the parameters that were not held.

    Ranks take the place of values, so the scale of a parameter and a heavy tail do not matter. A parameter
    that never moved has no R-hat and counts as missing the limit. Paper: Vehtari, Gelman, Simpson, Carpenter
    and Bürkner (2021), Bayesian Analysis 16, whose limits these are (the 400 recalled, not looked up).
    """
    chains, length, count = draws.shape
    rhat, bulk, tail = (np.full(count, np.nan) for _ in range(3))
    if len(learnt):
        stats, moving = arviz(), draws[:, :, learnt].transpose(2, 0, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            rhat[learnt] = stats.rhat(moving)
            bulk[learnt] = stats.ess(moving, method="bulk")
            tail[learnt] = stats.ess(moving, method="tail", prob=(0.05, 0.95))
    least = np.minimum(bulk, tail)
    apart = sorted((k for k in learnt if not rhat[k] <= LARGEST_RHAT), key=lambda k: -np.nan_to_num(rhat[k], nan=99))
    few = sorted((k for k in learnt if not least[k] >= SMALLEST_ESS), key=lambda k: least[k])
    notes = []
    if apart:
        notes.append(
            f"R-hat is above {LARGEST_RHAT} for {_listed(apart, names, rhat, '.3f')}: chains that started apart have "
            "not come together. Raise `tune` and `draws`; if that does not help, the posterior has several peaks, or a "
            "direction that neither the data nor the priors fix."
        )
    if few:
        notes.append(
            f"Fewer than {SMALLEST_ESS:g} effective draws of {_listed(few, names, least, '.0f')}: means and intervals "
            "are rough. Raise `draws`."
        )
    if divergences:
        notes.append(
            f"{divergences:,} of {chains * length:,} steps diverged: there the density bends more sharply than the "
            "sampler's steps can follow, and the region beyond may be missing from the draws. Raise `accept` towards "
            "1; if that does not help, hold a parameter or narrow its prior."
        )
    converged = not notes
    worst = "every parameter is held"
    if len(learnt):
        worst = (
            f"largest R-hat {np.max(rhat[learnt]):.3f}, fewest effective draws {np.min(bulk[learnt]):.0f} in the bulk "
            f"and {np.min(tail[learnt]):.0f} in the tails, {divergences:,} divergences"
        )
    status = f"{'Converged' if converged else 'Not converged'}: {chains} chains of {length:,} draws; {worst}."
    columns = {"R-hat": rhat, "bulk ESS": bulk, "tail ESS": tail}
    return Convergence(columns, float(np.min(bulk[learnt], initial=np.inf)), status, converged, tuple(notes))


def arviz() -> Any:
    """The array statistics of arviz-stats, or an error that says how to get them."""
    try:
        from arviz_stats.base.array import array_stats
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "arviz_stats":
            raise
        raise UsageError('This needs arviz-stats. Install it with: pip install "groundswell[bayes]"') from error
    return array_stats


def _listed(worst: Sequence[int], names: Sequence[str], values: np.ndarray, form: str) -> str:
    """The first five with their values."""
    shown = ", ".join(f"{names[k]} ({values[k]:{form}})" for k in worst[:5])
    return shown + (f" and {len(worst) - 5} more" if len(worst) > 5 else "")
