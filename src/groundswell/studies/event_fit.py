"""A fit of single events told whole: what sets off what, how late and how far, and what the fit cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from groundswell.data.history import History
from groundswell.data.readers import ReadEvents
from groundswell.data.readers.plane import Plane
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.evaluate.ranking import Finding
from groundswell.infer.base import Fit, Progress, silent
from groundswell.infer.plausible import plausible_models
from groundswell.models.base import can
from groundswell.rng import keyed
from groundswell.studies.event_background import Moving, moving_background
from groundswell.studies.event_causes import Causes
from groundswell.studies.event_checks import Checks, checks_of
from groundswell.studies.event_contagion import Weighed, weighed
from groundswell.studies.event_kernels import AMOUNT, FAR, LATE, Interval, Kernels, delay_curve, triggering
from groundswell.studies.event_model import said_of

DRAWS = 1000
"""Plausible models."""

FORESTS = 60
"""Of them, those with a forest of their own."""

HARDLY = 0.02
"""Of the events: a share of triggered ones below which delays and distances say nothing."""

CUT = 0.9
"""A kernel that has not given so much of its offspring by half of the way to its limit is cut off by it."""


@dataclass(frozen=True, eq=False)
class EventFit:
    """What a report on a fit of single events tells.

    name : of the model. fitted, setting, history : the fit and what it was fitted to. left_out : rows and events that
    no window used, and judgements. remarks : sentences said on the way. plane : how points of the plane came about.
    checks : whether the fit suits its events.
    causes : None where the model cannot take its events apart. moving : the fit with a background that moves, None
    where there is none to move. weighed : contagion against a background that moves at random, where that was asked
    for. open : parameters whose doubt is in no interval here.
    """

    read: ReadEvents
    name: str
    fitted: Fit
    setting: Setting
    history: History
    left_out: Table
    remarks: tuple[str, ...]
    seed: int
    kernels: Kernels
    causes: Causes | None = None
    moving: Moving | None = None
    weighed: Weighed | None = None
    plane: Plane | None = None
    checks: Checks | None = None
    open: tuple[str, ...] = ()

    @property
    def by_day(self) -> bool:
        """Whether some times are known to the day only."""
        return "day" in self._precision

    @property
    def _precision(self) -> str:
        if getattr(self.fitted.model, "by_step", False):
            return "day"
        stated = [event["time"] for event in self.read.events.rows()]
        return "" if all(stated) else "day"

    @property
    def triggers(self) -> bool:
        """Whether enough is triggered for delays and distances to mean something."""
        return self.causes is None or self.causes.share.high > HARDLY

    @cached_property
    def curves(self) -> Mapping[str, Table]:
        """delays and reaches: the share of offspring by days and by km; empty where these events leave it open."""
        nothing = Table({})
        delays = nothing if self._open(LATE) else self.kernels.delays()
        return {"delays": delays, "reaches": nothing if self._open(FAR) else self.kernels.reaches()}

    def _open(self, parts: Sequence[str]) -> tuple[str, ...]:
        """Those of the parameters that are not determined."""
        return tuple(name for name in self.open if any(part in name for part in parts))

    @cached_property
    def findings(self) -> Mapping[str, Sequence[Finding]]:
        """Answers by question: data, triggering, kernels, background, checks."""
        return {
            "data": self._data(),
            "triggering": self._triggering(),
            "kernels": self._kernels() if self.triggers else [],
            "background": [f for part in (self.moving, self.weighed) if part is not None for f in part.findings],
            "checks": [] if self.checks is None else self.checks.findings,
        }

    @cached_property
    def limits(self) -> Sequence[Finding]:
        """What the fit cannot tell."""
        found = [Finding("events-limit-cause"), Finding("events-limit-background")]
        if self.by_day:
            found.append(Finding("events-limit-days"))
        found.append(Finding("events-limit-recorded"))
        if self.plane is None:
            found.append(Finding("events-limit-quiet"))
        elif self.plane.region_by == "hull":
            found.append(Finding("events-limit-hull"))
        if self.plane is not None and self.plane.at_others:
            values = {"count": self.plane.at_others, "total": len(self.history.events or ())}
            found.append(Finding("events-limit-rounded", values))
        found += self._cut()
        if self.open:
            found.append(Finding("events-limit-open", {"names": self.open}))
        return found

    def tables(self) -> dict[str, Table]:
        """Every table, by file name."""
        found = {"parameters": self.fitted.summary(effects=True), "left_out": self.left_out}
        if self.causes is not None:
            found |= {"over_time": self.causes.over_time(), "clusters": self.causes.clusters()}
            if len(self.setting.places) > 1:
                found["by_place"] = self.causes.by_place()
            found["events"] = self._events(self.causes)
        if self.triggers:
            found |= self.curves
        if self.moving is not None:
            found["backgrounds"] = self.moving.table
        if self.weighed is not None and self.weighed.found is not None:
            found |= {"contagion": self.weighed.found.table, "contagion_by_movement": self.weighed.found.moving}
        if self.checks is not None:
            found |= self.checks.tables()
        return {name: table for name, table in found.items() if len(table) or name == "left_out"}

    def _events(self, causes: Causes) -> Table:
        """A row an event: when, where, and the probability that an earlier one set it off."""
        events, places = causes.events, self.setting.places.name
        columns: dict[str, Any] = {
            "date": [self.setting.window.date(time).isoformat() for time in events.time_days],
            "place": [places[k] for k in events.place],
        }
        if events.x_km is not None and events.y_km is not None:
            columns |= {"x_km": np.asarray(events.x_km).tolist(), "y_km": np.asarray(events.y_km).tolist()}
        return Table(columns | {"set off by an earlier one": causes.triggered.tolist()})

    def _data(self) -> list[Finding]:
        outcomes = list(self.left_out["outcome"])
        window = self.setting.window
        values = {
            "events": len(self.history.events or ()),
            "places": len(self.setting.places),
            "start": str(window.start),
            "end": str(window.end),
            "left": outcomes.count("left out"),
            "assumed": outcomes.count("assumed"),
        }
        found = [Finding("events-data" if self.plane is None else "events-data-plane", values)]
        return found + (list(said_of(self.plane)) if self.plane is not None else [])

    def _triggering(self) -> list[Finding]:
        ratio = self.kernels.ratio
        side = "above" if ratio.low > 1 else "below" if ratio.high < 1 else "unsure"
        found = [Finding(f"events-ratio-{side}", ends(ratio))]
        if unknown := tuple(name for name in self.open if name in AMOUNT):
            found = [Finding("events-ratio-open", {"value": ratio.value, "names": unknown})]
        found += self._marks()
        if self.causes is None:
            return found
        share = self.causes.share
        key = "events-share" if self.triggers else "events-hardly-open" if unknown else "events-hardly"
        found.append(Finding(key, {"events": len(self.causes.triggered), **shares(share)}))
        if self.triggers:
            largest = self.causes.largest
            values = {"alone": percent(self.causes.alone.value), "low": int(largest.low), "high": int(largest.high)}
            found.append(Finding("events-clusters", values))
        return found

    def _marks(self) -> list[Finding]:
        """What a mark does to how much an event sets off; what the size of a crowd does."""
        part, found = triggering(self.fitted.model), []
        for name in getattr(part, "effects", ()):
            times = self.kernels.number(lambda model, n=name: float(np.exp(triggering(model).effects[n])))
            found.append(Finding("events-mark", {"mark": name, **ends(times)}))
        if hasattr(part, "alpha"):
            times = self.kernels.number(lambda model: float(np.exp(triggering(model).alpha)))
            found.append(Finding("events-mark", {"mark": getattr(self.fitted.model, "mark", ""), **ends(times)}))
        if getattr(self.fitted.model, "size", None) is not None:
            times = self.kernels.number(lambda model: 10**model.size.power)
            found.append(Finding("events-size", ends(times)))
        return found

    def _kernels(self) -> list[Finding]:
        found = []
        late, far = self._open(LATE), self._open(FAR)
        half, most = self.kernels.days(0.5), self.kernels.days(0.9)
        if late:
            found.append(Finding("events-delay-open", {"names": late}))
        elif half is not None and most is not None:
            days = float(self.setting.window.days)
            key = "events-delay-slow" if most.value > days else "events-delay"
            if self.by_day and most.value < 1:
                key = "events-delay-within-day"
            found.append(Finding(key, {**ends(half), "most": min(most.value, days)}))
        if far:
            found.append(Finding("events-reach-open", {"names": far}))
        elif self.plane is not None:
            near, furthest = self.kernels.km(0.5), self.kernels.km(0.9)
            if near is not None and furthest is not None:
                found.append(Finding("events-reach", {**ends(near), "most": furthest.value}))
        elif (own := self.kernels.near(0.0)) is not None:
            within = self.kernels.near(NEAR)
            assert within is not None
            values: dict[str, Any] = {f"own_{end}": share for end, share in shares(own).items()}
            values |= {f"near_{end}": share for end, share in shares(within).items()}
            found.append(Finding("events-reach-cities", {"km": NEAR, **values}))
        elif len(self.setting.places) > 1:
            found.append(Finding("events-reach-own"))
        return found

    def _cut(self) -> list[Finding]:
        """Where triggering is cut off before it has come to an end."""
        part = triggering(self.fitted.model)
        if part is None or not self.triggers:
            return []
        found = []
        longest, furthest = getattr(part, "longest_days", None), getattr(part, "furthest_km", None)
        curve = delay_curve(self.fitted.model)
        if longest is not None and curve is not None and curve(np.array([longest / 2]))[0] < CUT:
            found.append(Finding("events-limit-cut-days", {"days": float(longest)}))
        if furthest is not None:
            come = part.reach.disc(np.array([furthest / 2, furthest]))
            if come[0] < CUT * come[1]:
                found.append(Finding("events-limit-cut-km", {"km": float(furthest)}))
        return found


NEAR = 100.0
"""Km whose share of the offspring is told for cities."""


def event_fit(
    read: ReadEvents,
    name: str,
    fitted: Fit,
    setting: Setting,
    history: History,
    left_out: Table,
    *,
    seed: int,
    remarks: Sequence[str] = (),
    plane: Plane | None = None,
    forests: int = FORESTS,
    replicates: int = 0,
    contagion: bool = False,
    progress: Progress = silent,
) -> EventFit:
    """What a report tells of a fit of single events to one window.

    Cost: `forests` times the model's branching (O(E^2) for long memories), one more fit, with a background that moves,
    and for the tests `replicates` simulations and fits (99 for p-values that are not naive). contagion : weigh it
    against a background that moves at random, which may take many minutes (`event_contagion`).
    """
    models, unknown = plausible_models(fitted, max(DRAWS, forests), rng=keyed(seed, 1))
    kernels = Kernels(fitted.model, models, setting, history)
    causes = None
    progress(0.0, "who set off whom")
    if can(fitted.model, "branching") and len(history.events or ()):
        causes = Causes.of(fitted.model, models[:forests], setting, history, rng=keyed(seed, 3))
    progress(0.5, "a background that moves")
    moving = moving_background(fitted, setting, history, rng=keyed(seed, 4))
    against = weighed(fitted, setting, history, progress=progress) if contagion else None
    progress(0.7, "whether the fit suits the events")
    checks = checks_of(fitted, setting, history, rng=keyed(seed, 5), replicates=replicates, progress=progress)
    progress(1.0, "done")
    return EventFit(
        read, name, fitted, setting, history, left_out, tuple(remarks), seed, kernels, causes, moving, against, plane,
        checks, unknown,
    )  # fmt: skip


def each(interval: Interval) -> tuple[float, float, float]:
    """The three numbers."""
    return interval.value, interval.low, interval.high


def ends(interval: Interval) -> dict[str, Any]:
    """Value, low and high for a sentence."""
    return dict(zip(("value", "low", "high"), map(float, each(interval)), strict=True))


def shares(interval: Interval) -> dict[str, str]:
    """The same as shares in per cent."""
    return dict(zip(("value", "low", "high"), map(percent, each(interval)), strict=True))


def percent(share: float) -> str:
    """A share in whole per cent."""
    return f"{100 * share:.0f} %"
