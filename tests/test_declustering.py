"""Stochastic declustering: forests as likely as the model says, shares with the right spread, kernels that add up."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, MissingVerb, UsageError
from groundswell.evaluate.declustering import BACKGROUND, BEFORE, Forest, declustered, drawn_forest
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.plausible import curve_band
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events.branching import Branching
from groundswell.models.events.clusters import cluster_size
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.space_time import SpaceTime
from groundswell.models.library import load
from groundswell.rng import generator

CITIES, SETTING = SelfExciting.example()
MODEL = CITIES
TOWN = Setting(Places(("Town",), np.array([5e4])), Window(date(2024, 1, 1), 60))
PLAIN = SelfExciting(1.0, 0.5, ExponentialDelay(0.8))

FIVE = Branching(
    np.array([1.0, 0.5, 0.2, 0.0, 0.4]), np.array([0.0, 0.5, 0.0, 0.0, 0.1]),
    np.array([1, 2, 2, 3, 4, 4]), np.array([0, 0, 1, 2, 0, 3]), np.array([1.0, 0.3, 0.5, 2.0, 0.2, 0.3]),
)  # fmt: skip
"""Five events whose possibilities can be written down."""


def drawn(seed: int, model: Any = MODEL, setting: Setting = SETTING) -> History:
    return model.simulate(setting, rng=generator(seed))


def fitted(history: History) -> Fit:
    return fit(PLAIN, TOWN, history, MaximumLikelihood(), rng=generator(0))


def test_parents_are_drawn_as_often_as_they_are_likely() -> None:
    rng, times = generator(1), 20_000
    seen = [Counter() for _ in range(5)]
    for _ in range(times):
        for event, parent in enumerate(drawn_forest(FIVE, rng).parent):
            seen[event][int(parent)] += 1
    expected = [
        {BACKGROUND: 1.0},
        {BACKGROUND: 0.25, BEFORE: 0.25, 0: 0.5},
        {BACKGROUND: 0.2, 0: 0.3, 1: 0.5},
        {2: 1.0},
        {BACKGROUND: 0.4, BEFORE: 0.1, 0: 0.2, 3: 0.3},
    ]
    for counts, shares in zip(seen, expected, strict=True):
        assert set(counts) == set(shares)
        for parent, share in shares.items():
            assert counts[parent] / times == pytest.approx(share, abs=4 * (share * (1 - share) / times) ** 0.5 + 1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 9))
def test_clusters_of_a_forest_are_those_of_walking_up_to_the_first(picks: list[float], seed: int) -> None:
    rng = generator(seed)
    parent = np.array([int(pick * (k + 2)) - 2 if rng.random() < 0.8 else BACKGROUND for k, pick in enumerate(picks)])
    parent = np.minimum(parent, np.arange(len(picks)) - 1)
    forest = Forest(parent)
    for event in range(len(picks)):
        steps, at = 0, event
        while parent[at] >= 0:
            steps, at = steps + 1, int(parent[at])
        assert forest.root[event] == at
        assert forest.generation[event] == steps
    assert forest.sizes.sum() == len(picks)
    assert len(forest.sizes) == (parent < 0).sum()


def test_probabilities_are_told_event_by_event() -> None:
    history = drawn(1)
    found = declustered(MODEL, SETTING, history, rng=generator(0), draws=3)
    rows = found.probabilities
    assert history.events is not None
    total = np.array(rows["no parent"]) + np.array(rows["before the window"]) + np.array(rows["in the window"])
    assert total == pytest.approx(1)
    assert rows["no parent"][0] == 1
    assert rows["likeliest parent"][0] is None
    assert all(parent is None or parent < k for k, parent in enumerate(rows["likeliest parent"]))
    parts = found.branching
    third = parts.parent_probability[parts.later == 3]
    assert rows["its probability"][3] == pytest.approx(third.max())


def test_background_events_are_as_many_as_the_model_says_on_average() -> None:
    """Campbell: the expected sum of the probabilities of no parent is background x days."""
    sums = []
    for seed in range(150):
        parts = PLAIN.branching(TOWN, drawn(seed, PLAIN, TOWN))
        sums.append(parts.background_probability.sum())
    assert np.mean(sums) == pytest.approx(60, abs=4 * np.std(sums) / 150**0.5)


def test_shares_have_the_spread_of_independent_draws() -> None:
    history = drawn(2)
    found = declustered(MODEL, SETTING, history, rng=generator(0), draws=2000)
    p = found.branching.background_probability
    (row,) = found.shares().rows()
    assert row["share"] == pytest.approx(p.mean())
    half = 1.645 * (p * (1 - p)).sum() ** 0.5 / len(p)
    assert row["low"] == pytest.approx(p.mean() - half, abs=0.012)
    assert row["high"] == pytest.approx(p.mean() + half, abs=0.012)
    assert "taken as known" in found.notes[-1]


def test_shares_by_place_and_by_time_add_up() -> None:
    history = drawn(2)
    found = declustered(MODEL, SETTING, history, rng=generator(0), draws=50)
    (whole,) = found.shares().rows()
    for table in (found.shares("place"), found.shares("time", steps=7)):
        assert sum(table["events"]) == whole["events"]
        assert sum(table["background"]) == pytest.approx(whole["background"])
    assert found.shares("place")["place"] == list(SETTING.places.name)
    weeks = found.shares("time", steps=7)
    assert weeks["from"][:2] == ["2024-01-01", "2024-01-08"]
    assert len(weeks) == 9
    quiet = dataclasses.replace(history, events=history.events.take(history.events.place == 0))  # type: ignore[union-attr]
    rows = list(declustered(MODEL, SETTING, quiet, rng=generator(0), draws=5).shares("place").rows())
    assert rows[1] == {"place": "Near", "events": 0, "background": 0, "share": None, "low": None, "high": None}


def test_doubt_about_parameters_widens_the_shares() -> None:
    history = drawn(3, PLAIN, TOWN)
    found = fitted(history)
    sure = declustered(found, TOWN, history, rng=generator(0), doubt=False)
    unsure = declustered(found, TOWN, history, rng=generator(0))
    assert unsure.doubt
    assert not sure.doubt
    (a,), (b,) = sure.shares().rows(), unsure.shares().rows()
    assert a["share"] == b["share"]
    assert b["high"] - b["low"] > 1.5 * (a["high"] - a["low"])


def test_clusters_have_the_sizes_of_a_branching_process() -> None:
    """Borel's, over a window so long that its end cuts few."""
    setting = Setting(TOWN.places, Window(date(2024, 1, 1), 400))
    model = SelfExciting(0.4, 0.5, ExponentialDelay(3.0))
    sizes = []
    for seed in range(12):
        found = declustered(model, setting, drawn(seed, model, setting), rng=generator(seed), draws=4)
        sizes += [size for forest in found.forests for size in forest.sizes]
    counts = np.bincount(sizes, minlength=4)[1:4] / len(sizes)
    assert counts == pytest.approx(cluster_size(0.5, np.arange(1, 4)), abs=0.035)
    table = found.cluster_sizes()
    assert np.dot(table["size"], table["clusters"]) == pytest.approx(len(found.events))
    assert sum(found.generations()["events"]) == pytest.approx(len(found.events))
    assert found.generations()["events"][0] == pytest.approx(sum(table["clusters"]))


