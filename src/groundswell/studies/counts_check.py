"""Whether a source's counts look like what the model, with what it learnt, would have been listed as.

For every draw of the posterior a history is made anew from its parameters, given nothing but the first day, and the
source lists it. Histories given the counts would hold the very events that it lists, and would always agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from groundswell.data.evidence import Evidence
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.infer.base import Fit
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.workers import Workers
from groundswell.models.base import Account
from groundswell.params import Leaf, leaves, replacing
from groundswell.rng import keyed
from groundswell.studies.case import Built
from groundswell.studies.counts import Counts, listed, told

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


class Listed:
    """What the source would have listed of a history drawn anew, by day, and what that comes to."""

    def __init__(self, account: Account, setting: Setting, counts: Counts, free: Sequence[Leaf]) -> None:
        self.account, self.counts, self.free = account, counts, free
        first = counts.history.weighed & ~counts.looked
        self.filter = ParticleFilter(histories=1)
        given = Evidence(Record(()), replace(counts.history, weighed=first))
        self.plan = self.filter.plan(account, setting, given)

    def __call__(self, z: np.ndarray, key: tuple[int, ...]) -> tuple[dict[str, float], np.ndarray] | None:
        """None where the history exploded."""
        account = replacing(self.account, {leaf.name: leaf.from_free(x) for leaf, x in zip(self.free, z, strict=True)})
        rng = keyed(*key)
        history = self.filter.run(self.plan, account, rng=rng, trace=True).history
        if history is None:
            return None
        seen = listed(history, self.counts, rng)
        return self.counts.summed(seen), seen.sum(axis=0)


def counts_checked(built: Built, found: Fit, *, prior_draws: int, seed: int, processes: int) -> dict[str, Any]:
    """What the counts hold; "rows" of what they come to beside what was expected before and after, with p; "by_day".

    p : twice the share of draws beyond what the source lists, on the nearer side, half of the draws that equal it with
    them. The counts were learnt from, so a p is too large rather than too small.
    """
    counts = built.counts
    assert counts is not None
    free = [leaf for leaf in leaves(built.account) if leaf.prior is not None and leaf.name not in built.held]
    centre, sd = np.array([leaf.center for leaf in free]), np.array([leaf.sd for leaf in free])
    z = centre + sd * keyed(seed, 14).standard_normal((prior_draws, len(free)))
    before = _drawn(built, free, z, (seed, 15), processes)
    after = _drawn(built, found.details["leaves"], found.details["free"], (seed, 16), processes)
    seen = np.where(counts.looked, counts.history["events"], 0)
    rows = []
    for name, value in counts.summed(seen).items():
        mine, theirs = (np.array([row[name] for row, _ in drawn]) for drawn in (after, before))
        rank = float((mine < value).mean() + 0.5 * (mine == value).mean())
        rows.append(
            {
                "what": name,
                "listed": value,
                "predicted": [float(v) for v in np.quantile(mine, LEVELS)],
                "predicted_before": [float(v) for v in np.quantile(theirs, LEVELS)],
                "rank": rank,
                "p": min(1.0, 2 * min(rank, 1 - rank)),
            }
        )
    return told(counts) | {
        "rows": rows,
        "by_day": {
            "listed": [float(v) for v in seen.sum(axis=0)],
            "looked": [int(v) for v in counts.looked.sum(axis=0)],
            "posterior": _fan([days for _, days in after]),
            "prior": _fan([days for _, days in before]),
        },
        "exploded": len(z) - len(before),
        "exploded_after": len(found.details["free"]) - len(after),
    }


def _drawn(
    built: Built, free: Sequence[Leaf], z: np.ndarray, key: tuple[int, int], processes: int
) -> list[tuple[dict[str, float], np.ndarray]]:
    """Of the draws that did not explode."""
    arguments = (built.account, built.setting, built.counts, free)
    with Workers((Listed, arguments), processes) as workers:
        drawn = workers.map([(row, (*key, i)) for i, row in enumerate(z)])
    return [one for one in drawn if one is not None]


def _fan(days: Sequence[np.ndarray]) -> dict[str, list[float]]:
    """Quantiles by day."""
    found = np.quantile(np.array(days), LEVELS, axis=0)
    return {f"{level:g}": [float(v) for v in row] for level, row in zip(LEVELS, found, strict=True)}


def check_tables(result: Mapping[str, Any]) -> dict[str, Table]:
    """The counts by day, what they come to, and the rows that are not used."""
    counts = result["counts"]
    by_day: dict[str, Any] = {
        "date": result["dates"],
        **{name: counts["by_day"][name] for name in ("looked", "listed")},
    }
    for side in ("posterior", "prior"):
        by_day |= {f"{side} {100 * float(level):g} %": values for level, values in counts["by_day"][side].items()}
    rows = [
        {name: row[name] for name in ("what", "listed", "rank", "p")}
        | {
            f"{side} {100 * level:g} %": value
            for side in ("predicted", "predicted_before")
            for level, value in zip(LEVELS, row[side], strict=True)
        }
        for row in counts["rows"]
    ]
    columns = ("row", "id", "outcome", "reason", "remedy")
    return {
        "counts": Table(by_day),
        "counts_check": Table.from_rows(rows),
        "counts_unused": Table.from_rows(counts["unused"], columns),
    }
