"""The posterior of a model's parameters given a history: draws by the No-U-Turn sampler.

Works for every model with the verb `likelihood`. The sampler moves on the free coordinates of `params`. A
prior there is stated as a normal on the free coordinate itself, so prior times likelihood is a density of that
coordinate as it stands: what would need a Jacobian is a prior stated as a density of the natural parameter.

The sampler is nutpie's (an optional package). During `tune` it learns from draws and gradients the scale of
each coordinate and the few directions in which coordinates depend on each other most: intercepts and the
effects of covariates that are not centred do, and without this the chains were ten times slower on such data.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from groundswell.errors import ParameterError, UsageError
from groundswell.infer.base import Fit, Progress, provenance, silent
from groundswell.infer.convergence import arviz, convergence
from groundswell.infer.density import FreeDensity
from groundswell.infer.windows import Observed, Settings, Waves, likelihood_of, remarks_of, windows
from groundswell.infer.workers import Workers
from groundswell.models.base import Likelihood, require
from groundswell.params import from_vector, leaves
from groundswell.rng import keyed

START = 0.5
"""Chains start at draws from the prior, its sd made smaller by this factor.

Apart from each other, or R-hat could not tell that they ended apart; and not at a maximum, which need not exist
where data say little and sits on a bound where they show none of an effect. The far tails are left out since
there a model may grow beyond any number.
"""

EFFECTS_START = 0.1
"""Standard deviation of the random effects, on their log scale, around the model's values at the start."""

STARTS = 100
"""Such draws a chain tries before it gives up on finding a finite density."""


@dataclass(frozen=True)
class Posterior:
    """Draws from the posterior by NUTS, with diagnostics that decide whether they may be trusted.

    draws, tune : kept and thrown away by each of `chains` chains. accept : the acceptance that tuning aims at;
    nearer 1 makes shorter steps, which cures divergences at a price. processes : chains at work at once; a
    chain's randomness is named by the seed and its number, so the draws are the same for any number.

    Every parameter needs a prior or a value to be held at (`fixed`); random effects, whose density the model
    states given its other parameters, need neither.

    Hoffman and Gelman (2014), JMLR 15, for NUTS; limits of `infer.convergence` after Vehtari, Gelman, Simpson,
    Carpenter and Bürkner (2021), Bayesian Analysis 16.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    accept: float = 0.8
    processes: int = 1

    def __post_init__(self) -> None:
        if self.draws < 10 or self.tune < 10 or self.chains < 2 or self.processes < 1 or not 0 < self.accept < 1:
            raise UsageError(
                f"{self} cannot run: 10 or more draws and steps of tuning, 2 or more chains (to be compared with each "
                "other), 1 process or more and an acceptance between 0 and 1 are needed."
            )

    def fit(
        self,
        model: Any,
        setting: Settings,
        observed: Observed,
        *,
        rng: np.random.Generator,
        fixed: Mapping[str, float],
        progress: Progress = silent,
    ) -> Fit:
        """The Fit's model is at the posterior mean, and log_density is that of the history there, without the prior.

        draws : (S, K), chain after chain; a held parameter's column is constant. details : "chains"; "free"
        (S, F), the draws on free coordinates of the "learnt" names; "log_posterior" (S,) up to a constant;
        "columns", the diagnostics by parameter that `summary` shows; "divergences"; "evaluations" of the density,
        tuning included; "seconds" of processor time, tuning included, and "ess_per_second", the smallest bulk ESS
        over it. Those last two differ from run to run; everything else follows from the seed.
        """
        require(model, "likelihood", "Posterior")
        waves = windows(setting, observed, "Posterior")
        _nutpie()
        arviz()
        target = Target(model, waves, fixed)
        root = int(rng.integers(0, 2**63))
        known = progress if self.processes == 1 else silent
        work = (Chain, (self, model, waves, fixed, known))
        found: list[Drawn] = []
        with Workers(work, min(self.processes, self.chains)) as workers:
            for drawn in workers.each([(root, number) for number in range(self.chains)]):
                found.append(drawn)
                progress(len(found) / self.chains, f"{len(found)} of {self.chains} chains")
        return _result(self, target, model, waves, found)


class Target:
    """Log posterior and its gradient on the free coordinates; minus infinity where the density is not finite."""

    def __init__(self, model: Any, waves: Waves, fixed: Mapping[str, float]) -> None:
        effects, effects_density = _effects(model, waves)
        bare = [leaf for leaf in leaves(model) if leaf.prior is None and leaf.name not in {*fixed, *effects}]
        if bare:
            words = ", ".join(f'"{leaf.name}": {leaf.value:g}' for leaf in bare)
            raise ParameterError(
                f"{', '.join(leaf.name for leaf in bare)}: no prior, so Posterior cannot draw "
                f"{'it' if len(bare) == 1 else 'them'}. Hold at a value: fixed={{{words}}}."
            )
        likelihood = likelihood_of(model, waves)
        if effects_density is not None:
            likelihood = _sum(likelihood, effects_density)
        self.density = FreeDensity(model, likelihood, fixed)
        # an effect has no prior of its own: one without end takes no part
        self.center = np.array([leaf.center if leaf.prior else 0.0 for leaf in self.density.leaves])
        self.sd = np.array([leaf.sd if leaf.prior else np.inf for leaf in self.density.leaves])

    def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        """(log posterior up to a constant, gradient) at free coordinates (F,)."""
        nothing = -math.inf, np.zeros(len(at))
        if not (np.abs(at) < 1e100).all():  # a trajectory that ran away
            return nothing
        try:
            lost, slope = self.density(at)
        except ArithmeticError:  # Python's own numbers raise where numpy's become infinite
            return nothing
        apart = (at - self.center) / self.sd
        return -lost - 0.5 * float(apart @ apart), -slope - apart / self.sd

    def start(self, rng: np.random.Generator) -> np.ndarray:
        """(F,) a draw near the middle of the prior at which the density is finite; effects start near the model's."""
        known = np.isfinite(self.sd)
        middle = np.where(known, self.center, self.density.start)
        width = np.where(known, START * self.sd, EFFECTS_START)
        for _ in range(STARTS):
            at = middle + width * rng.standard_normal(len(middle))
            value, gradient = self(at)
            if math.isfinite(value) and np.isfinite(gradient).all():
                return at
        raise UsageError(
            f"the log density is not finite at any of {STARTS} draws from the prior, the last with "
            f"{self.density.words(at)}. Narrow the priors, or hold a parameter with `fixed`."
        )


