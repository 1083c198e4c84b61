"""How much, how late and how far, read off fitted models; closed forms and counting by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from groundswell.data.history import Events, from_events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.models.cities.mechanisms import Media
from groundswell.models.delay_sums import PowerLawDelay
from groundswell.models.delays import ExponentialDelay, UniformDelay
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.space_time import Offspring, SpaceTime
from groundswell.models.triggering import Exponential, Gaussian
from groundswell.params import Effects
from groundswell.rng import generator
from groundswell.studies.event_kernels import Kernels, delay_curve, direct_offspring, reach_curve, reached


def kernels_of(model, setting, draws=()):
    history = model.simulate(setting, rng=generator(3))
    return Kernels(model, draws or [model] * 5, setting, history)


def test_delays_of_an_exponential():
    model, setting = SelfExciting.example()
    found = kernels_of(model, setting)
    half = found.days(0.5)
    assert half is not None
    assert half.value == pytest.approx(np.log(2) / 0.8)
    assert (half.low, half.high) == (pytest.approx(half.value), pytest.approx(half.value))
    table = found.delays()
    assert table["share"][-1] == pytest.approx(0.95)
    assert np.allclose(table["share"], -np.expm1(-0.8 * np.array(table["days"])))


def test_delays_end_where_a_model_cuts_them_off():
    offspring = Offspring(-0.5, delay=UniformDelay(), longest_days=10.0)
    curve = delay_curve(replace(SpaceTime.example()[0], offspring=offspring))
    assert curve is not None
    assert np.allclose(curve(np.array([0.0, 5, 10, 20])), [0, 0.5, 1, 1])
    assert reached(curve, 0.9) == pytest.approx(9)
    assert delay_curve(replace(SpaceTime.example()[0], offspring=None)) is None


def test_a_heavy_tail_may_not_be_reached():
    curve = delay_curve(SelfExciting(1.0, 0.5, PowerLawDelay()))
    assert curve is not None
    assert reached(curve, 0.5) < reached(curve, 0.9)
    assert reached(lambda days: np.minimum(days, 0.4), 0.5, 1e3) == 1e3


def test_reach_over_the_plane():
    model, setting = SpaceTime.example()
    wide = replace(model, offspring=Offspring(-0.7, reach=Gaussian(10.0), furthest_km=1000.0))
    found = kernels_of(wide, setting)
    half = found.km(0.5)
    assert half is not None
    assert half.value == pytest.approx(10 * np.sqrt(2 * np.log(2)), rel=1e-6)  # Rayleigh's median
    cut = found.near(1000.0)
    assert cut is not None
    assert cut.value == pytest.approx(1)


def test_reach_over_cities_by_counting():
    model, setting = SelfExciting.example()
    history = model.simulate(setting, rng=generator(3))
    assert history.events is not None
    curve = reach_curve(model, setting, history.events)
    assert curve is not None
    weights, apart = model.weights(setting), setting.places.distance_km
    for km in (0.0, 30.0, 60.0, 100.0, 1e4):
        share = np.mean([weights[p][apart[p] <= km].sum() for p in history.events.place])
        assert curve(np.array([km]))[0] == pytest.approx(share, abs=1e-12)
    media = replace(model, media=Media(0.4))
    with_media = reach_curve(media, setting, history.events)
    assert with_media is not None
    assert with_media(np.array([0.0]))[0] < curve(np.array([0.0]))[0]


def test_offspring_that_stay_have_no_reach():
    model, setting = SelfExciting.example()
    stay = replace(model, reach=None)
    found = kernels_of(stay, setting)
    assert found.km(0.5) is None
    assert found.near(0.0) is None
    assert not len(found.reaches())
    nowhere = Setting(Places(("a", "b"), np.ones(2)), setting.window)
    assert kernels_of(stay, nowhere).km(0.5) is None


def test_direct_offspring():
    events = Events(np.arange(3.0), np.zeros(3, int), marks={"mag": np.array([-1.0, 0, 1])})
    plane = replace(SpaceTime.example()[0], offspring=Offspring(-0.7, Effects(mag=0.5)))
    expected = np.exp(-0.7) * (np.exp(-0.5) + 1 + np.exp(0.5)) / 3
    assert direct_offspring(plane, events) == pytest.approx(expected)
    assert plane.offspring is not None
    across = replace(plane, kinds=3, offspring=replace(plane.offspring, across=True))
    assert direct_offspring(across, events) == pytest.approx(3 * expected)
    assert direct_offspring(replace(plane, offspring=None), events) == 0
    cities = SelfExciting(1.0, 0.4, media=Media(0.3))
    assert direct_offspring(cities, events) == pytest.approx(0.7)


def test_intervals_come_from_the_draws():
    model, setting = SelfExciting.example()
    draws = [
        model.replacing({"branching_ratio": ratio, "delay.decay": 1 / ratio}) for ratio in np.linspace(0, 1, 101)[1:]
    ]
    found = kernels_of(model, setting, draws)
    assert found.ratio.value == 0.5
    assert found.ratio.low == pytest.approx(0.06, abs=0.006)
    assert found.ratio.high == pytest.approx(0.95, abs=0.006)
    half = found.days(0.5)
    assert half is not None
    assert half.high == pytest.approx(0.95 * np.log(2), abs=0.01)
    table = found.delays()
    assert all(low <= high for low, high in zip(table["low"], table["high"], strict=True))


def test_one_place_with_a_position():
    places = Places(("one",), np.ones(1), np.array([1.0]), np.array([2.0]))
    setting = Setting(places, Window(date(2024, 1, 1), 20))
    model = SelfExciting(1.0, 0.4, ExponentialDelay(1.0), reach=Exponential(10.0))
    events = Events(np.arange(5.0), np.zeros(5, int))
    found = Kernels(model, [model], setting, from_events(places, setting.window, events))
    near = found.near(0.0)
    assert near is not None
    assert near.value == pytest.approx(1)
