"""Delay and growing record: against the naive twin, finite differences, limits, and simulated lists."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import growing as naive

from groundswell.data.listings import Listings
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, ParameterError, UsageError
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.reporting.delay import NEARBY_KM, REFERENCE_PERSONS, ReportingDelay, own_columns
from groundswell.models.reporting.growing import FirstEvents, GrowingRecord
from groundswell.params import Effects, from_vector, leaves, names, vector
from groundswell.rng import generator

VINTAGES = np.array([3, 4, 6])
DAYS = 7


def a_setting(lopsided: Places) -> Setting:
    return Setting(lopsided, Window(date(2024, 3, 1), DAYS))


def moved(model: GrowingRecord, seed: int, width: float = 0.3) -> GrowingRecord:
    """The model at other values, drawn near the priors' medians."""
    rng = generator(seed)
    values = [leaf.from_free(leaf.to_free(leaf.value) + width * leaf.sd * rng.normal()) for leaf in leaves(model)]
    return from_vector(model, values)


def a_case(lopsided: Places, closed: bool, seed: int, rate: float) -> tuple[GrowingRecord, Setting, Listings]:
    setting = a_setting(lopsided)
    model = moved(GrowingRecord.for_setting(setting, closed=closed), seed)
    model = model.replacing({"process.rate": rate})
    _, listings = model.simulate(setting, VINTAGES, rng=generator(seed), stated=0.6)
    return model, setting, listings


def twins(model: GrowingRecord, setting: Setting, longest: int) -> tuple[list, list]:
    """First events and waits of each place, as the naive twin has them."""
    process, delay, places = model.process, model.delay, setting.places
    level = process.rate * np.exp(np.concatenate([[0], np.cumsum(process.change.values_array)]))
    firsts, waits = [], []
    for i in range(len(places)):
        near = [j for j in range(len(places)) if places.latitude is not None and places.distance_km[i, j] <= NEARBY_KM]
        columns = {
            "persons": np.log(places.population[i] / REFERENCE_PERSONS),
            "prominence": np.log(places.population[i] / places.population[near].sum()) if near else 0.0,
        }
        own = [
            sum(value * columns[name] for name, value in part.effects.items()) + part.regions.get(places.region[i], 0.0)
            for part in (process, delay)
        ]
        firsts.append(naive.first_event(level.tolist(), own[0], process.closed))
        chances = (delay.same_day, delay.daily, delay.late, delay.late_daily)
        waits.append([naive.not_listed(k, *chances, own[1]) for k in range(longest + 1)])
    return firsts, waits


every_form = pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])


@every_form
@pytest.mark.parametrize("seed", range(6))
def test_the_density_is_the_sum_over_every_way_an_entry_can_come_about(
    lopsided: Places, closed: bool, seed: int
) -> None:
    model, setting, listings = a_case(lopsided, closed, seed, rate=0.4)
    entries = list(zip(listings.unit.tolist(), listings.first_seen.tolist(), listings.day.tolist(), strict=True))
    expected = naive.log_density(VINTAGES.tolist(), entries, *twins(model, setting, DAYS - 1), closed)
    assert model.log_density(setting, listings) == pytest.approx(expected, rel=1e-12)


@every_form
@pytest.mark.parametrize("listed_by", [None, 6, 20])
def test_what_is_unseen_is_what_is_left_of_every_day(lopsided: Places, closed: bool, listed_by: int | None) -> None:
    model, setting, listings = a_case(lopsided, closed, 1, rate=0.05)
    firsts, waits = twins(model, setting, 20)
    found = model.unseen(setting, listings, listed_by)(vector(model))
    for i in range(len(setting.places)):
        if closed and i in listings.unit:
            assert not found[i].any()
        else:
            expected = naive.unseen(VINTAGES.tolist(), firsts[i], waits[i], listed_by, closed)
            assert found[i] == pytest.approx(expected, rel=1e-12, abs=1e-15)


