"""Who said it, who printed it: chains of claims that repeat one another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from groundswell.data.claims_table import check_claims, read_claims
from groundswell.data.history import History
from groundswell.data.provenance import chain, counts_with, provenance
from groundswell.data.readers.raw import read_raw
from groundswell.data.record import COLUMNS, Claim, Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.grouping import Grains
from groundswell.params import Effects
from groundswell.rng import generator

DAY = date(2020, 1, 1)


def said(value=140.0, qualifier="exactly", *, id="first", origin="", stated=1, outlet="", cites="", high=None, **more):
    one = Claim(id, "arrests", "Hub", DAY, DAY, qualifier, value, "persons", "state", "ministry", origin, outlet,
                DAY + timedelta(stated), value_high=high, cites=cites)  # fmt: skip
    return replace(one, **more)


def test_a_claim_has_the_origin_of_the_one_it_cites_through_any_number_of_hands():
    record = Record((
        said(origin="count"),
        said(cites="first", id="b", outlet="agency"),
        said(100.0, "more_than", cites="b", id="a", outlet="paper"),
        said(id="own"), said(cites="own", id="c"),
    ))  # fmt: skip
    assert {claim.id: claim.origin for claim in record} == {
        "first": "count", "b": "count", "a": "count", "own": "", "c": "own",
    }  # fmt: skip
    assert counts_with(record.claims) == {"first": "first", "b": "first", "a": "first", "own": "own", "c": "own"}
    assert len(Reporting.for_record(record, "state").prepare(record)) == 2


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ([said(), said(cites="firsd", id="b")], 'claim b cites "firsd", which is the id of no claim. Nearest.*"first"'),
        ([said(cites="b"), said(cites="first", id="b")], "b cites first cites b, so nobody said it first"),
        ([said(cites="first")], "first cites first, so nobody"),
        ([said(), said(cites="first", id="b", speaker="paper")], 'claim b: speaker is "paper".*is its outlet'),
        ([said(), said(cites="first", id="b", end=DAY + timedelta(1))], 'claim b: end is "2020-01-02".*leave out'),
        ([said(), said(cites="first", id="b", origin="other")], 'claim b: origin is "other".*leave the origin empty'),
    ],
)
def test_a_chain_that_leads_nowhere_or_to_something_else_is_an_error_that_names_it(claims, words):
    with pytest.raises(DataError, match=words):
        Record(tuple(claims))


def test_part_of_a_record_keeps_the_origins_of_the_whole():
    record = Record((said(origin="count"), said(cites="first", id="b"), said(cites="b", id="c"), said(id="d")))
    part = Record((record["c"], record["d"]))
    assert part["c"].origin == "count"
    assert counts_with(part.claims) == {"c": "c", "d": "d"}


def test_without_a_claim_nobody_repeats_it():
    record = Record((said(), said(cites="first", id="b"), said(cites="b", id="c"), said(id="d")))
    assert [claim.id for claim in record.without("first")] == ["d"]
    assert [claim.id for claim in record.without("c")] == ["b", "d", "first"]


def likelihood(claims, q):
    record = Record(tuple(claims))
    reporting = Reporting.for_record(record, "state")
    return np.sum([one.log_likelihood(q) for one in reporting.prepare(record).bind(reporting)], axis=0)


def summary(claims):
    """Median, and width in log, under a prior flat in log."""
    q = np.arange(1.0, 1_500.0)
    mass = np.exp(likelihood(claims, q)) / (q + 0.5)
    mass /= mass.sum()
    mean = mass @ np.log(q)
    return q[np.searchsorted(mass.cumsum(), 0.5)], np.sqrt(mass @ (np.log(q) - mean) ** 2)


def test_a_figure_repeated_by_five_outlets_is_one_observation():
    q = np.arange(1.0, 800.0)
    five = [said(), *(said(cites="first", id=f"r{k}", outlet=f"outlet {k}", stated=k) for k in range(5))]
    assert (likelihood(five, q) == likelihood([said()], q)).all()
    (group,) = Reporting.for_record(Record(tuple(five)), "state").prepare(Record(tuple(five)))
    assert [claim.id for claim in group.claims] == ["first"]


@pytest.mark.parametrize(("value", "qualifier"), [(100.0, "more_than"), (100.0, "about"), (400.0, "exactly")])
def test_what_an_outlet_makes_of_a_figure_says_nothing_more_of_what_happened(value, qualifier):
    """140 said; "over 100", or a slip, printed."""
    q = np.arange(1.0, 800.0)
    changed = said(value, qualifier, id="b", cites="first")
    further = said(value, qualifier, id="c", cites="b")
    assert (likelihood([said(), changed, further], q) == likelihood([said()], q)).all()
    assert abs(summary([said(), replace(changed, cites="", origin="b")])[0] / summary([said()])[0] - 1) > 0.02


def test_a_bound_of_the_same_origin_without_a_chain_shares_the_error():
    """Who only knows that "over 100" and 140 rest on one count gives them one origin: one observation, two wordings."""
    alone = summary([said(origin="count")])
    together = summary([said(origin="count"), said(100.0, "more_than", id="b", origin="count")])
    independent = summary([said(origin="count"), said(100.0, "more_than", id="b")])
    assert abs(together[0] / alone[0] - 1) < 0.02
    assert together[1] > 0.98 * alone[1]
    assert abs(independent[0] / alone[0] - 1) > 0.02
    assert independent[1] < 0.93 * alone[1]


def test_reported_anew_a_chain_keeps_its_changes(lopsided):
    """Twice the figure said first: twice what was printed of it."""
    setting = Setting(lopsided, Window(DAY, 3))
    arrests = np.zeros(setting.shape)
    arrests[0, 0] = 280
    history = History(setting.places, setting.window, {"arrests": arrests})
    record = Record((said(), said(100.0, "more_than", id="b", cites="first"), said(id="c", cites="first"),
                     said(20.0, "between", id="d", cites="b", high=30.0)))  # fmt: skip
    sure = Reporting.for_record(record, "state")
    grains = Grains(exactly=(1, 0, 0, 0, 0, 0))
    sure = replace(sure, spread=Effects(state=0.0), speaker=Effects(ministry=0.0), grains=grains)
    told = sure.report(setting, history, record, rng=generator(1))
    assert [(c.id, c.value, c.value_high) for c in told] == [
        ("b", 200.0, None), ("c", 280.0, None), ("d", 40.0, 60.0), ("first", 280.0, None),
    ]  # fmt: skip


def test_the_table_of_provenance_tells_each_origin_in_the_order_said():
    record = Record((
        said(origin="late", id="z", stated=9),
        said(origin="count", stated=3),
        said(cites="first", id="again", stated=2, outlet="dated before it was said"),
        said(100.0, "more_than", cites="again", id="bound", stated=5),
    ))  # fmt: skip
    rows = list(provenance(record).rows())
    assert [row["id"] for row in rows] == ["first", "again", "bound", "z"]
    assert [row["origin"] for row in rows] == ["count", "count", "count", "late"]
    assert [row["hands"] for row in rows] == [0, 1, 2, 0]
    assert [row["counts with"] for row in rows] == ["first", "first", "first", "z"]
    assert [row["shares error with"] for row in rows] == ["first", "first", "first", "z"]
    assert len(provenance(Record(()))) == 0


def test_chain_reads_from_the_one_who_said_it_first():
    assert chain("c", {"a": "", "b": "a", "c": "b"}) == ["a", "b", "c"]


# --- in a table that people write ---


def table(tmp_path, *rows):
    path = tmp_path / "claims.csv"
    first = "t03,arrests,Hub,2020-01-01,2020-01-01,exactly,140,,,state,ministry,count,agency,2020-01-02,,"
    path.write_text("\n".join([",".join(COLUMNS), first, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_row_that_cites_takes_over_what_it_leaves_empty(tmp_path):
    record = read_claims(
        table(tmp_path, "t05,,,,,,,,,,,,paper,2020-01-04,,t04", "t04,,,,,more_than,100,,,,,,outlet,2020-01-03,,t03")
    )
    assert record["t04"] == replace(
        record["t03"], id="t04", qualifier="more_than", value=100.0, outlet="outlet", stated_on=date(2020, 1, 3),
        document="", cites="t03",
    )  # fmt: skip
    assert record["t05"].words() == record["t04"].words() == "more than 100 persons"
    assert record["t05"].origin == "count"
    notes = check_claims(read_raw(tmp_path / "claims.csv")).notes
    assert "claim t04: more than 100 persons tells claim t03, 140 persons, again and does not count" in notes
    assert not any("repeat one figure" in note for note in notes)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("t04,,,,,,,,,,,,paper,,,t3", r'row 3, column cites: claim t04 cites "t3", .*Nearest name: "t03"'),
        ("t04,,,,,,,,,,,,paper,,,t04", r"row 3, column cites: t04 cites t04, so nobody said it first"),
        ("t04,,,,,,,,,,paper,,,,,t03", r'row 3, column cites: speaker is "paper", while .*Who repeats a figure is its'),
        ("t04,,,,,,,,,,,other,,,,t03", r'row 3, column cites: origin is "other", while .*Leave the origin empty'),
        ("t04,,,,,more_than,,,,,,,,,,t03", r"row 3, column value: the claim has no value"),
    ],
)
def test_a_wrong_chain_is_told_with_its_row(tmp_path, row, words):
    checked = check_claims(read_raw(table(tmp_path, row)))
    assert len(checked.refusals) == 1
    assert [claim.id for claim in checked.claims] == ["t03"]
    with pytest.raises(DataError, match=words):
        read_claims(table(tmp_path, row))
