"""Mutually exciting events against slow twins, closed forms and differences, and simulated and recovered."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.stats import chi2, kstest

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, NotConverged, ParameterError, UsageError
from groundswell.evaluate.point_residuals import rescaled
from groundswell.infer.base import Fit, fit
from groundswell.infer.em import ExpectationMaximisation
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.ratio import likelihood_ratio
from groundswell.models.base import can
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events._self_exciting_recursion import OnCities
from groundswell.models.events.generations import descendants, spectral_radius
from groundswell.models.events.kinds import of_kinds, with_kinds
from groundswell.models.events.mutually_exciting import DelayBySender, MutuallyExciting
from groundswell.models.events.mutually_exciting_density import MutualDensity
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.params import Effects, Prior, leaves, names, vector
from groundswell.rng import generator
from tests.naive import mutually_exciting as naive

KINDS = ("protest", "repression", "attack")
EARLIER = Events(np.array([-4.0, -1.5, -0.25]), np.zeros(3, int), kind=np.array([0, 2, 1]))
BACKGROUND = Effects(protest=0.6, repression=0.1, attack=0.2)
OFFSPRING = Effects(
    {"protest > protest": 0.4, "protest > repression": 0.3, "repression > protest": 0.2, "attack > repression": 0.5}
)
VARIANTS = {
    "one decay": MutuallyExciting(KINDS, BACKGROUND, OFFSPRING, ExponentialDelay(0.9)),
    "a decay by sender": MutuallyExciting(
        KINDS, BACKGROUND, OFFSPRING, DelayBySender(Effects(protest=1.4, repression=0.3, attack=0.6))
    ),
    "earlier events": MutuallyExciting(
        KINDS, BACKGROUND, OFFSPRING, DelayBySender(Effects(attack=0.6, protest=1.4, repression=0.3)), before=EARLIER
    ),
    "nothing of its own": MutuallyExciting(
        KINDS, Effects(protest=0.8), Effects({**OFFSPRING, "repression > attack": 0.3}), ExponentialDelay(0.9)
    ),
    "of the example": MutuallyExciting.example()[0],
    "all of it": MutuallyExciting.among(*KINDS, by_sender=True),
}
every_variant = pytest.mark.parametrize("model", VARIANTS.values(), ids=VARIANTS.keys())


def over(days: int) -> Setting:
    return Setting(Places.single(), Window(date(2024, 1, 1), days))


def history_of(setting: Setting, times: Any, kind: Any) -> History:
    events = Events(np.asarray(times, float), np.zeros(len(times), int), kind=np.asarray(kind, int))
    return from_events(setting.places, setting.window, events)


def joined(model: MutuallyExciting, history: History) -> tuple[np.ndarray, np.ndarray]:
    events, before = history.events, model.before
    assert events is not None
    if before is None:
        return events.time_days, events.kind
    return np.concatenate([before.time_days, events.time_days]), np.concatenate([before.kind, events.kind])


def differences(evaluate: Any, at: np.ndarray) -> np.ndarray:
    """Central differences of a value with gradient."""
    steps = np.diag(1e-5 * np.abs(at))
    return np.array([(evaluate(at + h)[0] - evaluate(at - h)[0]) / (2 * h.sum()) for h in steps])


# --- against the slow twins ---


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
def test_the_value_is_that_of_the_twin(events: tuple[np.ndarray, np.ndarray], decay: float, scale: float) -> None:
    times, kind = events
    first = int(np.searchsorted(times, 0.0))
    background, offspring = (
        np.array([0.2, 0.7, 0.05]),
        scale * np.array([[0.3, 0.5, 0], [0.1, 0, 0.9], [1.2, 0.1, 0.4]]),
    )
    for paces in (decay * np.ones(3), decay * np.array([1.0, 0.5, 0.5])):
        model = of_arrays(background, offspring, paces)
        got = MutualDensity(model, times, kind, first, 12.0)(vector(model))
        expected = naive.log_density(times, kind, 12.0, background, offspring, paces)
        assert got[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def of_arrays(background: np.ndarray, offspring: np.ndarray, decay: np.ndarray) -> MutuallyExciting:
    """Every pair a parameter, those that are 0 too."""
    pairs = {f"{q} > {k}": offspring[i, j] for (i, q), (j, k) in product(enumerate(KINDS), repeat=2)}
    paces = dict(zip(KINDS, decay, strict=True))
    return MutuallyExciting(
        KINDS, Effects(dict(zip(KINDS, background, strict=True))), Effects(pairs), DelayBySender(Effects(paces))
    )


def test_value_and_gradient_are_those_of_the_recursion_on_cities() -> None:
    """Another program for the same law where all share one decay, kinds taken as places."""
    rng = generator(3)
    times, kind = np.sort(rng.uniform(-2, 40, 300)), rng.integers(0, 3, 300)
    background, offspring = rng.uniform(0.1, 0.5, 3), rng.uniform(0, 0.4, (3, 3))
    first = int(np.searchsorted(times, 0.0))
    value, d_background, d_offspring, d_decay = OnCities(times, kind, first, 3, 40.0, 1)(background, offspring, 0.7)
    shared = replace(of_arrays(background, offspring, np.ones(3)), delay=ExponentialDelay(0.7))
    got, gradient = MutualDensity(shared, times, kind, first, 40.0)(vector(shared))
    assert got == pytest.approx(value, rel=1e-12)
    assert gradient == pytest.approx(np.concatenate([d_background, d_offspring.ravel(), [d_decay]]), rel=1e-9, abs=1e-9)


@every_variant
def test_the_model_is_its_twin(model: MutuallyExciting) -> None:
    setting = over(30)
    history = model.simulate(setting, rng=generator(3))
    times, kind = joined(model, history)
    law = times, kind, *model.arrays
    assert len(times) > 20
    assert model.log_density(setting, history) == pytest.approx(
        naive.log_density(times, kind, 30.0, *model.arrays), rel=1e-11
    )
    integrals = np.array([[naive.integral(day, k, *law) for day in range(31)] for k in range(3)])
    assert model.intensity_by_kind(setting, history) == pytest.approx(np.diff(integrals, axis=1), rel=1e-9, abs=1e-12)
    assert model.intensity(setting, history)[0] == pytest.approx(np.diff(integrals.sum(axis=0)), rel=1e-9)
    assert history.events is not None
    days = np.array([29.5, 0.0, 30.0, *history.events.time_days[:3]])  # in any order
    expected = np.array([[naive.integral(day, k, *law) for day in days] for k in range(3)])
    assert model.compensator_by_kind(setting, history, days) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert model.compensator(setting, history, days) == pytest.approx(expected.sum(axis=0), rel=1e-9, abs=1e-12)
    points = Events(np.sort([0.0, 7.3, *history.events.time_days[4:9]]), np.zeros(7, int), kind=np.arange(7) % 3)
    rates = [naive.rate(t, k, *law) for t, k in zip(points.time_days, points.kind, strict=True)]
    assert model.rate_at(setting, history, points) == pytest.approx(np.array(rates), rel=1e-9)


@every_variant
def test_the_gradient_in_every_parameter(model: MutuallyExciting) -> None:
    evaluate = model.likelihood(over(60), model.simulate(over(60), rng=generator(5)))
    gradient = evaluate(vector(model))[1]
    assert len(gradient) == len(names(model))
    assert gradient == pytest.approx(differences(evaluate, vector(model)), rel=1e-6, abs=1e-6)
    assert (gradient != 0).all()


@every_variant
def test_the_simulator_draws_what_its_twin_draws(model: MutuallyExciting) -> None:
    background, offspring, decay = model.arrays
    for seed in range(3):
        past = model.simulate(over(8), rng=generator(seed))
        for begun in (None, past):
            history = model.simulate(over(30), rng=generator(seed), given=begun)
            assert history.events is not None
            known = history_of(over(8), [], []) if begun is None else begun
            start = 0.0 if begun is None else 8.0
            twin = naive.simulate(
                generator(seed), *joined(model, known), start, 30.0, background.tolist(), offspring.tolist(), decay
            )
            new = len(history.events) - len(twin)
            assert known.events is not None
            assert new == len(known.events)
            assert history.events.time_days[new:] == pytest.approx(np.array([t for t, _ in twin]), rel=1e-9)
            assert history.events.kind[new:].tolist() == [k for _, k in twin]


# --- who set off whom ---


def parents_of(model: MutuallyExciting, history: History) -> tuple[list, np.ndarray, np.ndarray, int]:
    times, kind = joined(model, history)
    assert history.events is not None
    return naive.parents(times, kind, *model.arrays), times, kind, len(times) - len(history.events)


@every_variant
def test_the_branching_is_that_of_the_twin(model: MutuallyExciting) -> None:
    setting = over(40)
    history = model.simulate(setting, rng=generator(4))
    found, (twin, _, _, first) = model.branching(setting, history), parents_of(model, history)
    assert found.background == pytest.approx(np.array([own for own, _ in twin]))
    earlier = [sum(amount for j, amount in added.items() if j < first) for _, added in twin]
    assert found.from_before == pytest.approx(np.array(earlier), rel=1e-9, abs=1e-12)
    got = dict(zip(zip(found.later.tolist(), found.earlier.tolist(), strict=True), found.triggered, strict=True))
    pairs = {(i, j - first): a for i, (_, added) in enumerate(twin) for j, a in added.items() if j >= first and a > 0}
    assert got == pytest.approx(pairs, rel=1e-9)
    assert (np.diff(found.later) >= 0).all()
    assert history.events is not None
    assert found.rate == pytest.approx(model.rate_at(setting, history, history.events), rel=1e-12)


def test_what_is_negligible_makes_no_pair_and_what_is_all_there_is_does() -> None:
    alone = MutuallyExciting(("a", "b"), Effects(a=1.0), Effects({"a > b": 0.5, "a > a": 0.1}), ExponentialDelay(1.0))
    history = history_of(over(200), [1.0, 150.0, 150.0, 199.0], [0, 0, 1, 0])
    with pytest.warns(GroundswellWarning, match="1 of 4"):
        alone.log_density(over(200), history)
    found = alone.branching(over(200), history)
    assert list(zip(found.later.tolist(), found.earlier.tolist(), strict=True)) == [(2, 0)]
    assert found.parent_probability == pytest.approx([1.0])
    assert found.background_probability.tolist() == [1, 1, 0, 1]


@every_variant
def test_expected_parents_and_children_are_sums_over_pairs(model: MutuallyExciting) -> None:
    setting = over(40)
    history = model.simulate(setting, rng=generator(6))
    twin, times, kind, first = parents_of(model, history)
    orphans, children, waited = np.zeros(3), np.zeros((3, 3)), np.zeros(3)
    for i, (own, added) in enumerate(twin, start=first):
        rate = own + sum(added.values())
        orphans[kind[i]] += own / rate
        for j, amount in added.items():
            children[kind[j], kind[i]] += amount / rate
            waited[kind[j]] += amount / rate * (times[i] - times[j])
    shares = model.complete_likelihood(setting, history).attribute(vector(model))
    assert shares.orphans == pytest.approx(orphans, rel=1e-9)
    assert shares.children == pytest.approx(children, rel=1e-9, abs=1e-12)
    assert shares.waited_days == pytest.approx(waited, rel=1e-9, abs=1e-12)
    assert shares.orphans.sum() + shares.children.sum() == pytest.approx(len(twin))


@every_variant
def test_the_expected_complete_density_climbs_less_than_the_density(model: MutuallyExciting) -> None:
    """Same slope at the shares' own parameters (Fisher), its own differences elsewhere, and Jensen's inequality."""
    setting, rng = over(40), generator(7)
    density = model.complete_likelihood(setting, model.simulate(setting, rng=rng))
    at = vector(model)
    value, shares = density(at)[0], density.attribute(at)
    start, slope = density.expected(at, shares)
    assert slope == pytest.approx(density(at)[1], rel=1e-9, abs=1e-9)
    for _ in range(30):
        there = at * np.exp(rng.normal(0, 0.7, len(at)))
        gained, slope = density.expected(there, shares)
        assert slope == pytest.approx(differences(lambda x: density.expected(x, shares), there), rel=1e-5, abs=1e-5)
        assert gained - start <= density(there)[0] - value + 1e-9


def test_em_steps_climb_to_the_maximum() -> None:
    """With the decay held the best step is a ratio: children over what parents could be seen to release."""
    model, setting = VARIANTS["one decay"], over(400)
    history = model.simulate(setting, rng=generator(8))
    found = fit(model, setting, history, MaximumLikelihood(), rng=generator(1), fixed={"delay.decay": 0.9})
    density = model.complete_likelihood(setting, history)
    assert history.events is not None
    released = np.array([(1 - np.exp(-0.9 * (400 - history.events.time_days[history.events.kind == q]))).sum()
                         for q in range(3)])  # fmt: skip
    at, last = vector(model) * 2, -math.inf
    at[-1] = 0.9
    pairs = [tuple(KINDS.index(end) for end in label.split(" > ")) for label in model.offspring]
    for _ in range(400):
        value, shares = density(at)[0], density.attribute(at)
        assert value >= last - 1e-9
        last = value
        at = np.array([*(shares.orphans / 400), *(shares.children[q, k] / released[q] for q, k in pairs), 0.9])
    assert density(at)[0] == pytest.approx(found.log_density, abs=1e-6)


def test_the_methods_that_ask_for_these_verbs_run() -> None:
    setting = over(600)
    history = TWO.simulate(setting, rng=generator(4))
    climbed = fit(TWO, setting, history, ExpectationMaximisation(), rng=generator(1))
    best = fit(TWO, setting, history, MaximumLikelihood(), rng=generator(1))
    assert climbed.converged
    assert climbed.log_density == pytest.approx(best.log_density, abs=1e-5)
    found = rescaled(best.model, setting, history)
    assert found.total == pytest.approx(len(found), rel=1e-6)  # the background's slope is 0 at the maximum


# --- closed forms ---


def means(model: MutuallyExciting, days: float, excitation: np.ndarray) -> np.ndarray:
    """(K,) expected events in so many days, from a linear equation for the mean excitations: dA/dt = rate - b A."""
    background, offspring, decay = model.arrays
    kinds = len(decay)
    system = np.zeros((2 * kinds + 1, 2 * kinds + 1))  # excitations, counts, and 1
    rise = offspring.T * decay
    system[:kinds, :kinds], system[:kinds, -1] = rise - np.diag(decay), background
    system[kinds:-1, :kinds], system[kinds:-1, -1] = rise, background
    return (expm(days * system) @ [*excitation, *np.zeros(kinds), 1.0])[kinds:-1]


@pytest.mark.parametrize("name", ["a decay by sender", "earlier events"])
def test_simulated_counts_have_their_mean(name: str) -> None:
    model = VARIANTS[name]
    past = history_of(over(6), [1.0, 5.5, 5.9], [0, 1, 2])
    paths = {k: model.paths(over(20), past, draws=4000, rng=generator(1), series=k).sum(axis=(1, 2)) for k in KINDS}
    times, kind = joined(model, past)
    decay = model.arrays[2]
    excitation = np.bincount(kind, np.exp(-decay[kind] * (6 - times)), 3)
    for mean, counts in zip(means(model, 14, excitation), paths.values(), strict=True):
        assert counts.mean() == pytest.approx(mean, abs=3.5 * counts.std() / math.sqrt(4000))


def test_stationary_rates_are_those_of_the_long_run() -> None:
    model = VARIANTS["a decay by sender"]
    later = means(model, 3000, np.zeros(3)) - means(model, 2000, np.zeros(3))
    assert model.stationary_rates() == pytest.approx(later / 1000, rel=1e-9)
    assert model.spectral_radius() == pytest.approx(
        0.2 + math.sqrt(0.04 + 0.06)
    )  # l^2 = .4 l + .06; attacks come of none


def test_descendants_are_the_sum_of_all_generations() -> None:
    offspring = VARIANTS["one decay"].arrays[1]
    total, power = np.zeros((3, 3)), np.eye(3)
    for _ in range(200):
        power = power @ offspring
        total += power
    assert descendants(offspring) == pytest.approx(total, rel=1e-12)


def test_what_growing_kinds_do_not_reach_stays_finite() -> None:
    """a and b keep each other growing and feed c; d feeds a; e and f know none of them."""
    offspring = np.zeros((6, 6))
    offspring[0, 1], offspring[1, 0], offspring[0, 2], offspring[3, 0] = 2.0, 0.6, 0.1, 0.5
    offspring[3, 2], offspring[4, 5], offspring[5, 5] = 0.2, 0.3, 0.5
    assert spectral_radius(offspring) == pytest.approx(math.sqrt(1.2))
    found, inf = descendants(offspring), math.inf
    expected = np.zeros((6, 6))
    expected[:2, :3] = expected[3, :3] = inf
    expected[4, 5], expected[5, 5] = 0.6, 1.0
    assert found == pytest.approx(expected)
    labels = {f"{q} > {k}": offspring["abcdef".index(q), "abcdef".index(k)] for q, k in product("abcdef", repeat=2)}
    quiet = MutuallyExciting(tuple("abcdef"), Effects(e=1.0, a=0.0), Effects(labels))
    assert quiet.stationary_rates().tolist() == pytest.approx([0, 0, 0, 0, 1, 0.6])
    assert "spectral radius of the offspring is 1.1" in quiet.remarks(over(5))[0]
    assert VARIANTS["one decay"].remarks(over(5)) == ()


def test_one_kind_is_the_self_exciting_process() -> None:
    plain = SelfExciting(0.5, 0.6, ExponentialDelay(1.3))
    history = plain.simulate(over(50), rng=generator(2))
    one = MutuallyExciting(("event",), Effects(event=0.5), Effects({"event > event": 0.6}), ExponentialDelay(1.3))
    assert history.events is not None
    assert history.events.kind is None
    value, gradient = one.likelihood(over(50), history)(vector(one))
    expected, slope = plain.likelihood(over(50), history)(vector(plain))
    assert value == pytest.approx(expected, rel=1e-12)
    assert gradient == pytest.approx(slope, rel=1e-9)
    assert one.intensity(over(50), history) == pytest.approx(plain.intensity(over(50), history), rel=1e-9)


def test_no_triggering_is_independent_poisson() -> None:
    calm = MutuallyExciting(KINDS, BACKGROUND)
    history = history_of(over(30), [0.5, 3.0, 29.0], [0, 0, 2])
    assert calm.log_density(over(30), history) == pytest.approx(2 * math.log(0.6) + math.log(0.2) - 27)
    assert calm.stationary_rates().tolist() == [0.6, 0.1, 0.2]
    assert calm.spectral_radius() == 0


# --- what the process promises ---


@given(order=st.permutations(range(3)), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=25)
def test_renumbering_kinds_changes_nothing(order: list[int], seed: int) -> None:
    model = VARIANTS["a decay by sender"]
    history = model.simulate(over(30), rng=generator(seed))
    events = history.events
    assert events is not None
    other = replace(model, kinds=tuple(KINDS[k] for k in order))
    moved = history_of(over(30), events.time_days, np.argsort(order)[events.kind])
    assert other.log_density(over(30), moved) == pytest.approx(model.log_density(over(30), history), rel=1e-11)


def test_the_score_and_each_kinds_residuals_average_zero_and_a_turned_matrix_shows() -> None:
    model, setting = VARIANTS["earlier events"], over(60)
    turned = replace(
        model,
        offspring=Effects({" > ".join(reversed(label.split(" > "))): n for label, n in model.offspring.items()}),
        delay=ExponentialDelay(0.8),
    )
    scores, residuals, wrong = [], [], []
    for seed in range(300):
        history = model.simulate(setting, rng=generator(seed))
        observed = np.array([history[kind].sum() for kind in KINDS])
        scores.append(model.likelihood(setting, history)(vector(model))[1])
        residuals.append(observed - model.intensity_by_kind(setting, history).sum(axis=1))
        wrong.append(observed - turned.intensity_by_kind(setting, history).sum(axis=1))
    for sample in (np.array(scores), np.array(residuals)):
        error = sample.std(axis=0, ddof=1) / math.sqrt(len(sample))
        assert (np.abs(sample.mean(axis=0)) < 3.5 * error).all()
    error = np.std(wrong, axis=0, ddof=1) / math.sqrt(len(wrong))
    assert np.max(np.abs(np.mean(wrong, axis=0)) / error) > 8


def test_each_kinds_own_time_makes_it_a_unit_poisson_process() -> None:
    model, setting = VARIANTS["a decay by sender"], over(2000)
    history = model.simulate(setting, rng=generator(9))
    assert history.events is not None
    for k in range(3):
        own = history.events.time_days[history.events.kind == k]
        waits = np.diff(model.compensator_by_kind(setting, history, own)[k], prepend=0.0)
        assert kstest(waits, "expon").pvalue > 1e-3


def test_a_history_counts_all_events_and_each_kind() -> None:
    model = VARIANTS["one decay"]
    history = model.simulate(over(30), rng=generator(1))
    assert set(history.series) == {"events", *KINDS}
    assert history["events"] == pytest.approx(sum(history[kind] for kind in KINDS))
    assert history.events is not None
    assert [history[kind].sum() for kind in KINDS] == np.bincount(history.events.kind, minlength=3).tolist()
    bare = history_of(over(30), history.events.time_days, history.events.kind)
    assert np.array_equal(with_kinds(bare, KINDS)["attack"], history["attack"])


def test_histories_of_one_kind_each_are_put_together() -> None:
    setting = over(30)
    history = VARIANTS["one decay"].simulate(setting, rng=generator(1))
    events = history.events
    assert events is not None
    parts = {
        name: from_events(setting.places, setting.window, events.take(events.kind == k)) for k, name in enumerate(KINDS)
    }
    whole = of_kinds(parts)
    assert whole.events is not None
    assert np.array_equal(whole.events.time_days, events.time_days)
    assert np.array_equal(whole.events.kind, events.kind)
    assert all(np.array_equal(whole[name], history[name]) for name in history.series)
    assert whole.events.size is None
    sized = {
        name: replace(part, events=replace(part.events, size=part.events.time_days + 1)) for name, part in parts.items()
    }
    made = of_kinds(sized).events
    assert made is not None
    assert np.array_equal(made.size, made.time_days + 1)
    assert made.within_days is None
    dated = {
        name: replace(
            part, events=replace(part.events, day_precision=name == "attack", marks={"calls": part.events.time_days})
        )
        for name, part in sized.items()
    }
    mixed = of_kinds(dated).events
    assert mixed is not None
    assert mixed.day_precision
    assert np.array_equal(mixed.within_days, mixed.kind == 2)
    assert np.array_equal(mixed.marks["calls"], mixed.time_days)
    with pytest.raises(DataError, match=r'"attack" has 1 places and 20 days.*the first one 1 and 30'):
        of_kinds({**parts, "attack": history_of(over(20), [], [])})
    with pytest.raises(DataError, match="no history"):
        of_kinds({})
    with pytest.raises(DataError, match='"attack" has counts but no single events'):
        of_kinds({**parts, "attack": replace(parts["attack"], events=None)})


@pytest.mark.parametrize("series", ["events", "repression"])
def test_many_paths_are_what_simulate_draws(series: str) -> None:
    model, setting = VARIANTS["earlier events"], Setting(Places.single(), Window(date(2024, 1, 1), 15, 2))
    past = model.simulate(setting, rng=generator(6)).during(6)
    rng, again = generator(7), generator(7)
    many = model.paths(setting, past, draws=5, rng=rng, series=series)
    assert many.shape == (5, 1, 9)
    for counts in many:
        assert np.array_equal(counts, model.simulate(setting, rng=again, given=past)[series][:, 6:])


def test_a_path_that_explodes_is_told_from_one_that_ends() -> None:
    growing = MutuallyExciting(
        ("a", "b"), Effects(a=1.0), Effects({"a > b": 1.5, "b > a": 1.5}), ExponentialDelay(1.0), max_events=300
    )
    paths = growing.paths(over(60), history_of(over(5), [4.0], [0]), draws=4, rng=generator(1))
    for counts in paths[:, 0]:
        missing = np.isnan(counts)
        assert missing[-1]
        assert (np.diff(missing.astype(int)) >= 0).all()
        assert 0 < counts[~missing].sum() <= 299
    with pytest.raises(UsageError) as error:
        growing.simulate(over(60), rng=generator(1))
    assert str(error.value).startswith("MutuallyExciting reached max_events = 300 on day ")
    assert "spectral radius of its offspring is 1.5" in str(error.value)
    steady = MutuallyExciting(("a",), Effects(a=90.0), max_events=500)
    with pytest.raises(UsageError, match="Raise max_events"):
        steady.simulate(over(60), rng=generator(1))


# --- simulate and recover; is a pair needed ---


@pytest.mark.parametrize(("seed", "by_sender"), [(14, False), (36, False), (14, True), (24, True), (5, True)])
def test_no_offspring_is_told_to_be_0_though_the_density_rises_from_there(seed: int, by_sender: bool) -> None:
    """All but the last are histories of which an early long step of the search made a pair's offspring 0 for good."""
    model, setting = VARIANTS["of the example"], over(100)
    history = model.simulate(setting, rng=generator(seed))
    everything = MutuallyExciting.among(*KINDS, by_sender=by_sender)
    found = fit(everything, setting, history, MaximumLikelihood(), rng=generator(0))
    assert found.converged
    slope = found.model.likelihood(setting, history)(found.estimate)[1]
    absent = found.estimate < 1e-6
    assert absent.any()
    assert (slope[absent] < 2e-3).all()


