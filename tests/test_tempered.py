"""Tempered SMC against posteriors known by quadrature and by importance sampling; order, processes, repeats."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from datetime import date

import numpy as np
import pytest
from naive.enumeration import DAY, enumerable, exact_log_likelihood, reporting, said

from groundswell.data.places import Places
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.importance import Normal, learnt, spiked
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.target import BELIEVED, Coordinates, Start, Target
from groundswell.infer.tempered import NEAR, TemperedSMC, effective, power_for, replay_key
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import Background, Groups, Mobilisation
from groundswell.models.reporting.claims import Reporting
from groundswell.params import Prior, leaves, replacing
from groundswell.rng import generator, keyed

LEARNT = ("process.arrests.per_event", "reporting.bias.state")


def held_but(account: Account, *learnt: str) -> dict[str, float]:
    return {leaf.name: leaf.value for leaf in leaves(account) if leaf.name not in learnt}


def learn(account: Account, setting: Setting, record: Record, *learnt: str, seed: int = 1, **options) -> Fit:
    options = {"particles": 300, "effective": 300.0, "filter": ParticleFilter(24), **options}
    held = held_but(account, *learnt) if learnt else None
    return fit(account, setting, record, TemperedSMC(**options), rng=generator(seed), fixed=held)


def by_quadrature(account: Account, setting: Setting, record: Record, nodes: int = 13) -> tuple[float, np.ndarray]:
    """Log evidence and posterior means (2,) of the free coordinates, by Gauss-Hermite nodes under the prior."""
    at, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight = weight / weight.sum()
    free = [leaf for leaf in leaves(account) if leaf.name in LEARNT]
    total, moment = 0.0, np.zeros(2)
    for i in range(nodes):
        for j in range(nodes):
            assert free[0].prior is not None
            assert free[1].prior is not None
            z = [leaf.to_free(leaf.prior.median) + leaf.prior.sd * at[k] for leaf, k in zip(free, (i, j), strict=True)]  # type: ignore[union-attr]
            now = replacing(account, {leaf.name: leaf.from_free(x) for leaf, x in zip(free, z, strict=True)})
            assert isinstance(now.process, Mobilisation)
            mass = weight[i] * weight[j] * math.exp(exact_log_likelihood(now.process, setting, record, now.reporting))
            total += mass
            moment += mass * np.array(z)
    return math.log(total), moment / total


def test_posterior_and_evidence_are_those_of_quadrature() -> None:
    model, setting, record = enumerable()
    account = Account(model, reporting(record))
    evidence, means = by_quadrature(account, setting, record)
    runs = [learn(account, setting, record, *LEARNT, seed=seed) for seed in range(5)]
    assert all(run.names == LEARNT for run in runs)
    for found, expected, limit in (
        (np.array([run.log_density for run in runs]), evidence, 0.15),
        (np.array([run.details["free"][:, 0].mean() for run in runs]), means[0], 0.15),
        (np.array([run.details["free"][:, 1].mean() for run in runs]), means[1], 0.15),
    ):
        error = found.std(ddof=1) / math.sqrt(len(runs))
        assert error < limit
        # Student's t with 4 degrees of freedom: beyond 5 with probability .0075
        assert abs(found.mean() - expected) < max(5 * error, 0.01), (found, expected)


def test_posterior_and_evidence_are_those_of_importance_sampling(lopsided: Places) -> None:
    """Two parameters of the process under claims of three sorts; the prior itself as proposal."""
    setting = Setting(lopsided, Window(DAY, 6), active_on_day0=("Hub",))
    record = Record(
        (
            said("cities", "cities_with_protest", "Testland", 0, 5, "at_least", 3, "movement"),
            said("arrests", "arrests", "Testland", 0, 5, "about", 30),
            said("near", "arrests", "Near", 3, 3, "about", 6, "third_party"),
        )
    )
    learnt = ("process.background.rate", "process.arrests.per_event")
    account = Account(Mobilisation(Background(0.05), groups=None, organised=None), reporting(record))
    free = [leaf for leaf in leaves(account) if leaf.name in learnt]
    method = ParticleFilter(60)
    plan = method.plan(account, setting, record)
    draws, logs = [], []
    for rng in generator(3).spawn(1_000):
        z = [leaf.to_free(leaf.prior.median) + leaf.prior.sd * rng.standard_normal() for leaf in free if leaf.prior]
        now = replacing(account, {leaf.name: leaf.from_free(x) for leaf, x in zip(free, z, strict=True)})
        draws.append(z)
        logs.append(method.run(plan, now, rng=rng).log_likelihood)
    shares = np.exp(logs)
    evidence, error = math.log(shares.mean()), shares.std() / shares.mean() / math.sqrt(len(shares))
    weights = shares / shares.sum()
    means = weights @ np.array(draws)
    spread = np.sqrt((weights**2) @ (np.array(draws) - means) ** 2)
    assert error < 0.15
    runs = [learn(account, setting, record, *learnt, seed=seed) for seed in range(4)]
    found = np.array([[run.log_density, *run.details["free"].mean(axis=0)] for run in runs])
    errors = np.hypot(found.std(axis=0, ddof=1) / 2, [error, *spread])
    # the error of four runs is itself unsure (3 degrees of freedom), hence 4.5 and not 3
    assert (np.abs(found.mean(axis=0) - [evidence, *means]) < 4.5 * errors).all(), (found, evidence, means, errors)


def test_a_start_saves_filters_and_changes_no_answer() -> None:
    """From a nested account's fit and from nowhere near: the evidence is that of quadrature."""
    model, setting, record = enumerable()
    account = Account(model, reporting(record))
    evidence, _ = by_quadrature(account, setting, record)
    plain = learn(account, setting, record, *LEARNT, effective=200.0)
    start = Start.of(plain)
    assert Start(**json.loads(json.dumps(asdict(start)))).normal(Coordinates.of(account, {})).middle.shape == (18,)
    assert start.names == LEARNT[:1]
    assert start.middle[0] == pytest.approx((plain.details["free"][:, 0].mean() - math.log(8.0)) / 0.8, abs=0.4)
    bad = Start((*LEARNT[:1], "process.groups.initial"), (-2.0, 1.0), ((0.5, 0.0), (0.0, 1.0)))
    for near in (start, bad):
        runs = [
            learn(account, setting, record, *LEARNT, effective=200.0, start=near, round=60, seed=seed)
            for seed in range(4)
        ]
        logs = np.array([run.log_density for run in runs])
        assert logs.mean() == pytest.approx(evidence, abs=max(5.8 * logs.std(ddof=1) / 2, 0.02))  # t, 3 degrees
        assert runs[0].method.start is None


