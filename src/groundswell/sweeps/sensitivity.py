"""Which parameter a summary depends on: Sobol indices of a sobol design, partial rank correlations of any other.

Both look at a configuration's mean over its seeds, which under common random numbers is a function of the
parameters; what luck adds to a single run is told apart (`luck`). Intervals tell the error of the design, not that of
few seeds: those of indices come from a bootstrap over base points, those of correlations from Fisher's z.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.rng import keyed
from groundswell.sweeps.folder import Folder
from groundswell.sweeps.tables import numbers

BOOTSTRAP_KEY = 2
"""Under the sweep's seed, beside those of `sweep`."""
RESAMPLES = 1000
RANKED = 1.06
"""Variance of Fisher's z of ranks, in that of values (Fieller, Hartley and Pearson 1957)."""
MEASURES = {True: ("first", "total"), False: ("rank correlation",)}
"""Columns of the table, for a sobol design and for any other."""
LEAST = 8
"""Base points, or configurations beyond one for each parameter, below which nothing is estimated."""


def sensitivity(folder: Folder, runs: Table, level: float = 0.9) -> Table:
    """A row for each summary and parameter, with intervals, and the share of luck in a single run's variance.

    Sobol design: `first`, the share of the variance that the parameter explains alone, and `total`, that which it
    has a part in. Other designs: `rank correlation` with the summary, given all other parameters (PRCC), -1 to 1.
    used : base points or configurations behind it. Those with a run missing, failed or exploded, or without the
    number, are left out whole. None where too few are left, or where the summary does not vary.
    """
    means, values, luck = _by_configuration(folder, runs)
    rows: list[dict[str, Any]] = []
    for name, column in zip(folder.summaries, means.T, strict=True):
        found = _sobol(folder, column, level) if folder.design == "sobol" else _prcc(folder, values, column, level)
        rows += [{"summary": name, **row, "luck": luck[name]} for row in found]
    shown = [name for what in MEASURES[folder.design == "sobol"] for name in (what, f"{what} low", f"{what} high")]
    return Table.from_rows(rows, ("summary", "parameter", *shown, "used", "luck"))


