"""Mobilisation: the compiled days against a plain twin, special cases with exact answers, the density of counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from naive import mobilisation as naive
from scipy.stats import nbinom

from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.window import Window
from groundswell.errors import DataError, MissingVerb, UsageError
from groundswell.evaluate.compare import Candidate, compare
from groundswell.evaluate.forecast import forecast
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.posterior import Posterior
from groundswell.models.cities.mobilisation import (
    Abroad,
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
    RandomPulse,
    Within,
)
from groundswell.models.day_by_day import Counters, Guide, Total
from groundswell.models.triggering import (
    Exponential,
    Gravity,
    NearAndEverywhere,
    NeighbourhoodOrder,
    PowerLaw,
    Reach,
    reach_weights,
)
from groundswell.params import Effects, leaves, names, vector
from groundswell.rng import generator

ALONE = dict.fromkeys(
    ("within", "between", "media", "organised", "groups", "call", "deterrence", "backlash", "pulse", "abroad")
)
"""Every component left out but the background."""


CHAIN = Network(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=float))
"""Hub, Near and Twin in a row; no path leads to Far."""


def country(places: Places, days: int = 15) -> Setting:
    """Calls, events abroad and a covariate, none of them the same everywhere or on all days; holidays; a network."""
    window = Window(date(2020, 1, 1), 40)
    rng = generator(5)
    setting = Setting(
        places,
        window,
        CHAIN,
        covariates={
            "hardship": rng.normal(size=(4, 40)),
            "holiday": np.isin(np.arange(40), (2, 3, 7)).astype(float)[None],
        },
        calls=call_matrix(places, window, [("2020-01-04", None), ("2020-01-09", ["Near", "Far"])]),
        abroad=np.round(rng.gamma(2, 3, 40)),
        active_on_day0=("Hub", "Far"),
    )
    return setting.during(days)


def everything() -> Mobilisation:
    """Every component, each strong enough to show."""
    return Mobilisation(
        background=Background(0.02, Effects(hardship=0.4)),
        within=Within(0.3),
        between=Between(0.4, PowerLaw(70.0, 2.3)),
        media=Media(0.2),
        organised=Organised(0.5, 0.6),
        groups=Groups(40.0, 6.0, 9.0, 3.5, 0.7, 0.15, 0.4),
        call=Call(1.5, 0.6),
        abroad=Abroad(0.02),
        deterrence=Deterrence(0.35),
        backlash=Backlash(0.3),
        pulse=CalendarPulse(0.03, Effects(fri=0.4, sat=-0.5)),
        arrests=Arrests(6.0, 1.5, 0.7),
        crowds=Crowds(120.0, 0.6),
        scale=0.8,
        keep=0.45,
        overdispersion=0.8,
        warnings_per_arrest=0.6,
    )


def otherwise() -> Mobilisation:
    """Every component in its other form: gravity, groups in contact, repression that acts late, announced dates."""
    return replace(
        everything(),
        between=Between(0.4, Gravity(1.1, 1.7)),
        groups=Groups(40.0, 6.0, 9.0, 3.5, 0.7, 0.15, 0.4, contact=8.0),
        deterrence=Deterrence(0.35, lag_days=3),
        backlash=Backlash(0.3, lag_days=2),
        pulse=CalendarPulse(0.03, Effects(fri=0.4), Effects({"holiday": 0.5, "2020-01-07": -0.6})),
    )


def by_order() -> Mobilisation:
    """Over a network in which one place has no neighbour; backlash later than deterrence."""
    return replace(
        otherwise(),
        between=Between(0.5, NeighbourhoodOrder(1.3)),
        deterrence=Deterrence(0.35, lag_days=2),
        backlash=Backlash(0.3, lag_days=4),
    )


every_form = pytest.mark.parametrize("model", [everything(), otherwise(), by_order()], ids=["one", "other", "by order"])
REACHES = [
    PowerLaw(70.0, 2.3),
    Exponential(50.0),
    Gravity(1.1, 1.7),
    NeighbourhoodOrder(1.3),
    NearAndEverywhere(0.1, 60.0),
]
every_reach = pytest.mark.parametrize("reach", REACHES, ids=lambda reach: type(reach).__name__)


def counted(reach: Reach | None = None) -> Mobilisation:
    """Every component that counts of events and arrests can be weighed with."""
    model = replace(everything(), groups=None, organised=None)
    return model if reach is None else replace(model, between=Between(0.5, reach))


def run(model: Mobilisation, setting: Setting, runs: int, seed: int) -> dict[str, np.ndarray]:
    """{series: (S, P, T)} by the compiled days."""
    rng = generator(seed)
    state = model.start(setting, rng=rng, histories=runs)
    days = []
    for day in range(setting.window.periods):
        groups = state.groups.copy()
        state, _ = model.step(state, day, rng=rng)
        days.append({**state.today, "groups": groups})
    assert not state.exploded.any()
    return {name: np.stack([day[name] for day in days], axis=2) for name in days[0]}


def functionals(series: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Numbers of a run, (S,) each, that between them read every series and several lags."""
    events, arrests = series["events"], series["arrests"]
    return {
        "events": events.sum((1, 2)),
        "places active early": (events[:, :, :4] > 0).any(2).sum(1),
        "events far away late": events[:, 3, 8:].sum(1),
        "near after hub": (events[:, 0, :-1] * events[:, 1, 1:]).sum(1),
        "near after near": (events[:, 1, :-2] * events[:, 1, 2:]).sum(1),
        "busy days": (events.sum(1) > 4).sum(1),
        "arrests": arrests.sum((1, 2)),
        "events two days after many arrests": np.where(arrests[:, :, :-2] > 8, events[:, :, 2:], 0).sum((1, 2)),
        "participants": series["participants"].sum((1, 2)),
        "warned": series["warned"].sum((1, 2)),
        "formed": series["formed"].sum((1, 2)),
        "broken up": series["broken_up"].sum((1, 2)),
        "broken up at events": np.where(events > 0, series["broken_up"], 0).sum((1, 2)),
        "groups at the end": series["groups"][:, :, -1].sum(1),
        "members arrested": series["members_arrested"].sum((1, 2)),
        "members warned": series["members_warned"].sum((1, 2)),
    }


def assert_same_means(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], limit: float = 4.0) -> None:
    for name in ours:
        a, b = ours[name], theirs[name]
        error = math.sqrt(a.var() / len(a) + b.var() / len(b))
        assert a.std() > 0, name
        assert abs(a.mean() - b.mean()) < limit * error, (name, a.mean(), b.mean(), error)


# --- the simulator ---


@every_form
def test_simulator_is_its_plain_twin(lopsided: Places, model: Mobilisation) -> None:
    """Means of sixteen functionals within 4 standard errors on 8,000 runs; and of their squares."""
    setting = country(lopsided)
    ours = functionals(run(model, setting, 8_000, 1))
    theirs = functionals(naive.histories(model, setting, 8_000, generator(2)))
    assert_same_means(ours, theirs)
    squares = [{name: values**2 for name, values in side.items()} for side in (ours, theirs)]
    assert_same_means(*squares)