def test_claims_that_no_filter_meets_are_told_with_the_furthest_one(monkeypatch) -> None:
    """By id, with what the prior makes of its quantity and its best weight; or that every history exploded."""
    model, setting, record = enumerable()
    account = Account(model, reporting(record))
    monkeypatch.setattr(Target, "__call__", lambda *_: (-math.inf, None))
    with pytest.raises(DataError, match=r"claim \w+, .* lies between .* and .*, and its best log weight is -\d+"):
        learn(account, setting, record, *LEARNT)
    exploding = replace(account, process=replace(model, max_daily_events=0))
    with pytest.raises(DataError, match="24 exploded"):
        learn(exploding, setting, record, *LEARNT)


def test_the_last_rounds_are_as_large_as_is_still_needed() -> None:
    model, setting, record = enumerable()
    found = learn(Account(model, reporting(record)), setting, record, *LEARNT, effective=1000.0, round=200)
    sizes = np.diff([0] + [stage["filters"] for stage in found.details["stages"]])
    assert sizes.max() == 200
    for before, size in zip(found.details["stages"], sizes[1:], strict=False):
        if before["power"] >= NEAR:
            needed = (1000 - before["effective"]) / before["effective"] * before["filters"]
            assert size == pytest.approx(min(200, max(60, needed)), abs=1)
    assert sizes[-1] < 200


