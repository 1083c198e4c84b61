"""Civil violence in tiles, in plain Python: the same turns as `civil_violence.Twin`, in the order of the tiles.

It also writes down which cells a tile's turns look at and change, by what they do and not by what the engine says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from groundswell.models.agents.crowd import Crowd
from tests.naive.civil_violence import MOVE, ORDER, TRIES, Agent, Twin, draw, unit

TILES = 8
Cell = tuple[int, int]


@dataclass
class Tile:
    """Rows and columns of a tile, and what its turns looked at and changed."""

    rows: list[int]
    columns: list[int]
    read: set[Cell] = field(default_factory=set)
    written: set[Cell] = field(default_factory=set)

    def holds(self, cell: Cell | None) -> bool:
        return cell is not None and cell[0] in self.rows and cell[1] in self.columns


def bands(length: int, side: int, origin: int) -> list[list[int]]:
    """An even number of bands, each as wide as `side` at least."""
    count = length // side - length // side % 2
    edges = [i * length // count for i in range(count + 1)]
    return [[(origin + x) % length for x in range(edges[i], edges[i + 1])] for i in range(count)]


class TiledTwin(Twin):
    def __init__(self, crowd: Crowd) -> None:
        super().__init__(crowd)
        self.tile = Tile([], [])
        self.colours: list[list[Tile]] = []

    def around(self, cell: Cell) -> list[Cell]:
        found = super().around(cell)
        self.tile.read |= set(found)
        return found

    def tries(self, agent: Agent, cells: list[Cell]) -> Iterator[Cell]:
        """Two from each draw, by its upper and its lower half."""
        for k in range(TRIES // 2):
            bits = draw(self.key, self.step, agent.number, MOVE, k)
            for half in (bits >> 32, bits % 2**32):
                yield cells[half * len(cells) >> 32]

    def presence(self) -> list[tuple[Cell | None, bool, bool]]:
        """Where everyone is, whether it is seen as active, and whether it blocks."""
        return [(a.cell, a.active, a.jail == 0 or self.model.jailed == "keeps_cell") for a in self.agents]

    def tiles(self) -> list[list[Tile]]:
        """The tiles of each colour, in the order of the colours."""
        m = self.model
        side = 6 * int(m.vision_cells) + 1
        across = bands(m.rows, side, int(unit(self.key, self.step, 0, TILES, 0) * m.rows))
        along = bands(m.columns, side, int(unit(self.key, self.step, 0, TILES, 1) * m.columns))
        order = sorted(range(4), key=lambda colour: draw(self.key, self.step, 0, TILES, 2 + colour))
        return [
            [
                Tile(across[i], along[j])
                for i in range(len(across))
                for j in range(len(along))
                if 2 * (i % 2) + j % 2 == colour
            ]
            for colour in order
        ]

    def go(self) -> tuple[int, int, int]:
        """One step; active, jailed, arrests."""
        self.step += 1
        arrests, done = 0, set()
        self.colours = self.tiles()
        for colour in self.colours:
            for tile in colour:
                self.tile = tile
                waiting = [a for a in self.agents if tile.holds(a.cell) and a.number not in done]
                done |= {a.number for a in waiting}
                for agent in sorted(waiting, key=lambda a: draw(self.key, self.step, a.number, ORDER, 0)):
                    before = self.presence()
                    arrests += self.turn(agent)
                    self.note(before)
        self.tile = Tile([], [])
        self.end_of_step()
        return self.totals(arrests)

    def note(self, before: list[tuple[Cell | None, bool, bool]]) -> None:
        """Cells that hold something else now, and all from where an officer or active agent is seen or no longer is."""
        for agent, old, new in zip(self.agents, before, self.presence(), strict=True):
            if old == new:
                continue
            for cell, active, _ in (old, new):
                if cell is not None:
                    self.tile.written.add(cell)
                    if active or agent.officer:
                        self.tile.written |= set(super().around(cell))
