"""Crowds of a case: how wide a prior they need, and which totals of participations are that prior's alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from groundswell.data.record import Claim
from groundswell.models.cities.mechanisms import Crowds
from groundswell.params import leaves
from groundswell.studies.case import Built

MEDIAN, SPREAD = "process.crowds.median", "process.crowds.spread"

ANY_CROWD = {MEDIAN: 10_000.0, SPREAD: 3.0}
"""A crowd of any size, held fixed: 95 of 100 between 30 persons and 3.6 million. For a study of one place: there claims
speak of every crowd. In a country the mean of it, 900,000, would be every town's."""

FAR_OUT = 3.0
"""Prior standard deviations of a crowd's log size beyond which a figure strains the model."""

REACH = 2.5
"""Spreads above the median within which a prior made for a case holds its largest crowd."""

SD = 0.8
"""Prior sd of the log of the median, the model's own."""

SPOKEN = 5
"""Places with crowds of their own that claims must name before they tell anything of crowds elsewhere."""


def claimed(built: Built) -> list[Claim]:
    """Weighed claims of a crowd in one place; bounds from above aside, which any crowd may meet."""
    return [
        claim
        for claim in built.claims.weighed
        if claim.quantity == "participants"
        and claim.value > 0
        and claim.qualifier not in ("at_most", "less_than")
        and len(built.setting.places.covered_by(claim.place)) == 1
    ]


def large_crowds(built: Built) -> list[Claim]:
    """Claims on participants of one place that lie beyond FAR_OUT of the prior of a crowd."""
    crowd = {leaf.name: leaf for leaf in leaves(built.account) if leaf.name in (MEDIAN, SPREAD)}
    sd = crowd[SPREAD].value if MEDIAN in built.held else math.hypot(crowd[SPREAD].value, crowd[MEDIAN].sd)
    most = crowd[MEDIAN].value * math.exp(FAR_OUT * sd)
    return [claim for claim in claimed(built) if claim.value / _days(claim) > most]


def crowds_for(built: Built) -> dict[str, float]:
    """Median and spread of crowds for a case with large ones; of the median, the middle of its prior.

    The median is the smallest claimed crowd, as a share of who lives there, in a place of middle size, and no less than
    the model's own. The spread is the smallest that has the largest claimed crowd within REACH of it, cut where the
    mean crowd would be more than live in a place on average: a total could then exceed everybody on every day.
    """
    population = built.setting.places.population
    if len(population) == 1:
        return ANY_CROWD
    own, crowds = Crowds(), claimed(built)
    sizes = np.array([claim.value / _days(claim) for claim in crowds])
    lives = [float(population[built.setting.places.covered_by(claim.place)].sum()) for claim in crowds]
    largest = max((claim.value_high or claim.value) / _days(claim) for claim in crowds)
    median = float(f"{max((sizes / lives).min() * np.median(population), own.median):.2g}")
    needed = math.ceil(10 * math.log(largest / median) / REACH) / 10
    most = math.floor(10 * math.sqrt(2 * math.log(max(population.mean() / median, 1.0)))) / 10
    return {MEDIAN: median, SPREAD: max(own.spread, min(needed, most))}


def crowds_toml(built: Built) -> str:
    """What to write into study.toml for them. In one place both are held; else the median has a prior and is learnt."""
    median, spread = (crowds_for(built)[name] for name in (MEDIAN, SPREAD))
    if len(built.setting.places) == 1:
        return f"[fixed]\n{MEDIAN} = {median:g}\n{SPREAD} = {spread:g}\n"
    return f"[priors]\n{MEDIAN} = {{ median = {median:g}, sd = {SD} }}\n\n[fixed]\n{SPREAD} = {spread:g}\n"


def crowds_too_large(built: Built) -> list[str]:
    """A sentence where the crowd that is expected beforehand is more than live in a place of this case."""
    value = {leaf.name: leaf.value for leaf in leaves(built.account) if leaf.name in (MEDIAN, SPREAD)}
    mean, lives = value[MEDIAN] * math.exp(value[SPREAD] ** 2 / 2), built.setting.places.population.mean()
    if len(built.setting.places) == 1 or mean <= lives:
        return []
    return [
        f"a crowd of {MEDIAN} = {value[MEDIAN]:g} and spread = {value[SPREAD]:g} is {mean:,.0f} persons on average, "
        f"and {lives:,.0f} live in a place on average: participations of all places together are then the prior's, not "
        "the claims'. Write a smaller median or spread"
    ]


def unanswered(built: Built) -> dict[str, str]:
    """Answers of which no claim speaks, by name, each with a sentence why: participations of the whole country.

    They are answered if a claim speaks of all places, or if crowds are claimed in SPOKEN places or more and the median
    is not held: it is learnt from them then.
    """
    places = built.setting.places
    about = [claim for claim in built.claims.weighed if claim.quantity == "participants"]
    if any(len(places.covered_by(claim.place)) == len(places) for claim in about):
        return {}
    named = list(dict.fromkeys(claim.place for claim in about))
    if len(named) >= SPOKEN and MEDIAN not in built.held:
        return {}
    if not named:
        why = "no claim speaks of crowds, so their sizes are the prior's"
    elif len(named) < SPOKEN:
        why = f"crowds are claimed for {_and(named)} alone, so their sizes elsewhere are the prior's"
    else:
        why = f"crowds are claimed for {len(named)} places, but their median is held, so elsewhere they are as it says"
    return {"participants": f"participations of all places together are no answer of this study: {why}"}


def beyond_everybody(built: Built, paths: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each total of participations whose upper end is more than everybody on every day.

    paths : of a result, by name. rows : its claims. Where a claim itself says so much `strained` has told of it.
    """
    places, window = built.setting.places, built.setting.window
    totals = {
        (row["place"], row["start"], row["end"]): (row["happened"][-1], row["value"])
        for row in rows
        if row["quantity"] == "participants"
    }
    found = []
    for (place, start, end), (high, value) in totals.items():
        lives = float(places.population[places.covered_by(place)].sum())
        days = (date.fromisoformat(end) - date.fromisoformat(start)).days + 1
        if high > days * lives >= value:
            found.append(_beyond(f"in {place} from {start} to {end}", high, lives, days))
    high, lives = paths["participants_so_far"]["posterior"]["0.95"][-1], float(places.population.sum())
    if high > window.days * lives:
        found.append(_beyond("in all places together", high, lives, window.days))
    return found


def _beyond(where: str, high: float, lives: float, days: int) -> str:
    span = "on one day" if days == 1 else f"on {days} days"
    return (
        f"participations {where} may be {high:,.0f} (95 %), where {lives:,.0f} live, {span}: more than everybody every "
        "day. So large a total is the prior's, not the claims'"
    )


def _days(claim: Claim) -> int:
    return (claim.end - claim.start).days + 1


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
