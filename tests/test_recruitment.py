"""Recruitment: the way of its slow twin, the law of Mobilisation where nobody is missing, what persons add to it."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.cli import main as cli
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellError, ParameterError, UsageError
from groundswell.models.agents.recruitment import Jail, Recruitment, SpecificDeterrence, Ties
from groundswell.models.agents.society import (
    ARRESTED,
    JAILED,
    MEMBER,
    RECRUITED,
    TOOK_PART,
    WARNED,
    Society,
    load,
    run,
)
from groundswell.models.cities.mobilisation import (
    Arrests,
    Background,
    Backlash,
    Between,
    CalendarPulse,
    Call,
    Crowds,
    Deterrence,
    Groups,
    Media,
    Mobilisation,
    Organised,
    Within,
)  # fmt: skip
from groundswell.models.triggering import Gravity
from groundswell.params import Effects
from groundswell.rng import generator
from groundswell.statement import plain, stated
from tests.naive import recruitment as naive

# The hash means to wrap around at 2^64; with numba switched off, numpy says so at every turn.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

DAYS = 12
TOWNS = Places(
    ("Hub", "Near", "Twin", "Far"), np.array([90.0, 30.0, 25.0, 55.0]), np.array([35.0, 35.4, 35.45, 31.0]),
    np.array([51.0, 51.6, 51.65, 58.0]),
)  # fmt: skip
"""So few persons that everything runs out."""
WINDOW = Window(date(2020, 1, 1), DAYS)
SMALL = Setting(TOWNS, WINDOW, calls=call_matrix(TOWNS, WINDOW, [("2020-01-03", None), ("2020-01-08", ["Far"])]),
                active_on_day0=("Hub",))  # fmt: skip
BUSY = Recruitment(
    background=Background(40.0), within=Within(0.6), between=Between(0.5), media=Media(0.3),
    organised=Organised(1.5, 0.5), groups=Groups(8.0, 40.0, 40.0, 2.6, 1.5, 0.2, 0.5, 20.0), call=Call(3.0, 0.5),
    deterrence=Deterrence(0.02), backlash=Backlash(0.02), arrests=Arrests(1.2, 0.8, 0.8), crowds=Crowds(4.0, 0.8),
    overdispersion=0.7, ties=Ties(0.3, 0.5, 4), jail=Jail(3.0), specific_deterrence=SpecificDeterrence(0.3, 0.6),
)  # fmt: skip
"""Everything at work at once."""


def agrees_with_twin(model: Recruitment, setting: Setting, seed: int) -> dict[str, np.ndarray]:
    society = model.populate(setting, rng=generator(seed))
    twin = naive.Twin(society)
    np.testing.assert_array_equal(society.persons, twin.bits())
    done = run(society)
    for _ in range(setting.window.periods):
        twin.go()
    for name, values in done.series.items():
        np.testing.assert_array_equal(values, twin.series[name], err_msg=name)
    np.testing.assert_array_equal(done.society.persons, twin.bits())
    flat = [[-1 if who is None else who for who in group] for groups in twin.groups for group in groups]
    assert [[who for who in seats if who != -2] for seats in done.society.seats.tolist()] == flat
    held = {(int(who), int(until)) for who, until in zip(done.society.jailed, done.society.until, strict=True)}
    assert held == {(twin.first[p] + i, until) for (p, i), until in twin.jailed.items()}
    return dict(done.series)


def test_a_busy_run_goes_the_way_of_the_twin_and_is_not_idle() -> None:
    totals = {name: sum(agrees_with_twin(BUSY, SMALL, seed)[name].sum() for seed in range(3)) for name in
              ("events", "arrests", "warned", "formed", "broken_up", "members_arrested", "members_warned")}  # fmt: skip
    assert min(totals.values()) > 10, totals


CHOICES: dict[str, tuple[Any, ...]] = {
    "ties": (None, Ties(0.0, 1.0, 3), Ties(1.0, 0.4, 7)),
    "jail": (None, Jail(0.0), Jail(1.5), Jail(1e9)),
    "specific_deterrence": (None, SpecificDeterrence(1.0, 0.0), SpecificDeterrence(0.0, 1.0)),
    "groups": (Groups(20.0, 100.0, 10.0, 3.0), Groups(3.0, 0.0, 200.0, 1.0, 3.0, 0.0, 2.0), Groups(0.0, members=2.0)),
    "overdispersion": (0.0, 3.0),
    "arrests": (Arrests(0.0), Arrests(20.0, 0.0), Arrests(0.3, 5.0)),
    "crowds": (Crowds(0.0, 1.0), Crowds(30.0, 0.0), Crowds(2.0, 2.0)),
    "deterrence": (None, Deterrence(0.1, 3)),
    "backlash": (None, Backlash(-0.1, 2)),
    "within": (None, Within(2.0)),
    "media": (None,),
    "call": (None,),
}


@given(
    changes=st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in CHOICES.items()}),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=25, deadline=None)
def test_every_form_goes_the_way_of_the_twin(changes: dict[str, Any], seed: int) -> None:
    agrees_with_twin(replace(BUSY, **changes), SMALL.during(6), seed)


def errors(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many standard errors the means, and the variances, of two samples (runs, ...) lie apart."""
    mean, variance = [], []
    for sample in (first, second):
        off = sample - sample.mean(axis=0)
        square = (off**2).mean(axis=0)
        mean.append((sample.mean(axis=0), square / len(sample)))
        variance.append((square, ((off**4).mean(axis=0) - square**2) / len(sample)))
    return tuple(np.abs(a - b) / np.sqrt(np.maximum(va + vb, 1e-12)) for (a, va), (b, vb) in (mean, variance))  # type: ignore[return-value]


