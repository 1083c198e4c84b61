"""A folder for a case of one's own that runs as it stands: made up, by a few wishes, or around a table of claims."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import resources
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from groundswell.data.claims_remarks import EXAMPLE
from groundswell.data.files import writable_folder, write_text
from groundswell.data.proofreading import proofreading
from groundswell.data.quantities import QUANTITIES
from groundswell.data.record import Claim, Record
from groundswell.errors import DataError, UsageError, nearest
from groundswell.studies import floyd2020
from groundswell.studies.around import around
from groundswell.studies.beside import counted, strained
from groundswell.studies.case import Built, Case
from groundswell.studies.crowds import crowds_toml, large_crowds
from groundswell.studies.published.base import reference_data
from groundswell.studies.wish import Wish, places_of, study_toml

STANCES = ("third_party", "state", "opposition")

AUTHORITIES = ("state", "government", "authorities", "police", "ministry", "regime", "army")
"""Labels of the side that makes arrests, and in made-up rows owns to fewer."""

DAYS = 14
"""Length of a study of which only the first day is given."""

RECIPES: Mapping[str, tuple[str, Callable[[Path], dict[str, str]]]] = {
    "floyd-2020": ("floyd_protests_2020", floyd2020.files),
    "floyd-2020-counts": ("floyd_protests_2020", floyd2020.files_with_counts),
}
"""Studies that are made from a data set: its name, and what makes the files."""

LARGE_IN_ONE = """\
# The model's crowds have a middle of about 150 persons; the figures of {ids} are far larger.
# Held so wide a crowd may have any size from dozens to millions: only the claims speak of it. If you know
# what crowds here are like, state that as a prior of the median under [priors], and delete this table.
"""

LARGE_IN_MANY = """\
# The model's crowds have a middle of about 150 persons; the figures of {ids} are far larger.
# Beforehand a crowd is taken to be, in a place of middle size, the share of its people that the smallest of these is
# of its own, with a spread that lets the largest be. A judgement: where no claim speaks of crowds they are as it says.
"""


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
        files, words = around(wish) if wish.claims is not None else _by_wishes(wish)
    built = _built(files)
    large = large_crowds(built)
    if large and "[fixed]" not in files["study.toml"]:
        ids = ", ".join(claim.id for claim in large)
        alone = len(built.setting.places) == 1
        why = (LARGE_IN_ONE if alone else LARGE_IN_MANY).format(ids=ids)
        files["study.toml"] += f"\n{why}{crowds_toml(built)}"
        where = "[fixed]" if alone else "[priors] and [fixed]"
        words.append(
            f"crowds of {'any' if alone else 'such a'} size are allowed for ({ids}); see {where} in study.toml"
        )
        built = _built(files)
    heaps = (*built.claims.setting, *built.claims.unspoken)
    fates = {out.claim.id: f"not weighed: {out.reason}" for out in heaps}
    with StringIO(files["claims.csv"]) as rows:
        ordered = [built.record[row["id"]] for row in csv.DictReader(rows)]
    words += [*built.notes, *strained(built), "", *proofreading(ordered, {}, fates), "", counted(built)]
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
    places, whole, files = places_of(wish)
    largest = places.name[int(places.population.argmax())]
    days = (wish.start, min(end, wish.start + timedelta(days=6)))
    fewer, more = stances[1 % len(stances)], stances[2 % len(stances)]
    if more in AUTHORITIES and fewer not in AUTHORITIES:
        fewer, more = more, fewer
    said = [
        ("cities_with_protest", whole, "at_least", 4, stances[0]),
        ("arrests", whole, "exactly", 40, fewer),
        ("arrests", whole, "more_than", 150, more),
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
        "study.toml": study_toml(wish, wish.title or "My case", places, (wish.start, end), anchor, [largest], stances),
    }
    words = [f"{len(places)} places of {whole}", "the rows of claims.csv are made up; delete them once yours are in"]
    return files, words
