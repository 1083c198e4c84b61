"""How a filter guides the arrests in named places towards what claims say of them.

Weighing afterwards would throw nearly every history away. So the arrests of a place are drawn from their law times a
table: the weight of the claims at 0, 1, 2, ... arrests, made when the claims' window begins. What the table lacks of
the claims' true weight is `owed`, and paid when the filter ends; it changes the noise, never the mean.

A few histories that know no claim look ahead first. They tell how many arrests are still to come, on the days of a
window before its last, and what later claims will say of the speakers, so that named places agree with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from groundswell.infer import _particle_loops as loops
from groundswell.infer.plan import Local, Plan, value_of
from groundswell.models.day_by_day import weight_at
from groundswell.models.reporting.claims import BoundGroup
from groundswell.models.reporting.integration import Belief

NODE_STEP = 0.05
"""Spacing of the nodes in log(persons + 1/2) at which a local claim is weighed; cubic between them."""
MOST_EVENTS = 12
"""Events of a guided place-day up to which the tilt is tabulated; beyond, it is corrected by its exact weight."""
MOST_IN_WINDOW = 3
"""The same for a window of several days, whose tilt is a guess anyway."""
FORESEEING = 4
"""Histories without claims from which a filter guesses what is to come."""
LOOK_AHEAD = np.array([[0.3, 0.3, 0.25, 0.15], [0.0, 0.25, 1.0, 2.5]])
"""Shares and multiples of the usual later arrests in the wider half of a guess of what is to come."""


class Guiding:
    """The local windows of a plan in one filter run.

    scale : (L, S) a history's own factor on persons before a table is read. offset : (L, S) arrests in the window
    before today. owed : (S,) log weight to be added at the end.
    """

    def __init__(
        self, plan: Plan, model: Any, bound: Sequence[BoundGroup], belief: Belief | None, state: Any,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        histories = len(state.exploded)
        self.plan, self.model, self.bound = plan, model, bound
        self.tables: list[list[np.ndarray]] = [[] for _ in plan.locals]
        self.top = np.zeros(len(plan.locals))
        self.scale = np.ones((len(plan.locals), histories))
        self.offset = np.zeros((len(plan.locals), histories))
        self.owed = np.zeros(histories)
        if plan.locals:
            levels = self._look_ahead(state, rng)
            if belief is not None:
                self.foreseen = belief.foresee(levels)

    def _look_ahead(self, beside: Any, rng: np.random.Generator) -> dict[int, np.ndarray]:
        """Logs of the quantities counted, by group; `coming` receives the arrests after each day of a window."""
        plan = self.plan
        state = self.model.start(plan.setting, rng=rng, histories=FORESEEING, beside=beside)
        state.warns = plan.warns
        counters = plan.ahead.empty.fresh(FORESEEING)
        self.model.advance(state, 0, plan.setting.window.periods, counters, rng=rng)
        self.coming = [counters.totals[:, np.array(at, dtype=np.int64)] for at in plan.ahead.coming]
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
        self.tables[at] = self._stands(at, table)
        return float(self.top[at])

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
        return loops.weights_of_persons(logs - top, low, NODE_STEP, most), top

    def _stands(self, at: int, table: np.ndarray) -> list[np.ndarray]:
        """The weight that stands for a local window on each of its days: the table on the last, a guess before.

        The guess is the mean weight over what is to come: half as in the histories that looked ahead, half wider.
        """
        stands = []
        for day, seen in enumerate(self.coming[at].T):
            usual = 0.5 * (self.coming[at].shape[1] - day) * self.model.arrests.per_event
            share = np.concatenate([np.full(len(seen), 0.5 / len(seen)), 0.5 * LOOK_AHEAD[0]])
            stands.append(loops.shifted(table, share, np.concatenate([seen, LOOK_AHEAD[1] * usual])))
        return [*stands, table]

    def tilt(self, at: int, day: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Log weight of 0..MOST_EVENTS events, the table of today, and that which stood for it yesterday."""
        local = self.plan.locals[at]
        now = self.tables[at][day - local.first]
        most = MOST_EVENTS if local.first == local.last else MOST_IN_WINDOW
        with np.errstate(divide="ignore"):
            log_g = np.log(self.model.arrests_given_events(now, most))
        log_g = np.concatenate([log_g, np.full(MOST_EVENTS - most, log_g[-1])])
        return log_g, now, self.tables[at][day - 1 - local.first] if day > local.first else None

    def note(self, day: int, arrests: Sequence[np.ndarray | None], belief: Belief | None) -> None:
        """Add today's arrests, (S,) for every window that is open, and settle the windows that end."""
        for at, (local, today) in enumerate(zip(self.plan.locals, arrests, strict=True)):
            if today is None:
                continue
            self.offset[at] += today
            if day == local.last and belief is not None:
                with np.errstate(divide="ignore"):
                    self.owed -= np.log(weight_at(self.tables[at][-1], self.offset[at], self.scale[at]))
                self.owed -= self.top[at]
                for i in local.groups:
                    self.owed += belief.absorb(i, self.offset[at])

    def resample(self, ancestors: np.ndarray) -> None:
        """Keep the histories `ancestors`, (S,) indices with repeats."""
        self.offset, self.scale = self.offset[:, ancestors], self.scale[:, ancestors]
        self.owed = self.owed[ancestors]
