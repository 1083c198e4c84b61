"""Threshold cascades in plain Python: everyone looks at everyone they are tied to, in every step."""

from __future__ import annotations

from fractions import Fraction as Exact

from groundswell.data.graph import Graph
from tests.naive.civil_violence import unit

ADOPT = 2


def ties_of(graph: Graph) -> list[set[int]]:
    return [{int(j) for j in graph.near(i)} for i in range(len(graph))]


def fewest(share: Exact, degree: int) -> int:
    """Active neighbours that are a share of the neighbours or more, in exact arithmetic."""
    if share <= 0:
        return 0
    return next((m for m in range(1, degree + 1) if Exact(m, degree) >= share), degree + 1)


def steps_of(
    ties: list[set[int]],
    needed: list[int],
    seeds: list[int],
    steps: int,
    *,
    noise: float = 0.0,
    key: int = 0,
    motivation: list[float] | None = None,
    memory: float = 0.0,
) -> list[int]:
    """The step in which each joined; 0 for seeds, -1 for never."""
    joined = [-1] * len(ties)
    for seed in seeds:
        joined[seed] = 0
    felt = [-1.0] * len(ties)
    for step in range(1, steps + 1):
        active = {i for i, when in enumerate(joined) if when >= 0}
        for i, near in enumerate(ties):
            if i in active:
                continue
            known = len(near & active)
            if motivation is None:
                joins = known >= needed[i]
            elif near:
                felt[i] = memory * felt[i] + (1.0 - memory) * (known / len(near) - 1.0)
                joins = motivation[i] + felt[i] > 0 or (step == 1 and needed[i] == 0)
            else:
                joins = needed[i] == 0
            if joins or (known and unit(key, step, i, ADOPT, 0) < noise):
                joined[i] = step
    return joined


def one_by_one(ties: list[set[int]], needed: list[int], seeds: list[int], order: list[int]) -> set[int]:
    """Who is active in the end if all are asked again and again in one order, each seeing what is so by then."""
    active = set(seeds)
    while True:
        before = len(active)
        for i in order:
            if len(ties[i] & active) >= needed[i]:
                active.add(i)
        if len(active) == before:
            return active
