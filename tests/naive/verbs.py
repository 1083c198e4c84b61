"""Doubles with the verbs of single-event models, pair by pair: what the checks of a fit are tried on."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np

from groundswell.models.events.branching import Branching
from groundswell.models.events.space_time import SpaceTime
from groundswell.params import from_vector, names, vector


def pairs(later_days, earlier_days):
    """Rows (later, earlier) of all pairs, `later` never falling."""
    return np.nonzero(later_days[:, None] > earlier_days[None, :])


class PairByPairInThePlane(SpaceTime):
    """SpaceTime, every pair visited."""

    def branching(self, setting, history):
        events = history.events
        later, earlier = pairs(events.time_days, events.time_days)
        raised = self._raised(events, later, events, earlier)
        return Branching(self._endemic_at(setting, events), np.zeros(len(events)), later, earlier, raised)

    def compensator(self, setting, history, days):
        events, part, window = history.events, self.offspring, setting.window
        days = np.asarray(days, dtype=float)
        by_step = self.kinds * (self.endemic.rate(setting) * setting.covariates["area_km2"]).sum(axis=0)
        edges = np.concatenate([[0.0], np.cumsum(by_step * window.step)])
        expected = np.interp(days, np.arange(window.periods + 1) * window.step, edges)
        if part is None:
            return expected
        boundary, all_of_it = self.boundary(setting, events), part.reach.disc(np.array([part.furthest_km]))[0]
        seen = boundary.integral(part.reach.disc(boundary.distance), all_of_it) / (2 * np.pi * all_of_it)
        late = part.delay.integral(np.minimum(days[:, None] - events.time_days[None, :], part.longest_days))
        eta = np.exp(part.columns(events) @ np.array([part.intercept, *part.effects.values()]))
        times = self.kinds if part.across else 1
        return expected + late / part.delay.integral(np.array([part.longest_days]))[0] @ (times * eta * seen)

    def rate_at(self, setting, history, points):
        events = history.events
        later, earlier = pairs(points.time_days, events.time_days)
        raised = self._raised(points, later, events, earlier)
        return self._endemic_at(setting, points) + np.bincount(later, raised, len(points))

    def complete_likelihood(self, setting, history):
        return complete(self, setting, history)

    def _endemic_at(self, setting, points):
        window = setting.window
        step = np.minimum((points.time_days // window.step).astype(int), window.periods - 1)
        return self.endemic.rate(setting)[points.place, step]

    def _raised(self, points, later, events, earlier):
        part = self.offspring
        if part is None:
            return np.zeros(len(later))
        days = points.time_days[later] - events.time_days[earlier]
        km = np.hypot(points.x_km[later] - events.x_km[earlier], points.y_km[later] - events.y_km[earlier])
        near = part.reach.value(km) / (2 * np.pi * part.reach.disc(np.array([part.furthest_km]))[0])
        soon = part.delay.value(days) / part.delay.integral(np.array([part.longest_days]))[0]
        eta = np.exp(part.columns(events) @ np.array([part.intercept, *part.effects.values()]))
        alike = part.across or points.kind is None or points.kind[later] == events.kind[earlier]
        return np.where((km <= part.furthest_km) & (days <= part.longest_days) & alike, eta[earlier] * near * soon, 0.0)


def complete(model, setting, history):
    """Shares of background and of every pair; their logs expected, less the compensator; slopes by differences."""

    def attribute(x):
        parts = from_vector(model, x).branching(setting, history)
        return parts.background_probability, parts.parent_probability

    def value(x, shares):
        here = from_vector(model, x)
        parts = here.branching(setting, history)
        logs = (safe_log(part)[share > 0] @ share[share > 0] for part, share in
                zip((parts.background, parts.triggered), shares, strict=True))  # fmt: skip
        return float(sum(logs) - here.compensator(setting, history, np.array([setting.window.days]))[0])

    def expected(x, shares):
        x = np.asarray(x, dtype=float)
        slope = np.zeros(len(x))
        for k in range(len(x)):
            step = np.zeros(len(x))
            step[k] = 1e-5 * max(abs(x[k]), 1e-2)
            slope[k] = (value(x + step, shares) - value(x - step, shares)) / (2 * step[k])
        return value(x, shares), slope

    assert len(names(model)) == len(vector(model))
    return SimpleNamespace(attribute=attribute, expected=expected)


def safe_log(values):
    with np.errstate(divide="ignore"):
        return np.log(values)


def doubled(model: Any) -> Any:
    """The same model with the verbs above."""
    return PairByPairInThePlane(**{field.name: getattr(model, field.name) for field in dataclasses.fields(model)})
