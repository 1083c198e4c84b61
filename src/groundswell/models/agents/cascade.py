"""Threshold cascades on networks (Watts 2002; Centola and Macy 2007; Siegel 2009): join once enough neighbours have.

What differs between the papers is a part of the model: the network, the thresholds (a share of neighbours, a number of
them, a motivation), who starts, and whether some join below their threshold by chance.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np

from groundswell.data.graph import Graph
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import GroundswellWarning, UsageError, nearest
from groundswell.models.agents import _keyed_loops as keyed
from groundswell.models.agents._cascade_loops import THRESHOLD
from groundswell.models.agents.alone import check_no_past, check_one_place
from groundswell.models.agents.cascade_parts import (
    ContiguousSeeds,
    Count,
    Fraction,
    Motivation,
    RandomSeeds,
    Seeds,
    Threshold,
)
from groundswell.models.agents.networks import (
    Hierarchy,
    Lattice,
    Network,
    PowerLawDegrees,
    RandomGraph,
    SmallWorld,
    Villages,
)
from groundswell.models.agents.spreading import Spread, spread
from groundswell.models.base import Model
from groundswell.models.watching import Sampling, Watched
from groundswell.params import param
from groundswell.rng import hash_key
from groundswell.rng import keyed as keyed_generator

SIEGEL: dict[str, Network] = {
    "small_world": SmallWorld(1000, 5, 0.1),
    "village": Villages(1000, 25, 1.0),
    "opinion_leader": PowerLawDegrees(1000, 2.5, 2, 50),
    "hierarchy": Hierarchy(1000, 10, 1.0),
}
"""The four types of Siegel (2009), as recalled; the numbers are ours, so that degrees are of a size."""


@dataclass(frozen=True)
class Cascade(Model):
    """Persons on a network who join for good once enough of their neighbours are active.

    All decide at once in each step (synchronous updates); without noise the end would be the same one by one. Steps are
    the window's steps and need not be days.

    Everything random comes from one key drawn from `rng`: the network from a generator of its own, thresholds, seeds
    and chance by a hash of (key, step, person, purpose). So models that differ in one part share their luck in the
    others.
    """

    title: ClassVar[str] = "threshold cascade on a network: each joins once enough neighbours have"
    paper: ClassVar[str] = (
        "Watts (2002), PNAS 99, 5766-5771; Centola and Macy (2007), American Journal of Sociology 113, 702-734; "
        "Siegel (2009), American Journal of Political Science 53, 122-138"
    )

    network: Network = field(default_factory=RandomGraph)
    threshold: Threshold = field(default_factory=Fraction)
    seeds: Seeds | None = field(default_factory=RandomSeeds)
    noise: float = param(
        "1/step", low=0, high=1, default=0.0, doc="chance to join below the threshold with an active neighbour"
    )

    @classmethod
    def watts(cls, mean_degree: float = 6.0, share: float = 0.18, nodes: int = 10_000, **changes: Any) -> Self:
        """Watts (2002): a Poisson random graph, one share for all, and a single seed."""
        made = cls(RandomGraph(nodes, mean_degree), Fraction(share), RandomSeeds(1 / nodes))
        return replace(made, **changes)

    @classmethod
    def centola_macy(cls, neighbours: float = 2.0, rewiring: float = 0.0, nodes: int = 1000, **changes: Any) -> Self:
        """Centola and Macy (2007): a ring with 2 at each side, some ties moved, a number of active neighbours.

        It starts with a person and all their neighbours on the ring.
        """
        made = cls(SmallWorld(nodes, 2, rewiring), Count(neighbours), ContiguousSeeds(5 / nodes))
        return replace(made, **changes)

    @classmethod
    def siegel(cls, network: str = "small_world", **changes: Any) -> Self:
        """Siegel (2009), as recalled: normal motivation on one of four types of network, without seeds."""
        if network not in SIEGEL:
            raise UsageError(f'network is "{network}"; expected one of {", ".join(SIEGEL)}.' + nearest(network, SIEGEL))
        return replace(cls(SIEGEL[network], Motivation(), None), **changes)

    @classmethod
    def presets(cls) -> dict[str, Model]:
        """The three papers, Siegel's once for each type of network."""
        return {
            "watts": cls.watts(),
            "centola_macy": cls.centola_macy(),
            **{f"siegel_{network}": cls.siegel(network) for network in SIEGEL},
        }

    @classmethod
    def example(cls) -> tuple[Cascade, Setting]:
        """Watts' cascade among 1,000 persons from 10 seeds, twenty steps."""
        from datetime import date

        return cls(), Setting(Places.single(1000), Window(date(2000, 1, 1), 20))

    def run(self, *, rng: np.random.Generator, steps: int | None = None) -> Spread:
        """One cascade, who joined in which step; until nothing changes, or for `steps` steps."""
        return self.on(self.network_of(key := hash_key(rng)), key, steps)

    def network_of(self, key: np.uint64) -> Graph:
        """The network that belongs to a key, whatever the other parts are."""
        return self.network.draw(rng=keyed_generator(int(key), 0))

    def on(self, graph: Graph, key: np.uint64, steps: int | None = None) -> Spread:
        """The cascade of a key on a graph that is there already."""
        start, degree = np.uint64(keyed.step_key(key, 0)), graph.degree
        luck = keyed.units(start, len(graph), THRESHOLD) if self.threshold.drawn else np.zeros(0)
        needed = self.threshold.needed(degree, luck)
        seeds = np.zeros(0, np.int64) if self.seeds is None else self.seeds.pick(graph, start)
        if not len(seeds) and (needed > 0).all():
            warnings.warn(
                "nobody starts: there are no seeds, and no threshold is 0. Give the cascade seeds, or thresholds of "
                "which some are 0.",
                GroundswellWarning,
                stacklevel=3,
            )
        memory = getattr(self.threshold, "memory", 0.0)
        wants = self.threshold.motivation(luck) if memory > 0 else None  # type: ignore[union-attr]
        return spread(graph, needed, seeds, steps=steps, noise=self.noise, motivation=wants, memory=memory, key=key)

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """One cascade; series active, new and quiet, (1, T): the first column holds the seeds, the next step 1.

        So the share of seeds is active / (active + quiet) in the first column. A history holds totals, which do not say
        who is tied to the active, so `given` is refused.
        """
        check_one_place(self, setting, "network")
        check_no_past(
            self, given, "who is tied to the active",
            "Draw the whole window with the same rng; its first steps are the same.",
        )  # fmt: skip
        return _history(setting, self.run(rng=rng, steps=setting.window.periods - 1))

    def watch(self, setting: Setting, *, rng: np.random.Generator) -> Watched:
        """The history that `simulate` draws, one cell a person: a lattice as it lies, else by number."""
        check_one_place(self, setting, "network")
        done, periods = self.run(rng=rng, steps=setting.window.periods - 1), setting.window.periods
        flat = not isinstance(self.network, Lattice)
        columns = math.ceil(math.sqrt(done.nodes)) if flat else self.network.columns  # type: ignore[union-attr]
        grid = (math.ceil(done.nodes / columns), columns)
        kept = Sampling.of(*grid, periods)
        steps = kept.steps(periods)
        joined = np.pad(done.joined, (0, math.prod(grid) - done.nodes), constant_values=-2).reshape(grid)
        joined = kept.corner(joined)
        frames = np.where((joined >= 0) & (joined < steps[:, None, None]), 2, 1)
        frames[:, joined == -2] = 0  # cells beyond the last person
        states = ("empty", "out", "joined")
        note = "persons" if flat else "torus"
        return Watched(_history(setting, done), frames.astype(np.uint8), steps, states, grid, (note,))


def _history(setting: Setting, done: Spread) -> History:
    series = {"active": done.active, "new": done.new, "quiet": done.nodes - done.active}
    return History(setting.places, setting.window, {name: v[None, :].astype(float) for name, v in series.items()})
