"""Whether forecasts of counts keep what they promise: PIT histogram, coverage of intervals, tests.

A forecast here is a `CountForecast`: exact (`NegativeBinomial`) or `Drawn`. `Calibration` gathers the same
over rolling origins, with intervals that know that forecasts from one origin share its luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.evaluate.by_groups import groups, ratio
from groundswell.evaluate.count_forecast import CountForecast, NegativeBinomial

BINS = 10
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
"""Central intervals whose coverage is looked at."""

FEWEST_GROUPS = 8
"""Below this many groups of origins only a gross miss would show, so that none is found says nothing; no interval."""


def pit_histogram(low: np.ndarray, high: np.ndarray, bins: int = BINS) -> np.ndarray:
    """(J,) shares of the non-randomised probability integral transform by bin; 1/J each if calibrated.

    Each observed count y is spread evenly over [low, high] = [P(Y < y), P(Y <= y)], so nothing is drawn at
    random and sparse counts keep their place. U-shaped: too narrow forecasts; a hump: too wide; a slope:
    too low (more to the right) or too high. low, high : the two arrays of `pit`.
    Paper: Czado, Gneiting and Held 2009, equations 1 and 2.
    """
    return _spread(low, high, bins).mean(axis=0)


def coverage(forecast: CountForecast, observed: np.ndarray, levels: Sequence[float] = LEVELS) -> Table:
    """How often the central intervals held the observed count, a row for each level.

    A central interval of counts reaches from one whole count to another and holds more than its level, most
    of all where zeros abound, so `covered` is to be compared with `promised`, the mean probability that the
    forecasts themselves give to their intervals, and not with the level. width : mean, in events.
    """
    y = np.asarray(observed, dtype=float)[..., None]
    low, high = forecast.intervals(levels)
    columns = {
        "covered": (low <= y) & (y <= high),
        "promised": forecast.promised(observed, levels),
        "width": high - low,
    }
    means = {name: values.reshape(-1, len(levels)).mean(axis=0).tolist() for name, values in columns.items()}
    return Table({"level": list(levels), **means})


@dataclass(frozen=True)
class CalibrationTest:
    """statistic : z, or Wald's chi squared with `degrees` of freedom. p_value : two-sided."""

    score: str
    form: str
    statistic: float
    p_value: float
    cells: int
    degrees: int | None = None


def calibration_test(
    forecast: NegativeBinomial,
    observed: np.ndarray,
    score: Literal["rps", "logs", "dss"] = "rps",
    form: Literal["standardised", "mean", "regression"] = "standardised",
) -> CalibrationTest:
    """Test whether exact forecasts of counts are calibrated: are their scores what they themselves expect?

    With E and V the mean and variance of each score under the forecast (`expected_scores`):
    "mean"          z = sum(S - E) / sqrt(sum V)              Wei and Held 2014, equation 5
    "standardised"  z = sum((S - E) / sqrt V) / sqrt N        their alternative, which they advise for low counts
    "regression"    S on 1 and E by weights 1 / V; Wald's test of intercept 0 and slope 1, chi squared with 2
                    degrees of freedom (1 where all E are equal)            [recalled]
    z above 0: the counts surprise the forecasts more than they admit (too narrow, or off in level); below 0:
    less. The forecasts must be independent given the past, as one-step forecasts are; parameters fitted to
    the same counts make the test too lenient. Scores of rare counts are far from normal: with few expected
    events in all, p-values are rough, those of "dss" most.
    """
    mean, variance = (values.ravel() for values in forecast.expected_scores(score))
    losses = forecast.scores(observed, (score,))[score].ravel()
    if form == "regression":
        return _regression(score, losses, mean, variance)
    if form == "mean":
        z = float((losses - mean).sum() / np.sqrt(variance.sum()))
    elif form == "standardised":
        z = float(((losses - mean) / np.sqrt(variance)).sum() / np.sqrt(len(losses)))
    else:
        raise UsageError(f'no calibration test has the form "{form}"; known: standardised, mean, regression.')
    from scipy.special import ndtr

    return CalibrationTest(score, form, z, float(2 * ndtr(-abs(z))), len(losses))


