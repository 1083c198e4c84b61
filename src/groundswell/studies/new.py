"""A folder for a case of one's own that runs as it stands: made up, by a few wishes, or around a table of claims."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from groundswell.data import gazetteer
from groundswell.data.claims_remarks import EXAMPLE
from groundswell.data.claims_table import read_claims
from groundswell.data.files import writable_folder, write_text
from groundswell.data.places import Places
from groundswell.data.proofreading import proofreading
from groundswell.data.quantities import INPUTS, QUANTITIES
from groundswell.data.record import Claim, Record
from groundswell.data.table import Table
from groundswell.errors import DataError, UsageError, nearest
from groundswell.studies import floyd2020
from groundswell.studies.beside import strained
from groundswell.studies.case import Built, Case, read_places
from groundswell.studies.crowds import crowds_for, large_crowds
from groundswell.studies.first_day import earlier, frozen, many_at_once
from groundswell.studies.published.base import reference_data

STANCES = ("third_party", "state", "opposition")
DAYS = 14
"""Length of a study of which only the first day is given."""

SPREAD = ("between", "media", "organised", "call", "deterrence", "backlash")
"""Mechanisms left out of a study of one place."""

RECIPES: Mapping[str, tuple[str, Callable[[Path], dict[str, str]]]] = {
    "floyd-2020": ("floyd_protests_2020", floyd2020.files)
}
"""Studies that are made from a data set: its name, and what makes the files."""

LONG = 120
"""Days from which on a window is told as long: every place is drawn on every day."""


@dataclass(frozen=True)
class Wish:
    """What is known beforehand of a case. claims : a table to make the study around, in any form that is read.

    places : a table of one's own, copied; else `country` says whose places are meant, and else they are found from
    the places that the claims name. recipe : of `RECIPES`, a study that is made from a data set; data : its folder, if
    it is not among the reference data. Without any wish the folder is a made-up country.
    """

    title: str = ""
    country: str = ""
    places: Path | None = None
    start: date | None = None
    end: date | None = None
    stances: tuple[str, ...] = ()
    anchor: str = ""
    claims: Path | None = None
    recipe: str = ""
    data: Path | None = None


@dataclass(frozen=True)
class New:
    """A folder that was made. words : what was decided and how each claim will be read, line by line."""

    written: tuple[Path, ...]
    words: tuple[str, ...]


def new_study(folder: Path, wish: Wish | None = None) -> New:
    """Write study.toml, claims.csv, README.md and, where wanted, places.csv into a new folder.

    UsageError for a folder that is not empty and for wishes that contradict each other; DataError for a table of claims
    or places that cannot be read, or whose country cannot be found. Nothing is written then.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; name a new folder, so that nothing of yours is overwritten.")
    wish = wish or Wish()
    if wish == Wish():
        files = {name: _bundled(name, folder) for name in ("study.toml", "claims.csv", "places.csv")}
        return _written(folder, files, ["All figures in it are made up; put your own in their place."])
    if wish.recipe:
        files, words = _by_recipe(wish), []
    else:
        files, words = _around(wish) if wish.claims is not None else _by_wishes(wish)
    built = _built(files)
    large = large_crowds(built)
    if large and "[fixed]" not in files["study.toml"]:
        ids = ", ".join(claim.id for claim in large)
        files["study.toml"] += _crowds(ids, built)
        words.append(f"crowds of {_size(built)} are allowed for ({ids}); see [fixed] in study.toml")
        built = _built(files)
    heaps = (*built.claims.setting, *built.claims.unspoken)
    fates = {out.claim.id: f"not weighed: {out.reason}" for out in heaps}
    words += [*built.notes, *strained(built), "", *proofreading(built.record, {}, fates)]
    words += ["", f"{len(built.claims.weighed)} claims are weighed, {len(heaps)} are listed and not weighed."]
    return _written(folder, files, words)


def _by_recipe(wish: Wish) -> dict[str, str]:
    """The files of a study that is made from a data set; only the folder of the data may be wished beside."""
    if wish.recipe not in RECIPES:
        raise UsageError(
            f'no recipe is called "{wish.recipe}".{nearest(wish.recipe, RECIPES)} Known: {", ".join(RECIPES)}.'
        )
    if replace(wish, recipe="", data=None) != Wish():
        raise UsageError(f"the recipe {wish.recipe} knows its days, places and claims; give --data alone beside it.")
    name, read = RECIPES[wish.recipe]
    everything = reference_data()
    folder = wish.data or (everything / name if everything else None)
    if folder is None or not folder.is_dir():
        raise DataError(
            f"the recipe {wish.recipe} needs the data set {name}, which is not there: name its folder with --data, or "
            "the folder of all reference data in GROUNDSWELL_REFERENCE_DATA."
        )
    return read(folder)


