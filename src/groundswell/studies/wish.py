"""What is known beforehand of a new case, and the parts of its folder that follow from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

from groundswell.data import gazetteer
from groundswell.data.places import Places
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.studies.case import read_places

SPREAD = ("between", "media", "organised", "call", "deterrence", "backlash")
"""Mechanisms left out of a study of one place."""


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


def places_of(wish: Wish) -> tuple[Places, str, dict[str, str]]:
    """The places, a name for all of them, and the file to write, where there is one."""
    if wish.places is not None:
        places = read_places(wish.places)
        country = next((name for name in places.country if name), places.name[0])
        return places, country, {"places.csv": Table(places.columns()).to_csv()}
    if not wish.country:
        raise UsageError("a study needs places: --country with a name or ISO code, or --places with a table.")
    return gazetteer.places(wish.country), gazetteer.find_country(wish.country).name, {}


def study_toml(
    wish: Wish, title: str, places: Places, days: tuple[date, date], anchor: str, first: Sequence[str],
    stances: Iterable[str],
) -> str:  # fmt: skip
    """A study.toml from the starter's template. days : first and last. first : places active on the first day."""
    start, end = days
    alone = len(places) == 1
    template = resources.files("groundswell.studies") / "starter" / "study.toml.txt"
    return template.read_text(encoding="utf-8").format(
        title=quoted(title),
        start=start,
        end=end,
        anchor=quoted(anchor),
        places=f"country = {quoted(wish.country)}\nminimum_population = 15000"
        if wish.places is None
        else 'places = "places.csv"',
        leave_out="# In one place nothing spreads; what is left is events, crowds and arrests day by day.\n"
        f"leave_out = {json.dumps(SPREAD)}"
        if alone
        else '# leave_out = ["organised"]',
        first=f"[{', '.join(map(quoted, first))}]",
        stances=", ".join(sorted(stances)),
        day=min(start + timedelta(days=3), end),
    )


def quoted(text: str) -> str:
    """As a text in TOML."""
    return json.dumps(text, ensure_ascii=False)
