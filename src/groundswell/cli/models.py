"""`groundswell models`: what models there are, and what their parameters mean."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from groundswell.cli.common import Json, show
from groundswell.data.table import Table
from groundswell.models.library import LIBRARY, load
from groundswell.params import Component, leaves

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="The models and their parameters.")


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """Name, level and one line about every model."""
    rows = [{"model": name, "level": entry.level, "what": entry.load().title} for name, entry in LIBRARY.items()]
    words = f"{Table.from_rows(rows)}\n\nMore about one: groundswell models show NAME"
    show({"models": rows}, words, as_json=as_json)


@app.command("show")
def show_model(
    name: Annotated[str, typer.Argument(help="A name from `groundswell models list`.")], as_json: Json = False
) -> None:
    """Title, paper and every parameter of the example, with unit, range, prior and meaning."""
    kind = load(name)
    model, _ = kind.example()
    table = parameter_table(model)
    result = {
        "model": name,
        "title": kind.title,
        "paper": kind.paper,
        "parameters": list(table.rows()),
    }
    show(result, f"{kind.title}\n\nPaper: {kind.paper}\n\n{table}", as_json=as_json)


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