def _built(files: Mapping[str, str]) -> Built:
    """The study as it will stand, made beforehand: a folder that does not run is not written."""
    with TemporaryDirectory() as there:
        for name, text in files.items():
            write_text(Path(there) / name, text)
        return Case.read(Path(there) / "study.toml").build(Path(there))


def _written(folder: Path, files: Mapping[str, str], words: Sequence[str]) -> New:
    files = {**files, "README.md": _bundled("README.md", folder)}
    writable_folder(folder)
    for name, text in files.items():
        write_text(folder / name, text)
    return New(tuple(folder / name for name in files), tuple(words))


def _bundled(name: str, folder: Path) -> str:
    """A file of the starter, with the name of the new folder in its commands."""
    text = (resources.files("groundswell.studies") / "starter" / name).read_text(encoding="utf-8")
    return text.replace("{folder}", str(folder))


def _by_wishes(wish: Wish) -> tuple[dict[str, str], list[str]]:
    """A study of the user's country and days, with rows that are made up and say so."""
    if wish.start is None:
        raise UsageError("a study needs its first day: --start 2024-03-01, or --from a table of claims.")
    end = wish.end or wish.start + timedelta(days=DAYS - 1)
    stances = wish.stances or STANCES
    anchor = wish.anchor or stances[0]
    if anchor not in stances:
        raise UsageError(f'the anchor "{anchor}" is none of the stances {", ".join(stances)}; name one of them.')
    places, whole, files = _places_of(wish)
    largest = places.name[int(places.population.argmax())]
    days = (wish.start, min(end, wish.start + timedelta(days=6)))
    said = [
        ("cities_with_protest", whole, "at_least", 4, stances[0]),
        ("arrests", whole, "exactly", 40, stances[1 % len(stances)]),
        ("arrests", whole, "more_than", 150, stances[2 % len(stances)]),
        ("participants", largest, "about", 800, stances[0]),
    ]
    examples = Record(
        tuple(
            Claim(
                f"{EXAMPLE}{i}", quantity, place, *(days if place == whole else (wish.start, wish.start)), qualifier,
                value, QUANTITIES[quantity].unit, stance, f"a speaker of {stance}", f"{EXAMPLE}{i}",
                stated_on=days[1], document="made up: delete this row",
            )
            for i, (quantity, place, qualifier, value, stance) in enumerate(said, 1)
        )
    )  # fmt: skip
    files |= {
        "claims.csv": examples.table().to_csv(),
        "study.toml": _study(wish, wish.title or "My case", places, (wish.start, end), anchor, [largest], stances),
    }
    words = [f"{len(places)} places of {whole}", "the rows of claims.csv are made up; delete them once yours are in"]
    return files, words


