"""Time-rescaling residuals: a right model turns its events into a Poisson process of rate 1.

    tau_i = integral of lambda(t) from 0 to t_i       the model's expected events up to event i

Papangelou (1972); Ogata (1988), Journal of the American Statistical Association 83, 9-27, section 3; Brown, Barbieri,
Ventura, Kass and Frank (2002), Neural Computation 14, 325-346. The compensator is that of all places together, so
that events in the wrong places at the right times are not seen here: super-thinning and `intensity` see those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError
from groundswell.evaluate.replicas import Replicas, at_least_as_extreme, meaning, model_of
from groundswell.infer.base import Fit, Method, Progress, silent
from groundswell.models.base import require

FEWEST = 10
"""Events below which no test is made: none would refuse any model."""

PER_BIN = 10
"""Events expected in each stretch of transformed time whose counts the dispersion test compares."""

LEVEL = 0.95
"""Of the bands."""

TESTS = ("waiting times", "times", "serial", "dispersion", "number")


@dataclass(frozen=True, eq=False)
class Rescaled:
    """Transformed times of E events.

    tau : (E,) expected events up to each, never falling. total : up to the window's end. days : (E,) their times.
    tied : how many events share their time with an earlier one.
    """

    tau: np.ndarray
    total: float
    days: np.ndarray
    tied: int = 0

    def __len__(self) -> int:
        return len(self.tau)

    @cached_property
    def waits(self) -> np.ndarray:
        """(E,) transformed time from the event before, or the window's start; unit exponential."""
        return np.diff(self.tau, prepend=0.0)

    @cached_property
    def uniforms(self) -> np.ndarray:
        """(E,) 1 - exp(-wait), uniform on (0, 1)."""
        return -np.expm1(-self.waits)


def rescaled(model: Any, setting: Setting, history: History) -> Rescaled:
    """Expected events under the model up to each event of the history. Cost: one call of the model's compensator.

    Events of which the day alone is known share their time and so their transformed time, and waits of 0 are taken for
    clustering: spread them over their days first (`jittered`), for the fit too, and look at several seeds.
    """
    require(model, "compensator", "rescaled")
    events = history.events
    if events is None:
        raise DataError("time rescaling needs History.events, single events with their times; this history has counts.")
    along = model.compensator(setting, history, np.append(events.time_days, float(setting.window.days)))
    tied = len(events) - len(np.unique(events.time_days))
    return Rescaled(np.asarray(along[:-1]), float(along[-1]), events.time_days, tied)


@dataclass(frozen=True, eq=False)
class ResidualTests:
    """What tests of the transformed times say.

    table : test, statistic, "p known" (had the parameters been known) and "p simulated" (from replicas; None without).
    critical : "times" and "waits" -> half the width of the 95 % bands of `counts_in_band` and `waits_in_band`.
    notes : sentences that a reader must see, first which p-values are naive.
    """

    rescaled: Rescaled
    table: Table
    critical: Mapping[str, float]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.table), *self.notes])


def residual_tests(
    fitted: Fit | Any,
    setting: Setting,
    history: History,
    *,
    rng: np.random.Generator,
    replicates: int = 0,
    refit: bool = True,
    method: Method | None = None,
    progress: Progress = silent,
) -> ResidualTests:
    """Test whether the transformed times are those of a unit Poisson process.

    "waiting times"  Kolmogorov-Smirnov distance of the waits from the unit exponential
    "times"          the same of tau / total from the uniform, given the count: a drift over the window
    "serial"         correlation of each wait's uniform with the next: bursts or gaps that follow each other
    "dispersion"     variance over mean of counts in equal stretches of transformed time; above 1, clustering is left
    "number"         events less total, over the root of total; a fit with a free background makes it 0

    fitted : a Fit, or a model whose parameters were not learnt from these events.
    "p known" is the textbook p-value for known parameters. For a Fit to this very history it is naive, which is to say
    too large: the parameters have bent to the data. Then give `replicates`, histories drawn from the fit and fitted
    again (`method`, or the Fit's own; refit=False keeps the parameters): "p simulated" is the share of replicas, the
    history itself counted among them, with a "p known" as small (a test's own p-value as the statistic of a bootstrap:
    Beran 1988, Journal of the American Statistical Association 83, 687-697). Some 99 tell .05 from .01.
    DataError for fewer than 10 events. Cost: replicates x (simulate + fit + compensator).
    """
    model = model_of(fitted)
    found = rescaled(model, setting, history)
    if len(found) < FEWEST:
        raise DataError(f"{len(found)} events are too few to test a model by; expected {FEWEST} or more.")
    rows = _tests(found)
    critical: dict[str, float] = dict.fromkeys(("times", "waits"), _kolmogorov(len(found)))
    simulated: dict[str, float] = {}
    notes = _notes(fitted, history, found, replicates, refit)
    if replicates:
        replicas = Replicas(fitted, setting, replicates, rng, refit, method, progress)
        theirs = [rescaled(again, setting, one) for again, one in replicas]
        made = [_tests(one) for one in theirs]
        for name, (_, known) in rows.items() if made else ():
            as_small = np.nan_to_num([row[name][1] for row in made], nan=1.0)
            simulated[name] = at_least_as_extreme(-known, -as_small)
        for band, name in (("times", "times"), ("waits", "waiting times")) if made else ():
            scaled = [row[name][0] * len(one) ** 0.5 for row, one in zip(made, theirs, strict=True)]
            critical[band] = float(np.nanquantile(scaled, LEVEL) / len(found) ** 0.5)
        notes += replicas.remarks()
    table = Table(
        {
            "test": TESTS,
            "statistic": [rows[name][0] for name in TESTS],
            "p known": [rows[name][1] for name in TESTS],
            "p simulated": [simulated.get(name) for name in TESTS],
        }
    )
    return ResidualTests(found, table, critical, notes)


