"""A fit of the city level told of persons: the same events, weights that are right, and who it happened to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.infer.base import fit
from groundswell.models.agents.recruitment import Jail
from groundswell.models.cities.mobilisation import Arrests, Background, Crowds, Mobilisation
from groundswell.rng import generator
from groundswell.studies.case import Case
from groundswell.studies.conditioning import Size
from groundswell.studies.persons import Parts, retold, told_of_persons
from groundswell.studies.run import folder_of

TOWN = Setting(Places.single(4_000, "Town"), Window(date(2020, 1, 1), 8))
ALONE = dict.fromkeys(("within", "between", "media", "organised", "groups", "call", "deterrence", "backlash"))
HARD = Mobilisation(
    Background(6.0), **ALONE, arrests=Arrests(40.0, 0.2), crowds=Crowds(60.0, 0.2), scale=0.0, overdispersion=0.5
)
LASTING = Parts(ties=None, jail=Jail(1e9), specific_deterrence=None)


def test_weights_turn_the_law_of_cities_into_that_of_persons() -> None:
    """Events of free runs of persons, against those of the city level weighed; without weights they lie far apart."""
    model, rng = LASTING.join(HARD), generator(1)
    free = np.array([model.simulate(TOWN, rng=rng)["events"].sum() for _ in range(900)])
    histories = [HARD.simulate(TOWN, rng=rng) for _ in range(900)]
    told = [retold(model, TOWN, history, rng=rng) for history in histories]
    events = np.array([history["events"].sum() for history in histories])
    weights = np.exp([one.log_weight for one in told])
    error = np.hypot(free.std() / np.sqrt(len(free)), (weights * (events - free.mean())).std() / np.sqrt(len(events)))
    assert np.mean(weights) == pytest.approx(1, abs=4 * weights.std() / np.sqrt(len(weights))), "both laws sum to 1"
    assert (weights @ events) / weights.sum() == pytest.approx(free.mean(), abs=4 * error)
    assert abs(events.mean() - free.mean()) > 6 * error


def test_where_nobody_is_missing_all_weights_are_equal() -> None:
    model = Parts(ties=None, jail=None, specific_deterrence=None).join(HARD)
    told = [retold(model, TOWN, HARD.simulate(TOWN, rng=generator(i)), rng=generator(i)) for i in range(5)]
    assert all(one.log_weight == 0 for one in told)
    assert all(one.jailed < one.arrested < 4_000 for one in told)
    large = replace(TOWN, places=Places.single(4_000_000, "Town"))
    one = retold(LASTING.join(HARD), large, HARD.simulate(large, rng=generator(1)), rng=generator(1))
    assert 0 < abs(one.log_weight) < 0.05
    assert 0 < one.largest_share == one.took_part / 4_000_000


def test_the_iranian_claims_told_of_persons() -> None:
    folder = folder_of("iran-2017")
    built = Case.read(folder / "study.toml").build(folder)
    size = Size(draws=12, effective=10, most=40, round=20, histories=2)
    found = fit(built.account, built.setting, built.claims.weighed, size.method(1), rng=generator(1), fixed=built.held)
    # an odd number of draws: of two, weights that are hardly unequal decide which one the median is
    result = told_of_persons(built, found, 3, seed=1)
    rows = {row["quantity"]: row for row in result["rows"]}
    assert result["draws"] == 3
    assert 2.9 < result["effective"] <= 3
    assert rows["arrests"]["cities"] == rows["arrests"]["persons"]
    assert 0 < rows["persons who took part"]["persons"][1] <= rows["participations"]["cities"][2]
    assert rows["persons in jail on the last day"]["persons"][1] < rows["persons arrested"]["persons"][1]
