"""Civil violence in tiles: the engine is its slow twin, its footprint is what it says, and threads change nothing."""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.errors import GroundswellError, ParameterError, UsageError
from groundswell.models.agents import _civil_violence_loops as loops
from groundswell.models.agents import _keyed_loops as keyed
from groundswell.models.agents import _word_loops as word_loops
from groundswell.models.agents.civil_violence import CHOICES, CivilViolence
from groundswell.models.agents.crowd import Crowd, load, outbursts, run
from groundswell.models.agents.engines import Tiles, alone, colours, levels, rules_of
from groundswell.rng import generator
from tests.naive.civil_violence_tiles import TiledTwin

# The hash means to wrap around at 2^64; with numba switched off, numpy says so at every turn.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

LIVELY = CivilViolence(
    rows=15, columns=22, vision_cells=1.7, legitimacy=0.6, officer_density=0.1, citizen_density=0.75,
    max_jail_term=4.0, activation="tiles",
)  # fmt: skip
WIDE = replace(LIVELY, rows=90, columns=87, vision_cells=7.0, legitimacy=0.82, officer_density=0.04)

some_rules = st.fixed_dictionaries({name: st.sampled_from(allowed) for name, allowed in CHOICES.items()}).filter(
    lambda rules: (rules["jailed"], rules["jail_clock"]) != ("off_grid", "own_turn")
)


