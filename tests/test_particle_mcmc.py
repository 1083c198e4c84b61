"""Particle MCMC against quadrature and against TemperedSMC, with which it shares the filter alone."""

from __future__ import annotations

import numpy as np
import pytest
from naive.enumeration import enumerable, reporting
from test_tempered import LEARNT, by_quadrature, held_but, learn

from groundswell.errors import DataError, UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.particle_mcmc import ParticleMCMC, effective_of_chains
from groundswell.infer.target import Target
from groundswell.models.base import Account
from groundswell.rng import generator


def walked(seed: int = 1, **options) -> Fit:
    model, setting, record = enumerable()
    account = Account(model, reporting(record))
    method = ParticleMCMC(**{"draws": 500, "warm_up": 150, "filter": ParticleFilter(12), **options})
    return fit(account, setting, record, method, rng=generator(seed), fixed=held_but(account, *LEARNT))


def test_it_meets_quadrature_and_the_sampler_that_it_checks() -> None:
    model, setting, record = enumerable()
    account = Account(model, reporting(record))
    _, means = by_quadrature(account, setting, record, 9)
    found, other = walked(), learn(account, setting, record, *LEARNT)
    assert found.names == other.names == LEARNT
    worth = found.details["columns"]["ESS"]
    assert worth.min() > 80
    sd = found.details["free"].std(axis=0)
    assert found.details["free"].mean(axis=0) == pytest.approx(means, abs=4 * float((sd / np.sqrt(worth)).max()))
    assert sd == pytest.approx(other.details["free"].std(axis=0), rel=0.3)
    assert 0.05 < found.details["accepted"] < 0.5


def test_a_pilot_saves_the_way_and_processes_change_no_bit() -> None:
    model, setting, record = enumerable()
    pilot = learn(Account(model, reporting(record)), setting, record, *LEARNT, particles=100, effective=100.0)
    one, two = (walked(2, draws=50, warm_up=50, pilot=pilot, processes=count) for count in (1, 2))
    assert one.draws is not None
    assert two.draws is not None
    assert one.draws.shape == (200, 2)
    assert np.array_equal(one.draws, two.draws)
    assert one.method == two.method
    assert not one.converged
    assert any("effective draws" in note for note in one.notes)


def test_effective_draws_of_a_known_chain() -> None:
    """An autoregression with coefficient a is worth (1 - a) / (1 + a) of its length; chains apart are worth little."""
    rng, a = generator(3), 0.8
    paths = np.zeros((4, 20_000, 1))
    noise = rng.standard_normal(paths.shape)
    for n in range(1, paths.shape[1]):
        paths[:, n] = a * paths[:, n - 1] + noise[:, n]
    assert effective_of_chains(paths)[0] == pytest.approx(80_000 * 0.2 / 1.8, rel=0.1)
    assert effective_of_chains(paths + 100 * np.arange(4)[:, None, None])[0] < 10


def test_what_cannot_be_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ({"draws": 3}, {"chains": 1}, {"processes": 0}, {"warm_up": -1}):
        with pytest.raises(UsageError, match="cannot run"):
            ParticleMCMC(**wrong)
    model, setting, record = enumerable()
    with pytest.raises(UsageError, match=r"Account\(process, reporting\)"):
        fit(model, setting, record, ParticleMCMC(), rng=generator(0))
    monkeypatch.setattr(Target, "__call__", lambda *_: (-np.inf, None))
    with pytest.raises(DataError, match="no parameter values"):
        walked(draws=20, warm_up=0)
