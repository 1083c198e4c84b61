"""From read events to what models take: a setting, a history, and what was left out on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from groundswell.data import gazetteer
from groundswell.data.history import History, from_events
from groundswell.data.places import Places
from groundswell.data.readers.base import PRECISIONS, ReadEvents
from groundswell.data.readers.placing import Unplaced, gazetteer_matches, near_places, own_places
from groundswell.data.readers.single_events import in_time, single_events
from groundswell.data.readers.strays import far_rows, latest_day
from groundswell.data.readers.units import warn_of_km_as_degrees
from groundswell.data.setting import Setting
from groundswell.data.table import Table
from groundswell.data.window import Window
from groundswell.errors import DataError

Unit = Literal["place", "region", "country"]
Event = Mapping[str, Any]


@dataclass
class Report:
    """What was left out or assumed on the way from read events to a history."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    def leave_out(self, event: Event, reason: str, remedy: str = "") -> None:
        """One event that is not in the history, or a place without events that is not."""
        self._add(event, "not used" if event.get("silent") else "left out", reason, remedy)

    def assume(self, event: Event, reason: str, remedy: str = "") -> None:
        """One event that is in the history by a judgement that a reader should know."""
        self._add(event, "assumed", reason, remedy)

    def _add(self, event: Event, outcome: str, reason: str, remedy: str) -> None:
        self.lines.append(
            {"row": event["row"], "id": event["id"], "outcome": outcome, "reason": reason, "remedy": remedy}
        )


def to_history(
    read: ReadEvents,
    places: Places | Literal["gazetteer"] | None = None,
    window: Window | None = None,
    step: int = 1,
    by: Unit = "place",
    country: str | None = None,
    until: date | None = None,
) -> tuple[Setting, History, Table]:
    """(setting, history, left out) of events counted by place, region or country.

    places : None takes the places that occur in the file, at the positions given there, else the
    gazetteer's; note that a place without any event is then not in the study at all. "gazetteer"
    takes every gazetteer place of the countries that occur, so that quiet places count. Places: your
    own; names match exactly, then as the gazetteer matches them, then within 25 km.
    window : default from the first to the last event, or what a table of counts covers, in steps of `step` days; an
    incomplete last step is left out. until : the last day that the file covers, where that is not its last event's
    (a file cannot show that nothing happened after it); the steps then end with that day, or with the last count that
    ended by then, an incomplete first one is left out, and so are later events, and places that have no others.
    by : "region" and "country" count a row that lists several places once in each unit.
    country : only this country's events; also the country of events that name none.

    An event counts once, on its first day, in the place where it was. Left out, each with its row:
    events without a place at the level asked for ("national" by place), events dated less closely
    than a step, events outside the window, places that cannot be found. The table's `outcome` is
    "left out", or "assumed" where the event is in the history by a judgement (a population that is
    not known, "Montreal, Quebec" read as Montreal), or "not used" for a place of a table of counts that has no
    event and cannot be found. GroundswellWarning for positions that are no degrees.
    """
    report = Report()
    events = [event for event in read.events.rows() if in_country(event, country)]
    quiet = [event for event in read.quiet.rows() if in_country(event, country)]
    if not events:
        countries = sorted({event["country"] for event in read.events.rows() if event["country"]})
        raise DataError(
            f"{read.name} has no event"
            + (f' in "{country}"; its countries: {", ".join(countries[:60])}.' if country else ".")
        )
    if country is not None and not isinstance(places, Places) and not any(event["country"] for event in events):
        gazetteer.find_country(country)  # nothing in the file vouches for the name
    warn_of_km_as_degrees(read, events)
    covered = _covered(read, [*events, *quiet])
    dated = closely_dated(events, read.period is not None, window, step, report)
    if until is not None:
        if covered is not None and read.period is not None and until < covered[1]:  # to the end of a count
            until -= timedelta(days=((until - covered[0]).days + 1) % read.period)
        dated = _known_by(dated, until, report)
        if not dated:
            raise DataError(f"{read.name} has no event up to {until}, the last day to be counted. Name a later day.")
    shown = [*dated, *_silent(quiet, dated)]
    if by == "place":
        units, pairs = _by_place(shown, places, country, report)
    else:
        units, pairs = _by_unit(shown, places, by, country, report)
    pairs = [(event, unit) for event, unit in pairs if not event.get("silent")]
    if not pairs:
        reasons = Counter((line["reason"], line["remedy"]) for line in report.lines if line["outcome"] == "left out")
        raise DataError(f"{read.name}: no event could be used. Most often: {'; '.join(reasons.most_common(1)[0][0])}.")
    far = set(far_rows([*events, *quiet]))
    if window is None:
        days = [event["start"] for event, _ in pairs]
        window = window_of(read, *(covered or (min(days), max(days))), until, step)
    inside = []
    for event, unit in pairs:
        if 0 <= window.day(event["start"]) < window.days:
            inside.append((event, unit))
            if event["row"] in far:
                far.remove(event["row"])
                report.assume(event, f"{event['start']} lies far from all the others", "correct the date")
        else:
            report.leave_out(
                event, f"{event['start']} lies outside the window {window.start} to {window.end}", "widen the window"
            )
    history = from_events(units, window, single_events(in_time(inside, window), window, read.period is not None))
    if history.events is not None and history.events.arrests is not None:
        history = History(
            units, window, {**history.series, "arrests": _summed(history, history.events.arrests)}, history.events
        )
    active = np.flatnonzero(history["events"][:, 0])
    setting = Setting(units, window, active_on_day0=tuple(units.name[i] for i in active))
    report.lines.sort(key=lambda line: (line["row"], line["id"]))
    return setting, history, Table.from_rows(report.lines, ("row", "id", "outcome", "reason", "remedy"))


