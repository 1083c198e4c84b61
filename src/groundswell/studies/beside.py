"""What the study beside a table of claims makes of each claim, before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from groundswell.data.quantities import quantity
from groundswell.data.record import Claim
from groundswell.errors import GroundswellError
from groundswell.params import leaves
from groundswell.studies.case import Built, Case

ANY_CROWD = {"process.crowds.median": 10_000.0, "process.crowds.spread": 3.0}
"""A crowd of any size, held fixed: 95 of 100 between 30 persons and 3.6 million, so that the claims alone speak of it."""

FAR_OUT = 3.0
"""Prior standard deviations of a crowd's log size beyond which a figure strains the model."""


@dataclass(frozen=True)
class Beside:
    """A study's verdict on its claims. fates : by id, why a claim is not weighed. notes : of the study as a whole."""

    first: date
    fates: Mapping[str, str]
    notes: tuple[str, ...]


def study_beside(table: Path) -> Beside | None:
    """The study.toml in the folder of a table of claims, if it names that table; what is wrong with it is a note."""
    path = table.parent / "study.toml"
    if not path.is_file():
        return None
    case = Case.read(path)
    if case.claims != table.name:
        return None
    try:
        built = case.build(table.parent)
    except GroundswellError as error:
        return Beside(case.start, {}, (f"the study beside does not take it yet: {error}",))
    heaps = (*built.claims.setting, *built.claims.unspoken)
    fates = {out.claim.id: f"not weighed: {out.reason}" for out in heaps}
    counts = f"the study beside, {case.start} to {case.end}: {len(built.claims.weighed)} weighed, {len(heaps)} not"
    return Beside(case.start, fates, (counts, *built.notes, *strained(built)))


def strained(built: Built) -> Iterator[str]:
    """Claims that the model can hardly meet, seen without drawing from it."""
    for claim in built.claims.weighed:
        if quantity(claim.quantity).functional == "distinct":
            covered = len(built.setting.places.covered_by(claim.place))
            if claim.value > covered and claim.qualifier not in ("at_most", "less_than"):
                yield (
                    f"claim {claim.id}: {claim.words()}, but the study has {covered} places in {claim.place}: add "
                    "places, quiet ones too, or lower minimum_population"
                )
        elif claim.quantity == "participants":
            yield from _crowd(claim, built)


def _crowd(claim: Claim, built: Built) -> Iterator[str]:
    places = built.setting.places.covered_by(claim.place)
    if len(places) > 1 or claim.qualifier in ("at_most", "less_than"):
        return
    days = (claim.end - claim.start).days + 1
    if claim.value > days * built.setting.places.population[places[0]]:
        yield f"claim {claim.id}: {claim.words()} on {days} day(s) in {claim.place}, which has fewer inhabitants"
    crowd = {leaf.name: leaf for leaf in leaves(built.account) if leaf.name.startswith("process.crowds.")}
    median, spread = crowd["process.crowds.median"], crowd["process.crowds.spread"].value
    sd = spread if median.name in built.held else math.hypot(spread, median.sd)
    if math.log(claim.value / days / median.value) > FAR_OUT * sd:
        held = ", ".join(f"{name} = {value:g}" for name, value in ANY_CROWD.items())
        yield (
            f"claim {claim.id}: {claim.words()} strains the model, whose crowds have a middle of {median.value:,.0f} "
            f"persons. For crowds of any size write under [fixed] in study.toml: {held}"
        )
