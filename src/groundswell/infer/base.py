"""fit(model, setting, observed, method): one function, and the results that methods return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from groundswell.data.history import History
from groundswell.data.listings import Listings
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import ParameterError, nearest
from groundswell.params import Component, names

Progress = Callable[[float, str], None]
"""Called with the share done in [0, 1] and a few words."""


def silent(share: float, words: str) -> None:
    """The Progress that says nothing."""


class Method(Protocol):
    """A way of learning parameters, as a frozen value with its settings."""

    def fit(
        self,
        model: Any,
        setting: Setting,
        observed: Any,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress,
    ) -> Fit:
        """Called by `fit` after it has checked `fixed`; model already holds the fixed values."""
        ...


@dataclass(frozen=True)
class Fit:
    """What every method returns: where the parameters are, how sure one can be, and a sentence.

    model : the model at the estimate (maximum likelihood) or the posterior mean.
    names : K dotted names. estimate, standard_error : (K,); 0 for a fixed parameter, NaN where
    the data leave a direction flat or the estimate sits on its boundary (see notes).
    log_density : at the estimate (likelihood) or the log evidence (Bayesian), as the method says.
    status : a sentence. converged : whether the result meets the method's own limits.
    notes : further sentences that a reader must see (flat directions, boundaries).
    draws : (S, K) posterior draws in natural units, or None.
    provenance : seed-free facts: method, digest of the record, version.
    """

    model: Component
    method: Any
    names: tuple[str, ...]
    estimate: np.ndarray
    standard_error: np.ndarray
    log_density: float
    status: str
    converged: bool
    notes: tuple[str, ...] = ()
    covariance: np.ndarray | None = None
    draws: np.ndarray | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def summary(self, level: float = 0.9) -> Table:
        """Parameter, estimate, standard error and central interval (Wald or posterior quantiles)."""
        from scipy.special import ndtri

        if self.draws is not None:
            low, high = np.quantile(self.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        else:
            reach = float(ndtri((1 + level) / 2)) * self.standard_error
            low, high = self.estimate - reach, self.estimate + reach
        percent = f"{100 * level:g} %"
        return Table(
            {
                "parameter": list(self.names),
                "estimate": self.estimate.tolist(),
                "standard error": [_known(v) for v in self.standard_error],
                f"low {percent}": [_known(v) for v in low],
                f"high {percent}": [_known(v) for v in high],
            }
        )


def fit(
    model: Any,
    setting: Setting,
    observed: History | Record | Listings,
    method: Method,
    *,
    rng: np.random.Generator,
    fixed: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> Fit:
    """Learn the parameters of a process from a History, of an Account from a Record, of a growing list from Listings.

    fixed : dotted names held at a value; the others start at the model's own values.
    Raises MissingVerb if the model lacks what the method needs, ParameterError for a wrong name.
    """
    held = dict(fixed or {})
    known = names(model)
    for name in held:
        if name not in known:
            raise ParameterError(f'fixed names "{name}", which is no parameter here.' + nearest(name, known, 3))
    return method.fit(model.replacing(held), setting, observed, rng=rng, fixed=held, progress=progress)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
