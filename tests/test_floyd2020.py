"""The study floyd-2020: what its claims are made of, and what the later list says of them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from groundswell.data.readers.raw import read_raw
from groundswell.data.sizes import read_size
from groundswell.errors import DataError, UsageError
from groundswell.studies.beside import strained
from groundswell.studies.case import Case
from groundswell.studies.floyd2020 import FIRST, LARGE, LAST, LOOKED, SEEN, SHARE, SMALLEST, Floyd, worded
from groundswell.studies.new import Wish, new_study


@pytest.fixture(scope="module")
def folder(reference) -> Path:
    return reference / "floyd_protests_2020"


@pytest.fixture(scope="module")
def floyd(folder) -> Floyd:
    return Floyd.read(folder)


def test_the_places_are_those_of_states_in_every_vintage(floyd):
    assert len(floyd.states) == 42
    assert set(floyd.places.region) < set(floyd.states), "two states have no place of this size"
    assert floyd.places.population.min() >= SMALLEST


def test_counts_are_those_of_the_file_itself(folder, floyd):
    """Entries counted by hand from the raw file; the list's reader only adds that renamed places are one."""
    labels = {
        (region, name.removesuffix(f" ({region})"))
        for name, region in zip(floyd.places.name, floyd.places.region, strict=True)
    }
    rows = [cells for _, cells in read_raw(folder / "localities_by_vintage.csv.gz").dictionaries()]
    for when, count in floyd.listed().items():
        held = {(c["state"], c["locality"]) for c in rows if c["vintage"] == when.isoformat()} & labels
        assert abs(len(held) - count) <= 2
    assert list(floyd.listed().values()) == sorted(floyd.listed().values())


def test_what_a_list_knows_never_shrinks_with_hindsight_and_with_days(floyd):
    days = [FIRST + timedelta(days=i) for i in range((LAST - FIRST).days + 1)]
    for day in days:
        assert floyd.known_by(day, SEEN) <= floyd.known_by(day)
    counts = [floyd.known_by(day) for day in days]
    assert counts == sorted(counts)
    early = [claim.value for claim in floyd.record() if claim.quantity == "cities_with_protest"]
    assert early == [floyd.listed()[when] for when in sorted(floyd.listed()) if when <= SEEN]
    assert early[-1] < floyd.known_by(SEEN), "the later list knows more of the same days"


def test_no_claim_knows_what_was_listed_later(floyd):
    sizes = [claim for claim in floyd.record() if claim.quantity == "participants"]
    assert len(sizes) == 14
    for claim in sizes:
        assert claim.start == claim.end
        assert FIRST <= claim.start <= SEEN
        assert claim.stated_on <= SEEN < date(2020, 6, 22)
        assert floyd.places.population[floyd.places.index(claim.place)] >= LARGE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hundreds", {"qualifier": "between", "value": 100, "value_high": 999}),
        ("about 400 people", {"qualifier": "about", "value": 400}),
        ("an estimated 1,000 people", {"qualifier": "about", "value": 1000}),
        ("over 200 protesters", {"qualifier": "more_than", "value": 200}),
        ("at least 60 people", {"qualifier": "at_least", "value": 60}),
        ("up to 500 people", {"qualifier": "at_most", "value": 500}),
        ("5,000 protesters", {"qualifier": "about", "value": 5000}),
        ("30 thousands of protesters", {"qualifier": "between", "value": 1000, "value_high": 9999}),
        ("about 50 people;hundreds", {"qualifier": "between", "value": 37, "value_high": 999}),
    ],
)
def test_sizes_in_words_become_claims(text, expected):
    assert worded(text) == expected


def test_the_cut_of_a_date_is_why_30_thousands_is_not_30000():
    assert read_size("30 thousands of protesters").low == 30_000


def test_the_list_as_counts_stands_beside_the_sizes_alone(folder, floyd, tmp_path):
    """The place-days of the early list, each once; what it comes to as numbers of places is not weighed again."""
    new_study(tmp_path / "case", Wish(recipe="floyd-2020-counts", data=folder))
    built = Case.read(tmp_path / "case/study.toml").build(tmp_path / "case")
    rows = list(floyd.early().rows())
    assert len(rows) == len({(row["place"], row["date"]) for row in rows}) == 188
    assert built.counts is not None
    assert built.counts.history["events"].sum() == 188, "no row of the list is lost on the way"
    assert not list(built.counts.unused.rows())
    assert built.counts.history["events"].max() == 1
    assert {claim.quantity for claim in built.claims.weighed} == {"participants"}
    assert {out.claim.id for out in built.claims.setting} == {"list-0601", "list-0602", "list-0603"}
    place_days = {(event["at"], event["start"]) for event in floyd.events if FIRST <= event["start"] <= LOOKED}
    assert len(rows) / len(place_days) == pytest.approx(SHARE, abs=0.005)
    assert dict(built.account.priors)["process.background.rate"].median == 0.02
    for claim in built.claims.weighed:  # each crowd has its event in the list
        at, day = floyd.places.index(claim.place), (claim.start - FIRST).days
        assert built.counts.history["events"][at, day] == 1


def test_the_recipe_makes_a_study_that_runs_and_needs_its_data(folder, tmp_path, monkeypatch):
    new_study(tmp_path / "case", Wish(recipe="floyd-2020", data=folder))
    built = Case.read(tmp_path / "case/study.toml").build(tmp_path / "case")
    assert len(built.claims.weighed) == 17
    assert "14 places and days have claims of their own" in " ".join(strained(built))
    assert built.setting.active_on_day0
    with pytest.raises(UsageError, match='Nearest name: "floyd-2020"'):
        new_study(tmp_path / "b", Wish(recipe="floyd2020"))
    with pytest.raises(UsageError, match="give --data alone"):
        new_study(tmp_path / "b", Wish(recipe="floyd-2020", country="US"))
    monkeypatch.setenv("GROUNDSWELL_REFERENCE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="needs the data set floyd_protests_2020"):
        new_study(tmp_path / "b", Wish(recipe="floyd-2020"))
