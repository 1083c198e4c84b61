"""From read events to what models of the plane take: positions in km, a region, its cells, marks and kinds."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from groundswell.data import gazetteer
from groundswell.data.areas import Cells, cells, countries_region, districts, region_around
from groundswell.data.history import Events, History, from_events
from groundswell.data.readers.base import ReadEvents, carried
from groundswell.data.readers.histories import Event, Report, closely_dated, in_country, window_of
from groundswell.data.readers.single_events import Mark, in_time, single_events
from groundswell.data.readers.units import refuse_degrees_as_km, refuse_km_as_degrees, warn_of_degrees_as_km
from groundswell.data.region import Projection, Region
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import DataError, GroundswellWarning, UsageError

HULL = "hull"
"""The region that is guessed from the events themselves."""

SAME_KM = 0.01
"""Events nearer than this stand at one position."""

ROUNDED = 0.1
"""Of the events, at positions of others, from which on positions look rounded to towns."""

STEPS = (1, 7, 28, 91, 364)
"""Days of a step that are tried, the first that keeps to MOST_CELL_STEPS."""

MOST_CELL_STEPS = 500_000


@dataclass(frozen=True, eq=False)
class Plane:
    """Events of the plane with their setting, and how these came about.

    left_out : row, id, outcome, reason, remedy, as `to_history` gives them. projection : degrees to km, None where the
    file has km. region_by : "file", "countries" (their outlines, a little wider) or "hull" (a guess, `wider_km` wider
    than the events' own). even : persons per km^2 that live in no listed place. at_others : events at the position of
    another. jitter_km : radius within which each was moved. kinds : labels of Events.kind. centred : mark -> its mean,
    which was taken off. outside : events of the window outside the region, which a model may let excite; their `place`
    means nothing.
    """

    setting: Setting
    history: History
    left_out: Table
    projection: Projection | None
    region_by: str
    countries: tuple[str, ...] = ()
    wider_km: float = 0.0
    cell_km: float | None = None
    even: float = 0.0
    at_others: int = 0
    jitter_km: float = 0.0
    kinds: tuple[str, ...] = ()
    centred: dict[str, float] = field(default_factory=dict)
    outside: Events | None = None

    @property
    def rounded(self) -> bool:
        """Whether so many events stand at the position of another that positions look rounded; `to_plane` warns."""
        return self.at_others > max(ROUNDED * len(self.history.events or ()), 1)


def to_plane(
    read: ReadEvents,
    region: str | Path | Region | None = None,
    window: Window | None = None,
    step: int | None = None,
    country: str | None = None,
    cell_km: float | None = None,
    areas: str | None = None,
    marks: Sequence[Mark] = (),
    kind: str | None = None,
    until: date | None = None,
    centre: bool = True,
    jitter_km: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Plane:
    """Events with positions as points of the plane, for models such as SpaceTime.

    region : a GeoJSON file or a Region in km; "hull", the events' convex hull a little widened; None, the outlines of
    the country or countries of the events (5 km wider, since the outlines are coarse), else the hull. A guessed edge
    matters: offspring beyond it are allowed for. cell_km : cut into cells by a grid; areas : each feature of
    the file is a place, named by this property; without either there is one place, or those of a region's tiles.
    The setting has the covariates "area_km2" and, where positions are degrees, "density" of the gazetteer's people.
    step : days of a step, of which the endemic part is made; None, the shortest that keeps cells times steps small.
    country : only this country's events. marks, kind : columns, which `read_events` was told to carry (`also`).
    centre : a mark enters less its mean, so that exp(offspring.intercept) is of an event with average marks.
    jitter_km : moves every event within a disc so wide (`jittered_positions`), for positions rounded to towns; needs
    `rng`.

    Left out, each with its row: events without a position, mark or kind, dated less closely than a day, outside the
    window or the region. DataError where nothing is left, where positions look swapped, or km and degrees confused.
    GroundswellWarning where many events share their positions even so, and where km may be degrees. Times known to the
    day alone stay at its start: see `models.events.ties.jittered`.
    """
    report = Report()
    events = [event for event in read.events.rows() if in_country(event, country)]
    refuse_km_as_degrees(read, events)
    if not events:
        raise DataError(f"{read.name} has no event" + (f' in "{country}".' if country else f".{_most(read.left_out)}"))
    events = closely_dated(events, read.period is not None, None, 1, report)
    events = _positioned(events, read, report)
    events, values = _marked(events, marks, kind, report)
    if not events:
        raise DataError(f"{read.name}: no event could be used.{_most(Table.from_rows(report.lines))}")
    at, projection = _positions(events)
    shape, region_by, names, wider = _region(region, read, events, at, projection, country)
    inside = shape.contains(*at.T)
    _sensible(events, inside, shape, projection, region_by, names)
    for event, is_in in zip(events, inside, strict=True):
        if not is_in:
            report.leave_out(event, "its position lies outside the region", "widen the region, or correct the position")
    within = np.flatnonzero(inside)
    if window is None:
        days = [events[i]["start"] for i in within]
        window = window_of(read, min(days), max(days), until, 1)
    kept = []
    for i in within:
        if 0 <= window.day(events[i]["start"]) < window.days:
            kept.append(i)
        else:
            report.leave_out(
                events[i], f"{events[i]['start']} lies outside the window {window.start} to {window.end}",
                "widen the window",
            )  # fmt: skip
    if not kept:
        raise DataError(f"{read.name}: no event lies in the window {window.start} to {window.end}; widen it.")
    cut = cells(shape, cell_km, projection) if areas is None else _districts(region, areas, cell_km, at, projection)
    window = _stepped(window, step, len(cut.places), report, events, kept)
    kept = [i for i in kept if window.day(events[i]["start"]) < window.days]
    labels = () if kind is None else tuple(sorted({_kind(events[i], kind) for i in kept}))
    means = values[kept].mean(axis=0) if centre else np.zeros(len(marks))

    def points(rows: Sequence[int]) -> Events:
        """Some events by time, with what they bring along."""
        ordered = np.array([i for _, i in in_time([(events[i], i) for i in rows], window)], dtype=int)
        place = np.maximum(cut.region.tile_of(*at[ordered].T), 0)
        found = single_events([(events[i], int(p)) for i, p in zip(ordered, place, strict=True)], window)
        codes = None if kind is None else np.array([labels.index(_kind(events[i], kind)) for i in ordered])
        columns = {mark.label: values[ordered, k] - means[k] for k, mark in enumerate(marks)}
        return replace(found, x_km=at[ordered, 0], y_km=at[ordered, 1], kind=codes, marks=columns)

    single = points(kept)
    away = [i for i in np.flatnonzero(~inside).tolist() if 0 <= window.day(events[i]["start"]) < window.days]
    away = [i for i in away if kind is None or _kind(events[i], kind) in labels]
    report.lines.sort(key=lambda line: (line["row"], line["id"]))
    left_out = Table.from_rows(report.lines, ("row", "id", "outcome", "reason", "remedy"))
    made = Plane(
        _setting(cut, window), from_events(cut.places, window, single), left_out, projection, region_by, names, wider,
        cell_km, cut.even, _coincident(at[kept]), kinds=labels,
        centred={mark.label: float(mean) for mark, mean in zip(marks, means, strict=True)} if centre else {},
        outside=points(away) if away else None,
    )  # fmt: skip
    if jitter_km:
        if rng is None:
            raise UsageError(f"jitter_km is {jitter_km:g} and no rng was given; where events are moved to is drawn.")
        made = jittered_positions(made, jitter_km, rng=rng)
    _warn_of_rounded(made)
    return made


def jittered_positions(plane: Plane, km: float, *, rng: np.random.Generator) -> Plane:
    """The same with each event moved to a uniform point of the disc of `km` around it, inside the region.

    For positions that were rounded to a town or a district. Distances below some 2 km are then chance, so that a reach
    below that cannot be learnt; say so, and repeat with several seeds. An event whose disc lies outside stays.
    """
    events, region = plane.history.events, plane.setting.region
    assert events is not None
    assert region is not None
    at = np.stack([np.asarray(events.x_km, float), np.asarray(events.y_km, float)], axis=1)
    moved, waiting = at.copy(), np.arange(len(at))
    for _ in range(100):
        if not len(waiting):
            break
        away, angle = km * np.sqrt(rng.random(len(waiting))), 2 * np.pi * rng.random(len(waiting))
        tried = at[waiting] + away[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        fits = region.contains(*tried.T)
        moved[waiting[fits]] = tried[fits]
        waiting = waiting[~fits]
    new = replace(events, x_km=moved[:, 0], y_km=moved[:, 1], place=region.tile_of(*moved.T))
    history = from_events(plane.setting.places, plane.setting.window, new)
    return replace(plane, history=history, at_others=_coincident(moved), jitter_km=km)


def _warn_of_rounded(plane: Plane) -> None:
    """GroundswellWarning where positions look rounded."""
    count = len(plane.history.events or ())
    if plane.rounded:
        warnings.warn(
            f"{plane.at_others} of {count} events stand at the position of another, as if positions were rounded to "
            "towns. A model of the plane takes that for triggering at no distance at all, and its reach shrinks to 0. "
            "Use self-exciting events on cities (SelfExciting), or move each event within a disc as wide as the "
            "rounding (--jitter-km; jittered_positions), and say so.",
            GroundswellWarning,
            stacklevel=3,
        )


def _most(left: Table) -> str:
    """Why most rows were left out, as the end of an error."""
    reasons = Counter(zip(left["reason"], left["remedy"], strict=True)) if len(left) else None
    return f" Most often: {'; '.join(filter(None, reasons.most_common(1)[0][0]))}." if reasons else ""


def _positioned(events: Sequence[Event], read: ReadEvents, report: Report) -> list[Event]:
    """The events with a position of the kind that the file has; DataError where none has one."""
    km = any(event["x_km"] is not None for event in events)
    what = "x_km" if km else "latitude"
    found = [event for event in events if event[what] is not None]
    if not found:
        raise DataError(
            f"{read.name}: no event has a position, which a model of the plane needs. Give columns latitude and "
            "longitude (degrees) or x_km and y_km; for events that are placed by name use self-exciting on cities."
        )
    for event in events:
        if event[what] is None:
            report.leave_out(event, "it has no position", "give one, or use a model of cities")
    return found


def _marked(
    events: Sequence[Event], marks: Sequence[Mark], kind: str | None, report: Report
) -> tuple[list[Event], np.ndarray]:
    """The events that have every mark and a kind, and (N, marks) their values."""
    if len({mark.label for mark in marks}) < len(marks):
        raise UsageError(f"a mark is named twice: {', '.join(mark.label for mark in marks)}.")
    kept, values = [], []
    for event in events:
        found = [mark.of(event) for mark in marks]
        problems = [why for _, why in found if why]
        if kind is not None and not _kind(event, kind):
            problems.append(f"no {kind} is stated")
        if problems:
            report.leave_out(event, problems[0], "fill it in, or leave the mark or kind out")
            continue
        kept.append(event)
        values.append([value for value, _ in found])
    return kept, np.array(values, dtype=float).reshape(len(kept), len(marks))


def _kind(event: Event, column: str) -> str:
    return str(event.get(carried(column)) or event.get(column) or "")


def _positions(events: Sequence[Event]) -> tuple[np.ndarray, Projection | None]:
    if events[0]["x_km"] is not None:
        return np.array([[event["x_km"], event["y_km"]] for event in events], dtype=float), None
    latitude, longitude = np.array([[e["latitude"], e["longitude"]] for e in events], dtype=float).T
    projection = Projection.around(latitude, longitude)
    return projection(latitude, longitude), projection


def _region(
    given: Any, read: ReadEvents, events: Sequence[Event], at: np.ndarray, projection: Projection | None,
    country: str | None,
) -> tuple[Region, str, tuple[str, ...], float]:  # fmt: skip
    """(region, how it came about, countries, km wider)."""
    if isinstance(given, Region):
        return given, "file", (), 0.0
    if given is not None and str(given) != HULL:
        surely = projection is None and _holds_km(given, at)
        return Region.from_geometry(given, projection=projection, surely_km=surely), "file", (), 0.0
    named = (country,) if country else tuple(sorted({e["country"] for e in events if e["country"]}))
    names = tuple(dict.fromkeys(map(gazetteer.country_name, named)))
    if projection is None:
        refuse_degrees_as_km(read, at, names)
        warn_of_degrees_as_km(read, at)
    elif given is None and names:
        return countries_region(names, projection, at), "countries", names, 0.0
    region, wider = region_around(at)
    return region, "hull", (), wider


def _districts(given: Any, areas: str, cell_km: float | None, at: np.ndarray, projection: Projection | None) -> Cells:
    if given is None or given == HULL or isinstance(given, Region) or cell_km is not None:
        raise UsageError("areas are features of a GeoJSON file: give it as the region, and no cells.")
    return districts(given, areas, projection, surely_km=projection is None and _holds_km(given, at))


def _holds_km(given: Any, at: np.ndarray) -> bool:
    """Whether most events lie inside the outlines if these are km, which then are what their size left open."""
    return bool(Region.from_geometry(given, surely_km=True).contains(*at.T).mean() > 0.5)


def _sensible(
    events: Sequence[Event], inside: np.ndarray, region: Region, projection: Projection | None, by: str, names: Any
) -> None:
    """DataError where the region holds too few events for the positions to mean what they are taken for."""
    where = f"the outline of {', '.join(names)}" if by == "countries" else "the region"
    if projection is not None and inside.mean() < 0.5:
        north, east = np.array([[e["longitude"], e["latitude"]] for e in events], dtype=float).T
        if (np.abs(north) <= 90).all() and region.contains(*projection(north, east).T).mean() > max(0.5, inside.mean()):
            raise DataError(
                f"{int((~inside).sum())} of {len(events)} events lie outside {where}, and most lie inside if latitude "
                "and longitude are swapped. Swap them: --map latitude=... --map longitude=..."
            )
    if not inside.any():
        raise DataError(
            f"none of {len(events)} events lies inside {where}. Do both have the same units (degrees, or km of the "
            "same map), and are longitude and latitude in their columns?"
        )


def _stepped(
    window: Window, step: int | None, places: int, report: Report, events: Sequence[Event], kept: Sequence[int]
) -> Window:
    """The window in steps, and what a last incomplete one leaves out."""
    step = step or next((s for s in STEPS if places * window.days / s <= MOST_CELL_STEPS), STEPS[-1])
    periods = window.days // step
    if periods < 1:
        raise UsageError(f"the window has {window.days} days, less than a step of {step}. Take shorter steps.")
    cut = Window(window.start, periods, step)
    for i in kept:
        if window.day(events[i]["start"]) >= cut.days:
            report.leave_out(
                events[i], f"{events[i]['start']} lies after the last whole step of {step} days", "take shorter steps"
            )
    return cut


def _setting(cut: Cells, window: Window) -> Setting:
    covariates = {"area_km2": cut.area_km2[:, None]}
    if cut.density is not None:
        covariates["density"] = cut.density[:, None]
    return Setting(cut.places, window, covariates=covariates, region=cut.region)


def _coincident(at: np.ndarray) -> int:
    """How many points stand where another does."""
    _, which, counts = np.unique(np.round(at / SAME_KM), axis=0, return_inverse=True, return_counts=True)
    return int((counts[which.ravel()] > 1).sum())
