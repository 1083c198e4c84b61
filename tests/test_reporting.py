import math
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import reporting as naive

from groundswell.data.record import Claim, Record
from groundswell.errors import DataError, ParameterError
from groundswell.models.reporting.claims import SPEAKER_SD, Reporting
from groundswell.models.reporting.grouping import Grains
from groundswell.models.reporting.selection import Selection
from groundswell.params import Effects, leaves, replacing

DAY = date(2020, 1, 1)
GRAINS = Grains()
REACH = math.log(100)
QUALIFIERS = ("exactly", "about", "at_least", "more_than", "at_most", "less_than")


def said(value, qualifier="exactly", *, id="a", high=None, quantity="arrests", stance="state", speaker="ministry",
         origin="", place="Hub", start=DAY, end=DAY, **more):  # fmt: skip
    return Claim(id, quantity, place, start, end, qualifier, value, "", stance, speaker, origin,
                 value_high=high, **more)  # fmt: skip


def model(bias=0.0, kind=0.0, spread=0.25, slack=0.2, speaker=("ministry",), **more):
    """A reporting model for claims by one stance; listed speakers have no effect unless given one."""
    return Reporting(
        bias=Effects(state=bias),
        bias_by_kind=Effects({f"state:{k}": kind for k in ("cities", "participants", "arrests", "groups")}),
        spread=Effects(state=spread, third_party=spread),
        speaker=Effects(speaker if isinstance(speaker, dict) else dict.fromkeys(speaker, 0.0)),
        slack=slack,
        anchor="third_party",
        **more,
    )


def weigh(reporting, claims, q):
    (bound,) = reporting.prepare(claims).bind(reporting)
    return bound.log_likelihood(np.atleast_1d(np.asarray(q, float)))


# --- the probability of one claim ---


def test_fast_likelihood_is_its_slow_twin_for_500_claims():
    rng = np.random.default_rng(1)
    for i in range(500):
        qualifier = (*QUALIFIERS, "between")[i % 7]
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
        direction = 1 if quantity == "arrests" else -1
        fast = weigh(reporting, [said(value, qualifier, high=high, quantity=quantity)], q)[0]
        slow = naive.claim(q, value, qualifier, direction * (bias + kind) + 0.1, spread, slack, 0.2, REACH,
                           GRAINS.grains, GRAINS.of(qualifier), high)  # fmt: skip
        assert fast == pytest.approx(slow, abs=1e-6), (i, qualifier, q, value, high, spread, slack)


@given(
    st.sampled_from(QUALIFIERS),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.floats(0, 2),
    st.floats(0, 2),
    st.floats(0, 1),
)
@settings(max_examples=300, deadline=None)
def test_a_claim_is_improbable_but_never_impossible_nor_more_than_certain(qualifier, q, value, spread, slack, vague):
    reporting = model(spread=spread, slack=slack, vague=vague)
    got = weigh(reporting, [said(float(value), qualifier)], q)[0]
    assert math.isfinite(got)
    assert got <= 0


def test_far_away_the_log_probability_follows_the_normal_tail():
    """At z sd the log is -z^2/2 to leading order, through and beyond where doubles underflow."""
    reporting = model(spread=0.1)
    edge = math.log(1000.5)
    for sd in (10, 30, 36, 38, 40, 60, 90):
        q = math.exp(edge + 0.1 * sd) - 0.5
        got = weigh(reporting, [said(1000.0)], q)[0]
        slow = naive.claim(q, 1000.0, "exactly", 0.0, 0.1, 0.2, 0.2, REACH, GRAINS.grains, GRAINS.exactly)
        assert got == pytest.approx(slow, rel=1e-9), sd


@pytest.mark.parametrize("qualifier", QUALIFIERS)
def test_probabilities_of_all_values_sum_to_one(qualifier):
    q = np.array([0.0, 2.0, 9.0])
    reporting = model(spread=0.3, slack=0.25)
    total = sum(np.exp(weigh(reporting, [said(float(value), qualifier)], q)) for value in range(6_000))
    assert total == pytest.approx(1.0, abs=1e-6)


