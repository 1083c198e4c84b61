"""What to go and count: designs as claims, shares that add up, and the exact evidence where it can be had."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from groundswell.cli.main import main
from groundswell.data.record import Record
from groundswell.errors import DataError, UsageError
from groundswell.infer.model_choice import taught
from groundswell.models.base import Account
from groundswell.models.reporting.claims import Reporting
from groundswell.params import leaves, replacing
from groundswell.report.power_report import best, narrowed, now
from groundswell.report.words import in_words
from groundswell.rng import keyed
from groundswell.studies import designs, power
from groundswell.studies.answers import asked_windows, lean_cells
from groundswell.studies.case import Built, Case
from groundswell.studies.new import new_study
from groundswell.studies.run import DECISIVE, folder_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("study") / "case"
    new_study(where)
    return where


@pytest.fixture(scope="module")
def built(folder: Path) -> Built:
    return Case.read(folder / "study.toml").build(folder)


@pytest.fixture(scope="module")
def result(built: Built) -> dict:
    tried = designs.chosen(built, ["daily", "arrests-by-city"])
    return power.power(built, tried, components=["call", "media"], records=80, seed=3)


def test_designs_are_questions_of_one_hand(built: Built) -> None:
    found = {design.name: design for design in designs.standard(built)}
    window = built.setting.window
    assert len(found["daily"].claims) == window.days
    weekly = found["weekly"].claims
    assert [claim.start for claim in weekly] == [window.start, window.start + timedelta(7)]
    assert weekly[-1].end == window.end
    assert {claim.place for claim in weekly} == {"Exampleland"}
    assert {claim.stance for design in found.values() for claim in design.claims} == {"third_party"}
    assert [claim.place for claim in found["arrests-by-city"].claims][:2] == ["Alphaville", "Betaburg"]
    asked = {(c.quantity, c.place, c.start, c.end) for c in built.claims.weighed}
    assert {(c.quantity, c.place, c.start, c.end) for c in found["second-source"].claims} == asked
    assert len(found["second-source"].claims) == 3  # two speakers on the same arrests are one question
    assert {claim.start for claim in found["second-window"].claims} == {window.start + timedelta(7)}
    assert "groups" not in found  # no claim of this record is about groups


def test_a_case_with_claims_on_groups_may_count_them() -> None:
    home = folder_of("iran-2017")
    found = {d.name: d for d in designs.standard(Case.read(home / "study.toml").build(home))}
    assert {claim.quantity for claim in found["groups"].claims} == {"groups_formed", "teams_arrested"}


def test_a_design_of_ones_own(built: Built, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[capital]\ndoc = "arrests in the capital, every third day"\n'
        '[[capital.ask]]\nquantity = "arrests"\nplace = "Alphaville"\nevery = 3\nspeaker = "lawyers"\n'
        '[[capital.ask]]\nquantity = "participants"\nlargest = 2\nqualifier = "between"\nend = 2024-03-03\n'
    )
    first, mine = designs.chosen(built, ["capital"], file)
    assert first.name == designs.NOTHING_NEW
    assert [claim.quantity for claim in mine.claims] == ["arrests"] * 5 + ["participants"] * 2
    assert mine.claims[4].end == built.setting.window.end
    assert mine.claims[5].value_high == 150
    found = power.power(built, (first, mine), components=["call"], records=40)
    assert [row["figures"] for row in found["designs"]] == [0, 7]
    for text, words in (
        ('[a]\n[[a.ask]]\nquantity = "arrest"\n', 'Nearest name: "arrests"'),
        ('[a]\n[[a.ask]]\nquantity = "arrests"\nplace = "Alphaville"\nlargest = 2\n', "one of them"),
        ('[a]\nquantity = "arrests"\n', "is no design"),
        ('[a]\n[[a.ask]]\nquantity = "arrests"\nplaces = "x"\n', "question 1: places"),
    ):
        file.write_text(text)
        with pytest.raises(UsageError, match=words):
            designs.own(built, file)


def test_what_cannot_be_asked_is_refused(built: Built) -> None:
    with pytest.raises(UsageError, match=r'"dayly" is no design here: .* Nearest name: "daily"'):
        designs.chosen(built, ["dayly"])
    with pytest.raises(UsageError, match='"calls" is no mechanism'):
        power.power(built, designs.chosen(built, ["daily"]), components=["calls"], records=20)
    late = designs.Asked(quantity="arrests", end=built.setting.window.end + timedelta(3))
    with pytest.raises(DataError, match="after the study's last day"):
        power.power(
            built, (designs.Design("late", "late", late.claims(built, "late")),), components=["call"], records=20
        )
    backwards = designs.Asked(quantity="arrests", end=built.setting.window.start - timedelta(3))
    with pytest.raises(DataError, match="swap the dates"):
        backwards.claims(built, "backwards")
    picked = dataclasses.replace(built, case=built.case.model_copy(update={"picked": True}))
    with pytest.raises(UsageError, match="picked = false"):
        power.power(picked, designs.chosen(built, ["daily"]), records=20)


def test_shares_add_up_and_every_one_has_its_error(result: dict) -> None:
    assert {(row["left_out"], row["design"]) for row in result["pairs"]} == {
        (name, design) for name in ("call", "media") for design in ("as it is", "daily", "arrests-by-city")
    }
    for row in result["pairs"]:
        assert row["right"] + row["wrong"] + row["cannot_tell"] == pytest.approx(1)
        assert row["right"] == pytest.approx((row["right_with"] + row["right_without"]) / 2)
        assert min(row["right_error"], row["wrong_error"]) >= 0 < row["bits_error"]
        assert row["bits"] < 1
    first = [row for row in result["pairs"] if row["design"] == "as it is"]
    assert all(row["gain"] == 0 == row["gain_error"] for row in first)
    assert result["threshold"] == DECISIVE
    assert {row["answer"] for row in result["answers"]} >= {"cities", "arrests", "lean of state, arrests"}
    assert json.loads(json.dumps(result)) == result


def test_arrests_by_city_pin_the_number_of_arrests(built: Built) -> None:
    """Over the days of which the record tells; a regression on so many figures needs records to learn from."""
    tried = designs.chosen(built, ["arrests-by-city"])
    assert {(claim.start, claim.end) for claim in tried[1].claims} == {(date(2024, 3, 1), date(2024, 3, 7))}
    found = power.power(built, tried, components=["call"], records=400, seed=3)
    sd = {row["design"]: row for row in found["answers"] if row["answer"] == "arrests"}
    assert sd["arrests-by-city"]["sd"] < 0.8 * sd["as it is"]["sd"] < sd["as it is"]["before"]


def test_a_number_is_what_happened_in_the_windows_that_the_record_asks_for(built: Built) -> None:
    """Of one history the answers are the logs of the quantities that its claims speak of, leans beside them."""
    base = built.claims.weighed
    groups = built.account.reporting.prepare(base)
    asked = {name: groups[at] for name, at in asked_windows(built).items()}
    accounts = {power.WHOLE: built.case.account(base)}
    cells = lean_cells(built)
    drawn = power.Drawn(accounts, built.setting, base, frozenset(built.held), power.Source({}), asked, cells)
    _, answers = drawn(power.WHOLE, (1, 2))
    rng = keyed(1, 2)
    account = replacing(accounts[power.WHOLE], power.Source({}).draw(drawn.free[power.WHOLE], rng))
    history = account.process.simulate(built.setting, rng=rng)
    week = slice(0, 7)
    assert answers["arrests"] == pytest.approx(np.log(history["arrests"][:, week].sum() + 0.5))
    assert answers["cities"] == pytest.approx(np.log((history["events"][:, week] > 0).any(axis=1).sum() + 0.5))
    assert answers["lean of state, arrests"] == pytest.approx(
        account.reporting.bias["state"] + account.reporting.bias_by_kind["state:arrests"]
    )


def test_the_answer_is_a_sentence(result: dict) -> None:
    words = in_words((*now(result), best(result), *narrowed(result)))
    assert "told apart correctly" in words[0]
    assert any(said.startswith(("Best of the 2 additions", "None of the additions")) for said in words)
    sure = result | {"best": {"design": "daily", "gain": 0.4, "gain_error": 0.02}}
    assert "cities with protest, day by day, by one hand" in in_words([best(sure)])[0]
    alone = result | {"designs": result["designs"][:1]}
    assert in_words([best(alone)]) == ["No addition was tried."]


def test_the_same_seed_gives_the_same_answer_on_two_processes(built: Built) -> None:
    tried = designs.chosen(built, ["weekly"])
    one, two = (power.power(built, tried, components=["call"], records=30, seed=5, processes=n) for n in (1, 2))
    assert one == two


def test_an_earlier_result_moves_the_parameters(built: Built) -> None:
    rows = [{"parameter": "process.arrests.per_event", "shift": 2.0, "sd_ratio": 0.1}]
    source = power.Source.of({"parameters": rows})
    free = [leaf for leaf in leaves(built.account) if leaf.name == "process.arrests.per_event"]
    drawn = np.log([source.draw(free, keyed(1, i))["process.arrests.per_event"] for i in range(200)])
    assert drawn.mean() == pytest.approx(np.log(8) + 2 * 0.8, abs=0.03)
    assert drawn.std() == pytest.approx(0.08, rel=0.2)


def test_the_command_writes_a_report(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    wanted = ["--design", "weekly", "--component", "call", "--records", "50", "--processes", "1", "--out", str(out)]
    assert main(["power", str(folder), *wanted, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["words"][0].startswith("With and without calls to protest:")
    assert "What should be counted next?" in (out / "report.html").read_text(encoding="utf-8")
    assert {"pairs.csv", "pairs.parquet", "answers.csv", "result.json", "configuration.toml"} <= {
        path.name for path in out.iterdir()
    }


def evidence(account: Account, built: Built, records: list[Record], draws: int, held: frozenset[str]) -> np.ndarray:
    """(R,) log evidence by plain Monte Carlo: the mean of the claims' probability over histories from the prior."""
    free = [leaf for leaf in leaves(account) if leaf.prior is not None and leaf.name not in held]
    prepared = [account.reporting.prepare(record) for record in records]
    logs = np.full((len(records), draws), -np.inf)
    for n in range(draws):
        rng = keyed(77, n)
        drawn = replacing(account, {leaf.name: leaf.from_free(leaf.center + leaf.sd * rng.normal()) for leaf in free})
        history = drawn.process.simulate(built.setting, rng=rng)
        if history.exploded:
            continue
        q = [np.array([group.value(built.setting, history)]) for group in prepared[0]]
        for r, groups in enumerate(prepared):
            bound = groups.bind(drawn.reporting)
            logs[r, n] = sum(one.log_likelihood(x)[0] for one, x in zip(bound, q, strict=True))
    return np.logaddexp.reduce(logs, axis=1) - np.log(np.isfinite(logs[0]).sum())