PAIR = "offspring.repression > protest"
TWO = MutuallyExciting.among("protest", "repression").replacing(
    {"background.protest": 0.4, "background.repression": 0.2, "offspring.protest > protest": 0.4,
     "offspring.protest > repression": 0.3, "offspring.repression > repression": 0.2, PAIR: 0.3}
)  # fmt: skip


STRONG = Prior(0.25, 0.5)
"""Offspring large enough to know their delay by: see the page of the model for what weaker ones do to its intervals."""


def recovered(draws: int, days: int) -> tuple[np.ndarray, int]:
    """Whether each parameter's 90 % profile interval holds the truth, (draws, K), and how many draws were set aside.

    Truths are prior draws, offspring from STRONG, of at most ten events of a kind a day.
    """
    rng, setting, template, refused = generator(30), over(days), MutuallyExciting.among("protest", "repression"), 0
    held = []
    while len(held) < draws:
        priors = [(leaf, STRONG if leaf.name.startswith("offspring") else leaf.prior) for leaf in leaves(template)]
        truth = template.replacing(
            {leaf.name: leaf.from_free(rng.normal(leaf.to_free(p.median), p.sd)) for leaf, p in priors if p is not None}
        )
        if (truth.stationary_rates() > 10).any():
            refused += 1
            continue
        history = truth.simulate(setting, rng=rng)
        best = fit(truth, setting, history, MaximumLikelihood(), rng=rng)
        inside = []
        for name, value in zip(names(truth), vector(truth), strict=True):
            there = fit(best.model, setting, history, MaximumLikelihood(), rng=rng, fixed={name: float(value)})
            assert best.converged
            assert there.converged
            inside.append(2 * (best.log_density - there.log_density) <= chi2.ppf(0.9, 1))
        held.append(inside)
    return np.array(held), refused


