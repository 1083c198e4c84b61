"""A study around a table of claims: its days, places, anchor and beginning are taken from what the claims say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from groundswell.data import gazetteer
from groundswell.data.claims_remarks import LONG
from groundswell.data.claims_table import read_claims
from groundswell.data.places import Places
from groundswell.data.quantities import INPUTS, QUANTITIES
from groundswell.data.readers.raw import Raw, read_raw
from groundswell.data.record import COLUMNS, Claim, Record
from groundswell.data.table import Table
from groundswell.errors import DataError
from groundswell.studies.first_day import earlier, frozen, many_at_once
from groundswell.studies.wish import Wish, places_of, quoted, study_toml

NEUTRAL = "third_party"
"""The stance that is preferred where several speak of as many quantities."""


def around(wish: Wish) -> tuple[dict[str, str], list[str]]:
    """The files of a study whose window, places and anchor come from a table of claims, and what was decided."""
    raw = read_raw(wish.claims)
    record = read_claims(raw, first=wish.start)
    daily = [c for c in record if c.quantity in QUANTITIES and not QUANTITIES[c.quantity].runs_later]
    if not daily:
        raise DataError(
            f"{wish.claims}: no claim is about events, places, participants or arrests, so no study can be made around "
            f"it. Weighed by day are {', '.join(q for q in QUANTITIES if not QUANTITIES[q].runs_later)}."
        )
    if not wish.country and wish.places is None:
        wish = replace(wish, country=_country_of(record))
    places, whole, files = places_of(wish)
    opening = _opening(wish, record, daily, places)
    start, end = opening.start, wish.end or max(claim.end for claim in daily)
    stances = Counter(claim.stance for claim in record if claim.quantity in QUANTITIES)
    anchor, why = _anchor(wish, daily, stances)
    calls = [claim for claim in record if claim.quantity in INPUTS and start <= claim.start <= end]
    title = wish.title or f"Claims on {whole}, {start} to {end}"
    toml = study_toml(wish, title, places, (start, end), anchor, opening.active, stances)
    files |= {
        "claims.csv": in_order_of(raw, record).to_csv(),
        "study.toml": toml + opening.call + "".join(map(_call, calls)),
    }
    days = (end - start).days + 1
    words = [
        f"window: {start} to {end}, the days that the claims speak of"
        + (f"; {days:,} days are many: every place is drawn on every day" if days > LONG else ""),
        f"places: {len(places)} of {whole}",
        f"anchor: {anchor}, {why}. That is a decision and not a finding: run the study under each of "
        + ", ".join(f"{s} ({n} {'claim' if n == 1 else 'claims'})" for s, n in sorted(stances.items())),
        *opening.words,
    ]
    if calls:
        words.append(f"calls taken as given: {', '.join(claim.id for claim in calls)}; see [[setting.calls]]")
    return files, words


@dataclass(frozen=True)
class Opening:
    """How a study begins: its first day, the places active on it, a call as TOML or "", and what to say of all that."""

    start: date
    active: tuple[str, ...]
    call: str = ""
    words: tuple[str, ...] = ()


def _opening(wish: Wish, record: Record, daily: Sequence[Claim], places: Places) -> Opening:
    """The first day that claims speak of, with the places that they name for it; a day earlier where they need more."""
    start = wish.start or min(claim.start for claim in daily)
    first = {
        claim.place
        for claim in daily
        if claim.start == claim.end == start and claim.value > 0 and claim.qualifier not in ("at_most", "less_than")
    }
    active = tuple(sorted(first & set(places.name)))
    claims = earlier(frozen(daily, places, start, active))
    if wish.start is not None or not claims:
        said = f"active on the first day, as claims about it say: {', '.join(active)}"
        return Opening(start, active, words=(said,) if active else ())
    why = (
        f"it begins a day before the first claim, since the first day is given and not modelled: on {start} only "
        f"{', '.join(active) or 'no place'} could have been active, against {', '.join(claim.id for claim in claims)}"
    )
    before = start - timedelta(days=1)
    if not many_at_once(claims):
        said = f"taken to be active already on {before}, so that there is something to spread: {', '.join(active)}"
        return Opening(before, active, words=(why, said) if active else (why,))
    if any(claim.quantity in INPUTS and claim.start == start for claim in record):
        return Opening(before, (), words=(why,))
    call = f"\n# So many places at once have a cause in common.\n[[setting.calls]]\ndate = {start}\n"
    why += f"; a call to the whole country on {start} stands for what brought so many out at once"
    return Opening(before, (), call, (why,))


def _anchor(wish: Wish, daily: Sequence[Claim], stances: Mapping[str, int]) -> tuple[str, str]:
    """The anchor and why it is that one: as asked, else the stance that speaks of most quantities."""
    if wish.anchor:
        return wish.anchor, "as asked"
    spoken = {stance: len({claim.quantity for claim in daily if claim.stance == stance}) for stance in stances}
    tied = sorted(stance for stance in stances if spoken[stance] == max(spoken.values()))
    if len(tied) == 1:
        return tied[0], "the stance that speaks of most quantities"
    tie = f"of {' and '.join(tied)}, which speak of as many quantities,"
    if NEUTRAL in tied:
        return NEUTRAL, f"{tie} the one that is no party to it"
    most = [stance for stance in tied if stances[stance] == max(stances[other] for other in tied)]
    if len(most) == 1:
        return most[0], f"{tie} the one with most claims; --anchor names another"
    return most[0], f"{tie} the first by alphabet and for no better reason: say with --anchor which you mean"


def in_order_of(raw: Raw, record: Record) -> Table:
    """The record's table with its rows as they stand in the file."""
    at = {name: i for i, name in enumerate(raw.column("id"))}
    return Table.from_rows(sorted(record.table().rows(), key=lambda row: at[row["id"]]), COLUMNS)


def _call(claim: Claim) -> str:
    """A call as a table of study.toml: to so many of the largest places, or to wherever the claim says."""
    number = claim.quantity == "cities_called_to_protest"
    whole = (
        f"\n# Claim {claim.id} is taken as given: a call to {claim.words() if number else 'protest'}, {claim.place}."
    )
    to = f"\nlargest = {claim.value:.0f}" if number else ""
    return f"{whole}\n[[setting.calls]]\ndate = {claim.start}{to}\nclaim = {quoted(claim.id)}\n"


def _country_of(record: Record) -> str:
    """The one country in which all places of the claims can lie; DataError if there is none, or are several."""
    left: set[str] | None = None
    named = sorted({claim.place for claim in record if claim.quantity in QUANTITIES})
    for name in named:
        try:
            found = {gazetteer.find_country(name).name}
        except DataError:
            found = {match.country for match in gazetteer.candidates(name)}
        if found:  # a province is no place of the gazetteer, so it says nothing
            left = found if left is None else left & found
    if not left or len(left) > 1:
        which = f"may be {', '.join(sorted(left))}" if left else "is not told by their places"
        raise DataError(
            f"the country of the claims {which}: {', '.join(named)}. Say it (--country), or give a table of places "
            "(--places)."
        )
    return left.pop()
