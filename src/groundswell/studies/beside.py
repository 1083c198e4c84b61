"""What the study beside a table of claims makes of each claim, before anything is computed."""

from __future__ import annotations

from pathlib import Path

from groundswell.data.check import Verdict
from groundswell.data.provenance import told_again
from groundswell.data.quantities import quantity
from groundswell.errors import GroundswellError
from groundswell.studies.case import Built, Case
from groundswell.studies.crowds import crowds_toml, crowds_too_large, large_crowds
from groundswell.studies.first_day import first_day

NEAR = 0.5
"""Share of all places from which on a claimed number of them may be cut off by how many the study has."""

PERSONS = ("participants", "arrests", "warnings")
"""Quantities of which there cannot be more than everybody on every day."""

MANY = 10
"""Places and days with claims of their own from which on they are told of together: docs/study-floyd-2020.md."""


def study_beside(table: Path) -> Verdict | None:
    """The study.toml in the folder of a table of claims, if it names that table; what is wrong with it is a note."""
    path = table.parent / "study.toml"
    if not path.is_file():
        return None
    try:
        case = Case.read(path)
    except GroundswellError as error:
        return Verdict(None, {}, (f"the study beside cannot be read: {error}",))
    if case.claims != table.name:
        return None
    try:
        built = case.build(table.parent)
    except GroundswellError as error:
        return Verdict(case.start, {}, (f"the study beside does not take it yet: {error}",))
    heaps = (*built.claims.setting, *built.claims.unspoken)
    fates = {out.claim.id: f"not weighed: {out.reason}" for out in heaps}
    again = told_again(built.claims.weighed)
    counts = f"the study beside, {case.start} to {case.end}: {len(built.claims.weighed)} weighed, {len(heaps)} not"
    counts += f"; {again} of the weighed told again, which does not count" if again else ""
    return Verdict(case.start, fates, (counts, *built.notes, *strained(built)))


def counted(built: Built) -> str:
    """How many claims are weighed, how many not, and how many of the weighed add nothing."""
    weighed, out = len(built.claims.weighed), len(built.claims.setting) + len(built.claims.unspoken)
    words = f"{weighed} {'claim is' if weighed == 1 else 'claims are'} weighed, "
    words += f"{out} {'is' if out == 1 else 'are'} listed and not weighed."
    if again := told_again(built.claims.weighed):
        words += f" Of the weighed {again} {'tells' if again == 1 else 'tell'} another again and so does not count."
    return words


def strained(built: Built) -> list[str]:
    """What strains the model, or leads it astray, as it can be seen without drawing from it."""
    found = []
    for claim in built.claims.weighed:
        places = built.setting.places.covered_by(claim.place)
        days = (claim.end - claim.start).days + 1
        upper = claim.qualifier in ("at_most", "less_than")
        if quantity(claim.quantity).functional == "distinct" and claim.value > len(places) and not upper:
            found.append(
                f"claim {claim.id}: {claim.words()}, but the study has {len(places)} places in {claim.place}: add "
                "places, quiet ones too, or lower minimum_population; the gazetteer's are of 15,000 people or more"
            )
        elif quantity(claim.quantity).functional == "distinct" and claim.value >= NEAR * len(places) > 1 and not upper:
            found.append(
                f"claim {claim.id}: {claim.words()}, and the study has {len(places)} places in {claim.place}: the "
                "number of places reached can run into that ceiling. A table of your own can hold smaller ones"
            )
        span = "one day" if days == 1 else f"{days} days"
        here = built.setting.places.population[places].sum()
        if claim.quantity in PERSONS and claim.value > days * here and not upper:
            found.append(f"claim {claim.id}: {claim.words()} on {span} in {claim.place}, where {here:,.0f} live")
    places = built.setting.places
    single = {(c.place, c.start) for c in built.claims.weighed if len(places.covered_by(c.place)) == 1 < len(places)}
    if len(single) >= MANY:
        found.append(
            f"{len(single)} places and days have claims of their own, each of which says too that there was an event. "
            "Such rows exist because there was one: together they can pull the number of places up. See the answer "
            "without them"
        )
    found += [*_from_the_counts(built), *unlisted(built)]
    if large := large_crowds(built):
        wanted = "; ".join(line for line in crowds_toml(built).splitlines() if line)
        found.append(
            f"{', '.join(claim.id for claim in large)}: participants far beyond the model's crowds, which it will "
            f"refuse or strain at. For crowds as large write into study.toml: {wanted}"
        )
    return [*found, *crowds_too_large(built), *first_day(built)]


def _from_the_counts(built: Built) -> list[str]:
    """Claims whose figure is what the counts beside them come to: they may be made from the same list."""
    if built.counts is None:
        return []
    history, window, same = built.counts.history, built.setting.window, []
    for claim in built.claims.weighed:
        asked = quantity(claim.quantity)
        if asked.series == "events" and asked.functional != "ratio" and claim.value > 0:
            where = built.setting.places.covered_by(claim.place)
            if asked.value(history, where, window.day(claim.start), window.day(claim.end)) == claim.value:
                same.append(f"{claim.id} ({claim.words()})")
    if not same:
        return []
    return [
        f"{', '.join(same)}: just what {built.counts.name} counts too. A figure made from the same list is no second "
        "source: if it is one, name it under `given` in [setting], and it is listed and not weighed"
    ]


def unlisted(built: Built) -> list[str]:
    """Claims of an event in one place where the counts beside them list none, though their source looked all the time.

    A filter meets them by chance alone, where the share that is listed is below 1, and hardly ever where it is 1.
    """
    if built.counts is None:
        return []
    counts, window, found = built.counts, built.setting.window, []
    for claim in built.claims.weighed:
        where = built.setting.places.covered_by(claim.place)
        first, last = window.day(claim.start), window.day(claim.end)
        about = quantity(claim.quantity).series in ("events", "participants", "arrests")
        if not about or len(where) > 1 or claim.value <= 0 or claim.qualifier in ("at_most", "less_than"):
            continue
        days = slice(max(first, 1), last + 1)
        if first > 0 and counts.looked[where, days].all() and not counts.history["events"][where, days].any():
            found.append(f"{claim.id} ({claim.words()}, {claim.place})")
    if not found:
        return []
    return [
        f"{', '.join(found)}: {counts.name} lists no event there and then, where its source is said to have looked. "
        "Check place and day of both, where it looked, and `detection`: at 1 it would have listed every event"
    ]