def test_what_is_simulated_is_recovered() -> None:
    """Twelve prior draws; the hundred of the calibration are below."""
    held, refused = recovered(12, 400)
    assert refused <= 3
    assert held.mean() > 0.75
    assert (held.mean(axis=0) >= 0.5).all()


@pytest.mark.slow
def test_nine_of_ten_intervals_hold_the_truth() -> None:
    held, refused = recovered(100, 1000)
    assert refused <= 15
    counts = dict(zip(names(TWO), held.sum(axis=0).tolist(), strict=True))
    assert all(83 <= count <= 97 for count in counts.values()), counts


def both(truth: MutuallyExciting, setting: Setting, seed: int) -> tuple[Fit, Fit]:
    """Without and with the pair."""
    history = truth.simulate(setting, rng=generator(seed))
    smaller = fit(TWO.without("repression > protest"), setting, history, MaximumLikelihood(), rng=generator(1))
    start = TWO.replacing({**dict(zip(smaller.names, smaller.estimate, strict=True)), PAIR: 0.02})
    return smaller, fit(start, setting, history, MaximumLikelihood(), rng=generator(1))


def chances(truth: MutuallyExciting, draws: int, days: int) -> np.ndarray:
    """(draws,) p-values of the pair."""
    setting = over(days)
    return np.array([likelihood_ratio(*both(truth, setting, seed)).p_value for seed in range(draws)])