def test_of_a_start_less_is_believed_than_it_says() -> None:
    """In every direction the precision beyond the prior's is that share of its own; the middle stays."""
    model, _, record = enumerable()
    where = Coordinates.of(Account(model, reporting(record)), {})
    names = [leaf.name for leaf in where.free][:2]
    root = np.linalg.cholesky(np.array([[0.3, 0.1], [0.1, 1.4]]))
    start = Start.near(names, Normal(np.array([0.4, -1.0]), root))
    wide = start.normal(where)
    assert wide.middle[:2] == pytest.approx([0.4, -1.0])
    prior, known, believed = np.eye(2), np.linalg.inv(root @ root.T), np.linalg.inv((wide.root @ wide.root.T)[:2, :2])
    assert believed - prior == pytest.approx(BELIEVED * (known - prior))
    assert (wide.root @ wide.root.T)[2:, 2:] == pytest.approx(np.eye(len(where.free) - 2))
    assert Start.near(names[:1], Normal(np.zeros(1), np.eye(1))).normal(where).root == pytest.approx(np.eye(18))


def test_one_parameter_alone_can_be_learnt() -> None:
    model, setting, record = enumerable()
    found = learn(Account(model, reporting(record)), setting, record, LEARNT[0], particles=100, effective=100.0)
    assert found.draws is not None
    assert found.draws.shape == (100, 1)
    assert found.summary()["parameter"] == [LEARNT[0]]


def test_effects_alone_can_be_learnt() -> None:
    """Nothing is left to search: every draw is a filter's own draw of the effect, weighed by its estimate."""
    model, setting, record = enumerable()
    made = reporting(record)
    at, weight = np.polynomial.hermite_e.hermegauss(25)
    logs = [exact_log_likelihood(model, setting, record, made.replacing({"bias.state": 0.7 * x})) for x in at]
    mass = weight * np.exp(logs)
    found = learn(Account(model, made), setting, record, LEARNT[1], particles=2_000, effective=1_500.0, round=2_000)
    assert found.names == (LEARNT[1],)
    assert found.estimate[0] == pytest.approx(float(mass @ (0.7 * at) / mass.sum()), abs=4 * 0.45 / math.sqrt(1_500))
    assert found.log_density == pytest.approx(math.log(mass.sum() / weight.sum()), abs=0.1)


def test_two_sides_apart_by_a_factor_of_2_move_the_sampled_answer_by_it_between_anchors(lopsided: Places) -> None:
    """Five claims a side on the arrests of a week, under a prior of arrests per event that leaves them nearly open."""
    setting = Setting(lopsided, Window(DAY, 7), active_on_day0=("Hub", "Near"))
    claims = [
        said(f"{stance} {k}", "arrests", "Testland", 0, 6, "about", round(share * value), stance)
        for stance, value in (("movement", 2_000), ("state", 1_000))
        for k, share in enumerate((1.0, 1.05, 0.95, 1.025, 0.975))
    ]
    process = Mobilisation(Background(1.0), groups=None, organised=None, call=None, deterrence=None, backlash=None)
    name, middles = "process.arrests.per_event", {}
    for anchor in ("movement", "state"):
        account = Account(process, Reporting.for_record(Record(tuple(claims)), anchor))
        account = account.under({name: Prior(30.0, 2.0)})
        held = {leaf.name: leaf.value for leaf in leaves(account) if leaf.name.startswith("process.")}
        del held[name]
        method = TemperedSMC(particles=800, effective=400.0, filter=ParticleFilter(24))
        found = fit(account, setting, Record(tuple(claims)), method, rng=generator(1), fixed=held)
        assert found.converged
        assert found.draws is not None
        middles[anchor] = float(np.median(np.log(found.draws[:, found.names.index(name)])))
    assert middles["movement"] - middles["state"] == pytest.approx(math.log(2), abs=0.2)


