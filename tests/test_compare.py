"""compare and rank: what is summed, what is paired, what is said, and what is kept when a model fails."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.data.history import History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, UsageError
from groundswell.evaluate.baselines import Conflictology, LastValue, Zero
from groundswell.evaluate.bootstrap import block_length, block_weights, interval
from groundswell.evaluate.calibration import Calibration
from groundswell.evaluate.compare import ABOVE, COVERED, JOINT, PLACES_SCORE, Candidate, compare, overlapping
from groundswell.evaluate.count_forecast import Drawn
from groundswell.evaluate.forecast import forecast
from groundswell.evaluate.joint_scores import energy_score, variogram_score
from groundswell.evaluate.ranking import aic, rank
from groundswell.evaluate.scores import crps, log_score, threshold_weighted_crps
from groundswell.infer.base import Fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.base import Model
from groundswell.models.cities.endemic_epidemic import Endemic, EndemicEpidemic, Within
from groundswell.params import names, param, vector
from groundswell.report.language import Speaker
from groundswell.report.words import in_words, listed
from groundswell.rng import generator


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


def test_losses_are_sums_over_the_cells_of_each_target_date(result):
    """Against a plain loop that makes every forecast again, with the same keyed generators."""
    import zlib

    from groundswell.rng import keyed

    root = int(generator(5).integers(2**63))
    sums = {kind: np.zeros(90) for kind in ("crps", "log")}
    count = np.zeros(90)
    for origin in range(40, 88):
        rng = keyed(root, zlib.crc32(b"zero"), origin)
        made = forecast(Zero(), result.setting, result.history, origin=origin, steps=3, draws=200, rng=rng)
        seen = made.observed(result.history)
        for kind, score in (("crps", crps), ("log", log_score)):
            for cell, loss in enumerate(score(made.draws, seen)):
                sums[kind][made.time[cell]] += loss
        np.add.at(count, made.time, 1)
    np.testing.assert_array_equal(result.targets, np.flatnonzero(count))
    for kind in sums:
        np.testing.assert_allclose(result.losses[kind][result.index("zero")], sums[kind][result.targets], atol=1e-9)
        np.testing.assert_array_equal(result.cells[kind], count[result.targets])
    assert (result.cells[PLACES_SCORE] == result.cells["crps"] / 3).all()
    assert result.horizon["crps"].shape == (5, 3)


def test_joint_scores_and_the_threshold_weighted_crps_are_those_of_each_target(result):
    import zlib

    from groundswell.rng import keyed

    root = int(generator(5).integers(2**63))
    early = np.sort(result.history["events"][:, :40].ravel())
    assert result.threshold == early[int(np.ceil(0.9 * early.size)) - 1] > 1
    sums = {kind: np.zeros(90) for kind in ("energy", "variogram", ABOVE)}
    for origin in range(40, 88):
        rng = keyed(root, zlib.crc32(b"last"), origin)
        made = forecast(LastValue(), result.setting, result.history, origin=origin, steps=3, draws=200, rng=rng)
        for step in (1, 2, 3):
            cells = made.step == step
            draws, seen = made.draws[cells], made.observed(result.history)[cells]
            target = origin + step - 1
            sums["energy"][target] += energy_score(draws[None], seen[None])[0]
            sums["variogram"][target] += variogram_score(draws[None], seen[None])[0]
            sums[ABOVE][target] += threshold_weighted_crps(draws, seen, result.threshold).sum()
    for kind, expected in sums.items():
        np.testing.assert_allclose(result.losses[kind][result.index("last")], expected[result.targets], atol=1e-9)
    for kind in JOINT:
        np.testing.assert_array_equal(result.cells[kind], result.cells["crps"] / 3)
    found = rank(result, reference=REFERENCE.name, rng=generator(7))
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
    assert set(rank(made, reference=REFERENCE.name, rng=generator(7)).scores.columns).isdisjoint(
        ("energy", "variogram")
    )
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
    found = rank(result, reference=REFERENCE.name, rng=generator(7))
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
        ranked = rank(made, reference=REFERENCE.name, rng=generator(7))
        (row,) = ranked.mechanisms.rows()
        apart = (made.by_place["within"] - made.by_place["endemic"]) / 80
        assert row["places gain"] == pytest.approx(apart.mean())
        assert row["places low"] == pytest.approx(apart.mean() - 1.645 * apart.std(ddof=1) / np.sqrt(12), abs=1e-4)
        verdicts[truth] = row["on places"]
        assert any("left out of the fit" in words for words in in_words(ranked.findings))
    assert verdicts[within] == "earns its keep"
    assert verdicts[endemic] != "earns its keep"
    without = compare(candidates, setting, history, origins=(60,), steps=3, draws=50, rng=generator(2), place_folds=0)
    assert not without.by_place
    assert "on places" not in rank(without, reference=REFERENCE.name, rng=generator(7)).mechanisms.columns


def test_an_aic_of_fewer_counts_is_no_change_and_says_so(result):
    def counted(**numbers):
        fits = {
            name: replace(found, details={**found.details, "observations": numbers[name]})
            for name, found in result.fits.items()
        }
        return rank(replace(result, fits=fits), reference=REFERENCE.name, rng=generator(7))

    alike, unlike = counted(steady=80, echo=80), counted(steady=80, echo=76)
    assert alike.mechanisms["AIC change"] == [pytest.approx(4.0)]
    assert unlike.mechanisms["AIC change"] == [None]
    assert {r["model"]: r["AIC of"] for r in unlike.scores.rows() if r["AIC of"]} == {
        "steady": "80 counts",
        "echo": "76 counts",
    }


def test_skill_is_one_minus_the_ratio_of_sums(result):
    found = rank(result, reference=REFERENCE.name, rng=generator(7))
    for row in found.skill.rows():
        mine, theirs = (result.losses["crps"][result.index(n)].sum() for n in (row["model"], REFERENCE.name))
        assert row["CRPS skill"] == pytest.approx(1 - mine / theirs)
        log = [result.losses["log"][result.index(n)].sum() for n in (row["model"], REFERENCE.name)]
        assert row["log gain"] == pytest.approx((log[1] - log[0]) / result.cells["log"].sum())
    assert REFERENCE.name not in found.skill["model"]


def test_models_that_cannot_be_told_apart_are_said_to_be(lopsided):
    setting, history = toy(lopsided, 70, echo=0.0, seed=3)
    made = compare([STEADY, ECHO, *BASE], setting, history, origins=range(30, 69), steps=1, draws=300, rng=generator(2))
    found = rank(made, reference=REFERENCE.name, rng=generator(7))
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
        rank(again, reference="flat", rng=generator(1))
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
    found = rank(made, reference=REFERENCE.name, rng=generator(7))
    assert (
        in_words(found.findings)[-1]
        == "There are 2 target dates: too few for intervals, so no two models can be told apart."
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
    found = rank(made, reference=REFERENCE.name, rng=generator(7))
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
    import zlib

    from groundswell.rng import keyed

    root = int(generator(5).integers(2**63))
    made = []
    for origin in range(40, 88):
        rng = keyed(root, zlib.crc32(b"last"), origin)
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


@given(st.integers(1, 60), st.integers(1, 12))
def test_blocks_are_runs_of_neighbouring_dates(dates, steps):
    block = block_length(dates, steps)
    assert 1 <= block <= max(1, dates // 2)
    weights = block_weights(dates, block, 20, rng=generator(1))
    assert (weights.sum(axis=1) == dates).all()
    assert (weights >= 0).all()


@settings(max_examples=20)
@given(st.integers(2, 40))
def test_every_date_is_equally_likely(dates):
    weights = block_weights(dates, block_length(dates, 2), 4000, rng=generator(2))
    assert np.abs(weights.mean(axis=0) - 1).max() < 0.15


def test_blocks_widen_the_interval_of_sums_that_go_in_runs():
    rng = generator(3)
    runs = np.repeat(rng.normal(size=30), 5)
    short = block_weights(150, 1, 3000, rng=rng) @ runs
    long = block_weights(150, 10, 3000, rng=rng) @ runs
    assert long.std() > 1.5 * short.std()


def test_an_interval_of_a_normal_mean_has_its_size():
    rng = generator(4)
    values = rng.normal(size=400)
    low, high = interval(block_weights(400, 1, 5000, rng=rng) @ values / 400, 0.9)
    assert high - low == pytest.approx(2 * 1.645 * values.std() / 20, rel=0.05)
    assert np.isnan(interval(np.array([np.nan]), 0.9)).all()


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
