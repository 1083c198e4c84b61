"""What one might go and count: designs, plain additions to the questions that a record answers.

A design asks a speaker for figures: which quantity, where, over which windows. It holds no figures; `power` lets a
model's histories supply them. A user's own stand in TOML, in the words of `Asked`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, ValidationError, model_validator

from groundswell.data.provenance import counts_with
from groundswell.data.quantities import QUANTITIES, nearest_quantity, quantity
from groundswell.data.record import Claim, Qualifier
from groundswell.errors import DataError, UsageError, nearest
from groundswell.models.base import can
from groundswell.studies.case import Built
from groundswell.studies.stated import Strict

NOTHING_NEW = "as it is"
"""The name of the record without an addition."""

LARGEST = 10
"""Cities in which arrests are counted one by one."""

APART = 1.5
"""Factor between figures on one crowd from which on the sides differ over it."""

SUPPOSED = 100.0
"""A value that stands in a claim until a history supplies one; nothing depends on it."""


class Asked(Strict):
    """Figures that one speaker would be asked for.

    place : a place, region or country; without one and without `largest`, the whole country. largest : one figure for
    each of so many largest places. start, end : the study's window without them. every : days; the window is cut into
    stretches of so many, one figure each, the last one shorter where they do not fit. stance : the case's anchor
    without one. origin : without one every figure is of its own.
    """

    quantity: str
    place: str = ""
    largest: int | None = Field(default=None, ge=1)
    start: date | None = None
    end: date | None = None
    every: int | None = Field(default=None, ge=1)
    qualifier: Qualifier = "exactly"
    low_to_high: float = Field(default=1.5, gt=1)
    stance: str = ""
    speaker: str = "a new count"
    origin: str = ""

    @model_validator(mode="after")
    def _known(self) -> Asked:
        if self.quantity not in QUANTITIES:
            raise ValueError(f'quantity "{self.quantity}" is not known.{nearest_quantity(self.quantity)}')
        if self.place and self.largest:
            raise ValueError("a question is about a place, or about so many of the largest: give one of them")
        return self

    def claims(self, built: Built, label: str) -> tuple[Claim, ...]:
        """One claim a figure, with ids that begin with `label`."""
        window = built.setting.window
        begin, last = self.start or window.start, self.end or window.end
        if last < begin:
            raise DataError(f"design {label}: a window ends {last} before it starts {begin}; swap the dates.")
        days = self.every or (last - begin).days + 1
        starts = [begin + timedelta(k) for k in range(0, (last - begin).days + 1, days)]
        if self.largest:
            order = np.argsort(-built.setting.places.population, kind="stable")[: self.largest]
            where = [built.setting.places.name[i] for i in order]
        else:
            where = [self.place or whole(built)]
        ranged = self.qualifier == "between"
        return tuple(
            Claim(
                f"{label}-{self.quantity}-{place}-{start}", self.quantity, place, start,
                min(start + timedelta(days - 1), last), self.qualifier, SUPPOSED,
                quantity(self.quantity).unit, self.stance or built.case.anchor, self.speaker, self.origin,
                value_high=SUPPOSED * self.low_to_high if ranged else None,
            )
            for place in where for start in starts
        )  # fmt: skip


@dataclass(frozen=True)
class Design:
    """An addition to the record. doc : what it is, in words that follow "count"."""

    name: str
    doc: str
    claims: tuple[Claim, ...] = ()


def whole(built: Built) -> str:
    """The name under which this case speaks of all its places."""
    places = built.setting.places
    for name in dict.fromkeys([*places.country, *places.region]):
        if name and len(places.covered_by(name)) == len(places):
            return name
    raise DataError(
        "no one name stands for all places of this case, so a question about the whole country cannot be asked: give "
        "the table of places a column `country`, or the question a `place`."
    )


def standard(built: Built) -> tuple[Design, ...]:
    """The additions that are tried where the user names none; those that this case has no use for are left out."""
    window, weighed = built.setting.window, built.claims.weighed
    half = window.start + timedelta(days=window.days // 2)
    quantities = dict.fromkeys(claim.quantity for claim in weighed if not QUANTITIES[claim.quantity].runs_later)
    cities = "cities_with_protest"
    begin, end = _days_of_arrests(built)

    def made(name: str, doc: str, *asked: Asked) -> Design:
        return Design(name, doc, tuple(claim for one in asked for claim in one.claims(built, name)))

    found = [
        Design("second-source", "the quantities of the record once more, by one further speaker of the anchor's side",
               _second_source(built)),
        made("weekly", "cities with protest, week by week, by one hand", Asked(quantity=cities, every=7)),
        made("daily", "cities with protest, day by day, by one hand", Asked(quantity=cities, every=1)),
        made("arrests-by-city", f"arrests from {begin} to {end} in each of the "
             f"{min(LARGEST, len(built.setting.places))} largest cities, by one hand",
             Asked(quantity="arrests", largest=LARGEST, start=begin, end=end)),
        made("second-window", "the record's quantities over the second half of the window too, by one hand",
             *(Asked(quantity=name, start=half) for name in quantities)),
    ]  # fmt: skip
    if disputed := _disputed_crowd(built):
        asked = Asked(quantity="participants", place=disputed.place, start=disputed.start, end=disputed.end)
        where = f"{disputed.place} on {disputed.start}"
        found.append(made("one-crowd", f"the crowd in {where} independently, on which the figures differ most", asked))
    if _about_groups(built):
        later = [claim for claim in weighed if QUANTITIES[claim.quantity].runs_later]
        begin, end = min(claim.start for claim in later), max(claim.end for claim in later)
        both = (Asked(quantity=name, start=begin, end=end) for name in ("groups_formed", "teams_arrested"))
        found.append(made("groups", "groups formed and groups broken up, by one hand", *both))
    return tuple(design for design in found if design.claims)


def _days_of_arrests(built: Built) -> tuple[date, date]:
    """The longest days over which the record tells of arrests in all places; the window where it tells of none."""
    window, count = built.setting.window, len(built.setting.places)
    told = [
        (claim.start, claim.end)
        for claim in built.claims.weighed
        if claim.quantity == "arrests" and len(built.setting.places.covered_by(claim.place)) == count
    ]
    return max(told, key=lambda days: days[1] - days[0], default=(window.start, window.end))


def _about_groups(built: Built) -> bool:
    claims = any(QUANTITIES[claim.quantity].runs_later for claim in built.claims.weighed)
    return claims and can(built.account.process, "run_later") and built.account.process.groups is not None  # type: ignore[attr-defined]


def _disputed_crowd(built: Built) -> Claim | None:
    """A claim on the crowd of a named place and day on which the sides differ most, by APART or more; None if none is.

    Only there a count by nobody's side settles by how much each leans.
    """
    heaps: dict[tuple, list[Claim]] = {}
    for claim in built.claims.weighed:
        alone = claim.start == claim.end and len(built.setting.places.covered_by(claim.place)) == 1
        if claim.quantity == "participants" and claim.value > 0 and alone:
            heaps.setdefault((claim.place, claim.start), []).append(claim)

    def factor(heap: list[Claim]) -> float:
        return max(claim.value for claim in heap) / min(claim.value for claim in heap)

    found = [heap for heap in heaps.values() if len({claim.stance for claim in heap}) > 1 and factor(heap) >= APART]
    return max(found, key=factor)[0] if found else None


def _second_source(built: Built) -> tuple[Claim, ...]:
    """Every quantity, place and window of the record once, said by somebody new of the anchor's side."""
    asked: dict[tuple, Claim] = {}
    stands = counts_with(built.claims.weighed.claims)
    for claim in built.claims.weighed:
        if QUANTITIES[claim.quantity].functional == "ratio" or stands[claim.id] != claim.id:
            continue  # nobody counts a ratio, and what tells another claim again asks nothing of its own
        asked.setdefault((claim.quantity, claim.place, claim.start, claim.end), claim)
    return tuple(
        replace(
            claim, id=f"second-source-{claim.id}", qualifier="about", value=SUPPOSED, value_high=None,
            stance=built.case.anchor, speaker="a second source", origin="", outlet="", stated_on=None, document="",
            cites="",
        )
        for claim in asked.values()
    )  # fmt: skip


