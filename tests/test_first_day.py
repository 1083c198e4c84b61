"""The first day is given, not modelled: what claims on it alone can and cannot be met, and what is done about it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from groundswell.errors import DataError
from groundswell.studies.beside import strained
from groundswell.studies.case import Built, Case
from groundswell.studies.new import Wish, new_study
from groundswell.studies.reachable import reachable

HEADER = "id,quantity,place,start,end,qualifier,value,stance,speaker,outlet,stated_on\n"
PLACES = "place,population,latitude,longitude,country\n" + "\n".join(
    f"{name},{population},{50 + i / 10},{27 + i / 10},Landia"
    for i, (name, population) in enumerate([("Capital", 1_700_000), *((f"Town {i}", 30_000) for i in range(20))])
)
FIRST = "2020-08-09,2020-08-09"
CITIES = f"cities,cities_with_protest,Landia,{FIRST},,12,state,ministry,x,2020-08-10"
ALL = f"all,arrests,Landia,{FIRST},about,300,state,ministry,x,2020-08-10"
HERE = f"here,arrests,Capital,{FIRST},about,100,state,ministry,x,2020-08-10"
LATER = "later,arrests,Landia,2020-08-09,2020-08-12,about,700,third_party,observers,x,2020-08-13"


def made(folder: Path, *lines: str, **wish) -> tuple[Built, str]:
    (folder / "mine.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    (folder / "towns.csv").write_text(PLACES + "\n", encoding="utf-8")
    new = new_study(folder / "case", Wish(claims=folder / "mine.csv", places=folder / "towns.csv", **wish))
    return Case.read(folder / "case/study.toml").build(folder / "case"), "\n".join(new.words)


def test_many_places_at_once_on_the_first_day_begin_a_day_earlier_with_a_call(tmp_path):
    found, words = made(tmp_path, CITIES, ALL, HERE, LATER)
    assert found.case.start == date(2020, 8, 8)
    assert [(call.date, call.places, call.largest) for call in found.case.setting.calls] == [
        (date(2020, 8, 9), None, None)
    ]
    assert found.case.setting.active_on_day0 == ()
    assert "begins a day before the first claim" in words
    assert "a call to the whole country on 2020-08-09" in words
    assert len(found.claims.weighed) == 4
    assert not any("can be active" in one for one in strained(found))


def test_a_sum_over_the_country_begins_a_day_earlier_without_one(tmp_path):
    found, words = made(tmp_path, ALL, HERE, LATER)
    assert found.case.start == date(2020, 8, 8)
    assert found.case.setting.calls == ()
    assert found.case.setting.active_on_day0 == ("Capital",)
    assert "begins a day before the first claim" in words


@pytest.mark.parametrize(
    "lines", [(HERE, LATER), (CITIES.replace(",,12,", ",,1,"), HERE), (CITIES.replace(",,12,", ",at least,3,"), HERE)]
)
def test_what_the_first_day_can_hold_begins_on_it(tmp_path, lines):
    found, words = made(tmp_path, *lines)
    assert found.case.start == date(2020, 8, 9)
    assert found.case.setting.active_on_day0 == ("Capital",)
    assert "a day before" not in words


def test_a_first_day_that_was_asked_for_is_kept_and_told_of(tmp_path):
    found, words = made(tmp_path, CITIES, ALL, HERE, LATER, start=date(2020, 8, 9))
    assert found.case.start == date(2020, 8, 9)
    (told,) = [one for one in strained(found) if "can be active" in one]
    assert told in words
    assert "all (about 300 persons), cities (12 cities)" in told
    assert "on the first day, 2020-08-09, only Capital can be active" in told
    assert "start = 2020-08-08" in told
    assert "Name the places that were active in active_on_day0" in told
    assert "[[setting.calls]]" in told


def test_a_place_that_is_quiet_on_the_first_day_is_told_of(tmp_path):
    found, _ = made(tmp_path, HERE, LATER)
    other = found.case.model_copy(
        update={"setting": found.case.setting.model_copy(update={"active_on_day0": ("Town 3",)})}
    )
    (told,) = [one for one in strained(other.build(tmp_path / "case")) if "can be active" in one]
    assert "here (about 100 persons)" in told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (CITIES, "on the first day, 2020-08-09, only Capital can be active"),
        (LATER, "with another side so taken it may be met (--anchor third_party)"),
    ],
)
def test_what_no_draw_meets_is_not_laid_to_the_figure_alone(tmp_path, monkeypatch, line, told):
    monkeypatch.setattr("groundswell.studies.reachable.guided_weight", lambda *_: -70.0)
    found, _ = made(tmp_path, line, HERE, start=date(2020, 8, 9), anchor="state")
    given = found.case.setting.model_copy(update={"active_on_day0": ("Capital",)})
    found = found.case.model_copy(update={"setting": given}).build(tmp_path / "case")
    count = len(list(found.account.reporting.prepare(found.claims.weighed)))
    draw = {"exploded": False, "logs": np.full(count, -70.0), "hidden": np.ones(count)}
    with pytest.raises(DataError, match="No draw can meet it") as raised:
        reachable(found, [draw], 1)
    assert told in str(raised.value)
