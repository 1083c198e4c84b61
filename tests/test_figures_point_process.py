"""Pictures of checks of single events: axes from every kind of result, poor ones included, and no words over words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from groundswell.data.history import Events
from groundswell.data.table import Table
from groundswell.evaluate.contagion import CANDIDATES, Contagion
from groundswell.evaluate.point_residuals import Rescaled, ResidualTests, counts_in_band, waits_in_band
from groundswell.evaluate.super_thinning import SuperThinned, super_thinned
from groundswell.models.library import load
from groundswell.report.figures import point_process as pictures
from groundswell.report.language import Speaker
from groundswell.report.svg import svg
from groundswell.rng import generator

WORDS = Speaker()


def residuals_of(count: int) -> ResidualTests:
    tau = np.sort(generator(1).random(count)) * count
    return ResidualTests(Rescaled(tau, float(count), tau), Table({}), {"times": 0.1, "waits": 0.12}, ())


def thinned(name: str) -> SuperThinned:
    model, setting = load(name).example()
    return super_thinned(model, setting, model.simulate(setting, rng=generator(1)), rng=generator(2))


def without_points(found: SuperThinned) -> SuperThinned:
    none = np.empty(0)
    at = none if found.plane else None
    nothing = Events(none, none.astype(int), x_km=at, y_km=at)
    return replace(found, points=nothing, added=none.astype(bool), cell=none.astype(int))


def ripley(excess: float) -> Table:
    km = np.linspace(2, 40, 20)
    return Table(
        {"radius_km": km.tolist(), "excess": (excess * np.sin(km)).tolist(), "low": [-3.0] * 20, "high": [3.0] * 20}
    )


def weighed(*weights: float) -> Contagion:
    table = Table({"candidate": list(CANDIDATES), "weight": list(weights)})
    return Contagion(table, Table({}), sum(weights[2:]), sum(weights[1::2]), 0.95, ())


CURVE = Table({"at": [0.0, 1.0, 2.0], "estimate": [1.0, 0.4, 0.1], "low": [0.5, 0.2, 0.0], "high": [2.0, 0.6, 0.3]})

DRAWN: dict[str, Callable[[], Axes]] = {
    "transformed times": lambda: pictures.transformed_times(counts_in_band(residuals_of(140)), words=WORDS),
    "one event": lambda: pictures.transformed_times(counts_in_band(residuals_of(1)), words=WORDS),
    "waits": lambda: pictures.waits(waits_in_band(residuals_of(140)), words=WORDS),
    "one wait": lambda: pictures.waits(waits_in_band(residuals_of(1)), words=WORDS),
    "points at places": lambda: pictures.residual_points(thinned("self_exciting"), words=WORDS),
    "points of the plane": lambda: pictures.residual_points(thinned("space_time"), words=WORDS),
    "no point at places": lambda: pictures.residual_points(without_points(thinned("self_exciting")), words=WORDS),
    "no point in the plane": lambda: pictures.residual_points(without_points(thinned("space_time")), words=WORDS),
    "ripley": lambda: pictures.ripley(ripley(2.0), words=WORDS),
    "ripley, nothing": lambda: pictures.ripley(ripley(0.0), words=WORDS),
    "curve": lambda: pictures.curve(CURVE, across="days", up="offspring a day"),
    "weights": lambda: pictures.weights(weighed(0.1, 0.2, 0.3, 0.4), words=WORDS),
    "weights, one": lambda: pictures.weights(weighed(1.0, 0.0, 0.0, 0.0), words=WORDS),
}


@pytest.mark.parametrize("name", DRAWN)
def test_axes_come_back_and_words_do_not_lie_on_words(name: str) -> None:
    axes = DRAWN[name]()
    assert isinstance(axes, Axes)
    assert svg(axes, "picture").startswith("<svg")
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]
    texts = [text for text in axes.texts if text.get_text()]
    boxes = [Text.get_window_extent(text).padded(-0.5) for text in texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


def test_the_path_of_the_times_starts_and_ends_where_the_counts_do() -> None:
    table = counts_in_band(residuals_of(50))
    axes = pictures.transformed_times(table)
    path = np.asarray(axes.lines[-1].get_ydata(), dtype=float)
    assert path[0] == pytest.approx(-table["expected"][0])
    assert path[-1] == pytest.approx(50 - table["expected"][-1])


def test_each_residual_point_is_drawn_once() -> None:
    found = thinned("self_exciting")
    axes = pictures.residual_points(found)
    assert sum(len(lines.get_segments()) for lines in axes.collections) == len(found)  # type: ignore[attr-defined]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Hub", "Far", "Near", "Twin"]
