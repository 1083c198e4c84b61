"""What the fields of a component may hold, read off their type hints.

Only hints made of components, of plain values (bool, int, float, str) and of None are read: an array, a mapping or
a protocol is left to whoever uses it.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable
from types import NoneType
from typing import Any

import numpy as np

PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
"""Plain values, in words."""


def kinds(hint: Any, component: type) -> tuple[type, ...]:
    """The classes that a hint allows, NoneType among them; empty for a hint that is not read."""
    options = typing.get_args(hint) or (hint,)
    for option in options:
        if not isinstance(option, type) or typing.get_origin(option) is not None:
            return ()
        if option not in PLAIN and option is not NoneType and not issubclass(option, component):
            return ()
    return options


def by_field(kind: type, component: type) -> dict[str, tuple[type, ...]]:
    """`kinds` of every field of a class that is read; none where a hint names what its module does not know."""
    try:
        hints = typing.get_type_hints(kind)
    except NameError:
        return {}
    known = {field.name: kinds(hints[field.name], component) for field in dataclasses.fields(kind) if field.init}
    return {name: allowed for name, allowed in known.items() if allowed}


def fits(given: object, allowed: tuple[type, ...]) -> bool:
    """Whether a value is of one of the kinds; a bool is no number, and a whole number is one."""
    if isinstance(given, bool | np.bool_):
        return bool in allowed
    if float in allowed and isinstance(given, int | float | np.integer | np.floating):
        return True
    return isinstance(given, allowed) or (int in allowed and isinstance(given, np.integer))


def expected(allowed: Iterable[type]) -> str:
    """The kinds in words: plain ones, and the components with the modules that hold them."""
    plain = [PLAIN[kind] for kind in allowed if kind in PLAIN]
    modules: dict[str, list[str]] = {}
    for kind in concrete(kind for kind in allowed if kind not in PLAIN and kind is not NoneType):
        modules.setdefault(kind.__module__, []).append(kind.__name__)
    parts = [f"{', '.join(names)} of {module}" for module, names in modules.items()]
    if len(parts) > 1 or any(len(names) > 1 for names in modules.values()):
        parts = ["one of " + "; ".join(parts)]
    return " or ".join([*plain, *parts, *(["None"] if NoneType in allowed else [])])


def named(given: object) -> str:
    """A value in an error message: a component by its class and module, for two modules may have one of that name."""
    kind = type(given)
    if isinstance(given, type):
        return f"the class {given.__name__} itself"
    return f"a {kind.__name__} of {kind.__module__}" if dataclasses.is_dataclass(kind) else repr(given)


def concrete(options: Iterable[type]) -> list[type]:
    """The dataclasses among the options, an abstract one by those derived from it, in the order of their names."""
    found: list[type] = []
    for option in options:
        derived = sorted(_derived(option), key=lambda kind: kind.__name__)
        found += [kind for kind in ([option] if dataclasses.is_dataclass(option) else derived) if kind not in found]
    return found


def _derived(kind: type) -> list[type]:
    return [
        each
        for child in kind.__subclasses__()
        for each in ([child] if dataclasses.is_dataclass(child) else _derived(child))
    ]
