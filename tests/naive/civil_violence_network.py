"""Civil violence on a network in plain Python: a node is a cell, and who is in view is found by walking along ties."""

from __future__ import annotations

import math
from dataclasses import replace

from groundswell.models.agents.crowd import Crowd
from tests.naive.civil_violence import MOVE, RETURN, TRIES, Agent, Twin, unit


class NetworkTwin(Twin):
    """`Agent.cell` is (node, 0), so that what the twin of the grid does with cells holds here."""

    def __init__(self, crowd: Crowd) -> None:
        super().__init__(crowd)
        assert crowd.model.ties is not None
        self.ties = crowd.model.ties
        self.near = [self.ties.graph.near(node).tolist() for node in range(len(self.ties.graph))]
        self.persons = self.ties.nodes == "persons"
        if self.persons:
            self.model = replace(self.model, jailed="keeps_cell")
        for agent, cell in zip(self.agents, crowd.cell.tolist(), strict=True):
            agent.cell = None if cell < 0 else (cell, 0)

    def around(self, cell: tuple[int, int]) -> list[tuple[int, int]]:
        found = {cell[0]}
        for _ in range(math.floor(self.ties.vision_ties)):
            found |= {other for node in found for other in self.near[node]}
        return [(node, 0) for node in sorted(found)]

    def blocked(self, cell: tuple[int, int]) -> bool:
        if self.persons:
            return any(other.cell == cell and other.officer for other in self.agents)
        return super().blocked(cell)

    def move(self, agent: Agent) -> None:
        if self.persons and not agent.officer:
            return
        anywhere = self.ties.patrol == "anywhere" and agent.officer
        nodes = [(node, 0) for node in range(len(self.near))] if anywhere else self.around(agent.cell)
        for target in self.tries(agent, nodes):
            if not self.blocked(target):
                agent.cell = target
                return
        free = [node for node in nodes if not self.blocked(node)]
        if free:
            agent.cell = free[int(unit(self.key, self.step, agent.number, MOVE, TRIES) * len(free))]

    def serve(self, agent: Agent) -> None:
        agent.jail -= 1
        if agent.jail == 0 and agent.cell is None:
            k = 0
            while True:
                cell = (int(unit(self.key, self.step, agent.number, RETURN, k) * len(self.near)), 0)
                if not self.blocked(cell):
                    break
                k += 1
            agent.cell = cell

    def cells(self) -> list[int]:
        return [-1 if agent.cell is None else agent.cell[0] for agent in self.agents]