def test_a_pair_that_is_not_there_is_not_found_and_one_that_is_is() -> None:
    quiet = chances(TWO.replacing({PAIR: 0.0}), 30, 600)
    assert 0.25 <= (quiet == 1).mean() <= 0.75  # half of them ask for less than nothing
    assert (quiet < 0.1).mean() <= 0.25
    assert (chances(TWO, 5, 1500) < 0.01).all()


@pytest.mark.slow
def test_the_p_values_of_a_pair_that_is_not_there_are_uniform_below_a_half() -> None:
    found = chances(TWO.replacing({PAIR: 0.0}), 400, 1500)
    error = {level: 3 * math.sqrt(level * (1 - level) / 400) for level in (0.02, 0.05, 0.1, 0.25)}
    assert (found == 1).mean() == pytest.approx(0.5, abs=0.075)
    for level, off in error.items():
        assert (found < level).mean() == pytest.approx(level, abs=off)


def test_a_ratio_says_what_it_compares_and_refuses_the_rest() -> None:
    setting = over(300)
    smaller, larger = both(TWO, setting, 2)
    found = likelihood_ratio(smaller, larger)
    assert (found.parameter, found.null, found.boundary, found.notes) == (PAIR, 0.0, True, ())
    assert found.statistic == pytest.approx(2 * (larger.log_density - smaller.log_density))
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, 1) / 2)
    history = TWO.simulate(setting, rng=generator(2))
    held = fit(TWO, setting, history, MaximumLikelihood(), rng=generator(1), fixed={PAIR: 0.0})
    assert likelihood_ratio(held, larger).statistic == pytest.approx(found.statistic, abs=1e-6)
    inside = fit(TWO, setting, history, MaximumLikelihood(), rng=generator(1), fixed={"delay.decay": 0.5})
    other = likelihood_ratio(inside, larger)
    assert (other.parameter, other.null, other.boundary) == ("delay.decay", 0.5, False)
    assert other.p_value == pytest.approx(chi2.sf(other.statistic, 1))
    for wrong in ((larger, smaller), (larger, larger), (inside, held)):
        with pytest.raises(UsageError, match="expected one parameter more"):
            likelihood_ratio(*wrong)
    with pytest.raises(UsageError, match="different histories"):
        likelihood_ratio(smaller, both(TWO, setting, 3)[1])
    with pytest.raises(UsageError, match="Fit both by MaximumLikelihood"):
        likelihood_ratio(replace(smaller, method=None), larger)
    with pytest.raises(NotConverged, match="found none"):
        likelihood_ratio(replace(smaller, converged=False), larger)
    with pytest.raises(NotConverged, match="no maximum"):
        likelihood_ratio(replace(smaller, log_density=larger.log_density + 1), larger)
    unknown = smaller.standard_error.copy()
    unknown[smaller.names.index("delay.decay")] = math.nan
    assert "delay.decay: at an end" in likelihood_ratio(replace(smaller, standard_error=unknown), larger).notes[0]


