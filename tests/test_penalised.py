"""Penalised likelihood: against dense algebra, its own conditions of optimality, and simulated truth."""

from __future__ import annotations

import dataclasses
from datetime import date
from functools import cache

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import MissingVerb, ParameterError, UsageError
from groundswell.infer.arrow import Blocks, positive
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.penalised import PenalisedLikelihood
from groundswell.models.cities.endemic_epidemic import (
    Between,
    Endemic,
    EndemicEpidemic,
    Overdispersion,
    OverdispersionByPlace,
    Within,
)
from groundswell.models.cities.weights import FirstOrder
from groundswell.models.random_effects import Correlation, RandomIntercepts
from groundswell.params import Effects, names, vector
from groundswell.rng import generator


def ring(count: int, steps: int) -> Setting:
    """Places in a ring with unequal populations."""
    adjacency = np.zeros((count, count))
    for i in range(count):
        adjacency[i, (i + 1) % count] = adjacency[(i + 1) % count, i] = 1
    population = np.round(generator(4).lognormal(11, 0.8, count))
    places = Places(tuple(f"place {i}" for i in range(count)), population)
    return Setting(places, Window(date(2015, 1, 5), steps, 7), Network(adjacency))


RANDOM = RandomIntercepts()
MODEL = EndemicEpidemic(
    Endemic(0.2, random=RANDOM),
    Within(-1.0),
    Between(-1.2, weights=FirstOrder(True), random=RANDOM),
    Overdispersion(0.3),
)


def drawn(model: EndemicEpidemic, setting: Setting, seed: int, sds: dict[str, float], corr: float = 0.0):
    """A model with intercepts drawn, and a history of it."""
    rng = generator(seed)
    model = model.prepared(setting)
    count = len(setting.places)
    normals = rng.normal(size=(2, count))
    normals[1] = corr * normals[0] + np.sqrt(1 - corr**2) * normals[1]
    changes = {}
    for row, part in zip(normals, ("endemic", "between"), strict=True):
        if part in sds:
            changes[f"{part}.random.sd"] = sds[part]
            for name, z in zip(setting.places.name, row, strict=True):
                changes[f"{part}.random.by_place.{name}"] = sds[part] * z
    model = model.replacing(changes)
    return model, model.simulate(setting, rng=rng)


def estimate(found: Fit, name: str) -> float:
    return float(found.estimate[found.names.index(name)])


def test_arrow_algebra_is_that_of_dense_matrices() -> None:
    rng = generator(2)
    size, kinds, places = 4, 2, 5
    shape = size + kinds * places
    dense = rng.normal(size=(shape, 3 * shape))
    dense = dense @ dense.T
    at = size + np.arange(kinds * places).reshape(kinds, places)
    for q in range(kinds):
        for r in range(kinds):
            block = dense[np.ix_(at[q], at[r])]
            dense[np.ix_(at[q], at[r])] = np.diag(np.diag(block))
    dense += 20 * np.eye(shape)
    blocks = Blocks(
        dense[:size, :size],
        np.array([[dense[at[q, p], :size] for q in range(kinds)] for p in range(places)]),
        np.array([[[dense[at[q, p], at[r, p]] for r in range(kinds)] for q in range(kinds)] for p in range(places)]),
    )
    gradient = rng.normal(size=shape)
    assert blocks.direction(gradient) == pytest.approx(np.linalg.solve(dense, gradient))
    reduced, _ = blocks.reduced()
    inverse = np.linalg.inv(dense)
    assert np.linalg.inv(reduced) == pytest.approx(inverse[:size, :size])
    assert blocks.covariance(np.linalg.inv(reduced)) == pytest.approx(inverse)
    log_det = np.linalg.slogdet(blocks.own)[1].sum() + np.linalg.slogdet(reduced)[1]
    assert log_det == pytest.approx(np.linalg.slogdet(dense)[1])


def test_curvature_of_the_wrong_sign_is_turned() -> None:
    turned = positive(np.diag([2.0, -3.0, 1e-9]))
    assert np.linalg.eigvalsh(turned) == pytest.approx([1e-3, 2, 3])
    assert positive(np.eye(2)) == pytest.approx(np.eye(2))


