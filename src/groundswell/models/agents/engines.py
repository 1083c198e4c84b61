"""Two ways to take a crowd through its steps: one order for the whole grid, or tile by tile on several threads.

An engine is made from a crowd, takes steps in place, and gives the crowd as it is then. In tiles the grid is cut
afresh each step at a keyed random place, and the tiles have four colours like a map of squares whose neighbours, at
the corners too, differ. Colours follow each other in keyed order. A turn touches no more than 3 v cells around where it
began (`_civil_tile_loops.py`), and tiles of one colour lie at least 6 v + 1 cells apart, so their turns cannot meet:
whoever works on them, and in which order, the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from groundswell.errors import GroundswellError, UsageError
from groundswell.models.agents import _civil_tile_loops as tile_loops
from groundswell.models.agents import _civil_violence_loops as loops
from groundswell.models.agents import _keyed_loops as keyed
from groundswell.models.agents import _word_loops as word_loops
from groundswell.models.agents.alone import check_steps
from groundswell.models.agents.civil_violence import CHOICES, CivilViolence, tiles_across
from groundswell.models.agents.grid import nearest_whole

if TYPE_CHECKING:
    from groundswell.models.agents.crowd import Crowd

AGENT_STEPS_AT_ONCE = 2_000_000
"""Work between two looks at the keyboard: about a quarter of a second."""

TABLE = 256
"""Officers and active agents in view up to which the risk is tabulated; some 40,000 different ratios."""

ROOM = 1.5
"""Counts of who is seen have room for so many agents a cell; more share cells only by accident, which is an error."""


def rules_of(model: CivilViolence) -> loops.Rules:
    """The model as the loops want it; a person who is a node stays there in jail too, whatever the rule."""
    persons = model.ties is not None and model.ties.nodes == "persons"
    return loops.Rules(
        rows=model.rows,
        columns=model.columns,
        illegitimacy=1.0 - float(model.legitimacy),
        threshold=float(model.activation_threshold),
        arrest_constant=float(model.arrest_constant),
        max_jail_term=float(model.max_jail_term),
        ratio=CHOICES["ratio"].index(model.ratio),
        again_if_active=model.own_count == "again_if_active",
        jailed=loops.KEEPS_CELL if persons else CHOICES["jailed"].index(model.jailed),
        officer_moves=model.officer_after_arrest == "moves",
        up_to_max=float(model.jail_term == "up_to_max"),
        act_first=model.order == "act_then_move",
        own_turn=model.jail_clock == "own_turn",
        persons=persons,
        anywhere=model.ties is not None and model.ties.patrol == "anywhere",
    )


class OneOrder:
    """One agent after another in one keyed order over the whole grid or network, on one thread."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd, ties = crowd, crowd.model.ties
        self._around = np.column_stack(crowd.model.offsets()) if ties is None else ties.views()

    def advance(self, totals: np.ndarray) -> None:
        """Take len(totals) steps; totals (T, 3) gets active, jailed and arrests of each."""
        crowd, model = self.crowd, self.crowd.model
        none = np.full(len(crowd.cell), -1)
        agents = np.column_stack([crowd.cell, crowd.jail, crowd.active, none]).astype(np.int32)
        cells = np.zeros((model.cells, 4), np.int32)
        rules = rules_of(model)
        traits = np.column_stack([crowd.hardship * rules.illegitimacy, crowd.risk_aversion])
        loops.advance(agents, cells, traits, self._around, rules, np.uint64(crowd.key), crowd.step + 1, totals)
        cell, jail, active, _ = agents.T
        step = crowd.step + len(totals)
        self.crowd = replace(crowd, step=step, cell=cell.copy(), jail=jail.copy(), active=active != 0)


