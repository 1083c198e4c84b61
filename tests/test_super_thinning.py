"""Super-thinned residuals: a Poisson process if the model is right, and what each test sees if it is not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.region import Region
from groundswell.data.setting import Setting
from groundswell.errors import DataError, MissingVerb, UsageError
from groundswell.evaluate.super_thinning import Homogeneity, homogeneity, super_thinned
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.space_time import SpaceTime
from groundswell.models.library import load
from groundswell.models.triggering import Exponential
from groundswell.rng import generator

CITIES, SETTING = SelfExciting.example()
MODEL = CITIES
STEADY = dataclasses.replace(CITIES, branching_ratio=0.0, background=3.0)
INPLANE, AREA = SpaceTime.example()


def drawn(model: Any, seed: int, setting: Setting = SETTING) -> History:
    return model.simulate(setting, rng=generator(seed))


def values(found: Homogeneity, column: str = "p median") -> dict[str, float]:
    return dict(zip(found.table["test"], found.table[column], strict=True))


def test_at_the_model_s_own_constant_rate_nothing_is_thinned_or_added() -> None:
    history = drawn(STEADY, 1)
    own = 3.0 * STEADY.shares(SETTING.places)
    found = super_thinned(STEADY, SETTING, history, rng=generator(1), rate=own * (1 + 1e-12))
    assert history.events is not None
    assert np.array_equal(found.points.time_days, history.events.time_days)
    assert np.array_equal(found.points.place, history.events.place)
    assert not found.added.any()
    assert found.expected == pytest.approx(own * 60)
    assert super_thinned(STEADY, SETTING, history, rng=generator(1)).rate == pytest.approx(own)


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_thinning_and_superposition_make_up_the_rate(factor: float) -> None:
    """Below the intensity a share of the events is kept and nothing added; above it all are kept."""
    kept, laid, events = np.zeros(4), np.zeros(4), np.zeros(4)
    own = 3.0 * STEADY.shares(SETTING.places)
    for seed in range(60):
        history = drawn(STEADY, seed)
        found = super_thinned(STEADY, SETTING, history, rng=generator(seed + 500), rate=factor * own)
        events += history["events"].sum(axis=1)
        kept += np.bincount(found.points.place[~found.added], minlength=4)
        laid += np.bincount(found.points.place[found.added], minlength=4)
        assert (np.diff(found.points.time_days) >= 0).all()
    assert kept == pytest.approx(min(factor, 1) * events, abs=4 * np.sqrt(events.max() / 4) if factor < 1 else 1e-9)
    added = max(factor - 1, 0) * own * 60 * 60
    assert (np.abs(laid - added) <= 4 * np.sqrt(added)).all()


@pytest.mark.parametrize(("model", "setting", "count"), [(MODEL, SETTING, 60), (INPLANE, AREA, 20)])
def test_p_values_of_a_right_model_are_not_small(model: Any, setting: Setting, count: int) -> None:
    single = [
        homogeneity(model, setting, drawn(model, seed, setting), rng=generator(seed), draws=1, simulations=19)
        for seed in range(count)
    ]
    assert set(values(single[0])) == {"number", "time", "place", "pairs"} | ({"space"} if setting is AREA else set())
    found = np.array([list(values(one).values()) for one in single])
    sd = np.sqrt(0.2 * 0.8 / count)
    assert ((found <= 0.2).mean(axis=0) < 0.2 + 3.3 * sd).all()
    assert ((found <= 0.2).mean(axis=0) > 0.2 - 3.3 * sd - 1e-9).all()


def test_triggering_that_a_model_lacks_is_seen() -> None:
    """Over places bursts change the times; in the plane the pairs that are near and soon."""
    history = drawn(dataclasses.replace(CITIES, branching_ratio=0.8, delay=ExponentialDelay(0.3)), 3)
    events = history.events
    assert events is not None
    level = dataclasses.replace(CITIES, branching_ratio=0.0, background=len(events) / 60)
    over = values(homogeneity(level, SETTING, history, rng=generator(0), draws=5))
    assert min(over.values()) < 0.01
    inplane = INPLANE.replacing({"offspring.intercept": -9.0, "endemic.intercept": -12.9})
    found = homogeneity(inplane, AREA, drawn(INPLANE, 1, AREA), rng=generator(0), draws=5)
    assert values(found)["pairs"] <= 0.02


def test_events_in_the_wrong_places_are_seen() -> None:
    turned = dataclasses.replace(CITIES, population=None)
    history = drawn(MODEL, 2)
    assert values(homogeneity(turned, SETTING, history, rng=generator(0), draws=3))["place"] <= 0.02
    table = super_thinned(turned, SETTING, history, rng=generator(0)).by_place
    assert table["place"] == list(SETTING.places.name)
    hub = next(iter(table.rows()))
    assert hub["points"] > hub["expected"]
    assert hub["standardised"] == pytest.approx((hub["points"] - hub["expected"]) / hub["expected"] ** 0.5)


def test_clusters_within_an_area_are_seen_by_ripley() -> None:
    """Endemic events crowded about one point of each area, which a rate by area cannot know."""
    history = drawn(INPLANE.replacing({"offspring.intercept": -9.0}), 4, AREA)
    events = history.events
    assert events is not None
    assert events.x_km is not None
    assert events.y_km is not None
    middle = np.array([[30.0, 75.0], [180.0, 75.0]])[events.place]
    crowded = dataclasses.replace(
        events,
        x_km=middle[:, 0] + (events.x_km - middle[:, 0]) / 3,
        y_km=middle[:, 1] + (events.y_km - middle[:, 1]) / 3,
    )
    model = INPLANE.replacing({"offspring.intercept": -9.0})
    found = homogeneity(model, AREA, dataclasses.replace(history, events=crowded), rng=generator(0), draws=3)
    assert values(found)["space"] <= 0.02
    assert found.ripley is not None
    assert max(found.ripley["excess"]) > found.ripley["high"][0] > 0


def test_points_of_the_plane_lie_in_their_areas() -> None:
    found = super_thinned(INPLANE, AREA, drawn(INPLANE, 1, AREA), rng=generator(2), rate=1e-4)
    assert AREA.region is not None
    assert found.plane
    assert found.points.x_km is not None
    assert found.points.y_km is not None
    assert np.array_equal(AREA.region.tile_of(found.points.x_km, found.points.y_km), found.points.place)
    area = np.array([tile.area_km2 for tile in AREA.region.tiles])
    assert found.expected == pytest.approx(1e-4 * 180 * area)
    assert found.added.mean() > 0.5
    everyone = np.bincount(found.points.place, minlength=2)
    assert (np.abs(everyone - found.expected) < 4 * np.sqrt(found.expected)).all()


def test_every_kind_has_its_points() -> None:
    two = dataclasses.replace(INPLANE, kinds=2)
    history = two.simulate(AREA, rng=generator(1))
    found = super_thinned(two, AREA, history, rng=generator(2), rate=1e-4)
    assert found.points.kind is not None
    assert np.array_equal(found.cell, 2 * found.points.place + found.points.kind)
    assert found.expected.sum() == pytest.approx(2 * 1e-4 * 180 * 45_000)
    assert (np.abs(np.bincount(found.cell) - found.expected) < 4 * np.sqrt(found.expected)).all()
    assert found.by_place["kind"] == ["0", "1", "0", "1"]
    assert "kind" not in super_thinned(INPLANE, AREA, drawn(INPLANE, 1, AREA), rng=generator(2)).by_place.columns


def test_what_is_naive_or_tied_is_said() -> None:
    history = drawn(MODEL, 1)
    near = dataclasses.replace(MODEL, reach=Exponential(60.0))
    found = fit(near, SETTING, history, MaximumLikelihood(), rng=generator(0))
    assert "naive" in str(homogeneity(found, SETTING, history, rng=generator(0), draws=1))
    assert "naive" not in str(homogeneity(MODEL, SETTING, history, rng=generator(0), draws=1))
    assert history.events is not None
    days = dataclasses.replace(history.events, time_days=np.floor(history.events.time_days))
    tied = homogeneity(MODEL, SETTING, dataclasses.replace(history, events=days), rng=generator(0), draws=1)
    assert any("share their time" in note for note in tied.notes)


def test_a_model_of_places_is_not_taken_for_one_of_the_plane() -> None:
    history = drawn(INPLANE, 1, AREA)
    model = SelfExciting(1.0, 0.3, ExponentialDelay(0.8))
    with pytest.raises(UsageError, match=r"no rates per km\^2\. Give plane=False"):
        super_thinned(model, AREA, history, rng=generator(0))
    assert not super_thinned(model, AREA, history, rng=generator(0), plane=False).plane


def test_what_cannot_be_thinned_is_refused() -> None:
    history = drawn(MODEL, 1)
    for rate in (-1.0, np.nan, 0.0):
        with pytest.raises(UsageError, match="finite numbers of 0 or more"):
            super_thinned(MODEL, SETTING, history, rng=generator(0), rate=rate)
    with pytest.raises(UsageError, match=r"shape \(3,\)"):
        super_thinned(MODEL, SETTING, history, rng=generator(0), rate=np.ones(3))
    with pytest.raises(DataError, match=r"Setting\.region"):
        super_thinned(MODEL, SETTING, history, rng=generator(0), plane=True)
    bare = dataclasses.replace(AREA, region=Region.rectangle(0, 0, 300, 150))
    with pytest.raises(DataError, match="a tile for each"):
        super_thinned(INPLANE, bare, drawn(INPLANE, 1, AREA), rng=generator(0))
    with pytest.raises(DataError, match="too few to test"):
        homogeneity(MODEL, SETTING, history, rng=generator(0), rate=0.001)
    counts = dataclasses.replace(history, events=None)
    with pytest.raises(DataError, match="single events"):
        super_thinned(MODEL, SETTING, counts, rng=generator(0))
    with pytest.raises(MissingVerb, match="jittered"):
        super_thinned(dataclasses.replace(MODEL, by_step=True), SETTING, history, rng=generator(0))
    counting, setting = load("endemic_epidemic").example()
    with pytest.raises(MissingVerb, match="compensator"):
        super_thinned(counting, setting, counting.simulate(setting, rng=generator(1)), rng=generator(0))
