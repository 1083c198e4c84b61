"""The R package surveillance itself, where it is installed, fitting the same model in the same run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import r_surveillance
from groundswell.studies.published.cities import measles_fit


@pytest.mark.skipif(not r_surveillance.present(), reason="R with the package surveillance is not installed")
def test_r_finds_the_log_likelihood_that_we_find(reference: Path) -> None:
    _, log_likelihood = r_surveillance.fitted("measles basic", 1)
    assert measles_fit(reference, "basic").log_density == pytest.approx(log_likelihood, abs=1e-5)
