"""What `groundswell simulate` is asked for: a model, its setting, and what is done with the run on the way."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import typer

from groundswell.cli.model_given import ModelConfiguration, check_moments
from groundswell.data.setting import Setting
from groundswell.data.window import Window
from groundswell.errors import UsageError, nearest
from groundswell.models.library import load
from groundswell.models.moments import Scenario

Days = Annotated[int | None, typer.Option("--days", help="Length of the window in days.")]
Start = Annotated[str | None, typer.Option("--start", help="First day, as 2017-12-28.")]
Country = Annotated[str | None, typer.Option("--country", help="The gazetteer's places of this country.")]
Step = Annotated[int, pydantic.Field(ge=0)]


class SimulateConfiguration(ModelConfiguration):
    """What `simulate` draws: without a country, in the setting of the model's example."""

    days: Annotated[int, pydantic.Field(ge=1)] | None = None
    start: date | None = None
    country: str | None = None

    def setting(self, example: Setting) -> Setting:
        """The setting that was asked for."""
        if self.country is not None:
            from groundswell.data.gazetteer import places

            window = Window(self.start or example.window.start, self.days or example.window.periods)
            return Setting(places(self.country), window)
        if self.start is not None:
            example = dataclasses.replace(example, window=dataclasses.replace(example.window, start=self.start))
        return example if self.days is None else _of_length(example, self.days)


class RunConfiguration(SimulateConfiguration):
    """A run that may be stopped on the way. Steps are counted from the first of the run, also of one that is resumed.

    resume : a file of `save_after`, whose model is the one that goes on; `set` and the like change it from there.
    scenario : the name of one of the model's, or changes of one's own, as "legitimacy=.7,ratio=raw"; `after` so many
    steps. save_after : the steps after which everyone is saved. record : what goes to record.parquet; agents : who, as
    "0-99,150".
    """

    resume: Path | None = None
    scenario: str | None = None
    after: Step | None = None
    save_after: tuple[Step, ...] = ()
    record: Literal["none", "totals", "frames", "agents"] = "none"
    agents: str | None = None

    @property
    def on_the_way(self) -> bool:
        """Whether anything is asked of the run that `Model.simulate` does not do."""
        return self.resume is not None or self.scenario is not None or self.writes

    @property
    def writes(self) -> bool:
        """Whether the run itself writes files."""
        return bool(self.save_after) or self.record != "none"

    def begun(self) -> tuple[Any, Setting, Any]:
        """The model, the setting, and the moment to go on from, None for a new run; all of it is checked first."""
        if self.after is not None and self.scenario is None:
            raise UsageError("--after says when a scenario sets in: give --scenario as well.")
        if self.agents is not None and self.record != "agents":
            raise UsageError("--agents says who is recorded one by one: give --record agents as well.")
        moment = None
        if self.on_the_way:
            moments = check_moments(load(self.model), self.model)
            moment = moments.load(self.resume) if self.resume is not None else None
        if moment is not None and self.preset is not None:
            raise UsageError(f"--preset {self.preset} begins a run, and {self.resume} is one: leave one of them out.")
        named = self.named_scenario()
        without = named.without if named is not None and self.preset is None else None
        model, example = self.build(without if moment is None else moment.model)
        setting = self.setting(example)
        if moment is None:
            return model, setting, None
        window = setting.window
        window = dataclasses.replace(window, start=window.date(moment.step * window.step))
        return model, dataclasses.replace(setting, window=window), moments.changed(moment, model)

    def named_scenario(self) -> Scenario | None:
        """The model's scenario of that name; None for changes of one's own or none. UsageError for an unknown name."""
        if self.scenario is None or "=" in self.scenario:
            return None
        known = load(self.model).scenarios()
        key = self.scenario.replace("-", "_")
        if key not in known:
            raise UsageError(
                f'{self.model} has no scenario "{self.scenario}".' + nearest(key, known)
                + (f" It has: {', '.join(known)};" if known else " It has none of that name;")
                + " or state changes of your own, as --scenario legitimacy=0.7."
            )  # fmt: skip
        return known[key]


def _of_length(setting: Setting, days: int) -> Setting:
    if days % setting.window.step:
        raise UsageError(f"--days {days} is no multiple of the example's step of {setting.window.step} days.")
    periods = days // setting.window.step
    if periods <= setting.window.periods:
        return setting.during(periods)
    if setting.covariates or setting.calls is not None or setting.abroad is not None:
        raise UsageError(
            f"the example's covariates, calls and events abroad are given for {setting.window.days} days; "
            f"--days {days} goes beyond them. Give --country as well, for a setting of your own."
        )
    return dataclasses.replace(setting, window=dataclasses.replace(setting.window, periods=periods), later_edges=())
