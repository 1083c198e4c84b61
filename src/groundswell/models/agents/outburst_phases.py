"""Where there are outbursts: runs of civil violence over a table of values of two parameters, several crowds each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import outbursts, populate, run
from groundswell.rng import generator


def outburst_phases(
    model: CivilViolence, over: Mapping[str, Sequence[float]], *, rng: np.random.Generator, steps: int = 1000,
    burn_in: int = 200, crowds: int = 3, above: float | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Table:  # fmt: skip
    """One row for each pair of values: share active and outbursts, over `crowds` crowds of `steps` steps each.

    over : two parameters by name, each with its values. Every pair is run on the same seeds, so that neighbours share
    their luck as far as they can. above : active agents that an outburst exceeds, or what the model of each pair says
    (`outburst_above`). Columns: both parameters; active_share, the mean share of citizens that is active
    after the burn-in, and its standard error over crowds (None for one crowd); outbursts, started in 100 steps;
    waiting_time, the mean number of steps between starts, None without two starts; crowds; steps counted in each.
    Cost: pairs * crowds * (steps + burn_in) steps; on 40 x 40 about a millisecond each.
    """
    if len(over) != 2 or any(not len(values) for values in over.values()):
        raise UsageError(f"outburst_phases was given values of {list(over)}; expected two parameters with values each.")
    if steps < 2 or burn_in < 0 or crowds < 1:
        raise UsageError(f"steps {steps}, burn_in {burn_in}, crowds {crowds}; expected 2, 0 and 1 or more.")
    seeds = rng.integers(0, 2**62, crowds).tolist()
    rows, pairs = [], list(product(*over.values()))
    for done, pair in enumerate(pairs):
        at = dict(zip(over, map(float, pair), strict=True))
        shares, starts, waits = [], 0, []
        for seed in seeds:
            crowd = populate(model.replacing(at), rng=generator(seed))
            level = crowd.model.outburst_above if above is None else above
            active = run(run(crowd, burn_in, record="none").crowd, steps).series["active"]
            shares.append(float(active.mean()) / max(1, len(crowd.hardship)))
            found = outbursts(active, level)
            starts += len(found)
            waits += np.diff(found).tolist()
        error = float(np.std(shares, ddof=1) / np.sqrt(crowds)) if crowds > 1 else None
        rows.append(
            {
                **at,
                "active_share": float(np.mean(shares)),
                "standard_error": error,
                "outbursts": 100 * starts / (crowds * steps),
                "waiting_time": float(np.mean(waits)) if waits else None,
                "crowds": crowds,
                "steps": steps,
            }
        )
        if progress is not None:
            progress((done + 1) / len(pairs), ", ".join(f"{name} {value:g}" for name, value in at.items()))
    return Table.from_rows(rows)
