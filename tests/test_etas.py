"""Self-exciting events with marks in the plane, against slow twins, closed forms and their own simulations."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from datetime import date
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import etas as naive
from scipy.stats import kstest

from groundswell.data.history import Events, History, from_events
from groundswell.data.places import Places
from groundswell.data.region import Region
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, ParameterError, UsageError
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.events import cubature
from groundswell.models.events.etas import Etas, ExponentialMarks, Triggering
from groundswell.models.events.kernel_background import KernelBackground
from groundswell.params import names, vector
from groundswell.rng import generator

BOX = (0.0, 0.0, 60.0, 100.0)
DAYS = 50
PART = Triggering(0.4, alpha=0.9, c=0.3, p=1.4, D=25.0, gamma=0.5, q=1.7)


def events(count: int, seed: int, low: float, high: float, box: tuple[float, float, float, float] = BOX) -> Events:
    """Events anywhere in a box, with magnitudes of 3 and more."""
    rng = generator(seed)
    return Events(
        np.sort(low + (high - low) * rng.random(count)), np.zeros(count, dtype=int),
        x_km=box[0] + (box[2] - box[0]) * rng.random(count), y_km=box[1] + (box[3] - box[1]) * rng.random(count),
        marks={"magnitude": 3 + rng.exponential(0.5, count)},
    )  # fmt: skip


def kernels(seed: int = 3) -> KernelBackground:
    rng = generator(seed)
    points = np.array([60.0, 100.0]) * rng.random((15, 2))
    return KernelBackground(points, 4 + 20 * rng.random(15), rng.random(15))


def case(**changes: object) -> tuple[Etas, Setting, History]:
    """Thirty events in a rectangle, with some before and some outside."""
    setting = Setting(Places.single(), Window(date(2024, 1, 1), DAYS), region=Region.rectangle(*BOX))
    model = Etas(
        0.5, PART, ExponentialMarks(0.6), threshold=3.0,
        before=events(6, 11, -40, -1, (-30, 0, 90, 100)), outside=events(8, 12, 0, DAYS, (61, -20, 110, 100)),
    )  # fmt: skip
    model = replace(model, **changes)  # type: ignore[arg-type]
    return model, setting, from_events(setting.places, setting.window, events(30, 1, 0, DAYS))


def on_the_plane() -> tuple[Etas, Setting, History]:
    model, setting, history = case(spread=kernels(), outside=None)
    return model, replace(setting, region=None), history


CASES = {
    "evenly": case(),
    "by kernels": case(spread=kernels()),
    "on the plane": on_the_plane(),
    "marks as given": case(marks=None, before=None, outside=None),
    "a background alone": case(triggering=None),
}
every_case = pytest.mark.parametrize("name", CASES)


@cache
def twin_of(name: str) -> Twin:
    return Twin(*CASES[name])


class Twin:
    """The same model, told by the twin's loops."""

    def __init__(self, model: Etas, setting: Setting, history: History) -> None:
        assert history.events is not None
        groups = [one for one in (history.events, model.before, model.outside) if one is not None]
        self.model, self.own = model, history.events
        self.part = asdict(model.triggering) if model.triggering is not None else asdict(PART) | {"offspring": 0.0}
        self.time = np.concatenate([one.time_days for one in groups])
        self.x = np.concatenate([np.asarray(one.x_km) for one in groups])
        self.y = np.concatenate([np.asarray(one.y_km) for one in groups])
        self.excess = np.concatenate([one.marks["magnitude"] for one in groups]) - model.threshold
        self.shares = [1.0] * len(self.time)
        if setting.region is not None:
            columns = zip(self.x, self.y, self.excess, strict=True)
            self.shares = [naive.share_in_box(self.part, x, y, excess, BOX) for x, y, excess in columns]
        self.inside = 1.0
        if model.spread is not None and setting.region is not None:
            cells_x, cells_y = (np.arange(400) + 0.5) * 0.15, (np.arange(400) + 0.5) * 0.25
            grid = np.meshgrid(cells_x, cells_y)
            self.inside = float(model.spread.density(grid[0].ravel(), grid[1].ravel()).sum()) * 0.15 * 0.25

    def background(self, x: float, y: float) -> float:
        spread = self.model.spread
        if spread is None:
            return self.model.background / 6000
        found = naive.density(x, y, spread.points, spread.bandwidth_km, spread.weight)
        return self.model.background * found / self.inside

    def rate(self, t: float, x: float, y: float) -> float:
        return naive.rate(self.part, self.background(x, y), self.time, self.x, self.y, self.excess, t, x, y)

    def shares_of_rates(self) -> list[list[float]]:
        """For each event the parts of its intensity over the whole: of the background, of each earlier event."""
        own, found = self.own, []
        assert own.x_km is not None
        assert own.y_km is not None
        every = list(zip(self.time, self.x, self.y, self.excess, strict=True))
        for t, x, y in zip(own.time_days, own.x_km, own.y_km, strict=True):
            parts = [self.background(x, y)]
            parts += [naive.added(self.part, t - s, (x - a) ** 2 + (y - b) ** 2, e) for s, a, b, e in every if s < t]
            found.append([part / sum(parts) for part in parts if part > 0])
        return found

    def compensator(self, until: float) -> float:
        return naive.compensator(self.part, self.model.background, self.time, self.excess, self.shares, until)

    def log_density(self) -> float:
        own = self.own
        assert own.x_km is not None
        assert own.y_km is not None
        value = -self.compensator(DAYS)
        for t, x, y, mark in zip(own.time_days, own.x_km, own.y_km, own.marks["magnitude"], strict=True):
            value += math.log(self.rate(t, x, y))
            if self.model.marks is not None:
                value -= math.log(self.model.marks.mean) + (mark - 3) / self.model.marks.mean
        return value


