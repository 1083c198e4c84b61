"""Triggering kernels in space: how far (reach, km or neighbourhood order) an event sets off another; `delays` in time.

A kernel is a small bundle of pieces that belong together: its logarithm, its value, and the
derivative of both in each of its own parameters, in field order. A model multiplies, sums and
normalises; it never asks which kernel it holds. A new kernel states `log_value` and
`log_gradient` and inherits the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from groundswell.data.setting import Setting
from groundswell.errors import DataError, MissingVerb, ParameterError
from groundswell.params import Component, Effects, Prior, param

SHORTEST_KM = 1e-6
"""A scale below a millimetre is taken as one millimetre: the kernel is local already, and stays finite."""


class Reach(Component, ABC):
    """How triggering falls with distance; 1 at distance 0, not normalised (see `reach_weights`)."""

    own_exponent: ClassVar[str | None] = None
    """The parameter that is the exponent of the receivers' population, where the reach has its own."""
    whole_steps: ClassVar[bool] = False
    """Whether places are whole steps apart, so that a table of f by step is exact."""

    def apart(self, setting: Setting) -> np.ndarray:
        """(P, P) how far apart the setting's places are, as `log_value` reads it: km.

        DataError for two or more places without positions.
        """
        places = setting.places
        if len(places) > 1 and places.latitude is None:
            raise DataError(
                f"{type(self).__name__} weighs {len(places)} places by their distance, and these have no positions. "
                "Give latitude and longitude, use NeighbourhoodOrder with a Setting.network, or do without a reach."
            )
        return np.zeros((1, 1)) if places.latitude is None else places.distance_km

    @property
    def breaks(self) -> np.ndarray:
        """(B,) distances, km, at which f jumps; none for a smooth f."""
        return np.empty(0)

    def exponent(self, shared: float) -> float:
        """Exponent of the receivers' population: the model's `shared` one unless the reach has its own."""
        return shared if self.own_exponent is None else getattr(self, self.own_exponent)

    @abstractmethod
    def log_value(self, distance_km: np.ndarray) -> np.ndarray:
        """log f(d), same shape as `distance_km`."""

    @abstractmethod
    def log_gradient(self, distance_km: np.ndarray) -> np.ndarray:
        """d log f(d) / d parameter, (k, ...) for the k parameters in field order."""

    def value(self, distance_km: np.ndarray) -> np.ndarray:
        """f(d), same shape as `distance_km`."""
        return np.exp(self.log_value(distance_km))

    def gradient(self, distance_km: np.ndarray) -> np.ndarray:
        """d f(d) / d parameter, (k, ...) for the k parameters in field order."""
        return self.value(distance_km) * self.log_gradient(distance_km)

    def disc(self, radius_km: np.ndarray) -> np.ndarray:
        """F(r), the integral of u f(u) over (0, r]: 2 pi F is that of f over a disc in the plane, km^2.

        MissingVerb for a reach that is no function of km over the plane.
        """
        raise MissingVerb(
            f"{type(self).__name__} has no integral over the plane; use Exponential, Gaussian, PowerLaw or Steps."
        )

    def disc_gradient(self, radius_km: np.ndarray) -> np.ndarray:
        """d F(r) / d parameter, (k, ...)."""
        raise MissingVerb(f"{type(self).__name__} has no integral over the plane.")


@dataclass(frozen=True)
class PowerLaw(Reach):
    """f(d) = (1 + d / scale_km)^-decay: many short steps and a few very long ones.

    Over a bounded map the two parameters trade off (a larger scale with a faster decay looks
    alike), so their joint uncertainty is a ridge; hold one with `fixed` where data are few.
    """

    scale_km: float = param(
        "km", low=0, prior=Prior(60, 0.6), doc="distance over which the power law is still nearly flat"
    )
    decay: float = param("1", low=0, prior=Prior(2, 0.5), doc="power with which reach falls at long distances")

    def log_value(self, distance_km: np.ndarray) -> np.ndarray:
        """-decay log(1 + d / scale)."""
        return -self.decay * np.log1p(np.asarray(distance_km) / max(self.scale_km, SHORTEST_KM))

    def log_gradient(self, distance_km: np.ndarray) -> np.ndarray:
        """In scale_km, decay."""
        distance, scale = np.asarray(distance_km), max(self.scale_km, SHORTEST_KM)
        return np.stack([self.decay * distance / (scale * (scale + distance)), -np.log1p(distance / scale)])

    def disc(self, radius_km: np.ndarray) -> np.ndarray:
        """scale^2 (P(2 - decay) - P(1 - decay)) with P(a) = ((1 + r / scale)^a - 1) / a, a logarithm at a = 0."""
        scale, logs = self._logs(radius_km)
        return scale**2 * (_power(2 - self.decay, logs)[0] - _power(1 - self.decay, logs)[0])

    def disc_gradient(self, radius_km: np.ndarray) -> np.ndarray:
        """In scale_km, decay."""
        scale, logs = self._logs(radius_km)
        (two, two_slope), (one, one_slope) = _power(2 - self.decay, logs), _power(1 - self.decay, logs)
        fallen = np.asarray(radius_km) ** 2 * np.exp(-self.decay * logs)
        return np.stack([2 * scale * (two - one) - fallen / scale, scale**2 * (one_slope - two_slope)])

    def _logs(self, radius_km: np.ndarray) -> tuple[float, np.ndarray]:
        scale = max(self.scale_km, SHORTEST_KM)
        return scale, np.log1p(np.asarray(radius_km) / scale)


