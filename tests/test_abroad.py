"""Events in other countries counted from a country's own file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from groundswell.data.readers import read_events
from groundswell.data.readers.abroad import events_abroad
from groundswell.data.readers.base import ReadEvents
from groundswell.data.window import Window
from groundswell.errors import DataError

WINDOW = Window(date(2011, 1, 3), 3, 7)
ROWS = """date,place,country
2010-12-30,Tunis,Tunisia
2011-01-03,Tunis,Tunisia
2011-01-04,Tehran,Iran
2011-01-11,Cairo,Egypt
2011-01-12,Cairo,Egypt
2011-01-12,Baghdad,Iraq
2011-01-25,Cairo,Egypt
"""


@pytest.fixture
def read(tmp_path: Path) -> ReadEvents:
    path = tmp_path / "events.csv"
    path.write_text(ROWS, encoding="utf-8")
    return read_events(path)


def test_other_countries_events_are_counted_by_step(read: ReadEvents) -> None:
    assert events_abroad(read, WINDOW, "Iran").tolist() == [1, 3, 0]
    assert events_abroad(read, WINDOW, "Egypt").tolist() == [2, 1, 0]
    assert events_abroad(read, WINDOW, "Islamic Republic of Iran", among=["Iraq", "Tunisia", "Iran"]).tolist() == [
        1,
        1,
        0,
    ]


def test_the_days_before_a_step_can_be_counted_instead(read: ReadEvents) -> None:
    assert events_abroad(read, WINDOW, "Iran", days_before=7).tolist() == [1, 1, 3]
    assert events_abroad(read, WINDOW, "Iran", days_before=14).tolist() == [0.5, 1, 2]


def test_a_country_that_the_file_lacks_is_named(read: ReadEvents) -> None:
    with pytest.raises(DataError, match=r"no event in Lebanon; its countries: Egypt, Iran, Iraq, Tunisia"):
        events_abroad(read, WINDOW, "Iran", among=["Lebanon"])
