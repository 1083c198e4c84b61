"""Super-thinned residuals: events thinned where many are expected, points added where few are, a Poisson process left.

An event at which the model's intensity is lambda is kept with probability min(1, b / lambda), and a Poisson process of
rate max(b - lambda, 0) is laid over what is kept. If the model is right the result is a Poisson process of rate b, in
time and in space, and any test of that tests the model. Clements, Schoenberg and Veen (2012), Environmetrics 23,
606-616. Thinning alone throws nearly all events away where lambda is somewhere near 0, superposition alone buries them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.interaction import space_time_interaction
from groundswell.evaluate.replicas import learnt_from, model_of
from groundswell.infer.base import Fit
from groundswell.models.base import require

FEWEST = 10
"""Points left below which nothing is tested."""

APART = 20.0
"""A factor between two sums of expected events that random points do not explain, and a region's area does."""

RADII = 20
"""Distances at which the K function is compared, evenly up to a quarter of the region's shorter side."""


@dataclass(frozen=True, eq=False)
class SuperThinned:
    """A draw of residual points: what is left of the events, and what was added.

    points : the R residual points by time, as Events. added : (R,) whether a point was laid over, False for an event.
    cell : (R,) which place, and of it which kind, a point belongs to: place x kinds + kind.
    rate : (P x kinds,) of the process that a right model leaves, by cell: events a day; in the plane also per km^2.
    expected : (P x kinds,) points by cell, rate x days (x area).
    plane : whether the points fill a region, or stand at places. kinds : their names.
    """

    points: Events
    added: np.ndarray
    cell: np.ndarray
    rate: np.ndarray
    expected: np.ndarray
    plane: bool
    kinds: tuple[str, ...]
    setting: Setting

    def __len__(self) -> int:
        return len(self.points)

    @property
    def by_place(self) -> Table:
        """Points by place (and kind, where there are several) beside what is expected, and how many sds lie between."""
        counts = np.bincount(self.cell, minlength=len(self.expected))
        apart = (counts - self.expected) / np.sqrt(np.maximum(self.expected, 1e-300))
        names = self.setting.places.name
        return Table(
            {
                "place": [name for name in names for _ in self.kinds],
                **({"kind": list(self.kinds) * len(names)} if len(self.kinds) > 1 else {}),
                "points": counts.tolist(),
                "expected": self.expected.tolist(),
                "standardised": apart.tolist(),
            }
        )


def super_thinned(
    model: Any,
    setting: Setting,
    history: History,
    *,
    rng: np.random.Generator,
    rate: float | np.ndarray | None = None,
    plane: bool | None = None,
) -> SuperThinned:
    """Draw the residual points of a model's history.

    rate : b, the same everywhere or (P x kinds,) by place and kind: events a day, in the plane per km^2 too. None: what
    the model expects on average in each, estimated at random points. Much below it most events are thrown away
    and the tests are weak; much above, they are buried under points that were added and the tests are weak again. The
    paper has one b for all, which does both at once where some places have far more events than others.
    plane : the points fill Setting.region, which the setting must have; None: where it has one and events have
    positions. A model over places whose events have positions too needs False.

    Points are random beyond the data: another rng, another picture. Cost: rate_at, at some points per event.
    """
    require(model, "compensator", "super_thinned")  # a model of counts by step has no rate at a moment to integrate
    require(model, "rate_at", "super_thinned")
    events = history.events
    if events is None:
        raise DataError("super-thinning needs History.events, single events with their times; this history has counts.")
    if plane is None:
        plane = setting.region is not None and events.x_km is not None
    over = _Cells(model, setting, plane)
    if rate is None:
        level = _average(model, setting, history, over, len(events), rng)
        if plane:
            _same_units(model, setting, history, float(level @ over.volume))
    elif np.ndim(rate) and np.shape(rate) != over.volume.shape:
        raise UsageError(f"the rate has shape {np.shape(rate)}; expected a number, or {over.volume.shape} by place.")
    else:
        level = np.broadcast_to(np.asarray(rate, dtype=float), over.volume.shape)
    if not (np.isfinite(level).all() and (level >= 0).all() and level.max() > 0):
        raise UsageError(f"super-thinning was given the rate {rate}; expected finite numbers of 0 or more, one above.")

    at_events = np.asarray(model.rate_at(setting, history, events))
    kept = events.take(rng.random(len(events)) * at_events < level[over.cell(events)])
    candidates = over.draw(rng.poisson(level * over.volume), rng)
    at_candidates = np.asarray(model.rate_at(setting, history, candidates))
    short = rng.random(len(candidates)) * level[over.cell(candidates)] >= at_candidates
    points, added = _merged(kept, candidates.take(short))
    return SuperThinned(points, added, over.cell(points), level, level * over.volume, plane, over.kinds, setting)


