"""The particle filter: unbiased with and without guiding, exact on an enumerable case, blind to order."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from naive.enumeration import DAY, enumerable, exact_log_likelihood, reporting, said

from groundswell.data.places import Places
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, MissingVerb, UsageError
from groundswell.infer.base import fit
from groundswell.infer.particle import ParticleFilter
from groundswell.infer.relaxation import Relaxation
from groundswell.infer.tempered import TemperedSMC
from groundswell.models.base import Account
from groundswell.models.cities.mobilisation import (
    Arrests,
    Background,
    Backlash,
    Between,
    Call,
    Crowds,
    Deterrence,
    Groups,
    Media,
    Mobilisation,
    Organised,
    Within,
)
from groundswell.models.reporting.claims import Reporting
from groundswell.models.reporting.integration import integrable
from groundswell.models.triggering import PowerLaw
from groundswell.params import Effects, leaves
from groundswell.rng import generator


def busy() -> Mobilisation:
    return Mobilisation(
        background=Background(0.05),
        within=Within(0.3),
        between=Between(0.3, PowerLaw(70.0, 2.3)),
        media=Media(0.2),
        organised=Organised(0.4),
        groups=Groups(20.0, 6.0, 9.0),
        call=Call(1.0, 0.6),
        deterrence=Deterrence(0.2),
        backlash=Backlash(0.2),
        arrests=Arrests(6.0, 1.5, 0.7),
        crowds=Crowds(120.0, 0.6),
        scale=0.8,
    )


EVERY_SORT = Record(
    (
        said("cities on day 2", "cities_with_protest", "Testland", 2, 2, "about", 2),
        said("cities by day 5", "cities_with_protest", "Testland", 0, 5, "at_least", 3, "movement"),
        said("cities in the centre", "cities_with_protest", "Centre", 3, 5, "at_most", 2),
        said("confrontations", "cities_with_confrontation", "Testland", 0, 6, "exactly", 2, "third_party"),
        said("arrests near, one day", "arrests", "Near", 3, 3, "about", 8),
        said("arrests near, the same day", "arrests", "Near", 3, 3, "at_least", 5, "movement"),
        said("arrests far, a week", "arrests", "Far", 1, 7, "exactly", 12, "third_party"),
        said("arrests twin, within", "arrests", "Twin", 2, 4, "less_than", 20),
        said("arrests twin, one day", "arrests", "Twin", 3, 3, "between", 1, "movement", 10),
        said("crowd in the hub", "participants", "Hub", 4, 4, "more_than", 100, "movement"),
        said("crowd near", "participants", "Near", 3, 3, "about", 150),
        said("arrests, all", "arrests", "Testland", 0, 6, "about", 60),
        said("participants, all", "participants", "Testland", 0, 8, "at_least", 900, "movement"),
        said("teams so far", "teams_arrested", "Testland", 0, 6, "exactly", 3),
        said("teams later", "teams_arrested", "Testland", 0, 40, "about", 18),
        said("teams later in the south", "teams_arrested", "South", 12, 40, "at_most", 4, "movement"),
        said("joins", "joins_per_arrest", "Testland", 0, 30, "less_than", 2, "third_party"),
    )
)
"""By day and cumulative; a place, a region, the country; windows that overlap; groups after the daily window."""


def country(places: Places, days: int = 9) -> Setting:
    return Setting(
        places,
        Window(DAY, days),
        active_on_day0=("Hub",),
        later_edges=(days, days + 7, days + 14, days + 21, days + 32),
    )


def estimates(account: Account, setting: Setting, record: Record, method: ParticleFilter, runs: int, seed: int,
              integrated: Sequence[str] = ()):  # fmt: skip
    plan = method.plan(account, setting, record, integrated)
    return np.array([method.run(plan, account, rng=rng).log_likelihood for rng in generator(seed).spawn(runs)])


def mean_likelihood(logs: np.ndarray, top: float) -> tuple[float, float]:
    """Mean of exp(logs - top) and its standard error."""
    shares = np.exp(logs - top)
    return float(shares.mean()), float(shares.std(ddof=1) / math.sqrt(len(shares)))


def assert_one_mean(*several: np.ndarray, limit: float = 3.0) -> None:
    top = max(logs.max() for logs in several)
    first, *others = (mean_likelihood(logs, top) for logs in several)
    for mean, error in others:
        assert abs(mean - first[0]) < limit * math.hypot(error, first[1]), (first, mean, error)


# --- unbiased ---


SORTS = {
    "by day and cumulative": ("cities on day 2", "cities by day 5", "cities in the centre", "confrontations"),
    "arrests in one city": ("arrests near, one day", "arrests near, the same day"),
    "arrests over a week": ("arrests far, a week", "arrests twin, within", "arrests twin, one day"),
    "crowds": ("crowd in the hub", "crowd near", "arrests near, one day"),
    "totals": ("arrests, all", "participants, all"),
    "groups": ("teams so far", "teams later", "teams later in the south", "joins"),
}


OTHERS = Record(
    (
        said("events in the south", "events", "South", 2, 5, "about", 1),
        said("events, to the end", "events", "Testland", 1, 8, "at_least", 12, "movement"),
        said("warned, to the end", "warnings", "Testland", 0, 8, "about", 30, "third_party"),
        said("groups formed by day 6", "groups_formed", "Testland", 0, 6, "about", 2, "movement"),
        said("groups formed, to the last step", "groups_formed", "Testland", 0, 40, "at_least", 9, "movement"),
        said("members arrested", "members_arrested", "Centre", 0, 8, "at_most", 20),
        said("members warned later", "members_warned", "Testland", 9, 40, "about", 40),
    )
)
"""The other quantities; from the beginning, to the end of the study's days, and to the last step of the groups."""