def assert_same(a: Crowd, b: Crowd) -> None:
    assert a.step == b.step
    for name in ("cell", "active", "jail", "hardship", "risk_aversion"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def agrees_with_twin(model: CivilViolence, seed: int, steps: int) -> np.ndarray:
    crowd = model.populate(rng=generator(seed))
    twin = TiledTwin(crowd)
    slow = np.array([twin.go() for _ in range(steps)])
    done = run(crowd, steps)
    fast = np.column_stack([done.series["active"], done.series["jailed"], done.series["arrests"]])
    np.testing.assert_array_equal(fast, slow)
    assert done.crowd.cell.tolist() == twin.cells()
    assert done.crowd.jail.tolist() == [a.jail for a in twin.agents]
    assert done.crowd.active.tolist() == [a.active for a in twin.agents]
    return fast


@given(
    rules=some_rules,
    seed=st.integers(0, 10**6),
    term=st.sampled_from([0.0, 1.0, 4.0, 9.5]),
    citizens=st.sampled_from([0.3, 0.75, 0.9]),
    vision=st.sampled_from([0.0, 1.0, 1.7]),
)
@settings(max_examples=15, deadline=None)
def test_every_combination_of_rules_goes_the_way_of_the_twin(rules, seed, term, citizens, vision):
    agrees_with_twin(
        replace(LIVELY, max_jail_term=term, citizen_density=citizens, vision_cells=vision, **rules), seed, 3
    )


def test_a_long_run_goes_the_way_of_the_twin_and_is_not_idle():
    totals = agrees_with_twin(replace(LIVELY, rows=14, columns=14), 5, 25)
    assert totals[:, 0].max() > 10
    assert totals[:, 2].sum() > 100


def test_a_wider_vision_goes_the_way_of_the_twin():
    agrees_with_twin(replace(LIVELY, rows=26, columns=27, vision_cells=2.3, citizen_density=0.5), 2, 2)


def rescanned(engine: Tiles) -> np.ndarray:
    """(2, cells) officers and active agents in view of each cell, by looking around."""
    crowd, model = engine.crowd, engine.crowd.model
    citizens = len(crowd.hardship)
    found = []
    for cells in (crowd.cell[citizens:], crowd.cell[:citizens][crowd.active[:citizens]]):
        there = np.bincount(cells, minlength=model.rows * model.columns).reshape(model.rows, model.columns)
        shifted = (np.roll(there, (-down, -right), (0, 1)) for down, right in zip(*model.offsets(), strict=True))
        found.append(np.sum(list(shifted), axis=0).ravel())
    return np.array(found)


@pytest.mark.parametrize(
    "changes", [{}, {"jailed": "off_grid"}, {"neighbourhood": "square", "ratio": "raw", "legitimacy": 0.6}]
)
def test_counts_kept_up_are_those_of_a_rescan(changes):
    engine = Tiles(replace(WIDE, **changes).populate(rng=generator(3)), alone)
    for _ in range(4):
        engine.advance(np.zeros((3, 3), np.int64))
        np.testing.assert_array_equal(engine._seen, rescanned(engine))
    assert engine.crowd.active.sum() > 50


def in_reverse(work: Callable[[slice], None], count: int) -> None:
    """Tile by tile, the last first."""
    for i in reversed(range(count)):
        work(slice(i, i + 1))


@pytest.mark.parametrize(
    "model", [LIVELY, WIDE, replace(WIDE, jailed="off_grid"), replace(LIVELY, jailed="keeps_cell")]
)
def test_threads_and_the_order_of_the_work_change_nothing(model):
    crowd = model.populate(rng=generator(7))
    one = run(crowd, 12)
    for threads in (2, 3):
        other = run(crowd, 12, threads=threads)
        assert_same(one.crowd, other.crowd)
        for name, values in one.series.items():
            np.testing.assert_array_equal(other.series[name], values)
    engine = Tiles(crowd, in_reverse)
    engine.advance(np.zeros((12, 3), np.int64))
    assert_same(one.crowd, engine.crowd)


def test_recording_stopping_saving_and_resuming_change_nothing(tmp_path: Path):
    start = LIVELY.populate(rng=generator(11))
    straight = run(start, 30)
    watched = run(start, 30, record="frames", threads=2)
    silent = run(start, 30, record="none")
    half = run(start, 13)
    half.crowd.save(tmp_path / "half.npz")
    resumed = run(load(tmp_path / "half.npz"), 17, threads=2)
    for other in (watched, silent, resumed):
        assert_same(other.crowd, straight.crowd)
    np.testing.assert_array_equal(
        np.concatenate([half.series["active"], resumed.series["active"]]), straight.series["active"]
    )


def within(cells: set[tuple[int, int]], tile: Any, margin: int, model: CivilViolence) -> bool:
    rows = {(row + d) % model.rows for row in tile.rows for d in range(-margin, margin + 1)}
    columns = {(column + d) % model.columns for column in tile.columns for d in range(-margin, margin + 1)}
    return all(row in rows and column in columns for row, column in cells)


@given(
    rules=some_rules,
    vision=st.sampled_from([0.0, 1.0, 1.5]),
    rows=st.integers(14, 32),
    columns=st.integers(14, 32),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=15, deadline=None)
def test_turns_in_tiles_of_one_colour_never_meet(rules, vision, rows, columns, seed):
    model = replace(
        LIVELY, rows=rows, columns=columns, vision_cells=vision, citizen_density=0.3, legitimacy=0.3, **rules
    )
    twin, reach = TiledTwin(model.populate(rng=generator(seed))), int(vision)
    for _ in range(2):
        twin.go()
        for colour in twin.colours:
            for tile in colour:
                assert within(tile.read, tile, 2 * reach, model)
                assert within(tile.written, tile, 3 * reach, model)
                for other in colour:
                    if other is not tile:
                        assert not tile.written & (other.written | other.read)


@pytest.mark.parametrize(
    "changes", [{}, {"jailed": "off_grid"}, {"order": "act_then_move"}, {"jail_clock": "own_turn"}]
)
def test_the_engine_neither_reads_nor_writes_beyond_three_visions(changes):
    model = replace(WIDE, rows=130, columns=140, **changes)
    engine = Tiles(run(model.populate(rng=generator(1)), 3).crowd, alone)
    now = np.uint64(keyed.step_key(np.uint64(5), 9))
    engine._turn ^= word_loops.TURN
    for tiles in colours(model, now):
        for tile in tiles[:2]:
            top, left, height, width = tile
            rows, columns = np.divmod(np.arange(model.rows * model.columns), model.columns)
            near = ((rows - top + 21) % model.rows < height + 42) & ((columns - left + 21) % model.columns < width + 42)
            assert near.mean() < 0.9
            clean, poisoned = copied(engine), copied(engine)
            poisoned._first[~near] = np.where(poisoned._first[~near] < 0, 0, word_loops.NOBODY)
            poisoned._seen[:, ~near] = 77 - poisoned._seen[:, ~near]
            before = copied(poisoned)
            assert clean._act(now, tile[None]) == poisoned._act(now, tile[None])
            for name in ("_first", "_seen"):
                a, b, untouched = (getattr(e, name)[..., near] for e in (clean, poisoned, before))
                np.testing.assert_array_equal(a, b)
                assert (b != untouched).any()
                np.testing.assert_array_equal(getattr(poisoned, name)[..., ~near], getattr(before, name)[..., ~near])
        engine._act(now, tiles)


def copied(engine: Tiles) -> Tiles:
    other = copy.copy(engine)
    for name in ("_first", "_following", "_agents", "_seen"):
        setattr(other, name, getattr(engine, name).copy())
    return other


@given(st.integers(14, 60), st.integers(14, 60), st.sampled_from([0.0, 1.0, 1.7]), st.integers(0, 10**6))
def test_tiles_cover_the_grid_once_and_neighbours_differ(rows, columns, vision, step):
    model = replace(LIVELY, rows=rows, columns=columns, vision_cells=vision)
    painted = np.full((rows, columns), -1)
    for colour, tiles in enumerate(colours(model, np.uint64(keyed.step_key(np.uint64(1), step)))):
        assert (tiles[:, 2:] >= 6 * int(vision) + 1).all()
        for number, (top, left, height, width) in enumerate(tiles):
            cells = np.ix_((top + np.arange(height)) % rows, (left + np.arange(width)) % columns)
            assert (painted[cells] == -1).all()
            painted[cells] = 4 * number + colour
    assert (painted >= 0).all()
    for shift in [(0, 1), (1, 0), (1, 1), (1, -1)]:
        other = np.roll(painted, shift, (0, 1))
        assert ((painted == other) | (painted % 4 != other % 4)).all()


@pytest.mark.parametrize("ratio", CHOICES["ratio"])
def test_levels_of_risk_rise_and_are_those_of_the_formula(ratio):
    rules = rules_of(replace(LIVELY, ratio=ratio))
    risks, level = levels(rules, 60)
    assert (np.diff(risks) >= 0).all()
    for officers in range(60):
        for actives in range(1, 60):
            assert risks[level[officers, actives]] == loops.arrest_probability(officers, actives, rules)


def test_more_in_view_than_the_table_holds_are_weighed_by_the_formula(monkeypatch: pytest.MonkeyPatch):
    crowd = WIDE.populate(rng=generator(4))
    expected = run(crowd, 8)
    monkeypatch.setattr("groundswell.models.agents.engines.TABLE", 3)
    assert_same(run(crowd, 8).crowd, expected.crowd)


def test_counts_that_outgrow_their_numbers_are_an_error_and_wide_visions_have_wider_ones():
    crowd = LIVELY.populate(rng=generator(1))
    many = np.arange(len(crowd.hardship)) < 240
    heap = replace(crowd, cell=np.where(np.r_[many, np.zeros(len(crowd.cell) - len(many), bool)], 7, crowd.cell))
    assert run(replace(heap, active=np.r_[many, np.zeros(len(crowd.cell) - len(many), bool)]), 1).crowd.step == 1
    model = replace(LIVELY, rows=30, columns=30)
    crowd = model.populate(rng=generator(1))
    many = np.r_[np.arange(len(crowd.hardship)) < 300, np.zeros(len(crowd.cell) - len(crowd.hardship), bool)]
    with pytest.raises(GroundswellError, match="more than 255 officers or active agents"):
        run(replace(crowd, cell=np.where(many, 7, crowd.cell), active=many), 1)
    assert Tiles(replace(WIDE, neighbourhood="square").populate(rng=generator(1)), alone)._seen.dtype == np.uint16


def test_what_tiles_cannot_do_is_refused():
    with pytest.raises(ParameterError, match=r"holds two each way: 86 x 86 cells. Use activation='global'"):
        CivilViolence(activation="tiles")
    with pytest.raises(ParameterError, match="also where another tile is at work"):
        replace(LIVELY, jailed="off_grid", jail_clock="own_turn")
    with pytest.raises(ParameterError, match='Nearest name: "tiles"'):
        replace(LIVELY, activation="tile")
    with pytest.raises(UsageError, match="threads is 0"):
        run(LIVELY.populate(rng=generator(1)), 1, threads=0)


def compared(side: int, vision: float, populations: int, steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """By activation, global and tiles: (populations,) mean share of active and mean waiting time between outbursts."""
    found = []
    for activation in ("global", "tiles"):
        shares, waits = [], []
        for seed in range(populations):
            model = CivilViolence.netlogo(rows=side, columns=side, vision_cells=vision, activation=activation)
            active = run(model.populate(rng=generator(seed)), steps).series["active"][steps // 10 :]
            shares.append(active.mean() / round(0.7 * side**2))
            waits.append(np.diff(outbursts(active, above=50 / 1120 * round(0.7 * side**2))).mean())
        found.append((np.array(shares), np.array(waits)))
    return found


def assert_alike(a: np.ndarray, b: np.ndarray, precision: float) -> None:
    """Equal means within three standard errors over populations, which are small enough for that to mean something."""
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    assert abs(a.mean() - b.mean()) < 3 * error
    assert error < precision * a.mean()


def test_tiles_are_like_one_order_in_how_many_are_active():
    (active, _), (active_in_tiles, _) = compared(42, 3.0, 5, 300)
    assert_alike(active, active_in_tiles, 0.1)


@pytest.mark.slow
def test_tiles_are_like_one_order_in_waiting_times_too():
    for side, vision, steps in ((42, 3.0, 3000), (90, 7.0, 1500)):
        one, tiles = compared(side, vision, 12, steps)
        for a, b in zip(one, tiles, strict=True):
            assert_alike(a, b, 0.1)


def test_an_agent_takes_no_more_than_32_bytes_beside_the_crowd():
    crowd = CivilViolence.netlogo(rows=500, columns=500, activation="tiles").populate(rng=generator(1))
    tracemalloc.start()
    engine = Tiles(crowd, alone)
    engine.advance(np.zeros((2, 3), np.int64))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held / len(crowd.cell) <= 32


@given(st.lists(st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 7, 2**63, 2**64 - 1])), max_size=300))
def test_draws_are_put_in_order_as_by_a_stable_sort(draws):
    priority = np.array(draws, np.uint64)
    np.testing.assert_array_equal(keyed.in_order(priority), np.argsort(priority, kind="stable"))
