"""What a result of claims rests on: weights that are right, claims left out, priors moved, and checks one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from groundswell.data.record import Record
from groundswell.infer.base import fit
from groundswell.infer.pareto import generalised_pareto, largest_k, smoothed
from groundswell.models.base import Account
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.integration import Integration, integrable
from groundswell.params import Prior, leaves
from groundswell.rng import generator, keyed
from groundswell.studies.answers import Answers, lean_cells, shifted
from groundswell.studies.case import Case
from groundswell.studies.conditioning import Size
from groundswell.studies.influence import check_rows, how, influence_row, to_fit_anew, to_leave_out
from groundswell.studies.judgements import WIDER, parameter_moves, regrained, reporting_moves, under_prior
from groundswell.studies.new import new_study
from groundswell.studies.replay import posterior_histories
from groundswell.studies.reweighing import Reader, Reading, Reread, groups_of, refit, reread, weighed_anew
from groundswell.studies.run import folder_of
from groundswell.studies.second_look import second_look, to_fit


@pytest.fixture(scope="module")
def iran():
    folder = folder_of("iran-2017")
    return Case.read(folder / "study.toml").build(folder)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case") / "case"
    new_study(folder)
    return Case.read(folder / "study.toml").build(folder)


@pytest.fixture(scope="module")
def fitted(built):
    size = Size(draws=240, effective=160, most=1_500, round=100, histories=8)
    record = built.claims.weighed
    found = fit(built.account, built.setting, record, size.method(1), rng=generator(4), fixed=built.held)
    return found, posterior_histories(built.account, built.setting, record, found, 1), size


@pytest.mark.parametrize("sd", [0.3, 1.0, 2.0])
def test_smoothed_weights_are_those_of_arviz(sd):
    stats_of_arviz = pytest.importorskip("arviz_stats.base").array_stats
    ratio = sd * keyed(1, 2).standard_normal(400)
    logs, k = smoothed(ratio)
    theirs, their_k = stats_of_arviz.psislw(-ratio)
    assert k == pytest.approx(float(their_k), abs=1e-10)
    np.testing.assert_allclose(logs - np.logaddexp.reduce(logs), theirs, atol=1e-10)


def test_the_shape_of_a_known_tail_is_found_and_only_the_tail_is_smoothed():
    for shape in (-0.3, 0.2, 0.8):
        values = np.sort(stats.genpareto(shape, scale=3.0).rvs(4_000, random_state=1))
        k, scale = generalised_pareto(values)
        assert k == pytest.approx(shape, abs=0.06)
        assert scale == pytest.approx(3.0, rel=0.1)
    ratio = 0.8 * keyed(1, 3).standard_normal(500)
    logs, _ = smoothed(ratio)
    changed = np.flatnonzero(~np.isclose(logs, ratio, atol=1e-12))
    assert set(changed) <= set(np.argsort(ratio)[-100:])
    assert logs.max() <= ratio.max() + 1e-12


def test_few_weights_are_relied_on_for_lighter_tails_only():
    assert [round(largest_k(draws), 3) for draws in (100, 240, 1_000, 10_000, 10**6)] == [0.5, 0.58, 0.667, 0.7, 0.7]
    assert largest_k(5) < 0


def test_equal_ratios_stay_and_a_tail_that_is_too_short_says_so():
    logs, k = smoothed(np.full(50, -3.0))
    assert (logs == -3.0).all()
    assert k == 0
    assert smoothed(np.arange(8.0))[1] == np.inf


def test_the_mean_ratio_and_the_weights_are_those_of_the_ratios():
    share = np.array([0.5, 0.25, 0.25])
    total, weights, k = weighed_anew(share, np.log([1.0, 2.0, 4.0]))
    assert total == pytest.approx(np.log(0.5 + 0.5 + 1.0))
    assert weights == pytest.approx(share * [1.0, 2.0, 4.0] / 2.0)
    assert k is None, "three draws have no tail"


def test_all_claims_at_once_are_absorbed_as_one_after_the_other(iran):
    reporting, record = iran.account.reporting, iran.claims.weighed
    groups = reporting.prepare(record)
    made = Integration(groups, reporting, integrable(reporting))
    values = np.exp(keyed(2, 1).normal(3.0, 1.0, (5, len(groups))))
    one, other = (made.begin(groups.bind(made.middle(reporting)), 5) for _ in range(2))
    gains = sum(one.absorb(i, values[:, i]) for i in range(len(groups)))
    np.testing.assert_allclose(other.absorb_all(values), gains, rtol=1e-12)
    np.testing.assert_allclose(other.mean, one.mean, atol=1e-12)
    np.testing.assert_allclose(other.logs, one.logs, rtol=1e-12)
    np.testing.assert_allclose(other.settle(rng=keyed(1))[1], one.settle(rng=keyed(1))[1], atol=1e-9)


def alone(built, claim_id: str, q: float, sd: float, **changes) -> float:
    """log p(claim | q) by quadrature over the one normal effect that it has, of this sd."""
    reporting = replace(built.account.reporting, **changes)
    claim = built.claims.weighed[claim_id]
    (bound,) = reporting.prepare(Record((claim,))).bind(reporting)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    logs = [bound._replace(offset=bound.offset + sd * x).log_likelihood(np.array([q]))[0] for x in nodes]
    return float(np.log(weights @ np.exp(logs) / weights.sum()))


def test_ratios_of_readings_are_those_of_quadrature(built):
    """c2 is the state's only claim: left out, doubted more, or rounded otherwise, the rest is untouched by it."""
    record, reporting = built.claims.weighed, built.account.reporting
    names = integrable(reporting)
    priors = {leaf.name: leaf.prior for leaf in leaves(reporting) if leaf.prior is not None}
    wide = {name: Prior(0.0, 1.5 * priors[name].sd) for name in ("bias.state", "bias_by_kind.state:arrests")}
    free = [leaf for leaf in leaves(built.account) if leaf.prior is not None]
    z = np.array([leaf.center for leaf in free])
    hidden = np.array([5.0, 90.0, 90.0, 700.0])
    sd = float(np.hypot(0.7, 0.4))
    here = alone(built, "c2", 90.0, sd)
    expected = [-here, alone(built, "c2", 90.0, 1.5 * sd) - here]
    reader = Reader(reporting, record, [Reading(), Reading(without=("c2",)), Reading(priors=wide)], free, names)
    logs = np.array([[log for log, _, _ in reader(z, hidden, hidden, (7, i))] for i in range(300)])
    found = np.log(np.exp(logs).mean(axis=0))
    assert found[1] - found[0] == pytest.approx(expected[0], abs=0.02)
    assert found[2] - found[0] == pytest.approx(expected[1], abs=0.02)
    more = 3.0 * built.account.reporting.unlisted
    reader = Reader(
        reporting, record, [Reading(), Reading(without=("c2",)), Reading(changes={"unlisted": more})], free, names
    )
    effects = np.array([[u for _, u, _ in reader(z, hidden, hidden, (8, i))] for i in range(2_000)])
    at = names.index("bias.state")
    assert effects[:, 1, at].mean() == pytest.approx(0.0, abs=0.06), "without its only claim a lean is its prior"
    assert effects[:, 1, at].std() == pytest.approx(0.7, abs=0.04)
    assert effects[:, 0, at].std() < 0.55
    assert effects[:, 2, at].std() > 1.1 * effects[:, 0, at].std(), "a speaker of large effects tells less of a lean"


