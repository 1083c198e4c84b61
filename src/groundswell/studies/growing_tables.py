"""What the nowcasts of a growing list show: tables, the result for programs, and findings with their limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.files import write_json
from groundswell.data.places import Places
from groundswell.data.table import Table
from groundswell.evaluate.nowcast import Nowcast
from groundswell.evaluate.nowcast_scores import BEFORE, LISTED, MODEL
from groundswell.evaluate.ranking import Finding
from groundswell.models.reporting.delay import ReportingDelay
from groundswell.models.reporting.growing import GrowingRecord
from groundswell.params import leaves, names
from groundswell.rng import keyed
from groundswell.studies.growing_list import GrowingList, Made

SHARES = {"5 %": 0.05, "50 %": 0.5, "95 %": 0.95}
PRIOR_DRAWS = 4000


def tables(case: GrowingList) -> dict[str, Table]:
    """Every table of the output folder, by file name; those of a nowcast begin with its vintage."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for one in case.made:
        found = {
            "by_day": by_day(one),
            "by_region": one.nowcast.by_region(),
            "parameters": parameters(one.nowcast),
            "delay": delay(one.nowcast),
        }
        if one.nowcast.chance is not None:
            found["by_place"] = one.nowcast.by_place()
        if one.scores is not None:
            found["scores"] = one.scores
        for name, table in found.items():
            parts.setdefault(name, []).extend({"vintage": str(one.when), **row} for row in table.rows())
    return {
        **{name: Table.from_rows(rows) for name, rows in parts.items()},
        "vintages": case.vintages.summary(),
        "left_out": case.left_out,
        "assumed": case.assumed,
    }


def result(case: GrowingList) -> dict[str, Any]:
    """Everything a program would read; no clock, path or timing in it."""
    return {
        "vintages": list(case.vintages.summary().rows()),
        "places": len(case.universe.places) if case.universe.closed else "open",
        "seed": case.plan.seed,
        "draws": case.plan.draws,
        "left_out": len(case.left_out),
        "assumed": len(case.assumed),
        "nowcasts": [
            {
                "vintage": str(one.when),
                "listed": len(one.nowcast.listings),
                "listed_by": None if one.later is None else str(one.later),
                "by_day": list(by_day(one).rows()),
                "scores": [] if one.scores is None else list(one.scores.rows()),
                "added_uncounted": one.uncounted,
                "fit": one.nowcast.fit.status,
                "converged": one.nowcast.fit.converged,
                "notes": list(one.nowcast.fit.notes),
            }
            for one in case.made
        ],
    }


def write(case: GrowingList, folder: Path) -> list[str]:
    """Every table as CSV and Parquet, and result.json; the names of the files."""
    files = []
    for name, table in tables(case).items():
        for ending in ("csv", "parquet"):
            table.write(folder / f"{name}.{ending}")
            files.append(f"{name}.{ending}")
    write_json(folder / "result.json", result(case))
    return [*files, "result.json"]


def by_day(one: Made) -> Table:
    """The nowcast by day, counted from the first, with what the later vintage has added."""
    table = one.nowcast.by_day()
    if one.added is None:
        return table
    return Table({**table.columns, "added": one.added.counts.sum(axis=0).cumsum().tolist()})


def parameters(made: Nowcast) -> Table:
    """Posterior beside the prior, and how much of the prior's spread is left, in free units: 1 is nothing learnt."""
    draws = made.fit.draws
    assert draws is not None
    rows = []
    for leaf, row, values in zip(leaves(made.fit.model), made.fit.summary().rows(), draws.T, strict=True):
        spread = float(np.std([leaf.to_free(value) for value in values.tolist()])) if np.ptp(values) else 0.0
        prior = None if leaf.prior is None else leaf.prior.median
        rows.append({**row, "unit": leaf.unit, "prior median": prior, "spread left": spread / leaf.sd})
    return Table.from_rows(rows)


