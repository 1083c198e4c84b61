"""The whole case: a file of events in, models compared on held-out dates out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np

from groundswell.data import gazetteer
from groundswell.data.files import write_json
from groundswell.data.history import History
from groundswell.data.readers import PRECISIONS, ReadEvents, to_history
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError, nearest
from groundswell.evaluate.by_groups import FEWEST_GROUPS
from groundswell.evaluate.compare import Comparison, compare
from groundswell.evaluate.forecast import rolling_origins
from groundswell.evaluate.ranking import Finding, Ranking, rank
from groundswell.infer.base import Progress, silent
from groundswell.rng import keyed
from groundswell.studies.candidates import reference_name, standard_candidates

SHORT_WINDOW_DAYS = 200
"""A file that spans no more is counted by day, a longer one by week, unless the user says."""

CELLS = 3000
"""Origins are added until the places' forecasts at one step ahead make about so many cells."""

FEWEST_ORIGINS = 12
"""Origins where a window is too short for intervals, so that a mean does not hang on one or two of them."""

FITS = 4
"""Refits over the origins, unless the user says."""

FEWEST_EVENTS = 20


def in_country(named: str | None, country: str | None) -> bool:
    """Whether an event that names this country, or none, belongs to `country`, as `to_history` decides it."""
    return not named or country is None or gazetteer.country_name(named) == gazetteer.country_name(country)


