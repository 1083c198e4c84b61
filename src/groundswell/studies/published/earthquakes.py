"""ETAS on three earthquake catalogues: Iran, Italy and Japan, as the R package ETAS ships them.

Regions, periods and thresholds are those of the examples in that package's manual; numbers of its fits could not be
had, so what stands here was computed from the equations by another program (all pairs in numpy, the integral over the
region by rays), at the starting values that the manual gives, in km.
Jalilian (2019), ETAS: An R Package for Fitting the Space-Time ETAS Model to Earthquake Data, Journal of Statistical
Software 88, Code Snippets 1.
"""

from __future__ import annotations

import csv
import gzip
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from groundswell.studies.published.base import Published

if TYPE_CHECKING:
    from groundswell.data.history import Events, History
    from groundswell.data.region import Projection
    from groundswell.data.setting import Setting
    from groundswell.infer.base import Fit
    from groundswell.models.events.etas import Etas

SOURCE = "computed from the equations; catalogue, region, period and parameters from the manual of the R package ETAS"
KM_PER_DEGREE = 111.19
"""Of a great circle on a sphere of radius 6371 km; the manual's D is in square degrees."""

SIDE = 8
"""Straight pieces to a side of a box of degrees, whose sides are curved on the map."""


class Study(NamedTuple):
    """A catalogue, a corner list of longitudes and latitudes, the first and last day, the threshold, and parameters.

    values : background, offspring, alpha, c, p, D (km^2), gamma, q.
    """

    file: str
    outline: tuple[tuple[float, float], ...]
    start: str
    end: str
    threshold: float
    values: tuple[float, ...]


def box(west: float, south: float, east: float, north: float) -> tuple[tuple[float, float], ...]:
    """The outline of a box of degrees, anticlockwise."""
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return tuple(
        (x + (to_x - x) * k / SIDE, y + (to_y - y) * k / SIDE)
        for (x, y), (to_x, to_y) in pairwise(corners)
        for k in range(SIDE)
    )


JAPAN = (
    (134.0, 31.9), (137.9, 33.0), (143.1, 33.2), (144.9, 35.2), (147.8, 41.3), (137.8, 44.2), (137.4, 40.2),
    (135.1, 38.0), (130.6, 35.4),
)  # fmt: skip

STUDIES = {
    "iran": Study(
        "iran_quakes.csv.gz", box(44, 26, 63, 40), "1986-01-01", "2015-12-31", 5.0,
        (0.46, 0.23, 2.8, 0.022, 1.12, 0.012 * KM_PER_DEGREE**2, 0.35, 2.4),
    ),
    "italy": Study(
        "italy_quakes.csv.gz", box(6.15, 35, 19, 48), "2005-04-16", "2013-11-01", 3.0,
        (1.0, 0.2, 1.05, 0.005, 1.1, 1.1, 0.6, 1.52),
    ),
    "japan": Study(
        "japan_quakes.csv.gz", JAPAN, "1953-05-26", "1990-01-07", 4.5,
        (0.592844590, 0.204288231, 1.495169224, 0.022692883, 1.109752319, 0.001175925 * KM_PER_DEGREE**2, 1.041549634,
         1.860044210),
    ),
}  # fmt: skip
"""Iran as in the manual's example of `etas`, whose threshold of 5 leaves few; `catalogue(..., threshold=4.5)` has more.
Italy's A follows in the manual from p = 1.01, which holds no probability in these years: 0.2 and p = 1.1 here."""


