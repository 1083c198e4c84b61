"""The riot wave: against a general integrator, finite differences, closed forms, and its own simulations."""

from __future__ import annotations

import dataclasses
import time
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import waves as naive

from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, ParameterError
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.cities.riot_wave import RiotWave, Susceptible
from groundswell.models.cities.scattered import Background, Overdispersion
from groundswell.models.triggering import (
    Exponential,
    Gravity,
    NearAndEverywhere,
    NeighbourhoodOrder,
    PowerLaw,
    Reach,
)
from groundswell.params import Effects, from_vector, leaves, names, vector
from groundswell.rng import generator

REACHES: dict[str, Reach | None] = {
    "alone": None,
    "exponential": Exponential(70.0),
    "power law": PowerLaw(20.0, 1.4),
    "near and everywhere": NearAndEverywhere(0.03, 50.0),
    "neighbourhood order": NeighbourhoodOrder(1.2),
}
CHAIN = Network(np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]]))


def country(lopsided: Places, steps: int = 25, step: int = 1) -> Setting:
    poverty = {"poverty": np.array([-0.5, 0.8, 0.1, 0.3])}
    return Setting(lopsided, Window(date(2005, 10, 27), steps, step), CHAIN, poverty, active_on_day0=("Near",))


def wave(reach: Reach | None, psi: float | None = None, background: float | None = 0.03) -> RiotWave:
    return RiotWave(
        Susceptible(9.0, Effects({"poverty": 0.4})), contagion=0.02, decay=0.35, start=1.6, reach=reach,
        background=None if background is None else Background(background),
        overdispersion=None if psi is None else Overdispersion(psi),
    )  # fmt: skip


def of(setting: Setting, counts: np.ndarray) -> History:
    return History(setting.places, setting.window, {"events": np.asarray(counts, dtype=float)})


def lit_history(setting: Setting, events: float = 3.0) -> History:
    """Any counts, with the wave lit at Near."""
    counts = generator(3).poisson(1.5, setting.shape).astype(float)
    counts[:, 0] = [0, events, 0, 0]
    return of(setting, counts)


def alone(population: float, days: int, step: int = 1) -> Setting:
    return Setting(Places.single(population), Window(date(2020, 1, 1), days, step))


def maximum(model: RiotWave, setting: Setting, history: History, **fixed: float) -> Fit:
    return fit(model, setting, history, MaximumLikelihood(), rng=generator(0), fixed=fixed)


def outside(setting: Setting, rate: float) -> np.ndarray:
    return rate * setting.places.population[:, None] / 1e5 * setting.window.step


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
@pytest.mark.parametrize("step", [1, 7])
def test_means_are_those_of_a_general_integrator(reach: Reach | None, step: int, lopsided: Places) -> None:
    setting, model = country(lopsided, step=step), wave(reach)
    history = lit_history(setting)
    expected = naive.riot_wave_means(model, setting, history["events"][:, 0]) + outside(setting, 0.03)
    assert model.intensity(setting, history)[:, 1:] == pytest.approx(expected, rel=2e-7)
    assert np.isnan(model.intensity(setting, history)[:, 0]).all()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_the_stated_accuracy_holds_wherever_the_priors_reach(seed: int) -> None:
    """Relative to each mean, down to means of 1e-5 a step; waves beyond the finest steps are left to the warning."""
    rng = generator(seed)
    count = int(rng.integers(1, 7))
    places = Places(
        tuple(map(str, range(count))), rng.lognormal(11.5, 1, count), rng.uniform(30, 36, count),
        rng.uniform(45, 52, count),
    )  # fmt: skip
    setting = Setting(places, Window(date(2020, 1, 1), 25, int(rng.choice([1, 7]))))
    model = prior_draw(RiotWave(reach=PowerLaw() if seed % 2 else Exponential(60.0), background=None), rng)
    first = np.zeros(count)
    first[0] = 3
    run = model._wave(setting, first / setting.window.step)
    if run.fastest > 8:
        return
    expected = naive.riot_wave_means(model, setting, first).T
    told = expected > 1e-5
    assert np.abs(run.means / np.where(told, expected, 1) - 1)[told].max(initial=0) < 1e-5


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
@pytest.mark.parametrize("psi", [None, 0.7])
def test_log_density_is_that_of_the_naive_twin(reach: Reach | None, psi: float | None, lopsided: Places) -> None:
    setting, model = country(lopsided), wave(reach, psi)
    history = lit_history(setting)
    mean = naive.riot_wave_means(model, setting, history["events"][:, 0]) + outside(setting, 0.03)
    expected = naive.log_density(history["events"][:, 1:], mean, psi or 0.0)
    assert model.log_density(setting, history) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
