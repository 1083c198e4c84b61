"""The report of a study of claims answers what its claims ask for, and nothing that they do not speak of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from groundswell.report import claims_asked, claims_by_day, claims_rests_on, claims_where
from groundswell.report.claims_report import page
from groundswell.report.language import Speaker
from groundswell.report.words import parameter_name, window
from groundswell.studies.case import Case
from groundswell.studies.conditioning import Size, condition
from groundswell.studies.new import new_study

VOICE = Speaker()
SMALL = Size(draws=16, effective=10, most=60, round=20, histories=4, prior_draws=8, joining_draws=20)
CROWDS = """id,quantity,place,start,end,qualifier,value,value_high,stance,speaker,outlet,document
a1,participants,Alphaville,2024-03-04,2024-03-04,more_than,2000,,opposition,a campaign,a paper,made up
a2,participants,Alphaville,2024-03-04,2024-03-04,about,900,,third_party,reporters,a paper,made up
a3,participants,Alphaville,2024-03-09,2024-03-09,between,500,1000,third_party,reporters,a paper,made up
"""


@pytest.fixture(scope="module")
def crowds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of a study in which nobody speaks of anything but two crowds in one town."""
    folder = tmp_path_factory.mktemp("crowds") / "case"
    new_study(folder)
    (folder / "claims.csv").write_text(CROWDS)
    result, _ = condition(Case.read(folder / "study.toml").build(folder), SMALL, seed=1, processes=1)
    return result | {"anchors": None, "components": None, "reasons": []}


def text(result: dict[str, Any], wanted: Callable[[str], bool] = lambda question: True) -> list[str]:
    """The lines of the answers' box whose question is wanted."""
    found = []
    for question, answer in page(result, VOICE).answers:
        if wanted(question):
            found += [answer] if isinstance(answer, str) else list(answer)
    return found


def test_a_study_of_crowds_says_how_many_marched_and_nothing_of_cities_and_arrests(crowds: dict[str, Any]) -> None:
    lines = text(crowds, lambda question: question == "How many took part?")
    assert len(lines) == 2
    first, second = lines
    assert re.fullmatch(
        r"Participants, Alphaville, 4 March: [\d,]+ \([\d,]+ to [\d,]+\); "
        r"said: more than 2,000 \(opposition\), about 900 \(third party\)\.",
        first,
    )
    assert second.endswith("said: between 500 and 1,000 (third party).")
    made = page(crowds, VOICE)
    assert not {"cities", "arrests", "map"} & {section.key for section in made.sections}
    everything = " ".join(text(crowds))
    assert "arrests" not in everything
    assert "cities" not in everything
    assert [row["end"] for row in crowds["look"]["asked"].values()] == ["2024-03-04", "2024-03-09"]


def test_the_box_and_the_sentences_have_the_figures_of_the_table(crowds: dict[str, Any]) -> None:
    one = claims_asked.asked(crowds)[0]
    row = next(claim for claim in crowds["claims"] if claim["id"] == "a1")
    assert list(one.happened) == row["happened"]
    answer = next(iter(claims_rests_on.of_history(crowds)))
    influence = [dict(row) for row in crowds["look"]["influence"]]
    influence[0] |= {
        "reliable": True,
        "answers": {answer: {"quantiles": [1.0, 777.0, 2e3], "shift": 3.0, "error": 0.01, "mean": 9.9}},
    }
    told = claims_rests_on.rests_on(crowds | {"look": crowds["look"] | {"influence": influence}}, VOICE)[0]
    assert f"without it the middle would be 777 instead of {claims_asked.number(row['happened'][2])}." in told


