"""Contagion weighed against a background that moves by itself (`evaluate.contagion`), for the report on a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import GroundswellError
from groundswell.evaluate.contagion import Contagion, Movement, contagion_or_correlation
from groundswell.evaluate.ranking import Finding
from groundswell.evaluate.replicas import held
from groundswell.infer.base import Fit, Progress, silent
from groundswell.params import names, vector

SHORTEST, PARTS = 7.0, (12, 4)
"""Days over which the background moves: so many parts of the window, each a week at least; shorter ones need too many
coefficients."""

NOTHING = -30.0
"""Log of an event's offspring where there are none."""


@dataclass(frozen=True, eq=False)
class Weighed:
    """found : None where it could not be weighed, for `reason`. days : over which the background was let move."""

    found: Contagion | None
    days: tuple[float, ...]
    reason: str = ""

    @property
    def findings(self) -> list[Finding]:
        """The verdict with both probabilities, or why there is none."""
        if self.found is None:
            return [Finding("events-contagion-failed", {"reason": self.reason})]
        shares = {"triggering": _said(self.found.triggering), "movement": _said(self.found.movement)}
        days = tuple(f"{each:.3g}" for each in self.days)
        return [Finding(f"events-contagion-{self.found.verdict.replace(' ', '-')}", {**shares, "days": days})]


def weighed(found: Fit, setting: Setting, history: History, *, progress: Progress = silent) -> Weighed:
    """Weigh the fitted model against the same with a background that moves at random, with and without triggering.

    What the fit held stays held. Cost: eighteen searches with their Hessians; seconds for some hundred events in a
    few places, many minutes for hundreds of places by day.
    """
    days = tuple(sorted({max(SHORTEST, setting.window.days / parts) for parts in PARTS}))
    without = _without(found.model)
    try:
        made = contagion_or_correlation(
            found.model, setting, history, without=without, fixed=held(found),
            movements=[Movement(scale) for scale in days], progress=progress,
        )  # fmt: skip
    except GroundswellError as error:
        return Weighed(None, days, str(error))
    return Weighed(made, days)


def _said(probability: float) -> str:
    """Never a false 0 or 1."""
    return "under 0.01" if probability < 0.01 else "over 0.99" if probability > 0.99 else f"{probability:.2g}"


def _without(model: Any) -> Mapping[str, float]:
    """What takes triggering out of a model, and holds what then means nothing where it is."""
    now = dict(zip(names(model), np.asarray(vector(model)).tolist(), strict=True))
    idle = {name: at for name, at in now.items() if name.startswith(("delay.", "reach.", "size.", "offspring."))}
    none = {"branching_ratio": 0.0, "media.offspring": 0.0, "offspring.intercept": NOTHING}
    return idle | {name: at for name, at in none.items() if name in now}
