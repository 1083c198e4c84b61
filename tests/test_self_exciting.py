"""The self-exciting process against its slow twins, against differences, and against itself."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, ParameterError, UsageError
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events import _self_exciting_loops as loops
from groundswell.models.events._self_exciting_recursion import OnCities, OwnPlace
from groundswell.models.events.clusters import cluster_size, stationary_rate
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.self_exciting_parts import ByPopulation, Course
from groundswell.models.events.ties import jittered
from groundswell.models.triggering import Exponential, NeighbourhoodOrder, PowerLaw
from groundswell.params import Effects, leaves, names, vector
from groundswell.rng import generator
from tests.naive import self_exciting as naive

EARLIER = Events(np.array([-4.0, -1.5, -0.25]), np.array([0, 3, 1]))
VARIANTS = {
    "in time, by place": SelfExciting(1.5, 0.6, ExponentialDelay(0.9)),
    "by place and population": SelfExciting(1.5, 0.6, ExponentialDelay(0.9), population=ByPopulation(0.4)),
    "exponential reach": SelfExciting(1.5, 0.6, ExponentialDelay(0.9), reach=Exponential(80.0)),
    "power-law reach": SelfExciting(
        1.5, 0.6, ExponentialDelay(0.9), reach=PowerLaw(50.0, 1.5), population=ByPopulation(0.4), before=EARLIER
    ),
    "between places only": SelfExciting(
        1.5, 0.6, ExponentialDelay(0.9), reach=Exponential(80.0), population=ByPopulation(0.4), own_place=False
    ),
    "earlier events by place": SelfExciting(1.5, 0.6, ExponentialDelay(0.9), before=EARLIER),
}
every_variant = pytest.mark.parametrize("model", VARIANTS.values(), ids=VARIANTS.keys())


@pytest.fixture(scope="module")
def setting(lopsided: Places) -> Setting:
    return Setting(lopsided, Window(date(2024, 1, 1), 30))


def one_place(days: int) -> Setting:
    return Setting(Places.single(), Window(date(2024, 1, 1), days))


def history_of(setting: Setting, times: Any, place: Any) -> History:
    return from_events(setting.places, setting.window, Events(np.asarray(times, float), np.asarray(place, int)))


def joined(model: SelfExciting, history: History) -> tuple[np.ndarray, np.ndarray]:
    events = history.events
    assert events is not None
    if model.before is None:
        return events.time_days, events.place
    return (
        np.concatenate([model.before.time_days, events.time_days]),
        np.concatenate([model.before.place, events.place]),
    )


def on_cities(
    times: np.ndarray, place: np.ndarray, days: float, background: np.ndarray, offspring: np.ndarray, decay: float
) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Value, d background, d offspring, d decay of the whole matrix (P, P) of offspring."""
    first = int(np.searchsorted(times, 0.0))
    return OnCities(times, place, first, len(background), days, 1)(background, offspring, decay)


# --- against the slow twin ---


