"""The published numbers of the mobilisation model, at the tolerances that `rows` states."""

from __future__ import annotations

import pytest

from groundswell.studies.published.base import Published
from groundswell.studies.published.mobilisation import RUNS, SHRINKING, rows, simulated_groups


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_published_number(row: Published) -> None:
    got = row.compute(None)
    assert row.passes(got), f"{row.name}: expected {row.expected} within {row.tolerance}, got {got} ({row.source})"


def test_the_stated_standard_deviation_is_that_of_the_simulator() -> None:
    """It sets the tolerance of a simulated row, so it must not be generous."""
    groups = simulated_groups(SHRINKING, 3, 30)
    assert len(groups) == RUNS
    assert groups.std() == pytest.approx(2.786, rel=0.03)