@every_case
def test_the_log_density_is_the_twins(name: str) -> None:
    model, setting, history = CASES[name]
    assert model.log_density(setting, history) == pytest.approx(twin_of(name).log_density(), abs=1e-4)


def test_on_the_plane_no_integral_is_left_and_the_twin_agrees_to_rounding() -> None:
    model, setting, history = CASES["on the plane"]
    assert model.log_density(setting, history) == pytest.approx(twin_of("on the plane").log_density(), rel=1e-12)


@every_case
def test_slopes_are_those_of_differences_and_so_are_second_derivatives(name: str) -> None:
    model, setting, history = CASES[name]
    density, at = model.likelihood(setting, history), vector(model)
    gradient, information = density(at)[1], density.information(at)  # type: ignore[attr-defined]
    for k, parameter in enumerate(names(model)):
        step = 1e-5 * max(abs(at[k]), 0.1) * (np.arange(len(at)) == k)
        (up, above), (down, below) = density(at + step), density(at - step)
        width = 2 * step[k]
        assert gradient[k] == pytest.approx((up - down) / width, rel=1e-6, abs=1e-6), parameter
        assert information[k] == pytest.approx((below - above) / width, rel=1e-5, abs=1e-4), parameter


@every_case
def test_what_em_climbs_is_the_complete_log_density_averaged_over_parents(name: str) -> None:
    """The sum of P(j set off i) log lambda_ij less the integral; at its own x its slope is that of the density."""
    model, setting, history = CASES[name]
    complete, density = model.complete_likelihood(setting, history), model.likelihood(setting, history)
    at = vector(model)
    shares, twin = complete.attribute(at), twin_of(name)
    value, gradient = complete.expected(at, shares)
    observed, slope = density(at)
    assert gradient == pytest.approx(slope, rel=1e-9, abs=1e-9)
    known = sum(share * math.log(share) for shares_of_one in twin.shares_of_rates() for share in shares_of_one)
    on_a_grid = model.spread is not None and setting.region is not None  # the twin's integral of the background
    assert value - known == pytest.approx(observed, abs=1e-4 if on_a_grid else 1e-7)
    rng = np.random.default_rng(4)
    for _ in range(3):
        there = at * np.exp(0.1 * rng.random(len(at)))
        moved, slopes = complete.expected(there, shares)
        assert moved - value <= density(there)[0] - observed + 1e-9
        for k, parameter in enumerate(names(model)):
            step = 1e-5 * max(abs(there[k]), 0.1) * (np.arange(len(at)) == k)
            up, down = (complete.expected(there + by, shares)[0] for by in (step, -step))
            assert slopes[k] == pytest.approx((up - down) / (2 * step[k]), rel=1e-6, abs=1e-5), parameter


