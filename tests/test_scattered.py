"""What models of counts by place and step share: which histories they take, and as whose past."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError
from groundswell.models.cities.endemic_epidemic import EndemicEpidemic
from groundswell.models.cities.regimes import Regimes
from groundswell.models.cities.riot_wave import RiotWave
from groundswell.rng import generator

MODELS = (EndemicEpidemic, RiotWave, Regimes)


@pytest.fixture(params=MODELS, ids=lambda kind: kind.__name__)
def case(request: pytest.FixtureRequest) -> tuple[Any, Setting, History]:
    model, setting = request.param.example()
    return model, setting, model.simulate(setting, rng=generator(1))


def moved(history: History, places: Places | None = None, window: Window | None = None) -> History:
    return dataclasses.replace(history, places=places or history.places, window=window or history.window)


def test_a_past_of_other_places_or_dates_is_refused(case: tuple[Any, Setting, History]) -> None:
    model, setting, history = case
    known, places = history.during(12), setting.places
    turned = Places(places.name[::-1], places.population[::-1])
    others = {
        "places": moved(known, places=turned),
        "start": moved(known, window=Window(date(1990, 1, 1), 12, setting.window.step)),
        "step": moved(known, window=Window(setting.window.start, 12, 3)),
    }
    frame = "expected the same places, in the same order, and the same start and step"
    for what, past in others.items():
        said = f'place 1 of the history is "{turned.name[0]}" and of the' if what == "places" else frame
        with pytest.raises(DataError, match=said):
            model.simulate(setting, rng=generator(2), given=past)
        with pytest.raises(DataError, match=said):
            model.paths(setting, past, draws=2, rng=generator(2))
    for verb in (lambda: model.simulate(setting.during(9), rng=generator(2), given=known),
                 lambda: model.paths(setting.during(9), known, draws=2, rng=generator(2))):  # fmt: skip
        with pytest.raises(DataError, match=r"12 steps and the setting 9; expected the past to be no longer"):
            verb()
    assert model.paths(setting, known, draws=2, rng=generator(2)).shape == (
        2,
        len(places),
        setting.window.periods - 12,
    )


def test_a_draw_that_was_ended_is_no_data(case: tuple[Any, Setting, History]) -> None:
    model, setting, history = case
    counts = history["events"].copy()
    counts[:, 20:] = 0
    counts[0, 19] = 5
    ended = History(setting.places, setting.window, {"events": counts}, exploded=True)
    for verb in (model.likelihood, model.log_density, model.pointwise):
        with pytest.raises(DataError, match=r"was ended there; the zeros that follow are not the model's.*Draw again"):
            verb(setting, ended)
    with pytest.raises(DataError, match="was ended there"):
        model.likelihood(setting.during(21), ended.during(21))
    # up to its end it is a history like any other
    assert np.isfinite(model.log_density(setting.during(20), ended.during(20)))