def test_simulate_draws_what_the_days_draw(lopsided: Places) -> None:
    """One history at a time, as the library hands it out, with all its series."""
    setting, model = country(lopsided, 6), everything()
    rng = generator(3)
    drawn = [model.simulate(setting, rng=rng) for _ in range(1_500)]
    ours = functionals({name: np.stack([h[name] for h in drawn]) for name in drawn[0].series})
    theirs = functionals(run(model, setting, 6_000, 4))
    keep = [name for name in ours if name != "events far away late"]
    assert_same_means({name: ours[name] for name in keep}, {name: theirs[name] for name in keep})


def test_background_alone_is_independent_negative_binomial(lopsided: Places) -> None:
    setting = Setting(lopsided, Window(date(2020, 1, 1), 6))
    model = Mobilisation(**ALONE, background=Background(0.3), overdispersion=0.9, scale=1.0)
    events = run(model, setting, 20_000, 5)["events"]
    assert not events[:, :, 0].any()
    mean = 0.3 * lopsided.population / 100_000
    for p in range(4):
        for k in range(4):
            share = nbinom.pmf(k, 1 / 0.9, 1 / (1 + 0.9 * mean[p]))
            found = (events[:, p, 1:] == k).mean()
            assert abs(found - share) < 4 * math.sqrt(share * (1 - share) / 100_000), (p, k)
    cells = events[:, :, 1:].reshape(20_000, -1)
    correlation = np.corrcoef(cells.T) - np.eye(cells.shape[1])
    assert np.abs(correlation).max() < 4.5 / math.sqrt(20_000)


@pytest.mark.parametrize(("mean", "psi"), [(400.0, 0.5), (400.0, 0.0), (12.0, 6.0), (3.0, 0.0), (0.7, 40.0)])
def test_counts_of_every_size_have_the_right_distribution(mean: float, psi: float) -> None:
    """Large means go by gamma-Poisson, small ones by inversion; Poisson is the limit psi = 0."""
    setting = Setting(Places.single(100_000), Window(date(2020, 1, 1), 2))
    model = Mobilisation(**ALONE, background=Background(mean), overdispersion=psi)
    events = run(model, setting, 20_000, 6)["events"][:, 0, 1]
    variance = mean + psi * mean**2
    assert events.mean() == pytest.approx(mean, abs=4 * math.sqrt(variance / 20_000))
    grid = np.quantile(events, [0.05, 0.25, 0.5, 0.75, 0.95])
    for at in grid:
        share = sum(math.exp(naive.log_negative_binomial(y, mean, psi)) for y in range(int(at) + 1))
        assert (events <= at).mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 20_000) + 1e-9)


def extinct(recruitment: float, breakup: float, days: int) -> float:
    """P(one group has no descendants after so many days): the generating function, applied day after day."""
    s = 0.0
    for _ in range(days):
        s = math.exp(recruitment * (s - 1)) * (1 - math.exp(-breakup) * (1 - s))
    return s


def test_groups_alone_are_a_branching_process() -> None:
    """By the day's rule, not in continuous time: mean G0 (recruitment + exp(-breakup))^days, extinction q^G0."""
    setting = Setting(Places.single(100_000), Window(date(2020, 1, 1), 31))
    runs = 20_000
    for recruitment, breakup in ((0.08, 0.10), (0.5, 0.35)):
        groups = Groups(3.0, 365 * recruitment, 365 * breakup)
        model = Mobilisation(**{**ALONE, "groups": groups}, background=Background(0.0))
        rng = generator(7)
        state = model.start(setting, rng=rng, histories=runs)
        assert state.groups.mean() == pytest.approx(3, abs=4 * math.sqrt(3 / runs))
        assert state.groups.var() == pytest.approx(3, abs=0.2)
        state.groups[:], state.groups_total[:] = 3, 3
        for day in range(30):
            model.step(state, day, rng=rng)
        alive = state.groups[:, 0]
        mean = 3 * (recruitment + math.exp(-breakup)) ** 30
        assert alive.mean() == pytest.approx(mean, abs=4 * alive.std() / math.sqrt(runs))
        gone = extinct(recruitment, breakup, 30) ** 3
        assert (alive == 0).mean() == pytest.approx(gone, abs=4 * math.sqrt(gone * (1 - gone) / runs))
    assert mean == pytest.approx(3 * 1.2046880897**30)
    # after thirty days nearly all that will die out have, so this is q^3 as well
    assert gone == pytest.approx(extinct(0.5, 0.35, 10_000) ** 3, abs=2e-3)


