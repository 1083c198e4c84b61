"""compare and rank: what is summed, what is paired, what is said, and what is kept when a model fails."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, UsageError
from groundswell.evaluate.baselines import Conflictology, LastValue, Zero
from groundswell.evaluate.by_groups import groups, overlapping, ratio
from groundswell.evaluate.calibration import Calibration
from groundswell.evaluate.compare import ABOVE, COVERED, FORECAST_KEY, JOINT, PLACES_SCORE, Candidate, compare
from groundswell.evaluate.count_forecast import Drawn
from groundswell.evaluate.forecast import forecast
from groundswell.evaluate.joint_scores import energy_score, variogram_score
from groundswell.evaluate.ranking import aic, rank
from groundswell.evaluate.scores import crps, log_score, threshold_weighted_crps
from groundswell.infer.base import Fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.base import Model
from groundswell.models.cities import mobilisation
from groundswell.models.cities.endemic_epidemic import Endemic, EndemicEpidemic, Within
from groundswell.models.triggering import PowerLaw
from groundswell.params import names, param, vector
from groundswell.report.language import Speaker
from groundswell.report.words import in_words, listed
from groundswell.rng import generator, keyed


@dataclass(frozen=True)
class Steady(Model):
    """Independent Poisson counts, one mean for all; its batch of paths is exact and fast."""

    mean: float = param("events", low=0, default=1.0, doc="mean count")

    def paths(self, setting, history, *, draws, rng, series):
        return rng.poisson(self.mean, (draws, len(setting.places), setting.window.periods - history.window.periods))


@dataclass(frozen=True)
class Echo(Model):
    """Poisson around mean + echo x (last count - mean): what the toy data follow."""

    mean: float = param("events", low=0, default=1.0, doc="mean count")
    echo: float = param("1", low=0, high=1, default=0.5, doc="share of the last deviation that is left")

    def paths(self, setting, history, *, draws, rng, series):
        steps = setting.window.periods - history.window.periods
        last = np.broadcast_to(history[series][:, -1], (draws, len(setting.places)))
        out = np.empty((draws, len(setting.places), steps))
        for k in range(steps):
            last = rng.poisson(np.maximum(self.mean + self.echo * (last - self.mean), 0.05))
            out[:, :, k] = last
        return out


@dataclass(frozen=True)
class Moments:
    """A method for both toys, by means and lag-one products; `remark` becomes a note, a warning, or an error."""

    remark: str = ""

    def fit(self, model, setting, observed, *, rng, fixed, progress):
        counts = observed["events"]
        mean = counts.mean()
        values = {"mean": mean}
        if isinstance(model, Echo):
            values["echo"] = np.clip(((counts[:, 1:] - mean) * (counts[:, :-1] - mean)).mean() / counts.var(), 0, 1)
        if self.remark == "flat" and counts.shape[1] > 30:
            raise DataError("flat: nothing to learn")
        if self.remark == "warn":
            warnings.warn("explosive estimate", GroundswellWarning, stacklevel=2)
        fitted = model.replacing({k: float(v) for k, v in values.items() if k not in fixed})
        free = len(set(values) - set(fixed))
        return Fit(
            fitted, self, names(fitted), vector(fitted), vector(fitted) * 0, -100.0 - len(values), "done",
            self.remark != "unsure", notes=("a note",) if self.remark == "note" else (),
            details={"free": free, "aic": 2.0 * free + 2 * (100 + len(values))},
        )  # fmt: skip


def toy(places, periods, *, mean=3.0, echo=0.85, seed=1):
    rng = generator(seed)
    counts = np.empty((len(places), periods))
    last = np.full(len(places), mean)
    for t in range(periods):
        last = rng.poisson(np.maximum(mean + echo * (last - mean), 0.05)).astype(float)
        counts[:, t] = last
    window = Window.between("2020-01-01", "2020-01-01")
    window = Window(window.start, periods)
    return Setting(places, window), History(places, window, {"events": counts})


STEADY = Candidate("steady", Steady(), Moments(), family="toy", mechanisms=frozenset())
ECHO = Candidate("echo", Echo(), Moments(), family="toy", mechanisms=frozenset({"echo"}))
REFERENCE = Candidate("conflictology 30 days", Conflictology(30))
BASE = (REFERENCE, Candidate("zero", Zero()), Candidate("last", LastValue()))


@pytest.fixture(scope="module")
def result(request):
    from groundswell.data.places import Places

    places = Places(("A", "B", "C"), np.array([9.0, 5.0, 1.0]))
    setting, history = toy(places, 90)
    return compare([STEADY, ECHO, *BASE], setting, history, origins=range(40, 88), steps=3, draws=200, rng=generator(5))


def test_losses_are_sums_over_the_cells_of_each_origin(result):
    """Against a plain loop that makes every forecast again, with the same keyed generators."""
    root = int(generator(5).integers(2**63))
    sums = {kind: np.zeros(48) for kind in ("crps", "log")}
    for k, origin in enumerate(range(40, 88)):
        rng = keyed(root, FORECAST_KEY, origin)
        made = forecast(Zero(), result.setting, result.history, origin=origin, steps=3, draws=200, rng=rng)
        seen = made.observed(result.history)
        for kind, score in (("crps", crps), ("log", log_score)):
            for loss in score(made.draws, seen):
                sums[kind][k] += loss
    for kind in sums:
        np.testing.assert_allclose(result.losses[kind][result.index("zero")], sums[kind], atol=1e-9)
        np.testing.assert_array_equal(result.cells[kind], np.full(48, 9))
    assert (result.cells[PLACES_SCORE] == result.cells["crps"] / 3).all()
    assert result.horizon["crps"].shape == (5, 3)


def test_joint_scores_and_the_threshold_weighted_crps_are_those_of_each_target(result):
    root = int(generator(5).integers(2**63))
    early = np.sort(result.history["events"][:, :40].ravel())
    assert result.threshold == early[int(np.ceil(0.9 * early.size)) - 1] > 1
    sums = {kind: np.zeros(48) for kind in ("energy", "variogram", ABOVE)}
    for k, origin in enumerate(range(40, 88)):
        rng = keyed(root, FORECAST_KEY, origin)
        made = forecast(LastValue(), result.setting, result.history, origin=origin, steps=3, draws=200, rng=rng)
        for step in (1, 2, 3):
            cells = made.step == step
            draws, seen = made.draws[cells], made.observed(result.history)[cells]
            sums["energy"][k] += energy_score(draws[None], seen[None])[0]
            sums["variogram"][k] += variogram_score(draws[None], seen[None])[0]
            sums[ABOVE][k] += threshold_weighted_crps(draws, seen, result.threshold).sum()
    for kind, expected in sums.items():
        np.testing.assert_allclose(result.losses[kind][result.index("last")], expected, atol=1e-9)
    for kind in JOINT:
        np.testing.assert_array_equal(result.cells[kind], result.cells["crps"] / 3)
    found = rank(result, reference=REFERENCE.name)
    for kind, title in (("energy", "energy"), (ABOVE, f"CRPS above {result.threshold:g}")):
        row = next(r for r in found.scores.rows() if r["model"] == "last")
        assert row[title] == pytest.approx(sums[kind].sum() / result.cells[kind].sum())
    row = next(r for r in found.skill.rows() if r["model"] == "echo")
    assert row["energy low"] < row["energy skill"] < row["energy high"] < 1
    assert row["CRPS above skill"] > 0


def test_a_threshold_may_be_given_and_one_place_has_no_joint_scores(lopsided):
    setting, history = toy(lopsided.subset([0]), 40)
    call = {"origins": (20, 30), "steps": 2, "draws": 30}
    made = compare([*BASE], setting, history, **call, rng=generator(1), threshold=-1)
    np.testing.assert_allclose(made.losses[ABOVE], made.losses["crps"], atol=1e-12)
    assert not set(JOINT) & set(made.losses)
    assert set(rank(made, reference=REFERENCE.name).scores.columns).isdisjoint(("energy", "variogram"))
    quiet = History(history.places, history.window, {"events": np.zeros((1, 40))})
    assert compare([*BASE], setting, quiet, **call, rng=generator(1)).threshold == 1


def test_more_candidates_in_another_order_change_no_score(result):
    again = compare(
        [*BASE[::-1], dataclasses.replace(STEADY, name="other"), ECHO], result.setting, result.history,
        origins=range(40, 88), steps=3, draws=200, rng=generator(5),
    )  # fmt: skip
    for name in ("echo", "zero", "last", REFERENCE.name):
        for kind in result.losses:
            np.testing.assert_array_equal(
                again.losses[kind][again.index(name)], result.losses[kind][result.index(name)]
            )


def test_two_processes_give_the_same_bits(result):
    model, setting = EndemicEpidemic.example()
    history = model.simulate(setting, rng=generator(1))
    candidates = [Candidate("endemic-epidemic", model), REFERENCE]
    one, two = (
        compare(
            candidates, setting, history, origins=(80, 100), steps=4, draws=60, rng=generator(3), processes=processes
        )
        for processes in (1, 2)
    )
    for kind in one.losses:
        np.testing.assert_array_equal(one.losses[kind], two.losses[kind])


def test_the_model_of_the_data_wins_and_the_words_say_so(result):
    found = rank(result, reference=REFERENCE.name)
    assert found.best == "echo"
    assert found.scores["model"][0] == "echo"
    assert in_words(found.findings)[0].startswith("Of 5 forecasters echo has the lowest held-out log score")
    row = next(r for r in found.skill.rows() if r["model"] == "echo")
    assert 0 < row["CRPS low"] < row["CRPS skill"] < row["CRPS high"] < 1
    assert 0 < row["log low"] < row["log gain"] < row["log high"]
    assert any(w.startswith(f"Better CRPS than {REFERENCE.name}: echo") for w in in_words(found.findings))
    (mechanism,) = found.mechanisms.rows()
    assert (mechanism["mechanism"], mechanism["verdict"]) == ("echo", "earns its keep")
    # 2 x one more parameter, less 2 x the log-likelihood's change of -1.
    assert mechanism["AIC change"] == pytest.approx(4.0)


def test_mechanisms_are_weighed_on_held_out_places_too():
    """Momentum that is there makes places left out of the fit likelier; one that is not there does not."""
    many = Places(tuple(f"place {i}" for i in range(12)), np.full(12, 1e5))
    setting = Setting(many, Window(date(2020, 1, 6), 80))
    endemic = EndemicEpidemic(Endemic(0.3), within=None, overdispersion=None)
    within = replace(endemic, within=Within(-0.5))
    candidates = [
        Candidate("endemic", endemic, MaximumLikelihood(), "e", frozenset({"endemic"})),
        Candidate("within", within, MaximumLikelihood(), "e", frozenset({"endemic", "within"})),
        REFERENCE,
    ]
    verdicts = {}
    for truth in (within, endemic):
        history = truth.simulate(setting, rng=generator(6))
        made = compare(candidates, setting, history, origins=(60, 70), steps=3, draws=100, rng=generator(2))
        assert set(made.by_place) == {"endemic", "within"}
        ranked = rank(made, reference=REFERENCE.name)
        (row,) = ranked.mechanisms.rows()
        apart = (made.by_place["within"] - made.by_place["endemic"])[:, 1:].mean(axis=1)  # the first step is given
        assert row["places gain"] == pytest.approx(apart.mean())
        error = apart.std(ddof=1) / np.sqrt(12)
        assert row["places low"] == pytest.approx(apart.mean() - stats.t.ppf(0.95, 11) * error)
        verdicts[truth] = row["on places"]
        assert any("left out of the fit" in words for words in in_words(ranked.findings))
    assert verdicts[within] == "earns its keep"
    assert verdicts[endemic] != "earns its keep"
    without = compare(candidates, setting, history, origins=(60,), steps=3, draws=50, rng=generator(2), place_folds=0)
    assert not without.by_place
    assert "on places" not in rank(without, reference=REFERENCE.name).mechanisms.columns


@pytest.mark.parametrize("seed", [6, pytest.param(7, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.slow)])
def test_diffusion_between_cities_is_picked_clearly_where_it_is_strong_and_not_where_it_is_absent(seed):
    """City-day counts of Mobilisation in four groups of four near cities, with and without spread between them."""
    corners = [(lat, lon) for lat in (30.0, 36.0) for lon in (45.0, 55.0)]
    at = np.array([(lat + a, lon + b) for lat, lon in corners for a in (0.0, 0.2) for b in (0.0, 0.2)])
    places = Places(tuple(f"city {i}" for i in range(16)), np.full(16, 1e5), at[:, 0], at[:, 1])
    setting = Setting(places, Window(date(2020, 1, 6), 200))
    alone = dict.fromkeys(("media", "organised", "groups", "call", "deterrence", "backlash"))
    strong = mobilisation.Mobilisation(
        mobilisation.Background(0.02), mobilisation.Within(0.1), mobilisation.Between(0.8, reach=PowerLaw()), **alone
    )
    absent = mobilisation.Mobilisation(
        mobilisation.Background(0.06), mobilisation.Within(0.6), **{**alone, "between": None}
    )

    def candidate(name, model, *mechanisms):
        held = ("crowds.", "warnings_per_arrest", "between.reach", "arrests.")
        fixed = {n: float(v) for n, v in zip(names(model), vector(model), strict=True) if n.startswith(held)}
        return Candidate(name, model, MaximumLikelihood(), "m", frozenset(mechanisms), "counts", fixed)

    candidates = [
        candidate("within", replace(strong, between=None), "within"),
        candidate("within + between", strong, "within", "between"),
        REFERENCE,
    ]
    for truth, verdict in ((strong, "earns its keep"), (absent, "cannot tell")):
        counts = truth.simulate(setting, rng=generator(seed))["events"]
        history = History(places, setting.window, {"events": counts})
        made = compare(
            candidates, setting, history, origins=range(60, 197, 4), steps=3, draws=100, rng=generator(2), place_folds=0
        )
        ranked = rank(made, reference=REFERENCE.name)
        (row,) = ranked.mechanisms.rows()
        assert row["verdict"] == verdict
        assert (row["AIC change"] < -100) == (truth is strong)
        if truth is strong:
            assert ranked.best == "within + between"


def test_densities_of_other_steps_are_not_set_against_each_other():
    """Eight steps more to condition on raised the sum over a place's steps, whatever the mechanism was worth."""
    many = Places(tuple(f"place {i}" for i in range(12)), np.full(12, 1e5))
    setting = Setting(many, Window(date(2020, 1, 6), 60))
    endemic = EndemicEpidemic(Endemic(0.3), within=None, overdispersion=None)
    history = endemic.simulate(setting, rng=generator(6))
    within = replace(endemic, within=Within(-0.5))
    for conditioned in (None, 9):
        candidates = [
            Candidate("endemic", endemic, MaximumLikelihood(), "e", frozenset()),
            Candidate("within", replace(within, conditioned=conditioned), MaximumLikelihood(), "e", frozenset({"w"})),
            REFERENCE,
        ]
        made = compare(candidates, setting, history, origins=(40, 50), steps=2, draws=50, rng=generator(2))
        ranked = rank(made, reference=REFERENCE.name)
        (row,) = ranked.mechanisms.rows()
        told = any("weigh different place-steps" in words for words in in_words(ranked.findings))
        assert told == (conditioned is not None)
        assert (row["on places"] is None) == (row["AIC change"] is None) == told


