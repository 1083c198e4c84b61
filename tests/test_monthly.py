"""A forecast with its credentials: outlooks, past forecasts and calibration by hand, and what changed since."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_events import events_file

from groundswell.data.history import Events, History
from groundswell.data.places import Places
from groundswell.data.readers import read_events
from groundswell.data.window import Window
from groundswell.errors import DataError, NotConverged
from groundswell.evaluate.baselines import BASELINES
from groundswell.evaluate.calibration import coverage, pit_histogram
from groundswell.evaluate.compare import COVERAGE_LEVEL, Candidate
from groundswell.evaluate.count_forecast import Drawn
from groundswell.evaluate.forecast import Forecast
from groundswell.evaluate.scores import quantiles
from groundswell.infer.base import Fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.report.shared import outlines
from groundswell.report.words import in_words
from groundswell.rng import generator
from groundswell.studies import forecasting, monthly
from groundswell.studies.event_comparison import Plan, counted
from groundswell.studies.forecasting import Draws
from groundswell.studies.monthly import Monthly
from groundswell.studies.since import Earlier, Since, comparable, latest_before, since

COUNTED = {"by": "place", "country": None, "step_days": 1}


def studied(path: Path, change: Callable[[Candidate], Candidate] = lambda c: c, **options: Any) -> Monthly:
    read = read_events(path)
    sizes: dict[str, Any] = {"ahead": 3, "origins": 5, "draws": 80} | options
    plan = Plan(**sizes).resolved(read)
    counts = setting, history, _ = counted(read, plan)
    candidate = change(forecasting.chosen(None, setting, history))
    ahead = forecasting.ahead(candidate, setting, history, steps=plan.ahead or 1, draws=plan.draws, seed=plan.seed)
    return monthly.run(candidate, counts, read, ahead, plan)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Monthly:
    return studied(events_file(tmp_path_factory.mktemp("monthly") / "events.csv", 50))


def test_the_outlook_of_a_place_is_that_of_its_draws(case: Monthly) -> None:
    made = case.made
    for row in case.places().rows():
        mine = made.draws[[made.places.name[unit] == row["place"] for unit in made.unit]]
        together = mine.sum(axis=0)
        assert row["expected"] == pytest.approx(together.mean())
        assert row["active"] == pytest.approx((together > 0).mean())
        assert row["active next step"] == pytest.approx((mine[0] > 0).mean())
        assert [row["q5"], row["q50"], row["q95"]] == quantiles(together[None], (0.05, 0.5, 0.95))[0].tolist()
        known = case.history["events"][made.places.index(row["place"])]
        assert row["recorded, last 3"] == known[-3:].sum()
    expected = case.places()["expected"]
    assert list(expected) == sorted(expected, reverse=True)


def test_past_outlooks_are_sums_of_joint_paths(case: Monthly) -> None:
    total = case.history["events"].sum(axis=0)
    rows = list(case.back().rows())
    assert len(rows) == 5
    for row, origin, made in zip(rows, case.comparison.origins, case.comparison.totals[case.name], strict=True):
        assert row["recorded"] == total[origin : origin + 3].sum()
        assert row["mean"] == pytest.approx(made.draws.sum(axis=0).mean())
        assert row["origin"] == str(case.setting.window.date(origin - 1))
        assert row["q95"] == quantiles(made.draws.sum(axis=0)[None], (0.95,))[0, 0]


def test_calibration_of_the_totals_is_that_of_their_draws(case: Monthly) -> None:
    made = case.comparison.totals[case.name]
    total = case.history["events"].sum(axis=0)
    drawn = Drawn(np.concatenate([each.draws for each in made]))
    seen = total[np.concatenate([each.time for each in made])]
    np.testing.assert_allclose(case.pit["total"]["share"], pit_histogram(*drawn.pit(seen)))
    np.testing.assert_allclose(case.coverage["total"]["covered"], coverage(drawn, seen)["covered"])
    np.testing.assert_allclose(case.coverage["total"]["promised"], coverage(drawn, seen)["promised"])


def test_coverage_of_places_agrees_with_the_scores(case: Monthly) -> None:
    """`compare` counts the same interval on its own way."""
    rows = {row["level"]: row for row in case.coverage["places"].rows()}
    scores = {row["model"]: row for row in case.ranking.scores.rows()}
    assert rows[COVERAGE_LEVEL]["covered"] == pytest.approx(scores[case.name]["covered 80 %"])


def test_every_question_is_answered_in_words(case: Monthly) -> None:
    assert list(case.findings) == ["next", "since", "past", "calibration", "data"]
    for found in case.findings.values():
        assert all(in_words(found))
    sums = case.cubes().sum(axis=(1, 2))
    assert f"middle {np.sort(sums)[39]:.0f}" in in_words(case.findings["next"])[0]


class Failing(MaximumLikelihood):
    """A method that gives up on short histories."""

    def fit(self, model: Any, setting: Any, observed: Any, **more: Any) -> Fit:
        if observed.window.periods < 50:
            raise NotConverged("the history is too short for it.")
        return super().fit(model, setting, observed, **more)


def test_a_forecaster_that_cannot_be_sent_back_says_so(tmp_path: Path) -> None:
    path = events_file(tmp_path / "events.csv", 50)
    found = studied(path, lambda c: dataclasses.replace(c, method=Failing()), until=date(2021, 4, 19))
    assert found.fitted is not None
    assert (found.pit, found.coverage, found.location) == ({}, {}, {})
    assert "It could not be sent back: the history is too short for it." in " ".join(in_words(found.findings["past"]))
    assert "Not known" in in_words(found.findings["calibration"])[0]
    assert len(found.back()) == 0
    assert "could not be sent back" in " ".join(found.notes()["note"])
    assert "pit" not in found.tables()


@pytest.mark.parametrize(("name", "expected"), [("conflictology 30 days", ""), ("climatology", "Its CRPS skill")])
def test_a_baseline_may_be_the_forecaster(tmp_path: Path, name: str, expected: str) -> None:
    path = events_file(tmp_path / "events.csv", 50)
    read = read_events(path)
    plan = Plan(ahead=2, origins=4, draws=30).resolved(read)
    counts = setting, history, _ = counted(read, plan)
    candidate = forecasting.chosen(name, setting, history)
    ahead = forecasting.ahead(candidate, setting, history, steps=2, draws=30, seed=1)
    found = monthly.run(candidate, counts, read, ahead, plan)
    assert len(found.comparison.names) == len(BASELINES)
    assert expected in " ".join(in_words(found.findings["past"]))
    assert "parameters" not in found.tables()


# --- since the last run ------------------------------------------------------------------------


PLACES = ("Alpha", "Beta", "Gamma")


def earlier_run(cube: np.ndarray, origin: str, places: tuple[str, ...] = PLACES, days: int = 1, **more: Any) -> Earlier:
    day = date.fromisoformat(origin)
    return Earlier(Path("earlier"), day, "a model", COUNTED | {"step_days": days}, Draws({day: cube}, places, days),
                   more.get("recorded", {}))  # fmt: skip


def forecast_of(cube: np.ndarray, origin: str, places: tuple[str, ...] = PLACES, days: int = 1) -> Forecast:
    """cube : (S, P, K)."""
    start = date.fromisoformat(origin) - timedelta(days=10 * days - 1)
    draws, count, steps = cube.shape
    step = np.repeat(np.arange(1, steps + 1), count)
    return Forecast(
        cube.transpose(2, 1, 0).reshape(-1, draws), np.tile(np.arange(count), steps), 9 + step, np.full(len(step), 10),
        step, Places(places, np.ones(count)), Window(start, 10 + steps, days),
    )  # fmt: skip


def history_to(last: str, days: dict[str, list[str]], places: tuple[str, ...] = PLACES) -> tuple[History, Path]:
    """A window of ten days to `last` with events on the given days, by place."""
    end = date.fromisoformat(last)
    window = Window(end - timedelta(days=9), 10)
    rows = [(window.day(day), places.index(name)) for name, each in days.items() for day in each]
    rows.sort()
    counts = np.zeros((len(places), 10))
    for day, place in rows:
        counts[place, day] += 1
    events = Events(np.array([float(d) for d, _ in rows]), np.array([p for _, p in rows], dtype=np.int64),
                    day_precision=True)  # fmt: skip
    return History(Places(places, np.ones(len(places))), window, {"events": counts}, events), Path()


def changed(tmp_path: Path, earlier: Earlier, made: Forecast, last: str, days: dict[str, list[str]],
            places: tuple[str, ...] = PLACES) -> Since:  # fmt: skip
    history, _ = history_to(last, days, places)
    path = tmp_path / "events.csv"
    lines = [f"{day},{name},{35 + i},{50 + i}" for i, name in enumerate(places) for day in days.get(name, [])]
    path.write_text("\n".join(["date,city,latitude,longitude", *lines]) + "\n")
    return since(earlier, made, history, read_events(path), model="a model", by="place", country=None, seed=1)


DAYS = {"Alpha": ["2020-01-02", "2020-01-04", "2020-01-07", "2020-01-07"], "Beta": ["2020-01-03"],
        "Gamma": ["2020-01-01"]}  # fmt: skip


def test_forecasts_of_the_same_dates_are_compared(tmp_path: Path) -> None:
    rng = generator(1)
    before, now = rng.poisson(1.0, (50, 3, 6)).astype(float), rng.poisson(1.0, (70, 3, 3)).astype(float)
    now[:, 0] += 5
    found = changed(tmp_path, earlier_run(before, "2020-01-06"), forecast_of(now, "2020-01-09"), "2020-01-09", DAYS)
    rows = {row["place"]: row for row in found.moved.rows()}
    for place, name in enumerate(PLACES):  # 10 to 12 January: the last three of the six, all of the three
        assert rows[name]["expected before"] == pytest.approx(before[:, place, 3:].sum(axis=1).mean())
        assert rows[name]["expected now"] == pytest.approx(now[:, place].sum(axis=1).mean())
    assert next(iter(rows)) == "Alpha"
    words = " ".join(in_words(found.findings))
    assert "Both runs forecast 2020-01-10 to 2020-01-12" in words
    assert "More is expected now than before in 1 place, most in Alpha." in words


def test_steps_on_other_dates_are_compared_by_their_outlook(tmp_path: Path) -> None:
    rng = generator(2)
    before, now = rng.poisson(1.0, (50, 3, 2)).astype(float), rng.poisson(1.0, (70, 3, 3)).astype(float)
    found = changed(tmp_path, earlier_run(before, "2020-01-04"), forecast_of(now, "2020-01-09"), "2020-01-09", DAYS)
    rows = {row["place"]: row for row in found.moved.rows()}
    assert rows["Beta"]["expected before"] == pytest.approx(before[:, 1].sum(axis=1).mean())
    assert rows["Beta"]["expected now"] == pytest.approx(now[:, 1, :2].sum(axis=1).mean())
    assert "outlooks over 2 steps are compared" in " ".join(in_words(found.findings))


def test_equal_forecasts_did_not_move(tmp_path: Path) -> None:
    cube = generator(3).poisson(1.0, (400, 3, 2)).astype(float)
    other = generator(4).poisson(1.0, (400, 3, 2)).astype(float)
    found = changed(tmp_path, earlier_run(cube, "2020-01-07"), forecast_of(other, "2020-01-09"), "2020-01-09", DAYS)
    assert not any(found.moved["moved"])
    assert "No forecast moved beyond the noise of the draws." in in_words(found.findings)


def test_the_last_run_is_held_against_what_came(tmp_path: Path) -> None:
    cube = np.zeros((40, 3, 3))
    cube[:, 0, 0] = 2
    found = changed(tmp_path, earlier_run(cube, "2020-01-06"), forecast_of(cube, "2020-01-08"), "2020-01-08", DAYS)
    assert found.held["recorded"] == [2, 0]
    assert found.held["inside"] == [True, True]
    assert found.scored is not None
    scores = {row["model"]: row for row in found.scored.ranking.scores.rows()}
    assert scores["forecast"]["CRPS"] == 0


def test_a_surge_where_nobody_looked_is_a_miss(tmp_path: Path) -> None:
    """Five events in a place that the earlier run did not know: its totals were far off, and its score says so."""
    cube = np.zeros((40, 2, 2))
    surge = {**DAYS, "Alpha": DAYS["Alpha"][:2], "Gamma": ["2020-01-07"] * 4 + ["2020-01-08"]}
    quiet = {name: days for name, days in surge.items() if name != "Gamma"}
    earlier, made = earlier_run(cube, "2020-01-06", PLACES[:2]), forecast_of(np.zeros((40, 3, 2)), "2020-01-08")
    found, before = (changed(tmp_path, earlier, made, "2020-01-08", days) for days in (surge, quiet))
    assert found.held["recorded"] == [4, 1]
    assert found.held["inside"] == [False, False]
    words = " ".join(in_words(found.findings))
    assert "0 had a total inside the central 80 % interval; 5 events were recorded where it expected 0" in words
    said = "5 events of the scored steps were recorded in 1 place that the forecast did not name: Gamma."
    assert said in words
    assert found.scored is not None
    assert before.scored is not None
    assert said in " ".join(in_words(found.scored.findings))
    scores = [list(each.scored.ranking.scores.rows()) for each in (found, before)]
    crps = [next(row["CRPS"] for row in rows if row["model"] == "forecast") for rows in scores]
    assert crps == [pytest.approx(5 / (3 * 2)), 0]
    assert before.scored.comparison.setting.places.name == PLACES[:2]


def test_a_run_whose_steps_have_not_ended_is_not_scored(tmp_path: Path) -> None:
    cube = np.ones((40, 3, 2))
    run = earlier_run(cube, "2020-01-06", days=3)
    found = changed(tmp_path, run, forecast_of(cube, "2020-01-08", days=3), "2020-01-08", DAYS)
    assert found.scored is None
    assert "It is not scored: no step of the forecasts has ended by 2020-01-08" in " ".join(in_words(found.findings))


def test_new_places_and_late_records_are_told(tmp_path: Path) -> None:
    cube = np.ones((40, 2, 3))
    recorded = {date(2020, 1, day): float(count) for day, count in {1: 1, 2: 1, 3: 0, 4: 2, 5: 0}.items()}
    before = earlier_run(cube, "2020-01-05", PLACES[:2], recorded=recorded | {date(2019, 1, 1): 7.0})
    found = changed(tmp_path, before, forecast_of(np.ones((40, 3, 3)), "2020-01-10"), "2020-01-10", DAYS)
    words = in_words(found.findings)
    assert "1 place is new in the file since then, with 1 event, most in Gamma." in words
    revised = "The record of the time before the last run was revised: 1 events more and 1 fewer, over 2 steps."
    assert any(sentence.startswith(revised) for sentence in words)
    same = dataclasses.replace(before, recorded={date(2020, 1, 2): 1.0})
    found = changed(tmp_path, same, forecast_of(np.ones((40, 3, 3)), "2020-01-10"), "2020-01-10", DAYS)
    assert "The record of the time before the last run is unchanged." in in_words(found.findings)


def written(folder: Path, origin: str, **counted: Any) -> Path:
    folder.mkdir(parents=True)
    result = {"origin": origin, "model": "a model", "counted": COUNTED | counted}
    (folder / "result.json").write_text(json.dumps(result))
    forecast_of(np.ones((5, 3, 2)), origin).table().write(folder / "draws.parquet")
    return folder


def test_the_last_run_is_the_one_with_the_latest_origin_before(tmp_path: Path) -> None:
    for name, origin in (("b", "2020-01-31"), ("a", "2020-02-29"), ("c", "2020-03-31")):
        written(tmp_path / name, origin)
    written(tmp_path / "elsewhere", "2020-03-15", country="France")
    (tmp_path / "note.txt").write_text("not a run")
    (tmp_path / "empty").mkdir()
    for origin, expected in (("2020-03-31", "a"), ("2020-04-30", "c"), ("2020-02-01", "b")):
        found = latest_before(tmp_path / "new", date.fromisoformat(origin), COUNTED)
        assert found is not None
        assert found.folder.name == expected
    assert latest_before(tmp_path / "new", date(2020, 1, 31), COUNTED) is None
    assert latest_before(tmp_path / "absent" / "new", date(2020, 1, 31), COUNTED) is None


def test_runs_of_different_counts_are_not_compared() -> None:
    run = earlier_run(np.ones((5, 3, 2)), "2020-01-06")
    assert comparable(run, date(2020, 2, 1), COUNTED) is run
    for changes, words in (
        ({"country": "France"}, 'has country none, this one "France"'),
        ({"by": "region"}, 'has by "place", this one "region"'),
        ({"step_days": 7}, "has step days 1, this one 7"),
    ):
        with pytest.raises(DataError, match=words):
            comparable(run, date(2020, 2, 1), COUNTED | changes)
    with pytest.raises(DataError, match="it is not earlier"):
        comparable(run, date(2020, 1, 6), COUNTED)


def test_outlines_over_the_180th_meridian_do_not_cross_the_map() -> None:
    for east in (37.6, 178.0, -170.0):
        places = Places(("Here",), np.ones(1), np.array([60.0]), np.array([east]), ("",), ("Russia",))
        rings = outlines(dataclasses.replace(places, longitude=np.array([east])))
        assert all(np.abs(np.diff(ring[:, 0])).max() < 180 for ring in rings)
        assert all(abs(ring[:, 0].mean() - east) <= 180 + 1e-6 for ring in rings)
    world = Places(("A", "B"), np.ones(2), np.array([60.0, 55.0]), np.array([37.6, 160.0]), ("", ""), ("Russia",) * 2)
    assert max(np.ptp(ring[:, 0]) for ring in outlines(world)) > 100