def _regression(score: str, losses: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> CalibrationTest:
    """With known variances the estimates miss by b, X'WX b = X'W(S - E), with covariance (X'WX)^-1."""
    from scipy.special import gammaincc

    weight = 1 / variance
    centre = float((weight @ mean) / weight.sum())
    columns = np.stack([np.ones_like(mean), mean - centre])  # centred: the two directions are then independent
    degrees = 2 if np.ptp(mean) > 1e-9 * max(abs(centre), 1.0) else 1
    columns = columns[:degrees]
    moved = columns @ (weight * (losses - mean))
    wald = float((moved**2 / ((columns**2) @ weight)).sum())
    return CalibrationTest(score, "regression", wald, float(gammaincc(degrees / 2, wald / 2)), len(losses), degrees)


@dataclass(frozen=True, eq=False)
class Calibration:
    """How well the forecasts from O origins kept their promises; each row holds sums over an origin's cells.

    cells : (O,). pit : (O, J) cells by bin. middle : (O,) of the middles of the PIT, 1/2 each if calibrated.
    covered, promised : (O, L), as in `coverage`, by LEVELS. overlap : how many origins in a row share a
    target, themselves included; 1 if none do.
    """

    cells: np.ndarray
    pit: np.ndarray
    middle: np.ndarray
    covered: np.ndarray
    promised: np.ndarray
    overlap: int = 1

    @classmethod
    def of(cls, made: Iterable[tuple[CountForecast, np.ndarray]], overlap: int = 1) -> Calibration:
        """From (forecast, observed) of each origin."""
        return cls.gathered([assessed(forecast, observed) for forecast, observed in made], overlap)

    @classmethod
    def gathered(cls, origins: Sequence[tuple[np.ndarray, ...]], overlap: int = 1) -> Calibration:
        """From what `assessed` said of each origin."""
        return cls(*(np.stack(columns) for columns in zip(*origins, strict=True)), overlap=overlap)

    def histogram(self, level: float = 0.9) -> Table:
        """Share of cells by bin of the PIT, with the interval of each share; calibrated: equal shares."""
        rows = []
        for j, (left, right) in enumerate(pairwise(np.linspace(0, 1, self.pit.shape[1] + 1).tolist())):
            share, low, high = self._mean(self.pit[:, j], level)
            ends = {"low": None if low is None else max(low, 0.0), "high": None if high is None else min(high, 1.0)}
            rows.append({"from": left, "to": right, "share": share, **ends})
        return Table.from_rows(rows)

    def coverage(self, level: float = 0.9) -> Table:
        """Covered and promised by level, with the interval of covered - promised; calibrated: the interval holds 0."""
        rows = []
        for k, nominal in enumerate(LEVELS):
            share = float(self.promised[:, k].sum() / self.cells.sum())
            least = share * (1 - share) / float(self.cells.sum())
            excess, low, high = self._mean(self.covered[:, k] - self.promised[:, k], level, least)
            row = {"level": nominal, "covered": float(self.covered[:, k].sum() / self.cells.sum())}
            row["promised"] = share
            rows.append(row | {"excess": excess, "low": low, "high": high})
        return Table.from_rows(rows)

    def location(self, level: float = 0.9) -> tuple[float, float | None, float | None]:
        """Mean of the PIT with its interval: above 1/2 the forecasts are too low, below it too high."""
        return self._mean(self.middle, level)

    def _mean(self, sums: np.ndarray, level: float, least: float = 0.0) -> tuple[float, float | None, float | None]:
        """sum / cells over all origins, with its interval."""
        group = groups(len(self.cells), self.overlap)
        return ratio(sums, self.cells, group, level, least=least, fewest=FEWEST_GROUPS)


def assessed(forecast: CountForecast, observed: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of one origin's forecasts, the row of each field of `Calibration` up to `promised`."""
    y = np.asarray(observed, dtype=float)
    low, high = (np.ravel(end) for end in forecast.pit(y))
    left, right = forecast.intervals(LEVELS)
    covered = (left <= y[..., None]) & (y[..., None] <= right)
    promised = forecast.promised(y, LEVELS)
    return (
        np.array(float(y.size)), _spread(low, high, BINS).sum(axis=0), np.array((low + high).sum() / 2),
        *(values.reshape(-1, len(LEVELS)).sum(axis=0).astype(float) for values in (covered, promised)),
    )  # fmt: skip


def _spread(low: np.ndarray, high: np.ndarray, bins: int) -> np.ndarray:
    """(N, J) the share of each [low, high] that falls into each bin; a point falls into the bin that it ends."""
    low, high = (np.ravel(np.asarray(end, dtype=float))[:, None] for end in (low, high))
    if bins < 1 or not low.size or low.shape != high.shape or not ((low >= 0) & (low <= high) & (high <= 1)).all():
        raise UsageError("a PIT needs one bin or more, and 0 <= low <= high <= 1 for one observation or more.")
    edges = np.linspace(0, 1, bins + 1)
    width = high - low
    upto = np.clip(np.where(width > 0, (edges - low) / np.where(width > 0, width, 1), edges >= high), 0, 1)
    upto[:, 0] = 0  # a point at 0 belongs to the first bin
    return np.diff(upto, axis=1)
