"""fit(model, setting, observed, method): one function, and the results that methods return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

import groundswell
from groundswell.data.evidence import Evidence
from groundswell.data.history import History
from groundswell.data.listings import Listings
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import ParameterError, nearest
from groundswell.infer.windows import without_events
from groundswell.models.base import can
from groundswell.params import Component, leaves, names

Progress = Callable[[float, str], None]
"""Called with the share done in [0, 1] and a few words."""


def silent(share: float, words: str) -> None:
    """The Progress that says nothing."""


class Method(Protocol):
    """A way of learning parameters, as a frozen value with its settings."""

    def fit(
        self,
        model: Any,
        setting: Any,
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
    details : what else the method tells; "columns" (name -> (K,)) are shown by `summary`.
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

    def summary(self, level: float = 0.9, *, effects: bool = False) -> Table:
        """Parameter, estimate, standard error and central interval (Wald's, or quantiles of the posterior).

        Wald's interval is symmetric on the parameter's free coordinate, the log of a rate or the logit of a share, and
        carried back, so that it never leaves the parameter's range: standard error / slope there, estimate
        exp(-z s / estimate) to estimate exp(z s / estimate) for a parameter above 0. On the whole line, as for
        intercepts, it is estimate -/+ z s. An estimate without a standard error, which the data do not determine, has
        an empty interval and is rounded to three figures: more would mean nothing (`estimate` has all of them).
        With draws by chains also R-hat and effective sample sizes, empty for a held parameter.
        effects : also the random effects, one for every place, which are left out otherwise.
        """
        from scipy.special import ndtri

        if self.draws is not None:
            low, high = np.quantile(self.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
        else:
            low, high = self._wald(float(ndtri((1 + level) / 2)))
        percent = f"{100 * level:g} %"
        hidden = () if effects else {name for row in getattr(self.model, "effect_names", ()) for name in row}
        shown = [k for k, name in enumerate(self.names) if name not in hidden]
        return Table(
            {
                "parameter": [self.names[k] for k in shown],
                "estimate": [self._told(k) for k in shown],
                "standard error": [_known(self.standard_error[k]) for k in shown],
                f"low {percent}": [_known(low[k]) for k in shown],
                f"high {percent}": [_known(high[k]) for k in shown],
                **{
                    name: [_known(values[k]) for k in shown] for name, values in self.details.get("columns", {}).items()
                },
            }
        )

    def _wald(self, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """(K,) ends so many standard errors from the estimate on the free coordinates, in natural units."""
        low, high = self.estimate.astype(float), self.estimate.astype(float)
        known = {leaf.name: leaf for leaf in leaves(self.model)}
        for k, (name, error) in enumerate(zip(self.names, self.standard_error, strict=True)):
            leaf, value = known.get(name), float(self.estimate[k])
            if error == 0:
                continue
            if leaf is None or not leaf.bounded:
                low[k], high[k] = value - reach * error, value + reach * error
                continue
            free = leaf.to_free(value)
            slope = leaf.slope(free)
            if not (np.isfinite(free) and slope > 0 and np.isfinite(error)):
                low[k] = high[k] = np.nan
                continue
            low[k], high[k] = (leaf.from_free(free + sign * reach * float(error) / slope) for sign in (-1, 1))
        return low, high

    def _told(self, k: int) -> float:
        """The estimate as a table tells it: what is not determined has three figures."""
        value = float(self.estimate[k])
        return float(f"{value:.3g}") if np.isnan(self.standard_error[k]) else value


def fit(
    model: Any,
    setting: Setting | Sequence[Setting],
    observed: History | Record | Evidence | Listings | Sequence[History],
    method: Method,
    *,
    rng: np.random.Generator,
    fixed: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> Fit:
    """Learn a process from a History, an Account from a Record or Evidence, a growing list from Listings.

    Several settings with a history each are windows that share the parameters (`infer.windows`).

    fixed : dotted names held at a value; the others start at the model's own values.
    Counts without a single event make no error where the method has an answer: the Fit's first note says so.
    Raises MissingVerb if the model lacks what the method needs, ParameterError for a wrong name.
    """
    held = dict(fixed or {})
    if can(model, "prepared"):
        model = model.prepared(*([setting] if isinstance(setting, Setting) else setting))
    known = names(model) if held else ()
    for name in held:
        if name not in known:
            raise ParameterError(f'fixed names "{name}", which is no parameter here.' + nearest(name, known, 3))
    model = model.replacing(held)
    quiet = without_events(model, list(observed) if isinstance(observed, Sequence) else [observed])
    found = method.fit(model, setting, observed, rng=rng, fixed=held, progress=progress)
    if quiet is None:
        return found
    # no error: an early record may be without events, and a forecast of none is then what it says. Sentence after
    # sentence on what is level or collinear would hide this one reason; what is said of draws stays
    return replace(found, notes=(quiet, *(found.notes if found.draws is not None else ())))


def provenance(method: Any, model: Any, histories: Sequence[History | Listings]) -> dict[str, Any]:
    """Where a result came from: method, model, version, and what it was fitted to, by SHA-256."""
    return {
        "method": repr(method),
        "model": type(model).__name__,
        "version": groundswell.__version__,
        "digest": " ".join(history.digest() for history in histories),
    }


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
