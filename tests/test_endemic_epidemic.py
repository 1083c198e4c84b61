"""Endemic-epidemic counts: against a naive twin, finite differences, closed forms, and its own simulations."""

from __future__ import annotations

import dataclasses
import re
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import endemic_epidemic as naive

from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.penalised import PenalisedLikelihood
from groundswell.models.cities.endemic_epidemic import (
    MOST_EVENTS,
    Between,
    Endemic,
    EndemicEpidemic,
    Overdispersion,
    OverdispersionByPlace,
    Within,
)
from groundswell.models.cities.lags import FreeLags, GeometricLags
from groundswell.models.cities.weights import (
    DistancePowerLaw,
    Everywhere,
    FirstOrder,
    Given,
    Gravity,
    Orders,
    PowerLaw,
    Weights,
)
from groundswell.models.log_linear import harmonics
from groundswell.models.random_effects import Correlation, RandomIntercepts
from groundswell.params import Effects, from_vector, leaves, names, vector
from groundswell.rng import generator

CHAIN = Network(np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]]))
"""Hub, Near and Twin joined; Far hangs on Twin, two steps from the others."""

WEIGHTS = {
    "first order": FirstOrder(),
    "first order, normalised": FirstOrder(normalised=True),
    "power law": PowerLaw(1.3),
    "power law, one step, raw": PowerLaw(1.3, furthest=1, normalised=False),
    "orders": Orders(Effects({"2": -0.7})),
    "everywhere": Everywhere(),
    "distance": DistancePowerLaw(1.8, scale_km=30.0),
    "gravity": Gravity(0.6, 1.8, scale_km=30.0),
    "gravity, raw": Gravity(0.6, 1.8, scale_km=30.0, normalised=False),
    "given": Given(((0.0, 0.5, 0.1, 0.0), (0.2, 0.1, 0.0, 0.0), (0.0, 0.3, 0.0, 0.9), (0.0, 0.0, 0.0, 0.0))),
}


def country(lopsided: Places, steps: int = 12) -> Setting:
    rng = generator(5)
    covariates = {
        "seats": np.array([0.4, 1.0, 0.2, 0.7]),
        "strike": (np.arange(steps) % 3 == 0).astype(float),
        "price": rng.normal(size=(4, steps)),
        "exposed": rng.uniform(0.5, 2.0, size=(4, steps)),
    }
    return Setting(lopsided, Window(date(2020, 1, 6), steps, 7), CHAIN, covariates)


def full(weights: Weights, psi: float | None = 0.6) -> EndemicEpidemic:
    """Every kind of column in every part, so that each takes its own way through the loops."""
    return EndemicEpidemic(
        Endemic(0.4, Effects({"trend": 0.02, "sin1": 0.3, "cos2": -0.2, "seats": 0.5}), "exposed", 6),
        Within(-0.8, Effects({"strike": 0.3, "price": -0.1})),
        Between(-1.4, Effects({"log(population_share)": 0.3, "price": 0.2}), "exposed", weights=weights),
        None if psi is None else Overdispersion(psi),
    )


def random(sd: float, *values: float) -> RandomIntercepts:
    return RandomIntercepts(sd, Effects(dict(zip(("Hub", "Near", "Twin", "Far"), values, strict=True))))


BY_PLACE = OverdispersionByPlace(Effects({"Hub": 0.2, "Near": 0.9, "Twin": 0.5, "Far": 1.4}))
RICH = {
    "geometric lags within": lambda m: part(m, "within", lags=GeometricLags(0.5, steps=3)),
    "free lags between": lambda m: part(m, "between", lags=FreeLags(Effects({"2": -0.4, "3": -1.1}))),
    "both, of different length": lambda m: part(
        part(m, "within", lags=FreeLags(Effects({"2": -0.9}))), "between", lags=GeometricLags(0.3, steps=4)
    ),
    "more steps conditioned on": lambda m: dataclasses.replace(m, conditioned=5),
    "random intercepts": lambda m: part(
        part(m, "endemic", random=random(0.5, 0.3, -0.2, 0.6, -0.5)), "between", random=random(0.7, -0.4, 0.1, 0.2, 0.8)
    ),
    "psi by place": lambda m: dataclasses.replace(m, overdispersion=BY_PLACE),
    "all of it": lambda m: dataclasses.replace(
        part(
            part(
                part(m, "endemic", random=random(0.5, 0.3, -0.2, 0.6, -0.5)),
                "within",
                random=random(0.3, 0.1, 0.0, -0.2, 0.3),
                lags=GeometricLags(0.4, steps=3),
            ),
            "between",
            random=random(0.7, -0.4, 0.1, 0.2, 0.8),
            lags=FreeLags(Effects({"2": -0.4})),
        ),
        overdispersion=BY_PLACE,
        correlation=Correlation(Effects({"endemic-within": 0.3, "endemic-between": -0.2, "within-between": 0.4})),
    ),
}
"""What enlarges a full model, one by one and together."""