@pytest.mark.parametrize("psi", [None, 0.7])
@pytest.mark.parametrize("step", [1, 7])
def test_gradient_in_every_parameter_is_the_finite_difference(
    reach: Reach | None, psi: float | None, step: int, lopsided: Places
) -> None:
    setting, model = country(lopsided, step=step), wave(reach, psi)
    density = model.likelihood(setting, lit_history(setting))
    at = vector(model)
    _, gradient = density(at)
    for k, name in enumerate(names(model)):
        h = 1e-5 * at[k]
        step_k = np.eye(len(at))[k] * h
        slope = (density(at + step_k)[0] - density(at - step_k)[0]) / (2 * h)
        assert gradient[k] == pytest.approx(slope, rel=2e-7, abs=1e-6), name


def test_the_gradient_keeps_its_digits_where_hardly_anything_is_used_up(lopsided: Places) -> None:
    """Along beta up and sigma down the density is nearly level: what is left of two large slopes falls as 1 / sigma."""
    setting = country(lopsided, steps=8)

    def along(susceptible: float) -> float:
        changes = {"susceptible.per_100k": susceptible, "contagion": 0.18 / susceptible}
        model = wave(Exponential(70.0)).replacing(changes)
        slopes = model.likelihood(setting, lit_history(setting))(vector(model))[1] * vector(model)
        scaled = dict(zip(names(model), slopes, strict=True))
        assert abs(scaled["contagion"]) > 1e4
        return scaled["contagion"] - scaled["susceptible.per_100k"]

    assert along(9e12) == pytest.approx(along(9e9) / 1000, rel=0.01)


def test_value_and_gradient_cost_at_most_three_values() -> None:
    from groundswell.models.cities.scattered import Counted

    rng = generator(1)
    count = 60
    places = Places(
        tuple(map(str, range(count))), rng.lognormal(11, 0.7, count), rng.uniform(26, 39, count),
        rng.uniform(45, 62, count),
    )  # fmt: skip
    setting = Setting(places, Window(date(2020, 1, 1), 30), active_on_day0=("0",))
    model = RiotWave(contagion=0.03, background=None)
    history = model.simulate(setting, rng=rng)
    density, at = model.likelihood(setting, history), vector(model)
    first, observed = model._lit(setting, history["events"][:, 0]), Counted.of(history["events"][:, 1:].T)

    def value() -> float:
        return observed.weigh(model._wave(setting, first).means, 0.0)[0]

    assert value() == density(at)[0]
    # the fastest of many, in turns, so that other work on the machine does not decide
    spent = {"value": np.inf, "both": np.inf}
    for _ in range(25):
        for label, work in (("value", value), ("both", lambda: density(at))):
            begin = time.process_time()
            work()
            spent[label] = min(spent[label], time.process_time() - begin)
    assert spent["both"] < 3 * spent["value"], spent