@pytest.mark.parametrize("correlated", [False, True])
def test_the_estimate_meets_both_conditions_by_dense_algebra(correlated: bool) -> None:
    """The penalised gradient is 0, and no variance near the estimate has a greater marginal density."""
    setting = ring(8, 120)
    model = dataclasses.replace(MODEL, correlation=Correlation() if correlated else None)
    _, history = drawn(MODEL, setting, 5, {"endemic": 0.7, "between": 0.5}, 0.6)
    found = fit(model, setting, history, PenalisedLikelihood(), rng=generator(0))
    assert found.converged
    at, order = found.estimate, list(found.names)
    density = found.model.likelihood(setting, history)
    random = [[order.index(name) for name in row] for row in found.model.effect_names]
    spread = [k for k, name in enumerate(order) if name.endswith(".sd") or name.startswith("correlation")]
    inner = [k for k in range(len(order)) if k not in spread]

    def covariance(values: np.ndarray) -> np.ndarray:
        sds, rho = values[:2], values[2] if correlated else 0.0
        return np.outer(sds, sds) * np.array([[1, rho], [rho, 1]])

    effects = at[np.array(random)]
    precision = np.linalg.inv(covariance(at[spread]))
    gradient = density(at)[1]
    gradient[np.array(random)] -= precision @ effects
    assert np.abs(gradient[inner]).max() < 1e-4
    assert found.log_density == pytest.approx(density(at)[0] - 0.5 * (effects * (precision @ effects)).sum())

    information = density.information(at)
    # the marginal density is on the free coordinate of psi
    psi = order.index("overdispersion.psi")
    information[psi] *= at[psi]
    information[:, psi] *= at[psi]
    information[psi, psi] -= density(at)[1][psi] * at[psi]

    def marginal(values: np.ndarray) -> float:
        matrix, full = covariance(values), information.copy()
        for q in range(2):
            for r in range(2):
                full[random[q], random[r]] += np.linalg.inv(matrix)[q, r]
        return (
            -0.5 * (effects * (np.linalg.inv(matrix) @ effects)).sum()
            - 0.5 * 8 * np.linalg.slogdet(matrix)[1]
            - 0.5 * np.linalg.slogdet(full[np.ix_(inner, inner)])[1]
        )

    best = marginal(at[spread])
    assert found.details["marginal"] == pytest.approx(best)
    for k in range(len(spread)):
        slope = [marginal(at[spread] + sign * 1e-4 * np.eye(len(spread))[k]) for sign in (1, -1)]
        assert max(slope) < best
        assert abs(slope[0] - slope[1]) / 2e-4 < 2e-3


def test_places_that_do_not_differ_have_an_sd_that_runs_to_nothing() -> None:
    setting = ring(12, 150)
    model = dataclasses.replace(MODEL, between=dataclasses.replace(MODEL.between, random=None))
    flat = dataclasses.replace(MODEL, endemic=Endemic(0.2), between=dataclasses.replace(MODEL.between, random=None))
    history = flat.simulate(setting, rng=generator(3))
    found = fit(model, setting, history, PenalisedLikelihood(), rng=generator(0))
    plain = fit(flat, setting, history, MaximumLikelihood(), rng=generator(0))
    if estimate(found, "endemic.random.sd") < 0.01:
        assert any("no more than chance" in note for note in found.notes)
        assert np.isnan(found.standard_error[found.names.index("endemic.random.sd")])
        assert estimate(found, "within.intercept") == pytest.approx(estimate(plain, "within.intercept"), abs=1e-3)
    else:
        assert estimate(found, "endemic.random.sd") < 0.15


def test_summary_shows_the_random_effects_only_on_request() -> None:
    setting = ring(6, 80)
    _, history = drawn(MODEL, setting, 1, {"endemic": 0.6, "between": 0.4})
    found = fit(MODEL, setting, history, PenalisedLikelihood(), rng=generator(0))
    assert not any("by_place" in name for name in found.summary()["parameter"])
    assert list(found.summary(effects=True)["parameter"]) == list(names(found.model))


