"""The published numbers of events in the plane, at the tolerances that `rows` states."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.studies.published.base import Published
from groundswell.studies.published.plane import rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_published_number(row: Published, reference: Path) -> None:
    got = row.compute(reference)
    assert row.passes(got), f"{row.name}: expected {row.expected} within {row.tolerance}, got {got} ({row.source})"
