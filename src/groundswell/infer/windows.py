"""Several windows in one fit: waves, or countries, that share parameters.

`fit(model, [setting, ...], [history, ...], method)` adds up the log densities. The windows may differ in
places, length, covariates and calls; a parameter is the same in all of them. What should differ gets a covariate
of its own (1 in one window, 0 elsewhere) or random intercepts by place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.listings import Listings
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import DataError, MissingVerb
from groundswell.models.base import Likelihood, can, density_of

Settings = Setting | Sequence[Setting]
Observed = History | Record | Listings | Sequence[History]
Waves = Sequence[tuple[Setting, Any]]
"""Windows, each with what happened in it: a History, or the Listings of a list that grows."""


def windows(setting: Settings, observed: Observed, method: str) -> list[tuple[Setting, Any]]:
    """The windows with what happened in each; MissingVerb for a Record, DataError for unequal numbers."""
    settings = [setting] if isinstance(setting, Setting) else list(setting)
    histories = list(observed) if isinstance(observed, Sequence) else [observed]
    found = []
    for history in histories:
        if not isinstance(history, History | Listings):
            raise MissingVerb(
                f"{method} weighs a History, what happened; it was given a {type(history).__name__}. For a Record, "
                "what was said, use TemperedSMC with Account(process, reporting)."
            )
        found.append(history)
    if len(settings) != len(found) or not settings:
        raise DataError(f"{len(settings)} settings and {len(found)} histories; expected one history for each setting.")
    return list(zip(settings, found, strict=True))


def likelihood_of(model: Any, waves: Waves) -> Likelihood:
    """The log density of all windows together, as `Model.likelihood` of one."""
    each: list[Any] = [density_of(model, setting, history) for setting, history in waves]
    if len(each) == 1:
        return each[0]
    if all(hasattr(one, "arrow") for one in each):
        return _InformedSum(each)
    return _Sum(each)


def remarks_of(model: Any, waves: Waves) -> tuple[str, ...]:
    """What a reader must know of these parameters, each sentence once."""
    if not can(model, "remarks"):
        return ()
    return tuple(dict.fromkeys(remark for setting, history in waves for remark in model.remarks(setting, history)))


def without_events(model: Any, histories: Sequence[Any]) -> str | None:
    """What to say of a fit to counts among which no weighed one is above 0, in no window; None if there is one.

    A single window or a fold may be quiet: the others tell. None too for a model that does not say, by
    `conditioned_steps`, how many of its first steps have no density.
    """
    given = getattr(model, "conditioned_steps", None)
    if given is None or not all(isinstance(one, History) and "events" in one.series for one in histories):
        return None
    for history in histories:
        counts = np.asarray(history["events"])
        if (counts if history.weighed is None else counts * history.weighed)[:, given:].any():
            return None
    after = "" if given == 0 else " after the first step" if given == 1 else f" after the first {given} steps"
    return (
        f"There is no event{after} among these counts: rates run to 0, and nothing can be learnt of what events depend "
        "on or how they follow each other. Estimates without a standard error mean nothing here. Take a longer window, "
        "larger places or longer steps; `infer.profile` gives an upper limit of a rate."
    )


class _Sum:
    def __init__(self, each: Sequence[Any]) -> None:
        self._each = each
        counts = [getattr(one, "observations", None) for one in each]
        self.observations = None if None in counts else sum(counts)  # type: ignore[arg-type]

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        values, gradients = zip(*(one(x) for one in self._each), strict=True)
        return sum(values), np.sum(gradients, axis=0)

    def stride(self, move: np.ndarray) -> float:
        """How far a step goes, in the window where it goes furthest."""
        plain = float(np.abs(move).max(initial=0.0))
        return max(one.stride(move) if hasattr(one, "stride") else plain for one in self._each)


class _InformedSum(_Sum):
    """With the information, and the arrow of places that several windows may share."""

    def information(self, x: np.ndarray) -> np.ndarray:
        return np.sum([one.information(x) for one in self._each], axis=0)

    def arrow(self, x: np.ndarray) -> Any:
        arrows = [one.arrow(x) for one in self._each]
        first = arrows[0]
        if not len(first.own_at):
            return first._replace(shared=np.sum([arrow.shared for arrow in arrows], axis=0))
        column: dict[int, int] = {}
        for arrow in arrows:
            for key in arrow.own_at[0]:
                column.setdefault(int(key), len(column))
        kinds, count = first.cross.shape[:2]
        cross, own = np.zeros((kinds, count, len(column))), np.zeros((kinds, kinds, len(column)))
        own_at = np.zeros((kinds, len(column)), dtype=np.int64)
        for arrow in arrows:
            at = [column[int(key)] for key in arrow.own_at[0]]
            cross[:, :, at] += arrow.cross
            own[:, :, at] += arrow.own
            own_at[:, at] = arrow.own_at
        return first._replace(
            shared=np.sum([arrow.shared for arrow in arrows], axis=0), cross=cross, own=own, own_at=own_at
        )
