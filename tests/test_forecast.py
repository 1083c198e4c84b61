"""Forecasts: what reaches the forecaster, the order of the cells, joint draws, origins, refits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, UsageError
from groundswell.evaluate.forecast import extended, forecast, rolling, rolling_origins
from groundswell.infer.base import Fit
from groundswell.models.base import Model
from groundswell.models.cities.endemic_epidemic import EndemicEpidemic
from groundswell.models.events.self_exciting import SelfExciting
from groundswell.params import param
from groundswell.rng import generator


@dataclass(frozen=True)
class Growth(Model):
    """Each place's mean is a multiple of its last count; a place-wide shock is shared by all."""

    factor: float = param("1", low=0, default=1.0, doc="mean of the next step per last count")

    def simulate(self, setting, *, rng, given=None):
        assert given is not None
        counts = [given["events"][:, t] for t in range(given.window.periods)]
        while len(counts) < setting.window.periods:
            shock = rng.gamma(4, 0.25)
            counts.append(rng.poisson(self.factor * shock * (counts[-1] + 0.5)).astype(float))
        return History(setting.places, setting.window, {"events": np.stack(counts, axis=1)})


@dataclass(frozen=True)
class MeanRatio:
    """A method for Growth: the ratio of sums; records how much it was shown."""

    def fit(self, model, setting, observed, *, rng, fixed, progress):
        counts = observed["events"]
        factor = counts[:, 1:].sum() / (counts[:, :-1].sum() + 1)
        estimate = np.array([factor])
        return Fit(
            model.replacing({"factor": factor}), self, ("factor",), estimate, estimate * 0, 0.0, "fitted", True,
            details={"periods": observed.window.periods},
        )  # fmt: skip


@pytest.fixture
def known(lopsided):
    window = Window.between("2020-05-25", "2020-06-13")
    counts = generator(1).poisson(2.0, (4, 20)).astype(float)
    return Setting(lopsided, window), History(lopsided, window, {"events": counts})


def test_the_future_never_reaches_the_forecaster(known):
    setting, history = known
    altered = history["events"].copy()
    altered[:, 12:] = 999
    other = History(history.places, history.window, {"events": altered})
    made = [forecast(Growth(), setting, h, origin=12, steps=3, draws=9, rng=generator(4)) for h in (history, other)]
    np.testing.assert_array_equal(made[0].draws, made[1].draws)


def test_cells_and_paths_are_in_the_stated_order(known):
    setting, history = known

    class Labelled:
        def paths(self, setting, history, *, draws, rng, series):
            s, p, k = np.ogrid[:draws, : len(setting.places), : setting.window.periods - history.window.periods]
            return 10_000.0 * s + 100 * p + k

    made = forecast(Labelled(), setting, history, origin=15, steps=4, draws=7, rng=generator(0))
    assert made.draws.shape == (16, 7)
    for cell in range(16):
        expected = 10_000 * np.arange(7) + 100 * made.unit[cell] + made.step[cell] - 1
        np.testing.assert_array_equal(made.draws[cell], expected)
        assert made.observed(history)[cell] == history["events"][made.unit[cell], 15 + made.step[cell] - 1]
    assert (made.time == made.origin + made.step - 1).all()
    cells = made.cells()
    assert (cells["origin"][0], cells["date"][0], cells["date"][-1]) == ("2020-06-08", "2020-06-09", "2020-06-12")


def test_cells_taken_together_keep_the_draws_joint(known):
    setting, history = known
    made = forecast(Growth(), setting, history, origin=10, steps=2, draws=400, rng=generator(3))
    total, active = made.together("total"), made.together("active")
    assert len(total) == len(active) == 2
    for j, time in enumerate((10, 11)):
        mine = made.draws[made.time == time]
        np.testing.assert_array_equal(total.draws[j], mine.sum(axis=0))
        np.testing.assert_array_equal(active.draws[j], (mine > 0).sum(axis=0))
    # The shock is shared: the total varies more than independent places would.
    assert total.draws[0].var() > 1.3 * made.draws[:4].var(axis=1).sum()


def test_the_tables_say_what_the_draws_say(known):
    setting, history = known
    made = forecast(Growth(), setting, history, origin=10, steps=2, draws=50, rng=generator(3))
    table, summary = made.table(), made.summary()
    assert len(table) == 8 * 50
    assert list(table["value"][50:100]) == made.draws[1].tolist()
    assert table["place"][50] == "Near"
    assert summary["mean"][3] == pytest.approx(made.draws[3].mean())
    assert summary["active"][3] == pytest.approx((made.draws[3] > 0).mean())
    assert summary["q50"][3] in made.draws[3]


