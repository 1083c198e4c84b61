"""How the commands state a model: its name, a preset, and what differs from its example."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import pydantic
import typer

from groundswell.cli.common import Configuration, flat
from groundswell.data.setting import Setting
from groundswell.errors import UsageError, nearest
from groundswell.fields import by_field, concrete
from groundswell.models.library import load
from groundswell.params import Component, names
from groundswell.statement import stated

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="MODEL",
        help="A name from `groundswell models list`, or a file of your own, my_model.py; may stand in --config.",
    ),
]
SetAny = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="A parameter or another field by its dotted name; may be repeated."
    ),
]
Values = Annotated[dict[str, float | bool | str], pydantic.BeforeValidator(flat)]
"""Values of parameters, and of other fields, by their dotted names."""


class ModelConfiguration(Configuration):
    """A model: its name, the parameters that differ from its example, the components left out or stated anew.

    preset : a named instance to start from in place of the example. components : tables as `groundswell.statement`
    reads them; what they leave out stays as it is. They come first, then `without`, then `set`.
    """

    model: str
    preset: str | None = None
    components: dict[str, Any] = pydantic.Field(default_factory=dict)
    set: Values = pydantic.Field(default_factory=dict)
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The library's name of the model; of one outside it, that of its file or class."""
        return Path(self.model.rpartition(":")[2]).stem.replace("-", "_")

    def build(self) -> tuple[Any, Setting]:
        """The model, and its example's setting."""
        kind = load(self.model)
        model: Any
        model, setting = kind.example()
        if self.preset is not None:
            model = _preset(kind, self.model, self.preset)
        if self.components:
            model = stated(type(model), self.components, base=model)
        for part in self.without:
            parts = [f.name for f in dataclasses.fields(model) if dataclasses.is_dataclass(getattr(model, f.name))]
            if part not in parts:
                raise UsageError(f'--without "{part}": {self.model} has no such component.' + nearest(part, parts, 3))
        model = dataclasses.replace(model, **dict.fromkeys(self.without))
        return _setting(model, self.set), setting


def _preset(kind: Any, model: str, name: str) -> Any:
    known = {key.replace("-", "_"): value for key, value in kind.presets().items()}
    key = name.replace("-", "_")
    if key not in known:
        has = f" It has: {', '.join(known)}." if known else " It has none."
        raise UsageError(f'{model} has no preset "{name}".' + nearest(key, known) + has)
    return known[key]


def _setting(model: Any, given: dict[str, float | bool | str]) -> Any:
    """The model with parameters and other fields set: a rule by name, a grid's rows, a component by its kind."""
    parameters: dict[str, float] = {}
    others: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, float) and (name in names(model) or not _is_option(type(model), name)):
            parameters[name] = value
        elif name in names(model):
            raise UsageError(f'--set "{name}={value}" is no assignment of a number; write it as {name}=0.3.')
        else:
            *parts, last = name.split(".")
            inner = others
            for part in parts:
                inner = inner.setdefault(part, {})
            inner[last] = int(value) if isinstance(value, float) and value.is_integer() else value
    return (stated(type(model), others, base=model) if others else model).replacing(parameters)


def _is_option(kind: type, name: str) -> bool:
    """Whether a dotted name is a field that is no parameter, of the model or of a component that may stand there."""
    head, _, rest = name.partition(".")
    field = next((field for field in dataclasses.fields(kind) if field.name == head), None)
    if field is None or not rest:
        return field is not None and "param" not in field.metadata
    parts = (part for part in by_field(kind, Component).get(head, ()) if issubclass(part, Component))
    return any(_is_option(part, rest) for part in concrete(parts))