def test_the_largest_clusters_come_first() -> None:
    found = declustered(MODEL, SETTING, drawn(1), rng=generator(0), draws=60)
    rows = list(found.largest(4).rows())
    expected = [row["no parent"] * row["mean size"] for row in rows]
    assert expected == sorted(expected, reverse=True)
    row = rows[0]
    sizes = [np.bincount(f.root)[row["row"]] for f in found.forests if f.parent[row["row"]] < 0]
    assert row["mean size"] == pytest.approx(np.mean(sizes))
    assert row["no parent"] == pytest.approx(len(sizes) / 60)


def test_events_that_never_begin_a_cluster_are_not_among_the_largest() -> None:
    """One cluster of three in every forest."""
    history = drawn(1)
    assert history.events is not None
    found = declustered(MODEL, SETTING, history, rng=generator(0), draws=1)
    chain = tuple(Forest(np.array([BACKGROUND, 0, 1])) for _ in range(4))
    found = dataclasses.replace(found, events=history.events.take(np.arange(3)), forests=chain)
    assert found.largest()["row"] == [0]
    assert found.largest()["mean size"] == [3.0]


def test_background_over_time_is_that_of_the_definition_and_adds_up() -> None:
    found = declustered(MODEL, SETTING, drawn(1), rng=generator(0), draws=1)
    times, p = found.events.time_days, found.branching.background_probability
    at = np.array([0.0, 17.3, 60.0])
    for when, value in zip(at, found.over_time(at, neighbours=3, least_days=0.4), strict=True):
        expected = 0.0
        for t, weight in zip(times, p, strict=True):
            width = max(sorted(np.abs(times - t))[3], 0.4)
            inside = norm.cdf(60, t, width) - norm.cdf(0, t, width)
            expected += weight * norm.pdf(when, t, width) / inside
        assert value == pytest.approx(expected)
    fine = np.linspace(0, 60, 6001)
    assert np.trapezoid(found.over_time(fine), fine) == pytest.approx(p.sum(), rel=1e-5)
    with pytest.raises(DataError, match="more events than neighbours"):
        found.over_time(at, neighbours=len(times))


