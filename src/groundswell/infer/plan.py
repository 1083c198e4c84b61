"""Which claim is weighed where and when: what a setting and a record fix for every run of a particle filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.models.base import Account, require
from groundswell.models.cities.mobilisation_state import Counters
from groundswell.models.reporting.integration import Integration


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


class Plan:
    """What a setting and a record fix for every parameter value: which claim is weighed where and when."""

    def __init__(
        self, account: Account, setting: Setting, record: Record, guided: bool = True, integrated: Sequence[str] = ()
    ) -> None:
        require(account.process, "step", "ParticleFilter")
        self.setting = setting
        self.groups = account.reporting.prepare(record)
        self.integration = Integration(self.groups, account.reporting, integrated) if integrated else None
        columns: tuple[str, ...] = account.process.columns  # type: ignore[attr-defined]
        self.columns = {name: i for i, name in enumerate(columns)}
        window = setting.window
        self.span = [(window.day(g.start), window.day(g.end)) for g in self.groups]
        self.where = [setting.places.covered_by(g.place) for g in self.groups]
        integrates = guided and hasattr(account.process, "arrests_given_events")
        self.crowds: dict[int, list[tuple[int, list[int]]]] = {}
        self.locals: list[Local] = []
        self.counted: dict[int, list[int]] = defaultdict(list)
        self.later: list[int] = []
        local_groups, crowd_groups = self._sort(integrates)
        for i, (_, last) in enumerate(self.span):
            if last >= window.days:
                self.later.append(i)
            elif i not in local_groups and i not in crowd_groups:
                self.counted[last].append(i)
        self._count()
        guided = {day for local in self.locals for day in range(local.first, local.last + 1)} | set(self.crowds)
        self.days = guided | {day - 1 for day in guided} | set(self.counted)

    def until(self, begin: int) -> int:
        """The first day from `begin` on that has to be looked at by itself: guided, or with a claim to weigh; or the last."""
        return next((day for day in range(begin, self.setting.window.periods) if day in self.days),
                    self.setting.window.periods - 1)

    @property
    def warns(self) -> bool:
        """Whether persons warned must be drawn as the days are made: only if a claim speaks of them."""
        return self.columns["warned"] in self._counters.column

    def counters(self, histories: int) -> Counters:
        """Totals of everything that is counted, all at 0."""
        made = self._counters
        return made._replace(
            totals=np.zeros((histories, *made.totals.shape[1:])),
            seen=np.zeros((histories, *made.seen.shape[1:]), dtype=np.bool_),
        )

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
        for (place, day), members in sorted(crowds.items()):
            self.crowds.setdefault(day, []).append((place, members))
        return {i for local in self.locals for i in local.groups}, {i for c in crowds.values() for i in c}

    def _count(self) -> None:
        """Counters, shared by the groups that speak of the same series, places and first day."""
        known: dict[tuple, int] = {}
        rows: list[tuple[int, int, int, np.ndarray, bool]] = []
        self.counter: dict[tuple[int, str], int] = {}
        counted = [i for day in sorted(self.counted) for i in self.counted[day]] + self.later
        for i in counted:
            quantity = self.groups[i].quantity
            for series in filter(None, (quantity.series, quantity.below)):
                first, last = self.span[i]
                distinct = quantity.functional == "distinct"
                key = (series, distinct, self.where[i].tobytes(), first)
                if key not in known:
                    known[key] = len(rows)
                    rows.append((self.columns[series], first, last, self.where[i], distinct))
                at = known[key]
                rows[at] = (*rows[at][:2], max(rows[at][2], last), *rows[at][3:])
                self.counter[i, series] = at
        count = len(self.setting.places)
        column, first, last = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
        member = np.zeros((len(rows), count), dtype=np.bool_)
        for at, row in enumerate(rows):
            member[at, row[3]] = True
        order = iter(range(len(rows)))
        distinct = np.array([next(order) if row[4] else -1 for row in rows], dtype=np.int64)
        nobody, nowhere = np.zeros((0, len(rows))), np.zeros((0, sum(row[4] for row in rows), count), dtype=np.bool_)
        self._counters = Counters(column, first, last, member, distinct, nobody, nowhere)
        # places that no later claim tells apart run on as one unit
        marks = np.array([[p in set(self.where[i]) for i in self.later] for p in range(count)], dtype=np.int64)
        _, unit = np.unique(marks.reshape(count, -1), axis=0, return_inverse=True)
        self.unit = unit.reshape(-1)
