"""The log probability of claims with every count made continuous: smooth in all its coordinates, with its gradient.

What claims speak of is of two sorts. A total over many places is taken as log-normal given the parameters: its middle
follows the model's mean field, whose level, and the totals' spread and correlation, are set by simulated histories at
one value of the parameters (`anchored`). What happens in one named place is far from that, being 0 more often than not:
there the law of the quantity is summed over cells (the model's `place_law`).

Coordinates, all standard normal beforehand: the parameters; the effects that shift claims, leans and speakers and the
errors shared by origin; and the totals' own randomness.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.infer.totals import simulated_totals
from groundswell.models.base import Account, require
from groundswell.models.day_by_day import Pull, Total
from groundswell.models.reporting import _claim_slope_loops as loops
from groundswell.models.reporting.claims import SMALLEST, label
from groundswell.models.reporting.integration import Integration
from groundswell.params import Leaf, names, replacing, vector

IN_ONE_PLACE = ("events", "arrests", "participants")
"""Series whose law in one named place is summed over cells."""
BEYOND = 100.0
"""How many times a claimed figure a quantity in a named place may be."""


@dataclass(frozen=True)
class Wide:
    """A total over places, or a ratio of two, of which claims speak. at : its rows among the totals asked for."""

    at: tuple[int, ...]
    half: float


@dataclass(frozen=True)
class Narrow:
    """A quantity in one named place. mean, some : rows of its expected events and of the chance that there are any."""

    law: Any
    half: float
    mean: int
    some: int
    claims: np.ndarray


class Relaxed:
    """log p(claims | x) and its gradient at x (K + U + R,): parameters, effects, totals; standard normal beforehand.

    free : the K parameters. integrated : names of the reporting model's parameters that are effects; behind them the
    errors that the claims of one origin share. MissingVerb where the process has no mean field.
    """

    def __init__(
        self, account: Account, setting: Setting, record: Record, free: Sequence[Leaf], integrated: Sequence[str]
    ) -> None:
        require(account.process, "mean_field", "Relaxation")
        self.account, self.setting, self.free = account, setting, free
        self.groups = account.reporting.prepare(record)
        self.effects = Integration(self.groups, account.reporting, integrated)
        self.center = np.array([leaf.center for leaf in free])
        self.sd = np.array([leaf.sd for leaf in free])
        self.totals: list[Total] = []
        self.wide, self.narrow, self.which, self.wide_of = self._sorted()
        self._errors()
        self.mean_field = account.process.mean_field(setting, self.totals)
        self.order = [f"process.{name}" for name in names(account.process)]
        self.survived = 0.0
        self.shift, self.root = np.zeros(len(self.wide)), np.zeros((len(self.wide),) * 2)
        self._kept: tuple[bytes, tuple[np.ndarray, Pull]] | None = None
        self.evaluations = 0

    @property
    def sizes(self) -> tuple[int, int, int]:
        """K parameters, U effects, R totals."""
        return len(self.free), len(self.scale), len(self.wide)

    def _sorted(self) -> tuple[list[Wide], list[Narrow], np.ndarray, np.ndarray]:
        """The quantities of both sorts; the claims on wide ones (n,), and on which of those each is."""
        window, start = self.setting.window, self.effects.start
        wide: dict[tuple, Wide] = {}
        narrow: dict[tuple, list[int]] = defaultdict(list)
        rows: dict[tuple, int] = {}
        which, wide_of = [], []
        for i, group in enumerate(self.groups):
            quantity, where = group.quantity, self.setting.places.covered_by(group.place)
            first, last = window.day(group.start), window.day(group.end)
            if len(where) == 1 and last < window.days and quantity.series in IN_ONE_PLACE:
                narrow[quantity.name, int(where[0]), first, last].append(i)
                continue
            key = (quantity.name, where.tobytes(), first, last)
            at = tuple(
                self._row(rows, Total(series, quantity.functional == "distinct", where, first, last))
                for series in (quantity.series, quantity.below) if series
            )  # fmt: skip
            wide.setdefault(key, Wide(at, group.half))
            for c in range(start[i], start[i + 1]):
                which.append(c)
                wide_of.append(list(wide).index(key))
        found = [self._narrow(rows, members, *key[1:]) for key, members in narrow.items()]
        return list(wide.values()), found, np.array(which, dtype=np.int64), np.array(wide_of, dtype=np.int64)

    def _narrow(self, rows: dict[tuple, int], members: Sequence[int], place: int, first: int, last: int) -> Narrow:
        groups = [self.groups[i] for i in members]
        begin, where = max(first, 1), np.array([place])
        given = int(first == 0 and self.setting.places.name[place] in self.setting.active_on_day0)
        most = BEYOND * max(claim.value_high or claim.value for group in groups for claim in group.claims)
        distinct = groups[0].quantity.functional == "distinct"
        return Narrow(
            self.account.process.place_law(groups[0].quantity.series, distinct, given, last + 1 - begin, most + BEYOND),
            groups[0].half,
            self._row(rows, Total("events", False, where, begin, last)),
            self._row(rows, Total("events", True, where, begin, last)),
            np.concatenate([np.arange(self.effects.start[i], self.effects.start[i + 1]) for i in members]),
        )

    def _row(self, rows: dict[tuple, int], total: Total) -> int:
        key = (*total[:2], total.where.tobytes(), *total[3:])
        if key not in rows:
            rows[key] = len(self.totals)
            self.totals.append(total)
        return rows[key]

    def _errors(self) -> None:
        """How the claims' own and shared errors depend on their stances' spreads: squares are a + b spread^2."""
        reporting = self.effects.middle(self.account.reporting)
        self.stances = [label(claim.stance) for group in self.groups for claim in group.claims]
        squares = []
        for spread in (1.0, 2.0):
            made = reporting.replacing({f"spread.{name}": spread for name in reporting.spread})
            belief = self.effects.begin(self.groups.bind(made), 1)
            shared = belief.design[:, len(self.effects.names) :].sum(axis=1)
            squares.append((belief.own**2, shared**2))
        (own, shared), (own_more, shared_more) = squares
        self.own = ((4 * own - own_more) / 3, (own_more - own) / 3)
        self.shared = ((4 * shared - shared_more) / 3, (shared_more - shared) / 3)
        self.offset, self.scale = belief.offset, np.sqrt(belief.prior)

    def model(self, x: np.ndarray) -> Account:
        """The account at x, its effects at their priors' medians."""
        at = self.center + self.sd * x[: len(self.free)]
        return replacing(self.account, {leaf.name: leaf.from_free(z) for leaf, z in zip(self.free, at, strict=True)})

    def effect_values(self, x: np.ndarray) -> np.ndarray:
        """(U',) the integrated parameters at x, in their own units."""
        count = len(self.effects.names)
        return self.effects.center + (self.scale * x[len(self.free) :][: len(self.scale)])[:count]

    def anchored(self, x: np.ndarray, histories: int, *, rng: np.random.Generator) -> None:
        """Set level, spread and correlation of the wide totals to those of simulated histories at x.

        The share of them that does not explode enters the probability, as it does in the particle filter.
        """
        process = self.model(x).process
        values, _ = self._means(process)
        totals, exploded = simulated_totals(process, self.setting, self.totals, histories, rng=rng)
        left = totals[~exploded]
        self.survived = math.log(max(len(left), 0.5) / histories)
        if len(left) > max(len(self.wide), 10):
            logs = np.array([self._level(one, left.T) for one in self.wide]).reshape(len(self.wide), -1)
            self.shift = logs.mean(axis=1) - np.array([self._level(one, values) for one in self.wide])
            variances, axes = np.linalg.eigh(np.cov(logs).reshape(len(logs), len(logs)))
            self.root = axes * np.sqrt(np.maximum(variances, 0.0))

    def _level(self, one: Wide, values: np.ndarray) -> np.ndarray:
        """log of what the claims on it speak of, from totals (K, ...)."""
        if len(one.at) == 1:
            return np.log(values[one.at[0]] + one.half)
        return np.log(values[one.at[0]] + 0.5) - np.log(values[one.at[1]] + 0.5)

    def _means(self, process: Any) -> tuple[np.ndarray, Pull]:
        """The mean field, kept for the next point at the same parameters."""
        at = vector(process)
        if self._kept is None or self._kept[0] != at.tobytes():
            self.evaluations += 1
            self._kept = at.tobytes(), self.mean_field(at)
        return self._kept[1]

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """log p(claims | x) and its gradient in x."""
        parameters, effects, _ = np.split(np.asarray(x), np.cumsum(self.sizes)[:2])
        now = self.model(x)
        reporting = now.reporting
        values, pull = self._means(now.process)
        spread = np.array([reporting.spread[stance] for stance in self.stances])
        own, shared = (np.sqrt(np.maximum(a + b * spread**2, SMALLEST**2)) for a, b in (self.own, self.shared))
        design = np.hstack([self.effects.design, self.effects.several * shared[:, None]])
        weigher = _Weigher(self.effects, self.offset + design @ (self.scale * effects), own, reporting)
        in_values, named = np.zeros(len(values)), defaultdict(float)
        in_totals = self._weigh_wide(weigher, x, values, in_values)
        for one in self.narrow:
            self._weigh_narrow(weigher, one, now.process, values, in_values, named)
        in_effects = self.scale * (design.T @ weigher.in_level)
        errors = effects[len(self.effects.names) :]
        in_spread = spread * (
            weigher.in_own * self.own[1] / own + weigher.in_level * (self.effects.several @ errors) * self.shared[1] / shared
        )
        for stance, slope in zip(self.stances, in_spread, strict=True):
            named[f"reporting.spread.{stance}"] += slope
        named["reporting.slack"] = weigher.in_slack
        if in_values.any():
            for name, slope in zip(self.order, pull(in_values), strict=True):
                named[name] += slope
        at = self.center + self.sd * parameters
        in_free = [named[leaf.name] * leaf.slope(z) for leaf, z in zip(self.free, at, strict=True)]
        return self.survived + weigher.total, np.concatenate([self.sd * in_free, in_effects, in_totals])

    def _weigh_wide(self, weigher: _Weigher, x: np.ndarray, values: np.ndarray, in_values: np.ndarray) -> np.ndarray:
        """Weigh the claims on totals over places; (R,) slopes in their randomness."""
        drawn = self.shift + self.root @ x[len(x) - len(self.wide) :]
        levels = np.array([self._level(one, values) for one in self.wide]) + drawn
        found = weigher.weigh(self.which, levels[self.wide_of][None])
        weigher.add(self.which, found, np.ones(1))
        weigher.total += float(found[0].sum())
        slopes = np.bincount(self.wide_of, found[1, 0], minlength=len(self.wide))
        for one, slope in zip(self.wide, slopes, strict=True):
            if len(one.at) == 1:
                in_values[one.at[0]] += slope / (values[one.at[0]] + one.half)
            else:
                in_values[list(one.at)] += slope * np.array([1, -1]) / (values[list(one.at)] + 0.5)
        return self.root.T @ slopes

    def _weigh_narrow(
        self, weigher: _Weigher, one: Narrow, process: Any, values: np.ndarray, in_values: np.ndarray,
        named: dict[str, float],
    ) -> None:  # fmt: skip
        """Weigh the claims on one place, summed over the cells of what they speak of."""
        law = one.law.at(process, values[one.mean], 1 - values[one.some])
        levels = np.log(one.law.value + one.half)
        found = weigher.weigh(one.claims, np.repeat(levels[:, None], len(one.claims), axis=1))
        logs = law.logs + found[0].sum(axis=1)
        share = np.exp(logs - logs.max())
        weigher.total += float(logs.max()) + math.log(share.sum())
        share /= share.sum()
        weigher.add(one.claims, found, share)
        in_values[one.mean] += share @ law.in_mean
        in_values[one.some] -= share @ law.in_none
        for name, slope in law.named.items():
            named[f"process.{name}"] += float(share @ slope)


