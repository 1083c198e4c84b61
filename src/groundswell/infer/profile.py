"""Profile-likelihood intervals: for parameters whose log density is no quadratic around the maximum."""

from __future__ import annotations

import numpy as np

from groundswell.errors import NotConverged, ParameterError, UsageError, nearest
from groundswell.infer.base import Fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.windows import Observed, Settings
from groundswell.params import leaves

WIDEST = 20.0
"""How far to look for an end: free units for a parameter with a bound, else standard errors."""


def profile(found: Fit, setting: Settings, history: Observed, name: str, *, level: float = 0.9) -> tuple[float, float]:
    """Interval for one parameter of a maximum-likelihood fit; all others are refitted at each value tried.

    Its ends are where twice the loss in log density meets the chi-squared quantile. A side on which
    it never does is open and ends at the bound of the parameter's range (0, or infinite). Unlike the
    Wald interval of `Fit.summary` it may be lopsided and never leaves the range. `found` must be the
    fit of this very setting and history. Cost: some 20 fits from good starting values.
    """
    from scipy.optimize import root_scalar
    from scipy.stats import chi2

    if name not in found.names:
        raise ParameterError(f'profile names "{name}", which is no parameter here.' + nearest(name, found.names, 3))
    at = found.names.index(name)
    if found.standard_error[at] == 0:
        raise UsageError(f"{name} was held fixed in this fit; there is nothing to profile.")
    leaf = leaves(found.model)[at]
    held = {n: float(v) for n, v, e in zip(found.names, found.estimate, found.standard_error, strict=True) if e == 0}
    method = found.method if isinstance(found.method, MaximumLikelihood) else MaximumLikelihood()
    allowed = float(chi2.ppf(level, 1)) / 2
    bounded = np.isfinite(leaf.low) or np.isfinite(leaf.high)
    centre = float(np.clip(leaf.to_free(leaf.value), -WIDEST, WIDEST)) if bounded else leaf.value
    width = float(found.standard_error[at]) / max(leaf.slope(centre), 1e-300)
    width = width if (np.isfinite(width) and width < WIDEST) or (not bounded and np.isfinite(width)) else 1.0
    ends = []
    for sign, bound in ((-1, leaf.low), (1, leaf.high)):
        start = found.model

        def excess(step: float, sign: int = sign) -> float:
            """Loss in log density beyond what the level allows, `step` free units from the estimate."""
            nonlocal start
            fixed = {**held, name: leaf.from_free(centre + sign * step)}
            again = method.fit(start.replacing(fixed), setting, history, rng=np.random.default_rng(0), fixed=fixed)
            if not again.converged:
                raise NotConverged(f"the profile of {name} did not converge at {fixed[name]:.4g}: {again.status}")
            start = again.model
            return found.log_density - again.log_density - allowed

        inner, outer = 0.0, 1.6 * width
        farthest = WIDEST if bounded else WIDEST * width
        while outer < farthest and excess(outer) < 0:
            inner, outer = outer, 1.6 * outer
        if outer >= farthest:
            ends.append(bound)
        else:
            step = root_scalar(excess, bracket=(inner, outer), xtol=1e-6 * outer).root
            ends.append(leaf.from_free(centre + sign * float(step)))
    return ends[0], ends[1]