def part(model: EndemicEpidemic, name: str, **changes: object) -> EndemicEpidemic:
    return dataclasses.replace(model, **{name: dataclasses.replace(getattr(model, name), **changes)})


def of(setting: Setting, counts: np.ndarray) -> History:
    return History(setting.places, setting.window, {"events": np.asarray(counts, dtype=float)})


def some_counts(setting: Setting, kind: str) -> np.ndarray:
    counts = np.zeros(setting.shape)
    if kind == "random":
        return generator(3).negative_binomial(0.7, 0.2, size=setting.shape).astype(float)
    if kind == "single":
        counts[2, 4] = 1
    if kind == "single, first step":
        counts[0, 0] = 3
    return counts


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("kind", ["random", "empty", "single", "single, first step"])
@pytest.mark.parametrize("psi", [None, 0.6, 1e-6])
def test_log_density_is_that_of_the_naive_twin(
    weights: Weights, kind: str, psi: float | None, lopsided: Places
) -> None:
    setting, model = country(lopsided), full(weights, psi)
    history = of(setting, some_counts(setting, kind))
    # the twin's own log-gamma differences lose eight digits at psi = 1e-6
    assert model.log_density(setting, history) == pytest.approx(
        naive.log_density(model, setting, history), rel=1e-11 if psi != 1e-6 else 1e-6, abs=1e-10
    )


@pytest.mark.parametrize("without", ["within", "between", "overdispersion"])
def test_a_part_left_out_agrees_with_the_twin(without: str, lopsided: Places) -> None:
    setting = country(lopsided)
    model = dataclasses.replace(full(PowerLaw(2.0)), **{without: None})
    history = of(setting, some_counts(setting, "random"))
    assert model.log_density(setting, history) == pytest.approx(naive.log_density(model, setting, history), rel=1e-11)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("psi", [None, 0.6, 5e-5])
def test_gradient_in_every_parameter_is_the_finite_difference(
    weights: Weights, psi: float | None, lopsided: Places
) -> None:
    setting, model = country(lopsided), full(weights, psi)
    density = model.likelihood(setting, of(setting, some_counts(setting, "random")))
    at = vector(model)
    _, gradient = density(at)
    for k, name in enumerate(names(model)):
        step = np.eye(len(at))[k] * 1e-5
        slope = (density(at + step)[0] - density(at - step)[0]) / 2e-5
        assert gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-6), name


@pytest.mark.parametrize("change", RICH.values(), ids=RICH)
@pytest.mark.parametrize("weights", [PowerLaw(1.3), FirstOrder()], ids=["power law", "first order"])
def test_lags_random_intercepts_and_psi_by_place_agree_with_the_twin(change, weights, lopsided: Places) -> None:
    setting, model = country(lopsided), change(full(weights))
    for kind in ("random", "single"):
        history = of(setting, some_counts(setting, kind))
        assert model.log_density(setting, history) == pytest.approx(
            naive.log_density(model, setting, history), rel=1e-11
        )
    counts = model.simulate(setting, rng=generator(8))["events"]
    assert np.array_equal(counts, naive.simulate(model, setting, generator(8)))
    assert counts.sum() > 20


