"""How long a place waits for its entry: the delay between a first event and its listing, in days.

A list that grows is seen on some days only (its vintages), so a delay is known to lie between two of
them, and a long one is not seen at all yet (right truncation). Both are handled where the delay is
joined with the days of first events, in `growing`; this file holds the delay itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from groundswell.data.places import Places, great_circle_km
from groundswell.errors import DataError, ParameterError, nearest
from groundswell.params import Component, Effects, Prior, param, vector

REFERENCE_PERSONS = 100_000.0
"""A place of so many people has no effect of its size."""

NEARBY_KM = 40.0
"""How far a place's surroundings reach, for its prominence: about a commute. A judgement."""

Pullback = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ReportingDelay(Component):
    """Chance that a place is listed on the k-th day after its first event, k = 0, 1, 2, ..., if not before.

    Most entries come soon, a share comes late; which is which is not seen.

        logit h_0 = logit same_day + c,    logit h_k = logit daily + c   for k >= 1
        c = sum of effects x columns of the place + regions[region of the place]
        1 - F(k) = (1 - late) (1 - h_0) (1 - h_1) ... (1 - h_k) + late (1 - late_daily)^k

    Vintages of a few days show nearly nothing of late entries: then `late` and `late_daily` stay at their
    priors, and what is said of places listed late is borrowed from these. F at delays longer than any that
    the vintages span is an extrapolation.
    effects : keyed by column, "persons" (log of the population over 100,000) and "prominence" (log of the
    place's share of all persons within 40 km); regions : by region. Empty leaves them out.
    """

    title: ClassVar[str] = "Delay between an event and its entry in a list that grows"
    paper: ClassVar[str] = (
        "Kalbfleisch and Lawless (1989), Inference based on retrospective ascertainment, JASA 84, 360-372; Lawless "
        "(1994), Adjustments for reporting delays and the prediction of occurred but not reported events, Canadian "
        "Journal of Statistics 22, 15-31"
    )

    same_day: float = param(
        "1", low=0.0, high=1.0, prior=Prior(0.1, 1.0), doc="chance of being listed on the day of the first event"
    )
    daily: float = param(
        "1/day", low=0.0, high=1.0, prior=Prior(0.3, 0.8), doc="chance of being listed on a later day, if not before"
    )
    late: float = param("1", low=0.0, high=1.0, prior=Prior(0.2, 1.0), doc="share of places whose entry comes late")
    late_daily: float = param(
        "1/day", low=0.0, high=1.0, prior=Prior(0.05, 0.7), doc="the same daily chance for an entry that comes late"
    )
    effects: Effects = param(
        "logit/column", prior=Prior(0.0, 0.4), default=Effects(), doc="change of the logit of the chance with a column"
    )
    regions: Effects = param(
        "logit", prior=Prior(0.0, 0.4), default=Effects(), doc="by how much a region's entries come sooner than others'"
    )

    def log_unlisted(self, places: Places, longest: int) -> np.ndarray:
        """(P, longest + 1) log(1 - F): log probability of not being listed by delays 0, 1, ..., longest."""
        return self.bind(places, longest)(vector(self))[0]

    def listed(self, places: Places, longest: int) -> np.ndarray:
        """(P, longest + 1) F: probability of being listed by delays 0, 1, ..., longest."""
        return -np.expm1(self.log_unlisted(places, longest))

    def bind(self, places: Places, longest: int) -> Callable[[np.ndarray], tuple[np.ndarray, Pullback]]:
        """Parameter vector -> (log_unlisted, pullback), for these places; what they fix is computed once.

        pullback : d value / d log_unlisted, (P, longest + 1), to d value / d parameters, (K,). A chance at
        delay j acts on all of log_unlisted from j on, with weight -h_j per logit.
        """
        columns = own_columns(self.effects, self.regions, places)
        days = np.arange(longest + 1.0)

        def evaluate(values: np.ndarray) -> tuple[np.ndarray, Pullback]:
            same_day, daily, late, late_daily = values[:4]
            with np.errstate(divide="ignore"):  # a chance of 0 or 1 is a limit: its logarithm is infinite
                first, later = (np.log(chance) - np.log1p(-chance) for chance in (same_day, daily))
                soon, tail, wait = np.log1p(-late), np.log(late), np.log1p(-late_daily)
            own = columns @ values[4:]
            on_day, after = (np.logaddexp(0.0, logit + own) for logit in (first, later))
            soon = soon - on_day[:, None] - _over(after, days)
            tail = tail + _over(wait, days)
            log_unlisted = np.logaddexp(soon, tail)

            def pullback(slope: np.ndarray) -> np.ndarray:
                some = np.isfinite(log_unlisted)  # where everything is listed, nothing changes with a parameter
                share = np.exp(np.subtract(soon, log_unlisted, where=some, out=np.zeros_like(soon)))
                with np.errstate(divide="ignore", invalid="ignore"):  # NaN for a parameter at a limit: it has no slope
                    of_soon = slope * share
                    of_tail = slope - of_soon
                    at_first = -of_soon.sum(axis=1) * _chance(first + own)
                    at_later = -(of_soon @ days) * _chance(later + own)
                    base = [
                        at_first.sum() / (same_day * (1 - same_day)),
                        at_later.sum() / (daily * (1 - daily)),
                        of_tail.sum() / late - of_soon.sum() / (1 - late),
                        -(of_tail @ days).sum() / (1 - late_daily),
                    ]
                    return np.concatenate([base, columns.T @ (at_first + at_later)])

            return log_unlisted, pullback

        return evaluate


