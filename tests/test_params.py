"""Parameters: names, vectors, free coordinates, checks."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from groundswell.errors import ParameterError
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
