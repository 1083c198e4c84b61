"""Civil violence (Epstein 2002, Model I): who dares to act in front of officers, on a grid or along ties.

    grievance          = hardship (1 - legitimacy)
    arrest_probability = 1 - exp(-arrest_constant C / A)
    active iff grievance - risk_aversion * arrest_probability > activation_threshold

with C the officers and A the active agents within vision, oneself counted. Published programs
differ in rules that the text leaves open, and the difference decides whether there are outbursts
at all; so each such rule is a named option here, and the presets name the programs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import ParameterError, UsageError, nearest
from groundswell.models.agents.alone import check_no_past, check_one_place
from groundswell.models.agents.grid import Neighbourhood, around_cell, check_room, check_sides
from groundswell.models.agents.networks import Network, SmallWorld
from groundswell.models.agents.ties import Ground, Ties, check_places
from groundswell.models.base import Model
from groundswell.models.watching import Watched, watch_grid
from groundswell.params import Component, param

if TYPE_CHECKING:
    from groundswell.models.agents.crowd import Crowd

Ratio = Literal["raw", "floor", "round"]
OwnCount = Literal["once", "again_if_active"]
Jailed = Literal["off_grid", "shares_cell", "keeps_cell"]
AfterArrest = Literal["moves", "stays"]
JailTerm = Literal["below_max", "up_to_max"]
Order = Literal["move_then_act", "act_then_move"]
JailClock = Literal["end_of_step", "own_turn"]
Placement = Literal["counts", "cells"]
Activation = Literal["global", "tiles"]

CHOICES: dict[str, tuple[str, ...]] = {
    "ratio": get_args(Ratio),
    "neighbourhood": get_args(Neighbourhood),
    "own_count": get_args(OwnCount),
    "jailed": get_args(Jailed),
    "officer_after_arrest": get_args(AfterArrest),
    "jail_term": get_args(JailTerm),
    "order": get_args(Order),
    "jail_clock": get_args(JailClock),
    "placement": get_args(Placement),
}
"""Every rule that programs differ in, with its named alternatives."""

ACTIVATIONS = get_args(Activation)


def tiles_across(length: int, vision_cells: float) -> int:
    """How many tiles lie along a side of the grid: an even number, of 6 v + 1 cells at least; 0 if two do not fit."""
    return 2 * (length // (2 * (6 * math.floor(vision_cells) + 1)))


@dataclass(frozen=True)
class Course(Component):
    """A number that moves by step: as the model has it before step `first`, then by `by` a step, until it is `to`."""

    to: float = param("1", low=0, high=1, doc="where it ends")
    first: float = param("steps", low=1, default=1.0, doc="step in which it moves first")
    by: float = param("1/step", low=0, high=1, default=1.0, doc="how much it moves a step; 1 moves it at once")

    def at(self, step: int, before: float) -> float:
        """Its value in a step, from the model's own value."""
        moved = self.by * max(0.0, step - self.first + 1)
        return max(self.to, before - moved) if self.to < before else min(self.to, before + moved)