def test_psi_by_place_is_estimated_with_the_effects_and_a_place_without_events_is_named() -> None:
    setting = ring(6, 150)
    model = dataclasses.replace(MODEL, overdispersion=OverdispersionByPlace())
    truth = dataclasses.replace(
        model, overdispersion=OverdispersionByPlace(Effects({f"place {i}": 0.1 + 0.3 * i for i in range(6)}))
    )
    _, history = drawn(truth, setting, 2, {"endemic": 0.5, "between": 0.3})
    found = fit(model, setting, history, PenalisedLikelihood(), rng=generator(0))
    assert found.converged
    psi = np.array(list(found.model.overdispersion.by_place.values()))
    assert psi[-1] > psi[0]
    quiet = np.array(history["events"])
    quiet[2] = 0
    found = fit(
        model,
        setting,
        History(setting.places, setting.window, {"events": quiet}),
        PenalisedLikelihood(),
        rng=generator(0),
    )
    assert any("not determined by the data" in note for note in found.notes)
    assert np.isnan(found.standard_error[found.names.index("overdispersion.by_place.place 2")])


def test_errors_name_the_method_to_use() -> None:
    setting = ring(5, 30)
    model, history = drawn(MODEL, setting, 1, {"endemic": 0.6, "between": 0.4})
    with pytest.raises(MissingVerb, match="Use PenalisedLikelihood or Posterior"):
        fit(MODEL, setting, history, MaximumLikelihood(), rng=generator(0))
    with pytest.raises(UsageError, match="no random effects here; use MaximumLikelihood"):
        fit(EndemicEpidemic(), setting, history, PenalisedLikelihood(), rng=generator(0))
    with pytest.raises(ParameterError, match=r"Hold the part's random\.sd"):
        fit(
            model, setting, history, PenalisedLikelihood(), rng=generator(0),
            fixed={"endemic.random.by_place.place 1": 0.0},
        )  # fmt: skip


def together(sign: float) -> History:
    """Counts whose two intercepts by place go together exactly."""
    rng = generator(11)
    normals = rng.normal(size=8)
    model = EndemicEpidemic(
        Endemic(1.0, random=RandomIntercepts(0.8, Effects({f"place {i}": z for i, z in enumerate(0.8 * normals)}))),
        Within(
            -1.2, random=RandomIntercepts(0.4, Effects({f"place {i}": sign * z for i, z in enumerate(0.4 * normals)}))
        ),
        None,
    )
    return model.simulate(ring(8, 150), rng=rng)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_correlation_that_runs_to_its_end_is_told(sign: float) -> None:
    model = EndemicEpidemic(Endemic(random=RANDOM), Within(random=RANDOM), None, correlation=Correlation())
    found = fit(model, ring(8, 150), together(sign), PenalisedLikelihood(), rng=generator(0))
    name = "correlation.by_pair.endemic-within"
    assert found.converged
    assert estimate(found, name) == pytest.approx(sign, abs=1e-3)
    assert any(note.startswith(name) and f"cannot tell it from {sign:g}" in note for note in found.notes)
    errors = dict(zip(found.names, found.standard_error, strict=True))
    assert np.isnan(errors[name])
    assert np.isfinite([errors["endemic.random.sd"], errors["within.random.sd"]]).all()


def test_collinear_columns_are_named_beside_random_effects() -> None:
    setting = ring(6, 80)
    x = generator(3).standard_normal(80)
    setting = dataclasses.replace(setting, covariates={"a": x[None], "b": 2 * x[None], "year": 2015 + x[None] / 4})
    _, history = drawn(MODEL, setting, 1, {"endemic": 0.6, "between": 0.4})
    both = dataclasses.replace(MODEL, endemic=Endemic(0.2, Effects(a=0.0, b=0.0), random=RANDOM))
    found = fit(both, setting, history, PenalisedLikelihood(), rng=generator(0))
    assert found.converged
    assert any("cannot tell endemic.effects.a and endemic.effects.b apart" in note for note in found.notes)
    one = dataclasses.replace(MODEL, endemic=Endemic(0.2, Effects(a=0.0), random=RANDOM))
    far = dataclasses.replace(MODEL, endemic=Endemic(0.2, Effects(year=0.0), random=RANDOM))
    plain, year = (fit(model, setting, history, PenalisedLikelihood(), rng=generator(0)) for model in (one, far))
    assert year.converged
    assert year.notes == plain.notes
    assert year.log_density == pytest.approx(plain.log_density, abs=1e-5)
    assert estimate(year, "endemic.effects.year") / 4 == pytest.approx(estimate(plain, "endemic.effects.a"), abs=1e-4)