class Drawn(NamedTuple):
    """What one chain brings home after tuning."""

    free: np.ndarray
    log_posterior: np.ndarray
    divergences: int
    evaluations: int
    seconds: float


class Chain:
    """The sampler for one chain; built once in every process."""

    def __init__(
        self, method: Posterior, model: Any, waves: Waves, fixed: Mapping[str, float], progress: Progress
    ) -> None:
        self.method, self.progress = method, progress
        self.target = Target(model, waves, fixed)

    def __call__(self, root: int, number: int) -> Drawn:
        """The chain of this number under the randomness of `root`."""
        method, target = self.method, self.target
        rng = keyed(root, number)
        start = target.start(rng)
        if not len(start):
            nothing = np.zeros((method.draws, 0))
            return Drawn(nothing, np.full(method.draws, target(start)[0]), 0, 1, 0.0)
        failures: list[Exception] = []

        def log_posterior(at: np.ndarray) -> tuple[float, np.ndarray]:
            # nutpie runs this in a thread of its own, where an error would end the process with a panic; a value that
            # is not finite it takes as a divergence and goes on
            try:
                return target(np.asarray(at))
            except Exception as error:
                failures.append(error)
                return -math.inf, np.zeros(len(at))

        before, clock = target.density.evaluations, time.process_time()
        trace = self._run(log_posterior, start, int(rng.integers(0, 2**63)), number, failures)
        seconds = time.process_time() - clock
        (draws,), (stats,) = trace.get_arrow_trace()
        kept = ~_column(stats, "tuning").astype(bool)
        return Drawn(
            _column(draws, "z").reshape(len(kept), -1)[kept],
            _column(stats, "logp")[kept],
            int(_column(stats, "diverging")[kept].sum()),
            target.density.evaluations - before,
            seconds,
        )

    def _run(
        self, log_posterior: Callable, start: np.ndarray, seed: int, number: int, failures: list[Exception]
    ) -> Any:
        """nutpie's trace of one chain, waited for in short spells so that errors and Ctrl-C are heard."""
        nutpie, method = _nutpie(), self.method
        made = 0

        def expand(at: np.ndarray) -> dict[str, np.ndarray]:
            nonlocal made
            made += 1
            return {"z": at}

        compiled = nutpie.compiled_pyfunc.from_pyfunc(
            len(start), lambda: log_posterior, lambda *_: expand, ["float64"], [(len(start),)], ["z"],
            make_initial_point_fn=lambda _: start,
        )  # fmt: skip
        sampler = nutpie.sample(
            compiled, draws=method.draws, tune=method.tune, chains=1, cores=1, seed=seed, target_accept=method.accept,
            low_rank_modified_mass_matrix=True, progress_bar=False, return_raw_trace=True, blocking=False,
        )  # fmt: skip
        try:
            while True:
                try:
                    trace = sampler.wait(timeout=0.2)
                    break
                except TimeoutError:
                    if failures:
                        break
                    share = (number + made / (method.tune + method.draws)) / method.chains
                    self.progress(min(share, 1.0), f"chain {number + 1} of {method.chains}, step {made}")
        except BaseException:
            sampler.cancel()
            raise
        if failures:
            sampler.cancel()
            raise failures[0]
        return trace


