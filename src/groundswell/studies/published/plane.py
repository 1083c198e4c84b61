"""Published numbers of events in the plane: the fits of R's surveillance to invasive meningococcal disease.

Each model's log-likelihood at R's coefficients is R's to the digits printed, which checks the intensity, the pairs and
the integral over influence regions. R's search stops at a relative tolerance of the log-likelihood, 1e-2 here, before
the score is 0; the maximum, which a row of its own states, is a little higher.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.studies.published.base import Published

if TYPE_CHECKING:
    from groundswell.data.history import History
    from groundswell.data.setting import Setting
    from groundswell.infer.base import Fit
    from groundswell.models.events.space_time import SpaceTime
    from groundswell.models.triggering import Reach

SOURCE = "R surveillance 1.26.0, twinstim on imdepi: Meyer, Held and Höhle (2017), JSS 77(11), section 3"
PRINTED = {
    "endemic": -9579.0638916696, "gaussian": -9474.7481687761, "exponential": -9465.7067560133,
    "step4": -9454.4653657459,
}  # fmt: skip
"""Log-likelihoods of the models by reach."""
STEP_KM = tuple(100 ** (k / 5) for k in range(1, 6))


class Case(NamedTuple):
    """A setting, its history, and the events' influence regions as the R package cut them."""

    setting: Setting
    history: History
    regions: tuple[tuple[np.ndarray, ...], ...]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def meningococcal(folder: Path) -> Case:
    """635 cases in Germany, 2002 to 2008, in 413 districts and 84 months; without the case of unknown age.

    Columns of time are those of the month's first day, as the package has them.
    """
    from groundswell.data.history import Events, History
    from groundswell.data.places import Places
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window

    folder = folder / "surveillance"
    cases = [row for row in _rows(folder / "imdepi_events.csv") if row["agegrp"] not in ("", "NA")]
    untied = {row["ID"]: row for row in _rows(folder / "imdepi_events_untied_xy.csv")}
    rings: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for row in _rows(folder / "imdepi_influence_regions_untied.csv"):
        rings.setdefault(row["ID"], {}).setdefault(row["ring"], []).append((float(row["x"]), float(row["y"])))
    grid = _rows(folder / "imdepi_grid.csv")
    tiles = {name: i for i, name in enumerate(dict.fromkeys(row["tile"] for row in grid))}
    starts = np.array(sorted({float(row["start"]) for row in grid}))
    area, density = np.zeros((len(tiles), 1)), np.zeros((len(tiles), len(starts)))
    for row in grid:
        area[tiles[row["tile"]]] = float(row["area"])
        density[tiles[row["tile"]], np.searchsorted(starts, float(row["start"]))] = float(row["popdensity"])
    window = Window(date(2002, 1, 1), 2557)
    month = np.searchsorted(starts, np.arange(window.days), side="right") - 1
    turn = 2 * np.pi * starts[month] / 365
    setting = Setting(
        Places(tuple(tiles), np.ones(len(tiles))), window,
        covariates={
            "area_km2": area, "density": density[:, month], "year": starts[month] / 365 - 3.5,
            "sine": np.sin(turn), "cosine": np.cos(turn),
        },
    )  # fmt: skip
    events = Events(
        np.array([float(row["time"]) for row in cases]),
        np.array([tiles[row["tile"]] for row in cases]),
        x_km=np.array([float(untied[row["ID"]]["x"]) for row in cases]),
        y_km=np.array([float(untied[row["ID"]]["y"]) for row in cases]),
        kind=np.array([int(row["type"] == "C") for row in cases]),
        marks={
            "type C": np.array([float(row["type"] == "C") for row in cases]),
            "aged 3 to 18": np.array([float(row["agegrp"] == "[3,19)") for row in cases]),
            "aged 19 or more": np.array([float(row["agegrp"] == "[19,Inf)") for row in cases]),
        },
    )
    regions = tuple(tuple(np.array(ring) for ring in rings[row["ID"]].values()) for row in cases)
    return Case(setting, History(setting.places, window, {}, events), regions)


