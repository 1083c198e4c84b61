"""Drawing events of several kinds under `MutuallyExciting`: one history, or many paths after a past."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.history import Events, History, from_events
from groundswell.data.setting import Setting
from groundswell.errors import UsageError, nearest
from groundswell.models.events.kinds import kinds_of, one_place
from groundswell.models.events.mutually_exciting_density import joined

if TYPE_CHECKING:
    from groundswell.models.events.mutually_exciting import MutuallyExciting


def drawn(model: MutuallyExciting, setting: Setting, rng: np.random.Generator, given: History | None) -> History:
    """The given events and what follows them, with times and kinds; UsageError when max_events is passed."""
    one_place(setting)
    nothing = Events(np.empty(0), np.empty(0, dtype=np.int64))
    past = nothing if given is None else model.checked(setting, given, shorter=True)
    start = 0.0 if given is None else float(given.window.days)
    sample, times, kind = sampler(model, setting, past, start)
    made = sample(rng)
    if made < 0:
        raise UsageError(_too_many(model, times[-1] if len(times) else start, setting.window.days))
    every = np.concatenate([past.time_days, times[:made]])
    of_kind = np.concatenate([kinds_of(past), kind[:made]])
    events = Events(every, np.zeros(len(every), dtype=np.int64), kind=of_kind)
    return from_events(setting.places, setting.window, events)


def paths(
    model: MutuallyExciting, setting: Setting, history: History, draws: int, rng: np.random.Generator, series: str
) -> np.ndarray:
    """(S, 1, D) counts of the steps after the history; NaN from the step in which one passes max_events."""
    if series not in (known := ("events", *model.kinds)):
        raise UsageError(
            f'MutuallyExciting draws the series {", ".join(known)}; it was asked for "{series}".'
            + nearest(series, known)
        )
    past, first, window = model.checked(setting, history, shorter=True), history.window.periods, setting.window
    sample, times, kind = sampler(model, setting, past, float(history.window.days))
    out = np.zeros((draws, 1, window.periods - first))
    for (counts,) in out:
        made = sample(rng)
        known = len(times) if made < 0 else made
        step = np.minimum((times[:known] // window.step).astype(int) - first, len(counts) - 1)
        wanted = slice(None) if series == "events" else kind[:known] == model.kinds.index(series)
        np.add.at(counts, step[wanted], 1)
        if made < 0:
            counts[(step[-1] if known else 0) :] = np.nan
    return out


def sampler(
    model: MutuallyExciting, setting: Setting, past: Events, start: float
) -> tuple[Callable[[np.random.Generator], int], np.ndarray, np.ndarray]:
    """A function that draws the events after `start` into two buffers, and the buffers: times and kinds.

    It returns their number, or -1 if max_events is passed and the buffers are full.
    """
    from groundswell.models.events._mutually_exciting_loops import draw

    background, offspring, decay = model.arrays
    times, kind, _ = joined(model.before, past)
    excitation = np.zeros(len(decay))
    np.add.at(excitation, kind, np.exp(-decay[kind] * (start - times)))
    room = max(model.max_events - len(past), 0)
    new_times, new_kind = np.empty(room), np.empty(room, dtype=np.int64)
    totals, rows, end = np.cumsum(background), np.cumsum(offspring, axis=1), float(setting.window.days)

    def sample(rng: np.random.Generator) -> int:
        return draw(rng, start, end, totals, rows, decay, excitation.copy(), new_times, new_kind)

    return sample, new_times, new_kind


def _too_many(model: MutuallyExciting, day: float, days: int) -> str:
    reached = f"MutuallyExciting reached max_events = {model.max_events} on day {int(day) + 1} of {days}. "
    if (radius := model.spectral_radius()) > 1:
        return (
            f"{reached}The spectral radius of its offspring is {radius:.3g}: each generation of events is larger than "
            "the one before, so they grow without bound. Shorten the window or raise max_events."
        )
    return f"{reached}So many are expected at these parameters. Raise max_events or shorten the window."
