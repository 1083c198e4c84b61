"""Ties in place of a grid: who sees whom in civil violence is who is tied to whom, at most so many ties away.

There are two worlds. Where nodes are "persons", ties are the agents' own: citizens stay where they are, and officers,
who are none of them, stand beside a person. Where nodes are "places", everything is as on the grid, whose cells are
nodes then: citizens and officers occupy one each and move to empty ones in view.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from groundswell.data.graph import Graph
from groundswell.errors import DataError, ParameterError, UsageError, nearest
from groundswell.models.agents.networks import GivenGraph, Network, SmallWorld
from groundswell.params import Component, param
from groundswell.rng import keyed

Nodes = Literal["persons", "places"]
Patrol = Literal["along_ties", "anywhere"]

CHOICES: dict[str, tuple[str, ...]] = {"nodes": get_args(Nodes), "patrol": get_args(Patrol)}
"""Every rule of ties, with its named alternatives."""

MOST_IN_VIEW = 2**31 - 2
"""Who is in view of whom, listed for all nodes together, in whole numbers of 32 bits."""


@dataclass(frozen=True)
class Ties(Component):
    """A network on which civil violence goes on.

    vision_ties : rounded down; 1 is one's neighbours, 0 oneself alone. Oneself is always in view.
    nodes : "persons" who stay, with officers beside them, at most one beside a person but for one who has just come to
        make an arrest; or "places", each with room for one agent, as a cell of the grid has.
    patrol : an officer moves to a random free node in view ("along_ties"), or to any free node ("anywhere"), since
        officers need not be bound by other people's ties. Where it goes after an arrest is `officer_after_arrest`.

    Nodes without ties are allowed: who is there sees nobody else, and an officer there who patrols along ties stays.
    """

    network: Network = field(default_factory=SmallWorld)
    vision_ties: float = param("ties", low=0, default=1.0, doc="how many ties away agents and officers see")
    nodes: Nodes = "persons"
    patrol: Patrol = "along_ties"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in CHOICES.items():
            if (given := getattr(self, name)) not in allowed:
                raise ParameterError(
                    f"Ties.{name} is {given!r}; expected one of {', '.join(map(repr, allowed))}."
                    + nearest(str(given), allowed)
                )

    def drawn(self, key: np.uint64) -> Ties:
        """With the graph that belongs to a key, which the key of a cascade draws too."""
        return replace(self, network=GivenGraph(self.network.draw(rng=keyed(int(key), 0))))

    @property
    def graph(self) -> Graph:
        """Of ties that are drawn; DataError for others, on which nobody can stand."""
        if not isinstance(self.network, GivenGraph):
            raise DataError(
                f"Ties.network is a {type(self.network).__name__}, of which no graph is drawn; expected a GivenGraph. "
                "A crowd stands on one graph: a scenario on the same has `ties=crowd.model.ties`, or a copy of it with "
                "other rules, and one on other ties GivenGraph(other)."
            )
        return self.network.graph

    def rules(self) -> dict[str, Any]:
        """Every field but the network, as plain values."""
        return {"vision_ties": float(self.vision_ties), "nodes": self.nodes, "patrol": self.patrol}

    def held(self) -> dict[str, Any]:
        """What a file keeps of ties that are drawn: the rules as JSON, and the graph, so that it needs no other."""
        graph = self.graph
        return {"ties": json.dumps(self.rules()), "offsets": graph.offsets, "neighbours": graph.neighbours}

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Ties | None:
        """From such a file, or None if it has no ties; errors of every kind for a damaged one."""
        if "ties" not in saved:
            return None
        return cls(GivenGraph(Graph(saved["offsets"], saved["neighbours"])), **json.loads(str(saved["ties"])))

    def views(self) -> np.ndarray:
        """(N + 1 + V,) int32 who is in view of each node, as the loops want it; of ties that are drawn.

        4 bytes for each node in view of each. UsageError for more than can be numbered.
        """
        return self._listed(math.floor(self.vision_ties))

    def beside(self) -> np.ndarray:
        """The same of who is at most one tie away, whatever the vision."""
        return self._listed(1)

    def _listed(self, reach: int) -> np.ndarray:
        graph = self.graph
        starts, seen = graph.within(min(reach, len(graph)), MOST_IN_VIEW)
        if starts[-1] + len(starts) > MOST_IN_VIEW:
            raise UsageError(
                f"Ties.vision_ties is {self.vision_ties:g}, by which the {len(graph):,} nodes have more than "
                f"{MOST_IN_VIEW:,} others in view, all together; lower it, or take a smaller network."
            )
        return np.concatenate([starts + len(starts), seen]).astype(np.int32)


class Ground:
    """What a model stands on that has the fields `rows` and `columns`, and `ties` or None."""

    rows: int
    columns: int
    ties: Ties | None

    @property
    def cells(self) -> int:
        """Cells of the grid, or nodes of the network."""
        return self.rows * self.columns if self.ties is None else self.ties.network.nodes

    @property
    def picture(self) -> tuple[int, int]:
        """Rows and columns of a picture of it: the grid, or the network's nodes by number, row by row."""
        if self.ties is None:
            return self.rows, self.columns
        columns = math.ceil(math.sqrt(self.cells))
        return math.ceil(self.cells / columns), columns

    @property
    def note(self) -> str:
        """How to read that picture, by the words of the catalogue."""
        return "torus" if self.ties is None else "nodes"


def check_places(model: Any) -> None:
    """ParameterError unless the agents of a model with ties fit on its nodes, one on each."""
    what, both = type(model).__name__, model.citizen_density + model.officer_density
    if both > 1 + 1e-9:
        raise ParameterError(
            f"{what}.citizen_density + officer_density is {both:g} on nodes that are places; expected 1 or less, for "
            "a place holds one agent at the start. Lower one of the two."
        )
