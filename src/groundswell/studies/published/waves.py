"""Exact cases of the two deterministic city models: the final size of an epidemic, and a phase diagram.

Nothing here solves the equation that the expected value comes from: the riot wave is integrated until it has
died down, and the edges between regimes are found by following the flow for a thousand days from many starts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from groundswell.studies.published.base import Published

if TYPE_CHECKING:
    from groundswell.data.setting import Setting

SIR = "one place is the SIR epidemic of Kermack and McKendrick: final size z = 1 - exp(-R0 z); integrated here"
PHASES = "Lang and De Sterck (2014), growth .3 and decay .2 a day, so c* = .6: follows from the equation"
SUSCEPTIBLE = 1e8
"""sigma(0), events a day, against a single event that lights the wave: its own part in z is some 1e-8."""


def final_size(ratio: float, shares: tuple[float, ...] = (1.0,)) -> float:
    """What a wave with this R0 uses up of the susceptible, in places that perceive everything alike."""
    from groundswell.data.history import History
    from groundswell.data.places import Places
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window
    from groundswell.models.cities.riot_wave import RiotWave, Susceptible
    from groundswell.models.triggering import NearAndEverywhere

    count = len(shares)
    places = Places(
        tuple(f"place {i}" for i in range(count)), SUSCEPTIBLE * np.array(shares), np.linspace(30, 40, count),
        np.linspace(45, 60, count),
    )  # fmt: skip
    setting = Setting(places, Window(date(2000, 1, 1), 300))
    model = RiotWave(
        Susceptible(1e5), contagion=ratio / SUSCEPTIBLE, decay=1.0, start=1.0, reach=NearAndEverywhere(1.0, 60.0),
        background=None,
    )  # fmt: skip
    lit = np.zeros(setting.shape)
    lit[0, 0] = 1
    events = np.nansum(model.intensity(setting, History(places, setting.window, {"events": lit})))
    return float(events - 1) / SUSCEPTIBLE  # decay is 1: each day of activity has used up as much


def apart() -> float:
    """Log density of four places with a diagonal W, less the sum of the four alone."""
    from groundswell.data.history import History
    from groundswell.data.setting import Setting
    from groundswell.models.cities.riot_wave import RiotWave, Susceptible
    from groundswell.rng import generator

    _, setting = RiotWave.example()
    setting = Setting(setting.places, setting.window)
    model = RiotWave(Susceptible(6.0), contagion=0.02, reach=None)
    counts = generator(1).poisson(2.0, setting.shape).astype(float)
    total = model.log_density(setting, History(setting.places, setting.window, {"events": counts}))
    for k in range(len(counts)):
        place = setting.places.subset([k])
        alone = Setting(place, setting.window)
        total -= model.log_density(alone, History(place, setting.window, {"events": counts[k : k + 1]}))
    return total


def share_after(start: float, alpha: float, beta: float, days: int = 1000, rates: tuple[float, float] = (0.3, 0.2)):
    """r after so many days by the flow of the model."""
    from groundswell.models.cities.regimes import Regimes

    model = Regimes(*rates, visibility_threshold=alpha, policing_threshold=beta, initial=start)
    return float(model.shares(_one_place(days))[0, -1])


def edge(alpha: float, beta: float, low: float, high: float) -> float:
    """The start between low and high at which the end changes from that of `low`, by halving."""
    end = share_after(low, alpha, beta)
    while high - low > 1e-12:
        middle = (low + high) / 2
        same = abs(share_after(middle, alpha, beta) - end) < 1e-6
        low, high = (middle, high) if same else (low, middle)
    return high


def _one_place(days: int) -> Setting:
    from groundswell.data.places import Places
    from groundswell.data.setting import Setting
    from groundswell.data.window import Window

    return Setting(Places.single(), Window(date(2000, 1, 1), days))


def rows() -> list[Published]:
    """Every exact case of the riot wave and of the regimes."""
    found = []

    def add(name: str, source: str, expected: float, tolerance: float, compute: Callable[[], float]) -> None:
        def value(folder: Path | None) -> float:
            return float(compute())

        found.append(Published(f"cities/{name}", source, expected, tolerance, value, tag="computed"))

    for ratio, size in ((1.5, 0.582812), (2.0, 0.796812), (3.0, 0.940480)):
        add(f"riot wave, one place, R0 {ratio:g}: final size", SIR, size, 1e-6, lambda r=ratio: final_size(r))
    three = (0.2, 0.3, 0.5)
    add("riot wave, three places that perceive all alike, R0 2: final size", SIR + "; the sum of alike places is one",
        0.796812, 1e-6, lambda: final_size(2.0, three))  # fmt: skip
    add("riot wave, diagonal W: log density less that of the places alone", "independent sites", 0.0, 1e-6, apart)

    for words, start, alpha, beta, end in (
        ("alpha .1, beta .9: end from .2", 0.2, 0.1, 0.9, 0.6),
        ("alpha .1, beta .9: end from .1", 0.1, 0.1, 0.9, 0.0),
        ("alpha .1, beta .9: end from .9", 0.9, 0.1, 0.9, 1.0),
        ("alpha .7, beta .4: end from .55", 0.55, 0.7, 0.4, 0.55),
    ):
        add(f"regimes, {words}", PHASES, end, 1e-9, lambda a=(start, alpha, beta): share_after(*a))
    for words, alpha, beta, low, high, at in (
        ("alpha .1, beta .5, both below c*: edge between 0 and 1", 0.1, 0.5, 0.01, 0.99, 0.1),
        ("alpha .7, beta .8, both above c*: edge between 0 and 1", 0.7, 0.8, 0.01, 0.99, 0.8),
        ("alpha .1, beta .9: edge between 0 and c*", 0.1, 0.9, 0.01, 0.6, 0.1),
        ("alpha .1, beta .9: edge between c* and 1", 0.1, 0.9, 0.6, 0.99, 0.9),
        ("alpha .7, beta .4: edge between 0 and standing still", 0.7, 0.4, 0.01, 0.55, 0.4),
    ):
        add(f"regimes, {words}", PHASES, at, 1e-9, lambda a=(alpha, beta, low, high): edge(*a))
    add("regimes, rising through beta .5 from .2: share after 10 days",
        PHASES + "; 1 - .5 exp(-.3 (10 - 2 log 4))", 0.9428097, 5e-8,
        lambda: share_after(0.2, 0.1, 0.5, 10))  # fmt: skip
    add("regimes, growth .05, decay .35, falling through alpha .3 from .45: share after 10 days",
        "the same equation; .3 exp(-.35 (10 - log(.325 / .175) / .4))", 0.0155715, 5e-8,
        lambda: share_after(0.45, 0.3, 0.8, 10, (0.05, 0.35)))  # fmt: skip
    return found
