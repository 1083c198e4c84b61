"""What inference by simulation shares: which parameters are learnt from which summaries, and one simulation.

For models that can draw a history and not weigh one. Nothing is asked of them but `simulate`, and a prior for each
parameter to be learnt, from the model's own declaration or stated with the method.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.summaries import Summaries, usual
from groundswell.errors import DataError, GroundswellError, MissingVerb, ParameterError, nearest
from groundswell.infer.adjustment import Line
from groundswell.infer.base import Fit, provenance
from groundswell.infer.windows import Observed, Settings, windows
from groundswell.params import Leaf, Prior, from_vector, leaves
from groundswell.rng import keyed

LITTLE = 0.9
"""A posterior this wide, in sds of the prior on the free coordinate, is called no wiser than the prior."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A model, what was observed of it in summaries, and what is to be learnt.

    learnt : F leaves with their priors. names : S summaries, numbered by window where there are several. observed :
    (S,) their values. line : by which the numbers of a history are turned into these, estimates of the parameters; None
    compares them as they are. y stands everywhere for coordinates (F,) in which the prior is standard normal.
    """

    model: Any
    waves: tuple[tuple[Setting, History], ...]
    summaries: Summaries
    learnt: tuple[Leaf, ...]
    names: tuple[str, ...]
    observed: np.ndarray
    line: Line | None = None

    @classmethod
    def stated(
        cls, method: str, model: Any, setting: Settings, observed: Observed, summaries: Summaries | None,
        priors: Mapping[str, Prior], fixed: Mapping[str, float],
    ) -> Problem:  # fmt: skip
        """ParameterError for a parameter without a prior, DataError for a summary that what was observed lacks."""
        waves = tuple(windows(setting, observed, method))
        for _, history in waves:
            if not isinstance(history, History) or history.weighed is not None:
                raise MissingVerb(f"{method} compares whole histories, without place-steps that are left out.")
        chosen = summaries if summaries is not None else usual(model, [history for _, history in waves])
        seen = np.concatenate([chosen.of(history) for _, history in waves])
        several = len(waves) > 1
        names = tuple(
            f"{name} ({at})" if several else name for at in range(1, len(waves) + 1) for name in chosen.names
        )  # fmt: skip
        for name, value in zip(names, seen, strict=True):
            if not np.isfinite(value):
                raise DataError(f'the summary "{name}" has no value in what was observed; choose another.')
        learnt = _with_priors(method, model, priors, fixed)
        return cls(model, waves, chosen, learnt, names, seen)

    def along(self, line: Line) -> Problem:
        """The same problem with an estimate of each parameter, along a line through the summaries, in their place."""
        names = tuple(f"estimate of {leaf.name}" for leaf in self.learnt)
        return replace(self, names=names, observed=line.at(self.observed), line=line)

    def natural(self, y: np.ndarray) -> np.ndarray:
        """(N, F) natural values at y (N, F)."""
        columns = [
            [leaf.from_free(leaf.center + leaf.sd * x) for x in z] for leaf, z in zip(self.learnt, y.T, strict=True)
        ]
        return np.array(columns).T.reshape(y.shape)

    def simulate(self, y: np.ndarray, rng: np.random.Generator, count: int = 1) -> tuple[np.ndarray, list[str]]:
        """(count, S) the summaries of histories drawn at y (F,), NaN where one failed or exploded, and why in words."""
        values = {leaf.name: leaf.from_free(leaf.center + leaf.sd * x) for leaf, x in zip(self.learnt, y, strict=True)}
        found, reasons = np.full((count, len(self.names)), np.nan), [""] * count
        try:
            model = self.model.replacing(values)
        except GroundswellError as error:
            return found, [str(error)] * count
        for i in range(count):
            try:
                found[i] = self._summaries_of(model, rng)
            except GroundswellError as error:
                reasons[i] = str(error)
        return found, reasons

    def _summaries_of(self, model: Any, rng: np.random.Generator) -> np.ndarray:
        """(S,) of a history drawn in each window; GroundswellError for one that explodes."""
        found = []
        for setting, history in self.waves:
            first = getattr(model, "conditioned_steps", None)  # what a density is given, a simulation is given too
            given = {"given": history.during(first)} if first else {}
            drawn = model.simulate(setting, rng=rng, **given)
            if drawn.exploded:
                raise GroundswellError("the draw exploded")
            found.append(self.summaries.of(drawn))
        values = np.concatenate(found)
        return values if self.line is None else self.line.at(values)

    def fit(
        self, method: Any, y: np.ndarray, weights: np.ndarray, picked: np.ndarray, *, log_density: float, status: str,
        converged: bool, notes: tuple[str, ...], columns: Mapping[str, np.ndarray], details: Mapping[str, Any],
    ) -> Fit:  # fmt: skip
        """The Fit of a weighted sample y (N, F) with weights (N,) that sum to 1; `picked` are the rows of its draws."""
        every = leaves(self.model)
        at = [leaf.name for leaf in every]
        own = [at.index(leaf.name) for leaf in self.learnt]
        values = np.tile([leaf.value for leaf in every], (len(y), 1))
        values[:, own] = self.natural(y)
        mean = np.where(np.isin(np.arange(len(at)), own), weights @ values, values[0])
        centred = values - mean
        covariance = (centred * weights[:, None]).T @ centred
        shown = {name: np.full(len(every), np.nan) for name in columns}
        for name, column in columns.items():
            shown[name][own] = column
        spread = np.sqrt(np.maximum(weights @ (y - weights @ y) ** 2, 0.0))
        blind = [leaf.name for leaf, sd in zip(self.learnt, spread, strict=True) if sd > LITTLE]
        if blind:
            notes += (f"the summaries say little of {', '.join(blind)}: after the data as wide as the prior.",)
        centers, sds = (np.array([getattr(leaf, what) for leaf in self.learnt]) for what in ("center", "sd"))
        return Fit(
            model=from_vector(self.model, mean),
            method=replace(method, processes=1),
            names=tuple(at),
            estimate=mean,
            standard_error=np.sqrt(np.diag(covariance)),
            log_density=log_density,
            status=status,
            converged=converged,
            notes=notes,
            covariance=covariance,
            draws=values[picked],
            details={
                "learnt": tuple(leaf.name for leaf in self.learnt), "leaves": self.learnt, "columns": shown,
                "free": centers + sds * y[picked], "summaries": self.names, "observed": self.observed, **details,
            },
            provenance=provenance(replace(method, processes=1), self.model, [history for _, history in self.waves]),
        )  # fmt: skip


class Simulator:
    """`Problem.simulate` for a worker process, by the key of its randomness."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def __call__(self, y: np.ndarray, key: tuple[int, ...]) -> tuple[np.ndarray, str]:
        """(S,) summaries, and why they are NaN."""
        values, reasons = self.problem.simulate(y, keyed(*key))
        return values[0], reasons[0]