def _effects(model: Any, waves: Waves) -> tuple[tuple[str, ...], Likelihood | None]:
    """The leaves that are random effects, and their joint log density given the other leaves.

    They lie on the whole line, so their free coordinates are their natural values and no Jacobian arises.
    """
    names = tuple(name for row in getattr(model, "effect_names", ()) for name in row)
    return (names, model.effects_density(waves[0][0])) if names else ((), None)


def _sum(first: Likelihood, second: Likelihood) -> Likelihood:
    def both(vector: np.ndarray) -> tuple[float, np.ndarray]:
        (value, gradient), (more, slope) = first(vector), second(vector)
        return value + more, gradient + slope

    return both


def _nutpie() -> Any:
    """The package, or an error that says how to get it."""
    try:
        with warnings.catch_warnings():  # it imports an ArviZ that announces its own successor once a day
            warnings.simplefilter("ignore")
            import nutpie
            import nutpie.compiled_pyfunc
    except ModuleNotFoundError as error:
        if error.name != "nutpie":
            raise
        raise UsageError('Posterior needs nutpie. Install it with: pip install "groundswell[bayes]"') from error
    return nutpie


def _column(batch: Any, name: str) -> np.ndarray:
    """A column of nutpie's Arrow table, lists laid end to end."""
    import pyarrow

    column = pyarrow.array(batch.column(name))
    while hasattr(column, "flatten") and pyarrow.types.is_nested(column.type):
        column = column.flatten()
    return column.to_numpy(zero_copy_only=False)


def _result(method: Posterior, target: Target, model: Any, waves: Waves, found: list[Drawn]) -> Fit:
    density = target.density
    free = np.concatenate([drawn.free for drawn in found])
    draws = np.array([density.natural(row) for row in free])
    mean = draws.mean(axis=0)
    fitted = from_vector(model, mean)
    divergences = sum(drawn.divergences for drawn in found)
    names = tuple(leaf.name for leaf in leaves(model))
    by_chain = draws.reshape(method.chains, method.draws, -1)
    told = convergence(by_chain, names, density.free, divergences)
    seconds = sum(drawn.seconds for drawn in found)
    notes = told.notes + remarks_of(fitted, waves)
    return Fit(
        model=fitted,
        method=replace(method, processes=1),
        names=names,
        estimate=mean,
        standard_error=draws.std(axis=0),
        log_density=float(likelihood_of(fitted, waves)(mean)[0]),
        status=told.status,
        converged=told.converged,
        notes=notes,
        covariance=np.cov(draws.T).reshape(len(names), len(names)),
        draws=draws,
        details={
            "chains": method.chains,
            "learnt": tuple(leaf.name for leaf in density.leaves),
            "free": free,
            "log_posterior": np.concatenate([drawn.log_posterior for drawn in found]),
            "columns": told.columns,
            "divergences": divergences,
            "evaluations": sum(drawn.evaluations for drawn in found),
            "seconds": seconds,
            "ess_per_second": told.least / max(seconds, 1e-9),
        },
        provenance=provenance(replace(method, processes=1), model, [history for _, history in waves]),
    )
