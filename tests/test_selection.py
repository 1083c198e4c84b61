"""Sources that list some places and miss others: thinned claims, exactly, drawn, and inside a particle filter."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import reporting as naive
from naive.enumeration import DAY, said
from scipy.stats import binom

from groundswell.data.history import History
from groundswell.data.record import Claim, Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, ParameterError
from groundswell.infer.particle import ParticleFilter
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import Arrests, Background, Between, Mobilisation, Within
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.grouping import Grains
from groundswell.models.reporting.integration import integrable
from groundswell.models.reporting.selection import Listing, Selection
from groundswell.params import Effects, leaves, replacing
from groundswell.rng import generator
from groundswell.studies.case import Case
from groundswell.studies.new import new_study

LISTED = "speaker list"


def made(record: Record, share: float = 0.6, size: float = 0.3, repression: float = 0.5, **more) -> Reporting:
    found = Reporting.for_record(record, "third_party", listing=[LISTED])
    return replace(found, selection=Selection(Effects({LISTED: share}), size, repression), **more)


def count(value: float, qualifier: str = "exactly", id: str = "list", quantity: str = "cities_with_protest",
          place: str = "Testland", first: int = 0, last: int = 2, **more) -> Claim:  # fmt: skip
    return said(id, quantity, place, first, last, qualifier, value, "third_party", **more)


def a_history(setting: Setting, seed: int = 1) -> History:
    rng = generator(seed)
    events = rng.poisson(0.5, setting.shape).astype(float)
    events[0, 0] = 2
    arrests = events * rng.integers(0, 2, setting.shape)
    return History(setting.places, setting.window, {"events": events, "arrests": arrests})


@pytest.fixture
def setting(lopsided) -> Setting:
    return Setting(lopsided, Window(DAY, 4))


# --- one list, exactly ---


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_the_distribution_of_a_list_is_the_sum_over_every_subset(shares: list[float]) -> None:
    listing = Listing(0.5, 1.0, 0.0)  # at size 1 the odds of a place are its population's
    population = np.array([p / (1 - p) for p in shares]) * 100_000
    found = listing.distribution(np.ones(len(shares), bool), np.zeros(len(shares), bool), population)
    assert found == pytest.approx(naive.listed(shares), abs=1e-12)
    assert found.sum() == pytest.approx(1)


def test_equal_places_are_listed_by_the_binomial() -> None:
    found = Listing(0.6, 0.0, 0.0).distribution(np.arange(20) < 12, np.ones(20, bool), np.geomspace(1e4, 1e7, 20))
    assert found == pytest.approx(binom.pmf(np.arange(13), 12, 0.6))


def test_size_and_arrests_add_to_the_log_odds() -> None:
    shares = Listing(0.6, 0.3, 0.5).shares(np.array([1e5, 1e6, 1e5]), np.array([False, False, True]))
    odds = np.log(shares / (1 - shares)) - math.log(1.5)
    assert odds == pytest.approx([0, 0.3 * math.log(10), 0.5])


@pytest.mark.parametrize("qualifier", ["exactly", "at_least", "at_most", "between"])
@pytest.mark.parametrize("value", [0.0, 2.0, 3.0, 40.0])
def test_a_list_is_weighed_as_by_its_slow_twin(setting: Setting, qualifier: str, value: float) -> None:
    history = a_history(setting)
    record = Record((count(value, qualifier, high=value + 2 if qualifier == "between" else None),))
    reporting = made(record, spread=Effects(third_party=0.3), slack=0.25)
    events, arrests = (history[name][:, :3].any(axis=1) for name in ("events", "arrests"))
    assert 1 < events.sum() <= 9
    assert 0 < arrests.sum() < events.sum()
    odds = 1.5 * (setting.places.population / 1e5) ** 0.3 * np.exp(0.5 * arrests)
    spread = math.hypot(0.3, 0.3)  # of the stance, and of a speaker heard once
    grains = Grains().grains, Grains().of(qualifier)
    chances = naive.listed((odds / (1 + odds))[events].tolist())
    logs: list = [naive.claim(m, value, qualifier, 0.0, spread, 0.25, 0.2, math.log(100), *grains, value + 2)
            for m in range(len(chances))]  # fmt: skip
    parts = np.add(logs, np.log(chances))
    assert reporting.log_density(setting, history, record) == pytest.approx(np.logaddexp.reduce(parts), abs=1e-6)


@pytest.mark.parametrize("quantity", ["cities_with_protest", "cities_with_confrontation"])
def test_lists_are_drawn_with_the_probability_with_which_they_are_weighed(setting: Setting, quantity: str) -> None:
    first = count(1, quantity=quantity)
    history, record = a_history(setting), Record((first, replace(first, id="again", cites="list")))
    reporting = made(record)
    rng, draws = generator(2), 2_000
    told = [reporting.report(setting, history, record, rng=rng) for _ in range(draws)]
    assert all(one["list"].value == one["again"].value for one in told)
    seen, counts = np.unique([one["list"].value for one in told], return_counts=True)
    for value, times in zip(seen, counts, strict=True):
        p = math.exp(reporting.log_density(setting, history, Record((count(value, quantity=quantity),))))
        assert abs(times - draws * p) < 5 * math.sqrt(draws * p) + 3


def test_what_a_list_held_is_drawn_given_its_claim(setting: Setting) -> None:
    """As often as Bayes' rule has it, which is nearer to the claim than what the source would list anew."""
    history, record = a_history(setting), Record((count(4, "about"),))
    reporting = made(record)
    (bound,) = reporting.prepare(record).bind(reporting)
    events, arrests = bound.group.places(setting, history)
    chance = naive.listed(bound.listing.shares(setting.places.population, arrests)[events].tolist())
    rule = np.array(chance) * np.exp(bound.log_likelihood(np.arange(float(len(chance)))))
    rng, draws = generator(2), 2_000
    held = np.array([bound.heard(setting, history, rng=rng) for _ in range(draws)])
    times = np.bincount(held.astype(int), minlength=len(rule))
    expected = draws * rule / rule.sum()
    assert (abs(times - expected) < 5 * np.sqrt(expected) + 3).all()
    freely = np.array([reporting.told(bound.group, setting, history, rng=rng) for _ in range(draws)])
    assert abs(held.mean() - 4) < abs(freely.mean() - 4) - 0.1


