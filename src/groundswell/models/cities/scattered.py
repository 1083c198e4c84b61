"""Counts scattered around means that earlier counts do not move: what models of a deterministic wave share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.params import Component, Effects, Prior, param


@dataclass(frozen=True)
class Background(Component):
    """Events that belong to no wave, in proportion to the population; they set nothing off."""

    rate: float = param(
        "events/day/100,000 persons", low=0, prior=Prior(0.01, 1.0), doc="events that are no part of the wave"
    )


@dataclass(frozen=True)
class Overdispersion(Component):
    """var Y = mu (1 + psi mu); 0 is Poisson. The negative binomial's size is 1 / psi."""

    psi: float = param("1", low=0, prior=Prior(0.5, 0.7), doc="variance beyond Poisson, relative to the squared mean")

    def of(self, places: Sequence[str]) -> np.ndarray:
        """(P,) psi of each place."""
        return np.full(len(places), float(self.psi))

    def over(self, places: Sequence[str]) -> Overdispersion:
        """Itself: it needs no places."""
        return self


@dataclass(frozen=True)
class OverdispersionByPlace(Component):
    """A psi for every place; empty until a setting's places are known (the model's `prepared`).

    A place with few events hardly tells its own: its estimate runs to 0 or far up, and the fit says so.
    """

    by_place: Effects = param(
        "1", low=0, prior=Prior(0.5, 0.7), default=Effects(), doc="variance beyond Poisson at a place"
    )

    def of(self, places: Sequence[str]) -> np.ndarray:
        """(P,) psi of each place; DataError for a place without one."""
        if missing := [name for name in places if name not in self.by_place]:
            raise DataError(
                f'the overdispersion knows {len(self.by_place)} places and not "{missing[0]}". '
                "Call model.prepared(setting) first, which gives every place of the setting one."
            )
        return np.array([self.by_place[name] for name in places])

    def over(self, places: Sequence[str]) -> OverdispersionByPlace:
        """The same with a psi for each of the places: the known ones kept, new ones at the prior's median."""
        return OverdispersionByPlace(Effects({name: self.by_place.get(name, 0.5) for name in places}))


@dataclass(frozen=True, eq=False)
class Counted:
    """Counts (T, P) with what their negative binomial density needs of them alone."""

    counts: np.ndarray
    exceeding: np.ndarray
    log_factorials: float

    @classmethod
    def of(cls, counts: np.ndarray) -> Counted:
        """Prepared once for every mean."""
        from scipy.special import gammaln

        frequency = np.bincount(counts.ravel().astype(np.int64), minlength=1)
        exceeding = counts.size - np.cumsum(frequency)[:-1]
        return cls(np.ascontiguousarray(counts), exceeding.astype(float), float(gammaln(counts + 1).sum()))

    def weigh(self, mean: np.ndarray, psi: float) -> tuple[float, np.ndarray, float]:
        """Log density, its slope in each mean (T, P) and its slope in psi.

        Minus infinity for a count where the mean is 0, and for a mean that is not finite: a search tries far points.
        """
        from groundswell.models.cities._scattered_loops import counted

        if not np.isfinite(mean).all():
            return -np.inf, np.zeros_like(mean), 0.0
        value, slope, psi_slope = counted(self.counts, np.ascontiguousarray(mean), psi, self.exceeding)
        return value - self.log_factorials, slope, psi_slope


def psi_of(overdispersion: Overdispersion | None) -> float:
    """0 without overdispersion."""
    return 0.0 if overdispersion is None else overdispersion.psi


def counts_of(setting: Setting, history: History) -> np.ndarray:
    """(P, T) whole events of a history that covers the setting's places and window; DataError if it does not.

    DataError too for a draw that was ended because it exploded: the zeros behind its end are no counts.
    """
    same_frame(setting, history)
    if history.window.periods != setting.window.periods:
        raise DataError(
            f"the history has {history.window.periods} steps, the setting {setting.window.periods}; expected the same. "
            "`during(periods)` cuts either."
        )
    if history.exploded:
        raise DataError(
            "this history passed its model's cap on events in a step and was ended there; the zeros that follow are "
            "not the model's, and a fit would take them for calm. Draw again with a model that grows less, or cut the "
            "history before its end with `during(periods)`."
        )
    return history.counts("events")


def weighed_in(history: History, first: int = 0) -> np.ndarray:
    """(T - first, P) of 0 and 1: which counts from step `first` on have a term in the density.

    A count of 0 with mean 0 has log density 0 and no slope: times these, what is not weighed drops out.
    """
    shape = len(history.places), history.window.periods
    kept = np.ones(shape) if history.weighed is None else history.weighed.astype(float)
    return np.ascontiguousarray(kept[:, first:].T)


def past_of(setting: Setting, given: History, series: str = "events") -> np.ndarray:
    """(P, first) whole counts of a history that covers the first steps of the setting's window; else DataError."""
    same_frame(setting, given)
    if given.window.periods > setting.window.periods:
        raise DataError(
            f"`given` has {given.window.periods} steps and the setting {setting.window.periods}; expected the past "
            "to be no longer than the setting's window. Cut it with `during(periods)`."
        )
    return given.counts(series)


def drawn(mean: np.ndarray, psi: float, rng: np.random.Generator) -> np.ndarray:
    """Counts around the means, Poisson or negative binomial, as floats."""
    if psi > 0:
        mean = rng.gamma(1 / psi, psi * mean)
    return rng.poisson(mean).astype(float)


def same_frame(setting: Setting, history: History) -> None:
    """DataError unless the history is of the setting's places, in their order, from its start in its steps.

    Arrays of equal shape say nothing of that: a past of other places would be taken by position.
    """
    theirs, ours = history.window, setting.window
    given, expected = history.places.name, setting.places.name
    if len(given) == len(expected) and given != expected:
        first = next(i for i, (a, b) in enumerate(zip(given, expected, strict=True)) if a != b)
        raise DataError(
            f'place {first + 1} of the history is "{given[first]}" and of the setting "{expected[first]}"; '
            "expected the same places in the same order, since counts are taken by position."
        )
    if given != expected or (theirs.start, theirs.step) != (ours.start, ours.step):
        raise DataError(
            f"the history has {len(history.places)} places in steps of {theirs.step} days from {theirs.start}, the "
            f"setting has {len(setting.places)} in steps of {ours.step} days from {ours.start}; expected the same "
            "places, in the same order, and the same start and step."
        )
