"""How often cascades go global: many runs, with one luck for all that is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from groundswell.errors import UsageError
from groundswell.models.agents.cascade import Cascade
from groundswell.models.agents.cascade_parts import Fraction
from groundswell.models.agents.networks import RandomGraph
from groundswell.rng import hash_key

GLOBAL = 0.1
"""A cascade that ends with more than this share of the persons is called global, where nothing else is said."""


def final_shares(model: Cascade, runs: int, *, rng: np.random.Generator, steps: int | None = None) -> np.ndarray:
    """(runs,) share active at the end, each with its own network, thresholds and seeds."""
    return np.array([model.run(rng=rng, steps=steps).final_share for _ in range(_at_least_one(runs))])


def window_frequencies(
    shares: Sequence[float] | np.ndarray,
    mean_degrees: Sequence[float] | np.ndarray,
    *,
    rng: np.random.Generator,
    nodes: int = 1000,
    runs: int = 20,
    above: float = GLOBAL,
    model: Cascade | None = None,
) -> np.ndarray:
    """(Z, S) share of runs that end above `above`, for each mean degree of a random graph and each threshold share.

    model : its seeds and noise are used; by default a single seed. Run i has the same seeds, and at one mean degree the
    same network, under every threshold, so that neighbouring cells differ by the threshold alone.
    Cost: runs times Z networks, and a cascade on each for every share.
    """
    model = model or Cascade.watts(nodes=nodes)
    keys = [hash_key(rng) for _ in range(_at_least_one(runs))]
    found = np.zeros((len(mean_degrees), len(shares)))
    for row, mean_degree in zip(found, mean_degrees, strict=True):
        placed = replace(model, network=RandomGraph(nodes, float(mean_degree)))
        for key in keys:
            graph = placed.network_of(key)
            for at, share in enumerate(shares):
                row[at] += replace(placed, threshold=Fraction(float(share))).on(graph, key).final_share > above
    return found / runs


def _at_least_one(runs: int) -> int:
    if runs < 1:
        raise UsageError(f"runs is {runs}; expected 1 or more.")
    return runs
