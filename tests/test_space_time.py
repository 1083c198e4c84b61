"""Events in the plane: gradient, a naive twin, edges of the region, simulation against the likelihood."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from groundswell.data.history import Events, History
from groundswell.data.places import Places
from groundswell.data.region import Projection, Region
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, ParameterError, UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.posterior import Posterior
from groundswell.models.delays import Delay, ExponentialDelay, StepDelay, UniformDelay
from groundswell.models.events import cubature
from groundswell.models.events.space_time import Endemic, Offspring, SpaceTime
from groundswell.models.random_effects import RandomIntercepts
from groundswell.models.triggering import Exponential, Gaussian, PowerLaw, Reach, Steps
from groundswell.params import Effects, from_vector, names, vector
from groundswell.rng import generator
from groundswell.studies.published import plane
from tests.naive import space_time as naive

REACHES: tuple[Reach, ...] = (
    Gaussian(14.0),
    Exponential(9.0),
    PowerLaw(6.0, 2.4),
    Steps(5.0, Effects({"20": -1.0, "60": -2.5})),
)
STEP_DELAY = StepDelay(0.5, Effects({"4": float(np.log(0.5)), "10": float(np.log(0.1))}))
L_SHAPE = np.array([[0.0, 0], [100, 0], [100, 40], [40, 40], [40, 100], [0, 100]])
HOLE = np.array([[10.0, 10], [10, 30], [30, 30], [30, 10]])
WITH_A_HOLE = Region((L_SHAPE, HOLE))


def over(setting: Setting, days: int) -> Setting:
    """The same areas over another number of days."""
    columns = {name: values[:, :1] for name, values in setting.covariates.items()}
    return dataclasses.replace(setting, window=Window(date(2024, 1, 1), days), covariates=columns)


def case(reach: Reach, seed: int = 1, **changes: object) -> tuple[SpaceTime, Setting, History]:
    """Two kinds of events on two areas, with marks, a trend and a delay."""
    _, setting = SpaceTime.example()
    setting = over(setting, 60)
    rng = generator(seed)
    assert setting.region is not None
    at = setting.region.draw(80, rng)
    events = Events(
        np.sort(rng.random(80) * 60), setting.region.tile_of(*at.T), x_km=at[:, 0], y_km=at[:, 1],
        kind=rng.integers(0, 2, 80), marks={"crowd": rng.normal(size=80)},
    )  # fmt: skip
    model = SpaceTime(
        Endemic(-13.0, Effects(trend=0.01), offset="density"),
        Offspring(-0.8, Effects(crowd=0.3), reach, ExponentialDelay(0.2), 60.0, 20.0, **changes),  # type: ignore[arg-type]
        kinds=2,
    )
    return model, setting, History(setting.places, setting.window, {}, events)


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: type(reach).__name__)
def test_value_is_that_of_the_naive_twin(reach: Reach, across: bool) -> None:
    model, setting, history = case(reach, across=across)
    assert model.log_density(setting, history) == pytest.approx(naive.log_density(model, setting, history), abs=2e-3)


@pytest.mark.parametrize("delay", [ExponentialDelay(0.2), UniformDelay(), STEP_DELAY], ids=lambda d: type(d).__name__)
@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: type(reach).__name__)
def test_gradient_is_that_of_differences(reach: Reach, delay: Delay) -> None:
    model, setting, history = case(reach)
    assert model.offspring is not None
    model = dataclasses.replace(model, offspring=dataclasses.replace(model.offspring, delay=delay))
    density, at = model.likelihood(setting, history), vector(model)
    found = density(at)[1]
    for k, name in enumerate(names(model)):
        step = np.eye(len(at))[k] * 1e-5
        slope = (density(at + step)[0] - density(at - step)[0]) / 2e-5
        assert found[k] == pytest.approx(slope, rel=1e-6, abs=1e-6), name


@pytest.mark.parametrize("endemic", [True, False])
@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: type(reach).__name__)
def test_information_is_that_of_differences(reach: Reach, endemic: bool) -> None:
    model, setting, history = case(reach, across=True)
    if not endemic:
        model = dataclasses.replace(model, endemic=None)
    density, at = model.likelihood(setting, history), vector(model)
    information = density.information(at)  # type: ignore[attr-defined]
    slopes = [(density(at + step)[1] - density(at - step)[1]) / 2e-5 for step in np.eye(len(at)) * 1e-5]
    assert information == pytest.approx(-np.array(slopes), rel=1e-5, abs=1e-5)
    assert np.array_equal(information, information.T)


@pytest.mark.parametrize("reach_km", [7.0, 35.0, 300.0])
def test_areas_seen_from_a_point_by_the_boundary(reach_km: float) -> None:
    """F(r) = r^2 / 2 integrates 1: the area of the disc within an outline with a hole, against points in number.

    The last points lie on an edge, on a corner that points in, and on one that points out.
    """
    points = np.array([[5.0, 5.0], [35.0, 35.0], [70.0, 20.0], [39.0, 90.0], [70.0, 0.0], [0.0, 0.0], [40.0, 40.0]])
    seen = cubature.seen_from(points, WITH_A_HOLE, reach_km)
    areas = seen.integral(seen.radius**2 / 2, reach_km**2 / 2)
    cells = (np.arange(1000) + 0.5) / 10
    x, y = (grid.ravel() for grid in np.meshgrid(cells, cells))
    inside = WITH_A_HOLE.contains(x, y)
    for point, area in zip(points, areas, strict=True):
        counted = 0.01 * (inside & (np.hypot(x - point[0], y - point[1]) <= reach_km)).sum()
        assert area == pytest.approx(counted, abs=2 + 0.003 * counted)
    if reach_km == 300:
        assert areas == pytest.approx(WITH_A_HOLE.area_km2, rel=1e-6)


WIDE_AND_NARROW: tuple[Reach, ...] = (
    *REACHES,
    *(Gaussian(scale) for scale in (0.01, 0.3, 60.0)),
    *(Exponential(scale) for scale in (0.01, 0.3, 60.0)),
    PowerLaw(0.01, 1.6), PowerLaw(0.2, 1.6), PowerLaw(0.2, 5.0), PowerLaw(60.0, 2.0),
)  # fmt: skip


@pytest.mark.parametrize("reach", WIDE_AND_NARROW, ids=repr)
def test_nodes_along_the_boundary_are_enough(reach: Reach) -> None:
    """The bounds that docs/models/space_time.md states, against 96 nodes to each piece of an edge."""
    points = WITH_A_HOLE.draw(80, generator(1))
    points[:30] = np.stack([np.full(30, 70.0), np.geomspace(1e-6, 1.0, 30)], axis=1)
    few, many = (
        cubature.seen_from(points, WITH_A_HOLE, 60.0, breaks=reach.breaks, nodes=nodes) for nodes in (None, 96)
    )
    furthest = np.array([60.0])
    end, slopes = float(reach.disc(furthest)[0]), reach.disc_gradient(furthest)[:, 0]
    value, fine = (one.integral(reach.disc(one.radius), end) for one in (few, many))
    assert np.abs(value - fine).max() < 1e-9 * 2 * np.pi * end
    value, fine = (one.integral(reach.disc_gradient(one.radius), slopes) for one in (few, many))
    assert (np.abs(value - fine).max(axis=1) * np.abs(vector(reach)) < 1e-8 * 2 * np.pi * end).all()


@pytest.mark.parametrize("reach", WIDE_AND_NARROW, ids=repr)
def test_a_few_radii_are_enough(reach: Reach) -> None:
    """The polynomials between radii and the nodes together, against close quadrature of F itself."""
    points = np.concatenate([WITH_A_HOLE.draw(6, generator(2)), [[70.0, 1e-4], [39.9, 39.9], [9.99, 20.0]]])
    seen = cubature.seen_from(points, WITH_A_HOLE, 60.0, breaks=reach.breaks)
    end = float(reach.disc(np.array([60.0]))[0])
    value = seen.integral(reach.disc(seen.radius), end)
    for point, found in zip(points, value, strict=True):
        slow = naive.along_the_boundary(point, WITH_A_HOLE, reach, 60.0)
        assert abs(found - slow) < 1e-9 * 2 * np.pi * end


def test_regions_cut_by_others_are_seen_as_the_region_is() -> None:
    points = WITH_A_HOLE.draw(20, generator(4))
    cut = [[ring - point for ring in WITH_A_HOLE.rings] for point in points]
    ours, theirs = cubature.seen_from(points, WITH_A_HOLE, 60.0), cubature.given(cut, 60.0)
    disc = PowerLaw(5.0, 2.5).disc(ours.radius)
    assert theirs.integral(disc, 40.0) == pytest.approx(ours.integral(disc, 40.0), rel=1e-12)
    assert len(cubature.given([], 60.0).integral(disc, 40.0)) == 0


def test_functions_that_differ_from_point_to_point() -> None:
    """Each point's own kernel, over the whole region: the same as one kernel at a time."""
    points, scales = WITH_A_HOLE.draw(20, generator(4)), np.geomspace(0.1, 90.0, 20)
    seen = cubature.seen_from(points, WITH_A_HOLE, np.inf)
    assert seen.integral(seen.radius**2 / 2, 0.0) == pytest.approx(WITH_A_HOLE.area_km2, rel=1e-6)
    at = seen.nodes
    own = np.repeat(scales, np.diff(at.first))
    together = at.integral(own**2 * -np.expm1(-((at.distance / own) ** 2) / 2), 0.0)
    for e, scale in enumerate(scales):
        assert together[e] == pytest.approx(seen.integral(Gaussian(scale).disc(seen.radius), 0.0)[e], rel=1e-12)