def test_weights_agree_with_fits_made_anew(built, fitted):
    """The same reading by weights and by a fit of its own: every answer within the noise of both, and the evidence."""
    found, posterior, size = fitted
    readings = [Reading(without=("c2",), ask=("c2",)), Reading(changes={"vague": 0.6})]
    base, told = reread(built, found, posterior, readings, seed=1, processes=1)
    first = base.told()
    for i, (reading, weighed) in enumerate(zip(readings, told, strict=True)):
        anew = refit(built, reading, size.method(1), log_evidence=found.log_density, rng=generator(20 + i), processes=1)
        one, other = weighed.answers.told(base), shifted(anew.answers.told(), first)
        for name in first:
            noise = float(np.hypot(one[name]["error"], other[name]["error"]))
            assert one[name]["shift"] == pytest.approx(other[name]["shift"], abs=4 * noise), (i, name)
        assert weighed.log_ratio == pytest.approx(anew.log_ratio, abs=0.5)
        assert anew.anew
        assert not weighed.anew
        if reading.ask:
            a, b = (
                np.quantile(r.said["c2"], 0.5, weights=r.answers.weights, method="inverted_cdf")
                for r in (weighed, anew)
            )
            assert 1 / 2.5 < a / b < 2.5
    assert told[0].answers.told(base)["state: arrests"]["shift"] > 1, "the only claim of the state held its lean down"