@every_form
@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_that_of_finite_differences(lopsided: Places, closed: bool, seed: int) -> None:
    model, setting, listings = a_case(lopsided, closed, seed, rate=0.3)
    value_and_gradient = model.likelihood(setting, listings)
    at = vector(model)
    _, gradient = value_and_gradient(at)
    for i, name in enumerate(names(model)):
        h = 1e-6 * max(abs(at[i]), 1e-2)
        step = h * (np.arange(len(at)) == i)
        slope = (value_and_gradient(at + step)[0] - value_and_gradient(at - step)[0]) / (2 * h)
        assert gradient[i] == pytest.approx(slope, rel=2e-5, abs=1e-5), name


@every_form
def test_simulate_and_density_agree(lopsided: Places, closed: bool) -> None:
    """At the true parameters the score averages zero, each coordinate within 4 standard errors."""
    setting = a_setting(lopsided)
    model = moved(GrowingRecord.for_setting(setting, closed=closed), 5).replacing({"process.rate": 0.2})
    at, scores = vector(model), []
    for seed in range(500):
        _, listings = model.simulate(setting, VINTAGES, rng=generator(seed), stated=0.7)
        scores.append(model.likelihood(setting, listings)(at)[1])
    error = np.std(scores, axis=0, ddof=1) / np.sqrt(len(scores))
    assert (error > 0).all()
    assert (np.abs(np.mean(scores, axis=0)) < 4 * error).all()


@every_form
def test_what_is_simulated_unseen_is_what_is_expected(lopsided: Places, closed: bool) -> None:
    setting = a_setting(lopsided)
    model = moved(GrowingRecord.for_setting(setting, closed=closed), 6).replacing({"process.rate": 0.03})
    apart = []
    for seed in range(800):
        missed, listings = model.simulate(setting, VINTAGES, rng=generator(seed))
        residual = missed - model.unseen(setting, listings)(vector(model))
        apart.append(np.concatenate([residual.sum(axis=0), residual.sum(axis=1)]))  # by day, by place
    error = np.std(apart, axis=0, ddof=1) / np.sqrt(len(apart))
    assert (error > 0).all()
    assert (np.abs(np.mean(apart, axis=0)) < 4 * error).all()


def test_with_free_days_the_delay_is_that_of_the_conditional_likelihood() -> None:
    """Kalbfleisch and Lawless (1989): the delay of an entry given that it is listed by the last vintage.

    Open form, maximised over the days' levels, against the conditional likelihood maximised on a fine grid.
    """
    setting = Setting(Places.single(), Window(date(2024, 3, 1), 5))
    model = GrowingRecord.for_setting(setting, closed=False)
    vintages = np.array([1, 2, 3, 4])
    truth = model.replacing({"process.rate": 60.0, "delay.same_day": 0.2, "delay.daily": 0.4, "delay.late": 0.0})
    _, listings = truth.simulate(setting, vintages, rng=generator(3))
    held = {"delay.late": 0.0, "delay.late_daily": 0.05}
    found = fit(truth, setting, listings, MaximumLikelihood(), rng=generator(0), fixed=held)  # type: ignore[arg-type]

    def conditional(same_day: float, daily: float) -> float:
        waits = [naive.not_listed(k, same_day, daily, 0.0, 0.05, 0.0) for k in range(5)]
        total = 0.0
        for seen, day in zip(listings.first_seen.tolist(), listings.day.tolist(), strict=True):
            before = 1.0 if seen == 0 or vintages[seen - 1] < day else waits[vintages[seen - 1] - day]
            total += np.log((before - waits[vintages[seen] - day]) / (1 - waits[vintages[-1] - day]))
        return total

    from scipy.optimize import minimize

    best = minimize(
        lambda x: -conditional(*x), [0.3, 0.3], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10}
    )
    assert found.converged
    assert found.estimate[[names(model).index(f"delay.{name}") for name in ("same_day", "daily")]] == pytest.approx(
        best.x, abs=1e-4
    )


