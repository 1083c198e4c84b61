"""Which places are neighbours, and of what order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from groundswell.errors import DataError


@dataclass(frozen=True, eq=False)
class Network:
    """An undirected neighbourhood graph over the P places of a setting.

    adjacency : (P, P) of 0 and 1, symmetric, zero on the diagonal.
    """

    adjacency: np.ndarray

    def __post_init__(self) -> None:
        matrix = np.array(self.adjacency, dtype=float)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise DataError(f"Network.adjacency has shape {matrix.shape}; expected (P, P).")
        if not np.isin(matrix, (0, 1)).all():
            raise DataError(
                "Network.adjacency holds values other than 0 and 1; for neighbourhood orders use Network.from_order."
            )
        if (matrix != matrix.T).any() or matrix.diagonal().any():
            raise DataError("Network.adjacency must be symmetric with zeros on the diagonal.")
        matrix.flags.writeable = False
        object.__setattr__(self, "adjacency", matrix)

    @classmethod
    def from_order(cls, order: np.ndarray) -> Network:
        """From a (P, P) matrix of neighbourhood orders: order 1 means adjacent."""
        return cls((np.asarray(order) == 1).astype(float))

    @cached_property
    def order(self) -> np.ndarray:
        """(P, P) shortest-path orders: 0 on the diagonal, 1 adjacent, inf where no path leads."""
        from scipy.sparse.csgraph import shortest_path

        return shortest_path(self.adjacency, unweighted=True)
