"""Starter: events that need no cause, and events that follow those of the step before, in each place on its own.

    expected events   background + offspring * events of the step before   (none before the first step)
    events            Poisson

`groundswell models new` copies this file. Change the equations here, then everything below that follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import numpy as np
from scipy.special import gammaln

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.models.base import Likelihood, Model
from groundswell.params import Prior, from_vector, param


@dataclass(frozen=True)
class Starter(Model):
    """Counts by place and step; the parameters are the same in every place."""

    title: ClassVar[str] = "starter: events that need no cause, and events that follow others"
    paper: ClassVar[str] = "your own; name the paper and the equation here if there is one"

    background: float = param(
        "events/step/place", low=0, default=0.6, prior=Prior(0.5, 1), doc="expected events that need no cause"
    )
    offspring: float = param("1", low=0, default=0.5, prior=Prior(0.4, 0.7), doc="expected events set off by one event")

    @classmethod
    def example(cls) -> tuple[Starter, Setting]:
        """A small instance, and a setting whose places differ: the contract is checked on them."""
        people = np.array([900_000.0, 60_000.0, 45_000.0, 150_000.0])
        north, east = np.array([35.0, 35.4, 35.45, 31.0]), np.array([51.0, 51.6, 51.65, 58.0])
        places = Places(("Hub", "Near", "Twin", "Far"), people, north, east)
        return cls(), Setting(places, Window(date(2020, 1, 1), 20))

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Series events, (P, T); with `given` it goes on from those steps."""
        events = np.zeros(setting.shape)
        known = 0 if given is None else given.window.periods
        if given is not None:
            events[:, :known] = given.counts("events")
        for t in range(known, setting.window.periods):
            before = events[:, t - 1] if t > 0 else 0.0
            events[:, t] = rng.poisson(self.background + self.offspring * before, len(setting.places))
        return History(setting.places, setting.window, {"events": events})

    def intensity(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) expected events, given the steps before."""
        return self.background + self.offspring * _before(history)

    def pointwise(self, setting: Setting, history: History) -> np.ndarray:
        """(P, T) log density of each count."""
        expected, counts = self.intensity(setting, history), history.counts("events")
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(counts > 0, counts * np.log(expected), 0.0)
        return logs - expected - gammaln(counts + 1)

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        """The log density and its slopes in (background, offspring), as a function of both."""
        counts, before = history.counts("events"), _before(history)
        weighed = np.ones(setting.shape) if history.weighed is None else history.weighed

        def evaluate(at: np.ndarray) -> tuple[float, np.ndarray]:
            model = from_vector(self, at)
            expected = model.intensity(setting, history)
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = weighed * np.where(
                    counts > 0, counts / expected - 1, -1.0
                )  # of each term, in its expected count
            terms = np.where(weighed, model.pointwise(setting, history), 0)
            return float(terms.sum()), np.array([slope.sum(), (slope * before).sum()])

        return evaluate


def _before(history: History) -> np.ndarray:
    """(P, T) events of the step before."""
    counts = history.counts("events")
    return np.concatenate([np.zeros((len(counts), 1)), counts[:, :-1]], axis=1)
