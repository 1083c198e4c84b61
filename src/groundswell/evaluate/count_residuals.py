"""Residuals of counts by place and step: where each stands in the distribution that the model gave it, step by step.

For models with the verb `pit`, of events that are dated and no more: low = P(Y < y), high = P(Y <= y), given the counts
of earlier steps. A point drawn evenly between the two is uniform if the model is right (Dunn and Smyth 1996, Journal of
Computational and Graphical Statistics 5, 236-244), and its normal quantile Z standard normal. One test draws such
points; the others take what Z and its square are on average over the draw,

    score = E[Z | y] = (f(a) - f(b)) / (high - low),    spread = E[Z^2 | y] - 1 = (a f(a) - b f(b)) / (high - low),

f the normal density, a and b the normal quantiles of low and high. Both average 0 given the past, so that sums of them,
and of products with earlier ones, are martingales; nothing random is added, which is most of what a rare count shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError
from groundswell.evaluate.calibration import Calibration, pit_histogram
from groundswell.evaluate.replicas import Replicas, at_least_as_extreme, meaning, model_of
from groundswell.infer.base import Fit, Method, Progress, silent
from groundswell.models.base import require

FEWEST = 10
"""Events below which no test is made, and that a group of places has at least."""

LAGS = 10
"""Steps over which scores are correlated, at most."""

NARROW = 1e-8
"""An interval of probability so short is taken as its middle, where the closed forms would be lost in rounding."""

TESTS = ("counts", "number", "dispersion", "serial", "together", "places")


@dataclass(frozen=True, eq=False)
class CountTests:
    """What tests of counts by place and step say.

    table : test, statistic, "p known" (had the parameters been known) and "p simulated" (from replicas; None without).
    histogram : of the non-randomised probability integral transform: from, to, share, and the interval of the share.
    autocorrelation : lag, correlation of the scores of a place so many steps apart, and what independent ones stay
    within in 95 of 100 cases. notes : sentences that a reader must see, first which p-values are naive.
    """

    table: Table
    histogram: Table
    autocorrelation: Table
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.table), *self.notes])


def count_tests(
    fitted: Fit | Any,
    setting: Setting,
    history: History,
    *,
    rng: np.random.Generator,
    replicates: int = 0,
    refit: bool = True,
    method: Method | None = None,
    progress: Progress = silent,
) -> CountTests:
    """Test whether counts by place and step come from the distributions that the model gave them.

    "counts"      Kolmogorov-Smirnov distance from the uniform of a point drawn between P(Y < y) and P(Y <= y) of each
    "number"      sum of the scores in standard deviations: too many events, or too few
    "dispersion"  1 + mean spread; above 1 counts vary more than expected, below 1 less
    "serial"      correlation of the score of a place with that of its next step: a memory that the model lacks
    "together"    variance of the sum of all places' scores over the sum of their variances; above 1, places have
                  more, or fewer, in the same step: a cause that they share, or triggering within the step
    "places"      chi squared of the sums of scores by place (rare ones joined): some have more than the model says

    Place-steps that `History.weighed` leaves out are left out. fitted, replicates, refit, method, and both p-values: as
    in `residual_tests`. Where events are rare "p known" is rough too: its sums are far from normal. "together" and
    "places" need two places, and are NaN without. DataError for fewer than 10 events. Cost: that of `pit`, and with
    replicates as many simulations and fits. Histogram: Czado, Gneiting and Held (2009), Biometrics 65, 1254-1261.
    """
    model = model_of(fitted)
    require(model, "pit", "count_tests")
    if (events := int(history.counts("events").sum())) < FEWEST:
        raise DataError(f"{events} events are too few to test a model by; expected {FEWEST} or more.")
    drawn, again = rng.spawn(2)
    found = _Counts(model, setting, history)
    rows = found.tests(drawn)
    simulated: dict[str, float] = {}
    notes = (meaning(fitted, history, replicates, refit),)
    if replicates:
        replicas = Replicas(fitted, setting, replicates, again, refit, method, progress)
        made = [_Counts(theirs, setting, one).tests(drawn) for theirs, one in replicas]
        for name, (_, known) in rows.items() if made else ():
            as_small = np.nan_to_num([row[name][1] for row in made], nan=1.0)
            simulated[name] = at_least_as_extreme(-known, -as_small)
        notes += replicas.remarks()
    table = Table(
        {
            "test": TESTS,
            "statistic": [rows[name][0] for name in TESTS],
            "p known": [rows[name][1] for name in TESTS],
            "p simulated": [simulated.get(name) for name in TESTS],
        }
    )
    return CountTests(table, found.histogram(), found.autocorrelation(), notes)


class _Counts:
    """(P, T) low and high, scores and spreads, NaN where a count is not weighed."""

    def __init__(self, model: Any, setting: Setting, history: History) -> None:
        low, high = model.pit(setting, history)
        left_out = np.isnan(low) if history.weighed is None else np.isnan(low) | ~history.weighed
        self.events = history.counts("events")
        self.low, self.high = (np.where(left_out, np.nan, each) for each in (low, high))
        self.score, self.spread = normal_scores(self.low, self.high)

    def tests(self, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
        """Statistic and p-value for known parameters by test; NaN where there is nothing to test."""
        from scipy.stats import kstest

        known, score = ~np.isnan(self.low), np.nan_to_num(self.score)
        low, high = self.low[known], self.high[known]
        distance = kstest(low + (high - low) * rng.random(len(low)), "uniform")
        squares, total = score**2, float((score**2).sum())
        rows: dict[str, tuple[float, float]] = dict.fromkeys(TESTS, (float("nan"), float("nan")))
        rows["counts"] = (float(distance.statistic), float(distance.pvalue))
        rows["number"] = (float(score.sum()) / total**0.5, _two_sided(score[known]))
        rows["dispersion"] = (1 + float(np.nanmean(self.spread)), _two_sided(self.spread[known]))
        rows["serial"] = (self._correlation(1)[0], _two_sided((score[:, 1:] * score[:, :-1]).ravel()))
        if len(score) > 1:
            apart = score.sum(axis=0) ** 2 - squares.sum(axis=0)
            rows["together"] = (1 + float(apart.sum()) / total, _two_sided(apart))
            rows["places"] = self._places(score)
        return rows

    def _places(self, score: np.ndarray) -> tuple[float, float]:
        """Places in their order are joined until a group has FEWEST events; the last ones go to the group before."""
        from scipy.stats import chi2

        group, number, inside = np.zeros(len(score), dtype=int), 0, 0.0
        for place, events in enumerate(self.events.sum(axis=1)):
            if inside >= FEWEST:
                number, inside = number + 1, 0.0
            group[place] = number
            inside += events
        if inside < FEWEST and number:
            group[group == number] = number - 1
        if group[-1] == 0:
            return float("nan"), float("nan")
        sums = np.bincount(group, score.sum(axis=1))
        statistic = float((sums**2 / np.bincount(group, (score**2).sum(axis=1))).sum())
        return statistic, float(chi2.sf(statistic, group[-1] + 1))

    def _correlation(self, lag: int) -> tuple[float, float]:
        """Of scores `lag` steps apart at the same place, and what independent ones stay within in 95 of 100 cases."""
        earlier, later = self.score[:, :-lag], self.score[:, lag:]
        both = ~np.isnan(earlier + later)
        earlier, later = earlier[both], later[both]
        scale = float(np.sqrt((earlier**2).sum() * (later**2).sum()))
        products = earlier * later
        if scale == 0:
            return float("nan"), float("nan")
        return float(products.sum()) / scale, 1.96 * float(np.sqrt((products**2).sum())) / scale

    def histogram(self) -> Table:
        """Given the past, steps are independent of each other: intervals come from the spread over them."""
        steps = [~np.isnan(column) for column in self.low.T]
        pairs = [(self.low[known, t], self.high[known, t]) for t, known in enumerate(steps) if known.any()]
        cells = np.array([float(len(low)) for low, _ in pairs])
        shares = np.stack([pit_histogram(low, high) for low, high in pairs])
        middle = np.array([float((low + high).sum()) / 2 for low, high in pairs])
        nothing = np.zeros((len(pairs), 0))
        return Calibration(cells, cells[:, None] * shares, middle, nothing, nothing).histogram()

    def autocorrelation(self) -> Table:
        """By lag, up to a quarter of the steps."""
        longest = max(1, min(LAGS, self.low.shape[1] // 4))
        rows = [(lag, *self._correlation(lag)) for lag in range(1, longest + 1) if lag < self.low.shape[1]]
        known = [row for row in rows if np.isfinite(row[1])]
        columns = zip(*known, strict=True) if known else ((), (), ())
        return Table(
            {name: list(column) for name, column in zip(("lag", "correlation", "within"), columns, strict=True)}
        )


def normal_scores(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E[Z | y] and E[Z^2 | y] - 1 of the normal quantile Z of a point drawn evenly between low and high."""
    from scipy.special import ndtri

    def density(at: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * at**2) / np.sqrt(2 * np.pi)

    width = high - low
    narrow = width < NARROW
    middle = ndtri(np.clip((low + high) / 2, 1e-300, 1 - 1e-16))
    share = np.where(narrow, 1.0, width)
    a, b = ndtri(low), ndtri(high)
    at_a, at_b = density(a), density(b)
    score = (at_a - at_b) / share
    finite_a, finite_b = (np.where(np.isinf(end), 0.0, end) for end in (a, b))
    spread = (finite_a * at_a - finite_b * at_b) / share
    return np.where(narrow, middle, score), np.where(narrow, middle**2 - 1, spread)


def _two_sided(terms: np.ndarray) -> float:
    """P-value of a sum whose terms each average 0 given those before, over the root of the sum of their squares."""
    from scipy.special import ndtr

    terms = terms[~np.isnan(terms)]
    scale = float((terms**2).sum())
    return float("nan") if scale == 0 else float(2 * ndtr(-abs(float(terms.sum())) / scale**0.5))
