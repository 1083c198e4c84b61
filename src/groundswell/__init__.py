"""groundswell: how mobilisation spreads under repression, and what partisan records can tell of it.

The public door. Everything is imported on first use, so that `import groundswell` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_DOOR = {
    "Account": "models.base",
    "Candidate": "evaluate.compare",
    "Claim": "data.record",
    "Events": "data.history",
    "Fit": "infer.base",
    "Forecast": "evaluate.forecast",
    "Graph": "data.graph",
    "History": "data.history",
    "Network": "data.network",
    "Places": "data.places",
    "Record": "data.record",
    "Setting": "data.setting",
    "Table": "data.table",
    "Window": "data.window",
    "compare": "evaluate.compare",
    "fit": "infer.base",
    "forecast": "evaluate.forecast",
    "generator": "rng",
    "nowcast": "evaluate.nowcast",
    "rank": "evaluate.ranking",
}

__all__ = ["__version__", *sorted(_DOOR)]


def __getattr__(name: str) -> Any:
    if name in _DOOR:
        return getattr(import_module(f"groundswell.{_DOOR[name]}"), name)
    raise AttributeError(f"groundswell has no public name {name!r}; see groundswell.__all__.")


def __dir__() -> list[str]:
    return list(__all__)
