"""Published numbers of the city models: weekly measles and influenza counts in German districts.

Measles in Weser-Ems (17 districts, 104 weeks) and influenza in Bavaria and Baden-Württemberg (140
districts, 416 weeks), Robert Koch Institute, as distributed with the R package surveillance. The
models are those of Meyer, Held, Höhle (2017), J. Stat. Softw. 77(11); what the paper leaves to its
package: the basic neighbour weights are the raw adjacency, time starts at 0 in the first week,
which is conditioned on, and the population shares of the measles data change with the year.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from groundswell.params import names, vector
from groundswell.studies.published.base import Published

if TYPE_CHECKING:
    from groundswell.data.history import History
    from groundswell.data.setting import Setting
    from groundswell.evaluate.count_forecast import NegativeBinomial
    from groundswell.infer.base import Fit
    from groundswell.models.cities.endemic_epidemic import EndemicEpidemic

SOURCE = "Meyer, Held, Höhle (2017), J. Stat. Softw. 77(11); fitted with R surveillance 1.26.0"


class Case(NamedTuple):
    """A data set: what is given and what was counted."""

    setting: Setting
    history: History


@cache
def measles(folder: Path) -> Case:
    """Measles in the 17 districts of Weser-Ems, weekly, 2001 and 2002; covariate "susceptible" = 1 - vaccinated."""
    from groundswell.data.history import History
    from groundswell.data.network import Network
    from groundswell.data.places import Places
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window

    names, counts = _series(folder / "surveillance" / "measles_weserems_counts.csv")
    _, shares = _series(folder / "surveillance" / "measles_weserems_population.csv")
    districts = _rows(folder / "surveillance" / "measles_weserems_districts.csv")
    places = Places(names, np.array([float(row["POPULATION"]) for row in districts]))
    window = Window(date(2001, 1, 1), counts.shape[1], step=7)
    covariates = {
        "population_share": shares,
        "susceptible": 1 - np.array([float(row["vacc1.2004"]) for row in districts]),
    }
    order = _square(folder / "surveillance" / "measles_weserems_adjacency.csv")
    setting = Setting(places, window, Network.from_order(order), covariates)
    return Case(setting, History(places, window, {"events": counts}))


@cache
def influenza(folder: Path) -> Case:
    """Influenza in the 140 districts of Bavaria and Baden-Württemberg, weekly, 2001 to 2008."""
    from groundswell.data.history import History
    from groundswell.data.network import Network
    from groundswell.data.places import Places
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window

    names, counts = _series(folder / "surveillance" / "fluBYBW_counts.csv")
    rows = {row["district"]: row for row in _rows(folder / "surveillance" / "fluBYBW_population.csv")}
    places = Places(names, np.array([float(rows[name]["population_2001"]) for name in names]))
    window = Window(date(2001, 1, 1), counts.shape[1], step=7)
    covariates = {
        "population_share": np.array([float(rows[name]["popfrac"]) for name in names]),
        "centred_trend": (np.arange(counts.shape[1]) - 208) / 100,
    }
    network = Network(_square(folder / "surveillance" / "fluBYBW_adjacency.csv"))
    setting = Setting(places, window, network, covariates)
    return Case(setting, History(places, window, {"events": counts}))


def measles_models() -> dict[str, EndemicEpidemic]:
    """The models of the measles data by name, at default starting values."""
    from groundswell.models.cities.endemic_epidemic import Between, Endemic, EndemicEpidemic, Within
    from groundswell.models.cities.weights import Orders, PowerLaw
    from groundswell.params import Effects

    season = {"trend": 0.0, "sin1": 0.0, "cos1": 0.0}
    endemic = Endemic(effects=Effects(season), offset="population_share", period=52)
    basic = EndemicEpidemic(endemic, Within(), Between())
    by_vaccination = replace(endemic, effects=Effects({**season, "log(susceptible)": 0.0}))
    vaccination = replace(basic, endemic=by_vaccination)
    by_population = Between(effects=Effects({"log(population_share)": 0.0}))
    return {
        "basic": basic,
        "Poisson": replace(basic, overdispersion=None),
        "vaccination": vaccination,
        "log population": replace(vaccination, between=by_population),
        "power law": replace(vaccination, between=replace(by_population, weights=PowerLaw())),
        "second order": replace(vaccination, between=replace(by_population, weights=Orders(Effects({"2": -1.0})))),
    }


def influenza_model() -> EndemicEpidemic:
    """The fixed-effects model of the influenza data: three harmonics, normalised first-order weights."""
    from groundswell.models.cities.endemic_epidemic import Between, Endemic, EndemicEpidemic, Within
    from groundswell.models.cities.weights import FirstOrder
    from groundswell.params import Effects

    harmonics = {f"{wave}{k}": 0.0 for k in (1, 2, 3) for wave in ("sin", "cos")}
    endemic = Endemic(effects=Effects({"centred_trend": 0.0, **harmonics}), offset="population_share", period=52)
    return EndemicEpidemic(endemic, Within(), Between(weights=FirstOrder(normalised=True)))


def measles_random_intercepts() -> EndemicEpidemic:
    """The power-law model of the measles data with independent random intercepts in all three parts."""
    from groundswell.models.random_effects import RandomIntercepts

    model = measles_models()["power law"]
    assert model.within is not None
    assert model.between is not None
    random = RandomIntercepts()
    return replace(
        model,
        endemic=replace(model.endemic, random=random),
        within=replace(model.within, random=random),
        between=replace(model.between, random=random),
    )


def influenza_random_models() -> dict[str, EndemicEpidemic]:
    """The random-effects models A0 to B2 of Paul and Held (2011), table 4, by name.

    A0: endemic alone; B0: with the own past; B1: with the neighbours' too; B2: with random intercepts in the
    neighbours' part as well, correlated with those of the endemic part.
    """
    from groundswell.models.random_effects import Correlation, RandomIntercepts

    full = influenza_model()
    assert full.between is not None
    random = RandomIntercepts()
    b1 = replace(full, endemic=replace(full.endemic, random=random))
    b0 = replace(b1, between=None)
    b2 = replace(b1, between=replace(full.between, random=random), correlation=Correlation())
    return {"A0": replace(b0, within=None), "B0": b0, "B1": b1, "B2": b2}


@cache
def measles_random_fit(folder: Path) -> Fit:
    """The random-intercept model fitted to all weeks by penalised likelihood."""
    return _penalised(measles_random_intercepts(), *measles(folder))


@cache
def influenza_random_fit(folder: Path, name: str) -> Fit:
    """One of `influenza_random_models` fitted to all weeks by penalised likelihood."""
    return _penalised(influenza_random_models()[name], *influenza(folder))


@cache
def measles_fit(folder: Path, name: str) -> Fit:
    """One of `measles_models` fitted to all weeks."""
    return _fitted(measles_models()[name], *measles(folder))


@cache
def measles_scores(folder: Path, refitted: bool) -> dict[str, float]:
    """Mean one-step scores of the basic model in weeks 66 to 78, 221 forecasts.

    refitted : fitted anew to the weeks before each forecast; otherwise once to all weeks.
    """
    setting, history = measles(folder)
    if not refitted:
        forecast, counts = measles_one_step(folder, range(65, 78))
        return {name: float(score.mean()) for name, score in forecast.scores(counts).items()}
    model, scores = _model(measles_fit(folder, "basic")), []
    for week in range(65, 78):
        model = _model(_fitted(model, setting.during(week), history.during(week)))
        forecast = _forecast(model, model.intensity(setting, history)[:, week])
        scores.append(forecast.scores(history["events"][:, week]))
    return {name: float(np.mean([score[name] for score in scores])) for name in scores[0]}


def measles_one_step(folder: Path, weeks: range) -> tuple[NegativeBinomial, np.ndarray]:
    """Exact one-step forecasts of the basic model, fitted once to all weeks, and the counts, (P, K) weeks from 0."""
    setting, history = measles(folder)
    model = _model(measles_fit(folder, "basic"))
    return _forecast(model, model.intensity(setting, history)[:, weeks]), history["events"][:, weeks]


def _forecast(model: EndemicEpidemic, mean: np.ndarray) -> NegativeBinomial:
    from groundswell.evaluate.count_forecast import NegativeBinomial

    assert names(model)[-1] == "overdispersion.psi"
    return NegativeBinomial(mean, float(vector(model)[-1]))


def rows() -> list[Published]:
    """Every published number of the city models."""
    found = []

    def add(name: str, expected: float, tolerance: float, compute: Callable[[Path], float], slow: bool = False) -> None:
        def value(folder: Path | None) -> float:
            assert folder is not None
            return compute(folder)

        found.append(Published(f"cities/{name}", SOURCE, expected, tolerance, value, True, "computed", slow=slow))

    for model, log_density, aic in (
        ("basic", -971.72090, 1957.4418),
        ("Poisson", -1233.65230, 2479.3046),
        ("vaccination", -950.53569, 1917.0714),
        ("log population", -934.41817, 1886.8363),
        ("power law", -931.03231, 1882.0646),
        ("second order", -930.48133, 1880.9627),
    ):
        add(f"measles {model}: log-likelihood", log_density, 1e-5, lambda f, m=model: measles_fit(f, m).log_density)
        add(f"measles {model}: AIC", aic, 1e-4, lambda f, m=model: measles_fit(f, m).details["aic"])
    # coefficients: within 1e-4 of their standard errors, or the rounding of the last printed digit
    for name, expected, tolerance in (
        ("within.intercept", -0.437880, 1.2e-5),
        ("between.intercept", -4.147421, 2.6e-5),
        ("endemic.intercept", 0.077190, 2.6e-5),
        ("endemic.effects.trend", 0.001184, 6e-7),
        ("endemic.effects.sin1", 0.937731, 1.9e-5),
        ("endemic.effects.cos1", -0.689996, 1.8e-5),
        ("overdispersion.psi", 2.013839, 2.9e-5),
    ):
        add(f"measles basic: {name}", expected, tolerance, lambda f, n=name: _coefficient(measles_fit(f, "basic"), n))
    add("measles basic: dominant eigenvalue", 0.718690, 1e-5, _basic_eigenvalue)
    decay = "between.weights.decay"
    add(f"measles power law: {decay}", 4.102137, 1e-4, lambda f: _coefficient(measles_fit(f, "power law"), decay))
    add(
        f"measles power law: standard error of {decay}",
        1.055,
        5e-4,
        lambda f: _error(measles_fit(f, "power law"), decay),
    )
    for refitted, words, expected in (
        (False, "final fit", {"logs": 1.088505, "rps": 0.735784, "dss": 1.291088, "ses": 5.289318}),
        (True, "refitted each week", {"logs": 1.102458, "rps": 0.747774, "dss": 1.339070, "ses": 5.403861}),
    ):
        for score, number in expected.items():
            add(
                f"measles basic, {words}, weeks 66 to 78: {score}",
                number,
                1e-4 if refitted else 1e-5,
                lambda f, r=refitted, s=score: measles_scores(f, r)[s],
            )
    add("influenza fixed effects: log-likelihood", -19365.380717, 1e-5, lambda f: _influenza_fit(f).log_density)
    add(
        "measles random intercepts: penalised log-likelihood",
        -868.62657,
        1e-2,
        lambda f: measles_random_fit(f).log_density,
    )
    for name, expected, tolerance in (
        (decay, 3.6064, 1e-3),
        ("overdispersion.psi", 0.97723, 1e-4),
        ("between.effects.log(population_share)", 3.42406, 1e-3),
        # of a district without an event the intercept is 0 and its standard error the sd; 1 % of the variance
        ("within.random.sd", 1.037473, 0.005),
        ("endemic.random.by_place.03402", 1.526398, 1e-2),
        ("within.random.by_place.03457", 1.393384, 1e-2),
    ):
        add(f"measles random intercepts: {name}", expected, tolerance,
            lambda f, n=name: _coefficient(measles_random_fit(f), n))  # fmt: skip
    for name, expected in (("A0", -20142.5517), ("B0", -19006.0471), ("B1", -18851.0219), ("B2", -18696.6005)):
        add(
            f"influenza {name}: penalised log-likelihood",
            expected,
            1e-2,
            lambda f, n=name: influenza_random_fit(f, n).log_density,
        )
    for name, parameter, expected, tolerance in (
        ("A0", "overdispersion.psi", 2.052264, 1e-3),
        ("B0", "within.intercept", -0.704749, 1e-3),
        ("B1", "between.intercept", -2.184123, 1e-3),
        ("B2", "between.intercept", -1.517462, 1e-3),
        ("B2", "within.intercept", -0.891934, 1e-3),
        ("B2", "between.random.by_place.8336", 0.181798, 2e-3),
        ("B2", "endemic.random.by_place.8336", 0.263836, 2e-3),
    ):
        add(f"influenza {name}: {parameter}", expected, tolerance,
            lambda f, n=name, p=parameter: _coefficient(influenza_random_fit(f, n), p))  # fmt: skip
    return found


@cache
def _influenza_fit(folder: Path) -> Fit:
    return _fitted(influenza_model(), *influenza(folder))


def _fitted(model: EndemicEpidemic, setting: Setting, history: History) -> Fit:
    from groundswell.infer.base import fit
    from groundswell.infer.likelihood import MaximumLikelihood
    from groundswell.rng import generator

    return fit(model, setting, history, MaximumLikelihood(), rng=generator(0))


def _penalised(model: EndemicEpidemic, setting: Setting, history: History) -> Fit:
    from groundswell.infer.base import fit
    from groundswell.infer.penalised import PenalisedLikelihood
    from groundswell.rng import generator

    return fit(model, setting, history, PenalisedLikelihood(), rng=generator(0))


def _model(found: Fit) -> EndemicEpidemic:
    return cast("EndemicEpidemic", found.model)


def _basic_eigenvalue(folder: Path) -> float:
    model = _model(measles_fit(folder, "basic"))
    return float(model.dominant_eigenvalue(measles(folder).setting)[0])


def _coefficient(found: Fit, name: str) -> float:
    return float(found.estimate[found.names.index(name)])


def _error(found: Fit, name: str) -> float:
    return float(found.standard_error[found.names.index(name)])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _series(path: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Place names and (P, T) values of a table with a row a week and the columns week_index, year, week, places."""
    rows = _rows(path)
    names = tuple(name for name in rows[0] if name not in ("week_index", "year", "week"))
    return names, np.array([[float(row[name]) for row in rows] for name in names])


def _square(path: Path) -> np.ndarray:
    """(P, P) matrix with names in the first column and row."""
    return np.array([[float(value) for key, value in row.items() if key != "district"] for row in _rows(path)])