# --- statements and refusals ---


def test_all_pairs_and_some_left_out() -> None:
    everything = MutuallyExciting.among(*KINDS, by_sender=True)
    assert len(names(everything)) == 3 + 9 + 3
    fewer = everything.without("attack > attack", "attack > protest", "attack > repression")
    assert "delay.decay.attack" not in names(fewer)
    assert len(names(fewer)) == 3 + 6 + 2
    assert isinstance(everything.without("attack > attack").delay, DelayBySender)
    assert MutuallyExciting.among(*map(str, range(20))).spectral_radius() <= 0.5 + 1e-9
    for model in (everything, fewer, TWO):
        assert can(model, "complete_likelihood")


def test_what_cannot_be_meant_is_refused() -> None:
    for kinds in ((), ("a", "a"), ("a > b",), (" a",), ("events",), ("",), (3,)):
        with pytest.raises(ParameterError, match=r"MutuallyExciting\.kinds"):
            MutuallyExciting(kinds)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r'names "protests".*Nearest name: "protest"'):
        MutuallyExciting(KINDS, Effects(protests=1.0))
    with pytest.raises(ParameterError, match=r'names "protest>attack"; expected one of'):
        MutuallyExciting(KINDS, BACKGROUND, Effects({"protest>attack": 1.0}))
    with pytest.raises(ParameterError, match=r'without names "attack > attack"'):
        VARIANTS["one decay"].without("attack > attack")
    for paces in (Effects(protest=1.0), Effects(dict.fromkeys((*KINDS, "other"), 1.0))):
        with pytest.raises(ParameterError, match="one for each of them and for no other"):
            MutuallyExciting(KINDS, BACKGROUND, OFFSPRING, DelayBySender(paces))
    with pytest.raises(DataError, match="below 0"):
        MutuallyExciting(("a",), before=Events(np.array([0.5]), np.array([0])))
    with pytest.raises(DataError, match=r"before holds events without a kind.*0 protest, 1 repression"):
        MutuallyExciting(KINDS, before=Events(np.array([-0.5]), np.array([0])))
    model, setting = VARIANTS["one decay"], over(30)
    for kind in (3, -1, 0.5):
        events = Events(np.array([1.0]), np.array([0]), kind=np.array([kind]))
        with pytest.raises(DataError, match=f"an event of kind {kind:g}; expected whole numbers from 0 to 2"):
            model.log_density(setting, from_events(setting.places, setting.window, events))
    with pytest.raises(DataError, match="without a kind"):
        model.log_density(setting, SelfExciting().simulate(setting, rng=generator(1)))
    with pytest.raises(DataError, match="no single events"):
        model.log_density(setting, History(setting.places, setting.window, {"events": np.ones((1, 30))}))
    with pytest.raises(DataError, match="30 steps and the setting 40"):
        model.log_density(over(40), history_of(setting, [1.0], [0]))
    with pytest.raises(DataError, match="expected no more"):
        model.simulate(setting, rng=generator(1), given=history_of(over(40), [1.0], [0]))
    two = Setting(Places(("A", "B"), np.ones(2)), setting.window)
    with pytest.raises(DataError, match="modelled in one"):
        model.simulate(two, rng=generator(1))
    with pytest.raises(UsageError, match="draws the series events, protest, repression, attack"):
        model.paths(setting, history_of(over(5), [], []), draws=1, rng=generator(1), series="arrests")


def test_no_events_is_a_value_like_any_other_and_an_impossible_event_minus_infinity() -> None:
    value, gradient = VARIANTS["one decay"].likelihood(over(30), history_of(over(30), [], []))(
        vector(VARIANTS["one decay"])
    )
    assert value == pytest.approx(-27)
    assert gradient.tolist() == [-30, -30, -30, 0, 0, 0, 0, 0]
    nothing = VARIANTS["nothing of its own"]
    assert nothing.log_density(over(30), history_of(over(30), [1.0], [2])) == -math.inf
