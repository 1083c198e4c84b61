"""The probability of claims with every count made continuous: smooth in the parameters, with its gradient.

What claims speak of is of two sorts. A total over many places is taken as log-normal given the parameters: its middle
follows the model's mean field, whose level, and the totals' spread and correlation, are set by simulated histories at
one value of the parameters (`anchored`). What happens in one named place is far from that, being 0 more often than not:
there the law of the quantity is summed over cells (the model's `place_law`).

The randomness of the totals, the leans and speakers' effects and the errors shared by origin are averaged over
(`infer.averaged`).
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
from groundswell.errors import UsageError
from groundswell.infer.averaged import Belief, averaged
from groundswell.infer.totals import simulated_totals
from groundswell.models.base import Account, require
from groundswell.models.day_by_day import Total
from groundswell.models.reporting import _claim_slope_loops as loops
from groundswell.models.reporting._claims_loops import LOG_ROOT_2PI
from groundswell.models.reporting.claims import SMALLEST, label
from groundswell.models.reporting.integration import Integration
from groundswell.models.reporting.sorting import require_inside
from groundswell.params import Leaf, names, replacing, vector

IN_ONE_PLACE = ("events", "arrests", "participants")
"""Series whose law in one named place is summed over cells."""
BEYOND = 100.0
"""How many times a claimed figure a quantity in a named place may be."""
HARDLY = 200.0
"""Log probability below the largest from which on a cell is left out: a claim would have to be that much likelier."""
STEPS, FARTHEST = 20.0, 4.5
"""Nodes of a shared error: their closeness, and the last of them in sd."""


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


@dataclass(frozen=True)
class Anchor:
    """What simulated histories say of the wide totals, R of them, beside the mean field.

    survived : log of the share that does not explode. shift : (R,) of the logs. root : (R, R) of their covariance.
    """

    survived: float
    shift: np.ndarray
    root: np.ndarray


class Relaxed:
    """log p(claims | y) and its gradient, y (K,) the parameters on coordinates in which their prior is standard normal.

    free : the K parameters. integrated : names of the reporting model's parameters that are averaged over.
    MissingVerb where the process has no mean field.
    """

    def __init__(
        self, account: Account, setting: Setting, record: Record, free: Sequence[Leaf], integrated: Sequence[str]
    ) -> None:
        require(account.process, "mean_field", "Relaxation")
        self._check(account, free)
        self.account, self.setting, self.free = account, setting, free
        self.process: Any = account.process
        require_inside(record, setting)
        self.groups = account.reporting.prepare(record)
        self.effects = Integration(self.groups, account.reporting, integrated)
        self.center = np.array([leaf.center for leaf in free])
        self.sd = np.array([leaf.sd for leaf in free])
        self.totals: list[Total] = []
        self.wide, self.narrow, self.which, self.wide_of = self._sorted()
        self._errors()
        self.mean_field = self.process.mean_field(setting, self.totals)
        self.order = [f"process.{name}" for name in names(account.process)]
        self.anchor = Anchor(0.0, np.zeros(len(self.wide)), np.zeros((len(self.wide),) * 2))
        self.belief = Belief.prior(len(self.effects.names) + len(self.wide))
        self.evaluations = 0

    def _check(self, account: Account, free: Sequence[Leaf]) -> None:
        unknown = [
            leaf.name for leaf in free
            if leaf.name.startswith("reporting.") and not leaf.name.startswith(("reporting.spread.", "reporting.slack"))
        ]  # fmt: skip
        reporting, what = account.reporting, f"the parameter {unknown[0]}" if unknown else ""
        if getattr(reporting, "selection", None) is not None:
            what = "sources that list some places and miss others"
        elif getattr(reporting, "picked", False):
            what = "places and days that were picked for having an event"
        if what:
            raise UsageError(
                f"Relaxation knows leans, speakers' effects, spreads and slack of a reporting model, and not {what}. "
                "Use TemperedSMC, or hold it fixed if it is a parameter that matters little."
            )

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
            mine = range(start[i], start[i + 1])
            which += mine
            wide_of += [list(wide).index(key)] * len(mine)
        found = [self._narrow(rows, members, *key[1:]) for key, members in narrow.items()]
        return list(wide.values()), found, np.array(which, dtype=np.int64), np.array(wide_of, dtype=np.int64)

    def _narrow(self, rows: dict[tuple, int], members: Sequence[int], place: int, first: int, last: int) -> Narrow:
        groups = [self.groups[i] for i in members]
        begin, where = max(first, 1), np.array([place])
        given = int(first == 0 and self.setting.places.name[place] in self.setting.active_on_day0)
        most = BEYOND * max(claim.value_high or claim.value for group in groups for claim in group.claims)
        distinct = groups[0].quantity.functional == "distinct"
        return Narrow(
            self.process.place_law(groups[0].quantity.series, distinct, given, last + 1 - begin, most + BEYOND),
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
        self.offset = belief.offset
        self.alone = self.which[self.effects.several[self.which].sum(axis=1) == 0]
        wide = np.zeros(len(self.stances), dtype=np.bool_)
        wide[self.which] = True
        origins = [np.flatnonzero(mine) for mine in self.effects.several.T]
        self.together = [claims for claims in origins if wide[claims].all()]

    def model(self, y: np.ndarray) -> Account:
        """The account at y, its effects at their priors' medians."""
        at = self.center + self.sd * y
        return replacing(self.account, {leaf.name: leaf.from_free(z) for leaf, z in zip(self.free, at, strict=True)})

    def anchored(self, y: np.ndarray, histories: int, *, rng: np.random.Generator) -> None:
        """Set level, spread and correlation of the wide totals to those of simulated histories at y.

        The share of them that does not explode enters the probability, as it does in the particle filter.
        """
        process = self.model(y).process
        values, _ = self.mean_field(vector(process))
        totals, exploded = simulated_totals(process, self.setting, self.totals, histories, rng=rng)
        left = totals[~exploded]
        survived, shift, root = math.log(max(len(left), 0.5) / histories), self.anchor.shift, self.anchor.root
        if self.wide and len(left) > max(len(self.wide), 10):
            logs = np.array([self._level(one, left.T) for one in self.wide])
            shift = logs.mean(axis=1) - np.array([self._level(one, values) for one in self.wide])
            variances, axes = np.linalg.eigh(np.cov(logs).reshape(len(logs), len(logs)))
            root = axes * np.sqrt(np.maximum(variances, 0.0))
        self.anchor = Anchor(survived, shift, root)

    def _level(self, one: Wide, values: np.ndarray) -> np.ndarray:
        """log of what the claims on it speak of, from totals (K, ...)."""
        if len(one.at) == 1:
            return np.log(values[one.at[0]] + one.half)
        return np.log(values[one.at[0]] + 0.5) - np.log(values[one.at[1]] + 0.5)

    def __call__(self, y: np.ndarray) -> tuple[float, np.ndarray]:
        """A lower bound of log p(claims | y), close where claims are near normal in their offsets, and its gradient.

        Minus infinity, and no slope, where the mean field or the law of a single place explodes.
        The belief of the effects that comes out is where the next call starts.
        """
        self.evaluations += 1
        now = self.model(y)
        reporting = now.reporting
        values, pull = self.mean_field(vector(now.process))
        spread = np.array([reporting.spread[stance] for stance in self.stances])
        own, shared = (np.sqrt(np.maximum(a + b * spread**2, SMALLEST**2)) for a, b in (self.own, self.shared))
        shared *= self.effects.several.any(axis=1)
        hidden = np.zeros((len(own), len(self.wide)))
        hidden[self.which] = self.anchor.root[self.wide_of]
        design = np.hstack([self.effects.design * self.effects.sd, hidden])
        offset = self.offset.copy()
        levels = np.array([self._level(one, values) for one in self.wide]) + self.anchor.shift
        offset[self.which] += levels[self.wide_of]
        weigher = _Weigher(self.effects, own, shared, reporting)
        laws = [one.law.at(now.process, values[one.mean], 1 - values[one.some]) for one in self.narrow]
        terms = [_Together(weigher, claims) for claims in self.together]
        terms += [_InPlace(weigher, one, law) for one, law in zip(self.narrow, laws, strict=True)]
        found = averaged(_Alone(weigher, self.alone), terms, offset, design, self.belief)
        if not math.isfinite(found.bound):
            return -math.inf, np.zeros(len(y))
        self.belief = found.belief
        named: dict[str, float] = defaultdict(float)
        in_values = np.zeros(len(values))
        self._into_values(np.bincount(self.wide_of, found.in_offset[self.which], len(self.wide)), values, in_values)
        in_own, in_shared = np.zeros(len(own)), np.zeros(len(own))
        in_own[self.alone] = found.singly[0]
        named["reporting.slack"] += float(found.singly[1].sum())
        for term, slopes in zip(terms, found.jointly, strict=True):
            in_own[term.claims], in_shared[term.claims] = slopes[1:].reshape(-1)[: 2 * len(term.claims)].reshape(2, -1)
            named["reporting.slack"] += slopes[0]
        for one, law, slopes in zip(self.narrow, laws, found.jointly[len(self.together) :], strict=True):
            rest = slopes[1 + 2 * len(one.claims) :]
            in_values[one.mean] += rest[0]
            in_values[one.some] -= rest[1]
            for name, slope in zip(law.named, rest[2:], strict=True):
                named[f"process.{name}"] += slope
        in_spread = spread * (in_own * self.own[1] / own + in_shared * self.shared[1] / np.maximum(shared, SMALLEST))
        for stance, slope in zip(self.stances, in_spread, strict=True):
            named[f"reporting.spread.{stance}"] += slope
        for name, slope in zip(self.order, pull(in_values), strict=True):
            named[name] += slope
        at = self.center + self.sd * y
        in_free = np.array([named[leaf.name] * leaf.slope(z) for leaf, z in zip(self.free, at, strict=True)])
        return self.anchor.survived + found.bound, self.sd * in_free

    def _into_values(self, slopes: np.ndarray, values: np.ndarray, in_values: np.ndarray) -> None:
        """Add slopes (R,) in the levels of wide quantities to those in the totals they are made of."""
        for one, slope in zip(self.wide, slopes, strict=True):
            if len(one.at) == 1:
                in_values[one.at[0]] += slope / (values[one.at[0]] + one.half)
            else:
                in_values[list(one.at)] += slope * np.array([1, -1]) / (values[list(one.at)] + 0.5)


