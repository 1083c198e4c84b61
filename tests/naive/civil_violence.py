"""Civil violence in plain Python: every count is a fresh look around, every draw the same hash."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from groundswell.models.agents.civil_violence import CivilViolence
from groundswell.models.agents.crowd import Crowd

ORDER, MOVE, SUSPECT, TERM, RETURN = range(5)
BITS = (1 << 64) - 1
TRIES = 32


def mix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & BITS
    return x ^ (x >> 31)


def draw(key: int, step: int, agent: int, purpose: int, k: int) -> int:
    """Three nested SplitMix64 outputs."""
    x = key
    for word in (step + 1, agent + 1, (purpose << 32) | k):
        x = mix((x + 0x9E3779B97F4A7C15 * word) & BITS)
    return x


def unit(*words: int) -> float:
    return (draw(*words) >> 11) * 2.0**-53


@dataclass
class Agent:
    number: int
    cell: tuple[int, int] | None
    active: bool
    jail: int
    hardship: float | None = None
    risk_aversion: float | None = None

    @property
    def officer(self) -> bool:
        return self.hardship is None


class Twin:
    def __init__(self, crowd: Crowd) -> None:
        self.model: CivilViolence = crowd.model
        self.key, self.step = crowd.key, crowd.step
        self.agents = []
        for i, cell in enumerate(crowd.cell.tolist()):
            where = None if cell < 0 else divmod(cell, crowd.model.columns)
            agent = Agent(i, where, bool(crowd.active[i]), int(crowd.jail[i]))
            if i < len(crowd.hardship):
                agent.hardship, agent.risk_aversion = float(crowd.hardship[i]), float(crowd.risk_aversion[i])
            self.agents.append(agent)

    def around(self, cell: tuple[int, int]) -> list[tuple[int, int]]:
        m = self.model
        reach = math.floor(m.vision_cells)
        found = []
        for down in range(-reach, reach + 1):
            for right in range(-reach, reach + 1):
                inside = {
                    "disc": down * down + right * right <= m.vision_cells**2,
                    "diamond": abs(down) + abs(right) <= m.vision_cells,
                    "square": True,
                }[m.neighbourhood]
                if inside:
                    found.append(((cell[0] + down) % m.rows, (cell[1] + right) % m.columns))
        return found

    def blocked(self, cell: tuple[int, int]) -> bool:
        return any(
            other.cell == cell and (other.jail == 0 or self.model.jailed == "keeps_cell") for other in self.agents
        )

    def in_vision(self, agent: Agent) -> list[Agent]:
        cells = set(self.around(agent.cell))
        return [other for other in self.agents if other.cell in cells]

    def tries(self, agent: Agent, cells: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """The cells at which a mover looks first, one after the other."""
        for k in range(TRIES):
            yield cells[int(unit(self.key, self.step, agent.number, MOVE, k) * len(cells))]

    def move(self, agent: Agent) -> None:
        cells = self.around(agent.cell)
        for target in self.tries(agent, cells):
            if not self.blocked(target):
                agent.cell = target
                return
        empty = [cell for cell in cells if not self.blocked(cell)]
        if empty:
            agent.cell = empty[int(unit(self.key, self.step, agent.number, MOVE, TRIES) * len(empty))]

    def decide(self, agent: Agent) -> None:
        m = self.model
        seen = self.in_vision(agent)
        officers = sum(other.officer for other in seen)
        actives = 1 + sum(other.active for other in seen)
        if agent.active and m.own_count == "once":
            actives -= 1
        ratio = {"raw": lambda x: x, "floor": math.floor, "round": round}[m.ratio](officers / actives)
        arrest_probability = 1 - math.exp(-m.arrest_constant * ratio)
        grievance = agent.hardship * (1 - m.legitimacy)
        agent.active = grievance - agent.risk_aversion * arrest_probability > m.activation_threshold

    def enforce(self, officer: Agent) -> int:
        m = self.model
        suspects = [other for other in self.in_vision(officer) if other.active]
        if not suspects:
            return 0
        suspect = min(suspects, key=lambda s: draw(self.key, self.step, officer.number, SUSPECT, s.number))
        longest = m.max_jail_term + (m.jail_term == "up_to_max")
        suspect.active = False
        suspect.jail = int(unit(self.key, self.step, officer.number, TERM, 0) * longest)
        where = suspect.cell
        if suspect.jail > 0 and m.jailed == "off_grid":
            suspect.cell = None
        if m.officer_after_arrest == "moves":
            officer.cell = where
        return 1

    def serve(self, agent: Agent) -> None:
        agent.jail -= 1
        if agent.jail == 0 and agent.cell is None:
            k, cells = 0, self.model.rows * self.model.columns
            while True:
                cell = divmod(int(unit(self.key, self.step, agent.number, RETURN, k) * cells), self.model.columns)
                if not self.blocked(cell):
                    break
                k += 1
            agent.cell = cell

    def turn(self, agent: Agent) -> int:
        """What an agent does in its turn; the number arrested."""
        m, arrests = self.model, 0
        if agent.jail > 0:
            if m.jail_clock == "own_turn":
                self.serve(agent)
            return 0
        if agent.cell is None:
            return 0
        if m.order == "move_then_act":
            self.move(agent)
        if agent.officer:
            arrests = self.enforce(agent)
        else:
            self.decide(agent)
        if m.order == "act_then_move":
            self.move(agent)
        return arrests

    def end_of_step(self) -> None:
        for agent in self.agents:
            if agent.jail > 0 and self.model.jail_clock == "end_of_step":
                self.serve(agent)

    def totals(self, arrests: int) -> tuple[int, int, int]:
        return sum(a.active for a in self.agents), sum(a.jail > 0 for a in self.agents), arrests

    def go(self) -> tuple[int, int, int]:
        """One step; active, jailed, arrests."""
        self.step += 1
        arrests = 0
        for agent in sorted(self.agents, key=lambda a: draw(self.key, self.step, a.number, ORDER, 0)):
            arrests += self.turn(agent)
        self.end_of_step()
        return self.totals(arrests)

    def cells(self) -> list[int]:
        return [-1 if a.cell is None else a.cell[0] * self.model.columns + a.cell[1] for a in self.agents]
