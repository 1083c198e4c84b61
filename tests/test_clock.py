"""Times of day: what is read, how closely, what is set aside and said."""

from datetime import date

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.clock import HOUR, MINUTE, SECOND, Clock, clock_of, read_clock
from groundswell.data.dates import Unreadable
from groundswell.data.history import Events, from_events
from groundswell.data.places import Places
from groundswell.data.readers import read_events, to_history
from groundswell.data.readers.single_events import Mark
from groundswell.data.window import Window
from groundswell.errors import UsageError
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.space_time import SpaceTime
from groundswell.models.events.ties import jittered
from groundswell.rng import generator


@pytest.mark.parametrize(
    ("text", "hours", "within"),
    [
        ("15:39:31.00", 15 + 39 / 60 + 31 / 3600, SECOND / 100),
        ("15:39:31", 15 + 39 / 60 + 31 / 3600, SECOND),
        ("15:39", 15 + 39 / 60, MINUTE),
        ("15h39", 15 + 39 / 60, MINUTE),
        ("3:39 pm", 15 + 39 / 60, MINUTE),
        ("12:05 AM", 5 / 60, MINUTE),
        ("12 p.m.", 12, HOUR),
        ("7", 7, HOUR),
        ("2020-05-30T15:39:31Z", 15 + 39 / 60 + 31 / 3600, SECOND),
        ("30/05/2020 15:39", 15 + 39 / 60, MINUTE),
        ("2020-05-30 15:39:31.5+03:30", 15 + 39 / 60 + 31.5 / 3600, SECOND / 10),
    ],
)
def test_times_in_many_forms(text, hours, within):
    clock = read_clock(text)
    assert clock.share * 24 == pytest.approx(hours, abs=1e-9)
    assert clock.within == pytest.approx(within)


