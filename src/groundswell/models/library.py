"""The one table that knows every model by name; nothing is imported before it is used.

A model outside the library is named by its file, `my_model.py`, or by its module, `package.module:Name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from groundswell.errors import UsageError, nearest
from groundswell.models.base import Model


@dataclass(frozen=True)
class Entry:
    """Where a model lives and at which level it speaks."""

    module: str
    model: str
    level: Literal["agents", "cities", "events"]

    def load(self) -> type[Model]:
        """The model's class; imports its module."""
        return getattr(import_module(f"groundswell.models.{self.level}.{self.module}"), self.model)


LIBRARY: Mapping[str, Entry] = {
    "mobilisation": Entry("mobilisation", "Mobilisation", "cities"),
    "endemic_epidemic": Entry("endemic_epidemic", "EndemicEpidemic", "cities"),
    "riot_wave": Entry("riot_wave", "RiotWave", "cities"),
    "regimes": Entry("regimes", "Regimes", "cities"),
    "self_exciting": Entry("self_exciting", "SelfExciting", "events"),
    "mutually_exciting": Entry("mutually_exciting", "MutuallyExciting", "events"),
    "space_time": Entry("space_time", "SpaceTime", "events"),
    "etas": Entry("etas", "Etas", "events"),
    "civil_violence": Entry("civil_violence", "CivilViolence", "agents"),
    "intergroup_violence": Entry("intergroup_violence", "IntergroupViolence", "agents"),
    "thresholds": Entry("thresholds", "Thresholds", "agents"),
    "cascade": Entry("cascade", "Cascade", "agents"),
    "recruitment": Entry("recruitment", "Recruitment", "agents"),
}


def load(name: str) -> type[Model]:
    """The class of the model `name`; dashes count as underscores. A file or a module is imported: its code runs."""
    from groundswell.models.outside import is_outside, load_outside

    if is_outside(name):
        return load_outside(name)
    key = name.replace("-", "_")
    if key not in LIBRARY:
        raise UsageError(
            f'no model is called "{name}".' + nearest(key, LIBRARY) + f" Known: {', '.join(LIBRARY)}; "
            "or a file with a model of your own, as my_model.py."
        )
    return LIBRARY[key].load()


def level(name: str) -> str:
    """The level at which a model of the library speaks; "outside" for any other."""
    key = name.replace("-", "_")
    return LIBRARY[key].level if key in LIBRARY else "outside"
