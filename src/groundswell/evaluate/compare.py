"""compare(candidates): forecast the same held-out dates with each, and keep what they lost.

Rankings, skills, intervals and sentences are read off the result in `ranking`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import GroundswellError, GroundswellWarning, UsageError
from groundswell.evaluate.by_groups import overlapping
from groundswell.evaluate.calibration import Calibration, assessed
from groundswell.evaluate.count_forecast import Drawn
from groundswell.evaluate.crossvalidation import held_out_places
from groundswell.evaluate.forecast import Forecast, rolling
from groundswell.evaluate.joint_scores import JOINT_SCORES
from groundswell.evaluate.scores import CELL_SCORES, brier_at_least, interval_covers, threshold_weighted_crps
from groundswell.infer.base import Fit, Progress, fit, silent
from groundswell.models.base import can
from groundswell.rng import keyed

PLACES_SCORE = "brier_places"
JOINT = (PLACES_SCORE, *(score.name for score in JOINT_SCORES))
"""Scores with one value for each origin and target step, over all places; a setting of one place has none."""

ABOVE = "crps_above"
BUSY = 0.9
"""The share of early cells that the default threshold of the CRPS reaches."""

COVERED = "covered"
COVERAGE_LEVEL = 0.8
FORECAST_KEY, PLACES_KEY, FIT_KEY = 0, 1, 2
"""Name the randomness of forecasts, of the groups of places and of the last fit, the same for every candidate."""

FIT_WORK = 10.0
"""What a candidate that is fitted counts for in the progress, a baseline counting 1; a guess."""


@dataclass(frozen=True)
class Candidate:
    """A forecaster under comparison.

    source : a model or a baseline. method : how a model is refitted at the origins; None uses it as
    it stands. family, mechanisms : candidates of one family that differ by one mechanism are set
    against each other to say whether that mechanism earns its keep.
    observes : what the likelihood is a density of ("counts", "times"); AIC compares only like with like.
    fixed : dotted names of parameters held at a value in every fit.
    """

    name: str
    source: Any
    method: Any = None
    family: str = ""
    mechanisms: frozenset[str] = frozenset()
    observes: str = "counts"
    fixed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What M candidates lost in their forecasts from O origins, summed over the cells of each origin.

    losses : score name -> (M, O). cells : score name -> (O,) how many cells an origin's sum holds. "covered" is
    no loss: it counts the cells inside the central 80 % interval. horizon : score name -> (M, K) mean loss by
    steps ahead.
    fits : the fit to the whole window, for candidates with a method; failed, notes : sentences by
    candidate. totals : candidate -> forecasts of the events of all places, for the fan. calibration : candidate ->
    how its forecasts of single cells kept their promises, by origin.
    by_date : candidate -> (O, P, K) log density of each count that is forecast, given all counts of earlier steps, by
    the model in force at the origin, where it has such (`pointwise`; of arrests too where it weighs them). Their sum
    at an origin is the log score of the joint forecast of all places and steps, without draws: prequential, Dawid
    (1984), Journal of the Royal Statistical Society A 147. by_place : candidate -> (P, T) log density of each count
    under the fit to other places, where the model has such (`held_out_places`).
    places_active : the k of the Brier score for "k or more places active", or None. threshold : of the
    threshold-weighted CRPS.
    """

    candidates: tuple[Candidate, ...]
    setting: Setting
    history: History
    origins: tuple[int, ...]
    steps: int
    draws: int
    losses: Mapping[str, np.ndarray]
    cells: Mapping[str, np.ndarray]
    horizon: Mapping[str, np.ndarray]
    fits: Mapping[str, Fit]
    failed: Mapping[str, str]
    notes: Mapping[str, tuple[str, ...]]
    totals: Mapping[str, tuple[Forecast, ...]]
    calibration: Mapping[str, Calibration]
    by_date: Mapping[str, np.ndarray]
    by_place: Mapping[str, np.ndarray]
    places_active: int | None
    threshold: float
    series: str = "events"

    @property
    def names(self) -> tuple[str, ...]:
        """The M candidates that could be scored, in the order given."""
        return tuple(c.name for c in self.candidates if c.name not in self.failed)

    def index(self, name: str) -> int:
        """Row of a candidate in the loss arrays; UsageError with the reason if it has none."""
        if name in self.failed:
            raise UsageError(f"{name} could not be scored: {self.failed[name]}")
        if name not in self.names:
            raise UsageError(f'"{name}" is not among the candidates: {", ".join(self.names)}.')
        return self.names.index(name)

    def fan(self) -> Table:
        """Forecasts of the total by candidate, origin and date, with what happened."""
        rows: list[dict[str, Any]] = []
        total = self.history[self.series].sum(axis=0)
        for name, forecasts in self.totals.items():
            for made in forecasts:
                for row, time in zip(made.summary().rows(), made.time.tolist(), strict=True):
                    rows.append({"model": name, **row, "observed": float(total[time])})
        return Table.from_rows(rows)


