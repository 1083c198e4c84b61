"""The study floyd-2020: a list that grows and figures in words, as claims on the protests of May and June 2020.

A public list of places with protests was kept in four vintages. What an early vintage holds is a claim from below on
how many places there were by its day; the crowd sizes that it cites are claims on a place and a day, in words and
round numbers. The last vintage is held back: it says what the early ones did not know yet.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data import gazetteer
from groundswell.data.convert import read_floyd
from groundswell.data.places import Places
from groundswell.data.readers.raw import read_raw
from groundswell.data.record import Claim, Record
from groundswell.data.sizes import read_size
from groundswell.data.table import Table
from groundswell.data.vintages import Vintages, read_vintages
from groundswell.errors import DataError

FIRST, LAST = date(2020, 5, 28), date(2020, 6, 7)
"""Days of the study; before the first the protests were in very few places."""

SEEN = date(2020, 6, 3)
"""The last vintage that is used; the one after it, of 22 June, is held back."""

DAY_OF_MONTH = r"^\d{1,2} (?=(dozens|hundreds|thousands)\b)"
"""Figures were cut out of sentences: "(On May) 30 thousands of protesters" are thousands on the 30th, not 30,000."""

LOOKED = date(2020, 6, 2)
"""The last day that the list could know when it was seen: of that day itself it names nothing yet."""

SHARE = 0.68
"""Of the place-days that the list of 22 June knows up to `LOOKED`, those of the early list. Known with hindsight."""

SMALLEST, LARGE = 50_000, 400_000
"""Population of the smallest places of the study, and of those whose crowds are claims."""


@dataclass(frozen=True, eq=False)
class Floyd:
    """The data as the study needs them. places : of `states`, the states that all vintages cover.

    vintages : the list, entries of those places only. at : (L,) each entry's place. events : one for each place and
    day, as `read_floyd` has them, with `first_listed`.
    """

    places: Places
    states: tuple[str, ...]
    vintages: Vintages
    at: np.ndarray
    events: tuple[Mapping, ...]

    @classmethod
    def read(cls, folder: Path) -> Floyd:
        """From the folder of the reference data that holds localities.csv.gz; DataError if a file is missing."""
        covered = read_raw(folder / "states_covered.csv")
        states = tuple(
            sorted(
                cells["state"]
                for _, cells in covered.dictionaries()
                if all(value == "1" for name, value in cells.items() if name[:2] == "20")
            )
        )
        country = gazetteer.places("US", SMALLEST)
        places = country.subset(np.flatnonzero(np.isin(country.region, states)))
        index = {
            (region, name.removesuffix(f" ({region})")): i
            for i, (name, region) in enumerate(zip(places.name, places.region, strict=True))
        }
        every = read_vintages([folder / "localities_by_vintage.csv.gz"])
        known = [i for i, key in enumerate(zip(every.region, every.place, strict=True)) if key in index]
        vintages = every.subset(known)
        if not len(vintages):
            raise DataError(f"{folder}: no entry of the list is a place of the gazetteer; is it another data set?")
        at = np.array([index[key] for key in zip(vintages.region, vintages.place, strict=True)])
        events = tuple(
            {**event, "at": index[event["region"], event["place"]]}
            for event in read_floyd(folder).events.rows()
            if (event["region"], event["place"]) in index
        )
        return cls(places, states, vintages, at, events)

    def listed(self) -> dict[date, int]:
        """How many places each vintage holds, whether it states a day or not."""
        return {when: int(self.vintages.listed[:, j].sum()) for j, when in enumerate(self.vintages.dates)}

    def known_by(self, day: date, seen: date | None = None) -> int:
        """Places with a protest by a day, as all vintages up to `seen` know: listed by then, or with a day by then."""
        count = 0
        for i, first in enumerate(self.vintages.first_day()):
            vintage = self.vintages.dates[self.vintages.first_seen[i]]
            if (seen is None or vintage <= seen) and min(first or vintage, vintage) <= day:
                count += 1
        return count

    def early(self) -> Table:
        """Date and place of every place-day of the study that the list names by `SEEN`."""
        rows = [
            {"date": event["start"].isoformat(), "place": self.places.name[event["at"]]}
            for event in self.events
            if date.fromisoformat(event["first_listed"]) <= SEEN and FIRST <= event["start"] <= SEEN
        ]
        return Table.from_rows(rows, ("date", "place"))

    def record(self) -> Record:
        """The claims: one for each early vintage, one for each crowd size of a single day in a large place."""
        return Record((*self._counts(), *self._sizes()))

    def _counts(self) -> Iterator[Claim]:
        for when, number in self.listed().items():
            if when <= SEEN:
                yield Claim(
                    f"list-{when:%m%d}", "cities_with_protest", "United States", FIRST, when, "at_least", number,
                    "cities", "press", "the public list", f"list-{when:%m%d}", "public list", when, "vintages",
                )  # fmt: skip

    def _sizes(self) -> Iterator[Claim]:
        for event in self.events:
            listed = date.fromisoformat(event["first_listed"])
            large = self.places.population[event["at"]] >= LARGE
            known = event["size_low"] is not None or event["size_high"] is not None
            if not (large and known and listed <= SEEN and FIRST <= event["start"] <= SEEN):
                continue
            name = self.places.name[event["at"]]
            identifier = re.sub(r"\W+", "-", f"size-{name}-{event['start']:%m%d}".lower())
            yield Claim(
                identifier, "participants", name, event["start"], event["start"], unit="persons", stance="press",
                speaker=f"press in {name}", origin=identifier, outlet="public list", stated_on=listed,
                document="vintages", **worded(event["size_text"]),
            )  # fmt: skip


def worded(text: str) -> dict[str, Any]:
    """A size in words as qualifier, value and value_high: bounds as bounds, "about N" as it is, words as ranges."""
    size = read_size(re.sub(DAY_OF_MONTH, "", text))
    low, high = size.low, size.high
    if high is None:
        return {"qualifier": "more_than" if re.search(r"over|more than|>", text) else "at_least", "value": low}
    if low is None or low <= 1:
        return {"qualifier": "at_most", "value": high}
    if low == high:
        return {"qualifier": "about", "value": low}
    about = round((low + high) / 2)
    if read_size(f"about {about}").low == low and read_size(f"about {about}").high == high:
        return {"qualifier": "about", "value": about}
    return {"qualifier": "between", "value": low, "value_high": high}


def files(folder: Path, counted: bool = False) -> dict[str, str]:
    """study.toml, claims.csv and places.csv of the study, from the folder of the data set.

    counted : the early list as counts by place and day (events.csv), and its claims on numbers of places given.
    """
    found = Floyd.read(folder)
    record = found.record()
    first = sorted(
        {
            found.places.name[event["at"]]
            for event in found.events
            if event["start"] == FIRST and date.fromisoformat(event["first_listed"]) <= SEEN
        }
    )
    given = [claim.id for claim in record if claim.quantity == "cities_with_protest"] if counted else []
    study = STUDY.format(
        start=FIRST, end=LAST, seen=SEEN, states=len(found.states), places=len(found.places),
        first=json.dumps(first, ensure_ascii=False), given=json.dumps(given),
    )  # fmt: skip
    made = {
        "study.toml": study + COUNTED.format(looked=LOOKED, share=SHARE) if counted else study,
        "claims.csv": record.table().to_csv(),
        "places.csv": Table(found.places.columns()).to_csv(),
    }
    return made | ({"events.csv": found.early().to_csv()} if counted else {})


def files_with_counts(folder: Path) -> dict[str, str]:
    """Those of the study with the list as counts."""
    return files(folder, counted=True)


STUDY = """\
# Made from a public list of places as it stood on 1, 2 and 3 June 2020, and the crowd sizes that it cites.
title = "Protests in {places} US places, 28 May to 7 June 2020, as a list knew them on 3 June"
question = "How many places had protests by 3 and by 7 June, and how many took part, given a list that is not complete?"
places = "places.csv"
start = {start}
end = {end}
# One voice only: the press, as the list cites it. No lean can be seen, and what the list lacks is in its bounds.
anchor = "press"
# Sizes are of cities that are listed because they had a protest: that they had one says nothing of the others.
picked = true
# No claim speaks of groups, calls or arrests.
leave_out = ["organised", "call", "deterrence", "backlash"]

[fixed]
process.warnings_per_arrest = 1.0

[setting]
# Places in which the list of {seen} names a protest on the first day.
active_on_day0 = {first}
# Claims that are made from what is weighed otherwise.
given = {given}

[documents]
vintages = "Wikipedia, List of George Floyd protests in the United States, as it stood on 1, 2 and 3 June 2020"
"""

COUNTED = """
[counts]
# The list itself, place by place and day by day: it looked everywhere, and lists a share of what happened.
events = "events.csv"
places = "all"
end = {looked}
# As the list of 22 June knows better: hindsight. Run it under other shares too.
detection = {share}

[priors]
# Declared for a country of which few towns see an event on a day; this list names many on its first days.
process.background.rate = {{ median = 0.02, sd = 1.0 }}
"""
