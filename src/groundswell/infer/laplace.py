"""How likely a record is under a model with its priors: the evidence, by Laplace's approximation at the mode.

    log p(record) = log p(record | x) + log p(x) + (K/2) log(2 pi) - (1/2) log |H|    at the mode x of the posterior

on the free coordinates, where priors are normal; H is minus the Hessian there. Exact for a normal posterior. Tierney
and Kadane (1986), Journal of the American Statistical Association 81, 82-86.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.infer.base import silent
from groundswell.infer.density import FreeDensity
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.base import Likelihood, density_of, require

TOLERANCE = 1e-4
"""Gain in log posterior density below which the mode is found; the evidence is not known more exactly."""


@dataclass(frozen=True)
class Evidence:
    """log_evidence : of the record. values : parameters at the mode, by name. at : (K,) free coordinates there."""

    log_evidence: float
    values: Mapping[str, float] = field(repr=False)
    at: np.ndarray = field(repr=False)
    converged: bool


def evidence(
    model: Any,
    setting: Setting,
    history: History,
    *,
    fixed: Mapping[str, float] | None = None,
    spread: Mapping[str, float] | None = None,
    start: np.ndarray | None = None,
) -> Evidence:
    """The evidence of a model for a record, all its parameters integrated over their priors.

    fixed : held, and not integrated. spread : name -> sd of a normal prior of mean 0 on the free coordinate, in place
    of the declared one (coefficients of a random effect). start : free coordinates to search from.

    Evidence depends on the priors, also where the posterior hardly does. Poor where the posterior has several modes or
    a long tail. ParameterError for a free parameter without a prior. Cost: a search and its two Hessians.
    """
    require(model, "likelihood", "evidence")
    held = dict(fixed or {})
    model = model.replacing(held)
    density = _Posterior(model, density_of(model, setting, history), held, spread or {})
    begin = density.start if start is None else start
    point, converged = MaximumLikelihood(TOLERANCE).climb(density, begin, silent)
    _, size = np.linalg.slogdet(point.hessian) if len(point.at) else (1.0, 0.0)
    value = -point.value - float(np.log(density.sd).sum()) - 0.5 * float(size)  # the two (2 pi)^(K/2) cancel
    natural = density.natural(point.at).tolist()
    values = {leaf.name: number for leaf, number in zip(density.all_leaves, natural, strict=True)}
    return Evidence(value, values, point.at, converged)


class _Posterior(FreeDensity):
    """Minus the log of density times priors on free coordinates, but for the priors' constants."""

    def __init__(
        self, model: Any, likelihood: Likelihood, fixed: Mapping[str, float], spread: Mapping[str, float]
    ) -> None:
        super().__init__(model, likelihood, fixed)
        priors = [(0.0, spread[leaf.name]) if leaf.name in spread else (leaf.center, leaf.sd) for leaf in self.leaves]
        self._center, self.sd = np.array(priors, dtype=float).reshape(-1, 2).T

    def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = super().__call__(at)
        apart = (at - self._center) / self.sd
        return value + 0.5 * float(apart @ apart), slope + apart / self.sd

    def hessian(self, at: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """With the prior's part; a model's own second derivatives do not have it."""
        square = super().hessian(at, reach)
        known = getattr(self._likelihood, "information", None) is not None
        return square + np.diag(self.sd**-2.0) if known else square
