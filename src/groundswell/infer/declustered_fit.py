"""Fit by turns: the parameters given where the background is, then the background given who needed no parent.

Zhuang, Ogata and Vere-Jones (2002), Journal of the American Statistical Association 97, 369-380, section 3: kernels
around the events, each weighted by its probability of needing no parent at the last parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError
from groundswell.infer.base import Fit, Method, Progress, fit, silent
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.events.etas import Etas
from groundswell.models.events.kernel_background import KernelBackground
from groundswell.params import leaves


def fit_with_declustering(
    model: Etas,
    setting: Setting,
    history: History,
    *,
    rng: np.random.Generator,
    method: Method | None = None,
    fixed: Mapping[str, float] | None = None,
    neighbours: int = 5,
    least_km: float = 5.0,
    own_point: bool = False,
    rounds: int = 30,
    tolerance: float = 0.02,
    progress: Progress = silent,
) -> Fit:
    """A fit whose background is estimated too: `fit.model.spread`, a KernelBackground, and the parameters given it.

    The first round starts from model.spread, or from all events alike. Kernels stand on the window's events, those
    of model.outside among them, as wide as it is to the `neighbours`-th nearest, at least `least_km`. It ends when
    a round moves no parameter by more than `tolerance` of its standard error; details["rounds"] shows the way.
    own_point : False takes the background at an event from the other events, which halves a bias (decision 033);
    True is what the paper and the R package ETAS do.

    Read with care: no one function is climbed, so log densities of rounds, or of another background, are no measure
    of fit; and standard errors take the background as known. Where the background truly is clustered on a scale
    below the bandwidths, that counts as triggering; where kernels follow chance, triggering counts as background.
    DataError for fewer events than `neighbours` + 1. Cost: a fit from good starting values and O(E^2) a round.
    """
    chosen = MaximumLikelihood() if method is None else method
    events = _in_window(model, setting, history)
    x = np.concatenate([np.asarray(one.x_km, dtype=float) for one in events])
    y = np.concatenate([np.asarray(one.y_km, dtype=float) for one in events])
    if len(x) <= neighbours:
        raise DataError(
            f"{len(x)} events are too few to learn from where those happen that need no parent: kernels as wide as it "
            f"is to the {neighbours}-th nearest need {neighbours + 1} or more. Fit an even background: --method "
            "likelihood, or fit(Etas(spread=None, ...))."
        )
    weight = np.ones(len(x))
    shape = KernelBackground.around(x, y, neighbours=neighbours, least_km=least_km, own_point=own_point)
    if model.spread is not None:
        weight = _unprompted(model, setting, history, events)
    rows: list[dict[str, float | int | None]] = []
    found, moved = None, np.inf
    for number in range(1, rounds + 1):
        model = replace(model, spread=replace(shape, weight=weight))
        last, found = found, fit(model, setting, history, chosen, rng=rng, fixed=fixed)
        assert isinstance(found.model, Etas)
        model = found.model
        weight = _unprompted(model, setting, history, events)
        moved = np.inf if last is None else _moved(last, found)
        rows.append(
            {
                "round": number,
                "log density": found.log_density,
                "background events": float(weight[: len(events[0])].sum()),
                "largest move / standard error": float(moved) if np.isfinite(moved) else None,
            }
        )
        progress(number / rounds, f"round {number}, log density {found.log_density:.6f}")
        if moved < tolerance:
            break
    assert found is not None
    return _told(found, rows, moved < tolerance, tolerance)


def _in_window(model: Etas, setting: Setting, history: History) -> list[Events]:
    """The events on which kernels stand: the weighed ones, then those outside the region in the window."""
    found = [model.checked(setting, history)]
    if model.outside is not None:
        times = model.outside.time_days
        rest = model.outside.take((times >= 0) & (times < setting.window.days))
        found += [rest] if len(rest) else []
    if not len(found[0]):
        raise DataError("there is no event in the window, so there is no background to estimate.")
    return found


def _unprompted(model: Etas, setting: Setting, history: History, events: Sequence[Events]) -> np.ndarray:
    """(N,) the probability of each event that it needed no parent."""
    return np.concatenate(
        [model.background_at(setting, one) / model.rate_at(setting, history, one) for one in events]
    )  # fmt: skip


def _moved(last: Fit, found: Fit) -> float:
    """The largest change of a free parameter over its standard error; what is not determined has no say."""
    change = 0.0
    for k, leaf in enumerate(leaves(found.model)):
        error = float(found.standard_error[k])
        if error > 0:
            free = leaf.slope(leaf.to_free(leaf.value)) if leaf.bounded else 1.0
            step = leaf.to_free(float(found.estimate[k])) - leaf.to_free(float(last.estimate[k]))
            change = max(change, abs(step) * free / error)
    return change


def _told(found: Fit, rows: list[dict[str, float | int | None]], settled: bool, tolerance: float) -> Fit:
    """The fit with its rounds, and what a reader must know of them."""
    notes = (
        "The background was estimated with the parameters; standard errors take it as known and are too small by "
        "what it adds. Log densities with another background are no comparison.",
        *found.notes,
    )
    alone = rows[-1]["background events"]
    status = f"{found.status} {len(rows)} rounds of declustering; {alone:.1f} events needed no parent."
    if not settled:
        notes = (
            f"The background had not settled after {len(rows)} rounds: the last moved a parameter by more than "
            f"{tolerance:g} of its standard error. Raise `rounds`.",
            *notes,
        )
    return replace(
        found,
        converged=found.converged and settled,
        status=status,
        notes=notes,
        details={**found.details, "rounds": Table.from_rows(rows)},
    )
