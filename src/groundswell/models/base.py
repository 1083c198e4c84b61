"""What a model is: a frozen set of parameters with units, and the verbs it truly has.

Verbs, each optional but `simulate`; `can(model, verb)` asks, `require(...)` insists.

simulate(setting, *, rng, given=None) -> History
    Draw a history. With `given` (a history of the first steps of the window) it continues from it.
paths(setting, history, *, draws, rng, series) -> (S, P, K)
    The K steps after `history`, S times at once: for models that do this faster than S calls of
    `simulate`. NaN from the step at which a path exploded.
likelihood(setting, history) -> Callable[[vector], (value, gradient)]
    The log density and its gradient as a function of the parameter vector, in the order of
    `params.names(model)` and in natural units; everything that the data fix is computed once.
    `Model.log_density(setting, history)` follows from it. What it returns may know more: `.information(vector)`,
    minus the second derivatives (K, K), `.observations`, how many counts have a density, and `.stride(move)`, how much
    a step (K,) on free coordinates changes the logarithm of a rate, by which a search limits its steps.
conditioned_steps: how many first steps have no density, for models of counts by place and step. A fit to counts
    without an event in the others then says so.
prepared(*settings) -> model
    The same model with what only the settings can name: a random intercept for every place. `fit` calls it.
effect_names; effects_density(setting) -> Callable[[vector], (value, gradient)]
    Models with random effects: which parameters these are, and their log density given the other parameters.
pointwise(setting, history) -> (P, T) log density of each place-step at the model's own parameters, given the counts of
    earlier steps alone: those of a shorter history are the first of the longer one's, so they foretell.
    NaN where the model has none (the first step is given); they sum to `log_density`. A model that has
    this verb leaves out of its likelihood the place-steps that `History.weighed` leaves out, though
    their counts still feed later steps and other places: cross-validation needs both.
pit(setting, history) -> (low, high), (P, T) each: P(Y < y) and P(Y <= y) of each observed count y, given the counts of
    earlier steps, at the model's own parameters: where the count stands in its predictive distribution. Their
    difference is the density of `pointwise`. `evaluate.count_residuals` tests a model by it.
effects_density(setting) -> Callable[[vector], (value, gradient)]
    Random effects: the joint log density, given the other leaves, of the leaves that `effect_names` lists,
    which lie on the whole line and have no prior of their own; all K slopes, in natural units.
intensity(setting, history) -> (P, T) expected events by place and step, given the past.
branching(setting, history) -> models.events.branching.Branching: the intensity at each single event of the window, by
    what it comes from: background, events before the window, each earlier event. Models of single events.
compensator(setting, history, days) -> (K,): expected events of the whole setting (all places, the region, all kinds)
    from the window's start to each of the times `days` (K,), given at every moment the events so far. At the events of
    a right model it makes a unit Poisson process.
rate_at(setting, history, points) -> (K,): the intensity at points, given as Events (time, place, position, kind), just
    before each of them; per day, and per km^2 for a model of the plane.
complete_likelihood(setting, history) -> models.events.branching.CompleteLikelihood: for expectation-maximisation.
start(setting, *, rng, histories=1) -> state;  step(state, day, *, rng, forced=None) -> (state, log_weight)
    Day by day, for `histories` histories at once. state.today is {series: (S, P)} for the day just
    made. `forced` is a sequence of (place, day) that must be active; log_weight, (S,), is the exact
    log probability of what was forced (0 where nothing was), so filters stay unbiased.
    What a particle filter needs beyond these is in models/day_by_day.py.
remarks(setting, history=None) -> sentences that a reader of a fit must see of these very parameters
    (explosive growth), and of them in the light of what they were fitted to.
watch(setting, *, rng) -> models.watching.Watched: the history that `simulate` draws, with pictures of a grid.
moments() -> models.moments.Moments: how runs from `populate(rng=)` are saved, resumed, recorded and changed on the way;
    `scenarios()` names changes.
starts(history) -> (what, steps): at which steps, from 0, something of the model's own starts, such as an "outburst".
report(setting, history, questions, *, rng) -> Record
    Reporting models only: what each speaker would have claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from groundswell.data.history import History
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import MissingVerb
from groundswell.params import Component, Prior, Priors, checked_priors, vector

if TYPE_CHECKING:
    from groundswell.models.moments import Scenario

Likelihood = Callable[[np.ndarray], tuple[float, np.ndarray]]

ADVICE = {
    "likelihood": "Use TemperedSMC for a day-by-day model, or SyntheticLikelihood or ABC.",
    "mean_field": "Relaxation needs a mean field, as Mobilisation has one. Use TemperedSMC.",
    "step": "A particle filter needs a day-by-day model such as Mobilisation.",
    "report": "Join the process with a reporting model: Account(process, reporting).",
    "intensity": "Compare simulated histories instead.",
    "branching": "Declustering and point-process residuals need a model of single events, such as SelfExciting.",
    "compensator": "Time rescaling needs a model of single events, such as SelfExciting; for counts, `fit --check`.",
    "complete_likelihood": "Use MaximumLikelihood.",
    "pit": "Tests of counts by step need a distribution, as of SelfExciting(by_step=True); else see `fit --check`.",
    "pointwise": "Its density is no sum over places and steps; compare held-out forecasts instead.",
}


class Model(Component):
    """Base of every model of a process. Running a model never changes it."""

    title: ClassVar[str] = ""
    """A line for `groundswell models list`."""
    paper: ClassVar[str] = ""
    """The source of the equations, with the equation's number where there is one."""
    planar: ClassVar[bool] = False
    """Whether it takes events by their position in Setting.region, and not by the place alone."""
    summaries: ClassVar[tuple[str, ...]] = ()
    """What inference by simulation compares, where it is not told (`data.summaries`); none for the usual ones."""
    columns: ClassVar[tuple[str, ...]] = ()
    """What a day-by-day model notes of a place on a day (models/day_by_day.py); none for the others."""

    @classmethod
    def example(cls) -> tuple[Model, Setting]:
        """A small instance and a lopsided setting, for the contract tests and the docs."""
        raise MissingVerb(f"{cls.__name__} has no example(); give it one so that the contract tests can run.")

    @classmethod
    def presets(cls) -> Mapping[str, Model]:
        """Named instances: published settings, programs, the two sides of a comparison. None, unless a model has some.

        `groundswell simulate MODEL --preset NAME` starts from one.
        """
        return {}

    @classmethod
    def scenarios(cls) -> Mapping[str, Scenario]:
        """Named changes of a run on the way, each to be set beside the run without it. None, unless a model has some.

        `groundswell simulate MODEL --scenario NAME` draws both.
        """
        return {}

    def lacks(self, verb: str) -> str | None:
        """Why this instance cannot do `verb` and what to use instead; None if it can."""
        if callable(getattr(self, verb, None)):
            return None
        return ADVICE.get(verb, "")

    def simulate(self, setting: Setting, *, rng: np.random.Generator, given: History | None = None) -> History:
        """Draw one history over the setting's window, continuing from `given` if there is one."""
        raise MissingVerb(f"{type(self).__name__} has no simulate().")

    def log_density(self, setting: Setting, history: History) -> float:
        """Log density of the history at this model's own parameters."""
        require(self, "likelihood", "log_density")
        return density_of(self, setting, history)(vector(self))[0]