@dataclass(frozen=True)
class Plan:
    """How the events are counted and the models compared; None is decided by the data (see `resolved`).

    until : the last day that the file covers, by default that of its last event, or of a table of counts.
    """

    by: Literal["place", "region", "country"] = "place"
    country: str | None = None
    step: int | None = None
    ahead: int | None = None
    origins: int | None = None
    refit_every: int | None = None
    draws: int = 500
    seed: int = 1
    reference: str | None = None
    processes: int = 1
    until: date | None = None

    def resolved(self, read: ReadEvents) -> Plan:
        """Step, steps ahead and reference by the time span of the events that can be counted."""
        step = self.step or self._step(read)
        ahead = self.ahead or (7 if step == 1 else 4)
        return replace(self, step=step, ahead=ahead, reference=self.reference or reference_name(step))

    def _step(self, read: ReadEvents) -> int:
        """What counts are of; a week where the events that weeks can hold span long, or none has a day; else a day."""
        if read.period is not None and read.period > 1:
            return read.period
        dated = [
            (event["start"], PRECISIONS[event["precision"]])
            for event in read.events.rows()
            if event["start"] is not None
            and (self.until is None or event["start"] <= self.until)
            and (self.by != "place" or event["scope"] == "place")
            and in_country(event["country"], self.country)
        ]
        weekly = [start for start, within in dated if within <= 7]
        if not weekly:
            return 1
        first, last = read.covers or (min(weekly), max(weekly))
        long = (last - first).days >= SHORT_WINDOW_DAYS
        return 7 if long or not any(within <= 1 for _, within in dated) else 1

    def rolled(self, setting: Setting) -> tuple[Plan, tuple[int, ...]]:
        """The origins: without overlap while the window allows intervals, up to about CELLS cells, at least 12."""
        assert self.ahead is not None
        every = rolling_origins(setting.window.periods, steps=self.ahead, count=setting.window.periods)
        apart = -(-len(every) // self.ahead)
        most = max(FEWEST_ORIGINS, CELLS // len(setting.places))
        wanted = self.origins or (min(apart, most) if apart >= FEWEST_GROUPS else FEWEST_ORIGINS)
        origins = rolling_origins(setting.window.periods, steps=self.ahead, count=wanted)
        refit = self.refit_every or math.ceil(len(origins) / FITS)
        return replace(self, origins=len(origins), refit_every=refit), origins


@dataclass(frozen=True, eq=False)
class EventComparison:
    """What the file held, what was left out, what the models did, and what that allows one to say."""

    plan: Plan
    read: ReadEvents
    left_out: Table
    setting: Setting
    history: History
    comparison: Comparison
    ranking: Ranking
    limits: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The data and where they end, the ranking, and the limits; `groundswell.report.words` says them."""
        return (*self.data, *self.ranking.findings, *self.limits)

    @property
    def data(self) -> tuple[Finding, ...]:
        """What was read, and where the record is taken to end."""
        return said_of_data(self.read, (self.setting, self.history, self.left_out), self.plan.until)

    def tables(self) -> dict[str, Table]:
        """Every table of the output folder, by file name."""
        return {
            "scores": self.ranking.scores,
            "skill": self.ranking.skill,
            "mechanisms": self.ranking.mechanisms,
            "horizon": self._horizon(),
            "parameters": self._parameters(),
            "notes": self._notes(),
            "forecasts": self.comparison.fan(),
            "components": self.components()[1],
            "places": self._places(),
            "left_out": self.left_out,
            "unread_rows": self.read.left_out,
        }

    def result(self) -> dict[str, Any]:
        """Everything a program would read; no clock, path or timing in it."""
        window = self.setting.window
        return {
            "data": facts_of_data(self.read, (self.setting, self.history, self.left_out)),
            "origins": [window.date(window.step * i - 1).isoformat() for i in self.comparison.origins],
            "steps_ahead": self.comparison.steps,
            "draws": self.comparison.draws,
            "seed": self.plan.seed,
            "reference": self.plan.reference,
            "best": self.ranking.best,
            "tied": list(self.ranking.tied),
            "scores": list(self.ranking.scores.rows()),
            "skill": list(self.ranking.skill.rows()),
            "mechanisms": list(self.ranking.mechanisms.rows()),
            "not_scored": dict(self.comparison.failed),
            "notes": {name: list(said) for name, said in self.comparison.notes.items() if said},
        }

    def components(self) -> tuple[str, Table]:
        """The best-scoring model whose mean falls into parts, and the parts' totals by step."""
        observed = self.history["events"].sum(axis=0).tolist()
        columns: dict[str, Any] = {"date": [d.isoformat() for d in self.setting.window.dates()], "observed": observed}
        for name in self.ranking.scores["model"]:
            fitted = self.comparison.fits.get(name)
            if fitted is not None and hasattr(fitted.model, "decomposition"):
                parts: Mapping[str, np.ndarray] = fitted.model.decomposition(self.setting, self.history)  # type: ignore[attr-defined]
                return name, Table(columns | {part: values.sum(axis=0).tolist() for part, values in parts.items()})
        return "", Table(columns)

    def _horizon(self) -> Table:
        """Mean log score and CRPS by steps ahead."""
        rows = [
            {"model": name, "steps ahead": k + 1, "log score": float(log[k]), "CRPS": float(crps[k])}
            for name, log, crps in zip(
                self.comparison.names, self.comparison.horizon["log"], self.comparison.horizon["crps"], strict=True
            )
            for k in range(self.comparison.steps)
        ]
        return Table.from_rows(rows)

    def _parameters(self) -> Table:
        rows = [
            {"model": name, **row} for name, fitted in self.comparison.fits.items() for row in fitted.summary().rows()
        ]
        return Table.from_rows(rows, ("model", "parameter", "estimate", "standard error", "low 90 %", "high 90 %"))

    def _notes(self) -> Table:
        said = [(name, text) for name, texts in self.comparison.notes.items() for text in texts]
        failed = [(name, f"not scored: {reason}") for name, reason in self.comparison.failed.items()]
        return Table.from_rows([{"model": name, "note": text} for name, text in said + failed], ("model", "note"))

    def _places(self) -> Table:
        counts = self.history["events"]
        columns = self.setting.places.columns()
        return Table(columns | {"events": counts.sum(axis=1).tolist(), "active": (counts > 0).sum(axis=1).tolist()})


def write(case: EventComparison, folder: Path) -> list[str]:
    """Every table as CSV and Parquet, and result.json; the names of the files."""
    files: list[str] = []
    for name, table in case.tables().items():
        for ending in ("csv", "parquet"):
            table.write(folder / f"{name}.{ending}")
            files.append(f"{name}.{ending}")
    write_json(folder / "result.json", case.result())
    return [*files, "result.json"]


def counted(read: ReadEvents, plan: Plan) -> tuple[Setting, History, Table]:
    """The setting, the history, and what was left out or assumed on the way.

    Events known to the day only are spread over their days, seeded by the plan, for the models of
    single events; counts are not touched by it.
    """
    assert plan.step is not None
    setting, history, left_out = to_history(read, step=plan.step, by=plan.by, country=plan.country, until=plan.until)
    events = history.events
    if events is not None and (events.day_precision or events.within_days is not None):
        from groundswell.models.events.ties import jittered

        history = jittered(history, rng=keyed(plan.seed, 0))
    return setting, history, left_out


def facts_of_data(read: ReadEvents, counts: tuple[Setting, History, Table]) -> dict[str, Any]:
    """What a file held and what of it is counted; `counts` as `counted` gives them.

    left_out : rows that could not be read and events that could not be counted. assumed : events placed by a judgement.
    """
    setting, history, left_out = counts
    outcomes = list(left_out["outcome"])
    return {
        "reader": read.source,
        "rows": read.rows,
        "events": int(history["events"].sum()),
        "places": len(setting.places),
        "start": setting.window.start.isoformat(),
        "end": setting.window.end.isoformat(),
        "step_days": setting.window.step,
        "steps": setting.window.periods,
        "left_out": outcomes.count("left out") + len(read.left_out),
        "assumed": outcomes.count("assumed"),
    }


def said_of_data(
    read: ReadEvents, counts: tuple[Setting, History, Table], until: date | None
) -> tuple[Finding, Finding]:
    """What was read and left out, and where the record is taken to end."""
    facts = facts_of_data(read, counts)
    values = {name: facts[name] for name in ("events", "places", "start", "end", "steps", "assumed")}
    values |= {"days": facts["step_days"], "left": facts["left_out"]}
    ending = "forecast-until-event" if until is None else "forecast-until-given"
    return Finding("compare-data", values), Finding(ending, {"end": facts["end"]})


def run(read: ReadEvents, plan: Plan, progress: Progress = silent) -> EventComparison:
    """Count the events, choose the models that the data allow, compare them over rolling origins.

    Same plan, same file: same result, whatever the number of processes.
    """
    plan = plan.resolved(read)
    setting, history, left_out = counted(read, plan)
    total = int(history["events"].sum())
    if total < FEWEST_EVENTS:
        raise DataError(
            f"{read.name}: {total} events could be counted by {plan.by}; a comparison needs {FEWEST_EVENTS} or more, "
            "or nothing could be told apart. `groundswell data check` lists the rows left out; --by country loses "
            "fewest."
        )
    plan, origins = plan.rolled(setting)
    candidates, absent = standard_candidates(setting, history)
    if plan.reference not in (known := [candidate.name for candidate in candidates]):
        raise UsageError(
            f'reference "{plan.reference}" is not among the candidates.{nearest(str(plan.reference), known)} '
            f"Known: {'; '.join(known)}."
        )
    comparison = compare(
        candidates, setting, history, origins=origins, steps=plan.ahead or 1, draws=plan.draws, rng=keyed(plan.seed, 1),
        refit_every=plan.refit_every or 1, processes=plan.processes, progress=progress,
    )  # fmt: skip
    comparison = replace(comparison, failed={**comparison.failed, **absent})
    ranking = rank(comparison, reference=plan.reference)
    return EventComparison(plan, read, left_out, setting, history, comparison, ranking, _limits(plan))


def _limits(plan: Plan) -> tuple[Finding, ...]:
    """What a reader must keep in mind, whatever the result."""
    quiet = (Finding("compare-limit-quiet-places"),) if plan.by == "place" else ()
    always = ("compare-limit-cause", "compare-limit-days", "compare-limit-recorded")
    return (*quiet, *(Finding(key) for key in always))
