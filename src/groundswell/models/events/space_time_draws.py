"""Events in the plane drawn from `SpaceTime` by clusters: parents, then generation after generation of offspring."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError

if TYPE_CHECKING:
    from groundswell.models.events.space_time import Offspring, SpaceTime

HALVINGS = 60


class _Points(NamedTuple):
    """Columns of N events under way; xy (N, 2) in km."""

    days: np.ndarray
    xy: np.ndarray
    place: np.ndarray
    kind: np.ndarray


def drawn(model: SpaceTime, setting: Setting, rng: np.random.Generator, given: History | None) -> Events:
    """See `SpaceTime.simulate`."""
    region, days = setting.region, float(setting.window.days)
    if region is None or (len(region.tiles) or 1) != len(setting.places):
        raise DataError(
            f"SpaceTime draws positions, and needs Setting.region with a tile for each of the {len(setting.places)} "
            "places: Region.tiled(tiles)."
        )
    if model.offspring is not None and model.offspring.effects:
        raise UsageError(
            "the offspring depend on marks, and how marks of new events are distributed is no part of the model; "
            "simulate without effects, or with the mean offspring as the intercept."
        )
    start, known = 0.0, _Points(np.empty(0), np.empty((0, 2)), np.empty(0, int), np.empty(0, int))
    if given is not None:
        start = float(given.window.days)
        past = model.checked(setting, given, shorter=True)
        known = _Points(
            past.time_days, np.array([past.x_km, past.y_km], dtype=float).T, past.place,
            np.zeros(len(past), int) if past.kind is None else np.asarray(past.kind, int),
        )  # fmt: skip
    found = [known]
    generation = _parents(model, setting, start, rng)
    if model.offspring is not None:
        generation = _joined([generation, *_offspring(model, model.offspring, setting, known, start, rng)])
    total = len(known.days)
    while len(generation.days):
        found.append(generation)
        total += len(generation.days)
        if total > model.max_events:
            raise UsageError(
                f"SpaceTime reached max_events = {model.max_events} in {days:g} days. Shorten the window, lower the "
                "offspring (above 1 events grow without bound) or raise max_events."
            )
        if model.offspring is None:
            break
        generation = _joined(_offspring(model, model.offspring, setting, generation, start, rng))
    every = _joined(found)
    order = np.argsort(every.days, kind="stable")
    return Events(
        every.days[order], every.place[order], x_km=every.xy[order, 0], y_km=every.xy[order, 1],
        kind=None if model.kinds == 1 else every.kind[order],
    )  # fmt: skip


def _parents(model: SpaceTime, setting: Setting, start: float, rng: np.random.Generator) -> _Points:
    """Events that need no parent, after `start`."""
    if model.endemic is None:
        return _joined([])
    region, window = setting.region, setting.window
    assert region is not None
    expected = model.endemic.rate(setting) * setting.covariates["area_km2"] * window.step
    first = int(start // window.step)
    counts = rng.poisson(expected[:, first:] * model.kinds)
    place, step = np.repeat(np.argwhere(counts), counts[counts > 0], axis=0).T
    days = (first + step + rng.random(len(step))) * window.step
    xy = np.empty((len(place), 2))
    for number, tile in enumerate(region.tiles or (region,)):
        mine = np.flatnonzero(place == number)
        xy[mine] = tile.draw(len(mine), rng)
    return _Points(days, xy, place, rng.integers(0, model.kinds, len(place)))


def _offspring(
    model: SpaceTime, part: Offspring, setting: Setting, parents: _Points, start: float, rng: np.random.Generator
) -> list[_Points]:
    """Direct offspring that fall after `start`, into the window and into the region."""
    region = setting.region
    assert region is not None
    times = model.kinds if part.across else 1
    parent = np.repeat(np.arange(len(parents.days)), rng.poisson(np.exp(part.intercept) * times, len(parents.days)))
    share, late, angle = rng.random((3, len(parent)))
    km = _inverse(part.reach.disc, share, part.furthest_km)
    days = parents.days[parent] + _inverse(part.delay.integral, late, part.longest_days)
    xy = parents.xy[parent] + km[:, None] * np.stack([np.cos(2 * np.pi * angle), np.sin(2 * np.pi * angle)], axis=1)
    kind = rng.integers(0, model.kinds, len(parent)) if part.across else parents.kind[parent]
    place = region.tile_of(*xy.T)
    kept = (days > start) & (days <= setting.window.days) & (place >= 0)
    return [_Points(days[kept], xy[kept], place[kept], kind[kept])]


def _inverse(rising: Callable[[np.ndarray], np.ndarray], share: np.ndarray, end: float) -> np.ndarray:
    """Where a function that rises from 0 has reached these shares of its value at `end`; by bisection."""
    target = share * rising(np.array([end]))[0]
    low, high = np.zeros(len(share)), np.full(len(share), end)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = rising(middle) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def _joined(parts: list[_Points]) -> _Points:
    if not parts:
        return _Points(np.empty(0), np.empty((0, 2)), np.empty(0, int), np.empty(0, int))
    return _Points(*(np.concatenate(column) for column in zip(*parts, strict=True)))
