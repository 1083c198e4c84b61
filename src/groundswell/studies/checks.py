"""A fit set against the counts that it was fitted to: PIT, coverage, calibration tests, residuals, PSIS-LOO.

In sample, so too kind to the model: what this finds wrong is wrong, what it finds right may fail on new dates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError
from groundswell.evaluate.calibration import LEVELS, Calibration, CalibrationTest, calibration_test
from groundswell.evaluate.count_forecast import NegativeBinomial
from groundswell.evaluate.crossvalidation import CrossValidation, psis_loo
from groundswell.evaluate.ranking import Finding
from groundswell.evaluate.residuals import pearson
from groundswell.infer.base import Fit
from groundswell.models.base import can
from groundswell.studies.monthly import ends_of, side_of

Score = Literal["rps", "logs"]
Form = Literal["standardised", "mean", "regression"]

LEVEL = 0.8
"""The central interval whose coverage is put into words."""
SIGNIFICANT = 0.05
LAGS = 10
"""Steps over which residuals are correlated, at most."""
BLOCKS = 100
"""Groups of successive steps from whose spread the intervals come, at most."""
DRAWS = 1000
"""Draws that PSIS-LOO reweighs, at most."""


def unable(model: Any) -> str:
    """Why this model's fit cannot be checked so, or nothing: it takes a count with a density by place and step."""
    if can(model, "pointwise") and can(model, "intensity") and hasattr(model, "overdispersion"):
        return ""
    return (
        f"the check needs a distribution of the count of every place and step, given the steps before; "
        f"{type(model).__name__} has none. Leave the check out, and judge the model by compare or forecast."
    )


@dataclass(frozen=True, eq=False)
class Window:
    """One window of a fit: (P, T) counts, means and overdispersions, and which of them are checked."""

    setting: Setting
    counts: np.ndarray
    mean: np.ndarray
    psi: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, model: Any, setting: Setting, history: History) -> Window:
        """At the model's own parameters; a step that is given, or expects 0 events, has no forecast to check."""
        mean = np.asarray(model.intensity(setting, history), dtype=float)
        psi = model.overdispersion
        each = 0.0 if psi is None else psi.of(setting.places.name)[:, None] if hasattr(psi, "of") else float(psi)
        weighed = np.isfinite(model.pointwise(setting, history)) & np.isfinite(mean)
        if history.weighed is not None:
            weighed &= history.weighed
        return cls(setting, history.counts("events"), mean, np.broadcast_to(each, mean.shape), weighed & (mean > 0))

    def part(self, steps: np.ndarray) -> tuple[NegativeBinomial, np.ndarray]:
        """The forecasts of some steps that are checked, and their counts."""
        cells = self.known[:, steps]
        return NegativeBinomial(self.mean[:, steps][cells], self.psi[:, steps][cells]), self.counts[:, steps][cells]

    @cached_property
    def residuals(self) -> np.ndarray:
        """(P, T) Pearson residuals, NaN where nothing is checked."""
        out = np.full(self.mean.shape, np.nan)
        out[self.known] = pearson(*self.part(np.arange(self.mean.shape[1])))
        return out