@given(
    same_day=st.floats(0.01, 0.99),
    daily=st.floats(0.01, 0.99),
    late=st.floats(0.0, 1.0),
    late_daily=st.floats(0.0, 1.0),
)
def test_listing_is_a_distribution_over_delays(same_day: float, daily: float, late: float, late_daily: float) -> None:
    listed = ReportingDelay(same_day, daily, late, late_daily).listed(Places.single(), 30)[0]
    assert (np.diff(listed) >= -1e-12).all()
    assert listed[0] == pytest.approx((1 - late) * same_day, abs=1e-12)
    assert (listed <= 1 + 1e-12).all()


def test_a_list_that_takes_everything_at_once_has_everything(lopsided: Places) -> None:
    setting = a_setting(lopsided)
    for closed in (True, False):
        model = GrowingRecord.for_setting(setting, closed=closed).replacing(
            {"process.rate": 0.3, "delay.same_day": 1.0, "delay.daily": 1.0, "delay.late": 0.0}
        )
        missed, listings = model.simulate(setting, VINTAGES, rng=generator(1))
        assert not missed.any()
        assert len(listings)
        assert not model.unseen(setting, listings)(vector(model)).any()
        assert np.isfinite(model.log_density(setting, listings))


def test_an_impossible_entry_has_no_density(lopsided: Places) -> None:
    setting = a_setting(lopsided)
    model = GrowingRecord.for_setting(setting).replacing({"delay.same_day": 1.0, "delay.daily": 1.0, "delay.late": 0.0})
    tardy = Listings(VINTAGES, np.array([0]), np.array([2]), np.array([1]))  # on day 1, and not there on day 4
    assert model.log_density(setting, tardy) == -np.inf


@every_form
def test_renaming_and_reordering_places_changes_nothing(lopsided: Places, closed: bool) -> None:
    model, setting, listings = a_case(lopsided, closed, 2, rate=0.3)
    order = np.array([2, 0, 3, 1])
    renamed = Places(
        ("w", "x", "y", "z"), lopsided.population[order], lopsided.latitude[order], lopsided.longitude[order],  # type: ignore[index]
        tuple(lopsided.region[i] for i in order),
    )  # fmt: skip
    other = Listings(VINTAGES, np.argsort(order)[listings.unit], listings.first_seen, listings.day)
    assert model.log_density(dataclasses.replace(setting, places=renamed), other) == pytest.approx(
        model.log_density(setting, listings), rel=1e-12
    )


def test_an_entry_without_a_day_holds_what_its_days_hold(lopsided: Places) -> None:
    model, setting, _ = a_case(lopsided, True, 2, rate=0.3)

    def density(day: int) -> float:
        return np.exp(model.log_density(setting, Listings(VINTAGES, np.array([1]), np.array([1]), np.array([day]))))

    assert density(-1) == pytest.approx(sum(density(day) for day in range(VINTAGES[1] + 1)), rel=1e-12)


@every_form
def test_drawn_days_are_those_that_an_entry_may_have(lopsided: Places, closed: bool) -> None:
    model, setting, listings = a_case(lopsided, closed, 4, rate=0.5)
    draw = model.days(setting, listings)
    drawn = np.array([draw(vector(model), generator(seed)) for seed in range(1500)])
    stated = listings.day >= 0
    assert (drawn[:, stated] == listings.day[stated]).all()
    assert (drawn <= VINTAGES[listings.first_seen]).all()
    assert (drawn >= 0).all()
    firsts, waits = twins(model, setting, DAYS - 1)
    for entry in np.flatnonzero(~stated)[:5]:
        unit, seen = int(listings.unit[entry]), int(listings.first_seen[entry])
        before = VINTAGES[seen - 1] if seen else -1
        weight = np.array(
            [
                firsts[unit][d] * ((waits[unit][before - d] if before >= d else 1) - waits[unit][VINTAGES[seen] - d])
                for d in range(VINTAGES[seen] + 1)
            ]
        )
        expected = weight / weight.sum()
        share = np.bincount(drawn[:, entry], minlength=len(weight)) / len(drawn)
        assert np.abs(share - expected).max() < 4 * 0.5 / np.sqrt(len(drawn))


