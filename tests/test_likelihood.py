"""Maximum likelihood: problems with known answers, and what it says where the data cannot tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import MissingVerb, NotConverged, ParameterError, UsageError
from groundswell.infer.base import Fit, fit
from groundswell.infer.curvature import examine
from groundswell.infer.density import FreeDensity
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.profile import profile
from groundswell.models.base import Account, Likelihood, Model
from groundswell.models.cities.endemic_epidemic import Between, Endemic, EndemicEpidemic, OverdispersionByPlace, Within
from groundswell.models.cities.weights import PowerLaw
from groundswell.params import Effects, names, param, vector
from groundswell.rng import generator

PLACES = Places(("Hub", "Near", "Far"), np.array([9e5, 6e4, 1.5e5]))
SETTING = Setting(PLACES, Window(date(2020, 1, 1), 60), Network(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])))


@dataclass(frozen=True)
class Surface(Model):
    """A log density of one's own, to test the method apart from any data."""

    x: float = param("1", default=0.0, doc="on the whole line")
    y: float = param("1", low=0, default=1.0, doc="0 or more")
    z: float = param("1", low=0, high=1, default=0.5, doc="between 0 and 1")

    value: ClassVar[Callable[[np.ndarray], tuple[float, np.ndarray]]]

    def likelihood(self, setting: Setting, history: History) -> Likelihood:
        return type(self).value


def surface(value: Callable[[np.ndarray], float], gradient: Callable[[np.ndarray], list[float]]) -> Surface:
    kind = dataclasses.dataclass(frozen=True)(
        type("Surface", (Surface,), {"value": staticmethod(lambda v: (value(v), np.array(gradient(v))))})
    )
    return kind()


def maximum(model: Model, setting: Setting = SETTING, history: History | None = None, **options: object) -> Fit:
    nothing = History(setting.places, setting.window, {"events": np.zeros(setting.shape)})
    observed = nothing if history is None else history
    return fit(model, setting, observed, MaximumLikelihood(), rng=generator(0), **options)  # type: ignore[arg-type]


def gamma_and_beta(v: np.ndarray) -> float:
    """Normal in x (mean 3, sd 200), gamma in y (mode 4), beta in z (mode .2)."""
    return -((v[0] - 3) ** 2) / 80_000 + 8 * np.log(v[1]) - 2 * v[1] + 2 * np.log(v[2]) + 8 * np.log1p(-v[2])


def gamma_and_beta_slopes(v: np.ndarray) -> list[float]:
    return [-(v[0] - 3) / 40_000, 8 / v[1] - 2, 2 / v[2] - 8 / (1 - v[2])]


def test_estimates_and_standard_errors_in_natural_units() -> None:
    found = maximum(surface(gamma_and_beta, gamma_and_beta_slopes))
    assert found.converged
    assert found.notes == ()  # an sd of 200 is a matter of unit, not a flat direction
    assert found.estimate == pytest.approx([3, 4, 0.2], rel=1e-5)
    # minus the second derivatives at the mode: 1/200^2, 8/16, 2/.04 + 8/.64
    assert found.standard_error == pytest.approx([200, np.sqrt(2), np.sqrt(1 / 62.5)], rel=1e-4)
    assert found.log_density == pytest.approx(gamma_and_beta(np.array([3, 4, 0.2])), abs=1e-10)
    assert found.details["aic"] == pytest.approx(2 * 3 - 2 * found.log_density)
    assert "3 free parameters" in found.status


def test_a_held_parameter_stays_and_has_no_error() -> None:
    found = maximum(surface(gamma_and_beta, gamma_and_beta_slopes), fixed={"y": 2.5})
    assert found.estimate[1] == 2.5
    assert found.standard_error[1] == 0
    assert found.estimate[[0, 2]] == pytest.approx([3, 0.2], rel=1e-5)
    assert found.details["free"] == 2
    everything = maximum(surface(gamma_and_beta, gamma_and_beta_slopes), fixed={"x": 1, "y": 2, "z": 0.3})
    assert everything.converged
    assert everything.log_density == pytest.approx(gamma_and_beta(np.array([1, 2, 0.3])))


