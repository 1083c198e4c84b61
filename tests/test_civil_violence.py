"""Civil violence: the compiled run is its slow twin, nothing on the way alters it, and the rules hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, MissingVerb, ParameterError, UsageError
from groundswell.models.agents import _civil_violence_loops as loops
from groundswell.models.agents import _keyed_loops as keyed
from groundswell.models.agents.civil_violence import CHOICES, CivilViolence
from groundswell.models.agents.crowd import ACTIVE, JAILED, OFFICER, QUIET, Crowd, load, outbursts, run
from groundswell.rng import generator
from tests.naive import civil_violence as naive

# The hash means to wrap around at 2^64; with numba switched off, numpy says so at every turn.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

LIVELY = CivilViolence(
    rows=9, columns=12, vision_cells=2.3, legitimacy=0.6, officer_density=0.1, citizen_density=0.75, max_jail_term=4.0
)


def agrees_with_twin(model: CivilViolence, seed: int, steps: int) -> np.ndarray:
    crowd = model.populate(rng=generator(seed))
    twin = naive.Twin(crowd)
    slow = np.array([twin.go() for _ in range(steps)])
    done = run(crowd, steps)
    fast = np.column_stack([done.series["active"], done.series["jailed"], done.series["arrests"]])
    np.testing.assert_array_equal(fast, slow)
    assert done.crowd.cell.tolist() == twin.cells()
    assert done.crowd.jail.tolist() == [a.jail for a in twin.agents]
    assert done.crowd.active.tolist() == [a.active for a in twin.agents]
    return fast


@given(
    choices=st.fixed_dictionaries({name: st.sampled_from(allowed) for name, allowed in CHOICES.items()}),
    seed=st.integers(0, 10**6),
    term=st.sampled_from([0.0, 1.0, 4.0, 9.5]),
    citizens=st.sampled_from([0.3, 0.75, 0.9]),
    vision=st.sampled_from([0.0, 1.0, 1.7, 3.0]),
)
@settings(max_examples=40, deadline=None)
def test_every_combination_of_rules_goes_the_way_of_the_twin(choices, seed, term, citizens, vision):
    model = replace(LIVELY, max_jail_term=term, citizen_density=citizens, vision_cells=vision, **choices)
    agrees_with_twin(model, seed, 6)


def test_a_long_run_goes_the_way_of_the_twin_and_is_not_idle():
    totals = agrees_with_twin(LIVELY, 5, 60)
    assert totals[:, 0].max() > 5
    assert totals[:, 2].sum() > 50


@pytest.mark.parametrize("preset", [CivilViolence.netlogo, CivilViolence.mesa, CivilViolence.paper_run])
def test_presets_go_the_way_of_the_twin(preset):
    agrees_with_twin(preset(rows=17, columns=15, legitimacy=0.7), 3, 10)


def test_the_hash_is_the_twins_and_is_spread_evenly():
    key = np.uint64(0xFFFFFFFFFFFFFFFF)
    here = np.uint64(keyed.step_key(key, 41))
    assert int(keyed.draw(here, 7, loops.SUSPECT, 3)) == naive.draw(int(key), 41, 7, naive.SUSPECT, 3)
    for purpose in range(8):
        sample = keyed.units(here, 20_000, purpose)
        counts = np.histogram(sample, 20, (0, 1))[0]
        assert ((counts - 1000) ** 2 / 1000).sum() < 60  # chi-squared, 19 degrees of freedom: p about 4e-6
        assert abs(np.corrcoef(sample[1:], sample[:-1])[0, 1]) < 5 / np.sqrt(20_000)


def test_each_empty_cell_in_vision_is_equally_likely():
    alone = CivilViolence(rows=5, columns=5, vision_cells=1.0, citizen_density=0.0, officer_density=1 / 25)
    start = alone.populate(rng=generator(1))
    went = np.bincount([run(replace(start, key=key), 1).crowd.cell[0] for key in range(2000)], minlength=25) / 2000
    assert (went > 0).sum() == 4
    assert abs(went[went > 0] - 1 / 4).max() < 0.04


def test_each_suspect_and_each_term_is_equally_likely():
    model = CivilViolence(
        rows=3, columns=3, vision_cells=1.0, neighbourhood="square", citizen_density=3 / 9, officer_density=1 / 9,
        legitimacy=0.0, activation_threshold=-1.0, jailed="off_grid", max_jail_term=2.0, jail_term="up_to_max",
    )  # fmt: skip
    start = model.populate(rng=generator(1))
    start = replace(start, active=np.array([True, True, True, False]))
    jailed, terms = np.zeros(3), np.zeros(3)
    for key in range(2000):
        after = run(replace(start, key=key), 1).crowd
        jailed += after.jail[:3] > 0
        terms[int(after.jail[:3].max())] += 1
    assert abs(jailed / jailed.sum() - 1 / 3).max() < 0.05
    # Terms 0, 1, 2 are equally likely and one step has passed: two thirds are free again.
    assert terms[1] / 2000 == pytest.approx(1 / 3, abs=0.04)


def test_recording_stopping_saving_and_resuming_change_nothing(tmp_path: Path):
    start = LIVELY.populate(rng=generator(11))
    straight = run(start, 40)
    watched = run(start, 40, record="frames")
    silent = run(start, 40, record="none")
    half = run(start, 17)
    half.crowd.save(tmp_path / "half.npz")
    resumed = run(load(tmp_path / "half.npz"), 23)
    for other in (watched, silent, resumed):
        for name in ("cell", "active", "jail", "hardship", "risk_aversion"):
            np.testing.assert_array_equal(getattr(other.crowd, name), getattr(straight.crowd, name))
        assert other.crowd.step == 40
    assert silent.series == {}
    for name, values in straight.series.items():
        np.testing.assert_array_equal(watched.series[name], values)
        np.testing.assert_array_equal(np.concatenate([half.series[name], resumed.series[name]]), values)


def test_frames_show_the_counts():
    done = run(
        replace(LIVELY, jailed="keeps_cell", officer_after_arrest="stays").populate(rng=generator(2)),
        15,
        record="frames",
    )
    assert done.frames is not None
    assert done.frames.shape == (16, 9, 12)
    for state, name in ((ACTIVE, "active"), (JAILED, "jailed"), (QUIET, "quiet")):
        np.testing.assert_array_equal((done.frames[1:] == state).sum((1, 2)), done.series[name])
    assert ((done.frames == OFFICER).sum((1, 2)) == 11).all()


def test_scenarios_share_their_luck_until_they_differ():
    start = run(CivilViolence.netlogo(legitimacy=0.9).populate(rng=generator(4)), 10).crowd
    milder = replace(start, model=replace(start.model, legitimacy=0.95))
    a, b = run(start, 5), run(milder, 5)
    np.testing.assert_array_equal(a.crowd.cell, b.crowd.cell)  # no one is active in either: the same walks
    sudden = run(replace(start, model=replace(start.model, legitimacy=0.7)), 5)
    assert sudden.series["active"].max() > 0


def test_a_run_keeps_the_crowd_it_was_given():
    crowd = LIVELY.populate(rng=generator(6))
    before = crowd.cell.copy()
    run(crowd, 5)
    np.testing.assert_array_equal(crowd.cell, before)
    assert crowd.step == 0


def test_agents_are_conserved_and_cells_hold_one():
    model = replace(LIVELY, jailed="off_grid", officer_after_arrest="stays")
    done = run(model.populate(rng=generator(8)), 50)
    on_grid = done.crowd.cell[done.crowd.cell >= 0]
    assert len(np.unique(on_grid)) == len(on_grid)
    assert len(on_grid) + (done.crowd.jail > 0).sum() == len(done.crowd.cell) == 92
    assert (sum(done.series[name] for name in ("active", "quiet", "jailed")) == 81).all()


@given(st.floats(0.9, 1.0), st.integers(0, 1000), st.sampled_from(["netlogo", "mesa", "paper_run"]))
@settings(max_examples=15, deadline=None)
def test_no_one_is_ever_active_at_a_legitimacy_of_nine_tenths(legitimacy, seed, preset):
    model = getattr(CivilViolence, preset)(legitimacy=legitimacy, rows=15, columns=15)
    assert run(model.populate(rng=generator(seed)), 20).series["active"].max() == 0


def test_without_officers_exactly_the_aggrieved_are_active():
    crowd = CivilViolence(officer_density=0.0).populate(rng=generator(9))
    done = run(crowd, 3)
    aggrieved = (crowd.hardship * (1.0 - 0.82) > 0.1).sum()
    assert (done.series["active"] == aggrieved).all()


def test_placement_by_cells_meets_the_densities():
    model = CivilViolence.mesa(rows=200, columns=200, vision_cells=1.0)
    crowd = model.populate(rng=generator(3))
    assert len(crowd.hardship) == pytest.approx(28_000, abs=5 * np.sqrt(40_000 * 0.7 * 0.3))
    assert len(np.unique(crowd.cell)) == len(crowd.cell)
    assert len(CivilViolence().populate(rng=generator(3)).hardship) == 1120


def test_simulate_gives_totals_by_step_in_one_place():
    model, setting = CivilViolence.example()
    history = model.simulate(setting, rng=generator(1))
    assert set(history.series) == {"active", "jailed", "quiet", "arrests"}
    np.testing.assert_array_equal(history["active"], model.simulate(setting, rng=generator(1))["active"])
    with pytest.raises(MissingVerb, match="Keep the Crowd"):
        model.simulate(setting, rng=generator(1), given=history.during(5))
    two = Setting(Places(("A", "B"), np.array([1.0, 2.0])), Window(date(2000, 1, 1), 3))
    with pytest.raises(UsageError, match=r"2 places; expected one"):
        model.simulate(two, rng=generator(1))


def test_outbursts_are_upward_crossings():
    active = np.array([60, 70, 10, 51, 90, 50, 20, 55, 40.0])
    assert outbursts(active).tolist() == [3, 7]
    assert outbursts(active, above=80).tolist() == [4]
    assert outbursts(np.full(5, 90.0)).tolist() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"citizen_density": 0.98}, "expected 1 or less"),
        ({"citizen_density": 1.2}, r"expected a finite value in \[0, 1\]"),
        ({"vision_cells": 20.0}, "an agent would see some cells twice"),
        ({"max_jail_term": -1.0}, "the longest jail term"),
        ({"legitimacy": 1.01}, r"expected a finite value in \[0, 1\]"),
        ({"legitimacy": float("nan")}, "expected a finite value"),
        ({"ratio": "floo"}, 'Nearest name: "floor"'),
        ({"jailed": "away"}, "'off_grid', 'shares_cell', 'keeps_cell'"),
        ({"rows": 0}, "expected a whole number of cells"),
        ({"columns": 40.0}, "expected a whole number of cells"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(changes, words):
    with pytest.raises(ParameterError, match=words):
        CivilViolence(**changes)


def test_a_run_that_cannot_be_meant_is_refused():
    crowd = LIVELY.populate(rng=generator(1))
    with pytest.raises(UsageError, match="whole number"):
        run(crowd, -1)
    with pytest.raises(UsageError, match='"frames"'):
        run(crowd, 1, record="everything")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="expected 1"):
        CivilViolence.paper_run(3)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="not the grid"):
        replace(crowd, model=replace(LIVELY, rows=6))
    jailed = run(replace(crowd, model=replace(LIVELY, jailed="off_grid", max_jail_term=9.0)), 10).crowd
    assert (jailed.cell < 0).any()
    with pytest.raises(DataError, match="off the grid"):
        replace(jailed, model=LIVELY)


def test_files_that_are_no_crowd_are_refused(tmp_path: Path):
    crowd: Crowd = LIVELY.populate(rng=generator(1))
    path = tmp_path / "crowd.npz"
    crowd.save(path)
    whole = path.read_bytes()
    for name, content in {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"step,active\n1,2\n"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="no saved crowd"):
            load(tmp_path / name)
    broken = bytearray(whole)
    broken[len(whole) // 3] ^= 0xFF
    (tmp_path / "broken").write_bytes(broken)
    with pytest.raises(DataError):
        load(tmp_path / "broken")
    with pytest.raises(DataError, match="does not exist"):
        load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", format=2)
    with pytest.raises(DataError, match="reads format 1"):
        load(tmp_path / "other.npz")
    assert load(path).model == crowd.model
