"""How likely events in the plane are under `SpaceTime`, with the gradient in every parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from groundswell.data.history import Events
from groundswell.data.setting import Setting
from groundswell.errors import DataError
from groundswell.models.log_linear import LogLinear
from groundswell.params import from_vector, names

if TYPE_CHECKING:
    from groundswell.models.events.space_time import Offspring, SpaceTime


class SpaceTimeDensity:
    """The log density as a function of the parameter vector; what the data fix is computed once."""

    def __init__(self, model: SpaceTime, setting: Setting, events: Events) -> None:
        self._model, self._order = model, names(model)
        self._endemic = None if model.endemic is None else _Endemic(model.endemic, setting, events)
        self._triggering = None if model.offspring is None else _Triggering(model, setting, events)
        self._count = len(events)
        self.observations = len(events)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (all,)."""
        model = from_vector(self._model, x)
        slopes: dict[str, float] = {}
        rate, expected = np.zeros(self._count), 0.0
        endemic_rate, cells = np.zeros(self._count), np.zeros(0)
        if self._endemic is not None and model.endemic is not None:
            endemic_rate, cells = self._endemic.rates(model.endemic)
            rate += endemic_rate
            expected += model.kinds * cells.sum()
        if self._triggering is not None and model.offspring is not None:
            raised, offspring = self._triggering.rates(model.offspring)
            rate += raised
            expected += offspring
        with np.errstate(divide="ignore"):
            value = float(np.log(rate).sum() - expected)
        share = 1 / np.maximum(rate, 1e-300)
        if self._endemic is not None:
            slopes |= self._endemic.slopes(share * endemic_rate, model.kinds * cells)
        if self._triggering is not None and model.offspring is not None:
            slopes |= self._triggering.slopes(model.offspring, share)
        return value, np.array([slopes[name] for name in self._order])


