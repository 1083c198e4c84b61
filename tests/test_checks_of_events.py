"""Every model of single events goes through every check: by its verbs, whatever it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.evaluate.declustering import BACKGROUND, declustered
from groundswell.evaluate.point_residuals import residual_tests
from groundswell.evaluate.super_thinning import homogeneity
from groundswell.models.base import can
from groundswell.models.library import LIBRARY, load
from groundswell.rng import generator

WITH_A_COMPENSATOR = [name for name in LIBRARY if can(load(name).example()[0], "compensator")]
every_model = pytest.mark.parametrize("name", WITH_A_COMPENSATOR)


def case(name: str) -> tuple[Any, Setting, History]:
    model, setting = load(name).example()
    return model, setting, model.simulate(setting, rng=generator(4))


def test_the_models_of_single_events_are_those() -> None:
    assert {"self_exciting", "mutually_exciting", "space_time", "etas"} <= set(WITH_A_COMPENSATOR)


@every_model
def test_transformed_times_of_a_right_model_are_not_refused(name: str) -> None:
    found = residual_tests(*case(name), rng=generator(1))
    assert min(found.table["p known"]) > 0.005


@every_model
def test_residual_points_of_a_right_model_are_even(name: str) -> None:
    found = homogeneity(*case(name), rng=generator(1), draws=3, simulations=39)
    assert min(found.table["p median"]) > 0.005


@every_model
def test_a_forest_has_as_many_trees_as_events_without_a_parent(name: str) -> None:
    found = declustered(*case(name), rng=generator(1), draws=100)
    assert all((forest.parent < np.arange(len(found.events))).all() for forest in found.forests)
    p = found.branching.background_probability
    alone = np.mean([(forest.parent == BACKGROUND).sum() for forest in found.forests])
    assert alone == pytest.approx(p.sum(), abs=4 * (p * (1 - p)).sum() ** 0.5 / 10)
    assert sum(found.cluster_sizes()["clusters"]) == pytest.approx(found.generations()["events"][0])