def test_a_wide_enough_region_loses_no_offspring() -> None:
    seen = cubature.seen_from(np.zeros((1, 2)), Region.rectangle(-100, -100, 100, 100), 60.0)
    assert len(seen.panel) == 0
    assert seen.beyond == pytest.approx(2 * np.pi)


def test_simulated_numbers_are_those_of_the_model() -> None:
    """Far from any edge a cluster has 1 / (1 - eta) events on average; near edges what the likelihood reckons with."""
    region = Region.rectangle(0, 0, 80, 50)
    setting = Setting(
        Places.single(),
        Window(date(2024, 1, 1), 40),
        covariates={"area_km2": np.array([[region.area_km2]])},
        region=region,
    )
    model = SpaceTime(
        Endemic(-5.0), Offspring(-0.7, reach=Gaussian(10.0), delay=ExponentialDelay(0.5), longest_days=10.0)
    )
    rng = generator(5)
    excess = []
    for _ in range(60):
        history = model.simulate(setting, rng=rng)
        density = model.likelihood(setting, history)
        # the score in the intercepts averages 0 at the truth: events less what is expected of them
        excess.append(density(vector(model))[1][:2])
    mean, error = np.mean(excess, axis=0), np.std(excess, axis=0) / np.sqrt(60)
    assert (np.abs(mean) < 3.5 * error).all()
    assert history.events is not None
    assert len(history.events) == history["events"].sum()


