"""Violence between two groups in plain Python: persons are objects, the grid is a dict, every draw the same hash."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from groundswell.models.agents.intergroup_violence import IntergroupViolence, Peoples
from tests.naive.civil_violence import draw, unit

ORDER, MOVE, SUSPECT, TERM, RETURN, VICTIM, BIRTH, CRADLE, LIFE_SPAN, HARDSHIP, RISK_AVERSION = range(11)


@dataclass(eq=False)
class Person:
    number: int
    cell: tuple[int, int] | None
    group: int
    life: int
    hardship: float
    risk_aversion: float
    active: bool = False
    jail: int = 0
    age: int = 0
    alive: bool = True


@dataclass
class Step:
    born: list[Person] = field(default_factory=list)
    killed: list[Person] = field(default_factory=list)
    died: int = 0
    arrests: int = 0


class Twin:
    def __init__(self, peoples: Peoples) -> None:
        self.model: IntergroupViolence = peoples.model
        self.key, self.step, self.newest = peoples.key, peoples.step, peoples.newest
        self.persons = []
        for number, row, traits in zip(peoples.number, peoples.persons.tolist(), peoples.traits.tolist(), strict=True):
            cell, group, active, jail, age, life = row
            where = None if cell < 0 else divmod(cell, peoples.model.columns)
            self.persons.append(Person(int(number), where, group, life, traits[0], traits[1], bool(active), jail, age))

    def around(self, person: Person, reach: float, shape: str) -> list[tuple[int, int]]:
        """Cells in view, in the order of rows and columns."""
        assert person.cell is not None
        whole, found = math.floor(reach), []
        for down in range(-whole, whole + 1):
            for right in range(-whole, whole + 1):
                apart = {
                    "disc": math.hypot(down, right), "diamond": abs(down) + abs(right),
                    "square": max(abs(down), abs(right)),
                }[shape]  # fmt: skip
                if apart <= reach:
                    row, column = person.cell
                    found.append(((row + down) % self.model.rows, (column + right) % self.model.columns))
        return found

    def standing(self, cell: tuple[int, int]) -> Person | None:
        return next((p for p in self.persons if p.alive and p.cell == cell), None)

    def cells(self) -> list[tuple[int, int]]:
        return [(row, column) for row in range(self.model.rows) for column in range(self.model.columns)]

    def in_view(self, person: Person) -> list[tuple[int, int]]:
        return self.around(person, self.model.vision_cells, self.model.neighbourhood)

    def seen(self, person: Person) -> list[Person]:
        found = [self.standing(cell) for cell in self.in_view(person)]
        return [p for p in found if p is not None and p is not person]

    def least(self, person: Person, purpose: int, among: list[tuple[int, object]]) -> object | None:
        """The one with the smallest ticket; each comes with the number its ticket is drawn by."""
        tickets = [(draw(self.key, self.step, person.number, purpose, k), one) for k, one in among]
        return min(tickets, key=lambda pair: pair[0])[1] if tickets else None

    def empty(self, person: Person, purpose: int, cells: list[tuple[int, int]]) -> tuple[int, int] | None:
        found = self.least(person, purpose, [(i, c) for i, c in enumerate(cells) if self.standing(c) is None])
        return found  # type: ignore[return-value]

    def chosen(self, person: Person, purpose: int, among: list[Person]) -> Person | None:
        return self.least(person, purpose, [(p.number, p) for p in among])  # type: ignore[return-value]

    def decide(self, person: Person) -> bool:
        model, seen = self.model, self.seen(person)
        officers = sum(p.group == 2 for p in seen)
        rebels = [p for p in seen if p.group != 2 and p.active]
        if model.counted == "own_group":
            rebels = [p for p in rebels if p.group == person.group]
        ratio = officers / (1 + len(rebels))
        ratio = {"raw": ratio, "floor": math.floor(ratio), "round": round(ratio)}[model.ratio]
        risk = person.risk_aversion * (1 - math.exp(-model.arrest_constant * ratio))
        return person.hardship * (1 - model.legitimacy) - risk > model.activation_threshold

    def turn(self, person: Person, done: Step) -> None:
        model = self.model
        person.cell = self.empty(person, MOVE, self.in_view(person)) or person.cell
        free = [p for p in self.seen(person) if p.group != 2 and p.jail == 0]
        if person.group == 2:
            suspect = self.chosen(person, SUSPECT, [p for p in free if p.active])
            if suspect is not None:
                term = int(unit(self.key, self.step, person.number, TERM, 0) * (model.max_jail_term + 1))
                suspect.active, suspect.jail = False, term
                if term and model.jailed == "off_grid":
                    suspect.cell = None
                done.arrests += 1
            return
        person.active = self.decide(person)
        if person.active:
            victim = self.chosen(person, VICTIM, [p for p in free if p.group != person.group])
            if victim is not None:
                victim.alive, victim.cell = False, None
                done.killed.append(victim)
        if unit(self.key, self.step, person.number, BIRTH, 0) < model.birth_probability:
            cell = self.empty(person, CRADLE, self.around(person, 1, "square"))
            if cell is not None:
                number, self.newest = self.newest, self.newest + 1
                life = 1 + int(unit(self.key, self.step, number, LIFE_SPAN, 0) * model.max_age)
                child = Person(number, cell, person.group, life, person.hardship, person.risk_aversion)
                if model.children == "draw":
                    child.hardship = unit(self.key, self.step, number, HARDSHIP, 0)
                    child.risk_aversion = unit(self.key, self.step, number, RISK_AVERSION, 0)
                self.persons.append(child)
                done.born.append(child)

    def go(self) -> dict[str, int]:
        """One step; the counts by series."""
        self.step += 1
        done = Step()
        for person in sorted(self.persons, key=lambda p: draw(self.key, self.step, p.number, ORDER, 0)):
            if person.alive and person.jail == 0:
                self.turn(person, done)
        self.persons = [p for p in self.persons if p.alive]
        for person in list(self.persons):
            if person.jail:
                self.serve(person)
            if person.group != 2:
                person.age += person not in done.born
                if person.age >= person.life:
                    person.alive = False
                    person.cell = None
                    done.died += 1
        self.persons = [p for p in self.persons if p.alive]
        citizens = [p for p in self.persons if p.group != 2]
        return {
            "first": sum(p.group == 0 for p in citizens),
            "second": sum(p.group == 1 for p in citizens),
            "active": sum(p.active for p in citizens),
            "jailed": sum(p.jail > 0 for p in citizens),
            "killed_first": sum(p.group == 0 for p in done.killed),
            "killed_second": sum(p.group == 1 for p in done.killed),
            "born": len(done.born),
            "died": done.died,
            "arrests": done.arrests,
        }

    def serve(self, person: Person) -> None:
        person.jail -= 1
        if person.jail or person.cell is not None:
            return
        empty = [cell for cell in self.cells() if self.standing(cell) is None]
        if not empty:
            person.jail = 1
            return
        person.cell = empty[int(unit(self.key, self.step, person.number, RETURN, 0) * len(empty))]


class NetworkTwin(Twin):
    """The same on the nodes of a network; a cell is (node, 0)."""

    def __init__(self, peoples: Peoples) -> None:
        super().__init__(peoples)
        assert peoples.model.ties is not None
        graph = peoples.model.ties.graph
        self.near = [graph.near(node).tolist() for node in range(len(graph))]
        for person, cell in zip(self.persons, peoples.persons[:, 0].tolist(), strict=True):
            person.cell = None if cell < 0 else (cell, 0)

    def around(self, person: Person, reach: float, shape: str) -> list[tuple[int, int]]:
        assert person.cell is not None
        found = {person.cell[0]}
        for _ in range(math.floor(reach)):
            found |= {other for node in found for other in self.near[node]}
        return [(node, 0) for node in sorted(found)]

    def in_view(self, person: Person) -> list[tuple[int, int]]:
        assert self.model.ties is not None
        return self.around(person, self.model.ties.vision_ties, "ties")

    def cells(self) -> list[tuple[int, int]]:
        return [(node, 0) for node in range(len(self.near))]