def _around(wish: Wish) -> tuple[dict[str, str], list[str]]:
    """A study whose window, places and anchor come from a table of claims."""
    record = read_claims(wish.claims, first=wish.start)
    daily = [c for c in record if c.quantity in QUANTITIES and not QUANTITIES[c.quantity].runs_later]
    if not daily:
        raise DataError(
            f"{wish.claims}: no claim is about events, places, participants or arrests, so no study can be made around "
            f"it. Weighed by day are {', '.join(q for q in QUANTITIES if not QUANTITIES[q].runs_later)}."
        )
    first_claimed = min(claim.start for claim in daily)
    start, end = wish.start or first_claimed, wish.end or max(claim.end for claim in daily)
    if not wish.country and wish.places is None:
        wish = replace(wish, country=_country_of(record))
    places, whole, files = _places_of(wish)
    weighty = Counter(claim.stance for claim in record if claim.quantity in QUANTITIES)
    spoken = {s: len({c.quantity for c in daily if c.stance == s}) for s in weighty}
    anchor = wish.anchor or max(sorted(weighty), key=lambda s: (spoken[s], weighty[s]))
    first = sorted(
        {
            claim.place
            for claim in daily
            if claim.start == claim.end == start and claim.value > 0 and claim.qualifier not in ("at_most", "less_than")
            and claim.place in places.name
        }
    )  # fmt: skip
    calls = [claim for claim in record if claim.quantity in INPUTS and start <= claim.start <= end]
    early, called = "", ""
    if wish.start is None and (claims := earlier(frozen(daily, places, start, first))):
        early = (
            f"it begins a day before the first claim, since the first day is given and not modelled: on it only "
            f"{', '.join(first) or 'no place'} could be active, against {', '.join(claim.id for claim in claims)}"
        )
        start -= timedelta(days=1)
        if many_at_once(claims):
            first = []
            if not any(call.start == first_claimed for call in calls):
                called = (
                    f"\n# So many places at once need a cause in common.\n[[setting.calls]]\ndate = {first_claimed}\n"
                )
                early += f"; a call to the whole country on {first_claimed} stands for what brought so many out at once"
    title = wish.title or f"Claims on {whole}, {start} to {end}"
    files |= {
        "claims.csv": record.table().to_csv(),
        "study.toml": _study(wish, title, places, (start, end), anchor, first, weighty)
        + called
        + "".join(map(_call, calls)),
    }
    words = [
        f"window: {start} to {end}, the days that the claims speak of"
        + (f"; {(end - start).days + 1} days are many: shorten it, or drop the claim that stretches it"
           if (end - start).days >= LONG else ""),
        f"places: {len(places)} of {whole}",
        f"anchor: {anchor}, the stance that speaks of most quantities. That is a decision and not a finding: run the "
        f"study under each of {', '.join(f'{s} ({n} claims)' for s, n in sorted(weighty.items()))}",
    ]  # fmt: skip
    if early:
        words.append(early)
    if first:
        as_said = (
            "taken to be active then already, so that there is something to spread"
            if early
            else "as claims about it say"
        )
        words.append(f"active on the first day, {as_said}: {', '.join(first)}")
    if calls:
        words.append(f"calls taken as given: {', '.join(claim.id for claim in calls)}; see [[setting.calls]]")
    return files, words


def _call(claim: Claim) -> str:
    """A call as a table of study.toml: to so many of the largest places, or to wherever the claim says."""
    number = claim.quantity == "cities_called_to_protest"
    whole = (
        f"\n# Claim {claim.id} is taken as given: a call to {claim.words() if number else 'protest'}, {claim.place}."
    )
    to = f"\nlargest = {claim.value:.0f}" if number else ""
    return f"{whole}\n[[setting.calls]]\ndate = {claim.start}{to}\nclaim = {_quoted(claim.id)}\n"


def _places_of(wish: Wish) -> tuple[Places, str, dict[str, str]]:
    """The places, a name for all of them, and the file to write, where there is one."""
    if wish.places is not None:
        places = read_places(wish.places)
        country = next((name for name in places.country if name), places.name[0])
        return places, country, {"places.csv": Table(places.columns()).to_csv()}
    if not wish.country:
        raise UsageError("a study needs places: --country with a name or ISO code, or --places with a table.")
    return gazetteer.places(wish.country), gazetteer.find_country(wish.country).name, {}


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


def _study(
    wish: Wish, title: str, places: Places, days: tuple[date, date], anchor: str, first: Sequence[str],
    stances: Iterable[str],
) -> str:  # fmt: skip
    start, end = days
    alone = len(places) == 1
    template = resources.files("groundswell.studies") / "starter" / "study.toml.txt"
    return template.read_text(encoding="utf-8").format(
        title=_quoted(title),
        start=start,
        end=end,
        anchor=_quoted(anchor),
        places=f"country = {_quoted(wish.country)}\nminimum_population = 15000"
        if wish.places is None
        else 'places = "places.csv"',
        leave_out="# In one place nothing spreads; what is left is events, crowds and arrests day by day.\n"
        f"leave_out = {json.dumps(SPREAD)}"
        if alone
        else '# leave_out = ["organised"]',
        first=f"[{', '.join(map(_quoted, first))}]",
        stances=", ".join(sorted(stances)),
        day=min(start + timedelta(days=3), end),
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _size(built: Built) -> str:
    return "any size" if len(built.setting.places) == 1 else "such a size"


def _crowds(ids: str, built: Built) -> str:
    """The crowds that a case with large ones needs, as a table of study.toml that says what they are."""
    held = "\n".join(f"{name} = {value:g}" for name, value in crowds_for(built).items())
    why = (
        "# Held so wide a crowd may have any size from dozens to millions: only the claims speak of it."
        if len(built.setting.places) == 1
        else "# Held instead: in a place of middle size the share of its people that the smallest of these is of its\n"
        "# own; a spread that lets the largest be. A judgement: where no claim speaks of crowds they are as it says."
    )
    return (
        f"\n# The model's crowds have a middle of about 150 persons; the figures of {ids} are far larger.\n"
        f"{why}\n[fixed]\n{held}\n"
    )
