"""Crowds of a case: how wide a prior is made for them, and when a total is the prior's and not the claims'."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from groundswell.data.record import Record
from groundswell.params import leaves
from groundswell.studies.answers import answers_of, asked_rows
from groundswell.studies.beside import strained
from groundswell.studies.case import Built, Case
from groundswell.studies.crowds import (
    ANY_CROWD,
    MEDIAN,
    SPREAD,
    beyond_everybody,
    crowds_for,
    crowds_toml,
    large_crowds,
    unanswered,
)
from groundswell.studies.new import Wish, new_study
from groundswell.studies.run import tables

HEADER = "id,quantity,place,start,end,qualifier,value,stance,speaker,outlet,stated_on\n"
PLACES = "place,population,latitude,longitude,country\n" + "\n".join(
    f"{name},{population},{50 + i / 10},{27 + i / 10},Landia"
    for i, (name, population) in enumerate(
        [("Capital", 1_700_000), ("Second", 400_000), *((f"Town {i}", 30_000) for i in range(20))]
    )
)
BIG = (
    "low,participants,Capital,2020-08-16,2020-08-16,about,20000,state,television,x,2020-08-16",
    "high,participants,Capital,2020-08-16,2020-08-16,more than,200000,opposition,channels,x,2020-08-16",
    "all,arrests,Landia,2020-08-14,2020-08-17,about,500,state,ministry,x,2020-08-18",
)


def files(folder: Path, *lines: str) -> tuple[Path, Path]:
    (folder / "mine.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    (folder / "towns.csv").write_text(PLACES + "\n", encoding="utf-8")
    return folder / "mine.csv", folder / "towns.csv"


def case(folder: Path, *lines: str, **wish) -> Built:
    claims, places = files(folder, *lines)
    new_study(folder / "case", Wish(claims=claims, places=places, **wish))
    return Case.read(folder / "case/study.toml").build(folder / "case")


@pytest.fixture(scope="module")
def landia(tmp_path_factory) -> Built:
    return case(tmp_path_factory.mktemp("landia"), *BIG)


def test_a_large_crowd_in_the_capital_is_no_crowd_of_every_town(landia):
    """The smallest claimed crowd as a share of who lives there, in a place of middle size; as wide as need be."""
    assert list(landia.held) == [SPREAD], "the median is learnt, from a prior of the case's own"
    median, spread = (leaf.value for leaf in leaves(landia.account) if leaf.name in (MEDIAN, SPREAD))
    assert median == pytest.approx(20_000 / 1_700_000 * 30_000, rel=0.05)
    assert 1 < spread < ANY_CROWD["process.crowds.spread"]
    assert large_crowds(landia) == [], "the largest of them is within reach"
    mean = median * math.exp(spread**2 / 2)
    assert mean < landia.setting.places.population.mean()
    assert not any("the prior's" in words and "on average" in words for words in strained(landia))


def test_in_one_place_a_crowd_may_have_any_size(landia):
    alone = landia.setting.places.population.argmax()
    one = replace(landia, setting=replace(landia.setting, places=landia.setting.places.subset([int(alone)])))
    assert crowds_for(one) == ANY_CROWD
    assert tomllib.loads(crowds_toml(one))["fixed"]["process"]["crowds"] == {"median": 10_000, "spread": 3}


def test_crowds_that_exceed_who_lives_there_on_average_are_told_of(landia):
    wide = replace(landia, account=landia.account.replacing(ANY_CROWD))
    (words,) = [words for words in strained(wide) if "on average" in words]
    assert "900,171 persons" in words
    assert "participations of all places together are then the prior's, not the claims'" in words


def test_participations_of_a_country_are_no_answer_where_one_crowd_is_claimed(landia):
    assert list(unanswered(landia)) == ["participants"]
    words = unanswered(landia)["participants"]
    assert "Capital" in words
    assert "the prior's" in words
    silent = replace(landia, claims=replace(landia.claims, weighed=landia.claims.weighed.without("low", "high")))
    assert "no claim speaks of crowds" in unanswered(silent)["participants"]
    hidden = {"hidden": np.arange(1.0, 1.0 + len(landia.account.reporting.prepare(landia.claims.weighed)))}
    found, asked = answers_of(landia, [hidden, hidden], {}, np.array([0.5, 0.5])), asked_rows(landia)
    assert set(asked) <= set(found.values)
    assert {row["place"] for row in asked.values() if row["quantity"] == "participants"} == {"Capital"}


@pytest.mark.parametrize(
    "lines",
    [
        ["whole,participants,Landia,2020-08-14,2020-08-17,at most,42000,state,ministry,x,2020-08-18"],
        [f"t{i},participants,Town {i},2020-08-15,2020-08-15,about,300,state,mayor {i},x,2020-08-18" for i in range(6)],
    ],
)
def test_they_are_one_where_the_country_or_many_places_are_spoken_of(tmp_path, lines):
    found = case(tmp_path, BIG[2], *lines)
    assert unanswered(found) == {}
    held = found.account.replacing(ANY_CROWD)
    fixed = replace(found, case=found.case.model_copy(update={"fixed": ANY_CROWD}), account=held)
    assert bool(unanswered(fixed)) == (len(lines) > 1), "a median that is held is not learnt from places"


def test_totals_beyond_everybody_on_every_day_are_the_priors(landia):
    people, days = landia.setting.places.population.sum(), landia.setting.window.days
    path = {"participants_so_far": {"posterior": {"0.95": [0.0] * (days - 1) + [2 * days * people]}}}
    row = {
        "id": "low", "quantity": "participants", "place": "Capital", "start": "2020-08-16", "end": "2020-08-16",
        "said": "about 20,000 persons", "value": 20_000.0, "happened": [1e4, 2e4, 3e4, 1e5, 2e6],
    }  # fmt: skip
    words = beyond_everybody(landia, path, [row, {**row, "id": "high"}])
    assert len(words) == 2
    assert "in Capital from 2020-08-16 to 2020-08-16" in words[0]
    assert "where 1,700,000 live" in words[0]
    assert all("the prior's, not the claims'" in one for one in words)
    path["participants_so_far"]["posterior"]["0.95"][-1] = people
    fine = {**row, "happened": [1e4, 2e4, 3e4, 1e5, 1e6]}
    assert beyond_everybody(landia, path, [fine]) == []
    assert beyond_everybody(landia, path, [{**row, "value": 3e6}]) == [], "there the claim itself says so"


def test_a_table_of_paths_leaves_out_what_is_no_answer():
    levels = {"posterior": {"0.5": [1.0]}, "prior": {"0.5": [1.0]}}
    result = {
        "dates": ["2020-08-16"], "paths": {"participants_so_far": levels, "arrests_so_far": levels},
        "claims": [], "unweighed": [], "parameters": [], "lean": [], "places": [], "expected": [], "provenance": [],
        "joining": None, "unanswered": {"participants": "why"},
    }  # fmt: skip
    assert not any("participants" in name for name in tables(result)["paths"].columns)
    assert any("arrests" in name for name in tables(result)["paths"].columns)
    assert any("participants" in name for name in tables({**result, "unanswered": {}})["paths"].columns)


def test_a_start_before_the_claims_is_kept(tmp_path):
    assert case(tmp_path, *BIG, start=date(2020, 8, 10)).case.start == date(2020, 8, 10)


@pytest.mark.parametrize(("count", "told"), [(10, False), (11, True), (22, True), (23, False)])
def test_a_number_of_places_near_all_there_are_is_told_of_beforehand(tmp_path, count, told):
    line = f"n,cities_with_protest,Landia,2020-08-14,2020-08-17,about,{count},state,ministry,x,2020-08-18"
    words = " ".join(strained(case(tmp_path, BIG[2], line)))
    assert ("can run into that ceiling" in words) == told


@pytest.mark.parametrize("quantity", ["participants", "arrests"])
def test_a_figure_above_everybody_is_told_of_before_anything_is_drawn(landia, quantity):
    record = landia.claims.weighed
    more = replace(record["high"], id="more", quantity=quantity, value=2e6, origin="more")
    told = strained(replace(landia, claims=replace(landia.claims, weighed=Record((*record, more)))))
    assert any("claim more: more than 2,000,000 persons on one day in Capital, where 1,700,000 live" in t for t in told)