@dataclass(frozen=True, eq=False)
class Homogeneity:
    """Tests of residual points: test, statistic, p value; and how K departs from that of even points.

    table : medians over the draws, with the share of draws below .05. ripley : radius_km, excess (root of K over pi,
    less its mean over even points), low and high (what 95 of 100 stay within all along); None where points stand at
    places. thinned : the first draw. notes : sentences that a reader must see.
    """

    table: Table
    ripley: Table | None
    thinned: SuperThinned
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.table), *self.notes])


def homogeneity(
    fitted: Fit | Any,
    setting: Setting,
    history: History,
    *,
    rng: np.random.Generator,
    draws: int = 20,
    simulations: int = 99,
    rate: float | np.ndarray | None = None,
    plane: bool | None = None,
) -> Homogeneity:
    """Test super-thinned residuals: are they even over time, over places or the plane, and are there so many?

    "number"  all points, Poisson with the expected mean, two-sided
    "time"    Kolmogorov-Smirnov distance of their times from the uniform
    "place"   chi-squared of points by place given their number, by `simulations` draws
    "pairs"   pairs of points that are near and soon, times permuted over positions (`space_time_interaction`, the sum
              over limits from a 64th to a quarter of the window and of the region, or of distances of places)
    "space"   in the plane: the largest difference of Ripley's L(r) = root(K(r) / pi) from its mean over `simulations`
              draws of as many points at the rate itself in the same region (no edge correction is needed: all have
              the same edges). Ripley (1977), Journal of the Royal Statistical Society B 39, 172-212.

    One draw of the residuals may look well or badly by chance: read the median p-value of several `draws`, and the
    share below .05, which is .05 on average for a right model (the draws share the events, so their shares are no
    independent votes). As in `residual_tests` the p-values are naive, too large, for parameters that were estimated
    from the same events. "time" adds up over space and "space" over the window; clusters that a model
    misses here now and there then are for "pairs" to see. Added points dilute them all.
    Cost: draws x (rate_at + simulations x pairs of points within reach).
    """
    model = model_of(fitted)
    made = [super_thinned(model, setting, history, rng=child, rate=rate, plane=plane) for child in rng.spawn(draws)]
    if min(len(one) for one in made) < FEWEST:
        raise DataError(
            f"super-thinning left {min(len(one) for one in made)} points, too few to test; raise `rate` above "
            f"{np.array2string(made[0].rate, precision=3, threshold=4)}."
        )
    ripley, rows = None, {}
    for number, one in enumerate(made):
        found, excess = _tested(one, simulations, rng)
        ripley = excess if number == 0 else ripley
        for name, (statistic, value) in found.items():
            rows.setdefault(name, []).append((statistic, value))
    values = {name: np.array(row) for name, row in rows.items()}
    table = Table(
        {
            "test": list(values),
            "statistic": [float(np.median(value[:, 0])) for value in values.values()],
            "p median": [float(np.median(value[:, 1])) for value in values.values()],
            "share below .05": [float((value[:, 1] < 0.05).mean()) for value in values.values()],
        }
    )
    added = np.median([one.added.mean() for one in made])
    notes = [
        f"{draws} draws of the residuals, each of some {np.median([len(one) for one in made]):.0f} points, of which "
        f"{100 * added:.0f} % were added and the others are events."
    ]
    if (tied := len(history.events or ()) - len(np.unique(history.events.time_days if history.events else ()))) > 0:
        notes.append(
            f"{tied} events share their time with another, as days alone make them: what is within a day is not tested."
        )
    if learnt_from(fitted, history):
        notes.append("The p-values are naive: the parameters were estimated from these very events.")
    return Homogeneity(table, ripley, made[0], tuple(notes))


