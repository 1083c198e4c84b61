"""The whole case: a list as it stood on several days in; nowcasts, and their scores on a later vintage, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

import numpy as np

from groundswell.data.gazetteer import fold
from groundswell.data.listings import Listings
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.vintages import Vintages
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.nowcast import Nowcast, nowcast
from groundswell.evaluate.nowcast_scores import Added, score
from groundswell.infer.base import Progress, silent
from groundswell.rng import keyed
from groundswell.studies.universe import OPEN, Universe, universe

MOST_DAYS = 366
"""A longer window has more day effects than a list can tell of."""


@dataclass(frozen=True)
class Plan:
    """What is nowcast. at : vintages, default the last one; each is scored on the last vintage if that is later.

    places : "open", "gazetteer" or a table of places (see `universe`). start : the first day; default the
    earliest that an entry states. regions : "common" keeps the regions that every vintage has a row of, since
    a gap is no absence of events; "all" keeps all. hold : dotted names of parameters held at a value.
    """

    places: str = OPEN
    country: str | None = None
    minimum_population: int = 15000
    at: tuple[date, ...] = ()
    start: date | None = None
    regions: Literal["common", "all"] = "common"
    draws: int = 1000
    seed: int = 1
    hold: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Made:
    """The nowcast of one vintage.

    later : the vintage that scores it, with what that has added and how many of the added entries cannot be counted,
    since they state no day or lie in a region that was not on the list; None without one.
    """

    when: date
    nowcast: Nowcast
    later: date | None = None
    added: Added | None = None
    uncounted: int = 0
    scores: Table | None = None


@dataclass(frozen=True, eq=False)
class GrowingList:
    """Everything of a case: what was read, what was left out, and the nowcasts; read off in `growing_tables`."""

    plan: Plan
    vintages: Vintages
    universe: Universe
    left_out: Table
    assumed: Table
    made: tuple[Made, ...]


def run(vintages: Vintages, plan: Plan, progress: Progress = silent) -> GrowingList:
    """Nowcast each vintage of the plan from what was known then, and score it on the last vintage if that is later.

    The same list and plan give the same result. DataError where the list holds nothing that can be used.
    """
    wanted = plan.at or (vintages.dates[-1],)
    if unknown := [day for day in wanted if day not in vintages.dates]:
        raise UsageError(f"the list was not seen on {unknown[0]}; its vintages: {', '.join(map(str, vintages.dates))}.")
    plan = replace(plan, at=tuple(sorted(set(wanted))))
    left = [{"entry": row["row"], "reason": row["reason"]} for row in vintages.left_out.rows()]
    vintages, gaps = _covered(vintages, plan)
    left += gaps
    whole = universe(vintages, plan.places, country=plan.country, minimum_population=plan.minimum_population)
    left += [{"entry": _called(vintages, i), "reason": why} for i, why in whole.reason.items()]
    made, early = [], {}
    for number, when in enumerate(plan.at):

        def part(share: float, words: str, number: int = number, when: date = when) -> None:
            progress((number + share) / len(plan.at), f"{when}: {words}")

        one, before = _nowcast(vintages, whole, plan, when, part)
        made.append(one)
        early |= {_called(vintages, i): f"had its first event on {day}, before the start" for i, day in before.items()}
    left += [{"entry": entry, "reason": reason} for entry, reason in early.items()]
    assumed = [
        {"entry": f"{row['place']}, {row['row']}", "judgement": row["judgement"]} for row in vintages.assumed.rows()
    ]
    assumed += [{"entry": "", "judgement": judgement} for judgement in whole.assumed]
    return GrowingList(
        plan,
        vintages,
        whole,
        Table.from_rows(left, ("entry", "reason")),
        Table.from_rows(assumed, ("entry", "judgement")),
        tuple(made),
    )


def _covered(vintages: Vintages, plan: Plan) -> tuple[Vintages, list[dict[str, str]]]:
    """The entries of regions that every vintage has a row of, and a line for each region without."""
    if plan.regions == "all" or len(vintages.dates) == 1:
        return vintages, []
    keys = np.array([fold(region) for region in vintages.region])
    seen = {key: np.asarray(vintages.listed[keys == key].any(axis=0)) for key in dict.fromkeys(keys.tolist())}
    gaps = {key: had for key, had in seen.items() if not had.all()}
    if len(gaps) == len(seen):
        raise DataError(
            f"no region is in every one of the {len(vintages.dates)} vintages, so none can be followed. If a region "
            'without a row had no event rather than no coverage, say regions="all" (--regions all).'
        )
    lines = []
    for key, had in gaps.items():
        first = int(np.flatnonzero(keys == key)[0])
        without = ", ".join(str(day) for day, there in zip(vintages.dates, had, strict=True) if not there)
        count = int((keys == key).sum())
        lines.append(
            {
                "entry": f"{vintages.region[first] or 'no region'}: {count} entries",
                "reason": f"the region has no row in the vintage of {without}: a gap is no absence of events",
            }
        )
    return vintages.subset(i for i, key in enumerate(keys.tolist()) if key not in gaps), lines


def _nowcast(
    vintages: Vintages, whole: Universe, plan: Plan, when: date, progress: Progress
) -> tuple[Made, dict[int, date]]:
    """One vintage's nowcast; and the entries that had their first event before the start, with their day."""
    count = vintages.dates.index(when) + 1
    known = np.asarray(vintages.listed[:, :count].any(axis=1))
    now = vintages.before(count)
    days = now.first_day()
    rows = [i for i in np.flatnonzero(known).tolist() if whole.unit[i] >= 0]
    stated = [day for i in rows if (day := days[i]) is not None]
    start = plan.start or min(stated, default=None)
    if start is None:
        raise DataError(
            f"no entry of the vintage of {when} states a day, so nothing tells when events began; give a start "
            "(--start)."
        )
    window = Window.between(start, when)
    if window.days > MOST_DAYS:
        raise DataError(
            f"the first events reach from {start} to {when}, {window.days} days; at most {MOST_DAYS} are followed. "
            "Give a later start (--start), or correct the day that is far from the others."
        )
    seen = now.first_seen
    # an entry that was listed before the start had its first event before it, too
    before = {i: day for i in rows if (day := days[i] or now.dates[seen[i]]) < start}
    setting, unit = _known(whole, [int(whole.unit[i]) for i in rows], [int(whole.unit[i]) for i in before], window)
    seen_on = [window.day(day) for day in now.dates if day >= start]
    skipped = count - len(seen_on)
    entries: dict[int, tuple[int, int, int]] = {}
    for i in rows:
        if i in before or unit[whole.unit[i]] < 0:
            continue
        day, at = days[i], int(unit[whole.unit[i]])
        told = (at, int(seen[i]) - skipped, -1 if day is None else window.day(day))
        key = at if whole.closed else i
        entries[key] = told if key not in entries else _earlier(entries[key], told)
    if not entries:
        raise DataError(f"no entry of the vintage of {when} is in the universe, so there is nothing to learn from.")
    table = np.array(list(entries.values()), dtype=np.int64)
    listings = Listings(np.array(seen_on), *table.T)
    later = vintages.dates[-1] if vintages.dates[-1] > when else None
    made = nowcast(
        setting, listings, closed=whole.closed, draws=plan.draws, rng=keyed(plan.seed, when.toordinal()),
        listed_by=None if later is None else window.day(later), fixed=plan.hold, progress=progress,
    )  # fmt: skip
    if later is None:
        return Made(when, made), before
    added, uncounted = _added(vintages, whole, made, unit, known)
    return Made(when, made, later, added, uncounted, score(made, added)), before


