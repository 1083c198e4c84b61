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
import json
import typing
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, TypeVar

from groundswell.errors import UsageError, nearest
from groundswell.fields import concrete, expected, fits, kinds
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


def plain(component: Component) -> dict[str, Any]:
    """Every field as plain values, from which `stated` makes an equal component: what is kept in a file."""
    out: dict[str, Any] = {}
    for field in dataclasses.fields(component):  # type: ignore[arg-type]
        value = getattr(component, field.name)
        if isinstance(value, Component):
            value = {"kind": type(value).__name__, **plain(value)}
        elif isinstance(value, Effects):
            value = dict(value)
        out[field.name] = False if value is None else value
    return out


def _value(hint: Any, value: Any, where: str, before: Any) -> Any:
    options = typing.get_args(hint) or (hint,)
    components = concrete(o for o in options if isinstance(o, type) and issubclass(o, Component))
    if value is False and NoneType in options:
        return None
    if Effects in options:
        return _effects(value, where)
    if components:
        return _component(components, value, where, before)
    if (allowed := kinds(hint, Component)) and not fits(value, allowed):
        raise UsageError(
            f"{where} is {_shown(value)}; expected {expected(kind for kind in allowed if kind is not NoneType)}"
            + (", or false to leave it out." if NoneType in allowed else ".")
        )
    if isinstance(value, list):
        return tuple(tuple(row) if isinstance(row, list) else row for row in value)
    return value


def _effects(value: Any, where: str) -> Effects:
    if isinstance(value, Mapping):
        for label, number in value.items():
            if not fits(number, (float,)):
                raise UsageError(f"{where}.{label} is {_shown(number)}; expected a number, where the search starts.")
        return Effects(value)
    if isinstance(value, list | tuple) and all(fits(label, (str, int)) for label in value):
        return Effects.zero(*map(str, value))  # lags and orders are numbers
    raise UsageError(
        f'{where} is {_shown(value)}; expected a list of labels, as ["trend"], or a table with values, as '
        '{"trend": 0.1}. An empty list states no effects.'
    )


def _shown(value: Any) -> str:
    """A value as such files write it."""
    return json.dumps(value, ensure_ascii=False, default=repr)


def _component(components: Sequence[type], value: Any, where: str, before: Any) -> Component:
    known = {component.__name__: component for component in components}
    if isinstance(value, str):
        value = {"kind": value}
    elif value is True:
        value = {}
    if not isinstance(value, Mapping):
        raise UsageError(f"{where} is {_shown(value)}; expected a table, or one of: {', '.join(known)}.")
    named = value.get("kind")
    if named is not None and not isinstance(named, str):
        raise UsageError(f"{where}.kind is {_shown(named)}; expected a name in quotes, one of: {', '.join(known)}.")
    if named is None and len(known) > 1 and type(before).__name__ not in known:
        raise UsageError(f"{where} takes several kinds; state one with kind = ... : {', '.join(known)}.")
    if named is not None and named not in known:
        raise UsageError(f'{where}: "{named}" is no kind of it; it takes: {", ".join(known)}.' + nearest(named, known))
    kind = known[named] if named else next(iter(known.values())) if len(known) == 1 else type(before)
    rest = {name: entry for name, entry in value.items() if name != "kind"}
    return stated(kind, rest, where, before if type(before) is kind else None)