@every_case
def test_rates_and_what_is_expected_are_the_twins(name: str) -> None:
    model, setting, history = CASES[name]
    twin = twin_of(name)
    points = events(12, 5, -5, DAYS + 5, (-20, -20, 80, 120))
    assert points.x_km is not None
    assert points.y_km is not None
    found = model.rate_at(setting, history, points)
    for k in range(len(points)):
        there = twin.rate(points.time_days[k], float(points.x_km[k]), float(points.y_km[k]))
        assert found[k] == pytest.approx(there, rel=1e-4)
    days = np.array([0.0, 0.5, 17.0, float(DAYS)])
    expected = model.compensator(setting, history, days)
    assert expected == pytest.approx([twin.compensator(day) for day in days], abs=1e-4)
    steps = model.intensity(setting, history)
    assert steps.shape == (1, DAYS)
    assert steps.sum() == pytest.approx(expected[-1], rel=1e-12)
    assert steps[0, :17].sum() == pytest.approx(expected[2], rel=1e-12)


@every_case
def test_the_log_density_is_made_of_the_other_verbs(name: str) -> None:
    model, setting, history = CASES[name]
    own = history.events
    assert own is not None
    value = float(np.log(model.rate_at(setting, history, own)).sum())
    value -= float(model.compensator(setting, history, np.array([float(DAYS)]))[0])
    if model.marks is not None:
        value += float((-np.log(model.marks.mean) - model.excess(own) / model.marks.mean).sum())
    assert model.log_density(setting, history) == pytest.approx(value, rel=1e-12)
    parts = model.branching(setting, history)
    assert parts.rate == pytest.approx(model.rate_at(setting, history, own), rel=1e-6)
    assert parts.background == pytest.approx(model.background_at(setting, own), rel=1e-12)


def test_parents_are_the_twins_and_those_from_elsewhere_are_told_apart() -> None:
    model, setting, history = case()
    own, part = history.events, asdict(PART)
    assert own is not None
    assert own.x_km is not None
    assert own.y_km is not None
    found = model.branching(setting, history)
    pairs = {(i, j): w for i, j, w in zip(found.later, found.earlier, found.triggered, strict=True)}
    excess = own.marks["magnitude"] - 3
    for i in range(len(own)):
        left_out = 0.0
        for j in range(i):
            square = (own.x_km[i] - own.x_km[j]) ** 2 + (own.y_km[i] - own.y_km[j]) ** 2
            there = naive.added(part, own.time_days[i] - own.time_days[j], square, excess[j])
            if (i, j) in pairs:
                assert pairs[i, j] == pytest.approx(there, rel=1e-12)
            else:
                left_out += there
        assert left_out <= 1e-8 * i * found.rate[i]
    alone = replace(model, before=None, outside=None).branching(setting, history)
    assert not alone.from_before.any()
    assert found.from_before == pytest.approx(
        model.rate_at(setting, history, own) - replace(model, before=None, outside=None).rate_at(setting, history, own)
    )
    assert (np.diff(found.later) >= 0).all()


def test_nothing_and_one_event() -> None:
    for count in (0, 1):
        model, setting, _ = case(before=None, outside=None)
        own = events(count, 3, 0, DAYS)
        history = from_events(setting.places, setting.window, own)
        density, at = model.likelihood(setting, history), vector(model)
        value, gradient = density(at)
        twin = Twin(model, setting, history)
        assert value == pytest.approx(twin.log_density(), abs=1e-5)
        assert np.isfinite(gradient).all()
        assert np.isfinite(density.information(at)).all()  # type: ignore[attr-defined]
        assert len(model.branching(setting, history).later) == 0


