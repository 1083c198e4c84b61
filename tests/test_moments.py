"""Runs that are stopped on the way: stopping and recording change nothing, and a scenario changes what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.models.agents import scenarios
from groundswell.models.agents.civil_violence import CivilViolence, Course
from groundswell.models.agents.crowd import load, run
from groundswell.models.agents.intergroup_violence import IntergroupViolence
from groundswell.models.agents.intergroup_violence import load as load_peoples
from groundswell.models.agents.intergroup_violence import run as run_peoples
from groundswell.models.agents.recording import Recorder, record
from groundswell.models.library import LIBRARY
from groundswell.models.moments import Scenario, go_on
from groundswell.report.figures.scenarios import beside, beside_table, parted
from groundswell.rng import generator

# The hash means to wrap around at 2^64; with numba switched off, numpy says so at every turn.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

LIVELY = CivilViolence(
    rows=14, columns=16, vision_cells=1.7, legitimacy=0.6, officer_density=0.1, max_jail_term=4.0, jailed="off_grid"
)  # fmt: skip
GROUPS = IntergroupViolence(rows=12, columns=13, legitimacy=0.7, officer_density=0.05, max_age=20.0)
both = pytest.mark.parametrize("model", [LIVELY, replace(LIVELY, activation="tiles"), GROUPS])


def straight(model: Any, steps: int) -> tuple[Any, dict[str, np.ndarray]]:
    """The moment after an uninterrupted run, and its series, by the model's own `run`."""
    if isinstance(model, CivilViolence):
        done = run(model.populate(rng=generator(3)), steps)
        return done.crowd, dict(done.series)
    whole = run_peoples(model.populate(rng=generator(3)), steps)
    return whole.peoples, dict(whole.series)


def told(series: dict[str, np.ndarray]) -> History:
    steps = len(next(iter(series.values())))
    named = {name: values[None, :] for name, values in series.items()}
    return History(Places.single(100), Window(date(2000, 1, 1), steps), named)


@both
@settings(max_examples=12, deadline=None)
@given(cuts=st.sets(st.integers(0, 12)), watched=st.booleans())
def test_stops_and_onlookers_change_nothing(model: Any, cuts: set[int], watched: bool) -> None:
    seen: list[int] = []
    steps: list[int] = []

    class Onlooker:
        def __init__(self) -> None:
            self.watched = watched

        def see(self, series: Any, now: Any) -> None:
            steps.append(now().step)

    def stop(now: Any) -> Any:
        seen.append(now.step)
        return now

    begin = model.populate(rng=generator(3))
    last, series = go_on(model.moments(), begin, 12, stops=dict.fromkeys(cuts, stop), watcher=Onlooker())
    expected, whole = straight(model, 12)
    assert last.step == expected.step == 12
    np.testing.assert_array_equal(last.frame(), expected.frame())
    assert list(series) == list(whole) == list(model.moments().series)
    for name, values in whole.items():
        np.testing.assert_array_equal(series[name], values)
    assert seen == sorted(cuts - {0})
    assert steps[-1] == 12
    assert not watched or steps == list(range(1, 13))


@both
def test_no_steps_are_a_run_of_none(model: Any) -> None:
    begin = model.populate(rng=generator(3))
    last, series = go_on(model.moments(), begin, 0)
    assert last is begin
    assert all(len(values) == 0 for values in series.values())