class _Weigher:
    """Claims at one value of all that scatters them: own and shared errors, (C,) each, and slack."""

    def __init__(self, effects: Integration, own: np.ndarray, shared: np.ndarray, reporting: Any) -> None:
        self.effects, self.own, self.shared = effects, own, shared
        self.errors = max(reporting.slack, SMALLEST), reporting.vague, reporting.vague_reach

    def __call__(self, claims: np.ndarray, level: np.ndarray) -> np.ndarray:
        """(4, N, n) log probability of n claims at centres (N, n) of log x, and slopes in it, own error and slack."""
        made = self.effects
        out = np.empty((4, *level.shape))
        loops.weigh(claims, level, self.own, made.sign, *self.errors, made.edges, made.weights, made.first, out)
        return out


class _Alone:
    """The claims on totals over places that share no error; the total's level is in the offset."""

    def __init__(self, weigher: _Weigher, claims: np.ndarray) -> None:
        self.weigher, self.claims = weigher, claims

    def __call__(self, offsets: np.ndarray) -> np.ndarray:
        return self.weigher(self.claims, offsets)


class _Together:
    """Claims that share errors of their origins, which are summed over nodes.

    node : (N, n) errors in sd. level : (N, n) what is added to the offsets there. logs : (N,) of the nodes' weights.
    Behind the slopes in offsets are those in slack, in own errors, in shared ones, and whatever `slopes` (E, N) has.
    """

    def __init__(self, weigher: _Weigher, claims: np.ndarray) -> None:
        self.weigher, self.claims = weigher, claims
        self.logs, self.level, self.slopes = np.zeros(1), np.zeros((1, len(claims))), np.zeros((0, 1))
        self._share_errors()

    def _share_errors(self) -> None:
        """Put nodes of every origin's error beside the nodes there are; see `_claims_loops.group_of_several`."""
        weigher, claims = self.weigher, self.claims
        own, shared, node = weigher.own[claims], weigher.shared[claims], np.zeros((len(self.logs), len(claims)))
        for mine in weigher.effects.several[claims].T:
            if mine.any():
                precision = 1 + float((mine * (shared / own) ** 2).sum())
                step = 2 * math.pi / math.sqrt(STEPS * precision)
                errors = step * np.arange(-math.ceil(FARTHEST / step), math.ceil(FARTHEST / step) + 1)
                weight = -0.5 * errors**2 - LOG_ROOT_2PI + math.log(step)
                count = len(self.logs)
                self.logs = np.repeat(self.logs, len(errors)) + np.tile(weight, count)
                self.level, node = (np.repeat(part, len(errors), axis=0) for part in (self.level, node))
                self.slopes = np.repeat(self.slopes, len(errors), axis=1)
                node += np.outer(np.tile(errors, count), mine)
        self.node = node
        self.level = self.level + node * shared

    def __call__(self, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points, count = offsets.shape
        levels = (offsets[:, None, :] + self.level).reshape(-1, count)
        value, in_offset, in_own, in_slack = self.weigher(self.claims, levels).reshape(4, points, -1, count)
        logs = self.logs + value.sum(axis=2)
        top = logs.max(axis=1, keepdims=True)
        share = np.exp(logs - top)
        total = share.sum(axis=1, keepdims=True)
        share /= total
        weight = share[:, None, :]
        mean_offset, mean_own, mean_shared, slack = (
            (weight @ part)[:, 0] for part in (in_offset, in_own, in_offset * self.node, in_slack)
        )
        found = [mean_offset, slack.sum(axis=1, keepdims=True), mean_own, mean_shared, share @ self.slopes.T]
        return (top + np.log(total))[:, 0], np.hstack(found)


class _InPlace(_Together):
    """The claims on one place, summed over the cells of what they speak of; the slopes in the law come last.

    These are in_mean, in_none, and those in its parameters.
    """

    def __init__(self, weigher: _Weigher, one: Narrow, law: Any) -> None:
        self.weigher, self.claims = weigher, one.claims
        least = law.logs.max() - HARDLY
        kept = law.logs > least if math.isfinite(least) else np.ones(len(law.logs), dtype=np.bool_)
        self.logs = law.logs[kept]
        self.level = np.repeat(np.log(one.law.value[kept] + one.half)[:, None], len(one.claims), axis=1)
        self.slopes = np.array([law.in_mean, law.in_none, *law.named.values()])[:, kept]
        self._share_errors()
