"""The engine of threshold cascades: who joins in which step, on a graph, from seeds; exact, and the same every time.

All persons decide at once in each step, by who was active after the step before. Nobody leaves, so that without chance
the end does not depend on this: asked one after another in any order, the same persons join.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from groundswell.data.graph import Graph
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError


@dataclass(frozen=True, eq=False)
class Spread:
    """How a cascade went.

    queue : (A,) uint32, the persons who are active at the end, in the order of their steps.
    active : (T + 1,) persons active after each step; active[0] are the seeds. nodes : N.
    """

    queue: np.ndarray
    active: np.ndarray
    nodes: int

    @property
    def new(self) -> np.ndarray:
        """(T + 1,) persons who joined in each step; the seeds first."""
        return np.diff(self.active, prepend=0)

    @property
    def seed_share(self) -> float:
        """Share of the persons who were active before the first step."""
        return float(self.active[0]) / self.nodes

    @property
    def final_share(self) -> float:
        """Share of the persons who are active at the end, seeds included."""
        return float(self.active[-1]) / self.nodes

    @cached_property
    def joined(self) -> np.ndarray:
        """(N,) int32 the step in which each person joined: 0 for seeds, -1 for those who did not."""
        found = np.full(self.nodes, -1, np.int32)
        found[self.queue] = np.repeat(np.arange(len(self.active), dtype=np.int32), self.new)
        return found

    def summary(self) -> Table:
        """One row: persons, the share of seeds, the share active at the end, and how many steps it took."""
        new = self.new
        return Table(
            {
                "persons": [self.nodes],
                "seed_share": [self.seed_share],
                "final_share": [self.final_share],
                "steps": [int(np.flatnonzero(new)[-1]) if new.any() else 0],
                "most_in_a_step": [int(new[1:].max(initial=0))],
            }
        )


def spread(
    graph: Graph,
    needed: np.ndarray,
    seeds: Sequence[int] | np.ndarray,
    *,
    steps: int | None = None,
    noise: float = 0.0,
    motivation: np.ndarray | None = None,
    memory: float = 0.0,
    key: np.uint64 | None = None,
) -> Spread:
    """A cascade from `seeds`, until nothing changes or for `steps` steps.

    needed : (N,) whole numbers, how many active neighbours make each person join; 0, they join in step 1 whatever
    happens; more than they have, only chance makes them. seeds : numbers of persons, active before step 1.
    noise : chance in each step that a quiet person with an active neighbour joins below their threshold.
    motivation, memory : instead of `needed` where memory is above 0; see `parts.Motivation`.
    key : of the draws, 64 bits; the same key gives a person the same luck in every scenario. Needed with noise.

    Cost without noise and memory: a tie is looked at about once; 1e7 persons and 1e8 ties, which 880 MB hold, take
    about a second. With them, each step costs the persons who have an active neighbour and are quiet.
    """
    from groundswell.models.agents import _cascade_loops as loops

    count = len(graph)
    started = _seeds(seeds, count)
    counters = _counters(graph, needed)
    by_chance = noise > 0 or memory > 0
    if steps is not None and steps < 0:
        raise UsageError(f"steps is {steps}; expected 0 or more.")
    if memory > 0 and motivation is None:
        raise UsageError("spread was given memory and no motivation; expected one number a person, which it acts on.")
    if by_chance and steps is None:
        raise UsageError(
            "spread was given noise or memory and no steps; expected how many, since it may go on for long."
        )
    if noise > 0 and key is None:
        raise UsageError("spread was given noise and no key; expected 64 bits that its draws are keyed by.")
    counters[started] = 1  # for the moment, so that a seed is not taken for one who joins unconditionally
    early = np.flatnonzero(counters == 0)
    counters[started] = 0
    queue = np.empty(count, np.uint32)
    queue[: len(started)] = started
    queue[count - len(early) :] = early
    ends = np.empty(count + 1 if steps is None else steps, np.int64)
    arrays = (graph.offsets, graph.neighbours, counters)
    place = (queue, len(started), len(early), ends)
    if by_chance:
        wants = np.zeros(0) if memory == 0 else np.asarray(motivation, dtype=float)
        taken = loops.spread_with_chance(*arrays, wants, memory, noise, np.uint64(key or 0), *place)
    else:
        taken = loops.spread(*arrays, *place)
    ends[taken:] = ends[taken - 1] if taken else len(started)
    active = np.concatenate([[len(started)], ends[: taken if steps is None else steps]])
    return Spread(queue[: active[-1]], active, count)


def _seeds(seeds: Sequence[int] | np.ndarray, count: int) -> np.ndarray:
    started = np.unique(np.asarray(seeds, dtype=np.int64))
    if len(started) != len(seeds):
        raise DataError(f"{len(seeds) - len(started)} of {len(seeds)} seeds stand twice; expected every person once.")
    if len(started) and (started[0] < 0 or started[-1] >= count):
        wrong = started[0] if started[0] < 0 else started[-1]
        raise DataError(f"a seed is person {wrong}; expected numbers from 0 to {count - 1}, for {count} persons.")
    return started


def _counters(graph: Graph, needed: np.ndarray) -> np.ndarray:
    """(N,) how many are needed, in a byte each where degrees allow."""
    from groundswell.models.agents import _cascade_loops as loops

    given = np.asarray(needed)
    counters = np.empty(len(graph), np.uint8 if loops.most_ties(graph.offsets) < 255 else np.uint32)
    fits = given.shape == counters.shape and given.dtype.kind in "iu"
    if not fits or not loops.count_down(graph.offsets, given, counters):
        raise DataError(
            f"needed has shape {given.shape} and type {given.dtype}; expected ({len(graph)},) whole numbers of 0 or "
            "more, the active neighbours that make each person join."
        )
    return counters
