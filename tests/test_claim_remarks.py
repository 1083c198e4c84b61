"""What `data check` says of claims that stand, each by itself."""

from dataclasses import replace
from datetime import date

import pytest

from groundswell.data.claims_remarks import STRAINED, one_edit_apart, remarks, spelt_alike
from groundswell.data.record import Claim

DAY = date(2018, 1, 1)
BASE = Claim("a", "participants", "Hub", DAY, DAY, "about", 500, "persons", "state", "an office", "a", "paper", DAY)


def said(*changes):
    """The remarks on claims that differ from one another as told."""
    claims = [
        replace(BASE, **{"id": name, "origin": name, **change}) for name, change in zip("abcdef", changes, strict=False)
    ]
    return "\n".join(remarks(claims))


def test_nothing_is_said_of_claims_with_which_nothing_is_wrong():
    assert said({}, {"value": 700, "speaker": "a campaign", "stance": "opposition"}) == ""


def test_one_figure_of_one_origin_counts_once():
    assert '2 claims repeat one figure of origin "x" on participants; they count once: a, b' in said(
        {"origin": "x"}, {"origin": "x", "speaker": "another outlet"}
    )


def test_the_same_figure_from_two_origins_may_be_a_copy():
    words = said({}, {"speaker": "a campaign"})
    assert "a, b: the same figure, about 500 persons, from 2 origins. If one copied" in words
    assert "same figure" not in said({}, {"speaker": "a campaign", "place": "Far"})


def test_two_figures_of_one_speaker_on_one_thing():
    assert "give them one origin if they rest on one count" in said({}, {"value": 520})
    assert "they share one origin" in said({"origin": "x"}, {"value": 520, "origin": "x"})
    assert said({}, {"value": 520, "start": date(2017, 12, 31)}) == "", "another window is another thing"


@pytest.mark.parametrize(
    ("qualifier", "other", "told"),
    [("about", "about", True), ("at_least", "about", True), ("at_least", "at_most", True),
     ("at_most", "about", False), ("about", "at_least", False)],
)  # fmt: skip
def test_figures_that_no_lean_explains(qualifier, other, told):
    """A large bound from below against a small figure is a contradiction; a large bound from above is none."""
    small = {"value": 500, "speaker": "an agency", "qualifier": other}
    words = said({"value": 500 * (STRAINED + 1), "qualifier": qualifier}, small)
    assert ("factor of 9 apart" in words) == told
    assert "apart" not in said({"value": 500 * (STRAINED - 1), "qualifier": qualifier}, small)


def test_a_speaker_with_two_stances():
    assert 'speaker "an office" has the stances observers and state' in said(
        {}, {"stance": "observers", "place": "Far"}
    )


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("ministry of the interior", "minister of the interior", True), ("Le Monde", "le monde", True),
        ("A.F.P.", "AFP", False), ("Téhéran press", "Teheran Press", True), ("team 1 of Qom", "team 2 of Qom", False),
        ("state", "stat", False), ("opposition", "oppositions", True), ("police", "ministry", False),
    ],
)  # fmt: skip
def test_names_spelt_two_ways(one, other, alike):
    assert spelt_alike(one, other) is alike


def test_spellings_are_told_for_every_column_that_names():
    words = said({}, {"speaker": "An Office", "outlet": "Paper", "place": "hub", "value": 9, "stance": "State"})
    for column in ("speaker", "outlet", "place", "stance"):
        assert f"{column} " in words
    assert "origin" not in said({"origin": "count of 2018"}, {"origin": "b", "value": 9, "speaker": "x"})


def test_a_window_that_ends_after_the_claim_was_stated_and_units_that_nothing_fixes():
    assert "stated on 2018-01-01, before its window ends 2018-01-09" in said({"end": date(2018, 1, 9)})
    mixed = said({"quantity": "deaths", "unit": "persons"}, {"quantity": "deaths", "unit": "families", "value": 9})
    assert "deaths is given in several units: families, persons" in mixed


def test_a_stance_one_letter_from_another_is_a_slip():
    assert 'stance "stat" and "state" are a letter apart' in said({}, {"stance": "stat", "value": 9, "speaker": "x"})
    twice = ({}, {"stance": "stat", "value": 9, "speaker": "x"}, {"value": 8, "speaker": "y"},
             {"stance": "stat", "value": 7, "speaker": "z"})  # fmt: skip
    assert "letter apart" not in said(*twice), "used twice each they are meant"


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("stat", "state", True), ("stade", "state", True), ("satte", "state", True),
     ("state", "state", False), ("stts", "state", False), ("police", "ministry", False), ("aabb", "bbaa", False)],
)  # fmt: skip
def test_words_one_letter_apart(one, other, apart):
    assert one_edit_apart(one, other) is one_edit_apart(other, one) is apart
