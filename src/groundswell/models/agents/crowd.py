"""A crowd on its grid or network at one moment, and how it goes on: run, watch, save, resume, branch.

A crowd is a value. Running it returns another one; stopping, recording or saving on the way
changes nothing, because every draw is a hash of (key, step, agent, purpose, k). Two crowds with
one key share their luck, so a scenario is `dataclasses.replace(crowd, model=other)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from groundswell.data.summaries import outbursts as starts_above
from groundswell.errors import DataError, UsageError
from groundswell.models.agents import _civil_violence_loops as loops
from groundswell.models.agents import _keyed_loops as keyed
from groundswell.models.agents.civil_violence import CivilViolence, Course
from groundswell.models.agents.engines import advance, check
from groundswell.models.agents.grid import nearest_whole
from groundswell.models.agents.saved import read_moment, write_moment
from groundswell.models.agents.ties import Ties
from groundswell.rng import hash_key

Record = Literal["none", "totals", "frames", "agents"]

EMPTY, QUIET, ACTIVE, JAILED, OFFICER = range(5)
"""What a frame shows in a cell; of several agents in one cell, the highest of these but jailed, which is lowest."""

STATES = ("empty", "quiet", "active", "jailed", "officer")
"""Their names, in that order."""

FORMAT = 1
"""Of saved crowds; raised when the meaning of a file or of a draw changes."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """N agents, citizens first and then officers, after `step` steps under `key`.

    cell : (N,) row * columns + column, or the number of a node, -1 off the grid: in jail, or an officer who has been
        withdrawn. Where the model has ties, they are drawn: its network is a GivenGraph, which scenarios keep.
    active : (N,) bool. jail : (N,) steps left. hardship, risk_aversion : (citizens,) in [0, 1).
    """

    model: CivilViolence
    key: int
    step: int
    cell: np.ndarray
    active: np.ndarray
    jail: np.ndarray
    hardship: np.ndarray
    risk_aversion: np.ndarray

    def __post_init__(self) -> None:
        shapes = {name: getattr(self, name).shape for name in ("cell", "active", "jail")}
        agents, citizens = len(self.cell), len(self.hardship)
        if set(shapes.values()) != {(agents,)} or self.risk_aversion.shape != (citizens,) or citizens > agents:
            raise DataError(f"Crowd arrays disagree about the number of agents: {shapes}, {citizens} citizens.")
        ties = self.model.ties
        cells = self.model.cells if ties is None else len(ties.graph)
        if agents and not (self.cell.min() >= -1 and self.cell.max() < cells and self.jail.min() >= 0):
            room = f"{self.model.rows} x {self.model.columns} grid" if ties is None else f"network of {cells} nodes"
            raise DataError(
                f"Crowd has an agent outside the {room} or a negative jail term; a scenario may change rules and "
                "numbers, not the grid, and have other ties among as many nodes."
            )
        if self.jail[citizens:].any() or self.active[citizens:].any():
            raise DataError("Crowd has an officer jailed or active; only citizens can be.")
        if (self.active & (self.jail > 0)).any():
            raise DataError("Crowd has an agent who is both active and in jail; an arrest ends the activity.")
        away = self.cell[:citizens] < 0
        stays = self.model.jailed != "off_grid" or (ties is not None and ties.nodes == "persons")
        if away.any() and (stays or (self.jail[:citizens][away] == 0).any()):
            raise DataError(
                'Crowd has agents off the grid who are not jailed under jailed="off_grid", or are nodes of a network.'
            )

    def states(self) -> np.ndarray:
        """(N,) uint8 QUIET, ACTIVE, JAILED or OFFICER by agent; EMPTY for an officer who has been withdrawn."""
        citizens = len(self.hardship)
        state = np.where(self.jail > 0, JAILED, np.where(self.active, ACTIVE, QUIET)).astype(np.uint8)
        state[citizens:] = np.where(self.cell[citizens:] >= 0, OFFICER, EMPTY)
        return state

    def frame(self) -> np.ndarray:
        """(rows, columns) uint8 picture: EMPTY, QUIET, ACTIVE, JAILED or OFFICER in each cell.

        Of a network: its nodes by number, row by row, the last row filled up with EMPTY.
        """
        rows, columns = self.model.picture
        picture, state = np.zeros(rows * columns, np.uint8), self.states()
        for shown in (JAILED, QUIET, ACTIVE, OFFICER):
            picture[self.cell[(state == shown) & (self.cell >= 0)]] = shown
        return picture.reshape(rows, columns)

    def save(self, path: Path | str) -> None:
        """Write the crowd as an .npz file, whole or not at all."""
        write_moment(
            path,
            FORMAT,
            key=np.uint64(self.key),
            step=self.step,
            **{f"array_{name}": getattr(self, name) for name in _ARRAYS},
            **{f"model_{name}": value for name, value in _settings(self.model).items()},
            **({} if self.model.ties is None else self.model.ties.held()),
        )


def _settings(model: CivilViolence) -> dict[str, Any]:
    """Every field that is set but the ties, as a plain value, a course as its three numbers."""
    given = {field.name: getattr(model, field.name) for field in fields(model) if field.name != "ties"}
    return {
        name: astuple(value) if isinstance(value, Course) else value
        for name, value in given.items()
        if value is not None
    }


_ARRAYS = ("cell", "active", "jail", "hardship", "risk_aversion")


def load(path: Path | str) -> Crowd:
    """A crowd that `Crowd.save` wrote; DataError for anything else, or for another format."""
    saved = read_moment(path, Crowd, FORMAT)
    try:
        settings: dict[str, Any] = {
            name[6:]: Course(*value.tolist()) if value.ndim else value.item()
            for name, value in saved.items()
            if name.startswith("model_")
        }
        arrays = {name: saved[f"array_{name}"] for name in _ARRAYS}
        return Crowd(CivilViolence(**settings, ties=Ties.of(saved)), int(saved["key"]), int(saved["step"]), **arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no saved crowd: {error} is missing or unknown.") from error


@dataclass(frozen=True, eq=False)
class Tracks:
    """Some agents followed by number.

    agent : (n,). state, as a frame shows it, and cell, -1 off the grid : (T + 1, n), the first before the first step.
    An officer who has been withdrawn is EMPTY.
    """

    agent: np.ndarray
    state: np.ndarray
    cell: np.ndarray


@dataclass(frozen=True, eq=False)
class Run:
    """What happened between two crowds.

    crowd : at the end. series : active, jailed, quiet, arrests, each (T,), at the end of each step.
    frames : (T + 1, rows, columns) uint8, the first before the first step, or None; see `Crowd.frame`.
    tracks : of the agents that were to be followed, or None.
    """

    crowd: Crowd
    series: Mapping[str, np.ndarray]
    frames: np.ndarray | None = None
    tracks: Tracks | None = None


def populate(model: CivilViolence, *, rng: np.random.Generator) -> Crowd:
    """A crowd before its first step; draws nothing but its 64-bit key from `rng`."""
    key = hash_key(rng)
    if model.ties is not None:
        model = replace(model, ties=model.ties.drawn(key))
    start = np.uint64(keyed.step_key(key, 0))
    citizens, officers = _placed(model, start)
    cell = np.concatenate([citizens, officers])
    return Crowd(
        model,
        int(key),
        0,
        cell.astype(np.int32),
        np.zeros(len(cell), dtype=bool),
        np.zeros(len(cell), dtype=np.int32),
        keyed.units(start, len(citizens), loops.HARDSHIP),
        keyed.units(start, len(citizens), loops.RISK_AVERSION),
    )


def _placed(model: CivilViolence, start: np.uint64) -> tuple[np.ndarray, np.ndarray]:
    """Cells of the citizens and of the officers at the start. Citizens who are nodes are numbered as these are."""
    cells, beside = model.cells, model.ties is not None and model.ties.nodes == "persons"
    if model.placement == "counts":
        officers = nearest_whole(model.officer_density * cells)
        citizens = min(nearest_whole(model.citizen_density * cells), cells - (0 if beside else officers))
        shuffled = keyed.keyed_order(start, cells, loops.PLACE)
        if beside:
            return np.sort(shuffled[:citizens]), keyed.keyed_order(start, cells, loops.POST)[:officers]
        return shuffled[officers : officers + citizens], shuffled[:officers]
    chance = keyed.units(start, cells, loops.PLACE)
    if beside:
        other = keyed.units(start, cells, loops.POST)
        return np.flatnonzero(chance < model.citizen_density), np.flatnonzero(other < model.officer_density)
    both = model.citizen_density + model.officer_density
    return (
        np.flatnonzero(chance < model.citizen_density),
        np.flatnonzero((chance >= model.citizen_density) & (chance < both)),
    )


def run(
    crowd: Crowd,
    steps: int,
    *,
    record: Record = "totals",
    agents: np.ndarray | None = None,
    threads: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> Run:
    """Take `steps` steps; the same crowd goes the same way whatever is recorded, on any number of threads.

    record : "none", the "totals" of each step, "frames" as well (steps + 1 bytes a cell), or "agents" as well, those
        whose numbers `agents` lists, or all (5 bytes an agent and step). `recording.record` writes long runs to a file.
    threads : for a model with activation="tiles"; one order over the whole grid keeps to one.
    Cost about 0.6 ms a step on 40 x 40; Ctrl-C stops between blocks of steps and loses nothing but the run.
    """
    if record not in get_args(Record):
        raise UsageError(f'record is {record!r}; expected "none", "totals", "frames" or "agents".')
    watched = record in ("frames", "agents")
    chosen = numbers_of(agents, crowd) if record == "agents" else np.zeros(0, np.int64)

    def seen(crowd: Crowd) -> tuple[np.ndarray, ...]:
        return (crowd.frame(),) if record == "frames" else (crowd.states()[chosen], crowd.cell[chosen])

    totals, views = [np.zeros((0, 3), np.int64)], [seen(crowd)]
    last: Callable[[], Crowd] = partial(replace, crowd)
    for block, last in advance(crowd, steps, watched=watched, threads=threads):
        totals.append(block)
        if watched:
            views.append(seen(last()))
        if progress is not None:
            taken = sum(map(len, totals))
            progress(taken / steps, f"step {crowd.step + taken}")
    stacked = [np.stack(parts) for parts in zip(*views, strict=True)]
    return Run(
        last(),
        {} if record == "none" else series_of(crowd, np.concatenate(totals)),
        stacked[0] if record == "frames" else None,
        Tracks(chosen, *stacked) if record == "agents" else None,
    )


def run_many(crowds: Iterable[Crowd], steps: int, *, threads: int = 1, record: Record = "totals") -> list[Run]:
    """`run` for each of many crowds, of other seeds or other parameters, several at once; each as if run alone.

    The way to use threads on small grids, whose agents take their turns in one order.
    """
    check(steps, threads)
    if threads == 1:
        return [run(crowd, steps, record=record) for crowd in crowds]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda crowd: run(crowd, steps, record=record), crowds))


def series_of(crowd: Crowd, totals: np.ndarray) -> dict[str, np.ndarray]:
    """The named series of a run's totals, (T, 3)."""
    active, jailed, arrests = totals.T
    named = {"active": active, "jailed": jailed, "quiet": len(crowd.hardship) - active - jailed, "arrests": arrests}
    return {name: values.astype(float) for name, values in named.items()}


def numbers_of(agents: np.ndarray | None, crowd: Crowd) -> np.ndarray:
    """The numbers of the agents to be followed, all if None; UsageError for a number that no agent has."""
    everyone = np.arange(len(crowd.cell))
    if agents is None:
        return everyone
    chosen = np.asarray(agents)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or not np.isin(chosen, everyone).all():
        raise UsageError(
            f"agents is {agents!r}; expected whole numbers from 0 to {len(everyone) - 1}, officers after citizens."
        )
    return chosen


def outbursts(active: np.ndarray, above: float = 50) -> np.ndarray:
    """Steps at which `active` first exceeds `above`, counted from 0; an outburst lasts until it no longer does.

    above : 50 is of the published 40 x 40 cells; a model says how many it is on its own, `model.outburst_above`.
    An outburst under way at the first step has no start and is left out. The waiting times are
    the differences of these starts, `numpy.diff(outbursts(...))`.
    """
    return starts_above(active, above)
