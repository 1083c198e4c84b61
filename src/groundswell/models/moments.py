"""Runs that are stopped on the way: saved at a step, resumed, recorded, and branched into a scenario.

A moment is a value: what stands between two steps of a run, with its `model`, its `step` and `save(path)`. A model that
has the verb `moments()` says how its moments are read back and taken further. Every draw is a hash of the step, so
stopping alters nothing, and a run that goes on under other rules shares the luck of the one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from groundswell.errors import UsageError

Block = tuple[Mapping[str, np.ndarray], Callable[[], Any]]
"""What happened in some steps, series (T,) by name, and a call for the moment after them."""

Stop = Callable[[Any], Any]
"""From a moment to the one from which the run goes on: another, or the same after it was saved."""


@dataclass(frozen=True)
class Moments:
    """What a model can do with the moments of its runs.

    load(path) : what `moment.save(path)` wrote. advance(moment, steps, watched=, threads=) : blocks of steps, one by
    one if `watched`. series : the names of what is counted. states : what the numbers of `moment.frame()` mean, by
    name. settled : fields of the model by which a run begins, so that another value later on would change nothing.
    """

    load: Callable[[Path], Any]
    advance: Callable[..., Iterator[Block]]
    series: tuple[str, ...]
    states: tuple[str, ...]
    settled: tuple[str, ...]

    def changed(self, moment: Any, model: Any) -> Any:
        """The moment under another model of its kind; UsageError where that cannot mean anything any more."""
        for field in fields(model):
            if field.name in self.settled and getattr(model, field.name) != getattr(moment.model, field.name):
                raise UsageError(
                    f"{type(model).__name__}.{field.name} is {getattr(moment.model, field.name)} in the run and cannot "
                    f"become {getattr(model, field.name)} at step {moment.step}: it says how a run begins, and would "
                    "change nothing of this one. Begin a new run with it."
                )
        return replace(moment, model=model)


@dataclass(frozen=True)
class Scenario:
    """A change of a run, to be set beside the run without it.

    doc : what changes. without : the model that is run where no other is stated. after : the steps taken before it sets
    in, where no number is stated. change : the moment at which it sets in -> the one from which the run goes on.
    """

    doc: str
    without: Any
    after: int
    change: Stop


class Watcher(Protocol):
    """Who is shown a run as it goes; `watched` if step by step."""

    watched: bool

    def see(self, series: Mapping[str, np.ndarray], now: Callable[[], Any]) -> None:
        """What happened in the last steps, and a call for the moment after them."""


def go_on(
    moments: Moments,
    moment: Any,
    steps: int,
    *,
    stops: Mapping[int, Stop] | None = None,
    watcher: Watcher | None = None,
    threads: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> tuple[Any, dict[str, np.ndarray]]:
    """Take `steps` steps; the moment after them and the series, (steps,) each.

    stops : what is done to the moment after a step, by the number of that step in its run; after the last one too, but
    not before the first. Nothing of this changes what happens.
    """
    first, end = moment.step, moment.step + steps
    parts: list[Mapping[str, np.ndarray]] = []
    inside = {step: stop for step, stop in (stops or {}).items() if first < step <= end}
    watched = watcher is not None and watcher.watched
    for upto in sorted({*inside, end}):
        after: Callable[[], Any] | None = None
        for series, after in moments.advance(moment, upto - moment.step, watched=watched, threads=threads):
            parts.append(series)
            if watcher is not None:
                watcher.see(series, after)
            if progress is not None:
                taken = sum(len(part[moments.series[0]]) for part in parts)
                progress(taken / steps, f"step {first + taken}")
        moment = moment if after is None else after()
        moment = inside[upto](moment) if upto in inside else moment
    if not parts:
        return moment, {name: np.zeros(0) for name in moments.series}
    return moment, {name: np.concatenate([part[name] for part in parts]) for name in moments.series}