def test_peoples_are_recorded_as_they_are(tmp_path: Path) -> None:
    begin = GROUPS.populate(rng=generator(3))
    framed = run_peoples(begin, 9, record="frames")
    assert framed.frames is not None
    for what in ("totals", "frames", "agents"):
        last = record(tmp_path / f"{what}.parquet", begin, 9, what=what)
        np.testing.assert_array_equal(last.persons, framed.peoples.persons)
    totals, frames, agents = (
        pq.read_table(tmp_path / f"{what}.parquet").to_pydict() for what in ("totals", "frames", "agents")
    )
    assert totals.pop("step") == list(range(1, 10))
    assert totals == {name: values.tolist() for name, values in framed.series.items()}
    drawn = np.zeros_like(framed.frames)
    drawn[frames["step"], frames["row"], frames["column"]] = frames["state"]
    np.testing.assert_array_equal(drawn, framed.frames)
    step, group, state, age = (np.array(agents[name]) for name in ("step", "group", "state", "age"))
    at_end = step == 9
    assert at_end.sum() == len(framed.peoples.persons)
    assert ((group == 0) & at_end).sum() == framed.series["first"][-1]
    assert ((state == 5) & at_end).sum() == framed.series["jailed"][-1]
    assert age[(step == 0)].max() == 0 < age[at_end & (group < 2)].max()
    on_grid = np.array([row is not None for row in agents["row"]])
    np.testing.assert_array_equal(on_grid[step == 9].sum(), (framed.frames[-1] > 0).sum())

    some = pq.read_table(tmp_path / "agents.parquet").to_pylist()
    record(tmp_path / "two.parquet", begin, 9, what="agents", agents=np.array([4, 100_000]))
    assert pq.read_table(tmp_path / "two.parquet").to_pylist() == [row for row in some if row["agent"] == 4]