def test_a_fit_holds_the_truth() -> None:
    model, setting = SpaceTime.example()
    setting = over(setting, 400)
    truth = model.replacing({"endemic.intercept": -12.5, "endemic.effects.trend": 0.0})
    history = truth.simulate(setting, rng=generator(3))
    found = fit(truth, setting, history, MaximumLikelihood(), rng=generator(0))
    assert found.converged
    assert (np.abs(found.estimate - vector(truth)) < 3.5 * found.standard_error).all()


@pytest.mark.parametrize("across", [False, True])
def test_an_intensity_is_the_sum_of_its_parts(across: bool) -> None:
    model, setting, history = case(PowerLaw(6.0, 2.4), across=across)
    parts = model.branching(setting, history)
    for i in range(80):
        assert parts.rate[i] == pytest.approx(naive.rate(model, setting, history, i), rel=1e-6)
    assert model.endemic is not None
    assert history.events is not None
    assert parts.background == pytest.approx(
        model.endemic.rate(setting)[history.events.place, history.events.time_days.astype(int)]
    )
    assert not parts.from_before.any()
    assert (np.diff(parts.later) >= 0).all()
    assert (parts.earlier < parts.later).all()
    # the log density by the other road
    ends = model.compensator(setting, history, np.array([60.0]))
    assert np.log(parts.rate).sum() - ends[0] == pytest.approx(model.log_density(setting, history), rel=1e-12)
    assert model.rate_at(setting, history, history.events) == pytest.approx(parts.rate, rel=1e-12)
    alone = dataclasses.replace(model, offspring=None).branching(setting, history)
    assert alone.rate == pytest.approx(parts.background)
    assert not len(alone.triggered)


