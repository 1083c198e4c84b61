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
    """Numba's disk cache does not notice a change in a function imported from another file: make the importer newer."""
    loops = sorted((Path(__file__).parents[1] / "src").rglob("_*_loops.py"))
    for importer in loops:
        text = importer.read_text(encoding="utf-8")
        used = [path for path in loops if path != importer and f"{path.stem} import" in text]
        if os.access(importer, os.W_OK) and any(path.stat().st_mtime > importer.stat().st_mtime for path in used):
            importer.touch()


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