def test_a_recorder_that_is_left_by_an_error_leaves_no_file(tmp_path: Path) -> None:
    begin = LIVELY.populate(rng=generator(3))
    with pytest.raises(RuntimeError), Recorder(tmp_path / "run.parquet", begin, "frames"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


# scenarios


NAMED = [(name, key) for name, entry in LIBRARY.items() for key in entry.load().scenarios()]


@pytest.mark.parametrize(("model", "name"), NAMED)
def test_every_scenario_is_the_run_without_it_until_it_sets_in(model: str, name: str) -> None:
    scenario = LIBRARY[model].load().scenarios()[name]
    moments: Any = type(scenario.without).moments()
    steps = scenario.after + 20
    begin = scenario.without.populate(rng=generator(2))
    other = go_on(moments, begin, steps)[1]
    stops = {scenario.after: scenario.change}
    mine = go_on(moments, begin if scenario.after else scenario.change(begin), steps, stops=stops)[1]
    apart = parted(told(mine), told(other))
    assert apart is not None
    assert scenario.after <= apart
    assert scenario.doc[0].islower()


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_the_models_to_populate_are_the_scenarios_from_their_first_step(name: str) -> None:
    scenario: Scenario = scenarios.SCENARIOS[name]
    model: CivilViolence = getattr(scenarios, name)()
    moments: Any = CivilViolence.moments()
    begin = scenario.without.populate(rng=generator(2))
    steps = scenario.after + 12
    mine = go_on(moments, begin if scenario.after else scenario.change(begin), steps, stops={76: scenario.change})[1]
    whole = run(model.populate(rng=generator(2)), steps).series
    np.testing.assert_array_equal(mine["active"], whole["active"])
    np.testing.assert_array_equal(mine["jailed"], whole["jailed"])


def test_fear_of_arrest_is_what_hides_the_aggrieved() -> None:
    """Run 1 from both sides: who has cause enough and is free is active, but for those just out of jail, or afraid."""
    scenario = scenarios.SCENARIOS["deception"]
    shares = []
    for seed in range(4):
        begin = scenario.without.populate(rng=generator(seed))
        aggrieved = begin.hardship * (1 - begin.model.legitimacy) > begin.model.activation_threshold
        for crowd in (begin, scenario.change(begin)):
            last, _ = go_on(CivilViolence.moments(), crowd, 30)
            active, free = last.active[: len(aggrieved)], last.jail[: len(aggrieved)] == 0
            assert (active <= aggrieved).all()
            shares.append(active[free & aggrieved].mean())
    frank, afraid = np.reshape(shares, (4, 2)).mean(axis=0)
    assert frank > 0.8
    assert afraid < frank - 0.1


def test_legitimacy_falls_from_where_it_is() -> None:
    """From a course that is under way, and from no lower than nothing."""
    under_way = replace(LIVELY, legitimacy=0.9, legitimacy_course=Course(to=0.5, first=1.0, by=0.1))
    crowd = run(under_way.populate(rng=generator(1)), 3).crowd
    falling = scenarios.SCENARIOS["legitimacy_falling"].change(crowd).model
    assert [falling.at(step).legitimacy for step in (3, 4, 5)] == pytest.approx([0.6, 0.59, 0.58])
    dropped = scenarios.SCENARIOS["legitimacy_dropping"].change(crowd).model
    assert [dropped.at(step).legitimacy for step in (3, 4, 50)] == pytest.approx([0.6, 0.4, 0.4])
    low = scenarios.SCENARIOS["legitimacy_dropping"].change(replace(LIVELY, legitimacy=0.1).populate(rng=generator(1)))
    assert low.model.at(1).legitimacy == 0


def test_officers_leave_one_by_one_and_only_once() -> None:
    scenario = scenarios.SCENARIOS["officers_withdrawn"]
    begin = LIVELY.populate(rng=generator(1))
    leaving, _ = go_on(CivilViolence.moments(), scenario.change(begin), 5)
    assert (begin.states() == 4).sum() - (leaving.states() == 4).sum() == 5
    with pytest.raises(UsageError, match="being withdrawn in this run as it is"):
        scenario.change(leaving)


@both
def test_what_a_run_begins_with_cannot_change_on_the_way(model: Any) -> None:
    begin = model.populate(rng=generator(1))
    moments = model.moments()
    for name in ("citizen_density", "officer_density", "rows"):
        other = replace(model, **{name: 20 if name == "rows" else getattr(model, name) / 2})
        with pytest.raises(UsageError, match=rf"{name} is .* says how a run begins"):
            moments.changed(begin, other)
    assert moments.changed(begin, replace(model, legitimacy=0.5)).model.legitimacy == 0.5
    assert set(moments.settled) <= set(type(model).__dataclass_fields__)


def test_a_table_and_a_picture_show_both_runs() -> None:
    moments: Any = CivilViolence.moments()
    begin = LIVELY.populate(rng=generator(1))
    without = told(go_on(moments, begin, 10)[1])
    calm = moments.changed(begin, replace(LIVELY, legitimacy=1.0))
    mine = told(go_on(moments, calm, 10)[1])
    table = {row["series"]: row for row in beside_table(mine, without).rows()}
    assert table["active"]["mean with"] == 0 < table["active"]["mean without"]
    for row in table.values():
        assert row["difference"] == row["mean with"] - row["mean without"]
    assert table["quiet"]["last with"] == mine["quiet"][0, -1]
    assert parted(mine, without) == 0
    assert parted(mine, mine) is None
    later = {name: np.where(np.arange(10) < 4, without[name][0], -1.0) for name in without.series}
    assert parted(told(later), without) == 4
    axes = beside(mine, without, after=20, first=20)
    assert axes.shape == (2, 2)
    lines = axes[0, 0].get_lines()
    np.testing.assert_array_equal(lines[0].get_xdata(), np.arange(21, 31))
    np.testing.assert_array_equal(lines[1].get_ydata(), without["active"][0])
    with pytest.raises(UsageError, match="two runs of one model"):
        beside_table(mine, mine.during(5))


# files


def test_files_of_another_model_and_of_the_first_kind(tmp_path: Path) -> None:
    crowd, peoples = LIVELY.populate(rng=generator(1)), GROUPS.populate(rng=generator(1))
    crowd.save(tmp_path / "crowd.npz")
    peoples.save(tmp_path / "peoples.npz")
    with pytest.raises(DataError, match=r"saved by another model \(Crowd\); expected Peoples"):
        load_peoples(tmp_path / "crowd.npz")
    with pytest.raises(DataError, match=r"saved by another model \(Peoples\); expected Crowd"):
        load(tmp_path / "peoples.npz")
    with np.load(tmp_path / "crowd.npz") as held:
        first = {name: held[name] for name in held.files if name != "kind"}
    np.savez(tmp_path / "first.npz", **first)  # as they were written before they said whose they are
    assert load(tmp_path / "first.npz").model == crowd.model
    (tmp_path / "text.npz").write_text("step,active\n1,2\n")
    with pytest.raises(DataError, match=r"it is no \.npz file") as refused:
        load(tmp_path / "text.npz")
    assert "pickle" not in str(refused.value)