@given(st.floats(0.5, 5000), st.integers(0, 5))
def test_the_cells_of_a_grain_hold_exactly_what_is_rounded_to_them(x, chosen):
    only = tuple(float(k == chosen) for k in range(6))
    grains = Grains(exactly=only)
    value = grains.rounded(x, chosen)
    assert value == naive.stated(x, GRAINS.grains[chosen], GRAINS.grains)
    ((low, high, weight),) = grains.cells(value, "exactly")
    assert low <= x <= high
    assert weight == 1


def test_cells_of_equal_extent_are_merged():
    assert GRAINS.cells(7, "about") == [(7.0, 8.0, pytest.approx(1.0))]
    assert GRAINS.cells(32, "exactly") == [(32.0, 33.0, 0.6)]
    assert len(GRAINS.cells(100, "about")) == 4
    assert (95.5, 125.5, pytest.approx(0.45)) in GRAINS.cells(100, "about")


def test_bias_acts_in_the_direction_of_the_quantity():
    lean = model(bias=0.5, kind=0.2)
    plain = model()
    shifted = (40 + 0.5) * math.exp(0.7) - 0.5
    for quantity, up in (("arrests", True), ("teams_arrested", False)):
        q = 40.0 if up else shifted
        other = shifted if up else 40.0
        assert weigh(lean, [said(80.0, quantity=quantity)], q) == pytest.approx(
            weigh(plain, [said(80.0, quantity=quantity)], other)
        )


def test_the_anchor_has_no_bias():
    lean = model(bias=3.0)
    assert weigh(lean, [said(80.0, stance="third_party")], 40) == weigh(model(), [said(80.0)], 40)


def test_a_bound_that_is_merely_true_is_not_read_as_the_figure():
    q = np.array([2.0, 45.0])
    at_most, about = (weigh(model(), [said(50.0, k)], q) for k in ("at_most", "about"))
    assert at_most[0] - at_most[1] > -6
    assert about[0] - about[1] < -40
    above, below = weigh(model(), [said(50.0, "at_least")], np.array([100.0, 25.0]))
    assert above > below


@pytest.mark.parametrize(("qualifier", "side"), [("more_than", 1), ("at_least", 1), ("less_than", -1), ("at_most", -1)])
def test_ratio_bounds_are_normal_probabilities(qualifier, side):
    from scipy.special import log_ndtr

    claim = said(1.5, qualifier, quantity="joins_per_arrest")
    ratio = np.array([0.01, 0.7, 1.0, 1.6, 40.0])
    expected = log_ndtr(side * (np.log(ratio) - math.log(1.5) + 0.3) / 0.25)
    assert weigh(model(bias=0.3), [claim], ratio) == pytest.approx(expected, abs=1e-9)


def test_a_ratio_stated_as_a_figure_is_a_cell_of_ten_per_cent():
    got = weigh(model(), [said(1.5, quantity="joins_per_arrest")], [1.5])[0]
    assert got == pytest.approx(math.log(math.log(1.1)) - math.log(0.25 * math.sqrt(2 * math.pi)), abs=0.01)


# --- speakers and origins ---


def test_a_speaker_heard_once_is_integrated_out():
    claims = [said(60.0, speaker="heard once")]
    u, w = np.polynomial.hermite_e.hermegauss(40)
    terms = [weigh(model(speaker={"heard once": SPEAKER_SD * x}), claims, 40)[0] for x in u]
    expected = math.log((np.exp(terms) * w).sum() / math.sqrt(2 * math.pi))
    assert weigh(model(speaker=()), claims, 40)[0] == pytest.approx(expected, abs=1e-6)