@pytest.mark.parametrize("ratio", [0.6, 1.1, 2.5, 6.0])
def test_one_place_ends_at_the_final_size_of_an_epidemic(ratio: float) -> None:
    """1 - left = 1 - exp(-R0 (1 - left) - contagion lambda(0) / decay), as integrated, not as solved."""
    setting = alone(1e8, 1200)
    model = RiotWave(Susceptible(10.0), contagion=ratio * 0.5 / 1e4, decay=0.5, start=1.0, background=None)
    assert model.reproduction_number(setting) == pytest.approx(ratio)
    history = of(setting, np.eye(1, 1200) * 2)
    used = 1 - model.remaining(setting, history)[0, -1]
    assert used == pytest.approx(1 - np.exp(-ratio * used - model.contagion * 2 / model.decay), rel=1e-9)
    # nothing is lost: what was active and what was used up has died down
    events = np.nansum(model.intensity(setting, history))
    assert 0.5 * events == pytest.approx(2 + 1e4 * used, rel=1e-9)


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
def test_what_is_active_left_and_died_down_adds_up(reach: Reach | None, lopsided: Places) -> None:
    """lambda + sigma + decay times the activity so far does not change, place by place; lambda by differences."""
    setting, model = country(lopsided, steps=30), wave(reach, background=None)
    history = lit_history(setting)
    events, left = model.intensity(setting, history)[:, 1:], model.remaining(setting, history)
    susceptible = model.susceptible.activity(setting)
    so_far = np.cumsum(events, axis=1)
    # lambda at the edges between steps, to fourth order in their length
    active = (7 * (events[:, 1:-2] + events[:, 2:-1]) - events[:, :-3] - events[:, 3:]) / 12
    start = np.array([0, 1.6 * 3, 0, 0]) + susceptible
    total = active + susceptible[:, None] * left[:, 2:-2] + 0.35 * so_far[:, 1:-2]
    assert total == pytest.approx(np.repeat(start[:, None], 26, axis=1), rel=0.01)


def test_places_to_themselves_are_independent_places(lopsided: Places) -> None:
    setting = dataclasses.replace(country(lopsided), active_on_day0=())
    model, history = wave(None, 0.7), lit_history(country(lopsided))
    total = 0.0
    for k in range(4):
        place = lopsided.subset([k])
        one = Setting(place, setting.window, covariates={"poverty": setting.covariates["poverty"][k : k + 1]})
        total += model.log_density(one, History(place, setting.window, {"events": history["events"][k : k + 1]}))
    # but for the Runge-Kutta steps: together all go at the pace of the fastest
    assert model.log_density(setting, history) == pytest.approx(total, rel=1e-9)
    # a reach far below the nearest distance comes to the same
    near = dataclasses.replace(model, reach=Exponential(0.1))
    assert near.log_density(setting, history) == pytest.approx(total, rel=1e-7)


def test_a_single_place_needs_no_position_and_its_reach_is_not_determined() -> None:
    setting = alone(300_000, 40)
    model = RiotWave(Susceptible(20.0), contagion=0.02, background=None)
    assert setting.places.latitude is None
    history = model.simulate(setting, rng=generator(2), given=of(alone(300_000, 1), np.array([[2]])))
    assert model.likelihood(setting, history)(vector(model))[1][-1] == 0
    found = maximum(model, setting, history)
    assert any("reach.scale_km is not determined" in note for note in found.notes)


@settings(max_examples=15)
@given(order=st.permutations(range(4)), seed=st.integers(0, 1000))
def test_renaming_and_reordering_places_changes_nothing(order: list[int], seed: int) -> None:
    rng = generator(seed)
    places = Places(tuple("abcd"), rng.lognormal(11, 1, 4), rng.uniform(30, 36, 4), rng.uniform(45, 52, 4))
    window = Window(date(2020, 1, 1), 12)
    counts = rng.poisson(1.0, (4, 12)).astype(float)
    model = RiotWave(reach=PowerLaw())
    there = model.log_density(Setting(places, window), History(places, window, {"events": counts}))
    moved = dataclasses.replace(places.subset(order), name=tuple("wxyz"))
    back = model.log_density(Setting(moved, window), History(moved, window, {"events": counts[order]}))
    assert back == pytest.approx(there, rel=1e-12)