@dataclass(frozen=True, eq=False)
class _Task:
    """Everything that one candidate's evaluation needs, so that it can run in a process of its own."""

    setting: Setting
    history: History
    origins: tuple[int, ...]
    steps: int
    draws: int
    refit_every: int
    series: str
    root: int
    places_active: int | None
    threshold: float
    place_folds: int


@dataclass(frozen=True, eq=False)
class _Outcome:
    """losses : score -> (O, K) sums over places; None, with the reason in `failure`, where it failed."""

    losses: Mapping[str, np.ndarray] | None
    totals: tuple[Forecast, ...] = ()
    calibration: Calibration | None = None
    fit: Fit | None = None
    notes: tuple[str, ...] = ()
    failure: str = ""
    by_date: np.ndarray | None = None
    by_place: np.ndarray | None = None


def compare(
    candidates: Sequence[Candidate],
    setting: Setting,
    history: History,
    *,
    origins: Sequence[int],
    steps: int,
    draws: int = 500,
    rng: np.random.Generator,
    refit_every: int = 1,
    series: str = "events",
    threshold: float | None = None,
    place_folds: int = 5,
    processes: int = 1,
    progress: Progress = silent,
) -> Comparison:
    """Forecast `steps` steps from every origin with every candidate, and score each place and step.

    Every candidate sees the same past and is scored on the same cells; one that raises a
    GroundswellError at any origin is listed in `failed` with the reason and takes no part, since a
    score over fewer cells is not comparable. Randomness is keyed by the origin alone: candidates share
    their luck, so that two which forecast the same draw the same, and another order, more candidates,
    other names or more `processes` change no draw.

    The k of "k or more places active" is the mean number of active places before the first origin,
    rounded up and at least 2, so that it depends on nothing that is scored; None with one place.
    threshold : of the threshold-weighted CRPS, in the unit of the series. None: the count that nine in
    ten cells (a place at a step) before the first origin do not exceed, at least 1; fixed in the
    same way, before anything that is scored.
    place_folds : groups of places, each left out of a fit once, for candidates whose model can say how likely
    each place's counts are; 0 for none, and none where there are fewer than two places a group.
    Cost: origins x (fit / refit_every + draws x simulate + one density) + place_folds x fit for each candidate.
    """
    _check(candidates, origins, refit_every)
    early = history[series][:, : origins[0]]
    places_active = None if len(setting.places) == 1 else max(2, int(np.ceil((early > 0).sum(axis=0).mean())))
    if threshold is None:
        threshold = max(1.0, float(np.quantile(early, BUSY, method="inverted_cdf")))
    root = int(rng.integers(2**63))
    if len(setting.places) < 2 * place_folds:
        place_folds = 0
    task = _Task(
        setting, history, tuple(origins), steps, draws, refit_every, series, root, places_active, threshold, place_folds
    )
    outcomes = dict(zip([c.name for c in candidates], _run(candidates, task, processes, progress), strict=True))
    scored = {name: outcome.losses for name, outcome in outcomes.items() if outcome.losses is not None}
    if not scored:
        reasons = " ".join(f"{name}: {outcome.failure}" for name, outcome in outcomes.items())
        raise UsageError(f"no candidate could be scored. {reasons}")

    kinds = list(next(iter(scored.values())))
    size = {kind: 1 if kind in JOINT else len(setting.places) for kind in kinds}
    return Comparison(
        candidates=tuple(candidates), setting=setting, history=history, origins=tuple(origins), steps=steps,
        draws=draws,
        losses={kind: np.stack([losses[kind].sum(axis=1) for losses in scored.values()]) for kind in kinds},
        cells={kind: np.full(len(origins), steps * size[kind]) for kind in kinds},
        horizon={
            kind: np.stack([losses[kind].mean(axis=0) / size[kind] for losses in scored.values()]) for kind in kinds
        },
        fits={name: outcome.fit for name, outcome in outcomes.items() if outcome.fit is not None},
        failed={name: outcome.failure for name, outcome in outcomes.items() if outcome.losses is None},
        notes={name: outcomes[name].notes for name in scored},
        totals={name: outcomes[name].totals for name in scored},
        calibration={name: found for name in scored if (found := outcomes[name].calibration) is not None},
        by_date={name: found for name in scored if (found := outcomes[name].by_date) is not None},
        by_place={name: found for name in scored if (found := outcomes[name].by_place) is not None},
        places_active=places_active, threshold=threshold, series=series,
    )  # fmt: skip


