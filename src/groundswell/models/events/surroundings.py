"""What acts on self-exciting events from outside, step by step: a moving background, calls, repression.

The intensity at place p in step s is factor_ps (base_ps + what earlier events add). base: events a day without
excitation, of the background, of calls and of events abroad. factor: arrests of earlier steps, which deter at the
place and may anger the country. Both are constant within a step, and known before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.events.self_exciting_parts import log_population

if TYPE_CHECKING:
    from groundswell.models.events.self_exciting import SelfExciting


class Surroundings:
    """Base and factor (P, T) at parameter values, and the slopes of a sum in their parameters."""

    def __init__(self, model: SelfExciting, setting: Setting, history: History | None) -> None:
        """history : where `arrests` are read from, if repression is part of the model."""
        daily = (model.call, model.abroad, model.arrests)
        if setting.window.step != 1 and any(part is not None for part in daily):
            raise DataError(
                f"the memories of calls, events abroad and arrests are daily, and the setting has steps of "
                f"{setting.window.step} days. Use a window with steps of one day, or leave these parts out."
            )
        for part, what, given in ((model.call, "calls", setting.calls), (model.abroad, "abroad", setting.abroad)):
            if part is not None and given is None:
                raise DataError(
                    f"SelfExciting has a part that acts on Setting.{what}, which this setting does not have. Give it, "
                    "or leave the part out."
                )
        self._setting = setting
        self._log_population = log_population(setting.places.population)
        self._columns = [] if model.course is None else model.course.columns(setting)
        self._calls = None if setting.calls is None else np.ascontiguousarray(setting.calls.T)
        self._stocks: tuple[np.ndarray, np.ndarray] | None = None
        if model.represses and history is not None:
            self._stocks = stocks(model, setting, history)

    def base(self, model: SelfExciting) -> np.ndarray:
        """(P, T) events a day without excitation and repression."""
        shares = model.shares(self._setting.places)
        self._moved = np.ones(self._setting.shape)
        if model.course is not None:
            log_level = np.zeros(self._setting.shape)
            for coefficient, column in zip(model.course.effects.values(), self._columns, strict=True):
                log_level += coefficient * column
            self._moved = np.exp(log_level)
        self._own = model.background * shares[:, None] * self._moved
        given = self._own
        if model.call is not None:
            self._memory = self._fading_calls(model.call.memory)
            given = given + model.call.rate * shares[:, None] * self._memory[0]
        if model.abroad is not None and self._setting.abroad is not None:
            given = given + model.abroad.rate * np.outer(shares, self._setting.abroad)
        return given

    def base_slopes(self, model: SelfExciting, d_base: np.ndarray) -> dict[str, float]:
        """From the slope (P, T) in the base of each cell."""
        shares = model.shares(self._setting.places)
        moved = (d_base * self._moved).sum(axis=1)
        found = {"background": float(moved @ shares)}
        in_share = model.background * moved
        if model.course is not None:
            weighed = d_base * self._own
            for label, column in zip(model.course.effects, self._columns, strict=True):
                found[f"course.effects.{label}"] = float((weighed * column).sum())
        if model.call is not None:
            called = (d_base * self._memory[0]).sum(axis=1)
            found["call.rate"] = float(shares @ called)
            found["call.memory"] = model.call.rate * float(shares @ (d_base * self._memory[1]).sum(axis=1))
            in_share = in_share + model.call.rate * called
        if model.abroad is not None and self._setting.abroad is not None:
            received = d_base @ self._setting.abroad
            found["abroad.rate"] = float(shares @ received)
            in_share = in_share + model.abroad.rate * received
        if model.population is not None:
            turned = shares * (self._log_population - shares @ self._log_population)
            found["population.scale"] = float(in_share @ turned)
        return found

    def factor(self, model: SelfExciting) -> np.ndarray:
        """(P, T) by which arrests of earlier steps multiply the whole intensity."""
        if self._stocks is None or model.arrests is None:
            return np.ones(self._setting.shape)
        from groundswell.models.cities._mobilisation_likelihood_loops import fading

        self._hurt, self._alarm = (
            tuple(_before(each.T) for each in fading(stock, model.arrests.memory)) for stock in self._stocks
        )
        logs = np.zeros(self._setting.shape)
        if model.deterrence is not None:
            logs -= model.deterrence.strength * np.log1p(self._hurt[0])
        if model.backlash is not None:
            logs += model.backlash.strength * np.log1p(self._alarm[0])
        return np.exp(logs)

    def factor_slopes(self, model: SelfExciting, d_log: np.ndarray) -> dict[str, float]:
        """From the slope (P, T) in the log factor of each cell."""
        if self._stocks is None:
            return {}
        found = {"arrests.memory": 0.0}
        if model.deterrence is not None:
            stock, slope = self._hurt
            found["deterrence.strength"] = -float((d_log * np.log1p(stock)).sum())
            found["arrests.memory"] -= model.deterrence.strength * float((d_log * slope / (1 + stock)).sum())
        if model.backlash is not None:
            stock, slope = self._alarm
            found["backlash.strength"] = float((d_log * np.log1p(stock)).sum())
            found["arrests.memory"] += model.backlash.strength * float((d_log * slope / (1 + stock)).sum())
        return found

    def _fading_calls(self, memory: float) -> tuple[np.ndarray, np.ndarray]:
        from groundswell.models.cities._mobilisation_likelihood_loops import fading

        stock, slope = fading(self._calls, memory)
        return stock.T, slope.T


class Repression:
    """The factor of one step after the other, while arrests are still being drawn."""

    def __init__(self, model: SelfExciting, setting: Setting) -> None:
        self._model = model
        self._per_100k = setting.places.population / 100_000
        self._hurt, self._alarm = np.zeros(len(self._per_100k)), 0.0

    def next(self, arrests: np.ndarray, step: int) -> np.ndarray:
        """(P,) the factor of `step`, from the arrests (P, T) of the steps before; called for every step from 0 on."""
        model, logs = self._model, np.zeros(len(self._per_100k))
        if model.arrests is None:
            return np.ones(len(logs))
        if model.deterrence is not None:
            new = arrests[:, step - model.deterrence.lag_days] if step >= model.deterrence.lag_days else 0.0 * logs
            self._hurt = model.arrests.memory * self._hurt + new / self._per_100k
            logs -= model.deterrence.strength * np.log1p(self._hurt)
        if model.backlash is not None:
            total = arrests[:, step - model.backlash.lag_days].sum() if step >= model.backlash.lag_days else 0.0
            self._alarm = model.arrests.memory * self._alarm + total / self._per_100k.sum()
            logs += model.backlash.strength * np.log1p(self._alarm)
        return np.exp(logs)


def stocks(model: SelfExciting, setting: Setting, history: History) -> tuple[np.ndarray, np.ndarray]:
    """(T, P) and (T, 1): arrests per 100,000 that join the stocks of deterrence and backlash at each step's end."""
    arrests = arrests_of(history)
    arrests = np.pad(arrests, ((0, 0), (0, setting.window.periods - arrests.shape[1])))
    per_100k = setting.places.population / 100_000
    return (
        _late((arrests / per_100k[:, None]).T, model.deterrence),
        _late(arrests.sum(axis=0)[:, None] / per_100k.sum(), model.backlash),
    )


def arrests_of(history: History) -> np.ndarray:
    """(P, T) arrests by place and step; DataError for a history without them."""
    if "arrests" not in history.series:
        raise DataError(
            "this history has no arrests, on which deterrence and backlash act. Give a series of arrests by place and "
            "step, or leave these parts out: arrests=None, deterrence=None, backlash=None."
        )
    return history.counts("arrests")


def _late(given: np.ndarray, part: Any) -> np.ndarray:
    """(T, ...) later by the part's lag beyond one step: a stock of what came late is the earlier step's stock."""
    late = 0 if part is None else min(part.lag_days - 1, len(given))
    return np.ascontiguousarray(np.concatenate([np.zeros_like(given[:late]), given[: len(given) - late]]))


def _before(stock: np.ndarray) -> np.ndarray:
    """(..., T) the stock at each step's start: that at the end of the step before, 0 for the first."""
    return np.concatenate([np.zeros_like(stock[..., :1]), stock[..., :-1]], axis=-1)