def test_weeks_are_sums_of_days(lopsided: Places) -> None:
    """Both lit by as many events a day, and at the same moment: the end of the first step."""
    model = wave(Exponential(70.0))
    days, weeks = country(lopsided, steps=1 + 28), country(lopsided, steps=1 + 4, step=7)
    by_day = model.intensity(days, lit_history(days, 3.0))[:, 1:]
    by_week = model.intensity(weeks, lit_history(weeks, 21.0))[:, 1:]
    assert by_day.reshape(4, 4, 7).sum(axis=2) == pytest.approx(by_week, rel=1e-6)


def test_where_the_wave_is_lit(lopsided: Places) -> None:
    model = wave(Exponential(70.0), background=None)
    named = country(lopsided)
    anywhere = dataclasses.replace(named, active_on_day0=())
    counts = np.zeros(named.shape)
    counts[[0, 1], 0] = 2
    one, both = (model.intensity(setting, of(setting, counts))[:, 1] for setting in (named, anywhere))
    assert (both > one).all()
    counts[0, 0] = 0
    assert model.intensity(anywhere, of(anywhere, counts))[:, 1] == pytest.approx(one)
    with pytest.raises(DataError, match='active_on_day0 names "Near", which has no event in the first step'):
        model.likelihood(named, of(named, np.zeros(named.shape)))


def test_simulations_continue_what_is_given_and_start_as_told(lopsided: Places) -> None:
    setting, model = country(lopsided), wave(Exponential(70.0), 0.5)
    first = model.simulate(setting, rng=generator(1))
    assert first["events"][:, 0].tolist() == [0, 1, 0, 0]
    again = model.simulate(setting, rng=generator(2), given=first.during(9))
    assert np.array_equal(again["events"][:, :9], first["events"][:, :9])
    paths = model.paths(setting, first.during(9), draws=4000, rng=generator(3))
    assert paths.shape == (4000, 4, 16)
    mean = model.intensity(setting, first)[:, 9:]
    error = np.sqrt(mean * (1 + 0.5 * mean) / 4000)
    assert (np.abs(paths.mean(axis=0) - mean) < 4.5 * error).all()
    nobody = dataclasses.replace(setting, active_on_day0=())
    drawn = [model.simulate(nobody, rng=rng)["events"][:, 0] for rng in generator(5).spawn(2000)]
    expected = outside(setting, 0.03)[:, 0]
    assert (np.abs(np.mean(drawn, axis=0) - expected) < 4 * np.sqrt(expected * (1 + 0.5 * expected) / 2000)).all()


def test_a_wave_before_its_limit_is_said_to_be_one() -> None:
    """Half the fits of an early window run off along beta sigma, half stop on the way by chance: both must tell."""
    _, setting = RiotWave.example()
    early = dataclasses.replace(setting, window=dataclasses.replace(setting.window, periods=12))
    truth = RiotWave(Susceptible(2000.0), contagion=4.5e-5, start=4.0, background=None)
    level = 0
    for seed in range(6):
        history = truth.simulate(early, rng=generator(seed))
        assert history["events"].sum() > 1000, "plenty of events, and still no limit to be seen"
        assert "only 4.6 % of the susceptible is used up" in truth.remarks(early, history)[0]
        found = maximum(truth, early, history, decay=0.3)
        assert found.converged
        wide = found.standard_error[0] > 0.5 * found.estimate[0]
        flat = "susceptible.per_100k" in " ".join(note for note in found.notes if "cannot tell" in note)
        level += flat
        assert flat or wide, found.summary()
        assert set(found.model.remarks(early, history)) <= set(found.notes)
        if flat:
            assert np.isnan(found.standard_error[:2]).all()
            assert "contagion" in next(note for note in found.notes if "cannot tell" in note)
        product = float(np.prod(found.estimate[:2]))
        assert product == pytest.approx(0.09, rel=0.15), "what the counts do tell"
    assert level >= 2
    # once the wave has passed its peak both are known
    history = RiotWave.example()[0].simulate(setting, rng=generator(1))
    found = maximum(dataclasses.replace(RiotWave.example()[0], background=None), setting, history)
    assert found.notes == ()
    assert (found.standard_error[:2] < 0.3 * found.estimate[:2]).all()


