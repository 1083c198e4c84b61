"""Penalised likelihood: models with random effects, whose variance is estimated with the rest.

Given the variances, the fixed and the random effects b together maximise

    log density(counts | fixed effects, b) - 1/2 sum over places of b_i' S^-1 b_i

S the covariance of a place's effects. Given both, S maximises the marginal log density in Laplace's approximation,

    -1/2 sum of b_i' S^-1 b_i - P/2 log det S - 1/2 log det F(S)

F the information of the penalised log density. The two steps take turns until nothing moves. This is the
estimator of Paul and Held (2011), Statistics in Medicine 30, section 3, and of the R package surveillance.

A place's own parameters meet those of no other place, so F has the shape of an arrow, and a step costs
O(P) and not O(P^3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.errors import UsageError
from groundswell.infer.base import Fit, Progress, provenance, silent
from groundswell.infer.curvature import SUSPECT, examine
from groundswell.infer.penalised_search import Search
from groundswell.infer.windows import Observed, Settings, Waves, remarks_of, windows
from groundswell.models.base import can, require
from groundswell.params import Leaf, from_vector


@dataclass(frozen=True)
class PenalisedLikelihood:
    """A fit of a model with random effects.

    tolerance : the fixed and random effects have converged when a Newton step promises less gain in penalised log
    density; the variances when none moves by more than the square root of it, in relative terms.
    rounds : the most turns between effects and variances.

    The Fit's log_density is the penalised one at the estimate; details has "marginal" (Laplace, without the terms
    that no variance changes) and "conditional" (of the counts given all effects). There is no AIC: the number of
    parameters is not a number here. Standard errors allow for the doubt in everything else, that of the variances
    included; the estimates themselves are those of a mode, and a little biased.
    """

    tolerance: float = 1e-10
    rounds: int = 200

    def fit(
        self,
        model: Any,
        setting: Settings,
        observed: Observed,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress = silent,
    ) -> Fit:
        """See `infer.base.fit`. Draws nothing from rng. Cost: some 20 to 100 values and curvatures."""
        require(model, "likelihood", "PenalisedLikelihood")
        waves = windows(setting, observed, "PenalisedLikelihood")
        if not can(model, "effects_density") or not model.effect_names:
            raise UsageError(f"{type(model).__name__} has no random effects here; use MaximumLikelihood.")
        search = Search(model, waves, fixed)
        at, spread, settled, laps = search.rest(self.tolerance, self.rounds, progress)
        progress(1.0, "done")
        return _result(self, model, search, at, spread, waves, settled, laps)


class _Shared:
    """Minus the penalised log density in the shared parameters alone, the others as they are."""

    def __init__(self, search: Search, at: np.ndarray, spread: np.ndarray) -> None:
        self.leaves: Sequence[Leaf] = [search.leaves[k] for k in search.shared_at]
        self._value, self._rest, self._spread = search.value, at[len(self.leaves) :], spread

    def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = self._value(np.concatenate([at, self._rest]), self._spread)
        return value, slope[: len(at)]


def _result(
    method: PenalisedLikelihood,
    model: Any,
    search: Search,
    at: np.ndarray,
    spread: np.ndarray,
    waves: Waves,
    converged: bool,
    rounds: int,
) -> Fit:
    x = search.natural(at, spread)
    found = from_vector(model, x)
    free = search.blocks(at, spread)
    marginal = search.marginal(at, spread, free)[0]
    penalised = free._replace(own=free.own + search.precision(x))
    size = len(search.shared_at)
    shared, notes = examine(_Shared(search, at, spread), at[:size], penalised.reduced()[0])
    covariance_ = np.zeros((len(x), len(x)))
    inner = penalised.covariance(shared)
    names = tuple(leaf.name for leaf in search.leaves)
    lost = [names[k] for k, v in zip(search.inner_at[size:], np.diag(inner)[size:], strict=True) if v > SUSPECT**2]
    if lost:
        unsure = np.isin([names[k] for k in search.inner_at], lost)
        inner[unsure] = inner[:, unsure] = np.nan
        notes += (f"{len(lost)} parameters of single places are not determined by the data, {lost[0]} among them.",)
    slopes = np.ones(len(at))
    for n in search.bent:
        slopes[n] = search.leaves[search.inner_at[n]].slope(float(at[n]))
    spread_covariance, followed = _doubt(search, at, spread)
    by_free = np.array([search.leaves[k].slope(float(f)) for k, f in zip(search.free_spread, spread, strict=True)])
    inner += followed.T @ np.nan_to_num(spread_covariance) @ followed
    covariance_[np.ix_(search.inner_at, search.inner_at)] = inner * np.outer(slopes, slopes)
    covariance_[np.ix_(search.free_spread, search.free_spread)] = spread_covariance * np.outer(by_free, by_free)
    notes += _spread_notes(search, spread, x, covariance_) + remarks_of(found, waves)
    value = -search.value(at, spread)[0]
    if not converged:
        notes = ("The search ended before effects and variances were at rest: do not rely on the estimates.", *notes)
    return Fit(
        model=found,
        method=method,
        names=names,
        estimate=x,
        standard_error=np.sqrt(np.diag(covariance_)),
        log_density=value,
        status=(
            f"{'Converged' if converged else 'Not converged'} in {rounds} rounds and {search.evaluations} evaluations: "
            f"penalised log density {value:.6g}, {size + len(spread)} free parameters beside "
            f"{search.where.effects.size} random effects."
        ),
        converged=converged,
        notes=notes,
        covariance=covariance_,
        details={
            "marginal": marginal,
            "conditional": float(search.likelihood(x)[0]),
            "free": size + len(spread),
            "rounds": rounds,
            "evaluations": search.evaluations,
        },
        provenance=provenance(method, found, [history for _, history in waves]),
    )


def _doubt(search: Search, at: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance (S, S) of the variances' free coordinates, and how the effects (S, inner) follow them.

    The slopes by which the variances are found change with a variance both directly and through the effects, which
    follow it; without the second the standard errors would be those of variances whose effects are known.
    NaN for what is at the end of its range, and for all where the slopes do not fall.
    """
    count = len(spread)
    inside = np.flatnonzero((spread > search.lowest) & (spread < search.highest))
    followed, falls = np.zeros((count, len(at))), np.zeros((count, count))
    for k in map(int, inside):
        followed[k], falls[k] = search.response(at, spread, k)
    information = -(falls + falls.T)[np.ix_(inside, inside)] / 2
    found = np.full((count, count), np.nan)
    if np.linalg.eigvalsh(information).min(initial=1.0) > 0:
        found[np.ix_(inside, inside)] = np.linalg.inv(information)
    return found, followed


def _spread_notes(search: Search, spread: np.ndarray, x: np.ndarray, covariance_: np.ndarray) -> tuple[str, ...]:
    """A sentence for every sd and correlation that the data do not determine; its standard error is NaN."""
    notes = []
    for k, free, low, high in zip(search.free_spread, spread, search.lowest, search.highest, strict=True):
        name = search.leaves[k].name
        if low < free < high:
            if np.isnan(covariance_[k, k]):
                notes.append(f"{name} = {x[k]:.3g} has no standard error: the marginal density has no peak there.")
        elif k in search.where.sd:
            notes.append(
                f"{name} ran down to {x[k]:.3g}, where the search ends: the places differ by no more than chance. "
                "Leave these random intercepts out."
            )
        else:
            notes.append(
                f"{name} ran to {x[k]:.3g}, where the search ends: the data cannot tell it from {np.sign(x[k]):g}. "
                "Leave the correlation out, or hold it with `fixed`."
            )
    return tuple(notes)
