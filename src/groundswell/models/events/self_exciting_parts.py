"""Parts of the self-exciting model that are its own: shares by population, a background that moves, crowd sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundswell.data.history import Events
from groundswell.data.setting import Setting
from groundswell.errors import DataError, ParameterError
from groundswell.models.log_linear import column_of
from groundswell.params import Component, Effects, Prior, param


@dataclass(frozen=True)
class ByPopulation(Component):
    """Places count by population^scale: in the background's shares and as receivers of triggered events."""

    scale: float = param("1", prior=Prior(0.7, 0.2), doc="power of population; 0 treats places alike, 1 persons alike")

    def shares(self, population: np.ndarray) -> np.ndarray:
        """(P,) summing to 1; taken relative to the largest place, so no power overflows."""
        logs = self.scale * log_population(population)
        weight = np.exp(logs - logs.max())
        return weight / weight.sum()


def log_population(population: np.ndarray) -> np.ndarray:
    """(P,) less that of the largest place: 0 to the bit where all are of one size, so that no search goes astray."""
    return np.log(population / np.max(population))


@dataclass(frozen=True)
class Course(Component):
    """How the background differs between steps and places: it is multiplied by exp(sum of coefficient x column).

    effects : coefficients keyed by column, as in `LogLinear`: "trend" (the step's number), "sin1", "cos1", ... (waves
    of `period` steps), "from DATE" (0 before that date and 1 from it on: two or more make a piecewise constant
    background), "DATE" (1 in that step alone), "at PLACE" (1 there alone: for all places but one they make a background
    of its own for each), a covariate's name, "population_share", or "log(NAME)" of the last two.
    Columns are not centred: `background` is the level where every column is 0.
    """

    effects: Effects = param(
        "log/column", prior=Prior(0.0, 0.5), default=Effects(), doc="change of the log background for a unit"
    )
    period: float | None = None

    def columns(self, setting: Setting) -> list[np.ndarray]:
        """One (P, T) column for each coefficient, in order."""
        return [column_of(label, self.period, setting) for label in self.effects]


@dataclass(frozen=True)
class BySize(Component):
    """Large crowds excite more: an event of s participants raises size^power offspring, over the mean of size^power.

    The mean is over the events of the window whose size is known, so that the average event excites by a factor of 1
    and the branching ratio keeps its meaning. An event of unknown size excites as the average one does. Sizes are
    given, not weighed. drawn_from : sizes that simulated events take at random; None takes those of the given past.
    """

    power: float = param("1", prior=Prior(0.3, 0.3), doc="power of an event's participants in what it triggers")
    drawn_from: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.drawn_from is not None and not (self.drawn_from and min(self.drawn_from) > 0):
            raise ParameterError("BySize.drawn_from holds no size, or one that is not above 0; expected participants.")

    def logs(self, before: Events | None, events: Events) -> tuple[np.ndarray, np.ndarray]:
        """(E,) log sizes of the events before and in the window, NaN where unknown; and those that make the mean."""
        if events.size is None:
            raise DataError(
                "SelfExciting.size lets large crowds excite more, and these events have no sizes. Give Events.size, or "
                "leave the part out: size=None."
            )
        if (np.asarray(events.size) <= 0).any():
            raise DataError("an event's size is 0 or less; expected participants above 0, or NaN where unknown.")
        earlier = np.full(0 if before is None else len(before), np.nan)
        if before is not None and before.size is not None:
            earlier = np.asarray(before.size, dtype=float)
        with np.errstate(invalid="ignore"):
            inside = np.log(np.asarray(events.size, dtype=float))
            earlier = np.log(earlier)
        known = inside[~np.isnan(inside)]
        return np.concatenate([earlier, inside]), known if len(known) else np.zeros(1)

    def factors(self, logs: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(E,) factor of each event, 1 where the size is unknown, and its slope in `power`."""
        top = reference.max()
        weight = np.exp(self.power * (reference - top))
        mean_log = float(weight @ reference / weight.sum())
        factor = np.exp(self.power * (logs - top)) / weight.mean()
        known = ~np.isnan(logs)
        return np.where(known, factor, 1.0), np.where(known, factor * (np.where(known, logs, 0) - mean_log), 0.0)
