"""Claims, records, and the functional of each quantity against a count by hand."""

from __future__ import annotations

import math
import random
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.history import History, Later
from groundswell.data.places import Places
from groundswell.data.quantities import INPUTS, QUANTITIES, UNSPOKEN, quantity
from groundswell.data.record import COLUMNS, QUALIFIERS, Claim, Record
from groundswell.data.window import Window
from groundswell.errors import DataError

GOOD = {
    "id": "a1", "quantity": "arrests", "place": "A", "start": date(2018, 1, 1), "end": date(2018, 1, 3),
    "qualifier": "at_least", "value": 40.0, "unit": "persons", "stance": "third party", "speaker": "a monitor",
    "origin": "o1",
}  # fmt: skip


def claim(**changes: object) -> Claim:
    return Claim(**(GOOD | changes))  # type: ignore[arg-type]


CLAIMS = st.lists(
    st.builds(
        claim,
        id=st.text("abcdef0123", min_size=1, max_size=4),
        value=st.floats(0, 1e9),
        qualifier=st.sampled_from([q for q in QUALIFIERS if q != "between"]),
        stance=st.sampled_from(["authorities", "opposition", "third party"]),
    ),
    max_size=12,
    unique_by=lambda c: c.id,
)


@given(CLAIMS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(claims: list[Claim], shuffle: random.Random) -> None:
    mixed = list(claims)
    shuffle.shuffle(mixed)
    assert Record(tuple(mixed)) == Record(tuple(claims))
    assert Record(tuple(mixed)).digest() == Record(tuple(claims)).digest()


@given(CLAIMS.filter(bool))
def test_any_change_changes_the_digest(claims: list[Claim]) -> None:
    record = Record(tuple(claims))
    first = record.claims[0]
    changed = Claim(**{name: getattr(first, name) for name in COLUMNS} | {"outlet": "another"})
    assert Record((changed, *record.claims[1:])).digest() != record.digest()
    assert len(record.without(first.id)) == len(record) - 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"qualifier": "at leest"}, 'Nearest name: "at_least"'),
        ({"end": date(2017, 12, 1)}, "swap the dates"),
        ({"speaker": " "}, "has no speaker"),
        ({"stance": ""}, "has no stance"),
        ({"value": -1.0}, "0 or more"),
        ({"value": math.nan}, "0 or more"),
        ({"value": math.inf}, "0 or more"),
        ({"qualifier": "between"}, "value_high"),
        ({"value_high": 50.0}, "value_high"),
        ({"qualifier": "between", "value_high": 30.0}, "below value"),
    ],
)
def test_what_cannot_be_a_claim_says_why(changes: dict, words: str) -> None:
    with pytest.raises(DataError, match=words) as error:
        claim(**changes)
    assert "a1" in str(error.value)


def test_words_of_a_claim() -> None:
    assert claim().words() == "at least 40 persons"
    assert claim(qualifier="exactly", value=1200.0).words() == "1,200 persons"
    assert claim(qualifier="between", value_high=60.0).words() == "between 40 and 60 persons"


def test_two_claims_with_one_id_are_refused() -> None:
    with pytest.raises(DataError, match='the id "a1"'):
        Record((claim(), claim(value=2.0)))
    with pytest.raises(DataError, match='Nearest name: "a1"'):
        _ = Record((claim(),))["a"]


def test_the_table_has_the_standard_columns_in_iso_dates() -> None:
    table = Record((claim(stated_on=date(2018, 1, 4)),)).table()
    assert tuple(table.columns) == COLUMNS
    assert table["stated_on"] == ["2018-01-04"]
    assert table["value_high"] == [None]


PLACES = Places(("A", "B", "C"), np.ones(3), region=("north", "north", "south"))
EVENTS = np.array([[1, 0, 0, 2], [0, 0, 3, 0], [0, 0, 0, 0]])
HISTORY = History(
    PLACES,
    Window(date(2018, 1, 1), 4),
    {
        "events": EVENTS,
        "arrests": np.array([[0, 0, 0, 9], [0, 0, 0, 0], [0, 0, 0, 0]]),
        "formed": np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]),
        "broken_up": np.array([[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]),
    },
    later=Later((4, 11, 18), {"formed": np.array([[2, 0], [0, 0], [0, 5]]), "broken_up": np.zeros((3, 2))}),
)
ALL = np.arange(3)


@pytest.mark.parametrize(
    ("name", "places", "first", "last", "expected"),
    [
        ("cities_with_protest", ALL, 0, 3, 2),
        ("cities_with_protest", ALL, 0, 0, 1),
        ("cities_with_protest", ALL, 1, 1, 0),
        ("cities_with_protest", [1], 0, 1, 0),
        ("cities_with_confrontation", ALL, 0, 3, 1),
        ("events", ALL, 0, 3, 6),
        ("events", [0, 1], 2, 3, 5),
        ("arrests", ALL, 0, 2, 0),
        ("arrests", [0], 3, 3, 9),
        ("groups_formed", ALL, 0, 3, 2),
        ("groups_formed", ALL, 0, 4, 4),
        ("groups_formed", ALL, 0, 17, 9),
        ("groups_formed", ALL, 11, 17, 5),
        ("teams_arrested", ALL, 0, 17, 1),
        ("joins_per_arrest", ALL, 0, 17, 9.5 / 1.5),
        ("joins_per_arrest", [2], 0, 3, 1.0),
    ],
)
def test_functionals_by_hand(name: str, places: object, first: int, last: int, expected: float) -> None:
    assert quantity(name).value(HISTORY, np.asarray(places), first, last) == pytest.approx(expected)


def test_every_quantity_says_what_it_is() -> None:
    for name, item in QUANTITIES.items():
        assert item.name == name
        assert item.doc
        assert item.unit
        assert item.direction in (1, -1)
        assert (item.functional == "ratio") == bool(item.below)
    assert not (set(QUANTITIES) & set(INPUTS) | set(QUANTITIES) & set(UNSPOKEN))


def test_an_unknown_quantity_names_the_nearest() -> None:
    with pytest.raises(DataError, match='Nearest name: "arrests"'):
        quantity("arests")
