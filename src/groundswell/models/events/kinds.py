"""Events of several kinds in one history: counted by kind, put together from files of one kind each, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from groundswell.data.history import COLUMNS, Events, History, from_events
from groundswell.data.setting import Setting
from groundswell.errors import DataError


def kinds_of(events: Events) -> np.ndarray:
    """(E,) whole numbers; 0 for events without kinds, which are all of one."""
    return np.zeros(len(events), dtype=np.int64) if events.kind is None else np.asarray(events.kind, dtype=np.int64)


def with_kinds(history: History, kinds: Sequence[str]) -> History:
    """The same history with a series of counts for each kind of its events, under the kind's name."""
    events = history.events
    assert events is not None
    counts = {
        name: from_events(history.places, history.window, events.take(kinds_of(events) == k))["events"]
        for k, name in enumerate(kinds)
    }
    return replace(history, series={**history.series, **counts})


def of_kinds(histories: Mapping[str, History]) -> History:
    """One history of several kinds, from the history of each by its name: files are often of one kind each.

    All must be of the same places and window and hold single events. Sizes, arrests, positions and marks are kept where
    every one has them. `jittered` spreads days, before or after.
    """
    if not histories:
        raise DataError("of_kinds was given no history; expected one for each kind, by its name.")
    parts, first = list(histories.values()), next(iter(histories.values()))
    for name, part in histories.items():
        if part.events is None:
            raise DataError(
                f'the history of "{name}" has counts but no single events; events are put together one by one.'
            )
        if part.window != first.window or part.places.name != first.places.name:
            raise DataError(
                f'the history of "{name}" has {len(part.places)} places and {part.window.days} days from '
                f"{part.window.start}, the first one {len(first.places)} and {first.window.days} from "
                f"{first.window.start}; expected the same places and window, or one kind's silence would be a gap."
            )
    events = [part.events for part in parts if part.events is not None]
    order = np.argsort(np.concatenate([each.time_days for each in events]), kind="stable")

    def together(values: Sequence[np.ndarray | None]) -> np.ndarray | None:
        known = [np.asarray(value) for value in values if value is not None]
        return np.concatenate(known)[order] if len(known) == len(values) else None

    columns = {what: together([getattr(each, what) for each in events]) for what in COLUMNS}
    columns["kind"] = np.repeat(np.arange(len(events)), [len(each) for each in events])[order]
    by_day = [each.day_precision for each in events]
    if columns["within_days"] is None and (len(set(by_day)) > 1 or any(e.within_days is not None for e in events)):
        columns["within_days"] = together([_within(each) for each in events])
    made = Events(
        np.concatenate([each.time_days for each in events])[order],
        np.concatenate([each.place for each in events])[order],
        day_precision=any(by_day),
        marks={
            name: np.concatenate([np.asarray(each.marks[name]) for each in events])[order]
            for name in events[0].marks
            if all(name in each.marks for each in events)
        },
        **columns,
    )
    return with_kinds(from_events(first.places, first.window, made), tuple(histories))


def _within(events: Events) -> np.ndarray:
    """(E,) days within which each time is known, also where day_precision alone says it."""
    return np.full(len(events), float(events.day_precision)) if events.within_days is None else events.within_days


def one_place(setting: Setting) -> None:
    """DataError for a setting of several places."""
    if len(setting.places) != 1:
        raise DataError(
            f"the setting has {len(setting.places)} places, and events of several kinds are modelled in one. Count by "
            'country (`to_history(..., by="country")`), or take the events of one place.'
        )


def check_kind(what: str, events: Events, kinds: Sequence[str]) -> None:
    """DataError unless each event is of one of the kinds; where there is one, it need not be said."""
    if events.kind is None and len(kinds) > 1 and len(events):
        raise DataError(
            f"{what} holds events without a kind; expected one of {len(kinds)} for each, as a number: "
            f"{', '.join(f'{k} {name}' for k, name in enumerate(kinds))}. Give Events.kind, or put histories of one "
            "kind each together with `of_kinds`."
        )
    if events.kind is not None and len(events):
        kind = np.asarray(events.kind)
        wrong = (kind < 0) | (kind >= len(kinds)) | (kind != np.floor(kind))
        if wrong.any():
            raise DataError(
                f"{what} holds an event of kind {kind[wrong][0]:g}; expected whole numbers from 0 to "
                f"{len(kinds) - 1}: {', '.join(kinds)}. Leave out events of other kinds, or name them."
            )
