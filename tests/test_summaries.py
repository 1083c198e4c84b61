"""Summaries against loops a first-year student could check, and what their words say when they are wrong."""

from __future__ import annotations

import math
import pickle
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.summaries import FUNCTIONS, Summaries, Summary, usual
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.models.library import LIBRARY, load
from groundswell.rng import generator

COUNTS = np.array([[0, 0, 3, 1, 0, 0, 4, 0], [0, 1, 0, 0, 0, 0, 2, 0], [0, 0, 0, 0, 0, 0, 0, 0]], dtype=float)


def history(counts: np.ndarray, name: str = "events") -> History:
    places = Places(tuple(f"p{i}" for i in range(len(counts))), np.full(len(counts), 1e4))
    return History(places, Window(date(2020, 1, 1), counts.shape[1]), {name: counts})


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("total events", 11), ("mean events", 11 / 8), ("peak events", 6), ("peak_step events", 6), ("last events", 0),
        ("at events 2", 3), ("places events", 2), ("places_share events", 2 / 3), ("steps_above events 0", 4),
        ("steps_above events 2", 2), ("duration events 0", 6), ("duration events 9", 0), ("outbursts events 0", 2),
        ("outbursts events 2", 2), ("waiting events 2", 4), ("log total events", math.log(12)),
        ("sd events", math.sqrt(sum((x - 11 / 8) ** 2 for x in (0, 1, 3, 1, 0, 0, 6, 0)) / 8)),
    ],
)  # fmt: skip
def test_a_summary_is_what_its_words_say(words: str, value: float) -> None:
    assert Summary.parse(words).of(history(COUNTS)) == pytest.approx(value)
    assert str(Summary.parse(words)) == words


def test_every_function_is_tried_above_or_here() -> None:
    assert Summary.parse("lag1 events").of(history(np.array([[1.0, 2.0, 3.0, 4.0]]))) == pytest.approx(1.25 / 5)
    assert Summary.parse("lag1 events").of(history(np.ones((1, 4)))) == 0
    assert math.isnan(Summary.parse("waiting events 5").of(history(COUNTS)))
    assert len(FUNCTIONS) == 14


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(0, 4))
def test_outbursts_rise_from_at_or_below_the_level_to_above_it(values: list[int], level: int) -> None:
    rises = sum(a <= level < b for a, b in pairwise(values))
    found = history(np.array([values], dtype=float))
    assert Summary.parse(f"outbursts events {level}").of(found) == rises


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("totl events", 'Nearest name: "total"'),
        ("total", '"total SERIES"'),
        ("total events 3", "takes no number"),
        ("outbursts active", "LEVEL"),
        ("at active soon", "STEP"),
        ("", "no function"),
        ("log", "no function"),
    ],
)
def test_wrong_words_are_named(words: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Summaries(words)


def test_a_missing_series_a_step_outside_and_a_summary_twice_are_errors() -> None:
    with pytest.raises(DataError, match='no series "active"'):
        Summaries("total active").of(history(COUNTS))
    with pytest.raises(UsageError, match="0 to 7"):
        Summaries("at events 8").of(history(COUNTS))
    with pytest.raises(UsageError, match="twice"):
        Summaries("total events", "total  events")
    with pytest.raises(UsageError, match="no summary"):
        Summaries()


def test_they_are_values() -> None:
    stated = Summaries("total events", "outbursts active 50")
    assert stated == Summaries(*stated.names) == pickle.loads(pickle.dumps(stated))
    assert hash(stated) == hash(Summaries(*stated.names))
    assert repr(stated) == "Summaries('total events', 'outbursts active 50')"
    assert Summaries("total events", "peak events").of(history(COUNTS)).tolist() == [11, 6]


@pytest.mark.parametrize("name", LIBRARY)
def test_the_usual_summaries_of_every_model_can_be_computed(name: str) -> None:
    model, setting = load(name).example()
    made = model.simulate(setting, rng=generator(1))
    assert np.isfinite(usual(model, [made]).of(made)).all()
