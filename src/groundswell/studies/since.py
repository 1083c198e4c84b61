"""What changed since an earlier run of `forecast`: how it did, which forecasts moved, what the record now says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.readers import ReadEvents
from groundswell.data.table import Table
from groundswell.data.window import as_date
from groundswell.errors import DataError
from groundswell.evaluate.compare import COVERAGE_LEVEL
from groundswell.evaluate.forecast import Forecast
from groundswell.evaluate.ranking import Finding
from groundswell.evaluate.scores import interval_covers
from groundswell.studies.forecasting import Draws, Scored, read_draws, score

NAMED = 5
"""Places that a sentence names."""


@dataclass(frozen=True, eq=False)
class Earlier:
    """A run of `forecast` as its folder holds it.

    origin : its last known day. counted : what its counts are of (by, country, step_days), which must be the
    same to compare. recorded : events of all places by first day of the step, as they were known then;
    empty for a run without a report.
    """

    folder: Path
    origin: date
    model: str
    counted: Mapping[str, Any]
    draws: Draws
    recorded: Mapping[date, float]


def latest_before(folder: Path, origin: date, counted: Mapping[str, Any]) -> Earlier | None:
    """The run of the same counts with the latest origin before `origin`, in `folder` or a folder beside it.

    By origin and not by the clock, so that a run that is repeated finds the same one again.
    """
    beside = sorted(path for path in folder.parent.iterdir() if path.is_dir()) if folder.parent.is_dir() else []
    found: list[tuple[date, Path]] = []
    for path in dict.fromkeys([folder, *beside]):
        try:
            result = _result(path)
        except DataError:
            continue
        if result["counted"] == counted and as_date(result["origin"]) < origin:
            found.append((as_date(result["origin"]), path))
    return read_earlier(max(found, key=lambda pair: pair[0])[1]) if found else None


def read_earlier(folder: Path) -> Earlier:
    """A run from its folder; DataError if it holds none."""
    result = _result(folder)
    recorded: dict[date, float] = {}
    if (path := folder / "recorded.parquet").is_file():
        from pyarrow import ArrowInvalid, parquet

        try:
            rows = parquet.read_table(path).select(["date", "events"]).to_pylist()
        except (OSError, ArrowInvalid, KeyError) as error:
            raise DataError(f"{path} cannot be read: {error}. Run that forecast again, or leave it out.") from error
        recorded = {as_date(row["date"]): float(row["events"]) for row in rows}
    draws = read_draws(folder / "draws.parquet")
    return Earlier(folder, as_date(result["origin"]), str(result["model"]), result["counted"], draws, recorded)


def comparable(earlier: Earlier, origin: date, counted: Mapping[str, Any]) -> Earlier:
    """The same, checked: DataError where the two runs count different things, or the earlier is not earlier."""
    for name, mine in counted.items():
        if (theirs := earlier.counted.get(name)) != mine:
            raise DataError(
                f"the earlier run in {earlier.folder} has {name.replace('_', ' ')} {_plain(theirs)}, this one "
                f"{_plain(mine)}; forecasts of different counts cannot be compared. Name another folder."
            )
    if earlier.origin >= origin:
        raise DataError(
            f"the earlier run in {earlier.folder} forecast from {earlier.origin}, this one forecasts from {origin}: "
            "it is not earlier. Name another folder, or say with --until how far the file reaches."
        )
    return earlier


def _plain(value: Any) -> str:
    return "none" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


def _result(folder: Path) -> dict[str, Any]:
    path = folder / "result.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder} holds no forecast: {path.name} cannot be read ({error}). Name the --out folder of an earlier "
            "`groundswell forecast`."
        ) from error
    if not isinstance(found, dict) or not {"origin", "model", "counted"} <= set(found):
        raise DataError(
            f"{path} is not the result of a forecast: it lacks the origin, the model or what was counted. Name the "
            "--out folder of an earlier `groundswell forecast`."
        )
    return found


@dataclass(frozen=True, eq=False)
class Since:
    """moved : a row for each place, the forecast that moved most first. held : the earlier run's totals beside what
    was recorded. scored : None where no step of it has ended. findings : all of it in sentences.
    """

    earlier: Earlier
    moved: Table
    held: Table
    scored: Scored | None
    findings: tuple[Finding, ...]


def since(
    earlier: Earlier,
    made: Forecast,
    history: History,
    read: ReadEvents,
    *,
    model: str,
    by: Any,
    country: str | None,
    seed: int,
) -> Since:
    """Set a new forecast beside an earlier one, and the earlier one beside what has happened since.

    Where the two forecast some of the same dates, these are compared; otherwise the outlooks, step by step ahead.
    """
    found = [Finding("since-run", {"origin": str(earlier.origin), "model": earlier.model})]
    if earlier.model != model:
        found.append(Finding("since-model", {"before": earlier.model, "now": model}))
    scored, held = None, Table({})
    try:
        until = history.window.end
        scored = score(earlier.draws, read, by=by, country=country, until=until, seed=seed)
    except DataError as error:
        found.append(Finding("since-unscored", {"reason": str(error)}))
    else:
        held, said = _held(scored)
        found += [*said, *(finding for finding in scored.findings if finding.key == "score-events-elsewhere")]
    moved, said = _moved(earlier, made)
    found += [*said, *_new_places(earlier, history), *_revised(earlier, history)]
    return Since(earlier, moved, held, scored, tuple(found))


def _held(scored: Scored) -> tuple[Table, list[Finding]]:
    """The earlier forecasts of all places together, with what happened anywhere, step by step."""
    (totals,) = scored.comparison.totals["forecast"]
    recorded = scored.comparison.history["events"].sum(axis=0)[totals.time]
    inside = interval_covers(totals.draws, recorded, COVERAGE_LEVEL)
    columns = dict(totals.summary().columns)
    for name in ("origin", "place", "active"):
        del columns[name]
    table = Table(columns | {"recorded": recorded.tolist(), "inside": [bool(each) for each in inside]})
    values = {"steps": len(inside), "inside": int(inside.sum()), "level": f"{100 * COVERAGE_LEVEL:g} %"}
    totals_of = {"recorded": int(recorded.sum()), "expected": float(totals.draws.mean(axis=1).sum())}
    return table, [Finding("since-held", values | totals_of)]


def _moved(earlier: Earlier, made: Forecast) -> tuple[Table, list[Finding]]:
    """Expected events and probability of any, before and now, by place.

    noise : two standard errors of the change that the draws alone would bring.
    """
    (before,), days = earlier.draws.draws.values(), earlier.draws.days
    now = made.draws.reshape(-1, len(made.places), made.draws.shape[1]).transpose(2, 1, 0)
    dates = {earlier.origin + timedelta(days=1 + days * k): k for k in range(before.shape[2])}
    start = made.window.date(made.window.step * int(made.origin[0]))
    mine = [start + timedelta(days=days * k) for k in range(now.shape[2])]
    shared = [(dates[day], k) for k, day in enumerate(mine) if day in dates]
    if shared:
        first, last = mine[shared[0][1]], mine[shared[-1][1]] + timedelta(days=days - 1)
        found = [Finding("since-same-dates", {"first": str(first), "last": str(last)})]
    else:
        steps = min(before.shape[2], now.shape[2])
        shared = [(k, k) for k in range(steps)]
        found = [Finding("since-outlook", {"steps": steps})]
    then, here = before[:, :, [a for a, _ in shared]].sum(axis=2), now[:, :, [b for _, b in shared]].sum(axis=2)
    known = {name: row for row, name in enumerate(earlier.draws.places)}
    rows: list[dict[str, Any]] = []
    for place, name in enumerate(made.places.name):
        if name not in known:
            continue
        x, y = then[:, known[name]], here[:, place]
        noise = 2 * float(np.sqrt(x.var() / len(x) + y.var() / len(y)))
        row = {"place": name, "expected before": float(x.mean()), "expected now": float(y.mean())}
        row |= {"change": float(y.mean() - x.mean()), "noise": noise, "moved": bool(abs(y.mean() - x.mean()) > noise)}
        rows.append(row | {"active before": float((x > 0).mean()), "active now": float((y > 0).mean())})
    rows.sort(key=lambda row: -abs(row["change"]))
    sums = {"before": float(then.sum(axis=1).mean()), "now": float(here.sum(axis=1).mean())}
    found.append(Finding("since-total", sums))
    for key, sign in (("since-up", 1), ("since-down", -1)):
        names = [row["place"] for row in rows if row["moved"] and sign * row["change"] > 0]
        if names and len(rows) > 1:
            found.append(Finding(key, {"count": len(names), "places": tuple(names[:NAMED])}))
    if not any(row["moved"] for row in rows):
        found.append(Finding("since-still"))
    columns = ("place", "expected before", "expected now", "change", "noise", "moved", "active before", "active now")
    return Table.from_rows(rows, columns), found


def _new_places(earlier: Earlier, history: History) -> list[Finding]:
    """Places that the earlier run did not know of."""
    known = set(earlier.draws.places)
    counts = history["events"].sum(axis=1)
    new = [place for place in np.argsort(-counts, kind="stable") if history.places.name[place] not in known]
    if not new:
        return []
    names = tuple(history.places.name[place] for place in new[:NAMED])
    return [Finding("since-new-places", {"count": len(new), "places": names, "events": int(counts[new].sum())})]


def _revised(earlier: Earlier, history: History) -> list[Finding]:
    """Whether the record of the time before the earlier run is still what it was then, in that run's own steps."""
    if history.events is None or not earlier.recorded:
        return []
    first, days = history.window.start, earlier.draws.days
    daily = np.bincount(history.events.time_days.astype(int), minlength=history.window.days)
    pairs: list[tuple[float, float]] = []
    for day, then in earlier.recorded.items():
        start = (day - first).days
        if start >= 0 and start + days <= len(daily):
            pairs.append((then, float(daily[start : start + days].sum())))
    if not pairs:
        return []
    more = int(sum(max(now - then, 0) for then, now in pairs))
    fewer = int(sum(max(then - now, 0) for then, now in pairs))
    if not more and not fewer:
        return [Finding("since-record-same")]
    steps = sum(then != now for then, now in pairs)
    return [Finding("since-record-revised", {"steps": steps, "more": more, "fewer": fewer})]