def test_no_claims_give_back_the_prior_and_evidence_zero(lopsided: Places) -> None:
    setting = Setting(lopsided, Window(DAY, 3), active_on_day0=("Hub",))
    account = Account(Mobilisation(), Reporting())
    method = TemperedSMC(particles=400, effective=300.0, round=400, filter=ParticleFilter(4))
    held = {"process.warnings_per_arrest": 1.0}
    found = fit(account, setting, Record(()), method, rng=generator(1), fixed=held)
    assert found.log_density == pytest.approx(0.0, abs=1e-12)  # every weight is 1, up to rounding
    free = [leaf for leaf in leaves(account) if leaf.name in found.names]
    assert len(free) > 20
    for leaf, z in zip(free, found.details["free"].T, strict=True):
        assert leaf.prior is not None
        centred = (z - leaf.to_free(leaf.prior.median)) / leaf.prior.sd
        assert abs(centred.mean()) < 4.5 / 20, leaf.name
        assert centred.std() == pytest.approx(1, abs=0.18), leaf.name


def test_a_first_small_round_without_a_possible_draw_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a whole round's worth of impossible draws is hopeless; then the error says how many were tried."""
    model, setting, record = enumerable()
    account = Account(model, reporting(record))
    of_target, left = Target.__call__, [70]

    def rarely(self: Target, z: np.ndarray, key: tuple[int, ...]) -> tuple[float, np.ndarray | None]:
        left[0] -= 1
        return of_target(self, z, key) if left[0] < 0 else (-math.inf, None)

    monkeypatch.setattr(Target, "__call__", rarely)
    found = learn(account, setting, record, *LEARNT, particles=40, round=200, effective=20.0, filter=ParticleFilter(4))
    assert found.details["evaluations"] > 70
    left[0] = 10_000
    with pytest.raises(DataError, match="none of 240 draws"):
        learn(account, setting, record, *LEARNT, particles=40, round=200, effective=20.0, filter=ParticleFilter(4))


def test_processes_and_order_and_repeats_change_no_bit() -> None:
    model, setting, record = enumerable()
    account = Account(model, reporting(record))
    options = {"particles": 40, "round": 50, "effective": 60.0, "filter": ParticleFilter(8)}
    one = learn(account, setting, record, *LEARNT, **options)
    two = learn(account, setting, record, *LEARNT, **options, processes=2)
    turned = learn(account, setting, Record(tuple(reversed(record.claims))), *LEARNT, **options)
    thrice = Record((*record, *(replace(c, id=f"{c.id} {k}", outlet=str(k)) for c in record for k in (1, 2))))
    repeated = learn(account, setting, thrice, *LEARNT, **options)
    assert one.draws is not None
    for other in (two, turned, repeated):
        assert other.log_density == one.log_density
        assert other.draws is not None
        assert np.array_equal(one.draws, other.draws)
        assert other.method == one.method


def test_a_kept_draw_can_be_run_again(lopsided: Places) -> None:
    """Every draw names its filter's randomness: the same estimate comes back, with a history."""
    model, setting, record = enumerable()
    account, method = Account(model, reporting(record)), ParticleFilter(8)
    found = learn(account, setting, record, *LEARNT, particles=40, effective=50.0, filter=method)
    plan = method.plan(account, setting, record, found.details["integrated"])
    assert found.draws is not None
    for row in range(0, 40, 7):
        now = replacing(account, dict(zip(found.names, found.draws[row], strict=True)))
        again = method.run(plan, now, rng=keyed(*replay_key(found.details["root"], found.details["seeds"][row])))
        assert again.log_likelihood == pytest.approx(found.details["log_likelihood"][row], abs=1e-9)
        assert again.effects is not None
        assert again.effects[0] == pytest.approx(found.draws[row, 1], abs=1e-9)


