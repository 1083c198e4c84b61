"""Shared fixtures: the reference data, and a lopsided country in which symmetry cannot hide bugs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from groundswell.data.places import Places
from groundswell.studies.published.base import reference_data

# compiling a loop or a busy machine must not fail an example; CI repeats the same examples
settings.register_profile("groundswell", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("groundswell")


def renew_kernels() -> None:
    """Numba's disk cache looks at a loop's own file alone: drop what is older than a file that it imports."""
    text = {path: path.read_text(encoding="utf-8") for path in (Path(__file__).parents[1] / "src").rglob("_*_loops.py")}

    def changed(path: Path) -> float:
        used = [other for other in text if other != path and f"{other.stem} import" in text[path]]
        return max([path.stat().st_mtime, *map(changed, used)])

    for path in text:
        for index in (path.parent / "__pycache__").glob(f"{path.stem}.*.nbi"):
            if os.access(index, os.W_OK) and index.stat().st_mtime < changed(path):
                index.unlink()


renew_kernels()


@pytest.fixture(scope="session")
def reference() -> Path:
    """The reference data; absent they skip the test, and fail it where CI=true."""
    folder = reference_data()
    if folder is None:
        reason = "reference data absent: set GROUNDSWELL_REFERENCE_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def lopsided() -> Places:
    """A hub, a pair close together, one far away; unequal populations."""
    return Places(
        ("Hub", "Near", "Twin", "Far"),
        np.array([900_000.0, 60_000.0, 45_000.0, 150_000.0]),
        np.array([35.0, 35.4, 35.45, 31.0]),
        np.array([51.0, 51.6, 51.65, 58.0]),
        ("Centre", "Centre", "Centre", "South"),
        ("Testland",) * 4,
    )
