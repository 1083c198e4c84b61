"""What models of one crowd refuse: several places, a past of which only totals are known, steps that are no number."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import MissingVerb, UsageError


def check_one_place(model: Any, setting: Setting, its: str) -> None:
    """UsageError unless the setting has a single place, for `its` one grid, network or crowd."""
    if len(setting.places) != 1:
        raise UsageError(
            f"{type(model).__name__} was given a setting of {len(setting.places)} places; expected one, "
            f"Places.single(), for its one {its}. Simulate one model per place."
        )


def check_no_past(model: Any, given: History | None, unknown: str, instead: str) -> None:
    """MissingVerb if a history is to be gone on from: totals leave `unknown` open."""
    if given is not None:
        raise MissingVerb(
            f"{type(model).__name__}.simulate cannot continue from a history: totals do not say {unknown}. {instead}"
        )


def check_steps(steps: int) -> None:
    """UsageError unless it is a whole number, 0 or more."""
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 0:
        raise UsageError(f"steps is {steps!r}; expected a whole number, 0 or more.")
