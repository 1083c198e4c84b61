"""Forecasts past the end of the data, and forecasts from a table scored on what happened since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.readers import ReadEvents, to_history
from groundswell.data.setting import Setting
from groundswell.data.window import Window, as_date
from groundswell.errors import DataError, UsageError, nearest
from groundswell.evaluate.baselines import BASELINES
from groundswell.evaluate.compare import Candidate, Comparison, compare
from groundswell.evaluate.forecast import Forecast, extended, forecast
from groundswell.evaluate.ranking import Finding, Ranking, rank
from groundswell.infer.base import Fit, fit
from groundswell.rng import keyed
from groundswell.studies.candidates import reference_name, standard_candidates

COLUMNS = ("origin", "date", "days", "step", "place", "draw", "value")
"""Of a table of draws, as `Forecast.table` makes it: one row for each draw of each cell."""

ELSEWHERE = "elsewhere"
"""The place that stands for all that a table of draws does not name."""

NAMED = 10
"""Places that a sentence names."""


def chosen(name: str | None, setting: Setting, history: History) -> Candidate:
    """A candidate of `compare` by its name; by default the endemic-epidemic model with every local part."""
    candidates, _ = standard_candidates(setting, history)
    known = {candidate.name: candidate for candidate in candidates}
    if name is None:
        name = "endemic + within + between" if len(setting.places) > 1 else "endemic + within"
    if name not in known:
        raise UsageError(f'no model is called "{name}" here.{nearest(name, known, 3)} Known: {"; ".join(known)}.')
    return known[name]


def ahead(
    candidate: Candidate, setting: Setting, history: History, *, steps: int, draws: int, seed: int
) -> tuple[Forecast, Fit | None]:
    """Fit to everything that is known and draw the `steps` steps after it; no fit without a method."""
    source, fitted = candidate.source, None
    if candidate.method is not None:
        fitted = fit(source, setting, history, candidate.method, rng=keyed(seed, 1), fixed=candidate.fixed)
        source = fitted.model
    longer, origin = extended(setting, steps), setting.window.periods
    made = forecast(source, longer, history, origin=origin, steps=steps, draws=draws, rng=keyed(seed, 2))
    return made, fitted


@dataclass(frozen=True, eq=False)
class Recorded:
    """Forecasts from a table, as a forecaster: origin -> (S, P, K)."""

    draws: dict[int, np.ndarray]

    def paths(
        self, setting: Setting, history: History, *, draws: int, rng: np.random.Generator, series: str = "events"
    ) -> np.ndarray:
        """The draws of the origin at which the history ends, as far as the setting goes."""
        return self.draws[history.window.periods][:, :, : setting.window.periods - history.window.periods]


@dataclass(frozen=True, eq=False)
class Draws:
    """A table of draws, checked: every origin has every place, step and draw once.

    draws : last known day -> (S, P, K). places : P names. days : length of a step.
    """

    draws: dict[date, np.ndarray]
    places: tuple[str, ...]
    days: int

    @property
    def size(self) -> int:
        """S, draws of a cell."""
        return next(iter(self.draws.values())).shape[0]

    @property
    def steps(self) -> int:
        """K, steps ahead."""
        return next(iter(self.draws.values())).shape[2]


def read_draws(path: Path) -> Draws:
    """Draws from a CSV or Parquet file; DataError for a missing column, a gap or a value that is no count."""
    from pyarrow import ArrowInvalid, ArrowNotImplementedError, csv, parquet

    try:
        table = parquet.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)
    except (OSError, ArrowInvalid) as error:
        raise DataError(
            f"{path} cannot be read as a table of forecasts: {error}. Give draws.parquet or .csv."
        ) from error
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        hint = " A table of quantiles cannot be scored; give the draws." if "q50" in table.column_names else ""
        raise DataError(f'{path.name} has no column "{missing[0]}"; expected {", ".join(COLUMNS)}.{hint}')
    if twice := [name for name in COLUMNS if table.column_names.count(name) > 1]:
        raise DataError(f'{path.name} has the column "{twice[0]}" more than once, so it cannot be told which is meant.')
    if not table.num_rows:
        raise DataError(f"{path.name} holds no forecasts.")
    try:
        value, steps, draw, days = (
            _numbers(table[name], name == "value") for name in ("value", "step", "draw", "days")
        )
    except (ArrowInvalid, ArrowNotImplementedError) as error:
        raise DataError(
            f"{path.name} has a step, draw, value or number of days that is no number; each row is one draw."
        ) from error
    if not np.isfinite(value).all() or (value < 0).any() or min(steps.min(), days.min()) < 1 or draw.min() < 0:
        raise DataError(f"{path.name} has a negative or missing value, a step or days below 1, or a draw below 0.")
    if len(set(days.tolist())) > 1:
        raise DataError(f"{path.name} mixes steps of {sorted(set(days.tolist()))} days; score them one by one.")
    (place, places), (origins, known) = (_labels(table[name]) for name in ("place", "origin"))
    shape = (int(draw.max()) + 1, len(places), int(steps.max()))
    found: dict[date, np.ndarray] = {}
    for k, origin in enumerate(known):
        rows = origins == k
        cube = np.full(shape, np.nan)
        cube[draw[rows], place[rows], steps[rows] - 1] = value[rows]
        if np.isnan(cube).any() or rows.sum() != cube.size:
            raise DataError(
                f"{path.name}: the forecasts of {origin} are not one value for each of {shape[0]} draws, {shape[1]} "
                f"places and {shape[2]} steps; a row is missing or twice there."
            )
        found[as_date(origin)] = cube
    return Draws(found, places, int(days[0]))


def _numbers(column: Any, fractions: bool) -> np.ndarray:
    """A column of arrow's as numbers, whole ones unless `fractions`; what is missing as NaN or -1."""
    found = column.cast("float64").to_numpy()
    return found if fractions else np.where(np.isfinite(found), found, -1).astype(int)


