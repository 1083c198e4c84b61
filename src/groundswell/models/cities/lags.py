"""How much of an event's effect is left for later steps: weights of the steps before, a component of city models.

Lag l is l steps back. The weights of a component sum to one over its lags, so that what multiplies them
stays the expected number of events per event. Bracher and Held (2022), International Journal of Forecasting 38,
equations 5 to 7, have the geometric form; the free one is their unrestricted one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from groundswell.errors import UsageError
from groundswell.params import Component, Effects, Prior, param


class Lags(Component, ABC):
    """Base of the lag weights; a new kind states its `terms`."""

    @property
    @abstractmethod
    def longest(self) -> int:
        """L, the steps back that still matter."""

    @abstractmethod
    def terms(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights (L,) at the parameters theta, their slopes (K, L) and second derivatives (K, K, L)."""

    def weights(self) -> np.ndarray:
        """(L,) weights at this component's own parameters."""
        from groundswell.params import vector

        return self.terms(vector(self))[0]


@dataclass(frozen=True)
class GeometricLags(Lags):
    """Weights that fall by the same factor from lag to lag: proportional to persistence^(l - 1), l = 1 .. longest.

    persistence 0 is the step before alone. In the papers' symbols persistence is 1 - kappa.
    """

    persistence: float = param("1", low=0, high=1, prior=Prior(0.4, 1.0), doc="share of a lag's weight one step later")
    steps: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 2:
            raise UsageError(f"GeometricLags.steps is {self.steps}; expected 2 or more (leave `lags` out for one).")

    @property
    def longest(self) -> int:
        """As stated."""
        return self.steps

    def terms(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `Lags.terms`."""
        power = np.arange(self.steps, dtype=float)
        raw = theta[0] ** power
        slope = np.r_[0.0, power[1:] * theta[0] ** (power[1:] - 1)]
        bend = np.r_[0.0, 0.0, power[2:] * (power[2:] - 1) * theta[0] ** (power[2:] - 2)]
        total, rise, turn = raw.sum(), slope.sum(), bend.sum()
        weights = raw / total
        slopes = (slope - weights * rise) / total
        bends = (bend - weights * turn - 2 * slopes * rise) / total
        return weights, slopes[None], bends[None, None]


@dataclass(frozen=True)
class FreeLags(Lags):
    """A free weight for each lag above the first, relative to the first.

    FreeLags(Effects({"2": -1.0, "3": -2.0})) starts at exp(-1) and exp(-2) times the first lag's weight.
    """

    log_weight: Effects = param("log", prior=Prior(-1.0, 1.0), doc="log weight of a lag, relative to lag 1")

    def __post_init__(self) -> None:
        super().__post_init__()
        wanted = [str(lag) for lag in range(2, 2 + len(self.log_weight))]
        if not wanted or list(self.log_weight) != wanted:
            raise UsageError(
                f"FreeLags.log_weight has the labels {list(self.log_weight)}; expected the lags from 2 on without a "
                'gap, as in Effects({"2": -1.0, "3": -2.0}). For lag 1 alone leave `lags` out.'
            )

    @property
    def longest(self) -> int:
        """One more than there are labels."""
        return 1 + len(self.log_weight)

    def terms(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `Lags.terms`."""
        raw = np.exp(np.r_[0.0, theta])
        weights = raw / raw.sum()
        at = np.eye(self.longest)[1:]
        centred = at - weights[1:, None]
        slopes = weights * centred
        spread = np.diag(weights[1:]) - np.outer(weights[1:], weights[1:])
        bends = weights * (centred[:, None] * centred[None] - spread[:, :, None])
        return weights, slopes, bends