def _power(a: float, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(exp(a L) - 1) / a and its derivative in a, by their series where a L is small."""
    small = np.abs(a) * logs.max(initial=0.0) < 1e-3
    if small:
        z = a * logs
        value = logs * (1 + z / 2 * (1 + z / 3 * (1 + z / 4)))
        return value, logs**2 * (0.5 + z * (1 / 3 + z * (1 / 8 + z / 30)))
    raised = np.expm1(a * logs)
    return raised / a, (logs * (raised + 1) - raised / a) / a


@dataclass(frozen=True)
class NearAndEverywhere(Reach):
    """f(d) = everywhere + (1 - everywhere) exp(-d / scale_km): what is near, and a part that distance does not dim.

    The constant part is what news carries to every place alike. Its weight adds up over all places, so that with
    hundreds of them a small `everywhere` outdoes the near part.
    """

    everywhere: float = param("1", low=0, high=1, prior=Prior(0.05, 1.0), doc="reach at any distance, over that at 0")
    scale_km: float = param("km", low=0, prior=Prior(60, 0.6), doc="distance over which the near part falls by e")

    def log_value(self, distance_km: np.ndarray) -> np.ndarray:
        """log f; minus infinity where the near part underflows and everywhere is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.everywhere + (1 - self.everywhere) * self._near(distance_km))

    def log_gradient(self, distance_km: np.ndarray) -> np.ndarray:
        """In everywhere, scale_km."""
        distance, scale, near = np.asarray(distance_km), max(self.scale_km, SHORTEST_KM), self._near(distance_km)
        slopes = np.stack([1 - near, (1 - self.everywhere) * near * distance / scale / scale])
        return slopes / np.maximum(self.everywhere + (1 - self.everywhere) * near, 1e-300)

    def _near(self, distance_km: np.ndarray) -> np.ndarray:
        return np.exp(-np.asarray(distance_km) / max(self.scale_km, SHORTEST_KM))


@dataclass(frozen=True)
class Exponential(Reach):
    """f(d) = exp(-d / scale_km): reach with a typical distance and no long jumps."""

    scale_km: float = param("km", low=0, prior=Prior(60, 0.6), doc="distance over which reach falls by the factor e")

    def log_value(self, distance_km: np.ndarray) -> np.ndarray:
        """-d / scale."""
        return -np.asarray(distance_km) / max(self.scale_km, SHORTEST_KM)

    def log_gradient(self, distance_km: np.ndarray) -> np.ndarray:
        """In scale_km."""
        scale = max(self.scale_km, SHORTEST_KM)
        return (np.asarray(distance_km) / scale / scale)[None]  # a search may try a scale whose square overflows

    def disc(self, radius_km: np.ndarray) -> np.ndarray:
        """scale^2 (1 - (1 + r / scale) exp(-r / scale))."""
        scale = max(self.scale_km, SHORTEST_KM)
        apart = np.asarray(radius_km) / scale
        return scale**2 * (-np.expm1(-apart) - apart * np.exp(-apart))

    def disc_gradient(self, radius_km: np.ndarray) -> np.ndarray:
        """In scale_km."""
        scale = max(self.scale_km, SHORTEST_KM)
        return ((2 * self.disc(radius_km) - np.asarray(radius_km) ** 2 * self.value(radius_km)) / scale)[None]


