"""`groundswell fit` of a model that draws no events: to the totals of a run, as `simulate` writes them."""

from __future__ import annotations

import dataclasses
from typing import Any

from groundswell.cli.fit_given import FitConfiguration, Given
from groundswell.data.history import History
from groundswell.data.series import read_series
from groundswell.data.setting import Setting
from groundswell.data.summaries import Summaries, usual
from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.models.base import can
from groundswell.models.library import level
from groundswell.rng import generator

OF_EVENTS = (
    *(
        "map",
        "country",
        "by",
        "places",
        "step",
        "start",
        "end",
        "windows",
        "region",
        "areas",
        "cell_km",
        "marks",
        "kind",
    ),
    *("jitter_km", "neighbours_km", "covariates", "abroad", "days_before", "report"),
)
"""What is asked of a table of events alone."""


def draws_no_events(given: FitConfiguration, model: Any, example: Setting) -> bool:
    """Whether the model's histories are series of one place, events not among them."""
    if level(given.model) in ("cities", "events") or len(example.places) != 1:
        return False
    return "events" not in _drawn(model, example).series


def read_totals(given: FitConfiguration, model: Any, example: Setting) -> Given:
    """The series that the fit compares, in the model's one place, over the steps of the table."""
    fields = FitConfiguration.model_fields
    meant = [name for name in OF_EVENTS if getattr(given, name) != fields[name].get_default(call_default_factory=True)]
    if meant:
        flags = " and ".join(f"--{name.replace('_', '-')}" for name in meant)
        raise UsageError(
            f"{given.model} is fitted to the totals of a run, a row a step, and {flags} can be meant of a table of "
            "events alone; leave it out."
        )
    drawn = _drawn(model, example)
    compared = Summaries(*given.summaries) if given.summaries else usual(model, [drawn])
    names = list(drawn.series)
    if given.method in ("abc", "synthetic") or not can(model, "likelihood"):
        names = list(dict.fromkeys(summary.series for summary in compared))
    read = read_series(given.events, names, example.window.start)
    setting = dataclasses.replace(example, window=read.window, later_edges=())
    history = History(setting.places, setting.window, {name: row[None, :] for name, row in read.values.items()})
    remarks = [f"{read.name}: {read.window.periods} steps of {', '.join(names)}"]
    if read.unused:
        remarks[0] += f"; not used: {', '.join(read.unused)}"
    return Given(None, [setting], [history], Table.from_rows([], ("row", "id", "outcome", "reason", "remedy")), remarks)


def _drawn(model: Any, example: Setting) -> History:
    """A short run of the model, for the names of its series."""
    return model.simulate(example.during(min(2, example.window.periods)), rng=generator(0))