@pytest.mark.slow
def test_the_odds_stand_for_the_exact_evidence(built: Built) -> None:
    """Four claims on six places: few enough for the prior itself to be weighed. With and without the call."""
    first = designs.chosen(built, ["weekly"])[:1]
    drawn = power.simulated(built, first, ["call"], records=1500, seed=1, processes=1, source=power.Source({}))
    pair = [drawn.figures[name] for name in (power.WHOLE, "call")]
    found = taught(np.vstack(pair), np.repeat([0, 1], [len(one) for one in pair]), 0.02)
    weighed = built.claims.weighed
    reporting = Reporting.for_record(weighed, built.case.anchor)
    accounts = [Account(built.case.process(), reporting), Account(built.case.without("call").process(), reporting)]
    held = frozenset(built.held)
    records: list[Record] = []
    for k, account in enumerate(accounts):
        free = [leaf for leaf in leaves(account) if leaf.prior is not None]
        for i in range(12):
            rng = keyed(9, k, i)
            values = {leaf.name: leaf.from_free(leaf.center + leaf.sd * rng.normal()) for leaf in free}
            records.append(replacing(account, values).simulate(built.setting, weighed, rng=rng)[1])
    exact = np.subtract(*(evidence(account, built, records, 4000, held) for account in accounts))
    figures = np.log([[claim.value + 0.5 for claim in record] for record in records])
    odds = np.subtract(*found.log_probability(figures).T)
    # well inside the bound that decides; the evidences by Monte Carlo have a part in it
    assert np.sqrt(np.mean((odds - exact) ** 2)) < DECISIVE / 2
    assert np.corrcoef(odds, exact)[0, 1] > 0.85


