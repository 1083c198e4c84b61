"""A model from plain tables is the one written in Python, and what is wrong in a table is named."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from groundswell.errors import UsageError
from groundswell.models.cities.endemic_epidemic import (
    Between,
    Endemic,
    EndemicEpidemic,
    OverdispersionByPlace,
    Within,
)
from groundswell.models.cities.lags import FreeLags, GeometricLags
from groundswell.models.cities.mobilisation import Mobilisation
from groundswell.models.cities.weights import FirstOrder, Given, PowerLaw
from groundswell.models.random_effects import Correlation, RandomIntercepts
from groundswell.params import Effects
from groundswell.statement import stated

TOML = """
overdispersion = "OverdispersionByPlace"
correlation = {}
conditioned = 4

[endemic]
intercept = 0.5
effects = ["trend", "sin1", "cos1"]
offset = "population_share"
period = 52
random = {}

[within]
lags = {kind = "GeometricLags", steps = 4}

[between]
effects = {"log(population_share)" = 0.3}
weights = "PowerLaw"
lags = {kind = "FreeLags", log_weight = ["2"]}
random = {sd = 0.3}
"""


def test_a_toml_table_states_the_model_that_python_does() -> None:
    assert stated(EndemicEpidemic, tomllib.loads(TOML)) == EndemicEpidemic(
        Endemic(0.5, Effects.zero("trend", "sin1", "cos1"), "population_share", 52, RandomIntercepts()),
        Within(lags=GeometricLags(steps=4)),
        Between(
            effects=Effects({"log(population_share)": 0.3}),
            weights=PowerLaw(),
            lags=FreeLags(Effects({"2": 0.0})),
            random=RandomIntercepts(0.3),
        ),
        OverdispersionByPlace(),
        Correlation(),
        4,
    )


def test_what_is_left_out_keeps_its_default_or_the_base_s_value() -> None:
    assert stated(EndemicEpidemic, {}) == EndemicEpidemic()
    base = EndemicEpidemic(Endemic(0.7), None, Between(-1.0, weights=FirstOrder(normalised=True)))
    changed = stated(EndemicEpidemic, {"between": {"intercept": -0.5}, "overdispersion": False}, base=base)
    assert changed == EndemicEpidemic(Endemic(0.7), None, Between(-0.5, weights=FirstOrder(True)), None)
    assert stated(EndemicEpidemic, {"within": True}, base=base).within == Within()
    matrix = [[0.0, 1.0], [1.0, 0.0]]
    assert stated(EndemicEpidemic, {"between": {"weights": {"kind": "Given", "weight": matrix}}}).between == Between(
        weights=Given(((0.0, 1.0), (1.0, 0.0)))
    )


def test_components_of_other_models_are_stated_alike() -> None:
    model = stated(Mobilisation, {"groups": False, "organised": False, "between": {"reach": {"kind": "Exponential"}}})
    assert model.groups is None
    assert type(model.between.reach).__name__ == "Exponential"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"endmic": {}}, 'endmic: EndemicEpidemic has no such field. Nearest name: "endemic"'),
        ({"endemic": {"effect": []}}, "endemic.effect: Endemic has no such field"),
        ({"endemic": {"effects": "trend"}}, r'endemic.effects is "trend"; expected a list of labels'),
        ({"between": {"weights": "Power"}}, '"Power" is no kind of it; it takes: DistancePowerLaw'),
        ({"between": {"weights": 3}}, "between.weights is 3; expected a table, or one of: DistancePowerLaw"),
        ({"within": {"lags": {"steps": 3}}}, "within.lags takes several kinds; state one with kind"),
        ({"between": {"weights": "Given"}}, "between.weights needs weight, which have no default"),
        ({"endemic": {"effects": True}}, 'endemic.effects is true; expected a list of labels, as ["trend"]'),
        ({"endemic": {"effects": 3}}, "endemic.effects is 3; expected a list of labels"),
        ({"endemic": {"effects": [1.5]}}, "endemic.effects is [1.5]; expected a list of labels"),
        ({"endemic": {"effects": {"sin1": "a"}}}, 'endemic.effects.sin1 is "a"; expected a number'),
        ({"within": {"lags": {"kind": 3}}}, "within.lags.kind is 3; expected a name in quotes, one of: FreeLags"),
        ({"conditioned": "5"}, 'conditioned is "5"; expected a whole number, or false to leave it out'),
        ({"conditioned": 5.5}, "conditioned is 5.5; expected a whole number"),
        ({"conditioned": True}, "conditioned is true; expected a whole number"),
        ({"within": {"lags": {"kind": "GeometricLags", "steps": 2.5}}}, "within.lags.steps is 2.5; expected a whole"),
        ({"endemic": {"period": "52"}}, 'endemic.period is "52"; expected a number, or false'),
        ({"endemic": {"period": 0}}, "Endemic.period is 0; expected a number of steps above 0"),
        ({"endemic": {"offset": True}}, "endemic.offset is true; expected a text, or false to leave it out"),
        ({"endemic": {"intercept": "low"}}, 'endemic.intercept is "low"; expected a number'),
        ({"endemic": {"effects": ["sin0"]}}, 'Endemic.effects names "sin0"; expected harmonics from 1 on'),
        ({"between": {"weights": {"kind": "PowerLaw", "furthest": 0}}}, "furthest is 0; expected 1 or more"),
        ({"between": {"weights": {"kind": "FirstOrder", "normalised": "no"}}}, 'normalised is "no"; expected true or'),
        ({"endemic": False}, "endemic is false; expected a table"),
    ],
)
def test_errors_name_the_field_and_what_is_possible(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as told:
        stated(EndemicEpidemic, given)
    assert words in str(told.value)


def test_false_leaves_out_what_may_be_left_out_and_numbers_name_lags() -> None:
    assert stated(EndemicEpidemic, {"endemic": {"offset": False, "period": False}, "conditioned": False}) == (
        EndemicEpidemic()
    )
    lags = stated(EndemicEpidemic, {"within": {"lags": {"kind": "FreeLags", "log_weight": [2, 3]}}}).within.lags
    assert lags == FreeLags(Effects.zero("2", "3"))
