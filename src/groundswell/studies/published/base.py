"""One published number: where it stands, what it is, and how this package computes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Published:
    """A row of `groundswell reproduce`.

    name : "cities/measles basic: log-likelihood". source : paper, table or equation.
    expected, tolerance : |got - expected| <= tolerance passes; a simulated value states
    its tolerance as 3 Monte Carlo standard errors. at_least : got >= expected - tolerance passes.
    tag : "published" (printed in the source) or "computed" (from the equations, independently).
    compute : called with the reference-data folder (None unless needs_data); never reads `expected`.
    """

    name: str
    source: str
    expected: float
    tolerance: float
    compute: Callable[[Path | None], float]
    needs_data: bool = False
    tag: Literal["published", "computed"] = "published"
    at_least: bool = False
    slow: bool = False

    def passes(self, got: float) -> bool:
        """Whether the computed value meets the expected one."""
        if self.at_least:
            return got >= self.expected - self.tolerance
        return abs(got - self.expected) <= self.tolerance


def reference_data() -> Path | None:
    """The folder of reference data: $GROUNDSWELL_REFERENCE_DATA, else ../shared/data beside the project."""
    named = os.environ.get("GROUNDSWELL_REFERENCE_DATA")
    folder = Path(named) if named else Path("../shared/data")
    return folder.resolve() if folder.is_dir() else None