def test_a_place_without_a_common_name_says_what_to_do(built: Built) -> None:
    places = dataclasses.replace(built.setting.places, country=("A", *("B",) * 5))
    other = dataclasses.replace(built, setting=dataclasses.replace(built.setting, places=places))
    with pytest.raises(DataError, match="a column `country`"):
        designs.whole(other)


def test_what_tells_another_claim_again_asks_nothing_of_a_second_source(folder: Path, tmp_path: Path) -> None:
    """A case with a row that cites another is tried like any other."""
    case = Case.read(folder / "study.toml")
    for name in ("study.toml", "places.csv"):
        (tmp_path / name).write_text((folder / name).read_text(encoding="utf-8"), encoding="utf-8")
    head, *rows = (folder / "claims.csv").read_text(encoding="utf-8").strip().splitlines()
    columns = head.split(",")
    first = dict(zip(columns, rows[0].split(","), strict=False))
    again = dict.fromkeys(columns, "") | {"id": "again", "cites": first["id"], "outlet": "another"}
    if "cites" not in columns:
        columns, rows = [*columns, "cites"], [f"{row}," for row in rows]
        again |= {"cites": first["id"]}
    text = "\n".join([",".join(columns), *rows, ",".join(again[name] for name in columns)])
    (tmp_path / "claims.csv").write_text(text + "\n", encoding="utf-8")
    built = case.build(tmp_path)
    assert "again" in {claim.id for claim in built.claims.weighed}
    second = next(d for d in designs.standard(built) if d.name == "second-source").claims
    assert len(second) == 3
    assert not any(claim.cites for claim in second)
    found = power.power(built, designs.chosen(built, ["second-source"]), components=["call"], records=60, seed=1)
    assert {row["design"] for row in found["pairs"]} == {"as it is", "second-source"}


def test_a_crowd_on_which_the_sides_differ_is_counted_once_by_somebody_else(built: Built) -> None:
    assert "one-crowd" not in {design.name for design in designs.standard(built)}
    crowd = next(claim for claim in built.claims.weighed if claim.quantity == "participants")
    other = dataclasses.replace(crowd, id="other", stance="state", value=8 * crowd.value, qualifier="about",
                                value_high=None, origin="other")  # fmt: skip
    near = dataclasses.replace(other, id="near", value=1.2 * crowd.value, start=crowd.start + timedelta(1),
                               end=crowd.start + timedelta(1))  # fmt: skip

    def asked(*claims):
        claims = dataclasses.replace(built.claims, weighed=Record((*built.claims.weighed, *claims)))
        return {d.name: d for d in designs.standard(dataclasses.replace(built, claims=claims))}

    design = asked(other, near)["one-crowd"]
    (claim,) = design.claims
    assert (claim.quantity, claim.place, claim.start, claim.end) == (
        "participants", crowd.place, crowd.start, crowd.end,
    )  # fmt: skip
    assert (claim.stance, claim.origin, claim.speaker) == (built.case.anchor, "", "a new count")
    assert "one-crowd" not in asked(near)
