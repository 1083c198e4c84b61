"""Which claim is weighed where and when: what a setting and a record fix for every run of a particle filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from groundswell.data.evidence import Evidence
from groundswell.data.history import History
from groundswell.data.quantities import Quantity
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.models.base import Account, require
from groundswell.models.cities.scattered import past_of
from groundswell.models.day_by_day import Counters, Total
from groundswell.models.reporting.integration import Integration
from groundswell.models.reporting.sorting import require_inside


@dataclass(frozen=True)
class Local:
    """Groups on the arrests in one named place over one window, weighed together.

    reach : by group, how many arrests its claims can well mean if their speakers do not lean.
    """

    place: int
    first: int
    last: int
    groups: tuple[int, ...]
    reach: tuple[float, ...]


@dataclass(frozen=True)
class Named:
    """What claims name on one day: the places whose counts are guided, and the windows that are open.

    place : (G,). window : (G,) which of the locals is open there, -1 for none. days_left : (G,) of it after today.
    crowds : rows of place, each with the groups on its participants. given : (G,) whether an event is given there.
    begin, on : of the locals, those that begin today, and all that are open.
    """

    place: np.ndarray
    window: np.ndarray
    days_left: np.ndarray
    crowds: tuple[tuple[int, tuple[int, ...]], ...]
    given: np.ndarray
    begin: tuple[int, ...]
    on: tuple[int, ...]


_NONE = np.zeros(0, dtype=np.int64)
NOWHERE = Named(_NONE, _NONE, _NONE, (), np.zeros(0, dtype=np.bool_), (), ())
"""No place is named."""


def value_of(quantity: Quantity, totals: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """(S,) a quantity from the totals (S, C) of its counter or, for a ratio, of its two."""
    if quantity.functional != "ratio":
        return totals[:, rows[0]]
    return (totals[:, rows[0]] + 0.5) / (totals[:, rows[1]] + 0.5)


def seen_by_day(setting: Setting, counts: History) -> np.ndarray:
    """(T, P) events counted, -1 where nobody looked; DataError for other places or another start than the setting's."""
    events = past_of(setting, counts)
    known = np.full(setting.shape[::-1], -1, dtype=np.int64)
    looked = np.ones(events.shape, dtype=bool) if counts.weighed is None else counts.weighed
    known[: events.shape[1]] = np.where(looked, events, -1).T
    return known


