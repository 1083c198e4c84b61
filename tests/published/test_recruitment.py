"""The published numbers of recruitment, at the tolerances that `rows` states."""

from __future__ import annotations

import pytest

from groundswell.studies.published.base import Published
from groundswell.studies.published.mobilisation import GROWING, SHRINKING, extinction, mean_groups
from groundswell.studies.published.recruitment import RUNS, groups_of_persons, rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_published_number(row: Published) -> None:
    got = row.compute(None)
    assert row.passes(got), f"{row.name}: expected {row.expected} within {row.tolerance}, got {got} ({row.source})"


def test_the_expected_numbers_are_the_closed_forms() -> None:
    by_name = {row.name.partition("alone, ")[2]: row.expected for row in rows()}
    assert by_name["mean of 3 after 30 days"] == pytest.approx(mean_groups(*SHRINKING, 3, 30), abs=5e-4)
    assert by_name["shrinking: 3 die out within 30 days"] == pytest.approx(extinction(*SHRINKING, 3, 30), abs=1e-6)
    assert by_name["growing: 3 die out within 12 days"] == pytest.approx(extinction(*GROWING, 3, 12), abs=1e-6)


def test_the_stated_standard_deviation_is_that_of_the_simulator() -> None:
    """It sets the tolerance of a simulated row, so it must not be generous."""
    groups = groups_of_persons(SHRINKING, 3, 30)
    assert len(groups) == RUNS
    assert groups.std() == pytest.approx(2.786, rel=0.08)
