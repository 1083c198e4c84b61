"""A society of persons and groups at one moment, and how it goes on: run, watch, save, resume, branch.

A society is a value. Running it returns another one; stopping, recording, saving or the number of threads change
nothing, because every draw is a hash of (key, day, person or city, purpose, k). Two societies with one key share their
luck, so a scenario is `dataclasses.replace(society, model=other)`, or with another setting of the same persons: calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.errors import DataError, UsageError, nearest
from groundswell.models.agents import _recruitment_loops as loops
from groundswell.models.agents.recruitment import Recruitment
from groundswell.models.agents.recruitment_days import SERIES, Days, Past, rules_of, sizes, ties_key
from groundswell.models.agents.saved import read_moment, write_moment
from groundswell.rng import hash_key
from groundswell.statement import plain, stated

JAILED, MEMBER, WARNED, ARRESTED = loops.JAILED, loops.MEMBER, loops.WARNED, loops.ARRESTED
RECRUITED, TOOK_PART = loops.RECRUITED, loops.TOOK_PART
"""Bits of a person: in jail, in a group; and, once for all, warned, arrested, having joined a group, taken part."""

FORMAT = 1
"""Of saved societies; raised when the meaning of a file or of a draw changes."""

_ARRAYS = ("persons", "seats", "city", "jailed", "until", "momentum", "hurt", "alarm")
_KINDS = ("u1", "i4", "i4", "i8", "i8", "f8", "f8", "f8")


@dataclass(frozen=True, eq=False)
class Society:
    """N persons in P cities under `key`, before day `day` of the setting's window.

    persons : (N,) uint8 of bits (JAILED, MEMBER, WARNED, ARRESTED, RECRUITED, TOOK_PART), city after city: `of(place)`.
    seats : (G, W) int32 a group's members, counted within their city; -1 vacant, -2 no seat. city : (G,) sorted.
    jailed, until : (J,) who is in jail, and the last day of it. momentum : (P,) M. hurt, alarm : (L, P), (L,) the
    stocks of arrests per 100,000 of a city and of the country at the end of the last L days.
    """

    model: Recruitment
    setting: Setting
    key: int
    day: int
    persons: np.ndarray
    seats: np.ndarray
    city: np.ndarray
    jailed: np.ndarray
    until: np.ndarray
    momentum: np.ndarray
    hurt: np.ndarray
    alarm: np.ndarray
    exploded: bool = False

    def __post_init__(self) -> None:
        first, places = sizes(self.setting), len(self.setting.places)
        if self.persons.shape != (first[-1],):
            raise DataError(
                f"Society has {len(self.persons)} persons and its setting {first[-1]}; a scenario may change rules, "
                "calls and days, not the persons."
            )
        shapes = {name: getattr(self, name).shape for name in _ARRAYS}
        groups, width = (*shapes["seats"], 0)[:2]
        if (
            shapes["city"] != (groups,) or shapes["jailed"] != shapes["until"] or shapes["momentum"] != (places,)
            or shapes["hurt"] != (*shapes["alarm"], places) or self.day < 0 or width < 1
        ):  # fmt: skip
            raise DataError(f"Society arrays disagree about groups, persons jailed or places: {shapes}.")
        lag = lags(self.model)
        if lag > len(self.alarm):
            raise UsageError(
                f"the model acts on arrests of {lag} days ago, and this society keeps {len(self.alarm)} days of them; "
                "expected a lag no longer than that of the model it began with."
            )
        if self.day == 0:
            check_room(self.model, self.setting)

    def of(self, place: str) -> range:
        """The persons of a place, by number."""
        at, first = self.setting.places.index(place), sizes(self.setting)
        return range(int(first[at]), int(first[at + 1]))

    def save(self, path: Path | str) -> None:
        """Write the society as an .npz file, whole or not at all; its setting is given again to `load`."""
        write_moment(
            path,
            Society,
            FORMAT,
            model=json.dumps(plain(self.model)),
            places=np.array(self.setting.places.name),
            start=self.setting.window.start.isoformat(),
            key=np.uint64(self.key),
            day=self.day,
            exploded=self.exploded,
            **{name: getattr(self, name) for name in _ARRAYS},
        )


def load(path: Path | str, setting: Setting) -> Society:
    """A society that `Society.save` wrote, in a setting of the same places and first day.

    The rest of the setting may differ, which makes a scenario. DataError for any other file, and for other places.
    """
    saved = read_moment(path, Society, FORMAT)
    try:
        _same_places(path, saved["places"].tolist(), str(saved["start"]), setting)
        arrays = {name: saved[name].astype(kind, casting="safe") for name, kind in zip(_ARRAYS, _KINDS, strict=True)}
        model = stated(Recruitment, json.loads(str(saved["model"])))
        society = Society(
            model, setting, int(saved["key"]), int(saved["day"]), **arrays, exploded=bool(saved["exploded"])
        )
    except (KeyError, TypeError, ValueError, UsageError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is no saved society: {error} is missing or wrong.") from error
    _consistent(path, society)
    return society


@dataclass(frozen=True, eq=False)
class Run:
    """What happened between two societies.

    society : at the end. series : name -> (P, T), or (T,) totals, or none.
    followed : (T, K) uint8 the bits of the persons followed at the end of each day, or None.
    """

    society: Society
    series: Mapping[str, np.ndarray]
    followed: np.ndarray | None = None


def populate(model: Recruitment, setting: Setting, *, rng: np.random.Generator) -> Society:
    """A society before its first day; draws nothing but its 64-bit key from `rng`.

    UsageError for steps other than days, for later steps of the groups, and for more members or ties than persons.
    """
    if setting.window.step != 1 or setting.later_edges:
        raise UsageError(
            f"Recruitment runs by the day, and this setting has steps of {setting.window.step} days"
            + (" and later steps of the groups. " if setting.later_edges else ". ")
            + "Give a window of days that reaches as far as is wanted."
        )
    check_room(model, setting)
    first, places, days = sizes(setting), len(setting.places), lags(model)
    key, persons = int(hash_key(rng)), np.zeros(first[-1], np.uint8)
    start = ties_key(key)
    mean = model.shares(setting) * (model.groups.initial if model.groups is not None else 0.0)
    seats, city = loops.first_groups(
        0, places, start, start, persons, first, mean, rules_of(model, setting), model.seats
    )  # fmt: skip
    nobody = np.zeros(0, np.int64)
    return Society(
        model, setting, key, 0, persons, seats, city, nobody, nobody, np.zeros(places), np.zeros((days, places)),
        np.zeros(days),
    )  # fmt: skip


def run(
    society: Society,
    days: int | None = None,
    *,
    record: Literal["places", "totals", "none"] = "places",
    follow: Sequence[int] = (),
    threads: int = 1,
    given: History | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Run:
    """Make so many days, or those left in the window; the same society goes the same way whatever is recorded.

    record : series by place and day, national totals, or none. follow : numbers of persons to watch; see `Society.of`.
    threads : cities are shared out among them, with the same result. given : a history of the window's first days,
    whose events, arrests, participants and warnings (the latter two as far as it has them) happen again, to persons
    that are drawn; groups are drawn as ever. Memory: a copy of the persons, 1 byte each.
    """
    left = society.setting.window.periods - society.day
    days = left if days is None else days
    if isinstance(days, bool) or not isinstance(days, int | np.integer) or not 0 <= days <= max(left, 0):
        raise UsageError(
            f"days is {days!r}; expected a whole number from 0 to {max(left, 0)}, the days that are left in the window "
            f"of {society.setting.window.periods}. For more, give the society a setting with a longer window."
        )
    if record not in ("places", "totals", "none"):
        raise UsageError(f'record is {record!r}; expected "places", "totals" or "none".')
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise UsageError(f"threads is {threads!r}; expected a whole number, 1 or more.")
    watched = np.asarray(follow, dtype=np.int64)
    if watched.size and not (watched.min() >= 0 and watched.max() < len(society.persons)):
        raise UsageError(f"follow has a number outside 0 to {len(society.persons) - 1}, the persons of this society.")
    past = None if given is None else Past.of(society.model, society.setting, given)
    now = Days(society, threads, past)
    shape = (len(SERIES), *({"places": (len(now.share),), "totals": ()}.get(record, (0,))), days)
    series, seen = np.zeros(shape), np.zeros((days, len(watched)), np.uint8)
    try:
        for step in range(days):
            made = now.make(society.day + step)
            if record != "none":
                series[..., step] = made if record == "places" else made.sum(axis=1)
            seen[step] = now.persons[watched]
            if progress is not None:
                progress((step + 1) / days, f"day {society.day + step + 1}")
    finally:
        now.close()
    after = replace(
        society, day=society.day + days, exploded=now.exploded, **{name: getattr(now, name) for name in _ARRAYS}
    )
    return Run(
        after,
        {} if record == "none" else dict(zip(SERIES, series, strict=True)),
        seen if len(watched) else None,
    )


def lags(model: Recruitment) -> int:
    """Days of arrest stocks that a model looks back on."""
    return max(1 if part is None else part.lag_days for part in (model.deterrence, model.backlash))


def check_room(model: Recruitment, setting: Setting) -> None:
    """UsageError where a place has fewer persons than its groups are to have members, or a person ties."""
    persons = np.diff(sizes(setting))
    if model.ties is not None and (persons <= model.ties.number).any():
        at = int(persons.argmin())
        raise UsageError(
            f'"{setting.places.name[at]}" has {persons[at]} persons and Ties.number is {model.ties.number}; expected '
            "more persons in every place than a person has ties. Lower it, or leave out small places."
        )
    if model.groups is not None:
        members = model.shares(setting) * model.groups.initial * model.groups.members
        if (members > persons).any():
            at = int((members / persons).argmax())
            raise UsageError(
                f'"{setting.places.name[at]}" has {persons[at]} persons and would have {members[at]:.0f} members '
                f"(groups.initial {model.groups.initial:g} in the country, of {model.groups.members:g} each); expected "
                "fewer members of groups than persons. Lower groups.initial or groups.members."
            )


def _same_places(path: Path | str, names: list[str], start: str, setting: Setting) -> None:
    """DataError unless the file is about the places of the setting, from the same day on."""
    if unknown := [name for name in setting.places.name if name not in names]:
        raise DataError(
            f'{path} knows no place "{unknown[0]}".' + nearest(unknown[0], names) + " Give the setting of that run."
        )
    if names != list(setting.places.name):
        raise DataError(f"{path} has {len(names)} places, the setting {len(setting.places)}, or in another order.")
    if start != setting.window.start.isoformat():
        raise DataError(f"{path} begins on {start}, the setting on {setting.window.start}; expected the same day.")


def _consistent(path: Path | str, society: Society) -> None:
    """DataError unless persons, groups and the list of persons jailed say the same."""
    persons, first = society.persons, sizes(society.setting)
    held, members = np.zeros(len(persons), bool), np.zeros(len(persons), bool)
    try:
        if (society.jailed < 0).any() or (society.city < 0).any() or (np.diff(society.city) < 0).any():
            raise IndexError
        held[society.jailed] = True
        taken = society.seats >= 0
        members[(first[society.city][:, None] + society.seats)[taken]] = True
        inside = (society.seats < np.diff(first)[society.city][:, None]).all()
    except IndexError:
        inside = False
    agree = (
        inside
        and np.array_equal(held, persons & JAILED > 0)
        and np.array_equal(members, persons & MEMBER > 0)
        and held.sum() == len(society.jailed)
    )
    if not agree:
        raise DataError(
            f"{path} is damaged: its persons, groups and the list of persons jailed disagree. Save it again."
        )