@pytest.mark.parametrize("change", RICH.values(), ids=RICH)
def test_gradient_of_the_rich_models_is_the_finite_difference(change, lopsided: Places) -> None:
    setting, model = country(lopsided), change(full(Gravity(0.6, 1.8, scale_km=30.0)))
    density, at = model.likelihood(setting, of(setting, some_counts(setting, "random"))), vector(model)
    _, gradient = density(at)
    for k, name in enumerate(names(model)):
        step = np.eye(len(at))[k] * 1e-5
        slope = (density(at + step)[0] - density(at - step)[0]) / 2e-5
        assert gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-6), name


@pytest.mark.parametrize(
    "model",
    [full(weights, psi) for weights in WEIGHTS.values() for psi in (None, 0.6, 5e-5, 1e-9)]
    + [change(full(Gravity(0.6, 1.8, scale_km=30.0))) for change in RICH.values()]
    + [RICH["all of it"](full(Orders(Effects({"2": -0.7})), None))],
)
def test_information_is_the_finite_difference_of_the_gradient(model: EndemicEpidemic, lopsided: Places) -> None:
    setting = country(lopsided)
    density, at = model.likelihood(setting, of(setting, some_counts(setting, "random"))), vector(model)
    information = density.information(at)
    assert np.array_equal(information, information.T)
    for k, name in enumerate(names(model)):
        width = 1e-5 if at[k] == 0 or abs(at[k]) > 1e-3 else 1e-3 * abs(at[k])
        step = np.eye(len(at))[k] * width
        slope = -(density(at + step)[1] - density(at - step)[1]) / (2 * width)
        # a difference of psi near 0 has few digits
        loose = 2e-3 if name == "overdispersion.psi" and at[k] < 1e-3 else 1e-6
        assert information[k] == pytest.approx(slope, rel=loose, abs=loose * (1 + abs(slope).max())), name


def test_a_rate_may_be_stated_in_whole_numbers(lopsided: Places) -> None:
    setting = country(lopsided)
    effects, random_ = Effects({"sin1": 0.4}), random(0.5, 0.3, -0.2, 0.6, -0.5)
    whole, broken = (Endemic(one, effects, period=7, random=random_) for one in (1, 1.0))
    assert np.array_equal(whole.rate(setting), broken.rate(setting))


def test_a_single_place_may_have_an_overdispersion_and_a_random_intercept_of_its_own() -> None:
    setting = Setting(Places.single(2e5, "Hub"), Window(date(2020, 1, 6), 60, 7))
    own = RandomIntercepts(0.5, Effects(Hub=0.3))
    model = EndemicEpidemic(Endemic(1.0, random=own), Within(-1.0), None, OverdispersionByPlace(Effects(Hub=0.4)))
    history = model.simulate(setting, rng=generator(1))
    for each in (model, dataclasses.replace(model, endemic=Endemic(1.0))):
        density, at = each.likelihood(setting, history), vector(each)
        shared = dataclasses.replace(each, overdispersion=Overdispersion(0.4)).likelihood(setting, history)
        # the one psi stands last, so it changes places with no other parameter
        assert density.information(at) == pytest.approx(shared.information(at), rel=1e-12)
        assert density.arrow(at).dense(len(at)) == pytest.approx(shared.information(at), rel=1e-12)
    found = fit(model, setting, history, PenalisedLikelihood(), rng=generator(0), fixed={"endemic.random.sd": 0.5})
    assert found.converged


def test_a_model_is_prepared_for_the_places_of_a_setting(lopsided: Places) -> None:
    setting = country(lopsided)
    model = EndemicEpidemic(
        Endemic(random=RandomIntercepts(0.4, Effects({"Twin": 0.7}))),
        Within(random=RandomIntercepts()),
        overdispersion=OverdispersionByPlace(),
        correlation=Correlation(),
    )
    ready = model.prepared(setting)
    assert ready.endemic.random == random(0.4, 0.0, 0.0, 0.7, 0.0)
    assert ready.correlation == Correlation(Effects({"endemic-within": 0.0}))
    assert list(ready.overdispersion.by_place) == list(lopsided.name)
    assert ready.prepared(setting) == ready
    with pytest.raises(DataError, match=r'know 1 places and not "Hub"[\s\S]*prepared'):
        model.log_density(setting, of(setting, some_counts(setting, "random")))
    with pytest.raises(DataError, match=r'knows 0 places and not "Hub"[\s\S]*prepared'):
        EndemicEpidemic(overdispersion=OverdispersionByPlace()).simulate(setting, rng=generator(1))
    with pytest.raises(UsageError, match="at least two parts"):
        EndemicEpidemic(Endemic(random=RandomIntercepts()), correlation=Correlation())
    with pytest.raises(UsageError, match="the longest lag"):
        EndemicEpidemic(within=Within(lags=GeometricLags(steps=4)), conditioned=3)


