"""Whether a fit of single events suits them: time rescaling, super-thinned points, and what each finds in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import GroundswellError
from groundswell.evaluate.point_residuals import ResidualTests, counts_in_band, residual_tests, waits_in_band
from groundswell.evaluate.ranking import Finding
from groundswell.evaluate.super_thinning import Homogeneity, homogeneity
from groundswell.infer.base import Fit, Progress, silent
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.base import can
from groundswell.models.events.ties import jittered

SIGNIFICANT = 0.05

DRAWS, SIMULATIONS, EVENTS = 10, 39, 2000
"""Of super-thinned points and of each test on them; of so many events together at most, one draw of more."""

SIDES = ("dispersion", "number", "serial")
"""Tests whose statistic has a side worth a sentence of its own."""


@dataclass(frozen=True, eq=False)
class Checks:
    """Tests of the events against the fit. times : time rescaling. points : super-thinning; None where it failed.

    asked : whether the p-values of `times` were to come from histories drawn from the fit and fitted again.
    """

    times: ResidualTests
    points: Homogeneity | None
    asked: bool

    @property
    def simulated(self) -> bool:
        """Whether they do: some models cannot draw what they were fitted to, such as events with marks."""
        return any(p is not None for p in self.times.table["p simulated"])

    @property
    def values(self) -> Mapping[str, tuple[float, float]]:
        """Statistic and p-value by test; those of super-thinning are called "points: ..."."""
        column = "p simulated" if self.simulated else "p known"
        found = {row["test"]: (row["statistic"], row[column]) for row in self.times.table.rows()}
        if self.points is not None:
            found |= {f"points: {r['test']}": (r["statistic"], r["p median"]) for r in self.points.table.rows()}
        return {name: pair for name, pair in found.items() if pair[1] is not None and np.isfinite(pair[1])}

    @property
    def findings(self) -> list[Finding]:
        """What the tests find: a sentence for each that the model fails, and how such p-values are meant."""
        values = self.values
        failed = {name: pair for name, pair in values.items() if pair[1] < SIGNIFICANT}
        found = [
            Finding("events-fits" if not failed else "events-misfits", {"tests": len(values), "count": len(failed)})
        ]
        for name, (statistic, p) in failed.items():
            key = name.replace("points: ", "points-").replace(" ", "-")
            if name in SIDES:
                key += "-more" if statistic > (1 if name == "dispersion" else 0) else "-less"
            found.append(Finding(f"events-misfit-{key}", {"p": f"{p:.2g}" if p >= 0.001 else "under 0.001"}))
        if self.asked and not self.simulated:
            found.append(Finding("events-tests-lost", {"reason": self.times.notes[-1]}))
        return [*found, Finding("events-tests-simulated" if self.simulated else "events-tests-naive")]

    def tables(self) -> dict[str, Table]:
        """Every table, by file name."""
        known = dict(self.times.table.columns)
        if not self.simulated:
            known.pop("p simulated")
        found = {
            "test_times": Table(known),
            "counts_in_band": counts_in_band(self.times),
            "waits_in_band": waits_in_band(self.times),
        }
        if self.points is not None:
            found["test_points"] = self.points.table
            if self.points.ripley is not None:
                found["ripley"] = self.points.ripley
        return found


def checks_of(
    found: Fit,
    setting: Setting,
    history: History,
    *,
    rng: np.random.Generator,
    replicates: int = 0,
    progress: Progress = silent,
) -> Checks | None:
    """The tests of a fit; None for a model without a compensator, and where events are too few.

    A model that weighs counts by day is tested in continuous time, its events put at random moments of their days.
    Cost: that of `residual_tests` (with `replicates`, as many simulations and fits) and of `homogeneity`.
    """
    own, test, points = rng.spawn(3)
    model, moved = _in_moments(found.model, history, own)
    if not can(model, "compensator"):
        return None
    here = replace(found, model=model, provenance={**found.provenance, "digest": moved.digest()})
    try:
        method = None if found.draws is None else MaximumLikelihood()  # a posterior for each replica takes hours
        times = residual_tests(here, setting, moved, rng=test, replicates=replicates, method=method, progress=progress)
    except GroundswellError:
        return None  # too few events
    return Checks(times, _points(here, setting, moved, points), replicates > 0)


def _in_moments(model: Any, history: History, rng: np.random.Generator) -> tuple[Any, History]:
    """The model in continuous time, and the events at moments."""
    if not getattr(model, "by_step", False):
        return model, history
    return replace(model, by_step=False), jittered(history, rng=rng)


def _points(found: Fit, setting: Setting, history: History, rng: np.random.Generator) -> Homogeneity | None:
    if not can(found.model, "rate_at"):
        return None
    draws = int(np.clip(EVENTS // max(len(history.events or ()), 1), 1, DRAWS))
    settings: dict[str, Any] = {"draws": draws, "simulations": SIMULATIONS}
    try:
        return homogeneity(found, setting, history, rng=rng, **settings)
    except GroundswellError:
        return None  # too few points are left
