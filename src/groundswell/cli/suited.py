"""A model of the library, made to suit the events that it meets: the season, the neighbours, what no events tell.

A model as its example states it knows nothing of a file: its season may be counted in weeks, its weights may ask who is
adjacent. What is stated by name is kept; the rest is suited to the data, and every change is said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.models.base import can
from groundswell.params import Effects

YEAR_DAYS = 365.25
SEASON_DAYS = 3 * 365
"""A shorter record cannot tell a season of the year from a wave; `compare` leaves the season out of it too."""

_HARMONIC = re.compile(r"(?:sin|cos)\d+")


def suited(
    model: Any,
    settings: Sequence[Setting],
    histories: Sequence[History],
    stated: Mapping[str, Any] | None = None,
    named: Collection[str] = (),
    fitted: bool = True,
) -> tuple[Any, tuple[str, ...]]:
    """The model for these windows, and in sentences what was changed or must be known.

    stated : components as a configuration states them; what they name is kept. named : parameters that were set or
    held by name, which are kept too. fitted : False for a model that is used as it is: only neighbours are seen to.
    UsageError for parts that a table of events cannot inform.
    """
    seasons: list[str] = []
    if fitted:
        _unseen(model, histories)
        model, seasons = _seasonal(model, settings, stated or {}, named)
    model, neighbours = _joined(model, settings, stated or {})
    return model, (*seasons, *neighbours)


def _seasonal(
    model: Any, settings: Sequence[Setting], stated: Mapping[str, Any], named: Collection[str]
) -> tuple[Any, list[str]]:
    """A year of 365.25 days in steps where no period was stated; no season where the record is too short for one."""
    from groundswell.models.log_linear import LogLinear

    remarks: list[str] = []
    step, days = settings[0].window.step, _days_covered(settings)
    for field in fields(model):
        part, said = getattr(model, field.name), _table(stated.get(field.name))
        if not isinstance(part, LogLinear):
            continue
        waves = [label for label in part.effects if _HARMONIC.fullmatch(label)]
        if not waves:
            continue
        period = YEAR_DAYS / step if "period" not in said or part.period is None else part.period
        part = replace(part, period=period)
        where = f"{field.name}.effects"
        asked = "effects" in said or any(f"{where}.{label}" in named for label in waves)
        why = _no_season(settings, days) if "period" not in said else ""
        if why and not asked:
            kept = {label: value for label, value in part.effects.items() if label not in waves}
            part = replace(part, effects=Effects(kept))
            remarks.append(
                f"The season ({', '.join(waves)} of {field.name}) is left out: {why}. To have it all the same, state "
                f"effects of {field.name} in [components.{field.name}] of a --config file."
            )
        else:
            length = "1 day" if step == 1 else f"{step} days"
            remarks.append(
                f"The season of {field.name} ({', '.join(waves)}) has a period of {period:.5g} steps of {length}: "
                f"{period * step:.5g} days." + (f" Beware: {why}." if why else "")
            )
        model = replace(model, **{field.name: part})
    return model, remarks


def _no_season(settings: Sequence[Setting], days: int) -> str:
    """Why these windows cannot tell a season of the year, or nothing."""
    if days < SEASON_DAYS:
        return f"the windows cover {days} days, and in less than three years a season cannot be told from a wave"
    starts = [setting.window.start.timetuple().tm_yday for setting in settings]
    apart = max(starts) - min(starts)
    if min(apart, 365 - apart) > settings[0].window.step:
        return (
            "a season is counted from the first step of its window, and these windows begin at different times of the "
            "year"
        )
    return ""


def _days_covered(settings: Sequence[Setting]) -> int:
    """Days of the calendar that lie in any of the windows."""
    return len(
        {
            day
            for setting in settings
            for day in range(setting.window.start.toordinal(), setting.window.end.toordinal() + 1)
        }
    )


def _joined(model: Any, settings: Sequence[Setting], stated: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Weights that need no neighbours where none are known."""
    from groundswell.models.cities.weights import DistancePowerLaw, Everywhere, FirstOrder, Orders, PowerLaw, Weights

    weights = getattr(getattr(model, "between", None), "weights", None)
    if not isinstance(weights, Weights):
        return model, []
    if all(len(setting.places) == 1 for setting in settings):
        return replace(model, between=None), ["There is one place, so `between` is left out: nothing is elsewhere."]
    if not isinstance(weights, FirstOrder | Orders | PowerLaw) or all(setting.network for setting in settings):
        return model, []
    kind = type(weights).__name__
    if "weights" in _table(stated.get("between")):
        raise UsageError(
            f"between.weights is {kind}, which asks who is adjacent, and no neighbours are known. Say which places "
            "are: --neighbours-km 200 joins those nearer than 200 km; or take weights that need none "
            '(weights = "DistancePowerLaw" or "Everywhere" in [components.between] of a --config file), or leave '
            "spread between places out: --without between."
        )
    far = min(len(setting.places) for setting in settings) > 2
    if far and all(setting.places.latitude is not None for setting in settings):
        decay = weights.decay if isinstance(weights, PowerLaw) else 2.0
        found, said = DistancePowerLaw(decay), "with distance, (1 + km/50)^-decay"
    else:
        found, said = Everywhere(), "to all other places alike"
    return replace(model, between=replace(model.between, weights=found)), [
        f"No neighbours are known, so events are passed on {said} ({type(found).__name__} weights instead of {kind}). "
        "--neighbours-km says which places are neighbours; --without between leaves spread between places out."
    ]


def _unseen(model: Any, histories: Sequence[History]) -> None:
    """UsageError, with the flags that help, for parts whose causes are not in a table of events."""
    found: dict[str, str] = {}
    if not can(model, "likelihood"):
        found |= dict.fromkeys(("organised", "groups"), "how many organised groups there are is hidden")
    if not all("arrests" in history.series for history in histories):
        found |= dict.fromkeys(("deterrence", "backlash"), "the events state no arrests")
    present = {part: why for part, why in found.items() if getattr(model, part, None) is not None}
    if not present:
        return
    reasons = "; ".join(
        f"{' and '.join(part for part, each in present.items() if each == why)} ({why})"
        for why in dict.fromkeys(present.values())
    )
    raise UsageError(
        f"{type(model).__name__} has parts that these events cannot inform: {reasons}. Leave them out: "
        + " ".join(f"--without {part}" for part in present)
        + ". In a --config file: without = ["
        + ", ".join(f'"{part}"' for part in present)
        + "]."
    )


def _table(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}
