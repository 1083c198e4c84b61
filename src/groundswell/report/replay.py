"""One run to play again: a self-contained page with the grid or the map, its counts, and how to make it again.

No network: script, pictures and numbers are inside the file, which opens from disk. Pictures come as a `Watched`, or
as counts on a map; the page computes nothing of the model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data.files import rounded, write_text
from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.models.watching import Watched
from groundswell.report.language import Speaker
from groundswell.report.packing import packed
from groundswell.report.page import cell
from groundswell.report.shared import outlines

MOST_ROWS = 200
"""Of the table in the page; all steps are in history.csv."""

MOST_STEPS = 20_000
"""Of a run in a page."""

MOST_CIRCLES = 300_000
"""Counts above 0 on a map, over all steps."""

WORDS = ("play", "pause", "step", "before", "axis", "copied", "other", "steps-a-second")
"""Sentences that the script itself fills in, by their keys after "replay-"."""


@dataclass(frozen=True)
class Origin:
    """Where a run came from: what a page says of it, and the command that makes it again.

    parameters : rows of "parameter", "value", "unit" and "meaning"; every field that decides the run.
    """

    model: str
    title: str
    paper: str
    seed: int
    command: str
    parameters: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def write_replay(
    path: Path, run: Watched | History, origin: Origin, *, starts: tuple[str, np.ndarray] | None = None,
    words: Speaker | None = None,
) -> Path:  # fmt: skip
    """Write the page, whole or not at all: a grid that was watched, or a map of a history with positions.

    starts : a key of the catalogue ("outburst") and the steps, from 0, to be marked in the chart.
    """
    write_text(path, render(run, origin, starts=starts, words=words))
    return path


def render(
    run: Watched | History, origin: Origin, *, starts: tuple[str, np.ndarray] | None = None,
    words: Speaker | None = None,
) -> str:  # fmt: skip
    """The page as HTML text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    speaker = words or Speaker()
    history = run.history if isinstance(run, Watched) else run
    periods = history.window.periods
    check_length(periods)
    picture, notes = _grid(run, speaker) if isinstance(run, Watched) else _map(run, speaker)
    kind = picture["kind"]
    data = {
        **picture,
        "command": origin.command,
        "series": [_series(name, values, speaker) for name, values in history.series.items()],
        "starts": _starts(starts, speaker),
        "periods": periods,
        "words": {key: speaker.say(f"replay-{key}", **_BLANKS.get(key, {})) for key in WORDS},
    }
    environment = Environment(
        loader=PackageLoader("groundswell.report", "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["cell"] = cell
    return environment.get_template("replay.html").render(
        say=speaker.say, language=speaker.language, direction=speaker.direction, origin=origin, notes=notes,
        data=_script_safe(data), table=_table(history, speaker), parameters=list(origin.parameters),
        every=_every(periods), states=picture["states"], kind=kind, alt=speaker.say(f"replay-alt-{kind}"),
        subtitle=speaker.say(f"replay-subtitle-{kind}", model=origin.model, seed=origin.seed),
    )  # fmt: skip


def check_length(periods: int) -> None:
    """UsageError for a run of more steps than a page holds."""
    if periods > MOST_STEPS:
        raise UsageError(
            f"a replay holds {MOST_STEPS} steps at most, and this run has {periods}; shorten it with --days, "
            "or run it without --show."
        )


def check_positions(places: Places) -> None:
    """UsageError for places that no map can show."""
    if places.latitude is None or places.longitude is None:
        raise UsageError(
            "there is nothing to show of this run: its model has no grid, and its places have no positions. "
            "Give --country for a setting with positions, or run it without --show."
        )


_BLANKS: dict[str, dict[str, str]] = {
    "step": {"step": "{step}", "last": "{last}"},
    "other": {"command": "{command}"},
    "steps-a-second": {"speed": "{speed}"},
}
"""What the script puts in, in place of a number that is not known here."""


def _grid(watched: Watched, speaker: Speaker) -> tuple[dict[str, Any], list[str]]:
    count, rows, columns = watched.frames.shape
    notes = [speaker.say(f"replay-{key}") for key in watched.notes]
    if watched.cut:
        down, across = watched.grid
        notes.append(speaker.say("replay-cut", rows=rows, columns=columns, down=down, across=across))
    if watched.every > 1:
        notes.append(speaker.say("replay-thinned", every=watched.every))
    return {
        "kind": "grid", "rows": rows, "columns": columns, "count": count, "steps": watched.steps.tolist(),
        "cells": packed(watched.frames, len(watched.states)),
        "states": [{"key": key, "label": speaker.say(f"state-{key}")} for key in watched.states],
    }, notes  # fmt: skip


def _map(history: History, speaker: Speaker) -> tuple[dict[str, Any], list[str]]:
    places, name = history.places, main_series(history)
    check_positions(places)
    assert places.latitude is not None
    assert places.longitude is not None
    values = np.asarray(history[name], dtype=float)
    place, step = np.nonzero(values)
    if len(place) > MOST_CIRCLES:
        raise UsageError(f"{len(place)} counts are more than a map in a page holds ({MOST_CIRCLES}); use fewer --days.")
    by_step: list[list[list[float]]] = [[] for _ in range(history.window.periods + 1)]
    for at, when in zip(place.tolist(), step.tolist(), strict=True):
        by_step[when + 1].append([at, float(values[at, when])])
    return {
        "kind": "map", "circles": by_step, "most": float(values.max(initial=0)), "main": name,
        "steps": list(range(len(by_step))),
        "places": [
            {"name": n, "at": [x, y]}
            for n, x, y in zip(places.name, places.longitude.tolist(), places.latitude.tolist(), strict=True)
        ],
        "outlines": [np.round(ring, 3).tolist() for ring in outlines(places)],
        "states": [
            {"key": key, "label": speaker.say(f"state-{key}", series=_named(name, speaker))}
            for key in ("place", "reached", "now")
        ],
    }, [speaker.say("replay-map", start=history.window.start.isoformat(), days=history.window.step)]  # fmt: skip


def main_series(history: History) -> str:
    """The series that circles show: events, else active, else the first."""
    return next(name for name in ("events", "active", *history.series) if name in history.series)


def _series(name: str, values: np.ndarray, speaker: Speaker) -> dict[str, Any]:
    return {"key": name, "label": _named(name, speaker), "values": np.asarray(values, dtype=float).sum(axis=0).tolist()}


def _named(series: str, speaker: Speaker) -> str:
    return speaker.say(f"series-{series}") if speaker.knows(f"series-{series}") else series


def _starts(starts: tuple[str, np.ndarray] | None, speaker: Speaker) -> dict[str, Any] | None:
    if starts is None:
        return None
    what, steps = starts
    return {"label": speaker.say(f"replay-{what}"), "steps": (np.asarray(steps) + 1).tolist()}


def _every(periods: int) -> int:
    return -(-periods // MOST_ROWS)


def _table(history: History, speaker: Speaker) -> Table:
    """Totals of all places by step, every so many steps."""
    every = _every(history.window.periods)
    kept = np.arange(0, history.window.periods, every)
    columns: dict[str, Any] = {speaker.say("replay-column-step"): (kept + 1).tolist()}
    for name, values in history.series.items():
        columns[_named(name, speaker)] = np.asarray(values, dtype=float).sum(axis=0)[kept].tolist()
    return Table(columns)


def _script_safe(data: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(rounded(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
