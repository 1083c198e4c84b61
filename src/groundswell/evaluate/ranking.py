"""What a comparison shows, in tables and in findings, with the doubt that belongs to it.

A finding is a sentence without a language: its key in the reports' catalogue and what goes into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.evaluate.by_groups import FEWEST_GROUPS, groups, overlapping, ratio
from groundswell.evaluate.compare import ABOVE, COVERAGE_LEVEL, COVERED, PLACES_SCORE, Candidate, Comparison
from groundswell.evaluate.joint_scores import JOINT_SCORES

SAME_FIT = 5e-4
"""Two fits whose log densities lie no further apart are one: the AIC changes by twice the added parameters."""

SMALL = 4.0
"""Nats over all held-out counts: two whose log densities are less apart say nearly the same, whatever the spread.

Sivula, Magnusson, Matamoros and Vehtari, Uncertainty in Bayesian leave-one-out cross-validation based model comparison,
arXiv 2008.10296. What it costs to learn a parameter that is not needed is less, and exact densities would see it.
"""

TOO_FEW = "cannot tell (too few dates)"
"""The verdict where the origins make fewer groups than FEWEST_GROUPS."""

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
    Two candidates "cannot be told apart" if the interval of their mean difference holds 0, or if their fits
    coincide; with many candidates some will look different by chance, since no correction for their number
    is made.
    """
    doubt = _Doubt(comparison, level)
    comparison.index(reference)
    log = _means(comparison, "log")
    order = [comparison.names[i] for i in np.argsort(log, kind="stable")]
    best = order[0]
    tied = tuple(name for name in order[1:] if not doubt.apart(name, best))
    mechanisms = _mechanisms(comparison, doubt)
    findings = (
        _best(order, tied, float(log.min()), doubt),
        *_against(order, reference, comparison, doubt),
        *_earned(mechanisms, "verdict", "log gain", "mechanism"),
        *_earned(mechanisms, "on places", "places gain", "places"),
        *_unlike(mechanisms, comparison),
        *_pairs(mechanisms, level),
        doubt.stated(),
    )
    scores, skill = _scores(comparison, order, tied), _skill(comparison, order, reference, doubt)
    return Ranking(scores, skill, mechanisms, findings, best, tied)


class _Doubt:
    """What the spread over groups of origins says of differences between candidates."""

    def __init__(self, comparison: Comparison, level: float) -> None:
        self.comparison, self.level = comparison, level
        origins = len(comparison.origins)
        self.group = groups(origins, overlapping(comparison.origins, comparison.steps))
        self.count = len(set(self.group.tolist()))
        targets = {origin + ahead for origin in comparison.origins for ahead in range(comparison.steps)}
        self.repeats = origins * comparison.steps / len(targets)
        self.known = self.count >= FEWEST_GROUPS

    def skill(self, kind: str, name: str, reference: str) -> tuple[float | None, float | None, float | None]:
        """1 - ratio of sums, with its interval; None where the reference lost nothing."""
        mine, theirs = self._lost(kind, name, reference)
        if theirs.sum() == 0:
            return None, None, None
        value, low, high = ratio(mine, theirs, self.group, self.level)
        return 1 - value, None if high is None else 1 - high, None if low is None else 1 - low

    def gain(self, kind: str, name: str, reference: str) -> tuple[float, float | None, float | None]:
        """Mean loss of the reference minus the candidate's, per cell, with its interval."""
        mine, theirs = self._lost(kind, name, reference)
        return ratio(theirs - mine, self.comparison.cells[kind], self.group, self.level)

    def verdict(self, name: str, other: str) -> str:
        """Whether the interval of the gain in log score leaves out 0, and on which side."""
        _, low, high = self.gain("log", name, other)
        return TOO_FEW if low is None else "cannot tell" if coincide(name, other, self.comparison) else _side(low, high)

    def apart(self, name: str, other: str) -> bool:
        """Whether two candidates can be told apart by the log score."""
        return self.verdict(name, other) in (HELPS, HARMS)

    def stated(self) -> Finding:
        """How the intervals were made, or why there are none."""
        values = {"origins": len(self.comparison.origins), "groups": self.count, "fewest": FEWEST_GROUPS}
        if not self.known:
            return Finding("compare-too-few-dates", values)
        return Finding("compare-intervals", values | {"level": f"{100 * self.level:g} %"})

    def _lost(self, kind: str, *names: str) -> list[np.ndarray]:
        return [self.comparison.losses[kind][self.comparison.index(name)] for name in names]