class Tiles:
    """Tile by tile; the same bits on any number of threads. Some 30 bytes an agent beside the crowd."""

    def __init__(self, crowd: Crowd, spread: Spread) -> None:
        if len(crowd.cell) > word_loops.WHO:
            raise UsageError(f"Crowd has {len(crowd.cell)} agents; tiles can number {word_loops.WHO} at most.")
        self._start, self._spread, self.step = crowd, spread, crowd.step
        model, cells = crowd.model, crowd.model.rows * crowd.model.columns
        self._rules = rules_of(model)
        down, right = model.offsets()
        self._torus = tile_loops.Torus(model.rows, model.columns, int(down.max()))
        self._around = np.column_stack([down, right, down * model.columns + right])
        self._runs = _runs(down, right, model.columns)
        self._risks, self._level = levels(self._rules, min(TABLE, len(down) + 2))
        self._first = np.empty(cells, np.int64)
        self._following = np.empty(len(crowd.cell), np.int64)
        self._agents = np.stack([crowd.jail, crowd.cell]).astype(np.int32)
        self._seen = np.zeros((2, cells), np.uint8 if ROOM * len(down) < 256 else np.uint16)
        self._turn = 0
        overflow = tile_loops.fill(
            self._first, self._following, self._agents, self._seen, crowd.active, crowd.hardship, crowd.risk_aversion,
            self._risks, self._around, self._runs, self._torus, self._rules, self._turn,
        )  # fmt: skip
        self._check(overflow)
        self._active, self._jailed = int(crowd.active.sum()), int((crowd.jail > 0).sum())

    def advance(self, totals: np.ndarray) -> None:
        """Take len(totals) steps; totals (T, 3) gets active, jailed and arrests of each."""
        for row in totals:
            self.step += 1
            now = np.uint64(keyed.step_key(np.uint64(self._start.key), self.step))
            self._turn ^= word_loops.TURN
            arrests = 0
            for tiles in colours(self._start.model, now):
                active, jailed, arrested, overflow = self._act(now, tiles)
                self._check(overflow)
                self._active, self._jailed, arrests = self._active + active, self._jailed + jailed, arrests + arrested
            if not self._rules.own_turn:
                self._jailed -= tile_loops.end_terms(
                    self._first, self._following, self._agents, self._start.hardship, self._start.risk_aversion,
                    self._risks, self._rules, now, self._turn,
                )  # fmt: skip
            row[:] = self._active, self._jailed, arrests

    @property
    def crowd(self) -> Crowd:
        """The crowd as it is now, in arrays of its own."""
        active = np.empty(len(self._start.cell), dtype=bool)
        tile_loops.read_out(self._first, self._following, self._agents, active)
        jail, cell = self._agents.copy()
        return replace(self._start, step=self.step, cell=cell, jail=jail, active=active)

    def _act(self, now: np.uint64, tiles: np.ndarray) -> list[int]:
        tallies = np.zeros((len(tiles), 4), np.int64)

        def act(part: slice) -> None:
            tile_loops.act(
                self._first, self._following, self._agents, self._seen, self._start.hardship,
                self._start.risk_aversion, self._level, self._around, self._runs, self._torus, self._rules, now,
                self._turn, tiles[part], tallies[part],
            )  # fmt: skip

        self._spread(act, len(tiles))
        return tallies.sum(0).tolist()

    def _check(self, overflow: int) -> None:
        if overflow:
            raise GroundswellError(
                f"CivilViolence in tiles met more than {np.iinfo(self._seen.dtype).max} officers or active agents "
                f"within vision of one cell in step {self.step}, so many share cells, and cannot count them. Use "
                'activation="global", or a rule by which jailed agents do not share cells.'
            )