def test_a_list_that_misses_nothing_is_the_count(setting: Setting) -> None:
    history, record = a_history(setting), Record((count(3, "about"),))
    whole = made(record, share=1.0)
    assert whole.log_density(setting, history, record) == pytest.approx(
        replace(whole, selection=None).log_density(setting, history, record)
    )


def test_a_list_that_holds_nothing_is_improbable_never_impossible(setting: Setting) -> None:
    history, record = a_history(setting), Record((count(5_000),))
    assert -1e6 < made(record, share=0.0, spread=Effects(third_party=0.02)).log_density(setting, history, record) < -100


def test_what_is_no_number_of_places_is_not_thinned(setting: Setting) -> None:
    """A list's arrests, its claims through others, and other speakers' numbers of places."""
    history = a_history(setting)
    record = Record((
        count(3), count(2, "at_least", id="other"),
        replace(count(9, quantity="arrests", id="arrests"), speaker=LISTED),
        replace(count(4, id="printed", first=1), speaker=LISTED),
    ))  # fmt: skip
    reporting = made(record)
    lists = {g.claims[0].id: reporting.lister(g) is not None for g in reporting.prepare(record)}
    assert lists == {"arrests": False, "list": True, "other": False, "printed": True}
    plain = replace(reporting, selection=None)
    for name in ("arrests", "other"):
        part = Record((record[name],))
        assert reporting.log_density(setting, history, part) == plain.log_density(setting, history, part)


# --- as a component ---


def test_its_parameters_have_names_priors_and_ranges() -> None:
    reporting = Reporting.for_record(Record((count(3),)), "third_party", listing=[LISTED])
    found = {leaf.name: leaf for leaf in leaves(reporting) if leaf.name.startswith("selection.")}
    assert set(found) == {f"selection.listing.{LISTED}", "selection.size", "selection.repression"}
    assert all(leaf.prior is not None for leaf in found.values())
    assert replacing(reporting, {f"selection.listing.{LISTED}": 0.3}) == made(Record((count(3),)), 0.3)
    with pytest.raises(ParameterError, match=r"listing\.a is 1\.2"):
        Selection(Effects(a=1.2))
    assert not any(name.startswith("selection.") for name in integrable(reporting))