def test_what_has_no_random_intercepts_to_estimate_is_refused() -> None:
    setting = ring(5, 30)
    model, history = drawn(MODEL, setting, 1, {"endemic": 0.6, "between": 0.4})
    with pytest.raises(ParameterError, match=r"endemic\.random\.sd at 0, where there are no random intercepts"):
        fit(model, setting, history, PenalisedLikelihood(), rng=generator(0), fixed={"endemic.random.sd": 0.0})
    joined = dataclasses.replace(MODEL, correlation=Correlation()).prepared(setting)
    with pytest.raises(ParameterError, match="where two intercepts are one"):
        fit(
            joined, setting, history, PenalisedLikelihood(), rng=generator(0),
            fixed={"correlation.by_pair.endemic-between": 1.0},
        )  # fmt: skip
    alone = Setting(Places(("A",), np.array([1e5])), setting.window)
    counts = History(alone.places, alone.window, {"events": np.array(history["events"])[:1]})
    with pytest.raises(UsageError, match="there is one place"):
        fit(EndemicEpidemic(Endemic(random=RANDOM)), alone, counts, PenalisedLikelihood(), rng=generator(0))


def test_an_sd_may_be_held() -> None:
    setting = ring(6, 80)
    _, history = drawn(MODEL, setting, 1, {"endemic": 0.6, "between": 0.4})
    found = fit(MODEL, setting, history, PenalisedLikelihood(), rng=generator(0), fixed={"endemic.random.sd": 0.9})
    assert estimate(found, "endemic.random.sd") == 0.9
    assert found.standard_error[found.names.index("endemic.random.sd")] == 0


def covered(setting: Setting, seeds: range) -> dict[str, int]:
    """How often 90 % intervals hold the truth."""
    model = dataclasses.replace(MODEL, correlation=Correlation())
    kept = ("endemic.intercept", "within.intercept", "between.intercept", "overdispersion.psi", "endemic.random.sd",
            "between.random.sd", "correlation.by_pair.endemic-between")  # fmt: skip
    hits = dict.fromkeys(kept, 0)
    for seed in seeds:
        truth, history = drawn(model, setting, seed, {"endemic": 0.6, "between": 0.5}, 0.5)
        truth = truth.replacing({"correlation.by_pair.endemic-between": 0.5})
        found = fit(model, setting, history, PenalisedLikelihood(), rng=generator(0))
        right = dict(zip(names(truth), vector(truth), strict=True))
        for row in found.summary().rows():
            if row["parameter"] in hits and row["low 90 %"] is not None:
                hits[row["parameter"]] += row["low 90 %"] <= right[row["parameter"]] <= row["high 90 %"]
    return hits


def test_recovery_small() -> None:
    hits = covered(ring(30, 150), range(6))
    assert all(count >= 3 for count in hits.values()), hits


BIASED = ("endemic.intercept", "within.intercept")


@cache
def covered_in_a_hundred() -> dict[str, int]:
    hits = covered(ring(40, 300), range(100))
    print(hits)
    return hits


@pytest.mark.slow
def test_recovery_of_a_hundred_draws() -> None:
    hits = covered_in_a_hundred()
    assert all(count >= 80 for name, count in hits.items() if name not in BIASED), hits


@pytest.mark.slow
@pytest.mark.xfail(strict=True, reason="effects at a mode bias both (77, 73): docs/inference.md")
def test_recovery_of_the_intercepts_that_a_mode_biases() -> None:
    hits = covered_in_a_hundred()
    assert all(hits[name] >= 80 for name in BIASED), hits


def test_standard_errors_of_variances_allow_for_the_effects_that_follow_them() -> None:
    """With few counts a place, what sds the effects have is itself in doubt: more than sd / sqrt(2 P)."""
    setting = ring(30, 60)
    _, history = drawn(MODEL, setting, 3, {"endemic": 0.6, "between": 0.5})
    found = fit(MODEL, setting, history, PenalisedLikelihood(), rng=generator(0))
    for part in ("endemic", "between"):
        at = found.names.index(f"{part}.random.sd")
        assert found.standard_error[at] > 1.1 * found.estimate[at] / np.sqrt(60)
