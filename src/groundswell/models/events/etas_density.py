"""How likely events are under `Etas`, with the gradient in every parameter, and what else its intensity tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events
from groundswell.data.region import Region
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.events import cubature
from groundswell.models.events.branching import Branching
from groundswell.models.events.etas_information import SHAPE, SHORTEST_DAYS, SMALLEST_KM2, log_slopes, of_rates
from groundswell.params import from_vector, leaves, names

if TYPE_CHECKING:
    from groundswell.models.events.etas import Etas, Triggering

_TRIGGERING = ("offspring", *SHAPE)


class _Columns(NamedTuple):
    """Events that excite, (N,) each and sorted by time."""

    time: np.ndarray
    x: np.ndarray
    y: np.ndarray
    excess: np.ndarray

    @classmethod
    def of(cls, model: Etas, groups: Sequence[Events]) -> tuple[_Columns, np.ndarray]:
        """All events of the groups, and for each (N,) its row in the first group, -1 for those of the others."""
        columns = [
            np.concatenate([np.asarray(given, dtype=float) for given in each])
            for each in zip(
                *((one.time_days, _of(one.x_km), _of(one.y_km), model.excess(one)) for one in groups if len(one)),
                strict=True,
            )
        ] or [np.zeros(0)] * 4
        number = np.full(len(columns[0]), -1)
        number[: len(groups[0])] = np.arange(len(groups[0]))
        order = np.argsort(columns[0], kind="stable")
        return cls(*(column[order] for column in columns)), number[order]


def _of(given: np.ndarray | None) -> np.ndarray:
    assert given is not None
    return np.asarray(given, dtype=float)


class _Kernels(NamedTuple):
    """What `_etas_loops` needs of the parameters: per event (N,) and for all."""

    log_scale: np.ndarray
    per_area: np.ndarray
    per_day: float

    @classmethod
    def of(cls, part: Triggering, excess: np.ndarray) -> _Kernels:
        c, area = max(part.c, SHORTEST_DAYS), max(part.D, SMALLEST_KM2)
        with np.errstate(divide="ignore"):
            log_scale = np.log((part.p - 1) * (part.q - 1)) - np.log(math.pi * c * area)
        log_scale = log_scale + (part.alpha - part.gamma) * excess
        return cls(log_scale / math.log(2), np.exp(-part.gamma * excess) / area, 1 / c)


class Shares(NamedTuple):
    """The model whose intensity is shared out, the background's share of it and the whole at each event (E,)."""

    model: Etas
    background: np.ndarray
    rate: np.ndarray


