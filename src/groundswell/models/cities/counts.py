"""The log probability of counts, place-step by place-step, for whole arrays at once."""

from __future__ import annotations

import numpy as np


def log_mass(counts: np.ndarray, mean: np.ndarray, psi: float | np.ndarray) -> np.ndarray:
    """(P, T) log probability of counts that are negative binomial with variance mean (1 + psi mean).

    psi : one number, or (P,) one a row; 0 is Poisson, and small values lose no digits. A count above 0
    with mean 0 has minus infinity; a mean that is NaN has NaN. Cost O(P T + max count), times P where psi is (P,).
    """
    from scipy.special import gammaln, xlogy

    y, m = np.asarray(counts, dtype=float), np.asarray(mean, dtype=float)
    spread = np.atleast_1d(np.asarray(psi, dtype=float))[:, None]
    # Gamma(y + 1/psi) / Gamma(1/psi) psi^y is a product over k < y, which needs no difference of large numbers
    steps = np.log1p(spread * np.arange(int(y.max(initial=0.0))))
    rising = np.concatenate([np.zeros_like(spread), np.cumsum(steps, axis=1)], axis=1)
    grown = np.log1p(spread * m)
    shrunk = np.divide(grown, spread, out=np.broadcast_to(m, grown.shape).copy(), where=spread > 0)
    risen = rising[np.arange(len(spread))[:, None], y.astype(int)]
    return risen - gammaln(y + 1) + xlogy(y, m) - y * grown - shrunk
