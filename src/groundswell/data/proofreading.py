"""Each claim in a sentence, as it will be read, for the person who typed it to compare with the article."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from groundswell.data.quantities import INPUTS, QUANTITIES, UNSPOKEN
from groundswell.data.record import Claim

READ_AS: Mapping[str, str] = {
    "exactly": "the speaker's figure, rounded little",
    "about": "the speaker's figure, rounded more",
    "at_least": "a lower bound with slack: somewhat below what the speaker knows, or far below",
    "more_than": "a lower bound with slack: somewhat below what the speaker knows, or far below",
    "at_most": "an upper bound with slack: somewhat above what the speaker knows, or far above",
    "less_than": "an upper bound with slack: somewhat above what the speaker knows, or far above",
    "between": "a range: anywhere between, both ends included",
}
"""How the reporting model takes each qualifier, in words."""


def read_as(claim: Claim, told: Sequence[str] = (), fate: str = "") -> str:
    """ "s04: at least 40 places with at least one event in Iran, 28 to 31 December 2017, said by ...; read as ..."

    told : what was read otherwise than it stands. fate : what a study makes of the claim; without it what any would.
    """
    said = f"{claim.id}: {_figure(claim)} in {claim.place}, {days(claim.start, claim.end)}, said by {claim.speaker}"
    said += f" ({claim.stance})"
    if claim.outlet:
        said += f" in {claim.outlet}"
    if claim.stated_on:
        said += f" on {day(claim.stated_on)}"
    fate = fate or INPUTS.get(claim.quantity) or UNSPOKEN.get(claim.quantity) or f"read as {READ_AS[claim.qualifier]}"
    return said + "".join(f" [{one}]" for one in told) + f"; {fate}."


def proofreading(claims: Iterable[Claim], told: Mapping[str, Sequence[str]], fates: Mapping[str, str]) -> list[str]:
    """A sentence for every claim, in the order of the table."""
    return [read_as(claim, told.get(claim.id, ()), fates.get(claim.id, "")) for claim in claims]


def _figure(claim: Claim) -> str:
    if claim.quantity not in QUANTITIES:
        return f"{claim.words()} ({claim.quantity.replace('_', ' ')})"
    noun = QUANTITIES[claim.quantity].noun
    own = claim.unit == QUANTITIES[claim.quantity].unit
    words = claim.words().removesuffix(f" {claim.unit}")
    return f"{words} {noun}" if own else f"{words} {noun} (unit as given: {claim.unit})"


def days(start: date, end: date) -> str:
    """A window as people write it: "28 to 31 December 2017", "on 4 March 2024"."""
    if start == end:
        return f"on {day(start)}"
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} to {day(end)}"
    return f"{start.day} {start:%B} to {day(end)}" if start.year == end.year else f"{day(start)} to {day(end)}"


def day(when: date) -> str:
    """A day as people write it: "28 December 2017"."""
    return f"{when.day} {when:%B} {when.year}"
