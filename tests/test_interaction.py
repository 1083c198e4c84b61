"""Space-time interaction: a twin of the counts, calibrated without it, waves not taken for it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive.interaction import knox

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.interaction import NOT_EVIDENCE, permuted, space_time_interaction, triggering_test
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.space_time import SpaceTime
from groundswell.rng import generator

CITIES, SETTING = SelfExciting.example()
PLANE, AREA = SpaceTime.example()


def scattered(seed: int, count: int = 60, *, wave: bool = False) -> History:
    """Events of which the place says nothing of the time; with `wave`, most of them in one week everywhere."""
    rng = generator(seed)
    assert AREA.region is not None
    at = AREA.region.draw(count, rng)
    days = np.sort(np.where(rng.random(count) < 0.7, 80 + 7 * rng.random(count), 180 * rng.random(count)))
    if not wave:
        days = np.sort(180 * rng.random(count))
    return from_events(AREA.places, AREA.window, Events(days, AREA.region.tile_of(*at.T), x_km=at[:, 0], y_km=at[:, 1]))


def over_cities(seed: int, count: int = 50, *, wave: bool = False) -> History:
    """Events in cities of unequal share, when they happen independent of where."""
    rng = generator(seed)
    days = 60 * rng.random(count) if not wave else np.clip(rng.normal(30, 3, count), 0, 60)
    return from_events(
        SETTING.places, SETTING.window, Events(np.sort(days), rng.choice(4, count, p=[0.5, 0.1, 0.1, 0.3]))
    )


@given(st.integers(0, 10_000), st.booleans())
def test_pairs_are_those_of_the_twin(seed: int, plane: bool) -> None:
    history = scattered(seed, 25) if plane else over_cities(seed, 25)
    events = history.events
    assert events is not None
    if seed % 3 == 0:  # days only: lags tie with the limits
        events = dataclasses.replace(events, time_days=np.floor(events.time_days))
    limits, days = ([5.0, 30, 90] if plane else [0.0, 60, 70]), [0.0, 1, 10]
    setting = AREA if plane else SETTING
    found = space_time_interaction(setting, events, distances_km=limits, days=days, permutations=1, rng=generator(0))
    assert found.table["pairs"] == list(np.ravel(knox(events, setting.places, limits, days, plane)))


def test_expected_pairs_are_the_mean_over_all_permutations() -> None:
    history = over_cities(3, 6)
    events = history.events
    assert events is not None
    found = space_time_interaction(
        SETTING, history, distances_km=[0, 60], days=[2, 9], permutations=4000, rng=generator(1)
    )
    draws = generator(2)
    twins = [knox(permuted(history, rng=draws).events, SETTING.places, [0, 60], [2, 9], False) for _ in range(3000)]
    assert found.table["expected"] == pytest.approx(np.ravel(np.mean(twins, axis=0)), abs=0.08)


@pytest.mark.parametrize("wave", [False, True])
def test_p_values_are_uniform_without_interaction_also_in_a_wave(wave: bool) -> None:
    values = []
    for seed in range(160):
        history = scattered(seed, wave=wave) if seed % 2 else over_cities(seed, wave=wave)
        setting, limits = (AREA, [10, 30]) if seed % 2 else (SETTING, [0, 60])
        found = space_time_interaction(
            setting, history, distances_km=limits, days=[1, 5], permutations=39, rng=generator(seed)
        )
        values.append([found.sum_p_value, found.largest_p_value])
    found = np.array(values)
    assert ((found <= 0.1).mean(axis=0) < 0.18).all()  # .1 expected, sd .024
    assert ((found <= 0.1).mean(axis=0) > 0.03).all()
    assert np.abs((found <= 0.5).mean(axis=0) - 0.5).max() < 0.13  # sd .04


def test_offspring_near_and_soon_are_seen() -> None:
    history = PLANE.simulate(AREA, rng=generator(1))
    found = space_time_interaction(
        AREA, history, distances_km=[10, 20], days=[3, 7], permutations=199, rng=generator(1)
    )
    assert found.sum_p_value == pytest.approx(1 / 200)
    assert found.largest_p_value == pytest.approx(1 / 200)
    assert min(found.table["ratio"]) > 1.2
    assert "contagion or not" in str(found)
    assert NOT_EVIDENCE in found.notes


def test_a_common_cause_that_moves_is_taken_for_interaction() -> None:
    """No event sets off another here, and the test cannot know: what its note says."""
    rng = generator(4)
    place = np.repeat([0, 1, 2, 3], 12)
    days = np.array([10.0, 20, 30, 40])[place] + 3 * rng.random(48)
    order = np.argsort(days)
    history = from_events(SETTING.places, SETTING.window, Events(days[order], place[order]))
    found = space_time_interaction(SETTING, history, distances_km=[0], days=[3], permutations=99, rng=generator(1))
    assert found.sum_p_value == pytest.approx(0.01)


def test_permuting_keeps_what_each_place_and_each_day_has() -> None:
    history = PLANE.simulate(AREA, rng=generator(1))
    events = history.events
    assert events is not None
    marked = dataclasses.replace(
        history, events=dataclasses.replace(events, marks={"own": np.arange(len(events))}, size=np.arange(len(events)))
    )
    moved = permuted(marked, rng=generator(2)).events
    assert moved is not None
    own = moved.marks["own"]
    assert not np.array_equal(own, np.arange(len(events)))
    assert np.array_equal(np.sort(own), np.arange(len(events)))
    assert np.array_equal(moved.time_days, events.time_days)
    for name in ("x_km", "y_km", "place"):
        assert np.array_equal(getattr(moved, name), getattr(events, name)[own])
    assert moved.size is not None
    assert np.array_equal(moved.size, own)
    counts = permuted(marked, rng=generator(2))["events"]
    assert np.array_equal(counts.sum(axis=0), history["events"].sum(axis=0))
    assert np.array_equal(counts.sum(axis=1), history["events"].sum(axis=1))


def test_triggering_that_stays_in_its_place_is_seen_by_a_fit() -> None:
    model = dataclasses.replace(CITIES, reach=None, population=None, branching_ratio=0.6, background=2.0)
    history = model.simulate(SETTING, rng=generator(2))
    null = {"branching_ratio": 0.0, "delay.decay": 1.0}
    found = triggering_test(model, null, SETTING, history, MaximumLikelihood(), permutations=19, rng=generator(1))
    assert found.p_value == pytest.approx(0.05)
    assert found.gain > found.permuted.max() > 0
    assert found.null.names[1] == "branching_ratio"
    assert found.null.estimate[1] == 0
    assert "p = 0.05" in str(found)


def test_a_null_may_be_another_model() -> None:
    history = PLANE.simulate(AREA, rng=generator(3))
    bare = dataclasses.replace(PLANE, offspring=None)
    found = triggering_test(
        PLANE, bare, AREA, history, MaximumLikelihood(), permutations=9, rng=generator(1),
        fixed={"offspring.delay.decay": 0.3, "endemic.effects.trend": 0.0},
    )  # fmt: skip
    assert found.p_value == pytest.approx(0.1)
    assert found.null.names == ("endemic.intercept", "endemic.effects.trend")
    assert found.null.estimate[1] == 0


def p_of_a_fit(seed: int, permutations: int) -> float:
    model = dataclasses.replace(CITIES, reach=None)
    null = {"branching_ratio": 0.0, "delay.decay": 1.0}
    return triggering_test(
        model, null, SETTING, over_cities(seed, 40), MaximumLikelihood(), permutations=permutations, rng=generator(seed)
    ).p_value


def test_p_values_of_a_fit_are_not_small_without_triggering() -> None:
    """At most uniform: gains of 0, where the branching ratio is on its boundary, tie, and ties count against."""
    values = np.array([p_of_a_fit(seed, 4) for seed in range(12)])
    assert (values <= 0.2).mean() < 0.5  # .2 expected at most, sd .12
    assert len(set(values)) > 2


@pytest.mark.slow
def test_p_values_of_a_fit_are_not_small_without_triggering_at_length() -> None:
    values = np.array([p_of_a_fit(seed, 19) for seed in range(60)])
    assert 0.03 < (values <= 0.1).mean() < 0.2  # .1 expected, sd .04
    assert (values <= 0.3).mean() < 0.45


def test_what_cannot_be_counted_is_refused() -> None:
    history = over_cities(1)
    for limits, days in (([2.0, 1.0], [1.0]), ([], [1.0]), ([1.0], [-1.0])):
        with pytest.raises(UsageError, match="rising"):
            space_time_interaction(SETTING, history, distances_km=limits, days=days, rng=generator(0))
    with pytest.raises(DataError, match="3 single events or more"):
        space_time_interaction(SETTING, over_cities(1, 2), distances_km=[0], days=[1], rng=generator(0))
    with pytest.raises(DataError, match="x_km and y_km"):
        space_time_interaction(SETTING, history, distances_km=[0], days=[1], rng=generator(0), plane=True)
    placeless = Setting(Places(SETTING.places.name, SETTING.places.population), SETTING.window)
    with pytest.raises(DataError, match="same place"):
        space_time_interaction(placeless, history, distances_km=[0, 5], days=[1], rng=generator(0))
    same = space_time_interaction(SETTING, history, distances_km=[0], days=[1], rng=generator(0), permutations=9)
    alike = space_time_interaction(placeless, history, distances_km=[0], days=[1], rng=generator(0), permutations=9)
    assert same.table.columns == alike.table.columns
