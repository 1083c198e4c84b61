"""A list that grows: days of first events joined with the delay until they are listed.

For unit u (a place, or in the open form a region), first day d = 0, 1, ... and a list seen on days
v_1 < ... < v_V = v, the window's last:

    log m_ud = log rate + changes up to d + sum of effects x columns of u + regions[region of u]
    closed   p_u(d) = (1 - exp(-m_ud)) exp(-m_u0 - ... - m_u,d-1): a place has one first event or none
    open     p_u(d) = m_ud: expected number of first events in the region, Poisson, without an end
    entry first seen at v_j, day d stated:   p_u(d) [F_u(v_j - d) - F_u(v_j-1 - d)],   F = 0 below 0
    entry whose day is not stated:           the sum of that over d <= v_j
    closed, a place without an entry:        1 - sum over d of p_u(d) F_u(v - d)
    open, a region:                          exp(-sum over d of p_u(d) F_u(v - d))

Days are taken to be stated or not by chance, given that the place is listed. With free days the open
form has its maximum for the delay where the conditional likelihood of Kalbfleisch and Lawless (1989)
has it, which weighs the delay of an entry given that it is listed by v.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np

from groundswell.data.listings import Listings
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.models.base import Likelihood
from groundswell.models.reporting.delay import ReportingDelay, own_columns, region_label
from groundswell.params import Component, Effects, Prior, names, param, vector

First = tuple[np.ndarray, np.ndarray]
"""log p (P, T), and log of no first event (P,); in the open form minus the expected number instead."""


@dataclass(frozen=True)
class FirstEvents(Component):
    """First events by day: a common level that moves from day to day, times what is a place's own.

    closed : True for a given universe of places with at most one first event each; False for regions
    in which any number of places may have theirs (see the module).
    change : keyed by date, one for each day after the first. Independent steps make the level a random
    walk: a day of which hardly anything is listed yet leans on the day before.
    effects, regions : as in `ReportingDelay`; in a closed universe effects are powers of population and share.
    """

    rate: float = param(
        "1/day",
        low=0.0,
        prior=Prior(0.02, 2.5),
        doc="first events on the first day, in a place of 100,000 persons or in a region",
    )
    change: Effects = param(
        "log", prior=Prior(0.0, 0.8), default=Effects(), doc="log of the common level over that of the day before"
    )
    effects: Effects = param(
        "1", prior=Prior(0.5, 0.5), default=Effects(), doc="power of the population, or of the share of persons nearby"
    )
    regions: Effects = param(
        "log", prior=Prior(0.0, 0.8), default=Effects(), doc="log of a region's level over the common one"
    )
    closed: bool = True

    def log_first(self, places: Places, days: int) -> First:
        """Log p (P, T) and log of no first event (P,), see `First`."""
        return self.bind(places, days)(vector(self))[0]

    def bind(
        self, places: Places, days: int
    ) -> Callable[[np.ndarray], tuple[First, Callable[[np.ndarray, np.ndarray], np.ndarray]]]:
        """Parameter vector -> (log_first, pullback), for these places; pullback takes the slopes in both arrays."""
        columns = own_columns(self.effects, self.regions, places)
        if len(self.change) != days - 1:
            raise UsageError(
                f"FirstEvents has {len(self.change)} changes for a window of {days} days; expected one for each day "
                "after the first. Make the model for this window with GrowingRecord.for_setting."
            )

        def evaluate(values: np.ndarray) -> tuple[First, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
            rate, change, own = values[0], values[1:days], values[days:]
            with np.errstate(divide="ignore"):
                level = np.log(rate) + np.concatenate([[0.0], np.cumsum(change)])
                eta = level + (columns @ own)[:, None]
                mean = np.exp(eta)
                total = np.cumsum(mean, axis=1)
                log_first = np.log(-np.expm1(-mean)) - (total - mean) if self.closed else eta

            def pullback(first: np.ndarray, never: np.ndarray) -> np.ndarray:
                if self.closed:
                    later = np.cumsum(first[:, ::-1], axis=1)[:, ::-1] - first + never[:, None]
                    at_eta = first * mean / np.expm1(np.clip(mean, 1e-300, 700)) - mean * later
                else:
                    at_eta = first - mean * never[:, None]
                onwards = np.cumsum(at_eta.sum(axis=0)[::-1])[::-1]
                return np.concatenate([[onwards[0] / rate], onwards[1:], columns.T @ at_eta.sum(axis=1)])

            return (log_first, -total[:, -1]), pullback

        return evaluate


@dataclass(frozen=True)
class GrowingRecord(Component):
    """First events and the delay of their listing: the vintages of a list are a draw of both."""

    title: ClassVar[str] = "A list that grows: first events by day, and the delay until they are listed"
    paper: ClassVar[str] = ReportingDelay.paper

    process: FirstEvents = field(default_factory=FirstEvents)
    delay: ReportingDelay = field(default_factory=ReportingDelay)

    @classmethod
    def for_setting(cls, setting: Setting, *, closed: bool = True) -> Self:
        """The model with the labels that these places and this window need, at the priors' medians.

        Effects of population and prominence in a closed universe of different places (prominence where
        there are positions), effects of regions where there are two or more.
        """
        places = setting.places
        regions = list(dict.fromkeys(map(region_label, places.region)))
        by_region = Effects(dict.fromkeys(regions, 0.0)) if len(regions) > 1 else Effects()
        columns = []
        if closed and np.ptp(places.population) > 0:
            columns = ["persons"] + (["prominence"] if places.latitude is not None else [])
        change = Effects({day.isoformat(): 0.0 for day in setting.window.dates()[1:]})
        return cls(
            FirstEvents(change=change, effects=Effects(dict.fromkeys(columns, 0.5)), regions=by_region, closed=closed),
            ReportingDelay(effects=Effects(dict.fromkeys(columns, 0.0)), regions=by_region),
        )

    def likelihood(self, setting: Setting, listings: Listings) -> Likelihood:
        """Log density of the listings and its gradient, in the order of `params.names`; cost O(P T + L T).

        In the open form up to a constant: the entries of a region are told apart.
        """
        listings.check(setting)
        places, days = setting.places, setting.window.days
        process, delay = self.process.bind(places, days), self.delay.bind(places, days - 1)
        split = len(names(self.process))
        entries = Entries(listings)
        waiting = listings.waiting(len(places))
        back = days - 1 - np.arange(days)  # the delay by which day d would have to be listed

        def evaluate(values: np.ndarray) -> tuple[float, np.ndarray]:
            (log_first, log_never), pull_first = process(values[:split])
            log_unlisted, pull_delay = delay(values[split:])
            value, first, unlisted = entries.weigh(log_first, log_unlisted)
            never = np.zeros(len(places))
            if self.process.closed:
                log_missed = log_first[waiting] + log_unlisted[waiting][:, back]
                none, missed, log_total = _shares(log_never[waiting], log_missed)
                value += float(log_total.sum())
                never[waiting] = none
                first[waiting] += missed
                unlisted[waiting] += missed[:, back]
            else:
                mean, kept = np.exp(log_first), np.exp(log_unlisted)[:, back]
                value -= float((mean * (1 - kept)).sum())
                first -= mean * (1 - kept)
                unlisted += (mean * kept)[:, back]
            return value, np.concatenate([pull_first(first, never), pull_delay(unlisted)])

        return evaluate

    def log_density(self, setting: Setting, listings: Listings) -> float:
        """Log density of the listings at the model's own parameters."""
        return self.likelihood(setting, listings)(vector(self))[0]

    def unseen(
        self, setting: Setting, listings: Listings, listed_by: int | None = None
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Parameter vector -> (P, T) first events by day that the last vintage does not have.

        Closed: the probability for a place without an entry, given that it has none; 0 for the others.
        Open: the expected number, which does not depend on what is listed. listed_by : only those that
        will be listed by this later day, so that they can be set against a later vintage.
        """
        listings.check(setting)
        places, days = setting.places, setting.window.days
        longest = days - 1 if listed_by is None else listed_by
        if longest < days - 1:
            raise UsageError(f"listed_by is day {listed_by}, before the last vintage on day {days - 1}.")
        process, delay = self.process.bind(places, days), self.delay.bind(places, longest)
        split = len(names(self.process))
        waiting = listings.waiting(len(places))
        back = days - 1 - np.arange(days)

        def evaluate(values: np.ndarray) -> np.ndarray:
            (log_first, log_never), _ = process(values[:split])
            log_unlisted, _ = delay(values[split:])
            missed = log_first + log_unlisted[:, back]
            coming = np.ones_like(missed)
            if listed_by is not None:
                coming = -np.expm1(log_unlisted[:, longest - np.arange(days)] - log_unlisted[:, back])
            if not self.process.closed:
                return np.exp(missed) * coming
            out = np.zeros_like(missed)
            out[waiting] = _shares(log_never[waiting], missed[waiting])[1] * coming[waiting]
            return out

        return evaluate

    def days(self, setting: Setting, listings: Listings) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
        """(parameter vector, rng) -> (L,) a day for each entry: the stated one, else one drawn given the listing."""
        listings.check(setting)
        places, days = setting.places, setting.window.days
        process, delay = self.process.bind(places, days), self.delay.bind(places, days - 1)
        split = len(names(self.process))
        without = np.flatnonzero(listings.day < 0)
        entries = Entries(listings.subset(without))

        def draw(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            out = listings.day.copy()
            if len(without):
                (log_first, _), _ = process(values[:split])
                share = entries.days(log_first, delay(values[split:])[0])[0]
                # laid end to end, the days of entry g fill the stretch from g to g + 1
                drawn = np.searchsorted(np.cumsum(share), entries.which + rng.random(len(without)), side="right")
                last = entries.first + np.bincount(entries.entry) - 1
                out[without] = entries.day[np.clip(drawn, entries.first[entries.which], last[entries.which])]
            return out

        return draw

    def simulate(
        self, setting: Setting, vintages: np.ndarray, *, rng: np.random.Generator, stated: float = 1.0
    ) -> tuple[np.ndarray, Listings]:
        """First events by day that the last vintage does not have, (P, T), and the listings.

        vintages : days on which the list is seen, the last one the window's last. stated : chance that an
        entry states its day.
        """
        places, days = setting.places, setting.window.days
        log_first, _ = self.process.log_first(places, days)
        if self.process.closed:
            reached = np.cumsum(np.exp(log_first), axis=1)
            day = (rng.random((len(places), 1)) >= reached).sum(axis=1)
            unit = np.flatnonzero(day < days)
            day = day[unit]
        else:
            counts = rng.poisson(np.exp(log_first))
            unit, day = (np.repeat(i.ravel(), counts.ravel()) for i in np.indices(counts.shape))
        waits = np.exp(self.delay.log_unlisted(places, days - 1))
        listed_on = day + (rng.random((len(unit), 1)) < waits[unit]).sum(axis=1)
        seen = np.searchsorted(vintages, listed_on)
        kept = seen < len(vintages)
        told = rng.random(len(unit)) < stated
        missed = np.zeros((len(places), days), dtype=np.int64)
        np.add.at(missed, (unit[~kept], day[~kept]), 1)
        return missed, Listings(vintages, unit[kept], seen[kept], np.where(told, day, -1)[kept])


def _shares(log_never: np.ndarray, log_missed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of no event (P,) and of a missed one by day (P, T), given either; and the log of their sum."""
    most = np.maximum(log_never, log_missed.max(axis=1, initial=-np.inf))
    none, missed = np.exp(log_never - most), np.exp(log_missed - most[:, None])
    total = none + missed.sum(axis=1)
    return none / total, missed / total[:, None], most + np.log(total)


class Entries:
    """The entries of a list as pairs (entry, day that it may have), sorted by entry; equal entries are one, weighted.

    which : (L,) the merged entry of each listing. first : the first pair of each merged entry. entry, unit, day, by,
    not_by : of each pair, the last two the delays between which it was listed.
    """

    def __init__(self, listings: Listings) -> None:
        told = np.stack([listings.unit, listings.first_seen, listings.day])
        (unit, seen, day), which, self.count = np.unique(told, axis=1, return_inverse=True, return_counts=True)
        self.which = which.ravel()
        seen_on = listings.vintages[seen]
        before = np.where(seen > 0, listings.vintages[np.maximum(seen - 1, 0)], -1)
        choices = np.where(day >= 0, 1, seen_on + 1)
        self.first = np.cumsum(choices) - choices
        self.entry = np.repeat(np.arange(len(unit)), choices)
        within = np.arange(len(self.entry)) - self.first[self.entry]
        self.day = np.where(day[self.entry] >= 0, day[self.entry], within)
        self.unit = unit[self.entry]
        self.by = seen_on[self.entry] - self.day
        self.not_by = before[self.entry] - self.day  # below 0: the earlier vintage came before the event

    def weigh(self, log_first: np.ndarray, log_unlisted: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log density of all entries, and its slopes in log_first (P, T) and log_unlisted (P, T)."""
        first, unlisted = np.zeros_like(log_first), np.zeros_like(log_unlisted)
        if not len(self.entry):
            return 0.0, first, unlisted
        share, log_total, ratio = self.days(log_first, log_unlisted)
        share = share * self.count[self.entry]
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = share / (1 - ratio)
        earlier = self.not_by >= 0
        np.add.at(first, (self.unit, self.day), share)
        np.add.at(unlisted, (self.unit[earlier], self.not_by[earlier]), gain[earlier])
        np.add.at(unlisted, (self.unit, self.by), -gain * ratio)
        return float(self.count @ log_total), first, unlisted

    def days(self, log_first: np.ndarray, log_unlisted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probability of each pair's day given its entry, log density of each entry, share still unlisted of each pair.

        The last is (1 - F(by)) / (1 - F(not_by)), 1 where F(not_by) = 1 has made the pair impossible.
        """
        start = np.where(self.not_by >= 0, log_unlisted[self.unit, np.maximum(self.not_by, 0)], 0.0)
        end = log_unlisted[self.unit, self.by]
        ratio = np.exp(np.subtract(end, start, where=np.isfinite(start), out=np.zeros_like(start)))
        with np.errstate(divide="ignore", invalid="ignore"):  # an impossible entry has log density minus infinity
            terms = log_first[self.unit, self.day] + start + np.log1p(-ratio)
            most = np.nan_to_num(np.maximum.reduceat(terms, self.first), neginf=0.0)
            share = np.exp(terms - most[self.entry])
            total = np.add.reduceat(share, self.first)
            return share / total[self.entry], most + np.log(total), ratio