def coincide(name: str, other: str, comparison: Comparison) -> bool:
    """Whether the fits of two candidates to the whole window are one: what one of them adds is not in use."""
    by_name = {candidate.name: candidate.observes for candidate in comparison.candidates}
    mine, theirs = (comparison.fits.get(each) for each in (name, other))
    if mine is None or theirs is None or by_name[name] != by_name[other]:
        return False
    return abs(mine.log_density - theirs.log_density) <= SAME_FIT


def aic(candidate: Candidate, comparison: Comparison) -> float | None:
    """Of the fit to the whole window; None for what has no maximum of a likelihood, random effects among them."""
    fitted = comparison.fits.get(candidate.name)
    return None if fitted is None else fitted.details.get("aic")


def aic_of(candidate: Candidate, comparison: Comparison) -> str | None:
    """The data that this AIC is of, as "counts" or, where the fit says how many, "595 counts"; None without one.

    A model that conditions on more first steps weighs fewer counts, and its AIC compares with no other's.
    """
    if aic(candidate, comparison) is None:
        return None
    number = comparison.fits[candidate.name].details.get("observations")
    return candidate.observes if number is None else f"{number} {candidate.observes}"


def _like(candidate: Candidate, other: Candidate, comparison: Comparison) -> bool:
    """Whether both have an AIC, and of the same data as far as is known."""
    known = [comparison.fits[c.name].details.get("observations") for c in (candidate, other)
             if aic(c, comparison) is not None]  # fmt: skip
    return len(known) == 2 and candidate.observes == other.observes and (None in known or known[0] == known[1])


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


def _skill(comparison: Comparison, order: Sequence[str], reference: str, doubt: _Doubt) -> Table:
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


def _mechanisms(comparison: Comparison, doubt: _Doubt) -> Table:
    """Every pair of one family that differs by exactly one mechanism."""
    scored = [c for c in comparison.candidates if c.family and c.name in comparison.names]
    rows: list[dict[str, Any]] = []
    for without in scored:
        for full in scored:
            added = full.mechanisms - without.mechanisms
            if full.family != without.family or len(added) != 1 or not without.mechanisms < full.mechanisms:
                continue
            with_aic, without_aic = aic(full, comparison), aic(without, comparison)
            rows.append(
                {
                    "mechanism": next(iter(added)),
                    "without": without.name,
                    "with": full.name,
                    **_on_dates(full.name, without.name, comparison, doubt),
                    "AIC change": with_aic - without_aic if _like(full, without, comparison) else None,  # type: ignore[operator]
                    **_on_places(full.name, without.name, comparison, doubt.level),
                }
            )
    columns = ("mechanism", "without", "with", *DATES_COLUMNS, "AIC change")
    return Table.from_rows(rows, columns + (PLACES_COLUMNS if comparison.by_place else ()))


DATES_COLUMNS = ("log gain", "low", "high", "by", "verdict")
PLACES_COLUMNS = ("places gain", "places low", "places high", "on places")


def same_cells(name: str, other: str, densities: Mapping[str, np.ndarray]) -> bool | None:
    """Whether two candidates have densities of the same place-steps; None where one has none held out."""
    mine, theirs = (densities.get(each) for each in (name, other))
    return None if mine is None or theirs is None else bool((np.isnan(mine) == np.isnan(theirs)).all())


