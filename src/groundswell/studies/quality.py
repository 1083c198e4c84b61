"""How well a study is computed: effective draws and the noise of its filter, against their limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.quantities import quantity
from groundswell.infer.base import Fit
from groundswell.infer.plan import Plan
from groundswell.rng import keyed
from groundswell.studies.answers import HALF, asked_windows, is_count
from groundswell.studies.case import Built

EFFECTIVE_LIMIT = 200.0
"""Effective draws below which a run is flagged."""
NOISE_LIMIT = 2.0
"""Sd of the filter's log-likelihood at the posterior mean above which a run is flagged."""
NOISE_FILTERS = 20
"""Filters at the posterior mean from which that sd is taken."""


def filter_noise(built: Built, found: Fit, seed: int) -> float:
    """Sd of the log-likelihood over filters at the posterior mean."""
    plan = Plan(built.account, built.setting, built.observed(), integrated=found.details["integrated"])
    logs = [
        found.method.filter.run(plan, found.model, rng=keyed(seed, 6, i)).log_likelihood  # type: ignore[arg-type]
        for i in range(NOISE_FILTERS)
    ]
    return float(np.std(logs, ddof=1))


@dataclass(frozen=True)
class Weighted:
    """Values of a quantity and their weights, (M,) each; the weights sum to 1."""

    values: np.ndarray
    weights: np.ndarray

    @property
    def mean(self) -> float:
        """The posterior mean."""
        return float(self.weights @ self.values)

    @property
    def variance(self) -> float:
        """The posterior variance."""
        return float(self.weights @ (self.values - self.mean) ** 2)

    @property
    def effective(self) -> float:
        """Independent draws that the mean is worth: the variance over that of the weighted mean, sum w^2 (x - mean)^2.

        Runs over seeds agree with it: docs/study-iran-2017.md.
        """
        of_mean = float(self.weights**2 @ (self.values - self.mean) ** 2)
        return self.variance / of_mean if of_mean > 0 else float(len(self.values))


TOTALS = {"cities": "cities_so_far", "arrests": "arrests_so_far"}
"""By class of quantity, the path whose end effective draws are counted for, where claims speak of that class."""


def targets(built: Built, found: Fit, posterior: Sequence[Mapping[str, Any]]) -> dict[str, Weighted]:
    """What the effective draws are counted for: log cities, log arrests, every bias.

    Of these the totals of which claims speak; where they speak of neither, the windows that they ask for. Histories are
    known for the draws alone, where a value that was drawn n times of N counts once, with weight n / N; biases for
    every value tried.
    """
    _, first, times = np.unique(found.details["index"], return_index=True, return_counts=True)

    def drawn(name: str, values: Sequence[float]) -> Weighted:
        return Weighted(np.log(np.array(values)[first] + (HALF if is_count(name) else 0.0)), times / len(posterior))

    spoken = {quantity(claim.quantity).kind for claim in built.claims.weighed}
    totals = {kind: [draw[path][-1] for draw in posterior] for kind, path in TOTALS.items() if kind in spoken}
    if not totals:
        totals = {name: [draw["hidden"][at] for draw in posterior] for name, at in asked_windows(built).items()}
    biases = {
        name.removeprefix("reporting."): Weighted(found.details["tried"][:, i], found.details["weight"])
        for i, name in enumerate(found.names)
        if name.startswith("reporting.bias.")
    }
    return {f"log {name}": drawn(name, values) for name, values in totals.items()} | biases


def quality(built: Built, found: Fit, noise: float, posterior: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Effective draws and noise against their limits, with a sentence for each limit that is missed."""
    draws = targets(built, found, posterior)
    effective = {name: target.effective for name, target in draws.items()}
    short = {name: value for name, value in effective.items() if value < EFFECTIVE_LIMIT}
    reasons = [f"{value:.0f} effective draws for {name}, below {EFFECTIVE_LIMIT:.0f}" for name, value in short.items()]
    if noise > NOISE_LIMIT:
        reasons.append(f"the log-likelihood varies by {noise:.1f} between filters, above {NOISE_LIMIT:g}")
    return {
        "effective_draws": effective,
        "posterior_mean": {name: target.mean for name, target in draws.items()},
        "posterior_sd": {name: float(np.sqrt(target.variance)) for name, target in draws.items()},
        "log_likelihood_sd": noise,
        "filters": found.details["evaluations"],
        "worth": found.details["effective"],
        "stages": found.details["stages"],
        "reasons": reasons,
        "passed": not reasons,
    }