def test_one_unlisted_speaker_behind_a_whole_group_is_integrated_out_jointly():
    claims = [said(60.0, "about", id="a", origin="o"), said(48.0, "at_least", id="b", origin="o")]
    u, w = np.polynomial.hermite_e.hermegauss(60)
    terms = [weigh(model(speaker={"ministry": SPEAKER_SD * x}), claims, 40)[0] for x in u]
    expected = math.log((np.exp(terms) * w).sum() / math.sqrt(2 * math.pi))
    assert weigh(model(speaker=()), claims, 40)[0] == pytest.approx(expected, abs=1e-6)


def test_a_speaker_heard_in_two_groups_must_be_a_parameter():
    claims = [said(60.0, id="a"), said(48.0, id="b", quantity="events")]
    with pytest.raises(ParameterError, match=r'speaker "ministry" is not among .*for_record'):
        model(speaker=()).prepare(claims).bind(model(speaker=()))


@pytest.mark.parametrize(
    ("q", "figures"),
    [
        (120, [(140, "more_than"), (142, "exactly")]),
        (140, [(140, "exactly"), (142, "exactly")]),
        (30, [(40, "at_least"), (25, "at_most"), (33, "about")]),
        (2, [(9, "about"), (20, "less_than")]),
    ],
)
def test_different_figures_of_one_origin_share_its_error(q, figures):
    claims = [said(float(v), k, id=f"c{i}", origin="o") for i, (v, k) in enumerate(figures)]
    slow = naive.several(q, figures, 0.0, 0.25, 0.2, 0.2, REACH, GRAINS.grains, GRAINS.of)
    assert weigh(model(), claims, q)[0] == pytest.approx(slow, abs=1e-6)


def test_claims_of_one_origin_by_two_stances_take_the_general_route():
    reporting = Reporting(
        bias=Effects(state=0.0), bias_by_kind=Effects({"state:arrests": 0.0}),
        spread=Effects(state=0.25, third_party=0.2500001), speaker=Effects(ministry=0.0, agency=0.0),
        anchor="third_party",
    )  # fmt: skip
    two = [said(60.0, id="a", origin="o"), said(70.0, id="b", origin="o", stance="third_party", speaker="agency")]
    one = [said(60.0, id="a", origin="o"), said(70.0, id="b", origin="o", speaker="agency")]
    q = np.array([0.0, 20.0, 66.0, 4000.0])
    assert weigh(reporting, two, q) == pytest.approx(weigh(model(speaker=("ministry", "agency")), one, q), rel=1e-4)


def test_unshared_errors_of_one_origin_are_independent():
    apart = model(shared_origin=0.0)
    claims = [said(60.0, id="a", origin="o"), said(48.0, "at_least", id="b", origin="o")]
    q = np.array([10.0, 50.0])
    assert weigh(apart, claims, q) == pytest.approx(sum(weigh(apart, [claim], q) for claim in claims))


def test_one_figure_repeated_counts_once_whoever_repeats_it():
    once = [said(142.0, origin="o", stated_on=DAY)]
    ten = once + [
        said(142.0, id=f"r{i}", origin="o", speaker=f"outlet {i}", stated_on=DAY + timedelta(i + 1)) for i in range(9)
    ]
    q = np.arange(0.0, 400.0)
    assert (weigh(model(), ten, q) == weigh(model(), once, q)).all()
    (group,) = model().prepare(ten)
    assert group.repeats == tuple(f"r{i}" for i in range(9))
    alike = [Reporting.for_record(Record(tuple(claims)), "state") for claims in (once, ten)]
    assert alike[0] == alike[1], "no parameter more or less, so the posterior of everything is the same"


def test_two_close_figures_of_one_origin_weigh_about_as_much_as_one():
    q = np.arange(1.0, 600.0)

    def median(claims):
        mass = np.exp(weigh(model(), claims, q)) / (q + 0.5)
        return q[np.searchsorted(np.cumsum(mass) / mass.sum(), 0.5)]

    two = [said(140.0, id="a", origin="o"), said(142.0, id="b", origin="o")]
    assert np.isfinite(weigh(model(), two, q)).all()
    for alone in (140.0, 141.0, 142.0):
        assert abs(median(two) / median([said(alone, origin="o")]) - 1) < 0.02