def _run(candidates: Sequence[Candidate], task: _Task, processes: int, progress: Progress) -> list[_Outcome]:
    work = np.cumsum([0.0, *(1.0 if c.method is None else FIT_WORK for c in candidates)])
    found: list[_Outcome] = []
    if processes == 1:
        for k, candidate in enumerate(candidates):
            mine = partial(_within, progress, work[k] / work[-1], work[k + 1] / work[-1])
            found.append(_evaluate(candidate, task, mine))
        return found
    from joblib import Parallel, delayed

    made: Any = Parallel(n_jobs=processes, return_as="generator")(delayed(_evaluate)(c, task) for c in candidates)
    for k, (candidate, outcome) in enumerate(zip(candidates, made, strict=True)):
        found.append(outcome)
        progress(work[k + 1] / work[-1], candidate.name)
    return found


def _within(progress: Progress, start: float, end: float, share: float, words: str) -> None:
    progress(start + (end - start) * share, words)


def _evaluate(candidate: Candidate, task: _Task, progress: Progress = silent) -> _Outcome:
    """Roll one candidate over the origins, then fit it to the whole window."""
    fitted, by_place = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", GroundswellWarning)
        try:
            made = rolling(
                candidate.source, task.setting, task.history, origins=task.origins, steps=task.steps,
                draws=task.draws, generators=[keyed(task.root, FORECAST_KEY, origin) for origin in task.origins],
                method=candidate.method, refit_every=task.refit_every, fixed=candidate.fixed, series=task.series,
            )  # fmt: skip
            scored = _score_all(candidate.source, _counted(made, len(task.origins), candidate.name, progress), task)
            notes = scored.notes
            if candidate.method is not None:
                fitted = fit(
                    candidate.source, task.setting, task.history, candidate.method,
                    rng=keyed(task.root, FIT_KEY), fixed=candidate.fixed,
                )  # fmt: skip
                notes += tuple(_remarks(fitted))
                if task.place_folds and fitted.converged and can(fitted.model, "pointwise"):
                    by_place = held_out_places(
                        fitted, task.setting, task.history,
                        folds=task.place_folds, rng=keyed(task.root, PLACES_KEY), fixed=candidate.fixed,
                    )  # fmt: skip
        except GroundswellError as error:
            return _Outcome(None, failure=str(error))
    ours = [w for w in caught if issubclass(w.category, GroundswellWarning)]
    for warning in caught:
        if warning not in ours:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    said = tuple(dict.fromkeys([*notes, *(str(w.message) for w in ours)]))
    return replace(scored, fit=fitted, notes=said, by_place=by_place)


