"""A crowd on its grid at one moment, and how it goes on: run, watch, save, resume, branch.

A crowd is a value. Running it returns another one; stopping, recording or saving on the way
changes nothing, because every draw is a hash of (key, step, agent, purpose, k). Two crowds with
one key share their luck, so a scenario is `dataclasses.replace(crowd, model=other)`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from groundswell.data.files import replacing_file
from groundswell.errors import DataError, UsageError
from groundswell.models.agents import _civil_violence_loops as loops
from groundswell.models.agents import _keyed_loops as keyed
from groundswell.models.agents.civil_violence import CHOICES, CivilViolence, settings_of
from groundswell.rng import hash_key

EMPTY, QUIET, ACTIVE, JAILED, OFFICER = range(5)
"""What a frame shows in a cell; of several agents in one cell, the highest of these but jailed, which is lowest."""

STATES = ("empty", "quiet", "active", "jailed", "officer")
"""Their names, in that order."""

FORMAT = 1
"""Of saved crowds; raised when the meaning of a file or of a draw changes."""

AGENT_STEPS_AT_ONCE = 2_000_000
"""Work between two looks at the keyboard: about a quarter of a second."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """N agents, citizens first and then officers, after `step` steps under `key`.

    cell : (N,) row * columns + column, -1 off the grid. active : (N,) bool. jail : (N,) steps left.
    hardship, risk_aversion : (citizens,) in [0, 1).
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
        cells = self.model.rows * self.model.columns
        if agents and not (self.cell.min() >= -1 and self.cell.max() < cells and self.jail.min() >= 0):
            raise DataError(
                f"Crowd has an agent outside the {self.model.rows} x {self.model.columns} grid or a negative "
                "jail term; a scenario may change rules and numbers, not the grid."
            )
        if (self.cell[citizens:] < 0).any() or self.jail[citizens:].any() or self.active[citizens:].any():
            raise DataError("Crowd has an officer off the grid, jailed or active; only citizens can be.")
        away = self.cell[:citizens] < 0
        if away.any() and (self.model.jailed != "off_grid" or (self.jail[:citizens][away] == 0).any()):
            raise DataError('Crowd has agents off the grid who are not jailed under jailed="off_grid".')

    def frame(self) -> np.ndarray:
        """(rows, columns) uint8 picture: EMPTY, QUIET, ACTIVE, JAILED or OFFICER in each cell."""
        picture = np.zeros(self.model.rows * self.model.columns, np.uint8)
        citizens = len(self.hardship)
        cell, jail, active = self.cell[:citizens], self.jail[:citizens], self.active[:citizens]
        picture[cell[(jail > 0) & (cell >= 0)]] = JAILED
        picture[cell[(jail == 0) & ~active]] = QUIET
        picture[cell[active]] = ACTIVE
        picture[self.cell[citizens:]] = OFFICER
        return picture.reshape(self.model.rows, self.model.columns)

    def save(self, path: Path | str) -> None:
        """Write the crowd as an .npz file, whole or not at all."""
        with replacing_file(Path(path)) as temporary, temporary.open("wb") as out:
            np.savez_compressed(
                out,
                format=FORMAT,
                key=np.uint64(self.key),
                step=self.step,
                **{f"array_{name}": getattr(self, name) for name in _ARRAYS},
                **{f"model_{name}": value for name, value in settings_of(self.model).items()},
            )


_ARRAYS = ("cell", "active", "jail", "hardship", "risk_aversion")


def load(path: Path | str) -> Crowd:
    """A crowd that `Crowd.save` wrote; DataError for anything else, or for another format."""
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as held:
            saved = {name: held[name] for name in held.files}
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; expected a crowd saved with Crowd.save().") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is no saved crowd, or a damaged one ({error}). Save it again.") from error
    version = int(saved.get("format", 0))
    if version != FORMAT:
        raise DataError(
            f"{path} has format {version}; this version reads format {FORMAT}. "
            "Continue the run with the version that saved it."
        )
    try:
        settings = {name[6:]: value.item() for name, value in saved.items() if name.startswith("model_")}
        arrays = {name: saved[f"array_{name}"] for name in _ARRAYS}
        return Crowd(CivilViolence(**settings), int(saved["key"]), int(saved["step"]), **arrays)
    except (KeyError, TypeError) as error:
        raise DataError(f"{path} is no saved crowd: {error} is missing or unknown.") from error


@dataclass(frozen=True, eq=False)
class Run:
    """What happened between two crowds.

    crowd : at the end. series : active, jailed, quiet, arrests, each (T,), at the end of each step.
    frames : (T + 1, rows, columns) uint8, the first before the first step, or None; see `Crowd.frame`.
    """

    crowd: Crowd
    series: Mapping[str, np.ndarray]
    frames: np.ndarray | None = None


