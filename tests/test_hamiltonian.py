"""Hamiltonian draws: posteriors with known answers, and what is said where the method fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from datetime import date
from typing import ClassVar

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import MissingVerb, ParameterError, UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.hamiltonian import Hamiltonian, split_rhat
from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.base import Likelihood, Model
from groundswell.params import Prior, param
from groundswell.rng import generator

SETTING = Setting(Places.single(), Window(date(2024, 1, 1), 3))
NOTHING = History(SETTING.places, SETTING.window, {"events": np.zeros(SETTING.shape)})


@dataclass(frozen=True)
class Surface(Model):
    """A log density of one's own in a rate and a share, to test the method apart from any data."""

    rate: float = param("1/day", low=0, prior=Prior(2.0, 0.7), doc="0 or more")
    share: float = param("1", low=0, high=1, prior=Prior(0.3, 1.0), doc="between 0 and 1")
    shift: float = param("1", prior=Prior(0.0, 2.0), doc="on the whole line")

    value: ClassVar[Callable[[np.ndarray], tuple[float, np.ndarray]]]

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        return type(self).value


def surface(value: Callable[[np.ndarray], tuple[float, np.ndarray]]) -> Surface:
    return make_dataclass("Surface", [], bases=(Surface,), frozen=True, namespace={"value": staticmethod(value)})()


def counts(v: np.ndarray) -> tuple[float, np.ndarray]:
    """Seven events in three days, four of them of a kind, and a measurement of 1 with error .5."""
    rate, share, shift = v
    value = 7 * np.log(rate) - 3 * rate + 4 * np.log(share) + 3 * np.log1p(-share) - 2 * (shift - 1) ** 2
    return value, np.array([7 / rate - 3, 4 / share - 3 / (1 - share), -4 * (shift - 1)])


def drawn(model: Surface, draws: int = 400, **options: object) -> Fit:
    return fit(model, SETTING, NOTHING, Hamiltonian(draws=draws), rng=generator(1), **options)  # type: ignore[arg-type]


def test_moments_are_those_of_quadrature() -> None:
    found = drawn(surface(counts), draws=4000)
    assert found.converged
    assert found.details["accepted"] > 0.6
    free = np.linspace(-12, 12, 20001)
    rate, share = np.exp(free), 1 / (1 + np.exp(-free))
    weights = [
        np.exp(7 * free - 3 * rate - (free - np.log(2)) ** 2 / (2 * 0.49)),
        share**4 * (1 - share) ** 3 * np.exp(-((free - np.log(3 / 7)) ** 2) / 2),
        np.exp(-2 * (free - 1) ** 2 - free**2 / 8),
    ]
    for k, (values, weight) in enumerate(zip((rate, share, free), weights, strict=True)):
        weight = weight / weight.sum()
        mean = weight @ values
        sd = np.sqrt(weight @ (values - mean) ** 2)
        assert found.estimate[k] == pytest.approx(mean, abs=0.08 * sd)
        assert found.standard_error[k] == pytest.approx(sd, rel=0.08)


def test_the_same_seed_gives_the_same_draws() -> None:
    first, second = drawn(surface(counts)), drawn(surface(counts))
    assert first.draws is not None
    assert second.draws is not None
    assert np.array_equal(first.draws, second.draws)


def test_a_held_parameter_stays() -> None:
    found = drawn(surface(counts), fixed={"rate": 1.5})
    assert found.draws is not None
    assert (found.draws[:, 0] == 1.5).all()
    assert found.standard_error[0] == 0
    assert found.standard_error[1] > 0


def test_all_held_is_no_search() -> None:
    found = drawn(surface(counts), fixed={"rate": 1.5, "share": 0.5, "shift": 0.0})
    assert found.converged
    assert found.log_density == pytest.approx(counts(np.array([1.5, 0.5, 0.0]))[0])


def test_chains_that_stay_apart_are_flagged() -> None:
    noise = generator(1).normal(size=(4, 200, 3))
    assert (split_rhat(noise) < 1.03).all()
    apart = split_rhat(noise + 3 * np.arange(4)[:, None, None])
    assert (apart > 2).all()
    drift = split_rhat(noise + np.linspace(0, 5, 200)[:, None])  # halves of one chain differ
    assert (drift > 1.3).all()


def ridge(v: np.ndarray) -> tuple[float, np.ndarray]:
    """A funnel: the spread of `shift` is exp(10 log rate), which no one step length fits."""
    scale = 10 * np.log(v[0])
    value = -0.5 * v[2] ** 2 * np.exp(-scale) - 0.5 * scale
    return value, np.array([(0.5 * v[2] ** 2 * np.exp(-scale) - 0.5) * 10 / v[0], 0.0, -v[2] * np.exp(-scale)])


def test_a_posterior_far_from_normal_is_said_so() -> None:
    found = fit(surface(ridge), SETTING, NOTHING, Hamiltonian(draws=400), rng=generator(1))
    assert not found.converged
    assert found.status.startswith("Not converged")
    assert "far from normal" in found.notes[0]


def test_what_cannot_be_drawn_is_refused() -> None:
    @dataclass(frozen=True)
    class Bare(Surface):
        bare: float = param("1", default=1.0, doc="without a prior")

        def likelihood(self, setting: Setting, history: History) -> Likelihood:
            return lambda v: (0.0, np.zeros(4))

    with pytest.raises(ParameterError, match="bare has no prior"):
        drawn(Bare())
    with pytest.raises(UsageError, match="not finite at the starting values rate"):
        drawn(surface(lambda v: (-np.inf, np.zeros(3))))
    with pytest.raises(UsageError, match="2 or more chains"):
        Hamiltonian(chains=1)
    model, setting = CivilViolence.example()
    with pytest.raises(MissingVerb, match="Hamiltonian needs"):
        fit(model, setting, NOTHING, Hamiltonian(), rng=generator(1))
