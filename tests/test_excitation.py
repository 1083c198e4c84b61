"""The self-exciting process in all its forms against a twin that writes every sum out, differences, and itself."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from groundswell.data.history import Events, History, from_events
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, ParameterError, UsageError
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.base import can
from groundswell.models.cities.mechanisms import Abroad, Arrests, Backlash, Call, Deterrence, Media
from groundswell.models.delay_sums import PowerLawDelay, SumOfExponentials
from groundswell.models.delays import ExponentialDelay, StepDelay
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.models.events.self_exciting_density import GeneralDensity
from groundswell.models.events.self_exciting_parts import ByPopulation, BySize, Course
from groundswell.models.events.surroundings import Repression, Surroundings
from groundswell.models.triggering import Exponential, Gravity, NeighbourhoodOrder
from groundswell.params import Effects, leaves, names, vector
from groundswell.rng import generator
from tests.naive.excitation import Twin, big_g, g

DELAYS: dict[str, Any] = {
    "exponential": ExponentialDelay(0.9),
    "two exponentials": SumOfExponentials(Effects(fast=3.0, slow=0.3), Effects(slow=0.4)),
    "power law": PowerLawDelay(0.7, 1.6),
    "steps": StepDelay(0.8, Effects({"2.5": -0.3, "6": -1.2})),
}
EARLIER = Events(np.array([-4.0, -1.5, -0.25]), np.array([0, 3, 1]), size=np.array([500.0, np.nan, 40.0]))
PLAIN = SelfExciting(1.5, 0.6, ExponentialDelay(0.9))
CROWDS = BySize(0.4, (20.0, 50.0, 900.0))
REPRESSION: dict[str, Any] = {
    "arrests": Arrests(3.0, 1.5, 0.7), "deterrence": Deterrence(0.3), "backlash": Backlash(0.4, lag_days=2),
}  # fmt: skip
MOVING = Course(Effects({"trend": 0.02, "from 2024-01-11": 0.5, "heat": -0.4}))
VARIANTS: dict[str, SelfExciting] = {
    **{f"{name}, by place": replace(PLAIN, delay=delay) for name, delay in DELAYS.items()},
    **{
        f"{name}, on cities": replace(
            PLAIN, delay=delay, reach=Exponential(80.0), population=ByPopulation(0.4), before=EARLIER
        )
        for name, delay in DELAYS.items()
    },
    "moving background": replace(PLAIN, course=MOVING, population=ByPopulation(0.4)),
    "a background for each place": replace(
        PLAIN, course=Course(Effects({"at Near": 0.4, "at Twin": -0.5, "at Far": 0.2})), reach=Exponential(80.0)
    ),
    "crowds": replace(PLAIN, size=CROWDS, reach=Exponential(80.0), before=EARLIER),
    "crowds by place, steps": replace(PLAIN, size=CROWDS, delay=DELAYS["steps"], before=EARLIER),
    "media, calls, abroad": replace(
        PLAIN, media=Media(0.2), call=Call(4.0, 0.6), abroad=Abroad(0.3), population=ByPopulation(0.4)
    ),
    "repression": replace(PLAIN, reach=Exponential(80.0), population=ByPopulation(0.4), **REPRESSION),
    "repression by place, power law, crowds": replace(PLAIN, delay=DELAYS["power law"], size=CROWDS, **REPRESSION),
    "repression, steps, crowds": replace(
        PLAIN, delay=DELAYS["steps"], size=CROWDS, reach=Exponential(80.0), course=MOVING, **REPRESSION
    ),
    "gravity": replace(PLAIN, reach=Gravity(0.6, 1.5), population=ByPopulation(0.4)),
    "neighbourhood order": replace(PLAIN, reach=NeighbourhoodOrder(1.5), own_place=False),
}
every_variant = pytest.mark.parametrize("model", VARIANTS.values(), ids=VARIANTS.keys())
every_delay = pytest.mark.parametrize("delay", DELAYS.values(), ids=DELAYS.keys())


@pytest.fixture(scope="module")
def setting(lopsided: Places) -> Setting:
    days, rng = 20, generator(1)
    calls = np.zeros((4, days))
    calls[:, 5] = calls[2, 9] = 1
    ring = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]], dtype=bool)
    return Setting(
        lopsided, Window(date(2024, 1, 1), days), Network(ring), {"heat": rng.normal(size=(4, days))}, calls,
        rng.poisson(2, days),
    )  # fmt: skip


def tolerance(model: SelfExciting, events: int) -> float:
    """Of a log density: rounding, and what a power law as a sum is known to be off by, at every event."""
    return 1e-9 + (2 * events * model.delay.error if isinstance(model.delay, PowerLawDelay) else 0.0)


@every_variant
def test_the_log_density_is_that_of_the_twin(model: SelfExciting, setting: Setting) -> None:
    history = model.simulate(setting, rng=generator(3))
    assert history.events is not None
    assert len(history.events) > 15
    expected = Twin(model, setting, history).log_density()
    assert model.log_density(setting, history) == pytest.approx(expected, abs=tolerance(model, len(history.events)))


@every_variant
def test_the_gradient_in_every_parameter(model: SelfExciting, setting: Setting) -> None:
    evaluate = model.likelihood(setting, model.simulate(setting, rng=generator(5)))
    at = vector(model)
    _, gradient = evaluate(at)
    numeric = []
    for i in range(len(at)):
        step = 1e-5 * max(abs(at[i]), 0.1) * (np.arange(len(at)) == i)
        numeric.append((evaluate(at + step)[0] - evaluate(at - step)[0]) / (2 * step[i]))
    assert len(gradient) == len(names(model))
    assert gradient == pytest.approx(np.array(numeric), rel=2e-6, abs=2e-6)
    assert (gradient != 0).all()


@every_variant
def test_what_is_expected_by_step_and_up_to_a_moment(model: SelfExciting, setting: Setting) -> None:
    history = model.simulate(setting, rng=generator(3))
    twin, days = Twin(model, setting, history), np.array([0.0, 0.3, 7.0, 7.6, 20.0])
    by_step, close = twin.by_step(), 10 * tolerance(model, 10)
    assert model.intensity(setting, history) == pytest.approx(by_step, abs=close, rel=close)
    expected = [
        by_step[:, : int(day)].sum() + sum(twin.expected(p, int(day), day) for p in range(4) if day > int(day))
        for day in days
    ]
    assert model.compensator(setting, history, days) == pytest.approx(np.array(expected), abs=close, rel=close)


@every_delay
@pytest.mark.parametrize("represses", [False, True])
def test_the_clock_of_many_events_is_the_sum_over_them(delay: Any, represses: bool, setting: Setting) -> None:
    """A hundred events, tied ones among them, at moments in any order."""
    rng = generator(9)
    times = np.sort(np.round(rng.uniform(0, 20, 100), 1))
    history = from_events(setting.places, setting.window, Events(times, rng.integers(0, 4, 100)))
    arrests = {**history.series, "arrests": rng.poisson(1.5 * history["events"]).astype(float)}
    history = replace(history, series=arrests)
    model = replace(PLAIN, delay=delay, reach=Exponential(80.0), before=EARLIER, **(REPRESSION if represses else {}))
    days = np.concatenate([rng.uniform(0, 20, 20), [0.0, 20.0, 7.0], times[:5]])
    twin = Twin(model, setting, history)
    come = np.array([[twin.expected(p, s, s + 1.0) for s in range(20)] for p in range(4)]).sum(axis=0)
    expected = []
    for day in days:
        whole = min(int(day), 19)
        rest = sum(twin.expected(p, whole, day) for p in range(4)) if day > whole else 0.0
        expected.append(come[:whole].sum() + rest)
    close = 1e-10 + (2 * delay.error if isinstance(delay, PowerLawDelay) else 0.0)
    assert model.compensator(setting, history, days) == pytest.approx(np.array(expected), rel=close, abs=1e-9)


@every_variant
def test_the_intensity_taken_apart(model: SelfExciting, setting: Setting) -> None:
    history = model.simulate(setting, rng=generator(3))
    events = history.events
    assert events is not None
    twin, found = Twin(model, setting, history), model.branching(setting, history)
    expected = [twin.at(t, p) for t, p in zip(events.time_days, events.place, strict=True)]
    close = 1e-6 if isinstance(model.delay, PowerLawDelay) else 1e-7
    assert found.rate == pytest.approx(np.array(expected), rel=close)
    assert model.rate_at(setting, history, events) == pytest.approx(np.array(expected), rel=close)
    total = found.background_probability.sum() + found.parent_probability.sum() + (found.from_before / found.rate).sum()
    assert total == pytest.approx(len(events), rel=1e-9)
    assert (found.later > found.earlier).all()
    assert (np.diff(found.later) >= 0).all()
    points = Events(np.array([0.25, 11.5, 19.9]), np.array([1, 0, 3]))
    at = [twin.at(t, p) for t, p in zip(points.time_days, points.place, strict=True)]
    assert model.rate_at(setting, history, points) == pytest.approx(np.array(at), rel=close)


@every_variant
def test_what_em_climbs_lies_below_the_log_density_and_touches_it(model: SelfExciting, setting: Setting) -> None:
    history = model.simulate(setting, rng=generator(5))
    complete, evaluate, at = (
        model.complete_likelihood(setting, history),
        model.likelihood(setting, history),
        vector(model),
    )
    shares = complete.attribute(at)
    value, gradient = complete.expected(at, shares)
    assert gradient == pytest.approx(evaluate(at)[1], rel=1e-6, abs=1e-6)  # Fisher's identity
    rng = generator(2)
    for _ in range(5):
        there = np.array([leaf.from_free(leaf.to_free(leaf.value) + 0.2 * rng.normal()) for leaf in leaves(model)])
        rise = complete.expected(there, shares)[0] - value
        assert rise <= evaluate(there)[0] - evaluate(at)[0] + 1e-6
    k = int(rng.integers(len(at)))
    step = 1e-5 * at[k] * (np.arange(len(at)) == k)
    up, down = (complete.expected(at + sign * step, shares)[0] for sign in (1, -1))
    assert gradient[k] == pytest.approx((up - down) / (2 * step[k]), rel=1e-5, abs=1e-5)


@every_delay
def test_a_delay_is_a_density_with_its_slopes(delay: Any) -> None:
    u = np.array([-1.0, 1e-3, 0.4, 0.8, 2.0, 7.0, 40.0])
    error = delay.error if isinstance(delay, PowerLawDelay) else 1e-12
    whole = delay.integral(np.array([delay.knots[-1]]))[0] if isinstance(delay, StepDelay) else 1.0
    assert delay.value(u) / whole == pytest.approx(np.array([g(delay, each) for each in u]), rel=error)
    assert delay.integral(u) / whole == pytest.approx(np.array([big_g(delay, each) for each in u]), abs=error)
    at = vector(delay)
    for verb in ("value", "integral"):
        slopes = getattr(delay, {"value": "gradient", "integral": "integral_gradient"}[verb])(u)
        for k, name in enumerate(names(delay)):
            up, down = (getattr(delay.replacing({name: at[k] + h}), verb)(u) for h in (1e-6, -1e-6))
            assert slopes[k] == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-8)


def test_the_error_of_the_power_law_is_what_it_is_said_to_be() -> None:
    u = np.concatenate([[0.0], np.geomspace(1e-6, 1e4, 300)])
    for scale, decay in ((0.01, 1.1), (1.0, 1.8), (5.0, 3.0), (1.0, 6.0)):
        delay = PowerLawDelay(scale, decay)
        off = np.abs(delay.value(u) / np.array([g(delay, each) if each else (decay - 1) / scale for each in u]) - 1)
        assert 0.5 * delay.error < off.max() < 1.01 * delay.error + 1e-12
        assert delay.error < 1e-4


def test_the_general_loops_give_what_the_plain_ones_give(setting: Setting) -> None:
    for model in (VARIANTS["exponential, by place"], VARIANTS["exponential, on cities"]):
        history = model.simulate(setting, rng=generator(4))
        plain, general = model.likelihood(setting, history), GeneralDensity(model, setting, history, history.events)  # type: ignore[arg-type]
        assert not isinstance(plain, GeneralDensity)
        for mine, theirs in zip(general(vector(model)), plain(vector(model)), strict=True):
            assert mine == pytest.approx(theirs, rel=1e-10)


def test_ties_do_not_excite_each_other_whatever_the_delay(setting: Setting) -> None:
    times = np.array([1.0, 1.0, 2.0, 2.0, 2.0, 5.0])
    place = np.array([0, 1, 0, 0, 2, 1])
    for delay in DELAYS.values():
        model = replace(PLAIN, delay=delay, reach=Exponential(80.0), course=Course(Effects(trend=0.1)))
        for order in ([0, 1, 2, 3, 4, 5], [1, 0, 4, 2, 3, 5]):
            history = History(
                setting.places, setting.window, {"events": np.zeros((4, 20))}, Events(times, place[order])
            )
            with pytest.warns(UserWarning, match="share their time"):
                value = model.log_density(setting, history)
            assert value == pytest.approx(Twin(model, setting, history).log_density(), abs=1e-5)


# --- simulation ---


@pytest.mark.parametrize(
    "name", ["two exponentials, on cities", "power law, by place", "crowds", "repression", "media, calls, abroad"]
)
def test_scores_and_residuals_average_zero_at_the_truth(name: str, setting: Setting) -> None:
    model = VARIANTS[name]
    scores, residuals = [], []
    for seed in range(100):
        history = model.simulate(setting, rng=generator(seed))
        scores.append(model.likelihood(setting, history)(vector(model))[1])
        residuals.append((history["events"] - model.intensity(setting, history)).sum(axis=1))
    for sample in (np.array(scores), np.array(residuals)):
        if name == "crowds" and sample.shape[1] != 4:
            sample = np.delete(sample, names(model).index("size.power"), axis=1)
        error = sample.std(axis=0, ddof=1) / math.sqrt(len(sample))
        assert (np.abs(sample.mean(axis=0)) < 3.6 * error).all()


def test_both_ways_of_drawing_follow_one_law(setting: Setting) -> None:
    """The plain form is drawn event by event; a course of 0 has the same law and is drawn step by step."""
    plain = VARIANTS["exponential, on cities"]
    stepped = replace(plain, course=Course(Effects(trend=0.0)))
    past = plain.simulate(setting, rng=generator(1)).during(8)
    samples = []
    for model in (plain, stepped):
        draws = model.paths(setting, past, draws=500, rng=generator(2))
        samples.append(draws.reshape(500, -1))
    first, second = samples
    difference = first.mean(axis=0) - second.mean(axis=0)
    error = np.sqrt((first.var(axis=0) + second.var(axis=0)) / 500)
    assert (np.abs(difference) < 4 * error + 1e-12).all()
    spread = [sample.sum(axis=1).std() for sample in samples]
    assert spread[0] == pytest.approx(spread[1], rel=0.12)
    waits = [np.diff(np.concatenate([m.simulate(setting, rng=generator(s)).events.time_days for s in range(120)]))  # type: ignore[union-attr]
             for m in (plain, stepped)]  # fmt: skip
    short = [float((w[w > 0] < 0.05).mean()) for w in waits]
    assert short[0] == pytest.approx(short[1], abs=0.025)


def test_a_past_is_kept_and_goes_on_exciting(setting: Setting) -> None:
    model = replace(VARIANTS["repression"], size=CROWDS, by_step=False)
    past = model.simulate(setting, rng=generator(1)).during(8)
    whole = model.simulate(setting, rng=generator(2), given=past)
    assert past.events is not None
    assert whole.events is not None
    assert np.array_equal(whole.events.time_days[: len(past.events)], past.events.time_days)
    assert np.array_equal(whole["events"][:, :8], past["events"])
    assert np.array_equal(whole["arrests"][:, :8], past["arrests"])
    assert ((whole["arrests"] > 0) <= (whole["events"] > 0)).all()


def test_repression_step_by_step_is_repression_at_once(setting: Setting) -> None:
    model = VARIANTS["repression"]
    arrests = generator(4).poisson(3.0, setting.shape).astype(float)
    history = History(setting.places, setting.window, {"arrests": arrests})
    one_by_one = Repression(model, setting)
    found = np.stack([one_by_one.next(arrests, step) for step in range(20)], axis=1)
    assert found == pytest.approx(Surroundings(model, setting, history).factor(model), rel=1e-12)


def test_repression_holds_events_down(setting: Setting) -> None:
    model = replace(VARIANTS["repression"], backlash=None).replacing({"arrests.per_event": 50.0, "background": 6.0})
    strong = model.replacing({"deterrence.strength": 1.0})
    free = model.replacing({"deterrence.strength": 0.0})
    counts = [
        np.mean([len(m.simulate(setting, rng=generator(s)).events or []) for s in range(20)]) for m in (free, strong)
    ]
    assert counts[1] < 0.6 * counts[0]


# --- fits ---


@pytest.mark.parametrize("name", ["two exponentials, by place", "steps, by place", "crowds", "media, calls, abroad"])
def test_a_long_record_gives_the_parameters_back(name: str, lopsided: Places) -> None:
    days = 500
    calls = np.zeros((4, days))
    calls[:, ::50] = 1
    longer = Setting(lopsided, Window(date(2024, 1, 1), days), calls=calls, abroad=generator(2).poisson(2, days))
    model = replace(VARIANTS[name], before=None).replacing({"background": 3.0})
    history = model.simulate(longer, rng=generator(8))
    found = fit(model, longer, history, MaximumLikelihood(), rng=generator(1))
    assert found.converged
    off = (found.estimate - vector(model)) / found.standard_error
    assert np.isfinite(off).sum() >= len(off) - 1
    assert (np.abs(off[np.isfinite(off)]) < 3.3).all()


FIXED = {"delay.decay": 0.5}  # without triggering it has nothing to be learnt from


def test_a_moving_background_is_not_taken_for_triggering(setting: Setting) -> None:
    """Poisson events whose rate jumps tenfold: a constant background finds triggering, one with the jump does not."""
    longer = Setting(Places.single(), Window(date(2024, 1, 1), 120))
    jump = Course(Effects({"from 2024-03-01": 2.3}))
    truth = SelfExciting(2.0, 0.0, ExponentialDelay(0.5), course=jump)
    history = truth.simulate(longer, rng=generator(3))
    constant, moving = (
        fit(SelfExciting(2.0, 0.3, course=c), longer, history, MaximumLikelihood(), rng=generator(1), fixed=FIXED)
        for c in (None, jump)
    )
    ratio = [found.estimate[found.names.index("branching_ratio")] for found in (constant, moving)]
    assert ratio[0] > 0.5
    assert ratio[1] < 0.15
    assert moving.details["aic"] < constant.details["aic"] - 20


@every_delay
def test_events_without_triggering_are_told_so(delay: Any) -> None:
    """Poisson events: the search ends, at no offspring or at delays longer than the record, and says which."""
    longer = Setting(Places.single(), Window(date(2024, 1, 1), 200))
    for seed in (0, 1, 2):
        history = SelfExciting(1.0, 0.0).simulate(longer, rng=generator(seed))
        found = fit(SelfExciting(1.0, 0.4, delay), longer, history, MaximumLikelihood(), rng=generator(1))
        constant = len(history.events or []) * (math.log(len(history.events or []) / 200) - 1)
        assert found.converged
        assert constant - 1e-6 <= found.log_density < constant + 5
        words = " ".join(found.notes)
        assert (
            "no event was set off by another" in words
            or "background that rises or falls" in words
            or (not math.isnan(found.standard_error[1]))
        )


def test_delays_of_ages_lose_no_digits(setting: Setting) -> None:
    """n large and the decay tiny, with n x decay as it was: the limit is a rate that rises by n x decay an event."""
    one = Setting(Places.single(), Window(date(2024, 1, 1), 20))
    history = SelfExciting(2.0, 0.3).simulate(one, rng=generator(1))
    assert history.events is not None
    times = history.events.time_days
    limit = sum(math.log(2 + 0.01 * i) for i in range(len(times))) - 40 - 0.01 * (20 - times).sum()
    for decay in (1e-7, 1e-12, 1e-18):
        model = SelfExciting(2.0, 0.01 / decay, ExponentialDelay(decay))
        assert model.log_density(one, history) == pytest.approx(limit, abs=1e-4 if decay > 1e-8 else 1e-9)


# --- what cannot be meant ---


def test_what_a_part_needs_is_asked_for(setting: Setting) -> None:
    bare = Setting(setting.places, setting.window)
    history = PLAIN.simulate(bare, rng=generator(1))
    with pytest.raises(DataError, match=r"acts on Setting.calls"):
        replace(PLAIN, call=Call()).log_density(bare, history)
    with pytest.raises(DataError, match=r"acts on Setting.abroad"):
        replace(PLAIN, abroad=Abroad()).simulate(bare, rng=generator(1))
    with pytest.raises(DataError, match="no arrests"):
        replace(PLAIN, **REPRESSION).log_density(bare, history)
    with pytest.raises(ParameterError, match="no arrests, on which they act"):
        replace(PLAIN, deterrence=Deterrence())
    with pytest.raises(DataError, match="have no sizes"):
        replace(PLAIN, size=BySize()).log_density(bare, history)
    with pytest.raises(UsageError, match="simulated events need sizes"):
        replace(PLAIN, size=BySize()).simulate(bare, rng=generator(1))
    with pytest.raises(DataError, match="steps of 7 days"):
        replace(PLAIN, **REPRESSION).simulate(Setting(setting.places, Window(date(2024, 1, 1), 7, 7)), rng=generator(1))
    with pytest.raises(DataError, match="outside the window"):
        replace(PLAIN, course=Course(Effects({"from 2024-01-01": 1.0}))).simulate(bare, rng=generator(1))
    with pytest.raises(ParameterError, match="log weights for all but the first"):
        SumOfExponentials(Effects(fast=1.0), Effects())
    with pytest.raises(ParameterError, match="must rise"):
        StepDelay(8.0)
    assert not can(replace(PLAIN, by_step=True), "compensator")
    assert not can(PLAIN, "pointwise")