def totals(series: Mapping[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    """(names, places, 2): sums of the first and of the second half of the days."""
    half = next(iter(series.values())).shape[1] // 2
    return np.array([[series[n][:, :half].sum(axis=1), series[n][:, half:].sum(axis=1)] for n in names]).swapaxes(1, 2)


ALL = ("events", "arrests", "participants", "warned", "formed", "broken_up", "members_arrested", "members_warned",
       "joined", "groups", "members", "jailed")  # fmt: skip


@pytest.mark.parametrize("ties", [Ties(0.3, 0.5, 4), None])
@pytest.mark.parametrize("runs", [150, pytest.param(1500, marks=pytest.mark.slow)])
def test_drawing_numbers_and_then_persons_has_the_law_of_asking_everyone(ties: Ties | None, runs: int) -> None:
    """The sparse day against the dense one, where everything runs out; means and variances of half the days."""
    towns = TOWNS.subset([0, 2])
    small = Setting(
        replace(towns, population=np.array([40.0, 14.0])), Window(date(2020, 1, 1), 6), active_on_day0=("Hub",)
    )
    model = replace(BUSY, ties=ties, call=None, background=Background(1000.0)).replacing({"groups.initial": 5.0})
    rng = generator(1)
    dense = []
    for _ in range(runs):
        country = naive.Dense(model, small, rng)
        for day in range(6):
            country.go(day)
        dense.append(totals(country.series, ALL))
    sparse = [totals(model.simulate(small, rng=rng).series, ALL) for _ in range(3 * runs)]
    mean, variance = errors(np.array(sparse), np.array(dense))
    assert mean.max() < 4, mean
    assert variance.max() < 4.5, variance
    assert np.array(dense)[..., 1].mean(axis=0).min() > 0.2, "everything happens"


CITIES = Places(
    ("Hub", "Near", "Far"), np.array([1_500_000.0, 300_000.0, 500_000.0]), np.array([35.0, 35.4, 31.0]),
    np.array([51.0, 51.6, 58.0]),
)  # fmt: skip
LARGE = Setting(CITIES, Window(date(2020, 1, 1), 10), calls=call_matrix(CITIES, Window(date(2020, 1, 1), 10),
                [("2020-01-03", None)]), active_on_day0=("Hub", "Far"))  # fmt: skip
MIXED = Recruitment(
    background=Background(0.05), within=Within(0.4), between=Between(0.3), media=Media(0.2),
    organised=Organised(1.0, 0.5), groups=Groups(60.0, 8.0, 8.0, 4.0, 1.0, 0.1, 0.2, 4.0), call=Call(3.0, 0.5),
    deterrence=Deterrence(0.3, 2), backlash=Backlash(0.2), arrests=Arrests(2.0, 0.5, 0.8), crowds=Crowds(60.0, 0.5),
    overdispersion=0.8, ties=None, jail=None, specific_deterrence=None,
)  # fmt: skip
"""Many persons a city, crowds small among them and large against arrests, nobody missing, anyone may be asked."""


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(MIXED, id="terms of 0 days"),
        pytest.param(replace(MIXED, organised=None, jail=Jail(1e9)), id="terms without end"),
    ],
)
@pytest.mark.parametrize("runs", [300, pytest.param(4000, marks=pytest.mark.slow)])
def test_well_mixed_the_counts_have_the_law_of_mobilisation(model: Recruitment, runs: int) -> None:
    """Means and variances of every series that both have, by place and half of the days, within Monte Carlo error."""
    parts = {f.name: getattr(model, f.name) for f in fields(Mobilisation)}
    cities, several = Mobilisation(**parts), 8 * runs
    rng = generator(2)
    state = cities.start(LARGE, rng=rng, histories=several)
    days = []
    for day in range(10):
        groups = state.groups.copy()
        state, _ = cities.step(state, day, rng=rng)
        days.append({**{name: values.copy() for name, values in state.today.items()}, "groups": groups})
    names = tuple(name for name in ALL if name in days[0])
    assert len(names) == 9
    by_place = np.array([[[day[n] for day in half] for half in (days[:5], days[5:])] for n in names]).sum(axis=2)
    theirs = by_place.transpose(2, 0, 3, 1)
    ours = np.array([totals(model.simulate(LARGE, rng=rng).series, names) for _ in range(runs)])
    assert ours.shape[1:] == theirs.shape[1:]
    mean, variance = errors(ours, theirs)
    assert mean.max() < 4, dict(zip(names, mean.round(1), strict=True))
    assert variance.max() < 4.5, dict(zip(names, variance.round(1), strict=True))


