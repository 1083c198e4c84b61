"""A particle filter for claims on a day-by-day model: an unbiased estimate of their probability.

Histories are drawn forward together. Where claims speak of a whole country, histories are weighed at the end
of the claim's window and resampled when their weights grow uneven. Where claims speak of one named place,
the model draws the day's events and arrests from their distributions tilted by the claims (`Guide`, `guiding`), and the
exact normaliser enters the weight: arrests are summed out, crowds averaged over many draws.

Leans of stances and speakers' effects can be integrated out along each history (`plan(integrated=...)`): each history
carries what the claims so far say of them (`models.reporting.integration`), a Rao-Blackwellised filter.

The groups that run on after the daily window are copied several times from every history.

References: Gordon, Salmond and Smith (1993) for the filter; Pitt and Shephard (1999) for the tilt; Doucet, de Freitas,
Murphy and Russell (2000) for what is integrated; Del Moral (2004) for the unbiased normalising constant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.evidence import Evidence
from groundswell.data.history import History, Later
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.infer import _particle_loops as loops
from groundswell.infer.guiding import Guiding
from groundswell.infer.plan import NOWHERE, Named, Plan, value_of
from groundswell.models.base import Account
from groundswell.models.day_by_day import Guide
from groundswell.models.reporting.integration import Belief

MOST_EVENTS = 12
"""Events of a place-day up to which its crowd's weight is tabulated; beyond, it is corrected by its exact weight."""
TILT_DRAWS = 12
"""Draws of a crowd for that table, which decides where events are drawn and is taken back."""


@dataclass(frozen=True)
class ParticleFilter:
    """How many histories a filter carries, and its smaller settings.

    histories : S. copies : continuations of the groups per history after the daily window.
    crowd_draws : draws over which the participants of a named place-day are averaged.
    threshold : resample when the effective share of histories falls below it. guided : draw named place-days
    towards what is claimed of them; without it the mean is the same and the noise far larger.
    """

    histories: int = 24
    copies: int = 1
    crowd_draws: int = 24
    threshold: float = 0.5
    guided: bool = True

    def __post_init__(self) -> None:
        if self.histories < 1 or self.copies < 1 or self.crowd_draws < 1 or not 0 < self.threshold <= 1:
            raise UsageError(f"{self} cannot run: counts of 1 or more and a threshold in (0, 1] are expected.")

    def log_likelihood(
        self, account: Account, setting: Setting, observed: Record | Evidence, *, rng: np.random.Generator
    ) -> float:
        """Log of an unbiased estimate of the probability of the claims and, in `Evidence`, of the counts."""
        return self.run(self.plan(account, setting, observed), account, rng=rng).log_likelihood

    def plan(
        self, account: Account, setting: Setting, observed: Record | Evidence, integrated: Sequence[str] = ()
    ) -> Plan:
        """What can be settled before any run: made once, then run for many parameter values.

        integrated : parameters of the reporting model over which the probability of the claims is averaged.
        """
        return Plan(account, setting, observed, self.guided, integrated)

    def run(self, plan: Plan, account: Account, *, rng: np.random.Generator, trace: bool = False) -> Filtered:
        """One filter under a plan made before; with `trace` also a history given the claims.

        Cost: about `histories` simulations of the model, plus the tables of the local claims.
        """
        return _Run(plan, account, self, rng, trace).go()


@dataclass(frozen=True)
class Filtered:
    """What a filter run returns.

    history : one draw from the histories given the claims, if asked for. effects : (U,) a draw, with that history, of
    what the plan integrates; None where it integrates nothing.
    """

    log_likelihood: float
    history: History | None = None
    effects: np.ndarray | None = None


