"""Published numbers on forecasts of counts: calibration tests, and one-step scores of the measles model.

The calibration tests are those of Wei, Held (2014), Calibration tests for count data, TEST 23, as R
surveillance computes them; the six forecasts and their statistics stand in that package's own test
(tests/testthat/test-calibration.R), computed with sums that are ended at an absolute tolerance of 1e-4.
Its ninth number, the log score at sizes that vary (2.770905), is left out: there the ended sums matter,
and with all terms it is 2.866144 (tests/test_calibration.py computes both).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from groundswell.studies.published.base import Published

TESTS = "R surveillance, tests/testthat/test-calibration.R; Wei, Held (2014), TEST 23, discussion"
SCORES = "R surveillance 1.20.3: oneStepAhead of the measles model of Meyer, Held, Höhle (2017), type final"

MEAN = (0.1, 1.0, 3.0, 6.0, math.pi, 100.0)
COUNTS = (0, 0, 2, 14, 5, 63)
OVERDISPERSION = {
    "Poisson": (0.0,) * 6,
    "size 0.5": (2.0,) * 6,
    "sizes that vary": (10.0, 10.0, 0.1, 0.1, 0.01, 0.01),
}
STATISTICS = {
    ("dss", "Poisson"): 6.07760977730636,
    ("dss", "size 0.5"): -0.468561113465647,
    ("dss", "sizes that vary"): 2.81071829075294,
    ("logs", "Poisson"): 5.95533908528874,
    ("logs", "size 0.5"): 0.403872251419915,
    ("rps", "Poisson"): 4.45647234878906,
    ("rps", "size 0.5"): -0.437254253267393,
    ("rps", "sizes that vary"): 2.57223607389215,
}
ONE_STEP = {"logs": 0.1958334961, "rps": 0.0592539581, "dss": -2.0604410892, "ses": 0.1348266153}
"""Mean over 17 districts and weeks 79 to 104."""


def rows() -> list[Published]:
    """Every published number on forecasts."""
    found = []
    for (score, name), expected in STATISTICS.items():
        tolerance = 1e-10 if score == "dss" else 5e-4  # in closed form; as far as sums that end early may miss
        title = f"forecasts/calibration test by {score}, {name}: z"
        found.append(Published(title, TESTS, expected, tolerance, _tested(score, name)))
    for score, expected in ONE_STEP.items():
        title = f"forecasts/measles basic, final fit, weeks 79 to 104: {score}"
        found.append(Published(title, SCORES, expected, 1e-7, _one_step(score), True, "computed"))
    return found


def _tested(score: str, name: str) -> Callable[[Path | None], float]:
    def value(folder: Path | None) -> float:
        from groundswell.evaluate.calibration import calibration_test
        from groundswell.evaluate.count_forecast import NegativeBinomial

        forecast = NegativeBinomial(np.array(MEAN), np.array(OVERDISPERSION[name]))
        return calibration_test(forecast, np.array(COUNTS), score).statistic  # type: ignore[arg-type]

    return value


def _one_step(score: str) -> Callable[[Path | None], float]:
    def value(folder: Path | None) -> float:
        from groundswell.studies.published.cities import measles_one_step

        assert folder is not None
        forecast, counts = measles_one_step(folder, range(78, 104))
        return float(forecast.scores(counts, (score,))[score].mean())

    return value