def test_a_curved_valley_from_far_away() -> None:
    """Rosenbrock's, whose maximum 0 lies at x = 1, y = 1."""
    found = maximum(
        surface(
            lambda v: -((1 - v[0]) ** 2) - 100 * (v[1] - v[0] ** 2) ** 2 - (v[2] - 0.5) ** 2,
            lambda v: [
                2 * (1 - v[0]) + 400 * v[0] * (v[1] - v[0] ** 2),
                -200 * (v[1] - v[0] ** 2),
                -2 * (v[2] - 0.5),
            ],
        ).replacing({"x": -1.9, "y": 2.0})
    )
    assert found.converged
    assert found.estimate == pytest.approx([1, 1, 0.5], abs=1e-4)


def test_flat_and_collinear_directions_are_told_in_words() -> None:
    # x + log y and z matter; x and log y alone do not
    found = maximum(
        surface(
            lambda v: -((v[0] + np.log(v[1]) - 1) ** 2) * 50 - (v[2] - 0.3) ** 2 * 1000,
            lambda v: [
                -100 * (v[0] + np.log(v[1]) - 1),
                -100 * (v[0] + np.log(v[1]) - 1) / v[1],
                -2000 * (v[2] - 0.3),
            ],
        )
    )
    assert found.converged
    assert np.isnan(found.standard_error).tolist() == [True, True, False]
    assert found.standard_error[2] == pytest.approx(1 / np.sqrt(2000), rel=1e-4)
    assert len(found.notes) == 1
    assert "cannot tell x and y apart" in found.notes[0] or "cannot tell y and x apart" in found.notes[0]
    assert "2 of them not determined" in found.status


def test_a_parameter_that_nothing_depends_on() -> None:
    found = maximum(
        surface(lambda v: -(v[0] ** 2) - (v[2] - 0.5) ** 2 * 99, lambda v: [-2 * v[0], 0.0, -198 * (v[2] - 0.5)])
    )
    assert found.converged
    assert np.isnan(found.standard_error).tolist() == [False, True, False]
    assert found.notes[0].startswith("y is not determined: the log density is level along it.")


def test_estimates_on_their_bounds_and_without_end() -> None:
    found = maximum(
        surface(
            lambda v: -np.exp(v[0]) - 5 * v[1] + 30 * v[2],
            lambda v: [-np.exp(v[0]), -5.0, 30.0],
        )
    )
    assert found.converged
    assert np.isnan(found.standard_error).all()
    assert found.notes[0].startswith("x = -")
    assert "no finite estimate: the log density hardly falls as it goes to minus infinity" in found.notes[0]
    assert "cannot be told from its lower limit 0" in found.notes[1]
    assert "cannot be told from its upper limit 1" in found.notes[2]
    assert found.estimate[1] < 1e-6
    assert found.estimate[2] > 1 - 1e-6


def test_a_start_on_the_boundary_is_moved_inside() -> None:
    start = surface(gamma_and_beta, gamma_and_beta_slopes).replacing({"y": 0.0, "z": 1.0})
    assert maximum(start).estimate == pytest.approx([3, 4, 0.2], rel=1e-5)


def test_a_surface_without_a_maximum_is_not_called_converged() -> None:
    found = maximum(surface(lambda v: v[0] - (v[2] - 0.5) ** 2, lambda v: [1.0, 0.0, -2 * (v[2] - 0.5)]))
    assert not found.converged
    assert found.status.startswith("Not converged")
    assert "not to be relied on" in found.notes[0]


@dataclass(frozen=True)
class Ranges(Model):
    """One parameter of each range."""

    rate: float = param("1/day", low=0.0, default=2.0, doc="a rate")
    share: float = param("1", low=0.0, high=1.0, default=0.9, doc="a share")
    below: float = param("1", high=3.0, default=2.0, doc="bounded above")
    free: float = param("1", default=-1.0, doc="anything")


def told(errors: list[float], **values: float) -> list[dict[str, object]]:
    model = Ranges(**values)
    found = Fit(model, None, names(model), vector(model), np.array(errors), 0.0, "", True)
    return list(found.summary().rows())


