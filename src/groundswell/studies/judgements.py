"""How far the answers depend on what was put in beforehand: every prior moved, every judgement of the reporting model.

A prior of the model's parameters is moved by the ratio of the two densities at the draws, one of leans and speakers, or
a judgement of how people report, by the probability of the claims under it (`studies.reweighing`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.infer.base import Fit
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.grouping import Grains
from groundswell.params import Leaf, Prior
from groundswell.studies.answers import Answers
from groundswell.studies.influence import how
from groundswell.studies.reweighing import Reading, Reread, weighed_anew

WIDER = 1.5
"""Factor of a prior's sd. Twice the sd would give weights whose tail no smoothing mends: Pareto k 1 - 1/WIDER^2, for a
parameter of which the claims say nothing."""


ODDS = 1.25
"""Factor of the odds that a source lists an event: of 60 % to 55 and 65 %."""


@dataclass(frozen=True)
class Moved:
    """A prior or judgement, what it is, and the two ways in which it is moved, told in words."""

    name: str
    what: str
    ways: tuple[str, str]


def parameter_moves(leaves: Sequence[Leaf], names: Sequence[str]) -> Iterator[tuple[Moved, list[np.ndarray]]]:
    """Median and width of each parameter's prior; beside it what the move does: (centre, sd) on standard coordinates.

    names : the integrated effects, which `reporting_moves` moves.
    """
    effects = {f"reporting.{name}" for name in names}
    for leaf in leaves:
        if leaf.name in effects:
            continue
        low, high = (leaf.from_free(leaf.center + side * leaf.sd) for side in (-1, 1))
        ways = _short(low), _short(high)
        yield Moved(leaf.name, "median", ways), [np.array([-1.0, 1.0]), np.array([1.0, 1.0])]
        ways = _short(leaf.sd / WIDER), _short(leaf.sd * WIDER)
        yield Moved(leaf.name, "sd", ways), [np.array([0.0, 1 / WIDER]), np.array([0.0, WIDER])]


def reporting_moves(
    reporting: Reporting, names: Sequence[str], priors: dict[str, Prior]
) -> Iterator[tuple[Moved, list[Reading]]]:
    """Widths of the priors of leans and speakers, and the judgements that have no prior.

    priors : of the effects `names`, as declared.
    """
    for head, title in (("bias.", "bias"), ("bias_by_kind.", "bias_by_kind"), ("speaker.", "speaker")):
        mine = {name: priors[name] for name in names if name.startswith(head)}
        if not mine and head != "speaker.":
            continue
        sds = {prior.sd for prior in mine.values()} or {reporting.unlisted}
        pair = []
        for factor in (1 / WIDER, WIDER):
            other = {name: Prior(prior.median, factor * prior.sd) for name, prior in mine.items()}
            changes = {"unlisted": factor * reporting.unlisted} if head == "speaker." else {}
            pair.append(Reading(priors=other, changes=changes))
        low, high = (" and ".join(_short(factor * sd) for sd in sorted(sds)) for factor in (1 / WIDER, WIDER))
        yield Moved(f"reporting.{title}", "sd", (low, high)), pair
    numbers = {
        "vague": (reporting.vague / 2, min(2 * reporting.vague, 1.0)),
        "vague_reach": (math.log(30), math.log(300)),
        "shared_origin": (0.8, 0.99),
    }
    for name, pair in numbers.items():
        told = tuple(f"{math.exp(v):.0f}" if name == "vague_reach" else f"{v:g}" for v in pair)
        yield Moved(f"reporting.{name}", "value", told), [Reading(changes={name: v}) for v in pair]  # type: ignore[arg-type]
    pair = [Reading(changes={"grains": regrained(reporting.grains, finer)}) for finer in (True, False)]
    yield Moved("reporting.grains", "table", ("finer", "coarser")), pair


def regrained(grains: Grains, finer: bool) -> Grains:
    """Half of what is rounded to more than 1 taken to be rounded to 1; or half of that to 1 spread over the others."""

    def moved(shares: Sequence[float]) -> tuple[float, ...]:
        first, rest = shares[0], 1 - shares[0]
        kept = first + rest / 2 if finer else first / 2
        if rest <= 0:
            return tuple(shares)
        return kept, *(share * (1 - kept) / rest for share in shares[1:])

    return Grains(grains.grains, moved(grains.exactly), moved(grains.otherwise))


def under_prior(base: Answers, z: np.ndarray, way: np.ndarray) -> Reread:
    """The answers with one parameter's prior moved. z : (M,) on the coordinate where that prior is standard normal."""
    centre, sd = way
    return by_ratio(base, -0.5 * ((z - centre) / sd) ** 2 + 0.5 * z**2 - math.log(sd))


def detection_moves(detection: float, seen: float, unseen: np.ndarray) -> tuple[Moved, list[np.ndarray]]:
    """The share of events that a source lists, its odds lower and higher; beside it the log ratios (M,) of the draws.

    seen : events listed. unseen : (M,) events of each draw's history that were not, where the source looked.
    """
    odds = detection / (1 - detection)
    shares = [factor * odds / (1 + factor * odds) for factor in (1 / ODDS, ODDS)]
    ratios = [seen * math.log(d / detection) + unseen * math.log((1 - d) / (1 - detection)) for d in shares]
    return Moved("counts.detection", "value", (_short(shares[0]), _short(shares[1]))), ratios


def by_ratio(base: Answers, ratio: np.ndarray) -> Reread:
    """The answers of the draws weighed anew. ratio : (M,) of the probability of what is given, moved over as it is."""
    log_ratio, weights, k = weighed_anew(base.weights, ratio)
    return Reread(Answers(base.values, weights), log_ratio, {}, k)


def standard(found: Fit) -> dict[str, np.ndarray]:
    """Name to (M,) values of the fit's different draws, on the coordinate in which the prior is standard normal."""
    _, first = np.unique(found.details["index"], return_index=True)
    free = found.details["free"][first]
    return {leaf.name: (free[:, k] - leaf.center) / leaf.sd for k, leaf in enumerate(found.details["leaves"])}


def way_row(to: str, found: Reread, base: Answers | None) -> dict[str, Any]:
    """The answers with a prior or judgement moved one way; base as in `influence_row`."""
    return {"to": to, "answers": found.answers.told(base)} | how(found, base)


def _short(value: float) -> str:
    """Two figures, without an exponent where there can be none."""
    return f"{float(f'{value:.2g}'):g}"