def test_every_candidate_conditions_on_the_steps_of_the_longest_memory():
    from groundswell.studies.candidates import FEWEST_STEPS, LAGS, MEMORY, standard_candidates

    many = Places(tuple(f"place {i}" for i in range(9)), np.linspace(1e5, 9e5, 9), np.arange(9.0), np.arange(9.0))
    for periods, expected in ((FEWEST_STEPS, LAGS), (FEWEST_STEPS - 1, 1)):
        setting = Setting(many, Window(date(2020, 1, 6), periods, 7))
        history = History(many, setting.window, {"events": np.ones(setting.shape)})
        found, _ = standard_candidates(setting, history)
        mine = [candidate for candidate in found if candidate.family == "endemic-epidemic"]
        assert any(MEMORY in candidate.mechanisms for candidate in mine) == (expected == LAGS)
        assert {candidate.source.conditioned_steps for candidate in mine} == {expected}
        assert len({candidate.observes for candidate in mine}) == 1


def test_one_forecaster_under_two_names_cannot_be_told_from_itself():
    """With their own luck they were told apart in one comparison in five."""
    many = Places(tuple("abcd"), np.full(4, 1e5))
    setting, history = toy(many, 80)
    twice = [replace(REFERENCE, name=name, family="f", mechanisms=frozenset(name[1:])) for name in ("x", "xm")]
    made = compare(twice, setting, history, origins=range(40, 78, 4), steps=2, draws=50, rng=generator(2))
    np.testing.assert_array_equal(*made.losses["log"])
    ranked = rank(made, reference="x")
    assert ranked.mechanisms["verdict"] == ["cannot tell"]
    assert len(ranked.tied) == 1