def window_of(read: ReadEvents, first: date, last: date, until: date | None, step: int) -> Window:
    """Whole steps: from the first event on, or back from the last day that is covered."""
    if until is None:
        return Window.between(first, max(last, first + timedelta(days=step - 1)), step)
    periods = ((until - first).days + 1) // step
    if periods < 1:
        raise DataError(
            f"{read.name}: the first event is of {first} and a step has {step} days, so no step has ended by {until}. "
            "Give a later last day, or a shorter step."
        )
    return Window(until - timedelta(days=periods * step - 1), periods, step)


def _covered(read: ReadEvents, events: Sequence[Event]) -> tuple[date, date] | None:
    """First and last day that a table of counts speaks of; None where a row is an event."""
    if read.period is None:
        return None
    return min(event["start"] for event in events), min(latest_day(), max(event["end"] for event in events))


def _silent(quiet: Sequence[Event], events: Sequence[Event]) -> list[Event]:
    """One row of 0 of each place that has no other, marked as `silent`: the place is in the study, without an event."""

    def where(event: Event) -> tuple[Any, ...]:
        at = () if event["place"] else (event["latitude"], event["longitude"])
        return (event["scope"], event["place"], event["region"], event["country"], *at)

    found = {where(event): event for event in reversed(quiet)}
    for event in events:
        found.pop(where(event), None)
    return [{**event, "silent": True} for event in reversed(found.values())]


def in_country(event: Event, country: str | None) -> bool:
    """Whether the event is this country's, or names none."""
    if country is None or not event["country"]:
        return True
    return gazetteer.country_name(event["country"]) == gazetteer.country_name(country)


def closely_dated(
    events: Sequence[Event], counts: bool, window: Window | None, step: int, report: Report
) -> list[Event]:
    """The events dated at least as closely as a step; those of a table of counts lie in the days of their count."""
    step = step if window is None else window.step
    kept = []
    for event in events:
        known = (event["end"] - event["start"]).days + 1 if counts else PRECISIONS[event["precision"]]
        if known <= max(step, 1):
            kept.append(event)
        elif counts:
            report.leave_out(event, f"counted over {known} days, but a step is {step}", f"use steps of {known} days")
        else:
            report.leave_out(
                event,
                f"dated to the precision {event['precision']!r}, but a step is {step} days",
                f"use steps of {PRECISIONS[event['precision']]} days"
                if event["precision"] != "longer"
                else "no step is long enough",
            )
    return kept


def _known_by(events: Sequence[Event], until: date, report: Report) -> list[Event]:
    """The events up to a day."""
    kept = []
    for event in events:
        if event["start"] <= until:
            kept.append(event)
        else:
            report.leave_out(
                event, f"{event['start']} is after {until}, the last day to be counted", "a later last day"
            )
    return kept


def _by_place(
    events: Sequence[Event], places: Any, country: str | None, report: Report
) -> tuple[Places, list[tuple[Event, int]]]:
    local = []
    for event in events:
        if event["scope"] == "place":
            local.append(event)
        else:
            report.leave_out(event, f'"{event["place_text"]}" names no single place', f'count by="{_wider(event)}"')
    if places is None:
        return own_places(local, country, report.leave_out, report.assume)
    if isinstance(places, str):
        if places != "gazetteer":
            raise DataError(f'places is "{places}"; expected "gazetteer", a Places, or None.')
        named = [country] if country else sorted({e["country"] for e in local if e["country"]})
        if not named:
            raise DataError("the events name no country; give country=, or places of your own.")
        places = gazetteer.places(named, minimum_population=1)
    return places, _placed(local, _finder(places, country), report)