def after(groups: Groups, weights: np.ndarray, alive: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """Mean groups by place after steps of so many days: recruitment and break-up at home, contact by the weights."""
    for days in steps:
        stays = days * groups.recruitment / 365 + math.exp(-days * groups.breakup / 365)
        alive = stays * alive + days * groups.contact / 365 * (alive @ weights)
    return alive


def test_groups_in_contact_are_a_branching_process_over_the_places(lopsided: Places) -> None:
    """By place a linear recursion of the means; the country, where every place has others to reach, as one place."""
    setting = Setting(lopsided, Window(date(2020, 1, 1), 31), CHAIN)
    runs, start = 20_000, np.array([1.0, 2.0, 0.0, 3.0])
    for reach in (Exponential(60.0), NeighbourhoodOrder(1.0)):
        groups = Groups(6.0, 365 * 0.03, 365 * 0.10, contact=365 * 0.05)
        parts = {**ALONE, "groups": groups, "between": Between(0.0, reach)}
        model = Mobilisation(**parts, background=Background(0.0))
        rng = generator(44)
        state = model.start(setting, rng=rng, histories=runs)
        state.groups[:], state.groups_total[:] = start, start.sum()
        for day in range(30):
            model.step(state, day, rng=rng)
        expected = after(groups, naive.reach_weights(model, setting), start, [1] * 30)
        assert (np.abs(state.groups.mean(axis=0) - expected) < 4 * state.groups.std(axis=0) / math.sqrt(runs)).all()
        if isinstance(reach, Exponential):
            assert expected.sum() == pytest.approx(6 * (0.08 + math.exp(-0.10)) ** 30)
            gone = extinct(0.08, 0.10, 30) ** 6
            assert (state.groups_total == 0).mean() == pytest.approx(gone, abs=4 * math.sqrt(gone * (1 - gone) / runs))
        assert np.array_equal(state.groups_total, state.groups.sum(axis=1))


def test_groups_in_contact_run_on_by_place(lopsided: Places) -> None:
    setting = replace(country(lopsided, 9), later_edges=(9, 16, 23, 25))
    model = replace(by_order(), groups=Groups(40.0, 6.0, 9.0, contact=8.0))
    state = model.start(setting, rng=generator(45))
    weights = model.later_weights(state)
    assert weights == pytest.approx(naive.reach_weights(model, setting), rel=5e-5)
    groups = np.tile([5.0, 0.0, 9.0, 20.0], (20_000, 1))
    steps = model.run_later(groups, setting.later_edges, rng=generator(46), weights=weights)
    alive = groups + (steps[..., 0] - steps[..., 1]).sum(axis=2)
    expected = after(model.groups, weights, groups[0], (7, 7, 2))
    assert (np.abs(alive.mean(axis=0) - expected) < 4 * alive.std(axis=0) / math.sqrt(20_000)).all()
    assert np.array_equal(steps[..., 2], 4 * steps[..., 1])
    assert steps[..., 3].mean() == pytest.approx(steps[..., 2].mean(), rel=0.02)
    assert model.simulate(setting, rng=generator(47)).later is not None
    with pytest.raises(UsageError, match="no weights between them"):
        model.run_later(groups, setting.later_edges, rng=generator(46))


@pytest.mark.parametrize("series", ["formed", "broken_up", "members_arrested", "members_warned"])
def test_what_becomes_of_one_group_is_known(lopsided: Places, series: str) -> None:
    """Mean and variance of a total over days and later steps, from its middle on, against 20,000 runs of 9 groups."""
    setting = replace(country(lopsided, 6), later_edges=(6, 13, 20, 27))
    model = Mobilisation(groups=Groups(9.0, 12.0, 9.0, 4.0, 0.7), organised=None)
    runs, where = 20_000, np.arange(4)
    rng = generator(61)
    state = model.start(setting, rng=rng, histories=runs)
    model.place_groups(state, where, np.full(runs, 9), rng=rng)
    assert (state.groups_total == 9).all()
    assert np.array_equal(state.groups.sum(axis=1), state.groups_total)
    assert state.groups.mean(axis=0) == pytest.approx(9 * state.share, abs=4 * 1.5 / math.sqrt(runs))
    assert model.groups_at_start(state, where[:2]) == pytest.approx(9 * state.share[:2].sum())
    total = np.zeros(runs)
    for day in range(6):
        model.step(state, day, rng=rng)
        if day >= 3:
            total += state.today[series].sum(axis=1)
    steps = model.run_later(state.groups, setting.later_edges, rng=rng)
    at = ("formed", "broken_up", "members_arrested", "members_warned").index(series)
    total += steps[:, :, :2, at].sum(axis=(1, 2))
    mean, variance = model.of_one_group(setting, Total(series, False, where, 3, 19))
    assert total.mean() == pytest.approx(9 * mean, abs=4 * total.std() / math.sqrt(runs))
    squares = (total - total.mean()) ** 2
    assert total.var() == pytest.approx(9 * variance, abs=4 * squares.std() / math.sqrt(runs))
    with pytest.raises(UsageError, match="needs the `groups` component"):
        replace(model, groups=None).of_one_group(setting, Total(series, False, where, 3, 19))


def test_groups_at_the_start_are_poisson_where_few_and_where_many_are_expected(lopsided: Places) -> None:
    for initial in (3.0, 60.0):
        model, runs = Mobilisation(groups=Groups(initial)), 20_000
        state = model.start(country(lopsided, 2), rng=generator(62), histories=runs)
        expected = initial * state.share
        assert initial < 10 or (expected.min() < 10 < expected.max()), "both ways of drawing are looked at"
        assert (np.abs(state.groups.mean(axis=0) - expected) < 4 * np.sqrt(expected / runs)).all()
        kurtosis = np.sqrt((1 / expected + 2) / runs)
        assert (np.abs(state.groups.var(axis=0) / expected - 1) < 4 * kurtosis).all()
        assert np.abs(np.corrcoef(state.groups.T) - np.eye(4)).max() < 4 / math.sqrt(runs)
        assert np.array_equal(state.groups_total, state.groups.sum(axis=1))


def test_groups_that_run_on_follow_the_same_rule(lopsided: Places) -> None:
    """In steps of several days the rates are those of the step."""
    model = Mobilisation(groups=Groups(300.0, 3.65, 7.3, 4.0, 0.5))
    groups = np.full((4_000, 2), 30.0)
    steps = model.run_later(groups, (35, 42, 49, 50), rng=generator(8))
    formed, broken, members, warned = (steps[..., k] for k in range(4))
    alive = groups.copy()
    for k, days in enumerate((7, 7, 1)):
        assert (broken[:, :, k] <= alive).all()
        for found, share in ((formed, 0.01 * days), (broken, 1 - math.exp(-0.02 * days))):
            expected = share * alive
            error = found[:, :, k].std() / math.sqrt(alive.size)
            assert abs((found[:, :, k] - expected).mean()) < 4 * error, (k, share)
        alive += formed[:, :, k] - broken[:, :, k]
    assert np.array_equal(members, 4 * broken)
    assert warned.mean() == pytest.approx(0.5 * members.mean(), rel=0.02)


def test_reach_by_table_is_the_kernel(lopsided: Places) -> None:
    """The loop interpolates f(d) in a table; its rows are those of `reach_weights` as nearly as stated."""
    setting = country(lopsided)
    for reach in (
        PowerLaw(60.0, 2.0),
        PowerLaw(15.0, 3.5),
        Exponential(60.0),
        Gravity(1.1, 1.7),
        NeighbourhoodOrder(1.3),
    ):
        model = counted(reach)
        state = model.start(setting, rng=generator(0))
        exact = reach_weights(reach, reach.apart(setting), lopsided.population ** reach.exponent(model.scale))
        assert state.reach_weights() == pytest.approx(exact, rel=5e-5)


def test_a_draw_beyond_the_cap_is_flagged_and_ended(lopsided: Places) -> None:
    setting = country(lopsided, 40)
    model = replace(everything(), within=Within(6.0), deterrence=None, max_daily_events=500)
    history = model.simulate(setting, rng=generator(9))
    assert history.exploded
    by_day = history["events"].sum(axis=0)
    last = int(np.flatnonzero(by_day)[-1])
    assert by_day[last] > 500
    assert (by_day[:last] <= 500).all()
    assert not by_day[last + 1 :].any()
    with pytest.raises(DataError, match="passed its model's cap on events"):
        replace(model, groups=None, organised=None).likelihood(setting, history)


def test_a_random_pulse_is_centred_and_the_same_everywhere(lopsided: Places) -> None:
    setting = country(lopsided, 20)
    model = replace(everything(), pulse=RandomPulse(0.5))
    state = model.start(setting, rng=generator(10), histories=500)
    logs = np.log(state.pulse)
    assert logs.shape == (20, 500)
    assert np.abs(logs.mean(axis=0)).max() < 1e-12
    assert np.diff(logs, axis=0).std() == pytest.approx(0.5, rel=0.03)


def test_parts_that_ask_for_what_the_setting_lacks(lopsided: Places) -> None:
    setting = Setting(lopsided, Window(date(2020, 1, 1), 5))
    with pytest.raises(DataError, match=r"needs Setting\.abroad"):
        Mobilisation(abroad=Abroad()).simulate(setting, rng=generator(0))
    with pytest.raises(DataError, match="no covariate of the setting"):
        Mobilisation(background=Background(effects=Effects(wealth=1.0))).simulate(setting, rng=generator(0))
    with pytest.raises(DataError, match=r"needs Setting\.network"):
        Mobilisation(between=Between(reach=NeighbourhoodOrder())).simulate(setting, rng=generator(0))
    nowhere = replace(setting, places=Places(lopsided.name, lopsided.population))
    quiet = History(nowhere.places, nowhere.window, {"events": np.zeros((4, 5))})
    for reach in (PowerLaw(), Exponential(), Gravity()):
        with pytest.raises(DataError, match=rf"{type(reach).__name__} weighs 4 places by their distance.*no positions"):
            Mobilisation(between=Between(reach=reach)).simulate(nowhere, rng=generator(0))
        with pytest.raises(DataError, match="no positions"):
            Mobilisation(**{**ALONE, "between": Between(reach=reach)}).likelihood(nowhere, quiet)
    Mobilisation(between=None).simulate(nowhere, rng=generator(0))
    Mobilisation().simulate(Setting(Places.single(100_000), setting.window), rng=generator(0))


def test_calendars_that_the_setting_does_not_have(lopsided: Places) -> None:
    def tried(label: str) -> None:
        Mobilisation(pulse=CalendarPulse(dates=Effects({label: 1.0}))).simulate(country(lopsided), rng=generator(0))

    tried("2020-01-15")
    with pytest.raises(DataError, match=r'names "holidays", which is neither a covariate.*Nearest name: "holiday"'):
        tried("holidays")
    with pytest.raises(DataError, match=r"2020-01-16, outside the window 2020-01-01 to 2020-01-15"):
        tried("2020-01-16")
    with pytest.raises(DataError, match=r'"hardship", which differs between places.*background\.effects'):
        tried("hardship")
    with pytest.raises(UsageError, match=r'label "friday".*Nearest name: "fri"'):
        CalendarPulse(weekday=Effects(friday=1.0))


def test_a_days_level_is_the_same_whatever_the_windows_length(lopsided: Places) -> None:
    """The window of a forecast is longer than that of the fit; the first day has trend 0, a whole week sums to 0."""
    setting = country(lopsided, 40)
    pulse = CalendarPulse(0.03, Effects(fri=0.4, sat=-0.5), Effects(holiday=0.7))
    model = replace(counted(), pulse=pulse)
    history = model.simulate(setting, rng=generator(50))
    whole = model.intensity(setting, history)
    for days in (2, 5, 13, 39):
        part = model.intensity(setting.during(days), history.during(days))
        assert part[:, 1:] == pytest.approx(whole[:, 1:days], rel=1e-12)
    weekdays = CalendarPulse(weekday=pulse.weekday)
    level = weekdays.log_level(weekdays.terms(setting))
    assert [level[day : day + 7].sum() for day in range(33)] == pytest.approx([0.0] * 33, abs=1e-12)
    trend = CalendarPulse(0.03)
    assert trend.log_level(trend.terms(setting)) == pytest.approx(0.03 * np.arange(40))


def test_growth_without_bound_is_remarked(lopsided: Places) -> None:
    """With what the number leaves out, and on which day, where a trend moves it."""
    setting = country(lopsided)
    assert counted().reproduction == pytest.approx(0.9)
    assert replace(counted(), pulse=None).remarks(setting) == ()
    grows = replace(counted(), within=Within(0.65), pulse=None)
    (remark,) = grows.remarks(setting)
    assert "reproduction number is 1.25: " in remark
    assert "leaves out deterrence, which may hold them down" in remark
    (remark,) = replace(grows, deterrence=None).remarks(setting)
    assert "Nothing in this model holds them down" in remark
    (remark,) = replace(counted(), pulse=CalendarPulse(0.02)).remarks(setting)
    assert f"is {0.9 * math.exp(0.28):.3g} on the last day, the trend counted" in remark
    (remark,) = replace(grows, pulse=CalendarPulse(-0.02)).remarks(setting)
    assert "is 1.25 on the first day: " in remark


def test_a_fit_that_grows_without_bound_says_so(lopsided: Places) -> None:
    setting = Setting(lopsided, Window(date(2020, 1, 1), 30), active_on_day0=("Hub",))
    model = Mobilisation(**{**ALONE, "within": Within(1.3)}, background=Background(0.5), keep=0.3, overdispersion=0.1)
    history = model.simulate(setting, rng=generator(51))
    assert not history.exploded
    held = {leaf.name: leaf.value for leaf in leaves(model) if leaf.name not in ("background.rate", "within.offspring")}
    found = fit(model, setting, history, MaximumLikelihood(), rng=generator(0), fixed=held)
    assert found.model.reproduction > 1
    assert any("reproduction number is 1." in note for note in found.notes)


def test_draws_from_a_posterior_need_nothing_held(lopsided: Places) -> None:
    """Of what counts do not speak of, crowds and warnings, the draws are the prior's; covariates have a prior."""
    pytest.importorskip("nutpie")
    setting = country(lopsided, 12)
    model = Mobilisation(**ALONE, background=Background(0.3, Effects(hardship=0.0)))
    history = model.simulate(setting, rng=generator(52))
    found = fit(model, setting, history, Posterior(draws=20, tune=20, chains=2), rng=generator(0))
    assert found.details["learnt"] == names(model)
    assert {"background.effects.hardship", "warnings_per_arrest", "crowds.median"} <= set(names(model))
    assert np.isfinite(found.draws).all()
    assert (found.draws.std(axis=0) > 0).all()


def test_an_announced_date_leaves_the_other_days_alone(lopsided: Places) -> None:
    """By its name or as a covariate."""
    setting = country(lopsided, 9)
    plain = replace(counted(), pulse=CalendarPulse(0.03, Effects(fri=0.4)))
    history = plain.simulate(setting, rng=generator(48))
    before = plain.intensity(setting, history)
    named = replace(plain, pulse=CalendarPulse(0.03, Effects(fri=0.4), Effects({"2020-01-04": 0.7})))
    ratio = named.intensity(setting, history)[:, 1:] / before[:, 1:]
    assert ratio == pytest.approx(np.where(np.arange(1, 9) == 3, math.exp(0.7), 1.0)[None] * np.ones((4, 1)))
    given = replace(plain, pulse=CalendarPulse(0.03, Effects(fri=0.4), Effects(holiday=0.7)))
    ratio = given.intensity(setting, history)[:, 1:] / before[:, 1:]
    days = np.isin(np.arange(1, 9), (2, 3, 7))
    assert ratio == pytest.approx(np.where(days, math.exp(0.7), 1.0)[None] * np.ones((4, 1)))


def test_repression_that_acts_after_the_window_does_nothing_in_it(lopsided: Places) -> None:
    setting = country(lopsided)
    late = replace(everything(), deterrence=Deterrence(2.0, lag_days=40), backlash=Backlash(1.0, lag_days=15))
    never = replace(everything(), deterrence=None, backlash=None)
    one, other = (model.simulate(setting, rng=generator(49)) for model in (late, never))
    assert one["arrests"].sum() > 0
    assert all(np.array_equal(one[name], other[name]) for name in one.series)
    seen = [replace(model, groups=None, organised=None).log_density(setting, one) for model in (late, never)]
    assert seen[0] == seen[1]


def test_a_lag_counts_days_from_the_arrests(lopsided: Places) -> None:
    """Arrests in one place on day 2 lower its mean from day 2 + lag on, and by what a lag of 1 lowers it earlier."""
    setting = Setting(lopsided, Window(date(2020, 1, 1), 9))
    events = np.ones((4, 9))
    arrests = np.zeros((4, 9))
    arrests[1, 2] = 30
    history = History(lopsided, setting.window, {"events": events, "arrests": arrests})
    model = Mobilisation(**ALONE, background=Background(0.5))
    held = []
    for lag in (1, 2, 5):
        for part in ({"deterrence": Deterrence(0.5, lag_days=lag)}, {"backlash": Backlash(-0.5, lag_days=lag)}):
            mean = replace(model, **part).intensity(setting, history) / model.intensity(setting, history)
            assert mean[1, 1 : 2 + lag] == pytest.approx(1.0)
            assert (mean[1, 2 + lag :] < 1).all()
            held.append(mean[1, 2 + lag :])
    for first, later in ((0, 2), (0, 4), (1, 3), (1, 5)):
        assert held[later] == pytest.approx(held[first][: len(held[later])])


def test_parts_that_cannot_be() -> None:
    for lag in (0, -1, 1.5, True):
        for part in (Deterrence, Backlash):
            with pytest.raises(UsageError, match=r"lag_days is .*; expected whole days, 1 or more"):
                part(0.1, lag_days=lag)
    with pytest.raises(UsageError, match=r"groups\.contact = 2 but no `between`"):
        Mobilisation(between=None, groups=Groups(contact=2.0))


# --- guiding: exact weights ---


def test_forced_at_tiny_means_weighs_their_probability() -> None:
    """log P(Y > 0) is log mu there, to the digits that a float has; 1 - P(0) would lose them all."""
    setting = Setting(Places.single(100_000), Window(date(2020, 1, 1), 2))
    for mean in (1e-3, 1e-9, 1e-15, 1e-30):
        for psi in (0.0, 0.7, 20.0):
            model = Mobilisation(**ALONE, background=Background(mean), overdispersion=psi)
            state = model.start(setting, rng=generator(11), histories=50)
            model.step(state, 0, rng=generator(11))
            _, weight = model.step(state, 1, rng=generator(11), forced=[(0, 1)])
            exact = math.log(-math.expm1(-math.log1p(psi * mean) / psi) if psi else -math.expm1(-mean))
            assert weight == pytest.approx(exact, abs=1e-9), (mean, psi)
            assert (state.today["events"] > 0).all()


def test_a_place_forced_on_the_first_day_is_active_or_impossible(lopsided: Places) -> None:
    setting = country(lopsided)
    for place, weight in ((0, 0.0), (1, -math.inf)):
        state = everything().start(setting, rng=generator(0), histories=3)
        _, found = everything().step(state, 0, rng=generator(0), forced=[(place, 0)])
        assert (found == weight).all()


def test_forced_days_have_the_right_weight_and_the_right_law(lopsided: Places) -> None:
    """Weighed means of what follows are those of the free runs in which the place happened to be active."""
    setting, model, runs = country(lopsided, 5), everything(), 20_000
    free = run(model, setting, runs, 12)["events"]
    chosen = (free[:, 3, 2] > 0) & (free[:, 1, 3] > 0)
    rng = generator(13)
    state = model.start(setting, rng=rng, histories=runs)
    total, days = np.zeros(runs), []
    for day in range(5):
        state, weight = model.step(state, day, rng=rng, forced=[(3, 2), (1, 3), (1, 3)])
        total += weight
        days.append(state.today["events"])
    share = np.exp(total)
    assert share.mean() == pytest.approx(chosen.mean(), abs=4 * math.hypot(share.std(), chosen.std()) / runs**0.5)
    forced = np.stack(days, axis=2)
    assert (forced[:, 3, 2] > 0).all()
    assert (forced[:, 1, 3] > 0).all()
    for what in (lambda e: e[:, 3, 2], lambda e: e[:, 1, 3], lambda e: e[:, :, 4].sum(1), lambda e: e[:, :, 1].sum(1)):
        ours, theirs = share * what(forced), np.where(chosen, what(free), 0)
        error = math.hypot(ours.std(), theirs.std()) / math.sqrt(runs)
        assert ours.mean() == pytest.approx(theirs.mean(), abs=4 * error)


def test_tilted_counts_and_arrests_weigh_back_to_the_free_law(lopsided: Places) -> None:
    """E[weight f] under any tilt of the counts is E[f g], g what the tilt puts on the arrests."""
    setting, model, runs = country(lopsided, 4), everything(), 20_000
    free = run(model, setting, runs, 14)
    tilts = np.log(np.array([[0.02, 0.4, 1.0, 0.6], [1.0, 0.3, 0.05, 2.0]]))
    on_arrests = np.exp(-0.5 * ((np.arange(60) - 9) / 5.0) ** 2)
    # a table made for twice as many persons, read at half of them by every history
    scale = np.full((2, runs), 0.5)
    table = read_at(on_arrests, np.arange(30), 2.0)
    guide = Guide(
        np.array([1, 3]), tilts, table, np.array([0, -1]), np.array([30, 0]), np.zeros(1), np.zeros(2, dtype=np.int64),
        scale, np.zeros((2, runs)), np.ones((2, runs)),
    )  # fmt: skip
    on_arrests = read_at(table, np.arange(60), 0.5)
    rng = generator(15)
    state = model.start(setting, rng=rng, histories=runs)
    for day in range(4):
        state, weight = model.step(state, day, rng=rng, forced=guide if day == 2 else None)
        if day == 2:
            share, arrests = np.exp(weight), state.today["arrests"][:, 1]
            events = state.today["events"]
    later = state.today["events"].sum(1)
    put = np.where(free["arrests"][:, 1, 2] < 60, on_arrests[np.minimum(free["arrests"][:, 1, 2], 59).astype(int)], 0)
    for ours, theirs in (
        (np.ones(runs), np.ones(runs)),
        (events[:, 1], free["events"][:, 1, 2]),
        (events[:, 3], free["events"][:, 3, 2]),
        (arrests, free["arrests"][:, 1, 2]),
        (later, free["events"][:, :, 3].sum(1)),
    ):
        a, b = share * ours, put * theirs
        assert a.mean() == pytest.approx(b.mean(), abs=4 * math.hypot(a.std(), b.std()) / math.sqrt(runs))


@every_form
def test_days_made_in_one_call_are_those_made_one_by_one(lopsided: Places, model: Mobilisation) -> None:
    setting = country(lopsided, 9)
    counters = Counters(
        np.array([0, 1, 0]), np.array([0, 2, 4]), np.array([8, 5, 6]),
        np.array([[True, True, True, True], [True, False, True, False], [True, True, True, True]]),
        np.array([0, -1, -1]), np.zeros((0, 3)), np.zeros((0, 1, 4), dtype=bool),
    )  # fmt: skip
    slow, fast = (model.start(setting, rng=generator(41), histories=30) for _ in range(2))
    by_day, at_once = counters.fresh(30), counters.fresh(30)
    rng, events = generator(42), np.zeros((30, 4, 9))
    arrests = np.zeros((30, 4, 9))
    for day in range(9):
        model.step(slow, day, rng=rng)
        model.count(slow, day, by_day)
        events[:, :, day], arrests[:, :, day] = slow.today["events"], slow.today["arrests"]
    model.advance(fast, 0, 9, at_once, rng=generator(42))
    for name in ("drive", "hurt_total", "hurt_waiting", "total_waiting", "groups", "noted_count"):
        assert np.array_equal(getattr(slow, name), getattr(fast, name))
    assert np.array_equal(by_day.totals, at_once.totals)
    expected = [
        (events > 0).any(axis=2).sum(axis=1),
        arrests[:, [0, 2], 2:6].sum(axis=(1, 2)),
        events[:, :, 4:7].sum(axis=(1, 2)),
    ]
    assert np.array_equal(by_day.totals, np.stack(expected, axis=1))
    kept = by_day.resampled(np.array([3, 3, 0]))
    assert np.array_equal(kept.totals, by_day.totals[[3, 3, 0]])
    assert np.array_equal(kept.seen, by_day.seen[[3, 3, 0]])


def read_at(table: np.ndarray, persons: np.ndarray, scale: float) -> np.ndarray:
    """A table made for `scale` times as many persons, linear between its entries, the last for all beyond."""
    return np.interp((persons + 0.5) * scale - 0.5, np.arange(len(table)), table)


def test_arrests_in_a_window_of_several_days_weigh_back_to_the_free_law(lopsided: Places) -> None:
    """Whatever weights stand on the way for what is still to come, in the end there is the claims' own."""
    setting, model, runs = country(lopsided, 6), everything(), 20_000
    free = run(model, setting, runs, 24)
    claimed = np.exp(-0.5 * ((np.arange(80) - 25) / 8.0) ** 2) + 1e-3
    guesses = np.stack([claimed, np.roll(claimed, -9), np.linspace(0.2, 1.0, 80)])
    scale = np.full((1, runs), 0.8)
    offset, stands, total = np.zeros((1, runs)), np.ones((1, runs)), np.zeros(runs)
    rng, events = generator(25), np.zeros((runs, 4, 6))
    state = model.start(setting, rng=rng, histories=runs)
    for day in range(6):
        if day < 4:
            guide = Guide(
                np.array([0]), np.zeros((1, 1)), guesses.ravel(), np.array([0]), np.array([80]),
                np.array([0.0, 1.0, 5.0]), np.array([3 - day]), scale, offset, stands,
            )  # fmt: skip
            total += model.step(state, day, rng=rng, forced=guide)[1]
            offset = offset + state.today["arrests"][:, 0]
            assert stands is guide.stands
        else:
            model.step(state, day, rng=rng)
        events[:, :, day] = state.today["events"]
    assert stands[0] == pytest.approx(read_at(claimed, offset[0], 0.8), rel=1e-12)
    share, put = np.exp(total), read_at(claimed, free["arrests"][:, 0, :4].sum(axis=1), 0.8)
    assert (share.std() / share.mean()) < 0.7 * (put.std() / put.mean())
    for ours, theirs in (
        (np.ones(runs), np.ones(runs)),
        (offset[0], free["arrests"][:, 0, :4].sum(axis=1)),
        (events[:, 0, 2], free["events"][:, 0, 2]),
        (events[:, :, 5].sum(1), free["events"][:, :, 5].sum(1)),
    ):
        a, b = share * ours, put * theirs
        assert a.mean() == pytest.approx(b.mean(), abs=4 * math.hypot(a.std(), b.std()) / math.sqrt(runs))


def test_the_laws_of_arrests_are_negative_binomial_and_add_up(lopsided: Places) -> None:
    model = replace(everything(), arrests=Arrests(6.0, 1.5), overdispersion=0.8)
    state = model.start(country(lopsided, 2), rng=generator(1))
    laws, mass, edge = state.laws_of_arrests()
    assert laws[0, 0] == 1 == laws[0].sum()
    for y in range(1, len(laws)):
        reach = int(np.count_nonzero(laws[y]))
        law = [math.exp(naive.log_negative_binomial(a, 6.0 * y, 1.5)) for a in range(reach)]
        assert laws[y, :reach] == pytest.approx(law, rel=1e-9)
        assert 1 - sum(law) < 1e-6
    assert (edge[0], edge[-1]) == (0, laws.shape[1])
    assert (np.diff(edge) >= 1).all()
    assert (np.diff(edge) <= np.maximum(1, 0.08 * edge[:-1])).all()
    assert mass == pytest.approx(np.add.reduceat(laws, edge[:-1], axis=1), rel=1e-12)
    expected = np.array([0.0, 0.3, 2.0])
    chance = model.arrests_to_come(state, expected, 600)
    assert chance.sum(axis=1) == pytest.approx(np.ones(3), rel=1e-12)
    assert chance[0, 0] == 1
    assert chance @ np.arange(601) == pytest.approx(6.0 * expected, rel=2e-3)
    assert chance[1, 0] == pytest.approx((1 + 0.4 * 0.3) ** -2.5 + sum(
        math.exp(naive.log_negative_binomial(y, 0.3, 0.4)) * (1 + 1.5 * 6 * y) ** (-1 / 1.5) for y in range(1, 13)
    ), rel=1e-6)  # fmt: skip


# --- a given past ---


@every_form
def test_a_taken_day_leaves_what_a_drawn_day_leaves(lopsided: Places, model: Mobilisation) -> None:
    setting = country(lopsided, 9)
    history = model.simulate(setting, rng=generator(16))
    drawn, taken = model.start(setting, rng=generator(17)), model.start(setting, rng=generator(18))
    rng = generator(16)
    drawn = model.start(setting, rng=rng)
    for day in range(9):
        model.step(drawn, day, rng=rng)
        taken.take(day, history, rng=generator(day))
    assert np.array_equal(drawn.today["events"][0], history["events"][:, 8])
    assert history["arrests"].sum() > 0
    for name in ("momentum_total", "momentum", "hurt_total", "hurt_waiting", "total_waiting", "drive"):
        assert getattr(taken, name) == pytest.approx(getattr(drawn, name), rel=1e-12), name
    fade = [state.hurt * model.arrests.memory ** (8 - state.hurt_day) for state in (taken, drawn)]
    assert fade[0] == pytest.approx(fade[1], rel=1e-12)
    for name in ("events", "arrests", "participants", "warned"):
        assert np.array_equal(taken.today[name], drawn.today[name]), name


def test_a_forecast_goes_on_from_the_past(lopsided: Places) -> None:
    """The day after a given past has the mean that `intensity` gives it."""
    setting, model = country(lopsided, 8), everything()
    past = model.simulate(setting, rng=generator(19)).during(7)
    quiet = replace(model, groups=None, organised=None)
    whole = History(setting.places, setting.window, {n: np.pad(v, ((0, 0), (0, 1))) for n, v in past.series.items()})
    expected = quiet.intensity(setting, whole)[:, 7]
    rng = generator(20)
    last = np.array([quiet.simulate(setting, rng=rng, given=past)["events"][:, 7] for _ in range(1_500)])
    assert (np.abs(last.mean(axis=0) - expected) < 4 * last.std(axis=0) / math.sqrt(1_500)).all()


def test_groups_live_through_a_given_past(lopsided: Places) -> None:
    """Nobody records them, so they are drawn; but they are not frozen while the past goes by."""
    setting = country(lopsided, 25)
    model = replace(everything(), groups=Groups(60.0, 7.3, 14.6))
    past = replace(model, groups=None, organised=None).simulate(setting, rng=generator(24)).during(20)
    rng = generator(25)
    drawn = [model.simulate(setting, rng=rng, given=past) for _ in range(400)]
    for name in ("events", "arrests", "participants", "warned"):
        assert all(np.array_equal(history[name][:, :20], past[name]) for history in drawn), name
    groups = np.array([history["groups"].sum(axis=0) for history in drawn])
    expected = 60 * (0.02 + math.exp(-0.04)) ** np.arange(25)
    assert (np.abs(groups.mean(axis=0) - expected) < 4 * groups.std(axis=0) / 20).all()
    for history in drawn[:20]:
        change = history["formed"] - history["broken_up"]
        assert np.array_equal(np.diff(history["groups"], axis=1), change[:, :-1])


def test_arrests_of_a_past_without_an_event_are_kept(lopsided: Places) -> None:
    """Nothing of what is given is dropped: they deter, and the history still holds them."""
    setting, model = country(lopsided, 9), everything()
    arrests = np.zeros((4, 5))
    arrests[2, 3] = 40
    past = History(lopsided, setting.during(5).window, {"events": np.zeros((4, 5)), "arrests": arrests})
    assert np.array_equal(model.simulate(setting, rng=generator(0), given=past)["arrests"][:, :5], arrests)
    state = model.start(setting, rng=generator(0))
    for day in range(5):
        state.take(day, past, rng=generator(day))
    assert state.hurt[0, 2] == pytest.approx(40 / 0.45)
    assert state.hurt_total[0] == pytest.approx(0.7 * 40 / 11.55)


def broken_in(name: str, value: float, past: History) -> History:
    """The past with one count of Near on the fourth day put to another value."""
    values = past[name].copy()
    values[1, 3] = value
    return replace(past, series={**past.series, name: values})


@pytest.mark.parametrize("value", [np.nan, 0.5, -1.0, np.inf])
@pytest.mark.parametrize("name", ["events", "arrests"])
def test_one_count_that_is_none_spoils_no_forecast_in_silence(lopsided: Places, name: str, value: float) -> None:
    """A missing one left every later mean missing, and the forecast said: no events."""
    setting, model = country(lopsided, 12), everything()
    history = broken_in(name, value, model.simulate(setting, rng=generator(53)))
    words = rf'{name} in "Near" on 2020-01-04 is {value:g}; expected a whole number of 0 or more'
    with pytest.raises(DataError, match=words):
        model.simulate(setting, rng=generator(0), given=history.during(9))
    with pytest.raises(DataError, match=words):
        forecast(model, setting, history, origin=9, steps=2, draws=5, rng=generator(0))


def test_a_past_of_other_places_or_dates_is_refused(lopsided: Places) -> None:
    """Never taken by position."""
    setting, model = country(lopsided, 12), everything()
    past = model.simulate(setting, rng=generator(54)).during(9)
    turned = {name: values[::-1] for name, values in past.series.items()}
    others = Places(lopsided.name[::-1], lopsided.population[::-1])
    wrong = {
        "place 1 of the history": History(others, past.window, turned),
        "from 1990-01-01": replace(past, window=Window(date(1990, 1, 1), 9)),
        "in steps of 7 days": replace(past, window=Window(date(2020, 1, 1), 9, 7)),
        "no longer than the setting's window": model.simulate(country(lopsided, 15), rng=generator(55)),
    }
    for words, given in wrong.items():
        with pytest.raises(DataError, match=words):
            model.simulate(setting, rng=generator(0), given=given)
        with pytest.raises(DataError, match=words):
            model.start(setting, rng=generator(0)).take(0, given, rng=generator(0))


def test_a_past_without_arrests_is_refused_where_they_act(lopsided: Places) -> None:
    setting = country(lopsided, 9)
    past = History(lopsided, setting.during(5).window, {"events": np.ones((4, 5))})
    with pytest.raises(DataError, match="given past has no arrests"):
        everything().simulate(setting, rng=generator(0), given=past)
    blind = replace(everything(), deterrence=None, backlash=None)
    assert np.array_equal(blind.simulate(setting, rng=generator(0), given=past)["events"][:, :5], past["events"])


# --- the density of counts ---


@every_reach
def test_density_is_its_naive_twin(lopsided: Places, reach: Reach) -> None:
    setting = country(lopsided)
    for seed, model in enumerate(
        [
            counted(reach),
            replace(counted(reach), overdispersion=0.0, arrests=Arrests(4.0, 0.0, 0.0), keep=0.0),
            replace(counted(reach), overdispersion=1e-4, deterrence=None, backlash=None, pulse=None),
            replace(otherwise(), between=Between(0.5, reach), groups=None, organised=None),
            Mobilisation(**ALONE),
            Mobilisation(groups=None, organised=None, keep=1.0),
        ]
    ):
        history = counted(reach).simulate(setting, rng=generator(21 + seed))
        assert model.log_density(setting, history) == pytest.approx(
            naive.log_density(model, setting, history), rel=1e-9
        )


def test_density_is_smooth_down_to_poisson(lopsided: Places) -> None:
    """Near psi = 0 the formulas cancel; the series that replaces them must meet the limit."""
    setting = country(lopsided, 9)
    model = replace(counted(), overdispersion=0.0, background=Background(0.3))
    history = model.simulate(setting, rng=generator(29))
    at = names(model).index("overdispersion")
    limit, gradient = model.likelihood(setting, history)(vector(model))
    for psi in (1e-12, 1e-9, 1e-7):
        value, slopes = replace(model, overdispersion=psi).likelihood(setting, history)(
            vector(replace(model, overdispersion=psi))
        )
        assert value - limit == pytest.approx(psi * gradient[at], abs=1e-9)
        assert slopes == pytest.approx(gradient, rel=1e-4)
    below, above = (
        replace(model, overdispersion=psi).likelihood(setting, history)(vector(replace(model, overdispersion=psi)))
        for psi in (0.99e-3, 1.01e-3)
    )
    assert (above[0] - below[0]) / 2e-5 == pytest.approx((above[1][at] + below[1][at]) / 2, rel=1e-6)


def difference(model: Mobilisation, setting: Setting, history: History, name: str) -> float:
    """Four-point difference of the naive twin; on the inner side at a bound."""
    leaf = next(leaf for leaf in leaves(model) if leaf.name == name)
    h = 1e-3 * max(abs(leaf.value), 0.05)
    if leaf.low <= leaf.value - 2 * h and leaf.value + 2 * h <= leaf.high:
        points, shares = (-2, -1, 1, 2), (1 / 12, -2 / 3, 2 / 3, -1 / 12)
    else:
        h = h if leaf.value + 4 * h <= leaf.high else -h
        points, shares = (0, 1, 2, 3, 4), (-25 / 12, 4, -3, 4 / 3, -1 / 4)
    at = [naive.log_density(model.replacing({name: leaf.value + k * h}), setting, history) for k in points]
    return float(np.dot(shares, at)) / h


@every_reach
def test_gradient_is_the_difference_of_the_twin_in_every_parameter(lopsided: Places, reach: Reach) -> None:
    setting = country(lopsided, 9)
    free = {"crowds.median", "crowds.spread", "warnings_per_arrest"}
    for seed, model in enumerate(
        [
            counted(reach),
            replace(counted(reach), overdispersion=0.0, keep=0.0, arrests=Arrests(6.0, 0.0, 0.5)),
            replace(otherwise(), between=Between(0.5, reach), groups=None, organised=None),
        ]
    ):
        history = replace(counted(reach), background=Background(0.3)).simulate(setting, rng=generator(30 + seed))
        assert (history["events"][:, 1:] > 0).sum() > 10
        value, gradient = model.likelihood(setting, history)(vector(model))
        assert value == pytest.approx(naive.log_density(model, setting, history), rel=1e-10)
        for name, slope in zip(names(model), gradient, strict=True):
            if name in free:
                assert slope == 0
                continue
            assert slope == pytest.approx(difference(model, setting, history, name), rel=2e-6, abs=1e-6), name


def test_gradient_without_the_arrests(lopsided: Places) -> None:
    """Their parameters are not identified: slope 0, and a fit says so."""
    setting = country(lopsided, 9)
    model = replace(counted(), deterrence=None, backlash=None)
    history = model.simulate(setting, rng=generator(33))
    seen = History(setting.places, setting.window, {"events": history["events"]})
    value, gradient = model.likelihood(setting, seen)(vector(model))
    assert value == pytest.approx(naive.log_density(model, setting, seen), rel=1e-10)
    slopes = dict(zip(names(model), gradient, strict=True))
    for name, slope in slopes.items():
        if name.startswith(("arrests", "crowds", "warnings")):
            assert slope == 0, name
        else:
            assert slope == pytest.approx(difference(model, setting, seen, name), rel=2e-6, abs=1e-6), name


def test_a_fit_says_what_counts_cannot_tell(lopsided: Places) -> None:
    model = Mobilisation(**ALONE, background=Background(0.2))
    setting = Setting(lopsided, Window(date(2020, 1, 1), 60))
    events = model.simulate(setting, rng=generator(34))["events"]
    found = fit(
        model, setting, History(lopsided, setting.window, {"events": events}), MaximumLikelihood(), rng=generator(0)
    )
    assert found.converged
    said = " ".join(found.notes)
    for name in ("crowds.median", "warnings_per_arrest", "arrests.per_event", "keep"):
        assert f"{name} is not determined" in said, name
    errors = dict(zip(found.names, found.standard_error, strict=True))
    assert 0 < errors["background.rate"] < 0.1


def test_a_comparison_takes_every_form(lopsided: Places) -> None:
    """Each is fitted to a part of the window and forecasts the rest, with what lies ahead of its calendar."""
    setting = country(lopsided, 40)
    pulse = CalendarPulse(0.0, Effects(fri=0.0), Effects(holiday=0.0))
    base = replace(counted(), background=Background(0.3), abroad=None, pulse=None)
    history = base.simulate(setting, rng=generator(36))
    forms = {
        "as it stands": base,
        "gravity": replace(base, between=Between(0.4, Gravity())),
        "by order": replace(base, between=Between(0.4, NeighbourhoodOrder())),
        "late": replace(base, deterrence=Deterrence(0.3, lag_days=3), backlash=Backlash(0.1, lag_days=2)),
        "calendar": replace(base, pulse=pulse),
        "abroad": replace(base, abroad=Abroad(0.05)),
    }
    held = {"crowds.median": 120.0, "crowds.spread": 0.6, "warnings_per_arrest": 0.6}
    candidates = [Candidate(name, model, MaximumLikelihood(), fixed=held) for name, model in forms.items()]
    made = compare(candidates, setting, history, origins=(36, 38), steps=2, draws=50, rng=generator(37), refit_every=9)
    assert made.names == tuple(forms), made.failed
    assert np.isfinite(made.losses["log"]).all()


def test_refusals_say_what_to_do(lopsided: Places) -> None:
    setting, model = country(lopsided, 9), counted()
    history = model.simulate(setting, rng=generator(35))
    with pytest.raises(MissingVerb, match=r"recruitment minus break-up only.*TemperedSMC"):
        everything().likelihood(setting, history)
    with pytest.raises(MissingVerb, match="CalendarPulse"):
        replace(model, pulse=RandomPulse()).likelihood(setting, history)
    with pytest.raises(MissingVerb, match="CalendarPulse"):
        replace(model, pulse=RandomPulse()).intensity(setting, history)

    def tried(model: Mobilisation = model, setting: Setting = setting, **series: np.ndarray) -> None:
        model.likelihood(setting, History(lopsided, setting.window, series))

    events = history["events"]
    with pytest.raises(DataError, match=r"no arrests, on which deterrence.*deterrence=None"):
        tried(events=events)
    with pytest.raises(DataError, match="no series"):
        tried(arrests=events)
    half = events.copy()
    half[1, 3] = 0.5
    with pytest.raises(DataError, match=r'events in "Near" on 2020-01-04 is 0\.5'):
        tried(events=half, arrests=0 * events)
    for bad in (np.nan, -1.0):
        half[1, 3] = bad
        with pytest.raises(DataError, match='"Near" on 2020-01-04'):
            tried(events=half, arrests=0 * events)
    with pytest.raises(DataError, match="people are arrested at events"):
        tried(events=0 * events, arrests=np.ones_like(events))
    with pytest.raises(DataError, match=r"the history has 9 steps, the setting 5; expected the same"):
        model.likelihood(setting.during(5), history)
    with pytest.raises(DataError, match="at least two days"):
        model.likelihood(setting.during(1), history.during(1))
    weekly = Setting(lopsided, Window(date(2020, 1, 1), 9, 7))
    with pytest.raises(DataError, match="steps of 7 days"):
        Mobilisation(**ALONE).likelihood(weekly, History(lopsided, weekly.window, {"events": events}))
    with pytest.raises(DataError, match="no groups, which act"):
        everything().intensity(setting, History(lopsided, setting.window, {"events": events, "arrests": 0 * events}))
