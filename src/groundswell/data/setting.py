"""Setting: everything that is given to a model, as opposed to drawn by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

import numpy as np

from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.region import Region
from groundswell.data.window import Window
from groundswell.errors import DataError


@dataclass(frozen=True, eq=False)
class Setting:
    """What is given: places, window, network, covariates, calls, abroad, who was active first.

    covariates : name -> array that broadcasts to (P, T); kept as (P, T) float, read-only.
    calls : (P, T) of 0 and 1, 1 where the place was called to protest on that step; see `calls`.
    abroad : (T,) events in other countries.
    active_on_day0 : names of the places with an event on the first day; models condition on them.
    later_edges : (K + 1,) whole days since the window's start, rising from window.days, that cut the
    time after the window into the steps in which organised groups run on; empty for none.
    region : where on a plane map events could have been seen, for models of events in the plane.
    """

    places: Places
    window: Window
    network: Network | None = None
    covariates: Mapping[str, np.ndarray] = field(default_factory=dict)
    calls: np.ndarray | None = None
    abroad: np.ndarray | None = None
    active_on_day0: tuple[str, ...] = ()
    later_edges: tuple[int, ...] = ()
    region: Region | None = None

    def __post_init__(self) -> None:
        shape = (len(self.places), self.window.periods)
        covariates = {}
        for name, given in self.covariates.items():
            covariates[name] = self._everywhere(f'covariate "{name}"', given)
        object.__setattr__(self, "covariates", covariates)
        if self.calls is not None:
            calls = self._everywhere("Setting.calls", self.calls)
            self._refuse("Setting.calls", calls, (calls != 0) & (calls != 1), "0 or 1, 1 where the place was called")
            object.__setattr__(self, "calls", calls)
        if self.abroad is not None:
            abroad = np.array(self.abroad, dtype=float)
            if abroad.shape != (shape[1],):
                raise DataError(f"Setting.abroad has shape {abroad.shape}; expected ({shape[1]},), one value a step.")
            wrong = ~(np.isfinite(abroad) & (abroad >= 0))
            self._refuse("Setting.abroad", abroad, wrong, "0 or more events; fill in what is missing")
            object.__setattr__(self, "abroad", abroad)
        if self.network is not None and len(self.network.adjacency) != shape[0]:
            raise DataError(
                f"Setting.network joins {len(self.network.adjacency)} places; expected {shape[0]}, the setting's own."
            )
        for name in self.active_on_day0:
            self.places.index(name)
        edges = tuple(int(edge) for edge in self.later_edges)
        if edges and (edges[0] != self.window.days or any(b <= a for a, b in pairwise(edges))):
            raise DataError("Setting.later_edges must rise from the window's length in days.")
        object.__setattr__(self, "later_edges", edges)

    @property
    def shape(self) -> tuple[int, int]:
        """(P, T)."""
        return len(self.places), self.window.periods

    def _everywhere(self, what: str, given: np.ndarray) -> np.ndarray:
        """(P, T) read-only, a value everywhere; DataError, naming place and date, for one that is missing.

        What is the same at all places or steps is held once and has a stride of 0 along them.
        """
        full = _broadcast(what, given, self.shape)
        self._refuse(what, full, ~np.isfinite(full), "a finite number everywhere; fill it in or drop it")
        full.flags.writeable = False
        return full

    def _refuse(self, what: str, values: np.ndarray, wrong: np.ndarray, expected: str) -> None:
        """DataError for the first of (P, T) or (T,) values that is wrong, with its place and date."""
        if wrong.any():
            first = tuple(int(index[0]) for index in np.nonzero(wrong))
            place = f' in "{self.places.name[first[0]]}"' if values.ndim == 2 else ""
            raise DataError(
                f"{what} is {values[first]:g}{place} on {self.window.dates()[first[-1]]}; expected {expected}."
            )

    def during(self, periods: int) -> Setting:
        """The same setting cut to its first `periods` steps (a shorter past)."""
        return replace(
            self,
            window=replace(self.window, periods=periods),
            covariates={name: values[:, :periods] for name, values in self.covariates.items()},
            calls=None if self.calls is None else self.calls[:, :periods],
            abroad=None if self.abroad is None else self.abroad[:periods],
            later_edges=(),
        )


def call_matrix(places: Places, window: Window, calls: Sequence[tuple[date | str, Sequence[str] | None]]) -> np.ndarray:
    """(P, T) call indicator from (date, names); None for names means the whole country."""
    matrix = np.zeros((len(places), window.periods))
    for when, who in calls:
        step = window.day(when) // window.step
        if not 0 <= step < window.periods:
            raise DataError(f"a call on {when} lies outside the window {window.start} to {window.end}.")
        rows = slice(None) if who is None else [places.index(name) for name in who]
        matrix[rows, step] = 1.0
    return matrix


def _broadcast(what: str, given: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    values = np.array(given, dtype=float)
    if values.ndim == 1 and values.shape == (shape[0],) and shape[0] != shape[1]:
        values = values[:, None]
    elif values.ndim == 1 and shape[0] == shape[1]:
        raise DataError(f"{what} is one-dimensional and P = T = {shape[0]}; give it as (P, 1) or (1, T).")
    try:
        return np.broadcast_to(values, shape)
    except ValueError as error:
        raise DataError(f"{what} has shape {values.shape}; expected (P, T) = {shape}, (P,) or (T,).") from error
