"""Listings: which places a growing list held when it was seen, and the day of the first event that it states."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from groundswell.data.setting import Setting
from groundswell.errors import DataError


@dataclass(frozen=True, eq=False)
class Listings:
    """L entries of a list that was seen V times, the last time on the window's last day.

    vintages : (V,) days since the window's start on which the list was seen, rising.
    unit : (L,) index into the setting's places. first_seen : (L,) the first vintage that has the entry.
    day : (L,) day of the first event, -1 where the list states none. An entry cannot be listed before
    its event: day <= vintages[first_seen].
    """

    vintages: np.ndarray
    unit: np.ndarray
    first_seen: np.ndarray
    day: np.ndarray

    def __post_init__(self) -> None:
        for name in ("vintages", "unit", "first_seen", "day"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.int64))
        if self.vintages.ndim != 1 or not len(self.vintages) or (np.diff(self.vintages) <= 0).any():
            raise DataError(
                f"Listings.vintages is {self.vintages.tolist()}; expected one day or more, each later than the one "
                "before: what a list held is told by when it was seen."
            )
        if not self.unit.shape == self.first_seen.shape == self.day.shape or self.unit.ndim != 1:
            raise DataError(
                f"Listings has unit {self.unit.shape}, first_seen {self.first_seen.shape} and day {self.day.shape}; "
                "expected (L,) each."
            )
        if len(self) and not (self.first_seen.min() >= 0 and self.first_seen.max() < len(self.vintages)):
            raise DataError("Listings.first_seen names a vintage that there is not.")
        if (self.day > self.vintages[self.first_seen]).any() or (self.day < -1).any():
            raise DataError(
                "Listings.day holds a day after the vintage that first lists the entry, or below -1; nothing is "
                "listed before it happens. Put -1 where the day is not known."
            )

    def __len__(self) -> int:
        return len(self.unit)

    def check(self, setting: Setting) -> None:
        """DataError unless the entries stand in the setting's places and the last vintage is its last day."""
        if self.vintages[0] < 0 or self.vintages[-1] != setting.window.days - 1 or setting.window.step != 1:
            raise DataError(
                f"the list was seen on days {self.vintages.tolist()} of a window of {setting.window.days} days in "
                f"steps of {setting.window.step}; expected daily steps, and the last vintage on the last day."
            )
        if len(self) and not (self.unit.min() >= 0 and self.unit.max() < len(setting.places)):
            raise DataError(f"Listings.unit names a place outside the setting's {len(setting.places)}.")

    def waiting(self, places: int) -> np.ndarray:
        """(P,) bool: the places without an entry."""
        out = np.ones(places, dtype=bool)
        out[self.unit] = False
        return out

    def subset(self, rows: np.ndarray) -> Listings:
        """The entries at `rows`, seen on the same days."""
        return Listings(self.vintages, self.unit[rows], self.first_seen[rows], self.day[rows])

    def digest(self) -> str:
        """SHA-256 of the vintages and entries, whatever the order of the entries."""
        entries = np.stack([self.unit, self.first_seen, self.day])
        ordered = entries[:, np.lexsort(entries)]
        return hashlib.sha256(self.vintages.tobytes() + ordered.tobytes()).hexdigest()