def test_the_eigenvalue_with_lags_is_the_growth_of_a_long_run(lopsided: Places) -> None:
    """Means iterated from one event grow by the dominant eigenvalue a step."""
    setting = country(lopsided, 400)
    model = EndemicEpidemic(
        Endemic(-20.0),
        Within(-0.3, lags=GeometricLags(0.6, steps=4)),
        Between(-1.0, weights=PowerLaw(1.3), lags=FreeLags(Effects({"2": 0.5, "3": 0.2}))),
    )
    counts = np.zeros(setting.shape)
    counts[0, 0] = 1e-30
    passed_on, means = model.between.weights.matrix(setting).T, counts.copy()
    own, others = model.within.lags.weights(), model.between.lags.weights()
    for t in range(1, 400):
        for lag, weight in enumerate(own[: min(t, 4)], start=1):
            means[:, t] += np.exp(-0.3) * weight * means[:, t - lag]
        for lag, weight in enumerate(others[: min(t, 3)], start=1):
            means[:, t] += np.exp(-1.0) * weight * passed_on @ means[:, t - lag]
    growth = means[:, -1].sum() / means[:, -2].sum()
    assert model.dominant_eigenvalue(setting)[0] == pytest.approx(growth, rel=1e-9)
    assert growth > 1


def test_harmonics_and_zero_effects_state_a_seasonal_model() -> None:
    assert Effects.zero("trend", *harmonics(2)) == Effects(
        {"trend": 0.0, "sin1": 0.0, "cos1": 0.0, "sin2": 0.0, "cos2": 0.0}
    )


def test_the_slope_in_psi_is_continuous_down_to_poisson(lopsided: Places) -> None:
    setting, model = country(lopsided), full(FirstOrder())
    history = of(setting, some_counts(setting, "random"))
    density = model.likelihood(setting, history)
    found = {}
    for psi in (0.0, 1e-12, 1e-8, 0.99e-4, 1.01e-4):
        found[psi] = density(vector(model.replacing({"overdispersion.psi": psi})))
    poisson = dataclasses.replace(model, overdispersion=None)
    assert found[0.0][0] == pytest.approx(poisson.log_density(setting, history), rel=1e-14)
    assert found[1e-12][0] == pytest.approx(found[0.0][0], abs=1e-8)
    assert found[1e-8][1][-1] == pytest.approx(found[0.0][1][-1], rel=1e-4)
    # across the change of method the step of 2e-6 accounts for the difference
    rise = (found[1.01e-4][0] - found[0.99e-4][0]) / 2e-6
    assert rise == pytest.approx((found[1.01e-4][1][-1] + found[0.99e-4][1][-1]) / 2, rel=1e-5)


def test_without_an_epidemic_part_counts_are_independent_poisson(lopsided: Places) -> None:
    from scipy.stats import poisson

    setting = Setting(lopsided, Window(date(2020, 1, 1), 30))
    model = EndemicEpidemic(Endemic(0.3), within=None, between=None, overdispersion=None)
    history = model.simulate(setting, rng=generator(1))
    expected = poisson(np.exp(0.3)).logpmf(history["events"][:, 1:]).sum()
    assert model.log_density(setting, history) == pytest.approx(expected, rel=1e-12)


