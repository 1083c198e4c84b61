"""Simulation-based calibration of the posterior given claims: records made by the model, their truth found again.

Talts, Betancourt, Simpson, Vehtari and Gelman (2018): where parameters come from the prior and claims from the account,
the share of posterior draws below the truth is uniform.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest
from naive.enumeration import DAY, reporting, said
from scipy import stats

from groundswell.data.places import Places
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.infer.base import fit
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.tempered import TemperedSMC
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import Arrests, Background, Mobilisation, Within
from groundswell.params import leaves, replacing
from groundswell.rng import keyed

LEARNT = ("process.background.rate", "process.within.offspring", "process.arrests.per_event", "reporting.bias.state")

QUESTIONS = Record(
    (
        said("cities", "cities_with_protest", "Testland", 0, 5, "at_least", 3, "movement"),
        said("cities, third", "cities_with_protest", "Testland", 2, 5, "about", 3, "third_party"),
        said("today", "events", "Testland", 4, 4, "about", 2, "third_party"),
        said("arrests", "arrests", "Testland", 0, 5, "about", 30),
        said("arrests, third", "arrests", "Testland", 0, 4, "at_most", 30, "third_party"),
        said("near", "arrests", "Near", 3, 3, "exactly", 6),
        said("south", "participants", "South", 1, 5, "about", 200, "third_party"),
    )
)
"""Asked of every history; what is answered is drawn."""


def truth_among_draws(places: Places, number: int) -> tuple[np.ndarray, bool]:
    """(K,) share of the posterior below the truth, on one record made from the prior; whether the fit is converged."""
    setting = Setting(places, Window(DAY, 6), active_on_day0=("Hub",))
    quiet = dict.fromkeys(("between", "media", "organised", "groups", "call", "deterrence", "backlash"))
    account = Account(
        Mobilisation(**quiet, background=Background(0.05), within=Within(0.4), arrests=Arrests(6.0, 1.0)),
        reporting(QUESTIONS),
    )
    rng = keyed(20, number)
    known = {leaf.name: leaf for leaf in leaves(account)}
    z = {name: known[name].center + known[name].sd * rng.standard_normal() for name in LEARNT}
    truth = replacing(account, {name: known[name].from_free(at) for name, at in z.items()})
    history, record = truth.simulate(setting, QUESTIONS, rng=rng)
    assert not history.exploded
    held = {name: leaf.value for name, leaf in known.items() if name not in LEARNT}
    method = TemperedSMC(particles=100, effective=100.0, most=1_500, round=100, pool=60.0, filter=ParticleFilter(16))
    found = fit(account, setting, record, method, rng=rng, fixed=held)
    weight, tried = found.details["weight"], found.details["tried"]
    places_of = [found.names.index(name) for name in LEARNT]
    values = np.array([known[name].from_free(z[name]) for name in LEARNT])
    return weight @ (tried[:, places_of] < values), found.converged


@lru_cache(maxsize=2)
def calibrated(places: Places, records: int) -> np.ndarray:
    """(R, K) shares below the truth; runs that missed their own limit are not counted, and must be few."""
    made = [truth_among_draws(places, number) for number in range(records)]
    shares = np.array([share for share, converged in made if converged])
    assert len(shares) >= 0.9 * records
    return shares


def assert_uniform(shares: np.ndarray) -> None:
    for name, column in zip(LEARNT, shares.T, strict=True):
        assert stats.kstest(column, "uniform").pvalue > 0.001, name


def assert_nominal(shares: np.ndarray) -> None:
    """90 % intervals hold the truth as often as they say, within three standard errors."""
    inside = ((shares > 0.05) & (shares < 0.95)).mean(axis=0)
    assert inside == pytest.approx(0.9, abs=3 * math.sqrt(0.09 / len(shares)))


def test_truths_are_spread_evenly_among_draws(lopsided: Places) -> None:
    shares = calibrated(lopsided, 20)
    assert_uniform(shares)
    assert_nominal(shares)


@pytest.mark.slow
def test_two_hundred_truths_are_spread_evenly_among_draws(lopsided: Places) -> None:
    shares = calibrated(lopsided, 200)
    assert_uniform(shares)
    assert_nominal(shares)
