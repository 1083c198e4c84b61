"""Which statement drives the result: every claim, speaker, origin and side left out in turn.

Also the check of each claim against all the others: what its speaker would have been expected to say, had it not been
heard. Figures of one origin on one quantity are left out together for that, since each would betray the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from groundswell.data.quantities import quantity
from groundswell.data.record import Claim, Record
from groundswell.infer.pareto import largest_k
from groundswell.studies.answers import Answers
from groundswell.studies.case import Built
from groundswell.studies.reweighing import Reading, Reread, groups_of

FEWEST = 30.0
"""Effective draws below which weights are not relied on, whatever their tail."""

EQUAL = 0.8
"""Share of the effective draws that weights must leave to count as nearly equal: then no tail can matter."""

FOREMOST = 3
"""Claims left out that are fitted anew in a full run, though their weights can be relied on: those that move most."""

KINDS = ("claim", "speaker", "origin", "side")
"""What is left out, in this order; the same claims are not left out twice under two names."""


@dataclass(frozen=True)
class LeftOut:
    """Claims that are left out together, and what they have in common.

    last : whether no other claim speaks of some named place on the same days. Draws given the claims all meet such a
    claim, and cannot tell how it would be without: that nothing happened there is in none of them, and no tail of
    weights shows what is missing.
    """

    kind: str
    name: str
    claims: tuple[str, ...]
    last: bool = False

    def reading(self, asked: Iterable[str] = ()) -> Reading:
        """The claims without these; `asked` are asked again."""
        return Reading(without=self.claims, ask=tuple(asked))


def to_leave_out(built: Built) -> list[LeftOut]:
    """Every claim; every speaker, origin and side of two claims or more; and, as "origin", each group of one origin.

    Not a side with all the claims: without them there is nothing to learn from.
    """
    record = built.claims.weighed
    found = [LeftOut("claim", claim.id, (claim.id,)) for claim in record]
    heaps: list[tuple[str, Mapping[str, list[Claim]]]] = [
        ("speaker", _by(record, lambda claim: claim.speaker)),
        ("origin", _by(record, lambda claim: claim.origin or claim.id)),
        ("side", _by(record, lambda claim: claim.stance)),
    ]
    groups = {ids: LeftOut("origin", record[ids[0]].origin, ids) for ids in groups_of(built) if len(ids) > 1}
    seen: set[tuple[str, ...]] = set()
    for kind, heap in heaps:
        for name in sorted(heap):
            ids = tuple(sorted(claim.id for claim in heap[name]))
            if 1 < len(ids) < len(record.claims) and ids not in seen:
                seen.add(ids)
                found.append(LeftOut(kind, name, ids))
    found += [group for ids, group in groups.items() if ids not in seen and len(ids) < len(record.claims)]
    named = _named(built)
    return [replace(one, last=any(set(ids) <= set(one.claims) for ids in named)) for one in found]


def _named(built: Built) -> list[list[str]]:
    """Ids of the claims on one place, in heaps of the same place, series and days within the daily window."""
    window, places = built.setting.window, built.setting.places
    heaps: dict[tuple, list[str]] = {}
    for claim in built.claims.weighed:
        where = places.covered_by(claim.place)
        if len(where) == 1 and window.day(claim.end) < window.days:
            key = int(where[0]), quantity(claim.quantity).series, claim.start, claim.end
            heaps.setdefault(key, []).append(claim.id)
    return list(heaps.values())


def readings(built: Built, left_out: Sequence[LeftOut]) -> list[Reading]:
    """For each, the claims that are left; where it is a whole group of one origin, its speakers are asked again."""
    groups = set(groups_of(built))
    return [one.reading(one.claims if one.claims in groups else ()) for one in left_out]


def influence_row(one: LeftOut, found: Reread, base: Answers | None) -> dict[str, Any]:
    """What the answers are without some claims.

    log_predictive : log probability of what is left out, given the rest. base : the answers of which `found` weighs the
    draws anew; None for a fit of its own.
    """
    return {
        "kind": one.kind,
        "name": one.name,
        "claims": list(one.claims),
        "log_predictive": -found.log_ratio,
        "answers": found.answers.told(base),
    } | how(found, base, one.last)


def how(found: Reread, base: Answers | None, last: bool = False) -> dict[str, Any]:
    """By which way a reading was computed, and whether to rely on it. worth : effective draws.

    Weights are relied on if their tail allows it or they are nearly equal, if enough draws are left, and never where
    the `last` claim on a named place is left out.
    """
    if base is None:
        reliable = not found.reasons
    else:
        equal = found.worth >= EQUAL / float((base.weights**2).sum())
        tame = found.pareto_k is not None and found.pareto_k <= largest_k(len(found.answers.weights))
        reliable = found.worth >= FEWEST and (tame or equal) and not last
    return {
        "by": "fit" if found.anew else "weights",
        "pareto_k": found.pareto_k,
        "worth": found.worth,
        "reliable": bool(reliable),
        "reasons": list(found.reasons),
    }


def check_rows(record: Record, one: LeftOut, found: Reread, base: Answers | None) -> dict[str, dict[str, Any]]:
    """id to the check of its claim: what its speaker would have said, given the other origins' claims.

    rank : of the figure among those; p : twice its distance from the nearer end, at most 1.
    """
    rows = {}
    for name, values in found.said.items():
        if not np.isfinite(values).all():
            continue
        weights = found.answers.weights
        value = record[name].value
        rank = float(weights[values < value].sum() + 0.5 * weights[values == value].sum())
        levels = np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95), weights=weights, method="inverted_cdf")
        rows[name] = {
            "predicted": [float(v) for v in levels],
            "rank": rank,
            "p": min(1.0, 2 * min(rank, 1 - rank)),
            "left_out": list(one.claims),
            "log_predictive": -found.log_ratio,
        } | how(found, base, one.last)
    return rows


def to_fit_anew(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Which rows need a fit of their own: unreliable weights, and the single claims that move any answer most."""
    moved = {i: furthest(row) for i, row in enumerate(rows) if row["kind"] == "claim"}
    first = sorted(moved, key=lambda i: -moved[i])[:FOREMOST]
    return sorted({*first, *(i for i, row in enumerate(rows) if not row["reliable"])})


def furthest(row: Mapping[str, Any]) -> float:
    """The largest shift of any answer, in posterior sds."""
    return max((abs(answer["shift"]) for answer in row["answers"].values() if "shift" in answer), default=0.0)


def _by(record: Record, key: Any) -> dict[str, list[Claim]]:
    heap: dict[str, list[Claim]] = {}
    for claim in record:
        heap.setdefault(key(claim), []).append(claim)
    return heap