def _over(rate: np.ndarray, days: np.ndarray) -> np.ndarray:
    """rate x days, 0 over no days whatever the rate."""
    with np.errstate(invalid="ignore"):
        return np.where(days > 0, np.multiply.outer(rate, days), 0.0)


def _chance(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


def own_columns(effects: Effects, regions: Effects, places: Places) -> np.ndarray:
    """(P, Q) columns of what is a place's own: one for each effect, then a 0/1 column for each region."""
    columns = np.zeros((len(places), len(effects) + len(regions)))
    for i, name in enumerate(effects):
        if name not in PLACE_COLUMNS:
            raise ParameterError(
                f'the effect "{name}" names no column.{nearest(name, PLACE_COLUMNS)} '
                f"Columns: {', '.join(PLACE_COLUMNS)}."
            )
        columns[:, i] = PLACE_COLUMNS[name](places)
    if regions:
        at = {label: i for i, label in enumerate(regions, start=len(effects))}
        for place, region in enumerate(map(region_label, places.region)):
            if region not in at:
                raise ParameterError(
                    f'region "{region}" has no effect.{nearest(region, regions)} Make the model for these places, so '
                    "that each region has one."
                )
            columns[place, at[region]] = 1.0
    return columns


def region_label(region: str) -> str:
    """A region as a label of the parameters: dots go, since they separate dotted names."""
    return region.replace(".", "") or "elsewhere"


def _persons(places: Places) -> np.ndarray:
    return np.log(places.population / REFERENCE_PERSONS)


def _prominence(places: Places) -> np.ndarray:
    """Log of a place's share of all persons within NEARBY_KM: a suburb is overshadowed by its city."""
    if places.latitude is None or places.longitude is None:
        raise DataError('the effect "prominence" needs the positions of the places, to know who lives nearby.')
    share = np.empty(len(places))
    for i in range(len(places)):  # row by row: a matrix of all distances grows with the square
        km = great_circle_km(places.latitude[i], places.longitude[i], places.latitude, places.longitude)
        share[i] = places.population[i] / places.population[km <= NEARBY_KM].sum()
    return np.log(share)


PLACE_COLUMNS: dict[str, Callable[[Places], np.ndarray]] = {"persons": _persons, "prominence": _prominence}
"""What effects of a place can be keyed by."""
