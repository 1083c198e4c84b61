"""A component from plain tables, as they stand in a TOML file or a dictionary: the short way to state a model.

    stated(EndemicEpidemic, {
        "endemic": {"effects": ["trend", "sin1", "cos1"], "offset": "population_share", "period": 52},
        "between": {"weights": "PowerLaw", "random": {}},
    })

A field that is left out keeps its default; false leaves a component out (None). Where a field takes components of
several kinds, "kind" names one: {"kind": "GeometricLags", "steps": 4}, or the name alone. Effects are a list of labels,
which start at 0, or a table with starting values.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, TypeVar

from groundswell.errors import UsageError, nearest
from groundswell.params import Component, Effects

C = TypeVar("C", bound=Component)


def stated(kind: type[C], given: Mapping[str, Any], where: str = "", base: C | None = None) -> C:
    """The component of a kind that `given` states; UsageError names the field, what was given and what is possible.

    where : dotted name of the component, for messages. base : what fields that are left out keep, instead of the
    kind's defaults.
    """
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in given.items():
        full = f"{where}.{name}" if where else name
        if name not in fields:
            raise UsageError(f"{full}: {kind.__name__} has no such field." + nearest(name, fields, 3))
        before = None if base is None else getattr(base, name)
        values[name] = _value(hints[name], value, full, before)
    missing = [
        name
        for name, field in fields.items()
        if name not in values
        and base is None
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise UsageError(f"{where or kind.__name__} needs {', '.join(missing)}, which have no default; state them.")
    return kind(**values) if base is None else dataclasses.replace(base, **values)  # type: ignore[type-var]


def _value(hint: Any, value: Any, where: str, before: Any) -> Any:
    options = typing.get_args(hint) or (hint,)
    components = _concrete([option for option in options if isinstance(option, type)])
    if value is False and NoneType in options:
        return None
    if Effects in options:
        return _effects(value, where)
    if components:
        return _component(components, value, where, before)
    if isinstance(value, list):
        return tuple(tuple(row) if isinstance(row, list) else row for row in value)
    return value


def _effects(value: Any, where: str) -> Effects:
    if isinstance(value, str):
        raise UsageError(f'{where} is "{value}"; expected a list of labels, as ["trend"], or a table with values.')
    return Effects(value) if isinstance(value, Mapping) else Effects.zero(*map(str, value))


def _component(components: Sequence[type[Component]], value: Any, where: str, before: Any) -> Component:
    known = {component.__name__: component for component in components}
    if isinstance(value, str):
        value = {"kind": value}
    elif value is True:
        value = {}
    if not isinstance(value, Mapping):
        raise UsageError(f"{where} is {value!r}; expected a table, or one of: {', '.join(known)}.")
    named = value.get("kind")
    if named is None and len(known) > 1 and type(before).__name__ not in known:
        raise UsageError(f"{where} takes several kinds; state one with kind = ... : {', '.join(known)}.")
    if named is not None and named not in known:
        raise UsageError(f'{where}: "{named}" is no kind of it; it takes: {", ".join(known)}.' + nearest(named, known))
    kind = known[named] if named else next(iter(known.values())) if len(known) == 1 else type(before)
    rest = {name: entry for name, entry in value.items() if name != "kind"}
    return stated(kind, rest, where, before if type(before) is kind else None)


def _concrete(options: Sequence[type]) -> list[type[Component]]:
    """The components among the options, an abstract one by those derived from it, in the order of their names."""
    found: list[type[Component]] = []
    for option in options:
        if not issubclass(option, Component):
            continue
        derived = sorted(_derived(option), key=lambda kind: kind.__name__)
        found += [kind for kind in ([option] if dataclasses.is_dataclass(option) else derived) if kind not in found]
    return found


def _derived(kind: type[Component]) -> list[type[Component]]:
    return [
        each
        for child in kind.__subclasses__()
        for each in ([child] if dataclasses.is_dataclass(child) else _derived(child))
    ]
