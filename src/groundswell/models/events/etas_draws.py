"""Events drawn from `Etas` by clusters: those without a parent, then generation after generation of offspring."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError

if TYPE_CHECKING:
    from groundswell.models.events.etas import Etas, Triggering


class _Points(NamedTuple):
    """Columns of N events under way; xy (N, 2) in km, excess the mark above the threshold."""

    days: np.ndarray
    xy: np.ndarray
    excess: np.ndarray


def drawn(model: Etas, setting: Setting, rng: np.random.Generator, given: History | None) -> Events:
    """See `Etas.simulate`."""
    if model.marks is None:
        raise UsageError(
            "Etas has no law of the marks, and every new event needs one: how much it excites depends on it. Give "
            "Etas(marks=ExponentialMarks(mean)), with the mean of the marks above the threshold."
        )
    places = len(setting.places)
    tiles = 1 if setting.region is None else len(setting.region.tiles) or 1
    if places not in (1, tiles):
        raise DataError(
            f"Etas draws positions, and tells {places} places apart by the tiles of Setting.region, which has {tiles}: "
            "Region.tiled(tiles)."
        )
    start, known = 0.0, _Points(np.empty(0), np.empty((0, 2)), np.empty(0))
    if given is not None:
        start = float(given.window.days)
        known = _of(model, model.checked(setting, given, shorter=True))
    else:
        empty = Events(np.empty(0), np.empty(0, dtype=np.int64), marks={model.mark: np.empty(0)})
        model.checked(setting, History(setting.places, setting.window, events=empty))
    others = [_of(model, one) for one in (model.before, model.outside) if one is not None and len(one)]
    found = [known]
    generation = _unprompted(model, setting, start, rng)
    if model.triggering is not None:
        parents = _joined([known, *others])
        generation = _joined([generation, _offspring(model, model.triggering, setting, parents, start, rng)])
    total = len(known.days)
    while len(generation.days):
        found.append(generation)
        total += len(generation.days)
        if total > model.max_events:
            raise UsageError(
                f"Etas reached max_events = {model.max_events} in {setting.window.days} days. With these marks an "
                f"event has {model.branching_ratio():.3g} direct offspring on average; above 1 events grow without "
                "bound. Shorten the window, lower offspring, alpha or background, or raise max_events."
            )
        if model.triggering is None:
            break
        generation = _offspring(model, model.triggering, setting, generation, start, rng)
    every = _joined(found)
    order = np.argsort(every.days, kind="stable")
    xy = every.xy[order]
    region = setting.region
    place = np.zeros(len(xy), dtype=np.int64) if region is None or places == 1 else region.tile_of(*xy.T)
    return Events(
        every.days[order], place, x_km=xy[:, 0], y_km=xy[:, 1],
        marks={model.mark: model.threshold + every.excess[order]},
    )  # fmt: skip


def _of(model: Etas, events: Events) -> _Points:
    xy = np.array([events.x_km, events.y_km], dtype=float).T if len(events) else np.empty((0, 2))
    return _Points(events.time_days, xy, model.excess(events))


def _unprompted(model: Etas, setting: Setting, start: float, rng: np.random.Generator) -> _Points:
    """Events that need no parent, after `start`."""
    count = int(rng.poisson(model.background * (setting.window.days - start)))
    days = start + (setting.window.days - start) * (1 - rng.random(count))
    if model.spread is None:
        assert setting.region is not None
        xy = setting.region.draw(count, rng)
    else:
        xy = np.empty((0, 2))
        while len(xy) < count:
            tried = model.spread.draw(2 * (count - len(xy)) + 8, rng)
            inside = np.ones(len(tried), bool) if setting.region is None else setting.region.contains(*tried.T)
            xy = np.concatenate([xy, tried[inside]])
        xy = xy[:count]
    return _Points(days, xy, _marks(model, count, rng))


def _offspring(
    model: Etas, part: Triggering, setting: Setting, parents: _Points, start: float, rng: np.random.Generator
) -> _Points:
    """Direct offspring that fall after `start`, into the window and into the region."""
    parent = np.repeat(np.arange(len(parents.days)), rng.poisson(part.expected(parents.excess)))
    late, far, turn = rng.random((3, len(parent)))
    with np.errstate(over="ignore"):  # a delay or a distance without end falls out below
        days = parents.days[parent] + part.c * np.expm1(-np.log1p(-late) / max(part.p - 1, 1e-300))
        area = part.D * np.exp(part.gamma * parents.excess[parent])
        km = np.sqrt(area * np.expm1(-np.log1p(-far) / max(part.q - 1, 1e-300)))
    kept = (days > start) & (days <= setting.window.days) & np.isfinite(km)
    days, km, angle, parent = days[kept], km[kept], 2 * np.pi * turn[kept], parent[kept]
    xy = parents.xy[parent] + km[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if setting.region is not None:
        inside = setting.region.contains(*xy.T)
        days, xy = days[inside], xy[inside]
    return _Points(days, xy, _marks(model, len(days), rng))


def _marks(model: Etas, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) marks above the threshold."""
    assert model.marks is not None
    return rng.exponential(model.marks.mean, count)


def _joined(parts: list[_Points]) -> _Points:
    return _Points(*(np.concatenate(column) for column in zip(*parts, strict=True)))