@pytest.mark.parametrize("text", ["24:00", "12:60", "13 pm", "noon", "0.53", "2020-05-30", "", "1:2:3", "25"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Unreadable):
        read_clock(text)


@given(st.integers(0, 86399), st.integers(0, 999999), st.sampled_from([HOUR, MINUTE, SECOND, SECOND / 1e6]))
def test_a_time_is_written_as_it_is_read(second, micro, within):
    """What is written is the beginning of the stretch that the time is known to lie in."""
    share = (second + micro / 1e6) / 86400
    again = read_clock(str(Clock(share, within)))
    assert again.within == pytest.approx(within)
    assert -1e-11 <= share - again.share < within + 1e-11


def told(texts, alone=True):
    clock, notes = clock_of(texts, "time", alone)
    return clock, " ".join(notes)


def test_a_column_shows_how_it_writes_times():
    clock, _ = told(["930", "5", "1745"])
    assert clock is not None
    assert clock("5").share == pytest.approx(5 / 1440)  # 00:05, since others have hours and minutes
    clock, _ = told(["9", "23"])
    assert clock is not None
    assert clock("9") == Clock(9 / 24, HOUR)
    clock, _ = told(["10:00:00", "11:00:00"])
    assert clock is not None
    assert clock("10:00:00").within == HOUR  # nobody's minutes are all 0
    clock, _ = told(["10:01:00", "11:00:00"])
    assert clock is not None
    assert clock("11:00:00").within == MINUTE


def test_a_column_without_times_is_told():
    assert told(["0.53", "1.2"]) == (
        None, 'column "time" holds no times of day (its first is "0.53"), so dates stand alone'
    )  # fmt: skip
    assert told(["00:00", "00:00:00"])[0] is None
    assert "stands for none" in told(["00:00"])[1]
    assert told(["2020-05-30", "2020-05-31"], alone=False) == (None, "")
    assert told(["2020-05-30T00:00:00"], alone=False) == (None, "")
    assert "4 of 8 times of day in time are 00:00" in told(["00:00"] * 4 + ["10:11", "3:12", "4:13", "5:14"])[1]
    assert "2 times of day in time name a time zone" in told(["10:00Z", "11:30+03:30", "12:15"])[1]


def table(**columns):
    return pandas.DataFrame({"date": ["2020-05-30", "2020-05-30", "2020-05-31"], "city": "Qom", **columns})


def events_of(read):
    events = to_history(read, country="Iran")[1].events
    assert events is not None
    return events


def test_times_reach_the_history_as_closely_as_they_are_known():
    read = read_events(table(event_time=["18:30:00", "06:15:30", "12:00:01"]))
    assert read.events["time"] == ["18:30:00", "06:15:30", "12:00:01"]
    events = events_of(read)
    assert np.allclose(events.time_days * 86400, [22530, 66600, 86400 + 43201])
    assert (events.day_precision, events.within_days) == (False, None)
    by_hour = events_of(read_events(table(hour=["18", "6", "12"])))
    assert by_hour.within_days is not None
    assert by_hour.within_days.tolist() == [1 / 24] * 3
    assert by_hour.time_days.tolist() == [0.25, 0.75, 1.5]


def test_one_event_without_a_time_is_known_to_the_day_alone():
    read = read_events(table(time=["18:30:05", "", "noon"]))
    assert [remark[:14] for remark in read.events["remark"]] == ["", "no time of day", '"noon" is no t']
    events = events_of(read)
    assert not events.day_precision
    assert events.within_days is not None
    assert events.within_days.tolist() == [1, 0, 1]


def test_dates_alone_and_times_set_aside_are_by_the_day():
    assert events_of(read_events(table())).day_precision
    read = read_events(table(time=["18:30", "6:15", "12:00"]), {"time": "none"})
    assert "times of day are left aside, as the mapping says" in read.notes
    assert events_of(read).day_precision


def test_a_column_time_may_hold_dates_and_times():
    frame = pandas.DataFrame({"time": ["2020-01-01T10:00:00.250Z", "2020-01-02T11:30:00.000Z"], "city": "Qom"})
    read = read_events(frame)
    assert read.events["start"] == [date(2020, 1, 1), date(2020, 1, 2)]
    assert read.events["time"] == ["10:00:00.250", "11:30:00.000"]


def test_a_standard_table_keeps_times_and_earlier_ones_are_read(tmp_path):
    read = read_events(table(time=["18:30", "", "12:00"]))
    read.events.write(tmp_path / "events.csv")
    again = read_events(tmp_path / "events.csv")
    assert again.source == "standard"
    assert again.events["time"] == ["18:30", None, "12:00"]
    frame = pandas.read_csv(tmp_path / "events.csv").drop(columns=["time", "x_km", "y_km"])
    assert read_events(frame).source == "standard"
    frame["time"] = "noon"
    assert read_events(frame).left_out["reason"][0].startswith('"noon" is no time')


@pytest.mark.parametrize("kind", [SelfExciting, SpaceTime])
def test_simulated_events_are_read_back(tmp_path, kind):
    """Times to a microsecond, positions on the plane map to the bit."""
    model, setting = kind.example()
    drawn = model.simulate(setting, rng=generator(4))
    drawn.events_table().write(tmp_path / "events.csv")
    read = read_events(tmp_path / "events.csv")
    assert len(read.events) == len(drawn.events)
    days = [(start - setting.window.start).days for start in read.events["start"]]
    shares = [read_clock(text).share for text in read.events["time"]]
    assert np.allclose(np.add(days, shares), drawn.events.time_days, rtol=0, atol=2e-11)
    if drawn.events.x_km is not None:
        assert read.events["x_km"] == drawn.events.x_km.tolist()
        assert read.events["y_km"] == drawn.events.y_km.tolist()


def spread_of(within, times=(0.0, 0.0, 1.5), **more):
    places, window = Places.single(), Window(date(2020, 1, 1), 2)
    marks = {"number": np.arange(3.0)}
    events = Events(np.array(times), np.zeros(3, int), within_days=within, marks=marks, **more)
    moved = jittered(from_events(places, window, events), rng=generator(1)).events
    assert moved is not None
    back = np.argsort(moved.marks["number"])
    return moved, moved.time_days[back]


def test_times_are_spread_over_what_is_not_known_of_them():
    moved, times = spread_of(np.array([1.0, 1 / 24, 0.0]))
    assert 0 <= times[0] < 1
    assert 0 < times[1] < 1 / 24
    assert times[2] == 1.5
    assert (moved.day_precision, moved.within_days) == (False, None)
    _, times = spread_of(None, day_precision=True, times=(0.0, 0.5, 1.0))
    assert (np.floor(times) == [0, 0, 1]).all()
    assert len(set(times)) == 3


def test_marks():
    event = {
        "as given: mag": "4.5",
        "size_low": 100.0,
        "size_high": 400.0,
        "arrests": 7.0,
        "as given: size": "hundreds",
    }
    assert Mark.stated("mag").of(event) == (4.5, "")
    assert Mark.stated("size = log").of(event)[0] == pytest.approx(np.log(200))
    assert Mark.stated("arrests=log1p").of(event)[0] == pytest.approx(np.log(8))
    assert Mark("size", "log").label == "log(size)"
    event = {"as given: mag": "strong", "as given: dead": "0", "as given: none": ""}
    assert Mark("mag").of(event)[1] == 'mag "strong" is no number'
    assert Mark("dead", "log").of(event)[1] == "dead is 0, which has no log"
    assert Mark("dead", "log1p").of(event) == (0.0, "")
    assert Mark("none").of(event)[1] == "no none is stated"
    for text in ("", "mag=exp", "=log"):
        with pytest.raises(UsageError, match="write it as NAME"):
            Mark.stated(text)


def test_events_dated_less_closely_than_a_day_lie_anywhere_in_their_days():
    counts = pandas.DataFrame({"date": ["2021-03-01", "2021-03-08", "2021-03-15", "2021-03-22"], "city": "Qom"})
    read = read_events(counts.assign(events=[1, 0, 2, 1]))
    events = to_history(read, step=7, country="Iran")[1].events
    assert events is not None
    assert events.within_days is not None
    assert events.within_days.tolist() == [7.0] * 4
    assert not events.day_precision