def _tested(one: SuperThinned, simulations: int, rng: np.random.Generator) -> tuple[dict, Table | None]:
    from scipy.stats import kstest, poisson

    count, total = len(one), float(one.expected.sum())
    tails = poisson.cdf(count, total), poisson.sf(count - 1, total)
    time = kstest(one.points.time_days / one.setting.window.days, "uniform")
    found = {
        "number": ((count - total) / total**0.5, float(min(1.0, 2 * min(tails)))),
        "time": (float(time.statistic), float(time.pvalue)),
    }
    if len(one.expected) > 1:
        share = one.expected / total
        some = share > 0
        drawn = rng.multinomial(count, share, size=simulations)
        counts = np.concatenate([np.bincount(one.cell, minlength=len(share))[None], drawn])
        apart = ((counts - count * share)[:, some] ** 2 / (count * share)[some]).sum(axis=1)
        found["place"] = (float(apart[0]), float((apart >= apart[0] * (1 - 1e-12)).mean()))
    if len(one.setting.places) > 1 or one.plane:
        limits = _shares_of(one.setting.window.days)
        pairs = space_time_interaction(
            one.setting, one.points, distances_km=_distances(one), days=limits, permutations=simulations, rng=rng,
            plane=one.plane,
        )  # fmt: skip
        found["pairs"] = (max(pairs.table["standardised"]), pairs.sum_p_value)
    if not one.plane:
        return found, None
    excess, found["space"] = _ripley(one, simulations, rng)
    return found, excess


def _shares_of(whole: float) -> list[float]:
    return [whole / 64, whole / 16, whole / 4]


def _distances(one: SuperThinned) -> list[float]:
    """Limits of what is near, km: parts of a region's shorter side; the same place and near ones."""
    if one.plane:
        return _shares_of(_shorter_side(one.setting))
    places = one.setting.places
    if places.latitude is None:
        return [0.0]
    apart = places.distance_km[np.triu_indices(len(places), 1)]
    return sorted({0.0, *(float(np.quantile(apart, share)) for share in (1 / 16, 1 / 4))})


def _shorter_side(setting: Setting) -> float:
    assert setting.region is not None
    corners = np.concatenate(setting.region.rings)
    return float((corners.max(axis=0) - corners.min(axis=0)).min())


def _ripley(one: SuperThinned, simulations: int, rng: np.random.Generator) -> tuple[Table, tuple[float, float]]:
    """L(r) of the points against as many drawn at the rate itself."""
    from scipy.spatial import KDTree

    region = one.setting.region
    assert region is not None
    tiles = region.tiles or (region,)
    share = one.expected.reshape(len(tiles), -1).sum(axis=1) / one.expected.sum()
    radii = np.linspace(0, _shorter_side(one.setting) / 4, RADII + 1)[1:]

    def root(at: np.ndarray) -> np.ndarray:
        tree, n = KDTree(at), len(at)
        near = (tree.count_neighbors(tree, radii) - n) / (n * (n - 1))
        return np.sqrt(region.area_km2 * near / np.pi)

    def even() -> np.ndarray:
        counts = rng.multinomial(len(one), share)
        return np.concatenate([tile.draw(int(n), rng) for tile, n in zip(tiles, counts, strict=True)])

    own = np.stack([np.asarray(one.points.x_km, float), np.asarray(one.points.y_km, float)], axis=1)
    every = np.stack([root(own), *(root(even()) for _ in range(simulations))])
    middle = every.mean(axis=0)
    furthest = np.abs(every - middle).max(axis=1)
    band = float(np.quantile(furthest[1:], 0.95))
    table = Table(
        {
            "radius_km": radii.tolist(),
            "excess": (every[0] - middle).tolist(),
            "low": [-band] * RADII,
            "high": [band] * RADII,
        }
    )
    return table, (float(furthest[0]), float((furthest >= furthest[0]).mean()))


