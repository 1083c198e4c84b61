"""What a comparison shows, in tables and in words, with the doubt that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.table import Table, show
from groundswell.evaluate.bootstrap import block_length, block_weights, interval
from groundswell.evaluate.compare import COVERAGE_LEVEL, COVERED, PLACES_SCORE, Candidate, Comparison

FEWEST_DATES = 4
"""Below this many target dates a bootstrap over dates says nothing; intervals are then left empty."""

FEWEST_BLOCKS = 8
"""Below this many blocks the intervals are given, with a warning."""


@dataclass(frozen=True)
class Ranking:
    """The answer of a comparison.

    scores : a row for each candidate, best held-out log score first. skill : against the reference.
    mechanisms : what adding one mechanism changed. words : the answer in sentences, limits included.
    best : the candidate with the lowest mean log score; tied : those that cannot be told from it.
    """

    scores: Table
    skill: Table
    mechanisms: Table
    words: tuple[str, ...]
    best: str
    tied: tuple[str, ...]


def rank(
    comparison: Comparison,
    *,
    reference: str,
    rng: np.random.Generator,
    level: float = 0.9,
    resamples: int = 2000,
) -> Ranking:
    """Rank the candidates by held-out log score, and set each against `reference`.

    Skill is 1 - (sum of losses) / (sum of the reference's) over all cells; for the log score, whose
    zero means nothing, the gain is the reference's mean minus the candidate's, in nats per cell.
    Intervals: paired circular block bootstrap over target dates, `resamples` times, percentile method.
    Two candidates "cannot be told apart" if the interval of their mean difference holds 0; with many
    candidates some will look different by chance, since no correction for their number is made.
    """
    doubt = _Doubt(comparison, level, resamples, rng)
    comparison.index(reference)
    log = _means(comparison, "log")
    order = [comparison.names[i] for i in np.argsort(log, kind="stable")]
    best = order[0]
    tied = tuple(name for name in order[1:] if not doubt.apart(name, best))
    mechanisms = _mechanisms(comparison, doubt)
    words = (
        _best_in_words(order, tied, log, comparison, doubt),
        *_reference_in_words(order, reference, comparison, doubt),
        *_mechanisms_in_words(mechanisms),
        *doubt.words(),
    )
    scores, skill = _scores(comparison, order, tied), _skill(comparison, order, reference, doubt)
    return Ranking(scores, skill, mechanisms, words, best, tied)


class _Doubt:
    """One set of bootstrap weights, used for every pair of candidates."""

    def __init__(self, comparison: Comparison, level: float, resamples: int, rng: np.random.Generator) -> None:
        self.comparison, self.level = comparison, level
        self.dates = len(comparison.targets)
        self.block = block_length(self.dates, comparison.steps)
        self.known = self.dates >= FEWEST_DATES
        self.weights = block_weights(self.dates, self.block, resamples, rng=rng)

    def skill(self, kind: str, name: str, reference: str) -> tuple[float | None, float | None, float | None]:
        """1 - ratio of sums, with its interval; None where the reference lost nothing."""
        mine, theirs = (self.comparison.losses[kind][self.comparison.index(n)] for n in (name, reference))
        if theirs.sum() == 0:
            return None, None, None
        with np.errstate(divide="ignore", invalid="ignore"):
            made = 1 - (self.weights @ mine) / (self.weights @ theirs)
        return float(1 - mine.sum() / theirs.sum()), *self._interval(made)

    def gain(self, kind: str, name: str, reference: str) -> tuple[float, float | None, float | None]:
        """Mean loss of the reference minus the candidate's, per cell, with its interval."""
        mine, theirs = (self.comparison.losses[kind][self.comparison.index(n)] for n in (name, reference))
        cells = self.comparison.cells[kind]
        made = (self.weights @ (theirs - mine)) / (self.weights @ cells)
        return float((theirs - mine).sum() / cells.sum()), *self._interval(made)

    def apart(self, name: str, other: str, kind: str = "log") -> bool:
        """Whether the interval of the difference leaves out 0."""
        _, low, high = self.gain(kind, name, other)
        return low is not None and high is not None and (low > 0 or high < 0)

    def words(self) -> tuple[str, ...]:
        percent = f"{100 * self.level:g} %"
        if not self.known:
            return (f"There are {self.dates} target dates: too few for intervals, so no two models can be told apart.",)
        text = f"Intervals ({percent}) resample the {self.dates} target dates in blocks of {self.block}"
        if self.dates // self.block < FEWEST_BLOCKS:
            return (f"{text}; with so few blocks they are rough and tend to be too short.",)
        return (f"{text}.",)

    def _interval(self, made: np.ndarray) -> tuple[float | None, float | None]:
        if not self.known:
            return None, None
        low, high = interval(made, self.level)
        return (low, high) if np.isfinite(low) else (None, None)


def aic(candidate: Candidate, comparison: Comparison) -> float | None:
    """2 x free parameters - 2 log-likelihood of the fit to the whole window; None without a likelihood."""
    fitted = comparison.fits.get(candidate.name)
    if fitted is None or fitted.draws is not None:
        return None
    return 2.0 * (len(fitted.names) - len(candidate.fixed)) - 2.0 * fitted.log_density


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
        row["weighted interval"] = float(means["interval"][i])
        row["Brier active"] = float(means["brier"][i])
        if PLACES_SCORE in means:
            row[f"Brier {comparison.places_active}+ places"] = float(means[PLACES_SCORE][i])
        row[f"covered {100 * COVERAGE_LEVEL:g} %"] = float(means[COVERED][i])
        row["parameters"] = None if fitted is None else len(fitted.names) - len(candidate.fixed)
        row["AIC"] = aic(candidate, comparison)
        row["AIC of"] = None if row["AIC"] is None else candidate.observes
        rows.append(row)
    return Table.from_rows(rows)


def _skill(comparison: Comparison, order: Sequence[str], reference: str, doubt: _Doubt) -> Table:
    rows: list[dict[str, Any]] = []
    for name in order:
        if name == reference:
            continue
        row: dict[str, Any] = {"model": name, "reference": reference}
        row |= dict(zip(("log gain", "log low", "log high"), doubt.gain("log", name, reference), strict=True))
        kinds = {"crps": "CRPS", "interval": "interval", "brier": "Brier", PLACES_SCORE: "Brier places"}
        for kind, title in kinds.items():
            if kind in comparison.losses:
                found = doubt.skill(kind, name, reference)
                row |= dict(zip((f"{title} skill", f"{title} low", f"{title} high"), found, strict=True))
        rows.append(row)
    return Table.from_rows(rows)


def _mechanisms(comparison: Comparison, doubt: _Doubt) -> Table:
    """Every pair of one family that differs by exactly one mechanism."""
    scored = [c for c in comparison.candidates if c.family and c.name in comparison.names]
    rows: list[dict[str, Any]] = []
    for without in scored:
        for full in scored:
            added = full.mechanisms - without.mechanisms
            if full.family != without.family or len(added) != 1 or not without.mechanisms < full.mechanisms:
                continue
            gain, low, high = doubt.gain("log", full.name, without.name)
            with_aic, without_aic = aic(full, comparison), aic(without, comparison)
            comparable = with_aic is not None and without_aic is not None and full.observes == without.observes
            rows.append(
                {
                    "mechanism": next(iter(added)),
                    "without": without.name,
                    "with": full.name,
                    "log gain": gain,
                    "low": low,
                    "high": high,
                    "AIC change": with_aic - without_aic if comparable else None,  # type: ignore[operator]
                    "verdict": _verdict(low, high),
                }
            )
    columns = ("mechanism", "without", "with", "log gain", "low", "high", "AIC change", "verdict")
    return Table.from_rows(rows, columns)


def _verdict(low: float | None, high: float | None) -> str:
    if low is None or high is None or low <= 0 <= high:
        return "cannot tell"
    return "earns its keep" if low > 0 else "does harm"


def _best_in_words(
    order: Sequence[str], tied: Sequence[str], log: np.ndarray, comparison: Comparison, doubt: _Doubt
) -> str:
    best = order[0]
    first = (
        f"Of {len(order)} forecasters {best} has the lowest held-out log score, {show(float(log.min()))} nats per cell"
    )
    if not doubt.known:
        return first + "."
    if not tied:
        return f"{first}, and is told apart from every other at the {100 * doubt.level:g} % level."
    rest = len(order) - 1 - len(tied)
    apart = f"; it is told apart from the other {rest}" if rest else ""
    return f"{first}. The held-out dates cannot tell it apart from {listed(tied)}{apart}."


def _reference_in_words(order: Sequence[str], reference: str, comparison: Comparison, doubt: _Doubt) -> tuple[str, ...]:
    models = {c.name for c in comparison.candidates if c.method is not None}
    groups: dict[str, list[str]] = {"better": [], "worse": [], "apart": []}
    for name in order:
        if name not in models or name == reference:
            continue
        _, low, high = doubt.skill("crps", name, reference)
        if low is None or high is None or low <= 0 <= high:
            groups["apart"].append(name)
        else:
            groups["better" if low > 0 else "worse"].append(name)
    found: list[str] = []
    if groups["better"]:
        found.append(f"Better CRPS than {reference}: {listed(groups['better'])}.")
    elif models:
        found.append(f"No fitted model has a CRPS that is better than that of {reference} beyond doubt.")
    if groups["apart"]:
        found.append(f"Cannot be told apart from {reference} by CRPS: {listed(groups['apart'])}.")
    if groups["worse"]:
        found.append(f"Worse CRPS than {reference}: {listed(groups['worse'])}.")
    return tuple(found)


def _mechanisms_in_words(table: Table) -> tuple[str, ...]:
    found: list[str] = []
    for mechanism in dict.fromkeys(table["mechanism"]):
        verdicts = [row for row in table.rows() if row["mechanism"] == mechanism]
        said = {row["verdict"] for row in verdicts}
        if len(said) == 1:
            found.append(f"{mechanism}: {said.pop()} ({_ranges(verdicts)} nats per cell).")
        else:
            parts = [f"{row['verdict']} when added to {row['without']}" for row in verdicts]
            found.append(f"{mechanism}: {'; '.join(parts)}.")
    return tuple(found)


def _ranges(rows: Sequence[dict[str, Any]]) -> str:
    gains = sorted(row["log gain"] for row in rows)
    return f"log gain {show(gains[0], 2)}" + (f" to {show(gains[-1], 2)}" if len(gains) > 1 else "")


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