def joins_beat_arrests(record: Record, seed: int) -> float:
    """P(more groups formed than broken up in a year): the groups' three numbers learnt, all else quiet."""
    places = Places(("A", "B"), np.array([1e6, 2e5]), np.array([35.0, 36.0]), np.array([51.0, 52.0]), (), ("Land",) * 2)
    days = 3
    setting = Setting(places, Window(date(2020, 1, 1), days), later_edges=(days, *range(days + 7, 367, 7)))
    quiet = dict.fromkeys(("within", "between", "media", "organised", "call", "deterrence", "backlash"))
    account = Account(
        Mobilisation(**quiet, background=Background(0.0), groups=Groups()),
        reporting(record, 0.25),
    )
    method = ParticleFilter(4, copies=4)
    learnt = ("process.groups.initial", "process.groups.recruitment", "process.groups.breakup")
    found = learn(account, setting, record, *learnt, particles=600, effective=500.0, filter=method, seed=seed)
    plan, joined = method.plan(account, setting, record, found.details["integrated"]), 0
    assert found.draws is not None
    for row, rng in zip(found.draws, generator(seed + 1).spawn(len(found.draws)), strict=True):
        now = replacing(account, dict(zip(found.names, row, strict=True)))
        history = method.run(plan, now, rng=rng, trace=True).history
        assert history is not None
        assert history.later is not None
        formed, broken = (history[name].sum() + history.later.series[name].sum() for name in ("formed", "broken_up"))
        joined += formed > broken
    return joined / len(found.draws)


def joins_beat_arrests_exactly(made: Reporting | None, record: Record) -> float:
    """The same by importance sampling from the prior: 100,000 draws of groups on their own, week by week."""
    rng, draws = generator(8), 100_000
    groups = rng.poisson(300 * np.exp(rng.normal(size=draws)))
    recruitment, breakup = (0.3 * 7 / 365 * np.exp(0.8 * rng.normal(size=draws)) for _ in range(2))
    formed, broken = np.zeros(draws), np.zeros(draws)
    for _ in range(52):
        more, fewer = rng.poisson(recruitment * groups), rng.binomial(groups, -np.expm1(-breakup))
        groups, formed, broken = groups + more - fewer, formed + more, broken + fewer
    weight = np.ones(draws)
    for bound in made.prepare(record).bind(made) if made is not None else ():
        what = {"teams_arrested": broken, "groups_formed": formed}[bound.group.quantity.name]
        weight *= np.exp(bound.log_likelihood(what))
    return float(weight @ (formed > broken) / weight.sum())


def test_teams_arrested_alone_say_nothing_of_joining_against_arrests() -> None:
    """Broken-up groups leave P(joins > arrests) at its prior; a good second series of formed groups decides it."""
    year = 359  # the last day of the last step
    counted = said("teams", "teams_arrested", "Land", 0, year, "exactly", 116, "third_party")
    # the same observer, so that what it overlooks it overlooks in both
    formed = said("formed", "groups_formed", "Land", 0, year, "exactly", 200, "third_party")
    teams, both = Record((counted,)), Record((counted, replace(formed, speaker=counted.speaker)))
    prior = joins_beat_arrests_exactly(None, Record(()))
    alone = joins_beat_arrests_exactly(reporting(teams, 0.25), teams)
    assert alone == pytest.approx(prior, abs=0.05)
    assert joins_beat_arrests_exactly(reporting(both, 0.25), both) > 0.9
    # and the sampler says the same; 600 draws of weights worth 500
    assert joins_beat_arrests(teams, 3) == pytest.approx(alone, abs=0.09)
    assert joins_beat_arrests(both, 5) > 0.9


