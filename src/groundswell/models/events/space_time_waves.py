"""What earlier events add to the rate at each event, through Fourier states: for kernels as wide as the map.

On a box that holds all events, f is a sum of cosines of the distance apart; each needs one state of the past, which a
delay that is one exponential (or none) carries from event to event. The cost is O(events x frequencies), however many
events are within reach.

A Gaussian needs few frequencies. A kernel with a peak at distance 0 would need very many: its f is then made smooth
within `near_km`, by the polynomial in r^2 that continues it from there, and what that takes from f is added pair by
pair in cells. Box, frequencies and polynomial are found at each parameter value so that the sum differs from f by
less than `error` (f at 0 is 1), and its slopes likewise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events
from groundswell.models.delays import Delay, ExponentialDelay, UniformDelay
from groundswell.models.events.space_time_cells import Cells, Extent, extent
from groundswell.models.events.space_time_pairs import Raised, columns_of
from groundswell.models.triggering import Reach
from groundswell.params import vector

if TYPE_CHECKING:
    from groundswell.models.events.space_time import Offspring

DECAYS: dict[type, Callable[[Delay], tuple[float, float]]] = {
    UniformDelay: lambda delay: (1.0, 0.0),
    ExponentialDelay: lambda delay: (delay.decay, delay.decay),  # type: ignore[union-attr]
}
"""Delays that states can carry: height and rate of the exponential."""

DEGREE, FITTED = 16, 0.6
"""Of the polynomial that makes f smooth, and from which part of near_km^2 on it is fitted to f."""

EVEN = 4
"""Frequencies along the second axis are a multiple of it, which fills vector registers."""

FINEST = 512
"""The most points of the grid along an axis on which f is sampled for its frequencies."""


class Series(NamedTuple):
    """f and its slopes as cosines on a box: weight (1 + K, A, B) of cos(a step_x dx) cos(b step_y dy).

    smooth (1 + K, D) : the polynomials in (r / near_km)^2 that stand for f and its slopes within near_km.
    """

    weight: np.ndarray
    step: tuple[float, float]
    near_km: float
    smooth: np.ndarray


class Waves:
    """Events as they come, for kernels that fall smoothly or not at all within the map."""

    def __init__(self, part: Offspring, events: Events, error: float) -> None:
        self._part, self._error = part, error
        self._columns = columns_of(part, events)
        self._near = Cells(part, events, error)
        self.width = [float(np.ptp(at)) if len(events) else 0.0 for at in self._columns[1:3]]
        self.near_km = 0.0
        self._last: tuple[tuple[Reach, Delay, float], Series | None] | None = None

    def series(self, reach: Reach, delay: Delay, near_km: float) -> Series | None:
        """f as cosines; None where the delay is no exponential, f is cut off within the map or has too many."""
        if type(delay) not in DECAYS or near_km < 0:
            return None
        if self._last is not None and self._last[0] == (reach, delay, near_km):
            return self._last[1]
        reaches = extent(self._part, reach, delay, self._error / 100)  # images of f a box away, and slopes
        if not reaches.near_ends and reaches.km < math.hypot(*self.width):
            return None
        found = expand(reach, self.width, reaches, near_km, self._error)
        self._last = (reach, delay, near_km), found
        return found

    def __call__(self, reach: Reach, delay: Delay, source: np.ndarray, rest: np.ndarray) -> Raised:
        """See `Raised`."""
        found = self.series(reach, delay, self.near_km)
        assert found is not None, "asked for after `series` has said yes"
        height, rate = DECAYS[type(delay)](delay)
        source, time = height * source, self._columns[0]
        sums = self._through(found, rate, source)
        if found.near_km:
            raised = self._near.correct(reach, delay, source / height, rest + sums[0], found.near_km, found.smooth)
        else:
            whole = rest + sums[0]
            none = (np.zeros(len(vector(kernel))) for kernel in (reach, delay))
            raised = Raised(whole, 1 / np.maximum(whole, 1e-300), np.zeros(len(rest)), *none)
        share = raised.share
        later = source * self._back(found, rate, share)
        # over all pairs, share x what is added x days is that with the later event's time less that with the earlier's
        waited = float(share * sums[0] @ time - later @ time)
        in_delay = np.array([float(later.sum()) / height - waited])[: len(raised.delay)]
        return raised._replace(
            by_parent=raised.by_parent + later,
            reach=raised.reach + sums[1 : 1 + len(raised.reach)] @ share,
            delay=raised.delay + in_delay,
        )

    def _through(self, found: Series, rate: float, source: np.ndarray) -> np.ndarray:
        """(3, E) sums over earlier events of source x f, and its slopes, x exp(-rate days)."""
        weight = np.zeros((3, *found.weight.shape[1:]))
        weight[: len(found.weight)] = found.weight
        return self._carried(found, rate, source, self._columns, weight)

    def _back(self, found: Series, rate: float, share: np.ndarray) -> np.ndarray:
        """(E,) sums over later events of share x f exp(-rate days): the same with time turned round."""
        time, *others = (np.ascontiguousarray(column[::-1]) for column in self._columns)
        return self._carried(found, rate, np.ascontiguousarray(share[::-1]), (-time, *others), found.weight[:1])[
            0, ::-1
        ]

    def _carried(
        self, found: Series, rate: float, source: np.ndarray, columns: tuple[np.ndarray, ...], weight: np.ndarray
    ) -> np.ndarray:
        from groundswell.models.events._space_time_wave_loops import waves

        time, x, y, kind = columns
        out = np.empty((len(weight), len(time)))
        kinds = int(kind.max(initial=0)) + 1
        waves(
            time, x - x.min(initial=np.inf), y - y.min(initial=np.inf), kind, source, rate, self._longest(rate),
            *found.step, weight, kinds, out,
        )  # fmt: skip
        return out

    def _longest(self, rate: float) -> float:
        """Where delays are cut off; infinite if the exponential is below `error` there."""
        return np.inf if rate * self._part.longest_days > -np.log(self._error) else self._part.longest_days


def expand(reach: Reach, width: list[float], reaches: Extent, near_km: float, error: float) -> Series | None:
    """f on a box around displacements of up to `width` each way; None if it takes more than FINEST points."""
    from scipy.fft import dctn

    smooth = _smoothed(reach, near_km)
    # images of f a box away must not matter: f has fallen by then, or is faded out beyond the map
    fade = 2.3 * near_km if near_km else max(*width, 1e-3)
    faded = [0.0 if reaches.near_ends and w + reaches.km < 2 * w + fade else fade for w in width]
    box = np.array([2 * w + fade if fade else w + reaches.km for w, fade in zip(width, faded, strict=True)])
    for points in 2 ** np.arange(5, int(np.log2(FINEST)) + 1):
        count = [2 * max(int(np.ceil(points * length / box.max() / 2)), 4) for length in box]
        sampled = _sampled(reach, near_km, smooth, width, box, faded, count)
        weight = np.asarray(dctn(sampled, type=1, axes=(1, 2))) / np.prod(count)
        weight[:, 1:-1] *= 2
        weight[:, :, 1:-1] *= 2
        kept = _kept(weight, vector(reach), box, error)
        if kept is not None:
            return Series(
                np.ascontiguousarray(weight[:, : kept[0], : -(-kept[1] // EVEN) * EVEN]),
                (2 * np.pi / box[0], 2 * np.pi / box[1]), near_km, smooth,
            )  # fmt: skip
    return None


def _smoothed(reach: Reach, near_km: float) -> np.ndarray:
    """(1 + K, D) polynomials in (r / near_km)^2 through f and its slopes near near_km; empty without it."""
    if not near_km:
        return np.empty((0, 0))
    at = (1 + FITTED) / 2 + (1 - FITTED) / 2 * np.cos((np.arange(DEGREE + 1) + 0.5) * np.pi / (DEGREE + 1))
    r = near_km * np.sqrt(at)
    values = np.concatenate([reach.value(r)[None], reach.gradient(r)])
    fitted = [np.polynomial.Chebyshev.fit(at, row, DEGREE, domain=[FITTED, 1.0]) for row in values]
    return np.stack([one.convert(kind=np.polynomial.Polynomial).coef for one in fitted])


def _sampled(
    reach: Reach, near_km: float, smooth: np.ndarray, width: list[float], box: np.ndarray, faded: list[float],
    count: list[int],
) -> np.ndarray:  # fmt: skip
    """(1 + K, N, M) the smooth part of f and its slopes, on half of the box each way, with its image a box away."""
    sides = []
    for w, length, fade, points in zip(width, box, faded, count, strict=True):
        at = np.arange(points // 2 + 1) * length / points
        apart = np.stack([at, length - at])
        sides.append((apart, _fading((apart - w) / fade) if fade else np.ones_like(apart)))
    total = 0.0
    for east, kept_east in zip(*sides[0], strict=True):
        for north, kept_north in zip(*sides[1], strict=True):
            r = np.hypot(east[:, None], north)
            values = np.concatenate([reach.value(r)[None], reach.gradient(r)])
            if near_km:
                inside = r < near_km
                powers = np.polynomial.polynomial.polyval((r[inside] / near_km) ** 2, smooth.T)
                values[:, inside] = powers
            total = total + values * (kept_east[:, None] * kept_north)
    return np.asarray(total)


def _fading(share: np.ndarray) -> np.ndarray:
    """From 1 at 0 to 0 at 1, smoothly."""
    from scipy.special import erfc

    return np.where(share <= 0, 1.0, np.where(share >= 1, 0.0, 0.5 * erfc(5.0 * (2 * np.clip(share, 0, 1) - 1))))


def _kept(weight: np.ndarray, values: np.ndarray, box: np.ndarray, error: float) -> tuple[int, int] | None:
    """How many frequencies along each axis leave less than the error; None if the grid was too coarse to tell."""
    scale = np.concatenate([[1.0], np.abs(values)])
    size = (np.abs(weight) * scale[:, None, None]).max(axis=0)
    a, b = (np.arange(n) * 2 * np.pi / length for n, length in zip(size.shape, box, strict=True))
    square = a[:, None] ** 2 + b**2
    order = np.argsort(square, axis=None)
    left = np.cumsum(size.ravel()[order][::-1])[::-1]
    enough = int(np.searchsorted(-left, -error / 2))
    furthest = np.sqrt(square.ravel()[order[min(enough, len(order) - 1)]])
    if furthest > 0.75 * min(a[-1], b[-1]):
        return None
    return int(np.searchsorted(a, furthest)) + 1, int(np.searchsorted(b, furthest)) + 1
