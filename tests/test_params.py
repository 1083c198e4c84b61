"""Parameters: names, vectors, free coordinates, checks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from groundswell.errors import ParameterError
from groundswell.models import triggering
from groundswell.models.cities import endemic_epidemic
from groundswell.models.cities.endemic_epidemic import EndemicEpidemic
from groundswell.models.cities.mobilisation import Mobilisation
from groundswell.models.cities.weights import PowerLaw
from groundswell.params import (
    Component,
    Effects,
    Leaf,
    Prior,
    from_vector,
    leaves,
    names,
    param,
    replacing,
    vector,
)


@dataclass(frozen=True)
class Reach(Component):
    delta: float = param("1", low=0, prior=Prior(2, 0.5), doc="how fast reach falls")
    scale: float = param("km", low=0, high=500, default=60, doc="half distance")


@dataclass(frozen=True)
class Country(Component):
    background: float = param("events/day", low=0, prior=Prior(0.1, 1), doc="events without a parent")
    trend: float = param("1/day", default=0.0, doc="growth")
    effects: Effects = param("1", default=Effects(sin=0.1, cos=-0.2), doc="season")
    reach: Reach | None = Reach()
    loss: float = param("1", high=0, default=-1.0, doc="never above 0")


RANGES = st.sampled_from([(0.0, math.inf), (-math.inf, math.inf), (0.0, 1.0), (-2.0, 5.0), (-math.inf, 3.0)])


def a_leaf(low: float, high: float) -> Leaf:
    return Leaf("x", 0.0, "1", low, high, None, "a number")


def test_names_follow_the_fields_and_dots_the_components() -> None:
    assert names(Country()) == (
        "background", "trend", "effects.sin", "effects.cos", "reach.delta", "reach.scale", "loss",
    )  # fmt: skip


def test_a_component_left_out_has_no_parameters() -> None:
    assert names(Country(reach=None)) == ("background", "trend", "effects.sin", "effects.cos", "loss")


def test_a_default_is_the_priors_median() -> None:
    assert Country().background == 0.1
    assert leaves(Country())[0].prior == Prior(0.1, 1)


@given(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 1e6), st.floats(-9, 9), st.floats(-9, 9), st.floats(0, 99),
                 st.floats(0, 500), st.floats(-1e6, 0)))  # fmt: skip
def test_a_vector_comes_back(values: tuple[float, ...]) -> None:
    changed = from_vector(Country(), values)
    assert np.array_equal(vector(changed), values)
    assert from_vector(changed, vector(changed)) == changed
    assert Country() == Country()


@given(RANGES, st.floats(-30, 30))
def test_free_to_natural_and_back(bounds: tuple[float, float], free: float) -> None:
    leaf = a_leaf(*bounds)
    value = leaf.from_free(free)
    assert leaf.low <= value <= leaf.high
    # near a bound the value carries fewer digits than the coordinate
    room = min(abs(value - b) / max(abs(b), 1) for b in bounds) if any(map(math.isfinite, bounds)) else 1.0
    assume(room > 1e-6)
    assert leaf.to_free(value) == pytest.approx(free, abs=1e-8)


@given(RANGES, st.floats(-8, 8))
def test_slope_is_the_derivative(bounds: tuple[float, float], free: float) -> None:
    leaf = a_leaf(*bounds)
    step = 1e-5
    numeric = (leaf.from_free(free + step) - leaf.from_free(free - step)) / (2 * step)
    assert leaf.slope(free) == pytest.approx(numeric, rel=1e-5, abs=1e-9)


def test_the_boundary_is_infinite_on_the_free_scale() -> None:
    assert a_leaf(0, math.inf).to_free(0.0) == -math.inf
    assert a_leaf(0, 1).to_free(1.0) == math.inf
    assert a_leaf(-math.inf, 3).to_free(3.0) == math.inf


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, "much", True, None])
def test_a_value_out_of_range_names_the_parameter_and_the_range(bad: object) -> None:
    with pytest.raises(ParameterError, match=r"Reach\.delta"):
        Reach(delta=bad)  # type: ignore[arg-type]


def test_an_effect_out_of_range_names_its_label() -> None:
    with pytest.raises(ParameterError, match=r"Country\.effects\.sin"):
        Country(effects=Effects(sin=math.nan))


def test_replacing_goes_into_components_and_leaves_the_first_alone() -> None:
    first = Country()
    second = first.replacing({"reach.delta": 3.0, "effects.cos": 1.0})
    assert (second.reach.delta, second.effects["cos"], second.effects["sin"]) == (3.0, 1.0, 0.1)  # type: ignore[union-attr]
    assert first == Country()


@pytest.mark.parametrize("wrong", ["reach.dleta", "reach", "effects.tan", "nothing", "reach.delta.more"])
def test_a_wrong_name_is_an_error(wrong: str) -> None:
    with pytest.raises(ParameterError):
        replacing(Country(), {wrong: 1.0})


def test_a_wrong_name_lists_the_nearest() -> None:
    with pytest.raises(ParameterError, match='Nearest name: "delta"'):
        replacing(Country(), {"reach.dleta": 1.0})


def test_frozen_and_hashable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Country().background = 1.0  # type: ignore[misc]
    assert len({Country(), Country(), Country(trend=1.0)}) == 2


def test_a_vector_of_the_wrong_length_is_an_error() -> None:
    with pytest.raises(ParameterError, match="7 parameters"):
        from_vector(Country(), [1.0])


def test_a_leaf_without_a_prior_has_no_center_and_says_so():
    bare = Leaf("x", 1.0, "1", 0.0, math.inf, None, "a number")
    for name in ("center", "sd"):
        with pytest.raises(ParameterError, match="x has no prior"):
            getattr(bare, name)
    known = Leaf("x", 1.0, "1", 0.0, math.inf, Prior(2.0, 0.5), "a number")
    assert (known.center, known.sd) == (math.log(2.0), 0.5)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (
            lambda: endemic_epidemic.Between(weights=triggering.PowerLaw()),
            "Between.weights is a PowerLaw of groundswell.models.triggering; expected one of DistancePowerLaw, "
            "Everywhere, FirstOrder, Given, Gravity, Orders, PowerLaw of groundswell.models.cities.weights.",
        ),
        (
            lambda: Mobilisation(between=endemic_epidemic.Between()),
            "Mobilisation.between is a Between of groundswell.models.cities.endemic_epidemic; expected Between of "
            "groundswell.models.cities.mechanisms or None.",
        ),
        (lambda: Mobilisation(background=None), "expected Background of groundswell.models.cities.mechanisms."),
        (lambda: endemic_epidemic.Between(weights=PowerLaw), "Between.weights is the class PowerLaw itself; expected"),
        (lambda: EndemicEpidemic(overdispersion=0.3), "overdispersion is 0.3; expected one of Overdispersion, Overd"),
        (lambda: PowerLaw(normalised="no"), "PowerLaw.normalised is 'no'; expected true or false."),
        (lambda: PowerLaw(furthest=True), "PowerLaw.furthest is True; expected a whole number or None."),
        (lambda: EndemicEpidemic(conditioned=5.5), "EndemicEpidemic.conditioned is 5.5; expected a whole number"),
    ],
)
def test_a_field_takes_only_what_its_hint_says(made: Callable[[], object], words: str) -> None:
    with pytest.raises(ParameterError) as told:
        made()
    assert words in str(told.value)


def test_whole_numbers_and_those_of_numpy_are_numbers() -> None:
    assert PowerLaw(furthest=np.int64(3)).furthest == 3
    assert endemic_epidemic.Endemic(period=np.float64(52)) == endemic_epidemic.Endemic(period=52)


class Speaks(Protocol):
    def speak(self) -> str: ...


@dataclass(frozen=True)
class Loose(Component):
    voice: Speaks | None = None
    words: Sequence[str] | None = None
    table: dict[str, int] = field(default_factory=dict)
    anything: Any = None


def test_hints_that_are_not_read_leave_a_field_alone() -> None:
    loose = Loose(3, 4, 5, 6)  # type: ignore[arg-type]
    assert (loose.voice, loose.words, loose.table, loose.anything) == (3, 4, 5, 6)

    class Nearby:
        pass

    @dataclass(frozen=True)
    class Local(Component):
        other: Nearby  # a name that the module does not know

    assert Local(3).other == 3  # type: ignore[arg-type]
