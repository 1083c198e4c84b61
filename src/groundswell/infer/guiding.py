"""How a filter guides the arrests in named places towards what claims say of them.

Weighing afterwards would throw nearly every history away. So the events and arrests of a place are drawn from their law
times a table: the weight of the claims at 0, 1, 2, ... arrests, made when the claims' window begins. What the table
lacks of the claims' true weight is `owed`, and paid when the filter ends; it changes the noise, never the mean.

On the days of a window before its last, what stands for the claims is the table's mean over what is still to come.
Every history tells that itself, by the events that it expects of the place (`COMING`): one in which the place is quiet
is not weighed as one in which it is up.

A few histories that know no claim look ahead first, for what later claims will say of the speakers, so that named
places agree with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from groundswell.infer import _particle_loops as loops
from groundswell.infer.plan import Local, Plan, value_of
from groundswell.models.day_by_day import Guide
from groundswell.models.reporting.claims import BoundGroup
from groundswell.models.reporting.integration import Belief

NODE_STEP = 0.05
"""Spacing of the nodes in log(persons + 1/2) at which a local claim is weighed; cubic between them."""
FORESEEING = 4
"""Histories without claims from which a filter guesses what later claims will say of the speakers."""
COMING = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
"""Events still expected in a window of several days, for which the weight of the arrests so far is tabulated."""
MOST_ARRESTS = 20_000
"""Length of a table of weights: whoever claims more is not met by guiding, but must not hold up the filter either."""
LEAST = 1e-12
"""Weight of what cannot become the claims' figure as far as is foreseen: another history must be able to live."""


class Guiding:
    """The local windows of a plan in one filter run.

    tables : by window, weights (J, A + 1) of 0..A arrests so far where so many events are expected as in COMING; one
    row where it has one day. scale : (L, S) a history's own factor on persons before a table is read. offset : (L, S)
    arrests in the window before today. stands : (L, S) the weight that stands for them. owed : (S,) log weight to be
    added at the end.
    """

    def __init__(
        self, plan: Plan, model: Any, bound: Sequence[BoundGroup], belief: Belief | None, state: Any,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        histories = len(state.exploded)
        self.plan, self.model, self.bound, self.state = plan, model, bound, state
        self.tables: list[np.ndarray] = [np.empty((0, 0)) for _ in plan.locals]
        self.top = np.zeros(len(plan.locals))
        self.scale = np.ones((len(plan.locals), histories))
        self.offset = np.zeros((len(plan.locals), histories))
        self.stands = np.ones((len(plan.locals), histories))
        self.owed = np.zeros(histories)
        if plan.locals and belief is not None:
            self.foreseen = belief.foresee(self._look_ahead(rng))

    def _look_ahead(self, rng: np.random.Generator) -> dict[int, np.ndarray]:
        """Logs of the quantities counted, by group, in a few histories that know no claim."""
        plan = self.plan
        state = self.model.start(plan.setting, rng=rng, histories=FORESEEING, beside=self.state)
        state.warns = plan.warns
        counters = plan.ahead.empty.fresh(FORESEEING)
        self.model.advance(state, 0, plan.setting.window.periods, counters, rng=rng)
        levels = {}
        for i, rows in plan.ahead.counter_of.items():
            values = value_of(plan.groups[i].quantity, counters.totals, rows)[~state.exploded]
            levels[i] = np.log(values + plan.groups[i].half)
        return levels

    def open(self, at: int, belief: Belief | None) -> float:
        """Make the tables of a window that begins today; the log weight that was taken out of them.

        With integrated effects the table stands for what is known and foreseen of the speakers, by history: one factor
        a history for the offsets of all the groups, those known best counting most.
        """
        local = self.plan.locals[at]
        bound = [self.bound[i] for i in local.groups]
        if belief is not None:
            held = [belief.combined(i, self.foreseen) for i in local.groups]
            sure = np.array([1 / (more + float(one.own[0]) ** 2) for (_, more), one in zip(held, bound, strict=True)])
            self.scale[at] = np.exp(sure / sure.sum() @ np.array([mean - mean.mean() for mean, _ in held]))
            bound = [
                belief.pilot(i, float(mean.mean()), more) for i, (mean, more) in zip(local.groups, held, strict=True)
            ]
        table, self.top[at] = self._table(local, bound)
        if local.first < local.last:
            chance = self.model.arrests_to_come(self.state, COMING, len(table) - 1)
            table = np.vstack([table, loops.with_more(table, chance[1:], LEAST)])
        self.tables[at] = table.reshape(-1, table.shape[-1])
        return float(self.top[at])

    def _table(self, local: Local, bound: Sequence[BoundGroup]) -> tuple[np.ndarray, float]:
        """Weight of 0..A arrests in a local window over its largest value, and the log of that."""
        # a speaker who leans down by half has seen twice as many
        leaning = [min(max(0.0, -float(one.offset.min())), 5.0) for one in bound]
        reach = min(reach * math.exp(lean) for reach, lean in zip(local.reach, leaning, strict=True))
        most = 300 + int(min(reach, MOST_ARRESTS))
        low = math.log(0.5)
        nodes = low + NODE_STEP * np.arange(int((math.log(most + 0.5) - low) / NODE_STEP) + 4)
        logs = np.zeros(len(nodes))
        for one in bound:
            logs += one.log_likelihood(np.exp(nodes) - 0.5)
        top = float(logs.max())
        return loops.weights_of_persons(logs - top, low, NODE_STEP, most), top

    def stood(self, day: int, guide: Guide) -> None:
        """Keep the weights that a day's guide has left standing."""
        row = {place: k for k, place in enumerate(guide.place.tolist())}
        for at, local in enumerate(self.plan.locals):
            if local.first <= day <= local.last:
                self.stands[at] = guide.stands[row[local.place]]

    def note(self, day: int, arrests: Sequence[np.ndarray | None], belief: Belief | None) -> None:
        """Add today's arrests, (S,) for every window that is open, and settle the windows that end."""
        for at, (local, today) in enumerate(zip(self.plan.locals, arrests, strict=True)):
            if today is None:
                continue
            self.offset[at] += today
            if day == local.last and belief is not None:
                with np.errstate(divide="ignore"):
                    self.owed -= np.log(self.stands[at]) + self.top[at]
                for i in local.groups:
                    self.owed += belief.absorb(i, self.offset[at])

    def resample(self, ancestors: np.ndarray) -> None:
        """Keep the histories `ancestors`, (S,) indices with repeats."""
        for name in ("scale", "offset", "stands"):
            setattr(self, name, getattr(self, name)[:, ancestors])
        self.owed = self.owed[ancestors]
