"""What a comparison shows, in tables and in findings, with the doubt that belongs to it.

A finding is a sentence without a language: its key in the reports' catalogue and what goes into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.evaluate.by_groups import FEWEST_GROUPS
from groundswell.evaluate.by_mechanism import aic, aic_of, mechanisms, same_cells
from groundswell.evaluate.compare import ABOVE, COVERAGE_LEVEL, COVERED, PLACES_SCORE, Comparison
from groundswell.evaluate.doubt import TOO_FEW, Doubt
from groundswell.evaluate.joint_scores import JOINT_SCORES

SKILLS = {"crps": "CRPS", ABOVE: "CRPS above", "interval": "interval", "brier": "Brier", PLACES_SCORE: "Brier places"}
SKILLS |= {score.name: score.title for score in JOINT_SCORES}
"""Scores whose skill is a ratio, and how its columns are called."""


@dataclass(frozen=True)
class Finding:
    """A sentence to be said: `key` of the catalogue, and its values; a tuple of names is a list."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ranking:
    """The answer of a comparison.

    scores : a row for each candidate, best held-out log score first. skill : against the reference.
    mechanisms : what adding one mechanism changed. findings : the answer in sentences, limits included
    (`groundswell.report.words` puts them into a language).
    best : the candidate with the lowest mean log score; tied : those that cannot be told from it.
    """

    scores: Table
    skill: Table
    mechanisms: Table
    findings: tuple[Finding, ...]
    best: str
    tied: tuple[str, ...]


def rank(
    comparison: Comparison,
    *,
    reference: str,
    level: float = 0.9,
) -> Ranking:
    """Rank the candidates by held-out log score, and set each against `reference`.

    Skill is 1 - (sum of losses) / (sum of the reference's) over all cells; for the log score, whose
    zero means nothing, the gain is the reference's mean minus the candidate's, in nats per cell.
    Intervals: Student's t over groups of origins that share no targets (`by_groups`), none below FEWEST_GROUPS.
    Pairs that differ by one mechanism are judged by the density of the whole forecast, if known (`by_mechanism`).
    Two candidates "cannot be told apart" if the interval of their mean difference holds 0, or if their fits
    coincide; with many candidates some will look different by chance, since no correction for their number
    is made.
    """
    doubt = Doubt(comparison, level)
    comparison.index(reference)
    log = _means(comparison, "log")
    order = [comparison.names[i] for i in np.argsort(log, kind="stable")]
    best = order[0]
    tied = tuple(name for name in order[1:] if not doubt.apart(name, best))
    pairs = mechanisms(comparison, doubt)
    findings = (
        _best(order, tied, float(log.min()), doubt),
        *_against(order, reference, comparison, doubt),
        *_earned(pairs, "verdict", "log gain", "mechanism", by="by"),
        *_earned(pairs, "on places", "places gain", "places"),
        *_unlike(pairs, comparison),
        *_pairs(pairs, level),
        _stated(doubt),
    )
    scores, skill = _scores(comparison, order, tied), _skill(comparison, order, reference, doubt)
    return Ranking(scores, skill, pairs, findings, best, tied)


def _stated(doubt: Doubt) -> Finding:
    """How the intervals were made, or why there are none."""
    values = {"origins": len(doubt.comparison.origins), "groups": doubt.count, "fewest": FEWEST_GROUPS}
    if not doubt.known:
        return Finding("compare-too-few-dates", values)
    return Finding("compare-intervals", values | {"level": f"{100 * doubt.level:g} %"})


def _means(comparison: Comparison, kind: str) -> np.ndarray:
    return comparison.losses[kind].sum(axis=1) / comparison.cells[kind].sum()


def _scores(comparison: Comparison, order: Sequence[str], tied: Sequence[str]) -> Table:
    by_name = {c.name: c for c in comparison.candidates}
    means = {kind: _means(comparison, kind) for kind in comparison.losses}
    rows: list[dict[str, Any]] = []
    for name in order:
        i, candidate = comparison.index(name), by_name[name]
        fitted = comparison.fits.get(name)
        row: dict[str, Any] = {"model": name, "log score": float(means["log"][i])}
        row["best"] = "best" if name == order[0] else ("tied" if name in tied else "")
        row["CRPS"] = float(means["crps"][i])
        row[f"CRPS above {comparison.threshold:g}"] = float(means[ABOVE][i])
        row["weighted interval"] = float(means["interval"][i])
        row["Brier active"] = float(means["brier"][i])
        if PLACES_SCORE in means:
            row[f"Brier {comparison.places_active}+ places"] = float(means[PLACES_SCORE][i])
        row |= {score.title: float(means[score.name][i]) for score in JOINT_SCORES if score.name in means}
        row[f"covered {100 * COVERAGE_LEVEL:g} %"] = float(means[COVERED][i])
        row["parameters"] = None if fitted is None else fitted.details.get("free")
        row["AIC"] = aic(candidate, comparison)
        row["AIC of"] = aic_of(candidate, comparison)
        rows.append(row)
    return Table.from_rows(rows)