def _average(
    model: Any, setting: Setting, history: History, over: _Cells, events: int, rng: np.random.Generator
) -> np.ndarray:
    """The model's mean intensity in each cell over the window, from random points."""
    count = len(over.volume)
    points = over.draw(np.full(count, max(20, 4 * events // count)), rng)
    rates, cell = np.asarray(model.rate_at(setting, history, points)), over.cell(points)
    return np.bincount(cell, rates, count) / np.bincount(cell, minlength=count)


def _same_units(model: Any, setting: Setting, history: History, expected: float) -> None:
    """UsageError where rates over the plane do not add up to the model's events, since they are not per km^2."""
    total = float(model.compensator(setting, history, np.array([float(setting.window.days)]))[0])
    if total > 0 and not 1 / APART < expected / total < APART:
        raise UsageError(
            f"{type(model).__name__} expects {total:.4g} events, and its rates add up to {expected:.4g} over the "
            "region: they are no rates per km^2. Give plane=False for a model of places."
        )


class _Cells:
    """Where points may be: at each place, or in its tile of the region, of each kind."""

    def __init__(self, model: Any, setting: Setting, plane: bool) -> None:
        self._days, self._tiles, area = float(setting.window.days), None, np.ones(len(setting.places))
        if plane:
            region = setting.region
            if region is None:
                raise DataError(
                    "plane=True needs Setting.region, over which points are laid. Over places: plane=False."
                )
            self._tiles = region.tiles or (region,)
            if len(self._tiles) != len(setting.places):
                raise DataError(
                    f"points are laid over the region with its {len(self._tiles)} tiles, and there are "
                    f"{len(setting.places)} places; expected a tile for each: Region.tiled(tiles)."
                )
            area = np.array([tile.area_km2 for tile in self._tiles])
        kinds = getattr(model, "kinds", 1)  # their number, or their names
        self.kinds: tuple[str, ...] = tuple(map(str, range(kinds))) if isinstance(kinds, int) else tuple(kinds)
        self.volume = np.repeat(area * self._days, len(self.kinds))

    def cell(self, points: Events) -> np.ndarray:
        kind = 0 if points.kind is None or len(self.kinds) == 1 else np.asarray(points.kind, dtype=int)
        return points.place * len(self.kinds) + kind

    def draw(self, counts: np.ndarray, rng: np.random.Generator) -> Events:
        """So many points in each cell, evenly."""
        cell = np.repeat(np.arange(len(counts)), counts)
        days = rng.random(len(cell)) * self._days
        order = np.argsort(days)
        place, kind = np.divmod(cell[order], len(self.kinds))
        x = y = None
        if self._tiles is not None:
            by_tile = counts.reshape(len(self._tiles), -1).sum(axis=1)
            at = [tile.draw(int(n), rng) for tile, n in zip(self._tiles, by_tile, strict=True)]
            x, y = np.concatenate(at)[order].T
        return Events(days[order], place, x_km=x, y_km=y, kind=None if len(self.kinds) == 1 else kind)


def _merged(kept: Events, laid: Events) -> tuple[Events, np.ndarray]:
    """Both in order of time, and which were laid over; marks and sizes, which those do not have, are left behind."""
    days = np.concatenate([kept.time_days, laid.time_days])
    order = np.argsort(days, kind="stable")

    def both(name: str) -> np.ndarray | None:
        columns = [getattr(kept, name), getattr(laid, name)]
        return None if any(column is None for column in columns) else np.concatenate(columns)[order]

    place = np.concatenate([kept.place, laid.place])[order]
    points = Events(days[order], place, x_km=both("x_km"), y_km=both("y_km"), kind=both("kind"))
    return replace(points, day_precision=kept.day_precision), order >= len(kept)