ALONE = dict.fromkeys(("within", "between", "media", "organised", "groups", "call", "deterrence", "backlash"))
"""Every mechanism left out but the background."""


def one_city(persons: float, days: int) -> Setting:
    return Setting(Places.single(persons), Window(date(2020, 1, 1), days))


def assert_averages_zero(residuals: list[float]) -> None:
    off, error = np.mean(residuals), np.std(residuals, ddof=1) / np.sqrt(len(residuals))
    assert error > 0
    assert abs(off) < 4 * error, (off, error)


def test_events_fall_with_those_in_jail() -> None:
    """Given the day before, expected events are mu times the share who are free, and terms of 1e9 days never end."""
    model = Recruitment(Background(20.0), **ALONE, arrests=Arrests(30.0, 0.2), crowds=Crowds(60.0, 0.2), jail=Jail(1e9),
                        ties=None, specific_deterrence=None, scale=0.0)  # fmt: skip
    residuals, away = [], []
    for seed in range(60):
        series = model.simulate(one_city(10_000, 15), rng=generator(seed)).series
        expected = 20 * (1 - series["jailed"][0, 1:] / 10_000)
        residuals.append((series["events"][0, 1:] - expected).sum())
        away.append(series["jailed"][0, -1] / 10_000)
    assert np.mean(away) > 0.4, "the correction must matter"
    assert_averages_zero(residuals)


def test_a_person_warned_or_arrested_before_counts_for_less() -> None:
    """Expected events are mu times the mean chance of coming: 1, 1 - warned, or 1 - arrested."""
    stays = SpecificDeterrence(0.5, 0.9)
    model = Recruitment(Background(20.0), **ALONE, arrests=Arrests(20.0, 0.2), crowds=Crowds(60.0, 0.2), jail=None,
                        ties=None, specific_deterrence=stays, scale=0.0, warnings_per_arrest=1.0)  # fmt: skip
    residuals = []
    for seed in range(60):
        society = model.populate(one_city(5_000, 12), rng=generator(seed))
        off = 0.0
        for day in range(12):
            arrested, warned = society.persons & ARRESTED > 0, society.persons & WARNED > 0
            weight = np.where(arrested, 0.1, np.where(warned, 0.5, 1.0)).mean()
            done = run(society, 1)
            off += done.series["events"][0, 0] - (20 * weight if day > 0 else 0)
            society = done.society
        residuals.append(off)
    assert weight < 0.6
    assert_averages_zero(residuals)


