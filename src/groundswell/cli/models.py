"""`groundswell models`: what models there are, what their parameters mean, and a model of one's own."""

from __future__ import annotations

import dataclasses
import math
import typing
from pathlib import Path
from typing import Annotated

import typer

from groundswell.cli.common import Json, show
from groundswell.data.table import Table
from groundswell.models.library import LIBRARY, load
from groundswell.params import Component, leaves

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="The models and their parameters.")

LONGEST = 60
"""Characters of a value that are shown."""


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """Name, level and one line about every model."""
    rows = [{"model": name, "level": entry.level, "what": entry.load().title} for name, entry in LIBRARY.items()]
    words = f"{Table.from_rows(rows)}\n\nMore about one: groundswell models show NAME"
    show({"models": rows}, words, as_json=as_json)


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="A name from `groundswell models list`, or a file, my_model.py.")],
    as_json: Json = False,
) -> None:
    """Title, paper and every parameter of the example, with unit, range, prior and meaning; fields, presets, scenarios.

    A preset is shown by what it changes in the example; a scenario by what it changes on the way.
    """
    kind = load(name)
    model, _ = kind.example()
    table = parameter_table(model)
    result = {
        "model": name,
        "title": kind.title,
        "paper": kind.paper,
        "parameters": list(table.rows()),
        "fields": other_fields(model),
        "presets": {key: changes(model, preset) for key, preset in kind.presets().items()},
        "scenarios": {
            key: {"what": scenario.doc, "after": scenario.after, "without": changes(model, scenario.without)}
            for key, scenario in kind.scenarios().items()
        },
    }
    words = f"{kind.title}\n\nPaper: {kind.paper}\n\n{table}"
    if result["fields"]:
        words += "\n\nOther fields: " + _listed(result["fields"])
    for key, changed in result["presets"].items():
        words += f"\n\n--preset {key}: " + (_listed(changed) or "the example itself")
    for key, told in result["scenarios"].items():
        base = _listed(told["without"]) or "the example itself"
        words += f"\n\n--scenario {key}: {told['what']}; from step {told['after'] + 1} on, of a run of {base}"
    show(result, words, as_json=as_json)


@app.command("new")
def new_model(
    name: Annotated[str, typer.Argument(help="Small letters, digits and _: my_model.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for both files; this one without it.")] = None,
    as_json: Json = False,
) -> None:
    """Write a model of your own, in one file that works as it stands, and a test of its contract."""
    from groundswell.cli.models_new import new_model as write

    model, test = write(name, out or Path())
    words = (
        f"wrote {model}\nwrote {test}\n\n"
        f"It works as it stands: counts by place and step, with a density. Now make it yours.\n"
        f"  1. python -m pytest {test}            every promise that a model makes; keep it green\n"
        f"  2. change the equations at the top of {model.name}, then what follows from them; a verb that you\n"
        "     cannot give (likelihood, pointwise, intensity) is left out, and its promises with it\n"
        f"  3. groundswell models show {model}\n"
        f"     groundswell simulate {model} --seed 1 --show\n"
        f"     groundswell fit {model} EVENTS.csv\n"
    )
    show({"written": [str(model), str(test)]}, words.rstrip(), as_json=as_json)


def other_fields(model: Component) -> dict[str, str]:
    """Fields that are no parameters, with their values and, where they are named, the alternatives."""
    found: dict[str, str] = {}
    hints = typing.get_type_hints(type(model))
    for field in dataclasses.fields(model):  # type: ignore[arg-type]
        if "param" in field.metadata:
            continue
        given, allowed = getattr(model, field.name), typing.get_args(hints[field.name])
        if typing.get_origin(hints[field.name]) is typing.Literal:
            others = ", ".join(str(value) for value in allowed if value != given)
            found[field.name] = f"{given} ({others})"
        else:
            found[field.name] = type(given).__name__ if isinstance(given, Component) else str(given)
    return found


def changes(base: Component, preset: Component) -> dict[str, str]:
    """The fields of a preset that differ from the base."""
    found: dict[str, str] = {}
    for field in dataclasses.fields(base):  # type: ignore[arg-type]
        given = getattr(preset, field.name)
        if given != getattr(base, field.name):
            text = f"{given:g}" if isinstance(given, float) else str(given)
            found[field.name] = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    return found


def _listed(fields: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in fields.items())


def parameter_table(model: Component) -> Table:
    """One row a parameter; "prior" is the median and the sd on the parameter's free scale."""
    return Table.from_rows(
        [
            {
                "parameter": leaf.name,
                "value": leaf.value,
                "unit": leaf.unit,
                "range": _range(leaf.low, leaf.high),
                "prior": None if leaf.prior is None else f"{leaf.prior.median:g}, sd {leaf.prior.sd:g}",
                "meaning": leaf.doc,
            }
            for leaf in leaves(model)
        ]
    )


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "any"
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{high:g} or less" if math.isinf(low) else f"{low:g} to {high:g}"
