"""How fast counts that set each other off grow from step to step: the dominant eigenvalue of their next means.

With x the counts of L steps, the last first, the next mean is sum over lags l of G_l x_l,
G_l = diag(own_l within) + others_l diag(between) M: the companion matrix of the G_l carries the whole past on.
An eigenvector that grows by r a step has x_l = r^(1 - l) x, so r solves

    r x_i = sum over l of (own_l within_i + others_l between_i (M x)_i / x_i) x_i r^(1 - l)     at every place i.

For any positive x the places' own roots r_i of this bracket the eigenvalue (Collatz and Wielandt). Inverse iteration
from the upper end (Noda 1971, Numerische Mathematik 17, 382-386) keeps x positive and closes the bracket quadratically,
periodic matrices included. It wants places that all reach each other: others are taken apart first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

TOLERANCE = 1e-12
"""An eigenvalue's bracket is at most this wide, relative to it."""


@dataclass(frozen=True, eq=False)
class Growth:
    """What passes counts on. within, between : (P, T) rates. passed_on : (P, P) M, receiver by row.

    own, others : (L,) weights of the lags within and between places; they sum to 1.
    """

    within: np.ndarray
    between: np.ndarray
    passed_on: np.ndarray
    own: np.ndarray
    others: np.ndarray
    _joined: dict[bytes, tuple[np.ndarray, list[np.ndarray]]] = field(default_factory=dict)

    def by_step(self) -> np.ndarray:
        """(T,) dominant eigenvalues; infinite where a rate is. Steps of equal rates are computed once."""
        found: dict[bytes, float] = {}
        out = np.empty(self.within.shape[1])
        start = np.ones(len(self.within))
        for t in range(len(out)):
            key = self.within[:, t].tobytes() + self.between[:, t].tobytes()
            if key not in found:
                found[key], start = self._at(t, start)
            out[t] = found[key]
        return out

    def largest_above(self, limit: float) -> float | None:
        """The largest dominant eigenvalue of all steps if it exceeds the limit, which is 1 or more; else None.

        A step is looked at only if no bound says that it stays below what was found: the offspring of one event,
        or the bracket's upper end at the eigenvectors of other steps. Cost: O(P^2 + P T), and O(P^3) a step looked at.
        """
        if not (np.isfinite(self.within).all() and np.isfinite(self.between).all()):
            return np.inf
        # an eigenvalue above 1 is at most what it would be if nothing came later than the next step
        offspring = self.within + self.passed_on.T @ self.between
        received = self.within + self.between * self.passed_on.sum(axis=1)[:, None]
        bound = np.minimum(offspring.max(axis=0), received.max(axis=0))
        best, start = limit, np.ones(len(self.within))
        while bound.max() > best * (1 + TOLERANCE):
            t = int(bound.argmax())
            value, start = self._at(t, start)
            best = max(best, value)
            bound = np.minimum(bound, self._upper(t, start))
            bound[t] = value
        return best if best > limit else None

    def _at(self, t: int, start: np.ndarray) -> tuple[float, np.ndarray]:
        """The dominant eigenvalue at a step and (P,) positive, an eigenvector for each set of places that is joined."""
        within, between = self.within[:, t], self.between[:, t]
        if not (np.isfinite(within).all() and np.isfinite(between).all()):
            return np.inf, np.ones(len(within))
        matrix, sets = self._apart(t)
        vector = start.copy()
        value = float(_roots(within, between * np.diag(matrix), self.own, self.others).max())
        for at in sets:
            one, vector[at] = self._irreducible(within[at], between[at, None] * matrix[np.ix_(at, at)], start[at])
            value = max(value, one)
        return value, vector

    def _irreducible(self, within: np.ndarray, sent: np.ndarray, x: np.ndarray) -> tuple[float, np.ndarray]:
        narrowest, best = np.inf, (np.inf, x)
        for _ in range(60):
            roots = _roots(within, sent @ x / x, self.own, self.others)
            upper, width = float(roots.max()), float(np.ptp(roots))
            if width >= narrowest:  # rounding has the last word
                break
            narrowest, best = width, (upper, x)
            if width <= 1e-13 * upper:
                break
            power = upper ** -np.arange(len(self.own), dtype=float)
            system = -(self.others @ power) * sent
            system[np.diag_indices(len(x))] += upper - (self.own @ power) * within
            try:
                x = np.linalg.solve(system, x)
            except np.linalg.LinAlgError:
                break
            if not (np.isfinite(x).all() and (x > 0).all()):
                break
            x = x / x.max()
        if narrowest > TOLERANCE * best[0]:
            return self._by_all(within, sent), best[1]
        return best

    def _by_all(self, within: np.ndarray, sent: np.ndarray) -> float:
        """The same from all eigenvalues of the companion matrix."""
        places, lags = len(within), len(self.own)
        companion = np.eye(places * lags, k=-places)
        for lag in range(lags):
            growth = np.diag(self.own[lag] * within) + self.others[lag] * sent
            companion[:places, lag * places : (lag + 1) * places] = growth
        return float(np.abs(np.linalg.eigvals(companion)).max())

    def _upper(self, t: int, x: np.ndarray) -> np.ndarray:
        """(T,) what no eigenvalue exceeds, by the eigenvectors of step t; infinite where others are joined."""
        alike = ((self.between > 0) == (self.between[:, t, None] > 0)).all(axis=0)
        pulled = (self._apart(t)[0] @ x / x)[:, None] * self.between
        return np.where(alike, _roots(self.within, pulled, self.own, self.others).max(axis=0), np.inf)

    def _apart(self, t: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """M without what passes between places that do not reach each other, and the sets that do, of two or more."""
        from scipy.sparse.csgraph import connected_components

        open_ = self.between[:, t] > 0
        key = open_.tobytes()
        if key not in self._joined:
            label = connected_components((self.passed_on > 0) & open_[:, None], connection="strong")[1]
            members = [np.flatnonzero(label == k) for k in np.flatnonzero(np.bincount(label) > 1)]
            self._joined[key] = np.where(label[:, None] == label, self.passed_on, 0.0), members
        return self._joined[key]


def _roots(within: np.ndarray, pulled: np.ndarray, own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The r > 0 with r = sum over l of (own_l within + others_l pulled) r^(1 - l), 0 where all of it is 0."""
    shares = np.multiply.outer(own, within) + np.multiply.outer(others, pulled)
    total = shares.sum(axis=0)
    if len(own) == 1:
        return total
    some = total > 0
    r = np.where(some, np.minimum(total, total ** (1 / len(own))), 1.0)
    for _ in range(100):  # Newton's steps rise to the root: what is left is concave in r
        powers = r ** -np.arange(len(own), dtype=float).reshape(-1, *(1,) * r.ndim)
        terms = shares * powers
        slope = 1 + (np.arange(len(own)) @ terms.reshape(len(own), -1)).reshape(r.shape) / r
        step = (terms.sum(axis=0) - r) / slope
        r = np.where(some, r + step, r)
        if (np.abs(step) <= 1e-15 * r)[some].all():
            break
    return np.where(some, r, 0.0)