@pytest.mark.parametrize("delay", [ExponentialDelay(0.2), UniformDelay(), STEP_DELAY], ids=lambda d: type(d).__name__)
def test_the_compensator_is_the_integral_of_the_rate(delay: Delay) -> None:
    """At times in between, against sums of the rate over a grid of points of space, time and kind."""
    model, setting, history = case(Gaussian(14.0), across=True)
    assert model.offspring is not None
    assert setting.region is not None
    assert history.events is not None
    part = dataclasses.replace(model.offspring, delay=delay, longest_days=12.0)
    model = dataclasses.replace(model, offspring=part)
    few = history.events.take(np.flatnonzero(np.arange(80) % 4 == 0))
    history = dataclasses.replace(history, events=few)
    moments = np.array([0.0, 7.3, 7.3, 31.0, 59.9, 60.0])
    found = model.compensator(setting, history, moments)
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(2.5, 300, 5.0), np.arange(2.5, 150, 5.0)))
    width = 0.2
    by_time = [0.0]
    for time in np.arange(width / 2, 60, width):
        grid = Events(np.full(len(x), time), setting.region.tile_of(x, y), x_km=x, y_km=y, kind=np.zeros(len(x), int))
        by_time.append(2 * 25 * width * model.rate_at(setting, history, grid).sum())
    slow = np.interp(moments, np.arange(len(by_time)) * width, np.cumsum(by_time))
    assert found == pytest.approx(slow, rel=4e-3)
    assert (np.diff(model.compensator(setting, history, np.linspace(0, 60, 500))) > 0).all()


@pytest.mark.parametrize("reach", REACHES, ids=lambda reach: type(reach).__name__)
def test_em_climbs(reach: Reach) -> None:
    """The gradient of the complete log density by differences, and Jensen's inequality between it and the observed."""
    model, setting, history = case(reach)
    observed, complete = model.likelihood(setting, history), model.complete_likelihood(setting, history)
    at, rng = vector(model), generator(6)
    shares = complete.attribute(at)
    here, slope = complete.expected(at, shares)
    assert slope == pytest.approx(observed(at)[1], rel=1e-9, abs=1e-9)
    for _ in range(10):
        there = at * np.exp(rng.normal(0, 0.1, len(at)))
        rise = complete.expected(there, shares)[0] - here
        assert rise <= observed(there)[0] - observed(at)[0] + 1e-9
    found = complete.expected(there, shares)[1]
    for k, name in enumerate(names(model)):
        step = np.eye(len(at))[k] * 1e-5
        rise = (complete.expected(there + step, shares)[0] - complete.expected(there - step, shares)[0]) / 2e-5
        assert found[k] == pytest.approx(rise, rel=1e-6, abs=1e-6), name
    parts = model.branching(setting, history)
    assert shares.background == pytest.approx(parts.background_probability)
    assert shares.parent == pytest.approx(parts.parent_probability)


def test_every_piece_of_a_step_delay() -> None:
    delays, at = np.array([-1.0, 0.0, 0.3, 0.5, 0.6, 3.9, 4.5, 9.0, 11.0]), vector(STEP_DELAY)
    assert STEP_DELAY.value(delays) == pytest.approx([0, 0, 1, 1, 0.5, 0.5, 0.1, 0.1, 0])
    fine = (np.arange(100_000) + 0.5) * 1e-4
    for end in (0.2, 2.0, 9.0, 10.0):
        summed = STEP_DELAY.value(fine[fine < end]).sum() * 1e-4
        assert STEP_DELAY.integral(np.array([end]))[0] == pytest.approx(summed, rel=1e-4)
    assert STEP_DELAY.integral(np.array([-3.0, 40.0])) == pytest.approx([0, 0.5 + 0.5 * 3.5 + 0.1 * 6])
    for piece in ("value", "integral"):
        slope = getattr(STEP_DELAY, {"value": "gradient", "integral": "integral_gradient"}[piece])(delays)
        for k, step in enumerate(np.eye(len(at)) * 1e-6):
            up, down = (getattr(from_vector(STEP_DELAY, at + sign * step), piece)(delays) for sign in (1, -1))
            assert slope[k] == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-9)
    with pytest.raises(ParameterError, match="they must rise from above 0"):
        StepDelay(2.0, Effects({"1": 0.0}))


def test_what_is_given_is_kept_and_goes_on() -> None:
    model, setting = SpaceTime.example()
    past = model.simulate(setting.during(90), rng=generator(2))
    whole = model.simulate(setting, rng=generator(3), given=past)
    assert past.events is not None
    assert whole.events is not None
    first = len(past.events)
    assert whole.events.time_days[:first] == pytest.approx(past.events.time_days)
    assert (whole.events.time_days[first:] > 90).all()