def _on_dates(name: str, other: str, comparison: Comparison, doubt: _Doubt) -> dict[str, Any]:
    """Mean gain in held-out log score per count, its interval over groups of origins, and what it says.

    By the densities of the counts that are forecast, each given the counts of all earlier steps, where both have them:
    together they are the log score of the whole forecast, which sees what moves together, and no luck of draws is in
    them. Else by the draws of single counts.
    """
    known = _both(name, other, comparison.ahead)
    if known is None:
        by_draws = (*doubt.gain("log", name, other), "draws", doubt.verdict(name, other))
        return dict(zip(DATES_COLUMNS, by_draws, strict=True))
    apart, cells = (each.sum(axis=(1, 2)) for each in known)
    found = ratio(apart, cells, doubt.group, doubt.level)
    verdict = _told(*found[1:], coincide(name, other, comparison), apart.sum() / doubt.repeats)
    return dict(zip(DATES_COLUMNS, (*found, "densities", verdict), strict=True))


def _on_places(name: str, other: str, comparison: Comparison, level: float) -> dict[str, Any]:
    """Mean gain in log density per place-step of places left out of the fit, by Student's t over places.

    Nothing where the two have densities of different place-steps, since their sums do not compare.
    """
    known = _both(name, other, comparison.by_place)
    if known is None:
        return {}
    apart, cells = (each.sum(axis=1) for each in known)
    apart, cells = apart[cells > 0], cells[cells > 0]
    found = ratio(apart, cells, np.arange(len(cells)), level)
    verdict = _told(*found[1:], coincide(name, other, comparison), apart.sum())
    return {} if verdict == TOO_FEW else dict(zip(PLACES_COLUMNS, (*found, verdict), strict=True))


def _both(name: str, other: str, densities: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """By how much `name` gives more log density than `other`, 0 where neither has one, and where both have.

    None unless both have densities of the same place-steps, and hold none of these counts for impossible.
    """
    if not same_cells(name, other, densities):
        return None
    mine, theirs = densities[name], densities[other]
    known = ~np.isnan(mine)
    if not (known.any() and np.isfinite(mine[known]).all() and np.isfinite(theirs[known]).all()):
        return None
    return np.where(known, mine - theirs, 0.0), known


HELPS, HARMS = "earns its keep", "does harm"


def _told(low: float | None, high: float | None, one: bool, nats: float) -> str:
    """The verdict of densities. one : whether the two fits are one. nats : the gain over all counts, each once."""
    if low is None:
        return TOO_FEW
    return "cannot tell" if one or abs(nats) < SMALL else _side(low, high)


def _side(low: float, high: float | None) -> str:
    if high is None or low <= 0 <= high:
        return "cannot tell"
    return HELPS if low > 0 else HARMS


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


def _best(order: Sequence[str], tied: tuple[str, ...], lowest: float, doubt: _Doubt) -> Finding:
    """Who leads, and who cannot be told from the leader."""
    values = {"count": len(order), "best": order[0], "score": lowest}
    if not doubt.known:
        return Finding("compare-best", values)
    if not tied:
        return Finding("compare-best-apart", values | {"level": f"{100 * doubt.level:g} %"})
    apart = len(order) - 1 - len(tied)
    return Finding("compare-best-tied" if apart else "compare-none-apart", values | {"tied": tied, "apart": apart})


def _against(order: Sequence[str], reference: str, comparison: Comparison, doubt: _Doubt) -> tuple[Finding, ...]:
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


def _earned(table: Table, column: str, gain: str, said: str) -> tuple[Finding, ...]:
    """One finding for each mechanism whose verdict is the same wherever it is added, else one for each verdict.

    column, gain : where verdict and gain stand, of dates or of places. said : how the findings' keys begin.
    """
    found: list[Finding] = []
    for mechanism in dict.fromkeys(table["mechanism"]):
        rows = [row for row in table.rows() if row["mechanism"] == mechanism and row.get(column)]
        verdicts = dict.fromkeys(row[column] for row in rows)
        if len(verdicts) > 1:
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
