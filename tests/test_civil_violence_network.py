"""Civil violence on networks: its twin, the torus as a network, closed forms, and what cannot be meant."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.data.graph import Graph
from groundswell.errors import DataError, GroundswellWarning, ParameterError, UsageError
from groundswell.models.agents import _civil_violence_loops as loops
from groundswell.models.agents import ties as ties_module
from groundswell.models.agents.cascade import Cascade
from groundswell.models.agents.civil_violence import CHOICES, CivilViolence, Course
from groundswell.models.agents.crowd import ACTIVE, EMPTY, OFFICER, QUIET, Crowd, load, run
from groundswell.models.agents.engines import rules_of
from groundswell.models.agents.networks import GivenGraph, GraphFile, Lattice, Network, RandomGraph, Ring, SmallWorld
from groundswell.models.agents.recording import record
from groundswell.models.agents.ties import Ties
from groundswell.rng import generator, hash_key
from tests.naive.civil_violence import Twin
from tests.naive.civil_violence_network import NetworkTwin

# The hash means to wrap around at 2^64; with numba switched off, numpy says so at every turn.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

LIVELY = CivilViolence(
    legitimacy=0.6, officer_density=0.1, citizen_density=0.75, max_jail_term=4.0, rows=9, columns=12,
    vision_cells=2.0, ties=Ties(SmallWorld(90, 3, 0.2)),
)  # fmt: skip
NETWORKS: tuple[Network, ...] = (SmallWorld(80, 3, 0.2), RandomGraph(70, 2.0), Ring(60, 1), RandomGraph(9, 0.7))
"""In the random ones some have no tie."""


def with_ties(model: CivilViolence, **changes: Any) -> CivilViolence:
    assert model.ties is not None
    return replace(model, ties=replace(model.ties, **changes))


def complete(nodes: int) -> Network:
    return GivenGraph(Graph.of([(i, j) for i in range(nodes) for j in range(i)]))


def assert_same(a: Crowd, b: Crowd) -> None:
    assert a.step == b.step
    for name in ("cell", "active", "jail", "hardship", "risk_aversion"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def agrees_with_twin(model: CivilViolence, seed: int, steps: int) -> np.ndarray:
    crowd = model.populate(rng=generator(seed))
    twin = NetworkTwin(crowd)
    slow = np.array([twin.go() for _ in range(steps)]).reshape(steps, 3)
    done = run(crowd, steps)
    fast = np.column_stack([done.series["active"], done.series["jailed"], done.series["arrests"]])
    np.testing.assert_array_equal(fast, slow)
    assert done.crowd.cell.tolist() == twin.cells()
    assert done.crowd.jail.tolist() == [a.jail for a in twin.agents]
    assert done.crowd.active.tolist() == [a.active for a in twin.agents]
    return fast


@given(
    choices=st.fixed_dictionaries({name: st.sampled_from(allowed) for name, allowed in CHOICES.items()}),
    rules=st.fixed_dictionaries({name: st.sampled_from(allowed) for name, allowed in ties_module.CHOICES.items()}),
    network=st.sampled_from(NETWORKS),
    seed=st.integers(0, 10**6),
    term=st.sampled_from([0.0, 1.0, 4.0]),
    citizens=st.sampled_from([0.3, 0.75, 0.9]),
    vision=st.sampled_from([0.0, 1.0, 2.7]),
)
@settings(max_examples=40, deadline=None)
def test_every_combination_of_rules_goes_the_way_of_the_twin(choices, rules, network, seed, term, citizens, vision):
    model = replace(LIVELY, max_jail_term=term, citizen_density=citizens, **choices)
    agrees_with_twin(with_ties(model, network=network, vision_ties=vision, **rules), seed, 5)


@pytest.mark.parametrize("nodes", ["persons", "places"])
@pytest.mark.parametrize("patrol", ["along_ties", "anywhere"])
def test_a_long_run_goes_the_way_of_the_twin_and_is_not_idle(nodes: str, patrol: str):
    totals = agrees_with_twin(with_ties(LIVELY, nodes=nodes, patrol=patrol), 5, 40)
    assert totals[:, 0].max() > 5
    assert totals[:, 2].sum() > 30


def test_officers_beside_everyone_find_no_room_and_stay():
    crowded = replace(LIVELY, officer_density=0.98, citizen_density=1.0)
    for patrol in ("along_ties", "anywhere"):
        agrees_with_twin(with_ties(crowded, patrol=patrol), 2, 4)


@given(
    choices=st.fixed_dictionaries({name: st.sampled_from(allowed) for name, allowed in CHOICES.items()}),
    seed=st.integers(0, 10**6),
    vision=st.sampled_from([0.0, 1.0, 1.7, 3.0]),
)
@settings(max_examples=25, deadline=None)
def test_a_network_that_is_the_torus_goes_the_way_of_the_grid(choices, seed, vision):
    """The same loops on lists of who is in view, written down in the grid's order: the same bits."""
    grid = replace(LIVELY, ties=None, vision_cells=vision, **choices)
    crowd = grid.populate(rng=generator(seed))
    listed = np.array([[row * 12 + column for row, column in around] for around in _looks(crowd)])
    ends = np.arange(109) * listed.shape[1] + 109
    by_lists, by_offsets = (
        _advanced(crowd, around)
        for around in (np.concatenate([ends, listed.ravel()]).astype(np.int32), np.column_stack(grid.offsets()))
    )
    for one, other in zip(by_lists, by_offsets, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(by_offsets[1][:, 0], run(crowd, 8).series["active"])


def _looks(crowd: Crowd) -> list[list[tuple[int, int]]]:
    twin = Twin(crowd)
    return [twin.around(divmod(cell, 12)) for cell in range(108)]


def _advanced(crowd: Crowd, around: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    none, rules = np.full(len(crowd.cell), -1), rules_of(crowd.model)
    agents = np.column_stack([crowd.cell, crowd.jail, crowd.active, none]).astype(np.int32)
    traits = np.column_stack([crowd.hardship * rules.illegitimacy, crowd.risk_aversion])
    totals = np.zeros((8, 3), np.int64)
    loops.advance(agents, np.zeros((108, 4), np.int32), traits, around, rules, np.uint64(crowd.key), 1, totals)
    return agents, totals


@pytest.mark.parametrize(
    ("network", "vision", "cells", "neighbourhood"),
    [
        (Lattice(9, 12, "moore"), 1.0, 1.0, "square"),
        (Lattice(9, 12, "moore"), 3.0, 3.0, "square"),
        (Lattice(9, 12, "von_neumann"), 2.0, 2.0, "diamond"),
    ],
)
def test_steps_on_a_lattice_see_what_cells_see(network: Network, vision: float, cells: float, neighbourhood: str):
    grid = replace(LIVELY, ties=None, vision_cells=cells, neighbourhood=neighbourhood)
    views = Ties(network, vision).drawn(np.uint64(1)).views()
    for cell, around in enumerate(_looks(grid.populate(rng=generator(1)))):
        assert views[views[cell] : views[cell + 1]].tolist() == sorted(row * 12 + column for row, column in around)


@given(
    choices=st.fixed_dictionaries({name: st.sampled_from(allowed) for name, allowed in CHOICES.items()}),
    patrol=st.sampled_from(["along_ties", "anywhere"]),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=25, deadline=None)
def test_where_all_see_all_grid_places_and_persons_are_one(choices, patrol, seed):
    """Who stands where then decides nothing: agents of one number decide, are arrested and serve alike."""
    choices = {**choices, "neighbourhood": "square", "placement": "counts"}
    grid = replace(LIVELY, ties=None, rows=9, columns=9, vision_cells=4.0, **choices)
    both = [
        replace(grid, ties=Ties(complete(81), nodes="places", patrol=patrol)),
        replace(grid, ties=Ties(complete(81), nodes="persons", patrol=patrol)),
    ]
    one, *others = (run(model.populate(rng=generator(seed)), 12) for model in (grid, *both))
    for other in others:
        for name, values in one.series.items():
            np.testing.assert_array_equal(other.series[name], values)
        np.testing.assert_array_equal(other.crowd.active, one.crowd.active)
        np.testing.assert_array_equal(other.crowd.jail, one.crowd.jail)


def test_without_ties_those_with_an_officer_beside_them_weigh_one_against_one():
    """A = 1 and, with an officer there, C = 1: the arrest probability is 1 - exp(-2.3); nobody sees anyone else."""
    nobody = GivenGraph(Graph.from_pairs(np.zeros((0, 2), np.int64), 2000))
    model = CivilViolence.among(nobody, own_count="once", officer_density=0.3, legitimacy=0.7)
    crowd = model.populate(rng=generator(1))
    done = run(crowd, 1).crowd
    watched = np.isin(np.arange(2000), crowd.cell[2000:])
    grievance, risk = crowd.hardship * (1.0 - 0.7), crowd.risk_aversion * (1.0 - np.exp(-2.3))
    np.testing.assert_array_equal(done.active[:2000][~watched], (grievance > 0.1)[~watched])
    dares = watched & (grievance - risk > 0.1)
    np.testing.assert_array_equal(done.cell, crowd.cell)  # who has nowhere to go stays
    # Half of those who dare have acted before their officer's turn, and are arrested in this step or go on.
    assert not done.active[:2000][watched & ~dares].any()
    assert (done.jail[:2000] > 0)[dares].mean() == pytest.approx(0.5, abs=0.2)
    assert run(crowd, 40).series["jailed"].max() <= dares.sum()


@given(st.sampled_from(NETWORKS), st.floats(0.9, 1.0), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_no_one_is_ever_active_at_a_legitimacy_of_nine_tenths(network, legitimacy, seed):
    model = CivilViolence.among(network, legitimacy=legitimacy)
    assert run(model.populate(rng=generator(seed)), 20).series["active"].max() == 0


@given(st.sampled_from(NETWORKS), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_without_officers_exactly_the_aggrieved_are_active(network, seed):
    crowd = CivilViolence.among(network, officer_density=0.0).populate(rng=generator(seed))
    assert (run(crowd, 3).series["active"] == (crowd.hardship * (1.0 - 0.82) > 0.1).sum()).all()


def test_persons_stay_and_officers_stand_beside_them_one_each():
    crowd = with_ties(replace(LIVELY, citizen_density=1.0, officer_after_arrest="stays")).populate(rng=generator(3))
    np.testing.assert_array_equal(crowd.cell[:90], np.arange(90))
    done = run(crowd, 30, record="agents").tracks
    assert done is not None
    assert (done.cell[:, :90] == np.arange(90)).all()
    officers = done.cell[:, 90:]
    assert officers.shape == (31, 9)
    assert all(len(np.unique(row)) == 9 for row in officers)
    assert (officers[1:] != officers[:-1]).mean() > 0.9
    ties = crowd.model.ties
    assert ties is not None
    for before, after in zip(officers[:-1].ravel(), officers[1:].ravel(), strict=True):
        assert before == after or after in ties.graph.near(before)


def test_an_officer_on_patrol_goes_everywhere_alike():
    alone = CivilViolence.among(Ring(25, 1), officer_density=1 / 25, legitimacy=1.0)
    start = with_ties(alone, patrol="anywhere").populate(rng=generator(1))
    went = np.bincount([run(replace(start, key=key), 1).crowd.cell[-1] for key in range(2000)], minlength=25) / 2000
    assert went[start.cell[-1]] == 0
    assert abs(went[went > 0] - 1 / 24).max() < 0.02
    assert (went > 0).sum() == 24


def test_places_hold_one_agent_each():
    model = with_ties(replace(LIVELY, jailed="off_grid", officer_after_arrest="stays"), nodes="places")
    done = run(model.populate(rng=generator(8)), 50).crowd
    on_nodes = done.cell[done.cell >= 0]
    assert len(np.unique(on_nodes)) == len(on_nodes)
    assert len(on_nodes) + (done.jail > 0).sum() == len(done.cell) == 77


def test_placement_by_chance_meets_the_densities():
    model = CivilViolence.among(Ring(40_000, 1), placement="cells", citizen_density=0.7, officer_density=0.2)
    crowd = model.populate(rng=generator(3))
    citizens = len(crowd.hardship)
    assert citizens == pytest.approx(28_000, abs=5 * np.sqrt(40_000 * 0.7 * 0.3))
    assert len(crowd.cell) - citizens == pytest.approx(8000, abs=5 * np.sqrt(40_000 * 0.2 * 0.8))
    beside = np.isin(crowd.cell[citizens:], crowd.cell[:citizens]).mean()
    assert beside == pytest.approx(0.7, abs=0.03)  # whether an officer stands at a node is drawn apart


def test_the_network_is_that_of_a_cascade_with_the_same_key():
    ties = LIVELY.populate(rng=generator(4)).model.ties
    assert ties is not None
    other = Cascade(SmallWorld(90, 3, 0.2)).network_of(hash_key(generator(4)))
    np.testing.assert_array_equal(ties.graph.pairs(), other.pairs())


@pytest.mark.parametrize("nodes", ["persons", "places"])
def test_recording_stopping_saving_and_resuming_change_nothing(nodes: str, tmp_path: Path):
    model = replace(with_ties(LIVELY, nodes=nodes), legitimacy_course=Course(to=0.5, first=9.0, by=0.01))
    start = model.populate(rng=generator(11))
    straight = run(start, 30)
    half = run(start, 13)
    half.crowd.save(tmp_path / "half.npz")
    held = load(tmp_path / "half.npz")
    assert held.model.ties is not None
    assert half.crowd.model.ties is not None
    np.testing.assert_array_equal(held.model.ties.graph.pairs(), half.crowd.model.ties.graph.pairs())
    assert held.model.ties.rules() == {"vision_ties": 1.0, "nodes": nodes, "patrol": "along_ties"}
    assert replace(held.model, ties=None) == replace(model, ties=None)
    others = [run(start, 30, record=what) for what in ("frames", "none", "agents")]  # type: ignore[arg-type]
    for other in (*others, run(held, 17)):
        assert_same(other.crowd, straight.crowd)
    for name, values in straight.series.items():
        np.testing.assert_array_equal(np.concatenate([half.series[name], run(held, 17).series[name]]), values)
    for what in ("totals", "frames", "agents"):
        assert_same(record(tmp_path / f"{what}.parquet", start, 30, what=what), straight.crowd)


def test_files_name_nodes_and_pictures_show_them_in_rows(tmp_path: Path):
    model = replace(LIVELY, citizen_density=0.8, ties=Ties(SmallWorld(90, 3, 0.2), nodes="places"))
    crowd = replace(model, jailed="keeps_cell", officer_after_arrest="stays").populate(rng=generator(2))
    done = run(crowd, 6, record="frames")
    assert done.frames is not None
    assert done.frames.shape == (7, 9, 10)
    for state, name in ((ACTIVE, "active"), (QUIET, "quiet")):
        np.testing.assert_array_equal((done.frames[1:] == state).sum((1, 2)), done.series[name])
    assert ((done.frames == OFFICER).sum((1, 2)) == 9).all()
    record(tmp_path / "frames.parquet", crowd, 6, what="frames")
    record(tmp_path / "agents.parquet", crowd, 6, what="agents")
    frames, agents = (pq.read_table(tmp_path / f"{what}.parquet").to_pydict() for what in ("frames", "agents"))
    drawn = np.full((7, 90), EMPTY)
    drawn[frames["step"], frames["node"]] = frames["state"]
    np.testing.assert_array_equal(drawn.reshape(7, 9, 10), done.frames)
    assert agents["node"][: len(crowd.cell)] == crowd.cell.tolist()
    held = json.loads(pq.read_schema(tmp_path / "agents.parquet").metadata[b"groundswell"])["model"]["ties"]
    assert held == {
        "vision_ties": 1.0,
        "nodes": "places",
        "patrol": "along_ties",
        "network": {"nodes": 90, "ties": 270},
    }


def test_scenarios_share_their_luck_and_their_ties():
    start = run(CivilViolence.among(SmallWorld(200, 5, 0.1), legitimacy=0.9).populate(rng=generator(4)), 10).crowd
    milder, sudden = (run(replace(start, model=replace(start.model, legitimacy=to)), 5) for to in (0.95, 0.6))
    np.testing.assert_array_equal(run(start, 5).crowd.cell, milder.crowd.cell)  # no one is active: the same walks
    assert sudden.series["active"].max() > 0
    cut = with_ties(start.model, network=GivenGraph(Graph.from_pairs(np.zeros((0, 2), np.int64), 200)))
    assert (run(replace(start, model=cut), 5).crowd.cell == start.cell).all()
    with pytest.raises(DataError, match=r"Ties.network is a SmallWorld, of which no graph is drawn"):
        replace(start, model=CivilViolence.among(SmallWorld(200, 5, 0.5)))
    with pytest.raises(DataError, match="outside the network of 150 nodes"):
        replace(start, model=with_ties(start.model, network=complete(150)))
    with pytest.raises(DataError, match="outside the 5 x 5 grid"):
        replace(start, model=CivilViolence(rows=5, columns=5, vision_cells=2.0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Ties(Ring(9, 1), nodes="person"), 'Nearest name: "persons"'),  # type: ignore[arg-type]
        (lambda: Ties(Ring(9, 1), patrol="everywhere"), 'Nearest name: "anywhere"'),  # type: ignore[arg-type]
        (lambda: Ties(Ring(9, 1), vision_ties=-1.0), "how many ties away"),
        (lambda: Ties(Ring(9, 1).draw(rng=generator(1))), "expected one of"),  # type: ignore[arg-type]
        (lambda: with_ties(replace(LIVELY, citizen_density=0.95), nodes="places"), "expected 1 or less, for a place"),
        (lambda: replace(LIVELY, citizen_density=1.2), r"expected a finite value in \[0, 1\]"),
        (lambda: replace(LIVELY, max_jail_term=-1.0), "the longest jail term"),
        (lambda: replace(LIVELY, activation="tiles"), "Only a grid is cut into tiles"),
        (lambda: replace(LIVELY, outburst_share=1.5), "expected 0 to 1 active agents per cell"),
        (lambda: CivilViolence.among(Ring(4, 2)), "Ring.nodes"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(make: Any, words: str):
    with pytest.raises(ParameterError, match=words):
        make()


def test_tables_of_ties_that_cannot_be_meant_are_refused(tmp_path: Path):
    path = tmp_path / "ties.csv"
    model = CivilViolence.among(GraphFile(str(path)))
    for rows, words in (("0,1\n1,1\n", "join someone to themselves"), ("0,1\n1,0\n1,2\n", "that of a directed graph")):
        path.write_text("source,target\n" + rows)
        with pytest.raises(DataError, match=words):
            model.populate(rng=generator(1))
    path.write_text("source,target\n1,2\n2,3\n")
    with pytest.warns(GroundswellWarning, match="isolated nodes: 1 of 4 persons"):
        crowd = model.populate(rng=generator(1))
    assert len(crowd.hardship) == 4


def test_more_in_view_than_can_be_listed_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ties_module, "MOST_IN_VIEW", 400)
    crowd = with_ties(LIVELY, vision_ties=2.0).populate(rng=generator(1))
    with pytest.raises(UsageError, match="have more than 400 others in view"):
        run(crowd, 1)


def test_a_damaged_file_of_a_network_is_refused(tmp_path: Path):
    crowd = LIVELY.populate(rng=generator(1))
    crowd.save(tmp_path / "crowd.npz")
    with np.load(tmp_path / "crowd.npz") as held:
        saved = dict(held)
    for name, value in (
        ("neighbours", saved["neighbours"][::-1]),
        ("ties", np.array("{")),
        ("ties", np.array('{"nodes": "persons", "colour": 1}')),
    ):
        np.savez(tmp_path / "other.npz", **{**saved, name: value})
        with pytest.raises(DataError):
            load(tmp_path / "other.npz")
    del saved["offsets"]
    np.savez(tmp_path / "other.npz", **saved)
    with pytest.raises(DataError, match="offsets"):
        load(tmp_path / "other.npz")


def test_an_outburst_is_fifty_on_the_published_grid_and_as_many_a_cell_elsewhere():
    assert CivilViolence.netlogo().outburst_above == 50
    assert CivilViolence.netlogo(rows=20, columns=20).outburst_above == 12.5
    assert CivilViolence.netlogo(outburst_share=0.05).outburst_above == 80
    assert CivilViolence.among(Ring(320, 2)).outburst_above == 10
    assert "outbursts active 50" in CivilViolence().summaries
    model, setting = CivilViolence.netlogo(rows=60, columns=60), CivilViolence.example()[1]
    assert model.outburst_above == 112.5
    history = model.simulate(setting, rng=generator(3))
    starts = model.starts(history)[1]
    active = history["active"][0]
    np.testing.assert_array_equal(starts, np.flatnonzero((active[1:] > 112.5) & (active[:-1] <= 112.5)) + 1)
    assert len(starts) > 0