def test_what_cannot_be_weighed_is_refused() -> None:
    model, setting, history = case(Gaussian(10.0))
    events = history.events
    assert events is not None

    def changed(**changes: object) -> History:
        return dataclasses.replace(history, events=dataclasses.replace(events, **changes))  # type: ignore[type-var]

    with pytest.raises(DataError, match="60 steps and the setting 40; expected the same"):
        model.likelihood(over(setting, 40), history)
    turned = Places(setting.places.name[::-1], setting.places.population)
    with pytest.raises(DataError, match="place 1 of the history"):
        model.likelihood(setting, dataclasses.replace(history, places=turned))
    with pytest.warns(GroundswellWarning, match="1 of 80 events share their time"):
        model.likelihood(setting, changed(time_days=np.concatenate([events.time_days[:1], events.time_days[:-1]])))
    with pytest.raises(ParameterError, match="random intercepts in its endemic part"):
        SpaceTime(Endemic(random=RandomIntercepts()))
    with pytest.raises(DataError, match="none with positions"):
        model.likelihood(setting, changed(x_km=None))
    with pytest.raises(DataError, match="1 of 80 events are outside the region"):
        model.likelihood(setting, changed(x_km=np.where(np.arange(80) == 3, -5.0, np.asarray(events.x_km))))
    with pytest.raises(DataError, match=r"expected kinds in \[0, 2\)"):
        model.likelihood(setting, changed(kind=np.full(80, 2)))
    with pytest.raises(DataError, match=r"these events have no kind, and SpaceTime has 2"):
        model.likelihood(setting, changed(kind=None))
    with pytest.raises(DataError, match=r"\d+ of 80 events lie outside the place that they name, the first at"):
        model.likelihood(setting, changed(place=np.zeros(80, dtype=int)))
    with pytest.raises(DataError, match='depend on "crowd"'):
        model.likelihood(setting, changed(marks={}))
    with pytest.raises(UsageError, match="depend on marks"):
        model.simulate(setting, rng=generator(1))
    with pytest.raises(ParameterError, match="neither an endemic part nor offspring"):
        SpaceTime(None, None)
    grown, example = SpaceTime.example()
    with pytest.raises(UsageError, match="max_events"):
        dataclasses.replace(grown, max_events=10).simulate(example, rng=generator(1))


def test_a_region_says_what_is_wrong_with_its_outlines() -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [500, 500], [500, 0], [0, 500], [0, 0]]]}
    with pytest.raises(DataError, match="no simple polygon"):
        Region.from_geometry(bow)
    degrees = {"type": "Polygon", "coordinates": [[[44, 25], [63, 25], [63, 40], [44, 40], [44, 25]]]}
    with pytest.raises(DataError, match="look like degrees"):
        Region.from_geometry(degrees)
    with pytest.raises(DataError, match="holds no polygon"):
        Region.from_geometry({"type": "Point", "coordinates": [1, 2]})
    projected = Region.from_geometry(degrees, projection=Projection(32.0, 53.0))
    # between two parallels and meridians: R^2 (sin 40 - sin 25) times 19 degrees, but for straight edges
    area = 6371.0088**2 * (np.sin(np.radians(40)) - np.sin(np.radians(25))) * np.radians(19)
    assert projected.area_km2 == pytest.approx(area, rel=0.03)
    with pytest.raises(DataError, match="they must fill it"):
        Region.rectangle(0, 0, 10, 10).tiled((Region.rectangle(0, 0, 5, 10),))


def fitted(model: SpaceTime, setting: Setting, history: History) -> Fit:
    return fit(model, setting, history, MaximumLikelihood(), rng=generator(0))


def test_no_event_and_one_event_are_said_to_teach_nothing() -> None:
    model, setting, history = case(Exponential(9.0))
    assert history.events is not None
    model = dataclasses.replace(model, offspring=Offspring(-0.8, reach=Exponential(9.0), delay=ExponentialDelay(0.2)))
    none, one = (dataclasses.replace(history, events=history.events.take(np.array(rows, int))) for rows in ([], [7]))
    found = fitted(model, setting, none)
    assert "no event in this history" in " ".join(found.notes)
    assert np.isnan(found.standard_error[[0, 2, 3, 4]]).all()
    found = fitted(model, setting, one)
    assert np.isnan(found.standard_error[2:]).all()
    assert any("offspring.intercept" in note and "no finite estimate" in note for note in found.notes)
    assert any("no event was set off by another" in note for note in found.notes)


