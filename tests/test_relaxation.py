"""The relaxation: slopes by differences, the exact posterior of small cases, and what it says of itself."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from groundswell.data.record import Claim, Record
from groundswell.errors import MissingVerb, UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.relaxation import Relaxation, tail_shape
from groundswell.infer.relaxed import Relaxed
from groundswell.infer.target import Coordinates, Start
from groundswell.infer.tempered import TemperedSMC
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import Deterrence, Mobilisation
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.integration import integrable
from groundswell.params import leaves, vector
from groundswell.rng import generator
from groundswell.studies.case import Built, Case


@pytest.fixture(scope="module")
def starter() -> Built:
    folder = Path(str(resources.files("groundswell.studies") / "starter"))
    return Case.read(folder / "study.toml").build(folder)


def more(built: Built) -> Record:
    """The starter's claims, and others of every sort: two of one origin, one place over days, a ratio, a province."""
    day = date(2024, 3, 1)
    place = built.setting.places.name[1]

    def said(identifier: str, quantity: str, where: str, first: int, last: int, qualifier: str, value: float,
             origin: str = "", stance: str = "opposition") -> Claim:  # fmt: skip
        start, end = (day + timedelta(days=n) for n in (first, last))
        return Claim(identifier, quantity, where, start, end, qualifier, value, "", stance, f"speaker {identifier}",
                     origin or identifier)  # fmt: skip

    return Record(
        (
            *built.claims.weighed,
            said("m1", "cities_with_protest", "Exampleland", 0, 9, "exactly", 6, "count"),
            said("m2", "cities_with_protest", "Exampleland", 0, 9, "more_than", 5, "count"),
            said("m3", "arrests", place, 0, 5, "about", 30, stance="state"),
            said("m4", "arrests", place, 0, 5, "more_than", 60),
            said("m5", "arrests", place, 0, 5, "more_than", 70, "m4"),
            said("m6", "teams_arrested", "Exampleland", 0, 13, "exactly", 4, stance="state"),
            said("m7", "joins_per_arrest", "Exampleland", 0, 13, "more_than", 1),
            said("m8", "cities_with_confrontation", "Exampleland", 3, 3, "at_least", 2),
            said("m9", "events", place, 2, 8, "about", 3, stance="state"),
            said("m10", "cities_with_protest", place, 1, 3, "exactly", 1),
        )
    )


def relaxed(built: Built, record: Record) -> Relaxed:
    account = Account(built.account.process, Reporting.for_record(record, "third_party"))
    names = integrable(account.reporting)
    free = [leaf for leaf in leaves(account) if leaf.prior and leaf.name.removeprefix("reporting.") not in names]
    return Relaxed(account, built.setting, record, free, names)


def test_every_slope_is_that_of_differences(starter: Built) -> None:
    target = relaxed(starter, more(starter))
    assert len(target.narrow) == 4
    assert len(target.together) == 1
    y = 0.4 * generator(3).standard_normal(len(target.free))
    target.anchored(y, 100, rng=generator(1))
    _, slope = target(y)
    differences = np.array([(target(y + 1e-3 * e)[0] - target(y - 1e-3 * e)[0]) / 2e-3 for e in np.eye(len(y))])
    for leaf, found, expected in zip(target.free, slope, differences, strict=True):
        assert found == pytest.approx(expected, rel=2e-3, abs=2e-3), leaf.name
    assert (np.abs(slope) > 1e-3).sum() > 20


