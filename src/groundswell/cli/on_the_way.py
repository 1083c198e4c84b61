"""`groundswell simulate` with --resume, --scenario, --save-after or --record: a run that is stopped on the way."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.cli.common import assigned
from groundswell.cli.model_given import check_moments, with_values
from groundswell.cli.simulate_given import RunConfiguration
from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.models.agents.alone import check_one_place
from groundswell.models.agents.recording import Recorder, What
from groundswell.models.moments import Moments, Stop, go_on
from groundswell.models.watching import Watched, watch_grid


@dataclass(frozen=True, eq=False)
class Drawn:
    """A run as it was drawn: the model that it ended with, its history or, to be looked at, its pictures; its files."""

    model: Any
    run: History | Watched
    files: tuple[Path, ...] = ()

    @property
    def history(self) -> History:
        """What happened in it."""
        return self.run.history if isinstance(self.run, Watched) else self.run


@dataclass(frozen=True, eq=False)
class Plan:
    """From where a run goes on, when it is saved, what is written of it, and from when on it is changed.

    after : the step after which `change` sets in; both of a scenario, else None.
    """

    moments: Moments
    begin: Any
    setting: Setting
    after: int | None
    change: Stop | None
    saves: tuple[int, ...]
    what: str
    agents: np.ndarray | None

    @property
    def first(self) -> int:
        """Steps taken before this run goes on."""
        return self.begin.step

    def draw(self, folder: Path | None, *, looked_at: bool, threads: int) -> Drawn:
        """The run, under the scenario if there is one, with its files in the folder."""
        files: list[Path] = []

        def stop(now: Any) -> Any:
            if now.step == self.after and self.change is not None:
                now = self.change(now)
            if now.step in self.saves and folder is not None:
                files.append(folder / f"step-{now.step}.npz")
                now.save(files[-1])
            return now

        at = {*self.saves, *([] if self.after is None else [self.after])}
        begin = stop(self.begin)
        recording: Any = nullcontext()
        if self.what != "none" and folder is not None:
            files.append(folder / "record.parquet")
            what: What = self.what  # type: ignore[assignment]
            recording = Recorder(files[-1], begin, what, self.agents)
        with recording as recorder:
            drawn = self._drawn(begin, dict.fromkeys(at, stop), recorder, looked_at, threads)
        return Drawn(drawn.model, drawn.run, tuple(files))

    def without(self, *, looked_at: bool, threads: int) -> Drawn:
        """The run without the scenario, from the same moment, with the same luck."""
        return self._drawn(self.begin, {}, None, looked_at, threads)

    def _drawn(self, now: Any, stops: Mapping[int, Stop], watcher: Any, looked_at: bool, threads: int) -> Drawn:
        take = partial(go_on, self.moments, stops=stops, watcher=watcher, threads=threads)
        last, places, window = now, self.setting.places, self.setting.window

        def noted(now: Any, steps: int) -> tuple[Any, Mapping[str, np.ndarray]]:
            nonlocal last
            last, series = take(now, steps)
            return last, series

        if looked_at:
            watched = watch_grid(now, noted, self.setting, self.moments.states, now.model.picture, now.model.note)
            return Drawn(last.model, watched)
        _, series = noted(now, window.periods)
        return Drawn(last.model, History(places, window, {name: row[None, :] for name, row in series.items()}))


def planned(given: RunConfiguration, model: Any, setting: Setting, moment: Any, rng: np.random.Generator) -> Plan:
    """What is asked for, checked as far as it can be before the first step. moment : to go on from; None begins."""
    moments = check_moments(type(model), given.model)
    check_one_place(model, setting, "grid")
    begin = model.populate(rng=rng) if moment is None else moment
    end = begin.step + setting.window.periods
    for step in given.save_after:
        if not begin.step <= step <= end:
            raise UsageError(
                f"--save-after {step} lies outside the run, which goes from step {begin.step} to {end}; --days says "
                "how many steps it takes."
            )
    change, after = _change(given, moments), None
    if change is not None:
        named = given.named_scenario()
        usual = begin.step if named is None or moment is not None else named.after
        after = usual if given.after is None else given.after
        if not begin.step <= after < end:
            raise UsageError(
                f"the scenario {given.scenario} sets in after step {after}, and the run goes from step {begin.step} to "
                f"{end}. --after says when it sets in, --days how many steps the run takes."
            )
        changed = change(begin)
        if changed.model == begin.model and np.array_equal(changed.frame(), begin.frame()):
            raise UsageError(f"the scenario {given.scenario} changes nothing of this run: it is so already.")
    agents = None if given.agents is None else _numbers(given.agents)
    if given.record == "agents":
        begin.numbers(agents)
    return Plan(moments, begin, setting, after, change, given.save_after, given.record, agents)


def _change(given: RunConfiguration, moments: Moments) -> Stop | None:
    """The scenario's change, or the values of one's own."""
    if given.scenario is None:
        return None
    named = given.named_scenario()
    if named is not None:
        return named.change
    values = assigned(given.scenario.split(",")) or {}
    return lambda now: moments.changed(now, with_values(now.model, values))


def _numbers(text: str) -> np.ndarray:
    """[0, 1, 2, 7] from "0-2,7"."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.strip().isdecimal() or not (last or first).strip().isdecimal() or int(last or first) < int(first):
            raise UsageError(f'--agents "{text}" is no list of numbers; write it as 0-99,150.')
        found += range(int(first), int(last or first) + 1)
    return np.unique(np.array(found, dtype=np.int64))
