"""Histories drawn from a fitted model and fitted again: the parametric bootstrap that checks of a fit rest on.

A fitted model is closer to its own data than the true one is, so that statistics of lack of fit are smaller than their
textbook laws, which hold for parameters known beforehand (Lilliefors 1967, Journal of the American Statistical
Association 62, 399-402). What a statistic does in histories that the fitted model itself has drawn, each with its own
fit, is free of this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import GroundswellError, UsageError
from groundswell.infer.base import Fit, Method, Progress, fit, silent


def held(fitted: Fit) -> Mapping[str, float]:
    """The parameters that a fit held at a value, by dotted name: those with a standard error of 0."""
    known = zip(fitted.names, fitted.estimate, fitted.standard_error, strict=True)
    return {name: float(value) for name, value, error in known if error == 0}


def model_of(fitted: Fit | Any) -> Any:
    """The model of a Fit, or the model itself."""
    return fitted.model if isinstance(fitted, Fit) else fitted


def learnt_from(fitted: Fit | Any, history: History) -> bool:
    """Whether the parameters were estimated from this very history."""
    return isinstance(fitted, Fit) and history.digest() in str(fitted.provenance.get("digest", "")).split()


@dataclass(eq=False)
class Replicas:
    """Pairs (model, history) of S histories drawn from a fit's model, each beside the model fitted to it.

    refit : False keeps the parameters: the law of a statistic had they been known. method : None, the fit's own.
    A replica that cannot be drawn or fitted (it explodes, it has no event) is left out, and counted in `lost` by its
    reason; one whose fit did not converge stays, and is counted in `unsure`. Generators are spawned from rng, one a
    replica, so that a lost one changes no other.
    """

    fitted: Fit | Any
    setting: Setting
    count: int
    rng: np.random.Generator
    refit: bool = True
    method: Method | None = None
    progress: Progress = silent
    lost: dict[str, int] = field(default_factory=dict)
    unsure: int = 0

    def __post_init__(self) -> None:
        if self.refit and self.count and not isinstance(self.fitted, Fit) and self.method is None:
            raise UsageError(
                "replicas are fitted again by the method of a Fit, and a model was given. Give the Fit, or a method; "
                "refit=False keeps the parameters, which is right only where they were not learnt from these events."
            )

    def __iter__(self) -> Iterator[tuple[Any, History]]:
        model = model_of(self.fitted)
        fixed = held(self.fitted) if isinstance(self.fitted, Fit) else {}
        method = self.method or getattr(self.fitted, "method", None)
        for k, rng in enumerate(self.rng.spawn(self.count)):
            self.progress(k / self.count, f"replica {k + 1} of {self.count}")
            try:
                history = model.simulate(self.setting, rng=rng)
                if not self.refit:
                    yield model, history
                    continue
                again = fit(model, self.setting, history, method, rng=rng, fixed=fixed)  # type: ignore[arg-type]
            except GroundswellError as error:
                self.lost[str(error)] = self.lost.get(str(error), 0) + 1
                continue
            self.unsure += not again.converged
            yield again.model, history
        self.progress(1.0, "done")

    def remarks(self) -> tuple[str, ...]:
        """What became of them, once they have all been drawn."""
        found = []
        if missing := sum(self.lost.values()):
            first = next(iter(self.lost))
            found.append(f"{missing} of {self.count} replicas could not be drawn or fitted, the first since: {first}")
        if self.unsure:
            found.append(f"{self.unsure} of {self.count} replicas were fitted without convergence and are counted.")
        return tuple(found)


def at_least_as_extreme(observed: float, replicas: np.ndarray) -> float:
    """Monte Carlo p-value of a statistic that is large under lack of fit: (1 + replicas at or above) / (1 + S).

    The observed history counts as one of them, so that a right model is refused with probability at most the level
    for any S (Barnard 1963; Besag and Clifford 1989, Biometrika 76, 633-642). NaN for an undefined statistic.
    """
    if np.isnan(observed):
        return float("nan")
    return float((1 + (replicas >= observed).sum()) / (1 + len(replicas)))


def meaning(fitted: Fit | Any, history: History, replicates: int, refit: bool) -> str:
    """What the p-values of a table with "p known" and "p simulated" are worth, in a sentence or two."""
    if not isinstance(fitted, Fit):
        said = '"p known" holds if these parameters were not learnt from these events, and is naive (too large) if so.'
    elif not learnt_from(fitted, history):
        said = (
            '"p known" takes the parameters, learnt from other events, as known; their own doubt makes a right model '
            "look worse than it is."
        )
    else:
        said = (
            '"p known" is naive here: the parameters were estimated from these very events, and it is too large for '
            "that. "
            + ("Read " if replicates and refit else "Give replicates=99 or more and read ")
            + '"p simulated" instead.'
        )
    if replicates and not refit:
        said += ' "p simulated" is from replicas with the parameters kept, so the same is true of it.'
    return said