def failures_in_words(reasons: list[str]) -> tuple[str, ...]:
    """A note on simulations that failed, with the commonest reason; none if none did."""
    failed = [why for why in reasons if why]
    if not failed:
        return ()
    common = max(set(failed), key=lambda why: (failed.count(why), why))
    return (
        f"{len(failed):,} of {len(reasons):,} simulations failed or exploded and count as unlike what was observed; "
        f"most often: {common.rstrip('.')}.",
    )


def _with_priors(
    method: str, model: Any, priors: Mapping[str, Prior], fixed: Mapping[str, float]
) -> tuple[Leaf, ...]:  # fmt: skip
    """The leaves that are learnt, each with its prior."""
    every = leaves(model)
    known = [leaf.name for leaf in every]
    for name in priors:
        if name not in known:
            raise ParameterError(f'priors names "{name}", which is no parameter here.' + nearest(name, known, 3))
    stated = [replace(leaf, prior=priors.get(leaf.name, leaf.prior)) for leaf in every if leaf.name not in fixed]
    bare = [leaf for leaf in stated if leaf.prior is None]
    if bare:
        values = ", ".join(f'"{leaf.name}": {leaf.value:g}' for leaf in bare)
        raise ParameterError(
            f"{', '.join(leaf.name for leaf in bare)}: no prior, so {method} cannot draw "
            f"{'it' if len(bare) == 1 else 'them'}. State one, as in {method}(priors={{"
            f'"{bare[0].name}": Prior(median, sd)}}), or hold at a value: fixed={{{values}}}. On the command line: '
            f"--prior {bare[0].name}=MEDIAN,SD, and --fix-rest for the others."
        )
    for leaf in stated:
        if not np.isfinite(leaf.center):
            raise ParameterError(
                f"the prior of {leaf.name} has its median {leaf.prior.median:g} on the boundary of its range "  # type: ignore[union-attr]
                f"[{leaf.low:g}, {leaf.high:g}]; it is normal on the free coordinate, so the median lies inside."
            )
    if not stated:
        raise ParameterError(f"every parameter is held at a value, so {method} has nothing to learn.")
    return tuple(stated)
