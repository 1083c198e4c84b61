"""Tables of a fit as papers print them: rate ratios, seasonal waves by amplitude and peak, models side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.infer.base import Fit
from groundswell.params import leaves

UNLIKE = "(not comparable: give every model the same `conditioned`)"
"""Stands beside a criterion where the fits weigh different numbers of counts."""

_WAVE = re.compile(r"(.*)\.effects\.sin(\d+)")


def coefficients(found: Fit, level: float = 0.95) -> Table:
    """One row a term: part, term, estimate, standard error, and its multiplicative effect with an interval.

    A parameter in logs (an intercept, a coefficient of a log-linear part) has exp(estimate) and the ends of its
    Wald interval likewise; "effect" is then the rate where every column is 0, or the ratio of rates for one
    unit of the column. The sine and cosine of one harmonic are given as the wave they make: its amplitude, which
    multiplies the rate by up to exp(amplitude), and the step of its peak counted from the window's start, with standard
    errors by the delta method; in a part without a period columns of these names are covariates like others. Random
    effects are left out; their sd is a row.
    """
    from scipy.special import ndtri

    reach = float(ndtri((1 + level) / 2))
    hidden = {name for row in getattr(found.model, "effect_names", ()) for name in row}
    waves = {name for wave in map(_WAVE.fullmatch, found.names) if wave for name in _pair(found, wave[1], wave[2])}
    rows = []
    for k, leaf in enumerate(leaves(found.model)):
        if leaf.name in hidden:
            continue
        if leaf.name in waves:
            if wave := _WAVE.fullmatch(leaf.name):
                rows += _wave_rows(found, wave[1], wave[2])
            continue
        part, _, term = leaf.name.partition(".")
        estimate, error = float(found.estimate[k]), float(found.standard_error[k])
        row: dict[str, Any] = {
            "part": part,
            "term": (term or part).removeprefix("effects."),
            "estimate": estimate,
            "standard error": error if np.isfinite(error) else None,
        }
        if leaf.unit.startswith("log"):
            row["effect"] = float(np.exp(estimate))
            if np.isfinite(error):
                row["low"], row["high"] = (float(np.exp(estimate + sign * reach * error)) for sign in (-1, 1))
        rows.append(row)
    percent = f"{100 * level:g} %"
    names = ("part", "term", "estimate", "standard error", "effect", "low", "high")
    table = Table.from_rows(rows, names)
    return Table({{"low": f"low {percent}", "high": f"high {percent}"}.get(name, name): table[name] for name in names})


def side_by_side(fits: Mapping[str, Fit]) -> Table:
    """Models as columns: "estimate (standard error)" by parameter, then log density and, where known, AIC and BIC.

    An empty cell is a parameter that the model does not have; what every model holds at a value is left out.
    Information criteria compare models of the same data only: UsageError if the fits are of different histories.
    Where fits to one history weigh different numbers of its counts, since one conditions on more first steps, these
    numbers have a row and the criteria are left empty; the log densities are no more comparable then.
    """
    if len({found.provenance.get("digest") for found in fits.values()}) > 1:
        raise UsageError(
            "side_by_side sets models of the same data beside each other; these are fits of different data."
        )
    estimated = {n for found in fits.values() for n, e in zip(found.names, found.standard_error, strict=True) if e != 0}
    names = dict.fromkeys(n for found in fits.values() for n in found.summary()["parameter"] if n in estimated)
    criteria = {"AIC": "aic", "BIC": "bic"}
    shown = [name for name, key in criteria.items() if any(key in found.details for found in fits.values())]
    counts = {title: found.details.get("observations") for title, found in fits.items()}
    unlike = len({count for count in counts.values() if count is not None}) > 1
    if unlike:
        labels = ["log density", "counts weighed", *(f"{name} {UNLIKE}" for name in shown)]
    else:
        labels = ["log density", *shown]
    columns: dict[str, list[Any]] = {"parameter": [*names, *labels]}
    for title, found in fits.items():
        cells = {name: _cell(found, k) for k, name in enumerate(found.names)}
        ends = [f"{found.log_density:.2f}"]
        if unlike:
            ends += [None if counts[title] is None else str(counts[title]), *(None for _ in shown)]
        else:
            values = (found.details.get(criteria[name]) for name in shown)
            ends += [None if value is None else f"{value:.2f}" for value in values]
        columns[title] = [*(cells.get(name) for name in names), *ends]
    return Table(columns)


def _cell(found: Fit, k: int) -> str:
    error = found.standard_error[k]
    if error == 0:
        return f"{found.estimate[k]:.3f} (held)"
    return f"{found.estimate[k]:.3f} ({error:.3f})" if np.isfinite(error) else f"{found.estimate[k]:.3f} (-)"


def _period(model: Any, part: str) -> float | None:
    """Steps in one season of a part, by its dotted name; None where it has no season."""
    return getattr(reduce(getattr, part.split("."), model), "period", None)


def _pair(found: Fit, part: str, harmonic: str) -> tuple[str, ...]:
    """The names of a harmonic's sine and cosine; none without a cosine, and none where they are mere covariates."""
    pair = tuple(f"{part}.effects.{kind}{harmonic}" for kind in ("sin", "cos"))
    return pair if pair[1] in found.names and _period(found.model, part) is not None else ()


def _wave_rows(found: Fit, part: str, harmonic: str) -> list[dict[str, Any]]:
    """Amplitude and peak of s sin(w t) + c cos(w t) = A cos(w t - phase)."""
    at = [found.names.index(name) for name in _pair(found, part, harmonic)]
    s, c = found.estimate[at]
    period = float(_period(found.model, part) or np.nan) / int(harmonic)
    amplitude, phase = float(np.hypot(s, c)), float(np.arctan2(s, c)) % (2 * np.pi)
    covariance = np.full((2, 2), np.nan) if found.covariance is None else found.covariance[np.ix_(at, at)]
    slopes = np.array([[s, c], [c / amplitude, -s / amplitude]]) / amplitude if amplitude > 0 else np.zeros((2, 2))
    errors = np.sqrt(np.diag(slopes @ covariance @ slopes.T)) * [1, period / (2 * np.pi)]
    known = [float(error) if np.isfinite(error) else None for error in errors]
    return [
        {"part": part, "term": f"{term} of harmonic {harmonic}", "estimate": value, "standard error": error}
        | ({"effect": float(np.exp(value))} if term == "amplitude" else {})
        for term, value, error in zip(
            ("amplitude", "peak step"), (amplitude, phase / (2 * np.pi) * period), known, strict=True
        )
    ]