def sobol_indices(f: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """First-order and total indices (R, K) from base points f (n, K + 2): columns A, B, then A with one of B's.

    Saltelli et al. (2010), Computer Physics Communications 181, table 2: (b) for the first order, Jansen's (f) for the
    total. weights : (R, n) how often each base point counts, a row for each resample; None for once each.
    scipy.stats.sobol_indices gives the same numbers, but no bootstrap that repeats itself.
    """
    n = len(f)
    weights = np.ones((1, n)) if weights is None else weights
    f = f - f[:, :2].mean()  # the first index is an average of products, with less noise about 0
    a, b, mixed = f[:, :1], f[:, 1:2], f[:, 2:]
    share = weights / n
    mean = share @ (a + b) / 2
    variance = share @ (a**2 + b**2) / 2 - mean**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return share @ (b * (mixed - a)) / variance, share @ (a - mixed) ** 2 / (2 * variance)


def partial_rank_correlations(values: np.ndarray, summary: np.ndarray) -> np.ndarray:
    """(K,) correlation of each parameter's ranks (N, K) with the summary's (N,), the other parameters' taken out.

    Minus the entry of the inverse correlation matrix over the root of its diagonal's two; NaN if ranks are collinear.
    """
    from scipy.stats import rankdata

    ranks = rankdata(np.column_stack([values, summary]), axis=0)
    if (ranks.std(axis=0) == 0).any():
        return np.full(values.shape[1], np.nan)
    correlation = np.corrcoef(ranks.T)
    if np.linalg.cond(correlation) > 1e10:
        return np.full(values.shape[1], np.nan)
    inverse = np.linalg.inv(correlation)
    return -inverse[:-1, -1] / np.sqrt(np.diag(inverse)[:-1] * inverse[-1, -1])


def _by_configuration(folder: Folder, runs: Table) -> tuple[np.ndarray, np.ndarray, dict[str, float | None]]:
    """Means over the seeds (N, S), NaN unless every seed has the number; parameters (N, K); shares of luck."""
    at, seed = (np.array(runs[name], dtype=int) for name in ("configuration", "seed"))
    exploded = np.array([bool(value) for value in runs["exploded"]])
    values = np.full((folder.configurations, len(folder.parameters)), np.nan)
    for k, name in enumerate(folder.parameters):
        values[at, k] = numbers(runs, name)
    means, luck = np.full((folder.configurations, len(folder.summaries)), np.nan), {}
    for k, name in enumerate(folder.summaries):
        every = np.full((folder.configurations, folder.seeds), np.nan)
        every[at, seed] = np.where(exploded, np.nan, numbers(runs, name))
        means[:, k] = every.mean(axis=1)
        luck[name] = _luck(every[np.isfinite(means[:, k])])
    return means, values, luck


def _luck(every: np.ndarray) -> float | None:
    """Share of a single run's variance that lies between seeds within a configuration (N, seeds); None of one seed."""
    count, seeds = every.shape
    if seeds < 2 or count < 2:
        return None
    within = float(every.var(axis=1, ddof=1).mean())
    between = max(0.0, float(every.mean(axis=1).var(ddof=1)) - within / seeds)
    return within / (within + between) if within + between > 0 else None


def _sobol(folder: Folder, column: np.ndarray, level: float) -> list[dict[str, Any]]:
    """Rows of one summary from its means by configuration (N,)."""
    f = column.reshape(-1, len(folder.parameters) + 2)
    f = f[np.isfinite(f).all(axis=1)]
    columns: dict[str, np.ndarray] = {}
    if len(f) >= LEAST and float(f[:, :2].std()) > 0:
        counts = keyed(folder.seed, BOOTSTRAP_KEY).multinomial(len(f), np.full(len(f), 1 / len(f)), RESAMPLES)
        for name, at, spread in zip(MEASURES[True], sobol_indices(f), sobol_indices(f, counts), strict=True):
            columns |= _with_interval(name, at[0], spread, level)
    return _rows(folder, columns, len(f))


def _prcc(folder: Folder, values: np.ndarray, column: np.ndarray, level: float) -> list[dict[str, Any]]:
    """Rows of one summary from its means by configuration (N,) and the parameters (N, K)."""
    known = np.isfinite(column)
    values, column = values[known], column[known]
    columns: dict[str, np.ndarray] = {}
    if len(column) >= LEAST + len(folder.parameters):
        from scipy.special import ndtri

        at = partial_rank_correlations(values, column)
        reach = float(ndtri((1 + level) / 2)) * np.sqrt(RANKED / (len(column) - len(at) - 2))
        middle = np.arctanh(np.clip(at, -1 + 1e-12, 1 - 1e-12))
        name = MEASURES[False][0]
        columns = {name: at, f"{name} low": np.tanh(middle - reach), f"{name} high": np.tanh(middle + reach)}
    return _rows(folder, columns, len(column))


def _with_interval(name: str, at: np.ndarray, spread: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """The estimate (K,) and quantiles of its resamples (R, K), those without a value left out."""
    kept = spread[np.isfinite(spread).all(axis=1)]
    ends = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2], axis=0) if len(kept) else np.full((2, len(at)), np.nan)
    return {name: at, f"{name} low": ends[0], f"{name} high": ends[1]}


def _rows(folder: Folder, columns: dict[str, np.ndarray], used: int) -> list[dict[str, Any]]:
    def told(value: float) -> float | None:
        return float(value) if np.isfinite(value) else None

    return [
        {"parameter": name, **{what: told(column[k]) for what, column in columns.items()}, "used": used}
        for k, name in enumerate(folder.parameters)
    ]