def test_bars_and_sentences_of_priors_leave_out_noise_and_keep_to_possible_values(crowds: dict[str, Any]) -> None:
    name = claims_rests_on.of_history(crowds)[0]
    low, middle, high = crowds["look"]["answers"][name]["quantiles"]

    def moved(name_: str, shift: float, error: float, to: float, reliable: bool = True) -> dict[str, Any]:
        answers = {
            other: {"quantiles": [low, to if other == name else middle, high], "shift": shift if other == name else 0.0,
                    "error": error, "mean": 0.0}
            for other in crowds["look"]["answers"]
        }  # fmt: skip
        way = {"to": "1", "answers": answers, "reliable": reliable, "pareto_k": 0.1, "worth": 100.0, "by": "weights"}
        return {"name": name_, "what": "median", "ways": [way, way]}

    noise, real = moved("process.call.rate", 0.9, 0.4, high), moved("process.keep", 0.3, 0.05, middle + 1)

    def under(*rows: dict[str, Any]) -> dict[str, Any]:
        return crowds | {"look": crowds["look"] | {"judgements": list(rows)}}

    panel = claims_rests_on._panel(name, under(noise, real), VOICE)
    assert [row["label"] for row in panel["rows"]] == ["how long events are remembered: middle"]
    assert panel["rows"][0]["values"] == [middle + 1, middle + 1]
    assert "beyond noise" in claims_rests_on._moved_most(name, under(noise), VOICE)
    assert claims_rests_on.judgements(under(noise), VOICE).pictures == []
    doubtful = under(moved("process.keep", 0.3, 0.05, 12345.0, reliable=False))
    assert "cannot tell how far" in claims_rests_on._moved_most(name, doubtful, VOICE)
    assert "12,3" not in str(claims_rests_on.judgements(doubtful, VOICE).tables[0].table.columns)
    rough = doubtful | {"size": crowds["size"] | {"approximate": True}}
    assert "how long events" not in claims_rests_on._moved_most(name, rough, VOICE)


def test_an_approximate_run_says_so_above_everything_and_in_each_answer(crowds: dict[str, Any]) -> None:
    assert page(crowds, VOICE).banner == ""
    rough = crowds | {"size": crowds["size"] | {"approximate": True}}
    assert page(rough, VOICE).banner.startswith("An approximate run")
    lines = text(rough, lambda question: question == "How many took part?")
    assert all(": approximately " in line for line in lines)


def test_claims_on_places_and_regions_are_not_drawn_on_the_countrys_fan(crowds: dict[str, Any]) -> None:
    fan = claims_by_day.Fan("participants_so_far", "participants", "claims-caption-participants", log=True)
    assert claims_by_day.nationwide(crowds, fan) == []
    whole = {"place": "Exampleland", "start": crowds["dates"][0], "end": "2024-03-06"}
    claims = [claim | whole for claim in crowds["claims"]]
    assert len(claims_by_day.nationwide(crowds | {"claims": claims}, fan)) == 3
    assert claims_by_day.nationwide(crowds | {"claims": claims}, replace(fan, single_days=True)) == []


def test_no_two_maps_are_of_neighbouring_days() -> None:
    assert claims_where.map_days(35) == [1, 3, 6, 13, 20, 34]
    assert claims_where.map_days(15) == [1, 3, 6, 14]
    assert claims_where.map_days(8) == [1, 3, 7]
    assert claims_where.map_days(1) == [0]
    assert all(days[-1] - days[-2] >= 2 for days in map(claims_where.map_days, range(6, 80)))


def test_every_parameter_that_is_moved_or_told_of_has_a_plain_name(crowds: dict[str, Any]) -> None:
    names = {row["parameter"] for row in crowds["parameters"]} | {row["name"] for row in crowds["look"]["judgements"]}
    names |= {"process.crowds.median", "process.crowds.spread", "reporting.bias.third_party"}
    plain = {name: parameter_name(name, VOICE) for name in names}
    assert not [name for name, said in plain.items() if "." in said or "_" in said]
    assert len(set(plain.values())) == len(plain)


def test_days_are_told_as_people_write_them() -> None:
    said = [("2020-08-16", "2020-08-16"), ("2020-08-09", "2020-08-12"), ("2017-12-28", "2018-01-04"),
            ("2018-04-19", "2019-04-19")]  # fmt: skip
    assert [window(*days, VOICE) for days in said] == [
        "16 August", "9 to 12 August", "28 December to 4 January", "19 April 2018 to 19 April 2019"
    ]  # fmt: skip


def test_the_page_is_written_with_its_lines(crowds: dict[str, Any], tmp_path: Path) -> None:
    from groundswell.report.claims_report import write_report

    html = write_report(crowds, tmp_path).read_text(encoding="utf-8")
    assert html.count("<dd>Participants, Alphaville") == 2
    assert (tmp_path / "figures" / "asked-1.svg").is_file()
    for jargon in ("posterior sd", "log weight", "third_party", "process."):
        box = html[html.index('<dl class="answers"') : html.index("</dl>")]
        assert jargon not in box