class _Run:
    """One pass of a filter over the days; the steps of `go` in order."""

    def __init__(self, plan: Plan, account: Account, method: ParticleFilter, rng: np.random.Generator, trace: bool):
        self.plan, self.method, self.rng = plan, method, rng
        self.model: Any = account.process
        size = method.histories
        self.state = self.model.start(plan.setting, rng=rng, histories=size)
        self.state.warns = plan.warns
        self.counters = plan.counters(size)
        self.log_weight, self.log_total = np.zeros(size), 0.0
        self.trace: list[tuple] | None = [] if trace else None
        self.belief: Belief | None = None
        if plan.integration is None:
            self.bound = plan.groups.bind(account.reporting)
        else:
            exact = plan.groups.bind(plan.integration.middle(account.reporting))
            self.bound = plan.integration.pilot(exact)
            self.belief = plan.integration.begin(exact, size)
        self.guiding = Guiding(plan, self.model, self.bound, self.belief, self.state, rng)
        self.log_weight += self.guiding.begun

    def go(self) -> Filtered:
        plan = self.plan
        day = -1
        while day < plan.setting.window.periods - 1:
            begin, day = day + 1, plan.until(day + 1) if self.trace is None else day + 1
            self._days(begin, day)
            if self.log_total == -math.inf:
                return Filtered(-math.inf)
        chosen, effects = self._finish()
        if chosen < 0:
            return Filtered(-math.inf)
        history = self._history(chosen) if self.trace is not None else None
        return Filtered(self.log_total, history, effects)

    def _guide(self, day: int, named: Named | None) -> Guide | None:
        plan = self.plan
        known = None if plan.known is None else plan.known[day]
        if named is None:
            return None if known is None or known.max() < 0 else self.guiding.guide(NOWHERE, np.zeros((0, 1)), known)
        for at in named.begin:
            self.log_weight += self.guiding.open(at, self.belief)
        log_g = np.zeros((len(named.place), MOST_EVENTS + 1))
        for row, members in named.crowds:
            log_g[row] = self._crowd_tilt(members)
        log_g[named.given, 0] = -np.inf
        return self.guiding.guide(named, log_g, known)

    def _crowd_tilt(self, members: Sequence[int]) -> np.ndarray:
        """log of the average weight of the crowd at 0..Y events; `step` takes it back, `_crowd` puts the true one."""
        events = np.arange(MOST_EVENTS + 1)
        sizes = self.model.crowd_sizes(events, TILT_DRAWS, rng=self.rng)
        logs = self._crowd_logs(sizes, members)
        return _log_mean_exp(logs, axis=1)

    def _crowd_logs(self, sizes: np.ndarray, members: Sequence[int]) -> np.ndarray:
        """Log weight of every crowd size under all claims on it, in the shape of `sizes`."""
        logs = np.zeros(sizes.size)
        for i in members:
            logs += self.bound[i].log_likelihood(sizes.ravel())
        return logs.reshape(sizes.shape)

    def _crowd(self, place: int, members: Sequence[int]) -> None:
        """Average the weight of a named place's crowd over draws; keep one draw by its weight."""
        state, size = self.state, self.method.histories
        here, events = np.arange(size), self._noted(place, "events")
        sizes = self.model.crowd_sizes(events.astype(np.int64), self.method.crowd_draws, rng=self.rng)
        logs = self._crowd_logs(sizes, members)
        self.log_weight += _log_mean_exp(logs, axis=1)
        share = np.exp(logs - logs.max(axis=1, keepdims=True)).cumsum(axis=1)
        pick = (share < self.rng.random((size, 1)) * share[:, -1:]).sum(axis=1)
        pick = np.minimum(pick, sizes.shape[1] - 1)
        kept = sizes[here, pick]
        if self.belief is not None:
            self.log_weight += sum(self.belief.absorb(i, kept) for i in members) - logs[here, pick]
        at = self.plan.columns["participants"]
        loops.put_note(place, at, kept, state.noted_count, state.noted_place, state.noted)

    def _days(self, begin: int, day: int) -> None:
        """Make the days up to `day`, of which only the last may be guided or weighed, and weigh it."""
        plan, state = self.plan, self.state
        named = plan.named.get(day)
        guide = self._guide(day, named)
        before_groups = state.groups.copy() if self.trace is not None else None
        if guide is None:
            self.model.advance(state, begin, day + 1, self.counters, rng=self.rng)
        else:
            self.log_weight += self.model.step(state, day, rng=self.rng, forced=guide)[1]
            if named is not None:
                self._at_places(day, named, guide)
            self.model.count(state, day, self.counters)
        self.log_weight[state.exploded] = -np.inf
        for i in plan.counted.get(day, ()):
            self.log_weight += self._weigh(i, self._value(i, self.counters.totals))
        ancestors = self._resample() if guide is not None or day in plan.counted else None
        if self.trace is not None:
            most = int(state.noted_count.max())
            self.trace.append(
                (state.noted_count.copy(), state.noted_place[:, :most].copy(), state.noted[:, :most].copy(),
                 before_groups, ancestors)
            )  # fmt: skip

    def _at_places(self, day: int, named: Named, guide: Guide) -> None:
        """Average over the crowds of named places, and take in what has been made of their arrests."""
        self.guiding.stood(named, guide)
        for row, members in named.crowds:
            self._crowd(int(named.place[row]), members)
        for at in named.on:
            self.guiding.note(at, day, self._noted(self.plan.locals[at].place, "arrests"), self.belief)

    def _weigh(self, i: int, values: np.ndarray) -> np.ndarray:
        """Log probability (S,) of group i given its quantities and, where effects are integrated, the claims before."""
        if self.belief is None:
            return self.bound[i].log_likelihood(values)
        return self.belief.absorb(i, values)

    def _value(self, i: int, totals: np.ndarray) -> np.ndarray:
        """(S,) a group's quantity as its source knows it: of places that it lists, how many, drawn."""
        if listing := self.bound[i].listing:
            seen, arrests = (self.counters.seen[:, row] for row in self.plan.listed[i])
            return listing.draw(seen, arrests, self.plan.setting.places.population, rng=self.rng)
        return value_of(self.plan.groups[i].quantity, totals, self.plan.counter_of[i])

    def _noted(self, place: int, column: str) -> np.ndarray:
        """(S,) what was noted of a place today."""
        state = self.state
        return loops.noted_of(place, self.plan.columns[column], state.noted_count, state.noted_place, state.noted)

    def _resample(self) -> np.ndarray | None:
        top, total, squares = loops.summed(self.log_weight)
        if top == -np.inf or np.isnan(top):
            self.log_total = -math.inf
            return None
        if total**2 >= self.method.threshold * len(self.log_weight) * squares:
            return None
        weights = np.exp(self.log_weight - top)
        self.log_total += top + math.log(total / len(weights))
        ancestors = loops.systematic(weights / total, self.rng.random(), len(weights))
        self.state.resample(ancestors)
        self.counters = self.counters.resampled(ancestors)
        self.guiding.resample(ancestors)
        if self.belief is not None:
            self.belief.resample(ancestors)
        self.log_weight = np.zeros(len(weights))
        return ancestors

    def _finish(self) -> tuple[int, np.ndarray | None]:
        """Run the groups on, weigh the claims about them, and close the total; the history and effects drawn."""
        plan, copies = self.plan, self.method.copies
        size = self.method.histories
        if plan.later:
            weights = self.model.later_weights(self.state)
            groups = self.state.groups @ plan.units if weights is None else self.state.groups
            self.unit = plan.unit if weights is None else np.arange(groups.shape[1])
            edges = np.array(plan.setting.later_edges)
            steps = self.model.run_later(np.repeat(groups, copies, axis=0), edges, rng=self.rng, weights=weights)
            totals = np.repeat(self.counters.totals, copies, axis=0)
            offset = len(self.model.columns) - steps.shape[3]
            logs = np.zeros(size * copies)
            later: dict[int, np.ndarray] = {}
            for i in plan.later:
                quantity = plan.groups[i].quantity
                inside = (edges[:-1] <= plan.span[i][1]) & (edges[1:] > plan.span[i][0])
                mine = np.unique(self.unit[plan.where[i]])
                values = totals.copy()
                for at, series in zip(plan.counter_of[i], (quantity.series, quantity.below), strict=False):
                    column = plan.columns[series] - offset
                    values[:, at] += steps[:, mine][:, :, inside, column].sum(axis=(1, 2))
                later[i] = self._value(i, values)
                logs += self.bound[i].log_likelihood(later[i])
            self.later_steps = steps.reshape(size, copies, *steps.shape[1:])
            logs = logs.reshape(size, copies)
            self.log_weight += _log_mean_exp(logs, axis=1)
            share = np.exp(logs - logs.max(axis=1, keepdims=True)).cumsum(axis=1)
            pick = (share < self.rng.random((size, 1)) * share[:, -1:]).sum(axis=1)
            self.copy = np.minimum(pick, copies - 1)
            here = np.arange(size)
            if self.belief is not None:
                self.log_weight -= logs[here, self.copy]
                for i, values in later.items():
                    self.log_weight += self.belief.absorb(i, values.reshape(size, copies)[here, self.copy])
        effects = None
        if self.belief is not None:
            lacking, effects = self.belief.settle(rng=self.rng)
            self.log_weight += lacking
        self.log_weight += self.guiding.owed
        top = self.log_weight.max()
        if top == -np.inf or np.isnan(top):
            self.log_total = -math.inf
            return -1, None
        weights = np.exp(self.log_weight - top)
        self.log_total += top + math.log(weights.mean())
        share = (weights / weights.sum()).cumsum()
        chosen = min(int((share < self.rng.random()).sum()), size - 1)
        return chosen, None if effects is None else effects[chosen]

    def _history(self, chosen: int) -> History:
        """Follow one history back through its ancestors."""
        plan, trace = self.plan, self.trace
        assert trace is not None
        setting = plan.setting
        count, periods = setting.shape
        series = {name: np.zeros((count, periods)) for name in (*plan.columns, "groups")}
        later = None
        if plan.later:
            steps = self.later_steps[chosen, self.copy[chosen]]
            names = list(plan.columns)[-steps.shape[2] :]
            spread = np.zeros((count, *steps.shape[1:]))
            # a unit's groups are shown at its first place: claims cannot tell its places apart
            for unit in range(steps.shape[0]):
                spread[np.flatnonzero(self.unit == unit)[0]] = steps[unit]
            later = Later(setting.later_edges, {name: spread[:, :, k] for k, name in enumerate(names)})
        at = chosen
        for day in reversed(range(periods)):
            noted_count, noted_place, noted, groups, ancestors = trace[day]
            if ancestors is not None:
                at = int(ancestors[at])
            rows = noted_count[at]
            for name, column in plan.columns.items():
                series[name][noted_place[at, :rows], day] = noted[at, :rows, column]
            series["groups"][:, day] = groups[at]
        if not plan.warns:
            series["warned"] = self.rng.poisson(self.model.warnings_per_arrest * series["arrests"]).astype(float)
        return History(setting.places, setting.window, series, later=later)


def _log_mean_exp(logs: np.ndarray, axis: int) -> np.ndarray:
    top = logs.max(axis=axis, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(logs - safe).mean(axis=axis)) + np.squeeze(safe, axis=axis)
