"""What a promise is, and what its checks share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.models.base import can
from groundswell.rng import generator


class BrokenPromise(AssertionError):
    """A model that does not do what every model with its verbs does; the message says what was found."""


@dataclass(frozen=True)
class Promise:
    """One line of the contract. needs : the verbs without which it was never made."""

    check: Callable[[Any, Setting], None]
    needs: tuple[str, ...] = ()

    def __call__(self, model: Any, setting: Setting) -> None:
        """BrokenPromise unless the model keeps it in this setting."""
        self.check(model, setting)

    def __str__(self) -> str:
        return self.check.__name__.replace("_", " ")

    def applies(self, model: Any) -> bool:
        """Whether this very model has the verbs."""
        return all(can(model, verb) for verb in self.needs)


def hold(kept: object, words: str) -> None:
    """BrokenPromise with these words unless `kept`."""
    if not kept:
        raise BrokenPromise(words)


def near(found: Any, expected: Any, rel: float, abs_: float = 0.0) -> np.ndarray:
    """Whether each number is within the larger of both tolerances of what is expected; NaN is near nothing."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    return np.abs(found - expected) <= np.maximum(rel * np.abs(expected), abs_)


def draw(model: Any, setting: Setting, seed: int, **given: Any) -> History:
    """A history from a seed."""
    return model.simulate(setting, rng=generator(seed), **given)


DRAWS = 400
"""Histories over which a mean must be 0 within 4 standard errors."""

_last_drawn: list[tuple[Any, Setting, list[History]]] = []


def many(model: Any, setting: Setting) -> list[History]:
    """DRAWS histories; kept until another model asks, since more than one promise averages over them."""
    if not (_last_drawn and _last_drawn[0][0] is model and _last_drawn[0][1] is setting):
        _last_drawn[:] = [(model, setting, [draw(model, setting, seed) for seed in range(DRAWS)])]
    return _last_drawn[0][2]


def same(first: History, second: History) -> None:
    """BrokenPromise unless both histories are the same, number for number."""
    hold(first.series.keys() == second.series.keys(), f"series {list(first.series)} and {list(second.series)}")
    for name in first.series:
        hold(np.array_equal(first[name], second[name]), f'series "{name}" differs')
    hold((first.events is None) == (second.events is None), "one history has single events, the other has none")
    if first.events is not None and second.events is not None:
        for what in ("time_days", "place"):
            hold(np.array_equal(getattr(first.events, what), getattr(second.events, what)), f"events.{what} differs")
