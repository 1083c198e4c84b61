"""The endemic part of events in the plane: its rate at the events, and integrated over places and steps."""

from __future__ import annotations

import numpy as np

from groundswell.data.history import Events
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.log_linear import LogLinear


class EndemicPart:
    """What the data fix of a log-linear rate: columns at the events, and cells that share their columns.

    Steps in which nothing changes are one block; places whose columns do not differ are one cell of it.
    """

    def __init__(self, part: LogLinear, setting: Setting, events: Events) -> None:
        if "area_km2" not in setting.covariates:
            raise DataError(
                'SpaceTime needs the covariate "area_km2", each place\'s area: the endemic rate is per km^2 and day.'
            )
        window = setting.window
        step = np.minimum((events.time_days // window.step).astype(int), window.periods - 1)
        columns, offset, area = part.columns(setting), part.factor(setting), setting.covariates["area_km2"]
        self.at = np.stack([np.ones(len(events)), *(column[events.place, step] for column in columns)], axis=1)
        self.offset_at = offset[events.place, step]
        if len(events) and (bad := self.offset_at <= 0).any():
            first = int(np.flatnonzero(bad)[0])
            raise DataError(
                f'an event in "{setting.places.name[events.place[first]]}" lies where the endemic offset is 0.'
            )
        starts = _block_starts([*columns, offset, area])
        days = np.diff(np.append(starts, window.periods)) * window.step
        exposure = offset[:, starts] * area[:, starts] * days
        cells = np.stack([np.ones(exposure.shape), *(column[:, starts] for column in columns)], axis=-1)
        if (cells == cells[:1]).all():
            exposure, cells = exposure.sum(axis=0), cells[0]
        self.cells, self.exposure = cells.reshape(exposure.size, -1), exposure.ravel()

    def rates(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(E,) per km^2 and day at the events; (C,) expected events of a kind by cell."""
        return self.offset_at * np.exp(self.at @ coefficients), self.exposure * np.exp(self.cells @ coefficients)


def _block_starts(columns: list[np.ndarray]) -> np.ndarray:
    """Steps at which any place has another value than before, the first among them."""
    changes = np.zeros(columns[-1].shape[1], dtype=bool)
    changes[0] = True
    for column in columns:
        if column.strides[1]:
            rows = column[:1] if column.strides[0] == 0 else column
            changes[1:] |= (rows[:, 1:] != rows[:, :-1]).any(axis=0)
    return np.flatnonzero(changes)
