"""Lag weights: they sum to one, fall as they say, and their derivatives are those of differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import UsageError
from groundswell.models.cities.lags import FreeLags, GeometricLags, Lags
from groundswell.params import Effects, vector

KINDS = [GeometricLags(0.4), GeometricLags(0.0, steps=2), GeometricLags(1.0, steps=3), FreeLags(Effects({"2": -1.0})),
         FreeLags(Effects({"2": 0.3, "3": -2.0, "4": 1.0}))]  # fmt: skip


@pytest.mark.parametrize("lags", KINDS)
def test_weights_sum_to_one_and_derivatives_are_differences(lags: Lags) -> None:
    at = np.clip(vector(lags), 1e-3, None) if isinstance(lags, GeometricLags) else vector(lags)
    weights, slopes, bends = lags.terms(at)
    assert weights.sum() == pytest.approx(1)
    assert len(weights) == lags.longest
    for k in range(len(at)):
        step = np.eye(len(at))[k] * 1e-5
        up, down = lags.terms(at + step), lags.terms(at - step)
        assert slopes[k] == pytest.approx((up[0] - down[0]) / 2e-5, abs=1e-9)
        assert bends[k] == pytest.approx((up[1] - down[1]) / 2e-5, abs=1e-8)


@given(persistence=st.floats(0, 1), steps=st.integers(2, 9))
def test_geometric_lags_fall_by_one_factor(persistence: float, steps: int) -> None:
    weights = GeometricLags(persistence, steps).weights()
    assert weights[1:] == pytest.approx(persistence * weights[:-1], abs=1e-12)


def test_without_persistence_only_the_step_before_counts() -> None:
    assert GeometricLags(0.0).weights().tolist() == [1, 0, 0, 0, 0]


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(UsageError, match="leave `lags` out for one"):
        GeometricLags(steps=1)
    with pytest.raises(UsageError, match="from 2 on without a gap"):
        FreeLags(Effects({"3": 0.0}))
