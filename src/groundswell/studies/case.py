"""A case of claims as a folder: study.toml, claims.csv and, where wanted, places.csv.

`Case.read(folder)` checks everything that can be checked before an hour of computing; `build()` makes
the setting, the account and the sorted record.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from groundswell.data.claims_remarks import stretched
from groundswell.data.claims_table import read_claims
from groundswell.data.evidence import Evidence
from groundswell.data.places import Places
from groundswell.data.quantities import QUANTITIES
from groundswell.data.record import Claim, Record
from groundswell.data.setting import Setting, call_matrix
from groundswell.data.window import Window
from groundswell.errors import DataError, ParameterError, UsageError, nearest
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import CalendarPulse, Mobilisation, RandomPulse
from groundswell.models.reporting.claims import Reporting, label
from groundswell.models.reporting.sorting import Sorted, sort_claims
from groundswell.params import Prior, flat, names
from groundswell.rng import keyed
from groundswell.studies.counts import Counts, read_counts
from groundswell.studies.stated import CallOf, CountsOf, Given, PriorOf, Strict, by_parameter

COMPONENTS = ("within", "between", "media", "organised", "call", "deterrence", "backlash")
"""Mechanisms that a study can leave out one at a time."""

LONGEST = 1_000
"""Days of a study, at most: beyond, a run would not end in an hour, and a year is mostly a slip."""

LATER_STEP = 7
"""Days of a step of the organised groups after the daily window."""


class Case(Strict):
    """The configuration of a study of claims, as in study.toml."""

    title: str
    start: date
    end: date
    question: str = ""
    claims: str = "claims.csv"
    country: str = ""
    places: str = ""
    minimum_population: int = Field(default=15_000, ge=1)
    anchor: str
    listing: tuple[str, ...] = ()
    picked: bool = False
    setting: Given = Given()
    leave_out: tuple[str, ...] = ()
    pulse: Literal["none", "random", "calendar"] = "none"
    fixed: Annotated[dict[str, float], BeforeValidator(flat)] = Field(default_factory=dict)
    priors: Annotated[dict[str, PriorOf], BeforeValidator(by_parameter)] = Field(default_factory=dict)
    counts: CountsOf | None = None
    documents: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _not_both(self) -> Case:
        if both := sorted(set(self.fixed) & set(self.priors)):
            raise ValueError(
                f"{both[0]} is held at a value under [fixed] and given a prior under [priors]: delete one of the two"
            )
        return self

    @classmethod
    def read(cls, path: Path) -> Case:
        """From a study.toml; DataError or UsageError says what is wrong and where."""
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DataError(
                f"{path} does not exist; `groundswell study new FOLDER` makes one to start from."
            ) from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DataError(f"{path} cannot be read as TOML: {error}.") from error
        try:
            return cls(**raw)
        except ValidationError as error:
            # a misspelt name says more than the field that is missing for it
            first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
            name = ".".join(map(str, first["loc"]))
            if first["type"] == "extra_forbidden":
                tables = {
                    "counts": CountsOf,
                    "priors": PriorOf,
                    "setting": CallOf if "calls" in first["loc"] else Given,
                }
                known = tables.get(str(first["loc"][0]), cls)
                near = nearest(str(first["loc"][-1]), known.model_fields)
                every = "" if known is cls else f" Here are: {', '.join(known.model_fields)}."
                raise UsageError(f"{path.name}: {name}: is no setting here.{near}{every}") from error
            name = name or path.stem
            given = "" if first["type"] in ("missing", "value_error") else f", and not {first['input']!r}"
            words = first["msg"].removeprefix("Value error, ")
            raise UsageError(f"{path.name}: {name}: {words[:1].lower()}{words[1:]}{given}.") from error

    def build(self, folder: Path) -> Built:
        """Read the tables beside study.toml and make everything that a run needs."""
        window = Window.between(self.start, self.end)
        places = self._places(folder)
        names: dict[str, str] = {}
        record = read_claims(folder / self.claims, first=self.start)
        notes: list[str] = stretched(record)
        if window.days > LONGEST:
            raise DataError(
                f"study.toml: {self.start} to {self.end} is {window.days:,} days, and every place is drawn on every "
                f"one; at most {LONGEST:,} can be. {' '.join(notes) or 'Correct start and end.'}"
            )
        record = Record(tuple(self._placed(claim, places, names, notes) for claim in record))
        counts = self._counts(folder, places, window, names)
        first = self._named(self.setting.active_on_day0, "setting.active_on_day0", places, names)
        first = (*first, *(name for name in (counts.first if counts else ()) if name not in first))
        setting = Setting(
            places,
            window,
            calls=self._calls(places, window, names, notes),
            active_on_day0=first,
            later_edges=_later_edges(window, record),
        )
        taken = (*self.setting.given, *(call.claim for call in self.setting.calls if call.claim))
        if unknown := sorted(set(taken) - {claim.id for claim in record}):
            raise DataError(
                f'study.toml: setting names the claim "{unknown[0]}", which {self.claims} does not have.'
                + nearest(unknown[0], [claim.id for claim in record])
            )
        claims = sort_claims(record, setting, given=taken)
        if self.anchor not in record.stances():
            raise UsageError(
                f'anchor "{self.anchor}" is no stance of {self.claims}: {", ".join(record.stances())}.'
                + nearest(self.anchor, record.stances())
            )
        if not claims.weighed.claims:
            first_out = [*claims.unspoken, *claims.setting][0]
            raise DataError(
                f"{self.claims}: none of {len(record)} claims can be weighed. Claim {first_out.claim.id}: "
                f"{first_out.reason}. Check the window of study.toml, {self.start} to {self.end}, and the claims' own."
            )
        notes += [f"{name} is of no use: {why}" for name, why in self._idle().items()]
        notes += counts.notes if counts else ()
        if self.picked:
            notes.append(
                "arrests and crowds claimed of one place on one day are of events that somebody picked: that there was "
                "an event is given, and says nothing of how many there were (picked, in study.toml)"
            )
        return Built(self, setting, record, claims, self.account(claims.weighed), tuple(notes), counts)

    def account(self, record: Record) -> Account:
        """The process and the reporting of these claims, under the priors of this case, with what it holds fixed."""
        reporting = Reporting.for_record(record, self.anchor, self.listing)
        account = Account(self.process(), replace(reporting, picked=self.picked))
        idle = self._idle()
        priors = {name: Prior(one.median, one.sd) for name, one in self.priors.items() if name not in idle}
        try:
            account = account.under(priors)
        except ParameterError as error:
            raise ParameterError(f"study.toml: priors: {error}") from error
        return account.replacing({name: value for name, value in self.fixed.items() if name not in idle})

    def _idle(self) -> dict[str, str]:
        """What is fixed or given a prior to no use, and why: of mechanisms left out, and of the anchor's own lean."""
        why = {f"process.{name}.": f"{name} is left out" for name in self.leave_out}
        anchor = label(self.anchor)
        of_anchor = f"the figures of {self.anchor}, the anchor, are taken not to lean"
        why |= {f"reporting.bias.{anchor}": of_anchor, f"reporting.bias_by_kind.{anchor}:": of_anchor}
        return {
            name: words
            for name in (*self.fixed, *self.priors)
            for start, words in why.items()
            if name == start or (name.startswith(start) and start.endswith((".", ":")))
        }

    def process(self) -> Mobilisation:
        """The model with the components of this case."""
        unknown = [name for name in self.leave_out if name not in COMPONENTS]
        if unknown:
            raise UsageError(
                f'study.toml: leave_out names "{unknown[0]}"; expected of {", ".join(COMPONENTS)}.'
                + nearest(unknown[0], COMPONENTS)
            )
        pulse = {"none": None, "random": RandomPulse(), "calendar": CalendarPulse()}[self.pulse]
        return replace(Mobilisation(), pulse=pulse, **dict.fromkeys(self.leave_out))

    def without(self, component: str) -> Case:
        """The same case with one mechanism left out."""
        return self.model_copy(update={"leave_out": (*self.leave_out, component)})

    def anchored(self, anchor: str) -> Case:
        """The same case under another anchor."""
        return self.model_copy(update={"anchor": anchor})

    def _places(self, folder: Path) -> Places:
        if self.places:
            return read_places(folder / self.places)
        if not self.country:
            raise UsageError("study.toml names neither a country nor a table of places; give one of them.")
        from groundswell.data import gazetteer

        return gazetteer.places(self.country, self.minimum_population)

    def _counts(self, folder: Path, places: Places, window: Window, names: dict[str, str]) -> Counts | None:
        given = self.counts
        if given is None:
            return None
        looked = (
            given.places if isinstance(given.places, str) else self._named(given.places, "counts.places", places, names)
        )
        return read_counts(
            folder / given.events, places, window, looked=looked, start=given.start, end=given.end,
            detection=given.detection, columns=given.map, country=self.country,
        )  # fmt: skip

    def _calls(self, places: Places, window: Window, names: dict[str, str], notes: list[str]) -> np.ndarray | None:
        if not self.setting.calls:
            return None
        calls = []
        for call in self.setting.calls:
            order, which, chosen = np.argsort(-places.population, kind="stable"), "largest", None
            if call.places is not None:
                chosen = list(self._named(call.places, f"the call of {call.date}", places, names))
            elif number := call.largest or call.random:
                if number > len(places):
                    raise UsageError(
                        f"study.toml: the call of {call.date} went to {number} places, but there are {len(places)}; "
                        "lower minimum_population, or leave the number out: a call to the whole country."
                    )
                if call.random:
                    drawn = keyed(call.date.toordinal(), number).choice(len(places), number, replace=False)
                    order, which = np.sort(drawn), "at random"
                chosen = [places.name[i] for i in order[:number]]
                notes.append(
                    f"the call of {call.date} names no places, only their number: the {number} {which} stand "
                    f"for them: {', '.join(chosen)}"
                )
            calls.append((call.date, chosen))
        return call_matrix(places, window, calls)

    def _named(self, given: Sequence[str], where: str, places: Places, names: dict[str, str]) -> tuple[str, ...]:
        try:
            return tuple(_resolved(name, places, self.country, names) for name in given)
        except DataError as error:
            raise DataError(f"study.toml: {where}: {error}") from error

    def _placed(self, claim: Claim, places: Places, names: dict[str, str], notes: list[str]) -> Claim:
        if claim.quantity not in QUANTITIES:
            return claim
        try:
            name = _resolved(claim.place, places, self.country, names)
        except DataError as error:
            raise DataError(
                f"{self.claims}: claim {claim.id}: {error} Claims name a place, a region or the country; correct the "
                "row, or add the place."
            ) from error
        if name != claim.place:
            note = f'"{claim.place}" is {name} in the gazetteer'
            if note not in notes:
                notes.append(note)
            return replace(claim, place=name)
        return claim


