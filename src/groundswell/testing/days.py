"""Promises of day-by-day models: reproducible days, and exact weights of what is forced."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundswell.data.setting import Setting
from groundswell.rng import generator
from groundswell.testing.base import Promise, hold

HISTORIES = 4000
"""Drawn at once to compare a weight with a frequency."""


def day_by_day_the_same_seed_gives_the_same_days(model: Any, setting: Setting) -> None:
    """(T, S, P) events, from `start` and `step`."""
    first = _stepped(model, setting, 7, 5)
    expected = (setting.window.periods, 5, len(setting.places))
    hold(first.shape == expected, f"today's events by day are {first.shape}; expected {expected}")
    hold(np.array_equal(first, _stepped(model, setting, 7, 5)), "the same seed gave other days")


def what_is_forced_is_active_and_weighed(model: Any, setting: Setting) -> None:
    """E[weight under forcing] = P(active): the mean weight is the frequency without forcing."""
    place, day = len(setting.places) - 1, 1
    free = _stepped(model, setting, 8, HISTORIES)[day, :, place] > 0
    rng = generator(9)
    state = model.start(setting, rng=rng, histories=HISTORIES)
    weight = np.zeros(HISTORIES)
    for now in range(day + 1):
        state, weight = model.step(state, now, rng=rng, forced=[(place, day)])
    hold((np.array(state.today["events"])[:, place] > 0).all(), "a place that was forced is not active")
    hold((weight <= 0).all(), "the log of a probability is above 0")
    error = np.hypot(np.std(free), np.std(np.exp(weight))) / np.sqrt(HISTORIES)
    mean, share = np.exp(weight).mean(), free.mean()
    hold(abs(mean - share) <= 4 * error, f"mean weight {mean:.4g}, frequency {share:.4g}, standard error {error:.2g}")


def _stepped(model: Any, setting: Setting, seed: int, histories: int) -> np.ndarray:
    rng = generator(seed)
    state = model.start(setting, rng=rng, histories=histories)
    days = []
    for day in range(setting.window.periods):
        state, weight = model.step(state, day, rng=rng)
        hold(np.shape(weight) == (histories,), f"the weight is {np.shape(weight)}; expected ({histories},)")
        hold(not np.any(weight), "nothing was forced, and yet there is a weight")
        days.append(np.array(state.today["events"]))
    return np.array(days)


PROMISES = (
    Promise(day_by_day_the_same_seed_gives_the_same_days, ("start", "step")),
    Promise(what_is_forced_is_active_and_weighed, ("start", "step")),
)