def chosen(built: Built, wanted: Sequence[str] = (), file: Path | None = None) -> tuple[Design, ...]:
    """The record as it is, then the designs of these names, of the standard ones and the file's; all without names."""
    known = {design.name: design for design in (*standard(built), *(own(built, file) if file else ()))}
    for name in wanted:
        if name not in known:
            raise UsageError(f'"{name}" is no design here: {", ".join(known)}.' + nearest(name, known))
    picked = [known[name] for name in dict.fromkeys(wanted)] if wanted else list(known.values())
    return (Design(NOTHING_NEW, "nothing further"), *picked)


def own(built: Built, file: Path) -> tuple[Design, ...]:
    """The designs of a TOML file: tables [NAME] with `doc` and one or more [[NAME.ask]] in the words of `Asked`."""
    try:
        tables: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{file} cannot be read as TOML: {error}.") from error
    found = []
    for name, table in tables.items():
        asked = table.get("ask") if isinstance(table, dict) else None
        if not isinstance(asked, list) or set(table) - {"doc", "ask"}:
            raise UsageError(f"{file.name}: {name} is no design; it needs [[{name}.ask]] and may have a doc.")
        claims: list[Claim] = []
        for number, one in enumerate(asked, start=1):
            try:
                claims += Asked(**one).claims(built, f"{name}-{number}")
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "ask"
                words = first["msg"].removeprefix("Value error, ").rstrip(".")
                raise UsageError(f"{file.name}: {name}, question {number}: {where}: {words}.") from error
        found.append(Design(name, str(table.get("doc", name)), tuple(claims)))
    return tuple(found)
