"""Networks of persons: each type by what defines it, by moments, and by what it refuses."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundswell.data.graph import Graph
from groundswell.errors import GroundswellWarning, ParameterError
from groundswell.models.agents.configuration import DegreeShares, GivenDegrees, PowerLawDegrees
from groundswell.models.agents.networks import (
    GivenGraph,
    GraphFile,
    Hierarchy,
    Lattice,
    RandomGraph,
    Ring,
    ScaleFree,
    SmallWorld,
    Villages,
)
from groundswell.rng import generator

EVERY = {
    "random": RandomGraph(300, 5.0),
    "random, fixed ties": RandomGraph(300, 5.0, True),
    "given degrees": GivenDegrees((1, 2, 3, 2, 1, 1) * 20),
    "degree shares": DegreeShares(300, (0.1, 0.2, 0.4, 0.3)),
    "power law": PowerLawDegrees(2000, 3.0, 2, 30),
    "small world": SmallWorld(300, 3, 0.3),
    "ring": Ring(300, 3),
    "moore": Lattice(15, 20),
    "von Neumann": Lattice(15, 20, "von_neumann"),
    "scale-free": ScaleFree(300, 3),
    "villages": Villages(303, 20, 2.0),
    "hierarchy": Hierarchy(300, 5, 1.0),
}


def draw(network: Any, seed: int = 1) -> Graph:
    return network.draw(rng=generator(seed))


@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY.keys())
def test_the_same_seed_gives_the_same_network(network: Any) -> None:
    first, again = draw(network), draw(network)
    assert np.array_equal(first.neighbours, again.neighbours)
    assert len(first) == network.nodes
    other = draw(network, 2)
    fixed = isinstance(network, Ring | Lattice)
    assert np.array_equal(first.neighbours, other.neighbours) == fixed


def test_every_pair_of_a_random_graph_is_tied_alike() -> None:
    """Six persons, 15 pairs: each is tied in a share p of the draws, and independently of another."""
    draws, chance = 4000, 0.4
    rng = generator(3)
    tied = np.zeros((draws, 15))
    for d in range(draws):
        pairs = RandomGraph(6, 5 * chance).draw(rng=rng).pairs()
        tied[d, [i * 5 - i * (i - 1) // 2 + j - i - 1 for i, j in pairs]] = 1
    error = np.sqrt(chance * (1 - chance) / draws)
    assert np.abs(tied.mean(axis=0) - chance).max() < 4 * error
    apart = np.corrcoef(tied.T)[np.triu_indices(15, 1)]
    assert np.abs(apart).max() < 4.5 / np.sqrt(draws)


@pytest.mark.parametrize("fixed", [False, True])
def test_the_ties_of_a_random_graph_are_as_many_as_stated(fixed: bool) -> None:
    counts = np.array([draw(RandomGraph(200, 4.0, fixed), seed).ties for seed in range(200)])
    if fixed:
        assert (counts == 400).all()
    else:
        assert counts.mean() == pytest.approx(400, abs=4 * np.sqrt(400 / 200))
        assert counts.var() == pytest.approx(400 * (1 - 4 / 199), rel=0.4)


def test_every_graph_of_so_many_ties_is_equally_likely() -> None:
    rng = generator(4)
    found = Counter(tuple(map(tuple, RandomGraph(4, 1.0, True).draw(rng=rng).pairs())) for _ in range(3000))
    assert len(found) == 15  # of 6 pairs, 2
    assert max(found.values()) - min(found.values()) < 8 * np.sqrt(200)


@pytest.mark.parametrize(("mean_degree", "ties"), [(0.0, 0), (9.0, 45)])
def test_none_and_all(mean_degree: float, ties: int) -> None:
    assert draw(RandomGraph(10, mean_degree)).ties == ties


def test_the_ring_and_the_lattice_are_those_of_the_drawing() -> None:
    assert draw(Ring(7, 2)).near(0).tolist() == [1, 2, 5, 6]
    assert draw(Lattice(4, 5)).near(0).tolist() == [1, 4, 5, 6, 9, 15, 16, 19]
    assert draw(Lattice(4, 5, "von_neumann")).near(7).tolist() == [2, 6, 8, 12]
    assert np.array_equal(draw(SmallWorld(20, 3, 0.0)).neighbours, draw(Ring(20, 3)).neighbours)


def test_rewiring_moves_ties_and_keeps_their_number() -> None:
    ring = {tuple(pair) for pair in draw(Ring(2000, 3)).pairs()}
    for chance in (0.1, 0.5, 1.0):
        made = draw(SmallWorld(2000, 3, chance))
        assert made.ties == 6000
        assert made.degree.min() >= 3
        kept = len(ring & {tuple(pair) for pair in made.pairs()})
        assert kept == pytest.approx(6000 * (1 - chance), abs=4 * np.sqrt(6000 * 0.25) + 12)


def test_a_small_world_without_room_stays_complete() -> None:
    assert draw(SmallWorld(7, 3, 1.0)).ties == 21


def test_preferential_attachment_has_the_degrees_of_its_closed_form() -> None:
    """Shares 2 m (m + 1) / (k (k + 1) (k + 2)) of Dorogovtsev, Mendes and Samukhin (2000)."""
    made = draw(ScaleFree(100_000, 2))
    assert made.ties == 3 + 2 * (100_000 - 3)
    for k in (2, 3, 4, 6, 10):
        expected = 2 * 2 * 3 / (k * (k + 1) * (k + 2))
        assert made.degree_shares[k] == pytest.approx(expected, rel=0.05)


def test_given_degrees_are_kept_but_for_what_is_erased() -> None:
    degrees = np.array([1, 2, 3, 2] * 500)
    made = draw(GivenDegrees(tuple(degrees)))
    assert (made.degree <= degrees).all()
    assert made.degree.sum() > 0.99 * degrees.sum()
    with pytest.warns(GroundswellWarning, match="configuration model"):
        draw(GivenDegrees((5, 5, 5, 5, 5, 5)))


def test_drawn_degrees_have_their_shares() -> None:
    for network in (DegreeShares(40_000, (0.1, 0.2, 0.4, 0.3)), PowerLawDegrees(40_000, 3.0, 2, 30)):
        shares = network.degree_shares()
        assert shares.sum() == pytest.approx(1)
        found = draw(network).degree_shares
        assert np.abs(found - shares[: len(found)]).max() < 0.012
    assert PowerLawDegrees(100, 2.0, 1, 2).degree_shares() == pytest.approx([0, 0.8, 0.2])


def test_an_odd_number_of_ends_is_never_drawn() -> None:
    for seed in range(30):
        draw(DegreeShares(5, (0.5, 0.5)), seed)  # would not reshape into pairs
    with pytest.raises(ParameterError, match="all odd"):
        draw(DegreeShares(5, (0.0, 1.0)))


def test_villages_are_complete_and_joined_by_a_few() -> None:
    made = draw(Villages(2010, 20, 2.0))
    home = np.arange(2010) // 20
    pairs = made.pairs()
    inside = home[pairs[:, 0]] == home[pairs[:, 1]]
    assert inside.sum() == 100 * 190 + 45
    assert 2 * (~inside).sum() / 2010 == pytest.approx(2.0, abs=0.2)
    assert draw(Villages(10, 25, 0.0)).ties == 45


def test_a_hierarchy_is_a_tree_with_ties_within_levels() -> None:
    tree = draw(Hierarchy(13, 3, 0.0))
    assert tree.pairs().tolist() == [[(i - 1) // 3, i] for i in range(1, 13)]
    level = np.array([0] + [1] * 5 + [2] * 25 + [3] * 125 + [4] * 200)
    pairs = draw(Hierarchy(356, 5, 2.0)).pairs()
    same = level[pairs[:, 0]] == level[pairs[:, 1]]
    assert (~same).sum() == 355
    assert 2 * same.sum() / 355 == pytest.approx(2.0, abs=0.5)
    assert draw(Hierarchy(5, 1, 0.0)).pairs().tolist() == [[0, 1], [1, 2], [2, 3], [3, 4]]


def test_given_graphs_and_files(tmp_path: Path) -> None:
    graph = draw(Ring(10, 1))
    assert draw(GivenGraph(graph)) is graph
    assert GivenGraph(graph).degree_shares().tolist() == [0, 0, 1]
    path = tmp_path / "ties.csv"
    path.write_text("source,target\n0,1\n1,2\n")
    assert draw(GraphFile(str(path))).degree.tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RandomGraph(10, 9.5), "at most 9, the others"),
        (lambda: RandomGraph(0, 0.0), "1 or more"),
        (lambda: Ring(4, 2), "expected a whole number, 5 or more"),
        (lambda: SmallWorld(10, 0), "1 or more"),
        (lambda: SmallWorld(10, 2, 1.5), r"\[0, 1\]"),
        (lambda: Lattice(2, 5), "3 or more"),
        (lambda: Lattice(5, 5, "hexagonal"), "expected moore or von_neumann"),
        (lambda: ScaleFree(3, 3), "4 or more"),
        (lambda: Villages(50, 20, 40.0), "at most 30"),
        (lambda: Hierarchy(5, 2, 5.0), "at most 4"),
        (lambda: PowerLawDegrees(50, 2.5, 2, 50), "51 or more"),
        (lambda: PowerLawDegrees(50, 2.5, 5, 4), "5 or more"),
        (lambda: GivenDegrees((1, 2)), "sum to 3; expected an even sum"),
        (lambda: GivenDegrees((2, 2)), "2 ties among 2"),
        (lambda: GivenDegrees((1.5, 0.5)), "whole numbers"),
        (lambda: DegreeShares(10, (0.5, 0.6)), "sum to 1"),
        (lambda: DegreeShares(2, (0.2, 0.2, 0.6)), "too many"),
        (lambda: GivenGraph([(0, 1)]), "expected Graph.of"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        make()
