"""Models of single events suited to those that they meet, and in sentences what was made of a table of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from groundswell.data.areas import WIDER_KM
from groundswell.data.history import History
from groundswell.data.readers.plane import Plane
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.evaluate.ranking import Finding
from groundswell.params import Effects

ENDEMIC_START = 0.5
"""Share of the events that the endemic part expects where the search starts."""

MOST_BY_STEP = 3e8
"""Places squared times steps up to which counts by day are weighed unasked; an evaluation is proportional to it."""

AS_EXAMPLE = ("furthest_km", "longest_days")
"""Limits of triggering that a library's example sets for its own small map; a fit takes the class's own."""


def suited_to_plane(
    model: Any, planes: Sequence[Plane], stated: Mapping[str, Any] | None = None, named: Collection[str] = ()
) -> tuple[Any, tuple[Finding, ...]]:
    """The model for these events, and in sentences what was made of them and of it.

    Marks become effects on the offspring and kinds are counted, unless `stated` (components of a configuration) says
    which effects; the offset goes where no density of people is known; the intercept starts where the endemic part
    expects half of the events, unless it is `named` among parameters that were set or held.
    """
    said = dict(stated or {})
    found: list[Finding] = []
    if hasattr(model, "threshold"):
        return _above_threshold(model, planes, said, named)
    offspring, endemic = getattr(model, "offspring", None), getattr(model, "endemic", None)
    asked = part if isinstance(part := said.get("offspring"), Mapping) else {}
    if offspring is not None:
        own = {field.name: field.default for field in fields(offspring)}
        offspring = replace(offspring, **{name: own[name] for name in AS_EXAMPLE if name not in asked})
        if planes[0].centred and "effects" not in asked:
            offspring = replace(offspring, effects=Effects.zero(*planes[0].centred))
        model = replace(model, offspring=offspring)
        limits = {name: float(getattr(offspring, name)) for name in AS_EXAMPLE}
        found.append(Finding("plane-limits", {"km": limits["furthest_km"], "days": limits["longest_days"]}))
    if planes[0].kinds:
        model = replace(model, kinds=len(planes[0].kinds))
    if endemic is not None:
        if endemic.offset == "density" and any("density" not in plane.setting.covariates for plane in planes):
            endemic = replace(endemic, offset=None)
            found.append(Finding("plane-no-density"))
        if "endemic.intercept" not in named:
            endemic = replace(endemic, intercept=_start(endemic, model, planes))
        model = replace(model, endemic=endemic)
    return model, (*(sentence for plane in planes for sentence in said_of(plane)), *found)


def _above_threshold(
    model: Any, planes: Sequence[Plane], stated: Mapping[str, Any], named: Collection[str]
) -> tuple[Any, tuple[Finding, ...]]:
    """A model that reads one mark above a threshold: which, from where on, and where its search starts."""
    events = [plane.history.events for plane in planes if plane.history.events is not None]
    marks = list(events[0].marks)
    mark = stated.get("mark", marks[0] if marks else None)
    if mark not in marks:
        raise UsageError(
            f"{type(model).__name__} reads a mark of each event that says how much it excites, and none was named: "
            "--mark COLUMN, a magnitude, or a crowd's size as its logarithm: --mark size=log."
        )
    values = np.concatenate([np.asarray(each.marks[mark], dtype=float) for each in events])
    threshold = float(stated.get("threshold", values.min()))
    model = replace(model, mark=mark, threshold=threshold)
    if model.marks is not None and "marks.mean" not in named:
        mean = max(float((values - threshold).mean()), 1e-6)
        model = replace(model, marks=replace(model.marks, mean=mean))
    if "background" not in named:
        days = sum(plane.setting.window.days for plane in planes)
        model = replace(model, background=ENDEMIC_START * len(values) / days)
    found = Finding("plane-threshold", {"mark": mark, "threshold": threshold})
    return model, (*(sentence for plane in planes for sentence in said_of(plane)), found)


def suited_to_times(
    model: Any,
    settings: Sequence[Setting],
    histories: Sequence[History],
    stated: Collection[str] = (),
    *,
    rng: np.random.Generator,
) -> tuple[Any, list[History], tuple[Finding, ...]]:
    """The model and the events as closely as times are known, and what was done about times that are not exact.

    Where none is known more closely than its day, a model that can weighs counts by step (`by_step`), unless `stated`
    names the field or that would take too long. Else each event is moved to a random moment of what is known.
    """
    within = np.concatenate([_within(history) for history in histories])
    if getattr(model, "by_step", False) or not (within > 0).any():
        return model, list(histories), ()
    work = sum(len(setting.places) ** 2 * setting.window.periods for setting in settings)
    if within.min() >= 1 and "by_step" not in stated and _weighs_days(model) and work <= MOST_BY_STEP:
        days = settings[0].window.step
        said = Finding("times-by-step" if days == 1 else "times-by-steps", {"days": days})
        return replace(model, by_step=True), list(histories), (said,)
    # local: the models' loops are compiled on import
    from groundswell.models.events.ties import jittered

    key = "times-by-day" if (within == 1).all() else "times-not-exact"
    moved = [jittered(history, rng=rng) if _within(history).any() else history for history in histories]
    return model, moved, (Finding(key, {"count": int((within > 0).sum()), "total": len(within)}),)


def _weighs_days(model: Any) -> bool:
    """Whether the model has a form for counts by day, with the parts that it has now."""
    return hasattr(model, "by_step") and model.size is None and model.arrests is None


def _within(history: History) -> np.ndarray:
    """(E,) days within which each event's time is known."""
    events = history.events
    if events is None:
        return np.zeros(0)
    known = float(events.day_precision) if events.within_days is None else events.within_days
    return np.broadcast_to(np.asarray(known, dtype=float), (len(events),))


def said_of(plane: Plane) -> tuple[Finding, ...]:
    """What was done to make points of the plane of a table."""
    region = plane.setting.region
    assert region is not None
    area = {"area": float(region.area_km2)}
    found = {
        "file": Finding("plane-region-file", area),
        "countries": Finding("plane-region-countries", {**area, "countries": plane.countries, "wider": WIDER_KM}),
        "hull": Finding("plane-region-hull", {**area, "wider": plane.wider_km}),
    }[plane.region_by]
    sentences = [found]
    cells = len(plane.setting.places)
    if cells > 1:
        key = "plane-areas" if plane.cell_km is None else "plane-cells"
        sentences.append(Finding(key, {"cells": cells, "km": plane.cell_km or 0.0}))
    if plane.even and cells > 1:
        sentences.append(Finding("plane-density", {"even": plane.even}))
    if plane.setting.window.step > 1:
        sentences.append(Finding("plane-steps", {"days": plane.setting.window.step}))
    if plane.jitter_km:
        sentences.append(Finding("plane-jitter", {"km": plane.jitter_km}))
    for name, mean in plane.centred.items():
        sentences.append(Finding("plane-mark", {"mark": name, "mean": mean}))
    if plane.kinds:
        sentences.append(Finding("plane-kinds", {"count": len(plane.kinds), "kinds": plane.kinds}))
    return tuple(sentences)


def _start(endemic: Any, model: Any, planes: Sequence[Plane]) -> float:
    """The intercept at which the endemic part expects ENDEMIC_START of the events."""
    events = sum(float(plane.history["events"].sum()) for plane in planes)
    flat = replace(endemic, intercept=0.0)
    expected = sum(
        float((flat.rate(p.setting) * p.setting.covariates["area_km2"]).sum() * p.setting.window.step) for p in planes
    )
    return float(np.log(ENDEMIC_START * max(events, 1.0) / (expected * model.kinds)))