def test_independent_origins_narrow_and_the_order_of_claims_changes_nothing():
    q = np.arange(1.0, 600.0)
    claims = [said(130.0 + 3 * i, id=f"c{i}", origin=f"o{i}") for i in range(10)]
    bound = model().prepare(claims).bind(model())
    back = model().prepare(claims[::-1]).bind(model())
    assert len(bound) == 10
    for one, other in zip(bound, back, strict=True):
        assert (one.log_likelihood(q) == other.log_likelihood(q)).all()
    joint = sum(one.log_likelihood(q) for one in bound)

    def width(log):
        mass = np.exp(log - log.max())
        mean = (mass * np.log(q)).sum() / mass.sum()
        return math.sqrt((mass * (np.log(q) - mean) ** 2).sum() / mass.sum())

    assert width(joint) < 0.4 * width(bound[0].log_likelihood(q))


# --- the labels a record needs ---


def record():
    return Record((
        said(32.0, id="s1", quantity="cities_with_protest", speaker="U.S. bureau"),
        said(40.0, "at_least", id="s2", quantity="cities_with_confrontation", speaker="U.S. bureau"),
        said(116.0, id="s3", quantity="teams_arrested", speaker="minister"),
        said(300.0, "about", id="t1", quantity="participants", stance="third_party", speaker="agency"),
        said(21.0, id="t2", quantity="deaths", stance="third_party", speaker="agency"),
    ))  # fmt: skip


def test_for_record_makes_the_labels_that_the_claims_need():
    reporting = Reporting.for_record(record())
    assert list(reporting.bias) == ["state"]
    assert list(reporting.bias_by_kind) == ["state:cities", "state:groups"]
    assert list(reporting.speaker) == ["US bureau"]
    assert list(reporting.spread) == ["state", "third_party"]
    assert [leaf.prior.sd for leaf in leaves(reporting)] == [0.7, 0.4, 0.4, 0.3, 0.3, 0.3, 0.3]
    other = Reporting.for_record(record(), anchor="state")
    assert list(other.bias) == ["third_party"]
    assert replacing(reporting, {"speaker.US bureau": 0.2}).speaker["US bureau"] == 0.2


def test_an_anchor_that_nobody_has_is_an_error_with_the_nearest():
    with pytest.raises(DataError, match=r'anchor "third-party" .*Nearest name: "third_party"'):
        Reporting.for_record(record(), anchor="third-party")


def test_claims_of_an_unknown_stance_cannot_be_bound():
    with pytest.raises(ParameterError, match=r'claim \S+: label "rebels"'):
        weigh(model(), [said(3.0, stance="rebels")], 1)
    with pytest.raises(ParameterError, match="prepare"):
        model().prepare([said(3.0)]).bind(model(grains=Grains(grains=(1, 2), exactly=(0.5, 0.5), otherwise=(1.0, 0.0))))


@pytest.mark.parametrize("wrong", [{"vague": 1.5}, {"shared_origin": 1.0}, {"vague_reach": 0.0}])
def test_shares_outside_their_range_are_refused(wrong):
    with pytest.raises(ParameterError, match="shared error"):
        Reporting(**wrong)


@pytest.mark.parametrize("wrong", [{"grains": (5, 10)}, {"exactly": (0.5, 0.4, 0, 0, 0, 0)}, {"otherwise": (1.0,)}])
def test_grains_must_rise_from_one_with_probabilities(wrong):
    with pytest.raises(DataError, match="expected"):
        Grains(**wrong)


def test_the_page_names_every_setting_and_parameter():
    page = (Path(__file__).parent.parent / "docs/models/reporting.md").read_text(encoding="utf-8")
    for part in (Reporting, Selection):
        for field in fields(part):
            prefix = "selection." if part is Selection else ""
            assert f"`{prefix}{field.name}" in page, field.name