def model(case: Case, reach: Reach | None) -> SpaceTime:
    """The models of the vignette by reach, at default starting values; None for the endemic part alone."""
    from groundswell.models.events.space_time import Endemic, Offspring, SpaceTime
    from groundswell.params import Effects

    endemic = Endemic(-20.0, Effects(year=0.0, sine=0.0, cosine=0.0), offset="density")
    marks = Effects({"type C": 0.0, "aged 3 to 18": 0.0, "aged 19 or more": 0.0})
    return SpaceTime(
        endemic, None if reach is None else Offspring(-1.0, marks, reach), kinds=2, regions=case.regions
    )  # fmt: skip


def reaches() -> dict[str, Reach]:
    """At starting values."""
    from groundswell.models.triggering import Exponential, Gaussian, PowerLaw, Steps
    from groundswell.params import Effects

    bands = Effects({str(knot): -2.0 - k for k, knot in enumerate(STEP_KM[1:4])} | {"100": -6.0})
    return {
        "gaussian": Gaussian(20.0),
        "exponential": Exponential(20.0),
        "powerlaw": PowerLaw(5.0, 2.5),
        "step4": Steps(STEP_KM[0], bands),
        "constant": Steps(200.0, Effects()),
    }


@cache
def _reference(folder: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in _rows(folder / "surveillance" / "reference_twinstim.csv"):
        found.setdefault(row["model"].removeprefix("imdepi_"), {})[row["param"]] = float(row["estimate"])
    return found


def at_reference(folder: Path, name: str) -> float:
    """Log-likelihood at R's coefficients, which speak of kernels that are not normalised."""
    case = meningococcal(folder)
    told = list(_reference(folder)[name].values())
    endemic = dict(zip(("intercept", "effects.year", "effects.sine", "effects.cosine"), told[:4], strict=True))
    values = {f"endemic.{key}": value for key, value in endemic.items()}
    if name == "endemic":
        return model(case, None).replacing(values).log_density(case.setting, case.history)
    reach, rest = reaches()[name], told[8:]
    if name == "step4":
        reach = reach.replacing({f"log_level.{k}": v for k, v in zip(reach.log_level, rest, strict=True)})  # type: ignore[attr-defined]
        unit = 1.0
    else:
        scale = math.exp(rest[0])
        reach = reach.replacing({"scale_km": scale} | ({"decay": math.exp(rest[1])} if len(rest) > 1 else {}))
        unit = scale ** -math.exp(rest[1]) if len(rest) > 1 else 1.0
    spread = 2 * math.pi * float(reach.disc(np.array([200.0]))[0]) * 30 * unit
    marks = dict(zip(("type C", "aged 3 to 18", "aged 19 or more"), told[5:8], strict=True))
    values |= {f"offspring.effects.{key}": value for key, value in marks.items()}
    values["offspring.intercept"] = told[4] + math.log(spread)
    return model(case, reach).replacing(values).log_density(case.setting, case.history)


def fitted(folder: Path, name: str) -> Fit:
    """A fit from default starting values."""
    from groundswell.infer.base import fit
    from groundswell.infer.likelihood import MaximumLikelihood
    from groundswell.rng import generator

    case = meningococcal(folder)
    reach = None if name == "endemic" else reaches()[name]
    return fit(model(case, reach), case.setting, case.history, MaximumLikelihood(), rng=generator(0))


def maximum(folder: Path, name: str) -> float:
    """The highest log-likelihood."""
    found = fitted(folder, name)
    return found.log_density if found.converged else float("nan")


def rows() -> list[Published]:
    """Every published number of events in the plane."""
    found = []

    def add(name: str, expected: float, tolerance: float, compute: Callable[[Path], float], **options: bool) -> None:
        def value(folder: Path | None) -> float:
            assert folder is not None
            return compute(folder)

        found.append(
            Published(f"events/{name}", SOURCE, expected, tolerance, value, needs_data=True, **options)  # type: ignore[arg-type]
        )

    for name, value in PRINTED.items():
        tolerance = {"endemic": 1e-6, "step4": 1e-2}.get(name, 1e-4)
        add(
            f"twinstim {name}: log-likelihood at R's coefficients",
            value,
            tolerance,
            lambda f, n=name: at_reference(f, n),
        )
        add(f"twinstim {name}: maximum", value, 1e-2, lambda f, n=name: maximum(f, n), at_least=True)
    add("twinstim constant kernel by type and age: maximum", -9565.4830939361, 1e-5, lambda f: maximum(f, "constant"))
    add("twinstim power law: maximum", -9457.7, 0.0, lambda f: maximum(f, "powerlaw"), at_least=True)
    return found