@given(order=st.permutations(range(4)), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_renaming_and_reordering_places_changes_nothing(order: list[int], seed: int) -> None:
    places = Places(("a", "b", "c", "d"), np.array([9.0, 2.0, 5.0, 1.0]))
    window = Window(date(2020, 1, 6), 8, 7)
    counts = generator(seed).poisson(1.5, size=(4, 8)).astype(float)
    model = EndemicEpidemic(Endemic(offset="population_share"), Within(), Between(weights=PowerLaw()))
    there = Setting(places, window, CHAIN)
    shuffled = Places(tuple("wxyz"), places.population[order])
    back = Setting(shuffled, window, Network(CHAIN.adjacency[np.ix_(order, order)]))
    assert model.log_density(there, of(there, counts)) == pytest.approx(
        model.log_density(back, of(back, counts[order])), rel=1e-12
    )


@pytest.mark.parametrize("psi", [None, 0.6])
def test_simulation_is_that_of_the_naive_twin_draw_by_draw(psi: float | None, lopsided: Places) -> None:
    setting, model = country(lopsided), full(Orders(Effects({"2": -0.7})), psi)
    counts = model.simulate(setting, rng=generator(8))["events"]
    assert np.array_equal(counts, naive.simulate(model, setting, generator(8)))
    assert counts.sum() > 20


def test_simulation_continues_from_what_is_given(lopsided: Places) -> None:
    setting, model = country(lopsided), full(FirstOrder())
    known = of(setting, some_counts(setting, "random")).during(5)
    history = model.simulate(setting, rng=generator(2), given=known)
    assert np.array_equal(history["events"][:, :5], known["events"])
    first = np.mean(
        [model.simulate(setting.during(6), rng=rng, given=known)["events"][:, 5] for rng in generator(4).spawn(3000)],
        axis=0,
    )
    expected = model.intensity(setting.during(6), of(setting.during(6), np.pad(known["events"], ((0, 0), (0, 1)))))[
        :, 5
    ]
    error = np.sqrt(expected * (1 + 0.6 * expected) / 3000)
    assert (np.abs(first - expected) < 4 * error).all()


def test_paths_are_simulations_all_at_once(lopsided: Places) -> None:
    setting, model = country(lopsided), full(PowerLaw(1.0))
    known = of(setting, some_counts(setting, "random")).during(7)
    one = model.paths(setting, known, draws=1, rng=generator(6))
    assert np.array_equal(one[0], model.simulate(setting, rng=generator(6), given=known)["events"][:, 7:])
    assert model.paths(setting, known, draws=9, rng=generator(6)).shape == (9, 4, 5)


def test_the_first_step_is_the_named_places_or_endemic(lopsided: Places) -> None:
    setting, model = country(lopsided), full(FirstOrder())
    named = dataclasses.replace(setting, active_on_day0=("Near", "Far"))
    assert model.simulate(named, rng=generator(1))["events"][:, 0].tolist() == [0, 1, 0, 1]
    drawn = [model.simulate(setting.during(2), rng=rng)["events"][:, 0] for rng in generator(1).spawn(2000)]
    endemic = model.endemic.rate(setting)[:, 0]
    error = np.sqrt(endemic * (1 + 0.6 * endemic) / 2000)
    assert (np.abs(np.mean(drawn, axis=0) - endemic) < 4 * error).all()


def test_an_exploding_draw_is_ended_and_flagged(lopsided: Places) -> None:
    setting = Setting(lopsided, Window(date(2020, 1, 1), 200))
    model = EndemicEpidemic(Endemic(2.0), Within(1.0))
    history = model.simulate(setting, rng=generator(1))
    assert history.exploded
    assert np.isfinite(history["events"]).all()
    assert history["events"].sum(axis=0).max() < 3 * MOST_EVENTS
    assert model.remarks(setting)
    assert "2.72" in model.remarks(setting)[0]


def test_gradient_and_residuals_average_zero_at_the_true_parameters(lopsided: Places) -> None:
    setting, model = country(lopsided), full(PowerLaw(1.3))
    gradients, residuals = [], []
    for rng in generator(21).spawn(400):
        history = model.simulate(setting, rng=rng)
        gradients.append(model.likelihood(setting, history)(vector(model))[1])
        residuals.append((history["events"] - model.intensity(setting, history)).sum(axis=1))
    for values in (np.array(gradients), np.array(residuals)):
        z = values.mean(axis=0) / (values.std(axis=0) / np.sqrt(len(values)))
        assert (np.abs(z) < 4).all(), z


def test_the_mean_is_the_sum_of_its_parts(lopsided: Places) -> None:
    setting, model = country(lopsided), full(WEIGHTS["given"])
    counts = some_counts(setting, "random")
    parts = model.decomposition(setting, of(setting, counts))
    assert list(parts) == ["endemic", "within", "between"]
    weights = naive.matrix(model.between.weights, setting)  # type: ignore[union-attr]
    for place in range(4):
        for step in range(12):
            assert sum(part[place, step] for part in parts.values()) == pytest.approx(
                naive.mean(model, setting, counts, place, step, weights), rel=1e-12
            )
    assert np.array_equal(model.intensity(setting, of(setting, counts)), sum(parts.values()))


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_are_those_of_the_naive_twin(weights: Weights, lopsided: Places) -> None:
    setting = country(lopsided)
    assert np.allclose(weights.matrix(setting), naive.matrix(weights, setting), rtol=1e-12)
    if weights.normalised:
        assert np.allclose(weights.matrix(setting).sum(axis=1), 1)


def test_a_place_without_neighbours_keeps_a_zero_row(lopsided: Places) -> None:
    alone = Network(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]))
    setting = dataclasses.replace(country(lopsided), network=alone)
    for weights in (PowerLaw(1.5), FirstOrder(normalised=True)):
        assert weights.matrix(setting)[3].tolist() == [0, 0, 0, 0]
        model = full(weights)
        history = of(setting, some_counts(setting, "random"))
        assert model.log_density(setting, history) == pytest.approx(
            naive.log_density(model, setting, history), rel=1e-11
        )


