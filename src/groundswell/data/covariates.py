"""Covariates and the series of other countries, read from tables.

A table of covariates has a column `place`, or `date`, or both, and every other column is a number: a value by place
(a census share), by date (a price), or by place and date. Names of places are those of the setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from groundswell.data.dates import Unreadable, day_comes_first, read_date
from groundswell.data.places import Places
from groundswell.data.readers.numbers import has_decimal_comma
from groundswell.data.readers.raw import Raw, read_raw
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import DataError, nearest


class Covariates(NamedTuple):
    """values : name -> (P, T). left_out : rows that are not used, with their number and the reason."""

    values: dict[str, np.ndarray]
    left_out: Table


def read_covariates(source: Any, places: Places, window: Window) -> Covariates:
    """Every number column of a table, by place and step.

    With dates, a step takes the mean of the rows within it; a step without a row keeps the value of the last row
    before it, so that a monthly series serves weekly steps. Rows of other places, or after the window, are listed.
    DataError for a value that is missing or no number, a place without a row, a first step without a value, a row
    that does not fit the header. A column in which a comma can only be a decimal sign is read so.
    source : path, file, data frame or text, as `read_events` takes it.
    """
    raw = read_raw(source)
    keys = [name for name in ("place", "date") if name in raw.columns]
    numbers = [name for name in raw.columns if name not in keys]
    if not keys or not numbers:
        raise DataError(
            f"{raw.name} has the columns {', '.join(raw.columns)}; a table of covariates needs `place` or `date` or "
            "both, and at least one column of numbers. Rename the columns."
        )
    left_out: list[dict[str, Any]] = []
    rows = _rows(raw, keys, numbers, places, window, left_out)
    count, steps = len(places), window.periods
    shape = (count if "place" in keys else 1, steps if "date" in keys else 1)
    total, seen = np.zeros((len(numbers), *shape)), np.zeros(shape)
    # the last value known before the window, and when
    earlier, when = np.full((len(numbers), shape[0]), np.nan), np.full(shape[0], -np.inf)
    for place, day, values in rows:
        step = 0 if day is None else day // window.step
        if step < 0:
            if day is not None and day >= when[place]:
                earlier[:, place], when[place] = values, day
            continue
        total[:, place, step] += values
        seen[place, step] += 1
    if "date" not in keys and (seen > 1).any():
        twice = places.name[int(np.flatnonzero(seen[:, 0] > 1)[0])]
        raise DataError(f'{raw.name} has two rows for "{twice}" and no dates to tell them apart; keep one.')
    values = np.divide(total, seen, out=np.full_like(total, np.nan), where=seen > 0)
    _carry_on(values, earlier)
    if np.isnan(values).any():
        _, place, step = (int(at[0]) for at in np.nonzero(np.isnan(values)))
        who = f'"{places.name[place]}"' if "place" in keys else "the country"
        on = f" at or before {window.date(step * window.step)}" if "date" in keys else ""
        raise DataError(f"{raw.name} has no row for {who}{on}; a covariate needs a value everywhere. Fill it in.")
    found = {name: np.broadcast_to(value, (count, steps)) for name, value in zip(numbers, values, strict=True)}
    return Covariates(found, Table.from_rows(left_out, ("row", "reason")))


def read_abroad(source: Any, window: Window) -> tuple[np.ndarray, Table]:
    """(T,) events in other countries by step, from a table with `date` and `events`; and the rows left out.

    Rows of one step add up, and a step without a row has none: an event list with one row an event may leave `events`
    out. Rows outside the window are listed.
    """
    raw = read_raw(source)
    if "date" not in raw.columns:
        raise DataError(
            f"{raw.name} has the columns {', '.join(raw.columns)}; events abroad need `date`. Rename the column."
        )
    left_out: list[dict[str, Any]] = []
    numbers = ["events"] if "events" in raw.columns else []
    out = np.zeros(window.periods)
    for _, day, values in _rows(raw, ["date"], numbers, None, window, left_out):
        assert day is not None
        if day < 0:
            left_out.append({"row": None, "reason": f"{window.date(day)} lies before the window"})
        else:
            out[day // window.step] += values[0] if len(values) else 1.0
    if (out < 0).any():
        raise DataError(f"{raw.name} counts fewer than 0 events on a date; expected counts of 0 or more.")
    return out, Table.from_rows(left_out, ("row", "reason"))


def _rows(
    raw: Raw,
    keys: Sequence[str],
    numbers: Sequence[str],
    places: Places | None,
    window: Window,
    left_out: list[dict[str, Any]],
) -> list[tuple[int, int | None, np.ndarray]]:
    """(place index, day since the window's start, values) of every row that is of use."""
    if raw.broken:
        shown = "; ".join(f"row {number} {why}" for number, why in raw.broken[:5])
        raise DataError(
            f"{raw.name}: {len(raw.broken)} rows do not fit the header: {shown}. A value missing in silence would be a "
            "wrong one; quote text that holds the delimiter."
        )
    day_first = day_comes_first(raw.column("date")) if "date" in keys else None
    comma = {name for name in numbers if any(map(has_decimal_comma, raw.column(name)))}
    found = []
    for number, row in raw.dictionaries():
        place, day = 0, None
        if "place" in keys and places is not None:
            if row["place"] not in places.name:
                hint = nearest(row["place"], places.name)
                left_out.append({"row": number, "reason": f'"{row["place"]}" is no place of the setting.{hint}'})
                continue
            place = places.index(row["place"])
        if "date" in keys:
            try:
                day = (read_date(row["date"], day_first) - window.start).days
            except Unreadable as error:
                what = f"date {error}" if str(error).startswith('"') else str(error)
                raise DataError(f"{raw.name} row {number}: {what}.") from error
            if day >= window.days:
                left_out.append({"row": number, "reason": f"{row['date']} lies after the window"})
                continue
        try:
            values = np.array([_number(row[name], name in comma) for name in numbers])
        except ValueError:
            values = np.array([np.nan])
        if not np.isfinite(values).all():
            wrong = next(name for name in numbers if not _is_number(row[name], name in comma))
            raise DataError(
                f'{raw.name} row {number}: {wrong} is "{row[wrong]}"; expected a number. A covariate needs a value '
                "everywhere: fill it in, or leave the row out where an earlier one may stand for it."
            )
        found.append((place, day, values))
    return found


def _carry_on(values: np.ndarray, before: np.ndarray) -> None:
    """Steps without a value take that of the step before, in place; (K, P, T) and (K, P)."""
    for step in range(values.shape[2]):
        earlier = before if step == 0 else values[:, :, step - 1]
        gap = np.isnan(values[:, :, step])
        values[:, :, step][gap] = earlier[gap]


def _number(text: str, comma: bool) -> float:
    """comma : whether the column writes decimals with one."""
    return float(text.replace(",", ".") if comma else text)


def _is_number(text: str, comma: bool) -> bool:
    try:
        return bool(np.isfinite(_number(text, comma)))
    except ValueError:
        return False
