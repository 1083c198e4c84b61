"""Is a parameter needed? The likelihood ratio of two nested fits, also where the smaller one sits on a boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundswell.errors import NotConverged, UsageError
from groundswell.infer.base import Fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.params import leaves

NOTHING = 1e-6
"""A gain in twice the log density below this is the search's own inaccuracy: the estimate is on the boundary."""


@dataclass(frozen=True)
class LikelihoodRatio:
    """What the data say against the value that the smaller fit gives one parameter.

    parameter : its dotted name. null : that value. statistic : twice the gain in log density. p_value : how often
    chance alone gains as much. boundary : the value is an end of the parameter's range. notes : what makes the p-value
    approximate.
    """

    parameter: str
    null: float
    statistic: float
    p_value: float
    boundary: bool
    notes: tuple[str, ...] = ()


def likelihood_ratio(smaller: Fit, larger: Fit) -> LikelihoodRatio:
    """Tests one parameter that `larger` fits and `smaller` leaves out (a label without it: 0) or holds at a value.

    Inside the parameter's range twice the gain is compared with a chi-squared variable of one degree of freedom. At an
    end of it (does repression trigger protest: is its offspring 0?) half of all data without any effect would ask for
    less than nothing and gain 0, so the reference is half a point mass at 0 and half that chi-squared, and the p-value
    half of the usual one (Self and Liang 1987, case 5). That holds while the other parameters are inside
    their ranges and known under the smaller model; `notes` says where they are not.

    UsageError unless both are maximum-likelihood fits to the same data whose free parameters differ by one: test one
    at a time. NotConverged where either search failed, or the larger fit lies below the smaller one.
    """
    from scipy.stats import chi2

    for found in (smaller, larger):
        if not isinstance(found.method, MaximumLikelihood):
            raise UsageError(
                f"one fit is by {type(found.method).__name__}; a likelihood ratio compares maxima. Fit both by "
                "MaximumLikelihood."
            )
        if not found.converged:
            raise NotConverged(f"a likelihood ratio compares maxima, and one search found none: {found.status}")
    if smaller.provenance["digest"] != larger.provenance["digest"]:
        raise UsageError("the two fits are to different histories, so their log densities cannot be compared.")
    name, null = _tested(smaller, larger)
    gain = 2 * (larger.log_density - smaller.log_density)
    if gain < -2e-4:
        raise NotConverged(
            f"the larger fit has log density {larger.log_density:.6f}, below the {smaller.log_density:.6f} of the "
            "smaller, which it contains: it is no maximum. Fit it again from the smaller fit's values, with "
            f"{name} near {null:g}."
        )
    leaf = next(leaf for leaf in leaves(larger.model) if leaf.name == name)
    boundary = null in (leaf.low, leaf.high)
    statistic = gain if gain > NOTHING else 0.0
    p_value = float(chi2.sf(statistic, 1))
    if boundary and statistic > 0:
        p_value /= 2
    loose = [
        other
        for found in (smaller, larger)
        for other, error in zip(found.names, found.standard_error, strict=True)
        if np.isnan(error) and other != name
    ]
    notes = (
        f"{', '.join(dict.fromkeys(loose))}: at an end of the range or not determined in one of the fits, so that the "
        "p-value is approximate; simulate from the smaller fit to know it.",
    )
    return LikelihoodRatio(name, null, statistic, p_value, boundary, notes if loose else ())


def _tested(smaller: Fit, larger: Fit) -> tuple[str, float]:
    """The one parameter that is free in the larger fit only, and its value in the smaller."""
    free = [{n for n, error in zip(f.names, f.standard_error, strict=True) if error != 0} for f in (smaller, larger)]
    values = [dict(zip(f.names, map(float, f.estimate), strict=True)) for f in (smaller, larger)]
    moved = [n for n in values[0].keys() & values[1].keys() if n not in free[1] and values[0][n] != values[1][n]]
    tested = sorted(free[1] - free[0])
    if len(tested) != 1 or free[0] - free[1] or moved:
        raise UsageError(
            f"the larger fit learns {', '.join(tested) or 'nothing'} that the smaller does not"
            + (f", and they hold {', '.join(sorted(moved))} at different values" if moved else "")
            + (f", and the smaller learns {', '.join(sorted(free[0] - free[1]))} alone" if free[0] - free[1] else "")
            + "; expected one parameter more and the rest the same, or its distribution is another. Give the smaller "
            "fit first, and test one parameter at a time."
        )
    return tested[0], values[0].get(tested[0], 0.0)
