"""The first day of a study: it is given and not modelled, so only the places named as active have events on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

import numpy as np

from groundswell.data.places import Places
from groundswell.data.quantities import QUANTITIES
from groundswell.data.record import Claim
from groundswell.errors import DataError
from groundswell.studies.case import Built

NAMED = 5
"""Places with protest on a first day that can be found and named one by one."""


def frozen(claims: Iterable[Claim], places: Places, start: date, active: Collection[str]) -> list[Claim]:
    """Claims on the first day alone that need more places than are active on it.

    A number of places above those that are; a sum over more places, all of which would be theirs; a figure on a place
    that is quiet. Bounds from above can always be met.
    """
    there = np.isin(places.name, list(active))
    found = []
    for claim in claims:
        asked = QUANTITIES.get(claim.quantity)
        if asked is None or asked.runs_later or not claim.start == claim.end == start or claim.value <= 0:
            continue
        if claim.qualifier in ("at_most", "less_than"):
            continue
        try:
            here = there[places.covered_by(claim.place)]
        except DataError:  # under a name that the gazetteer knows and the places do not
            continue
        if here.sum() < claim.value if asked.functional == "distinct" else not here.all():
            found.append(claim)
    return found


def earlier(claims: Iterable[Claim]) -> list[Claim]:
    """Those of the claims that a study should begin a day earlier for: the places that a small number of them counts
    can be found and named, and then the first day is what it was said to be."""
    return [c for c in claims if QUANTITIES[c.quantity].functional != "distinct" or c.value > NAMED]


def many_at_once(claims: Iterable[Claim]) -> bool:
    """Whether some of these say that many places were active, and not only a sum of many."""
    return any(QUANTITIES[claim.quantity].functional == "distinct" and claim.value > NAMED for claim in claims)


def unmet(built: Built) -> list[Claim]:
    """The weighed claims that the first day of a study cannot meet."""
    return frozen(built.claims.weighed, built.setting.places, built.case.start, built.setting.active_on_day0)


def first_day(built: Built) -> list[str]:
    """A sentence on the claims that the first day cannot meet, and how to begin earlier."""
    start, active, claims = built.case.start, built.setting.active_on_day0, unmet(built)
    if not claims:
        return []
    names = ", ".join(active) if active else "no place"
    said = ", ".join(f"{claim.id} ({claim.words()})" for claim in claims)
    call = f"; where many places protested at once, a call too: [[setting.calls]] with date = {start}"
    return [
        f"{said}: on the first day, {start}, only {names} can be active, since that day is given and not modelled. "
        f"What is said of more places cannot be met, and a sum over them is all of {names}. Name the places that were "
        f"active in active_on_day0, or write start = {start - timedelta(days=1)} in study.toml"
        f"{call if many_at_once(claims) else ''}"
    ]