@dataclass(frozen=True, eq=False)
class Built:
    """A case made ready: what is given, the claims in their heaps, the account that weighs them, and counts beside."""

    case: Case
    setting: Setting
    record: Record
    claims: Sorted
    account: Account
    notes: tuple[str, ...]
    counts: Counts | None = None

    def observed(self, record: Record | None = None) -> Record | Evidence:
        """What is weighed: these claims, or those of the case, and its counts where it has some."""
        record = self.claims.weighed if record is None else record
        return record if self.counts is None else self.counts.beside(record)

    @property
    def held(self) -> dict[str, float]:
        """What the case holds fixed, less the names of a mechanism that is left out."""
        known = names(self.account)
        return {name: value for name, value in self.case.fixed.items() if name in known}


def _resolved(name: str, places: Places, country: str, names: dict[str, str]) -> str:
    """The name that this case's places use; the gazetteer's alternates help where a country is given."""
    if name in names:
        return names[name]
    try:
        places.covered_by(name)
        names[name] = name
    except DataError:
        if not country:
            raise
        from groundswell.data import gazetteer

        found = gazetteer.find(name, country=country)
        near = [p for p in places.name if p == found.name or p.startswith(found.name + " (")]
        if len(near) != 1:
            raise
        names[name] = near[0]
    return names[name]


