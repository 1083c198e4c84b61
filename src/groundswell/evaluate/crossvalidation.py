"""How well a fitted model foretells place-steps that it was not fitted to: leave-one-out and K-fold.

Two ways to one kind of result. `psis_loo` reweighs the draws of one posterior, without refitting; `k_fold`
refits to what each fold leaves. Both score by the log density of what was left out. A count that is left
out is not weighed, but it still is the past of later steps and of other places, so the question is how well
a place-step is known from its surroundings, before and after. How well the days ahead are foretold is what
`evaluate.compare` asks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.infer.base import Fit, Method, Progress, fit, silent
from groundswell.infer.convergence import arviz
from groundswell.infer.pareto import RELIABLE
from groundswell.infer.workers import Workers
from groundswell.models.base import can, require
from groundswell.params import from_vector
from groundswell.rng import keyed


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Log predictive densities of U units, each left out of the fit that foretold it.

    what : what the units are, in the plural. units : their names. log_density : (U,), higher is better.
    pareto_k : (U,), for `psis_loo` only: the shape of the tail of a unit's importance weights. notes :
    sentences that a reader must see.
    """

    what: str
    units: tuple[str, ...]
    log_density: np.ndarray
    pareto_k: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @property
    def elpd(self) -> float:
        """The sum over units, the expected log predictive density."""
        return float(self.log_density.sum())

    @property
    def standard_error(self) -> float:
        """Of the elpd, from the spread of the units as if they were independent; NaN for a single one."""
        return _error(self.log_density)

    @property
    def status(self) -> str:
        """The elpd in a sentence."""
        return f"elpd {self.elpd:.2f} (standard error {self.standard_error:.2f}) over {len(self.units):,} {self.what}."

    def table(self) -> Table:
        """A row for each unit: its name, log density and, where there is one, Pareto k."""
        columns: dict[str, Any] = {"unit": list(self.units), "log density": self.log_density.tolist()}
        if self.pareto_k is not None:
            columns["Pareto k"] = [float(k) if np.isfinite(k) else None for k in self.pareto_k]
        return Table(columns)


def difference(first: CrossValidation, second: CrossValidation) -> tuple[float, float]:
    """The first's elpd minus the second's, and its standard error from the units' own differences.

    UsageError unless both hold the same units. The error takes units as independent. Neighbouring steps
    and places are alike, so it is rather too small, and a difference of two errors is no proof.
    """
    if first.units != second.units:
        raise UsageError(
            f"the two hold different units: {len(first.units)} {first.what} and {len(second.units)} {second.what}. "
            "Only densities of the same units can be set against each other."
        )
    apart = first.log_density - second.log_density
    return float(apart.sum()), _error(apart)


def psis_loo(
    found: Fit,
    setting: Setting,
    history: History,
    *,
    over: Literal["place-step", "place"] = "place-step",
    thin: int = 1,
) -> CrossValidation:
    """Leave-one-out from one posterior, by Pareto-smoothed importance sampling.

    found : the fit of this very setting and history by a method that gives draws. over : the unit left out, one
    place-step, or one place with all its steps (its density is then the joint one). Each draw is weighed by 1
    over its density of the unit, and the tail of the weights smoothed by a generalised Pareto distribution
    whose shape k says whether the estimate can be relied on. Whole places often ask too much of it: leave
    them out by `k_fold`. thin : take every so-many-th draw. Cost: one `pointwise` a draw, and memory for draws
    times units. Paper: Vehtari, Gelman and Gabry (2017), Statistics and Computing 27.
    """
    require(found.model, "pointwise", "psis_loo")
    if over not in ("place-step", "place"):
        raise UsageError(f'over is "{over}"; expected "place-step" or "place".')
    if found.draws is None:
        raise UsageError("psis_loo reweighs draws from a posterior, and this fit has none. Fit by Posterior.")
    if history.weighed is not None:
        raise UsageError("psis_loo leaves out one unit after the other; give it the history with all of them weighed.")
    stats, draws = arviz(), found.draws[::thin]
    known = _known(found.model, setting, history)
    units = _cells(setting, known) if over == "place-step" else _places(setting, known)
    starts = np.arange(len(units)) if over == "place-step" else _first_of_each(known)
    logs = np.array([np.add.reduceat(row, starts) for row in _densities(found, draws, setting, history, known)])
    worth = np.nanmean(found.details["columns"]["bulk ESS"]) / len(found.draws) if "columns" in found.details else 1.0
    log_density, k, _ = stats.loo(logs.T[:, None, :], r_eff=min(1.0, float(worth)))
    return CrossValidation(f"{over}s", units, log_density, k, _doubts(k, units))