class EtasDensity:
    """The log density as a function of the parameter vector, and what EM climbs; what the data fix is computed once."""

    def __init__(self, model: Etas, setting: Setting, events: Events) -> None:
        self._model, self._setting, self._order = model, setting, names(model)
        self._days = float(setting.window.days)
        self._events, self.observations = events, len(events)
        others = [one for one in (model.before, model.outside) if one is not None]
        self._all, self._number = _Columns.of(model, [events, *others])
        self._earlier = np.searchsorted(self._all.time, events.time_days)  # a tie excites none of its own
        self._weighed = model.excess(events)

    @cached_property
    def _unprompted(self) -> np.ndarray:
        """(E,) u(s) at the events."""
        return unprompted(self._model, self._setting, self._events)

    @cached_property
    def _reach(self) -> _Reach:
        return _Reach(self._setting.region, self._all.x, self._all.y)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (all,)."""
        model = from_vector(self._model, x)
        rates, sums = self._rates(model, self._events, self._unprompted, self._earlier)
        with np.errstate(divide="ignore"):
            value = float(np.log(rates).sum()) - model.background * self._days
        share = 1 / np.maximum(rates, 1e-300)
        slopes = {"background": float(self._unprompted @ share) - self._days}
        if model.triggering is not None:
            value_of, expected = self._expected(model.triggering)
            value -= value_of
            shape = model.triggering.offspring * log_slopes(model.triggering) @ sums
            raised = dict(zip(_TRIGGERING, [sums[0], *shape], strict=True))
            slopes |= {f"triggering.{name}": float(raised[name]) - expected[name] for name in _TRIGGERING}
        return self._with_marks(model, value, slopes)

    def _with_marks(self, model: Etas, value: float, slopes: dict[str, float]) -> tuple[float, np.ndarray]:
        """The law of the marks added, and slopes in the order of the parameters."""
        if model.marks is not None:
            mean, count, total = max(model.marks.mean, 1e-300), len(self._weighed), float(self._weighed.sum())
            value -= count * math.log(mean) + total / mean
            slopes["marks.mean"] = (total / mean - count) / mean
        return value, np.array([slopes[name] for name in self._order])

    def attribute(self, x: np.ndarray) -> Shares:
        """See `CompleteLikelihood`. Shares of pairs are found anew where they are needed: there may be millions."""
        model = from_vector(self._model, x)
        rates = np.maximum(self._rates(model, self._events, self._unprompted, self._earlier)[0], 1e-300)
        return Shares(model, model.background * self._unprompted / rates, rates)

    def expected(self, x: np.ndarray, shares: Shares) -> tuple[float, np.ndarray]:
        """See `CompleteLikelihood`; the integral is that of the log density."""
        from scipy.special import xlogy

        model = from_vector(self._model, x)
        value = float(xlogy(shares.background, model.background * self._unprompted).sum())
        value -= model.background * self._days
        of_background = float(shares.background.sum()) / max(model.background, 1e-300)
        slopes = {"background": of_background - self._days}
        if model.triggering is not None:
            part, sums = model.triggering, self._attributed(model.triggering, shares)
            raised, _, log_a, _, log_b, _, _ = sums
            scale = _Kernels.of(part, np.zeros(1)).log_scale[0] * math.log(2)
            value_of, expected = self._expected(part)
            value += float(xlogy(raised, part.offspring)) + raised * scale + (part.alpha - part.gamma) * sums[1]
            value -= math.log(2) * (part.p * log_a + part.q * log_b) + value_of
            slope = np.append(raised / max(part.offspring, 1e-300), log_slopes(part) @ sums)
            by_name = zip(_TRIGGERING, slope, strict=True)
            slopes |= {f"triggering.{name}": float(of_pairs) - expected[name] for name, of_pairs in by_name}
        return self._with_marks(model, value, slopes)

    def _attributed(self, part: Triggering, shares: Shares) -> np.ndarray:
        from groundswell.models.events._etas_loops import weigh_attributed

        then, points, excess = shares.model.triggering, self._events, self._all.excess
        assert then is not None
        before, now = _Kernels.of(then, excess), _Kernels.of(part, excess)
        return weigh_attributed(
            *self._all, before.log_scale, before.per_area, now.per_area, points.time_days, _of(points.x_km),
            _of(points.y_km), self._earlier, then.offspring / shares.rate, before.per_day, then.p, then.q, now.per_day,
        )  # fmt: skip

    def _rates(
        self, model: Etas, points: Events, unprompted_at: np.ndarray, earlier: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(K,) intensities at points, and the sums over them that slopes need."""
        from groundswell.models.events._etas_loops import weigh

        rates = model.background * unprompted_at
        if model.triggering is None:
            return rates, np.zeros(7)
        part, out = model.triggering, np.empty(len(points))
        kernels = _Kernels.of(part, self._all.excess)
        sums = weigh(
            *self._all, kernels.log_scale, kernels.per_area, points.time_days, _of(points.x_km), _of(points.y_km),
            earlier, rates, part.offspring, kernels.per_day, part.p, part.q, out,
        )  # fmt: skip
        return out, sums

    def _expected(self, part: Triggering) -> tuple[float, dict[str, float]]:
        """Expected offspring in region and window, and its slopes."""
        excess = self._all.excess
        share, by_log_area, by_q = self._reach.seen(part, excess)
        from_start, to_end = np.maximum(-self._all.time, 0.0), self._days - self._all.time
        soon, later = _still(part, from_start), _still(part, np.maximum(to_end, from_start))
        in_time, by_c, by_p = (a - b for a, b in zip(soon, later, strict=True))
        each = np.exp(part.alpha * excess)
        seen, timed = each * share * in_time, part.offspring * each * in_time
        slopes = {
            "offspring": float(seen.sum()),
            "alpha": part.offspring * float(seen @ excess),
            "c": part.offspring * float((each * share) @ by_c),
            "p": part.offspring * float((each * share) @ by_p),
            "D": float(timed @ by_log_area) / max(part.D, SMALLEST_KM2),
            "gamma": float((timed * excess) @ by_log_area),
            "q": float(timed @ by_q),
        }
        return part.offspring * float(seen.sum()), slopes

    def information(self, x: np.ndarray) -> np.ndarray:
        """(all, all) minus the second derivatives; those of what is expected by differences, which cost no pairs."""
        model = from_vector(self._model, x)
        place = {name: k for k, name in enumerate(self._order)}
        out = np.zeros((len(x), len(x)))
        if model.marks is not None:
            mean, k = max(model.marks.mean, 1e-100), place["marks.mean"]
            out[k, k] = (2 * float(self._weighed.sum()) / mean - len(self._weighed)) / mean**2
        if model.triggering is None:
            rates = np.maximum(model.background * self._unprompted, 1e-300)
            out[0, 0] = float(((self._unprompted / rates) ** 2).sum())
            return out
        at = [0, *(place[f"triggering.{name}"] for name in _TRIGGERING)]
        out[np.ix_(at, at)] = of_rates(model.triggering, *self._products(model))
        out[np.ix_(at[1:], at[1:])] += self._expected_curvature(model.triggering)
        return out

    def _products(self, model: Etas) -> tuple[np.ndarray, np.ndarray]:
        from groundswell.models.events._etas_loops import weigh_products

        assert model.triggering is not None
        part, points = model.triggering, self._events
        kernels = _Kernels.of(part, self._all.excess)
        return weigh_products(
            *self._all, kernels.log_scale, kernels.per_area, points.time_days, _of(points.x_km), _of(points.y_km),
            self._earlier, model.background * self._unprompted, self._unprompted, part.offspring, kernels.per_day,
            part.p, part.q,
        )  # fmt: skip

    def _expected_curvature(self, part: Triggering) -> np.ndarray:
        """(7, 7) second derivatives of the expected offspring."""
        rows = []
        for leaf in leaves(part):
            step = 1e-4 * max(abs(leaf.value), 1e-2)
            if math.isfinite(leaf.low):
                step = min(step, 0.5 * max(leaf.value - leaf.low, 1e-9))
            up, down = (
                self._expected(part.replacing({leaf.name: max(leaf.value + by, leaf.low)}))[1] for by in (step, -step)
            )
            rows.append([(up[name] - down[name]) / (2 * step) for name in _TRIGGERING])
        square = np.array(rows)
        return (square + square.T) / 2

    def compensator(self, days: np.ndarray) -> np.ndarray:
        """See `Etas.compensator`."""
        from groundswell.models.events._etas_loops import released

        out = self._model.background * np.clip(days, 0, None)
        part = self._model.triggering
        if part is None:
            return out
        expected = part.expected(self._all.excess) * self._reach.seen(part, self._all.excess)[0]
        return out + released(self._all.time, expected, days, 1 / max(part.c, SHORTEST_DAYS), part.p)

    def rate_at(self, points: Events) -> np.ndarray:
        """See `Etas.rate_at`."""
        earlier = np.searchsorted(self._all.time, points.time_days)
        return self._rates(self._model, points, unprompted(self._model, self._setting, points), earlier)[0]

    def branching(self, least: float) -> Branching:
        """See `Etas.branching`."""
        from groundswell.models.events._etas_loops import parts

        background = self._model.background * self._unprompted
        part = self._model.triggering
        if part is None:
            none = np.zeros(0, dtype=np.int64)
            return Branching(background, np.zeros(len(background)), none, none, np.zeros(0))
        kernels = _Kernels.of(part, self._all.excess)
        row = np.empty(len(background), dtype=np.int64)
        row[self._number[self._number >= 0]] = np.flatnonzero(self._number >= 0)
        later, earlier, added, elsewhere = parts(
            *self._all[:3], kernels.log_scale, kernels.per_area, self._number, row, self._earlier, background,
            part.offspring, kernels.per_day, part.p, part.q, least,
        )  # fmt: skip
        return Branching(background, elsewhere, later, earlier, added)