class _Weigher:
    """Claims at one value of everything that shifts and scatters them; sums up their slopes in it, (C,) each."""

    def __init__(self, effects: Integration, offset: np.ndarray, own: np.ndarray, reporting: Any) -> None:
        self.effects, self.offset, self.own, self.reporting = effects, offset, own, reporting
        self.total, self.in_slack = 0.0, 0.0
        self.in_level, self.in_own = np.zeros(len(own)), np.zeros(len(own))

    def weigh(self, claims: np.ndarray, level: np.ndarray) -> np.ndarray:
        """(4, N, n) log probability of n claims at N levels (N, n), and its slopes in level, own error and slack."""
        made, reporting = self.effects, self.reporting
        out = np.zeros((4, *level.shape))
        loops.weigh(
            claims, level + self.offset[claims], self.own, made.sign, max(reporting.slack, SMALLEST), reporting.vague,
            reporting.vague_reach, made.edges, made.weights, made.first, out,
        )  # fmt: skip
        return out

    def add(self, claims: np.ndarray, found: np.ndarray, share: np.ndarray) -> None:
        """Add what `weigh` found to the slopes, its levels counting by their shares (N,)."""
        self.in_level[claims] += share @ found[1]
        self.in_own[claims] += share @ found[2]
        self.in_slack += float((share @ found[3]).sum())