@dataclass(frozen=True, eq=False)
class Check:
    """A fit's windows, calibration over groups of steps, a test for each score and form, and with draws the loo."""

    windows: tuple[Window, ...]
    calibration: Calibration
    tests: tuple[CalibrationTest, ...]
    loo: tuple[CrossValidation, ...]

    @property
    def cells(self) -> int:
        """Counts that are checked."""
        return sum(int(window.known.sum()) for window in self.windows)

    @cached_property
    def autocorrelation(self) -> Table:
        """Correlation of Pearson residuals so many steps apart at the same place; independent ones stay within."""
        longest = max(1, min(LAGS, *(window.mean.shape[1] // 4 for window in self.windows)))
        every = np.concatenate([window.residuals.ravel() for window in self.windows])
        centre, spread = float(np.nanmean(every)), float(np.nanvar(every))
        rows: list[dict[str, Any]] = []
        for lag in range(1, longest + 1):
            parts = [w.residuals - centre for w in self.windows]
            products = np.concatenate([(e[:, lag:] * e[:, :-lag]).ravel() for e in parts])
            products = products[~np.isnan(products)]
            if not len(products) or spread == 0:
                continue
            rows.append(
                {
                    "lag": lag,
                    "correlation": float(products.mean()) / spread,
                    "within": 1.96 / float(np.sqrt(len(products))),
                    "pairs": len(products),
                }
            )
        return Table.from_rows(rows, ("lag", "correlation", "within", "pairs"))

    def tables(self) -> dict[str, Table]:
        """Every table, by file name."""
        found = {
            "check_pit": self.calibration.histogram(),
            "check_coverage": self.calibration.coverage(),
            "check_tests": Table.from_rows([_row(test) for test in self.tests]),
            "check_residuals": self._residuals(),
            "check_autocorrelation": self.autocorrelation,
            "check_places": self._places(),
        }
        if self.loo:
            units = [row for made in self.loo for row in made.table().rows()]
            found["check_loo"] = Table.from_rows(units, ("unit", "log density", "Pareto k"))
        return found

    def result(self) -> dict[str, Any]:
        """What a program would read, without the residuals and units one by one."""
        kept = ("check_pit", "check_coverage", "check_tests", "check_autocorrelation")
        tables = self.tables()
        found: dict[str, Any] = {name.removeprefix("check_"): list(tables[name].rows()) for name in kept}
        found |= {"cells": self.cells, "location": list(self.calibration.location())}
        if self.loo:
            elpd, error = self._elpd()
            found["loo"] = {
                "elpd": elpd,
                "standard_error": error,
                "notes": [n for each in self.loo for n in each.notes],
            }
        return found

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The check in sentences; `groundswell.report.words` says them."""
        found = [Finding("check-scope", {"cells": self.cells})]
        if without := sum(int((window.mean == 0).sum()) for window in self.windows):
            found.append(Finding("check-without", {"cells": without}))
        middle, low, high = self.calibration.location()
        side = side_of(low, high, 0.5, "high", "low")
        found.append(
            Finding(
                f"forecast-location-{side}", {"what": "one", "middle": f"{middle:.3f}", **ends_of(low, high, 1, ".3f")}
            )
        )
        row = list(self.calibration.coverage().rows())[LEVELS.index(LEVEL)]
        shares = {name: f"{100 * row[name]:.1f} %" for name in ("covered", "promised")}
        side = side_of(row["low"], row["high"], 0, "narrow", "wide")
        found.append(Finding(f"check-coverage-{side}", {"level": f"{100 * LEVEL:g} %", **shares}))
        test = self.tests[0]
        side = "right" if test.p_value >= SIGNIFICANT else "more" if test.statistic > 0 else "less"
        found.append(Finding(f"check-test-{side}", {"z": f"{test.statistic:.2f}", "p": p_value(test.p_value)}))
        for first in list(self.autocorrelation.rows())[:1]:
            value, within = first["correlation"], first["within"]
            side = "right" if abs(value) <= within else "more" if value > 0 else "less"
            values = {"value": f"{round(value, 3) + 0.0:.3f}", "within": f"{within:.3f}"}
            found.append(Finding(f"check-memory-{side}", values))
        if self.loo:
            elpd, error = self._elpd()
            values = {
                "elpd": f"{elpd:.1f}",
                "error": f"{error:.1f}",
                "units": sum(len(each.units) for each in self.loo),
            }
            found.append(Finding("check-loo", values))
        return (*found, Finding("check-in-sample"))

    def _elpd(self) -> tuple[float, float]:
        values = np.concatenate([each.log_density for each in self.loo])
        return float(values.sum()), float(np.sqrt(len(values)) * values.std(ddof=1))

    def _residuals(self) -> Table:
        """A row for each count that is checked: what came, what was expected, and how far apart they are."""
        columns: dict[str, list[Any]] = {
            name: [] for name in ("place", "date", "events", "expected", "standard deviation", "pearson")
        }
        for window in self.windows:
            names, dates = window.setting.places.name, window.setting.window.dates()
            place, step = np.nonzero(window.known)
            forecast, counts = window.part(np.arange(window.mean.shape[1]))
            columns["place"] += [names[p] for p in place]
            columns["date"] += [dates[t].isoformat() for t in step]
            columns["events"] += counts.tolist()
            columns["expected"] += forecast.mean.tolist()
            columns["standard deviation"] += np.sqrt(forecast.variance).tolist()
            columns["pearson"] += window.residuals[window.known].tolist()
        return Table(columns)

    def _places(self) -> Table:
        """By place: events and expected events; the mean square of its residuals, 1 where the spread is right."""
        rows: list[dict[str, Any]] = []
        for window in self.windows:
            for p in np.flatnonzero(window.known.any(axis=1)).tolist():
                cells = window.known[p]
                row = {"place": window.setting.places.name[p], "from": window.setting.window.start.isoformat()}
                row |= {"events": float(window.counts[p][cells].sum()), "expected": float(window.mean[p][cells].sum())}
                rows.append(row | {"mean square": float((window.residuals[p][cells] ** 2).mean())})
        return Table.from_rows(rows)


def check(found: Fit, settings: Sequence[Setting], histories: Sequence[History]) -> Check:
    """Set a fit against its own windows; DataError where no count has a distribution, see `unable`.

    Given the past the counts of a step are independent of those before, so intervals come from the spread over groups
    of successive steps. With draws, PSIS-LOO too, from at most DRAWS of them.
    """
    windows = tuple(Window.of(found.model, *case) for case in zip(settings, histories, strict=True))
    if not any(window.known.any() for window in windows):
        raise DataError("no count has a distribution at these estimates, so that there is nothing to check.")
    every = NegativeBinomial(
        np.concatenate([window.mean[window.known] for window in windows]),
        np.concatenate([window.psi[window.known] for window in windows]),
    )
    counts = np.concatenate([window.counts[window.known] for window in windows])
    tests = tuple(calibration_test(every, counts, s, f) for s in get_args(Score) for f in get_args(Form))
    loo: tuple[CrossValidation, ...] = ()
    if found.draws is not None:
        thin = max(1, len(found.draws) // DRAWS)
        loo = tuple(psis_loo(found, *case, thin=thin) for case in zip(settings, histories, strict=True))
    return Check(windows, Calibration.of(_groups(windows)), tests, loo)


def p_value(p: float) -> str:
    """What stands behind a p in a sentence, with its sign: "= 0.012", "< 0.001"."""
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def _groups(windows: Sequence[Window]) -> Iterator[tuple[NegativeBinomial, np.ndarray]]:
    """Forecasts and counts of groups of successive steps, about BLOCKS in all."""
    total = sum(window.mean.shape[1] for window in windows)
    for window in windows:
        steps = np.flatnonzero(window.known.any(axis=0))
        if len(steps):
            groups = max(1, min(len(steps), round(BLOCKS * window.mean.shape[1] / total)))
            yield from (window.part(part) for part in np.array_split(steps, groups))


def _row(test: CalibrationTest) -> dict[str, Any]:
    return {
        "score": test.score,
        "form": test.form,
        "statistic": test.statistic,
        "degrees": test.degrees,
        "p": test.p_value,
        "counts": test.cells,
    }
