"""`groundswell doctor`: what this machine has, for a bug report or a first look."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import groundswell
from groundswell.cli.common import Json, show
from groundswell.data.table import Table
from groundswell.studies.published.base import reference_data


def doctor(as_json: Json = False) -> None:
    """Versions, Python, cores, caches, optional extras and reference data."""
    found = examine()
    rows: list[dict[str, Any]] = []
    for what, value in found.items():
        if isinstance(value, dict):
            rows += [{"what": f"{what}: {name}", "found": detail} for name, detail in value.items()]
        else:
            rows.append({"what": what, "found": value})
    show(found, str(Table.from_rows(rows)), as_json=as_json)


def examine() -> dict[str, Any]:
    """What `doctor` prints, as a dictionary."""
    folder = reference_data()
    core, *extras = _requirements()
    return {
        "groundswell": groundswell.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "compiled loops": _cache(),
        "reference data": str(folder) if folder else "not found; GROUNDSWELL_REFERENCE_DATA may name the folder",
        "package": {name: _version(name) or "missing" for name in core[1]},
        "extra": {
            extra: "installed" if all(map(_version, names)) else f'pip install "groundswell[{extra}]"'
            for extra, names in extras
        },
    }


def _requirements() -> list[tuple[str, list[str]]]:
    """The packages that groundswell itself needs, under "", then those of each extra."""
    found: dict[str, list[str]] = {"": []}
    for line in requires("groundswell") or ():
        name, marker = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"](.+?)['\"]", line)
        found.setdefault(marker[1] if marker else "", []).append(name[0] if name else line)
    return list(found.items())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cache() -> str:
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(named) if named else Path(groundswell.__file__).parent
    files = list(folder.rglob("*.nbc"))
    size = sum(file.stat().st_size for file in files) / 1e6
    return f"{len(files)} in the cache, {size:.1f} MB, under {folder}"