def test_two_processes_read_to_the_same_bits(built, fitted):
    found, posterior, _ = fitted
    reading = [Reading(without=("c3",), ask=("c3",))]
    (one, [first]), (two, [second]) = (
        reread(built, found, posterior, reading, seed=1, processes=count) for count in (1, 2)
    )
    assert first.log_ratio == second.log_ratio
    assert (first.said["c3"] == second.said["c3"]).all()
    assert all((one.values[name] == two.values[name]).all() for name in one.values)


def test_a_figure_repeated_from_one_origin_can_be_left_out_without_a_trace(built):
    record = built.claims.weighed
    again = Record((*record, replace(record["c2"], id="c9", outlet="another paper")))
    account = Account(built.account.process, Reporting.for_record(again, built.case.anchor))
    twice = replace(built, account=account, claims=replace(built.claims, weighed=again))
    size = Size(draws=20, effective=10, most=60, round=20, histories=2)
    found = fit(account, built.setting, again, size.method(1), rng=generator(1), fixed=built.held)
    posterior = posterior_histories(account, built.setting, again, found, 1)
    base, (told,) = reread(twice, found, posterior, [Reading(without=("c9",))], seed=1, processes=1)
    assert told.log_ratio == pytest.approx(0.0, abs=1e-12)
    assert all(answer["shift"] == pytest.approx(0.0, abs=1e-9) for answer in told.answers.told(base).values())
    assert ("c2", "c9") in groups_of(twice)
    assert [one.kind for one in to_leave_out(twice) if one.claims == ("c2", "c9")] == ["speaker"]


def test_a_moved_prior_moves_a_silent_parameter_with_it():
    """Draws on which the claims are silent: under another prior they are draws of that prior."""
    z = keyed(3, 1).standard_normal(20_000)
    base = Answers({"cities": z}, np.full(len(z), 1 / len(z)))
    moves = [
        (np.array([1.0, 1.0]), 1.0, 1.0),
        (np.array([0.0, WIDER]), 0.0, WIDER),
        (np.array([0.0, 1 / WIDER]), 0.0, 1 / WIDER),
    ]
    for way, mean, sd in moves:
        found = under_prior(base, z, way)
        assert found.answers.mean("cities") == pytest.approx(mean, abs=0.04)
        assert found.answers.sd("cities") == pytest.approx(sd, rel=0.06), "a wider prior has weights with a heavy tail"
        assert found.log_ratio == pytest.approx(0.0, abs=0.03), "a ratio of densities has mean 1"
        assert found.pareto_k is not None
        assert found.pareto_k < 0.7
    far = under_prior(base, z, np.array([0.0, 3.0]))
    assert far.pareto_k is not None
    assert far.pareto_k > 0.7, "weights of a prior that is far wider are not to be relied on"
    assert not how(far, base)["reliable"]


def test_the_noise_of_a_shift_is_that_of_repeats():
    """Over many sets of draws, shifts by weights vary as their error says."""
    shifts, errors = [], []
    for i in range(300):
        z = keyed(5, i).standard_normal((2, 200))
        base = Answers({"cities": z[0] + z[1]}, np.full(200, 1 / 200))
        told = under_prior(base, z[0], np.array([0.5, 1.0])).answers.told(base)["cities"]
        shifts.append(told["shift"] * base.sd("cities"))
        errors.append(told["error"] * base.sd("cities"))
    assert np.mean(shifts) == pytest.approx(0.5, abs=0.02)
    assert np.mean(errors) == pytest.approx(np.std(shifts), rel=0.15)


