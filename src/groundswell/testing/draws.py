"""Promises of every model: frozen, described, reproducible, inside its setting, and honest about missing verbs."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np

from groundswell.data.setting import Setting
from groundswell.errors import MissingVerb
from groundswell.models.base import Model, can, require
from groundswell.params import from_vector, leaves, names, vector
from groundswell.rng import generator
from groundswell.testing.base import BrokenPromise, Promise, draw, hold, same

VERBS = ("likelihood", "step", "report", "intensity", "pointwise")
"""Those that methods ask for."""


def the_same_seed_gives_the_same_history(model: Any, setting: Setting) -> None:
    """Nothing random but what `rng` gives: no clock, no global state."""
    same(draw(model, setting, 11), draw(model, setting, 11))


def a_history_is_finite_and_stands_in_its_places_and_window(model: Any, setting: Setting) -> None:
    """Every series is (P, T), finite, and not below 0."""
    for seed in range(3):
        history = draw(model, setting, seed)
        hold(history.places.name == setting.places.name, "the history has other places than the setting")
        hold(history.window == setting.window, "the history has another window than the setting")
        hold(history.series or history.events is not None, "the history holds nothing")
        for name, values in history.series.items():
            hold(np.shape(values) == setting.shape, f'"{name}" is {np.shape(values)}; expected {setting.shape}')
            hold(np.isfinite(values).all(), f'"{name}" is not finite')
            hold((values >= 0).all(), f'"{name}" falls below 0')


def a_model_is_a_frozen_value_and_running_it_changes_nothing(model: Any, setting: Setting) -> None:
    """A frozen dataclass that derives from Model; equal and hashed alike before and after a run."""
    hold(isinstance(model, Model), f"{type(model).__name__} does not derive from Model")
    before = copy.deepcopy(model)
    draw(model, setting, 1)
    hold(model == before, "simulate changed the model")
    hold(hash(model) == hash(before), "equal models have different hashes")
    try:
        model.anything = 1
    except dataclasses.FrozenInstanceError:
        return
    raise BrokenPromise(f"{type(model).__name__} takes new attributes; declare it @dataclass(frozen=True)")


def every_parameter_has_a_unit_and_a_meaning(model: Any, setting: Setting) -> None:
    """And a value inside its range, as is the median of its prior, if it has one."""
    hold(model.title, "title is empty: a line for `groundswell models list`")
    hold(model.paper, "paper is empty: where the equations come from")
    hold(len(set(names(model))) == len(leaves(model)) > 0, "there is no parameter, or two have one name")
    for leaf in leaves(model):
        hold(leaf.unit, f"{leaf.name} has no unit")
        hold(leaf.doc, f"{leaf.name} has no meaning (doc=...)")
        hold(leaf.low <= leaf.value <= leaf.high, f"{leaf.name} is {leaf.value:g}, outside its range")
        if leaf.prior is not None:
            hold(leaf.low <= leaf.prior.median <= leaf.high, f"the prior of {leaf.name} lies outside its range")
            hold(leaf.prior.sd > 0, f"the prior of {leaf.name} has no spread")


def a_vector_comes_back(model: Any, setting: Setting) -> None:
    """`from_vector(model, vector(model))` is the model, and each number of the vector reaches its parameter."""
    values = vector(model)
    hold(from_vector(model, values) == model, "from_vector(model, vector(model)) is another model")
    for i, leaf in enumerate(leaves(model)):
        moved = values.copy()
        free = leaf.to_free(leaf.value)
        moved[i] = leaf.from_free(free - 0.1 if np.isfinite(free) else -3.0)
        hold(np.array_equal(vector(from_vector(model, moved)), moved), f"{leaf.name} does not come back when moved")


def a_forecast_keeps_the_past(model: Any, setting: Setting) -> None:
    """With `given` the draw begins with it, the same for the same seed; a model may refuse with MissingVerb."""
    periods = setting.window.periods
    if periods < 2:
        return
    past = draw(model, setting, 5).during(periods // 2)
    try:
        future = draw(model, setting, 6, given=past)
    except MissingVerb:
        return
    kept = [name for name in ("events", "arrests", "active") if name in past.series and name in future.series]
    hold(kept, "no series of events, arrests or active is kept")
    for name in kept:
        first = future[name][:, : past.window.periods]
        hold(np.array_equal(first, past[name]), f'the past of "{name}" changed')
    if past.events is not None:
        hold(future.events is not None, "the single events of the past are lost")
        early = future.events.time_days < past.window.days  # type: ignore[union-attr]
        for what in ("time_days", "place"):
            now = getattr(future.events, what)[early]
            hold(np.array_equal(now, getattr(past.events, what)), f"the past of events.{what} changed")
    same(draw(model, setting, 6, given=past), future)


def a_missing_verb_says_what_to_use(model: Any, setting: Setting) -> None:
    """`lacks(verb)` ends the error of every method that asks for a verb which the model does not have."""
    for verb in VERBS:
        if can(model, verb):
            require(model, verb, "Anything")
            continue
        try:
            require(model, verb, "Anything")
        except MissingVerb as error:
            said = str(error)
        else:
            raise BrokenPromise(f"{verb} is missing and yet not refused")
        hold(f"Anything needs {type(model).__name__}.{verb}()" in said, f"the error does not name {verb}: {said}")
        hold(not said.endswith("does not have."), f"lacks({verb!r}) must say what to use instead")


def maximum_likelihood_of_a_model_without_a_density_is_refused(model: Any, setting: Setting) -> None:
    """In words, before anything is computed."""
    from groundswell.infer.base import fit
    from groundswell.infer.likelihood import MaximumLikelihood

    if can(model, "likelihood"):
        return
    try:
        fit(model, setting, draw(model, setting, 1), MaximumLikelihood(), rng=generator(1))
    except MissingVerb as error:
        hold("MaximumLikelihood needs" in str(error), f"the refusal does not say who needs what: {error}")
        return
    raise BrokenPromise("a fit without a density was not refused")


PROMISES = tuple(
    Promise(check)
    for check in (
        the_same_seed_gives_the_same_history,
        a_history_is_finite_and_stands_in_its_places_and_window,
        a_model_is_a_frozen_value_and_running_it_changes_nothing,
        every_parameter_has_a_unit_and_a_meaning,
        a_vector_comes_back,
        a_forecast_keeps_the_past,
        a_missing_verb_says_what_to_use,
        maximum_likelihood_of_a_model_without_a_density_is_refused,
    )
)