def test_dominant_eigenvalue_by_hand() -> None:
    places = Places(("a", "b"), np.array([1.0, 1.0]))
    setting = Setting(places, Window(date(2020, 1, 1), 3), Network(np.array([[0, 1], [1, 0]])), {"x": [0.0, 0.0, 1.0]})
    model = EndemicEpidemic(Endemic(), Within(np.log(0.3), Effects(x=np.log(2))), Between(np.log(0.2)))
    # both places alike: the eigenvalue is what one event brings forth in all
    assert model.dominant_eigenvalue(setting) == pytest.approx([0.5, 0.5, 0.8])
    assert EndemicEpidemic(within=None).dominant_eigenvalue(setting) == pytest.approx([0, 0, 0])


BAD_COUNTS = [("0.5", 0.5), ("-1", -1.0), ("nan", np.nan), ("inf", np.inf)]


@pytest.mark.parametrize(("shown", "value"), BAD_COUNTS, ids=[shown for shown, _ in BAD_COUNTS])
def test_counts_must_be_whole_numbers(shown: str, value: float, lopsided: Places) -> None:
    setting, model = country(lopsided), full(FirstOrder())
    counts = some_counts(setting, "random")
    counts[1, 7] = value
    where = f'events in "{lopsided.name[1]}" on {setting.window.dates()[7]} is {shown}'
    with pytest.raises(DataError, match=rf"{re.escape(where)}; expected a whole number"):
        model.likelihood(setting, of(setting, counts))


