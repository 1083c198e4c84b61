"""The published numbers on forecasts of counts, at the tolerances that `rows` states."""

from __future__ import annotations

import pytest

from groundswell.studies.published.base import Published, reference_data
from groundswell.studies.published.forecasts import rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_published_number(row: Published, request: pytest.FixtureRequest) -> None:
    got = row.compute(request.getfixturevalue("reference") if row.needs_data else reference_data())
    assert row.passes(got), f"{row.name}: expected {row.expected} within {row.tolerance}, got {got} ({row.source})"
