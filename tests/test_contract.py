"""What every model of the library promises, by capability: `groundswell.testing`, on each model's example.

A model is added to the library with one line, and from then on every promise is checked here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import groundswell.models
from groundswell.data.setting import Setting
from groundswell.errors import MissingVerb
from groundswell.models.cities.mobilisation import Backlash, Between, CalendarPulse, Deterrence
from groundswell.models.library import LIBRARY
from groundswell.models.triggering import Gravity, NeighbourhoodOrder, Reach
from groundswell.params import Effects
from groundswell.statement import stated
from groundswell.testing import CONTRACT, Promise, promises
from groundswell.testing.base import draw


class Case(NamedTuple):
    """A model in a setting in which every verb is tried."""

    name: str
    model: Any
    setting: Setting
    label: str = ""

    def __str__(self) -> str:
        return f"{self.name}, {self.label}" if self.label else self.name


def without(*parts: str) -> Callable[[Any], Any]:
    """The same model with some components left out."""
    return lambda model: dataclasses.replace(model, **dict.fromkeys(parts))


def rich(model: Any) -> Any:
    """Endemic-epidemic counts with lags, correlated random intercepts and an overdispersion for every place."""
    table = {
        "endemic": {"random": {"sd": 0.4}},
        "within": {"random": {"sd": 0.3}, "lags": {"kind": "GeometricLags", "steps": 3}},
        "between": {"lags": {"kind": "FreeLags", "log_weight": {"2": -0.5}}},
        "overdispersion": "OverdispersionByPlace",
        "correlation": True,
    }
    return stated(type(model), table, base=model).prepared(type(model).example()[1])


def in_other_forms(reach: Reach, **lags: int) -> Callable[[Any], Any]:
    """Mobilisation over another reach, with repression that acts late and announced dates, without groups."""

    def change(model: Any) -> Any:
        return dataclasses.replace(
            model, groups=None, organised=None, between=Between(reach=reach),
            deterrence=Deterrence(lag_days=lags["deterrence"]), backlash=Backlash(lag_days=lags["backlash"]),
            pulse=CalendarPulse(0.01, Effects(sun=0.2), Effects({"holiday": 0.4, "2020-01-08": -0.5})),
        )  # fmt: skip

    return change


def in_full(model: Any) -> Any:
    """Self-exciting events with several memories, a trend, crowds, news and repression."""
    table = {
        "delay": "SumOfExponentials", "course": {"effects": {"trend": 0.01}}, "size": {"drawn_from": [20.0, 300.0]},
        "media": {"offspring": 0.1}, "arrests": "Arrests", "deterrence": "Deterrence", "backlash": "Backlash",
    }  # fmt: skip
    return stated(type(model), table, base=model)


def on_a_lattice(model: Any) -> Any:
    """A cascade that needs two neighbours, with chance below the threshold."""
    table = {
        "network": {"kind": "Lattice", "rows": 12, "columns": 9}, "threshold": "Count",
        "seeds": {"kind": "ContiguousSeeds", "share": 0.1}, "noise": 0.02,
    }  # fmt: skip
    return stated(type(model), table, base=model)


def by_motivation(model: Any) -> Any:
    """Siegel's cascade, with memory and without seeds."""
    table = {"network": {"kind": "Villages", "nodes": 300}, "threshold": {"kind": "Motivation", "memory": 0.3}}
    return stated(type(model), table | {"seeds": False}, base=model)


VARIANTS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "mobilisation": {
        "without groups": without("groups", "organised"),
        "by gravity, late, with dates": in_other_forms(Gravity(), deterrence=3, backlash=2),
        "by neighbourhood order": in_other_forms(NeighbourhoodOrder(), deterrence=1, backlash=4),
        "with groups in contact": lambda model: model.replacing({"groups.contact": 5.0}),
    },
    "recruitment": {
        "of cities alone": without("ties", "jail", "specific_deterrence"),
        "with groups in contact": lambda model: model.replacing({"groups.contact": 5.0}),
    },
    "self_exciting": {"with all its parts": in_full, "by step": lambda model: dataclasses.replace(model, by_step=True)},
    "cascade": {"on a lattice, with noise": on_a_lattice, "by motivation, in villages": by_motivation},
    "endemic_epidemic": {"with lags, random intercepts, psi by place": rich},
}
"""Further forms of an example: a part left out can change which verbs a model has."""


def cases() -> list[Case]:
    folder = Path(groundswell.models.__file__).parent
    found = []
    for name, entry in LIBRARY.items():
        if not (folder / entry.level / f"{entry.module}.py").exists():
            continue  # not written yet
        model, setting = entry.load().example()
        found.append(Case(name, model, setting))
        for label, change in VARIANTS.get(name, {}).items():
            found.append(Case(name, change(model), setting, label))
    return found


CASES = cases()
PAIRS = [pytest.param(case, promise, id=f"{case}-{promise}") for case in CASES for promise in promises(case.model)]


@pytest.mark.parametrize(("case", "promise"), PAIRS)
def test_contract(case: Case, promise: Promise) -> None:
    promise(case.model, case.setting)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_only_a_model_of_agents_may_refuse_to_go_on_from_a_history(case: Case) -> None:
    """Totals do not fix who stands where; every other model can go on."""
    periods = case.setting.window.periods
    past = draw(case.model, case.setting, 5).during(max(1, periods // 2))
    try:
        draw(case.model, case.setting, 6, given=past)
    except MissingVerb:
        assert LIBRARY[case.name].level == "agents"


def test_every_promise_is_made_by_a_model_of_the_library() -> None:
    made = {promise for case in CASES for promise in promises(case.model)}
    assert made == set(CONTRACT)
