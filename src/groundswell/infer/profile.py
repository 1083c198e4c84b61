"""Profile-likelihood intervals: for parameters whose log density is no quadratic around the maximum."""

from __future__ import annotations

import numpy as np

from groundswell.errors import NotConverged, ParameterError, UsageError, nearest
from groundswell.infer.base import Fit, provenance
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.windows import Observed, Settings, windows
from groundswell.params import Leaf, leaves

WIDEST = 20.0
"""How far to look for an end: free units for a parameter with a bound, else standard errors."""

FARTHER = 2.0
"""The most to go out at once, in the same units: far beyond an end of the interval the others may have no maximum."""


def profile(found: Fit, setting: Settings, history: Observed, name: str, *, level: float = 0.9) -> tuple[float, float]:
    """Interval for one parameter of a maximum-likelihood fit; all others are refitted at each value tried.

    Its ends are where twice the loss in log density meets the chi-squared quantile. A side on which
    it never does is open and ends at the bound of the parameter's range (0, or infinite). Unlike the
    Wald interval of `Fit.summary` it may be lopsided and never leaves the range. UsageError if `found` is not the
    maximum-likelihood fit of this very setting and history. Cost: some 20 fits from good starting values.
    """
    from scipy.optimize import root_scalar
    from scipy.stats import chi2

    if name not in found.names:
        raise ParameterError(f'profile names "{name}", which is no parameter here.' + nearest(name, found.names, 3))
    if not isinstance(found.method, MaximumLikelihood):
        raise UsageError(
            f"this fit is by {type(found.method).__name__}; a profile starts at the maximum of the likelihood, so fit "
            "by MaximumLikelihood first. Draws from a posterior have their own quantiles: see Fit.summary."
        )
    given = provenance(found.method, found.model, [history for _, history in windows(setting, history, "profile")])
    if given["digest"] != found.provenance["digest"]:
        raise UsageError("this history is not the one of the fit, so its log densities cannot be compared with it.")
    at = found.names.index(name)
    if found.standard_error[at] == 0:
        raise UsageError(f"{name} was held fixed in this fit; there is nothing to profile.")
    order = leaves(found.model)
    leaf = order[at]
    held = {n: float(v) for n, v, e in zip(found.names, found.estimate, found.standard_error, strict=True) if e == 0}
    allowed = float(chi2.ppf(level, 1)) / 2
    centre = float(np.clip(leaf.to_free(leaf.value), -WIDEST, WIDEST)) if leaf.bounded else leaf.value
    width = float(found.standard_error[at]) / max(leaf.slope(centre), 1e-300)
    width = width if (np.isfinite(width) and width < WIDEST) or (not leaf.bounded and np.isfinite(width)) else 1.0
    along = _along(found, order, at)
    ends = []
    for sign, bound in ((-1, leaf.low), (1, leaf.high)):

        def excess(step: float, sign: int = sign) -> float:
            """Loss in log density beyond what the level allows, `step` free units from the estimate."""
            fixed = {**held, name: leaf.from_free(centre + sign * step)}
            near = {n: one.from_free(one.start + sign * step * a) for n, one, a in along if n not in fixed}
            start = found.model.replacing({**near, **fixed})
            again = found.method.fit(start, setting, history, rng=np.random.default_rng(0), fixed=fixed)
            if not again.converged:
                raise NotConverged(f"the profile of {name} did not converge at {fixed[name]:.4g}: {again.status}")
            if again.log_density > found.log_density + 1e-4:
                raise NotConverged(
                    f"at {name} = {fixed[name]:.4g} the log density is {again.log_density:.6f}, above that of the fit, "
                    f"{found.log_density:.6f}: the fit is no maximum. Fit again from this value."
                )
            return found.log_density - again.log_density - allowed

        unit = 1.0 if leaf.bounded else width
        inner, outer = 0.0, min(1.6 * width, FARTHER * unit)
        farthest = WIDEST if leaf.bounded else WIDEST * width
        while outer < farthest and excess(outer) < 0:
            inner, outer = outer, min(1.6 * outer, outer + FARTHER * unit)
        if outer >= farthest:
            ends.append(bound)
        else:
            step = root_scalar(excess, bracket=(inner, outer), xtol=1e-6 * outer).root
            ends.append(leaf.from_free(centre + sign * float(step)))
    return ends[0], ends[1]


def _along(found: Fit, order: tuple[Leaf, ...], at: int) -> list[tuple[str, Leaf, float]]:
    """How far the other parameters go, in free units, while this one goes one: by the quadratic at the maximum.

    Without it a parameter whose column is not centred cannot be moved at all before the intercept follows.
    """
    slopes = np.array([one.slope(one.start) for one in order])
    covariance = np.zeros_like(slopes) if found.covariance is None else np.nan_to_num(found.covariance[at]) / slopes
    moved = covariance / covariance[at] if covariance[at] > 0 else np.zeros(len(order))
    return [(one.name, one, float(a)) for one, a in zip(order, moved, strict=True)]