@pytest.mark.parametrize("sort", [*SORTS, "others"])
def test_each_sort_of_claim_is_weighed_without_bias(lopsided: Places, sort: str) -> None:
    """400 filters of 16 histories, guided and not, against 4 filters of 1,600."""
    record = Record(tuple(EVERY_SORT[name] for name in SORTS[sort])) if sort in SORTS else OTHERS
    account, setting = Account(busy(), reporting(record)), country(lopsided)
    small = [
        estimates(account, setting, record, ParticleFilter(16, guided=guided), 400, seed)
        for seed, guided in ((1, True), (2, False))
    ]
    large = estimates(account, setting, record, ParticleFilter(1_600), 4, 3)
    assert large.std(ddof=1) < 0.3, "the yardstick must be far less noisy than what it measures"
    assert_one_mean(large, *small)


def test_all_claims_together_are_weighed_without_bias(lopsided: Places) -> None:
    account, setting = Account(busy(), reporting(EVERY_SORT)), country(lopsided)
    small = estimates(account, setting, EVERY_SORT, ParticleFilter(16), 400, 4)
    large = estimates(account, setting, EVERY_SORT, ParticleFilter(1_600), 4, 5)
    assert_one_mean(large, small)


def test_groups_in_contact_run_on_place_by_place(lopsided: Places) -> None:
    """Places that a claim does not tell apart are no longer one: against plain histories, whose place is known."""
    record = Record((EVERY_SORT["teams later in the south"],))
    setting, made = country(lopsided), reporting(record)
    bound = made.prepare(record).bind(made)[0]

    def plain(model: Mobilisation) -> np.ndarray:
        drawn = [model.simulate(setting, rng=rng) for rng in generator(22).spawn(1_500)]
        return bound.log_likelihood(
            np.array([h.later.series["broken_up"][3].sum() for h in drawn if h.later is not None])
        )

    model = busy().replacing({"groups.contact": 30.0, "organised.rate": 0.0})
    filtered = estimates(Account(model, made), setting, record, ParticleFilter(16, copies=4), 300, 21)
    assert_one_mean(plain(model), filtered)
    traced = ParticleFilter(16).run(ParticleFilter(16).plan(Account(model, made), setting, record),
                                    Account(model, made), rng=generator(23), trace=True)  # fmt: skip
    assert traced.history is not None
    assert traced.history.later is not None
    assert (traced.history.later.series["formed"].sum(axis=1) > 0).sum() > 2
    with pytest.raises(AssertionError):
        assert_one_mean(plain(busy().replacing({"organised.rate": 0.0})), filtered)


@pytest.mark.parametrize("sort", ["by day and cumulative", "arrests in one city", "arrests over a week", "crowds"])
def test_integrated_effects_are_averaged_over(lopsided: Places, sort: str) -> None:
    """The mean of filters that integrate effects is the mean of filters at effects drawn from their priors."""
    record = Record((*(EVERY_SORT[name] for name in SORTS[sort]), EVERY_SORT["arrests, all"]))
    made, setting = reporting(record), country(lopsided)
    account = Account(busy(), made)
    names = integrable(made)
    integrated = {
        guided: estimates(account, setting, record, ParticleFilter(16, guided=guided), 300, 17, names)
        for guided in (True, False)
    }
    sd = {leaf.name: leaf.prior.sd for leaf in leaves(made) if leaf.prior is not None}
    drawn, method = [], ParticleFilter(16)
    plan = method.plan(account, setting, record)
    for rng in generator(18).spawn(3_000):
        effects = {name: sd[name] * rng.standard_normal() for name in names}
        drawn.append(method.run(plan, Account(busy(), made.replacing(effects)), rng=rng).log_likelihood)
    assert_one_mean(np.array(drawn), *integrated.values())


