"""Several windows in one fit: sums of log densities, places that windows share, and what goes wrong in words."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest

from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.places import Places
from groundswell.data.record import Record
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import DataError, MissingVerb
from groundswell.infer.base import fit
from groundswell.infer.likelihood import MaximumLikelihood
from groundswell.infer.penalised import PenalisedLikelihood
from groundswell.infer.profile import profile
from groundswell.infer.windows import likelihood_of, windows
from groundswell.models.cities.endemic_epidemic import Between, Endemic, EndemicEpidemic, Within
from groundswell.models.cities.mobilisation import Mobilisation
from groundswell.models.cities.scattered import OverdispersionByPlace
from groundswell.models.cities.weights import FirstOrder
from groundswell.models.random_effects import RandomIntercepts
from groundswell.params import Effects, names, vector
from groundswell.rng import generator

CHAIN = Network(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]))
MODEL = EndemicEpidemic(
    Endemic(0.3, Effects(second=0.4)), Within(-1.0), Between(-1.4, weights=FirstOrder(normalised=True))
)


def wave(year: int, names_: str, steps: int, second: float) -> Setting:
    places = Places(tuple(names_), np.array([90_000.0, 30_000, 60_000]))
    return Setting(places, Window(date(year, 1, 5), steps, 7), CHAIN, {"second": np.full((3, 1), second)})


SETTINGS = [wave(2009, "abc", 120, 0.0), wave(2017, "bcd", 80, 1.0)]


def histories(model: EndemicEpidemic = MODEL, seed: int = 3) -> list[History]:
    return [
        model.prepared(*SETTINGS).simulate(setting, rng=rng)
        for setting, rng in zip(SETTINGS, generator(seed).spawn(2), strict=True)
    ]


def test_log_densities_gradients_and_information_add_up() -> None:
    waves = list(zip(SETTINGS, histories(), strict=True))
    joint, each = likelihood_of(MODEL, waves), [MODEL.likelihood(*one) for one in waves]
    at = vector(MODEL)
    assert joint(at)[0] == pytest.approx(sum(one(at)[0] for one in each))
    assert joint(at)[1] == pytest.approx(sum(one(at)[1] for one in each))
    assert joint.information(at) == pytest.approx(sum(one.information(at) for one in each))
    assert joint.observations == 3 * (119 + 79)


def test_a_fit_of_two_windows_learns_from_both() -> None:
    observed = histories()
    both = fit(MODEL, SETTINGS, observed, MaximumLikelihood(), rng=generator(0))
    alone = fit(
        dataclasses.replace(MODEL, endemic=Endemic()), SETTINGS[0], observed[0], MaximumLikelihood(), rng=generator(0)
    )
    assert both.converged
    within = both.names.index("within.intercept")
    assert both.standard_error[within] < alone.standard_error[alone.names.index("within.intercept")]
    low, high = profile(both, SETTINGS, observed, "endemic.effects.second")
    assert low < both.estimate[both.names.index("endemic.effects.second")] < high
    # the same window twice: the same estimate, errors smaller by the root of two
    once = fit(
        MODEL, SETTINGS[1:], observed[1:], MaximumLikelihood(), rng=generator(0), fixed={"endemic.intercept": 0.3}
    )
    twice = fit(
        MODEL, [SETTINGS[1]] * 2, [observed[1]] * 2, MaximumLikelihood(), rng=generator(0),
        fixed={"endemic.intercept": 0.3},
    )  # fmt: skip
    assert twice.estimate == pytest.approx(once.estimate, abs=1e-5)
    assert twice.standard_error == pytest.approx(once.standard_error / np.sqrt(2), rel=1e-4)


def test_windows_share_the_random_intercepts_of_places_of_one_name() -> None:
    random = RandomIntercepts(0.8, Effects(a=0.9, b=-0.7, c=0.2, d=-0.5))
    model = dataclasses.replace(MODEL, endemic=Endemic(0.3, random=random))
    observed = histories(model)
    ready = model.prepared(*SETTINGS)
    assert list(ready.endemic.random.by_place) == list("abcd")
    joint = likelihood_of(ready, list(zip(SETTINGS, observed, strict=True)))
    at = vector(ready)
    dense = joint.information(at)
    assert joint.arrow(at).dense(len(at)) == pytest.approx(dense)
    for k, name in enumerate(names(ready)):
        step = 1e-5 * np.eye(len(at))[k]
        slope = -(joint(at + step)[1] - joint(at - step)[1]) / 2e-5
        assert dense[k] == pytest.approx(slope, abs=1e-3, rel=1e-5), name
    found = fit(model, SETTINGS, observed, PenalisedLikelihood(), rng=generator(0))
    assert found.converged
    by_place = found.model.endemic.random.by_place
    assert by_place["a"] > by_place["b"]
    assert by_place["c"] > by_place["d"]


def test_a_window_of_one_place_goes_with_a_window_of_two() -> None:
    model = dataclasses.replace(MODEL, overdispersion=OverdispersionByPlace())
    alone = Setting(
        Places.single(1e5, "c"), SETTINGS[0].window, Network(np.zeros((1, 1))), {"second": np.zeros((1, 1))}
    )
    ready = model.prepared(alone, SETTINGS[0])
    waves = [(one, ready.simulate(one, rng=generator(2))) for one in (alone, SETTINGS[0])]
    joint, at = likelihood_of(ready, waves), vector(ready)
    dense = joint.arrow(at).dense(len(at))
    assert dense == pytest.approx(joint.information(at))
    for k, name in enumerate(names(ready)):
        step = 1e-5 * np.eye(len(at))[k]
        slope = -(joint(at + step)[1] - joint(at - step)[1]) / 2e-5
        assert dense[k] == pytest.approx(slope, abs=1e-3, rel=1e-5), name


def test_models_without_an_analytic_information_take_windows_too() -> None:
    model, setting = Mobilisation.example()
    model = dataclasses.replace(model, groups=None, organised=None)
    observed = [model.simulate(setting, rng=rng) for rng in generator(1).spawn(2)]
    joint = likelihood_of(model, [(setting, one) for one in observed])
    assert joint(vector(model))[0] == pytest.approx(sum(model.log_density(setting, one) for one in observed))
    assert joint.observations is None


def test_a_fit_to_no_event_says_so_once_and_a_quiet_window_or_fold_is_no_such_thing() -> None:
    noisy, quiet = histories()[0], History(SETTINGS[1].places, SETTINGS[1].window, {"events": np.zeros((3, 80))})
    said = "There is no event after the first step among these counts"
    alone = fit(MODEL, SETTINGS[1], quiet, MaximumLikelihood(), rng=generator(0))
    assert len(alone.notes) == 1
    assert alone.notes[0].startswith(said)
    random_ = dataclasses.replace(MODEL, endemic=Endemic(0.3, random=RandomIntercepts(0.8)))
    (note,) = fit(random_, SETTINGS[1], quiet, PenalisedLikelihood(), rng=generator(0)).notes
    assert note.startswith(said)

    both = fit(MODEL, SETTINGS, [noisy, quiet], MaximumLikelihood(), rng=generator(0))
    assert not any(note.startswith(said) for note in both.notes)
    short = SETTINGS[1].during(9), quiet.during(9)
    (note,) = fit(MODEL, [SETTINGS[1], short[0]], [quiet, short[1]], MaximumLikelihood(), rng=generator(0)).notes
    assert note.startswith(said)

    counts = np.zeros((3, 120))
    counts[0, 5:20] = 2
    fold = History(noisy.places, noisy.window, {"events": counts})
    left_out = fold.leaving_out(np.array([[True], [False], [False]]))
    assert fit(MODEL, SETTINGS[0], left_out, MaximumLikelihood(), rng=generator(0)).notes[0].startswith(said)
    told = fit(MODEL, SETTINGS[0], fold, MaximumLikelihood(), rng=generator(0))
    assert not any(note.startswith(said) for note in told.notes)


def test_errors_say_what_does_not_fit() -> None:
    observed = histories()
    with pytest.raises(DataError, match="2 settings and 1 histories; expected one history for each setting"):
        fit(MODEL, SETTINGS, observed[:1], MaximumLikelihood(), rng=generator(0))
    with pytest.raises(MissingVerb, match="given a Record"):
        windows(SETTINGS[0], Record(()), "MaximumLikelihood")
    with pytest.raises(MissingVerb, match="given a int"):
        windows(SETTINGS[0], [3], "MaximumLikelihood")