def catalogue(folder: Path, name: str, *, threshold: float | None = None) -> tuple[Etas, Setting, History]:
    """A model at the starting values, its setting, and the target events; those before and outside go with the model.

    Times are UTC, days since the study's start with fractions. Tied ones in Italy (two pairs) are a second apart
    here: the catalogue has whole seconds.
    """
    from groundswell.data.history import Events, from_events
    from groundswell.data.places import Places
    from groundswell.data.region import Projection, Region
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window
    from groundswell.models.events.etas import Etas, Triggering

    study = STUDIES[name]
    low = study.threshold if threshold is None else threshold
    window = Window.between(study.start, study.end)
    longitude, latitude = np.array(study.outline).T
    projection = Projection.around(latitude, longitude)
    outline = [list(corner) for corner in (*study.outline, study.outline[0])]
    region = Region.from_geometry({"type": "Polygon", "coordinates": [outline]}, projection=projection)
    every = _events(folder / "etas_quakes" / study.file, window.start, low, projection)
    assert isinstance(every, Events)
    early, late = every.time_days < 0, every.time_days >= window.days
    inside = region.contains(np.asarray(every.x_km), np.asarray(every.y_km))
    setting = Setting(Places.single(), window, region=region)
    model = Etas(
        study.values[0], Triggering(*study.values[1:]), threshold=low, before=every.take(early),
        outside=every.take(~early & ~late & ~inside),
    )  # fmt: skip
    return model, setting, from_events(setting.places, window, every.take(~early & ~late & inside))


def _events(path: Path, start: date, threshold: float, projection: Projection) -> Events:
    """Every earthquake of a file at or above a magnitude; columns date, time, long, lat, mag."""
    from groundswell.data.history import Events

    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if float(row["mag"]) >= threshold - 1e-9]
    days = np.array([_days(row, start) for row in rows])
    for k in np.flatnonzero(np.diff(days) == 0):
        days[k + 1] += 1 / 86_400
    xy = projection(np.array([float(row["lat"]) for row in rows]), np.array([float(row["long"]) for row in rows]))
    return Events(
        days, np.zeros(len(rows), dtype=np.int64), x_km=xy[:, 0], y_km=xy[:, 1],
        marks={"magnitude": np.array([float(row["mag"]) for row in rows])},
    )  # fmt: skip


def _days(row: dict[str, str], start: date) -> float:
    hours, minutes, seconds = row["time"].split(":")
    whole = (date.fromisoformat(row["date"]) - start).days
    return whole + (int(hours) + int(minutes) / 60 + float(seconds) / 3600) / 24


class Check(NamedTuple):
    """How a fit stands up to its own events, by compensated times: a unit Poisson process if the model is right.

    Largest gaps between distributions (Kolmogorov and Smirnov's) with their p-values: of the times over the whole
    against the uniform, which sees rates that drift over years, and of the waits between them against the
    exponential, which sees triggering.
    """

    times: float
    times_p: float
    waits: float
    waits_p: float


def checked(model: Etas, setting: Setting, history: History) -> Check:
    """Compensated times of the events; p-values take the parameters as known and are too large for fitted ones."""
    from scipy.stats import kstest

    events = history.events
    assert events is not None
    at = model.compensator(setting, history, events.time_days)
    total = float(model.compensator(setting, history, np.array([float(setting.window.days)]))[0])
    times, waits = kstest(at / total, "uniform"), kstest(np.diff(at), "expon")
    return Check(float(times.statistic), float(times.pvalue), float(waits.statistic), float(waits.pvalue))


def fitted(folder: Path, name: str, *, threshold: float | None = None, own_point: bool = False) -> Fit:
    """The fit by turns with its background."""
    from groundswell.infer.declustered_fit import fit_with_declustering
    from groundswell.rng import generator

    model, setting, history = catalogue(folder, name, threshold=threshold)
    model = model.replacing({"background": 0.3 * len(history.events or ()) / setting.window.days})
    return fit_with_declustering(model, setting, history, rng=generator(0), own_point=own_point)


@cache
def at_start(folder: Path, name: str) -> float:
    """The log density at the starting values, the background spread evenly."""
    model, setting, history = catalogue(folder, name)
    return model.log_density(setting, history)


def rows() -> list[Published]:
    """Log densities at the starting values, one a catalogue."""
    expected = {"iran": -7246.429755, "italy": -25997.827573, "japan": -65269.301041}
    found = []

    def add(name: str, value: float) -> None:
        def compute(folder: Path | None) -> float:
            assert folder is not None
            return at_start(folder, name)

        found.append(
            Published(
                f"events/etas {name}: log density at the manual's starting values", SOURCE, value, 1e-3, compute,
                needs_data=True, tag="computed",
            )
        )  # fmt: skip

    for name, value in expected.items():
        add(name, value)
    return found