def test_events_that_trigger_nothing_are_said_to() -> None:
    model, setting = SpaceTime.example()
    setting = over(setting, 300)
    assert model.offspring is not None
    calm = dataclasses.replace(model, offspring=None).replacing(
        {"endemic.effects.trend": 0.0, "endemic.intercept": -12.5}
    )
    history = calm.simulate(setting, rng=generator(8))
    part = Offspring(-1.0, reach=PowerLaw(12.0, 2.5), delay=ExponentialDelay(0.3), furthest_km=80.0)
    found = fitted(dataclasses.replace(calm, offspring=part), setting, history)
    assert found.notes
    assert np.isnan(found.standard_error).any()


def test_a_reach_without_a_shape_is_no_triggering() -> None:
    """As R's constant kernel: within furthest_km it says only that rates rise after events anywhere about."""
    model, setting, history = case(Steps(60.0, Effects()))
    assert any("hardly falls within 60 km" in remark for remark in model.remarks(setting, history))
    for reach in REACHES:
        assert not case(reach)[0].remarks(setting, history)
    wide = model.replacing({"offspring.intercept": 0.5})
    assert any("above 1 events grow" in remark for remark in wide.remarks(setting, history))
    without = dataclasses.replace(setting, region=None)
    assert any("no region" in remark for remark in case(REACHES[0])[0].remarks(without, history))
    assert not SpaceTime(offspring=None).remarks(without, history)


@pytest.mark.parametrize("name", ["endemic", "exponential", "step4"])
def test_published_fits_are_met(name: str, reference: Path) -> None:
    assert plane.at_reference(reference, name) == pytest.approx(plane.PRINTED[name], abs=1e-2)


def test_a_degenerate_fit_to_cases_of_disease_warns(reference: Path) -> None:
    """R's constant kernel with type and age: no case aged 19 or more set off another, and R's estimate is -15.9."""
    found = plane.fitted(reference, "constant")
    assert found.log_density == pytest.approx(-9565.4830939361, abs=1e-5)
    notes = " ".join(found.notes)
    assert "offspring.effects.aged 19 or more" in notes
    assert "no finite estimate" in notes
    assert "hardly falls within 200 km" in notes


def test_what_is_doubtful_is_said() -> None:
    model, setting, history = case(PowerLaw(6.0, 2.4))
    events = history.events
    assert events is not None
    assert setting.region is not None
    rounded = dataclasses.replace(events, x_km=np.floor(np.asarray(events.x_km) / 10) * 10, y_km=np.full(80, 70.0))
    with pytest.warns(GroundswellWarning, match="5[0-9] of 80 events have the position of another"):
        model.likelihood(setting, dataclasses.replace(history, events=rounded))
    wrong = dataclasses.replace(setting, covariates={**setting.covariates, "area_km2": np.array([[9e9], [36e9]])})
    with pytest.warns(
        GroundswellWarning, match=r"area_km2 adds up to 4\.5e\+10 km\^2 and Setting\.region has 4\.5e\+04"
    ):
        model.likelihood(wrong, history)
    degrees = dataclasses.replace(
        events, x_km=48 + np.asarray(events.x_km) / 100, y_km=30 + np.asarray(events.y_km) / 100
    )
    with pytest.warns(GroundswellWarning, match="these look like degrees"):
        model.likelihood(dataclasses.replace(setting, region=None), dataclasses.replace(history, events=degrees))


def test_distances_on_the_map_are_those_on_the_sphere_near_its_centre() -> None:
    projection = Projection.around(np.array([30.0, 38.0]), np.array([46.0, 60.0]))
    at = projection(np.array([35.7, 36.3]), np.array([51.4, 59.6]))
    places = Places(("a", "b"), np.ones(2), np.array([35.7, 36.3]), np.array([51.4, 59.6]))
    assert np.hypot(*(at[1] - at[0])) == pytest.approx(places.distance_km[0, 1], rel=0.01)


def test_parameters_survive_the_vector() -> None:
    model, _ = SpaceTime.example()
    assert from_vector(model, vector(model)) == model


def test_a_posterior_finds_the_rate_whatever_its_size() -> None:
    """The rate per km^2 is exp(-13.5) here: chains that start at the prior must get there."""
    model, setting = SpaceTime.example()
    history = model.simulate(setting, rng=generator(1))
    found = fit(model, setting, history, Posterior(150, 150, 2, processes=1), rng=generator(1))
    assert max(found.details["columns"]["R-hat"]) < 1.05
    assert (np.abs(found.estimate - vector(model)) < 4 * found.standard_error).all()