def test_fits_that_coincide_cannot_be_told_apart(result):
    """Where what is added is not in use, the AIC changes by twice the added parameters, and nothing was learnt."""
    steady = result.fits["steady"]
    again = replace(result, fits={**result.fits, "echo": replace(result.fits["echo"], log_density=steady.log_density)})
    (before,), (after,) = (rank(each, reference=REFERENCE.name).mechanisms.rows() for each in (result, again))
    assert (before["verdict"], after["verdict"]) == ("earns its keep", "cannot tell")


def test_an_aic_of_fewer_counts_is_no_change_and_says_so(result):
    def counted(**numbers):
        fits = {
            name: replace(found, details={**found.details, "observations": numbers[name]})
            for name, found in result.fits.items()
        }
        return rank(replace(result, fits=fits), reference=REFERENCE.name)

    alike, unlike = counted(steady=80, echo=80), counted(steady=80, echo=76)
    assert alike.mechanisms["AIC change"] == [pytest.approx(4.0)]
    assert unlike.mechanisms["AIC change"] == [None]
    assert {r["model"]: r["AIC of"] for r in unlike.scores.rows() if r["AIC of"]} == {
        "steady": "80 counts",
        "echo": "76 counts",
    }


def test_skill_is_one_minus_the_ratio_of_sums(result):
    found = rank(result, reference=REFERENCE.name)
    for row in found.skill.rows():
        mine, theirs = (result.losses["crps"][result.index(n)].sum() for n in (row["model"], REFERENCE.name))
        assert row["CRPS skill"] == pytest.approx(1 - mine / theirs)
        log = [result.losses["log"][result.index(n)].sum() for n in (row["model"], REFERENCE.name)]
        assert row["log gain"] == pytest.approx((log[1] - log[0]) / result.cells["log"].sum())
    assert REFERENCE.name not in found.skill["model"]


