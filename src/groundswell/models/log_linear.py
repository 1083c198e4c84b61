"""Log-linear rates: the exponential of an intercept plus coefficients times columns of time, place and covariates."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from groundswell.data.setting import Setting
from groundswell.errors import DataError, ParameterError, UsageError, nearest
from groundswell.models.random_effects import RandomIntercepts
from groundswell.params import Component, Effects, Prior, param


@dataclass(frozen=True)
class LogLinear(Component):
    """offset exp(intercept + sum of coefficient x column): the rate of one part of the mean.

    effects : coefficients keyed by column. A column is "trend" (the step's number, 0 for the window's
    first), "sin1", "cos1", "sin2" ... (harmonics of `period`), "from DATE" (0 before an ISO date, 1 from its step
    on), "DATE" (1 in its step alone), "at PLACE" (1 there, 0 elsewhere), the name of a covariate of the setting,
    "population_share" (each place's share of all persons, unless a covariate has that name), or "log(NAME)" of one of
    the last two.
    offset : a covariate, or "population_share", that multiplies the rate with no coefficient.
    period : steps in one season (52 for weekly data over years, 7 for daily data over weeks).
    random : intercepts by place beside the common one, or None.
    """

    intercept: float = param("log rate", prior=Prior(0.0, 1.0), doc="log rate where every column is 0")
    effects: Effects = param(
        "log/column", prior=Prior(0.0, 0.5), default=Effects(), doc="change of the log rate for a unit of the column"
    )
    offset: str | None = None
    period: float | None = None
    random: RandomIntercepts | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.period is not None and not 0 < self.period < np.inf:
            raise ParameterError(
                f"{type(self).__name__}.period is {self.period:g}; expected a number of steps above 0, those of one "
                "season: 52 for weekly data over years, 7 for daily data over weeks. Without a season leave it out."
            )
        for label in self.effects:
            if label[3:4] == "0" and _NO_HARMONIC.fullmatch(label):
                raise ParameterError(
                    f'{type(self).__name__}.effects names "{label}"; expected harmonics from 1 on, as "sin1": n counts '
                    "the waves in one period, and none has no rise and fall to learn."
                )

    def columns(self, setting: Setting) -> list[np.ndarray]:
        """One (P, T) column for each coefficient, in order."""
        return [column_of(label, self.period, setting) for label in self.effects]

    def factor(self, setting: Setting) -> np.ndarray:
        """(P, T) offset, 1 where there is none."""
        if self.offset is None:
            return np.ones(setting.shape)
        offset = _values(self.offset, setting, "offset")
        if (offset < 0).any():
            raise DataError(f'offset "{self.offset}" is negative somewhere; it multiplies a rate, so give 0 or more.')
        return offset

    def rate(self, setting: Setting) -> np.ndarray:
        """(P, T) offset times the exponential."""
        log_rate = np.full(setting.shape, float(self.intercept))
        for coefficient, column in zip(self.effects.values(), self.columns(setting), strict=True):
            log_rate += coefficient * column
        if self.random is not None:
            log_rate += self.random.of(setting.places.name)[:, None]
        return self.factor(setting) * np.exp(log_rate)


def harmonics(count: int) -> tuple[str, ...]:
    """The columns of a seasonal wave with so many harmonics: sin1, cos1, sin2, cos2 ..."""
    return tuple(f"{wave}{n}" for n in range(1, count + 1) for wave in ("sin", "cos"))


AT = "at "
"""Before a place's name: the column that is 1 there and 0 elsewhere."""

_HARMONIC = re.compile(r"(sin|cos)(\d+)")
_NO_HARMONIC = re.compile(r"(sin|cos)0\d*")
_DATED = re.compile(r"(from )?(\d{4}-\d{2}-\d{2})")
_LOGARITHM = re.compile(r"log\((.+)\)")


def column_of(label: str, period: float | None, setting: Setting) -> np.ndarray:
    """(P, T) column of a label; DataError for one that the setting does not know."""
    step = np.arange(setting.window.periods)
    if dated := _DATED.fullmatch(label):
        return np.broadcast_to(_since(dated, setting), setting.shape)
    if label.startswith(AT) and label not in setting.covariates:
        own = np.arange(len(setting.places)) == setting.places.index(label.removeprefix(AT))
        return np.broadcast_to(own[:, None].astype(float), setting.shape)
    if label == "trend" or _HARMONIC.fullmatch(label):
        if label in setting.covariates:
            raise DataError(f'a covariate is called "{label}", which names a column of time; rename the covariate.')
        if label == "trend":
            return np.broadcast_to(step.astype(float), setting.shape)
    if harmonic := _HARMONIC.fullmatch(label):
        if period is None:
            raise UsageError(
                f'the effect "{label}" needs a period, the steps in one season: LogLinear(..., period=52) for weekly '
                "data over years, period=7 for daily data over weeks."
            )
        wave: Callable[[np.ndarray], np.ndarray] = np.sin if harmonic[1] == "sin" else np.cos
        return np.broadcast_to(wave(2 * np.pi * int(harmonic[2]) * step / period), setting.shape)
    if logarithm := _LOGARITHM.fullmatch(label):
        values = _values(logarithm[1], setting, "effect")
        if (values <= 0).any():
            raise DataError(f'the effect "{label}" takes the logarithm of values that are not above 0.')
        return np.log(values)
    return _values(label, setting, "effect")


def _since(dated: re.Match[str], setting: Setting) -> np.ndarray:
    """(T,) 1 from the step that holds a date on, or in it alone; DataError where that is no step or every step."""
    window = setting.window
    step = window.day(dated[2]) // window.step
    if not (1 if dated[1] else 0) <= step < window.periods:
        raise DataError(
            f'the effect "{dated[0]}" names a date outside the window {window.start} to {window.end}, or its first '
            "step, so that its column is the same everywhere and its coefficient not determined. Drop it, or give a "
            "covariate of your own."
        )
    steps = np.arange(window.periods)
    return (steps >= step if dated[1] else steps == step).astype(float)


def _values(name: str, setting: Setting, role: str) -> np.ndarray:
    """(P, T) covariate, or the share of the population."""
    if name in setting.covariates:
        return setting.covariates[name]
    if name == "population_share":
        share = setting.places.population / setting.places.population.sum()
        return np.broadcast_to(share[:, None], setting.shape)
    known = [*setting.covariates, "population_share", "trend", "sin1", "cos1"]
    raise DataError(
        f'the {role} "{name}" is no covariate of this setting; it has: {", ".join(setting.covariates) or "none"}.'
        + nearest(name, known)
    )
