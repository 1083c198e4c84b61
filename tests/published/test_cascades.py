"""The published numbers of threshold cascades, at the tolerances that `rows` states."""

from __future__ import annotations

import pytest

from groundswell.studies.published.base import Published
from groundswell.studies.published.cascades import rows


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in rows()])
def test_published_number(row: Published) -> None:
    got = row.compute(None)
    assert row.passes(got), f"{row.name}: expected {row.expected} within {row.tolerance}, got {got} ({row.source})"