class _Reach:
    """What of each event's reach lies in the region; all of it without one."""

    def __init__(self, region: Region | None, x: np.ndarray, y: np.ndarray) -> None:
        self._count, self._at = len(x), None
        if region is not None:
            at = cubature.seen_from(np.stack([x, y], axis=1), region, np.inf).nodes
            self._at = (at.distance**2, at.weight, at.first, at.integral(np.ones(len(at.distance)), 0.0))

    def seen(self, part: Triggering, excess: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(E,) shares, and their slopes in log D and in q."""
        from groundswell.models.events._etas_loops import seen

        out = np.ones(self._count), np.zeros(self._count), np.zeros(self._count)
        if self._at is not None:
            seen(*self._at, _Kernels.of(part, excess).per_area, part.q, *out)
        return out


def _still(part: Triggering, days: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The share of offspring that comes later than so many days (E,), and its slopes in c and p."""
    c = max(part.c, SHORTEST_DAYS)
    log_a = np.log1p(days / c)
    still = np.exp((1 - part.p) * log_a)
    return still, (part.p - 1) * still * -np.expm1(-log_a) / c, -still * log_a


def unprompted(model: Etas, setting: Setting, points: Events) -> np.ndarray:
    """(K,) u(s), per km^2: the background's density over the region. Evenly spread, it goes on beyond it."""
    if model.spread is None:
        assert setting.region is not None
        return np.full(len(points), 1 / setting.region.area_km2)
    density = model.spread.density(_of(points.x_km), _of(points.y_km))
    return density if setting.region is None else density / model.spread.integral(setting.region)


def by_place(model: Etas, setting: Setting, events: Events) -> np.ndarray:
    """See `Etas.intensity`."""
    from groundswell.models.events._etas_loops import released

    edges = np.arange(setting.window.periods + 1, dtype=float) * setting.window.step
    region = setting.region
    whole = len(setting.places) == 1
    tiles = (region,) if whole or region is None else region.tiles
    if len(tiles) != len(setting.places):
        raise DataError(
            f"Etas tells places apart by the tiles of Setting.region, which has {len(tiles)} for "
            f"{len(setting.places)} places: Region.tiled(tiles)."
        )
    others = [one for one in (model.before, model.outside) if one is not None]
    every, _ = _Columns.of(model, [events, *others])
    found = []
    for tile in tiles:
        at_once = 1.0 if whole else _share(model, region, tile)
        total = model.background * at_once * edges
        if model.triggering is not None:
            part = model.triggering
            expected = part.expected(every.excess) * _Reach(tile, every.x, every.y).seen(part, every.excess)[0]
            total = total + released(every.time, expected, edges, 1 / max(part.c, SHORTEST_DAYS), part.p)
        found.append(np.diff(total))
    return np.array(found)


def _share(model: Etas, region: Region | None, tile: Region | None) -> float:
    """The background's share in a tile of the region."""
    assert region is not None
    assert tile is not None
    if model.spread is None:
        return tile.area_km2 / region.area_km2
    return model.spread.integral(tile) / model.spread.integral(region)
