"""What can be looked at of a run on a grid: pictures of its steps, with the history beside them.

A model that has the verb `watch(setting, *, rng) -> Watched` draws the very history that `simulate` draws from the
same `rng`. Pictures and their display are apart: whatever shows them takes a `Watched` and asks nothing of the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError

MOST_SIDE = 200
"""Rows and columns of a picture: on a telephone's screen a cell of more would be less than two points wide."""

MOST_CELLS = 6_000_000
"""Cells of all pictures of a run together: a page of about 3 MB, or 3,750 pictures of 40 x 40."""


@dataclass(frozen=True, eq=False)
class Watched:
    """A history and pictures of it.

    frames : (K, rows, columns) uint8, numbers of `states`. steps : (K,) after how many steps each was taken, from 0.
    states : what a cell can hold, by the words of the catalogue ("state-quiet" for "quiet"); the first is an empty one.
    grid : rows and columns of the whole grid, of which the pictures may show the top left corner only.
    notes : sentences of the catalogue on how to read the pictures ("replay-torus" for "torus").
    """

    history: History
    frames: np.ndarray
    steps: np.ndarray
    states: tuple[str, ...]
    grid: tuple[int, int]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.frames.ndim != 3 or self.frames.dtype != np.uint8 or len(self.frames) != len(self.steps):
            raise DataError(
                f"Watched.frames: {self.frames.dtype} {self.frames.shape} beside {len(self.steps)} steps; expected "
                "uint8 (K, rows, columns), one picture a step."
            )
        if self.frames.max(initial=0) >= len(self.states):
            raise DataError(f"Watched.frames holds {self.frames.max()}; expected numbers of {len(self.states)} states.")

    @property
    def every(self) -> int:
        """Steps from one picture to the next."""
        return int(self.steps[1] - self.steps[0]) if len(self.steps) > 1 else 1

    @property
    def cut(self) -> bool:
        """Whether the pictures show a corner of the grid only."""
        return self.frames.shape[1:] != self.grid


@dataclass(frozen=True)
class Sampling:
    """Which steps and cells are kept: every so many steps, and the top left `rows` x `columns`."""

    rows: int
    columns: int
    every: int

    @classmethod
    def of(cls, rows: int, columns: int, periods: int) -> Sampling:
        """All of a run that is small enough; of a larger one a corner, and then fewer steps."""
        rows, columns = min(rows, MOST_SIDE), min(columns, MOST_SIDE)
        return cls(rows, columns, max(1, math.ceil(periods / (MOST_CELLS // (rows * columns)))))

    def steps(self, periods: int) -> np.ndarray:
        """(K,) the steps kept, 0 and the last among them."""
        return np.unique([*range(0, periods, self.every), periods])

    def corner(self, frame: np.ndarray) -> np.ndarray:
        """What is kept of one picture."""
        return frame[: self.rows, : self.columns]


def watch_grid(
    now: Any,
    go_on: Callable[[Any, int], tuple[Any, Mapping[str, np.ndarray]]],
    setting: Setting,
    states: tuple[str, ...],
    grid: tuple[int, int],
    note: str = "torus",
) -> Watched:
    """A run over the setting's window, stopped for its pictures.

    now : what stands on the grid, with `frame()`. go_on(now, steps) -> what stands there then, and the series, (steps,)
    each. Stopping alters nothing where every draw is a hash of the step.
    """
    periods = setting.window.periods
    kept = Sampling.of(*grid, periods)
    steps = kept.steps(periods)
    frames, parts = [kept.corner(now.frame())], []
    for count in np.diff(steps):
        now, series = go_on(now, int(count))
        frames.append(kept.corner(now.frame()))
        parts.append(series)
    whole = {name: np.concatenate([part[name] for part in parts])[None, :] for name in parts[0]}
    history = History(setting.places, setting.window, whole)
    return Watched(history, np.stack(frames), steps, states, grid, (note,))
