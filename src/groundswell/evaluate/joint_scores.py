"""Scores of joint forecasts: several places at once, one value for each origin and target step; all are losses.

Draws are (N, D, S): N targets, D places, S draws; column s of a target is one draw of all its places.
Observations are (N, D). `Forecast.by_target` brings cells into that shape. The scores of single cells in
`scores` cannot tell whether a forecast gets right what happens together; these can.
"""

from __future__ import annotations

import numpy as np

from groundswell.errors import UsageError
from groundswell.evaluate.scores import Score, checked

VARIOGRAM_ORDER = 0.5
"""Scheuerer and Hamill 2015 recommend p = .5: with p = 1 or 2 the largest differences decide."""


def energy_score(draws: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Energy score, the CRPS of several places at once, (N,), in the unit of the counts.

    mean |X - y| - sum over i, j of |X_i - X_j| / (2 S^2) with Euclidean distances over the D places: the
    score of the S draws as they stand, as in `crps`, which it equals for one place. Proper, but much more
    sensitive to wrong levels than to wrong dependence between places; the variogram score sees the latter.
    Cost a target: O(D S + S^2 + sum over places of the square of the number of draws above 0), at
    most O(D S^2). Paper: Gneiting and Raftery 2007, equation 22, with beta = 1.
    """
    from groundswell.evaluate._joint_score_loops import energy

    x, y = _joint(draws, observed)
    return np.array([energy(x[n], y[n]) for n in range(len(x))])


def variogram_score(
    draws: np.ndarray, observed: np.ndarray, weights: np.ndarray | None = None, order: float = VARIOGRAM_ORDER
) -> np.ndarray:
    """Variogram score of order p, (N,): how far pairs of places lie apart, against what was expected.

    sum over i, j of w_ij (|y_i - y_j|^p - mean over draws of |X_i - X_j|^p)^2, both orders of a pair
    counted; the mean is that of the S draws as they stand, so that few draws are charged for their noise.
    Proper, not strictly: a count added to all places alike, in draws and means, changes nothing, so read
    it beside a score that sees levels. One place always scores 0.
    weights : (D, D), 0 or more, such as the inverse distance; None is 1 each. Not from the outcomes.
    Cost a target: O(D S + D^2 + sum over draws of the square of the number of places above 0), at most
    O(D^2 S). Paper: Scheuerer and Hamill 2015.
    """
    from groundswell.evaluate._joint_score_loops import variogram

    x, y = _joint(draws, observed)
    places = x.shape[1]
    w = np.zeros((0, 0)) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    if weights is not None and (w.shape != (places, places) or not np.isfinite(w).all() or (w < 0).any()):
        raise UsageError(
            f"variogram weights have shape {w.shape}; expected ({places}, {places}), one finite weight of 0 or more "
            "for each pair of places, since a negative one would reward errors."
        )
    if not 0 < order < np.inf:
        raise UsageError(f"the order of the variogram score is {order:g}; expected a number above 0, as a rule .5.")
    return np.array([variogram(x[n], y[n], w, float(order)) for n in range(len(x))])


ENERGY = Score("energy", "energy", energy_score)
VARIOGRAM = Score("variogram", "variogram", variogram_score)
JOINT_SCORES = (ENERGY, VARIOGRAM)


def _joint(draws: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, D, S) and (N, D) as finite float64; UsageError otherwise."""
    x, y = np.asarray(draws), np.asarray(observed)
    if x.ndim != 3 or x.shape[1] == 0 or y.shape != x.shape[:2]:
        raise UsageError(
            f"joint draws have shape {x.shape} and observations {y.shape}; expected (N, D, S) and (N, D), D places "
            "at each of N targets. `Forecast.by_target` makes them from cells."
        )
    flat, seen = checked(x.reshape(-1, x.shape[2]), y.ravel())
    return np.ascontiguousarray(flat.reshape(x.shape)), np.ascontiguousarray(seen.reshape(y.shape))