def test_recruits_run_out_as_in_logistic_growth() -> None:
    """A member's attempts ask five persons each, and each of them joins if nobody won them before.

    Of U who never joined, exp(-rate members / 5 (1 - (1 - 1 / N)^5)) are left on average after a day.
    """
    groups = Groups(40.0, 0.2 * 365, 0.0, 5.0)
    model = replace(Recruitment(Background(0.0), **ALONE, ties=None), groups=groups)
    residuals, reached = [], []
    for seed in range(60):
        series = model.simulate(one_city(3_000, 25), rng=generator(seed)).series
        members = series["members"][0]
        lost = 1 - np.exp(-0.2 * members / 5 * (1 - (1 - 1 / 3_000) ** 5))
        residuals.append((series["joined"][0] - (3_000 - members) * lost).sum())
        reached.append(members[-1] / 3_000)
    assert np.mean(reached) > 0.6
    assert_averages_zero(residuals)


def test_along_a_ring_recruits_run_out_sooner() -> None:
    """The further away ties lead, the longer there is someone left to ask."""

    def members(random: float) -> float:
        model = replace(Recruitment(Background(0.0), **ALONE, ties=Ties(random, 0.5, 6)),
                        groups=Groups(40.0, 0.2 * 365, 0.0, 5.0))  # fmt: skip
        runs = [model.simulate(one_city(20_000, 25), rng=generator(seed))["members"][0, -1] for seed in range(10)]
        return float(np.mean(runs))

    ring, small_world, anyone = members(0.0), members(0.2), members(1.0)
    assert 1.3 * ring < small_world < 0.9 * anyone


def test_those_in_jail_are_arrests_a_day_times_the_mean_term() -> None:
    """Little's law; a uniform time up to 10 days, in days begun, is 1 to 10 with equal chances."""
    model = Recruitment(Background(20.0), **ALONE, arrests=Arrests(2.0, 0.2), crowds=Crowds(60.0, 0.2), jail=Jail(10.0),
                        ties=None, specific_deterrence=None, scale=0.0)  # fmt: skip
    series = model.simulate(one_city(1e6, 600), rng=generator(1)).series
    assert series["jailed"][0, 50:].mean() == pytest.approx(5.5 * series["arrests"][0, 40:-10].mean(), rel=0.03)


def test_everyone_is_as_likely_to_come_and_to_be_taken() -> None:
    model = Recruitment(Background(30.0), **ALONE, arrests=Arrests(3.0, 0.2), crowds=Crowds(8.0, 0.5), jail=None,
                        ties=None, specific_deterrence=None, scale=0.0, warnings_per_arrest=0.0)  # fmt: skip
    taken = np.zeros(50)
    for seed in range(1500):
        society = model.populate(one_city(50, 2), rng=generator(seed))
        taken += run(society).society.persons & ARRESTED > 0
    expected = taken.mean()
    assert expected > 300
    assert ((taken - expected) ** 2 / expected).sum() < 95  # chi-squared, 49 degrees of freedom: p about 1e-4


def test_a_crowd_that_comes_along_a_ring_of_ties_stands_together() -> None:
    model = Recruitment(Background(3.0), **ALONE, arrests=Arrests(1000.0, 0.0), crowds=Crowds(40.0, 0.1),
                        jail=Jail(9.0), ties=Ties(0.0, 1.0, 4), specific_deterrence=None, scale=0.0)  # fmt: skip
    setting = replace(one_city(3_000, 1), active_on_day0=("population",))
    for seed in range(20):
        held = np.sort(run(model.populate(setting, rng=generator(seed))).society.jailed)
        gaps = np.diff(np.append(held, held[0] + 3_000))
        assert len(held) > 8
        assert (gaps > 2).sum() == 1, "steps of 1 or 2 around the ring, but for the way back"