def _known(whole: Universe, listed: list[int], gone: list[int], window: Window) -> tuple[Setting, np.ndarray]:
    """The setting as it was known, and each unit's index in it, -1 for those that are not.

    Only regions that the list had named by then are in it; and in a closed universe a place that had its first
    event before the start has none to come.
    """
    region = np.array(whole.places.region)
    inside = np.isin(region, region[listed])
    if whole.closed:
        inside[gone] = False
    kept = np.flatnonzero(inside)
    index = np.full(len(region), -1)
    index[kept] = np.arange(len(kept))
    if not len(kept):
        raise DataError(f"every place had its first event before the start, {window.start}; give an earlier one.")
    return Setting(whole.places.subset(kept), window), index


def _earlier(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    """Two entries of one place as one: the first listing, and its day if it states one."""
    first, second = sorted((one, other), key=lambda told: told[1])
    return first if first[2] >= 0 or second[1] > first[1] else second


def _added(
    vintages: Vintages, whole: Universe, made: Nowcast, unit: np.ndarray, known: np.ndarray
) -> tuple[Added, int]:
    """What the last vintage adds, first event in the nowcast's window; and how much more that cannot be counted.

    It is the judge, so only the days that it states itself count.
    """
    window, places = made.setting.window, made.setting.places
    region = {name: i for i, name in enumerate(made.regions)}
    counts = np.zeros((len(region), window.days))
    waiting = made.listings.waiting(len(places))
    place = np.zeros(len(places), dtype=bool)
    uncounted = 0
    for i in np.flatnonzero(vintages.listed[:, -1] & ~known & (whole.unit >= 0)).tolist():
        at, day = int(unit[whole.unit[i]]), vintages.first[i][-1]
        if whole.closed and at >= 0 and (not waiting[at] or place[at]):
            continue  # another name of a place that is counted already
        if day is not None and not 0 <= window.day(day) < window.days:
            continue
        if day is None or at < 0:
            uncounted += 1
        else:
            counts[region[places.region[at]], window.day(day)] += 1
            place[at] = True
    return Added(counts, place if whole.closed else None), uncounted


def _called(vintages: Vintages, i: int) -> str:
    return ", ".join(filter(None, (vintages.place[i], vintages.region[i])))
