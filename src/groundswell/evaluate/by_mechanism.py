"""Pairs of models that differ by one mechanism: what it changes on held-out dates, in sample and on held-out places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.evaluate.by_groups import ratio
from groundswell.evaluate.compare import Candidate, Comparison
from groundswell.evaluate.doubt import TOO_FEW, Doubt, coincide, side

SMALL = 4.0
"""Nats over all held-out counts: two whose log densities are less apart say nearly the same, whatever the spread.

Sivula, Magnusson, Matamoros and Vehtari, Uncertainty in Bayesian leave-one-out cross-validation based model comparison,
arXiv 2008.10296. What it costs to learn a parameter that is not needed is less, and exact densities would see it.
"""

DATES_COLUMNS = ("log gain", "low", "high", "by", "verdict")
PLACES_COLUMNS = ("places gain", "places low", "places high", "on places")


def mechanisms(comparison: Comparison, doubt: Doubt) -> Table:
    """Every pair of one family that differs by exactly one mechanism."""
    scored = [c for c in comparison.candidates if c.family and c.name in comparison.names]
    rows: list[dict[str, Any]] = []
    for without in scored:
        for full in scored:
            added = full.mechanisms - without.mechanisms
            if full.family != without.family or len(added) != 1 or not without.mechanisms < full.mechanisms:
                continue
            rows.append(
                {
                    "mechanism": next(iter(added)),
                    "without": without.name,
                    "with": full.name,
                    **_on_dates(full.name, without.name, comparison, doubt),
                    "AIC change": _aic_change(full, without, comparison),
                    **_on_places(full.name, without.name, comparison, doubt.level),
                }
            )
    columns = ("mechanism", "without", "with", *DATES_COLUMNS, "AIC change")
    return Table.from_rows(rows, columns + (PLACES_COLUMNS if comparison.by_place else ()))


def same_cells(name: str, other: str, densities: Mapping[str, np.ndarray]) -> bool | None:
    """Whether two candidates have densities of the same place-steps; None where one has none held out."""
    mine, theirs = (densities.get(each) for each in (name, other))
    return None if mine is None or theirs is None else bool((np.isnan(mine) == np.isnan(theirs)).all())


def _on_dates(name: str, other: str, comparison: Comparison, doubt: Doubt) -> dict[str, Any]:
    """Mean gain in held-out log score per count, its interval over groups of origins, and what it says.

    By the densities of the counts that are forecast, each given the counts of all earlier steps, where both have them:
    together they are the log score of the whole forecast, which sees what moves together, and no luck of draws is in
    them. Else by the draws of single counts, K steps ahead as they are.
    """
    known = _both(name, other, comparison.by_date)
    if known is None:
        by_draws = (*doubt.gain("log", name, other), "draws", doubt.verdict(name, other))
        return dict(zip(DATES_COLUMNS, by_draws, strict=True))
    apart, cells = (each.sum(axis=1) for each in known)
    some = cells.any(axis=1)
    found = ratio(
        apart[some].sum(axis=1),
        cells[some].sum(axis=1),
        np.unique(doubt.group[some], return_inverse=True)[1],
        doubt.level,
    )
    same = abs(doubt.once(apart)) < SMALL or coincide(name, other, comparison)
    return dict(zip(DATES_COLUMNS, (*found, "densities", side(*found[1:], same)), strict=True))


def _on_places(name: str, other: str, comparison: Comparison, level: float) -> dict[str, Any]:
    """Mean gain in log density per place-step of places left out of the fit, by Student's t over places.

    Nothing where the two have densities of different place-steps, since their sums do not compare, or where one holds
    a count for impossible.
    """
    known = _both(name, other, comparison.by_place)
    if known is None:
        return {}
    apart, cells = (each.sum(axis=1) for each in known)
    apart, cells = apart[cells > 0], cells[cells > 0]
    found = ratio(apart, cells, np.arange(len(cells)), level)
    verdict = side(*found[1:], abs(apart.sum()) < SMALL or coincide(name, other, comparison))
    return {} if verdict == TOO_FEW else dict(zip(PLACES_COLUMNS, (*found, verdict), strict=True))


def _both(name: str, other: str, densities: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """By how much `name` gives more log density than `other`, 0 where neither has one, and where both have.

    None unless both have densities of the same place-steps, and hold none of these counts for impossible.
    """
    if not same_cells(name, other, densities):
        return None
    mine, theirs = densities[name], densities[other]
    known = ~np.isnan(mine)
    if not (known.any() and np.isfinite(mine[known]).all() and np.isfinite(theirs[known]).all()):
        return None
    return np.where(known, mine - theirs, 0.0), known


def aic(candidate: Candidate, comparison: Comparison) -> float | None:
    """Of the fit to the whole window; None for what has no maximum of a likelihood, random effects among them."""
    fitted = comparison.fits.get(candidate.name)
    return None if fitted is None else fitted.details.get("aic")


def aic_of(candidate: Candidate, comparison: Comparison) -> str | None:
    """The data that this AIC is of, as "counts" or, where the fit says how many, "595 counts"; None without one.

    A model that conditions on more first steps weighs fewer counts, and its AIC compares with no other's.
    """
    if aic(candidate, comparison) is None:
        return None
    number = comparison.fits[candidate.name].details.get("observations")
    return candidate.observes if number is None else f"{number} {candidate.observes}"


def _aic_change(full: Candidate, without: Candidate, comparison: Comparison) -> float | None:
    """None unless both have an AIC, and of the same data as far as is known."""
    mine, theirs = aic(full, comparison), aic(without, comparison)
    if mine is None or theirs is None or full.observes != without.observes:
        return None
    known = [comparison.fits[each.name].details.get("observations") for each in (full, without)]
    return mine - theirs if None in known or known[0] == known[1] else None