def test_a_faster_wave_than_is_followed_is_warned_of() -> None:
    setting = alone(5e8, 20)
    model = RiotWave(Susceptible(50.0), contagion=0.05, background=None)
    with pytest.warns(GroundswellWarning, match=r"faster than it is\s+followed: expected events are off by up to"):
        model.intensity(setting, of(setting, np.eye(1, 20)))


def test_counts_without_events_have_a_density_and_determine_nothing(lopsided: Places) -> None:
    setting = dataclasses.replace(country(lopsided), active_on_day0=())
    nothing = of(setting, np.zeros(setting.shape))
    model = wave(Exponential(70.0))
    people = lopsided.population.sum() / 1e5
    assert model.log_density(setting, nothing) == pytest.approx(-0.03 * people * 24)
    found = maximum(model, setting, nothing)
    assert found.converged
    assert np.isnan(found.standard_error).all()
    (note,) = found.notes
    assert note.startswith("There is no event after the first step among these counts: rates run to 0, and nothing can")
    assert wave(None, background=None).log_density(setting, nothing) == 0


def test_errors_say_what_is_wrong_and_what_to_do(lopsided: Places) -> None:
    setting, model = country(lopsided), wave(Exponential(70.0))
    history = lit_history(setting)
    nowhere = dataclasses.replace(setting, places=Places(lopsided.name, lopsided.population))
    lost = History(nowhere.places, nowhere.window, history.series)
    with pytest.raises(
        DataError, match=r"these have no positions\. Give latitude and longitude, .* do without a reach"
    ):
        model.log_density(nowhere, lost)
    assert np.isfinite(wave(None).log_density(nowhere, lost))
    halves = history["events"].copy()
    halves[2, 5] = 0.5
    with pytest.raises(DataError, match=r'events in "Twin" on 2005-11-01 is 0\.5; expected a whole number'):
        model.likelihood(setting, of(setting, halves))
    with pytest.raises(DataError, match="25 steps, the setting 20"):
        model.likelihood(setting.during(20), history)
    with pytest.raises(DataError, match="at least two steps"):
        model.likelihood(setting.during(1), history.during(1))
    with pytest.raises(DataError, match="no longer than the setting's window"):
        model.simulate(setting.during(9), rng=generator(0), given=history)
    with pytest.raises(DataError, match="in steps of 1 days from 2005-10-27, the setting has 4 in steps of 7"):
        model.likelihood(country(lopsided, step=7), history)
    moving = dataclasses.replace(setting, covariates={"poverty": np.arange(25.0)})
    with pytest.raises(DataError, match='"poverty", which changes over time; susceptibility is'):
        model.likelihood(moving, history)
    with pytest.raises(DataError, match='effect "poverty" is no covariate'):
        model.likelihood(dataclasses.replace(setting, covariates={}), history)
    with pytest.raises(DataError, match=r'"Hub" has events .* cannot bring about: .* Give a reach between places, or'):
        wave(None, background=None).likelihood(setting, history)
    cold = dataclasses.replace(setting, active_on_day0=())
    counts = np.zeros(setting.shape)
    counts[3, 9] = 1
    with pytest.raises(DataError, match=r'"Far" has events .* Begin the window with the first events, or add'):
        wave(Exponential(70.0), background=None).likelihood(cold, of(cold, counts))
    pieces = Network(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]))
    apart, joined = dataclasses.replace(setting, network=pieces), wave(NeighbourhoodOrder(1.2), background=None)
    with pytest.raises(
        DataError, match=r'"Twin" has events .* nothing lights .* Join the place in Setting\.network to'
    ):
        joined.likelihood(apart, history)
    near_alone = of(apart, history["events"] * np.array([[1], [1], [0], [0]]))
    assert np.isfinite(joined.log_density(apart, near_alone))
    assert np.isfinite(joined.log_density(apart, history.leaving_out(np.array([[False], [False], [True], [True]]))))
    assert np.isfinite(wave(NeighbourhoodOrder(1.2)).log_density(apart, history))
    with pytest.raises(DataError, match="nothing lights this wave"):
        wave(None, background=None).simulate(cold, rng=generator(0))