class _Endemic:
    """Rates at the events and integrated over blocks: the steps in which nothing changes are one block."""

    def __init__(self, part: LogLinear, setting: Setting, events: Events) -> None:
        if "area_km2" not in setting.covariates:
            raise DataError(
                'SpaceTime needs the covariate "area_km2", each place\'s area: the endemic rate is per km^2 and day.'
            )
        window = setting.window
        step = np.minimum((events.time_days // window.step).astype(int), window.periods - 1)
        columns, offset = part.columns(setting), part.factor(setting)
        self._labels = ["endemic.intercept", *(f"endemic.effects.{label}" for label in part.effects)]
        self._at = np.stack([np.ones(len(events)), *(column[events.place, step] for column in columns)], axis=1)
        self._offset_at = offset[events.place, step]
        if len(events) and (bad := self._offset_at <= 0).any():
            first = int(np.flatnonzero(bad)[0])
            raise DataError(
                f'an event in "{setting.places.name[events.place[first]]}" lies where the endemic offset is 0.'
            )
        exposure = setting.covariates["area_km2"] * offset * window.step
        starts = _block_starts([*columns, exposure])
        days = np.add.reduceat(exposure, starts, axis=1)
        cells = np.stack([np.ones(days.shape), *(column[:, starts] for column in columns)], axis=-1)
        self._cells, which = np.unique(cells.reshape(days.size, -1), axis=0, return_inverse=True)
        self._exposure = np.bincount(which.ravel(), days.ravel())

    def rates(self, part: LogLinear) -> tuple[np.ndarray, np.ndarray]:
        """(E,) per km^2 and day at the events; (C,) expected events of a kind by distinct cell."""
        coefficients = np.array([part.intercept, *part.effects.values()])
        return self._offset_at * np.exp(self._at @ coefficients), self._exposure * np.exp(self._cells @ coefficients)

    def slopes(self, share: np.ndarray, cells: np.ndarray) -> dict[str, float]:
        gradient = share @ self._at - cells @ self._cells
        return dict(zip(self._labels, gradient.tolist(), strict=True))


def _block_starts(columns: list[np.ndarray]) -> np.ndarray:
    """Steps at which any place has another value than before, the first among them."""
    changes = np.zeros(columns[-1].shape[1], dtype=bool)
    changes[0] = True
    for column in columns:
        rows = column[:1] if column.strides[0] == 0 else column
        changes[1:] |= (rows[:, 1:] != rows[:, :-1]).any(axis=0)
    return np.flatnonzero(changes)


class _Triggering:
    """Pairs of events within reach, and what of each event's reach lies in region and window."""

    def __init__(self, model: SpaceTime, setting: Setting, events: Events) -> None:
        from groundswell.models.events._space_time_loops import pairs

        part = model.offspring
        assert part is not None
        kind = np.zeros(len(events), dtype=np.int64) if events.kind is None or part.across else np.asarray(events.kind)
        self._later, self._earlier, self._km, self._days = pairs(
            events.time_days, np.asarray(events.x_km, float), np.asarray(events.y_km, float), kind.astype(np.int64),
            part.furthest_km, part.longest_days,
        )  # fmt: skip
        self._marks = part.columns(events)
        self._left = np.minimum(setting.window.days - events.time_days, part.longest_days)
        self._boundary = model.boundary(setting, events)
        self._longest, self._furthest = np.array([part.longest_days]), np.array([part.furthest_km])
        self._times = model.kinds if part.across else 1
        self._count = len(events)

    def rates(self, part: Offspring) -> tuple[np.ndarray, float]:
        """(E,) what earlier events add at each event; expected offspring in region and window, all kinds."""
        reach, delay = part.reach, part.delay
        self._eta = np.exp(self._marks @ np.array([part.intercept, *part.effects.values()]))
        self._disc_all = float(reach.disc(self._furthest)[0])
        self._late_all = float(delay.integral(self._longest)[0])
        self._near = reach.value(self._km) / (2 * np.pi * self._disc_all)
        self._soon = delay.value(self._days) / self._late_all
        self._raised = self._eta[self._earlier] * self._near * self._soon
        disc = self._boundary.integral(reach.disc(self._boundary.distance), self._disc_all)
        self._seen = disc / (2 * np.pi * self._disc_all)
        self._in_time = delay.integral(self._left) / self._late_all
        self._offspring = self._times * self._eta * self._seen * self._in_time
        return np.bincount(self._later, self._raised, self._count), float(self._offspring.sum())

    def slopes(self, part: Offspring, share: np.ndarray) -> dict[str, float]:
        """Of the log density; share (E,) is 1 / rate at the events."""
        weight = share[self._later] * self._raised
        by_parent = np.bincount(self._earlier, weight, self._count) - self._offspring
        labels = ["offspring.intercept", *(f"offspring.effects.{name}" for name in part.effects)]
        found = dict(zip(labels, (by_parent @ self._marks).tolist(), strict=True))

        reach, at = part.reach, self._boundary
        all_slope = reach.disc_gradient(self._furthest)[:, 0]
        inside = at.integral(reach.disc_gradient(at.distance), all_slope) / (2 * np.pi * self._disc_all)
        scaled = all_slope / self._disc_all
        seen_slope = (self._times * self._eta * self._in_time) @ (inside - scaled[:, None] * self._seen).T
        moved = reach.log_gradient(self._km) @ weight - scaled * weight.sum() - seen_slope
        found |= {f"offspring.reach.{name}": float(v) for name, v in zip(names(reach), moved, strict=True)}

        delay = part.delay
        if own := names(delay):
            all_slope = delay.integral_gradient(self._longest)[:, 0]
            scaled = all_slope / self._late_all
            inside = delay.integral_gradient(self._left) / self._late_all - scaled[:, None] * self._in_time
            per_day = delay.gradient(self._days) / np.maximum(delay.value(self._days), 1e-300)
            moved = per_day @ weight - scaled * weight.sum() - inside @ (self._times * self._eta * self._seen)
            found |= {f"offspring.delay.{name}": float(v) for name, v in zip(own, moved, strict=True)}
        return found
