"""Claims on a country so small that the probability of them is a sum over every history it can have."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import product

import numpy as np
from scipy.stats import binom, nbinom

from groundswell.data.places import Places
from groundswell.data.record import Claim, Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.models.cities.mobilisation import Arrests, Background, Between, Mobilisation, Within
from groundswell.models.reporting.claims import Reporting
from groundswell.params import Effects

DAY = date(2020, 1, 1)


def said(identifier: str, quantity: str, place: str, first: int, last: int, qualifier: str, value: float,
         stance: str = "state", high: float | None = None, origin: str = "") -> Claim:  # fmt: skip
    start, end = (DAY + timedelta(days=day) for day in (first, last))
    return Claim(identifier, quantity, place, start, end, qualifier, value, "", stance, f"speaker {identifier}",
                 origin or identifier, value_high=high)  # fmt: skip


def reporting(record: Record, spread: float = 0.5) -> Reporting:
    """Errors wide enough that a filter of few histories has moderate noise."""
    made = Reporting.for_record(record, "third_party" if "third_party" in record.stances() else record.stances()[0])
    return replace(made, spread=Effects(dict.fromkeys(made.spread, spread)), slack=0.3)


def enumerable() -> tuple[Mobilisation, Setting, Record]:
    """Two places and two days after the first: 13^4 possible histories of events; arrests feed nothing back."""
    places = Places(
        ("Big", "Small"), np.array([300_000.0, 80_000.0]), np.array([35.0, 35.5]), np.array([51.0, 51.5]), (),
        ("Testland",) * 2,
    )  # fmt: skip
    model = Mobilisation(
        background=Background(0.25), within=Within(0.5), between=Between(0.4), media=None, organised=None,
        groups=None, call=None, deterrence=None, backlash=None, arrests=Arrests(4.0, 0.8), overdispersion=0.4,
    )  # fmt: skip
    record = Record(
        (
            said("both", "cities_with_protest", "Testland", 1, 2, "exactly", 2),
            said("day 2", "cities_with_protest", "Testland", 2, 2, "at_least", 1, "movement"),
            said("events", "events", "Testland", 0, 2, "about", 5, "third_party"),
            said("arrests", "arrests", "Small", 2, 2, "about", 7),
        )
    )
    return model, Setting(places, Window(DAY, 3), active_on_day0=("Big",)), record


MOST = 13
"""Counts of a place-day that are enumerated: 0 to 12."""


@lru_cache(maxsize=64)
def histories(model: Mobilisation, setting: Setting) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, 4) events in Big and Small on day 1, then on day 2; (H,) their probability; (H,) that of Small being quiet on
    day 2, given day 1."""
    people = setting.places.population / 100_000
    base = model.background.rate * people**model.scale
    assert model.within is not None
    assert model.between is not None
    own, other = ((1 - model.keep) * part.offspring for part in (model.within, model.between))
    assert len(people) == 2  # the other place receives all that goes elsewhere

    def chance(y: np.ndarray, mean: np.ndarray) -> np.ndarray:
        psi = model.overdispersion
        return nbinom.pmf(y, 1 / psi, 1 / (1 + psi * mean))

    y = np.array(list(product(range(MOST), repeat=4)))
    memory = np.array([1.0, 0.0])
    first = base + own * memory + other * memory[::-1]
    then = model.keep * memory + y[:, :2]
    second = base + own * then + other * then[:, ::-1]
    quiet = chance(np.zeros(len(y)), second[:, 1])
    return y, (chance(y[:, :2], first) * chance(y[:, 2:], second)).prod(axis=1), quiet


def exact_log_likelihood(
    model: Mobilisation, setting: Setting, record: Record, made: Reporting, tilt: float = 0.0,
    seen: np.ndarray | None = None, detection: float = 1.0,
) -> float:  # fmt: skip
    """Sum over every history of events, and over the arrests of the place-day that is claimed.

    tilt : every history weighed by exp(tilt events after the first day) as well.
    seen : (2, 2) events of Big and Small that were seen on days 1 and 2, NaN where nobody looked, each event seen with
    probability `detection`.
    """
    y, weight, quiet = histories(replace(model, arrests=Arrests()), setting)
    if made.picked:
        weight = weight * (y[:, 3] > 0) / (1 - quiet)
    weight = weight * np.exp(tilt * y.sum(axis=1))
    for at, count in enumerate(seen.T.ravel() if seen is not None else ()):
        if not np.isnan(count):
            weight = weight * binom.pmf(count, y[:, at], detection)
    bound = {one.group.claims[0].id: one for one in made.prepare(record).bind(made)}
    active = y > 0
    for name, value in (
        ("both", (active[:, :2] | active[:, 2:]).sum(axis=1)),
        ("day 2", active[:, 2:].sum(axis=1)),
        ("events", 1 + y.sum(axis=1)),
    ):
        weight *= np.exp(bound[name].log_likelihood(np.arange(4.0 * MOST)))[value]
    arrests = np.arange(1000.0)
    claimed = np.exp(bound["arrests"].log_likelihood(arrests))
    given = [claimed[0]]
    for count in range(1, MOST):
        psi, mean = model.arrests.overdispersion, model.arrests.per_event * count
        given.append(float(claimed @ nbinom.pmf(arrests, 1 / psi, 1 / (1 + psi * mean))))
    return math.log(float(weight @ np.array(given)[y[:, 3]]))
