"""What is expected to be said before any claim: against closed forms, and as a picture."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from naive.enumeration import said

from groundswell.data.record import Record
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.predictive import COLUMNS, prior_predictive
from groundswell.report.figures.reporting import expected_factors
from groundswell.rng import generator

RECORD = Record((
    said("a", "arrests", "Testland", 0, 6, "about", 60),
    said("b", "arrests", "Testland", 0, 6, "about", 60, "third_party"),
    said("c", "arrests", "Testland", 0, 6, "at_least", 60, "third_party"),
    said("d", "teams_arrested", "Testland", 0, 6, "between", 60, "third_party", 90),
    said("e", "joins_per_arrest", "Testland", 0, 6, "about", 1.5, "third_party"),
    said("f", "cities_with_protest", "Testland", 0, 6, "exactly", 9, "third_party"),
))  # fmt: skip


def rows(reporting: Reporting, quantity: float = 1e6, draws: int = 1_500) -> dict[tuple[str, ...], np.ndarray]:
    table = prior_predictive(reporting, RECORD, quantity, rng=generator(1), draws=draws)
    assert list(table.columns) == list(COLUMNS)
    return {
        (row["stance"], row["class"], row["qualifier"]): np.log([max(row[name], 1e-9) for name in COLUMNS[4:]])
        for row in table.rows()
    }


def test_the_factors_of_large_numbers_are_those_of_the_priors() -> None:
    """Where rounding does not matter: log-normal for figures, with the mean slack below it for bounds."""
    found = rows(replace(Reporting.for_record(RECORD), vague=0.0))
    spread = 0.25 * math.exp(0.3**2)  # root mean square of a log-normal spread
    for cell, sd in (
        (("state", "arrests", "about"), math.sqrt(0.7**2 + 0.4**2 + 0.3**2 + spread**2)),
        (("third_party", "arrests", "about"), math.hypot(0.3, spread)),
        (("third_party", "groups", "about"), math.hypot(0.3, spread)),
    ):
        assert found[cell][[0, 4]] == pytest.approx([-1.645 * sd, 1.645 * sd], rel=0.12), cell
        assert found[cell][2] == pytest.approx(0, abs=0.1)
    assert found["third_party", "arrests", "at_least"][2] == pytest.approx(-0.17, abs=0.06)
    assert found["third_party", "groups", "between"][2] == pytest.approx(0, abs=0.1)


def test_small_numbers_are_rounded_and_lists_miss_some() -> None:
    plain = rows(Reporting.for_record(RECORD), 3.0)["third_party", "cities", "exactly"]
    assert (np.exp(plain) * 3) % 1 == pytest.approx([0] * 5, abs=1e-9)
    listing = Reporting.for_record(RECORD, listing=["speaker f"])
    few = rows(listing)["third_party", "cities", "exactly"][2]
    assert few == pytest.approx(math.log(0.6), abs=0.1)
    assert rows(listing)["third_party", "arrests", "about"][2] == pytest.approx(0, abs=0.1)


def test_a_factor_on_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="quantity of 0 in 10 draws"):
        prior_predictive(Reporting.for_record(RECORD), RECORD, 0.0, rng=generator(1), draws=10)


def test_the_picture_shows_every_row_of_the_table() -> None:
    table = prior_predictive(Reporting.for_record(RECORD), RECORD, 40.0, rng=generator(2), draws=100)
    axes = expected_factors(table, stances=["movement", "state", "third_party"])
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels == [f"{r['stance']}, {r['class']}: {r['qualifier']}".replace("_", " ") for r in table.rows()]
    assert axes.get_xscale() == "log"
    nothing = dict.fromkeys(COLUMNS[4:], 0.0)
    row = {"stance": "a", "class": "cities", "qualifier": "exactly", "claims": 1}
    assert expected_factors(Table.from_rows([row | nothing], COLUMNS)).get_xlim()[0] > 0
    assert expected_factors(Table.from_rows([], COLUMNS)) is not None