def test_tied_events_do_not_excite_each_other_and_are_met_with_a_warning() -> None:
    model, setting, history = case(before=None, outside=None)
    own = history.events
    assert own is not None
    times = own.time_days.copy()
    times[11:14] = times[10]
    tied = from_events(setting.places, setting.window, replace(own, time_days=times))
    with pytest.warns(GroundswellWarning, match="3 of 30 events share"):
        density = model.likelihood(setting, tied)
    assert density(vector(model))[0] == pytest.approx(Twin(model, setting, tied).log_density(), abs=1e-4)
    parts = model.branching(setting, tied)
    assert (times[parts.earlier] < times[parts.later]).all()


def test_without_offspring_events_are_poisson() -> None:
    model, setting, history = case(marks=None)
    calm = model.replacing({"triggering.offspring": 0.0})
    expected = 30 * math.log(0.5 / 6000) - 0.5 * DAYS
    assert calm.log_density(setting, history) == pytest.approx(expected, rel=1e-12)
    assert replace(model, triggering=None).log_density(setting, history) == pytest.approx(expected, rel=1e-12)
    slope = calm.likelihood(setting, history)(vector(calm))[1]
    assert np.isfinite(slope).all()
    nothing = model.replacing({"background": 0.0, "triggering.offspring": 0.0})
    assert nothing.log_density(setting, history) == -math.inf


@given(st.floats(0.1, 10.0), st.floats(-1.0, 1.0), st.floats(-50.0, 50.0))
def test_units_thresholds_and_origins_do_not_matter(scale: float, shift: float, moved: float) -> None:
    """A map in other units loses log(scale^2) an event; another threshold is other values of offspring and D."""
    model, setting, history = case(marks=None, before=None, outside=None)
    own = history.events
    assert own is not None
    value = model.log_density(setting, history)
    assert own.x_km is not None
    assert own.y_km is not None
    wider = replace(own, x_km=scale * (own.x_km + moved), y_km=scale * (own.y_km - moved))
    region = Region.rectangle(scale * moved, -scale * moved, scale * (60 + moved), scale * (100 - moved))
    far = model.replacing({"triggering.D": PART.D * scale**2})
    got = far.log_density(replace(setting, region=region), replace(history, events=wider))
    # nodes are as close as suits kernels of 2 km and more; a map of other units has others
    assert got + 30 * 2 * math.log(scale) == pytest.approx(value, abs=2e-3)
    lower = replace(model, threshold=3 - abs(shift)).replacing(
        {
            "triggering.offspring": PART.offspring * math.exp(-PART.alpha * abs(shift)),
            "triggering.D": PART.D * math.exp(-PART.gamma * abs(shift)),
        }
    )
    assert lower.log_density(setting, history) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("area", "q"), [(4.0, 1.3), (30.0, 1.8), (400.0, 3.0)])
def test_the_share_in_the_region_has_converged(area: float, q: float) -> None:
    shape = np.array([[0.0, 0], [300, 0], [300, 200], [180, 40], [20, 200]])
    region = Region((shape,))
    points = np.concatenate([region.draw(400, generator(1)), [[0.3, 0.4], [299, 1], [-5, 3]]])
    found = []
    for nodes in (None, 30):
        at = cubature.seen_from(points, region, np.inf, nodes=nodes).nodes
        beyond = (1 + at.distance**2 / area) ** (1 - q)
        found.append(at.integral((1 - beyond) / (2 * math.pi), 0.0))
    off = np.abs(found[0] - found[1])
    assert off.max() < 3e-4
    assert np.quantile(off, 0.95) < 5e-6


def descendants(part: Triggering, days: int, count: int = 60_000) -> tuple[Events, Events]:
    """What events just before the window set off on the plane; each a thousand km from the next."""
    marks = 3 + generator(8).exponential(0.3, count)
    parents = Events(
        np.full(count, -1e-6), np.zeros(count, dtype=int), x_km=1e5 * np.arange(count), y_km=np.zeros(count),
        marks={"magnitude": marks},
    )  # fmt: skip
    nothing = KernelBackground(np.zeros((1, 2)), np.ones(1), np.ones(1))
    setting = Setting(Places.single(), Window(date(2024, 1, 1), days))
    model = Etas(0.0, part, ExponentialMarks(1e-9), spread=nothing, threshold=3.0, before=parents)
    made = model.simulate(setting, rng=generator(9)).events
    assert made is not None
    return parents, made


