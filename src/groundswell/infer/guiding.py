"""How a filter guides the arrests in named places towards what claims say of them.

Weighing afterwards would throw nearly every history away. So the events and arrests of a place are drawn from their law
times a table: the weight of the claims at 0, 1, 2, ... arrests, made when the claims' window begins. What the table
lacks of the claims' true weight is `owed`, and paid when the filter ends; it changes the noise, never the mean.

On the days of a window before its last, what stands for the claims is the table's mean over what is still to come.
Every history tells that itself, by the events that it expects of the place (`COMING`): one in which the place is quiet
is not weighed as one in which it is up.

A few histories that know no claim look ahead first, for what later claims will say of the speakers, so that named
places agree with it.

Claims of later years on the groups of one province hang on how many there were at the start, which is drawn towards
them likewise: by what is expected to become of each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import gammaln

from groundswell.infer import _particle_loops as loops
from groundswell.infer.plan import Local, Named, Plan, Rooted, value_of
from groundswell.models.day_by_day import Guide
from groundswell.models.reporting.claims import BoundGroup
from groundswell.models.reporting.integration import Belief

NODE_STEP = 0.1
"""Spacing of the nodes in log(persons + 1/2) at which a local claim is weighed; cubic between them."""
FORESEEING = 4
"""Histories without claims from which a filter guesses what later claims will say of the speakers."""
COMING = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
"""Events still expected in a window of several days, for which the weight of the arrests so far is tabulated."""
MOST_ARRESTS = 20_000
"""Length of a table of weights: whoever claims more is not met by guiding, but must not hold up the filter either."""
LEAST = 1e-12
"""Weight of what cannot become the claims' figure as far as is foreseen: another history must be able to live."""
GROUPS = 64
"""Numbers of groups at the start at which later claims on them are weighed; linear in the log between."""
NODES, SHARES = np.polynomial.hermite_e.hermegauss(5)
"""Where, in sd of its log, what becomes of the groups is looked at, and the share of each."""


class Guiding:
    """The local windows of a plan in one filter run.

    Of R = L + 1 rows the last, at -1, stands for places without a window.

    table, first, wide : weights of 0..A arrests so far as a `Guide` has them, for every window that has begun, (R,)
    each; COMING are the events expected, of which a window of one day has only the first. scale : (R, S) a history's
    own factor on persons before a table is read. offset : (R, S) arrests in the window before today. stands : (R, S)
    the weight that stands for them. owed : (S,) log weight to be added at the end. begun : log weight of having drawn
    the groups at the start so.
    """

    def __init__(
        self, plan: Plan, model: Any, bound: Sequence[BoundGroup], belief: Belief | None, state: Any,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        histories = len(state.exploded)
        self.plan, self.model, self.bound, self.state = plan, model, bound, state
        self.table = np.empty(0)
        rows = len(plan.locals) + 1
        self.first, self.wide = np.full(rows, -1, dtype=np.int64), np.zeros(rows, dtype=np.int64)
        self.top = np.zeros(rows)
        self.scale, self.stands = np.ones((rows, histories)), np.ones((rows, histories))
        self.offset = np.zeros((rows, histories))
        self.owed = np.zeros(histories)
        self.begun = sum(self._root(rooted, rng) for rooted in plan.rooted)
        if plan.locals and belief is not None:
            self.foreseen = belief.foresee(self._look_ahead(rng))

    def _root(self, rooted: Rooted, rng: np.random.Generator) -> float:
        """Draw the groups of a unit at the start towards the later claims on them; the log of the normaliser.

        One for each of as many parts of equal probability as there are histories.
        """
        mean = self.model.groups_at_start(self.state, rooted.where)
        if mean <= 0.0:
            return 0.0
        far = 12.0 * math.sqrt(mean) + 30.0
        counts = np.arange(max(0, int(mean - far)), int(mean + far))
        at = np.unique(np.linspace(counts[0], counts[-1], GROUPS).astype(np.int64))
        logs = np.zeros((len(NODES), len(at)))
        for i, total in zip(rooted.groups, rooted.totals, strict=True):
            one, varies = self.model.of_one_group(self.plan.setting, total)
            if one <= 0.0:
                continue
            spread = np.sqrt(np.log1p(varies / one**2 / np.maximum(at, 1)))
            values = at * one * np.exp(np.outer(NODES, spread) - spread**2 / 2)
            logs += self.bound[i].log_likelihood(values.ravel()).reshape(logs.shape)
        told = np.log(SHARES @ np.exp(logs - logs.max()) / SHARES.sum() + LEAST)
        tilt = np.interp(counts, at, told)
        chance = counts * math.log(mean) - mean - gammaln(counts + 1) + tilt
        passed = np.exp(chance - chance.max()).cumsum()
        histories = len(self.owed)
        places = (np.arange(histories) + rng.random(histories)) / histories
        drawn = np.searchsorted(passed, places * passed[-1])
        self.model.place_groups(self.state, rooted.where, counts[drawn], rng=rng)
        self.owed -= tilt[drawn]
        return float(chance.max()) + math.log(passed[-1])

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
        self.first[at], self.wide[at] = len(self.table), table.shape[-1]
        self.table = np.concatenate([self.table, table.ravel()])
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

    def guide(self, named: Named, log_g: np.ndarray, known: np.ndarray | None) -> Guide:
        """The guide of a day. log_g : (G, Y + 1) of the places that are named. known : (P,) events seen."""
        window = named.window
        return Guide(
            named.place, log_g, self.table, self.first[window], self.wide[window], COMING, named.days_left,
            self.scale[window], self.offset[window], self.stands[window], named.given, known, self.plan.detection,
        )  # fmt: skip

    def stood(self, named: Named, guide: Guide) -> None:
        """Keep the weights that a day's guide has left standing."""
        self.stands[named.window] = guide.stands

    def note(self, at: int, day: int, arrests: np.ndarray, belief: Belief | None) -> None:
        """Add today's arrests, (S,), to an open window, and settle it if it ends."""
        self.offset[at] += arrests
        local = self.plan.locals[at]
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
