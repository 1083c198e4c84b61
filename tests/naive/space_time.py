"""Events in the plane the slow way: every pair, every cell, and integrals over a region by brute force."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from groundswell.data.history import History
from groundswell.data.region import Region
from groundswell.data.setting import Setting
from groundswell.models.events.space_time import SpaceTime
from groundswell.models.triggering import Reach


def log_density(model: SpaceTime, setting: Setting, history: History, radii: int = 600, turns: int = 720) -> float:
    """Sums over all pairs and cells; the integral of f on a polar grid around each event, 1 without a region."""
    part, events, region = model.offspring, history.events, setting.region
    assert part is not None
    assert events is not None
    assert model.endemic is not None
    t, eta = events.time_days, np.exp(part.intercept + part.effects["crowd"] * events.marks["crowd"])
    endemic = model.endemic.rate(setting)
    unit, late = whole(part.reach.value, part.furthest_km), float(part.delay.integral(np.array([part.longest_days]))[0])
    value = -model.kinds * float((endemic * setting.covariates["area_km2"]).sum())
    for i in range(len(events)):
        value += np.log(rate(model, setting, history, i))
        inside = 1.0 if region is None else around(events, i, region, part, radii, turns) / unit
        left = float(part.delay.integral(np.array([min(part.longest_days, setting.window.days - t[i])]))[0]) / late
        value -= eta[i] * inside * left * (model.kinds if part.across else 1)
    return value


def rate(model: SpaceTime, setting: Setting, history: History, i: int) -> float:
    """The intensity at event i."""
    part, events = model.offspring, history.events
    assert part is not None
    assert events is not None
    assert model.endemic is not None
    x, y, t, kind = events.x_km, events.y_km, events.time_days, events.kind
    assert x is not None
    assert y is not None
    assert kind is not None
    eta = np.exp(part.intercept + part.effects["crowd"] * events.marks["crowd"])
    unit, late = whole(part.reach.value, part.furthest_km), float(part.delay.integral(np.array([part.longest_days]))[0])
    found = float(model.endemic.rate(setting)[events.place[i], int(t[i] // setting.window.step)])
    for j in range(i):
        d, u = np.hypot(x[i] - x[j], y[i] - y[j]), t[i] - t[j]
        if d <= part.furthest_km and 0 < u <= part.longest_days and (part.across or kind[i] == kind[j]):
            found += eta[j] * float(part.reach.value(np.array(d)) / unit * part.delay.value(np.array(u)) / late)
    return found


def whole(value: Callable[[np.ndarray], np.ndarray], reach_km: float) -> float:
    """The integral of f over the disc."""
    radii = np.linspace(0, reach_km, 20_001)
    return float(2 * np.pi * np.trapezoid(radii * value(radii), radii))


def around(events, i: int, region: Region, part, radii: int, turns: int) -> float:
    """The integral of f over what of the disc around event i is in the region, on a polar grid."""
    middle = (np.arange(radii) + 0.5) / radii * part.furthest_km
    turn = (np.arange(turns) + 0.5) / turns * 2 * np.pi
    grid_x, grid_y = events.x_km[i] + np.outer(middle, np.cos(turn)), events.y_km[i] + np.outer(middle, np.sin(turn))
    seen = region.contains(grid_x.ravel(), grid_y.ravel()).reshape(grid_x.shape).mean(axis=1)
    return float((middle * part.reach.value(middle) * seen).sum() * part.furthest_km / radii * 2 * np.pi)


def along_the_boundary(point: np.ndarray, region: Region, reach: Reach, reach_km: float) -> float:
    """The integral of F(r) d(angle), edge by edge, F what it is at the reach from there on.

    With t the distance from the edge's nearest point, at height h, t = h sinh(s) makes r = h cosh(s) and d(angle) =
    ds / cosh(s): smooth, and cut at the reach, where f jumps, and into short pieces of s with 20 nodes each.
    """
    total, end = 0.0, float(reach.disc(np.array([reach_km]))[0])
    at, rule = np.polynomial.legendre.leggauss(20)
    for ax, ay, bx, by in region.edges - np.tile(point, 2):
        length = np.hypot(bx - ax, by - ay)
        height = abs(ax * by - ay * bx) / length
        left = (ax * (bx - ax) + ay * (by - ay)) / length
        low, high = np.arcsinh(left / height), np.arcsinh((left + length) / height)
        turns = [np.arccosh(cut / height) for cut in (*reach.breaks, reach_km) if cut > height]
        cuts = np.unique([*np.linspace(low, high, int(8 * (high - low)) + 2), *turns, *(-turn for turn in turns)])
        cuts = cuts[(cuts >= low) & (cuts <= high)]
        s = (cuts[1:] + cuts[:-1])[:, None] / 2 + np.diff(cuts)[:, None] / 2 * at
        r = height * np.cosh(s)
        values = np.where(r < reach_km, reach.disc(np.minimum(r, reach_km)), end)
        total += np.sign(ax * by - ay * bx) * float((values / np.cosh(s) * np.diff(cuts)[:, None] / 2 * rule).sum())
    return total
