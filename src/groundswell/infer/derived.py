"""How sure a fit is of a number that follows from several parameters, such as a branching ratio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.errors import UsageError
from groundswell.infer.base import Fit
from groundswell.params import from_vector, leaves


@dataclass(frozen=True)
class Derived:
    """A number at the estimate, its standard error and its central interval; NaN where the data leave it open."""

    value: float
    standard_error: float
    low: float
    high: float
    level: float


def derived(found: Fit, quantity: Callable[[Any], float], *, level: float = 0.9, positive: bool = True) -> Derived:
    """The interval of `quantity(model)`: `derived(found, lambda model: model.branching_ratio(events))`.

    By the delta method from the covariance of the fit, on the logarithm for a `positive` quantity, so that the
    interval never reaches 0; with draws from a posterior by their quantiles, the value being their mean. For one number
    to print: nothing is drawn, and for a parameter it is the summary's own interval. Rough where the quantity bends
    within a standard error; for that, and for curves, forests and many numbers at once, take `plausible_models`.
    NaN where it depends on a parameter that the data do not determine.
    UsageError for a positive quantity that is not above 0, and for a fit without covariance or draws.
    """
    from scipy.special import ndtri

    if found.draws is not None:
        each = np.array([quantity(from_vector(found.model, row)) for row in found.draws])
        low, high = np.quantile(each, [(1 - level) / 2, (1 + level) / 2])
        return Derived(float(each.mean()), float(each.std(ddof=1)), float(low), float(high), level)
    if found.covariance is None:
        raise UsageError("this fit has neither a covariance nor draws, so nothing is known of how sure it is.")
    value = float(quantity(found.model))
    if positive and not value > 0:
        raise UsageError(f"the quantity is {value:g} at the estimate; give positive=False unless it is always above 0.")
    slopes = np.zeros(len(found.estimate))
    for k, leaf in enumerate(leaves(found.model)):
        error = found.standard_error[k]
        if error == 0:
            continue
        step = 1e-4 * (error if np.isfinite(error) else max(abs(leaf.value), 1e-2))
        step = min(step, 0.5 * (leaf.value - leaf.low), 0.5 * (leaf.high - leaf.value)) if leaf.bounded else step
        if step > 0:
            up, down = (quantity(found.model.replacing({leaf.name: leaf.value + by})) for by in (step, -step))
            slopes[k] = (up - down) / (2 * step)
    involved = np.flatnonzero(slopes)
    variance = float(slopes[involved] @ found.covariance[np.ix_(involved, involved)] @ slopes[involved])
    error, reach = float(np.sqrt(variance)), float(ndtri((1 + level) / 2))
    if positive:
        factor = float(np.exp(reach * error / value))
        return Derived(value, error, value / factor, value * factor, level)
    return Derived(value, error, value - reach * error, value + reach * error, level)
