"""A forecast with its credentials: the same forecaster sent back in time, its calibration, what changed since last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.readers import ReadEvents
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.evaluate.baselines import BASELINES
from groundswell.evaluate.by_groups import overlapping
from groundswell.evaluate.calibration import LEVELS, Calibration
from groundswell.evaluate.compare import COVERAGE_LEVEL, Candidate, Comparison, compare
from groundswell.evaluate.count_forecast import Drawn
from groundswell.evaluate.forecast import Forecast
from groundswell.evaluate.ranking import Finding, Ranking, rank
from groundswell.evaluate.scores import quantiles
from groundswell.infer.base import Fit, Progress, silent
from groundswell.rng import keyed
from groundswell.studies.event_comparison import Plan, said_of_data
from groundswell.studies.since import NAMED, Earlier, Since, since

LED = ("compare-best", "compare-none-apart", "compare-intervals", "compare-too-few-dates")
"""Findings of a ranking that a report on one model repeats."""

LIKELY = 0.5
"""A place is called likely to see an event from this probability on."""


@dataclass(frozen=True, eq=False)
class Monthly:
    """A forecast ahead, and all that says how far to trust it.

    made, fitted : the forecast and the fit behind it. comparison, ranking : the same forecaster and the simple
    baselines, from past origins. pit, coverage, location : how its past forecasts of single cells ("places") and of
    the total of each date ("total") kept their promises, with intervals; empty where it could not be sent back.
    since : None at the first run.
    """

    plan: Plan
    name: str
    read: ReadEvents
    left_out: Table
    setting: Setting
    history: History
    made: Forecast
    fitted: Fit | None
    comparison: Comparison
    ranking: Ranking
    pit: Mapping[str, Table]
    coverage: Mapping[str, Table]
    location: Mapping[str, tuple[float, float | None, float | None]]
    since: Since | None

    @property
    def totals(self) -> Forecast:
        """Events of all places, by step."""
        return self.made.together("total")

    def cubes(self) -> np.ndarray:
        """(S, P, K) the draws of the forecast."""
        return self.made.draws.reshape(-1, len(self.made.places), self.made.draws.shape[1]).transpose(2, 1, 0)

    def places(self) -> Table:
        """A row for each place, most expected events first: the whole outlook, and how probable any event is."""
        paths, steps = self.cubes(), self.plan.ahead or 1
        together = paths.sum(axis=2)
        low, middle, high = quantiles(together.T, (0.05, 0.5, 0.95)).T
        expected = together.mean(axis=0)
        order = np.argsort(-expected, kind="stable")
        columns: dict[str, list[Any]] = {"place": [self.made.places.name[place] for place in order]}
        columns["expected"] = expected[order].tolist()
        for name, values in (("q5", low), ("q50", middle), ("q95", high)):
            columns[name] = values[order].tolist()
        columns["active next step"] = (paths[:, :, 0] > 0).mean(axis=0)[order].tolist()
        columns["active"] = (together > 0).mean(axis=0)[order].tolist()
        columns[f"recorded, last {steps}"] = self.history["events"][:, -steps:].sum(axis=1)[order].tolist()
        return Table(columns)

    def recorded(self) -> Table:
        """Events and active places by step, as they are known now; a later run tells what was revised."""
        counts = self.history["events"]
        dates = [day.isoformat() for day in self.history.window.dates()]
        return Table(
            {"date": dates, "events": counts.sum(axis=0).tolist(), "active places": (counts > 0).sum(axis=0).tolist()}
        )

    def back(self) -> Table:
        """The outlook from each past origin, events of all places and steps together, beside what was recorded."""
        total = self.history["events"].sum(axis=0)
        rows: list[dict[str, Any]] = []
        for made in self.comparison.totals.get(self.name, ()):
            together = replace(
                made, draws=made.draws.sum(axis=0, keepdims=True),
                **{name: getattr(made, name)[:1] for name in ("unit", "time", "origin", "step")},
            )  # fmt: skip
            (row,) = together.summary().rows()
            kept = {name: row[name] for name in row if name not in ("days", "step", "place")}
            rows.append(kept | {"recorded": float(total[made.time].sum())})
        return Table.from_rows(rows)

    def tables(self) -> dict[str, Table]:
        """Every table of the output folder beside the draws, by file name."""
        past = [row for row in self.comparison.fan().rows() if row["model"] == self.name]
        found = {
            "quantiles": self.made.summary(),
            "totals": self.totals.summary(),
            "places": self.places(),
            "recorded": self.recorded(),
            "scores": self.ranking.scores,
            "skill": self.ranking.skill,
            "past_forecasts": Table.from_rows(past),
            "past_outlooks": self.back(),
            "notes": self.notes(),
            "left_out": self.left_out,
            "unread_rows": self.read.left_out,
        }
        if self.fitted is not None:
            found["parameters"] = self.fitted.summary()
        if self.pit:
            found["pit"], found["coverage"] = _stacked(self.pit), _stacked(self.coverage)
        if self.since is not None:
            found["moved"] = self.since.moved
            if self.since.scored is not None:
                found["last_run"] = self.since.held
                found["last_run_scores"] = self.since.scored.ranking.scores
                found["last_run_skill"] = self.since.scored.ranking.skill
        return found

    def notes(self) -> Table:
        """What a reader of the forecasts must know of how they were made."""
        ahead: list[str] = []
        if self.fitted is not None:
            ahead += [*([] if self.fitted.converged else [self.fitted.status]), *self.fitted.notes]
        if self.made.exploded:
            ahead.append(
                f"{self.made.exploded} of {self.plan.draws} paths passed the model's cap and stay at their last step."
            )
        back = [(name, text) for name, texts in self.comparison.notes.items() for text in texts if text not in ahead]
        failed = [(name, f"could not be sent back: {reason}") for name, reason in self.comparison.failed.items()]
        said = [*((self.name, text) for text in ahead), *back, *failed]
        return Table.from_rows([{"model": name, "note": text} for name, text in said], ("model", "note"))

    def result(self) -> dict[str, Any]:
        """Everything a program would read beyond the totals; no clock, path or timing in it."""
        window = self.setting.window
        found: dict[str, Any] = {
            "past_origins": [window.date(window.step * i - 1).isoformat() for i in self.comparison.origins],
            "reference": self.plan.reference,
            "scores": list(self.ranking.scores.rows()),
            "skill": list(self.ranking.skill.rows()),
            "not_scored": dict(self.comparison.failed),
            "pit": {name: list(table.rows()) for name, table in self.pit.items()},
            "coverage": {name: list(table.rows()) for name, table in self.coverage.items()},
            "location": {name: list(found) for name, found in self.location.items()},
            "since": None,
        }
        if self.since is not None:
            found["since"] = {
                "origin": self.since.earlier.origin.isoformat(),
                "model": self.since.earlier.model,
                "moved": list(self.since.moved.rows())[:50],
                "scores": [] if self.since.scored is None else list(self.since.scored.ranking.scores.rows()),
            }
        return found

    @cached_property
    def findings(self) -> dict[str, tuple[Finding, ...]]:
        """The answers by question."""
        return {
            "next": self._next(),
            "since": (Finding("forecast-first-run"),) if self.since is None else self.since.findings,
            "past": self._past(),
            "calibration": self._calibration(),
            "data": self._data(),
        }

    def _next(self) -> tuple[Finding, ...]:
        steps = self.plan.ahead or 1
        sums = self.cubes().sum(axis=(1, 2))[None]
        low, middle, high = quantiles(sums, (0.05, 0.5, 0.95))[0]
        end = self.setting.window.date(self.setting.window.days + steps * self.setting.window.step - 1)
        values = {
            "steps": steps,
            "days": self.setting.window.step,
            "end": str(end),
            "low": int(low),
            "middle": int(middle),
            "high": int(high),
            "recent": int(self.history["events"][:, -steps:].sum()),
        }
        found = [Finding("forecast-next", values)]
        if len(self.made.places) > 1:
            table = self.places()
            found.append(Finding("forecast-places", {"places": tuple(table["place"][:NAMED])}))
            likely = sum(share >= LIKELY for share in table["active"])
            found.append(Finding("forecast-likely", {"count": likely, "places": len(table)}))
        return tuple(found)

    def _past(self) -> tuple[Finding, ...]:
        values = {"origins": len(self.comparison.origins), "steps": self.comparison.steps}
        head = Finding("forecast-back", values)
        if self.name in self.comparison.failed:
            return head, Finding("forecast-not-back", {"reason": self.comparison.failed[self.name]})
        said = tuple(f for f in self.ranking.findings if f.key.startswith(LED))
        row = next((row for row in self.ranking.skill.rows() if row["model"] == self.name), None)
        if row is None or row["CRPS skill"] is None:  # it is the reference itself, or that one lost nothing
            return head, *said
        values = {"reference": self.plan.reference, "skill": row["CRPS skill"]}
        if row["CRPS low"] is None:
            return head, Finding("forecast-skill-unsure", values), *said
        side = side_of(row["CRPS low"], row["CRPS high"], 0, "worse", "better")
        ends = {"low": row["CRPS low"], "high": row["CRPS high"]}
        return head, Finding(f"forecast-skill-{side}", values | ends), *said

    def _calibration(self) -> tuple[Finding, ...]:
        if not self.coverage:
            return (Finding("forecast-calibration-missing"),)
        found: list[Finding] = []
        for key, table in self.coverage.items():
            what = key if len(self.coverage) > 1 else "one"
            row = list(table.rows())[LEVELS.index(COVERAGE_LEVEL)]
            values = {
                "what": what,
                "level": f"{100 * COVERAGE_LEVEL:g} %",
                "covered": f"{100 * row['covered']:.1f} %",
                "promised": f"{100 * row['promised']:.1f} %",
            }
            side = side_of(row["low"], row["high"], 0, "narrow", "wide")
            found.append(Finding(f"forecast-coverage-{side}", values | ends_of(row["low"], row["high"], 100, "+.1f")))
            middle, low, high = self.location[key]
            side = side_of(low, high, 0.5, "high", "low")
            values = {"what": what, "middle": f"{middle:.3f}", **ends_of(low, high, 1, ".3f")}
            found.append(Finding(f"forecast-location-{side}", values))
        return tuple(found)

    def _data(self) -> tuple[Finding, ...]:
        return said_of_data(self.read, (self.setting, self.history, self.left_out), self.plan.until)

    @property
    def limits(self) -> tuple[Finding, ...]:
        """What a reader must keep in mind, whatever the result."""
        quiet = (Finding("compare-limit-quiet-places"),) if self.plan.by == "place" else ()
        return (
            *quiet,
            Finding("forecast-limit-file"),
            Finding("compare-limit-recorded"),
            Finding("forecast-limit-use"),
        )


def run(
    candidate: Candidate,
    counts: tuple[Setting, History, Table],
    read: ReadEvents,
    ahead: tuple[Forecast, Fit | None],
    plan: Plan,
    *,
    earlier: Earlier | None = None,
    progress: Progress = silent,
) -> Monthly:
    """Send the candidate back in time beside the baselines, look at its calibration, and at an earlier run.

    counts : as `counted` gives them. ahead : the forecast past the data and its fit, as `forecasting.ahead`
    makes them. plan : resolved. Same plan, file and earlier run: same result.
    """
    setting, history, left_out = counts
    plan, origins = plan.rolled(setting)
    simple = [Candidate(baseline.name, baseline) for baseline in BASELINES if baseline.name != candidate.name]
    comparison = compare(
        [candidate, *simple], setting, history, origins=origins, steps=plan.ahead or 1, draws=plan.draws,
        rng=keyed(plan.seed, 5), refit_every=plan.refit_every or 1, processes=1,
        progress=lambda share, words: progress(0.9 * share, words),
    )  # fmt: skip
    ranking = rank(comparison, reference=str(plan.reference))
    pit, coverage, location = _calibrated(comparison, candidate.name)
    progress(0.9, "the last run")
    changed = None
    if earlier is not None:
        changed = since(
            earlier, ahead[0], history, read, model=candidate.name, by=plan.by, country=plan.country, seed=plan.seed
        )
    return Monthly(
        plan, candidate.name, read, left_out, setting, history, *ahead, comparison, ranking, pit, coverage, location,
        changed,
    )  # fmt: skip


def _calibrated(
    comparison: Comparison, name: str
) -> tuple[dict[str, Table], dict[str, Table], dict[str, tuple[float, float | None, float | None]]]:
    """PIT, coverage and location of the past forecasts of places and, where there are several, of their totals."""
    if name not in comparison.calibration:
        return {}, {}, {}
    every = {"places": comparison.calibration[name]}
    if len(comparison.setting.places) > 1:
        total = comparison.history[comparison.series].sum(axis=0)
        together = ((Drawn(made.draws), total[made.time]) for made in comparison.totals[name])
        every["total"] = Calibration.of(together, overlapping(comparison.origins, comparison.steps))
    return (
        {key: found.histogram() for key, found in every.items()},
        {key: found.coverage() for key, found in every.items()},
        {key: found.location() for key, found in every.items()},
    )


def side_of(low: float | None, high: float | None, middle: float, below: str, above: str) -> str:
    """The word for the side of the middle on which an interval lies, "right" if it holds it, "unsure" without one."""
    if low is None or high is None:
        return "unsure"
    return above if low > middle else below if high < middle else "right"


def ends_of(low: float | None, high: float | None, scale: float, form: str) -> dict[str, str]:
    """The ends of an interval in figures: what lies between them could not have been told from chance."""
    return {} if low is None or high is None else {"low": f"{scale * low:{form}}", "high": f"{scale * high:{form}}"}


def _stacked(tables: Mapping[str, Table]) -> Table:
    return Table.from_rows([{"of": name, **row} for name, table in tables.items() for row in table.rows()])
