"""Tables of fits as papers print them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.errors import UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.coefficients import coefficients, side_by_side
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.cities.endemic_epidemic import EndemicEpidemic
from groundswell.models.cities.mobilisation import Background, Mobilisation
from groundswell.params import Effects, leaves
from groundswell.rng import generator


def fitted(model: EndemicEpidemic, history: History) -> Fit:
    _, setting = EndemicEpidemic.example()
    return fit(model, setting, history, MaximumLikelihood(), rng=generator(0))


@pytest.fixture(scope="module")
def case() -> tuple[EndemicEpidemic, History, Fit]:
    model, setting = EndemicEpidemic.example()
    history = model.simulate(setting, rng=generator(2))
    return model, history, fitted(model, history)


def row(found: Fit, part: str, term: str) -> dict:
    (one,) = [r for r in coefficients(found).rows() if (r["part"], r["term"]) == (part, term)]
    return one


def test_logs_are_shown_as_ratios_with_the_ends_of_their_intervals(case) -> None:
    _, _, found = case
    k = found.names.index("within.intercept")
    shown = row(found, "within", "intercept")
    assert shown["effect"] == pytest.approx(np.exp(found.estimate[k]))
    assert shown["low 95 %"] == pytest.approx(np.exp(found.estimate[k] - 1.959964 * found.standard_error[k]))
    assert row(found, "overdispersion", "psi")["effect"] is None


def test_a_wave_is_its_amplitude_and_peak(case) -> None:
    _, _, found = case
    s, c = (found.estimate[found.names.index(f"endemic.effects.{kind}1")] for kind in ("sin", "cos"))
    steps = np.linspace(0, 52, 520_001)
    wave = s * np.sin(2 * np.pi * steps / 52) + c * np.cos(2 * np.pi * steps / 52)
    assert row(found, "endemic", "amplitude of harmonic 1")["estimate"] == pytest.approx(wave.max())
    assert row(found, "endemic", "peak step of harmonic 1")["estimate"] == pytest.approx(steps[wave.argmax()], abs=1e-3)
    # the delta method against draws from the normal that it linearises
    at = [found.names.index(f"endemic.effects.{kind}1") for kind in ("sin", "cos")]
    narrow = found.covariance[np.ix_(at, at)] * 1e-4
    draws = generator(1).multivariate_normal(found.estimate[at], narrow, 20_000)
    spread = np.hypot(*draws.T).std() * 100
    assert row(found, "endemic", "amplitude of harmonic 1")["standard error"] == pytest.approx(spread, rel=0.03)
    turned = (np.unwrap(np.arctan2(draws[:, 0], draws[:, 1])) / (2 * np.pi) * 52).std() * 100
    assert row(found, "endemic", "peak step of harmonic 1")["standard error"] == pytest.approx(turned, rel=0.03)


def test_a_wave_whose_errors_are_not_known_has_empty_cells(case) -> None:
    """As every other row has; with and without a covariance."""
    _, _, found = case
    for covariance in (None, np.full_like(found.covariance, np.nan)):
        shown = row(dataclasses.replace(found, covariance=covariance), "endemic", "amplitude of harmonic 1")
        assert shown["standard error"] is None
        assert shown["estimate"] > 0


def test_covariates_named_like_a_wave_are_covariates_where_there_is_no_season() -> None:
    """The background of the mobilisation model has no period, so its sin1 and cos1 are the user's own columns."""
    model, setting = Mobilisation.example()
    setting = dataclasses.replace(setting, covariates={"sin1": np.arange(12.0)[None], "cos1": np.ones((1, 12))})
    waves = Background(0.05, Effects({"sin1": 0.1, "cos1": 0.0}))
    model = dataclasses.replace(model, background=waves, groups=None, organised=None)
    history = model.simulate(setting, rng=generator(1))
    held = {leaf.name: leaf.value for leaf in leaves(model) if not leaf.name.startswith("background.effects.sin")}
    found = fit(model, setting, history, MaximumLikelihood(), rng=generator(0), fixed=held)
    estimate = found.estimate[found.names.index("background.effects.sin1")]
    assert row(found, "background", "sin1")["estimate"] == estimate
    assert row(found, "background", "cos1")["estimate"] == 0


def test_models_stand_side_by_side(case) -> None:
    model, history, found = case
    without = fitted(dataclasses.replace(model, within=None), history)
    table = side_by_side({"full": found, "no momentum": without})
    rows = {r["parameter"]: r for r in table.rows()}
    assert rows["within.intercept"]["no momentum"] is None
    assert rows["within.intercept"]["full"].endswith(")")
    assert rows["AIC"]["full"] == f"{found.details['aic']:.2f}"
    assert rows["BIC"]["full"] == f"{found.details['free'] * np.log(5 * 119) - 2 * found.log_density:.2f}"
    _, setting = EndemicEpidemic.example()
    other = fitted(model, model.simulate(setting, rng=generator(3)))
    with pytest.raises(UsageError, match="fits of different data"):
        side_by_side({"one": found, "other": other})


def test_criteria_of_unlike_numbers_of_counts_are_not_set_beside_each_other(case) -> None:
    model, history, found = case
    assert found.details["observations"] == 5 * 119
    later = fitted(dataclasses.replace(model, conditioned=4), history)
    rows = {r["parameter"]: r for r in side_by_side({"one": found, "four": later}).rows()}
    assert (rows["counts weighed"]["one"], rows["counts weighed"]["four"]) == ("595", "580")
    assert "AIC" not in rows
    for name in ("AIC", "BIC"):
        row = rows[f"{name} (not comparable: give every model the same `conditioned`)"]
        assert row["one"] is None
        assert row["four"] is None
    alike = side_by_side({"one": later, "other": later})["parameter"]
    assert "counts weighed" not in alike
    assert "AIC" in alike