def time_folds(setting: Setting, count: int) -> dict[str, np.ndarray]:
    """`count` blocks of successive steps, all places together, as folds for `k_fold`."""
    steps = setting.window.periods
    if not 2 <= count < steps:
        raise UsageError(f"{count} blocks of {steps} steps: expected 2 or more, and fewer than there are steps.")
    dates, folds = setting.window.dates(), {}
    for block in np.array_split(np.arange(steps), count):
        cells = np.zeros(setting.shape, dtype=bool)
        cells[:, block] = True
        folds[f"{dates[block[0]]} to {dates[block[-1]]}"] = cells
    return folds


def place_folds(setting: Setting, count: int | None = None, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """`count` groups of places of nearly one size, drawn at random, as folds for `k_fold`; None is each alone."""
    places = len(setting.places)
    groups = places if count is None else count
    if not 2 <= groups <= places:
        raise UsageError(f"{groups} groups of {places} places: expected 2 or more, and at most one a place.")
    order = np.arange(places) if count is None else rng.permutation(places)
    folds = {}
    for group in np.array_split(order, groups):
        cells = np.zeros(setting.shape, dtype=bool)
        cells[np.sort(group)] = True
        folds[", ".join(setting.places.name[i] for i in np.sort(group))] = cells
    return folds


def k_fold(
    model: Any,
    setting: Setting,
    history: History,
    method: Method,
    folds: Mapping[str, np.ndarray],
    *,
    rng: np.random.Generator,
    fixed: Mapping[str, float] | None = None,
    over: Literal["place-step", "fold"] = "place-step",
    processes: int = 1,
    progress: Progress = silent,
) -> CrossValidation:
    """Fit without each fold in turn, and weigh what was left out of each.

    folds : name -> (P, T) bool, the place-steps left out together (`time_folds`, `place_folds`); no place-step
    in two. What a fold leaves out has no term in the likelihood; its counts still feed later steps and other
    places, in the fit and in the density. over : each place-step by itself, or each fold jointly.

    With draws (Posterior) a density is the mean over draws; without (MaximumLikelihood) it is that at the
    estimate, which makes nothing of the doubt about parameters. A random intercept of a place that is left out
    whole is 0 at that estimate, the typical place; with draws it varies as places do. A fold whose fit did not
    converge is scored all the same and noted. A fold's randomness is named by its place in `folds`. Cost: one
    fit a fold.
    """
    require(model, "pointwise", "k_fold")
    if over not in ("place-step", "fold"):
        raise UsageError(f'over is "{over}"; expected "place-step" or "fold".')
    if not folds:
        raise UsageError("no folds were given; `time_folds` and `place_folds` make them.")
    held = dict(fixed or {})
    if can(model, "prepared"):
        model = model.prepared(setting)
    known = _known(model.replacing(held), setting, history)
    if history.weighed is not None:
        known &= history.weighed
    masks = _checked(folds, setting, known)
    root = int(rng.integers(0, 2**63))
    terms, joint, notes = np.full(setting.shape, np.nan), [], []
    with Workers((_Refit, (model, setting, history, method, held)), processes) as workers:
        tasks = [(cells, cells & known, (root, number)) for number, cells in enumerate(masks)]
        for (name, _), task, found in zip(folds.items(), tasks, workers.each(tasks), strict=True):
            by_cell, together, said = found
            terms[task[1]] = by_cell
            joint.append(together)
            notes += [f"without {name}: {sentence}" for sentence in said]
            progress(len(joint) / len(folds), name)
    if over == "fold":
        return CrossValidation("folds", tuple(folds), np.array(joint), None, tuple(notes))
    scored = ~np.isnan(terms)
    return CrossValidation("place-steps", _cells(setting, scored), terms[scored], None, tuple(notes))


def held_out_places(
    found: Fit, setting: Setting, history: History, *, folds: int, rng: np.random.Generator, fixed: Mapping[str, float]
) -> np.ndarray:
    """(P, T) log density of each count under the fit to the other places, one group of places after another.

    found : the fit to all of them; every refit starts from its estimate. The counts of a place that is left out
    still feed its own later steps and the other places. NaN where the model has no density, as at the steps that it
    conditions on: two models compare on the same place-steps alone. Cost: `folds` fits from good starting values.
    """
    require(found.model, "pointwise", "held_out_places")
    out = np.full(setting.shape, np.nan)
    # what a place of its own is known by goes with it: a random intercept is back at the typical place
    start = found.model.replacing({name: 0.0 for row in getattr(found.model, "effect_names", ()) for name in row})
    for cells in place_folds(setting, folds, rng=rng).values():
        learnt = fit(start, setting, history.leaving_out(cells), found.method, rng=rng, fixed=fixed)
        rows = cells.any(axis=1)
        out[rows] = learnt.model.pointwise(setting, history)[rows]  # type: ignore[attr-defined]
    return out


class _Refit:
    """The fit without one fold; built once in every process."""

    def __init__(
        self, model: Any, setting: Setting, history: History, method: Method, fixed: Mapping[str, float]
    ) -> None:
        self.model, self.setting, self.history, self.method, self.fixed = model, setting, history, method, fixed

    def __call__(
        self, cells: np.ndarray, scored: np.ndarray, key: tuple[int, int]
    ) -> tuple[np.ndarray, float, tuple[str, ...]]:
        """Log density of each scored place-step and of all of them jointly, and what a reader must know."""
        rest = self.history.leaving_out(cells)
        found = fit(self.model, self.setting, rest, self.method, rng=keyed(*key), fixed=self.fixed)
        said = () if found.converged else (found.status,)
        if found.draws is None:
            terms = found.model.pointwise(self.setting, self.history)[scored]  # type: ignore[attr-defined]
            return terms, float(terms.sum()), said
        logs = _densities(found, found.draws, self.setting, self.history, scored)
        return _log_mean(logs), float(_log_mean(logs.sum(axis=1))), said


def _densities(found: Fit, draws: np.ndarray, setting: Setting, history: History, cells: np.ndarray) -> np.ndarray:
    """(S, U) log density of each chosen place-step under each draw."""
    return np.array([from_vector(found.model, draw).pointwise(setting, history)[cells] for draw in draws])  # type: ignore[attr-defined]


def _log_mean(logs: np.ndarray) -> np.ndarray:
    """Log of the mean over draws, the first axis."""
    from scipy.special import logsumexp

    return logsumexp(logs, axis=0) - math.log(len(logs))


def _known(model: Any, setting: Setting, history: History) -> np.ndarray:
    """(P, T) the place-steps that have a density."""
    return ~np.isnan(model.pointwise(setting, history))


def _cells(setting: Setting, which: np.ndarray) -> tuple[str, ...]:
    dates = setting.window.dates()
    return tuple(f"{setting.places.name[p]}, {dates[t]}" for p, t in zip(*np.nonzero(which), strict=True))


def _places(setting: Setting, known: np.ndarray) -> tuple[str, ...]:
    return tuple(setting.places.name[p] for p in np.flatnonzero(known.any(axis=1)))


def _first_of_each(known: np.ndarray) -> np.ndarray:
    """Where each place's terms begin in `terms[known]`."""
    sizes = known.sum(axis=1)
    return np.concatenate([[0], np.cumsum(sizes[sizes > 0])[:-1]])


def _doubts(k: np.ndarray, units: Sequence[str]) -> tuple[str, ...]:
    """The sentence on units whose estimate is not to be relied on, if any."""
    bad = np.flatnonzero(~(k <= RELIABLE))
    if not len(bad):
        return ()
    worst = bad[np.argsort(-np.nan_to_num(k[bad], nan=np.inf))][:3]
    named = "; ".join(f"{units[i]} ({k[i]:.2f})" for i in worst)
    return (
        f"Pareto k is above {RELIABLE} for {len(bad):,} of {len(units):,} units, the largest: {named}. The draws "
        "hardly visit where the posterior without such a unit lies, so its log density, and with it the elpd, is not "
        "to be relied on: leave them out by `k_fold`.",
    )


def _checked(folds: Mapping[str, np.ndarray], setting: Setting, known: np.ndarray) -> list[np.ndarray]:
    masks = []
    taken = np.zeros(setting.shape, dtype=bool)
    for name, given in folds.items():
        cells = np.asarray(given)
        if cells.shape != setting.shape or cells.dtype != bool:
            raise UsageError(
                f'fold "{name}" is {cells.dtype} of shape {cells.shape}; expected (P, T) = {setting.shape} bool.'
            )
        if (taken & cells).any():
            raise UsageError(f'fold "{name}" holds place-steps of an earlier fold; each may be left out once.')
        if not (cells & known).any():
            raise UsageError(f'fold "{name}" holds no place-step that has a density; there is nothing to score.')
        if not (known & ~cells).any():
            raise UsageError(f'fold "{name}" holds every place-step; nothing would be left to fit to.')
        taken |= cells
        masks.append(cells)
    return masks


def _error(values: np.ndarray) -> float:
    return float(np.sqrt(len(values)) * np.std(values, ddof=1)) if len(values) > 1 else math.nan
