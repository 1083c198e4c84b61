"""Violence between two groups: the loops go the way of a plain twin, and exact cases hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.data.graph import Graph
from groundswell.errors import DataError, MissingVerb, ParameterError, UsageError
from groundswell.models.agents.intergroup_violence import (
    CHOICES,
    EMPTY,
    FIRST_ACTIVE,
    FIRST_QUIET,
    JAILED,
    OFFICER,
    SECOND_ACTIVE,
    SECOND_QUIET,
    SERIES,
    IntergroupViolence,
    load,
    run,
)
from groundswell.models.agents.networks import GivenGraph, Network, RandomGraph, Ring, SmallWorld
from groundswell.models.agents.ties import Ties
from groundswell.rng import generator
from tests.naive.intergroup_violence import NetworkTwin, Twin

CALM = IntergroupViolence(legitimacy=1.0, birth_probability=0.0)
BITTER = IntergroupViolence(legitimacy=0.7, officer_density=0.06, max_age=12.0, birth_probability=0.3)


def options() -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CHOICES.items()})


@settings(max_examples=25)
@given(options(), st.sampled_from([1.0, 1.7, 2.0]), st.integers(0, 2**20), st.sampled_from([0.3, 0.7, 0.94]))
def test_the_loops_go_the_way_of_the_plain_twin(choices, vision, seed, density) -> None:
    model = replace(BITTER, rows=7, columns=9, vision_cells=vision, citizen_density=density, **choices)
    peoples = model.populate(rng=generator(seed))
    twin, done = Twin(peoples), run(peoples, 8)
    for step in range(8):
        assert twin.go() == {name: done.series[name][step] for name in SERIES}
    cell = {p.number: -1 if p.cell is None else p.cell[0] * 9 + p.cell[1] for p in twin.persons}
    assert cell == dict(zip(done.peoples.number.tolist(), done.peoples.persons[:, 0].tolist(), strict=True))


TIED = (SmallWorld(60, 2, 0.2), RandomGraph(60, 1.5), Ring(40, 1))


def on_nodes(network: Network, vision: float = 1.0, **changes) -> IntergroupViolence:
    return replace(BITTER, ties=Ties(network, vision, nodes="places"), **changes)


@settings(max_examples=25)
@given(
    options(),
    st.sampled_from(TIED),
    st.sampled_from([0.0, 1.0, 2.0]),
    st.integers(0, 2**20),
    st.sampled_from([0.3, 0.94]),
)
def test_on_a_network_too(choices, network, vision, seed, density) -> None:
    peoples = on_nodes(network, vision, citizen_density=density, **choices).populate(rng=generator(seed))
    twin, done = NetworkTwin(peoples), run(peoples, 8)
    for step in range(8):
        assert twin.go() == {name: done.series[name][step] for name in SERIES}
    cell = {p.number: -1 if p.cell is None else p.cell[0] for p in twin.persons}
    assert cell == dict(zip(done.peoples.number.tolist(), done.peoples.persons[:, 0].tolist(), strict=True))


def test_where_all_see_all_a_network_has_the_groups_of_the_grid() -> None:
    """Nobody is born, so that nothing hangs on who stands where."""
    quiet = replace(BITTER, birth_probability=0.0, jailed="keeps_cell", rows=7, columns=7, vision_cells=3.0)
    everyone = GivenGraph(Graph.of([(i, j) for i in range(49) for j in range(i)]))
    grid = replace(quiet, neighbourhood="square")
    a, b = (run(model.populate(rng=generator(5)), 10) for model in (grid, on_nodes(everyone, **_fields(quiet))))
    for name in SERIES:
        assert (a.series[name] == b.series[name]).all(), name
    assert a.series["arrests"].sum() > 5


def _fields(model: IntergroupViolence) -> dict[str, object]:
    return {name: getattr(model, name) for name in ("birth_probability", "jailed", "rows", "columns", "vision_cells")}


def test_a_run_on_a_network_is_stopped_saved_resumed_and_seen(tmp_path) -> None:
    peoples = on_nodes(TIED[0]).populate(rng=generator(2))
    whole, half = run(peoples, 12, record="frames"), run(peoples, 5).peoples
    half.save(tmp_path / "peoples.npz")
    assert (run(load(tmp_path / "peoples.npz"), 7).peoples.persons == whole.peoples.persons).all()
    assert whole.frames is not None
    assert whole.frames.shape == (13, 8, 8)
    assert (whole.frames.reshape(13, 64)[:, 60:] == EMPTY).all()
    more = half.with_officers(0.1)
    assert (more.persons[:, 1] == 2).sum() == 6
    setting = IntergroupViolence.example()[1].during(12)
    assert on_nodes(TIED[0]).watch(setting, rng=generator(2)).notes == ("nodes",)


def test_ties_that_cannot_be_meant_are_refused() -> None:
    for ties in (Ties(TIED[0]), Ties(TIED[0], nodes="places", patrol="anywhere")):
        with pytest.raises(ParameterError, match="expected 'places' and 'along_ties'"):
            replace(BITTER, ties=ties)
    with pytest.raises(ParameterError, match="on nodes that are places; expected 1 or less"):
        on_nodes(TIED[0], citizen_density=0.99)
    peoples = on_nodes(TIED[0]).populate(rng=generator(2))
    with pytest.raises(DataError, match="of which no graph is drawn"):
        run(replace(peoples, model=on_nodes(TIED[1])), 1)
    small = GivenGraph(Ring(20, 1).draw(rng=generator(1)))
    with pytest.raises(DataError, match="and its model 20 cells"):
        run(replace(peoples, model=on_nodes(small)), 1)


def test_every_turn_of_the_twin_matters_here() -> None:
    """The runs above see births, deaths, killings, arrests and releases, not only quiet steps."""
    done = run(replace(BITTER, rows=7, columns=9).populate(rng=generator(3)), 8)
    for name in ("killed_first", "killed_second", "born", "died", "arrests", "jailed", "active"):
        assert done.series[name].sum() > 0, name


@settings(max_examples=15)
@given(st.integers(0, 12), st.integers(0, 2**20))
def test_stopping_and_recording_change_nothing(cut, seed) -> None:
    peoples = replace(BITTER, rows=9, columns=9).populate(rng=generator(seed))
    whole = run(peoples, 12, record="frames")
    first = run(peoples, cut)
    rest = run(first.peoples, 12 - cut)
    for name in SERIES:
        assert (np.concatenate([first.series[name], rest.series[name]]) == whole.series[name]).all()
    assert (rest.peoples.persons == whole.peoples.persons).all()
    assert (rest.peoples.traits == whole.peoples.traits).all()
    assert whole.frames is not None
    assert (whole.frames[-1] == rest.peoples.frame()).all()


@settings(max_examples=10)
@given(options(), st.integers(0, 2**20))
def test_a_saved_run_goes_on_as_if_it_had_not_been_stopped(tmp_path_factory, choices, seed) -> None:
    path = tmp_path_factory.mktemp("saved") / "peoples.npz"
    middle = run(replace(BITTER, rows=9, columns=9, **choices).populate(rng=generator(seed)), 6).peoples
    middle.save(path)
    again = load(path)
    assert again.model == middle.model
    one, other = run(middle, 6), run(again, 6)
    assert all((one.series[name] == other.series[name]).all() for name in SERIES)
    assert (one.peoples.persons == other.peoples.persons).all()


def test_other_and_damaged_files_are_refused(tmp_path) -> None:
    path = tmp_path / "peoples.npz"
    with pytest.raises(DataError, match="does not exist"):
        load(path)
    BITTER.populate(rng=generator(1)).save(path)
    whole = path.read_bytes()
    for kept in (whole[: len(whole) // 2], b"rows, columns", whole[:-40] + bytes(40)):
        path.write_bytes(kept)
        with pytest.raises(DataError, match="damaged"):
            load(path)
    np.savez(path, format=1, key=3)
    with pytest.raises(DataError, match="missing"):
        load(path)
    np.savez(path, format=99)
    with pytest.raises(DataError, match="format 99"):
        load(path)


@settings(max_examples=15)
@given(options(), st.integers(0, 2**20))
def test_persons_are_accounted_for(choices, seed) -> None:
    model = replace(BITTER, rows=9, columns=9, **choices)
    done = run(model.populate(rng=generator(seed)), 15, record="frames")
    there = done.series["first"] + done.series["second"]
    lost = done.series["died"] + done.series["killed_first"] + done.series["killed_second"]
    start = round(model.citizen_density * 81)
    assert (np.diff(there, prepend=start) == done.series["born"] - lost).all()
    assert done.frames is not None
    for t in range(1, 16):
        frame = done.frames[t]
        jailed = (frame == JAILED).sum()
        on_grid = np.isin(frame, (FIRST_QUIET, FIRST_ACTIVE, SECOND_QUIET, SECOND_ACTIVE)).sum()
        assert (frame == OFFICER).sum() == round(model.officer_density * 81)
        assert on_grid + (jailed if model.jailed == "keeps_cell" else 0) <= there[t - 1]
        assert np.isin(frame, (FIRST_ACTIVE, SECOND_ACTIVE)).sum() == done.series["active"][t - 1]
        if model.jailed == "off_grid":
            assert jailed == 0
        assert (frame == EMPTY).sum() == 81 - on_grid - jailed - (frame == OFFICER).sum()


@pytest.mark.parametrize("legitimacy", [0.9, 0.95, 1.0])
def test_no_one_kills_where_legitimacy_is_nine_tenths_or_more(legitimacy) -> None:
    done = run(IntergroupViolence(legitimacy=legitimacy).populate(rng=generator(2)), 60)
    for name in ("active", "killed_first", "killed_second", "arrests"):
        assert done.series[name].sum() == 0


def test_without_officers_the_active_are_those_of_enough_hardship() -> None:
    model = IntergroupViolence(legitimacy=0.8, birth_probability=0.0, max_age=1e6)
    done = run(model.populate(rng=generator(4)), 3)
    hardship = done.peoples.traits[:, 0]
    assert ((hardship * (1 - 0.8) > 0.1) == (done.peoples.persons[:, 2] == 1)).all()


def test_lives_are_uniform() -> None:
    """Nobody is born or killed: survivors after t steps are binomial with probability 1 - t / max_age."""
    model = replace(CALM, max_age=40.0, citizen_density=1.0)
    there = np.mean([run(model.populate(rng=generator(s)), 40).series["first"] for s in range(20)], axis=0)
    expected = 1 - np.arange(1, 41) / 40
    error = np.sqrt(expected * (1 - expected) / (800 * 20))
    assert (abs(there / 800 - expected) <= 4.5 * error).all()


def test_births_without_crowding_are_a_branching_process() -> None:
    """One person in a wide empty grid: a Galton-Watson process with 1 or, with probability p, 2 after each step."""
    p, steps = 0.1, 10
    model = IntergroupViolence(
        legitimacy=1.0, birth_probability=p, max_age=1e6, citizen_density=1 / 1600, first_share=1.0
    )
    ends = np.array([run(model.populate(rng=generator(s)), steps).series["first"][-1] for s in range(3000)])
    mean, variance = (1 + p) ** steps, (1 - p) * (1 + p) ** (steps - 1) * ((1 + p) ** steps - 1)
    assert abs(ends.mean() - mean) < 4 * np.sqrt(variance / len(ends))
    assert abs(ends.var() / variance - 1) < 0.2


def test_without_officers_one_group_is_gone_in_the_end() -> None:
    model = IntergroupViolence(legitimacy=0.8, rows=20, columns=20)
    assert all(run(model.populate(rng=generator(s)), 600).extinct_at is not None for s in range(5))
    assert run(IntergroupViolence(rows=20, columns=20).populate(rng=generator(0)), 50).extinct_at is None


def test_officers_arrive_later_and_common_luck_goes_on() -> None:
    peoples = run(IntergroupViolence(legitimacy=0.8).populate(rng=generator(1)), 10).peoples
    guarded = peoples.with_officers(0.04)
    assert (guarded.frame() == OFFICER).sum() == 64
    assert (guarded.persons[:-64] == peoples.persons).all()
    assert len(set(guarded.number.tolist())) == len(guarded.number)
    assert run(guarded, 10).series["arrests"].sum() > 0
    with pytest.raises(UsageError, match="empty"):
        guarded.with_officers(0.01)
    with pytest.raises(UsageError, match="empty"):
        guarded.with_officers(1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"citizen_density": 0.99, "officer_density": 0.2}, "1 or less"),
        ({"vision_cells": 30.0}, "some cells twice"),
        ({"rows": 0}, "whole number of cells"),
        ({"max_jail_term": -1.0}, "max_jail_term"),
        ({"max_age": 0.5}, "max_age"),
        ({"counted": "own group"}, "own_group"),
    ],
)
def test_what_cannot_be_is_refused(changes, words) -> None:
    with pytest.raises(ParameterError, match=words):
        IntergroupViolence(**changes)


def test_totals_do_not_continue_a_run() -> None:
    model, setting = IntergroupViolence.example()
    history = model.simulate(setting, rng=generator(1))
    with pytest.raises(MissingVerb, match="who stands where"):
        model.simulate(setting, rng=generator(1), given=history)
