"""How much, how late and how far events set off others, read off a fitted model of single events, with its doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from groundswell.data.history import Events, History
from groundswell.data.setting import Setting
from groundswell.data.table import Table

POINTS = 80
"""Of a curve."""

SHOWN = 0.95
"""Of the offspring; curves go on until so much is seen, or to where the model cuts triggering off."""

CURVES = 100
"""Draws whose whole curves are looked at."""

BINS = 20_000
"""Distances between places are told apart to this part of the largest."""

AMOUNT = ("branching_ratio", "offspring.intercept", "triggering.offspring")
LATE, FAR = ("delay.", "triggering.c", "triggering.p"), ("reach.", "triggering.D", "triggering.gamma", "triggering.q")
"""Parameters of how many others an event sets off, how late and how far: an interval without their doubt is none."""

Curve = Callable[[np.ndarray], np.ndarray]


def triggering(model: Any) -> Any:
    """The part of a model that says what an event sets off, None for none; the model itself where it is no part."""
    for name in ("offspring", "triggering"):
        if hasattr(model, name) and not callable(part := getattr(model, name)):
            return part
    return model


def soon(model: Any, events: Events, days: float) -> float:
    """Expected direct offspring of an event that come within so many days, on average over these events."""
    curve = delay_curve(model)
    return 0.0 if curve is None else direct_offspring(model, events) * float(curve(np.array([days]))[0])


def direct_offspring(model: Any, events: Events) -> float:
    """Expected direct offspring of an event, on average over these: the branching ratio; 0 for a model without any.

    They are counted wherever and whenever they come, also outside the region and after the window.
    """
    part = triggering(model)
    if part is None or not len(events):
        return 0.0
    ratio: Any = getattr(model, "branching_ratio", None)
    if callable(ratio):
        return float(ratio(events))  # type: ignore[arg-type]
    if ratio is not None:
        return float(ratio) + (0.0 if model.media is None else model.media.offspring)
    kinds = model.kinds if part.across else 1
    coefficients = np.array([part.intercept, *part.effects.values()])
    return float(kinds * np.exp(part.columns(events) @ coefficients).mean())


def delay_curve(model: Any) -> Curve | None:
    """Share of an event's offspring that come within so many days, as a function; None for a model without any."""
    part = triggering(model)
    if part is None:
        return None
    if hasattr(part, "within"):
        return np.vectorize(part.within, otypes=[float])
    if (longest := getattr(part, "longest_days", None)) is None:
        return part.delay.integral
    whole = part.delay.integral(np.array([longest]))[0]
    return lambda days: part.delay.integral(np.minimum(days, longest)) / whole


def reach_curve(model: Any, setting: Setting, events: Events) -> Curve | None:
    """Share of the offspring that come within so many km, averaged over these events; None where all stay in place."""
    part = triggering(model)
    if part is None or not len(events):
        return None
    if hasattr(part, "q"):  # an inverse power of squared distance, wider for larger marks
        width = part.D * np.exp(part.gamma * model.excess(events))
        return lambda km: np.array([float(np.mean(1 - (1 + r * r / width) ** (1 - part.q))) for r in np.atleast_1d(km)])
    if part.reach is None and getattr(model, "media", None) is None:
        return None
    if (furthest := getattr(part, "furthest_km", None)) is not None:
        reach: Any = part.reach
        whole = reach.disc(np.array([furthest]))[0]
        return lambda km: reach.disc(np.minimum(km, furthest)) / whole
    if setting.places.latitude is None:
        return None
    weights = model.offspring(setting)
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)
    share = np.bincount(events.place, minlength=len(weights)) / len(events)
    apart = setting.places.distance_km
    width = max(float(apart.max()), 1e-9) / BINS
    bins = np.ceil(apart / width).astype(int).ravel()
    sums = np.cumsum(np.bincount(bins, (share[:, None] * weights).ravel(), BINS + 2))
    return lambda km: sums[np.minimum(np.floor(np.asarray(km) / width), BINS + 1).astype(int)]


