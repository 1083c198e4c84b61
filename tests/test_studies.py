"""Studies of claims: a folder goes in, a result comes out, and nothing is lost on the way."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell.data.files import contents
from groundswell.data.quantities import QUANTITIES
from groundswell.data.record import Record
from groundswell.errors import DataError, UsageError
from groundswell.models.base import Account
from groundswell.models.reporting.claims import Reporting
from groundswell.params import Effects, leaves
from groundswell.report import claims_answers as answers
from groundswell.report.claims_report import write_report
from groundswell.report.language import Speaker
from groundswell.rng import keyed
from groundswell.studies import run as runs
from groundswell.studies.answers import answers_of, asked_rows, asked_windows, lean_of
from groundswell.studies.case import Case, read_places
from groundswell.studies.conditioning import Size, far_claims, joining_rows, reachable, settling_claims
from groundswell.studies.forecasting import COLUMNS, read_draws
from groundswell.studies.joining import joining
from groundswell.studies.new import new_study
from groundswell.studies.quality import Weighted, targets
from groundswell.studies.replay import prior_histories
from groundswell.studies.run import Effort, component_rows, folder_of, run_study

TINY = Size(draws=12, effective=10, most=40, round=20, histories=2, prior_draws=5, joining_draws=20)
SMALL = Effort(
    main=Size(draws=32, effective=20, most=120, round=40, histories=6, prior_draws=12, joining_draws=60), part=TINY
)


@pytest.fixture(scope="module")
def iran():
    folder = folder_of("iran-2017")
    return Case.read(folder / "study.toml").build(folder)


def with_claim(built, claim_id: str, **changes):
    """The same case with one claim changed."""
    record = Record(tuple(replace(c, **changes) if c.id == claim_id else c for c in built.claims.weighed))
    account = Account(built.account.process, Reporting.for_record(record, built.case.anchor))
    return replace(built, account=account, claims=replace(built.claims, weighed=record))


def test_a_quiet_small_place_is_no_reason_to_refuse_a_claim(iran):
    """In six draws from the prior Kermanshah is quiet on that day; a claim on it can be met all the same."""
    weighed = iran.claims.weighed
    at = next(i for i, g in enumerate(iran.account.reporting.prepare(weighed)) if g.claims[0].id == "t04")
    six = (prior_histories(iran.account, iran.setting, weighed, 6, seed, 1) for seed in range(1, 30))
    reachable(iran, next(prior for prior in six if all(draw["hidden"][at] == 0 for draw in prior)), 1)
    for identifier, value in (("t04", 4e9), ("t08", 4e9)):
        wrong = with_claim(iran, identifier, value=value)
        prior = prior_histories(wrong.account, wrong.setting, wrong.claims.weighed, 6, 1, 1)
        with pytest.raises(
            DataError, match=rf"claim {identifier}.* lies between .* and the best log weight .* is -\d+\. No draw"
        ):
            reachable(wrong, prior, 1)


def test_effective_draws_are_what_they_say():
    """Equal weights: all of them. One weight of all: one. In between the error of the mean over repeats decides."""
    rng = keyed(9, 1)
    values = rng.normal(size=400)
    assert Weighted(values, np.full(400, 1 / 400)).effective == pytest.approx(400)
    assert Weighted(np.ones(5), np.full(5, 0.2)).effective == 5
    raw = np.exp(0.5 * rng.normal(size=(3_000, 400)))
    weights = raw / raw.sum(axis=1, keepdims=True)
    draws = rng.normal(size=(3_000, 400))
    means = np.array([Weighted(x, w).mean for x, w in zip(draws, weights, strict=True)])
    counted = [Weighted(x, w).effective for x, w in zip(draws[:200], weights[:200], strict=True)]
    assert np.mean(counted) == pytest.approx(1 / means.var(), rel=0.1)


def test_effective_draws_are_counted_for_what_claims_speak_of(iran):
    """Of totals that no claim asks for nothing is counted; where none is asked for, the windows of the claims are."""

    def of(*ids: str) -> dict[str, float]:
        record = Record(tuple(claim for claim in iran.claims.weighed if claim.id in ids))
        built = replace(
            iran,
            account=Account(iran.account.process, Reporting.for_record(record, record.stances()[0])),
            claims=replace(iran.claims, weighed=record),
        )
        rng = keyed(9, 2)
        posterior = [
            {"cities_so_far": [3.0, n], "arrests_so_far": [n, 2 * n], "hidden": [n] * len(record)}
            for n in rng.integers(1, 90, size=50)
        ]
        found = SimpleNamespace(names=("process.keep",), details={"index": np.arange(50)})
        return {name: weighted.effective for name, weighted in targets(built, found, posterior).items()}

    assert of("t08") == {"log arrests": pytest.approx(50)}
    assert set(of("t08", "t13")) == {"log cities", "log arrests"}
    assert set(of("s06", "s11")) == {"log joining"}
    assert set(of("t03", "t04")) == {
        "log participants, Tehran, 2017-12-29", "log participants, Kermanshah, 2017-12-29"
    }  # fmt: skip


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    new_study(tmp_path / "case")
    return tmp_path / "case"


def test_every_claim_of_the_iranian_record_is_in_exactly_one_heap(iran):
    heaps = [{c.id for c in iran.claims.weighed}, {u.claim.id for u in iran.claims.setting},
             {u.claim.id for u in iran.claims.unspoken}]  # fmt: skip
    assert sum(map(len, heaps)) == len(iran.record) == 34
    assert set().union(*heaps) == {claim.id for claim in iran.record}
    assert heaps[1] == {"s02", "s05", "t16"}
    assert heaps[2] == {"s09", "s10", "s12", "s13", "s14", "t10", "t11", "t12"}


def test_the_iranian_claims_are_those_of_the_reference(iran, reference):
    with (reference / "iran2017/statements.csv").open(encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert set(rows) == {claim.id for claim in iran.record}
    for claim in iran.record:
        row = rows[claim.id]
        assert (claim.quantity, claim.qualifier, claim.value, claim.stance, claim.speaker) == (
            row["quantity"], row["qualifier"], float(row["value"]), row["stance"], row["speaker"],
        )  # fmt: skip
        assert (claim.start.isoformat(), claim.end.isoformat()) == (row["start"], row["end"])


def test_no_document_of_the_iranian_claims_lacks_its_source(iran):
    assert {claim.document for claim in iran.record} <= set(iran.case.documents)


def test_the_group_part_runs_to_the_last_claim_about_groups(iran):
    edges = iran.setting.later_edges
    assert iran.setting.window.date(edges[-1] - 1).isoformat() == "2019-12-06"
    assert max(np.diff(edges)) == 7
    for claim in iran.claims.weighed:
        if QUANTITIES[claim.quantity].runs_later:
            assert iran.setting.window.day(claim.end) + 1 in edges


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> tuple[Path, dict, Path]:
    folder = tmp_path_factory.mktemp("study")
    new_study(folder / "case")
    out = folder / "out"
    return folder / "case", run_study(str(folder / "case"), out, seed=3, processes=1, effort=SMALL), out


def test_the_report_says_what_its_answers_rest_on(ran, tmp_path):
    _, result, _ = ran
    page = write_report(result, tmp_path).read_text(encoding="utf-8")
    assert {row["name"] for row in result["look"]["influence"] if row["kind"] == "claim"} == {"c1", "c2", "c3", "c4"}
    assert all(set(row["check"] if "check" in row else result["look"]["checks"][row["id"]]) for row in result["claims"])
    for words in ("Which statement drives the result", "For arrests", "What was put in beforehand", "p without it",
                  "The same account told of persons", "rounding"):  # fmt: skip
        assert words in page, words
    driver = {**result["look"], "influence": json.loads(json.dumps(result["look"]["influence"]))}
    for row in driver["influence"]:
        mine = row["name"] == "c2"
        row |= {"reliable": True}
        row["answers"]["arrests"] |= {"shift": 2.0 if mine else 0.1, "error": 0.05}
    page = write_report({**result, "look": driver}, tmp_path).read_text(encoding="utf-8")
    assert (
        "For arrests (Exampleland, 1 to 7 March) the result rests most on c2 (40 persons, ministry of the interior)"
        in page
    )
    for row in driver["influence"]:
        row["reliable"] = False
    page = write_report({**result, "look": driver}, tmp_path).read_text(encoding="utf-8")
    assert "For arrests (Exampleland, 1 to 7 March) the result seems to rest most on c2" in page
    assert "would be higher than" in page, "no number where the draws cannot tell"
    page = write_report(
        {**result, "look": driver, "size": {**result["size"], "approximate": True}}, tmp_path
    ).read_text(encoding="utf-8")
    assert "An approximate run" in page
    assert ": approximately " in page
    assert "seems to rest" not in page, "an approximate run says nothing from doubtful rows"
    for row in driver["influence"]:
        row["answers"]["arrests"] |= {"shift": 2.0, "error": 1.5}
    page = write_report({**result, "look": driver}, tmp_path).read_text(encoding="utf-8")
    assert "For arrests (Exampleland, 1 to 7 March) no single claim matters by itself" in page, (
        "a shift within its noise drives nothing"
    )


def test_a_run_writes_everything_and_says_every_claim(ran):
    _, result, out = ran
    assert json.loads((out / "result.json").read_text()) == json.loads(json.dumps(result))
    second = ("influence", "checks", "judgements")
    for name in ("paths", "claims", "not_weighed", "parameters", "lean", "places", "places_by_day", *second):
        assert (out / f"tables/{name}.csv").is_file()
        assert (out / f"tables/{name}.parquet").is_file()
    assert {row["id"] for row in result["claims"]} == {"c1", "c2", "c3", "c4"}
    assert "run.json" in {path.name for path in out.iterdir()}
    assert not [path for path in out.rglob(".*") if path.is_file()], "temporary files were left behind"


def test_the_result_holds_no_clock_or_path(ran):
    folder, result, out = ran
    text = json.dumps(result)
    assert str(folder) not in text
    assert str(out) not in text
    assert "seconds" not in result


def test_same_seed_and_claims_in_any_order_same_bits_for_one_and_two_processes(ran, tmp_path):
    folder, result, _ = ran
    lines = (folder / "claims.csv").read_text().splitlines()
    turned = tmp_path / "turned"
    turned.mkdir()
    for name in ("study.toml", "places.csv"):
        (turned / name).write_text((folder / name).read_text())
    with (turned / "claims.csv").open("w", newline="") as file:  # rows from the last on, columns too
        csv.writer(file).writerows([row[::-1] for row in csv.reader([lines[0], *reversed(lines[1:])])])
    again = run_study(str(turned), tmp_path / "out", seed=3, processes=2, effort=SMALL)
    assert json.dumps(again, sort_keys=True) == json.dumps(result, sort_keys=True)


def test_the_full_run_resumes_where_it_was_interrupted(starter, tmp_path, monkeypatch):
    out = tmp_path / "out"
    asked = []
    real = runs.fit

    def counting(*given, **named):
        asked.append(1)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return real(*given, **named)

    monkeypatch.setattr(runs, "fit", counting)
    tiny = Effort(main=TINY, part=TINY)
    with pytest.raises(KeyboardInterrupt):
        run_study(str(starter), out, seed=1, processes=1, full=True, effort=tiny)
    kept = {path.name: path.stat().st_mtime_ns for path in (out / "runs").glob("evidence-*.json")}
    assert len(kept) == 3
    assert not (out / "result.json").exists(), "an interrupted run must not look finished"
    result = run_study(str(starter), out, seed=1, processes=1, full=True, effort=tiny)
    for name, stamp in kept.items():
        assert (out / "runs" / name).stat().st_mtime_ns == stamp
    assert {row["left_out"] for row in result["components"]} == set(runs.COMPONENTS)
    assert set(result["anchors"]) == {"opposition", "state", "third_party"}


def test_components_are_told_apart_only_beyond_noise_and_a_bare_mention():
    rows = component_rows({"all": [-10.0, -10.2, -9.8], "call": [-14.0, -14.1, -13.9], "media": [-10.5, -10.1, -9.9],
                           "within": [-9.0, -14.0, -12.0]})  # fmt: skip
    assert {row["left_out"]: row["verdict"] for row in rows} == {
        "call": "needed", "media": "cannot tell", "within": "cannot tell",
    }  # fmt: skip


def one_by_one(built, window, claims, *, draws, rng):
    """P(joins > arrests) and its error, every draw by itself: groups by the day, claims under drawn habits."""
    priors = {leaf.name: leaf.prior for leaf in leaves(built.account.process.groups) if leaf.prior is not None}
    reporting = Reporting.for_record(Record(tuple(claims)), claims[0].stance)
    reporting = replace(
        reporting, anchor=built.case.anchor, bias=Effects(dict.fromkeys({c.stance for c in claims}, 0.0)),
        bias_by_kind=Effects({f"{c.stance}:groups": 0.0 for c in claims}),
    )  # fmt: skip
    prepared = reporting.prepare(claims)
    day = built.setting.window.day
    joins, logs = np.empty(draws), np.empty(draws)
    for i in range(draws):
        initial, recruitment, breakup = (
            priors[name].median * np.exp(priors[name].sd * rng.standard_normal())
            for name in ("initial", "recruitment", "breakup")
        )
        alive, last = rng.poisson(initial), max(day(c.end) for c in claims) + 1
        formed, broken = np.zeros(last), np.zeros(last)
        for t in range(last):
            formed[t] = rng.poisson(recruitment / 365 * alive)
            broken[t] = rng.binomial(int(alive), -np.expm1(-breakup / 365))
            alive += formed[t] - broken[t]
        drawn = {
            leaf.name: leaf.from_free(leaf.to_free(leaf.prior.median) + leaf.prior.sd * rng.standard_normal())
            for leaf in leaves(reporting)
            if leaf.prior is not None
        }
        logs[i] = 0.0
        for bound in prepared.bind(reporting.replacing(drawn)):
            a, b = day(bound.group.start), day(bound.group.end) + 1
            ratio = bound.group.quantity.functional == "ratio"
            q = (formed[a:b].sum() + 0.5) / (broken[a:b].sum() + 0.5) if ratio else broken[a:b].sum()
            logs[i] += bound.log_likelihood(np.array([q]))[0]
        a, b = day(window[0]), day(window[1]) + 1
        joins[i] = formed[a:b].sum() > broken[a:b].sum()
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    probability = weights @ joins
    return probability, np.sqrt(weights**2 @ (joins - probability) ** 2)


def test_116_teams_alone_leave_the_question_of_joining_at_its_prior(iran):
    teams, asked = iran.record["s06"], iran.record["s11"]
    window = (asked.start, asked.end)
    prior, given = (
        joining(iran.account, iran.setting, window, claims, "x", draws=3000, rng=keyed(5, i))
        for i, claims in enumerate(([], [teams]))
    )
    assert given.effective > 300
    assert abs(given.probability - prior.probability) < 0.05
    assert given.error == pytest.approx(np.sqrt(given.probability * (1 - given.probability) / given.effective), rel=0.2)


def test_that_joining_is_not_identified_is_said_in_so_many_words(iran):
    """For every seed: the claim moves the probability by less than the threshold and twice the noise."""
    posterior = [{"hidden": np.ones(len(iran.account.reporting.prepare(iran.claims.weighed))), "exploded": False}]
    claims = [{"id": c.id, "said": c.words()} for c in iran.claims.weighed]
    for seed in (1, 4):
        found = joining_rows(iran, 8_000, seed, posterior)
        assert not found["identified"]
        assert "Not identified." in answers.joining({"joining": found, "claims": claims}, Speaker("en"))


def test_joining_averages_over_the_habits_of_speakers(iran):
    """The same claims weighed history by history under habits drawn anew for each: the same answer, more noise."""
    teams, asked = iran.record["s06"], iran.record["s11"]
    found = joining(
        iran.account, iran.setting, (asked.start, asked.end), [teams, asked], "x", draws=20_000, rng=keyed(5, 1)
    )
    slow, error = one_by_one(iran, (asked.start, asked.end), [teams, asked], draws=3_000, rng=keyed(5, 2))
    assert found.probability == pytest.approx(slow, abs=4 * np.hypot(found.error, error))


def test_an_independent_count_of_both_settles_it(iran):
    teams, asked = iran.record["s06"], iran.record["s11"]
    settled = joining(
        iran.account, iran.setting, (asked.start, asked.end),
        settling_claims(asked, teams.value, "third_party"), "x", draws=6000, rng=keyed(5, 9),
    )  # fmt: skip
    assert settled.effective > 100
    assert settled.probability > 0.9


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (("study.toml", 'anchor = "third_party"', 'anchor = "thirdparty"'), UsageError, "third_party"),
        (("study.toml", 'title = "My case"', 'titel = "My case"'), UsageError, "titel"),
        (("study.toml", 'active_on_day0 = ["Alphaville"]', 'active_on_day0 = ["Alfaville"]'), DataError, "Alphaville"),
        (("study.toml", "end = 2024-03-14", "end = 2024-02-14"), DataError, "before"),
        (("claims.csv", "ministry of the interior", ""), DataError, "speaker"),
        (("claims.csv", ",arrests,Exampleland", ",arests,Exampleland"), DataError, "arrests"),
        (("claims.csv", ",40,", ",forty,"), DataError, "forty"),
        (
            ("study.toml", 'places = "places.csv"', 'fixed = {"process.kep" = 0.5}\nplaces = "places.csv"'),
            UsageError,
            "keep",
        ),
        (("places.csv", "900000", "many"), DataError, "many"),
        (("study.toml", "date = 2024-03-04", "date = 2024-03-04\nlargest = 500"), UsageError, "there are"),
        (("study.toml", "date = 2024-03-04", "date = 2024-03-04\nlargest = 2\nrandom = 2"), UsageError, "one of them"),
        (("study.toml", "date = 2024-03-04", 'date = "4 March"'), UsageError, "setting.calls.0.date"),
        (("study.toml", "date = 2024-03-04", 'date = 2024-03-04\nclaim = "zz"'), DataError, 'the claim "zz"'),
        (("study.toml", "date = 2024-03-04", 'date = 2024-03-04\nplaces = ["Omegavile"]'), DataError, "the call of"),
        (("claims.csv", "c2,arrests,Exampleland", "c2,arrests,Examplelnd"), DataError, "claim c2"),
        (("claims.csv", ",exactly,40,,", ",exactly,1e300,,"), DataError, "more than anything"),
        (("places.csv", "longitude", "longitude,longitude"), DataError, "longitude"),
        (("places.csv", "population", "people"), DataError, "population"),
    ],
)
def test_bad_input_is_named_with_its_remedy(starter, tmp_path, change, error, words):
    name, old, new = change
    text = (starter / name).read_text()
    assert old in text
    (starter / name).write_text(text.replace(old, new))
    with pytest.raises(error, match=words):
        run_study(str(starter), tmp_path / "out", seed=1, processes=1, effort=SMALL)
    assert not (tmp_path / "out" / "result.json").exists()


def test_what_a_case_holds_fixed_is_held(starter, tmp_path):
    text = (starter / "study.toml").read_text()
    (starter / "study.toml").write_text(text.replace("places =", 'fixed = {"process.keep" = 0.9}\nplaces ='))
    result = run_study(str(starter), tmp_path / "out", seed=1, processes=1, effort=Effort(main=TINY))
    assert "process.keep" not in {row["parameter"] for row in result["parameters"]}
    assert "process.scale" in {row["parameter"] for row in result["parameters"]}


def test_a_missing_study_names_what_there_is():
    with pytest.raises(DataError, match="iran-2017"):
        folder_of("iran-2018")


def test_a_new_study_overwrites_nothing(starter):
    with pytest.raises(UsageError, match="not empty"):
        new_study(starter)


def test_a_claim_that_no_draw_can_meet_is_an_error_with_a_remedy(starter, tmp_path):
    text = (starter / "claims.csv").read_text().replace(",at_least,4,", ",exactly,4000000000,")
    (starter / "claims.csv").write_text(text)
    with pytest.raises(DataError, match="claim"):
        run_study(str(starter), tmp_path / "out", seed=1, processes=1, effort=SMALL)


def test_a_full_run_weighs_again_what_depends_on_a_changed_table_of_places(starter, tmp_path):
    tiny = Effort(main=TINY, part=TINY)
    out = tmp_path / "out"
    run_study(str(starter), out, seed=1, processes=1, full=True, effort=tiny)
    first = {path.name: path.read_text() for path in (out / "runs").iterdir()}
    assert {"main.json", "anchor-state.json", "evidence-all-1.json"} <= set(first)
    again = {path.name: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}
    run_study(str(starter), out, seed=1, processes=1, full=True, effort=tiny)
    assert again == {path.name: path.stat().st_mtime_ns for path in (out / "runs").iterdir()}, "nothing had changed"
    places = (starter / "places.csv").read_text()
    (starter / "places.csv").write_text(places.replace("900000", "90000"))
    run_study(str(starter), out, seed=1, processes=1, full=True, effort=tiny)
    changed = {path.name: path.read_text() for path in (out / "runs").iterdir()}
    assert set(changed) == set(first)
    assert not [name for name in first if changed[name] == first[name]]


def test_a_full_run_is_flagged_for_an_anchor_or_an_evidence_below_its_limits(starter, tmp_path):
    short = Effort(main=TINY, part=replace(TINY, effective=1_000.0))
    result = run_study(str(starter), tmp_path / "out", seed=1, processes=1, full=True, effort=short)
    for words in ("anchor state: ", "evidence of all, replicate 1: ", "effective draws for log arrests"):
        assert any(words in reason for reason in result["reasons"]), words
    text = write_report(result, tmp_path / "out").read_text()
    assert "evidence of all, replicate 1" in text
    assert result["persons"]["draws"] > 0
    assert "persons in jail on the last day" in text
    assert {row["by"] for row in result["look"]["influence"]} == {"fit"}, "so few draws cannot be weighed anew"
    assert "not run: make study-full" not in text
    for idle, words in ((True, "The choice does not matter"), (False, "The choice matters")):
        anchors = {
            name: {**one, "paths": json.loads(json.dumps(one["paths"]))} for name, one in result["anchors"].items()
        }
        for k, one in enumerate(anchors.values()):
            bands = one["paths"]["cities_so_far"]["posterior"]
            for level, factor in (("0.05", 0.5), ("0.5", 1.0), ("0.95", 2.0)):
                bands[level][-1] = 40.0 * factor * (1 if idle else 3**k)
        page = write_report({**result, "anchors": anchors}, tmp_path / "out").read_text()
        assert words in page, words


def test_a_later_run_leaves_nothing_of_an_earlier_one_and_nothing_of_others_is_touched(starter, tmp_path):
    out = tmp_path / "out"
    tiny = Effort(main=TINY, part=TINY)
    run_study(str(starter), out, seed=1, processes=1, full=True, effort=tiny)
    (out / "tables/mine.csv").write_text("x\n")
    assert (out / "tables/components.csv").is_file()
    run_study(str(starter), out, seed=1, processes=1, effort=tiny)
    assert not (out / "tables/components.csv").exists()
    assert (out / "tables/mine.csv").is_file()


def test_nothing_is_replaced_before_everything_is_there(starter, tmp_path):
    out = tmp_path / "out"
    tiny = Effort(main=TINY)

    def interrupted(result, folder):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(str(starter), out, seed=1, processes=1, effort=tiny, also=interrupted)
    assert list(out.iterdir()) == []
    run_study(str(starter), out, seed=1, processes=1, effort=tiny)
    before = {name: (out / name).read_bytes() for name in contents(out)}
    with pytest.raises(KeyboardInterrupt):
        run_study(str(starter), out, seed=2, processes=1, effort=tiny, also=interrupted)
    assert before == {name: (out / name).read_bytes() for name in contents(out)}


def test_a_claim_far_from_what_happened_is_named(ran, starter, tmp_path):
    assert ran[1]["doubts"] == []
    text = (starter / "claims.csv").read_text()
    assert ",exactly,40,," in text
    (starter / "claims.csv").write_text(text.replace(",exactly,40,,", ",exactly,40000,,"))
    result = run_study(str(starter), tmp_path / "out", seed=1, processes=1, effort=SMALL)
    assert any(doubt.startswith("claim c2") for doubt in result["doubts"]), result["doubts"]


def test_only_the_side_that_a_qualifier_rules_out_is_far():
    def row(qualifier, value, high=None):
        return {"id": "x", "quantity": "arrests", "said": "", "speaker": "s", "qualifier": qualifier, "value": value,
                "value_high": high, "happened": [50.0, 80.0, 100.0, 120.0, 150.0]}  # fmt: skip

    named = [row("exactly", 600), row("exactly", 10), row("at_least", 600), row("less_than", 10), row("between", 1, 9)]
    fine = [row("exactly", 300), row("at_least", 1), row("at_most", 9_000), row("between", 9, 600), row("about", 30)]
    assert len(far_claims(named)) == len(named)
    assert far_claims(fine) == []
    assert "Check value" in far_claims(named[:1])[0]
    assert "Check value" not in far_claims(named[:1], ["x"])[0], "where the first day explains it"


def test_a_call_to_so_many_places_at_random_goes_to_the_same_ones_every_time(starter):
    text = (starter / "study.toml").read_text()
    (starter / "study.toml").write_text(text.replace("date = 2024-03-04", "date = 2024-03-04\nrandom = 3"))
    one, two = (Case.read(starter / "study.toml").build(starter) for _ in range(2))
    assert (one.setting.calls == two.setting.calls).all()
    called = np.flatnonzero(one.setting.calls[:, 3])
    assert len(called) == 3
    assert any(all(one.setting.places.name[p] in note for p in called) for note in one.notes)


CELL = st.sampled_from(["", "A", "B", "12", "-3", "nan", "1e9", "900000", "51.4"]) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CELL, min_size=4, max_size=6), max_size=4))
def test_any_table_of_places_is_taken_whole_or_refused(tmp_path, rows):
    path = tmp_path / "places.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["place", "population", "latitude", "longitude", "region", "country"], *rows])
    try:
        places = read_places(path)
    except DataError:
        return
    assert len(places) == len([row for row in rows if row])


DRAWN = st.sampled_from(["2020-01-05", "2020-01-06", "1", "0", "7", "Here", "nan", "-2", "", "x"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(DRAWN, min_size=7, max_size=7), min_size=1, max_size=4))
def test_any_table_of_draws_is_taken_whole_or_refused(tmp_path, rows):
    path = tmp_path / "draws.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    try:
        found = read_draws(path)
    except DataError:
        return
    assert sum(cube.size for cube in found.draws.values()) == len(rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("days", "days", "1", "0"), "days below 1"),
        (("days", "days", "1", "one"), "no number"),
        (("value", "value,value", "3", "3,3"), "more than once"),
    ],
)
def test_a_table_of_draws_with_a_fault_says_which(tmp_path, change, words):
    name, header, cell, wrong = change
    row = dict(zip(COLUMNS, ("2020-01-05", "2020-01-06", "1", "1", "Here", "0", "3"), strict=True))
    assert row[name] == cell
    path = tmp_path / "draws.csv"
    lines = [",".join(header if column == name else column for column in COLUMNS)]
    path.write_text("\n".join([*lines, ",".join({**row, name: wrong}.values())]) + "\n")
    with pytest.raises(DataError, match=words):
        read_draws(path)


def asking(starter, rows: list[str]):
    """The starter's country with other claims: id, quantity, place, start, end, qualifier, value, stance."""
    head = "id,quantity,place,start,end,qualifier,value,stance,speaker,outlet,document\n"
    (starter / "claims.csv").write_text(head + "".join(f"{row},somebody,a paper,made up\n" for row in rows))
    return Case.read(starter / "study.toml").build(starter)


