"""Who passes activity on to whom: weights w_ji from sender j to receiver i, a component of city models.

All of them are log-linear, w_ji = base_ji exp(sum theta x_ji), so that one loop serves value and
gradient of every kind. Normalised weights sum to one over the receivers of each sender; a place
without a neighbour keeps a zero row then: what happens there reaches nobody.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from groundswell.data.setting import Setting
from groundswell.errors import DataError, ParameterError, UsageError
from groundswell.params import Component, Effects, Prior, leaves, param


class Terms(NamedTuple):
    """base (P, P), sender by row; x (K, P, P), one for each parameter of the weights in order."""

    base: np.ndarray
    x: np.ndarray


class Weights(Component, ABC):
    """Base of the weights; a new kind states its `terms`."""

    normalised: bool

    @abstractmethod
    def terms(self, setting: Setting) -> Terms:
        """What the setting fixes."""

    def matrix(self, setting: Setting) -> np.ndarray:
        """(P, P) weights at this component's own parameters, sender by row."""
        theta = np.array([leaf.value for leaf in leaves(self)])
        return weighed(self.terms(setting), theta, self.normalised, 0)[0]


def weighed(terms: Terms, theta: np.ndarray, normalised: bool, derivatives: int) -> np.ndarray:
    """(M, P, P): the weights at theta, then their K slopes and the K (K + 1) / 2 second derivatives, row by row.

    derivatives : 0, 1 or 2, how far to go. Cost O(M P^2).
    """
    base, x = terms
    count = len(theta)
    out = np.empty((1 + count * (derivatives > 0) + count * (count + 1) // 2 * (derivatives > 1), *base.shape))
    raw = out[0]
    np.copyto(raw, base)
    if count:
        raw *= np.exp(np.tensordot(theta, x, axes=1))
    if normalised:
        total = raw.sum(axis=1, keepdims=True)
        np.divide(raw, total, out=raw, where=total > 0)
        if derivatives > 0:
            x = x - np.einsum("ji,kji->kj", raw, x)[:, :, None]
    if derivatives > 0:
        np.multiply(raw, x, out=out[1 : 1 + count])
    if derivatives > 1:
        row = 1 + count
        for k in range(count):
            for m in range(k + 1):
                bent = np.multiply(out[1 + k], x[m], out=out[row])
                if normalised:
                    bent -= raw * bent.sum(axis=1, keepdims=True)
                row += 1
    return out


@dataclass(frozen=True)
class FirstOrder(Weights):
    """1 for adjacent places, 0 otherwise; raw by default: a place with many neighbours sends and receives more."""

    normalised: bool = False

    def terms(self, setting: Setting) -> Terms:
        """Adjacency; no parameters."""
        return Terms((_orders(self, setting) == 1).astype(float), _none(setting))


@dataclass(frozen=True)
class PowerLaw(Weights):
    """order^-decay, over neighbourhood orders (shortest paths), normalised by default.

    furthest : the last order that is reached; None for the whole map. Places that no path joins
    have weight 0. As decay grows only adjacent places are left.
    """

    decay: float = param(
        "1", low=0, prior=Prior(2.0, 0.5), doc="power with which diffusion falls with neighbourhood order"
    )
    furthest: int | None = None
    normalised: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.furthest is not None and self.furthest < 1:
            raise ParameterError(
                f"PowerLaw.furthest is {self.furthest}; expected 1 or more, the last neighbourhood order that is "
                "reached: below it nothing reaches anybody. Leave it out for the whole map, or leave out the between "
                "part."
            )

    def terms(self, setting: Setting) -> Terms:
        """log order, falling."""
        order = _orders(self, setting)
        reached = (order >= 1) & (order <= (np.inf if self.furthest is None else self.furthest)) & np.isfinite(order)
        return Terms(reached.astype(float), -np.log(np.where(reached, order, 1.0))[None])


@dataclass(frozen=True)
class Orders(Weights):
    """A free weight for each neighbourhood order above the first, relative to the first; 0 beyond the last.

    Orders(Effects({"2": -1.0, "3": -2.0})) starts at exp(-1) for order 2 and exp(-2) for order 3.
    """

    log_weight: Effects = param("log", prior=Prior(-1.0, 1.0), doc="log weight of an order, relative to order 1")
    normalised: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        wanted = [str(order) for order in range(2, 2 + len(self.log_weight))]
        if not wanted or list(self.log_weight) != wanted:
            raise UsageError(
                f"Orders.log_weight has the labels {list(self.log_weight)}; expected the orders from 2 on without a "
                'gap, as in Effects({"2": -1.0, "3": -2.0}). For order 1 alone use FirstOrder.'
            )

    def terms(self, setting: Setting) -> Terms:
        """One indicator an order."""
        order = _orders(self, setting)
        indicators = [(order == int(label)).astype(float) for label in self.log_weight]
        return Terms(((order >= 1) & (order <= 1 + len(indicators))).astype(float), np.stack(indicators))


@dataclass(frozen=True)
class DistancePowerLaw(Weights):
    """(1 + d / scale_km)^-decay over great-circle distances d; needs positions and no network.

    scale_km is held: over a bounded map it trades off with the decay, and they cannot be told apart.
    """

    decay: float = param("1", low=0, prior=Prior(2.0, 0.5), doc="power with which diffusion falls at long distances")
    scale_km: float = 50.0
    normalised: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.scale_km < np.inf:
            raise UsageError(f"DistancePowerLaw.scale_km is {self.scale_km}; expected a distance above 0 km.")

    def terms(self, setting: Setting) -> Terms:
        """log(1 + d / scale), falling."""
        distance = setting.places.distance_km
        return Terms(1.0 - np.eye(len(distance)), -np.log1p(distance / self.scale_km)[None])


@dataclass(frozen=True)
class Gravity(Weights):
    """N_i^population (1 + d / scale_km)^-decay: large places receive more, near ones more than far ones.

    N_i is the receiver's population over the mean place's, d the great-circle distance. The sender's population has
    no say: it is in the sender's counts. After Xia, Bjørnstad, Grenfell (2004), American Naturalist 164, equation 2
    (there not normalised). scale_km is held, as in `DistancePowerLaw`.
    """

    population: float = param("1", prior=Prior(0.7, 0.3), doc="power of the receiver's population")
    decay: float = param("1", low=0, prior=Prior(2.0, 0.5), doc="power with which diffusion falls at long distances")
    scale_km: float = 50.0
    normalised: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.scale_km < np.inf:
            raise UsageError(f"Gravity.scale_km is {self.scale_km}; expected a distance above 0 km.")

    def terms(self, setting: Setting) -> Terms:
        """log population of the receiver; log(1 + d / scale), falling."""
        people = setting.places.population
        if (people <= 0).any():
            raise DataError("Gravity weights take the logarithm of the population; a place has none. Leave it out.")
        size = np.broadcast_to(np.log(people / people.mean()), (len(people), len(people)))
        distance = setting.places.distance_km
        return Terms(1.0 - np.eye(len(people)), np.stack([size, -np.log1p(distance / self.scale_km)]))


@dataclass(frozen=True)
class Everywhere(Weights):
    """The same weight for every other place: nationwide attention, blind to distance; the yardstick for reach."""

    normalised: bool = True

    def terms(self, setting: Setting) -> Terms:
        """1 off the diagonal; no parameters."""
        return Terms(1.0 - np.eye(len(setting.places)), _none(setting))


@dataclass(frozen=True)
class Given(Weights):
    """A matrix of one's own, sender by row: travel, trade, telephone calls. Kept as nested tuples, so comparable.

    The diagonal may differ from 0; then the between part also feeds a place from its own past.
    """

    weight: tuple[tuple[float, ...], ...]
    normalised: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        matrix = np.array(self.weight, dtype=float)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise DataError(f"Given.weight has shape {matrix.shape}; expected (P, P), sender by row.")
        if not np.isfinite(matrix).all() or (matrix < 0).any():
            raise DataError("Given.weight holds a negative or missing weight; expected finite values of 0 or more.")
        object.__setattr__(self, "weight", tuple(map(tuple, matrix.tolist())))

    def terms(self, setting: Setting) -> Terms:
        """The matrix; no parameters."""
        matrix = np.array(self.weight)
        if len(matrix) != len(setting.places):
            raise DataError(f"Given.weight joins {len(matrix)} places; the setting has {len(setting.places)}.")
        return Terms(matrix, _none(setting))


def _orders(weights: Weights, setting: Setting) -> np.ndarray:
    if setting.network is None:
        raise DataError(
            f"{type(weights).__name__} weights need Setting.network, which says who is adjacent; give "
            "Network(adjacency), or weigh by distance with DistancePowerLaw()."
        )
    return setting.network.order


def _none(setting: Setting) -> np.ndarray:
    return np.zeros((0, len(setting.places), len(setting.places)))
