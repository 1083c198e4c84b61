"""What `groundswell fit` is asked for, and what it reads from the files of events."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pydantic

from groundswell.cli import windows
from groundswell.cli.common import flat, say
from groundswell.cli.model_given import ModelConfiguration
from groundswell.data.history import History
from groundswell.data.network import Network
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import UsageError
from groundswell.models.library import load
from groundswell.params import leaves

if TYPE_CHECKING:
    from groundswell.data.readers import ReadEvents
    from groundswell.data.readers.plane import Plane


@dataclass(frozen=True, eq=False)
class Given:
    """What was read: a setting and a history for each window, what no window used, and remarks on the windows.

    read : the events; None for the totals of a run. planes : how events of the plane came about, one a window; none for
    models of places.
    """

    read: ReadEvents | None
    settings: list[Setting]
    histories: list[History]
    left_out: Table
    remarks: list[str]
    planes: tuple[Plane, ...] = ()


class WindowConfiguration(pydantic.BaseModel):
    """One of several windows that share the parameters."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    start: date
    end: date
    country: str | None = None


class FitConfiguration(ModelConfiguration):
    """What `fit` reads and estimates; `set` gives starting values, `fix` holds parameters.

    windows : several of them, fitted together, instead of start, end and country. abroad : a table with `date` and
    `events`, or "events": those of other countries in the same file, of the days_before days before a step if that is
    above 0. covariates : a table by place, date or both.
    Of models in the plane alone: region, a GeoJSON file or "hull"; areas, the property that names its features;
    cell_km; marks, as "mag" or "deaths=log1p"; kind, a column; jitter_km. replicates : histories drawn from the fit and
    fitted again, for the tests in the report. contagion : weigh it against a moving background, in the report.
    Of methods that simulate alone: summaries, in words; simulations, in all for abc, for each parameter value for
    synthetic; pilot, of abc, simulations from which parameters are regressed on the summaries; priors, a median and an
    sd on the free coordinate by parameter. fix_rest : hold every parameter that has neither a prior nor a value in
    `fix` where the model has it.
    """

    events: Path
    map: dict[str, str] = pydantic.Field(default_factory=dict)
    country: str | None = None
    by: Literal["place", "region", "country"] = "place"
    places: Literal["events", "gazetteer"] = "events"
    step: Annotated[int, pydantic.Field(ge=1)] | None = None
    start: date | None = None
    end: date | None = None
    windows: tuple[WindowConfiguration, ...] = ()
    region: str | None = None
    areas: str | None = None
    cell_km: Annotated[float, pydantic.Field(gt=0)] | None = None
    marks: tuple[str, ...] = ()
    kind: str | None = None
    jitter_km: Annotated[float, pydantic.Field(ge=0)] = 0.0
    neighbours_km: Annotated[float, pydantic.Field(gt=0)] | None = None
    covariates: Path | None = None
    abroad: Path | None = None
    days_before: Annotated[int, pydantic.Field(ge=0)] = 0
    fix: dict[str, float] = pydantic.Field(default_factory=dict)
    fix_rest: bool = False
    method: Literal["likelihood", "penalised", "posterior", "declustering", "abc", "synthetic"] | None = None
    draws: Annotated[int, pydantic.Field(ge=10)] = 1000
    tune: Annotated[int, pydantic.Field(ge=10)] = 1000
    chains: Annotated[int, pydantic.Field(ge=2)] = 4
    accept: Annotated[float, pydantic.Field(gt=0, lt=1)] = 0.8
    summaries: tuple[str, ...] = ()
    simulations: Annotated[int, pydantic.Field(ge=1)] | None = None
    pilot: Annotated[int, pydantic.Field(ge=0)] = 0
    priors: Annotated[dict[str, tuple[float, float]], pydantic.BeforeValidator(flat)] = pydantic.Field(
        default_factory=dict
    )
    check: bool = False
    report: bool = False
    replicates: Annotated[int, pydantic.Field(ge=0)] = 0
    contagion: bool = False

    @pydantic.field_validator("fix", mode="before")
    @classmethod
    def _dotted_fix(cls, given: Any) -> Any:
        return flat(given) if isinstance(given, Mapping) else given

    def held(self, model: Any) -> dict[str, float]:
        """Every parameter that is held, with its value."""
        rest = [leaf for leaf in leaves(model) if leaf.prior is None and leaf.name not in self.priors]
        return ({leaf.name: leaf.value for leaf in rest} if self.fix_rest else {}) | self.fix

    @property
    def declusters(self) -> bool:
        """Whether the background is estimated in turns with the parameters, as is usual for etas."""
        return self.method == "declustering" or (self.method is None and self.name == "etas")

    def estimator(self, model: Any, processes: int) -> Any:
        """The method of inference; without one, likelihood, penalised where the model has random effects."""
        if self.method == "posterior":
            from groundswell.infer.posterior import Posterior

            return Posterior(self.draws, self.tune, self.chains, self.accept, min(processes, self.chains))
        if self.method in ("abc", "synthetic"):
            return self._simulating(processes)
        from groundswell.infer.likelihood import MaximumLikelihood
        from groundswell.infer.penalised import PenalisedLikelihood

        random = self.method == "penalised" or (self.method is None and bool(getattr(model, "effect_names", ())))
        return PenalisedLikelihood() if random else MaximumLikelihood()

    def _simulating(self, processes: int) -> Any:
        from groundswell.data.summaries import Summaries
        from groundswell.infer.abc_smc import ABC
        from groundswell.infer.synthetic import SyntheticLikelihood
        from groundswell.params import Prior

        method = (ABC if self.method == "abc" else SyntheticLikelihood)(
            summaries=Summaries(*self.summaries) if self.summaries else None,
            priors={name: Prior(*given) for name, given in self.priors.items()},
            draws=self.draws,
            processes=processes,
        )
        if self.pilot:
            if not isinstance(method, ABC):
                raise UsageError("--pilot is of --method abc; a synthetic likelihood weighs all summaries as they are.")
            method = dataclasses.replace(method, pilot=self.pilot)
        return method if self.simulations is None else dataclasses.replace(method, simulations=self.simulations)

    @property
    def planar(self) -> bool:
        """Whether the model is one of points in the plane."""
        return load(self.model).planar

    def read(self, rng: np.random.Generator) -> Given:
        """What the files give; `rng` draws where positions are moved to, if they are to be."""
        from groundswell.data.readers import read_events
        from groundswell.data.readers.single_events import Mark

        self._fitting()
        if self.declusters and (self.name != "etas" or len(self.windows) > 1):
            raise UsageError("--method declustering estimates the background of etas, over one window.")
        if (self.start is None) != (self.end is None):
            raise UsageError("--start and --end go together: the window's first and last day.")
        if self.windows and self.start is not None:
            raise UsageError("the configuration has windows and also a start and an end; give one of them.")
        cuts: list[windows.Cut] = [
            (Window.between(cut.start, cut.end, self.step or 1), cut.country or self.country) for cut in self.windows
        ]
        if self.start is not None and self.end is not None:
            cuts = [(Window.between(self.start, self.end, self.step or 1), self.country)]
        cuts = cuts or [(None, self.country)]
        windows.apart(cuts)
        marks = [Mark.stated(text) for text in self.marks]
        also = [mark.name for mark in marks] + ([self.kind] if self.kind is not None else [])
        read = read_events(self.events, self.map, also=also)
        for warning in read.warnings:
            say(f"warning: {warning}")
        seen = [*(start for start in read.events["start"] if start is not None), *(read.covers or ())]
        remarks = windows.beyond(cuts, read.name, seen)
        unread = [{**line, "id": "", "outcome": "left out"} for line in read.left_out.rows()]
        settings, histories, dropped, planes = [], [], [], []
        for window, country in cuts:
            if self.planar:
                plane = self._plane(read, window, country, marks, rng)
                setting, history, left = plane.setting, plane.history, plane.left_out
                planes.append(plane)
            else:
                setting, history, left = self._places(read, window, country)
            dropped.append(list(left.rows()))
            settings.append(self._given(read, setting, country, dropped[-1]))
            histories.append(history)
        countries = {(event["row"], event["id"]): event["country"] for event in read.events.rows()}
        lines = [*unread, *windows.unused(cuts, dropped, countries)]
        left_out = Table.from_rows(lines, ("row", "id", "outcome", "reason", "remedy"))
        return Given(read, settings, histories, left_out, remarks, tuple(planes))

    def _fitting(self) -> None:
        """UsageError for what a model of the other kind takes."""
        of_plane = {"region": self.region, "areas": self.areas, "cell-km": self.cell_km, "kind": self.kind}
        of_plane |= {"mark": self.marks, "jitter-km": self.jitter_km}
        of_places = {"by": self.by != "place", "places": self.places != "events", "neighbours-km": self.neighbours_km}
        wrong = [f"--{flag}" for flag, given in (of_places if self.planar else of_plane).items() if given]
        if wrong:
            kind = "points of the plane, not of places" if self.planar else "places, not of points in the plane"
            raise UsageError(
                f"{self.model} is a model of {kind}, so {' and '.join(wrong)} cannot be meant; leave it out."
            )

    def _places(self, read: ReadEvents, window: Window | None, country: str | None) -> tuple[Setting, History, Table]:
        from groundswell.data.readers import to_history

        chosen = "gazetteer" if self.places == "gazetteer" else None
        return to_history(read, chosen, window, self.step or 1, self.by, country)

    def _plane(
        self, read: ReadEvents, window: Window | None, country: str | None, marks: Any, rng: np.random.Generator
    ) -> Plane:
        from groundswell.data.readers.plane import to_plane

        return to_plane(
            read, self.region, window, self.step, country, self.cell_km, self.areas, marks, self.kind,
            centre=self.name != "etas", jitter_km=self.jitter_km, rng=rng,
        )  # fmt: skip

    def _given(self, read: Any, setting: Setting, country: str | None, left: list[dict[str, Any]]) -> Setting:
        """The setting with its network, covariates and events abroad."""
        changes: dict[str, Any] = {}
        if self.neighbours_km is not None:
            near = setting.places.distance_km <= self.neighbours_km
            changes["network"] = Network(near & ~np.eye(len(near), dtype=bool))
        rows: list[dict[str, Any]] = []
        if self.covariates is not None:
            from groundswell.data.covariates import read_covariates

            found = read_covariates(self.covariates, setting.places, setting.window)
            changes["covariates"] = found.values
            rows += [{**row, "id": str(self.covariates)} for row in found.left_out.rows()]
        if self.abroad == Path("events"):
            from groundswell.data.readers.abroad import events_abroad

            if country is None:
                raise UsageError("--abroad events counts other countries' events: say with --country which is not.")
            changes["abroad"] = events_abroad(read, setting.window, country, None, self.days_before)
        elif self.abroad is not None:
            from groundswell.data.covariates import read_abroad

            changes["abroad"], outside = read_abroad(self.abroad, setting.window)
            rows += [{**row, "id": str(self.abroad)} for row in outside.rows()]
        left += [{**row, "outcome": "not used", "remedy": ""} for row in rows]
        return dataclasses.replace(setting, **changes)


def stated_priors(given: list[str] | None) -> dict[str, tuple[float, float]] | None:
    """{"legitimacy": (.8, .5)} from ["legitimacy=.8,.5"]; None stays None."""
    found: dict[str, tuple[float, float]] = {}
    for text in given or ():
        name, equals, numbers = text.partition("=")
        try:
            median, sd = map(float, numbers.split(","))
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(f'--prior "{text}" is no prior; write median and sd as legitimacy=0.8,0.5.')
        found[name.strip()] = median, sd
    return found or None