def test_what_is_left_out_of_the_iranian_claims(iran):
    left_out = to_leave_out(iran)
    by_kind = {kind: [one for one in left_out if one.kind == kind] for kind in ("claim", "speaker", "origin", "side")}
    assert {one.name for one in by_kind["claim"]} == {claim.id for claim in iran.claims.weighed}
    speakers = {one.name: set(one.claims) for one in by_kind["speaker"]}
    assert speakers["USIP Iran Primer"] == {"t04", "t13", "t14"}
    assert speakers["deputy governor of Tehran"] == {"t05", "t06", "t07"}
    assert {one.claims for one in by_kind["origin"]} == {("s04", "t15"), ("t09", "t19")}
    assert {one.name for one in by_kind["side"]} == {"opposition", "state", "third_party"}
    assert len({one.claims for one in left_out}) == len(left_out), "nothing is left out twice"
    assert {ids for ids in groups_of(iran) if len(ids) > 1} == {("s04", "t15")}


def test_the_last_claim_on_a_named_place_is_never_left_out_by_weights(iran):
    """Tehran on 30 December has one figure on its arrests, Mashhad on the 28th two, the country many."""
    found = {(one.kind, one.name): one for one in to_leave_out(iran)}
    assert found["claim", "t05"].last
    assert found["claim", "t04"].last
    assert found["speaker", "deputy governor of Tehran"].last
    assert not found["claim", "t01"].last
    assert not found["claim", "t02"].last
    assert not found["claim", "t19"].last
    even = Answers({"cities": np.arange(400.0)}, np.full(400, 1 / 400))
    told = Reread(even, 0.0, {}, 0.1)
    for one in (found["claim", "t01"], found["claim", "t05"]):
        assert influence_row(one, told, even)["reliable"] != one.last
    assert influence_row(found["claim", "t05"], replace(told, anew=True), None)["reliable"]


def test_groups_of_the_state_lean_the_states_way(iran):
    """The authorities gain by more teams arrested, the opposition by more joins for each: one class, two directions."""
    cells = {(stance, kind): direction for stance, kind, direction in lean_cells(iran)}
    assert cells["state", "groups"] == -1
    assert cells["opposition", "groups"] == 1
    assert cells["state", "arrests"] == 1
    assert not [stance for stance, _ in cells if stance == "third_party"]


def test_a_check_counts_on_which_side_the_figure_lies(built):
    one = next(one for one in to_leave_out(built) if one.claims == ("c2",))
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    base = Answers({}, weights)
    found = Reread(base, -3.0, {"c2": np.array([10.0, 40.0, 100.0, 200.0])}, 0.2)
    row = check_rows(built.claims.weighed, one, found, base)["c2"]
    assert row["rank"] == pytest.approx(0.1 + 0.1)
    assert row["p"] == pytest.approx(0.4)
    assert row["log_predictive"] == 3.0
    assert row["predicted"] == [10.0, 40.0, 100.0, 200.0, 200.0]
    assert not row["reliable"], "a few draws are not relied on"
    lost = replace(found, said={"c2": np.full(4, np.nan)})
    assert check_rows(built.claims.weighed, one, lost, base) == {}


def test_grains_made_finer_or_coarser_are_still_shares(iran):
    grains = iran.account.reporting.grains
    finer, coarser = regrained(grains, True), regrained(grains, False)
    assert finer.exactly[0] == pytest.approx(0.8)
    assert coarser.exactly[0] == pytest.approx(0.3)
    assert coarser.otherwise[5] / coarser.otherwise[4] == pytest.approx(grains.otherwise[5] / grains.otherwise[4])


def test_every_prior_of_the_account_is_moved(iran):
    names = integrable(iran.account.reporting)
    learnt = [leaf for leaf in leaves(iran.account) if leaf.prior is not None]
    moved = {move.name for move, _ in parameter_moves(learnt, names)}
    priors = {leaf.name: leaf.prior for leaf in leaves(iran.account.reporting) if leaf.prior is not None}
    others = {move.name for move, _ in reporting_moves(iran.account.reporting, names, priors)}
    heads = {f"reporting.{name.partition('.')[0]}" for name in names}
    assert moved | heads >= {leaf.name if leaf.name in moved else leaf.name.rpartition(".")[0] for leaf in learnt}
    assert others >= heads | {f"reporting.{name}" for name in ("vague", "vague_reach", "shared_origin", "grains")}