def populate(model: CivilViolence, *, rng: np.random.Generator) -> Crowd:
    """A crowd before its first step; draws nothing but its 64-bit key from `rng`."""
    key = hash_key(rng)
    start = np.uint64(keyed.step_key(key, 0))
    cells = model.rows * model.columns
    if model.placement == "counts":
        officers = _nearest_whole(model.officer_density * cells)
        citizens = min(_nearest_whole(model.citizen_density * cells), cells - officers)
        shuffled = keyed.keyed_order(start, cells, loops.PLACE)
        cell = np.concatenate([shuffled[officers : officers + citizens], shuffled[:officers]])
    else:
        chance = keyed.units(start, cells, loops.PLACE)
        both = model.citizen_density + model.officer_density
        held = [np.flatnonzero(chance < model.citizen_density)]
        held.append(np.flatnonzero((chance >= model.citizen_density) & (chance < both)))
        citizens, cell = len(held[0]), np.concatenate(held)
    return Crowd(
        model,
        int(key),
        0,
        cell.astype(np.int32),
        np.zeros(len(cell), dtype=bool),
        np.zeros(len(cell), dtype=np.int32),
        keyed.units(start, citizens, loops.HARDSHIP),
        keyed.units(start, citizens, loops.RISK_AVERSION),
    )


def run(
    crowd: Crowd,
    steps: int,
    *,
    record: Literal["none", "totals", "frames"] = "totals",
    progress: Callable[[float, str], None] | None = None,
) -> Run:
    """Take `steps` steps; the same crowd goes the same way whatever is recorded.

    record : "none", the "totals" of each step, or "frames" as well (steps + 1 bytes a cell).
    Cost about 0.1 ms a step on 40 x 40; Ctrl-C stops between blocks of steps and loses nothing
    but the run.
    """
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 0:
        raise UsageError(f"steps is {steps!r}; expected a whole number, 0 or more.")
    if record not in ("none", "totals", "frames"):
        raise UsageError(f'record is {record!r}; expected "none", "totals" or "frames".')
    block = 1 if record == "frames" else max(1, AGENT_STEPS_AT_ONCE // max(1, len(crowd.cell)))
    totals = np.zeros((steps, 3), np.int64)
    frames = [crowd.frame()] if record == "frames" else []
    for first in range(0, steps, block):
        crowd = _advance(crowd, totals[first : first + block])
        if record == "frames":
            frames.append(crowd.frame())
        if progress is not None:
            progress(min(1.0, (first + block) / steps), f"step {crowd.step}")
    active, jailed, arrests = totals.T
    named = {"active": active, "jailed": jailed, "quiet": len(crowd.hardship) - active - jailed, "arrests": arrests}
    return Run(
        crowd,
        {} if record == "none" else {name: values.astype(float) for name, values in named.items()},
        np.stack(frames) if frames else None,
    )


def outbursts(active: np.ndarray, above: float = 50) -> np.ndarray:
    """Steps at which `active` first exceeds `above`, counted from 0; an outburst lasts until it no longer does.

    An outburst under way at the first step has no start and is left out. The waiting times are
    the differences of these starts, `numpy.diff(outbursts(...))`.
    """
    high = np.asarray(active) > above
    return np.flatnonzero(high[1:] & ~high[:-1]) + 1


def _advance(crowd: Crowd, totals: np.ndarray) -> Crowd:
    """Fill totals, (T, 3) active, jailed and arrests, and return the crowd T steps on."""
    model = crowd.model
    none = np.full(len(crowd.cell), -1)
    agents = np.column_stack([crowd.cell, crowd.jail, crowd.active, none]).astype(np.int32)
    cells = np.zeros((model.rows * model.columns, 4), np.int32)
    traits = np.column_stack([crowd.hardship * (1.0 - float(model.legitimacy)), crowd.risk_aversion])
    around = np.column_stack(model.offsets())
    loops.advance(agents, cells, traits, around, _rules(model), np.uint64(crowd.key), crowd.step + 1, totals)
    cell, jail, active, _ = agents.T
    return replace(crowd, step=crowd.step + len(totals), cell=cell.copy(), jail=jail.copy(), active=active != 0)


def _rules(model: CivilViolence) -> loops.Rules:
    return loops.Rules(
        rows=model.rows,
        columns=model.columns,
        threshold=float(model.activation_threshold),
        arrest_constant=float(model.arrest_constant),
        max_jail_term=float(model.max_jail_term),
        ratio=CHOICES["ratio"].index(model.ratio),
        again_if_active=model.own_count == "again_if_active",
        jailed=CHOICES["jailed"].index(model.jailed),
        officer_moves=model.officer_after_arrest == "moves",
        up_to_max=float(model.jail_term == "up_to_max"),
        act_first=model.order == "act_then_move",
        own_turn=model.jail_clock == "own_turn",
    )


def _nearest_whole(value: float) -> int:
    return int(np.floor(value + 0.5))
