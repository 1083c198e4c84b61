"""The published numbers of the event models, at the tolerances that `rows` states."""

from __future__ import annotations

import pytest

from groundswell.studies.published.base import Published
from groundswell.studies.published.events import COUNTS, RUNS, _counts, rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_published_number(row: Published) -> None:
    got = row.compute(None)
    assert row.passes(got), f"{row.name}: expected {row.expected} within {row.tolerance}, got {got} ({row.source})"


def test_the_stated_standard_deviations_are_those_of_the_simulator() -> None:
    """They set the tolerance of the simulated rows, so they must not be generous."""
    assert len(_counts()) == RUNS
    assert _counts().std(axis=0) == pytest.approx([spread for _, spread in COUNTS.values()], rel=0.04)
