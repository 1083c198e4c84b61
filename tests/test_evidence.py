"""Counts of places and days beside claims, in one likelihood: exact on an enumerable country, unbiased elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from naive.enumeration import enumerable, exact_log_likelihood, reporting, said
from scipy.stats import nbinom

from groundswell.data.evidence import Evidence
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError
from groundswell.infer.base import fit
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.tempered import TemperedSMC
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import Background, Mobilisation, Within
from groundswell.models.reporting.claims import Reporting
from groundswell.params import leaves
from groundswell.rng import generator


def counted(setting: Setting, events: list[list[float]]) -> History:
    """Place by day; NaN where nobody looked."""
    rows = np.array(events)
    return History(setting.places, setting.window, {"events": np.nan_to_num(rows)}, weighed=~np.isnan(rows))


def average(account: Account, setting: Setting, observed: Evidence, method: ParticleFilter, runs: int, seed: int):
    logs = [method.log_likelihood(account, setting, observed, rng=rng) for rng in generator(seed).spawn(runs)]
    shares = np.exp(np.array(logs) - max(logs))
    return math.log(shares.mean()) + max(logs), shares.std(ddof=1) / shares.mean() / math.sqrt(runs)


nan = math.nan


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize(
    ("events", "detection"),
    [
        ([[1, 2, nan], [0, nan, nan]], 1.0),
        ([[1, 0, 3], [0, 1, 2]], 1.0),
        ([[1, nan, nan], [0, 1, 2]], 0.6),
        ([[1, 1, 0], [0, 0, 1]], 0.35),
    ],
)
def test_claims_and_counts_meet_the_sum_over_all_histories(
    events: list[list[float]], detection: float, guided: bool
) -> None:
    """Where a place with claimed arrests is counted and where it is not; events missed and not."""
    model, setting, record = enumerable()
    made = reporting(record)
    seen = np.array(events)[:, 1:]
    expected = exact_log_likelihood(model, setting, record, made, seen=seen, detection=detection)
    observed = Evidence(record, counted(setting, events), detection)
    method = ParticleFilter(100, guided=guided)
    found, error = average(Account(model, made), setting, observed, method, 150, 1)
    assert error < 0.1
    assert found == pytest.approx(expected, abs=max(3.5 * error, 1e-9))  # all counted: no noise is left


def test_events_that_a_list_missed_are_drawn_towards_what_is_claimed_of_their_place() -> None:
    """A crowd and arrests in a place and on a day where the list has nothing: without a guide hardly a draw has any."""
    model, setting, _ = enumerable()
    record = Record(
        (
            said("arrests", "arrests", "Small", 1, 1, "about", 12),
            said("crowd", "participants", "Small", 1, 1, "about", 2_000, "movement"),
        )
    )
    observed = Evidence(record, counted(setting, [[1, 0, nan], [0, 0, nan]]), 0.5)
    account = Account(model, reporting(record))
    noise = {}
    for guided in (True, False):
        method = ParticleFilter(50, guided=guided)
        logs = [method.log_likelihood(account, setting, observed, rng=rng) for rng in generator(6).spawn(40)]
        noise[guided] = np.std(logs)
    assert noise[True] < 0.5
    assert noise[False] > 4 * noise[True]


@pytest.mark.parametrize("psi", [0.7, 0.0])
def test_counts_alone_have_their_own_density(lopsided: Places, psi: float) -> None:
    """Every place seen on every day: no noise is left, and the density is `Mobilisation.likelihood`'s."""
    setting = Setting(lopsided, Window(enumerable()[1].window.start, 6), active_on_day0=("Hub",))
    model = Mobilisation(
        Background(0.1), Within(0.6), groups=None, organised=None, deterrence=None, backlash=None, overdispersion=psi
    )
    history = model.simulate(setting, rng=generator(2))
    events = History(setting.places, setting.window, {"events": history["events"]})
    found = ParticleFilter(3).log_likelihood(
        Account(model, Reporting()), setting, Evidence(Record(()), events), rng=generator(3)
    )
    # the days read how far places reach from a table (GRID_NODES), the density does not
    assert found == pytest.approx(model.log_density(setting, events), abs=1e-6)


def test_what_is_unseen_is_drawn_given_what_was_seen() -> None:
    """Of counts around a known mean a share d is seen: seen and unseen together are the negative binomial again."""
    model, setting, _ = enumerable()
    model = replace(model, within=None, between=None)
    mean = model.background.rate * 3.0**model.scale
    runs, detection, totals = 4_000, 0.4, np.zeros(6)
    for seen in range(6):
        observed = Evidence(Record(()), counted(setting, [[1, seen, nan], [0, nan, nan]]), detection)
        method = ParticleFilter(1)
        plan = method.plan(Account(model, Reporting()), setting, observed)
        for rng in generator(4).spawn(runs // 6):
            run = method.run(plan, Account(model, Reporting()), rng=rng, trace=True)
            assert run.history is not None
            events = int(run.history["events"][0, 1])
            assert events >= seen
            if events < 6:
                totals[events] += math.exp(run.log_likelihood) / (runs // 6)
    psi = model.overdispersion
    expected = nbinom.pmf(np.arange(6), 1 / psi, 1 / (1 + psi * mean))
    assert totals == pytest.approx(expected, abs=0.02)


def test_a_sampler_learns_from_both() -> None:
    """The claims alone hardly tell background from contagion; ten counted cities do."""
    count = 10
    places = Places(
        tuple(f"City {i}" for i in range(count)), np.full(count, 100_000.0), np.linspace(30, 36, count),
        np.linspace(50, 56, count), (), ("Land",) * count,
    )  # fmt: skip
    setting = Setting(places, Window(enumerable()[1].window.start, 12), active_on_day0=("City 0",))
    quiet = dict.fromkeys(("between", "media", "organised", "groups", "call", "deterrence", "backlash"))
    model = Mobilisation(**quiet, background=Background(0.15), within=Within(0.5))
    history = model.simulate(setting, rng=generator(5))
    record = Record((said("all", "events", "Land", 0, 11, "about", float(history["events"].sum())),))
    account = Account(model, reporting(record, 0.25))
    learnt = ("process.background.rate", "process.within.offspring")
    held = {leaf.name: leaf.value for leaf in leaves(account) if leaf.name not in learnt}
    method = TemperedSMC(particles=200, effective=150.0, filter=ParticleFilter(24))
    events = History(places, setting.window, {"events": history["events"]})
    alone, both = (
        fit(account, setting, observed, method, rng=generator(6), fixed=held)
        for observed in (record, Evidence(record, events))
    )
    assert both.draws is not None
    assert alone.draws is not None
    assert np.log(both.draws[:, 0]).std() < 0.4 * np.log(alone.draws[:, 0]).std()
    assert (np.abs(both.estimate - [0.15, 0.5]) < 3 * both.standard_error).all()
    assert both.provenance["record"] != alone.provenance["record"]


def test_what_cannot_be_is_refused() -> None:
    _, setting, record = enumerable()
    events = counted(setting, [[1, 2, 0], [0, 0, 0]])
    for share in (0.0, 1.2):
        with pytest.raises(DataError, match="detection"):
            Evidence(record, events, share)
    with pytest.raises(DataError, match=r"whole number"):
        Evidence(record, History(setting.places, setting.window, {"events": np.full((2, 3), 0.5)}))
    later = Setting(setting.places, Window(setting.window.start, 2), active_on_day0=("Big",))
    with pytest.raises(DataError):
        ParticleFilter(4).log_likelihood(
            Account(Mobilisation(), reporting(record)), later, Evidence(record, events), rng=generator(1)
        )