def test_who_organises_comes_with_the_group_and_may_be_arrested() -> None:
    groups = Groups(30.0, 0.0, 0.0, 5.0)
    model = replace(Recruitment(Background(0.0), **ALONE, arrests=Arrests(1000.0, 0.0), crowds=Crowds(0.0, 0.0),
                    jail=Jail(1e9)), groups=groups, organised=Organised(3.0))  # fmt: skip
    done = run(model.populate(one_city(10_000, 8), rng=generator(1)))
    assert done.series["participants"].sum() == done.series["arrests"].sum() == len(done.society.jailed) > 20
    assert (done.society.persons[done.society.jailed] & MEMBER > 0).all()
    left = (done.series["members"] - done.series["jailed"]) / done.series["members"]
    assert left[0, -1] < 0.75
    assert done.series["events"][0, 1:].mean() < 3


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_persons_are_in_one_place_and_join_once(seed: int) -> None:
    done = run(BUSY.populate(SMALL, rng=generator(seed)))
    series, society = done.series, done.society
    persons, first = society.persons, np.concatenate([[0], np.cumsum(TOWNS.population)]).astype(int)
    assert len(set(society.jailed.tolist())) == len(society.jailed) == (persons & JAILED > 0).sum()
    taken = (first[society.city][:, None] + society.seats)[society.seats >= 0]
    assert len(set(taken.tolist())) == len(taken) == (persons & MEMBER > 0).sum()
    assert (persons[persons & MEMBER > 0] & RECRUITED > 0).all()
    joined_before = series["members"][:, 0].sum()
    assert (persons & RECRUITED > 0).sum() == joined_before + series["joined"].sum()
    assert (series["members"][:, 1:] <= series["members"][:, :-1] + series["joined"][:, :-1]).all()
    grown = series["groups"][:, :-1] + series["formed"][:, :-1] - series["broken_up"][:, :-1]
    np.testing.assert_array_equal(series["groups"][:, 1:], grown)
    assert (series["participants"] + series["jailed"] <= np.diff(first)[:, None]).all()
    assert (series["arrests"] + series["warned"] <= series["participants"]).all()
    assert (persons < 64).all(), "nobody is out at night"
    assert 0 < (persons & TOOK_PART > 0).sum() <= series["participants"].sum()


def assert_same(one: Society, other: Society) -> None:
    for field in fields(Society):
        if field.name not in ("model", "setting"):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)
    assert one.model == other.model


def test_threads_recording_stopping_saving_and_resuming_change_nothing(tmp_path: Path) -> None:
    start = BUSY.populate(SMALL, rng=generator(11))
    straight = run(start)
    assert_same(run(start, threads=2).society, straight.society)
    assert_same(run(start, threads=7, record="none", follow=range(5)).society, straight.society)
    assert run(start, record="none").series == {}
    for name, values in run(start, record="totals").series.items():
        np.testing.assert_array_equal(values, straight.series[name].sum(axis=0))
    society, parts = start, []
    for day in range(DAYS):
        society.save(tmp_path / "society.npz")
        done = run(load(tmp_path / "society.npz", SMALL), 1, threads=1 + day % 3)
        society = done.society
        parts.append(done.series)
    assert_same(society, straight.society)
    assert society.day == DAYS
    for name, values in straight.series.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts], axis=1), values, err_msg=name)


def test_a_run_keeps_the_society_it_was_given() -> None:
    start = run(BUSY.populate(SMALL, rng=generator(6)), 4).society
    before = replace(start, persons=start.persons.copy(), jailed=start.jailed.copy(), until=start.until.copy())
    run(start)
    assert_same(start, before)


def test_followed_persons_are_seen_at_the_end_of_each_day() -> None:
    start = BUSY.populate(SMALL, rng=generator(3))
    done = run(start, follow=[90, 91, 92, 0])
    assert done.followed is not None
    assert start.of("Near") == range(90, 120)
    assert done.followed.shape == (DAYS, 4)
    np.testing.assert_array_equal(done.followed[-1], done.society.persons[[90, 91, 92, 0]])