def test_size_and_prominence_of_places(lopsided: Places) -> None:
    columns = own_columns(Effects(persons=0.0, prominence=0.0), Effects(), lopsided)
    assert columns[:, 0] == pytest.approx(np.log(lopsided.population / REFERENCE_PERSONS))
    near_pair = lopsided.population[[1, 2]].sum()  # Near and Twin lie 8 km apart, the Hub 70
    assert np.exp(columns[:, 1]) == pytest.approx([1, 60_000 / near_pair, 45_000 / near_pair, 1])


def test_maximum_likelihood_recovers_a_long_record() -> None:
    places = Places.single()
    setting = Setting(places, Window(date(2024, 3, 1), 25))
    model = GrowingRecord.for_setting(setting, closed=False)
    truth = model.replacing({"process.rate": 40.0, "delay.same_day": 0.15, "delay.daily": 0.35, "delay.late": 0.0})
    held = {
        "delay.late": 0.0,
        "delay.late_daily": 0.05,
        **dict.fromkeys([n for n in names(model) if "change" in n], 0.0),
    }
    inside = np.zeros(3)
    for seed in range(40):
        _, listings = truth.simulate(setting, np.arange(5, 25), rng=generator(seed), stated=0.8)
        found = fit(truth, setting, listings, MaximumLikelihood(), rng=generator(0), fixed=held)  # type: ignore[arg-type]
        at = [found.names.index(name) for name in ("process.rate", "delay.same_day", "delay.daily")]
        inside += np.abs(found.estimate[at] - vector(truth)[at]) < 1.645 * found.standard_error[at]
    assert (inside >= 31).all()  # 36 expected of 40; 30 or fewer has probability .005
    assert (inside < 40).any()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"vintages": [3, 3]}, "each later than the one before"),
    ({"vintages": [4, 3]}, "each later than the one before"),
    ({"vintages": []}, "one day or more"),
    ({"first_seen": [2, 0]}, "names a vintage that there is not"),
    ({"day": [4, 0]}, "nothing is listed before it happens"),
    ({"day": [0]}, "expected \\(L,\\) each"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_listings_that_cannot_be(change: dict[str, Any], words: str) -> None:
    given = {"vintages": [3, 6], "unit": [0, 1], "first_seen": [0, 1], "day": [2, 5]}
    with pytest.raises(DataError, match=words):
        Listings(**{name: np.array(values, dtype=int) for name, values in (given | change).items()})


def test_what_does_not_fit_together_is_refused(lopsided: Places) -> None:
    model, setting, listings = a_case(lopsided, True, 1, rate=0.3)
    longer = dataclasses.replace(setting, window=Window(date(2024, 3, 1), 9))
    with pytest.raises(DataError, match="the last vintage on the last day"):
        model.likelihood(longer, listings)
    with pytest.raises(UsageError, match="one for each day after the first"):
        FirstEvents().log_first(lopsided, 3)
    with pytest.raises(UsageError, match="before the last vintage"):
        model.unseen(setting, listings, 2)
    with pytest.raises(ParameterError, match=r'"person" names no column\. Nearest name: "persons"'):
        ReportingDelay(effects=Effects(person=1.0)).listed(lopsided, 3)
    with pytest.raises(ParameterError, match='region "South" has no effect'):
        ReportingDelay(regions=Effects(Centre=1.0)).listed(lopsided, 3)
    with pytest.raises(DataError, match="needs the positions"):
        ReportingDelay(effects=Effects(prominence=1.0)).listed(Places.single(), 3)
