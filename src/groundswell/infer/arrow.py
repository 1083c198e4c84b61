"""Information in the shape of an arrow: parameters of one place meet those of no other place.

Eliminating the places' own parameters leaves a small matrix, so that solving, inverting and the determinant cost
O(P) for P places and not O(P^3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from groundswell.infer.curvature import downhill


class Blocks(NamedTuple):
    """A symmetric (K + Q P) square matrix: shared (K, K), and for each place cross (P, Q, K) and own (P, Q, Q).

    Vectors over it hold the shared entries, then the places' own kind by kind: K + Q P.
    """

    shared: np.ndarray
    cross: np.ndarray
    own: np.ndarray

    def reduced(self) -> tuple[np.ndarray, np.ndarray]:
        """The shared block with the places' own parameters eliminated, (K, K), and own^-1 cross, (P, Q, K)."""
        pulled = np.linalg.solve(self.own, self.cross)
        count = len(self.shared)
        return self.shared - self.cross.reshape(-1, count).T @ pulled.reshape(-1, count), pulled

    def direction(self, gradient: np.ndarray) -> np.ndarray:
        """The inverse times a gradient; with curvature of the wrong sign turned, so that minus it leads down."""
        places, kinds, size = self.cross.shape
        shared, local = gradient[:size], gradient[size:].reshape(kinds, places).T
        upright = self._replace(own=positive(self.own, 1e-8))
        reduced, pulled = upright.reduced()
        rest = shared - np.einsum("pqk,pq->k", pulled, local)
        moved = downhill(reduced) @ rest
        own = np.linalg.solve(upright.own, local[:, :, None])[:, :, 0] - pulled @ moved
        return np.concatenate([moved, own.T.ravel()])

    def covariance(self, shared: np.ndarray) -> np.ndarray:
        """The inverse in full, (K + Q P) square, given its shared block; what is NaN there counts as held elsewhere."""
        places, kinds, size = self.cross.shape
        pulled = self.reduced()[1].transpose(1, 0, 2).reshape(-1, size)
        known, own = np.nan_to_num(shared), np.linalg.inv(self.own)
        out = np.empty((size + kinds * places, size + kinds * places))
        out[:size, :size] = shared
        out[size:, :size] = -pulled @ known
        out[:size, size:] = out[size:, :size].T
        out[size:, size:] = pulled @ known @ pulled.T
        for q in range(kinds):
            for r in range(kinds):
                rows = size + q * places + np.arange(places)
                out[rows, size + r * places + np.arange(places)] += own[:, q, r]
        return out


def positive(information: np.ndarray, least: float = 1e-3) -> np.ndarray:
    """Symmetric matrices (.., K, K) with eigenvalues of the wrong sign turned and small ones made `least`."""
    strength, axes = np.linalg.eigh(information)
    if strength.min(initial=np.inf) >= least:
        return information
    return (axes * np.maximum(np.abs(strength), least)[..., None, :]) @ np.swapaxes(axes, -1, -2)