def test_intervals_are_walds_on_the_free_coordinate_and_stay_in_range() -> None:
    z = 1.6448536269514722
    rate, share, below, free = told([3.0, 0.2, 2.0, 0.5])
    assert (rate["low 90 %"], rate["high 90 %"]) == pytest.approx((2 * np.exp(-z * 1.5), 2 * np.exp(z * 1.5)))
    logit, reach = np.log(9.0), z * 0.2 / 0.09
    ends = [1 / (1 + np.exp(-logit - sign * reach)) for sign in (-1, 1)]
    assert [share["low 90 %"], share["high 90 %"]] == pytest.approx(ends)
    assert (below["low 90 %"], below["high 90 %"]) == pytest.approx((3 - np.exp(z * 2), 3 - np.exp(-z * 2)))
    assert (free["low 90 %"], free["high 90 %"]) == pytest.approx((-1 - z * 0.5, -1 + z * 0.5))


def test_what_is_held_or_not_determined_has_no_width_or_no_interval() -> None:
    rate, share, below, _ = told([np.nan, 0.0, np.nan, 0.5], rate=204372439499752.0, share=0.123456789, below=3.0)
    assert (share["estimate"], share["low 90 %"], share["high 90 %"]) == (0.123456789,) * 3
    assert (rate["estimate"], rate["low 90 %"], rate["high 90 %"]) == (2.04e14, None, None)
    assert (below["low 90 %"], below["high 90 %"]) == (None, None)
    assert "2.04e+14" in str(Table.from_rows([rate]))


def test_a_wrong_gradient_is_not_called_converged() -> None:
    found = maximum(surface(gamma_and_beta, lambda v: [-s for s in gamma_and_beta_slopes(v)]))
    assert not found.converged


def test_a_density_that_is_not_finite_at_the_start_names_the_values() -> None:
    with pytest.raises(UsageError, match=r"not finite at the starting values x = 0, y = 1, z = 0\.5"):
        maximum(surface(lambda v: np.nan, lambda v: [0.0, 0.0, 0.0]))


def test_a_wrong_kind_of_model_or_data_says_what_to_use() -> None:
    @dataclass(frozen=True)
    class Silent(Model):
        x: float = param("1", default=0.0, doc="nothing")

    with pytest.raises(MissingVerb, match=r"MaximumLikelihood needs Silent\.likelihood\(\).*Use TemperedSMC"):
        maximum(Silent())
    with pytest.raises(MissingVerb, match=r"needs Account\.likelihood\(\)"):
        maximum(Account(Silent(), None))  # type: ignore[arg-type]
    with pytest.raises(MissingVerb, match="weighs a History, what happened; it was given a Record"):
        maximum(EndemicEpidemic(), history=Record(()))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="fixed names"):
        maximum(EndemicEpidemic(), fixed={"within.slope": 1.0})


def counts(model: EndemicEpidemic, seed: int, setting: Setting = SETTING) -> History:
    return model.simulate(setting, rng=generator(seed))


def test_collinear_covariates_are_named() -> None:
    setting = dataclasses.replace(
        SETTING, covariates={"share": np.array([0.1, 0.6, 0.9]), "rest": np.array([0.9, 0.4, 0.1])}
    )
    model = EndemicEpidemic(Endemic(1.0, Effects(share=0.0, rest=0.0, trend=0.0)), Within())
    found = maximum(model, setting, counts(model, 1, setting))
    assert found.converged
    (note,) = found.notes
    for name in ("endemic.intercept", "endemic.effects.share", "endemic.effects.rest"):
        assert name in note
        assert np.isnan(found.standard_error[found.names.index(name)])
    assert "endemic.effects.trend" not in note
    assert np.isfinite(found.standard_error[found.names.index("endemic.effects.trend")])
    # one left out, the other parameters are as before
    alone = maximum(model, setting, counts(model, 1, setting), fixed={"endemic.effects.rest": 0.0})
    assert alone.notes == ()
    assert alone.log_density == pytest.approx(found.log_density, abs=1e-6)
    assert alone.standard_error[-2:] == pytest.approx(found.standard_error[-2:], rel=1e-3)


def test_poisson_counts_leave_no_overdispersion() -> None:
    model = EndemicEpidemic(Endemic(1.0), Within(-1.0))
    poisson = dataclasses.replace(model, overdispersion=None)
    history = counts(poisson, 3)
    found = maximum(model, history=history)
    assert found.converged
    assert found.estimate[-1] < 1e-3
    assert "overdispersion.psi" in found.notes[0]
    assert "lower limit 0" in found.notes[0]
    assert found.log_density == pytest.approx(maximum(poisson, history=history).log_density, abs=1e-3)
    low, high = profile(found, SETTING, history, "overdispersion.psi")
    assert low == 0
    assert 0 < high < 0.3