@dataclass(frozen=True)
class Account(Component):
    """A process and a way of being reported: hidden history, visible claims.

    priors : those of the process that are other than the declared ones; see `under`.
    """

    process: Model
    reporting: Any
    priors: Priors = ()

    def under(self, priors: Mapping[str, Prior]) -> Account:
        """The same account under other priors than the declared ones, by dotted name, those parameters at the medians.

        Whatever reads the priors of its `leaves` sees these: samplers, prior predictive, sensitivity. They stay when
        parameters change or a part is left out; those of `reporting` go with the reporting model, which is also used
        without a process. A parameter that was declared without a prior has one now, and is learnt. ParameterError for
        an unknown name, and for a median or sd that makes no distribution on the parameter's range.
        """
        checked_priors(self, priors)
        head = "reporting." if any(field.name == "priors" for field in fields(self.reporting)) else "-"
        theirs = {name.removeprefix(head): prior for name, prior in priors.items() if name.startswith(head)}
        mine = {name: prior for name, prior in priors.items() if not name.startswith(head)}
        made = replace(self, priors=_with(self.priors, mine))
        if theirs:
            made = replace(made, reporting=replace(self.reporting, priors=_with(self.reporting.priors, theirs)))
        return made.replacing({name: prior.median for name, prior in priors.items()})

    def as_declared(self) -> Account:
        """The same account under the declared priors; its values stay."""
        reporting = replace(self.reporting, priors=()) if self.reporting.priors else self.reporting
        return replace(self, priors=(), reporting=reporting)

    def simulate(self, setting: Setting, questions: Record, *, rng: np.random.Generator) -> tuple[History, Record]:
        """A history and the claims that the speakers of `questions` would have made of it."""
        history = self.process.simulate(setting, rng=rng)
        return history, self.reporting.report(setting, history, questions, rng=rng)


def _with(known: Priors, more: Mapping[str, Prior]) -> Priors:
    return tuple(sorted({**dict(known), **more}.items()))


def density_of(model: Any, setting: Setting, history: Any) -> Likelihood:
    """model.likelihood, once it is sure that the model leaves out what the history leaves out."""
    if getattr(history, "weighed", None) is not None:
        require(model, "pointwise", "a history with place-steps that are not weighed")
    return model.likelihood(setting, history)


def can(model: object, verb: str) -> bool:
    """Whether this very instance has the verb."""
    lacks = getattr(model, "lacks", None)
    return lacks(verb) is None if callable(lacks) else callable(getattr(model, verb, None))


def require(model: object, verb: str, method: str) -> None:
    """MissingVerb, naming the method to use instead, unless the model has the verb."""
    if can(model, verb):
        return
    lacks = getattr(model, "lacks", None)
    advice = lacks(verb) if callable(lacks) else ADVICE.get(verb, "")
    raise MissingVerb(
        f"{method} needs {type(model).__name__}.{verb}(), which this model does not have. {advice}".rstrip()
    )
