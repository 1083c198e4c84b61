"""Runs of a crowd: what is recorded and how many at once changes nothing, files are whole, courses move numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import DataError, ParameterError, UsageError
from groundswell.models.agents import recording, scenarios
from groundswell.models.agents.civil_violence import CivilViolence, Course
from groundswell.models.agents.crowd import EMPTY, JAILED, OFFICER, Crowd, load, run, run_many
from groundswell.models.agents.recording import record
from groundswell.rng import generator
from tests.naive.civil_violence import Twin
from tests.naive.civil_violence_tiles import TiledTwin

# The hash means to wrap around at 2^64; with numba switched off, numpy says so at every turn.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

LIVELY = CivilViolence(
    rows=14, columns=16, vision_cells=1.7, legitimacy=0.6, officer_density=0.1, citizen_density=0.7,
    max_jail_term=4.0, jailed="off_grid",
)  # fmt: skip
MOVING = replace(
    LIVELY,
    legitimacy=0.9,
    legitimacy_course=Course(to=0.5, first=3.0, by=0.1),
    officers_course=Course(to=0.02, first=2.0, by=0.02),
)
IN_TILES = replace(MOVING, activation="tiles")


def assert_same(a: Crowd, b: Crowd) -> None:
    assert (a.step, a.model) == (b.step, b.model)
    for name in ("cell", "active", "jail", "hardship", "risk_aversion"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("model", [LIVELY, replace(LIVELY, activation="tiles"), MOVING, IN_TILES])
def test_recording_and_files_change_nothing_and_agree(model: CivilViolence, tmp_path: Path):
    crowd = model.populate(rng=generator(3))
    plain, framed, followed = run(crowd, 9), run(crowd, 9, record="frames"), run(crowd, 9, record="agents")
    assert_same(framed.crowd, plain.crowd)
    assert_same(followed.crowd, plain.crowd)
    assert framed.frames is not None
    assert followed.tracks is not None
    np.testing.assert_array_equal(followed.tracks.state[-1], plain.crowd.states())
    np.testing.assert_array_equal(followed.tracks.cell[0], crowd.cell)

    for what in ("totals", "frames", "agents"):
        assert_same(record(tmp_path / f"{what}.parquet", crowd, 9, what=what), plain.crowd)
    totals, frames, agents = (
        pq.read_table(tmp_path / f"{what}.parquet").to_pydict() for what in ("totals", "frames", "agents")
    )
    for name, values in plain.series.items():
        assert totals[name] == values.tolist()
    assert totals["step"] == list(range(1, 10))
    drawn = np.zeros_like(framed.frames)
    drawn[frames["step"], frames["row"], frames["column"]] = frames["state"]
    np.testing.assert_array_equal(drawn, framed.frames)
    assert agents["agent"] == list(range(len(crowd.cell))) * 10
    np.testing.assert_array_equal(np.reshape(agents["state"], (10, -1)), followed.tracks.state)
    cell = [
        -1 if row is None else row * 16 + column for row, column in zip(agents["row"], agents["column"], strict=True)
    ]
    np.testing.assert_array_equal(np.reshape(cell, (10, -1)), followed.tracks.cell)


def test_chosen_agents_are_followed_in_the_order_given():
    crowd = LIVELY.populate(rng=generator(3))
    every, some = (
        run(crowd, 6, record="agents").tracks,
        run(crowd, 6, record="agents", agents=np.array([170, 3])).tracks,
    )
    assert every is not None
    assert some is not None
    np.testing.assert_array_equal(some.state, every.state[:, [170, 3]])
    assert (some.state[:, 0] == OFFICER).all()
    with pytest.raises(UsageError, match="expected whole numbers from 0 to 178, officers after citizens"):
        run(crowd, 1, record="agents", agents=np.array([179]))


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    crowd = MOVING.populate(rng=generator(1))
    path = tmp_path / "run.parquet"
    record(path, crowd, 5, what="agents")
    whole = path.read_bytes()
    monkeypatch.setattr(recording, "ROWS_AT_ONCE", 100)

    def stop(share: float, _: str) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(path, crowd, 5, what="agents", progress=stop)
    assert path.read_bytes() == whole
    assert [file.name for file in tmp_path.iterdir()] == ["run.parquet"]
    record(tmp_path / "pieces.parquet", crowd, 5, what="agents")
    assert pq.read_table(tmp_path / "pieces.parquet").equals(pq.read_table(path))
    origin = json.loads(pq.read_schema(path).metadata[b"groundswell"])
    assert origin["key"] == crowd.key
    assert origin["model"]["legitimacy_course"] == {"to": 0.5, "first": 3.0, "by": 0.1}
    with pytest.raises(UsageError, match='expected "totals", "frames" or "agents"'):
        record(path, crowd, 5, what="everything")  # type: ignore[arg-type]


def test_many_at_once_go_as_one_by_one():
    crowds = [replace(LIVELY, legitimacy=0.5 + seed / 20).populate(rng=generator(seed)) for seed in range(6)]
    alone = [run(crowd, 10) for crowd in crowds]
    for threads in (1, 3):
        for one, other in zip(alone, run_many(crowds, 10, threads=threads), strict=True):
            assert_same(one.crowd, other.crowd)
            np.testing.assert_array_equal(one.series["active"], other.series["active"])
    with pytest.raises(UsageError, match="threads is 0"):
        run_many(crowds, 1, threads=0)


@pytest.mark.parametrize(("model", "kind"), [(MOVING, Twin), (IN_TILES, TiledTwin)])
def test_courses_go_the_way_of_the_twin(model: CivilViolence, kind: type[Twin]):
    crowd = model.populate(rng=generator(8))
    twin, citizens = kind(crowd), len(crowd.hardship)
    slow = []
    for step in range(1, 10):
        twin.model = model.at(step)
        on_duty = round(22 * twin.model.officer_density / 0.1)
        for officer in twin.agents[citizens + on_duty :]:
            officer.cell = None
        slow.append(twin.go())
    done = run(crowd, 9, record="agents")
    np.testing.assert_array_equal(done.series["active"], [active for active, _, _ in slow])
    np.testing.assert_array_equal(done.series["arrests"], [arrests for _, _, arrests in slow])
    assert done.crowd.cell.tolist() == twin.cells()
    assert done.tracks is not None
    assert ((done.tracks.state == OFFICER).sum(1) == [22, 22, 18, 13, 9, 4, 4, 4, 4, 4]).all()
    assert (done.crowd.states()[citizens + 4 :] == EMPTY).all()
    assert done.series["active"][1] == 0 < done.series["active"][-1]


def test_a_run_under_courses_is_stopped_saved_and_resumed(tmp_path: Path):
    crowd = IN_TILES.populate(rng=generator(2))
    half = run(crowd, 4).crowd
    half.save(tmp_path / "half.npz")
    assert load(tmp_path / "half.npz").model == IN_TILES
    assert_same(run(load(tmp_path / "half.npz"), 5, threads=2).crowd, run(crowd, 9).crowd)
    (tmp_path / "half.npz").write_bytes(b"PK damaged")
    with pytest.raises(DataError, match="no saved crowd"):
        load(tmp_path / "half.npz")


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(1, 20), st.integers(1, 200))
def test_a_course_keeps_between_its_ends_and_reaches_the_last(before, to, by, first, step):
    course = Course(to=to, first=float(first), by=by)
    assert min(before, to) <= course.at(step, before) <= max(before, to)
    assert step >= first or course.at(step, before) == before
    assert by < 1 or step < first or course.at(step, before) == to


def test_recalled_scenarios_run_as_they_are_described():
    falling = run(scenarios.legitimacy_falling().populate(rng=generator(1)), 100).series
    assert falling["active"][:2].max() == 0 < falling["active"].max()
    dropped = run(scenarios.legitimacy_dropping().populate(rng=generator(1)), 80)
    assert dropped.series["active"][:76].max() == 0 < dropped.series["active"][76]
    withdrawn = run(scenarios.officers_withdrawn().populate(rng=generator(1)), 150)
    assert (withdrawn.crowd.states() == OFFICER).sum() == 0
    assert withdrawn.series["active"][-1] == (withdrawn.crowd.hardship * (1.0 - 0.8) > 0.1).sum()
    assert scenarios.punctuated_equilibrium().ratio == "floor"
    assert run(scenarios.deception().populate(rng=generator(1)), 30, record="agents").tracks is not None
    assert JAILED == 3


def test_a_crowd_that_cannot_be_is_refused():
    crowd = LIVELY.populate(rng=generator(1))
    everyone = np.ones(len(crowd.cell), bool)
    with pytest.raises(DataError, match="an officer jailed or active"):
        replace(crowd, active=everyone)
    citizens = np.arange(len(crowd.cell)) < len(crowd.hardship)
    with pytest.raises(DataError, match="both active and in jail"):
        replace(crowd, active=citizens, jail=citizens.astype(np.int32))


def test_officers_cannot_be_sent():
    with pytest.raises(ParameterError, match="Officers can be withdrawn, not sent"):
        replace(LIVELY, officers_course=Course(to=0.2))
