"""A sweep as a value, and its one pure task: a configuration and a seed in, a few numbers out.

Seed s is the same luck in every configuration: the model is handed `keyed(seed, s)`, whatever its parameters are,
whoever runs it and in which order. Differences between configurations are then differences of the parameters as
far as the model lets them be (agent models draw by a hash of agent and purpose and let them be most).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import groundswell
from groundswell.data.setting import Setting
from groundswell.data.summaries import Summaries
from groundswell.errors import ParameterError, UsageError, nearest
from groundswell.params import names
from groundswell.rng import keyed
from groundswell.sweeps.designs import Design

DESIGN_KEY, RUN_KEY = 0, 1
"""Under the sweep's seed: what the design draws, and what the runs draw."""

MOST_RUNS = 1_000_000
"""A file each; beyond this a file system and its owner suffer."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A model in a setting at the configurations of a design, each under the same `seeds` seeds.

    summaries : what is kept of each history. seed : of the design and of every run.
    """

    model: Any
    setting: Setting
    design: Design
    summaries: Summaries
    seeds: int = 1
    seed: int = 1

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UsageError(f"a sweep of {self.seeds} seeds; expected 1 or more.")
        known = names(self.model)
        for name in self.design.names:
            if name not in known:
                raise ParameterError(
                    f'the design varies "{name}", which is no parameter here.' + nearest(name, known, 3)
                )
        if self.runs > MOST_RUNS:
            raise UsageError(
                f"a sweep of {self.runs:,} runs, each in a file of its own; expected at most {MOST_RUNS:,}. Take fewer "
                "configurations or seeds."
            )

    @cached_property
    def configurations(self) -> np.ndarray:
        """(N, K) values of the parameters that vary."""
        return self.design.configurations(keyed(self.seed, DESIGN_KEY))

    @property
    def runs(self) -> int:
        """How many tasks there are."""
        return len(self.configurations) * self.seeds

    @cached_property
    def identity(self) -> dict[str, str]:
        """What a run depends on, by digest. The number of seeds is no part of it: more may be added later."""
        return {
            "model": _digest(self.model),
            "setting": _digest(self.setting),
            "parameters": _digest((self.design.names, self.configurations)),
            "summaries": " | ".join(self.summaries.names),
            "seed": str(self.seed),
            "version": groundswell.__version__,
        }

    def task(self) -> Task:
        """What a worker needs."""
        return Task(self.model, self.setting, self.summaries, self.seed)


@dataclass(frozen=True, eq=False)
class Task:
    """The pure function that every worker runs."""

    model: Any
    setting: Setting
    summaries: Summaries
    seed: int

    def __call__(self, parameters: Mapping[str, float], seed: int) -> dict[str, Any]:
        """Summaries by name (None where missing) and whether the draw exploded, or the error in words."""
        try:
            model = self.model.replacing(parameters)
            history = model.simulate(self.setting, rng=keyed(self.seed, RUN_KEY, seed))
            found = self.summaries.of(history)
        except Exception as error:  # one run that fails is a result too, and must not end the others
            return {"error": f"{type(error).__name__}: {error}"}
        values = [float(value) if np.isfinite(value) else None for value in found]
        return {"exploded": history.exploded, "summaries": dict(zip(self.summaries.names, values, strict=True))}


def _digest(value: Any) -> str:
    from joblib import hash as digest

    return str(digest(_fields(value)))


def _fields(value: Any) -> Any:
    """Values by their fields alone: what a setting or a model has computed and kept on the way is no part of it."""
    if dataclasses.is_dataclass(value):
        return type(value).__qualname__, [(f.name, _fields(getattr(value, f.name))) for f in dataclasses.fields(value)]
    if isinstance(value, Mapping):
        return type(value).__qualname__, [(name, _fields(inner)) for name, inner in value.items()]
    return [_fields(inner) for inner in value] if isinstance(value, tuple | list) else value
