"""What a matrix of direct offspring by kind comes to over all generations."""

from __future__ import annotations

import numpy as np


def spectral_radius(offspring: np.ndarray) -> float:
    """Largest absolute eigenvalue of a matrix (K, K) of offspring: the growth from one generation to the next."""
    return float(np.abs(np.linalg.eigvals(offspring)).max(initial=0.0))


def descendants(offspring: np.ndarray) -> np.ndarray:
    """(K, K) expected events in all later generations, row the first event's kind; the first one is not counted.

    The sum of all powers of the matrix. An entry is infinite where the way from row to column may pass through kinds
    that keep each other growing, which leaves the others finite: what never meets those is not their concern.
    """
    kinds = len(offspring)
    reached = np.linalg.matrix_power(np.eye(kinds) + (offspring > 0), kinds) > 0  # in any number of steps, or none
    mutual = reached & reached.T
    growing = np.array([spectral_radius(offspring[np.ix_(each, each)]) >= 1 for each in mutual], dtype=bool)
    out, calm = np.zeros((kinds, kinds)), ~growing
    settled = offspring[np.ix_(calm, calm)]
    out[np.ix_(calm, calm)] = np.linalg.solve(np.eye(len(settled)) - settled, settled)
    through = (reached[:, growing].astype(int) @ reached[growing].astype(int)) > 0
    out[through] = np.inf
    return out
