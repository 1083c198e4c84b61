"""Figures, hedges, dates and open windows as people write them in a table of claims."""

from datetime import date

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.check import check
from groundswell.data.claims_table import check_claims, read_claims
from groundswell.data.figures import HEDGES, Figure, NoFigure, qualifier_of, read_figure, suggestion
from groundswell.data.proofreading import days, read_as
from groundswell.data.readers.raw import read_raw
from groundswell.data.record import QUALIFIERS
from groundswell.errors import DataError

ROW = {
    "id": "a1", "quantity": "participants", "place": "Hub", "start": "2018-01-01", "end": "2018-01-07",
    "qualifier": "exactly", "value": "1200", "stance": "state", "speaker": "an office", "outlet": "a paper",
}  # fmt: skip


def frame(*rows):
    return pandas.DataFrame([{**ROW, "id": f"a{i}", "stated_on": "", **row} for i, row in enumerate(rows, 1)])


def one(**changes):
    return next(iter(read_claims(frame(changes))))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1200", 1200), ("1,200", 1200), ("1 200", 1200), ("1'200", 1200), ("1\u202f200", 1200), ("1\u00a0200", 1200),
        ("1.200.000", 1_200_000), ("1,200,000", 1_200_000), ("1.2 million", 1_200_000), ("12k", 12_000),
        ("2m", 2_000_000),
        ("3,4 million", 3_400_000), ("1e5", 100_000), ("12.5", 12.5), ("0", 0), ("5 thousand", 5000),
        ("3 hundred", 300),
        ("338000.0", 338_000), ("1,234.5", 1234.5),
    ],
)  # fmt: skip
def test_figures_that_can_be_meant_in_one_way_are_read(text, value):
    assert read_figure(text) == Figure(value)


@pytest.mark.parametrize(
    ("text", "figure"),
    [
        ("over 1,000", Figure(1000, None, "more_than")), ("1,000+", Figure(1000, None, "at_least")),
        (">1000", Figure(1000, None, "more_than")), ("≥ 40", Figure(40, None, "at_least")),
        ("up to 50", Figure(50, None, "at_most")), ("nearly 700", Figure(700, None, "about")),
        ("ca. 300", Figure(300, None, "about")), ("300 or more", Figure(300, None, "at_least")),
        ("20-40", Figure(20, 40, "between")), ("20 to 40", Figure(20, 40, "between")),
        ("20–40", Figure(20, 40, "between")),
        ("between 20 and 40", Figure(20, 40, "between")), ("1.5 to 2 million", Figure(1_500_000, 2_000_000, "between")),
        ("about 1.2 million", Figure(1_200_000, None, "about")), ("no more than 50", Figure(50, None, "at_most")),
    ],
)  # fmt: skip
def test_hedges_and_ranges_in_the_cell_of_a_figure(text, figure):
    assert read_figure(text) == figure


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.200", "may be 1200 or 1.2"), ("1,20", "decimal comma or a slip"), ("60%", "is a share"),
        ("60 per cent", "is a share"), ("700 people", "no number"), ("1 2", "no number"), ("2018-01-01", "no number"),
        ("several", "no number"), ("12,34,567", "no number"), ("500-", "no number"), ("--5", "no number"),
        ("1.2 dozen", "no number"), ("twelve", "no number"),
    ],
)  # fmt: skip
def test_what_may_be_two_figures_or_none_is_refused(text, words):
    with pytest.raises(NoFigure, match=words) as caught:
        read_figure(text)
    assert caught.value.remedy


def test_a_ratio_has_decimals_with_a_point():
    assert read_figure("1.200", ratio=True) == Figure(1.2)


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        ("dozens", ["between 12 and 99", "at_least 24"]),
        ("hundreds", ["between 100 and 999", "at_least 200", "about 200 (Crowd Counting Consortium)"]),
        ("several hundred", ["between 200 and 999"]),
        ("less than a hundred", ["at_most 100"]),
        ("a dozen", ["about 12"]),
        ("a crowd", ["write the number alone"]),
    ],
)
def test_words_are_offered_as_what_they_could_be_and_never_converted(text, offers):
    said = suggestion(text)
    assert all(offer in said for offer in offers)
    assert ("judgement" in said) == (text != "a crowd")
    with pytest.raises(DataError, match=f'value "{text}" is no number'):
        one(value=text)


def test_every_hedge_leads_to_a_qualifier_and_case_and_signs_do_not_matter():
    assert set(HEDGES.values()) == set(QUALIFIERS)
    assert qualifier_of("More Than") == qualifier_of("more-than") == qualifier_of("over ") == "more_than"
    assert qualifier_of("maybe") is None
    claim = one(qualifier="Up to", value="42 000")
    assert (claim.qualifier, claim.value) == ("at_most", 42_000)


def test_a_hedge_stands_in_one_of_two_cells_and_must_not_contradict_the_other():
    assert one(qualifier="", value="over 1,000").qualifier == "more_than"
    assert one(qualifier="more_than", value="over 1,000").value == 1000
    ranged = one(qualifier="", value="20-40")
    assert (ranged.qualifier, ranged.value, ranged.value_high) == ("between", 20, 40)
    with pytest.raises(DataError, match='says "more_than", the qualifier "about"'):
        one(qualifier="about", value="over 1,000")
    with pytest.raises(DataError, match='says "between", the qualifier "at_least"'):
        one(qualifier="at_least", value="20-40")


