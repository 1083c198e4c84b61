"""How much of the triggering is left where the background may move: the same model with steps in its background."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.errors import GroundswellError
from groundswell.evaluate.ranking import Finding
from groundswell.evaluate.replicas import held
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.plausible import plausible_models
from groundswell.params import Effects
from groundswell.studies.event_kernels import AMOUNT, Interval, Kernels, soon

PER_PIECE = 40
"""Events to a stretch of the background, on average."""

PIECES = 8
"""Stretches at most."""

DRAWS = 500

LARGE = 0.2
"""A change of the branching ratio, over the ratio, that is put into words."""

_TIME = re.compile(r"trend|(sin|cos)\d+|(from )?\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, eq=False)
class Moving:
    """The fit with a background that is another in each of `pieces` stretches of `days` days.

    before, ratio : expected direct offspring of an event within so many days, as fitted and with this background;
    what comes later than a stretch is long cannot be told from it. gain : of log density, by `terms` more parameters.
    open : parameters that are then not determined, whose doubt is in no interval. fitted : None where there was no such
    fit, for `reason`.
    """

    pieces: int
    days: float
    terms: int
    before: Interval
    fitted: Fit | None = None
    ratio: Interval | None = None
    gain: float = 0.0
    open: tuple[str, ...] = ()
    reason: str = ""

    @property
    def findings(self) -> list[Finding]:
        """What a moving background does to how much events set off."""
        if self.fitted is None or self.ratio is None:
            return [Finding("events-moving-failed", {"reason": self.reason})]
        values = {"pieces": self.pieces, "days": self.days, "before": self.before.value, "gain": self.gain}
        values |= {"value": self.ratio.value, "low": self.ratio.low, "high": self.ratio.high, "terms": self.terms}
        values["sure"] = "no" if any(name in AMOUNT for name in self.open) else "yes"
        change = self.ratio.value - self.before.value
        side = "same" if abs(change) <= LARGE * self.before.value else "less" if change < 0 else "more"
        found = [Finding(f"events-moving-{side}", values)]
        if self.gain > self.terms:
            found.append(Finding("events-moving-better"))
        if self.open:
            found.append(Finding("events-moving-open", {"names": self.open}))
        return found

    @property
    def table(self) -> Table:
        """background, offspring within a stretch, low, high, log density gained, further parameters."""
        rows: list[dict[str, Any]] = [{"background": "as fitted", **_row(self.before)}]
        if self.ratio is not None:
            length = f"{self.days:,.0f}" if self.days >= 10 else f"{self.days:.2g}"
            moving = {"background": f"{self.pieces} stretches of {length} days", **_row(self.ratio)}
            rows.append(moving | {"log density gained": self.gain, "further parameters": self.terms})
        names = ("background", "offspring", "low", "high", "log density gained", "further parameters")
        return Table.from_rows(rows, names)


def moving_background(found: Fit, setting: Setting, history: History, *, rng: np.random.Generator) -> Moving | None:
    """Fit again with a piecewise constant background; None where the model's cannot move, or events are too few."""
    count = len(history.events or ())
    pieces = min(PIECES, count // PER_PIECE, setting.window.periods)
    part = _steps_in(found.model)
    if pieces < 2 or part is None or count == 0:
        return None
    if found.draws is not None:  # two searches cost less than a second posterior, and can be compared
        found = fit(found.model, setting, history, MaximumLikelihood(), rng=rng, fixed=held(found))
    name, effects = part
    if any(label.startswith("from ") for label in effects):
        return None  # it moves already
    window, length = setting.window, setting.window.days / pieces
    before = _soon(found, setting, history, length, rng)
    starts = [window.start + timedelta(days=window.step * round(k * length / window.step)) for k in range(1, pieces)]
    kept = {label: value for label, value in effects.items() if not _TIME.fullmatch(label)}
    model = _with(found.model, name, Effects({**kept, **{f"from {day}": 0.0 for day in starts}}))
    terms = pieces - 1 - (len(effects) - len(kept))
    fixed = {key: value for key, value in held(found).items() if not key.startswith(f"{name}.effects.")}
    try:
        again = fit(model, setting, history, found.method, rng=rng, fixed=fixed)
    except GroundswellError as error:
        return Moving(pieces, length, terms, before, reason=str(error))
    if not again.converged:
        return Moving(pieces, length, terms, before, reason=again.status)
    unknown = tuple(np.array(again.names)[np.isnan(again.standard_error)].tolist())
    gain = again.log_density - found.log_density
    return Moving(pieces, length, terms, before, again, _soon(again, setting, history, length, rng), gain, unknown)


def _soon(found: Fit, setting: Setting, history: History, days: float, rng: np.random.Generator) -> Interval:
    draws = plausible_models(found, DRAWS, rng=rng)[0]
    kernels = Kernels(found.model, draws, setting, history)
    return kernels.number(lambda model: soon(model, kernels.events, days))


def _row(interval: Interval) -> dict[str, float]:
    return {"offspring": interval.value, "low": interval.low, "high": interval.high}


def _steps_in(model: Any) -> tuple[str, Effects] | None:
    """The part of the model that moves its background, by name, and its effects."""
    if getattr(model, "endemic", None) is not None:
        return "endemic", model.endemic.effects
    if hasattr(model, "course"):
        return "course", Effects() if model.course is None else model.course.effects
    return None


def _with(model: Any, name: str, effects: Effects) -> Any:
    part = getattr(model, name)
    if part is None:
        from groundswell.models.events.self_exciting_parts import Course

        return replace(model, **{name: Course(effects)})
    return replace(model, **{name: replace(part, effects=effects)})