@dataclass(frozen=True)
class Gaussian(Reach):
    """f(d) = exp(-d^2 / (2 scale_km^2)): no long jumps at all."""

    scale_km: float = param("km", low=0, prior=Prior(40, 0.6), doc="standard deviation along each axis of the map")

    def log_value(self, distance_km: np.ndarray) -> np.ndarray:
        """-(d / scale)^2 / 2."""
        return -0.5 * (np.asarray(distance_km) / max(self.scale_km, SHORTEST_KM)) ** 2

    def log_gradient(self, distance_km: np.ndarray) -> np.ndarray:
        """In scale_km."""
        scale = max(self.scale_km, SHORTEST_KM)
        return ((np.asarray(distance_km) / scale) ** 2 / scale)[None]

    def disc(self, radius_km: np.ndarray) -> np.ndarray:
        """scale^2 (1 - f(r))."""
        return max(self.scale_km, SHORTEST_KM) ** 2 * -np.expm1(self.log_value(radius_km))

    def disc_gradient(self, radius_km: np.ndarray) -> np.ndarray:
        """In scale_km."""
        scale = max(self.scale_km, SHORTEST_KM)
        return ((2 * self.disc(radius_km) - np.asarray(radius_km) ** 2 * self.value(radius_km)) / scale)[None]