def _finder(places: Places, country: str | None) -> Callable[[Event], tuple[list[int], str]]:
    """event -> indices into `places` and a remark; raises Unplaced."""
    index = {name: i for i, name in enumerate(places.name)}
    cache: dict[Any, tuple[list[int], str] | Unplaced] = {}

    def look(event: Event) -> tuple[list[int], str]:
        for name in (event["place"], f"{event['place']} ({event['region']})"):
            if name in index:
                return [index[name]], ""
        if near := near_places(places, event):
            return near
        found, remark = gazetteer_matches(event["place"], event["country"] or country, event["region"])
        rows = [
            index.get(m.label, index.get(f"{m.label} ({gazetteer.find_country(m.country).code})", -1)) for m in found
        ]
        if -1 in rows:
            raise Unplaced(f'"{event["place"]}" is not among the places of the study', "add it to the places")
        return rows, remark

    def remembered(event: Event) -> tuple[list[int], str]:
        key = tuple(event[name] for name in ("place", "region", "country", "latitude", "longitude"))
        if key not in cache:
            try:
                cache[key] = look(event)
            except Unplaced as problem:
                cache[key] = problem
        known = cache[key]
        if isinstance(known, Unplaced):
            raise known
        return known

    return remembered


def _placed(
    events: Sequence[Event], find: Callable[[Event], tuple[list[int], str]], report: Report
) -> list[tuple[Event, int]]:
    pairs = []
    for event in events:
        try:
            rows, remark = find(event)
        except Unplaced as problem:
            report.leave_out(event, problem.reason, problem.remedy)
            continue
        if remark:
            report.assume(event, remark, "check the place")
        pairs += [(event, row) for row in rows]
    return pairs


def _by_unit(
    events: Sequence[Event], places: Any, by: str, country: str | None, report: Report
) -> tuple[Places, list[tuple[Event, int]]]:
    labelled: list[tuple[Event, tuple[str, str]]] = []
    seen = set()
    for number, event in enumerate(events):
        try:
            labels = _labels(event, by, country)
        except Unplaced as problem:
            report.leave_out(event, problem.reason, problem.remedy)
            continue
        for label in labels:
            key = (event["part_of"] or number, label)  # a row that lists three cities is one event of its country
            if key not in seen:
                seen.add(key)
                labelled.append((event, label))
    units = places if isinstance(places, Places) else _units([label for _, label in labelled], by)
    index = {name: i for i, name in enumerate(units.name)}
    pairs = []
    for event, (nation, region) in labelled:
        names = [nation] if by == "country" else [region, f"{region} ({nation})"]
        if found := [index[name] for name in names if name in index]:
            pairs.append((event, found[0]))
        else:
            report.leave_out(
                event, f'{by} "{names[0]}" has no known population', f"give places with a row for this {by}"
            )
    return units, pairs


def _labels(event: Event, by: str, country: str | None) -> list[tuple[str, str]]:
    """(country, region) of an event; the region from the file, else from the gazetteer's match of the place."""
    nation = event["country"] or country or ""
    if by == "country":
        if not nation:
            raise Unplaced("the event names no country", "give country=")
        return [(gazetteer.country_name(nation), "")]
    if event["region"]:
        return [(gazetteer.country_name(nation), event["region"])]
    if event["scope"] != "place":
        raise Unplaced(f'"{event["place_text"]}" names no region', 'count by="country"')
    found, _ = gazetteer_matches(event["place"], nation or None, "")
    return list(dict.fromkeys((match.country, match.region) for match in found))


def _units(labels: Sequence[tuple[str, str]], by: str) -> Places:
    """One place for each country or region, at the people's mean position in the gazetteer's places."""
    rows: list[tuple[str, float, float, float, str]] = []
    names = sorted(set(labels))
    repeated = Counter(region for _, region in names)
    for nation, region in names:
        try:
            inside = gazetteer.places(nation or "", minimum_population=1)
            people = float(gazetteer.find_country(nation).population)
        except DataError:
            continue  # no population is known: the caller lists every event of it as left out
        if by == "region":
            mine = [i for i, name in enumerate(inside.region) if gazetteer.fold(name) == gazetteer.fold(region)]
            if not mine:
                continue
            inside = inside.subset(mine)
            people = float(inside.population.sum())
        label = nation if by == "country" else region if repeated[region] == 1 else f"{region} ({nation})"
        weights = inside.population / inside.population.sum()
        assert inside.latitude is not None
        assert inside.longitude is not None
        rows.append((label, people, float(weights @ inside.latitude), float(weights @ inside.longitude), nation))
    if not rows:
        raise DataError(
            f"the population of no {by} in this file is known to the gazetteer (it knows regions by name in Iran and "
            f"the United States only). Give places= with a row for each {by}."
        )
    columns = list(zip(*rows, strict=True))
    return Places(columns[0], np.array(columns[1]), np.array(columns[2]), np.array(columns[3]), columns[0], columns[4])


def _wider(event: Event) -> str:
    return "region" if event["scope"] == "region" else "country"


def _summed(history: History, arrests: np.ndarray) -> np.ndarray:
    assert history.events is not None
    total = np.zeros((len(history.places), history.window.periods))
    step = (history.events.time_days // history.window.step).astype(int)
    np.add.at(total, (history.events.place, step), arrests)
    return total