@dataclass(frozen=True)
class CivilViolence(Ground, Model):
    """Agents and officers on a torus, activated one by one in a random order each step.

    The defaults are those of `netlogo()`. Numbers are parameters; the rules are options:

    ratio : C/A as it is ("raw"), rounded down ("floor") or to the nearest, halves to even ("round").
    neighbourhood : cells within Euclidean distance vision ("disc"), within city-block distance
        ("diamond"), or within it in each direction ("square"); one's own cell included.
    own_count : A counts oneself "once", or, as an agent that is already active, "again_if_active".
    jailed : jailed agents leave and return to a random empty cell ("off_grid"), stay where they are
        without blocking the cell ("shares_cell", so two agents may meet there on release), or
        block it ("keeps_cell").
    officer_after_arrest : "moves" to the arrested agent's cell, or "stays".
    jail_term : 0 to max_jail_term - 1 ("below_max") or 0 to max_jail_term ("up_to_max"), each whole
        number equally likely; a term of 0 ends the arrested agent's activity and no more.
    order : within an agent's turn, "move_then_act" or "act_then_move".
    jail_clock : terms run down at the "end_of_step", or at the agent's "own_turn", which it
        spends; under the first an agent jailed for 1 step is free again in the next.
    placement : the densities give whole numbers of agents ("counts") or each cell's chances ("cells").
    activation : everyone takes a turn in one random order over the "global" grid; or the grid is cut into
        "tiles" of at least 6 v + 1 cells a side, at a random place each step, which have four colours:
        the order is random within a tile, and colours follow each other. For large grids, on several
        threads; another trajectory, of the same kind. Off-grid agents in jail then serve by the step.

    legitimacy_course, officers_course : how legitimacy and officer_density move by step, counted from the crowd's
        first. Officers can be withdrawn alone: they leave the grid, the last in number first.
    ties : a network in place of the grid, with rules of its own (`ties.py`): cells are then its nodes, densities are
        counted by node, and rows, columns, neighbourhood and vision_cells are not used.
    outburst_share : active agents per cell above which an outburst is counted; see `outburst_above`.

    Steps are the window's steps and need not be days. Everything random comes from one key drawn
    from `rng`, by a hash of (key, step, agent, purpose, k).
    """

    title: ClassVar[str] = "civil violence: grievance against the risk of arrest, on a grid or a network"
    paper: ClassVar[str] = (
        "Epstein (2002), PNAS 99 suppl. 3, 7243-7250; Wilensky (2004), NetLogo Rebellion; Mesa 3 example"
    )
    citizen_density: float = param("agents/cell", low=0, high=1, default=0.70, doc="citizens per cell")
    officer_density: float = param("officers/cell", low=0, high=1, default=0.04, doc="officers per cell")
    vision_cells: float = param("cells", low=0, default=7.0, doc="how far agents and officers see and move")
    legitimacy: float = param("1", low=0, high=1, default=0.82, doc="legitimacy of the authorities, equal for all")
    max_jail_term: float = param("steps", low=0, default=30.0, doc="the longest jail term; see jail_term")
    arrest_constant: float = param(
        "1", low=0, default=2.3, doc="k; 2.3 makes one officer and one active agent an arrest probability of 0.9"
    )
    activation_threshold: float = param(
        "1", low=-1, high=1, default=0.1, doc="margin by which grievance must exceed net risk"
    )
    rows: int = 40
    columns: int = 40
    ratio: Ratio = "floor"
    neighbourhood: Neighbourhood = "disc"
    own_count: OwnCount = "again_if_active"
    jailed: Jailed = "shares_cell"
    officer_after_arrest: AfterArrest = "moves"
    jail_term: JailTerm = "below_max"
    order: Order = "move_then_act"
    jail_clock: JailClock = "end_of_step"
    placement: Placement = "counts"
    activation: Activation = "global"
    legitimacy_course: Course | None = None
    officers_course: Course | None = None
    ties: Ties | None = None
    outburst_share: float = 1 / 32

    def __post_init__(self) -> None:
        check_sides(self)
        super().__post_init__()
        for name, allowed in {**CHOICES, "activation": ACTIVATIONS}.items():
            given = getattr(self, name)
            if given not in allowed:
                raise ParameterError(
                    f"CivilViolence.{name} is {given!r}; expected one of {', '.join(map(repr, allowed))}."
                    + nearest(str(given), allowed)
                )
        if not 0 <= self.outburst_share <= 1:
            raise ParameterError(
                f"CivilViolence.outburst_share is {self.outburst_share:g}; expected 0 to 1 active agents per cell. "
                "1/32, which is 50 on 40 x 40, is the published level."
            )
        if self.ties is None:
            check_room(self)
        elif self.ties.nodes == "places":
            check_places(self)
        if self.officers_course is not None and self.officers_course.to > self.officer_density:
            raise ParameterError(
                f"CivilViolence.officers_course.to is {self.officers_course.to:g} and officer_density is "
                f"{self.officer_density:g}; expected no more than that. Officers can be withdrawn, not sent; start "
                "with more, or change the crowd's model at the step in question."
            )
        if self.activation == "tiles":
            self._check_tiles()

    def _check_tiles(self) -> None:
        if self.ties is not None:
            raise ParameterError(
                "CivilViolence.activation is 'tiles', and there are ties; expected 'global'. Only a grid is cut into "
                "tiles."
            )
        if not tiles_across(min(self.rows, self.columns), self.vision_cells):
            tile = 6 * math.floor(self.vision_cells) + 1
            raise ParameterError(
                f"CivilViolence.activation is 'tiles' on a grid of {self.rows} x {self.columns}; with vision_cells = "
                f"{self.vision_cells:g} a tile has at least {tile} x {tile} cells, so that agents of two tiles cannot "
                f"meet, and the grid holds two each way: {2 * tile} x {2 * tile} cells. Use activation='global'."
            )
        if self.jailed == "off_grid" and self.jail_clock == "own_turn":
            raise ParameterError(
                "CivilViolence.activation is 'tiles', jailed is 'off_grid' and jail_clock is 'own_turn'; an agent "
                "whose term ends in its own turn returns anywhere, also where another tile is at work. Use "
                "jail_clock='end_of_step' or activation='global'."
            )

    @classmethod
    def netlogo(cls, **changes: Any) -> Self:
        """The rules and defaults of NetLogo's Rebellion (Wilensky 2004), read from its program."""
        return cls(**changes)

    @classmethod
    def mesa(cls, **changes: Any) -> Self:
        """The rules and defaults of Mesa 3's example, read from its program.

        One label differs: an agent arrested for 0 steps counts here as quiet at once, there as
        arrested until its next turn. What agents do is the same.
        """
        mesa = cls(
            officer_density=0.074, legitimacy=0.80, max_jail_term=1000.0, ratio="round", neighbourhood="diamond",
            own_count="once", jailed="keeps_cell", officer_after_arrest="stays", jail_term="up_to_max",
            order="act_then_move", jail_clock="own_turn", placement="cells",
        )  # fmt: skip
        return replace(mesa, **changes)

    @classmethod
    def paper_run(cls, run: Literal[1, 2] = 2, **changes: Any) -> Self:
        """Runs 1 (deception) and 2 (punctuated equilibrium) of the paper, as recalled.

        Recalled, not checked against the text: densities, visions, legitimacies, terms and every
        rule. The ratio is not rounded there, and without rounding run 2 shows no outburst here.
        """
        numbers = {1: (1.7, 0.89, 15.0), 2: (7.0, 0.82, 30.0)}
        if run not in numbers:
            raise UsageError(f"run is {run!r}; expected 1 (deception) or 2 (punctuated equilibrium).")
        vision, legitimacy, term = numbers[run]
        paper = cls(
            vision_cells=vision, legitimacy=legitimacy, max_jail_term=term, ratio="raw", own_count="once",
            jailed="off_grid", officer_after_arrest="stays", jail_term="up_to_max",
        )  # fmt: skip
        return replace(paper, **changes)

    @classmethod
    def among(cls, network: Network, **changes: Any) -> Self:
        """NetLogo's rules among persons who are nodes: a citizen on each, and as many officers for each citizen."""
        return cls(**{"citizen_density": 1.0, "officer_density": 0.04 / 0.70, "ties": Ties(network), **changes})

    @classmethod
    def presets(cls) -> dict[str, Model]:
        """The programs, the paper's runs 1 (deception) and 2 (punctuated equilibrium) as recalled, and a network."""
        return {
            "netlogo": cls.netlogo(),
            "mesa": cls.mesa(),
            "paper": cls.paper_run(2),
            "paper_deception": cls.paper_run(1),
            "small_world": cls.among(SmallWorld(1120, 50, 0.1)),
        }

    @classmethod
    def example(cls) -> tuple[CivilViolence, Setting]:
        """The NetLogo preset as it is, a hundred and twenty steps: some four outbursts."""
        from datetime import date

        return cls.netlogo(), Setting(Places.single(1184), Window(date(2000, 1, 1), 120))

    def at(self, step: int) -> Self:
        """The model as it is in one step, with the courses resolved."""
        if self.legitimacy_course is None and self.officers_course is None:
            return self
        legitimacy, officers = self.legitimacy, self.officer_density
        if self.legitimacy_course is not None:
            legitimacy = self.legitimacy_course.at(step, legitimacy)
        if self.officers_course is not None:
            officers = self.officers_course.at(step, officers)
        return replace(
            self, legitimacy=legitimacy, officer_density=officers, legitimacy_course=None, officers_course=None
        )

    @property
    def outburst_above(self) -> float:
        """Active agents above which an outburst is counted: 50 on the published 40 x 40, elsewhere as many per cell."""
        return self.outburst_share * self.cells

    @property
    def summaries(self) -> tuple[str, ...]:  # type: ignore[override]
        """What inference by simulation compares: level, spread, course and peak, outbursts, jailed, arrests."""
        return (
            *("log mean active", "log sd active", "lag1 active", "log peak active"),
            *(f"outbursts active {self.outburst_above:.12g}", "log mean jailed", "log total arrests"),
        )

    def offsets(self) -> tuple[np.ndarray, np.ndarray]:
        """The neighbourhood: how far (down, right) each of its cells lies, row by row, own cell included."""
        down, right = around_cell(self.vision_cells, self.neighbourhood).T
        return down, right

    def populate(self, *, rng: np.random.Generator) -> Crowd:
        """A crowd before its first step: everyone free and quiet, in random cells."""
        from groundswell.models.agents.crowd import populate

        return populate(self, rng=rng)

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """One run from a new crowd; series active, jailed, quiet (agents) and arrests, (1, T).

        Counts are taken at the end of each step; arrests are those of the step, terms of 0 included.
        A history holds totals, which do not fix who stands where, so `given` is refused: to continue
        a run, keep its `Crowd` and `run` that.
        """
        from groundswell.models.agents.crowd import run

        check_one_place(self, setting, "grid")
        check_no_past(
            self, given, "who stands where",
            "Keep the Crowd that run() returns and run it on, or save and load it.",
        )  # fmt: skip
        done = run(self.populate(rng=rng), setting.window.periods)
        return History(setting.places, setting.window, {name: row[None, :] for name, row in done.series.items()})

    def watch(self, setting: Setting, *, rng: np.random.Generator) -> Watched:
        """The history that `simulate` draws, with pictures of the grid, or of nodes by number; see `Crowd.frame`."""
        from groundswell.models.agents.crowd import STATES, run

        check_one_place(self, setting, "grid")

        def go_on(crowd: Crowd, steps: int) -> tuple[Crowd, Mapping[str, np.ndarray]]:
            done = run(crowd, steps)
            return done.crowd, done.series

        return watch_grid(self.populate(rng=rng), go_on, setting, STATES, self.picture, self.note)

    def starts(self, history: History) -> tuple[str, np.ndarray]:
        """ "outburst", and the steps, from 0, at which one starts; see `crowd.outbursts` and `outburst_above`."""
        from groundswell.models.agents.crowd import outbursts

        return "outburst", outbursts(history["active"][0], self.outburst_above)