def test_scenarios_share_their_luck() -> None:
    """A call that is made or not: the same until it is made; the difference is far better known than by chance."""
    quiet = Setting(CITIES, Window(date(2020, 1, 1), 12))
    called = replace(quiet, calls=call_matrix(CITIES, quiet.window, [("2020-01-05", None)]))
    model = replace(MIXED, within=None, media=None, between=Between(0.0))
    apart, alone = [], []
    for seed in range(30):
        start = run(model.populate(quiet, rng=generator(seed)), 4).society
        scenario, plain = run(replace(start, setting=called)), run(start)
        apart.append(scenario.series["events"].sum() - plain.series["events"].sum())
        alone.append(scenario.series["events"].sum())
        np.testing.assert_array_equal(run(replace(start, setting=called), 0).society.persons, start.persons)
    assert np.var(apart) < np.var(alone)
    changed = replace(start, model=replace(model, jail=Jail(50.0)))
    np.testing.assert_array_equal(run(changed, 1).series["events"], run(start, 1).series["events"])


def test_a_scenario_may_have_larger_groups() -> None:
    start = run(BUSY.populate(SMALL, rng=generator(2)), 5).society
    larger = BUSY.replacing({"groups.members": 4.0})
    done = run(replace(start, model=larger))
    assert done.society.seats.shape[1] == 4
    assert (done.society.seats[:, 3] == -2).any()
    assert (done.society.seats[:, 3] >= -1).any()


def test_enormous_numbers_end_where_everyone_is_reached() -> None:
    """No loop and no array grows with a parameter beyond what the persons of a city can make of it."""
    huge = BUSY.replacing({
        "crowds.median": 1e12, "arrests.per_event": 1e300, "warnings_per_arrest": 1e300, "jail.longest": 1e300,
        "groups.recruitment": 1e300, "groups.breakup": 0.0, "groups.warned_per_member_arrested": 0.0,
        "groups.contact": 0.0, "specific_deterrence.warned": 0.0, "specific_deterrence.arrested": 0.0,
        "ties.turnout": 0.0, "ties.random": 1.0,
    })  # fmt: skip
    done = run(huge.populate(SMALL, rng=generator(1)), 2)
    assert done.series["participants"][0, 0] == done.series["arrests"][0, 0] == 90, "all of Hub came, and are in jail"
    assert done.series["members"][1:, 1].sum() > 1.5 * done.series["members"][1:, 0].sum() > 0
    assert done.series["broken_up"].sum() == 0
    ended = run(
        huge.replacing({"groups.recruitment": 0.0, "groups.breakup": 1e300}).populate(SMALL, rng=generator(1)), 2
    )
    assert ended.series["groups"][:, 1].sum() == 0


def test_an_exploded_draw_is_flagged_and_ends() -> None:
    for background in (4000.0, 1e30):
        model = replace(BUSY, background=Background(background), max_daily_events=50)
        history = model.simulate(SMALL, rng=generator(1))
        assert history.exploded
        assert history["events"][:, 0].sum() == 1
        assert not history["events"][:, 1:].any()


