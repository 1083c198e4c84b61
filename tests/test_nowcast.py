"""Nowcasts: calibrated on simulated lists, exact at the limits, scored as by hand, and blind to later vintages."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from groundswell.data.listings import Listings
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.vintages import read_vintages
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.nowcast import Nowcast, nowcast
from groundswell.evaluate.nowcast_scores import (
    BEFORE,
    LISTED,
    MODEL,
    TRUTHS,
    Added,
    completeness,
    grown_as_before,
    score,
)
from groundswell.infer.hamiltonian import Hamiltonian
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.reporting.growing import GrowingRecord
from groundswell.params import from_vector, leaves
from groundswell.rng import generator, keyed
from groundswell.studies import growing_list, growing_tables
from groundswell.studies.growing_list import Plan
from groundswell.studies.universe import read_places, universe

QUICK = Hamiltonian(draws=100, warm_up=30)
START = date(2024, 3, 1)


def regions(days: int = 8) -> Setting:
    return Setting(
        Places(("North", "South", "West"), np.ones(3), region=("North", "South", "West")), Window(START, days)
    )


def towns(days: int = 8, count: int = 60) -> Setting:
    rng = generator(0)
    places = Places(
        tuple(f"town {i}" for i in range(count)), np.exp(rng.normal(11, 1, count)), 35 + rng.normal(size=count),
        50 + rng.normal(size=count), tuple(("North", "South", "West")[i % 3] for i in range(count)),
    )  # fmt: skip
    return Setting(places, Window(START, days))


def lists(setting: Setting, vintages: list[int], closed: bool, count: int, seed: int) -> Any:
    """(missed, listings, rng) of `count` lists drawn from the prior that hold enough and not too much to be of use."""
    model, number = GrowingRecord.for_setting(setting, closed=closed), 0
    while count:
        rng, number = keyed(seed, number), number + 1
        draws = [leaf.from_free(rng.normal(leaf.center, leaf.sd)) for leaf in leaves(model)]
        process_rate = draws[0] * np.exp(np.abs(draws[1 : setting.window.days]).sum())
        if process_rate > 1e6:  # more than any list could hold
            continue
        missed, listings = from_vector(model, draws).simulate(setting, np.array(vintages), rng=rng, stated=0.7)
        # chosen by what a reader would see, so that the posterior of what is not seen is untouched
        if 15 <= len(listings) <= (50 if closed else 1500):
            count -= 1
            yield missed, listings, rng


def ranks(
    setting: Setting, vintages: list[int], closed: bool, count: int, method: Hamiltonian, seed: int
) -> np.ndarray:
    """(count,) share of draws below the truth, ties split at random: uniform if the nowcast is calibrated."""
    out = []
    for missed, listings, rng in lists(setting, vintages, closed, count, seed):
        made = nowcast(setting, listings, closed=closed, rng=rng, method=method, draws=400)
        draws, truth = made.unlisted.sum(axis=(1, 2)), missed.sum()
        below, equal = (draws < truth).sum(), (draws == truth).sum()
        out.append((below + rng.random() * (equal + 1)) / (len(draws) + 1))
    return np.array(out)


def test_intervals_hold_the_truth_as_often_as_they_say_in_a_few_lists() -> None:
    """The quick form: 10 lists; 5 or fewer in the 90 % interval, or all in the 50 % one, has probability .003."""
    found = ranks(regions(), [4, 5, 7], False, 10, QUICK, seed=5)
    assert (np.abs(found - 0.5) < 0.45).sum() >= 6
    assert (np.abs(found - 0.5) < 0.25).sum() < 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("closed", "vintages"), [(False, [4, 5, 7]), (False, [7]), (True, [4, 5, 7])], ids=["open", "one vintage", "closed"]
)
def test_intervals_hold_the_truth_as_often_as_they_say(closed: bool, vintages: list[int]) -> None:
    """Lists drawn from the prior, nowcast, truth ranked: 80 and 90 % intervals, and all ranks together."""
    from scipy.stats import binom, kstest

    count = 200
    found = ranks(towns() if closed else regions(), vintages, closed, count, Hamiltonian(draws=400), seed=8)
    inside = {level: int((np.abs(found - 0.5) < level / 2).sum()) for level in (0.8, 0.9)}
    print(f"closed={closed}, vintages {vintages}: {inside} of {count}, KS {kstest(found, 'uniform').pvalue:.3f}")
    for level, held in inside.items():
        assert binom.ppf(0.002, count, level) <= held <= binom.ppf(0.998, count, level)
    assert kstest(found, "uniform").pvalue > 0.002


def made_of(setting: Setting, listings: Listings, closed: bool, **options: Any) -> Nowcast:
    return nowcast(setting, listings, closed=closed, rng=generator(1), **({"method": QUICK, "draws": 200} | options))


def growing(seed: int = 3, closed: bool = False) -> tuple[Setting, np.ndarray, Listings]:
    setting = towns() if closed else regions()
    missed, listings, _ = next(iter(lists(setting, [4, 5, 7], closed, 1, seed)))
    return setting, missed, listings


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
def test_a_list_that_lists_at_once_misses_nothing(closed: bool) -> None:
    """The nowcast is then the list as it stands, and so is its score."""
    setting, _, listings = growing(closed=closed)
    at_once = Listings(
        listings.vintages, listings.unit,
        np.searchsorted(listings.vintages, np.maximum(listings.day, 0)), np.maximum(listings.day, 0),
    )  # fmt: skip
    certain = {"delay.same_day": 1.0, "delay.daily": 1.0, "delay.late": 0.0, "delay.late_daily": 0.5}
    made = made_of(setting, at_once, closed, fixed=certain)
    assert not made.unlisted.any()
    assert made.chance is None or not made.chance.any()
    counts = np.zeros(made.unlisted.shape[1:])
    counts[0, 2] = 3
    rows = {(row["target"], row["forecaster"]): row for row in score(made, Added(counts)).rows()}
    for target in ("by day", "by region"):
        assert rows[target, MODEL]["CRPS"] == rows[target, LISTED]["CRPS"]


def test_a_list_that_stops_growing_misses_little() -> None:
    """Seen daily for two weeks after its last entry, with nothing new: hardly anything can be missing."""
    days = 18
    entries = [(unit, 0, day) for unit in range(3) for day in range(4) for _ in range(5)]
    unit, seen, day = np.array(entries).T
    long = Listings(np.arange(3, days), unit, seen, day)
    made = made_of(regions(days), long, False)
    early = made.unlisted[:, :, :4].sum(axis=(1, 2))
    assert np.median(early) <= 3
    assert early.mean() < 0.1 * len(entries)
    assert not grown_as_before(made).any()
    once = made_of(regions(4), Listings(np.array([3]), unit, seen, day), False)
    assert once.unlisted.sum(axis=(1, 2)).mean() > 5 * early.mean()


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
def test_renaming_places_changes_nothing(closed: bool) -> None:
    setting, _, listings = growing(closed=closed)
    names = {"North": "Alpha", "South": "Beta", "West": "Gamma"}
    places = setting.places
    other = dataclasses.replace(
        places,
        name=tuple(f"other {name}" for name in places.name),
        region=tuple(names[region] for region in places.region),
        _index={},
    )
    one, two = (made_of(s, listings, closed) for s in (setting, dataclasses.replace(setting, places=other)))
    assert (one.unlisted == two.unlisted).all()
    assert (one.listed == two.listed).all()
    assert two.regions == ("Alpha", "Beta", "Gamma")


def test_the_order_of_entries_changes_nothing() -> None:
    setting, _, listings = growing()
    order = generator(2).permutation(len(listings))
    one, two = made_of(setting, listings, False), made_of(setting, listings.subset(order), False)
    assert np.allclose(one.unlisted.mean(axis=0), two.unlisted.mean(axis=0))
    assert listings.digest() == listings.subset(order).digest()


def test_chances_of_places_are_the_mean_of_their_draws() -> None:
    setting, _, listings = growing(closed=True)
    made = made_of(setting, listings, True, draws=1500)
    assert made.chance is not None
    assert not made.chance[listings.unit].any()
    assert made.chance.sum() == pytest.approx(made.unlisted.sum(axis=(1, 2)).mean(), rel=0.08)
    later = made_of(setting, listings, True, listed_by=9)
    everything = made_of(setting, listings, True)
    assert later.chance is not None
    assert everything.chance is not None
    assert (later.chance <= everything.chance + 1e-12).all()
    table = made.by_place()
    assert list(table["probability"]) == sorted(table["probability"], reverse=True)
    assert len(table) == len(setting.places) - len(listings)
    with pytest.raises(UsageError, match="knows regions only"):
        made_of(*growing()[::2], False).by_place()


def test_tables_add_up() -> None:
    setting, _, listings = growing()
    made = made_of(setting, listings, False)
    days = made.by_day()
    assert days["listed"][-1] == len(listings)
    assert days["all mean"][-1] == pytest.approx(days["unlisted mean"][-1] + len(listings))
    by_region = made.by_region()
    assert sum(by_region["listed"]) == len(listings)
    assert sum(by_region["unlisted mean"]) == pytest.approx(days["unlisted mean"][-1])


def test_the_rules_and_scores_by_hand() -> None:
    setting = regions(5)
    # of three entries of day 1 the vintage of day 3 had two, of two of day 3 none; one states no day
    listings = Listings(
        np.array([3, 4]), np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0]), np.array([1, 1, 1, 3, 3, -1])
    )
    assert completeness(listings, 5).tolist() == [2 / 5, 2 / 3, 2 / 3, 2 / 3, 2 / 3]
    made = made_of(setting, listings, False)
    rule = grown_as_before(made)
    spread = 6 / 5  # six entries, five of them with a day
    assert rule[0] == pytest.approx([0, *(2 * spread * 0.5,) * 3, 2 * spread * 1.5])
    assert rule[2] == pytest.approx([0] * 5)
    counts = np.zeros((3, 5))
    counts[1, 3] = 2
    rows = {(row["target"], row["forecaster"]): row for row in score(made, Added(counts)).rows()}
    assert rows["by day", LISTED]["CRPS"] == pytest.approx(4 / 5)
    expected = np.abs(rule.sum(axis=0) - [0, 0, 0, 2, 2]).mean()
    assert rows["by day", BEFORE]["CRPS"] == pytest.approx(expected)
    assert rows["by region", BEFORE]["CRPS"] == pytest.approx(np.abs(rule[:, -1] - [0, 2, 0]).mean())
    total = made.unlisted.sum(axis=1).cumsum(axis=1)
    by_hand = [
        np.abs(total[:, t] - y).mean() - np.abs(total[:, t][:, None] - total[:, t]).mean() / 2
        for t, y in enumerate([0, 0, 0, 2, 2])
    ]
    assert rows["by day", MODEL]["CRPS"] == pytest.approx(np.mean(by_hand))
    assert rows["by day", MODEL]["would win"] is None
    wins = 0
    for s in np.linspace(0, len(total) - 1, TRUTHS).round().astype(int):
        mine = np.mean([
            np.abs(total[:, t] - total[s, t]).mean() - np.abs(total[:, t][:, None] - total[:, t]).mean() / 2
            for t in range(5)
        ])  # fmt: skip
        wins += total[s].mean() < mine  # "listed is all" expects none
    assert 0 < wins < TRUTHS
    assert rows["by day", LISTED]["would win"] == pytest.approx(wins / TRUTHS)
    with pytest.raises(UsageError, match="expected \\(R, T\\)"):
        score(made, Added(np.zeros((2, 5))))


def test_one_vintage_knows_no_rule_of_growth() -> None:
    setting, _, listings = growing()
    once = Listings(listings.vintages[-1:], listings.unit, np.zeros(len(listings)), listings.day)
    made = made_of(setting, once, False)
    rows = score(made, Added(np.zeros(made.unlisted.shape[1:])))
    assert set(rows["forecaster"]) == {MODEL, LISTED}
    assert (completeness(once, 8) == 1).all()


def test_what_cannot_be_nowcast_is_refused() -> None:
    setting, _, listings = growing(closed=True)
    twice = listings.subset(np.array([0, 0]))
    with pytest.raises(DataError, match="one entry at most"):
        made_of(setting, twice, True)
    with pytest.raises(UsageError, match="closed is False"):
        made_of(setting, listings, False, model=GrowingRecord.for_setting(setting))
    with pytest.raises(UsageError, match="needs draws of the parameters"):
        made_of(setting, listings, True, method=MaximumLikelihood())


def a_list(seed: int = 4, until: int = 14) -> pd.DataFrame:
    """A list of towns as it stood on days 4, 5, 7 and `until`, as a table."""
    setting = towns(until + 1)
    model = GrowingRecord.for_setting(setting).replacing({"process.rate": 0.05, "delay.daily": 0.4, "delay.late": 0.1})
    vintages = np.array([4, 5, 7, until])
    _, listings = model.simulate(setting, vintages, rng=generator(seed), stated=0.8)
    rows = []
    for unit, seen, day in zip(
        listings.unit.tolist(), listings.first_seen.tolist(), listings.day.tolist(), strict=True
    ):
        for at in vintages[seen:].tolist():
            first = "" if day < 0 else str(START + timedelta(day))
            rows.append((str(START + timedelta(at)), setting.places.region[unit], setting.places.name[unit], first))
    return pd.DataFrame(rows, columns=["vintage", "region", "place", "first_date"])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    real = growing_list.nowcast
    monkeypatch.setattr(growing_list, "nowcast", lambda *a, **k: real(*a, **k, method=QUICK))


@pytest.mark.usefixtures("quick")
def test_a_nowcast_never_sees_a_later_vintage(tmp_path: Path) -> None:
    table = a_list()
    at = (START + timedelta(5),)
    whole = growing_list.run(read_vintages([table]), Plan(at=at, draws=100, regions="all"))
    changed = table.copy()
    late = changed["vintage"] > str(at[0])
    changed.loc[late & (changed.index % 3 == 0), "first_date"] = str(at[0])
    new = [(str(START + timedelta(14)), "North", f"new town {i}", str(at[0])) for i in range(9)]
    changed = pd.concat([changed, pd.DataFrame(new, columns=table.columns)])
    other = growing_list.run(read_vintages([changed]), Plan(at=at, draws=100, regions="all"))
    assert (whole.made[0].nowcast.unlisted == other.made[0].nowcast.unlisted).all()
    assert whole.made[0].added is not None
    assert other.made[0].added is not None
    assert other.made[0].added.counts.sum() > whole.made[0].added.counts.sum()
    alone = growing_list.run(read_vintages([table[table["vintage"] <= str(at[0])]]), Plan(draws=100, regions="all"))
    assert alone.made[0].when == at[0]
    assert alone.made[0].scores is None
    ours, theirs = (case.made[0].nowcast.fit.draws for case in (alone, whole))
    assert ours is not None
    assert theirs is not None
    assert np.array_equal(ours, theirs)


@pytest.mark.usefixtures("quick")
def test_what_a_later_list_added_is_counted_by_its_day() -> None:
    rows = [
        ("2024-03-05", "North", "a", "2024-03-02"),
        ("2024-03-05", "North", "b", "2024-03-01"),
        ("2024-03-05", "North", "c", ""),
        ("2024-03-09", "North", "a", "2024-03-02"),
        ("2024-03-09", "North", "d", "2024-03-04"),  # had happened, was not listed
        ("2024-03-09", "North", "e", "2024-03-07"),  # came later
        ("2024-03-09", "North", "f", ""),
    ]
    table = pd.DataFrame(rows, columns=["vintage", "region", "place", "first_date"])
    case = growing_list.run(read_vintages([table]), Plan(at=(date(2024, 3, 5),), draws=100))
    (one,) = case.made
    assert one.added is not None
    assert one.added.counts.tolist() == [[0, 0, 0, 1, 0]]
    assert one.uncounted == 1
    assert one.nowcast.listings.day.tolist() == [1, 0, -1]
    assert one.nowcast.listed_by == 8


@pytest.mark.usefixtures("quick")
def test_universes(tmp_path: Path) -> None:
    table = a_list()
    setting = towns()
    path = tmp_path / "towns.csv"
    pd.DataFrame(setting.places.columns()).rename(columns={"place": "town"}).to_csv(path, index=False)
    vintages = read_vintages([table])
    own = universe(vintages, str(path))
    assert own.closed
    assert (own.unit >= 0).all()
    assert own.places.latitude is not None
    case = growing_list.run(vintages, Plan(places=str(path), at=(START + timedelta(7),), draws=100))
    made = case.made[0]
    assert made.added is not None
    assert made.added.place is not None
    assert made.added.place.sum() == made.added.counts.sum()
    assert not made.added.place[made.nowcast.listings.unit].any()
    assert "by_place" in growing_tables.tables(case)
    # a place that had its first event before the start is no candidate
    later = growing_list.run(
        vintages, Plan(places=str(path), at=(START + timedelta(7),), draws=100, start=START + timedelta(4))
    )
    gone = len(made.nowcast.setting.places) - len(later.made[0].nowcast.setting.places)
    assert gone == sum("before the start" in reason for reason in later.left_out["reason"]) > 0
    open_ = universe(vintages)
    assert not open_.closed
    assert open_.places.name == tuple(dict.fromkeys(vintages.region))


def test_rows_of_a_universe_that_are_no_places_are_told(tmp_path: Path) -> None:
    path = tmp_path / "towns.csv"
    path.write_text("place;region;population\na;North;1,500\nb;North;1.500\n;North;5\nc;North;1;2;3\n")
    places, assumed = read_places(path)
    assert places.name == ("a", "b")
    assert places.population.tolist() == [1500, 7500]
    assert assumed == (
        "1 places without a population are taken to have 7,500 persons",
        "2 rows of towns.csv are no places of the universe: row 4 names no place; row 5 has 5 cells where the header "
        "has 3",
    )


def test_regions_that_a_vintage_does_not_cover_are_left_out_and_told() -> None:
    rows = [
        ("2024-03-05", "North", "a", "2024-03-02"),
        ("2024-03-05", "South", "b", "2024-03-01"),
        ("2024-03-06", "North", "a", "2024-03-02"),
    ]
    vintages = read_vintages([pd.DataFrame(rows, columns=["vintage", "region", "place", "first_date"])])
    kept, lines = growing_list._covered(vintages, Plan())
    assert kept.region == ("North",)
    assert lines == [
        {
            "entry": "South: 1 entries",
            "reason": "the region has no row in the vintage of 2024-03-06: a gap is no absence of events",
        }
    ]
    assert len(growing_list._covered(vintages, Plan(regions="all"))[0]) == 2


BAD_PLANS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"at": (date(2024, 3, 6),)}, UsageError, "the list was not seen on 2024-03-06; its vintages: 2024-03-05"),
    ({"start": date(2024, 3, 9)}, DataError, "swap the two dates"),
    ({"start": date(2022, 3, 9)}, DataError, "at most 366 are followed"),
    ({"places": "absent.csv"}, DataError, "absent.csv does not exist"),
    ({"places": "gazetteer"}, UsageError, "names 0 countries"),
    (
        {"places": "gazetteer", "country": "Iran"},
        DataError,
        'no region of the list, as "North", is one of the gazetteer',
    ),
    ({"hold": {"delay.dayly": 0.3}}, UsageError, 'Nearest names?: "delay.daily"'),
]


@pytest.mark.parametrize(("plan", "kind", "words"), BAD_PLANS)
def test_plans_that_cannot_be_meant(plan: dict[str, Any], kind: type[Exception], words: str) -> None:
    rows = [("2024-03-05", "North", "a", "2024-03-02"), ("2024-03-05", "North", "b", "2024-03-01")]
    vintages = read_vintages([pd.DataFrame(rows, columns=["vintage", "region", "place", "first_date"])])
    with pytest.raises(kind, match=words):
        growing_list.run(vintages, Plan(**plan))


def test_a_list_without_any_day_needs_a_start() -> None:
    vintages = read_vintages([pd.DataFrame([("2024-03-05", "a", "")], columns=["vintage", "place", "first_date"])])
    with pytest.raises(DataError, match="no entry of the vintage of 2024-03-05 states a day"):
        growing_list.run(vintages, Plan())


FLOYD = {date(2020, 6, 1): (174, 305, 126), date(2020, 6, 2): (235, 351, 178), date(2020, 6, 3): (262, 383, 217)}
"""Vintage: entries it lists, entries of the last vintage with a first day until then, those of them that it has."""


def test_the_counts_of_the_public_list_are_those_of_its_description(reference: Path) -> None:
    vintages = read_vintages([reference / "floyd_protests_2020" / "localities_by_vintage.csv.gz"])
    covered, gaps = growing_list._covered(vintages, Plan())
    states = pd.read_csv(reference / "floyd_protests_2020" / "states_covered.csv", index_col="state")
    assert set(covered.region) == set(states.index[states.all(axis=1)])
    assert len(set(covered.region)) == 42
    assert len(gaps) == 12
    last = covered.listed[:, -1]
    assert last.sum() == 558
    for when, (listed, by_then, held) in FLOYD.items():
        j = covered.dates.index(when)
        early = last & np.array([days[-1] is not None and days[-1] <= when for days in covered.first])
        assert covered.listed[:, j].sum() == listed
        assert early.sum() == by_then
        # one or two names that changed are matched here and not in the description
        assert held <= (early & covered.listed[:, j]).sum() <= held + 2


def test_the_nowcast_of_the_public_list_beats_the_rules(reference: Path) -> None:
    """2 June, open form: what 20 days added, against the list as it stands and against its growth so far."""
    vintages = read_vintages([reference / "floyd_protests_2020" / "localities_by_vintage.csv.gz"])
    case = growing_list.run(vintages, Plan(at=(date(2020, 6, 2),), draws=400))
    (one,) = case.made
    assert one.added is not None
    assert one.scores is not None
    assert 170 <= one.added.counts.sum() <= 173
    low, high = np.quantile(one.nowcast.unlisted.sum(axis=(1, 2)), (0.05, 0.95))
    assert low < one.added.counts.sum() < high
    found = {(row["target"], row["forecaster"]): row["CRPS"] for row in one.scores.rows()}
    assert found["by day", MODEL] < 0.5 * found["by day", BEFORE] < 0.5 * found["by day", LISTED]
    assert found["by region", MODEL] < 0.8 * found["by region", BEFORE]