def advance(
    crowd: Crowd, steps: int, *, watched: bool, threads: int = 1
) -> Iterator[tuple[np.ndarray, Callable[[], Crowd]]]:
    """Take steps in blocks, of one step if `watched`: yields totals (T, 3), as engines count, and the crowd on call.

    Where a course moves a number, a block is a step, and an engine is made anew for each other model.
    """
    check(steps, threads)
    model = crowd.model
    moves = model.legitimacy_course is not None or model.officers_course is not None
    at_once = 1 if watched or moves else max(1, AGENT_STEPS_AT_ONCE // max(1, len(crowd.cell)))
    engine, current = None, None
    with workers(threads) as spread:
        for first in range(0, steps, at_once):
            now = model.at(crowd.step + first + 1)
            if engine is None or now != current:
                start = _on_duty(crowd if engine is None else engine.crowd, model, now)
                engine, current = Tiles(start, spread) if now.activation == "tiles" else OneOrder(start), now
            totals = np.zeros((min(at_once, steps - first), 3), np.int64)
            engine.advance(totals)
            yield totals, partial(_as_it_is, engine, model)


def _as_it_is(engine: OneOrder | Tiles, model: CivilViolence) -> Crowd:
    return replace(engine.crowd, model=model)


def _on_duty(crowd: Crowd, planned: CivilViolence, now: CivilViolence) -> Crowd:
    """The crowd under the model of one step, with the officers whom it withdraws off the grid."""
    cell, citizens = crowd.cell, len(crowd.hardship)
    if planned.officers_course is not None and planned.officer_density > 0:
        share = now.officer_density / planned.officer_density
        cell = cell.copy()
        cell[citizens + nearest_whole((len(cell) - citizens) * share) :] = -1
    return replace(crowd, model=now, cell=cell)


Spread = Callable[[Callable[[slice], None], int], Any]
"""Does work(part) for parts that make up range(count), on as many threads as it likes."""


def alone(work: Callable[[slice], None], count: int) -> None:
    """All of it on this thread."""
    work(slice(0, count))


def over(map_: Callable[[Callable[[slice], None], Iterable[slice]], Iterable[None]], threads: int) -> Spread:
    """Eight parts a thread, handed out by a pool's `map`: whoever is done first takes the next."""

    def spread(work: Callable[[slice], None], count: int) -> None:
        size = -(-count // (8 * threads))
        list(map_(work, [slice(begin, begin + size) for begin in range(0, count, size)]))

    return spread


@contextmanager
def workers(threads: int) -> Iterator[Spread]:
    """How an engine spreads its work over threads."""
    if threads == 1:
        yield alone
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        yield over(pool.map, threads)


def colours(model: CivilViolence, now: np.uint64) -> list[np.ndarray]:
    """Tiles of a step, (n, 4) top, left, height, width, of each colour, in the order in which they act."""
    top, heights = _bands(model.rows, model.vision_cells, keyed.unit(now, 0, loops.TILES, 0))
    left, widths = _bands(model.columns, model.vision_cells, keyed.unit(now, 0, loops.TILES, 1))
    order = sorted(range(4), key=lambda colour: keyed.draw(now, 0, loops.TILES, 2 + colour))
    found = []
    for down, right in (divmod(colour, 2) for colour in order):
        grid = np.ix_(range(down, len(top), 2), range(right, len(left), 2))
        i, j = np.broadcast_arrays(*grid)
        found.append(np.stack([top[i], left[j], heights[i], widths[j]], axis=-1).reshape(-1, 4))
    return found


def _bands(length: int, vision_cells: float, origin: float) -> tuple[np.ndarray, np.ndarray]:
    """Where bands of tiles begin along a side of the grid, and how wide they are: an even number of about one width."""
    count = tiles_across(length, vision_cells)
    edges = np.arange(count + 1) * length // count
    return (edges[:-1] + int(origin * length)) % length, np.diff(edges)


def levels(rules: loops.Rules, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Arrest probabilities in rising order, and which of them goes with (officers, actives) in view, up to `most`."""
    officers, actives = np.mgrid[:most, :most]
    actives = np.maximum(actives, 1)  # oneself is always counted
    ratio = officers / actives
    if rules.ratio != loops.RAW:
        ratio = np.floor(ratio) if rules.ratio == loops.FLOOR else np.rint(ratio)
    _, example, level = np.unique(ratio, return_index=True, return_inverse=True)
    risks = tile_loops.tabulate(officers.ravel()[example], actives.ravel()[example], rules)
    return risks, level.reshape(most, most).astype(np.uint16)


def _runs(down: np.ndarray, right: np.ndarray, columns: int) -> np.ndarray:
    """Rows of the neighbourhood, which have no gaps: (n, 2) distance of the first cell in the flat grid, and length."""
    rows = np.unique(down)
    return np.array([[row * columns + right[down == row].min(), (down == row).sum()] for row in rows], np.int64)


def check(steps: int, threads: int) -> None:
    """UsageError unless both are whole numbers that can be meant."""
    check_steps(steps)
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise UsageError(f"threads is {threads!r}; expected a whole number, 1 or more.")