def counts_in_band(tests: ResidualTests) -> Table:
    """Events counted against transformed time, with the band that holds all of a right model's in 95 of 100.

    tau, count (events up to and with this one), expected, low, high, days. What is expected runs along the line from
    nothing to all events, since the band is Kolmogorov's and given their number.
    """
    found, n = tests.rescaled, len(tests.rescaled)
    line = n * found.tau / found.total
    reach = n * tests.critical["times"]
    return Table(
        {
            "tau": found.tau.tolist(),
            "count": np.arange(1.0, n + 1).tolist(),
            "expected": line.tolist(),
            "low": (line - reach).tolist(),
            "high": (line + reach).tolist(),
            "days": found.days.tolist(),
        }
    )


def waits_in_band(tests: ResidualTests) -> Table:
    """Waiting times in order beside what they should be, as shares (for a PP plot) and as waits (for a QQ plot).

    share : (k - 1/2) / E, observed : the k-th smallest 1 - exp(-wait), low and high : its 95 % band, all along at once;
    wait_expected, wait : the same two as waits, of which the band is -log(1 - low) and -log(1 - high).
    """
    share = (np.arange(len(tests.rescaled)) + 0.5) / len(tests.rescaled)
    reach = tests.critical["waits"]
    return Table(
        {
            "share": share.tolist(),
            "observed": np.sort(tests.rescaled.uniforms).tolist(),
            "low": np.maximum(share - reach, 0).tolist(),
            "high": np.minimum(share + reach, 1).tolist(),
            "wait_expected": (-np.log1p(-share)).tolist(),
            "wait": np.sort(tests.rescaled.waits).tolist(),
        }
    )


def _tests(found: Rescaled) -> dict[str, tuple[float, float]]:
    """Statistic and p-value for known parameters by test; NaN where there are too few events for one."""
    from scipy.stats import chi2, kstest, norm, poisson

    n, total = len(found), found.total
    nothing = (float("nan"), float("nan"))
    rows: dict[str, tuple[float, float]] = dict.fromkeys(TESTS, nothing)
    if total > 0:
        tails = poisson.cdf(n, total), poisson.sf(n - 1, total)
        rows["number"] = ((n - total) / total**0.5, float(min(1.0, 2 * min(tails))))
    if n < FEWEST or not total > 0:
        return rows
    for name, values, law in (("waiting times", found.waits, "expon"), ("times", found.tau / total, "uniform")):
        distance = kstest(values, law)
        rows[name] = (float(distance.statistic), float(distance.pvalue))
    before, after = found.uniforms[:-1], found.uniforms[1:]
    if before.std() > 0 and after.std() > 0:
        serial = float(np.corrcoef(before, after)[0, 1])
        rows["serial"] = (serial, float(2 * norm.sf(abs(serial + 1 / n) * n**0.5)))  # its mean is -1/n
    bins = max(2, n // PER_BIN)
    counts = np.bincount(np.minimum((bins * found.tau / total).astype(int), bins - 1), minlength=bins)
    spread = float(((counts - n / bins) ** 2).sum() / (n / bins))
    tails = chi2.cdf(spread, bins - 1), chi2.sf(spread, bins - 1)
    rows["dispersion"] = (spread / (bins - 1), float(2 * min(tails)))
    return rows


def _kolmogorov(n: int) -> float:
    """The distance of n uniforms from their law that 95 of 100 samples do not pass."""
    from scipy.stats import kstwo

    return float(kstwo.ppf(LEVEL, n))


def _notes(fitted: Fit | Any, history: History, found: Rescaled, replicates: int, refit: bool) -> tuple[str, ...]:
    notes = [meaning(fitted, history, replicates, refit)]
    if found.tied:
        notes.append(
            f"{found.tied} of {len(found)} events share their time with another, so their transformed times tie and "
            "waits of 0 are taken for clustering. Where days alone are known, spread the events over them before the "
            "fit, `jittered(history, rng=rng)`, and say so; another seed gives other p-values."
        )
    return tuple(notes)
