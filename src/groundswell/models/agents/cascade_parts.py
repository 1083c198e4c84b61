"""Parts of a cascade: the thresholds of persons, and who starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from groundswell.data.graph import Graph
from groundswell.errors import ParameterError
from groundswell.models.agents import _keyed_loops as keyed
from groundswell.models.agents._cascade_loops import CENTRE, SEED
from groundswell.params import Component, param

NEARLY = 1e-9
"""What lies so near to a whole number is that number: .07 of 100 neighbours is 7.000000000000001, and means 7."""


@dataclass(frozen=True)
class Fraction(Component):
    """Watts (2002): a person joins once the active share of their neighbours is `share` or more.

    The smallest number of neighbours that suffices is worked out once for each person, so that no share is compared in
    rounded numbers: a share of 0.2 means 1 of 5. Those without neighbours never join, unless `share` is 0.
    """

    drawn: ClassVar[bool] = False

    share: float = param("1", low=0, high=1, default=0.18, doc="participation threshold: active share of neighbours")

    def needed(self, degree: np.ndarray, luck: np.ndarray) -> np.ndarray:
        """(N,) active neighbours that make each person join."""
        return share_of(np.full(len(degree), self.share), degree)

    def enough(self, active: np.ndarray, degree: np.ndarray) -> np.ndarray:
        """Share of persons of a degree for whom so many active neighbours are enough."""
        degree = np.asarray(degree)
        return (np.asarray(active) >= share_of(np.full(degree.shape, self.share), degree)).astype(float)


@dataclass(frozen=True)
class NormalFraction(Component):
    """Shares as in `Fraction`, drawn once for each person from a normal distribution.

    Those with a share of 0 or less join unconditionally in step 1, those above 1 never.
    """

    drawn: ClassVar[bool] = True

    mean: float = param("1", default=0.18, doc="mean participation threshold, as a share of neighbours")
    sd: float = param("1", low=0, default=0.05, doc="standard deviation of the thresholds")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sd == 0:
            raise ParameterError("NormalFraction.sd is 0; expected more. For one threshold shared by all use Fraction.")

    def needed(self, degree: np.ndarray, luck: np.ndarray) -> np.ndarray:
        """(N,) active neighbours that make each person join; `luck` (N,) uniform numbers."""
        from scipy.special import ndtri

        return share_of(self.mean + self.sd * ndtri(_inside(luck)), degree)

    def enough(self, active: np.ndarray, degree: np.ndarray) -> np.ndarray:
        """Share of persons of a degree for whom so many active neighbours are enough."""
        from scipy.special import ndtr

        return ndtr((_share(active, degree) - self.mean) / self.sd)


@dataclass(frozen=True)
class UniformFraction(Component):
    """Shares as in `Fraction`, drawn once for each person, all from low to high alike."""

    drawn: ClassVar[bool] = True

    low: float = param("1", low=0, high=1, default=0.0, doc="lowest participation threshold, as a share of neighbours")
    high: float = param("1", low=0, high=1, default=0.5, doc="highest participation threshold")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise ParameterError(f"UniformFraction is {self.low:g} to {self.high:g}; expected the lower one first.")

    def needed(self, degree: np.ndarray, luck: np.ndarray) -> np.ndarray:
        """(N,) active neighbours that make each person join; `luck` (N,) uniform numbers."""
        return share_of(self.low + (self.high - self.low) * luck, degree)

    def enough(self, active: np.ndarray, degree: np.ndarray) -> np.ndarray:
        """Share of persons of a degree for whom so many active neighbours are enough."""
        return np.clip((_share(active, degree) - self.low) / (self.high - self.low), 0.0, 1.0)


@dataclass(frozen=True)
class Count(Component):
    """Centola and Macy (2007): a person joins once `neighbours` of theirs are active, however many they have.

    1 is a simple contagion, 2 and more a complex one. Those with fewer neighbours than that never join.
    """

    drawn: ClassVar[bool] = False

    neighbours: float = param(
        "active neighbours",
        low=0,
        default=2.0,
        doc="participation threshold; a fraction counts as the next whole number",
    )

    def needed(self, degree: np.ndarray, luck: np.ndarray) -> np.ndarray:
        """(N,) active neighbours that make each person join."""
        return np.full(len(degree), self._whole, np.int64)

    def enough(self, active: np.ndarray, degree: np.ndarray) -> np.ndarray:
        """1 where so many active neighbours are enough, else 0."""
        return (np.asarray(active) >= self._whole).astype(float)

    @property
    def _whole(self) -> int:
        return int(min(np.ceil(self.neighbours - NEARLY), 2**31))


@dataclass(frozen=True)
class Motivation(Component):
    """Siegel (2009), as recalled: a person joins when motivation plus what they feel of others is above 0.

    felt(t + 1) = memory felt(t) + (1 - memory) (active share of neighbours - 1), from -1; motivation is drawn once from
    a normal distribution. So those above 1 join by themselves, those at 0 or below never, and memory delays the others
    without changing who joins in the end: felt rises to the active share less 1. As a `Fraction` the threshold is
    1 - motivation, to be exceeded and not only met.
    """

    drawn: ClassVar[bool] = True

    mean: float = param("1", default=0.6, doc="mean motivation")
    sd: float = param("1", low=0, default=0.25, doc="standard deviation of motivation")
    memory: float = param("1", low=0, high=1, default=0.0, doc="share of what is felt that is kept from step to step")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sd == 0:
            raise ParameterError(
                "Motivation.sd is 0; expected more, for someone has to differ from the others to begin."
            )

    def motivation(self, luck: np.ndarray) -> np.ndarray:
        """(N,) motivation of each person, from uniform numbers."""
        from scipy.special import ndtri

        return self.mean - self.sd * ndtri(_inside(luck))  # low luck is a low threshold, as elsewhere

    def needed(self, degree: np.ndarray, luck: np.ndarray) -> np.ndarray:
        """(N,) active neighbours that make each person join, sooner or later."""
        missing = 1.0 - self.motivation(luck)
        return np.where(missing < 0, 0, np.floor(np.clip(missing, 0, 2) * degree + NEARLY).astype(np.int64) + 1)

    def enough(self, active: np.ndarray, degree: np.ndarray) -> np.ndarray:
        """Share of persons of a degree for whom so many active neighbours are enough."""
        from scipy.special import ndtr

        return ndtr((self.mean - 1.0 + _share(active, degree)) / self.sd)


Threshold = Fraction | NormalFraction | UniformFraction | Count | Motivation


@dataclass(frozen=True)
class RandomSeeds(Component):
    """Persons drawn at random; a larger share holds the persons of a smaller one."""

    share: float = param("1", low=0, high=1, default=0.01, doc="share of persons who start; above 0, at least one")

    def pick(self, graph: Graph, key: np.uint64) -> np.ndarray:
        """Numbers of the seeds."""
        return _first(keyed.units(key, len(graph), SEED), _number(self.share, graph))


@dataclass(frozen=True)
class ContiguousSeeds(Component):
    """A person drawn at random and those nearest to them in ties; by number where equally near.

    A share of (1 + k) / N on a network where all have k neighbours is a person with all their neighbours.
    """

    share: float = param("1", low=0, high=1, default=0.01, doc="share of persons who start; above 0, at least one")

    def pick(self, graph: Graph, key: np.uint64) -> np.ndarray:
        """Numbers of the seeds; fewer than the share where no more are connected to the one in the middle."""
        centre = int(keyed.unit(key, 0, CENTRE, 0) * len(graph))
        number = _number(self.share, graph)
        return graph.around(centre, number) if number else np.zeros(0, np.uint32)


@dataclass(frozen=True)
class HighestDegreeSeeds(Component):
    """The persons with the most ties; drawn at random among those with equally many."""

    share: float = param("1", low=0, high=1, default=0.01, doc="share of persons who start; above 0, at least one")

    def pick(self, graph: Graph, key: np.uint64) -> np.ndarray:
        """Numbers of the seeds."""
        return _first(keyed.units(key, len(graph), SEED) - graph.degree, _number(self.share, graph))


@dataclass(frozen=True)
class GivenSeeds(Component):
    """These very persons, by number from 0."""

    persons: tuple[int, ...]

    def pick(self, graph: Graph, key: np.uint64) -> np.ndarray:
        """Numbers of the seeds."""
        return np.array(self.persons, dtype=np.int64)


Seeds = RandomSeeds | ContiguousSeeds | HighestDegreeSeeds | GivenSeeds


def share_of(share: np.ndarray, degree: np.ndarray) -> np.ndarray:
    """Fewest active neighbours that are `share` of so many or more; 0 for a share of 0 or less, else at least 1.

    One more than there are for shares above 1, and for those who have none.
    """
    degree = np.asarray(degree)
    fewest = np.ceil(np.clip(share, 0.0, 2.0) * degree - NEARLY).astype(np.int64)
    return np.where(share > 0, np.clip(fewest, 1, degree + 1), 0)


def _share(active: np.ndarray, degree: np.ndarray) -> np.ndarray:
    return np.asarray(active) / np.maximum(degree, 1)


def _inside(luck: np.ndarray) -> np.ndarray:
    """Uniform numbers of [0, 1) without the 0, to which no finite number belongs."""
    return np.maximum(luck, 2.0**-54)


def _number(share: float, graph: Graph) -> int:
    return max(round(share * len(graph)), 1 if share > 0 else 0)


def _first(priority: np.ndarray, number: int) -> np.ndarray:
    """Where the lowest priorities are."""
    if number >= len(priority):
        return np.arange(len(priority))
    return np.argpartition(priority, number)[:number] if number else np.zeros(0, np.int64)
