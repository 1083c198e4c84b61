"""Designs: at which parameter values a sweep runs its model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import ClassVar, Literal, Protocol

import numpy as np

from groundswell.data.files import rounded
from groundswell.errors import ParameterError, UsageError
from groundswell.params import Leaf


class Axis(Protocol):
    """How a parameter varies: from a share u in (0, 1), (N,), to values."""

    def at(self, u: np.ndarray) -> np.ndarray:
        """(N,) values at the shares."""
        ...


@dataclass(frozen=True)
class Range:
    """From low to high: equal steps of the value are equally likely, or of its logarithm (scale "log")."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise UsageError(f"range {self.low:g} to {self.high:g}: expected two finite numbers, the lower first.")
        if self.scale == "log" and self.low <= 0:
            raise UsageError(f"range {self.low:g} to {self.high:g} on a log scale: expected a low end above 0.")

    def at(self, u: np.ndarray) -> np.ndarray:
        """(N,) values at the shares."""
        if self.scale == "log":
            return self.low * (self.high / self.low) ** u
        return self.low + (self.high - self.low) * u


@dataclass(frozen=True)
class FromPrior:
    """As the parameter's own prior has it."""

    leaf: Leaf

    def __post_init__(self) -> None:
        if self.leaf.prior is None:
            raise ParameterError(f'{self.leaf.name} has no prior to vary it by; state a range, as in "[0.1, 0.9]".')

    def at(self, u: np.ndarray) -> np.ndarray:
        """(N,) values at the shares."""
        from scipy.special import ndtri

        return np.array([self.leaf.from_free(z) for z in self.leaf.center + self.leaf.sd * ndtri(u)])


class Design(Protocol):
    """Which configurations a sweep has, as a value."""

    kind: ClassVar[str]

    @property
    def names(self) -> tuple[str, ...]:
        """Dotted names of the K parameters that vary."""
        ...

    def configurations(self, rng: np.random.Generator) -> np.ndarray:
        """(N, K) their values."""
        ...


@dataclass(frozen=True)
class _Along:
    axes: Mapping[str, Axis]
    count: int

    def __post_init__(self) -> None:
        if not self.axes or self.count < 2:
            raise UsageError(
                f"a design of {self.count} points over {len(self.axes)} ranges: expected 2 points or more."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Dotted names of the K parameters that vary."""
        return tuple(self.axes)

    def _placed(self, shares: np.ndarray) -> np.ndarray:
        """(N, K) values at shares (N, K), none of them at an end."""
        inside = np.clip(shares, 2.0**-53, 1 - 2.0**-53)
        return _told(np.column_stack([axis.at(u) for axis, u in zip(self.axes.values(), inside.T, strict=True)]))


class Sobol(_Along):
    """The design of Saltelli et al. (2010) for first-order and total indices: `count` base points, a power of 2.

    Each base point i makes K + 2 configurations in a row: A_i, B_i, and A_i with one coordinate at a time from B_i.
    A and B are the two halves of one scrambled Sobol sequence in 2 K dimensions.
    """

    kind: ClassVar[str] = "sobol"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count & (self.count - 1):
            raise UsageError(
                f"a sobol design of {self.count} base points: expected a power of 2 (64, 128, 256, ...), at which the "
                "sequence is balanced."
            )

    def configurations(self, rng: np.random.Generator) -> np.ndarray:
        """(count (K + 2), K)."""
        from scipy.stats import qmc

        size = len(self.axes)
        first, second = np.hsplit(qmc.Sobol(2 * size, rng=rng).random(self.count), 2)
        rows = np.repeat(first[:, None, :], size + 2, axis=1)
        rows[:, 1] = second
        for k in range(size):
            rows[:, k + 2, k] = second[:, k]
        return self._placed(rows.reshape(-1, size))


class Latin(_Along):
    """A Latin hypercube of `count` points: each parameter's values are evenly spread (McKay, Beckman, Conover 1979)."""

    kind: ClassVar[str] = "latin"

    def configurations(self, rng: np.random.Generator) -> np.ndarray:
        """(count, K)."""
        from scipy.stats import qmc

        return self._placed(qmc.LatinHypercube(len(self.axes), rng=rng).random(self.count))


@dataclass(frozen=True)
class _Stated:
    values: Mapping[str, Sequence[float]]

    def __post_init__(self) -> None:
        if not self.values or not all(len(row) for row in self.values.values()):
            raise UsageError("a design of stated values has none; give each parameter a list of numbers.")

    @property
    def names(self) -> tuple[str, ...]:
        """Dotted names of the K parameters that vary."""
        return tuple(self.values)


class Grid(_Stated):
    """Every combination of the values; the last parameter changes fastest."""

    kind: ClassVar[str] = "grid"

    def configurations(self, rng: np.random.Generator) -> np.ndarray:
        """(product of the lengths, K); nothing is drawn."""
        return _told(np.array(list(product(*self.values.values())), dtype=float))


class Listed(_Stated):
    """The first values of all parameters, then the second, and so on."""

    kind: ClassVar[str] = "list"

    def __post_init__(self) -> None:
        super().__post_init__()
        lengths = {name: len(row) for name, row in self.values.items()}
        if len(set(lengths.values())) > 1:
            raise UsageError(f"a list of configurations has {lengths} values; expected as many for each parameter.")

    def configurations(self, rng: np.random.Generator) -> np.ndarray:
        """(length, K); nothing is drawn."""
        return _told(np.column_stack([np.asarray(row, dtype=float) for row in self.values.values()]))


def _told(values: np.ndarray) -> np.ndarray:
    """As files tell them, so that a row of a table can be run again to the bit."""
    return np.array(rounded(values.tolist()))