def reached(curve: Curve, share: float, end: float = 1e6) -> float:
    """Where a curve that rises from 0 has reached a share; `end` if not before it."""
    if curve(np.array([end]))[0] < share:
        return end
    low, high = 0.0, end
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if curve(np.array([middle]))[0] < share else (low, middle)
    return high


@dataclass(frozen=True)
class Interval:
    """A number at the estimate with its central interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Kernels:
    """Triggering at the estimate and in S plausible models.

    draws : the plausible models (`infer.plausible`), of which curves take the first CURVES. level : of every interval.
    """

    model: Any
    draws: Sequence[Any]
    setting: Setting
    history: History
    level: float = 0.9

    @property
    def events(self) -> Events:
        """The single events."""
        assert self.history.events is not None
        return self.history.events

    def _ends(self, each: Any) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.quantile(each, [(1 - self.level) / 2, (1 + self.level) / 2], axis=0)
        return low, high

    def number(self, quantity: Callable[[Any], float]) -> Interval:
        """A number that follows from a model, at the estimate and over the draws."""
        return self._interval(quantity, self.draws)

    def _interval(self, quantity: Callable[[Any], float], draws: Sequence[Any]) -> Interval:
        low, high = self._ends([quantity(model) for model in draws])
        return Interval(quantity(self.model), float(low), float(high))

    @cached_property
    def ratio(self) -> Interval:
        """Expected direct offspring of an event."""
        return self.number(lambda model: direct_offspring(model, self.events))

    def days(self, share: float) -> Interval | None:
        """Days within which this share of the offspring comes; None for a model without any."""
        if delay_curve(self.model) is None:
            return None
        return self._interval(lambda model: reached(_curve(delay_curve(model)), share), self.draws[:CURVES])

    @cached_property
    def _reaches(self) -> tuple[Curve | None, list[Curve]]:
        """How far, at the estimate and in the draws; made once, since for cities each takes all pairs of places."""
        own = reach_curve(self.model, self.setting, self.events)
        draws = [] if own is None else self.draws[:CURVES]
        return own, [_curve(reach_curve(model, self.setting, self.events)) for model in draws]

    def km(self, share: float) -> Interval | None:
        """Km within which this share of the offspring comes; None where they stay in the event's own place."""
        own, drawn = self._reaches
        if own is None:
            return None
        low, high = self._ends([reached(curve, share) for curve in drawn])
        return Interval(reached(own, share), float(low), float(high))

    def near(self, km: float) -> Interval | None:
        """Share of the offspring within a distance, 0 km for the event's own place."""
        own, drawn = self._reaches
        if own is None:
            return None
        at = np.array([km])
        low, high = self._ends([curve(at)[0] for curve in drawn])
        return Interval(float(own(at)[0]), float(low), float(high))

    def delays(self) -> Table:
        """days, share, low, high: the share of offspring that come within so many days."""
        own = delay_curve(self.model)
        drawn = [] if own is None else [_curve(delay_curve(model)) for model in self.draws[:CURVES]]
        return self._table("days", own, drawn)

    def reaches(self) -> Table:
        """km, share, low, high; empty where offspring stay in the event's own place."""
        return self._table("km", *self._reaches)

    def _table(self, unit: str, own: Curve | None, drawn: Sequence[Curve]) -> Table:
        if own is None:
            return Table({unit: [], "share": [], "low": [], "high": []})
        at = np.linspace(0, min(reached(own, SHOWN), 1e5), POINTS)
        low, high = self._ends([curve(at) for curve in drawn])
        columns = {unit: at, "share": np.asarray(own(at), dtype=float), "low": low, "high": high}
        return Table({name: values.tolist() for name, values in columns.items()})


def _curve(found: Curve | None) -> Curve:
    assert found is not None
    return found