def test_a_source_that_lists_nothing_is_an_error_with_the_nearest() -> None:
    record = Record((count(3), count(9, id="persons", quantity="arrests")))
    with pytest.raises(DataError, match=r'listing source "speaker lisst".*Nearest name: "speaker list"'):
        Reporting.for_record(record, "third_party", listing=["speaker lisst"])
    with pytest.raises(DataError, match=r'listing source "speaker persons"'):
        Reporting.for_record(record, "third_party", listing=["speaker persons"])


def test_a_study_names_the_sources_that_list(tmp_path) -> None:
    new_study(tmp_path / "case")
    text = (tmp_path / "case/study.toml").read_text()
    case = Case.read(tmp_path / "case/study.toml")
    record = case.build(tmp_path / "case").claims.weighed
    speaker = next(claim.speaker for claim in record if claim.quantity == "cities_with_protest")
    share = f"reporting.selection.listing.{speaker}"
    (tmp_path / "case/study.toml").write_text(f'listing = ["{speaker}"]\nfixed = {{"{share}" = 0.4}}\n{text}')
    built = Case.read(tmp_path / "case/study.toml").build(tmp_path / "case")
    assert built.held == {share: 0.4}
    assert built.account.reporting.selection == Selection(Effects({speaker: 0.4}))
    with pytest.raises(DataError, match='listing source "nobody"'):
        case.model_copy(update={"listing": ("nobody",)}).build(tmp_path / "case")


# --- inside a particle filter ---


LISTS = Record((
    replace(count(1, "about", id="day", first=2, last=2), speaker=LISTED),
    replace(count(1, "exactly", id="list", last=4), speaker=LISTED),
    replace(count(1, "at_least", id="arrests", quantity="cities_with_confrontation", last=4), speaker=LISTED),
    replace(count(1, "at_least", id="in the centre", place="Centre", last=3), speaker=LISTED),
    said("state", "cities_with_protest", "Testland", 0, 4, "about", 3),
    said("movement", "arrests", "Near", 2, 3, "at_least", 4, "movement"),
))  # fmt: skip


def mean_of(logs: np.ndarray) -> tuple[float, float]:
    return float(np.exp(logs).mean()), float(np.exp(logs).std() / math.sqrt(len(logs)))


@pytest.mark.parametrize("integrated", [False, True])
def test_a_filter_weighs_lists_without_bias(lopsided, integrated: bool) -> None:
    """Against plain histories, each weighed with its lists summed out."""
    setting = Setting(lopsided, Window(DAY, 5), active_on_day0=("Hub",))
    model = Mobilisation(
        background=Background(0.2), within=Within(0.4), between=Between(0.4), media=None, organised=None, groups=None,
        call=None, deterrence=None, backlash=None, arrests=Arrests(3.0, 0.8),
    )  # fmt: skip
    reporting = made(LISTS, share=0.3, size=0.6, repression=1.0)
    names = integrable(reporting) if integrated else ()
    sd = {leaf.name: leaf.prior.sd for leaf in leaves(reporting) if leaf.prior is not None}
    method = ParticleFilter(16)
    plan = method.plan(Account(model, reporting), setting, LISTS, names)
    assert len(plan.listed) == 4
    found = [method.run(plan, Account(model, reporting), rng=r).log_likelihood for r in generator(3).spawn(200)]
    plain, groups = [], reporting.prepare(LISTS)
    for rng in generator(4).spawn(2_500):
        one = reporting.replacing({name: sd[name] * rng.standard_normal() for name in names})
        history = model.simulate(setting, rng=rng)
        plain.append(sum(bound.log_density(setting, history) for bound in groups.bind(one)))
    (mean, error), (other, also) = mean_of(np.array(found)), mean_of(np.array(plain))
    assert error < 0.1 * mean
    assert also < 0.1 * other
    assert abs(mean - other) < 3 * math.hypot(error, also)
    if integrated:
        return
    whole = ParticleFilter(16).plan(Account(model, replace(reporting, selection=None)), setting, LISTS)
    assert not whole.listed
    without = [method.run(whole, Account(model, replace(reporting, selection=None)), rng=r).log_likelihood
               for r in generator(5).spawn(100)]  # fmt: skip
    assert abs(mean_of(np.array(without))[0] - other) > 6 * math.hypot(error, also), "thinning must matter here"
