"""What a careful reader should look at in a table of claims, although every claim stands by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from groundswell.data.gazetteer import fold
from groundswell.data.provenance import counts_with, figure
from groundswell.data.quantities import INPUTS, QUANTITIES, UNSPOKEN
from groundswell.data.record import Claim

ALIKE = 0.87
"""Two names may be one from this share of common letters on (difflib's ratio): "ministry", "ministries"."""

STRAINED = 8.0
"""Factor between two figures on one thing that hardly any lean explains: 2.1 prior sd between a stance and the anchor,
with a lean of .7 and .4 in log, two speakers of .3 and two errors of .25 (docs/models/reporting.md)."""

EXAMPLE = "example-"
"""What the ids of made-up rows of `groundswell study new` begin with."""

LONG = 120
"""Days from which on a window is told as long: every place is drawn on every day."""

LISTED = 12


def remarks(claims: Sequence[Claim]) -> list[str]:
    """All remarks on the claims that stand, those on single claims first."""
    found = [*_single(claims), *_repeats(claims), *_far_apart(claims), *_units(claims), *_names(claims)]
    return [*found, *stretched(claims)]


def stretched(claims: Iterable[Claim]) -> list[str]:
    """A sentence on the one claim whose dates make the window long: most often its year is a slip."""
    daily = [c for c in claims if c.quantity in QUANTITIES and not QUANTITIES[c.quantity].runs_later]
    if len(daily) < 2 or _span(daily) < LONG:
        return []
    left = [_span([other for other in daily if other is not claim]) for claim in daily]
    shortest = min(left)
    if 2 * shortest >= _span(daily):
        return []
    claim = daily[left.index(shortest)]
    return [
        f"claim {claim.id}, {claim.start} to {claim.end}, makes the window {_span(daily):,} days long, which is "
        f"{shortest:,} without it: is the year right?"
    ]


def _span(claims: Sequence[Claim]) -> int:
    return (max(claim.end for claim in claims) - min(claim.start for claim in claims)).days + 1


def _single(claims: Sequence[Claim]) -> Iterator[str]:
    for claim in claims:
        if claim.quantity in INPUTS:
            yield f"claim {claim.id}: {INPUTS[claim.quantity]}"
        if claim.quantity in UNSPOKEN:
            yield f"claim {claim.id}: {UNSPOKEN[claim.quantity]}"
        if claim.stated_on is not None and claim.stated_on < claim.start:
            yield f"claim {claim.id}: stated on {claim.stated_on}, before its window begins {claim.start}"
        elif claim.stated_on is not None and claim.stated_on < claim.end:
            yield (
                f"claim {claim.id}: stated on {claim.stated_on}, before its window ends {claim.end}; a figure so far "
                "speaks of the days up to the one on which it was stated"
            )
    if examples := [claim.id for claim in claims if claim.id.startswith(EXAMPLE)]:
        yield f"made-up examples of `groundswell study new`, to be deleted: {_list(examples)}"
    if outletless := [claim.id for claim in claims if not claim.outlet]:
        yield f"no outlet is given for {_list(outletless)}"


def _repeats(claims: Sequence[Claim]) -> Iterator[str]:
    """One figure told twice: by one that cites another, by one origin, by two that may have copied; or changed."""
    known, stands = {claim.id: claim for claim in claims}, counts_with(claims)
    for claim in claims:
        if claim.cites in known:
            first = known[stands[claim.id]]
            yield f"claim {claim.id}: {claim.words()} tells claim {first.id}, {first.words()}, again and does not count"
    claims = [claim for claim in claims if claim.cites not in known]
    for heap in _heaps(claims, lambda c: (*_about(c), c.origin, *figure(c))):
        yield (
            f'{len(heap)} claims repeat one figure of origin "{heap[0].origin}" on {heap[0].quantity}; they count '
            f"once: {_list([c.id for c in heap])}"
        )
    for heap in _heaps(claims, lambda c: (*_about(c), *figure(c))):
        origins = {claim.origin for claim in heap}
        if len(origins) > 1:
            yield (
                f"{_list([c.id for c in heap])}: the same figure, {heap[0].words()}, from {len(origins)} origins. If "
                "one copied the other give them one origin; as it stands they are counts of their own that agree"
            )
    for heap in _heaps(claims, lambda c: (*_about(c), fold(c.speaker))):
        if len({figure(claim) for claim in heap}) > 1:
            said = ", ".join(f"{c.id} {c.words()}" for c in heap)
            one = "they share one origin, and so an error" if len({c.origin for c in heap}) == 1 else (
                "give them one origin if they rest on one count; if the later corrects the earlier, keep it alone"
            )  # fmt: skip
            yield f'"{heap[0].speaker}" gives different figures on one thing ({said}): {one}'


def _far_apart(claims: Sequence[Claim]) -> Iterator[str]:
    """Figures on one thing of which one rules the other out by more than leans explain."""
    for heap in _heaps((c for c in claims if c.quantity in QUANTITIES), _about):
        floors = [claim for claim in heap if claim.qualifier not in ("at_most", "less_than")]
        ceilings = [claim for claim in heap if claim.qualifier not in ("at_least", "more_than")]
        if not floors or not ceilings:
            continue
        most = max(floors, key=lambda c: c.value)
        least = min(ceilings, key=lambda c: c.value_high or c.value)
        factor = (most.value + 0.5) / ((least.value_high or least.value) + 0.5)
        if factor > STRAINED:
            yield (
                f"{most.id} ({most.words()}) and {least.id} ({least.words()}) on {most.quantity} in {most.place} lie a "
                f"factor of {factor:,.0f} apart: check unit, window and what was counted"
            )


def _units(claims: Sequence[Claim]) -> Iterator[str]:
    for claim in claims:
        if claim.quantity in QUANTITIES and claim.unit != QUANTITIES[claim.quantity].unit:
            yield (
                f'claim {claim.id}: unit "{claim.unit}", while {claim.quantity} counts '
                f"{QUANTITIES[claim.quantity].unit}; the number is taken as it stands"
            )
    for heap in _heaps((c for c in claims if c.quantity not in QUANTITIES), lambda c: (c.quantity,)):
        if len(units := sorted({claim.unit for claim in heap})) > 1:
            yield f"{heap[0].quantity} is given in several units: {', '.join(unit or 'none' for unit in units)}"


def _names(claims: Sequence[Claim]) -> Iterator[str]:
    for heap in _heaps(claims, lambda c: (c.speaker,)):
        if len(stances := sorted({claim.stance for claim in heap})) > 1:
            yield (
                f'speaker "{heap[0].speaker}" has the stances {" and ".join(stances)}: one effect of the speaker is '
                "shared by both; is that meant?"
            )
    stances = Counter(claim.stance for claim in claims)
    for one, other in combinations(sorted(stances), 2):
        if 1 in (stances[one], stances[other]) and one_edit_apart(one, other) and not spelt_alike(one, other):
            yield f'stance "{one}" and "{other}" are a letter apart: a slip? As they stand they are two sides'
    for column in ("speaker", "outlet", "stance", "place", "origin", "document"):
        texts = {getattr(claim, column) for claim in claims} - {""}
        if column == "origin":  # ids stand in for origins that were not given, and ids are alike
            texts -= {claim.id for claim in claims}
        for one, other in combinations(sorted(texts), 2):
            if spelt_alike(one, other):
                yield f'{column} "{one}" and "{other}": one of them spelt two ways? As they stand they are two'


def spelt_alike(one: str, other: str) -> bool:
    """Whether two names may be one: letters alike, case, accents and signs aside; numbers must be the same."""
    a, b = ("".join(sign if sign.isalnum() else " " for sign in fold(name)) for name in (one, other))
    words = [" ".join(text.split()) for text in (a, b)]
    if words[0] == words[1]:
        return True
    numbers = [[sign for sign in text if sign.isdigit()] for text in words]
    return (
        numbers[0] == numbers[1]
        and min(map(len, words)) >= 5
        and SequenceMatcher(None, *words, autojunk=False).ratio() >= ALIKE
    )


def one_edit_apart(one: str, other: str) -> bool:
    """Whether a letter too many, too few or other, or two letters swapped, make one word of the other."""
    short, long = sorted((fold(one), fold(other)), key=len)
    if len(long) - len(short) > 1 or short == long:
        return False
    if len(short) < len(long):
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    unlike = [i for i, (a, b) in enumerate(zip(short, long, strict=True)) if a != b]
    swapped = len(unlike) == 2 and unlike[1] == unlike[0] + 1 and short[unlike[0]] == long[unlike[1]]
    return len(unlike) == 1 or (swapped and short[unlike[1]] == long[unlike[0]])


def _about(claim: Claim) -> tuple:
    return claim.quantity, claim.place, claim.start, claim.end


def _heaps(claims: Iterable[Claim], key: Callable[[Claim], tuple]) -> Iterator[list[Claim]]:
    """Claims that have a key in common with others, in the order of the table."""
    found: dict[tuple, list[Claim]] = defaultdict(list)
    for claim in claims:
        found[key(claim)].append(claim)
    return (heap for heap in found.values() if len(heap) > 1)


def _list(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
    return ", ".join(ids[:LISTED]) + more