def test_guiding_lowers_the_noise(lopsided: Places) -> None:
    record = Record(tuple(EVERY_SORT[name] for name in SORTS["arrests in one city"]))
    account, setting = Account(busy(), reporting(record)), country(lopsided)
    guided, plain = (
        estimates(account, setting, record, ParticleFilter(16, guided=guided), 100, 6) for guided in (True, False)
    )
    assert guided.std() < 0.35 * plain.std()


def test_groups_at_the_start_are_drawn_towards_what_was_said_of_them_later(lopsided: Places) -> None:
    """The mean is that of plain filters (`SORTS`, "groups"); the noise is far less."""
    record = Record((EVERY_SORT["teams later in the south"],))
    account, setting = Account(busy(), reporting(record)), country(lopsided)
    guided, plain = (
        estimates(account, setting, record, ParticleFilter(16, guided=guided, copies=16), 200, 6)
        for guided in (True, False)
    )
    assert guided.std() < 0.7 * plain.std()
    assert_one_mean(guided, plain)


@pytest.mark.parametrize("bias", [-3.0, -1.5, 2.5])
def test_a_leaning_speaker_is_weighed_as_without_guiding(lopsided: Places, bias: float) -> None:
    """The table of a named place's arrests must reach as far as a bias can push them."""
    record = Record(
        (
            said("few", "arrests", "Near", 3, 3, "about", 60),
            said("else", "events", "Testland", 1, 1, "about", 2, "third_party"),
        )
    )
    made = reporting(record)
    account = Account(
        replace(busy(), arrests=Arrests(150.0, 1.0), background=Background(0.5)),
        replace(made, bias=Effects(dict.fromkeys(made.bias, bias))),
    )
    setting = country(lopsided, 5)
    logs = [
        estimates(account, setting, record, ParticleFilter(400, guided=guided), 40, seed)
        for seed, guided in ((7, True), (8, False))
    ]
    assert_one_mean(*logs)


# --- an exact case ---


@pytest.mark.parametrize("picked", [False, True])
@pytest.mark.parametrize("guided", [True, False])
def test_filter_meets_the_sum_over_all_histories(guided: bool, picked: bool) -> None:
    model, setting, record = enumerable()
    made = replace(reporting(record), picked=picked)
    exact = exact_log_likelihood(model, setting, record, made)
    logs = estimates(Account(model, made), setting, record, ParticleFilter(200, guided=guided), 200, 9)
    mean, error = mean_likelihood(logs, exact)
    assert error < 0.02
    assert mean == pytest.approx(1.0, abs=3 * error)


def test_places_that_were_picked_for_an_event_say_nothing_of_how_many_there_are() -> None:
    """Twenty quiet towns, three named for their crowds: read as any three, they raise the pace; picked, hardly."""
    count = 20
    places = Places(
        tuple(f"town {i}" for i in range(count)), np.full(count, 50_000.0), np.linspace(30.0, 36.0, count),
        np.full(count, 50.0), (), ("Testland",) * count,
    )  # fmt: skip
    setting = Setting(places, Window(DAY, 6), active_on_day0=("town 0",))
    model = Mobilisation(
        Background(0.02), within=None, between=None, media=None, organised=None, groups=None, call=None,
        deterrence=None, backlash=None,
    )  # fmt: skip
    record = Record(
        tuple(said(f"c{i}", "participants", f"town {i}", i, i, "about", 150, "third_party") for i in (2, 3, 4))
    )
    middle = {}
    for picked in (False, True):
        account = Account(model, replace(reporting(record), picked=picked))
        held = {leaf.name: leaf.value for leaf in leaves(account) if leaf.name != "process.background.rate"}
        method = TemperedSMC(particles=400, effective=200, most=3_000, filter=ParticleFilter(20))
        found = fit(account, setting, record, method, rng=generator(5), fixed=held)
        leaf = next(leaf for leaf in leaves(account) if leaf.name == "process.background.rate")
        middle[picked] = (found.details["free"].mean() - leaf.center) / leaf.sd
    assert middle[False] > 0.5
    assert abs(middle[True]) < 0.3 * middle[False]
    with pytest.raises(UsageError, match="picked for having an event"):
        fit(account, setting, record, Relaxation(), rng=generator(5), fixed=held)


def test_a_figure_beyond_all_bounds_costs_no_more_than_another() -> None:
    """Thirty million arrests in one place: improbable, finite, and met in the time of a filter."""
    model, setting, _ = enumerable()
    record = Record((said("absurd", "arrests", "Small", 1, 2, "about", 30_000_000),))
    account = Account(model, reporting(record))
    method = ParticleFilter(20)
    plan = method.plan(account, setting, record)
    began = time.process_time()
    logs = [method.run(plan, account, rng=rng).log_likelihood for rng in generator(2).spawn(20)]
    assert time.process_time() - began < 10
    assert np.isfinite(logs).all()
    assert max(logs) < -50