def test_rolling_refits_on_the_past_alone_and_only_when_told(known):
    setting, history = known
    origins = (8, 10, 12, 14, 16)
    run = list(
        rolling(
            Growth(), setting, history, origins=origins, steps=2, draws=5,
            generators=[generator(i) for i in range(5)], method=MeanRatio(), refit_every=2,
        )
    )  # fmt: skip
    assert [fitted.details["periods"] for _, fitted in run] == [8, 8, 12, 12, 16]
    assert [int(made.origin[0]) for made, _ in run] == list(origins)
    plain = forecast(run[1][1].model, setting, history, origin=10, steps=2, draws=5, rng=generator(1))
    np.testing.assert_array_equal(run[1][0].draws, plain.draws)


def test_exploded_paths_are_counted_and_stay_at_their_last_step(known):
    setting, history = known

    class Exploding(Growth):
        def simulate(self, setting, *, rng, given=None):
            counts = np.full(setting.shape, 7.0)
            counts[:, given.window.periods] = 500
            if exploded := bool(rng.random() < 0.5):
                counts[:, given.window.periods + 1 :] = 0
            return History(setting.places, setting.window, {"events": counts}, exploded=exploded)

    made = forecast(Exploding(), setting, history, origin=10, steps=3, draws=200, rng=generator(3))
    assert 60 < made.exploded < 140
    for step, value in ((1, 500), (2, 7), (3, 7)):
        assert set(np.unique(made.draws[made.step == step])) == {value} | ({500} if step > 1 else set())
    assert (made.draws[made.step == 3] == 500).sum() == 4 * made.exploded


def test_paths_made_at_once_follow_the_same_law_as_one_by_one():
    model, setting = EndemicEpidemic.example()
    history = model.simulate(setting, rng=generator(1))
    assert hasattr(model, "paths")

    class OneByOne:
        simulate = staticmethod(model.simulate)

    options = {"origin": 90, "steps": 6, "draws": 1500}
    at_once, one_by_one = (
        forecast(source, setting, history, **options, rng=generator(seed)).together("total")
        for seed, source in ((2, model), (3, OneByOne()))
    )
    for a, b in zip(at_once.draws, one_by_one.draws, strict=True):
        spread = np.sqrt((a.var() + b.var()) / 1500)
        assert abs(a.mean() - b.mean()) < 4 * spread
        assert 0.75 < a.std() / b.std() < 1.33


def test_self_exciting_paths_continue_as_simulate_does():
    model, setting = SelfExciting.example()
    past = model.simulate(setting, rng=generator(1)).during(50)
    paths = model.paths(setting, past, draws=3, rng=generator(5))
    rng = generator(5)
    for path in paths:
        np.testing.assert_array_equal(path, model.simulate(setting, rng=rng, given=past)["events"][:, 50:])
    small = dataclasses.replace(model.replacing({"branching_ratio": 6.0}), max_events=len(past.events) + 40)
    ended = small.paths(setting, past, draws=20, rng=generator(2))
    first = np.isnan(ended).any(axis=1).argmax(axis=1)
    assert np.isnan(ended).any(axis=(1, 2)).all()
    for path, step in zip(ended, first, strict=True):
        assert np.isfinite(path[:, :step]).all()
        assert np.isnan(path[:, step:]).all()
    with pytest.raises(UsageError, match="events"):
        model.paths(setting, past, draws=1, rng=generator(1), series="arrests")


def test_an_explosive_model_ends_its_paths():
    model, setting = EndemicEpidemic.example()
    history = model.simulate(setting, rng=generator(1))
    made = forecast(
        model.replacing({"within.intercept": 3.0}), setting, history, origin=90, steps=9, draws=50, rng=generator(2)
    )
    assert made.exploded == 50
    assert np.isfinite(made.draws).all()
    assert made.together("total").draws[-1].min() > 1e4


def test_origins_are_spread_and_leave_room_for_the_targets():
    assert rolling_origins(37, steps=7, count=4) == (12, 18, 24, 30)
    assert rolling_origins(37, steps=7, count=500) == tuple(range(12, 31))
    assert rolling_origins(12, steps=2, count=1) == (8,)
    with pytest.raises(UsageError, match="there is none"):
        rolling_origins(9, steps=2, count=3)


def test_past_the_data(known):
    setting, history = known
    longer = extended(setting, 5)
    made = forecast(Growth(), longer, history, origin=20, steps=5, draws=3, rng=generator(1))
    assert made.cells()["date"][-1] == "2020-06-18"
    with pytest.raises(DataError, match="the history ends 2020-06-13"):
        made.observed(history)
    with_calls = Setting(setting.places, setting.window, calls=np.zeros((4, 20)))
    with pytest.raises(UsageError, match="calls"):
        extended(with_calls, 5)
    with pytest.raises(UsageError, match="targets inside"):
        forecast(Growth(), setting, history, origin=20, steps=1, draws=3, rng=generator(1))
