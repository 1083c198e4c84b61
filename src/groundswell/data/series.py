"""A run's totals from a table: a row a step, a column a series, as `simulate` writes them into history.csv."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from groundswell.data.dates import Unreadable, day_comes_first, read_date
from groundswell.data.readers.numbers import number_in
from groundswell.data.readers.raw import Raw, read_raw
from groundswell.data.window import Window
from groundswell.errors import DataError, nearest

KEYS = ("place", "date", "step")
"""Columns that say which row it is; every other one may be a series."""


class Series(NamedTuple):
    """name : of the file. window : from the first row on. values : name -> (T,). unused : columns not asked for."""

    name: str
    window: Window
    values: dict[str, np.ndarray]
    unused: tuple[str, ...]


def read_series(source: Any, names: Sequence[str], start: date) -> Series:
    """The series `names` of one place, from the first step of a run on.

    Rows have a `date`, or a `step` from 1 on, or both, and follow each other without a gap; with dates a step is as
    long as they are apart, without them a day from `start` on. DataError for several places, a series that is no
    column, a value that is missing or no number, and steps that are missing, twice, out of order, or begin later: what
    happened before is not known, and a model that is compared with them begins with its first step.
    source : path, file, data frame or text, as `read_events` takes it.
    """
    raw = read_raw(source)
    _check_columns(raw, names)
    if raw.broken:
        number, why = raw.broken[0]
        raise DataError(f"{raw.name} row {number} {why}; {len(raw.broken)} rows do not fit the header. Mend them.")
    if not raw.rows:
        raise DataError(f"{raw.name} has a header and no rows; expected a row for each step of a run.")
    if "step" in raw.columns:
        _check_steps(raw)
    window = _window(raw, start) if "date" in raw.columns else Window(start, len(raw.rows))
    values = {name: np.array([_number(raw, name, row, text) for row, text in _cells(raw, name)]) for name in names}
    unused = tuple(name for name in raw.columns if name not in (*KEYS, *names))
    return Series(raw.name, window, values, unused)


def _check_columns(raw: Raw, names: Sequence[str]) -> None:
    columns = f"Its columns: {', '.join(raw.columns[:40])}."
    missing = [name for name in names if name not in raw.columns]
    if missing:
        raise DataError(
            f'{raw.name} has no column "{missing[0]}".{nearest(missing[0], raw.columns)} {columns} Expected the totals '
            "of a run, a row a step, as `simulate` writes them: history.csv, or record.parquet of --record totals."
        )
    if not {"date", "step"} & set(raw.columns):
        raise DataError(f"{raw.name} says of no row which step it is. {columns} Expected `date` or `step` among them.")
    places = sorted(set(raw.column("place"))) if "place" in raw.columns else []
    if len(places) > 1:
        raise DataError(
            f"{raw.name} has {len(places)} places: {', '.join(places[:5])}; expected one, whose series are "
            "compared with those of one run. Give a file for each place."
        )


def _check_steps(raw: Raw) -> None:
    for expected, (row, text) in enumerate(_cells(raw, "step"), 1):
        step = _number(raw, "step", row, text)
        if step == expected:
            continue
        why = (
            "what happened before is not known. Give the table from its first step on"
            if expected == 1
            else "steps follow each other without a gap. Put them in order and mend what is missing"
        )
        raise DataError(f"{raw.name} row {row} is step {step:g}; expected step {expected}: {why}.")


def _window(raw: Raw, start: date) -> Window:
    """From the dates of the rows, all equally far apart."""
    day_first = day_comes_first(raw.column("date"))
    days: list[date] = []
    for row, text in _cells(raw, "date"):
        try:
            days.append(read_date(text, day_first))
        except Unreadable as error:
            raise DataError(f"{raw.name} row {row}: {error}.") from error
        apart = (days[1] - days[0]).days if len(days) > 1 else 1
        expected = days[0] + timedelta(apart * (len(days) - 1))
        if apart < 1 or days[-1] != expected:
            raise DataError(
                f"{raw.name} row {row} is of {days[-1]}; expected {max(expected, days[0] + timedelta(1))}: dates "
                "follow each other, all equally far apart. Put them in order and mend what is missing."
            )
    return Window(days[0], len(days), (days[1] - days[0]).days if len(days) > 1 else 1)


def _cells(raw: Raw, name: str) -> list[tuple[int, str]]:
    """(row number, text) of a column."""
    return list(zip((number for number, _ in raw.rows), raw.column(name), strict=True))


def _number(raw: Raw, name: str, row: int, text: str) -> float:
    try:
        value = number_in(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise DataError(f'{raw.name} row {row}: {name} is "{text}"; expected a number, in every step.')
    return value