def test_errors_name_what_is_missing(lopsided: Places) -> None:
    setting = country(lopsided)
    history = of(setting, some_counts(setting, "random"))

    def tried(model: EndemicEpidemic, where: Setting = setting) -> None:
        model.likelihood(where, history)

    with pytest.raises(DataError, match=r'effect "seat" is no covariate.*Nearest name: "seats"'):
        tried(EndemicEpidemic(Endemic(effects=Effects(seat=0.0))))
    with pytest.raises(DataError, match='offset "people" is no covariate'):
        tried(EndemicEpidemic(Endemic(offset="people")))
    with pytest.raises(DataError, match='offset "price" is negative'):
        tried(EndemicEpidemic(Endemic(offset="price")))
    with pytest.raises(UsageError, match=r'"sin1" needs a period'):
        tried(EndemicEpidemic(Endemic(effects=Effects({"sin1": 0.0}))))
    with pytest.raises(DataError, match="logarithm of values that are not above 0"):
        tried(EndemicEpidemic(Endemic(effects=Effects({"log(strike)": 0.0}))))
    with pytest.raises(DataError, match=r"FirstOrder weights need Setting\.network"):
        tried(EndemicEpidemic(between=Between()), dataclasses.replace(setting, network=None))
    clash = dataclasses.replace(setting, covariates={"trend": np.ones(12)})
    with pytest.raises(DataError, match="names a column of time; rename"):
        tried(EndemicEpidemic(Endemic(effects=Effects(trend=0.0))), clash)
    with pytest.raises(DataError, match="the setting 5; expected the same"):
        EndemicEpidemic().likelihood(setting.during(5), history)
    with pytest.raises(DataError, match="none has a density"):
        EndemicEpidemic().likelihood(setting.during(1), history.during(1))
    with pytest.raises(UsageError, match="orders from 2 on without a gap"):
        Orders(Effects({"3": -1.0}))
    with pytest.raises(DataError, match="sender by row"):
        Given(((0.0, 1.0),))
    with pytest.raises(DataError, match="negative or missing weight"):
        Given(((0.0, -1.0), (1.0, 0.0)))
    with pytest.raises(UsageError, match="above 0 km"):
        DistancePowerLaw(scale_km=0.0)


def test_events_that_no_part_can_bring_forth_are_an_error_with_place_and_step(lopsided: Places) -> None:
    setting = country(lopsided)
    nobody = dataclasses.replace(setting, covariates={"people": np.array([1.0, 1.0, 0.0, 1.0])})
    counts = np.zeros(setting.shape)
    counts[2, 4] = 1
    with pytest.raises(DataError, match='"Twin" has 1 events at step 4, where every part of the mean is 0'):
        EndemicEpidemic(Endemic(offset="people")).likelihood(nobody, of(setting, counts))
    # a neighbour's events can bring them forth
    counts[1, 3] = 1
    model = EndemicEpidemic(Endemic(offset="people"), None, Between(weights=PowerLaw()))
    assert np.isfinite(model.log_density(nobody, of(setting, counts)))


def test_a_disconnected_map_is_fitted_and_nothing_crosses_it(lopsided: Places) -> None:
    apart = Network(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]))
    setting = dataclasses.replace(country(lopsided, 150), network=apart)
    model = EndemicEpidemic(Endemic(-0.5), Within(-1.0), Between(-1.0, weights=PowerLaw(1.0)))
    weights = model.between.weights.matrix(setting)
    assert (weights[:2, 2:] == 0).all()
    assert weights.sum(axis=1) == pytest.approx(1)
    found = fit(model, setting, model.simulate(setting, rng=generator(1)), MaximumLikelihood(), rng=generator(0))
    # every place reaches one other: the decay has nothing to act on, and the fit says so
    assert np.isfinite(found.standard_error[found.names.index("between.intercept")])
    assert any("between.weights.decay is not determined" in note for note in found.notes)


def test_collinear_covariates_are_named_and_get_no_standard_error(lopsided: Places) -> None:
    setting = country(lopsided, 150)
    same = {**setting.covariates, "again": 2 * setting.covariates["price"] + 1}
    setting = dataclasses.replace(setting, covariates=same)
    model = EndemicEpidemic(Endemic(0.2, Effects(price=0.3, again=0.0)), Within(-1.0))
    found = fit(model, setting, model.simulate(setting, rng=generator(1)), MaximumLikelihood(), rng=generator(0))
    assert any("endemic.effects.price" in note and "endemic.effects.again" in note for note in found.notes)
    assert np.isnan(found.standard_error[found.names.index("endemic.effects.again")])
    assert np.isfinite(found.standard_error[found.names.index("within.intercept")])


def test_explosive_estimates_are_said_to_be(lopsided: Places) -> None:
    setting = dataclasses.replace(country(lopsided, 60), active_on_day0=("Hub",))
    model = EndemicEpidemic(Endemic(-1.0), Within(0.08), overdispersion=None)
    found = fit(model, setting, model.simulate(setting, rng=generator(2)), MaximumLikelihood(), rng=generator(0))
    assert any("The dominant eigenvalue reaches 1.0" in note for note in found.notes)


