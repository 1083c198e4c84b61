"""A grid that wraps around: what is in view of a cell, and what a grid must be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from groundswell.errors import ParameterError, nearest

Neighbourhood = Literal["disc", "diamond", "square"]
"""Cells within Euclidean distance, within city-block distance, or within the distance in each direction."""


def around_cell(vision_cells: float, neighbourhood: Neighbourhood) -> np.ndarray:
    """(K, 2) how far (down, right) each cell in view lies, row by row, one's own included."""
    reach = math.floor(vision_cells)
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    if neighbourhood == "disc":
        inside = down**2 + right**2 <= vision_cells**2
    elif neighbourhood == "diamond":
        inside = abs(down) + abs(right) <= vision_cells
    else:
        inside = np.ones(down.shape, dtype=bool)
    return np.column_stack([down[inside], right[inside]])


def check_sides(model: Any) -> None:
    """ParameterError unless rows and columns are whole numbers."""
    for name in ("rows", "columns"):
        given = getattr(model, name)
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 1:
            raise ParameterError(
                f"{type(model).__name__}.{name} is {given!r}; expected a whole number of cells, 1 or more."
            )


def check_choices(component: Any, choices: Mapping[str, tuple[str, ...]]) -> None:
    """ParameterError unless every rule is one of its named alternatives."""
    for name, allowed in choices.items():
        if (given := getattr(component, name)) not in allowed:
            raise ParameterError(
                f"{type(component).__name__}.{name} is {given!r}; expected one of {', '.join(map(repr, allowed))}."
                + nearest(str(given), allowed)
            )


def check_room(model: Any) -> None:
    """ParameterError unless densities sum to 1 at most, and the view fits on the grid."""
    what = type(model).__name__
    density = model.citizen_density + model.officer_density
    if density > 1 + 1e-9:
        raise ParameterError(
            f"{what}.citizen_density + officer_density is {density:g}; expected 1 or less. "
            "A cell holds one agent at the start; lower one of the two."
        )
    across, side = 2 * math.floor(model.vision_cells) + 1, min(model.rows, model.columns)
    if across > side:
        raise ParameterError(
            f"{what}.vision_cells is {model.vision_cells:g}, which spans {across} cells on a grid of "
            f"{model.rows} x {model.columns}. On a torus an agent would see some cells twice; "
            f"use a grid of at least {across} x {across} or a vision below {(side - 1) // 2 + 1}."
        )


def nearest_whole(value: float) -> int:
    """The nearest whole number, halves upwards: how many agents a density makes."""
    return int(np.floor(value + 0.5))