def _labels(column: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """Position of each row's label among the distinct ones, and these in order of appearance."""
    coded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return coded.indices.to_numpy(zero_copy_only=False), tuple(str(label) for label in coded.dictionary.to_pylist())


@dataclass(frozen=True, eq=False)
class Scored:
    """The scores of a table beside the baselines, and what could not be scored."""

    comparison: Comparison
    ranking: Ranking
    findings: tuple[Finding, ...]


def score(
    table: Draws, read: ReadEvents, *, by: Any = "place", country: str | None = None, until: date | None, seed: int
) -> Scored:
    """Score a table of draws on a file of events, beside the baselines, which see the file up to each origin.

    by, country : as for the forecast, so that the names agree; a place of the table that the file does
    not have counts as without events. Where the file has places that the table does not name, they are scored
    as one more place, "elsewhere", for which the table forecasts 0: a surge where nobody looked is a miss.
    until : the last day that the file covers, default its last event's; steps that end later are not scored,
    and said so.
    """
    starts = [start for start in read.events["start"] if start is not None]
    if not starts:
        raise DataError(f"{read.name} holds no event.")
    first, last = read.covers or (min(starts), max(starts))
    last = until or last
    window = _window(table, first, last)
    setting, history, left_out = to_history(read, window=window, by=by, country=country)
    known = {name: i for i, name in enumerate(setting.places.name)}
    unseen = [name for name in table.places if name not in known]
    if len(unseen) == len(table.places):
        raise DataError(
            f'no place of the forecasts is in {read.name} counted by {by}: "{unseen[0]}" is not.'
            + nearest(unseen[0], known)
            + " Give the --by and --country of the forecast."
        )
    width = table.steps
    names, counts, elsewhere = _by_place(table.places, known, np.asarray(history["events"], dtype=float))
    nobody = ((0, 0), (0, len(names) - len(table.places)), (0, 0))
    draws = {
        ((day - window.start).days + 1) // table.days: np.pad(cube, nobody) for day, cube in sorted(table.draws.items())
    }
    reach = {origin: min(width, window.periods - origin) for origin in draws}
    steps = width if width in reach.values() else max(reach.values())
    scored = [origin for origin in draws if reach[origin] == steps]
    places = Places(names, np.ones(len(names)))
    comparison = compare(
        [Candidate("forecast", Recorded(draws)), *(Candidate(b.name, b) for b in BASELINES)],
        Setting(places, window), History(places, window, {"events": counts}),
        origins=scored, steps=steps, draws=table.size, rng=keyed(seed, 3),
    )  # fmt: skip
    ranking = rank(comparison, reference=reference_name(table.days))
    found = [
        Finding(
            "score-scope", {"origins": len(scored), "steps": steps, "places": len(table.places), "until": str(last)}
        )
    ]
    if len(scored) < len(draws):
        found.append(Finding("score-origins-left", {"until": str(last), "origins": len(draws) - len(scored)}))
    if steps < width:
        key = "score-step-left" if steps + 1 == width else "score-steps-left"
        found.append(Finding(key, {"until": str(last), "first": steps + 1, "last": width}))
    if unseen:
        found.append(Finding("score-places-unseen", {"count": len(unseen), "places": tuple(unseen[:NAMED])}))
    targets = sorted({origin + k for origin in scored for k in range(steps)})
    if missed := _missed(setting.places.name, elsewhere, history["events"][:, targets].sum(axis=1)):
        found.append(missed)
    if left := list(left_out["outcome"]).count("left out"):
        found.append(Finding("score-events-left", {"events": left}))
    return Scored(comparison, ranking, (*found, *ranking.findings))


def _by_place(
    wanted: tuple[str, ...], known: Mapping[str, int], recorded: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray, list[int]]:
    """The places scored, their counts, and the rows of `recorded` that fall under the last of them, "elsewhere"."""
    counts = np.zeros((len(wanted), recorded.shape[1]))
    for row, name in enumerate(wanted):
        if name in known:
            counts[row] = recorded[known[name]]
    elsewhere = [row for name, row in known.items() if name not in wanted]
    if not elsewhere:
        return wanted, counts, []
    name = ELSEWHERE
    while name in wanted:
        name += " *"
    return (*wanted, name), np.vstack([counts, recorded[elsewhere].sum(axis=0)]), elsewhere


def _missed(names: tuple[str, ...], elsewhere: list[int], events: np.ndarray) -> Finding | None:
    """What was recorded, in the steps that are scored, at places that the table does not name."""
    active = sorted((row for row in elsewhere if events[row]), key=lambda row: -events[row])
    if not active:
        return None
    values = {"events": int(events[active].sum()), "count": len(active)}
    return Finding("score-events-elsewhere", values | {"places": tuple(names[row] for row in active[:NAMED])})


def _window(table: Draws, first: date, last: date) -> Window:
    """Steps aligned with the origins, from the first whole one in the file to the last target that has ended."""
    origins = sorted(table.draws)
    if any((origin - origins[0]).days % table.days for origin in origins):
        raise DataError(f"the origins {origins[0]} to {origins[-1]} are not whole steps of {table.days} days apart.")
    after = origins[0] + timedelta(days=1)
    back = (after - first).days // table.days
    if back < 1:
        raise DataError(f"the events start {first}, the first forecast step {after}; the baselines need a past.")
    end = min(last, origins[-1] + timedelta(days=table.days * table.steps))
    ahead = (end - origins[0]).days // table.days
    if ahead < 1:
        raise DataError(
            f"no step of the forecasts has ended by {last}: the first begins {after} and lasts {table.days} days. "
            "If the file is known to cover more days, say so with --until."
        )
    return Window(after - timedelta(days=back * table.days), back + ahead, table.days)
