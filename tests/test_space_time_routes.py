"""Many events in the plane: every road to the sum over earlier events against that over pairs, within its bound."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pytest

from groundswell.data.history import Events, History
from groundswell.data.places import Places
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import ParameterError, UsageError
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.models.delays import Delay, ExponentialDelay, StepDelay, UniformDelay
from groundswell.models.events import space_time_cells, space_time_routes, space_time_waves
from groundswell.models.events.space_time import Endemic, Offspring, SpaceTime
from groundswell.models.events.space_time_density import SpaceTimeDensity
from groundswell.models.triggering import Exponential, Gaussian, PowerLaw, Reach, Steps
from groundswell.params import Effects, leaves, names, vector
from groundswell.rng import generator
from tests.naive import space_time as naive

STEPS, STEP_DELAY = Steps(5.0, Effects({"20": -1.0, "60": -2.5})), StepDelay(2.0, Effects({"5": -1.0, "25": -2.0}))
DELAYS = (UniformDelay(), ExponentialDelay(0.4), STEP_DELAY)


@dataclass(frozen=True)
class Tent(Reach):
    """A reach that this package knows nothing of."""

    scale_km: float = 30.0

    def log_value(self, distance_km: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(1 - np.asarray(distance_km) / self.scale_km, 0.0))

    def log_gradient(self, distance_km: np.ndarray) -> np.ndarray:
        return np.zeros((0, *np.shape(distance_km)))

    def disc(self, radius_km: np.ndarray) -> np.ndarray:
        r = np.minimum(radius_km, self.scale_km)
        return r**2 / 2 - r**3 / 3 / self.scale_km

    def disc_gradient(self, radius_km: np.ndarray) -> np.ndarray:
        return np.zeros((0, *np.shape(radius_km)))


def case(
    reach: Reach, delay: Delay, *, route: str = "auto", across: bool = False, effects: bool = True, count: int = 900,
    tied: int = 4, furthest_km: float = 500.0, longest_days: float = 25.0, error: float = 1e-9,
) -> tuple[SpaceTime, Setting, History]:  # fmt: skip
    """Clustered events of two kinds with a mark on a lopsided plane without a border, some at the same moment."""
    rng = generator(2)
    centre = rng.random((6, 2)) * [300, 180]
    at = centre[rng.integers(0, 6, count)] + rng.normal(0, 25, (count, 2))
    time = np.sort(rng.random(count) * 80)
    time[100 : 100 + tied] = time[100 : 100 + tied][:1]
    events = Events(
        time, np.zeros(count, int), x_km=at[:, 0], y_km=at[:, 1], kind=rng.integers(0, 2, count),
        marks={"crowd": rng.normal(size=count)},
    )  # fmt: skip
    setting = Setting(Places.single(), Window(date(2024, 1, 1), 80), covariates={"area_km2": np.array([[54_000.0]])})
    model = SpaceTime(
        Endemic(-9.0),
        Offspring(
            -0.8, Effects(crowd=0.3) if effects else Effects(), reach, delay, furthest_km, longest_days, across=across
        ),
        kinds=2, route=route, error=error,
    )  # fmt: skip
    return model, setting, History(setting.places, setting.window, {}, events)


def density_of(model: SpaceTime, setting: Setting, history: History) -> SpaceTimeDensity:
    assert history.events is not None
    return SpaceTimeDensity(model, setting, history.events)


def agree(model: SpaceTime, setting: Setting, history: History) -> None:
    """Value and gradient of a road are those of all pairs, within the bounds that it states."""
    ours, theirs = (density_of(dataclasses.replace(model, route=r), setting, history) for r in (model.route, "pairs"))
    x = vector(model)
    (value, slopes), (exact, exact_slopes) = ours(x), theirs(x)
    bound = ours.bound(x)
    assert abs(value - exact) <= bound + 1e-13 * abs(exact)
    scale = np.array([abs(leaf.value) if leaf.low == 0 else 1.0 for leaf in leaves(model)])
    off = np.abs(slopes - exact_slopes) * scale
    assert (off <= 2 * np.log(1 / model.error) * bound + 1e-12 * (np.abs(exact_slopes * scale).max() + 100)).all()
    assert theirs.bound(x) == 0


@pytest.mark.parametrize("delay", DELAYS, ids=lambda d: type(d).__name__)
@pytest.mark.parametrize("reach", [Gaussian(4.0), Exponential(2.0), PowerLaw(2.0, 3.0), STEPS], ids=repr)
def test_cells_are_the_sum_over_pairs(reach: Reach, delay: Delay) -> None:
    agree(*case(reach, delay, route="cells"))
    agree(*case(reach, delay, route="cells", across=True, effects=False, furthest_km=15.0, error=1e-6))
    agree(*case(reach, delay, route="cells", longest_days=6.0, error=1e-12))


WAVES = [
    Gaussian(50.0), Gaussian(12.0), Gaussian(400.0), Exponential(60.0), Exponential(8.0), PowerLaw(40.0, 2.5),
    PowerLaw(3.0, 1.4),
]  # fmt: skip


@pytest.mark.parametrize("reach", WAVES, ids=repr)
def test_waves_are_the_sum_over_pairs(reach: Reach) -> None:
    agree(*case(reach, ExponentialDelay(0.4), route="waves"))
    agree(*case(reach, ExponentialDelay(1.5), route="waves", across=True, effects=False, error=1e-6))
    agree(*case(reach, UniformDelay(), route="waves", error=1e-10))
    agree(*case(reach, ExponentialDelay(0.01), route="waves", longest_days=70.0, error=1e-7))


@pytest.mark.parametrize("error", [1e-5, 1e-8, 1e-11])
@pytest.mark.parametrize("reach", [*WAVES, Gaussian(1e4), Exponential(1e3)], ids=repr)
def test_cosines_are_the_kernel(reach: Reach, error: float) -> None:
    """f and its slopes at displacements within the map, by their cosines and what smoothing took, within the error."""
    part, width = Offspring(reach=reach, delay=ExponentialDelay(0.4), furthest_km=500.0), (300.0, 180.0)
    events = Events(np.zeros(2), np.zeros(2, int), x_km=np.array([0.0, 300]), y_km=np.array([0.0, 180]))
    waves = space_time_waves.Waves(part, events, error)
    near_km = 0.0 if isinstance(reach, Gaussian) else 60.0
    series = waves.series(reach, part.delay, near_km)
    assert series is not None
    rng = generator(5)
    apart = rng.random((400, 2)) * width * np.where(np.arange(400) % 2, 1.0, 0.1)[:, None]
    apart[0] = 0.0
    apart[1] = width
    turns = [
        np.cos(np.multiply.outer(apart[:, k], np.arange(series.weight.shape[1 + k]) * series.step[k])) for k in (0, 1)
    ]
    found = np.einsum("fab,na,nb->fn", series.weight, *turns)
    r = np.hypot(*apart.T)
    exact = np.concatenate([reach.value(r)[None], reach.gradient(r)])
    if near_km:
        near = r < near_km
        found[:, near] += exact[:, near] - np.polynomial.polynomial.polyval((r[near] / near_km) ** 2, series.smooth.T)
    scale = np.concatenate([[1.0], vector(reach)])
    assert (np.abs(found - exact) * scale[:, None]).max() < error


@pytest.mark.parametrize(
    ("reach", "delay", "route"),
    [
        (Gaussian(5.0), ExponentialDelay(0.4), "cells"), (PowerLaw(2.0, 3.0), UniformDelay(), "cells"),
        (STEPS, STEP_DELAY, "cells"), (Exponential(3.0), ExponentialDelay(0.4), "cells"),
        (Gaussian(60.0), ExponentialDelay(0.4), "waves"), (Exponential(50.0), ExponentialDelay(0.1), "waves"),
        (PowerLaw(40.0, 2.5), UniformDelay(), "waves"),
    ],
    ids=repr,
)  # fmt: skip
def test_slopes_of_every_road_are_those_of_differences(reach: Reach, delay: Delay, route: str) -> None:
    model, setting, history = case(reach, delay, route=route, count=300, error=1e-11)
    density, at = density_of(model, setting, history), vector(model)
    found = density(at)[1]
    for k, name in enumerate(names(model)):
        step = np.eye(len(at))[k] * 1e-5 * max(abs(at[k]), 0.1)
        slope = (density(at + step)[0] - density(at - step)[0]) / (2 * step[k])
        assert found[k] == pytest.approx(slope, rel=2e-6, abs=2e-6), name


@pytest.mark.parametrize("route", ["pairs", "cells", "waves"])
def test_a_plane_without_a_border_is_the_naive_twin(route: str) -> None:
    """Without a region all offspring count, wherever they fall."""
    model, setting, history = case(Gaussian(20.0), ExponentialDelay(0.4), route=route, count=70, across=True)
    slow = naive.log_density(model, setting, history)
    assert density_of(model, setting, history)(vector(model))[0] == pytest.approx(slow, abs=1e-4)


def test_the_road_is_the_one_that_costs_least() -> None:
    def route(reach: Reach, delay: Delay, **changes: Any) -> str:
        model, setting, history = case(reach, delay, count=6000, **changes)
        sums = density_of(model, setting, history).triggering.sums  # type: ignore[union-attr]
        return sums.route(reach, delay)

    assert route(Gaussian(1.0), ExponentialDelay(0.4), furthest_km=8.0, longest_days=0.5) == "pairs"
    assert route(Gaussian(2.0), ExponentialDelay(0.4)) == "cells"
    assert route(STEPS, STEP_DELAY) == "cells"
    assert route(Gaussian(90.0), ExponentialDelay(0.4)) == "waves"
    assert route(Exponential(90.0), UniformDelay(), longest_days=80.0, across=True, error=1e-6) == "waves"
    assert route(Gaussian(90.0), STEP_DELAY) == "cells"
    assert route(Tent(), ExponentialDelay(0.4)) == "pairs"


def test_predicted_numbers_of_pairs_are_about_right() -> None:
    model, setting, history = case(Gaussian(5.0), ExponentialDelay(0.4), count=6000, route="cells")
    sums = density_of(model, setting, history).triggering.sums  # type: ignore[union-attr]
    for km, days in ((10.0, 3.0), (60.0, 20.0), (500.0, 25.0)):
        near = (sums.pairs.km <= km) & (sums.pairs.days <= days)
        assert sums.count(km, days) == pytest.approx(near.sum(), rel=0.15)


def test_a_fit_along_each_road_is_the_same() -> None:
    model, setting, history = case(Gaussian(20.0), ExponentialDelay(0.4), route="pairs", count=500, tied=0)
    fits = [
        fit(dataclasses.replace(model, route=route), setting, history, MaximumLikelihood(), rng=generator(0))
        for route in ("pairs", "cells", "waves")
    ]
    for other in fits[1:]:
        assert other.converged
        assert other.log_density == pytest.approx(fits[0].log_density, abs=1e-6)
        assert other.estimate == pytest.approx(fits[0].estimate, rel=1e-4, abs=1e-4)
        assert other.standard_error == pytest.approx(fits[0].standard_error, rel=1e-3)


def test_no_event_one_event_and_all_at_one_place() -> None:
    for route in ("pairs", "cells", "waves"):
        model, setting, history = case(Gaussian(20.0), ExponentialDelay(0.4), route=route, across=True)
        assert history.events is not None
        for rows in ([], [7], [100, 101, 102, 103]):
            few = dataclasses.replace(history, events=history.events.take(np.array(rows, dtype=int)))
            value, slope = density_of(model, setting, few)(vector(model))
            assert np.isfinite(value)
            assert np.isfinite(slope).all()
        events = history.events
        stacked = dataclasses.replace(events, x_km=np.full(900, 3.0), y_km=np.full(900, 4.0))
        agree(model, setting, dataclasses.replace(history, events=stacked))


def test_roads_that_do_not_lead_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match="expected one of auto, pairs, cells, waves"):
        SpaceTime(route="quick")
    with pytest.raises(ParameterError, match="expected 1e-12 to 1e-3"):
        SpaceTime(error=0.1)
    model, setting, history = case(Gaussian(20.0), STEP_DELAY, route="waves")
    with pytest.raises(UsageError, match='"waves" cannot carry Gaussian with StepDelay'):
        density_of(model, setting, history)(vector(model))
    model, setting, history = case(PowerLaw(20.0, 2.0), UniformDelay(), route="waves", furthest_km=100.0)
    with pytest.raises(UsageError, match="not cut off by furthest_km within the map"):
        density_of(model, setting, history)(vector(model))
    monkeypatch.setattr(space_time_routes, "MOST", 1e5)
    model, setting, history = case(Tent(), UniformDelay())
    with pytest.raises(UsageError, match=r"some 1\.\de\+05 pairs of events"):
        model.branching(setting, history)
    monkeypatch.setattr(space_time_routes, "FEW", 1000)
    with pytest.raises(UsageError, match="Tent with UniformDelay is weighed pair by pair, and there are too many"):
        density_of(model, setting, history)(vector(model))
    model, setting, history = case(Tent(), UniformDelay(), route="cells")
    with pytest.raises(UsageError, match='"cells" has no compiled formula for Tent with UniformDelay'):
        density_of(model, setting, history)(vector(model))


def test_cells_are_laid_out_anew_only_where_they_must(monkeypatch: pytest.MonkeyPatch) -> None:
    model, setting, history = case(Gaussian(4.0), ExponentialDelay(0.4), route="cells")
    density, laid_out = density_of(model, setting, history), []
    lay_out = space_time_cells._lay_out
    monkeypatch.setattr(space_time_cells, "_lay_out", lambda *given: (laid_out.append(given[-1]), lay_out(*given))[1])
    for scale in (4.0, 3.9, 4.05, 4.0, 6.0, 5.9, 2.0):
        density(vector(model.replacing({"offspring.reach.scale_km": scale})))
    assert len(laid_out) == 3