def test_simulated_offspring_come_as_often_as_late_and_as_far_as_stated() -> None:
    """With hardly any grandchildren: offspring .02 for those at the threshold, more for large parents."""
    part = Triggering(0.02, alpha=2.0, c=2.0, p=1.6, D=9.0, gamma=1.0, q=1.9)
    parents, made = descendants(part, 60)
    assert made.x_km is not None
    assert made.y_km is not None
    mother = np.rint(made.x_km / 1e5).astype(int)
    excess = parents.marks["magnitude"][mother] - 3
    within = 1 - (1 + 60 / 2.0) ** (1 - 1.6)
    expected = part.expected(parents.marks["magnitude"] - 3).sum() * within
    assert len(made) == pytest.approx(expected * 1.02, abs=4 * math.sqrt(expected) + 0.02 * expected)
    late = (1 - (1 + made.time_days / 2.0) ** (1 - 1.6)) / within
    square = (made.x_km - 1e5 * mother) ** 2 + made.y_km**2
    near = 1 - (1 + square / (9 * np.exp(excess))) ** (1 - 1.9)
    assert len(made) > 1200
    assert kstest(late, "uniform").pvalue > 1e-3
    assert kstest(near, "uniform").pvalue > 1e-3


def test_a_simulation_keeps_what_is_given_and_goes_on_from_it() -> None:
    model, setting = Etas.example()
    past = model.simulate(setting.during(90), rng=generator(2))
    whole = model.simulate(setting, rng=generator(3), given=past)
    assert past.events is not None
    assert whole.events is not None
    first = len(past.events)
    assert whole.events.time_days[:first] == pytest.approx(past.events.time_days)
    assert whole.events.marks["magnitude"][:first] == pytest.approx(past.events.marks["magnitude"])
    assert (whole.events.time_days[first:] > 90).all()
    calm = replace(model, triggering=None)
    none = from_events(setting.places, setting.during(90).window, past.events.take(np.zeros(0, dtype=int)))
    later = [len(calm.simulate(setting, rng=rng, given=none).events or ()) for rng in generator(4).spawn(200)]
    assert np.mean(later) == pytest.approx(0.4 * 90, abs=4 * math.sqrt(36 / 200))


def test_compensated_times_of_a_right_model_are_a_unit_poisson_process() -> None:
    model, setting = Etas.example()
    setting = replace(setting, window=Window(date(2024, 1, 1), 700))
    model = replace(model, before=events(30, 4, -20, -0.1, (0, 0, 300, 150)), threshold=3.0)
    history = model.simulate(setting, rng=generator(12))
    own = history.events
    assert own is not None
    at = model.compensator(setting, history, own.time_days)
    total = float(model.compensator(setting, history, np.array([700.0]))[0])
    assert abs(len(own) - total) < 4 * math.sqrt(total)
    assert kstest(at / total, "uniform").pvalue > 1e-3
    assert kstest(np.diff(at), "expon").pvalue > 1e-3
    without = replace(model, triggering=None).replacing({"background": len(own) / 700})
    assert kstest(np.diff(without.compensator(setting, history, own.time_days)), "expon").pvalue < 1e-4


def test_a_fit_holds_the_truth() -> None:
    truth, setting = Etas.example()
    setting = replace(setting, window=Window(date(2024, 1, 1), 800))
    history = truth.simulate(setting, rng=generator(3))
    found = fit(truth, setting, history, MaximumLikelihood(), rng=generator(0))
    assert found.converged
    assert (np.abs(found.estimate - vector(truth)) < 3.5 * found.standard_error).all()
    assert found.details["evaluations"] < 30, "the second derivatives are the model's own"
    own = history.events
    assert own is not None
    mean = float(np.mean(truth.excess(own)))
    assert dict(zip(found.names, found.estimate, strict=True))["marks.mean"] == pytest.approx(mean, rel=1e-6)


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """90 % Wald intervals over 150 simulations of some 700 events, all parameters."""
    truth, setting = Etas.example()
    setting = replace(setting, window=Window(date(2024, 1, 1), 1100))
    inside = np.zeros(9)
    for rng in generator(21).spawn(150):
        history = truth.simulate(setting, rng=rng)
        found = fit(truth, setting, history, MaximumLikelihood(), rng=rng)
        table = found.summary()
        low, high = (np.array(table[f"{side} 90 %"], dtype=float) for side in ("low", "high"))
        inside += (low <= vector(truth)) & (vector(truth) <= high)
    assert (inside >= 0.90 * 150 - 4 * math.sqrt(150 * 0.09)).all(), inside / 150


