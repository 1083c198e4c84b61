"""A particle filter for claims on a day-by-day model: an unbiased estimate of their probability.

Histories are drawn forward together. Where claims speak of a whole country, histories are weighed at the end
of the claim's window and resampled when their weights grow uneven. Where claims speak of one named place,
weighing afterwards would throw nearly every history away; there the model draws the day's events and arrests
from their distributions tilted by the claims (`Guide`), and the exact normaliser enters the weight:
arrests are summed out, crowds averaged over many draws. For windows of several days the tilt of a day that
is not the last looks ahead by a guess, which is taken back the day after; it changes the noise, never the mean.

The groups that run on after the daily window are copied several times from every history.

References: Gordon, Salmond and Smith (1993) for the filter; Pitt and Shephard (1999) for the tilt;
Del Moral (2004) for the unbiased normalising constant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.history import History, Later
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.errors import UsageError
from groundswell.infer import _particle_loops as loops
from groundswell.infer.plan import Local, Plan
from groundswell.models.base import Account
from groundswell.models.cities._mobilisation_loops import weights_of_persons
from groundswell.models.cities.mobilisation_state import Guide
from groundswell.models.reporting.claims import BoundGroup

NODE_STEP = 0.05
"""Spacing of the nodes in log(persons + 1/2) at which a local claim is weighed; cubic between them."""
MOST_EVENTS = 12
"""Events of a guided place-day up to which the tilt is tabulated; beyond, it is corrected by its exact weight."""
MOST_IN_WINDOW = 3
"""The same for a window of several days, whose tilt is a guess anyway."""
FORESEEING = 8
"""Histories without claims from which a filter guesses what later claims will say of the speakers."""
LOOK_AHEAD = np.array([[0.3, 0.3, 0.25, 0.15], [0.0, 0.25, 1.0, 2.5]])
"""Shares and multiples of the usual later arrests in the wider half of the guess that guides a window of several days."""


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
    crowd_draws: int = 16
    threshold: float = 0.5
    guided: bool = True

    def __post_init__(self) -> None:
        if self.histories < 1 or self.copies < 1 or self.crowd_draws < 1 or not 0 < self.threshold <= 1:
            raise UsageError(f"{self} cannot run: counts of 1 or more and a threshold in (0, 1] are expected.")

    def log_likelihood(self, account: Account, setting: Setting, record: Record, *, rng: np.random.Generator) -> float:
        """Log of an unbiased estimate of the probability of the weighed claims of `record`."""
        return self.run(self.plan(account, setting, record), account, rng=rng).log_likelihood

    def plan(self, account: Account, setting: Setting, record: Record, integrated: Sequence[str] = ()) -> Plan:
        """What can be settled before any run: made once, then run for many parameter values.

        integrated : parameters of the reporting model over which the probability of the claims is averaged.
        """
        return Plan(account, setting, record, self.guided, integrated)

    def run(self, plan: Plan, account: Account, *, rng: np.random.Generator, trace: bool = False) -> Filtered:
        """One filter under a plan made before; with `trace` also a history given the claims.

        Cost: about `histories` simulations of the model, plus the tables of the local claims.
        """
        return _Run(plan, account, self, rng, trace).go()


@dataclass(frozen=True)
class Filtered:
    """What a filter run returns; `history` is one draw from the histories given the claims, if asked for."""

    log_likelihood: float
    history: History | None = None
    effects: np.ndarray | None = None


class _Run:
    """One pass of a filter over the days; the steps of `go` in order."""

    def __init__(self, plan: Plan, account: Account, method: ParticleFilter, rng: np.random.Generator, trace: bool):
        self.plan, self.method, self.rng = plan, method, rng
        self.model: Any = account.process
        size = method.histories
        self.warns = plan.warns
        self.state = self.model.start(plan.setting, rng=rng, histories=size)
        self.state.warns = self.warns
        self.counters = plan.counters(size)
        self.log_weight, self.owed = np.zeros(size), np.zeros(size)
        self.log_total = 0.0
        self.tables: list[list[np.ndarray]] = [[] for _ in plan.locals]
        self.top = np.zeros(len(plan.locals))
        self.scale = np.ones((len(plan.locals), size))
        self.offset = np.zeros((len(plan.locals), size))
        self.coming: list[np.ndarray] = []
        self.trace: list[tuple] | None = [] if trace else None
        if plan.integration is None:
            self.bound = plan.groups.bind(account.reporting)
        else:
            exact = plan.groups.bind(plan.integration.middle(account.reporting))
            self.bound = plan.integration.pilot(exact)
            self.belief = plan.integration.begin(exact, size)
        if plan.locals:
            levels = self._foresee()
            if plan.integration is not None:
                self.foreseen = plan.integration.foresee(exact, levels)

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

    def _foresee(self) -> dict[int, np.ndarray]:
        """Look ahead with a few histories that know no claim: logs of the quantities counted, by group.

        `coming` receives, for every local window, the arrests after each of its days but the last by history. Both guide
        the arrests in named places, so that they leave room for what is to come and agree with what claims will say
        of the speakers.
        """
        plan = self.plan
        state = self.model.start(plan.setting, rng=self.rng, histories=FORESEEING)
        state.warns = self.warns
        counters = plan.ahead.counters(FORESEEING)
        self.model.advance(state, 0, plan.setting.window.periods, counters, rng=self.rng)
        self.coming = [counters.totals[:, a:b] for a, b in plan.ahead.coming]
        levels = {}
        for i in plan.ahead.counter_of:
            values = self._value(i, counters.totals, plan.ahead.counter_of[i])[~state.exploded]
            levels[i] = np.log(values + plan.groups[i].half)
        return levels

    def _noted(self, state: Any, place: int, column: str) -> np.ndarray:
        """(S,) what was noted of a place today."""
        rows = loops.noted_at(place, state.noted_count, state.noted_place)
        here = state.noted[np.arange(len(rows)), np.maximum(rows, 0), self.plan.columns[column]]
        return np.where(rows >= 0, here, 0.0)

    def _open(self, at: int) -> None:
        """Make the tables of a local window that begins today, from what each history holds of its speakers."""
        local, plan = self.plan.locals[at], self.plan
        bound = [self.bound[i] for i in local.groups]
        if plan.integration is not None:
            held = [self.belief.combined(i, self.foreseen) for i in local.groups]
            # one factor a history stands for the offsets of all its groups, those told best most
            sure = np.array(
                [1 / (variance + float(b.own[0]) ** 2) for (_, variance), b in zip(held, bound, strict=True)]
            )
            lean = sure / sure.sum() @ np.array([mean - mean.mean() for mean, _ in held])
            self.scale[at] = np.exp(lean)
            bound = [self.belief.pilot(i, mean.mean(), variance) for i, (mean, variance) in zip(local.groups, held)]
        table, self.top[at] = self._table(local, bound)
        self.log_weight += self.top[at]
        self.tables[at] = self._ahead(at, table)

    def _table(self, local: Local, bound: Sequence[BoundGroup]) -> tuple[np.ndarray, float]:
        """Weight of 0..A arrests in a local window over its largest value, and the log of that."""
        # a speaker who leans down by half has seen twice as many
        leaning = [min(max(0.0, -float(one.offset.min())), 5.0) for one in bound]
        most = 300 + int(min(reach * math.exp(lean) for reach, lean in zip(local.reach, leaning, strict=True)))
        low = math.log(0.5)
        nodes = low + NODE_STEP * np.arange(int((math.log(most + 0.5) - low) / NODE_STEP) + 4)
        logs = np.zeros(len(nodes))
        for one in bound:
            logs += one.log_likelihood(np.exp(nodes) - 0.5)
        top = float(logs.max())
        return weights_of_persons(logs - top, low, NODE_STEP, most), top

    def _ahead(self, at: int, table: np.ndarray) -> list[np.ndarray]:
        """The weight that stands for a local window on each of its days: exact on the last, a guess before.

        The guess is the mean weight over what is to come: half as in the histories that looked ahead, half wider.
        """
        stands = []
        for day, seen in enumerate(self.coming[at].T):
            usual = 0.5 * (self.coming[at].shape[1] - day) * self.model.arrests.per_event
            share = np.concatenate([np.full(len(seen), 0.5 / len(seen)), 0.5 * LOOK_AHEAD[0]])
            stands.append(loops.shifted(table, share, np.concatenate([seen, LOOK_AHEAD[1] * usual])))
        return [*stands, table]

    def _guide(self, day: int) -> Guide | None:
        plan = self.plan
        open_now = [at for at, local in enumerate(plan.locals) if local.first <= day <= local.last]
        crowds = dict(plan.crowds.get(day, ()))
        places = sorted({plan.locals[at].place for at in open_now} | set(crowds))
        if not places:
            return None
        by_place = {plan.locals[at].place: at for at in open_now}
        for at in open_now:
            if plan.locals[at].first == day:
                self._open(at)
        width = max([1, *(len(self.tables[at][0]) for at in open_now)])
        rows = len(places)
        log_g = np.zeros((rows, MOST_EVENTS + 1))
        arrests, before = np.zeros((rows, width)), np.ones((rows, width))
        offset = np.zeros((rows, self.method.histories))
        scale = np.ones_like(offset)
        for row, place in enumerate(places):
            at = by_place.get(place)
            if at is None:
                arrests[row, 0] = -1.0
            else:
                local = plan.locals[at]
                now = self.tables[at][day - local.first]
                arrests[row, : len(now)] = now
                arrests[row, len(now) :] = now[-1]
                if day > local.first:
                    past = self.tables[at][day - 1 - local.first]
                    before[row, : len(past)] = past
                    before[row, len(past) :] = past[-1]
                    offset[row] = self.offset[at]
                scale[row] = self.scale[at]
                most = MOST_EVENTS if local.first == local.last else MOST_IN_WINDOW
                with np.errstate(divide="ignore"):
                    tilt = np.log(self.model.arrests_given_events(now, most))
                log_g[row, : most + 1] += tilt
                log_g[row, most + 1 :] += tilt[-1]
            if place in crowds:
                log_g[row] += self._crowd_tilt(crowds[place])
        return Guide(np.array(places, dtype=np.int64), log_g, arrests, before, scale, offset)

    def _crowd_tilt(self, members: Sequence[int]) -> np.ndarray:
        """log of the average weight of the crowd at 0..Y events; `step` takes it back, `_crowd` puts the true one."""
        events = np.arange(MOST_EVENTS + 1)
        sizes = self.model.crowd_sizes(events, self.method.crowd_draws, rng=self.rng)
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
        rows = loops.noted_at(place, state.noted_count, state.noted_place)
        here = np.arange(size)
        events = np.where(rows >= 0, state.noted[here, np.maximum(rows, 0), self.plan.columns["events"]], 0.0)
        sizes = self.model.crowd_sizes(events.astype(np.int64), self.method.crowd_draws, rng=self.rng)
        logs = self._crowd_logs(sizes, members)
        self.log_weight += _log_mean_exp(logs, axis=1)
        share = np.exp(logs - logs.max(axis=1, keepdims=True)).cumsum(axis=1)
        pick = (share < self.rng.random((size, 1)) * share[:, -1:]).sum(axis=1)
        pick = np.minimum(pick, sizes.shape[1] - 1)
        kept = sizes[here, pick]
        if self.plan.integration is not None:
            self.log_weight += sum(self.belief.absorb(i, kept) for i in members) - logs[here, pick]
        there = rows >= 0
        state.noted[here[there], rows[there], self.plan.columns["participants"]] = kept[there]

    def _days(self, begin: int, day: int) -> None:
        """Make the days up to `day`, of which only the last may be guided or weighed, and weigh it."""
        plan, state = self.plan, self.state
        guide = self._guide(day)
        before_groups = state.groups.copy() if self.trace is not None else None
        if guide is None:
            self.model.advance(state, begin, day + 1, self.counters, rng=self.rng)
        else:
            self.log_weight += self.model.step(state, day, rng=self.rng, forced=guide)[1]
        for place, members in plan.crowds.get(day, ()):
            self._crowd(place, members)
        self.log_weight[state.exploded] = -np.inf
        for at, local in enumerate(plan.locals):
            if local.first <= day <= local.last:
                self.offset[at] += self._noted(state, local.place, "arrests")
            if day == local.last and plan.integration is not None:
                with np.errstate(divide="ignore"):
                    self.owed -= np.log(loops.looked_up(self.tables[at][-1], self.offset[at], self.scale[at]))
                self.owed -= self.top[at]
                for i in local.groups:
                    self.owed += self.belief.absorb(i, self.offset[at])
        if guide is not None:
            self.model.count(state, day, self.counters)
        for i in plan.counted.get(day, ()):
            self.log_weight += self._weigh(i, self._value(i, self.counters.totals, plan.counter_of[i]))
        ancestors = self._resample() if guide is not None or day in plan.counted else None
        if self.trace is not None:
            most = int(state.noted_count.max())
            self.trace.append(
                (state.noted_count.copy(), state.noted_place[:, :most].copy(), state.noted[:, :most].copy(),
                 before_groups, ancestors)
            )  # fmt: skip

    def _weigh(self, i: int, values: np.ndarray) -> np.ndarray:
        """Log probability (S,) of group i given its quantities and, where effects are integrated, the claims before."""
        if self.plan.integration is None:
            return self.bound[i].log_likelihood(values)
        return self.belief.absorb(i, values)

    def _value(self, i: int, totals: np.ndarray, rows: Sequence[int]) -> np.ndarray:
        """(S,) a group's quantity, from the totals of its counter or, for a ratio, of its two."""
        if self.plan.groups[i].quantity.functional != "ratio":
            return totals[:, rows[0]]
        return (totals[:, rows[0]] + 0.5) / (totals[:, rows[1]] + 0.5)

    def _resample(self) -> np.ndarray | None:
        top = self.log_weight.max()
        if top == -np.inf or np.isnan(top):
            self.log_total = -math.inf
            return None
        weights = np.exp(self.log_weight - top)
        total = weights.sum()
        if total**2 >= self.method.threshold * len(weights) * (weights**2).sum():
            return None
        self.log_total += top + math.log(total / len(weights))
        ancestors = loops.systematic(weights / total, self.rng.random(), len(weights))
        self.state.resample(ancestors)
        self.counters = self.counters.resampled(ancestors)
        if self.plan.integration is not None:
            self.belief.resample(ancestors)
            self.owed = self.owed[ancestors]
        self.offset, self.scale = self.offset[:, ancestors], self.scale[:, ancestors]
        self.log_weight = np.zeros(len(weights))
        return ancestors

    def _finish(self) -> tuple[int, np.ndarray | None]:
        """Run the groups on, weigh the claims about them, and close the total; the history and effects drawn."""
        plan, copies = self.plan, self.method.copies
        size = self.method.histories
        if plan.later:
            units = int(plan.unit.max()) + 1
            groups = np.zeros((size, units))
            np.add.at(groups.T, plan.unit, self.state.groups.T)
            edges = np.array(plan.setting.later_edges)
            steps = self.model.run_later(np.repeat(groups, copies, axis=0), edges, rng=self.rng)
            totals = np.repeat(self.counters.totals, copies, axis=0)
            offset = len(self.model.columns) - steps.shape[3]
            done: set[int] = set()
            logs = np.zeros(size * copies)
            later: dict[int, np.ndarray] = {}
            for i in plan.later:
                quantity = plan.groups[i].quantity
                inside = (edges[:-1] <= plan.span[i][1]) & (edges[1:] > plan.span[i][0])
                mine = np.unique(plan.unit[plan.where[i]])
                values = totals.copy()
                for at, series in zip(plan.counter_of[i], (quantity.series, quantity.below), strict=False):
                    column = plan.columns[series] - offset
                    values[:, at] += steps[:, mine][:, :, inside, column].sum(axis=(1, 2))
                    done.add(at)
                later[i] = self._value(i, values, plan.counter_of[i])
                logs += self.bound[i].log_likelihood(later[i])
            self.later_steps = steps.reshape(size, copies, *steps.shape[1:])
            logs = logs.reshape(size, copies)
            self.log_weight += _log_mean_exp(logs, axis=1)
            share = np.exp(logs - logs.max(axis=1, keepdims=True)).cumsum(axis=1)
            pick = (share < self.rng.random((size, 1)) * share[:, -1:]).sum(axis=1)
            self.copy = np.minimum(pick, copies - 1)
            here = np.arange(size)
            if plan.integration is not None:
                self.log_weight -= logs[here, self.copy]
                for i, values in later.items():
                    self.log_weight += self.belief.absorb(i, values.reshape(size, copies)[here, self.copy])
        effects = None
        if plan.integration is not None:
            lacking, effects = self.belief.settle(rng=self.rng)
            self.log_weight += lacking + self.owed
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
                spread[np.flatnonzero(plan.unit == unit)[0]] = steps[unit]
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
        if not self.warns:
            series["warned"] = self.rng.poisson(self.model.warnings_per_arrest * series["arrests"]).astype(float)
        return History(setting.places, setting.window, series, later=later)


def _log_mean_exp(logs: np.ndarray, axis: int) -> np.ndarray:
    top = logs.max(axis=axis, keepdims=True)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(logs - safe).mean(axis=axis)) + np.squeeze(safe, axis=axis)
