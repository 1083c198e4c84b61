"""Where a figure comes from: who said it, who printed it, and what is one observation told several times.

A claim that cites another repeats its figure: the same speaker on the same quantity, place and window, printed by
another outlet, perhaps rounded or turned into a bound on its way ("140" becomes "over 100"). It has the origin of the
claim that it cites, and so on up the chain; given the figure said first it tells nothing more of what happened. Claims
of one origin on one quantity, place and window are one observation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from groundswell.data.table import Table
from groundswell.errors import DataError, nearest

if TYPE_CHECKING:
    from groundswell.data.record import Claim

TAKEN_OVER = ("quantity", "place", "start", "end", "stance", "speaker")
"""What a claim has in common with the one that it cites; outlet, day and the wording of the figure may differ."""


def chain(identifier: str, cites: Mapping[str, str]) -> list[str]:
    """The claims from one that cites nothing down to `identifier`. cites : by id, "" where a claim cites nothing.

    DataError for a chain that leads to no claim, or back to itself.
    """
    found = [identifier]
    while cited := cites[found[-1]]:
        if cited in found:
            round_trip = " cites ".join([*found[found.index(cited) :], cited])
            raise DataError(
                f"claim {identifier}: {round_trip}, so nobody said it first. Who said it first cites nothing."
            )
        if cited not in cites:
            raise DataError(
                f'claim {found[-1]} cites "{cited}", which is the id of no claim.{nearest(cited, cites)} Give the '
                "cited figure a row of its own, or name its origin instead."
            )
        found.append(cited)
    return found[::-1]


def contradiction(claim: Claim, cited: Claim) -> str:
    """Why a claim cannot be a repetition of the one that it cites, with the remedy; "" if it can."""
    for name in TAKEN_OVER:
        mine, other = getattr(claim, name), getattr(cited, name)
        if mine != other:
            remedy = (
                "who repeats a figure is its outlet, the speaker is who said it first"
                if name in ("stance", "speaker")
                else "a repeated figure speaks of the same; leave out cites if it is another figure"
            )
            return f'{name} is "{mine}", while claim {cited.id}, which it cites, has "{other}"; {remedy}'
    if claim.origin and claim.origin != (cited.origin or cited.id):
        return (
            f'origin is "{claim.origin}", while claim {cited.id}, which it cites, has "{cited.origin or cited.id}"; '
            "leave the origin empty"
        )
    return ""


def with_origins(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims, those that cite another with its origin.

    A claim whose origin is known already may cite one that is not here: it was taken from a larger record.
    """
    known = {claim.id: claim for claim in claims}
    cites = {c.id: "" if c.origin and c.cites not in known else c.cites for c in claims}
    resolved = []
    for claim in claims:
        first = known[chain(claim.id, cites)[0]]
        if first is not claim:
            if reason := contradiction(claim, first):
                raise DataError(f"claim {claim.id}: {reason}.")
            claim = replace(claim, origin=first.origin or first.id)
        resolved.append(claim)
    return tuple(resolved)


def observation(claim: Claim) -> tuple:
    """What claims must share to be one observation: origin, quantity, place and window."""
    return claim.origin or claim.id, claim.quantity, claim.place, claim.start, claim.end


def figure(claim: Claim) -> tuple:
    """The figure as said: within one observation the same figure counts once."""
    return claim.qualifier, claim.value, claim.value_high


def _links(claims: Iterable[Claim]) -> dict[str, str]:
    """What each claim cites among these, "" where that is none of them."""
    cites = {claim.id: claim.cites for claim in claims}
    return {name: cited if cited in cites else "" for name, cited in cites.items()}


def in_order_said(claims: Sequence[Claim]) -> list[Claim]:
    """By the day on which they were said, undated ones last; a claim never before the one that it cites."""
    known, links = {claim.id: claim for claim in claims}, _links(claims)

    def when(claim: Claim) -> tuple[date, int, str]:
        above = [known[name] for name in chain(claim.id, links)]
        return max(one.stated_on or date.max for one in above), len(above), claim.id

    return sorted(claims, key=when)


def counts_with(claims: Sequence[Claim]) -> dict[str, str]:
    """By id, the claim that stands for each: the head of its chain, or who first said that figure of that origin.

    A claim that stands for itself is an observation, or part of one; the others add nothing to what is known.
    """
    links, first = _links(claims), {}
    for claim in in_order_said(claims):
        if not links[claim.id]:
            first.setdefault((observation(claim), figure(claim)), claim.id)
    known = {claim.id: claim for claim in claims}
    heads = {claim.id: known[chain(claim.id, links)[0]] for claim in claims}
    return {name: first[observation(head), figure(head)] for name, head in heads.items()}


def told_again(claims: Iterable[Claim]) -> int:
    """How many of the claims add nothing, since they tell another one's figure again."""
    return sum(name != stands for name, stands in counts_with(list(claims)).items())


def provenance(record: Iterable[Claim]) -> Table:
    """Every claim under its origin, in the order in which they were said; the origins by their first claims.

    hands : through how many it went since it was said first. counts with : the claim that stands for it, its own
    id if it counts itself. shares error with : the first claim of the observation.
    """
    claims = in_order_said(list(record))
    links, stands = _links(claims), counts_with(claims)
    heaps: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        heaps[claim.origin or claim.id].append(claim)
    first: dict[tuple, str] = {}
    rows = [
        {
            "origin": origin, "id": claim.id, "quantity": claim.quantity, "place": claim.place,
            "start": claim.start.isoformat(), "end": claim.end.isoformat(), "said": claim.words(),
            "speaker": claim.speaker, "stance": claim.stance, "outlet": claim.outlet,
            "stated_on": claim.stated_on.isoformat() if claim.stated_on else "",
            "document": claim.document, "cites": claim.cites, "hands": len(chain(claim.id, links)) - 1,
            "counts with": stands[claim.id],
            "shares error with": first.setdefault(observation(claim), claim.id),
        }
        for origin, heap in heaps.items() for claim in heap
    ]  # fmt: skip
    return Table.from_rows(rows, COLUMNS)


COLUMNS = (
    "origin", "id", "quantity", "place", "start", "end", "said", "speaker", "stance", "outlet", "stated_on",
    "document", "cites", "hands", "counts with", "shares error with",
)  # fmt: skip