def test_branching_ratio_by_marks_and_by_their_law() -> None:
    model, _, history = case()
    own = history.events
    assert own is not None
    excess = own.marks["magnitude"] - 3
    assert model.branching_ratio(own) == pytest.approx(np.mean([naive.kappa(asdict(PART), e) for e in excess]))
    assert model.branching_ratio() == pytest.approx(0.4 / (1 - 0.9 * 0.6))
    assert model.replacing({"triggering.alpha": 2.0}).branching_ratio() == math.inf
    assert replace(model, triggering=None).branching_ratio(own) == 0
    with pytest.raises(DataError, match="give the events"):
        replace(model, marks=None).branching_ratio()


def test_what_a_reader_must_see_is_said() -> None:
    model, setting, history = case()
    assert model.remarks(setting, history) == ()
    assert replace(model, triggering=None).remarks(setting, history) == ()
    grown = model.replacing({"triggering.offspring": 2.0}).remarks(setting, history)
    assert len(grown) == 1
    assert "grow without bound" in grown[0]
    steep = model.replacing({"triggering.alpha": 2.0, "triggering.offspring": 0.05}).remarks(setting)
    assert "offspring without limit" in steep[0]
    late = model.replacing({"triggering.p": 1.01}).remarks(setting, history)
    assert "come within the 50 days" in late[0]


def test_what_cannot_be_weighed_is_refused() -> None:
    model, setting, history = case()
    own = history.events
    assert own is not None

    def changed(**changes: object) -> History:
        return replace(history, events=replace(own, **changes))  # type: ignore[arg-type]

    low = own.marks["magnitude"].copy()
    low[:2] = 2.9
    for wrong, said in (
        (changed(x_km=None), "have no positions on a plane map"),
        (changed(marks={}), 'reads the mark "magnitude"'),
        (changed(marks={"magnitude": low}), "of 2 of 30 events is missing or below the threshold 3"),
        (changed(x_km=np.where(np.arange(30) == 3, -5.0, own.x_km)), "1 of 30 events are outside the region"),
        (replace(history, events=None), "counts alone"),
    ):
        with pytest.raises(DataError, match=said):
            model.likelihood(setting, wrong)
    with pytest.raises(DataError, match=r"spread=KernelBackground\.around"):
        replace(model, outside=None).likelihood(replace(setting, region=None), history)
    with pytest.raises(DataError, match=r"8 of 8 events of Etas\.outside are inside"):
        case(outside=events(8, 3, 0, DAYS))[0].likelihood(setting, history)
    with pytest.raises(DataError, match="50 steps and the setting 40; expected the same"):
        case()[0].likelihood(setting.during(40), history)
    with pytest.raises(DataError, match="expected times below 0"):
        case(before=own)
    with pytest.raises(ParameterError, match="expected a finite mark"):
        case(threshold=math.nan)
    with pytest.raises(UsageError, match="no law of the marks"):
        case(marks=None)[0].simulate(setting, rng=generator(1))
    with pytest.raises(UsageError, match="max_events = 5"):
        case(max_events=5)[0].simulate(setting, rng=generator(1))
    two = Setting(Places(("A", "B"), np.ones(2)), setting.window, region=setting.region)
    with pytest.raises(DataError, match="tells 2 places apart by the tiles"):
        case()[0].simulate(two, rng=generator(1))
    with pytest.raises(DataError, match="which has 0 for 2 places"):
        case()[0].intensity(two, from_events(two.places, two.window, own))
