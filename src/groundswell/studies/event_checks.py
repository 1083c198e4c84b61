"""Whether a fit of single events suits them: tests of times or counts, super-thinned points, and their findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import GroundswellError
from groundswell.evaluate.count_residuals import CountTests, count_tests
from groundswell.evaluate.point_residuals import ResidualTests, counts_in_band, residual_tests, waits_in_band
from groundswell.evaluate.ranking import Finding
from groundswell.evaluate.super_thinning import Homogeneity, homogeneity
from groundswell.infer.base import Fit, Progress, silent
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.base import can
from groundswell.studies.checks import p_value

SIGNIFICANT = 0.05

DRAWS, SIMULATIONS, EVENTS = 10, 39, 2000
"""Of super-thinned points and of each test on them; of so many events together at most, one draw of more."""

MIDDLE = {
    "dispersion": 1.0, "number": 0.0, "serial": 0.0,
    "counts: dispersion": 1.0, "counts: number": 0.0, "counts: serial": 0.0, "counts: together": 1.0,
}  # fmt: skip
"""What a right model's statistic is around, where either side is worth a sentence of its own."""

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Checks:
    """Tests of the events against the fit; each part is None where the model has none, or it could not be made.

    times : time rescaling. counts : of a model that weighs counts by step, in its place. points : super-thinning.
    asked : whether the p-values of `times` or `counts` were to come from histories drawn from the fit and fitted again.
    failed : of the parts that could not be made, by name, the reason.
    """

    times: ResidualTests | None
    counts: CountTests | None
    points: Homogeneity | None
    asked: bool
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether they do: some models cannot draw what they were fitted to, such as events with marks."""
        tables = [part.table for part in (self.times, self.counts) if part is not None]
        return any(p is not None for table in tables for p in table["p simulated"])

    @property
    def _pairs(self) -> Mapping[str, tuple[float, float | None]]:
        column = "p simulated" if self.simulated else "p known"
        parts = (("", self.times, column), ("counts: ", self.counts, column), ("points: ", self.points, "p median"))
        return {
            prefix + row["test"]: (row["statistic"], row[p])
            for prefix, part, p in parts if part is not None
            for row in part.table.rows()
        }  # fmt: skip

    @property
    def values(self) -> Mapping[str, tuple[float, float]]:
        """Statistic and p-value by test; those of super-thinning are called "points: ...", of counts "counts: ..."."""
        return {name: (at, p) for name, (at, p) in self._pairs.items() if p is not None and np.isfinite(p)}

    @property
    def findings(self) -> list[Finding]:
        """What the tests find: a sentence for each that the model fails, what was not tested, what p-values mean."""
        values = self.values
        failed = {name: pair for name, pair in values.items() if pair[1] < SIGNIFICANT}
        found = []
        if values:
            found = [
                Finding("events-fits" if not failed else "events-misfits", {"tests": len(values), "count": len(failed)})
            ]
        for name, (statistic, p) in failed.items():
            key = name.replace(": ", "-").replace(" ", "-")
            if name in MIDDLE:
                key += "-more" if statistic > MIDDLE[name] else "-less"
            found.append(Finding(f"events-misfit-{key}", {"p": p_value(p)}))
        if undefined := tuple(name for name in self._pairs if name not in values):
            found.append(Finding("events-tests-undefined", {"names": undefined}))
        found += [Finding(f"events-tests-failed-{name}", {"reason": reason}) for name, reason in self.failed.items()]
        made = self.times or self.counts
        if made is None:
            return found
        if self.asked and not self.simulated:
            found.append(Finding("events-tests-lost", {"reason": made.notes[-1]}))
        kind = "naive" if not self.simulated else "simulated" if self.counts is None else "simulated-counts"
        return [*found, Finding(f"events-tests-{kind}")]

    def tables(self) -> dict[str, Table]:
        """Every table, by file name."""
        found: dict[str, Table] = {}
        if self.times is not None:
            found |= {
                "test_times": self._known(self.times.table),
                "counts_in_band": counts_in_band(self.times),
                "waits_in_band": waits_in_band(self.times),
            }
        if self.counts is not None:
            found |= {
                "test_counts": self._known(self.counts.table),
                "counts_pit": self.counts.histogram,
                "counts_autocorrelation": self.counts.autocorrelation,
            }
        if self.points is not None:
            found["test_points"] = self.points.table
            if self.points.ripley is not None:
                found["ripley"] = self.points.ripley
        return found

    def _known(self, table: Table) -> Table:
        """The table, without p-values that were not asked for."""
        return Table({n: column for n, column in table.columns.items() if self.simulated or n != "p simulated"})


def checks_of(
    found: Fit,
    setting: Setting,
    history: History,
    *,
    rng: np.random.Generator,
    replicates: int = 0,
    progress: Progress = silent,
) -> Checks | None:
    """The tests of a fit; None for a model that has no verb for any.

    A model that weighs counts by step is tested by its counts (`count_tests`): events at random moments of their days
    would be tested for what the moving did to them. What cannot be made stands in `failed` with the reason.
    Cost: that of `residual_tests` or `count_tests` (with `replicates`, as many simulations and fits) and `homogeneity`.
    """
    model, failed = found.model, dict[str, str]()
    by_count, by_time, points = rng.spawn(3)
    method = None if found.draws is None else MaximumLikelihood()  # a posterior for each replica takes hours
    more: dict[str, Any] = {"replicates": replicates, "method": method, "progress": progress}

    def attempt(name: str, verb: str, make: Callable[[], Made]) -> Made | None:
        if not can(model, verb):
            return None
        try:
            return make()
        except GroundswellError as error:
            failed[name] = str(error)
            return None

    counts = attempt("counts", "pit", lambda: count_tests(found, setting, history, rng=by_count, **more))
    times = attempt("times", "compensator", lambda: residual_tests(found, setting, history, rng=by_time, **more))
    draws = int(np.clip(EVENTS // max(len(history.events or ()), 1), 1, DRAWS))
    even = attempt(
        "points", "rate_at",
        lambda: homogeneity(found, setting, history, rng=points, draws=draws, simulations=SIMULATIONS),
    )  # fmt: skip
    if times is None and counts is None and even is None and not failed:
        return None
    return Checks(times, counts, even, replicates > 0, failed)