def test_answers_are_the_widest_windows_that_claims_speak_of(starter):
    """What lies in another window of the quantity is no answer of its own, and no claim means no answer."""
    crowds = [
        f"p{day},participants,Alphaville,2024-03-{day:02},2024-03-{day:02},about,{100 * day},third_party"
        for day in (4, 6)
    ]
    country = ["a1,arrests,Exampleland,2024-03-02,2024-03-07,about,90,third_party",
               "a2,arrests,Alphaville,2024-03-03,2024-03-05,about,20,opposition",
               "a3,arrests,Exampleland,2024-03-02,2024-03-07,about,70,opposition"]  # fmt: skip
    windows = {"participants, Alphaville, 2024-03-04", "participants, Alphaville, 2024-03-06"}
    assert set(asked_windows(asking(starter, crowds))) == windows
    built = asking(starter, [*crowds, *country])
    assert set(asked_windows(built)) == {"arrests", *windows}
    assert asked_rows(built)["arrests"] == {
        "quantity": "arrests", "place": "Exampleland", "start": "2024-03-02", "end": "2024-03-07"
    }  # fmt: skip
    many = [
        f"p{day},participants,Alphaville,2024-03-{day:02},2024-03-{day:02},about,{day},third_party"
        for day in range(2, 12)
    ]
    kept = asked_rows(asking(starter, many))
    assert [row["start"][-2:] for row in kept.values()] == ["07", "08", "09", "10", "11"], "the largest five"


