"""A fit of single events told whole: causes, backgrounds that move, sentences, the page."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.readers import read_events, to_history
from groundswell.data.readers.plane import to_plane
from groundswell.data.region import Region
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.evaluate.contagion import CANDIDATES, Contagion
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.delays import ExponentialDelay
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.space_time import SpaceTime
from groundswell.models.library import load
from groundswell.params import Effects
from groundswell.report import event_report
from groundswell.report.figures.events import smoothed_share
from groundswell.report.language import Speaker
from groundswell.report.page import render
from groundswell.report.words import in_words
from groundswell.rng import generator
from groundswell.studies.event_background import moving_background
from groundswell.studies.event_causes import Causes
from groundswell.studies.event_checks import checks_of
from groundswell.studies.event_contagion import Weighed, weighed
from groundswell.studies.event_fit import EventFit, event_fit
from groundswell.studies.event_model import suited_to_plane, suited_to_times


def fitted(model: Any, setting: Setting, history: History, **fixed: float) -> Fit:
    return fit(model, setting, history, MaximumLikelihood(), rng=generator(1), fixed=fixed)


def of(found: Fit) -> Any:
    """The fitted model."""
    return found.model


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> EventFit:
    """Four cities over 60 days: simulated, written, read, fitted, told."""
    model, setting = SelfExciting.example()
    path = tmp_path_factory.mktemp("cities") / "events.csv"
    model.simulate(setting, rng=generator(3)).events_table().write(path)
    read = read_events(path)
    setting, history, left = to_history(read)
    found = fitted(model, setting, history, **{"reach.scale_km": 60.0})
    return event_fit(read, "self_exciting", found, setting, history, left, seed=1, forests=25)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> EventFit:
    """Two areas over half a year, by their outlines."""
    model, setting = SpaceTime.example()
    path = tmp_path_factory.mktemp("plane") / "events.csv"
    model.simulate(setting, rng=generator(4)).events_table().write(path)
    assert setting.region is not None
    read = read_events(path)
    made = to_plane(read, setting.region)
    suits, _ = suited_to_plane(model, [made])
    found = fitted(suits, made.setting, made.history)
    return event_fit(
        read, "space_time", found, made.setting, made.history, made.left_out, seed=1, plane=made, forests=25
    )


# --- causes ------------------------------------------------------------------------------------


def test_shares_add_up(cities: EventFit) -> None:
    causes = cities.causes
    assert causes is not None
    assert len(causes.triggered) == len(causes.events)
    for table in (causes.over_time(), causes.by_place()):
        assert sum(table["events"]) == len(causes.events)
        assert sum(table["triggered"]) == pytest.approx(causes.triggered.sum())
        for row in table.rows():
            if row["share"] is not None:
                assert row["share"] == pytest.approx(row["triggered"] / row["events"])
                assert 0 <= row["low"] <= row["high"] <= 1
    assert causes.share.value == pytest.approx(causes.triggered.mean())
    assert causes.share.low < causes.share.value < causes.share.high
    assert sum(row["clusters"] for row in causes.clusters().rows()) == pytest.approx(
        np.mean([len(sizes) for sizes in causes.sizes])
    )


def test_the_share_of_a_process_is_near_the_truth() -> None:
    """Of a long stationary process the branching ratio is the share that was set off."""
    setting = Setting(Places.single(), Window(date(2024, 1, 1), 1500))
    model = SelfExciting(0.4, 0.5, ExponentialDelay(1.0))
    history = model.simulate(setting, rng=generator(5))
    causes = Causes.of(model, [model] * 20, setting, history, rng=generator(6))
    assert causes.share.value == pytest.approx(0.5, abs=0.06)
    sizes = np.concatenate(causes.sizes)
    assert sizes.mean() == pytest.approx(2.0, abs=0.2)
    assert (sizes == 1).mean() == pytest.approx(np.exp(-0.5), abs=0.05)  # Borel's


def test_days_without_times_are_taken_apart_in_continuous_time() -> None:
    """Rows go back to the events they belong to: one place triggers nothing, in the other nearly all is triggered."""
    places = Places(("quiet", "busy"), np.ones(2))
    setting = Setting(places, Window(date(2024, 1, 1), 300))
    rng = generator(2)
    burst = np.repeat(np.arange(100, 130.0), 6)
    lone = np.sort(rng.choice(300, 25, replace=False)).astype(float)
    times, place = np.concatenate([burst, lone]), np.repeat([1, 0], [len(burst), len(lone)])
    order = np.argsort(times, kind="stable")
    history = from_events(places, setting.window, Events(times[order], place[order], day_precision=True))
    model = SelfExciting(0.1, 0.9, ExponentialDelay(1.0), by_step=True)
    causes = Causes.of(model, [model] * 10, setting, history, rng=generator(3))
    by_place = {row["place"]: row["share"] for row in causes.by_place().rows()}
    assert by_place["busy"] > 0.9
    assert by_place["quiet"] < 0.25
    assert causes.events is history.events


# --- a background that moves -------------------------------------------------------------------


def stepped(rng):
    """260 independent events, eleven times as dense in the middle third: nothing sets off anything."""
    places, window = Places.single(), Window(date(2024, 1, 1), 300)
    times = np.sort(np.concatenate([rng.uniform(0, 300, 60), rng.uniform(100, 200, 200)]))
    return Setting(places, window), from_events(places, window, Events(times, np.zeros(260, int)))


def test_triggering_that_a_moving_background_explains_goes_away() -> None:
    setting, history = stepped(generator(1))
    model = SelfExciting(0.5, 0.5, ExponentialDelay(0.2))
    found = fitted(model, setting, history)
    moving = moving_background(found, setting, history, rng=generator(2))
    assert moving is not None
    assert moving.ratio is not None
    before = of(found).branching_ratio
    assert before > 0.5
    assert moving.ratio.value < 0.3
    assert moving.gain > moving.terms == moving.pieces - 1 == 5
    assert moving.before.value == pytest.approx(before, rel=0.05)
    assert [finding.key for finding in moving.findings][:2] == ["events-moving-less", "events-moving-better"]


def test_triggering_that_is_there_stays() -> None:
    setting = Setting(Places.single(), Window(date(2024, 1, 1), 400))
    model = SelfExciting(0.5, 0.6, ExponentialDelay(1.5))
    history = model.simulate(setting, rng=generator(7))
    found = fitted(model, setting, history)
    moving = moving_background(found, setting, history, rng=generator(2))
    assert moving is not None
    assert moving.ratio is not None
    assert moving.ratio.value == pytest.approx(of(found).branching_ratio, rel=0.2)
    unsure = dataclasses.replace(moving, open=("branching_ratio",)).findings
    assert "90 % interval" in in_words(moving.findings)[0]
    assert "(a number that these events do not determine)" in in_words(unsure)[0]
    assert "90 % interval" not in " ".join(in_words(unsure))


def test_what_was_held_stays_held_and_few_events_are_left_alone() -> None:
    setting, history = stepped(generator(1))
    model = SelfExciting(0.5, 0.5, ExponentialDelay(0.2))
    found = fitted(model, setting, history, **{"delay.decay": 0.2})
    moving = moving_background(found, setting, history, rng=generator(2))
    assert moving is not None
    assert moving.fitted is not None
    assert of(moving.fitted).delay.decay == 0.2
    few = history.during(40)
    assert moving_background(fitted(model, setting.during(40), few), setting.during(40), few, rng=generator(2)) is None


def test_contagion_is_weighed_against_a_background_that_moves() -> None:
    """A short record of one place; what the fit held is held in all four candidates, and every part is told."""
    setting, history = stepped(generator(1))
    setting, history = setting.during(140), history.during(140)
    model = SelfExciting(0.5, 0.5, ExponentialDelay(0.2))
    held = {"delay.decay": 0.2, "background": 0.6}
    made = weighed(fitted(model, setting, history, **held), setting, history)
    assert made.found is not None
    assert made.days == (140 / 12, 35)
    assert sorted(set(made.found.moving["scale_days"])) == [140 / 12, 35]
    assert made.found.movement > 0.9  # the truth is a background that moves, and nothing else
    assert in_words(made.findings)[0].startswith("Set against a background that moves at random over 11.7 and 35 days")
    mutual, elsewhere = load("mutually_exciting").example()
    other = mutual.simulate(elsewhere, rng=generator(1))
    none = weighed(fitted(mutual, elsewhere, other), elsewhere, other)
    assert "has no background with columns that could move" in in_words(none.findings)[0]


def test_the_page_shows_what_contagion_was_weighed_against(cities: EventFit) -> None:
    same = {"log evidence": [-9.0] * 4, "weight": [0.25] * 4, "branching ratio": [0.4] * 4}
    table = {"candidate": list(CANDIDATES), **same}
    tried = {"scale_days": 7.0, "own": False, "sd": 1.0, "log evidence": -9.0, "with triggering": -9.0}
    moving = Table.from_rows([tried])
    case = dataclasses.replace(
        cities, weighed=Weighed(Contagion(Table(table), moving, 0.5, 0.5, 0.95, ("A note.",)), (7.0,))
    )
    assert case.findings["background"][-1].key == "events-contagion-cannot-tell"
    assert {"contagion", "contagion_by_movement"} <= set(case.tables())
    text = render(event_report.page(case, Speaker()), Speaker())
    assert "over 7 days" in text
    assert "Four candidates, equally likely before" in text
    assert "A note." in text


# --- the case ----------------------------------------------------------------------------------


def test_sentences_of_cities(cities: EventFit) -> None:
    findings = {name: [f.key for f in found] for name, found in cities.findings.items()}
    assert findings["data"] == ["events-data"]
    assert findings["triggering"][0] == "events-ratio-below"
    assert findings["kernels"] == ["events-delay", "events-reach-cities"]
    for found in cities.findings.values():
        for sentence in in_words(found):
            assert not re.search(r"nan|inf\b|None\b(?! of)|\{", sentence), sentence
    limits = [finding.key for finding in cities.limits]
    assert "events-limit-quiet" in limits
    assert "events-limit-days" not in limits
    assert "events-limit-open" not in limits


def test_sentences_of_the_plane(plane: EventFit) -> None:
    findings = {name: [f.key for f in found] for name, found in plane.findings.items()}
    assert findings["data"] == ["events-data-plane", "plane-region-file", "plane-areas"]
    assert findings["kernels"] == ["events-delay", "events-reach"]
    assert findings["background"]
    for found in plane.findings.values():
        for sentence in in_words(found):
            assert not re.search(r"nan|inf\b|None\b(?! of)|\{", sentence), sentence
    assert "events-limit-quiet" not in [finding.key for finding in plane.limits]


def test_little_is_said_where_hardly_anything_is_triggered() -> None:
    setting = Setting(Places.single(), Window(date(2024, 1, 1), 300))
    times = np.sort(generator(3).uniform(0, 300, 200))
    history = from_events(setting.places, setting.window, Events(times, np.zeros(200, int)))
    model = SelfExciting(0.6, 1e-4, ExponentialDelay(1.0))
    found = fitted(model, setting, history, branching_ratio=1e-4, **{"delay.decay": 1.0})
    read = read_events(Table({"date": ["2024-01-01"], "time": ["10:00:01"], "city": ["Qom"]}).to_arrow())
    left = Table({"row": [], "id": [], "outcome": [], "reason": [], "remedy": []})
    case = event_fit(read, "self_exciting", found, setting, history, left, seed=1, forests=10)
    assert not case.triggers
    assert [f.key for f in case.findings["triggering"]] == ["events-ratio-below", "events-hardly"]
    assert "delays" not in case.tables()
    text = render(event_report.page(case, Speaker()), Speaker())
    assert 'id="kernels"' not in text
    assert 'id="time"' in text


def test_an_interval_that_leaves_the_doubt_out_is_not_told() -> None:
    """Events at an even pace: the fit finds no triggering, and held at nothing it would have the interval 0 to 0."""
    setting = Setting(Places.single(), Window(date(2024, 1, 1), 100))
    history = from_events(setting.places, setting.window, Events(np.arange(100) + 0.5, np.zeros(100, int)))
    found = fitted(SelfExciting(0.6, 0.1, ExponentialDelay(1.0)), setting, history)
    read = read_events(Table({"date": ["2024-01-01"], "time": ["10:00:01"], "city": ["Qom"]}).to_arrow())
    left = Table({"row": [], "id": [], "outcome": [], "reason": [], "remedy": []})
    case = event_fit(read, "self_exciting", found, setting, history, left, seed=1, forests=10)
    assert "branching_ratio" in case.open
    assert [f.key for f in case.findings["triggering"]] == ["events-ratio-open", "events-hardly-open"]
    assert "interval" not in " ".join(in_words(case.findings["triggering"][1:]))


def test_what_is_not_determined_of_delay_and_reach_has_no_interval(cities: EventFit, plane: EventFit) -> None:
    for case, names in (
        (cities, ("delay.decay", "reach.scale_km")),
        (plane, ("offspring.delay.decay", "offspring.reach.scale_km")),
    ):
        without = dataclasses.replace(case, open=names)
        assert [f.key for f in without.findings["kernels"]] == ["events-delay-open", "events-reach-open"]
        assert in_words(without.findings["kernels"])[1].endswith(f"determine ({names[1]}).")
        late = dataclasses.replace(case, open=names[:1])
        assert late.findings["kernels"][1] == case.findings["kernels"][1]
        assert "reaches" in late.tables()
        assert not {"delays", "reaches"} & set(without.tables())
        text = render(event_report.page(without, Speaker()), Speaker())
        assert "How far it goes these events do not determine" in text
        assert "Share of what an event sets off, by delay" not in text


def test_replicas_that_cannot_be_drawn_leave_the_tests_naive_and_are_told() -> None:
    """How marks are distributed is no part of the model, so it draws no history with them."""
    model, setting = SpaceTime.example()
    history = model.simulate(setting, rng=generator(4))
    assert history.events is not None
    crowd = generator(5).normal(size=len(history.events))
    events = dataclasses.replace(history.events, marks={"crowd": crowd})
    history = from_events(setting.places, setting.window, events)
    assert model.offspring is not None
    offspring = dataclasses.replace(model.offspring, effects=Effects(crowd=0.0))
    found = fitted(dataclasses.replace(model, offspring=offspring), setting, history)
    made = checks_of(found, setting, history, rng=generator(1), replicates=2)
    assert made is not None
    assert not made.simulated
    assert {"waiting times", "number"} <= set(made.values)
    *_, lost, last = made.findings
    assert (lost.key, last.key) == ("events-tests-lost", "events-tests-naive")
    assert "2 of 2 replicas could not be drawn or fitted" in in_words([lost])[0]


def test_a_kernel_that_its_limit_cuts_off_is_told(plane: EventFit) -> None:
    offspring = dataclasses.replace(of(plane.fitted).offspring, longest_days=3.0, furthest_km=15.0)
    cut = dataclasses.replace(plane.fitted, model=dataclasses.replace(of(plane.fitted), offspring=offspring))
    case = dataclasses.replace(plane, fitted=cut)
    keys = [finding.key for finding in case.limits]
    assert "events-limit-cut-days" in keys
    assert "events-limit-cut-km" in keys
    assert "events-limit-cut-km" not in {finding.key for finding in plane.limits}


@pytest.mark.parametrize("which", ["cities", "plane"])
def test_the_page(which: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    case: EventFit = request.getfixturevalue(which)
    text = event_report.write_report(case, tmp_path).read_text(encoding="utf-8")
    for section in ("time", "map", "kernels", "clusters", "checks", "model", "limits", "left-out"):
        assert f'id="{section}"' in text, section
    assert text.count("<svg") == {"cities": 5, "plane": 6}[which]
    assert "http://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    again = event_report.write_report(case, tmp_path).read_text(encoding="utf-8")
    assert text == again
    tables = case.tables()
    assert {"parameters", "over_time", "clusters", "events", "delays", "reaches"} <= set(tables)
    assert len(tables["events"]) == len(case.history.events or ())


def told(case: EventFit, **changes: Any) -> str:
    """The page of a case with other parts, as text."""
    return render(event_report.page(dataclasses.replace(case, **changes), Speaker()), Speaker())


def test_tests_that_could_not_be_made_are_named_with_the_reason(cities: EventFit) -> None:
    history = cities.history
    assert history.events is not None
    few = dataclasses.replace(history, events=history.events.take(np.arange(len(history.events)) < 4))
    checks = checks_of(cities.fitted, cities.setting, few, rng=generator(1))
    assert checks is not None
    assert (checks.times, checks.points) == (None, None)
    assert set(checks.failed) == {"times", "points"}
    said = " ".join(in_words(checks.findings))
    assert "The tests of the times could not be made: 4 events are too few to test a model by" in said
    assert "The tests of residual points could not be made: " in said
    assert "finds fault" not in said
    text = told(cities, checks=checks)
    assert "4 events are too few to test a model by" in text
    assert 'id="checks"' in text


def test_a_test_that_has_no_value_is_named(cities: EventFit) -> None:
    assert cities.checks is not None
    assert cities.checks.times is not None
    table = cities.checks.times.table
    rows = [row | ({"p known": float("nan")} if row["test"] == "serial" else {}) for row in table.rows()]
    times = dataclasses.replace(cities.checks.times, table=Table.from_rows(rows))
    checks = dataclasses.replace(cities.checks, times=times)
    assert "Not to be worked out for these events, and left out: serial." in in_words(checks.findings)
    assert not any("Not to be worked out" in sentence for sentence in in_words(cities.checks.findings))


def test_dates_alone_are_tested_by_their_counts(cities: EventFit) -> None:
    model = dataclasses.replace(of(cities.fitted), by_step=True)
    found = fitted(model, cities.setting, cities.history, **{"reach.scale_km": 60.0})
    checks = checks_of(found, cities.setting, cities.history, rng=generator(1), replicates=3)
    assert checks is not None
    assert checks.counts is not None
    assert (checks.times, checks.points, checks.failed) == (None, None, {})
    assert {name.partition(": ")[0] for name in checks.values} == {"counts"}
    assert set(checks.tables()) == {"test_counts", "counts_pit", "counts_autocorrelation"}
    text = told(cities, checks=checks)
    for words in ("Tests of the counts", "Where the counts stand in the distributions", "fitted again"):
        assert words in text
    assert "time rescaling" not in text
    worst: dict[str, float] = dict.fromkeys(
        ("counts: together", "counts: serial", "counts: number", "counts: dispersion"), 1e-4
    )
    known = {"p simulated": None}
    rows = [r | known | {"p known": worst.get(f"counts: {r['test']}", 0.5)} for r in checks.counts.table.rows()]
    counts = dataclasses.replace(checks.counts, table=Table.from_rows(rows))
    naive = dataclasses.replace(checks, asked=False, counts=counts)
    assert "p simulated" not in naive.tables()["test_counts"].columns
    assert any("No history could be drawn" in s for s in in_words(dataclasses.replace(naive, asked=True).findings))
    said = in_words(naive.findings)
    assert said[0].startswith("4 of 6 tests find fault")
    assert sum("p < 0.001" in sentence for sentence in said) == 4


# --- models suited to events -------------------------------------------------------------------


def by_days(model_setting, **kind):
    model, setting = model_setting
    drawn = model.simulate(setting, rng=generator(4))
    assert drawn.events is not None
    times = np.floor(drawn.events.time_days)
    return model, setting, dataclasses.replace(drawn, events=dataclasses.replace(drawn.events, time_days=times, **kind))


def test_days_are_weighed_as_counts_where_the_model_can() -> None:
    model, setting, history = by_days(SelfExciting.example(), day_precision=True)
    found, histories, said = suited_to_times(model, [setting], [history], rng=generator(1))
    assert found.by_step
    assert histories[0] is history
    assert [f.key for f in said] == ["times-by-step"]
    found, histories, said = suited_to_times(model, [setting], [history], {"by_step"}, rng=generator(1))
    assert not found.by_step
    assert [f.key for f in said] == ["times-by-day"]
    events = histories[0].events
    assert events is not None
    assert len(set(events.time_days)) == len(events)


def test_the_plane_spreads_days_and_hours() -> None:
    model, setting, history = by_days(SpaceTime.example(), day_precision=True)
    _, histories, said = suited_to_times(model, [setting], [history], rng=generator(1))
    assert [f.key for f in said] == ["times-by-day"]
    assert histories[0].events is not None
    assert histories[0].events.x_km is not None
    within = np.zeros(len(history.events or ()))
    within[:7] = 1 / 24
    _, setting, history = by_days(SpaceTime.example(), within_days=within)
    _, histories, said = suited_to_times(model, [setting], [history], rng=generator(1))
    assert in_words(said)[0].startswith(f"7 of {len(within)} times are known to a minute, an hour, a day or several")
    assert history.events is not None
    exact = dataclasses.replace(history, events=dataclasses.replace(history.events, within_days=None))
    assert suited_to_times(model, [setting], [exact], rng=generator(1))[2] == ()


def test_a_model_of_the_plane_starts_near_its_events(plane: EventFit) -> None:
    model, _ = SpaceTime.example()
    assert plane.plane is not None
    found, said = suited_to_plane(model, [plane.plane])
    assert found.offspring is not None
    assert (found.offspring.furthest_km, found.offspring.longest_days) == (200, 30)
    assert found.endemic is not None
    setting = plane.setting
    flat = dataclasses.replace(found.endemic, effects=type(found.endemic.effects)())
    expected = float((flat.rate(setting) * setting.covariates["area_km2"]).sum())
    assert expected == pytest.approx(0.5 * len(plane.history.events or ()), rel=0.1)  # less what the trend adds
    assert [f.key for f in said] == ["plane-region-file", "plane-areas", "plane-limits", "plane-no-density"]
    kept, _ = suited_to_plane(model, [plane.plane], {"offspring": {"furthest_km": 80.0}}, {"endemic.intercept"})
    assert kept.offspring is not None
    assert kept.endemic is not None
    assert kept.offspring.furthest_km == 80
    assert kept.endemic.intercept == -13.5


# --- pictures ----------------------------------------------------------------------------------


def test_a_smoothed_share_is_that_of_the_events_nearby() -> None:
    region = Region.rectangle(0, 0, 400, 200)
    rng = generator(1)
    x, y = rng.uniform(0, 400, 800), rng.uniform(0, 200, 800)
    box, share = smoothed_share(region, x, y, (x > 200).astype(float))
    assert box[:2] == (0, pytest.approx(400, abs=5))
    assert np.nanmax(share[:, : share.shape[1] // 3]) < 0.01
    assert np.nanmin(share[:, -(share.shape[1] // 3) :]) > 0.99
    few = smoothed_share(region, x[:5], y[:5], np.ones(5))[1]
    assert np.isnan(few).mean() > 0.9