def test_background_over_the_plane_leaves_the_offspring_out() -> None:
    model, setting = SpaceTime.example()
    history = model.simulate(setting, rng=generator(1))
    found = declustered(model, setting, history, rng=generator(0), draws=1)
    side = np.linspace(-400, 700, 111)
    x, y = (each.ravel() for each in np.meshgrid(side, side))
    total = found.over_plane(x, y).sum() * (side[1] - side[0]) ** 2 * 180
    assert total == pytest.approx(found.branching.background_probability.sum(), rel=0.02)
    with pytest.raises(DataError, match="x_km and y_km"):
        declustered(MODEL, SETTING, drawn(1), rng=generator(0), draws=1).over_plane(x, y)


def test_what_is_not_determined_is_said() -> None:
    history = drawn(3, PLAIN, TOWN)
    found = fit(PLAIN, TOWN, history, MaximumLikelihood(), rng=generator(0), fixed={"branching_ratio": 0.0})
    notes = declustered(found, TOWN, history, rng=generator(0), draws=3).notes
    assert "delay.decay: not determined" in notes[-1]


def test_bands_of_a_kernel_are_those_of_its_parameters() -> None:
    found = fitted(drawn(3, PLAIN, TOWN))
    at = np.array([0.0, 0.5, 2.0])
    band = curve_band(found, lambda model, days: model.delay.value(days), at, rng=generator(0), draws=4000)
    decay, error = found.estimate[2], found.standard_error[2] / found.estimate[2]
    assert band["estimate"] == pytest.approx(decay * np.exp(-decay * at))
    assert band["high"][0] == pytest.approx(decay * np.exp(1.645 * error), rel=0.05)  # g(0) is the decay itself
    assert band["low"][0] == pytest.approx(decay * np.exp(-1.645 * error), rel=0.05)
    assert all(low < e < high for low, e, high in zip(band["low"], band["estimate"], band["high"], strict=True))


def test_what_cannot_be_declustered_is_refused() -> None:
    history = drawn(1)
    with pytest.raises(DataError, match="single events"):
        declustered(MODEL, SETTING, dataclasses.replace(history, events=None), rng=generator(0))
    with pytest.raises(UsageError, match="needs a Fit"):
        declustered(MODEL, SETTING, history, rng=generator(0), doubt=True)
    with pytest.raises(UsageError, match="0 forests"):
        declustered(MODEL, SETTING, history, rng=generator(0), draws=0)
    with pytest.raises(UsageError, match="expected all, place or time"):
        declustered(MODEL, SETTING, history, rng=generator(0), draws=1).shares("week")
    counting, setting = load("endemic_epidemic").example()
    with pytest.raises(MissingVerb, match="branching"):
        declustered(counting, setting, counting.simulate(setting, rng=generator(1)), rng=generator(0))
