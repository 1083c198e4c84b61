"""Record: what was said about a history, as claims with a speaker each."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Literal, get_args

from groundswell.data.provenance import with_origins
from groundswell.data.table import Table
from groundswell.errors import DataError, nearest

Qualifier = Literal["exactly", "about", "at_least", "more_than", "at_most", "less_than", "between"]
QUALIFIERS: tuple[str, ...] = get_args(Qualifier)


@dataclass(frozen=True)
class Claim:
    """Who said that which quantity had which value, where and when. Nobody's figure is "the truth".

    start, end : first and last day of the window that the figure speaks of, inclusive.
    qualifier, value, value_high : "between" has a low and a high value, the others only a value.
    stance : the speaker's side, in the user's own labels. origin : claims that rest on one count
    share it. outlet : who printed it. stated_on : the day it was said. document : where it was read.
    cites : id of the claim whose figure this one repeats (`data.provenance`); a `Record` gives it that one's origin.
    """

    id: str
    quantity: str
    place: str
    start: date
    end: date
    qualifier: str
    value: float
    unit: str
    stance: str
    speaker: str
    origin: str
    outlet: str = ""
    stated_on: date | None = None
    document: str = ""
    value_high: float | None = None
    cites: str = ""

    def __post_init__(self) -> None:
        if self.qualifier not in QUALIFIERS:
            raise DataError(
                f'claim {self.id}: qualifier "{self.qualifier}" is none of {", ".join(QUALIFIERS)}.'
                + nearest(self.qualifier, QUALIFIERS)
            )
        if self.end < self.start:
            raise DataError(
                f"claim {self.id}: the window ends {self.end} before it starts {self.start}; swap the dates."
            )
        if not self.speaker.strip():
            raise DataError(
                f"claim {self.id}: {self.quantity} {self.value:g} has no speaker. Every figure needs a speaker "
                'and an outlet; write "unknown" if the source does not say.'
            )
        if not self.stance.strip():
            raise DataError(f"claim {self.id} has no stance; give the speaker's side in a label of your own.")
        if not 0 <= self.value < float("inf"):
            raise DataError(f"claim {self.id}: value {self.value} is no finite number of 0 or more.")
        if (self.qualifier == "between") != (self.value_high is not None):
            raise DataError(f'claim {self.id}: "between" needs value and value_high; the other qualifiers only value.')
        if self.value_high is not None and not self.value <= self.value_high < float("inf"):
            raise DataError(f"claim {self.id}: value_high {self.value_high:g} is below value {self.value:g}.")

    def words(self) -> str:
        """The figure as said: "at least 40 cities"."""
        kind = self.qualifier.replace("_", " ")
        figure = f"{self.value:,.15g}" + (f" and {self.value_high:,.15g}" if self.value_high is not None else "")
        unit = f" {self.unit}" if self.unit not in ("", "ratio") else ""
        return f"{'' if kind == 'exactly' else kind + ' '}{figure}{unit}"


COLUMNS: tuple[str, ...] = (
    "id", "quantity", "place", "start", "end", "qualifier", "value", "value_high", "unit",
    "stance", "speaker", "origin", "outlet", "stated_on", "document", "cites",
)  # fmt: skip

TELLING = frozenset({"qualifier", "value", "stance", "speaker", "stated_on"})
"""Columns that only a claims table has, beside "quantity"."""

SPEAKING = TELLING | {
    "quantity", "what", "number", "figure", "figures", "claim", "claims", "side", "camp", "party", "who", "said",
    "source", "spokesperson", "hedge", "outlet",
}  # fmt: skip
"""Words in the headings of those who count what was said."""


def is_claims_table(columns: Collection[str]) -> bool:
    """Whether the columns look like those of a claims table, be it one that lacks some."""
    return "quantity" in columns and len(TELLING & set(columns)) >= 2


def perhaps_claims(columns: Collection[str]) -> str:
    """What to say beside a refused table of events whose headings, in words of its author, may be those of claims."""
    words = [set(re.findall(r"[a-z]+", column.lower())) for column in columns]
    if sum(bool(mine & SPEAKING) for mine in words) < 2:
        return ""
    return (
        f" If each row is a figure that somebody gave, it is a table of claims, with the columns {', '.join(COLUMNS)}: "
        "name yours so. `groundswell study new FOLDER` writes such a table to type over."
    )


@dataclass(frozen=True)
class Record:
    """A table of claims, kept in the order of their ids, so that row order changes nothing.

    Claims that cite another have its origin. DataError for ids that are not unique, a claim that cites none of them,
    itself by a detour, or one with which it does not agree.
    """

    claims: tuple[Claim, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.claims, key=lambda claim: claim.id))
        for first, second in pairwise(ordered):
            if first.id == second.id:
                raise DataError(f'two claims have the id "{first.id}"; ids must differ.')
        object.__setattr__(self, "claims", with_origins(ordered))

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims)

    def __len__(self) -> int:
        return len(self.claims)

    def __getitem__(self, identifier: str) -> Claim:
        for claim in self.claims:
            if claim.id == identifier:
                return claim
        raise DataError(f'no claim has the id "{identifier}".' + nearest(identifier, [c.id for c in self.claims]))

    def without(self, *identifiers: str) -> Record:
        """The record less the claims with these ids, and less those that cite them: nobody repeats what nobody said."""
        gone = set(identifiers)
        while more := {claim.id for claim in self.claims if claim.cites in gone} - gone:
            gone |= more
        return Record(tuple(claim for claim in self.claims if claim.id not in gone))

    def stances(self) -> tuple[str, ...]:
        """The stances that occur, in alphabetical order."""
        return tuple(sorted({claim.stance for claim in self.claims}))

    def table(self) -> Table:
        """The claims as a table with the standard columns."""
        return Table({name: [_plain(getattr(claim, name)) for claim in self.claims] for name in COLUMNS})

    def digest(self) -> str:
        """SHA-256 of the claims in their standard order; the provenance of a result."""
        rows: list[dict[str, Any]] = [{k: _plain(v) for k, v in asdict(claim).items()} for claim in self.claims]
        return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
