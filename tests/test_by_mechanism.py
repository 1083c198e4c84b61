"""Pairs of models that differ by one mechanism: what they are judged by, and how often a verdict is false."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest
from scipy import stats

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError
from groundswell.evaluate.baselines import Conflictology
from groundswell.evaluate.by_groups import groups, ratio
from groundswell.evaluate.compare import Candidate, Comparison, compare
from groundswell.evaluate.doubt import Doubt
from groundswell.evaluate.forecast import forecast
from groundswell.evaluate.ranking import rank
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.cities.endemic_epidemic import Endemic, EndemicEpidemic, Within
from groundswell.params import vector
from groundswell.report.words import in_words
from groundswell.rng import generator, keyed

REFERENCE = Candidate("conflictology 30 days", Conflictology(30))


@dataclass(frozen=True)
class Tilted:
    """Expects too much in every other place, from `first` on, with luck of its own: two are equally good."""

    first: int

    def mean(self, setting):
        mean = np.full((len(setting.places), 1), 0.6)
        mean[self.first :: 2] = 1.0
        return mean

    def paths(self, setting, history, *, draws, rng, series="events"):
        steps = setting.window.periods - history.window.periods
        return keyed(int(rng.integers(2**63)), self.first).poisson(
            self.mean(setting), (draws, len(setting.places), steps)
        )


@dataclass(frozen=True)
class Dense(Tilted):
    """Tilted, with its densities."""

    def pointwise(self, setting, history):
        return stats.poisson.logpmf(history["events"], self.mean(setting))


def false_verdicts(count: int, apart: int, sets: int, kind: type[Tilted] = Tilted) -> float:
    """How often one of two equally good forecasters is said to be better, with `count` origins, 7 steps ahead."""
    places = Places(tuple("abcdef"), np.full(6, 1e5))
    origins = [30 + apart * k for k in range(count)]
    setting = Setting(places, Window(date(2022, 1, 1), origins[-1] + 7))
    kinds = [Candidate(f"from {k}", kind(k), family="f", mechanisms=frozenset("m" * k)) for k in (0, 1)]
    wrong = 0
    for seed in range(sets):
        seen = generator(seed).poisson(0.6, setting.shape).astype(float)
        history = History(places, setting.window, {"events": seen})
        made = compare(kinds, setting, history, origins=origins, steps=7, draws=60, rng=generator(seed))
        (row,) = rank(made, reference="from 0").mechanisms.rows()
        assert row["by"] == ("densities" if kind is Dense else "draws")
        wrong += row["verdict"] in ("earns its keep", "does harm")
    return wrong / sets


@pytest.mark.parametrize(
    ("count", "apart", "sets"),
    [
        (4, 7, 100), (12, 7, 60),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((4, 7, 500), (12, 7, 500), (24, 3, 500))),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [Tilted, Dense])
def test_false_verdicts_are_no_more_frequent_than_stated(count, apart, sets, kind):
    """One in ten at the 90 % level, within three standard errors."""
    assert false_verdicts(count, apart, sets, kind) < 0.1 + 3 * np.sqrt(0.09 / sets)


@pytest.mark.parametrize("kind", [Tilted, Dense])
def test_three_groups_of_origins_give_no_verdict(kind):
    assert false_verdicts(3, 7, 10, kind) == false_verdicts(23, 3, 3, kind) == 0


@pytest.fixture(scope="module")
def foretold():
    """Endemic counts without and with momentum, of data that have it; every origin shares dates with its neighbours."""
    places = Places(("A", "B", "C"), np.full(3, 1e5))
    setting = Setting(places, Window(date(2020, 1, 6), 100))
    endemic = EndemicEpidemic(Endemic(-1.0), within=None, overdispersion=None)
    within = replace(endemic, within=Within(-0.5))
    history = within.simulate(setting, rng=generator(4))
    candidates = [
        Candidate("endemic", endemic, MaximumLikelihood(), "e", frozenset()),
        Candidate("within", within, MaximumLikelihood(), "e", frozenset({"within"})),
        REFERENCE,
    ]
    call = {"origins": range(40, 98), "steps": 2, "draws": 50, "place_folds": 0}
    return compare(candidates, setting, history, rng=generator(2), **call)


def verdict_of(made: Comparison, **by_date: np.ndarray) -> dict:
    (row,) = rank(replace(made, by_date=made.by_date | by_date), reference=REFERENCE.name).mechanisms.rows()
    return row


def test_densities_of_held_out_counts_are_those_of_the_fit_at_the_origin(foretold):
    """And their sum is the log score of the joint forecast: the share of paths that do what was seen in every cell."""
    assert set(foretold.by_date) == {"endemic", "within"}  # baselines have none
    candidate, setting, history = foretold.candidates[1], foretold.setting, foretold.history
    for origin in (40, 70):
        past = setting.during(origin), history.during(origin)
        found = fit(candidate.source, *past, candidate.method, rng=generator(1))
        endemic, within = np.exp(vector(found.model))
        counts = history["events"][:, origin - 1 : origin + 2]
        expected = stats.poisson.logpmf(counts[:, 1:], endemic + within * counts[:, :-1])
        np.testing.assert_allclose(foretold.by_date["within"][origin - 40], expected, atol=1e-6)
    paths = forecast(found.model, setting, history, origin=70, steps=2, draws=400_000, rng=generator(3))
    share = (paths.draws == paths.observed(history)[:, None]).all(axis=0).mean()
    assert share == pytest.approx(np.exp(expected.sum()), abs=4 * np.sqrt(share / 400_000))


def test_mechanisms_are_judged_by_the_log_score_of_the_whole_forecast(foretold):
    """Gain and interval of densities, by groups of origins that share no date; no draw has a part in them."""
    row = verdict_of(foretold)
    apart = (foretold.by_date["within"] - foretold.by_date["endemic"]).sum(axis=(1, 2))
    group = groups(58, 2)
    assert (row["log gain"], row["low"], row["high"]) == pytest.approx(ratio(apart, np.full(58, 6), group, 0.9))
    assert (row["by"], row["verdict"]) == ("densities", "earns its keep")


def test_densities_that_are_nearly_the_same_tell_nothing_however_steady(foretold):
    """The gain counts each date once, though most are forecast twice."""
    shape = foretold.by_date["within"].shape
    counts = 59 * 3  # dates and places
    for nats, verdict in ((3.9, "cannot tell"), (4.1, "earns its keep"), (-3.9, "cannot tell"), (-4.1, "does harm")):
        row = verdict_of(foretold, endemic=np.zeros(shape), within=np.full(shape, nats / counts))
        assert row["low"] == pytest.approx(row["high"])
        assert row["verdict"] == verdict


def test_a_date_that_several_origins_forecast_counts_once(foretold):
    """Dense origins and lone ones: 5 nats on one date are 5, whether one origin saw it coming or six."""
    made = replace(foretold, origins=(40, 41, 42, 43, 44, 45, 60, 70), steps=7)
    doubt, dates = Doubt(made, 0.9), np.array(made.origins)[:, None] + np.arange(7)
    for day, times in ((40, 1), (46, 6), (50, 2), (63, 1)):
        assert (dates == day).sum() == times
        assert doubt.once(np.where(dates == day, 5.0, 0.0)) == pytest.approx(5)


def test_small_differences_on_held_out_places_tell_nothing():
    places = Places(tuple("abcdefgh"), np.full(8, 1e5))
    setting = Setting(places, Window(date(2020, 1, 6), 60))
    history = History(places, setting.window, {"events": generator(1).poisson(0.6, setting.shape).astype(float)})
    kinds = [Candidate(f"from {k}", Dense(k), family="f", mechanisms=frozenset("m" * k)) for k in (0, 1)]
    made = compare(kinds, setting, history, origins=range(30, 58, 2), steps=2, draws=20, rng=generator(1))
    spread = generator(2).normal(1, 0.01, (8, 1))
    for nats, verdict in ((3.8, "cannot tell"), (4.2, "earns its keep"), (-4.2, "does harm")):
        gain = np.broadcast_to(spread * nats / 480, setting.shape)
        ranked = rank(replace(made, by_place={"from 0": 0 * gain, "from 1": gain}), reference="from 0")
        assert ranked.mechanisms["on places"] == [verdict]
    impossible = gain.copy()
    impossible[0, 0] = -np.inf
    ranked = rank(replace(made, by_place={"from 0": 0 * gain, "from 1": impossible}), reference="from 0")
    assert ranked.mechanisms["on places"] == [None]


def test_fits_that_coincide_cannot_be_told_apart_by_densities_either(foretold):
    same = replace(foretold.fits["within"], log_density=foretold.fits["endemic"].log_density)
    row = verdict_of(replace(foretold, fits=foretold.fits | {"within": same}))
    assert (row["by"], row["verdict"]) == ("densities", "cannot tell")


def test_densities_are_of_the_model_in_force(foretold):
    """With a refit at every other origin, the forecasts between are by the last fit, and so are the densities."""
    made = compare(
        foretold.candidates, foretold.setting, foretold.history,
        origins=(40, 41, 60), steps=2, draws=20, rng=generator(2), refit_every=2, place_folds=0,
    )  # fmt: skip
    np.testing.assert_array_equal(made.by_date["within"][0], foretold.by_date["within"][0])
    np.testing.assert_array_equal(made.by_date["within"][1][:, 0], made.by_date["within"][0][:, 1])
    assert (made.by_date["within"][1] != foretold.by_date["within"][1]).any()


def test_origins_without_a_density_are_no_group(foretold):
    """Where a model conditions on the first steps, forecasts of these steps have no part in the interval."""
    late = {name: foretold.by_date[name].copy() for name in ("endemic", "within")}
    for array in late.values():
        array[:20] = np.nan
    row, gain = verdict_of(foretold, **late), (late["within"] - late["endemic"])[20:].sum(axis=(1, 2))
    group = np.unique(groups(58, 2)[20:], return_inverse=True)[1]
    assert (row["log gain"], row["low"], row["high"]) == pytest.approx(ratio(gain, np.full(38, 6), group, 0.9))


@dataclass(frozen=True)
class Refusing(Dense):
    """Forecasts all the same."""

    def pointwise(self, setting, history):
        raise DataError("no sizes were given, on which the density rests.")


def test_a_forecaster_whose_density_cannot_be_had_is_judged_by_draws(foretold):
    kinds = [
        Candidate(f"from {k}", kind(k), family="f", mechanisms=frozenset("m" * k))
        for k, kind in enumerate((Dense, Refusing))
    ]
    call = {"origins": range(40, 98, 2), "steps": 2, "draws": 20, "rng": generator(1)}
    made = compare(kinds, foretold.setting, foretold.history, **call)
    assert (set(made.by_date), made.failed) == ({"from 0"}, {})
    (note,) = made.notes["from 1"]
    assert note.endswith("held-out counts have no density here: no sizes were given, on which the density rests.")
    assert rank(made, reference="from 0").mechanisms["by"] == ["draws"]
    crowds = History(foretold.setting.places, foretold.setting.window, {"crowds": foretold.history["events"]})
    assert not compare(kinds, foretold.setting, crowds, **call, series="crowds").by_date


def test_gains_by_densities_and_by_draws_make_no_range(foretold):
    """Two families with one verdict on a mechanism: its sentence names what it was added to."""
    kinds = [
        Candidate(f"{kind.__name__} {k}", kind(k), family=kind.__name__, mechanisms=frozenset("m" * k))
        for k in (0, 1) for kind in (Dense, Tilted)
    ]  # fmt: skip
    history = History(foretold.setting.places, foretold.setting.window, {"events": np.zeros((3, 100))})
    for origins, words in (
        (range(40, 98, 2), "earns its keep when"),
        ((40,), "too few held-out dates to tell when it is"),
    ):
        made = compare(kinds, foretold.setting, history, origins=origins, steps=2, draws=200, rng=generator(1))
        ranked = rank(made, reference="Dense 0")
        assert set(ranked.mechanisms["by"]) == {"densities", "draws"}
        (said,) = [line for line in in_words(ranked.findings) if line.startswith("m:")]
        assert words in said
        assert said.endswith("added to Dense 0 and Tilted 0.")


def test_without_densities_of_the_same_counts_mechanisms_are_judged_by_draws(foretold):
    missing, impossible = (foretold.by_date["within"].copy() for _ in range(2))
    missing[3, 0, 0], impossible[3, 0, 0] = np.nan, -np.inf
    lost = [foretold.losses["log"][foretold.index(name)] for name in ("endemic", "within")]
    for ahead in (missing, impossible):
        row = verdict_of(foretold, within=ahead)
        assert row["by"] == "draws"
        assert row["log gain"] == pytest.approx((lost[0] - lost[1]).sum() / (58 * 6))
    both = foretold.by_date["endemic"].copy()
    both[3, 0, 0] = np.nan
    apart = np.nansum(missing - both)
    assert verdict_of(foretold, within=missing, endemic=both)["log gain"] == pytest.approx(apart / (58 * 6 - 1))