def test_a_point_where_the_mean_field_explodes_is_refused(starter: Built) -> None:
    """A climb tries points at which expected events pass all numbers: no claim is possible there, and nothing fails."""
    target = relaxed(starter, more(starter))
    belief = target.belief
    high = {"process.within.offspring": 8.0, "process.media.offspring": 8.0, "process.backlash.strength": 8.0}
    y = np.array([high.get(leaf.name, 0.0) for leaf in target.free])
    with np.errstate(all="ignore"):
        assert not np.isfinite(target.mean_field(vector(target.model(y).process))[0]).all()
        value, slope = target(y)
    assert value == -np.inf
    assert not slope.any()
    assert target.belief is belief
    with np.errstate(all="ignore"):  # on the way there the laws in single places give out before the totals do
        along = [target(share * y)[0] for share in np.linspace(0.2, 1, 33)]
    assert not np.isnan(along).any()
    assert np.isfinite(along[0])


def approximate(built: Built, record: Record | None = None, seed: int = 1, **options) -> Fit:
    weighed = built.claims.weighed if record is None else record
    return fit(built.account, built.setting, weighed, Relaxation(**options), rng=generator(seed), fixed=built.held)


def apart(one: Fit, other: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Differences of means in prior sd, and ratios of sds, on the free coordinates."""
    sd = np.array([leaf.sd for leaf in one.details["leaves"]])
    a, b = one.details["free"], other.details["free"]
    return (a.mean(axis=0) - b.mean(axis=0)) / sd, a.std(axis=0) / b.std(axis=0)


def test_it_is_near_the_exact_route(starter: Built) -> None:
    """On the starter's claims: means within .3 prior sd, most far nearer, sds within a quarter, evidence within .15."""
    method = TemperedSMC(effective=500.0, filter=ParticleFilter(24))
    exact = fit(starter.account, starter.setting, starter.claims.weighed, method, rng=generator(1), fixed=starter.held)
    found = approximate(starter)
    assert found.converged
    assert found.names == exact.names
    assert "approximate" in found.notes[-1]
    means, sds = apart(found, exact)
    assert np.abs(means).max() < 0.3
    assert np.sqrt((means**2).mean()) < 0.1
    assert np.abs(np.log(sds)).max() < 0.25
    assert found.log_density == pytest.approx(exact.log_density, abs=0.15)


def test_the_start_that_it_hands_on_is_its_own_normal(starter: Built) -> None:
    found = approximate(starter, particles=4_000)
    start, whole = found.details["start"], len(found.details["tried"])
    assert start.names == tuple(leaf.name for leaf in Coordinates.of(starter.account, starter.held).free)
    drawn = Start.of(found)  # the same, estimated from draws of it
    sd = np.sqrt(np.diag(start.covariance))
    assert drawn.middle == pytest.approx(np.array(start.middle), abs=5 / math.sqrt(whole))
    assert np.sqrt(np.diag(drawn.covariance)) == pytest.approx(sd, rel=0.12)


def test_exact_filters_check_it(starter: Built) -> None:
    found = approximate(starter, filters=60, particles=120)
    assert found.details["pareto_k"] < 0.7
    assert found.details["effective"] > 30
    assert found.log_density == pytest.approx(found.details["normal"], abs=0.25)
    assert found.draws is not None
    assert found.draws.shape == (120, len(found.names))
    assert any("60 exact filters" in note for note in found.notes)


def test_without_claims_it_is_the_prior(starter: Built) -> None:
    account = Account(Mobilisation(), Reporting())
    found = fit(account, starter.setting, Record(()), Relaxation(particles=2_000), rng=generator(1))
    assert found.log_density == pytest.approx(0, abs=1e-6)
    for leaf, z in zip(found.details["leaves"], found.details["free"].T, strict=True):
        assert abs((z - leaf.center).mean()) / leaf.sd < 0.1
        assert z.std() / leaf.sd == pytest.approx(1, abs=0.08)


def test_order_and_repeats_and_processes_change_no_bit(starter: Built) -> None:
    record = starter.claims.weighed
    one = approximate(starter, filters=25, particles=40)
    turned = approximate(starter, Record(tuple(reversed(record.claims))), filters=25, particles=40)
    again = Record((*record, *(replace(claim, id=f"{claim.id} again") for claim in record)))
    twice = approximate(starter, again, filters=25, particles=40, processes=2)
    for other in (turned, twice):
        assert other.log_density == one.log_density
        assert np.array_equal(other.details["free"], one.details["free"])


def test_parameters_held_are_not_moved(starter: Built) -> None:
    held = {"process.call.rate": 3.0, "reporting.slack": 0.1, "reporting.bias.state": 0.5}
    found = fit(starter.account, starter.setting, starter.claims.weighed, Relaxation(), rng=generator(1), fixed=held)
    assert not set(held) & set(found.names)
    values = {leaf.name: leaf.value for leaf in leaves(found.model)}
    assert {name: values[name] for name in held} == held


def test_what_it_cannot_do_is_said(starter: Built) -> None:
    late = Account(replace(Mobilisation(), deterrence=Deterrence(0.2, lag_days=2)), starter.account.reporting)
    with pytest.raises(MissingVerb, match="no mean field"):
        fit(late, starter.setting, starter.claims.weighed, Relaxation(), rng=generator(1))
    with pytest.raises(UsageError, match="25 filters or more"):
        Relaxation(filters=3)
    with pytest.raises(UsageError, match="Record of claims"):
        fit(Mobilisation(), starter.setting, Record(()), Relaxation(), rng=generator(1))


def test_the_tail_of_weights_is_known_by_its_shape() -> None:
    rng = generator(7)
    for shape in (0.2, 0.9):
        found = [tail_shape(shape * rng.standard_exponential(4_000)) for _ in range(20)]
        assert np.mean(found) == pytest.approx(shape, abs=0.08)
    assert np.isnan(tail_shape(np.zeros(100)))


@pytest.mark.slow
def test_simulated_records_have_their_truth_in_the_intervals(starter: Built) -> None:
    """Parameters and claims from the prior: 90 % intervals of all parameters together hold the truth as often."""
    account, setting = starter.account, starter.setting
    learnt = [leaf for leaf in leaves(account) if leaf.prior is not None]
    inside = []
    for rng in generator(5).spawn(30):
        truth = account.replacing(
            {leaf.name: leaf.from_free(leaf.center + leaf.sd * rng.standard_normal()) for leaf in learnt}
        )
        history, record = truth.simulate(setting, starter.claims.weighed, rng=rng)
        if history.exploded:
            continue
        found = fit(account, setting, record, Relaxation(), rng=rng)
        values = {leaf.name: leaf.value for leaf in leaves(truth)}
        assert found.draws is not None
        low, high = np.quantile(found.draws, [0.05, 0.95], axis=0)
        inside += [a <= values[name] <= b for name, a, b in zip(found.names, low, high, strict=True)]
    assert len(inside) > 800
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03)


def test_a_study_can_be_run_by_it_and_says_so(starter: Built) -> None:
    from groundswell.studies.conditioning import Size, condition

    size = Size(draws=30, prior_draws=30, joining_draws=200, approximate=True)
    result, _ = condition(starter, size, seed=1, processes=1)
    assert any("approximate" in note for note in result["notes"])
    assert result["quality"]["worth"] == pytest.approx(30)
    assert result["size"]["approximate"]


def test_effects_alone_can_be_learnt_and_a_claim_out_of_reach_leaves_numbers(starter: Built) -> None:
    held = {leaf.name: leaf.value for leaf in leaves(starter.account) if leaf.name != "reporting.bias.state"}
    found = fit(starter.account, starter.setting, starter.claims.weighed, Relaxation(), rng=generator(1), fixed=held)
    assert found.names == ("reporting.bias.state",)
    assert found.draws is not None
    assert 0.3 < found.draws.std() < 0.7
    far = Record(tuple(replace(claim, value=1e7) if claim.id == "c2" else claim for claim in starter.claims.weighed))
    lost = approximate(starter, far, histories=100)
    assert lost.log_density < -25
    assert lost.draws is not None
    assert np.isfinite(lost.draws).all()
