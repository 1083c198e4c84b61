"""Slow twin of `SelfExciting` in general: every sum written out from the definition, without recursions or matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import gammaln

from groundswell.models.delay_sums import PowerLawDelay, SumOfExponentials
from groundswell.models.delays import ExponentialDelay


def g(delay: Any, u: float) -> float:
    """Density of the delay."""
    if u <= 0:
        return 0.0
    if isinstance(delay, ExponentialDelay):
        return delay.decay * math.exp(-delay.decay * u)
    if isinstance(delay, SumOfExponentials):
        raw = [1.0, *(math.exp(w) for w in delay.log_weight.values())]
        terms = zip(raw, delay.decay.values(), strict=True)
        return sum(w / sum(raw) * b * math.exp(-b * u) for w, b in terms)
    if isinstance(delay, PowerLawDelay):
        return (delay.decay - 1) / delay.scale_days * (1 + u / delay.scale_days) ** -delay.decay
    level, edges, whole = _bands(delay)
    return sum(h for h, a, b in zip(level, edges, edges[1:], strict=False) if a < u <= b) / whole


def big_g(delay: Any, u: float) -> float:
    """Distribution of the delay."""
    if u <= 0:
        return 0.0
    if isinstance(delay, ExponentialDelay):
        return 1 - math.exp(-delay.decay * u)
    if isinstance(delay, SumOfExponentials):
        raw = [1.0, *(math.exp(w) for w in delay.log_weight.values())]
        terms = zip(raw, delay.decay.values(), strict=True)
        return sum(w / sum(raw) * (1 - math.exp(-b * u)) for w, b in terms)
    if isinstance(delay, PowerLawDelay):
        return 1 - (1 + u / delay.scale_days) ** (1 - delay.decay)
    level, edges, whole = _bands(delay)
    return sum(h * max(0.0, min(u, b) - a) for h, a, b in zip(level, edges, edges[1:], strict=False)) / whole


def _bands(delay: Any) -> tuple[list[float], list[float], float]:
    edges = [0.0, delay.first_days, *(float(k) for k in delay.log_level)]
    level = [1.0, *(math.exp(v) for v in delay.log_level.values())]
    return level, edges, sum(h * (b - a) for h, a, b in zip(level, edges, edges[1:], strict=False))


class Twin:
    """Everything at the model's own parameters; `at` gives the intensity, `log_density` the rest."""

    def __init__(self, model: Any, setting: Any, history: Any) -> None:
        self.model, self.setting, self.history = model, setting, history
        before = [] if model.before is None else list(zip(model.before.time_days, model.before.place, strict=True))
        inside = list(zip(history.events.time_days, history.events.place, strict=True))
        self.events = before + inside
        self.inside = inside
        sizes = [math.nan] * len(before)
        sizes += [math.nan] * len(inside) if history.events.size is None else list(history.events.size)
        if model.before is not None and model.before.size is not None:
            sizes[: len(before)] = model.before.size
        known = [s for s in sizes[len(before) :] if not math.isnan(s)]
        power = 0.0 if model.size is None else model.size.power
        mean = sum(s**power for s in known) / len(known) if known else 1.0
        self.mark = [1.0 if math.isnan(s) else s**power / mean for s in sizes]
        population = setting.places.population
        scale = 0.0 if model.population is None else model.population.scale
        self.share = population**scale / (population**scale).sum()
        self.offspring = model.branching_ratio * model.weights(setting)
        if model.media is not None:
            self.offspring = self.offspring + model.media.offspring * self.share[None, :]

    def base(self, place: int, step: int) -> float:
        model, setting = self.model, self.setting
        log_level = 0.0
        if model.course is not None:
            for label, value in model.course.effects.items():
                if label.startswith("from "):
                    log_level += value * (setting.window.dates()[step].isoformat() >= label[5:])
                elif label.startswith("at "):
                    log_level += value * (setting.places.name[place] == label[3:])
                elif label == "trend":
                    log_level += value * step
                else:
                    log_level += value * setting.covariates[label][place, step]
        rate = model.background * self.share[place] * math.exp(log_level)
        if model.call is not None:
            memory = sum(model.call.memory ** (step - s) * setting.calls[place, s] for s in range(step + 1))
            rate += model.call.rate * self.share[place] * memory
        if model.abroad is not None:
            rate += model.abroad.rate * self.share[place] * setting.abroad[step]
        return rate

    def factor(self, place: int, step: int) -> float:
        model, setting = self.model, self.setting
        log_factor, population = 0.0, setting.places.population / 1e5
        for part, sign in ((model.deterrence, -1), (model.backlash, 1)):
            if part is None:
                continue
            stock = 0.0
            for s in range(step - part.lag_days + 1):
                arrests = self.history["arrests"][:, s]
                new = arrests[place] / population[place] if sign < 0 else arrests.sum() / population.sum()
                stock += model.arrests.memory ** (step - part.lag_days - s) * new
            log_factor += sign * part.strength * math.log(1 + stock)
        return math.exp(log_factor)

    def step(self, day: float) -> int:
        return min(int(day // self.setting.window.step), self.setting.window.periods - 1)

    def at(self, day: float, place: int) -> float:
        rate = self.base(place, self.step(day))
        for (t, p), mark in zip(self.events, self.mark, strict=True):
            if t < day:
                rate += self.offspring[p, place] * mark * g(self.model.delay, day - t)
        return self.factor(place, self.step(day)) * rate

    def expected(self, place: int, low: float, high: float) -> float:
        """Integrated intensity between two times of one step."""
        step = self.step((low + high) / 2)
        total = self.base(place, step) * (high - low)
        for (t, p), mark in zip(self.events, self.mark, strict=True):
            come = big_g(self.model.delay, high - t) - big_g(self.model.delay, low - t)
            total += self.offspring[p, place] * mark * come
        return self.factor(place, step) * total

    def by_step(self) -> np.ndarray:
        """(P, T)"""
        places, periods = self.setting.shape
        h = self.setting.window.step
        return np.array([[self.expected(p, s * h, (s + 1) * h) for s in range(periods)] for p in range(places)])

    def log_density(self) -> float:
        value = sum(math.log(self.at(t, p)) for t, p in self.inside) - self.by_step().sum()
        if self.model.arrests is not None:
            counts, arrests = self.history["events"], self.history["arrests"]
            for p, s in zip(*np.nonzero(counts), strict=True):
                mean, size = self.model.arrests.per_event * counts[p, s], 1 / self.model.arrests.overdispersion
                a = arrests[p, s]
                value += gammaln(a + size) - gammaln(size) - gammaln(a + 1)
                value += size * math.log(size / (size + mean)) + a * math.log(mean / (size + mean))
        return float(value)