@st.composite
def some_events(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Random, empty, single, tied, before the window, and with silences of hundreds of mean delays."""
    count = draw(st.integers(0, 25))
    grain = draw(st.sampled_from([1e-9, 0.5, 4.0]))
    rng = generator(draw(st.integers(0, 10_000)))
    times = np.sort(np.floor(rng.uniform(-5, draw(st.sampled_from([3.0, 12.0])), count) / grain) * grain)
    return times, rng.integers(0, 3, count)


@given(events=some_events(), decay=st.sampled_from([0.0, 0.05, 0.8, 5.0, 300.0]), scale=st.sampled_from([0.0, 0.3, 2]))
@settings(deadline=None, max_examples=150)
def test_value_and_gradient_are_those_of_the_twin(
    events: tuple[np.ndarray, np.ndarray], decay: float, scale: float
) -> None:
    times, place = events
    background, days = np.array([0.2, 0.7, 0.05]), 12.0
    offspring = scale * np.array([[0.3, 0.5, 0.0], [0.1, 0.0, 0.9], [1.2, 0.1, 0.4]])
    for matrix in (offspring, np.diag([0.5, 0.0, 1.3]) * scale):
        expected = naive.log_density(times, place, days, background, matrix, decay)
        got = on_cities(times, place, days, background, matrix, decay)
        for mine, twin in zip(got, expected, strict=True):
            assert mine == pytest.approx(twin, rel=1e-9, abs=1e-9)
    diagonal = OwnPlace(times, place, 3, days)(background, np.diag(matrix), decay)
    assert diagonal[0] == pytest.approx(expected[0], rel=1e-9, abs=1e-9)
    assert diagonal[1] == pytest.approx(expected[1], rel=1e-9, abs=1e-9)
    assert diagonal[2] == pytest.approx(np.diag(expected[2]), rel=1e-9, abs=1e-9)
    assert diagonal[3] == pytest.approx(expected[3], rel=1e-9, abs=1e-9)


@every_variant
def test_the_model_is_the_twin_with_its_shares_and_weights(model: SelfExciting, setting: Setting) -> None:
    history = model.simulate(setting, rng=generator(3))
    times, place = joined(model, history)
    shares, weights = model.shares(setting.places), model.weights(setting)
    assert shares.sum() == pytest.approx(1)
    assert weights.sum(axis=1) == pytest.approx(np.ones(4))
    twin = naive.log_density(times, place, 30.0, 1.5 * shares, 0.6 * weights, 0.9)
    assert model.log_density(setting, history) == pytest.approx(twin[0], rel=1e-11)
    expected = naive.integrated_intensity(times, place, np.arange(31.0), 1.5 * shares, 0.6 * weights, 0.9)
    assert model.intensity(setting, history) == pytest.approx(expected, rel=1e-9)


@every_variant
def test_the_gradient_in_every_parameter(model: SelfExciting, setting: Setting) -> None:
    evaluate = model.likelihood(setting, model.simulate(setting, rng=generator(5)))
    at = vector(model)
    _, gradient = evaluate(at)
    numeric = []
    for i in range(len(at)):
        step = 1e-5 * abs(at[i]) * (np.arange(len(at)) == i)
        numeric.append((evaluate(at + step)[0] - evaluate(at - step)[0]) / (2 * step[i]))
    assert len(gradient) == len(names(model))
    assert gradient == pytest.approx(np.array(numeric), rel=1e-6, abs=1e-6)
    assert (gradient != 0).all()


@every_variant
def test_the_simulator_draws_what_its_twin_draws(model: SelfExciting, setting: Setting) -> None:
    for seed in range(3):
        past = model.simulate(replace(setting, window=replace(setting.window, periods=8)), rng=generator(seed))
        for given_past in (None, past):
            history = model.simulate(setting, rng=generator(seed), given=given_past)
            assert history.events is not None
            known = past if given_past is not None else history_of(setting, [], [])
            times, place = joined(model, known)
            weights = model.weights(setting)
            twin = naive.simulate(
                generator(seed), times, place, 8.0 if given_past is not None else 0.0, 30.0, 1.5,
                model.shares(setting.places), 0.6 * weights.sum(axis=1), weights, 0.9,
            )  # fmt: skip
            new = len(history.events) - len(twin)
            assert new == (len(known.events) if known.events is not None else 0)
            assert history.events.time_days[new:] == pytest.approx(np.array([t for t, _ in twin]), rel=1e-9)
            assert history.events.place[new:].tolist() == [p for _, p in twin]


# --- fast paths ---


@given(seed=st.integers(0, 999), count=st.integers(0, loops.BLOCK), extreme=st.booleans())
@settings(deadline=None, max_examples=60)
def test_one_log_for_sixteen_is_sixteen_logs(seed: int, count: int, extreme: bool) -> None:
    spread = 300 if extreme else 6
    intensity = 10.0 ** generator(seed).uniform(-spread, spread, loops.BLOCK)
    got = loops._log_sum(intensity, count, np.empty(loops.BLOCK))
    assert got == pytest.approx(np.log(intensity[:count]).sum(), rel=1e-12, abs=1e-9)


def test_an_intensity_of_zero_is_minus_infinity() -> None:
    intensity = np.ones(loops.BLOCK)
    intensity[7] = 0
    assert loops._log_sum(intensity, loops.BLOCK, np.empty(loops.BLOCK)) == -math.inf
    nothing = SelfExciting(0.0, 0.5, ExponentialDelay(1.0))
    assert nothing.log_density(one_place(5), history_of(one_place(5), [1.0], [0])) == -math.inf
    with_reach = on_cities(np.array([1.0]), np.array([0]), 5.0, np.zeros(1), np.ones((1, 1)), 1.0)
    assert with_reach[0] == -math.inf


def busy(count: int, places: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = generator(1)
    times = np.sort(rng.uniform(0, count / 40, count))
    times[1000:1004] = times[1000]
    offspring = rng.uniform(0, 1, (places, places))
    return times, rng.integers(0, places, count), rng.uniform(0.1, 0.5, places), 0.5 * offspring / offspring.sum(1)


def test_threads_change_no_bit_and_chunks_change_nothing() -> None:
    times, place, background, offspring = busy(60_000, 11)
    days = 1500.0
    chunked = OnCities(times, place, 0, 11, days, 1)
    assert len(chunked.cuts) == 7
    one = chunked(background, offspring, 3.0)
    two = OnCities(times, place, 0, 11, days, 2)(background, offspring, 3.0)
    for first, second in zip(one, two, strict=True):
        assert np.array_equal(first, second)
    whole = OnCities(times, place, 0, 11, days, 1)
    whole.cuts = np.array([0, len(times)])
    for first, second in zip(one, whole(background, offspring, 3.0), strict=True):
        assert first == pytest.approx(second, rel=1e-10)


def test_a_tie_across_a_cut_is_not_cut_in_two() -> None:
    times = np.repeat(np.arange(5.0), 8_000)
    place = np.arange(len(times)) % 3
    evaluate = OnCities(times, place, 0, 3, 5.0, 1)
    assert set(evaluate.cuts[1:-1]) <= set(range(0, 40_000, 8_000))
    offspring = np.array([[0.2, 0.1, 0], [0, 0.3, 0.1], [0.1, 0, 0.1]]) / 1000
    got = evaluate(np.ones(3), offspring, 0.7)
    counts = np.bincount(place[:8000], minlength=3)
    excitation, value = np.zeros(3), 0.0
    for _ in range(5):  # all events of a day see the same past
        counts = np.bincount(place[(times == _)], minlength=3)
        value += float(counts @ np.log(1 + 0.7 * offspring.T @ excitation))
        excitation = (excitation + counts) * math.exp(-0.7)
    everyone = np.bincount(place, minlength=3)
    value -= 3 * 5 + float(offspring.sum(1) @ (everyone - excitation))
    assert got[0] == pytest.approx(value, rel=1e-12)


# --- what the process promises ---


@pytest.mark.parametrize("name", ["power-law reach", "between places only", "earlier events by place"])
def test_the_score_and_the_residuals_average_zero_at_the_truth(name: str, setting: Setting) -> None:
    """A transposed matrix passes the score but not the residuals, so both are asked."""
    model = VARIANTS[name]
    scores, residuals, turned = [], [], []
    weights = model.weights(setting)
    for seed in range(300):
        history = model.simulate(setting, rng=generator(seed))
        scores.append(model.likelihood(setting, history)(vector(model))[1])
        expected = model.intensity(setting, history).sum(axis=1)
        observed = history["events"].sum(axis=1)
        residuals.append(observed - expected)
        released = np.linalg.solve(weights.T, expected - 45 * model.shares(setting.places))
        turned.append(observed - 45 * model.shares(setting.places) - weights @ released)
    for sample in (np.array(scores), np.array(residuals)):
        error = sample.std(axis=0, ddof=1) / math.sqrt(len(sample))
        assert (np.abs(sample.mean(axis=0)) < 3.5 * error).all()
    if name != "earlier events by place":
        wrong = np.array(turned)
        error = wrong.std(axis=0, ddof=1) / math.sqrt(len(wrong))
        assert np.max(np.abs(wrong.mean(axis=0)) / error) > 8, "the transposed matrix must show"


def test_renaming_places_changes_nothing(setting: Setting) -> None:
    model = VARIANTS["power-law reach"]
    model = replace(model, before=None)
    history = model.simulate(setting, rng=generator(2))
    assert history.events is not None
    order = np.array([2, 0, 3, 1])
    places = setting.places.subset(order)
    other = replace(setting, places=places)
    moved = history_of(other, history.events.time_days, np.argsort(order)[history.events.place])
    assert model.log_density(other, moved) == pytest.approx(model.log_density(setting, history), rel=1e-12)


def test_no_triggering_is_independent_poisson(setting: Setting) -> None:
    model = replace(VARIANTS["exponential reach"], branching_ratio=0.0)
    history = history_of(setting, [0.5, 3.0, 29.0], [0, 0, 2])
    assert model.log_density(setting, history) == pytest.approx(3 * math.log(1.5 / 4) - 45)


def test_one_place_with_and_without_reach_is_the_same_process(lopsided: Places) -> None:
    alone = Setting(lopsided.subset([0]), Window(date(2024, 1, 1), 30))
    plain = VARIANTS["in time, by place"]
    history = plain.simulate(alone, rng=generator(4))
    with_reach = replace(plain, reach=Exponential(50.0))
    assert with_reach.log_density(alone, history) == pytest.approx(plain.log_density(alone, history), rel=1e-12)


def test_a_forecast_starts_from_what_the_past_still_triggers() -> None:
    """Mean events in (10, 14] given the past: the mean rate solves a linear equation from its known start."""
    model = SelfExciting(0.5, 0.8, ExponentialDelay(1.1))
    past = history_of(one_place(10), [8.0, 9.5, 9.9], [0, 0, 0])
    rate = 1.1 * 0.2
    start = 0.5 + 0.8 * 1.1 * sum(math.exp(-1.1 * (10 - t)) for t in (8.0, 9.5, 9.9))
    level = 0.5 / 0.2
    mean = level * 4 + (start - level) * -math.expm1(-rate * 4) / rate
    draws = np.array(
        [len(model.simulate(one_place(14), rng=generator(s), given=past).events or []) - 3 for s in range(4000)]
    )
    assert draws.mean() == pytest.approx(mean, abs=3 * draws.std() / math.sqrt(len(draws)))


@pytest.mark.parametrize("name", ["power-law reach", "in time, by place"])
def test_many_paths_are_what_simulate_draws(name: str, setting: Setting) -> None:
    model = VARIANTS[name]
    past = model.simulate(setting, rng=generator(6)).during(12)
    rng, again = generator(7), generator(7)
    many = model.paths(setting, past, draws=5, rng=rng)
    assert many.shape == (5, 4, 18)
    for counts in many:
        one = model.simulate(setting, rng=again, given=past)
        assert np.array_equal(counts, one["events"][:, 12:])


def test_a_path_that_explodes_is_told_from_one_that_ends() -> None:
    growing = SelfExciting(1.0, 1.5, ExponentialDelay(1.0), max_events=300)
    past = history_of(one_place(5), [4.0], [0])
    paths = growing.paths(one_place(60), past, draws=4, rng=generator(1))
    for counts in paths[:, 0]:
        missing = np.isnan(counts)
        assert missing[-1]
        assert (np.diff(missing.astype(int)) >= 0).all()
        assert 0 < counts[~missing].sum() <= 299
    with pytest.raises(UsageError, match="alone"):
        growing.paths(one_place(60), past, draws=1, rng=generator(1), series="arrests")


def test_mean_counts_agree_where_the_branching_ratio_passes_1() -> None:
    near = [SelfExciting(0.5, n, ExponentialDelay(2.0)).expected_events(10) for n in (1 - 1e-7, 1.0, 1 + 1e-7)]
    assert near[0] < near[1] < near[2]
    assert near[1] == pytest.approx(0.5 * 10 * (1 + 10), rel=1e-12)
    assert SelfExciting(0.5, 1 - 6e-6, ExponentialDelay(2.0)).expected_events(10) == pytest.approx(
        SelfExciting(0.5, 1 - 4e-6, ExponentialDelay(2.0)).expected_events(10), rel=1e-4
    )
    assert stationary_rate(0.5, 1.2) == math.inf
    assert cluster_size(0.0, np.array([1, 2])).tolist() == [1, 0]
    assert cluster_size(1.5, np.arange(1, 400)).sum() == pytest.approx(0.41718836, abs=1e-6)  # s = exp(1.5 (s - 1))


# --- simulate and recover ---


def recovered(draws: int) -> tuple[tuple[str, ...], np.ndarray, int]:
    """For prior draws that do not explode: whether each parameter's 90 % profile interval holds the truth, (draws, K).

    It does exactly when fixing the parameter at its truth and refitting the rest costs less log density than
    the level allows. Wald intervals do not serve a reach: with few distant triggers its estimate is at a bound.
    """
    rng = generator(20)
    spots = generator(0)
    places = Places(
        tuple(f"place {i}" for i in range(12)),
        np.exp(spots.normal(11, 1.2, 12)),
        spots.uniform(30, 36, 12),
        spots.uniform(48, 56, 12),
    )
    setting = Setting(places, Window(date(2024, 1, 1), 400))
    template = SelfExciting(reach=Exponential(), population=ByPopulation(), max_events=20_000)
    held, refused = [], 0
    while len(held) < draws:
        truth = template.replacing(
            {
                leaf.name: leaf.from_free(rng.normal(leaf.to_free(leaf.prior.median), leaf.prior.sd))
                for leaf in leaves(template)
                if leaf.prior is not None
            }
        )
        try:
            history = truth.simulate(setting, rng=rng)
        except UsageError:
            refused += 1
            continue
        best = fit(template, setting, history, MaximumLikelihood(), rng=rng)
        assert best.converged
        inside = []
        for name, value in zip(names(truth), vector(truth), strict=True):
            held_there = fit(best.model, setting, history, MaximumLikelihood(), rng=rng, fixed={name: float(value)})
            assert held_there.converged
            inside.append(2 * (best.log_density - held_there.log_density) <= chi2.ppf(0.9, 1))
        held.append(inside)
    return names(template), np.array(held), refused


def test_what_is_simulated_is_recovered() -> None:
    """Twelve prior draws; the hundred of the calibration are below."""
    _, held, refused = recovered(12)
    assert refused <= 3
    assert held.mean() > 0.75
    assert (held.mean(axis=0) >= 0.5).all()


@pytest.mark.slow
def test_nine_of_ten_intervals_hold_the_truth() -> None:
    parameters, held, refused = recovered(100)
    counts = dict(zip(parameters, held.sum(axis=0).tolist(), strict=True))
    assert refused <= 10
    assert all(83 <= count <= 96 for count in counts.values()), counts


# --- ties, days and refusals ---


def test_ties_are_met_with_a_warning_and_spread_by_a_seeded_jitter(setting: Setting) -> None:
    model = VARIANTS["exponential reach"]
    days = Events(np.array([1.0, 1.0, 1.0, 4.0, 29.0]), np.array([0, 0, 2, 1, 3]), np.arange(5.0), None, True)
    history = from_events(setting.places, setting.window, days)
    with pytest.warns(GroundswellWarning, match="2 of 5 events share their time"):
        model.log_density(setting, history)
    with pytest.warns(GroundswellWarning, match="1 of 5"):
        VARIANTS["in time, by place"].log_density(setting, history)
    spread = jittered(history, rng=generator(1))
    assert spread.events is not None
    assert not spread.events.day_precision
    assert np.floor(spread.events.time_days).tolist() == [1, 1, 1, 4, 29]
    assert sorted(
        zip(np.floor(spread.events.time_days), spread.events.place, spread.events.size, strict=True)
    ) == sorted(zip(days.time_days, days.place, days.size, strict=True))
    assert np.array_equal(spread["events"], history["events"])
    assert np.isfinite(model.log_density(setting, spread))
    again = jittered(history, rng=generator(1))
    assert again.events is not None
    assert np.array_equal(again.events.time_days, spread.events.time_days)


def test_no_events_is_a_value_like_any_other(setting: Setting) -> None:
    for model in VARIANTS.values():
        value, gradient = replace(model, before=None).likelihood(setting, history_of(setting, [], []))(vector(model))
        assert value == pytest.approx(-45)
        assert gradient[0] == pytest.approx(-30)


def test_too_many_events_say_so() -> None:
    growing = SelfExciting(1.0, 1.2, ExponentialDelay(1.0), max_events=2000)
    with pytest.raises(UsageError) as error:
        growing.simulate(one_place(60), rng=generator(1))
    said = str(error.value)
    assert said.startswith("SelfExciting reached max_events = 2000 on day ")
    assert "of 60. With branching_ratio = 1.2 each event raises more than one offspring" in said
    steady = SelfExciting(90.0, 0.1, ExponentialDelay(1.0), max_events=500)
    with pytest.raises(UsageError, match="Raise max_events"):
        steady.simulate(one_place(60), rng=generator(1))


def test_what_cannot_be_meant_is_refused(setting: Setting) -> None:
    model = VARIANTS["exponential reach"]
    counts = History(setting.places, setting.window, {"events": np.ones(setting.shape)})
    with pytest.raises(DataError, match="no single events"):
        model.log_density(setting, counts)
    with pytest.raises(DataError, match="must be the same"):
        model.log_density(setting, history_of(one_place(30), [1.0], [0]))
    longer = replace(setting, window=replace(setting.window, periods=40))
    with pytest.raises(DataError, match="setting has 4 places and 40 days"):
        model.intensity(longer, history_of(setting, [1.0], [0]))
    with pytest.raises(DataError, match="at most the setting's"):
        model.simulate(setting, rng=generator(1), given=history_of(longer, [1.0], [0]))
    with pytest.raises(DataError, match="below 0"):
        SelfExciting(before=Events(np.array([0.5]), np.array([0])))
    with pytest.raises(DataError, match="outside"):
        SelfExciting(before=Events(np.array([-0.5]), np.array([7]))).log_density(
            setting, history_of(setting, [1.0], [0])
        )
    with pytest.raises(ParameterError, match="Give a reach"):
        SelfExciting(own_place=False)
    with pytest.raises(DataError, match=r"needs Setting\.network"):
        SelfExciting(reach=NeighbourhoodOrder()).log_density(setting, history_of(setting, [1.0], [0]))
    nowhere = Setting(Places(("A", "B"), np.ones(2)), setting.window)
    with pytest.raises(DataError, match="no positions"):
        model.simulate(nowhere, rng=generator(1))


@pytest.mark.parametrize("course", [None, Course(Effects(trend=0.01))], ids=["plain loops", "general loops"])
@pytest.mark.parametrize("by_step", [False, True])
def test_places_of_one_size_say_nothing_of_the_power_of_population(lopsided, course, by_step):
    """To the bit: a slope of rounding on a level direction sends a search far out, which then does not converge."""
    population = np.full(len(lopsided), 7500.0)
    setting = Setting(
        Places(lopsided.name, population, lopsided.latitude, lopsided.longitude), Window(date(2024, 1, 1), 40)
    )
    model = SelfExciting(1.5, 0.5, ExponentialDelay(0.8), reach=Exponential(60.0), population=ByPopulation(0.7))
    history = model.simulate(setting, rng=generator(3))
    model = replace(model, course=course, by_step=by_step)
    slope = model.likelihood(setting, history)(vector(model))[1]
    assert slope[names(model).index("population.scale")] == 0
    found = fit(model, setting, history, MaximumLikelihood(), rng=generator(1))
    assert found.converged
    assert found.model.population.scale == pytest.approx(0.7, abs=0.1)


def test_places_at_one_position_are_told(lopsided: Places) -> None:
    together = Places(lopsided.name, lopsided.population, np.full(4, 35.0), np.full(4, 51.0))
    window, model = Window(date(2024, 1, 1), 30), SelfExciting(1.5, 0.5, reach=Exponential(60.0))
    assert any(
        "3 of 4 places have the position of another" in note for note in model.remarks(Setting(together, window))
    )
    assert not any("position" in note for note in model.remarks(Setting(lopsided, window)))