@given(st.integers(0, 10**9), st.sampled_from([",", " ", "'", "\u202f"]))
def test_grouped_digits_are_the_number(number, sign):
    assert read_figure(f"{number:,}".replace(",", sign)).value == number


@given(st.text(max_size=12))
def test_any_text_is_a_figure_or_refused_with_a_remedy(text):
    try:
        found = read_figure(text)
    except NoFigure as problem:
        found = problem
    assert found.remedy if isinstance(found, NoFigure) else found == read_figure(f" {text} ")


def test_open_windows_are_closed_by_the_study_and_by_the_day_it_was_said():
    rows = frame({"start": "", "end": "", "stated_on": "2018-01-05"}, {"start": "2017-12-30"})
    so_far = read_claims(rows, first=date(2017, 12, 28))["a1"]
    assert (so_far.start, so_far.end) == (date(2017, 12, 28), date(2018, 1, 5))
    checked = check_claims(read_raw(rows))
    assert checked.claims[0].start == date(2017, 12, 30), "without a study the earliest day of the table"
    told = " ".join(checked.told["a1"])
    assert "no start: from 2017-12-30, the first day that the table names" in told
    assert "no end: up to 2018-01-05, the day on which it was stated" in told
    with pytest.raises(DataError, match="column end: the date is missing, and so is stated_on"):
        one(end="")
    with pytest.raises(DataError, match="column start: the date is missing"):
        one(start="", stated_on="2018-01-05")


def test_a_column_that_shows_its_order_of_day_and_month_decides_it():
    assert one(start="01/02/2018", end="20/02/2018").start == date(2018, 2, 1)
    with pytest.raises(DataError, match="may be day/month or month/day"):
        one(start="01/02/2018", end="05/02/2018")


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("thousand persons", 'counts by the thousand. Figures are .* write 1200000, and persons'),
        ("thousands", "counts by the thousands"), ("k", "counts by the k"),
        ("% of the population", "is a share, and participants a number"), ("percent", "is a share"),
    ],
)  # fmt: skip
def test_units_of_thousands_and_shares_are_refused_and_never_multiplied(unit, words):
    with pytest.raises(DataError, match=words):
        one(unit=unit)


def test_other_words_for_the_unit_are_the_unit():
    assert one(unit="People").unit == "persons"
    assert one(unit="cities").unit == "cities", "another unit stays, and is a note"
    assert any('unit "cities", while participants counts persons' in n for n in check(frame({"unit": "cities"})).notes)


def test_a_claim_is_told_in_a_sentence_with_all_that_was_read_into_it():
    (said,) = check(frame({"qualifier": "", "value": "over 1,000", "end": "", "stated_on": "2018-01-04"})).read_as
    assert said == (
        "a1: more than 1,000 participations in Hub, 1 to 4 January 2018, said by an office (state) in a paper on "
        "4 January 2018 [no end: up to 2018-01-04, the day on which it was stated] "
        '[value "over 1,000" is read as more_than 1,000]; read as a lower bound with slack: somewhat below what the '
        "speaker knows, or far below."
    )
    assert "no model here speaks of deaths" in read_as(one(quantity="deaths"))
    assert read_as(one(), fate="not weighed: why").endswith("; not weighed: why.")


def test_windows_in_words():
    day = date(2018, 1, 31)
    assert days(day, day) == "on 31 January 2018"
    assert days(date(2018, 1, 1), day) == "1 to 31 January 2018"
    assert days(day, date(2018, 2, 1)) == "31 January to 1 February 2018"
    assert days(date(2017, 12, 28), day) == "28 December 2017 to 31 January 2018"


def test_a_date_that_may_be_two_is_refused_with_what_to_write():
    with pytest.raises(DataError, match=r"day/month or month/day\. Write 2020-08-09 or 9 August 2020 if the day comes"):
        one(start="09/08/2020", end="09/08/2020")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("detained", "arrests"), ("Detentions", "arrests"), ("detainees", "arrests"), ("protesters", "participants"),
        ("turnout", "participants"), ("demonstrators", "participants"), ("number of towns", "cities_with_protest"),
        ("cities", "cities_with_protest"), ("arest", "arrests"),
        ("cities_called_to_protests", "cities_called_to_protest"),
    ],
)  # fmt: skip
def test_everyday_words_for_a_quantity_are_offered_it(word, meant):
    with pytest.raises(DataError, match=rf'"{meant}"'):
        one(quantity=word)


def test_a_column_of_hedges_may_be_missing():
    rows = frame({"value": "1200"}, {"value": "over 900"}).drop(columns="qualifier")
    assert [claim.qualifier for claim in read_claims(rows)] == ["exactly", "more_than"]


def test_sentences_are_well_formed():
    checked = check_claims(
        read_raw(
            frame({"qualifier": "at least"}, {"qualifier": "", "value": "200000-250000"}, {"quantity": "tortured"})
        )
    )
    told = " ".join(word for words in checked.told.values() for word in words)
    assert "read as at_least" not in told
    assert "between 200,000 and 250,000" in told
    assert read_as(checked.claims[2]).startswith("a3: 1,200 (tortured) in Hub")
