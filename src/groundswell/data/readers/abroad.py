"""The series of events in other countries, counted from the same file as a country's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from groundswell.data.gazetteer import country_name
from groundswell.data.readers.base import PRECISIONS, ReadEvents
from groundswell.data.window import Window
from groundswell.errors import DataError


def events_abroad(
    read: ReadEvents, window: Window, country: str, among: Sequence[str] | None = None, days_before: int = 0
) -> np.ndarray:
    """(T,) events outside `country` by step, for `Setting.abroad`.

    among : only these countries (neighbours, say); None for every other one in the file. days_before : 0 counts a
    step's own events, which also rise with whatever reaches all countries at once; n > 0 counts those of the n days
    before the step begins, per step length, which can only have come first. A row that lists several places is
    one event; events dated less closely than a step, or without a country, are left out. DataError for a
    country of `among` that the file does not have.
    """
    own = country_name(country)
    wanted = None if among is None else {country_name(name) for name in among} - {own}
    known = {country_name(name) for name in set(read.events["country"]) if name}
    if wanted is not None and (missing := sorted(wanted - known)):
        raise DataError(f"{read.name} has no event in {', '.join(missing)}; its countries: {', '.join(sorted(known))}.")
    found: dict[Any, int] = {}
    for number, event in enumerate(read.events.rows()):
        where = country_name(event["country"]) if event["country"] else own
        if where == own or (wanted is not None and where not in wanted):
            continue
        if PRECISIONS[event["precision"]] <= max(window.step, 1):
            found.setdefault(event["part_of"] or number, window.day(event["start"]))
    days = np.sort(np.array(list(found.values()), dtype=int))
    begin = np.arange(window.periods) * window.step
    low, high = (begin - days_before, begin) if days_before else (begin, begin + window.step)
    counted = np.searchsorted(days, high) - np.searchsorted(days, low)
    return counted * (window.step / days_before if days_before else 1.0)