def test_a_person_takes_one_byte() -> None:
    society = BUSY.populate(one_city(1e6, 3), rng=generator(1))
    assert society.persons.nbytes == 1_000_000
    tracemalloc.start()
    alone = replace(MIXED.replacing({"groups.contact": 0.0}), between=None)
    society = alone.populate(one_city(5e6, 3), rng=generator(1))
    run(society, threads=2)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2.2 * 5e6, "the society, the copy that is run, and little beside"


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ParameterError, match="longest jail term"):
        Jail(-1.0)
    with pytest.raises(UsageError, match="expected 1 or more: a group"):
        BUSY.replacing({"groups.members": 0.5})
    with pytest.raises(UsageError, match="as many ties as"):
        replace(BUSY, ties=Ties(0.3, 0.5, 2))
    with pytest.raises(UsageError, match=r"Ties.number is 0"):
        Ties(number=0)
    with pytest.raises(UsageError, match=r'"Twin" has 25 persons and would have .* members'):
        BUSY.replacing({"groups.initial": 70.0}).populate(SMALL, rng=generator(1))
    with pytest.raises(UsageError, match=r'"Twin" has 25 persons and Ties.number is 25'):
        replace(BUSY, ties=Ties(number=25)).populate(SMALL, rng=generator(1))
    with pytest.raises(UsageError, match="by the day"):
        BUSY.populate(replace(SMALL, later_edges=(12, 19)), rng=generator(1))
    with pytest.raises(UsageError, match="steps of 7 days"):
        BUSY.populate(Setting(TOWNS, Window(date(2020, 1, 1), 3, 7)), rng=generator(1))
    society = run(BUSY.populate(SMALL, rng=generator(1)), 5).society
    with pytest.raises(UsageError, match="from 0 to 7, the days that are left"):
        run(society, 8)
    with pytest.raises(UsageError, match='"places", "totals" or "none"'):
        run(society, 1, record="all")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="threads is 0"):
        run(society, 1, threads=0)
    with pytest.raises(UsageError, match="outside 0 to 199"):
        run(society, 1, follow=[200])
    with pytest.raises(DataError, match="not the persons"):
        replace(society, setting=LARGE)
    with pytest.raises(UsageError, match="arrests of 4 days ago"):
        replace(society, model=replace(BUSY, deterrence=Deterrence(0.1, 4)))
    with pytest.raises(DataError, match="disagree about"):
        replace(society, city=society.city[:-1])


