"""What a claim can be about: each quantity's functional, unit, class and direction.

The direction d says whose side gains by enlarging the figure: +1 where the opposition does,
-1 where the authorities do (design of the reporting model). It is a judgement, stated here once
and printed with every result. Classes share a bias.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np

from groundswell.data.history import History
from groundswell.errors import DataError, nearest

Functional = Literal["distinct", "sum", "ratio"]


@dataclass(frozen=True)
class Quantity:
    """A number that can be computed from a history over a window and a set of places.

    functional : "distinct" counts places whose series is above 0 on some step of the window;
    "sum" adds the series over places and steps; "ratio" is (sum + 1/2) / (sum of below + 1/2).
    series, below : names of the history's series that it reads. noun : what it counts, after a figure.
    runs_later : whether it is known after the daily window too, where only the organised groups run on.
    """

    name: str
    functional: Functional
    series: str
    unit: str
    kind: Literal["cities", "participants", "arrests", "groups"]
    direction: Literal[1, -1]
    doc: str
    noun: str
    below: str = ""
    runs_later: bool = False

    def value(self, history: History, places: np.ndarray, first: int, last: int) -> float:
        """The quantity over `places` (indices) from day `first` to day `last`, inclusive.

        Steps that lie only partly inside the days count whole, in the window as after it.
        """
        if self.functional == "distinct":
            rows = history[self.series][places]
            step = history.window.step
            return float((rows[:, first // step : last // step + 1] > 0).any(axis=1).sum())
        total = _total(history, self.series, places, first, last)
        if self.functional == "sum":
            return total
        return (total + 0.5) / (_total(history, self.below, places, first, last) + 0.5)


def _total(history: History, series: str, places: np.ndarray, first: int, last: int) -> float:
    step = history.window.step
    total = float(history[series][places][:, first // step : last // step + 1].sum())
    if history.later is not None and series in history.later.series:
        edges = np.array(history.later.edges)
        inside = (edges[:-1] <= last) & (edges[1:] > first)
        total += float(history.later.series[series][places][:, inside].sum())
    return total


_ALL = (
    Quantity("cities_with_protest", "distinct", "events", "cities", "cities", 1,
             "distinct places with at least one event in the window; on one day, places active that day",
             "places with at least one event"),
    Quantity("cities_with_confrontation", "distinct", "arrests", "cities", "cities", 1,
             "distinct places with at least one arrest at an event in the window",
             "places with at least one arrest at an event"),
    Quantity("events", "sum", "events", "events", "cities", 1, "events in the window", "events"),
    Quantity("participants", "sum", "participants", "persons", "participants", 1,
             "participations summed over the events of the window, not a peak",
             "participations"),
    Quantity("arrests", "sum", "arrests", "persons", "arrests", 1, "persons arrested at events",
             "persons arrested at events"),
    Quantity("warnings", "sum", "warned", "persons", "arrests", 1, "persons warned at events",
             "persons warned at events"),
    Quantity("teams_arrested", "sum", "broken_up", "teams", "groups", -1,
             "organised groups broken up", "organised groups broken up", runs_later=True),
    Quantity("groups_formed", "sum", "formed", "teams", "groups", 1,
             "organised groups newly formed", "organised groups newly formed", runs_later=True),
    Quantity("members_arrested", "sum", "members_arrested", "persons", "groups", -1,
             "persons arrested with their groups", "persons arrested with their groups", runs_later=True),
    Quantity("members_warned", "sum", "members_warned", "persons", "groups", -1,
             "persons warned as connected to groups", "persons warned as connected to groups",
             runs_later=True),
    Quantity("joins_per_arrest", "ratio", "formed", "ratio", "groups", 1,
             "groups formed per group broken up, which is persons joined per person arrested",
             "groups formed for each one broken up",
             below="broken_up", runs_later=True),
)  # fmt: skip

QUANTITIES: Mapping[str, Quantity] = {quantity.name: quantity for quantity in _ALL}

INPUTS: Mapping[str, str] = {
    "cities_called_to_protest": "a call to protest is an input of the model: used as setting, not weighed",
    "call_to_protest": "a call to protest is an input of the model: used as setting, not weighed",
}
"""Quantities that a study may take as given; a claim about one is listed and not weighed."""

UNSPOKEN: Mapping[str, str] = {
    name: f"no model here speaks of {words}; the claim is kept as a claim"
    for name, words in {
        "deaths": "deaths", "death_sentences": "death sentences", "prison_sentences": "prison sentences",
        "executions": "executions", "tortured": "torture", "injured": "injuries",
    }.items()
}  # fmt: skip
"""Quantities without a functional: kept as claims that the model cannot speak to."""


OTHER_WORDS: Mapping[str, str] = {
    word: name
    for name, words in {
        "arrests": ("detained", "detentions", "detention", "detainees", "detainee", "arrested", "arrestees", "custody"),
        "participants": (
            "protesters", "demonstrators", "marchers", "turnout", "crowd", "crowds", "attendance",
            "people", "participations",
        ),
        "cities_with_protest": ("cities", "towns", "places", "localities", "municipalities"),
        "events": ("protests", "demonstrations", "rallies", "marches", "actions"),
        "deaths": ("killed", "dead", "fatalities", "casualties"),
        "injured": ("wounded", "injuries", "hurt"),
        "tortured": ("torture",),
    }.items()
    for word in words
}  # fmt: skip
"""Words under which people look for a quantity. They are offered, never read: who is detained may not be arrested."""

NEARLY = 0.8
"""Share of common letters (difflib's ratio) from which on a word is a slip of a quantity's name."""


def nearest_quantity(name: str) -> str:
    """The end of an error message: a name spelt nearly so, else the quantity that one of its words stands for."""
    known = [*QUANTITIES, *INPUTS, *UNSPOKEN]
    words = re.sub(r"[\W_]+", " ", name.lower()).split()
    meant = next((OTHER_WORDS[word] for word in words if word in OTHER_WORDS), "")
    if meant and not get_close_matches(name, known, cutoff=NEARLY):
        return f' Perhaps "{meant}" is meant.'
    return nearest(name, known)


def quantity(name: str) -> Quantity:
    """The quantity by name; DataError names the nearest."""
    if name not in QUANTITIES:
        raise DataError(f'quantity "{name}" is not known.{nearest_quantity(name)}')
    return QUANTITIES[name]