def _skill(comparison: Comparison, order: Sequence[str], reference: str, doubt: Doubt) -> Table:
    rows: list[dict[str, Any]] = []
    for name in order:
        if name == reference:
            continue
        row: dict[str, Any] = {"model": name, "reference": reference}
        row |= dict(zip(("log gain", "log low", "log high"), doubt.gain("log", name, reference), strict=True))
        for kind, title in SKILLS.items():
            if kind in comparison.losses:
                found = doubt.skill(kind, name, reference)
                row |= dict(zip((f"{title} skill", f"{title} low", f"{title} high"), found, strict=True))
        rows.append(row)
    return Table.from_rows(rows)


def _unlike(mechanisms: Table, comparison: Comparison) -> tuple[Finding, ...]:
    """Pairs that were not set against each other on held-out places, since they weigh different place-steps."""
    pairs = [(row["without"], row["with"]) for row in mechanisms.rows()]
    return tuple(
        Finding("places-unlike", {"without": without, "with": full})
        for without, full in pairs
        if same_cells(without, full, comparison.by_place) is False
    )


def _pairs(mechanisms: Table, level: float) -> tuple[Finding, ...]:
    """How many pairs were tested, of which some come out by chance."""
    tested = sum(verdict != TOO_FEW for verdict in mechanisms["verdict"])
    values = {"pairs": tested, "share": f"{100 * (1 - level):g} %"}
    return (Finding("compare-pairs", values),) if tested else ()


def _best(order: Sequence[str], tied: tuple[str, ...], lowest: float, doubt: Doubt) -> Finding:
    """Who leads, and who cannot be told from the leader."""
    values = {"count": len(order), "best": order[0], "score": lowest}
    if not doubt.known:
        return Finding("compare-best", values)
    if not tied:
        return Finding("compare-best-apart", values | {"level": f"{100 * doubt.level:g} %"})
    apart = len(order) - 1 - len(tied)
    return Finding("compare-best-tied" if apart else "compare-none-apart", values | {"tied": tied, "apart": apart})


def _against(order: Sequence[str], reference: str, comparison: Comparison, doubt: Doubt) -> tuple[Finding, ...]:
    """Fitted models whose CRPS is better than the reference's, cannot be told from it, or is worse."""
    fitted = {c.name for c in comparison.candidates if c.method is not None}
    groups: dict[str, list[str]] = {"better": [], "level": [], "worse": []}
    for name in order:
        if name not in fitted or name == reference:
            continue
        _, low, high = doubt.skill("crps", name, reference)
        if low is None or high is None or low <= 0 <= high:
            groups["level"].append(name)
        else:
            groups["better" if low > 0 else "worse"].append(name)
    found = [
        Finding(f"compare-{group}", {"reference": reference, "models": tuple(names)})
        for group, names in groups.items()
        if names
    ]
    if fitted and not groups["better"]:
        found.insert(0, Finding("compare-none-better", {"reference": reference}))
    return tuple(found)


def _earned(table: Table, column: str, gain: str, said: str, by: str = "") -> tuple[Finding, ...]:
    """One finding for each mechanism whose verdict is the same wherever it is added, else one for each verdict.

    column, gain : where verdict and gain stand, of dates or of places. said : how the findings' keys begin.
    by : the column of what gains are measured by; where that differs they make no range, and only verdicts are said.
    """
    found: list[Finding] = []
    for mechanism in dict.fromkeys(table["mechanism"]):
        rows = [row for row in table.rows() if row["mechanism"] == mechanism and row.get(column)]
        verdicts = dict.fromkeys(row[column] for row in rows)
        if len(verdicts) > 1 or len({row.get(by) for row in rows}) > 1:
            for verdict in verdicts:
                without = tuple(row["without"] for row in rows if row[column] == verdict)
                found.append(Finding(f"{said}-{_key(verdict)}-added", {"mechanism": mechanism, "without": without}))
        elif rows:
            gains = sorted(round(row[gain], 6) + 0.0 for row in rows)  # no -0 for fits that coincide
            values = {"mechanism": mechanism, "low": gains[0], "high": gains[-1]}
            found.append(Finding(f"{said}-{_key(next(iter(verdicts)))}" + ("-range" if len(rows) > 1 else ""), values))
    return tuple(found)


def _key(verdict: str) -> str:
    return "too-few" if verdict == TOO_FEW else verdict.replace(" ", "-")
