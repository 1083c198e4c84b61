"""A file of events in, and out: were protests called, or did they spread? With the error rates of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np

from groundswell import __version__
from groundswell.data.files import write_json
from groundswell.data.history import History
from groundswell.data.readers import ReadEvents, to_history
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.table import Table
from groundswell.evaluate.coordination import CANNOT_TELL, UNLIKE, Coordination, coordination
from groundswell.evaluate.explanations import Cells
from groundswell.evaluate.ranking import Finding
from groundswell.infer.base import Progress, silent
from groundswell.studies.event_comparison import said_of_data


@dataclass(frozen=True)
class Plan:
    """How the events are counted and what is tried; `evaluate.coordination` says what level, bound and records are.

    calls : dates of calls that are known from elsewhere; without them, calls are hidden. once : only the first day of
    each place counts, as in a list of first dates.
    """

    by: Literal["place", "region", "country"] = "place"
    country: str | None = None
    until: date | None = None
    calls: tuple[date, ...] = ()
    once: bool = False
    records: int = 200
    level: float = 0.8
    bound: float = 0.1
    seed: int = 1
    processes: int = 1


@dataclass(frozen=True, eq=False)
class CoordinationCase:
    """Everything that a report on the question shows."""

    plan: Plan
    read: ReadEvents
    left_out: Table
    setting: Setting
    history: History
    cells: Cells
    found: Coordination

    @property
    def data(self) -> tuple[Finding, ...]:
        """What was read, and where the record ends."""
        said = said_of_data(self.read, (self.setting, self.history, self.left_out), self.plan.until)
        once = (Finding("coordination-once", {"events": int(self.cells.events.sum())}),) if self.plan.once else ()
        return (*said, *once)

    @property
    def answer(self) -> tuple[Finding, ...]:
        """The verdict and what is ruled out, each with its error rate, and what speaks against trusting it."""
        return findings(self.found)

    @property
    def limits(self) -> tuple[Finding, ...]:
        """What this cannot tell, whatever the answer."""
        keys = ["causes", "one-day", "every-week", "region", "recorded"]
        keys += ["given"] if self.plan.calls else []
        keys += [] if "spread" in self.found.kept else ["no-positions"]
        keys += [] if "weekday" in self.found.kept else ["no-weeks"]
        return tuple(Finding(f"coordination-limit-{key}") for key in keys)

    def tables(self) -> dict[str, Table]:
        """The tables by the names of their files."""
        found = self.found
        chances = [
            {"explanation": name, "probability": found.probability[name], "wrongly ruled out": found.missed[name],
             "as far out": found.typical[name], "records": found.records[name],
             "of this size": found.kept[name]}
            for name in found.names
        ]  # fmt: skip
        chances += [{"explanation": name, "of this size": found.kept[name]} for name in found.unweighed]
        return {
            "probabilities": Table.from_rows(chances),
            "confusion": found.confusion,
            "reliability": Table.from_rows([dict(row) for row in found.reliability]),
            "measures": found.measures,
            "parameters": Table.from_rows([row for fit in found.fits for row in fit.rows()]),
            "days": Table(
                {"date": [day.isoformat() for day in self.setting.window.dates()],
                 "events": self.cells.events.sum(axis=1).tolist()}
            ),
            "left_out": self.left_out,
            "unread_rows": self.read.left_out,
        }  # fmt: skip

    def result(self) -> dict[str, Any]:
        """Everything a program would read; no clock, path or timing in it."""
        found = self.found
        wrong = None if found.wrong is None else dict(zip(("share", "low", "high"), found.wrong, strict=True))
        return {
            "version": __version__,
            "seed": self.plan.seed,
            "events": int(self.cells.events.sum()),
            "places": len(self.setting.places),
            "days": self.setting.window.days,
            "calls": [day.isoformat() for day in self.plan.calls],
            "once": self.plan.once,
            "verdict": found.verdict,
            "reasons": list(found.reasons),
            "leading": found.leading,
            "not_ruled_out": list(found.left),
            "not_weighed": list(found.unweighed),
            "level": found.level,
            "bound": found.bound,
            "wrong": wrong,
            "bits": {"value": found.bits[0], "error": found.bits[1], "most": float(np.log2(len(found.names)))},
            "probabilities": list(self.tables()["probabilities"].rows()),
            "confusion": list(found.confusion.rows()),
            "reliability": [dict(row) for row in found.reliability],
            "measures": list(found.measures.rows()),
            "parameters": list(self.tables()["parameters"].rows()),
            "not_converged": [fit.name for fit in found.fits if not fit.converged],
        }


def run(read: ReadEvents, plan: Plan, progress: Progress = silent) -> CoordinationCase:
    """Count the events by day and weigh the explanations. Same plan, same file: same result."""
    setting, history, left_out = to_history(read, step=1, by=plan.by, country=plan.country, until=plan.until)
    given = None
    if plan.calls:
        given = call_matrix(setting.places, setting.window, [(day, None) for day in plan.calls])[0]
    cells = Cells.of(setting, history, once=plan.once, given=given)
    found = coordination(
        cells, records=plan.records, level=plan.level, bound=plan.bound, seed=plan.seed, processes=plan.processes,
        progress=progress,
    )  # fmt: skip
    return CoordinationCase(plan, read, left_out, setting, history, cells, found)


def write(case: CoordinationCase, folder: Path) -> list[str]:
    """Every table as CSV and Parquet, and result.json; the names of the files."""
    written = []
    for name, table in case.tables().items():
        for ending in ("csv", "parquet"):
            table.write(folder / f"{name}.{ending}")
            written.append(f"{name}.{ending}")
    write_json(folder / "result.json", case.result())
    return [*written, "result.json"]


def findings(found: Coordination) -> tuple[Finding, ...]:
    """The answer in sentences: never a verdict without its error rate."""
    values: dict[str, Any] = {
        "name": NAMES[found.leading], "probability": _share(found.probability[found.leading]),
        "bound": _share(found.bound), "level": _share(found.level),
    }  # fmt: skip
    if found.wrong is not None:
        values |= dict(zip(("wrong", "low", "high"), map(_share, found.wrong), strict=True))
    said: list[Finding] = []
    if found.verdict != CANNOT_TELL:
        said.append(Finding("coordination-verdict", values))
    else:
        kind = "coordination-unsure" if "unsure" in found.reasons else "coordination-often-wrong"
        if "often wrong" in found.reasons and found.wrong is None:
            kind = "coordination-never-so-sure"
        if found.reasons == ("unlike",):
            kind = "coordination-only-unlike"
        if found.reasons[0] == "unweighed":
            kind = "coordination-unrivalled"
        said.append(Finding(kind, values))
    for name in found.unweighed:
        kept = {"name": NAMES[name], "share": _share(found.kept[name])}
        said.append(Finding("coordination-unweighed", kept))
    if len(found.left) > 1:
        said.append(Finding("coordination-left", {"names": tuple(NAMES[name] for name in found.left)}))
    if out := [name for name in found.names if name not in found.left]:
        rates = tuple(f"{NAMES[name]} ({_share(found.missed[name])})" for name in out)
        said.append(Finding("coordination-ruled-out", {"names": rates}))
    if "unlike" in found.reasons:
        share = found.typical[found.leading]
        said.append(Finding("coordination-unlike", {"name": NAMES[found.leading], "share": _share(share)}))
        like = tuple(NAMES[name] for name in found.names if found.typical[name] >= UNLIKE)
        said.append(Finding("coordination-like", {"names": like}) if like else Finding("coordination-like-none"))
    bits, error = found.bits
    said.append(
        Finding("coordination-bits", {"bits": round(bits, 2), "error": round(error, 2),
                                      "most": round(float(np.log2(len(found.names))), 2)})
    )  # fmt: skip
    return tuple(said)


NAMES: Mapping[str, str] = {
    "separate": "every place for itself",
    "weekday": "the rhythm of the week",
    "called": "calls",
    "shock": "a common shock",
    "spread": "spread from place to place",
    "media": "news of events everywhere",
}
"""The explanations in words."""


def _share(value: float) -> str:
    """In whole per cent; never a false 0 or 100."""
    rounded = round(100 * value)
    return "under 1 %" if rounded < 1 else "over 99 %" if rounded > 99 else f"{rounded} %"
