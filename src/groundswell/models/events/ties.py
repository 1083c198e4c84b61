"""Events that share their time, as records by day do: told in a warning, or moved apart within their day."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from groundswell.data.history import Events, History
from groundswell.errors import DataError, GroundswellWarning


def single_events(history: History, reader: str) -> Events:
    """The history's events; DataError, naming who reads them one by one, if it has counts alone."""
    if history.events is None:
        raise DataError(
            f"this history has counts but no single events, and {reader} weighs events one by one. "
            "Give History.events, or use EndemicEpidemic for counts."
        )
    return history.events


def jittered(history: History, *, rng: np.random.Generator, precision_days: float | None = None) -> History:
    """The same history with each event moved to a uniform moment of the stretch in which its time is known.

    That is what `Events.within_days` says, as far as the event's step goes (one known exactly stays), else its day. The
    order within a stretch is then chance, so triggering much faster than that cannot be learnt, and results depend a
    little on the seed: repeat with several. precision_days : width of the cells that times were rounded down to, from
    the window's start.
    """
    events = single_events(history, "jittered")
    known, width = events.within_days, np.full(len(events), precision_days or 1.0)
    if precision_days is None and known is not None:
        step = history.window.step
        width = np.minimum(known, (np.floor(events.time_days / step) + 1) * step - events.time_days)
    cell = events.time_days
    if precision_days is not None or known is None:
        cell = np.floor(events.time_days / width) * width
    times = cell + rng.random(len(events)) * (np.minimum(cell + width, history.window.days) - cell)
    timeless = replace(events, time_days=np.zeros(len(times)), day_precision=False, within_days=None)
    moved = timeless.take(np.argsort(times, kind="stable"))
    return replace(history, events=replace(moved, time_days=np.sort(times, kind="stable")))


def warn_of_ties(times: np.ndarray, group: np.ndarray) -> None:
    """A GroundswellWarning where events of one group share their time, as dates alone make them."""
    distinct = len(np.unique(np.stack([group.astype(float), times]), axis=1).T) if len(times) else 0
    if distinct < len(times):
        warnings.warn(
            f"{len(times) - distinct} of {len(times)} events share their time with another. Tied events do not "
            "trigger each other here; if times are known to the day only, spread them first with "
            "jittered(history, rng=rng) and say so, or weigh counts by step (SelfExciting(by_step=True)).",
            GroundswellWarning,
            stacklevel=4,
        )