def test_a_traced_history_is_a_draw_given_the_claims() -> None:
    """Weighed by their filter's estimate, traced histories have the exact mean given the claims."""
    model, setting, record = enumerable()
    made = reporting(record)
    account, method = Account(model, made), ParticleFilter(60)
    plan = method.plan(account, setting, record)
    runs = [method.run(plan, account, rng=rng, trace=True) for rng in generator(10).spawn(600)]
    weights = np.exp([run.log_likelihood for run in runs])
    events = np.array([run.history["events"][:, 1:].sum() for run in runs if run.history is not None])
    # the derivative of the log likelihood in a tilt is the mean of what is tilted by
    more, fewer = (exact_log_likelihood(model, setting, record, made, step) for step in (1e-4, -1e-4))
    expected = (more - fewer) / 2e-4
    found = float(weights @ events / weights.sum())
    error = math.sqrt(float(weights**2 @ (events - found) ** 2) / weights.sum() ** 2)
    assert found == pytest.approx(expected, abs=3 * error)
    assert error < 0.2
    for run in runs[:50]:
        assert run.history is not None
        assert run.history["events"][0, 0] == 1
        assert ((run.history["arrests"] > 0) <= (run.history["events"] > 0)).all()


# --- what must not matter ---


def test_order_of_claims_changes_nothing(lopsided: Places) -> None:
    setting = country(lopsided)
    account = Account(busy(), reporting(EVERY_SORT))
    turned = Record(tuple(reversed(EVERY_SORT.claims)))
    for guided in (True, False):
        ours, theirs = (
            estimates(account, setting, record, ParticleFilter(24, guided=guided), 3, 11)
            for record in (EVERY_SORT, turned)
        )
        assert np.array_equal(ours, theirs)


def test_a_claim_that_is_repeated_counts_once(lopsided: Places) -> None:
    setting = country(lopsided)
    account = Account(busy(), reporting(EVERY_SORT))
    again = Record((*EVERY_SORT, *(replace(claim, id=claim.id + " again") for claim in EVERY_SORT)))
    ours, theirs = (estimates(account, setting, r, ParticleFilter(24), 3, 12) for r in (EVERY_SORT, again))
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("begin", [-3, 4])
def test_a_claim_outside_the_window_is_refused_by_name(lopsided: Places, begin: int) -> None:
    """It would not be weighed, and nobody would know."""
    model, setting, record = enumerable()
    claim = record.claims[0]
    first = setting.window.start + timedelta(days=begin)
    moved = Record((replace(claim, start=first, end=first + timedelta(days=setting.window.days)),))
    with pytest.raises(DataError, match=rf"claim {claim.id} .* cannot be weighed: its window (begins|ends)"):
        ParticleFilter(4).plan(Account(model, reporting(record)), setting, moved)


def test_no_claims_have_probability_one(lopsided: Places) -> None:
    setting = country(lopsided)
    empty = Record(())
    account = Account(busy(), Reporting())
    assert ParticleFilter(24).log_likelihood(account, setting, empty, rng=generator(13)) == 0.0


def test_draws_that_explode_have_weight_zero(lopsided: Places) -> None:
    """The likelihood is that of not exploding and meeting the claims."""
    setting = country(lopsided, 12)
    model = replace(busy(), within=Within(1.5), deterrence=None, max_daily_events=12, groups=None, organised=None)
    account = Account(model, Reporting())
    share = np.mean([not model.simulate(setting, rng=rng).exploded for rng in generator(14).spawn(400)])
    assert 0.05 < share < 0.95
    logs = estimates(account, setting, Record(()), ParticleFilter(50), 40, 15)
    assert np.exp(logs).mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 400))
    certain = replace(model, background=Background(50.0), max_daily_events=2)
    assert (
        ParticleFilter(20).log_likelihood(Account(certain, Reporting()), setting, Record(()), rng=generator(16))
        == -math.inf
    )


def test_refusals_say_what_is_wrong(lopsided: Places) -> None:
    for wrong in ({"histories": 0}, {"copies": 0}, {"crowd_draws": 0}, {"threshold": 0.0}, {"threshold": 1.5}):
        with pytest.raises(UsageError, match="cannot run"):
            ParticleFilter(**wrong)
    from groundswell.models.cities.endemic_epidemic import EndemicEpidemic

    with pytest.raises(MissingVerb, match=r"ParticleFilter needs EndemicEpidemic\.step"):
        ParticleFilter().log_likelihood(
            Account(EndemicEpidemic(), Reporting()), country(lopsided), Record(()), rng=generator(0)
        )
