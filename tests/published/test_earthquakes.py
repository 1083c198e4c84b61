"""ETAS on the earthquake catalogues of Iran, Italy and Japan, and what the fits do not explain."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundswell.models.events.etas import Etas
from groundswell.studies.published.base import Published
from groundswell.studies.published.earthquakes import catalogue, checked, fitted, rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_published_number(row: Published, reference: Path) -> None:
    got = row.compute(reference)
    assert row.passes(got), f"{row.name}: expected {row.expected} within {row.tolerance}, got {got} ({row.source})"


@pytest.mark.parametrize(("name", "counts"), [("iran", (150, 182, 45)), ("italy", (2157, 0, 1))])
def test_targets_and_those_that_only_excite(name: str, counts: tuple[int, int, int], reference: Path) -> None:
    model, _, history = catalogue(reference, name)
    assert history.events is not None
    assert model.before is not None
    assert model.outside is not None
    assert (len(history.events), len(model.before), len(model.outside)) == counts


def test_a_small_catalogue_is_fitted_in_a_moment_and_shows_that_its_rate_drifts(reference: Path) -> None:
    """Iran from magnitude 5 on, 150 targets: a tenth of the years have hardly any, and the fit cannot know why."""
    found = fitted(reference, "iran")
    assert found.converged
    assert isinstance(found.model, Etas)
    _, setting, history = catalogue(reference, "iran")
    check = checked(found.model, setting, history)
    assert check.times_p < 1e-3 < check.waits_p
    assert any("come within the 10957 days" in note for note in found.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "threshold", "estimates", "drifts"),
    [
        ("iran", 4.5, (0.0827, 0.517, 2.18, 0.0217, 1.052, 168, -0.357, 2.02), False),
        ("italy", 3.0, (0.3655, 0.2184, 1.560, 0.0116, 1.158, 1.274, 0.908, 1.845), True),
        ("japan", 4.5, (0.165, 0.198, 1.64, 0.0232, 1.115, 20.9, 1.045, 1.85), True),
    ],
)
def test_the_catalogues_as_the_page_tells_them(
    name: str, threshold: float, estimates: tuple[float, ...], drifts: bool, reference: Path
) -> None:
    """Estimates of the page on the model; waits are explained everywhere, a steady rate over decades in Iran alone."""
    found = fitted(reference, name, threshold=threshold)
    assert found.converged
    assert found.estimate == pytest.approx(estimates, rel=0.01)
    assert isinstance(found.model, Etas)
    _, setting, history = catalogue(reference, name, threshold=threshold)
    check = checked(found.model, setting, history)
    assert check.waits_p > 0.1
    assert (check.times_p < 1e-3) == drifts
