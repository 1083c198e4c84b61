"""Promises of models with a density or an intensity: gradients, terms, and agreement with what is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundswell.data.setting import Setting
from groundswell.errors import MissingVerb
from groundswell.models.base import can
from groundswell.params import Leaf, from_vector, leaves, names, vector
from groundswell.rng import generator
from groundswell.testing.base import DRAWS, BrokenPromise, Promise, draw, hold, many, near


def value_and_gradient_agree(model: Any, setting: Setting) -> None:
    """Central differences inside the range; at a bound, three points on the inner side."""
    for seed in (3, 4):
        history = draw(model, setting, seed)
        evaluate = model.likelihood(setting, history)
        at = vector(model)
        value, gradient = evaluate(at)
        hold(np.isfinite(value), f"the log density of a drawn history is {value}")
        hold(np.shape(gradient) == at.shape, f"the gradient is {np.shape(gradient)}; expected {at.shape}")
        hold(value == model.log_density(setting, history), "likelihood and log_density differ")
        numeric = np.array([_slope(evaluate, at, i, leaf, value) for i, leaf in enumerate(leaves(model))])
        off = ~near(gradient, numeric, 1e-4, 1e-5 * (1 + abs(value)))
        hold(not off.any(), _named(model, off, "gradient {:.8g}, by differences {:.8g}", gradient, numeric))


def _slope(evaluate: Any, at: np.ndarray, i: int, leaf: Leaf, value: float) -> float:
    def moved(by: float) -> float:
        return evaluate(at + by * (np.arange(len(at)) == i))[0]

    h = _width(leaf)
    if _inside(leaf, h):
        return (moved(h) - moved(-h)) / (2 * h)
    h = h if leaf.value + 2 * h <= leaf.high else -h
    return (-3 * value + 4 * moved(h) - moved(2 * h)) / (2 * h)


def pointwise_terms_sum_to_the_log_density(model: Any, setting: Setting) -> None:
    """(P, T) terms, NaN where there is none."""
    for seed in (3, 4):
        history = draw(model, setting, seed)
        terms, value = model.pointwise(setting, history), model.log_density(setting, history)
        hold(terms.shape == setting.shape, f"pointwise is {terms.shape}; expected {setting.shape}")
        hold(near(np.nansum(terms), value, 1e-10), f"the terms sum to {np.nansum(terms)!r}, log_density is {value!r}")


def pointwise_terms_rest_on_earlier_steps_alone(model: Any, setting: Setting) -> None:
    """The terms of the first steps are the same however it went on: so held-out steps are scored by them."""
    history = draw(model, setting, 5)
    for until in sorted({setting.window.periods // 2, setting.window.periods - 1} - {0}):
        went_on = draw(model, setting, 6, given=history.during(until))
        one, other = (model.pointwise(setting, each)[:, :until] for each in (history, went_on))
        same = np.isnan(one) == np.isnan(other)
        same &= np.isnan(one) | near(one, other, 1e-9, 1e-9)
        hold(same.all(), f"the terms of the first {until} steps change with the counts of later ones")


def what_is_not_weighed_has_no_term_and_no_slope(model: Any, setting: Setting) -> None:
    """The density is the sum of the terms that are weighed; the past that they rest on is the whole one."""
    history = draw(model, setting, 5)
    cells = generator(6).random(setting.shape) < 0.4
    part = history.leaving_out(cells)
    if not can(model, "pointwise"):
        try:
            model.log_density(setting, part)
        except MissingVerb as error:
            hold("not weighed needs" in str(error), f"the refusal says something else: {error}")
            return
        raise BrokenPromise("place-steps that are not weighed are weighed all the same")
    at = vector(model)
    value, gradient = model.likelihood(setting, part)(at)

    def summed(x: np.ndarray) -> float:
        return float(np.nansum(np.where(cells, 0, from_vector(model, x).pointwise(setting, history))))

    hold(near(value, summed(at), 1e-10), f"the density is {value!r}, its weighed terms sum to {summed(at)!r}")
    for i, leaf in enumerate(leaves(model)):
        h = _width(leaf)
        if not _inside(leaf, h):
            continue
        step = h * (np.arange(len(at)) == i)
        numeric = (summed(at + step) - summed(at - step)) / (2 * h)
        agree = near(gradient[i], numeric, 1e-4, 1e-5 * (1 + abs(value)))
        hold(agree, f"{leaf.name}: gradient {gradient[i]:.8g}, by differences {numeric:.8g}")
    nothing = history.leaving_out(np.ones(setting.shape, dtype=bool))
    value, gradient = model.likelihood(setting, nothing)(at)
    hold(value == 0, f"the density of nothing is {value}, not 0")
    hold(not np.any(gradient), "the density of nothing has a slope")


def simulate_and_density_agree(model: Any, setting: Setting) -> None:
    """At the true parameters the score averages zero, each coordinate within 4 standard errors."""
    at = vector(model)
    histories = [history for history in many(model, setting) if not history.exploded]
    hold(len(histories) == DRAWS, "the example must not explode: dropping draws would bias the score")
    scores = np.array([model.likelihood(setting, history)(at)[1] for history in histories])
    hold(np.isfinite(scores).all(), "a score is not finite")
    mean, error = scores.mean(axis=0), scores.std(axis=0, ddof=1) / np.sqrt(len(scores))
    off = np.abs(mean) > 4 * error + 1e-9
    hold(not off.any(), _named(model, off, "the score averages {:.3g}, standard error {:.2g}", mean, error))


def events_less_their_intensity_average_zero_in_every_place(model: Any, setting: Setting) -> None:
    """Within 4 standard errors. The first step may be given, with nothing expected of it (NaN)."""
    residuals = []
    for history in many(model, setting):
        expected = model.intensity(setting, history)
        hold(expected.shape == setting.shape, f"intensity is {expected.shape}; expected {setting.shape}")
        known = np.isfinite(expected)
        hold(known[:, 1:].all(), "an intensity after the first step is not finite")
        residuals.append(np.where(known, history["events"] - np.where(known, expected, 0), 0).sum(axis=1))
    mean = np.mean(residuals, axis=0)
    error = np.std(residuals, axis=0, ddof=1) / np.sqrt(len(residuals))
    off = np.abs(mean) > 4 * error + 1e-9
    named = [f"{setting.places.name[i]} {mean[i]:.3g} ({error[i]:.2g})" for i in np.flatnonzero(off)]
    hold(not named, f"events less intensity average (standard error): {'; '.join(named)}")


def _width(leaf: Leaf) -> float:
    """By how much a parameter is moved for a difference."""
    return 1e-5 * max(abs(leaf.value), 1e-2)


def _inside(leaf: Leaf, h: float) -> bool:
    return leaf.low < leaf.value - h and leaf.value + h < leaf.high


def _named(model: Any, off: np.ndarray, words: str, *columns: np.ndarray) -> str:
    rows = zip(names(model), off, *columns, strict=True)
    return "; ".join(f"{name}: {words.format(*numbers)}" for name, wrong, *numbers in rows if wrong)


PROMISES = (
    Promise(value_and_gradient_agree, ("likelihood",)),
    Promise(pointwise_terms_sum_to_the_log_density, ("pointwise",)),
    Promise(pointwise_terms_rest_on_earlier_steps_alone, ("pointwise",)),
    Promise(what_is_not_weighed_has_no_term_and_no_slope, ("likelihood",)),
    Promise(simulate_and_density_agree, ("likelihood",)),
    Promise(events_less_their_intensity_average_zero_in_every_place, ("intensity",)),
)