class Plan:
    """What a setting and a record fix for every parameter value: which claim is weighed where and when."""

    def __init__(
        self, account: Account, setting: Setting, observed: Record | Evidence, guided: bool = True,
        integrated: Sequence[str] = (),
    ) -> None:  # fmt: skip
        require(account.process, "step", "ParticleFilter")
        self.setting = setting
        self.known, self.detection = None, 1.0
        if isinstance(observed, Evidence):
            self.known, self.detection = seen_by_day(setting, observed.counts), observed.detection
        record = observed.record if isinstance(observed, Evidence) else observed
        require_inside(record, setting)
        self.groups = account.reporting.prepare(record)
        self.integration = Integration(self.groups, account.reporting, integrated) if integrated else None
        self.columns = {name: i for i, name in enumerate(account.process.columns)}
        window = setting.window
        self.span = [(window.day(g.start), window.day(g.end)) for g in self.groups]
        self.where = [setting.places.covered_by(g.place) for g in self.groups]
        integrates = guided and hasattr(account.process, "arrests_to_come")
        self.crowds: dict[int, dict[int, tuple[int, ...]]] = defaultdict(dict)
        self.locals: list[Local] = []
        self.counted: dict[int, list[int]] = defaultdict(list)
        self.later: list[int] = []
        local_groups, crowd_groups = self._sort(integrates)
        for i, (_, last) in enumerate(self.span):
            if last >= window.days:
                self.later.append(i)
            elif i not in local_groups and i not in crowd_groups:
                self.counted[last].append(i)
        self.named = self._named(self._picked() if account.reporting.picked else {})
        self._count([i for i, group in enumerate(self.groups) if account.reporting.lister(group) is not None])
        self.rooted = self._rooted() if guided and hasattr(account.process, "place_groups") else []
        named = set(self.named)
        if self.known is not None:
            named |= set(np.flatnonzero((self.known >= 0).any(axis=1)).tolist())
        self.days = named | {day - 1 for day in named} | set(self.counted)

    def until(self, begin: int) -> int:
        """The first day from `begin` on with something to do at its end, or before the next; else the last day."""
        last = self.setting.window.periods - 1
        return next((day for day in range(begin, last) if day in self.days), last)

    @property
    def warns(self) -> bool:
        """Whether persons warned must be drawn as the days are made: only if a claim speaks of them."""
        return self.columns["warned"] in self._counters.column

    def counters(self, histories: int) -> Counters:
        """Totals of everything that is counted, all at 0."""
        return self._counters.fresh(histories)

    def _sort(self, integrates: bool) -> tuple[set[int], set[int]]:
        arrests: dict[tuple[int, int, int], list[int]] = defaultdict(list)
        crowds: dict[tuple[int, int], list[int]] = defaultdict(list)
        for i, group in enumerate(self.groups):
            first, last = self.span[i]
            if not integrates or len(self.where[i]) != 1 or last >= self.setting.window.days:
                continue
            place = int(self.where[i][0])
            if group.quantity.name == "arrests":
                arrests[place, first, last].append(i)
            elif group.quantity.name == "participants" and first == last:
                crowds[place, first].append(i)
        taken: set[tuple[int, int]] = set()
        for (place, first, last), members in sorted(
            arrests.items(), key=lambda item: (item[0][2] - item[0][1], item[0])
        ):
            days = {(place, day) for day in range(first, last + 1)}
            if days & taken:
                continue  # overlapping windows at one place: the longer one is weighed when it ends
            taken |= days
            reach = tuple(
                (30 if (group.sign < 0).any() else 10) * max(c.value_high or c.value for c in group.claims)
                for group in (self.groups[i] for i in members)
            )
            self.locals.append(Local(place, first, last, tuple(members), reach))
        for (place, day), members in crowds.items():
            self.crowds[day][place] = tuple(members)
        return {i for local in self.locals for i in local.groups}, {i for c in crowds.values() for i in c}

    def _picked(self) -> dict[int, set[int]]:
        """By day, the places of which a claim speaks alone, and that nobody counted: an event there is given."""
        found: dict[int, set[int]] = defaultdict(set)
        for i, (first, last) in enumerate(self.span):
            if len(self.where[i]) == 1 and first == last < self.setting.window.days and first > 0:
                place = int(self.where[i][0])
                counted = self.known is not None and self.known[first, place] >= 0
                if self.groups[i].quantity.name in ("arrests", "participants") and not counted:
                    found[first].add(place)
        return dict(found)

    def _named(self, picked: Mapping[int, set[int]]) -> dict[int, Named]:
        """What claims name, by day; picked : places where an event is given."""
        found = {}
        for day in range(self.setting.window.periods):
            on = tuple(at for at, local in enumerate(self.locals) if local.first <= day <= local.last)
            windows, crowds = {self.locals[at].place: at for at in on}, self.crowds.get(day, {})
            places = sorted({*windows, *crowds, *picked.get(day, ())})
            if places:
                window = [windows.get(place, -1) for place in places]
                left = [self.locals[at].last - day if at >= 0 else 0 for at in window]
                found[day] = Named(
                    np.array(places, dtype=np.int64), np.array(window, dtype=np.int64), np.array(left, dtype=np.int64),
                    tuple((row, crowds[place]) for row, place in enumerate(places) if place in crowds),
                    np.isin(places, sorted(picked.get(day, ()))),
                    tuple(at for at in on if self.locals[at].first == day), on,
                )  # fmt: skip
        return found

    def _count(self, lists: Sequence[int]) -> None:
        """Lay out the counters. lists : groups whose source lists places: of them each place's arrests count too."""
        counted = [i for day in sorted(self.counted) for i in self.counted[day]] + self.later
        count = len(self.setting.places)
        tallies = _Tallies(count)
        self.counter_of = {i: self._add(tallies, i) for i in counted}
        arrested = {i: tallies.add(self.columns["arrests"], *self.span[i], self.where[i], True, False) for i in lists}
        self._counters = tallies.counters()
        rows = self._counters.distinct
        self.listed = {i: (int(rows[self.counter_of[i][0]]), int(rows[at])) for i, at in arrested.items()}
        if self.locals:
            self.ahead = self._look_ahead()
        # places that no later claim tells apart run on as one unit
        marks = np.array([[p in set(self.where[i]) for i in self.later] for p in range(count)], dtype=np.int64)
        _, unit = np.unique(marks.reshape(count, -1), axis=0, return_inverse=True)
        self.unit = unit.reshape(-1)
        self.units = (self.unit[:, None] == np.unique(self.unit)).astype(float)

    def _add(self, tallies: _Tallies, i: int, alone: bool = False) -> tuple[int, ...]:
        """Counters of a group: one, or for a ratio two."""
        quantity = self.groups[i].quantity
        series = [name for name in (quantity.series, quantity.below) if name]
        distinct = quantity.functional == "distinct"
        return tuple(tallies.add(self.columns[name], *self.span[i], self.where[i], distinct, alone) for name in series)

    def _rooted(self) -> list[Rooted]:
        """By unit, those who speak of its groups alone, and not of a ratio."""
        sums = [i for i in self.later if self.groups[i].quantity.functional == "sum"]
        found = []
        for unit in np.unique(self.unit):
            members = tuple(i for i in sums if (self.unit[self.where[i]] == unit).all())
            if members:
                totals = [Total(self.groups[i].quantity.series, False, self.where[i], *self.span[i]) for i in members]
                found.append(Rooted(np.flatnonzero(self.unit == unit), members, tuple(totals)))
        return found

    def _look_ahead(self) -> LookAhead:
        """Counters that each end with their own window, so that a whole history can be made in one call."""
        tallies = _Tallies(len(self.setting.places))
        groups = {i: self._add(tallies, i, alone=True) for members in self.counted.values() for i in members}
        return LookAhead(tallies.counters(), groups)