def test_models_that_cannot_be_told_apart_are_said_to_be(lopsided):
    setting, history = toy(lopsided, 70, echo=0.0, seed=3)
    made = compare([STEADY, ECHO, *BASE], setting, history, origins=range(30, 69), steps=1, draws=300, rng=generator(2))
    found = rank(made, reference=REFERENCE.name)
    assert {found.best, *found.tied} >= {"steady", "echo"}
    assert "cannot tell it apart from" in in_words(found.findings)[0]
    assert next(iter(found.mechanisms.rows()))["verdict"] == "cannot tell"
    tied = [row["best"] for row in found.scores.rows() if row["model"] in found.tied]
    assert tied == ["tied"] * len(found.tied)


def test_a_model_that_fails_is_listed_with_its_reason_and_costs_the_others_nothing(result):
    failing = Candidate("flat", Steady(), Moments("flat"))
    again = compare(
        [failing, ECHO, *BASE], result.setting, result.history,
        origins=range(40, 88), steps=3, draws=200, rng=generator(5),
    )  # fmt: skip
    assert again.failed == {"flat": "flat: nothing to learn"}
    assert again.names == ("echo", *(c.name for c in BASE))
    np.testing.assert_array_equal(again.losses["log"][0], result.losses["log"][result.index("echo")])
    with pytest.raises(UsageError, match="flat: nothing to learn"):
        rank(again, reference="flat")
    with pytest.raises(UsageError, match="no candidate could be scored"):
        compare([failing], result.setting, result.history, origins=(40,), steps=1, draws=9, rng=generator(5))


