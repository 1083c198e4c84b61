"""What the reporting model alone expects to be said of a quantity, before any claim is weighed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from groundswell.data.record import Record
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.models.reporting.claims import Reporting
from groundswell.params import leaves

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
COLUMNS = ("stance", "class", "qualifier", "claims", "low", "quarter", "middle", "three quarters", "high")


def prior_predictive(
    reporting: Reporting, record: Record, quantity: float = 100.0, *, rng: np.random.Generator, draws: int = 1_000
) -> Table:
    """The factor figure / quantity by stance, class and qualifier, all parameters drawn from their priors.

    record : weighed claims; each asks its own speaker anew, its figure is not looked at. quantity : what there was, the
    same for all of them; it matters where rounding does, for small numbers. Of a range the factor is that of its
    middle in log. A source that lists places knows of a binomial part of them, quiet and of 100,000 persons each.

    Columns: those of COLUMNS, from low to high the quantiles LEVELS. Cost: some milliseconds a draw for 20 claims.
    """
    if not quantity > 0 or not np.isfinite(quantity) or draws < 1:
        raise UsageError(
            f"prior_predictive of a quantity of {quantity:g} in {draws} draws: a factor needs a quantity above 0, and "
            "quantiles need draws."
        )
    groups = reporting.prepare(record)
    cells = {
        claim.id: (claim.stance, group.quantity.kind, claim.qualifier) for group in groups for claim in group.claims
    }
    free = [leaf for leaf in leaves(reporting) if leaf.prior is not None]
    factors: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for _ in range(draws):
        drawn = {leaf.name: leaf.from_free(leaf.center + leaf.sd * rng.standard_normal()) for leaf in free}
        model = reporting.replacing(drawn)
        listings = [model.lister(group) for group in groups]
        known = [quantity if one is None else float(rng.binomial(round(quantity), one.share)) for one in listings]
        for claim in model.say(groups, known, record, rng=rng):
            if claim.id in cells:
                said = claim.value if claim.value_high is None else np.sqrt(claim.value * claim.value_high)
                factors[cells[claim.id]].append(said / quantity)
    rows: list[dict[str, Any]] = [
        dict(zip(COLUMNS, (*cell, len(found) // draws, *map(float, np.quantile(found, LEVELS))), strict=True))
        for cell, found in sorted(factors.items())
    ]
    return Table.from_rows(rows, COLUMNS)
