"""Forecasts as the VIEWS prediction challenge 2023/24 takes them: draws by month and country or PRIO-GRID cell.

VIEWS is the Violence & Impacts Early-Warning System. The rules that `check` asserts are those of the challenge's own
repository, prio-data/prediction_competition_2023: README.md (folders, one Parquet file for each window),
evaluation/test_compliance.py (columns, whole-number ids, no missing and no negative outcome),
processing/clean_submissions.py (1,000 draws, at most 10e9) and utils/utilities.py (months counted from January 1980).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from groundswell.data import gazetteer
from groundswell.data.places import Places
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.exports.views_countries import COUNTRY_ID, SEVERAL
from groundswell.evaluate.forecast import Forecast

Unit = Literal["country_id", "priogrid_gid"]

FOLDERS: dict[str, str] = {"country_id": "cm", "priogrid_gid": "pgm"}
"""Country-months and PRIO-GRID-months, by the column that names the unit."""

DRAWS = 1000
"""Draws of each unit and month; the challenge makes any other number into this by resampling the draws as a signal."""

MOST = 10e9
"""Larger outcomes are cut to this by the challenge: more than there are people."""

GRID_CELLS = 360 * 720


def month_id(day: date) -> int:
    """Months since December 1979: January 1980 is 1."""
    return 12 * (day.year - 1980) + day.month


def priogrid_gid(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """The PRIO-GRID cells of positions in degrees: half-degree cells, counted eastward from 90° S, 180° W, from 1.

    A position on an edge belongs to the cell north and east of it. Tollefsen, Strand and Buhaug 2012.
    """
    row = np.minimum(np.floor((np.asarray(latitude, dtype=float) + 90) * 2), 359)
    column = np.minimum(np.floor((np.asarray(longitude, dtype=float) + 180) * 2), 719)
    return (720 * row + column + 1).astype(int)


def table(made: Forecast, unit: Unit, ids: Mapping[str, int] | None = None, draws: int = DRAWS) -> tuple[Any, str]:
    """The submission as a pyarrow table, and what of the forecast is not in it ("" if nothing).

    Daily draws are summed over each calendar month that they cover from the first day to the last, draw
    by draw, and over places in the same country or cell; days of other months are left out. Draws keep
    their number, from 0, so a draw is one path over all units and months.
    ids : unit of each place by the place's name; without, PRIO-GRID cells by the places' positions and
    countries by name. DataError for what the format cannot hold: steps of more than a day (weeks straddle
    months), several origins, no whole month, another number of draws than `draws`, a place without an id.
    """
    import pyarrow

    if made.window.step != 1:
        raise DataError(
            f"VIEWS counts by calendar month, and this forecast has steps of {made.window.step} days, which straddle "
            "months. Forecast with steps of 1 day, far enough ahead for a whole month."
        )
    if len(set(made.origin.tolist())) != 1:
        raise DataError("a VIEWS file holds the forecasts of one origin; write one for each.")
    if made.draws.shape[1] != draws:
        raise DataError(
            f"the forecast has {made.draws.shape[1]} draws; VIEWS takes {draws} of each unit and month. "
            f"Forecast with {draws} draws."
        )
    days = [made.window.date(time) for time in np.unique(made.time).tolist()]
    month = np.array([month_id(day) for day in days])
    length = np.array([monthrange(day.year, day.month)[1] for day in days])
    whole = np.unique(month[[int((month == m).sum()) == n for m, n in zip(month, length, strict=True)]])
    if not whole.size:
        raise DataError(
            f"the forecast reaches from {days[0]} to {days[-1]} and covers no calendar month from its first day to its "
            f"last, which VIEWS counts by. Forecast to {_month_end(days[0])} or later."
        )
    units = _units(made.places, unit, ids)
    named = np.unique(units)
    summed = np.zeros((len(whole), len(named), draws))
    for m, path in zip(month, made.by_target(made.draws), strict=True):
        if m in whole:
            np.add.at(summed[np.searchsorted(whole, m)], np.searchsorted(named, units), path)
    found = pyarrow.table(
        {
            "month_id": np.repeat(whole, len(named) * draws),
            unit: np.tile(np.repeat(named, draws), len(whole)),
            "draw": np.tile(np.arange(draws), len(whole) * len(named)),
            "outcome": summed.ravel(),
        }
    )
    check(found, draws)
    left = int((~np.isin(month, whole)).sum())
    return found, f"The VIEWS file leaves out {left} days of months that the forecast covers in part." if left else ""


def check(table: Any, draws: int = DRAWS) -> None:
    """DataError, naming the rule, unless the pyarrow table is a submission that the challenge takes.

    That its months and units are those of the challenge's own outcomes can only be checked with these at
    hand.
    """
    import pyarrow.types

    columns = set(table.column_names)
    units = [name for name in FOLDERS if name in columns]
    if len(units) != 1 or columns != {"month_id", units[0], "draw", "outcome"} or len(columns) < table.num_columns:
        raise DataError(
            f"a VIEWS file has the columns {', '.join(table.column_names)}; expected month_id, draw, outcome and "
            "one of country_id and priogrid_gid, each once, and no other."
        )
    if not table.num_rows:
        raise DataError("a VIEWS file has no row; expected one for each unit, month and draw.")
    keys = []
    most = {"priogrid_gid": GRID_CELLS}
    for name, low in {"month_id": 1, units[0]: 1, "draw": 0}.items():
        column, high = table[name], most.get(name, 2**31)
        if not pyarrow.types.is_integer(column.type) or column.null_count:
            raise DataError(f"a VIEWS file has {name} as {column.type}, or missing; expected whole numbers.")
        values = column.to_numpy()
        if values.min() < low or values.max() > high:
            raise DataError(f"a VIEWS file has {name} {values.min()} to {values.max()}; expected {low} to {high}.")
        keys.append(np.unique(values, return_inverse=True))
    column = table["outcome"]
    if not (pyarrow.types.is_floating(column.type) or pyarrow.types.is_integer(column.type)):
        raise DataError(f"a VIEWS file has outcome as {column.type}; expected numbers.")
    outcome = column.to_numpy().astype(float)
    if column.null_count or not ((outcome >= 0) & (outcome <= MOST)).all():
        row = int(np.flatnonzero(~((outcome >= 0) & (outcome <= MOST)))[0])
        raise DataError(
            f"a VIEWS file has outcome {outcome[row]:g} in row {row + 1}; expected 0 to {MOST:g}, none missing."
        )
    sizes = [len(values) for values, _ in keys]
    if sizes[2] != draws:
        raise DataError(f"a VIEWS file has {sizes[2]} draws; expected {draws} of each unit and month.")
    cell = np.atleast_1d(np.ravel_multi_index([inverse for _, inverse in keys], sizes))
    if len(cell) != np.prod(sizes) or len(np.unique(cell)) < len(cell):
        raise DataError(
            f"a VIEWS file has {len(cell)} rows; expected {sizes[0]} months x {sizes[1]} units x {sizes[2]} draws, "
            "each once. A row is missing or twice there."
        )


def path(table: Any) -> str:
    """Where a submission keeps the table: cm or pgm, then the window, called by the year of its first month."""
    unit = next(name for name in FOLDERS if name in table.column_names)
    year = 1980 + (int(table["month_id"].to_numpy().min()) - 1) // 12
    return f"{FOLDERS[unit]}/window=Y{year}/predictions_{year}.parquet"


def _units(places: Places, unit: Unit, ids: Mapping[str, int] | None) -> np.ndarray:
    """(P,) the id of each place's unit."""
    if unit not in FOLDERS:
        raise UsageError(f'unit "{unit}" is none of VIEWS; expected {" or ".join(FOLDERS)}.')
    if ids is not None:
        if absent := [name for name in places.name if name not in ids]:
            raise DataError(
                f'ids has no {unit} for {len(absent)} places, "{absent[0]}" first; give one for every place.'
            )
        return np.array([ids[name] for name in places.name])
    if unit == "country_id":
        return np.array([_country_id(name) for name in places.name])
    if places.latitude is None or places.longitude is None:
        raise DataError("the places have no positions, so their PRIO-GRID cells are not known; give them, or ids.")
    return priogrid_gid(places.latitude, places.longitude)


def _country_id(name: str) -> int:
    code = gazetteer.find_country(name).code3
    if code in COUNTRY_ID:
        return COUNTRY_ID[code]
    several = " and ".join(str(known) for known in SEVERAL.get(code, ()))
    reason = f"has had several ids in VIEWS ({several})" if several else "has no id of VIEWS that is known here"
    raise DataError(f'"{name}" {reason}; from Python, say which one in ids={{"{name}": ...}}.')


def _month_end(day: date) -> date:
    """The last day of the first whole month from `day` on."""
    first = day if day.day == 1 else day + timedelta(days=monthrange(day.year, day.month)[1] - day.day + 1)
    return first.replace(day=monthrange(first.year, first.month)[1])
