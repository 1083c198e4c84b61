"""Fits of single events to hardly any: no search fails, none calls a level direction known."""

from __future__ import annotations

import numpy as np
import pytest

from groundswell.data.history import from_events
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.library import LIBRARY, load
from groundswell.rng import generator

SINGLE = [name for name, entry in LIBRARY.items() if entry.level == "events"]


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("name", SINGLE)
def test_so_few_events_are_fitted_and_the_fit_says_what_it_does_not_know(name: str, count: int) -> None:
    model, setting = load(name).example()
    drawn = model.simulate(setting, rng=generator(1)).events
    assert drawn is not None
    few = from_events(setting.places, setting.window, drawn.take(np.arange(count)))
    found = fit(model, setting, few, MaximumLikelihood(), rng=generator(1))
    assert found.converged
    assert np.isfinite(found.log_density)
    assert np.isnan(found.standard_error).any()
    assert found.notes
    assert ("bic" in found.details) == (count > 0 and "observations" in found.details)