def _counted(
    made: Iterable[tuple[Forecast, Fit | None]], origins: int, name: str, progress: Progress
) -> Iterator[tuple[Forecast, Fit | None]]:
    """The same forecasts, with a word after each."""
    for k, one in enumerate(made):
        yield one
        progress((k + 1) / origins, name)


def _score_all(source: Any, made: Iterable[tuple[Forecast, Fit | None]], task: _Task) -> _Outcome:
    """Totals, losses summed over places (score -> (O, K)), densities, calibration and remarks, over the forecasts."""
    rows: dict[str, list[np.ndarray]] = {}
    totals: list[Forecast] = []
    kept: list[tuple[np.ndarray, ...]] = []
    by_date: list[np.ndarray | None] = []
    exploded, unsure, refused = 0, 0, ""
    for forecast, fitted in made:
        observed = forecast.observed(task.history)
        draws = np.sort(forecast.draws, axis=1)  # once, for all that looks at one cell at a time
        found = {score.name: score.losses(draws, observed) for score in CELL_SCORES}
        found[ABOVE] = threshold_weighted_crps(draws, observed, task.threshold)
        found[COVERED] = interval_covers(draws, observed, COVERAGE_LEVEL).astype(float)
        for name, values in found.items():
            rows.setdefault(name, []).append(forecast.by_target(values).sum(axis=1))
        if task.places_active is not None:
            paths, seen = forecast.by_target(forecast.draws), forecast.by_target(observed)
            active = brier_at_least((paths > 0).sum(axis=1), (seen > 0).sum(axis=1), task.places_active)
            rows.setdefault(PLACES_SCORE, []).append(active)
            for score in JOINT_SCORES:
                rows.setdefault(score.name, []).append(score.losses(paths, seen))
        totals.append(forecast.together("total"))
        kept.append(assessed(Drawn(draws), observed))
        try:
            by_date.append(_densities(source if fitted is None else fitted.model, int(forecast.origin[0]), task))
        except GroundswellError as error:  # it forecasts all the same
            by_date.append(None)
            refused = str(error)
        exploded += forecast.exploded
        unsure += fitted is not None and not fitted.converged
    notes = []
    if exploded:
        paths = sum(total.draws.shape[1] for total in totals)
        notes.append(f"{exploded} of {paths} simulated paths passed the model's cap and were ended there.")
    if unsure:
        notes.append(
            f"the fit in force did not converge at {unsure} of {len(totals)} origins; they are scored all the same."
        )
    if refused:
        notes.append(f"its mechanisms are judged by draws, since held-out counts have no density here: {refused}")
    calibration = Calibration.gathered(kept, overlapping(task.origins, task.steps))
    known = [each for each in by_date if each is not None]
    return _Outcome(
        {k: np.stack(v) for k, v in rows.items()}, tuple(totals), calibration, notes=tuple(notes),
        by_date=np.stack(known) if len(known) == len(by_date) else None,
    )  # fmt: skip


def _densities(model: Any, origin: int, task: _Task) -> np.ndarray | None:
    """(P, K) log density of each count that is forecast from `origin`, given those of earlier steps; None without."""
    if task.series != "events" or not can(model, "pointwise"):
        return None
    until = origin + task.steps
    return model.pointwise(task.setting.during(until), task.history.during(until))[:, origin:]


def _remarks(fitted: Fit) -> list[str]:
    return [*([] if fitted.converged else [fitted.status]), *fitted.notes]


def _check(candidates: Sequence[Candidate], origins: Sequence[int], refit_every: int) -> None:
    names = [candidate.name for candidate in candidates]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"candidates are called {', '.join(names) or 'nothing'}; expected one or more distinct names.")
    if not len(origins) or list(origins) != sorted(set(origins)):
        raise UsageError("origins must rise and there must be at least one.")
    if refit_every < 1:
        raise UsageError(f"refit_every is {refit_every}; expected 1 or more origins.")