def test_a_reach_with_an_exponent_of_its_own_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"reach is Gravity, .* here that is the part of `susceptible`"):
        wave(Gravity())


def test_population_can_be_taken_out_of_susceptibility(lopsided: Places) -> None:
    setting = country(lopsided)
    alike = Susceptible(9.0, Effects({"log(population_share)": -1.0}))
    assert alike.activity(setting) == pytest.approx(np.full(4, 9.0 * lopsided.population.sum() / 1e5))


def prior_draw(model: RiotWave, rng: np.random.Generator) -> RiotWave:
    """Every parameter from its prior: normal on the free coordinate."""
    values = []
    for leaf in leaves(model):
        assert leaf.prior is not None
        values.append(leaf.from_free(rng.normal(leaf.center, leaf.sd)))
    return from_vector(model, values)


def recovery_case() -> tuple[RiotWave, Setting]:
    """Sixteen places of 100,000 to 4 million in four clusters, 50 days, a covariate, Poisson counts."""
    rng = generator(77)
    latitude = np.repeat(rng.uniform(30, 36, 4), 4) + rng.normal(0, 0.5, 16)
    longitude = np.repeat(rng.uniform(46, 56, 4), 4) + rng.normal(0, 0.5, 16)
    places = Places(tuple(f"place {i}" for i in range(16)), rng.uniform(1e5, 4e6, 16), latitude, longitude)
    setting = Setting(
        places, Window(date(2012, 1, 2), 50), covariates={"poverty": rng.normal(size=16)}, active_on_day0=("place 0",)
    )
    return RiotWave(Susceptible(effects=Effects({"poverty": 0.0})), reach=Exponential(60.0)), setting


def seen_wave(model: RiotWave, setting: Setting, rng: np.random.Generator) -> RiotWave:
    """A prior draw whose wave is expected to be there and to meet its limit in the window; told by parameters alone."""
    first = of(setting, np.eye(len(setting.places), setting.window.periods))
    while True:
        draw = prior_draw(model, rng)
        if draw._wave(setting, first["events"][:, 0]).fastest > 8:
            continue
        waves = np.nansum(dataclasses.replace(draw, background=None).intensity(setting, first), axis=1)
        used = 1 - draw.remaining(setting, first)[:, -1]
        if waves.sum() > 300 and waves @ used / waves.sum() > 0.4:
            return draw


def coverage(draws: int) -> tuple[tuple[str, ...], np.ndarray, int]:
    """How often the 90 % Wald interval on the free coordinate holds the truth, by parameter; how many converged."""
    model, setting = recovery_case()
    hits, converged = np.zeros(len(names(model))), 0
    for rng in generator(5).spawn(draws):
        truth = seen_wave(model, setting, rng)
        found = maximum(truth, setting, truth.simulate(setting, rng=rng))
        converged += found.converged
        for k, (leaf, true) in enumerate(zip(leaves(found.model), leaves(truth), strict=True)):
            # an interval that is not determined holds nothing
            error = found.standard_error[k] / leaf.slope(leaf.to_free(leaf.value))
            hits[k] += abs(leaf.to_free(leaf.value) - true.to_free(true.value)) <= 1.6448536 * error
    return names(model), hits, converged


def test_recovery_small() -> None:
    _, hits, converged = coverage(10)
    assert converged == 10
    # 70 intervals, not independent: binomial(70, .9) leaves this range with probability below .001
    assert 54 <= hits.sum() <= 70


@pytest.mark.slow
def test_recovery_of_a_hundred_prior_draws() -> None:
    """90 % intervals cover 83 to 96 times of 100, for every parameter."""
    labels, hits, converged = coverage(100)
    print(*(f"{label}: {int(hit)}" for label, hit in zip(labels, hits, strict=True)), sep="\n")
    assert converged == 100
    assert ((hits >= 83) & (hits <= 96)).all(), dict(zip(labels, hits, strict=True))