def delay(made: Nowcast) -> Table:
    """By delay in days the share listed by then, before and after, for a place whose own effects are 0."""
    model, draws, longest = made.fit.model, made.fit.draws, made.setting.window.days - 1
    assert isinstance(model, GrowingRecord)
    assert draws is not None
    plain = ReportingDelay()
    at = len(names(model.process))
    common = leaves(plain)
    rng = keyed(0)
    before = np.array(
        [[leaf.from_free(rng.normal(leaf.center, leaf.sd)) for leaf in common] for _ in range(PRIOR_DRAWS)]
    )
    listed = plain.bind(Places.single(), longest)
    columns: dict[str, Any] = {"delay": list(range(longest + 1))}
    for name, values in (("prior", before), ("nowcast", draws[:, at : at + len(common)])):
        shares = np.array([-np.expm1(listed(row)[0][0]) for row in values])
        for label, level in SHARES.items():
            columns[f"{name} {label}"] = np.quantile(shares, level, axis=0).tolist()
    return Table(columns)


def findings(case: GrowingList) -> tuple[Finding, ...]:
    """The answer in sentences; `groundswell.report.words` says them."""
    found: list[Finding] = []
    for one in case.made:
        found += [_listed(one), _unlisted(one), *_against(one)]
    if any(one.scores is not None for one in case.made):
        found.append(Finding("nowcast-one-list"))
    return tuple(found)


def limits(case: GrowingList) -> tuple[Finding, ...]:
    """What a reader must keep in mind, whatever the result."""
    found = []
    if single := [one for one in case.made if len(one.nowcast.listings.vintages) == 1]:
        found.append(Finding("nowcast-one-vintage", {"vintages": tuple(str(one.when) for one in single)}))
    kind = "nowcast-closed" if case.universe.closed else "nowcast-open"
    found += [Finding("nowcast-late"), Finding(kind, {"units": len(case.universe.places)}), Finding("nowcast-stated")]
    if any(one.scores is not None for one in case.made):
        found.append(Finding("nowcast-one-wave"))
    return (*found, Finding("nowcast-recorded"))


def _listed(one: Made) -> Finding:
    listings = one.nowcast.listings
    dated = int((listings.day >= 0).sum())
    values = {"vintage": str(one.when), "entries": len(listings), "dated": dated, "vintages": len(listings.vintages)}
    return Finding("nowcast-listed", values)


def _unlisted(one: Made) -> Finding:
    total = one.nowcast.unlisted.sum(axis=(1, 2))
    low, middle, high = (int(np.quantile(total, level, method="inverted_cdf")) for level in (0.05, 0.5, 0.95))
    values: dict[str, Any] = {"vintage": str(one.when), "low": low, "middle": middle, "high": high}
    if one.added is None:
        return Finding("nowcast-unlisted", values)
    came = int(one.added.counts.sum())
    verdict = "inside" if low <= came <= high else "outside"
    values |= {"later": str(one.later), "came": came, "uncounted": one.uncounted}
    return Finding(f"nowcast-unlisted-{verdict}", values)


def _against(one: Made) -> list[Finding]:
    """Whether the nowcast's score is below the better rule's: CRPS by day and by region, Brier score for places.

    One list is one trial, so no verdict follows; with the CRPS goes how often the rule would win, were the nowcast
    right.
    """
    if one.scores is None:
        return []
    found = []
    for target, measure in (("by day", "CRPS"), ("by region", "CRPS"), ("places", "Brier")):
        mine = {row["forecaster"]: row for row in one.scores.rows() if row["target"] == target}
        rows = {name: row[measure] for name, row in mine.items()}
        if not rows or (target == "by region" and len(one.nowcast.regions) == 1):
            continue
        rule = min((name for name in (LISTED, BEFORE) if name in rows), key=lambda name: rows[name])
        verdict = "lower" if rows[MODEL] < rows[rule] else "not-lower"
        values = {"vintage": str(one.when), "score": float(rows[MODEL]), "rule": rule, "other": float(rows[rule])}
        if mine[rule]["would win"] is not None:
            values["share"] = f"{100 * mine[rule]['would win']:.0f} %"
        found.append(Finding(f"nowcast-{verdict}-{target.replace(' ', '-')}", values))
    return found