def test_what_a_reader_must_know_of_a_fit_becomes_a_note(result):
    kinds = [Candidate(remark, Steady(), Moments(remark)) for remark in ("note", "warn", "unsure")]
    made = compare(kinds, result.setting, result.history, origins=(40, 50), steps=1, draws=9, rng=generator(5))
    assert made.notes["note"] == ("a note",)
    assert made.notes["warn"] == ("explosive estimate",)
    assert "did not converge at 2 of 2 origins" in made.notes["unsure"][0]


def test_held_parameters_stay_and_are_not_counted(result):
    held = dataclasses.replace(ECHO, fixed={"echo": 0.0})
    made = compare([held], result.setting, result.history, origins=(60,), steps=1, draws=9, rng=generator(5))
    assert made.fits["echo"].model.echo == 0.0  # type: ignore[attr-defined]
    assert aic(held, made) == 2 * 1 - 2 * made.fits["echo"].log_density


def test_too_few_dates_for_an_interval(result):
    made = compare([ECHO, *BASE], result.setting, result.history, origins=(60,), steps=2, draws=50, rng=generator(5))
    found = rank(made, reference=REFERENCE.name)
    assert (
        in_words(found.findings)[-1]
        == "The 1 date forecast from makes 1 group without a forecast date in common, and intervals need 4: too few "
        "dates, so no two models can be told apart. A longer record, shorter steps or fewer steps ahead make more."
    )
    assert set(found.skill["CRPS low"]) == {None}
    assert set(found.tied) == set(made.names) - {found.best}