def test_an_answer_is_the_quantity_of_its_own_window(starter):
    built = asking(starter, ["a1,arrests,Exampleland,2024-03-02,2024-03-05,about,90,third_party"])
    hidden = [{"hidden": np.array([value])} for value in (10.0, 20.0, 30.0)]
    told = answers_of(built, hidden, {}, np.full(3, 1 / 3)).told()
    assert list(told) == ["arrests"]
    assert told["arrests"]["quantiles"] == pytest.approx([10, 20, 30])
    assert [lean_of(name) for name in ("arrests", "a: b, c: arrests", "participants, X: Y, 2024-03-02")] == [
        None, ("a: b, c", "arrests"), None
    ]  # fmt: skip


def test_every_anchor_can_be_run_without_the_rest_of_a_full_run(starter, tmp_path, monkeypatch):
    """A full run afterwards takes the anchors from there."""
    out, tiny = tmp_path / "out", Effort(main=TINY, part=TINY)
    result = run_study(str(starter), out, seed=1, processes=1, anchors=True, effort=tiny)
    assert set(result["anchors"]) == {"opposition", "state", "third_party"}
    assert result["components"] is None
    kept = {path.name: path.read_bytes() for path in (out / "runs").glob("anchor-*.json")}
    assert len(kept) == 2
    monkeypatch.setattr(runs, "to_fit", lambda *_: [])
    monkeypatch.setattr(runs, "REPLICATES", 2)
    monkeypatch.setattr(runs, "COMPONENTS", ("call",))
    stamps = {name: (out / "runs" / name).stat().st_mtime_ns for name in kept}
    full = run_study(str(starter), out, seed=1, processes=1, full=True, effort=tiny)
    assert {name: (out / "runs" / name).stat().st_mtime_ns for name in kept} == stamps
    assert full["anchors"] == result["anchors"]
    page = write_report(result, tmp_path / "page").read_text(encoding="utf-8")
    assert "groundswell study run FOLDER --anchors" not in page
    assert "arrests (Exampleland, 1 to 7 March)" in page
