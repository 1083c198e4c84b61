"""`groundswell simulate --show`: a run as a page to play again and as an animation file."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.models.base import can
from groundswell.models.watching import Watched
from groundswell.params import Component, leaves

if TYPE_CHECKING:
    from groundswell.cli.simulate_given import RunConfiguration


def command(configuration: RunConfiguration) -> str:
    """The command line that makes the run again; components stated as tables stand in the configuration file."""
    given = configuration
    words = ["groundswell", "simulate", given.model.replace("_", "-") if given.model == given.name else given.model]
    if given.components:
        words = ["groundswell", "simulate", "--config", "configuration.toml"]
    else:
        words += ["--preset", given.preset] if given.preset is not None else []
        for name, value in given.set.items():
            words += ["--set", f"{name}={_plain(value)}"]
        for part in given.without:
            words += ["--without", part]
        for flag in ("days", "start", "country", "resume", "scenario", "after"):
            value = getattr(given, flag)
            words += [f"--{flag}", str(value)] if value is not None else []
        words += ["--seed", str(given.seed)]
    return shlex.join([*words, "--show"])


def check(model: Any, setting: Setting, animation: str | None) -> None:
    """UsageError, before the run, for a page or an animation that cannot be made of it."""
    from groundswell.report.animation import check_kind
    from groundswell.report.replay import check_length, check_positions

    check_length(setting.window.periods)
    if not can(model, "watch"):
        check_positions(setting.places)
    if animation in (None, "none"):
        return
    check_kind(animation)
    if not can(model, "watch"):
        raise UsageError(
            f"--animation {animation} is of a grid, which {type(model).__name__} does not have; leave it out, and "
            "--show writes a page with a map."
        )


def write(
    model: Any, run: Watched | History, configuration: RunConfiguration, folder: Path, animation: str
) -> tuple[list[Path], list[str]]:  # fmt: skip
    """Write replay.html, and the animation of a grid; the files, and what was shortened in words."""
    from groundswell.report.replay import Origin, write_replay

    origin = Origin(
        configuration.name, type(model).title, type(model).paper, configuration.seed, command(configuration),
        parameter_rows(model),
    )  # fmt: skip
    history = run.history if isinstance(run, Watched) else run
    starts = model.starts(history) if can(model, "starts") else None
    files = [write_replay(folder / "replay.html", run, origin, starts=starts)]
    notes: list[str] = []
    if isinstance(run, Watched) and animation != "none":
        from groundswell.report.animation import write_animation

        path, every = write_animation(run, folder, animation)
        files.append(path)
        if every > 1:
            notes.append(f"{path.name} shows one step in {every}, so that viewers can hold it; the tables have all.")
    return files, notes


LONGEST = 2000
"""Characters of a value that a page shows, such as a list of thresholds."""


def parameter_rows(model: Component) -> list[Mapping[str, Any]]:
    """Every parameter with its unit and meaning, then every other field, those of components inside by dotted names."""
    rows: list[Mapping[str, Any]] = [
        {"parameter": leaf.name, "value": leaf.value, "unit": leaf.unit, "meaning": leaf.doc} for leaf in leaves(model)
    ]
    return rows + [{"parameter": name, "value": value, "unit": "", "meaning": ""} for name, value in _others(model)]


def _others(component: Component, prefix: str = "") -> Iterator[tuple[str, object]]:
    for field in dataclasses.fields(component):  # type: ignore[arg-type]
        given, name = getattr(component, field.name), prefix + field.name
        if "param" in field.metadata:
            continue
        if isinstance(given, Component):
            yield name, type(given).__name__
            yield from _others(given, name + ".")
        else:
            text = str(given)
            yield name, given if type(given) is int else text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _plain(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:.12g}"
