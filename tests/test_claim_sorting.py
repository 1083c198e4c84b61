"""Sorting a record for a study, and drawing the claims that its speakers would have made."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.record import Claim, Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.grouping import Grains
from groundswell.models.reporting.sorting import sort_claims
from groundswell.params import Effects

DAY = date(2020, 1, 1)


def said(value, qualifier="exactly", *, id="a", high=None, quantity="arrests", place="Hub", speaker="ministry",
         origin="", start=DAY, end=DAY):  # fmt: skip
    return Claim(id, quantity, place, start, end, qualifier, value, "", "state", speaker, origin, value_high=high)


def model(bias=0.0, spread=0.25, slack=0.2, speaker=("ministry",), **more):
    return Reporting(
        bias=Effects(state=bias),
        bias_by_kind=Effects({"state:arrests": 0.0}),
        spread=Effects(state=spread),
        speaker=Effects(dict.fromkeys(speaker, 0.0)),
        slack=slack,
        anchor="third_party",
        **more,
    )


def country(places, **more):
    return Setting(places, Window(DAY, 5), later_edges=(5, 12, 19), **more)


def test_every_claim_lands_in_one_heap_with_its_reason(lopsided):
    late = DAY + timedelta(10)
    claims = Record((
        said(3.0, id="weighed", place="Testland"),
        said(3.0, id="later", quantity="teams_arrested", end=late),
        said(3.0, id="first-day"),
        said(1.0, id="call", quantity="call_to_protest"),
        said(9.0, id="dead", quantity="deaths", place="Elsewhere"),
        said(9.0, id="early", start=DAY - timedelta(1)),
        said(9.0, id="events-late", end=late),
        said(9.0, id="groups-late", quantity="teams_arrested", end=late + timedelta(30)),
    ))  # fmt: skip
    heaps = sort_claims(claims, country(lopsided), given=["first-day"])
    assert [claim.id for claim in heaps.weighed] == ["later", "weighed"]
    assert {out.claim.id for out in heaps.setting} == {"first-day", "call"}
    reasons = {out.claim.id: out.reason for out in heaps.unspoken}
    assert set(reasons) == {"dead", "early", "events-late", "groups-late"}
    assert "2019-12-31, before the study's first day 2020-01-01; refused, not clipped" in reasons["early"]
    assert "after the study's last day 2020-01-05" in reasons["events-late"]
    assert "only to 2020-01-19" in reasons["groups-late"]
    assert list(heaps.table()["id"]) == sorted(["first-day", "call", *reasons])


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (said(3.0, place="Hubb"), 'claim a: place "Hubb".*Nearest name: "Hub"'),
        (said(3.0, quantity="arests"), 'claim a: quantity "arests" is not known. Nearest name: "arrests"'),
        (said(2.5), "claim a: arrests 2.5 is not whole"),
        (said(0.0, "less_than", quantity="joins_per_arrest"), "claim a: .*ratio is above 0"),
    ],
)
def test_claims_that_cannot_be_read_are_errors_that_name_them(lopsided, claim, words):
    with pytest.raises(DataError, match=words):
        sort_claims(Record((claim,)), country(lopsided))


def test_what_tells_a_given_claim_again_is_given_too(lopsided):
    claims = Record((
        said(3.0, id="first", origin="o"), said(3.0, id="same", origin="o", speaker="another"),
        replace(said(2.0, "more_than", id="printed"), cites="first", origin=""),
        said(4.0, id="other", origin="o"), said(3.0, id="apart", origin="p"),
    ))  # fmt: skip
    heaps = sort_claims(claims, country(lopsided), given=["first"])
    assert [claim.id for claim in heaps.weighed] == ["apart", "other"]
    reasons = {out.claim.id: out.reason for out in heaps.setting}
    assert reasons["same"] == reasons["printed"] == "tells claim first again, which was used to build the setting"


def test_an_unknown_given_claim_is_an_error(lopsided):
    with pytest.raises(DataError, match='no claim has the id "b"'):
        sort_claims(Record((said(1.0),)), country(lopsided), given=["b"])


# --- report and log_density agree ---


def a_history(setting, arrests=37.0):
    counts = np.zeros(setting.shape)
    counts[0, 0] = arrests
    return History(setting.places, setting.window, {"arrests": counts})


@pytest.mark.parametrize("qualifier", ["exactly", "at_least", "at_most"])
def test_reported_values_come_with_their_probability(lopsided, qualifier):
    setting = country(lopsided)
    history = a_history(setting)
    reporting = model(bias=0.2, speaker=())
    question = Record((said(1.0, qualifier),))
    rng = np.random.default_rng(3)
    draws = 4000
    values = [
        next(iter(reporting.report(setting, history, question, rng=rng))).value for _ in range(draws)
    ]  # fmt: skip
    seen, counts = np.unique(values, return_counts=True)
    for value, count in zip(seen, counts, strict=True):
        p = math.exp(reporting.log_density(setting, history, Record((said(value, qualifier),))))
        assert abs(count - draws * p) < 5 * math.sqrt(draws * p) + 3


def test_a_speaker_who_reports_everything_returns_the_history(lopsided):
    setting = country(lopsided)
    exact = model(spread=0.0, slack=0.0, grains=Grains(exactly=(1, 0, 0, 0, 0, 0)))
    for arrests in (0.0, 1.0, 37.0, 12345.0):
        history = a_history(setting, arrests)
        (claim,) = exact.report(setting, history, Record((said(5.0),)), rng=np.random.default_rng(0))
        assert claim.value == arrests
        assert exact.log_density(setting, history, Record((claim,))) == pytest.approx(0, abs=1e-9)
        assert exact.log_density(setting, history, Record((said(arrests + 1),))) < -500


def test_report_keeps_repeats_ranges_and_what_nobody_models(lopsided):
    setting = country(lopsided)
    questions = Record((
        said(142.0, id="a", origin="o"),
        said(142.0, id="b", origin="o", speaker="repeater"),
        said(140.0, "more_than", id="c", origin="o"),
        said(20.0, "between", id="d", high=40.0),
        said(9.0, id="e", quantity="deaths"),
    ))  # fmt: skip
    draws = [model().report(setting, a_history(setting), questions, rng=np.random.default_rng(i)) for i in range(60)]
    assert all(drawn["a"].value == drawn["b"].value for drawn in draws)
    assert any(drawn["a"].value != drawn["c"].value for drawn in draws)
    assert all(drawn["e"] == questions["e"] for drawn in draws)
    assert all(drawn["d"].value <= drawn["d"].value_high for drawn in draws)
    width = [math.log((d["d"].value_high + 1) / d["d"].value) for d in draws]
    assert np.median(width) == pytest.approx(math.log(41 / 20), abs=0.1)


def test_the_errors_of_one_origin_go_together(lopsided):
    setting = country(lopsided)
    history = a_history(setting, 100_000.0)
    questions = Record((said(1.0, id="a", origin="o"), said(2.0, id="b", origin="o"), said(3.0, id="c", origin="p")))
    draws = [model().report(setting, history, questions, rng=np.random.default_rng(i)) for i in range(400)]
    logs = np.log([[drawn[i].value for i in "abc"] for drawn in draws])
    correlation = np.corrcoef(logs.T)
    assert correlation[0, 1] == pytest.approx(0.95, abs=0.02)
    assert abs(correlation[0, 2]) < 0.2
    assert logs.std() == pytest.approx(0.25, abs=0.03)


def test_a_number_beyond_all_counts_is_refused_before_the_grains_are_asked(lopsided):
    with pytest.raises(DataError, match=r"claim x: arrests 1e\+300 is more than anything"):
        sort_claims(Record((said(1e300, id="x"),)), country(lopsided))