def test_a_reference_that_loses_nothing_has_no_skill_against_it(lopsided):
    setting, _ = toy(lopsided, 40)
    nothing = History(lopsided, setting.window, {"events": np.zeros((4, 40))})
    made = compare(
        [Candidate("steady", Steady()), *BASE],
        setting,
        nothing,
        origins=range(20, 38),
        steps=1,
        draws=20,
        rng=generator(1),
    )
    found = rank(made, reference=REFERENCE.name)
    row = next(r for r in found.skill.rows() if r["model"] == "steady")
    assert row["CRPS skill"] is None
    assert row["log gain"] < 0


def test_the_fan_holds_the_total_and_what_happened(result):
    fan = result.fan()
    assert len(fan) == 5 * 48 * 3
    total = result.history["events"].sum(axis=0)
    dates = [day.isoformat() for day in result.setting.window.dates()]
    row = next(iter(fan.rows()))
    assert row["observed"] == total[dates.index(row["date"])]
    zero = [r for r in fan.rows() if r["model"] == "zero"]
    assert {r["q95"] for r in zero} == {0.0}


def test_coverage_counts_cells(result):
    share = result.losses[COVERED][result.index("echo")].sum() / result.cells[COVERED].sum()
    assert 0.8 < share < 0.97


def test_calibration_gathers_every_forecast_that_is_scored(result):
    """Against the forecasts made again, one origin after the other; three steps ahead of every day overlap."""
    root = int(generator(5).integers(2**63))
    made = []
    for origin in range(40, 88):
        rng = keyed(root, FORECAST_KEY, origin)
        one = forecast(LastValue(), result.setting, result.history, origin=origin, steps=3, draws=200, rng=rng)
        made.append((Drawn(one.draws), one.observed(result.history)))
    expected, found = Calibration.of(made, 3), result.calibration["last"]
    for name in ("cells", "pit", "middle", "covered", "promised", "overlap"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name))
    assert set(result.calibration) == set(result.names)


@pytest.mark.parametrize(
    ("origins", "steps", "expected"), [((8,), 4, 1), ((8, 12, 16), 4, 1), ((8, 11, 16), 4, 2), ((8, 9, 10, 20), 3, 3)]
)
def test_origins_overlap_while_their_targets_do(origins, steps, expected):
    assert overlapping(origins, steps) == expected


@pytest.mark.parametrize("processes", [1, 2])
def test_progress_rises_to_the_end(lopsided, processes):
    setting, history = toy(lopsided, 40)
    told = []
    compare(
        [STEADY, *BASE], setting, history, origins=(20, 25, 30), steps=2, draws=20, rng=generator(5),
        processes=processes, progress=lambda share, words: told.append((share, words)),
    )  # fmt: skip
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert {words for _, words in told} == {"steady", *(candidate.name for candidate in BASE)}
    assert len(told) == (12 if processes == 1 else 4)  # after each origin; of another process, after each candidate


@given(st.integers(1, 90), st.integers(1, 12))
def test_groups_are_runs_of_neighbours_of_nearly_one_size(origins, overlap):
    found = groups(origins, overlap)
    sizes = np.bincount(found)
    assert (np.diff(found) >= 0).all()
    assert np.ptp(sizes) <= 1
    assert sizes.min() >= min(origins, 1 if overlap == 1 else 2 * overlap)


def test_a_ratio_of_equal_groups_has_students_interval():
    rng = generator(3)
    sums, group = rng.normal(1.0, 1.0, 20), groups(20, 2)
    means = sums.reshape(5, 4).mean(axis=1)
    reach = stats.t.ppf(0.95, 4) * means.std(ddof=1) / np.sqrt(5)
    expected = (means.mean(), means.mean() - reach, means.mean() + reach)
    assert ratio(sums, np.ones(20), group, 0.9) == pytest.approx(expected)
    assert ratio(sums, np.ones(20), groups(20, 4), 0.9) == (pytest.approx(means.mean()), None, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"candidates": []}, "one or more distinct names"),
        ({"candidates": [ECHO, ECHO]}, "distinct names"),
        ({"origins": ()}, "at least one"),
        ({"origins": (50, 40)}, "rise"),
        ({"refit_every": 0}, "refit_every"),
    ],
)
def test_what_cannot_be_meant_is_refused(result, changes, words):
    call = {"candidates": [ECHO], "origins": (40,), "refit_every": 1} | changes
    with pytest.raises(UsageError, match=words):
        compare(
            call["candidates"], result.setting, result.history, origins=call["origins"], steps=1, draws=5,
            rng=generator(1), refit_every=call["refit_every"],
        )  # fmt: skip


def test_listed():
    assert [listed(x, Speaker()) for x in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
