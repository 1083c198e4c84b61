"""The published numbers of the agent models, at the tolerances that `rows` states."""

from __future__ import annotations

import pytest

from groundswell.studies.published.agents import SHORT_SD, SHORT_STEPS, rows, waiting_times
from groundswell.studies.published.base import Published


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name, marks=[pytest.mark.slow] if row.slow else []) for row in rows()]
)
def test_published_number(row: Published) -> None:
    got = row.compute(None)
    assert row.passes(got), f"{row.name}: expected {row.expected} within {row.tolerance}, got {got} ({row.source})"


@pytest.mark.slow
def test_the_stated_spread_of_waiting_times_is_that_of_the_simulator() -> None:
    """It sets the tolerance of the small form, so it must not be generous."""
    assert waiting_times("floor", "disc", 12, SHORT_STEPS).std(ddof=1) > 0.6 * SHORT_SD
