"""Triggering delays as sums of several exponentials: free ones, and the long memory of a power law."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from groundswell.errors import ParameterError
from groundswell.models.delays import Exponentials, SumDelay
from groundswell.params import Effects, Prior, param

SPACING = 0.4
"""Of the power law's terms, in the logarithm of their decay."""
ENDS = 1e-11
"""What the terms left out at either end would add, relative to g."""


@dataclass(frozen=True)
class SumOfExponentials(SumDelay):
    """g(u) = sum of share_m decay_m exp(-decay_m u): several memories, a quick one and slow ones.

    decay : keyed by labels of your choice, two or more. log_weight : keyed by the same labels without the first, whose
    weight is the unit; shares are the weights over their sum. Start from decays that differ by a factor of 3 or more:
    terms with equal decays are one term, and a fit that ends there says that a direction is level.
    """

    decay: Effects = param(
        "1/day", low=0, prior=Prior(0.7, 1.2), default=Effects(fast=3.0, slow=0.2), doc="how fast each memory fades"
    )
    log_weight: Effects = param(
        "1", prior=Prior(0.0, 1.0), default=Effects(slow=0.0), doc="log of a memory's share over that of the first"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.decay) < 2 or list(self.log_weight) != list(self.decay)[1:]:
            raise ParameterError(
                f"SumOfExponentials has decays for {list(self.decay)} and log weights for {list(self.log_weight)}; "
                "expected two or more decays, and log weights for all but the first of them, in the same order."
            )

    def exponentials(self, longest_days: float) -> Exponentials:
        """As stated; slopes in the decays, then in the log weights."""
        raw = np.exp(np.r_[0.0, self.log_weight.values_array])
        share, count = raw / raw.sum(), len(raw)
        turned = np.diag(share)[1:] - np.outer(share[1:], share)
        nothing = np.zeros((count, count))
        return Exponentials(
            share, self.decay.values_array, np.vstack([nothing, turned]), np.vstack([np.eye(count), nothing[1:]])
        )


@dataclass(frozen=True)
class PowerLawDelay(SumDelay):
    """g(u) = (decay - 1) / scale (1 + u / scale)^-decay: a long memory (Omori and Utsu's law).

    The mean delay is scale / (decay - 2), infinite for decay up to 2: state the median instead.
    A recursion over the events needs exponentials. (1 + u / scale)^-decay is the integral of exp(decay y - e^y (1 + u /
    scale)) / Gamma(decay) over y; summed over y a step of SPACING apart it is off by at most `error`, relative, at any
    delay: 2 |Gamma(decay + 2 pi i / SPACING)| / Gamma(decay) by Poisson's summation formula, and less for what is left
    out at the ends. Value, gradient and integral of this class are those of the sum.
    """

    scale_days: float = param(
        "days", low=0, prior=Prior(1.0, 1.0), doc="delay up to which triggering has hardly begun to fall"
    )
    decay: float = param("1", low=1, prior=Prior(1.8, 0.6), doc="power with which triggering falls at long delays")

    @property
    def error(self) -> float:
        """Bound of the relative error of g at any delay."""
        from scipy.special import loggamma

        at = np.array([2 * math.pi * n / SPACING for n in (1, 2)])
        return float(2 * np.exp(loggamma(self.decay + 1j * at).real - loggamma(self.decay)).sum() + 2 * ENDS)

    def exponentials(self, longest_days: float) -> Exponentials:
        """Terms at whole multiples of SPACING, from those that matter at longest_days to those gone at once."""
        from scipy.special import digamma, gammaln

        power, scale = self.decay, max(self.scale_days, 1e-9)
        lowest = (math.log(ENDS) + float(gammaln(power + 1))) / power - math.log1p(longest_days / scale)
        highest = math.log(40.0 + 5 * power)
        y = SPACING * np.arange(math.floor(lowest / SPACING), math.ceil(highest / SPACING) + 1)
        x = np.exp(y)
        weight = (power - 1) * SPACING * np.exp((power - 1) * y - x - gammaln(power))
        per_power = SPACING * np.exp((power - 1) * y - x - gammaln(power)) * (1 + (power - 1) * (y - digamma(power)))
        nothing = np.zeros_like(x)
        return Exponentials(weight, x / scale, np.stack([nothing, per_power]), np.stack([-x / scale / scale, nothing]))
