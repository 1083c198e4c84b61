"""`groundswell study new`: made up, by a few wishes, or around a table of claims; it runs as it stands."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from groundswell.cli.main import main
from groundswell.cli.study import app
from groundswell.data.check import check
from groundswell.data.claims_table import read_claims
from groundswell.errors import DataError, UsageError
from groundswell.studies.beside import study_beside
from groundswell.studies.case import Case
from groundswell.studies.crowds import MEDIAN, SPREAD, crowds_for, large_crowds
from groundswell.studies.new import Wish, new_study
from groundswell.studies.run import folder_of

HEADER = "id,quantity,place,start,end,qualifier,value,stance,speaker,outlet,stated_on\n"


def table(folder: Path, *lines: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def built(folder: Path):
    return Case.read(folder / "study.toml").build(folder)


def test_without_wishes_it_is_a_made_up_country_with_its_steps(tmp_path):
    made = new_study(tmp_path / "case")
    assert {path.name for path in made.written} == {"study.toml", "claims.csv", "places.csv", "README.md"}
    assert len(built(tmp_path / "case").claims.weighed) == 4
    assert str(tmp_path / "case") in (tmp_path / "case/README.md").read_text()


def test_by_wishes_the_rows_say_that_they_are_made_up(tmp_path):
    wish = Wish("Marches", "France", start=date(2023, 3, 7), stances=("unions", "ministry"), anchor="ministry")
    new_study(tmp_path / "case", wish)
    found = built(tmp_path / "case")
    assert (found.case.title, found.case.anchor, found.case.end) == ("Marches", "ministry", date(2023, 3, 20))
    assert found.record.stances() == ("ministry", "unions")
    assert all("made up" in claim.document for claim in found.record)
    assert set(found.setting.places.country) == {"France"}
    notes = " ".join(check(tmp_path / "case/claims.csv").notes)
    assert "made-up examples of `groundswell study new`, to be deleted: example-1" in notes


def test_around_the_iranian_claims_window_country_calls_and_anchors_are_found(tmp_path):
    made = new_study(tmp_path / "case", Wish(claims=folder_of("iran-2017") / "claims.csv"))
    found, bundled = built(tmp_path / "case"), Case.read(folder_of("iran-2017") / "study.toml")
    assert (found.case.start, found.case.end) == (bundled.start, bundled.end)
    assert found.case.country == "Iran"
    assert [(call.date, call.largest, call.claim) for call in found.case.setting.calls] == [
        (call.date, call.largest, call.claim) for call in bundled.setting.calls
    ]
    assert {c.id for c in found.claims.weighed} == {
        c.id for c in bundled.build(folder_of("iran-2017")).claims.weighed
    } | {"t16"}
    words = "\n".join(made.words)
    assert "opposition (4 claims), state (13 claims), third_party (7 claims)" in words
    assert "s12: more than 100,000 persons (executions)" in words
    assert "24 claims are weighed, 10 are listed and not weighed" in words


def test_crowds_of_a_million_are_allowed_for_and_the_first_day_is_active(tmp_path):
    path = table(
        tmp_path, "a,participants,Lyon,2023-03-07,2023-03-07,about,1.2 million,unions,u,x,",
        "b,participants,Lyon,2023-03-07,2023-03-07,about,40000,ministry,m,x,",
    )  # fmt: skip
    made = new_study(tmp_path / "case", Wish(claims=path))
    found = built(tmp_path / "case")
    assert found.held == {SPREAD: crowds_for(found)[SPREAD]}
    assert found.case.priors[MEDIAN].median == crowds_for(found)[MEDIAN]
    assert large_crowds(found) == []
    assert found.case.setting.active_on_day0 == ("Lyon",)
    assert "crowds of such a size are allowed for (a, b)" in "\n".join(made.words)
    assert "where 5" in "\n".join(made.words), "more than live there"
    assert [c.value for c in read_claims(tmp_path / "case/claims.csv")] == [1_200_000, 40_000]


@pytest.mark.parametrize(
    ("wish", "error", "words"),
    [
        (Wish(country="France"), UsageError, "needs its first day"),
        (Wish(start=date(2023, 1, 1)), UsageError, "needs places"),
        (Wish(country="France", start=date(2023, 1, 1), anchor="nobody"), UsageError, "none of the stances"),
        (Wish(country="Francee", start=date(2023, 1, 1)), DataError, "France"),
    ],
)
def test_wishes_that_cannot_be_met_write_nothing(tmp_path, wish, error, words):
    with pytest.raises(error, match=words):
        new_study(tmp_path / "case", wish)
    assert not (tmp_path / "case").exists()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a,deaths,Lyon,2023-03-07,2023-03-07,about,4,s,u,x,"], "no claim is about events"),
        (["a,events,Nowhere at all,2023-03-07,2023-03-07,about,4,s,u,x,"], "is not told by their places"),
        (["a,events,Washington,2023-03-07,2023-03-07,about,4,s,u,x,",
          "b,events,Lyon,2023-03-07,2023-03-07,about,4,s,u,x,"],
         "is not told by their places"),
        (["a,arests,Lyon,2023-03-07,2023-03-07,about,4,s,u,x,"], 'Nearest name: "arrests"'),
    ],
)  # fmt: skip
def test_tables_around_which_no_study_can_be_made_write_nothing(tmp_path, lines, words):
    with pytest.raises(DataError, match=words):
        new_study(tmp_path / "case", Wish(claims=table(tmp_path, *lines)))
    assert not (tmp_path / "case").exists()


def test_a_new_folder_overwrites_nothing(tmp_path):
    (tmp_path / "note").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        new_study(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


def test_the_command_by_options_and_by_interview(tmp_path, capsys):
    assert main(["study", "new", str(tmp_path / "a"), "--country", "IR", "--start", "2018-01-01", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["written"]) == 3
    answers = "Frankreich\nFrance\n2018-13-01\n2018-01-01\n\nunions, ministry\nministry\nA title\n"
    result = CliRunner().invoke(app, ["new", str(tmp_path / "b"), "--ask"], input=answers)
    assert result.exit_code == 0, result.output
    case = Case.read(tmp_path / "b/study.toml")
    assert (case.title, case.country, case.anchor, case.end) == ("A title", "France", "ministry", date(2018, 1, 14))
    assert f"groundswell study run {tmp_path / 'b'}" in result.output


def test_the_check_of_a_table_tells_what_the_study_beside_makes_of_it(tmp_path, capsys):
    path = table(
        tmp_path, "a,cities_with_protest,France,2023-03-07,2023-03-08,about,900,unions,u,x,",
        "b,participants,Lyon,,2023-03-07,about,9000,ministry,m,x,",
        "c,arrests,France,2023-03-07,2023-03-09,about,9,u,u,x,",
    )  # fmt: skip
    new_study(tmp_path / "case", Wish(claims=path, end=date(2023, 3, 8)))
    assert main(["data", "check", str(tmp_path / "case/claims.csv"), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "c: about 9 persons arrested" in said
    assert "not weighed: its window ends 2023-03-09, after the study's last day 2023-03-08." in said
    assert "claim a: about 900 cities, but the study has 692 places in France" in said
    assert "2 weighed, 1 not" in said
    assert len((tmp_path / "out/read_as.txt").read_text().splitlines()) == 3
    (tmp_path / "case/study.toml").write_text(
        (tmp_path / "case/study.toml").read_text().replace('anchor = "', 'anchor = "no')
    )
    verdict = study_beside(tmp_path / "case/claims.csv")
    assert verdict is not None
    assert "does not take it yet: anchor" in " ".join(verdict.notes)
    (tmp_path / "case/study.toml").write_text("title = ")
    verdict = study_beside(tmp_path / "case/claims.csv")
    assert verdict is not None
    assert "cannot be read" in verdict.notes[0]
    assert study_beside(path) is None


def test_an_answer_that_cannot_be_is_asked_again_with_what_is_expected(tmp_path):
    answers = "Belarus\n9 August\n2020-08-09\n2020-08-01\n2020-08-20\n , \nstate, unions\nregime\nunions\nA title\n"
    result = CliRunner().invoke(app, ["new", str(tmp_path / "a"), "--ask"], input=answers)
    assert result.exit_code == 0, result.output
    case = Case.read(tmp_path / "a/study.toml")
    assert (case.start, case.end, case.anchor) == (date(2020, 8, 9), date(2020, 8, 20), "unions")
    said = " ".join(result.output.split())
    assert '"9 August" is no day; write it as 2024-03-01' in said
    assert "the last day 2020-08-01 is before the first, 2020-08-09; give that day or a later one" in said
    assert "give one or more, with commas between" in said
    assert '"regime" is none of the sides; give one of state, unions' in said


def test_around_a_table_the_anchor_is_asked_for_too(tmp_path):
    path = table(
        tmp_path, "a,arrests,France,2023-03-07,2023-03-08,about,90,unions,u,x,",
        "b,arrests,France,2023-03-07,2023-03-08,about,40,ministry,m,x,",
    )  # fmt: skip
    command = ["new", str(tmp_path / "a"), "--from", str(path), "--ask"]
    result = CliRunner().invoke(app, command, input="\nregime\nunions\n\n")
    assert result.exit_code == 0, result.output
    assert Case.read(tmp_path / "a/study.toml").anchor == "unions"
    assert '"regime" is none of the sides; give one of ministry, unions' in result.output


@pytest.mark.parametrize(
    ("stances", "anchor", "why"),
    [
        (("state", "third_party", "state"), "third_party", "the one that is no party to it"),
        (("unions", "ministry", "unions"), "unions", "the one with most claims; --anchor names another"),
        (("unions", "ministry"), "ministry", "the first by alphabet and for no better reason: say with --anchor"),
    ],
)
def test_a_tie_for_the_anchor_is_told(tmp_path, stances, anchor, why):
    rows = [f"c{i},arrests,France,2023-03-07,2023-03-08,about,{90 + i},{s},{s} {i},x," for i, s in enumerate(stances)]
    made = new_study(tmp_path / "case", Wish(claims=table(tmp_path, *rows)))
    assert built(tmp_path / "case").case.anchor == anchor
    words = "\n".join(made.words)
    assert why in words
    assert "which speak of as many quantities" in words


def test_claims_stay_in_the_order_of_the_table_and_are_counted_as_the_check_counts(tmp_path):
    path = table(
        tmp_path, "z,arrests,France,2023-03-07,2023-03-08,about,90,unions,u,x,",
        "m,arrests,France,2023-03-07,2023-03-08,about,40,ministry,m,x,2023-03-08",
        "a,arrests,France,2023-03-07,2023-03-08,about,40,ministry,m,y,2023-03-09",
    )  # fmt: skip
    path.write_text(path.read_text().replace("stated_on", "stated_on,cites").replace("2023-03-09", "2023-03-09,m"))
    path.write_text(path.read_text().replace(",x,\n", ",x,,\n").replace("2023-03-08\n", "2023-03-08,\n"))
    made = new_study(tmp_path / "case", Wish(claims=path))
    sentences = [line[0] for line in made.words if line[1:2] == ":"]
    assert sentences == ["z", "m", "a"]
    assert (tmp_path / "case/claims.csv").read_text().splitlines()[1].startswith("z,")
    assert made.words[-1].startswith(
        "3 claims are weighed, 0 are listed and not weighed. Of the weighed 1 tells another"
    )
    found = check(tmp_path / "case/claims.csv", study=study_beside(tmp_path / "case/claims.csv"))
    assert found.facts["claims that tell another again and do not count"] == 1
    assert any("1 of the weighed told again" in note for note in found.notes)


def test_one_claim_is_counted_in_the_singular(tmp_path):
    path = table(tmp_path, "a,arrests,France,2023-03-07,2023-03-08,about,90,unions,u,x,")
    words = new_study(tmp_path / "case", Wish(claims=path)).words
    assert words[-1] == "1 claim is weighed, 0 are listed and not weighed."
    assert "unions (1 claim)" in "\n".join(words)


@pytest.mark.parametrize("stances", [("state", "opposition"), ("opposition", "state"), ("un", "state", "unions")])
def test_in_made_up_rows_the_authorities_own_to_fewer_arrests(tmp_path, stances):
    new_study(tmp_path / "case", Wish(country="Belarus", start=date(2020, 8, 9), stances=stances))
    said = {c.stance: c.value for c in read_claims(tmp_path / "case/claims.csv") if c.quantity == "arrests"}
    assert said["state"] < max(said.values())


def test_a_year_that_is_a_slip_is_named_by_check_new_and_run(tmp_path, capsys):
    path = table(
        tmp_path, "a,arrests,Belarus,2020-08-09,2020-08-10,about,90,state,u,x,",
        "b,arrests,Belarus,2002-08-09,2020-08-10,about,40,opposition,m,x,",
    )  # fmt: skip
    told = "claim b, 2002-08-09 to 2020-08-10, makes the window 6,577 days long, which is 2 without it"
    assert told in " ".join(check(path).notes)
    with pytest.raises(DataError, match=r"6,577 days.*at most 1,000 can be.*claim b, 2002-08-09"):
        new_study(tmp_path / "case", Wish(claims=path))
    path.write_text(path.read_text().replace("2002", "2019"))
    made = new_study(tmp_path / "case", Wish(claims=path))
    assert "claim b, 2019-08-09 to 2020-08-10, makes the window 368 days long" in "\n".join(made.words)
    assert any("is the year right?" in note for note in built(tmp_path / "case").notes), "so that a run says it too"
    text = (tmp_path / "case/study.toml").read_text()
    (tmp_path / "case/study.toml").write_text(text.replace("start = 2019", "start = 2001"))
    assert main(["study", "run", str(tmp_path / "case"), "--out", str(tmp_path / "out")]) == DataError.exit_code
    assert "at most 1,000 can be" in capsys.readouterr().err