@dataclass(frozen=True)
class Rooted:
    """Places that no later claim tells apart, and the claims about what becomes of their groups alone.

    where : (n,) places. groups : of claims. totals : what each of them speaks of.
    """

    where: np.ndarray
    groups: tuple[int, ...]
    totals: tuple[Total, ...]


@dataclass(frozen=True)
class LookAhead:
    """What histories that look ahead count. counter_of : by group."""

    empty: Counters
    counter_of: dict[int, tuple[int, ...]]


class _Tallies:
    """Counters in the making, shared by those who speak of the same series, places and first day."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.known: dict[tuple, int] = {}
        self.rows: list[tuple[int, int, int, np.ndarray, bool]] = []

    def add(self, column: int, first: int, last: int, where: np.ndarray, distinct: bool, alone: bool) -> int:
        """The counter's index; one that is not `alone` may go on beyond `last` for another's sake."""
        key = (column, distinct, where.tobytes(), first, last if alone else None)
        at = self.known.setdefault(key, len(self.rows))
        if at == len(self.rows):
            self.rows.append((column, first, last, where, distinct))
        row = self.rows[at]
        self.rows[at] = (*row[:2], max(row[2], last), *row[3:])
        return at

    def counters(self) -> Counters:
        """The counters, for no history yet."""
        rows, places = self.rows, self.places
        column, first, last = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
        member = np.zeros((len(rows), places), dtype=np.bool_)
        for at, row in enumerate(rows):
            member[at, row[3]] = True
        order = iter(range(len(rows)))
        distinct = np.array([next(order) if row[4] else -1 for row in rows], dtype=np.int64)
        seen = np.zeros((0, sum(row[4] for row in rows), places), dtype=np.bool_)
        return Counters(column, first, last, member, distinct, np.zeros((0, len(rows))), seen)
