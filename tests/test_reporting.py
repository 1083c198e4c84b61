import math
from datetime import date

import numpy as np
import pytest
from naive import reporting as naive

from groundswell.data.record import Claim
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.grouping import Grains
from groundswell.params import Effects

DAY = date(2020, 1, 1)


def said(value, qualifier="exactly", *, id="a", high=None, quantity="arrests", stance="state", speaker="ministry",
         origin="", place="Hub", start=DAY, end=DAY, **more):  # fmt: skip
    return Claim(id, quantity, place, start, end, qualifier, value, "", stance, speaker, origin,
                 value_high=high, **more)  # fmt: skip


def model(bias=0.0, kind=0.0, spread=0.25, slack=0.2, speaker=None, **more):
    return Reporting(
        bias=Effects(state=bias),
        bias_by_kind=Effects({f"state:{k}": kind for k in ("cities", "participants", "arrests", "groups")}),
        spread=Effects(state=spread, third_party=spread),
        speaker=Effects(speaker or {}),
        slack=slack,
        anchor="third_party",
        **more,
    )


def weigh(reporting, claims, q):
    (bound,) = reporting.prepare(claims).bind(reporting)
    return bound.log_likelihood(np.atleast_1d(np.asarray(q, float)))


def test_fast_likelihood_is_its_slow_twin_for_500_claims():
    rng = np.random.default_rng(1)
    grains = Grains()
    worst = 0.0
    for i in range(500):
        qualifier = ("exactly", "about", "at_least", "more_than", "at_most", "less_than", "between")[i % 7]
        quantity = ("arrests", "teams_arrested")[i % 2]
        q = float(np.floor(np.exp(rng.uniform(-1, 10))))
        spread, slack = rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.6)
        away = rng.uniform(-12, 12) * spread if i % 3 else rng.normal() * spread
        value = float(np.floor((q + 0.5) * np.exp(away)))
        if rng.random() < 0.7:
            value = float(round(value, -int(rng.integers(0, 3))))
        high = value + float(rng.integers(0, 30)) if qualifier == "between" else None
        bias, kind = rng.normal(0, 0.5, 2)
        reporting = model(bias, kind, spread, slack, {"ministry": 0.1})
        sign = 1 if quantity == "arrests" else -1
        fast = weigh(reporting, [said(value, qualifier, high=high, quantity=quantity)], q)[0]
        slow = naive.claim(q, value, qualifier, sign * (bias + kind) + 0.1, spread, slack, 0.2, math.log(100),
                           grains.grains, grains.of(qualifier), high)  # fmt: skip
        assert fast == pytest.approx(slow, abs=1e-6), (i, qualifier, q, value, high, spread, slack)
        worst = max(worst, abs(fast - slow))
    print(worst)