def test_few_directions_are_told_from_noise() -> None:
    """Of 30 directions one is narrow and shifted: it is found, and the others are left as the prior has them."""
    rng = generator(4)
    axis = rng.standard_normal(30)
    axis /= np.linalg.norm(axis)
    y = rng.standard_normal((400, 30))
    y += np.outer((0.2 - 1) * (y @ axis) + 1.5, axis)
    mean, root = spiked(y, np.full(400, 1 / 400))
    variance = np.linalg.eigvalsh(root @ root.T)
    assert variance[0] == pytest.approx(0.04, abs=0.06)
    assert variance[1:] == pytest.approx(1, abs=1e-9)
    assert mean @ axis == pytest.approx(1.5, abs=0.05)
    assert np.linalg.norm(mean - 1.5 * axis) < 0.15, "noise alone has length sqrt(30 / 400) = .27"
    wide, few = y * np.where(np.arange(30) == 3, 4.0, 1.0), np.full(400, 1e-9)
    assert np.linalg.eigvalsh(spiked(wide, np.full(400, 1 / 400))[1])[-1] > 2
    few[:20] = (1 - 380e-9) / 20
    assert spiked(y, few)[1].tolist() == np.eye(30).tolist(), "20 draws tell nothing of 30 directions"


def test_a_normal_is_learnt_by_what_differs_from_a_near_one() -> None:
    """Of 30 directions 15 are far from the prior's, and one of them from the start's: 400 draws find that one."""
    rng = generator(5)
    axes = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    near = Normal(2 * axes[:, :15].sum(axis=1), np.linalg.cholesky((axes * np.repeat([0.1, 1.0], 15)) @ axes.T))
    wider = near.root @ (np.eye(30) + 0.8 * np.outer(*2 * [np.linalg.solve(near.root, axes[:, 0]) * 0.1**0.5]))
    truth = Normal(near.middle + 0.4 * axes[:, 0], np.linalg.cholesky(wider @ wider.T))
    y, even, prior = truth.draw(400, rng), np.full(400, 1 / 400), Normal(np.zeros(30), np.eye(30))
    fresh = truth.draw(4_000, rng)

    def lacking(found: Normal) -> float:
        """Kullback-Leibler divergence from the truth, in nats."""
        return float((truth.log_density(fresh) - found.log_density(fresh)).mean())

    found = learnt(y, even, near)
    assert found.root.tolist() == np.tril(found.root).tolist()
    assert lacking(found) < 0.12
    assert lacking(near) > 0.5, "what is to be learnt"
    assert lacking(learnt(y, even, prior)) > 3 * lacking(found), "sixteen directions are not told apart from noise"
    about_prior, plain = learnt(y, even, prior), spiked(y, even)
    assert about_prior.root.tolist() == plain[1].tolist()
    assert about_prior.middle.tolist() == plain[0].tolist()


def test_the_power_keeps_the_draws_that_are_wanted() -> None:
    logs = np.append(generator(5).normal(0, 4, 500), -math.inf)
    power = power_for(logs, 200.0)
    assert 0 < power < 1
    assert effective(power * logs) == pytest.approx(200, abs=0.01)
    assert power_for(np.zeros(300), 200.0) == 1.0


def test_refusals_say_what_is_wrong() -> None:
    model, setting, record = enumerable()
    account = Account(model, reporting(record))
    for wrong in ({"particles": 2}, {"effective": 1.0}, {"processes": 0}, {"round": 3}, {"most": 0}, {"pool": 2.0}):
        with pytest.raises(UsageError, match="cannot run"):
            TemperedSMC(**wrong)
    history = model.simulate(setting, rng=generator(0))
    with pytest.raises(UsageError, match=r"Account\(process, reporting\)"):
        fit(model, setting, history, TemperedSMC(), rng=generator(0))
    with pytest.raises(UsageError, match="Record of claims"):
        fit(account, setting, history, TemperedSMC(), rng=generator(0))
