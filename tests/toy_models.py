"""Models small enough to know everything about: for sweeps and for inference by simulation."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import GroundswellError
from groundswell.models.base import Model
from groundswell.params import Prior, param

SETTING = Setting(Places.single(1000), Window(date(2020, 1, 1), 10))


def made(setting: Setting, values: np.ndarray, name: str = "value", exploded: bool = False) -> History:
    return History(setting.places, setting.window, {name: np.reshape(values, setting.shape)}, exploded=exploded)


@dataclass(frozen=True)
class Bells(Model):
    """Normal values with sd 1 around a mean: the posterior of the mean is normal."""

    mean: float = param("1", prior=Prior(0.0, 1.0), doc="mean")

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        return made(setting, self.mean + rng.standard_normal(setting.shape))


@dataclass(frozen=True)
class Noisy(Bells):
    """The same values, and a second series that knows nothing of the mean."""

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        drawn = {"value": self.mean + rng.standard_normal(setting.shape), "noise": rng.standard_normal(setting.shape)}
        return History(setting.places, setting.window, drawn)


@dataclass(frozen=True)
class Counts(Model):
    """Poisson counts; the rate's prior is log-normal. Above `most` on a day a draw explodes."""

    rate: float = param("events/day", low=0, prior=Prior(5.0, 0.7), doc="events a day")
    idle: float = param("1", low=0, high=1, prior=Prior(0.5, 1.0), doc="changes nothing")
    most: int = 1000

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        drawn = rng.poisson(self.rate, setting.shape)
        return made(setting, drawn, "events", bool((drawn > self.most).any()))


@dataclass(frozen=True)
class Plane(Model):
    """3 a + b at every step, with luck of its own that knows no parameter."""

    a: float = param("1", low=0, high=1, prior=Prior(0.5, 1.0), doc="counts three times")
    b: float = param("1", low=0, high=1, prior=Prior(0.5, 1.0), doc="counts once")
    c: float = param("1", low=0, high=1, prior=Prior(0.5, 1.0), doc="counts not at all")
    luck: float = param("1", low=0, default=0.0, doc="sd of the luck")

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        return made(setting, np.full(setting.shape, 3 * self.a + self.b + self.luck * rng.standard_normal()))


@dataclass(frozen=True)
class Fragile(Model):
    """Fails above a half, unless the file `mended` is there; kills its process once, where `kills` names a file."""

    x: float = param("1", low=0, high=1, default=0.5, doc="fails above a half")
    mended: str = ""
    kills: str = ""

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        if self.kills and self.x > 0.7 and not Path(self.kills).exists():
            Path(self.kills).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mended and self.x > 0.5 and not Path(self.mended).exists():
            raise GroundswellError(f"x is {self.x:g}.")
        return made(setting, self.x + rng.standard_normal(setting.shape))


def during(setting: Setting, periods: int) -> Setting:
    """The same places over more or fewer days."""
    return replace(setting, window=replace(setting.window, periods=periods))