def test_a_second_look_says_what_has_to_be_fitted(built, fitted):
    found, posterior, _ = fitted
    look = second_look(built, found, posterior, seed=1, processes=1)
    assert {row["name"] for row in look["influence"] if row["kind"] == "claim"} == {"c1", "c2", "c3", "c4"}
    assert set(look["checks"]) == {"c1", "c2", "c3", "c4"}
    assert set(look["answers"]) >= {"cities", "arrests", "state: arrests", "opposition: arrests"}
    crowd = next(claim for claim in built.claims.weighed if claim.quantity == "participants")
    asked = look["asked"]["participants"]
    assert (asked["place"], asked["start"], asked["end"]) == (crowd.place, str(crowd.start), str(crowd.end)), (
        "one crowd is claimed, and not the country's"
    )
    foremost = {look["influence"][i]["name"] for i in to_fit_anew(look["influence"])}
    assert "c2" in foremost
    parts = to_fit(built, look)
    part = next(part for part in parts if part.reading.without == ("c2",))
    tiny = Size(draws=20, effective=10, most=60, round=20, histories=2).method(1)
    made = part.row(refit(built, part.reading, tiny, log_evidence=0.0, rng=generator(1), processes=1))
    part.put(made)
    row = next(row for row in look["influence"] if row["name"] == "c2")
    assert row["by"] == "fit"
    assert set(row["answers"]["cities"]) >= {"shift", "error", "quantiles"}
    assert look["checks"]["c2"]["by"] == "fit"
    assert look["checks"]["c3"]["by"] == "weights"


def test_a_study_of_one_claim_is_left_with_its_prior(built):
    """No lean, no speaker heard twice, and nothing once the claim is out: by weights and by a fit of nothing."""
    record = Record((built.claims.weighed["c1"],))
    account = Account(built.account.process, Reporting.for_record(record, built.case.anchor))
    assert integrable(account.reporting) == ()
    one = replace(built, account=account, claims=replace(built.claims, weighed=record))
    method = Size(draws=40, effective=20, most=80, round=40, histories=2).method(1)
    found = fit(account, built.setting, record, method, rng=generator(1), fixed=built.held)
    posterior = posterior_histories(account, built.setting, record, found, 1)
    look = second_look(one, found, posterior, seed=1, processes=1)
    (row,) = look["influence"]
    assert row["log_predictive"] == pytest.approx(found.log_density, abs=0.7)
    anew = refit(one, Reading(without=("c1",), ask=("c1",)), method, log_evidence=found.log_density, rng=generator(2),
                 processes=1)  # fmt: skip
    assert -0.5 < anew.log_ratio + found.log_density <= 0, "of nothing, the evidence is the share that does not explode"
    assert np.isfinite(anew.said["c1"]).all()


def test_a_source_that_lists_places_is_looked_at_too(built, tmp_path):
    """Weights take what its list held as a part of the draw, and so tell the same as a fit without its claims."""
    speaker = next(c.speaker for c in built.claims.weighed if c.quantity == "cities_with_protest")
    new_study(tmp_path / "case")
    made = built.case.model_copy(update={"listing": (speaker,)}).build(tmp_path / "case")
    record = made.claims.weighed
    size = Size(draws=240, effective=160, most=1_500, round=100, histories=8)
    found = fit(made.account, made.setting, record, size.method(1), rng=generator(4), fixed=made.held)
    posterior = posterior_histories(made.account, made.setting, record, found, 1)
    assert any((draw["heard"] < draw["hidden"]).any() for draw in posterior)
    assert all((draw["heard"] <= draw["hidden"]).all() for draw in posterior)
    out = next((claim.id,) for claim in record if claim.speaker == speaker and claim.quantity == "cities_with_protest")
    base, (weighed,) = reread(made, found, posterior, [Reading(without=out)], seed=1, processes=1)
    anew = refit(
        made, Reading(without=out), size.method(1), log_evidence=found.log_density, rng=generator(5), processes=1
    )
    one, other = weighed.answers.told(base), shifted(anew.answers.told(), base.told())
    for name in one:
        noise = float(np.hypot(one[name]["error"], other[name]["error"]))
        assert one[name]["shift"] == pytest.approx(other[name]["shift"], abs=4 * noise), name
    assert weighed.log_ratio == pytest.approx(anew.log_ratio, abs=0.5)
