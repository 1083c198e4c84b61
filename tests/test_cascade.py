"""Cascades against their plain twin on every network and threshold, exact cases, and what is refused."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import date
from fractions import Fraction as Exact
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.data.graph import Graph
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, MissingVerb, ParameterError, UsageError
from groundswell.models.agents import _keyed_loops as keyed
from groundswell.models.agents._cascade_loops import THRESHOLD
from groundswell.models.agents.cascade import SIEGEL, Cascade
from groundswell.models.agents.cascade_parts import (
    ContiguousSeeds,
    Count,
    Fraction,
    GivenSeeds,
    HighestDegreeSeeds,
    Motivation,
    NormalFraction,
    RandomSeeds,
    UniformFraction,
    share_of,
)
from groundswell.models.agents.networks import GivenGraph, Lattice, RandomGraph, Ring, ScaleFree, SmallWorld
from groundswell.models.agents.spreading import spread
from groundswell.rng import generator
from groundswell.statement import stated
from tests.naive.cascade import fewest, one_by_one, steps_of, ties_of
from tests.test_networks import EVERY

THRESHOLDS = {
    "fraction": Fraction(0.3),
    "normal": NormalFraction(0.25, 0.2),
    "uniform": UniformFraction(0.0, 0.6),
    "count": Count(2.0),
    "motivation": Motivation(0.6, 0.3),
    "motivation with memory": Motivation(0.6, 0.3, 0.4),
}
KEY = np.uint64(12345)


def twin(model: Cascade, graph: Graph, key: np.uint64, steps: int) -> list[int]:
    """The step in which each joined, by the plain twin under the same luck."""
    start = np.uint64(keyed.step_key(key, 0))
    luck = keyed.units(start, len(graph), THRESHOLD)
    seeds = [] if model.seeds is None else model.seeds.pick(graph, start).tolist()
    more: dict[str, Any] = {}
    if isinstance(model.threshold, Motivation) and model.threshold.memory > 0:
        more = {"motivation": model.threshold.motivation(luck).tolist(), "memory": model.threshold.memory}
    needed = model.threshold.needed(graph.degree, luck).tolist()
    return steps_of(ties_of(graph), needed, seeds, steps, noise=model.noise, key=int(key), **more)


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize("threshold", THRESHOLDS.values(), ids=THRESHOLDS.keys())
@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY.keys())
def test_everyone_joins_in_the_step_of_the_plain_twin(network: Any, threshold: Any, noise: float) -> None:
    model = Cascade(network, threshold, RandomSeeds(0.03), noise)
    graph = model.network_of(KEY)
    steps = 12
    done = model.on(graph, KEY, steps)
    assert done.joined.tolist() == twin(model, graph, KEY, steps)
    assert done.active.shape == (steps + 1,)


@given(st.integers(0, 2**32), st.integers(1, 40), st.floats(0, 6), st.integers(0, 5), st.floats(0, 1))
def test_any_thresholds_and_seeds_go_as_by_hand(seed: int, nodes: int, degree: float, most: int, share: float) -> None:
    """Sizes at which every way through the loop is taken: told, looked up, put in order."""
    rng = generator(seed)
    graph = RandomGraph(nodes, min(degree, nodes - 1)).draw(rng=rng)
    needed = rng.integers(0, most + 1, nodes)
    seeds = np.flatnonzero(rng.random(nodes) < share * share)
    done = spread(graph, needed, seeds)
    by_hand = steps_of(ties_of(graph), needed.tolist(), seeds.tolist(), nodes + 1)
    assert done.joined.tolist() == by_hand
    assert sorted(done.queue.tolist()) == [i for i, step in enumerate(by_hand) if step >= 0]


@given(st.integers(0, 2**32))
def test_the_order_in_which_persons_are_asked_does_not_matter(seed: int) -> None:
    rng = generator(seed)
    graph = RandomGraph(30, 3.0).draw(rng=rng)
    needed, seeds = rng.integers(0, 4, 30), np.arange(3)
    done = spread(graph, needed, seeds)
    order = rng.permutation(30).tolist()
    assert set(done.queue.tolist()) == one_by_one(ties_of(graph), needed.tolist(), [0, 1, 2], order)


@given(st.integers(0, 2**32))
def test_more_seeds_and_lower_thresholds_never_stop_anyone(seed: int) -> None:
    rng = generator(seed)
    graph = RandomGraph(60, 4.0).draw(rng=rng)
    needed = rng.integers(1, 5, 60)
    fewer = spread(graph, needed, [0, 1])
    for more in (spread(graph, needed, [0, 1, 2, 3]), spread(graph, np.maximum(needed - 1, 0), [0, 1])):
        assert set(fewer.queue.tolist()) <= set(more.queue.tolist())


@pytest.mark.parametrize("most", [254, 255, 70_000])
def test_counters_hold_any_degree(most: int) -> None:
    """A star: its centre needs all of its neighbours, in 1 and in 4 bytes."""
    star = Graph.of([(0, i) for i in range(1, most + 1)])
    needed = np.full(most + 1, 5)
    needed[0] = most
    assert spread(star, needed, np.arange(1, most + 1)).final_share == 1.0
    assert spread(star, needed, np.arange(2, most + 1)).active.tolist() == [most - 1, most - 1]


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_a_contagion_goes_round_a_ring_iff_it_needs_no_more_than_one_side(side: int) -> None:
    for needs in range(1, side + 3):
        model = Cascade(Ring(60, side), Count(needs), GivenSeeds(tuple(range(needs + 1))))
        assert (model.run(rng=generator(1)).final_share == 1.0) == (needs <= side)


@pytest.mark.parametrize(("neighbourhood", "most"), [("moore", 3), ("von_neumann", 2)])
def test_a_contagion_crosses_a_lattice_up_to_its_threshold(neighbourhood: str, most: int) -> None:
    block = tuple(20 * row + column for row in (8, 9, 10) for column in (8, 9, 10))
    for needs in range(1, 6):
        done = Cascade(Lattice(20, 20, neighbourhood), Count(needs), GivenSeeds(block)).run(rng=generator(1))
        expected = needs <= most if neighbourhood == "moore" else needs == 1
        assert (done.final_share == 1.0) == expected, needs


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 400))
def test_the_number_needed_is_exact_for_every_share_of_whole_numbers(over: int, degree: int, under: int) -> None:
    share = Exact(min(under, over), over)
    assert share_of(np.array([float(share)]), np.array([degree]))[0] == fewest(share, degree)


def test_shares_that_rounding_would_miss() -> None:
    assert share_of(np.array([0.2, 0.07, 0.1 + 0.2, 3 * 0.1]), np.array([5, 100, 10, 10])).tolist() == [1, 7, 3, 3]
    assert share_of(np.array([0.0, -0.5, 1.0, 1.5, 1e-12]), np.full(5, 4)).tolist() == [0, 0, 4, 5, 1]
    assert share_of(np.array([0.0, 0.5, 1.0]), np.zeros(3, int)).tolist() == [0, 1, 1], "nobody to be a share of"


@pytest.mark.parametrize("threshold", THRESHOLDS.values(), ids=THRESHOLDS.keys())
def test_enough_is_the_share_of_persons_for_whom_it_is(threshold: Any) -> None:
    count, luck = 40_000, (np.arange(40_000) + 0.5) / 40_000
    for degree in (0, 1, 4, 10):
        needed = threshold.needed(np.full(count, degree), luck)
        for active in range(degree + 1):
            share = (needed <= active).mean()
            assert threshold.enough(np.array(active), np.array(degree)) == pytest.approx(share, abs=1e-4)


def test_memory_delays_and_does_not_change_the_end() -> None:
    for network in SIEGEL:
        model = Cascade.siegel(network)
        at_once = model.run(rng=generator(5))
        late = replace(model, threshold=replace(model.threshold, memory=0.7)).run(rng=generator(5), steps=2000)
        assert np.array_equal(np.sort(at_once.queue), np.sort(late.queue)), network
        assert at_once.active[3] > late.active[3]


def test_noise_carries_a_contagion_over_long_ties_that_it_would_not_take_else() -> None:
    """Eckles and others: with some adoption below the threshold, long ties speed a complex contagion up."""

    def half_time(rewiring: float, noise: float) -> float:
        model = Cascade.centola_macy(2.0, rewiring, 2000, noise=noise)
        runs = [model.run(rng=generator(seed), steps=1200).active for seed in range(8)]
        return float(np.mean([np.argmax(active > 1000) if active[-1] > 1000 else 1200 for active in runs]))

    assert half_time(0.0, 0.02) > 2 * half_time(0.05, 0.02)
    assert half_time(0.3, 0.0) > half_time(0.0, 0.0), "without it they hinder, once many are moved"


def test_steps_are_a_beginning_and_a_run_can_be_any_length() -> None:
    for model in (Cascade(), Cascade(noise=0.02), Cascade.siegel(threshold=Motivation(0.6, 0.3, 0.5))):
        whole, part = (model.run(rng=generator(2), steps=steps) for steps in (15, 6))
        assert np.array_equal(whole.active[:7], part.active)
        assert np.array_equal(np.where(whole.joined > 6, -1, whole.joined), part.joined)
    assert Cascade().run(rng=generator(2), steps=0).active.tolist() == [10]


def test_models_that_differ_in_one_part_share_their_luck_in_the_others() -> None:
    model = Cascade(RandomGraph(500, 4.0), NormalFraction(0.2, 0.1), RandomSeeds(0.02))
    key = np.uint64(7)
    graph = model.network_of(key)
    other = replace(model, threshold=Fraction(0.1), seeds=RandomSeeds(0.05))
    assert np.array_equal(other.network_of(key).neighbours, graph.neighbours)
    fewer, more = (set(m.on(graph, key, 0).queue.tolist()) for m in (model, other))
    assert fewer < more


def test_a_spread_says_its_seeds_and_adds_up() -> None:
    done = Cascade().run(rng=generator(3))
    assert done.seed_share == 0.01
    assert done.final_share == done.active[-1] / 1000
    assert done.new.sum() == done.active[-1]
    assert np.array_equal(np.bincount(done.joined[done.joined >= 0]), done.new[: done.joined.max() + 1])
    (row,) = done.summary().rows()
    assert (row["persons"], row["seed_share"], row["steps"]) == (1000, 0.01, done.joined.max())


def test_a_history_begins_with_the_seeds_and_has_everyone() -> None:
    model, setting = Cascade.example()
    history = model.simulate(setting, rng=generator(1))
    assert history["active"][0, 0] == history["new"][0, 0] == 10
    assert (history["active"] + history["quiet"] == 1000).all()
    assert np.array_equal(np.cumsum(history["new"]), history["active"][0])


def test_seeds_are_who_they_should_be() -> None:
    graph = ScaleFree(500, 3).draw(rng=generator(1))
    highest = HighestDegreeSeeds(0.02).pick(graph, KEY)
    assert len(highest) == 10
    assert graph.degree[highest].min() >= np.sort(graph.degree)[-10]
    ring = Ring(100, 2).draw(rng=generator(1))
    near = ContiguousSeeds(0.05).pick(ring, KEY).astype(int)
    assert sorted((near - near[0] + 2) % 100) == [0, 1, 2, 3, 4]
    assert set(RandomSeeds(0.05).pick(graph, KEY)) < set(RandomSeeds(0.2).pick(graph, KEY))
    for kind in (RandomSeeds, ContiguousSeeds, HighestDegreeSeeds):
        assert [len(kind(share).pick(graph, KEY)) for share in (0.0, 1e-9)] == [0, 1]
        assert len(kind(1.0).pick(ring, KEY)) == 100
    picked = [int(RandomSeeds(1e-9).pick(ring, np.uint64(k))[0]) for k in range(2000)]
    assert np.bincount(picked, minlength=100).max() < 20 + 5 * np.sqrt(20)


def test_the_presets_are_their_papers() -> None:
    assert Cascade.watts(nodes=500).seeds == RandomSeeds(1 / 500)
    assert Cascade.centola_macy(2.0).run(rng=generator(1)).final_share == 1
    assert Cascade.centola_macy(3.0).run(rng=generator(1)).final_share == 0.005
    for name in SIEGEL:
        assert Cascade.siegel(name).run(rng=generator(1)).seed_share == 0
    with pytest.raises(UsageError, match='Nearest name: "village"'):
        Cascade.siegel("villages")


def test_a_configuration_file_can_state_every_part(tmp_path: Path) -> None:
    path = tmp_path / "ties.csv"
    path.write_text("source,target\na,b\nb,c\nc,d\n")
    table = {
        "network": {"kind": "GraphFile", "path": str(path)},
        "threshold": {"kind": "Count", "neighbours": 1},
        "seeds": {"kind": "GivenSeeds", "persons": [1]},
    }
    done = stated(Cascade, table, base=Cascade()).run(rng=generator(1))
    assert done.joined.tolist() == [1, 0, 1, 2]


def test_no_one_to_start_is_said() -> None:
    with pytest.warns(GroundswellWarning, match="nobody starts"):
        assert Cascade(seeds=None).run(rng=generator(1)).final_share == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Cascade(threshold=UniformFraction(0, 0.5), seeds=GivenSeeds((0,))).run(rng=generator(1))


def lopsided() -> Graph:
    return Graph.of([(0, 1), (1, 2)])


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (lambda: spread(lopsided(), np.ones(2, int), [0]), DataError, r"expected \(3,\) whole numbers"),
        (lambda: spread(lopsided(), np.ones(3), [0]), DataError, "whole numbers"),
        (lambda: spread(lopsided(), np.array([1, -1, 1]), [0]), DataError, "0 or more"),
        (lambda: spread(lopsided(), np.ones(3, int), [3]), DataError, "person 3; expected numbers from 0 to 2"),
        (lambda: spread(lopsided(), np.ones(3, int), [-1]), DataError, "person -1"),
        (lambda: spread(lopsided(), np.ones(3, int), [0, 0]), DataError, "stand twice"),
        (lambda: spread(lopsided(), np.ones(3, int), [0], noise=0.1), UsageError, "no steps"),
        (lambda: spread(lopsided(), np.ones(3, int), [0], noise=0.1, steps=3), UsageError, "no key"),
        (lambda: spread(lopsided(), np.ones(3, int), [0], memory=0.1, steps=3), UsageError, "no motivation"),
        (lambda: spread(lopsided(), np.ones(3, int), [0], steps=-1), UsageError, "steps is -1"),
        (lambda: Cascade(noise=0.1).run(rng=generator(1)), UsageError, "no steps"),
        (lambda: Cascade(noise=1.5), ParameterError, r"\[0, 1\]"),
        (lambda: NormalFraction(0.2, 0.0), ParameterError, "use Fraction"),
        (lambda: Motivation(0.2, 0.0), ParameterError, "someone has to differ"),
        (lambda: UniformFraction(0.5, 0.5), ParameterError, "lower one first"),
        (lambda: Cascade(network=GivenGraph(lopsided()), seeds=GivenSeeds((5,))).run(rng=generator(1)), DataError,
         "person 5"),
        (lambda: Cascade(network=SmallWorld), ParameterError, "the class SmallWorld itself"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(act: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        act()


def test_places_and_pasts_are_refused() -> None:
    model, setting = Cascade.example()
    with pytest.raises(UsageError, match="setting of 2 places"):
        model.simulate(
            Setting(Places(("A", "B"), np.ones(2)), Window(date(2000, 1, 1), 3)), rng=generator(1)
        )  # fmt: skip
    with pytest.raises(MissingVerb, match="totals do not say"):
        model.simulate(setting, rng=generator(1), given=model.simulate(setting, rng=generator(1)))