def test_places_without_events_are_fitted_like_others(lopsided: Places) -> None:
    setting = dataclasses.replace(country(lopsided, steps=80), covariates={})
    model = EndemicEpidemic(Endemic(offset="population_share"), Within(), Between())
    counts = model.replacing({"endemic.intercept": 2.0}).simulate(setting, rng=generator(4))["events"]
    counts[3] = 0
    found = fit(model, setting, of(setting, counts), MaximumLikelihood(), rng=generator(0))
    assert found.converged
    assert np.isfinite(found.standard_error).all()


def prior_draw(model: EndemicEpidemic, rng: np.random.Generator) -> EndemicEpidemic:
    """Every parameter from its prior: normal on the free coordinate."""
    values = []
    for leaf in leaves(model):
        assert leaf.prior is not None
        values.append(leaf.from_free(rng.normal(leaf.to_free(leaf.prior.median), leaf.prior.sd)))
    return from_vector(model, values)


def recovery_case() -> tuple[EndemicEpidemic, Setting]:
    """Forty places on a grid of 8 by 5, 400 weeks: enough orders and counts to tell the reach of diffusion."""
    across, down = 8, 5
    adjacency = np.zeros((40, 40))
    for i in range(40):
        if i % across < across - 1:
            adjacency[i, i + 1] = adjacency[i + 1, i] = 1
        if i < across * (down - 1):
            adjacency[i, i + across] = adjacency[i + across, i] = 1
    rng = generator(77)
    places = Places(tuple(f"place {i}" for i in range(40)), rng.uniform(1e4, 1e6, 40))
    setting = Setting(places, Window(date(2012, 1, 2), 400, 7), Network(adjacency), {"hardship": rng.normal(size=40)})
    effects = Effects({"sin1": 0.0, "cos1": 0.0, "hardship": 0.0})
    model = EndemicEpidemic(Endemic(effects=effects, period=52), Within(), Between(weights=PowerLaw()))
    return model, setting


def test_prior_draws_are_sane() -> None:
    model, setting = recovery_case()
    draws = [prior_draw(model, rng) for rng in generator(5).spawn(200)]
    growth = np.array([draw.dominant_eigenvalue(setting)[0] for draw in draws])
    assert np.mean(growth < 1) > 0.95
    totals = [draw.simulate(setting, rng=generator(9))["events"].mean() for draw in draws[:50]]
    assert 0.05 < np.median(totals) < 20


def coverage(draws: int) -> tuple[tuple[str, ...], np.ndarray, int]:
    """How often the 90 % Wald interval holds the truth, by parameter, and how many fits converged.

    A draw whose dominant eigenvalue is 1 or more, some 2 % of them, is drawn again: its counts explode.
    """
    model, setting = recovery_case()
    hits = np.zeros(len(names(model)))
    converged = 0
    for rng in generator(2024).spawn(draws):
        truth = prior_draw(model, rng)
        while truth.dominant_eigenvalue(setting)[0] >= 1:
            truth = prior_draw(model, rng)
        history = truth.simulate(setting, rng=rng)
        assert not history.exploded
        found = fit(model, setting, history, MaximumLikelihood(), rng=rng)
        converged += found.converged
        # an interval that is not determined holds nothing
        hits += np.abs(found.estimate - vector(truth)) <= 1.6448536 * found.standard_error
    return names(model), hits, converged


def test_recovery_small() -> None:
    _, hits, converged = coverage(12)
    assert converged == 12
    # 96 intervals, not independent: binomial(96, .9) leaves this range with probability below .001
    assert 76 <= hits.sum() <= 95


@pytest.mark.slow
def test_recovery_of_a_hundred_prior_draws() -> None:
    """90 % intervals cover 83 to 96 times of 100, for every parameter."""
    labels, hits, converged = coverage(100)
    print(*(f"{label}: {int(hit)}" for label, hit in zip(labels, hits, strict=True)), sep="\n")
    assert converged == 100
    assert ((hits >= 83) & (hits <= 96)).all(), dict(zip(labels, hits, strict=True))