def test_a_part_that_is_absent_from_the_data_is_told() -> None:
    truth = EndemicEpidemic(Endemic(1.0), within=None)
    history = counts(truth, 12)
    # reversing the sign of dependence in time: a count after a high one is low
    events = history["events"].copy()
    events[:, 1::2] = 0
    model = EndemicEpidemic(Endemic(1.0), Within(), Between(weights=PowerLaw()))
    found = maximum(model, history=History(PLACES, SETTING.window, {"events": events}))
    assert found.converged
    said = " ".join(found.notes)
    assert "within.intercept" in said
    assert "between.weights.decay is not determined" in said


def test_profile_agrees_with_wald_where_the_density_is_quadratic() -> None:
    model = EndemicEpidemic(Endemic(2.0), Within(-1.0))
    setting = Setting(PLACES, Window(date(2000, 1, 1), 2000))
    history = counts(model, 7, setting)
    found = maximum(model, setting, history)
    table = found.summary()
    for name in names(model):
        row = next(row for row in table.rows() if row["parameter"] == name)
        width = row["high 90 %"] - row["low 90 %"]
        assert profile(found, setting, history, name) == pytest.approx(
            (row["low 90 %"], row["high 90 %"]), abs=0.05 * width
        )


def test_profile_ends_lose_just_what_the_level_allows() -> None:
    model = EndemicEpidemic(Endemic(0.0), Within(-1.0))
    history = counts(model, 7)
    found = maximum(model, history=history)
    for end in profile(found, SETTING, history, "within.intercept", level=0.95):
        there = maximum(model, history=history, fixed={"within.intercept": end})
        assert 2 * (found.log_density - there.log_density) == pytest.approx(3.841459, abs=1e-3)
    held = maximum(model, history=history, fixed={"within.intercept": -1.0})
    with pytest.raises(UsageError, match="held fixed"):
        profile(held, SETTING, history, "within.intercept")
    with pytest.raises(ParameterError, match="no parameter here"):
        profile(found, SETTING, history, "within.slope")


def test_the_fit_says_where_it_comes_from() -> None:
    model = EndemicEpidemic()
    history = counts(model, 2)
    first, again = maximum(model, history=history), maximum(model, history=history)
    assert np.array_equal(first.estimate, again.estimate)
    assert first.provenance == again.provenance
    assert first.provenance["digest"] != maximum(model, history=counts(model, 3)).provenance["digest"]
    assert vector(first.model) == pytest.approx(first.estimate)
    assert first.model.log_density(SETTING, history) == pytest.approx(first.log_density)  # type: ignore[attr-defined]


def test_explosive_estimates_are_remarked() -> None:
    setting = Setting(PLACES, Window(date(2020, 1, 1), 15))
    truth = EndemicEpidemic(Endemic(1.0), Within(np.log(1.4)))
    found = maximum(truth, setting, counts(truth, 1, setting))
    assert any("dominant eigenvalue reaches 1." in note for note in found.notes)


LONG = Setting(PLACES, Window(date(2015, 1, 5), 200, 7), SETTING.network)
YEAR = 2015.3 + np.arange(200) / 52


def trend(values: np.ndarray, slope: float) -> tuple[EndemicEpidemic, Setting, History]:
    """A model with one covariate over time, its coefficient at 0; and a history with it at `slope`."""
    setting = dataclasses.replace(LONG, covariates={"column": values[None]})
    model = EndemicEpidemic(Endemic(1.0, Effects(column=0.0), "population_share"), Within(-1.0), None)
    truth = model.replacing({"endemic.effects.column": slope, "endemic.intercept": 1.0 - slope * float(values.mean())})
    return model, setting, truth.simulate(setting, rng=generator(3))


def test_a_column_far_from_0_is_as_well_determined_as_when_it_is_centred() -> None:
    model, setting, history = trend(YEAR, 0.3)
    found = maximum(model, setting, history)
    centred = dataclasses.replace(LONG, covariates={"column": (YEAR - YEAR.mean())[None]})
    again = maximum(model, centred, history)
    assert found.converged
    assert found.notes == ()
    assert found.log_density == pytest.approx(again.log_density, abs=1e-6)
    at = found.names.index("endemic.effects.column")
    assert found.estimate[at] == pytest.approx(again.estimate[at], rel=1e-4)
    assert found.standard_error[at] == pytest.approx(again.standard_error[at], rel=0.02)
    ends = [
        profile(one, where, history, "endemic.effects.column") for one, where in ((found, setting), (again, centred))
    ]
    assert ends[0] == pytest.approx(ends[1], abs=1e-3)


