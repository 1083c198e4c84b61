"""Window, Setting and History: days and steps, what is given, what happened."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.history import Events, History, from_events
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.window import Window, as_date
from groundswell.errors import DataError, UsageError

TWO = Places(("A", "B"), np.array([1e5, 2e5]))
WEEK = Window(date(2018, 1, 1), 7)

DATES = st.dates(date(1900, 1, 1), date(2100, 1, 1))


@given(DATES, st.integers(1, 400), st.integers(1, 30))
def test_a_window_counts_its_own_days(start: date, periods: int, step: int) -> None:
    window = Window(start, periods, step)
    assert window.day(start) == 0
    assert window.day(window.end) == window.days - 1
    assert window.date(window.days - 1e-9) == window.end
    assert len(window.dates()) == periods
    assert window.dates()[-1] == start + timedelta(days=step * (periods - 1))


@given(DATES, st.integers(0, 300), st.integers(1, 30))
def test_between_leaves_out_a_part_of_a_step(start: date, length: int, step: int) -> None:
    end = start + timedelta(days=length)
    if (length + 1) < step:
        with pytest.raises(UsageError):
            Window.between(start, end, step)
    else:
        window = Window.between(start.isoformat(), end, step)
        assert window.end <= end < window.end + timedelta(days=step)


def test_dates_that_are_none() -> None:
    with pytest.raises(DataError, match="write it as 2017-12-28"):
        as_date("28/12/2017")
    with pytest.raises(DataError, match="swap the two dates"):
        Window.between("2018-01-31", "2017-12-28")


def test_a_setting_spreads_what_does_not_vary() -> None:
    setting = Setting(TWO, WEEK, covariates={"literacy": np.array([0.1, 0.2]), "cold": np.arange(7)})
    assert setting.covariates["literacy"].tolist() == [[0.1] * 7, [0.2] * 7]
    assert setting.covariates["cold"].tolist() == [list(range(7))] * 2


def test_a_square_setting_asks_which_way_a_line_runs() -> None:
    with pytest.raises(DataError, match=r"P = T = 2"):
        Setting(TWO, Window(date(2018, 1, 1), 2), covariates={"x": np.array([1.0, 2.0])})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"covariates": {"x": np.array([1.0, np.nan])}}, r'"x" is nan in "B" on 2018-01-01; expected a finite number'),
        ({"covariates": {"x": np.where(np.arange(7) == 4, -np.inf, 1.0)}}, r'"x" is -inf in "A" on 2018-01-05'),
        ({"covariates": {"x": np.ones(5)}}, r"expected \(P, T\) = \(2, 7\)"),
        ({"abroad": np.ones(6)}, r"expected \(7,\)"),
        ({"abroad": np.where(np.arange(7) == 2, np.nan, 1.0)}, r"abroad is nan on 2018-01-03; expected 0 or more"),
        ({"abroad": np.where(np.arange(7) == 2, -5.0, 1.0)}, r"abroad is -5 on 2018-01-03; expected 0 or more"),
        ({"calls": np.where(np.arange(7) == 6, -3.0, 1.0)}, r'calls is -3 in "A" on 2018-01-07; expected 0 or 1'),
        ({"calls": np.array([0.0, 0.5])}, r'calls is 0\.5 in "B" on 2018-01-01; expected 0 or 1'),
        ({"calls": np.array([0.0, np.nan])}, r'calls is nan in "B" on 2018-01-01'),
        ({"network": Network(np.zeros((3, 3)))}, "expected 2"),
        ({"active_on_day0": ("C",)}, '"C" is not in Places'),
        ({"later_edges": (8, 15)}, "window's length"),
        ({"later_edges": (7, 7)}, "rise"),
    ],
)
def test_what_cannot_be_a_setting_says_why(changes: dict, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Setting(TWO, WEEK, **changes)


def test_a_shorter_past_is_the_same_past() -> None:
    setting = Setting(
        TWO,
        WEEK,
        covariates={"cold": np.arange(7)},
        calls=call_matrix(TWO, WEEK, [("2018-01-02", None), ("2018-01-05", ["B"])]),
        abroad=np.arange(7),
        later_edges=(7, 14),
    )
    past = setting.during(3)
    assert past.shape == (2, 3)
    assert past.calls is not None
    assert past.calls.tolist() == [[0, 1, 0], [0, 1, 0]]
    assert past.covariates["cold"].shape == (2, 3)
    assert past.abroad is not None
    assert past.abroad.tolist() == [0, 1, 2]
    assert past.later_edges == ()
    with pytest.raises(DataError, match="outside the window"):
        call_matrix(TWO, WEEK, [("2018-01-08", None)])


@given(st.lists(st.tuples(st.floats(0, 7), st.integers(0, 1)), max_size=40), st.integers(1, 7))
def test_events_are_counted_once(pairs: list[tuple[float, int]], periods: int) -> None:
    pairs.sort()
    events = Events(np.array([t for t, _ in pairs]), np.array([p for _, p in pairs], dtype=int))
    history = from_events(TWO, WEEK, events)
    assert history["events"].sum() == len(pairs)
    past = history.during(periods)
    assert past["events"].sum() == len([t for t, _ in pairs if t < periods or (periods == 7 and t == 7)])
    assert past.events is not None
    assert all(past.events.time_days < periods)


def test_weekly_steps_hold_their_days() -> None:
    window = Window(date(2018, 1, 1), 2, 7)
    history = from_events(TWO, window, Events(np.array([0.0, 6.9, 7.0]), np.array([0, 0, 1])))
    assert history["events"].tolist() == [[2, 0], [0, 1]]


@pytest.mark.parametrize(
    ("times", "places", "words"),
    [
        ([1.0, 0.5], [0, 0], "sort the events"),
        ([1.0], [0, 1], r"expected \(E,\) both"),
        ([np.nan], [0], "missing or infinite"),
    ],
)
def test_what_cannot_be_events_says_why(times: list, places: list, words: str) -> None:
    with pytest.raises(DataError, match=words):
        Events(np.array(times), np.array(places))


def test_a_history_stays_within_its_places_and_window() -> None:
    with pytest.raises(DataError, match="outside"):
        History(TWO, WEEK, events=Events(np.array([1.0]), np.array([2])))
    with pytest.raises(DataError, match="window of 7 days"):
        History(TWO, WEEK, events=Events(np.array([7.5]), np.array([0])))
    with pytest.raises(DataError, match=r"expected \(P, T\) = \(2, 7\)"):
        History(TWO, WEEK, {"events": np.zeros((7, 2))})
    with pytest.raises(DataError, match="it has: events"):
        _ = History(TWO, WEEK, {"events": np.zeros((2, 7))})["arrests"]


def test_place_steps_that_are_not_weighed_go_with_the_history() -> None:
    whole = History(TWO, WEEK, {"events": np.arange(14.0).reshape(2, 7)})
    first = np.zeros((2, 7), dtype=bool)
    first[0, 2] = True
    part = whole.leaving_out(first)
    assert part.weighed is not None
    assert (part.weighed == ~first).all()
    assert np.array_equal(part["events"], whole["events"])
    second = part.leaving_out(np.arange(7) == 5)
    assert second.weighed is not None
    assert second.weighed.sum() == 14 - 1 - 2
    assert np.array_equal(second.during(3).weighed, second.weighed[:, :3])
    assert len({whole.digest(), part.digest(), second.digest()}) == 3
    assert whole.digest() == History(TWO, WEEK, {"events": whole["events"].copy()}).digest()
    for wrong in (np.ones((2, 6), dtype=bool), np.ones((2, 7))):
        with pytest.raises(DataError, match=r"weighed: expected True or False"):
            History(TWO, WEEK, weighed=wrong)


def test_a_network_counts_steps_and_says_what_it_refuses() -> None:
    line = Network(np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]))
    assert line.order[0].tolist() == [0, 1, 2, np.inf]
    assert np.array_equal(Network.from_order(np.where(np.isinf(line.order), 9, line.order)).adjacency, line.adjacency)
    for bad, words in [
        (np.eye(2), "zeros on the diagonal"),
        (np.array([[0, 1], [0, 0]]), "symmetric"),
        (np.array([[0, 2], [2, 0]]), "from_order"),
        (np.zeros((2, 3)), r"\(P, P\)"),
    ]:
        with pytest.raises(DataError, match=words):
            Network(bad)
