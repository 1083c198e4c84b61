"""Which places a source lists at all: larger ones rather than small, those with arrests rather than quiet ones.

A source that lists places of protest misses some. Of the places that a claim counts, each is listed independently with

    logit P(listed) = logit listing_source + size log(population / 100,000) + repression [arrests in the window]

so the number M that the source knows of is Poisson-binomial given the history, and the claim is a statement of M:

    p(v | history) = sum over m of P(M = m | history) p(v | m)

with p(v | m) as in `claims`. Alone the share that a source misses cannot be told from its lean. What tells them apart
is only that a list misses more where places are small and quiet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from groundswell.params import Component, Effects, Prior, param

REFERENCE_PERSONS = 100_000.0
"""Population at which `listing` is stated."""


@dataclass(frozen=True)
class Selection(Component):
    """Sources that list places. Their claims on numbers of places speak of what they list, not of what there was.

    The priors are judgements: lists hold something like six places of ten, rather the larger ones. Known shares are
    held fixed. A claim on events or persons is not thinned: there what a source misses is part of its lean.
    """

    listing: Effects = param(
        "1",
        low=0.0,
        high=1.0,
        prior=Prior(0.6, 1.0),
        default=Effects(),
        doc="share of quiet places of 100,000 persons that a source lists",
    )
    size: float = param("1", prior=Prior(0.3, 0.3), doc="log odds of being listed, for each unit of log population")
    repression: float = param("1", prior=Prior(0.5, 0.5), doc="log odds that arrests add")

    def of(self, source: str) -> Listing | None:
        """How a source lists places; None for one that lists none."""
        return Listing(self.listing[source], self.size, self.repression) if source in self.listing else None


class Listing(NamedTuple):
    """One source's way of listing, at one value of the parameters."""

    share: float
    size: float
    repression: float

    def shares(self, population: np.ndarray, arrests: np.ndarray) -> np.ndarray:
        """(..., P) probability that a place is listed. population : (P,). arrests : (..., P) whether there were any."""
        odds = np.exp(self.size * np.log(population / REFERENCE_PERSONS) + self.repression * arrests)
        return self.share * odds / (1 - self.share + self.share * odds)

    def draw(
        self, seen: np.ndarray, arrests: np.ndarray, population: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """(...,) how many of the places marked in `seen`, (..., P), are listed."""
        return (seen & (rng.random(seen.shape) < self.shares(population, arrests))).sum(axis=-1).astype(float)

    def distribution(self, seen: np.ndarray, arrests: np.ndarray, population: np.ndarray) -> np.ndarray:
        """(K + 1,) probability that 0 to K of the K places marked in `seen`, (P,), are listed: a place at a time."""
        found = np.ones(1)
        for share in self.shares(population, arrests)[seen]:
            found = np.append(found * (1 - share), 0.0) + np.append(0.0, found * share)
        return found