def _later_edges(window: Window, record: Record) -> tuple[int, ...]:
    """Steps of a week after the window, cut where a claim about groups begins or ends."""
    about = [c for c in record if c.quantity in QUANTITIES and QUANTITIES[c.quantity].runs_later]
    ends = [window.day(claim.end) + 1 for claim in about]
    last = max(ends, default=0)
    if last <= window.days:
        return ()
    cuts = {window.day(claim.start) for claim in about} | set(ends)
    weeks = set(range(window.days, last, LATER_STEP))
    return tuple(sorted(day for day in weeks | cuts if window.days <= day <= last))


def read_places(path: Path) -> Places:
    """A user's own table: place, population, latitude, longitude and, optionally, region and country."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no table of text in UTF-8"
        raise DataError(
            f"{path} cannot be read: {why}. Give a CSV with place, population, latitude, longitude."
        ) from error
    needed = ("place", "population", "latitude", "longitude")
    if not rows or any(name not in rows[0] for name in needed):
        raise DataError(
            f"{path.name} needs the columns {', '.join(needed)}; it has {', '.join(rows[0]) if rows else 'no rows'}."
        )
    numbers: dict[str, list[float]] = {name: [] for name in needed[1:]}
    for number, row in enumerate(rows, start=2):
        for name, values in numbers.items():
            try:
                values.append(float(row[name]))
            except (TypeError, ValueError) as error:
                raise DataError(f'{path.name} row {number}: {name} "{row[name]}" is not a number.') from error
    return Places(
        tuple(row["place"] for row in rows),
        np.array(numbers["population"]), np.array(numbers["latitude"]), np.array(numbers["longitude"]),
        tuple(row.get("region") or "" for row in rows), tuple(row.get("country") or "" for row in rows),
    )  # fmt: skip


def plain(case: Case) -> dict[str, Any]:
    """The resolved configuration, for TOML and JSON."""
    return case.model_dump(mode="json", exclude_none=True)