@dataclass(frozen=True)
class Steps(Reach):
    """f(d) by distance bands: 1 up to the first knot, then a level for each band, 0 beyond the last knot.

    log_level : keyed by the knot, in km, at which a band ends; the first band's level is the unit and has no entry.
    No shape is assumed, so it shows what shape the data have; each band needs pairs of its own to be known.
    """

    first_km: float = 10.0
    log_level: Effects = param(
        "1", prior=Prior(0.0, 1.5), default=Effects({"100": -2.0}), doc="log of a band's reach over that of the first"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first_km <= 0 or (np.diff(self.knots) <= 0).any():
            raise ParameterError(f"Steps has the knots {self.knots.tolist()} km; they must rise from above 0.")

    @property
    def knots(self) -> np.ndarray:
        """(B,) where the bands end, km."""
        return np.array([self.first_km, *(float(knot) for knot in self.log_level)])

    @property
    def breaks(self) -> np.ndarray:
        """The knots."""
        return self.knots

    def log_value(self, distance_km: np.ndarray) -> np.ndarray:
        """The band's log level; minus infinity beyond the last."""
        levels = np.array([0.0, *self.log_level.values(), -np.inf])
        return levels[np.searchsorted(self.knots, distance_km)]

    def log_gradient(self, distance_km: np.ndarray) -> np.ndarray:
        """1 in the band's own level."""
        band = np.searchsorted(self.knots, distance_km)
        return (band == np.arange(1, len(self.knots)).reshape(-1, *([1] * np.ndim(distance_km)))).astype(float)

    def disc(self, radius_km: np.ndarray) -> np.ndarray:
        """Sum over bands of level times half the difference of squared radii."""
        levels = np.exp([0.0, *self.log_level.values()])
        return np.tensordot(levels, self._bands(radius_km), 1)

    def disc_gradient(self, radius_km: np.ndarray) -> np.ndarray:
        """In the levels after the first."""
        bands = self._bands(radius_km)[1:]
        return np.exp([*self.log_level.values()]).reshape(-1, *([1] * np.ndim(radius_km))) * bands

    def _bands(self, radius_km: np.ndarray) -> np.ndarray:
        """(B, ...) half of r^2 gained within each band."""
        edges = np.concatenate([[0.0], self.knots]).reshape(-1, *([1] * np.ndim(radius_km)))
        return np.diff(np.minimum(radius_km, edges) ** 2, axis=0) / 2


@dataclass(frozen=True)
class Gravity(Reach):
    """The gravity model of movement: N_p^population d^-decay, N_p the receiver's population.

    The sender's total is given and shared out over the receivers, so this is the production-constrained member of the
    family of Wilson (1971), A family of spatial interaction models, and associated developments, Environment and
    Planning A 3, 1-32, with a power of distance; Xia, Bjornstad and Grenfell (2004), Am. Nat. 164, 267-281, couple
    towns by it for measles. `population` replaces the exponent that a model's other shares of population have in
    common; it enters by the receivers' weight, so f has no slope in it. Under 1 km f is 1: a pure power has no limit
    at 0.
    """

    own_exponent: ClassVar[str | None] = "population"

    population: float = param("1", prior=Prior(0.7, 0.3), doc="exponent of the receiving place's population")
    decay: float = param("1", low=0, prior=Prior(2, 0.5), doc="power with which reach falls with distance")

    def log_value(self, distance_km: np.ndarray) -> np.ndarray:
        """-decay log(d), d at least 1 km; of distance alone."""
        return -self.decay * np.log(np.maximum(distance_km, 1.0))

    def log_gradient(self, distance_km: np.ndarray) -> np.ndarray:
        """In population (0 everywhere), decay."""
        logs = np.log(np.maximum(distance_km, 1.0))
        return np.stack([np.zeros_like(logs), -logs])


@dataclass(frozen=True)
class NeighbourhoodOrder(Reach):
    """f(o) = o^-decay over neighbourhood orders o, the shortest paths of Setting.network; 0 where no path leads.

    Meyer and Held (2014), Power-law models for infectious disease spread, Ann. Appl. Stat. 8(3), 1612-1639. As decay
    grows only adjacent places are left. A place without a neighbour sends nothing.
    """

    whole_steps: ClassVar[bool] = True

    decay: float = param("1", low=0, prior=Prior(2, 0.5), doc="power with which reach falls with neighbourhood order")

    def apart(self, setting: Setting) -> np.ndarray:
        """(P, P) neighbourhood orders, inf where no path leads; DataError without a network."""
        if setting.network is None:
            raise DataError(
                "NeighbourhoodOrder needs Setting.network, which says who is adjacent. Give Network(adjacency), or "
                "weigh by distance with PowerLaw, Exponential or Gravity."
            )
        return setting.network.order

    def log_value(self, order: np.ndarray) -> np.ndarray:
        """-decay log(o), o at least 1."""
        joined, logs = self._logs(order)
        return np.where(joined, -self.decay * logs, -np.inf)

    def log_gradient(self, order: np.ndarray) -> np.ndarray:
        """In decay; 0 where no path leads, for nothing does whatever the decay."""
        return -self._logs(order)[1][None]

    @staticmethod
    def _logs(order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        joined = np.isfinite(order)
        return joined, np.log(np.where(joined, np.maximum(order, 1.0), 1.0))


def reach_weights(
    reach: Reach, distance_km: np.ndarray, receivers_weight: np.ndarray, *, own_place: bool = False
) -> np.ndarray:
    """W (P, P), row q the sender, column p the receiver: w_qp proportional to receivers_weight_p f(d_qp).

    Rows sum to 1, so what an event triggers is shared out among the receivers and a remote sender
    triggers as much as a central one. Without `own_place`, w_qq = 0 and a sender that has no
    receiver keeps a zero row. Normalised in logs: a reach far below the nearest distance still
    sends everything to the nearest receiver instead of 0/0.

    distance_km : (P, P). receivers_weight : (P,), 0 or more (population to some power, or ones).
    """
    distance, weight = np.asarray(distance_km, dtype=float), np.asarray(receivers_weight, dtype=float)
    if weight.ndim != 1 or distance.shape != (len(weight), len(weight)):
        raise DataError(
            f"reach_weights was given distances {distance.shape} and receivers' weights {weight.shape}; "
            "expected (P, P) and (P,)."
        )
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise DataError("reach_weights needs finite receivers' weights of 0 or more; a place can only receive.")
    with np.errstate(divide="ignore"):
        logs = reach.log_value(distance) + np.log(weight)
    if not own_place:
        np.fill_diagonal(logs, -np.inf)
    highest = logs.max(axis=1, keepdims=True)
    raw = np.exp(logs - np.where(np.isfinite(highest), highest, 0))
    total = raw.sum(axis=1, keepdims=True)
    return raw / np.where(total > 0, total, 1)


def weights_gradient(weights: np.ndarray, log_gradient: np.ndarray) -> np.ndarray:
    """Derivative of the normalised weights from that of the logarithm of their unnormalised terms.

    With w_qp = k_qp / sum_p k_qp: dw_qp = w_qp (dlog k_qp - sum_p w_qp dlog k_qp). For a reach
    parameter pass `reach.log_gradient(distance_km)`; for the exponent of receivers' weights
    N^scale pass log N, shaped (1, P). A kernel's every parameter is one call: (k, P, P) in and out.
    """
    mean = (weights * log_gradient).sum(axis=-1, keepdims=True)
    return weights * (log_gradient - mean)