@pytest.mark.parametrize("scale", [1e-5, 1e4])
def test_a_column_in_any_unit_has_the_same_estimate(scale: float) -> None:
    values = generator(8).standard_normal(200)
    model, setting, history = trend(values, 0.4)
    plain = maximum(model, setting, history)
    scaled = maximum(model, dataclasses.replace(setting, covariates={"column": scale * values[None]}), history)
    assert scaled.converged
    assert scaled.notes == ()
    assert scaled.log_density == pytest.approx(plain.log_density, abs=1e-6)
    at = plain.names.index("endemic.effects.column")
    assert scale * scaled.estimate[at] == pytest.approx(plain.estimate[at], rel=1e-4)


def test_psi_of_a_place_without_events_has_no_standard_error_and_the_fit_says_so() -> None:
    truth = EndemicEpidemic(Endemic(1.0), Within(-1.0), None)
    events = np.array(truth.simulate(LONG, rng=generator(1))["events"])
    events[1] = 0
    model = dataclasses.replace(truth, overdispersion=OverdispersionByPlace())
    found = maximum(model, LONG, History(LONG.places, LONG.window, {"events": events}))
    errors = dict(zip(found.names, found.standard_error, strict=True))
    assert np.isnan(errors["overdispersion.by_place.Near"])
    assert np.isfinite(errors["overdispersion.by_place.Hub"])
    (note,) = found.notes
    assert note.startswith("overdispersion.by_place.Near")
    assert "no finite estimate" in note or "not determined" in note


def test_a_profile_is_of_the_fit_and_history_that_it_is_given() -> None:
    model, setting, history = trend(YEAR - YEAR.mean(), 0.3)
    found = maximum(model, setting, history)
    other = model.simulate(setting, rng=generator(9))
    with pytest.raises(UsageError, match="not the one of the fit"):
        profile(found, setting, other, "within.intercept")
    with pytest.raises(UsageError, match="by Another; a profile starts at the maximum"):
        profile(dataclasses.replace(found, method=type("Another", (), {})()), setting, history, "within.intercept")
    low = dataclasses.replace(found, log_density=found.log_density - 5.0)
    with pytest.raises(NotConverged, match="the fit is no maximum"):
        profile(low, setting, history, "within.intercept")


def test_what_ran_away_to_infinity_is_not_told_as_being_at_its_lower_limit() -> None:
    """Even 13 powers of ten down it is nowhere near 0; further up nothing can be computed."""

    class Runaway(FreeDensity):
        def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
            value = at[0] ** 2 / 2 + np.exp(-at[1]) + at[2] ** 2 / 2
            return (value if at[1] < 36 else np.inf), np.zeros(3)

    density = Runaway(Surface(), lambda x: (0.0, np.zeros(3)), {})
    _, notes = examine(density, np.array([0.0, 33.0, 0.0]), np.diag([1.0, 0.0, 1.0]))
    assert len(notes) == 1
    assert "no finite estimate: the log density hardly falls as it goes to infinity" in notes[0]


def test_a_ridge_on_which_the_density_ends_its_fall_far_out_is_level() -> None:
    """Level for 20 units along x - y, then lower by 3 however far: no quadratic, and no standard error."""

    class Ridge(FreeDensity):
        def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
            along = max(abs(at[0] - at[1]) - 20, 0.0)
            return 12.5 * (at[0] + at[1]) ** 2 + 3 * -np.expm1(-along) + at[2] ** 2 / 2, np.zeros(3)

    density = Ridge(Surface(), lambda x: (0.0, np.zeros(3)), {})
    hessian = np.array([[25.0, 25.0, 0.0], [25.0, 25.0 + 1e-11, 0.0], [0.0, 0.0, 1.0]])
    covariance, notes = examine(density, np.zeros(3), hessian)
    assert np.isnan(covariance[:2, :2]).all()
    assert covariance[2, 2] == pytest.approx(1)
    assert "cannot tell y and x apart" in notes[0]
