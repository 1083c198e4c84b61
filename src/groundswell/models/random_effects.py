"""Random intercepts: places that differ for reasons no column knows, drawn from a normal with a variance of its own.

A part of the endemic-epidemic mean may have one intercept per place, b_i ~ N(0, sd^2), beside the common
one; across parts they may be correlated. Paul and Held (2011), Statistics in Medicine 30, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from groundswell.errors import DataError
from groundswell.params import Component, Effects, Prior, names, param

EffectsDensity = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""From the vector of all parameters to the log density of the random ones given the rest, and its gradient."""


@dataclass(frozen=True)
class RandomIntercepts(Component):
    """A log rate of its own for each place, normal around the common intercept.

    by_place : the places' departures, keyed by name; empty until a setting's places are known
    (`EndemicEpidemic.prepared`), and then estimated with the rest. They have no prior of their own: sd is theirs.
    """

    sd: float = param("log rate", low=0, prior=Prior(0.5, 0.7), doc="sd over places of the log rate")
    by_place: Effects = param("log rate", default=Effects(), doc="departure of a place's log rate from the intercept")

    def of(self, places: Sequence[str]) -> np.ndarray:
        """(P,) departures in the order of the places; DataError for a place without one."""
        if missing := [name for name in places if name not in self.by_place]:
            raise DataError(
                f'the random intercepts know {len(self.by_place)} places and not "{missing[0]}". '
                "Call model.prepared(setting) first, which gives every place of the setting one, at 0."
            )
        return np.array([self.by_place[name] for name in places])

    def over(self, places: Sequence[str]) -> RandomIntercepts:
        """The same with an intercept for each of the places: the known ones kept, new ones at 0."""
        return RandomIntercepts(self.sd, Effects({name: self.by_place.get(name, 0.0) for name in places}))


@dataclass(frozen=True)
class Correlation(Component):
    """Random intercepts of one place that go together across parts.

    by_pair : keyed by "endemic-within" and the like, in the order of the parts; `EndemicEpidemic.prepared` fills
    it in. With three parts the last pair's is the correlation given the first part (a partial one), so that every
    combination of values in (-1, 1) is a correlation matrix.
    """

    by_pair: Effects = param(
        "1", low=-1, high=1, prior=Prior(0.0, 1.0), default=Effects(), doc="correlation of two parts' random intercepts"
    )

    def over(self, parts: Sequence[str]) -> Correlation:
        """The same with a value for every pair of the parts: the known ones kept, new ones at 0."""
        return Correlation(Effects({pair: self.by_pair.get(pair, 0.0) for pair in pairs(parts)}))


def pairs(parts: Sequence[str]) -> list[str]:
    """The labels of the pairs of parts, in order."""
    return [f"{a}-{b}" for n, a in enumerate(parts) for b in parts[n + 1 :]]


def covariance(sd: np.ndarray, partial: np.ndarray) -> np.ndarray:
    """(Q, Q) covariance of up to three parts from sds (Q,) and the values of `Correlation` (none: independent)."""
    size = len(sd)
    corr = np.eye(size)
    if len(partial):
        corr[np.triu_indices(size, 1)] = partial
        if size == 3:
            a, b, given = partial
            corr[1, 2] = a * b + given * np.sqrt((1 - a * a) * (1 - b * b))
        corr = np.triu(corr) + np.triu(corr, 1).T
    return corr * np.outer(sd, sd)


def covariance_slopes(sd: np.ndarray, partial: np.ndarray) -> np.ndarray:
    """(Q + pairs, Q, Q) derivatives of `covariance` in the sds and the values of `Correlation`."""
    size = len(sd)
    base = covariance(np.ones(size), partial)
    out = np.zeros((size + len(partial), size, size))
    for q in range(size):
        rise = np.zeros((size, size))
        rise[q, :] += sd
        rise[:, q] += sd
        out[q] = rise * base
    for n, (i, j) in enumerate(zip(*np.triu_indices(size, 1), strict=True) if len(partial) else ()):
        out[size + n, i, j] = out[size + n, j, i] = sd[i] * sd[j]
    if size == 3 and len(partial):
        a, b, given = partial
        root = np.sqrt((1 - a * a) * (1 - b * b))
        slopes = (b - given * a * (1 - b * b) / root, a - given * b * (1 - a * a) / root, root)
        for n, slope in enumerate(slopes):
            out[size + n, 1, 2] = out[size + n, 2, 1] = sd[1] * sd[2] * slope
    return out


def normal_density(
    effects: np.ndarray, sd: np.ndarray, partial: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Log density of random intercepts (Q, P) and its slopes in effects (Q, P), sd (Q,) and partial.

    Cost O(Q^2 P).
    """
    count = effects.shape[1]
    matrix = covariance(sd, partial)
    inverse = np.linalg.inv(matrix)
    pulled = inverse @ effects
    value = -0.5 * float((effects * pulled).sum()) - 0.5 * count * (
        float(np.linalg.slogdet(matrix)[1]) + len(sd) * np.log(2 * np.pi)
    )
    in_matrix = 0.5 * (pulled @ pulled.T - count * inverse)
    slopes = np.tensordot(covariance_slopes(sd, partial), in_matrix, axes=([1, 2], [0, 1]))
    return value, -pulled, slopes[: len(sd)], slopes[len(sd) :]


class Positions(NamedTuple):
    """Where a model's random intercepts and what governs them stand in its vector: (Q, P), (Q,), (pairs,)."""

    effects: np.ndarray
    sd: np.ndarray
    partial: np.ndarray


def positions(model: Any) -> Positions:
    """Of a prepared model with random intercepts."""
    at = {name: k for k, name in enumerate(names(model))}
    parts = [row[0].partition(".")[0] for row in model.effect_names]
    correlated = [] if model.correlation is None else [at[f"correlation.by_pair.{pair}"] for pair in pairs(parts)]
    return Positions(
        np.array([[at[name] for name in row] for row in model.effect_names], dtype=np.int64),
        np.array([at[f"{part}.random.sd"] for part in parts], dtype=np.int64),
        np.array(correlated, dtype=np.int64),
    )


def effects_density(model: Any) -> EffectsDensity:
    """See `EndemicEpidemic.effects_density`."""
    where, size = positions(model), len(names(model))

    def density(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, *slopes = normal_density(x[where.effects], x[where.sd], x[where.partial])
        gradient = np.zeros(size)
        for at, slope in zip(where, slopes, strict=True):
            gradient[at] = slope
        return value, gradient

    return density
