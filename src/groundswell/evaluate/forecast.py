"""Forecasts as draws: simulate on from what was known at an origin, again and again.

A forecaster is a model (its `simulate` continues a given past) or anything with the verb
`paths(setting, history, *, draws, rng, series) -> (S, P, K)`: a baseline, or a model that makes many
paths at once faster than one by one. NaN in a path marks the steps after it exploded. A day-by-day
model (`start`, `step`) makes all paths in one state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.scores import quantiles

TABLE_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class Forecast:
    """S draws of N cells; a cell is a place at a target step, seen from an origin.

    draws : (N, S). Column s is one simulated path: draws of different cells with the same origin
    belong together, so totals and joint events may be computed column by column.
    unit : (N,) place index. origin : (N,) steps that were known. step : (N,) steps ahead, 1 is the
    first unknown one. time : (N,) step of the window that is forecast, origin + step - 1.
    exploded : paths that passed the model's cap and were ended there. They stay at their last made
    step (a zero would read as calm), and a reader must be told of their number.
    """

    draws: np.ndarray
    unit: np.ndarray
    time: np.ndarray
    origin: np.ndarray
    step: np.ndarray
    places: Places
    window: Window
    series: str = "events"
    exploded: int = 0

    def __len__(self) -> int:
        return len(self.draws)

    def observed(self, history: History) -> np.ndarray:
        """(N,) what happened; DataError where the history ends before a target."""
        if len(self) and self.time.max() >= history.window.periods:
            late = self.window.dates()[int(self.time.max())]
            raise DataError(f"the history ends {history.window.end}; the forecast reaches the step of {late}.")
        return np.asarray(history[self.series], dtype=float)[self.unit, self.time]

    def together(self, functional: Literal["total", "active"]) -> Forecast:
        """One cell for each origin and target: events of all places, or the number of active places."""
        groups, position = np.unique(np.stack([self.origin, self.time]), axis=1, return_inverse=True)
        order = np.argsort(position.ravel(), kind="stable")
        starts = np.searchsorted(position.ravel()[order], np.arange(groups.shape[1]))
        # cells as `forecast` makes them are in order already, and their draws need no copy
        ordered = self.draws if (order == np.arange(len(order))).all() else self.draws[order]
        per_cell = ordered if functional == "total" else (ordered > 0).astype(float)
        draws = np.add.reduceat(per_cell, starts, axis=0)
        origin, time = groups
        return replace(
            self,
            draws=draws,
            unit=np.zeros(len(draws), dtype=int),
            time=time,
            origin=origin,
            step=time - origin + 1,
            places=Places.single(float(self.places.population.sum()), "all places"),
        )

    def by_target(self, values: np.ndarray) -> np.ndarray:
        """(N, ...) values of the cells as (G, P, ...): for each origin and target, the places in their order.

        What joint scores take: by_target(draws) and by_target(observed(history)). UsageError unless every
        origin and target holds every place once.
        """
        places = len(self.places)
        order = np.lexsort((self.unit, self.time, self.origin))
        at = (
            np.stack([self.origin, self.time], axis=1)[order].reshape(-1, places, 2)
            if len(self) % places == 0
            else None
        )
        if at is None or (at != at[:, :1]).any() or (self.unit[order].reshape(-1, places) != np.arange(places)).any():
            raise UsageError(
                f"the {len(self)} cells are not each of the {places} places once for every origin and target, so there "
                "is no joint forecast to score; give the forecast as `forecast` makes it."
            )
        shape = (-1, places, *np.shape(values)[1:])
        ordered = (order == np.arange(len(order))).all()  # as `forecast` makes them: no copy of the draws
        return np.reshape(values if ordered else np.asarray(values)[order], shape)

    def cells(self) -> dict[str, list[Any]]:
        """What each cell is: `origin` the last known day, `date` the first of the target step, of `days` days."""
        return {
            "origin": [self.window.date(self.window.step * i - 1).isoformat() for i in self.origin.tolist()],
            "date": [self.window.date(self.window.step * i).isoformat() for i in self.time.tolist()],
            "days": [self.window.step] * len(self),
            "step": self.step.tolist(),
            "place": [self.places.name[i] for i in self.unit.tolist()],
        }

    def summary(self, probabilities: Sequence[float] = TABLE_QUANTILES) -> Table:
        """Mean, share of draws with an event, and quantiles, a row for each cell."""
        columns = self.cells() | {
            "mean": self.draws.mean(axis=1).tolist(),
            "active": (self.draws > 0).mean(axis=1).tolist(),
        }
        for share, column in zip(probabilities, quantiles(self.draws, probabilities).T, strict=True):
            columns[f"q{100 * share:g}"] = column.tolist()
        return Table(columns)

    def table(self) -> Table:
        """Every draw in a row of its own (origin, date, days, step, place, draw, value): N x S rows, as arrays."""
        size = self.draws.shape[1]
        columns: dict[str, Any] = {}
        for name, values in self.cells().items():
            kind = object if isinstance(values[0], str) else None  # one text, many references to it
            columns[name] = np.repeat(np.array(values, dtype=kind), size)
        return Table(columns | {"draw": np.tile(np.arange(size), len(self)), "value": self.draws.ravel()})


def forecast(
    source: Any,
    setting: Setting,
    history: History,
    *,
    origin: int,
    steps: int,
    draws: int,
    rng: np.random.Generator,
    series: str = "events",
) -> Forecast:
    """`draws` joint paths of the `steps` steps that follow the first `origin` steps of the history.

    Only history.during(origin) reaches the forecaster. The setting does reach it up to the last
    target step: covariates, calls and the abroad series of those steps count as known in advance.
    Cells are ordered by step, then place. Errors: UsageError if the targets pass the setting's window.
    """
    if origin < 1 or steps < 1 or draws < 1 or origin + steps > setting.window.periods:
        raise UsageError(
            f"origin {origin}, steps {steps}, draws {draws}: expected 1 or more of each, and targets inside "
            f"the setting's {setting.window.periods} steps. Use `extended` to forecast past the window."
        )
    past, ahead = history.during(origin), setting.during(origin + steps)
    paths = drawn(source, ahead, past, draws=draws, rng=rng, series=series)
    paths, exploded = _held(paths, np.asarray(past[series], dtype=float)[:, -1])
    places = len(setting.places)
    if paths.shape != (draws, places, steps):
        raise UsageError(
            f"{source!r} gave paths of shape {paths.shape}; expected (S, P, K) = {(draws, places, steps)}."
        )
    step = np.repeat(np.arange(1, steps + 1), places)
    return Forecast(
        draws=paths.transpose(2, 1, 0).reshape(-1, draws),
        unit=np.tile(np.arange(places), steps),
        time=origin + step - 1,
        origin=np.full(len(step), origin),
        step=step,
        places=setting.places,
        window=setting.window,
        series=series,
        exploded=exploded,
    )


def drawn(
    source: Any, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
) -> np.ndarray:
    """(S, P, K) paths of any forecaster over the K steps by which the setting is longer than the history.

    NaN marks the steps of a path after it exploded.
    """
    if hasattr(source, "paths"):
        return source.paths(setting, history, draws=draws, rng=rng, series=series)
    if hasattr(source, "start") and hasattr(source, "step"):
        return _day_by_day(source, setting, history, draws, rng, series)
    known = history.window.periods
    return np.stack([_path(source.simulate(setting, rng=rng, given=history), known, series) for _ in range(draws)])


def steps_ahead(setting: Setting, history: History) -> int:
    """K, the steps by which the setting is longer than the history; UsageError if there is none."""
    steps = setting.window.periods - history.window.periods
    if steps < 1:
        raise UsageError("the setting must be longer than the history by the steps to forecast.")
    return steps


def _day_by_day(
    source: Any, ahead: Setting, past: History, draws: int, rng: np.random.Generator, series: str
) -> np.ndarray:
    """(S, P, K) of a day-by-day model, all draws in one state that has taken in the known days; NaN after explosion."""
    state = source.start(ahead, rng=rng, histories=draws)
    known = past.window.periods
    for day in range(known):
        state.take(day, past, rng=rng)
    paths = np.empty((draws, len(ahead.places), ahead.window.periods - known))
    for k in range(paths.shape[2]):
        state, _ = source.step(state, known + k, rng=rng)
        paths[:, :, k] = state.today[series]
        paths[state.exploded, :, k] = np.nan
    return paths


def _path(history: History, origin: int, series: str) -> np.ndarray:
    """(P, K) of one simulated history; NaN after the last step that an exploded one made."""
    path = np.array(history[series], dtype=float)
    if history.exploded:
        made = np.flatnonzero(path.any(axis=0))
        path[:, (made[-1] + 1 if made.size else 0) :] = np.nan
    return path[:, origin:]


def _held(paths: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, int]:
    """Paths whose NaN steps repeat the step before them, and how many paths had any."""
    ended = np.asarray(np.isnan(paths).any(axis=1))
    if not ended.any():
        return paths, 0
    paths = paths.copy()
    for k in range(paths.shape[2]):
        before = paths[:, :, k - 1] if k else np.broadcast_to(last, paths.shape[:2])
        paths[ended[:, k], :, k] = before[ended[:, k]]
    return paths, int(ended.any(axis=1).sum())


def extended(setting: Setting, steps: int) -> Setting:
    """The setting with `steps` more steps at its end, to forecast what lies past the data.

    Refuses a setting with covariates, calls or an abroad series: their future values are the
    user's to give, and a silent zero would be a forecast of its own.
    """
    given = [*setting.covariates] + [what for what in ("calls", "abroad") if getattr(setting, what) is not None]
    if given:
        raise UsageError(
            f"the setting has {', '.join(given)}, whose values past {setting.window.end} are not known. "
            "Build a Setting over the longer window with the values that you assume."
        )
    window = replace(setting.window, periods=setting.window.periods + steps)
    return replace(setting, window=window, later_edges=())


def rolling_origins(periods: int, *, steps: int, count: int, first: int | None = None) -> tuple[int, ...]:
    """`count` origins evenly spread from `first` to the last one with `steps` known targets.

    An origin is the number of steps known. `first` defaults to a third of the window, at least 8
    steps: earlier, there is little to learn from. Fewer origins are returned where fewer exist.
    """
    last = periods - steps
    low = max(8, periods // 3) if first is None else first
    if low < 1 or low > last or count < 1:
        raise UsageError(
            f"{count} origins from step {low}, {steps} steps ahead, in a window of {periods} steps: there is none. "
            "Use a longer window, a shorter step, or fewer steps ahead."
        )
    spread = np.linspace(low, last, min(count, last - low + 1))
    return tuple(dict.fromkeys(int(origin) for origin in np.round(spread)))


def rolling(
    source: Any,
    setting: Setting,
    history: History,
    *,
    origins: Sequence[int],
    steps: int,
    draws: int,
    generators: Sequence[np.random.Generator],
    method: Any = None,
    refit_every: int = 1,
    fixed: Mapping[str, float] | None = None,
    series: str = "events",
) -> Iterator[tuple[Forecast, Any]]:
    """A forecast from each origin, with the Fit in force; `method` refits at every `refit_every`-th origin.

    Each fit sees the history up to its origin and starts from the model's own values, not from the
    last fit, so that an estimate on a boundary cannot hold the next one there. Without a method the
    source is used as it stands and the Fit is None. One generator for each origin.
    """
    from groundswell.infer.base import fit

    current, fitted = source, None
    for i, (origin, rng) in enumerate(zip(origins, generators, strict=True)):
        if method is not None and i % refit_every == 0:
            fitted = fit(source, setting.during(origin), history.during(origin), method, rng=rng, fixed=fixed)
            current = fitted.model
        made = forecast(current, setting, history, origin=origin, steps=steps, draws=draws, rng=rng, series=series)
        yield made, fitted