def test_files_that_are_no_society_of_these_places_are_refused(tmp_path: Path) -> None:
    society = run(BUSY.populate(SMALL, rng=generator(1)), 6).society
    path = tmp_path / "society.npz"
    society.save(path)
    whole = path.read_bytes()
    for name, content in {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"day,persons\n1,2\n"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="no saved society"):
            load(tmp_path / name, SMALL)
    for at in range(0, len(whole), len(whole) // 150):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        (tmp_path / "broken").write_bytes(broken)
        try:
            same = load(tmp_path / "broken", SMALL)
        except DataError:
            continue
        assert_same(same, society)  # a byte that no reader looks at
    with pytest.raises(DataError, match="does not exist"):
        load(tmp_path / "none.npz", SMALL)
    saved = dict(np.load(path))
    for changes, words in (
        ({"format": 2}, "reads format 1"), ({"model": "{}"}, None), ({"model": "no table"}, "is no saved society"),
        ({"persons": saved["persons"][1:]}, "not the persons"), ({"persons": saved["persons"] ^ 1}, "disagree"),
        ({"seats": saved["seats"] + 90}, "disagree"), ({"city": saved["city"] - 9}, "disagree"),
        ({"jailed": saved["jailed"].astype(float)}, "is no saved society"), ({"places": np.array(["Hub"])}, "no place"),
        ({"start": "2021-01-01"}, "begins on 2021-01-01"),
    ):  # fmt: skip
        np.savez(tmp_path / "other.npz", **(saved | changes))  # type: ignore[arg-type]
        if words is None:
            assert load(tmp_path / "other.npz", SMALL).model == Recruitment()
            continue
        with pytest.raises(DataError, match=words):
            load(tmp_path / "other.npz", SMALL)
    elsewhere = replace(SMALL, places=replace(TOWNS, name=("Hub", "Near", "Twin", "Farr")))
    with pytest.raises(DataError, match=r'knows no place "Farr". Nearest name: "Far"'):
        load(path, replace(elsewhere, active_on_day0=()))
    with pytest.raises(DataError, match="another order"):
        load(path, replace(SMALL, places=TOWNS.subset([1, 0, 2, 3])))
    before = path.read_bytes()
    with pytest.raises(GroundswellError, match="cannot be written"):
        society.save(tmp_path / "text" / "society.npz")
    assert path.read_bytes() == before
    assert_same(load(path, SMALL), society)


def test_a_model_comes_back_from_its_plain_values() -> None:
    friday = CalendarPulse(0.1, Effects(fri=0.2))
    for model in (BUSY, MIXED, Recruitment(pulse=friday, between=Between(0.2, Gravity()))):
        assert stated(Recruitment, json.loads(json.dumps(plain(model)))) == model


def test_it_runs_from_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["simulate", "recruitment", "--seed", "3", "--set", "jail.longest=2", "--without", "ties", "--json"]
    assert cli.main([*command, "--out", str(tmp_path)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {row["series"] for row in result["totals"]} == set(ALL)
    assert (tmp_path / "history.csv").exists()
    assert cli.main(["simulate", "recruitment", "--set", "jail.longest=-1"]) == 2
    assert "longest jail term" in capsys.readouterr().err


@pytest.mark.slow
def test_a_country_of_the_gazetteer_runs_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["simulate", "recruitment", "--country", "IR", "--days", "20", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["places"] > 400


def past(**changes: np.ndarray | None) -> History:
    """Three days in `TOWNS` with an event here and there."""
    events, arrests = np.zeros((4, 3)), np.zeros((4, 3))
    events[0], events[3, 1] = (1, 2, 3), 1
    arrests[0], arrests[3, 1] = (2, 0, 9), 4
    series = {"events": events, "arrests": arrests, "participants": 20.0 * events, "warned": 1.0 * events} | changes
    return History(TOWNS, replace(WINDOW, periods=3), {name: v for name, v in series.items() if v is not None})


def test_a_given_past_happens_again_to_persons_that_are_drawn() -> None:
    free = replace(BUSY, jail=Jail(1e9), groups=None, organised=None)
    done = run(free.populate(SMALL, rng=generator(1)), 3, given=past(), threads=2)
    for name in ("events", "arrests", "participants", "warned"):
        np.testing.assert_array_equal(done.series[name], past()[name])
    arrested = [int((done.society.persons[list(done.society.of(name))] & ARRESTED > 0).sum()) for name in TOWNS.name]
    assert arrested == [11, 0, 0, 4]
    assert len(done.society.jailed) == 15
    np.testing.assert_array_equal(done.society.momentum, (past()["events"] * 0.5 ** np.arange(2, -1, -1)).sum(axis=1))
    told = run(free.populate(SMALL, rng=generator(1)), 3, given=past(participants=None, warned=None))
    assert (told.series["participants"][0] >= past()["arrests"][0]).all()
    assert not told.series["participants"][1].any()
    assert told.series["warned"].sum() > 0


def test_more_than_a_town_has_find_no_person_and_are_kept_as_given() -> None:
    crowd = past(participants=np.where(past()["events"] > 0, 5000.0, 0.0), arrests=40 * past()["events"])
    done = run(replace(BUSY, jail=Jail(1e9)).populate(SMALL, rng=generator(1)), 3, given=crowd)
    np.testing.assert_array_equal(done.series["participants"], crowd["participants"])
    np.testing.assert_array_equal(done.series["arrests"], crowd["arrests"])
    assert (done.society.persons[:90] & JAILED > 0).sum() <= 90


def test_arrests_without_an_event_are_of_anyone() -> None:
    done = run(replace(BUSY, jail=Jail(1e9), groups=None, organised=None).populate(SMALL, rng=generator(1)), 3,
               given=past(arrests=np.ones((4, 3)), participants=None))  # fmt: skip
    assert [int((done.society.persons[list(done.society.of(name))] & JAILED > 0).sum()) for name in TOWNS.name] == [
        3
    ] * 4
    assert not done.series["participants"][past()["events"] == 0].any()


def test_going_on_from_a_past_is_going_on_with_its_persons() -> None:
    whole = run(BUSY.populate(SMALL, rng=generator(4)), given=past())
    start = run(BUSY.populate(SMALL, rng=generator(4)), 3, given=past()).society
    later = run(start)
    assert_same(later.society, whole.society)
    for name, values in later.series.items():
        np.testing.assert_array_equal(values, whole.series[name][:, 3:])


def test_a_past_that_cannot_be_is_refused() -> None:
    start = BUSY.populate(SMALL, rng=generator(1))
    with pytest.raises(DataError, match="has no arrests"):
        run(start, given=past(arrests=None))
    with pytest.raises(DataError, match="whole number"):
        run(start, given=past(events=0.5 * past()["events"]))
